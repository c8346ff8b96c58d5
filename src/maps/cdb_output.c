/* SPDX-License-Identifier: BSD-2-Clause */
#include "cdb_output.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 1 << 18 }; /* bytes that are written at a time */

/* Write all of it; at is its place in the file. */
static bool
write_all(int fd, const char *data, size_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, (off_t)at);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			data += n;
			at += (uint64_t)n;
			len -= (size_t)n;
		}
	}
	return true;
}

static bool
flush(struct cdb_output *output)
{
	size_t len = output->used;

	output->used = 0;
	return write_all(output->fd, output->buffer, len, output->place - len);
}

/* Add bytes at the end of the file. */
static bool
put(struct cdb_output *output, const void *data, size_t len)
{
	const char *from = data;

	if (output->place + len > UINT32_MAX) {
		errno = EFBIG;
		return false;
	}
	while (len > 0) {
		size_t part = PIECE - output->used;

		if (part > len)
			part = len;
		memcpy(output->buffer + output->used, from, part);
		output->used += part;
		output->place += part;
		from += part;
		len -= part;
		if (output->used == PIECE && !flush(output))
			return false;
	}
	return true;
}

static struct cdb_pair
pair_of(uint32_t first, uint32_t second)
{
	return (struct cdb_pair){htole32(first), htole32(second)};
}

bool
cdb_output_init(struct cdb_output *output, int fd)
{
	*output = (struct cdb_output){.fd = fd};
	output->buffer = memory_try_resize(NULL, PIECE, 1);
	if (output->buffer == NULL) {
		errno = ENOMEM;
		return false;
	}
	/* The header is not known yet: this keeps its place. */
	return put(output, output->header, sizeof(output->header));
}

void
cdb_output_fini(struct cdb_output *output)
{
	free(output->buffer);
	free(output->records);
	output->buffer = NULL;
	output->records = NULL;
}

bool
cdb_output_add(struct cdb_output *output, uint32_t hash, struct span key,
	       struct span value)
{
	struct cdb_pair lens;

	if (!memory_try_grow((void **)&output->records, &output->room,
			     output->count, sizeof(*output->records))) {
		errno = ENOMEM;
		return false;
	}
	if (key.len > UINT32_MAX || value.len > UINT32_MAX) {
		errno = EFBIG;
		return false;
	}
	output->records[output->count++] =
	    (struct cdb_pair){hash, (uint32_t)output->place};
	lens = pair_of((uint32_t)key.len, (uint32_t)value.len);
	return put(output, &lens, sizeof(lens)) &&
	       put(output, key.data, key.len) &&
	       put(output, value.data, value.len);
}

/* The first free slot from one on. next[] leads there, over slots that are
 * taken, and each search shortens the way of later ones: so a long run of them,
 * as keys whose hashes collide make it, is not walked once a key. */
static size_t
free_slot(uint32_t *next, size_t slot)
{
	while (next[slot] != slot) {
		next[slot] = next[next[slot]];
		slot = next[slot];
	}
	return slot;
}

/* Write the table of count records, whose slots, and the way from each to the
 * next, have room for it. */
static bool
put_table(struct cdb_output *output, const struct cdb_pair *records,
	  size_t count, struct cdb_pair *slots, uint32_t *next)
{
	size_t size = count * CDB_SLOTS_A_RECORD;

	if (count == 0)
		return true;
	assert(size > 0);
	memset(slots, 0, size * sizeof(*slots));
	for (size_t i = 0; i < size; i++)
		next[i] = (uint32_t)i;
	for (size_t i = 0; i < count; i++) {
		size_t slot =
		    free_slot(next, records[i].first / CDB_TABLES % size);

		slots[slot] = pair_of(records[i].first, records[i].second);
		next[slot] = (uint32_t)(slot + 1 < size ? slot + 1 : 0);
	}
	return put(output, slots, size * sizeof(*slots));
}

/* Find where the records of a table end that begin with number from. */
static size_t
table_end(const struct cdb_output *output, size_t table, size_t from)
{
	while (from < output->count &&
	       output->records[from].first % CDB_TABLES == table)
		from++;
	return from;
}

static bool
put_tables(struct cdb_output *output, struct cdb_pair *slots, uint32_t *next)
{
	size_t from = 0;

	for (size_t i = 0; i < CDB_TABLES; i++) {
		size_t count = table_end(output, i, from) - from;

		output->header[i] =
		    pair_of((uint32_t)output->place,
			    (uint32_t)(count * CDB_SLOTS_A_RECORD));
		if (!put_table(output, output->records + from, count, slots,
			       next))
			return false;
		from += count;
	}
	return true;
}

bool
cdb_output_finish(struct cdb_output *output)
{
	/* No table is larger than one of all records. */
	struct cdb_pair *slots =
	    memory_try_zero(output->count, CDB_SLOTS_A_RECORD * sizeof(*slots));
	uint32_t *next = memory_try_resize(NULL, output->count,
					   CDB_SLOTS_A_RECORD * sizeof(*next));
	bool done = false;
	int number;

	if (slots == NULL || next == NULL)
		errno = ENOMEM;
	else
		done = put_tables(output, slots, next) && flush(output) &&
		       write_all(output->fd, (const char *)output->header,
				 sizeof(output->header), 0);
	number = errno;
	free(slots);
	free(next);
	errno = number;
	return done;
}
