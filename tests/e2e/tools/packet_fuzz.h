/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random packets between the places of tests/e2e/lib.sh: to services, past them, answers to them, errors about them,
 * with options, extension headers, other packets or garbage inside, whole, cut off or in pieces, with checksums that
 * are right, wrong, missing or left to somebody else.
 */
#ifndef PACKET_FUZZ_H
#define PACKET_FUZZ_H

#include <arpa/inet.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include "chance.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define PACKET_MAX 66000

struct place {
	const char *name, *v4, *v6;
};

static const struct place places[] = {
	{ "client", "192.168.60.2", "fd00:60::2" }, { "router", "192.168.50.1", "fd00:50::1" },
	{ "node1", "192.168.50.11", "fd00:50::11" }, { "node2", "192.168.50.12", "fd00:50::12" },
	{ "pod1", "10.244.1.11", "fd00:10:244:1::11" }, { "pod2", "10.244.1.12", "fd00:10:244:1::12" },
	{ "pod3", "10.244.2.13", "fd00:10:244:2::13" },
};

/* Where services are, as the case makes them, and where none is. */
static const struct place frontends[] = {
	{ "cluster IP", "10.96.0.1", "fd00:10:96::1" }, { "cluster IP", "10.96.0.2", "fd00:10:96::2" },
	{ "external IP", "203.0.113.1", "2001:db8:ff::1" }, { "node", "192.168.50.11", "fd00:50::11" },
	{ "nobody", "10.96.0.99", "fd00:10:96::99" }, { "loopback", "127.0.0.1", "::1" },
	{ "group", "224.0.0.251", "ff02::fb" }, { "broadcast", "255.255.255.255", "ff02::1" },
};

static const uint16_t service_ports[] = { 80, 80, 80, 81, 31000, 8080, 53, 0 };
static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDP, IPPROTO_SCTP };

/* A packet from its network header on. */
struct packet {
	uint8_t data[PACKET_MAX];
	size_t len;
	uint8_t family, proto;
	size_t transport;	/* where its header begins */
	bool partial;		/* the checksum holds the sum of the pseudo header only */
};

struct ends {
	uint8_t family, proto;
	const struct place *from, *to;
	uint16_t sport, dport;	/* of the host's order */
};

/* ---- sums */

static inline uint32_t sum_bytes(const uint8_t *bytes, size_t n, uint32_t sum)
{
	size_t i;

	for (i = 0; i + 1 < n; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	if (n & 1)
		sum += bytes[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static inline void store16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static inline uint32_t crc32c(const uint8_t *bytes, size_t n)
{
	uint32_t crc = ~0u;
	int bit;

	while (n--) {
		crc ^= *bytes++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* Offset of a protocol's checksum in its header; 0 if it has none of 16 bits. */
static inline unsigned int check_offset(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:	return 16;
	case IPPROTO_UDP:	return 6;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:	return 2;
	default:		return 0;
	}
}

static inline uint32_t pseudo_sum(const struct packet *p, size_t len)
{
	uint32_t sum = p->proto + len;

	if (p->proto == IPPROTO_ICMP)
		return 0;
	return p->family == AF_INET ? sum_bytes(p->data + 12, 8, sum) : sum_bytes(p->data + 8, 32, sum);
}

static inline void sum_transport(struct packet *p)
{
	unsigned int at = check_offset(p->proto);
	uint8_t *header = p->data + p->transport;
	size_t len = p->len > p->transport ? p->len - p->transport : 0;
	uint32_t crc;

	if (p->proto == IPPROTO_SCTP && len >= 12) {
		memset(header + 8, 0, 4);
		crc = crc32c(header, len);
		memcpy(header + 8, &crc, 4);
	}
	if (!at || len < at + 2u)
		return;
	store16(header + at, 0);
	if (p->partial)
		store16(header + at, sum_bytes(NULL, 0, pseudo_sum(p, len)));
	else
		store16(header + at, ~sum_bytes(header, len, pseudo_sum(p, len)));
}

static inline void sum_network(struct packet *p)
{
	size_t len = (p->data[0] & 15) * 4;

	if (p->family != AF_INET || len < 20 || len > p->len)
		return;
	store16(p->data + 10, 0);
	store16(p->data + 10, ~sum_bytes(p->data, len, 0));
}

/* ---- headers, one after the other at the packet's end */

static inline uint8_t *add(struct packet *p, size_t n)
{
	uint8_t *at = p->data + p->len;

	memset(at, 0, n);
	p->len += n;
	return at;
}

static inline void add_some(struct packet *p, size_t n)
{
	chance_bytes(add(p, n), n);
}

static inline void add_options4(struct packet *p)
{
	static const uint8_t kinds[] = { 0, 1, 7, 68, 131, 137, 136, 148 };
	size_t n = 4 * (1 + chance(10));
	uint8_t *options = add(p, n);

	memset(options, 1, n);
	if (chance(2)) {
		options[0] = one_of(kinds);
		options[1] = chance(4) ? n : chance(48);
		options[2] = 4 * (1 + chance(3));
	} else if (!chance(4)) {
		chance_bytes(options, n);
	}
	p->data[0] = 0x40 | (5 + n / 4);
}

/* Returns where the type of the next header belongs. */
static inline size_t add_extension(struct packet *p, size_t next)
{
	static const uint8_t types[] = { 0, 60, 60, 43, 44, 51, 50, 59, 135, 139 };
	uint8_t type = one_of(types), *header;
	size_t n = type == 44 ? 8 : 8 * (1 + chance(3)), at = p->len;

	header = add(p, n);
	p->data[next] = type;
	header[1] = type == 51 ? n / 4 - 2 : n / 8 - 1;
	if (type == 0 || type == 60) {
		header[2] = 1;
		header[3] = n - 4;
	} else if (type == 44) {
		header[1] = 0;
	} else {
		chance_bytes(header + 2, n - 2);
	}
	if (!chance(10))
		header[1] = chance(256);
	return at;
}

static inline void add_network(struct packet *p, const struct ends *ends)
{
	size_t next = 6;
	uint8_t *header;
	int i;

	p->family = ends->family;
	p->proto = ends->proto;
	if (ends->family == AF_INET) {
		header = add(p, 20);
		header[0] = 0x45;
		header[1] = chance(256);
		store16(header + 4, chance(16));
		header[8] = chance(20) ? 64 : chance(3);
		header[9] = ends->proto;
		inet_pton(AF_INET, ends->from->v4, header + 12);
		inet_pton(AF_INET, ends->to->v4, header + 16);
		if (!chance(8))
			add_options4(p);
	} else {
		header = add(p, 40);
		header[0] = 0x60;
		header[7] = chance(20) ? 64 : chance(3);
		inet_pton(AF_INET6, ends->from->v6, header + 8);
		inet_pton(AF_INET6, ends->to->v6, header + 24);
		for (i = chance(8) ? 0 : 1 + chance(5); i; i--)
			next = add_extension(p, next);
		p->data[next] = ends->proto;
	}
	p->transport = p->len;
}

static inline void add_tcp(struct packet *p, const struct ends *ends)
{
	static const uint8_t flags[] = { 0x02, 0x02, 0x02, 0x10, 0x10, 0x18, 0x11, 0x04, 0x14, 0x12, 0x12, 0, 0xff };
	uint8_t *header = add(p, 20);
	size_t options;

	store16(header, ends->sport);
	store16(header + 2, ends->dport);
	header[7] = chance(4);
	header[11] = chance(4);
	header[12] = 5 << 4;
	header[13] = chance(12) ? one_of(flags) : chance(256);
	store16(header + 14, 1000);
	if (!chance(4)) {
		options = 4 * chance(11);
		header[12] = (5 + options / 4) << 4;
		add_some(p, options);
	}
	if (!chance(20))
		p->data[p->transport + 12] = chance(256);
}

static inline void add_transport(struct packet *p, const struct ends *ends)
{
	uint8_t *header;

	switch (ends->proto) {
	case IPPROTO_TCP:
		add_tcp(p, ends);
		break;
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		header = add(p, ends->proto == IPPROTO_UDP ? 8 : 12);
		store16(header, ends->sport);
		store16(header + 2, ends->dport);
		break;
	}
	/* An SCTP chunk: INIT, INIT ACK, ABORT, SHUTDOWN ACK, or any. */
	if (ends->proto == IPPROTO_SCTP && chance(4)) {
		header = add(p, 4);
		header[0] = chance(4) ? 1 + chance(2) : chance(16);
		store16(header + 2, 4 + chance(40));
	}
}

/* Lengths that the headers say, right as far as they go. */
static inline void set_lengths(struct packet *p)
{
	store16(p->data + (p->family == AF_INET ? 2 : 4), p->family == AF_INET ? p->len : p->len - 40);
	if (p->proto == IPPROTO_UDP && p->len >= p->transport + 8)
		store16(p->data + p->transport + 4, p->len - p->transport);
}

static inline void finish(struct packet *p)
{
	set_lengths(p);
	sum_transport(p);
	sum_network(p);
}

/* ---- whole packets */

/* As @self would send it to a service, to an endpoint, as an answer, or from a wrong place. */
static inline void some_ends(struct ends *ends, const struct place *self)
{
	ends->family = chance(2) ? AF_INET : AF_INET6;
	ends->proto = one_of(protocols);
	ends->from = chance(8) ? self : chance(2) ? &one_of(places) : &one_of(frontends);
	ends->to = &one_of(frontends);
	ends->sport = chance(20) ? 40000 + chance(48) : chance(65536);
	ends->dport = one_of(service_ports);
	if (chance(3))
		return;
	ends->to = &one_of(places);
	if (chance(2)) {
		ends->dport = ends->sport;
		ends->sport = one_of(service_ports);
	}
}

static inline void make_plain(struct packet *p, const struct place *self)
{
	static const uint16_t sizes[] = { 0, 0, 1, 7, 8, 100, 512, 1000, 1400 };
	struct ends ends;

	some_ends(&ends, self);
	add_network(p, &ends);
	add_transport(p, &ends);
	add_some(p, one_of(sizes));
	finish(p);
}

/* An error of @self, or of anybody, about a packet that was sent or received by it, cut off somewhere. */
static inline void make_error(struct packet *p, const struct place *self)
{
	static const uint8_t types4[] = { 3, 3, 3, 4, 5, 11, 12, 0, 13 }, types6[] = { 1, 2, 2, 3, 4, 100, 127, 137 };
	static struct packet inner;
	const struct place *swap;
	struct ends ends, outer;
	uint8_t *header;
	size_t quoted;

	some_ends(&ends, self);
	swap = ends.from;
	ends.from = ends.to;
	ends.to = swap;
	inner.len = 0;
	inner.partial = false;
	add_network(&inner, &ends);
	add_transport(&inner, &ends);
	add_some(&inner, chance(100));
	finish(&inner);
	if (!chance(10))
		inner.data[chance(inner.len)] = chance(256);

	outer = (struct ends) { .family = ends.family, .from = chance(4) ? self : &one_of(places),
				.to = chance(4) ? ends.from : &one_of(places),
				.proto = ends.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6 };
	add_network(p, &outer);
	header = add(p, 8);
	header[0] = ends.family == AF_INET ? one_of(types4) : one_of(types6);
	header[1] = chance(16);
	store16(header + 6, 1280 + chance(200));
	quoted = chance(3) ? inner.len : chance(inner.len + 1);
	memcpy(add(p, quoted), inner.data, quoted);
	finish(p);
}

static inline void make_echo(struct packet *p, const struct place *self)
{
	struct ends ends;
	uint8_t *header;

	some_ends(&ends, self);
	ends.proto = ends.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	add_network(p, &ends);
	header = add(p, 8);
	header[0] = ends.family == AF_INET ? 8 * chance(2) : 128 + chance(2);
	add_some(p, chance(64));
	finish(p);
}

/* A packet in a packet: IP in IP, GRE, VXLAN. */
static inline void make_tunnel(struct packet *p, const struct place *self)
{
	static struct packet inner;
	struct ends ends;
	int how = chance(3);

	inner.len = 0;
	inner.partial = false;
	make_plain(&inner, self);
	some_ends(&ends, self);
	ends.proto = how == 0 ? (inner.family == AF_INET ? IPPROTO_IPIP : IPPROTO_IPV6) :
		     how == 1 ? IPPROTO_GRE : IPPROTO_UDP;
	ends.dport = 4789;
	add_network(p, &ends);
	add_transport(p, &ends);
	if (how == 1)
		store16(add(p, 4) + 2, inner.family == AF_INET ? 0x0800 : 0x86dd);
	else if (how == 2)
		add_some(p, 8 + 14);
	memcpy(add(p, inner.len), inner.data, inner.len);
	finish(p);
}

static inline void make_other(struct packet *p, const struct place *self)
{
	struct ends ends;

	some_ends(&ends, self);
	ends.proto = chance(256);
	add_network(p, &ends);
	add_some(p, chance(100));
	finish(p);
}

static inline void make_packet(struct packet *p, const struct place *self)
{
	p->len = 0;
	p->partial = false;
	switch (chance(16)) {
	case 0:			make_echo(p, self); break;
	case 1:			make_tunnel(p, self); break;
	case 2:			make_other(p, self); break;
	case 3: case 4: case 5: make_error(p, self); break;
	default:		make_plain(p, self); break;
	}
}

/* Something is not as it was made; the sums follow, or do not. */
static inline void spoil(struct packet *p)
{
	int i;

	switch (chance(8)) {
	case 0:
		p->len = chance(p->len + 1);
		break;
	case 1:
		p->len = chance(p->len + 1);
		finish(p);
		break;
	case 2:
		store16(p->data + 2 + 2 * chance(2), chance(2) ? chance(65536) : p->len + chance(9) - 4);
		break;
	case 3:
		p->data[0] = chance(256);
		break;
	case 4:
		for (i = 1 + chance(6); i && p->len; i--)
			p->data[chance(p->len)] = chance(256);
		break;
	case 5:
		if (check_offset(p->proto) && p->len > p->transport + 18)
			store16(p->data + p->transport + check_offset(p->proto), chance(3) ? chance(65536) : 0);
		return;
	case 6:
		chance_bytes(p->data + (p->family == AF_INET ? 20 : 40), 32);
		break;
	case 7:
		if (p->family == AF_INET)
			store16(p->data + 6, chance(65536));
		break;
	}
	if (p->len > 40 && chance(2))
		sum_network(p);
}

/* A word to the receiver about checksum and segments: right, or anything. @link is how much comes before the packet. */
static inline void say_offload(struct virtio_net_hdr *vnet, struct packet *p, size_t link)
{
	memset(vnet, 0, sizeof(*vnet));
	switch (chance(6)) {
	case 0:
	case 1:
		if (!check_offset(p->proto) || p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6 ||
		    p->len < p->transport + 20)
			return;
		p->partial = true;
		if (chance(3) == 0 && p->len < 2000)
			add_some(p, 2000 + chance(12000));
		finish(p);
		vnet->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		vnet->csum_start = link + p->transport;
		vnet->csum_offset = check_offset(p->proto);
		if (p->len < 1500 && chance(2))
			return;
		vnet->gso_type = p->proto == IPPROTO_UDP ? VIRTIO_NET_HDR_GSO_UDP_L4 :
				 p->family == AF_INET ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
		vnet->gso_size = chance(20) ? 500 + chance(900) : 1 + chance(100);
		vnet->hdr_len = link + p->transport + (p->proto == IPPROTO_UDP ? 8 : 20);
		return;
	case 2:
		vnet->flags = VIRTIO_NET_HDR_F_DATA_VALID;
		return;
	case 3:
		if (chance(4))
			return;
		vnet->flags = chance(4);
		vnet->csum_start = chance(200);
		vnet->csum_offset = chance(40);
		vnet->gso_type = chance(8) | (chance(4) ? 0 : 0x80);
		vnet->gso_size = chance(2000);
		vnet->hdr_len = chance(200);
		return;
	}
}

#endif
