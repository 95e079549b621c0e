// SPDX-License-Identifier: GPL-2.0
/* kservctl route list, set, del */
#include "kservctl/arguments.h"
#include "kservctl/collect.h"
#include "kservctl/commands.h"
#include "lib/addr.h"
#include "lib/dump.h"
#include "lib/json.h"

struct poptOption route_list_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static enum exit_code print_json(struct kserv_nl *nl, enum output_format format)
{
	struct kserv_message request;
	const struct nlattr *first;
	struct nests nests;
	size_t pos = 0, len;
	enum exit_code code;

	kserv_message_init(&request, KSERV_CMD_ROUTE_GET);
	code = collect(nl, &request, KSERV_A_MESSAGE_ROUTE, &nests);
	if (code)
		return code;
	print_list_begin(format);
	while ((first = nests_next(&nests, &pos, &len)))
		print_list_item(kserv_json(&kserv_attributes_route, first, len), format);
	print_list_end(format);
	nests_clear(&nests);
	return DONE;
}

static enum exit_code print_table(struct kserv_nl *nl)
{
	char prefix[KSERV_ADDR_TEXT], gateway[KSERV_ADDR_TEXT];
	struct kserv_nl_error words;
	struct kserv_tables tables;
	struct table *table;
	int error;
	size_t i;

	error = kserv_dump(nl, KSERV_DUMP_ROUTES, NULL, &tables, &words);
	if (error)
		return refused(error, &words);
	table = table_new("PREFIX\tTYPE\tGATEWAY");
	for (i = 0; i < tables.n_routes; i++) {
		const struct kserv_route *route = &tables.routes[i];

		table_row(table, "%s\t%s\t%s", kserv_prefix_format(&route->prefix, prefix),
			  kserv_word(&kserv_words_route_type, route->type),
			  route->gateway.family == AF_UNSPEC ? "-" : kserv_addr_format(&route->gateway, gateway));
	}
	table_print(table);
	kserv_tables_clear(&tables);
	return DONE;
}

enum exit_code cmd_route_list(int argc, const char **argv)
{
	enum output_format format;
	enum exit_code code;
	struct kserv_nl *nl;

	if (argc)
		return usage_error("'%s' is too much", argv[0]);
	if (!output_format(1 << OUTPUT_JSON | 1 << OUTPUT_YAML, &format))
		return USAGE;
	code = open_kernel(&nl);
	if (code)
		return code;
	code = format == OUTPUT_TABLE ? print_table(nl) : print_json(nl, format);
	kserv_nl_close(nl);
	return code;
}

const char route_set_more[] =
	"  kservctl route set 10.244.1.0/24 local\n"
	"  kservctl route set 10.244.2.0/24 direct 192.168.1.12\n";

enum exit_code build_route_set(int argc, const char **argv, struct kserv_transaction *transaction)
{
	struct kserv_route route = { };
	int error;

	if (argc < 2)
		return usage_error("a CIDR and a type (local, direct or vxlan) are needed");
	if (argc > 3)
		return usage_error("'%s' is too much", argv[3]);
	if (!parse_prefix("route", argv[0], &route.prefix) ||
	    !parse_word("type", &kserv_words_route_type, argv[1], &route.type))
		return USAGE;
	if (argc == 3 && kserv_addr_parse(argv[2], &route.gateway))
		return usage_error("gateway %s: it is no IPv4 or IPv6 address", argv[2]);
	if (route.type != KSERV_ROUTE_TYPE_LOCAL && argc < 3)
		return usage_error("a %s route needs the address of the node behind which %s lies", argv[1], argv[0]);
	if (route.type == KSERV_ROUTE_TYPE_LOCAL && argc == 3)
		return usage_error("a local route has no gateway");
	error = kserv_transaction_route_set(transaction, &route);
	return error ? failed(error) : DONE;
}

enum exit_code build_route_del(int argc, const char **argv, struct kserv_transaction *transaction)
{
	struct kserv_route route = { };
	int error = 0;

	if (!argc)
		return usage_error("which route? its CIDR is missing");
	for (; *argv && !error; argv++) {
		if (!parse_prefix("route", *argv, &route.prefix))
			return USAGE;
		error = kserv_transaction_route_del(transaction, &route);
	}
	return error ? failed(error) : DONE;
}
