/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A closed-loop load client: CONNECTIONS connections, each with one request
 * in flight, as smtpd has them, each request with every attribute that Postfix
 * 3.7 sends. Every answer is checked.
 *
 *     load [-r] SOCKET CONNECTIONS SECONDS QUESTIONS
 *
 * SOCKET is a path, or host:port of IPv4. QUESTIONS is a file of lines
 * "LOGIN<tab>SENDER<tab>EXPECTED", which is allow, reject, any, or the actions
 * that may come, each as it is on the wire, with a '|' between them. SIGTERM
 * ends it early. Prints one line of JSON: requests, wrong answers, requests
 * without one, connections that were closed, reset or refused, seconds,
 * latencies in microseconds.
 *
 * With -r a connection that has been of use may be closed: as smtpd does, it
 * connects again and asks the same ("retried"). One that is closed before its
 * first answer counts as closed all the same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	EVENTS = 256,
	REQUEST_MAX = 8192,
	REPLY_MAX = 1024,
	LATENCY_MAX = 4 * 1000 * 1000, /* microseconds; longer ones count so */
	LAST_ANSWERS_MS = 5000,        /* to wait for those at the end */
};

enum expected { EXPECT_ALLOW, EXPECT_REJECT, EXPECT_ANY, EXPECT_ACTIONS };

struct question {
	const char *login;
	const char *sender;
	enum expected expected;
	const char *actions; /* of EXPECT_ACTIONS: one|another */
};

struct connection {
	int fd;
	bool asks;   /* an answer is due */
	bool useful; /* has had an answer */
	const struct question *question;
	uint64_t sent_at; /* nanoseconds */
	size_t have;      /* bytes of reply */
	char reply[REPLY_MAX];
};

struct load {
	const char *target;
	bool retry; /* -r */
	struct question *questions;
	size_t question_count;
	uint64_t seed;
	uint64_t requests;
	uint64_t wrong;
	uint64_t closed;
	uint64_t reset;
	uint64_t refused;
	uint64_t retried;
	uint64_t unanswered;
	uint64_t longest;
	uint32_t *latency; /* how often, by microseconds */
	int epoll;
};

static volatile sig_atomic_t told_to_end;

static void
on_term(int number)
{
	(void)number;
	told_to_end = 1;
}

static void
die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static uint64_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* can not fail */
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* xorshift64*: good enough to pick questions, and cheap. */
static uint64_t
next_random(struct load *load)
{
	load->seed ^= load->seed >> 12;
	load->seed ^= load->seed << 25;
	load->seed ^= load->seed >> 27;
	return load->seed * 2685821657736338717U;
}

static enum expected
parse_expected(const char *text)
{
	if (strcmp(text, "allow") == 0)
		return EXPECT_ALLOW;
	if (strcmp(text, "reject") == 0)
		return EXPECT_REJECT;
	return strcmp(text, "any") == 0 ? EXPECT_ANY : EXPECT_ACTIONS;
}

static void
parse_question(char *line, struct question *question)
{
	char *sender = strchr(line, '\t');
	char *expected = sender != NULL ? strchr(sender + 1, '\t') : NULL;

	if (expected == NULL) {
		(void)fprintf(stderr, "load: not a question: %s\n", line);
		exit(EXIT_FAILURE);
	}
	*sender++ = '\0';
	*expected++ = '\0';
	question->login = line;
	question->sender = sender;
	question->expected = parse_expected(expected);
	question->actions = expected;
}

static void
read_questions(struct load *load, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	size_t size = 0;
	ssize_t len;

	if (file == NULL)
		die(path);
	while ((len = getline(&line, &room, file)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (load->question_count == size) {
			size = size == 0 ? 1024 : size * 2;
			load->questions = realloc(
			    load->questions, size * sizeof(*load->questions));
			if (load->questions == NULL)
				die("realloc");
		}
		parse_question(strdup(line),
			       &load->questions[load->question_count++]);
	}
	free(line);
	(void)fclose(file);
	if (load->question_count == 0) {
		(void)fprintf(stderr, "load: %s: no questions\n", path);
		exit(EXIT_FAILURE);
	}
}

/* Connect to an IPv4 address; -1 where that is refused. */
static int
dial_tcp(const char *colon, const char *target)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	char host[64];
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - target),
		       target);
	address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (fd < 0 || inet_pton(AF_INET, host, &address.sin_addr) != 1)
		die(target);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		(void)close(fd);
		return -1;
	}
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
		die("TCP_NODELAY");
	return fd;
}

/* Connect; -1 where that is refused. */
static int
dial(const char *target)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *colon = strrchr(target, ':');
	int fd;

	if (colon != NULL && target[0] != '/')
		return dial_tcp(colon, target);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || strlen(target) >= sizeof(address.sun_path))
		die("socket");
	memcpy(address.sun_path, target, strlen(target));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static void
watch(const struct load *load, struct connection *connection)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
		die("epoll_ctl");
}

/* Send a connection's question over it; where it has been closed, that is
 * read. */
static void
send_question(struct load *load, struct connection *connection)
{
	static const char format[] =
	    "request=smtpd_access_policy\n"
	    "protocol_state=RCPT\n"
	    "protocol_name=ESMTP\n"
	    "client_address=192.0.2.7\n"
	    "client_name=client.example.net\n"
	    "client_port=43210\n"
	    "reverse_client_name=client.example.net\n"
	    "server_address=192.0.2.1\n"
	    "server_port=587\n"
	    "helo_name=[192.0.2.7]\n"
	    "sender=%s\n"
	    "recipient=somebody@example.net\n"
	    "recipient_count=0\n"
	    "queue_id=\n"
	    "instance=1a2b.6565c3a1.%llx.0\n"
	    "size=1234\n"
	    "etrn_domain=\n"
	    "stress=\n"
	    "sasl_method=PLAIN\n"
	    "sasl_username=%s\n"
	    "sasl_sender=\n"
	    "ccert_subject=\n"
	    "ccert_issuer=\n"
	    "ccert_fingerprint=\n"
	    "ccert_pubkey_fingerprint=\n"
	    "encryption_protocol=TLSv1.3\n"
	    "encryption_cipher=TLS_AES_256_GCM_SHA384\n"
	    "encryption_keysize=256\n"
	    "policy_context=\n"
	    "\n";
	char request[REQUEST_MAX];
	int len = snprintf(
	    request, sizeof(request), format, connection->question->sender,
	    (unsigned long long)load->requests, connection->question->login);
	if (len < 0 || (size_t)len >= sizeof(request)) {
		(void)fprintf(stderr, "load: a question is too long\n");
		exit(EXIT_FAILURE);
	}
	connection->have = 0;
	connection->asks = true;
	(void)!write(connection->fd, request, (size_t)len);
}

/* Ask the next question over a connection. */
static void
ask(struct load *load, struct connection *connection)
{
	uint64_t random = next_random(load);

	connection->question =
	    &load->questions[(random >> 8) % load->question_count];
	connection->sent_at = now();
	send_question(load, connection);
}

/* Is the answer that a connection has got one of its question's actions? */
static bool
is_expected_action(const struct connection *connection)
{
	const char *action = connection->reply + strlen("action=");
	size_t len = connection->have - strlen("action=\n\n");
	const char *one = connection->question->actions;

	if (strncmp(connection->reply, "action=", strlen("action=")) != 0)
		return false;
	for (;;) {
		size_t size = strcspn(one, "|");

		if (size == len && memcmp(one, action, len) == 0)
			return true;
		if (one[size] == '\0')
			return false;
		one += size + 1;
	}
}

static void
check(struct load *load, const struct connection *connection)
{
	bool allow = strncmp(connection->reply, "action=DUNNO\n", 13) == 0;
	bool reject = strncmp(connection->reply, "action=553 ", 11) == 0;
	enum expected expected = connection->question->expected;

	if ((!allow && !reject) || (expected == EXPECT_ALLOW && !allow) ||
	    (expected == EXPECT_REJECT && !reject) ||
	    (expected == EXPECT_ACTIONS && !is_expected_action(connection))) {
		if (load->wrong++ == 0)
			(void)fprintf(stderr, "load: wrong: %s %s: %.*s\n",
				      connection->question->login,
				      connection->question->sender,
				      (int)connection->have, connection->reply);
	}
}

static void
note_latency(struct load *load, uint64_t nanoseconds)
{
	uint64_t us = nanoseconds / 1000;

	if (us > load->longest)
		load->longest = us;
	load->latency[us < LATENCY_MAX ? us : LATENCY_MAX - 1]++;
}

/* A connection is closed: connect again and ask the same, or be done with
 * it. */
static void
lose(struct load *load, struct connection *connection)
{
	bool useful = connection->useful;

	(void)close(connection->fd);
	connection->fd = -1;
	if (useful && load->retry)
		load->retried++;
	else
		load->closed++;
	if (!load->retry)
		return;
	connection->useful = false;
	connection->fd = dial(load->target);
	if (connection->fd == -1) {
		load->refused++;
		return;
	}
	watch(load, connection);
	send_question(load, connection);
}

/* Read what a connection has; true where an answer is whole. */
static bool
receive(struct load *load, struct connection *connection)
{
	ssize_t n = read(connection->fd, connection->reply + connection->have,
			 sizeof(connection->reply) - 1 - connection->have);

	if (n <= 0) {
		load->reset += n < 0;
		lose(load, connection);
		return false;
	}
	connection->have += (size_t)n;
	connection->reply[connection->have] = '\0';
	if (connection->have < 2 ||
	    memcmp(connection->reply + connection->have - 2, "\n\n", 2) != 0)
		return false;
	connection->asks = false;
	connection->useful = true;
	note_latency(load, now() - connection->sent_at);
	load->requests++;
	check(load, connection);
	return true;
}

static uint64_t
percentile(const struct load *load, double part)
{
	uint64_t wanted = (uint64_t)((double)load->requests * part);
	uint64_t seen = 0;

	for (uint64_t us = 0; us < LATENCY_MAX; us++) {
		seen += load->latency[us];
		if (seen > wanted)
			return us;
	}
	return LATENCY_MAX;
}

/* Wait for something to read, and read it; with more, ask the next questions.
 * False where there was nothing in time. */
static bool
turn(struct load *load, int timeout_ms, bool more)
{
	struct epoll_event events[EVENTS];
	int ready = epoll_wait(load->epoll, events, EVENTS, timeout_ms);

	for (int i = 0; i < ready; i++)
		if (receive(load, events[i].data.ptr) && more)
			ask(load, events[i].data.ptr);
	return ready > 0;
}

static size_t
count_due(const struct connection *connections, size_t count)
{
	size_t due = 0;

	for (size_t i = 0; i < count; i++)
		due += connections[i].asks && connections[i].fd != -1;
	return due;
}

static void
run(struct load *load, struct connection *connections, size_t count,
    double seconds)
{
	uint64_t end = now() + (uint64_t)(seconds * 1e9);

	for (size_t i = 0; i < count; i++) {
		watch(load, &connections[i]);
		ask(load, &connections[i]);
	}
	while (now() < end && !told_to_end &&
	       load->closed + load->refused < count)
		(void)turn(load, 1000, true);
	while (count_due(connections, count) > 0)
		if (!turn(load, LAST_ANSWERS_MS, false))
			break;
	load->unanswered = count_due(connections, count);
}

static void
print_result(const struct load *load, double seconds)
{
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
	    {"requests", load->requests},     {"wrong", load->wrong},
	    {"unanswered", load->unanswered}, {"closed", load->closed},
	    {"reset", load->reset},           {"refused", load->refused},
	    {"retried", load->retried},       {"p50", percentile(load, 0.5)},
	    {"p99", percentile(load, 0.99)},  {"p999", percentile(load, 0.999)},
	    {"max", load->longest},
	};

	(void)printf("{\"seconds\":%.3f", seconds);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)printf(",\"%s\":%llu", numbers[i].name,
			     (unsigned long long)numbers[i].value);
	(void)printf("}\n");
}

int
main(int argc, char **argv)
{
	const struct sigaction end = {.sa_handler = on_term};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct load load = {.seed = 88172645463325252U};
	struct connection *connections;
	size_t count;
	double seconds;
	uint64_t started;

	if (argc > 1 && strcmp(argv[1], "-r") == 0) {
		load.retry = true;
		argv++;
		argc--;
	}
	if (argc != 5) {
		(void)fprintf(stderr, "usage: load [-r] SOCKET CONNECTIONS "
				      "SECONDS QUESTIONS\n");
		return EXIT_FAILURE;
	}
	load.target = argv[1];
	count = strtoul(argv[2], NULL, 10);
	seconds = strtod(argv[3], NULL);
	read_questions(&load, argv[4]);
	load.latency = calloc(LATENCY_MAX, sizeof(*load.latency));
	connections = calloc(count, sizeof(*connections));
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load.latency == NULL || connections == NULL || load.epoll < 0 ||
	    sigaction(SIGTERM, &end, NULL) != 0 ||
	    sigaction(SIGPIPE, &ignore, NULL) != 0)
		die("load");
	for (size_t i = 0; i < count; i++) {
		connections[i].fd = dial(load.target);
		if (connections[i].fd == -1)
			die(load.target);
	}
	started = now();
	run(&load, connections, count, seconds);
	print_result(&load, (double)(now() - started) / 1e9);
	return load.wrong + load.unanswered + load.closed + load.refused == 0
		   ? EXIT_SUCCESS
		   : EXIT_FAILURE;
}
