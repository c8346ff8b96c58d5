/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "base/lines.h"
#include "base/memory.h"
#include "base/nearest.h"
#include "settings_internal.h"

#include <assert.h>
#include <stdlib.h>

/* What stands in front of a setting's name in the environment. */
static const char environment_prefix[] = "FROMGUARD_";

enum { NAME_MAX_LEN = 64 };

struct loading {
	struct settings *settings;
	struct problems *problems;
	uint32_t *lines; /* of each row, where the file has set it; or 0 */
};

/* Where a "name = value" stands. */
struct place {
	enum setting_source source;
	const char *file;
	uint32_t line;
};

/* Spell a setting's name as it is written at the place. */
static void
spell_name(const struct place *place, struct span name,
	   char out[NAME_MAX_LEN + sizeof(environment_prefix)])
{
	bool upper = place->source == SOURCE_ENVIRONMENT;
	size_t n = 0;

	for (const char *c = upper ? environment_prefix : ""; *c != '\0'; c++)
		out[n++] = *c;
	for (size_t i = 0; i < name.len && i < NAME_MAX_LEN; i++) {
		char c = name.data[i];

		out[n++] =
		    upper && c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
	}
	out[n] = '\0';
}

static void
say_unknown(struct loading *loading, const struct place *place,
	    struct span written, struct span name)
{
	char spelled[NAME_MAX_LEN + sizeof(environment_prefix)];
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t i = 0; i < setting_count(); i++)
		nearest_offer(&nearest, span_text(setting_at(i)->info.name));
	if (nearest.name.len > 0) {
		spell_name(place, nearest.name, spelled);
		problems_add(loading->problems, PROBLEM_ERROR, place->file,
			     place->line,
			     "unknown setting %" SPAN_FMT " (did you mean %s?)",
			     SPAN_ARG(written), spelled);
	} else {
		problems_add(loading->problems, PROBLEM_ERROR, place->file,
			     place->line, "unknown setting %" SPAN_FMT,
			     SPAN_ARG(written));
	}
}

/* Warn of a name that the file has twice: the last one counts, as in Postfix.
 */
static void
note_line(struct loading *loading, const struct place *place, size_t i)
{
	if (place->source != SOURCE_FILE)
		return;
	if (loading->lines[i] != 0)
		problems_add(loading->problems, PROBLEM_WARNING, place->file,
			     place->line,
			     "%s is set on line %u already; the last one "
			     "counts",
			     setting_at(i)->info.name, loading->lines[i]);
	loading->lines[i] = place->line;
}

/* Set what is called name; written is how the name was spelled. */
static void
assign(struct loading *loading, const struct place *place, struct span written,
       struct span name, struct span value)
{
	const struct setting *setting;
	struct error error;
	size_t i;

	if (!setting_find(name, &i)) {
		say_unknown(loading, place, written, name);
		return;
	}
	setting = setting_at(i);
	note_line(loading, place, i);
	if (setting->type->parse(setting, span_trim(value),
				 setting_field(loading->settings, setting),
				 &error))
		loading->settings->sources[i] = place->source;
	else
		problems_add(loading->problems, PROBLEM_ERROR, place->file,
			     place->line, "%" SPAN_FMT ": %s",
			     SPAN_ARG(written), error.text);
}

/* Divide at the first '='; false where there is none. */
static bool
divide(struct span text, struct span *name, struct span *value)
{
	const char *equals = memchr(text.data, '=', text.len);
	size_t len = equals == NULL ? 0 : (size_t)(equals - text.data);

	if (equals == NULL)
		return false;
	*name = span_trim(span_of(text.data, len));
	*value = span_from(text, len + 1);
	return true;
}

/* Take one "name = value" of the file or of -o. */
static void
take(struct loading *loading, const struct place *place, struct span text)
{
	struct span name;
	struct span value;

	if (divide(text, &name, &value) && name.len > 0)
		assign(loading, place, name, name, value);
	else
		problems_add(
		    loading->problems, PROBLEM_ERROR, place->file, place->line,
		    "\"%" SPAN_FMT "\" is not NAME = VALUE", SPAN_ARG(text));
}

static void
load_defaults(struct settings *settings)
{
	for (size_t i = 0; i < setting_count(); i++) {
		const struct setting *setting = setting_at(i);
		bool taken = setting->type->parse(
		    setting, span_text(setting->info.default_text),
		    setting_field(settings, setting), NULL);

		assert(taken);
		(void)taken; /* with NDEBUG nobody looks */
	}
}

/* Say why the file was not read, without its name twice. */
static void
say_unread(struct loading *loading, const char *path, const struct error *error)
{
	const char *text = error->text;
	size_t len = strlen(path);

	if (strncmp(text, path, len) == 0 && strncmp(text + len, ": ", 2) == 0)
		text += len + 2;
	problems_add(loading->problems, PROBLEM_ERROR, path, 0, "%s", text);
}

static void
load_file(struct loading *loading, const char *path)
{
	struct place place = {.source = SOURCE_FILE, .file = path};
	struct lines lines;
	struct error error;
	struct span line;
	char *content;
	size_t len;

	if (file_read(path, &content, &len, &error) != FILE_READ) {
		say_unread(loading, path, &error);
		return;
	}
	lines_init(&lines, content, len, path, loading->problems);
	while (lines_next(&lines, &line, &place.line))
		take(loading, &place, line);
	free(content);
}

/* Take one NAME=VALUE of the environment where it is meant for us. */
static void
load_variable(struct loading *loading, struct span text)
{
	const struct place place = {
	    .source = SOURCE_ENVIRONMENT,
	    .file = "environment",
	};
	const size_t prefix = sizeof(environment_prefix) - 1;
	char lower[NAME_MAX_LEN];
	struct span written;
	struct span name;
	struct span value;

	if (!divide(text, &written, &value) || written.len < prefix ||
	    memcmp(written.data, environment_prefix, prefix) != 0 ||
	    span_is(written, "FROMGUARD_CONFIG"))
		return;
	name = span_from(written, prefix);
	if (name.len <= sizeof(lower)) {
		for (size_t i = 0; i < name.len; i++)
			lower[i] = name.data[i] >= 'a' && name.data[i] <= 'z'
				       ? '?' /* only upper case is a name */
				       : byte_lower(name.data[i]);
		name = span_of(lower, name.len);
	}
	assign(loading, &place, written, name, value);
}

static void
load_options(struct loading *loading, const char *const *options, size_t count)
{
	const struct place place = {.source = SOURCE_OPTION, .file = "-o"};

	for (size_t i = 0; i < count; i++)
		take(loading, &place, span_text(options[i]));
}

struct settings *
settings_load(const char *path, char *const *environment,
	      const char *const *options, size_t option_count,
	      struct problems *problems)
{
	struct settings *settings = memory_zero(1, sizeof(*settings));
	struct loading loading = {
	    .settings = settings,
	    .problems = problems,
	    .lines = memory_zero(setting_count(), sizeof(*loading.lines)),
	};
	size_t errors_before = problems->errors;

	if (path == NULL)
		path = "";
	settings->file = memory_copy(path, strlen(path));
	settings->sources =
	    memory_zero(setting_count(), sizeof(*settings->sources));
	load_defaults(settings);
	if (path[0] != '\0')
		load_file(&loading, path);
	for (; environment != NULL && *environment != NULL; environment++)
		load_variable(&loading, span_text(*environment));
	load_options(&loading, options, option_count);
	free(loading.lines);
	if (problems->errors == errors_before)
		return settings;
	settings_free(settings);
	return NULL;
}

void
settings_free(struct settings *settings)
{
	if (settings == NULL)
		return;
	for (size_t i = 0; i < setting_count(); i++) {
		const struct setting *setting = setting_at(i);

		if (setting->type->release != NULL)
			setting->type->release(
			    setting_field(settings, setting));
	}
	free(settings->file);
	free(settings->sources);
	free(settings);
}
