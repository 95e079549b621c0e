/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cluster model: the Kubernetes objects that decide about services, as far as kserv looks at them. Filled from the
 * API or from manifests through cluster/read.c; read by plan. Strings are owned by the object that points to them and
 * are never NULL unless said; absent ones are "".
 */
#ifndef KSERV_CLUSTER_H
#define KSERV_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/tables.h"

/* Something that may be absent (null) in the object. */
enum kserv_maybe { KSERV_ABSENT = -1, KSERV_FALSE, KSERV_TRUE };

struct kserv_strings {
	char **v;
	size_t n;
};

/* A label or annotation. */
struct kserv_label {
	char *key, *value;
};

struct kserv_labels {
	struct kserv_label *v;
	size_t n;
};

struct kserv_meta {
	char *namespace, *name, *uid, *resource_version;
	struct kserv_labels labels, annotations;
	bool deleting;			/* deletionTimestamp is set */
};

/* intOrString, as in targetPort: @name is NULL for a number. */
struct kserv_port_ref {
	char *name;
	uint16_t number;
};

struct kserv_service_port {
	char *name;
	uint8_t protocol;		/* IPPROTO_* */
	uint16_t port;
	struct kserv_port_ref target_port;	/* number 0 and no name: same as port */
	uint16_t node_port;		/* 0: none */
	char *app_protocol;
};

struct kserv_ingress {
	char *ip;			/* "" when only a host name is given */
	char *hostname;
	bool proxy;			/* ipMode Proxy */
};

enum kserv_service_type {
	KSERV_SERVICE_CLUSTER_IP, KSERV_SERVICE_NODE_PORT, KSERV_SERVICE_LOAD_BALANCER, KSERV_SERVICE_EXTERNAL_NAME,
};

enum kserv_policy { KSERV_POLICY_CLUSTER, KSERV_POLICY_LOCAL };

enum kserv_family_policy { KSERV_SINGLE_STACK, KSERV_PREFER_DUAL_STACK, KSERV_REQUIRE_DUAL_STACK };

/* v1 Service. Addresses stay strings as written (rule 1.18: parsed leniently by plan). */
struct kserv_k8s_service {
	struct kserv_meta meta;
	enum kserv_service_type type;
	struct kserv_service_port *ports;
	size_t n_ports;
	char *cluster_ip;			/* "", "None" or an address */
	struct kserv_strings cluster_ips;
	struct kserv_strings ip_families;	/* "IPv4", "IPv6" */
	enum kserv_family_policy family_policy;
	struct kserv_strings external_ips;
	struct kserv_strings source_ranges;
	char *load_balancer_ip, *load_balancer_class, *external_name;
	struct kserv_ingress *ingress;
	size_t n_ingress;
	struct kserv_labels selector;
	bool client_ip_affinity;
	uint32_t affinity_timeout;		/* seconds; 10800 unless given */
	enum kserv_policy internal_policy, external_policy;
	uint16_t health_check_node_port;
	bool publish_not_ready, allocate_node_ports;
	char *traffic_distribution;
};

/* One endpoint of a slice; only its first address counts (rule 2.1). */
struct kserv_slice_endpoint {
	struct kserv_strings addresses;
	enum kserv_maybe ready, serving, terminating;
	char *hostname, *node_name, *zone;
	char *target_kind, *target_namespace, *target_name;
	struct kserv_strings hint_zones, hint_nodes;
	uint16_t weight;			/* 100 unless annotated (embedded source) */
};

struct kserv_slice_port {
	char *name;				/* NULL: nil, the port is skipped (rule 2.2) */
	uint8_t protocol;
	uint16_t port;				/* 0: nil */
};

enum kserv_address_type { KSERV_ADDRESS_IPV4, KSERV_ADDRESS_IPV6, KSERV_ADDRESS_FQDN };

/* discovery.k8s.io/v1 EndpointSlice */
struct kserv_slice {
	struct kserv_meta meta;
	char *service;				/* label kubernetes.io/service-name */
	enum kserv_address_type address_type;
	struct kserv_slice_endpoint *endpoints;
	size_t n_endpoints;
	struct kserv_slice_port *ports;
	size_t n_ports;
	void *block;			/* holds all strings of the endpoints; NULL: each is allocated by itself */
};

/* v1 Node */
struct kserv_node {
	struct kserv_meta meta;
	struct kserv_strings internal_ips, external_ips;
	struct kserv_strings pod_cidrs;
	bool ready, unschedulable;
	struct kserv_strings taints;		/* keys */
};

struct kserv_container_port {
	char *name;
	uint8_t protocol;
	uint16_t port;
};

enum kserv_pod_phase { KSERV_POD_PENDING, KSERV_POD_RUNNING, KSERV_POD_SUCCEEDED, KSERV_POD_FAILED, KSERV_POD_UNKNOWN };

/* v1 Pod */
struct kserv_pod {
	struct kserv_meta meta;
	char *node_name, *hostname, *subdomain;
	bool host_network, ready;
	enum kserv_pod_phase phase;
	struct kserv_strings ips;
	struct kserv_container_port *ports;	/* of all containers */
	size_t n_ports;
};

/* v1 Namespace */
struct kserv_namespace {
	struct kserv_meta meta;
};

/**
 * struct kserv_settings - how this node serves, from the config file and flags
 * @node_name: the Node that we are
 * @node_ips: addresses of this node, first of each family is its primary one; from the Node object when empty
 * @detect_local: enum kserv_detect_local as asked for; @detect_node_cidr: take the node's pod CIDRs (mode NodeCIDR)
 * @node_port_primary: node ports on the primary addresses only (the word "primary")
 */
struct kserv_settings {
	char *node_name;
	struct kserv_strings node_ips;
	enum kserv_detect_local detect_local;
	bool detect_node_cidr;
	struct kserv_prefixes cluster_cidrs, service_cidrs;
	char *pod_interface;
	bool masquerade_all;
	bool node_port_primary;
	struct kserv_prefixes node_port_addresses;
	uint16_t node_port_min, node_port_max;	/* 30000, 32767 */
	struct kserv_config kernel;		/* timeouts, limits and modes passed on as they are */
};

/**
 * struct kserv_cluster - everything plan looks at
 * Arrays in any order; plan does not change it.
 * @wrapped: pod CIDRs of other nodes that are reached by VXLAN, sorted; nobody else can tell but the pod network
 */
struct kserv_cluster {
	struct kserv_k8s_service **services;
	size_t n_services;
	struct kserv_slice **slices;
	size_t n_slices;
	struct kserv_node **nodes;
	size_t n_nodes;
	struct kserv_pod **pods;
	size_t n_pods;
	struct kserv_namespace **namespaces;
	size_t n_namespaces;
	struct kserv_settings settings;
	struct kserv_prefixes wrapped;
};

void kserv_k8s_service_free(struct kserv_k8s_service *service);
void kserv_slice_free(struct kserv_slice *slice);
void kserv_node_free(struct kserv_node *node);
void kserv_pod_free(struct kserv_pod *pod);
void kserv_namespace_free(struct kserv_namespace *ns);
void kserv_settings_clear(struct kserv_settings *settings);
/* What they hold, not the struct itself. */
void kserv_strings_clear(struct kserv_strings *strings);
void kserv_labels_clear(struct kserv_labels *labels);
/* Frees the objects too. */
void kserv_cluster_clear(struct kserv_cluster *cluster);

/* The value of label or annotation @key, or NULL. */
const char *kserv_labels_find(const struct kserv_labels *labels, const char *key);
/* True if every label of @selector is among @labels; an empty selector selects nothing. */
bool kserv_selector_matches(const struct kserv_labels *selector, const struct kserv_labels *labels);

#endif
