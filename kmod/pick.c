// SPDX-License-Identifier: GPL-2.0
/* The schedulers: one endpoint out of a set. No locks, no namespace. */
#include <linux/jhash.h>
#include <linux/math64.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "eject.h"
#include "pick.h"

/* Random tries before the set is gone through one by one. */
#define RANDOM_TRIES 8

/* Up to this many endpoints, least-connections looks at all of them; beyond, at two. */
#define LEAST_CONNECTIONS_SCAN 16

/*
 * Slots of a maglev table: prime, and about a hundred for each endpoint (Eisenbud et al., NSDI 2016, section 3.4). Few
 * sizes, since another size moves nearly every client.
 */
#define MAGLEV_SMALL 16381
#define MAGLEV_LARGE 65521
#define MAGLEV_SMALL_ENDPOINTS 160

/* No weight counts for less than this share of the highest: it bounds the work of building a table. */
#define MAGLEV_WEIGHT_SHARE 100

/* The same on every node, so that all nodes choose alike. */
#define MAGLEV_SEED_OFFSET 0x6b736572
#define MAGLEV_SEED_SKIP 0x76657374
#define MAGLEV_SEED_FLOW 0x666c6f77

#define MAGLEV_EMPTY U16_MAX

/* A service that has been told not to leave out any takes back those it had. */
static bool is_ejected(const struct kserv_choices *choices, const struct kserv_endpoint *endpoint, u32 now)
{
	return kserv_endpoint_is_ejected(endpoint, now) && !(choices->flags & KSERV_SERVICE_FLAGS_NO_EJECT);
}

/* Nobody gains by guessing the choice, so that it need not cost what a secret costs. */
static DEFINE_PER_CPU(struct rnd_state, chance);

static u32 random_u32(void)
{
	/* Two at once on one CPU, where only tests are, do no harm. */
	return prandom_u32_state(raw_cpu_ptr(&chance));
}

static u32 random_below(u32 n)
{
	return reciprocal_scale(random_u32(), n);
}

void kserv_pick_module_init(void)
{
	prandom_seed_full_state(&chance);
}

enum kserv_reason kserv_pick_excluded(const struct kserv_choices *choices, const struct kserv_endpoint *endpoint,
				      bool local, u32 now)
{
	u8 flags = READ_ONCE(endpoint->flags);

	if (local && !(flags & KSERV_ENDPOINT_FLAGS_LOCAL_SET))
		return READ_ONCE(endpoint->local_reason) ?: KSERV_REASON_NOT_LOCAL;
	if (!local && !(flags & KSERV_ENDPOINT_FLAGS_CLUSTER_SET))
		return READ_ONCE(endpoint->cluster_reason) ?: KSERV_REASON_NOT_READY;
	if (!READ_ONCE(endpoint->weight))
		return KSERV_REASON_WEIGHT_ZERO;
	if (is_ejected(choices, endpoint, now))
		return KSERV_REASON_EJECTED;
	return KSERV_REASON_NONE;
}

/* The endpoint's share now: a new one starts at a tenth of its weight and rises in a straight line. */
static u32 effective_weight(const struct kserv_choices *choices, const struct kserv_endpoint *endpoint, u32 now)
{
	u32 weight = READ_ONCE(endpoint->weight) * 10;
	u32 age = now - READ_ONCE(endpoint->since);
	u32 span = choices->slow_start * HZ;

	if (age >= span)
		return weight;
	return max_t(u32, weight / 10, div_u64((u64)weight * age, span));
}

static bool may_pick(const struct kserv_pick *pick, const struct kserv_endpoint *endpoint)
{
	return endpoint != pick->avoid && READ_ONCE(endpoint->weight) &&
	       !is_ejected(pick->choices, endpoint, pick->now);
}

/* Any endpoint that may be picked, from @start on; failing that, the one to avoid, then an ejected one. */
static struct kserv_endpoint *pick_from(const struct kserv_pick *pick, struct kserv_endpoint *const *set,
					unsigned int n, unsigned int start)
{
	struct kserv_endpoint *fallback = NULL, *endpoint;
	unsigned int i;

	for (i = 0; i < n; i++) {
		endpoint = set[(start + i) % n];
		if (may_pick(pick, endpoint))
			return endpoint;
		if (READ_ONCE(endpoint->weight) && (!fallback || endpoint == pick->avoid))
			fallback = endpoint;
	}
	return fallback;
}

static u32 max_weight(const struct kserv_pick *pick, struct kserv_endpoint *const *set, unsigned int n)
{
	u32 most = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		if (may_pick(pick, set[i]))
			most = max(most, effective_weight(pick->choices, set[i], pick->now));
	return most;
}

static struct kserv_endpoint *pick_weighted(const struct kserv_pick *pick, struct kserv_endpoint *const *set,
					    unsigned int n)
{
	u64 total = 0, at;
	unsigned int i;

	for (i = 0; i < n; i++)
		if (may_pick(pick, set[i]))
			total += effective_weight(pick->choices, set[i], pick->now);
	if (!total)
		return pick_from(pick, set, n, 0);
	at = mul_u64_u32_shr(total, random_u32(), 32);
	for (i = 0; i < n; i++) {
		u32 weight;

		if (!may_pick(pick, set[i]))
			continue;
		weight = effective_weight(pick->choices, set[i], pick->now);
		if (at < weight)
			return set[i];
		at -= weight;
	}
	/* A weight changed in between. */
	return pick_from(pick, set, n, 0);
}

static struct kserv_endpoint *pick_random(const struct kserv_pick *pick, struct kserv_endpoint *const *set,
					  unsigned int n)
{
	struct kserv_endpoint *endpoint;
	int tries;

	if (pick->choices->weighted)
		return pick_weighted(pick, set, n);
	for (tries = 0; tries < RANDOM_TRIES; tries++) {
		endpoint = set[random_below(n)];
		if (may_pick(pick, endpoint))
			return endpoint;
	}
	return pick_from(pick, set, n, random_below(n));
}

/* Each round goes through the set once; an endpoint of weight w takes part in w of each max-weight rounds. */
static struct kserv_endpoint *pick_round_robin(const struct kserv_pick *pick, struct kserv_endpoint *const *set,
					       unsigned int n)
{
	u32 most = pick->choices->weighted ? max_weight(pick, set, n) : 0;
	unsigned int tries, limit = most ? n * 10 : n;
	u32 turn, weight, round;

	for (tries = 0; tries < limit; tries++) {
		turn = (u32)atomic_inc_return(pick->round_robin) - 1;
		if (!may_pick(pick, set[turn % n]))
			continue;
		if (!most)
			return set[turn % n];
		weight = effective_weight(pick->choices, set[turn % n], pick->now);
		round = (turn / n) % most;
		if ((u64)(round + 1) * weight / most > (u64)round * weight / most)
			return set[turn % n];
	}
	return pick_from(pick, set, n, random_below(n));
}

/* True if @a has fewer open flows for its weight than @b. */
static bool less_loaded(const struct kserv_pick *pick, const struct kserv_endpoint *a, const struct kserv_endpoint *b)
{
	u64 load_a = (u32)atomic_read(&a->active) + 1;
	u64 load_b = (u32)atomic_read(&b->active) + 1;

	return load_a * effective_weight(pick->choices, b, pick->now) <
	       load_b * effective_weight(pick->choices, a, pick->now);
}

static struct kserv_endpoint *pick_least_connections(const struct kserv_pick *pick, struct kserv_endpoint *const *set,
						     unsigned int n)
{
	unsigned int looks = n <= LEAST_CONNECTIONS_SCAN ? n : 2;
	unsigned int at = random_below(n);
	struct kserv_endpoint *best = NULL;

	for (; looks; looks--) {
		if (may_pick(pick, set[at]) && (!best || less_loaded(pick, set[at], best)))
			best = set[at];
		at = n <= LEAST_CONNECTIONS_SCAN ? (at + 1) % n : random_below(n);
	}
	return best ?: pick_from(pick, set, n, at);
}

static unsigned int maglev_size(unsigned int n)
{
	return n <= MAGLEV_SMALL_ENDPOINTS ? MAGLEV_SMALL : MAGLEV_LARGE;
}

static struct kserv_endpoint *pick_maglev(const struct kserv_pick *pick, struct kserv_endpoint *const *set,
					  unsigned int n)
{
	const u16 *table = pick->choices->maglev[pick->local];
	const struct kserv_tuple *tuple = pick->tuple;
	u32 hash, slot;
	u16 choice;

	if (!table)
		return pick_random(pick, set, n);
	hash = jhash2((const u32 *)&tuple->src, sizeof(tuple->src) / sizeof(u32), MAGLEV_SEED_FLOW);
	hash = jhash_2words(hash, (__force u32)tuple->sport, MAGLEV_SEED_FLOW);
	slot = reciprocal_scale(hash, maglev_size(n));
	choice = table[slot];
	return pick_from(pick, set, n, choice == MAGLEV_EMPTY ? 0 : choice);
}

struct kserv_endpoint *kserv_pick_endpoint(const struct kserv_pick *pick)
{
	unsigned int n;
	struct kserv_endpoint *const *set = kserv_choices_set(pick->choices, pick->local, &n);

	if (!n)
		return NULL;
	if (n == 1)
		return pick_from(pick, set, n, 0);
	switch (pick->choices->scheduler) {
	case KSERV_SCHEDULER_ROUND_ROBIN:
		return pick_round_robin(pick, set, n);
	case KSERV_SCHEDULER_LEAST_CONNECTIONS:
		return pick_least_connections(pick, set, n);
	case KSERV_SCHEDULER_MAGLEV:
		return pick_maglev(pick, set, n);
	default:
		return pick_random(pick, set, n);
	}
}

struct maglev_state {
	u32 at, skip;
	u32 weight, credit;
};

static u32 endpoint_hash(const struct kserv_endpoint *endpoint, u32 seed)
{
	return jhash_2words(jhash2((const u32 *)&endpoint->addr, sizeof(endpoint->addr) / sizeof(u32), seed),
			    (__force u32)endpoint->port, seed);
}

/* Endpoints take turns, as often as their weight says, and each takes the next free slot of its own permutation. */
static void maglev_populate(u16 *table, u32 size, struct maglev_state *state, unsigned int n, u32 most)
{
	u32 filled = 0;
	unsigned int i;

	memset(table, 0xff, size * sizeof(*table));
	while (filled < size) {
		for (i = 0; i < n && filled < size; i++) {
			state[i].credit += state[i].weight;
			if (state[i].credit < most)
				continue;
			state[i].credit -= most;
			while (table[state[i].at] != MAGLEV_EMPTY)
				state[i].at = (state[i].at + state[i].skip) % size;
			table[state[i].at] = i;
			filled++;
		}
		cond_resched();
	}
}

static u16 *maglev_build(const struct kserv_choices *choices, bool local)
{
	unsigned int i, n;
	struct kserv_endpoint *const *set = kserv_choices_set(choices, local, &n);
	u32 size = maglev_size(n), most = 0;
	struct maglev_state *state;
	u16 *table;

	table = kvmalloc_array(size, sizeof(*table), KSERV_GFP_TABLE);
	state = kvcalloc(n, sizeof(*state), KSERV_GFP_TABLE);
	if (!table || !state) {
		kvfree(table);
		kvfree(state);
		return NULL;
	}
	for (i = 0; i < n; i++) {
		state[i].at = endpoint_hash(set[i], MAGLEV_SEED_OFFSET) % size;
		state[i].skip = endpoint_hash(set[i], MAGLEV_SEED_SKIP) % (size - 1) + 1;
		state[i].weight = set[i]->weight;
		most = max(most, state[i].weight);
	}
	for (i = 0; i < n; i++)
		if (state[i].weight)
			state[i].weight = max(state[i].weight, most / MAGLEV_WEIGHT_SHARE);
	if (most)
		maglev_populate(table, size, state, n, most);
	else
		memset(table, 0xff, size * sizeof(*table));
	kvfree(state);
	return table;
}

int kserv_pick_prepare(struct kserv_choices *choices)
{
	unsigned int n;
	int local;

	if (choices->scheduler != KSERV_SCHEDULER_MAGLEV)
		return 0;
	for (local = 0; local <= 1; local++) {
		kserv_choices_set(choices, local, &n);
		if (!n)
			continue;
		choices->maglev[local] = maglev_build(choices, local);
		if (!choices->maglev[local]) {
			kserv_pick_release(choices);
			return -ENOMEM;
		}
	}
	return 0;
}

void kserv_pick_release(struct kserv_choices *choices)
{
	kvfree(choices->maglev[0]);
	kvfree(choices->maglev[1]);
	choices->maglev[0] = NULL;
	choices->maglev[1] = NULL;
}
