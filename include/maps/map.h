/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps: where grants come from. Every type of map but pcre: is read into a
 * stream of entries that a sink takes; pcre: becomes struct rules
 * (maps/rules.h).
 */
#ifndef MAPS_MAP_H
#define MAPS_MAP_H

#include "base/error.h"
#include "maps/pattern.h"
#include "maps/rules.h"

enum map_type {
	MAP_TEXT,
	MAP_CDB,
	MAP_PCRE,
	MAP_OWNERS,
	MAP_VIRTUAL,
	MAP_ALIASES,
	MAP_ACCOUNTS,
	MAP_TYPES,
};

/* "text:/etc/fromguard/senders", with '?' in front: may be missing. */
struct map_spec {
	enum map_type type;
	bool optional;
	char *path; /* owned by whoever keeps the spec; free() it */
};

/* Read "type:path" or "?type:path". path is allocated on success. */
bool map_spec_parse(struct span text, struct map_spec *spec,
		    struct error *error);
/* "text", "cdb", ... */
const char *map_type_name(enum map_type type);

enum map_entry_kind {
	/* left (a login pattern) may use right (a sender pattern), or with
	 * denial may not. */
	ENTRY_GRANT,
	/* mail to left (ADDRESS or DOMAIN) goes to right (ADDRESS, or DOMAIN
	 * for an alias domain); from virtual: and aliases:. */
	ENTRY_ALIAS,
	/* left (ADDRESS) is a login that exists; from accounts:. */
	ENTRY_ACCOUNT,
};

struct map_entry {
	enum map_entry_kind kind;
	bool denial;
	struct pattern left;
	struct pattern right;
	uint32_t line; /* where it stands: from 1; of a cdb: its record */
};

/*
 * Takes one entry, whose bytes are borrowed for the call. False where it has
 * no memory; then loading ends.
 */
typedef bool map_sink(void *arg, const struct map_entry *entry);

/* Told, before the entries of a large map come, about how many names they will
 * have. */
typedef void map_expect(void *arg, size_t names);

/* What a loader needs to know and where it says what is wrong. */
struct map_context {
	const char *name; /* for problems, as the user gave it; borrowed */
	/* local_domains, canonical, the first is the origin; borrowed */
	const struct span *local_domains;
	size_t local_domain_count;
	struct problems *problems;
	map_sink *sink;
	map_expect *expect; /* or NULL */
	void *arg;
};

/* The first of local_domains, or empty. */
static inline struct span
map_origin(const struct map_context *context)
{
	return context->local_domain_count > 0 ? context->local_domains[0]
					       : SPAN_NONE;
}

/*
 * Read a whole map of any type but MAP_PCRE into context->sink; file and
 * content problems go to context->problems. False only where the sink or the
 * memory ended it (said as a refusal). A missing file that is not optional
 * is a refusal; so is one that can not be read or trusted.
 */
bool map_load(const struct map_spec *spec, const struct map_context *context);

/*
 * Read a MAP_PCRE map; problems as map_load() has them, name is the map's for
 * them. A missing optional one has no rules. NULL where there is nothing to
 * be had: problems has a refusal then.
 */
struct rules *map_load_rules(const struct map_spec *spec, const char *name,
			     struct problems *problems);

/*
 * The loaders by type, on content that is in memory and that they use up; each
 * collects all its problems and returns as map_load() does.
 */
bool text_load(char *content, size_t len, const struct map_context *context);
bool owners_load(char *content, size_t len, const struct map_context *context);
bool virtual_load(char *content, size_t len, const struct map_context *context);
bool aliases_load(char *content, size_t len, const struct map_context *context);
bool accounts_load(char *content, size_t len,
		   const struct map_context *context);
bool cdb_load(char *content, size_t len, const struct map_context *context);

/*
 * The shared part of text: and cdb:, so that one parser reads both: one login
 * pattern and its list of senders ("SENDER[, SENDER]...").
 */
bool text_load_login(struct span login, struct span senders, uint32_t line,
		     const struct map_context *context);

#endif
