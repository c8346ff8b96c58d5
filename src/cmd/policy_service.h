/* SPDX-License-Identifier: BSD-2-Clause */
/* A list of Postfix restrictions, and the check_policy_service in it. */
#ifndef CMD_POLICY_SERVICE_H
#define CMD_POLICY_SERVICE_H

#include "policy/settings.h"

/* Take the next word of a list from the front of *rest: up to a comma or
 * blank, or a whole {group}. Empty at the end. */
struct span restriction_next(struct span *rest);

/* What stands behind check_policy_service: an endpoint alone, or
 * "{ endpoint, name=value, ... }". Borrowed from the list. */
struct policy_service {
	struct span endpoint;
	struct span attributes;
};

struct policy_service policy_service_parse(struct span word);

/* The value of one of its attributes; data is NULL where it has none. */
struct span policy_service_attribute(const struct policy_service *service,
				     const char *name);

/* Is it where fromguard listens, as the settings say? Without settings, and
 * beside them: has it "fromguard" in its name? */
bool policy_service_is_ours(const struct policy_service *service,
			    const struct settings *settings);

#endif
