// SPDX-License-Identifier: GPL-2.0
/* kservctl frontend list, set, del */
#include <stdio.h>
#include <string.h>
#include "kservctl/arguments.h"
#include "kservctl/commands.h"
#include "kservctl/services.h"
#include "lib/addr.h"

struct poptOption frontend_list_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	POPT_TABLEEND
};

/* "10.0.0.0/8,192.168.0.0/16,+2 more", "all" for none. */
static void format_sources(const struct kserv_prefixes *sources, char *buffer, size_t size)
{
	char cidr[KSERV_ADDR_TEXT];
	size_t used = 0, i;

	snprintf(buffer, size, "all");
	for (i = 0; i < sources->n && i < 3; i++)
		used += snprintf(buffer + used, size - used, "%s%s", i ? "," : "",
				 kserv_prefix_format(&sources->v[i], cidr));
	if (sources->n > 3)
		snprintf(buffer + used, size - used, ",+%zu more", sources->n - 3);
}

static void add_row(struct table *table, const struct kserv_service *service, const struct kserv_frontend *frontend,
		    bool wide)
{
	char address[KSERV_ADDR_TEXT], flags[128], sources[4 * KSERV_ADDR_TEXT];

	kserv_addr_port_format(&frontend->addr, frontend->port, address);
	if (!wide) {
		table_row(table, "%s\t%s\t%s\t%s\t%llu", service->name, kserv_protocol_name(service->protocol),
			  kserv_word(&kserv_words_frontend_type, frontend->type), address,
			  (unsigned long long)frontend->connections);
		return;
	}
	format_sources(&frontend->sources, sources, sizeof(sources));
	table_row(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%llu", service->name,
		  service->family == AF_INET6 ? "ipv6" : "ipv4", kserv_protocol_name(service->protocol),
		  kserv_word(&kserv_words_frontend_type, frontend->type), address,
		  format_flags(&kserv_words_frontend_flags, frontend->flags, flags, sizeof(flags)), sources,
		  (unsigned long long)frontend->connections);
}

static void print_frontends(cJSON *service, enum output_format format)
{
	print_members(service, "frontend", format);
}

enum exit_code cmd_frontend_list(int argc, const char **argv)
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
		return print_services(argv[0], format, print_frontends);
	code = read_services_called(argv[0], &tables);
	if (code)
		return code;
	table = table_new(format == OUTPUT_WIDE ?
			  "SERVICE\tFAMILY\tPROTOCOL\tTYPE\tFRONTEND\tFLAGS\tSOURCES\tCONNECTIONS" :
			  "SERVICE\tPROTOCOL\tTYPE\tFRONTEND\tCONNECTIONS");
	for (i = 0; i < tables.n_services; i++)
		for (j = 0; j < tables.services[i].n_frontends; j++)
			add_row(table, &tables.services[i], &tables.services[i].frontends[j], format == OUTPUT_WIDE);
	table_print(table);
	kserv_tables_clear(&tables);
	return DONE;
}

static struct {
	char *type, *flags, *family;
	char **sources;
} given;

struct poptOption frontend_set_options[] = {
	{ "type", 't', POPT_ARG_STRING, &given.type, 0, "cluster-ip (unless given), external-ip, load-balancer-ip or node-port",
	  "WORD" },
	{ "flags", '\0', POPT_ARG_STRING, &given.flags, 0, "all flags, with + between them; see service set --help",
	  "FLAGS" },
	{ "source", '\0', POPT_ARG_ARGV, &given.sources, 0, "who may use it; may be repeated, all unless given", "CIDR" },
	{ "family", '\0', POPT_ARG_STRING, &given.family, 0, "ipv4 or ipv6, for node ports", "FAMILY" },
	POPT_TABLEEND
};

const char frontend_set_more[] =
	"A frontend is replaced as a whole. For a node port, give PORT alone.\n"
	"\n"
	"  kservctl frontend set default/web:http/tcp 203.0.113.7:80 --type external-ip\n"
	"  kservctl frontend set default/web:http/tcp 31000 --type node-port --family ipv4\n";

struct poptOption frontend_del_options[] = {
	{ "type", 't', POPT_ARG_STRING, &given.type, 0, "cluster-ip (unless given), external-ip, load-balancer-ip or node-port",
	  "WORD" },
	{ "family", '\0', POPT_ARG_STRING, &given.family, 0, "ipv4 or ipv6, for node ports", "FAMILY" },
	POPT_TABLEEND
};

/* A frontend's argument with what the options say behind it. */
static bool add_frontend(struct service_parts *parts, uint8_t type, const char *text, bool del)
{
	char whole[2048];
	size_t used;
	char **source;

	used = snprintf(whole, sizeof(whole), "%s%s%s", text, given.flags ? ",flags=" : "",
			given.flags ? given.flags : "");
	for (source = given.sources; source && *source && used < sizeof(whole); source++)
		used += snprintf(whole + used, sizeof(whole) - used, ",source=%s", *source);
	if (used >= sizeof(whole)) {
		usage_error("%s: too many sources for one command line; set the frontend with service set", text);
		return false;
	}
	return parts_add_frontend(parts, type, whole, del);
}

static bool read_parts(struct service_parts *parts, int argc, const char **argv, bool del)
{
	uint8_t type = KSERV_FRONTEND_TYPE_CLUSTER_IP;

	if (!parts_init(parts, &argc, &argv, given.family) ||
	    (given.type && !parse_word("--type", &kserv_words_frontend_type, given.type, &type)))
		return false;
	parts->mode = KSERV_SET_MODE_UPDATE;
	if (!*argv) {
		usage_error("which frontend? ADDRESS:PORT is missing");
		return false;
	}
	for (; *argv; argv++)
		if (!add_frontend(parts, type, *argv, del))
			return false;
	return true;
}

static enum exit_code build(int argc, const char **argv, bool del, struct kserv_transaction *transaction)
{
	struct service_parts parts = { };
	enum exit_code code = USAGE;

	if (read_parts(&parts, argc, argv, del))
		code = parts_build(&parts, transaction);
	parts_clear(&parts);
	forget_string(&given.type);
	forget_string(&given.flags);
	forget_string(&given.family);
	forget_argv(&given.sources);
	return code;
}

enum exit_code build_frontend_set(int argc, const char **argv, struct kserv_transaction *transaction)
{
	return build(argc, argv, false, transaction);
}

enum exit_code build_frontend_del(int argc, const char **argv, struct kserv_transaction *transaction)
{
	return build(argc, argv, true, transaction);
}
