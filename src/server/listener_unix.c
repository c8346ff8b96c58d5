/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "listener_kinds.h"
#include "server/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool
unix_address(const char *path, struct sockaddr_un *address, struct error *error)
{
	size_t len = strlen(path);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (len >= sizeof(address->sun_path)) {
		error_set(error,
			  "the path of a socket has at most %zu bytes, this "
			  "one has %zu",
			  sizeof(address->sun_path) - 1, len);
		return false;
	}
	memcpy(address->sun_path, path, len);
	return true;
}

/* Say what is wrong with a socket whose server does answer, or might. */
static bool
refuse_alive(int number, struct error *error)
{
	switch (number) {
	case 0:
	case EAGAIN: /* its backlog is full */
		error_set(error, "another server is listening there; stop it "
				 "first");
		break;
	case EPROTOTYPE:
		error_set(error, "a socket of another kind is in the way");
		break;
	default:
		error_errno(error, number,
			    "can not tell whether the socket there is in use");
	}
	return false;
}

/* Make sure that nothing is at path: unlink a socket that nobody listens on. */
static bool
clear_path(const struct sockaddr_un *address, struct error *error)
{
	struct stat at_path;
	int fd, number;

	if (lstat(address->sun_path, &at_path) != 0) {
		/* A folder that is missing is said by bind(). */
		if (errno == ENOENT || errno == ENOTDIR)
			return true;
		error_errno(error, errno, "can not look at it");
		return false;
	}
	if (!S_ISSOCK(at_path.st_mode)) {
		error_set(error, "something that is not a socket is in the "
				 "way; move it, or choose another path");
		return false;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		error_errno(error, errno, "socket");
		return false;
	}
	number =
	    connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0
		? 0
		: errno;
	(void)close(fd);
	if (number == ENOENT)
		return true;
	if (number != ECONNREFUSED)
		return refuse_alive(number, error);
	if (unlink(address->sun_path) != 0 && errno != ENOENT) {
		error_errno(error, errno,
			    "can not remove the socket that a dead server "
			    "left behind");
		return false;
	}
	return true;
}

/* Bind under a umask that gives the socket its mode from the start. */
static bool
bind_with_mode(int fd, const struct sockaddr_un *address, mode_t mode,
	       struct error *error)
{
	mode_t before = umask(0777 & ~mode);
	int number =
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0
		? 0
		: errno;
	char *path;

	(void)umask(before);
	if (number == 0)
		return true;
	if (number != ENOENT && number != EACCES) {
		error_errno(error, number, "bind");
		return false;
	}
	path = memory_copy(address->sun_path, strlen(address->sun_path));
	if (number == ENOENT)
		error_set(error,
			  "the folder %s does not exist; create it, with "
			  "RuntimeDirectory= of systemd for one below /run",
			  dirname(path));
	else
		error_set(error,
			  "the user that fromguard runs as may not create a "
			  "socket in %s",
			  dirname(path));
	free(path);
	return false;
}

/* Note which socket is ours, and give it to its owner and group. */
static bool
own_socket(struct listener *listener, const struct settings *settings,
	   struct error *error)
{
	struct stat made;
	uid_t uid;
	gid_t gid;

	if (lstat(listener->path, &made) != 0) {
		error_errno(error, errno, "it is gone again");
		return false;
	}
	listener->device = made.st_dev;
	listener->inode = made.st_ino;
	if (!privilege_uid(settings->socket_owner, &uid, error) ||
	    !privilege_gid(settings->socket_group, &gid, error))
		return false;
	if ((uid != (uid_t)-1 || gid != (gid_t)-1) &&
	    lchown(listener->path, uid, gid) != 0) {
		error_errno(error, errno,
			    "can not give it to socket_owner and "
			    "socket_group");
		return false;
	}
	return true;
}

/* Clear the path, bind to it and listen. */
static bool
bind_unix(struct listener *listener, const struct settings *settings,
	  struct error *error)
{
	struct sockaddr_un address;

	if (!unix_address(listener->path, &address, error) ||
	    !clear_path(&address, error))
		return false;
	listener->fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener->fd == -1) {
		error_errno(error, errno, "socket");
		return false;
	}
	if (!bind_with_mode(listener->fd, &address, settings->socket_mode,
			    error) ||
	    !own_socket(listener, settings, error))
		return false;
	if (listen(listener->fd, LISTENER_BACKLOG) != 0) {
		error_errno(error, errno, "listen");
		return false;
	}
	return true;
}

/*
 * Lock the folder of a path, so that two servers that start at once do not
 * both find the same dead socket and unlink each other's new one. Best effort,
 * as who may open the folder could otherwise keep us from starting by holding
 * the lock. -1: not locked.
 */
static int
lock_folder(const char *path)
{
	char *copy = memory_copy(path, strlen(path));
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(copy);
	for (int tries = 0; fd != -1 && tries < 50; tries++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		if (errno != EWOULDBLOCK)
			break;
		(void)usleep(10000);
	}
	if (fd != -1)
		(void)close(fd);
	return -1;
}

bool
listeners_open_unix(struct listeners *listeners,
		    const struct endpoint *endpoint,
		    const struct settings *settings, struct error *error)
{
	struct listener listener = {
	    .fd = -1,
	    .path = memory_copy(endpoint->name, strlen(endpoint->name)),
	    .name = endpoint_format(endpoint),
	};
	int lock = lock_folder(endpoint->name);
	bool ok = bind_unix(&listener, settings, error);

	if (lock != -1)
		(void)close(lock);
	if (ok)
		listeners_keep(listeners, &listener);
	else
		listener_close(&listener);
	return ok;
}
