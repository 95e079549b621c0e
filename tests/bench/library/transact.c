// SPDX-License-Identifier: GPL-2.0
/*
 * transact: what the kernel does for a full sync and for small changes, without a program to start.
 *
 * Reads the tables that are in force, removes them, sets them again, sends them once more, then
 * replaces one endpoint of one service at a time. Each step is a section of the plugin's counts and a
 * line of JSON; "times" is how often it was done in that section. In the end the tables are as before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dump.h"
#include "lib/transaction.h"
#include "../mark.h"

#define CHANGES 100

static struct kserv_nl *nl;
static struct kserv_nl_error words;

static void must(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "transact: %s: %s: %s\n", what, strerror(-error), words.text);
	exit(1);
}

static void begin(struct kserv_transaction *transaction)
{
	must(kserv_transaction_init(transaction), "begin a transaction");
}

static void report(const char *step, int times)
{
	printf("{\"step\": \"%s\", \"times\": %d}\n", step, times);
}

static void send_measured(struct kserv_transaction *transaction, const char *step)
{
	int error;

	mark_start();
	error = kserv_transaction_send(nl, transaction, NULL, NULL, &words);
	mark_stop();
	must(error, step);
	report(step, 1);
}

static void add_service(struct kserv_transaction *transaction, const struct kserv_service *service)
{
	const struct kserv_frontend *frontends[service->n_frontends + 1];
	const struct kserv_endpoint *endpoints[service->n_endpoints + 1];
	struct kserv_service_change change = {
		.service = service, .mode = KSERV_SET_MODE_REPLACE, .members = KSERV_SET_ALL,
		.endpoint_members = KSERV_SET_ENDPOINT_ALL, .frontends = frontends, .endpoints = endpoints,
		.n_frontends = service->n_frontends, .n_endpoints = service->n_endpoints,
	};

	for (size_t i = 0; i < service->n_frontends; i++)
		frontends[i] = &service->frontends[i];
	for (size_t i = 0; i < service->n_endpoints; i++)
		endpoints[i] = &service->endpoints[i];
	must(kserv_transaction_service_set(transaction, &change), "add a service");
}

static void build_full(struct kserv_transaction *transaction, const struct kserv_tables *tables)
{
	begin(transaction);
	transaction->replace = true;
	must(kserv_transaction_config_set(transaction, &tables->config), "add the configuration");
	for (size_t i = 0; i < tables->n_routes; i++)
		must(kserv_transaction_route_set(transaction, &tables->routes[i]), "add a route");
	for (size_t i = 0; i < tables->n_services; i++)
		add_service(transaction, &tables->services[i]);
}

static void full(const struct kserv_tables *tables)
{
	struct kserv_transaction transaction;

	begin(&transaction);
	transaction.replace = true;
	send_measured(&transaction, "send.flush");
	kserv_transaction_clear(&transaction);

	mark_start();
	build_full(&transaction, tables);
	mark_stop();
	report("send.build", 1);
	send_measured(&transaction, "send.full");
	kserv_transaction_clear(&transaction);

	build_full(&transaction, tables);
	send_measured(&transaction, "send.same");
	kserv_transaction_clear(&transaction);
}

/* In @service, @new takes the place of @old. */
static void build_change(struct kserv_transaction *transaction, const struct kserv_service *service,
			 const struct kserv_endpoint *old, const struct kserv_endpoint *new)
{
	struct kserv_service_change change = {
		.service = service, .mode = KSERV_SET_MODE_MERGE, .endpoint_members = KSERV_SET_ENDPOINT_ALL,
		.endpoints = &new, .n_endpoints = 1, .endpoints_del = &old, .n_endpoints_del = 1,
	};

	begin(transaction);
	must(kserv_transaction_service_set(transaction, &change), "add a change");
}

/* Services are taken from all over the tables; back and forth, so that all is as before. */
static void changes(const struct kserv_tables *tables)
{
	mark_start();
	for (int i = 0; i < CHANGES; i++) {
		const struct kserv_service *service = &tables->services[(size_t)(i / 2) * tables->n_services / (CHANGES / 2)];
		const struct kserv_endpoint *old = &service->endpoints[0];
		struct kserv_transaction transaction;
		struct kserv_endpoint new = *old;

		new.addr.v4.s_addr = htonl(0x0afffe01);
		if (i % 2)
			build_change(&transaction, service, &new, old);
		else
			build_change(&transaction, service, old, &new);
		must(kserv_transaction_send(nl, &transaction, NULL, NULL, &words), "send a change");
		kserv_transaction_clear(&transaction);
	}
	mark_stop();
	report("send.change", CHANGES);
}

int main(void)
{
	struct kserv_tables tables;

	must(kserv_nl_open(&nl, &words), "open the socket");
	must(kserv_dump(nl, KSERV_DUMP_ALL, NULL, &tables, &words), "read the tables");
	full(&tables);
	changes(&tables);
	mark_start();
	kserv_tables_clear(&tables);
	must(kserv_dump(nl, KSERV_DUMP_ALL, NULL, &tables, &words), "read the tables again");
	mark_stop();
	report("send.dump", 1);
	kserv_nl_close(nl);
	return 0;
}
