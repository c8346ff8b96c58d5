/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two sides of a grant can be, for one login and one sender. */
#include "base/memory.h"
#include "question.h"

#include <stdlib.h>

static bool
is_whole(struct span text, const struct address *address)
{
	return text.data == address->text && text.len == address->len;
}

/* The name of a side: the two that are asked for most are known. */
static grant_name
name_of(const struct decider *q, enum pattern_kind kind, struct span text)
{
	if (q->looked_up && kind == PATTERN_ADDRESS) {
		if (is_whole(text, &q->login))
			return q->login_name;
		if (is_whole(text, &q->sender))
			return q->sender_name;
	}
	return grants_name(q->grants, kind, text);
}

void
sides_add(struct decider *q, struct sides *sides, enum pattern_kind kind,
	  struct span text)
{
	grant_name name;

	if (q->trace == NULL && !grants_have_kind(q->grants, kind))
		return;
	name = name_of(q, kind, text);
	if (name == 0 && q->trace == NULL)
		return;
	if (sides->count == sides->room) {
		struct side *grown;

		/* Grows to the longest question once, then never again. */
		sides->room = sides->room == 0 ? 64 : sides->room * 2;
		grown = memory_zero(sides->room, sizeof(*grown));
		if (sides->count > 0)
			memcpy(grown, sides->list,
			       sides->count * sizeof(*grown));
		free(sides->list);
		sides->list = grown;
	}
	sides->list[sides->count++] = (struct side){kind, name, text};
}

bool
question_is_local_domain(const struct decider *q, struct span domain)
{
	const struct domain_list *domains = &q->settings->local_domains;

	for (size_t i = 0; i < domains->count; i++)
		if (span_equal(domains->list[i], domain))
			return true;
	return false;
}

static bool
login_is_local(const struct decider *q)
{
	return q->login.at == q->login.len;
}

bool
question_is_login_domain(const struct decider *q, struct span domain)
{
	if (login_is_local(q))
		return question_is_local_domain(q, domain);
	return q->login.domain_valid &&
	       span_equal(address_domain_of(&q->login), domain);
}

bool
question_is_login(const struct decider *q, const struct address *address)
{
	if (!address_is_listable(&q->login) || !address_is_listable(address))
		return false;
	if (span_equal(address_span(address), address_span(&q->login)))
		return true;
	return login_is_local(q) && address->at < address->len &&
	       span_equal(address_local(address), address_local(&q->login)) &&
	       question_is_local_domain(q, address_domain_of(address));
}

void
sides_of_login(struct decider *q)
{
	const struct domain_list *domains = &q->settings->local_domains;
	struct sides *lefts = &q->lefts;

	lefts->count = 0;
	if (address_is_listable(&q->login))
		sides_add(q, lefts, PATTERN_ADDRESS, address_span(&q->login));
	if (!login_is_local(q)) {
		if (q->login.domain_valid)
			sides_add(q, lefts, PATTERN_DOMAIN,
				  address_domain_of(&q->login));
		sides_add(q, lefts, PATTERN_ANY, SPAN_NONE);
		return;
	}
	for (size_t i = 0; i < domains->count; i++) {
		grant_name name;

		if (!q->login.local_valid ||
		    !address_parse(&q->scratch, address_span(&q->login),
				   domains->list[i]))
			continue;
		name = grants_name(q->grants, PATTERN_ADDRESS,
				   address_span(&q->scratch));
		if (name != 0)
			sides_add(q, lefts, PATTERN_ADDRESS,
				  address_span(&q->scratch));
	}
	for (size_t i = 0; i < domains->count; i++)
		sides_add(q, lefts, PATTERN_DOMAIN, domains->list[i]);
	sides_add(q, lefts, PATTERN_ANY, SPAN_NONE);
}

/* List an address as itself and as the login's own name at its domain. */
static void
list_address(struct decider *q, const struct address *address)
{
	if (!address_is_listable(address))
		return;
	sides_add(q, &q->rights, PATTERN_ADDRESS, address_span(address));
	if (address->at < address->len && q->login.local_valid &&
	    span_equal(address_local(address), address_local(&q->login)))
		sides_add(q, &q->rights, PATTERN_OWN_AT,
			  address_domain_of(address));
}

void
sides_of_sender(struct decider *q)
{
	struct span domain = address_domain_of(&q->sender);

	q->rights.count = 0;
	list_address(q, &q->sender);
	if (q->has_base)
		list_address(q, &q->base);
	if (q->sender.domain_valid) {
		const char *dot;

		sides_add(q, &q->rights, PATTERN_DOMAIN, domain);
		while ((dot = memchr(domain.data, '.', domain.len)) != NULL) {
			domain =
			    span_from(domain, (size_t)(dot - domain.data) + 1);
			sides_add(q, &q->rights, PATTERN_SUBDOMAINS, domain);
		}
	}
	sides_add(q, &q->rights, PATTERN_ANY, SPAN_NONE);
}
