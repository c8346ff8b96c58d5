/* SPDX-License-Identifier: BSD-2-Clause */
/* Any line of a log: what is found in it lies in it, and is joined safely. */
#include "base/span.h"
#include "policy/rehearsal.h"
#include "wire/maillog.h"

#include <stdlib.h>

/* 2026-11-24 12:00:00 UTC. */
enum { TODAY = 1795521600 };

static void
inside(struct span part, const uint8_t *data, size_t size)
{
	const char *start = (const char *)data;

	if (part.len > 0 && (part.data < start || part.len > size ||
			     part.data + part.len > start + size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rehearsal *rehearsal = rehearsal_new();
	const uint8_t *end = data + size;
	struct rehearsal_counts counts;

	while (data < end) {
		const uint8_t *newline =
		    memchr(data, '\n', (size_t)(end - data));
		size_t len = (size_t)((newline != NULL ? newline : end) - data);
		struct maillog_line line;

		if (maillog_parse(span_of((const char *)data, len), TODAY,
				  &line)) {
			inside(line.instance, data, len);
			inside(line.queue_id, data, len);
			inside(line.login, data, len);
			inside(line.sender, data, len);
			inside(line.client, data, len);
			rehearsal_take(rehearsal, &line);
		}
		data += len + (newline != NULL);
	}
	rehearsal_count(rehearsal, &counts);
	if (counts.mails > size || counts.pairs > size)
		abort();
	rehearsal_free(rehearsal);
	return 0;
}
