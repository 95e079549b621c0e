// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include "bgp/bird.h"
#include "cluster/memory.h"
#include "lib/addr.h"

static char digit(uint8_t family)
{
	return family == AF_INET ? '4' : '6';
}

static bool has_family(const struct kserv_bgp_config *config, uint8_t family)
{
	size_t i;

	for (i = 0; i < config->n_peers; i++)
		if (config->peers[i].addr.family == family)
			return true;
	return false;
}

/* What is announced stands there as unreachable, which is told to nobody but peers. */
static void add_own(struct kserv_text *text, uint8_t family, const struct kserv_prefixes *own)
{
	char cidr[KSERV_ADDR_TEXT];
	size_t i;

	kserv_text_printf(text, "protocol static kserv_own%c {\n\tipv%c { table kserv%c; };\n", digit(family),
			  digit(family), digit(family));
	for (i = 0; i < own->n; i++)
		if (own->v[i].addr.family == family)
			kserv_text_printf(text, "\troute %s unreachable;\n", kserv_prefix_format(&own->v[i], cidr));
	kserv_text_add(text, "}\n\n");
}

static void add_table(struct kserv_text *text, uint8_t family, const struct kserv_prefixes *own)
{
	char n = digit(family);

	kserv_text_printf(text, "ipv%c table kserv%c;\n\n", n, n);
	add_own(text, family, own);
	kserv_text_printf(text,
			  "protocol pipe kserv_learned%c {\n"
			  "\ttable kserv%c;\n"
			  "\tpeer table master%c;\n"
			  "\timport none;\n"
			  "\texport where source = RTS_BGP;\n"
			  "}\n\n", n, n, n);
}

/* Nobody else says how this node's own pods and addresses are reached. */
static void add_import(struct kserv_text *text, uint8_t family, const struct kserv_prefixes *own)
{
	const char *between = "\t\timport where ! (net ~ [ ";
	char cidr[KSERV_ADDR_TEXT];
	bool any = false;
	size_t i;

	for (i = 0; i < own->n; i++) {
		if (own->v[i].addr.family != family)
			continue;
		kserv_text_printf(text, "%s%s+", between, kserv_prefix_format(&own->v[i], cidr));
		between = ", ";
		any = true;
	}
	kserv_text_add(text, any ? " ]);\n" : "\t\timport all;\n");
}

static void add_peer(struct kserv_text *text, const struct kserv_bgp_config *config, size_t index,
		     const struct kserv_addr *router_id, const struct kserv_prefixes *own)
{
	const struct kserv_bgp_peer *peer = &config->peers[index];
	char address[KSERV_ADDR_TEXT], n = digit(peer->addr.family);

	kserv_text_printf(text, "protocol bgp kserv_peer%zu%s%s {\n", index + 1, *peer->template ? " from " : "",
			  peer->template);
	if (router_id->family == AF_INET)
		kserv_text_printf(text, "\trouter id %s;\n", kserv_addr_format(router_id, address));
	kserv_text_printf(text, "\tlocal as %u;\n\tneighbor %s", config->asn, kserv_addr_format(&peer->addr, address));
	if (peer->port)
		kserv_text_printf(text, " port %u", peer->port);
	kserv_text_printf(text, " as %u;\n", peer->asn);
	if (peer->hops)
		kserv_text_printf(text, "\tmultihop %u;\n", peer->hops);
	kserv_text_printf(text, "\tipv%c {\n\t\ttable kserv%c;\n", n, n);
	add_import(text, peer->addr.family, own);
	kserv_text_add(text, "\t\texport where source = RTS_STATIC;\n\t\tnext hop self;\n\t};\n}\n\n");
}

char *kserv_bird_text(const struct kserv_bgp_config *config, const struct kserv_addr *router_id,
		      const struct kserv_prefixes *own)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct kserv_text text = { 0 };
	size_t i;

	kserv_text_add(&text, "# Made by kservd from its section bgp; what is changed here is lost.\n\n");
	for (i = 0; i < 2; i++)
		if (has_family(config, families[i]))
			add_table(&text, families[i], own);
	for (i = 0; i < config->n_peers; i++)
		add_peer(&text, config, i, router_id, own);
	return kserv_text_take(&text);
}
