// SPDX-License-Identifier: GPL-2.0
/* The netlink family and its short commands; transactions, dumps and explain have their own files. */
#include <linux/module.h>
#include <net/genetlink.h>

#include "kserv.h"
#include "config.h"
#include "flow.h"
#include "genl.h"
#include "stats.h"
#include "transaction.h"

static const struct genl_multicast_group groups[] = {
	[KSERV_NLGRP_MONITOR] = { .name = KSERV_MCGRP_MONITOR },
};

struct genl_family kserv_nl_family __ro_after_init = {
	.name = KSERV_FAMILY_NAME,
	.version = KSERV_FAMILY_VERSION,
	.maxattr = ARRAY_SIZE(kserv_message_nl_policy) - 1,
	.policy = kserv_message_nl_policy,
	.small_ops = kserv_nl_ops,
	.n_small_ops = ARRAY_SIZE(kserv_nl_ops),
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
	.netnsok = true,
	/* Each namespace has its own mutex. */
	.parallel_ops = true,
	.module = THIS_MODULE,
};

int kserv_nl_check_attrs(struct nlattr **attrs, int taken, struct netlink_ext_ack *extack)
{
	int type;

	for (type = 1; type <= kserv_nl_family.maxattr; type++)
		if (attrs[type] && type != taken)
			return kserv_refuse(extack, attrs[type], -EINVAL, "this command does not take this attribute");
	return 0;
}

static int set_filter_family(struct kserv_flow_filter *filter, u8 family, const struct nlattr *attr,
			     struct netlink_ext_ack *extack)
{
	if (filter->set & BIT(KSERV_FILTER_FAMILY) && filter->family != family)
		return kserv_refuse(extack, attr, -EINVAL, "the filter mixes IPv4 and IPv6");
	filter->set |= BIT(KSERV_FILTER_FAMILY);
	filter->family = family;
	return 0;
}

static int set_filter_addr(struct kserv_flow_filter *filter, enum kserv_flow_filter_bit bit,
			   union nf_inet_addr *addr, bool v6, const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	if (v6)
		addr->in6 = nla_get_in6_addr(attr);
	else
		addr->ip = nla_get_in_addr(attr);
	filter->set |= BIT(bit);
	return set_filter_family(filter, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4, attr, extack);
}

static int set_filter_port(struct kserv_flow_filter *filter, enum kserv_flow_filter_bit bit, __be16 *port,
			   const struct nlattr *attr)
{
	*port = nla_get_be16(attr);
	filter->set |= BIT(bit);
	return 0;
}

static int parse_filter_attr(const struct nlattr *attr, struct kserv_flow_filter *f, struct netlink_ext_ack *extack)
{
	switch (nla_type(attr)) {
	case KSERV_A_FLOW_FAMILY:
		return set_filter_family(f, nla_get_u8(attr), attr, extack);
	case KSERV_A_FLOW_PROTOCOL:
		f->protocol = nla_get_u8(attr);
		f->set |= BIT(KSERV_FILTER_PROTOCOL);
		return 0;
	case KSERV_A_FLOW_CLIENT4:
	case KSERV_A_FLOW_CLIENT6:
		return set_filter_addr(f, KSERV_FILTER_CLIENT, &f->client, nla_type(attr) == KSERV_A_FLOW_CLIENT6,
				       attr, extack);
	case KSERV_A_FLOW_CLIENT_PORT:
		return set_filter_port(f, KSERV_FILTER_CLIENT_PORT, &f->client_port, attr);
	case KSERV_A_FLOW_FRONTEND4:
	case KSERV_A_FLOW_FRONTEND6:
		return set_filter_addr(f, KSERV_FILTER_FRONTEND, &f->frontend,
				       nla_type(attr) == KSERV_A_FLOW_FRONTEND6, attr, extack);
	case KSERV_A_FLOW_FRONTEND_PORT:
		return set_filter_port(f, KSERV_FILTER_FRONTEND_PORT, &f->frontend_port, attr);
	case KSERV_A_FLOW_ENDPOINT4:
	case KSERV_A_FLOW_ENDPOINT6:
		return set_filter_addr(f, KSERV_FILTER_ENDPOINT, &f->endpoint,
				       nla_type(attr) == KSERV_A_FLOW_ENDPOINT6, attr, extack);
	case KSERV_A_FLOW_ENDPOINT_PORT:
		return set_filter_port(f, KSERV_FILTER_ENDPOINT_PORT, &f->endpoint_port, attr);
	case KSERV_A_FLOW_SERVICE:
		f->service = nla_data(attr);
		f->set |= BIT(KSERV_FILTER_SERVICE);
		return 0;
	default:
		return kserv_refuse(extack, attr, -EINVAL,
				    "flows are filtered by family, protocol, addresses, ports and service only");
	}
}

int kserv_nl_parse_filter(const struct nlattr *attr, struct kserv_flow_filter *filter, struct netlink_ext_ack *extack)
{
	const struct nlattr *member;
	int rem, ret;

	memset(filter, 0, sizeof(*filter));
	if (!attr)
		return 0;
	nla_for_each_nested(member, attr, rem) {
		ret = parse_filter_attr(member, filter, extack);
		if (ret)
			return ret;
	}
	return 0;
}

/* Room for an answer of that size. */
static struct sk_buff *reply_begin(struct genl_info *info, u8 command, size_t size, void **ret_header)
{
	struct sk_buff *skb = genlmsg_new(size, GFP_KERNEL);

	if (!skb)
		return NULL;
	*ret_header = genlmsg_put_reply(skb, info, &kserv_nl_family, 0, command);
	if (!*ret_header) {
		nlmsg_free(skb);
		return NULL;
	}
	return skb;
}

static int reply_end(struct sk_buff *skb, struct genl_info *info, void *header, int error)
{
	if (error) {
		nlmsg_free(skb);
		return error;
	}
	genlmsg_end(skb, header);
	return genlmsg_reply(skb, info);
}

static unsigned int prefix_count(const struct kserv_prefixes *prefixes)
{
	return prefixes ? prefixes->n : 0;
}

static size_t config_size(const struct kserv_config *config)
{
	unsigned int n = prefix_count(config->pod_cidrs) + prefix_count(config->service_cidrs) +
			 prefix_count(config->node_port_addresses);
	size_t prefix = nla_total_size(nla_total_size(sizeof(struct in6_addr)) + nla_total_size(1));

	return n * prefix + KSERV_A_CONFIG_MAX * nla_total_size(IFNAMSIZ);
}

static int put_config(struct sk_buff *skb, struct kserv_net *kn, const struct kserv_config *config)
{
	struct nlattr *nest = nla_nest_start(skb, KSERV_A_MESSAGE_CONFIG);

	if (!nest || kserv_config_put(skb, kn, config))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int kserv_nl_config_get_doit(struct sk_buff *request, struct genl_info *info)
{
	struct kserv_net *kn = kserv_pernet(genl_info_net(info));
	const struct kserv_config *config;
	struct sk_buff *skb;
	void *header;
	int ret;

	ret = kserv_nl_check_attrs(info->attrs, 0, info->extack);
	if (ret)
		return ret;
	mutex_lock(&kn->mutex);
	config = rcu_dereference_protected(kn->config, lockdep_is_held(&kn->mutex));
	skb = reply_begin(info, KSERV_CMD_CONFIG_GET, config_size(config), &header);
	ret = skb ? put_config(skb, kn, config) : -ENOMEM;
	mutex_unlock(&kn->mutex);
	return skb ? reply_end(skb, info, header, ret) : ret;
}

int kserv_nl_flow_del_doit(struct sk_buff *request, struct genl_info *info)
{
	struct kserv_net *kn = kserv_pernet(genl_info_net(info));
	struct kserv_flow_filter filter;
	struct sk_buff *skb;
	void *header;
	int ret;

	ret = kserv_nl_check_attrs(info->attrs, KSERV_A_MESSAGE_FLOW, info->extack) ?:
	      kserv_nl_parse_filter(info->attrs[KSERV_A_MESSAGE_FLOW], &filter, info->extack);
	if (ret)
		return ret;
	skb = reply_begin(info, KSERV_CMD_FLOW_DEL, nla_total_size(sizeof(u32)), &header);
	if (!skb)
		return -ENOMEM;
	ret = nla_put_u32(skb, KSERV_A_MESSAGE_DELETED, kserv_flow_delete(kn, &filter));
	return reply_end(skb, info, header, ret);
}

int kserv_nl_stats_get_doit(struct sk_buff *request, struct genl_info *info)
{
	struct kserv_net *kn = kserv_pernet(genl_info_net(info));
	struct sk_buff *skb;
	void *header;
	int ret;

	ret = kserv_nl_check_attrs(info->attrs, 0, info->extack);
	if (ret)
		return ret;
	skb = reply_begin(info, KSERV_CMD_STATS_GET, KSERV_STATS_SIZE, &header);
	if (!skb)
		return -ENOMEM;
	return reply_end(skb, info, header, kserv_stats_put(skb, kn));
}
