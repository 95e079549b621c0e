// SPDX-License-Identifier: GPL-2.0
/*
 * faults: requests of every kind, each with its first allocation failing, then its second, and so on until all of them
 * have failed once, or one of several where there are many. A transaction that fails must leave everything as it was; what fails must say why, and what does
 * not must have been done. Needs a kernel with CONFIG_FAILSLAB. Exit code 0, or 1 with what was otherwise.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/time.h>
#include "family.h"

/* More allocations than any of them makes; up to NTH_EACH each of them fails, then one of ever more. */
#define NTH_MAX 20000
#define NTH_EACH 250

static int nth_fd;
static unsigned long n_injected, n_survived;

/* ---- requests */

static void put_addr(uint16_t type4, uint16_t type6, uint8_t family, uint8_t net, uint8_t host)
{
	uint8_t v4[4] = { 10, net, 0, host }, v6[16] = { 0xfd, net, [15] = host };

	if (family == AF_INET)
		put(type4, v4, sizeof(v4));
	else
		put(type6, v6, sizeof(v6));
}

static void put_prefix(uint16_t type, uint8_t family, uint8_t net)
{
	size_t start = nest(type);

	put_addr(KSERV_A_PREFIX_ADDR4, KSERV_A_PREFIX_ADDR6, family, net, 0);
	put8(KSERV_A_PREFIX_LEN, 16);
	nest_end(start);
}

static size_t service(uint16_t type, const char *name, uint8_t family)
{
	size_t start = nest(type);

	put(KSERV_A_SERVICE_NAME, name, strlen(name) + 1);
	put8(KSERV_A_SERVICE_FAMILY, family);
	put8(KSERV_A_SERVICE_PROTOCOL, IPPROTO_TCP);
	return start;
}

static void put_endpoints(uint16_t type, uint8_t family, uint8_t first, uint8_t last)
{
	size_t start;

	for (; first <= last; first++) {
		start = nest(type);
		put_addr(KSERV_A_ENDPOINT_ADDR4, KSERV_A_ENDPOINT_ADDR6, family, 244, first);
		put16(KSERV_A_ENDPOINT_PORT, htons(8080));
		nest_end(start);
	}
}

static void put_frontend(uint8_t family, uint8_t type, uint8_t host, uint16_t port)
{
	size_t start = nest(KSERV_A_SERVICE_FRONTEND);

	put8(KSERV_A_FRONTEND_TYPE, type);
	if (type != KSERV_FRONTEND_TYPE_NODE_PORT)
		put_addr(KSERV_A_FRONTEND_ADDR4, KSERV_A_FRONTEND_ADDR6, family, 96, host);
	put16(KSERV_A_FRONTEND_PORT, htons(port));
	if (type == KSERV_FRONTEND_TYPE_LOAD_BALANCER_IP) {
		put_prefix(KSERV_A_FRONTEND_SOURCE, family, 128);
		put_prefix(KSERV_A_FRONTEND_SOURCE, family, 129);
	}
	nest_end(start);
}

static void put_whole_service(const char *name, uint8_t family, uint8_t host)
{
	size_t start = service(KSERV_A_MESSAGE_SERVICE_SET, name, family);

	put8(KSERV_A_SERVICE_SCHEDULER, KSERV_SCHEDULER_MAGLEV);
	put32(KSERV_A_SERVICE_AFFINITY_TIMEOUT, 100);
	put_endpoints(KSERV_A_SERVICE_ENDPOINT, family, 1, 6);
	put_frontend(family, KSERV_FRONTEND_TYPE_CLUSTER_IP, host, 80);
	put_frontend(family, KSERV_FRONTEND_TYPE_LOAD_BALANCER_IP, host + 100, 80);
	put_frontend(family, KSERV_FRONTEND_TYPE_NODE_PORT, 0, 31000 + host);
	nest_end(start);
}

static void put_route(uint16_t type, uint8_t family, uint8_t net)
{
	size_t start = nest(type);

	put_prefix(KSERV_A_ROUTE_PREFIX, family, net);
	if (type == KSERV_A_MESSAGE_ROUTE_SET)
		put8(KSERV_A_ROUTE_TYPE, KSERV_ROUTE_TYPE_LOCAL);
	nest_end(start);
}

static void put_config(uint8_t fast_path)
{
	size_t start = nest(KSERV_A_MESSAGE_CONFIG_SET);

	put8(KSERV_A_CONFIG_FAST_PATH, fast_path);
	/* The tables of the default are thousands of pages, and each page is an allocation. */
	put32(KSERV_A_CONFIG_FLOW_MAX, 1024);
	put_prefix(KSERV_A_CONFIG_POD_CIDR, AF_INET, 244);
	put_prefix(KSERV_A_CONFIG_POD_CIDR, AF_INET6, 244);
	put_prefix(KSERV_A_CONFIG_SERVICE_CIDR, AF_INET, 96);
	put_prefix(KSERV_A_CONFIG_NODE_PORT_ADDRESS, AF_INET, 50);
	nest_end(start);
}

static void transaction(void) { begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK); }

/* What the tables hold before each. */
static void base(void)
{
	transaction();
	put(KSERV_A_MESSAGE_REPLACE, NULL, 0);
	put_config(0);
	put_whole_service("t/base", AF_INET, 1);
	put_route(KSERV_A_MESSAGE_ROUTE_SET, AF_INET, 1);
}

static void create(void)
{
	transaction();
	put_config(0);
	put_whole_service("t/new4", AF_INET, 2);
	put_whole_service("t/new6", AF_INET6, 3);
	put_route(KSERV_A_MESSAGE_ROUTE_SET, AF_INET, 2);
	put_route(KSERV_A_MESSAGE_ROUTE_SET, AF_INET6, 3);
}

static void change(void)
{
	size_t start;

	transaction();
	start = service(KSERV_A_MESSAGE_SERVICE_SET, "t/base", AF_INET);
	put8(KSERV_A_SERVICE_SCHEDULER, KSERV_SCHEDULER_ROUND_ROBIN);
	put_endpoints(KSERV_A_SERVICE_ENDPOINT, AF_INET, 7, 20);
	put_endpoints(KSERV_A_SERVICE_ENDPOINT_DEL, AF_INET, 1, 2);
	put_frontend(AF_INET, KSERV_FRONTEND_TYPE_EXTERNAL_IP, 50, 81);
	nest_end(start);
}

static void replace(void)
{
	transaction();
	put(KSERV_A_MESSAGE_REPLACE, NULL, 0);
	put_whole_service("t/other", AF_INET, 1);
	put_route(KSERV_A_MESSAGE_ROUTE_SET, AF_INET6, 9);
}

static void delete(void)
{
	transaction();
	nest_end(service(KSERV_A_MESSAGE_SERVICE_DEL, "t/base", AF_INET));
	put_route(KSERV_A_MESSAGE_ROUTE_DEL, AF_INET, 1);
}

static void configure(void)
{
	transaction();
	put_config(1);
}

static void read_services(void) { begin(family_id, KSERV_CMD_SERVICE_GET, NLM_F_DUMP); }
static void read_routes(void) { begin(family_id, KSERV_CMD_ROUTE_GET, NLM_F_DUMP); }
static void read_flows(void) { begin(family_id, KSERV_CMD_FLOW_GET, NLM_F_DUMP); }
static void read_sessions(void) { begin(family_id, KSERV_CMD_SESSION_GET, NLM_F_DUMP); }
static void read_config(void) { begin(family_id, KSERV_CMD_CONFIG_GET, NLM_F_ACK); }
static void read_stats(void) { begin(family_id, KSERV_CMD_STATS_GET, NLM_F_ACK); }
static void delete_flows(void) { begin(family_id, KSERV_CMD_FLOW_DEL, NLM_F_ACK); }

static void explain(void)
{
	size_t outer, inner;

	begin(family_id, KSERV_CMD_EXPLAIN, NLM_F_ACK);
	outer = nest(KSERV_A_MESSAGE_EXPLAIN);
	inner = nest(KSERV_A_EXPLAIN_FLOW);
	put8(KSERV_A_FLOW_PROTOCOL, IPPROTO_TCP);
	put_addr(KSERV_A_FLOW_CLIENT4, KSERV_A_FLOW_CLIENT6, AF_INET, 9, 9);
	put_addr(KSERV_A_FLOW_FRONTEND4, KSERV_A_FLOW_FRONTEND6, AF_INET, 96, 1);
	put16(KSERV_A_FLOW_FRONTEND_PORT, htons(80));
	nest_end(inner);
	nest_end(outer);
}

static const struct trial {
	const char *name;
	void (*build)(void);
	bool changes;
	bool afresh;	/* in a network namespace that has nothing yet */
} trials[] = {
	{ "the first services of a namespace", create, true, true },
	{ "a configuration of a new namespace", configure, true, true },
	{ "new services and routes", create, true, false },
	{ "a changed service", change, true, false },
	{ "other services instead", replace, true, false },
	{ "deleted ones", delete, true, false },
	{ "another configuration", configure, true, false },
	{ "reading services", read_services, false, false },
	{ "reading routes", read_routes, false, false },
	{ "reading flows", read_flows, false, false },
	{ "reading sessions", read_sessions, false, false },
	{ "reading the configuration", read_config, false, false },
	{ "reading counters", read_stats, false, false },
	{ "deleting flows", delete_flows, false, false },
	{ "explain", explain, false, false },
};

/* ---- what the tables hold */

/* Messages may come in any order. */
static void add_message(const struct nlattr *attrs, size_t len, void *arg)
{
	const unsigned char *bytes = (const void *)attrs;
	uint64_t hash = 0xcbf29ce484222325, *sum = arg;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	*sum += hash;
}

static uint64_t digest(void)
{
	static void (*const readers[])(void) = { read_services, read_routes, read_config };
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		readers[i]();
		if (request(add_message, &sum))
			errx(1, "the tables could not be read: %s", words);
	}
	return sum;
}

/* ---- faults */

static void set_nth(unsigned int nth)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(nth_fd, text, n, 0) != n)
		err(1, "fail-nth");
}

static unsigned int get_nth(void)
{
	char text[16] = "";

	if (pread(nth_fd, text, sizeof(text) - 1, 0) < 0)
		err(1, "fail-nth");
	return strtoul(text, NULL, 10);
}

/* As request(), but neither sending nor receiving need go well: @ret_lost says that there is no answer. */
static int request_anyhow(bool *ret_lost)
{
	const struct nlmsghdr *nlh;
	ssize_t got;

	*ret_lost = true;
	out.header.nlmsg_len = out.len;
	if (send(fd, out.data, out.len, 0) < 0)
		return -errno;
	for (;;) {
		got = recv(fd, in, sizeof(in), 0);
		if (got < 0)
			return -errno;
		for (nlh = (void *)in; NLMSG_OK(nlh, got); nlh = NLMSG_NEXT(nlh, got)) {
			*ret_lost = false;
			if (nlh->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
			if (nlh->nlmsg_type == NLMSG_DONE)
				return *(int *)NLMSG_DATA(nlh);
			*ret_lost = true;
		}
	}
}

static void reconnect(void)
{
	struct timeval limit = { .tv_sec = 30 };

	close(fd);
	connect_family();
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static void start(const struct trial *trial)
{
	if (trial->afresh && unshare(CLONE_NEWNET))
		err(1, "no new network namespace");
	reconnect();
	if (trial->afresh)
		return;
	base();
	if (request(NULL, NULL))
		errx(1, "the tables could not be made: %s", words);
}

/* The allocation number @nth fails. Return: 0, 1 if there was none, -1 with a sentence. */
static int try_nth(const struct trial *trial, unsigned int nth, uint64_t *before, bool *ret_dirty)
{
	unsigned int left;
	uint64_t after;
	bool lost;
	int ret;

	trial->build();
	set_nth(nth);
	ret = request_anyhow(&lost);
	left = get_nth();
	set_nth(0);
	reconnect();
	*ret_dirty = trial->changes && (!ret || lost);
	if (left && ret)
		return fprintf(stderr, "%s: %s, though nothing failed\n", trial->name, strerror(-ret)), -1;
	if (left)
		return 1;
	n_injected++;
	n_survived += !ret;
	if (ret && !lost && ret != -ENOMEM && ret != -ENOBUFS && ret != -EMSGSIZE)
		return fprintf(stderr, "%s, allocation %u: %s\n", trial->name, nth, strerror(-ret)), -1;
	after = digest();
	if (after != *before && !*ret_dirty)
		return fprintf(stderr, "%s, allocation %u: it failed, but the tables have changed\n", trial->name,
			       nth), -1;
	return 0;
}

static int try_all(const struct trial *trial)
{
	unsigned long injected = n_injected, survived = n_survived;
	bool dirty = true;
	unsigned int nth;
	uint64_t before;
	int ret;

	for (nth = 1; nth < NTH_MAX; nth += nth < NTH_EACH ? 1 : 1 + nth / 32) {
		if (dirty)
			start(trial);
		before = digest();
		ret = try_nth(trial, nth, &before, &dirty);
		if (ret < 0)
			return ret;
		if (ret)
			break;
	}
	printf("%s: %lu of %u allocations failed, %lu times it was done all the same\n", trial->name,
	       n_injected - injected, nth - 1, n_survived - survived);
	fflush(stdout);
	return 0;
}

int main(void)
{
	unsigned int i;
	int bad = 0;

	nth_fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0)
		errx(4, "this kernel has no fault injection");
	connect_family();
	for (i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
		bad |= try_all(&trials[i]);
	printf("%lu allocations failed\n", n_injected);
	return bad || !n_injected;
}
