/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Answers who asks, by ARP or neighbour discovery, where a load-balancer address is, and tells it unasked when that
 * becomes here: at once, four times a second apart, and once a minute from then on. Runs on the caller's loop.
 */
#ifndef KSERV_LB_ANNOUNCE_H
#define KSERV_LB_ANNOUNCE_H

#include "lb/link.h"

/* Questions answered, announcements that were not asked for, and packets that could not be sent. */
struct kserv_lb_stats {
	uint64_t answers, announcements, failures;
};

struct kserv_announcer;

/*
 * @pools: questions about other addresses do not wake the process; used during the call only.
 * Return: 0 or -errno, -EPERM without CAP_NET_RAW.
 */
int kserv_announcer_new(sd_event *loop, const struct kserv_pool *pools, size_t n_pools, struct kserv_announcer **ret);
void kserv_announcer_free(struct kserv_announcer *announcer);

/* Announces these from now on and no others; @addrs are sorted and differ. */
void kserv_announcer_set(struct kserv_announcer *announcer, const struct kserv_addr *addrs, size_t n);
/* The interface that has the subnet of an address, whoever announces it; NULL if none has. */
const char *kserv_announcer_interface(const struct kserv_announcer *announcer, const struct kserv_addr *addr);
void kserv_announcer_stats(const struct kserv_announcer *announcer, struct kserv_lb_stats *ret);

#endif
