/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buffer.h"
#include "base/memory.h"
#include "policy/settings.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/un.h>

/* Bytes of a host name, RFC 1035 section 2.3.4. */
enum { HOST_MAX = 255 };

static bool
parse_unix(struct span path, struct endpoint *endpoint, struct error *error)
{
	/* The kernel wants a NUL behind the path. */
	const size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (path.len == 0) {
		error_set(error, "unix: has no path behind it");
		return false;
	}
	if (path.len > most) {
		error_set(error,
			  "the path of unix:%" SPAN_FMT
			  " has %zu bytes, a socket's has at most %zu",
			  SPAN_ARG(path), path.len, most);
		return false;
	}
	*endpoint = (struct endpoint){
	    .is_unix = true,
	    .name = memory_copy(path.data, path.len),
	};
	return true;
}

/* Is it a name or an IPv4 address? The resolver has the last word. */
static bool
is_name(struct span host)
{
	for (size_t i = 0; i < host.len; i++) {
		unsigned char c = (unsigned char)host.data[i];

		if (c <= ' ' || c >= 0x7f || strchr("[]:*/", c) != NULL)
			return false;
	}
	return host.len > 0 && host.len <= HOST_MAX;
}

/* Is it an IPv6 address? A zone may follow: fe80::1%eth0. */
static bool
is_ipv6(struct span host)
{
	const char *percent = memchr(host.data, '%', host.len);
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (percent != NULL) {
		struct span zone =
		    span_from(host, (size_t)(percent - host.data) + 1);

		if (!is_name(zone))
			return false;
		host.len = (size_t)(percent - host.data);
	}
	if (host.len >= sizeof(text))
		return false;
	memcpy(text, host.data, host.len);
	text[host.len] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

/* Divide HOST:PORT or [IPV6]:PORT; the host loses its brackets. */
static bool
split_host(struct span text, struct span *host, struct span *port)
{
	const char *colon = memrchr(text.data, ':', text.len);

	if (colon == NULL)
		return false;
	*host = span_of(text.data, (size_t)(colon - text.data));
	*port = span_from(text, host->len + 1);
	if (host->len < 2 || host->data[0] != '[' || colon[-1] != ']')
		return is_name(*host);
	*host = span_of(host->data + 1, host->len - 2);
	return is_ipv6(*host);
}

static bool
parse_port(struct span text, uint16_t *port)
{
	unsigned number = 0;

	if (text.len == 0 || text.len > 5)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		number = number * 10 + (unsigned)(text.data[i] - '0');
	}
	*port = (uint16_t)number;
	return number >= 1 && number <= UINT16_MAX;
}

static bool
parse_inet(struct span text, struct endpoint *endpoint, struct error *error)
{
	struct span host;
	struct span port;

	if (!split_host(text, &host, &port)) {
		error_set(error,
			  "inet:%" SPAN_FMT " is no inet:HOST:PORT as "
			  "inet:127.0.0.1:10040 or inet:[::1]:10040",
			  SPAN_ARG(text));
		return false;
	}
	*endpoint = (struct endpoint){.is_unix = false};
	if (!parse_port(port, &endpoint->port)) {
		error_set(error,
			  "the port of inet:%" SPAN_FMT
			  " is out of range: it is 1 to 65535",
			  SPAN_ARG(text));
		return false;
	}
	endpoint->name = memory_copy(host.data, host.len);
	return true;
}

static bool
starts_with(struct span text, const char *start)
{
	size_t len = strlen(start);

	return text.len >= len && memcmp(text.data, start, len) == 0;
}

bool
endpoint_parse(struct span text, struct endpoint *endpoint, struct error *error)
{
	if (memchr(text.data, '\0', text.len) != NULL) {
		error_set(error, "has a NUL byte in it");
		return false;
	}
	if (starts_with(text, "unix:"))
		return parse_unix(span_from(text, 5), endpoint, error);
	if (starts_with(text, "inet:"))
		return parse_inet(span_from(text, 5), endpoint, error);
	if (starts_with(text, "/"))
		error_set(error,
			  "\"%" SPAN_FMT "\" lacks its kind: write "
			  "unix:%" SPAN_FMT,
			  SPAN_ARG(text), SPAN_ARG(text));
	else
		error_set(error,
			  "\"%" SPAN_FMT
			  "\" is no endpoint: it is unix:PATH or "
			  "inet:HOST:PORT",
			  SPAN_ARG(text));
	return false;
}

char *
endpoint_format(const struct endpoint *endpoint)
{
	bool brackets = strchr(endpoint->name, ':') != NULL;
	struct buffer out = {0};

	if (endpoint->is_unix)
		buffer_format(&out, "unix:%s", endpoint->name);
	else
		buffer_format(&out, brackets ? "inet:[%s]:%u" : "inet:%s:%u",
			      endpoint->name, endpoint->port);
	return out.data;
}
