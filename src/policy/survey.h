/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two surveys share. */
#ifndef POLICY_SURVEY_INTERNAL_H
#define POLICY_SURVEY_INTERNAL_H

#include "nodes.h"
#include "policy/survey.h"
#include "question.h"

/* A survey under way. */
struct survey {
	const struct snapshot *snapshot;
	struct decider *decider;
	survey_visit *visit;
	void *arg;
};

/* Keep what a question lists; deciding lists anew. free() the list. */
struct sides survey_keep(const struct sides *sides);
/* The side with that name, or NULL. */
const struct side *survey_find(const struct sides *sides, grant_name name);

/* Give an item of a grant that is shown as it stands. */
void survey_give(struct survey *survey, enum survey_kind kind,
		 const struct pattern *pattern, enum verdict_reason reason,
		 struct origin origin);
/* Decide about a name; give it, with the verdict's reason, where the answer
 * is allow. name is the login or the sender that is new here. */
bool survey_try(struct survey *survey, struct span login, struct span sender,
		struct span name);

/* Give the rules that can give a sender to the login, and the alias domains
 * in front of them. listed are senders that may be the login's, domains the
 * links from one domain to another. */
void survey_rules(struct survey *survey, struct span login,
		  const struct nodes *listed, const struct grant_edge *domains,
		  size_t domain_count);

#endif
