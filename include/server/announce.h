/* SPDX-License-Identifier: BSD-2-Clause */
/* What the server says of itself, in the log and to systemd: that it starts,
 * with what, and what became of a reload. */
#ifndef SERVER_ANNOUNCE_H
#define SERVER_ANNOUNCE_H

#include "server/listener.h"
#include "server/reload.h"

/* The sockets, with a warning of each that other machines may reach, and what
 * is served. */
void announce_start(const struct listeners *listeners,
		    const struct snapshot *snapshot, size_t max_connections);

/* The sockets of metrics_listen, with a warning of each that other machines
 * may reach. */
void announce_metrics(const struct listeners *listeners);

/* Tell systemd which snapshot serves; with is_fresh = false, that a later one
 * was refused. */
void announce_ready(const struct snapshot *snapshot, bool is_fresh);

/* Tell systemd that a reload begins; announce_ready() ends it. */
void announce_reloading(void);

/* Log what a reload came to: every problem, and what is different from the old
 * snapshot now. */
void announce_reload(const struct snapshot *old,
		     const struct reload_result *result);

#endif
