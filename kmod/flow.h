/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_FLOW_H
#define _KSERV_FLOW_H

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/percpu_counter.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <uapi/linux/kserv.h>
#include "packet.h"

struct kserv_net;
struct kserv_endpoint;
struct kserv_config;
struct kserv_cache;

/**
 * enum kserv_flow_key - the ways a packet finds its flow
 * @KSERV_KEY_CLIENT: client -> frontend, as the client sends it
 * @KSERV_KEY_ENDPOINT: endpoint -> client, as it is inside this node: the answer before it is untranslated
 * @KSERV_KEY_MASQUERADE: endpoint -> this node, the answer to a masqueraded packet
 */
enum kserv_flow_key {
	KSERV_KEY_CLIENT,
	KSERV_KEY_ENDPOINT,
	KSERV_KEY_MASQUERADE,
	KSERV_N_KEYS
};

/* Which way a packet of a flow goes. */
enum kserv_flow_dir {
	KSERV_DIR_IN,	/* from the client */
	KSERV_DIR_OUT,	/* from the endpoint */
};

/* One key of a flow in the table; @tuple, and its @bucket, are immutable once it is in. */
struct kserv_flow_node {
	struct hlist_node node;
	u32 bucket;
	u8 key;
	struct kserv_tuple tuple;
};

/* The third key of a masqueraded flow, freed with it. */
struct kserv_masquerade {
	struct kserv_flow_node node;
	struct kserv_flow *flow;
	struct rcu_head rcu;
};

/**
 * struct kserv_flow - one translated connection
 * @node: its keys in the table (all but KSERV_KEY_MASQUERADE)
 * @masquerade: its third key, once a packet has left masqueraded; published under @lock
 * @endpoint: holds a reference
 * @expires: jiffies
 * @stale: value of kserv_net.stale when @endpoint was last found to stand
 * @flags: KSERV_FLOW_FLAGS_*
 * @state: enum kserv_flow_state; under @lock
 * @dead: unlinked, or about to be
 * @source_is_right: to be masqueraded, but its source address is the right one of this node already
 * @foreign: its SYN was answered by another connection of the endpoint with the same addresses
 * @released: over, so that it no longer counts among the open flows of its endpoint; under @lock
 * @fast: its packets cross the node past the hooks, so that those need not remember them
 * @fin: directions that have sent a FIN, a bit each
 * @retries: SYNs seen before an answer
 * @isn: sequence number of the client's SYN
 * @asked: when it came, kserv_latency_now(); under @lock
 * @cpus: CPUs whose affinity cache may hold the flow, CPU number modulo 64
 * @packets: by direction, enum kserv_flow_dir
 * @folded_packets: how many of them the endpoint has been told of; under @lock
 */
struct kserv_flow {
	struct kserv_flow_node node[2];
	struct kserv_masquerade __rcu *masquerade;
	struct kserv_endpoint *endpoint;
	u32 expires;
	u32 stale;
	u16 flags;
	u8 state;
	u8 fin;
	u8 retries;
	bool dead;
	bool source_is_right;
	bool fast;
	bool foreign;
	bool released;
	u32 isn;
	u32 asked;
	spinlock_t lock;
	atomic64_t cpus;
	atomic64_t packets[2];
	atomic64_t bytes[2];
	u64 folded_packets[2];
	u64 folded_bytes[2];
	struct rcu_head rcu;
};

#define KSERV_FLOW_LOCKS 1024

/**
 * struct kserv_flow_table - the flows of one namespace
 * @buckets: 1 << @bits of them, NULL until the namespace has its first frontend
 * @locks: KSERV_FLOW_LOCKS of them, each for all buckets whose number has the same last bits
 * @cache: this CPU's front of the table, see cache.h
 * @seed: of the hash
 * @n: flows
 * @gc: removes what has expired, a slice of the table at a time
 */
struct kserv_flow_table {
	struct hlist_head *buckets;
	spinlock_t *locks;
	struct kserv_cache * __percpu *cache;
	unsigned int bits;
	hsiphash_key_t seed;
	struct percpu_counter n;
	struct delayed_work gc;
	unsigned int gc_next;
};

static inline const struct kserv_tuple *kserv_flow_tuple(const struct kserv_flow *flow, enum kserv_flow_key key)
{
	return &flow->node[key].tuple;
}

/* The flow that a node of the table belongs to. */
static inline struct kserv_flow *kserv_node_flow(const struct kserv_flow_node *node)
{
	if (node->key == KSERV_KEY_MASQUERADE)
		return container_of(node, const struct kserv_masquerade, node)->flow;
	return (struct kserv_flow *)container_of(node, const struct kserv_flow, node[node->key]);
}

static inline bool kserv_flow_is_expired(const struct kserv_flow *flow)
{
	return (s32)(READ_ONCE(flow->expires) - (u32)jiffies) <= 0;
}

/* Where in its way through this node a packet is: before routing, or after. */
enum kserv_stage {
	KSERV_STAGE_EARLY,
	KSERV_STAGE_LATE,
	KSERV_STAGE_INGRESS,	/* at the device it came in by; of the affinity cache only */
};

enum kserv_match_kind {
	KSERV_MATCH_NONE,
	KSERV_MATCH_REWRITE,	/* of the flow, to be rewritten at this stage */
	KSERV_MATCH_PASS,	/* of the flow, nothing to do at this stage */
	KSERV_MATCH_COLLIDE,	/* not of the flow, but would look like it to the endpoint */
};

/* What a packet has to do with the flows there are. @flow is valid inside the RCU read section. */
struct kserv_match {
	enum kserv_match_kind kind;
	enum kserv_flow_dir dir;
	struct kserv_flow *flow;
};

/**
 * kserv_flow_expect() - the packet just found early will come by late with this tuple, as @flow has it
 * Saves working out its hash then. Context: BH off.
 */
void kserv_flow_expect(const struct kserv_net *kn, const struct kserv_flow *flow, const struct kserv_tuple *tuple);

/**
 * kserv_flow_find() - the flow that a packet of this tuple belongs to at this stage
 * Context: RCU read section, BH off.
 */
void kserv_flow_find(struct kserv_net *kn, const struct kserv_tuple *tuple, enum kserv_stage stage,
		     struct kserv_match *match);

/**
 * kserv_flow_target() - what a packet of a flow is rewritten to
 * @stage, @dir: such that kserv_flow_find() said KSERV_MATCH_REWRITE
 * Return: false when nothing is to be rewritten: a masqueraded flow whose source address is right as it is.
 */
bool kserv_flow_target(const struct kserv_flow *flow, enum kserv_stage stage, enum kserv_flow_dir dir,
		       struct kserv_tuple *ret);

/**
 * kserv_flow_add() - make a flow
 * @client: the packet that starts it
 * @endpoint: where it is to go; the flow takes a reference
 * @sport: source port towards the endpoint, the client's own unless another connection uses that
 * @flags: KSERV_FLOW_FLAGS_*
 * Context: RCU read section, BH off.
 * Return: the flow, valid inside the section, or -EALREADY: there is one for this packet; -EEXIST: another flow looks
 * the same to the endpoint; -ENOSPC: the table is full; -ENOMEM; -ENOENT: the endpoint is being freed.
 */
struct kserv_flow *kserv_flow_add(struct kserv_net *kn, const struct kserv_tuple *client,
				  struct kserv_endpoint *endpoint, __be16 sport, u16 flags);

/**
 * struct kserv_flow_past - what is known of a connection that was under way before
 * @state: enum kserv_flow_state
 * @fin: as in struct kserv_flow, as are @isn, @packets and @bytes
 * @left_ms: it may stay silent so long, if its state lets it
 * @masquerade_addr: of this node, with @masquerade_port
 * @masquerade_port: 0 if no packet has left masqueraded
 */
struct kserv_flow_past {
	u8 state;
	u8 fin;
	u32 isn;
	u32 left_ms;
	u64 packets[2];
	u64 bytes[2];
	union nf_inet_addr masquerade_addr;
	__be16 masquerade_port;
};

/* As kserv_flow_add(), for a connection that is in the midst of its life; -EEXIST is of its masquerade as well. */
struct kserv_flow *kserv_flow_resume(struct kserv_net *kn, const struct kserv_tuple *client,
				     struct kserv_endpoint *endpoint, __be16 sport, u16 flags,
				     const struct kserv_flow_past *past);

/**
 * kserv_flow_masquerade() - give a flow a source address and port of this node
 * @source: address
 * @port: port to try
 * Context: RCU read section, BH off.
 * Return: 0, also when another CPU was faster; -EEXIST when the port is taken; -ENOMEM; -ENOENT when the flow is dead.
 */
int kserv_flow_masquerade(struct kserv_net *kn, struct kserv_flow *flow, const union nf_inet_addr *source, __be16 port);

/* End a flow. Context: any; takes the flow's lock. Return: false if somebody else did. */
bool kserv_flow_kill(struct kserv_net *kn, struct kserv_flow *flow);

/* Members of struct kserv_flow_filter, as bits of its @set. */
enum kserv_flow_filter_bit {
	KSERV_FILTER_FAMILY, KSERV_FILTER_PROTOCOL, KSERV_FILTER_CLIENT, KSERV_FILTER_CLIENT_PORT,
	KSERV_FILTER_FRONTEND, KSERV_FILTER_FRONTEND_PORT, KSERV_FILTER_ENDPOINT, KSERV_FILTER_ENDPOINT_PORT,
	KSERV_FILTER_SERVICE,
};

/* Which flows a request is about; what is not in @set matches all. */
struct kserv_flow_filter {
	unsigned long set;
	u8 family;
	u8 protocol;
	union nf_inet_addr client, frontend, endpoint;
	__be16 client_port, frontend_port, endpoint_port;
	const char *service;
};

bool kserv_flow_matches(const struct kserv_flow *flow, const struct kserv_flow_filter *filter);

/**
 * kserv_flow_walk() - call @fn for each flow once
 * @bucket, @skip: where to go on, 0 and 0 at first; set to where to go on when @fn returned non-zero
 * Flows that come and go meanwhile may be missed or seen twice.
 * Context: process; @fn runs under RCU and must not sleep.
 * Return: 0 at the end, or what @fn returned.
 */
int kserv_flow_walk(struct kserv_net *kn, unsigned long *bucket, unsigned long *skip,
		    int (*fn)(struct kserv_flow *flow, void *arg), void *arg);
/* Delete the flows that match. Context: process. Return: how many. */
unsigned int kserv_flow_delete(struct kserv_net *kn, const struct kserv_flow_filter *filter);
/* Bring the packets and bytes counted in flows to their endpoints. Context: process. */
void kserv_flow_fold(struct kserv_net *kn);
/* Is there a flow for this packet of a client? Context: RCU read section. */
struct kserv_flow *kserv_flow_lookup_client(struct kserv_net *kn, const struct kserv_tuple *tuple);

int kserv_flow_module_init(void);
void kserv_flow_module_exit(void);
int kserv_flow_net_init(struct kserv_net *kn);
/* Hooks are gone; empties the table. Context: process. */
void kserv_flow_net_exit(struct kserv_net *kn);
/*
 * Buckets, enough for @flow_max flows, and cache; by the transaction that brings the first frontend, under the mutex.
 * Return: 0 or -ENOMEM.
 */
int kserv_flow_net_start(struct kserv_net *kn, u32 flow_max);

#endif /* _KSERV_FLOW_H */
