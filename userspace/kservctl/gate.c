// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/flow.h"
#include "kservctl/gate.h"
#include "kservctl/spawn.h"
#include "lib/place.h"

/* Addresses: one without a port stands for all of its packets. */
struct lists {
	struct kserv_text addrs[2], to[2], from[2], ports;
};

static struct kserv_text *of_family(struct kserv_text *pair, const struct kserv_addr *addr)
{
	return &pair[addr->family == AF_INET6];
}

static void add_place(struct kserv_text *pair, const struct kserv_addr *addr, uint8_t protocol, uint16_t port)
{
	char text[KSERV_ADDR_TEXT];

	kserv_text_printf(of_family(pair, addr), "%s . %s . %u,\n", kserv_addr_format(addr, text),
			  kserv_protocol_name(protocol), port);
}

static void add_service(struct lists *lists, const struct kserv_service *service)
{
	const struct kserv_frontend *frontend;
	char text[KSERV_ADDR_TEXT];
	size_t i;

	for (i = 0; i < service->n_frontends; i++) {
		frontend = &service->frontends[i];
		if (frontend->type == KSERV_FRONTEND_TYPE_NODE_PORT)
			kserv_text_printf(&lists->ports, "%u,\n", frontend->port);
		else if (frontend->type == KSERV_FRONTEND_TYPE_CLUSTER_IP)
			kserv_text_printf(of_family(lists->addrs, &frontend->addr), "%s,\n",
					  kserv_addr_format(&frontend->addr, text));
		else
			add_place(lists->to, &frontend->addr, service->protocol, frontend->port);
	}
	for (i = 0; i < service->n_endpoints; i++)
		add_place(lists->from, &service->endpoints[i].addr, service->protocol, service->endpoints[i].port);
}

static void add_config(struct lists *lists, const struct kserv_config *config)
{
	char text[KSERV_ADDR_TEXT];
	size_t i;

	for (i = 0; i < config->service_cidrs.n; i++)
		kserv_text_printf(of_family(lists->addrs, &config->service_cidrs.v[i].addr), "%s,\n",
				  kserv_prefix_format(&config->service_cidrs.v[i], text));
	/* Answers to what was masqueraded; the node has no socket for them and would reset them. */
	if (config->masquerade_port_max)
		kserv_text_printf(&lists->ports, "%u-%u,\n", config->masquerade_port_min, config->masquerade_port_max);
}

/* Flows may have outlived their endpoint or frontend. */
static void add_past(struct lists *lists, const struct past *past)
{
	const struct nlattr *first, *attribute;
	size_t pos = 0, len;
	struct flow flow;

	while ((first = nests_next(&past->flows, &pos, &len))) {
		read_flow(first, len, &flow);
		add_place(lists->to, &flow.frontend, flow.protocol, flow.frontend_port);
		add_place(lists->from, &flow.endpoint, flow.protocol, flow.endpoint_port);
		kserv_for_each_attribute(attribute, first, len)
			if ((attribute->nla_type & NLA_TYPE_MASK) == KSERV_A_FLOW_MASQUERADE_PORT)
				kserv_text_printf(&lists->ports, "%u,\n", ntohs(kserv_attribute_u16(attribute)));
	}
}

static void add_set(struct kserv_text *script, const char *name, const char *type, struct kserv_text *elements,
		    bool interval)
{
	kserv_text_printf(script, "set %s { type %s; %s", name, type, interval ? "flags interval; auto-merge; " : "");
	if (elements->len)
		kserv_text_printf(script, "elements = {\n%s}\n", elements->s);
	kserv_text_add(script, "}\n");
	kserv_text_clear(elements);
}

/*
 * Before fragments are put together, which nobody may do in the gap. A later fragment has no ports and may pass, but
 * not the first one, without which it is nothing.
 */
static const char chain[] =
	"chain %s { type filter hook %s priority -450;\n"
	"ip daddr @addrs4 drop\n"
	"ip6 daddr @addrs6 drop\n"
	"ip daddr . meta l4proto . th dport @to4 drop\n"
	"ip6 daddr . meta l4proto . th dport @to6 drop\n"
	"ip saddr . meta l4proto . th sport @from4 drop\n"
	"ip6 saddr . meta l4proto . th sport @from6 drop\n"
	"fib daddr type local meta l4proto { tcp, udp, sctp } th dport @ports drop\n"
	"}\n";

static char *make_script(struct lists *lists)
{
	struct kserv_text script = { 0 };

	/* One that was left closed is replaced. */
	kserv_text_add(&script, "table inet kserv-upgrade\ndelete table inet kserv-upgrade\n"
			"table inet kserv-upgrade {\n");
	add_set(&script, "addrs4", "ipv4_addr", &lists->addrs[0], true);
	add_set(&script, "addrs6", "ipv6_addr", &lists->addrs[1], true);
	add_set(&script, "to4", "ipv4_addr . inet_proto . inet_service", &lists->to[0], false);
	add_set(&script, "to6", "ipv6_addr . inet_proto . inet_service", &lists->to[1], false);
	add_set(&script, "from4", "ipv4_addr . inet_proto . inet_service", &lists->from[0], false);
	add_set(&script, "from6", "ipv6_addr . inet_proto . inet_service", &lists->from[1], false);
	add_set(&script, "ports", "inet_service", &lists->ports, true);
	kserv_text_printf(&script, chain, "coming", "prerouting");
	kserv_text_printf(&script, chain, "own", "output");
	kserv_text_add(&script, "}\n");
	return kserv_text_take(&script);
}

static bool nft(const char *words[], const char *script)
{
	char *command[8] = { NULL };
	struct kserv_text output = { 0 };
	int code;

	memcpy(command, words, sizeof(command) - sizeof(command[0]));
	code = run_program(command, script, &output);
	if (code < 0)
		kserv_log_error("nft is not installed; it keeps packets off while they cannot be translated");
	else if (code)
		kserv_log_error("packets could not be kept off: %.*s", (int)strcspn(output.s ? output.s : "", "\n"),
				output.s ? output.s : "");
	kserv_text_clear(&output);
	return !code;
}

bool gate_close(const struct kserv_tables *tables, const struct past *past)
{
	const char *words[8] = { "nft", "-f", "-" };
	struct lists lists = { };
	char *script;
	bool closed;
	size_t i;

	add_config(&lists, &tables->config);
	for (i = 0; i < tables->n_services; i++)
		add_service(&lists, &tables->services[i]);
	add_past(&lists, past);
	script = make_script(&lists);
	closed = nft(words, script);
	free(script);
	return closed;
}

void gate_open(void)
{
	const char *words[8] = { "nft", "delete", "table", "inet", "kserv-upgrade" };

	if (!nft(words, NULL))
		kserv_log_error("packets of services are still dropped; to end that: %s", GATE_BY_HAND);
}
