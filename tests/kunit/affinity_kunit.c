// SPDX-License-Identifier: GPL-2.0
/* Session affinity: who is remembered, for how long, and how many. */
#include "../../kmod/affinity.c"
#include "tables.h"
#include "world.h"

#define TIMEOUT 100

static union nf_inet_addr client_addr(u32 number)
{
	union nf_inet_addr addr = { .ip = htonl(0xac100000 + number) };

	return addr;
}

static struct world_service sticky_service(struct kunit *test, u8 number, unsigned int n)
{
	struct world_service s = world_service(test, number, NFPROTO_IPV4, IPPROTO_TCP, n);

	s.choices->affinity_timeout = TIMEOUT;
	return s;
}

static void remember(struct kunit *test, const struct world_service *s, u32 client, unsigned int endpoint)
{
	union nf_inet_addr addr = client_addr(client);

	world_packets_begin();
	kserv_session_remember(test->priv, s->service, s->choices, &addr, s->choices->endpoint[endpoint]);
	world_packets_end();
}

/* The endpoint that the client is remembered for, or NULL; only to be compared. */
static const void *recall(struct kunit *test, const struct world_service *s, u32 client, bool local)
{
	union nf_inet_addr addr = client_addr(client);
	const void *endpoint;

	world_packets_begin();
	endpoint = kserv_session_lookup(test->priv, s->service, s->choices, local, &addr);
	world_packets_end();
	return endpoint;
}

static struct kserv_session *session_of(struct kunit *test, const struct world_service *s, u32 client)
{
	union nf_inet_addr addr = client_addr(client);
	struct kserv_net *kn = test->priv;
	struct kserv_session *session;

	rcu_read_lock();
	session = find(session_bucket(&kn->sessions, s->service->id, &addr), s->service->id, &addr);
	rcu_read_unlock();
	KUNIT_ASSERT_NOT_NULL(test, session);
	return session;
}

static int remembered(struct kunit *test)
{
	return atomic_read(&((struct kserv_net *)test->priv)->sessions.n);
}

static u64 counted(struct kunit *test, enum kserv_counter counter)
{
	struct kserv_net *kn = test->priv;
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(kn->stats, cpu)->counter[counter];
	return sum;
}

static void remembers_a_client(struct kunit *test)
{
	struct world_service s = sticky_service(test, 1, 3);

	KUNIT_EXPECT_NULL(test, recall(test, &s, 1, false));
	remember(test, &s, 1, 2);
	KUNIT_EXPECT_PTR_EQ(test, recall(test, &s, 1, false), (const void *)s.choices->endpoint[2]);
	KUNIT_EXPECT_NULL(test, recall(test, &s, 2, false));
	KUNIT_EXPECT_EQ(test, remembered(test), 1);
}

static void remembers_a_client_for_each_service(struct kunit *test)
{
	struct world_service a = sticky_service(test, 1, 3), b = sticky_service(test, 2, 3);

	remember(test, &a, 1, 0);
	remember(test, &b, 1, 1);
	KUNIT_EXPECT_PTR_EQ(test, recall(test, &a, 1, false), (const void *)a.choices->endpoint[0]);
	KUNIT_EXPECT_PTR_EQ(test, recall(test, &b, 1, false), (const void *)b.choices->endpoint[1]);
}

static void moves_a_client_to_its_latest_endpoint(struct kunit *test)
{
	struct world_service s = sticky_service(test, 1, 3);

	remember(test, &s, 1, 0);
	remember(test, &s, 1, 1);
	KUNIT_EXPECT_PTR_EQ(test, recall(test, &s, 1, false), (const void *)s.choices->endpoint[1]);
	KUNIT_EXPECT_EQ(test, remembered(test), 1);
}

static void does_nothing_without_a_timeout(struct kunit *test)
{
	struct world_service s = world_service(test, 1, NFPROTO_IPV4, IPPROTO_TCP, 2);

	remember(test, &s, 1, 0);
	KUNIT_EXPECT_NULL(test, recall(test, &s, 1, false));
	KUNIT_EXPECT_EQ(test, remembered(test), 0);
}

/* Rule 4.4: the time runs from the latest connection. */
static void slides_with_each_connection(struct kunit *test)
{
	struct world_service s = sticky_service(test, 1, 2);
	struct kserv_session *session;
	u32 before;

	remember(test, &s, 1, 0);
	session = session_of(test, &s, 1);
	session->expires = (u32)jiffies + HZ;
	before = (u32)jiffies;
	remember(test, &s, 1, 0);
	KUNIT_EXPECT_PTR_EQ(test, session_of(test, &s, 1), session);
	KUNIT_EXPECT_GE(test, session->expires - before, TIMEOUT * HZ);
	KUNIT_EXPECT_LE(test, session->expires - (u32)jiffies, TIMEOUT * HZ);
}

static void forgets_when_the_time_is_over(struct kunit *test)
{
	struct world_service s = sticky_service(test, 1, 2);

	remember(test, &s, 1, 0);
	session_of(test, &s, 1)->expires = (u32)jiffies;
	KUNIT_EXPECT_NULL(test, recall(test, &s, 1, false));
	kserv_session_sweep(test->priv);
	KUNIT_EXPECT_EQ(test, remembered(test), 0);
}

/* Rules 4.5 and 4.6. */
static void never_leads_to_an_endpoint_that_may_not_be_chosen(struct kunit *test)
{
	struct world_service s = sticky_service(test, 1, 3);
	struct kserv_endpoint *endpoint = s.choices->endpoint[1];

	remember(test, &s, 1, 1);
	KUNIT_EXPECT_NULL(test, recall(test, &s, 1, true));
	endpoint->flags |= KSERV_ENDPOINT_FLAGS_LOCAL_SET;
	KUNIT_EXPECT_PTR_EQ(test, recall(test, &s, 1, true), (const void *)endpoint);
	endpoint->weight = 0;
	KUNIT_EXPECT_NULL(test, recall(test, &s, 1, false));
	endpoint->weight = 100;
	endpoint->ejected_until = (u32)jiffies + 100 * HZ;
	KUNIT_EXPECT_NULL(test, recall(test, &s, 1, false));
	endpoint->ejected_until = 0;
	endpoint->flags = KSERV_ENDPOINT_FLAGS_SERVING;
	KUNIT_EXPECT_NULL(test, recall(test, &s, 1, false));
}

static void dies_with_the_endpoint(struct kunit *test)
{
	struct world_service s = sticky_service(test, 1, 3);

	remember(test, &s, 1, 1);
	remember(test, &s, 2, 2);
	world_remove_endpoint(test->priv, &s, 1);
	KUNIT_EXPECT_NULL(test, recall(test, &s, 1, false));
	KUNIT_EXPECT_PTR_EQ(test, recall(test, &s, 2, false), (const void *)s.choices->endpoint[1]);
	kserv_session_sweep(test->priv);
	KUNIT_EXPECT_EQ(test, remembered(test), 1);
}

static void dies_with_the_service(struct kunit *test)
{
	struct world_service s = sticky_service(test, 1, 3);
	struct kserv_net *kn = test->priv;
	int i;

	for (i = 0; i < 50; i++)
		remember(test, &s, i, i % 3);
	mutex_lock(&kn->mutex);
	/* The sessions hold its endpoints, and these the service. */
	kserv_service_unlink(kn, s.service);
	mutex_unlock(&kn->mutex);
	kserv_session_sweep(kn);
	KUNIT_EXPECT_EQ(test, remembered(test), 0);
}

static void keeps_within_its_bound(struct kunit *test)
{
	struct world_service s = sticky_service(test, 1, 2);
	struct kserv_net *kn = test->priv;
	u64 created, refused;
	int i;

	world_config(kn)->session_max = 200;
	for (i = 0; i < 3000; i++)
		remember(test, &s, i, i & 1);
	KUNIT_EXPECT_EQ(test, remembered(test), 200);
	created = counted(test, KSERV_COUNTER_SESSIONS_CREATED);
	refused = counted(test, KSERV_COUNTER_SESSIONS_REFUSED);
	KUNIT_EXPECT_GE(test, created, 200);
	KUNIT_EXPECT_EQ(test, created + refused, 3000);
	/* Those that are remembered go on to be. */
	for (i = 0; i < 200; i++)
		remember(test, &s, i, i & 1);
	KUNIT_EXPECT_EQ(test, remembered(test), 200);
}

static void makes_room_by_forgetting_the_oldest_nearby(struct kunit *test)
{
	struct world_service s = sticky_service(test, 1, 2);
	union nf_inet_addr first = client_addr(1), other;
	struct kserv_net *kn = test->priv;
	u32 neighbour = 1;

	/* A client in the same bucket. */
	do
		other = client_addr(++neighbour);
	while (session_bucket(&kn->sessions, s.service->id, &first) !=
	       session_bucket(&kn->sessions, s.service->id, &other));
	world_config(kn)->session_max = 1;
	remember(test, &s, 1, 0);
	remember(test, &s, neighbour, 1);
	KUNIT_EXPECT_EQ(test, remembered(test), 1);
	KUNIT_EXPECT_NULL(test, recall(test, &s, 1, false));
	KUNIT_EXPECT_PTR_EQ(test, recall(test, &s, neighbour, false), (const void *)s.choices->endpoint[1]);
}

static void does_without_a_memory_when_there_is_none(struct kunit *test)
{
	struct world_service s = sticky_service(test, 1, 2);

	world_fail_alloc(1);
	remember(test, &s, 1, 0);
	KUNIT_EXPECT_TRUE(test, world_alloc_failed(1));
	KUNIT_EXPECT_EQ(test, remembered(test), 0);
	KUNIT_EXPECT_EQ(test, counted(test, KSERV_COUNTER_SESSIONS_REFUSED), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&s.choices->endpoint[0]->refs), 1);
}

struct walk {
	unsigned int seen[64];
	unsigned int until;
};

static int visit(const struct kserv_session *session, void *arg)
{
	struct walk *walk = arg;
	u32 number = ntohl(session->client.ip) & 0xffff;

	if (!walk->until)
		return -EMSGSIZE;
	walk->until--;
	walk->seen[number]++;
	return 0;
}

static void walks_over_each_client_once(struct kunit *test)
{
	struct world_service s = sticky_service(test, 1, 2);
	struct walk walk = {};
	unsigned long pos = 0;
	int i, calls = 0;

	for (i = 0; i < 64; i++)
		remember(test, &s, i, i & 1);
	do
		walk.until = 5;
	while (kserv_session_walk(test->priv, &pos, visit, &walk) && ++calls < 100);
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ_MSG(test, walk.seen[i], 1, "client %d", i);
	KUNIT_EXPECT_EQ(test, calls, 12);
}

#define GROUPS 256
#define ATTACKERS 256

static unsigned int group(const struct kserv_session_table *table, u32 number)
{
	union nf_inet_addr addr = {};

	addr.ip = htonl(0x0a000000 + number);
	return (session_bucket(table, 1, &addr) - table->buckets) % GROUPS;
}

/* Clients that share buckets in a table whose seed is known do not where it is not. */
static void clients_chosen_to_collide_spread_under_another_seed(struct kunit *test)
{
	struct kserv_net *other = world_begin(test), *kn = test->priv;
	const struct kserv_session_table *known = &other->sessions, *secret = &kn->sessions;
	unsigned int n = 0, longest = 0;
	u8 filled[GROUPS] = {};
	u32 number;

	KUNIT_EXPECT_NE(test, memcmp(&known->seed, &secret->seed, sizeof(known->seed)), 0);
	for (number = 1; number < 200 * GROUPS && n < ATTACKERS; number++) {
		if (group(known, number))
			continue;
		n++;
		longest = max_t(unsigned int, longest, ++filled[group(secret, number)]);
	}
	KUNIT_EXPECT_GE(test, n, ATTACKERS / 2U);
	KUNIT_EXPECT_LE(test, longest, 16U);
	world_end(other);
}

static struct kunit_case affinity_kunit_cases[] = {
	KUNIT_CASE(remembers_a_client),
	KUNIT_CASE(remembers_a_client_for_each_service),
	KUNIT_CASE(moves_a_client_to_its_latest_endpoint),
	KUNIT_CASE(does_nothing_without_a_timeout),
	KUNIT_CASE(slides_with_each_connection),
	KUNIT_CASE(forgets_when_the_time_is_over),
	KUNIT_CASE(never_leads_to_an_endpoint_that_may_not_be_chosen),
	KUNIT_CASE(dies_with_the_endpoint),
	KUNIT_CASE(dies_with_the_service),
	KUNIT_CASE(keeps_within_its_bound),
	KUNIT_CASE(makes_room_by_forgetting_the_oldest_nearby),
	KUNIT_CASE(does_without_a_memory_when_there_is_none),
	KUNIT_CASE(walks_over_each_client_once),
	KUNIT_CASE(clients_chosen_to_collide_spread_under_another_seed),
	{}
};

static struct kunit_suite affinity_kunit_suite = {
	.name = "kserv_affinity",
	.init = world_suite_init,
	.exit = world_suite_exit,
	.test_cases = affinity_kunit_cases,
};

kunit_test_suite(affinity_kunit_suite);
