/* SPDX-License-Identifier: BSD-2-Clause */
#include "mails.h"
#include "base/memory.h"

#include <stdlib.h>

void
mails_init(struct mails *mails, size_t max)
{
	memset(mails, 0, sizeof(*mails));
	TAILQ_INIT(&mails->by_age);
	mails->max = max;
	mails->bucket_count = max;
	mails->buckets =
	    memory_zero(mails->bucket_count, sizeof(*mails->buckets));
	hash_key_random(&mails->hash_key);
}

void
mails_fini(struct mails *mails)
{
	struct mail *mail;

	while ((mail = TAILQ_FIRST(&mails->by_age)) != NULL)
		mails_remove(mails, mail);
	free(mails->buckets);
}

static struct mail_bucket *
bucket_of(const struct mails *mails, struct span queue_id)
{
	return &mails->buckets[hash_bytes(&mails->hash_key, queue_id.data,
					  queue_id.len) %
			       mails->bucket_count];
}

static struct span
queue_id_of(const struct mail *mail)
{
	return span_of(mail->text, mail->queue_id_len);
}

/* Queue ids of two instances may be equal. */
static bool
is_same(const struct mail *mail, const struct maillog_line *line)
{
	return span_equal(queue_id_of(mail), line->queue_id) &&
	       span_equal(
		   span_of(mail->text + mail->queue_id_len, mail->instance_len),
		   line->instance);
}

struct mail *
mails_find(const struct mails *mails, const struct maillog_line *line)
{
	struct mail *mail;

	LIST_FOREACH(mail, bucket_of(mails, line->queue_id), by_hash)
	if (is_same(mail, line))
		break;
	return mail;
}

/* Append text; returns where the next one goes. */
static char *
append(char *to, struct span text)
{
	memcpy(to, text.data, text.len);
	return to + text.len;
}

void
mails_add(struct mails *mails, const struct maillog_line *line)
{
	bool has_login = line->kind == MAILLOG_LOGIN;
	struct span who = has_login ? line->login : line->sender;
	struct mail *mail;
	char *end;

	if (mails->count == mails->max)
		mails_remove(mails, TAILQ_FIRST(&mails->by_age));
	mail =
	    memory_zero(1, sizeof(*mail) + line->queue_id.len +
			       line->instance.len + who.len + line->client.len);
	mail->time = line->time;
	mail->has_login = has_login;
	mail->queue_id_len = line->queue_id.len;
	mail->instance_len = line->instance.len;
	mail->who_len = who.len;
	mail->client_len = line->client.len;
	end = append(mail->text, line->queue_id);
	end = append(end, line->instance);
	end = append(end, who);
	(void)append(end, line->client); /* nothing follows */
	TAILQ_INSERT_TAIL(&mails->by_age, mail, by_age);
	LIST_INSERT_HEAD(bucket_of(mails, line->queue_id), mail, by_hash);
	mails->count++;
}

void
mails_remove(struct mails *mails, struct mail *take_mail)
{
	if (take_mail->has_login)
		mails->dropped_logins++;
	TAILQ_REMOVE(&mails->by_age, take_mail, by_age);
	LIST_REMOVE(take_mail, by_hash);
	mails->count--;
	free(take_mail);
}

struct span
mail_who(const struct mail *mail)
{
	return span_of(mail->text + mail->queue_id_len + mail->instance_len,
		       mail->who_len);
}

struct span
mail_client(const struct mail *mail)
{
	struct span who = mail_who(mail);

	return span_of(who.data + who.len, mail->client_len);
}
