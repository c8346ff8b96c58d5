/* SPDX-License-Identifier: BSD-2-Clause */
#include "maps/pattern.h"

/* Longest text of a pattern: an address in which every byte is escaped. */
enum { TEXT_MAX = 2 * ADDRESS_MAX + 2 };

/* Make a pattern of a domain; what stands in front of it is gone already. */
static bool
parse_domain(struct span domain, enum pattern_kind kind,
	     struct pattern *pattern, struct address *store,
	     struct error *error)
{
	size_t len = address_domain(domain, store->text, ADDRESS_MAX);

	if (len == 0 || memchr(domain.data, '@', domain.len) != NULL) {
		error_set(error, "\"%" SPAN_FMT "\" is no domain",
			  SPAN_ARG(domain));
		return false;
	}
	*pattern = (struct pattern){kind, span_of(store->text, len)};
	return true;
}

/* Say that an address is longer than one can be. */
static bool
too_long(size_t len, struct error *error)
{
	error_set(error, "an address of %zu bytes, of which %d are possible",
		  len, ADDRESS_MAX);
	return false;
}

/* Make a pattern of one address or login. */
static bool
parse_address(struct span text, struct span origin, struct pattern *pattern,
	      struct address *store, struct error *error)
{
	char bare[TEXT_MAX];
	size_t len;

	if (text.len > sizeof(bare))
		return too_long(text.len, error);
	if (!address_unquote(text, bare, &len)) {
		error_set(error, "\"%" SPAN_FMT "\": the quotes do not fit",
			  SPAN_ARG(text));
		return false;
	}
	if (!address_parse(store, span_of(bare, len), origin))
		return too_long(len, error);
	if (store->at == 0 || store->at + 1 == store->len) {
		error_set(error, "\"%" SPAN_FMT "\" is no address",
			  SPAN_ARG(text));
		return false;
	}
	*pattern = (struct pattern){PATTERN_ADDRESS, address_span(store)};
	return true;
}

bool
pattern_parse_login(struct span text, struct pattern *pattern,
		    struct address *store, struct error *error)
{
	if (span_is(text, "*")) {
		*pattern = (struct pattern){PATTERN_ANY, SPAN_NONE};
		return true;
	}
	if (text.len > 0 && text.data[0] == '@')
		return parse_domain(span_from(text, 1), PATTERN_DOMAIN, pattern,
				    store, error);
	return parse_address(text, SPAN_NONE, pattern, store, error);
}

bool
pattern_parse_sender(struct span text, struct span origin,
		     struct pattern *pattern, struct address *store,
		     struct error *error)
{
	static const char own[] = "%n@";
	size_t own_len = sizeof(own) - 1;

	if (span_is(text, "*") || span_is(text, "<>")) {
		*pattern = (struct pattern){
		    text.len == 1 ? PATTERN_ANY : PATTERN_NULL, SPAN_NONE};
		return true;
	}
	if (text.len > own_len &&
	    span_is_nocase(span_of(text.data, own_len), own))
		return parse_domain(span_from(text, own_len), PATTERN_OWN_AT,
				    pattern, store, error);
	if (text.len > 2 && text.data[0] == '@' && text.data[1] == '.')
		return parse_domain(span_from(text, 2), PATTERN_SUBDOMAINS,
				    pattern, store, error);
	if (text.len > 0 && text.data[0] == '@')
		return parse_domain(span_from(text, 1), PATTERN_DOMAIN, pattern,
				    store, error);
	return parse_address(text, origin, pattern, store, error);
}

/* Would a map file end a word, an address or a quote at this byte? */
static bool
is_special(char c)
{
	switch (c) {
	case ',':
	case '"':
	case '\\':
	case '@':
	case '<':
	case '>':
	case ':':
		return true;
	default:
		return byte_is_blank(c);
	}
}

/* Has a map file to quote this local part, so that it reads back as it is? */
static bool
needs_quotes(struct span local)
{
	/* What begins like another kind of pattern, or a comment, is one. */
	if (local.len > 0 && strchr("!*#%|/", local.data[0]) != NULL)
		return true;
	for (size_t i = 0; i < local.len; i++)
		if (is_special(local.data[i]))
			return true;
	return false;
}

static void
format_address(struct span text, struct buffer *out)
{
	const char *at = memrchr(text.data, '@', text.len);
	size_t local_len = at == NULL ? text.len : (size_t)(at - text.data);

	if (!needs_quotes(span_of(text.data, local_len))) {
		buffer_add(out, text);
		return;
	}
	buffer_byte(out, '"');
	for (size_t i = 0; i < local_len; i++) {
		if (text.data[i] == '"' || text.data[i] == '\\')
			buffer_byte(out, '\\');
		buffer_byte(out, text.data[i]);
	}
	buffer_byte(out, '"');
	buffer_add(out, span_from(text, local_len));
}

void
pattern_format(const struct pattern *pattern, struct buffer *out)
{
	static const char *const before[PATTERN_KINDS] = {
	    [PATTERN_ADDRESS] = "",      [PATTERN_DOMAIN] = "@",
	    [PATTERN_SUBDOMAINS] = "@.", [PATTERN_ANY] = "*",
	    [PATTERN_NULL] = "<>",       [PATTERN_OWN_AT] = "%n@",
	};

	buffer_add(out, span_text(before[pattern->kind]));
	if (pattern->kind == PATTERN_ADDRESS)
		format_address(pattern->text, out);
	else
		buffer_add(out, pattern->text);
}
