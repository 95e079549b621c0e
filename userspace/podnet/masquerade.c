// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "lib/addr.h"
#include "podnet/masquerade.h"

#define TABLE		"table inet kserv"
/* A table that is not there cannot be deleted, but one that is can be added. */
#define REMOVE		"add " TABLE "\ndelete " TABLE "\n"
/* Ports below are for those who ask for them. */
#define PORT_MIN	1024
#define WITH_PORTS	"\t\tmeta l4proto { tcp, udp, sctp } "

static void add_prefixes(struct kserv_text *text, const struct kserv_prefixes *list, uint8_t family)
{
	const char *comma = "";
	char address[KSERV_ADDR_TEXT];
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (list->v[i].addr.family != family)
			continue;
		kserv_text_printf(text, "%s%s", comma, kserv_prefix_format(&list->v[i], address));
		comma = ", ";
	}
}

static bool has_family(const struct kserv_prefixes *list, uint8_t family)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->v[i].addr.family == family)
			return true;
	return false;
}

/* Sets, since a rule takes no list of nothing, and no list in which one CIDR holds another. */
static void add_set(struct kserv_text *text, const char *name, const struct kserv_prefixes *list, uint8_t family)
{
	kserv_text_printf(text, "\tset %s%c {\n\t\ttype ipv%c_addr\n\t\tflags interval\n\t\tauto-merge\n", name,
			  family == AF_INET6 ? '6' : '4', family == AF_INET6 ? '6' : '4');
	if (has_family(list, family)) {
		kserv_text_add(text, "\t\telements = { ");
		add_prefixes(text, list, family);
		kserv_text_add(text, " }\n");
	}
	kserv_text_add(text, "\t}\n");
}

/* A port stays what it is if it can, and never becomes a node port. */
static void add_ports(struct kserv_text *text, uint16_t node_port_min, uint16_t node_port_max)
{
	bool above = node_port_max < UINT16_MAX, below = node_port_min > PORT_MIN;

	if (above && below)
		kserv_text_printf(text, WITH_PORTS "th sport > %u masquerade to :%u-65535\n", node_port_max,
				  node_port_max + 1);
	if (below)
		kserv_text_printf(text, WITH_PORTS "masquerade to :%u-%u\n", PORT_MIN, node_port_min - 1);
	else if (above)
		kserv_text_printf(text, WITH_PORTS "masquerade to :%u-65535\n", node_port_max + 1);
}

char *kserv_masquerade_text(const struct kserv_prefixes *pods, const struct kserv_prefixes *inside,
			    uint16_t node_port_min, uint16_t node_port_max)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct kserv_text text = { 0 };
	size_t i;

	kserv_text_add(&text, TABLE " {\n");
	for (i = 0; i < 2; i++) {
		add_set(&text, "pods", pods, families[i]);
		add_set(&text, "inside", inside, families[i]);
	}
	kserv_text_add(&text, "\tchain leave {\n");
	add_ports(&text, node_port_min, node_port_max);
	kserv_text_add(&text, "\t\tmasquerade\n\t}\n"
		       "\tchain postrouting {\n"
		       "\t\ttype nat hook postrouting priority srcnat; policy accept;\n"
		       "\t\tip saddr @pods4 ip daddr != @inside4 goto leave\n"
		       "\t\tip6 saddr @pods6 ip6 daddr != @inside6 goto leave\n"
		       "\t}\n"
		       "}\n");
	return kserv_text_take(&text);
}

/* One run of nft. Return: 0 and what it says, or -EIO and its complaint; the caller frees both. */
static int run(const char *commands, char **ret_said)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	int error;

	if (!nft || nft_ctx_buffer_output(nft) || nft_ctx_buffer_error(nft))
		abort();
	error = nft_run_cmd_from_buffer(nft, commands) ? -EIO : 0;
	*ret_said = kserv_must_strdup(error ? nft_ctx_get_error_buffer(nft) : nft_ctx_get_output_buffer(nft));
	nft_ctx_free(nft);
	return error;
}

/* What the kernel holds; NULL if there is no such table. */
static char *list_table(void)
{
	char *said;

	if (!run("list " TABLE "\n", &said))
		return said;
	free(said);
	return NULL;
}

static int replace(const char *text, char **ret_why)
{
	char *commands = kserv_must_printf(REMOVE "%s", text ? text : ""), *said;
	int error = run(commands, &said);

	if (error)
		*ret_why = kserv_must_printf("packets of pods to the outside are not masqueraded as they should be; nftables: %.*s",
					     (int)strcspn(said, "\n"), said);
	free(said);
	free(commands);
	return error;
}

int kserv_masquerade_apply(struct kserv_masquerade *masquerade, const char *text, bool *ret_changed, char **ret_why)
{
	char *held = list_table();
	bool is_right;
	int error;

	*ret_why = NULL;
	if (text)
		is_right = masquerade->wanted && masquerade->held && held && !strcmp(masquerade->wanted, text) &&
			   !strcmp(masquerade->held, held);
	else
		is_right = !held;
	free(held);
	*ret_changed = false;
	if (is_right)
		return 0;
	kserv_masquerade_clear(masquerade);
	error = replace(text, ret_why);
	if (error)
		return error;
	*ret_changed = true;
	if (text) {
		masquerade->wanted = kserv_must_strdup(text);
		masquerade->held = list_table();
	}
	return 0;
}

void kserv_masquerade_clear(struct kserv_masquerade *masquerade)
{
	free(masquerade->wanted);
	free(masquerade->held);
	*masquerade = (struct kserv_masquerade){ 0 };
}
