/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_KUNIT_WIRE_H
#define _KSERV_KUNIT_WIRE_H

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/skbuff.h>

#include "packet.h"

/* No packet here is longer. */
#define WIRE_MAX 512

/**
 * struct wire - a packet to be written out
 * @tuple: its addresses, ports and protocols
 * @options: IPv4: words of options; IPv6: bytes of a destination options header, in words of 8
 * @payload: bytes after the transport header, which follow from their position and @salt
 * @tcp_flags: of a TCP header
 * @udp_unchecked: a UDP packet without a checksum
 */
struct wire {
	struct kserv_tuple tuple;
	unsigned int options;
	unsigned int payload;
	u8 salt;
	u8 tcp_flags;
	bool udp_unchecked;
};

/* Where things are in the packet, and where it ends. */
struct wire_layout {
	unsigned int thoff;
	unsigned int check;	/* of the transport header */
	unsigned int len;
};

/* How a packet lies in memory: this much in the linear part, the rest in two pages. */
#define WIRE_LINEAR UINT_MAX

struct wire_layout wire_layout(const struct wire *wire);
/* Write the packet with right checksums, summed up the slow way. */
struct wire_layout wire_write(const struct wire *wire, u8 *to);
/* Any packet of that family and protocol. */
void wire_random(struct wire *wire, struct rnd_state *rnd, u8 family, u8 proto);
void wire_random_tuple(struct kserv_tuple *tuple, struct rnd_state *rnd, u8 family, u8 proto);

/* One's complement sum of the bytes, folded to 16 bits; of an odd byte at the end as if a zero followed. */
u16 wire_sum(const u8 *bytes, unsigned int len, u32 start);
/* Sum of the pseudo header of a transport header at @thoff of @packet. */
u32 wire_pseudo_sum(const u8 *packet, unsigned int thoff, unsigned int len, u8 proto);
/* Both representations of zero are one. */
static inline u16 wire_normal(u16 sum)
{
	return sum == 0xffff ? 0 : sum;
}

u16 wire_get16(const u8 *from);
void wire_put16(u8 *to, u16 value);

/* An sk_buff as a hook gets it. The caller frees it. */
struct sk_buff *wire_skb(struct kunit *test, const u8 *bytes, unsigned int len, unsigned int linear);
/* The bytes of an sk_buff, wherever they are. Return: how many. */
unsigned int wire_read(struct kunit *test, const struct sk_buff *skb, u8 *to);

#endif /* _KSERV_KUNIT_WIRE_H */
