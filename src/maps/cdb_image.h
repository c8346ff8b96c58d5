/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image of a constant database, cdb(5): a header of 256 pairs (place and
 * number of slots of a hash table), the records (length of key, length of
 * value, key, value), the hash tables (slots: hash and place of a record, or
 * zeros). All numbers are 32 bits, little-endian.
 */
#ifndef MAPS_CDB_IMAGE_H
#define MAPS_CDB_IMAGE_H

#include "base/span.h"

#include <cdb.h>
#include <endian.h>
#include <stdint.h>

enum {
	CDB_TABLES = 256,
	CDB_PAIR = 8, /* bytes of two numbers: all parts begin with that */
	CDB_HEADER = CDB_TABLES * CDB_PAIR,
	CDB_SLOTS_A_RECORD = 2, /* as every maker has it */
};

/* Keys of records that hold no login: none is a login pattern, since a blank
 * in one would be quoted. */
#define CDB_RESERVED "fromguard "
#define CDB_ALIAS_KEY CDB_RESERVED "alias "
#define CDB_ACCOUNT_KEY CDB_RESERVED "account "

/* Two numbers: of the header, a record's head or a slot. */
struct cdb_pair {
	uint32_t first;
	uint32_t second;
};

static inline struct cdb_pair
cdb_pair_at(const char *image, size_t place)
{
	struct cdb_pair pair;

	memcpy(&pair, image + place, sizeof(pair));
	return (struct cdb_pair){le32toh(pair.first), le32toh(pair.second)};
}

static inline bool
span_begins(struct span s, const char *text)
{
	size_t len = strlen(text);

	return s.len >= len && memcmp(s.data, text, len) == 0;
}

struct cdb_record {
	struct span key;
	struct span value;
};

/*
 * Take the record at *place and step over it; end is where the records end.
 * False where it would reach beyond.
 */
static inline bool
cdb_record_next(const char *image, size_t end, size_t *place,
		struct cdb_record *record)
{
	size_t room = end - *place;
	struct cdb_pair lens;

	if (room < CDB_PAIR)
		return false;
	lens = cdb_pair_at(image, *place);
	room -= CDB_PAIR;
	if (lens.first > room || lens.second > room - lens.first)
		return false;
	record->key = span_of(image + *place + CDB_PAIR, lens.first);
	record->value =
	    span_of(record->key.data + record->key.len, lens.second);
	*place += CDB_PAIR + record->key.len + record->value.len;
	return true;
}

/* Where the records end: where the first table begins. */
static inline size_t
cdb_records_end(const char *image)
{
	return cdb_pair_at(image, 0).first;
}

#endif
