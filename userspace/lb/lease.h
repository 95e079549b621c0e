/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which nodes are alive, by a Lease of the Kubernetes API for each node that announces: a third of the duration apart
 * every node renews its own and looks at all of them. Clocks of other nodes do not count: a node is taken for dead when
 * its Lease has stood unchanged for the whole duration while we could read it.
 */
#ifndef KSERV_LB_LEASE_H
#define KSERV_LB_LEASE_H

#include "cluster/tree.h"
#include "kube/kube.h"

#define KSERV_LB_LEASES	"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"

struct kserv_lb_beat;

/* What is known of the Leases; zeroed to begin with. @listed_us: when they were last read. */
struct kserv_lb_beats {
	struct kserv_lb_beat *v;
	uint64_t listed_us;
};

/**
 * kserv_lb_beats_note() - a list of Leases was read
 * After a time without an answer nobody is taken for dead for what he could not write meanwhile.
 * Return: true if somebody is alive who was not, or the other way round.
 */
bool kserv_lb_beats_note(struct kserv_lb_beats *beats, const struct kserv_value *list, uint64_t now_us,
			 uint64_t duration_us);
/* Why a node does not count as alive, or NULL if it does. */
const char *kserv_lb_beats_why_not(const struct kserv_lb_beats *beats, const char *node);
void kserv_lb_beats_clear(struct kserv_lb_beats *beats);

struct kserv_lb_leases;

/**
 * kserv_lb_leases_start() - begin to renew that of @node and to look at the others
 * @uid: of the Node object, which the Lease goes with; "" if there is none
 * @changed: kserv_lb_leases_why_not() answers otherwise for some node
 */
int kserv_lb_leases_start(sd_event *loop, struct kserv_kube *kube, const char *node, const char *uid,
			  uint64_t duration_us, void (*changed)(void *context), void *context,
			  struct kserv_lb_leases **ret);
/**
 * kserv_lb_leases_leave() - take leave: delete our Lease, and renew and look no more
 * @left: called once, from the loop, when that is done or has failed, within a second
 */
void kserv_lb_leases_leave(struct kserv_lb_leases *leases, void (*left)(void *context), void *context);
/* Before kserv_kube_stop(). */
void kserv_lb_leases_stop(struct kserv_lb_leases *leases);
const char *kserv_lb_leases_why_not(const struct kserv_lb_leases *leases, const char *node);
/* What went wrong with the API last, or "". */
const char *kserv_lb_leases_error(const struct kserv_lb_leases *leases);

#endif
