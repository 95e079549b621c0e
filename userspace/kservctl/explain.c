// SPDX-License-Identifier: GPL-2.0
/* kservctl explain */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/arguments.h"
#include "kservctl/commands.h"
#include "kservctl/flow.h"
#include "lib/place.h"

static char *interface;
static int from_process;

struct poptOption explain_options[] = {
	{ "from-process", '\0', POPT_ARG_NONE, &from_process, 0, "as if a process of this node had sent it", NULL },
	{ "interface", 'i', POPT_ARG_STRING, &interface, 0, "as if it had come in here; else, where SRC is reached",
	  "DEVICE" },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	POPT_TABLEEND
};

const char explain_more[] =
	"Asks the code that decides about packets; nothing is sent and no flow is made. PROTOCOL is tcp (unless given),\n"
	"udp, sctp, or icmp for a ping, which has no ports.\n"
	"\n"
	"In JSON: verdict (translate, reject, drop or pass), reason, service, frontend, frontend-type, source (pod, node\n"
	"or other), set (cluster or local), set-reason (policy-cluster, policy-local or short-circuit), masquerade-reason\n"
	"(a flag of the frontend), endpoints [{address, port, masquerade, weight}] that may be chosen, and excluded\n"
	"[{address, port, reason}]; existing-flow {address, port} if there is one, which the packet follows;\n"
	"answered: true for a ping that this node answers itself.\n"
	"docs/explain.md has all words.\n"
	"\n"
	"  kservctl explain 10.244.1.5 10.96.0.10:80\n"
	"  kservctl explain [fd00::5]:40000 [fd00:96::10]:53/udp -o json\n";

struct question {
	struct kserv_addr source, destination;
	uint16_t source_port, destination_port;
	uint8_t protocol;
};

/* ADDRESS:PORT[/PROTOCOL], or ADDRESS/icmp. */
static bool parse_destination(const char *text, struct question *question)
{
	const char *slash = strchr(text, '/'), *why;
	char address[KSERV_ADDR_TEXT + 1];
	bool ping = slash && (!strcasecmp(slash + 1, "icmp") || !strcasecmp(slash + 1, "icmpv6"));

	question->protocol = slash ? kserv_protocol_parse(slash + 1) : IPPROTO_TCP;
	if (!question->protocol && !ping) {
		usage_error("destination %s: its protocol is tcp, udp, sctp or icmp", text);
		return false;
	}
	snprintf(address, sizeof(address), "%.*s", slash ? (int)(slash - text) : KSERV_ADDR_TEXT, text);
	if (kserv_addr_maybe_port_parse(address, &question->destination, &question->destination_port, &why)) {
		usage_error("destination %s: %s", text, why);
		return false;
	}
	if (ping)
		question->protocol = question->destination.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	if (ping != !question->destination_port) {
		usage_error("destination %s: %s", text, ping ? "a ping has no port" : "it has no port");
		return false;
	}
	return true;
}

static bool parse_question(int argc, const char **argv, struct question *question)
{
	const char *why;

	if (argc != 2) {
		usage_error("a source and a destination are needed, as 10.244.1.5 10.96.0.10:80/tcp");
		return false;
	}
	if (kserv_addr_maybe_port_parse(argv[0], &question->source, &question->source_port, &why)) {
		usage_error("source %s: %s", argv[0], why);
		return false;
	}
	if (!parse_destination(argv[1], question))
		return false;
	if (question->source.family != question->destination.family) {
		usage_error("%s and %s are of different address families", argv[0], argv[1]);
		return false;
	}
	if (interface && strlen(interface) > 15) {
		usage_error("--interface %s: a name of a device has at most 15 characters", interface);
		return false;
	}
	return true;
}

static void put_question(struct kserv_message *request, const struct question *question)
{
	size_t nest, flow;

	nest = kserv_message_nest(request, KSERV_A_MESSAGE_EXPLAIN);
	flow = kserv_message_nest(request, KSERV_A_EXPLAIN_FLOW);
	kserv_message_put_u8(request, KSERV_A_FLOW_FAMILY, question->source.family);
	kserv_message_put_u8(request, KSERV_A_FLOW_PROTOCOL, question->protocol);
	kserv_message_put_addr(request, KSERV_A_FLOW_CLIENT4, KSERV_A_FLOW_CLIENT6, &question->source);
	if (question->source_port)
		kserv_message_put_be16(request, KSERV_A_FLOW_CLIENT_PORT, question->source_port);
	kserv_message_put_addr(request, KSERV_A_FLOW_FRONTEND4, KSERV_A_FLOW_FRONTEND6, &question->destination);
	if (question->destination_port)
		kserv_message_put_be16(request, KSERV_A_FLOW_FRONTEND_PORT, question->destination_port);
	kserv_message_nest_end(request, flow);
	if (from_process)
		kserv_message_put_flag(request, KSERV_A_EXPLAIN_FROM_PROCESS);
	if (interface)
		kserv_message_put_string(request, KSERV_A_EXPLAIN_INTERFACE, interface);
	kserv_message_nest_end(request, nest);
}

struct choice {
	struct kserv_addr addr;
	uint16_t port, weight;
	bool masquerade, sticky;
	uint8_t reason;
};

struct answer {
	uint8_t verdict, reason, source, frontend_type, frontend_flags;
	bool has_frontend, local_set, is_sticky, is_answered;
	struct kserv_addr flow_endpoint;
	uint16_t flow_port;
	char service[KSERV_NAME_LEN + 1];
	struct choice *choices;
	size_t n_choices;
};

static void read_choice(const struct nlattr *nest, struct answer *answer)
{
	struct choice *choice, *v;
	const struct nlattr *attribute;

	v = realloc(answer->choices, (answer->n_choices + 1) * sizeof(*v));
	if (!v)
		no_memory();
	answer->choices = v;
	choice = &v[answer->n_choices++];
	memset(choice, 0, sizeof(*choice));
	kserv_for_each_attribute(attribute, (const struct nlattr *)kserv_attribute_data(nest), kserv_attribute_len(nest)) {
		switch (attribute->nla_type & NLA_TYPE_MASK) {
		case KSERV_A_CHOICE_ADDR4:
		case KSERV_A_CHOICE_ADDR6:
			kserv_attribute_addr(attribute, &choice->addr);
			break;
		case KSERV_A_CHOICE_PORT:
			choice->port = ntohs(kserv_attribute_u16(attribute));
			break;
		case KSERV_A_CHOICE_WEIGHT:
			choice->weight = kserv_attribute_u16(attribute);
			break;
		case KSERV_A_CHOICE_MASQUERADE:
			choice->masquerade = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_CHOICE_REASON:
			choice->reason = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_CHOICE_STICKY:
			choice->sticky = true;
			answer->is_sticky = true;
			break;
		}
	}
}

static void read_frontend(const struct nlattr *nest, struct answer *answer)
{
	const struct nlattr *attribute;

	answer->has_frontend = true;
	kserv_for_each_attribute(attribute, (const struct nlattr *)kserv_attribute_data(nest), kserv_attribute_len(nest)) {
		if ((attribute->nla_type & NLA_TYPE_MASK) == KSERV_A_FRONTEND_TYPE)
			answer->frontend_type = kserv_attribute_u8(attribute);
		else if ((attribute->nla_type & NLA_TYPE_MASK) == KSERV_A_FRONTEND_FLAGS)
			answer->frontend_flags = kserv_attribute_u8(attribute);
	}
}

/* A ping of a load-balancer address is no business of any Service's, whoever answers it. */
static void settle_answered(struct answer *answer)
{
	if (answer->verdict != KSERV_VERDICT_ANSWER)
		return;
	answer->is_answered = true;
	answer->verdict = KSERV_VERDICT_PASS;
	answer->reason = KSERV_REASON_NO_FRONTEND;
}

static int receive(void *context, struct nlattr *const *attributes, const struct nlattr *first, size_t len)
{
	const struct nlattr *nest = attributes[KSERV_A_MESSAGE_EXPLAIN], *attribute;
	struct answer *answer = context;
	struct flow flow;

	(void)first;
	(void)len;
	if (!nest)
		return 0;
	kserv_for_each_attribute(attribute, (const struct nlattr *)kserv_attribute_data(nest), kserv_attribute_len(nest)) {
		switch (attribute->nla_type & NLA_TYPE_MASK) {
		case KSERV_A_EXPLAIN_VERDICT:
			answer->verdict = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_EXPLAIN_REASON:
			answer->reason = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_EXPLAIN_SERVICE:
			snprintf(answer->service, sizeof(answer->service), "%.*s", (int)kserv_attribute_len(attribute),
				 (const char *)kserv_attribute_data(attribute));
			break;
		case KSERV_A_EXPLAIN_FRONTEND:
			read_frontend(attribute, answer);
			break;
		case KSERV_A_EXPLAIN_SOURCE:
			answer->source = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_EXPLAIN_LOCAL_SET:
			answer->local_set = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_EXPLAIN_CHOICE:
			read_choice(attribute, answer);
			break;
		case KSERV_A_EXPLAIN_FLOW:
			read_flow(kserv_attribute_data(attribute), kserv_attribute_len(attribute), &flow);
			answer->flow_endpoint = flow.endpoint;
			answer->flow_port = flow.endpoint_port;
			break;
		}
	}
	settle_answered(answer);
	return 0;
}

/* Why the endpoint may not be chosen now; NULL if it may. */
static const char *left_out(const struct answer *answer, const struct choice *choice)
{
	if (choice->reason)
		return kserv_word(&kserv_words_reason, choice->reason);
	if (answer->verdict == KSERV_VERDICT_TRANSLATE && answer->is_sticky && !choice->sticky)
		return "session-affinity";
	return NULL;
}

/* Why the set is the one it is. */
static const char *set_reason(const struct answer *answer)
{
	if (!(answer->frontend_flags & KSERV_FRONTEND_FLAGS_LOCAL_SET))
		return "policy-cluster";
	return answer->local_set ? "policy-local" : "short-circuit";
}

/* The frontend's flag by which sources of this kind are masqueraded; NULL if they are not. */
static const char *masquerade_reason(const struct answer *answer)
{
	static const uint8_t flags[] = {
		[KSERV_SOURCE_TYPE_OTHER] = KSERV_FRONTEND_FLAGS_MASQUERADE_OTHER,
		[KSERV_SOURCE_TYPE_POD] = KSERV_FRONTEND_FLAGS_MASQUERADE_POD,
		[KSERV_SOURCE_TYPE_NODE] = KSERV_FRONTEND_FLAGS_MASQUERADE_NODE,
	};
	uint8_t flag = answer->source < sizeof(flags) ? answer->frontend_flags & flags[answer->source] : 0;

	return flag ? kserv_word(&kserv_words_frontend_flags, __builtin_ctz(flag)) : NULL;
}

/* Why packets to this endpoint are masqueraded. Rule 5.9: one that is the source itself must not see its own address. */
static const char *choice_masquerade(const struct answer *answer)
{
	const char *rule = masquerade_reason(answer);

	return rule ? rule : "hairpin";
}

static cJSON *choice_tree(const struct answer *answer, const struct choice *choice, const char *reason)
{
	cJSON *tree = cJSON_CreateObject();
	char address[KSERV_ADDR_TEXT];

	cJSON_AddStringToObject(tree, "address", kserv_addr_format(&choice->addr, address));
	cJSON_AddNumberToObject(tree, "port", choice->port);
	if (reason) {
		cJSON_AddStringToObject(tree, "reason", reason);
		return tree;
	}
	cJSON_AddBoolToObject(tree, "masquerade", choice->masquerade);
	if (choice->masquerade)
		cJSON_AddStringToObject(tree, "masquerade-reason", choice_masquerade(answer));
	cJSON_AddNumberToObject(tree, "weight", choice->weight);
	return tree;
}

/* "10.96.0.10:80/tcp" */
static const char *format_destination(const struct question *question, char *buffer, size_t size)
{
	char address[KSERV_ADDR_TEXT];

	if (question->destination_port)
		kserv_addr_port_format(&question->destination, question->destination_port, address);
	else
		kserv_addr_format(&question->destination, address);
	snprintf(buffer, size, "%s/%s", address, kserv_protocol_name(question->protocol));
	return buffer;
}

static cJSON *answer_tree(const struct question *question, const struct answer *answer)
{
	cJSON *tree = cJSON_CreateObject(), *endpoints = cJSON_CreateArray(), *excluded = cJSON_CreateArray(), *flow;
	char destination[KSERV_ADDR_TEXT + 8];
	size_t i;

	cJSON_AddStringToObject(tree, "verdict", kserv_word(&kserv_words_verdict, answer->verdict));
	cJSON_AddStringToObject(tree, "reason", kserv_word(&kserv_words_reason, answer->reason));
	cJSON_AddStringToObject(tree, "service", answer->service);
	cJSON_AddStringToObject(tree, "frontend", answer->has_frontend ?
				format_destination(question, destination, sizeof(destination)) : "");
	if (answer->has_frontend) {
		cJSON_AddStringToObject(tree, "source", kserv_word(&kserv_words_source_type, answer->source));
		cJSON_AddStringToObject(tree, "frontend-type",
					kserv_word(&kserv_words_frontend_type, answer->frontend_type));
		cJSON_AddStringToObject(tree, "set", answer->local_set ? "local" : "cluster");
		cJSON_AddStringToObject(tree, "set-reason", set_reason(answer));
		if (masquerade_reason(answer))
			cJSON_AddStringToObject(tree, "masquerade-reason", masquerade_reason(answer));
	}
	cJSON_AddItemToObject(tree, "endpoints", endpoints);
	cJSON_AddItemToObject(tree, "excluded", excluded);
	for (i = 0; i < answer->n_choices; i++) {
		const char *reason = left_out(answer, &answer->choices[i]);

		cJSON_AddItemToArray(reason ? excluded : endpoints, choice_tree(answer, &answer->choices[i], reason));
	}
	if (answer->is_answered)
		cJSON_AddTrueToObject(tree, "answered");
	if (answer->flow_endpoint.family) {
		flow = cJSON_AddObjectToObject(tree, "existing-flow");
		cJSON_AddStringToObject(flow, "address", kserv_addr_format(&answer->flow_endpoint, destination));
		cJSON_AddNumberToObject(flow, "port", answer->flow_port);
	}
	return tree;
}

static void print_choices(const struct answer *answer)
{
	const char *reason, *heading = "endpoints";
	char address[KSERV_ADDR_TEXT];
	size_t i;

	for (i = 0; i < answer->n_choices; i++) {
		const struct choice *choice = &answer->choices[i];

		if (left_out(answer, choice))
			continue;
		printf("%-11s%s weight %u", heading, kserv_addr_port_format(&choice->addr, choice->port, address),
		       choice->weight);
		if (choice->masquerade)
			printf(", masqueraded (%s)", choice_masquerade(answer));
		puts(choice->sticky ? ", remembered by session affinity" : "");
		heading = "";
	}
	heading = "left out";
	for (i = 0; i < answer->n_choices; i++) {
		reason = left_out(answer, &answer->choices[i]);
		if (!reason)
			continue;
		printf("%-11s%s: %s\n", heading,
		       kserv_addr_port_format(&answer->choices[i].addr, answer->choices[i].port, address), reason);
		heading = "";
	}
}

/* The reason as a sentence, NULL where the word says it all. */
static const char *reason_sentence(uint8_t reason)
{
	static const char *const sentences[] = {
		[KSERV_REASON_NO_FRONTEND] = "no service has this address, protocol and port",
		[KSERV_REASON_NOT_A_NODE_PORT_ADDRESS] =
			"it is a node port, but not on an address of this node that accepts node ports",
		[KSERV_REASON_UNDEFINED_PORT] = "the address is a cluster IP, but its service has no such port",
		[KSERV_REASON_UNALLOCATED_ADDRESS] = "the address lies in a service CIDR, but no service has it",
		[KSERV_REASON_NO_ENDPOINTS] = "the service has no usable endpoint anywhere",
		[KSERV_REASON_NO_LOCAL_ENDPOINTS] = "the policy is Local, and the usable endpoints are on other nodes",
		[KSERV_REASON_SOURCE_NOT_ALLOWED] = "the source is in none of the service's loadBalancerSourceRanges",
	};

	return reason < sizeof(sentences) / sizeof(*sentences) ? sentences[reason] : NULL;
}

static void print_text(const struct question *question, const struct answer *answer)
{
	char destination[KSERV_ADDR_TEXT + 8], address[KSERV_ADDR_TEXT];

	printf("%-11s%s", "verdict", kserv_word(&kserv_words_verdict, answer->verdict));
	printf(answer->reason ? ": %s\n" : "\n", kserv_word(&kserv_words_reason, answer->reason));
	if (reason_sentence(answer->reason))
		printf("%-11s%s\n", "because", reason_sentence(answer->reason));
	if (answer->is_answered)
		printf("%-11s%s\n", "answered", "by this node, as it is a ping of a load-balancer address");
	if (answer->flow_endpoint.family)
		printf("%-11sthere is one to %s, which this packet follows; the rest is for a new one\n", "flow",
		       kserv_addr_port_format(&answer->flow_endpoint, answer->flow_port, address));
	if (answer->service[0])
		printf("%-11s%s\n", "service", answer->service);
	if (answer->has_frontend)
		printf("%-11s%s, %s\n", "frontend", format_destination(question, destination, sizeof(destination)),
		       kserv_word(&kserv_words_frontend_type, answer->frontend_type));
	if (!answer->has_frontend)
		return;
	printf("%-11s%s\n", "source", kserv_word(&kserv_words_source_type, answer->source));
	printf("%-11s%s (%s)\n", "set", answer->local_set ? "local" : "cluster", set_reason(answer));
	print_choices(answer);
}

static enum exit_code ask(struct kserv_nl *nl, const struct question *question, enum output_format format)
{
	struct kserv_nl_error words = { };
	struct kserv_message request;
	struct answer answer = { };
	int error;

	kserv_message_init(&request, KSERV_CMD_EXPLAIN);
	put_question(&request, question);
	error = kserv_nl_request(nl, &request, receive, &answer, &words);
	kserv_message_clear(&request);
	if (!error && format == OUTPUT_TABLE)
		print_text(question, &answer);
	else if (!error)
		print_tree(answer_tree(question, &answer), format);
	free(answer.choices);
	return error ? refused(error, &words) : DONE;
}

enum exit_code cmd_explain(int argc, const char **argv)
{
	struct question question = { };
	enum output_format format;
	enum exit_code code;
	struct kserv_nl *nl;

	if (!output_format(1 << OUTPUT_JSON | 1 << OUTPUT_YAML, &format) || !parse_question(argc, argv, &question))
		return USAGE;
	code = open_kernel(&nl);
	if (code)
		return code;
	code = ask(nl, &question, format);
	kserv_nl_close(nl);
	return code;
}
