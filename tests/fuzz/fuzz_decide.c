/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole decision, over maps that are the input. Its first byte chooses
 * settings; lines "=====" part what follows the first line: maps of the types
 * text, owners, virtual, aliases, accounts and pcre, a text map that is added
 * to them, and the questions, "LOGIN<tab>SENDER" each.
 *
 * Whatever the maps are: a trace changes nothing, nor does asking twice, nor
 * the spelling of an address; an allow can be explained; one more grant
 * never takes an allow away, and one more denial denies or changes nothing.
 */
#include "base/memory.h"
#include "maps/map.h"
#include "policy/decide.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { QUESTIONS_MAX = 16, MAPS = 6, PCRE = MAPS - 1, SETTINGS = 128 };

/* What of the added map is taken. */
enum added { ADD_NOTHING, ADD_GRANTS, ADD_DENIALS };

struct input {
	struct settings *settings;
	struct span maps[MAPS];
	struct span added;
	struct span questions;
};

/* The sink of one map. */
struct filling {
	struct grants *grants;
	uint16_t map;
	bool added;
	bool denials; /* of an added map: those, or all but those */
};

static struct decider *decider;

static void
check(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

/* Settings for each value of the first byte, made once. */
static struct settings *
settings_of(unsigned bits)
{
	static struct settings *kept[SETTINGS];
	const char *const options[] = {
	    "maps=text:t, owners:o, virtual:v, aliases:a, accounts:c, pcre:p, "
	    "text:added",
	    "rule_budget=10s", /* never the clock: two answers are compared */
	    (bits & 1) != 0 ? "unlisted_sender=allow"
			    : "unlisted_sender=reject",
	    (bits & 2) != 0 ? "unauthenticated=reject"
			    : "unauthenticated=allow",
	    (bits & 4) != 0 ? "forwards=grant" : "forwards=none",
	    (bits & 8) != 0 ? "alias_members=single" : "alias_members=all",
	    (bits & 16) != 0 ? "self=no" : "self=yes",
	    (bits & 32) != 0 ? "local_domains="
			     : "local_domains=one.example, two.example",
	    (bits & 64) != 0 ? "recipient_delimiter=+-"
			     : "recipient_delimiter=",
	};
	struct problems problems;

	bits %= SETTINGS;
	if (kept[bits] == NULL) {
		problems_init(&problems);
		kept[bits] = settings_load(NULL, NULL, options, COUNT(options),
					   &problems);
		check(kept[bits] != NULL, "the settings are wrong");
		problems_fini(&problems);
	}
	return kept[bits];
}

/* Cut off what stands before the next line "=====". */
static struct span
next_part(struct span *rest)
{
	static const char mark[] = "=====\n";
	const char *end = rest->len == 0 ? NULL
					 : memmem(rest->data, rest->len, mark,
						  sizeof(mark) - 1);
	struct span part = *rest;

	if (end == NULL) {
		*rest = SPAN_NONE;
		return part;
	}
	part.len = (size_t)(end - part.data);
	*rest = span_from(*rest, part.len + sizeof(mark) - 1);
	return part;
}

static struct span
next_line(struct span *rest, char end)
{
	const char *at =
	    rest->len == 0 ? NULL : memchr(rest->data, end, rest->len);
	struct span line = *rest;

	if (at != NULL)
		line.len = (size_t)(at - line.data);
	*rest = span_from(*rest, at == NULL ? line.len : line.len + 1);
	return line;
}

static struct input
divide(struct span rest)
{
	struct input input;
	struct span first = next_line(&rest, '\n');

	input.settings =
	    settings_of(first.len > 0 ? (unsigned char)first.data[0] : 0);
	for (size_t i = 0; i < MAPS; i++)
		input.maps[i] = next_part(&rest);
	input.added = next_part(&rest);
	input.questions = next_part(&rest);
	return input;
}

static bool
take(void *arg, const struct map_entry *entry)
{
	const struct filling *filling = arg;

	if (filling->added && entry->denial != filling->denials)
		return true;
	check(grants_add(filling->grants, entry, filling->map), "no memory");
	return true;
}

typedef bool map_loader(char *content, size_t len,
			const struct map_context *context);

static void
fill(map_loader *load, struct span text, const struct settings *settings,
     struct filling *filling)
{
	struct problems problems;
	struct map_context context = {
	    .name = "map",
	    .local_domains = settings->local_domains.list,
	    .local_domain_count = settings->local_domains.count,
	    .problems = &problems,
	    .sink = take,
	    .arg = filling,
	};
	/* The loader may write into what it reads. */
	char *content = memory_copy(text.data, text.len);

	problems_init(&problems);
	check(load(content, text.len, &context), "no memory");
	problems_fini(&problems);
	free(content);
}

static struct rules *
compile(struct span text)
{
	struct problems problems;
	char *content = memory_copy(text.data, text.len);
	struct rules *rules;

	problems_init(&problems);
	rules = rules_load("map", content, text.len, &problems);
	check(rules != NULL, "no memory");
	problems_fini(&problems);
	free(content);
	return rules;
}

/* Load the maps, and of the added one what is asked for. */
static void
load(struct snapshot *snapshot, const struct input *input, enum added added)
{
	static map_loader *const loaders[] = {
	    text_load, owners_load, virtual_load, aliases_load, accounts_load};
	struct filling filling = {.grants = grants_new()};

	check(filling.grants != NULL, "no memory");
	for (; filling.map < COUNT(loaders); filling.map++)
		fill(loaders[filling.map], input->maps[filling.map],
		     input->settings, &filling);
	filling.map = MAPS;
	filling.added = true;
	filling.denials = added == ADD_DENIALS;
	if (added != ADD_NOTHING)
		fill(text_load, input->added, input->settings, &filling);
	check(grants_seal(filling.grants), "no memory");
	snapshot->grants = filling.grants;
}

static bool
same(const struct verdict *a, const struct verdict *b)
{
	if (a->kind != b->kind || a->reason != b->reason ||
	    a->has_origin != b->has_origin)
		return false;
	return !a->has_origin || (a->origin.map == b->origin.map &&
				  a->origin.line == b->origin.line);
}

/* Ask with a trace; every allow of a login has a step that says why. */
static void
check_explained(const struct snapshot *snapshot, struct span login,
		struct span sender, const struct verdict *served)
{
	struct trace trace;
	struct verdict verdict;
	bool hit = login.len == 0;

	trace_init(&trace);
	verdict = decide(snapshot, decider, login, sender, &trace);
	check(same(&verdict, served), "a trace changes the verdict");
	for (size_t i = 0; i < trace.count; i++)
		hit = hit || trace.steps[i].result == TRACE_HIT;
	check(hit || verdict.kind != VERDICT_ALLOW,
	      "an allow without an explanation");
	trace_fini(&trace);
}

/* Ask for the canonical spelling. Rules see a sender as it arrived. */
static void
check_spelling(const struct snapshot *snapshot, struct span login,
	       struct span sender, const struct verdict *served)
{
	static struct address who;
	static struct address what;
	const struct domain_list *local = &snapshot->settings->local_domains;
	struct verdict verdict;

	if (snapshot->rule_count > 0 ||
	    !address_parse(&who, login, SPAN_NONE) ||
	    !address_parse(&what, sender,
			   local->count > 0 ? local->list[0] : SPAN_NONE))
		return;
	/* No login and the null sender have no other spelling. */
	if ((who.len == 0) != (login.len == 0) ||
	    (what.len == 0) != (sender.len == 0) || sender.len == 0)
		return;
	verdict = decide(snapshot, decider, address_span(&who),
			 address_span(&what), NULL);
	check(same(&verdict, served), "a spelling changes the verdict");
}

static void
check_added(const struct snapshot *more, enum added added, struct span login,
	    struct span sender, const struct verdict *before)
{
	struct verdict after = decide(more, decider, login, sender, NULL);

	/* What is owned is not unlisted any more. */
	if (login.len == 0 || before->reason == REASON_UNLISTED)
		return;
	if (added == ADD_GRANTS)
		check(before->kind != VERDICT_ALLOW ||
			  after.kind == VERDICT_ALLOW,
		      "a grant takes an allow away");
	else
		check(after.reason == REASON_DENIED || same(&after, before),
		      "a denial does something else than to deny");
}

static void
check_question(const struct snapshot *snapshot, const struct snapshot *more,
	       enum added added, struct span line)
{
	struct span login = next_line(&line, '\t');
	struct span sender = line;
	struct verdict served = decide(snapshot, decider, login, sender, NULL);
	struct verdict again;

	check_explained(snapshot, login, sender, &served);
	check_spelling(snapshot, login, sender, &served);
	check_added(more, added, login, sender, &served);
	again = decide(snapshot, decider, login, sender, NULL);
	check(same(&again, &served), "asked again, it is another verdict");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = divide(span_of((const char *)data, size));
	enum added added = size % 2 == 0 ? ADD_GRANTS : ADD_DENIALS;
	struct snapshot_map maps[MAPS + 1] = {0};
	struct snapshot snapshot = {.settings = input.settings, .maps = maps};
	struct snapshot more;

	if (input.questions.len == 0)
		return 0;
	if (decider == NULL)
		decider = decider_new();
	check(decider != NULL, "no memory");
	for (size_t i = 0; i < COUNT(maps); i++)
		maps[i].spec = &input.settings->maps.list[i];
	maps[PCRE].rules = compile(input.maps[PCRE]);
	snapshot.rule_count = rules_count(maps[PCRE].rules);
	more = snapshot;
	load(&snapshot, &input, ADD_NOTHING);
	load(&more, &input, added);
	for (size_t i = 0; i < QUESTIONS_MAX && input.questions.len > 0; i++)
		check_question(&snapshot, &more, added,
			       next_line(&input.questions, '\n'));
	grants_free(snapshot.grants);
	grants_free(more.grants);
	rules_free(maps[PCRE].rules);
	return 0;
}
