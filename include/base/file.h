/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that decide who may send, read whole into private memory, so that
 * nothing that happens to the file afterwards can be seen.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/error.h"
#include "base/span.h"

enum file_result {
	FILE_READ,
	FILE_MISSING, /* no such file (or folder); error is filled too */
	FILE_REFUSED, /* unreadable, untrusted, or changed while it was read */
};

/*
 * Read a regular file. Symbolic links are followed and their target is
 * checked: not a fifo, device, socket or folder; neither writable by
 * everybody nor in a folder that is (a folder with the sticky bit is fine
 * where the file belongs to root or to us). A file that changes while it is
 * read is read again, a few times. *content is malloc'ed, the caller's to
 * free(), with a NUL behind its last byte that *len does not count.
 */
enum file_result file_read(const char *path, char **content, size_t *len,
			   struct error *error);

#endif
