// SPDX-License-Identifier: GPL-2.0
/* Rewrite addresses, ports and checksums of one packet. Knows no flows, locks or namespaces. */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/sctp.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip6_checksum.h>
#include <net/ip.h>
#include <net/sctp/checksum.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>

#include "nat.h"

static __wsum addr_sum(u8 family, const union nf_inet_addr *addr)
{
	__wsum sum = (__force __wsum)addr->all[0];

	if (family == NFPROTO_IPV6) {
		sum = csum_add(sum, (__force __wsum)addr->all[1]);
		sum = csum_add(sum, (__force __wsum)addr->all[2]);
		sum = csum_add(sum, (__force __wsum)addr->all[3]);
	}
	return sum;
}

static __wsum tuple_addr_sum(const struct kserv_tuple *tuple)
{
	return csum_add(addr_sum(tuple->family, &tuple->src), addr_sum(tuple->family, &tuple->dst));
}

static __wsum tuple_port_sum(const struct kserv_tuple *tuple)
{
	return csum_add((__force __wsum)(__force u32)tuple->sport, (__force __wsum)(__force u32)tuple->dport);
}

void kserv_nat_prepare(struct kserv_nat *nat, const struct kserv_tuple *from, const struct kserv_tuple *to)
{
	nat->to = *to;
	nat->addr_delta = csum_sub(tuple_addr_sum(to), tuple_addr_sum(from));
	nat->port_delta = csum_sub(tuple_port_sum(to), tuple_port_sum(from));
}

/* A checksum field holds the complement of its sum. */
static void check_add(__sum16 *check, __wsum delta)
{
	*check = csum_fold(csum_add(~csum_unfold(*check), delta));
}

static void rewrite_addrs(void *network_header, const struct kserv_nat *nat)
{
	if (nat->to.family == NFPROTO_IPV4) {
		struct iphdr *iph = network_header;

		iph->saddr = nat->to.src.ip;
		iph->daddr = nat->to.dst.ip;
		check_add(&iph->check, nat->addr_delta);
	} else {
		struct ipv6hdr *ip6h = network_header;

		ip6h->saddr = nat->to.src.in6;
		ip6h->daddr = nat->to.dst.in6;
	}
}

static void rewrite_ports(void *transport_header, const struct kserv_nat *nat)
{
	__be16 *ports = transport_header;

	ports[0] = nat->to.sport;
	ports[1] = nat->to.dport;
}

/* The checksum of a TCP or UDP header, after addresses and ports have changed. */
static void rewrite_check(struct sk_buff *skb, __sum16 *check, const struct kserv_nat *nat)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		/* The field holds the sum of the pseudo header; the device adds the rest. */
		*check = ~csum_fold(csum_add(csum_unfold(*check), nat->addr_delta));
		return;
	}
	check_add(check, csum_add(nat->addr_delta, nat->port_delta));
	/*
	 * The sum over the packet: in IPv4 the header checksum makes up for the addresses, so what is left is that this
	 * field lost what the addresses gained; in IPv6 the two cancel out.
	 */
	if (skb->ip_summed == CHECKSUM_COMPLETE && nat->to.family == NFPROTO_IPV4)
		skb->csum = csum_sub(skb->csum, nat->addr_delta);
}

static void rewrite_udp(struct sk_buff *skb, struct udphdr *udph, const struct kserv_nat *nat)
{
	if (!udph->check && skb->ip_summed != CHECKSUM_PARTIAL) {
		/* No checksum, no use of one. */
		if (skb->ip_summed == CHECKSUM_COMPLETE)
			skb->ip_summed = CHECKSUM_NONE;
		return;
	}
	rewrite_check(skb, &udph->check, nat);
	if (!udph->check)
		udph->check = CSUM_MANGLED_0;
}

/* SCTP sums its header and data, not the addresses, with a CRC, which has no increments. A wrong one stays wrong. */
static void rewrite_sctp(struct sk_buff *skb, unsigned int thoff, const struct kserv_nat *nat)
{
	struct sctphdr *sctph = (struct sctphdr *)(skb->data + thoff);
	bool right = skb->ip_summed != CHECKSUM_PARTIAL &&
		     (skb->ip_summed == CHECKSUM_UNNECESSARY || sctph->checksum == sctp_compute_cksum(skb, thoff));

	rewrite_ports(sctph, nat);
	if (right) {
		sctph->checksum = sctp_compute_cksum(skb, thoff);
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	}
}

void kserv_nat_apply(struct sk_buff *skb, const struct kserv_packet *packet, const struct kserv_nat *nat)
{
	void *header = skb->data + packet->thoff;

	rewrite_addrs(skb_network_header(skb), nat);
	switch (nat->to.proto) {
	case IPPROTO_TCP:
		rewrite_ports(header, nat);
		rewrite_check(skb, &((struct tcphdr *)header)->check, nat);
		break;
	case IPPROTO_UDP:
		rewrite_ports(header, nat);
		rewrite_udp(skb, header, nat);
		break;
	case IPPROTO_SCTP:
		rewrite_sctp(skb, packet->thoff, nat);
		break;
	}
}

int kserv_nat_rewrite(struct sk_buff *skb, const struct kserv_packet *packet, const struct kserv_nat *nat)
{
	if (skb_ensure_writable(skb, packet->thoff + packet->l4_len))
		return -ENOMEM;
	kserv_nat_apply(skb, packet, nat);
	return 0;
}

/* The packet inside an error: its own checksums follow as far as it is quoted, and nothing is known of offloads. */
static void rewrite_inner(struct sk_buff *skb, const struct kserv_packet *packet, const struct kserv_nat *nat)
{
	__wsum delta = csum_add(nat->addr_delta, nat->port_delta);
	void *header = skb->data + packet->thoff;

	rewrite_addrs(skb->data + packet->inner_off, nat);
	rewrite_ports(header, nat);
	if (nat->to.proto == IPPROTO_TCP && packet->l4_len >= offsetofend(struct tcphdr, check)) {
		check_add(&((struct tcphdr *)header)->check, delta);
	} else if (nat->to.proto == IPPROTO_UDP && ((struct udphdr *)header)->check) {
		struct udphdr *udph = header;

		check_add(&udph->check, delta);
		if (!udph->check)
			udph->check = CSUM_MANGLED_0;
	}
}

static bool error_check_is_right(struct sk_buff *skb, const struct kserv_packet *packet)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL || skb->ip_summed == CHECKSUM_UNNECESSARY)
		return true;
	if (packet->tuple.family == NFPROTO_IPV4)
		return !csum_fold(skb_checksum(skb, packet->outer_thoff, skb->len - packet->outer_thoff, 0));
	return !csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, skb->len - packet->outer_thoff,
				IPPROTO_ICMPV6,
				skb_checksum(skb, packet->outer_thoff, skb->len - packet->outer_thoff, 0));
}

static void error_check_renew(struct sk_buff *skb, const struct kserv_packet *packet)
{
	unsigned int len = skb->len - packet->outer_thoff;

	if (packet->tuple.family == NFPROTO_IPV4) {
		struct icmphdr *icmph = (struct icmphdr *)(skb->data + packet->outer_thoff);

		icmph->checksum = 0;
		icmph->checksum = csum_fold(skb_checksum(skb, packet->outer_thoff, len, 0));
	} else {
		struct icmp6hdr *icmp6h = (struct icmp6hdr *)(skb->data + packet->outer_thoff);

		icmp6h->icmp6_cksum = 0;
		icmp6h->icmp6_cksum = csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, len,
						      IPPROTO_ICMPV6,
						      skb_checksum(skb, packet->outer_thoff, len, 0));
	}
	skb->ip_summed = CHECKSUM_NONE;
}

static void outer_addr(union nf_inet_addr *addr, const union nf_inet_addr *from, const union nf_inet_addr *to)
{
	if (kserv_addr_equal(addr, from))
		*addr = *to;
}

static void rewrite_outer(struct sk_buff *skb, const struct kserv_tuple *from, const struct kserv_tuple *to)
{
	union nf_inet_addr src = {}, dst = {};

	if (from->family == NFPROTO_IPV4) {
		struct iphdr *iph = ip_hdr(skb);

		src.ip = iph->saddr;
		dst.ip = iph->daddr;
		outer_addr(&src, &from->src, &to->src);
		outer_addr(&dst, &from->dst, &to->dst);
		csum_replace4(&iph->check, iph->saddr, src.ip);
		csum_replace4(&iph->check, iph->daddr, dst.ip);
		iph->saddr = src.ip;
		iph->daddr = dst.ip;
	} else {
		struct ipv6hdr *ip6h = ipv6_hdr(skb);

		src.in6 = ip6h->saddr;
		dst.in6 = ip6h->daddr;
		outer_addr(&src, &from->src, &to->src);
		outer_addr(&dst, &from->dst, &to->dst);
		ip6h->saddr = src.in6;
		ip6h->daddr = dst.in6;
	}
}

int kserv_nat_rewrite_error(struct sk_buff *skb, const struct kserv_packet *packet, const struct kserv_tuple *from,
			    const struct kserv_tuple *to)
{
	struct kserv_tuple inner = kserv_tuple_inverse(to);
	struct kserv_nat nat;

	if (!error_check_is_right(skb, packet))
		return 0;
	if (skb_ensure_writable(skb, packet->thoff + packet->l4_len))
		return -ENOMEM;

	kserv_nat_prepare(&nat, &packet->tuple, &inner);
	rewrite_inner(skb, packet, &nat);
	rewrite_outer(skb, from, to);
	error_check_renew(skb, packet);
	return 0;
}
