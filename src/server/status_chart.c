/* SPDX-License-Identifier: BSD-2-Clause */
/* The last hour as bars, one a minute: a strip for each verdict with a scale of
 * its own, as among a thousand that are allowed three refusals are no pixel. */
#include "status_html.h"

#include <inttypes.h>

enum {
	BAR = 10,    /* units of the drawing from one bar to the next */
	GAP = 2,     /* of these, between two */
	HEIGHT = 48, /* of the highest */
};

/* One strip of the chart. */
struct strip {
	enum verdict_kind kind;
	const char *name;
	uint64_t highest;
};

static uint64_t
highest_minute(const struct status_hour *hour, enum verdict_kind kind)
{
	uint64_t highest = 0;

	for (unsigned ago = 0; ago < HOUR_MINUTES; ago++) {
		uint64_t count = status_hour_at(hour, kind, ago);

		if (count > highest)
			highest = count;
	}
	return highest;
}

/* How high a bar is: what there was can be seen, however little. */
static uint64_t
bar_height(uint64_t count, uint64_t highest)
{
	double height = (double)count / (double)highest * HEIGHT;

	return height < 2 ? 2 : (uint64_t)height;
}

/* Add the bars, each with its numbers to hover over. */
static void
write_bars(struct buffer *out, const struct status_view *view,
	   const struct strip *strip)
{
	for (unsigned ago = 0; ago < HOUR_MINUTES; ago++) {
		uint64_t count = status_hour_at(view->hour, strip->kind, ago);
		uint64_t height;

		if (count == 0)
			continue;
		height = bar_height(count, strip->highest);
		buffer_format(out,
			      "<rect x=\"%u\" y=\"%" PRIu64 "\" width=\"%d\" "
			      "height=\"%" PRIu64 "\"><title>",
			      (HOUR_MINUTES - 1 - ago) * BAR, HEIGHT - height,
			      BAR - GAP, height);
		html_clock(out, view->now - (time_t)ago * 60);
		buffer_format(out, ": ");
		html_number(out, count);
		buffer_format(out, " %s</title></rect>", strip->name);
	}
}

/* Add the drawing of a strip. */
static void
write_drawing(struct buffer *out, const struct status_view *view,
	      const struct strip *strip)
{
	buffer_format(out,
		      "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" "
		      "role=\"img\" aria-label=\"",
		      HOUR_MINUTES * BAR - GAP, HEIGHT);
	html_number(out, status_hour_sum(view->hour, strip->kind));
	buffer_format(out, " %s in the last hour\">", strip->name);
	write_bars(out, view, strip);
	buffer_format(out, "</svg>");
}

static void
write_strip(struct buffer *out, const struct status_view *view,
	    enum verdict_kind kind, const char *name)
{
	const struct strip strip = {
	    .kind = kind,
	    .name = name,
	    .highest = highest_minute(view->hour, kind),
	};

	buffer_format(out, "<figure class=\"%s\"><figcaption><b>%s</b> <span>",
		      verdict_kind_name(kind), name);
	if (strip.highest == 0) {
		buffer_format(out, "none</span></figcaption>");
	} else {
		buffer_format(out, "at most ");
		html_number(out, strip.highest);
		buffer_format(out, " a minute</span></figcaption>");
		write_drawing(out, view, &strip);
	}
	buffer_format(out, "</figure>\n");
}

void
html_chart(struct buffer *out, const struct status_view *view)
{
	bool warns = view->snapshot != NULL &&
		     view->snapshot->settings->mode == MODE_WARN;

	write_strip(out, view, VERDICT_ALLOW, "allowed");
	write_strip(out, view, VERDICT_REJECT,
		    warns ? "would be refused" : "refused");
	write_strip(out, view, VERDICT_TROUBLE, "trouble");
	buffer_format(out, "<p class=\"axis\" aria-hidden=\"true\"><span>");
	for (int quarter = 4; quarter > 0; quarter--) {
		html_clock(out, view->now - (time_t)quarter * 900);
		buffer_format(out, "</span><span>");
	}
	buffer_format(out, "now</span></p>");
}
