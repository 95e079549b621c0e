/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel holds, or should hold: services with their frontends and endpoints, routes and configuration.
 * plan makes one from the cluster model, nl reads one from the kernel, sync sends the difference.
 * Enums and limits are those of the netlink protocol, <linux/kserv.h>.
 */
#ifndef KSERV_TABLES_H
#define KSERV_TABLES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/kserv.h>

/**
 * struct kserv_addr - an IPv4 or IPv6 address
 * @family: AF_INET, AF_INET6, or AF_UNSPEC for none
 * @v6: the address; an IPv4 address is in its first four bytes and the rest is zero, so whole structs compare by memcmp
 */
struct kserv_addr {
	uint8_t family;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
};

/* A CIDR; bits beyond @len are zero. */
struct kserv_prefix {
	struct kserv_addr addr;
	uint8_t len;
};

struct kserv_prefixes {
	struct kserv_prefix *v;
	size_t n;
};

/**
 * struct kserv_endpoint - an address and port behind a service
 * @port: host order
 * @state: enum kserv_endpoint_state
 * @flags: KSERV_ENDPOINT_FLAGS_*
 * @cluster_reason: enum kserv_reason, why it is not in the cluster set; KSERV_REASON_NONE if it is
 * @local_reason: the same for the local set
 * @weight: share of new flows, 100 is ordinary
 * @stats: only in tables read from the kernel; sync ignores it. Its latency is in microseconds, 0 if there is none
 */
struct kserv_endpoint {
	struct kserv_addr addr;
	uint16_t port;
	uint8_t state;
	uint8_t flags;
	uint8_t cluster_reason;
	uint8_t local_reason;
	uint16_t weight;
	struct {
		uint32_t active, latency;
		uint64_t connections, packets_in, bytes_in, packets_out, bytes_out;
		bool ejected;
	} stats;
};

/**
 * struct kserv_frontend - an address and port by which a service is reached
 * @type: enum kserv_frontend_type
 * @addr: family AF_UNSPEC for node ports
 * @port: host order
 * @flags: KSERV_FRONTEND_FLAGS_*
 * @sources: allowed sources, sorted, without duplicates; none allows all
 */
struct kserv_frontend {
	uint8_t type;
	struct kserv_addr addr;
	uint16_t port;
	uint8_t flags;
	struct kserv_prefixes sources;
	uint64_t connections;
};

/**
 * struct kserv_service - one Service port of one address family
 * @name: namespace/name:port-name, or namespace/name where the port has no name
 * @family: AF_INET or AF_INET6; with @name and @protocol the key
 * @protocol: IPPROTO_TCP, IPPROTO_UDP or IPPROTO_SCTP
 * @frontends: sorted by type, address, port
 * @endpoints: sorted by address, port; no two alike
 */
struct kserv_service {
	char *name;
	uint8_t family;
	uint8_t protocol;
	uint8_t scheduler;
	uint8_t removal;
	uint32_t flags;
	uint32_t affinity_timeout;
	uint32_t removal_grace;
	uint32_t slow_start;
	struct kserv_frontend *frontends;
	size_t n_frontends;
	struct kserv_endpoint *endpoints;
	size_t n_endpoints;
	uint64_t rejects, drops, connections;
};

struct kserv_route {
	struct kserv_prefix prefix;
	uint8_t type;
	struct kserv_addr gateway;
};

/* The kernel's configuration; a number that is 0 stands for that of kserv_config_defaults. */
struct kserv_config {
	uint8_t conntrack;
	uint8_t detect_local;
	uint8_t fast_path;
	bool fast_path_set;
	char pod_interface[16];
	struct kserv_prefixes pod_cidrs, service_cidrs, node_port_addresses;
	uint16_t masquerade_port_min, masquerade_port_max;
	uint32_t flow_max, session_max;
	uint32_t tcp_syn_timeout, tcp_established_timeout, tcp_close_timeout;
	uint32_t udp_timeout, udp_stream_timeout, sctp_timeout;
};

/* What sync sends for members that are 0. */
extern const struct kserv_config kserv_config_defaults;

/**
 * struct kserv_tables - the whole of it
 * @services: sorted by kserv_service_compare()
 * @routes: sorted by prefix
 * @generation: transactions committed, in tables read from the kernel
 */
struct kserv_tables {
	struct kserv_service *services;
	size_t n_services;
	struct kserv_route *routes;
	size_t n_routes;
	struct kserv_config config;
	uint32_t generation;
};

void kserv_tables_clear(struct kserv_tables *tables);
void kserv_service_clear(struct kserv_service *service);
void kserv_config_clear(struct kserv_config *config);
/* Order by name, family, protocol: the key. */
int kserv_service_compare(const void *a, const void *b);
int kserv_endpoint_compare(const void *a, const void *b);
int kserv_frontend_compare(const void *a, const void *b);
int kserv_prefix_compare(const void *a, const void *b);
/* Member by member: alike if both are sorted. */
bool kserv_prefixes_are_equal(const struct kserv_prefixes *a, const struct kserv_prefixes *b);
/* Sort everything as the members above say, so that equal tables are equal member by member. */
void kserv_tables_sort(struct kserv_tables *tables);

#endif
