/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a compiled map. An entry becomes a pair of a key and one part of its
 * value. The pairs are sorted by the hash of their keys, then by their text,
 * so that the order in which they came leaves no trace in the file; numbers
 * are compared much faster than a million of texts that begin alike.
 */
#include "base/memory.h"
#include "base/pool.h"
#include "cdb_image.h"
#include "cdb_replace.h"
#include "maps/cdb.h"

#include <errno.h>
#include <stdlib.h>

/* How many pairs there are between two calls of a progress function. */
enum { PROGRESS_STEP = 8192 };

/* References of texts in the pool, which end with NUL: no pattern has one. */
struct cdb_part {
	uint32_t hash; /* of the key */
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
	const struct pattern *sides[] = {&entry->left, &entry->right};
	size_t count = entry->kind == ENTRY_ACCOUNT ? 1 : 2;

	for (size_t i = 0; i < count; i++) {
		if (!domain_divides(sides[i]))
			continue;
		error_set(error,
			  "\"%" SPAN_FMT "\" has a blank, a comma or a quote "
			  "in its domain, which a compiled map can not spell",
			  SPAN_ARG(sides[i]->text));
		return false;
	}
	return true;
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

/* Set the key of a part; a map's entries of one login mostly stand together,
 * so the one before is looked at. */
static bool
set_key(struct cdb_writer *writer, const struct map_entry *entry,
	struct cdb_part *part)
{
	static const char *const before[] = {
	    [ENTRY_GRANT] = "",
	    [ENTRY_ALIAS] = CDB_ALIAS_KEY,
	    [ENTRY_ACCOUNT] = CDB_ACCOUNT_KEY,
	};
	const struct cdb_part *last =
	    writer->count > 0 ? &writer->parts[writer->count - 1] : NULL;
	struct span key;

	buffer_clear(&writer->text);
	buffer_add(&writer->text, span_text(before[entry->kind]));
	pattern_format(&entry->left, &writer->text);
	key = buffer_span(&writer->text);
	if (last != NULL && span_is(key, text_at(writer, last->key))) {
		part->hash = last->hash;
		part->key = last->key;
		return true;
	}
	part->hash = cdb_hash(key.data, (unsigned)key.len);
	part->key = keep_text(writer);
	return part->key != 0;
}

static bool
set_value(struct cdb_writer *writer, const struct map_entry *entry,
	  struct cdb_part *part)
{
	part->value = 0;
	if (entry->kind == ENTRY_ACCOUNT)
		return true;
	buffer_clear(&writer->text);
	if (entry->denial)
		buffer_byte(&writer->text, '!');
	pattern_format(&entry->right, &writer->text);
	part->value = keep_text(writer);
	return part->value != 0;
}

bool
cdb_writer_add(void *arg, const struct map_entry *entry)
{
	struct cdb_writer *writer = arg;
	struct cdb_part part;

	if (!memory_try_grow((void **)&writer->parts, &writer->room,
			     writer->count, sizeof(part)) ||
	    !set_key(writer, entry, &part) || !set_value(writer, entry, &part))
		return false;
	writer->parts[writer->count++] = part;
	return true;
}

static int
compare_texts(const struct cdb_writer *writer, uint32_t a, uint32_t b)
{
	return a == b ? 0 : strcmp(text_at(writer, a), text_at(writer, b));
}

static int
compare_parts(const void *a, const void *b, void *arg)
{
	const struct cdb_part *x = a;
	const struct cdb_part *y = b;
	int order;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	order = compare_texts(arg, x->key, y->key);
	return order != 0 ? order : compare_texts(arg, x->value, y->value);
}

static bool
same_key(const struct cdb_writer *writer, const struct cdb_part *a,
	 const struct cdb_part *b)
{
	return a->hash == b->hash && compare_texts(writer, a->key, b->key) == 0;
}

/* Sort the parts, and keep one of those that are equal. */
static void
sort_parts(struct cdb_writer *writer)
{
	struct cdb_part *parts = writer->parts;
	size_t count = 0;

	if (writer->count == 0)
		return;
	qsort_r(parts, writer->count, sizeof(*parts), compare_parts, writer);
	for (size_t i = 1; i < writer->count; i++)
		if (compare_parts(&parts[count], &parts[i], writer) != 0)
			parts[++count] = parts[i];
	writer->count = count + 1;
}

/* Find where the record that begins with part number i ends. */
static size_t
record_end(const struct cdb_writer *writer, size_t i)
{
	size_t end = i + 1;

	while (end < writer->count &&
	       same_key(writer, &writer->parts[i], &writer->parts[end]))
		end++;
	return end;
}

static void
count_records(const struct cdb_writer *writer, struct cdb_counts *counts)
{
	size_t end;

	for (size_t i = 0; i < writer->count; i = end) {
		struct span key =
		    span_text(text_at(writer, writer->parts[i].key));

		end = record_end(writer, i);
		if (span_begins(key, CDB_ACCOUNT_KEY))
			counts->accounts++;
		else if (span_begins(key, CDB_ALIAS_KEY))
			counts->aliases++;
		else {
			counts->logins++;
			counts->grants += end - i;
		}
	}
}

/* A file in the making. */
struct making {
	const struct cdb_writer *writer;
	struct cdb_make make;
	char *value; /* of the record in the making */
	size_t room;
};

static bool
put_record(struct making *making, struct span key, struct span value)
{
	if (value.len > UINT32_MAX) {
		errno = EFBIG;
		return false;
	}
	return cdb_make_add(&making->make, key.data, (unsigned)key.len,
			    value.data, (unsigned)value.len) == 0;
}

/* Make room for a value of len bytes. */
static bool
make_room(struct making *making, size_t len)
{
	char *grown;

	if (len <= making->room)
		return true;
	grown = memory_try_resize(making->value, len * 2, 1);
	if (grown == NULL) {
		errno = ENOMEM;
		return false;
	}
	making->value = grown;
	making->room = len * 2;
	return true;
}

/* Write the record of parts first to end: its values, joined by ", ". */
static bool
put_parts(struct making *making, size_t first, size_t end)
{
	const struct cdb_writer *writer = making->writer;
	size_t len = 0;

	for (size_t i = first; i < end; i++) {
		struct span part =
		    span_text(text_at(writer, writer->parts[i].value));

		if (!make_room(making, len + 2 + part.len))
			return false;
		if (i > first) {
			memcpy(making->value + len, ", ", 2);
			len += 2;
		}
		memcpy(making->value + len, part.data, part.len);
		len += part.len;
	}
	return put_record(making,
			  span_text(text_at(writer, writer->parts[first].key)),
			  span_of(making->value, len));
}

/* Write the format record, which tells people more than it has to. */
static bool
put_format(struct making *making, const struct cdb_counts *counts)
{
	struct buffer value = {0};
	bool done;

	buffer_format(&value, CDB_FORMAT_VERSION " %zu logins, %zu grants",
		      counts->logins, counts->grants);
	done =
	    put_record(making, span_text(CDB_FORMAT_KEY), buffer_span(&value));
	buffer_fini(&value);
	return done;
}

static bool
put_records(struct making *making, cdb_progress *progress, void *arg)
{
	size_t total = making->writer->count;
	size_t next = 0;
	size_t end;

	for (size_t i = 0; i < total; i = end) {
		if (progress != NULL && i >= next) {
			progress(arg, i, total);
			next = i + PROGRESS_STEP;
		}
		end = record_end(making->writer, i);
		if (!put_parts(making, i, end))
			return false;
	}
	if (progress != NULL)
		progress(arg, total, total);
	return true;
}

/* Write the whole image to fd; false with errno set. */
static bool
put_image(const struct cdb_writer *writer, int fd, cdb_progress *progress,
	  void *arg, const struct cdb_counts *counts)
{
	struct making making = {.writer = writer};
	bool done;
	int number;

	if (cdb_make_start(&making.make, fd) != 0)
		return false;
	done =
	    put_format(&making, counts) && put_records(&making, progress, arg);
	number = errno;
	/* It frees what cdb_make_start() and others have allocated, too. */
	if (cdb_make_finish(&making.make) != 0 && done) {
		number = errno;
		done = false;
	}
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
	sort_parts(writer);
	count_records(writer, counts);
	if (!put_image(writer, file.fd, progress, arg, counts) ||
	    fstat(file.fd, &st) != 0) {
		error_errno(error, errno, "%s", file.temporary);
		replacement_abort(&file);
		return false;
	}
	counts->bytes = (size_t)st.st_size;
	return replacement_commit(&file, error);
}
