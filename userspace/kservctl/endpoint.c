// SPDX-License-Identifier: GPL-2.0
/* kservctl endpoint list, set, del */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/arguments.h"
#include "kservctl/commands.h"
#include "kservctl/services.h"
#include "lib/addr.h"

struct poptOption endpoint_list_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	POPT_TABLEEND
};

/* Why it gets no new flows, "-" if it does. */
static const char *reason(const struct kserv_endpoint *endpoint)
{
	if (endpoint->stats.ejected)
		return "ejected";
	if (!endpoint->weight)
		return "weight-zero";
	if (endpoint->flags & (KSERV_ENDPOINT_FLAGS_CLUSTER_SET | KSERV_ENDPOINT_FLAGS_LOCAL_SET))
		return "-";
	return kserv_word(&kserv_words_reason, endpoint->cluster_reason ? endpoint->cluster_reason :
			  endpoint->local_reason);
}

static void add_row(struct table *table, const struct kserv_service *service, const struct kserv_endpoint *e,
		    bool wide)
{
	char address[KSERV_ADDR_TEXT], flags[64], latency[32] = "-";

	kserv_addr_port_format(&e->addr, e->port, address);
	if (e->stats.latency)
		snprintf(latency, sizeof(latency), "%u.%03u", e->stats.latency / 1000, e->stats.latency % 1000);
	if (!wide)
		table_row(table, "%s\t%s\t%s\t%s\t%u\t%s\t%u\t%llu", service->name,
			  kserv_protocol_name(service->protocol), address,
			  kserv_word(&kserv_words_endpoint_state, e->state), e->weight, reason(e), e->stats.active,
			  (unsigned long long)e->stats.connections);
	else
		table_row(table, "%s\t%s\t%s\t%s\t%u\t%s\t%s\t%u\t%llu\t%llu\t%llu\t%llu\t%llu\t%s", service->name,
			  kserv_protocol_name(service->protocol), address,
			  kserv_word(&kserv_words_endpoint_state, e->state), e->weight, reason(e),
			  format_flags(&kserv_words_endpoint_flags, e->flags, flags, sizeof(flags)), e->stats.active,
			  (unsigned long long)e->stats.connections, (unsigned long long)e->stats.packets_in,
			  (unsigned long long)e->stats.bytes_in, (unsigned long long)e->stats.packets_out,
			  (unsigned long long)e->stats.bytes_out, latency);
}

static void print_endpoints(cJSON *service, enum output_format format)
{
	print_members(service, "endpoint", format);
}

enum exit_code cmd_endpoint_list(int argc, const char **argv)
{
	struct kserv_tables tables;
	enum output_format format;
	enum exit_code code;
	struct table *table;
	size_t i, j;

	if (argc > 1)
		return usage_error("'%s' is too much; give the name of one service or none", argv[1]);
	if (!output_format(1 << OUTPUT_JSON | 1 << OUTPUT_YAML | 1 << OUTPUT_WIDE, &format))
		return USAGE;
	if (format == OUTPUT_JSON || format == OUTPUT_YAML)
		return print_services(argv[0], format, print_endpoints);
	code = read_services_called(argv[0], &tables);
	if (code)
		return code;
	table = table_new(format == OUTPUT_WIDE ?
			  "SERVICE\tPROTOCOL\tENDPOINT\tSTATE\tWEIGHT\tLEFT OUT\tFLAGS\tACTIVE\tCONNECTIONS\tPACKETS IN\t"
			  "BYTES IN\tPACKETS OUT\tBYTES OUT\tLATENCY MS" :
			  "SERVICE\tPROTOCOL\tENDPOINT\tSTATE\tWEIGHT\tLEFT OUT\tACTIVE\tCONNECTIONS");
	for (i = 0; i < tables.n_services; i++)
		for (j = 0; j < tables.services[i].n_endpoints; j++)
			add_row(table, &tables.services[i], &tables.services[i].endpoints[j], format == OUTPUT_WIDE);
	table_print(table);
	kserv_tables_clear(&tables);
	return DONE;
}

static struct {
	char *weight, *state, *flags;
} given;

struct poptOption endpoint_set_options[] = {
	{ "weight", 'w', POPT_ARG_STRING, &given.weight, 0, "share of new flows, 100 is ordinary, 0 gets none", "NUMBER" },
	{ "state", '\0', POPT_ARG_STRING, &given.state, 0, "ready, not-ready, terminating-serving or terminating", "WORD" },
	{ "flags", '\0', POPT_ARG_STRING, &given.flags, 0, "of local, cluster-set, local-set, serving, with + in between",
	  "FLAGS" },
	POPT_TABLEEND
};

const char endpoint_set_more[] =
	"The options are for every endpoint named that does not say it itself, as in 10.244.1.6:8080,weight=50.\n"
	"\n"
	"  kservctl endpoint set default/web:http/tcp 10.244.1.6:8080 --weight 50\n";

/* An endpoint's argument with what the options say put in front of what it says itself. */
static bool add_endpoint(struct service_parts *parts, const char *text)
{
	int len = strcspn(text, ",");
	char *whole;
	bool ok;

	if (asprintf(&whole, "%.*s%s%s%s%s%s%s%s", len, text,
		     given.weight ? ",weight=" : "", given.weight ? given.weight : "",
		     given.state ? ",state=" : "", given.state ? given.state : "",
		     given.flags ? ",flags=" : "", given.flags ? given.flags : "", text + len) < 0)
		no_memory();
	ok = parts_add_endpoint(parts, whole, false);
	free(whole);
	return ok;
}

/* What the kernel holds of an endpoint, where the command line says nothing. */
static void keep_members(struct kserv_endpoint *endpoint, const struct kserv_endpoint *held, unsigned int members)
{
	if (!(members & KSERV_SET_STATE))
		endpoint->state = held->state;
	if (!(members & KSERV_SET_ENDPOINT_FLAGS))
		endpoint->flags = held->flags;
	if (!(members & KSERV_SET_WEIGHT))
		endpoint->weight = held->weight;
	if (!(members & KSERV_SET_REASONS)) {
		endpoint->cluster_reason = held->cluster_reason;
		endpoint->local_reason = held->local_reason;
	}
}

/* To the kernel an absent member means its default, to people that it stays. */
static enum exit_code keep_rest(struct service_parts *parts, struct kserv_transaction *transaction)
{
	const struct kserv_endpoint *held;
	const struct kserv_service *service;
	struct kserv_tables tables;
	enum exit_code code;
	size_t i, j;

	code = read_services(&parts->service, &tables);
	if (code)
		return code;
	transaction->expect = true;
	transaction->generation = tables.generation;
	for (i = 0; i < parts->n_endpoints; i++) {
		for (j = 0; j < tables.n_services; j++) {
			service = &tables.services[j];
			held = bsearch(&parts->endpoints[i], service->endpoints, service->n_endpoints,
				       sizeof(*held), kserv_endpoint_compare);
			if (held)
				keep_members(&parts->endpoints[i], held, parts->endpoint_given[i]);
		}
	}
	parts->endpoint_members = KSERV_SET_ENDPOINT_ALL;
	kserv_tables_clear(&tables);
	return DONE;
}

static enum exit_code build(int argc, const char **argv, bool del, struct kserv_transaction *transaction)
{
	struct service_parts parts = { };
	enum exit_code code = USAGE;
	bool ok;

	ok = parts_init(&parts, &argc, &argv, NULL);
	if (ok && !*argv) {
		usage_error("which endpoint? ADDRESS:PORT is missing");
		ok = false;
	}
	parts.mode = KSERV_SET_MODE_UPDATE;
	for (; ok && *argv; argv++)
		ok = del ? parts_add_endpoint(&parts, *argv, true) : add_endpoint(&parts, *argv);
	if (ok)
		code = DONE;
	if (ok && !del && !dry_run && !in_batch)
		code = keep_rest(&parts, transaction);
	if (!code)
		code = parts_build(&parts, transaction);
	parts_clear(&parts);
	return code;
}

enum exit_code build_endpoint_set(int argc, const char **argv, struct kserv_transaction *transaction)
{
	enum exit_code code = build(argc, argv, false, transaction);

	forget_string(&given.weight);
	forget_string(&given.state);
	forget_string(&given.flags);
	return code;
}

enum exit_code build_endpoint_del(int argc, const char **argv, struct kserv_transaction *transaction)
{
	return build(argc, argv, true, transaction);
}
