// SPDX-License-Identifier: GPL-2.0
/* kservctl service list, set, del */
#include <stdlib.h>
#include <string.h>
#include "kservctl/arguments.h"
#include "kservctl/collect.h"
#include "kservctl/commands.h"
#include "kservctl/services.h"
#include "lib/addr.h"

struct poptOption service_list_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	POPT_TABLEEND
};

/* "10.96.0.10:80, node port 31000, ..." */
static void format_frontends(const struct kserv_service *service, char *buffer, size_t size)
{
	char address[KSERV_ADDR_TEXT];
	size_t used = 0, i;

	buffer[0] = '\0';
	for (i = 0; i < service->n_frontends && used < size; i++) {
		const struct kserv_frontend *frontend = &service->frontends[i];

		if (i == 3) {
			snprintf(buffer + used, size - used, ",+%zu more", service->n_frontends - i);
			return;
		}
		used += snprintf(buffer + used, size - used, "%s%s", i ? "," : "",
				 kserv_addr_port_format(&frontend->addr, frontend->port, address));
	}
}

/* Endpoints that may be chosen by somebody. */
static size_t count_usable(const struct kserv_service *service)
{
	size_t i, n = 0;

	for (i = 0; i < service->n_endpoints; i++) {
		const struct kserv_endpoint *endpoint = &service->endpoints[i];

		n += endpoint->flags & (KSERV_ENDPOINT_FLAGS_CLUSTER_SET | KSERV_ENDPOINT_FLAGS_LOCAL_SET) &&
		     endpoint->weight && !endpoint->stats.ejected;
	}
	return n;
}

static void add_row(struct table *table, const struct kserv_service *service, bool wide)
{
	char frontends[4 * KSERV_ADDR_TEXT], flags[64], affinity[16] = "-";

	format_frontends(service, frontends, sizeof(frontends));
	if (!wide) {
		table_row(table, "%s\t%s\t%s\t%zu/%zu\t%s\t%llu", service->name, kserv_protocol_name(service->protocol),
			  frontends, count_usable(service), service->n_endpoints,
			  kserv_word(&kserv_words_scheduler, service->scheduler),
			  (unsigned long long)service->connections);
		return;
	}
	if (service->affinity_timeout)
		snprintf(affinity, sizeof(affinity), "%us", service->affinity_timeout);
	table_row(table, "%s\t%s\t%s\t%s\t%zu/%zu\t%s\t%s\t%s\t%s\t%llu\t%llu\t%llu", service->name,
		  service->family == AF_INET6 ? "ipv6" : "ipv4", kserv_protocol_name(service->protocol), frontends,
		  count_usable(service), service->n_endpoints, kserv_word(&kserv_words_scheduler, service->scheduler),
		  affinity, kserv_word(&kserv_words_removal, service->removal),
		  format_flags(&kserv_words_service_flags, service->flags, flags, sizeof(flags)),
		  (unsigned long long)service->connections, (unsigned long long)service->rejects,
		  (unsigned long long)service->drops);
}

static void print_service(cJSON *service, enum output_format format)
{
	print_list_item(service, format);
}

enum exit_code cmd_service_list(int argc, const char **argv)
{
	struct kserv_tables tables;
	enum output_format format;
	enum exit_code code;
	struct table *table;
	size_t i;

	if (argc > 1)
		return usage_error("'%s' is too much; give the name of one service or none", argv[1]);
	if (!output_format(1 << OUTPUT_JSON | 1 << OUTPUT_YAML | 1 << OUTPUT_WIDE, &format))
		return USAGE;
	if (format == OUTPUT_JSON || format == OUTPUT_YAML)
		return print_services(argv[0], format, print_service);
	code = read_services_called(argv[0], &tables);
	if (code)
		return code;
	table = table_new(format == OUTPUT_WIDE ?
			  "NAME\tFAMILY\tPROTOCOL\tFRONTENDS\tENDPOINTS\tSCHEDULER\tAFFINITY\tREMOVAL\tFLAGS\t"
			  "CONNECTIONS\tREJECTS\tDROPS" :
			  "NAME\tPROTOCOL\tFRONTENDS\tENDPOINTS\tSCHEDULER\tCONNECTIONS");
	for (i = 0; i < tables.n_services; i++)
		add_row(table, &tables.services[i], format == OUTPUT_WIDE);
	table_print(table);
	kserv_tables_clear(&tables);
	return DONE;
}

/* What the options of service set were given. */
static struct {
	char **cluster_ips, **external_ips, **load_balancer_ips, **node_ports, **endpoints;
	char *family, *scheduler, *affinity, *removal, *grace, *slow_start, *flags;
	int mode;
} given;

struct poptOption service_set_options[] = {
	{ "endpoint", 'e', POPT_ARG_ARGV, &given.endpoints, 0, "an endpoint; may be repeated", "ADDRESS:PORT" },
	{ "cluster-ip", '\0', POPT_ARG_ARGV, &given.cluster_ips, 0, "as among the arguments; may be repeated",
	  "ADDRESS:PORT" },
	{ "external-ip", '\0', POPT_ARG_ARGV, &given.external_ips, 0, "frontend; may be repeated", "ADDRESS:PORT" },
	{ "load-balancer-ip", '\0', POPT_ARG_ARGV, &given.load_balancer_ips, 0, "frontend; may be repeated",
	  "ADDRESS:PORT" },
	{ "node-port", '\0', POPT_ARG_ARGV, &given.node_ports, 0, "frontend on this node's addresses; may be repeated",
	  "PORT" },
	{ "family", '\0', POPT_ARG_STRING, &given.family, 0, "ipv4 or ipv6, where no address tells it", "FAMILY" },
	{ "scheduler", 's', POPT_ARG_STRING, &given.scheduler, 0, "random, round-robin, least-connections or maglev", "WORD" },
	{ "affinity", '\0', POPT_ARG_STRING, &given.affinity, 0, "remember clients for this time; 0 for not at all",
	  "SECONDS" },
	{ "removal", '\0', POPT_ARG_STRING, &given.removal, 0, "keep or reset TCP flows of removed endpoints",
	  "WORD" },
	{ "removal-grace", '\0', POPT_ARG_STRING, &given.grace, 0, "time before that reset", "SECONDS" },
	{ "slow-start", '\0', POPT_ARG_STRING, &given.slow_start, 0, "time over which a new endpoint's share rises",
	  "SECONDS" },
	{ "flags", '\0', POPT_ARG_STRING, &given.flags, 0, "all flags: none, no-syn-retry, no-eject, or several with +",
	  "FLAGS" },
	{ "replace", '\0', POPT_ARG_VAL, &given.mode, KSERV_SET_MODE_REPLACE,
	  "remove endpoints and frontends that are not named", NULL },
	{ "create", '\0', POPT_ARG_VAL, &given.mode, KSERV_SET_MODE_CREATE, "refuse if the service exists", NULL },
	{ "update", '\0', POPT_ARG_VAL, &given.mode, KSERV_SET_MODE_UPDATE, "refuse if the service does not exist",
	  NULL },
	POPT_TABLEEND
};

const char service_set_more[] =
	"The service is created or changed; what is not named stays as it is, but a named endpoint gets weight 100,\n"
	"state ready and the flags cluster-set+serving unless it says otherwise (endpoint set changes one member).\n"
	"ADDRESS:PORT... are cluster IPs. A service with addresses of both families is one service for each.\n"
	"Endpoints may have ,weight=N ,state=ready|not-ready|terminating-serving|terminating\n"
	",flags=local+cluster-set+local-set+serving behind them, frontends ,flags=local-set+short-circuit+\n"
	"masquerade-pod+masquerade-node+masquerade-other+drop-empty and ,source=CIDR+CIDR (who may use it).\n"
	"\n"
	"  kservctl service set default/web:http tcp 10.96.0.10:80 --endpoint 10.244.1.5:8080 \\\n"
	"      --endpoint 10.244.2.7:8080,weight=50 --node-port 31000 --scheduler maglev\n";

static void forget_given(void)
{
	forget_argv(&given.cluster_ips);
	forget_argv(&given.external_ips);
	forget_argv(&given.load_balancer_ips);
	forget_argv(&given.node_ports);
	forget_argv(&given.endpoints);
	forget_string(&given.family);
	forget_string(&given.scheduler);
	forget_string(&given.affinity);
	forget_string(&given.removal);
	forget_string(&given.grace);
	forget_string(&given.slow_start);
	forget_string(&given.flags);
	given.mode = KSERV_SET_MODE_MERGE;
}

static bool add_frontends(struct service_parts *parts, uint8_t type, char *const *texts)
{
	for (; texts && *texts; texts++)
		if (!parts_add_frontend(parts, type, *texts, false))
			return false;
	return true;
}

static bool add_endpoints(struct service_parts *parts, char *const *texts)
{
	for (; texts && *texts; texts++)
		if (!parts_add_endpoint(parts, *texts, false))
			return false;
	return true;
}

static bool read_member(struct service_parts *parts, unsigned int member, bool is_given, bool ok)
{
	if (is_given)
		parts->members |= member;
	return !is_given || ok;
}

static bool read_members(struct service_parts *parts)
{
	struct kserv_service *s = &parts->service;

	return read_member(parts, KSERV_SET_SCHEDULER, given.scheduler, given.scheduler &&
			   parse_word("--scheduler", &kserv_words_scheduler, given.scheduler, &s->scheduler)) &&
	       read_member(parts, KSERV_SET_AFFINITY_TIMEOUT, given.affinity, given.affinity &&
			   parse_seconds("--affinity", given.affinity, &s->affinity_timeout)) &&
	       read_member(parts, KSERV_SET_REMOVAL, given.removal, given.removal &&
			   parse_word("--removal", &kserv_words_removal, given.removal, &s->removal)) &&
	       read_member(parts, KSERV_SET_REMOVAL_GRACE, given.grace, given.grace &&
			   parse_seconds("--removal-grace", given.grace, &s->removal_grace)) &&
	       read_member(parts, KSERV_SET_SLOW_START, given.slow_start, given.slow_start &&
			   parse_seconds("--slow-start", given.slow_start, &s->slow_start)) &&
	       read_member(parts, KSERV_SET_FLAGS, given.flags, given.flags &&
			   parse_flags("--flags", &kserv_words_service_flags, given.flags, &s->flags));
}

static bool read_parts(struct service_parts *parts, uint8_t mode, int argc, const char **argv)
{
	if (!parts_init(parts, &argc, &argv, given.family))
		return false;
	parts->mode = mode;
	for (; *argv; argv++)
		if (!parts_add_frontend(parts, KSERV_FRONTEND_TYPE_CLUSTER_IP, *argv, false))
			return false;
	return add_frontends(parts, KSERV_FRONTEND_TYPE_CLUSTER_IP, given.cluster_ips) &&
	       add_frontends(parts, KSERV_FRONTEND_TYPE_EXTERNAL_IP, given.external_ips) &&
	       add_frontends(parts, KSERV_FRONTEND_TYPE_LOAD_BALANCER_IP, given.load_balancer_ips) &&
	       add_frontends(parts, KSERV_FRONTEND_TYPE_NODE_PORT, given.node_ports) &&
	       add_endpoints(parts, given.endpoints) && read_members(parts);
}

enum exit_code build_service_set(int argc, const char **argv, struct kserv_transaction *transaction)
{
	struct service_parts parts = { };
	enum exit_code code = USAGE;
	uint8_t mode = given.mode;

	/* Where all that is not named goes, so do a service's endpoints. */
	if (mode == KSERV_SET_MODE_MERGE && transaction->replace)
		mode = KSERV_SET_MODE_REPLACE;
	if (read_parts(&parts, mode, argc, argv))
		code = parts_build(&parts, transaction);
	parts_clear(&parts);
	forget_given();
	return code;
}

static char *del_family;

struct poptOption service_del_options[] = {
	{ "family", '\0', POPT_ARG_STRING, &del_family, 0, "ipv4 or ipv6; both unless given", "FAMILY" },
	POPT_TABLEEND
};

/* Deletes the service in each family in which the kernel has it. */
static enum exit_code delete_existing(const struct service_ref *ref, struct kserv_transaction *transaction)
{
	const struct kserv_service only = { .name = (char *)ref->name, .protocol = ref->protocol };
	struct kserv_tables tables;
	enum exit_code code;
	int error = 0;
	size_t i;

	code = read_services(&only, &tables);
	if (code)
		return code;
	for (i = 0; i < tables.n_services && !error; i++)
		error = kserv_transaction_service_del(transaction, &tables.services[i]);
	kserv_tables_clear(&tables);
	return error ? failed(error) : DONE;
}

static enum exit_code delete_service(int argc, const char **argv, struct kserv_transaction *transaction)
{
	struct kserv_service service = { };
	struct service_ref ref;
	int error;

	if (!parse_service(&argc, &argv, &ref) || !parse_family(del_family, &service.family))
		return USAGE;
	if (*argv)
		return usage_error("'%s' is too much", *argv);
	if (service.family == AF_UNSPEC)
		return delete_existing(&ref, transaction);
	service.name = ref.name;
	service.protocol = ref.protocol;
	error = kserv_transaction_service_del(transaction, &service);
	return error ? failed(error) : DONE;
}

enum exit_code build_service_del(int argc, const char **argv, struct kserv_transaction *transaction)
{
	enum exit_code code = delete_service(argc, argv, transaction);

	forget_string(&del_family);
	return code;
}
