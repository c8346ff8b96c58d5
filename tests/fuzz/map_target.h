/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the targets of map parsers have in common: any bytes as a map. What is
 * read is canonical and comes from lines without an error; what is wrong has
 * a line of the file; and what is granted is decided so.
 */
#ifndef FROMGUARD_TESTS_FUZZ_MAP_TARGET_H
#define FROMGUARD_TESTS_FUZZ_MAP_TARGET_H

#include "base/buffer.h"
#include "base/memory.h"
#include "maps/map.h"
#include "policy/decide.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef bool map_loader(char *content, size_t len,
			const struct map_context *context);

enum { ASKED_MAX = 24 }; /* entries that are put to the decision */

/* One entry, its texts copied. */
struct asked {
	struct map_entry entry;
	char *left;
	char *right;
};

struct reading {
	struct grants *grants;
	struct asked asked[ASKED_MAX];
	size_t count;
	bool denies;
	uint32_t last_line;
};

static void
check(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

/* A pattern's text is what reading it once more would make of it. */
static void
check_canonical(const struct pattern *pattern)
{
	static struct address address;

	if (pattern->kind != PATTERN_ADDRESS)
		return;
	check(address_parse(&address, pattern->text, SPAN_NONE),
	      "an address that is none");
	check(span_equal(address_span(&address), pattern->text),
	      "an address that is not canonical");
}

static bool
take(void *arg, const struct map_entry *entry)
{
	struct reading *reading = arg;
	struct asked *asked = &reading->asked[reading->count];

	check(entry->line >= reading->last_line, "a line that comes too late");
	reading->last_line = entry->line;
	check_canonical(&entry->left);
	if (entry->kind != ENTRY_ACCOUNT)
		check_canonical(&entry->right);
	reading->denies = reading->denies || entry->denial;
	if (reading->grants == NULL)
		return true;
	check(grants_add(reading->grants, entry, 0), "no memory");
	if (reading->count == ASKED_MAX || entry->denial)
		return true;
	asked->entry = *entry;
	asked->left = memory_copy(entry->left.text.data, entry->left.text.len);
	asked->right = memory_copy(
	    entry->kind == ENTRY_ACCOUNT ? "" : entry->right.text.data,
	    entry->kind == ENTRY_ACCOUNT ? 0 : entry->right.text.len);
	asked->entry.left.text.data = asked->left;
	asked->entry.right.text.data = asked->right;
	reading->count++;
	return true;
}

/* Write an address that a pattern stands for. */
static void
example(const struct pattern *pattern, const char *local, struct buffer *out)
{
	buffer_clear(out);
	switch (pattern->kind) {
	case PATTERN_ADDRESS:
		buffer_add(out, pattern->text);
		break;
	case PATTERN_DOMAIN:
	case PATTERN_OWN_AT:
		buffer_format(out, "%s@%" SPAN_FMT, local,
			      SPAN_ARG(pattern->text));
		break;
	case PATTERN_SUBDOMAINS:
		buffer_format(out, "%s@sub.%" SPAN_FMT, local,
			      SPAN_ARG(pattern->text));
		break;
	case PATTERN_ANY:
		buffer_format(out, "%s@any.example", local);
		break;
	case PATTERN_NULL:
	case PATTERN_KINDS:
		break;
	}
}

/* Who has been granted something may use it, but for denials. */
static void
ask(const struct snapshot *snapshot, struct decider *decider,
    const struct map_entry *entry, bool denies)
{
	static const char local[] = "zzz-nobodys";
	struct buffer login = {0};
	struct buffer sender = {0};
	struct verdict verdict;

	buffer_add(&sender, SPAN_NONE);
	switch (entry->kind) {
	case ENTRY_GRANT:
		example(&entry->left, local, &login);
		example(&entry->right, local, &sender);
		/* The login's own local part, at another domain. */
		if (entry->right.kind == PATTERN_OWN_AT &&
		    entry->left.kind == PATTERN_ADDRESS)
			goto done;
		break;
	case ENTRY_ALIAS:
		example(&entry->right, local, &login);
		example(&entry->left, local, &sender);
		break;
	case ENTRY_ACCOUNT:
		example(&entry->left, local, &login);
		example(&entry->left, local, &sender);
		break;
	}
	/* Too long to be anybody's: nothing has such a length in a map. */
	if (login.len > 1000 || sender.len > 1000)
		goto done;
	verdict = decide(snapshot, decider, buffer_span(&login),
			 buffer_span(&sender), NULL);
	check(verdict.kind == VERDICT_ALLOW ||
		  (denies && verdict.reason == REASON_DENIED),
	      "what is granted is not allowed");
done:
	buffer_fini(&login);
	buffer_fini(&sender);
}

static void
check_problems(const struct problems *problems, const uint8_t *data,
	       size_t size)
{
	uint32_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	for (size_t i = 0; i < problems->count; i++) {
		check(problems->list[i].line <= lines, "a line too many");
		check(problems->list[i].text[0] != '\0', "no reason");
	}
}

/* Settings that stay from input to input. */
static struct settings *
settings(void)
{
	static const char *const options[] = {
	    "maps=text:map", "local_domains=one.example, two.example",
	    "recipient_delimiter=+", "alias_depth=10"};
	static struct settings *kept;
	struct problems problems;

	if (kept == NULL) {
		problems_init(&problems);
		kept = settings_load(NULL, NULL, options, 4, &problems);
		check(kept != NULL, "the settings are wrong");
		problems_fini(&problems);
	}
	return kept;
}

static int
run_map(map_loader *load, const uint8_t *data, size_t size)
{
	static struct decider *decider;
	/* The hash is large, so that one input of eight makes one. */
	struct reading reading = {.grants =
				      size % 8 == 0 ? grants_new() : NULL};
	struct problems problems;
	struct snapshot_map map = {.spec = settings()->maps.list};
	struct snapshot snapshot = {
	    .settings = settings(), .grants = reading.grants, .maps = &map};
	struct map_context context = {
	    .name = "map",
	    .local_domains = snapshot.settings->local_domains.list,
	    .local_domain_count = snapshot.settings->local_domains.count,
	    .problems = &problems,
	    .sink = take,
	    .arg = &reading,
	};
	char *content = memory_copy((const char *)data, size);

	if (decider == NULL)
		decider = decider_new();
	problems_init(&problems);
	check(load(content, size, &context), "no memory");
	check_problems(&problems, data, size);
	check(reading.grants == NULL || grants_seal(reading.grants),
	      "no memory");
	for (size_t i = 0; i < reading.count; i++)
		ask(&snapshot, decider, &reading.asked[i].entry,
		    reading.denies);
	for (size_t i = 0; i < reading.count; i++) {
		free(reading.asked[i].left);
		free(reading.asked[i].right);
	}
	problems_fini(&problems);
	grants_free(reading.grants);
	free(content);
	return 0;
}

#endif
