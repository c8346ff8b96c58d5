/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The patterns of which grants are made: who (a login, a domain's logins,
 * everybody) and what (an address, a domain, its sub-domains, ...).
 */
#ifndef MAPS_PATTERN_H
#define MAPS_PATTERN_H

#include "base/address.h"
#include "base/buffer.h"
#include "base/error.h"

enum pattern_kind {
	PATTERN_ADDRESS,    /* user@example.com, or a login: one name */
	PATTERN_DOMAIN,     /* @example.com */
	PATTERN_SUBDOMAINS, /* @.example.com */
	PATTERN_ANY,        /* * */
	PATTERN_NULL,       /* <>, the null sender */
	PATTERN_OWN_AT,     /* %n@example.org: own local part, that domain */
	PATTERN_KINDS,
};

/*
 * text is canonical: the address, or for the kinds with a domain that domain
 * without '@' and dot in front; empty for the others. Who made the pattern
 * owns the bytes.
 */
struct pattern {
	enum pattern_kind kind;
	struct span text;
};

/*
 * Read a login pattern (left side: user@example.com, user, @example.com, *)
 * or a sender pattern (right side, without its '!'). A sender without a
 * domain gets origin, where that is not empty; a login never does. The result
 * points into store. False with a reason where the text is no pattern.
 */
bool pattern_parse_login(struct span text, struct pattern *pattern,
			 struct address *store, struct error *error);
bool pattern_parse_sender(struct span text, struct span origin,
			  struct pattern *pattern, struct address *store,
			  struct error *error);

/* Add a pattern as map files spell it, quoted where it has to be. */
void pattern_format(const struct pattern *pattern, struct buffer *out);

#endif
