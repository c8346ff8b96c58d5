/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "base/pool.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Reserve len bytes and fill them with one letter. */
static uint32_t
add(struct pool *pool, size_t len, char letter)
{
	char *place = NULL;
	uint32_t ref = pool_add(pool, len, &place);

	ck_assert_uint_ne(ref, 0);
	ck_assert_ptr_eq(place, pool_at(pool, ref));
	memset(place, letter, len);
	return ref;
}

/* Check that an item is still what add() has made of it. */
static void
check_item(const struct pool *pool, uint32_t ref, size_t len, char letter)
{
	const char *place = pool_at(pool, ref);
	size_t i = 0;

	while (i < len && place[i] == letter)
		i++;
	ck_assert_uint_eq(i, len);
}

START_TEST(items_stay_where_they_are)
{
	enum { ITEMS = 2000 };
	static uint32_t refs[ITEMS];
	static const char *places[ITEMS];
	struct pool pool;

	pool_init(&pool);
	for (int i = 0; i < ITEMS; i++) {
		refs[i] = add(&pool, 1 + (size_t)i * 4, (char)('a' + i % 26));
		places[i] = pool_at(&pool, refs[i]);
	}
	ck_assert_uint_gt(pool.count, 2);
	for (int i = 0; i < ITEMS; i++) {
		ck_assert_ptr_eq(pool_at(&pool, refs[i]), places[i]);
		check_item(&pool, refs[i], 1 + (size_t)i * 4,
			   (char)('a' + i % 26));
	}
	ck_assert_uint_ge(pool_size(&pool), 8000000);
	pool_fini(&pool);
	ck_assert_uint_eq(pool_size(&pool), 0);
	ck_assert_uint_ne(add(&pool, 1, 'x'), 0); /* as good as a new one */
	pool_fini(&pool);
	pool_fini(NULL);
}
END_TEST

START_TEST(small_items_are_packed)
{
	enum { LEN = 128, ITEMS = POOL_ITEM_MAX / LEN };
	struct pool pool = {0};

	ck_assert_uint_eq(pool_size(&pool), 0);
	for (size_t i = 0; i < ITEMS; i++)
		(void)add(&pool, LEN, 'a');
	ck_assert_uint_eq(pool.count, 1);
	/* it is full to its last byte, but for one before the first item */
	(void)add(&pool, POOL_ITEM_MAX - ITEMS * LEN, 'b');
	ck_assert_uint_eq(pool.count, 1);
	(void)add(&pool, 1, 'c');
	ck_assert_uint_eq(pool.count, 2);
	pool_fini(&pool);
}
END_TEST

START_TEST(an_item_may_fill_a_chunk)
{
	struct pool pool = {0};
	uint32_t first = add(&pool, 1, 'a');
	uint32_t second = add(&pool, POOL_ITEM_MAX, 'b');
	uint32_t third = add(&pool, POOL_ITEM_MAX, 'c');
	uint32_t fourth = add(&pool, 1, 'd');

	ck_assert_uint_eq(pool.count, 4);
	check_item(&pool, first, 1, 'a');
	check_item(&pool, second, POOL_ITEM_MAX, 'b');
	check_item(&pool, third, POOL_ITEM_MAX, 'c');
	check_item(&pool, fourth, 1, 'd');
	pool_fini(&pool);
}
END_TEST

START_TEST(a_larger_one_is_refused)
{
	static const size_t sizes[] = {(size_t)POOL_ITEM_MAX + 1,
				       (size_t)UINT32_MAX + 2, SIZE_MAX};
	struct pool pool = {0};
	uint32_t ref = add(&pool, 10, 'a');
	char *place = NULL;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		ck_assert_uint_eq(pool_add(&pool, sizes[i], &place), 0);
	ck_assert_ptr_null(place);
	ck_assert_uint_eq(pool.count, 1);
	check_item(&pool, ref, 10, 'a');
	pool_fini(&pool);
}
END_TEST

START_TEST(without_memory_nothing_changes)
{
	struct pool pool = {0};
	char *place;
	uint32_t ref;

	for (size_t n = 1; n <= 2; n++) { /* the list, the chunk */
		memory_fail_after(n);
		ck_assert_uint_eq(pool_add(&pool, 1, &place), 0);
	}
	memory_fail_after(0);
	ref = add(&pool, 100, 'a');
	memory_fail_after(1);
	(void)add(&pool, 100, 'b'); /* there is room */
	ck_assert_uint_eq(pool_add(&pool, POOL_ITEM_MAX, &place), 0);
	(void)add(&pool, 100, 'c');
	memory_fail_after(0);
	check_item(&pool, ref, 100, 'a');
	pool_fini(&pool);
}
END_TEST

/* References have 32 bits: behind the last there is no other. The chunks
 * of this pool are the last one, named again and again. */
START_TEST(it_ends_at_four_gigabytes)
{
	static char *chunks[POOL_CHUNKS];
	struct pool pool = {
	    .chunks = chunks,
	    .count = POOL_CHUNKS,
	    .room = POOL_CHUNKS,
	    .used = POOL_CHUNK - 1,
	};
	char *chunk = memory_try_chunk();
	char *place;

	ck_assert_ptr_nonnull(chunk);
	for (size_t i = 0; i < POOL_CHUNKS; i++)
		chunks[i] = chunk;
	ck_assert_uint_eq(pool_add(&pool, 2, &place), 0);
	ck_assert_uint_eq(add(&pool, 1, 'z'), UINT32_MAX);
	ck_assert_uint_eq(pool_add(&pool, 1, &place), 0);
	ck_assert_uint_eq(pool.count, POOL_CHUNKS);
	free(chunk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pool");
	TCase *tcase = tcase_create("pool");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, items_stay_where_they_are);
	tcase_add_test(tcase, small_items_are_packed);
	tcase_add_test(tcase, an_item_may_fill_a_chunk);
	tcase_add_test(tcase, a_larger_one_is_refused);
	tcase_add_test(tcase, without_memory_nothing_changes);
	tcase_add_test(tcase, it_ends_at_four_gigabytes);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
