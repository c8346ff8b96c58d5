/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing the image of a constant database, record by record. libcdb's own
 * maker takes records in any order and writes them in pieces of 4 KiB; here
 * they come in the order of their tables and leave in large pieces, which
 * takes half of the time.
 */
#ifndef MAPS_CDB_OUTPUT_H
#define MAPS_CDB_OUTPUT_H

#include "cdb_image.h"

struct cdb_output {
	int fd;       /* borrowed */
	char *buffer; /* what is not written yet */
	size_t used;
	uint64_t place;           /* in the file, of what comes next */
	struct cdb_pair *records; /* hash and place of each */
	size_t count;
	size_t room;
	struct cdb_pair header[CDB_TABLES]; /* as it will be in the file */
};

/* Start on an empty file; false, with errno set, where this fails. In any
 * case cdb_output_fini() ends it. */
bool cdb_output_init(struct cdb_output *output, int fd);
void cdb_output_fini(struct cdb_output *output);
/* Write a record. hash is its key's; hash % CDB_TABLES may not be less than
 * that of the record before. False with errno set. */
bool cdb_output_add(struct cdb_output *output, uint32_t hash, struct span key,
		    struct span value);
/* Write the tables and the header; false with errno set. */
bool cdb_output_finish(struct cdb_output *output);

#endif
