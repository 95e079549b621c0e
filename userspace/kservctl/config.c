// SPDX-License-Identifier: GPL-2.0
/* kservctl config show, set */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/arguments.h"
#include "kservctl/commands.h"
#include "lib/addr.h"
#include "lib/dump.h"
#include "lib/json.h"
#include "lib/read.h"

struct poptOption config_show_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	POPT_TABLEEND
};

/* The part of an answer to config-get that is settings; the rest is for status. */
static int receive_settings(void *context, struct nlattr *const *attributes, const struct nlattr *first, size_t len)
{
	const struct nlattr *nest = attributes[KSERV_A_MESSAGE_CONFIG];
	cJSON **ret_tree = context, *tree;
	unsigned int type;

	(void)first;
	(void)len;
	if (!nest)
		return 0;
	tree = kserv_json_nest(&kserv_attributes_config, nest);
	for (type = KSERV_A_CONFIG_FAST_PATH + 1; type <= kserv_attributes_config.max; type++)
		cJSON_DeleteItemFromObjectCaseSensitive(tree, kserv_attributes_config.v[type].key);
	*ret_tree = tree;
	return 0;
}

static void print_setting(struct table *table, const cJSON *setting)
{
	const cJSON *item;

	if (cJSON_IsNumber(setting))
		table_row(table, "%s\t%.0f", setting->string, setting->valuedouble);
	else if (cJSON_IsString(setting))
		table_row(table, "%s\t%s", setting->string, setting->valuestring);
	cJSON_ArrayForEach(item, setting)
		table_row(table, "%s\t%s", setting->string, item->valuestring);
}

enum exit_code cmd_config_show(int argc, const char **argv)
{
	struct kserv_nl_error words = { };
	struct kserv_message request;
	cJSON *tree = NULL, *setting;
	enum output_format format;
	struct table *table;
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
	kserv_message_init(&request, KSERV_CMD_CONFIG_GET);
	error = kserv_nl_request(nl, &request, receive_settings, &tree, &words);
	kserv_message_clear(&request);
	kserv_nl_close(nl);
	if (error)
		return refused(error, &words);
	if (format != OUTPUT_TABLE) {
		print_tree(tree, format);
		return DONE;
	}
	table = table_new("SETTING\tVALUE");
	cJSON_ArrayForEach(setting, tree)
		print_setting(table, setting);
	table_print(table);
	cJSON_Delete(tree);
	return DONE;
}

enum { FLOW_MAX, SESSION_MAX, TCP_SYN, TCP_ESTABLISHED, TCP_CLOSE, UDP, UDP_STREAM, SCTP, N_NUMBERS };

static struct {
	char *conntrack, *detect, *interface, *ports, *fast_path;
	char **pod_cidrs, **service_cidrs, **node_port_addresses;
	char *numbers[N_NUMBERS];
	int reset;
} given;

static const struct {
	const char *option;
	size_t offset;
	bool is_time;
} numbers[N_NUMBERS] = {
	[FLOW_MAX] = { "--flow-max", offsetof(struct kserv_config, flow_max), false },
	[SESSION_MAX] = { "--session-max", offsetof(struct kserv_config, session_max), false },
	[TCP_SYN] = { "--tcp-syn-timeout", offsetof(struct kserv_config, tcp_syn_timeout), true },
	[TCP_ESTABLISHED] = { "--tcp-established-timeout", offsetof(struct kserv_config, tcp_established_timeout), true },
	[TCP_CLOSE] = { "--tcp-close-timeout", offsetof(struct kserv_config, tcp_close_timeout), true },
	[UDP] = { "--udp-timeout", offsetof(struct kserv_config, udp_timeout), true },
	[UDP_STREAM] = { "--udp-stream-timeout", offsetof(struct kserv_config, udp_stream_timeout), true },
	[SCTP] = { "--sctp-timeout", offsetof(struct kserv_config, sctp_timeout), true },
};

struct poptOption config_set_options[] = {
	{ "conntrack", '\0', POPT_ARG_STRING, &given.conntrack, 0, "auto, track or bypass connection tracking", "WORD" },
	{ "detect-local", '\0', POPT_ARG_STRING, &given.detect, 0, "pods by none, cidr, interface or interface-prefix", "WORD" },
	{ "pod-cidr", '\0', POPT_ARG_ARGV, &given.pod_cidrs, 0, "where pods are; may be repeated", "CIDR" },
	{ "pod-interface", '\0', POPT_ARG_STRING, &given.interface, 0, "name or prefix for detect-local", "NAME" },
	{ "service-cidr", '\0', POPT_ARG_ARGV, &given.service_cidrs, 0,
	  "what no service has of it is dropped; may be repeated", "CIDR" },
	{ "node-port-address", '\0', POPT_ARG_ARGV, &given.node_port_addresses, 0,
	  "where node ports are accepted; may be repeated", "CIDR" },
	{ "masquerade-ports", '\0', POPT_ARG_STRING, &given.ports, 0, "source ports for masquerading", "MIN-MAX" },
	{ "flow-max", '\0', POPT_ARG_STRING, &given.numbers[FLOW_MAX], 0, "most flows", "NUMBER" },
	{ "session-max", '\0', POPT_ARG_STRING, &given.numbers[SESSION_MAX], 0, "most remembered clients", "NUMBER" },
	{ "tcp-syn-timeout", '\0', POPT_ARG_STRING, &given.numbers[TCP_SYN], 0, "unanswered connections", "SECONDS" },
	{ "tcp-established-timeout", '\0', POPT_ARG_STRING, &given.numbers[TCP_ESTABLISHED], 0, "silent connections",
	  "SECONDS" },
	{ "tcp-close-timeout", '\0', POPT_ARG_STRING, &given.numbers[TCP_CLOSE], 0, "closed connections", "SECONDS" },
	{ "udp-timeout", '\0', POPT_ARG_STRING, &given.numbers[UDP], 0, "UDP flows", "SECONDS" },
	{ "udp-stream-timeout", '\0', POPT_ARG_STRING, &given.numbers[UDP_STREAM], 0, "UDP flows that were answered",
	  "SECONDS" },
	{ "sctp-timeout", '\0', POPT_ARG_STRING, &given.numbers[SCTP], 0, "SCTP associations", "SECONDS" },
	{ "fast-path", '\0', POPT_ARG_STRING, &given.fast_path, 0, "on: established flows skip the IP stack", "on|off" },
	{ "reset", '\0', POPT_ARG_NONE, &given.reset, 0, "what is not given gets its default", NULL },
	POPT_TABLEEND
};

const char config_set_more[] =
	"What is not given stays as it is. A list is replaced as a whole; none empties it. default gives a number,\n"
	"the masquerade ports or the fast path their default.\n"
	"\n"
	"  kservctl config set --detect-local cidr --pod-cidr 10.244.0.0/16 --flow-max 500000\n";

static void forget_given(void)
{
	size_t i;

	forget_string(&given.conntrack);
	forget_string(&given.detect);
	forget_string(&given.interface);
	forget_string(&given.ports);
	forget_string(&given.fast_path);
	forget_argv(&given.pod_cidrs);
	forget_argv(&given.service_cidrs);
	forget_argv(&given.node_port_addresses);
	for (i = 0; i < N_NUMBERS; i++)
		forget_string(&given.numbers[i]);
	given.reset = 0;
}

static bool read_cidrs(const char *what, char *const *texts, struct kserv_prefixes *prefixes)
{
	struct kserv_prefix *v;
	size_t n = 0;

	if (!texts)
		return true;
	while (texts[n])
		n++;
	v = calloc(n, sizeof(*v));
	if (!v)
		no_memory();
	free(prefixes->v);
	prefixes->v = v;
	prefixes->n = 0;
	if (n == 1 && !strcmp(texts[0], "none"))
		return true;
	for (; *texts; texts++)
		if (!parse_prefix(what, *texts, &v[prefixes->n++]))
			return false;
	return true;
}

static bool read_ports(struct kserv_config *config)
{
	uint32_t min = 0, max = 0;
	char low[8];
	size_t len;

	if (!given.ports)
		return true;
	len = strcspn(given.ports, "-");
	snprintf(low, sizeof(low), "%.*s", (int)len, given.ports);
	if (strcmp(given.ports, "default") &&
	    (!given.ports[len] || kserv_number_parse(low, 65535, &min) || !min ||
	     kserv_number_parse(given.ports + len + 1, 65535, &max) || max < min)) {
		usage_error("--masquerade-ports %s: it is a range as 32768-65535", given.ports);
		return false;
	}
	config->masquerade_port_min = min;
	config->masquerade_port_max = max;
	return true;
}

static bool read_numbers(struct kserv_config *config)
{
	uint32_t *to;
	size_t i;

	for (i = 0; i < N_NUMBERS; i++) {
		const char *text = given.numbers[i];

		to = (uint32_t *)((char *)config + numbers[i].offset);
		if (!text)
			continue;
		if (!strcmp(text, "default"))
			*to = 0;
		else if (numbers[i].is_time ? !parse_seconds(numbers[i].option, text, to) :
			 !parse_number(numbers[i].option, text, 1, UINT32_MAX, to))
			return false;
		else if (!*to)
			return !usage_error("%s 0: it is at least 1", numbers[i].option);
	}
	return true;
}

static bool read_fast_path(struct kserv_config *config)
{
	if (!given.fast_path)
		return true;
	config->fast_path_set = strcmp(given.fast_path, "default");
	config->fast_path = !strcmp(given.fast_path, "on");
	if (!config->fast_path_set || config->fast_path || !strcmp(given.fast_path, "off"))
		return true;
	usage_error("--fast-path %s: it is on, off or default", given.fast_path);
	return false;
}

static bool read_given(struct kserv_config *config)
{
	if (given.conntrack && !parse_word("--conntrack", &kserv_words_conntrack, given.conntrack, &config->conntrack))
		return false;
	if (given.detect &&
	    !parse_word("--detect-local", &kserv_words_detect_local, given.detect, &config->detect_local))
		return false;
	if (given.interface && strlen(given.interface) >= sizeof(config->pod_interface)) {
		usage_error("--pod-interface %s: a name of a device has at most 15 characters", given.interface);
		return false;
	}
	if (given.interface)
		strcpy(config->pod_interface, strcmp(given.interface, "none") ? given.interface : "");
	return read_cidrs("--pod-cidr", given.pod_cidrs, &config->pod_cidrs) &&
	       read_cidrs("--service-cidr", given.service_cidrs, &config->service_cidrs) &&
	       read_cidrs("--node-port-address", given.node_port_addresses, &config->node_port_addresses) &&
	       read_ports(config) && read_numbers(config) && read_fast_path(config);
}

/* What is in force, to be changed, and to be replaced only if it still is. */
static enum exit_code read_current(struct kserv_config *config, struct kserv_transaction *transaction)
{
	struct kserv_nl_error words;
	struct kserv_status status;
	enum exit_code code;
	struct kserv_nl *nl;
	int error;

	code = open_kernel(&nl);
	if (code)
		return code;
	error = kserv_dump_status(nl, config, &status, &words);
	kserv_nl_close(nl);
	if (error)
		return refused(error, &words);
	transaction->expect = true;
	transaction->generation = status.generation;
	return DONE;
}

static enum exit_code build(struct kserv_config *config, struct kserv_transaction *transaction)
{
	enum exit_code code = DONE;
	int error;

	if (!given.reset)
		code = read_current(config, transaction);
	if (code)
		return code;
	if (!read_given(config))
		return USAGE;
	error = kserv_transaction_config_set(transaction, config);
	return error ? failed(error) : DONE;
}

enum exit_code build_config_set(int argc, const char **argv, struct kserv_transaction *transaction)
{
	struct kserv_config config = { };
	enum exit_code code;

	code = argc ? usage_error("'%s' is too much; settings are options, as --flow-max", argv[0]) :
		      build(&config, transaction);
	kserv_config_clear(&config);
	forget_given();
	return code;
}
