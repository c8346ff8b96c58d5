/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/status_page.h"
#include "status_html.h"

#include <inttypes.h>

enum { RELOAD_S = 60 };

/* The mark: an envelope. */
#define MARK                                                           \
	"<rect width='32' height='32' rx='8' fill='#1a7f56'/>"         \
	"<path d='M6 11.5h20v11H6z' fill='none' stroke='#fff' "        \
	"stroke-width='2' stroke-linejoin='round'/>"                   \
	"<path d='m6.5 12 9.5 6.5 9.5-6.5' fill='none' stroke='#fff' " \
	"stroke-width='2' stroke-linejoin='round'/>"

/* The same as an address, in which '#' and '<' have other meanings. */
#define ICON                                                               \
	"data:image/svg+xml,"                                              \
	"%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E" \
	"%3Crect width='32' height='32' rx='8' fill='%231a7f56'/%3E"       \
	"%3Cpath d='M6 11.5h20v11H6zm.5.5 9.5 6.5 9.5-6.5' fill='none' "   \
	"stroke='white' stroke-width='2.5' stroke-linejoin='round'/%3E"    \
	"%3C/svg%3E"

static void
add(struct buffer *out, const char *html)
{
	buffer_add(out, span_text(html));
}

const char *
status_page_policy(void)
{
	return "default-src 'none'; style-src '" HTML_STYLE_HASH
	       "'; img-src data:; base-uri 'none'; form-action 'none'; "
	       "frame-ancestors 'none'";
}

static bool
warns(const struct status_view *view)
{
	return view->snapshot != NULL &&
	       view->snapshot->settings->mode == MODE_WARN;
}

/* --- the head --- */

static const char *
phase_name(enum status_phase phase)
{
	switch (phase) {
	case STATUS_LOADING:
		return "loading";
	case STATUS_SERVING:
		return "serving";
	case STATUS_DRAINING:
		break;
	}
	return "stopping";
}

static void
write_head(struct buffer *out, const struct status_view *view)
{
	add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
		 "<meta charset=\"utf-8\">\n"
		 "<meta name=\"viewport\" content=\"width=device-width, "
		 "initial-scale=1\">\n");
	buffer_format(out, "<meta http-equiv=\"refresh\" content=\"%d\">\n",
		      RELOAD_S);
	buffer_format(out, "<title>fromguard: %s</title>\n",
		      phase_name(view->phase));
	add(out, "<link rel=\"icon\" href=\"" ICON "\">\n<style>");
	add(out, html_style());
	add(out, "</style>\n</head>\n<body>\n");
}

static void
write_header(struct buffer *out, const struct status_view *view)
{
	add(out,
	    "<header><svg viewBox=\"0 0 32 32\" aria-hidden=\"true\">" MARK
	    "</svg>\n<div><h1>fromguard</h1><p>" FROMGUARD_VERSION ", up for ");
	html_age(out, view->started_at, view->now);
	buffer_format(out, "</p></div>\n<p class=\"pill %s\">%s</p></header>\n",
		      view->phase == STATUS_SERVING ? "good" : "wait",
		      phase_name(view->phase));
}

/* --- what one should know first --- */

static void
write_notes(struct buffer *out, const struct status_view *view)
{
	if (view->phase == STATUS_LOADING)
		add(out,
		    "<p class=\"note wait\">The maps are being read.</p>\n");
	if (view->phase == STATUS_DRAINING)
		add(out, "<p class=\"note wait\">It was told to stop, and "
			 "answers what is under way.</p>\n");
	if (view->refused_at != 0) {
		add(out,
		    "<p class=\"note\"><b>The last reload was refused</b> ");
		html_ago(out, view->refused_at, view->now);
		add(out, ", with ");
		html_count(out, view->refused_errors, "error", "errors");
		add(out, ". What was loaded before stays in force; <code>"
			 "fromguard lint</code> and the log say what is wrong."
			 "</p>\n");
	}
	if (warns(view))
		add(out, "<p class=\"note\"><b>Nothing is refused</b>: with "
			 "<code>mode = warn</code> Postfix only notes in its "
			 "log what would be.</p>\n");
}

/* Add a tile with the requests of one verdict. */
static void
write_verdict_tile(struct buffer *out, const struct status_view *view,
		   enum verdict_kind kind, const char *name)
{
	uint64_t count = status_hour_sum(view->hour, kind);

	/* Colour is for what there is. */
	buffer_format(out, "<div class=\"%s\"><dt>%s</dt><dd>",
		      count > 0 ? verdict_kind_name(kind) : "", name);
	html_number(out, count);
	add(out, " <small>in the last hour</small></dd></div>\n");
}

/* Add a time in microseconds in its best unit; all limits are whole in it. */
static void
write_us(struct buffer *out, uint32_t us)
{
	if (us < 1000)
		buffer_format(out, "%" PRIu32 " &micro;s", us);
	else if (us % 1000 == 0)
		buffer_format(out, "%" PRIu32 " ms", us / 1000);
	else
		buffer_format(out, "%" PRIu32 ".%" PRIu32 " ms", us / 1000,
			      us % 1000 / 100);
}

static void
write_speed_tile(struct buffer *out, const struct durations *durations)
{
	uint32_t us = durations_within(durations, 99);

	add(out, "<div><dt>Answer time</dt><dd>");
	if (us == 0) {
		add(out, "&ndash;");
	} else if (us == UINT32_MAX) {
		add(out, "&gt; 1 s <small>for 1 %</small>");
	} else {
		add(out, "&le; ");
		write_us(out, us);
		add(out, " <small>for 99 %</small>");
	}
	add(out, "</dd></div>\n");
}

static void
write_tiles(struct buffer *out, const struct status_view *view)
{
	add(out, "<dl class=\"tiles\">\n");
	write_verdict_tile(out, view, VERDICT_ALLOW, "Allowed");
	write_verdict_tile(out, view, VERDICT_REJECT,
			   warns(view) ? "Would be refused" : "Refused");
	write_verdict_tile(out, view, VERDICT_TROUBLE, "Trouble");
	write_speed_tile(out, &view->counters->durations);
	add(out, "<div><dt>Connections</dt><dd>");
	html_number(out, view->connections);
	add(out, " <small>open</small></dd></div>\n</dl>\n");
}

static void
write_hour(struct buffer *out, const struct status_view *view)
{
	add(out, "<section><h2>The last hour</h2>\n");
	html_chart(out, view);
	add(out, "\n</section>\n");
}

/* --- maps --- */

static void
write_map(struct buffer *out, const struct snapshot_map *map, time_t changed_at,
	  time_t now)
{
	buffer_format(out, "<tr><td><span class=\"tag\">%s</span> <code><bdi>",
		      map_type_name(map->spec->type));
	html_text(out, span_text(map->spec->path));
	add(out, "</bdi></code></td><td class=\"number\">");
	if (map->missing)
		add(out, "missing");
	else
		html_number(out, map->entries);
	add(out, "</td><td class=\"number when\">");
	html_ago(out, map->missing ? 0 : changed_at, now);
	add(out, "</td></tr>\n");
}

static void
write_maps(struct buffer *out, const struct status_view *view)
{
	const struct snapshot *snapshot = view->snapshot;

	if (snapshot == NULL)
		return;
	add(out, "<section><h2>Maps <small>loaded ");
	html_ago(out, snapshot->loaded_at, view->now);
	add(out, "</small></h2>\n<table><thead><tr><th>Map</th>"
		 "<th class=\"number\">Entries</th>"
		 "<th class=\"number\">File changed</th></tr>"
		 "</thead><tbody>\n");
	for (size_t i = 0; i < snapshot->settings->maps.count; i++)
		write_map(out, &snapshot->maps[i], view->changed_at[i],
			  view->now);
	add(out, "</tbody></table>\n</section>\n");
}

/* --- refusals --- */

static void
write_cell(struct buffer *out, const char *name, const char *class,
	   const struct refusal_text *text)
{
	buffer_format(out, "<td data-name=\"%s\" class=\"%s\"><bdi>", name,
		      class);
	html_text(out, span_of(text->data, text->len));
	buffer_format(out, "%s</bdi></td>", text->cut ? "&hellip;" : "");
}

static void
write_addresses(struct buffer *out, const struct refusal *refusal)
{
	static const struct refusal_text hidden = {.len = 6, .data = "hidden"};
	bool shown = refusal->has_addresses;

	write_cell(out, "Login", "login", shown ? &refusal->login : &hidden);
	write_cell(out, "Sender", "sender", shown ? &refusal->sender : &hidden);
	write_cell(out, "Client", "client", shown ? &refusal->client : &hidden);
}

static void
write_refusal(struct buffer *out, const struct refusal *refusal,
	      bool show_addresses, time_t now)
{
	add(out, "<tr><td data-name=\"When\" class=\"when\">");
	html_ago(out, refusal->at, now);
	buffer_format(out,
		      "</td><td data-name=\"Reason\" class=\"why\">"
		      "<span class=\"tag %s\">%s%s</span></td>",
		      verdict_kind_name(refusal->kind),
		      verdict_reason_name(refusal->reason),
		      refusal->warned ? ", warned" : "");
	if (show_addresses)
		write_addresses(out, refusal);
	else
		write_cell(out, "Instance", "instance", &refusal->instance);
	buffer_format(out, "<td data-name=\"Recipients\" class=\"number%s\">",
		      refusal->recipients == 1 ? " one" : "");
	html_number(out, refusal->recipients);
	add(out, "</td></tr>\n");
}

static void
write_refusal_table(struct buffer *out, const struct status_view *view,
		    bool show_addresses)
{
	const struct refusal *refusal;

	buffer_format(out,
		      "<table class=\"cards\"><thead><tr><th>When</th>"
		      "<th>Reason</th>%s<th class=\"number\">Recipients</th>"
		      "</tr></thead><tbody>\n",
		      show_addresses
			  ? "<th>Login</th><th>Sender</th><th>Client</th>"
			  : "<th>Instance</th>");
	for (size_t i = 0;
	     (refusal = refusals_latest(view->refusals, i)) != NULL; i++)
		write_refusal(out, refusal, show_addresses, view->now);
	add(out, "</tbody></table>\n");
}

static void
write_refusals(struct buffer *out, const struct status_view *view)
{
	bool show_addresses = view->snapshot != NULL &&
			      view->snapshot->settings->status_addresses;

	add(out, "<section><h2>Latest refusals</h2>\n");
	if (view->refusals->count == 0) {
		add(out, "<p>None since the start.</p>\n");
	} else {
		write_refusal_table(out, view, show_addresses);
		if (!show_addresses)
			add(out, "<p>Addresses are not shown "
				 "(<code>status_addresses = no</code>); the "
				 "log has them beside the instance.</p>\n");
	}
	add(out, "</section>\n");
}

void
status_page_write(const struct status_view *view, struct buffer *out)
{
	write_head(out, view);
	write_header(out, view);
	add(out, "<main>\n");
	write_notes(out, view);
	write_tiles(out, view);
	write_hour(out, view);
	write_refusals(out, view);
	write_maps(out, view);
	buffer_format(out,
		      "</main>\n<footer>The page renews itself every %d s. "
		      "Numbers for machines are at <a href=\"/metrics\">"
		      "/metrics</a>.</footer>\n</body>\n</html>\n",
		      RELOAD_S);
}
