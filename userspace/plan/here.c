// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "plan/address.h"
#include "plan/here.h"

/* The Kubernetes default for services with node ports. */
enum { NODE_PORT_MIN = 30000, NODE_PORT_MAX = 32767 };
/* Ports below belong to well-known services and are not used as source ports. */
enum { SOURCE_PORT_MIN = 1024, SOURCE_PORT_MAX = 65535, SOURCE_PORTS_ENOUGH = 4096, LOCAL_PORT_MIN = 32768 };

static const struct kserv_node *find_node(const struct kserv_cluster *cluster)
{
	size_t i;

	for (i = 0; i < cluster->n_nodes; i++)
		if (!strcmp(cluster->nodes[i]->meta.name, cluster->settings.node_name))
			return cluster->nodes[i];
	return NULL;
}

static void find_primary(const struct kserv_strings *ips, struct kserv_addr primary[2])
{
	struct kserv_addr addr;
	size_t i;

	for (i = 0; i < ips->n; i++) {
		if (!kserv_address_read(ips->v[i], &addr))
			continue;
		if (primary[kserv_family_index(addr.family)].family == AF_UNSPEC)
			primary[kserv_family_index(addr.family)] = addr;
	}
}

void kserv_node_primary(const struct kserv_node *node, struct kserv_addr primary[2])
{
	find_primary(&node->internal_ips, primary);
	find_primary(&node->external_ips, primary);
}

static void detect_in_cidrs(struct kserv_here *here)
{
	const struct kserv_prefixes *cidrs = &here->settings->cluster_cidrs;
	struct kserv_prefix prefix;
	size_t i;

	if (!here->settings->detect_node_cidr) {
		for (i = 0; i < cidrs->n; i++)
			here->detects_pods[kserv_family_index(cidrs->v[i].addr.family)] = true;
	} else if (here->node) {
		for (i = 0; i < here->node->pod_cidrs.n; i++)
			if (kserv_cidr_read(here->node->pod_cidrs.v[i], &prefix))
				here->detects_pods[kserv_family_index(prefix.addr.family)] = true;
	}
}

static void find_detectors(struct kserv_here *here)
{
	const struct kserv_settings *settings = here->settings;

	switch (kserv_here_detect_local(here)) {
	case KSERV_DETECT_LOCAL_NONE:
		break;
	case KSERV_DETECT_LOCAL_CIDR:
		detect_in_cidrs(here);
		break;
	case KSERV_DETECT_LOCAL_INTERFACE:
	case KSERV_DETECT_LOCAL_INTERFACE_PREFIX:
		/* No name would match every interface, or none: either is a mistake. */
		here->detects_pods[0] = here->detects_pods[1] = settings->pod_interface && *settings->pod_interface;
		break;
	}
}

enum kserv_detect_local kserv_here_detect_local(const struct kserv_here *here)
{
	return here->settings->detect_node_cidr ? KSERV_DETECT_LOCAL_CIDR : here->settings->detect_local;
}

/*
 * Ports that neither node ports nor local sockets have, which get theirs from 32768 on: an answer to a process of this
 * node is never taken for one to a masqueraded client. Where the node ports leave too few of them, those above.
 */
static void find_masquerade_range(struct kserv_here *here)
{
	const struct kserv_settings *settings = here->settings;
	unsigned int min = settings->node_port_min ? settings->node_port_min : NODE_PORT_MIN;
	unsigned int max = settings->node_port_max ? settings->node_port_max : NODE_PORT_MAX;
	unsigned int above = max < SOURCE_PORT_MIN ? SOURCE_PORT_MIN : max + 1;

	if (settings->kernel.masquerade_port_min) {
		here->masquerade_min = settings->kernel.masquerade_port_min;
		here->masquerade_max = settings->kernel.masquerade_port_max;
	} else if (min >= SOURCE_PORT_MIN + SOURCE_PORTS_ENOUGH) {
		here->masquerade_min = SOURCE_PORT_MIN;
		here->masquerade_max = (uint16_t)(min <= LOCAL_PORT_MIN ? min - 1 : LOCAL_PORT_MIN - 1);
	} else if (above + SOURCE_PORTS_ENOUGH <= LOCAL_PORT_MIN) {
		here->masquerade_min = (uint16_t)above;
		here->masquerade_max = LOCAL_PORT_MIN - 1;
	} else if (above <= SOURCE_PORT_MAX) {
		here->masquerade_min = (uint16_t)above;
		here->masquerade_max = SOURCE_PORT_MAX;
	}
}

void kserv_here_init(struct kserv_here *here, const struct kserv_cluster *cluster)
{
	memset(here, 0, sizeof(*here));
	here->settings = &cluster->settings;
	here->wrapped = &cluster->wrapped;
	if (cluster->settings.node_name && *cluster->settings.node_name)
		here->node = find_node(cluster);
	find_primary(&cluster->settings.node_ips, here->primary);
	if (here->node) {
		here->zone = kserv_labels_find(&here->node->meta.labels, "topology.kubernetes.io/zone");
		kserv_node_primary(here->node, here->primary);
	}
	find_detectors(here);
	find_masquerade_range(here);
}

bool kserv_here_is_node(const struct kserv_here *here, const char *name)
{
	return *name && here->settings->node_name && !strcmp(name, here->settings->node_name);
}
