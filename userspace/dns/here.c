// SPDX-License-Identifier: GPL-2.0
/* The Service that is the cluster's DNS, and its slice for this node. */
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

bool kserv_dns_is_service(const char *namespace, const char *name)
{
	return !strcmp(namespace, NAMESPACE) && !strcmp(name, NAME);
}

/* "ADDRESS","ADDRESS", or the families. */
static char *list_text(const struct kserv_addr *addrs, size_t n, bool families)
{
	struct kserv_text text = { 0 };
	char buffer[KSERV_ADDR_TEXT];
	size_t i;

	for (i = 0; i < n; i++)
		kserv_text_printf(&text, "%s\"%s\"", i ? "," : "", !families ? kserv_addr_format(&addrs[i], buffer) :
				  addrs[i].family == AF_INET ? "IPv4" : "IPv6");
	return kserv_text_take(&text);
}

struct kserv_k8s_service *kserv_dns_service_new(const struct kserv_addr *addrs, size_t n)
{
	char *ips = list_text(addrs, n, false), *families = list_text(addrs, n, true), first[KSERV_ADDR_TEXT];
	struct kserv_k8s_service *service;
	struct kserv_tree tree = { 0 };

	kserv_addr_format(&addrs[0], first);
	must_read(&tree, kserv_must_printf("{\"metadata\":{\"namespace\":\"" NAMESPACE "\",\"name\":\"" NAME "\"},"
					   "\"spec\":{\"type\":\"ClusterIP\",\"clusterIP\":\"%s\",\"clusterIPs\":[%s],"
					   "\"ipFamilies\":[%s],\"ports\":["
					   "{\"name\":\"dns\",\"protocol\":\"UDP\",\"port\":53},"
					   "{\"name\":\"dns-tcp\",\"protocol\":\"TCP\",\"port\":53}]}}",
					   first, ips, families));
	service = kserv_read_service(tree.root);
	kserv_tree_clear(&tree);
	free(families);
	free(ips);
	return service;
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

struct kserv_slice *kserv_dns_slice_new(const struct kserv_k8s_service *service, const struct kserv_dns_place *here,
					const char *node_name)
{
	char *ports = ports_text(service, here->port ? here->port : KSERV_DNS_PORT), address[KSERV_ADDR_TEXT];
	const char *type = here->addr.family == AF_INET ? "IPv4" : "IPv6";
	struct kserv_tree tree = { 0 };
	struct kserv_slice *slice;

	kserv_addr_format(&here->addr, address);
	must_read(&tree, kserv_must_printf("{\"metadata\":{\"namespace\":\"" NAMESPACE "\",\"name\":\"" NAME "-here-%s\","
					   "\"labels\":{\"kubernetes.io/service-name\":\"" NAME "\"}},"
					   "\"addressType\":\"%s\",\"ports\":[%s],\"endpoints\":[{\"addresses\":[\"%s\"],"
					   "\"conditions\":{\"ready\":true},\"nodeName\":\"%s\"}]}", type, type, ports, address,
					   node_name));
	slice = kserv_read_slice(tree.root);
	kserv_tree_clear(&tree);
	free(ports);
	return slice;
}
