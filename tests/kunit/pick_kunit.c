// SPDX-License-Identifier: GPL-2.0
/* The schedulers: shares, order, and what stays where it was when the set changes. */
#include "../../kmod/pick.c"
#include <kunit/test.h>
#include "tables.h"

/* Clients that maglev is asked for. */
#define CLIENTS 4000
#define DRAWS 20000

/*
 * Chi-square of a fair choice stays below this for up to 20 classes, but once in 10^12 runs: random numbers are the
 * kernel's own and cannot be seeded.
 */
#define CHI_SQUARE_MAX 110

struct set {
	struct kunit *test;
	struct kserv_choices *choices;
	struct kserv_endpoint *endpoints;
	unsigned int n;
	unsigned int *count;	/* how often each was picked */
	atomic_t round_robin;
	struct kserv_tuple client;
	const struct kserv_endpoint *avoid;
	bool local;
};

/* Endpoints 10.0.0.1:80 ..., all in the cluster set alone, of weight 100 and long there. */
static struct set *make_set(struct kunit *test, unsigned int n, u8 scheduler)
{
	struct set *set = kunit_kzalloc(test, sizeof(*set), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, set);
	set->test = test;
	set->n = n;
	set->choices = kunit_kzalloc(test, struct_size(set->choices, endpoint, n), GFP_KERNEL);
	set->endpoints = kunit_kcalloc(test, n + 1, sizeof(*set->endpoints), GFP_KERNEL);
	set->count = kunit_kcalloc(test, n + 1, sizeof(*set->count), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, set->choices && set->endpoints && set->count);
	set->choices->scheduler = scheduler;
	set->choices->n = n;
	set->choices->n_cluster = n;
	for (i = 0; i < n; i++) {
		struct kserv_endpoint *endpoint = &set->endpoints[i];

		endpoint->addr.ip = htonl(0x0a000001 + i);
		endpoint->port = htons(80);
		endpoint->weight = 100;
		endpoint->flags = KSERV_ENDPOINT_FLAGS_CLUSTER_SET | KSERV_ENDPOINT_FLAGS_SERVING;
		set->choices->endpoint[i] = endpoint;
	}
	set->client.family = NFPROTO_IPV4;
	set->client.proto = IPPROTO_TCP;
	return set;
}

static void weigh(struct set *set, unsigned int i, u16 weight)
{
	set->endpoints[i].weight = weight;
	set->choices->weighted = true;
}

static void eject(struct set *set, unsigned int i)
{
	set->endpoints[i].ejected_until = (u32)jiffies + 1000 * HZ;
}

/* Maglev's table, which needs the weights. */
static void prepare(struct set *set)
{
	KUNIT_ASSERT_EQ(set->test, kserv_pick_prepare(set->choices), 0);
}

/* Index of the endpoint picked, or -1. */
static int pick(struct set *set)
{
	struct kserv_pick question = {
		.choices = set->choices,
		.round_robin = &set->round_robin,
		.local = set->local,
		.tuple = &set->client,
		.avoid = set->avoid,
		.now = (u32)jiffies,
	};
	struct kserv_endpoint *endpoint;

	rcu_read_lock();
	endpoint = kserv_pick_endpoint(&question);
	rcu_read_unlock();
	return endpoint ? endpoint - set->endpoints : -1;
}

static void pick_many(struct set *set, unsigned int times)
{
	int i;

	memset(set->count, 0, set->n * sizeof(*set->count));
	while (times--) {
		i = pick(set);
		KUNIT_ASSERT_GE(set->test, i, 0);
		set->count[i]++;
	}
}

/* Squared differences from the shares that the weights give, over the share. */
static u64 chi_square(const struct set *set, unsigned int times)
{
	u64 total = 0, sum = 0;
	unsigned int i;
	s64 expected;

	for (i = 0; i < set->n; i++)
		total += set->endpoints[i].weight;
	for (i = 0; i < set->n; i++) {
		expected = div64_u64((u64)times * set->endpoints[i].weight, total);
		if (expected)
			sum += div64_u64((set->count[i] - expected) * (set->count[i] - expected), expected);
	}
	return sum;
}

static void random_is_uniform(struct kunit *test)
{
	static const unsigned int sizes[] = { 2, 3, 10, 20 };
	struct set *set;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		set = make_set(test, sizes[i], KSERV_SCHEDULER_RANDOM);
		pick_many(set, DRAWS);
		KUNIT_EXPECT_LT(test, chi_square(set, DRAWS), CHI_SQUARE_MAX);
	}
}

static void random_follows_weights(struct kunit *test)
{
	struct set *set = make_set(test, 5, KSERV_SCHEDULER_RANDOM);

	weigh(set, 0, 10);
	weigh(set, 1, 20);
	weigh(set, 2, 30);
	weigh(set, 3, 0);
	weigh(set, 4, 240);
	pick_many(set, DRAWS);
	KUNIT_EXPECT_LT(test, chi_square(set, DRAWS), CHI_SQUARE_MAX);
	KUNIT_EXPECT_EQ(test, set->count[3], 0);
}

static void random_is_uniform_among_those_not_ejected(struct kunit *test)
{
	struct set *set = make_set(test, 6, KSERV_SCHEDULER_RANDOM);

	eject(set, 1);
	eject(set, 4);
	pick_many(set, DRAWS);
	KUNIT_EXPECT_EQ(test, set->count[1] + set->count[4], 0);
	/* To compare with the shares of the four others. */
	set->endpoints[1].weight = 0;
	set->endpoints[4].weight = 0;
	KUNIT_EXPECT_LT(test, chi_square(set, DRAWS), CHI_SQUARE_MAX);
}

struct scheduler_case {
	u8 scheduler;
	const char *name;
};

static const struct scheduler_case scheduler_cases[] = {
	{ KSERV_SCHEDULER_RANDOM, "random" },
	{ KSERV_SCHEDULER_ROUND_ROBIN, "round robin" },
	{ KSERV_SCHEDULER_LEAST_CONNECTIONS, "least connections" },
	{ KSERV_SCHEDULER_MAGLEV, "maglev" },
};

KUNIT_ARRAY_PARAM_DESC(scheduler, scheduler_cases, name);

static struct set *scheduled_set(struct kunit *test, unsigned int n)
{
	const struct scheduler_case *c = test->param_value;

	return make_set(test, n, c->scheduler);
}

/* Each pick is that of another client. */
static void expect_only(struct set *set, unsigned long allowed)
{
	int i, at;

	for (i = 0; i < 300; i++) {
		set->client.src.ip = htonl(i * 2654435761u);
		at = pick(set);
		KUNIT_ASSERT_GE(set->test, at, 0);
		KUNIT_ASSERT_TRUE_MSG(set->test, allowed & BIT(at), "endpoint %d was picked", at);
	}
}

static void release(struct set *set)
{
	kserv_pick_release(set->choices);
}

static void picks_nothing_from_nothing(struct kunit *test)
{
	struct set *set = scheduled_set(test, 0);

	prepare(set);
	KUNIT_EXPECT_EQ(test, pick(set), -1);
	release(set);
	set = scheduled_set(test, 3);
	weigh(set, 0, 0);
	weigh(set, 1, 0);
	weigh(set, 2, 0);
	prepare(set);
	KUNIT_EXPECT_EQ(test, pick(set), -1);
	release(set);
	set = scheduled_set(test, 1);
	weigh(set, 0, 0);
	prepare(set);
	KUNIT_EXPECT_EQ(test, pick(set), -1);
	release(set);
}

static void avoids_an_endpoint_while_there_is_another(struct kunit *test)
{
	struct set *set = scheduled_set(test, 3);

	prepare(set);
	set->avoid = &set->endpoints[1];
	expect_only(set, BIT(0) | BIT(2));
	eject(set, 0);
	expect_only(set, BIT(2));
	release(set);
}

static void falls_back_to_the_endpoint_to_avoid(struct kunit *test)
{
	struct set *set = scheduled_set(test, 1);

	prepare(set);
	set->avoid = &set->endpoints[0];
	expect_only(set, BIT(0));
	release(set);
	set = scheduled_set(test, 3);
	prepare(set);
	set->avoid = &set->endpoints[2];
	eject(set, 0);
	eject(set, 1);
	expect_only(set, BIT(2));
	release(set);
}

static void falls_back_to_ejected_endpoints(struct kunit *test)
{
	struct set *set = scheduled_set(test, 4);

	weigh(set, 3, 0);
	prepare(set);
	eject(set, 0);
	eject(set, 1);
	eject(set, 2);
	expect_only(set, BIT(0) | BIT(1) | BIT(2));
	release(set);
}

static void picks_an_ejected_endpoint_again_when_its_time_is_over(struct kunit *test)
{
	struct set *set = scheduled_set(test, 2);

	prepare(set);
	eject(set, 0);
	expect_only(set, BIT(1));
	set->endpoints[0].ejected_until = (u32)jiffies - 1;
	eject(set, 1);
	expect_only(set, BIT(0));
	release(set);
}

/* Jiffies are compared as 32 bits; what was ejected once is so for its time, and not again half a cycle later. */
static void forgets_an_ejection_that_is_long_over(struct kunit *test)
{
	struct set *set = make_set(test, 2, KSERV_SCHEDULER_RANDOM);
	u32 now = (u32)jiffies;

	set->endpoints[0].ejected_until = now + 10 * HZ;
	KUNIT_EXPECT_TRUE(test, kserv_endpoint_is_ejected(&set->endpoints[0], now));
	KUNIT_EXPECT_FALSE(test, kserv_endpoint_is_ejected(&set->endpoints[0], now + 10 * HZ));
	/* It has answered since. */
	kserv_eject_success(&set->endpoints[0]);
	KUNIT_EXPECT_FALSE(test, kserv_endpoint_is_ejected(&set->endpoints[0], now + (1U << 31) + 20 * HZ));
}

static void keeps_to_the_set_that_applies(struct kunit *test)
{
	struct set *set = scheduled_set(test, 6);

	/* Local only: 0, both: 1 and 2, cluster only: 3 and 4, neither: 5. */
	set->choices->cluster_first = 1;
	set->choices->n_local = 3;
	set->choices->n_cluster = 4;
	prepare(set);
	expect_only(set, BIT(1) | BIT(2) | BIT(3) | BIT(4));
	set->local = true;
	expect_only(set, BIT(0) | BIT(1) | BIT(2));
	release(set);
}

static void round_robin_takes_turns(struct kunit *test)
{
	struct set *set;
	unsigned int n, i;

	for (n = 1; n <= 7; n++) {
		set = make_set(test, n, KSERV_SCHEDULER_ROUND_ROBIN);
		for (i = 0; i < 5 * n; i++)
			KUNIT_ASSERT_EQ(test, pick(set), i % n);
	}
}

static void round_robin_passes_over_the_ejected(struct kunit *test)
{
	struct set *set = make_set(test, 4, KSERV_SCHEDULER_ROUND_ROBIN);

	eject(set, 2);
	pick_many(set, 300);
	KUNIT_EXPECT_EQ(test, set->count[0], 100);
	KUNIT_EXPECT_EQ(test, set->count[1], 100);
	KUNIT_EXPECT_EQ(test, set->count[2], 0);
	KUNIT_EXPECT_EQ(test, set->count[3], 100);
}

static void round_robin_gives_each_its_weight_exactly(struct kunit *test)
{
	struct set *set = make_set(test, 4, KSERV_SCHEDULER_ROUND_ROBIN);

	weigh(set, 0, 1);
	weigh(set, 1, 2);
	weigh(set, 2, 3);
	weigh(set, 3, 0);
	pick_many(set, 600);
	KUNIT_EXPECT_EQ(test, set->count[0], 100);
	KUNIT_EXPECT_EQ(test, set->count[1], 200);
	KUNIT_EXPECT_EQ(test, set->count[2], 300);
	KUNIT_EXPECT_EQ(test, set->count[3], 0);
}

static void least_connections_takes_the_least_loaded(struct kunit *test)
{
	struct set *set = make_set(test, 10, KSERV_SCHEDULER_LEAST_CONNECTIONS);
	unsigned int i;

	for (i = 0; i < 10; i++)
		atomic_set(&set->endpoints[i].active, 50 + i);
	atomic_set(&set->endpoints[7].active, 49);
	expect_only(set, BIT(7));
	eject(set, 7);
	expect_only(set, BIT(0));
}

static void least_connections_divides_by_weight(struct kunit *test)
{
	struct set *set = make_set(test, 3, KSERV_SCHEDULER_LEAST_CONNECTIONS);

	weigh(set, 0, 10);
	weigh(set, 1, 100);
	weigh(set, 2, 50);
	atomic_set(&set->endpoints[0].active, 5);
	atomic_set(&set->endpoints[1].active, 30);
	atomic_set(&set->endpoints[2].active, 20);
	expect_only(set, BIT(1));
}

/* As each connection stays open, all end up with as many. */
static void least_connections_evens_out(struct kunit *test)
{
	struct set *set = make_set(test, 7, KSERV_SCHEDULER_LEAST_CONNECTIONS);
	unsigned int i;

	for (i = 0; i < 700; i++)
		atomic_inc(&set->endpoints[pick(set)].active);
	for (i = 0; i < 7; i++)
		KUNIT_EXPECT_EQ(test, atomic_read(&set->endpoints[i].active), 100);
}

/* Of many, it looks at two, which is nearly as good (Mitzenmacher, 2001). */
static void least_connections_of_many_stays_close(struct kunit *test)
{
	struct set *set = make_set(test, 60, KSERV_SCHEDULER_LEAST_CONNECTIONS);
	int i, least = INT_MAX, most = 0;

	for (i = 0; i < 60 * 100; i++)
		atomic_inc(&set->endpoints[pick(set)].active);
	for (i = 0; i < 60; i++) {
		least = min(least, atomic_read(&set->endpoints[i].active));
		most = max(most, atomic_read(&set->endpoints[i].active));
	}
	KUNIT_EXPECT_LT(test, most - least, 20);
}

static void slow_start_rises_in_a_straight_line(struct kunit *test)
{
	struct set *set = make_set(test, 1, KSERV_SCHEDULER_RANDOM);
	struct kserv_endpoint *endpoint = &set->endpoints[0];
	u32 now = 0xfffff000;	/* and across the end of the clock */

	set->choices->slow_start = 100;
	endpoint->since = now;
	KUNIT_EXPECT_EQ(test, effective_weight(set->choices, endpoint, now), 100);
	KUNIT_EXPECT_EQ(test, effective_weight(set->choices, endpoint, now + 5 * HZ), 100);
	KUNIT_EXPECT_EQ(test, effective_weight(set->choices, endpoint, now + 50 * HZ), 500);
	KUNIT_EXPECT_EQ(test, effective_weight(set->choices, endpoint, now + 100 * HZ), 1000);
	KUNIT_EXPECT_EQ(test, effective_weight(set->choices, endpoint, now + 5000 * HZ), 1000);
	set->choices->slow_start = 0;
	KUNIT_EXPECT_EQ(test, effective_weight(set->choices, endpoint, now), 1000);
}

/* Which endpoint, by its address, each client is sent to. */
static void ask_clients(struct set *set, __be32 *answer)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++) {
		set->client.src.ip = htonl(0xc0000000 + i * 7919);
		set->client.sport = htons(1024 + i % 60000);
		answer[i] = set->endpoints[pick(set)].addr.ip;
	}
}

/* The same set but for endpoint number @gone. */
static struct set *make_set_without(struct kunit *test, unsigned int n, unsigned int gone)
{
	struct set *set = make_set(test, n - 1, KSERV_SCHEDULER_MAGLEV);
	unsigned int i;

	for (i = gone; i < n - 1; i++)
		set->endpoints[i].addr.ip = htonl(0x0a000001 + i + 1);
	prepare(set);
	return set;
}

static void maglev_is_the_same_on_every_node(struct kunit *test)
{
	struct set *one = make_set(test, 12, KSERV_SCHEDULER_MAGLEV);
	struct set *other = make_set(test, 12, KSERV_SCHEDULER_MAGLEV);

	prepare(one);
	prepare(other);
	KUNIT_EXPECT_MEMEQ(test, one->choices->maglev[0], other->choices->maglev[0], maglev_size(12) * sizeof(u16));
	KUNIT_EXPECT_PTR_EQ(test, one->choices->maglev[1], NULL);
	release(one);
	release(other);
}

/* The paper's bound on imbalance is 1% at a hundred slots for each endpoint; twice that, and one slot, for rounding. */
static void maglev_shares_slots_evenly(struct kunit *test)
{
	static const unsigned int sizes[] = { 2, 3, 7, 50, 160 };
	unsigned int i, slot, size;
	struct set *set;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		set = make_set(test, sizes[i], KSERV_SCHEDULER_MAGLEV);
		prepare(set);
		size = maglev_size(sizes[i]);
		for (slot = 0; slot < size; slot++) {
			KUNIT_ASSERT_LT(test, set->choices->maglev[0][slot], sizes[i]);
			set->count[set->choices->maglev[0][slot]]++;
		}
		for (slot = 0; slot < sizes[i]; slot++) {
			KUNIT_EXPECT_GE(test, set->count[slot], size / sizes[i] * 98 / 100 - 1);
			KUNIT_EXPECT_LE(test, set->count[slot], size / sizes[i] * 102 / 100 + 1);
		}
		release(set);
	}
}

static void maglev_shares_slots_by_weight(struct kunit *test)
{
	struct set *set = make_set(test, 4, KSERV_SCHEDULER_MAGLEV);
	unsigned int slot, size = maglev_size(4);

	weigh(set, 0, 100);
	weigh(set, 1, 50);
	weigh(set, 2, 10);
	weigh(set, 3, 0);
	prepare(set);
	for (slot = 0; slot < size; slot++)
		set->count[set->choices->maglev[0][slot]]++;
	KUNIT_EXPECT_EQ(test, set->count[3], 0);
	KUNIT_EXPECT_LE(test, abs((int)set->count[0] - (int)(size * 100 / 160)), size / 100 + 1);
	KUNIT_EXPECT_LE(test, abs((int)set->count[1] - (int)(size * 50 / 160)), size / 100 + 1);
	KUNIT_EXPECT_LE(test, abs((int)set->count[2] - (int)(size * 10 / 160)), size / 100 + 1);
	release(set);
}

/* Clients are spread as the slots are: nobody who can choose a source port chooses the endpoint's share. */
static void maglev_spreads_clients(struct kunit *test)
{
	struct set *set = make_set(test, 8, KSERV_SCHEDULER_MAGLEV);
	unsigned int i;

	prepare(set);
	for (i = 0; i < DRAWS; i++) {
		set->client.src.ip = htonl(0xc0000000 + i * 7919);
		set->client.sport = htons(1024 + i % 60000);
		set->count[pick(set)]++;
	}
	KUNIT_EXPECT_LT(test, chi_square(set, DRAWS), CHI_SQUARE_MAX);
	release(set);
}

/*
 * When one of n endpoints goes, its clients must move and the others stay: with a hundred slots for each endpoint, some
 * 2% of them move all the same (section 5.3 of the paper).
 */
static void maglev_moves_few_clients_of_other_endpoints(struct kunit *test)
{
	__be32 *before = kunit_kcalloc(test, CLIENTS, sizeof(*before), GFP_KERNEL);
	__be32 *after = kunit_kcalloc(test, CLIENTS, sizeof(*after), GFP_KERNEL);
	unsigned int n, i, gone, moved;
	struct set *set, *rest;

	KUNIT_ASSERT_TRUE(test, before && after);
	for (n = 2; n <= 110; n += n < 24 ? 1 : 17) {
		gone = n / 3;
		set = make_set(test, n, KSERV_SCHEDULER_MAGLEV);
		prepare(set);
		rest = make_set_without(test, n, gone);
		ask_clients(set, before);
		ask_clients(rest, after);
		for (i = 0, moved = 0; i < CLIENTS; i++) {
			KUNIT_ASSERT_NE(test, after[i], set->endpoints[gone].addr.ip);
			moved += before[i] != set->endpoints[gone].addr.ip && before[i] != after[i];
		}
		KUNIT_EXPECT_LE_MSG(test, moved, CLIENTS * 5 / 100, "of %u endpoints", n);
		release(set);
		release(rest);
	}
}

static void maglev_serves_every_slot_of_a_large_set(struct kunit *test)
{
	struct set *set = make_set(test, 700, KSERV_SCHEDULER_MAGLEV);
	unsigned int slot, size = maglev_size(700);

	prepare(set);
	for (slot = 0; slot < size; slot++)
		KUNIT_ASSERT_LT(test, set->choices->maglev[0][slot], 700);
	release(set);
}

static void says_why_an_endpoint_is_not_chosen(struct kunit *test)
{
	struct set *set = make_set(test, 1, KSERV_SCHEDULER_RANDOM);
	struct kserv_endpoint *endpoint = &set->endpoints[0];
	u32 now = (u32)jiffies;

	KUNIT_EXPECT_EQ(test, kserv_pick_excluded(set->choices, endpoint, false, now), KSERV_REASON_NONE);
	KUNIT_EXPECT_EQ(test, kserv_pick_excluded(set->choices, endpoint, true, now), KSERV_REASON_NOT_LOCAL);
	endpoint->flags = KSERV_ENDPOINT_FLAGS_LOCAL_SET;
	KUNIT_EXPECT_EQ(test, kserv_pick_excluded(set->choices, endpoint, true, now), KSERV_REASON_NONE);
	KUNIT_EXPECT_EQ(test, kserv_pick_excluded(set->choices, endpoint, false, now), KSERV_REASON_NOT_READY);
	endpoint->cluster_reason = KSERV_REASON_WEIGHT_ZERO;
	KUNIT_EXPECT_EQ(test, kserv_pick_excluded(set->choices, endpoint, false, now), KSERV_REASON_WEIGHT_ZERO);
	endpoint->ejected_until = now + HZ;
	KUNIT_EXPECT_EQ(test, kserv_pick_excluded(set->choices, endpoint, true, now), KSERV_REASON_EJECTED);
	endpoint->weight = 0;
	KUNIT_EXPECT_EQ(test, kserv_pick_excluded(set->choices, endpoint, true, now), KSERV_REASON_WEIGHT_ZERO);
}

static struct kunit_case pick_kunit_cases[] = {
	KUNIT_CASE(random_is_uniform),
	KUNIT_CASE(random_follows_weights),
	KUNIT_CASE(random_is_uniform_among_those_not_ejected),
	KUNIT_CASE_PARAM(picks_nothing_from_nothing, scheduler_gen_params),
	KUNIT_CASE_PARAM(avoids_an_endpoint_while_there_is_another, scheduler_gen_params),
	KUNIT_CASE_PARAM(falls_back_to_the_endpoint_to_avoid, scheduler_gen_params),
	KUNIT_CASE_PARAM(falls_back_to_ejected_endpoints, scheduler_gen_params),
	KUNIT_CASE_PARAM(picks_an_ejected_endpoint_again_when_its_time_is_over, scheduler_gen_params),
	KUNIT_CASE(forgets_an_ejection_that_is_long_over),
	KUNIT_CASE_PARAM(keeps_to_the_set_that_applies, scheduler_gen_params),
	KUNIT_CASE(round_robin_takes_turns),
	KUNIT_CASE(round_robin_passes_over_the_ejected),
	KUNIT_CASE(round_robin_gives_each_its_weight_exactly),
	KUNIT_CASE(least_connections_takes_the_least_loaded),
	KUNIT_CASE(least_connections_divides_by_weight),
	KUNIT_CASE(least_connections_evens_out),
	KUNIT_CASE(least_connections_of_many_stays_close),
	KUNIT_CASE(slow_start_rises_in_a_straight_line),
	KUNIT_CASE(maglev_is_the_same_on_every_node),
	KUNIT_CASE(maglev_shares_slots_evenly),
	KUNIT_CASE(maglev_shares_slots_by_weight),
	KUNIT_CASE(maglev_spreads_clients),
	KUNIT_CASE(maglev_moves_few_clients_of_other_endpoints),
	KUNIT_CASE(maglev_serves_every_slot_of_a_large_set),
	KUNIT_CASE(says_why_an_endpoint_is_not_chosen),
	{}
};

static int pick_suite_init(struct kunit_suite *suite)
{
	kserv_pick_module_init();
	return 0;
}

static struct kunit_suite pick_kunit_suite = {
	.name = "kserv_pick",
	.suite_init = pick_suite_init,
	.test_cases = pick_kunit_cases,
};

kunit_test_suite(pick_kunit_suite);
