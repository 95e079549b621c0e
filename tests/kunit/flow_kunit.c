// SPDX-License-Identifier: GPL-2.0
/* The flow table: how packets find their flow, what may not be added, how flows end, and how full it gets. */
#include <linux/kthread.h>

#include "../../kmod/flow.c"
#include "../../kmod/eject.h"
#include "../../kmod/gc.c"
#include "eject.h"
#include "tables.h"
#include "world.h"

struct flow_case {
	u8 family;
	u8 proto;
	const char *name;
};

static const struct flow_case flow_cases[] = {
	{ NFPROTO_IPV4, IPPROTO_TCP, "TCP over IPv4" },
	{ NFPROTO_IPV4, IPPROTO_UDP, "UDP over IPv4" },
	{ NFPROTO_IPV6, IPPROTO_TCP, "TCP over IPv6" },
	{ NFPROTO_IPV6, IPPROTO_SCTP, "SCTP over IPv6" },
};

KUNIT_ARRAY_PARAM_DESC(flow, flow_cases, name);

/* TCP over IPv4 where it does not matter. */
static const struct flow_case *case_of(struct kunit *test)
{
	return test->param_value ?: &flow_cases[0];
}

static struct kserv_tuple client(struct kunit *test, u8 service, u32 number, u16 port)
{
	return world_client(case_of(test)->family, case_of(test)->proto, service, number, port);
}

static struct world_service service(struct kunit *test, u8 number, unsigned int n)
{
	return world_service(test, number, case_of(test)->family, case_of(test)->proto, n);
}

/* Return: the flow or ERR_PTR(), as kserv_flow_add(). No test is done with packets that run beside it. */
static struct kserv_flow *add_port(struct kunit *test, const struct kserv_tuple *tuple,
				   struct kserv_endpoint *endpoint, __be16 sport, u16 flags)
{
	struct kserv_flow *flow;

	world_packets_begin();
	flow = kserv_flow_add(test->priv, tuple, endpoint, sport, flags);
	world_packets_end();
	return flow;
}

static struct kserv_flow *add(struct kunit *test, const struct kserv_tuple *tuple, struct kserv_endpoint *endpoint,
			      u16 flags)
{
	return add_port(test, tuple, endpoint, tuple->sport, flags);
}

static struct kserv_flow *add_well(struct kunit *test, const struct kserv_tuple *tuple,
				   struct kserv_endpoint *endpoint, u16 flags)
{
	struct kserv_flow *flow = add(test, tuple, endpoint, flags);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, flow);
	return flow;
}

static struct kserv_match find(struct kunit *test, const struct kserv_tuple *tuple, enum kserv_stage stage)
{
	struct kserv_match match = {};

	world_packets_begin();
	kserv_flow_find(test->priv, tuple, stage, &match);
	world_packets_end();
	return match;
}

static void expect_match(struct kunit *test, const struct kserv_tuple *tuple, enum kserv_stage stage,
			 enum kserv_match_kind kind, enum kserv_flow_dir dir, const struct kserv_flow *flow)
{
	struct kserv_match match = find(test, tuple, stage);

	KUNIT_EXPECT_EQ(test, match.kind, kind);
	if (kind == KSERV_MATCH_NONE || match.kind != kind)
		return;
	KUNIT_EXPECT_EQ(test, match.dir, dir);
	KUNIT_EXPECT_PTR_EQ(test, (const struct kserv_flow *)match.flow, flow);
}

static void expect_target(struct kunit *test, const struct kserv_flow *flow, enum kserv_stage stage,
			  enum kserv_flow_dir dir, const struct kserv_tuple *expected)
{
	struct kserv_tuple to;
	bool rewrite;

	rcu_read_lock();
	rewrite = kserv_flow_target(flow, stage, dir, &to);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, rewrite, !!expected);
	if (expected && rewrite)
		KUNIT_EXPECT_MEMEQ(test, &to, expected, sizeof(to));
}

static unsigned int n_flows(struct kunit *test)
{
	return percpu_counter_sum(&((struct kserv_net *)test->priv)->flows.n);
}

/* The client's packet as it is towards the endpoint. */
static struct kserv_tuple towards(const struct kserv_tuple *tuple, const struct kserv_endpoint *endpoint)
{
	struct kserv_tuple inside = *tuple;

	inside.dst = endpoint->addr;
	inside.dport = endpoint->port;
	return inside;
}

static void finds_flows_both_ways(struct kunit *test)
{
	struct world_service s = service(test, 1, 2);
	struct kserv_tuple out = client(test, 1, 7, 5000);
	struct kserv_tuple inside = towards(&out, s.choices->endpoint[1]);
	struct kserv_tuple answer = kserv_tuple_inverse(&inside), back = kserv_tuple_inverse(&out);
	struct kserv_flow *flow;

	expect_match(test, &out, KSERV_STAGE_EARLY, KSERV_MATCH_NONE, 0, NULL);
	flow = add_well(test, &out, s.choices->endpoint[1], 0);
	expect_match(test, &out, KSERV_STAGE_EARLY, KSERV_MATCH_REWRITE, KSERV_DIR_IN, flow);
	expect_target(test, flow, KSERV_STAGE_EARLY, KSERV_DIR_IN, &inside);
	expect_match(test, &inside, KSERV_STAGE_LATE, KSERV_MATCH_PASS, KSERV_DIR_IN, flow);
	expect_match(test, &answer, KSERV_STAGE_EARLY, KSERV_MATCH_PASS, KSERV_DIR_OUT, flow);
	expect_match(test, &answer, KSERV_STAGE_LATE, KSERV_MATCH_REWRITE, KSERV_DIR_OUT, flow);
	expect_target(test, flow, KSERV_STAGE_LATE, KSERV_DIR_OUT, &back);
	/* Straight to the endpoint, from the client's own port. */
	expect_match(test, &inside, KSERV_STAGE_EARLY, KSERV_MATCH_COLLIDE, KSERV_DIR_OUT, flow);
	/* After it has been translated it is no client's packet any more, and an answer is one to the client. */
	expect_match(test, &out, KSERV_STAGE_LATE, KSERV_MATCH_NONE, 0, NULL);
	expect_match(test, &back, KSERV_STAGE_EARLY, KSERV_MATCH_NONE, 0, NULL);
}

static void tells_connections_apart(struct kunit *test)
{
	struct world_service s = service(test, 1, 2);
	struct kserv_tuple a = client(test, 1, 7, 5000), other = a;
	struct kserv_flow *flow = add_well(test, &a, s.choices->endpoint[0], 0);

	other.sport = htons(5001);
	expect_match(test, &other, KSERV_STAGE_EARLY, KSERV_MATCH_NONE, 0, NULL);
	other = client(test, 1, 8, 5000);
	expect_match(test, &other, KSERV_STAGE_EARLY, KSERV_MATCH_NONE, 0, NULL);
	other = a;
	other.proto = a.proto == IPPROTO_UDP ? IPPROTO_TCP : IPPROTO_UDP;
	expect_match(test, &other, KSERV_STAGE_EARLY, KSERV_MATCH_NONE, 0, NULL);
	expect_match(test, &a, KSERV_STAGE_EARLY, KSERV_MATCH_REWRITE, KSERV_DIR_IN, flow);
}

static void keeps_other_ports_apart_from_the_clients_own(struct kunit *test)
{
	struct world_service s = service(test, 1, 1);
	struct kserv_tuple out = client(test, 1, 7, 5000), inside = towards(&out, s.choices->endpoint[0]);
	struct kserv_tuple moved = inside, answer;
	struct kserv_flow *flow;

	moved.sport = htons(40000);
	flow = add_port(test, &out, s.choices->endpoint[0], moved.sport, KSERV_FLOW_FLAGS_PORT_CHANGED);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, flow);
	expect_target(test, flow, KSERV_STAGE_EARLY, KSERV_DIR_IN, &moved);
	answer = kserv_tuple_inverse(&moved);
	expect_match(test, &answer, KSERV_STAGE_LATE, KSERV_MATCH_REWRITE, KSERV_DIR_OUT, flow);
	/* The client's own port is still free for a connection of its own. */
	expect_match(test, &inside, KSERV_STAGE_EARLY, KSERV_MATCH_NONE, 0, NULL);
}

static void refuses_a_second_flow_of_one_connection(struct kunit *test)
{
	struct world_service s = service(test, 1, 2);
	struct kserv_tuple out = client(test, 1, 7, 5000);

	add_well(test, &out, s.choices->endpoint[0], 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR(add(test, &out, s.choices->endpoint[0], 0)), -EALREADY);
	KUNIT_EXPECT_EQ(test, PTR_ERR(add(test, &out, s.choices->endpoint[1], 0)), -EALREADY);
	KUNIT_EXPECT_EQ(test, n_flows(test), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&s.choices->endpoint[0]->active), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&s.choices->endpoint[0]->refs), 2);
	KUNIT_EXPECT_EQ(test, refcount_read(&s.choices->endpoint[1]->refs), 1);
}

/* One client port, two frontends, one endpoint: it could not tell the two connections apart. */
static void refuses_a_flow_that_would_look_like_another(struct kunit *test)
{
	struct world_service s = service(test, 1, 2);
	struct kserv_tuple one = client(test, 1, 7, 5000), other = client(test, 2, 7, 5000);

	add_well(test, &one, s.choices->endpoint[0], 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR(add(test, &other, s.choices->endpoint[0], 0)), -EEXIST);
	KUNIT_EXPECT_FALSE(test, IS_ERR(add_port(test, &other, s.choices->endpoint[0], htons(40001), 0)));
	other.sport = htons(5001);
	KUNIT_EXPECT_FALSE(test, IS_ERR(add(test, &other, s.choices->endpoint[1], 0)));
}

static void kills_a_flow_once(struct kunit *test)
{
	struct world_service s = service(test, 1, 1);
	struct kserv_endpoint *endpoint = s.choices->endpoint[0];
	struct kserv_tuple out = client(test, 1, 7, 5000);
	struct kserv_flow *flow = add_well(test, &out, endpoint, 0);
	struct kserv_tuple answer = *kserv_flow_tuple(flow, KSERV_KEY_ENDPOINT);
	bool first, second;

	rcu_read_lock();
	first = kserv_flow_kill(test->priv, flow);
	second = kserv_flow_kill(test->priv, flow);
	rcu_read_unlock();
	KUNIT_EXPECT_TRUE(test, first);
	KUNIT_EXPECT_FALSE(test, second);
	expect_match(test, &out, KSERV_STAGE_EARLY, KSERV_MATCH_NONE, 0, NULL);
	expect_match(test, &answer, KSERV_STAGE_LATE, KSERV_MATCH_NONE, 0, NULL);
	KUNIT_EXPECT_EQ(test, n_flows(test), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&endpoint->active), 0);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, refcount_read(&endpoint->refs), 1);
	KUNIT_EXPECT_FALSE(test, IS_ERR(add(test, &out, endpoint, 0)));
}

/* Who is about to end holds its tuples no longer. */
static void lets_a_new_flow_take_the_place_of_an_expired_one(struct kunit *test)
{
	struct world_service s = service(test, 1, 1);
	struct kserv_tuple out = client(test, 1, 7, 5000);
	struct kserv_flow *flow = add_well(test, &out, s.choices->endpoint[0], 0), *next;

	flow->expires = (u32)jiffies;
	expect_match(test, &out, KSERV_STAGE_EARLY, KSERV_MATCH_NONE, 0, NULL);
	next = add_well(test, &out, s.choices->endpoint[0], 0);
	expect_match(test, &out, KSERV_STAGE_EARLY, KSERV_MATCH_REWRITE, KSERV_DIR_IN, next);
}

static void set_state(struct kserv_flow *flow, u8 state, u8 fin)
{
	spin_lock_bh(&flow->lock);
	flow->state = state;
	flow->fin = fin;
	spin_unlock_bh(&flow->lock);
}

struct timeout_case {
	u8 proto;
	u8 state;
	u8 fin;
	size_t member;	/* of struct kserv_config */
	u32 limit;	/* in jiffies, if lower */
	const char *name;
};

#define TIMEOUT(name) offsetof(struct kserv_config, name)

static const struct timeout_case timeout_cases[] = {
	{ IPPROTO_TCP, KSERV_FLOW_STATE_NEW, 0, TIMEOUT(tcp_syn_timeout), .name = "TCP new" },
	{ IPPROTO_TCP, KSERV_FLOW_STATE_REPLIED, 0, TIMEOUT(tcp_syn_timeout), .name = "TCP replied" },
	{ IPPROTO_TCP, KSERV_FLOW_STATE_ESTABLISHED, 0, TIMEOUT(tcp_established_timeout), .name = "TCP established" },
	/* kube-proxy sets an hour for CLOSE_WAIT. */
	{ IPPROTO_TCP, KSERV_FLOW_STATE_CLOSING, BIT(KSERV_DIR_IN), TIMEOUT(tcp_established_timeout), 3600 * HZ,
	  "TCP half closed" },
	{ IPPROTO_TCP, KSERV_FLOW_STATE_CLOSING, BIT(KSERV_DIR_IN) | BIT(KSERV_DIR_OUT), TIMEOUT(tcp_close_timeout),
	  .name = "TCP closing" },
	{ IPPROTO_TCP, KSERV_FLOW_STATE_CLOSED, 0, TIMEOUT(tcp_close_timeout), .name = "TCP closed" },
	{ IPPROTO_UDP, KSERV_FLOW_STATE_NEW, 0, TIMEOUT(udp_timeout), .name = "UDP new" },
	{ IPPROTO_UDP, KSERV_FLOW_STATE_REPLIED, 0, TIMEOUT(udp_stream_timeout), .name = "UDP replied" },
	{ IPPROTO_UDP, KSERV_FLOW_STATE_ESTABLISHED, 0, TIMEOUT(udp_stream_timeout), .name = "UDP established" },
	{ IPPROTO_SCTP, KSERV_FLOW_STATE_NEW, 0, TIMEOUT(udp_timeout), .name = "SCTP new" },
	{ IPPROTO_SCTP, KSERV_FLOW_STATE_ESTABLISHED, 0, TIMEOUT(sctp_timeout), .name = "SCTP established" },
};

KUNIT_ARRAY_PARAM_DESC(timeout, timeout_cases, name);

static void expires_by_state(struct kunit *test)
{
	const struct timeout_case *c = test->param_value;
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, c->proto, 1);
	struct kserv_tuple out = world_client(NFPROTO_IPV4, c->proto, 1, 7, 5000);
	struct kserv_flow *flow = add_well(test, &out, s.choices->endpoint[0], 0);
	struct kserv_net *kn = test->priv;
	u32 expected = *(u32 *)((char *)world_config(kn) + c->member), timeout;

	set_state(flow, c->state, c->fin);
	rcu_read_lock();
	timeout = kserv_track_timeout(kn, flow);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, timeout, c->limit ? min(c->limit, expected) : expected);
}

static void ends_flows_that_are_expired_and_no_others(struct kunit *test)
{
	struct world_service s = service(test, 1, 3);
	struct kserv_net *kn = test->priv;
	struct kserv_flow *flows[60];
	struct kserv_tuple out;
	int i;

	for (i = 0; i < 60; i++) {
		out = client(test, 1, i, 5000);
		flows[i] = add_well(test, &out, s.choices->endpoint[i % 3], 0);
	}
	for (i = 0; i < 60; i += 2)
		flows[i]->expires = (u32)jiffies - 1;
	scan(kn, 0, 1U << kn->flows.bits, false);
	KUNIT_EXPECT_EQ(test, n_flows(test), 30);
	for (i = 0; i < 60; i++) {
		out = client(test, 1, i, 5000);
		KUNIT_EXPECT_EQ(test, find(test, &out, KSERV_STAGE_EARLY).kind,
				i & 1 ? KSERV_MATCH_REWRITE : KSERV_MATCH_NONE);
	}
}

/* An endpoint that answers nobody is found out by flows that end unanswered. */
static void notes_endpoints_that_never_answered(struct kunit *test)
{
	struct world_service s = service(test, 1, 2);
	struct kserv_tuple out = client(test, 1, 7, 5000);
	struct kserv_net *kn = test->priv;
	struct kserv_flow *flow;
	int i;

	for (i = 0; i < 3; i++) {
		flow = add_well(test, &out, s.choices->endpoint[0], 0);
		flow->expires = (u32)jiffies - 1;
		scan(kn, 0, 1U << kn->flows.bits, false);
	}
	KUNIT_EXPECT_NE(test, s.choices->endpoint[0]->ejected_until, 0);
	KUNIT_EXPECT_EQ(test, s.choices->endpoint[1]->ejected_until, 0);
}

static void fail_often(struct kunit *test, struct kserv_endpoint *endpoint)
{
	int i;

	for (i = 0; i < 3; i++) {
		world_packets_begin();
		kserv_eject_failure(test->priv, endpoint);
		world_packets_end();
	}
}

/* Whatever fails, half of the endpoints stay in; and who fails again is left out for twice as long. */
static void leaves_out_no_more_than_half(struct kunit *test)
{
	static const unsigned int left_out[] = { [1] = 0, [2] = 1, [3] = 1, [4] = 2, [5] = 2 };
	struct kserv_endpoint *endpoint;
	struct world_service s;
	unsigned int n, i, out;
	u32 now;

	for (n = 1; n < ARRAY_SIZE(left_out); n++) {
		s = service(test, n, n);
		for (i = 0, out = 0; i < n; i++) {
			fail_often(test, s.choices->endpoint[i]);
			out += !!s.choices->endpoint[i]->ejected_until;
		}
		KUNIT_EXPECT_EQ_MSG(test, out, left_out[n], "of %u endpoints", n);
	}
	endpoint = s.choices->endpoint[0];
	for (i = 0; i < 8; i++) {
		now = (u32)jiffies;
		KUNIT_EXPECT_LE(test, endpoint->ejected_until - now, (10 * HZ << min(i, 5U)) + 1);
		KUNIT_EXPECT_GT(test, endpoint->ejected_until - now, (10 * HZ << min(i, 5U)) - 5 * HZ);
		endpoint->ejected_until = now - 1;
		fail_often(test, endpoint);
	}
}

/* What a percpu_counter may be off, on each CPU. */
static unsigned int slack(void)
{
	return percpu_counter_batch * num_possible_cpus();
}

/* A SYN flood must not push out connections that are established, and is bounded. */
static void makes_room_among_unanswered_flows_only(struct kunit *test)
{
	struct world_service s = service(test, 1, 4);
	struct kserv_net *kn = test->priv;
	struct kserv_tuple out;
	unsigned int i, kept = 0;
	s64 most = 0;

	for (i = 0; i < 500; i++) {
		out = client(test, 1, i, 5000);
		set_state(add_well(test, &out, s.choices->endpoint[i % 4], 0), KSERV_FLOW_STATE_ESTABLISHED, 0);
	}
	for (i = 0; i < 6000; i++) {
		out = client(test, 1, i, 6000);
		add(test, &out, s.choices->endpoint[i % 4], 0);
		most = max(most, percpu_counter_read_positive(&kn->flows.n));
		if (!(i % 100))
			KUNIT_ASSERT_LE(test, n_flows(test), WORLD_FLOWS + slack());
	}
	KUNIT_EXPECT_GE(test, most, WORLD_FLOWS - slack());
	for (i = 0; i < 500; i++) {
		out = client(test, 1, i, 5000);
		kept += find(test, &out, KSERV_STAGE_EARLY).kind == KSERV_MATCH_REWRITE;
	}
	KUNIT_EXPECT_EQ(test, kept, 500);
	/* The flood has not shut out others: the newest are there. */
	out = client(test, 1, 7000, 6000);
	KUNIT_EXPECT_FALSE(test, IS_ERR(add(test, &out, s.choices->endpoint[0], 0)));
}

static void refuses_flows_when_all_are_established(struct kunit *test)
{
	struct world_service s = service(test, 1, 4);
	struct kserv_tuple out;
	struct kserv_flow *flow;
	unsigned int i;
	long error = 0;

	for (i = 0; i < WORLD_FLOWS + slack() + 1 && !error; i++) {
		out = client(test, 1, i, 5000);
		flow = add(test, &out, s.choices->endpoint[i % 4], 0);
		if (IS_ERR(flow))
			error = PTR_ERR(flow);
		else
			set_state(flow, KSERV_FLOW_STATE_ESTABLISHED, 0);
	}
	KUNIT_EXPECT_EQ(test, error, -ENOSPC);
	KUNIT_EXPECT_GE(test, i, WORLD_FLOWS - slack());
}

static int masquerade(struct kunit *test, struct kserv_flow *flow, const union nf_inet_addr *source, u16 port)
{
	int ret;

	world_packets_begin();
	ret = kserv_flow_masquerade(test->priv, flow, source, htons(port));
	world_packets_end();
	return ret;
}

static void masqueraded_flows_are_found_by_their_third_key(struct kunit *test)
{
	struct world_service s = service(test, 1, 1);
	struct kserv_tuple out = client(test, 1, 7, 5000), inside = towards(&out, s.choices->endpoint[0]), outside;
	union nf_inet_addr node = world_endpoint_addr(out.family, 99, 0);
	struct kserv_flow *flow = add_well(test, &out, s.choices->endpoint[0], KSERV_FLOW_FLAGS_MASQUERADE);
	struct kserv_tuple answer, untranslated = kserv_tuple_inverse(&inside);

	expect_match(test, &inside, KSERV_STAGE_LATE, KSERV_MATCH_REWRITE, KSERV_DIR_IN, flow);
	expect_target(test, flow, KSERV_STAGE_LATE, KSERV_DIR_IN, NULL);
	KUNIT_EXPECT_EQ(test, masquerade(test, flow, &node, 33000), 0);
	outside = inside;
	outside.src = node;
	outside.sport = htons(33000);
	answer = kserv_tuple_inverse(&outside);
	expect_target(test, flow, KSERV_STAGE_LATE, KSERV_DIR_IN, &outside);
	expect_match(test, &answer, KSERV_STAGE_EARLY, KSERV_MATCH_REWRITE, KSERV_DIR_OUT, flow);
	expect_target(test, flow, KSERV_STAGE_EARLY, KSERV_DIR_OUT, &untranslated);
	expect_match(test, &untranslated, KSERV_STAGE_LATE, KSERV_MATCH_REWRITE, KSERV_DIR_OUT, flow);
	/* Whoever is slower keeps what the faster one has made. */
	KUNIT_EXPECT_EQ(test, masquerade(test, flow, &node, 33001), 0);
	expect_target(test, flow, KSERV_STAGE_LATE, KSERV_DIR_IN, &outside);
	kserv_flow_delete(test->priv, &(struct kserv_flow_filter){});
	expect_match(test, &answer, KSERV_STAGE_EARLY, KSERV_MATCH_NONE, 0, NULL);
}

static void a_masquerade_port_is_given_once_towards_an_endpoint(struct kunit *test)
{
	struct world_service s = service(test, 1, 2);
	struct kserv_tuple a = client(test, 1, 7, 5000), b = client(test, 1, 8, 5000), c = client(test, 1, 9, 5000);
	union nf_inet_addr node = world_endpoint_addr(a.family, 99, 0);
	struct kserv_flow *one = add_well(test, &a, s.choices->endpoint[0], KSERV_FLOW_FLAGS_MASQUERADE);
	struct kserv_flow *two = add_well(test, &b, s.choices->endpoint[0], KSERV_FLOW_FLAGS_MASQUERADE);
	struct kserv_flow *elsewhere = add_well(test, &c, s.choices->endpoint[1], KSERV_FLOW_FLAGS_MASQUERADE);
	int ret;

	KUNIT_EXPECT_EQ(test, masquerade(test, one, &node, 33000), 0);
	KUNIT_EXPECT_EQ(test, masquerade(test, two, &node, 33000), -EEXIST);
	KUNIT_EXPECT_EQ(test, masquerade(test, two, &node, 33001), 0);
	KUNIT_EXPECT_EQ(test, masquerade(test, elsewhere, &node, 33000), 0);
	rcu_read_lock();
	kserv_flow_kill(test->priv, one);
	ret = masquerade(test, one, &node, 33002);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, ret, -ENOENT);
	b = client(test, 1, 10, 5000);
	one = add_well(test, &b, s.choices->endpoint[0], KSERV_FLOW_FLAGS_MASQUERADE);
	KUNIT_EXPECT_EQ(test, masquerade(test, one, &node, 33000), 0);
}

/* A client on the node itself may have the port that a masqueraded flow would take. */
static void a_masquerade_port_is_not_one_of_a_plain_flow(struct kunit *test)
{
	struct world_service s = service(test, 1, 1);
	struct kserv_tuple own = client(test, 1, 7, 33000), other = client(test, 1, 8, 5000);
	struct kserv_flow *flow;

	add_well(test, &own, s.choices->endpoint[0], 0);
	flow = add_well(test, &other, s.choices->endpoint[0], KSERV_FLOW_FLAGS_MASQUERADE);
	KUNIT_EXPECT_EQ(test, masquerade(test, flow, &own.src, 33000), -EEXIST);
	KUNIT_EXPECT_EQ(test, masquerade(test, flow, &own.src, 33001), 0);
	/* Nor may a plain one take it afterwards. */
	own.sport = htons(33001);
	KUNIT_EXPECT_EQ(test, PTR_ERR(add(test, &own, s.choices->endpoint[0], 0)), -EEXIST);
}

struct walk {
	unsigned int seen[100];
	unsigned int left;
};

static int visit(struct kserv_flow *flow, void *arg)
{
	struct walk *walk = arg;

	if (!walk->left)
		return -EMSGSIZE;
	walk->left--;
	walk->seen[ntohs(kserv_flow_tuple(flow, KSERV_KEY_CLIENT)->sport) - 5000]++;
	return 0;
}

static void walks_over_each_flow_once(struct kunit *test)
{
	struct world_service s = service(test, 1, 3);
	unsigned long bucket = 0, skip = 0;
	struct kserv_tuple out;
	struct walk walk = {};
	int i, calls = 0;

	for (i = 0; i < 100; i++) {
		out = client(test, 1, 7, 5000 + i);
		add_well(test, &out, s.choices->endpoint[i % 3], 0);
	}
	do
		walk.left = 7;
	while (kserv_flow_walk(test->priv, &bucket, &skip, visit, &walk) && ++calls < 100);
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ_MSG(test, walk.seen[i], 1, "flow %d", i);
	KUNIT_EXPECT_EQ(test, calls, 14);
}

static void deletes_what_a_filter_says(struct kunit *test)
{
	struct world_service s = service(test, 1, 3), t = service(test, 2, 1);
	struct kserv_flow_filter filter = { .set = BIT(KSERV_FILTER_ENDPOINT) };
	struct kserv_tuple out;
	int i;

	for (i = 0; i < 30; i++) {
		out = client(test, 1, i, 5000);
		add_well(test, &out, s.choices->endpoint[i % 3], 0);
	}
	out = client(test, 2, 3, 6000);
	add_well(test, &out, t.choices->endpoint[0], 0);
	filter.endpoint = s.choices->endpoint[1]->addr;
	KUNIT_EXPECT_EQ(test, kserv_flow_delete(test->priv, &filter), 10);
	filter.set |= BIT(KSERV_FILTER_ENDPOINT_PORT);
	filter.endpoint = s.choices->endpoint[0]->addr;
	filter.endpoint_port = htons(1);
	KUNIT_EXPECT_EQ(test, kserv_flow_delete(test->priv, &filter), 0);
	filter.set = BIT(KSERV_FILTER_SERVICE);
	filter.service = "kunit/service2";
	KUNIT_EXPECT_EQ(test, kserv_flow_delete(test->priv, &filter), 1);
	filter.set = BIT(KSERV_FILTER_CLIENT) | BIT(KSERV_FILTER_CLIENT_PORT) | BIT(KSERV_FILTER_FAMILY) |
		     BIT(KSERV_FILTER_PROTOCOL) | BIT(KSERV_FILTER_FRONTEND) | BIT(KSERV_FILTER_FRONTEND_PORT);
	out = client(test, 1, 3, 5000);
	filter.client = out.src;
	filter.client_port = out.sport;
	filter.family = out.family;
	filter.protocol = out.proto;
	filter.frontend = out.dst;
	filter.frontend_port = out.dport;
	KUNIT_EXPECT_EQ(test, kserv_flow_delete(test->priv, &filter), 1);
	KUNIT_EXPECT_EQ(test, n_flows(test), 19);
}

/* What a CPU remembers of a flow goes with the flow, and is counted first. */
static void the_affinity_cache_forgets_dead_flows(struct kunit *test)
{
	struct world_service s = service(test, 1, 1);
	struct kserv_tuple out = client(test, 1, 7, 5000), inside = towards(&out, s.choices->endpoint[0]);
	struct kserv_flow *flow = add_well(test, &out, s.choices->endpoint[0], 0);
	struct kserv_cache_entry *hit, *late, *after;
	struct kserv_net *kn = test->priv;
	struct kserv_nat nat;

	kserv_nat_prepare(&nat, &out, &inside);
	world_packets_begin();
	kserv_cache_fill(kn, flow, KSERV_DIR_IN, KSERV_STAGE_EARLY, &out, &nat);
	kserv_cache_fill(kn, flow, KSERV_DIR_IN, KSERV_STAGE_LATE, &inside, NULL);
	hit = kserv_cache_lookup(&kn->flows, &out, KSERV_STAGE_EARLY, kn->stale);
	late = kserv_cache_lookup(&kn->flows, &inside, KSERV_STAGE_LATE, kn->stale);
	if (hit) {
		hit->packets = 5;
		hit->bytes = 700;
	}
	kserv_flow_kill(kn, flow);
	after = kserv_cache_lookup(&kn->flows, &out, KSERV_STAGE_EARLY, kn->stale) ?:
		kserv_cache_lookup(&kn->flows, &inside, KSERV_STAGE_LATE, kn->stale);
	/* Somebody who found the flow before it died must not bring it back. */
	kserv_cache_fill(kn, flow, KSERV_DIR_IN, KSERV_STAGE_EARLY, &out, &nat);
	after = after ?: kserv_cache_lookup(&kn->flows, &out, KSERV_STAGE_EARLY, kn->stale);
	world_packets_end();
	KUNIT_EXPECT_TRUE(test, hit && late);
	KUNIT_EXPECT_NULL(test, after);
	KUNIT_EXPECT_EQ(test, atomic64_read(&s.choices->endpoint[0]->packets[KSERV_DIR_IN]), 5);
	KUNIT_EXPECT_EQ(test, atomic64_read(&s.choices->endpoint[0]->bytes[KSERV_DIR_IN]), 700);
}

static void the_affinity_cache_asks_anew_when_endpoints_have_gone(struct kunit *test)
{
	struct world_service s = service(test, 1, 2);
	struct kserv_tuple out = client(test, 1, 7, 5000);
	struct kserv_flow *flow = add_well(test, &out, s.choices->endpoint[0], 0);
	struct kserv_cache_entry *fresh, *stale, *old, *counted;
	struct kserv_net *kn = test->priv;

	world_packets_begin();
	kserv_cache_fill(kn, flow, KSERV_DIR_IN, KSERV_STAGE_EARLY, &out, NULL);
	fresh = kserv_cache_lookup(&kn->flows, &out, KSERV_STAGE_EARLY, kn->stale);
	stale = kserv_cache_lookup(&kn->flows, &out, KSERV_STAGE_EARLY, kn->stale + 1);
	if (fresh)
		fresh->refreshed -= KSERV_CACHE_REFRESH;
	old = kserv_cache_lookup(&kn->flows, &out, KSERV_STAGE_EARLY, kn->stale);
	kserv_cache_fill(kn, flow, KSERV_DIR_IN, KSERV_STAGE_EARLY, &out, NULL);
	counted = kserv_cache_lookup(&kn->flows, &out, KSERV_STAGE_EARLY, kn->stale);
	if (counted)
		counted->packets = 3;
	world_packets_end();
	KUNIT_EXPECT_NOT_NULL(test, fresh);
	KUNIT_EXPECT_NULL(test, stale);
	KUNIT_EXPECT_NULL(test, old);
	KUNIT_ASSERT_NOT_NULL(test, counted);
	kserv_flow_fold(kn);
	kserv_flow_fold(kn);
	KUNIT_EXPECT_EQ(test, atomic64_read(&s.choices->endpoint[0]->packets[KSERV_DIR_IN]), 3);
}

/* Flows outlive what leads to them: endpoint and service stay as long as they are looked at. */
static void a_flow_keeps_its_endpoint_and_service(struct kunit *test)
{
	struct world_service s = service(test, 1, 2);
	struct kserv_endpoint *endpoint = s.choices->endpoint[1];
	struct kserv_tuple out = client(test, 1, 7, 5000);
	struct kserv_net *kn = test->priv;

	add_well(test, &out, endpoint, 0);
	world_remove_endpoint(kn, &s, 1);
	mutex_lock(&kn->mutex);
	kserv_service_unlink(kn, s.service);
	mutex_unlock(&kn->mutex);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, refcount_read(&endpoint->refs), 1);
	KUNIT_EXPECT_STREQ(test, endpoint->service->name, "kunit/service1");
	out = client(test, 1, 8, 5000);
	KUNIT_EXPECT_EQ(test, kserv_flow_delete(kn, &(struct kserv_flow_filter){}), 1);
}

/* Whatever allocation fails, the detectors' own among them, the flow is there or nothing is. */
static void leaves_nothing_behind_without_memory(struct kunit *test)
{
	struct world_service s = service(test, 1, 1);
	struct kserv_tuple out = client(test, 1, 7, 5000);
	union nf_inet_addr node = world_endpoint_addr(out.family, 99, 0);
	struct kserv_net *kn = test->priv;
	unsigned int nth, failures = 0;
	struct kserv_flow *flow;
	bool injected;
	int ret;

	for (nth = 1, injected = true; injected; nth++) {
		kserv_flow_delete(kn, &(struct kserv_flow_filter){});
		rcu_barrier();
		world_fail_alloc(nth);
		flow = add(test, &out, s.choices->endpoint[0], KSERV_FLOW_FLAGS_MASQUERADE);
		injected = world_alloc_failed(nth);
		KUNIT_ASSERT_TRUE(test, injected || !IS_ERR(flow));
		KUNIT_ASSERT_EQ(test, n_flows(test), !IS_ERR(flow));
		KUNIT_ASSERT_EQ(test, refcount_read(&s.choices->endpoint[0]->refs), 1 + !IS_ERR(flow));
		failures += IS_ERR(flow);
	}
	KUNIT_EXPECT_GT(test, failures, 0);
	world_fail_alloc(1);
	ret = masquerade(test, flow, &node, 33000);
	KUNIT_EXPECT_TRUE(test, world_alloc_failed(1));
	KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(test, masquerade(test, flow, &node, 33000), 0);
}

#define WORKERS 4
#define WORKER_CLIENTS 16

struct worker {
	struct kunit *test;
	struct kserv_choices *choices;
	struct task_struct *task;
	unsigned int number;
	unsigned int added, killed, met;
	bool crossed;
};

/* One step of a worker: find a connection that all workers fight for, end it, or make it. */
static void worker_step(struct worker *worker, u32 dice)
{
	struct kserv_net *kn = worker->test->priv;
	u32 number = dice % WORKER_CLIENTS;
	struct kserv_tuple out = world_client(NFPROTO_IPV4, IPPROTO_UDP, 1, number, 5000);
	union nf_inet_addr node = { .ip = htonl(0x0a020001) };
	struct kserv_match match;

	world_packets_begin();
	kserv_flow_find(kn, &out, KSERV_STAGE_EARLY, &match);
	if (match.kind == KSERV_MATCH_REWRITE) {
		worker->met++;
		worker->crossed |= !kserv_tuple_equal(&out, kserv_flow_tuple(match.flow, KSERV_KEY_CLIENT));
		kserv_cache_fill(kn, match.flow, KSERV_DIR_IN, KSERV_STAGE_EARLY, &out, NULL);
		kserv_flow_masquerade(kn, match.flow, &node, htons(30000 + (dice >> 8) % 64));
		if (!(dice >> 16 & 3))
			worker->killed += kserv_flow_kill(kn, match.flow);
	} else {
		worker->added += !IS_ERR(kserv_flow_add(kn, &out, worker->choices->endpoint[dice >> 20 & 1], out.sport,
							KSERV_FLOW_FLAGS_MASQUERADE));
	}
	world_packets_end();
}

static int work(void *arg)
{
	struct worker *worker = arg;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, worker->number);
	while (!kthread_should_stop()) {
		worker_step(worker, prandom_u32_state(&rnd));
		cond_resched();
	}
	return 0;
}

static void start_workers(struct kunit *test, struct worker *workers, const struct world_service *s)
{
	int i;

	for (i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){ .test = test, .choices = s->choices, .number = i };
		workers[i].task = kthread_run(work, &workers[i], "kserv_kunit%d", i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, workers[i].task);
	}
}

/* All CPUs at once on the same few connections; the debug kernel's detectors look on. */
static void stands_being_changed_by_all_cpus_at_once(struct kunit *test)
{
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_UDP, 2);
	unsigned long end = jiffies + 3 * HZ;
	unsigned int i, added = 0, killed = 0, met = 0;
	struct kserv_net *kn = test->priv;
	struct worker workers[WORKERS];

	start_workers(test, workers, &s);
	while (time_before(jiffies, end)) {
		kserv_flow_fold(kn);
		scan(kn, 0, 1U << kn->flows.bits, false);
		kserv_cache_age(kn);
	}
	for (i = 0; i < WORKERS; i++) {
		kthread_stop(workers[i].task);
		added += workers[i].added;
		killed += workers[i].killed;
		met += workers[i].met;
		KUNIT_EXPECT_FALSE(test, workers[i].crossed);
	}
	KUNIT_EXPECT_GT(test, met, 100);
	KUNIT_EXPECT_EQ(test, n_flows(test), added - killed);
	killed += kserv_flow_delete(kn, &(struct kserv_flow_filter){});
	KUNIT_EXPECT_EQ(test, killed, added);
	KUNIT_EXPECT_EQ(test, n_flows(test), 0);
	rcu_barrier();
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, refcount_read(&s.choices->endpoint[i]->refs), 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&s.choices->endpoint[i]->active), 0);
	}
}

#define ATTACK_BITS 8
#define ATTACKERS 256

/* Connections that all have one bucket in a table whose seed is known are spread over one whose seed is not. */
static void connections_chosen_to_collide_spread_under_another_seed(struct kunit *test)
{
	struct kserv_net *other = world_begin(test), *kn = test->priv;
	struct kserv_flow_table known = { .bits = ATTACK_BITS, .seed = other->flows.seed };
	struct kserv_flow_table secret = { .bits = ATTACK_BITS, .seed = kn->flows.seed };
	u8 filled[1 << ATTACK_BITS] = {};
	unsigned int n = 0, longest = 0;
	struct kserv_tuple tuple;
	u32 number;

	KUNIT_EXPECT_NE(test, memcmp(&known.seed, &secret.seed, sizeof(known.seed)), 0);
	for (number = 1; number < 200 << ATTACK_BITS && n < ATTACKERS; number++) {
		tuple = client(test, 1, number, 1024 + number % 60000);
		if (tuple_bucket(&known, &tuple))
			continue;
		n++;
		longest = max_t(unsigned int, longest, ++filled[tuple_bucket(&secret, &tuple)]);
	}
	KUNIT_EXPECT_GE(test, n, ATTACKERS / 2);
	KUNIT_EXPECT_LE(test, longest, 16U);
	world_end(other);
}

static struct kunit_case flow_kunit_cases[] = {
	KUNIT_CASE_PARAM(finds_flows_both_ways, flow_gen_params),
	KUNIT_CASE_PARAM(tells_connections_apart, flow_gen_params),
	KUNIT_CASE_PARAM(keeps_other_ports_apart_from_the_clients_own, flow_gen_params),
	KUNIT_CASE_PARAM(refuses_a_second_flow_of_one_connection, flow_gen_params),
	KUNIT_CASE_PARAM(refuses_a_flow_that_would_look_like_another, flow_gen_params),
	KUNIT_CASE_PARAM(kills_a_flow_once, flow_gen_params),
	KUNIT_CASE(lets_a_new_flow_take_the_place_of_an_expired_one),
	KUNIT_CASE_PARAM(expires_by_state, timeout_gen_params),
	KUNIT_CASE_PARAM(ends_flows_that_are_expired_and_no_others, flow_gen_params),
	KUNIT_CASE(notes_endpoints_that_never_answered),
	KUNIT_CASE(leaves_out_no_more_than_half),
	KUNIT_CASE(makes_room_among_unanswered_flows_only),
	KUNIT_CASE(refuses_flows_when_all_are_established),
	KUNIT_CASE_PARAM(masqueraded_flows_are_found_by_their_third_key, flow_gen_params),
	KUNIT_CASE_PARAM(a_masquerade_port_is_given_once_towards_an_endpoint, flow_gen_params),
	KUNIT_CASE(a_masquerade_port_is_not_one_of_a_plain_flow),
	KUNIT_CASE(walks_over_each_flow_once),
	KUNIT_CASE(deletes_what_a_filter_says),
	KUNIT_CASE(the_affinity_cache_forgets_dead_flows),
	KUNIT_CASE(the_affinity_cache_asks_anew_when_endpoints_have_gone),
	KUNIT_CASE(a_flow_keeps_its_endpoint_and_service),
	KUNIT_CASE_PARAM(leaves_nothing_behind_without_memory, flow_gen_params),
	KUNIT_CASE(stands_being_changed_by_all_cpus_at_once),
	KUNIT_CASE_PARAM(connections_chosen_to_collide_spread_under_another_seed, flow_gen_params),
	{}
};

static struct kunit_suite flow_kunit_suite = {
	.name = "kserv_flow",
	.init = world_suite_init,
	.exit = world_suite_exit,
	.test_cases = flow_kunit_cases,
};

kunit_test_suite(flow_kunit_suite);
