/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/journal.h"
#include "base/log.h"
#include "server/suspects.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

void
journal_init(struct journal *journal)
{
	*journal = (struct journal){0};
	hash_key_random(&journal->key);
}

/* Hash what makes two verdicts the same news; never 0. */
static uint64_t
fingerprint(const struct journal *journal, const struct request *request,
	    const struct verdict *verdict)
{
	const struct span parts[] = {request->instance, request->login,
				     request->sender};
	struct hash_key key = journal->key;

	/* Each hash is part of the next one's key, so that a byte that moves
	 * from one part to its neighbour makes a difference. */
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		key.k0 ^= hash_bytes(&key, parts[i].data, parts[i].len);
	key.k0 ^= (uint64_t)verdict->kind << 8 | (uint64_t)verdict->reason;
	return hash_bytes(&key, "", 0) | 1;
}

/* Has the connection just said the same of the same mail? */
static bool
is_old_news(const struct journal *journal, const struct request *request,
	    const struct verdict *verdict, uint64_t *last)
{
	uint64_t news;

	if (request->instance.len == 0)
		return false;
	news = fingerprint(journal, request, verdict);
	if (news == *last)
		return true;
	*last = news;
	return false;
}

static void
add_origin(struct log_line *line, const struct snapshot *snapshot,
	   const struct verdict *verdict)
{
	char *origin;

	if (!verdict->has_origin)
		return;
	origin = snapshot_origin(snapshot, verdict->origin);
	log_text(line, "origin", origin);
	free(origin);
}

/* The event that a verdict is, and how grave it is. */
static const char *
event_of(const struct snapshot *snapshot, const struct verdict *verdict,
	 enum log_level *level)
{
	switch (verdict->kind) {
	case VERDICT_ALLOW:
		*level = LOG_LEVEL_DEBUG;
		return "allow";
	case VERDICT_REJECT:
		*level = LOG_LEVEL_INFO;
		return snapshot->settings->mode == MODE_WARN ? "would-reject"
							     : "reject";
	default:
		*level = LOG_LEVEL_WARNING;
		return "trouble";
	}
}

void
journal_verdict(const struct journal *journal, const struct snapshot *snapshot,
		const struct request *request, const struct verdict *verdict,
		uint64_t *last)
{
	struct log_line line;
	enum log_level level;
	const char *event = event_of(snapshot, verdict, &level);

	if (!log_wants(level) || (verdict->kind != VERDICT_ALLOW &&
				  is_old_news(journal, request, verdict, last)))
		return;
	log_begin(&line, level, event);
	log_field(&line, "login", request->login);
	log_field(&line, "sender", request->sender);
	log_text(&line, "reason", verdict_reason_name(verdict->reason));
	log_field(&line, "client", request->client_address);
	log_field(&line, "queue_id", request->queue_id);
	log_field(&line, "instance", request->instance);
	add_origin(&line, snapshot, verdict);
	log_end(&line);
}

void
journal_suspect(const struct request *request)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARNING, "suspicious");
	log_field(&line, "login", request->login);
	log_number(&line, "senders", SUSPECT_SENDERS);
	log_number(&line, "seconds", SUSPECT_WINDOW_MS / 1000);
	log_field(&line, "client", request->client_address);
	log_end(&line);
}

/* Name the process, or the host and port, at the other end. */
static void
add_peer(struct log_line *line, int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t address_len = sizeof(address);
	struct ucred process;
	socklen_t process_len = sizeof(process);
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getpeername(fd, (struct sockaddr *)&address, &address_len) != 0)
		return;
	if (address.ss_family == AF_UNIX) {
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &process,
			       &process_len) != 0)
			return;
		log_number(line, "peer_pid", (uint64_t)process.pid);
		log_number(line, "peer_uid", process.uid);
	} else if (getnameinfo((struct sockaddr *)&address, address_len, host,
			       sizeof(host), port, sizeof(port),
			       NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
		log_text(line, "peer", host);
		log_text(line, "peer_port", port);
	}
}

void
journal_tick(struct journal *journal, uint64_t now_ms)
{
	struct log_line line;

	if (now_ms / 1000 == journal->second)
		return;
	journal->second = now_ms / 1000;
	journal->said = 0;
	if (journal->withheld == 0)
		return;
	log_begin(&line, LOG_LEVEL_WARNING, "protocol-errors-withheld");
	log_number(&line, "count", journal->withheld);
	log_end(&line);
	journal->withheld = 0;
}

void
journal_fault(struct journal *journal, const char *kind, int fd,
	      uint64_t now_ms)
{
	struct log_line line;

	journal_tick(journal, now_ms);
	if (journal->said == JOURNAL_FAULTS_A_SECOND) {
		journal->withheld++;
		return;
	}
	journal->said++;
	log_begin(&line, LOG_LEVEL_WARNING, "protocol-error");
	log_text(&line, "kind", kind);
	add_peer(&line, fd);
	log_end(&line);
}
