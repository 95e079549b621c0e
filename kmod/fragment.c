// SPDX-License-Identifier: GPL-2.0
/*
 * Fragments, of which only the first has ports, are put together before they are looked at. This is the kernel's own
 * doing, and where connection tracking is in use it has done so already; asked for here it costs only fragments.
 */
#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ipv6_frag.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>

#include "fragment.h"

static unsigned int gather4(struct sk_buff *skb, const struct nf_hook_state *state)
{
	u32 user = IP_DEFRAG_CONNTRACK_IN;

	if (!ip_is_fragment(ip_hdr(skb)) || kserv_sock_keeps_fragments(skb->sk))
		return NF_ACCEPT;
	if (state->hook == NF_INET_LOCAL_OUT)
		user = IP_DEFRAG_CONNTRACK_OUT;
	else if (nf_bridge_in_prerouting(skb))
		user = IP_DEFRAG_CONNTRACK_BRIDGE_IN;
	if (ip_defrag(state->net, skb, user))
		return NF_STOLEN;
	/* What came in pieces may leave in pieces, whatever its first one said. */
	skb->ignore_df = 1;
	return NF_ACCEPT;
}

static unsigned int gather6(struct sk_buff *skb, const struct nf_hook_state *state)
{
	u32 user = IP6_DEFRAG_CONNTRACK_IN;

	if (state->hook == NF_INET_LOCAL_OUT)
		user = IP6_DEFRAG_CONNTRACK_OUT;
	else if (nf_bridge_in_prerouting(skb))
		user = IP6_DEFRAG_CONNTRACK_BRIDGE_IN;
	switch (nf_ct_frag6_gather(state->net, skb, user)) {
	case 0:
		return NF_ACCEPT;
	case -EINPROGRESS:
		return NF_STOLEN;
	default:
		return NF_DROP;
	}
}

unsigned int kserv_fragment_gather(struct sk_buff *skb, const struct nf_hook_state *state)
{
	return state->pf == NFPROTO_IPV4 ? gather4(skb, state) : gather6(skb, state);
}
