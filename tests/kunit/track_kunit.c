// SPDX-License-Identifier: GPL-2.0
/* What packets do to the state of their flow: whole conversations, segment by segment. */
#include "../../kmod/track.c"
#include "wire.h"
#include "tables.h"
#include "world.h"

#define FIN KSERV_TCP_FIN
#define SYN KSERV_TCP_SYN
#define RST KSERV_TCP_RST
#define ACK KSERV_TCP_ACK
#define ISN 1000000u

/* A segment, and what follows: what is to be done with it, and the flow's state afterwards. */
struct step {
	enum kserv_flow_dir dir;
	u8 flags;
	u32 seq;
	u32 ack;
	enum kserv_track track;
	u8 state;
};

struct talk {
	const char *name;
	struct step step[10];
};

#define NEW KSERV_FLOW_STATE_NEW
#define REPLIED KSERV_FLOW_STATE_REPLIED
#define ESTABLISHED KSERV_FLOW_STATE_ESTABLISHED
#define CLOSING KSERV_FLOW_STATE_CLOSING
#define CLOSED KSERV_FLOW_STATE_CLOSED
#define IN(flags, seq, track, state) { KSERV_DIR_IN, flags, seq, 0, KSERV_TRACK_##track, state }
#define OUT(flags, ack, track, state) { KSERV_DIR_OUT, flags, 0, ack, KSERV_TRACK_##track, state }
#define HANDSHAKE							\
	IN(SYN, ISN, GO, NEW),						\
	OUT(SYN | ACK, ISN + 1, GO, REPLIED),				\
	IN(ACK, ISN + 1, GO, ESTABLISHED)

/* A segment without flags ends the conversation. */
static const struct talk talks[] = {
	{ "opened, used and closed by both",
	  { HANDSHAKE, IN(ACK, ISN + 1, GO, ESTABLISHED), OUT(ACK, ISN + 9, GO, ESTABLISHED),
	    IN(FIN | ACK, ISN + 9, GO, CLOSING), OUT(FIN | ACK, ISN + 10, GO, CLOSING),
	    IN(ACK, ISN + 10, GO, CLOSING) } },
	{ "refused by the endpoint", { IN(SYN, ISN, GO, NEW), OUT(RST | ACK, ISN + 1, GO, CLOSED) } },
	{ "reset by the client", { HANDSHAKE, IN(RST, ISN + 1, GO, CLOSED) } },
	{ "reset by the endpoint", { HANDSHAKE, OUT(RST, 0, GO, CLOSED) } },
	{ "given up by the client before an answer", { IN(SYN, ISN, GO, NEW), IN(RST, ISN + 1, GO, CLOSED) } },
	{ "a SYN sent again moves", { IN(SYN, ISN, GO, NEW), IN(SYN, ISN, MOVE, NEW) } },
	{ "another SYN is another attempt",
	  { IN(SYN, ISN, GO, NEW), IN(SYN, ISN + 5000, GO, NEW), IN(SYN, ISN + 5000, MOVE, NEW) } },
	{ "a SYN sent again after its answer stays",
	  { IN(SYN, ISN, GO, NEW), OUT(SYN | ACK, ISN + 1, GO, REPLIED), IN(SYN, ISN, GO, REPLIED) } },
	{ "ports used again after closing",
	  { HANDSHAKE, IN(FIN | ACK, ISN + 1, GO, CLOSING), OUT(FIN | ACK, ISN + 2, GO, CLOSING),
	    IN(SYN, ISN + 70000, RENEW, CLOSING) } },
	{ "ports used again after a reset",
	  { HANDSHAKE, OUT(RST, 0, GO, CLOSED), IN(SYN, ISN + 70000, RENEW, CLOSED) } },
	/* RFC 5961: the endpoint has an older connection with the client. */
	{ "a challenge ACK belongs to another connection",
	  { IN(SYN, ISN, GO, NEW), OUT(ACK, 77, FOREIGN, NEW), OUT(SYN | ACK, ISN + 1, GO, REPLIED) } },
	{ "an answer to another SYN belongs to another connection",
	  { IN(SYN, ISN, GO, NEW), OUT(SYN | ACK, ISN, FOREIGN, NEW), OUT(RST | ACK, ISN + 70000, FOREIGN, NEW),
	    OUT(SYN | ACK, ISN + 1, GO, REPLIED) } },
	{ "data in a SYN may be acknowledged", { IN(SYN, ISN, GO, NEW), OUT(SYN | ACK, ISN + 1400, GO, REPLIED) } },
	{ "answers that take another way", { IN(SYN, ISN, GO, NEW), IN(ACK, ISN + 1, GO, ESTABLISHED) } },
	{ "sequence numbers that pass zero",
	  { IN(SYN, 0xffffffff, GO, NEW), OUT(SYN | ACK, 0, GO, REPLIED), IN(ACK, 0, GO, ESTABLISHED) } },
};

KUNIT_ARRAY_PARAM_DESC(talk, talks, name);

static struct kserv_flow *add(struct kunit *test, const struct world_service *s, u8 proto)
{
	struct kserv_tuple tuple = world_client(NFPROTO_IPV4, proto, 1, 7, 5000);
	struct kserv_flow *flow;

	world_packets_begin();
	flow = kserv_flow_add(test->priv, &tuple, s->choices->endpoint[0], tuple.sport, 0);
	world_packets_end();
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, flow);
	return flow;
}

static struct sk_buff *segment(struct kunit *test, const struct kserv_flow *flow, const struct step *step)
{
	struct wire wire = { .payload = 10, .tcp_flags = step->flags };
	u8 bytes[WIRE_MAX];
	__be32 seq = htonl(step->seq), ack = htonl(step->ack);
	struct wire_layout layout;

	wire.tuple = *kserv_flow_tuple(flow, step->dir == KSERV_DIR_IN ? KSERV_KEY_CLIENT : KSERV_KEY_ENDPOINT);
	layout = wire_write(&wire, bytes);
	if (wire.tuple.proto == IPPROTO_TCP) {
		memcpy(bytes + layout.thoff + 4, &seq, 4);
		memcpy(bytes + layout.thoff + 8, &ack, 4);
	}
	return wire_skb(test, bytes, layout.len, layout.thoff + step->seq % 8);
}

static enum kserv_track track(struct kunit *test, struct kserv_flow *flow, const struct step *step, bool *ret_settled)
{
	struct sk_buff *skb = segment(test, flow, step);
	struct kserv_packet packet;
	enum kserv_track answer;

	KUNIT_ASSERT_EQ(test, kserv_packet_parse(skb, NFPROTO_IPV4, &packet), 0);
	*ret_settled = false;
	world_packets_begin();
	answer = kserv_track_packet(test->priv, flow, step->dir, skb, &packet, ret_settled);
	world_packets_end();
	kfree_skb(skb);
	return answer;
}

static enum kserv_track track_in(struct kunit *test, struct kserv_flow *flow, u8 flags)
{
	struct step step = { .dir = KSERV_DIR_IN, .flags = flags, .seq = ISN };
	bool settled;

	return track(test, flow, &step, &settled);
}

static void follows_conversations(struct kunit *test)
{
	const struct talk *talk = test->param_value;
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_TCP, 2);
	struct kserv_flow *flow = add(test, &s, IPPROTO_TCP);
	u64 passed[2] = {};
	bool settled;
	int i;

	for (i = 0; i < ARRAY_SIZE(talk->step) && talk->step[i].flags; i++) {
		const struct step *step = &talk->step[i];

		KUNIT_EXPECT_EQ_MSG(test, track(test, flow, step, &settled), step->track, "segment %d", i);
		KUNIT_EXPECT_EQ_MSG(test, flow->state, step->state, "segment %d", i);
		/* Only what is established is left to the affinity cache. */
		KUNIT_EXPECT_EQ(test, settled, step->track == KSERV_TRACK_GO && step->state == ESTABLISHED);
		passed[step->dir] += step->track == KSERV_TRACK_GO;
		/* One that is over is no load. */
		KUNIT_EXPECT_EQ_MSG(test, atomic_read(&flow->endpoint->active),
				    !(flow->state == CLOSED || (flow->state == CLOSING && flow->fin == FIN_BOTH)),
				    "segment %d", i);
	}
	KUNIT_EXPECT_GT(test, i, 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&flow->packets[KSERV_DIR_IN]), passed[KSERV_DIR_IN]);
	KUNIT_EXPECT_EQ(test, atomic64_read(&flow->packets[KSERV_DIR_OUT]), passed[KSERV_DIR_OUT]);
	KUNIT_EXPECT_EQ(test, atomic64_read(&flow->bytes[KSERV_DIR_IN]), 50 * passed[KSERV_DIR_IN]);
}

static void each_packet_renews_the_time(struct kunit *test)
{
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_TCP, 2);
	struct kserv_flow *flow = add(test, &s, IPPROTO_TCP);
	struct kserv_net *kn = test->priv;

	flow->expires = (u32)jiffies + 1;
	track_in(test, flow, SYN);
	KUNIT_EXPECT_GE(test, flow->expires - (u32)jiffies, world_config(kn)->tcp_syn_timeout - HZ);
	track_in(test, flow, ACK);
	KUNIT_EXPECT_GE(test, flow->expires - (u32)jiffies, world_config(kn)->tcp_established_timeout - HZ);
	track_in(test, flow, RST);
	KUNIT_EXPECT_LE(test, flow->expires - (u32)jiffies, world_config(kn)->tcp_close_timeout);
}

static void a_syn_stays_where_the_service_wants_it(struct kunit *test)
{
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_TCP, 2);
	struct kserv_flow *flow = add(test, &s, IPPROTO_TCP);

	s.choices->flags = KSERV_SERVICE_FLAGS_NO_SYN_RETRY;
	KUNIT_EXPECT_EQ(test, track_in(test, flow, SYN), KSERV_TRACK_GO);
	KUNIT_EXPECT_EQ(test, track_in(test, flow, SYN), KSERV_TRACK_GO);
	s.choices->flags = 0;
	s.choices->affinity_timeout = 100;
	KUNIT_EXPECT_EQ(test, track_in(test, flow, SYN), KSERV_TRACK_GO);
	s.choices->affinity_timeout = 0;
	KUNIT_EXPECT_EQ(test, track_in(test, flow, SYN), KSERV_TRACK_MOVE);
}

static void an_answer_clears_the_endpoints_record(struct kunit *test)
{
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_TCP, 2);
	struct step answer = OUT(SYN | ACK, ISN + 1, GO, REPLIED);
	struct kserv_flow *flow = add(test, &s, IPPROTO_TCP);
	bool settled;

	s.choices->endpoint[0]->failures = 2;
	s.choices->endpoint[0]->ejections = 3;
	track_in(test, flow, SYN);
	KUNIT_EXPECT_EQ(test, s.choices->endpoint[0]->failures, 2);
	track(test, flow, &answer, &settled);
	KUNIT_EXPECT_EQ(test, s.choices->endpoint[0]->failures, 0);
	KUNIT_EXPECT_EQ(test, s.choices->endpoint[0]->ejections, 0);
}

static void datagrams_settle_when_both_have_spoken(struct kunit *test)
{
	static const struct step steps[] = {
		{ KSERV_DIR_IN, .state = NEW }, { KSERV_DIR_IN, .state = NEW }, { KSERV_DIR_OUT, .state = REPLIED },
		{ KSERV_DIR_OUT, .state = REPLIED }, { KSERV_DIR_IN, .state = ESTABLISHED },
		{ KSERV_DIR_OUT, .state = ESTABLISHED },
	};
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_UDP, 2);
	struct kserv_flow *flow = add(test, &s, IPPROTO_UDP);
	bool settled;
	int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		KUNIT_EXPECT_EQ(test, track(test, flow, &steps[i], &settled), KSERV_TRACK_GO);
		KUNIT_EXPECT_EQ(test, flow->state, steps[i].state);
		KUNIT_EXPECT_EQ(test, settled, steps[i].state == ESTABLISHED);
	}
}

static void datagrams_that_nobody_answers_settle_too(struct kunit *test)
{
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_UDP, 2);
	struct step step = { .dir = KSERV_DIR_IN };
	struct kserv_flow *flow = add(test, &s, IPPROTO_UDP);
	bool settled;
	int i;

	for (i = 1; i <= 2 * ONE_WAY_PACKETS; i++) {
		KUNIT_EXPECT_EQ(test, track(test, flow, &step, &settled), KSERV_TRACK_GO);
		KUNIT_EXPECT_EQ(test, settled, i > ONE_WAY_PACKETS);
	}
}

/* Rules 8.1 to 8.10. */
static void datagrams_leave_a_removed_endpoint(struct kunit *test)
{
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_UDP, 2);
	struct kserv_flow *flow = add(test, &s, IPPROTO_UDP);

	KUNIT_EXPECT_EQ(test, track_in(test, flow, 0), KSERV_TRACK_GO);
	world_remove_endpoint(test->priv, &s, 0);
	KUNIT_EXPECT_EQ(test, track_in(test, flow, 0), KSERV_TRACK_MOVE);
}

static void datagrams_stay_while_nobody_else_serves(struct kunit *test)
{
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_UDP, 2);
	struct kserv_flow *flow = add(test, &s, IPPROTO_UDP);
	struct kserv_net *kn = test->priv;

	s.choices->endpoint[1]->flags &= ~KSERV_ENDPOINT_FLAGS_SERVING;
	s.choices->serving = 1;
	world_remove_endpoint(kn, &s, 0);
	KUNIT_EXPECT_EQ(test, track_in(test, flow, 0), KSERV_TRACK_GO);
	/* Now another one serves: no further removal is needed for the flow to go there. */
	s.choices->endpoint[0]->flags |= KSERV_ENDPOINT_FLAGS_SERVING;
	s.choices->serving = 1;
	KUNIT_EXPECT_EQ(test, track_in(test, flow, 0), KSERV_TRACK_MOVE);
}

static void datagrams_stay_when_the_service_is_deleted(struct kunit *test)
{
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_UDP, 1);
	struct kserv_flow *flow = add(test, &s, IPPROTO_UDP);
	struct kserv_net *kn = test->priv;

	mutex_lock(&kn->mutex);
	kserv_service_unlink(kn, s.service);
	WRITE_ONCE(kn->stale, kn->stale + 1);
	mutex_unlock(&kn->mutex);
	KUNIT_EXPECT_EQ(test, track_in(test, flow, 0), KSERV_TRACK_GO);
}

static void connections_to_a_removed_endpoint_go_on(struct kunit *test)
{
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_TCP, 2);
	struct kserv_flow *flow = add(test, &s, IPPROTO_TCP);

	track_in(test, flow, SYN);
	track_in(test, flow, ACK);
	world_remove_endpoint(test->priv, &s, 0);
	KUNIT_EXPECT_EQ(test, track_in(test, flow, ACK), KSERV_TRACK_GO);
}

static void connections_to_a_removed_endpoint_are_reset_if_wanted(struct kunit *test)
{
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_TCP, 2);
	struct kserv_flow *flow = add(test, &s, IPPROTO_TCP);

	s.choices->removal = KSERV_REMOVAL_RESET;
	track_in(test, flow, SYN);
	track_in(test, flow, ACK);
	KUNIT_EXPECT_EQ(test, track_in(test, flow, ACK), KSERV_TRACK_GO);
	world_remove_endpoint(test->priv, &s, 0);
	KUNIT_EXPECT_EQ(test, track_in(test, flow, ACK), KSERV_TRACK_RESET);
}

static void only_accepted_connections_have_a_latency(struct kunit *test)
{
	const struct step refused = { KSERV_DIR_OUT, RST | ACK, 0, ISN + 1, }, accepted = { KSERV_DIR_OUT, SYN | ACK, 0, ISN + 1, };
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_TCP, 2);
	struct kserv_flow *flow = add(test, &s, IPPROTO_TCP);
	bool settled;

	track_in(test, flow, SYN);
	track(test, flow, &refused, &settled);
	KUNIT_EXPECT_EQ(test, flow->endpoint->latency, 0);
	kserv_flow_kill(test->priv, flow);
	flow = add(test, &s, IPPROTO_TCP);
	track_in(test, flow, SYN);
	flow->asked -= 5000;
	track(test, flow, &accepted, &settled);
	KUNIT_EXPECT_GE(test, kserv_latency_us(flow->endpoint->latency), 5120U);
	KUNIT_EXPECT_LE(test, kserv_latency_us(flow->endpoint->latency), 60000000U);
}

static void latency_follows_slowly(struct kunit *test)
{
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_TCP, 1);
	struct kserv_endpoint *endpoint = s.choices->endpoint[0];
	int i;

	kserv_latency_add(endpoint, 1000);
	KUNIT_EXPECT_EQ(test, kserv_latency_us(endpoint->latency), 1024U);
	kserv_latency_add(endpoint, 9000);
	KUNIT_EXPECT_EQ(test, kserv_latency_us(endpoint->latency), 2048U);
	for (i = 0; i < 100; i++)
		kserv_latency_add(endpoint, 0);
	KUNIT_EXPECT_GT(test, endpoint->latency, 0U);
	KUNIT_EXPECT_LE(test, kserv_latency_us(endpoint->latency), 2U);
	for (i = 0; i < 1000; i++)
		kserv_latency_add(endpoint, U32_MAX);
	KUNIT_EXPECT_GT(test, kserv_latency_us(endpoint->latency), 200000000U);
}

static struct kunit_case track_kunit_cases[] = {
	KUNIT_CASE_PARAM(follows_conversations, talk_gen_params),
	KUNIT_CASE(each_packet_renews_the_time),
	KUNIT_CASE(a_syn_stays_where_the_service_wants_it),
	KUNIT_CASE(an_answer_clears_the_endpoints_record),
	KUNIT_CASE(datagrams_settle_when_both_have_spoken),
	KUNIT_CASE(datagrams_that_nobody_answers_settle_too),
	KUNIT_CASE(datagrams_leave_a_removed_endpoint),
	KUNIT_CASE(datagrams_stay_while_nobody_else_serves),
	KUNIT_CASE(datagrams_stay_when_the_service_is_deleted),
	KUNIT_CASE(connections_to_a_removed_endpoint_go_on),
	KUNIT_CASE(connections_to_a_removed_endpoint_are_reset_if_wanted),
	KUNIT_CASE(only_accepted_connections_have_a_latency),
	KUNIT_CASE(latency_follows_slowly),
	{}
};

static struct kunit_suite track_kunit_suite = {
	.name = "kserv_track",
	.init = world_suite_init,
	.exit = world_suite_exit,
	.test_cases = track_kunit_cases,
};

kunit_test_suite(track_kunit_suite);
