/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The proof that an image is one whole constant database. It takes the layout
 * that every maker of them writes and no other: records, then the tables in
 * their order, nothing in between and nothing behind. So each byte but those
 * of the values is bound by some other, and no change of one goes unnoticed.
 */
#include "base/memory.h"
#include "cdb_image.h"
#include "maps/cdb.h"

#include <stdlib.h>

struct proof {
	const char *image;
	size_t len;
	size_t records_end;
	size_t records;
	size_t slots_used;
	/* A bit for each place behind the header: whether a record starts
	 * there that no slot has named yet. */
	unsigned char *starts;
	struct error *error;
};

static bool
fail(const struct proof *proof, const char *reason)
{
	error_set(proof->error, "%s", reason);
	return false;
}

static void
mark_start(struct proof *proof, size_t place)
{
	size_t i = place - CDB_HEADER;

	proof->starts[i / 8] |= (unsigned char)(1 << i % 8);
}

/* Take the mark of a place away; false where there is none. */
static bool
take_start(struct proof *proof, size_t place)
{
	size_t i = place - CDB_HEADER;
	unsigned bit = 1U << i % 8;

	if (place < CDB_HEADER || place >= proof->records_end ||
	    (proof->starts[i / 8] & bit) == 0)
		return false;
	proof->starts[i / 8] &= (unsigned char)~bit;
	return true;
}

/* The tables follow each other from the records' end to the file's end. */
static bool
prove_layout(struct proof *proof)
{
	size_t next;

	if (proof->len < CDB_HEADER)
		return fail(proof, "too short for a compiled map");
	if (proof->len > UINT32_MAX)
		return fail(proof, "too long for a compiled map");
	next = cdb_records_end(proof->image);
	if (next < CDB_HEADER)
		return fail(proof, "damaged: its records end in its header");
	proof->records_end = next;
	for (size_t i = 0; i < CDB_TABLES; i++) {
		struct cdb_pair table = cdb_pair_at(proof->image, i * CDB_PAIR);

		if (table.first != next)
			return fail(proof, "damaged: a hash table is not where "
					   "the one before it ends");
		next += (size_t)table.second * CDB_PAIR;
		if (next > proof->len)
			return fail(proof, "cut off in its hash tables");
	}
	if (next != proof->len)
		return fail(proof, "has something behind its hash tables");
	return true;
}

/* Is the value of a format record one that is understood here? */
static bool
is_our_format(struct span value)
{
	size_t len = strlen(CDB_FORMAT_VERSION);

	return span_begins(value, CDB_FORMAT_VERSION) &&
	       (value.len == len || value.data[len] == ' ');
}

/* Records fill the room before the tables; none tells of another format. */
static bool
prove_records(struct proof *proof)
{
	size_t place = CDB_HEADER;

	while (place < proof->records_end) {
		struct cdb_record record;

		mark_start(proof, place);
		if (!cdb_record_next(proof->image, proof->records_end, &place,
				     &record))
			return fail(proof, "damaged: a record reaches into the "
					   "hash tables");
		proof->records++;
		if (span_is(record.key, CDB_FORMAT_KEY) &&
		    !is_our_format(record.value))
			return fail(
			    proof,
			    "its format is not version " CDB_FORMAT_VERSION
			    ", the one that is understood here: make "
			    "it again with fromguard compile");
	}
	return true;
}

static bool
is_empty(struct cdb_pair slot)
{
	return slot.second == 0;
}

/* A used slot of table number table names a record once, with its hash. */
static bool
prove_slot(struct proof *proof, size_t table, struct cdb_pair slot)
{
	size_t place = slot.second;
	struct cdb_record record;

	if (is_empty(slot))
		return slot.first == 0;
	proof->slots_used++;
	return take_start(proof, place) &&
	       cdb_record_next(proof->image, proof->records_end, &place,
			       &record) &&
	       slot.first ==
		   cdb_hash(record.key.data, (unsigned)record.key.len) &&
	       slot.first % CDB_TABLES == table;
}

/*
 * A search starts at the slot of its hash and ends at the first empty one, so
 * no empty one may lie between a used slot and where its search starts. Walk
 * the ring of slots once, from an empty one.
 */
static bool
prove_searches(const struct proof *proof, struct cdb_pair table)
{
	size_t slots = table.second;
	size_t from = 0;
	size_t last_empty = 0;

	while (
	    from < slots &&
	    !is_empty(cdb_pair_at(proof->image, table.first + from * CDB_PAIR)))
		from++;
	/* Where none is empty every search comes past every slot. */
	for (size_t i = 1; from < slots && i < slots; i++) {
		struct cdb_pair slot = cdb_pair_at(
		    proof->image, table.first + (from + i) % slots * CDB_PAIR);
		size_t start = (slot.first / CDB_TABLES + slots - from) % slots;

		if (is_empty(slot))
			last_empty = i;
		else if (start <= last_empty || start > i)
			return false;
	}
	return true;
}

static bool
prove_table(struct proof *proof, size_t number)
{
	struct cdb_pair table = cdb_pair_at(proof->image, number * CDB_PAIR);
	size_t used = proof->slots_used;

	for (size_t i = 0; i < table.second; i++)
		if (!prove_slot(
			proof, number,
			cdb_pair_at(proof->image, table.first + i * CDB_PAIR)))
			return fail(proof, "damaged: a hash table does not fit "
					   "the records");
	used = proof->slots_used - used;
	if (table.second != used * CDB_SLOTS_A_RECORD)
		return fail(proof, "damaged: a hash table has too many slots "
				   "or too few");
	if (!prove_searches(proof, table))
		return fail(proof, "damaged: a record can not be found");
	return true;
}

static bool
prove_tables(struct proof *proof)
{
	for (size_t i = 0; i < CDB_TABLES; i++)
		if (!prove_table(proof, i))
			return false;
	if (proof->slots_used != proof->records)
		return fail(proof, "damaged: a record is in no hash table");
	return true;
}

bool
cdb_prove(const char *image, size_t len, struct error *error)
{
	struct proof proof = {.image = image, .len = len, .error = error};
	bool proven;

	if (!prove_layout(&proof))
		return false;
	proof.starts =
	    memory_try_zero((proof.records_end - CDB_HEADER) / 8 + 1, 1);
	if (proof.starts == NULL)
		return fail(&proof, "out of memory");
	proven = prove_records(&proof) && prove_tables(&proof);
	free(proof.starts);
	return proven;
}
