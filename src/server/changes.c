/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/changes.h"

/* Counts what one set of grants has and another has not. */
struct counting {
	const struct grants *from;
	const struct grants *in;
	size_t grants;
	size_t aliases;
	size_t owners;
};

/* The name in the other set that spells the same; 0: none. */
static grant_name
counterpart(const struct counting *counting, grant_name name)
{
	struct name_text text;
	struct pattern pattern = grants_pattern(counting->from, name, &text);

	return grants_name(counting->in, pattern.kind, pattern.text);
}

static bool
count_grant(void *arg, grant_name left, grant_name right, bool denial,
	    struct origin origin)
{
	struct counting *counting = arg;

	/* Where it stands may have changed: that makes no other grant. */
	if (!grants_find(counting->in, counterpart(counting, left),
			 counterpart(counting, right), denial, &origin))
		counting->grants++;
	return true;
}

/* Where some aliases of one name lead, looked through in any order, but
 * quickest in their own. */
struct targets {
	const struct grant_edge *edges;
	size_t count;
	size_t next; /* behind the one that was found last */
};

static bool
has_target(struct targets *targets, grant_name to)
{
	for (size_t n = 0; to != 0 && n < targets->count; n++) {
		size_t i = (targets->next + n) % targets->count;

		if (targets->edges[i].to == to) {
			targets->next = i + 1;
			return true;
		}
	}
	return false;
}

/* Count the aliases that lead away from a name and not from the other. */
static void
count_edges(struct counting *counting, grant_name name, grant_name other)
{
	struct targets theirs = {0};
	size_t count;
	const struct grant_edge *edges =
	    grants_edges(counting->from, name, &count);

	theirs.edges = grants_edges(counting->in, other, &theirs.count);
	for (size_t i = 0; i < count; i++)
		if (!has_target(&theirs, counterpart(counting, edges[i].to)))
			counting->aliases++;
}

static bool
count_name(void *arg, grant_name name)
{
	struct counting *counting = arg;
	unsigned about = grants_about(counting->from, name);
	grant_name other;

	if ((about & (NAME_LOGIN | NAME_ALIAS)) == 0)
		return true;
	other = counterpart(counting, name);
	if (about & NAME_LOGIN &&
	    (other == 0 || !(grants_about(counting->in, other) & NAME_LOGIN)))
		counting->owners++;
	if (about & NAME_ALIAS)
		count_edges(counting, name, other);
	return true;
}

static size_t
total(const struct snapshot *snapshot)
{
	struct grants_counts counts;

	grants_count(snapshot->grants, &counts);
	return counts.grants;
}

void
changes_find(const struct snapshot *old, const struct snapshot *new,
	     struct changes *changes)
{
	struct counting added = {.from = new->grants, .in = old->grants};
	struct counting removed = {.from = old->grants, .in = new->grants};

	/* None of these visits ends early. */
	(void)grants_each_name(added.from, count_name, &added);
	(void)grants_each_name(removed.from, count_name, &removed);
	(void)grants_each(added.from, count_grant, &added);
	/* No grant is there twice, so this needs no second look at a million:
	 * what is not added is kept, and what is not kept is removed. */
	removed.grants = total(old) - (total(new) - added.grants);
	*changes = (struct changes){
	    .grants = {added.grants, removed.grants},
	    .aliases = {added.aliases, removed.aliases},
	    .owners = {added.owners, removed.owners},
	};
}
