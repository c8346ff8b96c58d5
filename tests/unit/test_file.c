/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Every test runs in an empty folder of its own, its working directory. */
static char folder[64];

static void
enter_folder(void)
{
	strcpy(folder, "/tmp/fromguard-file-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

/* Nothing in it is deeper than "d/f". */
static void
remove_folder(void)
{
	static const char *const names[] = {"f", "g", "link", "loop", "d/f"};

	/* What was not made can not be removed, which is no failure. */
	for (size_t i = 0; i < COUNT(names); i++)
		(void)unlink(names[i]);
	(void)rmdir("d");
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}

static void
write_file(const char *path, struct span content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content.data, content.len),
			 (ssize_t)content.len);
	ck_assert_int_eq(close(fd), 0);
}

/* The descriptor that is opened next: the same as long as none leaks. */
static int
next_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(close(fd), 0);
	return fd;
}

/* Read a file that is good, and compare. */
static void
check_read(const char *path, struct span expected)
{
	int before = next_descriptor();
	struct error error = {""};
	char *content = NULL;
	size_t len = 0;

	ck_assert_int_eq(file_read(path, &content, &len, &error), FILE_READ);
	ck_assert_uint_eq(len, expected.len);
	ck_assert_mem_eq(content, expected.data, len);
	ck_assert_int_eq(content[len], '\0');
	ck_assert_str_eq(error.text, "");
	ck_assert_int_eq(next_descriptor(), before);
	free(content);
}

/* Read a file that is not, and look for the path and the reason. */
static void
check_not_read(const char *path, enum file_result result, const char *reason)
{
	int before = next_descriptor();
	struct error error = {""};
	char *content = NULL;
	size_t len = 0;

	ck_assert_int_eq(file_read(path, &content, &len, &error), result);
	ck_assert_ptr_null(content);
	ck_assert_mem_eq(error.text, path, strlen(path));
	ck_assert_msg(strstr(error.text, reason) != NULL, "%s", error.text);
	ck_assert_int_eq(next_descriptor(), before);
	/* who does not want to know why is told no less */
	ck_assert_int_eq(file_read(path, &content, &len, NULL), result);
}

START_TEST(contents_come_whole)
{
	static const struct span contents[] = {
	    {"", 0},        {"a", 1},          {"a\r\nb\n", 5},
	    {"\0\0a\0", 4}, {"\xff\xfe\n", 3},
	};

	for (size_t i = 0; i < COUNT(contents); i++) {
		write_file("f", contents[i]);
		check_read("f", contents[i]);
	}
}
END_TEST

START_TEST(large_files_come_whole)
{
	struct buffer content = {0};

	for (int i = 0; content.len < 3 << 20; i++)
		buffer_format(&content, "%d\n", i);
	write_file("f", buffer_span(&content));
	check_read("f", buffer_span(&content));
	buffer_fini(&content);
}
END_TEST

START_TEST(links_are_followed)
{
	ck_assert_int_eq(mkdir("d", 0700), 0);
	write_file("d/f", span_text("x"));
	ck_assert_int_eq(symlink("d/f", "link"), 0);
	check_read("link", span_text("x"));
}
END_TEST

START_TEST(missing_is_not_refused)
{
	write_file("f", span_text("x"));
	ck_assert_int_eq(symlink("nowhere", "link"), 0);
	check_not_read("g", FILE_MISSING, "No such file");
	check_not_read("link", FILE_MISSING, "No such file");
	check_not_read("d/f", FILE_MISSING, "No such file");
	check_not_read("f/g", FILE_MISSING, "Not a directory");
	check_not_read("", FILE_MISSING, "No such file");
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "g"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(mkdir("d", 0700), 0);
	ck_assert_int_eq(mkfifo("f", 0600), 0); /* nobody writes: no waiting */
	ck_assert_int_eq(symlink("f", "link"), 0);
	ck_assert_int_eq(symlink("loop", "loop"), 0);
	check_not_read("d", FILE_REFUSED, ": is a folder");
	check_not_read("f", FILE_REFUSED, ": is not a regular file");
	check_not_read("link", FILE_REFUSED, ": is not a regular file");
	check_not_read("g", FILE_REFUSED, ": ");
	check_not_read("/dev/null", FILE_REFUSED, ": is not a regular file");
	check_not_read("loop", FILE_REFUSED, "symbolic links");
}
END_TEST

START_TEST(names_too_long_are_refused)
{
	static char name[5000];

	memset(name, 'n', 300);
	check_not_read(name, FILE_REFUSED, "nnn");
	memset(name, 'n', sizeof(name) - 1);
	ck_assert_int_eq(file_read(name, &(char *){NULL}, &(size_t){0}, NULL),
			 FILE_REFUSED);
}
END_TEST

/* Modes of a file, of its folder, and whether it is read. */
static const struct mode_row {
	mode_t file;
	mode_t folder;
	bool good;
} modes[] = {
    {0600, 0700, true},  {0640, 0750, true},  {0644, 0755, true},
    {0664, 0775, true},  {0400, 0500, true},  {0644, 01777, true},
    {0602, 0700, false}, {0666, 0755, false}, {0646, 0755, false},
    {0644, 0777, false}, {0644, 0702, false}, {0646, 01777, false},
};

START_TEST(what_others_may_write_is_refused)
{
	const struct mode_row *row = &modes[_i];

	ck_assert_int_eq(mkdir("d", 0700), 0);
	write_file("d/f", span_text("x"));
	ck_assert_int_eq(symlink("d/f", "link"), 0);
	ck_assert_int_eq(chmod("d/f", row->file), 0);
	ck_assert_int_eq(chmod("d", row->folder), 0);
	if (row->good) {
		check_read("d/f", span_text("x"));
		check_read("link", span_text("x"));
	} else {
		check_not_read("d/f", FILE_REFUSED, "everybody can write");
		check_not_read("link", FILE_REFUSED, "everybody can write");
	}
	ck_assert_int_eq(chmod("d", 0700), 0);
}
END_TEST

START_TEST(in_a_sticky_folder_the_owner_counts)
{
	if (geteuid() != 0)
		return; /* only root can give a file away */
	ck_assert_int_eq(mkdir("d", 0700), 0);
	write_file("d/f", span_text("x"));
	ck_assert_int_eq(chown("d/f", 65534, 65534), 0);
	check_read("d/f", span_text("x"));
	ck_assert_int_eq(chmod("d", 01777), 0);
	check_not_read("d/f", FILE_REFUSED, "everybody can write");
	/* it is that user's own */
	ck_assert_int_eq(chmod(folder, 0755), 0);
	ck_assert_int_eq(seteuid(65534), 0);
	check_read("d/f", span_text("x"));
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(what_can_not_be_opened_is_refused)
{
	write_file("f", span_text("x"));
	ck_assert_int_eq(chmod("f", 0), 0);
	ck_assert_int_eq(chmod(folder, 0755), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	check_not_read("f", FILE_REFUSED, "Permission denied");
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(without_memory_it_is_refused)
{
	write_file("f", span_text("x"));
	memory_fail_after(1);
	check_not_read("f", FILE_REFUSED, "out of memory");
	memory_fail_after(0);
	check_read("f", span_text("x"));
}
END_TEST

/* Somebody who writes "f" again and again, in two halves, each time with one
 * letter from end to end. */
enum { WRITTEN = 16384 };

static atomic_bool stop_writing;
/* A half that lies there for so long is a file like any other. */
static atomic_bool was_slow;

static int64_t
milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* there always is one */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void *
keep_writing(void *arg)
{
	static char content[WRITTEN];
	int fd = open("f", O_WRONLY | O_CLOEXEC);

	for (int i = 0; fd >= 0 && !stop_writing; i++) {
		int64_t start = milliseconds();

		memset(content, 'a' + i % 26, sizeof(content));
		if (pwrite(fd, content, WRITTEN / 2, 0) < 0)
			break;
		(void)usleep(1000); /* these two end early at worst */
		if (pwrite(fd, content, WRITTEN / 2, WRITTEN / 2) < 0)
			break;
		if (milliseconds() - start > 8)
			was_slow = true;
		(void)usleep((useconds_t)(i % 64) * 500);
	}
	(void)close(fd); /* the test sees what was written */
	return arg;
}

static bool
is_one_letter(const char *content, size_t len)
{
	for (size_t i = 1; i < len; i++)
		if (content[i] != content[0])
			return false;
	return true;
}

START_TEST(no_half_of_a_change_is_read)
{
	static const char nothing[WRITTEN] = {0};
	int64_t end = milliseconds() + 1000;
	pthread_t writer;
	int read = 0;
	int halves = 0;

	write_file("f", span_of(nothing, WRITTEN));
	ck_assert_int_eq(pthread_create(&writer, NULL, keep_writing, NULL), 0);
	while (milliseconds() < end) {
		struct error error = {""};
		char *content;
		size_t len;

		if (file_read("f", &content, &len, &error) != FILE_READ) {
			ck_assert_str_eq(error.text,
					 "f: keeps changing while it is read");
			continue;
		}
		read++;
		ck_assert_uint_eq(len, WRITTEN);
		halves += !is_one_letter(content, len);
		free(content);
	}
	stop_writing = true;
	ck_assert_int_eq(pthread_join(writer, NULL), 0);
	ck_assert_int_gt(read, 0);
	ck_assert(halves == 0 || was_slow);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("file");
	TCase *tcase = tcase_create("file");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, enter_folder, remove_folder);
	tcase_add_test(tcase, contents_come_whole);
	tcase_add_test(tcase, large_files_come_whole);
	tcase_add_test(tcase, links_are_followed);
	tcase_add_test(tcase, missing_is_not_refused);
	tcase_add_test(tcase, what_is_no_file_is_refused);
	tcase_add_test(tcase, names_too_long_are_refused);
	tcase_add_loop_test(tcase, what_others_may_write_is_refused, 0,
			    (int)COUNT(modes));
	tcase_add_test(tcase, in_a_sticky_folder_the_owner_counts);
	tcase_add_test(tcase, what_can_not_be_opened_is_refused);
	tcase_add_test(tcase, without_memory_it_is_refused);
	tcase_add_test(tcase, no_half_of_a_change_is_read);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
