/* SPDX-License-Identifier: GPL-2.0 */
/*
 * BGP by a BIRD that runs beside: its configuration follows the model, so that peers know this node's pod CIDRs and the
 * load-balancer addresses that it serves. Nothing of it unless it is configured.
 */
#ifndef KSERVD_BGP_H
#define KSERVD_BGP_H

#include "cluster/errors.h"
#include "cluster/tree.h"

struct bgp;
struct daemon;

/* Return: 0, also where it is off, or -errno with errors added. */
int bgp_start(struct daemon *daemon, struct kserv_errors *errors);
void bgp_stop(struct daemon *daemon);
/* Something in the model changed, or all objects have come: it is looked at in a moment. */
void bgp_touch(struct daemon *daemon);

/* Announce nothing any more, after the daemon's end. Return: 0, or -errno after logging why. */
int bgp_clean_up(const struct kserv_value *root);

#endif
