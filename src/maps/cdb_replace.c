/* SPDX-License-Identifier: BSD-2-Clause */
#include "cdb_replace.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define TEMPORARY_END ".tmp"

static bool
fail(struct error *error, const char *path)
{
	error_errno(error, errno, "%s", path);
	return false;
}

/* Find what path leads to, and refuse what is no file. */
static bool
find_old(struct replacement *replacement, const char *path, struct error *error)
{
	replacement->path = realpath(path, NULL);
	replacement->exists = replacement->path != NULL;
	if (!replacement->exists && errno != ENOENT)
		return fail(error, path);
	if (!replacement->exists) {
		replacement->path = memory_copy(path, strlen(path));
		return true;
	}
	if (stat(replacement->path, &replacement->old) != 0)
		return fail(error, path);
	if (S_ISREG(replacement->old.st_mode))
		return true;
	error_set(error, "%s: is not a regular file and will not be replaced",
		  path);
	return false;
}

/* Does the temporary file's path still name the file that is open? */
static bool
is_named(const struct replacement *replacement, const struct stat *opened)
{
	struct stat named;

	return lstat(replacement->temporary, &named) == 0 &&
	       named.st_dev == opened->st_dev && named.st_ino == opened->st_ino;
}

/*
 * Make the temporary file ours alone. Whoever has the lock of the file that
 * the path names is its only writer; so look at the path after locking, since
 * one who was faster may have renamed the file.
 */
static bool
own_temporary(const struct replacement *replacement, struct error *error)
{
	const char *path = replacement->temporary;
	bool locked = flock(replacement->fd, LOCK_EX | LOCK_NB) == 0;
	struct stat opened;

	if ((!locked && errno != EWOULDBLOCK) ||
	    fstat(replacement->fd, &opened) != 0)
		return fail(error, path);
	if (!locked || !is_named(replacement, &opened)) {
		error_set(error, "%s: another process is writing it", path);
		return false;
	}
	/* What others own, or have a second name for, they can change later. */
	if (!S_ISREG(opened.st_mode) || opened.st_uid != geteuid() ||
	    opened.st_nlink != 1) {
		error_set(error, "%s: is not a file of ours: remove it", path);
		return false;
	}
	return ftruncate(replacement->fd, 0) == 0 || fail(error, path);
}

static bool
open_temporary(struct replacement *replacement, struct error *error)
{
	/* O_NONBLOCK, so that a fifo does not hold us; 0600, since it is
	 * nobody's business before it has its mode. */
	replacement->fd = open(replacement->temporary,
			       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
				   O_NONBLOCK | O_NOCTTY,
			       S_IRUSR | S_IWUSR);
	if (replacement->fd < 0)
		return fail(error, replacement->temporary);
	return own_temporary(replacement, error);
}

/* Free what a replacement has, and leave all files as they are. */
static void
replacement_fini(struct replacement *replacement)
{
	if (replacement->fd >= 0)
		/* What matters was synced; the lock goes with it. */
		(void)close(replacement->fd);
	free(replacement->path);
	free(replacement->temporary);
	*replacement = (struct replacement){.fd = -1};
}

bool
replacement_open(struct replacement *replacement, const char *path,
		 struct error *error)
{
	size_t len;

	*replacement = (struct replacement){.fd = -1};
	if (!find_old(replacement, path, error)) {
		replacement_fini(replacement);
		return false;
	}
	len = strlen(replacement->path);
	replacement->temporary = memory_zero(len + sizeof(TEMPORARY_END), 1);
	memcpy(replacement->temporary, replacement->path, len);
	memcpy(replacement->temporary + len, TEMPORARY_END,
	       sizeof(TEMPORARY_END));
	if (open_temporary(replacement, error))
		return true;
	/* It is another's, perhaps: not to be removed. */
	replacement_fini(replacement);
	return false;
}

/* Give the new file the mode and the owner that it should have. */
static bool
set_mode(const struct replacement *replacement)
{
	mode_t mask;

	if (!replacement->exists) {
		mask = umask(0);
		(void)umask(mask); /* it never fails: this sets it back */
		return fchmod(replacement->fd, 0644 & ~mask) == 0;
	}
	/* Only root may, and then the mode has to come after it. */
	(void)!fchown(replacement->fd, replacement->old.st_uid,
		      replacement->old.st_gid);
	return fchmod(replacement->fd, replacement->old.st_mode & 0777) == 0;
}

/* Put the folder's new entry on disk. */
static bool
sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);
	char *folder = slash == NULL ? memory_copy(".", 1)
				     : memory_copy(path, len == 0 ? 1 : len);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Some file systems have no such thing, and say so. */
	bool synced = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
	int number = errno;

	if (fd >= 0)
		(void)close(fd); /* only read from: nothing can be lost */
	free(folder);
	errno = number;
	return synced;
}

bool
replacement_commit(struct replacement *replacement, struct error *error)
{
	bool done;

	if (!set_mode(replacement) || fsync(replacement->fd) != 0 ||
	    rename(replacement->temporary, replacement->path) != 0) {
		(void)fail(error, replacement->temporary);
		replacement_abort(replacement);
		return false;
	}
	done = sync_folder(replacement->path);
	if (!done)
		error_errno(error, errno,
			    "%s: is replaced, but its folder was not synced",
			    replacement->path);
	replacement_fini(replacement);
	return done;
}

void
replacement_abort(struct replacement *replacement)
{
	/* What cannot be removed is taken over by the next one. */
	(void)unlink(replacement->temporary);
	replacement_fini(replacement);
}
