/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The settings: fromguard.conf(5), the environment and -o, by one table that
 * holds name, type, default, range, help and whether a reload may change it.
 */
#ifndef POLICY_SETTINGS_H
#define POLICY_SETTINGS_H

#include "base/error.h"
#include "base/log.h"
#include "base/span.h"
#include "maps/map.h"

#include <stdint.h>

enum setting_mode { MODE_ENFORCE, MODE_WARN };
enum setting_answer { ANSWER_ALLOW, ANSWER_REJECT };
enum setting_members { MEMBERS_ALL, MEMBERS_SINGLE };
enum setting_forwards { FORWARDS_NONE, FORWARDS_GRANT };
enum setting_map_errors { MAP_ERRORS_REFUSE, MAP_ERRORS_SKIP };
enum setting_reload { RELOAD_AUTO, RELOAD_SIGNAL };

/* Where a value came from; each beats the ones before it. */
enum setting_source {
	SOURCE_DEFAULT,
	SOURCE_FILE,
	SOURCE_ENVIRONMENT,
	SOURCE_OPTION,
};

/* unix:path, inet:host:port or inet:[host]:port. */
struct endpoint {
	bool is_unix;
	uint16_t port; /* inet */
	char *name;    /* path, or host without brackets; owned */
};

struct endpoint_list {
	struct endpoint *list;
	size_t count;
};

struct map_list {
	struct map_spec *list;
	size_t count;
};

/* Domains, canonical; the spans point into text. */
struct domain_list {
	struct span *list;
	size_t count;
	char *text;
};

/*
 * All settings in force. Strings are never NULL. Durations are in the unit of
 * the name's end. The order and the names are those of the table in
 * fromguard.conf(5).
 */
struct settings {
	struct endpoint_list listen;
	uint32_t socket_mode; /* permission bits */
	char *socket_owner;   /* empty: unchanged */
	char *socket_group;
	struct map_list maps;
	enum setting_mode mode;
	bool self;
	char *recipient_delimiter;
	struct domain_list local_domains;
	enum setting_answer null_sender;
	enum setting_answer unlisted_sender;
	enum setting_answer unauthenticated;
	uint32_t alias_depth;
	enum setting_members alias_members;
	enum setting_forwards forwards;
	enum setting_map_errors map_errors;
	char *reject_text;
	enum setting_reload reload;
	uint32_t max_connections;
	uint32_t idle_timeout_ms;
	uint32_t request_timeout_ms;
	uint32_t request_limit; /* bytes */
	uint32_t rule_match_limit;
	uint32_t rule_budget_us;
	struct endpoint_list metrics_listen; /* none or one */
	bool status_addresses;
	enum log_target log;
	enum log_level log_level;
	char *user; /* empty: unchanged */

	/* Not settings: the file that was read, or empty; and where each row's
	 * value came from, for settings_source(). */
	char *file;
	enum setting_source *sources;
};

/* One row of the table, for config, --help and the manuals' test. */
struct setting_info {
	const char *name;
	const char *default_text;
	const char *help;  /* one line */
	const char *range; /* "enforce, warn", "1 to 100", "a list", ... */
	bool reloadable;
};

/* Row i of the table; NULL behind its last. */
const struct setting_info *settings_row(size_t i);

/*
 * Load the settings: defaults, then the file, then FROMGUARD_NAME of the
 * environment (names that are no setting's in upper case are errors, but for
 * FROMGUARD_CONFIG, the file's path, which is not looked at here), then
 * options ("name=value", option_count of them). path NULL or empty: no file.
 * Everything that is wrong is collected: "file:line: ..." with the nearest
 * right name; "environment" and "-o" stand for the file of the others. Map
 * paths, listen paths and the like that do not begin with '/' are relative to
 * the folder that the process runs in, as the shell has them. Empty maps are
 * no error here: not every command needs maps. environment NULL: there is
 * none. NULL where there was an error.
 */
struct settings *settings_load(const char *path, char *const *environment,
			       const char *const *options, size_t option_count,
			       struct problems *problems);
void settings_free(struct settings *settings);

/* The value of table row i as fromguard.conf spells it; free() it. */
char *settings_format(const struct settings *settings, size_t i);
/* Where the value of row i came from. */
enum setting_source settings_source(const struct settings *settings, size_t i);

/*
 * The names of settings that differ between two and that no reload may
 * change; a callback for each. For the server, which says so and keeps the
 * old ones.
 */
void settings_frozen_changes(const struct settings *old,
			     const struct settings *new,
			     void (*changed)(void *arg, const char *name),
			     void *arg);

/* Parse one endpoint; owned result. For fromguard ask -s too. */
bool endpoint_parse(struct span text, struct endpoint *endpoint,
		    struct error *error);
/* "unix:/run/x" or "inet:[::1]:25"; free() it. */
char *endpoint_format(const struct endpoint *endpoint);

#endif
