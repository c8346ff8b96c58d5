/* SPDX-License-Identifier: BSD-2-Clause */
/* The histogram, the exposition text, the hour and the latest refusals. */
#include "base/memory.h"
#include "server/metrics.h"
#include "server/status_hour.h"
#include "server/status_refusals.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* --- the histogram --- */

/* A duration, and the bucket that it belongs to. */
static const struct {
	uint64_t ns;
	size_t bucket;
} durations[] = {
    {0, 0},
    {9999, 0},
    {10000, 0}, /* a limit is in its bucket */
    {10001, 1},
    {25000, 1},
    {25001, 2},
    {1000000, 6},
    {1000001, 7},
    {999999999, 15},
    {1000000000, 15},
    {1000000001, 16},
    {UINT64_MAX / 2, 16},
};

START_TEST(duration_in_bucket)
{
	struct durations all = {0};

	durations_note(&all, durations[_i].ns, 3);
	for (size_t i = 0; i <= DURATION_BUCKETS; i++)
		ck_assert_uint_eq(all.buckets[i],
				  i == durations[_i].bucket ? 3 : 0);
	ck_assert_uint_eq(durations_count(&all), 3);
	ck_assert_uint_eq(all.sum_ns, durations[_i].ns * 3);
}
END_TEST

START_TEST(limits_rise)
{
	for (size_t i = 1; i < DURATION_BUCKETS; i++)
		ck_assert_uint_gt(duration_limits_us[i],
				  duration_limits_us[i - 1]);
}
END_TEST

START_TEST(within)
{
	struct durations all = {0};

	ck_assert_uint_eq(durations_within(&all, 99), 0);
	durations_note(&all, 5000, 98);
	ck_assert_uint_eq(durations_within(&all, 99), 10);
	durations_note(&all, 40000, 1);
	ck_assert_uint_eq(durations_within(&all, 98), 10);
	ck_assert_uint_eq(durations_within(&all, 99), 50); /* rounded up */
	durations_note(&all, 2000000000, 1);
	ck_assert_uint_eq(durations_within(&all, 98), 10);
	ck_assert_uint_eq(durations_within(&all, 99), 50);
	ck_assert_uint_eq(durations_within(&all, 100), UINT32_MAX);
}
END_TEST

/* --- the text --- */

/* The text of the metrics; free() it. */
static char *
text_of(const struct metrics_source *source)
{
	struct buffer out = {0};

	metrics_write(source, &out);
	ck_assert_uint_eq(strlen(out.data), out.len);
	return out.data;
}

/* Is there a line that is exactly so? */
static bool
has_line(const char *text, const char *line)
{
	size_t len = strlen(line);
	const char *at = text;

	while ((at = strstr(at, line)) != NULL) {
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
		at += len;
	}
	return false;
}

/* Lines of a server that has counted what counted_text() says. */
static const char *const counted[] = {
    "# TYPE fromguard_requests_total counter",
    "fromguard_requests_total{verdict=\"allow\",reason=\"self\"} 7",
    "fromguard_requests_total{verdict=\"allow\",reason=\"exact\"} 0",
    "fromguard_requests_total{verdict=\"reject\",reason=\"not-owned\"} 2",
    "fromguard_requests_total{verdict=\"reject\",reason=\"null-sender\"} 0",
    "fromguard_requests_total{verdict=\"trouble\",reason=\"rule-limit\"} "
    "18446744073709551615",
    /* not foreseen, but it was counted, so it is said */
    "fromguard_requests_total{verdict=\"trouble\",reason=\"self\"} 1",
    "# TYPE fromguard_request_duration_seconds histogram",
    "fromguard_request_duration_seconds_bucket{le=\"0.00001\"} 0",
    "fromguard_request_duration_seconds_bucket{le=\"0.000025\"} 4",
    "fromguard_request_duration_seconds_bucket{le=\"0.001\"} 4",
    "fromguard_request_duration_seconds_bucket{le=\"0.0025\"} 5",
    "fromguard_request_duration_seconds_bucket{le=\"1\"} 5",
    "fromguard_request_duration_seconds_bucket{le=\"+Inf\"} 6",
    "fromguard_request_duration_seconds_sum 3.002080000",
    "fromguard_request_duration_seconds_count 6",
    "# TYPE fromguard_connections gauge",
    "fromguard_connections 12",
    "fromguard_connections_total 34",
    "fromguard_protocol_errors_total{kind=\"line-too-long\"} 0",
    "fromguard_protocol_errors_total{kind=\"truncated\"} 9",
    "fromguard_protocol_errors_total{kind=\"answer-timeout\"} 0",
    "fromguard_reloads_total{result=\"ok\"} 5",
    "fromguard_reloads_total{result=\"refused\"} 6",
    "fromguard_rule_limit_hits_total 8",
    "fromguard_snapshot_timestamp_seconds 0",
    "fromguard_grants{type=\"text\"} 0",
    "fromguard_rules 0",
    "fromguard_build_info{version=\"" FROMGUARD_VERSION "\"} 1",
};

static char *
counted_text(void)
{
	struct counters counters = {
	    .connections = 34,
	    .reloads = 5,
	    .reloads_refused = 6,
	    .rule_limit_hits = 8,
	};
	const struct metrics_source source = {&counters, NULL, 12};

	counters.requests[VERDICT_ALLOW][REASON_SELF] = 7;
	counters.requests[VERDICT_REJECT][REASON_NOT_OWNED] = 2;
	counters.requests[VERDICT_TROUBLE][REASON_RULE_LIMIT] = UINT64_MAX;
	counters.requests[VERDICT_TROUBLE][REASON_SELF] = 1;
	counters.faults[FAULT_TRUNCATED] = 9;
	durations_note(&counters.durations, 20000, 4);
	durations_note(&counters.durations, 2000000, 1);
	durations_note(&counters.durations, 3000000000, 1);
	return text_of(&source);
}

START_TEST(counted_line)
{
	char *text = counted_text();

	ck_assert_msg(has_line(text, counted[_i]), "no line %s in\n%s",
		      counted[_i], text);
	free(text);
}
END_TEST

START_TEST(every_series_once)
{
	char *text = counted_text();

	for (char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		size_t len = strcspn(line, " \n");

		if (line[0] == '#')
			continue;
		for (char *other = strchr(line, '\n') + 1; *other != '\0';
		     other = strchr(other, '\n') + 1)
			ck_assert(strncmp(line, other, len + 1) != 0);
	}
	free(text);
}
END_TEST

START_TEST(snapshot_lines)
{
	struct map_spec specs[] = {{.type = MAP_TEXT},
				   {.type = MAP_PCRE},
				   {.type = MAP_TEXT},
				   {.type = MAP_CDB}};
	struct snapshot_map maps[] = {{.spec = &specs[0], .entries = 3},
				      {.spec = &specs[1], .entries = 50},
				      {.spec = &specs[2], .entries = 4},
				      {.spec = &specs[3], .entries = 1}};
	struct settings settings = {.maps = {.count = 4}};
	const struct snapshot snapshot = {.settings = &settings,
					  .maps = maps,
					  .rule_count = 50,
					  .loaded_at = 1790000000};
	struct counters counters = {0};
	const struct metrics_source source = {&counters, &snapshot, 0};
	char *text = text_of(&source);

	ck_assert(has_line(text, "fromguard_grants{type=\"text\"} 7"));
	ck_assert(has_line(text, "fromguard_grants{type=\"cdb\"} 1"));
	ck_assert(has_line(text, "fromguard_grants{type=\"virtual\"} 0"));
	ck_assert(strstr(text, "type=\"pcre\"") == NULL);
	ck_assert(has_line(text, "fromguard_rules 50"));
	ck_assert(
	    has_line(text, "fromguard_snapshot_timestamp_seconds 1790000000"));
	free(text);
}
END_TEST

/* --- the hour --- */

enum { MINUTE = 60000 };

START_TEST(hour_by_minutes)
{
	struct counters counters = {0};
	struct status_hour hour;

	status_hour_init(&hour, 5 * MINUTE); /* less than an hour after boot */
	counters.requests[VERDICT_ALLOW][REASON_SELF] = 3;
	counters.requests[VERDICT_ALLOW][REASON_EXACT] = 2;
	status_hour_note(&hour, &counters, 5 * MINUTE + 1000);
	counters.requests[VERDICT_REJECT][REASON_DENIED] = 1;
	status_hour_note(&hour, &counters, 5 * MINUTE + 2000);
	ck_assert_uint_eq(status_hour_at(&hour, VERDICT_ALLOW, 0), 5);
	ck_assert_uint_eq(status_hour_at(&hour, VERDICT_REJECT, 0), 1);
	counters.requests[VERDICT_ALLOW][REASON_EXACT] = 9;
	status_hour_note(&hour, &counters, 7 * MINUTE);
	ck_assert_uint_eq(status_hour_at(&hour, VERDICT_ALLOW, 0), 7);
	ck_assert_uint_eq(status_hour_at(&hour, VERDICT_ALLOW, 1), 0);
	ck_assert_uint_eq(status_hour_at(&hour, VERDICT_ALLOW, 2), 5);
	ck_assert_uint_eq(status_hour_at(&hour, VERDICT_ALLOW, 59), 0);
	ck_assert_uint_eq(status_hour_sum(&hour, VERDICT_ALLOW), 12);
}
END_TEST

/* Minutes of silence, and what is left of 5 requests before them. */
static const struct {
	uint64_t minutes;
	uint64_t left;
} silences[] = {{1, 5},   {59, 5},  {60, 0},  {61, 0},
		{119, 0}, {120, 0}, {121, 0}, {1000000, 0}};

START_TEST(hour_forgets)
{
	struct counters counters = {0};
	struct status_hour hour;

	status_hour_init(&hour, 1000 * MINUTE);
	counters.requests[VERDICT_ALLOW][REASON_SELF] = 5;
	status_hour_note(&hour, &counters, 1000 * MINUTE);
	status_hour_note(&hour, &counters,
			 (1000 + silences[_i].minutes) * MINUTE);
	ck_assert_uint_eq(status_hour_sum(&hour, VERDICT_ALLOW),
			  silences[_i].left);
	counters.requests[VERDICT_ALLOW][REASON_SELF] = 6;
	status_hour_note(&hour, &counters,
			 (1000 + silences[_i].minutes) * MINUTE);
	ck_assert_uint_eq(status_hour_at(&hour, VERDICT_ALLOW, 0), 1);
}
END_TEST

/* --- the latest refusals --- */

static const struct settings shown = {.status_addresses = true};
static const struct settings hidden = {.status_addresses = false};
static const struct verdict not_owned = {.kind = VERDICT_REJECT,
					 .reason = REASON_NOT_OWNED};

/* Note a refusal of a mail. */
static void
note(struct refusals *refusals, const char *instance,
     const struct settings *settings, time_t now)
{
	const struct request request = {
	    .login = span_text("user@example.com"),
	    .sender = span_text("other@example.com"),
	    .instance = span_text(instance),
	    .client_address = span_text("192.0.2.7"),
	};

	refusals_note(refusals, settings, &request, &not_owned, now);
}

/* A kept text is that text. */
static void
ck_kept(const struct refusal_text *kept, const char *text)
{
	ck_assert(span_is(span_of(kept->data, kept->len), text));
}

START_TEST(refusals_newest_first)
{
	struct refusals refusals = {0};
	char instance[16];

	ck_assert_ptr_null(refusals_latest(&refusals, 0));
	for (int i = 0; i < 3 * REFUSALS_KEPT; i++) {
		(void)snprintf(instance, sizeof(instance), "mail%d", i);
		note(&refusals, instance, &shown, i);
	}
	for (size_t i = 0; i < REFUSALS_KEPT; i++)
		ck_assert_int_eq(refusals_latest(&refusals, i)->at,
				 3 * REFUSALS_KEPT - 1 - (time_t)i);
	ck_assert_ptr_null(refusals_latest(&refusals, REFUSALS_KEPT));
	ck_kept(&refusals_latest(&refusals, 0)->login, "user@example.com");
	ck_kept(&refusals_latest(&refusals, 0)->sender, "other@example.com");
	ck_kept(&refusals_latest(&refusals, 0)->client, "192.0.2.7");
}
END_TEST

START_TEST(refusals_count_recipients)
{
	struct refusals refusals = {0};

	note(&refusals, "a", &shown, 1);
	note(&refusals, "b", &shown, 2);
	note(&refusals, "a", &shown, 3);
	ck_assert_uint_eq(refusals.count, 2);
	ck_assert_uint_eq(refusals_latest(&refusals, 1)->recipients, 2);
	ck_assert_int_eq(refusals_latest(&refusals, 1)->at, 1);
	/* Who sends no instance has one mail a request. */
	note(&refusals, "", &shown, 4);
	note(&refusals, "", &shown, 5);
	ck_assert_uint_eq(refusals.count, 4);
}
END_TEST

START_TEST(refusals_hide_addresses)
{
	struct refusals refusals = {0};

	note(&refusals, "a", &hidden, 1);
	ck_assert(!refusals_latest(&refusals, 0)->has_addresses);
	ck_kept(&refusals_latest(&refusals, 0)->login, "");
	ck_kept(&refusals_latest(&refusals, 0)->sender, "");
	ck_kept(&refusals_latest(&refusals, 0)->client, "");
	ck_kept(&refusals_latest(&refusals, 0)->instance, "a");
}
END_TEST

START_TEST(refusals_cut_texts)
{
	struct refusals refusals = {0};
	char long_text[REFUSAL_TEXT + 2];

	memset(long_text, 'x', sizeof(long_text));
	long_text[REFUSAL_TEXT] = '\0';
	note(&refusals, long_text, &shown, 1);
	ck_assert(!refusals_latest(&refusals, 0)->instance.cut);
	long_text[REFUSAL_TEXT] = 'x';
	long_text[REFUSAL_TEXT + 1] = '\0';
	note(&refusals, long_text, &shown, 2);
	ck_assert_uint_eq(refusals.count, 2);
	ck_assert(refusals_latest(&refusals, 0)->instance.cut);
	ck_assert_uint_eq(refusals_latest(&refusals, 0)->instance.len,
			  REFUSAL_TEXT);
}
END_TEST

#define COUNT(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

int
main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tc = tcase_create("metrics");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, duration_in_bucket, 0, COUNT(durations));
	tcase_add_test(tc, limits_rise);
	tcase_add_test(tc, within);
	tcase_add_loop_test(tc, counted_line, 0, COUNT(counted));
	tcase_add_test(tc, every_series_once);
	tcase_add_test(tc, snapshot_lines);
	tcase_add_test(tc, hour_by_minutes);
	tcase_add_loop_test(tc, hour_forgets, 0, COUNT(silences));
	tcase_add_test(tc, refusals_newest_first);
	tcase_add_test(tc, refusals_count_recipients);
	tcase_add_test(tc, refusals_hide_addresses);
	tcase_add_test(tc, refusals_cut_texts);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
