/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiled maps: any bytes as an image, and as lines "KEY<tab>VALUE" of which
 * libcdb makes one, since no chance finds the hashes of a whole image. What an
 * image gives is written as a map of ours, and that reads back as itself.
 */
#include "base/file.h"
#include "base/memory.h"
#include "later.h"
#include "maps/cdb.h"

#include <cdb.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64];
static char path[sizeof(folder) + 8];

static void
check(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

static void
remove_folder(void)
{
	(void)unlink(path); /* nothing to be done about one that stays */
	(void)rmdir(folder);
}

static void
make_folder(void)
{
	/* In memory where that can be: every map is synced. */
	bool in_memory = access("/dev/shm", W_OK) == 0;

	if (path[0] != '\0')
		return;
	(void)snprintf(folder, sizeof(folder), "%s/fromguard-fuzz-XXXXXX",
		       in_memory ? "/dev/shm" : "/tmp");
	check(mkdtemp(folder) != NULL && atexit(remove_folder) == 0,
	      "no folder");
	(void)snprintf(path, sizeof(path), "%s/map", folder);
}

/* The sink: what a map of ours can spell goes into one. */
static bool
take(void *arg, const struct map_entry *entry)
{
	return !cdb_writer_takes(entry, NULL) || cdb_writer_add(arg, entry);
}

/* Load an image into a writer; the number of problems. */
static size_t
load(const char *image, size_t len, struct cdb_writer *writer)
{
	struct problems problems;
	struct map_context context = {
	    .name = "map", .problems = &problems, .sink = take, .arg = writer};
	char *copy = memory_copy(image, len); /* it is used up */
	size_t count;

	problems_init(&problems);
	check(cdb_load(copy, len, &context), "no memory");
	count = problems.warnings + problems.errors;
	problems_fini(&problems);
	free(copy);
	return count;
}

/* Write a map and read the file; the caller frees it. */
static char *
written(struct cdb_writer *writer, size_t *len)
{
	struct cdb_counts counts;
	struct error error = {""};
	char *content;

	check(cdb_writer_write(writer, path, NULL, NULL, &counts, &error),
	      error.text);
	check(file_read(path, &content, len, &error) == FILE_READ, error.text);
	check(counts.bytes == *len, "the bytes are counted wrong");
	return content;
}

/* Load an image, and check that what it gives survives a map of ours. */
static void
try_image(const char *image, size_t len)
{
	struct cdb_writer *writer = cdb_writer_new();
	struct cdb_writer *again = cdb_writer_new();
	struct error error = {""};
	size_t first_len;
	size_t second_len;
	char *first;
	char *second;

	check(writer != NULL && again != NULL, "no memory");
	(void)load(image, len, writer);
	if (cdb_prove(image, len, &error)) {
		first = written(writer, &first_len);
		check(load(first, first_len, again) == 0,
		      "there are problems with a map of ours");
		second = written(again, &second_len);
		check(span_equal(span_of(first, first_len),
				 span_of(second, second_len)),
		      "what is read is not what was written");
		free(first);
		free(second);
	} else {
		check(error.text[0] != '\0', "no reason is given");
	}
	cdb_writer_free(writer);
	cdb_writer_free(again);
}

/* Take what stands before a byte, or all, off the front of a text. */
static struct span
take_until(struct span *text, char byte)
{
	const char *end = memchr(text->data, byte, text->len);
	struct span part = *text;

	if (end != NULL)
		part.len = (size_t)(end - text->data);
	*text = span_from(*text, part.len + (end != NULL));
	return part;
}

/* Make an image of lines; the caller frees it. */
static char *
image_of_lines(struct span text, size_t *len)
{
	int fd = memfd_create("cdb", MFD_CLOEXEC);
	struct cdb_make make;
	struct stat st;
	char *image;

	check(fd >= 0 && cdb_make_start(&make, fd) == 0, "no map");
	while (text.len > 0) {
		struct span value = take_until(&text, '\n');
		struct span key = take_until(&value, '\t');

		check(cdb_make_add(&make, key.data, (unsigned)key.len,
				   value.data, (unsigned)value.len) == 0,
		      "no record");
	}
	check(cdb_make_finish(&make) == 0 && fstat(fd, &st) == 0, "no image");
	*len = (size_t)st.st_size;
	image = malloc(*len);
	check(image != NULL && pread(fd, image, *len, 0) == (ssize_t)*len,
	      "no image");
	(void)close(fd);
	return image;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of((const char *)data, size);
	struct error error = {""};
	size_t len;
	char *image;

	make_folder();
	try_image(text.data, text.len);
	image = image_of_lines(text, &len);
	/* One with another format than ours is refused. */
	check(cdb_prove(image, len, &error) ||
		  strstr(error.text, "format") != NULL,
	      error.text);
	try_image(image, len);
	free(image);
	return 0;
}
