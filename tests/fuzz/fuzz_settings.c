/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings: any bytes as a file, as an option, as a variable and as an
 * endpoint. What loads can be spelled and read back as the same; what does
 * not load says why.
 */
#include "base/buffer.h"
#include "base/memory.h"
#include "later.h"
#include "policy/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[] = "/tmp/fromguard-fuzz-XXXXXX";
static int file = -1;

static void
check(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

static void
remove_file(void)
{
	(void)unlink(path); /* nothing to be done about one that stays */
}

static void
write_file(struct span content)
{
	if (file == -1) {
		file = mkstemp(path);
		check(file != -1 && atexit(remove_file) == 0, "no file");
	}
	check(ftruncate(file, 0) == 0 && pwrite(file, content.data, content.len,
						0) == (ssize_t)content.len,
	      "the file can not be written");
}

/* Spell all settings as a file has them. */
static void
spell(const struct settings *settings, struct buffer *out)
{
	const struct setting_info *row;

	for (size_t i = 0; (row = settings_row(i)) != NULL; i++) {
		char *value = settings_format(settings, i);

		buffer_format(out, "%s = %s\n", row->name, value);
		free(value);
	}
}

static struct settings *
load(const char *from, char *const *environment, const char *const *options,
     size_t count)
{
	struct problems problems;
	struct settings *settings;

	problems_init(&problems);
	settings = settings_load(from, environment, options, count, &problems);
	check((settings == NULL) == (problems.errors > 0),
	      "errors are not what decides");
	problems_fini(&problems);
	return settings;
}

/* Check that what was loaded is the same once it is written and read. */
static void
read_back(struct settings *take_settings)
{
	struct buffer first = {0};
	struct buffer second = {0};
	struct settings *again;

	if (take_settings == NULL)
		return;
	spell(take_settings, &first);
	write_file(buffer_span(&first));
	again = load(path, NULL, NULL, 0);
	check(again != NULL, "what is spelled can not be read");
	spell(again, &second);
	check(span_equal(buffer_span(&first), buffer_span(&second)),
	      "what is read is not what was spelled");
	buffer_fini(&first);
	buffer_fini(&second);
	settings_free(take_settings);
	settings_free(again);
}

static void
try_endpoint(struct span text)
{
	struct endpoint endpoint;
	struct error error = {""};
	char *spelled;

	if (!endpoint_parse(text, &endpoint, &error)) {
		check(error.text[0] != '\0', "no reason is given");
		return;
	}
	spelled = endpoint_format(&endpoint);
	check(span_is(text, spelled) || endpoint.port != 0,
	      "an endpoint is spelled as another");
	free(spelled);
	free(endpoint.name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of((const char *)data, size);
	struct buffer variable = {0};
	char *option = memory_copy(text.data, text.len);
	const char *options[] = {option};
	char *environment[] = {NULL, NULL};

	write_file(text);
	read_back(load(path, NULL, NULL, 0));
	read_back(load(NULL, NULL, options, 1));
	buffer_format(&variable, "FROMGUARD_%s", option);
	environment[0] = variable.data;
	read_back(load(NULL, environment, NULL, 0));
	try_endpoint(text);
	buffer_fini(&variable);
	free(option);
	return 0;
}
