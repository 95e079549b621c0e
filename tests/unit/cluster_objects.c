// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "cluster/memory.h"
#include "cluster/read.h"
#include "cluster_objects.h"

static void *grow(void *v, size_t n, void *object)
{
	void **array = kserv_must_grow(v, n, sizeof(*array));

	array[n] = object;
	return array;
}

bool cluster_add(struct kserv_cluster *cluster, const struct kserv_value *object)
{
	const char *kind = kserv_value_string(object, "kind");

	if (!strcmp(kind, "Service"))
		cluster->services = grow(cluster->services, cluster->n_services++, kserv_read_service(object));
	else if (!strcmp(kind, "EndpointSlice"))
		cluster->slices = grow(cluster->slices, cluster->n_slices++, kserv_read_slice(object));
	else if (!strcmp(kind, "Node"))
		cluster->nodes = grow(cluster->nodes, cluster->n_nodes++, kserv_read_node(object));
	else if (!strcmp(kind, "Pod"))
		cluster->pods = grow(cluster->pods, cluster->n_pods++, kserv_read_pod(object));
	else if (!strcmp(kind, "Namespace"))
		cluster->namespaces = grow(cluster->namespaces, cluster->n_namespaces++, kserv_read_namespace(object));
	else if (!strcmp(kind, "ServiceCIDR"))
		kserv_read_service_cidr(object, &cluster->settings.service_cidrs);
	else
		return false;
	return true;
}
