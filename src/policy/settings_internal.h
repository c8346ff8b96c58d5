/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of settings as the files src/policy/settings_*.c share it: a row
 * is a name, a place in struct settings, and the type that reads and spells
 * what is there.
 */
#ifndef SETTINGS_INTERNAL_H
#define SETTINGS_INTERNAL_H

#include "base/buffer.h"
#include "policy/settings.h"

struct setting;

/*
 * What is done with a value of some type. field is its place in a struct
 * settings, which begins as zero bytes.
 */
struct setting_type {
	/* Read text, trimmed, into *field; what was there is freed. False
	 * with the reason, and then the field is as it was. */
	bool (*parse)(const struct setting *setting, struct span text,
		      void *field, struct error *error);
	/* Add the value as parse() takes it. */
	void (*format)(const struct setting *setting, const void *field,
		       struct buffer *out);
	/* Free what the field owns; NULL: nothing. */
	void (*release)(void *field);
};

/* A unit behind a number, and how many of the field's units it is. */
struct setting_unit {
	const char *name;
	uint32_t scale;
};

/* One row. */
struct setting {
	struct setting_info info;
	const struct setting_type *type;
	size_t offset; /* in struct settings */
	/* Of a number, in the field's units; of a list, its elements; of a
	 * text, its bytes. */
	uint32_t min;
	uint32_t max;
	/* Of a number: the natural unit, which a bare number has, then the
	 * others; one without a name ends them. */
	const struct setting_unit *units;
};

/* settings_value.c: one value. */
extern const struct setting_type setting_number;
extern const struct setting_type setting_octal;
extern const struct setting_type setting_yes_no;
/* The choices are the words of info.range, in the order of the enum. */
extern const struct setting_type setting_choice;
/* A user's or group's name, or nothing. */
extern const struct setting_type setting_account;
extern const struct setting_type setting_delimiters;
extern const struct setting_type setting_reject_text;

/* settings_list.c: elements between commas, blanks or both. */
extern const struct setting_type setting_endpoints;
extern const struct setting_type setting_maps;
extern const struct setting_type setting_domains;

/* Take the next element out of a list; false at its end. */
bool setting_next_word(struct span *rest, struct span *word);

/* settings_table.c: row i, or NULL; their number; the row of a name. */
const struct setting *setting_at(size_t i);
size_t setting_count(void);
bool setting_find(struct span name, size_t *i);

/* The place of a row's value. */
static inline void *
setting_field(struct settings *settings, const struct setting *setting)
{
	return (char *)settings + setting->offset;
}

#endif
