// SPDX-License-Identifier: GPL-2.0
/* kservctl flows, flows del */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "kservctl/arguments.h"
#include "kservctl/commands.h"
#include "kservctl/flow.h"
#include "kservctl/services.h"
#include "lib/json.h"
#include "lib/place.h"

static struct {
	char *service, *client, *frontend, *endpoint, *protocol, *family;
	int all;
} given;

#define FILTER_OPTIONS												\
	{ "service", 's', POPT_ARG_STRING, &given.service, 0, "of this service", "NAME" },			\
	{ "client", 'c', POPT_ARG_STRING, &given.client, 0, "from this client", "ADDRESS[:PORT]" },		\
	{ "frontend", 'f', POPT_ARG_STRING, &given.frontend, 0, "to this frontend", "ADDRESS[:PORT]" },		\
	{ "endpoint", 'e', POPT_ARG_STRING, &given.endpoint, 0, "at this endpoint", "ADDRESS[:PORT]" },		\
	{ "protocol", 'p', POPT_ARG_STRING, &given.protocol, 0, "tcp, udp or sctp", "PROTOCOL" },		\
	{ "family", '\0', POPT_ARG_STRING, &given.family, 0, "ipv4 or ipv6", "FAMILY" }

struct poptOption flows_list_options[] = {
	FILTER_OPTIONS,
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct poptOption flows_del_options[] = {
	FILTER_OPTIONS,
	{ "all", 'a', POPT_ARG_NONE, &given.all, 0, "delete all flows", NULL },
	POPT_TABLEEND
};

const char flows_del_more[] =
	"Connections of deleted flows do not go on: TCP gets no more answers until the client sends anew.\n"
	"\n"
	"  kservctl flows del --endpoint 10.244.1.5\n";

/* One of the three addresses of a flow and its attributes. */
struct side {
	const char *option;
	char **text;
	uint16_t addr4, addr6, port;
};

static bool put_side(struct kserv_message *request, const struct side *side)
{
	struct kserv_addr addr;
	uint16_t port;
	const char *why;

	if (!*side->text)
		return true;
	if (kserv_addr_maybe_port_parse(*side->text, &addr, &port, &why)) {
		usage_error("%s %s: %s", side->option, *side->text, why);
		return false;
	}
	kserv_message_put_addr(request, side->addr4, side->addr6, &addr);
	if (port)
		kserv_message_put_be16(request, side->port, port);
	return true;
}

static bool put_filter(struct kserv_message *request)
{
	static const struct side sides[] = {
		{ "--client", &given.client, KSERV_A_FLOW_CLIENT4, KSERV_A_FLOW_CLIENT6, KSERV_A_FLOW_CLIENT_PORT },
		{ "--frontend", &given.frontend, KSERV_A_FLOW_FRONTEND4, KSERV_A_FLOW_FRONTEND6,
		  KSERV_A_FLOW_FRONTEND_PORT },
		{ "--endpoint", &given.endpoint, KSERV_A_FLOW_ENDPOINT4, KSERV_A_FLOW_ENDPOINT6,
		  KSERV_A_FLOW_ENDPOINT_PORT },
	};
	uint8_t family, protocol = given.protocol ? kserv_protocol_parse(given.protocol) : 0;
	size_t nest, i;

	if (given.protocol && !protocol) {
		usage_error("--protocol %s: it is tcp, udp or sctp", given.protocol);
		return false;
	}
	if (!parse_family(given.family, &family))
		return false;
	nest = kserv_message_nest(request, KSERV_A_MESSAGE_FLOW);
	if (family)
		kserv_message_put_u8(request, KSERV_A_FLOW_FAMILY, family);
	if (protocol)
		kserv_message_put_u8(request, KSERV_A_FLOW_PROTOCOL, protocol);
	if (given.service && strlen(given.service) > KSERV_NAME_LEN) {
		usage_error("--service: a service name has at most %d characters", KSERV_NAME_LEN);
		return false;
	}
	if (given.service)
		kserv_message_put_string(request, KSERV_A_FLOW_SERVICE, given.service);
	for (i = 0; i < sizeof(sides) / sizeof(sides[0]); i++)
		if (!put_side(request, &sides[i]))
			return false;
	kserv_message_nest_end(request, nest);
	return true;
}

void read_flow(const struct nlattr *first, size_t len, struct flow *ret_flow)
{
	struct flow *flow = ret_flow;
	const struct nlattr *attribute;

	memset(flow, 0, sizeof(*flow));
	kserv_for_each_attribute(attribute, first, len) {
		switch (attribute->nla_type & NLA_TYPE_MASK) {
		case KSERV_A_FLOW_PROTOCOL:
			flow->protocol = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_FLOW_CLIENT4:
		case KSERV_A_FLOW_CLIENT6:
			kserv_attribute_addr(attribute, &flow->client);
			break;
		case KSERV_A_FLOW_CLIENT_PORT:
			flow->client_port = ntohs(kserv_attribute_u16(attribute));
			break;
		case KSERV_A_FLOW_FRONTEND4:
		case KSERV_A_FLOW_FRONTEND6:
			kserv_attribute_addr(attribute, &flow->frontend);
			break;
		case KSERV_A_FLOW_FRONTEND_PORT:
			flow->frontend_port = ntohs(kserv_attribute_u16(attribute));
			break;
		case KSERV_A_FLOW_ENDPOINT4:
		case KSERV_A_FLOW_ENDPOINT6:
			kserv_attribute_addr(attribute, &flow->endpoint);
			break;
		case KSERV_A_FLOW_ENDPOINT_PORT:
			flow->endpoint_port = ntohs(kserv_attribute_u16(attribute));
			break;
		case KSERV_A_FLOW_SERVICE:
			snprintf(flow->service, sizeof(flow->service), "%.*s", (int)kserv_attribute_len(attribute),
				 (const char *)kserv_attribute_data(attribute));
			break;
		case KSERV_A_FLOW_STATE:
			flow->state = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_FLOW_FLAGS:
			flow->flags = kserv_attribute_u32(attribute);
			break;
		case KSERV_A_FLOW_EXPIRES_MS:
			flow->expires_ms = kserv_attribute_u64(attribute);
			break;
		case KSERV_A_FLOW_PACKETS_IN:
			flow->packets_in = kserv_attribute_u64(attribute);
			break;
		case KSERV_A_FLOW_BYTES_IN:
			flow->bytes_in = kserv_attribute_u64(attribute);
			break;
		case KSERV_A_FLOW_PACKETS_OUT:
			flow->packets_out = kserv_attribute_u64(attribute);
			break;
		case KSERV_A_FLOW_BYTES_OUT:
			flow->bytes_out = kserv_attribute_u64(attribute);
			break;
		}
	}
}

static void add_row(struct table *table, const struct flow *flow, bool wide)
{
	char client[KSERV_ADDR_TEXT], frontend[KSERV_ADDR_TEXT], endpoint[KSERV_ADDR_TEXT], flags[96];

	kserv_addr_port_format(&flow->client, flow->client_port, client);
	kserv_addr_port_format(&flow->frontend, flow->frontend_port, frontend);
	kserv_addr_port_format(&flow->endpoint, flow->endpoint_port, endpoint);
	if (!wide)
		table_row(table, "%s\t%s\t%s\t%s\t%s\t%llus\t%s", kserv_protocol_name(flow->protocol), client, frontend,
			  endpoint, kserv_word(&kserv_words_flow_state, flow->state),
			  (unsigned long long)(flow->expires_ms + 999) / 1000, flow->service);
	else
		table_row(table, "%s\t%s\t%s\t%s\t%s\t%llus\t%s\t%s\t%llu\t%llu\t%llu\t%llu",
			  kserv_protocol_name(flow->protocol), client, frontend, endpoint,
			  kserv_word(&kserv_words_flow_state, flow->state),
			  (unsigned long long)(flow->expires_ms + 999) / 1000, flow->service,
			  format_flags(&kserv_words_flow_flags, flow->flags, flags, sizeof(flags)),
			  (unsigned long long)flow->packets_in, (unsigned long long)flow->bytes_in,
			  (unsigned long long)flow->packets_out, (unsigned long long)flow->bytes_out);
}

/* Where the flows of a dump go: to @table, or to stdout if there is none. */
struct listing {
	struct table *table;
	enum output_format format;
};

static int receive_flow(void *context, struct nlattr *const *attributes, const struct nlattr *first, size_t len)
{
	const struct nlattr *nest = attributes[KSERV_A_MESSAGE_FLOW];
	struct listing *listing = context;
	struct flow flow;

	(void)first;
	(void)len;
	if (!nest)
		return 0;
	if (!listing->table) {
		print_list_item(kserv_json_nest(&kserv_attributes_flow, nest), listing->format);
		return 0;
	}
	read_flow(kserv_attribute_data(nest), kserv_attribute_len(nest), &flow);
	add_row(listing->table, &flow, listing->format == OUTPUT_WIDE);
	return 0;
}

static enum exit_code list(struct kserv_nl *nl, struct kserv_message *request, enum output_format format)
{
	bool is_tree = format == OUTPUT_JSON || format == OUTPUT_YAML;
	struct listing listing = { .format = format };
	struct kserv_nl_error words = { };
	int error;

	if (is_tree)
		print_list_begin(format);
	else
		listing.table = table_new(format == OUTPUT_WIDE ?
			"PROTOCOL\tCLIENT\tFRONTEND\tENDPOINT\tSTATE\tEXPIRES\tSERVICE\tFLAGS\tPACKETS IN\tBYTES IN\t"
			"PACKETS OUT\tBYTES OUT" :
			"PROTOCOL\tCLIENT\tFRONTEND\tENDPOINT\tSTATE\tEXPIRES\tSERVICE");
	error = kserv_nl_dump(nl, request, receive_flow, &listing, &words);
	/* Flows come and go while they are listed; that is no reason to begin again. */
	if (error == -EINTR)
		error = 0;
	if (is_tree)
		print_list_end(format);
	else
		table_print(listing.table);
	return error ? refused(error, &words) : DONE;
}

enum exit_code cmd_flows_list(int argc, const char **argv)
{
	struct kserv_message request;
	enum output_format format;
	enum exit_code code;
	struct kserv_nl *nl;

	if (argc)
		return usage_error("'%s' is too much; filters are options, as --client", argv[0]);
	if (!output_format(1 << OUTPUT_JSON | 1 << OUTPUT_YAML | 1 << OUTPUT_WIDE, &format))
		return USAGE;
	kserv_message_init(&request, KSERV_CMD_FLOW_GET);
	code = USAGE;
	if (put_filter(&request))
		code = open_kernel(&nl);
	if (!code) {
		code = list(nl, &request, format);
		kserv_nl_close(nl);
	}
	kserv_message_clear(&request);
	return code;
}

static int receive_deleted(void *context, struct nlattr *const *attributes, const struct nlattr *first, size_t len)
{
	(void)first;
	(void)len;
	if (attributes[KSERV_A_MESSAGE_DELETED])
		*(uint32_t *)context = kserv_attribute_u32(attributes[KSERV_A_MESSAGE_DELETED]);
	return 0;
}

static enum exit_code delete(struct kserv_message *request)
{
	struct kserv_nl_error words = { };
	uint32_t deleted = 0;
	enum exit_code code;
	struct kserv_nl *nl;
	int error;

	code = open_kernel(&nl);
	if (code)
		return code;
	error = kserv_nl_request(nl, request, receive_deleted, &deleted, &words);
	kserv_nl_close(nl);
	if (error)
		return refused(error, &words);
	printf("%u flow%s deleted\n", deleted, deleted == 1 ? "" : "s");
	return DONE;
}

enum exit_code cmd_flows_del(int argc, const char **argv)
{
	bool filter = given.service || given.client || given.frontend || given.endpoint || given.protocol || given.family;
	struct kserv_message request;
	enum exit_code code = USAGE;

	if (argc)
		return usage_error("'%s' is too much; filters are options, as --client", argv[0]);
	if (!filter && !given.all)
		return usage_error("which flows? give a filter, or --all");
	kserv_message_init(&request, KSERV_CMD_FLOW_DEL);
	if (put_filter(&request))
		code = delete(&request);
	kserv_message_clear(&request);
	return code;
}
