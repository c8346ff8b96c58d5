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
	struct pattern pattern = grants_pattern(counting->from, name);

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
	grant_name other = counterpart(counting, name);

	if (about & NAME_LOGIN &&
	    (other == 0 || !(grants_about(counting->in, other) & NAME_LOGIN)))
		counting->owners++;
	if (about & NAME_ALIAS)
		count_edges(counting, name, other);
	return true;
}

static struct counting
count(const struct snapshot *from, const struct snapshot *in)
{
	struct counting counting = {
	    .from = from->grants,
	    .in = in->grants,
	};

	/* Both visit everything, as no visit says no. */
	(void)grants_each(counting.from, count_grant, &counting);
	(void)grants_each_name(counting.from, count_name, &counting);
	return counting;
}

void
changes_find(const struct snapshot *old, const struct snapshot *new,
	     struct changes *changes)
{
	struct counting added = count(new, old);
	struct counting removed = count(old, new);

	*changes = (struct changes){
	    .grants = {added.grants, removed.grants},
	    .aliases = {added.aliases, removed.aliases},
	    .owners = {added.owners, removed.owners},
	};
}
