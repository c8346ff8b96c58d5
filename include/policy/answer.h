/* SPDX-License-Identifier: BSD-2-Clause */
/* What Postfix is told of a verdict: the table of replies, in one place. */
#ifndef POLICY_ANSWER_H
#define POLICY_ANSWER_H

#include "policy/decide.h"
#include "wire/reply.h"

/*
 * Write the reply for a verdict on login and sender, with the mode and the
 * reject_text of the settings; returns its length.
 */
size_t answer_write(const struct settings *settings,
		    const struct verdict *verdict, struct span login,
		    struct span sender, char out[REPLY_MAX]);

#endif
