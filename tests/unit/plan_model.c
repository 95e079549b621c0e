// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/manifest.h"
#include "cluster/memory.h"
#include "cluster/read.h"
#include "lib/addr.h"
#include "cluster_objects.h"
#include "plan_model.h"

struct model model;

int model_start(void **state)
{
	(void)state;
	model_init(&model.cluster);
	return 0;
}

int model_end(void **state)
{
	(void)state;
	kserv_tables_clear(&model.tables);
	kserv_warnings_clear(&model.warnings);
	kserv_cluster_clear(&model.cluster);
	return 0;
}

void model_plan(void)
{
	kserv_tables_clear(&model.tables);
	kserv_warnings_clear(&model.warnings);
	assert_int_equal(kserv_plan(&model.cluster, &model.tables, &model.warnings), 0);
}

static void add_prefix(struct kserv_prefixes *prefixes, const char *text)
{
	prefixes->v = kserv_must_grow(prefixes->v, prefixes->n, sizeof(*prefixes->v));
	assert_int_equal(kserv_prefix_parse(text, &prefixes->v[prefixes->n++]), 0);
}

void model_init(struct kserv_cluster *cluster)
{
	struct kserv_settings *settings = &cluster->settings;

	memset(cluster, 0, sizeof(*cluster));
	settings->node_name = kserv_must_strdup("node1");
	settings->pod_interface = kserv_must_strdup("");
	settings->detect_local = KSERV_DETECT_LOCAL_CIDR;
	settings->node_port_primary = true;
	settings->node_port_min = 30000;
	settings->node_port_max = 32767;
	add_prefix(&settings->cluster_cidrs, "10.244.0.0/16");
	add_prefix(&settings->cluster_cidrs, "fd00:10:244::/48");
	add_prefix(&settings->service_cidrs, "10.96.0.0/12");
}

void model_add(struct kserv_cluster *cluster, const char *manifest)
{
	struct kserv_manifests manifests = { 0 };
	struct kserv_errors errors = { 0 };
	char *line;
	size_t i;

	if (kserv_manifests_read(&manifests, "model", manifest, strlen(manifest), &errors)) {
		line = kserv_error_format(&errors.v[0]);
		fail_msg("%s", line);
	}
	for (i = 0; i < manifests.n; i++)
		if (!cluster_add(cluster, manifests.v[i].value))
			fail_msg("kind %s is no part of these models", manifests.v[i].kind->kind);
	kserv_manifests_clear(&manifests);
}

static void add_endpoint(struct kserv_slice *slice, unsigned int number, size_t i)
{
	struct kserv_slice_endpoint *endpoint;
	char *address;

	slice->endpoints = kserv_must_grow(slice->endpoints, slice->n_endpoints, sizeof(*slice->endpoints));
	endpoint = &slice->endpoints[slice->n_endpoints++];
	endpoint->ready = endpoint->serving = KSERV_TRUE;
	endpoint->terminating = KSERV_FALSE;
	endpoint->hostname = kserv_must_strdup("");
	endpoint->node_name = kserv_must_strdup(i % 2 ? "node2" : "node1");
	endpoint->zone = kserv_must_strdup("");
	endpoint->target_kind = kserv_must_strdup("");
	endpoint->target_namespace = kserv_must_strdup("");
	endpoint->target_name = kserv_must_strdup("");
	endpoint->weight = 100;
	address = kserv_must_printf("10.%u.%u.%zu", 128 + number / 256 % 100, number % 256, i % 250 + 1);
	kserv_strings_add(&endpoint->addresses, address);
	free(address);
}

static struct kserv_slice *new_slice(const char *service, size_t number)
{
	struct kserv_slice *slice = kserv_must_alloc(sizeof(*slice));

	slice->meta.namespace = kserv_must_strdup("default");
	slice->meta.name = kserv_must_printf("%s-%zu", service, number);
	slice->meta.uid = kserv_must_strdup("");
	slice->meta.resource_version = kserv_must_strdup("");
	slice->service = kserv_must_strdup(service);
	slice->ports = kserv_must_grow(NULL, 0, sizeof(*slice->ports));
	slice->n_ports = 1;
	slice->ports[0] = (struct kserv_slice_port){ kserv_must_strdup(""), IPPROTO_TCP, 8080 };
	return slice;
}

void model_add_service(struct kserv_cluster *cluster, const char *name, unsigned int number, size_t n)
{
	char *manifest = kserv_must_printf("{apiVersion: v1, kind: Service, metadata: {name: %s, namespace: default}, "
					   "spec: {clusterIP: 10.%u.%u.%u, ports: [{port: 80}]}}", name,
					   96 + number / 65536, number / 256 % 256, number % 256);
	struct kserv_slice *slice = NULL;
	size_t i;

	model_add(cluster, manifest);
	free(manifest);
	for (i = 0; i < n; i++) {
		if (i % 100 == 0) {
			slice = new_slice(name, i / 100);
			cluster->slices = kserv_must_grow(cluster->slices, cluster->n_slices, sizeof(slice));
			cluster->slices[cluster->n_slices++] = slice;
		}
		add_endpoint(slice, number, i);
	}
}

const struct kserv_service *model_find(const char *name, uint8_t family)
{
	size_t i;

	for (i = 0; i < model.tables.n_services; i++)
		if (!strcmp(model.tables.services[i].name, name) && model.tables.services[i].family == family)
			return &model.tables.services[i];
	fail_msg("there is no service %s of family %u", name, family);
	return NULL;
}

static void assert_prefixes_equal(const struct kserv_prefixes *a, const struct kserv_prefixes *b)
{
	assert_int_equal(a->n, b->n);
	if (a->n)
		assert_memory_equal(a->v, b->v, a->n * sizeof(*a->v));
}

static void assert_service_equal(const struct kserv_service *a, const struct kserv_service *b)
{
	size_t i;

	assert_string_equal(a->name, b->name);
	assert_int_equal(kserv_service_compare(a, b), 0);
	assert_int_equal(a->scheduler, b->scheduler);
	assert_int_equal(a->affinity_timeout, b->affinity_timeout);
	assert_int_equal(a->n_endpoints, b->n_endpoints);
	if (a->n_endpoints)
		assert_memory_equal(a->endpoints, b->endpoints, a->n_endpoints * sizeof(*a->endpoints));
	assert_int_equal(a->n_frontends, b->n_frontends);
	for (i = 0; i < a->n_frontends; i++) {
		assert_int_equal(kserv_frontend_compare(&a->frontends[i], &b->frontends[i]), 0);
		assert_int_equal(a->frontends[i].flags, b->frontends[i].flags);
		assert_prefixes_equal(&a->frontends[i].sources, &b->frontends[i].sources);
	}
}

void model_assert_equal(const struct kserv_tables *a, const struct kserv_tables *b)
{
	size_t i;

	assert_int_equal(a->n_services, b->n_services);
	for (i = 0; i < a->n_services; i++)
		assert_service_equal(&a->services[i], &b->services[i]);
	assert_int_equal(a->n_routes, b->n_routes);
	if (a->n_routes)
		assert_memory_equal(a->routes, b->routes, a->n_routes * sizeof(*a->routes));
	assert_prefixes_equal(&a->config.pod_cidrs, &b->config.pod_cidrs);
	assert_prefixes_equal(&a->config.service_cidrs, &b->config.service_cidrs);
	assert_prefixes_equal(&a->config.node_port_addresses, &b->config.node_port_addresses);
}

size_t model_count_warnings(const char *object, const char *words)
{
	size_t i, n = 0;

	for (i = 0; i < model.warnings.n; i++)
		n += !strcmp(model.warnings.v[i].object, object) && strstr(model.warnings.v[i].text, words);
	return n;
}

void model_assert_addr(const struct kserv_addr *addr, const char *text)
{
	char actual[KSERV_ADDR_TEXT];

	assert_string_equal(kserv_addr_format(addr, actual), text);
}

void model_assert_prefix(const struct kserv_prefix *prefix, const char *text)
{
	char actual[KSERV_ADDR_TEXT];

	assert_string_equal(kserv_prefix_format(prefix, actual), text);
}
