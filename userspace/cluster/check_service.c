// SPDX-License-Identifier: GPL-2.0
/* The rules of the API server's validation of Services, field by field. */
#include <string.h>
#include "cluster/check.h"
#include "cluster/format.h"
#include "lib/addr.h"

#define KUBELET_PORT		10250
#define AFFINITY_TIMEOUT_MAX	86400

/* What the rules about other fields depend on. */
struct facts {
	const struct kserv_value *spec;
	bool cluster_ip, node_port, load_balancer, external_name, headless, external;
};

/*
 * Kubernetes refuses the field in a new Service, but lets one keep it that had it before its type changed, and so do
 * proxies: what is there is looked at or not by their own rules (1.2, 1.10, 2.17).
 */
static void pass_over(const struct facts *facts, const char *key, const char *why, struct kserv_errors *errors)
{
	const struct kserv_value *value = kserv_value_find(facts->spec, key);

	if (value && !(value->type == KSERV_VALUE_STRING && !*value->text) &&
	    !(value->type == KSERV_VALUE_LIST && !value->n) && !(value->type == KSERV_VALUE_INT && !value->integer))
		kserv_note_at(errors, value, "%s", why);
}

static void check_target_port(const struct kserv_value *target, struct kserv_errors *errors)
{
	kserv_check_port(target, errors);
	kserv_check_shape(target, kserv_refuse_port_name, errors);
}

static void check_port_type(const struct facts *facts, const struct kserv_value *port, struct kserv_errors *errors)
{
	const struct kserv_value *node_port = kserv_value_find(port, "nodePort");

	if (kserv_value_is(node_port, KSERV_VALUE_INT) && node_port->integer) {
		kserv_check_port(node_port, errors);
		if (facts->cluster_ip || facts->external_name)
			kserv_note_at(errors, node_port, facts->cluster_ip ?
				      "Kubernetes refuses a node port in a new Service of type ClusterIP" :
				      "means nothing when type is ExternalName");
	}
	if (facts->load_balancer && kserv_value_int(port, "port", 0) == KUBELET_PORT)
		kserv_error_at(errors, kserv_value_find(port, "port"),
			       "must not be %d in a LoadBalancer Service: the kubelet listens there", KUBELET_PORT);
}

static bool is_same_protocol(const struct kserv_value *a, const struct kserv_value *b)
{
	return !strcmp(kserv_value_string(a, "protocol"), kserv_value_string(b, "protocol"));
}

static void refuse_duplicates(const struct kserv_value *ports, const struct kserv_value *port,
			      struct kserv_errors *errors)
{
	const char *name = kserv_value_string(port, "name");
	int64_t number = kserv_value_int(port, "port", 0), node_port = kserv_value_int(port, "nodePort", 0);
	const struct kserv_value *other;

	for (other = ports->first; other != port; other = other->next) {
		if (*name && !strcmp(kserv_value_string(other, "name"), name))
			kserv_error_at(errors, kserv_value_find(port, "name"), "\"%s\" is the name of another port",
				       name);
		if (!is_same_protocol(port, other))
			continue;
		if (number && kserv_value_int(other, "port", 0) == number)
			kserv_error_at(errors, kserv_value_find(port, "port"), "%s port %lld is given twice",
				       kserv_value_string(port, "protocol"), (long long)number);
		if (node_port && kserv_value_int(other, "nodePort", 0) == node_port)
			kserv_error_at(errors, kserv_value_find(port, "nodePort"), "%s node port %lld is given twice",
				       kserv_value_string(port, "protocol"), (long long)node_port);
	}
}

static void check_port(const struct facts *facts, const struct kserv_value *ports, const struct kserv_value *port,
		       struct kserv_errors *errors)
{
	if (port->type != KSERV_VALUE_MAP)
		return;
	if (!kserv_value_find(port, "port"))
		kserv_error_missing(errors, port, "port", "required");
	kserv_check_port(kserv_value_find(port, "port"), errors);
	if (ports->n > 1 && (!kserv_value_find(port, "name") || (kserv_check_text(port, "name") &&
	    !*kserv_check_text(port, "name"))))
		kserv_error_missing(errors, port, "name", "required where there are several ports");
	kserv_check_shape(kserv_value_find(port, "name"), kserv_refuse_label, errors);
	kserv_check_protocol(port, errors);
	check_target_port(kserv_value_find(port, "targetPort"), errors);
	kserv_check_shape(kserv_value_find(port, "appProtocol"), kserv_refuse_qualified_name, errors);
	check_port_type(facts, port, errors);
	refuse_duplicates(ports, port, errors);
}

static void check_ports(const struct facts *facts, struct kserv_errors *errors)
{
	const struct kserv_value *ports = kserv_value_find(facts->spec, "ports"), *port;

	if (!kserv_value_first(ports) && !facts->headless && !facts->external_name &&
	    (!ports || ports->type == KSERV_VALUE_LIST))
		kserv_error_missing(errors, facts->spec, "ports", "required");
	for (port = kserv_value_first(ports); port; port = port->next)
		check_port(facts, ports, port, errors);
}

static void check_external_name(const struct facts *facts, struct kserv_errors *errors)
{
	static const char *const not_with[] = { "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy" };
	const struct kserv_value *name = kserv_value_find(facts->spec, "externalName");
	char text[256];
	size_t len, i;

	if (!facts->external_name)
		return;
	for (i = 0; i < sizeof(not_with) / sizeof(*not_with); i++)
		pass_over(facts, not_with[i], "means nothing when type is ExternalName", errors);
	if (!name || (name->type == KSERV_VALUE_STRING && !*name->text)) {
		kserv_error_missing(errors, facts->spec, "externalName", "required when type is ExternalName");
		return;
	}
	len = strlen(name->text);
	if (name->type != KSERV_VALUE_STRING || len >= sizeof(text))
		return;
	/* A name may end with the point of the DNS root. */
	memcpy(text, name->text, len + 1);
	if (text[len - 1] == '.')
		text[len - 1] = '\0';
	if (kserv_refuse_subdomain(text))
		kserv_error_at(errors, name, "\"%s\" is not a DNS name", name->text);
}

static void check_affinity(const struct facts *facts, struct kserv_errors *errors)
{
	const struct kserv_value *timeout = kserv_value_get(facts->spec,
							    "sessionAffinityConfig.clientIP.timeoutSeconds");

	kserv_check_one_of(kserv_value_find(facts->spec, "sessionAffinity"), "None ClientIP", errors);
	if (kserv_value_is(timeout, KSERV_VALUE_INT) &&
	    (timeout->integer < 1 || timeout->integer > AFFINITY_TIMEOUT_MAX))
		kserv_error_at(errors, timeout, "must be between 1 and %d seconds, got %s", AFFINITY_TIMEOUT_MAX,
			       timeout->text);
}

static void check_load_balancer(const struct facts *facts, struct kserv_errors *errors)
{
	static const char *const only_with[] = {
		"loadBalancerSourceRanges", "loadBalancerClass", "allocateLoadBalancerNodePorts",
	};
	const struct kserv_value *ranges = kserv_value_find(facts->spec, "loadBalancerSourceRanges"), *range;
	struct kserv_addr addr;
	const char *ip = kserv_value_string(facts->spec, "loadBalancerIP");
	size_t i;

	for (i = 0; !facts->load_balancer && i < sizeof(only_with) / sizeof(*only_with); i++)
		pass_over(facts, only_with[i], "is meant for Services of type LoadBalancer", errors);
	for (range = kserv_value_first(ranges); range; range = range->next)
		kserv_check_cidr(range, errors);
	kserv_check_shape(kserv_value_find(facts->spec, "loadBalancerClass"), kserv_refuse_qualified_name, errors);
	if (facts->load_balancer && *ip)
		kserv_check_address(kserv_value_find(facts->spec, "loadBalancerIP"), &addr, errors);
}

static void check_policies(const struct facts *facts, struct kserv_errors *errors)
{
	bool local = !strcmp(kserv_value_string(facts->spec, "externalTrafficPolicy"), "Local");

	kserv_check_one_of(kserv_value_find(facts->spec, "internalTrafficPolicy"), "Cluster Local", errors);
	kserv_check_one_of(kserv_value_find(facts->spec, "externalTrafficPolicy"), "Cluster Local", errors);
	if (!facts->external)
		pass_over(facts, "externalTrafficPolicy",
			  "means nothing unless type is NodePort or LoadBalancer, or there are externalIPs", errors);
	if (!facts->load_balancer || !local)
		pass_over(facts, "healthCheckNodePort",
			  "means nothing unless type is LoadBalancer and externalTrafficPolicy is Local", errors);
	kserv_check_port(kserv_value_int(facts->spec, "healthCheckNodePort", 0) ?
			 kserv_value_find(facts->spec, "healthCheckNodePort") : NULL, errors);
	kserv_check_one_of(kserv_value_find(facts->spec, "trafficDistribution"),
			   "PreferClose PreferSameZone PreferSameNode", errors);
}

static void check_external_ips(const struct facts *facts, struct kserv_errors *errors)
{
	const struct kserv_value *ip;
	struct kserv_addr addr;

	for (ip = kserv_value_first(kserv_value_find(facts->spec, "externalIPs")); ip; ip = ip->next)
		kserv_check_endpoint_address(ip, &addr, errors);
}

static uint8_t family_of(const struct kserv_value *ip)
{
	struct kserv_addr addr;

	return kserv_value_is(ip, KSERV_VALUE_STRING) && !kserv_addr_parse(ip->text, &addr) ? addr.family : AF_UNSPEC;
}

static void check_families(const struct facts *facts, struct kserv_errors *errors)
{
	const struct kserv_value *families = kserv_value_find(facts->spec, "ipFamilies"), *family;
	const struct kserv_value *first = kserv_value_first(families);

	kserv_check_one_of(kserv_value_find(facts->spec, "ipFamilyPolicy"),
			   "SingleStack PreferDualStack RequireDualStack", errors);
	for (family = first; family; family = family->next)
		kserv_check_one_of(family, "IPv4 IPv6", errors);
	if (first && first->next && !strcmp(first->text, first->next->text))
		kserv_error_at(errors, first->next, "%s is given twice", first->text);
	if (first && families->n > 2)
		kserv_error_at(errors, families, "must be at most two");
	if (first && families->n == 2 && !strcmp(kserv_value_string(facts->spec, "ipFamilyPolicy"), "SingleStack"))
		kserv_error_at(errors, families, "must be one when ipFamilyPolicy is SingleStack");
}

static void check_cluster_ip_list(const struct kserv_value *ips, const struct kserv_value *spec,
				  struct kserv_errors *errors)
{
	const struct kserv_value *family = kserv_value_first(kserv_value_find(spec, "ipFamilies")), *ip;
	struct kserv_addr addr;

	for (ip = kserv_value_first(ips); ip; ip = ip->next, family = family ? family->next : NULL) {
		if (kserv_value_is(ip, KSERV_VALUE_STRING) && !strcmp(ip->text, "None")) {
			if (ips->n > 1)
				kserv_error_at(errors, ip, "None must stand alone");
			continue;
		}
		if (kserv_check_address(ip, &addr, errors) && kserv_value_is(family, KSERV_VALUE_STRING) &&
		    strcmp(family->text, addr.family == AF_INET ? "IPv4" : "IPv6"))
			kserv_error_at(errors, ip, "must be an %s address as ipFamilies says, got \"%s\"", family->text,
				       ip->text);
	}
	ip = kserv_value_first(ips);
	if (ips->n == 2 && family_of(ip) && family_of(ip) == family_of(ip->next))
		kserv_error_at(errors, ips, "must be one address of each family");
	if (ips->n > 2)
		kserv_error_at(errors, ips, "must be at most two");
}

static void check_cluster_ips(const struct facts *facts, struct kserv_errors *errors)
{
	const struct kserv_value *ip = kserv_value_find(facts->spec, "clusterIP");
	const struct kserv_value *ips = kserv_value_find(facts->spec, "clusterIPs"), *first = kserv_value_first(ips);
	const char *text = kserv_value_string(facts->spec, "clusterIP");
	struct kserv_addr addr;

	if (facts->external_name)
		return;
	if (facts->headless && (facts->node_port || facts->load_balancer))
		kserv_error_at(errors, ip ? ip : first, "may not be None when type is %s",
			       kserv_value_string(facts->spec, "type"));
	if (first)
		check_cluster_ip_list(ips, facts->spec, errors);
	if (first && ip && kserv_value_is(first, KSERV_VALUE_STRING) && strcmp(first->text, text))
		kserv_error_at(errors, first, "must be the same as clusterIP, \"%s\", got \"%s\"", text, first->text);
	else if (first && !*text)
		kserv_error_at(errors, ips, "may not be set without clusterIP");
	if (!first && *text && strcmp(text, "None"))
		kserv_check_address(ip, &addr, errors);
}

static struct facts service_facts(const struct kserv_value *spec)
{
	const struct kserv_value *first = kserv_value_first(kserv_value_find(spec, "clusterIPs"));
	const char *type = kserv_value_string(spec, "type");
	struct facts facts = {
		.spec = spec,
		.cluster_ip = !strcmp(type, "ClusterIP"),
		.node_port = !strcmp(type, "NodePort"),
		.load_balancer = !strcmp(type, "LoadBalancer"),
		.external_name = !strcmp(type, "ExternalName"),
		.headless = !strcmp(kserv_value_string(spec, "clusterIP"), "None") ||
			(kserv_value_is(first, KSERV_VALUE_STRING) && !strcmp(first->text, "None")),
	};

	facts.external = facts.node_port || facts.load_balancer ||
		(facts.cluster_ip && kserv_value_first(kserv_value_find(spec, "externalIPs")));
	return facts;
}

void kserv_check_service(const struct kserv_value *object, struct kserv_errors *errors)
{
	const struct kserv_value *spec = kserv_value_find(object, "spec");
	struct facts facts;

	kserv_check_meta(object, true, kserv_refuse_service_name, errors);
	if (!kserv_value_is(spec, KSERV_VALUE_MAP))
		return;
	facts = service_facts(spec);
	kserv_check_one_of(kserv_value_find(spec, "type"), "ClusterIP NodePort LoadBalancer ExternalName", errors);
	check_ports(&facts, errors);
	check_external_name(&facts, errors);
	check_cluster_ips(&facts, errors);
	check_families(&facts, errors);
	kserv_check_labels(kserv_value_find(spec, "selector"), errors);
	check_affinity(&facts, errors);
	check_external_ips(&facts, errors);
	check_load_balancer(&facts, errors);
	check_policies(&facts, errors);
}
