// SPDX-License-Identifier: GPL-2.0
/* Rewritten packets are held against the same packets written out anew with the other addresses. */
#include <linux/icmp.h>
#include <linux/icmpv6.h>

#include "../../kmod/nat.c"
#include "wire.h"
#include "world.h"

#define ROUNDS 1000

/* Bytes of a transport header that an error quotes at least. */
#define QUOTED_MIN 8

/* What is known of a packet's checksum when it comes by. */
enum sum_state {
	STATE_NONE,
	STATE_UNNECESSARY,
	STATE_COMPLETE,
	STATE_PARTIAL,
	STATE_GSO,
	N_STATES
};

static const char *const state_names[] = { "none", "unnecessary", "complete", "partial", "gso" };

struct nat_case {
	u8 family;
	u8 proto;
	const char *name;
};

static const struct nat_case nat_cases[] = {
	{ NFPROTO_IPV4, IPPROTO_TCP, "TCP over IPv4" },
	{ NFPROTO_IPV4, IPPROTO_UDP, "UDP over IPv4" },
	{ NFPROTO_IPV4, IPPROTO_SCTP, "SCTP over IPv4" },
	{ NFPROTO_IPV6, IPPROTO_TCP, "TCP over IPv6" },
	{ NFPROTO_IPV6, IPPROTO_UDP, "UDP over IPv6" },
	{ NFPROTO_IPV6, IPPROTO_SCTP, "SCTP over IPv6" },
};

KUNIT_ARRAY_PARAM_DESC(nat, nat_cases, name);

/**
 * struct trial - one packet and the rewrite that is tried on it
 * @wrong: what is added to a right checksum to make it wrong, or 0
 * @bytes: as it comes; @expected: as it is to be
 */
struct trial {
	struct wire from, to;
	enum sum_state state;
	u16 wrong;
	u8 bytes[WIRE_MAX], expected[WIRE_MAX], actual[WIRE_MAX];
	struct wire_layout layout;
	struct sk_buff *skb;
	struct kserv_packet packet;
	struct kserv_nat nat;
};

static bool is_offloaded(const struct trial *trial)
{
	return trial->state == STATE_PARTIAL || trial->state == STATE_GSO;
}

/* What a transport header holds when a device is to finish its checksum. */
static void write_partial(const struct wire *wire, u8 *packet, const struct wire_layout *layout)
{
	if (wire->tuple.proto == IPPROTO_SCTP)
		memset(packet + layout->check, 0, 4);
	else
		wire_put16(packet + layout->check,
			   wire_pseudo_sum(packet, layout->thoff, layout->len, wire->tuple.proto));
}

static u16 sum16_add(u16 a, u16 b)
{
	u32 sum = a + b;

	return (sum & 0xffff) + (sum >> 16);
}

/* A wrong checksum of 0 would be none at all in UDP. */
static void make_wrong(const struct trial *trial, u8 *packet)
{
	u8 *check = packet + trial->layout.check;
	u16 sum;

	if (!trial->wrong || (trial->from.tuple.proto == IPPROTO_UDP && trial->from.udp_unchecked))
		return;
	if (trial->from.tuple.proto == IPPROTO_SCTP) {
		check[1] ^= trial->wrong;
		return;
	}
	sum = wire_normal(sum16_add(wire_get16(check), trial->wrong));
	if (trial->from.tuple.proto == IPPROTO_UDP && !sum)
		sum = 0xffff;
	wire_put16(check, sum);
}

static void write_packet(const struct trial *trial, const struct wire *wire, u8 *to)
{
	struct wire_layout layout = wire_write(wire, to);

	if (is_offloaded(trial))
		write_partial(wire, to, &layout);
	else
		make_wrong(trial, to);
}

/* Wrong SCTP checksums are not carried along by their difference: they stay as they are. */
static void write_expected(struct trial *trial)
{
	write_packet(trial, &trial->to, trial->expected);
	if (trial->wrong && trial->from.tuple.proto == IPPROTO_SCTP && !is_offloaded(trial))
		memcpy(trial->expected + trial->layout.check, trial->bytes + trial->layout.check, 4);
}

static void set_state(struct trial *trial)
{
	struct sk_buff *skb = trial->skb;

	switch (trial->state) {
	case STATE_NONE:
		skb->ip_summed = CHECKSUM_NONE;
		break;
	case STATE_UNNECESSARY:
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		break;
	case STATE_COMPLETE:
		skb->ip_summed = CHECKSUM_COMPLETE;
		skb->csum = skb_checksum(skb, 0, skb->len, 0);
		break;
	case STATE_GSO:
		skb_shinfo(skb)->gso_size = 100;
		skb_shinfo(skb)->gso_type = SKB_GSO_TCPV4;
		fallthrough;
	default:
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) + trial->layout.thoff;
		skb->csum_offset = trial->layout.check - trial->layout.thoff;
		break;
	}
}

/* A packet in @state, lying in memory somehow, and where it is to go. */
static void trial_begin(struct kunit *test, struct trial *trial, const struct nat_case *c, struct rnd_state *rnd,
			enum sum_state state, bool wrong)
{
	unsigned int linear = WIRE_LINEAR;

	trial->state = state;
	trial->wrong = wrong ? 1 + prandom_u32_state(rnd) % 200 : 0;
	wire_random(&trial->from, rnd, c->family, c->proto);
	/* Without a checksum nothing is left to a device. */
	trial->from.udp_unchecked = c->proto == IPPROTO_UDP && !is_offloaded(trial) && !(prandom_u32_state(rnd) % 4);
	trial->to = trial->from;
	wire_random_tuple(&trial->to.tuple, rnd, c->family, c->proto);
	trial->layout = wire_layout(&trial->from);
	write_packet(trial, &trial->from, trial->bytes);
	write_expected(trial);
	if (prandom_u32_state(rnd) & 1)
		linear = prandom_u32_state(rnd) % trial->layout.len;
	trial->skb = wire_skb(test, trial->bytes, trial->layout.len, linear);
	set_state(trial);
	KUNIT_ASSERT_EQ(test, kserv_packet_parse(trial->skb, c->family, &trial->packet), 0);
	kserv_nat_prepare(&trial->nat, &trial->from.tuple, &trial->to.tuple);
}

static bool is_unchecked(const struct trial *trial)
{
	return trial->from.tuple.proto == IPPROTO_UDP && trial->from.udp_unchecked;
}

/* Both zeros of a sum that a device is to go on from mean the same. */
static void normalize(const struct trial *trial, u8 *packet)
{
	u8 *check = packet + trial->layout.check;

	if (is_offloaded(trial) && trial->from.tuple.proto != IPPROTO_SCTP)
		wire_put16(check, wire_normal(wire_get16(check)));
}

static void expect_bytes(struct kunit *test, struct trial *trial, const u8 *bytes)
{
	u8 expected[WIRE_MAX];

	memcpy(expected, bytes, trial->layout.len);
	KUNIT_ASSERT_EQ(test, wire_read(test, trial->skb, trial->actual), trial->layout.len);
	normalize(trial, expected);
	normalize(trial, trial->actual);
	KUNIT_ASSERT_MEMEQ_MSG(test, trial->actual, expected, trial->layout.len, "checksum %s, %s",
			       state_names[trial->state], trial->wrong ? "wrong" : "right");
}

/* What is said of the sum must be true. */
static void expect_true_state(struct kunit *test, const struct trial *trial)
{
	struct sk_buff *skb = trial->skb;
	u16 stated, real;

	if (skb->ip_summed == CHECKSUM_COMPLETE && trial->from.tuple.proto != IPPROTO_SCTP) {
		stated = (__force u16)csum_fold(skb->csum);
		real = (__force u16)csum_fold(skb_checksum(skb, 0, skb->len, 0));
		KUNIT_ASSERT_EQ(test, wire_normal(stated), wire_normal(real));
	}
	if (is_offloaded(trial)) {
		KUNIT_ASSERT_EQ(test, (int)skb->ip_summed, CHECKSUM_PARTIAL);
		KUNIT_ASSERT_EQ(test, skb_checksum_start_offset(skb), trial->layout.thoff);
	}
	if (trial->state == STATE_GSO)
		KUNIT_ASSERT_EQ(test, skb_shinfo(skb)->gso_size, 100);
	/* What nobody has looked at yet is not called right, but for SCTP, where looking is needed anyway. */
	if (trial->state == STATE_NONE && (trial->from.tuple.proto != IPPROTO_SCTP || trial->wrong))
		KUNIT_ASSERT_EQ(test, (int)skb->ip_summed, CHECKSUM_NONE);
}

static void rewrites_as_written_anew(struct kunit *test)
{
	struct trial *trial = kunit_kzalloc(test, sizeof(*trial), GFP_KERNEL);
	struct rnd_state rnd;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, trial);
	prandom_seed_state(&rnd, 1);
	for (i = 0; i < ROUNDS; i++) {
		trial_begin(test, trial, test->param_value, &rnd, i % N_STATES, false);
		KUNIT_ASSERT_EQ(test, kserv_nat_rewrite(trial->skb, &trial->packet, &trial->nat), 0);
		expect_bytes(test, trial, trial->expected);
		expect_true_state(test, trial);
		kfree_skb(trial->skb);
	}
}

/* A damaged packet must not arrive as a sound one. What a device has called right is not asked again. */
static void leaves_wrong_checksums_wrong(struct kunit *test)
{
	static const enum sum_state states[] = { STATE_NONE, STATE_COMPLETE };
	struct trial *trial = kunit_kzalloc(test, sizeof(*trial), GFP_KERNEL);
	struct rnd_state rnd;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, trial);
	prandom_seed_state(&rnd, 2);
	for (i = 0; i < ROUNDS; i++) {
		trial_begin(test, trial, test->param_value, &rnd, states[i & 1], true);
		KUNIT_ASSERT_EQ(test, kserv_nat_rewrite(trial->skb, &trial->packet, &trial->nat), 0);
		expect_bytes(test, trial, trial->expected);
		expect_true_state(test, trial);
		kfree_skb(trial->skb);
	}
}

static void there_and_back_changes_nothing(struct kunit *test)
{
	const struct nat_case *c = test->param_value;
	struct trial *trial = kunit_kzalloc(test, sizeof(*trial), GFP_KERNEL);
	struct kserv_packet packet;
	struct rnd_state rnd;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, trial);
	prandom_seed_state(&rnd, 3);
	for (i = 0; i < ROUNDS; i++) {
		trial_begin(test, trial, c, &rnd, i % N_STATES, i & 8 && i % N_STATES != STATE_UNNECESSARY);
		KUNIT_ASSERT_EQ(test, kserv_nat_rewrite(trial->skb, &trial->packet, &trial->nat), 0);
		KUNIT_ASSERT_EQ(test, kserv_packet_parse(trial->skb, c->family, &packet), 0);
		KUNIT_ASSERT_MEMEQ(test, &packet.tuple, &trial->to.tuple, sizeof(packet.tuple));
		kserv_nat_prepare(&trial->nat, &trial->to.tuple, &trial->from.tuple);
		KUNIT_ASSERT_EQ(test, kserv_nat_rewrite(trial->skb, &packet, &trial->nat), 0);
		expect_bytes(test, trial, trial->bytes);
		expect_true_state(test, trial);
		kfree_skb(trial->skb);
	}
}

/* tcpdump, a retransmission queue or the other ports of a bridge hold the same bytes. */
static void leaves_other_holders_of_the_packet_alone(struct kunit *test)
{
	struct trial *trial = kunit_kzalloc(test, sizeof(*trial), GFP_KERNEL);
	struct sk_buff *clone;
	struct rnd_state rnd;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, trial);
	prandom_seed_state(&rnd, 4);
	for (i = 0; i < ROUNDS / 10; i++) {
		trial_begin(test, trial, test->param_value, &rnd, i % N_STATES, false);
		clone = skb_clone(trial->skb, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, clone);
		KUNIT_ASSERT_EQ(test, kserv_nat_rewrite(trial->skb, &trial->packet, &trial->nat), 0);
		expect_bytes(test, trial, trial->expected);
		KUNIT_ASSERT_EQ(test, wire_read(test, clone, trial->actual), trial->layout.len);
		KUNIT_ASSERT_MEMEQ(test, trial->actual, trial->bytes, trial->layout.len);
		kfree_skb(clone);
		kfree_skb(trial->skb);
	}
}

/* A packet that cannot be made writable is left as it is. */
static void changes_nothing_without_memory(struct kunit *test)
{
	struct trial *trial = kunit_kzalloc(test, sizeof(*trial), GFP_KERNEL);
	struct sk_buff *clone;
	struct rnd_state rnd;
	int i, ret;

	KUNIT_ASSERT_NOT_NULL(test, trial);
	prandom_seed_state(&rnd, 9);
	for (i = 0; i < ROUNDS / 10; i++) {
		trial_begin(test, trial, test->param_value, &rnd, i % N_STATES, false);
		clone = skb_clone(trial->skb, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, clone);
		world_fail_alloc(1);
		ret = kserv_nat_rewrite(trial->skb, &trial->packet, &trial->nat);
		KUNIT_ASSERT_TRUE(test, world_alloc_failed(1));
		KUNIT_ASSERT_EQ(test, ret, -ENOMEM);
		expect_bytes(test, trial, trial->bytes);
		expect_true_state(test, trial);
		kfree_skb(clone);
		kfree_skb(trial->skb);
	}
}

static void keeps_unchecked_udp_unchecked(struct kunit *test)
{
	const struct nat_case *c = test->param_value;
	struct trial *trial = kunit_kzalloc(test, sizeof(*trial), GFP_KERNEL);
	struct rnd_state rnd;
	int i, unchecked = 0;

	if (c->proto != IPPROTO_UDP)
		kunit_skip(test, "only UDP may go without a checksum");
	KUNIT_ASSERT_NOT_NULL(test, trial);
	prandom_seed_state(&rnd, 5);
	for (i = 0; i < ROUNDS / 10; i++) {
		trial_begin(test, trial, c, &rnd, i % STATE_PARTIAL, false);
		KUNIT_ASSERT_EQ(test, kserv_nat_rewrite(trial->skb, &trial->packet, &trial->nat), 0);
		KUNIT_ASSERT_EQ(test, wire_read(test, trial->skb, trial->actual), trial->layout.len);
		KUNIT_ASSERT_EQ(test, !wire_get16(trial->actual + trial->layout.check), is_unchecked(trial));
		unchecked += is_unchecked(trial);
		kfree_skb(trial->skb);
	}
	KUNIT_EXPECT_GT(test, unchecked, 10);
}

/**
 * struct error_trial - an ICMP error and what its receiver is to see
 * @inner: the packet that it is about; @view: that packet as the receiver knows it
 * @quoted: bytes of it in the error
 */
struct error_trial {
	struct wire inner, view;
	unsigned int quoted;
	union nf_inet_addr src, dst, view_src, view_dst;
	u8 bytes[WIRE_MAX], expected[WIRE_MAX], actual[WIRE_MAX];
	unsigned int len;
};

/* The outer header and that of ICMP; what they stand before is there already. */
static unsigned int write_error_headers(u8 family, const union nf_inet_addr *src, const union nf_inet_addr *dst,
					unsigned int quoted, u8 *to)
{
	unsigned int header = family == NFPROTO_IPV4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	unsigned int len = header + 8 + quoted;
	u32 pseudo = 0;

	memset(to, 0, header + 8);
	if (family == NFPROTO_IPV4) {
		to[0] = 0x45;
		wire_put16(to + 2, len);
		to[8] = 64;
		to[9] = IPPROTO_ICMP;
		memcpy(to + 12, &src->ip, 4);
		memcpy(to + 16, &dst->ip, 4);
		wire_put16(to + 10, ~wire_sum(to, header, 0));
		to[header] = ICMP_DEST_UNREACH;
		to[header + 1] = ICMP_FRAG_NEEDED;
	} else {
		to[0] = 0x60;
		wire_put16(to + 4, 8 + quoted);
		to[6] = IPPROTO_ICMPV6;
		to[7] = 64;
		memcpy(to + 8, src, 16);
		memcpy(to + 24, dst, 16);
		to[header] = ICMPV6_PKT_TOOBIG;
		pseudo = wire_pseudo_sum(to, header, len, IPPROTO_ICMPV6);
	}
	/* The path MTU. */
	wire_put16(to + header + 6, 1400);
	wire_put16(to + header + 2, ~wire_sum(to + header, 8 + quoted, pseudo));
	return len;
}

static unsigned int write_error(u8 family, const union nf_inet_addr *src, const union nf_inet_addr *dst,
				const struct wire *inner, unsigned int quoted, u8 *to)
{
	unsigned int headers = (family == NFPROTO_IPV4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) + 8;
	u8 packet[WIRE_MAX];

	wire_write(inner, packet);
	memcpy(to + headers, packet, quoted);
	return write_error_headers(family, src, dst, quoted, to);
}

/* The CRC of the quoted packet cannot follow: its end is not there. */
static void restore_inner_crc(struct error_trial *trial, const struct wire_layout *layout)
{
	unsigned int headers = trial->len - trial->quoted, end = min(layout->check + 4, trial->quoted);
	u8 family = trial->inner.tuple.family;

	if (trial->inner.tuple.proto != IPPROTO_SCTP || layout->check >= trial->quoted)
		return;
	memcpy(trial->expected + headers + layout->check, trial->bytes + headers + layout->check,
	       end - layout->check);
	write_error_headers(family, &trial->view_src, &trial->view_dst, trial->quoted, trial->expected);
}

/*
 * The error is about a packet from A to B, which its sender knows as one from A' to B'. It comes from B, or from a
 * router on the way, and goes to A.
 */
static void error_begin(struct error_trial *trial, const struct nat_case *c, struct rnd_state *rnd)
{
	struct wire_layout layout;
	struct kserv_tuple other;

	wire_random(&trial->inner, rnd, c->family, c->proto);
	trial->inner.udp_unchecked = c->proto == IPPROTO_UDP && !(prandom_u32_state(rnd) % 4);
	trial->view = trial->inner;
	wire_random_tuple(&trial->view.tuple, rnd, c->family, c->proto);
	layout = wire_layout(&trial->inner);
	trial->quoted = layout.thoff + QUOTED_MIN;
	trial->quoted += prandom_u32_state(rnd) % (layout.len - trial->quoted + 1);
	/* Half a checksum cannot follow. */
	if (c->proto == IPPROTO_TCP && trial->quoted == layout.check + 1)
		trial->quoted++;

	wire_random_tuple(&other, rnd, c->family, c->proto);
	trial->dst = trial->inner.tuple.src;
	trial->view_dst = trial->view.tuple.src;
	if (prandom_u32_state(rnd) & 1) {
		trial->src = trial->inner.tuple.dst;
		trial->view_src = trial->view.tuple.dst;
	} else {
		trial->src = other.src;
		trial->view_src = other.src;
	}
	if (kserv_addr_equal(&trial->src, &trial->inner.tuple.dst))
		trial->view_src = trial->view.tuple.dst;
	trial->len = write_error(c->family, &trial->src, &trial->dst, &trial->inner, trial->quoted, trial->bytes);
	write_error(c->family, &trial->view_src, &trial->view_dst, &trial->view, trial->quoted, trial->expected);
	restore_inner_crc(trial, &layout);
}

/* The network header is in the linear part: what receives packets sees to that. */
static struct sk_buff *error_skb(struct kunit *test, struct error_trial *trial, struct rnd_state *rnd)
{
	unsigned int linear = prandom_u32_state(rnd) & 1 ? WIRE_LINEAR : prandom_u32_state(rnd) % trial->len;
	struct sk_buff *skb = wire_skb(test, trial->bytes, trial->len, max_t(unsigned int, linear, 40));

	switch (prandom_u32_state(rnd) % 3) {
	case 0:
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		break;
	case 1:
		skb->ip_summed = CHECKSUM_COMPLETE;
		skb->csum = skb_checksum(skb, 0, skb->len, 0);
		break;
	}
	return skb;
}

static int rewrite_error(struct kunit *test, struct error_trial *trial, struct sk_buff *skb)
{
	struct kserv_tuple from = kserv_tuple_inverse(&trial->inner.tuple);
	struct kserv_tuple to = kserv_tuple_inverse(&trial->view.tuple);
	struct kserv_packet packet;

	KUNIT_ASSERT_EQ(test, kserv_packet_parse(skb, from.family, &packet), 0);
	KUNIT_ASSERT_TRUE(test, packet.is_error);
	KUNIT_ASSERT_TRUE(test, kserv_tuple_equal(&packet.tuple, &trial->inner.tuple));
	return kserv_nat_rewrite_error(skb, &packet, &from, &to);
}

static void rewrites_errors_as_written_anew(struct kunit *test)
{
	struct error_trial *trial = kunit_kzalloc(test, sizeof(*trial), GFP_KERNEL);
	struct rnd_state rnd;
	struct sk_buff *skb;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, trial);
	prandom_seed_state(&rnd, 7);
	for (i = 0; i < ROUNDS; i++) {
		error_begin(trial, test->param_value, &rnd);
		skb = error_skb(test, trial, &rnd);
		KUNIT_ASSERT_EQ(test, rewrite_error(test, trial, skb), 0);
		KUNIT_ASSERT_EQ(test, wire_read(test, skb, trial->actual), trial->len);
		KUNIT_ASSERT_MEMEQ_MSG(test, trial->actual, trial->expected, trial->len, "%u bytes quoted",
				       trial->quoted);
		if (skb->ip_summed == CHECKSUM_COMPLETE)
			KUNIT_ASSERT_EQ(test, wire_normal((__force u16)csum_fold(skb->csum)),
					wire_normal((__force u16)csum_fold(skb_checksum(skb, 0, skb->len, 0))));
		kfree_skb(skb);
	}
}

static void leaves_damaged_errors_alone(struct kunit *test)
{
	struct error_trial *trial = kunit_kzalloc(test, sizeof(*trial), GFP_KERNEL);
	struct rnd_state rnd;
	struct sk_buff *skb;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, trial);
	prandom_seed_state(&rnd, 8);
	for (i = 0; i < ROUNDS / 3; i++) {
		error_begin(trial, test->param_value, &rnd);
		/* The MTU: nothing that is looked at but for the checksum. */
		trial->bytes[trial->len - trial->quoted - 1] ^= 1 + prandom_u32_state(&rnd) % 255;
		skb = error_skb(test, trial, &rnd);
		/* As no device has called it right. */
		if (skb->ip_summed == CHECKSUM_UNNECESSARY)
			skb->ip_summed = CHECKSUM_NONE;
		KUNIT_ASSERT_EQ(test, rewrite_error(test, trial, skb), 0);
		KUNIT_ASSERT_EQ(test, wire_read(test, skb, trial->actual), trial->len);
		KUNIT_ASSERT_MEMEQ(test, trial->actual, trial->bytes, trial->len);
		kfree_skb(skb);
	}
}

static struct kunit_case nat_kunit_cases[] = {
	KUNIT_CASE_PARAM(rewrites_as_written_anew, nat_gen_params),
	KUNIT_CASE_PARAM(leaves_wrong_checksums_wrong, nat_gen_params),
	KUNIT_CASE_PARAM(there_and_back_changes_nothing, nat_gen_params),
	KUNIT_CASE_PARAM(leaves_other_holders_of_the_packet_alone, nat_gen_params),
	KUNIT_CASE_PARAM(changes_nothing_without_memory, nat_gen_params),
	KUNIT_CASE_PARAM(keeps_unchecked_udp_unchecked, nat_gen_params),
	KUNIT_CASE_PARAM(rewrites_errors_as_written_anew, nat_gen_params),
	KUNIT_CASE_PARAM(leaves_damaged_errors_alone, nat_gen_params),
	{}
};

static struct kunit_suite nat_kunit_suite = {
	.name = "kserv_nat",
	.test_cases = nat_kunit_cases,
};

kunit_test_suite(nat_kunit_suite);
