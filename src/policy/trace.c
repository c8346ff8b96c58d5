/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/trace.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
trace_init(struct trace *trace)
{
	*trace = (struct trace){0};
}

void
trace_fini(struct trace *trace)
{
	if (trace == NULL)
		return;
	for (size_t i = 0; i < trace->count; i++)
		free(trace->steps[i].text);
	free(trace->steps);
	trace_init(trace);
}

void
trace_add(struct trace *trace, enum trace_result result,
	  const struct origin *origin, const char *format, ...)
{
	struct trace_step step = {.result = result};
	va_list args;

	if (trace == NULL)
		return;
	va_start(args, format);
	if (vasprintf(&step.text, format, args) < 0)
		step.text = memory_copy("", 0);
	va_end(args);
	if (origin != NULL) {
		step.has_origin = true;
		step.origin = *origin;
	}
	if (trace->count == trace->room) {
		struct trace_step *grown;

		trace->room = trace->room == 0 ? 16 : trace->room * 2;
		grown = memory_zero(trace->room, sizeof(step));
		if (trace->count > 0)
			memcpy(grown, trace->steps,
			       trace->count * sizeof(step));
		free(trace->steps);
		trace->steps = grown;
	}
	trace->steps[trace->count++] = step;
}
