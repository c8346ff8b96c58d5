/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks a pcre: map for keys, as `postmap -q - pcre:FILE` does: keys on standard
 * input, "KEY<tab>OWNER<tab>OWNER..." for each that some rule matches. Problems
 * go to standard error. Exit status 1 where there was an error among them.
 */
#include "maps/map.h"

#include <stdio.h>
#include <stdlib.h>

static void
print_problems(const struct problems *problems)
{
	char text[8192];

	for (size_t i = 0; i < problems->count; i++) {
		problem_format(&problems->list[i], text, sizeof(text));
		(void)fprintf(stderr, "%s\n", text);
	}
}

/* Ask for one key and print what comes of it. */
static void
query(const struct rules *rules, struct rules_scratch *scratch, struct span key)
{
	static const char *const marks[] = {[RULE_OWNER_NAME] = "",
					    [RULE_OWNER_DOMAIN] = "@",
					    [RULE_OWNER_ANY] = ""};
	enum rule_owner_kind kind;
	enum rules_result result;
	struct span owner;
	uint32_t line;

	rules_begin(scratch, 1000000, 10000000);
	result = rules_lookup(rules, scratch, key, &line);
	if (result == RULES_MISS)
		return;
	(void)printf("%" SPAN_FMT, SPAN_ARG(key));
	if (result == RULES_TROUBLE)
		(void)printf("\ttrouble in line %u", line);
	else
		for (size_t i = 0;
		     rules_owner(rules, scratch, i, &kind, &owner); i++)
			(void)printf("\t%s%" SPAN_FMT, marks[kind],
				     SPAN_ARG(owner));
	(void)printf("\n");
}

int
main(int argc, char **argv)
{
	struct map_spec spec = {.type = MAP_PCRE};
	struct rules_scratch *scratch = rules_scratch_new();
	struct problems problems;
	struct rules *rules;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	bool errors;

	if (argc != 2 || scratch == NULL) {
		(void)fprintf(stderr, "usage: rules_query FILE <KEYS\n");
		return 64;
	}
	spec.path = argv[1];
	problems_init(&problems);
	rules = map_load_rules(&spec, "table", &problems);
	print_problems(&problems);
	while (rules != NULL && (len = getline(&line, &room, stdin)) > 0) {
		if (line[len - 1] == '\n')
			len--;
		query(rules, scratch, span_of(line, (size_t)len));
	}
	errors = problems.errors > 0 || rules == NULL;
	free(line);
	rules_free(rules);
	rules_scratch_free(scratch);
	problems_fini(&problems);
	return errors ? 1 : 0;
}
