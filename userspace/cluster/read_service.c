// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "cluster/memory.h"
#include "cluster/read.h"

#define AFFINITY_TIMEOUT	10800	/* seconds, unless the Service says otherwise */

static enum kserv_service_type read_type(const char *type)
{
	static const char *const types[] = {
		[KSERV_SERVICE_NODE_PORT] = "NodePort", [KSERV_SERVICE_LOAD_BALANCER] = "LoadBalancer",
		[KSERV_SERVICE_EXTERNAL_NAME] = "ExternalName",
	};
	size_t i;

	for (i = KSERV_SERVICE_NODE_PORT; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(type, types[i]))
			return i;
	return KSERV_SERVICE_CLUSTER_IP;
}

static enum kserv_policy read_policy(const struct kserv_value *spec, const char *key)
{
	return strcmp(kserv_value_string(spec, key), "Local") ? KSERV_POLICY_CLUSTER : KSERV_POLICY_LOCAL;
}

static enum kserv_family_policy read_family_policy(const char *policy)
{
	return !strcmp(policy, "RequireDualStack") ? KSERV_REQUIRE_DUAL_STACK :
		!strcmp(policy, "PreferDualStack") ? KSERV_PREFER_DUAL_STACK : KSERV_SINGLE_STACK;
}

static void read_port(const struct kserv_value *value, struct kserv_service_port *port)
{
	const struct kserv_value *target = kserv_value_find(value, "targetPort");

	port->name = kserv_read_string(value, "name");
	port->protocol = kserv_read_protocol(value);
	port->port = kserv_read_port(value, "port");
	port->node_port = kserv_read_port(value, "nodePort");
	port->app_protocol = kserv_read_string(value, "appProtocol");
	if (kserv_value_is(target, KSERV_VALUE_STRING) && *target->text)
		port->target_port.name = kserv_must_strdup(target->text);
	else
		port->target_port.number = kserv_read_port(value, "targetPort");
}

static void read_ports(const struct kserv_value *spec, struct kserv_k8s_service *service)
{
	const struct kserv_value *value;

	for (value = kserv_value_first(kserv_value_find(spec, "ports")); value; value = value->next) {
		service->ports = kserv_must_grow(service->ports, service->n_ports, sizeof(*service->ports));
		read_port(value, &service->ports[service->n_ports++]);
	}
}

static void read_ingress(const struct kserv_value *list, struct kserv_k8s_service *service)
{
	const struct kserv_value *value;

	for (value = kserv_value_first(list); value; value = value->next) {
		service->ingress = kserv_must_grow(service->ingress, service->n_ingress, sizeof(*service->ingress));
		service->ingress[service->n_ingress++] = (struct kserv_ingress){
			.ip = kserv_read_string(value, "ip"),
			.hostname = kserv_read_string(value, "hostname"),
			.proxy = !strcmp(kserv_value_string(value, "ipMode"), "Proxy"),
		};
	}
}

static void read_policies(const struct kserv_value *spec, struct kserv_k8s_service *service)
{
	service->client_ip_affinity = !strcmp(kserv_value_string(spec, "sessionAffinity"), "ClientIP");
	service->affinity_timeout = kserv_value_int(spec, "sessionAffinityConfig.clientIP.timeoutSeconds",
						    AFFINITY_TIMEOUT);
	service->internal_policy = read_policy(spec, "internalTrafficPolicy");
	service->external_policy = read_policy(spec, "externalTrafficPolicy");
	service->health_check_node_port = kserv_read_port(spec, "healthCheckNodePort");
	service->publish_not_ready = kserv_value_bool(spec, "publishNotReadyAddresses", false);
	service->allocate_node_ports = kserv_value_bool(spec, "allocateLoadBalancerNodePorts", true);
	service->traffic_distribution = kserv_read_string(spec, "trafficDistribution");
}

struct kserv_k8s_service *kserv_read_service(const struct kserv_value *object)
{
	struct kserv_k8s_service *service = kserv_must_alloc(sizeof(*service));
	const struct kserv_value *spec = kserv_value_find(object, "spec");

	kserv_read_meta(object, &service->meta);
	service->type = read_type(kserv_value_string(spec, "type"));
	read_ports(spec, service);
	service->cluster_ip = kserv_read_string(spec, "clusterIP");
	kserv_read_strings(kserv_value_find(spec, "clusterIPs"), &service->cluster_ips);
	kserv_read_strings(kserv_value_find(spec, "ipFamilies"), &service->ip_families);
	service->family_policy = read_family_policy(kserv_value_string(spec, "ipFamilyPolicy"));
	kserv_read_strings(kserv_value_find(spec, "externalIPs"), &service->external_ips);
	kserv_read_strings(kserv_value_find(spec, "loadBalancerSourceRanges"), &service->source_ranges);
	service->load_balancer_ip = kserv_read_string(spec, "loadBalancerIP");
	service->load_balancer_class = kserv_read_string(spec, "loadBalancerClass");
	service->external_name = kserv_read_string(spec, "externalName");
	kserv_read_labels(kserv_value_find(spec, "selector"), &service->selector);
	read_ingress(kserv_value_get(object, "status.loadBalancer.ingress"), service);
	read_policies(spec, service);
	return service;
}
