/* SPDX-License-Identifier: GPL-2.0 */
/* Paths of the Kubernetes API. Pure. */
#ifndef KSERVD_PLACE_H
#define KSERVD_PLACE_H

#include <stdbool.h>
#include "cluster/kind.h"

/**
 * struct place - what a path of the Kubernetes API names
 * @namespace: "" for all; @name: "" for a list
 */
struct place {
	const struct kserv_kind *kind;
	char namespace[256], name[256];
};

/**
 * place_read() - /api/v1/namespaces/NAMESPACE/services/NAME, /apis/apps/v1/deployments, /api/v1/nodes/NAME
 * Return: false if it names nothing of a kind that kserv knows.
 */
bool place_read(const char *path, struct place *ret);

#endif
