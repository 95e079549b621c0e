// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include "lib/addr.h"
#include "sync/compare.h"
#include "sync/sync.h"

#define SENTENCE	(KSERV_NAME_LEN + 200)

struct visitor {
	void (*visit)(void *context, const char *sentence);
	void *context;
};

static int count(const struct kserv_tables *desired, const struct kserv_tables *actual,
		 struct kserv_sync_counts *ret_counts)
{
	struct kserv_transaction transaction;
	int error = kserv_transaction_init(&transaction);

	if (!error)
		error = kserv_sync_diff(desired, actual, &transaction, ret_counts);
	kserv_transaction_clear(&transaction);
	return error;
}

static int compare_rest(const struct kserv_tables *desired, const struct kserv_tables *actual, const struct visitor *visitor)
{
	struct kserv_tables should = *desired, is = *actual;
	struct kserv_sync_counts counts;
	char text[SENTENCE];
	int error;

	should.n_services = 0;
	is.n_services = 0;
	error = count(&should, &is, &counts);
	if (error)
		return error;
	if (counts.config_set)
		visitor->visit(visitor->context, "the configuration is another one");
	if (!counts.routes_set && !counts.routes_removed)
		return 0;
	snprintf(text, sizeof(text), "routes: %zu to set, %zu to remove", counts.routes_set, counts.routes_removed);
	visitor->visit(visitor->context, text);
	return 0;
}

static void say(const struct kserv_service *service, const char *what, const struct visitor *visitor)
{
	char text[SENTENCE];

	snprintf(text, sizeof(text), "service %s, %s, %s: %s", service->name, kserv_protocol_name(service->protocol),
		 service->family == AF_INET6 ? "IPv6" : "IPv4", what);
	visitor->visit(visitor->context, text);
}

/* Both have the same key. */
static int compare_service(const struct kserv_service *desired, const struct kserv_service *actual,
			   const struct visitor *visitor)
{
	struct kserv_tables should = { .services = (struct kserv_service *)desired, .n_services = 1 };
	/* Equal configurations, so that they make no difference. */
	struct kserv_tables is = {
		.services = (struct kserv_service *)actual, .n_services = 1, .config = kserv_config_defaults,
	};
	struct kserv_sync_counts counts;
	char text[SENTENCE];
	int error = count(&should, &is, &counts);

	if (error)
		return error;
	if (counts.frontends_set || counts.frontends_removed || counts.endpoints_set || counts.endpoints_removed)
		snprintf(text, sizeof(text), "frontends: %zu to set, %zu to remove; endpoints: %zu to set, %zu to remove",
			 counts.frontends_set, counts.frontends_removed, counts.endpoints_set, counts.endpoints_removed);
	else if (counts.services_set)
		snprintf(text, sizeof(text), "its own settings are others");
	else
		return 0;
	say(desired, text, visitor);
	return 0;
}

int kserv_sync_compare(const struct kserv_tables *desired, const struct kserv_tables *actual,
		       void (*visit)(void *context, const char *sentence), void *context)
{
	const struct kserv_service *a = desired->services, *a_end = a + desired->n_services;
	const struct kserv_service *b = actual->services, *b_end = b + actual->n_services;
	const struct visitor visitor = { visit, context };
	int error = compare_rest(desired, actual, &visitor), order;

	while (!error && (a < a_end || b < b_end)) {
		order = a == a_end ? 1 : b == b_end ? -1 : kserv_service_compare(a, b);
		if (order < 0)
			say(a, "it is not in the kernel", &visitor);
		else if (order > 0)
			say(b, "it is in the kernel and should not be", &visitor);
		else
			error = compare_service(a, b, &visitor);
		a += order <= 0;
		b += order >= 0;
	}
	return error;
}
