/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/status.h"
#include "base/memory.h"
#include "server/clock.h"
#include "server/metrics.h"
#include "server/status_page.h"
#include "status_http.h"

#include <stdlib.h>

struct status {
	struct status_http *http;
	const struct counters *counters;
	struct connections *connections; /* NULL: there are none yet */
	const struct snapshot *snapshot; /* NULL: none is loaded yet */
	enum status_phase phase;
	time_t started_at;
	time_t *changed_at; /* of each map of the snapshot; owned */
	time_t refused_at;
	size_t refused_errors;
	struct status_hour hour;
	struct refusals refusals;
};

static size_t
open_connections(const struct status *status)
{
	return status->connections != NULL
		   ? connections_count(status->connections)
		   : 0;
}

static void
answer_metrics(const struct status *status, struct status_reply *reply)
{
	const struct metrics_source source = {
	    .counters = status->counters,
	    .snapshot = status->snapshot,
	    .connections = open_connections(status),
	};

	reply->code = 200;
	reply->type = METRICS_CONTENT_TYPE;
	metrics_write(&source, &reply->body);
}

static void
answer_page(struct status *status, struct status_reply *reply)
{
	const struct status_view view = {
	    .phase = status->phase,
	    .now = time(NULL),
	    .started_at = status->started_at,
	    .snapshot = status->snapshot,
	    .changed_at = status->changed_at,
	    .refused_at = status->refused_at,
	    .refused_errors = status->refused_errors,
	    .connections = open_connections(status),
	    .counters = status->counters,
	    .hour = &status->hour,
	    .refusals = &status->refusals,
	};

	status_tick(status);
	reply->code = 200;
	reply->type = STATUS_PAGE_CONTENT_TYPE;
	reply->policy = status_page_policy();
	status_page_write(&view, &reply->body);
}

static void
answer_ready(const struct status *status, struct status_reply *reply)
{
	static const char *const texts[] = {
	    [STATUS_LOADING] = "the maps are being loaded\n",
	    [STATUS_SERVING] = "ok\n",
	    [STATUS_DRAINING] = "stopping\n",
	};

	reply->code = status->phase == STATUS_SERVING ? 200 : 503;
	buffer_add(&reply->body, span_text(texts[status->phase]));
}

static void
answer(void *arg, const char *path, struct status_reply *reply)
{
	struct status *status = arg;

	if (strcmp(path, "/metrics") == 0) {
		answer_metrics(status, reply);
	} else if (strcmp(path, "/healthz") == 0) {
		reply->code = 200;
		buffer_add(&reply->body, span_text("ok\n"));
	} else if (strcmp(path, "/readyz") == 0) {
		answer_ready(status, reply);
	} else if (strcmp(path, "/") == 0) {
		answer_page(status, reply);
	}
}

struct status *
status_new(struct event_base *base, const struct listeners *listeners,
	   const struct counters *counters)
{
	struct status *status = memory_zero(1, sizeof(*status));

	status->counters = counters;
	status->started_at = time(NULL);
	status_hour_init(&status->hour, clock_ms());
	status->http = status_http_new(base, listeners, answer, status);
	if (status->http == NULL) {
		status_free(status);
		return NULL;
	}
	return status;
}

void
status_free(struct status *status)
{
	if (status == NULL)
		return;
	if (status->connections != NULL)
		connections_note_refusals(status->connections, NULL);
	status_http_free(status->http);
	free(status->changed_at);
	free(status);
}

void
status_connections(struct status *status, struct connections *connections)
{
	if (status == NULL)
		return;
	status->connections = connections;
	connections_note_refusals(connections, &status->refusals);
}

void
status_use(struct status *status, const struct snapshot *snapshot,
	   const struct watch_list *files)
{
	size_t maps = snapshot->settings->maps.count;

	if (status == NULL)
		return;
	status->snapshot = snapshot;
	if (status->phase == STATUS_LOADING)
		status->phase = STATUS_SERVING;
	status->refused_at = 0;
	free(status->changed_at);
	status->changed_at = memory_zero(maps, sizeof(status->changed_at[0]));
	/* The maps are the last of the files, in their order. */
	if (files == NULL || files->count < maps)
		return;
	for (size_t i = 0; i < maps; i++)
		status->changed_at[i] =
		    files->files[files->count - maps + i].stamp.written.tv_sec;
}

void
status_refuse(struct status *status, size_t errors)
{
	if (status == NULL)
		return;
	status->refused_at = time(NULL);
	status->refused_errors = errors;
}

void
status_drain(struct status *status)
{
	if (status != NULL)
		status->phase = STATUS_DRAINING;
}

void
status_tick(struct status *status)
{
	if (status != NULL)
		status_hour_note(&status->hour, status->counters, clock_ms());
}
