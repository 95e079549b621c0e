// SPDX-License-Identifier: GPL-2.0
/* The verdict on a packet that belongs to no flow: one row for each rule. */
#include "../../kmod/decide.c"
#include "message.h"
#include "world.h"

#define LOCAL_SET KSERV_FRONTEND_FLAGS_LOCAL_SET
#define SHORT_CIRCUIT KSERV_FRONTEND_FLAGS_SHORT_CIRCUIT
#define DROP_EMPTY KSERV_FRONTEND_FLAGS_DROP_EMPTY
#define MASQUERADE_POD KSERV_FRONTEND_FLAGS_MASQUERADE_POD
#define MASQUERADE_NODE KSERV_FRONTEND_FLAGS_MASQUERADE_NODE
#define MASQUERADE_OTHER KSERV_FRONTEND_FLAGS_MASQUERADE_OTHER

enum source { POD, NODE, OTHER };

/* Endpoints that the service has. */
enum endpoints { NONE, REMOTE, HERE, WEIGHTLESS };

struct decide_case {
	const char *name;
	u8 flags;		/* of the frontend 10.96.0.1:80 */
	enum endpoints endpoints;
	enum source source;
	u32 to;			/* 0 for 10.96.0.1 */
	u16 port;		/* 0 for 80 */
	u8 proto;		/* 0 for TCP */
	bool echo;		/* a ping */
	bool protocol_zero;	/* whatever @proto is */
	u8 verdict;
	u8 reason;
	bool local;
	bool masquerade;
};

#define TRANSLATE .verdict = KSERV_VERDICT_TRANSLATE
#define REJECT(why) .verdict = KSERV_VERDICT_REJECT, .reason = KSERV_REASON_##why
#define DROP(why) .verdict = KSERV_VERDICT_DROP, .reason = KSERV_REASON_##why
#define PASS(why) .verdict = KSERV_VERDICT_PASS, .reason = KSERV_REASON_##why

static const struct decide_case decide_cases[] = {
	{ "cluster IP from a pod", 0, HERE, POD, TRANSLATE },
	{ "cluster IP from the node", 0, HERE, NODE, TRANSLATE },
	{ "cluster IP from outside", 0, HERE, OTHER, TRANSLATE },
	{ "another address", 0, HERE, POD, .to = 0x08080808, PASS(NO_FRONTEND) },
	{ "another protocol", 0, HERE, POD, .proto = IPPROTO_UDP, REJECT(UNDEFINED_PORT) },
	{ "undefined port of a cluster IP", 0, HERE, POD, .port = 81, REJECT(UNDEFINED_PORT) },
	{ "ICMP to a cluster IP", 0, HERE, POD, .proto = IPPROTO_ICMP, REJECT(UNDEFINED_PORT) },
	{ "ping of a cluster IP", 0, HERE, POD, .proto = IPPROTO_ICMP, .echo = true, REJECT(UNDEFINED_PORT) },
	{ "protocol 0 to a cluster IP", 0, HERE, POD, .protocol_zero = true, REJECT(UNDEFINED_PORT) },
	{ "ping of a load-balancer address", 0, HERE, OTHER, .to = 0xc00002f1, .proto = IPPROTO_ICMP, .echo = true,
	  .verdict = KSERV_VERDICT_ANSWER },
	{ "ping of a load-balancer address without endpoints", 0, NONE, OTHER, .to = 0xc00002f1, .proto = IPPROTO_ICMP,
	  .echo = true, .verdict = KSERV_VERDICT_ANSWER },
	{ "other ICMP to a load-balancer address", 0, HERE, OTHER, .to = 0xc00002f1, .proto = IPPROTO_ICMP,
	  PASS(NO_FRONTEND) },
	{ "protocol 0 to a load-balancer address", 0, HERE, OTHER, .to = 0xc00002f1, .protocol_zero = true,
	  PASS(NO_FRONTEND) },
	{ "ping of an external IP", 0, HERE, OTHER, .to = 0xcb007101, .proto = IPPROTO_ICMP, .echo = true,
	  PASS(NO_FRONTEND) },
	{ "unallocated address of the service CIDR", 0, HERE, POD, .to = 0x0a600099, DROP(UNALLOCATED_ADDRESS) },
	{ "without endpoints", 0, NONE, POD, REJECT(NO_ENDPOINTS) },
	{ "with an endpoint of no weight alone", 0, WEIGHTLESS, POD, REJECT(NO_ENDPOINTS) },
	{ "without endpoints and to be dropped, but not Local", DROP_EMPTY, NONE, POD, REJECT(NO_ENDPOINTS) },
	{ "Local with an endpoint here", LOCAL_SET, HERE, OTHER, TRANSLATE, .local = true },
	{ "Local with none here", LOCAL_SET, REMOTE, OTHER, REJECT(NO_ENDPOINTS), .local = true },
	{ "Local with none here, to be dropped", LOCAL_SET | DROP_EMPTY, REMOTE, OTHER, DROP(NO_LOCAL_ENDPOINTS),
	  .local = true },
	{ "Local, short-circuited for pods", LOCAL_SET | SHORT_CIRCUIT | DROP_EMPTY, REMOTE, POD, TRANSLATE },
	{ "Local, short-circuited for the node", LOCAL_SET | SHORT_CIRCUIT | DROP_EMPTY, REMOTE, NODE, TRANSLATE },
	{ "Local, not short-circuited for others", LOCAL_SET | SHORT_CIRCUIT | DROP_EMPTY, REMOTE, OTHER,
	  DROP(NO_LOCAL_ENDPOINTS), .local = true },
	{ "masqueraded for pods, from a pod", MASQUERADE_POD, HERE, POD, TRANSLATE, .masquerade = true },
	{ "masqueraded for pods, from outside", MASQUERADE_POD, HERE, OTHER, TRANSLATE },
	{ "masqueraded for the node, from it", MASQUERADE_NODE, HERE, NODE, TRANSLATE, .masquerade = true },
	{ "masqueraded for the node, from a pod", MASQUERADE_NODE, HERE, POD, TRANSLATE },
	{ "masqueraded for others, from outside", MASQUERADE_OTHER, HERE, OTHER, TRANSLATE, .masquerade = true },
	{ "masqueraded for others, from a pod", MASQUERADE_OTHER, HERE, POD, TRANSLATE },
	{ "port of another service's external IP", 0, HERE, OTHER, .to = 0xcb007101, .port = 8443, TRANSLATE },
	{ "another port of an external IP", 0, HERE, OTHER, .to = 0xcb007101, .port = 81, PASS(NO_FRONTEND) },
	{ "node port on an address that is not the node's", 0, HERE, OTHER, .to = 0xc0000201, .port = 30080,
	  PASS(NOT_A_NODE_PORT_ADDRESS) },
	{ "node port on loopback", 0, HERE, NODE, .to = INADDR_LOOPBACK, .port = 30080,
	  PASS(NOT_A_NODE_PORT_ADDRESS) },
};

KUNIT_ARRAY_PARAM_DESC(decide, decide_cases, name);

static union nf_inet_addr addr4(u32 value)
{
	union nf_inet_addr addr = { .ip = htonl(value) };

	return addr;
}

/* The frontend of the case, an external IP and a node port, with as many endpoints as the case wants. */
static void make_service(struct kunit *test, const struct decide_case *c)
{
	union nf_inet_addr cluster_ip = addr4(0x0a600001), external_ip = addr4(0xcb007101);
	union nf_inet_addr balancer_ip = addr4(0xc00002f1);
	union nf_inet_addr endpoint = world_endpoint_addr(NFPROTO_IPV4, 1, 0);
	struct message message;

	message_begin(test, &message);
	message_set(&message, "kunit/web", NFPROTO_IPV4, IPPROTO_TCP, KSERV_SET_MODE_MERGE);
	if (c->endpoints != NONE)
		message_endpoint(&message, &endpoint, 8080, KSERV_ENDPOINT_FLAGS_CLUSTER_SET |
				 (c->endpoints == HERE ? KSERV_ENDPOINT_FLAGS_LOCAL_SET : 0),
				 c->endpoints == WEIGHTLESS ? 0 : 100);
	message_frontend(&message, KSERV_FRONTEND_TYPE_CLUSTER_IP, &cluster_ip, 80, c->flags);
	message_frontend(&message, KSERV_FRONTEND_TYPE_EXTERNAL_IP, &external_ip, 8443, 0);
	message_frontend(&message, KSERV_FRONTEND_TYPE_LOAD_BALANCER_IP, &balancer_ip, 80, 0);
	message_frontend(&message, KSERV_FRONTEND_TYPE_NODE_PORT, NULL, 30080, 0);
	message_set_end(&message);
	KUNIT_ASSERT_EQ(test, message_commit(&message, test->priv), 0);
}

static struct kserv_prefixes *one_prefix(struct kunit *test, u32 addr, u8 len)
{
	struct kserv_prefixes *prefixes = kzalloc(struct_size(prefixes, v, 1), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, prefixes);
	prefixes->n = 1;
	prefixes->families = 1;
	prefixes->v[0] = (struct kserv_prefix){ .addr = addr4(addr), .family = NFPROTO_IPV4, .len = len };
	return prefixes;
}

static void configure(struct kunit *test)
{
	struct kserv_config *config = world_config(test->priv);

	config->detect_local = KSERV_DETECT_LOCAL_CIDR;
	config->pod_cidrs = one_prefix(test, 0x0af40000, 16);
	config->service_cidrs = one_prefix(test, 0x0a600000, 16);
}

static struct kserv_decision decide(struct kunit *test, const struct decide_case *c)
{
	/* The address of the node that the VM has in any case. */
	bool has_ports = !c->protocol_zero && c->proto != IPPROTO_ICMP;
	static const u32 sources[] = { [POD] = 0x0af40105, [NODE] = INADDR_LOOPBACK, [OTHER] = 0xac100001 };
	struct kserv_question question = {
		.tuple = {
			.src = addr4(sources[c->source]), .dst = addr4(c->to ?: 0x0a600001),
			.sport = htons(has_ports ? 40000 : 0), .dport = htons(has_ports ? c->port ?: 80 : 0),
			.family = NFPROTO_IPV4, .proto = c->protocol_zero ? 0 : c->proto ?: IPPROTO_TCP,
		},
		.is_echo = c->echo,
	};
	struct kserv_decision decision;

	rcu_read_lock();
	kserv_decide(test->priv, &question, &decision);
	rcu_read_unlock();
	return decision;
}

static void decides_by_the_rules(struct kunit *test)
{
	static const u8 types[] = {
		[POD] = KSERV_SOURCE_TYPE_POD, [NODE] = KSERV_SOURCE_TYPE_NODE, [OTHER] = KSERV_SOURCE_TYPE_OTHER,
	};
	const struct decide_case *c = test->param_value;
	struct kserv_decision decision;

	configure(test);
	make_service(test, c);
	decision = decide(test, c);
	KUNIT_EXPECT_EQ(test, decision.verdict, c->verdict);
	KUNIT_EXPECT_EQ(test, decision.reason, c->reason);
	if (!decision.frontend)
		return;
	KUNIT_EXPECT_EQ(test, decision.source, types[c->source]);
	KUNIT_EXPECT_EQ(test, decision.local, c->local);
	KUNIT_EXPECT_EQ(test, decision.masquerade, c->masquerade);
}

/* Rules 5.1 to 5.9: a pod that reaches itself would answer past the node. */
static void masquerades_a_pod_that_reaches_itself(struct kunit *test)
{
	static const struct decide_case c = { .endpoints = HERE };
	struct kserv_question question = { .tuple.family = NFPROTO_IPV4 };
	struct kserv_endpoint endpoint = { .addr = world_endpoint_addr(NFPROTO_IPV4, 1, 0) };
	struct kserv_decision decision;

	configure(test);
	make_service(test, &c);
	decision = decide(test, &c);
	question.tuple.src = addr4(0x0af40105);
	KUNIT_EXPECT_FALSE(test, kserv_decide_masquerade(&decision, &question, &endpoint));
	question.tuple.src = endpoint.addr;
	KUNIT_EXPECT_TRUE(test, kserv_decide_masquerade(&decision, &question, &endpoint));
}

static void knows_prefixes(struct kunit *test)
{
	struct kserv_prefixes *prefixes = one_prefix(test, 0x0a010200, 23);
	union nf_inet_addr in = addr4(0x0a0103ff), out = addr4(0x0a010400), v6 = {};

	KUNIT_EXPECT_TRUE(test, kserv_prefixes_contain(prefixes, NFPROTO_IPV4, &in));
	KUNIT_EXPECT_FALSE(test, kserv_prefixes_contain(prefixes, NFPROTO_IPV4, &out));
	KUNIT_EXPECT_FALSE(test, kserv_prefixes_contain(prefixes, NFPROTO_IPV6, &in));
	KUNIT_EXPECT_FALSE(test, kserv_prefixes_contain(NULL, NFPROTO_IPV4, &in));
	prefixes->v[0] = (struct kserv_prefix){ .family = NFPROTO_IPV4 };
	KUNIT_EXPECT_TRUE(test, kserv_prefixes_contain(prefixes, NFPROTO_IPV4, &out));
	prefixes->v[0] = (struct kserv_prefix){ .addr = in, .family = NFPROTO_IPV4, .len = 32 };
	KUNIT_EXPECT_TRUE(test, kserv_prefixes_contain(prefixes, NFPROTO_IPV4, &in));
	KUNIT_EXPECT_FALSE(test, kserv_prefixes_contain(prefixes, NFPROTO_IPV4, &out));
	v6.all[0] = htonl(0xfd000010);
	prefixes->v[0] = (struct kserv_prefix){ .addr = v6, .family = NFPROTO_IPV6, .len = 28 };
	KUNIT_EXPECT_TRUE(test, kserv_prefixes_contain(prefixes, NFPROTO_IPV6, &v6));
	v6.all[0] = htonl(0xfd00001f);
	KUNIT_EXPECT_TRUE(test, kserv_prefixes_contain(prefixes, NFPROTO_IPV6, &v6));
	v6.all[0] = htonl(0xfd000020);
	KUNIT_EXPECT_FALSE(test, kserv_prefixes_contain(prefixes, NFPROTO_IPV6, &v6));
	kfree(prefixes);
}

static struct kunit_case decide_kunit_cases[] = {
	KUNIT_CASE_PARAM(decides_by_the_rules, decide_gen_params),
	KUNIT_CASE(masquerades_a_pod_that_reaches_itself),
	KUNIT_CASE(knows_prefixes),
	{}
};

static struct kunit_suite decide_kunit_suite = {
	.name = "kserv_decide",
	.init = world_suite_init,
	.exit = world_suite_exit,
	.test_cases = decide_kunit_cases,
};

kunit_test_suite(decide_kunit_suite);
