/* SPDX-License-Identifier: BSD-2-Clause */
#include "maps/map.h"
#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>

enum {
	LARGE_MAP = 1 << 20,
	SAMPLES = 64, /* and the bytes of one; all together less than a map */
	SAMPLE = 4096,
};

static const char *const type_names[MAP_TYPES] = {
    [MAP_TEXT] = "text",         [MAP_CDB] = "cdb",
    [MAP_PCRE] = "pcre",         [MAP_OWNERS] = "owners",
    [MAP_VIRTUAL] = "virtual",   [MAP_ALIASES] = "aliases",
    [MAP_ACCOUNTS] = "accounts",
};

const char *
map_type_name(enum map_type type)
{
	return type_names[type];
}

bool
map_spec_parse(struct span text, struct map_spec *spec, struct error *error)
{
	const char *colon;
	struct span type;

	spec->optional = text.len > 0 && text.data[0] == '?';
	if (spec->optional)
		text = span_from(text, 1);
	colon = memchr(text.data, ':', text.len);
	type =
	    span_of(text.data, colon == NULL ? 0 : (size_t)(colon - text.data));
	for (int i = 0; colon != NULL && i < MAP_TYPES; i++) {
		if (!span_is(type, type_names[i]))
			continue;
		spec->type = (enum map_type)i;
		text = span_from(text, type.len + 1);
		if (text.len == 0 || memchr(text.data, '\0', text.len) != NULL)
			break;
		spec->path = memory_copy(text.data, text.len);
		return true;
	}
	error_set(error,
		  "\"%" SPAN_FMT
		  "\" is no map: it is TYPE:PATH, and TYPE is text, "
		  "cdb, pcre, owners, virtual, aliases or accounts",
		  SPAN_ARG(text));
	return false;
}

/* Say why a file was not read, without its name twice. */
static void
say_unread(const struct map_spec *spec, const char *name,
	   struct problems *problems, const struct error *error)
{
	const char *text = error->text;
	size_t len = strlen(spec->path);

	if (strncmp(text, spec->path, len) == 0 &&
	    strncmp(text + len, ": ", 2) == 0)
		text += len + 2;
	problems_add(problems, PROBLEM_REFUSAL, name, 0, "%s", text);
}

/* Guess the number of addresses in a large map by looking at parts of it. */
static void
expect_names(const char *content, size_t len, const struct map_context *context)
{
	size_t found = 0;

	if (context->expect == NULL || len < LARGE_MAP)
		return;
	for (size_t i = 0; i < SAMPLES; i++) {
		const char *part = content + len / SAMPLES * i;

		for (size_t k = 0; k < SAMPLE; k++)
			found += part[k] == '@';
	}
	context->expect(context->arg, found * (len / SAMPLES / SAMPLE));
}

/* Hand the content to the loader of its type. */
static bool
load_content(enum map_type type, char *content, size_t len,
	     const struct map_context *context)
{
	switch (type) {
	case MAP_TEXT:
		return text_load(content, len, context);
	case MAP_CDB:
		return cdb_load(content, len, context);
	case MAP_OWNERS:
		return owners_load(content, len, context);
	case MAP_VIRTUAL:
		return virtual_load(content, len, context);
	case MAP_ALIASES:
		return aliases_load(content, len, context);
	case MAP_ACCOUNTS:
		return accounts_load(content, len, context);
	case MAP_PCRE:
	case MAP_TYPES:
		break;
	}
	problems_add(context->problems, PROBLEM_REFUSAL, context->name, 0,
		     "a %s map has rules, not entries",
		     map_type_name(MAP_PCRE));
	return true;
}

/* Read the file of a map; false, told or meant so, where there is none. */
static bool
read_map(const struct map_spec *spec, const char *name,
	 struct problems *problems, char **content, size_t *len)
{
	struct error error;
	enum file_result result = file_read(spec->path, content, len, &error);

	if (result == FILE_READ)
		return true;
	if (result == FILE_REFUSED || !spec->optional)
		say_unread(spec, name, problems, &error);
	return false;
}

bool
map_load(const struct map_spec *spec, const struct map_context *context)
{
	char *content;
	size_t len;
	bool done;

	if (!read_map(spec, context->name, context->problems, &content, &len))
		return true;
	expect_names(content, len, context);
	done = load_content(spec->type, content, len, context);
	if (!done)
		problems_add(context->problems, PROBLEM_REFUSAL, context->name,
			     0, "out of memory");
	free(content);
	return done;
}

struct rules *
map_load_rules(const struct map_spec *spec, const char *name,
	       struct problems *problems)
{
	char *content = NULL;
	size_t len = 0;
	struct rules *rules;
	char none[1] = "";

	if (!read_map(spec, name, problems, &content, &len))
		return rules_load(name, none, 0, problems);
	rules = rules_load(name, content, len, problems);
	if (rules == NULL)
		problems_add(problems, PROBLEM_REFUSAL, name, 0,
			     "out of memory");
	free(content);
	return rules;
}
