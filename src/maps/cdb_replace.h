/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replacing a file by a new one at once: at each moment its path names the old
 * file or the new one, whole.
 */
#ifndef MAPS_CDB_REPLACE_H
#define MAPS_CDB_REPLACE_H

#include "base/error.h"

#include <sys/stat.h>

struct replacement {
	char *path;      /* what will be replaced, links followed */
	char *temporary; /* beside it, so that it can be renamed to it */
	int fd;          /* of the temporary file: write the new one to it */
	bool exists;
	struct stat old; /* where it exists */
};

/*
 * Open an empty temporary file, PATH.tmp, which nobody else writes: it is
 * locked, and one that was left by a process that was killed is taken over.
 * False, with nothing to undo, where path can not be replaced.
 */
bool replacement_open(struct replacement *replacement, const char *path,
		      struct error *error);
/*
 * Put the new file in the place of the old one, on disk before this returns,
 * with the mode of the old one and, where we may, its owner. Ends the
 * replacement; where this fails, as replacement_abort() does.
 */
bool replacement_commit(struct replacement *replacement, struct error *error);
/* Remove the temporary file and leave the old one as it is. */
void replacement_abort(struct replacement *replacement);

#endif
