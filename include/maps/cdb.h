/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiled maps: a constant database (cdb(5)) of login -> "SENDER, SENDER",
 * which cdb -q and postmap -q read as well. One record names the format, so
 * that a stranger's file, or half of one of ours, is not taken for a map.
 */
#ifndef MAPS_CDB_H
#define MAPS_CDB_H

#include "maps/map.h"

/*
 * The format record: its key can be no login pattern (it has a blank in it
 * and no quotes), its value starts with the version.
 */
#define CDB_FORMAT_KEY "fromguard format"
#define CDB_FORMAT_VERSION "1"

/*
 * Prove that an image is one whole constant database with our format record
 * in it: tables inside the file and behind the records, records that end
 * where the tables begin, as many used slots as records, every slot's hash and
 * place fitting a record. libcdb takes a file that was cut for a shorter map.
 */
bool cdb_prove(const char *image, size_t len, struct error *error);

/* Collects entries of any number of maps and writes them as one file. */
struct cdb_writer;

struct cdb_writer *cdb_writer_new(void);
void cdb_writer_free(struct cdb_writer *writer);
/* A map_sink; arg is the writer. Entries may come in any order; the same one
 * twice counts once. */
bool cdb_writer_add(void *arg, const struct map_entry *entry);

struct cdb_counts {
	size_t logins;
	size_t grants;
	size_t bytes; /* of the file */
};

/* Called now and then while writing, with how much of it is done; may be
 * NULL. */
typedef void cdb_progress(void *arg, size_t done, size_t total);

/*
 * Write the file: a temporary file beside it, fsync, rename, fsync of the
 * folder. Whenever the process ends, path is the old file or the new one,
 * whole. An existing file's mode and owner are kept where possible; a new one
 * is 0644 less the umask. The same entries make the same bytes.
 */
bool cdb_writer_write(struct cdb_writer *writer, const char *path,
		      cdb_progress *progress, void *arg,
		      struct cdb_counts *counts, struct error *error);

#endif
