/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_SERVICE_H
#define _KSERV_SERVICE_H

#include <linux/list.h>
#include <linux/netfilter.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <uapi/linux/kserv.h>

/* Tables that grow with what userspace asks for: it pays for them, and is told when there is no memory. */
#define KSERV_GFP_TABLE (GFP_KERNEL_ACCOUNT | __GFP_NOWARN)

struct kserv_net;
struct kserv_prefixes;
struct kserv_service_change;

/**
 * struct kserv_endpoint - an address and port behind a service
 * @addr: immutable after publish, as are @port and @service
 * @weight: changed under the net's mutex, read without; so are @state, @flags and the reasons
 * @state: enum kserv_endpoint_state
 * @flags: KSERV_ENDPOINT_FLAGS_*
 * @removed: it is no longer in its service's table; flows may still lead to it
 * @refs: one of the service's table, one of each flow and session that leads to it
 * @active: open flows
 * @failures: connections in a row that it left unanswered
 * @named: a transaction in progress names it; net's mutex
 * @ejected_until: jiffies until which it is not chosen; 0 when it is not ejected
 * @since: jiffies when it first could be chosen, for slow start; once @removed, when that was
 * @latency: from SYN to SYN-ACK, smoothed: units of 128 ns, 0 before the first; see kserv_latency_add()
 * @service: holds a reference
 * @connections: flows ever made; folded in when a flow is made
 * @packets: towards it and from it, folded in from flows from time to time
 * @bytes: the same; only who holds a reference may touch them, since the last one gives their place to @rcu
 */
struct kserv_endpoint {
	union nf_inet_addr addr;
	__be16 port;
	u16 weight;
	u8 state;
	u8 flags;
	u8 cluster_reason;
	u8 local_reason;
	bool removed;
	u8 ejections;
	u8 failures;
	bool named;
	refcount_t refs;
	atomic_t active;
	u32 ejected_until;
	u32 since;
	u32 latency;
	struct kserv_service *service;
	atomic64_t connections;
	atomic64_t packets[2];
	union {
		atomic64_t bytes[2];
		struct rcu_head rcu;
	};
};

/* A cluster has many of them: this is most of what kserv needs in memory. */
static_assert(sizeof(struct kserv_endpoint) <= 96);

/**
 * struct kserv_choices - what may be chosen, and how: one version of a service, immutable once published
 * @scheduler: enum kserv_scheduler
 * @removal: enum kserv_removal
 * @flags: KSERV_SERVICE_FLAGS_*
 * @affinity_timeout: seconds, 0 for none
 * @removal_grace: seconds
 * @slow_start: seconds
 * @weighted: some weight differs from the others, or slow start is on
 * @serving: endpoints with KSERV_ENDPOINT_FLAGS_SERVING
 * @cluster_first: the cluster set is endpoint[@cluster_first .. @cluster_first + @n_cluster - 1]
 * @n_local: the local set is endpoint[0 .. @n_local - 1]
 * @n: all, in the order: local set only, both sets, cluster set only, neither; each group sorted by address and port
 * @maglev: look-up tables of the two sets (cluster, local) for that scheduler, else NULL; freed with this
 */
struct kserv_choices {
	u8 scheduler;
	u8 removal;
	bool weighted;
	u32 flags;
	u32 affinity_timeout;
	u32 removal_grace;
	u32 slow_start;
	unsigned int serving;
	unsigned int cluster_first;
	unsigned int n_cluster;
	unsigned int n_local;
	unsigned int n;
	u16 *maglev[2];
	struct rcu_head rcu;
	struct kserv_endpoint *endpoint[];
};

/* The set of @choices that applies: @local or the cluster set. */
static inline struct kserv_endpoint *const *kserv_choices_set(const struct kserv_choices *choices, bool local,
							      unsigned int *ret_n)
{
	*ret_n = local ? choices->n_local : choices->n_cluster;
	return local ? choices->endpoint : choices->endpoint + choices->cluster_first;
}

/* Does some endpoint with this address, whatever its port, serve? */
bool kserv_choices_serve(const struct kserv_choices *choices, const union nf_inet_addr *addr);

/**
 * struct kserv_service - one Service port of one address family
 * @choices: the version in force, never NULL; replaced under the net's mutex; empty once @dead
 * @round_robin: position of that scheduler
 * @dead: deleted; flows may still lead to its endpoints
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6; with @protocol and @name the key
 * @id: kserv_net.service_ids; also the key of session affinity, never used twice in a row
 * @refs: one of the table, one of each endpoint
 * @frontends: kserv_frontend.list; net's mutex
 * @node: kserv_net.services; net's mutex
 * @staged: what a transaction in progress does to it; net's mutex
 * @rcu: in the place of what only writers look at
 */
struct kserv_service {
	struct kserv_choices __rcu *choices;
	atomic_t round_robin;
	bool dead;
	u8 family;
	u8 protocol;
	u32 id;
	refcount_t refs;
	atomic64_t connections;
	atomic64_t rejects;
	atomic64_t drops;
	struct hlist_head frontends;
	union {
		struct {
			struct rhash_head node;
			struct kserv_service_change *staged;
		};
		struct rcu_head rcu;
	};
	char name[];
};

static_assert(sizeof(struct kserv_service) <= 72);

/**
 * struct kserv_frontend_key - how a packet finds a frontend
 * @addr: zero for node ports
 * @port: zero for guards
 * @protocol: zero for the guard of a cluster IP's undefined ports, ICMP or ICMPv6 for that of a load balancer's pings
 */
struct kserv_frontend_key {
	union nf_inet_addr addr;
	__be16 port;
	u8 protocol;
	u8 family;
	u8 node_port;
	u8 zero[3];
};

static_assert(sizeof(struct kserv_frontend_key) == 24);

/**
 * struct kserv_frontend - an address, protocol and port by which a service is reached; immutable once published
 * @node: kserv_net.frontends
 * @type: enum kserv_frontend_type
 * @flags: KSERV_FRONTEND_FLAGS_*
 * @live: false while a transaction that adds it has not committed; such a one is not found
 * @service: NULL for guards
 * @sources: allowed sources, NULL for all
 * @connections: flows ever made by it
 * @guarded: for a guard, the live frontends of its address and type; net's mutex
 * @staged: 1 + index of what a transaction in progress does to it; net's mutex
 * @list: kserv_service.frontends; net's mutex
 */
struct kserv_frontend {
	struct rhash_head node;
	struct kserv_frontend_key key;
	u8 type;
	u8 flags;
	bool live;
	union {
		u32 guarded;
		u32 staged;
	};
	struct kserv_service *service;
	struct kserv_prefixes *sources;
	atomic64_t connections;
	union {
		struct hlist_node list;
		struct rcu_head rcu;
	};
};

static_assert(sizeof(struct kserv_frontend) <= 80);

/**
 * kserv_frontend_lookup() - the live frontend with this key
 * Context: RCU read section, any.
 * Return: the frontend, valid inside the section, or NULL.
 */
struct kserv_frontend *kserv_frontend_lookup(struct kserv_net *kn, const struct kserv_frontend_key *key);

/**
 * kserv_endpoint_put() - give back a reference
 * Context: any. The last one frees the endpoint after a grace period and gives back its service.
 */
void kserv_endpoint_put(struct kserv_endpoint *endpoint);
/* Take a reference. Context: RCU read section, any. Return: false if it is being freed. */
static inline bool kserv_endpoint_get_maybe_zero(struct kserv_endpoint *endpoint)
{
	return refcount_inc_not_zero(&endpoint->refs);
}

/* Slab caches. Context: process. */
int kserv_service_module_init(void);
void kserv_service_module_exit(void);
/* Tables of one namespace. kserv_service_net_exit() frees all that is left; hooks must be gone. Context: process. */
int kserv_service_net_init(struct kserv_net *kn);
void kserv_service_net_exit(struct kserv_net *kn);

#endif /* _KSERV_SERVICE_H */
