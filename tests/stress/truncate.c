/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads a compiled map again and again while somebody else cuts it and writes
 * it anew, in place.
 *
 *	truncate MAP TIMES THREADS
 *
 * Each thread has a copy of its own, which a second thread cuts to a random
 * length at a random moment. What is loaded has to be the whole map, or
 * refused; anything else ends it with status 1. Prints how many loads came to
 * what.
 */
#include "base/memory.h"
#include "maps/map.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CUT_WITHIN_US = 400, SLACK = 64 };

static const char *whole;
static size_t whole_len;
static size_t whole_entries;
static unsigned times;
static atomic_uint loaded;
static atomic_uint refused;
static atomic_uint wrong;

struct worker {
	pthread_t thread;
	char path[256];
	unsigned seed;
	int fd;
};

static void
die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void
wait_some_us(unsigned most, unsigned *seed)
{
	const struct timespec delay = {
	    .tv_nsec = (long)((unsigned)rand_r(seed) % most) * 1000,
	};

	(void)nanosleep(&delay, NULL); /* a shorter one is as good */
}

/* Cut the file in a moment; now and then, only behind its end. */
static void *
cut(void *arg)
{
	struct worker *worker = arg;
	unsigned seed = worker->seed ^ 0x5bd1e995;
	size_t len = (size_t)rand_r(&seed) % (whole_len + SLACK);

	wait_some_us(CUT_WITHIN_US, &seed);
	if (ftruncate(worker->fd, (off_t)len) != 0)
		die("ftruncate");
	return NULL;
}

static bool
count_entry(void *arg, const struct map_entry *entry)
{
	size_t *entries = arg;

	(void)entry;
	(*entries)++;
	return true;
}

/* Load a map; *entries tells how many it has, false where it was refused. */
static bool
load(char *path, size_t *entries)
{
	struct map_spec spec = {.type = MAP_CDB, .path = path};
	struct problems problems = {0};
	struct map_context context = {
	    .name = path,
	    .problems = &problems,
	    .sink = count_entry,
	    .arg = entries,
	};
	bool good;

	*entries = 0;
	good = map_load(&spec, &context) && problems.errors == 0;
	problems_fini(&problems);
	return good;
}

static void
write_whole(const struct worker *worker)
{
	if (pwrite(worker->fd, whole, whole_len, 0) != (ssize_t)whole_len ||
	    ftruncate(worker->fd, (off_t)whole_len) != 0)
		die(worker->path);
}

static void
load_once(struct worker *worker)
{
	pthread_t cutter;
	size_t entries;

	write_whole(worker);
	if (rand_r(&worker->seed) % 2 == 0)
		wait_some_us(20000, &worker->seed); /* it may look old */
	if (pthread_create(&cutter, NULL, cut, worker) != 0)
		die("pthread_create");
	if (!load(worker->path, &entries))
		atomic_fetch_add(&refused, 1);
	else if (entries == whole_entries)
		atomic_fetch_add(&loaded, 1);
	else
		atomic_fetch_add(&wrong, 1);
	(void)pthread_join(cutter,
			   NULL); /* it was created, and is not joined */
}

static void *
work(void *arg)
{
	struct worker *worker = arg;

	for (unsigned i = 0; i < times; i++)
		load_once(worker);
	return NULL;
}

/* Learn what the map is when nobody cuts it. */
static void
read_whole(char *path)
{
	struct stat file;
	char *content;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || fstat(fd, &file) != 0)
		die(path);
	content = memory_zero((size_t)file.st_size, 1);
	if (read(fd, content, (size_t)file.st_size) != file.st_size)
		die(path);
	(void)close(fd);
	whole = content;
	whole_len = (size_t)file.st_size;
	if (!load(path, &whole_entries) || whole_entries == 0) {
		(void)fprintf(stderr, "truncate: %s: can not be loaded\n",
			      path);
		exit(EXIT_FAILURE);
	}
}

static void
start(struct worker *worker, const char *path, unsigned number)
{
	(void)snprintf(worker->path, sizeof(worker->path), "%s.%u", path,
		       number);
	worker->seed = number + 1;
	worker->fd = open(worker->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (worker->fd == -1)
		die(worker->path);
	if (pthread_create(&worker->thread, NULL, work, worker) != 0)
		die("pthread_create");
}

int
main(int argc, char **argv)
{
	struct worker *workers;
	unsigned threads;

	if (argc != 4) {
		(void)fprintf(stderr, "usage: truncate MAP TIMES THREADS\n");
		return EXIT_FAILURE;
	}
	threads = (unsigned)strtoul(argv[3], NULL, 10);
	times = (unsigned)strtoul(argv[2], NULL, 10) / threads;
	read_whole(argv[1]);
	workers = memory_zero(threads, sizeof(*workers));
	for (unsigned i = 0; i < threads; i++)
		start(&workers[i], argv[1], i);
	for (unsigned i = 0; i < threads; i++) {
		(void)pthread_join(workers[i].thread, NULL); /* as above */
		(void)close(workers[i].fd);
	}
	(void)printf("%u %u %u\n", loaded, refused, wrong);
	free(workers);
	free((char *)whole);
	return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
