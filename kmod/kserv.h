/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_H
#define _KSERV_H

#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/notifier.h>
#include <linux/ratelimit_types.h>
#include <linux/rbtree.h>
#include <linux/rhashtable.h>
#include <linux/idr.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <uapi/linux/kserv.h>

#include "config.h"
#include "filter.h"
#include "flow.h"
#include "affinity.h"
#include "stats.h"

struct nf_conntrack_tuple;
struct nf_conntrack_tuple_hash;
struct nf_conntrack_zone;

/**
 * DOC: Lifetimes and locks
 *
 * Everything belongs to one struct kserv_net, the state of one network namespace; only the netlink family is global.
 *
 * Writers hold kserv_net.mutex: services, frontends, endpoints, routes and configuration change only under it, one
 * transaction at a time (genl.c, transaction.c). A transaction first prepares all that can fail, then commits, which
 * cannot.
 *
 * Packets run in softirq or with BH off, always inside an RCU read section (netfilter gives it). They take no
 * reference on frontends, services or choices, which are freed after a grace period. A flow holds a reference on its
 * endpoint; an endpoint holds one on its service, so what a flow leads to lives as long as the flow.
 *
 * Flows are found under RCU. Insertion and removal take the bucket locks of the keys concerned, in ascending order of
 * bucket; the state of one flow is guarded by its own lock, which nests outside the bucket locks. A flow is freed after
 * a grace period by its cache.
 *
 * The affinity cache of a CPU is touched with BH off by that CPU alone, except that whoever kills a flow clears the
 * entries it left on other CPUs: see cache.h.
 *
 * Session affinity entries are found under RCU, and changed under the lock of their bucket.
 *
 * Nesting: kserv_net.mutex, RTNL nowhere, flow lock, bucket lock.
 *
 * Unload: hooks are unregistered (with a grace period) before tables are emptied; kserv_exit() ends with rcu_barrier(),
 * since frees may still be waiting in call_rcu.
 */

#define KSERV_N_HOOKS 8

/**
 * struct kserv_net - everything kserv knows in one network namespace
 * @config: the configuration in force; replaced as a whole under @mutex
 * @frontends: key -> frontend, see service.h
 * @flows: flow table
 * @sessions: session affinity
 * @filter: addresses that packets of services have; there from the first service on
 * @stats: counters
 * @stale: raised when endpoints were removed or services deleted; flows then check whether theirs still stands
 * @generation: transactions committed; @mutex
 * @mutex: see DOC
 * @net: the namespace; valid as long as this is
 * @services: key -> service; @mutex
 * @service_ids: id -> service, in the order of dumps; @mutex
 * @routes: pod CIDRs, see route.h; @mutex
 * @n_frontends: counted under @mutex, as are all that follow
 * @hooks: the packet hooks
 * @hooks_registered: the packet hooks are in place; they are only while there is a frontend or a service CIDR, or a
 *	flow may live
 * @exiting: the namespace or the module goes; nobody is told of flows that end by that
 * @fast_started: the hooks of the ingress fast path are in place, see fast.c
 * @fast_notifier: tells of devices that come and go
 * @fast_devices: those hooked into; RTNL
 * @echoes: bounds how many pings are answered, see echo.c
 * @conntrack_find: nf_conntrack_find_get(), NULL where connection tracking is not loaded, see conntrack.h; changed
 *	under @mutex
 * @events_lost: notifications that could not be sent since the last one that could
 */
struct kserv_net {
	struct kserv_config __rcu *config;
	struct rhashtable frontends;
	struct kserv_flow_table flows;
	struct kserv_session_table sessions;
	struct kserv_filter *filter;
	struct kserv_stats __percpu *stats;
	unsigned int stale;

	u32 generation;
	struct mutex mutex;	/* writers, see DOC */
	struct net *net;
	struct rhashtable services;
	struct idr service_ids;
	struct rb_root routes;
	u32 n_services;
	u32 n_frontends;
	u32 n_endpoints;
	u32 n_routes;
	struct nf_hook_ops hooks[KSERV_N_HOOKS];
	bool hooks_registered;
	bool exiting;
	bool fast_started;
	struct notifier_block fast_notifier;
	struct list_head fast_devices;
	struct ratelimit_state echoes;
	struct nf_conntrack_tuple_hash *(*conntrack_find)(struct net *net, const struct nf_conntrack_zone *zone,
							  const struct nf_conntrack_tuple *tuple);
	atomic64_t events_lost;
};

extern unsigned int kserv_net_id;

static inline struct kserv_net *kserv_pernet(const struct net *net)
{
	return net_generic(net, kserv_net_id);
}

/* hook.c */
int kserv_hooks_register(struct kserv_net *kn);
void kserv_hooks_unregister(struct kserv_net *kn);
/*
 * Is there nobody else at PRE_ROUTING who could mark a packet, or would miss it? Connection tracking would, unless the
 * packet is @untracked.
 * Context: RCU read section.
 */
bool kserv_hooks_alone(const struct net *net, u8 family, bool untracked);
/* Is there nobody else at all at the hooks that forwarded packets pass? Context: RCU read section. */
bool kserv_hooks_unwatched(const struct net *net, u8 family);
/* Are there rules of connection tracking that may translate packets? Context: RCU read section. */
bool kserv_hooks_translate(const struct net *net, u8 family);

#define KSERV_VERSION "0.1.0"

#endif /* _KSERV_H */
