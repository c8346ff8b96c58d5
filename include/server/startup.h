/* SPDX-License-Identifier: BSD-2-Clause */
/* The first load, which may take long: who asks meanwhile is told so. */
#ifndef SERVER_STARTUP_H
#define SERVER_STARTUP_H

#include "policy/snapshot.h"
#include "server/listener.h"

/*
 * Load as snapshot_load() does, in a thread, while the status is served on
 * metrics: alive, and not ready. Without metrics there is no thread either.
 */
struct snapshot *startup_load(const struct listeners *metrics,
			      struct settings *take_settings,
			      struct problems *problems);

#endif
