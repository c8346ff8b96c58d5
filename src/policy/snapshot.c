/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/snapshot.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The sink of one map: its entries go into the grants. */
struct loading {
	struct snapshot *snapshot;
	uint16_t map;
};

static bool
take_entry(void *arg, const struct map_entry *entry)
{
	struct loading *loading = arg;

	loading->snapshot->maps[loading->map].entries++;
	return grants_add(loading->snapshot->grants, entry, loading->map);
}

static void
expect_names(void *arg, size_t names)
{
	struct loading *loading = arg;

	grants_expect(loading->snapshot->grants, names);
}

/* Load one map; false where there is no memory. */
static bool
load_map(struct snapshot *snapshot, uint16_t number, struct problems *problems)
{
	const struct settings *settings = snapshot->settings;
	const struct map_spec *spec = &settings->maps.list[number];
	struct snapshot_map *map = &snapshot->maps[number];
	struct loading loading = {snapshot, number};
	struct map_context context = {
	    .name = spec->path,
	    .local_domains = settings->local_domains.list,
	    .local_domain_count = settings->local_domains.count,
	    .problems = problems,
	    .sink = take_entry,
	    .expect = expect_names,
	    .arg = &loading,
	};

	map->spec = spec;
	map->missing = spec->optional && access(spec->path, F_OK) != 0;
	if (spec->type != MAP_PCRE)
		return map_load(spec, &context);
	map->rules = map_load_rules(spec, spec->path, problems);
	if (map->rules == NULL)
		return false;
	map->entries = rules_count(map->rules);
	snapshot->rule_count += map->entries;
	return true;
}

/* Load every map, so that all that is wrong is told in one go. */
static bool
load_maps(struct snapshot *snapshot, struct problems *problems)
{
	size_t count = snapshot->settings->maps.count;

	snapshot->grants = grants_new();
	snapshot->maps = memory_try_zero(count, sizeof(*snapshot->maps));
	if (snapshot->grants == NULL || snapshot->maps == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!load_map(snapshot, (uint16_t)i, problems))
			return false;
	return grants_seal(snapshot->grants);
}

/* Do the problems that were found forbid to serve what was read? */
static bool
may_serve(const struct settings *settings, const struct problems *problems)
{
	if (problems->refusals > 0)
		return false;
	return problems->errors == 0 || settings->map_errors == MAP_ERRORS_SKIP;
}

/* Append the problems of one list to another, those that are counted only as
 * well. */
static void
move_problems(struct problems *from, struct problems *to)
{
	size_t warnings = to->warnings + from->warnings;
	size_t errors = to->errors + from->errors;
	size_t refusals = to->refusals + from->refusals;

	for (size_t i = 0; i < from->count; i++)
		problems_add(to, from->list[i].severity, from->list[i].file,
			     from->list[i].line, "%s", from->list[i].text);
	to->warnings = warnings;
	to->errors = errors;
	to->refusals = refusals;
	problems_fini(from);
}

struct snapshot *
snapshot_load(struct settings *take_settings, struct problems *problems)
{
	struct snapshot *snapshot = memory_try_zero(1, sizeof(*snapshot));
	struct problems found;
	bool serves;

	problems_init(&found);
	if (snapshot == NULL) {
		settings_free(take_settings);
		problems_add(problems, PROBLEM_REFUSAL, "maps", 0,
			     "out of memory");
		return NULL;
	}
	snapshot->settings = take_settings;
	if (take_settings->maps.count > UINT16_MAX)
		problems_add(&found, PROBLEM_REFUSAL, "maps", 0,
			     "more than %d maps", UINT16_MAX);
	else if (!load_maps(snapshot, &found) && found.refusals == 0)
		problems_add(&found, PROBLEM_REFUSAL, "maps", 0,
			     "out of memory");
	snapshot->loaded_at = time(NULL);
	serves = may_serve(take_settings, &found);
	move_problems(&found, problems);
	if (serves)
		return snapshot;
	snapshot_free(snapshot);
	return NULL;
}

void
snapshot_free(struct snapshot *snapshot)
{
	if (snapshot == NULL)
		return;
	for (size_t i = 0;
	     snapshot->maps != NULL && i < snapshot->settings->maps.count; i++)
		rules_free(snapshot->maps[i].rules);
	free(snapshot->maps);
	grants_free(snapshot->grants);
	settings_free(snapshot->settings);
	free(snapshot);
}

char *
snapshot_origin(const struct snapshot *snapshot, struct origin origin)
{
	const struct map_spec *spec = snapshot->maps[origin.map].spec;
	char *text;
	int len =
	    asprintf(&text, spec->type == MAP_CDB ? "%s: record %u" : "%s:%u",
		     spec->path, origin.line);

	return len >= 0 ? text : memory_copy("", 0);
}
