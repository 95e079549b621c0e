/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_FAST_H
#define _KSERV_FAST_H

#include <linux/list.h>
#include <linux/notifier.h>

#include "flow.h"

struct dst_entry;
struct nf_hook_state;
struct sk_buff;

/**
 * kserv_fast_remember() - let the packets that follow cross this node from device to device
 * @skb: a packet of @flow, about to leave; translated
 * @dir: its direction
 * Does nothing for a packet whose way is not fit for it.
 * Context: a POST_ROUTING hook, BH off.
 */
void kserv_fast_remember(struct kserv_net *kn, struct kserv_flow *flow, enum kserv_flow_dir dir, struct sk_buff *skb,
			 const struct nf_hook_state *state);

/* May packets that leave as @skb is about to go from device to device? Context: POST_ROUTING, BH off. */
bool kserv_fast_fits(const struct sk_buff *skb, u8 family);
/* May packets to @addr be handed to the other end of the veth pair that @dst leads to? Context: BH off, RCU. */
bool kserv_fast_leads_to_peer(const union nf_inet_addr *addr, struct dst_entry *dst);

/**
 * kserv_fast_start() - hook into all devices of the namespace, those to come included
 * Context: process, net's mutex; takes RTNL. Return: 0 or -errno.
 */
int kserv_fast_start(struct kserv_net *kn);
void kserv_fast_stop(struct kserv_net *kn);
/* Start or stop as configured; where it cannot start, packets go the ordinary way. Context: as kserv_fast_start(). */
void kserv_fast_update(struct kserv_net *kn);

#endif /* _KSERV_FAST_H */
