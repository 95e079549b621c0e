// SPDX-License-Identifier: GPL-2.0
/* A module that does what no module may, to see whether the debug kernel notices: one mode for each boot. */
#include <linux/module.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/rbtree.h>
#include <linux/rculist.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *mode = "none";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "what to do wrong");

struct thing {
	struct list_head list;
	struct rb_node node;
	struct timer_list timer;
	unsigned int value;
	char name[16];
};

static LIST_HEAD(things);
static DEFINE_SPINLOCK(one);
static DEFINE_SPINLOCK(other);
static struct thing __rcu *current_thing;

/* What the compiler cannot see through. */
static noinline void touch(struct thing *thing, unsigned int at)
{
	((volatile char *)thing)[at]++;
}

static void nothing(struct thing *thing)
{
	touch(thing, 0);
}

static void use_after_free(struct thing *thing)
{
	struct thing *copy = kmemdup(thing, sizeof(*thing), GFP_KERNEL);

	kfree(copy);
	if (copy)
		touch(copy, offsetof(struct thing, value));
}

/* The tree's code, which is the kernel's, walks into what is gone. */
static void freed_in_tree(struct thing *thing)
{
	struct thing *lost = kmemdup(thing, sizeof(*thing), GFP_KERNEL);
	struct rb_root root = RB_ROOT;

	if (!lost)
		return;
	rb_link_node(&lost->node, NULL, &root.rb_node);
	rb_insert_color(&lost->node, &root);
	kfree(lost);
	rb_first(&root);
}

static void out_of_bounds(struct thing *thing)
{
	touch(thing, sizeof(*thing));
}

static void lock_order(struct thing *thing)
{
	spin_lock(&one);
	spin_lock(&other);
	spin_unlock(&other);
	spin_unlock(&one);
	spin_lock(&other);
	spin_lock(&one);
	spin_unlock(&one);
	spin_unlock(&other);
}

static void sleep_in_atomic(struct thing *thing)
{
	spin_lock_bh(&one);
	msleep(20);
	spin_unlock_bh(&one);
}

static void gfp_in_rcu(struct thing *thing)
{
	void *memory;

	rcu_read_lock();
	memory = kmalloc(64, GFP_KERNEL);
	rcu_read_unlock();
	kfree(memory);
}

static void rcu_pointer(struct thing *thing)
{
	rcu_assign_pointer(current_thing, thing);
	touch(rcu_dereference(current_thing), 0);
	RCU_INIT_POINTER(current_thing, NULL);
}

static void rcu_list(struct thing *thing)
{
	struct thing *each;

	list_add_rcu(&thing->list, &things);
	list_for_each_entry_rcu(each, &things, list)
		touch(each, 0);
	list_del_rcu(&thing->list);
}

static void leak(struct thing *thing)
{
	struct thing *lost = kmemdup(thing, sizeof(*thing), GFP_KERNEL);

	if (lost)
		touch(lost, 0);
}

static void refcount(struct thing *thing)
{
	refcount_t references = REFCOUNT_INIT(1);

	refcount_dec(&references);
	refcount_inc(&references);
}

static void slab_leftover(struct thing *thing)
{
	struct kmem_cache *cache = kmem_cache_create("bad_things", sizeof(*thing), 0, 0, NULL);
	struct thing *left = cache ? kmem_cache_alloc(cache, GFP_KERNEL) : NULL;

	if (left)
		touch(left, 0);
	kmem_cache_destroy(cache);
}

static void timer_fn(struct timer_list *timer)
{
}

static void free_active_timer(struct thing *thing)
{
	struct thing *armed = kzalloc(sizeof(*armed), GFP_KERNEL);

	if (!armed)
		return;
	timer_setup(&armed->timer, timer_fn, 0);
	mod_timer(&armed->timer, jiffies + 3600 * HZ);
	kfree(armed);
}

static void shift_too_far(struct thing *thing)
{
	thing->value = 1 << (READ_ONCE(thing->value) + 40);
}

static int count_on(void *thing)
{
	while (!kthread_should_stop()) {
		((struct thing *)thing)->value++;
		cond_resched();
	}
	return 0;
}

static void race(struct thing *thing)
{
	struct task_struct *other = kthread_run(count_on, thing, "other");
	unsigned int i;

	if (IS_ERR(other))
		return;
	for (i = 0; i < 1000000; i++) {
		thing->value++;
		cond_resched();
	}
	kthread_stop(other);
}

static const struct {
	const char *name;
	void (*fn)(struct thing *thing);
} modes[] = {
	{ "none", nothing },
	{ "use-after-free", use_after_free },
	{ "freed-in-tree", freed_in_tree },
	{ "out-of-bounds", out_of_bounds },
	{ "lock-order", lock_order },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "gfp-in-rcu", gfp_in_rcu },
	{ "rcu-pointer", rcu_pointer },
	{ "rcu-list", rcu_list },
	{ "leak", leak },
	{ "refcount", refcount },
	{ "slab-leftover", slab_leftover },
	{ "free-active-timer", free_active_timer },
	{ "shift", shift_too_far },
	{ "data-race", race },
};

static int __init bad_init(void)
{
	struct thing *thing = kzalloc(sizeof(*thing), GFP_KERNEL);
	unsigned int i;

	if (!thing)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(modes[i].name, mode))
			continue;
		pr_info("bad: doing %s\n", mode);
		modes[i].fn(thing);
		kfree(thing);
		return 0;
	}
	kfree(thing);
	return -EINVAL;
}

static void __exit bad_exit(void)
{
}

module_init(bad_init);
module_exit(bad_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mistakes, for the detectors of a debug kernel");
