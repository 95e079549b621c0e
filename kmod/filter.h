/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_FILTER_H
#define _KSERV_FILTER_H

#include <linux/bitops.h>
#include "packet.h"

#define KSERV_FILTER_BITS 20

/**
 * struct kserv_filter - tells most packets that are none of ours by one look at each address
 * @addr: a bit for each address that a frontend or an endpoint has or had, or at which this node was reached by a node
 *	port, by its hash
 * @node_port: a bit for each port that is or was a node port
 *
 * Bits are set before packets can need them and never cleared: what has gone costs a look into the tables again, and
 * flows outlive their service. Set and read without any lock.
 */
struct kserv_filter {
	unsigned long addr[BITS_TO_LONGS(1UL << KSERV_FILTER_BITS)];
	unsigned long node_port[BITS_TO_LONGS(1UL << 16)];
};

static inline u32 kserv_filter_hash4(__be32 addr)
{
	return ((__force u32)addr * 0x9e3779b1u) >> (32 - KSERV_FILTER_BITS);
}

static inline u32 kserv_filter_hash6(const struct in6_addr *addr)
{
	const u64 *word = (const u64 *)addr;

	return ((word[0] ^ word[1] * 3) * 0x9e3779b97f4a7c15ull) >> (64 - KSERV_FILTER_BITS);
}

static inline bool kserv_filter_has4(const struct kserv_filter *filter, __be32 addr)
{
	return test_bit(kserv_filter_hash4(addr), filter->addr);
}

static inline bool kserv_filter_has6(const struct kserv_filter *filter, const struct in6_addr *addr)
{
	/* Addresses in packets are aligned to 4 bytes only. */
	struct in6_addr aligned = *addr;

	return test_bit(kserv_filter_hash6(&aligned), filter->addr);
}

/*
 * May a packet be one of a service, an endpoint or a flow? Anything but TCP and UDP may be an ICMP error about one.
 * The network header must be in the linear part.
 */
static __always_inline bool kserv_filter_passes(const struct kserv_filter *filter, const struct sk_buff *skb, u8 family)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	const struct iphdr *iph = ip_hdr(skb);

	if (family == NFPROTO_IPV4)
		return kserv_filter_has4(filter, iph->daddr) || kserv_filter_has4(filter, iph->saddr) ||
		       (iph->protocol != IPPROTO_TCP && iph->protocol != IPPROTO_UDP);
	return kserv_filter_has6(filter, &ip6h->daddr) || kserv_filter_has6(filter, &ip6h->saddr) ||
	       (ip6h->nexthdr != IPPROTO_TCP && ip6h->nexthdr != IPPROTO_UDP);
}

/* For what does not pass: may it be for a node port? It may if its ports are out of reach, or in another fragment. */
static __always_inline bool kserv_filter_node_port(const struct kserv_filter *filter, const struct sk_buff *skb,
						   u8 family)
{
	unsigned int offset = family == NFPROTO_IPV4 ? ip_hdr(skb)->ihl * 4 : sizeof(struct ipv6hdr);
	const __be16 *ports = (const __be16 *)(skb_network_header(skb) + offset);

	if (family == NFPROTO_IPV4 && ip_is_fragment(ip_hdr(skb)))
		return true;
	return (const u8 *)(ports + 2) > skb_tail_pointer(skb) || test_bit(ntohs(ports[1]), filter->node_port);
}

static inline void kserv_filter_add(struct kserv_filter *filter, u8 family, const union nf_inet_addr *addr)
{
	u32 bit = family == NFPROTO_IPV4 ? kserv_filter_hash4(addr->ip) : kserv_filter_hash6(&addr->in6);

	if (!test_bit(bit, filter->addr))
		set_bit(bit, filter->addr);
}

#endif /* _KSERV_FILTER_H */
