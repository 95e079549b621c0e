// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include "cluster/memory.h"
#include "cluster/read.h"
#include "lib/addr.h"
#include "source/slices.h"

#define SLICE_MAX	100		/* endpoints of one slice, as the controller's default */
#define CONTROLLER	"endpointslice-controller.k8s.io"
#define MIRROR		"endpointslicemirroring-controller.k8s.io"
#define HEADLESS_LABEL	"service.kubernetes.io/headless"
#define ZONE_LABEL	"topology.kubernetes.io/zone"

/* Pods of one namespace with one label, so that a Service does not look at all of them. */
struct bucket {
	char *key;
	const struct kserv_pod **pods;
	size_t n;
	UT_hash_handle hh;
};

struct node_entry {
	const struct kserv_node *node;
	UT_hash_handle hh;
};

struct index {
	struct bucket *buckets;
	struct node_entry *nodes;
};

/* Endpoints of a Service that have the same ports go to the same slices. */
struct group {
	struct kserv_slice_port *ports;
	size_t n_ports;
	struct kserv_slice *slice;	/* the last one, to which endpoints are added */
	unsigned int n_slices;
};

struct maker {
	struct kserv_cluster *cluster;
	const struct kserv_k8s_service *service;
	uint8_t family;
	struct group *groups;
	size_t n_groups;
};

static char *bucket_key(const char *namespace, const char *key, const char *value)
{
	return kserv_must_printf("%s\n%s\n%s", namespace, key, value);
}

static void add_to_bucket(struct index *index, const struct kserv_pod *pod, const struct kserv_label *label)
{
	char *key = bucket_key(pod->meta.namespace, label->key, label->value);
	struct bucket *bucket;

	HASH_FIND_STR(index->buckets, key, bucket);
	if (bucket) {
		free(key);
	} else {
		bucket = kserv_must_alloc(sizeof(*bucket));
		bucket->key = key;
		HASH_ADD_KEYPTR(hh, index->buckets, bucket->key, strlen(bucket->key), bucket);
	}
	bucket->pods = kserv_must_grow(bucket->pods, bucket->n, sizeof(*bucket->pods));
	bucket->pods[bucket->n++] = pod;
}

static void build_index(struct index *index, const struct kserv_cluster *cluster)
{
	struct node_entry *entry;
	size_t i, j;

	for (i = 0; i < cluster->n_pods; i++)
		for (j = 0; j < cluster->pods[i]->meta.labels.n; j++)
			add_to_bucket(index, cluster->pods[i], &cluster->pods[i]->meta.labels.v[j]);
	for (i = 0; i < cluster->n_nodes; i++) {
		entry = kserv_must_alloc(sizeof(*entry));
		entry->node = cluster->nodes[i];
		HASH_ADD_KEYPTR(hh, index->nodes, entry->node->meta.name, strlen(entry->node->meta.name), entry);
	}
}

static void clear_index(struct index *index)
{
	struct node_entry *entry, *next_entry;
	struct bucket *bucket, *next;

	HASH_ITER(hh, index->buckets, bucket, next) {
		HASH_DEL(index->buckets, bucket);
		free(bucket->key);
		free(bucket->pods);
		free(bucket);
	}
	HASH_ITER(hh, index->nodes, entry, next_entry) {
		HASH_DEL(index->nodes, entry);
		free(entry);
	}
}

static const struct kserv_node *find_node(const struct index *index, const char *name)
{
	struct node_entry *entry;

	HASH_FIND_STR(index->nodes, name, entry);
	return entry ? entry->node : NULL;
}

static bool is_in_endpoints(const struct kserv_pod *pod)
{
	return pod->phase != KSERV_POD_SUCCEEDED && pod->phase != KSERV_POD_FAILED;
}

/* The first address of the family; a Pod in its node's network that was given none has the node's. */
static const char *pod_address(const struct kserv_pod *pod, const struct kserv_node *node, uint8_t family)
{
	const struct kserv_strings *ips = &pod->ips;
	struct kserv_addr addr;
	size_t i;

	if (!ips->n && pod->host_network && node)
		ips = &node->internal_ips;
	for (i = 0; i < ips->n; i++)
		if (!kserv_addr_parse(ips->v[i], &addr) && addr.family == family)
			return ips->v[i];
	return NULL;
}

/* The number behind a Service port in this Pod; 0 if the Pod has no port of that name and protocol. */
static uint16_t resolve_port(const struct kserv_pod *pod, const struct kserv_service_port *port)
{
	size_t i;

	if (!port->target_port.name)
		return port->target_port.number ? port->target_port.number : port->port;
	for (i = 0; i < pod->n_ports; i++)
		if (!strcmp(pod->ports[i].name, port->target_port.name) && pod->ports[i].protocol == port->protocol)
			return pod->ports[i].port;
	return 0;
}

/* Ports of the Service that the Pod has; names are borrowed from the Service. */
static size_t resolve_ports(const struct kserv_k8s_service *service, const struct kserv_pod *pod,
			    struct kserv_slice_port *ports)
{
	uint16_t number;
	size_t i, n = 0;

	for (i = 0; i < service->n_ports; i++) {
		number = resolve_port(pod, &service->ports[i]);
		if (number)
			ports[n++] = (struct kserv_slice_port){
				.name = service->ports[i].name, .protocol = service->ports[i].protocol, .port = number,
			};
	}
	return n;
}

static bool has_ports(const struct group *group, const struct kserv_slice_port *ports, size_t n)
{
	size_t i;

	if (group->n_ports != n)
		return false;
	for (i = 0; i < n; i++)
		if (strcmp(group->ports[i].name, ports[i].name) || group->ports[i].protocol != ports[i].protocol ||
		    group->ports[i].port != ports[i].port)
			return false;
	return true;
}

/* @ports are copied if a group is made. */
static struct group *need_group(struct maker *maker, const struct kserv_slice_port *ports, size_t n)
{
	struct group *group;
	size_t i;

	for (i = 0; i < maker->n_groups; i++)
		if (has_ports(&maker->groups[i], ports, n))
			return &maker->groups[i];
	maker->groups = kserv_must_grow(maker->groups, maker->n_groups, sizeof(*maker->groups));
	group = &maker->groups[maker->n_groups++];
	group->ports = kserv_must_alloc(n * sizeof(*ports));
	group->n_ports = n;
	for (i = 0; i < n; i++) {
		group->ports[i] = ports[i];
		group->ports[i].name = kserv_must_strdup(ports[i].name);
	}
	return group;
}

static uint32_t hash_text(uint32_t hash, const char *s)
{
	for (; *s; s++)
		hash = (hash ^ (unsigned char)*s) * 16777619;
	return (hash ^ '/') * 16777619;
}

/* "web-x7k2p": from what tells the slices of a Service apart, so that it is the same each time. */
static char *slice_name(const struct maker *maker, const struct group *group)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	uint32_t hash = hash_text(2166136261, maker->service->meta.namespace);
	char suffix[6] = "", number[32];
	size_t i;

	hash = hash_text(hash, maker->service->meta.name);
	snprintf(number, sizeof(number), "%u/%u", maker->family, group->n_slices);
	hash = hash_text(hash, number);
	for (i = 0; i < group->n_ports; i++) {
		snprintf(number, sizeof(number), "%u/%u", group->ports[i].protocol, group->ports[i].port);
		hash = hash_text(hash_text(hash, group->ports[i].name), number);
	}
	for (i = 0; i < 5; i++, hash /= sizeof(letters) - 1)
		suffix[i] = letters[hash % (sizeof(letters) - 1)];
	return kserv_must_printf("%s-%s", maker->service->meta.name, suffix);
}

static void add_slice(struct kserv_cluster *cluster, struct kserv_slice *slice)
{
	cluster->slices = kserv_must_grow(cluster->slices, cluster->n_slices, sizeof(*cluster->slices));
	cluster->slices[cluster->n_slices++] = slice;
}

/* A slice without endpoints, in the cluster already. */
static struct kserv_slice *start_slice(struct maker *maker, struct group *group, const char *managed_by)
{
	const struct kserv_k8s_service *service = maker->service;
	struct kserv_slice *slice = kserv_must_alloc(sizeof(*slice));
	size_t i;

	slice->meta.namespace = kserv_must_strdup(service->meta.namespace);
	slice->meta.name = slice_name(maker, group);
	slice->meta.uid = kserv_must_strdup("");
	slice->meta.resource_version = kserv_must_strdup(service->meta.resource_version);
	for (i = 0; i < service->meta.labels.n; i++)
		kserv_labels_add(&slice->meta.labels, service->meta.labels.v[i].key, service->meta.labels.v[i].value);
	kserv_labels_add(&slice->meta.labels, KSERV_LABEL_SERVICE_NAME, service->meta.name);
	kserv_labels_add(&slice->meta.labels, KSERV_LABEL_MANAGED_BY, managed_by);
	if (!strcmp(service->cluster_ip, "None"))
		kserv_labels_add(&slice->meta.labels, HEADLESS_LABEL, "");
	slice->service = kserv_must_strdup(service->meta.name);
	slice->address_type = maker->family == AF_INET ? KSERV_ADDRESS_IPV4 : KSERV_ADDRESS_IPV6;
	slice->ports = kserv_must_alloc(group->n_ports * sizeof(*slice->ports));
	for (i = 0; i < group->n_ports; i++) {
		slice->ports[i] = group->ports[i];
		slice->ports[i].name = kserv_must_strdup(group->ports[i].name);
	}
	slice->n_ports = group->n_ports;
	add_slice(maker->cluster, slice);
	group->slice = slice;
	group->n_slices++;
	return slice;
}

/* A new endpoint of the group with one address and empty strings. */
static struct kserv_slice_endpoint *add_endpoint(struct maker *maker, struct group *group, const char *managed_by,
						 const char *address)
{
	struct kserv_slice *slice = group->slice;
	struct kserv_slice_endpoint *endpoint;

	if (!slice || slice->n_endpoints == SLICE_MAX)
		slice = start_slice(maker, group, managed_by);
	slice->endpoints = kserv_must_grow(slice->endpoints, slice->n_endpoints, sizeof(*slice->endpoints));
	endpoint = &slice->endpoints[slice->n_endpoints++];
	kserv_strings_add(&endpoint->addresses, address);
	endpoint->ready = endpoint->serving = endpoint->terminating = KSERV_ABSENT;
	endpoint->weight = 100;
	return endpoint;
}

static void fill_strings(struct kserv_slice_endpoint *endpoint)
{
	char **const strings[] = {
		&endpoint->hostname, &endpoint->node_name, &endpoint->zone, &endpoint->target_kind,
		&endpoint->target_namespace, &endpoint->target_name,
	};
	size_t i;

	for (i = 0; i < sizeof(strings) / sizeof(*strings); i++)
		if (!*strings[i])
			*strings[i] = kserv_must_strdup("");
}

/* trafficDistribution becomes hints on the endpoints that are ready. */
static void add_hints(const struct kserv_k8s_service *service, struct kserv_slice_endpoint *endpoint)
{
	const char *wish = service->traffic_distribution;

	if (!*wish || endpoint->ready != KSERV_TRUE)
		return;
	if (*endpoint->zone)
		kserv_strings_add(&endpoint->hint_zones, endpoint->zone);
	if (!strcmp(wish, "PreferSameNode") && *endpoint->node_name)
		kserv_strings_add(&endpoint->hint_nodes, endpoint->node_name);
}

static void set_conditions(const struct kserv_k8s_service *service, const struct kserv_pod *pod,
			   struct kserv_slice_endpoint *endpoint)
{
	endpoint->serving = pod->ready ? KSERV_TRUE : KSERV_FALSE;
	endpoint->terminating = pod->meta.deleting ? KSERV_TRUE : KSERV_FALSE;
	endpoint->ready = service->publish_not_ready || (pod->ready && !pod->meta.deleting) ? KSERV_TRUE : KSERV_FALSE;
}

static void add_pod(struct maker *maker, const struct index *index, const struct kserv_pod *pod)
{
	const struct kserv_node *node = find_node(index, pod->node_name);
	const char *address = pod_address(pod, node, maker->family), *zone;
	struct kserv_slice_port *ports;
	struct kserv_slice_endpoint *endpoint;
	size_t n;

	if (!address || !is_in_endpoints(pod))
		return;
	ports = kserv_must_alloc(maker->service->n_ports * sizeof(*ports));
	n = resolve_ports(maker->service, pod, ports);
	endpoint = add_endpoint(maker, need_group(maker, ports, n), CONTROLLER, address);
	free(ports);
	set_conditions(maker->service, pod, endpoint);
	if (*pod->hostname && !strcmp(pod->subdomain, maker->service->meta.name))
		endpoint->hostname = kserv_must_strdup(pod->hostname);
	zone = node ? kserv_labels_find(&node->meta.labels, ZONE_LABEL) : NULL;
	endpoint->zone = kserv_must_strdup(zone ? zone : "");
	endpoint->node_name = kserv_must_strdup(pod->node_name);
	endpoint->target_kind = kserv_must_strdup("Pod");
	endpoint->target_namespace = kserv_must_strdup(pod->meta.namespace);
	endpoint->target_name = kserv_must_strdup(pod->meta.name);
	endpoint->weight = kserv_read_weight(&pod->meta);
	fill_strings(endpoint);
	add_hints(maker->service, endpoint);
}

static void clear_groups(struct maker *maker)
{
	struct group *group;
	size_t i, j;

	for (i = 0; i < maker->n_groups; i++) {
		group = &maker->groups[i];
		for (j = 0; j < group->n_ports; j++)
			free(group->ports[j].name);
		free(group->ports);
	}
	free(maker->groups);
	maker->groups = NULL;
	maker->n_groups = 0;
}

static const struct bucket *candidates(const struct index *index, const struct kserv_k8s_service *service)
{
	const struct kserv_label *first = &service->selector.v[0];
	char *key = bucket_key(service->meta.namespace, first->key, first->value);
	struct bucket *bucket;

	HASH_FIND_STR(index->buckets, key, bucket);
	free(key);
	return bucket;
}

static uint8_t family_of(const char *name)
{
	return !strcmp(name, "IPv6") ? AF_INET6 : AF_INET;
}

/* Slices that the controller of another cluster made for this Service. */
static void drop_foreign(struct kserv_cluster *cluster, const struct kserv_k8s_service *service, size_t n_given)
{
	struct kserv_slice *slice;
	const char *manager;
	size_t i;

	for (i = 0; i < n_given; i++) {
		slice = cluster->slices[i];
		manager = slice ? kserv_labels_find(&slice->meta.labels, KSERV_LABEL_MANAGED_BY) : NULL;
		if (!manager || strcmp(manager, CONTROLLER) || strcmp(slice->service, service->meta.name) ||
		    strcmp(slice->meta.namespace, service->meta.namespace))
			continue;
		kserv_slice_free(slice);
		cluster->slices[i] = NULL;
	}
}

static void squeeze(struct kserv_cluster *cluster)
{
	size_t i, n = 0;

	for (i = 0; i < cluster->n_slices; i++)
		if (cluster->slices[i])
			cluster->slices[n++] = cluster->slices[i];
	cluster->n_slices = n;
}

static void add_service(struct kserv_cluster *cluster, const struct index *index,
			const struct kserv_k8s_service *service, size_t n_given)
{
	struct maker maker = { .cluster = cluster, .service = service };
	const struct bucket *bucket;
	bool matched = false;
	size_t i, j;

	if (!service->selector.n || service->type == KSERV_SERVICE_EXTERNAL_NAME)
		return;
	bucket = candidates(index, service);
	for (i = 0; bucket && i < service->ip_families.n; i++) {
		maker.family = family_of(service->ip_families.v[i]);
		for (j = 0; j < bucket->n; j++) {
			if (!kserv_selector_matches(&service->selector, &bucket->pods[j]->meta.labels))
				continue;
			matched = true;
			add_pod(&maker, index, bucket->pods[j]);
		}
		clear_groups(&maker);
	}
	if (matched)
		drop_foreign(cluster, service, n_given);
}

void kserv_slices_of_pods(struct kserv_cluster *cluster)
{
	struct index index = { 0 };
	size_t i, n_given = cluster->n_slices, n_foreign = 0;

	/* What was given and is no controller's need not be looked at for each Service. */
	for (i = 0; i < n_given; i++) {
		const char *manager = kserv_labels_find(&cluster->slices[i]->meta.labels, KSERV_LABEL_MANAGED_BY);
		struct kserv_slice *slice = cluster->slices[i];

		if (!manager || strcmp(manager, CONTROLLER))
			continue;
		cluster->slices[i] = cluster->slices[n_foreign];
		cluster->slices[n_foreign++] = slice;
	}
	build_index(&index, cluster);
	for (i = 0; i < cluster->n_services; i++)
		add_service(cluster, &index, cluster->services[i], n_foreign);
	clear_index(&index);
	squeeze(cluster);
}

static int compare_to_service(const void *key, const void *element)
{
	const struct kserv_k8s_service *service = *(struct kserv_k8s_service *const *)element;
	const struct kserv_meta *meta = key;
	int order = strcmp(meta->namespace, service->meta.namespace);

	return order ? order : strcmp(meta->name, service->meta.name);
}

static const struct kserv_k8s_service *find_service(const struct kserv_cluster *cluster, const struct kserv_meta *meta)
{
	struct kserv_k8s_service **found = NULL;

	if (cluster->n_services)
		found = bsearch(meta, cluster->services, cluster->n_services, sizeof(*cluster->services),
				compare_to_service);
	return found ? *found : NULL;
}

static size_t read_subset_ports(const struct kserv_value *subset, struct kserv_slice_port **ret_ports)
{
	struct kserv_slice_port *ports = NULL;
	const struct kserv_value *value;
	size_t n = 0;

	for (value = kserv_value_first(kserv_value_find(subset, "ports")); value; value = value->next) {
		ports = kserv_must_grow(ports, n, sizeof(*ports));
		ports[n++] = (struct kserv_slice_port){
			.name = kserv_read_string(value, "name"),
			.protocol = kserv_read_protocol(value),
			.port = kserv_read_port(value, "port"),
		};
	}
	*ret_ports = ports;
	return n;
}

static void mirror_addresses(struct maker *maker, const struct kserv_value *list, bool ready, uint16_t weight,
			     const struct kserv_slice_port *ports, size_t n_ports)
{
	struct kserv_slice_endpoint *endpoint;
	const struct kserv_value *value;
	struct kserv_addr addr;

	for (value = kserv_value_first(list); value; value = value->next) {
		const char *ip = kserv_value_string(value, "ip");

		if (kserv_addr_parse(ip, &addr) || addr.family != maker->family)
			continue;
		endpoint = add_endpoint(maker, need_group(maker, ports, n_ports), MIRROR, ip);
		/* The mirroring controller knows no more than this. */
		endpoint->ready = ready ? KSERV_TRUE : KSERV_FALSE;
		endpoint->hostname = kserv_read_string(value, "hostname");
		endpoint->node_name = kserv_read_string(value, "nodeName");
		endpoint->target_kind = kserv_read_string(value, "targetRef.kind");
		endpoint->target_namespace = kserv_read_string(value, "targetRef.namespace");
		endpoint->target_name = kserv_read_string(value, "targetRef.name");
		endpoint->weight = weight;
		fill_strings(endpoint);
	}
}

static void mirror_subset(struct maker *maker, const struct kserv_value *subset, uint16_t weight)
{
	struct kserv_slice_port *ports;
	size_t n = read_subset_ports(subset, &ports), i;

	mirror_addresses(maker, kserv_value_find(subset, "addresses"), true, weight, ports, n);
	mirror_addresses(maker, kserv_value_find(subset, "notReadyAddresses"), false, weight, ports, n);
	for (i = 0; i < n; i++)
		free(ports[i].name);
	free(ports);
}

void kserv_slices_of_endpoints(struct kserv_cluster *cluster, const struct kserv_value *endpoints)
{
	/* An object of any kind has the metadata of a Namespace. */
	struct kserv_namespace *object = kserv_read_namespace(endpoints);
	struct maker maker = { .cluster = cluster, .service = find_service(cluster, &object->meta) };
	const char *skip = kserv_labels_find(&object->meta.labels, "endpointslice.kubernetes.io/skip-mirror");
	const struct kserv_value *subset;
	int i;

	if (maker.service && !maker.service->selector.n && !(skip && !strcmp(skip, "true"))) {
		for (i = 0; i < 2; i++) {
			maker.family = i ? AF_INET6 : AF_INET;
			subset = kserv_value_first(kserv_value_find(endpoints, "subsets"));
			for (; subset; subset = subset->next)
				mirror_subset(&maker, subset, kserv_read_weight(&object->meta));
			clear_groups(&maker);
		}
	}
	kserv_namespace_free(object);
}
