/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of mail logs, as distributions and Postfix's versions write them. */
#include "wire/maillog.h"

#include <check.h>
#include <stdlib.h>

/* 2026-11-24 12:00:00 UTC; the tests run with TZ=UTC. */
enum { TODAY = 1795521600 };

struct row {
	const char *line;
	int kind; /* of enum maillog_kind, or -1: of no interest */
	const char *instance;
	const char *queue_id;
	const char *login;
	const char *sender;
	const char *client;
};

static const struct row rows[] = {
    /* smtpd: a mail of a login */
    {"Nov 24 08:23:04 mx postfix/smtpd[123]: 4WXabc: "
     "client=pc.example[192.0.2.7], sasl_method=PLAIN, "
     "sasl_username=user@example.com",
     MAILLOG_LOGIN, "postfix", "4WXabc", "user@example.com", "", "192.0.2.7"},
    {"2026-11-24T08:23:04.123456+00:00 mx postfix/submission/smtpd[1]: "
     "4WXabc: client=unknown[2001:db8::1], sasl_method=LOGIN, "
     "sasl_username=user",
     MAILLOG_LOGIN, "postfix", "4WXabc", "user", "", "2001:db8::1"},
    {"2026-11-24T08:23:04+0000 mx postfix-out/smtps/smtpd[1]: ABCDEF0123: "
     "client=unknown[192.0.2.7]:4711, sasl_method=LOGIN, "
     "sasl_username=a, b, sasl_sender=x@y",
     MAILLOG_LOGIN, "postfix-out", "ABCDEF0123", "a, b", "", "192.0.2.7"},
    {"Nov 24 08:23:04 postfix/smtpd[123]: 4WXabc: "
     "client=pc[192.0.2.7], sasl_method=PLAIN, sasl_username=user\r",
     MAILLOG_LOGIN, "postfix", "4WXabc", "user", "", "192.0.2.7"},
    /* smtpd: a mail of nobody, and others of no interest */
    {"Nov 24 08:23:04 mx postfix/smtpd[123]: 4WXabc: "
     "client=pc.example[192.0.2.7]",
     -1, "", "", "", "", ""},
    {"Nov 24 08:23:04 mx postfix/smtpd[123]: connect from pc[192.0.2.7]", -1,
     "", "", "", "", ""},
    {"Nov 24 08:23:04 mx postfix/cleanup[1]: 4WXabc: message-id=<a@b>", -1, "",
     "", "", "", ""},
    {"Nov 24 08:23:04 mx dovecot[1]: 4WXabc: from=<a@b>, size=1", -1, "", "",
     "", "", ""},
    {"", -1, "", "", "", "", ""},
    {"]: ", -1, "", "", "", "", ""},
    {"[]: ", -1, "", "", "", "", ""},
    {"/[]: ", -1, "", "", "", "", ""},
    {"postfix/qmgr[1]: 4WXabc: removed", -1, "", "", "", "", ""},
    {"Nov 24 08:23 postfix/qmgr[1]: 4WXabc: removed", -1, "", "", "", "", ""},
    {"Nov 24 08:23:04 mx postfix/smtpd[123]: 4WXabc: "
     "client=pc[192.0.2.7], sasl_method=PLAIN, sasl_username=",
     -1, "", "", "", "", ""},
    /* qmgr */
    {"Nov  4 08:23:04 mx postfix/qmgr[9]: 4WXabc: from=<alias@example.com>, "
     "size=123, nrcpt=1 (queue active)",
     MAILLOG_SENDER, "postfix", "4WXabc", "", "alias@example.com", ""},
    {"Nov 24 08:23:04 mx postfix/qmgr[9]: 4WXabc: from=<>, size=1, nrcpt=1",
     MAILLOG_SENDER, "postfix", "4WXabc", "", "", ""},
    {"Nov 24 08:23:04 mx postfix/qmgr[9]: 4WXabc: from=<\"a>, b\"@d>, size=1",
     MAILLOG_SENDER, "postfix", "4WXabc", "", "\"a>, b\"@d", ""},
    {"Nov 24 08:23:04 mx postfix/qmgr[9]: 4WXabc: from=<a@b>, status=expired, "
     "returned to sender",
     MAILLOG_SENDER, "postfix", "4WXabc", "", "a@b", ""},
    {"Nov 24 08:23:04 mx postfix/qmgr[9]: 4WXabc: from=<\"a\\\">, size=\"@d>, "
     "size=1",
     MAILLOG_SENDER, "postfix", "4WXabc", "", "\"a\\\">, size=\"@d", ""},
    {"Nov 24 08:23:04 mx postfix/qmgr[9]: 4WXabc: from=<a\"b@d>, size=1",
     MAILLOG_SENDER, "postfix", "4WXabc", "", "a\"b@d", ""},
    {"Nov 24 08:23:04 mx postfix/qmgr[9]: 4WXabc: from=<a@b", -1, "", "", "",
     "", ""},
    {"Nov 24 08:23:04 mx postfix/qmgr[9]: 4WXabc: removed", MAILLOG_REMOVED,
     "postfix", "4WXabc", "", "", ""},
    {"Nov 24 08:23:04 mx postfix/postsuper[9]: 4WXabc: removed",
     MAILLOG_REMOVED, "postfix", "4WXabc", "", "", ""},
    {"Nov 24 08:23:04 mx postfix/qmgr[9]: 4WX-abc: removed", -1, "", "", "", "",
     ""},
    /* refusals and warnings */
    {"Nov 24 08:23:04 mx postfix/submission/smtpd[1]: NOQUEUE: reject: RCPT "
     "from pc[192.0.2.7]: 553 5.7.1 <alias@example.com>: Sender address "
     "rejected: not owned by user user@example.com; "
     "from=<alias@example.com> to=<x@y> proto=ESMTP helo=<pc>",
     MAILLOG_REFUSED, "postfix", "NOQUEUE", "user@example.com",
     "alias@example.com", "192.0.2.7"},
    {"Nov 24 08:23:04 mx postfix/smtpd[1]: 4WXabc: reject: MAIL from "
     "pc[192.0.2.7]: 553 5.7.1 <a@b>: Sender address rejected: not owned by "
     "user u; from=<a@b> proto=ESMTP helo=<pc>",
     MAILLOG_REFUSED, "postfix", "4WXabc", "u", "a@b", "192.0.2.7"},
    {"Nov 24 08:23:04 mx postfix/smtpd[1]: NOQUEUE: warn: RCPT from "
     "pc[192.0.2.7]: fromguard: would reject: not owned by user u; from=<a@b> "
     "to=<x@y> proto=ESMTP helo=<pc>",
     MAILLOG_WARNED, "postfix", "NOQUEUE", "u", "a@b", "192.0.2.7"},
    {"Nov 24 08:23:04 mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from "
     "pc[192.0.2.7]: 553 5.7.1 <\"a> to=<b\"@d>: Sender address rejected: not "
     "owned by user u; from=<\"a> to=<b\"@d> to=<x@y> proto=ESMTP helo=<pc>",
     MAILLOG_REFUSED, "postfix", "NOQUEUE", "u", "\"a> to=<b\"@d", "192.0.2.7"},
    {"Nov 24 08:23:04 mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from "
     "pc[192.0.2.7]: 554 5.7.1 <x@y>: Relay access denied; from=<a@b> "
     "to=<x@y> proto=ESMTP helo=<pc>",
     -1, "", "", "", "", ""},
    {"Nov 24 08:23:04 mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from "
     "pc[192.0.2.7]: 553 5.7.1 <a@b>: not owned by user u",
     -1, "", "", "", "", ""},
    {"Nov 24 08:23:04 mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from pc: "
     "553 5.7.1 <a@b>: not owned by user u; from=<a@b> to=<x@y>",
     MAILLOG_REFUSED, "postfix", "NOQUEUE", "u", "a@b", ""},
    {"Nov 24 08:23:04 mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from "
     "pc[192.0.2.7]: 553 5.7.1 <a@b>: Sender address rejected: not owned by "
     "user ; from=<a@b> to=<x@y> proto=ESMTP helo=<pc>",
     -1, "", "", "", "", ""},
    {"Nov 24 08:23:04 mx postfix/smtpd[123]: 4WXabc: client=pc, "
     "sasl_method=PLAIN, sasl_username=user",
     MAILLOG_LOGIN, "postfix", "4WXabc", "user", "", ""},
    {"Nov 24 08:23:04 mx postfix/qmgr[9]: 4WXabc: from=<a@b>, size=1, x: y",
     MAILLOG_SENDER, "postfix", "4WXabc", "", "a@b", ""},
    {"Nov 24 08:23:04 mx a]: b: postfix/qmgr[9]: 4WXabc: removed", -1, "", "",
     "", "", ""},
};

#define ROWS (sizeof(rows) / sizeof(*rows))

static void
same(struct span got, const char *want)
{
	ck_assert_msg(span_is(got, want), "%" SPAN_FMT " is not %s",
		      SPAN_ARG(got), want);
}

START_TEST(line)
{
	const struct row *row = &rows[_i];
	struct maillog_line got;
	bool ok = maillog_parse(span_text(row->line), TODAY, &got);

	ck_assert_msg(ok == (row->kind >= 0), "%s", row->line);
	if (!ok)
		return;
	ck_assert_int_eq((int)got.kind, row->kind);
	same(got.instance, row->instance);
	same(got.queue_id, row->queue_id);
	same(got.login, row->login);
	same(got.sender, row->sender);
	same(got.client, row->client);
}
END_TEST

/* However a line is cut, nothing outside of it is read. */
START_TEST(cut)
{
	const char *text = rows[_i].line;
	struct maillog_line got;

	for (size_t len = 0; len <= strlen(text); len++) {
		char *part = malloc(len > 0 ? len : 1);

		ck_assert_ptr_nonnull(part);
		memcpy(part, text, len);
		(void)maillog_parse(span_of(part, len), TODAY, &got);
		free(part);
	}
}
END_TEST

static const struct {
	const char *text;
	size_t len; /* that it takes; 0: it is no time */
	int64_t time;
} times[] = {
    {"2026-11-24", 10, 1795478400},
    {"2026-11-24T08:23:04Z", 20, 1795508584},
    {"2026-11-24T08:23:04.987654+01:00 mx", 32, 1795504984},
    {"2026-11-24T08:23:04-0130", 24, 1795513984},
    {"2026-11-24 08:23:04", 19, 1795508584},
    {"Nov 24 08:23:04 mx", 15, 1795508584},
    {"Nov  4 08:23:04 mx", 15, 1793780584},
    /* A day that is not yet was one of last year. */
    {"Dec 31 23:59:59 mx", 15, 1767225599},
    /* A clock that is ahead by a few hours is that, no more. */
    {"Nov 24 20:00:00 mx", 15, 1795550400},
    {"2026-13-24", 0, 0},
    {"2026-11-32", 0, 0},
    {"2026-11-24T25:00:00Z", 0, 0},
    {"2026-11-24T08:23", 0, 0},
    {"2026-11", 0, 0},
    {"Nov 24", 0, 0},
    {"Nox 24 08:23:04", 0, 0},
    {"ovD 24 08:23:04", 0, 0},
    {"Nov 24 08-23-04", 0, 0},
    {"Nov xx 08:23:04", 0, 0},
    {"", 0, 0},
    /* What follows a date is not part of it, unless it is a time. */
    {"2026-11-24 mx", 10, 1795478400},
    {"2026-11-24 ", 10, 1795478400},
    {"2026-11-24 :", 10, 1795478400},
    {"2026-11-24 08:23:04,5Z", 22, 1795508584},
    {"2026-11-24T08:23:04.", 20, 1795508584},
    {"2026-11-24T08:23:04.5/", 21, 1795508584},
    {"2026-11-24T08:23:60Z", 20, 1795508640},
    {"2026-00-24", 0, 0},
    {"2026-11-00", 0, 0},
    {"20/6-11-24", 0, 0},
    {"2026/11-24", 0, 0},
    {"2026-x1-24", 0, 0},
    {"2026-11/24", 0, 0},
    {"2026-11-2:", 0, 0},
    {"2026-11-24T24:00:00", 0, 0},
    {"2026-11-24T08:60:00", 0, 0},
    {"2026-11-24T08:00:61", 0, 0},
    {"2026-11-24T0x:00:00", 0, 0},
    {"2026-11-24T08.00:00", 0, 0},
    {"2026-11-24T08:0x:00", 0, 0},
    {"2026-11-24T08:00.00", 0, 0},
    {"2026-11-24T08:00:0x", 0, 0},
    {"2026-11-24 0x:00:00", 0, 0},
    {"2026-11-24T08:23:04+1", 0, 0},
    {"2026-11-24T08:23:04+01:", 0, 0},
    {"2026-11-24T08:23:04-01:x0", 0, 0},
    {"2026-11-24T", 0, 0},
    {"Nov 24 08:60:04 mx", 0, 0},
    {"Nov 24.08:23:04 mx", 0, 0},
    {"Nov  x 08:23:04 mx", 0, 0},
    {"Nov-24 08:23:04 mx", 0, 0},
    {"/ov 24 08:23:04 mx", 0, 0},
    {":ov 24 08:23:04 mx", 0, 0},
};

START_TEST(stamp)
{
	int64_t time = 0;
	size_t len = maillog_time(span_text(times[_i].text), TODAY, &time);

	ck_assert_uint_eq(len, times[_i].len);
	if (len > 0)
		ck_assert_int_eq(time, times[_i].time);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("maillog");
	TCase *tcase = tcase_create("maillog");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (setenv("TZ", "UTC", 1) != 0)
		return EXIT_FAILURE;
	tcase_add_loop_test(tcase, line, 0, (int)ROWS);
	tcase_add_loop_test(tcase, cut, 0, (int)ROWS);
	tcase_add_loop_test(tcase, stamp, 0,
			    (int)(sizeof(times) / sizeof(*times)));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
