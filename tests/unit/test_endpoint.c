/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/settings.h"

#include <check.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}
/* 100 bytes; a socket's path has at most 107. */
#define TEN "aaaaaaaaaa"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct good {
	const char *text;
	bool is_unix;
	const char *name;
	unsigned port;
} goods[] = {
    {"unix:/run/x", true, "/run/x", 0},
    {"unix:relative", true, "relative", 0},
    {"unix:/with:colon", true, "/with:colon", 0},
    {"unix:" HUNDRED "1234567", true, HUNDRED "1234567", 0},
    {"inet:127.0.0.1:10040", false, "127.0.0.1", 10040},
    {"inet:localhost:1", false, "localhost", 1},
    {"inet:mail-1.example.com:65535", false, "mail-1.example.com", 65535},
    {"inet:0.0.0.0:25", false, "0.0.0.0", 25},
    {"inet:[::1]:10040", false, "::1", 10040},
    {"inet:[::]:1", false, "::", 1},
    {"inet:[fe80::1%eth0]:1", false, "fe80::1%eth0", 1},
    {"inet:[::ffff:192.0.2.1]:1", false, "::ffff:192.0.2.1", 1},
};

START_TEST(reads_and_spells)
{
	const struct good *row = &goods[_i];
	struct endpoint endpoint;
	struct error error = {""};
	char *text;

	ck_assert_msg(endpoint_parse(span_text(row->text), &endpoint, &error),
		      "%s: %s", row->text, error.text);
	ck_assert_int_eq(endpoint.is_unix, row->is_unix);
	ck_assert_str_eq(endpoint.name, row->name);
	ck_assert_uint_eq(endpoint.port, row->port);
	text = endpoint_format(&endpoint);
	ck_assert_str_eq(text, row->text);
	free(text);
	free(endpoint.name);
}
END_TEST

static const struct bad {
	struct span text;
	const char *reason; /* a part of it */
} bads[] = {
    {BYTES(""), "is no endpoint"},
    {BYTES("unix"), "is no endpoint"},
    {BYTES("tcp:127.0.0.1:1"), "is no endpoint"},
    {BYTES("UNIX:/run/x"), "is no endpoint"},
    {BYTES("127.0.0.1:10040"), "unix:PATH or inet:HOST:PORT"},
    {BYTES("/run/x"), "write unix:/run/x"},
    {BYTES("unix:"), "has no path"},
    {BYTES("unix:/a\0b"), "NUL"},
    {BYTES("inet:a\0b:1"), "NUL"},
    {BYTES("unix:" HUNDRED "12345678"), "has 108 bytes"},
    {BYTES("inet:"), "is no inet:HOST:PORT"},
    {BYTES("inet:10040"), "is no inet:HOST:PORT"},
    {BYTES("inet::10040"), "is no inet:HOST:PORT"},
    {BYTES("inet:::1:10040"), "is no inet:HOST:PORT"},
    {BYTES("inet:[]:1"), "is no inet:HOST:PORT"},
    {BYTES("inet:[::1:1"), "is no inet:HOST:PORT"},
    {BYTES("inet:[::1]"), "is no inet:HOST:PORT"},
    {BYTES("inet:[::g]:1"), "is no inet:HOST:PORT"},
    {BYTES("inet:[1:2:3:4:5:6:7:8:9]:1"), "is no inet:HOST:PORT"},
    {BYTES("inet:[fe80::1%]:1"), "is no inet:HOST:PORT"},
    {BYTES("inet:[" HUNDRED ":]:1"), "is no inet:HOST:PORT"},
    {BYTES("inet:[127.0.0.1]:1"), "is no inet:HOST:PORT"},
    {BYTES("inet:*:1"), "is no inet:HOST:PORT"},
    {BYTES("inet:m\303\274nchen.example:1"), "is no inet:HOST:PORT"},
    {BYTES("inet:a/b:1"), "is no inet:HOST:PORT"},
    {BYTES("inet:a]:1"), "is no inet:HOST:PORT"},
    {BYTES("inet:" HUNDRED HUNDRED HUNDRED ":1"), "is no inet:HOST:PORT"},
    {BYTES("inet:localhost:"), "1 to 65535"},
    {BYTES("inet:localhost:0"), "1 to 65535"},
    {BYTES("inet:localhost:65536"), "1 to 65535"},
    {BYTES("inet:localhost:4294967297"), "1 to 65535"},
    {BYTES("inet:localhost:-1"), "1 to 65535"},
    {BYTES("inet:localhost:+1"), "1 to 65535"},
    {BYTES("inet:localhost:smtp"), "1 to 65535"},
    {BYTES("inet:localhost:25 "), "1 to 65535"},
};

START_TEST(refuses)
{
	const struct bad *row = &bads[_i];
	struct endpoint endpoint;
	struct error error = {""};

	ck_assert(!endpoint_parse(row->text, &endpoint, &error));
	ck_assert_msg(strstr(error.text, row->reason) != NULL,
		      "%s: \"%s\" does not say \"%s\"", row->text.data,
		      error.text, row->reason);
	ck_assert(!endpoint_parse(row->text, &endpoint, NULL));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("endpoint");
	TCase *tcase = tcase_create("endpoint");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, reads_and_spells, 0, COUNT(goods));
	tcase_add_loop_test(tcase, refuses, 0, COUNT(bads));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
