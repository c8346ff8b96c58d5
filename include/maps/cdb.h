/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiled maps: a constant database (cdb(5)) of login -> "SENDER, SENDER",
 * both sides as a text: map spells them, which cdb -q and postmap -q read as
 * well. Maps that were made by postmap or cdb -c from such a text are read
 * too; ours have a record more that names their format.
 */
#ifndef MAPS_CDB_H
#define MAPS_CDB_H

#include "maps/map.h"

/*
 * The format record: its key can be no login pattern (it has a blank in it
 * and no quotes), its value is the version, or starts with it and a blank.
 */
#define CDB_FORMAT_KEY "fromguard format"
#define CDB_FORMAT_VERSION "1"

/*
 * Prove that an image is one whole constant database: tables inside the file
 * and behind the records, records that end where the tables begin, as many
 * used slots as records, every slot's hash and place fitting a record, every
 * record found by a search, and no format but ours. libcdb takes a file that
 * was cut for a shorter map.
 */
bool cdb_prove(const char *image, size_t len, struct error *error);

/* Collects entries of any number of maps and writes them as one file. */
struct cdb_writer;

/* NULL without memory. */
struct cdb_writer *cdb_writer_new(void);
void cdb_writer_free(struct cdb_writer *writer);
/*
 * Can a record spell the entry? False with the reason where it can not: there
 * is no way to quote a domain, and one with a blank in it would be read back
 * as something else.
 */
bool cdb_writer_takes(const struct map_entry *entry, struct error *error);
/* A map_sink for entries that cdb_writer_takes(); arg is the writer. They may
 * come in any order; the same one twice counts once. */
bool cdb_writer_add(void *arg, const struct map_entry *entry);

struct cdb_counts {
	size_t logins; /* and login patterns that have grants */
	size_t grants; /* denials among them */
	size_t aliases;
	size_t accounts;
	size_t bytes; /* of the file */
};

/* Called now and then while writing, with how much of it is done; may be
 * NULL. */
typedef void cdb_progress(void *arg, size_t done, size_t total);

/*
 * Write the file: PATH.tmp, fsync, rename, fsync of the folder. Whenever the
 * process ends, path is the old file or the new one, whole. A PATH.tmp that
 * was left behind is taken over; where another process is writing it, this
 * fails. Where path is a symbolic link, the file that it leads to is
 * replaced; what is no regular file never is. An existing file's mode and
 * owner are kept where possible; a new one is 0644 less the umask. The same
 * entries make the same bytes, in whatever order they came.
 */
bool cdb_writer_write(struct cdb_writer *writer, const char *path,
		      cdb_progress *progress, void *arg,
		      struct cdb_counts *counts, struct error *error);

#endif
