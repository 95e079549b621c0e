// SPDX-License-Identifier: GPL-2.0
/*
 * refusals: every kind of request that the module refuses, one a time. Each must be refused with the errno and the
 * words below, and leave the generation and the tables as they were. Exit code 0, or 1 with what was otherwise.
 */
#include "family.h"

#define ADDR(a, b, c, d) (const uint8_t[4]) { a, b, c, d }

/* ---- parts of messages */

static void put_key(const char *name, uint8_t family, uint8_t protocol)
{
	if (name)
		put(KSERV_A_SERVICE_NAME, name, strlen(name) + 1);
	if (family)
		put8(KSERV_A_SERVICE_FAMILY, family);
	if (protocol)
		put8(KSERV_A_SERVICE_PROTOCOL, protocol);
}

static size_t service(const char *name)
{
	size_t start = nest(KSERV_A_MESSAGE_SERVICE_SET);

	put_key(name, AF_INET, IPPROTO_TCP);
	return start;
}

static void put_endpoint(uint16_t type, const uint8_t *addr, uint16_t port)
{
	size_t start = nest(type);

	if (addr)
		put(KSERV_A_ENDPOINT_ADDR4, addr, 4);
	if (port)
		put16(KSERV_A_ENDPOINT_PORT, htons(port));
	nest_end(start);
}

static void put_frontend(uint16_t outer, int type, const uint8_t *addr, uint16_t port)
{
	size_t start = nest(outer);

	if (type >= 0)
		put8(KSERV_A_FRONTEND_TYPE, type);
	if (addr)
		put(KSERV_A_FRONTEND_ADDR4, addr, 4);
	if (port)
		put16(KSERV_A_FRONTEND_PORT, htons(port));
	nest_end(start);
}

static void put_prefix(uint16_t type, const uint8_t *addr, int len)
{
	size_t start = nest(type);

	if (addr)
		put(KSERV_A_PREFIX_ADDR4, addr, 4);
	if (len >= 0)
		put8(KSERV_A_PREFIX_LEN, len);
	nest_end(start);
}

static void service_with_endpoint(const uint8_t *addr, uint16_t port)
{
	size_t start = service("t/new");

	put_endpoint(KSERV_A_SERVICE_ENDPOINT, addr, port);
	nest_end(start);
}

static void service_with_frontend(int type, const uint8_t *addr, uint16_t port)
{
	size_t start = service("t/new");

	put_frontend(KSERV_A_SERVICE_FRONTEND, type, addr, port);
	nest_end(start);
}

static void service_with_mode(const char *name, uint8_t mode)
{
	size_t start = service(name);

	put8(KSERV_A_SERVICE_MODE, mode);
	nest_end(start);
}

static void service_with_key(const char *name, uint8_t family, uint8_t protocol)
{
	size_t start = nest(KSERV_A_MESSAGE_SERVICE_SET);

	put_key(name, family, protocol);
	nest_end(start);
}

static void config_with_u32(uint16_t type, uint32_t value)
{
	size_t start = nest(KSERV_A_MESSAGE_CONFIG_SET);

	put32(type, value);
	nest_end(start);
}

static void config_with_prefix(const uint8_t *addr, int len)
{
	size_t start = nest(KSERV_A_MESSAGE_CONFIG_SET);

	put_prefix(KSERV_A_CONFIG_POD_CIDR, addr, len);
	nest_end(start);
}

/* ---- what is refused */

static void no_name(void) { service_with_key(NULL, AF_INET, IPPROTO_TCP); }
static void empty_name(void) { service_with_key("", AF_INET, IPPROTO_TCP); }
static void name_with_space(void) { service_with_key("a b", AF_INET, IPPROTO_TCP); }
static void no_family(void) { service_with_key("t/new", 0, IPPROTO_TCP); }
static void unknown_family(void) { service_with_key("t/new", AF_UNIX, IPPROTO_TCP); }
static void no_protocol(void) { service_with_key("t/new", AF_INET, 0); }
static void unknown_protocol(void) { service_with_key("t/new", AF_INET, IPPROTO_ICMP); }
static void create_again(void) { service_with_mode("t/here", KSERV_SET_MODE_CREATE); }
static void update_nothing(void) { service_with_mode("t/new", KSERV_SET_MODE_UPDATE); }
static void unknown_mode(void) { service_with_mode("t/new", 9); }
static void endpoint_without_addr(void) { service_with_endpoint(NULL, 80); }
static void endpoint_without_port(void) { service_with_endpoint(ADDR(10, 1, 1, 1), 0); }
static void endpoint_unspecified(void) { service_with_endpoint(ADDR(0, 0, 0, 0), 80); }
static void endpoint_loopback(void) { service_with_endpoint(ADDR(127, 0, 0, 1), 80); }
static void endpoint_link_local(void) { service_with_endpoint(ADDR(169, 254, 1, 1), 80); }
static void endpoint_multicast(void) { service_with_endpoint(ADDR(224, 0, 0, 1), 80); }
static void frontend_without_type(void) { service_with_frontend(-1, ADDR(10, 96, 0, 9), 80); }
static void frontend_without_port(void) { service_with_frontend(0, ADDR(10, 96, 0, 9), 0); }
static void frontend_without_addr(void) { service_with_frontend(KSERV_FRONTEND_TYPE_CLUSTER_IP, NULL, 80); }
static void frontend_unspecified(void) { service_with_frontend(0, ADDR(0, 0, 0, 0), 80); }
static void frontend_loopback(void) { service_with_frontend(0, ADDR(127, 0, 0, 1), 80); }
static void frontend_taken(void) { service_with_frontend(0, ADDR(10, 96, 0, 1), 80); }
static void frontend_of_no_type(void) { service_with_frontend(7, ADDR(10, 96, 0, 9), 80); }
static void node_port_with_addr(void)
{
	service_with_frontend(KSERV_FRONTEND_TYPE_NODE_PORT, ADDR(10, 96, 0, 9), 30000);
}

static void node_port_taken(void)
{
	service_with_frontend(KSERV_FRONTEND_TYPE_NODE_PORT, NULL, 30000);
}

static void long_name(void)
{
	static char name[KSERV_NAME_LEN + 2];

	memset(name, 'x', sizeof(name) - 1);
	service_with_key(name, AF_INET, IPPROTO_TCP);
}

static void port_zero(void)
{
	size_t outer = service("t/new"), inner = nest(KSERV_A_SERVICE_ENDPOINT);

	put(KSERV_A_ENDPOINT_ADDR4, ADDR(10, 1, 1, 1), 4);
	put16(KSERV_A_ENDPOINT_PORT, 0);
	nest_end(inner);
	nest_end(outer);
}

static void endpoint_of_other_family(void)
{
	size_t outer = service("t/new"), inner = nest(KSERV_A_SERVICE_ENDPOINT);
	uint8_t addr[16] = { 0xfd, [15] = 1 };

	put(KSERV_A_ENDPOINT_ADDR6, addr, sizeof(addr));
	put16(KSERV_A_ENDPOINT_PORT, htons(80));
	nest_end(inner);
	nest_end(outer);
}

static void endpoint_twice(void)
{
	size_t start = service("t/new");

	put_endpoint(KSERV_A_SERVICE_ENDPOINT, ADDR(10, 1, 1, 1), 80);
	put_endpoint(KSERV_A_SERVICE_ENDPOINT, ADDR(10, 1, 1, 2), 80);
	put_endpoint(KSERV_A_SERVICE_ENDPOINT, ADDR(10, 1, 1, 1), 80);
	nest_end(start);
}

static void endpoint_counts(void)
{
	size_t outer = service("t/new"), inner = nest(KSERV_A_SERVICE_ENDPOINT);

	put32(KSERV_A_ENDPOINT_ACTIVE, 1);
	nest_end(inner);
	nest_end(outer);
}

static void no_such_endpoint(void)
{
	size_t start = service("t/here");

	put_endpoint(KSERV_A_SERVICE_ENDPOINT_DEL, ADDR(10, 1, 1, 1), 80);
	nest_end(start);
}

static void no_such_frontend(void)
{
	size_t start = service("t/here");

	put_frontend(KSERV_A_SERVICE_FRONTEND_DEL, KSERV_FRONTEND_TYPE_EXTERNAL_IP, ADDR(10, 96, 0, 1), 80);
	nest_end(start);
}

static void frontend_twice(void)
{
	size_t start = service("t/new");

	put_frontend(KSERV_A_SERVICE_FRONTEND, KSERV_FRONTEND_TYPE_CLUSTER_IP, ADDR(10, 96, 0, 9), 80);
	put_frontend(KSERV_A_SERVICE_FRONTEND, KSERV_FRONTEND_TYPE_EXTERNAL_IP, ADDR(10, 96, 0, 9), 80);
	nest_end(start);
}

static void frontend_of_two(void)
{
	size_t start;

	service_with_frontend(KSERV_FRONTEND_TYPE_CLUSTER_IP, ADDR(10, 96, 0, 9), 80);
	start = service("t/other");
	put_frontend(KSERV_A_SERVICE_FRONTEND, KSERV_FRONTEND_TYPE_CLUSTER_IP, ADDR(10, 96, 0, 9), 80);
	nest_end(start);
}

static void source_of_other_family(void)
{
	size_t outer = service("t/new"), inner = nest(KSERV_A_SERVICE_FRONTEND), source;
	uint8_t addr[16] = { 0xfd };

	put8(KSERV_A_FRONTEND_TYPE, KSERV_FRONTEND_TYPE_EXTERNAL_IP);
	put(KSERV_A_FRONTEND_ADDR4, ADDR(10, 96, 0, 9), 4);
	put16(KSERV_A_FRONTEND_PORT, htons(80));
	source = nest(KSERV_A_FRONTEND_SOURCE);
	put(KSERV_A_PREFIX_ADDR6, addr, sizeof(addr));
	put8(KSERV_A_PREFIX_LEN, 8);
	nest_end(source);
	nest_end(inner);
	nest_end(outer);
}

static void affinity_of_two_days(void)
{
	size_t start = service("t/new");

	put32(KSERV_A_SERVICE_AFFINITY_TIMEOUT, 172800);
	nest_end(start);
}

static void service_counts(void)
{
	size_t start = service("t/new");
	uint64_t value = 1;

	put(KSERV_A_SERVICE_DROPS, &value, sizeof(value));
	nest_end(start);
}

static void delete_nothing(void)
{
	size_t start = nest(KSERV_A_MESSAGE_SERVICE_DEL);

	put_key("t/new", AF_INET, IPPROTO_TCP);
	nest_end(start);
}

static void delete_with_more(void)
{
	size_t start = nest(KSERV_A_MESSAGE_SERVICE_DEL);

	put_key("t/here", AF_INET, IPPROTO_TCP);
	put_endpoint(KSERV_A_SERVICE_ENDPOINT, ADDR(10, 1, 1, 1), 80);
	nest_end(start);
}

static void route(uint16_t outer, int len, int type, bool gateway)
{
	size_t start = nest(outer);

	if (len >= 0)
		put_prefix(KSERV_A_ROUTE_PREFIX, ADDR(10, 244, 1, 0), len);
	if (type >= 0)
		put8(KSERV_A_ROUTE_TYPE, type);
	if (gateway)
		put(KSERV_A_ROUTE_GATEWAY4, ADDR(192, 168, 1, 1), 4);
	nest_end(start);
}

static void route_without_prefix(void) { route(KSERV_A_MESSAGE_ROUTE_SET, -1, KSERV_ROUTE_TYPE_LOCAL, false); }
static void route_without_type(void) { route(KSERV_A_MESSAGE_ROUTE_SET, 24, -1, false); }
static void route_unclean(void) { route(KSERV_A_MESSAGE_ROUTE_SET, 16, KSERV_ROUTE_TYPE_LOCAL, false); }
static void route_too_long(void) { route(KSERV_A_MESSAGE_ROUTE_SET, 33, KSERV_ROUTE_TYPE_LOCAL, false); }
static void route_without_gateway(void) { route(KSERV_A_MESSAGE_ROUTE_SET, 24, KSERV_ROUTE_TYPE_DIRECT, false); }
static void local_with_gateway(void) { route(KSERV_A_MESSAGE_ROUTE_SET, 24, KSERV_ROUTE_TYPE_LOCAL, true); }
static void no_such_route(void) { route(KSERV_A_MESSAGE_ROUTE_DEL, 24, -1, false); }

static void timeout_zero(void) { config_with_u32(KSERV_A_CONFIG_UDP_TIMEOUT, 0); }
static void timeout_of_a_year(void) { config_with_u32(KSERV_A_CONFIG_TCP_ESTABLISHED_TIMEOUT, 31536000); }
static void flow_max_zero(void) { config_with_u32(KSERV_A_CONFIG_FLOW_MAX, 0); }
static void read_only_config(void) { config_with_u32(KSERV_A_CONFIG_SERVICES, 1); }
static void prefix_without_len(void) { config_with_prefix(ADDR(10, 0, 0, 0), -1); }
static void prefix_without_addr(void) { config_with_prefix(NULL, 8); }

static void config_twice(void)
{
	config_with_u32(KSERV_A_CONFIG_UDP_TIMEOUT, 10);
	config_with_u32(KSERV_A_CONFIG_UDP_TIMEOUT, 20);
}

static void interface_without_name(void)
{
	size_t start = nest(KSERV_A_MESSAGE_CONFIG_SET);

	put8(KSERV_A_CONFIG_DETECT_LOCAL, KSERV_DETECT_LOCAL_INTERFACE);
	nest_end(start);
}

static void ports_backwards(void)
{
	size_t start = nest(KSERV_A_MESSAGE_CONFIG_SET);

	put16(KSERV_A_CONFIG_MASQUERADE_PORT_MIN, 2000);
	put16(KSERV_A_CONFIG_MASQUERADE_PORT_MAX, 1000);
	nest_end(start);
}

static void old_generation(void) { put32(KSERV_A_MESSAGE_GENERATION, 999); }
static void foreign_attribute(void) { nest_end(nest(KSERV_A_MESSAGE_FLOW)); }
static void unknown_attribute(void) { put32(60, 1); }

/* What came before the mistake must be taken back, of every kind. */
static void mistake_at_the_end(void)
{
	service_with_frontend(KSERV_FRONTEND_TYPE_CLUSTER_IP, ADDR(10, 96, 0, 9), 80);
	service_with_endpoint(ADDR(10, 1, 1, 1), 80);
	delete_with_more();
	timeout_zero();
}

static void delete_and_mistake(void)
{
	size_t start = nest(KSERV_A_MESSAGE_SERVICE_DEL);

	put_key("t/here", AF_INET, IPPROTO_TCP);
	nest_end(start);
	service_with_frontend(KSERV_FRONTEND_TYPE_CLUSTER_IP, ADDR(10, 96, 0, 1), 80);
	route(KSERV_A_MESSAGE_ROUTE_SET, 24, KSERV_ROUTE_TYPE_LOCAL, false);
	timeout_zero();
}

static void flow_by_state(void)
{
	size_t start = nest(KSERV_A_MESSAGE_FLOW);

	put8(KSERV_A_FLOW_STATE, 1);
	nest_end(start);
}

static void explain_nothing(void) {}

static void explain_without_protocol(void)
{
	size_t outer = nest(KSERV_A_MESSAGE_EXPLAIN), inner = nest(KSERV_A_EXPLAIN_FLOW);

	put(KSERV_A_FLOW_CLIENT4, ADDR(10, 1, 1, 1), 4);
	put(KSERV_A_FLOW_FRONTEND4, ADDR(10, 96, 0, 1), 4);
	nest_end(inner);
	nest_end(outer);
}

struct refusal {
	void (*build)(void);
	int error;
	const char *words;
	uint8_t command;	/* 0 for a transaction */
};

static const struct refusal refusals[] = {
	{ no_name, EINVAL, "a service needs its name", 0 },
	{ empty_name, EINVAL, "name is empty", 0 },
	{ name_with_space, EINVAL, "neither spaces", 0 },
	{ long_name, EINVAL, "", 0 },
	{ no_family, EINVAL, "needs its address family", 0 },
	{ unknown_family, EAFNOSUPPORT, "2 (IPv4) or 10 (IPv6)", 0 },
	{ no_protocol, EINVAL, "needs its protocol", 0 },
	{ unknown_protocol, EPROTONOSUPPORT, "6 (TCP), 17 (UDP) or 132 (SCTP)", 0 },
	{ create_again, EEXIST, "exists already", 0 },
	{ update_nothing, ENOENT, "does not exist", 0 },
	{ unknown_mode, ERANGE, "", 0 },
	{ endpoint_without_addr, EINVAL, "needs an address", 0 },
	{ endpoint_without_port, EINVAL, "needs a port", 0 },
	{ port_zero, ERANGE, "", 0 },
	{ endpoint_unspecified, EINVAL, "unspecified", 0 },
	{ endpoint_loopback, EINVAL, "loopback", 0 },
	{ endpoint_link_local, EINVAL, "link-local", 0 },
	{ endpoint_multicast, EINVAL, "multicast", 0 },
	{ endpoint_of_other_family, EINVAL, "not of the service's family", 0 },
	{ endpoint_twice, EEXIST, "same endpoint", 0 },
	{ endpoint_counts, EINVAL, "read only", 0 },
	{ no_such_endpoint, ENOENT, "no such endpoint", 0 },
	{ frontend_without_type, EINVAL, "needs its type", 0 },
	{ frontend_without_port, EINVAL, "needs its port", 0 },
	{ frontend_without_addr, EINVAL, "needs an address", 0 },
	{ frontend_of_no_type, ERANGE, "", 0 },
	{ frontend_unspecified, EINVAL, "not unspecified", 0 },
	{ frontend_loopback, EINVAL, "loopback", 0 },
	{ frontend_taken, EEXIST, "another service already has", 0 },
	{ frontend_twice, EEXIST, "same frontend", 0 },
	{ frontend_of_two, EEXIST, "another service of this transaction", 0 },
	{ no_such_frontend, ENOENT, "no such frontend", 0 },
	{ node_port_with_addr, EINVAL, "node port has no address", 0 },
	{ node_port_taken, EEXIST, "another service already has", 0 },
	{ source_of_other_family, EINVAL, "not of the service's address family", 0 },
	{ affinity_of_two_days, ERANGE, "86400", 0 },
	{ service_counts, EINVAL, "read only", 0 },
	{ delete_nothing, ENOENT, "does not exist", 0 },
	{ delete_with_more, EINVAL, "nothing else", 0 },
	{ route_without_prefix, EINVAL, "needs its prefix", 0 },
	{ route_without_type, EINVAL, "needs its type", 0 },
	{ route_unclean, EINVAL, "bits set beyond", 0 },
	{ route_too_long, EINVAL, "at most 32", 0 },
	{ route_without_gateway, EINVAL, "needs one gateway", 0 },
	{ local_with_gateway, EINVAL, "has no gateway", 0 },
	{ no_such_route, ENOENT, "no route", 0 },
	{ timeout_zero, ERANGE, "between 1 second", 0 },
	{ timeout_of_a_year, ERANGE, "20 days", 0 },
	{ flow_max_zero, ERANGE, "flow-max", 0 },
	{ read_only_config, EINVAL, "read only", 0 },
	{ prefix_without_len, EINVAL, "needs its length", 0 },
	{ prefix_without_addr, EINVAL, "needs one address", 0 },
	{ config_twice, EEXIST, "at most one config-set", 0 },
	{ interface_without_name, EINVAL, "pod-interface", 0 },
	{ ports_backwards, ERANGE, "port range", 0 },
	{ old_generation, ESTALE, "changed since", 0 },
	{ foreign_attribute, EINVAL, "not part of a transaction", 0 },
	{ unknown_attribute, EINVAL, "", 0 },
	{ mistake_at_the_end, EINVAL, "nothing else", 0 },
	{ delete_and_mistake, ERANGE, "between 1 second", 0 },
	{ flow_by_state, EINVAL, "filtered by", KSERV_CMD_FLOW_DEL },
	{ foreign_attribute, EINVAL, "does not take", KSERV_CMD_CONFIG_GET },
	{ foreign_attribute, EINVAL, "does not take", KSERV_CMD_STATS_GET },
	{ explain_nothing, EINVAL, "needs a packet", KSERV_CMD_EXPLAIN },
	{ explain_without_protocol, EINVAL, "protocol is needed", KSERV_CMD_EXPLAIN },
};

/* ---- running them */

/* What config-get says: generation and counts. */
static uint32_t facts[KSERV_A_CONFIG_MAX + 1];

static void read_facts(const struct nlattr *attrs, size_t len, void *arg)
{
	const struct nlattr *attr, *member;

	(void)arg;
	for_each_attr(attr, attrs, len)
		for_each_attr(member, data_of(attr), len_of(attr))
			if (type_of(member) >= KSERV_A_CONFIG_GENERATION && len_of(member) == 4)
				facts[type_of(member)] = get32(member);
}

static void get_facts(void)
{
	begin(family_id, KSERV_CMD_CONFIG_GET, NLM_F_ACK);
	if (request(read_facts, NULL))
		errx(1, "config-get: %s", words);
}

static void set_up(void)
{
	size_t start;

	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	put(KSERV_A_MESSAGE_REPLACE, NULL, 0);
	start = service("t/here");
	put_endpoint(KSERV_A_SERVICE_ENDPOINT, ADDR(10, 244, 0, 1), 8080);
	put_frontend(KSERV_A_SERVICE_FRONTEND, KSERV_FRONTEND_TYPE_CLUSTER_IP, ADDR(10, 96, 0, 1), 80);
	put_frontend(KSERV_A_SERVICE_FRONTEND, KSERV_FRONTEND_TYPE_NODE_PORT, NULL, 30000);
	nest_end(start);
	if (request(NULL, NULL))
		errx(1, "the tables could not be set up: %s", words);
}

static bool try(const struct refusal *refusal, int number)
{
	uint32_t before[KSERV_A_CONFIG_MAX + 1];
	int ret;

	get_facts();
	memcpy(before, facts, sizeof(before));
	begin(family_id, refusal->command ? refusal->command : KSERV_CMD_TRANSACTION, NLM_F_ACK);
	refusal->build();
	ret = request(NULL, NULL);
	if (ret != -refusal->error || !words[0] || !strstr(words, refusal->words)) {
		fprintf(stderr, "refusal %d: %s: '%s'; it should be %s: '%s'\n", number, strerror(-ret), words,
			strerror(refusal->error), refusal->words);
		return false;
	}
	get_facts();
	if (memcmp(before, facts, sizeof(before))) {
		fprintf(stderr, "refusal %d, %s: the tables have changed\n", number, refusal->words);
		return false;
	}
	return true;
}

int main(void)
{
	size_t i, n = sizeof(refusals) / sizeof(refusals[0]);
	bool good = true;

	connect_family();
	set_up();
	for (i = 0; i < n; i++)
		good &= try(&refusals[i], i);
	if (!good)
		return 1;
	printf("%zu requests were refused with words\n", n);
	return 0;
}
