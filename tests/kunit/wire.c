// SPDX-License-Identifier: GPL-2.0
/* Packets as bytes, written and summed here without any of the code that is tested. */
#include <linux/crc32c.h>
#include <linux/icmp.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/sctp.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "wire.h"

u16 wire_get16(const u8 *from)
{
	return from[0] << 8 | from[1];
}

void wire_put16(u8 *to, u16 value)
{
	to[0] = value >> 8;
	to[1] = value;
}

u16 wire_sum(const u8 *bytes, unsigned int len, u32 start)
{
	u64 sum = start;
	unsigned int i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? bytes[i] : bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

u32 wire_pseudo_sum(const u8 *packet, unsigned int thoff, unsigned int len, u8 proto)
{
	unsigned int addrs = packet[0] >> 4 == 4 ? offsetof(struct iphdr, saddr) : offsetof(struct ipv6hdr, saddr);
	unsigned int addrs_len = packet[0] >> 4 == 4 ? 8 : 32;

	return wire_sum(packet + addrs, addrs_len, proto + len - thoff);
}

static unsigned int network_len(const struct wire *wire)
{
	if (wire->tuple.family == NFPROTO_IPV4)
		return sizeof(struct iphdr) + wire->options * 4;
	return sizeof(struct ipv6hdr) + wire->options * 8;
}

struct wire_layout wire_layout(const struct wire *wire)
{
	struct wire_layout layout = { .thoff = network_len(wire) };

	switch (wire->tuple.proto) {
	case IPPROTO_TCP:
		layout.check = layout.thoff + offsetof(struct tcphdr, check);
		layout.len = layout.thoff + sizeof(struct tcphdr);
		break;
	case IPPROTO_UDP:
		layout.check = layout.thoff + offsetof(struct udphdr, check);
		layout.len = layout.thoff + sizeof(struct udphdr);
		break;
	case IPPROTO_SCTP:
		layout.check = layout.thoff + offsetof(struct sctphdr, checksum);
		layout.len = layout.thoff + sizeof(struct sctphdr);
		break;
	}
	layout.len += wire->payload;
	return layout;
}

static void write_header4(const struct wire *wire, u8 *to, unsigned int len)
{
	unsigned int header = network_len(wire);

	memset(to, IPOPT_NOOP, header);
	memset(to, 0, sizeof(struct iphdr));
	to[0] = 0x40 | header / 4;
	wire_put16(to + 2, len);
	to[4] = wire->salt;
	to[8] = 64;
	to[9] = wire->tuple.proto;
	memcpy(to + 12, &wire->tuple.src.ip, 4);
	memcpy(to + 16, &wire->tuple.dst.ip, 4);
	wire_put16(to + 10, ~wire_sum(to, header, 0));
}

static void write_header6(const struct wire *wire, u8 *to, unsigned int len)
{
	u8 *options = to + sizeof(struct ipv6hdr);

	memset(to, 0, network_len(wire));
	to[0] = 0x60;
	wire_put16(to + 4, len - sizeof(struct ipv6hdr));
	to[6] = wire->options ? IPPROTO_DSTOPTS : wire->tuple.proto;
	to[7] = 64;
	memcpy(to + 8, &wire->tuple.src, 16);
	memcpy(to + 24, &wire->tuple.dst, 16);
	if (!wire->options)
		return;
	options[0] = wire->tuple.proto;
	options[1] = wire->options - 1;
	/* All that is left is one option to be skipped. */
	options[2] = 0x1e;
	options[3] = wire->options * 8 - 4;
}

static void write_check(const struct wire *wire, u8 *packet, const struct wire_layout *layout)
{
	u8 *transport = packet + layout->thoff;
	unsigned int len = layout->len - layout->thoff;
	__le32 crc;
	u16 sum;

	if (wire->tuple.proto == IPPROTO_SCTP) {
		crc = cpu_to_le32(~crc32c(~0, transport, len));
		memcpy(packet + layout->check, &crc, sizeof(crc));
		return;
	}
	if (wire->tuple.proto == IPPROTO_UDP && wire->udp_unchecked)
		return;
	sum = ~wire_sum(transport, len, wire_pseudo_sum(packet, layout->thoff, layout->len, wire->tuple.proto));
	if (wire->tuple.proto == IPPROTO_UDP && !sum)
		sum = 0xffff;
	wire_put16(packet + layout->check, sum);
}

struct wire_layout wire_write(const struct wire *wire, u8 *to)
{
	struct wire_layout layout = wire_layout(wire);
	u8 *transport = to + layout.thoff;
	unsigned int i;

	memset(to, 0, layout.len);
	if (wire->tuple.family == NFPROTO_IPV4)
		write_header4(wire, to, layout.len);
	else
		write_header6(wire, to, layout.len);
	memcpy(transport, &wire->tuple.sport, 2);
	memcpy(transport + 2, &wire->tuple.dport, 2);
	if (wire->tuple.proto == IPPROTO_TCP) {
		transport[7] = wire->salt;
		transport[12] = 0x50;
		transport[13] = wire->tcp_flags;
	} else if (wire->tuple.proto == IPPROTO_UDP) {
		wire_put16(transport + 4, layout.len - layout.thoff);
	}
	for (i = layout.len - wire->payload; i < layout.len; i++)
		to[i] = i * 7 + wire->salt;
	write_check(wire, to, &layout);
	return layout;
}

void wire_random_tuple(struct kserv_tuple *tuple, struct rnd_state *rnd, u8 family, u8 proto)
{
	unsigned int len = family == NFPROTO_IPV4 ? 4 : 16;

	memset(tuple, 0, sizeof(*tuple));
	tuple->family = family;
	tuple->proto = proto;
	prandom_bytes_state(rnd, &tuple->src, len);
	prandom_bytes_state(rnd, &tuple->dst, len);
	prandom_bytes_state(rnd, &tuple->sport, 2);
	prandom_bytes_state(rnd, &tuple->dport, 2);
	/* Sums that come out as zero are where mistakes are made. */
	switch (prandom_u32_state(rnd) % 8) {
	case 0:
		memset(&tuple->src, 0xff, len);
		break;
	case 1:
		memset(&tuple->dst, 0, len);
		break;
	case 2:
		tuple->sport = 0;
		tuple->dport = htons(0xffff);
		break;
	}
}

void wire_random(struct wire *wire, struct rnd_state *rnd, u8 family, u8 proto)
{
	memset(wire, 0, sizeof(*wire));
	wire_random_tuple(&wire->tuple, rnd, family, proto);
	wire->options = prandom_u32_state(rnd) % 4 ? 0 : prandom_u32_state(rnd) % 5;
	wire->payload = prandom_u32_state(rnd) % 160;
	wire->salt = prandom_u32_state(rnd);
	wire->tcp_flags = prandom_u32_state(rnd);
}

static void add_page(struct kunit *test, struct sk_buff *skb, const u8 *bytes, unsigned int len)
{
	struct page *page = alloc_page(GFP_KERNEL);
	/* Not at the start of the page, and odd: what takes a page's address for the data's shows. */
	unsigned int offset = 65;

	KUNIT_ASSERT_NOT_NULL(test, page);
	memcpy(page_address(page) + offset, bytes, len);
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, offset, len, PAGE_SIZE);
}

struct sk_buff *wire_skb(struct kunit *test, const u8 *bytes, unsigned int len, unsigned int linear)
{
	struct sk_buff *skb = alloc_skb(NET_SKB_PAD + len, GFP_KERNEL);
	unsigned int rest;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	linear = min(linear, len);
	rest = len - linear;
	skb_reserve(skb, NET_SKB_PAD);
	skb_put_data(skb, bytes, linear);
	if (rest > 1)
		add_page(test, skb, bytes + linear, rest / 2);
	if (rest)
		add_page(test, skb, bytes + len - (rest - rest / 2), rest - rest / 2);
	skb_reset_network_header(skb);
	skb->protocol = len && bytes[0] >> 4 == 6 ? htons(ETH_P_IPV6) : htons(ETH_P_IP);
	return skb;
}

unsigned int wire_read(struct kunit *test, const struct sk_buff *skb, u8 *to)
{
	KUNIT_ASSERT_LE(test, skb->len, WIRE_MAX);
	KUNIT_ASSERT_EQ(test, skb_copy_bits(skb, 0, to, skb->len), 0);
	return skb->len;
}
