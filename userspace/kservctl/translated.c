// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "kservctl/translated.h"
#include "lib/dump.h"

/* Where a connection was begun to, without padding; the address of a node port is of family AF_UNSPEC. */
struct target {
	uint8_t addr[16];
	uint16_t port;
	uint8_t family, protocol;
};

struct count {
	struct target *targets;
	size_t n_targets, n;
};

static int compare_targets(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct target));
}

static bool is_target(const struct count *count, struct target *target)
{
	if (!count->n_targets ||
	    bsearch(target, count->targets, count->n_targets, sizeof(*target), compare_targets))
		return true;
	memset(target->addr, 0, sizeof(target->addr));
	target->family = AF_UNSPEC;
	return bsearch(target, count->targets, count->n_targets, sizeof(*target), compare_targets);
}

/* False for what has no ports. */
static bool read_target(struct nlattr *tuple, struct target *ret)
{
	struct nlattr *tb[CTA_TUPLE_MAX + 1], *ip[CTA_IP_MAX + 1], *proto[CTA_PROTO_MAX + 1];

	memset(ret, 0, sizeof(*ret));
	if (nla_parse_nested(tb, CTA_TUPLE_MAX, tuple, NULL) || !tb[CTA_TUPLE_IP] || !tb[CTA_TUPLE_PROTO] ||
	    nla_parse_nested(ip, CTA_IP_MAX, tb[CTA_TUPLE_IP], NULL) ||
	    nla_parse_nested(proto, CTA_PROTO_MAX, tb[CTA_TUPLE_PROTO], NULL) ||
	    !proto[CTA_PROTO_NUM] || !proto[CTA_PROTO_DST_PORT])
		return false;
	if (ip[CTA_IP_V4_DST] && nla_len(ip[CTA_IP_V4_DST]) == 4) {
		ret->family = AF_INET;
		memcpy(ret->addr, nla_data(ip[CTA_IP_V4_DST]), 4);
	} else if (ip[CTA_IP_V6_DST] && nla_len(ip[CTA_IP_V6_DST]) == 16) {
		ret->family = AF_INET6;
		memcpy(ret->addr, nla_data(ip[CTA_IP_V6_DST]), 16);
	} else {
		return false;
	}
	ret->protocol = nla_get_u8(proto[CTA_PROTO_NUM]);
	ret->port = ntohs(nla_get_u16(proto[CTA_PROTO_DST_PORT]));
	return true;
}

static int receive(struct nl_msg *message, void *context)
{
	struct nlattr *tb[CTA_MAX + 1];
	struct count *count = context;
	struct target target;

	if (nlmsg_parse(nlmsg_hdr(message), sizeof(struct nfgenmsg), tb, CTA_MAX, NULL) || !tb[CTA_STATUS] ||
	    !tb[CTA_TUPLE_ORIG] || !(ntohl(nla_get_u32(tb[CTA_STATUS])) & IPS_DST_NAT))
		return NL_OK;
	count->n += read_target(tb[CTA_TUPLE_ORIG], &target) && is_target(count, &target);
	return NL_OK;
}

static int dump(struct count *count)
{
	struct nfgenmsg header = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 };
	struct nl_sock *socket = nl_socket_alloc();
	int ret;

	if (!socket)
		return -ENOMEM;
	nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, receive, count);
	ret = nl_connect(socket, NETLINK_NETFILTER);
	if (!ret)
		ret = nl_send_simple(socket, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, &header,
				     sizeof(header));
	if (ret >= 0)
		ret = nl_recvmsgs_default(socket);
	nl_socket_free(socket);
	/* libnl has numbers of its own; what is missing is connection tracking. */
	return ret < 0 ? -EOPNOTSUPP : 0;
}

static void set_target(struct target *target, const struct kserv_service *service, size_t i)
{
	const struct kserv_frontend *frontend = &service->frontends[i];

	if (frontend->addr.family == AF_INET)
		memcpy(target->addr, &frontend->addr.v4, 4);
	else if (frontend->addr.family == AF_INET6)
		memcpy(target->addr, &frontend->addr.v6, 16);
	target->family = frontend->addr.family;
	target->port = frontend->port;
	target->protocol = service->protocol;
}

/* Without the module there are none. */
static void read_targets(struct count *count)
{
	struct kserv_tables tables;
	struct kserv_nl *nl;
	size_t i, j;

	if (kserv_nl_open(&nl, NULL))
		return;
	if (!kserv_dump(nl, KSERV_DUMP_SERVICES, NULL, &tables, NULL)) {
		for (i = 0; i < tables.n_services; i++) {
			for (j = 0; j < tables.services[i].n_frontends; j++) {
				count->targets = kserv_must_grow(count->targets, count->n_targets, sizeof(*count->targets));
				set_target(&count->targets[count->n_targets++], &tables.services[i], j);
			}
		}
		kserv_tables_clear(&tables);
	}
	kserv_nl_close(nl);
	if (count->n_targets)
		qsort(count->targets, count->n_targets, sizeof(*count->targets), compare_targets);
}

int translated_count(size_t *ret_n)
{
	struct count count = { 0 };
	int ret;

	read_targets(&count);
	ret = dump(&count);
	free(count.targets);
	*ret_n = count.n;
	return ret;
}
