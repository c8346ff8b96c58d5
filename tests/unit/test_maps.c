/* SPDX-License-Identifier: BSD-2-Clause */
/* The line-by-line maps: what entries and what problems a content gives. */
#include "maps/map.h"
#include "maps/token.h"

#include <check.h>
#include <stdlib.h>

/* One letter for a problem's severity, its line and its text. */
static void
print_problems(const struct problems *problems, struct buffer *out)
{
	for (size_t i = 0; i < problems->count; i++)
		buffer_format(out, "%c%u ", "WER"[problems->list[i].severity],
			      problems -> list[i].line);
}

static bool
print_entry(void *arg, const struct map_entry *entry)
{
	struct buffer *out = arg;

	buffer_format(out, "%u:", entry->line);
	pattern_format(&entry->left, out);
	if (entry->kind != ENTRY_ACCOUNT) {
		buffer_format(out, "%s%s",
			      entry->kind == ENTRY_ALIAS ? ">" : " ",
			      entry->denial ? "!" : "");
		pattern_format(&entry->right, out);
	}
	buffer_add(out, span_text("; "));
	return true;
}

typedef bool loader(char *content, size_t len,
		    const struct map_context *context);

/* Entries as print_entry() has them; problems as print_problems() has them:
 * Warning, Error or Refusal and the line. */
struct row {
	loader *load;
	const char *content;
	const char *entries;
	const char *problems;
	int locals; /* how many local domains there are */
};

static const struct row rows[] = {
    /* text: left sides and senders */
    {text_load, "user@example.com alias@example.com\n",
     "1:user@example.com alias@example.com; ", "", 0},
    {text_load, "User@Example.COM\tA@b.C, d@e.F\n",
     "1:user@example.com a@b.c; 1:user@example.com d@e.f; ", "", 0},
    {text_load, "u@d a@d,b@d c@d ,, e@d,\n",
     "1:u@d a@d; 1:u@d b@d; 1:u@d c@d; 1:u@d e@d; ", "", 0},
    {text_load, "* *\n", "1:* *; ", "", 0},
    {text_load, "user a@d\n@d *\n* b@d\n", "1:user a@d; 2:@d *; 3:* b@d; ", "",
     0},
    {text_load, "u@d @e.com @.e.com * <> %n@f.org\n",
     "1:u@d @e.com; 1:u@d @.e.com; 1:u@d *; 1:u@d <>; 1:u@d %n@f.org; ", "", 0},
    {text_load, "u@d !a@d !@e !@.e !* !<> !%N@f\n",
     "1:u@d !a@d; 1:u@d !@e; 1:u@d !@.e; 1:u@d !*; 1:u@d !<>; "
     "1:u@d !%n@f; ",
     "", 0},
    {text_load, "u@d bob\n", "1:u@d bob; ", "", 0},
    {text_load, "u bob\n", "1:u bob@one.example; ", "", 2},
    {text_load, "\"a b\"@d \"c, d\"@e \"f\\\"g\"@h\n",
     "1:\"a b\"@d \"c, d\"@e; 1:\"a b\"@d \"f\\\"g\"@h; ", "", 0},
    {text_load, "\"john doe\" a@d\n", "1:\"john doe\" a@d; ", "", 0},
    /* text: lines */
    {text_load, "# no\n\nu@d a@d\n # no\n  b@d\n\nv@d c@d\n",
     "3:u@d a@d; 3:u@d b@d; 7:v@d c@d; ", "", 0},
    {text_load, "u@d a@d\r\nv@d b@d\r\n", "1:u@d a@d; 2:v@d b@d; ", "W1 ", 0},
    {text_load, "u@d a@d", "1:u@d a@d; ", "W1 ", 0},
    {text_load, "", "", "", 0},
    {text_load, "# only\n", "", "", 0},
    {text_load, "u@d a@d\nu@d a@d\n", "1:u@d a@d; 2:u@d a@d; ", "", 0},
    /* text: what is wrong */
    {text_load, "u@d\nv@d ,,\n", "", "W1 W2 ", 0},
    {text_load, " u@d a@d\n", "", "E1 ", 0},
    {text_load, "u@d @\nu@d x@ @d@e\nu@d a@d\n", "3:u@d a@d; ", "E1 E2 E2 ", 0},
    {text_load, "u@d !@ b@d\n", "", "R1 ", 0},
    /* ... and it takes its line with it, but no denial */
    {text_load, "u@d a@d x@ b@d\nu@d c@d\n", "2:u@d c@d; ", "E1 ", 0},
    {text_load, "u@d a@d \"b@d\nu@d c@d\n", "2:u@d c@d; ", "E1 ", 0},
    {text_load, "u@d !a@d x@\n", "", "E1 R1 ", 0},
    {text_load, "u@d !\n", "", "R1 ", 0},
    {text_load, "@ a@d\n@x@y a@d\n", "", "E1 E2 ", 0},
    {text_load, "@ !a@d\n", "", "R1 ", 0},
    {text_load, "u@d \"a@d\n\"u@d a@d\n", "", "E1 E2 ", 0},
    {text_load, "u@d \"!a@d\n", "", "R1 ", 0},
    {text_load, "u@d \"a\"b@d\n", "", "E1 ", 0},
    {text_load, "u@d \xff@d b@d\n\xff@d a@d\n", "1:u@d b@d; ", "W1 W2 ", 0},
    {text_load, "u@d !\xff@d\n\xff@d !a@d\n", "", "R1 R2 ", 0},
    /* owners: */
    {owners_load, "a@d u@d, v@d\n", "1:u@d a@d; 1:v@d a@d; ", "", 0},
    {owners_load, "@d u@d\na@d u\n", "1:u@d @d; 2:u a@d; ", "", 0},
    {owners_load, "info u@d\n",
     "1:u@d info@one.example; 1:u@d info@two.example; ", "", 2},
    {owners_load, "info u@d\n", "1:u@d info; ", "", 0},
    {owners_load, "a@d\n@ u@d\na@d @\na@d \"u\n", "", "W1 E2 E3 E4 ", 0},
    {owners_load, "\xff@d u@d\na@d \xff@d\n", "", "W1 W2 ", 0},
    {owners_load, "a@d u@d, @\nb@d v@d\n", "2:v@d b@d; ", "E1 ", 0},
    /* virtual: */
    {virtual_load, "a@d u@d, v@d w@d\n", "1:a@d>u@d; 1:a@d>v@d; 1:a@d>w@d; ",
     "", 0},
    {virtual_load, "@d u@e\n@d @e\n", "1:@d>u@e; 2:@d>@e; ", "", 0},
    {virtual_load, "A@d @E\n", "1:a@d>a@e; ", "", 0},
    {virtual_load, "a@d <u@d>, <v@d>\n", "1:a@d>u@d; 1:a@d>v@d; ", "", 0},
    {virtual_load, "\"a b\"@d \"c,d\"@e\n", "1:\"a b\"@d>\"c,d\"@e; ", "", 0},
    {virtual_load, "a u\n",
     "1:a@one.example>u@one.example; 1:a@one.example>u@two.example; "
     "1:a@two.example>u@one.example; 1:a@two.example>u@two.example; ",
     "", 2},
    {virtual_load, "a u\n", "1:a>u; ", "", 0},
    {virtual_load, "a @e\n", "1:a@one.example>a@e; ", "", 1},
    {virtual_load, "d.example anything\n", "1:d.example>anything; ", "", 0},
    {virtual_load, "a@d\n* u@d\n@.d u@d\na@d @.e\n\"a u@d\n", "",
     "W1 E2 E3 E4 E5 ", 0},
    {virtual_load, "\xff@d u@d\na@d \xff@d\n", "", "W1 W2 ", 0},
    {virtual_load, "a@d u@d, v@\nb@d v@d\n", "2:b@d>v@d; ", "E1 ", 0},
    /* aliases: */
    {aliases_load, "root: admin@d, bob\n",
     "1:root@one.example>admin@d; 1:root@one.example>bob@one.example; ", "", 1},
    {aliases_load, "Root:admin\n", "1:root>admin; ", "", 0},
    {aliases_load,
     "a: |cmd -x, u@d\nb: \"|cmd, x\", /file, \"/f, g\", :include:/x\n",
     "1:a>u@d; ", "", 0},
    {aliases_load, "\"a:b\": u@d\n", "1:\"a:b\">u@d; ", "", 0},
    {aliases_load, "a:\n  u@d,\n  v@d\n", "1:a>u@d; 1:a>v@d; ", "", 0},
    {aliases_load, "a u@d\n@d: u@d\n\xff: u@d\na: \xff@d\na: @d\n", "",
     "E1 E2 W3 W4 E5 ", 0},
    {aliases_load, "a: u@d, @d\nb: v@d\n", "2:b>v@d; ", "E1 ", 0},
    /* accounts: */
    {accounts_load, "U@d|{SHA512-CRYPT}$6$x|quota\nv@d|\n", "1:u@d; 2:v@d; ",
     "", 0},
    {accounts_load, "u@d\n|hash\n@d|hash\n*|hash\n\xff@d|hash\n", "",
     "E1 E2 E3 E4 W5 ", 0},
};

static const struct span locals[] = {
    {"one.example", 11},
    {"two.example", 11},
};

START_TEST(load)
{
	const struct row *row = &rows[_i];
	char *content = strdup(row->content);
	struct buffer entries = {0};
	struct buffer told = {0};
	struct problems problems;
	struct map_context context = {
	    .name = "map",
	    .local_domains = locals,
	    .local_domain_count = (size_t)row->locals,
	    .problems = &problems,
	    .sink = print_entry,
	    .arg = &entries,
	};

	problems_init(&problems);
	buffer_add(&entries, SPAN_NONE);
	buffer_add(&told, SPAN_NONE);
	ck_assert(row->load(content, strlen(content), &context));
	print_problems(&problems, &told);
	ck_assert_str_eq(entries.data, row->entries);
	ck_assert_str_eq(told.data, row->problems);
	problems_fini(&problems);
	buffer_fini(&entries);
	buffer_fini(&told);
	free(content);
}
END_TEST

static bool
refuse_entry(void *arg, const struct map_entry *entry)
{
	(void)arg;
	(void)entry;
	return false;
}

/* A sink without memory ends every loader at once. */
START_TEST(sink_ends_it)
{
	static const struct {
		loader *load;
		const char *content;
	} each[] = {
	    {text_load, "u@d a@d\n"},    {owners_load, "a@d u@d\n"},
	    {virtual_load, "a@d u@d\n"}, {virtual_load, "a@d @e\n"},
	    {aliases_load, "a: u@d\n"},  {accounts_load, "u@d|x\n"},
	};
	struct map_context context = {.name = "map", .sink = refuse_entry};

	for (size_t i = 0; i < sizeof(each) / sizeof(*each); i++) {
		char *content = strdup(each[i].content);

		ck_assert(!each[i].load(content, strlen(content), &context));
		free(content);
	}
}
END_TEST

/* No byte of an account's hash is left behind, even where lines are wrong. */
START_TEST(hashes_are_wiped)
{
	char content[] = "u@d|secret\nnobar\n|secret\n";
	struct buffer entries = {0};
	struct problems problems;
	struct map_context context = {
	    .name = "map",
	    .problems = &problems,
	    .sink = print_entry,
	    .arg = &entries,
	};

	problems_init(&problems);
	ck_assert(accounts_load(content, sizeof(content) - 1, &context));
	ck_assert(memmem(content, sizeof(content), "secret", 6) == NULL);
	for (size_t i = 0; i < problems.count; i++)
		ck_assert(strstr(problems.list[i].text, "secret") == NULL);
	problems_fini(&problems);
	buffer_fini(&entries);
}
END_TEST

static const struct {
	const char *text;
	bool commas;
	const char *words;
	enum token_result end;
} token_rows[] = {
    {"a b,c", false, "a|b,c|", TOKEN_END},
    {" a ,\tb,,c ", true, "a|b|c|", TOKEN_END},
    {"\"a, b\"@d c", true, "\"a, b\"@d|c|", TOKEN_END},
    {"\"a\\\" b\"@d", true, "\"a\\\" b\"@d|", TOKEN_END},
    {"a\"b c\"d e", true, "a\"b c\"d|e|", TOKEN_END},
    {"a \"b", true, "a|", TOKEN_UNCLOSED},
    {"\"a\\", true, "", TOKEN_UNCLOSED},
    {"", true, "", TOKEN_END},
    {" , ", true, "", TOKEN_END},
};

START_TEST(tokens)
{
	struct span rest = span_text(token_rows[_i].text);
	struct buffer words = {0};
	struct span word;
	enum token_result result;

	buffer_add(&words, SPAN_NONE);
	while ((result = token_next(&rest, token_rows[_i].commas, &word)) ==
	       TOKEN_WORD) {
		buffer_add(&words, word);
		buffer_byte(&words, '|');
	}
	ck_assert_str_eq(words.data, token_rows[_i].words);
	ck_assert_int_eq(result, token_rows[_i].end);
	buffer_fini(&words);
}
END_TEST

static const struct {
	const char *text;
	const char *path; /* NULL: an error */
	enum map_type type;
	bool optional;
} spec_rows[] = {
    {"text:/a/b", "/a/b", MAP_TEXT, false},
    {"?cdb:x.cdb", "x.cdb", MAP_CDB, true},
    {"pcre:a:b", "a:b", MAP_PCRE, false},
    {"owners:o", "o", MAP_OWNERS, false},
    {"virtual:v", "v", MAP_VIRTUAL, false},
    {"aliases:a", "a", MAP_ALIASES, false},
    {"accounts:a", "a", MAP_ACCOUNTS, false},
    {"hash:/a", NULL, MAP_TEXT, false},
    {"TEXT:/a", NULL, MAP_TEXT, false},
    {"text", NULL, MAP_TEXT, false},
    {"text:", NULL, MAP_TEXT, false},
    {"?", NULL, MAP_TEXT, false},
    {"", NULL, MAP_TEXT, false},
};

START_TEST(specs)
{
	struct map_spec spec;
	struct error error;
	bool done =
	    map_spec_parse(span_text(spec_rows[_i].text), &spec, &error);

	ck_assert_int_eq(done, spec_rows[_i].path != NULL);
	if (!done)
		return;
	ck_assert_str_eq(spec.path, spec_rows[_i].path);
	ck_assert_int_eq(spec.type, spec_rows[_i].type);
	ck_assert_int_eq(spec.optional, spec_rows[_i].optional);
	free(spec.path);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *suite = suite_create("maps");
	TCase *tests = tcase_create("maps");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, load, 0, ROWS(rows));
	tcase_add_test(tests, sink_ends_it);
	tcase_add_test(tests, hashes_are_wiped);
	tcase_add_loop_test(tests, tokens, 0, ROWS(token_rows));
	tcase_add_loop_test(tests, specs, 0, ROWS(spec_rows));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
