/* SPDX-License-Identifier: GPL-2.0 */
/* The kinds of objects that kserv takes, and the names people have for them. */
#ifndef KSERV_KIND_H
#define KSERV_KIND_H

#include <stdbool.h>
#include "cluster/errors.h"
#include "cluster/tree.h"

/**
 * struct kserv_kind - one kind
 * @singular: "service", as in what apply prints; also its row in the schema by @kind
 * @short_name: "svc", or NULL
 * @is_workload: stored and shown, but kserv starts no containers for it
 * @fill: add what the API server adds to a new object; the object may still be wrong
 * @check: add an error for each value that Kubernetes would refuse; types are checked already, but wrong ones are
 *	still there
 */
struct kserv_kind {
	const char *api_version, *kind, *plural, *singular, *short_name;
	bool namespaced, is_workload;
	void (*fill)(struct kserv_tree *tree, struct kserv_value *object);
	void (*check)(const struct kserv_value *object, struct kserv_errors *errors);
};

/* Ended by a row without kind. */
extern const struct kserv_kind kserv_kinds[];

/* By "Service"; NULL if there is none. */
const struct kserv_kind *kserv_kind_lookup(const char *kind);
/* By what people type: svc, service, services, Service, deployments.apps; NULL if there is none. */
const struct kserv_kind *kserv_kind_by_name(const char *name);

#endif
