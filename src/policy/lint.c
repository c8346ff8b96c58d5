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

enum { LINE_GRANTS_MAX = 256 }; /* of one line that are compared */

/* The second reading of one map, and what its current line has granted. */
struct reading {
	struct lint *lint;
	uint16_t map;
	uint32_t line;
	struct {
		grant_name left;
		grant_name right;
		bool denial;
	} granted[LINE_GRANTS_MAX];
	size_t count;
};

/* Has this line had that grant before? Else it has from now on. */
static bool
comes_again(struct reading *reading, grant_name left, grant_name right,
	    bool denial)
{
	for (size_t i = 0; i < reading->count; i++)
		if (reading->granted[i].left == left &&
		    reading->granted[i].right == right &&
		    reading->granted[i].denial == denial)
			return true;
	if (reading->count < LINE_GRANTS_MAX) {
		reading->granted[reading->count].left = left;
		reading->granted[reading->count].right = right;
		reading->granted[reading->count++].denial = denial;
	}
	return false;
}

/* The grants keep where one was seen first: is it here? */
static bool
take_entry(void *arg, const struct map_entry *entry)
{
	struct reading *reading = arg;
	struct lint *lint = reading->lint;
	grant_name left =
	    grants_name(lint->grants, entry->left.kind, entry->left.text);
	grant_name right =
	    grants_name(lint->grants, entry->right.kind, entry->right.text);
	struct origin first;
	char *text;

	if (entry->line != reading->line)
		reading->count = 0;
	reading->line = entry->line;
	if (entry->kind != ENTRY_GRANT ||
	    !grants_find(lint->grants, left, right, entry->denial, &first) ||
	    (first.map == reading->map && first.line == entry->line &&
	     !comes_again(reading, left, right, entry->denial)))
		return true;
	text = snapshot_origin(lint->snapshot, first);
	lint_warn(lint, (struct origin){reading->map, entry->line},
		  "the same %s stands at %s already: leave one of them out",
		  entry->denial ? "denial" : "grant", text);
	free(text);
	return true;
}

void
lint_duplicates(struct lint *lint)
{
	const struct settings *settings = lint->snapshot->settings;
	struct reading reading = {.lint = lint};
	struct map_context context = {
	    .local_domains = settings->local_domains.list,
	    .local_domain_count = settings->local_domains.count,
	    .sink = take_entry,
	    .arg = &reading,
	};

	for (size_t i = 0; i < settings->maps.count; i++) {
		const struct map_spec *spec = &settings->maps.list[i];

		if (spec->type == MAP_PCRE)
			continue;
		reading.map = (uint16_t)i;
		reading.count = 0;
		context.name = spec->path;
		/* What is wrong with it has been said when it was loaded. */
		(void)map_load(spec, &context);
	}
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
	qsort(problems->list + before, problems->count - before,
	      sizeof(*problems->list), compare);
}
