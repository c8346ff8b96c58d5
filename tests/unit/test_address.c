/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/address.h"
#include "base/memory.h"

#include <check.h>
#include <stdlib.h>

/* Spellings, and what they become; NULL: not listable for its length. */
struct row {
	const char *raw;
	const char *canonical;
	bool listable;
};

static const struct row canonical_rows[] = {
    {"user@example.com", "user@example.com", true},
    {"User@EXAMPLE.Com", "user@example.com", true},
    {"user@example.com.", "user@example.com", true},
    {"user@example.com..", "user@example.com..", true},
    {"user@.", "user@.", true},
    {"user@", "user@", false},
    {"@example.com", "@example.com", false},
    {"@", "@", false},
    {"", "", false},
    {"user", "user", true},
    {"a@b@example.com", "a@b@example.com", true},
    {"x,User@example.com,y@bank.test", "x,user@example.com,y@bank.test", true},
    {"user@[192.0.2.1]", "user@[192.0.2.1]", true},
    {"user@[IPv6:2001:DB8::1]", "user@[ipv6:2001:db8::1]", true},
    {"50%off!@example.com", "50%off!@example.com", true},
    {"user@m\xc3\xbcnchen.example", "user@xn--mnchen-3ya.example", true},
    {"user@M\xc3\x9cNCHEN.example", "user@xn--mnchen-3ya.example", true},
    {"user@mu\xcc\x88nchen.example", "user@xn--mnchen-3ya.example", true},
    {"user@XN--MNCHEN-3YA.example", "user@xn--mnchen-3ya.example", true},
    {"user@stra\xc3\x9f"
     "e.example",
     "user@xn--strae-oqa.example", true},
    /* No mapping of look-alikes: U+3002, fullwidth, soft hyphen, Kelvin. */
    {"user@a\xe3\x80\x82"
     "Example",
     "user@a\xe3\x80\x82"
     "example",
     true},
    {"user@\xef\xbd\x85xample.com", "user@\xef\xbd\x85xample.com", true},
    {"user@exa\xc2\xadmple.com", "user@exa\xc2\xadmple.com", true},
    {"user@\xe2\x84\xaa"
     "elvin.example",
     "user@\xe2\x84\xaa"
     "elvin.example",
     true},
    {"user@bad\xff.Example", "user@bad\xff.example", false},
    /* Case folding and NFC of local parts. */
    {"\xc3\x89tienne@example.com", "\xc3\xa9tienne@example.com", true},
    {"E\xcc\x81tienne@example.com", "\xc3\xa9tienne@example.com", true},
    {"\xd0\x9f\xd0\xa3@example.com", "\xd0\xbf\xd1\x83@example.com", true},
    /* Folding that would make ASCII: the bytes stay. */
    {"\xc5\xbfmith@EXAMPLE.com", "\xc5\xbfmith@example.com", true},
    {"\xe2\x84\xaa"
     "im@example.com",
     "\xe2\x84\xaa"
     "im@example.com",
     true},
    {"Stra\xc3\x9f"
     "e@example.com",
     "Stra\xc3\x9f"
     "e@example.com",
     true},
    {"\xef\xac\x81n@example.com", "\xef\xac\x81n@example.com", true},
    {"\xc4\xb0@example.com", "\xc4\xb0@example.com", true},
    {"\xc4\xb1@example.com", "\xc4\xb1@example.com", true},
    {"\xcd\xbe@example.com", "\xcd\xbe@example.com", true},
    {"\xef\xbd\x95ser@example.com", "\xef\xbd\x95ser@example.com", true},
    {"us\xc2\xad"
     "er@example.com",
     "us\xc2\xad"
     "er@example.com",
     true},
    {"us\xe2\x80\x8f"
     "er@example.com",
     "us\xe2\x80\x8f"
     "er@example.com",
     true},
    {"us\xff"
     "er@example.com",
     "us\xff"
     "er@example.com",
     false},
    {"\xc3@example.com", "\xc3@example.com", false},
};

START_TEST(canonical)
{
	const struct row *row = &canonical_rows[_i];
	struct address a;
	struct address b;

	ck_assert(address_parse(&a, span_text(row->raw), SPAN_NONE));
	ck_assert_msg(span_is(address_span(&a), row->canonical),
		      "%s became %.*s", row->raw, (int)a.len, a.text);
	ck_assert_int_eq(address_is_listable(&a), row->listable);
	ck_assert(address_parse(&b, address_span(&a), SPAN_NONE));
	ck_assert_msg(span_equal(address_span(&a), address_span(&b)),
		      "%.*s became %.*s", (int)a.len, a.text, (int)b.len,
		      b.text);
}
END_TEST

START_TEST(nul_is_a_byte)
{
	struct address a;

	ck_assert(address_parse(&a, span_of("A\0B@E\0F.com", 11), SPAN_NONE));
	ck_assert(span_equal(address_span(&a), span_of("a\0b@e\0f.com", 11)));
	ck_assert(
	    address_parse(&a, span_of("a@\xc3\xa9\0x.com", 10), SPAN_NONE));
	ck_assert_uint_eq(a.len, 10);
}
END_TEST

START_TEST(origin_completes)
{
	struct address a;

	ck_assert(
	    address_parse(&a, span_text("Alice"), span_text("example.com")));
	ck_assert(span_is(address_span(&a), "alice@example.com"));
	ck_assert(span_is(address_local(&a), "alice"));
	ck_assert(span_is(address_domain_of(&a), "example.com"));
	ck_assert(address_is_listable(&a));
	ck_assert(address_parse(&a, span_text("a@b"), span_text("c")));
	ck_assert(span_is(address_span(&a), "a@b"));
	ck_assert(address_parse(&a, span_text("alice"), SPAN_NONE));
	ck_assert_uint_eq(address_domain_of(&a).len, 0);
}
END_TEST

/* Nothing is cut: what fits is whole, and one byte more is refused. */
START_TEST(length_is_bounded)
{
	static const char domain[] = "@example.com";
	size_t domain_len = sizeof(domain) - 1;
	char raw[ADDRESS_MAX + 2];
	struct address a;

	memset(raw, 'a', sizeof(raw));
	memcpy(raw + ADDRESS_MAX - domain_len, domain, domain_len);
	ck_assert(address_parse(&a, span_of(raw, ADDRESS_MAX), SPAN_NONE));
	ck_assert_uint_eq(a.len, ADDRESS_MAX);
	memset(raw, 'a', sizeof(raw));
	memcpy(raw + ADDRESS_MAX + 1 - domain_len, domain, domain_len);
	ck_assert(!address_parse(&a, span_of(raw, ADDRESS_MAX + 1), SPAN_NONE));
	memset(raw, 'a', sizeof(raw));
	ck_assert(address_parse(&a, span_of(raw, ADDRESS_MAX), SPAN_NONE));
	ck_assert(!address_parse(&a, span_of(raw, ADDRESS_MAX + 1), SPAN_NONE));
	ck_assert(!address_parse(&a, span_of(raw, ADDRESS_MAX),
				 span_text("example.com")));
	ck_assert(
	    !address_parse(&a, span_of(raw, ADDRESS_MAX - 1), span_text("e")));
	ck_assert(
	    address_parse(&a, span_of(raw, ADDRESS_MAX - 2), span_text("e")));
}
END_TEST

static const struct {
	const char *raw;
	const char *canonical; /* NULL: no domain */
} domain_rows[] = {
    {"Example.COM.", "example.com"},
    {"m\xc3\xbcnchen.example", "xn--mnchen-3ya.example"},
    {"[192.0.2.1]", "[192.0.2.1]"},
    {"", NULL},
    {"bad\xff", NULL},
};

START_TEST(domains)
{
	char out[64];
	size_t len =
	    address_domain(span_text(domain_rows[_i].raw), out, sizeof(out));

	if (domain_rows[_i].canonical == NULL)
		ck_assert_uint_eq(len, 0);
	else
		ck_assert(
		    span_is(span_of(out, len), domain_rows[_i].canonical));
	ck_assert_uint_eq(address_domain(span_text("example.com"), out, 10), 0);
}
END_TEST

/* A domain that fits, but not as A-labels, has no other canonical form. */
START_TEST(a_labels_have_to_fit)
{
	static const char domain[] = "m\xc3\xbcnchen.example";
	const size_t len = sizeof("xn--mnchen-3ya.example") - 1;
	char raw[ADDRESS_MAX];
	struct address a;

	ck_assert_uint_eq(address_domain(span_text(domain), raw, len), len);
	ck_assert_uint_eq(address_domain(span_text(domain), raw, len - 1), 0);
	for (size_t excess = 0; excess < 2; excess++) {
		size_t local = ADDRESS_MAX - 1 - len + excess;

		memset(raw, 'a', local);
		raw[local] = '@';
		memcpy(raw + local + 1, domain, sizeof(domain) - 1);
		ck_assert_int_eq(
		    address_parse(&a, span_of(raw, local + sizeof(domain)),
				  SPAN_NONE),
		    excess == 0);
	}
}
END_TEST

static const struct {
	const char *raw;
	const char *bare; /* NULL: an error */
} quoted_rows[] = {
    {"user@example.com", "user@example.com"},
    {"\"a b\"@example.com", "a b@example.com"},
    {"\"a\\\"b\\\\c\"@example.com", "a\"b\\c@example.com"},
    {"\"a@b\"@example.com", "a@b@example.com"},
    {"\"john doe\"", "john doe"},
    {"\"\"@example.com", "@example.com"},
    {"a\"b\"@example.com", "a\"b\"@example.com"},
    {"\"a b@example.com", NULL},
    {"\"a\"b@example.com", NULL},
    {"\"a\\", NULL},
    {"\"", NULL},
    {"", ""},
};

START_TEST(quotes)
{
	char out[64];
	size_t len;
	bool done = address_unquote(span_text(quoted_rows[_i].raw), out, &len);

	ck_assert_int_eq(done, quoted_rows[_i].bare != NULL);
	if (done)
		ck_assert(span_is(span_of(out, len), quoted_rows[_i].bare));
}
END_TEST

static const struct {
	const char *address;
	const char *delimiters;
	const char *base; /* NULL: none */
} base_rows[] = {
    {"user+tag@example.com", "+", "user@example.com"},
    {"user+a+b@example.com", "+", "user@example.com"},
    {"user+@example.com", "+", "user@example.com"},
    {"user-a+b@example.com", "+-", "user@example.com"},
    {"user.a@example.com", "+.", "user@example.com"},
    {"user+tag", "+", "user"},
    {"+tag@example.com", "+", NULL},
    {"user@example.com", "+", NULL},
    {"user+tag@example.com", "", NULL},
    {"user@example+x.com", "+", NULL},
    {"owner-list@example.com", "-", NULL},
    {"owner-list@example.com", "+-", NULL},
    {"owner-list+x@example.com", "+", "owner-list@example.com"},
    {"list-request@example.com", "-", NULL},
    {"-request@example.com", "-", NULL},
    {"a-request@example.com", "-", NULL},
    {"list-owner@example.com", "-", "list@example.com"},
    {"postmaster+x@example.com", "+", "postmaster@example.com"},
    {"double-bounce@example.com", "-", NULL},
    {"mailer-daemon@example.com", "-", NULL},
    {"postmaster@example.com", "tm", NULL},
};

START_TEST(bases)
{
	struct address a;
	struct address base;
	bool has;

	ck_assert(
	    address_parse(&a, span_text(base_rows[_i].address), SPAN_NONE));
	has = address_base(&a, base_rows[_i].delimiters, &base);
	ck_assert_int_eq(has, base_rows[_i].base != NULL);
	if (has) {
		ck_assert(span_is(address_span(&base), base_rows[_i].base));
		ck_assert_int_eq(address_is_listable(&base), true);
	}
}
END_TEST

/* A NUL in a local part is no delimiter, whatever strchr() says. */
START_TEST(nul_divides_nothing)
{
	ck_assert_uint_eq(address_base_len(span_of("a\0b", 3), "+"), 0);
	ck_assert_uint_eq(address_base_len(span_of("a\0b+c", 5), "+"), 3);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *suite = suite_create("address");
	TCase *tests = tcase_create("address");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, canonical, 0, ROWS(canonical_rows));
	tcase_add_test(tests, nul_is_a_byte);
	tcase_add_test(tests, origin_completes);
	tcase_add_test(tests, length_is_bounded);
	tcase_add_loop_test(tests, domains, 0, ROWS(domain_rows));
	tcase_add_test(tests, a_labels_have_to_fit);
	tcase_add_loop_test(tests, quotes, 0, ROWS(quoted_rows));
	tcase_add_loop_test(tests, bases, 0, ROWS(base_rows));
	tcase_add_test(tests, nul_divides_nothing);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
