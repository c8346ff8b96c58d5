/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a compiled map. An entry becomes a part: a key and one piece of its
 * value. Parts are sorted by the place of their key in the hash tables, then
 * by their text, so that the order in which they came leaves no trace in the
 * file, and that who reads the tables finds the records in their order.
 */
#include "base/memory.h"
#include "base/pool.h"
#include "cdb_output.h"
#include "cdb_replace.h"
#include "maps/cdb.h"

#include <errno.h>
#include <stdlib.h>

enum {
	PROGRESS_STEP = 8192, /* parts between two calls of a cdb_progress */
	/* Parts between the one that is written and the one whose text is
	 * asked for, so that memory is not waited for. */
	AHEAD = 32,
	DIGIT_BITS = 11, /* of a pass of the sort */
	DIGITS = 1 << DIGIT_BITS,
};

/* What the format record tells people behind its version. */
#define CDB_FORMAT_NOTE " login -> senders"

/* key and value refer to texts in the pool, which end with NUL: no pattern has
 * one in it. */
struct cdb_part {
	uint32_t order; /* the hash of the key, its table in front */
	uint32_t key;
	uint32_t value; /* 0: none */
};

struct cdb_writer {
	struct pool pool;
	struct cdb_part *parts;
	size_t count;
	size_t room;
	struct buffer text; /* of the key or value in the making */
};

struct cdb_writer *
cdb_writer_new(void)
{
	return memory_try_zero(1, sizeof(struct cdb_writer));
}

void
cdb_writer_free(struct cdb_writer *writer)
{
	if (writer == NULL)
		return;
	pool_fini(&writer->pool);
	free(writer->parts);
	buffer_fini(&writer->text);
	free(writer);
}

/* Would words be divided, or a quote be seen, in the domain of a pattern? */
static bool
domain_divides(const struct pattern *pattern)
{
	struct span domain = pattern->text;
	const char *at;

	if (pattern->kind == PATTERN_ADDRESS) {
		at = memrchr(domain.data, '@', domain.len);
		if (at == NULL)
			return false;
		domain = span_from(domain, (size_t)(at + 1 - domain.data));
	}
	for (size_t i = 0; i < domain.len; i++)
		if (byte_is_blank(domain.data[i]) || domain.data[i] == ',' ||
		    domain.data[i] == '"')
			return true;
	return false;
}

bool
cdb_writer_takes(const struct map_entry *entry, struct error *error)
{
	/* What is on the left is a key of its own, which nobody divides. */
	if (entry->kind == ENTRY_ACCOUNT || !domain_divides(&entry->right))
		return true;
	error_set(error,
		  "\"%" SPAN_FMT "\" has a blank, a comma or a quote in its "
		  "domain, which a compiled map can not spell",
		  SPAN_ARG(entry->right.text));
	return false;
}

static const char *
text_at(const struct cdb_writer *writer, uint32_t ref)
{
	return ref == 0 ? "" : pool_at(&writer->pool, ref);
}

/* Keep the text in the making; 0 without memory. */
static uint32_t
keep_text(struct cdb_writer *writer)
{
	char *place;
	uint32_t ref = pool_add(&writer->pool, writer->text.len + 1, &place);

	if (ref != 0)
		memcpy(place, writer->text.data, writer->text.len + 1);
	return ref;
}

/* The hash with the bits that choose the table in front. */
static uint32_t
order_of(uint32_t hash)
{
	return hash << 24 | hash >> 8;
}

static uint32_t
hash_of(uint32_t order)
{
	return order << 8 | order >> 24;
}

/* Add a part with the key that is in the making; false without memory. A
 * map's entries of one login mostly stand together, so the key is compared with
 * the one before. */
static struct cdb_part *
add_part(struct cdb_writer *writer)
{
	struct span key = buffer_span(&writer->text);
	struct cdb_part *part;
	const struct cdb_part *last;

	if (!memory_try_grow((void **)&writer->parts, &writer->room,
			     writer->count, sizeof(*part)))
		return NULL;
	part = &writer->parts[writer->count];
	last = part - 1;
	if (writer->count > 0 && span_is(key, text_at(writer, last->key)))
		*part = *last;
	else
		*part = (struct cdb_part){
		    .order = order_of(cdb_hash(key.data, (unsigned)key.len)),
		    .key = keep_text(writer),
		};
	part->value = 0;
	if (part->key == 0)
		return NULL;
	writer->count++;
	return part;
}

/* Give a part the value that is in the making; false without memory. */
static bool
set_value(struct cdb_writer *writer, struct cdb_part *part)
{
	part->value = keep_text(writer);
	return part->value != 0;
}

bool
cdb_writer_add(void *arg, const struct map_entry *entry)
{
	static const char *const before[] = {
	    [ENTRY_GRANT] = "",
	    [ENTRY_ALIAS] = CDB_ALIAS_KEY,
	    [ENTRY_ACCOUNT] = CDB_ACCOUNT_KEY,
	};
	struct cdb_writer *writer = arg;
	struct cdb_part *part;

	buffer_clear(&writer->text);
	buffer_add(&writer->text, span_text(before[entry->kind]));
	pattern_format(&entry->left, &writer->text);
	part = add_part(writer);
	if (part == NULL || entry->kind == ENTRY_ACCOUNT)
		return part != NULL;
	buffer_clear(&writer->text);
	if (entry->denial)
		buffer_byte(&writer->text, '!');
	pattern_format(&entry->right, &writer->text);
	return set_value(writer, part);
}

/* Add the format record, a part like the others. */
static bool
add_format(struct cdb_writer *writer)
{
	struct cdb_part *part;

	buffer_clear(&writer->text);
	buffer_add(&writer->text, span_text(CDB_FORMAT_KEY));
	part = add_part(writer);
	buffer_clear(&writer->text);
	buffer_add(&writer->text,
		   span_text(CDB_FORMAT_VERSION CDB_FORMAT_NOTE));
	return part != NULL && set_value(writer, part);
}

/* Move parts to sorted, in the order of one digit; equal ones stay in order. */
static void
sort_digit(const struct cdb_part *parts, struct cdb_part *sorted, size_t count,
	   unsigned shift)
{
	size_t places[DIGITS] = {0};
	size_t next = 0;

	for (size_t i = 0; i < count; i++)
		places[(parts[i].order >> shift) % DIGITS]++;
	for (size_t i = 0; i < DIGITS; i++) {
		size_t len = places[i];

		places[i] = next;
		next += len;
	}
	for (size_t i = 0; i < count; i++)
		sorted[places[(parts[i].order >> shift) % DIGITS]++] = parts[i];
}

/* Sort the parts by their order alone; false without memory. */
static bool
sort_parts(struct cdb_writer *writer)
{
	struct cdb_part *other =
	    memory_try_zero(writer->count, sizeof(*writer->parts));

	if (other == NULL)
		return false;
	for (unsigned shift = 0; shift < 32; shift += DIGIT_BITS) {
		struct cdb_part *sorted = other;

		sort_digit(writer->parts, sorted, writer->count, shift);
		other = writer->parts;
		writer->parts = sorted;
	}
	writer->room = writer->count;
	free(other);
	return true;
}

static int
compare_texts(const struct cdb_writer *writer, uint32_t a, uint32_t b)
{
	return a == b ? 0 : strcmp(text_at(writer, a), text_at(writer, b));
}

/* Compare two parts of the same order. */
static int
compare_parts(const void *a, const void *b, void *arg)
{
	const struct cdb_part *x = a;
	const struct cdb_part *y = b;
	int order = compare_texts(arg, x->key, y->key);

	return order != 0 ? order : compare_texts(arg, x->value, y->value);
}

/* Find where the parts of the same order as number i end, sorted by text. */
static size_t
sort_run(struct cdb_writer *writer, size_t i)
{
	struct cdb_part *parts = writer->parts;
	size_t end = i + 1;

	while (end < writer->count && parts[end].order == parts[i].order)
		end++;
	if (end - i > 1)
		qsort_r(&parts[i], end - i, sizeof(*parts), compare_parts,
			writer);
	return end;
}

/* A file in the making. */
struct making {
	struct cdb_writer *writer;
	struct cdb_counts *counts;
	struct cdb_output output;
	char *value; /* of the record in the making */
	size_t len;
	size_t room;
};

/* Add a piece to the value in the making, behind ", " where it is not the
 * first. */
static bool
add_value(struct making *making, struct span piece)
{
	size_t wanted = making->len + 2 + piece.len;

	if (wanted > making->room) {
		char *grown = memory_try_resize(making->value, wanted * 2, 1);

		if (grown == NULL) {
			errno = ENOMEM;
			return false;
		}
		making->value = grown;
		making->room = wanted * 2;
	}
	if (making->len > 0) {
		memcpy(making->value + making->len, ", ", 2);
		making->len += 2;
	}
	memcpy(making->value + making->len, piece.data, piece.len);
	making->len += piece.len;
	return true;
}

/* Count a record; that of the format is none. */
static void
count_record(struct cdb_counts *counts, struct span key, size_t pieces)
{
	if (span_begins(key, CDB_ACCOUNT_KEY))
		counts->accounts++;
	else if (span_begins(key, CDB_ALIAS_KEY))
		counts->aliases++;
	else if (!span_is(key, CDB_FORMAT_KEY)) {
		counts->logins++;
		counts->grants += pieces;
	}
}

/* Write the record of the key of part number i, and step over its parts;
 * those that are equal count once. */
static bool
put_parts(struct making *making, size_t *i, size_t end)
{
	const struct cdb_writer *writer = making->writer;
	const struct cdb_part *first = &writer->parts[*i];
	struct span key = span_text(text_at(writer, first->key));
	size_t pieces = 0;

	making->len = 0;
	for (; *i < end; ++*i) {
		const struct cdb_part *part = &writer->parts[*i];

		if (compare_texts(writer, part->key, first->key) != 0)
			break;
		if (part > first &&
		    compare_texts(writer, part->value, part[-1].value) == 0)
			continue;
		if (!add_value(making, span_text(text_at(writer, part->value))))
			return false;
		pieces++;
	}
	count_record(making->counts, key, pieces);
	return cdb_output_add(&making->output, hash_of(first->order), key,
			      span_of(making->value, making->len));
}

/* Ask for the texts of the parts before number end, from *next on. */
static void
fetch_ahead(const struct cdb_writer *writer, size_t *next, size_t end)
{
	for (; *next < end && *next < writer->count; ++*next) {
		const struct cdb_part *part = &writer->parts[*next];

		__builtin_prefetch(text_at(writer, part->key));
		__builtin_prefetch(text_at(writer, part->value));
	}
}

static bool
put_records(struct making *making, cdb_progress *progress, void *arg)
{
	struct cdb_writer *writer = making->writer;
	size_t fetched = 0;
	size_t shown = 0;

	for (size_t i = 0; i < writer->count;) {
		size_t end;

		fetch_ahead(writer, &fetched, i + AHEAD);
		if (progress != NULL && i >= shown) {
			progress(arg, i, writer->count);
			shown = i + PROGRESS_STEP;
		}
		end = sort_run(writer, i);
		while (i < end)
			if (!put_parts(making, &i, end))
				return false;
	}
	if (progress != NULL)
		progress(arg, writer->count, writer->count);
	return true;
}

/* Write the whole image to fd; false with errno set. */
static bool
put_image(struct cdb_writer *writer, int fd, cdb_progress *progress, void *arg,
	  struct cdb_counts *counts)
{
	struct making making = {.writer = writer, .counts = counts};
	bool done;
	int number;

	if (!add_format(writer) || !sort_parts(writer)) {
		errno = ENOMEM;
		return false;
	}
	done = cdb_output_init(&making.output, fd) &&
	       put_records(&making, progress, arg) &&
	       cdb_output_finish(&making.output);
	number = errno;
	cdb_output_fini(&making.output);
	free(making.value);
	errno = number;
	return done;
}

bool
cdb_writer_write(struct cdb_writer *writer, const char *path,
		 cdb_progress *progress, void *arg, struct cdb_counts *counts,
		 struct error *error)
{
	struct replacement file;
	struct stat st;

	*counts = (struct cdb_counts){0};
	if (!replacement_open(&file, path, error))
		return false;
	if (!put_image(writer, file.fd, progress, arg, counts) ||
	    fstat(file.fd, &st) != 0) {
		error_errno(error, errno, "%s", file.temporary);
		replacement_abort(&file);
		return false;
	}
	counts->bytes = (size_t)st.st_size;
	return replacement_commit(&file, error);
}
