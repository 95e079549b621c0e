/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_STATS_H
#define _KSERV_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>

/* Counters of a namespace: name in C, name in the protocol. */
#define KSERV_COUNTERS(X)				\
	X(FLOWS_CREATED, "flows-created")		\
	X(FLOWS_ENDED, "flows-ended")			\
	X(FLOWS_EARLY_DROPPED, "flows-early-dropped")	\
	X(TRANSLATED, "packets-translated")		\
	X(UNTRANSLATED, "packets-untranslated")		\
	X(ERRORS_TRANSLATED, "icmp-errors-translated")	\
	X(CACHE_HITS, "affinity-cache-hits")		\
	X(FAST, "packets-fast-path")			\
	X(CACHE_FILLS, "affinity-cache-fills")		\
	X(REPICKED, "flows-repicked")			\
	X(SYN_RETRIED, "syn-retries-moved")		\
	X(PORT_CHANGED, "source-ports-changed")		\
	X(MASQUERADED, "flows-masqueraded")		\
	X(SESSIONS_CREATED, "sessions-created")		\
	X(SESSIONS_REFUSED, "sessions-refused")		\
	X(EJECTIONS, "endpoints-ejected")		\
	X(RESETS, "resets-sent")			\
	X(REJECTED, "packets-rejected")			\
	X(ECHOES, "pings-answered")			\
	X(EVENTS_LOST, "events-lost")

enum kserv_counter {
#define KSERV_COUNTER_ENUM(name, text) KSERV_COUNTER_##name,
	KSERV_COUNTERS(KSERV_COUNTER_ENUM)
#undef KSERV_COUNTER_ENUM
	KSERV_N_COUNTERS
};

/* @reason is dropped packets by enum kserv_reason. */
struct kserv_stats {
	u64 counter[KSERV_N_COUNTERS];
	u64 reason[32];
};

/* Context: BH off or softirq. */
#define kserv_count(kn, name) __this_cpu_inc((kn)->stats->counter[KSERV_COUNTER_##name])
#define kserv_count_drop(kn, why) __this_cpu_inc((kn)->stats->reason[(why) & 31])

struct kserv_net;
struct sk_buff;

/* Bytes of a message that hold every counter: nest, name and value. */
#define KSERV_STATS_SIZE ((KSERV_N_COUNTERS + 32) * 64)

/* Append every counter to a message. Return: 0 or -EMSGSIZE. */
int kserv_stats_put(struct sk_buff *skb, const struct kserv_net *kn);
int kserv_stats_net_init(struct kserv_net *kn);
void kserv_stats_net_exit(struct kserv_net *kn);

#endif /* _KSERV_STATS_H */
