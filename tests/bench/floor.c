/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The floor: a server that reads a request, looks at nothing and answers
 * DUNNO. epoll, one thread, no parsing: where a read ends with an empty line,
 * a request has ended. No policy server can be cheaper.
 *
 *     floor SOCKET      listens on a unix socket until SIGTERM
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { EVENTS = 64, BACKLOG = 4096, BLOCK = 16384 };

static void
die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static int
open_listener(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (strlen(path) >= sizeof(address.sun_path)) {
		(void)fprintf(stderr, "floor: %s: too long\n", path);
		exit(EXIT_FAILURE);
	}
	memcpy(address.sun_path, path, strlen(path));
	(void)unlink(path); /* of an earlier run */
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die(path);
	if (listen(fd, BACKLOG) != 0)
		die("listen");
	return fd;
}

static void
watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll_ctl");
}

/* Answer one request; the end of a connection closes it. */
static void
answer(int fd)
{
	static const char reply[] = "action=DUNNO\n\n";
	static char block[BLOCK];
	ssize_t n = read(fd, block, sizeof(block));

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		(void)close(fd);
		return;
	}
	if (n >= 2 && block[n - 1] == '\n' && block[n - 2] == '\n' &&
	    write(fd, reply, sizeof(reply) - 1) < 0)
		(void)close(fd);
}

int
main(int argc, char **argv)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int listener;

	if (argc != 2 || epoll < 0) {
		(void)fprintf(stderr, "usage: floor SOCKET\n");
		return EXIT_FAILURE;
	}
	listener = open_listener(argv[1]);
	watch(epoll, listener);
	for (;;) {
		struct epoll_event events[EVENTS];
		int count = epoll_wait(epoll, events, EVENTS, -1);

		if (count < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd != listener)
				answer(fd);
			else if ((fd = accept4(listener, NULL, NULL,
					       SOCK_NONBLOCK | SOCK_CLOEXEC)) >=
				 0)
				watch(epoll, fd);
		}
	}
}
