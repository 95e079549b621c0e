// SPDX-License-Identifier: GPL-2.0
/*
 * kserv_sync_diff() as tables: what the kernel holds, what it should hold, and what is sent, all three as text.
 *
 * Tables are written as words: a service "name/protocol", behind it its members
 *	f=ADDRESS:PORT[,source=CIDR]  a cluster IP	x=ADDRESS:PORT  an external IP	n=PORT  a node port
 *	e=ADDRESS:PORT[,WEIGHT]  an endpoint		m  the scheduler maglev		a=SECONDS  session affinity
 * and routes "r=CIDR[,GATEWAY]". What is sent is written by describe() below.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/addr.h"
#include "lib/json.h"
#include "sync/compare.h"
#include "sync/reserve.h"
#include "sync/sync.h"

static void *grow(void *array, size_t n, size_t size)
{
	array = realloc(array, (n + 1) * size);
	assert_non_null(array);
	memset((char *)array + n * size, 0, size);
	return array;
}

static struct kserv_service *add_service(struct kserv_tables *tables, char *word)
{
	struct kserv_service *service;
	char *slash = strrchr(word, '/');

	tables->services = grow(tables->services, tables->n_services, sizeof(*service));
	service = &tables->services[tables->n_services++];
	*slash = '\0';
	service->name = strdup(word);
	service->family = AF_INET;
	service->protocol = kserv_protocol_parse(slash + 1);
	assert_int_not_equal(service->protocol, 0);
	return service;
}

static void add_frontend(struct kserv_service *service, uint8_t type, char *text)
{
	struct kserv_frontend *frontend;
	char *comma = strchr(text, ',');

	service->frontends = grow(service->frontends, service->n_frontends, sizeof(*frontend));
	frontend = &service->frontends[service->n_frontends++];
	frontend->type = type;
	if (comma) {
		*comma = '\0';
		frontend->sources.v = calloc(1, sizeof(*frontend->sources.v));
		frontend->sources.n = 1;
		assert_int_equal(kserv_prefix_parse(comma + strlen(",source="), frontend->sources.v), 0);
	}
	if (type == KSERV_FRONTEND_TYPE_NODE_PORT)
		frontend->port = atoi(text);
	else
		assert_int_equal(kserv_addr_port_parse(text, &frontend->addr, &frontend->port, NULL), 0);
}

static void add_endpoint(struct kserv_service *service, char *text)
{
	struct kserv_endpoint *endpoint;
	char *comma = strchr(text, ',');

	service->endpoints = grow(service->endpoints, service->n_endpoints, sizeof(*endpoint));
	endpoint = &service->endpoints[service->n_endpoints++];
	endpoint->weight = comma ? atoi(comma + 1) : 100;
	endpoint->flags = KSERV_ENDPOINT_FLAGS_CLUSTER_SET;
	if (comma)
		*comma = '\0';
	assert_int_equal(kserv_addr_port_parse(text, &endpoint->addr, &endpoint->port, NULL), 0);
	/* Counters never make a difference. */
	endpoint->stats.connections = rand();
}

static void add_route(struct kserv_tables *tables, char *text)
{
	struct kserv_route *route;
	char *comma = strchr(text, ',');

	tables->routes = grow(tables->routes, tables->n_routes, sizeof(*route));
	route = &tables->routes[tables->n_routes++];
	if (comma) {
		*comma = '\0';
		route->type = KSERV_ROUTE_TYPE_DIRECT;
		assert_int_equal(kserv_addr_parse(comma + 1, &route->gateway), 0);
	}
	assert_int_equal(kserv_prefix_parse(text, &route->prefix), 0);
}

static void make_tables(const char *text, struct kserv_tables *tables)
{
	char *copy = strdup(text), *rest = copy, *word;
	struct kserv_service *service = NULL;

	memset(tables, 0, sizeof(*tables));
	while ((word = strsep(&rest, " "))) {
		if (!strncmp(word, "r=", 2))
			add_route(tables, word + 2);
		else if (!strncmp(word, "f=", 2))
			add_frontend(service, KSERV_FRONTEND_TYPE_CLUSTER_IP, word + 2);
		else if (!strncmp(word, "x=", 2))
			add_frontend(service, KSERV_FRONTEND_TYPE_EXTERNAL_IP, word + 2);
		else if (!strncmp(word, "n=", 2))
			add_frontend(service, KSERV_FRONTEND_TYPE_NODE_PORT, word + 2);
		else if (!strncmp(word, "e=", 2))
			add_endpoint(service, word + 2);
		else if (!strncmp(word, "a=", 2))
			service->affinity_timeout = atoi(word + 2);
		else if (!strcmp(word, "m"))
			service->scheduler = KSERV_SCHEDULER_MAGLEV;
		else if (*word)
			service = add_service(tables, word);
	}
	free(copy);
	kserv_tables_sort(tables);
}

static const char *text_of(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return item ? item->valuestring : "*";
}

static int number_of(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return item ? item->valueint : 0;
}

/* Adds " SIGN ADDRESS:PORT" for each member of the list. */
static void describe_list(const cJSON *service, const char *key, char sign, char *buffer)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(service, key))
		sprintf(buffer + strlen(buffer), " %c%s:%d", sign, text_of(item, "address"), number_of(item, "port"));
}

/* "set NAME" or "del NAME", then "-" and "+" before frontends removed and set, "<" and ">" before endpoints. */
static char *describe(const struct kserv_transaction *transaction)
{
	cJSON *tree = kserv_json(&kserv_attributes_message,
				 (const void *)(transaction->message.data + KSERV_MESSAGE_HEADER),
				 transaction->message.len - KSERV_MESSAGE_HEADER);
	char *buffer = calloc(1, 1 << 16);
	const cJSON *item;

	if (cJSON_GetObjectItemCaseSensitive(tree, "config-set"))
		strcat(buffer, "; config");
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(tree, "route-set"))
		sprintf(buffer + strlen(buffer), "; route set %s %s %s", text_of(item, "prefix"), text_of(item, "type"),
			text_of(item, "gateway"));
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(tree, "route-del"))
		sprintf(buffer + strlen(buffer), "; route del %s", text_of(item, "prefix"));
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(tree, "service-del"))
		sprintf(buffer + strlen(buffer), "; del %s/%s", text_of(item, "name"), text_of(item, "protocol"));
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(tree, "service-set")) {
		sprintf(buffer + strlen(buffer), "; set %s/%s", text_of(item, "name"), text_of(item, "protocol"));
		strcat(buffer, strcmp(text_of(item, "scheduler"), "maglev") ? "" : " m");
		if (number_of(item, "affinity-timeout"))
			sprintf(buffer + strlen(buffer), " a=%d", number_of(item, "affinity-timeout"));
		describe_list(item, "frontend-del", '-', buffer);
		describe_list(item, "frontend", '+', buffer);
		describe_list(item, "endpoint-del", '<', buffer);
		describe_list(item, "endpoint", '>', buffer);
	}
	cJSON_Delete(tree);
	memmove(buffer, buffer + 2 * !!*buffer, strlen(buffer) + 1 - 2 * !!*buffer);
	return buffer;
}

static char *diff(const char *actual_text, const char *desired_text, struct kserv_sync_counts *ret_counts)
{
	struct kserv_tables actual, desired;
	struct kserv_transaction transaction;
	char *text;

	make_tables(actual_text, &actual);
	make_tables(desired_text, &desired);
	actual.config = kserv_config_defaults;
	assert_int_equal(kserv_transaction_init(&transaction), 0);
	assert_int_equal(kserv_sync_diff(&desired, &actual, &transaction, ret_counts), 0);
	text = describe(&transaction);
	assert_int_equal(kserv_transaction_is_empty(&transaction), !*text);
	kserv_transaction_clear(&transaction);
	memset(&actual.config, 0, sizeof(actual.config));
	kserv_tables_clear(&actual);
	kserv_tables_clear(&desired);
	return text;
}

static const struct row {
	const char *actual, *desired, *sent;
} rows[] = {
	{ "", "", "" },
	{ "a/tcp f=10.0.0.1:80 e=1.1.1.1:1", "a/tcp f=10.0.0.1:80 e=1.1.1.1:1", "" },
	/* The order in which things are held or wanted makes no difference. */
	{ "b/tcp a/tcp e=1.1.1.2:1 e=1.1.1.1:2 e=1.1.1.1:1", "a/tcp e=1.1.1.1:1 e=1.1.1.1:2 e=1.1.1.2:1 b/tcp", "" },
	/* Services. */
	{ "", "a/tcp", "set a/tcp" },
	{ "", "a/tcp m f=10.0.0.1:80 n=30000 e=1.1.1.1:1", "set a/tcp m +10.0.0.1:80 +*:30000 >1.1.1.1:1" },
	{ "a/tcp f=10.0.0.1:80 e=1.1.1.1:1", "", "del a/tcp" },
	{ "a/tcp c/tcp", "b/tcp", "del a/tcp; del c/tcp; set b/tcp" },
	{ "a/tcp", "a/udp", "del a/tcp; set a/udp" },
	{ "a/tcp a/udp e=1.1.1.1:1", "a/tcp a/udp e=1.1.1.1:2", "set a/udp <1.1.1.1:1 >1.1.1.1:2" },
	{ "a/tcp e=1.1.1.1:1", "a/tcp m e=1.1.1.1:1", "set a/tcp m" },
	{ "a/tcp a=5", "a/tcp a=10800", "set a/tcp a=10800" },
	{ "a/tcp a=5", "a/tcp", "set a/tcp" },
	/* Endpoints. */
	{ "a/tcp", "a/tcp e=1.1.1.1:1", "set a/tcp >1.1.1.1:1" },
	{ "a/tcp e=1.1.1.1:1", "a/tcp", "set a/tcp <1.1.1.1:1" },
	{ "a/tcp e=1.1.1.1:1 e=1.1.1.3:1", "a/tcp e=1.1.1.1:1 e=1.1.1.2:1 e=1.1.1.3:1", "set a/tcp >1.1.1.2:1" },
	{ "a/tcp e=1.1.1.1:1 e=1.1.1.2:1", "a/tcp e=1.1.1.1:1,5 e=1.1.1.2:1", "set a/tcp >1.1.1.1:1" },
	{ "a/tcp e=1.1.1.1:1,5", "a/tcp e=1.1.1.1:1,0", "set a/tcp >1.1.1.1:1" },
	{ "a/tcp e=1.1.1.1:1 b/tcp e=1.1.1.1:1", "a/tcp b/tcp e=1.1.1.1:1", "set a/tcp <1.1.1.1:1" },
	/* Frontends: what a service loses goes before what another one gets. */
	{ "a/tcp", "a/tcp f=10.0.0.1:80", "set a/tcp +10.0.0.1:80" },
	{ "a/tcp f=10.0.0.1:80", "a/tcp", "set a/tcp -10.0.0.1:80" },
	{ "a/tcp f=10.0.0.1:80 b/tcp", "a/tcp b/tcp f=10.0.0.1:80", "set a/tcp -10.0.0.1:80; set b/tcp +10.0.0.1:80" },
	{ "a/tcp b/tcp f=10.0.0.1:80", "a/tcp f=10.0.0.1:80 b/tcp", "set b/tcp -10.0.0.1:80; set a/tcp +10.0.0.1:80" },
	{ "a/tcp f=10.0.0.1:80 b/tcp f=10.0.0.2:80", "a/tcp f=10.0.0.2:80 b/tcp f=10.0.0.1:80",
	  "set a/tcp -10.0.0.1:80; set b/tcp -10.0.0.2:80; set a/tcp +10.0.0.2:80; set b/tcp +10.0.0.1:80" },
	{ "a/tcp f=10.0.0.1:80", "b/tcp f=10.0.0.1:80", "del a/tcp; set b/tcp +10.0.0.1:80" },
	{ "a/tcp f=10.0.0.1:80", "a/tcp x=10.0.0.1:80", "set a/tcp -10.0.0.1:80; set a/tcp +10.0.0.1:80" },
	{ "a/tcp n=30000", "a/tcp n=30001", "set a/tcp -*:30000; set a/tcp +*:30001" },
	{ "a/tcp f=10.0.0.1:80", "a/tcp f=10.0.0.1:80,source=10.0.0.0/8", "set a/tcp +10.0.0.1:80" },
	{ "a/tcp f=10.0.0.1:80,source=10.0.0.0/8", "a/tcp f=10.0.0.1:80,source=10.0.0.0/9", "set a/tcp +10.0.0.1:80" },
	{ "a/tcp f=10.0.0.1:80,source=10.0.0.0/8", "a/tcp f=10.0.0.1:80,source=10.0.0.0/8", "" },
	/* Routes. */
	{ "", "r=10.1.0.0/24 r=10.2.0.0/24,192.168.0.2",
	  "route set 10.1.0.0/24 local *; route set 10.2.0.0/24 direct 192.168.0.2" },
	{ "r=10.1.0.0/24 r=10.2.0.0/24,192.168.0.2", "r=10.2.0.0/24,192.168.0.3",
	  "route set 10.2.0.0/24 direct 192.168.0.3; route del 10.1.0.0/24" },
	{ "r=10.1.0.0/24", "r=10.1.0.0/25", "route set 10.1.0.0/25 local *; route del 10.1.0.0/24" },
};

static void only_what_differs_is_sent(void **state)
{
	struct kserv_sync_counts counts;
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s -> %s\n", rows[i].actual, rows[i].desired);
		text = diff(rows[i].actual, rows[i].desired, &counts);
		assert_string_equal(text, rows[i].sent);
		free(text);
	}
}

static void changes_are_counted(void **state)
{
	struct kserv_sync_counts counts;

	(void)state;
	free(diff("a/tcp f=10.0.0.1:80 e=1.1.1.1:1 e=1.1.1.2:1 b/tcp f=10.0.0.2:80 c/tcp f=10.0.0.3:80 e=1.1.1.1:1 r=10.1.0.0/24",
		  "a/tcp e=1.1.1.2:1,7 e=1.1.1.3:1 b/tcp f=10.0.0.2:80 d/tcp f=10.0.0.1:80 e=1.1.1.1:1 r=10.2.0.0/24",
		  &counts));
	assert_int_equal(counts.services_set, 2);
	assert_int_equal(counts.services_removed, 1);
	assert_int_equal(counts.frontends_set, 1);
	assert_int_equal(counts.frontends_removed, 2);
	assert_int_equal(counts.endpoints_set, 3);
	assert_int_equal(counts.endpoints_removed, 2);
	assert_int_equal(counts.routes_set, 1);
	assert_int_equal(counts.routes_removed, 1);
	assert_false(counts.config_set);
}

static bool config_is_sent(const struct kserv_config *desired, const struct kserv_config *actual)
{
	struct kserv_tables want = { .config = *desired }, have = { .config = *actual };
	struct kserv_transaction transaction;
	struct kserv_sync_counts counts;
	bool sent;

	assert_int_equal(kserv_transaction_init(&transaction), 0);
	assert_int_equal(kserv_sync_diff(&want, &have, &transaction, &counts), 0);
	sent = !kserv_transaction_is_empty(&transaction);
	assert_int_equal(sent, counts.config_set);
	kserv_transaction_clear(&transaction);
	return sent;
}

static void configuration_is_sent_when_it_differs_from_what_the_kernel_takes(void **state)
{
	struct kserv_config want = { }, have = kserv_config_defaults;
	struct kserv_prefix cidr;

	(void)state;
	assert_int_equal(kserv_prefix_parse("10.244.0.0/16", &cidr), 0);
	assert_false(config_is_sent(&want, &have));
	want.flow_max = have.flow_max;
	assert_false(config_is_sent(&want, &have));
	want.flow_max = 17;
	assert_true(config_is_sent(&want, &have));
	have.flow_max = 17;
	assert_false(config_is_sent(&want, &have));
	want.flow_max = 0;
	assert_true(config_is_sent(&want, &have));
	want.flow_max = 17;
	want.pod_cidrs = (struct kserv_prefixes) { &cidr, 1 };
	assert_true(config_is_sent(&want, &have));
	have.pod_cidrs = want.pod_cidrs;
	assert_false(config_is_sent(&want, &have));
	want.fast_path_set = true;
	want.fast_path = !have.fast_path;
	assert_true(config_is_sent(&want, &have));
}

/* Random tables; every pair must lead from the one to the other, which a diff of the outcome would show. */
static void random_text(char *buffer)
{
	int service, i;

	*buffer = '\0';
	for (service = 0; service < 4; service++) {
		if (rand() % 4 == 0)
			continue;
		sprintf(buffer + strlen(buffer), " s%d/tcp%s", service, rand() % 2 ? " m" : "");
		for (i = 0; i < 4; i++)
			if (rand() % 2)
				sprintf(buffer + strlen(buffer), " e=1.1.1.%d:1,%d", i, rand() % 2 + 1);
		if (rand() % 2)
			sprintf(buffer + strlen(buffer), " f=10.0.0.%d:80", service);
	}
}

/* Does to @tables what the transaction says, as the kernel would. */
static void apply(struct kserv_tables *tables, const struct kserv_transaction *transaction);

static void tables_follow_what_is_sent(void **state)
{
	struct kserv_transaction transaction;
	struct kserv_tables from, to;
	char a[1024], b[1024];
	int i;

	(void)state;
	srand(1);
	for (i = 0; i < 2000; i++) {
		random_text(a);
		random_text(b);
		make_tables(a, &from);
		make_tables(b, &to);
		from.config = kserv_config_defaults;
		assert_int_equal(kserv_transaction_init(&transaction), 0);
		assert_int_equal(kserv_sync_diff(&to, &from, &transaction, NULL), 0);
		apply(&from, &transaction);
		kserv_transaction_clear(&transaction);
		assert_int_equal(kserv_transaction_init(&transaction), 0);
		assert_int_equal(kserv_sync_diff(&to, &from, &transaction, NULL), 0);
		if (!kserv_transaction_is_empty(&transaction))
			fail_msg("from %s to %s: still to do: %s", a, b, describe(&transaction));
		kserv_transaction_clear(&transaction);
		kserv_tables_clear(&from);
		kserv_tables_clear(&to);
	}
}

static struct kserv_service *find(struct kserv_tables *tables, const cJSON *key)
{
	size_t i;

	for (i = 0; i < tables->n_services; i++)
		if (!strcmp(tables->services[i].name, text_of(key, "name")))
			return &tables->services[i];
	return NULL;
}

static void remove_service(struct kserv_tables *tables, const cJSON *key)
{
	struct kserv_service *service = find(tables, key);

	assert_non_null(service);
	kserv_service_clear(service);
	*service = tables->services[--tables->n_services];
	memset(&tables->services[tables->n_services], 0, sizeof(*service));
}

static void apply_endpoint(struct kserv_service *service, const cJSON *item, bool del)
{
	struct kserv_addr addr;
	size_t i;

	assert_int_equal(kserv_addr_parse(text_of(item, "address"), &addr), 0);
	for (i = 0; i < service->n_endpoints; i++)
		if (kserv_addr_is_equal(&service->endpoints[i].addr, &addr))
			break;
	if (del) {
		assert_true(i < service->n_endpoints);
		service->endpoints[i] = service->endpoints[--service->n_endpoints];
		return;
	}
	if (i == service->n_endpoints)
		service->endpoints = grow(service->endpoints, service->n_endpoints++, sizeof(*service->endpoints));
	service->endpoints[i].addr = addr;
	service->endpoints[i].port = number_of(item, "port");
	service->endpoints[i].weight = number_of(item, "weight");
	service->endpoints[i].flags = KSERV_ENDPOINT_FLAGS_CLUSTER_SET;
}

static void apply_frontend(struct kserv_service *service, const cJSON *item, bool del)
{
	if (del) {
		assert_int_equal(service->n_frontends, 1);
		service->n_frontends = 0;
		return;
	}
	assert_int_equal(service->n_frontends, 0);
	service->frontends = grow(service->frontends, service->n_frontends++, sizeof(*service->frontends));
	assert_int_equal(kserv_addr_parse(text_of(item, "address"), &service->frontends[0].addr), 0);
	service->frontends[0].port = number_of(item, "port");
}

static void apply_service(struct kserv_tables *tables, const cJSON *set)
{
	struct kserv_service *service = find(tables, set);
	const cJSON *item;
	char key[64];

	if (!service) {
		snprintf(key, sizeof(key), "%s/tcp", text_of(set, "name"));
		service = add_service(tables, key);
	}
	service->scheduler = strcmp(text_of(set, "scheduler"), "maglev") ? KSERV_SCHEDULER_RANDOM :
			     KSERV_SCHEDULER_MAGLEV;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(set, "frontend-del"))
		apply_frontend(service, item, true);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(set, "frontend"))
		apply_frontend(service, item, false);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(set, "endpoint-del"))
		apply_endpoint(service, item, true);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(set, "endpoint"))
		apply_endpoint(service, item, false);
}

static void apply(struct kserv_tables *tables, const struct kserv_transaction *transaction)
{
	cJSON *tree = kserv_json(&kserv_attributes_message,
				 (const void *)(transaction->message.data + KSERV_MESSAGE_HEADER),
				 transaction->message.len - KSERV_MESSAGE_HEADER);
	const cJSON *item;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(tree, "service-del"))
		remove_service(tables, item);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(tree, "service-set"))
		apply_service(tables, item);
	cJSON_Delete(tree);
	kserv_tables_sort(tables);
}

static void add_sentence(void *context, const char *sentence)
{
	char *text = context;

	sprintf(text + strlen(text), "%s%s", *text ? "; " : "", sentence);
}

static char *compare(const char *actual_text, const char *desired_text, uint32_t flow_max)
{
	char *text = calloc(1, 1 << 16);
	struct kserv_tables actual, desired;

	make_tables(actual_text, &actual);
	make_tables(desired_text, &desired);
	actual.config = kserv_config_defaults;
	desired.config.flow_max = flow_max;
	assert_int_equal(kserv_sync_compare(&desired, &actual, add_sentence, text), 0);
	memset(&actual.config, 0, sizeof(actual.config));
	kserv_tables_clear(&actual);
	kserv_tables_clear(&desired);
	return text;
}

static void what_differs_is_told_in_sentences(void **state)
{
	static const struct row told[] = {
		{ "", "a/tcp", "service a, tcp, IPv4: it is not in the kernel" },
		{ "a/tcp b/udp", "b/udp", "service a, tcp, IPv4: it is in the kernel and should not be" },
		{ "a/tcp", "a/tcp m", "service a, tcp, IPv4: its own settings are others" },
		{ "a/tcp f=10.0.0.1:80 e=1.1.1.1:1 b/tcp", "a/tcp f=10.0.0.2:80 e=1.1.1.2:1 e=1.1.1.3:1 b/tcp",
		  "service a, tcp, IPv4: frontends: 1 to set, 1 to remove; endpoints: 2 to set, 1 to remove" },
		{ "r=10.1.0.0/24", "r=10.2.0.0/24,192.168.0.2", "routes: 1 to set, 1 to remove" },
	};
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(told) / sizeof(*told); i++) {
		text = compare(told[i].actual, told[i].desired, 0);
		assert_string_equal(text, told[i].sent);
		free(text);
	}
	/* A word is said exactly where something would be sent. */
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		text = compare(rows[i].actual, rows[i].desired, 0);
		assert_int_equal(!*text, !*rows[i].sent);
		free(text);
	}
	text = compare("a/tcp", "a/tcp", 17);
	assert_string_equal(text, "the configuration is another one");
	free(text);
}

static void reserved_ports_are_read_as_the_kernel_writes_them(void **state)
{
	static const struct { const char *text; uint16_t min, max; bool covered; } lists[] = {
		{ "", 30000, 32767, false }, { "30000-32767", 30000, 32767, true }, { "30000-32766", 30000, 32767, false },
		{ "1-65535", 30000, 32767, true }, { "30001-32767", 30000, 32767, false }, { "80,30000-32767,40000", 30000, 32767, true },
		{ "30000-30999,31000-32767", 30000, 32767, true }, { "30000-30999,31001-32767", 30000, 32767, false },
		{ "31000", 31000, 31000, true }, { "30999,31001", 31000, 31000, false }, { "x", 1, 1, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (kserv_reserved_covers(lists[i].text, lists[i].min, lists[i].max) != lists[i].covered)
			fail_msg("\"%s\" %s %u-%u", lists[i].text, lists[i].covered ? "does not hold" : "holds", lists[i].min, lists[i].max);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_differs_is_sent),
		cmocka_unit_test(changes_are_counted),
		cmocka_unit_test(configuration_is_sent_when_it_differs_from_what_the_kernel_takes),
		cmocka_unit_test(tables_follow_what_is_sent),
		cmocka_unit_test(what_differs_is_told_in_sentences),
		cmocka_unit_test(reserved_ports_are_read_as_the_kernel_writes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
