/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	READ_TRIES = 5,
	GRAIN_NS = 10000000, /* of the clock for files, where it is coarsest */
};

/* Look at the folder of the file that a path leads to. */
static bool
folder_is_trusted(const char *path, const struct stat *file,
		  struct error *error)
{
	char real[PATH_MAX];
	struct stat folder;
	char *slash;

	if (realpath(path, real) == NULL) {
		error_errno(error, errno, "%s", path);
		return false;
	}
	slash = strrchr(real, '/');
	if (slash == NULL)
		return false;
	slash[slash == real] = '\0';
	if (stat(real, &folder) != 0) {
		error_errno(error, errno, "%s", real);
		return false;
	}
	if ((folder.st_mode & S_IWOTH) == 0)
		return true;
	if ((folder.st_mode & S_ISVTX) != 0 &&
	    (file->st_uid == 0 || file->st_uid == geteuid()))
		return true;
	error_set(
	    error,
	    "%s: refused, since everybody can write to its folder (chmod o-w "
	    "%s)",
	    path, real);
	return false;
}

/* Refuse what is no plain file or could have been written by anybody. */
static bool
file_is_trusted(const char *path, const struct stat *st, struct error *error)
{
	if (S_ISDIR(st->st_mode)) {
		error_set(error, "%s: is a folder, not a file", path);
		return false;
	}
	if (!S_ISREG(st->st_mode)) {
		error_set(error, "%s: is not a regular file", path);
		return false;
	}
	if ((st->st_mode & S_IWOTH) != 0) {
		error_set(
		    error,
		    "%s: refused, since everybody can write to it (chmod o-w "
		    "%s)",
		    path, path);
		return false;
	}
	return folder_is_trusted(path, st, error);
}

static bool
same_state(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Has it changed just now? Then more may follow, and show the same time. One
 * of the future, which a clock that was set back leaves, tells nothing. */
static bool
is_hot(const struct stat *st)
{
	struct timespec now;
	time_t seconds;
	int64_t age;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* there always is one */
	seconds = now.tv_sec - st->st_ctim.tv_sec;
	if (seconds < 0 || seconds > 1)
		return false;
	age = (int64_t)seconds * 1000000000 + now.tv_nsec - st->st_ctim.tv_nsec;
	return age >= 0 && age < GRAIN_NS;
}

/* Read size bytes, or up to the end of the file where that comes first. */
static char *
read_all(int fd, const char *path, size_t size, size_t *len,
	 struct error *error)
{
	char *content = memory_try_resize(NULL, size + 1, 1);
	size_t got = 0;

	if (content == NULL) {
		error_set(error, "%s: out of memory for %zu bytes", path, size);
		return NULL;
	}
	while (got < size) {
		ssize_t n = read(fd, content + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_errno(error, errno, "%s", path);
			free(content);
			return NULL;
		}
		if (n == 0)
			break;
		got += (size_t)n;
	}
	content[got] = '\0';
	*len = got;
	return content;
}

/* Read the file once; *moved tells whether it may have changed meanwhile. */
static enum file_result
read_once(const char *path, char **content, size_t *len, bool *moved,
	  struct error *error)
{
	struct stat before;
	struct stat after;
	bool hot = false;
	enum file_result result = FILE_REFUSED;
	/* O_NONBLOCK, so that a fifo without a writer does not hold us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	*content = NULL;
	*moved = false;
	if (fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			result = FILE_MISSING;
		error_errno(error, errno, "%s", path);
		return result;
	}
	if (fstat(fd, &before) != 0) {
		error_errno(error, errno, "%s", path);
	} else if (file_is_trusted(path, &before, error)) {
		hot = is_hot(&before);
		*content =
		    read_all(fd, path, (size_t)before.st_size, len, error);
	}
	if (*content != NULL) {
		*moved = hot || fstat(fd, &after) != 0 ||
			 !same_state(&before, &after) ||
			 *len != (size_t)before.st_size;
		result = FILE_READ;
	}
	(void)close(fd); /* only read from: nothing can be lost */
	return result;
}

enum file_result
file_read(const char *path, char **content, size_t *len, struct error *error)
{
	for (int tries = 0; tries < READ_TRIES; tries++) {
		bool moved;
		enum file_result result =
		    read_once(path, content, len, &moved, error);

		if (result != FILE_READ || !moved)
			return result;
		explicit_bzero(*content, *len); /* it may be secret */
		free(*content);
		*content = NULL;
		(void)usleep(GRAIN_NS / 1000); /* one cut short is as good */
	}
	error_set(error, "%s: keeps changing while it is read", path);
	return FILE_REFUSED;
}
