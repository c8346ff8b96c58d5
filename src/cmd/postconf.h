/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Postfix configuration as postconf(1) prints it: "name = value" of -n, and
 * "service/type/name = value" of -P (the -o options of a service) and of -F
 * (the fields of its line in master.cf).
 */
#ifndef CMD_POSTCONF_H
#define CMD_POSTCONF_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdint.h>

/* One line of it. */
struct parameter {
	struct span service; /* "submission/inet"; empty: main.cf's */
	struct span name;
	struct span value;
	const char *file; /* where it was read */
	uint32_t line;
};

struct postconf {
	struct parameter *list; /* in the order of reading */
	size_t count;
	size_t room;
	char **contents; /* what the spans point into */
	size_t content_count;
	size_t content_room;
};

/* The caller's storage; fini frees what was read. */
void postconf_init(struct postconf *postconf);
void postconf_fini(struct postconf *postconf);

/*
 * Read a file with such output ("-": standard input), or a main.cf. False
 * where it can not be read; *error tells why. name is borrowed.
 */
bool postconf_read(struct postconf *postconf, const char *name,
		   struct error *error);
/* Run postconf and read what it prints; false where that is not possible. */
bool postconf_run(struct postconf *postconf, struct error *error);

/* A parameter in force for a service (an empty one: main.cf alone): its own
 * or main.cf's; NULL where it stands nowhere. */
const struct parameter *postconf_find(const struct postconf *postconf,
				      struct span service, const char *name);

/* Add a value with all its $names replaced, as that service sees them. */
void postconf_expand(const struct postconf *postconf, struct span service,
		     struct span value, struct buffer *out);

#endif
