/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/address.h"

#include <idn2.h>
#include <stdint.h>
#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

/* Bytes of the longest domain name in A-labels, RFC 1035 section 2.3.4. */
enum { DOMAIN_MAX = 255 };

/* A byte in each place of a word, so that eight are looked at at a time. */
#define EIGHT(byte) (UINT64_C(0x0101010101010101) * (byte))

static uint64_t
load8(const char *data)
{
	uint64_t word;

	memcpy(&word, data, sizeof(word));
	return word;
}

static bool
is_ascii(struct span s)
{
	uint64_t bits = 0;
	size_t i = 0;

	for (; i + 8 <= s.len; i += 8)
		bits |= load8(s.data + i);
	for (; i < s.len; i++)
		bits |= (unsigned char)s.data[i];
	return (bits & EIGHT(0x80)) == 0;
}

/* Make the ASCII capitals among eight bytes small. */
static uint64_t
lower8(uint64_t word)
{
	uint64_t low = word & EIGHT(0x7f);
	/* The top bit of each byte: at least 'A', more than 'Z'. */
	uint64_t from_a = low + EIGHT(0x80 - 'A');
	uint64_t beyond_z = low + EIGHT(0x7f - 'Z');
	uint64_t capital = (from_a ^ beyond_z) & ~word & EIGHT(0x80);

	return word | capital >> 2;
}

static bool
is_utf8(struct span s)
{
	return u8_check((const uint8_t *)s.data, s.len) == NULL;
}

static void
copy_lower8(const char *in, char *out)
{
	uint64_t word = lower8(load8(in));

	memcpy(out, &word, sizeof(word));
}

/* Copy with ASCII letters in lower case; false where it does not fit. */
static bool
copy_lower(struct span in, char *out, size_t size, size_t *len)
{
	size_t i = 0;

	if (in.len > size)
		return false;
	*len = in.len;
	if (in.len < 8) {
		for (; i < in.len; i++)
			out[i] = byte_lower(in.data[i]);
		return true;
	}
	for (; i + 8 < in.len; i += 8)
		copy_lower8(in.data + i, out + i);
	/* The last eight bytes, some of them for the second time. */
	copy_lower8(in.data + in.len - 8, out + in.len - 8);
	return true;
}

static bool
copy_bytes(struct span in, char *out, size_t size, size_t *len)
{
	if (in.len > size)
		return false;
	memcpy(out, in.data, in.len);
	*len = in.len;
	return true;
}

/* Folding of Unicode letters, as u8_casefold() and u8_tolower() do it. */
typedef uint8_t *fold_function(const uint8_t *in, size_t len,
			       const char *language, uninorm_t form,
			       uint8_t *out, size_t *out_len);

/* Is there an ASCII byte in what one character folds to, which it was not? */
static bool
folds_to_ascii(const uint8_t *character, size_t len, fold_function *fold)
{
	uint8_t folded[64];
	size_t folded_len = sizeof(folded);
	uint8_t *result =
	    fold(character, len, NULL, UNINORM_NFC, folded, &folded_len);
	bool ascii = result == NULL;

	for (size_t i = 0; !ascii && i < folded_len; i++)
		ascii = result[i] < 0x80;
	if (result != folded)
		free(result);
	return ascii;
}

/* Look for a character whose folding would make ASCII: s is UTF-8. */
static bool
any_folds_to_ascii(struct span s, fold_function *fold)
{
	const uint8_t *p = (const uint8_t *)s.data;
	const uint8_t *end = p + s.len;

	while (p < end) {
		int n = u8_mblen(p, (size_t)(end - p));

		if (n <= 0)
			return true;
		if (*p >= 0x80 && folds_to_ascii(p, (size_t)n, fold))
			return true;
		p += n;
	}
	return false;
}

/* Fold and compose s, UTF-8, into out; false where it does not fit. */
static bool
copy_folded(struct span s, fold_function *fold, char *out, size_t size,
	    size_t *len)
{
	uint8_t *result;
	size_t folded_len = 0;
	bool fits;

	result = fold((const uint8_t *)s.data, s.len, NULL, UNINORM_NFC, NULL,
		      &folded_len);
	if (result == NULL)
		return false;
	fits = copy_bytes(span_of((const char *)result, folded_len), out, size,
			  len);
	free(result);
	return fits;
}

/*
 * Make the canonical local part. What is not UTF-8, or would fold to ASCII,
 * stays as its bytes, so that it equals no ASCII spelling.
 */
static bool
canonical_local(struct span raw, char *out, size_t size, size_t *len,
		bool *valid)
{
	*valid = raw.len > 0;
	if (is_ascii(raw))
		return copy_lower(raw, out, size, len);
	if (!is_utf8(raw)) {
		*valid = false;
		return copy_bytes(raw, out, size, len);
	}
	if (any_folds_to_ascii(raw, u8_casefold))
		return copy_bytes(raw, out, size, len);
	return copy_folded(raw, u8_casefold, out, size, len);
}

/* Convert a folded domain to A-labels, in place where that is possible. False
 * where they would not fit. */
static bool
to_a_labels(char *domain, size_t size, size_t *len)
{
	char copy[ADDRESS_MAX + 1];
	uint8_t *ascii = NULL;
	bool fits = true;

	if (*len > ADDRESS_MAX)
		return true;
	memcpy(copy, domain, *len);
	copy[*len] = '\0';
	/*
	 * Without the mapping of UTS 46, which would make dots of U+3002 and
	 * nothing of soft hyphens: look-alikes are not to become equal.
	 */
	if (memchr(copy, '\0', *len) == NULL &&
	    idn2_lookup_u8((const uint8_t *)copy, &ascii,
			   IDN2_NO_TR46 | IDN2_NFC_INPUT) == IDN2_OK) {
		struct span labels = span_text((const char *)ascii);

		if (labels.len <= DOMAIN_MAX)
			fits = copy_bytes(labels, domain, size, len);
	}
	idn2_free(ascii);
	return fits;
}

/* Drop the dot that makes a name absolute, but no second one. */
static struct span
without_root(struct span domain)
{
	size_t len = domain.len;

	if (len >= 2 && domain.data[len - 1] == '.' &&
	    domain.data[len - 2] != '.')
		domain.len--;
	return domain;
}

/*
 * Make the canonical domain. Lower case, not case folding: IDNA2008 keeps the
 * sharp s apart from ss. What does not convert is its bytes, folded.
 */
static bool
canonical_domain(struct span raw, char *out, size_t size, size_t *len,
		 bool *valid)
{
	struct span domain = without_root(raw);

	*valid = domain.len > 0;
	if (is_ascii(domain))
		return copy_lower(domain, out, size, len);
	if (!is_utf8(domain)) {
		*valid = false;
		return copy_lower(domain, out, size, len);
	}
	if (domain.data[0] == '[' || any_folds_to_ascii(domain, u8_tolower))
		return copy_lower(domain, out, size, len);
	if (!copy_folded(domain, u8_tolower, out, size, len))
		return false;
	return to_a_labels(out, size, len);
}

bool
address_parse(struct address *address, struct span raw, struct span origin)
{
	const char *at = memrchr(raw.data, '@', raw.len);
	size_t local_len = at == NULL ? raw.len : (size_t)(at - raw.data);
	size_t domain_len = 0;
	size_t room;

	address->domain_valid = false;
	if (!canonical_local(span_of(raw.data, local_len), address->text,
			     ADDRESS_MAX, &address->at, &address->local_valid))
		return false;
	address->len = address->at;
	if (at == NULL && origin.len == 0)
		return true;
	if (address->at == ADDRESS_MAX)
		return false;
	address->text[address->len++] = '@';
	room = ADDRESS_MAX - address->len;
	if (at == NULL) {
		address->domain_valid = true;
		if (!copy_bytes(origin, address->text + address->len, room,
				&domain_len))
			return false;
	} else if (!canonical_domain(span_from(raw, local_len + 1),
				     address->text + address->len, room,
				     &domain_len, &address->domain_valid)) {
		return false;
	}
	address->len += domain_len;
	return true;
}

bool
address_move(const struct address *address, struct span domain,
	     struct address *moved)
{
	if (address->at + 1 + domain.len > ADDRESS_MAX)
		return false;
	memcpy(moved->text, address->text, address->at);
	moved->text[address->at] = '@';
	memcpy(moved->text + address->at + 1, domain.data, domain.len);
	moved->at = address->at;
	moved->len = address->at + 1 + domain.len;
	moved->local_valid = address->local_valid;
	moved->domain_valid = true;
	return true;
}

size_t
address_domain(struct span raw, char *out, size_t size)
{
	size_t len = 0;
	bool valid;

	if (!canonical_domain(raw, out, size, &len, &valid) || !valid)
		return 0;
	return len;
}

/*
 * Undo a quoted string at the front of *raw: step over it and its closing
 * quote, its content goes to out.
 */
static bool
unquote(struct span *raw, char *out, size_t *len)
{
	size_t i = 1;

	while (i < raw->len && raw->data[i] != '"') {
		if (raw->data[i] == '\\' && ++i == raw->len)
			return false;
		out[(*len)++] = raw->data[i++];
	}
	if (i >= raw->len)
		return false;
	*raw = span_from(*raw, i + 1);
	return true;
}

bool
address_unquote(struct span raw, char *out, size_t *len)
{
	*len = 0;
	if (raw.len > 0 && raw.data[0] == '"') {
		if (!unquote(&raw, out, len))
			return false;
		if (raw.len > 0 && raw.data[0] != '@')
			return false;
	}
	memcpy(out + *len, raw.data, raw.len);
	*len += raw.len;
	return true;
}

/* Names that are whole for Postfix, whatever the delimiter. */
static bool
is_reserved(struct span local)
{
	return span_is_nocase(local, "postmaster") ||
	       span_is_nocase(local, "mailer-daemon") ||
	       span_is_nocase(local, "double-bounce");
}

/* The addresses around a list, which have a '-' that is no delimiter. */
static bool
is_list_related(struct span local)
{
	static const char owner[] = "owner-";
	static const char request[] = "-request";
	size_t owner_len = sizeof(owner) - 1;
	size_t request_len = sizeof(request) - 1;

	if (local.len >= owner_len &&
	    span_is_nocase(span_of(local.data, owner_len), owner))
		return true;
	return local.len > request_len &&
	       span_is_nocase(span_from(local, local.len - request_len),
			      request);
}

size_t
address_base_len(struct span local, const char *delimiters)
{
	size_t i = 0;

	if (delimiters[0] == '\0' || is_reserved(local))
		return 0;
	if (strchr(delimiters, '-') != NULL && is_list_related(local))
		return 0;
	while (i < local.len && (local.data[i] == '\0' ||
				 strchr(delimiters, local.data[i]) == NULL))
		i++;
	return i < local.len ? i : 0;
}

bool
address_base(const struct address *address, const char *delimiters,
	     struct address *base)
{
	size_t base_len = address_base_len(address_local(address), delimiters);
	size_t domain_len = address->len - address->at;

	if (base_len == 0)
		return false;
	memcpy(base->text, address->text, base_len);
	memcpy(base->text + base_len, address->text + address->at, domain_len);
	base->at = base_len;
	base->len = base_len + domain_len;
	base->local_valid = address->local_valid;
	base->domain_valid = address->domain_valid;
	return true;
}
