/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_ROUTE_H
#define _KSERV_ROUTE_H

#include <linux/rbtree.h>
#include "config.h"

struct kserv_net;
struct kserv_transaction;

/**
 * struct kserv_route - a pod CIDR; everything under the net's mutex
 * @node: kserv_net.routes, in the order of prefixes
 * @prefix: the key
 * @gateway: node address behind which it lies; zero for local
 * @type: enum kserv_route_type
 * @del: only in a transaction: to be removed
 */
struct kserv_route {
	struct rb_node node;
	struct kserv_prefix prefix;
	union nf_inet_addr gateway;
	u8 type;
	bool del;
};

/**
 * kserv_route_stage() - read a route-set or route-del
 * Context: process, net's mutex. Return: 0 or -errno with a sentence in the transaction's extack.
 */
int kserv_route_stage(struct kserv_transaction *tx, const struct nlattr *attr, bool del);
/* Put what was staged in force. */
void kserv_route_commit(struct kserv_transaction *tx);
/* Forget what was staged. */
void kserv_route_abort(struct kserv_transaction *tx);
/* Fill a route nest. Return: 0 or -EMSGSIZE. */
int kserv_route_put(struct sk_buff *skb, const struct kserv_route *route);
void kserv_route_net_exit(struct kserv_net *kn);

#endif /* _KSERV_ROUTE_H */
