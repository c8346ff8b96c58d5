/* SPDX-License-Identifier: BSD-2-Clause */
#include "name.h"

bool
name_parse(struct name *name, struct span text,
	   const struct map_context *context, struct error *error)
{
	bool local;

	if (!pattern_parse_sender(text, SPAN_NONE, &name->pattern, &name->bare,
				  error))
		return false;
	name->comparable = name->pattern.kind != PATTERN_ADDRESS ||
			   address_is_listable(&name->bare);
	local = name->pattern.kind == PATTERN_ADDRESS &&
		name->bare.at == name->bare.len;
	name->spellings = local && context->local_domain_count > 0
			      ? context->local_domain_count
			      : 1;
	if (local && context->local_domain_count > 0)
		name->pattern = name_spelling(name, 0, context);
	return true;
}

struct pattern
name_spelling(struct name *name, size_t i, const struct map_context *context)
{
	bool completes = name->pattern.kind == PATTERN_ADDRESS &&
			 name->bare.at == name->bare.len &&
			 context->local_domain_count > 0;

	if (!completes ||
	    !address_parse(&name->store, address_span(&name->bare),
			   context->local_domains[i]))
		return name->pattern;
	return (struct pattern){PATTERN_ADDRESS, address_span(&name->store)};
}

bool
name_give(struct map_entry entry, struct name *left, struct name *right,
	  const struct map_context *context)
{
	for (size_t i = 0; i < left->spellings; i++) {
		entry.left = name_spelling(left, i, context);
		for (size_t k = 0; k < right->spellings; k++) {
			entry.right = name_spelling(right, k, context);
			if (!context->sink(context->arg, &entry))
				return false;
		}
	}
	return true;
}
