// SPDX-License-Identifier: GPL-2.0
/* kservctl stats, status */
#include <stdio.h>
#include <string.h>
#include "kservctl/commands.h"
#include "lib/attributes.h"
#include "lib/dump.h"
#include "lib/json.h"
#include "lib/place.h"
#include "lib/read.h"

struct poptOption stats_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct poptOption status_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	POPT_TABLEEND
};

/* Counters go to @table, or to @tree if there is no table. */
struct counters {
	struct table *table;
	cJSON *tree;
};

static void take_counter(struct counters *counters, const struct nlattr *nest)
{
	const struct nlattr *attribute;
	uint64_t value = 0;
	char name[64] = "";

	kserv_for_each_attribute(attribute, (const struct nlattr *)kserv_attribute_data(nest), kserv_attribute_len(nest)) {
		unsigned int type = attribute->nla_type & NLA_TYPE_MASK;

		if (type == KSERV_A_COUNTER_NAME)
			snprintf(name, sizeof(name), "%.*s", (int)kserv_attribute_len(attribute),
				 (const char *)kserv_attribute_data(attribute));
		else if (type == KSERV_A_COUNTER_VALUE)
			value = kserv_attribute_u64(attribute);
	}
	if (counters->table)
		table_row(counters->table, "%s\t%llu", name, (unsigned long long)value);
	else
		cJSON_AddItemToObject(counters->tree, name, kserv_json_number(value));
}

static int receive_counters(void *context, struct nlattr *const *attributes, const struct nlattr *first, size_t len)
{
	const struct nlattr *attribute;

	(void)attributes;
	kserv_for_each_attribute(attribute, first, len)
		if ((attribute->nla_type & NLA_TYPE_MASK) == KSERV_A_MESSAGE_COUNTER)
			take_counter(context, attribute);
	return 0;
}

enum exit_code cmd_stats(int argc, const char **argv)
{
	struct kserv_nl_error words = { };
	struct counters counters = { };
	struct kserv_message request;
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
	kserv_message_init(&request, KSERV_CMD_STATS_GET);
	error = kserv_nl_request(nl, &request, receive_counters, &counters, &words);
	kserv_message_clear(&request);
	kserv_nl_close(nl);
	if (error)
		return refused(error, &words);
	if (format == OUTPUT_TABLE)
		table_print(counters.table);
	else
		print_tree(counters.tree, format);
	return DONE;
}

static void print_status(const struct kserv_status *status, enum output_format format)
{
	const struct {
		const char *name;
		uint32_t value;
	} rows[] = {
		{ "generation", status->generation }, { "services", status->services },
		{ "frontends", status->frontends }, { "endpoints", status->endpoints }, { "routes", status->routes },
		{ "flows", status->flows }, { "sessions", status->sessions },
	};
	cJSON *tree = cJSON_CreateObject();
	size_t i;

	if (format == OUTPUT_TABLE) {
		printf("%-12s%s\n%-12s%s\n", "module", status->version, "kservctl", KSERV_VERSION);
		for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			printf("%-12s%u\n", rows[i].name, rows[i].value);
		cJSON_Delete(tree);
		return;
	}
	cJSON_AddStringToObject(tree, "version", status->version);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cJSON_AddNumberToObject(tree, rows[i].name, rows[i].value);
	print_tree(tree, format);
}

enum exit_code cmd_status(int argc, const char **argv)
{
	struct kserv_nl_error words = { };
	struct kserv_status status;
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
	error = kserv_dump_status(nl, NULL, &status, &words);
	kserv_nl_close(nl);
	if (error)
		return refused(error, &words);
	print_status(&status, format);
	return DONE;
}
