// SPDX-License-Identifier: GPL-2.0
/* kservctl sessions */
#include <stdio.h>
#include "kservctl/collect.h"
#include "kservctl/commands.h"
#include "kservctl/flow.h"
#include "lib/json.h"
#include "lib/place.h"

struct poptOption sessions_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static void add_row(struct table *table, const struct nlattr *first, size_t len)
{
	char service[KSERV_NAME_LEN + 1] = "", client[KSERV_ADDR_TEXT] = "", endpoint[KSERV_ADDR_TEXT];
	struct kserv_addr addr = { }, from;
	const struct nlattr *attribute;
	uint64_t expires_ms = 0;
	uint8_t protocol = 0;
	uint16_t port = 0;

	kserv_for_each_attribute(attribute, first, len) {
		switch (attribute->nla_type & NLA_TYPE_MASK) {
		case KSERV_A_SESSION_SERVICE:
			snprintf(service, sizeof(service), "%.*s", (int)kserv_attribute_len(attribute),
				 (const char *)kserv_attribute_data(attribute));
			break;
		case KSERV_A_SESSION_PROTOCOL:
			protocol = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_SESSION_CLIENT4:
		case KSERV_A_SESSION_CLIENT6:
			kserv_attribute_addr(attribute, &from);
			kserv_addr_format(&from, client);
			break;
		case KSERV_A_SESSION_ENDPOINT4:
		case KSERV_A_SESSION_ENDPOINT6:
			kserv_attribute_addr(attribute, &addr);
			break;
		case KSERV_A_SESSION_ENDPOINT_PORT:
			port = ntohs(kserv_attribute_u16(attribute));
			break;
		case KSERV_A_SESSION_EXPIRES_MS:
			expires_ms = kserv_attribute_u64(attribute);
			break;
		}
	}
	table_row(table, "%s\t%s\t%s\t%s\t%llus", service, kserv_protocol_name(protocol), client,
		  kserv_addr_port_format(&addr, port, endpoint), (unsigned long long)(expires_ms + 999) / 1000);
}

static void print_sessions(const struct nests *nests, enum output_format format)
{
	const struct nlattr *first;
	struct table *table;
	size_t pos = 0, len;

	if (format == OUTPUT_TABLE) {
		table = table_new("SERVICE\tPROTOCOL\tCLIENT\tENDPOINT\tEXPIRES");
		while ((first = nests_next(nests, &pos, &len)))
			add_row(table, first, len);
		table_print(table);
		return;
	}
	print_list_begin(format);
	while ((first = nests_next(nests, &pos, &len)))
		print_list_item(kserv_json(&kserv_attributes_session, first, len), format);
	print_list_end(format);
}

enum exit_code cmd_sessions(int argc, const char **argv)
{
	struct kserv_message request;
	enum output_format format;
	struct nests nests;
	enum exit_code code;
	struct kserv_nl *nl;

	if (argc)
		return usage_error("'%s' is too much", argv[0]);
	if (!output_format(1 << OUTPUT_JSON | 1 << OUTPUT_YAML, &format))
		return USAGE;
	code = open_kernel(&nl);
	if (code)
		return code;
	kserv_message_init(&request, KSERV_CMD_SESSION_GET);
	code = collect(nl, &request, KSERV_A_MESSAGE_SESSION, &nests);
	kserv_nl_close(nl);
	if (code)
		return code;
	print_sessions(&nests, format);
	nests_clear(&nests);
	return DONE;
}
