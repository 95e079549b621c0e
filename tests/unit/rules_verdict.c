// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "plan/address.h"
#include "rules_verdict.h"

static bool among(const struct kserv_prefixes *prefixes, const struct kserv_addr *addr)
{
	size_t i;

	for (i = 0; i < prefixes->n; i++)
		if (kserv_cidr_contains(&prefixes->v[i], addr))
			return true;
	return false;
}

static bool has_family(const struct kserv_prefixes *prefixes, uint8_t family)
{
	size_t i;

	for (i = 0; i < prefixes->n; i++)
		if (prefixes->v[i].addr.family == family)
			return true;
	return false;
}

static bool is_local(const struct locals *locals, const struct kserv_addr *addr)
{
	size_t i;

	for (i = 0; i < locals->n; i++)
		if (kserv_addr_is_equal(&locals->v[i], addr))
			return true;
	return kserv_address_is_loopback(addr);
}

static bool is_pod(const struct kserv_config *config, const struct packet *packet)
{
	switch (config->detect_local) {
	case KSERV_DETECT_LOCAL_CIDR:
		return among(&config->pod_cidrs, &packet->source);
	case KSERV_DETECT_LOCAL_INTERFACE:
		return packet->interface && !strcmp(packet->interface, config->pod_interface);
	case KSERV_DETECT_LOCAL_INTERFACE_PREFIX:
		return packet->interface &&
		       !strncmp(packet->interface, config->pod_interface, strlen(config->pod_interface));
	default:
		return false;
	}
}

static enum kserv_source_type classify(const struct kserv_config *config, const struct locals *locals,
				       const struct packet *packet)
{
	if (is_pod(config, packet))
		return KSERV_SOURCE_TYPE_POD;
	return is_local(locals, &packet->source) ? KSERV_SOURCE_TYPE_NODE : KSERV_SOURCE_TYPE_OTHER;
}

static bool frontend_matches(const struct kserv_frontend *frontend, const struct packet *packet, bool node_port)
{
	if (frontend->port != packet->port || (frontend->type == KSERV_FRONTEND_TYPE_NODE_PORT) != node_port)
		return false;
	return node_port || kserv_addr_is_equal(&frontend->addr, &packet->destination);
}

/* Return: false if there is none; the kernel refuses tables that hold two. */
static bool find(const struct kserv_tables *tables, const struct packet *packet, bool node_port, struct answer *answer)
{
	size_t i, j;

	for (i = 0; i < tables->n_services; i++) {
		const struct kserv_service *service = &tables->services[i];

		if (service->protocol != packet->protocol || service->family != packet->destination.family)
			continue;
		for (j = 0; j < service->n_frontends; j++) {
			if (!frontend_matches(&service->frontends[j], packet, node_port))
				continue;
			answer->service = service;
			answer->frontend = &service->frontends[j];
			return true;
		}
	}
	return false;
}

static bool accepts_node_ports(const struct kserv_config *config, const struct locals *locals,
			       const struct kserv_addr *addr)
{
	if (!is_local(locals, addr) || kserv_address_is_loopback(addr))
		return false;
	return !has_family(&config->node_port_addresses, addr->family) || among(&config->node_port_addresses, addr);
}

static bool is_cluster_ip(const struct kserv_tables *tables, const struct kserv_addr *addr)
{
	size_t i, j;

	for (i = 0; i < tables->n_services; i++)
		for (j = 0; j < tables->services[i].n_frontends; j++)
			if (tables->services[i].frontends[j].type == KSERV_FRONTEND_TYPE_CLUSTER_IP &&
			    kserv_addr_is_equal(&tables->services[i].frontends[j].addr, addr))
				return true;
	return false;
}

static void refuse(struct answer *answer, enum kserv_verdict verdict, enum kserv_reason reason)
{
	answer->verdict = verdict;
	answer->reason = reason;
}

/* Return: false if the packet is for no service; @answer then says what becomes of it. */
static bool find_frontend(const struct kserv_tables *tables, const struct locals *locals, const struct packet *packet,
			  struct answer *answer)
{
	enum kserv_reason pass_reason;
	bool node_port;

	if (find(tables, packet, false, answer))
		return true;
	node_port = find(tables, packet, true, answer);
	if (node_port && accepts_node_ports(&tables->config, locals, &packet->destination))
		return true;
	answer->service = NULL;
	answer->frontend = NULL;
	pass_reason = node_port ? KSERV_REASON_NOT_A_NODE_PORT_ADDRESS : KSERV_REASON_NO_FRONTEND;
	/* What comes in for an address of this node itself is its own affair. */
	if (packet->interface && is_local(locals, &packet->destination))
		refuse(answer, KSERV_VERDICT_PASS, pass_reason);
	else if (is_cluster_ip(tables, &packet->destination))
		refuse(answer, KSERV_VERDICT_REJECT, KSERV_REASON_UNDEFINED_PORT);
	else if (among(&tables->config.service_cidrs, &packet->destination))
		refuse(answer, KSERV_VERDICT_DROP, KSERV_REASON_UNALLOCATED_ADDRESS);
	else
		refuse(answer, KSERV_VERDICT_PASS, pass_reason);
	return false;
}

static bool is_empty(const struct answer *answer)
{
	size_t i;

	for (i = 0; i < answer->service->n_endpoints; i++)
		if (rules_excluded(answer, &answer->service->endpoints[i]) == KSERV_REASON_NONE)
			return false;
	return true;
}

struct answer rules_decide(const struct kserv_tables *tables, const struct locals *locals, const struct packet *packet)
{
	struct answer answer = { .source = classify(&tables->config, locals, packet) };
	uint8_t flags;

	if (!find_frontend(tables, locals, packet, &answer))
		return answer;
	flags = answer.frontend->flags;
	answer.local_set = (flags & KSERV_FRONTEND_FLAGS_LOCAL_SET) &&
			   (!(flags & KSERV_FRONTEND_FLAGS_SHORT_CIRCUIT) || answer.source == KSERV_SOURCE_TYPE_OTHER);
	if (answer.frontend->sources.n && !among(&answer.frontend->sources, &packet->source))
		refuse(&answer, KSERV_VERDICT_DROP, KSERV_REASON_SOURCE_NOT_ALLOWED);
	else if (!is_empty(&answer))
		answer.verdict = KSERV_VERDICT_TRANSLATE;
	else if (flags & KSERV_FRONTEND_FLAGS_DROP_EMPTY)
		refuse(&answer, KSERV_VERDICT_DROP, KSERV_REASON_NO_LOCAL_ENDPOINTS);
	else
		refuse(&answer, KSERV_VERDICT_REJECT, KSERV_REASON_NO_ENDPOINTS);
	return answer;
}

enum kserv_reason rules_excluded(const struct answer *answer, const struct kserv_endpoint *endpoint)
{
	uint8_t set = answer->local_set ? KSERV_ENDPOINT_FLAGS_LOCAL_SET : KSERV_ENDPOINT_FLAGS_CLUSTER_SET;

	if (!(endpoint->flags & set))
		return answer->local_set ? endpoint->local_reason : endpoint->cluster_reason;
	return endpoint->weight ? KSERV_REASON_NONE : KSERV_REASON_WEIGHT_ZERO;
}

bool rules_masquerades(const struct answer *answer, const struct packet *packet, const struct kserv_endpoint *endpoint)
{
	static const uint8_t flags[] = {
		[KSERV_SOURCE_TYPE_OTHER] = KSERV_FRONTEND_FLAGS_MASQUERADE_OTHER,
		[KSERV_SOURCE_TYPE_POD] = KSERV_FRONTEND_FLAGS_MASQUERADE_POD,
		[KSERV_SOURCE_TYPE_NODE] = KSERV_FRONTEND_FLAGS_MASQUERADE_NODE,
	};

	return (answer->frontend->flags & flags[answer->source]) ||
	       kserv_addr_is_equal(&packet->source, &endpoint->addr);
}
