/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors. A function that fails fills one struct error with the thing and
 * the reason ("senders.pcre:12: missing ) at offset 3"); one that reads a
 * file in which much can be wrong collects struct problems and goes on.
 * Nobody below the server and the commands prints either.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error {
	char text[512];
};

/* Fill *error (which may be NULL); too long a text is cut. */
void error_set(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same, with ": " and the text of the errno value behind it. */
void error_errno(struct error *error, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * A warning does not stop a load. An error refuses the map, or with
 * map_errors = skip leaves out its line alone. A refusal refuses always.
 */
enum severity { PROBLEM_WARNING, PROBLEM_ERROR, PROBLEM_REFUSAL };

struct problem {
	enum severity severity;
	char *file;    /* owned; the name as the user gave it */
	uint32_t line; /* from 1; 0: the whole file */
	char *text; /* owned; what is wrong, and the cure where it is known */
};

/*
 * Problems in the order in which they were found. All are counted; the first
 * PROBLEMS_KEPT are kept.
 */
enum { PROBLEMS_KEPT = 1000 };

struct problems {
	struct problem *list;
	size_t count; /* of list */
	size_t room;
	size_t warnings; /* of all that were added */
	size_t errors;   /* refusals among them */
	size_t refusals;
};

/* The caller's storage; fini frees what init and add have allocated. */
void problems_init(struct problems *problems);
void problems_fini(struct problems *problems);
/* Add one; without memory it is counted only. problems may be NULL. */
void problems_add(struct problems *problems, enum severity severity,
		  const char *file, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Write "file:line: text" (or "file: text") into a buffer of size bytes. */
void problem_format(const struct problem *problem, char *out, size_t size);

#endif
