// SPDX-License-Identifier: GPL-2.0
/*
 * The tables against a simple model of them, through random transactions; and what is left of a transaction that fails,
 * be it refused or out of memory: nothing.
 */
#include "../../kmod/service.c"
#include "../../kmod/config.h"
#include "message.h"
#include "world.h"

#include <linux/prandom.h>

#define N_SERVICES 3
#define N_ENDPOINTS 10
#define N_FRONTENDS 8
#define ROUNDS 400
#define LOCAL KSERV_ENDPOINT_FLAGS_LOCAL_SET
#define CLUSTER KSERV_ENDPOINT_FLAGS_CLUSTER_SET
#define SERVING KSERV_ENDPOINT_FLAGS_SERVING

/* @set: by the message that is being made: replacing spares it. */
struct model_endpoint {
	bool there;
	bool set;
	u8 flags;
	u16 weight;
};

struct model_service {
	bool there;
	struct model_endpoint endpoint[N_ENDPOINTS];
};

/* @owner is 1 + number of the service that has the frontend. */
struct model {
	struct model_service service[N_SERVICES];
	struct {
		unsigned int owner;
		bool set;
		u8 flags;
	} frontend[N_FRONTENDS];
};

static const char *const names[N_SERVICES] = { "kunit/a:http", "kunit/b", "kunit/c:dns" };

/*
 * Frontends 0 to 3 are two ports of two cluster IPs, 4 is an external IP, 5 a node port, 6 and 7 two ports of a
 * load-balancer address.
 */
static u8 frontend_type(unsigned int i)
{
	static const u8 types[] = {
		[4] = KSERV_FRONTEND_TYPE_EXTERNAL_IP, [5] = KSERV_FRONTEND_TYPE_NODE_PORT,
		[6] = KSERV_FRONTEND_TYPE_LOAD_BALANCER_IP, [7] = KSERV_FRONTEND_TYPE_LOAD_BALANCER_IP,
	};

	return i < 4 ? KSERV_FRONTEND_TYPE_CLUSTER_IP : types[i];
}

static union nf_inet_addr frontend_addr(unsigned int i)
{
	union nf_inet_addr addr = { .ip = htonl(i > 5 ? 0xc00002f1 : i == 4 ? 0xcb007101 : 0x0a600001 + i / 2) };

	return addr;
}

static u16 frontend_port(unsigned int i)
{
	return i == 5 ? 30080 : 80 + i % 2;
}

/* Nobody else changes the tables. */
static struct kserv_frontend *lookup(struct kserv_net *kn, const struct kserv_frontend_key *key)
{
	struct kserv_frontend *frontend;

	rcu_read_lock();
	frontend = kserv_frontend_lookup(kn, key);
	rcu_read_unlock();
	return frontend;
}

static struct kserv_frontend *frontend_of(struct kserv_net *kn, unsigned int i)
{
	struct kserv_frontend_key key = {
		.port = htons(frontend_port(i)), .protocol = IPPROTO_TCP, .family = NFPROTO_IPV4,
		.node_port = i == 5,
	};

	if (i != 5)
		key.addr = frontend_addr(i);
	return lookup(kn, &key);
}

static bool guard_is_there(struct kserv_net *kn, unsigned int i)
{
	struct kserv_frontend_key key = { .addr = frontend_addr(i), .family = NFPROTO_IPV4 };

	if (frontend_type(i) == KSERV_FRONTEND_TYPE_LOAD_BALANCER_IP)
		key.protocol = IPPROTO_ICMP;
	return lookup(kn, &key);
}

/* Random changes to one service, said to the kernel and to the model. No endpoint is named twice. */
static void change_endpoints(struct message *message, struct model_service *service, struct rnd_state *rnd,
			     bool replace)
{
	union nf_inet_addr addr;
	unsigned int i;

	for (i = 0; i < N_ENDPOINTS; i++) {
		struct model_endpoint *endpoint = &service->endpoint[i];
		u32 dice = prandom_u32_state(rnd);

		addr = world_endpoint_addr(NFPROTO_IPV4, 1, i);
		if (dice % 3 == 0) {
			endpoint->there = true;
			endpoint->set = true;
			endpoint->flags = dice >> 8 & (LOCAL | CLUSTER | SERVING);
			endpoint->weight = dice >> 16 & 1 ? 100 : 50;
			message_endpoint(message, &addr, 8080, endpoint->flags, endpoint->weight);
		} else if (replace) {
			endpoint->there &= endpoint->set;
		} else if (dice % 3 == 1 && endpoint->there) {
			endpoint->there = false;
			message_endpoint_del(message, &addr, 8080);
		}
	}
}

static void change_frontends(struct message *message, struct model *model, unsigned int number, struct rnd_state *rnd,
			     bool replace)
{
	union nf_inet_addr addr;
	unsigned int i;

	for (i = 0; i < N_FRONTENDS; i++) {
		unsigned int owner = model->frontend[i].owner;
		u32 dice = prandom_u32_state(rnd);

		if (owner && owner != number + 1)
			continue;
		addr = frontend_addr(i);
		if (dice % 3 == 0) {
			model->frontend[i].owner = number + 1;
			model->frontend[i].set = true;
			model->frontend[i].flags = dice >> 8 & 63;
			message_frontend(message, frontend_type(i), &addr, frontend_port(i), dice >> 8 & 63);
		} else if (replace) {
			if (!model->frontend[i].set)
				model->frontend[i].owner = 0;
		} else if (dice % 3 == 1 && owner) {
			model->frontend[i].owner = 0;
			message_frontend_del(message, frontend_type(i), &addr, frontend_port(i));
		}
	}
}

static void change_service(struct message *message, struct model *model, unsigned int number, struct rnd_state *rnd)
{
	bool replace = prandom_u32_state(rnd) & 1;

	message_set(message, names[number], NFPROTO_IPV4, IPPROTO_TCP,
		    replace ? KSERV_SET_MODE_REPLACE : KSERV_SET_MODE_MERGE);
	model->service[number].there = true;
	change_endpoints(message, &model->service[number], rnd, replace);
	change_frontends(message, model, number, rnd, replace);
	message_set_end(message);
}

static void delete_service(struct message *message, struct model *model, unsigned int number)
{
	unsigned int i;

	message_del(message, names[number], NFPROTO_IPV4, IPPROTO_TCP);
	memset(&model->service[number], 0, sizeof(model->service[number]));
	for (i = 0; i < N_FRONTENDS; i++)
		if (model->frontend[i].owner == number + 1)
			model->frontend[i].owner = 0;
}

/* Each service is changed, deleted, deleted and set again, set twice, or left alone. */
static void make_transaction(struct kunit *test, struct message *message, struct model *model, struct rnd_state *rnd)
{
	unsigned int i, j;

	message_begin(test, message);
	for (i = 0; i < N_FRONTENDS; i++)
		model->frontend[i].set = false;
	for (i = 0; i < N_SERVICES; i++) {
		for (j = 0; j < N_ENDPOINTS; j++)
			model->service[i].endpoint[j].set = false;
	}
	for (i = 0; i < N_SERVICES; i++) {
		u32 dice = prandom_u32_state(rnd) % 8;

		if (dice <= 1 && model->service[i].there)
			delete_service(message, model, i);
		if (dice >= 1 && dice <= 5)
			change_service(message, model, i, rnd);
		if (dice == 5)
			change_service(message, model, i, rnd);
	}
}

static unsigned int group_number(u8 flags)
{
	switch (flags & (LOCAL | CLUSTER)) {
	case LOCAL:
		return KSERV_GROUP_LOCAL;
	case LOCAL | CLUSTER:
		return KSERV_GROUP_BOTH;
	case CLUSTER:
		return KSERV_GROUP_CLUSTER;
	default:
		return KSERV_GROUP_NEITHER;
	}
}

static void expect_order(struct kunit *test, const struct kserv_choices *choices)
{
	unsigned int i, in_group[KSERV_N_GROUPS] = {};

	for (i = 0; i < choices->n; i++) {
		const struct kserv_endpoint *endpoint = choices->endpoint[i], *last = choices->endpoint[i ? i - 1 : 0];

		in_group[group_number(endpoint->flags)]++;
		if (!i)
			continue;
		KUNIT_ASSERT_GE(test, group_number(endpoint->flags), group_number(last->flags));
		if (group_number(endpoint->flags) == group_number(last->flags))
			KUNIT_ASSERT_GT(test, memcmp(&endpoint->addr, &last->addr, sizeof(last->addr)), 0);
	}
	KUNIT_ASSERT_EQ(test, choices->cluster_first, in_group[KSERV_GROUP_LOCAL]);
	KUNIT_ASSERT_EQ(test, choices->n_local, in_group[KSERV_GROUP_LOCAL] + in_group[KSERV_GROUP_BOTH]);
	KUNIT_ASSERT_EQ(test, choices->n_cluster, in_group[KSERV_GROUP_BOTH] + in_group[KSERV_GROUP_CLUSTER]);
}

static const struct kserv_endpoint *endpoint_at(const struct kserv_choices *choices, unsigned int number)
{
	union nf_inet_addr addr = world_endpoint_addr(NFPROTO_IPV4, 1, number);
	unsigned int i;

	for (i = 0; i < choices->n; i++)
		if (kserv_addr_equal(&choices->endpoint[i]->addr, &addr))
			return choices->endpoint[i];
	return NULL;
}

static unsigned int expect_endpoints(struct kunit *test, const struct kserv_choices *choices,
				     const struct model_service *model)
{
	unsigned int i, n = 0, serving = 0;

	for (i = 0; i < N_ENDPOINTS; i++) {
		const struct kserv_endpoint *endpoint = endpoint_at(choices, i);

		KUNIT_ASSERT_EQ(test, !!endpoint, model->endpoint[i].there);
		if (!endpoint)
			continue;
		n++;
		serving += !!(endpoint->flags & SERVING);
		KUNIT_ASSERT_EQ(test, endpoint->flags, model->endpoint[i].flags);
		KUNIT_ASSERT_EQ(test, endpoint->weight, model->endpoint[i].weight);
		KUNIT_ASSERT_EQ(test, refcount_read(&endpoint->refs), 1);
		KUNIT_ASSERT_FALSE(test, endpoint->removed);
		KUNIT_ASSERT_FALSE(test, endpoint->named);
	}
	KUNIT_ASSERT_EQ(test, choices->n, n);
	KUNIT_ASSERT_EQ(test, choices->serving, serving);
	return n;
}

static struct kserv_service *service_at(struct kserv_net *kn, unsigned int number)
{
	struct kserv_service_key key = { names[number], NFPROTO_IPV4, IPPROTO_TCP };
	struct kserv_service *service;

	mutex_lock(&kn->mutex);
	service = kserv_service_lookup(kn, &key);
	mutex_unlock(&kn->mutex);
	return service;
}

static void expect_frontends(struct kunit *test, struct kserv_net *kn, const struct model *model)
{
	bool guarded[N_FRONTENDS / 2] = {};
	unsigned int i, n = 0;

	for (i = 0; i < N_FRONTENDS; i++) {
		unsigned int owner = model->frontend[i].owner;
		const struct kserv_frontend *frontend = frontend_of(kn, i);

		KUNIT_ASSERT_EQ_MSG(test, !!frontend, !!owner, "frontend %u", i);
		if (!frontend)
			continue;
		n++;
		guarded[i / 2] = true;
		KUNIT_ASSERT_PTR_EQ(test, frontend->service, service_at(kn, owner - 1));
		KUNIT_ASSERT_EQ(test, frontend->flags, model->frontend[i].flags);
		KUNIT_ASSERT_EQ(test, frontend->staged, 0);
	}
	KUNIT_ASSERT_EQ(test, kn->n_frontends, n);
	KUNIT_ASSERT_EQ(test, guard_is_there(kn, 0), guarded[0]);
	KUNIT_ASSERT_EQ(test, guard_is_there(kn, 2), guarded[1]);
	KUNIT_ASSERT_EQ(test, guard_is_there(kn, 6), guarded[3]);
}

static void expect_model(struct kunit *test, struct kserv_net *kn, const struct model *model)
{
	unsigned int i, n_services = 0, n_endpoints = 0;

	for (i = 0; i < N_SERVICES; i++) {
		const struct kserv_service *service = service_at(kn, i);
		const struct kserv_choices *choices;

		KUNIT_ASSERT_EQ(test, !!service, model->service[i].there);
		if (!service)
			continue;
		choices = rcu_dereference_protected(service->choices, true);
		KUNIT_ASSERT_NULL(test, service->staged);
		expect_order(test, choices);
		n_endpoints += expect_endpoints(test, choices, &model->service[i]);
		n_services++;
	}
	KUNIT_ASSERT_EQ(test, kn->n_services, n_services);
	KUNIT_ASSERT_EQ(test, kn->n_endpoints, n_endpoints);
	expect_frontends(test, kn, model);
}

static void transactions_do_what_they_say(struct kunit *test)
{
	struct kserv_net *kn = test->priv;
	struct model model = {};
	struct message message;
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, 10);
	for (i = 0; i < ROUNDS; i++) {
		make_transaction(test, &message, &model, &rnd);
		KUNIT_ASSERT_EQ_MSG(test, message_commit(&message, kn), 0, "round %u", i);
		KUNIT_ASSERT_EQ(test, kn->generation, i + 1);
		expect_model(test, kn, &model);
	}
}

/* After changes that are all right, one that is not. */
static void append_mistake(struct message *message, const struct model *after, u32 dice)
{
	union nf_inet_addr addr = world_endpoint_addr(NFPROTO_IPV4, 1, 50), front = frontend_addr(4);

	switch (dice % 5) {
	case 0:
		message_del(message, "kunit/nowhere", NFPROTO_IPV4, IPPROTO_TCP);
		return;
	case 1:
		message_set(message, "kunit/new", NFPROTO_IPV4, IPPROTO_TCP, KSERV_SET_MODE_UPDATE);
		break;
	case 2:
		message_set(message, "kunit/new", NFPROTO_IPV4, IPPROTO_TCP, KSERV_SET_MODE_MERGE);
		message_endpoint_del(message, &addr, 8080);
		break;
	case 3:
		message_set(message, "kunit/new", NFPROTO_IPV4, IPPROTO_TCP, KSERV_SET_MODE_MERGE);
		message_endpoint(message, &addr, 8080, CLUSTER, 100);
		message_endpoint(message, &addr, 8080, CLUSTER, 100);
		break;
	default:
		message_set(message, "kunit/new", NFPROTO_IPV4, IPPROTO_TCP, KSERV_SET_MODE_MERGE);
		/* Somebody else's, or not there. */
		if (after->frontend[4].owner)
			message_frontend(message, frontend_type(4), &front, frontend_port(4), 0);
		else
			message_frontend_del(message, frontend_type(4), &front, frontend_port(4));
		break;
	}
	message_set_end(message);
}

static void refused_transactions_change_nothing(struct kunit *test)
{
	struct kserv_net *kn = test->priv;
	struct model model = {}, after;
	struct message message;
	struct rnd_state rnd;
	unsigned int i;
	int ret;

	prandom_seed_state(&rnd, 11);
	for (i = 0; i < ROUNDS; i++) {
		after = model;
		make_transaction(test, &message, &after, &rnd);
		if (i % 3) {
			append_mistake(&message, &after, i / 3);
			ret = message_commit(&message, kn);
			KUNIT_ASSERT_TRUE_MSG(test, ret == -ENOENT || ret == -EEXIST, "round %u: %d", i, ret);
		} else {
			KUNIT_ASSERT_EQ_MSG(test, message_commit(&message, kn), 0, "round %u", i);
			model = after;
		}
		expect_model(test, kn, &model);
	}
}

/*
 * Let each allocation fail in turn, those of the detectors among them, and those that there is another way for. So a
 * transaction may succeed all the same; otherwise nothing has happened.
 */
static void transactions_without_memory_change_nothing(struct kunit *test)
{
	unsigned int i, injections = 0, failures = 0;
	struct kserv_net *kn = test->priv;
	struct model model = {}, after;
	struct message message;
	struct rnd_state rnd;
	bool injected;
	int ret;

	prandom_seed_state(&rnd, 12);
	for (i = 0; i < 600; i++) {
		after = model;
		make_transaction(test, &message, &after, &rnd);
		ret = message_commit_failing(&message, kn, 1 + i % 40, &injected);
		if (ret) {
			KUNIT_ASSERT_EQ(test, ret, -ENOMEM);
			KUNIT_ASSERT_TRUE(test, injected);
			failures++;
		} else {
			model = after;
		}
		injections += injected;
		expect_model(test, kn, &model);
	}
	kunit_info(test, "%u allocations failed, and %u transactions for it", injections, failures);
	KUNIT_EXPECT_GT(test, failures, 100);
}

static struct kunit_case service_kunit_cases[] = {
	KUNIT_CASE(transactions_do_what_they_say),
	KUNIT_CASE(refused_transactions_change_nothing),
	KUNIT_CASE(transactions_without_memory_change_nothing),
	{}
};

static struct kunit_suite service_kunit_suite = {
	.name = "kserv_service",
	.init = world_suite_init,
	.exit = world_suite_exit,
	.test_cases = service_kunit_cases,
};

kunit_test_suite(service_kunit_suite);
