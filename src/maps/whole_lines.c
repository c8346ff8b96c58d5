/* SPDX-License-Identifier: BSD-2-Clause */
#include "whole_lines.h"
#include "base/lines.h"
#include "base/memory.h"

#include <stdlib.h>

/* An entry that waits for the end of its line: its texts lie in held.text. */
struct held_entry {
	struct map_entry entry;
	size_t left; /* offset */
	size_t right;
};

struct held {
	struct held_entry *list;
	size_t count;
	size_t room;
	char *text;
	size_t text_len;
	size_t text_room;
	bool denies;
};

/* Make room for len more bytes of text, and for one that nobody needs: an
 * empty text lies somewhere, too. */
static bool
make_room(struct held *held, size_t len)
{
	size_t wanted = held->text_len + len + 1;
	char *text;

	if (wanted <= held->text_room)
		return true;
	text = memory_try_resize(held->text, 2 * wanted, 1);
	if (text == NULL)
		return false;
	held->text = text;
	held->text_room = 2 * wanted;
	return true;
}

/* Keep the text of a pattern; returns where it is. */
static size_t
keep(struct held *held, struct span text)
{
	size_t place = held->text_len;

	if (text.len > 0)
		memcpy(held->text + place, text.data, text.len);
	held->text_len += text.len;
	return place;
}

/* The sink of a line: hold an entry back. */
static bool
hold(void *arg, const struct map_entry *entry)
{
	struct held *held = arg;
	struct held_entry *kept;

	if (!memory_try_grow((void **)&held->list, &held->room, held->count,
			     sizeof(*held->list)) ||
	    !make_room(held, entry->left.text.len + entry->right.text.len + 1))
		return false;
	kept = &held->list[held->count++];
	kept->entry = *entry;
	kept->left = keep(held, entry->left.text);
	kept->right = keep(held, entry->right.text);
	held->denies = held->denies || entry->denial;
	return true;
}

/* Hand on what was held. */
static bool
release(struct held *held, const struct map_context *context)
{
	for (size_t i = 0; i < held->count; i++) {
		struct map_entry *entry = &held->list[i].entry;

		entry->left.text.data = held->text + held->list[i].left;
		entry->right.text.data = held->text + held->list[i].right;
		if (!context->sink(context->arg, entry))
			return false;
	}
	return true;
}

/* Who tells no problems takes all entries as they come. */
static size_t
errors_of(const struct map_context *context)
{
	return context->problems == NULL ? 0 : context->problems->errors;
}

/* Load one line; false where there is no memory. */
static bool
load_line(struct held *held, struct span line, uint32_t number,
	  const struct map_context *context, line_loader *load)
{
	struct map_context inner = *context;
	size_t errors = errors_of(context);

	inner.sink = hold;
	inner.arg = held;
	held->count = 0;
	held->text_len = 0;
	held->denies = false;
	if (!load(line, number, &inner))
		return false;
	if (errors_of(context) == errors)
		return release(held, context);
	if (held->denies)
		problems_add(
		    context->problems, PROBLEM_REFUSAL, context->name, number,
		    "a line with an error is left out as a whole, but "
		    "this one has a denial: to leave that out would be "
		    "to allow");
	return true;
}

bool
whole_lines_load(char *content, size_t len, const struct map_context *context,
		 line_loader *load)
{
	struct held held = {0};
	struct lines lines;
	struct span line;
	uint32_t number;
	bool done = true;

	lines_init(&lines, content, len, context->name, context->problems);
	while (done && lines_next(&lines, &line, &number))
		done = load_line(&held, line, number, context, load);
	free(held.list);
	free(held.text);
	return done;
}
