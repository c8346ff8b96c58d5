/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The status page: one HTML document with all that it needs inside, for people
 * on any screen. It asks for nothing but itself and runs no script.
 */
#ifndef SERVER_STATUS_PAGE_H
#define SERVER_STATUS_PAGE_H

#include "base/buffer.h"
#include "server/status_hour.h"
#include "server/status_refusals.h"

#define STATUS_PAGE_CONTENT_TYPE "text/html; charset=utf-8"

enum status_phase { STATUS_LOADING, STATUS_SERVING, STATUS_DRAINING };

/* What there is to tell; all of it is borrowed for the call. */
struct status_view {
	enum status_phase phase;
	time_t now;
	time_t started_at;
	const struct snapshot *snapshot; /* NULL: none is loaded yet */
	const time_t *changed_at;        /* of each map's file; 0: not known */
	time_t refused_at; /* the last reload was; 0: it was not */
	size_t refused_errors;
	size_t connections;
	const struct counters *counters;
	const struct status_hour *hour;
	const struct refusals *refusals;
};

/* Add the page to out; names and texts from outside are escaped. Addresses are
 * in it only where the snapshot's status_addresses is yes. */
void status_page_write(const struct status_view *view, struct buffer *out);

/* The Content-Security-Policy under which the page, and no more, works. */
const char *status_page_policy(void);

#endif
