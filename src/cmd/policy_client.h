/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of a policy server: one connection, one question, one answer. */
#ifndef CMD_POLICY_CLIENT_H
#define CMD_POLICY_CLIENT_H

#include "policy/settings.h"

enum { POLICY_ANSWER_MAX = 8192 }; /* far more than any answer has */

struct policy_question {
	const char *login;
	const char *sender; /* empty: the null sender */
	int64_t until_ms;   /* on the clock of policy_client_now() */
	struct error error; /* what went wrong */
};

/* Milliseconds of the monotonic clock. */
int64_t policy_client_now(void);

/*
 * Connect, ask, read; *action is what stands behind "action=", in answer.
 * False where there was no answer; q->error tells why.
 */
bool policy_client_ask(struct policy_question *q,
		       const struct endpoint *endpoint,
		       char answer[POLICY_ANSWER_MAX], struct span *action);

#endif
