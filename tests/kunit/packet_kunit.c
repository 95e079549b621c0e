// SPDX-License-Identifier: GPL-2.0
/* Raw bytes of packets, and what is read from them. */
#include "../../kmod/packet.c"
#include "wire.h"

#define B16(value) ((value) >> 8) & 0xff, (value) & 0xff
#define A4(last) 192, 0, 2, last
#define A6(last) 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last
/* Addresses 1 (source) and 2; ports are 0x1234 (source) and 80. */
#define IPV4(ihl, frag, proto) 0x40 | (ihl), 0, B16(1500), 0, 1, B16(frag), 64, proto, 0, 0, A4(1), A4(2)
#define IPV6(next) 0x60, 0, 0, 0, B16(1400), next, 64, A6(1), A6(2)
/* The packet inside an error: the same connection, from 2 to 1. */
#define IPV4_QUOTED(ihl, frag, proto) 0x40 | (ihl), 0, B16(1500), 0, 1, B16(frag), 64, proto, 0, 0, A4(2), A4(1)
#define IPV6_QUOTED(next) 0x60, 0, 0, 0, B16(1400), next, 64, A6(2), A6(1)
#define NOPS4 1, 1, 1, 0
#define PORTS B16(0x1234), B16(80)
#define PORTS_QUOTED B16(80), B16(0x1234)
#define TCP_REST(flags) 0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags, B16(0xffff), 0, 0, 0, 0
#define UDP_REST 0, 8, 0, 0
#define SCTP_REST 0, 0, 0, 3, 0, 0, 0, 0
#define ICMP(type, code) type, code, 0, 0, 0, 0, 0, 0
#define DSTOPTS(next) next, 0, 1, 4, 0, 0, 0, 0
#define HOPOPTS_LONG(next) next, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define ROUTING(next) next, 0, 4, 0, 0, 0, 0, 0
#define FRAGMENT(next, frag) next, 0, B16(frag), 0, 0, 0, 9
#define AUTH(next) next, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1
#define BYTES(...) .bytes = (const u8[]){ __VA_ARGS__ }, .len = sizeof((const u8[]){ __VA_ARGS__ })

/**
 * struct packet_case - a packet and what is to be read from it
 * @need: so many bytes are needed for that; with fewer, it is -EINVAL
 * @ports: 0x1234 and 80, else 0
 * @quoted: addresses and ports are those of a packet from 2 to 1
 */
struct packet_case {
	const char *name;
	const u8 *bytes;
	unsigned int len;
	int ret;
	unsigned int need;
	u8 proto;
	bool ports;
	bool quoted;
	bool is_echo;
	u16 thoff;
	u16 l4_len;
	u16 outer_thoff;
	u16 inner_off;
	u8 tcp_flags;
};

static const struct packet_case packet_cases[] = {
	{ "TCP over IPv4", BYTES(IPV4(5, 0, IPPROTO_TCP), PORTS, TCP_REST(0x12)), .need = 40, .proto = IPPROTO_TCP,
	  .ports = true, .thoff = 20, .l4_len = 20, .tcp_flags = 0x12 },
	{ "TCP over IPv4 with data", BYTES(IPV4(5, 0x4000, IPPROTO_TCP), PORTS, TCP_REST(0x18), 1, 2, 3),
	  .need = 40, .proto = IPPROTO_TCP, .ports = true, .thoff = 20, .l4_len = 20, .tcp_flags = 0x18 },
	{ "TCP over IPv4 with options", BYTES(IPV4(7, 0, IPPROTO_TCP), NOPS4, NOPS4, PORTS, TCP_REST(0x02)),
	  .need = 48, .proto = IPPROTO_TCP, .ports = true, .thoff = 28, .l4_len = 20, .tcp_flags = 0x02 },
	{ "UDP over IPv4", BYTES(IPV4(5, 0, IPPROTO_UDP), PORTS, UDP_REST, 9), .need = 28, .proto = IPPROTO_UDP,
	  .ports = true, .thoff = 20, .l4_len = 8 },
	{ "SCTP over IPv4", BYTES(IPV4(5, 0, IPPROTO_SCTP), PORTS, SCTP_REST), .need = 32, .proto = IPPROTO_SCTP,
	  .ports = true, .thoff = 20, .l4_len = 12 },
	{ "TCP over IPv6", BYTES(IPV6(IPPROTO_TCP), PORTS, TCP_REST(0x10)), .need = 60, .proto = IPPROTO_TCP,
	  .ports = true, .thoff = 40, .l4_len = 20, .tcp_flags = 0x10 },
	{ "UDP over IPv6", BYTES(IPV6(IPPROTO_UDP), PORTS, UDP_REST), .need = 48, .proto = IPPROTO_UDP,
	  .ports = true, .thoff = 40, .l4_len = 8 },
	{ "SCTP over IPv6", BYTES(IPV6(IPPROTO_SCTP), PORTS, SCTP_REST), .need = 52, .proto = IPPROTO_SCTP,
	  .ports = true, .thoff = 40, .l4_len = 12 },
	{ "IPv6 with destination options", BYTES(IPV6(IPPROTO_DSTOPTS), DSTOPTS(IPPROTO_UDP), PORTS, UDP_REST),
	  .need = 56, .proto = IPPROTO_UDP, .ports = true, .thoff = 48, .l4_len = 8 },
	{ "IPv6 with a chain of extension headers",
	  BYTES(IPV6(IPPROTO_HOPOPTS), HOPOPTS_LONG(IPPROTO_ROUTING), ROUTING(IPPROTO_DSTOPTS), DSTOPTS(IPPROTO_AH),
		AUTH(IPPROTO_TCP), PORTS, TCP_REST(0x02)),
	  .need = 104, .proto = IPPROTO_TCP, .ports = true, .thoff = 84, .l4_len = 20, .tcp_flags = 0x02 },
	/* Fragments are put together before; a first one that comes along all the same has all headers. */
	{ "first fragment of IPv4", BYTES(IPV4(5, 0x2000, IPPROTO_UDP), PORTS, UDP_REST), .need = 28,
	  .proto = IPPROTO_UDP, .ports = true, .thoff = 20, .l4_len = 8 },
	{ "later fragment of IPv4", BYTES(IPV4(5, 0x0001, IPPROTO_UDP), PORTS, UDP_REST), .ret = -EPROTONOSUPPORT,
	  .need = 20 },
	{ "first fragment of IPv6", BYTES(IPV6(IPPROTO_FRAGMENT), FRAGMENT(IPPROTO_UDP, 1), PORTS, UDP_REST),
	  .need = 56, .proto = IPPROTO_UDP, .ports = true, .thoff = 48, .l4_len = 8 },
	{ "later fragment of IPv6", BYTES(IPV6(IPPROTO_FRAGMENT), FRAGMENT(IPPROTO_UDP, 0x0008), PORTS, UDP_REST),
	  .ret = -EPROTONOSUPPORT, .need = 44 },
	{ "ESP over IPv4", BYTES(IPV4(5, 0, IPPROTO_ESP), PORTS, UDP_REST), .ret = -EPROTONOSUPPORT, .need = 20 },
	{ "ESP over IPv6", BYTES(IPV6(IPPROTO_ESP), PORTS, UDP_REST), .ret = -EPROTONOSUPPORT, .need = 40 },
	{ "nothing over IPv6", BYTES(IPV6(IPPROTO_NONE), PORTS), .ret = -EINVAL, .need = 48 },
	{ "IPv4 of another version", BYTES(0x35, 0, B16(40), 0, 1, 0, 0, 64, 6, 0, 0, A4(1), A4(2), PORTS,
					   TCP_REST(2)),
	  .ret = -EINVAL, .need = 40 },
	{ "IPv4 with a header that is too short", BYTES(IPV4(4, 0, IPPROTO_TCP), PORTS, TCP_REST(2)), .ret = -EINVAL,
	  .need = 40 },
	{ "IPv4 with options beyond its end", BYTES(IPV4(15, 0, IPPROTO_UDP), NOPS4, PORTS, UDP_REST),
	  .ret = -EINVAL, .need = 32 },
	{ "echo request over IPv4", BYTES(IPV4(5, 0, IPPROTO_ICMP), ICMP(8, 0)), .need = 28, .proto = IPPROTO_ICMP,
	  .is_echo = true, .thoff = 20 },
	{ "echo request over IPv6", BYTES(IPV6(IPPROTO_ICMPV6), ICMP(128, 0)), .need = 48, .proto = IPPROTO_ICMPV6,
	  .is_echo = true, .thoff = 40 },
	{ "echo reply over IPv4", BYTES(IPV4(5, 0, IPPROTO_ICMP), ICMP(0, 0)), .ret = -EPROTONOSUPPORT, .need = 28 },
	{ "neighbour solicitation", BYTES(IPV6(IPPROTO_ICMPV6), ICMP(135, 0)), .ret = -EPROTONOSUPPORT,
	  .need = 48 },
	{ "redirect over IPv4", BYTES(IPV4(5, 0, IPPROTO_ICMP), ICMP(5, 0), IPV4_QUOTED(5, 0, IPPROTO_TCP),
				      PORTS_QUOTED, TCP_REST(2)),
	  .ret = -EPROTONOSUPPORT, .need = 28 },
	{ "ICMP over IPv6", BYTES(IPV6(IPPROTO_ICMP), ICMP(8, 0)), .ret = -EPROTONOSUPPORT, .need = 40 },
	{ "ICMPv6 over IPv4", BYTES(IPV4(5, 0, IPPROTO_ICMPV6), ICMP(128, 0)), .ret = -EPROTONOSUPPORT, .need = 20 },
	{ "unreachable about TCP, all of its header quoted",
	  BYTES(IPV4(5, 0, IPPROTO_ICMP), ICMP(3, 4), IPV4_QUOTED(5, 0, IPPROTO_TCP), PORTS_QUOTED, TCP_REST(0x10)),
	  .need = 68, .proto = IPPROTO_TCP, .ports = true, .quoted = true, .thoff = 48, .l4_len = 20,
	  .outer_thoff = 20, .inner_off = 28, .tcp_flags = 0x10 },
	{ "unreachable about TCP, eight bytes quoted",
	  BYTES(IPV4(5, 0, IPPROTO_ICMP), ICMP(3, 1), IPV4_QUOTED(5, 0, IPPROTO_TCP), PORTS_QUOTED, 0, 0, 0, 1),
	  .need = 56, .proto = IPPROTO_TCP, .ports = true, .quoted = true, .thoff = 48, .l4_len = 8,
	  .outer_thoff = 20, .inner_off = 28 },
	{ "time exceeded about UDP, both with options",
	  BYTES(IPV4(6, 0, IPPROTO_ICMP), NOPS4, ICMP(11, 0), IPV4_QUOTED(6, 0, IPPROTO_UDP), NOPS4, PORTS_QUOTED,
		UDP_REST),
	  .need = 64, .proto = IPPROTO_UDP, .ports = true, .quoted = true, .thoff = 56, .l4_len = 8,
	  .outer_thoff = 24, .inner_off = 32 },
	{ "parameter problem about SCTP",
	  BYTES(IPV4(5, 0, IPPROTO_ICMP), ICMP(12, 0), IPV4_QUOTED(5, 0, IPPROTO_SCTP), PORTS_QUOTED, SCTP_REST),
	  .need = 60, .proto = IPPROTO_SCTP, .ports = true, .quoted = true, .thoff = 48, .l4_len = 12,
	  .outer_thoff = 20, .inner_off = 28 },
	{ "unreachable about a later fragment",
	  BYTES(IPV4(5, 0, IPPROTO_ICMP), ICMP(3, 1), IPV4_QUOTED(5, 2, IPPROTO_UDP), PORTS_QUOTED, UDP_REST),
	  .ret = -EPROTONOSUPPORT, .need = 48 },
	{ "unreachable about an echo request",
	  BYTES(IPV4(5, 0, IPPROTO_ICMP), ICMP(3, 1), IPV4_QUOTED(5, 0, IPPROTO_ICMP), ICMP(8, 0)),
	  .ret = -EPROTONOSUPPORT, .need = 48 },
	{ "unreachable about what is not IPv4",
	  BYTES(IPV4(5, 0, IPPROTO_ICMP), ICMP(3, 1), IPV6_QUOTED(IPPROTO_UDP), PORTS_QUOTED, UDP_REST),
	  .ret = -EINVAL, .need = 76 },
	{ "unreachable in a later fragment",
	  BYTES(IPV4(5, 5, IPPROTO_ICMP), ICMP(3, 1), IPV4_QUOTED(5, 0, IPPROTO_UDP), PORTS_QUOTED, UDP_REST),
	  .ret = -EPROTONOSUPPORT, .need = 20 },
	{ "packet too big about TCP",
	  BYTES(IPV6(IPPROTO_ICMPV6), ICMP(2, 0), IPV6_QUOTED(IPPROTO_TCP), PORTS_QUOTED, TCP_REST(0x10)),
	  .need = 108, .proto = IPPROTO_TCP, .ports = true, .quoted = true, .thoff = 88, .l4_len = 20,
	  .outer_thoff = 40, .inner_off = 48, .tcp_flags = 0x10 },
	{ "unreachable about UDP behind destination options",
	  BYTES(IPV6(IPPROTO_DSTOPTS), DSTOPTS(IPPROTO_ICMPV6), ICMP(1, 4), IPV6_QUOTED(IPPROTO_DSTOPTS),
		DSTOPTS(IPPROTO_UDP), PORTS_QUOTED, UDP_REST),
	  .need = 112, .proto = IPPROTO_UDP, .ports = true, .quoted = true, .thoff = 104, .l4_len = 8,
	  .outer_thoff = 48, .inner_off = 56 },
	{ "ICMPv6 error of a kind yet unknown",
	  BYTES(IPV6(IPPROTO_ICMPV6), ICMP(100, 0), IPV6_QUOTED(IPPROTO_UDP), PORTS_QUOTED, UDP_REST), .need = 96,
	  .proto = IPPROTO_UDP, .ports = true, .quoted = true, .thoff = 88, .l4_len = 8, .outer_thoff = 40,
	  .inner_off = 48 },
};

KUNIT_ARRAY_PARAM_DESC(packet, packet_cases, name);

static u8 family_of(const struct packet_case *c)
{
	/* That of another version is handed to IPv4 as well. */
	return c->bytes[0] >> 4 == 6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
}

static void expected_tuple(const struct packet_case *c, struct kserv_tuple *tuple)
{
	const u8 addr4[2][4] = { { A4(1) }, { A4(2) } }, addr6[2][16] = { { A6(1) }, { A6(2) } };

	memset(tuple, 0, sizeof(*tuple));
	tuple->family = family_of(c);
	tuple->proto = c->proto;
	if (tuple->family == NFPROTO_IPV4) {
		memcpy(&tuple->src, addr4[c->quoted], 4);
		memcpy(&tuple->dst, addr4[!c->quoted], 4);
	} else {
		memcpy(&tuple->src, addr6[c->quoted], 16);
		memcpy(&tuple->dst, addr6[!c->quoted], 16);
	}
	if (c->ports) {
		tuple->sport = htons(c->quoted ? 80 : 0x1234);
		tuple->dport = htons(c->quoted ? 0x1234 : 80);
	}
}

static void expect_read(struct kunit *test, const struct packet_case *c, const struct kserv_packet *packet)
{
	struct kserv_tuple tuple;

	expected_tuple(c, &tuple);
	KUNIT_EXPECT_MEMEQ(test, &packet->tuple, &tuple, sizeof(tuple));
	KUNIT_EXPECT_EQ(test, packet->thoff, c->thoff);
	KUNIT_EXPECT_EQ(test, packet->l4_len, c->l4_len);
	KUNIT_EXPECT_EQ(test, packet->outer_thoff, c->outer_thoff);
	KUNIT_EXPECT_EQ(test, packet->inner_off, c->inner_off);
	KUNIT_EXPECT_EQ(test, packet->is_error, c->quoted);
	KUNIT_EXPECT_EQ(test, packet->is_echo, c->is_echo);
	KUNIT_EXPECT_EQ(test, packet->tcp_flags, c->tcp_flags);
	KUNIT_EXPECT_FALSE(test, packet->fragment);
}

/* Parse the first @len bytes, @linear of them in the linear part, with rubbish in the result beforehand. */
static int parse_part(struct kunit *test, const struct packet_case *c, unsigned int len, unsigned int linear,
		      struct kserv_packet *packet)
{
	struct sk_buff *skb = wire_skb(test, c->bytes, len, linear);
	int ret;

	memset(packet, 0xa5, sizeof(*packet));
	ret = kserv_packet_parse(skb, family_of(c), packet);
	kfree_skb(skb);
	return ret;
}

static void reads_packets(struct kunit *test)
{
	const struct packet_case *c = test->param_value;
	struct kserv_packet packet;

	KUNIT_EXPECT_EQ(test, parse_part(test, c, c->len, WIRE_LINEAR, &packet), c->ret);
	if (!c->ret)
		expect_read(test, c, &packet);
}

static void reads_packets_however_they_lie_in_memory(struct kunit *test)
{
	const struct packet_case *c = test->param_value;
	struct kserv_packet whole, packet;
	unsigned int linear;

	parse_part(test, c, c->len, WIRE_LINEAR, &whole);
	for (linear = 0; linear <= c->len; linear++) {
		KUNIT_EXPECT_EQ_MSG(test, parse_part(test, c, c->len, linear, &packet), c->ret, "%u bytes linear",
				    linear);
		if (!c->ret)
			KUNIT_EXPECT_MEMEQ(test, &packet, &whole, offsetofend(struct kserv_packet, tcp_flags));
	}
}

/* Errors may quote less than a whole TCP header; everything else that is cut off is refused. */
static int expected_of_part(const struct packet_case *c, unsigned int len)
{
	unsigned int need = c->need;

	if (c->quoted && c->l4_len > INNER_L4_MIN)
		need = c->thoff + INNER_L4_MIN;
	return len < need ? -EINVAL : c->ret;
}

static void refuses_what_is_cut_off(struct kunit *test)
{
	const struct packet_case *c = test->param_value;
	struct kserv_packet packet;
	unsigned int len, linear;

	for (len = 0; len < c->len; len++)
		for (linear = 0; linear <= len; linear += 19)
			KUNIT_EXPECT_EQ_MSG(test, parse_part(test, c, len, linear, &packet), expected_of_part(c, len),
					    "%u bytes, %u of them linear", len, linear);
}

/* Nobody's packet brings it off its feet: the sanitizers look on. */
static void survives_random_bytes(struct kunit *test)
{
	struct kserv_packet packet;
	struct rnd_state rnd;
	u8 bytes[128];
	int i, ret;

	prandom_seed_state(&rnd, 6);
	for (i = 0; i < 20000; i++) {
		unsigned int len = prandom_u32_state(&rnd) % sizeof(bytes);
		u8 family = i & 1 ? NFPROTO_IPV6 : NFPROTO_IPV4;
		static const u8 protos[] = { 0, 1, 6, 17, 43, 44, 51, 58, 60, 132 };
		struct sk_buff *skb;

		prandom_bytes_state(&rnd, bytes, sizeof(bytes));
		/* Some of it makes sense, so that it goes deep. */
		bytes[0] = family == NFPROTO_IPV4 ? 0x45 + (bytes[0] & 1) : 0x60;
		bytes[6] = protos[bytes[7] % ARRAY_SIZE(protos)];
		bytes[9] = bytes[6];
		bytes[40] = protos[bytes[8] % ARRAY_SIZE(protos)];
		bytes[41] &= 1;
		bytes[20] = bytes[40];
		skb = wire_skb(test, bytes, len, prandom_u32_state(&rnd) % (len + 1));
		ret = kserv_packet_parse(skb, family, &packet);
		if (ret != -EPROTONOSUPPORT && ret != -EINVAL) {
			KUNIT_ASSERT_EQ(test, ret, 0);
			KUNIT_ASSERT_LE(test, packet.thoff + packet.l4_len, len);
		}
		kfree_skb(skb);
	}
}

static void inverts_tuples(struct kunit *test)
{
	struct kserv_tuple tuple, inverse;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 1);
	wire_random_tuple(&tuple, &rnd, NFPROTO_IPV6, IPPROTO_TCP);
	inverse = kserv_tuple_inverse(&tuple);
	KUNIT_EXPECT_MEMEQ(test, &inverse.src, &tuple.dst, sizeof(tuple.dst));
	KUNIT_EXPECT_MEMEQ(test, &inverse.dst, &tuple.src, sizeof(tuple.src));
	KUNIT_EXPECT_EQ(test, inverse.sport, tuple.dport);
	KUNIT_EXPECT_EQ(test, inverse.dport, tuple.sport);
	inverse = kserv_tuple_inverse(&inverse);
	KUNIT_EXPECT_TRUE(test, kserv_tuple_equal(&inverse, &tuple));
}

static struct kunit_case packet_kunit_cases[] = {
	KUNIT_CASE_PARAM(reads_packets, packet_gen_params),
	KUNIT_CASE_PARAM(reads_packets_however_they_lie_in_memory, packet_gen_params),
	KUNIT_CASE_PARAM(refuses_what_is_cut_off, packet_gen_params),
	KUNIT_CASE(survives_random_bytes),
	KUNIT_CASE(inverts_tuples),
	{}
};

static struct kunit_suite packet_kunit_suite = {
	.name = "kserv_packet",
	.test_cases = packet_kunit_cases,
};

kunit_test_suite(packet_kunit_suite);
