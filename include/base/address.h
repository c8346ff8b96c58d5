/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mail addresses in their canonical spelling, in which two spellings of one
 * mailbox are the same bytes: RFC 5321 and 6531 addresses, domains as A-labels
 * (IDNA2008, RFC 5891), local parts case-folded and in NFC, sub-addresses as
 * Postfix's recipient_delimiter has them.
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/span.h"

enum {
	/* The longest canonical address; a longer one can not be listed. It is
	 * Postfix's line_length_limit, beyond which no sender arrives. */
	ADDRESS_MAX = 2048,
};

/*
 * One canonical address. text is local part, '@', domain; without a domain it
 * is the local part alone, and at == len. The local part is not quoted: it
 * may hold blanks, commas and '@'.
 */
struct address {
	size_t len;
	size_t at;        /* where the dividing '@' is */
	bool local_valid; /* false: empty or not UTF-8; equals nothing listed */
	bool domain_valid; /* false: empty or not UTF-8; likewise */
	char text[ADDRESS_MAX];
};

/*
 * Make the canonical form of raw, a sender or login as it comes over the wire:
 * divided at the last '@', nothing quoted. Where it has no domain and
 * origin is not empty, origin (canonical already) becomes its domain.
 * False where the result would be longer than ADDRESS_MAX: not listable.
 * Canonical forms are fixed points: making one of one changes nothing.
 */
bool address_parse(struct address *address, struct span raw,
		   struct span origin);

/*
 * Make the same local part at another domain, canonical already, into *moved.
 * A '@' in the local part stays part of it. False where the result would be
 * longer than ADDRESS_MAX.
 */
bool address_move(const struct address *address, struct span domain,
		  struct address *moved);

/*
 * Make the canonical form of a domain, at most size bytes, into out. Returns
 * its length; 0 where it is empty, not UTF-8 or too long.
 */
size_t address_domain(struct span raw, char *out, size_t size);

/*
 * Undo the quoting of an address as map files have it ("a b"@example.com,
 * RFC 5321 section 4.1.2) into out, at least raw.len bytes; *len is what came
 * out. False where quotes do not close or something stands behind them that
 * is not '@'.
 */
bool address_unquote(struct span raw, char *out, size_t *len);

/*
 * The length of the base of a local part, or 0 where it has none, by the rules
 * of Postfix's split_addr(3): divided at the first of the characters in
 * delimiters; never an empty base; postmaster, mailer-daemon and double-bounce
 * stay whole, owner-x and x-request as well where '-' is a delimiter.
 */
size_t address_base_len(struct span local, const char *delimiters);

/* Copy address without its extension into *base; false where it has none. */
bool address_base(const struct address *address, const char *delimiters,
		  struct address *base);

/* The two sides and the whole; valid as long as *address is. */
static inline struct span
address_local(const struct address *address)
{
	return span_of(address->text, address->at);
}

static inline struct span
address_domain_of(const struct address *address)
{
	return address->at == address->len
		   ? SPAN_NONE
		   : span_of(address->text + address->at + 1,
			     address->len - address->at - 1);
}

static inline struct span
address_span(const struct address *address)
{
	return span_of(address->text, address->len);
}

/* True where it is one mailbox and can equal a listed address. */
static inline bool
address_is_listable(const struct address *address)
{
	return address->local_valid &&
	       (address->at == address->len || address->domain_valid);
}

#endif
