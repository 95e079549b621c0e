/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_ECHO_H
#define _KSERV_ECHO_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>

struct kserv_net;
struct kserv_packet;

/**
 * kserv_echo_answer() - answer an echo request of either family from the address that it was sent to
 * @skb: stays the caller's
 * @packet: of @skb; its is_echo is set
 *
 * Context: in a netfilter hook, BH off.
 * Return: 0; -EBUSY for one too many; -EBADMSG if it is damaged or its source cannot be answered; -EHOSTUNREACH without
 * a route back; -ENOMEM; -EACCES if this node is told to answer no pings.
 */
int kserv_echo_answer(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
		      const struct kserv_packet *packet);
void kserv_echo_net_init(struct kserv_net *kn);

#endif /* _KSERV_ECHO_H */
