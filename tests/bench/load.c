/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A closed-loop load client: CONNECTIONS connections, each with one request
 * in flight, as smtpd has them, each request with every attribute that Postfix
 * 3.7 sends. Every answer is checked.
 *
 *     load SOCKET CONNECTIONS SECONDS QUESTIONS
 *
 * SOCKET is a path, or host:port of IPv4. QUESTIONS is a file of lines
 * "LOGIN<tab>SENDER<tab>allow|reject|any". Prints one line of JSON: requests,
 * wrong answers, closed connections, seconds, latencies in microseconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
};

enum expected { EXPECT_ALLOW, EXPECT_REJECT, EXPECT_ANY };

struct question {
	const char *login;
	const char *sender;
	enum expected expected;
};

struct connection {
	int fd;
	const struct question *question;
	uint64_t sent_at; /* nanoseconds */
	size_t have;      /* bytes of reply */
	char reply[REPLY_MAX];
};

struct load {
	struct question *questions;
	size_t question_count;
	uint64_t seed;
	uint64_t requests;
	uint64_t wrong;
	uint64_t closed;
	uint64_t longest;
	uint32_t *latency; /* how often, by microseconds */
	int epoll;
};

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
	question->expected = expected[0] == 'a' && expected[1] == 'l'
				 ? EXPECT_ALLOW
			     : expected[0] == 'r' ? EXPECT_REJECT
						  : EXPECT_ANY;
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
	if (fd < 0 || inet_pton(AF_INET, host, &address.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die(target);
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
		die("TCP_NODELAY");
	return fd;
}

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
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die(target);
	return fd;
}

/* Send the next question over a connection. */
static void
ask(struct load *load, struct connection *connection)
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
	uint64_t random = next_random(load);
	int len;

	connection->question =
	    &load->questions[(random >> 8) % load->question_count];
	len = snprintf(
	    request, sizeof(request), format, connection->question->sender,
	    (unsigned long long)load->requests, connection->question->login);
	if (len < 0 || (size_t)len >= sizeof(request)) {
		(void)fprintf(stderr, "load: a question is too long\n");
		exit(EXIT_FAILURE);
	}
	connection->have = 0;
	connection->sent_at = now();
	if (write(connection->fd, request, (size_t)len) != len)
		load->closed++;
}

static void
check(struct load *load, const struct connection *connection)
{
	bool allow = strncmp(connection->reply, "action=DUNNO\n", 13) == 0;
	bool reject = strncmp(connection->reply, "action=553 ", 11) == 0;
	enum expected expected = connection->question->expected;

	if ((!allow && !reject) || (expected == EXPECT_ALLOW && !allow) ||
	    (expected == EXPECT_REJECT && !reject)) {
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

/* Read what a connection has; true where an answer is whole. */
static bool
receive(struct load *load, struct connection *connection)
{
	ssize_t n = read(connection->fd, connection->reply + connection->have,
			 sizeof(connection->reply) - 1 - connection->have);

	if (n <= 0) {
		load->closed++;
		(void)epoll_ctl(load->epoll, EPOLL_CTL_DEL, connection->fd,
				NULL);
		return false;
	}
	connection->have += (size_t)n;
	connection->reply[connection->have] = '\0';
	if (connection->have < 2 ||
	    memcmp(connection->reply + connection->have - 2, "\n\n", 2) != 0)
		return false;
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

static void
run(struct load *load, struct connection *connections, size_t count,
    double seconds)
{
	uint64_t end = now() + (uint64_t)(seconds * 1e9);

	for (size_t i = 0; i < count; i++) {
		struct epoll_event event = {.events = EPOLLIN,
					    .data.ptr = &connections[i]};

		if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connections[i].fd,
			      &event) != 0)
			die("epoll_ctl");
		ask(load, &connections[i]);
	}
	while (now() < end && load->closed < count) {
		struct epoll_event events[EVENTS];
		int ready = epoll_wait(load->epoll, events, EVENTS, 1000);

		for (int i = 0; i < ready; i++)
			if (receive(load, events[i].data.ptr))
				ask(load, events[i].data.ptr);
	}
}

int
main(int argc, char **argv)
{
	struct load load = {.seed = 88172645463325252U};
	struct connection *connections;
	size_t count;
	double seconds;
	uint64_t started;

	if (argc != 5) {
		(void)fprintf(
		    stderr,
		    "usage: load SOCKET CONNECTIONS SECONDS QUESTIONS\n");
		return EXIT_FAILURE;
	}
	count = strtoul(argv[2], NULL, 10);
	seconds = strtod(argv[3], NULL);
	read_questions(&load, argv[4]);
	load.latency = calloc(LATENCY_MAX, sizeof(*load.latency));
	connections = calloc(count, sizeof(*connections));
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load.latency == NULL || connections == NULL || load.epoll < 0)
		die("load");
	for (size_t i = 0; i < count; i++)
		connections[i].fd = dial(argv[1]);
	started = now();
	run(&load, connections, count, seconds);
	seconds = (double)(now() - started) / 1e9;
	(void)printf("{\"requests\":%llu,\"wrong\":%llu,\"closed\":%llu,"
		     "\"seconds\":%.3f,\"p50\":%llu,\"p99\":%llu,"
		     "\"p999\":%llu,\"max\":%llu}\n",
		     (unsigned long long)load.requests,
		     (unsigned long long)load.wrong,
		     (unsigned long long)load.closed, seconds,
		     (unsigned long long)percentile(&load, 0.5),
		     (unsigned long long)percentile(&load, 0.99),
		     (unsigned long long)percentile(&load, 0.999),
		     (unsigned long long)load.longest);
	return load.wrong == 0 && load.closed == 0 ? EXIT_SUCCESS
						   : EXIT_FAILURE;
}
