/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random requests to the kserv family. Names, types and nesting come from include/kserv.yaml by way of
 * userspace/lib/attributes.c; values come from small pools, so that requests meet each other's services. A wild one has
 * attributes that are missing, doubled, wrongly nested, of wrong lengths or unknown, or bytes that are anything.
 */
#ifndef NETLINK_FUZZ_H
#define NETLINK_FUZZ_H

#include <netinet/in.h>
#include "lib/attributes.h"
#include "chance.h"
#include "family.h"

/* Room is left for one nest of any kind. */
#define MESSAGE_FULL (sizeof(out.data) - (1 << 17))

static bool wild;

/* ---- attributes that are as they should be, or not */

static inline void put_lie(uint16_t type, const void *data, size_t len)
{
	size_t start = out.len;

	put(type, data, len);
	((struct nlattr *)(out.data + start))->nla_len = chance(2) ? chance(8) : chance(65536);
}

static inline void put_garbage(uint16_t type)
{
	uint8_t bytes[64];

	chance_bytes(bytes, sizeof(bytes));
	put(type, bytes, chance(sizeof(bytes)));
}

static inline void put_wild(uint16_t type, const void *data, size_t len)
{
	if (!wild || chance(8)) {
		put(type, data, len);
		return;
	}
	switch (chance(9)) {
	case 0:
		break;
	case 1:
		put(type, data, len);
		put(type, data, len);
		break;
	case 2:
		put(type, data, len ? chance(len) : 0);
		break;
	case 3:
		put_garbage(type);
		break;
	case 4:
		put(chance(2) ? chance(64) : chance(1 << 14), data, len);
		break;
	case 5:
		put(type | NLA_F_NESTED, data, len);
		break;
	case 6:
		put(type | NLA_F_NET_BYTEORDER, data, len);
		break;
	case 7:
		put_lie(type, data, len);
		break;
	case 8:
		put_garbage(type);
		put(type, data, len);
		break;
	}
}

static inline size_t nest_wild(uint16_t type)
{
	size_t start = nest(type);

	if (wild && !chance(30))
		((struct nlattr *)(out.data + start))->nla_type = chance(2) ? type : chance(32);
	return start;
}

static inline void nest_wild_end(size_t start)
{
	nest_end(start);
	if (wild && !chance(30))
		((struct nlattr *)(out.data + start))->nla_len = chance(out.len - start + 16);
}

static inline void wild8(uint16_t type, uint8_t value) { put_wild(type, &value, sizeof(value)); }
static inline void wild16(uint16_t type, uint16_t value) { put_wild(type, &value, sizeof(value)); }
static inline void wild32(uint16_t type, uint32_t value) { put_wild(type, &value, sizeof(value)); }

/* ---- values */

static inline uint8_t some_family(void)
{
	return chance(50) ? (chance(2) ? AF_INET : AF_INET6) : chance(256);
}

static inline uint8_t some_protocol(void)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

	return chance(50) ? one_of(protocols) : chance(256);
}

/* Cluster IPs, pods, this node, addresses that nobody has, and what is no address. */
static inline void put_addr4(uint16_t type)
{
	static const uint8_t pool[][4] = {
		{ 10, 96, 0, 1 }, { 10, 96, 0, 2 }, { 10, 96, 0, 3 }, { 10, 244, 1, 11 }, { 10, 244, 1, 12 },
		{ 192, 168, 50, 11 }, { 203, 0, 113, 1 }, { 192, 168, 60, 2 }, { 127, 0, 0, 1 }, { 0 }, { 224, 0, 0, 1 },
	};
	uint8_t addr[4];

	memcpy(addr, pool[chance(chance(8) ? 8 : 11)], sizeof(addr));
	if (!chance(12))
		addr[3] = chance(256);
	put_wild(type, addr, sizeof(addr));
}

static inline void put_addr6(uint16_t type)
{
	static const char *const pool[] = {
		"fd00:10:96::1", "fd00:10:96::2", "fd00:10:96::3", "fd00:10:244:1::11", "fd00:10:244:1::12",
		"fd00:50::11", "2001:db8:ff::1", "fd00:60::2", "::1", "::", "ff02::1", "::ffff:10.96.0.1",
	};
	uint8_t addr[16];

	inet_pton(AF_INET6, pool[chance(chance(8) ? 8 : 12)], addr);
	if (!chance(12))
		addr[15] = chance(256);
	put_wild(type, addr, sizeof(addr));
}

static inline void put_addr(uint16_t type4, uint16_t type6, uint8_t family)
{
	if ((family == AF_INET) ^ (wild && !chance(20)))
		put_addr4(type4);
	else
		put_addr6(type6);
}

static inline void put_port(uint16_t type)
{
	static const uint16_t ports[] = { 80, 81, 8080, 8081, 31000, 31001, 65535 };

	wild16(type, htons(chance(12) ? one_of(ports) : chance(65536)));
}

static inline void put_name(uint16_t type)
{
	static const char *const names[] = {
		"default/web:http", "default/web:dns", "a/b", "kube-system/dns:udp", "t/s1", "t/s2", "t/s3", "t/s4",
	};
	const char *usual = one_of(names);
	char name[300];

	if (chance(12)) {
		put_wild(type, usual, strlen(usual) + 1);
		return;
	}
	memset(name, 'a' + chance(26), sizeof(name));
	name[sizeof(name) - 1] = '\0';
	name[chance(sizeof(name))] = '/';
	put_wild(type, name + chance(sizeof(name) * 3 / 4), 1 + chance(sizeof(name) / 4));
}

static inline void put_interface(uint16_t type)
{
	static const char *const names[] = { "eth0", "pod1", "pod2", "lo", "cali", "veth" };
	const char *name = one_of(names);

	put_wild(type, name, strlen(name) + 1);
}

static inline uint32_t some_number(void)
{
	static const uint32_t numbers[] = { 0, 1, 2, 10, 100, 1000, 65536, 1 << 20, INT32_MAX, UINT32_MAX };

	return chance(4) ? one_of(numbers) : chance(UINT32_MAX);
}

/* ---- whatever the spec has there */

static void put_any(const struct kserv_attribute_set *set, uint16_t type, int depth);

static inline void put_any_nest(const struct kserv_attribute_set *set, uint16_t type, int depth)
{
	size_t start = nest_wild(type);
	int i;

	for (i = chance(5); i && depth < 6 && out.len < MESSAGE_FULL; i--)
		put_any(set, chance(set->max + 1), depth + 1);
	nest_wild_end(start);
}

static inline void put_word(const struct kserv_attribute *attr, uint16_t type)
{
	bool is_flags = attr->kind == KSERV_KIND_FLAGS;
	uint32_t value = chance(is_flags ? 1u << attr->words->n : attr->words->n + !chance(20));

	if (attr->words == &kserv_words_service_flags || attr->words == &kserv_words_flow_flags)
		wild32(type, value);
	else
		wild8(type, value);
}

static void put_any(const struct kserv_attribute_set *set, uint16_t type, int depth)
{
	const struct kserv_attribute *attr = &set->v[type];
	uint64_t number = some_number();

	if (type > set->max || !attr->name) {
		put_garbage(type);
		return;
	}
	switch (attr->kind) {
	case KSERV_KIND_U8:		wild8(type, chance(4) ? chance(3) : chance(256)); break;
	case KSERV_KIND_U16:		wild16(type, chance(65536)); break;
	case KSERV_KIND_U32:		wild32(type, number); break;
	case KSERV_KIND_U64:		put_wild(type, &number, sizeof(number)); break;
	case KSERV_KIND_PORT:		put_port(type); break;
	case KSERV_KIND_ADDR4:		put_addr4(type); break;
	case KSERV_KIND_ADDR6:		put_addr6(type); break;
	case KSERV_KIND_FAMILY:		wild8(type, some_family()); break;
	case KSERV_KIND_PROTOCOL:	wild8(type, some_protocol()); break;
	case KSERV_KIND_FLAG:
	case KSERV_KIND_PAD:		put_wild(type, NULL, 0); break;
	case KSERV_KIND_ENUM:
	case KSERV_KIND_FLAGS:		put_word(attr, type); break;
	case KSERV_KIND_PREFIX:
	case KSERV_KIND_NEST:		put_any_nest(attr->nested, type, depth); break;
	case KSERV_KIND_STRING:
		if (strstr(attr->name, "interface"))
			put_interface(type);
		else
			put_name(type);
		break;
	}
}

/* Some of the attributes @first to @last of a set, which are those that a request may have. */
static inline void put_some(const struct kserv_attribute_set *set, uint16_t first, uint16_t last, int n)
{
	for (; n && out.len < MESSAGE_FULL; n--)
		put_any(set, first + chance(last - first + 1), 2);
}

/* ---- what makes sense together */

static inline void put_prefix(uint16_t type, uint8_t family)
{
	size_t start = nest_wild(type);

	put_addr(KSERV_A_PREFIX_ADDR4, KSERV_A_PREFIX_ADDR6, family);
	wild8(KSERV_A_PREFIX_LEN, chance(10) ? 8 * chance(family == AF_INET ? 5 : 17) : chance(130));
	nest_wild_end(start);
}

static inline void put_endpoint(uint16_t type, uint8_t family, bool del)
{
	size_t start = nest_wild(type);

	put_addr(KSERV_A_ENDPOINT_ADDR4, KSERV_A_ENDPOINT_ADDR6, family);
	put_port(KSERV_A_ENDPOINT_PORT);
	if (!del)
		put_some(&kserv_attributes_endpoint, KSERV_A_ENDPOINT_STATE, KSERV_A_ENDPOINT_LOCAL_REASON, chance(3));
	nest_wild_end(start);
}

static inline void put_frontend(uint16_t outer, uint8_t family, bool del)
{
	uint8_t type = chance(4);
	size_t start = nest_wild(outer);

	wild8(KSERV_A_FRONTEND_TYPE, type);
	if (type != KSERV_FRONTEND_TYPE_NODE_PORT || (wild && !chance(20)))
		put_addr(KSERV_A_FRONTEND_ADDR4, KSERV_A_FRONTEND_ADDR6, family);
	put_port(KSERV_A_FRONTEND_PORT);
	if (!del && chance(2))
		wild8(KSERV_A_FRONTEND_FLAGS, chance(64));
	if (!del && !chance(4))
		put_prefix(KSERV_A_FRONTEND_SOURCE, family);
	nest_wild_end(start);
}

static inline uint8_t put_key(void)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };
	uint8_t family = chance(2) ? AF_INET : AF_INET6;

	put_name(KSERV_A_SERVICE_NAME);
	wild8(KSERV_A_SERVICE_FAMILY, family);
	wild8(KSERV_A_SERVICE_PROTOCOL, one_of(protocols));
	return family;
}

static inline void put_service(uint16_t type)
{
	size_t start = nest_wild(type);
	uint8_t family = put_key();
	int i;

	if (type == KSERV_A_MESSAGE_SERVICE_DEL) {
		nest_wild_end(start);
		return;
	}
	put_some(&kserv_attributes_service, KSERV_A_SERVICE_MODE, KSERV_A_SERVICE_SLOW_START, chance(4));
	for (i = chance(5); i; i--)
		put_endpoint(KSERV_A_SERVICE_ENDPOINT, family, false);
	for (i = chance(3); i; i--)
		put_frontend(KSERV_A_SERVICE_FRONTEND, family, false);
	if (!chance(4))
		put_endpoint(KSERV_A_SERVICE_ENDPOINT_DEL, family, true);
	if (!chance(4))
		put_frontend(KSERV_A_SERVICE_FRONTEND_DEL, family, true);
	nest_wild_end(start);
}

static inline void put_route(uint16_t type)
{
	uint8_t family = chance(2) ? AF_INET : AF_INET6, route_type = chance(3);
	size_t start = nest_wild(type);

	put_prefix(KSERV_A_ROUTE_PREFIX, family);
	if (type == KSERV_A_MESSAGE_ROUTE_SET) {
		wild8(KSERV_A_ROUTE_TYPE, route_type);
		if (route_type != KSERV_ROUTE_TYPE_LOCAL)
			put_addr(KSERV_A_ROUTE_GATEWAY4, KSERV_A_ROUTE_GATEWAY6, family);
	}
	nest_wild_end(start);
}

static inline void put_config(void)
{
	size_t start = nest_wild(KSERV_A_MESSAGE_CONFIG_SET);

	put_some(&kserv_attributes_config, KSERV_A_CONFIG_CONNTRACK, KSERV_A_CONFIG_FAST_PATH, chance(4));
	if (chance(2))
		put_prefix(KSERV_A_CONFIG_POD_CIDR, some_family());
	if (!chance(3))
		put_prefix(KSERV_A_CONFIG_SERVICE_CIDR, some_family());
	if (!chance(3))
		put_prefix(KSERV_A_CONFIG_NODE_PORT_ADDRESS, some_family());
	nest_wild_end(start);
}

/* Thousands of endpoints, a service after the other, each below the 64 kB that a nest can hold. */
static inline void put_huge(void)
{
	size_t start;
	int i;

	while (out.len < MESSAGE_FULL && chance(8)) {
		start = nest(KSERV_A_MESSAGE_SERVICE_SET);
		put_key();
		for (i = chance(1500); i; i--) {
			size_t endpoint = nest(KSERV_A_SERVICE_ENDPOINT);

			put32(KSERV_A_ENDPOINT_ADDR4, htonl(0x0af40000 + chance(1 << 16)));
			put16(KSERV_A_ENDPOINT_PORT, htons(1 + chance(100)));
			nest_end(endpoint);
		}
		nest_end(start);
	}
}

/* A service that others name by chance only, so that flows can be put back that lead to it. */
static const struct {
	const char *frontend, *endpoint;
} kept[] = { { "10.96.0.200", "10.244.1.11" }, { "fd00:10:96::200", "fd00:10:244:1::11" } };

#define KEPT_NAME "t/kept"
#define KEPT_PORT 80
#define KEPT_ENDPOINT_PORT 8080

static inline void put_text(uint16_t type4, uint16_t type6, uint8_t family, const char *text)
{
	uint8_t addr[16];

	inet_pton(family, text, addr);
	if (family == AF_INET)
		put_wild(type4, addr, 4);
	else
		put_wild(type6, addr, 16);
}

static inline void put_kept(void)
{
	uint8_t family = chance(2) ? AF_INET : AF_INET6, protocol = chance(2) ? IPPROTO_TCP : IPPROTO_UDP;
	size_t start = nest_wild(KSERV_A_MESSAGE_SERVICE_SET), inner;

	put_wild(KSERV_A_SERVICE_NAME, KEPT_NAME, sizeof(KEPT_NAME));
	wild8(KSERV_A_SERVICE_FAMILY, family);
	wild8(KSERV_A_SERVICE_PROTOCOL, protocol);
	wild32(KSERV_A_SERVICE_AFFINITY_TIMEOUT, chance(4) * 100);
	inner = nest_wild(KSERV_A_SERVICE_ENDPOINT);
	put_text(KSERV_A_ENDPOINT_ADDR4, KSERV_A_ENDPOINT_ADDR6, family, kept[family == AF_INET6].endpoint);
	wild16(KSERV_A_ENDPOINT_PORT, htons(KEPT_ENDPOINT_PORT));
	nest_wild_end(inner);
	inner = nest_wild(KSERV_A_SERVICE_FRONTEND);
	wild8(KSERV_A_FRONTEND_TYPE, KSERV_FRONTEND_TYPE_CLUSTER_IP);
	put_text(KSERV_A_FRONTEND_ADDR4, KSERV_A_FRONTEND_ADDR6, family, kept[family == AF_INET6].frontend);
	wild16(KSERV_A_FRONTEND_PORT, htons(KEPT_PORT));
	nest_wild_end(inner);
	nest_wild_end(start);
}

static inline void put_transaction(void)
{
	int n = 1 + chance(chance(4) ? 3 : 12);

	if (!chance(400)) {
		put_huge();
		return;
	}
	if (!chance(40))
		put_wild(KSERV_A_MESSAGE_REPLACE, NULL, 0);
	if (!chance(20))
		wild32(KSERV_A_MESSAGE_GENERATION, chance(1000));
	for (; n; n--) {
		switch (chance(12)) {
		case 0:		put_config(); break;
		case 1:		put_route(KSERV_A_MESSAGE_ROUTE_SET); break;
		case 2:		put_route(KSERV_A_MESSAGE_ROUTE_DEL); break;
		case 3:
		case 4:		put_service(KSERV_A_MESSAGE_SERVICE_DEL); break;
		case 5:		put_kept(); break;
		default:	put_service(KSERV_A_MESSAGE_SERVICE_SET); break;
		}
	}
}

static inline void put_explain(void)
{
	uint8_t family = chance(2) ? AF_INET : AF_INET6;
	size_t start = nest_wild(KSERV_A_MESSAGE_EXPLAIN), flow = nest_wild(KSERV_A_EXPLAIN_FLOW);

	wild8(KSERV_A_FLOW_PROTOCOL, some_protocol());
	put_addr(KSERV_A_FLOW_CLIENT4, KSERV_A_FLOW_CLIENT6, family);
	put_port(KSERV_A_FLOW_CLIENT_PORT);
	put_addr(KSERV_A_FLOW_FRONTEND4, KSERV_A_FLOW_FRONTEND6, family);
	put_port(KSERV_A_FLOW_FRONTEND_PORT);
	nest_wild_end(flow);
	if (!chance(4))
		put_wild(KSERV_A_EXPLAIN_FROM_PROCESS, NULL, 0);
	if (!chance(4))
		put_interface(KSERV_A_EXPLAIN_INTERFACE);
	nest_wild_end(start);
}

static inline void put_filter(void)
{
	size_t start = nest_wild(KSERV_A_MESSAGE_FLOW);

	put_some(&kserv_attributes_flow, KSERV_A_FLOW_FAMILY, KSERV_A_FLOW_SERVICE, 1 + chance(3));
	nest_wild_end(start);
}

/* Where it leads is right mostly, what has become of it is anything. */
static inline void put_flow(void)
{
	uint8_t family = chance(2) ? AF_INET : AF_INET6;
	size_t start = nest_wild(KSERV_A_MESSAGE_FLOW_SET);

	wild8(KSERV_A_FLOW_FAMILY, family);
	wild8(KSERV_A_FLOW_PROTOCOL, chance(2) ? IPPROTO_TCP : IPPROTO_UDP);
	put_wild(KSERV_A_FLOW_SERVICE, KEPT_NAME, sizeof(KEPT_NAME));
	put_addr(KSERV_A_FLOW_CLIENT4, KSERV_A_FLOW_CLIENT6, family);
	wild16(KSERV_A_FLOW_CLIENT_PORT, htons(chance(65536)));
	put_text(KSERV_A_FLOW_FRONTEND4, KSERV_A_FLOW_FRONTEND6, family, kept[family == AF_INET6].frontend);
	wild16(KSERV_A_FLOW_FRONTEND_PORT, htons(KEPT_PORT));
	put_text(KSERV_A_FLOW_ENDPOINT4, KSERV_A_FLOW_ENDPOINT6, family, kept[family == AF_INET6].endpoint);
	wild16(KSERV_A_FLOW_ENDPOINT_PORT, htons(chance(6) ? KEPT_ENDPOINT_PORT : chance(65536)));
	if (chance(2))
		wild32(KSERV_A_FLOW_FLAGS, chance(32));
	if (!chance(4)) {
		put_addr(KSERV_A_FLOW_MASQUERADE4, KSERV_A_FLOW_MASQUERADE6, family);
		put_port(KSERV_A_FLOW_MASQUERADE_PORT);
	}
	put_some(&kserv_attributes_flow, KSERV_A_FLOW_STATE, KSERV_A_FLOW_BYTES_OUT, chance(3));
	if (!chance(4))
		put_some(&kserv_attributes_flow, 0, kserv_attributes_flow.max, 1);
	nest_wild_end(start);
}

static inline void put_session(void)
{
	uint8_t family = chance(2) ? AF_INET : AF_INET6;
	size_t start = nest_wild(KSERV_A_MESSAGE_SESSION_SET);

	put_wild(KSERV_A_SESSION_SERVICE, KEPT_NAME, sizeof(KEPT_NAME));
	wild8(KSERV_A_SESSION_PROTOCOL, chance(2) ? IPPROTO_TCP : IPPROTO_UDP);
	put_addr(KSERV_A_SESSION_CLIENT4, KSERV_A_SESSION_CLIENT6, family);
	put_text(KSERV_A_SESSION_ENDPOINT4, KSERV_A_SESSION_ENDPOINT6, family, kept[family == AF_INET6].endpoint);
	wild16(KSERV_A_SESSION_ENDPOINT_PORT, htons(KEPT_ENDPOINT_PORT));
	if (chance(2))
		put_some(&kserv_attributes_session, KSERV_A_SESSION_EXPIRES_MS, KSERV_A_SESSION_EXPIRES_MS, 1);
	nest_wild_end(start);
}

static inline void put_flows(void)
{
	int n = chance(chance(10) ? 4 : 300);

	if (!chance(20))
		wild32(KSERV_A_MESSAGE_GENERATION, chance(1000));
	for (; n; n--) {
		if (chance(4))
			put_flow();
		else
			put_session();
	}
}

static inline void put_request(uint8_t command)
{
	size_t start;

	switch (command) {
	case KSERV_CMD_TRANSACTION:
		put_transaction();
		break;
	case KSERV_CMD_EXPLAIN:
		put_explain();
		break;
	case KSERV_CMD_FLOW_SET:
		put_flows();
		break;
	case KSERV_CMD_FLOW_GET:
	case KSERV_CMD_FLOW_DEL:
		if (chance(3))
			put_filter();
		break;
	case KSERV_CMD_SERVICE_GET:
		if (chance(2))
			break;
		start = nest_wild(KSERV_A_MESSAGE_SERVICE);
		put_key();
		nest_wild_end(start);
		break;
	}
	if (wild && !chance(4))
		put_some(&kserv_attributes_message, 0, kserv_attributes_message.max, 1 + chance(3));
}

static inline uint8_t some_command(void)
{
	static const uint8_t others[] = {
		KSERV_CMD_SERVICE_GET, KSERV_CMD_ROUTE_GET, KSERV_CMD_CONFIG_GET, KSERV_CMD_FLOW_GET, KSERV_CMD_FLOW_DEL,
		KSERV_CMD_SESSION_GET, KSERV_CMD_STATS_GET, KSERV_CMD_EXPLAIN, KSERV_CMD_EXPLAIN, KSERV_CMD_FLOW_DEL,
		KSERV_CMD_FLOW_SET, KSERV_CMD_FLOW_SET,
	};

	if (chance(2))
		return KSERV_CMD_TRANSACTION;
	return wild && !chance(20) ? chance(128) : one_of(others);
}

static inline bool is_dump(uint8_t command)
{
	return command == KSERV_CMD_SERVICE_GET || command == KSERV_CMD_ROUTE_GET || command == KSERV_CMD_FLOW_GET ||
	       command == KSERV_CMD_SESSION_GET;
}

/* Random bits, a header that lies, an end that is missing. */
static inline void damage(void)
{
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN, i;

	if (!chance(10))
		out.len = head + chance(out.len - head + 1);
	for (i = chance(4); i && out.len > head && !chance(4); i--)
		out.data[head + chance(out.len - head)] = chance(256);
	out.header.nlmsg_len = out.len;
	if (!chance(40))
		out.header.nlmsg_len = chance(out.len + 64);
	/* What is no request is acknowledged and not looked at. */
	if (!chance(40))
		out.header.nlmsg_flags ^= NLM_F_REQUEST << (1 + chance(15));
	if (!chance(40))
		out.data[NLMSG_HDRLEN + 1 + chance(3)] = chance(256);
}

/* Sequence numbers below are not ours: what a header that lies leaves over is read as a message of its own. */
#define FIRST_SEQUENCE 0x5a0000

/* A whole request in out; its sequence number says what it is. */
static inline uint8_t make_request(void)
{
	uint8_t command;

	wild = chance(3);
	command = some_command();
	begin(family_id, command, (is_dump(command) ? NLM_F_DUMP : 0) | (chance(8) ? NLM_F_ACK : NLM_F_ECHO));
	put_request(command);
	out.header.nlmsg_len = out.len;
	if (wild)
		damage();
	out.header.nlmsg_seq = sequence << 8 | command << 1 | wild;
	return command;
}

#endif
