/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of lint that looks at Postfix: is the check ever asked? */
#ifndef CMD_LINT_POSTFIX_H
#define CMD_LINT_POSTFIX_H

#include "policy/settings.h"
#include "postconf.h"

/*
 * Add to *problems what keeps a Postfix from asking the server that listens
 * as the settings say: an error where the check is dead for somebody who
 * logged in, a warning where it works and something else is wrong. settings
 * may be NULL: then any service with "fromguard" in its name is ours.
 */
void lint_postfix(const struct postconf *postconf,
		  const struct settings *settings, struct problems *problems);

#endif
