// SPDX-License-Identifier: GPL-2.0
/* What would be decided for a packet, and why: asks the code that decides for packets, and shows its answer. */
#include <linux/icmpv6.h>
#include <linux/in.h>
#include <linux/inetdevice.h>
#include <linux/jiffies.h>
#include <linux/netdevice.h>
#include <net/genetlink.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "kserv.h"
#include "affinity.h"
#include "decide.h"
#include "event.h"
#include "flow.h"
#include "genl.h"
#include "pick.h"
#include "tables.h"
#include "transaction.h"

/* Bytes of one message beyond the frontend's sources; an answer with many endpoints takes several. */
#define PART_SIZE 15000

static int parse_addrs(struct kserv_tuple *tuple, struct nlattr **tb, const struct nlattr *attr,
		       struct netlink_ext_ack *extack)
{
	if (tb[KSERV_A_FLOW_CLIENT4] && tb[KSERV_A_FLOW_FRONTEND4]) {
		tuple->family = NFPROTO_IPV4;
		tuple->src.ip = nla_get_in_addr(tb[KSERV_A_FLOW_CLIENT4]);
		tuple->dst.ip = nla_get_in_addr(tb[KSERV_A_FLOW_FRONTEND4]);
	} else if (tb[KSERV_A_FLOW_CLIENT6] && tb[KSERV_A_FLOW_FRONTEND6]) {
		tuple->family = NFPROTO_IPV6;
		tuple->src.in6 = nla_get_in6_addr(tb[KSERV_A_FLOW_CLIENT6]);
		tuple->dst.in6 = nla_get_in6_addr(tb[KSERV_A_FLOW_FRONTEND6]);
	} else {
		return kserv_refuse(extack, attr, -EINVAL, "a client and a frontend address of one family are needed");
	}
	return 0;
}

static int parse_ports(struct kserv_question *question, struct nlattr **tb, const struct nlattr *attr,
		       struct netlink_ext_ack *extack)
{
	struct kserv_tuple *tuple = &question->tuple;

	switch (tuple->proto) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		question->is_echo = true;
		return 0;
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		break;
	default:
		return 0;
	}
	if (!tb[KSERV_A_FLOW_FRONTEND_PORT])
		return kserv_refuse(extack, attr, -EINVAL, "with this protocol, the frontend's port is needed");
	tuple->dport = nla_get_be16(tb[KSERV_A_FLOW_FRONTEND_PORT]);
	if (tb[KSERV_A_FLOW_CLIENT_PORT])
		tuple->sport = nla_get_be16(tb[KSERV_A_FLOW_CLIENT_PORT]);
	return 0;
}

static int parse_flow(struct kserv_question *question, const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[KSERV_A_FLOW_MAX + 1];
	int ret;

	ret = nla_parse_nested(tb, KSERV_A_FLOW_MAX, attr, NULL, extack) ?:
	      parse_addrs(&question->tuple, tb, attr, extack);
	if (ret)
		return ret;
	if (!tb[KSERV_A_FLOW_PROTOCOL])
		return kserv_refuse(extack, attr, -EINVAL, "a protocol is needed");
	question->tuple.proto = nla_get_u8(tb[KSERV_A_FLOW_PROTOCOL]);
	return parse_ports(question, tb, attr, extack);
}

/* By routing, or NULL. Context: RCU read section, for which the device is valid. */
static const struct net_device *device_towards(struct net *net, u8 family, const union nf_inet_addr *addr)
{
	const struct net_device *dev = NULL;
	struct dst_entry *dst;

	if (family == NFPROTO_IPV4) {
		struct flowi4 fl4 = { .daddr = addr->ip };
		struct rtable *rt = ip_route_output_key(net, &fl4);

		if (IS_ERR(rt))
			return NULL;
		dst = &rt->dst;
	} else {
		struct flowi6 fl6 = { .daddr = addr->in6 };

		dst = ip6_route_output(net, NULL, &fl6);
	}
	if (!dst->error)
		dev = dst_dev(dst);
	dst_release(dst);
	return dev;
}

/* The device that the packet is taken to have come in on. Context: RCU read section. */
static int find_device(struct net *net, struct kserv_question *question, struct nlattr **tb,
		       struct netlink_ext_ack *extack)
{
	const struct nlattr *name = tb[KSERV_A_EXPLAIN_INTERFACE];
	const struct net_device *dev;

	if (tb[KSERV_A_EXPLAIN_FROM_PROCESS]) {
		if (name)
			return kserv_refuse(extack, name, -EINVAL,
					    "what a process of this node sends comes in on no interface");
		return 0;
	}
	if (name) {
		question->in = dev_get_by_name_rcu(net, nla_data(name));
		if (!question->in)
			return kserv_refuse(extack, name, -ENODEV, "there is no such interface");
		return 0;
	}
	dev = device_towards(net, question->tuple.family, &question->tuple.src);
	/* An address of this node: it is a process that sends. A source that no route leads to is no pod's. */
	question->in = dev && dev->flags & IFF_LOOPBACK ? NULL : dev ?: net->loopback_dev;
	return 0;
}

/* What explain says, over as many messages as it takes. */
struct answer {
	struct kserv_net *kn;
	struct genl_info *info;
	const struct kserv_question *question;
	const struct kserv_decision *decision;
	const struct kserv_endpoint *sticky;	/* what session affinity remembers, or NULL */
	struct sk_buff *skb;	/* the message being filled */
	void *header;
	struct nlattr *nest;
};

static int part_begin(struct answer *answer, size_t size)
{
	answer->skb = genlmsg_new(size, GFP_ATOMIC);
	if (!answer->skb)
		return -ENOMEM;
	/* The message is new and has room for both. */
	answer->header = genlmsg_put_reply(answer->skb, answer->info, &kserv_nl_family, 0, KSERV_CMD_EXPLAIN);
	answer->nest = nla_nest_start(answer->skb, KSERV_A_MESSAGE_EXPLAIN);
	return 0;
}

static int part_send(struct answer *answer)
{
	struct sk_buff *skb = answer->skb;
	int ret;

	answer->skb = NULL;
	nla_nest_end(skb, answer->nest);
	genlmsg_end(skb, answer->header);
	ret = genlmsg_reply(skb, answer->info);
	if (ret == -EAGAIN)
		return kserv_refuse(answer->info->extack, NULL, -ENOBUFS,
				    "there are more endpoints than the socket's receive buffer takes; enlarge it");
	return ret;
}

static int put_choice_addr(struct sk_buff *skb, const struct kserv_endpoint *endpoint)
{
	if (endpoint->service->family == NFPROTO_IPV4)
		return nla_put_in_addr(skb, KSERV_A_CHOICE_ADDR4, endpoint->addr.ip);
	return nla_put_in6_addr(skb, KSERV_A_CHOICE_ADDR6, &endpoint->addr.in6);
}

static int put_choice(const struct answer *answer, const struct kserv_endpoint *endpoint)
{
	const struct kserv_decision *decision = answer->decision;
	struct sk_buff *skb = answer->skb;
	struct nlattr *nest = nla_nest_start(skb, KSERV_A_EXPLAIN_CHOICE);

	if (!nest)
		return -EMSGSIZE;
	if (put_choice_addr(skb, endpoint) || nla_put_be16(skb, KSERV_A_CHOICE_PORT, endpoint->port) ||
	    nla_put_u16(skb, KSERV_A_CHOICE_WEIGHT, READ_ONCE(endpoint->weight)) ||
	    nla_put_u8(skb, KSERV_A_CHOICE_MASQUERADE,
		       kserv_decide_masquerade(decision, answer->question, endpoint)) ||
	    nla_put_u8(skb, KSERV_A_CHOICE_REASON,
		       kserv_pick_excluded(decision->choices, endpoint, decision->local, (u32)jiffies)) ||
	    (endpoint == answer->sticky && nla_put_flag(skb, KSERV_A_CHOICE_STICKY))) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/* All endpoints: those that may be chosen, and those that are left out. */
static int put_choices(struct answer *answer)
{
	const struct kserv_choices *choices = answer->decision->choices;
	unsigned int i;
	int ret;

	for (i = 0; i < choices->n; i++) {
		if (!put_choice(answer, choices->endpoint[i]))
			continue;
		ret = part_send(answer) ?: part_begin(answer, PART_SIZE) ?: put_choice(answer, choices->endpoint[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int put_verdict(struct answer *answer)
{
	const struct kserv_decision *decision = answer->decision;
	struct sk_buff *skb = answer->skb;
	struct kserv_flow *flow;

	flow = kserv_flow_lookup_client(answer->kn, &answer->question->tuple);
	if (flow && (nla_put_flag(skb, KSERV_A_EXPLAIN_EXISTING_FLOW) ||
		     kserv_flow_put(skb, KSERV_A_EXPLAIN_FLOW, flow)))
		return -EMSGSIZE;
	if (decision->frontend && (nla_put_string(skb, KSERV_A_EXPLAIN_SERVICE, decision->service->name) ||
				   kserv_frontend_put(skb, KSERV_A_EXPLAIN_FRONTEND, decision->frontend) ||
				   nla_put_u8(skb, KSERV_A_EXPLAIN_SOURCE, decision->source) ||
				   nla_put_u8(skb, KSERV_A_EXPLAIN_LOCAL_SET, decision->local)))
		return -EMSGSIZE;
	return nla_put_u8(skb, KSERV_A_EXPLAIN_VERDICT, decision->verdict) ?:
	       nla_put_u8(skb, KSERV_A_EXPLAIN_REASON, decision->reason);
}

static size_t sources_size(const struct kserv_frontend *frontend)
{
	return frontend && frontend->sources ? frontend->sources->n * 32 : 0;
}

static int send_answer(struct answer *answer)
{
	const struct kserv_decision *decision = answer->decision;
	int ret;

	ret = part_begin(answer, PART_SIZE + sources_size(decision->frontend)) ?: put_verdict(answer);
	/* To a source that is not allowed, the endpoints do not matter. */
	if (!ret && decision->choices && decision->reason != KSERV_REASON_SOURCE_NOT_ALLOWED)
		ret = put_choices(answer);
	if (!ret)
		return part_send(answer);
	nlmsg_free(answer->skb);
	return ret;
}

static int explain(struct kserv_net *kn, struct kserv_question *question, struct nlattr **tb, struct genl_info *info)
{
	struct kserv_decision decision;
	struct answer answer = { .kn = kn, .info = info, .question = question, .decision = &decision };
	int ret;

	ret = find_device(kn->net, question, tb, info->extack);
	if (ret)
		return ret;
	kserv_decide(kn, question, &decision);
	if (decision.choices && decision.choices->affinity_timeout)
		answer.sticky = kserv_session_lookup(kn, decision.service, decision.choices, decision.local,
						     &question->tuple.src);
	return send_answer(&answer);
}

int kserv_nl_explain_doit(struct sk_buff *request, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[KSERV_A_MESSAGE_EXPLAIN];
	struct nlattr *tb[KSERV_A_EXPLAIN_MAX + 1];
	struct kserv_question question = {};
	int ret;

	ret = kserv_nl_check_attrs(info->attrs, KSERV_A_MESSAGE_EXPLAIN, info->extack);
	if (ret)
		return ret;
	if (!attr)
		return kserv_refuse(info->extack, NULL, -EINVAL, "explain needs a packet to explain");
	ret = nla_parse_nested(tb, KSERV_A_EXPLAIN_MAX, attr, NULL, info->extack);
	if (ret)
		return ret;
	if (!tb[KSERV_A_EXPLAIN_FLOW])
		return kserv_refuse(info->extack, attr, -EINVAL, "explain needs a flow: client, frontend and protocol");
	ret = parse_flow(&question, tb[KSERV_A_EXPLAIN_FLOW], info->extack);
	if (ret)
		return ret;
	rcu_read_lock();
	ret = explain(kserv_pernet(genl_info_net(info)), &question, tb, info);
	rcu_read_unlock();
	return ret;
}
