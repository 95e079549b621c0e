// SPDX-License-Identifier: GPL-2.0
/* A namespace's state for a test, without packets and without periodic work. */
#include <linux/mm.h>

#include "route.h"
#include "tables.h"
#include "world.h"

static void init_parts(struct kunit *test, struct kserv_net *kn)
{
	KUNIT_ASSERT_EQ(test, kserv_stats_net_init(kn), 0);
	KUNIT_ASSERT_EQ(test, kserv_service_net_init(kn), 0);
	KUNIT_ASSERT_EQ(test, kserv_session_net_init(kn), 0);
	KUNIT_ASSERT_EQ(test, kserv_flow_net_init(kn), 0);
}

/* What a transaction that needs it would start. */
static void start_parts(struct kunit *test, struct kserv_net *kn)
{
	int ret;

	mutex_lock(&kn->mutex);
	ret = kserv_flow_net_start(kn, WORLD_FLOWS) ?: kserv_session_net_start(kn);
	mutex_unlock(&kn->mutex);
	KUNIT_ASSERT_EQ(test, ret, 0);
	cancel_delayed_work_sync(&kn->flows.gc);
	cancel_delayed_work_sync(&kn->sessions.gc);
}

struct kserv_net *world_begin(struct kunit *test)
{
	struct kserv_net *kn = kvzalloc(sizeof(*kn), GFP_KERNEL);
	struct kserv_config *config = kserv_config_alloc();

	KUNIT_ASSERT_NOT_NULL(test, kn);
	KUNIT_ASSERT_NOT_NULL(test, config);
	config->flow_max = WORLD_FLOWS;
	RCU_INIT_POINTER(kn->config, config);
	kn->net = &init_net;
	mutex_init(&kn->mutex);
	init_parts(test, kn);
	start_parts(test, kn);
	return kn;
}

void world_end(struct kserv_net *kn)
{
	kserv_flow_net_exit(kn);
	kserv_session_net_exit(kn);
	kserv_service_net_exit(kn);
	kserv_route_net_exit(kn);
	/* Flows first, then the endpoints that they held. */
	rcu_barrier();
	rcu_barrier();
	kserv_stats_net_exit(kn);
	kvfree(kn->filter);
	kserv_config_free(rcu_dereference_protected(kn->config, true));
	mutex_destroy(&kn->mutex);
	kvfree(kn);
}

int world_suite_init(struct kunit *test)
{
	test->priv = world_begin(test);
	return 0;
}

void world_suite_exit(struct kunit *test)
{
	if (test->priv)
		world_end(test->priv);
}

struct kserv_config *world_config(struct kserv_net *kn)
{
	return rcu_dereference_protected(kn->config, true);
}

union nf_inet_addr world_endpoint_addr(u8 family, u8 number, unsigned int i)
{
	union nf_inet_addr addr = {};

	if (family == NFPROTO_IPV4) {
		addr.ip = htonl(0x0a010000 + number * 256 + i + 1);
	} else {
		addr.all[0] = htonl(0xfd000001);
		addr.all[1] = htonl(number);
		addr.all[3] = htonl(i + 1);
	}
	return addr;
}

static void add_endpoint(struct kunit *test, struct world_service *to, u8 number, unsigned int i)
{
	union nf_inet_addr addr = world_endpoint_addr(to->service->family, number, i);
	struct kserv_endpoint *endpoint = kserv_endpoint_create(to->service, &addr, htons(8080));

	KUNIT_ASSERT_NOT_NULL(test, endpoint);
	endpoint->weight = 100;
	endpoint->flags = KSERV_ENDPOINT_FLAGS_CLUSTER_SET | KSERV_ENDPOINT_FLAGS_SERVING;
	endpoint->since = (u32)jiffies - 3600 * HZ;
	to->choices->endpoint[i] = endpoint;
}

struct world_service world_service(struct kunit *test, u8 number, u8 family, u8 protocol, unsigned int n)
{
	struct kserv_service_key key = { .family = family, .protocol = protocol };
	struct kserv_net *kn = test->priv;
	struct world_service made;
	char name[32];
	unsigned int i;

	snprintf(name, sizeof(name), "kunit/service%u", number);
	key.name = name;
	mutex_lock(&kn->mutex);
	made.service = kserv_service_create(kn, &key);
	mutex_unlock(&kn->mutex);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, made.service);
	made.choices = kserv_choices_alloc(n);
	KUNIT_ASSERT_NOT_NULL(test, made.choices);
	made.choices->n_cluster = n;
	made.choices->serving = n;
	for (i = 0; i < n; i++)
		add_endpoint(test, &made, number, i);
	mutex_lock(&kn->mutex);
	kserv_choices_publish(kn, made.service, made.choices);
	kn->n_endpoints += n;
	mutex_unlock(&kn->mutex);
	return made;
}

void world_remove_endpoint(struct kserv_net *kn, struct world_service *service, unsigned int i)
{
	struct kserv_choices *old = service->choices, *new = kserv_choices_alloc(old->n - 1);
	struct kserv_endpoint *gone = old->endpoint[i];
	unsigned int n = old->n - 1;

	new->scheduler = old->scheduler;
	new->removal = old->removal;
	new->removal_grace = old->removal_grace;
	new->affinity_timeout = old->affinity_timeout;
	new->flags = old->flags;
	new->n_cluster = n;
	new->serving = old->serving - !!(gone->flags & KSERV_ENDPOINT_FLAGS_SERVING);
	memcpy(new->endpoint, old->endpoint, i * sizeof(new->endpoint[0]));
	memcpy(new->endpoint + i, old->endpoint + i + 1, (n - i) * sizeof(new->endpoint[0]));
	mutex_lock(&kn->mutex);
	kserv_choices_publish(kn, service->service, new);
	WRITE_ONCE(gone->removed, true);
	kn->n_endpoints--;
	kserv_endpoint_put(gone);
	WRITE_ONCE(kn->stale, kn->stale + 1);
	mutex_unlock(&kn->mutex);
	service->choices = new;
}

struct kserv_tuple world_client(u8 family, u8 protocol, u8 number, u32 client, u16 port)
{
	struct kserv_tuple tuple = {
		.sport = htons(port),
		.dport = htons(80),
		.family = family,
		.proto = protocol,
	};

	if (family == NFPROTO_IPV4) {
		tuple.src.ip = htonl(0xac100000 + client);
		tuple.dst.ip = htonl(0x0a600000 + number);
	} else {
		tuple.src.all[0] = htonl(0x20010db8);
		tuple.src.all[3] = htonl(client);
		tuple.dst.all[0] = htonl(0xfd000096);
		tuple.dst.all[3] = htonl(number);
	}
	return tuple;
}
