/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Privilege: who owns a socket, and becoming nobody in particular once the
 * sockets are bound.
 */
#ifndef SERVER_PRIVILEGE_H
#define SERVER_PRIVILEGE_H

#include "base/error.h"

#include <sys/types.h>

/*
 * Become user, with the user's own group and supplementary groups, for good:
 * real, effective and saved. Does nothing where user is empty or the process
 * does not run as root. False where it did not become that user whole; then
 * the process must not go on.
 */
bool privilege_drop(const char *user, struct error *error);

/*
 * Find the id of a user or group for chown(2): a name, or a number (of a
 * group that only another container has a name for). Empty gives -1,
 * "unchanged". False where there is none.
 */
bool privilege_uid(const char *user, uid_t *uid, struct error *error);
bool privilege_gid(const char *group, gid_t *gid, struct error *error);

#endif
