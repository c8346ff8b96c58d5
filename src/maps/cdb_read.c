/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "cdb_image.h"
#include "maps/cdb.h"
#include "maps/token.h"
#include "name.h"

/* What has been read of a map makes room for what comes of it. */
enum { RELEASE_STEP = 2 << 20 };

/* Say what is wrong with a record; its number stands for the line. */
static bool
say(const struct map_context *context, enum severity severity, uint32_t number,
    const char *text)
{
	problems_add(context->problems, severity, context->name, number, "%s",
		     text);
	return false;
}

/* Read one side of an alias; false, with the problem told, where it is none. */
static bool
read_name(struct name *name, struct span text, uint32_t number,
	  const struct map_context *context)
{
	struct error error;

	if (!name_parse(name, text, context, &error))
		return say(context, PROBLEM_ERROR, number, error.text);
	if (!name->comparable)
		return say(context, PROBLEM_WARNING, number,
			   "an address that is not UTF-8 matches nothing");
	if (name->pattern.kind != PATTERN_ADDRESS &&
	    name->pattern.kind != PATTERN_DOMAIN)
		return say(context, PROBLEM_ERROR, number,
			   "an alias is an address, a name or @domain");
	return true;
}

/* Take the record of an alias: its address and its destinations. */
static bool
load_alias(struct span address, struct span destinations, uint32_t number,
	   const struct map_context *context)
{
	struct map_entry entry = {.kind = ENTRY_ALIAS, .line = number};
	struct name left;
	struct name right;
	struct span word;
	enum token_result result;

	if (!read_name(&left, address, number, context))
		return true;
	while ((result = token_next(&destinations, true, &word)) == TOKEN_WORD)
		if (read_name(&right, word, number, context) &&
		    !name_give(entry, &left, &right, context))
			return false;
	if (result == TOKEN_UNCLOSED)
		(void)say(context, PROBLEM_ERROR, number,
			  "a quote does not close");
	return true;
}

/* Take the record of an account, which has no value. */
static bool
load_account(struct span login, struct span value, uint32_t number,
	     const struct map_context *context)
{
	struct map_entry entry = {.kind = ENTRY_ACCOUNT, .line = number};
	struct address store;
	struct error error = {"an account is one login and nothing else"};

	if (!pattern_parse_login(login, &entry.left, &store, &error) ||
	    entry.left.kind != PATTERN_ADDRESS || value.len > 0) {
		(void)say(context, PROBLEM_ERROR, number, error.text);
		return true;
	}
	if (!address_is_listable(&store)) {
		(void)say(context, PROBLEM_WARNING, number,
			  "a login that is not UTF-8 is nobody's");
		return true;
	}
	return context->sink(context->arg, &entry);
}

static bool
has_nul(struct span s)
{
	return memchr(s.data, '\0', s.len) != NULL;
}

/* Drop the NUL that makers of maps for Postfix may have put at the end. */
static struct span
without_nul(struct span s)
{
	if (s.len > 0 && s.data[s.len - 1] == '\0')
		s.len--;
	return s;
}

/* Take one record of any kind. */
static bool
load_record(const struct cdb_record *record, uint32_t number,
	    const struct map_context *context)
{
	struct span key = without_nul(record->key);
	struct span value = without_nul(record->value);

	/* No compiler of ours writes the two that refuse, so nothing is known
	 * of what they were to allow or deny. */
	if (has_nul(key) || has_nul(value)) {
		(void)say(context, PROBLEM_REFUSAL, number,
			  "the record has a NUL byte in it");
		return true;
	}
	if (!span_begins(key, CDB_RESERVED))
		return text_load_login(key, value, number, context);
	if (span_begins(key, CDB_ALIAS_KEY))
		return load_alias(span_from(key, sizeof(CDB_ALIAS_KEY) - 1),
				  value, number, context);
	if (span_begins(key, CDB_ACCOUNT_KEY))
		return load_account(span_from(key, sizeof(CDB_ACCOUNT_KEY) - 1),
				    value, number, context);
	if (!span_is(key, CDB_FORMAT_KEY))
		(void)say(context, PROBLEM_REFUSAL, number,
			  "a kind of record that is not understood here: was "
			  "it made by a newer fromguard?");
	return true;
}

bool
cdb_load(char *content, size_t len, const struct map_context *context)
{
	struct error error;
	struct cdb_record record;
	size_t place = CDB_HEADER;
	size_t released = 0;
	uint32_t number = 1;
	size_t end;

	if (!cdb_prove(content, len, &error)) {
		(void)say(context, PROBLEM_REFUSAL, 0, error.text);
		return true;
	}
	end = cdb_records_end(content);
	memory_release(content + end, content + len);
	for (; place < end && cdb_record_next(content, end, &place, &record);
	     number++) {
		if (!load_record(&record, number, context))
			return false;
		if (place - released < RELEASE_STEP)
			continue;
		memory_release(content + released, content + place);
		released = place;
	}
	return true;
}
