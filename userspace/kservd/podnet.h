/* SPDX-License-Identifier: GPL-2.0 */
/* The pod network follows the Nodes and the kernel's devices and routes. Nothing of it unless it is configured. */
#ifndef KSERVD_PODNET_H
#define KSERVD_PODNET_H

#include "cluster/errors.h"

struct daemon;
struct podnet;

/* Begins to watch the kernel. Return: 0, also where there is no pod network, or -errno with errors added. */
int podnet_start(struct daemon *daemon, struct kserv_errors *errors);
/* Routes stay: pods go on while there is no daemon. */
void podnet_stop(struct daemon *daemon);

/* Nodes, settings or what the CNI file waits for may have changed; it is looked at soon. */
void podnet_touch(struct daemon *daemon);

/* kservd --cleanup: takes away what is ours, configured or not, and the CNI file. Return: 0, or -errno after saying why. */
int podnet_clean_up(const struct kserv_value *root);

#endif
