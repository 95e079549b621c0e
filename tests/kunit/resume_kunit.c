// SPDX-License-Identifier: GPL-2.0
/* Connections put back: what is taken as it was, what is refused, and that a refused message leaves nothing behind. */
#include "../../kmod/resume.c"
#include "message.h"
#include "world.h"

#define SERVICE "kunit/a"
#define FRONTEND 0x0a600001
#define FRONTEND_PORT 80
#define ENDPOINT_PORT 8080
#define CLIENT 0xac100001
#define CLIENT_PORT 5000
/* 192.0.2.1, which no test kernel has. */
#define FOREIGN 0xc0000201
#define MESSAGE_SIZE 20000
/* Instead of what a flow has otherwise. */
#define NOTHING 0xffff

/* A flow as a message has it; what is 0 is as it should be. */
struct flow_row {
	const char *name;
	int error;
	const char *service;
	u8 proto;
	u16 client_port;
	u32 frontend;
	u16 frontend_port;
	u32 endpoint;
	u16 endpoint_port;
	u16 translated_port;
	u8 state;
	u8 fin;
	u32 flags;
	u32 masquerade;
	u16 masquerade_port;
	bool two_families;
};

#define CHANGED KSERV_FLOW_FLAGS_PORT_CHANGED
#define ORPHAN KSERV_FLOW_FLAGS_ORPHAN
#define MASQUERADE KSERV_FLOW_FLAGS_MASQUERADE

static const struct flow_row flow_rows[] = {
	{ "as it was", 0 },
	{ "closing", 0, .state = KSERV_FLOW_STATE_CLOSING, .fin = KSERV_FLOW_DIRECTION_FROM_CLIENT },
	{ "masqueraded later", 0, .flags = MASQUERADE },
	{ "from another port", 0, .translated_port = 6000, .flags = CHANGED },
	{ "to an endpoint that has gone", 0, .endpoint = 0x0a010163, .flags = ORPHAN },
	{ "beside a flow", 0, .frontend = 0x0a010101, .frontend_port = ENDPOINT_PORT, .translated_port = 6000,
	  .flags = CHANGED },
	{ "service that is not there", -ENOENT, .service = "kunit/b" },
	{ "service of another protocol", -ENOENT, .proto = IPPROTO_UDP },
	{ "protocol that has no services", -ENOENT, .proto = IPPROTO_ICMP },
	{ "frontend that is not there", -ENOENT, .frontend = FRONTEND + 1 },
	{ "another port of the frontend", -ENOENT, .frontend_port = 81 },
	{ "beside a flow, but from its own port", -ENOENT, .frontend = 0x0a010101, .frontend_port = ENDPOINT_PORT },
	{ "endpoint that is not there", -ENOENT, .endpoint = 0x0a010163 },
	{ "another port of the endpoint", -ENOENT, .endpoint_port = 8081 },
	{ "orphan's endpoint on loopback", -EINVAL, .endpoint = INADDR_LOOPBACK, .flags = ORPHAN },
	{ "orphan's endpoint is a group", -EINVAL, .endpoint = 0xe0000001, .flags = ORPHAN },
	{ "no client's port", -EINVAL, .client_port = NOTHING },
	{ "no endpoint's port", -EINVAL, .endpoint_port = NOTHING },
	{ "another port without a flag", -EINVAL, .translated_port = 6000 },
	{ "closed, but not closing", -EINVAL, .fin = KSERV_FLOW_DIRECTION_FROM_CLIENT },
	{ "masquerade without a flag", -EINVAL, .masquerade = FOREIGN, .masquerade_port = 40000 },
	{ "masquerade by somebody's address", -EADDRNOTAVAIL, .flags = MASQUERADE, .masquerade = FOREIGN,
	  .masquerade_port = 40000 },
	{ "masquerade without a port", -EINVAL, .flags = MASQUERADE, .masquerade = FOREIGN },
	{ "addresses of two families", -EINVAL, .two_families = true },
};

KUNIT_ARRAY_PARAM_DESC(flow, flow_rows, name);

static union nf_inet_addr endpoint_addr(void)
{
	return world_endpoint_addr(NFPROTO_IPV4, 1, 0);
}

/* The service, with session affinity or without. */
static void make_service(struct kunit *test, u32 affinity)
{
	union nf_inet_addr addr = endpoint_addr(), front = { .ip = htonl(FRONTEND) };
	struct message message;

	message_begin(test, &message);
	message_set(&message, SERVICE, NFPROTO_IPV4, IPPROTO_TCP, KSERV_SET_MODE_MERGE);
	KUNIT_ASSERT_EQ(test, 0, nla_put_u32(message.skb, KSERV_A_SERVICE_AFFINITY_TIMEOUT, affinity));
	message_endpoint(&message, &addr, ENDPOINT_PORT,
			 KSERV_ENDPOINT_FLAGS_CLUSTER_SET | KSERV_ENDPOINT_FLAGS_SERVING, 100);
	message_frontend(&message, KSERV_FRONTEND_TYPE_CLUSTER_IP, &front, FRONTEND_PORT, 0);
	message_set_end(&message);
	KUNIT_ASSERT_EQ(test, message_commit(&message, test->priv), 0);
}

static const struct kserv_choices *choices_of(struct kunit *test)
{
	struct kserv_service_key key = { .name = SERVICE, .family = NFPROTO_IPV4, .protocol = IPPROTO_TCP };
	struct kserv_net *kn = test->priv;
	struct kserv_service *service;

	mutex_lock(&kn->mutex);
	service = kserv_service_lookup(kn, &key);
	mutex_unlock(&kn->mutex);
	return rcu_dereference_protected(service->choices, true);
}

static unsigned int n_flows(struct kunit *test)
{
	return percpu_counter_sum(&((struct kserv_net *)test->priv)->flows.n);
}

/* Nothing but its service holds the endpoint, and nothing is a load of it. */
static void expect_nothing_left(struct kunit *test)
{
	struct kserv_endpoint *endpoint = choices_of(test)->endpoint[0];

	KUNIT_EXPECT_EQ(test, n_flows(test), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&endpoint->active), 0);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, refcount_read(&endpoint->refs), 1);
}

/* ---- messages */

static struct sk_buff *begin(struct kunit *test)
{
	struct sk_buff *skb = nlmsg_new(MESSAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_NOT_NULL(test, genlmsg_put(skb, 0x7fffffff, 1, &kserv_nl_family, 0, KSERV_CMD_FLOW_SET));
	return skb;
}

static int put_port(struct sk_buff *skb, int type, u16 port, u16 usual)
{
	return port == NOTHING ? 0 : nla_put_be16(skb, type, htons(port ?: usual));
}

static int put_past(struct sk_buff *skb, const struct flow_row *row)
{
	return (row->translated_port ?
		nla_put_be16(skb, KSERV_A_FLOW_TRANSLATED_PORT, htons(row->translated_port)) : 0) ?:
	       (row->state ? nla_put_u8(skb, KSERV_A_FLOW_STATE, row->state) : 0) ?:
	       (row->fin ? nla_put_u8(skb, KSERV_A_FLOW_FIN, row->fin) : 0) ?:
	       (row->flags ? nla_put_u32(skb, KSERV_A_FLOW_FLAGS, row->flags) : 0) ?:
	       (row->masquerade ? nla_put_in_addr(skb, KSERV_A_FLOW_MASQUERADE4, htonl(row->masquerade)) : 0) ?:
	       (row->masquerade_port ?
		nla_put_be16(skb, KSERV_A_FLOW_MASQUERADE_PORT, htons(row->masquerade_port)) : 0);
}

static void put_flow(struct kunit *test, struct sk_buff *skb, const struct flow_row *row, u32 number)
{
	struct nlattr *nest = nla_nest_start(skb, KSERV_A_MESSAGE_FLOW_SET);
	union nf_inet_addr addr = endpoint_addr();
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, nest);
	if (row->endpoint)
		addr.ip = htonl(row->endpoint);
	ret = nla_put_u8(skb, KSERV_A_FLOW_FAMILY, NFPROTO_IPV4) ?:
	      nla_put_u8(skb, KSERV_A_FLOW_PROTOCOL, row->proto ?: IPPROTO_TCP) ?:
	      nla_put_string(skb, KSERV_A_FLOW_SERVICE, row->service ?: SERVICE) ?:
	      nla_put_in_addr(skb, KSERV_A_FLOW_CLIENT4, htonl(CLIENT + number)) ?:
	      put_port(skb, KSERV_A_FLOW_CLIENT_PORT, row->client_port, CLIENT_PORT) ?:
	      nla_put_in_addr(skb, KSERV_A_FLOW_FRONTEND4, htonl(row->frontend ?: FRONTEND)) ?:
	      put_port(skb, KSERV_A_FLOW_FRONTEND_PORT, row->frontend_port, FRONTEND_PORT) ?:
	      nla_put_in_addr(skb, KSERV_A_FLOW_ENDPOINT4, addr.ip) ?:
	      put_port(skb, KSERV_A_FLOW_ENDPOINT_PORT, row->endpoint_port, ENDPOINT_PORT) ?: put_past(skb, row);
	if (!ret && row->two_families)
		ret = nla_put_in6_addr(skb, KSERV_A_FLOW_FRONTEND6, &in6addr_any);
	KUNIT_ASSERT_EQ(test, ret, 0);
	nla_nest_end(skb, nest);
}

static int parse(struct sk_buff *skb, struct genl_info *info, struct nlattr **attrs)
{
	info->nlhdr = nlmsg_hdr(skb);
	nlmsg_hdr(skb)->nlmsg_len = skb->len;
	info->attrs = attrs;
	genl_info_net_set(info, &init_net);
	return __nlmsg_parse(info->nlhdr, GENL_HDRLEN, attrs, KSERV_A_MESSAGE_MAX, kserv_message_nl_policy,
			     NL_VALIDATE_STRICT, info->extack);
}

/* Carry it out, with allocation number @nth failing unless that is 0; frees it. */
static int commit(struct kunit *test, struct sk_buff *skb, unsigned int nth, bool *ret_injected)
{
	struct nlattr *attrs[KSERV_A_MESSAGE_MAX + 1];
	struct kserv_net *kn = test->priv;
	struct netlink_ext_ack extack = {};
	struct genl_info info = { .extack = &extack };
	struct resumption r = { .kn = kn, .extack = &extack };
	int ret;

	KUNIT_ASSERT_EQ(test, parse(skb, &info, attrs), 0);
	mutex_lock(&kn->mutex);
	kn->hooks_registered = true;
	world_fail_alloc(nth);
	ret = run(&r, &info);
	*ret_injected = world_alloc_failed(nth);
	kn->hooks_registered = false;
	mutex_unlock(&kn->mutex);
	KUNIT_EXPECT_TRUE(test, !ret || ret == -ENOMEM || extack._msg);
	nlmsg_free(skb);
	return ret;
}

static int commit_well(struct kunit *test, struct sk_buff *skb)
{
	bool unused;

	return commit(test, skb, 0, &unused);
}

/* ---- cases */

static void takes_what_was_and_refuses_the_rest(struct kunit *test)
{
	const struct flow_row *row = test->param_value;
	struct sk_buff *skb = begin(test);

	make_service(test, 0);
	put_flow(test, skb, row, 0);
	KUNIT_EXPECT_EQ(test, commit_well(test, skb), row->error);
	KUNIT_EXPECT_EQ(test, n_flows(test), !row->error);
	kserv_flow_delete(test->priv, &(struct kserv_flow_filter){});
	expect_nothing_left(test);
}

/* The policy is what stands before all of the above. */
static const struct {
	u16 type, len;
	u8 byte;
} lies[] = {
	{ KSERV_A_FLOW_STATE, 1, KSERV_FLOW_STATE_CLOSED + 1 }, { KSERV_A_FLOW_STATE, 0 }, { KSERV_A_FLOW_STATE, 4 },
	{ KSERV_A_FLOW_FLAGS, 4, 0xff }, { KSERV_A_FLOW_FLAGS, 1 }, { KSERV_A_FLOW_FIN, 1, 4 },
	{ KSERV_A_FLOW_CLIENT4, 3 }, { KSERV_A_FLOW_CLIENT6, 15 }, { KSERV_A_FLOW_CLIENT6, 17 },
	{ KSERV_A_FLOW_MASQUERADE6, 4 }, { KSERV_A_FLOW_MASQUERADE_PORT, 1 }, { KSERV_A_FLOW_ISN, 2 },
	{ KSERV_A_FLOW_EXPIRES_MS, 4 }, { KSERV_A_FLOW_SERVICE, 4, 'a' }, { KSERV_A_FLOW_SERVICE, 0 },
	{ KSERV_A_FLOW_PAD, 0 }, { KSERV_A_FLOW_MAX + 1, 4 },
};

static void members_of_other_sizes_do_not_get_in(struct kunit *test)
{
	struct nlattr *attrs[KSERV_A_MESSAGE_MAX + 1], *nest;
	struct netlink_ext_ack extack = {};
	struct genl_info info = { .extack = &extack };
	struct sk_buff *skb;
	u8 bytes[32];
	int i;

	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		memset(bytes, lies[i].byte, sizeof(bytes));
		skb = begin(test);
		nest = nla_nest_start(skb, KSERV_A_MESSAGE_FLOW_SET);
		KUNIT_ASSERT_NOT_NULL(test, nest);
		KUNIT_ASSERT_EQ(test, nla_put(skb, lies[i].type, lies[i].len, bytes), 0);
		nla_nest_end(skb, nest);
		KUNIT_EXPECT_LT_MSG(test, parse(skb, &info, attrs), 0, "member %u of %u bytes", lies[i].type,
				    lies[i].len);
		nlmsg_free(skb);
	}
}

static void a_message_is_done_whole_or_not_at_all(struct kunit *test)
{
	const struct flow_row row = {}, mistake = { .frontend_port = 81 };
	struct sk_buff *skb;
	int i;

	make_service(test, 0);
	for (i = 0; i < 3; i++) {
		skb = begin(test);
		put_flow(test, skb, &row, 0);
		put_flow(test, skb, &row, 1);
		/* Found wrong before anything is done, or when the others are there. */
		put_flow(test, skb, i ? &row : &mistake, i ? 0 : 2);
		put_flow(test, skb, &row, 3);
		KUNIT_EXPECT_EQ(test, commit_well(test, skb), i ? -EEXIST : -ENOENT);
		expect_nothing_left(test);
	}
}

static void what_was_there_before_outlives_a_refusal(struct kunit *test)
{
	const struct flow_row row = {};
	struct sk_buff *skb = begin(test);
	struct kserv_tuple client = {
		.src.ip = htonl(CLIENT), .dst.ip = htonl(FRONTEND), .sport = htons(CLIENT_PORT),
		.dport = htons(FRONTEND_PORT), .family = NFPROTO_IPV4, .proto = IPPROTO_TCP,
	};

	make_service(test, 0);
	put_flow(test, skb, &row, 0);
	KUNIT_ASSERT_EQ(test, commit_well(test, skb), 0);
	skb = begin(test);
	put_flow(test, skb, &row, 1);
	put_flow(test, skb, &row, 0);
	put_flow(test, skb, &row, 2);
	KUNIT_EXPECT_EQ(test, commit_well(test, skb), -EEXIST);
	KUNIT_EXPECT_EQ(test, n_flows(test), 1);
	rcu_read_lock();
	KUNIT_EXPECT_NOT_NULL(test, kserv_flow_lookup_client(test->priv, &client));
	rcu_read_unlock();
}

/* Two at a time, so that one of the last two may find room. */
static void a_full_table_takes_none_of_a_message(struct kunit *test)
{
	const struct flow_row row = {};
	struct sk_buff *skb;
	unsigned int i, n;
	int ret = 0;

	make_service(test, 0);
	for (i = 0, n = 0; !ret && i < 2 * WORLD_FLOWS; i += 2) {
		n = n_flows(test);
		skb = begin(test);
		put_flow(test, skb, &row, i);
		put_flow(test, skb, &row, i + 1);
		ret = commit_well(test, skb);
	}
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	KUNIT_EXPECT_EQ(test, n_flows(test), n);
	kserv_flow_delete(test->priv, &(struct kserv_flow_filter){});
	expect_nothing_left(test);
}

static void without_memory_nothing_is_put_back(struct kunit *test)
{
	const struct flow_row row = { .flags = ORPHAN }, orphan = { .endpoint = 0x0a010163, .flags = ORPHAN };
	unsigned int nth, failures = 0;
	bool injected = true;
	struct sk_buff *skb;
	int ret;

	make_service(test, 0);
	for (nth = 1; injected && nth < 100; nth++) {
		skb = begin(test);
		put_flow(test, skb, &row, 0);
		put_flow(test, skb, &orphan, 1);
		put_flow(test, skb, &row, 2);
		ret = commit(test, skb, nth, &injected);
		KUNIT_EXPECT_TRUE(test, ret == (injected ? -ENOMEM : 0) || (injected && !ret));
		KUNIT_EXPECT_EQ(test, n_flows(test), ret ? 0 : 3);
		failures += !!ret;
		kserv_flow_delete(test->priv, &(struct kserv_flow_filter){});
		expect_nothing_left(test);
	}
	KUNIT_EXPECT_FALSE(test, injected);
	KUNIT_EXPECT_GE(test, failures, 4);
}

static struct kserv_flow *resume(struct kunit *test, u32 number, const struct kserv_flow_past *past)
{
	struct kserv_tuple client = world_client(NFPROTO_IPV4, IPPROTO_TCP, 1, number, CLIENT_PORT);
	struct kserv_endpoint *endpoint = choices_of(test)->endpoint[0];
	struct kserv_flow *flow;

	world_packets_begin();
	flow = kserv_flow_resume(test->priv, &client, endpoint, htons(CLIENT_PORT), MASQUERADE, past);
	world_packets_end();
	return flow;
}

static void a_connection_is_what_it_was(struct kunit *test)
{
	struct kserv_flow_past past = {
		.state = KSERV_FLOW_STATE_CLOSING, .fin = KSERV_FLOW_DIRECTION_FROM_CLIENT, .left_ms = 5000,
		.packets = { 7, 8 }, .bytes = { 700, 800 }, .masquerade_addr.ip = htonl(FOREIGN),
		.masquerade_port = htons(40000),
	};
	struct kserv_flow *flow, *other;
	s32 left;

	make_service(test, 0);
	flow = resume(test, 0, &past);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, flow);
	left = flow->expires - (u32)jiffies;
	KUNIT_EXPECT_LE(test, left, 5 * HZ);
	KUNIT_EXPECT_EQ(test, flow->state, past.state);
	KUNIT_EXPECT_EQ(test, flow->fin, past.fin);
	KUNIT_EXPECT_EQ(test, (u64)atomic64_read(&flow->packets[KSERV_DIR_OUT]), 8);
	KUNIT_EXPECT_TRUE(test, rcu_access_pointer(flow->masquerade) != NULL);
	KUNIT_EXPECT_EQ(test, atomic_read(&flow->endpoint->active), 1);
	/* Another client's may not have the same port, and is not there then. */
	other = resume(test, 1, &past);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(other), -EEXIST);
	KUNIT_EXPECT_EQ(test, n_flows(test), 1);
	/* One that is over is no load. */
	past.fin |= KSERV_FLOW_DIRECTION_FROM_ENDPOINT;
	past.masquerade_port = 0;
	other = resume(test, 2, &past);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	KUNIT_EXPECT_EQ(test, atomic_read(&flow->endpoint->active), 1);
	kserv_flow_delete(test->priv, &(struct kserv_flow_filter){});
	expect_nothing_left(test);
}

static void put_session(struct kunit *test, struct sk_buff *skb, u32 endpoint)
{
	struct nlattr *nest = nla_nest_start(skb, KSERV_A_MESSAGE_SESSION_SET);

	KUNIT_ASSERT_NOT_NULL(test, nest);
	KUNIT_ASSERT_EQ(test, 0, nla_put_string(skb, KSERV_A_SESSION_SERVICE, SERVICE) ?:
				 nla_put_u8(skb, KSERV_A_SESSION_PROTOCOL, IPPROTO_TCP) ?:
				 nla_put_in_addr(skb, KSERV_A_SESSION_CLIENT4, htonl(CLIENT)) ?:
				 nla_put_in_addr(skb, KSERV_A_SESSION_ENDPOINT4, htonl(endpoint)) ?:
				 nla_put_be16(skb, KSERV_A_SESSION_ENDPOINT_PORT, htons(ENDPOINT_PORT)));
	nla_nest_end(skb, nest);
}

static void remembered_clients_need_a_service_that_remembers(struct kunit *test)
{
	struct kserv_net *kn = test->priv;
	struct sk_buff *skb;

	make_service(test, 0);
	skb = begin(test);
	put_session(test, skb, ntohl(endpoint_addr().ip));
	KUNIT_EXPECT_EQ(test, commit_well(test, skb), -EINVAL);
	make_service(test, 100);
	skb = begin(test);
	put_session(test, skb, FOREIGN);
	KUNIT_EXPECT_EQ(test, commit_well(test, skb), -ENOENT);
	KUNIT_EXPECT_EQ(test, atomic_read(&kn->sessions.n), 0);
	skb = begin(test);
	put_session(test, skb, ntohl(endpoint_addr().ip));
	KUNIT_EXPECT_EQ(test, commit_well(test, skb), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&kn->sessions.n), 1);
}

static struct kunit_case resume_kunit_cases[] = {
	KUNIT_CASE_PARAM(takes_what_was_and_refuses_the_rest, flow_gen_params),
	KUNIT_CASE(members_of_other_sizes_do_not_get_in),
	KUNIT_CASE(a_message_is_done_whole_or_not_at_all),
	KUNIT_CASE(what_was_there_before_outlives_a_refusal),
	KUNIT_CASE(a_full_table_takes_none_of_a_message),
	KUNIT_CASE(without_memory_nothing_is_put_back),
	KUNIT_CASE(a_connection_is_what_it_was),
	KUNIT_CASE(remembered_clients_need_a_service_that_remembers),
	{}
};

static struct kunit_suite resume_kunit_suite = {
	.name = "kserv_resume",
	.init = world_suite_init,
	.exit = world_suite_exit,
	.test_cases = resume_kunit_cases,
};

kunit_test_suite(resume_kunit_suite);
