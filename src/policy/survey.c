/* SPDX-License-Identifier: BSD-2-Clause */
#include "survey.h"
#include "base/memory.h"

struct sides
survey_keep(const struct sides *sides)
{
	struct sides kept = {
	    .list = memory_zero(sides->count, sizeof(*kept.list)),
	};

	for (size_t i = 0; i < sides->count; i++)
		if (sides->list[i].name != 0)
			kept.list[kept.count++] = sides->list[i];
	return kept;
}

const struct side *
survey_find(const struct sides *sides, grant_name name)
{
	for (size_t i = 0; i < sides->count; i++)
		if (sides->list[i].name == name)
			return &sides->list[i];
	return NULL;
}

void
survey_give(struct survey *survey, enum survey_kind kind,
	    const struct pattern *pattern, enum verdict_reason reason,
	    struct origin origin)
{
	const struct survey_item item = {kind, *pattern, reason, true, origin};

	survey->visit(survey->arg, &item);
}

bool
survey_try(struct survey *survey, struct span login, struct span sender,
	   struct span name)
{
	struct verdict verdict;
	struct survey_item item = {.kind = SURVEY_MAY,
				   .pattern = {PATTERN_ADDRESS, name}};

	verdict =
	    decide(survey->snapshot, survey->decider, login, sender, NULL);
	if (verdict.kind != VERDICT_ALLOW || verdict.reason == REASON_UNLISTED)
		return false;
	item.reason = verdict.reason;
	item.has_origin = verdict.has_origin;
	item.origin = verdict.origin;
	survey->visit(survey->arg, &item);
	return true;
}
