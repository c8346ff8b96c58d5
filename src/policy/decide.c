/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decision, as far as self and literal grants make it. Read
 * decide_answer() at the end first.
 */
#include "policy/decide.h"
#include "base/memory.h"
#include "question.h"

#include <stdlib.h>

static const char *const reason_names[REASON_COUNT] = {
    [REASON_SELF] = "self",
    [REASON_EXACT] = "exact",
    [REASON_DOMAIN] = "domain",
    [REASON_ANY] = "any",
    [REASON_RULE] = "rule",
    [REASON_ALIAS] = "alias",
    [REASON_NO_LOGIN] = "no-login",
    [REASON_NULL] = "null-sender",
    [REASON_UNLISTED] = "unlisted",
    [REASON_NOT_OWNED] = "not-owned",
    [REASON_DENIED] = "denied",
    [REASON_NOT_LOGGED_IN] = "not-logged-in",
    [REASON_RULE_LIMIT] = "rule-limit",
    [REASON_NO_SNAPSHOT] = "no-snapshot",
};

const char *
verdict_reason_name(enum verdict_reason reason)
{
	return reason_names[reason];
}

const char *
verdict_kind_name(enum verdict_kind kind)
{
	switch (kind) {
	case VERDICT_ALLOW:
		return "allow";
	case VERDICT_REJECT:
		return "reject";
	case VERDICT_TROUBLE:
		break;
	}
	return "trouble";
}

enum verdict_reason
question_reason(enum pattern_kind kind)
{
	switch (kind) {
	case PATTERN_DOMAIN:
	case PATTERN_SUBDOMAINS:
		return REASON_DOMAIN;
	case PATTERN_ANY:
		return REASON_ANY;
	default:
		return REASON_EXACT;
	}
}

struct decider *
decider_new(void)
{
	struct decider *q = memory_zero(1, sizeof(*q));

	q->rules = rules_scratch_new();
	q->chain = chain_new();
	if (q->rules == NULL) {
		decider_free(q);
		return NULL;
	}
	return q;
}

void
decider_free(struct decider *q)
{
	if (q == NULL)
		return;
	rules_scratch_free(q->rules);
	chain_free(q->chain);
	free(q->lefts.list);
	free(q->rights.list);
	free(q);
}

bool
decider_hit_limit(const struct decider *q)
{
	return q->trouble;
}

static struct verdict
verdict_of(enum verdict_kind kind, enum verdict_reason reason)
{
	return (struct verdict){.kind = kind, .reason = reason};
}

static struct verdict
verdict_by(enum verdict_kind kind, enum verdict_reason reason,
	   struct origin origin)
{
	return (struct verdict){kind, reason, true, origin};
}

/* Spell a side for the trace; the buffer is the caller's to end. */
static const char *
spell(const struct decider *q, struct buffer *buffer, const struct side *side)
{
	struct pattern pattern = {side->kind, side->text};
	struct name_text text;

	if (side->name != 0)
		pattern = grants_pattern(q->grants, side->name, &text);
	buffer_clear(buffer);
	pattern_format(&pattern, buffer);
	return buffer->data;
}

/* Record that a pair was tried. */
static void
trace_pair(struct decider *q, const struct side *left, const struct side *right,
	   bool denial, const struct origin *origin)
{
	struct buffer who = {0};
	struct buffer what = {0};

	if (q->trace == NULL)
		return;
	trace_add(q->trace, origin != NULL ? TRACE_HIT : TRACE_MISS, origin,
		  "%s%s of %s to %s", origin != NULL ? "" : "no ",
		  denial ? "denial" : "grant", spell(q, &what, right),
		  spell(q, &who, left));
	buffer_fini(&who);
	buffer_fini(&what);
}

/* Try a right side with every left side. */
static bool
find_pair(struct decider *q, const struct side *right, bool denial,
	  struct origin *origin)
{
	for (size_t i = 0; i < q->lefts.count; i++) {
		const struct side *left = &q->lefts.list[i];

		if (!grants_any(q->grants, left->kind, right->kind, denial))
			continue;
		if (grants_find(q->grants, left->name, right->name, denial,
				origin)) {
			trace_pair(q, left, right, denial, origin);
			return true;
		}
		trace_pair(q, left, right, denial, NULL);
	}
	return false;
}

/* Try everything that the sender can be with everything the login can be. */
static const struct side *
find_grant(struct decider *q, bool denial, struct origin *origin)
{
	for (size_t i = 0; i < q->rights.count; i++)
		if (find_pair(q, &q->rights.list[i], denial, origin))
			return &q->rights.list[i];
	return NULL;
}

/* Is the sender, or its base, the login? */
static bool
is_self(struct decider *q)
{
	if (!q->settings->self) {
		trace_add(
		    q->trace, TRACE_NOTE, NULL,
		    "self = no: a login owns its own address by grant alone");
		return false;
	}
	if (question_is_login(q, &q->sender)) {
		trace_add(q->trace, TRACE_HIT, NULL, "the sender is the login");
		return true;
	}
	if (q->has_base && question_is_login(q, &q->base)) {
		trace_add(q->trace, TRACE_HIT, NULL,
			  "the sender less its extension is the login");
		return true;
	}
	trace_add(q->trace, TRACE_MISS, NULL, "the sender is not the login");
	return false;
}

/* Does any grant, account or alias know this name? */
static bool
is_known(const struct decider *q, const struct side *side)
{
	if (side->name == 0)
		return false;
	return (grants_about(q->grants, side->name) &
		(side->kind == PATTERN_ADDRESS
		     ? NAME_SENDER | NAME_LOGIN | NAME_ALIAS
		     : NAME_SENDER)) != 0;
}

/* Is there an owner of the sender, whoever it is? */
static bool
is_owned(struct decider *q)
{
	for (size_t i = 0; i < q->rights.count; i++)
		if (is_known(q, &q->rights.list[i]))
			return true;
	/* %n@domain is an address of somebody whose name has that local part;
	 * it counts for all of the domain. */
	if (grants_name(q->grants, PATTERN_OWN_AT,
			address_domain_of(&q->sender)) != 0)
		return true;
	return chain_has_owner(q);
}

/* Answer what no grant has decided. */
static struct verdict
decide_unowned(struct decider *q)
{
	bool unlisted = false;

	if (!q->trouble && q->settings->unlisted_sender == ANSWER_ALLOW)
		unlisted = !is_owned(q) && !q->trouble;
	if (q->trouble)
		return verdict_by(VERDICT_TROUBLE, REASON_RULE_LIMIT,
				  q->trouble_origin);
	if (unlisted) {
		trace_add(
		    q->trace, TRACE_HIT, NULL,
		    "unlisted_sender = allow, and nobody owns the sender");
		return verdict_of(VERDICT_ALLOW, REASON_UNLISTED);
	}
	return verdict_of(VERDICT_REJECT, REASON_NOT_OWNED);
}

/* Canonicalise the sender; false where it can be nobody's address. */
static bool
ask_for_sender(struct decider *q, struct span sender)
{
	const struct domain_list *domains = &q->settings->local_domains;

	q->raw_sender = sender;
	q->has_base = false;
	if (!address_parse(&q->sender, sender,
			   domains->count > 0 ? domains->list[0] : SPAN_NONE)) {
		trace_add(q->trace, TRACE_NOTE, NULL,
			  "an address of more than %d bytes can not be listed",
			  ADDRESS_MAX);
		return false;
	}
	if (q->sender.at == 0) {
		trace_add(q->trace, TRACE_NOTE, NULL,
			  "an address without a local part is nobody's");
		return false;
	}
	q->has_base = address_base(&q->sender, q->settings->recipient_delimiter,
				   &q->base);
	return true;
}

/* Canonicalise the login; one too long to be listed has no name. */
static void
ask_for_login(struct decider *q, struct span login)
{
	if (address_parse(&q->login, login, SPAN_NONE))
		return;
	q->login.at = q->login.len = 0;
	q->login.local_valid = q->login.domain_valid = false;
}

/* Nobody has logged in: the sender is free, or free where it is nobody's. */
static struct verdict
decide_no_login(struct decider *q, struct span sender)
{
	if (q->settings->unauthenticated == ANSWER_ALLOW || sender.len == 0 ||
	    !ask_for_sender(q, sender))
		return verdict_of(VERDICT_ALLOW, REASON_NO_LOGIN);
	ask_for_login(q, SPAN_NONE);
	sides_of_sender(q);
	if (is_owned(q))
		return verdict_of(VERDICT_REJECT, REASON_NOT_LOGGED_IN);
	if (q->trouble)
		return verdict_by(VERDICT_TROUBLE, REASON_RULE_LIMIT,
				  q->trouble_origin);
	return verdict_of(VERDICT_ALLOW, REASON_NO_LOGIN);
}

/* The null sender of bounces is nobody's address, but can be granted. */
static struct verdict
decide_null(struct decider *q)
{
	struct origin origin;

	sides_of_login(q);
	q->rights.count = 0;
	sides_add(q, &q->rights, PATTERN_NULL, SPAN_NONE);
	if (find_grant(q, true, &origin) != NULL)
		return verdict_by(VERDICT_REJECT, REASON_DENIED, origin);
	if (find_grant(q, false, &origin) != NULL)
		return verdict_by(VERDICT_ALLOW, REASON_EXACT, origin);
	trace_add(
	    q->trace,
	    q->settings->null_sender == ANSWER_ALLOW ? TRACE_HIT : TRACE_MISS,
	    NULL, "null_sender = %s",
	    q->settings->null_sender == ANSWER_ALLOW ? "allow" : "reject");
	return verdict_of(q->settings->null_sender == ANSWER_ALLOW
			      ? VERDICT_ALLOW
			      : VERDICT_REJECT,
			  REASON_NULL);
}

/* The usual question: a login and an address. */
static struct verdict
decide_address(struct decider *q)
{
	const struct side *found;
	enum verdict_reason reason;
	struct origin origin;

	grants_answer(q->grants, &q->ask, &q->login_name, &q->sender_name);
	q->looked_up = true;
	sides_of_login(q);
	sides_of_sender(q);
	if (find_grant(q, true, &origin) != NULL)
		return verdict_by(VERDICT_REJECT, REASON_DENIED, origin);
	if (is_self(q))
		return verdict_of(VERDICT_ALLOW, REASON_SELF);
	found = find_grant(q, false, &origin);
	if (found != NULL)
		return verdict_by(VERDICT_ALLOW, question_reason(found->kind),
				  origin);
	if (chain_leads_to_login(q, &reason, &origin))
		return verdict_by(VERDICT_ALLOW, reason, origin);
	return decide_unowned(q);
}

/* Take up a question about a snapshot, with a fresh budget. */
static void
begin(struct decider *q, const struct snapshot *snapshot, struct trace *trace)
{
	q->snapshot = snapshot;
	q->settings = snapshot->settings;
	q->grants = snapshot->grants;
	q->trace = trace;
	q->trouble = false;
	q->looked_up = false;
	rules_begin(q->rules, q->settings->rule_match_limit,
		    q->settings->rule_budget_us);
}

bool
question_start(struct decider *q, const struct snapshot *snapshot,
	       struct span sender, struct trace *trace)
{
	begin(q, snapshot, trace);
	ask_for_login(q, SPAN_NONE);
	if (sender.len == 0 || !ask_for_sender(q, sender))
		return false;
	sides_of_sender(q);
	return true;
}

void
question_start_login(struct decider *q, const struct snapshot *snapshot,
		     struct span login)
{
	begin(q, snapshot, NULL);
	ask_for_login(q, login);
	sides_of_login(q);
}

bool
question_reaches(struct decider *q, const struct snapshot *snapshot,
		 struct span login, struct span address)
{
	enum verdict_reason reason;
	struct origin origin;

	begin(q, snapshot, NULL);
	ask_for_login(q, login);
	if (address.len == 0 || !ask_for_sender(q, address))
		return false;
	return question_is_login(q, &q->sender) ||
	       (q->has_base && question_is_login(q, &q->base)) ||
	       chain_leads_to_login(q, &reason, &origin);
}

void
decide_ask(const struct snapshot *snapshot, struct decider *q,
	   struct span login, struct span sender, struct trace *trace)
{
	q->snapshot = snapshot;
	q->raw_login = login;
	q->raw_sender = sender;
	q->is_usual = false;
	if (snapshot == NULL)
		return;
	begin(q, snapshot, trace);
	if (login.len == 0 || sender.len == 0)
		return;
	ask_for_login(q, login);
	q->is_usual = ask_for_sender(q, sender);
	if (q->is_usual)
		grants_ask(q->grants, address_span(&q->login),
			   address_span(&q->sender), &q->ask);
}

void
decide_expect(struct decider *q)
{
	if (q->is_usual)
		grants_expect_answer(q->grants, &q->ask);
}

struct verdict
decide_answer(struct decider *q)
{
	if (q->is_usual)
		return decide_address(q);
	if (q->snapshot == NULL)
		return verdict_of(VERDICT_TROUBLE, REASON_NO_SNAPSHOT);
	if (q->raw_login.len == 0)
		return decide_no_login(q, q->raw_sender);
	ask_for_login(q, q->raw_login);
	if (q->raw_sender.len == 0)
		return decide_null(q);
	return verdict_of(VERDICT_REJECT, REASON_NOT_OWNED);
}

struct verdict
decide(const struct snapshot *snapshot, struct decider *q, struct span login,
       struct span sender, struct trace *trace)
{
	decide_ask(snapshot, q, login, sender, trace);
	decide_expect(q);
	return decide_answer(q);
}
