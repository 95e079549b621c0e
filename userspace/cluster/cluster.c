// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "cluster/cluster.h"

void kserv_strings_clear(struct kserv_strings *strings)
{
	size_t i;

	for (i = 0; i < strings->n; i++)
		free(strings->v[i]);
	free(strings->v);
}

void kserv_labels_clear(struct kserv_labels *labels)
{
	size_t i;

	for (i = 0; i < labels->n; i++) {
		free(labels->v[i].key);
		free(labels->v[i].value);
	}
	free(labels->v);
}

static void meta_clear(struct kserv_meta *meta)
{
	free(meta->namespace);
	free(meta->name);
	free(meta->uid);
	free(meta->resource_version);
	kserv_labels_clear(&meta->labels);
	kserv_labels_clear(&meta->annotations);
}

void kserv_k8s_service_free(struct kserv_k8s_service *service)
{
	size_t i;

	if (!service)
		return;
	meta_clear(&service->meta);
	for (i = 0; i < service->n_ports; i++) {
		free(service->ports[i].name);
		free(service->ports[i].target_port.name);
		free(service->ports[i].app_protocol);
	}
	free(service->ports);
	free(service->cluster_ip);
	kserv_strings_clear(&service->cluster_ips);
	kserv_strings_clear(&service->ip_families);
	kserv_strings_clear(&service->external_ips);
	kserv_strings_clear(&service->source_ranges);
	free(service->load_balancer_ip);
	free(service->load_balancer_class);
	free(service->external_name);
	for (i = 0; i < service->n_ingress; i++) {
		free(service->ingress[i].ip);
		free(service->ingress[i].hostname);
	}
	free(service->ingress);
	kserv_labels_clear(&service->selector);
	free(service->traffic_distribution);
	free(service);
}

static void endpoint_clear(struct kserv_slice_endpoint *endpoint)
{
	kserv_strings_clear(&endpoint->addresses);
	free(endpoint->hostname);
	free(endpoint->node_name);
	free(endpoint->zone);
	free(endpoint->target_kind);
	free(endpoint->target_namespace);
	free(endpoint->target_name);
	kserv_strings_clear(&endpoint->hint_zones);
	kserv_strings_clear(&endpoint->hint_nodes);
}

void kserv_slice_free(struct kserv_slice *slice)
{
	size_t i;

	if (!slice)
		return;
	meta_clear(&slice->meta);
	free(slice->service);
	for (i = 0; !slice->block && i < slice->n_endpoints; i++)
		endpoint_clear(&slice->endpoints[i]);
	free(slice->block);
	free(slice->endpoints);
	for (i = 0; i < slice->n_ports; i++)
		free(slice->ports[i].name);
	free(slice->ports);
	free(slice);
}

void kserv_node_free(struct kserv_node *node)
{
	if (!node)
		return;
	meta_clear(&node->meta);
	kserv_strings_clear(&node->internal_ips);
	kserv_strings_clear(&node->external_ips);
	kserv_strings_clear(&node->pod_cidrs);
	kserv_strings_clear(&node->taints);
	free(node);
}

void kserv_pod_free(struct kserv_pod *pod)
{
	size_t i;

	if (!pod)
		return;
	meta_clear(&pod->meta);
	free(pod->node_name);
	free(pod->hostname);
	free(pod->subdomain);
	kserv_strings_clear(&pod->ips);
	for (i = 0; i < pod->n_ports; i++)
		free(pod->ports[i].name);
	free(pod->ports);
	free(pod);
}

void kserv_namespace_free(struct kserv_namespace *ns)
{
	if (!ns)
		return;
	meta_clear(&ns->meta);
	free(ns);
}

void kserv_settings_clear(struct kserv_settings *settings)
{
	free(settings->node_name);
	kserv_strings_clear(&settings->node_ips);
	free(settings->cluster_cidrs.v);
	free(settings->service_cidrs.v);
	free(settings->pod_interface);
	free(settings->node_port_addresses.v);
	free(settings->kernel.pod_cidrs.v);
	free(settings->kernel.service_cidrs.v);
	free(settings->kernel.node_port_addresses.v);
	memset(settings, 0, sizeof(*settings));
}

void kserv_cluster_clear(struct kserv_cluster *cluster)
{
	size_t i;

	for (i = 0; i < cluster->n_services; i++)
		kserv_k8s_service_free(cluster->services[i]);
	for (i = 0; i < cluster->n_slices; i++)
		kserv_slice_free(cluster->slices[i]);
	for (i = 0; i < cluster->n_nodes; i++)
		kserv_node_free(cluster->nodes[i]);
	for (i = 0; i < cluster->n_pods; i++)
		kserv_pod_free(cluster->pods[i]);
	for (i = 0; i < cluster->n_namespaces; i++)
		kserv_namespace_free(cluster->namespaces[i]);
	free(cluster->services);
	free(cluster->slices);
	free(cluster->nodes);
	free(cluster->pods);
	free(cluster->namespaces);
	free(cluster->wrapped.v);
	kserv_settings_clear(&cluster->settings);
	memset(cluster, 0, sizeof(*cluster));
}

const char *kserv_labels_find(const struct kserv_labels *labels, const char *key)
{
	size_t i;

	for (i = 0; i < labels->n; i++)
		if (!strcmp(labels->v[i].key, key))
			return labels->v[i].value;
	return NULL;
}

bool kserv_selector_matches(const struct kserv_labels *selector, const struct kserv_labels *labels)
{
	size_t i;

	for (i = 0; i < selector->n; i++) {
		const char *value = kserv_labels_find(labels, selector->v[i].key);

		if (!value || strcmp(value, selector->v[i].value))
			return false;
	}
	return selector->n > 0;
}
