// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/place.h"
#include "lib/read.h"

#define for_each_nested(attribute, nest)								\
	kserv_for_each_attribute(attribute, (const struct nlattr *)kserv_attribute_data(nest),		\
				 kserv_attribute_len(nest))

static unsigned int type_of(const struct nlattr *attribute)
{
	return attribute->nla_type & NLA_TYPE_MASK;
}

void kserv_attribute_addr(const struct nlattr *attribute, struct kserv_addr *ret_addr)
{
	memset(ret_addr, 0, sizeof(*ret_addr));
	if (kserv_attribute_len(attribute) == sizeof(ret_addr->v4)) {
		memcpy(&ret_addr->v4, kserv_attribute_data(attribute), sizeof(ret_addr->v4));
		ret_addr->family = AF_INET;
	} else if (kserv_attribute_len(attribute) == sizeof(ret_addr->v6)) {
		memcpy(&ret_addr->v6, kserv_attribute_data(attribute), sizeof(ret_addr->v6));
		ret_addr->family = AF_INET6;
	}
}

void kserv_attribute_prefix(const struct nlattr *nest, struct kserv_prefix *ret_prefix)
{
	const struct nlattr *attribute;

	memset(ret_prefix, 0, sizeof(*ret_prefix));
	for_each_nested(attribute, nest) {
		switch (type_of(attribute)) {
		case KSERV_A_PREFIX_ADDR4:
		case KSERV_A_PREFIX_ADDR6:
			kserv_attribute_addr(attribute, &ret_prefix->addr);
			break;
		case KSERV_A_PREFIX_LEN:
			ret_prefix->len = kserv_attribute_u8(attribute);
			break;
		}
	}
}

void kserv_attribute_endpoint(const struct nlattr *nest, struct kserv_endpoint *ret_endpoint)
{
	struct kserv_endpoint *e = ret_endpoint;
	const struct nlattr *attribute;

	memset(e, 0, sizeof(*e));
	for_each_nested(attribute, nest) {
		switch (type_of(attribute)) {
		case KSERV_A_ENDPOINT_ADDR4:
		case KSERV_A_ENDPOINT_ADDR6:
			kserv_attribute_addr(attribute, &e->addr);
			break;
		case KSERV_A_ENDPOINT_PORT:
			e->port = ntohs(kserv_attribute_u16(attribute));
			break;
		case KSERV_A_ENDPOINT_STATE:
			e->state = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_ENDPOINT_FLAGS:
			e->flags = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_ENDPOINT_WEIGHT:
			e->weight = kserv_attribute_u16(attribute);
			break;
		case KSERV_A_ENDPOINT_CLUSTER_REASON:
			e->cluster_reason = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_ENDPOINT_LOCAL_REASON:
			e->local_reason = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_ENDPOINT_ACTIVE:
			e->stats.active = kserv_attribute_u32(attribute);
			break;
		case KSERV_A_ENDPOINT_CONNECTIONS:
			e->stats.connections = kserv_attribute_u64(attribute);
			break;
		case KSERV_A_ENDPOINT_PACKETS_IN:
			e->stats.packets_in = kserv_attribute_u64(attribute);
			break;
		case KSERV_A_ENDPOINT_BYTES_IN:
			e->stats.bytes_in = kserv_attribute_u64(attribute);
			break;
		case KSERV_A_ENDPOINT_PACKETS_OUT:
			e->stats.packets_out = kserv_attribute_u64(attribute);
			break;
		case KSERV_A_ENDPOINT_BYTES_OUT:
			e->stats.bytes_out = kserv_attribute_u64(attribute);
			break;
		case KSERV_A_ENDPOINT_CONNECT_LATENCY:
			/* Less than a microsecond is something as well. */
			e->stats.latency = kserv_attribute_u32(attribute) ?: 1;
			break;
		case KSERV_A_ENDPOINT_EJECTED:
			e->stats.ejected = true;
			break;
		}
	}
}

/* How many attributes of @type are in @nest. */
static size_t count(const struct nlattr *nest, unsigned int type)
{
	const struct nlattr *attribute;
	size_t n = 0;

	for_each_nested(attribute, nest)
		n += type_of(attribute) == type;
	return n;
}

/* All prefixes of @type in @nest. */
static int read_prefixes(const struct nlattr *nest, unsigned int type, struct kserv_prefixes *ret_prefixes)
{
	size_t n = count(nest, type);
	const struct nlattr *attribute;
	struct kserv_prefix *v;

	ret_prefixes->n = 0;
	ret_prefixes->v = NULL;
	if (!n)
		return 0;
	v = malloc(n * sizeof(*v));
	if (!v)
		return -ENOMEM;
	ret_prefixes->v = v;
	for_each_nested(attribute, nest)
		if (type_of(attribute) == type)
			kserv_attribute_prefix(attribute, &v[ret_prefixes->n++]);
	return 0;
}

int kserv_attribute_frontend(const struct nlattr *nest, struct kserv_frontend *ret_frontend)
{
	struct kserv_frontend *f = ret_frontend;
	const struct nlattr *attribute;

	memset(f, 0, sizeof(*f));
	for_each_nested(attribute, nest) {
		switch (type_of(attribute)) {
		case KSERV_A_FRONTEND_TYPE:
			f->type = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_FRONTEND_ADDR4:
		case KSERV_A_FRONTEND_ADDR6:
			kserv_attribute_addr(attribute, &f->addr);
			break;
		case KSERV_A_FRONTEND_PORT:
			f->port = ntohs(kserv_attribute_u16(attribute));
			break;
		case KSERV_A_FRONTEND_FLAGS:
			f->flags = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_FRONTEND_CONNECTIONS:
			f->connections = kserv_attribute_u64(attribute);
			break;
		}
	}
	return read_prefixes(nest, KSERV_A_FRONTEND_SOURCE, &f->sources);
}

static void read_member(const struct nlattr *attribute, struct kserv_service *service)
{
	switch (type_of(attribute)) {
	case KSERV_A_SERVICE_FAMILY:
		service->family = kserv_attribute_u8(attribute);
		break;
	case KSERV_A_SERVICE_PROTOCOL:
		service->protocol = kserv_attribute_u8(attribute);
		break;
	case KSERV_A_SERVICE_SCHEDULER:
		service->scheduler = kserv_attribute_u8(attribute);
		break;
	case KSERV_A_SERVICE_AFFINITY_TIMEOUT:
		service->affinity_timeout = kserv_attribute_u32(attribute);
		break;
	case KSERV_A_SERVICE_FLAGS:
		service->flags = kserv_attribute_u32(attribute);
		break;
	case KSERV_A_SERVICE_REMOVAL:
		service->removal = kserv_attribute_u8(attribute);
		break;
	case KSERV_A_SERVICE_REMOVAL_GRACE:
		service->removal_grace = kserv_attribute_u32(attribute);
		break;
	case KSERV_A_SERVICE_SLOW_START:
		service->slow_start = kserv_attribute_u32(attribute);
		break;
	case KSERV_A_SERVICE_REJECTS:
		service->rejects = kserv_attribute_u64(attribute);
		break;
	case KSERV_A_SERVICE_DROPS:
		service->drops = kserv_attribute_u64(attribute);
		break;
	case KSERV_A_SERVICE_CONNECTIONS:
		service->connections = kserv_attribute_u64(attribute);
		break;
	}
}

/* Room for more members behind those that are there. */
static int extend(struct kserv_service *service, size_t endpoints, size_t frontends)
{
	void *v;

	if (endpoints) {
		v = realloc(service->endpoints, (service->n_endpoints + endpoints) * sizeof(*service->endpoints));
		if (!v)
			return -ENOMEM;
		service->endpoints = v;
	}
	if (frontends) {
		v = realloc(service->frontends, (service->n_frontends + frontends) * sizeof(*service->frontends));
		if (!v)
			return -ENOMEM;
		service->frontends = v;
	}
	return 0;
}

static int read_nested(const struct nlattr *nest, struct kserv_service *service)
{
	const struct nlattr *attribute;
	int error = 0;

	for_each_nested(attribute, nest) {
		if (type_of(attribute) == KSERV_A_SERVICE_ENDPOINT)
			kserv_attribute_endpoint(attribute, &service->endpoints[service->n_endpoints++]);
		else if (type_of(attribute) == KSERV_A_SERVICE_FRONTEND)
			error = kserv_attribute_frontend(attribute, &service->frontends[service->n_frontends++]);
		else
			read_member(attribute, service);
		if (error)
			return error;
	}
	return 0;
}

int kserv_attribute_service(const struct nlattr *nest, struct kserv_service *service, bool *ret_more)
{
	size_t endpoints = 0, frontends = 0;
	const struct nlattr *attribute;

	*ret_more = false;
	for_each_nested(attribute, nest) {
		switch (type_of(attribute)) {
		case KSERV_A_SERVICE_ENDPOINT:
			endpoints++;
			break;
		case KSERV_A_SERVICE_FRONTEND:
			frontends++;
			break;
		case KSERV_A_SERVICE_MORE:
			*ret_more = true;
			break;
		case KSERV_A_SERVICE_NAME:
			if (!service->name)
				service->name = strndup(kserv_attribute_data(attribute), kserv_attribute_len(attribute));
			break;
		}
	}
	if (!service->name)
		service->name = strdup("");
	if (!service->name || extend(service, endpoints, frontends))
		return -ENOMEM;
	return read_nested(nest, service);
}

void kserv_attribute_route(const struct nlattr *nest, struct kserv_route *ret_route)
{
	const struct nlattr *attribute;

	memset(ret_route, 0, sizeof(*ret_route));
	for_each_nested(attribute, nest) {
		switch (type_of(attribute)) {
		case KSERV_A_ROUTE_PREFIX:
			kserv_attribute_prefix(attribute, &ret_route->prefix);
			break;
		case KSERV_A_ROUTE_TYPE:
			ret_route->type = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_ROUTE_GATEWAY4:
		case KSERV_A_ROUTE_GATEWAY6:
			kserv_attribute_addr(attribute, &ret_route->gateway);
			break;
		}
	}
}

static void read_setting(const struct nlattr *attribute, struct kserv_config *config)
{
	switch (type_of(attribute)) {
	case KSERV_A_CONFIG_CONNTRACK:
		config->conntrack = kserv_attribute_u8(attribute);
		break;
	case KSERV_A_CONFIG_DETECT_LOCAL:
		config->detect_local = kserv_attribute_u8(attribute);
		break;
	case KSERV_A_CONFIG_POD_INTERFACE:
		strncpy(config->pod_interface, kserv_attribute_data(attribute),
			kserv_attribute_len(attribute) < sizeof(config->pod_interface) ?
			kserv_attribute_len(attribute) : sizeof(config->pod_interface) - 1);
		break;
	case KSERV_A_CONFIG_MASQUERADE_PORT_MIN:
		config->masquerade_port_min = kserv_attribute_u16(attribute);
		break;
	case KSERV_A_CONFIG_MASQUERADE_PORT_MAX:
		config->masquerade_port_max = kserv_attribute_u16(attribute);
		break;
	case KSERV_A_CONFIG_FLOW_MAX:
		config->flow_max = kserv_attribute_u32(attribute);
		break;
	case KSERV_A_CONFIG_SESSION_MAX:
		config->session_max = kserv_attribute_u32(attribute);
		break;
	case KSERV_A_CONFIG_TCP_SYN_TIMEOUT:
		config->tcp_syn_timeout = kserv_attribute_u32(attribute);
		break;
	case KSERV_A_CONFIG_TCP_ESTABLISHED_TIMEOUT:
		config->tcp_established_timeout = kserv_attribute_u32(attribute);
		break;
	case KSERV_A_CONFIG_TCP_CLOSE_TIMEOUT:
		config->tcp_close_timeout = kserv_attribute_u32(attribute);
		break;
	case KSERV_A_CONFIG_UDP_TIMEOUT:
		config->udp_timeout = kserv_attribute_u32(attribute);
		break;
	case KSERV_A_CONFIG_UDP_STREAM_TIMEOUT:
		config->udp_stream_timeout = kserv_attribute_u32(attribute);
		break;
	case KSERV_A_CONFIG_SCTP_TIMEOUT:
		config->sctp_timeout = kserv_attribute_u32(attribute);
		break;
	case KSERV_A_CONFIG_FAST_PATH:
		config->fast_path = kserv_attribute_u8(attribute);
		config->fast_path_set = true;
		break;
	}
}

int kserv_attribute_config(const struct nlattr *nest, struct kserv_config *ret_config)
{
	const struct nlattr *attribute;

	memset(ret_config, 0, sizeof(*ret_config));
	for_each_nested(attribute, nest)
		read_setting(attribute, ret_config);
	if (read_prefixes(nest, KSERV_A_CONFIG_POD_CIDR, &ret_config->pod_cidrs) ||
	    read_prefixes(nest, KSERV_A_CONFIG_SERVICE_CIDR, &ret_config->service_cidrs) ||
	    read_prefixes(nest, KSERV_A_CONFIG_NODE_PORT_ADDRESS, &ret_config->node_port_addresses)) {
		kserv_config_clear(ret_config);
		return -ENOMEM;
	}
	return 0;
}
