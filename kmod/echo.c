// SPDX-License-Identifier: GPL-2.0
/* Answers to pings of load-balancer addresses, which are on no interface. */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/ratelimit.h>
#include <net/dsfield.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "kserv.h"
#include "echo.h"
#include "packet.h"

/*
 * As many as net.ipv4.icmp_msgs_per_sec allows unless it is changed. It is a bound of our own, so that a flood of pings
 * does not use up what the kernel may say of errors.
 */
#define ANSWERS_PER_SECOND 1000

void kserv_echo_net_init(struct kserv_net *kn)
{
	ratelimit_state_init(&kn->echoes, HZ, ANSWERS_PER_SECOND);
	/* What is suppressed is counted; the kernel's log need not tell as well. */
	ratelimit_set_flags(&kn->echoes, RATELIMIT_MSG_ON_RELEASE);
}

/* The administrator's words for the kernel's own answers hold for ours. */
static bool is_forbidden(const struct net *net, u8 family)
{
	return family == NFPROTO_IPV4 ? READ_ONCE(net->ipv4.sysctl_icmp_echo_ignore_all) :
					READ_ONCE(net->ipv6.sysctl.icmpv6_echo_ignore_all);
}

static bool is_answerable(u8 family, const union nf_inet_addr *addr)
{
	if (family == NFPROTO_IPV6)
		return !ipv6_addr_any(&addr->in6) && !ipv6_addr_is_multicast(&addr->in6);
	return !ipv4_is_zeronet(addr->ip) && !ipv4_is_multicast(addr->ip) && !ipv4_is_lbcast(addr->ip);
}

/* Of the answer: that of the request, where sysctl fwmark_reflect says so. */
static u32 answer_mark(const struct net *net, u8 family, const struct sk_buff *skb)
{
	return family == NFPROTO_IPV4 ? IP4_REPLY_MARK(net, skb->mark) : IP6_REPLY_MARK(net, skb->mark);
}

static struct dst_entry *find_route4(struct net *net, u32 mark, const struct kserv_tuple *request, int master)
{
	struct flowi4 fl4 = {
		.daddr = request->src.ip, .saddr = request->dst.ip, .flowi4_proto = IPPROTO_ICMP,
		.flowi4_mark = mark, .flowi4_oif = master,
		/* The address is not on an interface. */
		.flowi4_flags = FLOWI_FLAG_ANYSRC,
	};
	struct rtable *rt = ip_route_output_flow(net, &fl4, NULL);

	if (IS_ERR(rt))
		return NULL;
	if (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		ip_rt_put(rt);
		return NULL;
	}
	return &rt->dst;
}

static struct dst_entry *find_route6(struct net *net, u32 mark, const struct kserv_tuple *request,
				     const struct net_device *in, int master)
{
	struct flowi6 fl6 = {
		.daddr = request->src.in6, .saddr = request->dst.in6, .flowi6_proto = IPPROTO_ICMPV6,
		.flowi6_mark = mark, .flowi6_oif = master,
	};
	struct dst_entry *dst;

	if (in && ipv6_addr_type(&fl6.daddr) & IPV6_ADDR_LINKLOCAL)
		fl6.flowi6_oif = in->ifindex;
	dst = ip6_route_output(net, NULL, &fl6);
	if (dst->error) {
		dst_release(dst);
		return NULL;
	}
	dst = xfrm_lookup(net, dst, flowi6_to_flowi(&fl6), NULL, 0);
	return IS_ERR(dst) ? NULL : dst;
}

/* The way back to who asked, or NULL. */
static struct dst_entry *find_route(const struct sk_buff *skb, const struct nf_hook_state *state,
				    const struct kserv_tuple *request)
{
	int master = state->in ? l3mdev_master_ifindex_rcu(state->in) : 0;
	u32 mark = answer_mark(state->net, state->pf, skb);

	return state->pf == NFPROTO_IPV4 ? find_route4(state->net, mark, request, master) :
					   find_route6(state->net, mark, request, state->in, master);
}

static void fill_header4(struct sk_buff *answer, const struct iphdr *request)
{
	struct iphdr *iph = skb_put_zero(answer, sizeof(*iph));

	/* Length and checksum are written as it goes out. */
	iph->version = 4;
	iph->ihl = 5;
	iph->tos = request->tos;
	iph->ttl = ip4_dst_hoplimit(skb_dst(answer));
	iph->protocol = IPPROTO_ICMP;
	iph->saddr = request->daddr;
	iph->daddr = request->saddr;
	ip_select_ident(dev_net(skb_dst(answer)->dev), answer, NULL);
}

static void fill_header6(struct sk_buff *answer, const struct ipv6hdr *request)
{
	struct ipv6hdr *ip6h = skb_put(answer, sizeof(*ip6h));

	ip6_flow_hdr(ip6h, ipv6_get_dsfield(request), 0);
	ip6h->nexthdr = IPPROTO_ICMPV6;
	ip6h->hop_limit = ip6_dst_hoplimit(skb_dst(answer));
	ip6h->saddr = request->daddr;
	ip6h->daddr = request->saddr;
}

/* The message is the request's but for its type: identifier, number and data come back as they are. */
static int fill_message(struct sk_buff *answer, const struct sk_buff *skb, u8 family, unsigned int offset)
{
	unsigned int len = skb->len - offset;
	const struct ipv6hdr *ip6h;
	struct icmphdr *icmph;

	skb_set_transport_header(answer, answer->len);
	icmph = skb_put(answer, len);
	if (skb_copy_bits(skb, offset, icmph, len))
		return -EBADMSG;
	icmph->checksum = 0;
	if (family == NFPROTO_IPV4) {
		icmph->type = ICMP_ECHOREPLY;
		icmph->checksum = ip_compute_csum(icmph, len);
		return 0;
	}
	ip6h = ipv6_hdr(answer);
	icmph->type = ICMPV6_ECHO_REPLY;
	icmph->checksum = csum_ipv6_magic(&ip6h->saddr, &ip6h->daddr, len, IPPROTO_ICMPV6, csum_partial(icmph, len, 0));
	return 0;
}

static struct sk_buff *make_answer(const struct sk_buff *skb, u8 family, const struct kserv_packet *packet,
				   struct dst_entry *dst)
{
	struct sk_buff *answer;

	answer = alloc_skb(LL_MAX_HEADER + sizeof(struct ipv6hdr) + skb->len - packet->thoff,
			   GFP_ATOMIC | __GFP_NOWARN);
	if (!answer)
		return NULL;
	skb_reserve(answer, LL_MAX_HEADER);
	skb_dst_set(answer, dst_clone(dst));
	skb_reset_network_header(answer);
	answer->protocol = family == NFPROTO_IPV4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	/* The request was not tracked either: it never came to that. */
	nf_ct_set(answer, NULL, IP_CT_UNTRACKED);
	/* It may be taken apart, as the request was. */
	answer->ignore_df = 1;
	if (family == NFPROTO_IPV4)
		fill_header4(answer, ip_hdr(skb));
	else
		fill_header6(answer, ipv6_hdr(skb));
	if (fill_message(answer, skb, family, packet->thoff)) {
		kfree_skb(answer);
		return NULL;
	}
	return answer;
}

int kserv_echo_answer(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
		      const struct kserv_packet *packet)
{
	struct sk_buff *answer;
	struct dst_entry *dst;

	if (is_forbidden(state->net, state->pf))
		return -EACCES;
	if (!is_answerable(state->pf, &packet->tuple.src) ||
	    nf_checksum(skb, state->hook, packet->thoff, packet->tuple.proto, state->pf))
		return -EBADMSG;
	if (!__ratelimit(&kn->echoes))
		return -EBUSY;
	dst = find_route(skb, state, &packet->tuple);
	if (!dst)
		return -EHOSTUNREACH;
	answer = make_answer(skb, state->pf, packet, dst);
	dst_release(dst);
	if (!answer)
		return -ENOMEM;
	answer->mark = answer_mark(state->net, state->pf, skb);
	if (state->pf == NFPROTO_IPV4)
		ip_local_out(state->net, NULL, answer);
	else
		ip6_local_out(state->net, NULL, answer);
	return 0;
}
