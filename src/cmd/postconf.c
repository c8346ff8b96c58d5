/* SPDX-License-Identifier: BSD-2-Clause */
#include "postconf.h"
#include "base/lines.h"
#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	CONTENT_MAX = 16 * 1024 * 1024, /* no configuration is that long */
	NESTING_MAX = 16,               /* of $name in $name */
};

void
postconf_init(struct postconf *postconf)
{
	memset(postconf, 0, sizeof(*postconf));
}

void
postconf_fini(struct postconf *postconf)
{
	for (size_t i = 0; i < postconf->content_count; i++)
		free(postconf->contents[i]);
	free(postconf->contents);
	free(postconf->list);
}

/* Divide "service/type/name": a name of main.cf has no '/'. */
static void
divide(struct span name, struct parameter *parameter)
{
	const char *slash = memrchr(name.data, '/', name.len);

	parameter->service = SPAN_NONE;
	parameter->name = name;
	if (slash == NULL)
		return;
	parameter->service = span_of(name.data, (size_t)(slash - name.data));
	parameter->name = span_from(name, parameter->service.len + 1);
}

/* Take in what was read; content is the postconf's from here on. */
static bool
take_content(struct postconf *postconf, char *take_content, size_t len,
	     const char *file)
{
	struct lines lines;
	struct span line;
	uint32_t number;

	if (!memory_try_grow((void **)&postconf->contents,
			     &postconf->content_room, postconf->content_count,
			     sizeof(*postconf->contents))) {
		free(take_content);
		return false;
	}
	postconf->contents[postconf->content_count++] = take_content;
	lines_init(&lines, take_content, len, file, NULL);
	while (lines_next(&lines, &line, &number)) {
		const char *equals = memchr(line.data, '=', line.len);
		struct parameter parameter = {.file = file, .line = number};
		size_t before;

		if (equals == NULL)
			continue;
		before = (size_t)(equals - line.data);
		divide(span_trim(span_of(line.data, before)), &parameter);
		parameter.value = span_trim(span_from(line, before + 1));
		if (!memory_try_grow((void **)&postconf->list, &postconf->room,
				     postconf->count, sizeof(parameter)))
			return false;
		postconf->list[postconf->count++] = parameter;
	}
	return true;
}

static bool
read_stream(struct postconf *postconf, FILE *stream, const char *name,
	    struct error *error)
{
	struct buffer content = {0};
	char block[4096];
	size_t n;

	while ((n = fread(block, 1, sizeof(block), stream)) > 0 &&
	       content.len <= CONTENT_MAX)
		buffer_add(&content, span_of(block, n));
	if (ferror(stream) || content.len > CONTENT_MAX) {
		error_set(error, "%s: %s", name,
			  ferror(stream) ? "cannot be read"
					 : "too long for a configuration");
		buffer_fini(&content);
		return false;
	}
	if (content.len == 0)
		return true;
	if (take_content(postconf, content.data, content.len, name))
		return true;
	error_set(error, "out of memory");
	return false;
}

bool
postconf_read(struct postconf *postconf, const char *name, struct error *error)
{
	bool is_stdin = strcmp(name, "-") == 0;
	FILE *stream = is_stdin ? stdin : fopen(name, "re");
	bool ok;

	if (stream == NULL) {
		error_errno(error, errno, "%s", name);
		return false;
	}
	ok = read_stream(postconf, stream, is_stdin ? "standard input" : name,
			 error);
	if (!is_stdin)
		(void)fclose(stream); /* it was only read */
	return ok;
}

bool
postconf_run(struct postconf *postconf, struct error *error)
{
	static const char *const commands[] = {"postconf -n", "postconf -P",
					       "postconf -F"};

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		/* Fixed words: no shell finds anything to expand in them. */
		FILE *stream =
		    popen(commands[i], "re"); /* NOLINT(cert-env33-c) */

		if (stream == NULL) {
			error_errno(error, errno, "%s", commands[i]);
			return false;
		}
		if (!read_stream(postconf, stream, commands[i], error)) {
			(void)pclose(stream); /* the read has failed already */
			return false;
		}
		if (pclose(stream) != 0) {
			error_set(error,
				  "%s failed: is Postfix here? Else give files "
				  "with what postconf -n, -P and -F print",
				  commands[i]);
			return false;
		}
	}
	return true;
}

static const struct parameter *
find(const struct postconf *postconf, struct span service, struct span name)
{
	const struct parameter *found = NULL;

	/* The last one counts, as in main.cf. */
	for (size_t i = 0; i < postconf->count; i++)
		if (span_equal(postconf->list[i].name, name) &&
		    span_equal(postconf->list[i].service, service))
			found = &postconf->list[i];
	if (found == NULL && service.len > 0)
		return find(postconf, SPAN_NONE, name);
	return found;
}

const struct parameter *
postconf_find(const struct postconf *postconf, struct span service,
	      const char *name)
{
	return find(postconf, service, span_text(name));
}

static bool
is_name_byte(char c)
{
	return c == '_' || (c >= '0' && c <= '9') ||
	       (byte_lower(c) >= 'a' && byte_lower(c) <= 'z');
}

/* Take "name", "{name}" or "(name)" from the front of what follows a '$';
 * "{name?text}" is taken for its name. */
static struct span
take_name(struct span *rest)
{
	struct span name = {rest->data, 0};
	const char *close;

	if (rest->len > 0 && (rest->data[0] == '{' || rest->data[0] == '(')) {
		close = memchr(rest->data, rest->data[0] == '{' ? '}' : ')',
			       rest->len);
		name.data++;
		*rest =
		    close == NULL
			? SPAN_NONE
			: span_from(*rest, (size_t)(close - rest->data) + 1);
		while (close != NULL && name.data + name.len < close &&
		       is_name_byte(name.data[name.len]))
			name.len++;
		return name;
	}
	while (name.len < rest->len && is_name_byte(name.data[name.len]))
		name.len++;
	*rest = span_from(*rest, name.len);
	return name;
}

static void
expand(const struct postconf *postconf, struct span service, struct span value,
       struct buffer *out, int depth)
{
	while (value.len > 0) {
		const struct parameter *found;
		struct span name;

		if (value.data[0] != '$' || value.len == 1) {
			buffer_byte(out, value.data[0]);
			value = span_from(value, 1);
			continue;
		}
		value = span_from(value, 1);
		if (value.data[0] == '$') {
			buffer_byte(out, '$');
			value = span_from(value, 1);
			continue;
		}
		name = take_name(&value);
		found = find(postconf, service, name);
		if (found != NULL && depth < NESTING_MAX)
			expand(postconf, service, found->value, out, depth + 1);
	}
}

void
postconf_expand(const struct postconf *postconf, struct span service,
		struct span value, struct buffer *out)
{
	expand(postconf, service, value, out, 0);
}
