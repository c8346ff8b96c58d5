/* SPDX-License-Identifier: BSD-2-Clause */
#include "maillog_file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	BLOCK = 1 << 20,    /* bytes of one read, and more than any line */
	PROGRESS_STEP = 64, /* blocks between two looks at the clock */
};

/* A log that is being read. */
struct log_file {
	const char *name;
	int fd;
	pid_t child; /* the tool that unpacks, or 0 */
	char *block;
	size_t have;   /* bytes of a line that is not whole */
	bool skipping; /* the rest of a line that is too long */
	uint64_t done; /* bytes read */
	uint64_t size; /* of the file; 0: not known */
	size_t blocks;
	bool shows; /* progress */
};

/* What packed files begin with, and what unpacks them. */
static const struct {
	const char *magic;
	size_t len;
	const char *tool;
} packings[] = {
    {"\x1f\x8b", 2, "gzip"},
    {"\xfd"
     "7zXZ",
     5, "xz"},
    {"BZh", 3, "bzip2"},
    {"\x28\xb5\x2f\xfd", 4, "zstd"},
};

/* The tool for a file that begins so; NULL where it is not packed. */
static const char *
find_tool(int fd)
{
	char start[8];
	ssize_t n = pread(fd, start, sizeof(start), 0);

	for (size_t i = 0; i < sizeof(packings) / sizeof(*packings); i++)
		if (n >= (ssize_t)packings[i].len &&
		    memcmp(start, packings[i].magic, packings[i].len) == 0)
			return packings[i].tool;
	return NULL;
}

/* The child's side: become the tool. */
static _Noreturn void
become(const char *tool, int in, int out)
{
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
		(void)execlp(tool, tool, "-dc", (char *)NULL);
	_exit(127); /* the exit status of a shell that finds no program */
}

/* Put the tool between the file and us. */
static bool
start_tool(struct log_file *file, const char *tool, struct error *error)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0) {
		error_errno(error, errno, "pipe");
		return false;
	}
	file->child = fork();
	if (file->child == 0)
		become(tool, file->fd, ends[1]);
	(void)close(ends[1]); /* the child has it */
	if (file->child < 0) {
		error_errno(error, errno, "fork");
		(void)close(ends[0]); /* nothing was read from it */
		file->child = 0;
		return false;
	}
	(void)close(file->fd); /* the child has it */
	file->fd = ends[0];
	file->size = 0;
	return true;
}

/* End the tool; false where it has failed. */
static bool
end_tool(struct log_file *file, const char *tool, struct error *error)
{
	int status = 0;

	while (waitpid(file->child, &status, 0) < 0)
		if (errno != EINTR) {
			error_errno(error, errno, "%s", tool);
			return false;
		}
	if (status == 0)
		return true;
	error_set(error, "%s: %s %s", file->name, tool,
		  WIFEXITED(status) && WEXITSTATUS(status) == 127
		      ? "is needed to unpack it and is not installed"
		      : "could not unpack it");
	return false;
}

static bool
open_log(struct log_file *file, struct error *error)
{
	struct stat status;

	file->fd = strcmp(file->name, "-") == 0
		       ? dup(STDIN_FILENO)
		       : open(file->name, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0 || fstat(file->fd, &status) != 0) {
		error_errno(error, errno, "%s", file->name);
		return false;
	}
	if (S_ISDIR(status.st_mode)) {
		error_set(error, "%s: is a folder", file->name);
		return false;
	}
	file->size = S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0;
	file->shows = isatty(STDERR_FILENO) == 1;
	return true;
}

/* Show how far it is. */
static void
show(struct log_file *file)
{
	if (!file->shows || ++file->blocks % PROGRESS_STEP != 0)
		return;
	if (file->size > 0)
		(void)fprintf(stderr, "\r%s: %3u %%", file->name,
			      (unsigned)(file->done * 100 / file->size));
	else
		(void)fprintf(stderr, "\r%s: %llu MiB", file->name,
			      (unsigned long long)(file->done >> 20));
}

/* Give away the whole lines among the first len bytes of the block; the rest
 * is moved to its front. */
static void
take_lines(struct log_file *file, size_t len, maillog_file_line *take,
	   void *arg)
{
	const char *line = file->block;
	const char *end = file->block + len;
	const char *newline;

	while (line < end &&
	       (newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
		if (!file->skipping)
			take(arg, span_of(line, (size_t)(newline - line)));
		file->skipping = false;
		line = newline + 1;
	}
	file->have = (size_t)(end - line);
	if (file->have == BLOCK) {
		file->skipping = true;
		file->have = 0;
	}
	memmove(file->block, line, file->have);
}

static bool
read_lines(struct log_file *file, maillog_file_line *take, void *arg,
	   struct error *error)
{
	ssize_t n;

	while ((n = read(file->fd, file->block + file->have,
			 BLOCK - file->have)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_errno(error, errno, "%s", file->name);
			return false;
		}
		file->done += (uint64_t)n;
		take_lines(file, file->have + (size_t)n, take, arg);
		show(file);
	}
	if (file->have > 0 && !file->skipping)
		take(arg, span_of(file->block, file->have));
	return true;
}

bool
maillog_file_read(const char *name, maillog_file_line *take, void *arg,
		  struct error *error)
{
	struct log_file file = {.name = name, .fd = -1};
	const char *tool = NULL;
	bool ok = open_log(&file, error);

	if (ok && file.size > 0)
		tool = find_tool(file.fd);
	if (ok && tool != NULL)
		ok = start_tool(&file, tool, error);
	if (ok) {
		file.block = memory_zero(1, BLOCK);
		ok = read_lines(&file, take, arg, error);
		free(file.block);
	}
	if (file.shows && file.blocks >= PROGRESS_STEP)
		(void)fputs("\r\033[K", stderr);
	if (file.fd >= 0)
		(void)close(file.fd); /* it was only read */
	if (file.child > 0 && !end_tool(&file, tool, ok ? error : NULL))
		ok = false;
	return ok;
}
