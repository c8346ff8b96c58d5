/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of Postfix's mail log, as far as they tell who sent as whom. Read are
 * syslog's old time stamps and RFC 3339's (rsyslog, journalctl -o short and
 * short-iso, postlogd, docker-mailserver), tags as postfix/smtpd,
 * postfix/submission/smtpd or those of another instance. Nothing allocates.
 */
#ifndef WIRE_MAILLOG_H
#define WIRE_MAILLOG_H

#include "base/span.h"

#include <stdint.h>
#include <time.h>

enum maillog_kind {
	MAILLOG_LOGIN,   /* smtpd: a mail of a login: queue_id, login, client */
	MAILLOG_SENDER,  /* qmgr: queue_id, sender */
	MAILLOG_REMOVED, /* qmgr: queue_id is done with */
	MAILLOG_REFUSED, /* smtpd: one recipient refused: login, sender, client
			  */
	MAILLOG_WARNED,  /* the same under mode = warn */
};

/* What one line says. Spans point into the line. */
struct maillog_line {
	enum maillog_kind kind;
	struct span instance; /* "postfix" */
	struct span queue_id; /* of the first three kinds */
	struct span login;
	struct span sender; /* as logged: quoted where it has to be */
	struct span client; /* its IP address */
	int64_t time;       /* seconds since 1970 */
};

/*
 * Parse a line, without its newline. False where it is not one of Postfix's
 * that matters. today is the time of asking: old time stamps tell no year and
 * no zone, and are taken for the last such time in the local zone.
 */
bool maillog_parse(struct span line, time_t today, struct maillog_line *out);

/*
 * Parse a time stamp at the start of text, of either form, or a bare date
 * "2026-11-24". Returns how many bytes it took, 0 where there is none.
 */
size_t maillog_time(struct span text, time_t today, int64_t *time);

#endif
