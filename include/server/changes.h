/* SPDX-License-Identifier: BSD-2-Clause */
/* What is different between two snapshots, in numbers for the log. */
#ifndef SERVER_CHANGES_H
#define SERVER_CHANGES_H

#include "policy/snapshot.h"

struct changes_count {
	size_t added;
	size_t removed;
};

struct changes {
	struct changes_count grants;  /* denials among them */
	struct changes_count aliases; /* mail to one address goes to another */
	struct changes_count owners;  /* logins with a grant or an account */
};

/* Compare; takes as long as loading both, at worst. Rules are not compared:
 * what they are is in a file, not in a snapshot. */
void changes_find(const struct snapshot *old, const struct snapshot *new,
		  struct changes *changes);

#endif
