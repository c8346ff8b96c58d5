/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/nearest.h"
#include "settings_internal.h"

#include <assert.h>

/* The choices are kept in enums, which setting_choice writes as numbers. */
_Static_assert(sizeof(enum setting_mode) == sizeof(uint32_t) &&
		   sizeof(enum log_level) == sizeof(uint32_t),
	       "an enum is not as large as a number");

/* Take the digits off the front of *text; false: none, or beyond 32 bits. */
static bool
take_number(struct span *text, unsigned base, uint64_t *number)
{
	size_t i = 0;

	*number = 0;
	for (; i < text->len; i++) {
		unsigned digit = (unsigned char)text->data[i] - (unsigned)'0';

		if (digit >= base)
			break;
		*number = *number * base + digit;
		if (*number > UINT32_MAX)
			return false;
	}
	*text = span_from(*text, i);
	return i > 0;
}

static bool
out_of_range(const struct setting *setting, struct span text,
	     struct error *error)
{
	error_set(error, "%" SPAN_FMT " is out of range: it is %s",
		  SPAN_ARG(text), setting->info.range);
	return false;
}

static const struct setting_unit *
find_unit(const struct setting *setting, struct span name)
{
	const struct setting_unit *unit = setting->units;

	if (name.len == 0)
		return unit;
	for (; unit->name != NULL; unit++)
		if (span_is(name, unit->name))
			return unit;
	return NULL;
}

static bool
no_number(const struct setting *setting, struct span text, struct error *error)
{
	const struct setting_unit *unit = setting->units;
	struct buffer units = {0};

	assert(unit != NULL); /* every number has them */
	for (; unit->name != NULL; unit++)
		if (unit->name[0] != '\0')
			buffer_format(&units, "%s%s", units.len > 0 ? ", " : "",
				      unit->name);
	if (units.len > 0)
		error_set(error,
			  "\"%" SPAN_FMT
			  "\" is no number with one of the units %s",
			  SPAN_ARG(text), units.data);
	else
		error_set(error, "\"%" SPAN_FMT "\" is no number",
			  SPAN_ARG(text));
	buffer_fini(&units);
	return false;
}

static bool
parse_number(const struct setting *setting, struct span text, void *field,
	     struct error *error)
{
	const struct setting_unit *unit;
	struct span rest = text;
	uint64_t number;

	if (!take_number(&rest, 10, &number))
		return rest.len > 0 && number > 0
			   ? out_of_range(setting, text, error)
			   : no_number(setting, text, error);
	unit = find_unit(setting, rest);
	if (unit == NULL)
		return no_number(setting, text, error);
	/* 32 bits of number times 32 bits of scale. */
	number *= unit->scale;
	if (number < setting->min || number > setting->max)
		return out_of_range(setting, text, error);
	*(uint32_t *)field = (uint32_t)number;
	return true;
}

/* Spell in the natural unit, or where that is too coarse in the finest. */
static void
format_number(const struct setting *setting, const void *field,
	      struct buffer *out)
{
	const struct setting_unit *unit = setting->units;
	uint32_t number = *(const uint32_t *)field;

	if (number % unit->scale != 0)
		while (unit->name != NULL && unit->scale != 1)
			unit++;
	buffer_format(out, "%u%s", number / unit->scale, unit->name);
}

const struct setting_type setting_number = {
    .parse = parse_number,
    .format = format_number,
};

static bool
parse_octal(const struct setting *setting, struct span text, void *field,
	    struct error *error)
{
	struct span rest = text;
	uint64_t number;

	if (!take_number(&rest, 8, &number) || rest.len > 0) {
		error_set(error, "\"%" SPAN_FMT "\" is no octal mode as 0660",
			  SPAN_ARG(text));
		return false;
	}
	if (number < setting->min || number > setting->max)
		return out_of_range(setting, text, error);
	*(uint32_t *)field = (uint32_t)number;
	return true;
}

static void
format_octal(const struct setting *setting, const void *field,
	     struct buffer *out)
{
	(void)setting;
	buffer_format(out, "%04o", *(const uint32_t *)field);
}

const struct setting_type setting_octal = {
    .parse = parse_octal,
    .format = format_octal,
};

/* Find which of the words of the range the text is. */
static bool
find_choice(const struct setting *setting, struct span text, uint32_t *choice,
	    struct error *error)
{
	struct span rest = span_text(setting->info.range);
	struct nearest nearest;
	struct span word;

	for (*choice = 0; setting_next_word(&rest, &word); ++*choice)
		if (span_equal(text, word))
			return true;
	rest = span_text(setting->info.range);
	nearest_init(&nearest, text);
	while (setting_next_word(&rest, &word))
		nearest_offer(&nearest, word);
	if (nearest.name.len > 0)
		error_set(error,
			  "\"%" SPAN_FMT
			  "\" is not one of: %s (did you mean %" SPAN_FMT "?)",
			  SPAN_ARG(text), setting->info.range,
			  SPAN_ARG(nearest.name));
	else
		error_set(error, "\"%" SPAN_FMT "\" is not one of: %s",
			  SPAN_ARG(text), setting->info.range);
	return false;
}

static void
format_choice_of(const struct setting *setting, uint32_t choice,
		 struct buffer *out)
{
	struct span rest = span_text(setting->info.range);
	struct span word = SPAN_NONE;

	for (uint32_t i = 0; i <= choice; i++)
		(void)setting_next_word(&rest, &word);
	buffer_add(out, word);
}

static bool
parse_choice(const struct setting *setting, struct span text, void *field,
	     struct error *error)
{
	uint32_t choice;

	if (!find_choice(setting, text, &choice, error))
		return false;
	*(uint32_t *)field = choice;
	return true;
}

static void
format_choice(const struct setting *setting, const void *field,
	      struct buffer *out)
{
	format_choice_of(setting, *(const uint32_t *)field, out);
}

const struct setting_type setting_choice = {
    .parse = parse_choice,
    .format = format_choice,
};

/* The range is "no, yes". */
static bool
parse_yes_no(const struct setting *setting, struct span text, void *field,
	     struct error *error)
{
	uint32_t choice;

	if (!find_choice(setting, text, &choice, error))
		return false;
	*(bool *)field = choice != 0;
	return true;
}

static void
format_yes_no(const struct setting *setting, const void *field,
	      struct buffer *out)
{
	format_choice_of(setting, *(const bool *)field, out);
}

const struct setting_type setting_yes_no = {
    .parse = parse_yes_no,
    .format = format_yes_no,
};
