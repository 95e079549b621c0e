/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_MASQUERADE_H
#define _KSERV_MASQUERADE_H

#include "flow.h"

struct net_device;

/**
 * kserv_masquerade() - see to it that a flow has its address of this node, as its first packet leaves
 * @skb: that packet, routed
 * @out: the device it leaves by
 * The address is the one the kernel's own masquerading would take: the primary one of @out. The port is free towards
 * the endpoint among all flows, and outside the node ports and the range of local sockets.
 * Context: POST_ROUTING, RCU read section, BH off.
 * Return: 0; -ENETUNREACH when @out has no address; -EADDRINUSE when no port is free; -ENOMEM; -ENOENT.
 */
int kserv_masquerade(struct kserv_net *kn, struct kserv_flow *flow, const struct sk_buff *skb,
		     const struct net_device *out);

#endif /* _KSERV_MASQUERADE_H */
