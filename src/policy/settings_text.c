/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "settings_internal.h"

#include <stdlib.h>

static void
replace(void *field, struct span text)
{
	char **place = field;

	free(*place);
	*place = memory_copy(text.data, text.len);
}

static void
format_text(const struct setting *setting, const void *field,
	    struct buffer *out)
{
	(void)setting;
	buffer_add(out, span_text(*(char *const *)field));
}

static void
release_text(void *field)
{
	free(*(char **)field);
}

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool
parse_account(const struct setting *setting, struct span text, void *field,
	      struct error *error)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (!byte_is_blank(c) && !is_control(c) &&
		    strchr(",:/", c) == NULL)
			continue;
		error_set(error, "\"%" SPAN_FMT "\" is not one name",
			  SPAN_ARG(text));
		return false;
	}
	if (text.len > setting->max) {
		error_set(error, "is longer than %u bytes", setting->max);
		return false;
	}
	replace(field, text);
	return true;
}

const struct setting_type setting_account = {
    .parse = parse_account,
    .format = format_text,
    .release = release_text,
};

static bool
is_letter_or_digit(char c)
{
	return (c >= '0' && c <= '9') ||
	       (byte_lower(c) >= 'a' && byte_lower(c) <= 'z');
}

/*
 * Take a set of characters. '@' divides the address itself; a letter or digit
 * would make sub-addresses of everybody's names.
 */
static bool
parse_delimiters(const struct setting *setting, struct span text, void *field,
		 struct error *error)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c > ' ' && c < 0x7f && c != '@' && !is_letter_or_digit(c))
			continue;
		error_set(error,
			  "\"%" SPAN_FMT "\" is no set of delimiters: it is %s",
			  SPAN_ARG(text), setting->info.range);
		return false;
	}
	replace(field, text);
	return true;
}

const struct setting_type setting_delimiters = {
    .parse = parse_delimiters,
    .format = format_text,
    .release = release_text,
};

/* Check what follows a "${" up to its '}'; returns its length, 0: unknown. */
static size_t
placeholder_len(struct span text)
{
	static const char *const names[] = {"login}", "sender}", "domain}"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);

		if (text.len >= len && memcmp(text.data, names[i], len) == 0)
			return len;
	}
	return 0;
}

static bool
placeholders_are_known(struct span text, struct error *error)
{
	for (size_t i = 0; i + 1 < text.len; i++) {
		if (text.data[i] != '$' || text.data[i + 1] != '{')
			continue;
		if (placeholder_len(span_from(text, i + 2)) > 0)
			continue;
		error_set(error,
			  "\"%" SPAN_FMT "\" begins with none of ${login}, "
			  "${sender}, ${domain}",
			  SPAN_ARG(span_from(text, i)));
		return false;
	}
	return true;
}

/*
 * Take a text that can stand in a reply: one line, and not empty, since an
 * empty reply would accept the mail. A tab, with which a continuation line may
 * begin, is a blank.
 */
static bool
parse_reject_text(const struct setting *setting, struct span text, void *field,
		  struct error *error)
{
	if (text.len < setting->min || text.len > setting->max) {
		error_set(error, "has %zu bytes: it is %s", text.len,
			  setting->info.range);
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\t' || !is_control(text.data[i]))
			continue;
		error_set(error, "has a control character in it (byte %zu)",
			  i + 1);
		return false;
	}
	if (!placeholders_are_known(text, error))
		return false;
	replace(field, text);
	for (char *c = *(char **)field; *c != '\0'; c++)
		if (*c == '\t')
			*c = ' ';
	return true;
}

const struct setting_type setting_reject_text = {
    .parse = parse_reject_text,
    .format = format_text,
    .release = release_text,
};
