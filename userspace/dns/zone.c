// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "dns/records.h"

/* Behind "_port._protocol.name.namespace.svc" or the longest name of an endpoint, all of it must fit into a name. */
#define DOMAIN_MAX	(KSERV_DNS_NAME_MAX - 3 * (KSERV_DNS_LABEL_MAX + 1) - 4)

static int refuse(char **ret_why, const char *why)
{
	if (ret_why)
		*ret_why = kserv_must_strdup(why);
	return -EINVAL;
}

int kserv_zone_new(const struct kserv_zone_config *config, struct kserv_zone **ret_zone, char **ret_why)
{
	const char *domain = config->domain ? config->domain : "cluster.local";
	struct kserv_dns_labels labels;
	uint8_t name[KSERV_DNS_NAME_MAX];
	struct kserv_zone *zone;
	int len = kserv_dns_name_parse(domain, name);

	if (len <= 1)
		return refuse(ret_why, "the cluster domain is no domain name");
	if (len > DOMAIN_MAX)
		return refuse(ret_why, "the cluster domain is too long: names of endpoints would exceed 255 bytes");
	if (config->ttl > 3600)
		return refuse(ret_why, "the TTL of DNS records is more than 3600 seconds");
	zone = kserv_must_alloc(sizeof(*zone));
	memcpy(zone->name, name, len);
	zone->name_len = len;
	kserv_dns_labels_find(name, &labels);
	zone->n_labels = labels.n;
	zone->ttl = config->ttl;
	zone->pod_names = config->pods;
	zone->recursive = config->recursive;
	zone->random = config->seed * 2 + 0x9e3779b97f4a7c15;
	zone->own = kserv_records_need_service(zone,
					       config->service_namespace ? config->service_namespace : "kube-system",
					       config->service_name ? config->service_name : "kube-dns");
	if (!zone->own) {
		free(zone);
		return refuse(ret_why, "the name of the cluster DNS service is none that a Service can have");
	}
	*ret_zone = zone;
	return 0;
}

void kserv_zone_free(struct kserv_zone *zone)
{
	struct dns_service *own;

	if (!zone)
		return;
	own = zone->own;
	kserv_records_clear(zone);
	HASH_DEL(zone->services, own);
	free(own->key);
	free(own);
	free(zone);
}

void kserv_zone_load(struct kserv_zone *zone, const struct kserv_cluster *cluster)
{
	size_t i;

	kserv_records_clear(zone);
	for (i = 0; i < cluster->n_namespaces; i++)
		kserv_zone_set_namespace(zone, cluster->namespaces[i]->meta.name);
	for (i = 0; i < cluster->n_services; i++)
		kserv_zone_set_service(zone, cluster->services[i]);
	for (i = 0; i < cluster->n_slices; i++)
		kserv_zone_set_slice(zone, cluster->slices[i]);
	for (i = 0; i < cluster->n_pods; i++)
		kserv_zone_set_pod(zone, cluster->pods[i]);
	kserv_records_settle(zone);
	zone->synced = true;
}

void kserv_zone_set_synced(struct kserv_zone *zone, bool synced)
{
	zone->synced = synced;
}

bool kserv_zone_is_synced(const struct kserv_zone *zone)
{
	return zone->synced;
}

void kserv_zone_set_serial(struct kserv_zone *zone, uint32_t serial)
{
	zone->serial = serial;
}

void kserv_zone_set_recursive(struct kserv_zone *zone, bool recursive)
{
	zone->recursive = recursive;
}
