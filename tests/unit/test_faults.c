/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens where the system refuses: each system call that an operation
 * makes fails once, the first, then the second and so on. The operation fails
 * with a reason or does without, leaves no descriptor open, and no file that
 * was not there before.
 */
#include "base/buffer.h"
#include "base/file.h"
#include "maps/cdb.h"
#include "policy/snapshot.h"
#include "server/listener.h"
#include "server/reload.h"
#include "server/watch.h"

#include <check.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The next call to fail: 0 none, else how many are still let pass, and one. */
static int countdown;
static int failed_with = EIO;

static bool
fails(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	errno = failed_with;
	return true;
}

/* Stand in front of a function of the C library. */
#define FAULT(type, name, parameters, arguments)                   \
	type name parameters                                       \
	{                                                          \
		static type(*next) parameters;                     \
		if (next == NULL)                                  \
			*(void **)&next = dlsym(RTLD_NEXT, #name); \
		return fails() ? (type)-1 : next arguments;        \
	}

FAULT(int, socket, (int a, int b, int c), (a, b, c))
FAULT(int, bind, (int a, const struct sockaddr *b, socklen_t c), (a, b, c))
FAULT(int, listen, (int a, int b), (a, b))
FAULT(int, connect, (int a, const struct sockaddr *b, socklen_t c), (a, b, c))
FAULT(int, getsockname, (int a, struct sockaddr *b, socklen_t *c), (a, b, c))
FAULT(int, setsockopt, (int a, int b, int c, const void *d, socklen_t e),
      (a, b, c, d, e))
FAULT(int, lstat, (const char *a, struct stat *b), (a, b))
FAULT(int, stat, (const char *a, struct stat *b), (a, b))
FAULT(int, fstat, (int a, struct stat *b), (a, b))
FAULT(int, fchmod, (int a, mode_t b), (a, b))
FAULT(int, fchown, (int a, uid_t b, gid_t c), (a, b, c))
FAULT(int, lchown, (const char *a, uid_t b, gid_t c), (a, b, c))
FAULT(int, unlink, (const char *a), (a))
FAULT(int, rename, (const char *a, const char *b), (a, b))
FAULT(int, fsync, (int a), (a))
FAULT(int, flock, (int a, int b), (a, b))
FAULT(int, ftruncate, (int a, off_t b), (a, b))
FAULT(ssize_t, read, (int a, void *b, size_t c), (a, b, c))
FAULT(ssize_t, write, (int a, const void *b, size_t c), (a, b, c))
FAULT(ssize_t, pwrite, (int a, const void *b, size_t c, off_t d), (a, b, c, d))
FAULT(int, inotify_init1, (int a), (a))
FAULT(int, inotify_add_watch, (int a, const char *b, uint32_t c), (a, b, c))
FAULT(int, eventfd, (unsigned a, int b), (a, b))
FAULT(int, pipe2, (int a[2], int b), (a, b))

int
open(const char *path, int flags, ...)
{
	static int (*next)(const char *path, int flags, ...);
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "open");
	return fails() ? -1 : next(path, flags, mode);
}

static char folder[] = "/tmp/fromguard-faults-XXXXXX";

static char *
in_folder(const char *name)
{
	static char paths[4][128];
	static int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void
put_file(const char *name, const char *content)
{
	FILE *file = fopen(in_folder(name), "w");

	ck_assert_ptr_nonnull(file);
	fputs(content, file);
	ck_assert_int_eq(fclose(file), 0);
}

static size_t
count_entries(const char *path)
{
	DIR *directory = opendir(path);
	size_t count = 0;

	ck_assert_ptr_nonnull(directory);
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}

/* An operation: true where it worked; else the reason is in why. */
typedef bool operation(struct buffer *why);

static void
take_problems(struct problems *problems, struct buffer *why)
{
	for (size_t i = 0; i < problems->count; i++)
		buffer_add(why, span_text(problems->list[i].text));
	problems_fini(problems);
}

static uint16_t
free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int before = countdown;
	int fd;

	countdown = 0;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	countdown = before;
	return ntohs(address.sin_port);
}

static bool
open_listeners(const char *listen, struct buffer *why)
{
	struct listeners listeners;
	struct problems problems;
	const char *options[] = {listen, "socket_owner=0", "socket_group=0",
				 "maps=text:/dev/null"};
	int before = countdown;
	struct settings *settings;
	bool ok;

	problems_init(&problems);
	countdown = 0;
	settings = settings_load(NULL, NULL, options, 4, &problems);
	ck_assert_ptr_nonnull(settings);
	countdown = before;
	ok = listeners_open(&listeners, settings, &problems);
	if (ok)
		listeners_close(&listeners);
	settings_free(settings);
	take_problems(&problems, why);
	return ok;
}

static bool
open_unix(struct buffer *why)
{
	char listen[160];

	snprintf(listen, sizeof(listen), "listen=unix:%s", in_folder("socket"));
	return open_listeners(listen, why);
}

/* Over a socket that a dead server has left behind. */
static bool
take_over(struct buffer *why)
{
	struct sockaddr_un {
		sa_family_t family;
		char path[108];
	} address = {.family = AF_UNIX};
	int before = countdown;
	int fd;
	bool ok;

	countdown = 0;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.path, sizeof(address.path), "%s", in_folder("socket"));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	close(fd);
	countdown = before;
	ok = open_unix(why);
	before = countdown;
	countdown = 0;
	(void)unlink(address.path); /* where it failed, it may stay */
	countdown = before;
	return ok;
}

static bool
open_inet(struct buffer *why)
{
	char listen[64];

	snprintf(listen, sizeof(listen), "listen=inet:127.0.0.1:%u",
		 free_port());
	return open_listeners(listen, why);
}

static bool
read_file(struct buffer *why)
{
	struct error error = {""};
	char *content = NULL;
	size_t len;
	enum file_result result =
	    file_read(in_folder("senders"), &content, &len, &error);

	buffer_add(why, span_text(error.text));
	free(content);
	return result == FILE_READ;
}

static bool
write_map(struct buffer *why)
{
	const struct map_entry entry = {
	    .kind = ENTRY_GRANT,
	    .left = {PATTERN_ADDRESS, {"u@d", 3}},
	    .right = {PATTERN_ADDRESS, {"a@d", 3}},
	    .line = 1,
	};
	struct cdb_writer *writer = cdb_writer_new();
	struct cdb_counts counts;
	struct error error = {""};
	bool ok;

	ck_assert(cdb_writer_add(writer, &entry));
	ok = cdb_writer_write(writer, in_folder("map.cdb"), NULL, NULL, &counts,
			      &error);
	buffer_add(why, span_text(error.text));
	cdb_writer_free(writer);
	return ok;
}

static bool
load_snapshot(struct buffer *why)
{
	struct problems problems;
	char maps[160];
	const char *options[] = {maps};
	int before = countdown;
	struct settings *settings;
	struct snapshot *snapshot;

	problems_init(&problems);
	snprintf(maps, sizeof(maps), "maps=text:%s", in_folder("senders"));
	countdown = 0;
	settings = settings_load(NULL, NULL, options, 1, &problems);
	countdown = before;
	snapshot = snapshot_load(settings, &problems);
	snapshot_free(snapshot);
	take_problems(&problems, why);
	return snapshot != NULL;
}

static void
note_change(void *arg)
{
	(void)arg;
}

/* It works whatever fails: what can not be watched is looked at by the clock.
 */
static bool
watch_a_file(struct buffer *why)
{
	struct event_base *base = event_base_new();
	int before = countdown;
	struct watch *watch;

	watch = watch_new(base, note_change, NULL);
	if (watch != NULL)
		watch_files(watch, watch_list_new(in_folder("senders")));
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	before = countdown;
	countdown = 0;
	watch_free(watch);
	event_base_free(base);
	countdown = before;
	buffer_add(why, span_text("nothing to say"));
	return watch != NULL;
}

static const struct {
	const char *name;
	operation *operation;
	/* What may stay where nothing can be known of it: the next one who
	 * comes takes it over. */
	const char *leftover;
} rows[] = {
    {"a unix socket is opened", open_unix, "socket"},
    {"a unix socket is taken over", take_over, "socket"},
    {"a socket of the network is opened", open_inet, NULL},
    {"a file is read", read_file, NULL},
    {"a map is written", write_map, "map.cdb.tmp"},
    {"a snapshot is loaded", load_snapshot, NULL},
    {"a file is watched", watch_a_file, NULL},
};

START_TEST(refused)
{
	bool over = false;

	/* Enough memory of its own, so that no later turn looks like a leak. */
	put_file("senders", "u@d a@d\n");
	for (int n = 1; !over; n++) {
		struct buffer why = {0};
		size_t files = count_entries(folder);
		size_t descriptors = count_entries("/proc/self/fd");
		bool ok;

		ck_assert_int_lt(n, 200);
		buffer_add(&why, SPAN_NONE);
		failed_with = n % 2 == 0 ? EIO : EACCES;
		countdown = n;
		ok = rows[_i].operation(&why);
		over = countdown > 0;
		countdown = 0;
		ck_assert_msg(ok || why.len > 0, "%s, call %d: no reason",
			      rows[_i].name, n);
		ck_assert_msg(!over || ok, "%s: nothing failed, but %s",
			      rows[_i].name, why.data);
		ck_assert_msg(count_entries("/proc/self/fd") == descriptors,
			      "%s, call %d: a descriptor is left",
			      rows[_i].name, n);
		(void)unlink(in_folder("map.cdb"));
		if (rows[_i].leftover != NULL)
			(void)unlink(in_folder(rows[_i].leftover));
		ck_assert_msg(count_entries(folder) == files,
			      "%s, call %d: a file is left, after %s",
			      rows[_i].name, n, why.data);
		buffer_fini(&why);
	}
}
END_TEST

static void
make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void
remove_folder(void)
{
	(void)unlink(in_folder("senders"));
	(void)unlink(in_folder("map.cdb"));
	(void)unlink(in_folder("map.cdb.tmp"));
	(void)unlink(in_folder("socket"));
	(void)rmdir(folder);
}

int
main(void)
{
	Suite *suite = suite_create("faults");
	TCase *tcase = tcase_create("system calls");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, make_folder, remove_folder);
	tcase_add_loop_test(tcase, refused, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
