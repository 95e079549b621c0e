/* SPDX-License-Identifier: GPL-2.0 */
/* Load-balancer addresses of Services: the part of assign.h that a cloud, or MetalLB, does elsewhere. */
#ifndef KSERV_BALANCER_H
#define KSERV_BALANCER_H

#include "source/assign.h"

/* "Service default/web"; the caller frees it. */
char *kserv_assign_holder(const struct kserv_value *object);

/* Addresses asked for or given before go into the status; an address that another Service has is an error. */
void kserv_balancer_requested(const struct kserv_assign *assign, const char *holder);
/*
 * Addresses from the pools for families that have none yet. A pool that has none leaves the Service pending, with a
 * note.
 */
void kserv_balancer_rest(const struct kserv_assign *assign, const char *holder);
void kserv_balancer_held(struct kserv_allocator *allocator, const struct kserv_value *object, const char *holder);

#endif
