// SPDX-License-Identifier: GPL-2.0
/*
 * plan with memory running out: every allocation fails once, and each time plan either says so and leaves nothing behind
 * (the sanitizers look), or could do without, as for a warning.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Allocations until one fails; 0: none does. */
static size_t fails_at;

static int is_out(void)
{
	return fails_at && !--fails_at;
}

static void *failing_malloc(size_t size)
{
	return is_out() ? NULL : malloc(size);
}

static void *failing_calloc(size_t n, size_t size)
{
	return is_out() ? NULL : calloc(n, size);
}

static void *failing_reallocarray(void *v, size_t n, size_t size)
{
	return is_out() ? NULL : reallocarray(v, n, size);
}

static char *failing_strdup(const char *s)
{
	return is_out() ? NULL : strdup(s);
}

static int failing_vasprintf(char **ret, const char *format, va_list args)
{
	return is_out() ? -1 : vasprintf(ret, format, args);
}

__attribute__((format(printf, 2, 3))) static int failing_asprintf(char **ret, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = failing_vasprintf(ret, format, args);
	va_end(args);
	return n;
}

#define malloc failing_malloc
#define calloc failing_calloc
#define reallocarray failing_reallocarray
#define strdup failing_strdup
#define asprintf failing_asprintf
#define vasprintf failing_vasprintf

/* In place of those in the library. Names that two of them have stay apart. */
#include "plan/claim.c"
#include "plan/address.c"
#include "plan/annotation.c"
#include "plan/config.c"
#include "plan/endpoint.c"
#include "plan/here.c"
#include "plan/plan.c"
#include "plan/prefixes.c"
#include "plan/topology.c"
#define add frontend_add
#include "plan/frontend.c"
#undef add
#define reader reach_reader
#include "plan/reach.c"
#undef reader
#define claim route_claim
#include "plan/route.c"
#undef claim
#define drop_duplicates service_drop_duplicates
#include "plan/service.c"
#undef drop_duplicates
#define append warning_append
#include "plan/warning.c"
#undef append

#undef malloc
#undef calloc
#undef reallocarray
#undef strdup
#undef asprintf
#undef vasprintf

#include "plan_model.h"

static const char objects[] =
	"apiVersion: v1\n"
	"kind: Node\n"
	"metadata: {name: node1}\n"
	"spec: {podCIDRs: [10.244.1.0/24, nonsense]}\n"
	"status: {addresses: [{type: InternalIP, address: 192.168.50.11}]}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: web, namespace: default}\n"
	"spec:\n"
	"  ipFamilies: [IPv4, IPv6]\n"
	"  clusterIP: 10.96.0.10\n"
	"  clusterIPs: [10.96.0.10, 'fd00:10:96::10']\n"
	"  externalIPs: [203.0.113.10, nonsense]\n"
	"  loadBalancerSourceRanges: [192.168.50.0/24, 'fd00::/129']\n"
	"  ports: [{name: a, port: 80, nodePort: 30080}, {name: b, port: 81}]\n"
	"status: {loadBalancer: {ingress: [{ip: 192.0.2.1}, {ip: 'fd00::1'}]}}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: rival, namespace: default}\n"
	"spec: {clusterIP: 10.96.0.11, externalIPs: [203.0.113.10], ports: [{name: a, port: 80}]}\n"
	"---\n"
	"apiVersion: discovery.k8s.io/v1\n"
	"kind: EndpointSlice\n"
	"metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: web}}\n"
	"addressType: IPv4\n"
	"ports: [{name: a, port: 8080}, {name: b, port: 8081}]\n"
	"endpoints: [{addresses: [10.244.1.11]}, {addresses: [nonsense]}]\n";

static void plan_survives_the_failure_of_any_allocation(void **state)
{
	size_t n, refusals = 0;
	int error;

	(void)state;
	model_add(&model.cluster, objects);
	for (n = 1; ; n++) {
		fails_at = n;
		error = kserv_plan(&model.cluster, &model.tables, &model.warnings);
		assert_true(error == 0 || error == -ENOMEM);
		if (error)
			assert_int_equal(model.tables.n_services, 0);
		refusals += error != 0;
		kserv_tables_clear(&model.tables);
		kserv_warnings_clear(&model.warnings);
		if (fails_at)
			break;
	}
	fails_at = 0;
	assert_true(refusals > 50);
	model_plan();
	assert_int_equal(model.tables.n_services, 5);
}

static void claims_are_whole_again_when_they_are_set_once_more(void **state)
{
	struct kserv_claims *claims = kserv_claims_new();
	struct kserv_service *services;
	struct kserv_here here;
	size_t n, n_services;
	int error;

	(void)state;
	model_add(&model.cluster, objects);
	kserv_here_init(&here, &model.cluster);
	assert_int_equal(kserv_plan_service(&here, model.cluster.services[0], model.cluster.slices, 1, &services,
					    &n_services, NULL), 0);
	for (n = 1, error = -ENOMEM; error; n++) {
		fails_at = n;
		error = kserv_claims_set(claims, "default/web", services, n_services, NULL);
	}
	fails_at = 0;
	assert_int_equal(kserv_claims_set(claims, "default/web", services, n_services, NULL), 0);
	n = services[0].n_frontends;
	kserv_claims_settle(claims, services, n_services, NULL);
	assert_int_equal(services[0].n_frontends, n);
	kserv_claims_free(claims);
	kserv_services_free(services, n_services);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(plan_survives_the_failure_of_any_allocation),
		TEST(claims_are_whole_again_when_they_are_set_once_more),
	};

	return cmocka_run_group_tests_name("plan memory", tests, NULL, NULL);
}
