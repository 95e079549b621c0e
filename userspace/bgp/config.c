// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "bgp/config.h"
#include "cluster/check.h"
#include "cluster/memory.h"
#include "lib/addr.h"

/* 0 and the last one mean nothing (RFC 7607, RFC 7300). */
static uint32_t read_asn(const struct kserv_value *map, struct kserv_errors *errors)
{
	int64_t asn = kserv_value_int(map, "asn", 0);
	const struct kserv_value *value = kserv_value_find(map, "asn");

	if (!value)
		kserv_error_at(errors, map, "asn is missing: the number of the autonomous system");
	else if (asn < 1 || asn >= UINT32_MAX)
		kserv_error_at(errors, value, "must be between 1 and 4294967294");
	return asn;
}

static char *read_path(const struct kserv_value *map, const char *key, const char *otherwise,
		       struct kserv_errors *errors)
{
	const char *path = kserv_value_string(map, key);

	if (*path && *path != '/')
		kserv_error_at(errors, kserv_value_find(map, key), "\"%s\" must be an absolute path", path);
	return kserv_must_strdup(*path ? path : otherwise);
}

/* A name as BIRD takes it without quotes. */
static bool is_symbol(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	size_t begin = strspn(text, letters);

	while (begin && text[begin] && (strchr(letters, text[begin]) || (text[begin] >= '0' && text[begin] <= '9')))
		begin++;
	return begin && !text[begin];
}

static uint32_t read_number(const struct kserv_value *map, const char *key, uint32_t max, struct kserv_errors *errors)
{
	int64_t number = kserv_value_int(map, key, 0);

	if (kserv_value_find(map, key) && (number < 1 || number > max))
		kserv_error_at(errors, kserv_value_find(map, key), "must be between 1 and %u", max);
	return number;
}

static void read_peer(const struct kserv_value *map, struct kserv_bgp_config *config, struct kserv_errors *errors)
{
	const struct kserv_value *address = kserv_value_find(map, "address");
	const struct kserv_value *template = kserv_value_find(map, "template");
	struct kserv_bgp_peer *peer;
	size_t i;

	config->peers = kserv_must_grow(config->peers, config->n_peers, sizeof(*peer));
	peer = &config->peers[config->n_peers++];
	peer->asn = read_asn(map, errors);
	peer->port = read_number(map, "port", UINT16_MAX, errors);
	peer->hops = read_number(map, "multihop", UINT8_MAX, errors);
	peer->template = kserv_must_strdup(kserv_value_string(map, "template"));
	if (*peer->template && !is_symbol(peer->template))
		kserv_error_at(errors, template,
			       "\"%s\" cannot be the name of a template of BIRD: letters, digits and '_'",
			       peer->template);
	if (!address)
		kserv_error_at(errors, map, "address is missing: where the peer is");
	else if (!kserv_check_endpoint_address(address, &peer->addr, errors))
		return;
	for (i = 0; i + 1 < config->n_peers; i++)
		if (kserv_addr_is_equal(&config->peers[i].addr, &peer->addr) && config->peers[i].port == peer->port)
			kserv_error_at(errors, map, "this peer is there twice");
}

static void read_announce(const struct kserv_value *list, struct kserv_bgp_config *config, struct kserv_errors *errors)
{
	const struct kserv_value *one;

	config->pods = config->balancers = !list;
	for (one = kserv_value_first(list); one; one = one->next) {
		kserv_check_one_of(one, "podCIDRs loadBalancers", errors);
		config->pods |= one->text && !strcmp(one->text, "podCIDRs");
		config->balancers |= one->text && !strcmp(one->text, "loadBalancers");
	}
}

bool kserv_bgp_config_read(const struct kserv_value *root, struct kserv_bgp_config *ret, struct kserv_errors *errors)
{
	const struct kserv_value *map = kserv_value_find(root, "bgp"), *peer;
	const char *router_id = kserv_value_string(map, "routerID");

	memset(ret, 0, sizeof(*ret));
	if (!map)
		return false;
	ret->asn = read_asn(map, errors);
	if (*router_id && (kserv_addr_parse(router_id, &ret->router_id) || ret->router_id.family != AF_INET))
		kserv_error_at(errors, kserv_value_find(map, "routerID"),
			       "\"%s\" is not of the form of an IPv4 address, as router IDs are", router_id);
	read_announce(kserv_value_find(map, "announce"), ret, errors);
	for (peer = kserv_value_first(kserv_value_find(map, "peers")); peer; peer = peer->next)
		read_peer(peer, ret, errors);
	if (!ret->n_peers)
		kserv_error_at(errors, map, "peers are missing: whom is this node to tell?");
	ret->path = read_path(map, "path", KSERV_BGP_PATH, errors);
	ret->socket = read_path(map, "socket", KSERV_BGP_SOCKET, errors);
	return true;
}

void kserv_bgp_config_clear(struct kserv_bgp_config *config)
{
	size_t i;

	for (i = 0; i < config->n_peers; i++)
		free(config->peers[i].template);
	free(config->peers);
	free(config->path);
	free(config->socket);
	memset(config, 0, sizeof(*config));
}
