// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "kservd/daemon.h"
#include "kservd/names.h"
#include "lib/addr.h"
#include "lib/log.h"

/**
 * struct names - cluster DNS of this daemon
 * @service: the cluster DNS service that the source has; NULL if it has none
 * @own_service: ours instead; the model has it while @service is NULL
 * @slices: of the cluster DNS service, one for each family that this node has an address of; the model has them
 */
struct names {
	struct names_config config;
	struct kserv_zone *zone;
	struct kserv_dns *dns;
	const struct kserv_k8s_service *service;
	struct kserv_k8s_service *own_service;
	struct kserv_slice *slices[2];
};

static const uint8_t families[] = { AF_INET, AF_INET6 };

static int fail(const char *what, char *why, int error, struct kserv_errors *errors)
{
	errors->source = NULL;
	kserv_errors_add(errors, 0, 0, "", "%s: %s", what, why ? why : strerror(-error));
	free(why);
	return error;
}

/* All addresses of the node, so that none need be there yet; what clients use is the cluster IP. */
static void listen_everywhere(struct names_config *config)
{
	struct kserv_dns_places *listen = &config->server.listen;
	size_t i;

	listen->v = kserv_must_alloc(2 * sizeof(*listen->v));
	listen->n = 2;
	for (i = 0; i < 2; i++)
		listen->v[i] = (struct kserv_dns_place){ .addr.family = families[i], .port = config->port };
}

static int open_server(struct daemon *daemon, struct names *names, struct kserv_errors *errors)
{
	struct names_config *config = &names->config;
	struct kserv_settings settings;
	char *why = NULL;
	int error;

	if (getrandom(&config->zone.seed, sizeof(config->zone.seed), 0) < 0)
		config->zone.seed = time(NULL);
	error = kserv_zone_new(&config->zone, &names->zone, &why);
	if (error)
		return fail("cluster DNS", why, error, errors);
	kserv_zone_set_serial(names->zone, time(NULL));
	listen_everywhere(config);
	kserv_embedded_config_settings(&daemon->options.config, &settings);
	config->server.pods = settings.cluster_cidrs;
	error = kserv_dns_new(daemon->loop, names->zone, &config->server, &names->dns, &why);
	config->server.pods = (struct kserv_prefixes){ 0 };
	kserv_settings_clear(&settings);
	return error ? fail("cluster DNS", why, error, errors) : 0;
}

int names_start(struct daemon *daemon, struct kserv_errors *errors)
{
	const struct kserv_embedded_config *config = &daemon->options.config;
	struct names *names = kserv_must_alloc(sizeof(*names));
	int error;

	names_config_read(config->tree.root, &config->service_cidrs, &names->config, errors);
	if (!names->config.enabled) {
		names_config_clear(&names->config);
		free(names);
		return 0;
	}
	daemon->names = names;
	if (names->config.n_cluster_ips)
		names->own_service = kserv_dns_service_new(names->config.cluster_ips, names->config.n_cluster_ips);
	error = open_server(daemon, names, errors);
	/* Strings of the configuration were copied; a reload replaces its tree. */
	names->config.zone.domain = NULL;
	names->config.server.resolv_conf = NULL;
	return error;
}

void names_stop(struct daemon *daemon)
{
	struct names *names = daemon->names;
	size_t i;

	if (!names)
		return;
	kserv_dns_free(names->dns);
	kserv_zone_free(names->zone);
	kserv_k8s_service_free(names->own_service);
	for (i = 0; i < 2; i++)
		kserv_slice_free(names->slices[i]);
	names_config_clear(&names->config);
	free(names);
	daemon->names = NULL;
}

/* This node's primary address of a family. */
static bool find_address(const struct daemon *daemon, uint8_t family, struct kserv_addr *ret)
{
	const struct kserv_strings *ips = &daemon->model.cluster.settings.node_ips;
	const struct kserv_node *node = kserv_model_own_node(&daemon->model);
	size_t i;

	if (!ips->n && node)
		ips = &node->internal_ips;
	for (i = 0; i < ips->n; i++) {
		memset(ret, 0, sizeof(*ret));
		if (!kserv_addr_parse(ips->v[i], ret) && ret->family == family)
			return true;
	}
	return false;
}

static bool is_same(const struct kserv_slice *a, const struct kserv_slice *b)
{
	size_t i;

	if (!a || !b || a->n_ports != b->n_ports ||
	    strcmp(a->endpoints[0].addresses.v[0], b->endpoints[0].addresses.v[0]) ||
	    strcmp(a->endpoints[0].node_name, b->endpoints[0].node_name))
		return false;
	for (i = 0; i < a->n_ports; i++)
		if (strcmp(a->ports[i].name, b->ports[i].name) || a->ports[i].protocol != b->ports[i].protocol)
			return false;
	return true;
}

static void settle_slice(struct daemon *daemon, const struct kserv_k8s_service *service, size_t i)
{
	struct kserv_dns_place here = { .port = daemon->names->config.port };
	struct kserv_slice *before = daemon->names->slices[i], *slice = NULL;
	const char *node_name = daemon->model.cluster.settings.node_name;

	if (service && find_address(daemon, families[i], &here.addr))
		slice = kserv_dns_slice_new(service, &here, node_name ? node_name : "");
	if (is_same(before, slice) && kserv_model_has_slice(&daemon->model, before)) {
		kserv_slice_free(slice);
		return;
	}
	daemon->names->slices[i] = slice;
	if (slice)
		kserv_model_set_slice(&daemon->model, slice);
	else if (before)
		kserv_model_delete_slice(&daemon->model, before->meta.namespace, before->meta.name);
	kserv_slice_free(before);
}

/* Where the cluster has no such Service, ours is there. */
static void settle_service(struct daemon *daemon)
{
	const struct kserv_k8s_service *own = daemon->names->own_service;
	const struct entry *entry;
	char *name;

	if (daemon->names->service || !own)
		return;
	name = kserv_must_printf("%s/%s", own->meta.namespace, own->meta.name);
	entry = kserv_model_find(&daemon->model, name);
	free(name);
	if (entry && entry->service == own)
		return;
	kserv_model_set_service(&daemon->model, own);
	kserv_zone_set_service(daemon->names->zone, own);
}

void names_settle(struct daemon *daemon)
{
	struct names *names = daemon->names;
	size_t i;

	if (!names)
		return;
	settle_service(daemon);
	for (i = 0; i < 2; i++)
		settle_slice(daemon, names->service ? names->service : names->own_service, i);
}

void names_load(struct daemon *daemon, struct kserv_cluster *cluster)
{
	struct names *names = daemon->names;
	size_t i = 0;

	if (!names)
		return;
	kserv_zone_load(names->zone, cluster);
	names->service = NULL;
	for (i = 0; i < cluster->n_services; i++)
		if (kserv_dns_is_service(cluster->services[i]->meta.namespace, cluster->services[i]->meta.name))
			names->service = cluster->services[i];
	for (i = 0; i < cluster->n_slices;) {
		struct kserv_slice *slice = cluster->slices[i];

		if (!kserv_dns_is_service(slice->meta.namespace, slice->service)) {
			i++;
			continue;
		}
		kserv_slice_free(slice);
		cluster->slices[i] = cluster->slices[--cluster->n_slices];
	}
}

static void changed_service(struct daemon *daemon, union kserv_kube_object old, union kserv_kube_object new)
{
	const struct kserv_meta *meta = new.service ? &new.service->meta : old.meta;
	struct names *names = daemon->names;

	if (new.service)
		kserv_zone_set_service(names->zone, new.service);
	else
		kserv_zone_delete_service(names->zone, meta->namespace, meta->name);
	if (kserv_dns_is_service(meta->namespace, meta->name))
		names->service = new.service;
}

static bool changed_slice(struct names *names, union kserv_kube_object old, union kserv_kube_object new)
{
	const struct kserv_slice *slice = new.slice ? new.slice : old.slice;

	if (new.slice)
		kserv_zone_set_slice(names->zone, slice);
	else
		kserv_zone_delete_slice(names->zone, slice->meta.namespace, slice->meta.name);
	return kserv_dns_is_service(slice->meta.namespace, slice->service);
}

bool names_changed(struct daemon *daemon, enum kserv_kube_kind kind, union kserv_kube_object old,
		   union kserv_kube_object new)
{
	struct names *names = daemon->names;

	if (!names)
		return false;
	if (kind == KSERV_KUBE_SERVICES)
		changed_service(daemon, old, new);
	else if (kind == KSERV_KUBE_SLICES)
		return changed_slice(names, old, new);
	else if (kind == KSERV_KUBE_NAMESPACES && new.meta)
		kserv_zone_set_namespace(names->zone, new.meta->name);
	else if (kind == KSERV_KUBE_NAMESPACES)
		kserv_zone_delete_namespace(names->zone, old.meta->name);
	else if (kind == KSERV_KUBE_PODS && new.pod)
		kserv_zone_set_pod(names->zone, new.pod);
	else if (kind == KSERV_KUBE_PODS)
		kserv_zone_delete_pod(names->zone, old.meta->namespace, old.meta->name);
	return false;
}

void names_follow(struct daemon *daemon, enum kserv_kube_kind kind, const struct kserv_meta *meta)
{
	const char *node_name = daemon->model.cluster.settings.node_name;

	if (!daemon->names || !daemon->model.is_complete)
		return;
	if ((kind == KSERV_KUBE_SERVICES && kserv_dns_is_service(meta->namespace, meta->name)) ||
	    (kind == KSERV_KUBE_NODES && node_name && !strcmp(meta->name, node_name)))
		names_settle(daemon);
}

void names_synced(struct daemon *daemon)
{
	if (!daemon->names)
		return;
	kserv_zone_set_synced(daemon->names->zone, true);
	names_settle(daemon);
}

bool names_stats(const struct daemon *daemon, struct kserv_dns_stats *ret)
{
	if (daemon->names)
		kserv_dns_stats(daemon->names->dns, ret);
	return daemon->names;
}

unsigned int names_kinds(const struct daemon *daemon)
{
	const struct names *names = daemon->names;

	if (!names)
		return 0;
	return KSERV_KUBE_KIND(KSERV_KUBE_NAMESPACES) |
	       (names->config.zone.pods == KSERV_DNS_PODS_VERIFIED ? KSERV_KUBE_KIND(KSERV_KUBE_PODS) : 0);
}
