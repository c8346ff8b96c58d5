/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of lint share. */
#ifndef POLICY_LINT_PRIVATE_H
#define POLICY_LINT_PRIVATE_H

#include "base/buffer.h"
#include "policy/lint.h"

struct lint {
	const struct snapshot *snapshot;
	const struct grants *grants;
	struct decider *decider;
	struct problems *problems;
	struct grants_counts counts;
};

/* Add a warning at an origin. */
void lint_warn(struct lint *lint, struct origin origin, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Spell a name as map files do; free() it. */
char *lint_spell(const struct lint *lint, grant_name name);
/* Is there an account of that name, or of one that means the same login? */
bool lint_is_account(const struct lint *lint, struct span address);

/* The parts, each a file. */
void lint_duplicates(struct lint *lint);
void lint_logins(struct lint *lint);
void lint_denials(struct lint *lint);
void lint_aliases(struct lint *lint);
void lint_destinations(struct lint *lint);
void lint_rules(struct lint *lint);

#endif
