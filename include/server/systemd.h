/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What systemd hands to a service and wants to hear from it: sd_listen_fds(3),
 * sd_notify(3) and sd_watchdog_enabled(3), which are environment variables and
 * a datagram. Where there is no systemd, nothing happens.
 */
#ifndef SERVER_SYSTEMD_H
#define SERVER_SYSTEMD_H

#include "base/error.h"

enum {
	SYSTEMD_FIRST_FD = 3, /* SD_LISTEN_FDS_START */
};

/*
 * How many sockets were handed over, from descriptor SYSTEMD_FIRST_FD on; 0
 * where there are none, or where they are meant for another process. The
 * variables are unset, so that no child takes them for its own. False where
 * they are not what sd_listen_fds(3) says.
 */
bool systemd_listen_fds(size_t *count, struct error *error);

/*
 * Send a state ("READY=1", several divided by newlines) to the service
 * manager. One that does not listen is no reason to stop serving, so nothing
 * is returned.
 */
void systemd_notify(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Microseconds within which WATCHDOG=1 has to be sent; 0: no watchdog. */
uint64_t systemd_watchdog_us(void);

#endif
