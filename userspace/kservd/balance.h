/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Load-balancer addresses without a cloud: which of them this node announces follows the model, and with an API the
 * status of Services does, too. Nothing of it unless it is configured.
 */
#ifndef KSERVD_BALANCE_H
#define KSERVD_BALANCE_H

#include "cluster/errors.h"
#include "cluster/memory.h"
#include "cluster/tree.h"
#include "lib/tables.h"

struct balance;
struct daemon;

/**
 * struct balance_config - section loadBalancer of the configuration, but for its pools
 * @announce: answer ARP and neighbour discovery
 * @assign: give addresses to the Services of an API server
 * @lease_us: a node that has not renewed its Lease for so long is dead
 */
struct balance_config {
	bool announce, assign;
	uint64_t lease_us;
};

/* Adds an error for each value that is wrong. */
void balance_config_read(const struct kserv_value *root, struct balance_config *ret, struct kserv_errors *errors);

/* Return: 0, also where it is off, or -errno with errors added. */
int balance_start(struct daemon *daemon, struct kserv_errors *errors);
/**
 * balance_leave() - tell the other nodes that this one ends, so that they take over at once
 * Return: false if there is nobody to tell; else the loop is ended when that is done.
 */
bool balance_leave(struct daemon *daemon);
/* Before api_stop(). */
void balance_stop(struct daemon *daemon);
/* Something in the model changed, or all objects have come: it is looked at in a moment. */
void balance_touch(struct daemon *daemon);

/*
 * Load-balancer addresses that this node can serve as well as any, whether they are announced on the segment or not.
 * Return: how many; the caller frees *ret.
 */
size_t balance_served(const struct daemon *daemon, struct kserv_addr **ret);

/* Appends JSON: addresses, nodes, counters. */
void balance_report(struct daemon *daemon, struct kserv_text *text);

#endif
