/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy_client.h"
#include "base/buffer.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int64_t
policy_client_now(void)
{
	struct timespec now = {0};

	/* Fails for no clock that Linux has. */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait for events on fd; false where the time is up. */
static bool
wait_for(struct policy_question *q, int fd, short events)
{
	struct pollfd entry = {.fd = fd, .events = events};
	int result;

	do {
		int64_t left = q->until_ms - policy_client_now();

		result = poll(&entry, 1, left > 0 ? (int)left : 0);
	} while (result == -1 && errno == EINTR);
	if (result == 0)
		error_set(&q->error, "no answer in time");
	else if (result == -1)
		error_errno(&q->error, errno, "poll");
	return result == 1;
}

/* Connect to one address. -1: not. */
static int
connect_to(struct policy_question *q, const struct sockaddr *address,
	   socklen_t len)
{
	int fd = socket(address->sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int number;
	socklen_t number_len = sizeof(number);

	if (fd == -1) {
		error_errno(&q->error, errno, "socket");
		return -1;
	}
	if (connect(fd, address, len) == 0)
		return fd;
	number = errno;
	if (number == EINPROGRESS) {
		if (!wait_for(q, fd, POLLOUT))
			goto fail;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number,
			       &number_len) == 0 &&
		    number == 0)
			return fd;
	}
	error_errno(&q->error, number, "can not connect");
fail:
	(void)close(fd);
	return -1;
}

static int
connect_unix(struct policy_question *q, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);

	assert(len < sizeof(address.sun_path)); /* endpoint_parse() saw to it */
	memcpy(address.sun_path, path, len);
	return connect_to(q, (struct sockaddr *)&address, sizeof(address));
}

/* Connect to the first address of a host that lets us. */
static int
connect_inet(struct policy_question *q, const struct endpoint *endpoint)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICSERV,
	};
	struct addrinfo *found;
	char port[8];
	int fd = -1;
	int result;

	(void)snprintf(port, sizeof(port), "%u", (unsigned)endpoint->port);
	result = getaddrinfo(endpoint->name, port, &hints, &found);
	if (result != 0) {
		error_set(&q->error, "%s", gai_strerror(result));
		return -1;
	}
	for (struct addrinfo *a = found; fd == -1 && a != NULL; a = a->ai_next)
		fd = connect_to(q, a->ai_addr, a->ai_addrlen);
	freeaddrinfo(found);
	return fd;
}

/* Write the request, as a Postfix that is at RCPT TO would. */
static bool
send_request(struct policy_question *q, int fd)
{
	struct buffer request = {0};
	size_t sent = 0;
	bool ok = true;

	buffer_format(&request,
		      "request=smtpd_access_policy\n"
		      "protocol_state=RCPT\n"
		      "protocol_name=ESMTP\n"
		      "client_address=127.0.0.1\n"
		      "client_name=localhost\n"
		      "helo_name=localhost\n"
		      "sender=%s\n"
		      "recipient=\n"
		      "recipient_count=0\n"
		      "queue_id=\n"
		      "instance=\n"
		      "size=0\n"
		      "sasl_method=PLAIN\n"
		      "sasl_username=%s\n"
		      "sasl_sender=\n\n",
		      q->sender, q->login);
	while (ok && sent < request.len) {
		ssize_t n = send(fd, request.data + sent, request.len - sent,
				 MSG_NOSIGNAL);

		if (n > 0) {
			sent += (size_t)n;
		} else if (errno == EAGAIN) {
			ok = wait_for(q, fd, POLLOUT);
		} else if (errno != EINTR) {
			error_errno(&q->error, errno, "can not send");
			ok = false;
		}
	}
	buffer_fini(&request);
	return ok;
}

/* Read up to the empty line; *action is what stands behind "action=". */
static bool
read_action(struct policy_question *q, int fd, char answer[POLICY_ANSWER_MAX],
	    struct span *action)
{
	static const char head[] = "action=";
	size_t len = 0;

	while (len < 2 || memcmp(answer + len - 2, "\n\n", 2) != 0) {
		ssize_t n;

		if (len == POLICY_ANSWER_MAX) {
			error_set(&q->error, "the answer does not end");
			return false;
		}
		if (!wait_for(q, fd, POLLIN))
			return false;
		n = read(fd, answer + len, POLICY_ANSWER_MAX - len);
		if (n == 0) {
			error_set(&q->error, "closed without an answer");
			return false;
		}
		if (n > 0) {
			len += (size_t)n;
		} else if (errno != EAGAIN && errno != EINTR) {
			error_errno(&q->error, errno, "can not read");
			return false;
		}
	}
	if (len < sizeof(head) || memcmp(answer, head, sizeof(head) - 1) != 0) {
		error_set(&q->error, "the answer is none of a policy server");
		return false;
	}
	*action = span_from(span_of(answer, len - 2), sizeof(head) - 1);
	return true;
}

bool
policy_client_ask(struct policy_question *q, const struct endpoint *endpoint,
		  char answer[POLICY_ANSWER_MAX], struct span *action)
{
	int fd = endpoint->is_unix ? connect_unix(q, endpoint->name)
				   : connect_inet(q, endpoint);
	bool ok;

	if (fd == -1)
		return false;
	ok = send_request(q, fd) && read_action(q, fd, answer, action);
	(void)close(fd);
	return ok;
}
