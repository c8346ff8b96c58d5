/* SPDX-License-Identifier: BSD-2-Clause */
/* Lint of the grants themselves, and what its parts share. */
#include "lint.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
lint_warn(struct lint *lint, struct origin origin, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		return;
	problems_add(lint->problems, PROBLEM_WARNING,
		     lint->snapshot->maps[origin.map].spec->path, origin.line,
		     "%s", text);
	free(text);
}

char *
lint_spell(const struct lint *lint, grant_name name)
{
	struct buffer spelt = {0};
	struct name_text text;
	struct pattern pattern = grants_pattern(lint->grants, name, &text);

	pattern_format(&pattern, &spelt);
	return spelt.data;
}

static bool
has_account(const struct lint *lint, struct span name)
{
	grant_name found = grants_name(lint->grants, PATTERN_ADDRESS, name);

	return found != 0 &&
	       (grants_about(lint->grants, found) & NAME_ACCOUNT) != 0;
}

bool
lint_is_account(const struct lint *lint, struct span address)
{
	const struct domain_list *local =
	    &lint->snapshot->settings->local_domains;
	const char *at = memrchr(address.data, '@', address.len);
	bool found = has_account(lint, address);

	for (size_t i = 0; !found && i < local->count; i++) {
		struct buffer whole = {0};

		if (at == NULL) {
			buffer_format(&whole, "%" SPAN_FMT "@%" SPAN_FMT,
				      SPAN_ARG(address),
				      SPAN_ARG(local->list[i]));
			found = has_account(lint, buffer_span(&whole));
		} else if (span_equal(
			       span_from(address,
					 (size_t)(at - address.data) + 1),
			       local->list[i])) {
			found = has_account(
			    lint,
			    span_of(address.data, (size_t)(at - address.data)));
		}
		buffer_fini(&whole);
	}
	return found;
}

static bool
check_login(void *arg, grant_name left, grant_name right, bool denial,
	    struct origin origin)
{
	struct lint *lint = arg;
	struct name_text name;
	struct pattern login = grants_pattern(lint->grants, left, &name);
	char *text;

	(void)right;
	if (login.kind != PATTERN_ADDRESS || lint_is_account(lint, login.text))
		return true;
	text = lint_spell(lint, left);
	lint_warn(lint, origin,
		  "a %s to %s, but no accounts: map has such a login",
		  denial ? "denial" : "grant", text);
	free(text);
	return true;
}

void
lint_logins(struct lint *lint)
{
	if (lint->counts.accounts > 0)
		(void)grants_each(lint->grants, check_login, lint);
}

static int
compare(const void *a, const void *b)
{
	const struct problem *x = a;
	const struct problem *y = b;
	int files = strcmp(x->file, y->file);

	if (files != 0)
		return files;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return strcmp(x->text, y->text);
}

void
lint_snapshot(const struct snapshot *snapshot, struct decider *decider,
	      struct problems *problems)
{
	struct lint lint = {
	    .snapshot = snapshot,
	    .grants = snapshot->grants,
	    .decider = decider,
	    .problems = problems,
	};
	size_t before = problems->count;

	grants_count(snapshot->grants, &lint.counts);
	lint_duplicates(&lint);
	lint_logins(&lint);
	lint_denials(&lint);
	lint_aliases(&lint);
	lint_destinations(&lint);
	lint_rules(&lint);
	/* The grants' hash is seeded: without this the order would change. */
	if (problems->count > before)
		qsort(problems->list + before, problems->count - before,
		      sizeof(*problems->list), compare);
}
