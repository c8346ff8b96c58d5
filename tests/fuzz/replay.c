/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target without a fuzzer, on each file that is named: on the
 * whole of it and on every prefix, since what comes from a socket or a
 * half-written file may end anywhere. One TAP line a file; a crash leaves the
 * plan unfulfilled.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PREFIXES_MAX = 1024 };

/* Run the target on a copy of its own, so that reading beyond it is seen. */
static void
run_bytes(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size); /* always 0 */
	free(copy);
}

/* Read a whole file, which the caller frees; NULL where it can not be. */
static uint8_t *
read_seed(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rbe");
	uint8_t *data = NULL;
	long end;

	if (file == NULL)
		return NULL;
	if (fseek(file, 0, SEEK_END) != 0 || (end = ftell(file)) < 0 ||
	    fseek(file, 0, SEEK_SET) != 0)
		goto done;
	*size = (size_t)end;
	data = malloc(*size + 1);
	if (data != NULL && fread(data, 1, *size, file) != *size) {
		free(data);
		data = NULL;
	}
done:
	(void)fclose(file); /* only read */
	return data;
}

/* Run the target on a file and its prefixes; false where there is no file. */
static bool
run_seed(const char *path)
{
	size_t size = 0;
	uint8_t *data = read_seed(path, &size);

	if (data == NULL)
		return false;
	for (size_t len = 0; len < size && len < PREFIXES_MAX; len++)
		run_bytes(data, len);
	run_bytes(data, size);
	free(data);
	return true;
}

int
main(int argc, char **argv)
{
	bool failed = argc < 2;

	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		printf("# running %s\n", argv[i]);
		fflush(stdout); /* it names the file in case of a crash */
		bool good = run_seed(argv[i]);
		printf("%sok %d - %s\n", good ? "" : "not ", i, argv[i]);
		failed = failed || !good;
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
