/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiled maps: what is written is read back, and nothing else is believed. */
#include "base/file.h"
#include "base/memory.h"
#include "maps/cdb.h"

#include <cdb.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A map of every kind of record, as a text of what a loader gives. */
static const char *const lines[] = {
    "u@d !b@d",
    "u@d @e.example",
    "u@d a@d",
    "\"x y\" \"c, d\"@e",
    "* <>",
    "@d @.sub.example",
    "@d %n@alias.example",
    "v@d *",
};

enum { LINES = sizeof(lines) / sizeof(*lines) };

static char folder[] = "/tmp/fromguard-cdb-XXXXXX";

/* The path of a file in the test's folder; valid until the next call. */
static const char *
in_folder(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void
make_folder(void)
{
	(void)umask(022);
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void
remove_folder(void)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

/* Writing ---------------------------------------------------------------- */

/* The sink of a writer: what it does not take is an error of the test. */
static bool
take(void *arg, const struct map_entry *entry)
{
	struct error error;

	ck_assert(cdb_writer_takes(entry, &error));
	return cdb_writer_add(arg, entry);
}

static void
load_into(struct cdb_writer *writer,
	  bool (*load)(char *, size_t, const struct map_context *),
	  const char *text)
{
	struct problems problems;
	struct map_context context = {
	    .name = "map", .problems = &problems, .sink = take, .arg = writer};
	char *content = strdup(text);

	problems_init(&problems);
	ck_assert(load(content, strlen(content), &context));
	ck_assert_uint_eq(problems.errors, 0);
	problems_fini(&problems);
	free(content);
}

/* Make a writer of the lines, the last first where backwards is set. */
static struct cdb_writer *
writer_of_lines(bool backwards)
{
	struct cdb_writer *writer = cdb_writer_new();
	char line[64];

	ck_assert_ptr_nonnull(writer);
	for (int i = 0; i < LINES; i++) {
		(void)snprintf(line, sizeof(line), "%s\n",
			       lines[backwards ? LINES - 1 - i : i]);
		load_into(writer, text_load, line);
	}
	load_into(writer, virtual_load, "b@d u@d, v@d\n@c.example @d\n");
	load_into(writer, accounts_load, "u@d|hash\n\"x y\"|hash\n");
	return writer;
}

static bool
write_to(struct cdb_writer *writer, const char *name, struct cdb_counts *counts,
	 struct error *error)
{
	return cdb_writer_write(writer, in_folder(name), NULL, NULL, counts,
				error);
}

/* Read a file of the folder; the caller frees it. */
static char *
content_of(const char *name, size_t *len)
{
	struct error error = {""};
	char *content;

	ck_assert_msg(file_read(in_folder(name), &content, len, &error) ==
			  FILE_READ,
		      "%s", error.text);
	return content;
}

/* The bytes of the map of all lines; the caller frees them. */
static char *
sample(size_t *len)
{
	struct cdb_writer *writer = writer_of_lines(false);
	struct cdb_counts counts;
	struct error error = {""};

	ck_assert_msg(write_to(writer, "sample", &counts, &error), "%s",
		      error.text);
	cdb_writer_free(writer);
	return content_of("sample", len);
}

START_TEST(same_entries_make_the_same_bytes)
{
	struct cdb_writer *writer = writer_of_lines(true);
	struct cdb_counts counts;
	struct error error = {""};
	size_t len;
	size_t again_len;
	char *content = sample(&len);
	char *again;

	load_into(writer, text_load, "u@d a@d, !b@d\nV@D *\n"); /* twice */
	ck_assert(write_to(writer, "again", &counts, &error));
	again = content_of("again", &again_len);
	ck_assert(span_equal(span_of(content, len), span_of(again, again_len)));
	ck_assert_uint_eq(counts.logins, 5);
	ck_assert_uint_eq(counts.grants, LINES);
	ck_assert_uint_eq(counts.aliases, 2);
	ck_assert_uint_eq(counts.accounts, 2);
	ck_assert_uint_eq(counts.bytes, len);
	cdb_writer_free(writer);
	free(content);
	free(again);
}
END_TEST

/* What libcdb finds under a key, as cdb -q and postmap -q do. */
START_TEST(libcdb_reads_it)
{
	static const char *const rows[][2] = {
	    {"u@d", "!b@d, @e.example, a@d"},
	    {"\"x y\"", "\"c, d\"@e"},
	    {"*", "<>"},
	    {"@d", "%n@alias.example, @.sub.example"},
	    {"v@d", "*"},
	    {"fromguard alias b@d", "u@d, v@d"},
	    {"fromguard alias @c.example", "@d"},
	    {"fromguard account u@d", ""},
	    {"fromguard account \"x y\"", ""},
	    {"w@d", NULL},
	};
	const char *key = rows[_i][0];
	const char *value = rows[_i][1];
	size_t len;
	struct cdb cdb;
	int fd;

	free(sample(&len));
	fd = open(in_folder("sample"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(cdb_init(&cdb, fd), 0);
	ck_assert_int_eq(cdb_find(&cdb, key, (unsigned)strlen(key)),
			 value != NULL);
	if (value != NULL)
		ck_assert(span_is(span_of(cdb_getdata(&cdb), cdb_datalen(&cdb)),
				  value));
	cdb_free(&cdb);
	(void)close(fd);
}
END_TEST

enum { LIBCDB_ROWS = 10 };

/* Reading ---------------------------------------------------------------- */

static bool
print_entry(void *arg, const struct map_entry *entry)
{
	struct buffer *out = arg;

	if (entry->kind == ENTRY_ACCOUNT)
		buffer_byte(out, '|');
	pattern_format(&entry->left, out);
	if (entry->kind != ENTRY_ACCOUNT) {
		buffer_add(out, span_text(entry->kind == ENTRY_ALIAS ? ">"
					  : entry->denial            ? " !"
								     : " "));
		pattern_format(&entry->right, out);
	}
	buffer_add(out, span_text("; "));
	return true;
}

/* Load an image; entries and problems (severity and record) as texts. */
static void
load(const char *image, size_t len, struct buffer *entries, struct buffer *told)
{
	struct problems problems;
	struct map_context context = {.name = "map",
				      .problems = &problems,
				      .sink = print_entry,
				      .arg = entries};
	char *copy = memory_copy(image, len); /* it is used up */

	problems_init(&problems);
	buffer_add(entries, SPAN_NONE);
	buffer_add(told, SPAN_NONE);
	ck_assert(cdb_load(copy, len, &context));
	free(copy);
	for (size_t i = 0; i < problems.count; i++)
		buffer_format(told, "%c%u ", "WER"[problems.list[i].severity],
			      problems.list[i].line);
	problems_fini(&problems);
}

START_TEST(what_was_written_is_read)
{
	size_t len;
	char *content = sample(&len);
	struct buffer entries = {0};
	struct buffer told = {0};
	char line[64];

	load(content, len, &entries, &told);
	ck_assert_str_eq(told.data, "");
	for (int i = 0; i < LINES; i++) {
		(void)snprintf(line, sizeof(line), "%s; ", lines[i]);
		ck_assert_msg(strstr(entries.data, line) != NULL, "%s is lost",
			      line);
	}
	ck_assert_ptr_nonnull(strstr(entries.data, "b@d>u@d; b@d>v@d; "));
	ck_assert_ptr_nonnull(strstr(entries.data, "@c.example>@d; "));
	ck_assert_ptr_nonnull(strstr(entries.data, "|u@d; "));
	ck_assert_ptr_nonnull(strstr(entries.data, "|\"x y\"; "));
	buffer_fini(&entries);
	buffer_fini(&told);
	free(content);
}
END_TEST

/* Records as a stranger's maker writes them, and what they give. */
struct record {
	const char *key;
	size_t key_len;
	const char *value;
	size_t value_len;
};

#define RECORD(key, value)                                     \
	{                                                      \
		key, sizeof(key) - 1, value, sizeof(value) - 1 \
	}

static const struct {
	struct record record;
	const char *entries;
	const char *problems;
} records[] = {
    {RECORD("u@d", "a@d, b@d"), "u@d a@d; u@d b@d; ", ""},
    {RECORD("u@d", "!a@d"), "u@d !a@d; ", ""},
    {RECORD("U@D", "A@D"), "u@d a@d; ", ""},
    {RECORD("u@d\0", "a@d\0"), "u@d a@d; ", ""},
    {RECORD("u@d", "a@d\0"), "u@d a@d; ", ""},
    {RECORD("u@d\0\0", "a@d"), "", "R1 "},
    {RECORD("u@d", "a@d\0b@d"), "", "R1 "},
    {RECORD("u\0v@d", "a@d"), "", "R1 "},
    {RECORD("", "a@d"), "", "E1 "},
    {RECORD("u@d", ""), "", "W1 "},
    {RECORD("u@d", "@"), "", "E1 "},
    {RECORD("u@d", "!@"), "", "R1 "},
    {RECORD("@", "!a@d"), "", "R1 "},
    {RECORD("fromguard format", "1"), "", ""},
    {RECORD("fromguard format", "1 and so on"), "", ""},
    {RECORD("fromguard format", ""), "", "R0 "},
    {RECORD("fromguard format", "2"), "", "R0 "},
    {RECORD("fromguard format", "10"), "", "R0 "},
    {RECORD("fromguard alias a@d", "u@d, @e"), "a@d>u@d; a@d>@e; ", ""},
    {RECORD("fromguard alias a@d", ""), "", ""},
    {RECORD("fromguard alias *", "u@d"), "", "E1 "},
    {RECORD("fromguard alias ", "u@d"), "", "E1 "},
    {RECORD("fromguard alias a@d", "* u@d"), "a@d>u@d; ", "E1 "},
    {RECORD("fromguard alias a@d", "\"u@d"), "", "E1 "},
    {RECORD("fromguard alias \xff@d", "u@d"), "", "W1 "},
    {RECORD("fromguard account u@d", ""), "|u@d; ", ""},
    {RECORD("fromguard account u@d", "x"), "", "E1 "},
    {RECORD("fromguard account @d", ""), "", "E1 "},
    {RECORD("fromguard account \xff@d", ""), "", "W1 "},
    {RECORD("fromguard rule u@d", "x"), "", "R1 "},
    {RECORD("fromguard ", "x"), "", "R1 "},
    {RECORD("\"fromguard format\"", "a@d"), "\"fromguard format\" a@d; ", ""},
};

#define RECORDS (sizeof(records) / sizeof(*records))

/* Let libcdb make a map of count records; the caller frees it. */
static char *
make_with_libcdb(const struct record *list, size_t count, size_t *len)
{
	int fd = memfd_create("cdb", MFD_CLOEXEC);
	struct cdb_make make;
	struct stat st;
	char *image;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(cdb_make_start(&make, fd), 0);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(
		    cdb_make_add(&make, list[i].key, (unsigned)list[i].key_len,
				 list[i].value, (unsigned)list[i].value_len),
		    0);
	ck_assert_int_eq(cdb_make_finish(&make), 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	image = malloc(*len);
	ck_assert_int_eq(pread(fd, image, *len, 0), (ssize_t)*len);
	(void)close(fd);
	return image;
}

START_TEST(records_of_others)
{
	size_t len;
	char *image = make_with_libcdb(&records[_i].record, 1, &len);
	struct buffer entries = {0};
	struct buffer told = {0};

	load(image, len, &entries, &told);
	ck_assert_str_eq(entries.data, records[_i].entries);
	ck_assert_str_eq(told.data, records[_i].problems);
	buffer_fini(&entries);
	buffer_fini(&told);
	free(image);
}
END_TEST

START_TEST(an_empty_map_of_others)
{
	size_t len;
	char *image = make_with_libcdb(NULL, 0, &len);
	struct error error;

	ck_assert_uint_eq(len, 2048);
	ck_assert(cdb_prove(image, len, &error));
	free(image);
}
END_TEST

/* Many records with few keys, so that tables are full and searches long. */
START_TEST(many_records_of_others)
{
	enum { MANY = 3000 };
	static char keys[MANY][16];
	static struct record list[MANY];
	struct error error = {""};
	size_t len;
	char *image;

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "u%d@d", i / 5);
		list[i] = (struct record){keys[i], strlen(keys[i]), "a@d", 3};
	}
	image = make_with_libcdb(list, MANY, &len);
	ck_assert_msg(cdb_prove(image, len, &error), "%s", error.text);
	free(image);
}
END_TEST

/* Proving ---------------------------------------------------------------- */

/* A copy of exactly len bytes, so that a read behind them is seen. */
static char *
exact_copy(const char *content, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);

	memcpy(copy, content, len);
	return copy;
}

START_TEST(every_proper_prefix_is_refused)
{
	size_t len;
	char *content = sample(&len);

	for (size_t cut = 0; cut < len; cut++) {
		struct error error = {""};
		char *prefix = exact_copy(content, cut);

		ck_assert_msg(!cdb_prove(prefix, cut, &error),
			      "%zu bytes of %zu are taken", cut, len);
		ck_assert_str_ne(error.text, "");
		free(prefix);
	}
	free(content);
}
END_TEST

/* Is the byte at place in the value of a record? */
static bool
is_in_a_value(const char *content, size_t place)
{
	const unsigned char *p = (const unsigned char *)content;
	size_t end = cdb_unpack(p);

	for (size_t at = 2048; at < end;) {
		size_t value = at + 8 + cdb_unpack(p + at);
		size_t next = value + cdb_unpack(p + at + 4);

		if (place >= value && place < next)
			return true;
		at = next;
	}
	return false;
}

START_TEST(every_flipped_bit_is_refused_or_in_one_value)
{
	size_t len;
	char *content = sample(&len);
	size_t taken = 0;

	for (size_t bit = 0; bit < len * 8; bit++) {
		struct error error = {""};

		content[bit / 8] ^= (char)(1 << bit % 8);
		if (cdb_prove(content, len, &error)) {
			taken++;
			ck_assert_msg(is_in_a_value(content, bit / 8),
				      "bit %zu of byte %zu goes unnoticed",
				      bit % 8, bit / 8);
		} else {
			ck_assert_str_ne(error.text, "");
		}
		content[bit / 8] ^= (char)(1 << bit % 8);
	}
	ck_assert_uint_gt(taken, 0);
	free(content);
}
END_TEST

START_TEST(anything_behind_is_refused)
{
	size_t len;
	char *content = sample(&len);
	struct error error = {""};

	/* file_read() has put a NUL behind it. */
	ck_assert(!cdb_prove(content, len + 1, &error));
	free(content);
}
END_TEST

/* Images of one record whose tables are not as makers have them. Slots are
 * as many letters: r names the record where its search begins or later, and
 * a dot is an empty one. */
static const struct {
	const char *slots;
	unsigned table_off;  /* the table is so many behind the right one */
	const char *refused; /* part of what is said; NULL: it is taken */
} tables[] = {
    {"r.", 0, NULL},
    {"r.", 1, "does not fit the records"},
    {"", 0, "is in no hash table"},
    {"r", 0, "too many slots or too few"},
    {"r..", 0, "too many slots or too few"},
    {"rr", 0, "does not fit the records"},
    {".r", 0, "can not be found"},
};

enum { TABLES = sizeof(tables) / sizeof(*tables) };

static void
put_number(char *image, size_t place, size_t number)
{
	cdb_pack((unsigned)number, (unsigned char *)image + place);
}

/* Make the image; slots is how many its table has. Returns its length. */
static size_t
make_image(char *image, const char *slots, unsigned table_off)
{
	const struct record record = RECORD("u@d", "a@d");
	unsigned hash = cdb_hash(record.key, (unsigned)record.key_len);
	size_t count = strlen(slots);
	size_t end = 2048 + 8 + record.key_len + record.value_len;
	size_t table = (hash + table_off) % 256;

	for (size_t i = 0; i < 256; i++) {
		put_number(image, i * 8, i <= table ? end : end + count * 8);
		put_number(image, i * 8 + 4, i == table ? count : 0);
	}
	put_number(image, 2048, record.key_len);
	put_number(image, 2052, record.value_len);
	memcpy(image + 2056, record.key, record.key_len);
	memcpy(image + 2056 + record.key_len, record.value, record.value_len);
	for (size_t i = 0; i < count; i++) {
		size_t slot = (hash / 256 + i) % count;

		put_number(image, end + slot * 8, slots[i] == 'r' ? hash : 0);
		put_number(image, end + slot * 8 + 4,
			   slots[i] == 'r' ? 2048 : 0);
	}
	return end + count * 8;
}

START_TEST(tables_that_are_not_as_they_should_be)
{
	const char *refused = tables[_i].refused;
	char image[4096] = {0};
	size_t len = make_image(image, tables[_i].slots, tables[_i].table_off);
	char *exact = exact_copy(image, len);
	struct error error = {""};

	ck_assert_int_eq(cdb_prove(exact, len, &error), refused == NULL);
	if (refused != NULL)
		ck_assert_msg(strstr(error.text, refused) != NULL, "%s",
			      error.text);
	free(exact);
}
END_TEST

/* Files ------------------------------------------------------------------ */

/* Write the sample to name; what is said where it fails. */
static const char *
complaint(const char *name)
{
	static struct error error;
	struct cdb_writer *writer = writer_of_lines(false);
	struct cdb_counts counts;
	bool done = write_to(writer, name, &counts, &error);

	cdb_writer_free(writer);
	return done ? "" : error.text;
}

static void
put_file(const char *name, const char *content, mode_t mode)
{
	int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	ck_assert_int_eq(write(fd, content, strlen(content)),
			 (ssize_t)strlen(content));
	(void)close(fd);
}

static mode_t
mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(lstat(in_folder(name), &st), 0);
	return st.st_mode;
}

static bool
exists(const char *name)
{
	struct stat st;

	return lstat(in_folder(name), &st) == 0;
}

START_TEST(modes)
{
	ck_assert_str_eq(complaint("new"), "");
	ck_assert_uint_eq(mode_of("new"), S_IFREG | 0644);
	put_file("old", "old", 0640);
	ck_assert_str_eq(complaint("old"), "");
	ck_assert_uint_eq(mode_of("old"), S_IFREG | 0640);
	(void)umask(077);
	ck_assert_str_eq(complaint("private"), "");
	ck_assert_uint_eq(mode_of("private"), S_IFREG | 0600);
	ck_assert(!exists("new.tmp") && !exists("old.tmp"));
}
END_TEST

START_TEST(left_behind_is_taken_over)
{
	size_t len;
	char *content = sample(&len);

	put_file("sample.tmp", "half of a map", 0600);
	ck_assert_str_eq(complaint("sample"), "");
	ck_assert(!exists("sample.tmp"));
	free(content);
	content = content_of("sample", &len);
	ck_assert(cdb_prove(content, len, NULL));
	free(content);
}
END_TEST

START_TEST(a_link_is_followed)
{
	char target[256];

	put_file("target", "old", 0644);
	(void)snprintf(target, sizeof(target), "%s", in_folder("target"));
	ck_assert_int_eq(symlink(target, in_folder("link")), 0);
	ck_assert_str_eq(complaint("link"), "");
	ck_assert(S_ISLNK(mode_of("link")));
	free(content_of("target", &(size_t){0}));
	ck_assert(!exists("link.tmp") && !exists("target.tmp"));
}
END_TEST

START_TEST(what_is_no_file_stays)
{
	ck_assert_int_eq(mkfifo(in_folder("fifo"), 0600), 0);
	ck_assert_ptr_nonnull(strstr(complaint("fifo"), "not a regular file"));
	ck_assert(S_ISFIFO(mode_of("fifo")));
	ck_assert_ptr_nonnull(strstr(complaint(""), "not a regular file"));
	ck_assert_ptr_nonnull(strstr(complaint("no/folder"), "No such file"));
}
END_TEST

START_TEST(another_writes_it)
{
	int fd;

	put_file("map", "old", 0644);
	put_file("map.tmp", "in the making", 0600);
	fd = open(in_folder("map.tmp"), O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_ptr_nonnull(strstr(complaint("map"), "another process"));
	ck_assert(exists("map.tmp"));
	(void)close(fd);
	ck_assert_str_eq(complaint("map"), "");
}
END_TEST

/* A temporary file that somebody else has prepared is not written to. */
START_TEST(prepared_by_others)
{
	char other[256];

	put_file("other", "other", 0644);
	(void)snprintf(other, sizeof(other), "%s", in_folder("other"));
	ck_assert_int_eq(symlink(other, in_folder("a.tmp")), 0);
	ck_assert_str_ne(complaint("a"), "");
	ck_assert_int_eq(link(other, in_folder("b.tmp")), 0);
	ck_assert_str_ne(complaint("b"), "");
	ck_assert_int_eq(mkfifo(in_folder("c.tmp"), 0600), 0);
	ck_assert_str_ne(complaint("c"), "");
	ck_assert(!exists("a") && !exists("b") && !exists("c"));
	ck_assert_int_eq(stat(other, &(struct stat){0}), 0);
	free(content_of("other", &(size_t){0}));
}
END_TEST

/* Limits ----------------------------------------------------------------- */

START_TEST(takes)
{
	static const struct {
		enum map_entry_kind kind;
		enum pattern_kind right_kind;
		const char *left;
		const char *right;
		bool takes;
	} rows[] = {
	    {ENTRY_GRANT, PATTERN_ADDRESS, "u@d", "a@d", true},
	    {ENTRY_GRANT, PATTERN_ADDRESS, "u@d", "a, \"b@d", true},
	    {ENTRY_GRANT, PATTERN_ADDRESS, "u@d", "a b", true},
	    {ENTRY_GRANT, PATTERN_ADDRESS, "u@d", "a@d,e", false},
	    {ENTRY_GRANT, PATTERN_ADDRESS, "u@d", "a@d e", false},
	    {ENTRY_GRANT, PATTERN_ADDRESS, "u@d", "a@\"d", false},
	    {ENTRY_GRANT, PATTERN_DOMAIN, "u@d", "d,e", false},
	    {ENTRY_GRANT, PATTERN_OWN_AT, "u@d", "d\te", false},
	    {ENTRY_ALIAS, PATTERN_ADDRESS, "u@d", "a@d,e", false},
	    {ENTRY_ALIAS, PATTERN_ADDRESS, "u@d e", "a@d", true},
	    {ENTRY_ACCOUNT, PATTERN_ADDRESS, "u@d,e", "", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct map_entry entry = {
		    .kind = rows[i].kind,
		    .left = {PATTERN_ADDRESS, span_text(rows[i].left)},
		    .right = {rows[i].right_kind, span_text(rows[i].right)},
		};
		struct error error = {""};

		ck_assert_int_eq(cdb_writer_takes(&entry, &error),
				 rows[i].takes);
		ck_assert_int_eq(error.text[0] == '\0', rows[i].takes);
	}
}
END_TEST

/* Add a grant of a numbered sender to a numbered login. */
static bool
add_grant(struct cdb_writer *writer, uint32_t login, uint32_t sender)
{
	char left[32];
	char right[32];
	struct map_entry entry = {.kind = ENTRY_GRANT};

	(void)snprintf(left, sizeof(left), "u%u@d", login);
	(void)snprintf(right, sizeof(right), "a%u@d", sender);
	entry.left = (struct pattern){PATTERN_ADDRESS, span_text(left)};
	entry.right = (struct pattern){PATTERN_ADDRESS, span_text(right)};
	return cdb_writer_add(writer, &entry);
}

/* So many logins that searches run on from the end of a table. */
START_TEST(many_logins)
{
	const uint32_t many = 5000;
	struct cdb_writer *writer = cdb_writer_new();
	struct cdb_counts counts;
	struct error error = {""};
	size_t len;
	char *content;

	for (uint32_t i = 0; i < many; i++)
		ck_assert(add_grant(writer, i, i));
	ck_assert(write_to(writer, "many", &counts, &error));
	ck_assert_uint_eq(counts.logins, many);
	content = content_of("many", &len);
	ck_assert_msg(cdb_prove(content, len, &error), "%s", error.text);
	free(content);
	cdb_writer_free(writer);
}
END_TEST

/* One login with more senders than fit into a piece of the file. */
START_TEST(a_large_value)
{
	const uint32_t many = 400000;
	struct cdb_writer *writer = cdb_writer_new();
	struct cdb_counts counts;
	struct error error = {""};
	struct buffer entries = {0};
	struct buffer told = {0};
	size_t len;
	char *content;

	for (uint32_t i = 0; i < many; i++)
		ck_assert(add_grant(writer, 0, i));
	ck_assert(write_to(writer, "large", &counts, &error));
	ck_assert_uint_eq(counts.logins, 1);
	ck_assert_uint_eq(counts.grants, many);
	content = content_of("large", &len);
	load(content, len, &entries, &told);
	ck_assert_str_eq(told.data, "");
	ck_assert_ptr_nonnull(strstr(entries.data, "u0@d a0@d; "));
	ck_assert_ptr_nonnull(strstr(entries.data, "u0@d a399999@d; "));
	buffer_fini(&entries);
	buffer_fini(&told);
	free(content);
	cdb_writer_free(writer);
}
END_TEST

/* Make and write a map, with the n-th allocation failing; false where one
 * did. */
static bool
build(size_t n)
{
	struct cdb_writer *writer;
	struct cdb_counts counts;
	struct error error = {""};
	bool ok;

	memory_fail_after(n);
	writer = cdb_writer_new();
	ok = writer != NULL;
	for (uint32_t i = 0; ok && i < 100; i++)
		ok = add_grant(writer, i / 2, i);
	ok = ok && write_to(writer, "map", &counts, &error);
	memory_fail_after(0);
	cdb_writer_free(writer);
	ck_assert(!exists("map.tmp"));
	ck_assert_int_eq(exists("map"), ok);
	return ok;
}

START_TEST(every_allocation_may_fail)
{
	size_t n = 1;

	while (!build(n)) {
		n++;
		ck_assert_uint_lt(n, 1000);
	}
	ck_assert_uint_gt(n, 5);
}
END_TEST

START_TEST(no_memory_for_the_proof)
{
	size_t len;
	char *content = sample(&len);
	struct error error = {""};

	memory_fail_after(1);
	ck_assert(!cdb_prove(content, len, &error));
	memory_fail_after(0);
	ck_assert_str_eq(error.text, "out of memory");
	free(content);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cdb");
	TCase *tcase = tcase_create("cdb");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, make_folder, remove_folder);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, same_entries_make_the_same_bytes);
	tcase_add_loop_test(tcase, libcdb_reads_it, 0, LIBCDB_ROWS);
	tcase_add_test(tcase, what_was_written_is_read);
	tcase_add_loop_test(tcase, records_of_others, 0, (int)RECORDS);
	tcase_add_test(tcase, an_empty_map_of_others);
	tcase_add_test(tcase, many_records_of_others);
	tcase_add_test(tcase, every_proper_prefix_is_refused);
	tcase_add_test(tcase, every_flipped_bit_is_refused_or_in_one_value);
	tcase_add_test(tcase, anything_behind_is_refused);
	tcase_add_loop_test(tcase, tables_that_are_not_as_they_should_be, 0,
			    TABLES);
	tcase_add_test(tcase, modes);
	tcase_add_test(tcase, left_behind_is_taken_over);
	tcase_add_test(tcase, a_link_is_followed);
	tcase_add_test(tcase, what_is_no_file_stays);
	tcase_add_test(tcase, another_writes_it);
	tcase_add_test(tcase, prepared_by_others);
	tcase_add_test(tcase, takes);
	tcase_add_test(tcase, many_logins);
	tcase_add_test(tcase, a_large_value);
	tcase_add_test(tcase, every_allocation_may_fail);
	tcase_add_test(tcase, no_memory_for_the_proof);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
