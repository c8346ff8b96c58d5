/* SPDX-License-Identifier: BSD-2-Clause */
/* fromguard compile: maps into one compiled map. */
#include "base/memory.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "maps/cdb.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_STEP = 1 << 16 };

/* One run. */
struct compilation {
	const char *out;
	bool from_input; /* standard input is a text: map as well */
	char *const *maps;
	size_t map_count;
	struct settings *settings;
	struct cdb_writer *writer;
	struct problems problems;
	const char *name; /* of the map that is being read */
	size_t entries;
	bool terminal; /* somebody looks on */
	size_t percent;
};

/* Show how far it is, over what was shown before; NULL clears it. */
static void
show(const struct compilation *c, const char *doing, const char *name)
{
	if (!c->terminal)
		return;
	(void)fputs("\r\033[K", stderr);
	if (doing == NULL)
		return;
	(void)fprintf(stderr, "fromguard: %s ", doing);
	output_string(stderr, OUTPUT_PLAIN, name);
	(void)fflush(stderr);
}

static void
show_written(void *arg, size_t done, size_t total)
{
	struct compilation *c = arg;
	size_t percent = total > 0 ? done * 100 / total : 100;

	if (!c->terminal || percent == c->percent)
		return;
	c->percent = percent;
	show(c, "writing", c->out);
	(void)fprintf(stderr, " %zu %%", percent);
}

static bool
take_entry(void *arg, const struct map_entry *entry)
{
	struct compilation *c = arg;
	struct error error;

	c->entries++;
	if (cdb_writer_takes(entry, &error))
		return cdb_writer_add(c->writer, entry);
	problems_add(&c->problems, PROBLEM_ERROR, c->name, entry->line, "%s",
		     error.text);
	return true;
}

/* Start on the map of a name. */
static struct map_context
begin_map(struct compilation *c, const char *name)
{
	c->name = name;
	show(c, "reading", name);
	return (struct map_context){
	    .name = name,
	    .local_domains = c->settings->local_domains.list,
	    .local_domain_count = c->settings->local_domains.count,
	    .problems = &c->problems,
	    .sink = take_entry,
	    .arg = c,
	};
}

/* Read one map; false where memory ended it. */
static bool
read_map(struct compilation *c, const char *text)
{
	struct map_spec spec;
	struct map_context context;
	struct error error;
	bool done = true;

	if (!map_spec_parse(span_text(text), &spec, &error)) {
		problems_add(&c->problems, PROBLEM_ERROR, c->out, 0, "%s",
			     error.text);
		return true;
	}
	context = begin_map(c, spec.path);
	if (spec.type == MAP_PCRE)
		problems_add(&c->problems, PROBLEM_ERROR, spec.path, 0,
			     "rules can not be compiled: leave them out here, "
			     "and name both in the configuration (maps = "
			     "cdb:%s, pcre:%s)",
			     c->out, spec.path);
	else
		done = map_load(&spec, &context);
	free(spec.path);
	return done;
}

/* Read standard input to its end; NULL, with the reason in errno. */
static char *
read_input(size_t *len)
{
	char *content = NULL;
	size_t room = 0;

	for (*len = 0;;) {
		ssize_t n;

		if (room - *len < READ_STEP) {
			char *grown =
			    memory_try_resize(content, room * 2 + READ_STEP, 1);

			if (grown == NULL)
				break;
			content = grown;
			room = room * 2 + READ_STEP;
		}
		n = read(STDIN_FILENO, content + *len, room - *len);
		if (n == 0)
			return content;
		if (n < 0 && errno != EINTR)
			break;
		*len += n > 0 ? (size_t)n : 0;
	}
	free(content);
	return NULL;
}

static bool
load_input(struct compilation *c)
{
	struct map_context context = begin_map(c, "standard input");
	size_t len;
	char *content = read_input(&len);
	bool done;

	if (content == NULL) {
		problems_add(&c->problems, PROBLEM_REFUSAL, c->name, 0, "%s",
			     strerror(errno));
		return true;
	}
	done = text_load(content, len, &context);
	free(content);
	return done;
}

/* Read all maps, so that all that is wrong is told in one go; false where
 * something is. */
static bool
read_maps(struct compilation *c)
{
	bool done = !c->from_input || load_input(c);

	for (size_t i = 0; done && i < c->map_count; i++)
		done = read_map(c, c->maps[i]);
	show(c, NULL, NULL);
	if (!done)
		problems_add(&c->problems, PROBLEM_REFUSAL, c->out, 0,
			     "out of memory");
	else if (c->entries == 0)
		problems_add(&c->problems, PROBLEM_WARNING, c->out, 0,
			     "there is nothing in the maps, so that it will "
			     "grant nothing");
	cmd_print_problems(&c->problems);
	return c->problems.errors == 0;
}

static void
say_written(const struct compilation *c, const struct cdb_counts *counts)
{
	if (!c->terminal)
		return;
	show(c, "wrote", c->out);
	(void)fprintf(stderr, ": logins %zu, grants %zu", counts->logins,
		      counts->grants);
	if (counts->aliases > 0)
		(void)fprintf(stderr, ", aliases %zu", counts->aliases);
	if (counts->accounts > 0)
		(void)fprintf(stderr, ", accounts %zu", counts->accounts);
	(void)fprintf(stderr, ", bytes %zu\n", counts->bytes);
}

static bool
write_map(struct compilation *c)
{
	struct cdb_counts counts;
	struct error error;
	bool done = cdb_writer_write(c->writer, c->out, show_written, c,
				     &counts, &error);

	show(c, NULL, NULL);
	if (done) {
		say_written(c, &counts);
		return true;
	}
	(void)fputs("fromguard: ", stderr);
	output_string(stderr, OUTPUT_PLAIN, error.text);
	(void)fputs("\n", stderr);
	return false;
}

static int
compile(struct compilation *c, const struct cmd_options *options)
{
	bool done = false;

	/* So that a limit of the file's size is an error, not the end. */
	(void)signal(SIGXFSZ, SIG_IGN);
	c->terminal = isatty(STDERR_FILENO);
	c->settings = cmd_settings(options);
	c->writer = cdb_writer_new();
	problems_init(&c->problems);
	if (c->settings != NULL && c->writer != NULL) {
		done = read_maps(c);
		if (!done)
			(void)fputs("fromguard: nothing was written\n", stderr);
		done = done && write_map(c);
	}
	problems_fini(&c->problems);
	cdb_writer_free(c->writer);
	settings_free(c->settings);
	return done ? CMD_OK : CMD_NO;
}

/* Check that what was given is a whole run. */
static int
run(struct compilation *c, const struct cmd_options *options, const char *from)
{
	if (c->out == NULL)
		return cmd_usage("compile", "-o OUT is needed: the file that "
					    "will be written");
	if (from != NULL && strcmp(from, "-") != 0)
		return cmd_usage("compile",
				 "--from takes - alone: name a file as a map, "
				 "text:%s",
				 from);
	c->from_input = from != NULL;
	if (!c->from_input && c->map_count == 0)
		return cmd_usage("compile", "no MAP is given");
	return compile(c, options);
}

int
cmd_compile(int argc, char **argv)
{
	static const char short_options[] = "c:o:h";
	static const struct option long_options[] = {
	    {"output", required_argument, NULL, 'o'},
	    {"from", required_argument, NULL, 'f'},
	    {"set", required_argument, NULL, 's'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct compilation c = {0};
	struct cmd_options options = {0};
	const char *from = NULL;
	int option;

	while ((option = getopt_long(argc, argv, short_options, long_options,
				     NULL)) != -1) {
		if (option == 'h')
			return cmd_help("compile");
		if (option == 'c')
			options.config = optarg;
		else if (option == 'o')
			c.out = optarg;
		else if (option == 'f')
			from = optarg;
		else if (option == 's')
			cmd_options_add(&options, optarg);
		else
			return cmd_bad_option("compile", argv, short_options,
					      long_options);
	}
	c.maps = argv + optind;
	c.map_count = (size_t)(argc - optind);
	return run(&c, &options, from);
}
