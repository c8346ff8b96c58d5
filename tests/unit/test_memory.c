/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"

#include <check.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* More than any system has. */
enum { HUGE_SHIFT = sizeof(size_t) * 8 - 2 };
#define HUGE_SIZE ((size_t)1 << HUGE_SHIFT)

/* Under AddressSanitizer, let what is too large be NULL as it is without. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static bool
is_zero(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != 0)
			return false;
	return true;
}

START_TEST(memory_is_zero)
{
	static const size_t sizes[] = {0, 1, 100, 5 << 20};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		char *a = memory_zero(sizes[i], 1);
		char *b = memory_try_zero(1, sizes[i]);

		ck_assert_ptr_nonnull(a);
		ck_assert_ptr_nonnull(b);
		ck_assert(is_zero(a, sizes[i]) && is_zero(b, sizes[i]));
		free(a);
		free(b);
	}
}
END_TEST

START_TEST(copies_end_in_nul)
{
	char *copy = memory_copy("ab\0cd#", 5);
	char *tried = memory_try_copy("ab\0cd#", 5);

	ck_assert_mem_eq(copy, "ab\0cd\0", 6);
	ck_assert_mem_eq(tried, "ab\0cd\0", 6);
	free(copy);
	free(tried);
	copy = memory_copy("", 0);
	tried = memory_try_copy("", 0);
	ck_assert_str_eq(copy, "");
	ck_assert_str_eq(tried, "");
	free(copy);
	free(tried);
}
END_TEST

START_TEST(too_much_is_null)
{
	char *old = memory_try_copy("old", 3);

	ck_assert_ptr_null(memory_try_zero(HUGE_SIZE, 1));
	ck_assert_ptr_null(memory_try_zero(HUGE_SIZE, 4)); /* is 0 */
	ck_assert_ptr_null(memory_try_zero(SIZE_MAX, SIZE_MAX));
	ck_assert_ptr_null(memory_try_resize(old, HUGE_SIZE, 1));
	ck_assert_ptr_null(memory_try_resize(old, HUGE_SIZE, 4));
	ck_assert_ptr_null(memory_try_resize(NULL, SIZE_MAX, 2));
	ck_assert_ptr_null(memory_try_copy("x", SIZE_MAX));
	ck_assert_str_eq(old, "old");
	free(old);
}
END_TEST

/* Exit status 111 is what these two are expected to end with. */
START_TEST(zero_dies_without_memory)
{
	free(memory_zero(HUGE_SIZE, 1));
}
END_TEST

START_TEST(zero_dies_of_overflow)
{
	free(memory_zero(HUGE_SIZE, 4));
}
END_TEST

START_TEST(resize_keeps_what_there_was)
{
	char *block = memory_try_resize(NULL, 3, 1);

	ck_assert_ptr_nonnull(block);
	memcpy(block, "abc", 3);
	block = memory_try_resize(block, 9 << 20, 1); /* on huge pages */
	ck_assert_ptr_nonnull(block);
	ck_assert_mem_eq(block, "abc", 3);
	memset(block + 3, 'x', (9 << 20) - 3);
	block = memory_try_resize(block, 0, 1);
	ck_assert_ptr_nonnull(block);
	free(block);
}
END_TEST

START_TEST(chunks_are_aligned)
{
	char *chunk = memory_try_chunk();

	ck_assert_ptr_nonnull(chunk);
	ck_assert_uint_eq((uintptr_t)chunk % MEMORY_CHUNK, 0);
	memset(chunk, 'x', MEMORY_CHUNK);
	free(chunk);
}
END_TEST

/* Try one of the calls that may fail; false where it has. */
static bool
try_call(int which)
{
	void *p = NULL;
	size_t room = 0;

	switch (which) {
	case 0:
		p = memory_try_zero(1, 1);
		break;
	case 1:
		p = memory_try_resize(NULL, 1, 1);
		break;
	case 2:
		p = memory_try_copy("x", 1);
		break;
	case 3:
		p = memory_try_chunk();
		break;
	default:
		(void)memory_try_grow(&p, &room, 0, 1);
		break;
	}
	free(p);
	return p != NULL;
}

enum { CALLS = 5 };

START_TEST(the_nth_call_fails)
{
	for (size_t n = 1; n <= 4; n++) {
		memory_fail_after(n);
		for (size_t i = 1; i < n; i++)
			ck_assert(try_call(_i));
		for (int i = 0; i < 3; i++)
			ck_assert(!try_call(_i));
		free(memory_zero(1, 1)); /* never fails */
		memory_fail_after(0);
		ck_assert(try_call(_i));
	}
}
END_TEST

/* Tell through *arg whether memory could be had. */
static void *
try_all(void *arg)
{
	bool *good = arg;

	*good = true;
	for (int i = 0; i < CALLS; i++)
		*good = try_call(i) && *good;
	return NULL;
}

START_TEST(other_threads_do_not_fail)
{
	pthread_t thread;
	bool good = false;

	memory_fail_after(1);
	ck_assert_int_eq(pthread_create(&thread, NULL, try_all, &good), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(!try_call(0));
	memory_fail_after(0);
	ck_assert(good);
}
END_TEST

START_TEST(arrays_grow_by_doubling)
{
	uint32_t *array = NULL;
	size_t room = 0;
	size_t moves = 0;

	for (size_t i = 0; i < 100000; i++) {
		size_t before = room;

		ck_assert(
		    memory_try_grow((void **)&array, &room, i, sizeof(*array)));
		ck_assert_uint_gt(room, i);
		moves += room != before;
		array[i] = (uint32_t)i;
	}
	ck_assert_uint_lt(moves, 16);
	for (size_t i = 0; i < 100000; i++)
		ck_assert_uint_eq(array[i], i);
	free(array);
}
END_TEST

START_TEST(what_can_not_grow_stays)
{
	char *array = memory_try_copy("abcd", 4);
	void *before = array;
	size_t room = 4;

	memory_fail_after(1);
	/* there is room: nothing is asked for */
	ck_assert(memory_try_grow((void **)&array, &room, 3, 1));
	ck_assert(!memory_try_grow((void **)&array, &room, 4, 1));
	memory_fail_after(0);
	ck_assert(!memory_try_grow((void **)&array, &room, 4, HUGE_SIZE));
	ck_assert_ptr_eq(array, before);
	ck_assert_uint_eq(room, 4);
	room = SIZE_MAX / 2 + 1;
	ck_assert(!memory_try_grow((void **)&array, &room, room, 1));
	ck_assert_uint_eq(room, SIZE_MAX / 2 + 1);
	ck_assert_str_eq(array, "abcd");
	free(array);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("memory");
	TCase *tcase = tcase_create("memory");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, memory_is_zero);
	tcase_add_test(tcase, copies_end_in_nul);
	tcase_add_test(tcase, too_much_is_null);
	tcase_add_exit_test(tcase, zero_dies_without_memory, 111);
	tcase_add_exit_test(tcase, zero_dies_of_overflow, 111);
	tcase_add_test(tcase, resize_keeps_what_there_was);
	tcase_add_test(tcase, chunks_are_aligned);
	tcase_add_loop_test(tcase, the_nth_call_fails, 0, CALLS);
	tcase_add_test(tcase, other_threads_do_not_fail);
	tcase_add_test(tcase, arrays_grow_by_doubling);
	tcase_add_test(tcase, what_can_not_grow_stays);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
