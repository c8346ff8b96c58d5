/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/block.h"

#include <check.h>
#include <stdlib.h>

/* The bits that are to be found, one byte after the other. */
static uint64_t
find_slowly(const char *bytes, unsigned count, char c)
{
	uint64_t found = 0;

	for (unsigned i = 0; i < count; i++)
		if (bytes[i] == c)
			found |= UINT64_C(1) << i;
	return found;
}

/* Fill a block with bytes of which many are, or are nearly, c. */
static void
fill(char block[BLOCK], char c, uint32_t *random)
{
	for (int i = 0; i < BLOCK; i++) {
		*random = *random * 1664525U + 1013904223U;
		switch (*random >> 29) {
		case 0:
		case 1:
			block[i] = c;
			break;
		case 2:
			block[i] = (char)(c ^ 0x80);
			break;
		case 3:
			block[i] = (char)(c + 1);
			break;
		case 4:
			block[i] = (char)(c - 1);
			break;
		default:
			block[i] = (char)(*random >> 16);
			break;
		}
	}
}

START_TEST(every_byte_is_found_and_no_other)
{
	char block[BLOCK];
	uint32_t random = 20261124;

	for (int value = 0; value < 256; value++)
		for (int turn = 0; turn < 100; turn++) {
			char c = (char)value;

			fill(block, c, &random);
			ck_assert_uint_eq(block_find(block, c),
					  find_slowly(block, BLOCK, c));
			/* As machines without a faster way do it. */
			for (int i = 0; i < BLOCK; i += 8)
				ck_assert_uint_eq(block_find8(block + i, c),
						  find_slowly(block + i, 8, c));
		}
}
END_TEST

START_TEST(sets_are_taken_from_their_lowest_end)
{
	const uint64_t ends = UINT64_C(1) << 63 | 1;

	ck_assert_uint_eq(block_first(ends), 0);
	ck_assert_uint_eq(block_first(block_from(ends, 1)), 63);
	ck_assert_uint_eq(block_from(ends, 0), ends);
	ck_assert_uint_eq(block_from(ends, 63), UINT64_C(1) << 63);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("block");
	TCase *tcase = tcase_create("block");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, every_byte_is_found_and_no_other);
	tcase_add_test(tcase, sets_are_taken_from_their_lowest_end);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
