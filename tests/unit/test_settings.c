/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buffer.h"
#include "policy/settings.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}
#define TEN "aaaaaaaaaa"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* A file for one test, which is forked: nobody else has it. */
static char file[] = "/tmp/fromguard-test-XXXXXX";

static void
write_file(struct span content)
{
	int fd = mkstemp(file);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content.data, content.len),
			 (ssize_t)content.len);
	ck_assert_int_eq(close(fd), 0);
}

static size_t
row_of(const char *name)
{
	const struct setting_info *row;

	for (size_t i = 0; (row = settings_row(i)) != NULL; i++)
		if (strcmp(row->name, name) == 0)
			return i;
	ck_abort_msg("there is no setting %s", name);
	return 0;
}

/* Check that the value of a name is spelled as expected. */
static void
expect(const struct settings *settings, const char *name, const char *value)
{
	char *text = settings_format(settings, row_of(name));

	ck_assert_msg(strcmp(text, value) == 0, "%s is \"%s\", expected \"%s\"",
		      name, text, value);
	free(text);
}

/* Load what has to be sound. */
static struct settings *
load(const char *path, char *const *environment, const char *const *options,
     size_t count)
{
	struct problems problems;
	struct settings *settings;

	problems_init(&problems);
	settings = settings_load(path, environment, options, count, &problems);
	ck_assert_msg(settings != NULL, "%s",
		      problems.count > 0 ? problems.list[0].text : "?");
	ck_assert_uint_eq(problems.errors, 0);
	problems_fini(&problems);
	return settings;
}

START_TEST(has_sound_rows)
{
	struct settings *settings = load(NULL, NULL, NULL, 0);
	const struct setting_info *row;
	size_t i;

	for (i = 0; (row = settings_row(i)) != NULL; i++) {
		expect(settings, row->name, row->default_text);
		ck_assert_uint_eq(row_of(row->name), i);
		ck_assert_uint_eq(
		    strspn(row->name, "abcdefghijklmnopqrstuvwxyz_"),
		    strlen(row->name));
		ck_assert_uint_gt(strlen(row->help), 10);
		ck_assert_msg(strlen(row->help) <= 76, "%s", row->help);
		ck_assert_ptr_null(strchr(row->help, '\n'));
		ck_assert_str_ne(row->range, "");
		ck_assert_int_eq(settings_source(settings, i), SOURCE_DEFAULT);
	}
	ck_assert_uint_gt(i, 25);
	ck_assert_ptr_null(settings_row(i + 1));
	ck_assert_str_eq(settings->file, "");
	settings_free(settings);
	settings_free(NULL);
}
END_TEST

static const struct good {
	const char *option;
	const char *spelled; /* NULL: as it was written */
} goods[] = {
    {"listen=inet:127.0.0.1:1, unix:/x", NULL},
    {"listen = inet:127.0.0.1:1 ,, unix:/x ,",
     "listen=inet:127.0.0.1:1, unix:/x"},
    {"socket_mode=0666", NULL},
    {"socket_mode=600", "socket_mode=0600"},
    {"socket_mode=0", "socket_mode=0000"},
    {"socket_owner=postfix", NULL},
    {"socket_group=", NULL},
    {"maps=text:/a, ?cdb:/b, pcre:c, owners:d, virtual:e, aliases:f, "
     "accounts:g",
     NULL},
    {"maps=text:/a\tcdb:/b", "maps=text:/a, cdb:/b"},
    {"maps=text:/a=b", NULL},
    {"mode=warn", NULL},
    {"self=no", NULL},
    {"recipient_delimiter=+-", NULL},
    {"recipient_delimiter=#", NULL},
    {"recipient_delimiter==", NULL},
    {"local_domains=example.com", NULL},
    {"local_domains=EXAMPLE.com., example.com b.test",
     "local_domains=example.com, b.test"},
    {"local_domains=m\303\274nchen.example",
     "local_domains=xn--mnchen-3ya.example"},
    {"local_domains=[192.0.2.1]", NULL},
    {"null_sender=reject", NULL},
    {"unlisted_sender=allow", NULL},
    {"unauthenticated=reject", NULL},
    {"alias_depth=1", NULL},
    {"alias_depth=100", NULL},
    {"alias_depth=007", "alias_depth=7"},
    {"alias_members=single", NULL},
    {"forwards=grant", NULL},
    {"map_errors=skip", NULL},
    {"reject_text=no ${login} ${sender} ${domain} $x $ {login}", NULL},
    {"reject_text=  a\tb  ", "reject_text=a b"},
    {"reject_text=gr\303\274\303\237e", NULL},
    {"reject_text=" HUNDRED HUNDRED HUNDRED HUNDRED, NULL},
    {"reload=signal", NULL},
    {"max_connections=1", NULL},
    {"max_connections=1000000", NULL},
    {"idle_timeout=100ms", NULL},
    {"idle_timeout=1500ms", NULL},
    {"idle_timeout=1000ms", "idle_timeout=1s"},
    {"idle_timeout=24h", "idle_timeout=86400s"},
    {"idle_timeout=10", "idle_timeout=10s"},
    {"idle_timeout=2m", "idle_timeout=120s"},
    {"request_timeout=1h", "request_timeout=3600s"},
    {"request_limit=4096", NULL},
    {"rule_match_limit=10000000", NULL},
    {"rule_budget=1", "rule_budget=1ms"},
    {"rule_budget=1500us", NULL},
    {"rule_budget=10s", "rule_budget=10000ms"},
    {"metrics_listen=inet:[::1]:9155", NULL},
    {"metrics_listen=", NULL},
    {"status_addresses=yes", NULL},
    {"log=syslog", NULL},
    {"log_level=debug", NULL},
    {"user=fromguard", NULL},
};

START_TEST(takes_values)
{
	const struct good *row = &goods[_i];
	const char *spelled = row->spelled ? row->spelled : row->option;
	struct settings *settings = load(NULL, NULL, &row->option, 1);
	const char *equals = strchr(spelled, '=');
	char name[64] = "";

	memcpy(name, spelled, (size_t)(equals - spelled));
	expect(settings, name, equals + 1);
	ck_assert_int_eq(settings_source(settings, row_of(name)),
			 SOURCE_OPTION);
	settings_free(settings);
}
END_TEST

START_TEST(fills_the_struct)
{
	const char *options[] = {
	    "listen=inet:[::1]:10040",
	    "socket_mode=0666",
	    "maps=?owners:/x",
	    "mode=warn",
	    "self=no",
	    "local_domains=a.test b.test",
	    "unlisted_sender=allow",
	    "idle_timeout=1500ms",
	    "rule_budget=1500us",
	    "log_level=debug",
	    "log=syslog",
	    "status_addresses=yes",
	};
	struct settings *s = load(NULL, NULL, options, COUNT(options));

	ck_assert_uint_eq(s->listen.count, 1);
	ck_assert(!s->listen.list[0].is_unix);
	ck_assert_uint_eq(s->listen.list[0].port, 10040);
	ck_assert_str_eq(s->listen.list[0].name, "::1");
	ck_assert_uint_eq(s->socket_mode, 0666);
	ck_assert_uint_eq(s->maps.count, 1);
	ck_assert_int_eq(s->maps.list[0].type, MAP_OWNERS);
	ck_assert(s->maps.list[0].optional);
	ck_assert_str_eq(s->maps.list[0].path, "/x");
	ck_assert_int_eq(s->mode, MODE_WARN);
	ck_assert(!s->self);
	ck_assert_uint_eq(s->local_domains.count, 2);
	ck_assert(span_is(s->local_domains.list[1], "b.test"));
	ck_assert_int_eq(s->null_sender, ANSWER_ALLOW);
	ck_assert_int_eq(s->unlisted_sender, ANSWER_ALLOW);
	ck_assert_uint_eq(s->idle_timeout_ms, 1500);
	ck_assert_uint_eq(s->rule_budget_us, 1500);
	ck_assert_int_eq(s->log_level, LOG_LEVEL_DEBUG);
	ck_assert_int_eq(s->log, LOG_TARGET_SYSLOG);
	ck_assert(s->status_addresses);
	ck_assert_str_eq(s->user, "");
	ck_assert_str_eq(s->recipient_delimiter, "");
	settings_free(s);
}
END_TEST

/* What is wrong in an option or variable, and what is said of it. */
static const struct bad {
	const char *text;
	const char *said;
} bads[] = {
    {"", "\"\" is not NAME = VALUE"},
    {"mode", "\"mode\" is not NAME = VALUE"},
    {"= warn", "\"= warn\" is not NAME = VALUE"},
    {"mdoe=warn", "unknown setting mdoe (did you mean mode?)"},
    {"MODE=warn", "unknown setting MODE"},
    {"smtpd_sender_login_maps=x", "unknown setting smtpd_sender_login_maps"},
    {"mode warn=warn", "unknown setting mode warn"},
    {"mode=", "mode: \"\" is not one of: enforce, warn"},
    {"mode=wran",
     "mode: \"wran\" is not one of: enforce, warn (did you mean warn?)"},
    {"mode=warn # for now", "mode: \"warn # for now\" is not one of: "
			    "enforce, warn"},
    {"self=1", "self: \"1\" is not one of: no, yes"},
    {"listen=", "listen: is empty: it is a list of unix:PATH and "
		"inet:HOST:PORT"},
    {"listen=,", "listen: is empty"},
    {"listen=/run/x", "write unix:/run/x"},
    {"listen=unix:/a, tcp:1", "listen: \"tcp:1\" is no endpoint"},
    {"metrics_listen=inet:a:1 inet:b:1", "has 2 elements, but may have 1"},
    {"socket_mode=0888", "socket_mode: \"0888\" is no octal mode as 0660"},
    {"socket_mode=", "is no octal mode"},
    {"socket_mode=u=rw", "is no octal mode"},
    {"socket_mode=1777", "1777 is out of range: it is 0000 to 0777"},
    {"socket_mode=77777777777777777", "is no octal mode"},
    {"socket_owner=a b", "\"a b\" is not one name"},
    {"socket_owner=a:b", "\"a:b\" is not one name"},
    {"user=" HUNDRED HUNDRED HUNDRED, "user: is longer than 255 bytes"},
    {"maps=/etc/senders", "\"/etc/senders\" is no map"},
    {"maps=text:/a, txt:/b", "\"txt:/b\" is no map: it is TYPE:PATH"},
    {"maps=text:", "is no map"},
    {"recipient_delimiter=+ -", "is no set of delimiters"},
    {"recipient_delimiter=@", "ASCII punctuation other than @"},
    {"recipient_delimiter=+a", "is no set of delimiters"},
    {"recipient_delimiter=\303\274", "is no set of delimiters"},
    {"local_domains=a.test, user@b.test",
     "\"user@b.test\" is no domain as example.com"},
    {"local_domains=@b.test", "is no domain"},
    {"local_domains=.b.test", "is no domain"},
    {"local_domains=[", "is no domain"},
    {"local_domains=*", "is no domain"},
    {"local_domains=" HUNDRED "." HUNDRED "." HUNDRED, "is no domain"},
    {"alias_depth=", "alias_depth: \"\" is no number"},
    {"alias_depth=0", "0 is out of range: it is 1 to 100"},
    {"alias_depth=101", "101 is out of range: it is 1 to 100"},
    {"alias_depth=4294967297", "4294967297 is out of range"},
    {"alias_depth=99999999999999999999999", "is out of range"},
    {"alias_depth=-1", "\"-1\" is no number"},
    {"alias_depth=ten", "\"ten\" is no number"},
    {"alias_depth=10s", "\"10s\" is no number"},
    {"alias_depth=1 0", "\"1 0\" is no number"},
    {"idle_timeout=5x", "\"5x\" is no number with one of the units s, ms, "
			"m, h"},
    {"idle_timeout=5 s", "is no number with one of the units"},
    {"idle_timeout=s", "is no number with one of the units"},
    {"idle_timeout=99ms", "99ms is out of range: it is 100ms to 24h"},
    {"idle_timeout=25h", "25h is out of range"},
    {"idle_timeout=4294967295h", "is out of range"},
    {"request_timeout=0", "0 is out of range"},
    {"request_limit=4095", "4095 is out of range: it is 4096 to 1048576"},
    {"rule_budget=11s", "11s is out of range: it is 1ms to 10s"},
    {"reject_text=", "has 0 bytes: it is 1 to 400 bytes"},
    {"reject_text=" HUNDRED HUNDRED HUNDRED HUNDRED "1", "has 401 bytes"},
    {"reject_text=a\nb", "has a control character in it (byte 2)"},
    {"reject_text=a ${user}", "\"${user}\" begins with none of ${login}"},
    {"reject_text=a ${login", "\"${login\" begins with none of"},
    {"reject_text=${", "\"${\" begins with none of"},
};

/* Load what has to fail with this one problem. */
static void
expect_problem(const char *path, char *const *environment,
	       const char *const *options, size_t count, const char *where,
	       uint32_t line, const char *said)
{
	struct problems problems;

	problems_init(&problems);
	ck_assert_ptr_null(
	    settings_load(path, environment, options, count, &problems));
	ck_assert_uint_eq(problems.errors, 1);
	ck_assert_uint_eq(problems.count, 1);
	ck_assert_str_eq(problems.list[0].file, where);
	ck_assert_uint_eq(problems.list[0].line, line);
	ck_assert_msg(strstr(problems.list[0].text, said) != NULL,
		      "\"%s\" does not say \"%s\"", problems.list[0].text,
		      said);
	problems_fini(&problems);
}

START_TEST(refuses_options)
{
	const struct bad *row = &bads[_i];

	expect_problem(NULL, NULL, &row->text, 1, "-o", 0, row->said);
}
END_TEST

static const struct variable {
	const char *text;
	const char *said; /* NULL: it is no concern of ours */
} variables[] = {
    {"FROMGUARD_CONFIG=/x", NULL},
    {"FROMGUARD=/x", NULL},
    {"fromguard_mode=x", NULL},
    {"MODE=x", NULL},
    {"FROMGUARD_MODE", NULL},
    {"FROMGUARD_ALIAS_DEPTH=7", NULL},
    {"FROMGUARD_MODE=x", "FROMGUARD_MODE: \"x\" is not one of"},
    {"FROMGUARD_MODE=", "FROMGUARD_MODE: \"\" is not one of"},
    {"FROMGUARD_MDOE=warn", "unknown setting FROMGUARD_MDOE (did you mean "
			    "FROMGUARD_MODE?)"},
    {"FROMGUARD_mode=warn", "unknown setting FROMGUARD_mode"},
    {"FROMGUARD_=warn", "unknown setting FROMGUARD_"},
    {"FROMGUARD_" HUNDRED "=warn", "unknown setting FROMGUARD_" HUNDRED},
    {"FROMGUARD_CONFIGS=/x", "unknown setting FROMGUARD_CONFIGS"},
};

START_TEST(reads_the_environment)
{
	const struct variable *row = &variables[_i];
	char text[256];
	char *environment[] = {text, NULL};

	ck_assert_uint_lt(strlen(row->text), sizeof(text));
	memcpy(text, row->text, strlen(row->text) + 1);
	if (row->said == NULL)
		settings_free(load(NULL, environment, NULL, 0));
	else
		expect_problem(NULL, environment, NULL, 0, "environment", 0,
			       row->said);
}
END_TEST

/* Files that are refused, and the line of the one error. */
static const struct bad_file {
	struct span content;
	uint32_t line;
	const char *said;
} bad_files[] = {
    {BYTES("mode = wran\n"), 1, "mode: \"wran\" is not one of"},
    {BYTES("# c\n\nmdoe = warn\n"), 3, "(did you mean mode?)"},
    {BYTES("mode = warn\nmaps\n text:/x\n"), 2,
     "\"maps text:/x\" is not "
     "NAME = VALUE"},
    {BYTES("listen =\n unix:/a,\n# c\n unxi:/b\nmode = warn\n"), 1,
     "\"unxi:/b\" is no endpoint"},
    {BYTES(" mode = warn\n"), 1, "white space"},
    {BYTES("self = yes\nmode = wa\0rn\n"), 2, "NUL"},
    {BYTES("reject_text = a\001b\n"), 1, "control character"},
};

START_TEST(refuses_files)
{
	const struct bad_file *row = &bad_files[_i];

	write_file(row->content);
	expect_problem(file, NULL, NULL, 0, file, row->line, row->said);
	ck_assert_int_eq(unlink(file), 0);
}
END_TEST

/* Files that load, perhaps with a warning, and what mode is then. */
static const struct good_file {
	struct span content;
	const char *mode;
	size_t warnings;
} good_files[] = {
    {BYTES(""), "enforce", 0},
    {BYTES("\n\n# mode = warn\n"), "enforce", 0},
    {BYTES("mode=warn\n"), "warn", 0},
    {BYTES("mode  =\twarn  \n"), "warn", 0},
    {BYTES("mode =\n# c\n\n  warn\n"), "warn", 0},
    {BYTES("mode = warn"), "warn", 1},
    {BYTES("mode = warn\r\nself = no\r\n"), "warn", 1},
    {BYTES("mode = enforce\nmode = warn\n"), "warn", 1},
    {BYTES("mode = warn\nself = yes\nmode = enforce\n"), "enforce", 1},
    {BYTES("mode = warn\nself = no\nself = yes\nself = no\n"), "warn", 2},
};

START_TEST(reads_files)
{
	const struct good_file *row = &good_files[_i];
	struct settings *settings;
	struct problems problems;

	problems_init(&problems);
	write_file(row->content);
	settings = settings_load(file, NULL, NULL, 0, &problems);
	ck_assert_ptr_nonnull(settings);
	expect(settings, "mode", row->mode);
	ck_assert_uint_eq(problems.warnings, row->warnings);
	ck_assert_str_eq(settings->file, file);
	settings_free(settings);
	problems_fini(&problems);
	ck_assert_int_eq(unlink(file), 0);
}
END_TEST

START_TEST(names_the_earlier_line)
{
	struct problems problems;

	problems_init(&problems);
	write_file(span_text("# c\nmode = warn\n\nmode =\n  enforce\n"));
	settings_free(settings_load(file, NULL, NULL, 0, &problems));
	ck_assert_uint_eq(problems.list[0].line, 4);
	ck_assert_str_eq(problems.list[0].text,
			 "mode is set on line 2 already; the last one counts");
	problems_fini(&problems);
	ck_assert_int_eq(unlink(file), 0);
}
END_TEST

START_TEST(refuses_unreadable_files)
{
	write_file(span_text("mode = warn\n"));
	ck_assert_int_eq(chmod(file, 0666), 0);
	expect_problem(file, NULL, NULL, 0, file, 0,
		       "refused, since everybody can write to it");
	ck_assert_int_eq(unlink(file), 0);
	expect_problem(file, NULL, NULL, 0, file, 0, "No such file");
	expect_problem("/", NULL, NULL, 0, "/", 0, "is a folder");
	expect_problem("/dev/null", NULL, NULL, 0, "/dev/null", 0,
		       "is not a regular file");
}
END_TEST

START_TEST(collects_everything)
{
	const char *options[] = {"alias_depth=0", "nonsense"};
	char variable[] = "FROMGUARD_SELF=maybe";
	char *environment[] = {variable, NULL};
	struct problems problems;

	problems_init(&problems);
	problems_add(&problems, PROBLEM_ERROR, "before", 0, "an error");
	write_file(span_text("mode = wran\nunknown_thing = 1\nself = no\n"
			     "self = yes\n"));
	ck_assert_ptr_null(settings_load(file, environment, options,
					 COUNT(options), &problems));
	ck_assert_uint_eq(problems.errors, 6);
	ck_assert_uint_eq(problems.warnings, 1);
	problems_fini(&problems);
	ck_assert_int_eq(unlink(file), 0);
}
END_TEST

START_TEST(ignores_errors_of_others)
{
	struct problems problems;
	struct settings *settings;

	problems_init(&problems);
	problems_add(&problems, PROBLEM_ERROR, "before", 0, "an error");
	settings = settings_load("", NULL, NULL, 0, &problems);
	ck_assert_ptr_nonnull(settings);
	settings_free(settings);
	problems_fini(&problems);
}
END_TEST

START_TEST(lets_the_nearer_source_win)
{
	const char *options[] = {"idle_timeout=1s", "idle_timeout=4s"};
	char first[] = "FROMGUARD_IDLE_TIMEOUT=3s";
	char second[] = "FROMGUARD_ALIAS_DEPTH=3";
	char *environment[] = {first, second, NULL};
	struct settings *settings;

	write_file(span_text("idle_timeout = 2s\nalias_depth = 2\n"
			     "self = no\n"));
	settings = load(file, environment, options, COUNT(options));
	expect(settings, "idle_timeout", "4s");
	expect(settings, "alias_depth", "3");
	expect(settings, "self", "no");
	ck_assert_int_eq(settings_source(settings, row_of("idle_timeout")),
			 SOURCE_OPTION);
	ck_assert_int_eq(settings_source(settings, row_of("alias_depth")),
			 SOURCE_ENVIRONMENT);
	ck_assert_int_eq(settings_source(settings, row_of("self")),
			 SOURCE_FILE);
	ck_assert_int_eq(settings_source(settings, row_of("mode")),
			 SOURCE_DEFAULT);
	settings_free(settings);
	ck_assert_int_eq(unlink(file), 0);
}
END_TEST

/* What is spelled can be read back, whatever it is. */
START_TEST(reads_what_it_spells)
{
	const char *options[COUNT(goods)];
	struct settings *settings;
	struct settings *again;
	struct buffer spelled = {0};
	const struct setting_info *row;

	for (size_t i = 0; i < COUNT(goods); i++)
		options[i] = goods[i].option;
	settings = load(NULL, NULL, options, COUNT(options));
	for (size_t i = 0; (row = settings_row(i)) != NULL; i++) {
		char *value = settings_format(settings, i);

		buffer_format(&spelled, "%s = %s\n", row->name, value);
		free(value);
	}
	write_file(buffer_span(&spelled));
	again = load(file, NULL, NULL, 0);
	for (size_t i = 0; (row = settings_row(i)) != NULL; i++) {
		char *value = settings_format(settings, i);

		expect(again, row->name, value);
		free(value);
	}
	buffer_fini(&spelled);
	settings_free(settings);
	settings_free(again);
	ck_assert_int_eq(unlink(file), 0);
}
END_TEST

static void
note_change(void *arg, const char *name)
{
	buffer_format(arg, "%s ", name);
}

START_TEST(tells_frozen_changes)
{
	const char *options[] = {"listen=unix:/y", "socket_mode=0600",
				 "mode=warn", "maps=text:/x", "user=nobody"};
	struct settings *old = load(NULL, NULL, NULL, 0);
	struct settings *new = load(NULL, NULL, options, COUNT(options));
	struct buffer names = {0};

	settings_frozen_changes(old, old, note_change, &names);
	ck_assert_uint_eq(names.len, 0);
	settings_frozen_changes(old, new, note_change, &names);
	ck_assert_str_eq(names.data, "listen socket_mode user ");
	buffer_fini(&names);
	settings_free(old);
	settings_free(new);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("settings");
	TCase *tcase = tcase_create("settings");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, has_sound_rows);
	tcase_add_loop_test(tcase, takes_values, 0, COUNT(goods));
	tcase_add_test(tcase, fills_the_struct);
	tcase_add_loop_test(tcase, refuses_options, 0, COUNT(bads));
	tcase_add_loop_test(tcase, reads_the_environment, 0, COUNT(variables));
	tcase_add_loop_test(tcase, refuses_files, 0, COUNT(bad_files));
	tcase_add_loop_test(tcase, reads_files, 0, COUNT(good_files));
	tcase_add_test(tcase, names_the_earlier_line);
	tcase_add_test(tcase, refuses_unreadable_files);
	tcase_add_test(tcase, collects_everything);
	tcase_add_test(tcase, ignores_errors_of_others);
	tcase_add_test(tcase, lets_the_nearer_source_win);
	tcase_add_test(tcase, reads_what_it_spells);
	tcase_add_test(tcase, tells_frozen_changes);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
