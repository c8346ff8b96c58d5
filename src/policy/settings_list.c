/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/address.h"
#include "base/memory.h"
#include "settings_internal.h"

#include <stdlib.h>

/* Bytes of the longest domain name, RFC 1035 section 2.3.4. */
enum { DOMAIN_MAX = 255 };

static bool
separates(char c)
{
	return c == ',' || byte_is_blank(c);
}

bool
setting_next_word(struct span *rest, struct span *word)
{
	size_t i = 0;

	while (rest->len > 0 && separates(rest->data[0]))
		*rest = span_from(*rest, 1);
	while (i < rest->len && !separates(rest->data[i]))
		i++;
	*word = span_of(rest->data, i);
	*rest = span_from(*rest, i);
	return i > 0;
}

/* Count the elements; false where they are too few or too many. */
static bool
count_words(const struct setting *setting, struct span text, size_t *count,
	    struct error *error)
{
	struct span word;

	for (*count = 0; setting_next_word(&text, &word); ++*count)
		;
	if (*count < setting->min)
		error_set(error, "is empty: it is %s", setting->info.range);
	else if (*count > setting->max)
		error_set(error, "has %zu elements, but may have %u", *count,
			  setting->max);
	else
		return true;
	return false;
}

/* Add what goes between two elements. */
static void
format_comma(struct buffer *out, size_t i)
{
	if (i > 0)
		buffer_add(out, span_text(", "));
}

static void
release_endpoints(void *field)
{
	struct endpoint_list *endpoints = field;

	for (size_t i = 0; i < endpoints->count; i++)
		free(endpoints->list[i].name);
	free(endpoints->list);
}

static bool
parse_endpoints(const struct setting *setting, struct span text, void *field,
		struct error *error)
{
	struct endpoint_list endpoints = {0};
	struct span word;
	size_t count;

	if (!count_words(setting, text, &count, error))
		return false;
	endpoints.list = memory_zero(count, sizeof(*endpoints.list));
	while (setting_next_word(&text, &word)) {
		if (!endpoint_parse(word, &endpoints.list[endpoints.count],
				    error)) {
			release_endpoints(&endpoints);
			return false;
		}
		endpoints.count++;
	}
	release_endpoints(field);
	*(struct endpoint_list *)field = endpoints;
	return true;
}

static void
format_endpoints(const struct setting *setting, const void *field,
		 struct buffer *out)
{
	const struct endpoint_list *endpoints = field;

	(void)setting;
	for (size_t i = 0; i < endpoints->count; i++) {
		char *text = endpoint_format(&endpoints->list[i]);

		format_comma(out, i);
		buffer_add(out, span_text(text));
		free(text);
	}
}

const struct setting_type setting_endpoints = {
    .parse = parse_endpoints,
    .format = format_endpoints,
    .release = release_endpoints,
};

static void
release_maps(void *field)
{
	struct map_list *maps = field;

	for (size_t i = 0; i < maps->count; i++)
		free(maps->list[i].path);
	free(maps->list);
}

static bool
parse_maps(const struct setting *setting, struct span text, void *field,
	   struct error *error)
{
	struct map_list maps = {0};
	struct span word;
	size_t count;

	if (!count_words(setting, text, &count, error))
		return false;
	maps.list = memory_zero(count, sizeof(*maps.list));
	while (setting_next_word(&text, &word)) {
		if (!map_spec_parse(word, &maps.list[maps.count], error)) {
			release_maps(&maps);
			return false;
		}
		maps.count++;
	}
	release_maps(field);
	*(struct map_list *)field = maps;
	return true;
}

static void
format_maps(const struct setting *setting, const void *field,
	    struct buffer *out)
{
	const struct map_list *maps = field;

	(void)setting;
	for (size_t i = 0; i < maps->count; i++) {
		const struct map_spec *map = &maps->list[i];

		format_comma(out, i);
		buffer_format(out, "%s%s:%s", map->optional ? "?" : "",
			      map_type_name(map->type), map->path);
	}
}

const struct setting_type setting_maps = {
    .parse = parse_maps,
    .format = format_maps,
    .release = release_maps,
};

static void
release_domains(void *field)
{
	struct domain_list *domains = field;

	free(domains->list);
	free(domains->text);
}

/* Could that be a domain? What is none is refused here, since the canonical
 * form takes every bytes as they are. */
static bool
looks_like_domain(struct span text)
{
	if (text.data[0] == '[')
		return text.data[text.len - 1] == ']';
	for (size_t i = 0; i < text.len; i++) {
		char c = byte_lower(text.data[i]);

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' &&
		    c != '_' && c != '.' && (c & 0x80) == 0)
			return false;
	}
	return text.data[0] != '.';
}

/* Add one in its canonical form, unless it is there already. */
static bool
add_domain(struct domain_list *domains, struct span word, char *place,
	   struct error *error)
{
	size_t len = looks_like_domain(word)
			 ? address_domain(word, place, DOMAIN_MAX)
			 : 0;
	struct span domain = span_of(place, len);

	if (len == 0) {
		error_set(error,
			  "\"%" SPAN_FMT "\" is no domain as example.com",
			  SPAN_ARG(word));
		return false;
	}
	for (size_t i = 0; i < domains->count; i++)
		if (span_equal(domains->list[i], domain))
			return true;
	domains->list[domains->count++] = domain;
	return true;
}

static bool
parse_domains(const struct setting *setting, struct span text, void *field,
	      struct error *error)
{
	struct domain_list domains = {0};
	struct span word;
	size_t count;

	if (!count_words(setting, text, &count, error))
		return false;
	domains.list = memory_zero(count, sizeof(*domains.list));
	domains.text = memory_zero(count, DOMAIN_MAX);
	while (setting_next_word(&text, &word)) {
		char *place = domains.text + domains.count * DOMAIN_MAX;

		if (!add_domain(&domains, word, place, error)) {
			release_domains(&domains);
			return false;
		}
	}
	release_domains(field);
	*(struct domain_list *)field = domains;
	return true;
}

static void
format_domains(const struct setting *setting, const void *field,
	       struct buffer *out)
{
	const struct domain_list *domains = field;

	(void)setting;
	for (size_t i = 0; i < domains->count; i++) {
		format_comma(out, i);
		buffer_add(out, domains->list[i]);
	}
}

const struct setting_type setting_domains = {
    .parse = parse_domains,
    .format = format_domains,
    .release = release_domains,
};
