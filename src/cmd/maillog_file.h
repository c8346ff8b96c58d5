/* SPDX-License-Identifier: BSD-2-Clause */
/* Mail logs as files: plain, or packed by gzip, xz, bzip2 or zstd. */
#ifndef CMD_MAILLOG_FILE_H
#define CMD_MAILLOG_FILE_H

#include "base/error.h"
#include "base/span.h"

/* Takes one line, without its newline, borrowed for the call. */
typedef void maillog_file_line(void *arg, struct span line);

/*
 * Read a log ("-": standard input) from its start to its end. What is packed
 * goes through the tool that unpacks it. Lines longer than a mail log's are
 * left out. False where it can not be read; *error tells why. On a terminal,
 * standard error shows how much has been read.
 */
bool maillog_file_read(const char *name, maillog_file_line *take, void *arg,
		       struct error *error);

#endif
