/* SPDX-License-Identifier: BSD-2-Clause */
/* The server: everything from bound sockets to the last answer. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "server/listener.h"
#include "server/reload.h"

/*
 * Serve until SIGTERM or SIGINT; reload on SIGHUP and, with reload = auto,
 * when files change, which are listed as they were before the snapshot was
 * loaded. The listeners are open, those of metrics_listen as well where it is
 * set, and privileges dropped; log_open() has been called. All of these are
 * taken: on return the sockets are closed and the
 * snapshot, or the one that has replaced it, is freed. False where it could
 * not start, which is in the log.
 */
bool server_run(struct listeners *take_listeners,
		struct listeners *take_metrics, struct snapshot *take_snapshot,
		struct watch_list *take_files,
		const struct reload_source *source);

#endif
