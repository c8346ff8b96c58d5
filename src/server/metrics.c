/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/metrics.h"

#include <inttypes.h>
#include <stdio.h>

/* Begin a metric: what it is and of which type. */
static void
begin(struct buffer *out, const char *name, const char *type, const char *help)
{
	buffer_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		      type);
}

/* A metric that is one number. */
static void
write_number(struct buffer *out, const char *name, const char *type,
	     const char *help, uint64_t number)
{
	begin(out, name, type, help);
	buffer_format(out, "%s %" PRIu64 "\n", name, number);
}

/* One of several numbers of a metric; no value needs escaping. */
static void
write_labelled(struct buffer *out, const char *name, const char *label,
	       const char *value, uint64_t number)
{
	buffer_format(out, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, value,
		      number);
}

/* Is that a reason for such a verdict? Others are never counted. */
static bool
is_possible(enum verdict_kind kind, enum verdict_reason reason)
{
	switch (kind) {
	case VERDICT_ALLOW:
		return reason <= REASON_UNLISTED;
	case VERDICT_REJECT:
		return reason == REASON_NULL ||
		       (reason >= REASON_NOT_OWNED &&
			reason <= REASON_NOT_LOGGED_IN);
	case VERDICT_TROUBLE:
		break;
	}
	return reason >= REASON_RULE_LIMIT;
}

/* Every verdict with each of its reasons, from 0 on, so that the first refusal
 * of all is an increase too. */
static void
write_requests(struct buffer *out, const struct counters *counters)
{
	begin(out, "fromguard_requests_total", "counter",
	      "Requests that were answered, by verdict and its reason.");
	for (unsigned kind = 0; kind <= VERDICT_TROUBLE; kind++)
		for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
			uint64_t count = counters->requests[kind][reason];

			if (count == 0 && !is_possible(kind, reason))
				continue;
			buffer_format(out,
				      "fromguard_requests_total{verdict=\"%s\","
				      "reason=\"%s\"} %" PRIu64 "\n",
				      verdict_kind_name(kind),
				      verdict_reason_name(reason), count);
		}
}

/* Microseconds as seconds, all digits and no more. */
static void
write_limit(struct buffer *out, uint32_t us)
{
	char text[16];
	size_t len = (size_t)snprintf(text, sizeof(text), "%" PRIu32 ".%06u",
				      us / 1000000, (unsigned)(us % 1000000));

	while (text[len - 1] == '0')
		len--;
	if (text[len - 1] == '.')
		len--;
	buffer_add(out, span_of(text, len));
}

static void
write_durations(struct buffer *out, const struct durations *durations)
{
	uint64_t below = 0;

	begin(out, "fromguard_request_duration_seconds", "histogram",
	      "From the read that completed a request to its answer's write.");
	for (size_t i = 0; i < DURATION_BUCKETS; i++) {
		below += durations->buckets[i];
		buffer_format(
		    out, "fromguard_request_duration_seconds_bucket{le=\"");
		write_limit(out, duration_limits_us[i]);
		buffer_format(out, "\"} %" PRIu64 "\n", below);
	}
	below += durations->buckets[DURATION_BUCKETS];
	buffer_format(
	    out,
	    "fromguard_request_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64
	    "\n"
	    "fromguard_request_duration_seconds_sum %" PRIu64 ".%09" PRIu64 "\n"
	    "fromguard_request_duration_seconds_count %" PRIu64 "\n",
	    below, durations->sum_ns / 1000000000,
	    durations->sum_ns % 1000000000, below);
}

static void
write_connections(struct buffer *out, const struct metrics_source *source)
{
	static const char errors[] = "fromguard_protocol_errors_total";
	const struct counters *counters = source->counters;

	write_number(out, "fromguard_connections", "gauge",
		     "Connections that are open.", source->connections);
	write_number(out, "fromguard_connections_total", "counter",
		     "Connections that were accepted.", counters->connections);
	begin(out, errors, "counter",
	      "Connections that were closed because the client broke the "
	      "protocol, by what it did.");
	for (unsigned i = REQUEST_FAULT_NONE + 1; i < FAULT_COUNT; i++)
		write_labelled(out, errors, "kind", fault_name(i),
			       counters->faults[i]);
}

static void
write_reloads(struct buffer *out, const struct counters *counters)
{
	static const char name[] = "fromguard_reloads_total";

	begin(out, name, "counter",
	      "Reloads, by whether what they read serves or was refused.");
	write_labelled(out, name, "result", "ok", counters->reloads);
	write_labelled(out, name, "result", "refused",
		       counters->reloads_refused);
}

/* How much each type of map has given; rules are counted apart. */
static void
write_grants(struct buffer *out, const struct snapshot *snapshot)
{
	static const char name[] = "fromguard_grants";
	size_t entries[MAP_TYPES] = {0};

	for (size_t i = 0;
	     snapshot != NULL && i < snapshot->settings->maps.count; i++)
		entries[snapshot->maps[i].spec->type] +=
		    snapshot->maps[i].entries;
	begin(out, name, "gauge",
	      "Entries of the maps that are in force, by the type of map.");
	for (unsigned type = 0; type < MAP_TYPES; type++)
		if (type != MAP_PCRE)
			write_labelled(out, name, "type", map_type_name(type),
				       entries[type]);
}

static void
write_snapshot(struct buffer *out, const struct snapshot *snapshot)
{
	write_number(out, "fromguard_snapshot_timestamp_seconds", "gauge",
		     "When the maps that are in force were loaded, in seconds "
		     "since 1970; 0: not yet.",
		     snapshot != NULL ? (uint64_t)snapshot->loaded_at : 0);
	write_grants(out, snapshot);
	write_number(out, "fromguard_rules", "gauge",
		     "Rules of pcre maps that are in force.",
		     snapshot != NULL ? snapshot->rule_count : 0);
}

void
metrics_write(const struct metrics_source *source, struct buffer *out)
{
	const struct counters *counters = source->counters;

	write_requests(out, counters);
	write_durations(out, &counters->durations);
	write_number(out, "fromguard_rule_limit_hits_total", "counter",
		     "Requests in which a rule ran into its limit, whatever "
		     "the verdict.",
		     counters->rule_limit_hits);
	write_connections(out, source);
	write_reloads(out, counters);
	write_snapshot(out, source->snapshot);
	begin(out, "fromguard_build_info", "gauge",
	      "Always 1; the version is in the label.");
	write_labelled(out, "fromguard_build_info", "version",
		       FROMGUARD_VERSION, 1);
}
