// SPDX-License-Identifier: GPL-2.0
/*
 * malformed [SEED COUNT]: messages that the kernel must refuse with a sentence, one for each thing that may be wrong;
 * then COUNT copies of a right one with some bytes changed, whatever becomes of them.
 * Exit code 0, or 1 if one was accepted or refused without a word.
 */
#include "family.h"

/* A service-set that says all that is needed, and goes on with what the case adds before service_end(). */
static size_t service_begin(void)
{
	size_t start;

	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	start = nest(KSERV_A_MESSAGE_SERVICE_SET);
	put(KSERV_A_SERVICE_NAME, "bad/one", sizeof("bad/one"));
	put8(KSERV_A_SERVICE_FAMILY, AF_INET);
	put8(KSERV_A_SERVICE_PROTOCOL, IPPROTO_TCP);
	return start;
}

static void put_addr4(uint16_t type) { put32(type, htonl(0x0a600009)); }

static size_t frontend_begin(uint8_t type)
{
	size_t start = nest(KSERV_A_SERVICE_FRONTEND);

	put8(KSERV_A_FRONTEND_TYPE, type);
	put_addr4(KSERV_A_FRONTEND_ADDR4);
	put16(KSERV_A_FRONTEND_PORT, htons(80));
	return start;
}

static void service_without_anything(void)
{
	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	nest_end(nest(KSERV_A_MESSAGE_SERVICE_SET));
}

static void service_without_name(void)
{
	size_t start;

	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	start = nest(KSERV_A_MESSAGE_SERVICE_SET);
	put8(KSERV_A_SERVICE_FAMILY, AF_INET);
	put8(KSERV_A_SERVICE_PROTOCOL, IPPROTO_TCP);
	nest_end(start);
}

static void service_without_protocol(void)
{
	size_t start;

	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	start = nest(KSERV_A_MESSAGE_SERVICE_SET);
	put(KSERV_A_SERVICE_NAME, "bad/one", sizeof("bad/one"));
	put8(KSERV_A_SERVICE_FAMILY, AF_INET);
	nest_end(start);
}

static void service_key(const char *name, size_t len, uint8_t family, uint8_t protocol)
{
	size_t start;

	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	start = nest(KSERV_A_MESSAGE_SERVICE_SET);
	put(KSERV_A_SERVICE_NAME, name, len);
	put8(KSERV_A_SERVICE_FAMILY, family);
	put8(KSERV_A_SERVICE_PROTOCOL, protocol);
	nest_end(start);
}

static void name_is_empty(void) { service_key("", 1, AF_INET, IPPROTO_TCP); }
static void name_does_not_end(void) { service_key("bad/one", 7, AF_INET, IPPROTO_TCP); }
static void family_is_odd(void) { service_key("bad/one", 8, 99, IPPROTO_TCP); }
static void protocol_is_odd(void) { service_key("bad/one", 8, AF_INET, IPPROTO_ICMP); }

static void name_is_too_long(void)
{
	char name[KSERV_NAME_LEN + 2];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	service_key(name, sizeof(name), AF_INET, IPPROTO_TCP);
}

static void service_number(uint16_t type, uint8_t value)
{
	size_t start = service_begin();

	put8(type, value);
	nest_end(start);
}

static void scheduler_is_unknown(void) { service_number(KSERV_A_SERVICE_SCHEDULER, 200); }
static void removal_is_unknown(void) { service_number(KSERV_A_SERVICE_REMOVAL, 2); }
static void mode_is_unknown(void) { service_number(KSERV_A_SERVICE_MODE, 9); }
static void number_is_too_short(void) { service_number(KSERV_A_SERVICE_AFFINITY_TIMEOUT, 9); }

static void service_to_update_is_not_there(void) { service_number(KSERV_A_SERVICE_MODE, KSERV_SET_MODE_UPDATE); }

static void endpoint(uint16_t port, bool v4, bool v6, int state, int flags)
{
	size_t start = service_begin(), inner = nest(KSERV_A_SERVICE_ENDPOINT);
	uint8_t addr6[16] = { 0xfd };

	if (v4)
		put_addr4(KSERV_A_ENDPOINT_ADDR4);
	if (v6)
		put(KSERV_A_ENDPOINT_ADDR6, addr6, sizeof(addr6));
	if (port != 0xffff)
		put16(KSERV_A_ENDPOINT_PORT, htons(port));
	if (state >= 0)
		put8(KSERV_A_ENDPOINT_STATE, state);
	if (flags >= 0)
		put8(KSERV_A_ENDPOINT_FLAGS, flags);
	nest_end(inner);
	nest_end(start);
}

static void endpoint_without_address(void) { endpoint(80, false, false, -1, -1); }
static void endpoint_without_port(void) { endpoint(0xffff, true, false, -1, -1); }
static void endpoint_with_port_0(void) { endpoint(0, true, false, -1, -1); }
static void endpoint_with_two_addresses(void) { endpoint(80, true, true, -1, -1); }
static void endpoint_of_other_family(void) { endpoint(80, false, true, -1, -1); }
static void endpoint_in_unknown_state(void) { endpoint(80, true, false, 99, -1); }
static void endpoint_with_unknown_flags(void) { endpoint(80, true, false, -1, 0x80); }

static void endpoint_twice(void)
{
	size_t start = service_begin(), inner;
	int i;

	for (i = 0; i < 2; i++) {
		inner = nest(KSERV_A_SERVICE_ENDPOINT);
		put_addr4(KSERV_A_ENDPOINT_ADDR4);
		put16(KSERV_A_ENDPOINT_PORT, htons(80));
		nest_end(inner);
	}
	nest_end(start);
}

static void endpoint_address_is_short(void)
{
	size_t start = service_begin(), inner = nest(KSERV_A_SERVICE_ENDPOINT);

	put(KSERV_A_ENDPOINT_ADDR6, "123456789012345", 15);
	put16(KSERV_A_ENDPOINT_PORT, htons(80));
	nest_end(inner);
	nest_end(start);
}

static void frontend_without_type(void)
{
	size_t start = service_begin(), inner = nest(KSERV_A_SERVICE_FRONTEND);

	put_addr4(KSERV_A_FRONTEND_ADDR4);
	put16(KSERV_A_FRONTEND_PORT, htons(80));
	nest_end(inner);
	nest_end(start);
}

static void frontend_without_address(void)
{
	size_t start = service_begin(), inner = nest(KSERV_A_SERVICE_FRONTEND);

	put8(KSERV_A_FRONTEND_TYPE, KSERV_FRONTEND_TYPE_CLUSTER_IP);
	put16(KSERV_A_FRONTEND_PORT, htons(80));
	nest_end(inner);
	nest_end(start);
}

static void frontend_of_type(uint8_t type)
{
	size_t start = service_begin();

	nest_end(frontend_begin(type));
	nest_end(start);
}

static void frontend_of_unknown_type(void) { frontend_of_type(77); }
static void node_port_with_an_address(void) { frontend_of_type(KSERV_FRONTEND_TYPE_NODE_PORT); }

static void frontend_with_source(uint8_t len)
{
	size_t start = service_begin(), inner = frontend_begin(KSERV_FRONTEND_TYPE_LOAD_BALANCER_IP);
	size_t prefix = nest(KSERV_A_FRONTEND_SOURCE);

	put_addr4(KSERV_A_PREFIX_ADDR4);
	put8(KSERV_A_PREFIX_LEN, len);
	nest_end(prefix);
	nest_end(inner);
	nest_end(start);
}

static void prefix_of_33_bits(void) { frontend_with_source(33); }
static void prefix_of_200_bits(void) { frontend_with_source(200); }

static void delete_what_is_not_there(void)
{
	size_t start = service_begin();

	((struct nlattr *)(out.data + start))->nla_type = KSERV_A_MESSAGE_SERVICE_DEL | NLA_F_NESTED;
	nest_end(start);
}

static void attribute_is_unknown(void)
{
	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	put32(300, 1);
}

static void attribute_in_nest_is_unknown(void)
{
	size_t start = service_begin();

	put32(300, 1);
	nest_end(start);
}

static void attribute_has_no_place_here(void)
{
	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	nest_end(nest(KSERV_A_MESSAGE_EVENT));
}

static void nest_is_not_marked(void)
{
	size_t start = service_begin();

	((struct nlattr *)(out.data + start))->nla_type &= ~NLA_F_NESTED;
	nest_end(start);
}

static void nest_is_longer_than_message(void)
{
	size_t start = service_begin();

	((struct nlattr *)(out.data + start))->nla_len = 4000;
}

static void generation_is_old(void)
{
	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	put32(KSERV_A_MESSAGE_GENERATION, 0xdeadbeef);
	put(KSERV_A_MESSAGE_REPLACE, NULL, 0);
}

static void route(uint8_t type, bool gateway)
{
	size_t start, prefix;

	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	start = nest(KSERV_A_MESSAGE_ROUTE_SET);
	prefix = nest(KSERV_A_ROUTE_PREFIX);
	put32(KSERV_A_PREFIX_ADDR4, htonl(0x0af40000));
	put8(KSERV_A_PREFIX_LEN, 24);
	nest_end(prefix);
	put8(KSERV_A_ROUTE_TYPE, type);
	if (gateway)
		put_addr4(KSERV_A_ROUTE_GATEWAY4);
	nest_end(start);
}

static void route_without_gateway(void) { route(KSERV_ROUTE_TYPE_DIRECT, false); }
static void local_route_with_gateway(void) { route(KSERV_ROUTE_TYPE_LOCAL, true); }

static void route_without_prefix(void)
{
	size_t start;

	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	start = nest(KSERV_A_MESSAGE_ROUTE_SET);
	put8(KSERV_A_ROUTE_TYPE, KSERV_ROUTE_TYPE_LOCAL);
	nest_end(start);
}

static void port_range_is_backwards(void)
{
	size_t start;

	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	start = nest(KSERV_A_MESSAGE_CONFIG_SET);
	put16(KSERV_A_CONFIG_MASQUERADE_PORT_MIN, 60000);
	put16(KSERV_A_CONFIG_MASQUERADE_PORT_MAX, 50000);
	nest_end(start);
}

static void explain_without_question(void) { begin(family_id, KSERV_CMD_EXPLAIN, NLM_F_ACK); }
static void command_is_unknown(void) { begin(family_id, 99, NLM_F_ACK); }

#define CASE(name) { #name, name, true }
/* Netlink itself has no words for this one. */
#define MUTE(name) { #name, name, false }

static const struct {
	const char *name;
	void (*build)(void);
	bool has_words;
} cases[] = {
	CASE(service_without_anything), CASE(service_without_name), CASE(service_without_protocol), CASE(name_is_empty),
	CASE(name_does_not_end), CASE(name_is_too_long), CASE(family_is_odd), CASE(protocol_is_odd),
	CASE(scheduler_is_unknown), CASE(removal_is_unknown), CASE(mode_is_unknown), CASE(number_is_too_short),
	CASE(service_to_update_is_not_there), CASE(endpoint_without_address), CASE(endpoint_without_port),
	CASE(endpoint_with_port_0), CASE(endpoint_with_two_addresses), CASE(endpoint_of_other_family),
	CASE(endpoint_in_unknown_state), CASE(endpoint_with_unknown_flags), CASE(endpoint_twice),
	CASE(endpoint_address_is_short), CASE(frontend_without_type), CASE(frontend_without_address),
	CASE(frontend_of_unknown_type), CASE(node_port_with_an_address), CASE(prefix_of_33_bits),
	CASE(prefix_of_200_bits), CASE(delete_what_is_not_there), CASE(attribute_is_unknown),
	CASE(attribute_in_nest_is_unknown), CASE(attribute_has_no_place_here), CASE(nest_is_not_marked),
	CASE(nest_is_longer_than_message), CASE(generation_is_old), CASE(route_without_gateway),
	CASE(local_route_with_gateway), CASE(route_without_prefix), CASE(port_range_is_backwards),
	CASE(explain_without_question), MUTE(command_is_unknown),
};

static int try_case(size_t i)
{
	int error;

	cases[i].build();
	error = request(NULL, NULL);
	if (!error)
		printf("FAIL %s: accepted\n", cases[i].name);
	else if (cases[i].has_words && !*words)
		printf("FAIL %s: refused (%s) without a sentence\n", cases[i].name, strerrorname_np(-error));
	else
		printf("ok %s: %s (%s)\n", cases[i].name, words, strerrorname_np(-error));
	return !error || (cases[i].has_words && !*words);
}

/* A right message that uses much of the protocol. */
static void build_right(void)
{
	size_t start = service_begin(), inner, prefix;

	inner = frontend_begin(KSERV_FRONTEND_TYPE_LOAD_BALANCER_IP);
	put8(KSERV_A_FRONTEND_FLAGS, KSERV_FRONTEND_FLAGS_LOCAL_SET);
	prefix = nest(KSERV_A_FRONTEND_SOURCE);
	put32(KSERV_A_PREFIX_ADDR4, htonl(0x0a000000));
	put8(KSERV_A_PREFIX_LEN, 8);
	nest_end(prefix);
	nest_end(inner);
	inner = nest(KSERV_A_SERVICE_ENDPOINT);
	put_addr4(KSERV_A_ENDPOINT_ADDR4);
	put16(KSERV_A_ENDPOINT_PORT, htons(80));
	put16(KSERV_A_ENDPOINT_WEIGHT, 100);
	put8(KSERV_A_ENDPOINT_STATE, KSERV_ENDPOINT_STATE_READY);
	nest_end(inner);
	put8(KSERV_A_SERVICE_SCHEDULER, KSERV_SCHEDULER_MAGLEV);
	put32(KSERV_A_SERVICE_AFFINITY_TIMEOUT, 10800);
	nest_end(start);
}

/* Anything but the netlink header may change; its length too, within what is sent. */
static void change_bytes(void)
{
	size_t first = NLMSG_HDRLEN, n = rand() % 4 + 1;

	while (n--)
		out.data[first + rand() % (out.len - first)] = rand();
	if (rand() % 8 == 0)
		out.len = NLMSG_HDRLEN + GENL_HDRLEN + rand() % (out.len - NLMSG_HDRLEN - GENL_HDRLEN);
}

int main(int argc, char **argv)
{
	int i, bad = 0, accepted = 0, count = argc > 2 ? atoi(argv[2]) : 0;
	size_t n;

	connect_family();
	for (n = 0; n < sizeof(cases) / sizeof(cases[0]); n++)
		bad += try_case(n);
	srand(argc > 1 ? atoi(argv[1]) : 0);
	for (i = 0; i < count; i++) {
		build_right();
		change_bytes();
		accepted += !request(NULL, NULL);
	}
	if (count)
		printf("ok %d changed messages, of which %d were accepted\n", count, accepted);
	return bad ? 1 : 0;
}
