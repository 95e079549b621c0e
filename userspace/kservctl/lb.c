// SPDX-License-Identifier: GPL-2.0
/* lb: load-balancer addresses and the nodes that announce them, as the daemon sees it. */
#include <stdio.h>
#include <string.h>
#include "kservctl/commands.h"
#include "kservctl/desired.h"

struct poptOption lb_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, socket_options, 0, NULL, NULL },
	POPT_TABLEEND
};

const char lb_more[] =
	"NODE is where this node's kservd sees the address announced; <none> has its reason behind it. INTERFACE is the one\n"
	"of this node that has the subnet. -o wide shows the nodes, too, and why some of them announce nothing.\n";

static const char *text_of(const cJSON *map, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(map, key));

	return text ? text : "";
}

static const char *or_none(const char *text)
{
	return *text ? text : "<none>";
}

static void join(const cJSON *list, struct kserv_text *ret)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
		kserv_text_printf(ret, "%s%s", ret->len ? "," : "", cJSON_GetStringValue(item));
}

static void print_addresses(const cJSON *tree)
{
	struct table *table = table_new("ADDRESS\tSERVICES\tNODE\tINTERFACE\tHERE\tWHY");
	const cJSON *item;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(tree, "addresses")) {
		struct kserv_text services = { 0 };

		join(cJSON_GetObjectItemCaseSensitive(item, "services"), &services);
		table_row(table, "%s\t%s\t%s\t%s\t%s\t%s", text_of(item, "address"), services.s ? services.s : "",
			  or_none(text_of(item, "node")), or_none(text_of(item, "interface")),
			  cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "announced")) ? "yes" : "no",
			  text_of(item, "why"));
		kserv_text_clear(&services);
	}
	table_print(table);
}

static void print_nodes(const cJSON *tree)
{
	struct table *table = table_new("NODE\tELIGIBLE\tWHY");
	const cJSON *item;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(tree, "nodes"))
		table_row(table, "%s\t%s\t%s", text_of(item, "name"),
			  cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "eligible")) ? "yes" : "no", text_of(item, "why"));
	table_print(table);
}

enum exit_code cmd_lb(int argc, const char **argv)
{
	struct kserv_text text = { 0 };
	enum output_format format;
	enum exit_code code;
	cJSON *tree;

	if (argc)
		return usage_error("'%s' is too much", argv[0]);
	if (!output_format(1 << OUTPUT_TABLE | 1 << OUTPUT_WIDE | 1 << OUTPUT_JSON | 1 << OUTPUT_YAML, &format))
		return USAGE;
	if (!daemon_socket()) {
		kserv_log_error("there is no kservd to ask: it announces, and knows who else does; see docs/lb.md");
		return REFUSED;
	}
	code = get_from_daemon(KSERV_CONTROL_LB, &text);
	tree = code ? NULL : cJSON_Parse(text.s);
	kserv_text_clear(&text);
	if (code)
		return code;
	if (!tree) {
		kserv_log_error("what kservd answers is no JSON; is it of another version?");
		return REFUSED;
	}
	if (format == OUTPUT_JSON || format == OUTPUT_YAML) {
		print_tree(tree, format);
		return DONE;
	}
	if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tree, "announce")))
		kserv_log_note("kservd announces nothing: loadBalancer.announce is off in its configuration");
	print_addresses(tree);
	if (format == OUTPUT_WIDE)
		print_nodes(tree);
	cJSON_Delete(tree);
	return DONE;
}
