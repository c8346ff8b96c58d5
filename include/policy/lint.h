/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lint: what loads well and is probably not what was meant. Every finding is
 * a warning with the place and the cure; nothing of it changes a decision.
 */
#ifndef POLICY_LINT_H
#define POLICY_LINT_H

#include "policy/decide.h"

/*
 * Look through a snapshot and add a warning to *problems for each of: the
 * same grant twice; a grant to a login that no accounts: map has; a denial
 * that denies nothing; alias loops, and chains longer than alias_depth; a
 * destination that is no login; a rule that is not anchored, whose dots match
 * anything, or that covers an account which is not its owner. The maps are
 * read once more, since a snapshot keeps no duplicates.
 */
void lint_snapshot(const struct snapshot *snapshot, struct decider *decider,
		   struct problems *problems);

#endif
