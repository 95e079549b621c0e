// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "cluster/check.h"
#include "cluster/memory.h"
#include "kservd/names.h"
#include "lib/addr.h"

/* Clear of port 53, which other resolvers of a node have; clients never see it. */
#define DEFAULT_PORT	10053

static bool read_place(const struct kserv_value *value, struct kserv_dns_place *ret, struct kserv_errors *errors)
{
	const char *why;

	*ret = (struct kserv_dns_place){ 0 };
	if (!kserv_value_is(value, KSERV_VALUE_STRING))
		return false;
	if (!kserv_addr_maybe_port_parse(value->text, &ret->addr, &ret->port, &why))
		return true;
	kserv_error_at(errors, value, "\"%s\" is not the address of a server such as 192.0.2.53 or [2001:db8::1]:5353: %s",
		       value->text, why);
	return false;
}

static void read_places(const struct kserv_value *list, struct kserv_dns_places *ret, struct kserv_errors *errors)
{
	const struct kserv_value *value;
	struct kserv_dns_place place;

	for (value = kserv_value_first(list); value; value = value->next) {
		if (!read_place(value, &place, errors))
			continue;
		ret->v = kserv_must_grow(ret->v, ret->n, sizeof(*ret->v));
		ret->v[ret->n++] = place;
	}
}

static void read_stubs(const struct kserv_value *list, struct kserv_dns_config *server, struct kserv_errors *errors)
{
	struct kserv_dns_stub *stubs = NULL, *stub;
	const struct kserv_value *value;

	for (value = kserv_value_first(list); value; value = value->next) {
		stubs = kserv_must_grow(stubs, server->n_stubs, sizeof(*stubs));
		stub = &stubs[server->n_stubs++];
		stub->domain = kserv_value_string(value, "domain");
		if (!*stub->domain)
			kserv_error_missing(errors, value, "domain", "required");
		if (!kserv_value_first(kserv_value_find(value, "servers")))
			kserv_error_missing(errors, value, "servers", "required");
		read_places(kserv_value_find(value, "servers"), &stub->upstreams, errors);
	}
	server->stubs = stubs;
}

static void read_clients(const struct kserv_value *list, struct kserv_prefixes *ret, struct kserv_errors *errors)
{
	const struct kserv_value *value;

	for (value = kserv_value_first(list); value; value = value->next) {
		if (value->type != KSERV_VALUE_STRING)
			continue;
		ret->v = kserv_must_grow(ret->v, ret->n, sizeof(*ret->v));
		if (kserv_prefix_parse(value->text, &ret->v[ret->n++]))
			kserv_error_at(errors, value, "\"%s\" is not a CIDR such as 10.0.0.0/8 or fd00::/64", value->text);
	}
}

/* The tenth address of a CIDR, as kubeadm takes it. */
static struct kserv_addr tenth(const struct kserv_prefix *prefix)
{
	struct kserv_addr addr = prefix->addr;

	((uint8_t *)&addr.v6)[addr.family == AF_INET ? 3 : 15] |= 10;
	return addr;
}

static void read_cluster_ips(const struct kserv_value *list, const struct kserv_prefixes *service_cidrs,
			     struct names_config *ret, struct kserv_errors *errors)
{
	const struct kserv_value *value;
	struct kserv_addr addr;
	size_t i;

	for (value = kserv_value_first(list); value; value = value->next) {
		memset(&addr, 0, sizeof(addr));
		if (!kserv_check_address(value, &addr, errors))
			continue;
		if (ret->n_cluster_ips == 2 || (ret->n_cluster_ips && ret->cluster_ips[0].family == addr.family))
			kserv_error_at(errors, value, "must hold at most one address of each family");
		else
			ret->cluster_ips[ret->n_cluster_ips++] = addr;
	}
	for (i = 0; !kserv_value_first(list) && i < service_cidrs->n && i < 2; i++)
		ret->cluster_ips[ret->n_cluster_ips++] = tenth(&service_cidrs->v[i]);
}

static int64_t read_number(const struct kserv_value *map, const char *key, int64_t otherwise, int64_t min, int64_t max,
			   struct kserv_errors *errors)
{
	int64_t number = kserv_value_int(map, key, otherwise);

	if (number < min || number > max)
		kserv_error_at(errors, kserv_value_find(map, key), "must be between %lld and %lld", (long long)min,
			       (long long)max);
	return number;
}

void names_config_read(const struct kserv_value *root, const struct kserv_prefixes *service_cidrs,
		       struct names_config *ret, struct kserv_errors *errors)
{
	const struct kserv_value *map = kserv_value_find(root, "dns");
	const char *pods = kserv_value_string(map, "pods"), *domain = kserv_value_string(map, "domain");

	*ret = (struct names_config){ .enabled = kserv_value_bool(map, "enabled", false) };
	kserv_check_one_of(kserv_value_find(map, "pods"), "insecure verified disabled", errors);
	ret->zone.domain = *domain ? domain : NULL;
	ret->zone.ttl = read_number(map, "ttl", KSERV_DNS_TTL, 0, 3600, errors);
	ret->zone.pods = !strcmp(pods, "verified") ? KSERV_DNS_PODS_VERIFIED :
			 !strcmp(pods, "disabled") ? KSERV_DNS_PODS_DISABLED : KSERV_DNS_PODS_INSECURE;
	ret->port = read_number(map, "port", DEFAULT_PORT, 1, UINT16_MAX, errors);
	read_cluster_ips(kserv_value_find(map, "clusterIPs"), service_cidrs, ret, errors);
	read_places(kserv_value_find(map, "upstreams"), &ret->server.upstreams, errors);
	if (kserv_value_find(map, "resolvConf"))
		ret->server.resolv_conf = kserv_value_string(map, "resolvConf");
	read_stubs(kserv_value_find(map, "stubDomains"), &ret->server, errors);
	read_clients(kserv_value_find(map, "clients"), &ret->server.clients, errors);
}

void names_config_clear(struct names_config *config)
{
	struct kserv_dns_config *server = &config->server;
	size_t i;

	for (i = 0; i < server->n_stubs; i++)
		free(server->stubs[i].upstreams.v);
	free((void *)server->stubs);
	free(server->upstreams.v);
	free(server->clients.v);
	free(server->listen.v);
	*config = (struct names_config){ 0 };
}
