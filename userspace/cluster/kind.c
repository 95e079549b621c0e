// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <strings.h>
#include "cluster/check.h"
#include "cluster/fill.h"
#include "cluster/kind.h"

const struct kserv_kind kserv_kinds[] = {
	{ "v1", "Namespace", "namespaces", "namespace", "ns", false, false, kserv_fill_namespace,
	  kserv_check_namespace },
	{ "v1", "Node", "nodes", "node", "no", false, false, kserv_fill_node, kserv_check_node },
	{ "networking.k8s.io/v1", "ServiceCIDR", "servicecidrs", "servicecidr", NULL, false, false, kserv_fill_service_cidr,
	  kserv_check_service_cidr },
	{ "v1", "Service", "services", "service", "svc", true, false, kserv_fill_service, kserv_check_service },
	{ "discovery.k8s.io/v1", "EndpointSlice", "endpointslices", "endpointslice", NULL, true, false,
	  kserv_fill_slice, kserv_check_slice },
	{ "v1", "Endpoints", "endpoints", "endpoints", "ep", true, false, kserv_fill_endpoints, kserv_check_endpoints },
	{ "v1", "Pod", "pods", "pod", "po", true, false, kserv_fill_pod, kserv_check_pod },
	{ "apps/v1", "Deployment", "deployments", "deployment", "deploy", true, true, kserv_fill_workload,
	  kserv_check_workload },
	{ "apps/v1", "ReplicaSet", "replicasets", "replicaset", "rs", true, true, kserv_fill_workload,
	  kserv_check_workload },
	{ "apps/v1", "StatefulSet", "statefulsets", "statefulset", "sts", true, true, kserv_fill_workload,
	  kserv_check_workload },
	{ "apps/v1", "DaemonSet", "daemonsets", "daemonset", "ds", true, true, kserv_fill_workload,
	  kserv_check_workload },
	{ }
};

const struct kserv_kind *kserv_kind_lookup(const char *kind)
{
	const struct kserv_kind *row;

	for (row = kserv_kinds; row->kind; row++)
		if (!strcmp(row->kind, kind))
			return row;
	return NULL;
}

/* "apps" of deployments.apps and deployments.v1.apps; the core group has no name. */
static bool is_group(const struct kserv_kind *kind, const char *group)
{
	const char *slash = strchr(kind->api_version, '/');
	size_t len = slash ? (size_t)(slash - kind->api_version) : 0;

	if (!len)
		return !*group;
	if (slash && !strncmp(group, slash + 1, strlen(slash + 1)) && group[strlen(slash + 1)] == '.')
		group += strlen(slash + 1) + 1;
	return strlen(group) == len && !strncmp(group, kind->api_version, len);
}

const struct kserv_kind *kserv_kind_by_name(const char *name)
{
	size_t len = strcspn(name, ".");
	const struct kserv_kind *row;

	for (row = kserv_kinds; row->kind; row++) {
		const char *const names[] = { row->plural, row->singular, row->short_name };
		size_t i;

		for (i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (names[i] && strlen(names[i]) == len && !strncasecmp(names[i], name, len) &&
			    (!name[len] || is_group(row, name + len + 1)))
				return row;
	}
	return NULL;
}
