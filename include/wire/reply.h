/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies of the policy protocol. Whatever goes in, what comes out is one of
 * the four shapes below and an empty line: an empty action would accept the
 * mail, an unknown word or invalid UTF-8 would be a temporary error, OK would
 * skip the restrictions that follow.
 */
#ifndef WIRE_REPLY_H
#define WIRE_REPLY_H

#include "base/span.h"

enum reply_kind {
	REPLY_DUNNO,  /* action=DUNNO; the text is not looked at */
	REPLY_REJECT, /* action=553 5.7.1 TEXT */
	REPLY_DEFER,  /* action=451 4.3.0 TEXT */
	REPLY_WARN,   /* action=WARN TEXT */
};

enum {
	REPLY_MAX = 512, /* bytes of a reply, the two newlines included */
};

/*
 * Write a reply; returns its length. The text becomes valid UTF-8 on one
 * line: bytes that are not UTF-8, control characters (C0, DEL, C1) and
 * characters that move or hide text (line and paragraph separators, the
 * bidirectional controls) become '?'; blanks at its ends go; what is too long
 * ends at a character's border. A text of which nothing is left is
 * "not permitted".
 */
size_t reply_write(enum reply_kind kind, struct span text, char out[REPLY_MAX]);

#endif
