/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/status_refusals.h"

static struct refusal_text
keep(struct span text)
{
	struct refusal_text kept = {.cut = text.len > REFUSAL_TEXT};

	kept.len = kept.cut ? REFUSAL_TEXT : text.len;
	memcpy(kept.data, text.data, kept.len);
	return kept;
}

/* Is that what is left of the text? */
static bool
is_kept(const struct refusal_text *kept, struct span text)
{
	return kept->cut == (text.len > REFUSAL_TEXT) &&
	       kept->len == (kept->cut ? REFUSAL_TEXT : text.len) &&
	       memcmp(kept->data, text.data, kept->len) == 0;
}

const struct refusal *
refusals_latest(const struct refusals *refusals, size_t i)
{
	if (i >= REFUSALS_KEPT || i >= refusals->count)
		return NULL;
	return &refusals->ring[(refusals->count - 1 - i) % REFUSALS_KEPT];
}

/* The refusal of another recipient of the same mail, or NULL. */
static struct refusal *
find_mail(struct refusals *refusals, struct span instance,
	  const struct verdict *verdict)
{
	if (instance.len == 0)
		return NULL;
	for (size_t i = 0; i < REFUSALS_KEPT && i < refusals->count; i++) {
		struct refusal *refusal = &refusals->ring[i];

		if (refusal->kind == verdict->kind &&
		    refusal->reason == verdict->reason &&
		    is_kept(&refusal->instance, instance))
			return refusal;
	}
	return NULL;
}

void
refusals_note(struct refusals *refusals, const struct settings *settings,
	      const struct request *request, const struct verdict *verdict,
	      time_t now)
{
	struct refusal *refusal =
	    find_mail(refusals, request->instance, verdict);

	if (refusal != NULL) {
		refusal->recipients++;
		return;
	}
	refusal = &refusals->ring[refusals->count++ % REFUSALS_KEPT];
	*refusal = (struct refusal){
	    .at = now,
	    .kind = verdict->kind,
	    .reason = verdict->reason,
	    .warned = settings->mode == MODE_WARN,
	    .has_addresses = settings->status_addresses,
	    .recipients = 1,
	    .instance = keep(request->instance),
	};
	if (!refusal->has_addresses)
		return;
	refusal->login = keep(request->login);
	refusal->sender = keep(request->sender);
	refusal->client = keep(request->client_address);
}
