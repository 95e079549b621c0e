// SPDX-License-Identifier: GPL-2.0
/* Telling the sender of a refused packet so. */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/netfilter/ipv4/nf_reject.h>
#include <net/netfilter/ipv6/nf_reject.h>

#include "reject.h"

void kserv_reject(struct sk_buff *skb, u8 family, const struct nf_hook_state *state)
{
	if (family == NFPROTO_IPV4)
		nf_send_unreach(skb, ICMP_PORT_UNREACH, state->hook);
	else
		nf_send_unreach6(state->net, skb, ICMPV6_PORT_UNREACH, state->hook);
}

void kserv_reject_reset(struct sk_buff *skb, u8 family, const struct nf_hook_state *state)
{
	if (family == NFPROTO_IPV4)
		nf_send_reset(state->net, state->sk, skb, state->hook);
	else
		nf_send_reset6(state->net, state->sk, skb, state->hook);
}
