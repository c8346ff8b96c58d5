/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/systemd.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Parse a whole decimal number of at most max. */
static bool
parse_number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;
	unsigned long long parsed;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	parsed = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || parsed > max)
		return false;
	*value = parsed;
	return true;
}

/* Is the process that a variable names this one? */
static bool
names_us(const char *pid)
{
	uint64_t value;

	return parse_number(pid, INT_MAX, &value) && (pid_t)value == getpid();
}

bool
systemd_listen_fds(size_t *count, struct error *error)
{
	const char *pid = getenv("LISTEN_PID");
	const char *fds = getenv("LISTEN_FDS");
	uint64_t value = 0;
	bool ok = true;

	if (pid != NULL && fds != NULL && names_us(pid) &&
	    !parse_number(fds, INT_MAX - SYSTEMD_FIRST_FD, &value)) {
		error_set(error, "LISTEN_FDS: not a number: %s", fds);
		ok = false;
	}
	/* Can not fail: the names are not empty and hold no '='. */
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	*count = (size_t)value;
	return ok;
}

/* The address of $NOTIFY_SOCKET, '@' standing for the NUL of an abstract one.
 */
static bool
notify_address(struct sockaddr_un *address, socklen_t *len)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t path_len;

	if (path == NULL || (path[0] != '/' && path[0] != '@'))
		return false;
	path_len = strlen(path);
	if (path_len < 2 || path_len >= sizeof(address->sun_path))
		return false;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, path, path_len);
	if (path[0] == '@')
		address->sun_path[0] = '\0';
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_len);
	return true;
}

void
systemd_notify(const char *format, ...)
{
	struct sockaddr_un address;
	socklen_t address_len;
	char state[1024];
	va_list args;
	int len, fd;

	if (!notify_address(&address, &address_len))
		return;
	va_start(args, format);
	len = vsnprintf(state, sizeof(state), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(state))
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	/* Lost where the manager is gone; there is nobody else to tell. */
	(void)sendto(fd, state, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT,
		     (struct sockaddr *)&address, address_len);
	(void)close(fd);
}

uint64_t
systemd_watchdog_us(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t value;

	if (usec == NULL || (pid != NULL && !names_us(pid)) ||
	    !parse_number(usec, UINT64_MAX, &value))
		return 0;
	return value;
}
