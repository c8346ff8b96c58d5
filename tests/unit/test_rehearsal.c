/* SPDX-License-Identifier: BSD-2-Clause */
/* Login and sender of a mail are joined by its queue id, and counted. */
#include "policy/rehearsal.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* 2026-11-24 12:00:00 UTC; the tests run with TZ=UTC. */
enum { TODAY = 1795521600, NOON = 1795521600 };

/* Lines, short for those of a log: time is a second behind noon. */
#define LOGIN(time, id, login)                                \
	"2026-11-24T12:00:" time "Z mx postfix/smtpd[1]: " id \
	": client=pc[192.0.2.7], sasl_method=PLAIN, sasl_username=" login
#define SENDER(time, id, sender)                                               \
	"2026-11-24T12:00:" time "Z mx postfix/qmgr[2]: " id ": from=<" sender \
	">, size=1, nrcpt=1 (queue active)"
#define REMOVED(time, id) \
	"2026-11-24T12:00:" time "Z mx postfix/qmgr[2]: " id ": removed"
#define NOT_OWNED(word, text, sender)                              \
	"2026-11-24T12:00:09Z mx postfix/smtpd[1]: NOQUEUE: " word \
	": RCPT from pc[192.0.2.8]: " text                         \
	"not owned by user me@d; from=<" sender                    \
	"> to=<x@y> proto=ESMTP helo=<pc>"

enum { LINES_MAX = 8, PAIRS_MAX = 3 };

struct row {
	const char *lines[LINES_MAX];
	/* What is to come of it: "login sender mails refused warned", in order.
	 */
	const char *pairs[PAIRS_MAX];
	uint64_t unjoined;
};

static const struct row rows[] = {
    {{NULL}, {NULL}, 0},
    {{LOGIN("01", "A", "me@d"), SENDER("01", "A", "me@d")},
     {"me@d me@d 1 0 0"},
     0},
    /* Other mails in between, and the same pair twice. */
    {{LOGIN("01", "A", "me@d"), LOGIN("01", "B", "you@d"),
      SENDER("01", "B", "you@d"), SENDER("02", "A", "x@d"), REMOVED("02", "B"),
      REMOVED("02", "A"), LOGIN("03", "C", "me@d"), SENDER("03", "C", "x@d")},
     {"me@d x@d 2 0 0", "you@d you@d 1 0 0"},
     0},
    /* Every retry logs the sender again: it is one mail. */
    {{LOGIN("01", "A", "me@d"), SENDER("01", "A", "x@d"),
      SENDER("20", "A", "x@d"), SENDER("40", "A", "x@d"), REMOVED("40", "A")},
     {"me@d x@d 1 0 0"},
     0},
    /* A queue id is used again: by a login after a retry whose end is not in
     * the log, after a login that never sent, and after a mail's end. */
    {{SENDER("01", "A", "other@d"), LOGIN("02", "A", "me@d"),
      SENDER("02", "A", "me@d")},
     {"me@d me@d 1 0 0"},
     0},
    {{LOGIN("01", "A", "you@d"), LOGIN("02", "A", "me@d"),
      SENDER("02", "A", "me@d")},
     {"me@d me@d 1 0 0"},
     1},
    {{LOGIN("01", "A", "me@d"), SENDER("01", "A", "me@d"), REMOVED("01", "A"),
      LOGIN("02", "A", "you@d"), SENDER("02", "A", "x@d")},
     {"me@d me@d 1 0 0", "you@d x@d 1 0 0"},
     0},
    /* Logs that were named in the wrong order. */
    {{SENDER("02", "A", "x@d"), LOGIN("01", "A", "me@d")},
     {"me@d x@d 1 0 0"},
     0},
    {{LOGIN("05", "A", "me@d"), SENDER("02", "A", "x@d")}, {NULL}, 1},
    /* Senders of strangers, logins whose mail never got a sender. */
    {{SENDER("01", "A", "x@d"), REMOVED("01", "A"), LOGIN("02", "A", "me@d"),
      REMOVED("03", "A"), LOGIN("04", "B", "me@d")},
     {NULL},
     2},
    /* Queue ids tell case. */
    {{LOGIN("01", "4wx", "me@d"), SENDER("01", "4WX", "x@d")}, {NULL}, 1},
    /* Two instances may have the same queue id at the same time. */
    {{LOGIN("01", "A", "me@d"),
      "2026-11-24T12:00:01Z mx postfix-out/smtpd[1]: A: client=pc[192.0.2.7], "
      "sasl_method=PLAIN, sasl_username=you@d",
      "2026-11-24T12:00:01Z mx postfix-out/qmgr[2]: A: from=<out@d>, size=1",
      SENDER("01", "A", "x@d")},
     {"me@d x@d 1 0 0", "you@d out@d 1 0 0"},
     0},
    /* The null sender; one that is quoted, which the pair is not. */
    {{LOGIN("01", "A", "me@d"), SENDER("01", "A", ""), LOGIN("02", "B", "me@d"),
      SENDER("02", "B", "\"a b\"@d")},
     {"me@d  1 0 0", "me@d a b@d 1 0 0"},
     0},
    /* Refusals and warnings count recipients, and join with nothing. */
    {{NOT_OWNED("reject", "553 5.7.1 <x@d>: Sender address rejected: ", "x@d"),
      NOT_OWNED("reject", "553 5.7.1 <x@d>: Sender address rejected: ", "x@d"),
      NOT_OWNED("warn", "fromguard: would reject: ", "x@d"),
      LOGIN("10", "A", "me@d"), SENDER("10", "A", "x@d")},
     {"me@d x@d 1 2 1"},
     0},
};

static void
take(struct rehearsal *rehearsal, const char *text)
{
	struct maillog_line line;

	ck_assert_msg(maillog_parse(span_text(text), TODAY, &line), "%s", text);
	rehearsal_take(rehearsal, &line);
}

static struct snapshot *
load(void)
{
	const char *const options[] = {"maps=?text:/nonexistent"};
	struct problems problems;
	struct settings *settings;
	struct snapshot *snapshot;

	problems_init(&problems);
	settings = settings_load(NULL, NULL, options, 1, &problems);
	ck_assert_ptr_nonnull(settings);
	snapshot = snapshot_load(settings, &problems);
	ck_assert_ptr_nonnull(snapshot);
	problems_fini(&problems);
	return snapshot;
}

/* What the visits have seen. */
struct seen {
	const struct row *row; /* or NULL: it is only counted */
	size_t count;
	struct rehearsal_pair last;
	enum verdict_kind verdict;
};

static void
visit(void *arg, const struct rehearsal_pair *pair,
      const struct verdict *verdict)
{
	struct seen *seen = arg;
	char text[256];

	(void)snprintf(text, sizeof(text), "%.*s %.*s %d %d %d",
		       SPAN_ARG(pair->login), SPAN_ARG(pair->sender),
		       (int)pair->mails, (int)pair->refused, (int)pair->warned);
	if (seen->row != NULL) {
		ck_assert_uint_lt(seen->count, PAIRS_MAX);
		ck_assert_ptr_nonnull(seen->row->pairs[seen->count]);
		ck_assert_str_eq(text, seen->row->pairs[seen->count]);
	}
	seen->count++;
	seen->last = *pair;
	seen->verdict = verdict->kind;
}

/* Visit every pair. The spans of seen->last live as long as the rehearsal. */
static void
visit_all(struct rehearsal *rehearsal, struct seen *seen)
{
	struct snapshot *snapshot = load();
	struct decider *decider = decider_new();

	ck_assert_ptr_nonnull(decider);
	rehearsal_each(rehearsal, snapshot, decider, visit, seen);
	decider_free(decider);
	snapshot_free(snapshot);
}

START_TEST(joined)
{
	const struct row *row = &rows[_i];
	struct rehearsal *rehearsal = rehearsal_new();
	struct rehearsal_counts counts;
	struct seen seen = {.row = row};
	size_t pairs = 0;

	while (pairs < PAIRS_MAX && row->pairs[pairs] != NULL)
		pairs++;
	for (size_t i = 0; i < LINES_MAX && row->lines[i] != NULL; i++)
		take(rehearsal, row->lines[i]);
	rehearsal_count(rehearsal, &counts);
	visit_all(rehearsal, &seen);
	ck_assert_uint_eq(seen.count, pairs);
	ck_assert_uint_eq(counts.pairs, pairs);
	ck_assert_uint_eq(counts.unjoined, row->unjoined);
	ck_assert(!counts.full);
	rehearsal_free(rehearsal);
}
END_TEST

/* First and last time are by the clock, not by the order of the lines; the
 * client is the last one's. */
START_TEST(times)
{
	static const char *const lines[] = {
	    LOGIN("05", "A", "me@d"),
	    SENDER("06", "A", "x@d"),
	    LOGIN("01", "B", "me@d"),
	    SENDER("02", "B", "x@d"),
	    NOT_OWNED("warn", "fromguard: would reject: ", "x@d"),
	    LOGIN("03", "C", "me@d"),
	    SENDER("59", "C", "x@d"),
	};
	struct rehearsal *rehearsal = rehearsal_new();
	struct seen seen = {0};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		take(rehearsal, lines[i]);
	visit_all(rehearsal, &seen);
	ck_assert_uint_eq(seen.count, 1);
	ck_assert_int_eq(seen.last.first, NOON + 1);
	ck_assert_int_eq(seen.last.last, NOON + 9);
	ck_assert(span_is(seen.last.client, "192.0.2.8"));
	ck_assert_int_eq((int)seen.verdict, VERDICT_REJECT);
	rehearsal_free(rehearsal);
}
END_TEST

/* Logins that never send fill no more than the room for mails under way, and
 * each is counted once. */
START_TEST(bounded)
{
	enum { MAILS = REHEARSAL_MAILS_MAX * 2 };
	struct rehearsal *rehearsal = rehearsal_new();
	struct rehearsal_counts counts;
	char text[128];

	for (int i = 0; i < MAILS; i++) {
		(void)snprintf(text, sizeof(text), LOGIN("01", "%X", "me@d"),
			       i);
		take(rehearsal, text);
	}
	(void)snprintf(text, sizeof(text), SENDER("02", "%X", "old@d"), 0);
	take(rehearsal, text);
	(void)snprintf(text, sizeof(text), SENDER("02", "%X", "new@d"),
		       MAILS - 1);
	take(rehearsal, text);
	rehearsal_count(rehearsal, &counts);
	ck_assert_uint_eq(counts.mails, 1);
	/* The sender whose login had to go has taken the place of another. */
	ck_assert_uint_eq(counts.unjoined, MAILS - 1);
	ck_assert_uint_eq(counts.pairs, 1);
	rehearsal_free(rehearsal);
}
END_TEST

/* More pairs than the first table of them holds are all found again. */
START_TEST(many)
{
	enum { PAIRS = 5000 };
	struct rehearsal *rehearsal = rehearsal_new();
	struct rehearsal_counts counts;
	struct seen seen = {0};
	char text[128];

	for (int i = 0; i < PAIRS * 2; i++) {
		(void)snprintf(text, sizeof(text), LOGIN("01", "A", "u%d@d"),
			       i % PAIRS);
		take(rehearsal, text);
		take(rehearsal, SENDER("01", "A", "x@d"));
	}
	rehearsal_count(rehearsal, &counts);
	ck_assert_uint_eq(counts.pairs, PAIRS);
	ck_assert_uint_eq(counts.mails, PAIRS * 2);
	visit_all(rehearsal, &seen);
	ck_assert_uint_eq(seen.count, PAIRS);
	ck_assert_uint_eq(seen.last.mails, 2);
	rehearsal_free(rehearsal);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rehearsal");
	TCase *tcase = tcase_create("rehearsal");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (setenv("TZ", "UTC", 1) != 0)
		return EXIT_FAILURE;
	tcase_add_loop_test(tcase, joined, 0,
			    (int)(sizeof(rows) / sizeof(*rows)));
	tcase_add_test(tcase, times);
	tcase_add_test(tcase, bounded);
	tcase_add_test(tcase, many);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
