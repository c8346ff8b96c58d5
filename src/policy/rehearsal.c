/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/rehearsal.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "mails.h"

#include <stdlib.h>

/* A pair as it is kept: login and sender in one text. */
struct pair {
	struct rehearsal_pair seen; /* the spans point into text and client */
	char *text;
	char client[48]; /* an IP address fits */
};

struct rehearsal {
	struct mails mails;
	struct pair *pairs;
	size_t count;
	size_t room;
	uint32_t *slots; /* number of a pair, from 1, by its hash; 0: free */
	size_t slot_count;
	struct hash_key hash_key;
	struct rehearsal_counts counts;
};

struct rehearsal *
rehearsal_new(void)
{
	struct rehearsal *rehearsal = memory_zero(1, sizeof(*rehearsal));

	mails_init(&rehearsal->mails, REHEARSAL_MAILS_MAX);
	hash_key_random(&rehearsal->hash_key);
	rehearsal->slot_count = 1024;
	rehearsal->slots =
	    memory_zero(rehearsal->slot_count, sizeof(*rehearsal->slots));
	return rehearsal;
}

void
rehearsal_free(struct rehearsal *rehearsal)
{
	if (rehearsal == NULL)
		return;
	for (size_t i = 0; i < rehearsal->count; i++)
		free(rehearsal->pairs[i].text);
	mails_fini(&rehearsal->mails);
	free(rehearsal->pairs);
	free(rehearsal->slots);
	free(rehearsal);
}

/* Where login and sender are, or would be, among the slots. */
static uint32_t *
find_slot(const struct rehearsal *rehearsal, struct span login,
	  struct span sender)
{
	uint64_t hash =
	    hash_bytes(&rehearsal->hash_key, login.data, login.len) * 31 +
	    hash_bytes(&rehearsal->hash_key, sender.data, sender.len);
	size_t i = hash % rehearsal->slot_count;

	while (rehearsal->slots[i] != 0) {
		const struct rehearsal_pair *pair =
		    &rehearsal->pairs[rehearsal->slots[i] - 1].seen;

		if (span_equal(pair->login, login) &&
		    span_equal(pair->sender, sender))
			break;
		i = (i + 1) % rehearsal->slot_count;
	}
	return &rehearsal->slots[i];
}

/* Keep the slots at most half full. */
static void
grow_slots(struct rehearsal *rehearsal)
{
	if (rehearsal->count < rehearsal->slot_count / 2)
		return;
	free(rehearsal->slots);
	rehearsal->slot_count *= 2;
	rehearsal->slots =
	    memory_zero(rehearsal->slot_count, sizeof(*rehearsal->slots));
	for (size_t i = 0; i < rehearsal->count; i++)
		*find_slot(rehearsal, rehearsal->pairs[i].seen.login,
			   rehearsal->pairs[i].seen.sender) = (uint32_t)i + 1;
}

static struct pair *
add_pair(struct rehearsal *rehearsal, struct span login, struct span sender)
{
	struct pair *pair;

	if (rehearsal->count == REHEARSAL_PAIRS_MAX ||
	    !memory_try_grow((void **)&rehearsal->pairs, &rehearsal->room,
			     rehearsal->count, sizeof(*pair))) {
		rehearsal->counts.full = true;
		return NULL;
	}
	pair = &rehearsal->pairs[rehearsal->count++];
	*pair =
	    (struct pair){.text = memory_zero(1, login.len + sender.len + 1)};
	memcpy(pair->text, login.data, login.len);
	memcpy(pair->text + login.len, sender.data, sender.len);
	pair->seen.login = span_of(pair->text, login.len);
	pair->seen.sender = span_of(pair->text + login.len, sender.len);
	return pair;
}

/* Find the pair, or make it; NULL where there are too many. */
static struct pair *
get_pair(struct rehearsal *rehearsal, struct span login, struct span sender)
{
	uint32_t *slot;
	struct pair *pair;

	grow_slots(rehearsal);
	slot = find_slot(rehearsal, login, sender);
	if (*slot != 0)
		return &rehearsal->pairs[*slot - 1];
	pair = add_pair(rehearsal, login, sender);
	if (pair != NULL)
		*slot = (uint32_t)rehearsal->count;
	return pair;
}

/* Note when and from where a pair was seen. */
static void
note(struct pair *pair, int64_t time, struct span client)
{
	struct rehearsal_pair *seen = &pair->seen;
	bool is_new = seen->mails + seen->refused + seen->warned == 0;

	if (is_new || time < seen->first)
		seen->first = time;
	if (!is_new && time < seen->last)
		return;
	seen->last = time;
	if (client.len < sizeof(pair->client)) {
		memcpy(pair->client, client.data, client.len);
		seen->client.len = client.len;
	}
}

/* The pair of a logged login and a logged, perhaps quoted, sender. */
static struct pair *
get_logged_pair(struct rehearsal *rehearsal, struct span login,
		struct span sender)
{
	char *plain = memory_zero(1, sender.len + 1);
	struct pair *pair;
	size_t len;

	if (address_unquote(sender, plain, &len))
		sender = span_of(plain, len);
	pair = get_pair(rehearsal, login, sender);
	free(plain);
	return pair;
}

/* Count one accepted mail. */
static void
count_mail(struct rehearsal *rehearsal, struct span login, struct span sender,
	   struct span client, int64_t time)
{
	struct pair *pair = get_logged_pair(rehearsal, login, sender);

	rehearsal->counts.mails++;
	if (pair == NULL)
		return;
	note(pair, time, client);
	pair->seen.mails++;
}

/* Are the half that is kept and the one that a line tells halves of one mail?
 * A login is logged first; Postfix uses queue ids again. */
static bool
belongs(const struct mail *mail, const struct maillog_line *line)
{
	if (mail->has_login == (line->kind == MAILLOG_LOGIN))
		return false;
	return mail->has_login ? mail->time <= line->time
			       : line->time <= mail->time;
}

/* Join the half that a line tells with the other half, or keep it. */
static void
join(struct rehearsal *rehearsal, const struct maillog_line *line)
{
	struct mails *mails = &rehearsal->mails;
	struct mail *mail = mails_find(mails, line);

	if (mail == NULL || !belongs(mail, line)) {
		if (mail != NULL)
			mails_remove(mails, mail);
		mails_add(mails, line);
		return;
	}
	if (mail->has_login)
		count_mail(rehearsal, mail_who(mail), line->sender,
			   mail_client(mail), mail->time);
	else
		count_mail(rehearsal, line->login, mail_who(mail), line->client,
			   line->time);
	mail->has_login = false; /* it was joined, not dropped */
	mails_remove(mails, mail);
}

static void
count_refusal(struct rehearsal *rehearsal, const struct maillog_line *line)
{
	struct pair *pair =
	    get_logged_pair(rehearsal, line->login, line->sender);
	bool warned = line->kind == MAILLOG_WARNED;

	if (warned)
		rehearsal->counts.warned++;
	else
		rehearsal->counts.refused++;
	if (pair == NULL)
		return;
	note(pair, line->time, line->client);
	if (warned)
		pair->seen.warned++;
	else
		pair->seen.refused++;
}

void
rehearsal_take(struct rehearsal *rehearsal, const struct maillog_line *line)
{
	struct mail *mail;

	switch (line->kind) {
	case MAILLOG_LOGIN:
	case MAILLOG_SENDER:
		join(rehearsal, line);
		break;
	case MAILLOG_REMOVED:
		mail = mails_find(&rehearsal->mails, line);
		if (mail != NULL)
			mails_remove(&rehearsal->mails, mail);
		break;
	case MAILLOG_REFUSED:
	case MAILLOG_WARNED:
		count_refusal(rehearsal, line);
		break;
	}
}

static int
compare_spans(struct span a, struct span b)
{
	int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

static int
compare_pairs(const void *a, const void *b)
{
	const struct rehearsal_pair *x = &((const struct pair *)a)->seen;
	const struct rehearsal_pair *y = &((const struct pair *)b)->seen;
	int order = compare_spans(x->login, y->login);

	return order != 0 ? order : compare_spans(x->sender, y->sender);
}

/* Put the pairs in order; the slots are made anew. */
static void
sort(struct rehearsal *rehearsal)
{
	if (rehearsal->count == 0)
		return;
	qsort(rehearsal->pairs, rehearsal->count, sizeof(*rehearsal->pairs),
	      compare_pairs);
	memset(rehearsal->slots, 0,
	       rehearsal->slot_count * sizeof(*rehearsal->slots));
	for (size_t i = 0; i < rehearsal->count; i++)
		*find_slot(rehearsal, rehearsal->pairs[i].seen.login,
			   rehearsal->pairs[i].seen.sender) = (uint32_t)i + 1;
}

void
rehearsal_count(const struct rehearsal *rehearsal,
		struct rehearsal_counts *counts)
{
	struct mail *mail;

	*counts = rehearsal->counts;
	counts->pairs = rehearsal->count;
	counts->unjoined = rehearsal->mails.dropped_logins;
	TAILQ_FOREACH(mail, &rehearsal->mails.by_age, by_age)
	if (mail->has_login)
		counts->unjoined++;
}

void
rehearsal_each(struct rehearsal *rehearsal, const struct snapshot *snapshot,
	       struct decider *decider, rehearsal_visit *visit, void *arg)
{
	sort(rehearsal);
	for (size_t i = 0; i < rehearsal->count; i++) {
		struct pair *pair = &rehearsal->pairs[i];
		struct verdict verdict;

		pair->seen.client.data = pair->client;
		verdict = decide(snapshot, decider, pair->seen.login,
				 pair->seen.sender, NULL);
		visit(arg, &pair->seen, &verdict);
	}
}
