// SPDX-License-Identifier: GPL-2.0
/* kservctl stats */
#include <stdio.h>
#include "kservctl/commands.h"
#include "lib/dump.h"
#include "lib/json.h"

struct poptOption stats_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	POPT_TABLEEND
};

/* Counters go to @table, or to @tree if there is no table. */
struct counters {
	struct table *table;
	cJSON *tree;
};

static void take_counter(void *context, const char *name, uint64_t value)
{
	struct counters *counters = context;

	if (counters->table)
		table_row(counters->table, "%s\t%llu", name, (unsigned long long)value);
	else
		cJSON_AddItemToObject(counters->tree, name, kserv_json_number(value));
}

enum exit_code cmd_stats(int argc, const char **argv)
{
	struct kserv_nl_error words = { };
	struct counters counters = { };
	enum output_format format;
	enum exit_code code;
	struct kserv_nl *nl;
	int error;

	if (argc)
		return usage_error("'%s' is too much", argv[0]);
	if (!output_format(1 << OUTPUT_JSON | 1 << OUTPUT_YAML, &format))
		return USAGE;
	code = open_kernel(&nl);
	if (code)
		return code;
	if (format == OUTPUT_TABLE)
		counters.table = table_new("COUNTER\tVALUE");
	else
		counters.tree = cJSON_CreateObject();
	error = kserv_dump_counters(nl, take_counter, &counters, &words);
	kserv_nl_close(nl);
	if (error)
		return refused(error, &words);
	if (format == OUTPUT_TABLE)
		table_print(counters.table);
	else
		print_tree(counters.tree, format);
	return DONE;
}
