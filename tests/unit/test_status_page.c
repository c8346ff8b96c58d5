/* SPDX-License-Identifier: BSD-2-Clause */
/* The status page: what it shows, what it hides, what it escapes. */
#include "base/memory.h"
#include "server/status_page.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { NOW = 1790000000, MINUTE_MS = 60000 };

/* Everything that a page is made of; a row of a test changes some of it. */
struct scene {
	struct map_spec specs[3];
	struct snapshot_map maps[3];
	time_t changed_at[3];
	struct settings settings;
	struct snapshot snapshot;
	struct counters counters;
	struct status_hour hour;
	struct refusals refusals;
	struct status_view view;
};

static void
scene_init(struct scene *scene)
{
	static char senders[] = "/etc/fromguard/<senders>";
	static char rules[] = "/etc/fromguard/rules.pcre";
	static char accounts[] = "/tmp/none";

	*scene = (struct scene){
	    .specs = {{.type = MAP_TEXT, .path = senders},
		      {.type = MAP_PCRE, .path = rules},
		      {.type = MAP_ACCOUNTS, .path = accounts}},
	    .changed_at = {NOW - 7200, NOW - 45, 0},
	    .view = {.phase = STATUS_SERVING,
		     .now = NOW,
		     .started_at = NOW - 3 * 86400,
		     .connections = 42},
	};
	for (size_t i = 0; i < 3; i++)
		scene->maps[i].spec = &scene->specs[i];
	scene->maps[0].entries = 1234567;
	scene->maps[1].entries = 12;
	scene->maps[2].missing = true;
	scene->settings.maps.count = 3;
	scene->snapshot = (struct snapshot){.settings = &scene->settings,
					    .maps = scene->maps,
					    .loaded_at = NOW - 300};
	scene->view.snapshot = &scene->snapshot;
	scene->view.changed_at = scene->changed_at;
	scene->view.counters = &scene->counters;
	scene->view.hour = &scene->hour;
	scene->view.refusals = &scene->refusals;
	status_hour_init(&scene->hour, 100 * MINUTE_MS);
}

/* Count requests with a verdict in a minute of the scene. */
static void
count(struct scene *scene, enum verdict_kind kind, enum verdict_reason reason,
      uint64_t requests, unsigned minute)
{
	scene->counters.requests[kind][reason] += requests;
	status_hour_note(&scene->hour, &scene->counters,
			 (100 + minute) * MINUTE_MS);
}

/* Note the refusal of a mail. */
static void
refuse(struct scene *scene, const char *login, const char *sender)
{
	const struct verdict verdict = {.kind = VERDICT_REJECT,
					.reason = REASON_NOT_OWNED};
	char instance[32];
	const struct request request = {
	    .login = span_text(login),
	    .sender = span_text(sender),
	    .client_address = span_text("192.0.2.7"),
	    .instance = span_of(
		instance,
		(size_t)snprintf(instance, sizeof(instance), "3f2a.65b0c1.%u",
				 (unsigned)scene->refusals.count)),
	};

	refusals_note(&scene->refusals, &scene->settings, &request, &verdict,
		      NOW - 30);
}

/* The page of a scene; free() it. */
static char *
page_of(const struct scene *scene)
{
	struct buffer out = {0};

	status_page_write(&scene->view, &out);
	ck_assert_uint_eq(strlen(out.data), out.len);
	return out.data;
}

/* The page of a scene has a text, or has not. */
static void
ck_page(const struct scene *scene, const char *text, bool has)
{
	char *page = page_of(scene);

	ck_assert_msg((strstr(page, text) != NULL) == has, "%s: %s",
		      has ? "missing" : "unwanted", text);
	free(page);
}

/* --- texts from outside --- */

static const struct {
	const char *text;
	const char *html;
} escapes[] = {
    {"user@example.com", "<bdi>user@example.com</bdi>"},
    {"<script>alert(1)</script>",
     "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>"},
    {"\"><img src='x'>", "<bdi>&quot;&gt;&lt;img src=&#39;x&#39;&gt;</bdi>"},
    {"&lt;", "<bdi>&amp;lt;</bdi>"},
    {"m\xc3\xbcnchen", "<bdi>m\xc3\xbcnchen</bdi>"},
    /* not UTF-8, cut, overlong, a surrogate */
    {"a\xff", "<bdi>a\xef\xbf\xbd</bdi>"},
    {"a\xc3", "<bdi>a\xef\xbf\xbd</bdi>"},
    {"\xc0\xbc", "<bdi>\xef\xbf\xbd\xef\xbf\xbd</bdi>"},
    {"\xed\xa0\x80", "<bdi>\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd</bdi>"},
    /* ESC, U+0085, U+2028, U+202E */
    {"\x1b[31m", "<bdi>\xef\xbf\xbd[31m</bdi>"},
    {"a\xc2\x85"
     "b",
     "<bdi>a\xef\xbf\xbd"
     "b</bdi>"},
    {"a\xe2\x80\xa8"
     "b",
     "<bdi>a\xef\xbf\xbd"
     "b</bdi>"},
    {"a\xe2\x80\xae"
     "b",
     "<bdi>a\xef\xbf\xbd"
     "b</bdi>"},
};

START_TEST(sender_escaped)
{
	struct scene scene;

	scene_init(&scene);
	scene.settings.status_addresses = true;
	refuse(&scene, "user@example.com", escapes[_i].text);
	ck_page(&scene, escapes[_i].html, true);
}
END_TEST

START_TEST(login_escaped)
{
	struct scene scene;

	scene_init(&scene);
	scene.settings.status_addresses = true;
	refuse(&scene, escapes[_i].text, "other@example.com");
	ck_page(&scene, escapes[_i].html, true);
}
END_TEST

/* --- addresses --- */

/* status_addresses when it was refused, and when the page is made. */
static const struct {
	bool then;
	bool now;
	bool shown;
} addresses[] = {
    {true, true, true},
    {true, false, false},
    {false, true, false},
    {false, false, false},
};

START_TEST(addresses_shown)
{
	struct scene scene;

	scene_init(&scene);
	scene.settings.status_addresses = addresses[_i].then;
	refuse(&scene, "user@example.com", "other@example.com");
	scene.settings.status_addresses = addresses[_i].now;
	ck_page(&scene, "user@example.com", addresses[_i].shown);
	ck_page(&scene, "other@example.com", addresses[_i].shown);
	ck_page(&scene, "192.0.2.7", addresses[_i].shown);
	ck_page(&scene, "not-owned", true);
	ck_page(&scene, "3f2a.65b0c1", !addresses[_i].now);
}
END_TEST

/* --- what it tells --- */

static void
is_loading(struct scene *scene)
{
	scene->view.phase = STATUS_LOADING;
	scene->view.snapshot = NULL;
	scene->view.changed_at = NULL;
}

static void
is_draining(struct scene *scene)
{
	scene->view.phase = STATUS_DRAINING;
}

static void
has_refused(struct scene *scene)
{
	scene->view.refused_at = NOW - 90;
	scene->view.refused_errors = 2;
}

static void
has_one_error(struct scene *scene)
{
	scene->view.refused_at = NOW - 90;
	scene->view.refused_errors = 1;
}

static void
only_warns(struct scene *scene)
{
	scene->settings.mode = MODE_WARN;
}

static void
was_busy(struct scene *scene)
{
	durations_note(&scene->counters.durations, 30000, 99);
	durations_note(&scene->counters.durations, 3000000, 1);
	count(scene, VERDICT_ALLOW, REASON_SELF, 1200, 1);
	count(scene, VERDICT_ALLOW, REASON_SELF, 600, 2);
	count(scene, VERDICT_REJECT, REASON_NOT_OWNED, 3, 2);
}

static void
was_slow(struct scene *scene)
{
	durations_note(&scene->counters.durations, UINT32_MAX, 1);
}

static void
clock_set_back(struct scene *scene)
{
	scene->snapshot.loaded_at = NOW + 1000;
}

static void
nothing(struct scene *scene)
{
	(void)scene;
}

static const struct {
	void (*change)(struct scene *scene);
	const char *text;
	bool has;
} rows[] = {
    {nothing, "<title>fromguard: serving</title>", true},
    {nothing, "<p class=\"pill good\">serving</p>", true},
    {nothing, "class=\"note", false},
    {nothing, "None since the start.", true},
    {nothing, "&lt;senders&gt;", true},
    {nothing, "<senders>", false},
    {nothing, "<td class=\"number\">1,234,567</td>", true},
    {nothing, "<td class=\"number\">missing</td>", true},
    {nothing, ">2 h ago</time>", true},
    {nothing, ">45 s ago</time>", true},
    {nothing, "loaded <time datetime=\"2026-09-21T", true},
    {nothing, ">5 min ago</time>", true},
    {nothing, "up for 3 days", true},
    {nothing, "<dd>42 ", true},
    {nothing, "<rect x=", false},
    {nothing, "<dt>Answer time</dt><dd>&ndash;</dd>", true},
    {is_loading, "<title>fromguard: loading</title>", true},
    {is_loading, "The maps are being read.", true},
    {is_loading, "<table", false},
    {is_draining, "<title>fromguard: stopping</title>", true},
    {is_draining, "It was told to stop", true},
    {has_refused, "The last reload was refused", true},
    {has_refused, "with 2 errors.", true},
    {has_one_error, "with 1 error.", true},
    {only_warns, "Nothing is refused", true},
    {only_warns, "Would be refused", true},
    {was_busy, "<dd>1,800 <small>in the last hour", true},
    {was_busy, "<div class=\"reject\"><dt>Refused</dt><dd>3 ", true},
    {was_busy, "at most 1,200 a minute", true},
    {was_busy, "1,800 allowed in the last hour", true},
    /* The highest is as high as the drawing, half of it half as high. */
    {was_busy, "<rect x=\"580\" y=\"0\" width=\"8\" height=\"48\"><title>",
     true},
    {was_busy, "<rect x=\"590\" y=\"24\" width=\"8\" height=\"24\"><title>",
     true},
    {was_busy, ": 600 allowed</title>", true},
    {was_busy, ": 3 refused</title>", true},
    {was_busy, "<dd>&le; 50 &micro;s <small>for 99 %", true},
    {was_slow, "<dd>&gt; 1 s ", true},
    {clock_set_back, "0 s ago", true},
};

START_TEST(page_tells)
{
	struct scene scene;

	scene_init(&scene);
	rows[_i].change(&scene);
	ck_page(&scene, rows[_i].text, rows[_i].has);
}
END_TEST

START_TEST(little_is_seen)
{
	struct scene scene;

	scene_init(&scene);
	count(&scene, VERDICT_ALLOW, REASON_SELF, 1000000, 1);
	count(&scene, VERDICT_ALLOW, REASON_SELF, 1, 2);
	ck_page(&scene,
		"<rect x=\"590\" y=\"46\" width=\"8\" height=\"2\"><title>",
		true);
}
END_TEST

/* A page with all that can be in it is small enough for a phone far out. */
START_TEST(page_is_small)
{
	char login[REFUSAL_TEXT + 1] = {0};
	struct scene scene;
	char *page;

	scene_init(&scene);
	scene.settings.status_addresses = true;
	memset(login, '<', REFUSAL_TEXT);
	for (unsigned i = 0; i < HOUR_MINUTES; i++)
		for (unsigned kind = 0; kind <= VERDICT_TROUBLE; kind++)
			count(&scene, kind, REASON_SELF, 123456, i);
	for (int i = 0; i < REFUSALS_KEPT; i++)
		refuse(&scene, login, login);
	page = page_of(&scene);
	ck_assert_uint_lt(strlen(page), 64 * 1024);
	free(page);
}
END_TEST

#define COUNT(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

int
main(void)
{
	Suite *suite = suite_create("status_page");
	TCase *tc = tcase_create("status_page");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, sender_escaped, 0, COUNT(escapes));
	tcase_add_loop_test(tc, login_escaped, 0, COUNT(escapes));
	tcase_add_loop_test(tc, addresses_shown, 0, COUNT(addresses));
	tcase_add_loop_test(tc, page_tells, 0, COUNT(rows));
	tcase_add_test(tc, little_is_seen);
	tcase_add_test(tc, page_is_small);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
