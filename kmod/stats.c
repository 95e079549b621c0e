// SPDX-License-Identifier: GPL-2.0
/* Counters of a namespace: one set a CPU, added up when they are asked for. */
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <net/netlink.h>
#include <uapi/linux/kserv.h>

#include "kserv.h"
#include "stats.h"

static const char *const counter_names[KSERV_N_COUNTERS] = {
#define KSERV_COUNTER_NAME(name, text)[KSERV_COUNTER_##name] = text,
	KSERV_COUNTERS(KSERV_COUNTER_NAME)
#undef KSERV_COUNTER_NAME
};

/* Dropped packets by enum kserv_reason; reasons that only explain an endpoint have no counter. */
static const char *const reason_names[] = {
	[KSERV_REASON_NO_FRONTEND] = "dropped-no-frontend",
	[KSERV_REASON_NOT_A_NODE_PORT_ADDRESS] = "dropped-not-a-node-port-address",
	[KSERV_REASON_UNDEFINED_PORT] = "dropped-undefined-port",
	[KSERV_REASON_UNALLOCATED_ADDRESS] = "dropped-unallocated-address",
	[KSERV_REASON_NO_ENDPOINTS] = "dropped-no-endpoints",
	[KSERV_REASON_NO_LOCAL_ENDPOINTS] = "dropped-no-local-endpoints",
	[KSERV_REASON_SOURCE_NOT_ALLOWED] = "dropped-source-not-allowed",
	[KSERV_REASON_FLOW_TABLE_FULL] = "dropped-flow-table-full",
	[KSERV_REASON_NO_MEMORY] = "dropped-no-memory",
	[KSERV_REASON_MALFORMED] = "dropped-malformed",
	[KSERV_REASON_NO_FLOW] = "dropped-no-flow",
	[KSERV_REASON_COLLISION] = "dropped-collision",
	[KSERV_REASON_ENDPOINT_REMOVED] = "dropped-endpoint-removed",
	[KSERV_REASON_NO_ROUTE] = "dropped-no-route",
	[KSERV_REASON_FRAGMENT] = "dropped-fragment",
	[KSERV_REASON_SOURCE_IS_SERVICE] = "dropped-source-is-service",
};

static_assert(ARRAY_SIZE(reason_names) <= ARRAY_SIZE(((struct kserv_stats *)NULL)->reason));

static u64 sum(const struct kserv_net *kn, size_t offset)
{
	u64 total = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		total += READ_ONCE(*(u64 *)((char *)per_cpu_ptr(kn->stats, cpu) + offset));
	return total;
}

static int put_counter(struct sk_buff *skb, const char *name, u64 value)
{
	struct nlattr *nest = nla_nest_start(skb, KSERV_A_MESSAGE_COUNTER);

	if (!nest || nla_put_string(skb, KSERV_A_COUNTER_NAME, name) ||
	    nla_put_u64_64bit(skb, KSERV_A_COUNTER_VALUE, value, KSERV_A_COUNTER_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int kserv_stats_put(struct sk_buff *skb, const struct kserv_net *kn)
{
	unsigned int i;
	int ret;

	for (i = 0; i < KSERV_N_COUNTERS; i++) {
		ret = put_counter(skb, counter_names[i], sum(kn, offsetof(struct kserv_stats, counter[i])));
		if (ret)
			return ret;
	}
	for (i = 0; i < ARRAY_SIZE(reason_names); i++) {
		if (!reason_names[i])
			continue;
		ret = put_counter(skb, reason_names[i], sum(kn, offsetof(struct kserv_stats, reason[i])));
		if (ret)
			return ret;
	}
	return 0;
}

int kserv_stats_net_init(struct kserv_net *kn)
{
	kn->stats = alloc_percpu_gfp(struct kserv_stats, GFP_KERNEL_ACCOUNT);
	return kn->stats ? 0 : -ENOMEM;
}

void kserv_stats_net_exit(struct kserv_net *kn)
{
	free_percpu(kn->stats);
}
