/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_AFFINITY_H
#define _KSERV_AFFINITY_H

#include <linux/list.h>
#include <linux/netfilter.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct kserv_net;
struct kserv_service;
struct kserv_choices;
struct kserv_endpoint;
struct kserv_config;

struct kserv_session_bucket {
	struct hlist_head head;
	spinlock_t lock;
};

/* Session affinity of one namespace: (service, client address) -> endpoint. Allocated when first needed. */
struct kserv_session_table {
	struct kserv_session_bucket *buckets;
	atomic_t n;
	siphash_key_t seed;
	struct delayed_work gc;
};

/**
 * struct kserv_session - one remembered client
 * @expires: jiffies; slides with each new connection (rule 4.4)
 * @endpoint: holds a reference
 */
struct kserv_session {
	struct hlist_node node;
	union nf_inet_addr client;
	u32 service_id;
	u32 expires;
	struct kserv_endpoint *endpoint;
	struct rcu_head rcu;
};

/**
 * kserv_session_lookup() - the endpoint that @client is remembered for, if it may be chosen now
 * Context: RCU read section, any. Return: the endpoint without a reference, or NULL.
 */
struct kserv_endpoint *kserv_session_lookup(struct kserv_net *kn, const struct kserv_service *service,
					    const struct kserv_choices *choices, bool local,
					    const union nf_inet_addr *client);
/**
 * kserv_session_remember() - a new connection of @client went to @endpoint
 * At the bound, the oldest entry of the bucket makes room, or nothing is remembered; both are counted.
 * Context: RCU read section, BH off.
 */
void kserv_session_remember(struct kserv_net *kn, const struct kserv_service *service,
			    const struct kserv_choices *choices, const union nf_inet_addr *client,
			    struct kserv_endpoint *endpoint);
/**
 * kserv_session_resume() - a client that was remembered before, for another @left_ms, or as long as its service wants
 * Context: RCU read section, BH off.
 */
void kserv_session_resume(struct kserv_net *kn, const struct kserv_service *service,
			  const struct kserv_choices *choices, const union nf_inet_addr *client,
			  struct kserv_endpoint *endpoint, u32 left_ms);
/* Forget clients of endpoints that were removed and of services that are dead or have no affinity. Context: process. */
void kserv_session_sweep(struct kserv_net *kn);

/**
 * kserv_session_walk() - call @fn for each remembered client
 * @pos: where to go on, 0 at first; set to where to go on when @fn returned non-zero
 * Context: process; @fn runs under RCU.
 * Return: 0 at the end, or what @fn returned.
 */
int kserv_session_walk(struct kserv_net *kn, unsigned long *pos,
		       int (*fn)(const struct kserv_session *session, void *arg), void *arg);

int kserv_session_net_init(struct kserv_net *kn);
void kserv_session_net_exit(struct kserv_net *kn);
/* Buckets; called by a transaction that brings the first service with affinity. Return: 0 or -ENOMEM. */
int kserv_session_net_start(struct kserv_net *kn);

#endif /* _KSERV_AFFINITY_H */
