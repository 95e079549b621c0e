// SPDX-License-Identifier: GPL-2.0
/*
 * tables model SEED COUNT: random transactions on a few services, endpoints, frontends and routes, many of which must
 * be refused. A plain model says what each has to come to; after each, the kernel's tables must be those of the model,
 * and now and then explain must find each frontend (or nothing) where the model has it.
 * tables mangle SEED COUNT: the same messages, damaged. The kernel must survive them.
 * In the end the tables are empty. Exit code 0, or 1 with what differs.
 */
#include "chance.h"
#include "family.h"
#include "model.h"

static void put_addr(uint16_t type4, uint16_t type6, uint8_t family, uint8_t net, uint8_t host)
{
	uint8_t v4[4] = { 10, net, 0, host }, v6[16] = { 0xfd, net, [15] = host };

	if (family == AF_INET)
		put(type4, v4, sizeof(v4));
	else
		put(type6, v6, sizeof(v6));
}

/* ---- random messages; what is put is told to the model */

static void service_key(int s)
{
	char name[16];

	snprintf(name, sizeof(name), "t/s%d", s);
	put(KSERV_A_SERVICE_NAME, name, strlen(name) + 1);
	put8(KSERV_A_SERVICE_FAMILY, family_of(s));
	put8(KSERV_A_SERVICE_PROTOCOL, protocol_of(s));
}

static void put_endpoint(int s, int e, bool del)
{
	struct endpoint to = {};
	size_t start;

	start = nest(del ? KSERV_A_SERVICE_ENDPOINT_DEL : KSERV_A_SERVICE_ENDPOINT);
	put_addr(KSERV_A_ENDPOINT_ADDR4, KSERV_A_ENDPOINT_ADDR6, family_of(s), 244, 1 + e / 2);
	put16(KSERV_A_ENDPOINT_PORT, htons(8080 + e % 2));
	if (!del) {
		to = (struct endpoint) {
			.there = true, .weight = 100,
			.flags = KSERV_ENDPOINT_FLAGS_CLUSTER_SET | KSERV_ENDPOINT_FLAGS_SERVING,
		};
		if (chance(2))
			put8(KSERV_A_ENDPOINT_FLAGS, to.flags = chance(16));
		if (!chance(3))
			put16(KSERV_A_ENDPOINT_WEIGHT, to.weight = 50 * chance(4));
		if (!chance(3))
			put8(KSERV_A_ENDPOINT_STATE, to.state = chance(4));
		if (!chance(4))
			put8(KSERV_A_ENDPOINT_CLUSTER_REASON, to.cluster_reason = chance(20));
		if (!chance(4))
			put8(KSERV_A_ENDPOINT_LOCAL_REASON, to.local_reason = chance(20));
	}
	nest_end(start);
	tell(" endpoint%s %d flags %x", del ? "-del" : "", e, to.flags);
	model_endpoint(s, e, &to);
}

static uint8_t random_type(int f)
{
	if (is_node_port(f))
		return KSERV_FRONTEND_TYPE_NODE_PORT;
	if (f >= 4)
		return chance(4) ? KSERV_FRONTEND_TYPE_LOAD_BALANCER_IP : KSERV_FRONTEND_TYPE_CLUSTER_IP;
	return chance(4) ? KSERV_FRONTEND_TYPE_CLUSTER_IP : KSERV_FRONTEND_TYPE_EXTERNAL_IP;
}

static void put_frontend_addr(int s, int f)
{
	if (!is_node_port(f))
		put_addr(KSERV_A_FRONTEND_ADDR4, KSERV_A_FRONTEND_ADDR6, family_of(s), 96, 1 + f / 4);
	put16(KSERV_A_FRONTEND_PORT, htons(frontend_port(f)));
}

static void put_frontend(int s, int f, bool del)
{
	struct frontend to = { .there = true, .type = random_type(f) };
	size_t start, source;
	int i;

	if (del && !chance(8) == 0 && next.service[s].frontend[f].there)
		to.type = next.service[s].frontend[f].type;
	start = nest(del ? KSERV_A_SERVICE_FRONTEND_DEL : KSERV_A_SERVICE_FRONTEND);
	put8(KSERV_A_FRONTEND_TYPE, to.type);
	put_frontend_addr(s, f);
	if (!del) {
		if (!chance(3))
			put8(KSERV_A_FRONTEND_FLAGS, to.flags = chance(4));
		to.sources = chance(4) ? 0 : 1 + chance(2);
		for (i = 0; i < to.sources; i++) {
			source = nest(KSERV_A_FRONTEND_SOURCE);
			put_addr(KSERV_A_PREFIX_ADDR4, KSERV_A_PREFIX_ADDR6, family_of(s), 128 + i, 0);
			put8(KSERV_A_PREFIX_LEN, 16);
			nest_end(source);
		}
	}
	nest_end(start);
	tell(" frontend%s %d type %d", del ? "-del" : "", f, to.type);
	if (del)
		model_frontend_del(s, f, to.type);
	else
		model_frontend(s, f, &to);
}

static void put_members(struct service *service)
{
	if (!chance(3))
		put8(KSERV_A_SERVICE_SCHEDULER, service->scheduler = chance(4));
	if (!chance(4))
		put32(KSERV_A_SERVICE_AFFINITY_TIMEOUT, service->affinity = chance(2) * 100);
	if (!chance(4))
		put32(KSERV_A_SERVICE_FLAGS, service->flags = chance(4));
	if (!chance(4))
		put8(KSERV_A_SERVICE_REMOVAL, service->removal = chance(2));
	if (!chance(6))
		put32(KSERV_A_SERVICE_REMOVAL_GRACE, service->grace = chance(3));
	if (!chance(6))
		put32(KSERV_A_SERVICE_SLOW_START, service->slow = chance(3));
}

/* Mostly such as can be done. */
static void put_service_set(int s)
{
	uint8_t mode = chance(3) ? KSERV_SET_MODE_MERGE : chance(4);
	size_t start = nest(KSERV_A_MESSAGE_SERVICE_SET);
	int i, f, e;

	service_key(s);
	put8(KSERV_A_SERVICE_MODE, mode);
	tell("\n  service-set %d mode %d", s, mode);
	model_set(s, mode);
	put_members(&next.service[s]);
	for (i = chance(8); i; i--) {
		e = chance(N_ENDPOINTS);
		if (staged[s].named[e] == nests && chance(20))
			continue;
		put_endpoint(s, e, chance(3) == 0 && (next.service[s].endpoint[e].there || !chance(10)));
	}
	for (i = chance(4); i; i--) {
		f = chance(N_FRONTENDS);
		if (holder(key_of(s, f)) >= 0 && holder(key_of(s, f)) != s && chance(8))
			continue;
		if (key_of(s, f)->nest == nests && chance(20))
			continue;
		put_frontend(s, f, chance(4) == 0 && (holder(key_of(s, f)) == s || !chance(10)));
	}
	nest_end(start);
}

static void put_service_del(int s)
{
	size_t start = nest(KSERV_A_MESSAGE_SERVICE_DEL);

	service_key(s);
	nest_end(start);
	tell("\n  service-del %d", s);
	model_del(s);
}

static void put_route_prefix(int r)
{
	size_t start = nest(KSERV_A_ROUTE_PREFIX);

	put_addr(KSERV_A_PREFIX_ADDR4, KSERV_A_PREFIX_ADDR6, r < 2 ? AF_INET : AF_INET6, r, 0);
	put8(KSERV_A_PREFIX_LEN, 24);
	nest_end(start);
}

static void put_route(int r, bool del)
{
	size_t start = nest(del ? KSERV_A_MESSAGE_ROUTE_DEL : KSERV_A_MESSAGE_ROUTE_SET);
	struct route *route = &next.route[r];

	put_route_prefix(r);
	route_said[r] = true;
	tell("\n  route%s %d", del ? "-del" : "", r);
	if (del) {
		refuse(!route->there);
		memset(route, 0, sizeof(*route));
	} else {
		route->there = true;
		route->type = chance(3);
		route->gateway = route->type == KSERV_ROUTE_TYPE_LOCAL ? 0 : 1 + chance(3);
		put8(KSERV_A_ROUTE_TYPE, route->type);
		if (route->gateway)
			put_addr(KSERV_A_ROUTE_GATEWAY4, KSERV_A_ROUTE_GATEWAY6, r < 2 ? AF_INET : AF_INET6, 50,
				 route->gateway);
	}
	nest_end(start);
}

static void put_config(void)
{
	size_t start = nest(KSERV_A_MESSAGE_CONFIG_SET);

	next.udp_timeout = chance(3) ? 1 + chance(100) : 0;
	tell("\n  config-set %u", next.udp_timeout);
	refuse(!next.udp_timeout);
	put32(KSERV_A_CONFIG_UDP_TIMEOUT, next.udp_timeout);
	nest_end(start);
}

static void put_one(void)
{
	int s = chance(N_SERVICES), r = chance(N_ROUTES);

	switch (chance(10)) {
	case 0:
		put_route(r, next.route[r].there ? chance(2) : !chance(20));
		break;
	case 1:
	case 2:
		if (next.service[s].there || !chance(20))
			put_service_del(s);
		break;
	default:
		put_service_set(s);
	}
}

static void random_transaction(void)
{
	int n = 1 + chance(5), r;

	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	model_begin();
	replace_all = !chance(20);
	if (replace_all) {
		tell("\n  replace");
		put(KSERV_A_MESSAGE_REPLACE, NULL, 0);
	}
	if (!chance(8)) {
		r = chance(5);
		put32(KSERV_A_MESSAGE_GENERATION, now.generation + !r);
		refuse(!r);
	}
	while (n--)
		put_one();
	if (!chance(5))
		put_config();
	model_end();
	for (r = 0; r < N_ROUTES; r++)
		if (!next.route[r].there || (replace_all && !route_said[r]))
			memset(&next.route[r], 0, sizeof(next.route[r]));
}

/* ---- what the kernel has */

static int host_of(const struct nlattr *attr)
{
	return ((const uint8_t *)data_of(attr))[len_of(attr) - 1];
}

static void read_endpoint(const struct nlattr *outer, struct service *service)
{
	struct endpoint endpoint = { .there = true };
	const struct nlattr *attr;
	int host = 0, port = 0;

	for_each_attr(attr, data_of(outer), len_of(outer)) {
		switch (type_of(attr)) {
		case KSERV_A_ENDPOINT_ADDR4:
		case KSERV_A_ENDPOINT_ADDR6:
			host = host_of(attr);
			break;
		case KSERV_A_ENDPOINT_PORT:
			port = ntohs(get16(attr));
			break;
		case KSERV_A_ENDPOINT_STATE:
			endpoint.state = get8(attr);
			break;
		case KSERV_A_ENDPOINT_FLAGS:
			endpoint.flags = get8(attr);
			break;
		case KSERV_A_ENDPOINT_WEIGHT:
			endpoint.weight = get16(attr);
			break;
		case KSERV_A_ENDPOINT_CLUSTER_REASON:
			endpoint.cluster_reason = get8(attr);
			break;
		case KSERV_A_ENDPOINT_LOCAL_REASON:
			endpoint.local_reason = get8(attr);
			break;
		}
	}
	if (service->endpoint[2 * (host - 1) + port - 8080].there)
		errx(1, "an endpoint is there twice");
	service->endpoint[2 * (host - 1) + port - 8080] = endpoint;
}

static void read_frontend(const struct nlattr *outer, struct service *service)
{
	struct frontend frontend = { .there = true };
	const struct nlattr *attr;
	int host = 3, port = 0;

	for_each_attr(attr, data_of(outer), len_of(outer)) {
		switch (type_of(attr)) {
		case KSERV_A_FRONTEND_TYPE:
			frontend.type = get8(attr);
			break;
		case KSERV_A_FRONTEND_ADDR4:
		case KSERV_A_FRONTEND_ADDR6:
			host = host_of(attr);
			break;
		case KSERV_A_FRONTEND_PORT:
			port = ntohs(get16(attr)) - 80;
			break;
		case KSERV_A_FRONTEND_FLAGS:
			frontend.flags = get8(attr);
			break;
		case KSERV_A_FRONTEND_SOURCE:
			frontend.sources++;
			break;
		}
	}
	if (service->frontend[4 * (host - 1) + port].there)
		errx(1, "a frontend is there twice");
	service->frontend[4 * (host - 1) + port] = frontend;
}

static void read_service(const struct nlattr *outer, struct tables *tables)
{
	struct service *service = NULL;
	const struct nlattr *attr;

	for_each_attr(attr, data_of(outer), len_of(outer)) {
		switch (type_of(attr)) {
		case KSERV_A_SERVICE_NAME:
			service = &tables->service[((const char *)data_of(attr))[3] - '0'];
			service->there = true;
			break;
		case KSERV_A_SERVICE_SCHEDULER:
			service->scheduler = get8(attr);
			break;
		case KSERV_A_SERVICE_AFFINITY_TIMEOUT:
			service->affinity = get32(attr);
			break;
		case KSERV_A_SERVICE_FLAGS:
			service->flags = get32(attr);
			break;
		case KSERV_A_SERVICE_REMOVAL:
			service->removal = get8(attr);
			break;
		case KSERV_A_SERVICE_REMOVAL_GRACE:
			service->grace = get32(attr);
			break;
		case KSERV_A_SERVICE_SLOW_START:
			service->slow = get32(attr);
			break;
		case KSERV_A_SERVICE_ENDPOINT:
			read_endpoint(attr, service);
			break;
		case KSERV_A_SERVICE_FRONTEND:
			read_frontend(attr, service);
			break;
		}
	}
}

static void read_route(const struct nlattr *outer, struct tables *tables)
{
	struct route route = { .there = true };
	const struct nlattr *attr, *prefix;
	int r = 0;

	for_each_attr(attr, data_of(outer), len_of(outer)) {
		switch (type_of(attr)) {
		case KSERV_A_ROUTE_PREFIX:
			for_each_attr(prefix, data_of(attr), len_of(attr))
				if (type_of(prefix) != KSERV_A_PREFIX_LEN)
					r = ((const uint8_t *)data_of(prefix))[1];
			break;
		case KSERV_A_ROUTE_TYPE:
			route.type = get8(attr);
			break;
		case KSERV_A_ROUTE_GATEWAY4:
		case KSERV_A_ROUTE_GATEWAY6:
			route.gateway = host_of(attr);
			break;
		}
	}
	tables->route[r] = route;
}

/* Counts that config-get gives. */
static uint32_t counted[4];

static void read_config(const struct nlattr *outer, struct tables *tables)
{
	const struct nlattr *attr;

	for_each_attr(attr, data_of(outer), len_of(outer)) {
		switch (type_of(attr)) {
		case KSERV_A_CONFIG_UDP_TIMEOUT:
			tables->udp_timeout = get32(attr);
			break;
		case KSERV_A_CONFIG_GENERATION:
			tables->generation = get32(attr);
			break;
		case KSERV_A_CONFIG_SERVICES:
		case KSERV_A_CONFIG_FRONTENDS:
		case KSERV_A_CONFIG_ENDPOINTS:
		case KSERV_A_CONFIG_ROUTES:
			counted[type_of(attr) - KSERV_A_CONFIG_SERVICES] = get32(attr);
			break;
		}
	}
}

static void read_message(const struct nlattr *attrs, size_t len, void *arg)
{
	const struct nlattr *attr;

	for_each_attr(attr, attrs, len) {
		if (type_of(attr) == KSERV_A_MESSAGE_SERVICE)
			read_service(attr, arg);
		else if (type_of(attr) == KSERV_A_MESSAGE_ROUTE)
			read_route(attr, arg);
		else if (type_of(attr) == KSERV_A_MESSAGE_CONFIG)
			read_config(attr, arg);
	}
}

static void read_tables(struct tables *tables)
{
	memset(tables, 0, sizeof(*tables));
	begin(family_id, KSERV_CMD_SERVICE_GET, NLM_F_DUMP);
	if (request(read_message, tables))
		errx(1, "services could not be read");
	begin(family_id, KSERV_CMD_ROUTE_GET, NLM_F_DUMP);
	if (request(read_message, tables))
		errx(1, "routes could not be read");
	begin(family_id, KSERV_CMD_CONFIG_GET, NLM_F_ACK);
	if (request(read_message, tables))
		errx(1, "the configuration could not be read: %s", words);
}

/* ---- comparing */

static int differ(int number, const char *what, int s, int which)
{
	fprintf(stderr, "transaction %d: %s %d of service %d is not as the model has it:%s\n", number, what, which, s,
		story);
	return 1;
}

static int compare_counts(int number)
{
	uint32_t expected[4] = {};
	int s, i;

	for (s = 0; s < N_SERVICES; s++) {
		expected[0] += now.service[s].there;
		for (i = 0; i < N_FRONTENDS; i++)
			expected[1] += now.service[s].frontend[i].there;
		for (i = 0; i < N_ENDPOINTS; i++)
			expected[2] += now.service[s].endpoint[i].there;
	}
	for (i = 0; i < N_ROUTES; i++)
		expected[3] += now.route[i].there;
	for (i = 0; i < 4; i++)
		if (expected[i] != counted[i])
			return differ(number, "count", 0, i);
	return 0;
}

static int compare(int number)
{
	struct tables kernel;
	int s, i;

	read_tables(&kernel);
	for (s = 0; s < N_SERVICES; s++) {
		for (i = 0; i < N_ENDPOINTS; i++)
			if (memcmp(&kernel.service[s].endpoint[i], &now.service[s].endpoint[i],
				   sizeof(struct endpoint)))
				return differ(number, "endpoint", s, i);
		for (i = 0; i < N_FRONTENDS; i++)
			if (memcmp(&kernel.service[s].frontend[i], &now.service[s].frontend[i],
				   sizeof(struct frontend)))
				return differ(number, "frontend", s, i);
		if (memcmp(&kernel.service[s], &now.service[s], offsetof(struct service, endpoint)))
			return differ(number, "some member", s, 0);
	}
	for (i = 0; i < N_ROUTES; i++)
		if (memcmp(&kernel.route[i], &now.route[i], sizeof(struct route)))
			return differ(number, "route", 0, i);
	if (kernel.udp_timeout != now.udp_timeout || kernel.generation != now.generation)
		return differ(number, "configuration or generation", 0, 0);
	return compare_counts(number);
}

/* What explain answers: the service found, -1 for none; reject of an undefined port. */
struct explained {
	int service;
	bool undefined_port;
};

static void read_explained(const struct nlattr *attrs, size_t len, void *arg)
{
	const struct nlattr *attr, *member;
	struct explained *explained = arg;

	for_each_attr(attr, attrs, len) {
		if (type_of(attr) != KSERV_A_MESSAGE_EXPLAIN)
			continue;
		for_each_attr(member, data_of(attr), len_of(attr)) {
			if (type_of(member) == KSERV_A_EXPLAIN_SERVICE)
				explained->service = ((const char *)data_of(member))[3] - '0';
			if (type_of(member) == KSERV_A_EXPLAIN_REASON)
				explained->undefined_port = get8(member) == KSERV_REASON_UNDEFINED_PORT;
		}
	}
}

static void explain(int s, int f, struct explained *explained)
{
	size_t outer, inner;

	*explained = (struct explained) { .service = -1 };
	begin(family_id, KSERV_CMD_EXPLAIN, NLM_F_ACK);
	outer = nest(KSERV_A_MESSAGE_EXPLAIN);
	inner = nest(KSERV_A_EXPLAIN_FLOW);
	put8(KSERV_A_FLOW_PROTOCOL, protocol_of(s));
	put_addr(KSERV_A_FLOW_CLIENT4, KSERV_A_FLOW_CLIENT6, family_of(s), 9, 9);
	put_addr(KSERV_A_FLOW_FRONTEND4, KSERV_A_FLOW_FRONTEND6, family_of(s), 96, 1 + f / 4);
	put16(KSERV_A_FLOW_FRONTEND_PORT, htons(frontend_port(f)));
	nest_end(inner);
	nest_end(outer);
	if (request(read_explained, explained))
		errx(1, "explain was refused: %s", words);
}

/* A cluster IP at that address, of any service of the family. */
static bool is_guarded(int s, int f)
{
	int other, i;

	for (other = 0; other < N_SERVICES; other++)
		for (i = 0; i < 8 && family_of(other) == family_of(s); i++)
			if (now.service[other].frontend[i].there && i / 4 == f / 4 &&
			    now.service[other].frontend[i].type == KSERV_FRONTEND_TYPE_CLUSTER_IP)
				return true;
	return false;
}

static int compare_lookups(int number)
{
	struct explained explained;
	int s, f, other, expected;

	for (s = 0; s < N_SERVICES; s++) {
		for (f = 0; f < 8; f++) {
			expected = -1;
			for (other = 0; other < N_SERVICES; other++)
				if (compete(s, other) && now.service[other].frontend[f].there)
					expected = other;
			explain(s, f, &explained);
			if (explained.service != expected)
				return differ(number, "lookup of frontend", s, f);
			if (expected < 0 && explained.undefined_port != is_guarded(s, f))
				return differ(number, "guard of frontend", s, f);
		}
	}
	return 0;
}

static int one_transaction(int number, unsigned int *n_refused)
{
	int ret;

	random_transaction();
	ret = request(NULL, NULL);
	if (!ret == refused) {
		fprintf(stderr, "transaction %d: the kernel says %d '%s', the model %s it:%s\n", number, ret, words,
			refused ? "refuses" : "takes", story);
		return 1;
	}
	if (ret && !words[0]) {
		fprintf(stderr, "transaction %d: refused without words, %s\n", number, strerror(-ret));
		return 1;
	}
	*n_refused += refused;
	if (!refused) {
		next.generation = now.generation + 1;
		now = next;
	}
	return compare(number) || (number % 16 == 0 && compare_lookups(number));
}

/* The transaction, with some bytes changed or its end cut off; a kernel that survives it may do as it likes. */
static void mangle(void)
{
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN, i;

	if (out.len == head)
		return;
	if (!chance(8))
		out.len = head + chance(out.len - head);
	for (i = chance(6); i && out.len > head; i--)
		out.data[head + chance(out.len - head)] = chance(2) ? chance(256) : chance(8);
}

/* Everything goes; then nothing may be counted any more. */
static int all_is_gone(void)
{
	static struct tables kernel;
	int i;

	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	put(KSERV_A_MESSAGE_REPLACE, NULL, 0);
	if (request(NULL, NULL))
		errx(1, "the tables could not be emptied: %s", words);
	read_tables(&kernel);
	for (i = 0; i < 4; i++)
		if (counted[i])
			errx(1, "the tables are empty, but count %d is %u", i, counted[i]);
	return 0;
}

static int mangled_transactions(int n)
{
	int i, taken = 0;

	for (i = 0; i < n; i++) {
		random_transaction();
		mangle();
		taken += !request(NULL, NULL);
	}
	printf("%d mangled transactions, %d of them taken\n", n, taken);
	return all_is_gone();
}

static int model_transactions(int n)
{
	unsigned int n_refused = 0;
	int i;

	read_tables(&now);
	for (i = 0; i < N_SERVICES; i++)
		if (now.service[i].there)
			errx(2, "the tables are not empty");
	for (i = 1; i <= n; i++)
		if (one_transaction(i, &n_refused))
			return 1;
	printf("%d transactions, %u of them refused\n", n, n_refused);
	return all_is_gone();
}

int main(int argc, char **argv)
{
	if (argc != 4)
		errx(2, "usage: tables model|mangle SEED COUNT");
	chance_state = strtoull(argv[2], NULL, 0);
	connect_family();
	return strcmp(argv[1], "mangle") ? model_transactions(atoi(argv[3])) : mangled_transactions(atoi(argv[3]));
}
