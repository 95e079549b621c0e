// SPDX-License-Identifier: GPL-2.0
/* routes: the kernel's routes of the pod network. What the module holds of it is route list. */
#include <netlink/netlink.h>
#include <stdlib.h>
#include "kservctl/commands.h"
#include "lib/addr.h"
#include "podnet/apply.h"

struct poptOption routes_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	POPT_TABLEEND
};

const char routes_more[] =
	"The routes that kservd has made to other nodes' pods: those of protocol 117 in the main table. TYPE is direct where\n"
	"the gateway is the node itself, vxlan where the packets are wrapped. In JSON: [{prefix, type, gateway, device}].\n";

/* The gateway of a wrapped route is the CIDR's own network address. */
static const char *type_of(const struct kserv_podnet_held *route)
{
	return kserv_addr_is_equal(&route->gateway, &route->prefix.addr) ? "vxlan" : "direct";
}

static void print_json(const struct kserv_podnet_held *routes, size_t n, enum output_format format)
{
	char text[KSERV_ADDR_TEXT];
	cJSON *item;
	size_t i;

	print_list_begin(format);
	for (i = 0; i < n; i++) {
		item = cJSON_CreateObject();
		if (!cJSON_AddStringToObject(item, "prefix", kserv_prefix_format(&routes[i].prefix, text)) ||
		    !cJSON_AddStringToObject(item, "type", type_of(&routes[i])) ||
		    !cJSON_AddStringToObject(item, "gateway", kserv_addr_format(&routes[i].gateway, text)) ||
		    !cJSON_AddStringToObject(item, "device", routes[i].device))
			no_memory();
		print_list_item(item, format);
	}
	print_list_end(format);
}

static void print_rows(const struct kserv_podnet_held *routes, size_t n)
{
	struct table *table = table_new("PREFIX\tTYPE\tGATEWAY\tDEVICE");
	char prefix[KSERV_ADDR_TEXT], gateway[KSERV_ADDR_TEXT];
	size_t i;

	for (i = 0; i < n; i++)
		table_row(table, "%s\t%s\t%s\t%s", kserv_prefix_format(&routes[i].prefix, prefix), type_of(&routes[i]),
			  kserv_addr_format(&routes[i].gateway, gateway), routes[i].device);
	table_print(table);
}

enum exit_code cmd_routes(int argc, const char **argv)
{
	struct kserv_podnet_held *routes;
	enum output_format format;
	struct nl_sock *socket;
	char *why = NULL;
	size_t n;
	int error;

	if (argc)
		return usage_error("'%s' is too much", argv[0]);
	if (!output_format(1 << OUTPUT_TABLE | 1 << OUTPUT_JSON | 1 << OUTPUT_YAML, &format))
		return USAGE;
	error = kserv_podnet_open(&socket, &why);
	if (!error) {
		error = kserv_podnet_routes(socket, &routes, &n, &why);
		nl_socket_free(socket);
	}
	if (error) {
		kserv_log_error("%s", why ? why : "there is no memory");
		free(why);
		return REFUSED;
	}
	if (format == OUTPUT_TABLE)
		print_rows(routes, n);
	else
		print_json(routes, n, format);
	free(routes);
	return DONE;
}
