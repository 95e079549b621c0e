// SPDX-License-Identifier: GPL-2.0
/* dns query: what a DNS server says, as a client hears it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cluster/json.h"
#include "cluster/memory.h"
#include "dns/ask.h"
#include "dns/message.h"
#include "dns/text.h"
#include "kservctl/commands.h"
#include "kservctl/desired.h"
#include "lib/addr.h"

static char *server_text, *from, *domain;
static int over_tcp;

struct poptOption dns_query_options[] = {
	{ "server", 's', POPT_ARG_STRING, &server_text, 0,
	  "the server to ask (the address of Service kube-system/kube-dns, or " KSERV_DNS_ADDRESS ")", "ADDRESS[:PORT]" },
	{ "from", '\0', POPT_ARG_STRING, &from, 0, "search for NAME as a pod in this namespace does", "NAMESPACE" },
	{ "domain", '\0', POPT_ARG_STRING, &domain, 0, "domain of the cluster, for --from (cluster.local)", "DOMAIN" },
	{ "tcp", '\0', POPT_ARG_NONE, &over_tcp, 0, "ask over TCP at once, not only where UDP is too short", NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, cluster_options, 0, NULL, NULL },
	POPT_TABLEEND
};

const char dns_query_more[] =
	"TYPE is A unless given: AAAA, SRV, PTR, TXT, CNAME, SOA, NS, MX, ANY or TYPE and a number. An address as NAME asks\n"
	"for the name behind it. With --from, NAME is completed as in a pod (ndots:5); a name with a dot at its end is not.\n"
	"-o wide shows all sections.\n"
	"\n"
	"In JSON: server, transport (udp or tcp), milliseconds, name, type, status, flags [aa, tc, ra ...], and answer,\n"
	"authority and additional, each [{name, ttl, type, data}].\n"
	"\n"
	"Exit code 1 also where there is no such name, or no record of the type.\n"
	"\n"
	"  kservctl dns query web.shop.svc.cluster.local\n"
	"  kservctl dns query --from shop db\n"
	"  kservctl dns query _http._tcp.web.shop.svc.cluster.local SRV -o json\n"
	"  kservctl dns query 10.96.0.1\n";

/**
 * struct asked - a question and what came of it
 * @name: as it was asked in the end
 */
struct asked {
	struct kserv_dns_place server;
	char *name;
	uint16_t type;
	bool tcp;
	double ms;
	uint8_t message[KSERV_DNS_TCP_MAX];
	size_t len;
};

static const char *const sections[] = { "answer", "authority", "additional" };

/* The cluster IP of the Service that is the cluster's DNS, where the store knows one. */
static bool stored_address(struct kserv_addr *ret)
{
	struct kserv_errors ignored = { 0 };
	struct kserv_embedded embedded;
	struct kserv_tree tree = { 0 };
	char *json = NULL;
	bool found;

	if (open_cluster(false, &embedded))
		return false;
	found = embedded.store && !kserv_store_find(embedded.store, "Service", "kube-system", "kube-dns", &json) &&
		!kserv_json_read(&tree, json, strlen(json), 1, NULL, &ignored) &&
		!kserv_addr_parse(kserv_value_string(tree.root, "spec.clusterIP"), ret);
	kserv_errors_clear(&ignored);
	kserv_tree_clear(&tree);
	kserv_embedded_close(&embedded);
	free(json);
	return found;
}

static bool find_server(struct kserv_dns_place *ret)
{
	const char *why;

	*ret = (struct kserv_dns_place){ .port = KSERV_DNS_PORT };
	if (!server_text) {
		if (!stored_address(&ret->addr))
			kserv_addr_parse(KSERV_DNS_ADDRESS, &ret->addr);
		return true;
	}
	if (kserv_addr_maybe_port_parse(server_text, &ret->addr, &ret->port, &why)) {
		usage_error("--server %s: %s", server_text, why);
		return false;
	}
	ret->port = ret->port ? ret->port : KSERV_DNS_PORT;
	return true;
}

static unsigned int count_dots(const char *name)
{
	unsigned int n = 0;

	for (; *name; name++)
		n += *name == '.';
	return n;
}

/* Names to be asked for in turn, as a pod's resolver does it with the search list that kubelet writes. */
static struct kserv_strings candidates(const char *name)
{
	const char *zone = domain ? domain : "cluster.local";
	bool is_whole = *name && name[strlen(name) - 1] == '.';
	char *completed[] = {
		kserv_must_strdup(name),
		kserv_must_printf("%s.%s.svc.%s", name, from ? from : "", zone),
		kserv_must_printf("%s.svc.%s", name, zone),
		kserv_must_printf("%s.%s", name, zone),
	};
	bool as_is_first = count_dots(name) >= 5;
	struct kserv_strings names = { .v = kserv_must_alloc(4 * sizeof(*names.v)) };
	int i;

	if (!from || is_whole || as_is_first)
		names.v[names.n++] = completed[0];
	for (i = 1; i < 4; i++) {
		if (from && !is_whole)
			names.v[names.n++] = completed[i];
		else
			free(completed[i]);
	}
	if (from && !is_whole && !as_is_first)
		names.v[names.n++] = completed[0];
	return names;
}

static unsigned int code_of(const struct asked *asked)
{
	return asked->message[3] & 0xf;
}

static unsigned int answers_of(const struct asked *asked)
{
	return dns_get16(asked->message + 6);
}

static enum exit_code ask(struct asked *asked)
{
	struct timespec start, end;
	char *why = NULL;
	int len;

	asked->tcp = over_tcp;
	clock_gettime(CLOCK_MONOTONIC, &start);
	len = kserv_dns_ask(&asked->server, asked->name, asked->type, &asked->tcp, asked->message, &why);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (len < 0) {
		kserv_log_error("%s", why);
		free(why);
		return REFUSED;
	}
	asked->len = len;
	asked->ms = (end.tv_sec - start.tv_sec) * 1e3 + (end.tv_nsec - start.tv_nsec) / 1e6;
	return DONE;
}

/* The first name that there is, or else the last. */
static enum exit_code ask_all(struct asked *asked, const char *name)
{
	struct kserv_strings names = candidates(name);
	enum exit_code code = DONE;
	size_t i;

	for (i = 0; i < names.n && !code; i++) {
		free(asked->name);
		asked->name = kserv_must_strdup(names.v[i]);
		code = ask(asked);
		if (!code && code_of(asked) == DNS_NOERROR)
			break;
	}
	for (i = 0; i < names.n; i++)
		free(names.v[i]);
	free(names.v);
	return code;
}

/* Each record of a section; @each may be NULL. Return: false if the message is damaged. */
static bool walk(const struct asked *asked, int section,
		 void (*each)(const struct kserv_dns_record *record, void *context), void *context)
{
	struct kserv_dns_record record;
	unsigned int i, n;
	size_t offset;
	int s;

	if (kserv_dns_records_begin(asked->message, asked->len, &offset))
		return false;
	for (s = 0; s <= section; s++) {
		n = dns_get16(asked->message + 6 + 2 * s);
		for (i = 0; i < n; i++) {
			if (kserv_dns_record_format(asked->message, asked->len, &offset, &record))
				return false;
			if (s == section && record.type != ns_t_opt)
				each(&record, context);
			kserv_dns_record_clear(&record);
		}
	}
	return true;
}

static void add_row(const struct kserv_dns_record *record, void *table)
{
	table_row(table, "%s\t%u\t%s\t%s", record->owner, record->ttl, kserv_dns_type_name(record->type), record->data);
}

static bool print_section(const struct asked *asked, int section)
{
	struct table *table = table_new("NAME\tTTL\tTYPE\tDATA");
	bool whole = walk(asked, section, add_row, table);

	table_print(table);
	return whole;
}

static void print_code(const struct asked *asked)
{
	const char *name = kserv_dns_code_name(code_of(asked)), *type = kserv_dns_type_name(asked->type);

	if (code_of(asked) == DNS_NXDOMAIN)
		kserv_log_error("there is no name %s (NXDOMAIN)", asked->name);
	else if (!code_of(asked))
		kserv_log_error("%s exists, but has no %s record", asked->name, type);
	else
		kserv_log_error("%s %s: the server answers %s", asked->name, type, name ? name : "with an unknown code");
}

static bool print_text(const struct asked *asked, bool wide)
{
	bool whole = true;
	int section;

	if (answers_of(asked) && !wide)
		return print_section(asked, 0);
	for (section = 0; wide && section < 3 && whole; section++) {
		if (!dns_get16(asked->message + 6 + 2 * section))
			continue;
		printf("%s:\n", sections[section]);
		whole = print_section(asked, section);
	}
	return whole;
}

static void add_object(const struct kserv_dns_record *record, void *list)
{
	cJSON *object = cJSON_CreateObject();

	if (!cJSON_AddStringToObject(object, "name", record->owner) ||
	    !cJSON_AddNumberToObject(object, "ttl", record->ttl) ||
	    !cJSON_AddStringToObject(object, "type", kserv_dns_type_name(record->type)) ||
	    !cJSON_AddStringToObject(object, "data", record->data) || !cJSON_AddItemToArray(list, object))
		no_memory();
}

static void add_flags(const struct asked *asked, cJSON *tree)
{
	static const struct { const char *name; uint16_t bit; } flags[] = {
		{ "aa", DNS_AA }, { "tc", DNS_TC }, { "rd", DNS_RD }, { "ra", DNS_RA }, { "cd", DNS_CD },
	};
	cJSON *list = cJSON_AddArrayToObject(tree, "flags");
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (dns_get16(asked->message + 2) & flags[i].bit)
			cJSON_AddItemToArray(list, cJSON_CreateString(flags[i].name));
}

static bool print_json(const struct asked *asked, enum output_format format)
{
	const char *code = kserv_dns_code_name(code_of(asked));
	cJSON *tree = cJSON_CreateObject();
	char text[KSERV_ADDR_TEXT];
	bool whole = true;
	int section;

	cJSON_AddStringToObject(tree, "server", kserv_addr_port_format(&asked->server.addr, asked->server.port, text));
	cJSON_AddStringToObject(tree, "transport", asked->tcp ? "tcp" : "udp");
	cJSON_AddNumberToObject(tree, "milliseconds", (long)(asked->ms * 1000) / 1000.0);
	cJSON_AddStringToObject(tree, "name", asked->name);
	cJSON_AddStringToObject(tree, "type", kserv_dns_type_name(asked->type));
	cJSON_AddStringToObject(tree, "status", code ? code : "UNKNOWN");
	add_flags(asked, tree);
	for (section = 0; section < 3 && whole; section++)
		whole = walk(asked, section, add_object, cJSON_AddArrayToObject(tree, sections[section]));
	print_tree(tree, format);
	return whole;
}

static enum exit_code print_asked(const struct asked *asked, enum output_format format)
{
	bool found = !code_of(asked) && answers_of(asked), whole;

	if (format == OUTPUT_JSON || format == OUTPUT_YAML)
		whole = print_json(asked, format);
	else
		whole = print_text(asked, format == OUTPUT_WIDE);
	if (!whole)
		kserv_log_error("the server's answer is damaged");
	else if (!found && format != OUTPUT_JSON && format != OUTPUT_YAML)
		print_code(asked);
	return found && whole ? DONE : REFUSED;
}

static bool parse_arguments(int argc, const char **argv, struct asked *asked, char **ret_name)
{
	struct kserv_addr addr = { 0 };

	if (argc < 1 || argc > 2) {
		usage_error("a name, and maybe a type, are needed, as web.shop.svc.cluster.local SRV");
		return false;
	}
	if (!kserv_addr_parse(argv[0], &addr)) {
		*ret_name = kserv_dns_reverse_name(&addr);
		from = NULL;
	} else {
		*ret_name = kserv_must_strdup(argv[0]);
	}
	asked->type = argc == 2 ? kserv_dns_type_parse(argv[1]) : addr.family ? ns_t_ptr : ns_t_a;
	if (asked->type)
		return true;
	usage_error("'%s' is no type of records; there are A, AAAA, SRV, PTR, TXT, CNAME, SOA, NS, MX, ANY, TYPE65",
		    argv[1]);
	return false;
}

enum exit_code cmd_dns_query(int argc, const char **argv)
{
	unsigned int formats = 1 << OUTPUT_TABLE | 1 << OUTPUT_WIDE | 1 << OUTPUT_JSON | 1 << OUTPUT_YAML;
	struct asked *asked = kserv_must_alloc(sizeof(*asked));
	enum exit_code code = USAGE;
	enum output_format format;
	char *name = NULL;

	if (output_format(formats, &format) && parse_arguments(argc, argv, asked, &name) && find_server(&asked->server)) {
		code = ask_all(asked, name);
		if (!code)
			code = print_asked(asked, format);
	}
	free(asked->name);
	free(asked);
	free(name);
	return code;
}
