/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_PACKET_H
#define _KSERV_PACKET_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>

/**
 * struct kserv_tuple - addresses and ports of a packet, as a hash key
 * @src: source address; what an IPv4 address leaves of the union is zero, as are all spare bytes
 * @dst: destination address
 * @sport: source port; 0 for what has none
 * @dport: destination port
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @proto: IPPROTO_TCP, IPPROTO_UDP or IPPROTO_SCTP
 * @zero: padding
 */
struct kserv_tuple {
	union nf_inet_addr src;
	union nf_inet_addr dst;
	__be16 sport;
	__be16 dport;
	u8 family;
	u8 proto;
	u16 zero;
} __aligned(8);

static_assert(sizeof(struct kserv_tuple) == 40);

/**
 * struct kserv_packet - what one look at a packet's headers tells
 * @tuple: the packet's own addresses, or those of the packet inside an ICMP error (see @is_error)
 * @thoff: offset of the transport header (of @tuple) from skb->data
 * @l4_len: bytes of that header that are there and may be rewritten: the whole header, or the ports of an inner packet
 * @outer_thoff: offset of the ICMP header when @is_error
 * @inner_off: offset of the inner network header when @is_error
 * @is_error: an ICMP or ICMPv6 error; @tuple is that of the packet it is about, as that packet was when it was sent
 * @is_echo: an ICMP or ICMPv6 echo request; ports are 0
 * @fragment: a later fragment, which has no transport header
 * @tcp_flags: byte 13 of the TCP header; 0 in other protocols
 */
struct kserv_packet {
	struct kserv_tuple tuple;
	u16 thoff;
	u16 l4_len;
	u16 outer_thoff;
	u16 inner_off;
	bool is_error;
	bool is_echo;
	bool fragment;
	u8 tcp_flags;
};

#define KSERV_TCP_FIN 0x01
#define KSERV_TCP_SYN 0x02
#define KSERV_TCP_RST 0x04
#define KSERV_TCP_ACK 0x10

/* Segments that may change the state of their connection, whatever that is. */
#define KSERV_TCP_CONTROL (KSERV_TCP_SYN | KSERV_TCP_FIN | KSERV_TCP_RST)

/* Does it ask for a new connection? */
static inline bool kserv_packet_is_syn(const struct kserv_packet *packet)
{
	return (packet->tcp_flags & (KSERV_TCP_SYN | KSERV_TCP_ACK)) == KSERV_TCP_SYN;
}

/* Word by word, the one that differs most often first: a packet's cost is a few of these. */
static inline bool kserv_tuple_equal(const struct kserv_tuple *a, const struct kserv_tuple *b)
{
	const u64 *x = (const u64 *)a, *y = (const u64 *)b;

	return !((x[4] ^ y[4]) | (x[0] ^ y[0]) | (x[2] ^ y[2]) | (x[1] ^ y[1]) | (x[3] ^ y[3]));
}

static inline bool kserv_addr_equal(const union nf_inet_addr *a, const union nf_inet_addr *b)
{
	return !((a->all[0] ^ b->all[0]) | (a->all[1] ^ b->all[1]) | (a->all[2] ^ b->all[2]) | (a->all[3] ^ b->all[3]));
}

/* The tuple of an answer to @tuple. */
static inline struct kserv_tuple kserv_tuple_inverse(const struct kserv_tuple *tuple)
{
	struct kserv_tuple inverse = *tuple;

	inverse.src = tuple->dst;
	inverse.dst = tuple->src;
	inverse.sport = tuple->dport;
	inverse.dport = tuple->sport;
	return inverse;
}

/* The TCP or UDP header of a packet whose network header is followed by it, both in the linear part. */
static inline bool kserv_packet_parse_ports(struct kserv_packet *packet, const u8 *header, u8 proto, unsigned int room)
{
	packet->outer_thoff = 0;
	packet->inner_off = 0;
	packet->is_error = false;
	packet->is_echo = false;
	packet->fragment = false;
	packet->tcp_flags = 0;
	if (proto == IPPROTO_TCP && likely(room >= sizeof(struct tcphdr))) {
		packet->l4_len = sizeof(struct tcphdr);
		packet->tcp_flags = header[13];
	} else if (proto == IPPROTO_UDP && likely(room >= sizeof(struct udphdr))) {
		packet->l4_len = sizeof(struct udphdr);
	} else {
		return false;
	}
	packet->tuple.proto = proto;
	packet->tuple.zero = 0;
	packet->tuple.sport = ((const __be16 *)header)[0];
	packet->tuple.dport = ((const __be16 *)header)[1];
	return true;
}

/**
 * kserv_packet_parse_plain() - kserv_packet_parse() for nearly every packet: TCP or UDP without options or fragments
 * @skb: data starts at the network header, or before it
 * Return: false for all others, which kserv_packet_parse() reads; @packet is undefined then.
 */
static __always_inline bool kserv_packet_parse_plain(const struct sk_buff *skb, u8 family, struct kserv_packet *packet)
{
	unsigned int offset = skb_network_offset(skb), room = skb_headlen(skb) - offset;
	const struct iphdr *iph = ip_hdr(skb);
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);

	packet->tuple.family = family;
	if (family == NFPROTO_IPV4) {
		if (unlikely((int)room < (int)sizeof(*iph) || *(const u8 *)iph != 0x45 ||
			     iph->frag_off & htons(IP_OFFSET | IP_MF)))
			return false;
		packet->tuple.src.all[0] = (__force u32)iph->saddr;
		packet->tuple.src.all[1] = 0;
		packet->tuple.src.all[2] = 0;
		packet->tuple.src.all[3] = 0;
		packet->tuple.dst.all[0] = (__force u32)iph->daddr;
		packet->tuple.dst.all[1] = 0;
		packet->tuple.dst.all[2] = 0;
		packet->tuple.dst.all[3] = 0;
		packet->thoff = offset + sizeof(*iph);
		return kserv_packet_parse_ports(packet, (const u8 *)(iph + 1), iph->protocol, room - sizeof(*iph));
	}
	if (unlikely((int)room < (int)sizeof(*ip6h) || ip6h->version != 6))
		return false;
	packet->tuple.src.in6 = ip6h->saddr;
	packet->tuple.dst.in6 = ip6h->daddr;
	packet->thoff = offset + sizeof(*ip6h);
	return kserv_packet_parse_ports(packet, (const u8 *)(ip6h + 1), ip6h->nexthdr, room - sizeof(*ip6h));
}

/**
 * kserv_packet_parse() - read addresses and ports of a packet, or of the packet inside an ICMP error
 * @skb: data starts at the network header; may be non-linear
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @packet: filled in
 *
 * Context: any; does not change @skb beyond pulling headers into the linear part.
 * Return: 0; -EPROTONOSUPPORT for what kserv never translates (other protocols and ICMP messages); -EINVAL when headers
 * are truncated or inconsistent.
 */
int kserv_packet_parse(struct sk_buff *skb, u8 family, struct kserv_packet *packet);

#endif /* _KSERV_PACKET_H */
