/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cluster DNS server: answers from a zone (zone.h) over UDP and TCP, and asks upstream servers for everything else.
 * It runs on the caller's sd-event loop, in the caller's thread; nothing blocks.
 *
 * How a daemon uses it:
 *
 *	kserv_zone_new(&zone_config, &zone, &why);	the zone belongs to the caller
 *	kserv_dns_new(event, zone, &config, &dns, &why);	listens from here on; SERVFAIL until the zone is synced
 *	kserv_zone_load(zone, cluster);			the whole model, or
 *	kserv_zone_set_service(zone, service) ...	one object at a time as events come,
 *	kserv_zone_set_synced(zone, true);		and this after the first list of each kind
 *	kserv_dns_free(dns); kserv_zone_free(zone);
 *
 * What it plans from has kserv_dns_slice_new() instead of the other slices of the cluster DNS service, so that the
 * kernel takes queries for its address to where this server listens.
 */
#ifndef KSERV_DNS_H
#define KSERV_DNS_H

#include <systemd/sd-event.h>
#include "dns/zone.h"
#include "lib/tables.h"

#define KSERV_DNS_ADDRESS	"10.96.0.10"
#define KSERV_DNS_PORT		53
#define KSERV_DNS_RESOLV_CONF	"/etc/resolv.conf"

/* Where to send to or listen at. @port: host order; 0 for 53. */
struct kserv_dns_place {
	struct kserv_addr addr;
	uint16_t port;
};

struct kserv_dns_places {
	struct kserv_dns_place *v;
	size_t n;
};

/* Names at or below @domain are asked of these servers. */
struct kserv_dns_stub {
	const char *domain;
	struct kserv_dns_places upstreams;
};

/**
 * struct kserv_dns_config - how the server runs; everything is copied
 * @listen: UDP and TCP; an unspecified address (0.0.0.0, ::) listens on all and answers from the address asked
 * @resolv_conf: upstream servers; read again when it changes. NULL for the usual one, "" for none
 * @upstreams: asked instead of those of @resolv_conf, if there are any
 * @stubs: domains with upstreams of their own; the longest that fits counts
 * @clients: who may ask besides the machine itself; others are refused, in an answer that is no longer than their
 *	query. None for @pods and loopback, link-local and private addresses (RFC 1918, 6598, 4193)
 * @cache_max: answers of upstreams that are kept; 0 for 8192
 */
struct kserv_dns_config {
	struct kserv_dns_places listen;
	const char *resolv_conf;
	struct kserv_dns_places upstreams;
	const struct kserv_dns_stub *stubs;
	size_t n_stubs;
	struct kserv_prefixes clients, pods;
	size_t cache_max;
};

/* Counters since the start; for metrics. */
struct kserv_dns_stats {
	uint64_t queries_udp, queries_tcp;
	uint64_t answers[16];			/* from the zone, by rcode */
	uint64_t truncated, refused_clients, malformed;
	uint64_t forwarded, cache_hits, upstream_timeouts, upstream_failures, forward_limit;
	uint64_t tcp_limit, send_failures;
	uint32_t tcp_connections, pending, cached;	/* now */
};

struct kserv_dns;

/**
 * kserv_dns_new() - open the sockets and begin to answer
 * @zone: stays the caller's, who frees it after kserv_dns_free()
 * @ret_why: on error a sentence, which the caller frees
 *
 * Return: 0 or -errno.
 */
int kserv_dns_new(sd_event *event, struct kserv_zone *zone, const struct kserv_dns_config *config,
		  struct kserv_dns **ret_dns, char **ret_why);
void kserv_dns_free(struct kserv_dns *dns);
void kserv_dns_stats(const struct kserv_dns *dns, struct kserv_dns_stats *ret);

/* The Service whose cluster IPs are the cluster's DNS addresses: kube-system/kube-dns, as kubeadm has it. */
bool kserv_dns_is_service(const char *namespace, const char *name);

/* That Service, for a cluster that has none. @addrs: at most one of each family. Freed by kserv_k8s_service_free(). */
struct kserv_k8s_service *kserv_dns_service_new(const struct kserv_addr *addrs, size_t n);

/**
 * kserv_dns_slice_new() - its slice with this node for the only endpoint
 * @service: the one above or the cluster's own; its ports 53 lead here
 * @here: where the server listens
 *
 * Freed by kserv_slice_free().
 */
struct kserv_slice *kserv_dns_slice_new(const struct kserv_k8s_service *service, const struct kserv_dns_place *here,
					const char *node_name);

#endif
