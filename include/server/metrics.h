/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metrics, in the text format of Prometheus, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). No label
 * carries an address or a login.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "base/buffer.h"
#include "server/counters.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Where the numbers are; borrowed for the call. */
struct metrics_source {
	const struct counters *counters;
	const struct snapshot *snapshot; /* NULL: none is loaded yet */
	size_t connections;              /* that are open */
};

/* Add all metrics to out. Called between two requests, so that they fit
 * together: the histogram's count is the sum of all requests. */
void metrics_write(const struct metrics_source *source, struct buffer *out);

#endif
