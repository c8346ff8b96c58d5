/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/answer.h"

/* A text in the making, cut where the reply would cut it anyway. */
struct text {
	char bytes[REPLY_MAX];
	size_t len;
};

static void
add(struct text *text, struct span bytes)
{
	size_t room = sizeof(text->bytes) - text->len;
	size_t len = bytes.len < room ? bytes.len : room;

	memcpy(text->bytes + text->len, bytes.data, len);
	text->len += len;
}

/* What a variable of reject_text stands for; *name_len is what it takes. */
static bool
find_variable(struct span rest, struct span login, struct span sender,
	      struct span *value, size_t *name_len)
{
	const char *at = memrchr(sender.data, '@', sender.len);
	struct span domain =
	    at == NULL ? SPAN_NONE
		       : span_from(sender, (size_t)(at - sender.data) + 1);
	const struct {
		const char *name;
		struct span value;
	} variables[] = {
	    {"${login}", login},
	    {"${sender}", sender},
	    {"${domain}", domain},
	};

	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		size_t len = strlen(variables[i].name);

		if (rest.len < len ||
		    memcmp(rest.data, variables[i].name, len) != 0)
			continue;
		*value = variables[i].value;
		*name_len = len;
		return true;
	}
	return false;
}

/* Put login, sender and domain into reject_text. */
static void
expand(struct text *text, struct span format, struct span login,
       struct span sender)
{
	while (format.len > 0) {
		const char *dollar = memchr(format.data, '$', format.len);
		size_t taken = dollar == NULL ? format.len
					      : (size_t)(dollar - format.data);
		struct span value;

		add(text, span_of(format.data, taken));
		format = span_from(format, taken);
		if (dollar == NULL)
			return;
		value = span_of(format.data, 1);
		taken = 1;
		/* What is no variable stands as it is. */
		(void)find_variable(format, login, sender, &value, &taken);
		add(text, value);
		format = span_from(format, taken);
	}
}

size_t
answer_write(const struct settings *settings, const struct verdict *verdict,
	     struct span login, struct span sender, char out[REPLY_MAX])
{
	bool warns = settings != NULL && settings->mode == MODE_WARN;
	struct text text = {.len = 0};

	if (verdict->kind == VERDICT_ALLOW)
		return reply_write(REPLY_DUNNO, SPAN_NONE, out);
	if (warns)
		add(&text, span_text("fromguard: "));
	if (verdict->kind == VERDICT_TROUBLE) {
		add(&text, span_text("sender ownership could not be checked"));
		return reply_write(warns ? REPLY_WARN : REPLY_DEFER,
				   span_of(text.bytes, text.len), out);
	}
	if (warns)
		add(&text, span_text("would reject: "));
	if (verdict->reason == REASON_NOT_LOGGED_IN)
		add(&text, span_text("not logged in"));
	else
		expand(&text,
		       span_text(settings == NULL ? "not owned by user ${login}"
						  : settings->reject_text),
		       login, sender);
	return reply_write(warns ? REPLY_WARN : REPLY_REJECT,
			   span_of(text.bytes, text.len), out);
}
