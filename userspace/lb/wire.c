// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <string.h>
#include "lb/wire.h"

/* RFC 4861, 7.1: neighbour discovery comes from the link itself. */
#define ND_HOPS		255
#define SOLICITATION_AT	40

bool kserv_lb_read_arp(const uint8_t *bytes, size_t len, struct kserv_lb_question *ret)
{
	static const uint8_t zero[4];
	struct ether_arp arp;

	if (len < sizeof(arp))
		return false;
	memcpy(&arp, bytes, sizeof(arp));
	if (arp.ea_hdr.ar_hrd != htons(ARPHRD_ETHER) || arp.ea_hdr.ar_pro != htons(ETHERTYPE_IP) ||
	    arp.ea_hdr.ar_hln != KSERV_LB_MAC || arp.ea_hdr.ar_pln != 4 || arp.ea_hdr.ar_op != htons(ARPOP_REQUEST))
		return false;
	/* Another node that announces the address, and asks for nothing. */
	if (!memcmp(arp.arp_spa, arp.arp_tpa, 4))
		return false;
	*ret = (struct kserv_lb_question){ .target.family = AF_INET };
	memcpy(&ret->target.v4, arp.arp_tpa, 4);
	memcpy(ret->mac, arp.arp_sha, KSERV_LB_MAC);
	memcpy(&ret->source.v4, arp.arp_spa, 4);
	ret->source.family = memcmp(arp.arp_spa, zero, 4) ? AF_INET : AF_UNSPEC;
	return true;
}

static uint32_t add_up(const void *bytes, size_t len, uint32_t sum)
{
	const uint8_t *at = bytes;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += at[i] << 8 | at[i + 1];
	return i < len ? sum + (at[i] << 8) : sum;
}

/* Of an ICMPv6 message behind its header; 0 if the one in it is right. */
static uint16_t checksum(const struct ip6_hdr *header, const void *message, size_t len)
{
	uint32_t sum = add_up(&header->ip6_src, 32, len + IPPROTO_ICMPV6);

	sum = add_up(message, len, sum);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

bool kserv_lb_read_solicitation(const uint8_t *bytes, size_t len, struct kserv_lb_question *ret)
{
	struct nd_neighbor_solicit message;
	struct ip6_hdr header;
	size_t payload;

	if (len < sizeof(header) + sizeof(message))
		return false;
	memcpy(&header, bytes, sizeof(header));
	memcpy(&message, bytes + sizeof(header), sizeof(message));
	payload = ntohs(header.ip6_plen);
	if (bytes[0] >> 4 != 6 || header.ip6_nxt != IPPROTO_ICMPV6 || header.ip6_hlim != ND_HOPS ||
	    payload < sizeof(message) || payload > len - sizeof(header) ||
	    message.nd_ns_type != ND_NEIGHBOR_SOLICIT || message.nd_ns_code ||
	    checksum(&header, bytes + sizeof(header), payload))
		return false;
	*ret = (struct kserv_lb_question){ .target.family = AF_INET6, .source.family = AF_INET6 };
	ret->target.v6 = message.nd_ns_target;
	ret->source.v6 = header.ip6_src;
	if (IN6_IS_ADDR_UNSPECIFIED(&header.ip6_src))
		ret->source.family = AF_UNSPEC;
	return !IN6_IS_ADDR_MULTICAST(&header.ip6_src);
}

size_t kserv_lb_write_arp(uint8_t bytes[KSERV_LB_WIRE_MAX], const struct kserv_addr *addr, const uint8_t *mac,
			  const struct kserv_lb_question *question, bool reply)
{
	struct ether_arp arp = {
		.ea_hdr = {
			.ar_hrd = htons(ARPHRD_ETHER), .ar_pro = htons(ETHERTYPE_IP), .ar_hln = KSERV_LB_MAC, .ar_pln = 4,
			.ar_op = htons(reply ? ARPOP_REPLY : ARPOP_REQUEST),
		},
	};

	memcpy(arp.arp_sha, mac, KSERV_LB_MAC);
	memcpy(arp.arp_spa, &addr->v4, 4);
	/* RFC 5944, 4.6: what is told to all has its own address as the target, too. */
	memcpy(arp.arp_tpa, question ? &question->source.v4 : &addr->v4, 4);
	if (question)
		memcpy(arp.arp_tha, question->mac, KSERV_LB_MAC);
	else if (reply)
		memcpy(arp.arp_tha, mac, KSERV_LB_MAC);
	memcpy(bytes, &arp, sizeof(arp));
	return sizeof(arp);
}

size_t kserv_lb_write_advertisement(uint8_t bytes[KSERV_LB_WIRE_MAX], const struct kserv_addr *addr, const uint8_t *mac,
				    const struct kserv_lb_question *question)
{
	struct {
		struct nd_neighbor_advert head;
		struct nd_opt_hdr option;
		uint8_t mac[KSERV_LB_MAC];
	} message = {
		.head.nd_na_hdr.icmp6_type = ND_NEIGHBOR_ADVERT,
		.head.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE,
		.head.nd_na_target = addr->v6,
		.option = { .nd_opt_type = ND_OPT_TARGET_LINKADDR, .nd_opt_len = 1 },
	};
	struct ip6_hdr header = { .ip6_flow = htonl(6U << 28), .ip6_src = addr->v6 };

	header.ip6_plen = htons(sizeof(message));
	header.ip6_nxt = IPPROTO_ICMPV6;
	header.ip6_hlim = ND_HOPS;
	if (question && question->source.family == AF_INET6) {
		header.ip6_dst = question->source.v6;
		message.head.nd_na_flags_reserved |= ND_NA_FLAG_SOLICITED;
	} else {
		inet_pton(AF_INET6, "ff02::1", &header.ip6_dst);
	}
	memcpy(message.mac, mac, KSERV_LB_MAC);
	message.head.nd_na_cksum = htons(checksum(&header, &message, sizeof(message)));
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), &message, sizeof(message));
	return sizeof(header) + sizeof(message);
}

struct in6_addr kserv_lb_solicited_node(const struct kserv_addr *addr)
{
	struct in6_addr group;

	inet_pton(AF_INET6, "ff02::1:ff00:0", &group);
	memcpy(&group.s6_addr[13], &addr->v6.s6_addr[13], 3);
	return group;
}

static size_t add_v4_span(const struct kserv_span *span, struct sock_filter *at)
{
	const struct sock_filter rows[] = {
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, ntohl(span->first.v4.s_addr), 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, ntohl(span->last.v4.s_addr), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};

	memcpy(at, rows, sizeof(rows));
	return sizeof(rows) / sizeof(rows[0]);
}

static unsigned int common_bits(const struct kserv_span *span)
{
	unsigned int n = 0;

	while (n < 128 && !((span->first.v6.s6_addr[n / 8] ^ span->last.v6.s6_addr[n / 8]) >> (7 - n % 8) & 1))
		n++;
	return n;
}

static size_t add_v6_span(const struct kserv_span *span, struct sock_filter *at)
{
	unsigned int bits = common_bits(span), words = (bits + 31) / 32, i;
	size_t n = 0;

	for (i = 0; i < words; i++) {
		unsigned int here = bits - 32 * i < 32 ? bits - 32 * i : 32;
		uint32_t mask = here == 32 ? UINT32_MAX : ~(UINT32_MAX >> here), word;

		memcpy(&word, &span->first.v6.s6_addr[4 * i], 4);
		/* The target of a solicitation is 8 bytes behind its begin. */
		at[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SOLICITATION_AT + 8 + 4 * i);
		at[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask);
		at[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(word) & mask, 0,
						       3 * (words - i - 1) + 1);
	}
	at[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	return n;
}

/* The rest of the filter for @family is in place up to @n. */
static size_t add_spans(uint8_t family, const struct kserv_pool *pools, size_t n_pools, struct sock_filter *filter,
			size_t n)
{
	size_t i, j, before = n;

	for (i = 0; i < n_pools; i++) {
		for (j = 0; j < pools[i].n_spans; j++) {
			const struct kserv_span *span = &pools[i].spans[j];

			if (span->first.family != family)
				continue;
			/* A v6 span takes 13 at most, and one is for the end. */
			if (n + 14 > KSERV_LB_FILTER_MAX) {
				filter[before] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
				return before + 1;
			}
			n += family == AF_INET ? add_v4_span(span, filter + n) : add_v6_span(span, filter + n);
		}
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return n;
}

size_t kserv_lb_filter(uint8_t family, const struct kserv_pool *pools, size_t n_pools,
		       struct sock_filter ret[KSERV_LB_FILTER_MAX])
{
	const struct sock_filter arp[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPOP_REQUEST, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 24),
	};
	const struct sock_filter solicitation[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6 << 8 | ND_HOPS, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SOLICITATION_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_SOLICIT, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	bool v4 = family == AF_INET;

	memcpy(ret, v4 ? arp : solicitation, v4 ? sizeof(arp) : sizeof(solicitation));
	return add_spans(family, pools, n_pools, ret, (v4 ? sizeof(arp) : sizeof(solicitation)) / sizeof(*ret));
}
