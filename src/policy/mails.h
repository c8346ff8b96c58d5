/* SPDX-License-Identifier: BSD-2-Clause */
/* Mails under way in a log: half of what is to be known of each. */
#ifndef POLICY_MAILS_H
#define POLICY_MAILS_H

#include "base/hash.h"
#include "wire/maillog.h"

#include <sys/queue.h>

/* A mail of which the login or the sender is known, not both. */
struct mail {
	TAILQ_ENTRY(mail) by_age;
	LIST_ENTRY(mail) by_hash;
	int64_t time;
	bool has_login; /* else it has the sender */
	size_t queue_id_len;
	size_t instance_len;
	size_t who_len; /* login or sender */
	size_t client_len;
	char text[]; /* all four, one behind the other */
};

LIST_HEAD(mail_bucket, mail);

struct mails {
	TAILQ_HEAD(, mail) by_age; /* the oldest first */
	struct mail_bucket *buckets;
	size_t bucket_count;
	size_t count;
	size_t max;
	uint64_t dropped_logins; /* mails of logins that never got a sender */
	struct hash_key hash_key;
};

/* The caller's storage, for at most max mails; beyond that the oldest go. */
void mails_init(struct mails *mails, size_t max);
void mails_fini(struct mails *mails);

/* The mail that a line is about, or NULL. */
struct mail *mails_find(const struct mails *mails,
			const struct maillog_line *line);
/* Keep the half that a line tells. */
void mails_add(struct mails *mails, const struct maillog_line *line);
/* Forget a mail. */
void mails_remove(struct mails *mails, struct mail *take_mail);

struct span mail_who(const struct mail *mail);
struct span mail_client(const struct mail *mail);

#endif
