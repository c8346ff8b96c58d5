/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of HTML that the status page is made of. */
#ifndef SERVER_STATUS_HTML_H
#define SERVER_STATUS_HTML_H

#include "base/buffer.h"
#include "server/status_page.h"

/* Add a text from outside, so that it is text and nothing else, wherever in
 * the page: what is special in HTML as references, what is not UTF-8 or would
 * move the text around it as U+FFFD. */
void html_text(struct buffer *out, struct span text);

/* Add a number for people: 1,234,567. */
void html_number(struct buffer *out, uint64_t number);

/* Add a number, and what it counts: "1 error", "2 errors". */
void html_count(struct buffer *out, uint64_t number, const char *one,
		const char *many);

/* Add the time between two in the one unit that fits it: "5 min". */
void html_age(struct buffer *out, time_t from, time_t to);

/* Add how long ago a time was: "5 min ago", with the time itself to hover over;
 * a time that is not known, 0, as a dash. */
void html_ago(struct buffer *out, time_t at, time_t now);

/* Add the local time of day: "14:05". */
void html_clock(struct buffer *out, time_t at);

/* Add the chart of the hour. */
void html_chart(struct buffer *out, const struct status_view *view);

/* The style sheet, and the hash by which a Content-Security-Policy knows it. */
const char *html_style(void);
#define HTML_STYLE_HASH "sha256-hPkVFFO1v/IwmxAL7G42/pw/zUi816JNxJFYh2dI644="

#endif
