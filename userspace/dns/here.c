// SPDX-License-Identifier: GPL-2.0
/* The cluster DNS address in the model: a Service whose endpoint is this node. */
#include <stdlib.h>
#include <string.h>
#include "cluster/json.h"
#include "cluster/memory.h"
#include "cluster/read.h"
#include "dns/dns.h"
#include "lib/addr.h"

#define NAMESPACE	"kube-system"
#define NAME		"kube-dns"

static void must_read(struct kserv_tree *tree, char *json)
{
	struct kserv_errors errors = { 0 };

	/* Our own text: it is JSON, or there is no memory, and then the program has ended. */
	kserv_json_read(tree, json, strlen(json), 1, NULL, &errors);
	kserv_errors_clear(&errors);
	free(json);
}

static struct kserv_k8s_service *find_service(const struct kserv_cluster *cluster)
{
	size_t i;

	for (i = 0; i < cluster->n_services; i++)
		if (!strcmp(cluster->services[i]->meta.namespace, NAMESPACE) &&
		    !strcmp(cluster->services[i]->meta.name, NAME))
			return cluster->services[i];
	return NULL;
}

static struct kserv_k8s_service *add_service(struct kserv_cluster *cluster, const char *address)
{
	struct kserv_tree tree = { 0 };
	struct kserv_k8s_service *service;

	must_read(&tree, kserv_must_printf("{\"metadata\":{\"namespace\":\"" NAMESPACE "\",\"name\":\"" NAME "\"},"
					   "\"spec\":{\"type\":\"ClusterIP\",\"clusterIP\":\"%s\",\"clusterIPs\":[\"%s\"],"
					   "\"ipFamilies\":[\"%s\"],\"ports\":["
					   "{\"name\":\"dns\",\"protocol\":\"UDP\",\"port\":53},"
					   "{\"name\":\"dns-tcp\",\"protocol\":\"TCP\",\"port\":53}]}}", address, address,
					   strchr(address, ':') ? "IPv6" : "IPv4"));
	service = kserv_read_service(tree.root);
	kserv_tree_clear(&tree);
	cluster->services = kserv_must_grow(cluster->services, cluster->n_services, sizeof(*cluster->services));
	cluster->services[cluster->n_services++] = service;
	return service;
}

/* The family of an address as text; AF_UNSPEC for none. */
static uint8_t family_of(const char *text)
{
	struct kserv_addr addr = { 0 };

	return kserv_addr_parse(text, &addr) ? AF_UNSPEC : addr.family;
}

/* Pods that the Service selects, or endpoints that somebody wrote, answer no more. */
static void remove_slices(struct kserv_cluster *cluster, uint8_t family)
{
	enum kserv_address_type type = family == AF_INET ? KSERV_ADDRESS_IPV4 : KSERV_ADDRESS_IPV6;
	size_t i = 0;

	while (i < cluster->n_slices) {
		struct kserv_slice *slice = cluster->slices[i];

		if (slice->address_type != type || strcmp(slice->service, NAME) ||
		    strcmp(slice->meta.namespace, NAMESPACE)) {
			i++;
			continue;
		}
		kserv_slice_free(slice);
		cluster->slices[i] = cluster->slices[--cluster->n_slices];
	}
}

/* Ports of the slice: those of the Service that are 53, at the port where we listen. */
static char *ports_text(const struct kserv_k8s_service *service, uint16_t port)
{
	struct kserv_text text = { 0 };
	size_t i;

	for (i = 0; i < service->n_ports; i++)
		if (service->ports[i].port == KSERV_DNS_PORT)
			kserv_text_printf(&text, "%s{\"name\":\"%s\",\"protocol\":\"%s\",\"port\":%u}", text.len ? "," : "",
					  service->ports[i].name,
					  service->ports[i].protocol == IPPROTO_UDP ? "UDP" : "TCP", port);
	return kserv_text_take(&text);
}

static void add_slice(struct kserv_cluster *cluster, const struct kserv_k8s_service *service,
		      const struct kserv_dns_place *here)
{
	char *ports = ports_text(service, here->port ? here->port : KSERV_DNS_PORT), address[KSERV_ADDR_TEXT];
	const char *type = here->addr.family == AF_INET ? "IPv4" : "IPv6";
	struct kserv_tree tree = { 0 };

	kserv_addr_format(&here->addr, address);
	must_read(&tree, kserv_must_printf("{\"metadata\":{\"namespace\":\"" NAMESPACE "\",\"name\":\"" NAME "-here-%s\","
					   "\"labels\":{\"kubernetes.io/service-name\":\"" NAME "\"}},"
					   "\"addressType\":\"%s\",\"ports\":[%s],\"endpoints\":[{\"addresses\":[\"%s\"],"
					   "\"conditions\":{\"ready\":true},\"nodeName\":\"%s\"}]}", type, type, ports, address,
					   cluster->settings.node_name ? cluster->settings.node_name : ""));
	cluster->slices = kserv_must_grow(cluster->slices, cluster->n_slices, sizeof(*cluster->slices));
	cluster->slices[cluster->n_slices++] = kserv_read_slice(tree.root);
	kserv_tree_clear(&tree);
	free(ports);
}

void kserv_dns_serve_here(struct kserv_cluster *cluster, const struct kserv_addr *address,
			  const struct kserv_dns_place *here)
{
	struct kserv_k8s_service *service = find_service(cluster);
	char text[KSERV_ADDR_TEXT];
	bool has_family = false;
	size_t i;

	kserv_addr_format(address, text);
	if (!service)
		service = add_service(cluster, text);
	for (i = 0; i < service->cluster_ips.n; i++)
		has_family |= family_of(service->cluster_ips.v[i]) == address->family;
	if (!has_family && strcmp(service->cluster_ip, "None")) {
		kserv_strings_add(&service->cluster_ips, text);
		kserv_strings_add(&service->ip_families, address->family == AF_INET ? "IPv4" : "IPv6");
	}
	remove_slices(cluster, here->addr.family);
	add_slice(cluster, service, here);
}
