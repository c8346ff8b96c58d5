/* SPDX-License-Identifier: BSD-2-Clause */
/* fromguard config: the settings in force, as fromguard.conf spells them. */
#include "base/buffer.h"
#include "cmd/cmd.h"
#include "cmd/output.h"

#include <stdio.h>
#include <stdlib.h>

static const char *
source_name(enum setting_source source)
{
	static const char *const names[] = {
	    [SOURCE_DEFAULT] = "default",
	    [SOURCE_FILE] = "file",
	    [SOURCE_ENVIRONMENT] = "environment",
	    [SOURCE_OPTION] = "option",
	};

	return names[source];
}

static void
print_text(const struct setting_info *row, const char *value)
{
	(void)printf("%s =%s", row->name, value[0] != '\0' ? " " : "");
	output_string(stdout, OUTPUT_PLAIN, value);
	(void)fputs("\n", stdout);
}

/* Add one member of a JSON object, and the comma in front of it. */
static void
add_member(struct buffer *out, const char *name, const char *value)
{
	buffer_format(out, ",\"%s\":", name);
	buffer_json(out, span_text(value));
}

/* Print one object a line, so that a line is what grep(1) finds. */
static void
print_json(const struct setting_info *row, const char *value,
	   enum setting_source source, bool first)
{
	struct buffer out = {0};

	buffer_add(&out, span_text(first ? "{\"name\":" : ",\n{\"name\":"));
	buffer_json(&out, span_text(row->name));
	add_member(&out, "value", value);
	add_member(&out, "default", row->default_text);
	add_member(&out, "source", source_name(source));
	add_member(&out, "range", row->range);
	add_member(&out, "help", row->help);
	buffer_format(&out, ",\"reloadable\":%s}",
		      row->reloadable ? "true" : "false");
	(void)fputs(out.data, stdout);
	buffer_fini(&out);
}

/* Print all settings, or those alone that are not as they are by default. */
static void
print_settings(const struct settings *settings, bool json, bool changed_only)
{
	const struct setting_info *row;
	bool first = true;

	if (json)
		(void)fputs("[", stdout);
	for (size_t i = 0; (row = settings_row(i)) != NULL; i++) {
		char *value = settings_format(settings, i);

		if (!changed_only || strcmp(value, row->default_text) != 0) {
			if (json)
				print_json(row, value,
					   settings_source(settings, i), first);
			else
				print_text(row, value);
			first = false;
		}
		free(value);
	}
	if (json)
		(void)fputs("]\n", stdout);
}

static int
config(const struct cmd_options *options, bool changed_only)
{
	struct settings *settings = cmd_settings(options);

	if (settings == NULL)
		return CMD_NO;
	print_settings(settings, options->json, changed_only);
	settings_free(settings);
	return CMD_OK;
}

int
cmd_config(int argc, char **argv)
{
	static const char short_options[] = "+c:o:nh";
	static const struct option long_options[] = {
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct cmd_options options = {0};
	bool changed_only = false;
	int c;

	while ((c = getopt_long(argc, argv, short_options, long_options,
				NULL)) != -1) {
		if (c == 'h')
			return cmd_help("config");
		if (c == 'c')
			options.config = optarg;
		else if (c == 'o')
			cmd_options_add(&options, optarg);
		else if (c == 'n')
			changed_only = true;
		else if (c == 'j')
			options.json = true;
		else
			return cmd_bad_option("config", argv, short_options,
					      long_options);
	}
	if (optind != argc)
		return cmd_usage("config", "there is an argument too many: %s",
				 argv[optind]);
	return config(&options, changed_only);
}
