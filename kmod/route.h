/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_ROUTE_H
#define _KSERV_ROUTE_H

#include "config.h"
#include <linux/rhashtable.h>

/**
 * struct kserv_route - a pod CIDR; immutable once published
 * @node: kserv_net.routes, by prefix
 * @gateway: node address behind which it lies; zero for local
 * @type: enum kserv_route_type
 * @live: false while the transaction that adds it has not committed
 */
struct kserv_route {
	struct rhash_head node;
	struct kserv_prefix prefix;
	union nf_inet_addr gateway;
	u8 type;
	bool live;
	struct rcu_head rcu;
};

int kserv_route_net_init(struct kserv_net *kn);
void kserv_route_net_exit(struct kserv_net *kn);

#endif /* _KSERV_ROUTE_H */
