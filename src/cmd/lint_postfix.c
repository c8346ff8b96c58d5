/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is fromguard asked at all? Every ordering in a Postfix configuration that
 * makes its check dead, and what else goes wrong around it
 * (SMTPD_POLICY_README, postconf(5)).
 */
#include "lint_postfix.h"
#include "policy_service.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLASS_NESTING_MAX = 8 };

/* One service whose clients can log in, and the way through its list. */
struct service {
	const struct postconf *postconf;
	const struct settings *settings;
	struct problems *problems;
	struct span name;             /* "submission/inet"; empty: main.cf */
	const struct parameter *list; /* of restrictions, looked at now */
	const char *end;    /* the first restriction that ends the list */
	const char *whom;   /* for whom it does */
	const char *native; /* Postfix's own check, where it was seen */
	bool only_warns;    /* warn_if_reject stands right in front */
	bool asks;          /* fromguard's check was seen in this list */
};

/* Restrictions behind which nothing is asked any more, and for whom. */
static const struct {
	const char *name;
	const char *whom;
} ends[] = {
    {"permit", "everybody"},
    {"reject", "everybody"},
    {"defer", "everybody"},
    {"permit_sasl_authenticated", "everybody who has logged in"},
    {"permit_mynetworks", "every client in mynetworks"},
    {"permit_inet_interfaces", "every client on this machine"},
    {"permit_tls_all_clientcerts", "every client with a certificate"},
    {"permit_tls_clientcerts", "every client with a listed certificate"},
    {"permit_auth_destination", "all mail to this server's own domains"},
};

/* Postfix's own checks of the same question. */
static const char *const natives[] = {
    "reject_sender_login_mismatch",
    "reject_authenticated_sender_login_mismatch",
    "reject_known_sender_login_mismatch",
};

/* Lists in which Postfix puts other words in front, or asks too early. */
static const char *const wrong_lists[] = {
    "smtpd_client_restrictions", "smtpd_helo_restrictions",
    "smtpd_relay_restrictions",  "smtpd_recipient_restrictions",
    "smtpd_data_restrictions",   "smtpd_end_of_data_restrictions",
};

/* Add a finding, with the service and the parameter in front. */
static void __attribute__((format(printf, 4, 5)))
say(struct service *service, enum severity severity, const struct parameter *at,
    const char *format, ...)
{
	struct span name =
	    service->name.len > 0 ? service->name : span_text("main.cf");
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		return;
	if (at != NULL)
		problems_add(service->problems, severity, at->file, at->line,
			     "%" SPAN_FMT ": %" SPAN_FMT ": %s", SPAN_ARG(name),
			     SPAN_ARG(at->name), text);
	else
		problems_add(service->problems, severity, "Postfix", 0,
			     "%" SPAN_FMT ": %s", SPAN_ARG(name), text);
	free(text);
}

static bool
contains(struct span text, const char *what)
{
	return memmem(text.data, text.len, what, strlen(what)) != NULL;
}

/* What the client is told while fromguard is down or hangs. */
static void
check_fallback(struct service *service, const struct policy_service *ours)
{
	const struct parameter *set =
	    postconf_find(service->postconf, service->name,
			  "smtpd_policy_service_default_action");
	const struct parameter *maps = postconf_find(
	    service->postconf, service->name, "smtpd_sender_login_maps");
	struct span action = policy_service_attribute(ours, "default_action");

	if (action.data == NULL && set != NULL)
		action = set->value;
	if (action.data == NULL)
		say(service, PROBLEM_WARNING, service->list,
		    "no default_action: while fromguard is down, clients get "
		    "451; default_action=reject_authenticated_sender_login_"
		    "mismatch would let Postfix's own check answer");
	else if (contains(action, "login_mismatch") &&
		 (maps == NULL || maps->value.len == 0))
		say(service, PROBLEM_WARNING, service->list,
		    "default_action=%" SPAN_FMT " without smtpd_sender_login_"
		    "maps refuses every sender while fromguard is down",
		    SPAN_ARG(action));
	else if (span_is_nocase(action, "dunno") ||
		 span_is_nocase(action, "ok") || contains(action, "permit"))
		say(service, PROBLEM_WARNING, service->list,
		    "default_action=%" SPAN_FMT " lets everybody use any "
		    "sender while fromguard is down",
		    SPAN_ARG(action));
	if (policy_service_attribute(ours, "timeout").data == NULL &&
	    postconf_find(service->postconf, service->name,
			  "smtpd_policy_service_timeout") == NULL)
		say(service, PROBLEM_WARNING, service->list,
		    "no timeout: a server that hangs costs each recipient over "
		    "200 seconds; add timeout=5s, try_limit=2, retry_delay=1s");
}

/* Can a service in its chroot see the socket? */
static void
check_chroot(struct service *service, struct span endpoint)
{
	const struct parameter *chroot =
	    postconf_find(service->postconf, service->name, "chroot");
	const char prefix[] = "unix:/";

	if (chroot == NULL || !span_is(chroot->value, "y") ||
	    endpoint.len < sizeof(prefix) - 1 ||
	    memcmp(endpoint.data, prefix, sizeof(prefix) - 1) != 0)
		return;
	say(service, PROBLEM_ERROR, chroot,
	    "the service runs in a chroot and can not see %" SPAN_FMT
	    ": put the socket beneath the queue directory and name it "
	    "without the slash in front, as unix:private/fromguard",
	    SPAN_ARG(endpoint));
}

/* The check was found: is it alive? */
static void
check_ours(struct service *service, const struct policy_service *ours)
{
	service->asks = true;
	if (service->end != NULL)
		say(service, PROBLEM_ERROR, service->list,
		    "%s stands in front of the check, which is dead for %s: "
		    "put check_policy_service first",
		    service->end, service->whom);
	if (service->only_warns)
		say(service, PROBLEM_ERROR, service->list,
		    "warn_if_reject stands in front of the check, which "
		    "refuses nobody: leave it out; to try it out there is "
		    "mode = warn");
	check_fallback(service, ours);
	check_chroot(service, ours->endpoint);
}

static void walk(struct service *service, struct span list, int depth);

/* Note what a restriction means for those behind it. */
static void
look_at(struct service *service, struct span word, int depth)
{
	const struct parameter *classes = postconf_find(
	    service->postconf, SPAN_NONE, "smtpd_restriction_classes");
	struct span names = classes != NULL ? classes->value : SPAN_NONE;
	struct span name;

	for (size_t i = 0; i < sizeof(natives) / sizeof(*natives); i++)
		if (span_is_nocase(word, natives[i]))
			service->native = natives[i];
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (span_is_nocase(word, ends[i].name) &&
		    service->end == NULL && !service->only_warns) {
			service->end = ends[i].name;
			service->whom = ends[i].whom;
		}
	while (depth < CLASS_NESTING_MAX &&
	       (name = restriction_next(&names)).len > 0) {
		char *class_name;
		const struct parameter *found;

		if (!span_equal(name, word))
			continue;
		class_name = strndup(name.data, name.len);
		found = class_name == NULL
			    ? NULL
			    : postconf_find(service->postconf, service->name,
					    class_name);
		free(class_name);
		if (found != NULL)
			walk(service, found->value, depth + 1);
	}
}

/* Go through a list of restrictions in its order. */
static void
walk(struct service *service, struct span list, int depth)
{
	struct buffer text = {0};
	struct span rest;
	struct span word;

	postconf_expand(service->postconf, service->name, list, &text);
	rest = buffer_span(&text);
	while ((word = restriction_next(&rest)).len > 0) {
		struct policy_service policy;

		if (span_is_nocase(word, "warn_if_reject")) {
			service->only_warns = true;
			continue;
		}
		if (span_is_nocase(word, "check_policy_service")) {
			policy = policy_service_parse(restriction_next(&rest));
			if (policy_service_is_ours(&policy, service->settings))
				check_ours(service, &policy);
		} else {
			look_at(service, word, depth);
		}
		service->only_warns = false;
	}
	buffer_fini(&text);
}

/* Walk through one of the service's lists; true where it asks fromguard. */
static bool
walk_list(struct service *service, const char *name)
{
	service->list = postconf_find(service->postconf, service->name, name);
	service->end = NULL;
	service->native = NULL;
	service->only_warns = false;
	service->asks = false;
	if (service->list != NULL)
		walk(service, service->list->value, 0);
	return service->asks;
}

/* Is the check in a list where it does not belong? */
static bool
check_wrong_lists(struct service *service)
{
	bool asks = false;

	for (size_t i = 0; i < sizeof(wrong_lists) / sizeof(*wrong_lists); i++)
		if (walk_list(service, wrong_lists[i])) {
			asks = true;
			say(service, PROBLEM_WARNING, service->list,
			    "the check belongs in smtpd_sender_restrictions: "
			    "here Postfix puts words about something else in "
			    "front of the refusal");
		}
	return asks;
}

static void
check_service(struct service *service)
{
	const struct parameter *sasl = postconf_find(
	    service->postconf, service->name, "smtpd_sasl_auth_enable");

	if (!walk_list(service, "smtpd_sender_restrictions")) {
		const struct parameter *list = service->list;

		if (!check_wrong_lists(service))
			say(service, PROBLEM_ERROR, list != NULL ? list : sasl,
			    "clients log in here and fromguard is never asked: "
			    "put check_policy_service first in this service's "
			    "smtpd_sender_restrictions");
		return;
	}
	if (service->native != NULL)
		say(service, PROBLEM_WARNING, service->list,
		    "%s is in the list too and refuses what fromguard "
		    "allows: leave it to default_action",
		    service->native);
	(void)check_wrong_lists(service);
}

/* Can clients of this service log in? */
static bool
has_logins(const struct postconf *postconf, struct span service)
{
	const struct parameter *sasl =
	    postconf_find(postconf, service, "smtpd_sasl_auth_enable");

	return sasl != NULL && span_is_nocase(sasl->value, "yes");
}

/* Has a service of that name come before the i-th parameter? */
static bool
came_before(const struct postconf *postconf, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (span_equal(postconf->list[k].service,
			       postconf->list[i].service))
			return true;
	return false;
}

/* Is it a service of smtpd? main.cf alone stands for port 25, as long as
 * nothing is known about that. */
static bool
is_smtpd(const struct postconf *postconf, struct span service)
{
	const struct parameter *command;

	if (service.len == 0) {
		for (size_t i = 0; i < postconf->count; i++)
			if (span_is(postconf->list[i].service, "smtp/inet"))
				return false;
		return true;
	}
	command = postconf_find(postconf, service, "command");
	return command != NULL ? contains(command->value, "smtpd")
			       : contains(service, "/inet");
}

void
lint_postfix(const struct postconf *postconf, const struct settings *settings,
	     struct problems *problems)
{
	struct service service = {
	    .postconf = postconf,
	    .settings = settings,
	    .problems = problems,
	};
	size_t services = 0;

	for (size_t i = 0; i < postconf->count; i++) {
		service.name = postconf->list[i].service;
		if (came_before(postconf, i) ||
		    !is_smtpd(postconf, service.name) ||
		    !has_logins(postconf, service.name))
			continue;
		services++;
		check_service(&service);
	}
	service.name = SPAN_NONE;
	if (services == 0)
		say(&service, PROBLEM_WARNING, NULL,
		    "no service has smtpd_sasl_auth_enable = yes: nobody can "
		    "log in, and there is nothing to check");
}
