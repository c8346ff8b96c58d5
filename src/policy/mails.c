/* SPDX-License-Identifier: BSD-2-Clause */
#include "mails.h"
#include "base/buffer.h"
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

/* Spell what a mail is found by: queue ids of two instances may be equal. */
static void
make_key(const struct maillog_line *line, struct buffer *key)
{
	buffer_add(key, line->instance);
	buffer_byte(key, '\0');
	buffer_add(key, line->queue_id);
}

static struct mail_bucket *
bucket_of(const struct mails *mails, struct span key)
{
	return &mails->buckets[hash_bytes(&mails->hash_key, key.data, key.len) %
			       mails->bucket_count];
}

struct mail *
mails_find(const struct mails *mails, const struct maillog_line *line)
{
	struct buffer key = {0};
	struct mail *mail;

	make_key(line, &key);
	LIST_FOREACH(mail, bucket_of(mails, buffer_span(&key)), by_hash)
	if (span_equal(span_of(mail->text, mail->key_len), buffer_span(&key)))
		break;
	buffer_fini(&key);
	return mail;
}

void
mails_add(struct mails *mails, const struct maillog_line *line)
{
	bool has_login = line->kind == MAILLOG_LOGIN;
	struct buffer text = {0};
	struct mail *mail;

	if (mails->count == mails->max)
		mails_remove(mails, TAILQ_FIRST(&mails->by_age));
	make_key(line, &text);
	mail = memory_zero(1, sizeof(*mail) + text.len + line->login.len +
				  line->sender.len + line->client.len + 1);
	mail->key_len = text.len;
	mail->time = line->time;
	mail->has_login = has_login;
	mail->who_len = has_login ? line->login.len : line->sender.len;
	mail->client_len = line->client.len;
	buffer_add(&text, has_login ? line->login : line->sender);
	buffer_add(&text, line->client);
	memcpy(mail->text, text.data, text.len);
	buffer_fini(&text);
	TAILQ_INSERT_TAIL(&mails->by_age, mail, by_age);
	LIST_INSERT_HEAD(bucket_of(mails, span_of(mail->text, mail->key_len)),
			 mail, by_hash);
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
	return span_of(mail->text + mail->key_len, mail->who_len);
}

struct span
mail_client(const struct mail *mail)
{
	return span_of(mail->text + mail->key_len + mail->who_len,
		       mail->client_len);
}
