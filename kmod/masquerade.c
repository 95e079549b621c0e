// SPDX-License-Identifier: GPL-2.0
/* Source translation to an address of this node, inside the flow table: connection tracking is not needed for it. */
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <net/addrconf.h>
#include <net/ip6_fib.h>
#include <net/route.h>

#include "kserv.h"
#include "masquerade.h"
#include "start.h"

static bool select_source(struct net *net, u8 family, const union nf_inet_addr *dst, const struct sk_buff *skb,
			  const struct net_device *out, union nf_inet_addr *source)
{
	memset(source, 0, sizeof(*source));
	if (family == NFPROTO_IPV4) {
		__be32 nexthop = rt_nexthop(skb_rtable(skb), dst->ip);

		source->ip = inet_select_addr(out, nexthop, RT_SCOPE_UNIVERSE);
		return source->ip;
	}
	return !ipv6_dev_get_saddr(net, out, &dst->in6, 0, &source->in6);
}

int kserv_masquerade(struct kserv_net *kn, struct kserv_flow *flow, const struct sk_buff *skb,
		     const struct net_device *out)
{
	const struct kserv_tuple *answer = kserv_flow_tuple(flow, KSERV_KEY_ENDPOINT);
	union nf_inet_addr source;
	int tries, ret;

	if (rcu_access_pointer(flow->masquerade) || READ_ONCE(flow->source_is_right))
		return 0;
	if (!skb_dst(skb) || !select_source(kn->net, answer->family, &answer->src, skb, out, &source))
		return -ENETUNREACH;
	/* A process of this node that has this address already: answers come back to it as they are. */
	if (kserv_addr_equal(&source, &answer->dst)) {
		WRITE_ONCE(flow->source_is_right, true);
		return 0;
	}
	for (tries = 0; tries < KSERV_PORT_TRIES; tries++) {
		ret = kserv_flow_masquerade(kn, flow, &source, kserv_start_port(kn));
		if (!ret)
			kserv_count(kn, MASQUERADED);
		if (ret != -EEXIST)
			return ret;
	}
	return -EADDRINUSE;
}
