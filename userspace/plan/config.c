// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "plan/address.h"
#include "plan/here.h"
#include "plan/prefixes.h"
#include "plan/warning.h"

static int copy_prefixes(const struct kserv_prefixes *from, struct kserv_prefixes *ret)
{
	size_t i;
	int error;

	for (i = 0; i < from->n; i++) {
		error = kserv_prefixes_add(ret, &from->v[i]);
		if (error)
			return error;
	}
	kserv_prefixes_sort(ret);
	return 0;
}

static int plan_node_cidrs(const struct kserv_here *here, struct kserv_prefixes *ret, struct kserv_warnings *warnings)
{
	struct kserv_prefix prefix;
	size_t i;
	int error;

	if (!here->node || !here->node->pod_cidrs.n) {
		kserv_warn_of(warnings, "settings",
			      "pods are to be known by the pod CIDRs of this node, but node \"%s\" %s; "
			      "until then no source counts as a pod", here->settings->node_name ? here->settings->node_name : "",
			      here->node ? "has none yet" : "is not known");
		return 0;
	}
	for (i = 0; i < here->node->pod_cidrs.n; i++) {
		if (!kserv_cidr_read(here->node->pod_cidrs.v[i], &prefix)) {
			kserv_warn(warnings, "Node", &here->node->meta, "spec.podCIDRs[%zu] \"%s\" is not a CIDR and was skipped",
				   i, here->node->pod_cidrs.v[i]);
			continue;
		}
		error = kserv_prefixes_add(ret, &prefix);
		if (error)
			return error;
	}
	kserv_prefixes_sort(ret);
	return 0;
}

static int plan_detector(const struct kserv_here *here, struct kserv_config *config, struct kserv_warnings *warnings)
{
	enum kserv_detect_local detect = kserv_here_detect_local(here);
	const struct kserv_settings *settings = here->settings;
	int error = 0;

	if (detect == KSERV_DETECT_LOCAL_CIDR)
		error = settings->detect_node_cidr ? plan_node_cidrs(here, &config->pod_cidrs, warnings) :
						     copy_prefixes(&settings->cluster_cidrs, &config->pod_cidrs);
	if (error)
		return error;
	if (!here->detects_pods[0] && !here->detects_pods[1])
		return 0;
	config->detect_local = (uint8_t)detect;
	if (detect != KSERV_DETECT_LOCAL_CIDR)
		strncpy(config->pod_interface, settings->pod_interface, sizeof(config->pod_interface) - 1);
	return 0;
}

/* Rule 1.14; an address of loopback is left out, and a family without an address accepts on all (rule 1.12). */
static int plan_primary_addresses(const struct kserv_here *here, struct kserv_prefixes *ret)
{
	struct kserv_prefix prefix;
	size_t i;
	int error;

	for (i = 0; i < 2; i++) {
		if (here->primary[i].family == AF_UNSPEC || kserv_address_is_loopback(&here->primary[i]))
			continue;
		prefix = kserv_cidr_of(&here->primary[i]);
		error = kserv_prefixes_add(ret, &prefix);
		if (error)
			return error;
	}
	return 0;
}

static bool has_zero_cidr(const struct kserv_prefixes *prefixes, uint8_t family)
{
	size_t i;

	for (i = 0; i < prefixes->n; i++)
		if (!prefixes->v[i].len && prefixes->v[i].addr.family == family)
			return true;
	return false;
}

/* A zero CIDR accepts on all addresses of its family, as does no CIDR at all (rule 1.12). */
static int plan_listed_addresses(const struct kserv_here *here, struct kserv_prefixes *ret,
				 struct kserv_warnings *warnings)
{
	const struct kserv_prefixes *listed = &here->settings->node_port_addresses;
	char text[KSERV_ADDR_TEXT];
	size_t i;
	int error;

	for (i = 0; i < listed->n; i++) {
		if (has_zero_cidr(listed, listed->v[i].addr.family))
			continue;
		if (kserv_address_is_loopback(&listed->v[i].addr))
			kserv_warn_of(warnings, "settings",
				      "node ports are never accepted on loopback addresses; nodePortAddresses %s has no effect",
				      kserv_prefix_format(&listed->v[i], text));
		error = kserv_prefixes_add(ret, &listed->v[i]);
		if (error)
			return error;
	}
	return 0;
}

static int plan_node_port_addresses(const struct kserv_here *here, struct kserv_config *config,
				    struct kserv_warnings *warnings)
{
	int error;

	if (here->settings->node_port_primary)
		error = plan_primary_addresses(here, &config->node_port_addresses);
	else
		error = plan_listed_addresses(here, &config->node_port_addresses, warnings);
	kserv_prefixes_sort(&config->node_port_addresses);
	return error;
}

static void plan_masquerade_range(const struct kserv_here *here, struct kserv_config *config,
				  struct kserv_warnings *warnings)
{
	config->masquerade_port_min = here->masquerade_min;
	config->masquerade_port_max = here->masquerade_max;
	if (!here->masquerade_min)
		kserv_warn_of(warnings, "settings", "the node ports %u-%u leave no source ports for masquerading, "
			      "so a masqueraded connection may get a node port for its source",
			      here->settings->node_port_min, here->settings->node_port_max);
}

int kserv_plan_config(const struct kserv_here *here, struct kserv_config *ret_config,
		      struct kserv_warnings *warnings)
{
	struct kserv_config config = here->settings->kernel;
	int error;

	config.detect_local = KSERV_DETECT_LOCAL_NONE;
	memset(config.pod_interface, 0, sizeof(config.pod_interface));
	config.pod_cidrs = config.service_cidrs = config.node_port_addresses = (struct kserv_prefixes){ 0 };
	plan_masquerade_range(here, &config, warnings);
	error = plan_detector(here, &config, warnings);
	if (!error)
		error = copy_prefixes(&here->settings->service_cidrs, &config.service_cidrs);
	if (!error)
		error = plan_node_port_addresses(here, &config, warnings);
	if (error) {
		free(config.pod_cidrs.v);
		free(config.service_cidrs.v);
		free(config.node_port_addresses.v);
		return error;
	}
	*ret_config = config;
	return 0;
}
