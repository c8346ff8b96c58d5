/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fromguard ask: one question to a running server, as Postfix would ask it.
 * It is the health check of a container, too.
 */
#include "base/buffer.h"
#include "cmd/cmd.h"
#include "cmd/output.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	ANSWER_MAX = 8192, /* far more than any answer has */
	TIMEOUT_MS = 5000,
	TIMEOUT_MAX_MS = 3600 * 1000,
};

struct question {
	const char *login;
	const char *sender; /* empty: the null sender */
	int64_t until_ms;   /* on the monotonic clock */
	struct error error;
};

/* What the server's action means. */
struct meaning {
	int status;
	const char *verdict;
	enum output_colour colour;
};

static int64_t
now_ms(void)
{
	struct timespec now = {0};

	/* Fails for no clock that Linux has. */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait for events on fd; false where the time is up. */
static bool
wait_for(struct question *q, int fd, short events)
{
	struct pollfd entry = {.fd = fd, .events = events};
	int result;

	do {
		int64_t left = q->until_ms - now_ms();

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
connect_to(struct question *q, const struct sockaddr *address, socklen_t len)
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
connect_unix(struct question *q, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);

	if (len >= sizeof(address.sun_path)) {
		error_set(&q->error, "the path is too long for a socket");
		return -1;
	}
	memcpy(address.sun_path, path, len);
	return connect_to(q, (struct sockaddr *)&address, sizeof(address));
}

/* Connect to the first address of a host that lets us. */
static int
connect_inet(struct question *q, const struct endpoint *endpoint)
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
send_request(struct question *q, int fd)
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
read_action(struct question *q, int fd, char answer[ANSWER_MAX],
	    struct span *action)
{
	static const char head[] = "action=";
	size_t len = 0;

	while (len < 2 || memcmp(answer + len - 2, "\n\n", 2) != 0) {
		ssize_t n;

		if (len == ANSWER_MAX) {
			error_set(&q->error, "the answer does not end");
			return false;
		}
		if (!wait_for(q, fd, POLLIN))
			return false;
		n = read(fd, answer + len, ANSWER_MAX - len);
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

/* Connect, ask, read. */
static bool
ask(struct question *q, const struct endpoint *endpoint,
    char answer[ANSWER_MAX], struct span *action)
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

static bool
begins_with(struct span text, const char *head)
{
	size_t len = strlen(head);

	return text.len >= len && memcmp(text.data, head, len) == 0;
}

/* Tell a reject from trouble, with mode = warn as well. */
static struct meaning
meaning_of(struct span action)
{
	if (span_is(action, "DUNNO"))
		return (struct meaning){CMD_OK, "allow", OUTPUT_GOOD};
	if (begins_with(action, "553 "))
		return (struct meaning){CMD_NO, "reject", OUTPUT_BAD};
	if (begins_with(action, "WARN fromguard: would reject: "))
		return (struct meaning){CMD_NO, "would reject", OUTPUT_BAD};
	return (struct meaning){CMD_TROUBLE, "trouble", OUTPUT_DOUBT};
}

static void
print_json(const struct question *q, const struct meaning *meaning,
	   struct span action)
{
	struct buffer out = {0};

	buffer_add(&out, span_text("{\"login\":"));
	buffer_json(&out, span_text(q->login));
	buffer_add(&out, span_text(",\"sender\":"));
	buffer_json(&out, span_text(q->sender));
	buffer_format(&out, ",\"verdict\":\"%s\",\"reply\":", meaning->verdict);
	buffer_json(&out, action);
	(void)printf("%s}\n", out.data);
	buffer_fini(&out);
}

static void
print_text(const struct meaning *meaning, struct span action)
{
	output_string(stdout, meaning->colour, meaning->verdict);
	(void)fputs(": ", stdout);
	output_text(stdout, OUTPUT_PLAIN, action);
	(void)fputs("\n", stdout);
}

/* Read an endpoint; a path alone is one of a unix socket. */
static bool
parse_socket(const char *text, struct endpoint *endpoint, struct error *error)
{
	struct buffer named = {0};
	bool ok;

	if (strchr(text, '/') != NULL && strncmp(text, "unix:", 5) != 0)
		buffer_add(&named, span_text("unix:"));
	buffer_add(&named, span_text(text));
	ok = endpoint_parse(buffer_span(&named), endpoint, error);
	buffer_fini(&named);
	return ok;
}

/* Find out where the server listens: -s, else what the settings say. */
static bool
find_endpoint(const struct cmd_options *options, const char *socket_text,
	      struct endpoint *endpoint)
{
	struct settings *settings;
	struct error error;
	char *text;
	bool ok;

	if (socket_text != NULL) {
		ok = parse_socket(socket_text, endpoint, &error);
		if (!ok)
			(void)fprintf(stderr, "fromguard: %s: %s\n",
				      socket_text, error.text);
		return ok;
	}
	settings = cmd_settings(options);
	if (settings == NULL)
		return false;
	ok = settings->listen.count > 0;
	if (ok) {
		text = endpoint_format(&settings->listen.list[0]);
		ok = parse_socket(text, endpoint, &error);
		free(text);
	}
	settings_free(settings);
	return ok;
}

/* Ask and print; returns the exit status. */
static int
ask_and_print(const struct cmd_options *options, const char *socket_text,
	      struct question *q)
{
	struct endpoint endpoint;
	char answer[ANSWER_MAX];
	struct meaning meaning = {.status = CMD_TROUBLE};
	struct span action;
	char *name;

	if (!find_endpoint(options, socket_text, &endpoint))
		return CMD_TROUBLE;
	if (ask(q, &endpoint, answer, &action)) {
		meaning = meaning_of(action);
		if (options->json)
			print_json(q, &meaning, action);
		else
			print_text(&meaning, action);
	} else {
		name = endpoint_format(&endpoint);
		(void)fprintf(stderr, "fromguard: %s: %s\n", name,
			      q->error.text);
		free(name);
	}
	free(endpoint.name);
	return meaning.status;
}

/* Parse "5s" or "500ms"; a number alone is seconds. */
static bool
parse_timeout(const char *text, int64_t *ms)
{
	char *end;
	unsigned long value;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || value > TIMEOUT_MAX_MS)
		return false;
	if (strcmp(end, "s") == 0 || *end == '\0')
		value *= 1000;
	else if (strcmp(end, "ms") != 0)
		return false;
	*ms = (int64_t)value;
	return value > 0 && value <= TIMEOUT_MAX_MS;
}

/* What the command line says. */
struct command_line {
	struct cmd_options options;
	const char *socket_text;
	int64_t timeout_ms;
};

/* Read the options; 0, or the status to end with. *help: it was asked for. */
static int
parse_options(int argc, char **argv, struct command_line *line, bool *help)
{
	static const char short_options[] = "+c:o:s:h";
	static const struct option long_options[] = {
	    {"socket", required_argument, NULL, 's'},
	    {"timeout", required_argument, NULL, 't'},
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, short_options, long_options,
				NULL)) != -1) {
		if (c == 'h')
			*help = true;
		else if (c == 'c')
			line->options.config = optarg;
		else if (c == 'o')
			cmd_options_add(&line->options, optarg);
		else if (c == 's')
			line->socket_text = optarg;
		else if (c == 'j')
			line->options.json = true;
		else if (c != 't')
			return cmd_bad_option("ask", argv, short_options,
					      long_options);
		else if (!parse_timeout(optarg, &line->timeout_ms))
			return cmd_usage("ask", "--timeout wants a time such "
						"as 5s or 500ms");
	}
	return 0;
}

/* A newline would end the attribute, and what follows be another one. */
static bool
is_askable(const char *text)
{
	return strchr(text, '\n') == NULL;
}

int
cmd_ask(int argc, char **argv)
{
	struct command_line line = {.timeout_ms = TIMEOUT_MS};
	struct question q = {0};
	bool help = false;
	int status = parse_options(argc, argv, &line, &help);

	if (status != 0)
		goto end;
	if (help) {
		status = cmd_help("ask");
		goto end;
	}
	if (argc - optind != 2) {
		status = cmd_usage("ask", "a LOGIN and a SENDER are needed");
		goto end;
	}
	q.login = argv[optind];
	q.sender = strcmp(argv[optind + 1], "<>") == 0 ? "" : argv[optind + 1];
	if (!is_askable(q.login) || !is_askable(q.sender)) {
		status = cmd_usage("ask", "an address is one line");
		goto end;
	}
	q.until_ms = now_ms() + line.timeout_ms;
	status = ask_and_print(&line.options, line.socket_text, &q);
end:
	cmd_options_fini(&line.options);
	return status;
}
