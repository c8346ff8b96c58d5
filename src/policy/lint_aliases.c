/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Aliases that lead in a circle or too far. A walk, deepest first, over the
 * names that have an alias, without recursion, since a file decides how deep
 * it goes. Rules as links are left out: they match what nobody has listed.
 */
#include "base/memory.h"
#include "lint.h"

#include <stdlib.h>

enum colour { WHITE, GREY, BLACK };

/* A name with an alias. */
struct alias {
	grant_name name;
	enum colour colour;
	uint32_t next;   /* edge to look at when the walk is here */
	uint32_t length; /* links of the longest chain from here */
	bool is_target;  /* another alias leads here */
};

struct walk {
	struct lint *lint;
	struct alias *aliases; /* by name */
	size_t count;
	size_t room;
	size_t *path; /* grey aliases, from the start to here */
	size_t depth;
	size_t path_room;
};

static bool
take_name(void *arg, grant_name name)
{
	struct walk *walk = arg;

	if ((grants_about(walk->lint->grants, name) & NAME_ALIAS) == 0)
		return true;
	if (!memory_try_grow((void **)&walk->aliases, &walk->room, walk->count,
			     sizeof(*walk->aliases)))
		return false;
	walk->aliases[walk->count++] = (struct alias){.name = name};
	return true;
}

static int
compare_aliases(const void *a, const void *b)
{
	const struct alias *x = a;
	const struct alias *y = b;

	return x->name < y->name ? -1 : x->name > y->name;
}

static struct alias *
find_name(const struct walk *walk, grant_name name)
{
	const struct alias key = {.name = name};

	return walk->count == 0 || name == 0
		   ? NULL
		   : bsearch(&key, walk->aliases, walk->count,
			     sizeof(*walk->aliases), compare_aliases);
}

/* Does delivery to this name go no further, whatever aliases say? */
static bool
is_end(const struct walk *walk, const struct pattern *pattern)
{
	return pattern->kind == PATTERN_ADDRESS &&
	       walk->lint->snapshot->settings->forwards == FORWARDS_NONE &&
	       lint_is_account(walk->lint, pattern->text);
}

/*
 * The alias that stands for an edge's target: of the address, of its base, or
 * of its domain; NULL where the chain ends there.
 */
static struct alias *
follow_edge(const struct walk *walk, const struct grant_edge *edge)
{
	const struct grants *grants = walk->lint->grants;
	const char *delimiter =
	    walk->lint->snapshot->settings->recipient_delimiter;
	struct name_text text;
	struct pattern to = grants_pattern(grants, edge->to, &text);
	struct alias *found = find_name(walk, edge->to);
	struct address address;
	struct address base;

	if (is_end(walk, &to))
		return NULL;
	if (found != NULL || to.kind != PATTERN_ADDRESS ||
	    !address_parse(&address, to.text, SPAN_NONE))
		return found;
	if (address_base(&address, delimiter, &base)) {
		struct pattern whole = {PATTERN_ADDRESS, address_span(&base)};

		if (is_end(walk, &whole))
			return NULL;
		found = find_name(walk, grants_name(grants, PATTERN_ADDRESS,
						    address_span(&base)));
	}
	if (found == NULL)
		found =
		    find_name(walk, grants_name(grants, PATTERN_DOMAIN,
						address_domain_of(&address)));
	/* An address that its own domain's catch-all leads to is one of the
	 * mailboxes at its end, not a circle. */
	if (found != NULL && found->colour == GREY &&
	    grants_kind(grants, found->name) == PATTERN_DOMAIN)
		return NULL;
	return found;
}

/* Name the circle that closes with this edge. */
static void
warn_loop(struct walk *walk, const struct alias *back, struct origin origin)
{
	struct buffer text = {0};
	size_t start = walk->depth;
	char *name;

	while (start > 0 && &walk->aliases[walk->path[start - 1]] != back)
		start--;
	for (size_t i = start > 0 ? start - 1 : 0; i < walk->depth; i++) {
		name =
		    lint_spell(walk->lint, walk->aliases[walk->path[i]].name);
		buffer_format(&text, "%s -> ", name);
		free(name);
	}
	name = lint_spell(walk->lint, back->name);
	lint_warn(walk->lint, origin,
		  "alias loop: %s%s: nobody is reached on this way", text.data,
		  name);
	free(name);
	buffer_fini(&text);
}

/* Go one alias deeper. */
static void
enter(struct walk *walk, struct alias *alias)
{
	if (!memory_try_grow((void **)&walk->path, &walk->path_room,
			     walk->depth, sizeof(*walk->path)))
		return;
	alias->colour = GREY;
	alias->length = 1;
	walk->path[walk->depth++] = (size_t)(alias - walk->aliases);
}

/* Finish the alias at the end of the path; its length counts one before. */
static void
leave(struct walk *walk)
{
	struct alias *done = &walk->aliases[walk->path[--walk->depth]];
	struct alias *before;

	done->colour = BLACK;
	if (walk->depth == 0)
		return;
	before = &walk->aliases[walk->path[walk->depth - 1]];
	if (done->length + 1 > before->length)
		before->length = done->length + 1;
}

/* Look at the next edge of the alias at the end of the path. */
static void
step(struct walk *walk)
{
	struct alias *here = &walk->aliases[walk->path[walk->depth - 1]];
	size_t count;
	const struct grant_edge *edges =
	    grants_edges(walk->lint->grants, here->name, &count);
	const struct grant_edge *edge;
	struct alias *to;

	if (here->next >= count) {
		leave(walk);
		return;
	}
	edge = &edges[here->next++];
	to = follow_edge(walk, edge);
	/* An alias that names itself keeps a copy; that is no loop. */
	if (to == NULL || to == here)
		return;
	to->is_target = true;
	if (to->colour == GREY)
		warn_loop(walk, to, edge->origin);
	else if (to->colour == WHITE)
		enter(walk, to);
	else if (to->length + 1 > here->length)
		here->length = to->length + 1;
}

/* Warn of a chain at its start, where nobody leads to it. */
static void
check_length(struct walk *walk, const struct alias *alias)
{
	uint32_t limit = walk->lint->snapshot->settings->alias_depth;
	size_t count;
	const struct grant_edge *edges =
	    grants_edges(walk->lint->grants, alias->name, &count);
	char *name;

	if (alias->is_target || alias->length <= limit)
		return;
	name = lint_spell(walk->lint, alias->name);
	lint_warn(walk->lint, edges[0].origin,
		  "the chain of aliases from %s has %u links, more than "
		  "alias_depth = %u: who is further away may not use it",
		  name, alias->length, limit);
	free(name);
}

void
lint_aliases(struct lint *lint)
{
	struct walk walk = {.lint = lint};

	(void)grants_each_name(lint->grants, take_name, &walk);
	if (walk.count > 0)
		qsort(walk.aliases, walk.count, sizeof(*walk.aliases),
		      compare_aliases);
	for (size_t i = 0; i < walk.count; i++) {
		struct name_text text;
		struct pattern from =
		    grants_pattern(lint->grants, walk.aliases[i].name, &text);

		if (walk.aliases[i].colour != WHITE || is_end(&walk, &from))
			continue;
		enter(&walk, &walk.aliases[i]);
		while (walk.depth > 0)
			step(&walk);
	}
	for (size_t i = 0; i < walk.count; i++)
		check_length(&walk, &walk.aliases[i]);
	free(walk.path);
	free(walk.aliases);
}
