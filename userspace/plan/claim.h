/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who has a frontend that several services claim, as external addresses and foreign objects allow. Kubernetes leaves the
 * winner open (rule 1.19), here it is always the same one: a cluster IP goes before any other frontend, so that no
 * external IP takes traffic away from another service; then the first service by name.
 */
#ifndef KSERV_CLAIM_H
#define KSERV_CLAIM_H

#include "plan/plan.h"

struct kserv_claims;

/* NULL when memory is short. */
struct kserv_claims *kserv_claims_new(void);
void kserv_claims_free(struct kserv_claims *claims);

/**
 * kserv_claims_set() - what one Service object claims now, in the place of what it claimed before
 * @object: its name, "default/web"
 * @services: as kserv_plan_service() made them, nothing taken out; none when the object is gone
 * @ret_others: appended to: names of other objects that lost a frontend by this or got one, to be planned again; may
 *	hold a name twice; may be NULL
 *
 * Return: 0, or -ENOMEM: then the object claims part of it, and setting it again makes that good.
 */
int kserv_claims_set(struct kserv_claims *claims, const char *object, const struct kserv_service *services, size_t n,
		     struct kserv_strings *ret_others);

/**
 * kserv_claims_settle() - take out of @services the frontends that belong to others
 * @services: claimed before, by kserv_claims_set()
 */
void kserv_claims_settle(const struct kserv_claims *claims, struct kserv_service *services, size_t n,
			 struct kserv_warnings *warnings);

#endif
