/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a server does where memory runs out, or a descriptor can not be had:
 * one allocation, or one call, fails, the first, then the second and so on,
 * from the start to the last answer. The server says why it does not start, or
 * serves; it never ends otherwise, and what it answers is right.
 */
#include "base/log.h"
#include "base/memory.h"
#include "server/server.h"
#include "server/startup.h"

#include <arpa/inet.h>
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FAULTS_MAX = 2000,
	PATIENCE_S = 10, /* for one answer */
	REFUSED = 1,     /* exit status of a server that did not start */
	WRONG = 2,       /* of one that answered wrongly */
};

static char folder[] = "/tmp/fromguard-server-XXXXXX";

static char *
in_folder(const char *name)
{
	static char paths[4][128];
	static int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

/* --- faults --- */

/* What fails: libevent's allocations, our own, or calls of the system. */
enum fault { FAULT_EVENT, FAULT_MEMORY, FAULT_CALL };

static pthread_t server_thread;
static _Atomic long event_countdown;
static _Atomic long call_countdown;
static bool fault_done;

/* Of the server's own thread only: the client's are not to fail. */
static bool
counts_down(_Atomic long *countdown)
{
	if (*countdown == 0 || !pthread_equal(pthread_self(), server_thread) ||
	    --*countdown > 0)
		return false;
	fault_done = true;
	return true;
}

static void *
event_malloc(size_t size)
{
	return counts_down(&event_countdown) ? NULL : malloc(size);
}

static void *
event_realloc(void *old, size_t size)
{
	return counts_down(&event_countdown) ? NULL : realloc(old, size);
}

#define CALL(name, parameters, arguments)                          \
	int name parameters                                        \
	{                                                          \
		static int(*next) parameters;                      \
		if (next == NULL)                                  \
			*(void **)&next = dlsym(RTLD_NEXT, #name); \
		if (!counts_down(&call_countdown))                 \
			return next arguments;                     \
		errno = EMFILE;                                    \
		return -1;                                         \
	}

CALL(epoll_create1, (int a), (a))
CALL(epoll_ctl, (int a, int b, int c, struct epoll_event *d), (a, b, c, d))
CALL(eventfd, (unsigned a, int b), (a, b))
CALL(inotify_init1, (int a), (a))
CALL(inotify_add_watch, (int a, const char *b, uint32_t c), (a, b, c))
CALL(socketpair, (int a, int b, int c, int d[2]), (a, b, c, d))
CALL(accept4,
     (int a, struct sockaddr *restrict b, socklen_t *restrict c, int d),
     (a, b, c, d))
CALL(sigaction,
     (int a, const struct sigaction *restrict b, struct sigaction *restrict c),
     (a, b, c))

static void
arm(enum fault fault, long n)
{
	server_thread = pthread_self();
	if (fault == FAULT_EVENT)
		event_countdown = n;
	else if (fault == FAULT_CALL)
		call_countdown = n;
	else
		memory_fail_after((size_t)n);
}

/* --- who asks --- */

static uint16_t port;
static bool has_status; /* metrics_listen is set */

/* Send text and read what comes back until it is closed or has an end. */
static size_t
talk(int fd, const char *text, char *answer, size_t size)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	size_t len = 0;
	ssize_t n = 1;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
				    sizeof(patience)),
			 0);
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
	while (n > 0 && len + 1 < size &&
	       (len < 2 || memcmp(answer + len - 2, "\n\n", 2) != 0)) {
		n = recv(fd, answer + len, size - 1 - len, 0);
		if (n == -1 && errno == EAGAIN)
			_exit(WRONG); /* it hangs */
		len += n > 0 ? (size_t)n : 0;
	}
	answer[len] = '\0';
	return len;
}

/* Ask for a decision; no answer is fine, a wrong one is not. */
static void
ask_policy(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char answer[256];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket",
		 folder);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    talk(fd,
		 "request=smtpd_access_policy\nsasl_username=u@d\n"
		 "sender=a@d\n\n",
		 answer, sizeof(answer)) > 0 &&
	    strcmp(answer, "action=DUNNO\n\n") != 0)
		_exit(WRONG);
	close(fd);
}

static void
ask_status(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	static char answer[1 << 20];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    talk(fd, "GET / HTTP/1.0\r\n\r\n", answer, sizeof(answer)) > 0 &&
	    strncmp(answer, "HTTP/1.0 ", 9) != 0)
		_exit(WRONG);
	close(fd);
}

static char *
read_log(void)
{
	static char text[1 << 16];
	FILE *file = fopen(in_folder("log"), "r");
	size_t len;

	ck_assert_ptr_nonnull(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

/* Wait until the server says that it serves; ask, reload, ask, and stop it. */
static void *
visit(void *arg)
{
	(void)arg;
	while (strstr(read_log(), "\nstart ") == NULL)
		(void)usleep(500);
	/* libevent's own HTTP server does not survive a lack of memory. */
	if (has_status)
		event_countdown = 0;
	ask_policy();
	if (has_status)
		ask_status();
	(void)kill(getpid(), SIGHUP);
	ask_policy();
	(void)usleep(20000);
	(void)kill(getpid(), SIGTERM);
	return NULL;
}

/* --- the server --- */

static struct settings *
load_settings(struct problems *problems)
{
	static char listen[160];
	static char metrics[64];
	static char maps[160];
	static const char *const options[] = {listen, maps, metrics};

	snprintf(listen, sizeof(listen), "listen=unix:%s", in_folder("socket"));
	snprintf(metrics, sizeof(metrics), "metrics_listen=inet:127.0.0.1:%u",
		 port);
	snprintf(maps, sizeof(maps), "maps=text:%s", in_folder("senders"));
	return settings_load(NULL, NULL, options, has_status ? 3 : 2, problems);
}

/* Serve until the visitor is gone; the exit status of the process. */
static int
serve(enum fault fault, long n)
{
	static const struct reload_source source = {"", NULL, 0};
	struct listeners listeners;
	struct listeners metrics;
	struct problems problems;
	struct settings *settings;
	struct snapshot *snapshot;
	struct watch_list *files;
	pthread_t visitor;
	bool ok;

	event_set_mem_functions(event_malloc, event_realloc, free);
	problems_init(&problems);
	settings = load_settings(&problems);
	ck_assert_ptr_nonnull(settings);
	ck_assert(listeners_open(&listeners, settings, &problems));
	ck_assert(listeners_open_metrics(&metrics, settings, &problems));
	files = watch_list_new("");
	watch_list_add_maps(files, settings);
	arm(fault, n);
	snapshot = startup_load(&metrics, settings, &problems);
	if (snapshot == NULL) {
		ck_assert_uint_gt(problems.errors + problems.refusals, 0);
		fputs("start-failed\n", stderr);
		listeners_close(&listeners);
		listeners_close(&metrics);
		watch_list_free(files);
		problems_fini(&problems);
		return REFUSED;
	}
	problems_fini(&problems);
	ck_assert_int_eq(pthread_create(&visitor, NULL, visit, NULL), 0);
	ok = server_run(&listeners, &metrics, snapshot, files, &source);
	if (ok)
		(void)pthread_join(visitor, NULL);
	return ok ? EXIT_SUCCESS : REFUSED;
}

/* Run a server of which the n-th thing fails; its exit status. */
static int
serve_with_fault(enum fault fault, long n)
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		int log =
		    open(in_folder("log"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

		(void)dup2(log, STDERR_FILENO);
		(void)alarm(3 * PATIENCE_S);
		status = serve(fault, n);
		memory_fail_after(0);
		if (fault != FAULT_MEMORY && !fault_done)
			fputs("nothing failed\n", stderr);
		exit(status);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status), "fault %d, number %ld: signal %d",
		      fault, n, WTERMSIG(status));
	return WEXITSTATUS(status);
}

static const struct {
	enum fault fault;
	bool has_status;
	long enough; /* things to fail; 0: until nothing fails any more */
} rows[] = {
    {FAULT_EVENT, false, 0},
    {FAULT_EVENT, true, 0},
    {FAULT_MEMORY, true, 40},
    {FAULT_CALL, true, 0},
};

START_TEST(one_thing_fails)
{
	bool over = false;
	int refused = 0;

	has_status = rows[_i].has_status;
	for (long n = 1; !over; n++) {
		int status = serve_with_fault(rows[_i].fault, n);
		const char *log = read_log();

		ck_assert_int_lt(n, FAULTS_MAX);
		ck_assert_msg(status == EXIT_SUCCESS || status == REFUSED,
			      "number %ld: status %d, %s", n, status, log);
		ck_assert_msg(status == EXIT_SUCCESS ||
				  strstr(log, "start-failed") != NULL,
			      "number %ld: no reason in %s", n, log);
		refused += status == REFUSED;
		over = strstr(log, "nothing failed") != NULL ||
		       n == rows[_i].enough;
	}
	ck_assert_int_gt(refused, 0);
}
END_TEST

static void
make_folder(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	FILE *file;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	port = ntohs(address.sin_port);
	close(fd);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	file = fopen(in_folder("senders"), "w");
	ck_assert_ptr_nonnull(file);
	fputs("u@d a@d\n", file);
	ck_assert_int_eq(fclose(file), 0);
}

static void
remove_folder(void)
{
	(void)unlink(in_folder("senders"));
	(void)unlink(in_folder("socket"));
	(void)unlink(in_folder("socket.lock"));
	(void)unlink(in_folder("log"));
	(void)rmdir(folder);
}

int
main(void)
{
	Suite *suite = suite_create("server");
	TCase *tcase = tcase_create("faults");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, make_folder, remove_folder);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, one_thing_fails, 0,
			    sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
