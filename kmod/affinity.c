// SPDX-License-Identifier: GPL-2.0
/* ClientIP session affinity: which endpoint a client of a service was sent to lately. */
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "kserv.h"
#include "affinity.h"
#include "gc.h"
#include "pick.h"
#include "service.h"

#define BUCKET_BITS 13
#define GC_INTERVAL (10 * HZ)

static struct kserv_session_bucket *session_bucket(const struct kserv_session_table *table, u32 service_id,
						   const union nf_inet_addr *client)
{
	u64 words[3];

	memcpy(words, client, sizeof(*client));
	words[2] = service_id;
	return &table->buckets[siphash(words, sizeof(words), &table->seed) >> (64 - BUCKET_BITS)];
}

static bool is_expired(const struct kserv_session *session)
{
	return (s32)(READ_ONCE(session->expires) - (u32)jiffies) <= 0;
}

static struct kserv_session *find(struct kserv_session_bucket *bucket, u32 service_id,
				  const union nf_inet_addr *client)
{
	struct kserv_session *session;

	hlist_for_each_entry_rcu(session, &bucket->head, node, lockdep_is_held(&bucket->lock))
		if (session->service_id == service_id && kserv_addr_equal(&session->client, client))
			return session;
	return NULL;
}

struct kserv_endpoint *kserv_session_lookup(struct kserv_net *kn, const struct kserv_service *service,
					    const struct kserv_choices *choices, bool local,
					    const union nf_inet_addr *client)
{
	struct kserv_session_table *table = &kn->sessions;
	struct kserv_endpoint *endpoint;
	struct kserv_session *session;

	if (!choices->affinity_timeout || !READ_ONCE(table->buckets))
		return NULL;
	session = find(session_bucket(table, service->id, client), service->id, client);
	if (!session || is_expired(session))
		return NULL;
	endpoint = READ_ONCE(session->endpoint);
	/* Rules 4.5 and 4.6: affinity dies with the endpoint and never widens the set. */
	if (READ_ONCE(endpoint->removed) || kserv_pick_excluded(choices, endpoint, local, (u32)jiffies))
		return NULL;
	return endpoint;
}

static void session_free_rcu(struct rcu_head *rcu)
{
	struct kserv_session *session = container_of(rcu, struct kserv_session, rcu);

	kserv_endpoint_put(session->endpoint);
	kfree(session);
}

static void session_del(struct kserv_session_table *table, struct kserv_session_bucket *bucket,
			struct kserv_session *session)
{
	lockdep_assert_held(&bucket->lock);
	hlist_del_rcu(&session->node);
	atomic_dec(&table->n);
	call_rcu(&session->rcu, session_free_rcu);
}

/* The table is at its bound: the entry of this bucket that would expire first makes room. */
static bool make_room(struct kserv_session_table *table, struct kserv_session_bucket *bucket)
{
	struct kserv_session *session, *oldest = NULL;

	hlist_for_each_entry(session, &bucket->head, node)
		if (!oldest || (s32)(session->expires - oldest->expires) < 0)
			oldest = session;
	if (oldest)
		session_del(table, bucket, oldest);
	return oldest;
}

static void session_add(struct kserv_net *kn, struct kserv_session_bucket *bucket, u32 service_id,
			const union nf_inet_addr *client, struct kserv_endpoint *endpoint, u32 expires)
{
	struct kserv_session_table *table = &kn->sessions;
	struct kserv_session *session;

	if (atomic_read(&table->n) >= rcu_dereference(kn->config)->session_max && !make_room(table, bucket))
		goto out_refused;
	session = kzalloc(sizeof(*session), GFP_ATOMIC);
	if (!session)
		goto out_refused;
	if (!kserv_endpoint_get_maybe_zero(endpoint)) {
		kfree(session);
		goto out_refused;
	}
	session->client = *client;
	session->service_id = service_id;
	session->expires = expires;
	session->endpoint = endpoint;
	hlist_add_head_rcu(&session->node, &bucket->head);
	atomic_inc(&table->n);
	kserv_count(kn, SESSIONS_CREATED);
	return;

out_refused:
	kserv_count(kn, SESSIONS_REFUSED);
}

static void note_client(struct kserv_net *kn, const struct kserv_service *service, const union nf_inet_addr *client,
			struct kserv_endpoint *endpoint, u32 expires)
{
	struct kserv_session_table *table = &kn->sessions;
	struct kserv_session_bucket *bucket;
	struct kserv_session *session;

	bucket = session_bucket(table, service->id, client);
	spin_lock(&bucket->lock);
	session = find(bucket, service->id, client);
	if (session && session->endpoint == endpoint) {
		WRITE_ONCE(session->expires, expires);
	} else {
		if (session)
			session_del(table, bucket, session);
		session_add(kn, bucket, service->id, client, endpoint, expires);
	}
	spin_unlock(&bucket->lock);
}

void kserv_session_remember(struct kserv_net *kn, const struct kserv_service *service,
			    const struct kserv_choices *choices, const union nf_inet_addr *client,
			    struct kserv_endpoint *endpoint)
{
	if (choices->affinity_timeout && READ_ONCE(kn->sessions.buckets))
		note_client(kn, service, client, endpoint, (u32)jiffies + choices->affinity_timeout * HZ);
}

void kserv_session_resume(struct kserv_net *kn, const struct kserv_service *service,
			  const struct kserv_choices *choices, const union nf_inet_addr *client,
			  struct kserv_endpoint *endpoint, u32 left_ms)
{
	u64 left = div_u64((u64)left_ms * HZ, MSEC_PER_SEC);

	if (choices->affinity_timeout && READ_ONCE(kn->sessions.buckets))
		note_client(kn, service, client, endpoint,
			    (u32)jiffies + min_t(u64, left, (u64)choices->affinity_timeout * HZ));
}

/* An endpoint of no more use: removed, in a set no longer, or of a service without affinity. */
static bool is_void(const struct kserv_session *session)
{
	const struct kserv_endpoint *endpoint = session->endpoint;
	const struct kserv_choices *choices = rcu_dereference(endpoint->service->choices);

	return READ_ONCE(endpoint->removed) || READ_ONCE(endpoint->service->dead) || !choices ||
	       !choices->affinity_timeout ||
	       !(READ_ONCE(endpoint->flags) & (KSERV_ENDPOINT_FLAGS_CLUSTER_SET | KSERV_ENDPOINT_FLAGS_LOCAL_SET));
}

static void sweep(struct kserv_net *kn, bool all)
{
	struct kserv_session_table *table = &kn->sessions;
	struct kserv_session_bucket *bucket;
	struct kserv_session *session;
	struct hlist_node *next;
	unsigned int i;

	if (!READ_ONCE(table->buckets))
		return;
	for (i = 0; i < 1U << BUCKET_BITS; i++) {
		bucket = &table->buckets[i];
		if (hlist_empty(&bucket->head))
			continue;
		rcu_read_lock();
		spin_lock_bh(&bucket->lock);
		hlist_for_each_entry_safe(session, next, &bucket->head, node)
			if (all || is_expired(session) || is_void(session))
				session_del(table, bucket, session);
		spin_unlock_bh(&bucket->lock);
		rcu_read_unlock();
		cond_resched();
	}
}

void kserv_session_sweep(struct kserv_net *kn)
{
	sweep(kn, false);
}

static void gc_work(struct work_struct *work)
{
	struct kserv_session_table *table = container_of(to_delayed_work(work), struct kserv_session_table, gc);

	sweep(container_of(table, struct kserv_net, sessions), false);
	queue_delayed_work(kserv_queue, &table->gc, GC_INTERVAL);
}

int kserv_session_walk(struct kserv_net *kn, unsigned long *pos,
		       int (*fn)(const struct kserv_session *session, void *arg), void *arg)
{
	struct kserv_session_table *table = &kn->sessions;
	unsigned long bucket = *pos >> 32, skip = *pos & U32_MAX, seen;
	struct kserv_session *session;
	int ret = 0;

	if (!READ_ONCE(table->buckets))
		return 0;
	for (; bucket < 1UL << BUCKET_BITS && !ret; bucket++, skip = 0) {
		seen = 0;
		rcu_read_lock();
		hlist_for_each_entry_rcu(session, &table->buckets[bucket].head, node) {
			if (is_expired(session) || seen++ < skip)
				continue;
			ret = fn(session, arg);
			if (ret) {
				*pos = bucket << 32 | (seen - 1);
				break;
			}
		}
		rcu_read_unlock();
	}
	return ret;
}

int kserv_session_net_init(struct kserv_net *kn)
{
	get_random_bytes(&kn->sessions.seed, sizeof(kn->sessions.seed));
	atomic_set(&kn->sessions.n, 0);
	return 0;
}

int kserv_session_net_start(struct kserv_net *kn)
{
	struct kserv_session_table *table = &kn->sessions;
	struct kserv_session_bucket *buckets;
	unsigned int i;

	lockdep_assert_held(&kn->mutex);
	if (table->buckets)
		return 0;
	buckets = kvcalloc(1U << BUCKET_BITS, sizeof(*buckets), KSERV_GFP_TABLE);
	if (!buckets)
		return -ENOMEM;
	for (i = 0; i < 1U << BUCKET_BITS; i++)
		spin_lock_init(&buckets[i].lock);
	INIT_DELAYED_WORK(&table->gc, gc_work);
	/* Packets may come meanwhile: pairs with their READ_ONCE. */
	smp_store_release(&table->buckets, buckets);
	queue_delayed_work(kserv_queue, &table->gc, GC_INTERVAL);
	return 0;
}

void kserv_session_net_exit(struct kserv_net *kn)
{
	if (!kn->sessions.buckets)
		return;
	cancel_delayed_work_sync(&kn->sessions.gc);
	sweep(kn, true);
	synchronize_rcu();
	kvfree(kn->sessions.buckets);
}
