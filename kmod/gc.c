// SPDX-License-Identifier: GPL-2.0
/* Ending flows whose time is over, a slice of the table at a time. */
#include <linux/rculist.h>
#include <linux/workqueue.h>

#include "kserv.h"
#include "cache.h"
#include "flow.h"
#include "gc.h"
#include "track.h"

/* Once through the table in this many steps, one each GC_INTERVAL. */
#define GC_STEPS 16
#define GC_INTERVAL HZ

/* Buckets visited in one RCU read section. */
#define GC_BATCH 64

struct workqueue_struct *kserv_queue;

static void scan_batch(struct kserv_net *kn, unsigned int from, unsigned int to, bool all)
{
	struct kserv_flow_node *node;
	struct kserv_flow *flow;
	unsigned int i;

	rcu_read_lock();
	for (i = from; i < to; i++) {
		hlist_for_each_entry_rcu(node, &kn->flows.buckets[i], node) {
			flow = kserv_node_flow(node);
			if (node->key != KSERV_KEY_CLIENT || !(all || kserv_flow_is_expired(flow)))
				continue;
			if (kserv_flow_kill(kn, flow) && !all)
				kserv_track_expired(kn, flow);
		}
	}
	rcu_read_unlock();
}

static void scan(struct kserv_net *kn, unsigned int from, unsigned int to, bool all)
{
	for (; from < to; from += GC_BATCH) {
		scan_batch(kn, from, min(from + GC_BATCH, to), all);
		cond_resched();
	}
}

static void gc_work(struct work_struct *work)
{
	struct kserv_flow_table *table = container_of(to_delayed_work(work), struct kserv_flow_table, gc);
	struct kserv_net *kn = container_of(table, struct kserv_net, flows);
	unsigned int step = (1U << table->bits) / GC_STEPS;

	scan(kn, table->gc_next, table->gc_next + step, false);
	kserv_cache_age(kn);
	table->gc_next = (table->gc_next + step) & ((1U << table->bits) - 1);
	queue_delayed_work(kserv_queue, &table->gc, GC_INTERVAL);
}

void kserv_gc_start(struct kserv_net *kn)
{
	INIT_DELAYED_WORK(&kn->flows.gc, gc_work);
	queue_delayed_work(kserv_queue, &kn->flows.gc, GC_INTERVAL);
}

void kserv_gc_stop(struct kserv_net *kn)
{
	cancel_delayed_work_sync(&kn->flows.gc);
}

void kserv_gc_expire_all(struct kserv_net *kn)
{
	scan(kn, 0, 1U << kn->flows.bits, true);
}

int kserv_gc_module_init(void)
{
	kserv_queue = alloc_workqueue("kserv", WQ_UNBOUND, 0);
	return kserv_queue ? 0 : -ENOMEM;
}

void kserv_gc_module_exit(void)
{
	destroy_workqueue(kserv_queue);
}
