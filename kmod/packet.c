// SPDX-License-Identifier: GPL-2.0
/* From a packet's bytes to its addresses and ports: the only reader of headers. */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/sctp.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "packet.h"

/* An ICMP error quotes at least this much of the transport header it is about (RFC 792); the ports are in it. */
#define INNER_L4_MIN 8

static unsigned int header_len(u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return sizeof(struct tcphdr);
	case IPPROTO_UDP:
		return sizeof(struct udphdr);
	case IPPROTO_SCTP:
		return sizeof(struct sctphdr);
	default:
		return 0;
	}
}

/* Ports, and TCP flags, of the transport header at @packet->thoff; @inner: of a quoted packet, which may be cut off. */
static int parse_ports(struct sk_buff *skb, struct kserv_packet *packet, bool inner)
{
	unsigned int need = header_len(packet->tuple.proto);
	unsigned int have = skb->len - min_t(unsigned int, skb->len, packet->thoff);
	u8 buffer[sizeof(struct tcphdr)];
	const u8 *header;

	if (!need)
		return -EPROTONOSUPPORT;
	if (have < need) {
		if (!inner || have < INNER_L4_MIN)
			return -EINVAL;
		need = have;
	}
	header = skb_header_pointer(skb, packet->thoff, need, buffer);
	if (!header)
		return -EINVAL;

	packet->l4_len = need;
	packet->tuple.sport = ((const __be16 *)header)[0];
	packet->tuple.dport = ((const __be16 *)header)[1];
	if (packet->tuple.proto == IPPROTO_TCP && need == sizeof(struct tcphdr))
		packet->tcp_flags = header[13];
	return 0;
}

static int parse_header4(struct sk_buff *skb, unsigned int offset, struct kserv_packet *packet)
{
	struct iphdr buffer;
	const struct iphdr *iph;

	iph = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	if (!iph || iph->version != 4 || iph->ihl < 5)
		return -EINVAL;

	packet->tuple.src.ip = iph->saddr;
	packet->tuple.dst.ip = iph->daddr;
	packet->tuple.proto = iph->protocol;
	packet->thoff = offset + iph->ihl * 4;
	packet->fragment = iph->frag_off & htons(IP_OFFSET);
	return 0;
}

static int parse_header6(struct sk_buff *skb, unsigned int offset, struct kserv_packet *packet)
{
	const struct ipv6hdr *ip6h;
	struct ipv6hdr buffer;
	__be16 frag_off = 0;
	int thoff;
	u8 proto;

	ip6h = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	if (!ip6h || ip6h->version != 6)
		return -EINVAL;

	packet->tuple.src.in6 = ip6h->saddr;
	packet->tuple.dst.in6 = ip6h->daddr;
	proto = ip6h->nexthdr;
	thoff = offset + sizeof(*ip6h);
	if (!header_len(proto) && proto != IPPROTO_ICMPV6) {
		thoff = ipv6_skip_exthdr(skb, thoff, &proto, &frag_off);
		/* Offsets are kept in 16 bits; headers up to there are nobody's. */
		if (thoff < 0 || thoff > U16_MAX - 64)
			return -EINVAL;
	}
	packet->tuple.proto = proto;
	packet->thoff = thoff;
	packet->fragment = frag_off & htons(IP6_OFFSET);
	return 0;
}

static int parse_header(struct sk_buff *skb, unsigned int offset, struct kserv_packet *packet)
{
	return packet->tuple.family == NFPROTO_IPV4 ? parse_header4(skb, offset, packet) :
						      parse_header6(skb, offset, packet);
}

static bool icmp_is_error(u8 family, u8 type)
{
	if (family == NFPROTO_IPV6)
		return type < ICMPV6_INFOMSG_MASK;
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

/* @packet holds the outer header: go on with the packet that an error is about, or note an echo request. */
static int parse_icmp(struct sk_buff *skb, struct kserv_packet *packet)
{
	u8 family = packet->tuple.family;
	struct icmphdr buffer;
	const struct icmphdr *icmph;
	int ret;

	/* ICMP and ICMPv6 have type, code and checksum in the same place, and both errors quote after 8 bytes. */
	icmph = skb_header_pointer(skb, packet->thoff, sizeof(buffer), &buffer);
	if (!icmph)
		return -EINVAL;
	if (icmph->type == (family == NFPROTO_IPV4 ? ICMP_ECHO : ICMPV6_ECHO_REQUEST)) {
		packet->is_echo = true;
		return 0;
	}
	if (!icmp_is_error(family, icmph->type))
		return -EPROTONOSUPPORT;

	packet->is_error = true;
	packet->outer_thoff = packet->thoff;
	packet->inner_off = packet->thoff + sizeof(*icmph);
	memset(&packet->tuple, 0, sizeof(packet->tuple));
	packet->tuple.family = family;
	ret = parse_header(skb, packet->inner_off, packet);
	if (ret)
		return ret;
	/* A later fragment has no ports to know its flow by. */
	if (packet->fragment)
		return -EPROTONOSUPPORT;
	return parse_ports(skb, packet, true);
}

int kserv_packet_parse(struct sk_buff *skb, u8 family, struct kserv_packet *packet)
{
	int ret;

	if (kserv_packet_parse_plain(skb, family, packet))
		return 0;
	memset(packet, 0, sizeof(*packet));
	packet->tuple.family = family;
	ret = parse_header(skb, skb_network_offset(skb), packet);
	if (ret)
		return ret;
	if (packet->fragment)
		return -EPROTONOSUPPORT;
	if (packet->tuple.proto == (family == NFPROTO_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return parse_icmp(skb, packet);
	return parse_ports(skb, packet, false);
}
