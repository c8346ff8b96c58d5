/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy_service.h"

#include <stdlib.h>

struct span
restriction_next(struct span *rest)
{
	struct span word;
	size_t depth = 0;
	size_t i = 0;

	while (rest->len > 0 &&
	       (byte_is_blank(rest->data[0]) || rest->data[0] == ','))
		*rest = span_from(*rest, 1);
	for (; i < rest->len; i++) {
		char c = rest->data[i];

		if (c == '{')
			depth++;
		else if (c == '}' && depth > 0)
			depth--;
		else if (depth == 0 && (c == ',' || byte_is_blank(c)))
			break;
	}
	word = span_of(rest->data, i);
	*rest = span_from(*rest, i);
	return word;
}

/* What stands between the braces of a group; of anything else: itself. */
static struct span
inside(struct span word)
{
	if (word.len < 2 || word.data[0] != '{' ||
	    word.data[word.len - 1] != '}')
		return word;
	return span_trim(span_of(word.data + 1, word.len - 2));
}

struct policy_service
policy_service_parse(struct span word)
{
	struct policy_service service = {.attributes = inside(word)};

	service.endpoint = restriction_next(&service.attributes);
	return service;
}

struct span
policy_service_attribute(const struct policy_service *service, const char *name)
{
	struct span rest = service->attributes;
	size_t len = strlen(name);
	struct span word;

	while ((word = inside(restriction_next(&rest))).len > 0) {
		struct span value;

		if (word.len < len || memcmp(word.data, name, len) != 0)
			continue;
		/* In braces blanks may stand around the '='. */
		value = span_trim(span_from(word, len));
		if (value.len > 0 && value.data[0] == '=')
			return span_trim(span_from(value, 1));
	}
	return (struct span){NULL, 0};
}

/* A path of Postfix is relative to its queue directory. */
static bool
same_path(struct span postfix, const char *ours)
{
	size_t len = strlen(ours);

	if (postfix.len > 0 && postfix.data[0] == '/')
		return span_is(postfix, ours);
	return len > postfix.len && ours[len - postfix.len - 1] == '/' &&
	       memcmp(ours + len - postfix.len, postfix.data, postfix.len) == 0;
}

bool
policy_service_is_ours(const struct policy_service *service,
		       const struct settings *settings)
{
	static const char name[] = "fromguard";
	struct span text = service->endpoint;
	struct endpoint endpoint;
	bool ours = memmem(text.data, text.len, name, sizeof(name) - 1) != NULL;

	if (ours || settings == NULL || !endpoint_parse(text, &endpoint, NULL))
		return ours;
	for (size_t i = 0; !ours && i < settings->listen.count; i++) {
		const struct endpoint *listen = &settings->listen.list[i];

		if (listen->is_unix != endpoint.is_unix)
			continue;
		ours = endpoint.is_unix
			   ? same_path(span_text(endpoint.name), listen->name)
			   : endpoint.port == listen->port;
	}
	free(endpoint.name);
	return ours;
}
