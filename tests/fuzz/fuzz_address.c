/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as an address; what stands in front of a newline is the domain of
 * addresses without one. A canonical form is a fixed point; ASCII is folded
 * as ASCII, byte for byte, and nothing else ever becomes ASCII.
 */
#include "base/address.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

static bool
is_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.data[i] >= 0x80)
			return false;
	return true;
}

/* Where the local part of raw ends. */
static size_t
local_len(struct span raw)
{
	const char *at = memrchr(raw.data, '@', raw.len);

	return at == NULL ? raw.len : (size_t)(at - raw.data);
}

static struct span
domain_of(struct span raw)
{
	size_t at = local_len(raw);

	return at == raw.len ? SPAN_NONE : span_from(raw, at + 1);
}

/* Drop the dot at the end of a name, as the specification has it. */
static struct span
without_dot(struct span domain)
{
	size_t len = domain.len;

	if (len > 1 && domain.data[len - 1] == '.' &&
	    domain.data[len - 2] != '.')
		domain.len--;
	return domain;
}

/* Are these ASCII bytes equal, but for upper case in raw? */
static bool
is_lower_of(struct span lower, struct span raw)
{
	if (lower.len != raw.len)
		return false;
	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.data[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (lower.data[i] != c)
			return false;
	}
	return true;
}

/* Is a label of the name an A-label? */
static bool
has_a_label(struct span domain)
{
	for (size_t i = 0; i + 4 <= domain.len; i++)
		if ((i == 0 || domain.data[i - 1] == '.') &&
		    memcmp(domain.data + i, "xn--", 4) == 0)
			return true;
	return false;
}

static void
check_local(const struct address *address, struct span raw)
{
	struct span local = address_local(address);

	if (is_ascii(raw)) {
		check(is_lower_of(local, raw), "an ASCII local part changed");
		check(address->local_valid == (raw.len > 0),
		      "an ASCII local part is not valid, or an empty one is");
		return;
	}
	check(!is_ascii(local), "a local part became ASCII");
}

static void
check_domain(const struct address *address, struct span raw)
{
	struct span domain = address_domain_of(address);

	if (is_ascii(raw)) {
		check(is_lower_of(domain, without_dot(raw)),
		      "an ASCII domain changed");
		check(address->domain_valid == (domain.len > 0),
		      "an ASCII domain is not valid, or an empty one is");
		return;
	}
	check(!is_ascii(domain) || has_a_label(domain),
	      "a domain became ASCII without an A-label");
}

/* Making the canonical form of a canonical form changes nothing. */
static void
check_fixed(const struct address *address)
{
	struct address again;

	check(address_parse(&again, address_span(address), SPAN_NONE),
	      "a canonical form has none");
	check(span_equal(address_span(address), address_span(&again)) &&
		  address->at == again.at,
	      "a canonical form is no fixed point");
	check(address->local_valid == again.local_valid &&
		  address->domain_valid == again.domain_valid,
	      "a canonical form is valid only once");
}

/* The base of a sub-address is a shorter one, and has none itself. */
static void
check_base(const struct address *address)
{
	static const char *const delimiters[] = {"", "+", "-", "+-_"};

	for (size_t i = 0; i < sizeof(delimiters) / sizeof(*delimiters); i++) {
		struct address base;
		struct address deeper;

		if (!address_base(address, delimiters[i], &base))
			continue;
		check(base.at > 0 && base.at < address->at &&
			  memcmp(base.text, address->text, base.at) == 0,
		      "a base is not the beginning of its address");
		check(span_equal(address_domain_of(&base),
				 address_domain_of(address)),
		      "a base is in another domain");
		check(!address_base(&base, delimiters[i], &deeper),
		      "a base has a base");
	}
}

static void
check_address(struct span raw, struct span origin)
{
	struct address address;
	struct span local = span_of(raw.data, local_len(raw));

	if (!address_parse(&address, raw, origin))
		return;
	check(address.len <= ADDRESS_MAX && address.at <= address.len,
	      "an address is too long");
	check(address.at == address.len || address.text[address.at] == '@',
	      "an address is not divided");
	check_local(&address, local);
	if (local.len < raw.len)
		check_domain(&address, domain_of(raw));
	else
		check(span_equal(address_domain_of(&address), origin),
		      "an address is not completed");
	check_fixed(&address);
	check_base(&address);
}

/* Unquoting undoes quoting, and writes no more than it may. */
static void
check_quotes(struct span raw)
{
	char *quoted = malloc(2 * raw.len + 2);
	char *out = malloc(2 * raw.len + 2);
	char *exact = malloc(raw.len > 0 ? raw.len : 1);
	size_t n = 0;
	size_t len = 0;

	check(quoted != NULL && out != NULL && exact != NULL, "no memory");
	quoted[n++] = '"';
	for (size_t i = 0; i < raw.len; i++) {
		if (raw.data[i] == '"' || raw.data[i] == '\\')
			quoted[n++] = '\\';
		quoted[n++] = raw.data[i];
	}
	quoted[n++] = '"';
	check(address_unquote(span_of(quoted, n), out, &len) &&
		  span_equal(span_of(out, len), raw),
	      "unquoting does not undo quoting");
	(void)address_unquote(raw, exact, &len); /* it may well be wrong */
	free(quoted);
	free(out);
	free(exact);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span raw =
	    size == 0 ? SPAN_NONE : span_of((const char *)data, size);
	const char *newline = memchr(raw.data, '\n', raw.len);
	char canonical[64];
	struct span origin = SPAN_NONE;

	if (newline != NULL) {
		size_t len = (size_t)(newline - raw.data);

		/* a domain has no '@' in it, wherever it comes from */
		if (memchr(raw.data, '@', len) == NULL)
			origin = span_of(canonical,
					 address_domain(span_of(raw.data, len),
							canonical,
							sizeof(canonical)));
		raw = span_from(raw, len + 1);
	}
	check_address(raw, origin);
	check_quotes(raw);
	return 0;
}
