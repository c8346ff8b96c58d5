/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/maillog.h"

/* Words that smtpd writes before the login of a refused mail. */
static const char owned_text[] = "not owned by user ";

static bool
starts_with(struct span text, const char *with)
{
	size_t len = strlen(with);

	return text.len >= len && memcmp(text.data, with, len) == 0;
}

/* Where with first stands in text, or NULL. */
static const char *
find(struct span text, const char *with)
{
	return memmem(text.data, text.len, with, strlen(with));
}

/* What stands between before and the first after it that follows; data is
 * NULL where there is no such. */
static struct span
between(struct span text, const char *before, const char *after)
{
	const char *start = find(text, before);
	const char *end;

	if (start == NULL)
		return (struct span){NULL, 0};
	start += strlen(before);
	end = find(span_from(text, (size_t)(start - text.data)), after);
	if (end == NULL)
		return (struct span){NULL, 0};
	return span_of(start, (size_t)(end - start));
}

/* The address behind before, up to the ">" that ends it, which one in quotes
 * does not: whoever chooses a sender can not make it look like another. data
 * is NULL where there is none. */
static struct span
address_behind(struct span text, const char *before)
{
	const char *start = find(text, before);
	bool quoted = false;
	struct span rest;

	if (start == NULL)
		return (struct span){NULL, 0};
	start += strlen(before);
	rest = span_from(text, (size_t)(start - text.data));
	for (size_t i = 0; i < rest.len; i++) {
		if (quoted && rest.data[i] == '\\')
			i++;
		else if (rest.data[i] == '"')
			quoted = !quoted;
		else if (rest.data[i] == '>' && !quoted)
			return span_of(start, i);
	}
	/* Logged unquoted, as Postfix before 3.5 does. */
	return between(text, before, ">");
}

/* Take the address out of "name[192.0.2.1]" or "name[192.0.2.1]:25". */
static struct span
client_address(struct span client)
{
	struct span address = between(client, "[", "]");

	return address.data == NULL ? SPAN_NONE : address;
}

/* Parse "client=name[address], sasl_method=PLAIN, sasl_username=login". */
static bool
parse_login(struct span text, struct maillog_line *out)
{
	static const char name[] = ", sasl_username=";
	const char *login = find(text, name);
	const char *more;

	if (login == NULL)
		return false;
	out->client =
	    client_address(span_of(text.data, (size_t)(login - text.data)));
	login += sizeof(name) - 1;
	out->login = span_from(text, (size_t)(login - text.data));
	more = find(out->login, ", sasl_sender=");
	if (more != NULL)
		out->login.len = (size_t)(more - login);
	out->kind = MAILLOG_LOGIN;
	return out->login.len > 0;
}

/* Parse "from=<sender>, size=1234, nrcpt=1 (queue active)". */
static bool
parse_sender(struct span text, struct maillog_line *out)
{
	out->sender = address_behind(text, "from=<");
	out->kind = MAILLOG_SENDER;
	return out->sender.data != NULL;
}

/*
 * Parse "RCPT from name[address]: 553 5.7.1 <sender>: Sender address rejected:
 * not owned by user login; from=<sender> to=<recipient> ...". Newer versions
 * of Postfix add sasl_username=<login>.
 */
static bool
parse_refusal(struct span text, struct maillog_line *out)
{
	struct span rest;
	const char *words = find(text, owned_text);

	if (words == NULL)
		return false;
	out->client =
	    client_address(span_of(text.data, (size_t)(words - text.data)));
	rest = span_from(text, (size_t)(words - text.data));
	out->login = between(rest, owned_text, "; from=<");
	out->sender = address_behind(rest, "; from=<");
	return out->login.data != NULL && out->login.len > 0 &&
	       out->sender.data != NULL;
}

/* Parse what stands behind the queue id. */
static bool
parse_text(struct span daemon, struct span text, struct maillog_line *out)
{
	if ((span_is(daemon, "qmgr") || span_is(daemon, "postsuper")) &&
	    span_is(text, "removed")) {
		out->kind = MAILLOG_REMOVED;
		return true;
	}
	if (span_is(daemon, "qmgr"))
		return starts_with(text, "from=<") && parse_sender(text, out);
	if (!span_is(daemon, "smtpd"))
		return false;
	if (starts_with(text, "client="))
		return parse_login(text, out);
	if (starts_with(text, "reject: ")) {
		out->kind = MAILLOG_REFUSED;
		return parse_refusal(text, out);
	}
	if (starts_with(text, "warn: ")) {
		out->kind = MAILLOG_WARNED;
		return parse_refusal(text, out);
	}
	return false;
}

/* Take "4WX...: " from the front of text. */
static bool
take_queue_id(struct span *text, struct span *id)
{
	size_t len = 0;

	while (len < text->len &&
	       ((text->data[len] >= '0' && text->data[len] <= '9') ||
		(byte_lower(text->data[len]) >= 'a' &&
		 byte_lower(text->data[len]) <= 'z')))
		len++;
	if (len == 0 || len + 2 > text->len || text->data[len] != ':' ||
	    text->data[len + 1] != ' ')
		return false;
	*id = span_of(text->data, len);
	*text = span_from(*text, len + 2);
	return true;
}

/* Divide "postfix/submission/smtpd" into its first and last part. */
static bool
divide_tag(struct span tag, struct span *instance, struct span *daemon)
{
	const char *first = memchr(tag.data, '/', tag.len);
	const char *last = memrchr(tag.data, '/', tag.len);

	if (first == NULL)
		return false;
	*instance = span_of(tag.data, (size_t)(first - tag.data));
	*daemon = span_from(tag, (size_t)(last - tag.data) + 1);
	return instance->len > 0;
}

/* Where the first "]: " of a line is, or NULL: all but always at its first
 * bracket, which is why this is several times as fast as memmem(). */
static const char *
find_tag_end(struct span line)
{
	const char *end = line.data + line.len;
	const char *p = line.data;

	while ((p = memchr(p, ']', (size_t)(end - p))) != NULL) {
		if (end - p >= 3 && p[1] == ':' && p[2] == ' ')
			return p;
		p++;
	}
	return NULL;
}

bool
maillog_parse(struct span line, time_t today, struct maillog_line *out)
{
	const char *end = find_tag_end(line);
	struct span tag;
	struct span text;
	struct span daemon;
	const char *start;

	if (end == NULL)
		return false;
	tag = span_of(line.data, (size_t)(end - line.data));
	start = memrchr(tag.data, ' ', tag.len);
	if (start != NULL)
		tag = span_from(tag, (size_t)(start + 1 - tag.data));
	start = memchr(tag.data, '[', tag.len);
	if (start == NULL)
		return false;
	tag.len = (size_t)(start - tag.data);
	text = span_from(line, (size_t)(end + 3 - line.data));
	while (text.len > 0 && text.data[text.len - 1] == '\r')
		text.len--;
	memset(out, 0, sizeof(*out));
	out->login = out->sender = out->client = SPAN_NONE;
	return divide_tag(tag, &out->instance, &daemon) &&
	       take_queue_id(&text, &out->queue_id) &&
	       parse_text(daemon, text, out) &&
	       maillog_time(line, today, &out->time) > 0;
}
