/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

/* Say why getpwnam(3) or getgrnam(3) found nothing: most often, but not
 * always, because there is nothing. */
static bool
not_found(const char *what, const char *name, int number, struct error *error)
{
	if (number == 0 || number == ENOENT || number == ESRCH)
		error_set(error, "no such %s: %s", what, name);
	else
		error_errno(error, number, "%s %s", what, name);
	return false;
}

/* Parse a decimal id; the highest, (uid_t)-1, means "unchanged" and is none. */
static bool
parse_id(const char *text, uint32_t *id)
{
	char *end;
	unsigned long value;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || value >= UINT32_MAX)
		return false;
	*id = (uint32_t)value;
	return true;
}

bool
privilege_uid(const char *user, uid_t *uid, struct error *error)
{
	const struct passwd *found;

	*uid = (uid_t)-1;
	if (user[0] == '\0' || parse_id(user, uid))
		return true;
	errno = 0;
	found = getpwnam(user);
	if (found == NULL)
		return not_found("user", user, errno, error);
	*uid = found->pw_uid;
	return true;
}

bool
privilege_gid(const char *group, gid_t *gid, struct error *error)
{
	const struct group *found;

	*gid = (gid_t)-1;
	if (group[0] == '\0' || parse_id(group, gid))
		return true;
	errno = 0;
	found = getgrnam(group);
	if (found == NULL)
		return not_found("group", group, errno, error);
	*gid = found->gr_gid;
	return true;
}

/* Look whether all six ids are the wanted ones and root is out of reach. */
static bool
has_become(uid_t uid, gid_t gid)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (getresuid(&ruid, &euid, &suid) != 0 ||
	    getresgid(&rgid, &egid, &sgid) != 0)
		return false;
	if (ruid != uid || euid != uid || suid != uid || rgid != gid ||
	    egid != gid || sgid != gid)
		return false;
	return uid == 0 || setuid(0) == -1;
}

bool
privilege_drop(const char *user, struct error *error)
{
	const struct passwd *found;
	uid_t uid;
	gid_t gid;

	if (user[0] == '\0' || geteuid() != 0)
		return true;
	errno = 0;
	found = getpwnam(user);
	if (found == NULL)
		return not_found("user", user, errno, error);
	/* Copied, as initgroups() may use the same static storage. */
	uid = found->pw_uid;
	gid = found->pw_gid;
	/* The user last: the groups can not be set without root. */
	if (initgroups(user, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0) {
		error_errno(error, errno, "can not become user %s", user);
		return false;
	}
	if (!has_become(uid, gid)) {
		error_set(error, "has not become user %s whole", user);
		return false;
	}
	return true;
}
