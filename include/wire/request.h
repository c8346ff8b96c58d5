/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of the SMTP access policy delegation protocol
 * (SMTPD_POLICY_README): "name=value" lines, an empty line ends one. The
 * parser has no descriptor and no clock: bytes go in, requests come out.
 */
#ifndef WIRE_REQUEST_H
#define WIRE_REQUEST_H

#include "base/span.h"

struct request_limits {
	size_t request; /* bytes of a request, its empty line included */
	size_t line;    /* bytes of a line, its newline not included */
	size_t attributes;
};

/* request_limit's default, and what is not for the settings. */
#define REQUEST_LIMITS ((struct request_limits){65536, 16384, 128})

/*
 * One request. Attributes that it did not have are empty; names that nobody
 * here reads are ignored. Spans are valid until the next request_next() or
 * request_feed() on the same parser.
 */
struct request {
	struct span sender;   /* without quotes, as Postfix sends it */
	struct span login;    /* sasl_username */
	struct span instance; /* the same for all recipients of a mail */
	struct span queue_id;
	struct span client_address;
	struct span recipient;
	struct span protocol_state;
};

enum request_state {
	REQUEST_READY, /* *request is filled */
	REQUEST_MORE,  /* feed more bytes */
	REQUEST_BAD,   /* for good: log, count, close, no reply */
};

/* Why a parser is bad; request_fault_name() has them as words for the log
 * and the metrics. */
enum request_fault {
	REQUEST_FAULT_NONE,
	REQUEST_FAULT_LINE,       /* "line-too-long" */
	REQUEST_FAULT_SIZE,       /* "request-too-long" */
	REQUEST_FAULT_ATTRIBUTES, /* "too-many-attributes" */
	REQUEST_FAULT_SYNTAX,     /* "no-equals-sign" */
	REQUEST_FAULT_NUL,        /* "nul-byte" */
	REQUEST_FAULT_CR,         /* "carriage-return": CR at a line's end */
	REQUEST_FAULT_CONFLICT,   /* "conflicting-attributes": two different
				     values of sender, or of sasl_username */
	REQUEST_FAULT_TYPE,       /* "unknown-request": request= is missing or
				     not smtpd_access_policy */
	REQUEST_FAULT_SENDER,     /* "no-sender": no sender attribute */
	REQUEST_FAULT_MEMORY,     /* "no-memory" */
	REQUEST_FAULT_COUNT,
};

struct request_parser;

/* A parser for one connection, or NULL where there is no memory. Small: it
 * has a buffer only while a request is in it that has not arrived whole. */
struct request_parser *request_parser_new(const struct request_limits *limits);
void request_parser_free(struct request_parser *parser);

/*
 * Give the parser len bytes that arrived. They are borrowed until
 * request_next() answers REQUEST_MORE or REQUEST_BAD, and have to stay as
 * they are till then; feed again only after that.
 */
void request_feed(struct request_parser *parser, const char *data, size_t len);

/*
 * Take the next request out. Call until it says REQUEST_MORE or REQUEST_BAD;
 * how the bytes were cut into feeds makes no difference, and several requests
 * in one feed come out in their order. REQUEST_BAD stays.
 */
enum request_state request_next(struct request_parser *parser,
				struct request *request);

/* True between the first byte of a request and its end. */
bool request_has_begun(const struct request_parser *parser);
/* Why it is bad; REQUEST_FAULT_NONE while it is not. */
enum request_fault request_fault(const struct request_parser *parser);
const char *request_fault_name(enum request_fault fault);
/* Bytes that the parser holds at the moment, itself included. */
size_t request_parser_memory(const struct request_parser *parser);

#endif
