/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes 00 01 02 ..., as the vectors of SipHash's authors have them. */
static void
fill(unsigned char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (unsigned char)i;
}

/* What the hash of Python 3.11's bytes, which is SipHash-1-3 as well, says of
 * the first len of these bytes, under the keys of PYTHONHASHSEED=0 and 1. */
static const struct row {
	size_t len;
	struct hash_key key;
	uint64_t expected;
} rows[] = {
    {1, {0x0, 0x0}, 0x68a914128e01e473},
    {7, {0x0, 0x0}, 0x2f098ab0c751325a},
    {8, {0x0, 0x0}, 0xead411e67ebe2eea},
    {9, {0x0, 0x0}, 0x75927f9d95124362},
    {15, {0x0, 0x0}, 0xf30eb725bb91c9ea},
    {16, {0x0, 0x0}, 0x8972188433a5c5b7},
    {17, {0x0, 0x0}, 0x4883c49a2c009c1d},
    {63, {0x0, 0x0}, 0x385d3e39e5f37359},
    {255, {0x0, 0x0}, 0x5dc1f93ea135eb43},
    {256, {0x0, 0x0}, 0x31ae646afba70308},
    {1, {0xaed66ce184be2329, 0xebe9bbf1f1499052}, 0xecd3e5afcecda4b9},
    {7, {0xaed66ce184be2329, 0xebe9bbf1f1499052}, 0xfd15e78052a69ddf},
    {8, {0xaed66ce184be2329, 0xebe9bbf1f1499052}, 0xc0b5739e7e28dd01},
    {9, {0xaed66ce184be2329, 0xebe9bbf1f1499052}, 0x208a1a5a0cbbf778},
    {15, {0xaed66ce184be2329, 0xebe9bbf1f1499052}, 0xfa87985f39e97a53},
    {16, {0xaed66ce184be2329, 0xebe9bbf1f1499052}, 0x12e9d283f9f37002},
    {17, {0xaed66ce184be2329, 0xebe9bbf1f1499052}, 0x9f5bb4237f61907f},
    {63, {0xaed66ce184be2329, 0xebe9bbf1f1499052}, 0x542052345bc68274},
    {255, {0xaed66ce184be2329, 0xebe9bbf1f1499052}, 0x523ab5ebe2e15f94},
    {256, {0xaed66ce184be2329, 0xebe9bbf1f1499052}, 0x29b2ed382b263024},
};

START_TEST(is_siphash_1_3)
{
	unsigned char data[256];

	fill(data, sizeof(data));
	ck_assert_uint_eq(hash_bytes(&rows[_i].key, data, rows[_i].len),
			  rows[_i].expected);
}
END_TEST

START_TEST(an_empty_text_has_a_hash)
{
	const struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

	ck_assert_uint_eq(hash_bytes(&key, "", 0), 0xabac0158050fc4dc);
	ck_assert_uint_eq(hash_bytes(&key, NULL, 0), 0xabac0158050fc4dc);
}
END_TEST

START_TEST(where_the_bytes_lie_does_not_matter)
{
	const struct hash_key key = {1, 2};
	unsigned char data[64];

	fill(data, sizeof(data));
	for (size_t len = 0; len <= sizeof(data); len++) {
		uint64_t expected = hash_bytes(&key, data, len);

		for (size_t shift = 0; shift < 8; shift++) {
			/* of exactly that size: no byte behind it is read */
			unsigned char *copy = malloc(shift + len + 1);

			ck_assert_ptr_nonnull(copy);
			memcpy(copy + shift + 1, data, len);
			ck_assert_uint_eq(
			    hash_bytes(&key, copy + shift + 1, len), expected);
			free(copy);
		}
	}
}
END_TEST

START_TEST(every_bit_counts)
{
	struct hash_key key = {3, 4};
	unsigned char data[40];
	uint64_t expected;

	fill(data, sizeof(data));
	expected = hash_bytes(&key, data, sizeof(data));
	for (size_t bit = 0; bit < 8 * sizeof(data); bit++) {
		data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		ck_assert_uint_ne(hash_bytes(&key, data, sizeof(data)),
				  expected);
		data[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < 64; bit++) {
		key = (struct hash_key){3 ^ (uint64_t)1 << bit, 4};
		ck_assert_uint_ne(hash_bytes(&key, data, sizeof(data)),
				  expected);
		key = (struct hash_key){3, 4 ^ (uint64_t)1 << bit};
		ck_assert_uint_ne(hash_bytes(&key, data, sizeof(data)),
				  expected);
	}
}
END_TEST

START_TEST(the_length_counts)
{
	static const char nothing[257] = {0};
	const struct hash_key key = {5, 6};

	for (size_t i = 0; i < sizeof(nothing); i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(hash_bytes(&key, nothing, i),
					  hash_bytes(&key, nothing, j));
}
END_TEST

START_TEST(random_keys_differ)
{
	struct hash_key keys[8] = {0};

	for (size_t i = 0; i < COUNT(keys); i++) {
		hash_key_random(&keys[i]);
		ck_assert(keys[i].k0 != 0 && keys[i].k1 != 0);
		for (size_t j = 0; j < i; j++)
			ck_assert(keys[i].k0 != keys[j].k0 &&
				  keys[i].k1 != keys[j].k1);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hash");
	TCase *tcase = tcase_create("hash");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, is_siphash_1_3, 0, (int)COUNT(rows));
	tcase_add_test(tcase, an_empty_text_has_a_hash);
	tcase_add_test(tcase, where_the_bytes_lie_does_not_matter);
	tcase_add_test(tcase, every_bit_counts);
	tcase_add_test(tcase, the_length_counts);
	tcase_add_test(tcase, random_keys_differ);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
