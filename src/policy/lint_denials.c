/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Denials that deny nothing: without them nothing would be allowed that they
 * forbid. Where that cannot be told for sure, nothing is said.
 */
#include "lint.h"

#include <stdlib.h>

/* One denial, and the snapshot as it would be without any. */
struct denial {
	struct lint *lint;
	struct snapshot plain;
	struct pattern left;
	struct pattern right;
	struct name_text left_text;
	struct name_text right_text;
	bool overlaps; /* something could be allowed that it forbids */
};

static struct span
domain_of(const struct pattern *pattern)
{
	const char *at;

	if (pattern->kind != PATTERN_ADDRESS)
		return pattern->text;
	at = memrchr(pattern->text.data, '@', pattern->text.len);
	return at == NULL ? SPAN_NONE
			  : span_from(pattern->text,
				      (size_t)(at - pattern->text.data) + 1);
}

/* Is inner a sub-domain of outer? */
static bool
is_beneath(struct span inner, struct span outer)
{
	return inner.len > outer.len + 1 &&
	       inner.data[inner.len - outer.len - 1] == '.' &&
	       span_equal(span_from(inner, inner.len - outer.len), outer);
}

/* Could one login be both? */
static bool
lefts_overlap(const struct pattern *a, const struct pattern *b)
{
	if (a->kind == PATTERN_ANY || b->kind == PATTERN_ANY)
		return true;
	if (a->kind == b->kind)
		return span_equal(a->text, b->text);
	/* An address and a domain; a local login may be of any. */
	return domain_of(a).len == 0 || domain_of(b).len == 0 ||
	       span_equal(domain_of(a), domain_of(b));
}

/* Could one sender be both? */
static bool
rights_overlap(const struct pattern *a, const struct pattern *b)
{
	struct span x = domain_of(a);
	struct span y = domain_of(b);

	if (a->kind == PATTERN_NULL || b->kind == PATTERN_NULL)
		return a->kind == b->kind;
	if (a->kind == PATTERN_ANY || b->kind == PATTERN_ANY)
		return true;
	if (a->kind == PATTERN_SUBDOMAINS && b->kind == PATTERN_SUBDOMAINS)
		return span_equal(x, y) || is_beneath(x, y) || is_beneath(y, x);
	if (a->kind == PATTERN_SUBDOMAINS)
		return is_beneath(y, x);
	if (b->kind == PATTERN_SUBDOMAINS)
		return is_beneath(x, y);
	/* Two addresses of one domain may differ by an extension alone. */
	return span_equal(x, y);
}

static bool
check_grant(void *arg, grant_name left, grant_name right, bool denial,
	    struct origin origin)
{
	struct denial *d = arg;
	struct name_text texts[2];
	struct pattern who = grants_pattern(d->lint->grants, left, &texts[0]);
	struct pattern what = grants_pattern(d->lint->grants, right, &texts[1]);

	(void)origin;
	d->overlaps = !denial && lefts_overlap(&d->left, &who) &&
		      rights_overlap(&d->right, &what);
	return !d->overlaps;
}

static bool
check_alias(void *arg, grant_name name)
{
	struct denial *d = arg;
	struct name_text text;
	struct pattern alias = grants_pattern(d->lint->grants, name, &text);

	d->overlaps = (grants_about(d->lint->grants, name) & NAME_ALIAS) != 0 &&
		      rights_overlap(&d->right, &alias);
	return !d->overlaps;
}

/* Ask the decision itself, where the denial is about one pair. */
static bool
is_allowed(struct denial *d)
{
	struct buffer sender = {0};
	struct verdict verdict;

	if (d->right.kind == PATTERN_OWN_AT) {
		const char *at =
		    memrchr(d->left.text.data, '@', d->left.text.len);
		size_t len = at == NULL ? d->left.text.len
					: (size_t)(at - d->left.text.data);

		buffer_format(&sender, "%" SPAN_FMT "@%" SPAN_FMT, (int)len,
			      d->left.text.data, SPAN_ARG(d->right.text));
	} else {
		buffer_add(&sender, d->right.text);
	}
	verdict = decide(&d->plain, d->lint->decider, d->left.text,
			 buffer_span(&sender), NULL);
	buffer_fini(&sender);
	return verdict.kind != VERDICT_REJECT;
}

static bool
denies_something(struct denial *d)
{
	const struct settings *settings = d->lint->snapshot->settings;
	bool one_pair =
	    d->left.kind == PATTERN_ADDRESS &&
	    (d->right.kind == PATTERN_ADDRESS ||
	     d->right.kind == PATTERN_NULL || d->right.kind == PATTERN_OWN_AT);

	if (one_pair)
		return is_allowed(d);
	if (d->left.kind == PATTERN_ANY || d->lint->snapshot->rule_count > 0 ||
	    settings->unlisted_sender == ANSWER_ALLOW ||
	    (d->right.kind == PATTERN_NULL &&
	     settings->null_sender == ANSWER_ALLOW) ||
	    (settings->self && rights_overlap(&d->right, &d->left)))
		return true;
	d->overlaps = false;
	(void)grants_each(d->lint->grants, check_grant, d);
	if (!d->overlaps)
		(void)grants_each_name(d->lint->grants, check_alias, d);
	return d->overlaps;
}

static bool
check_denial(void *arg, grant_name left, grant_name right, bool denial,
	     struct origin origin)
{
	struct denial *d = arg;
	char *who;
	char *what;

	if (!denial)
		return true;
	d->left = grants_pattern(d->lint->grants, left, &d->left_text);
	d->right = grants_pattern(d->lint->grants, right, &d->right_text);
	if (denies_something(d))
		return true;
	who = lint_spell(d->lint, left);
	what = lint_spell(d->lint, right);
	lint_warn(d->lint, origin,
		  "!%s denies nothing: without it %s could not use that "
		  "either; leave it out, or mend its spelling",
		  what, who);
	free(who);
	free(what);
	return true;
}

/* What without_denials() copies from and into. */
struct copy {
	const struct grants *from;
	struct grants *to;
};

static bool
copy_grant(void *arg, grant_name left, grant_name right, bool denial,
	   struct origin origin)
{
	struct copy *copy = arg;
	struct name_text texts[2];
	/* Where it stands is not asked for again. */
	const struct map_entry entry = {
	    .kind = ENTRY_GRANT,
	    .left = grants_pattern(copy->from, left, &texts[0]),
	    .right = grants_pattern(copy->from, right, &texts[1]),
	};

	(void)origin;
	return denial || grants_add(copy->to, &entry, 0);
}

/* Copy what is known of a name besides grants. */
static bool
copy_name(void *arg, grant_name name)
{
	struct copy *copy = arg;
	struct name_text texts[2];
	struct map_entry entry = {
	    .kind = ENTRY_ACCOUNT,
	    .left = grants_pattern(copy->from, name, &texts[0]),
	};
	size_t count;
	const struct grant_edge *edges = grants_edges(copy->from, name, &count);

	if ((grants_about(copy->from, name) & NAME_ACCOUNT) != 0 &&
	    !grants_add(copy->to, &entry, 0))
		return false;
	entry.kind = ENTRY_ALIAS;
	for (size_t i = 0; i < count; i++) {
		entry.right =
		    grants_pattern(copy->from, edges[i].to, &texts[1]);
		entry.line = edges[i].origin.line;
		if (!grants_add(copy->to, &entry, edges[i].origin.map))
			return false;
	}
	return true;
}

/* The grants less their denials; NULL without memory. */
static struct grants *
without_denials(const struct grants *grants)
{
	struct copy copy = {grants, grants_new()};

	if (copy.to != NULL && grants_each(grants, copy_grant, &copy) &&
	    grants_each_name(grants, copy_name, &copy) && grants_seal(copy.to))
		return copy.to;
	grants_free(copy.to);
	return NULL;
}

void
lint_denials(struct lint *lint)
{
	struct denial denial = {.lint = lint, .plain = *lint->snapshot};

	if (lint->counts.denials == 0)
		return;
	denial.plain.grants = without_denials(lint->grants);
	if (denial.plain.grants != NULL)
		(void)grants_each(lint->grants, check_denial, &denial);
	grants_free(denial.plain.grants);
}
