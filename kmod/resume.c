// SPDX-License-Identifier: GPL-2.0
/*
 * Connections and remembered clients put back, as after the module was loaded anew: each leads to a frontend and an
 * endpoint that there are; all of a message or none.
 */
#include <net/genetlink.h>

#include "kserv.h"
#include "affinity.h"
#include "decide.h"
#include "flow.h"
#include "genl.h"
#include "tables.h"
#include "transaction.h"

/**
 * struct resumed - a flow or a remembered client as a message has it
 * @client: the packet that a client sends; of a remembered client just its address
 * @endpoint_addr: of its endpoint, as is @endpoint_port
 * @endpoint_port: see there
 * @translated_port: the client's port as the endpoint sees it
 * @flags: KSERV_FLOW_FLAGS_*
 * @past: what has become of it
 * @service: in the tables
 * @endpoint: in the tables; NULL for that of an orphan
 */
struct resumed {
	struct kserv_tuple client;
	union nf_inet_addr endpoint_addr;
	__be16 endpoint_port;
	__be16 translated_port;
	u32 flags;
	struct kserv_flow_past past;
	struct kserv_service *service;
	struct kserv_endpoint *endpoint;
};

/* A message being put into force. */
struct resumption {
	struct kserv_net *kn;
	struct netlink_ext_ack *extack;
};

static int parse_addr(union nf_inet_addr *addr, u8 family, const struct nlattr *v4, const struct nlattr *v6,
		      const struct nlattr *nest, struct netlink_ext_ack *extack)
{
	if (family == NFPROTO_IPV4 ? !v4 || v6 : !v6 || v4)
		return kserv_refuse(extack, nest, -EINVAL,
				    "client, frontend and endpoint must be there, all in the family of the flow");
	if (v4)
		addr->ip = nla_get_in_addr(v4);
	else
		addr->in6 = nla_get_in6_addr(v6);
	return 0;
}

static int parse_port(__be16 *port, const struct nlattr *attr, const struct nlattr *nest,
		      struct netlink_ext_ack *extack)
{
	*port = attr ? nla_get_be16(attr) : 0;
	return *port ? 0 : kserv_refuse(extack, attr ?: nest, -EINVAL, "a port is missing, or 0");
}

static u64 get_u64(const struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

static int parse_addrs(struct resumed *flow, struct nlattr **tb, const struct nlattr *nest,
		       struct netlink_ext_ack *extack)
{
	u8 family = flow->client.family;

	return parse_addr(&flow->client.src, family, tb[KSERV_A_FLOW_CLIENT4], tb[KSERV_A_FLOW_CLIENT6], nest,
			  extack) ?:
	       parse_port(&flow->client.sport, tb[KSERV_A_FLOW_CLIENT_PORT], nest, extack) ?:
	       parse_addr(&flow->client.dst, family, tb[KSERV_A_FLOW_FRONTEND4], tb[KSERV_A_FLOW_FRONTEND6], nest,
			  extack) ?:
	       parse_port(&flow->client.dport, tb[KSERV_A_FLOW_FRONTEND_PORT], nest, extack) ?:
	       parse_addr(&flow->endpoint_addr, family, tb[KSERV_A_FLOW_ENDPOINT4], tb[KSERV_A_FLOW_ENDPOINT6], nest,
			  extack) ?:
	       parse_port(&flow->endpoint_port, tb[KSERV_A_FLOW_ENDPOINT_PORT], nest, extack) ?:
	       parse_port(&flow->translated_port, tb[KSERV_A_FLOW_TRANSLATED_PORT] ?: tb[KSERV_A_FLOW_CLIENT_PORT],
			  nest, extack);
}

static int parse_masquerade(struct resumption *r, struct resumed *flow, struct nlattr **tb)
{
	const struct nlattr *v4 = tb[KSERV_A_FLOW_MASQUERADE4], *v6 = tb[KSERV_A_FLOW_MASQUERADE6];
	const struct nlattr *attr = v4 ?: v6;
	int ret;

	if (!attr)
		return 0;
	if (!(flow->flags & KSERV_FLOW_FLAGS_MASQUERADE))
		return kserv_refuse(r->extack, attr, -EINVAL, "the flow is not flagged as masqueraded");
	ret = parse_addr(&flow->past.masquerade_addr, flow->client.family, v4, v6, attr, r->extack) ?:
	      parse_port(&flow->past.masquerade_port, tb[KSERV_A_FLOW_MASQUERADE_PORT], attr, r->extack);
	if (ret)
		return ret;
	if (!kserv_addr_is_local(r->kn->net, flow->client.family, &flow->past.masquerade_addr))
		return kserv_refuse(r->extack, attr, -EADDRNOTAVAIL,
				    "the address it was masqueraded with is none of this network namespace");
	return 0;
}

static int parse_past(struct kserv_flow_past *past, u8 proto, struct nlattr **tb, const struct nlattr *nest,
		      struct netlink_ext_ack *extack)
{
	past->state = tb[KSERV_A_FLOW_STATE] ? nla_get_u8(tb[KSERV_A_FLOW_STATE]) : KSERV_FLOW_STATE_ESTABLISHED;
	if (past->state > KSERV_FLOW_STATE_ESTABLISHED && proto != IPPROTO_TCP)
		return kserv_refuse(extack, tb[KSERV_A_FLOW_STATE], -EINVAL, "only TCP is ever closing or closed");
	past->fin = tb[KSERV_A_FLOW_FIN] ? nla_get_u8(tb[KSERV_A_FLOW_FIN]) : 0;
	if (past->fin && past->state != KSERV_FLOW_STATE_CLOSING && past->state != KSERV_FLOW_STATE_CLOSED)
		return kserv_refuse(extack, tb[KSERV_A_FLOW_FIN], -EINVAL,
				    "a connection that has been closed in one direction is closing or closed");
	past->isn = tb[KSERV_A_FLOW_ISN] ? nla_get_u32(tb[KSERV_A_FLOW_ISN]) : 0;
	/* No state lasts longer than weeks; what is longer still must not overflow. */
	past->left_ms = tb[KSERV_A_FLOW_EXPIRES_MS] ?
			min_t(u64, nla_get_u64(tb[KSERV_A_FLOW_EXPIRES_MS]), U32_MAX) : U32_MAX;
	past->packets[KSERV_DIR_IN] = get_u64(tb[KSERV_A_FLOW_PACKETS_IN]);
	past->bytes[KSERV_DIR_IN] = get_u64(tb[KSERV_A_FLOW_BYTES_IN]);
	past->packets[KSERV_DIR_OUT] = get_u64(tb[KSERV_A_FLOW_PACKETS_OUT]);
	past->bytes[KSERV_DIR_OUT] = get_u64(tb[KSERV_A_FLOW_BYTES_OUT]);
	return 0;
}

static int find_service(struct resumption *r, struct resumed *flow, const struct nlattr *name,
			const struct nlattr *nest)
{
	struct kserv_service_key key = { .family = flow->client.family, .protocol = flow->client.proto };

	if (!name)
		return kserv_refuse(r->extack, nest, -EINVAL, "the service is missing");
	key.name = nla_data(name);
	flow->service = kserv_service_lookup(r->kn, &key);
	return flow->service ? 0 : kserv_refuse(r->extack, name, -ENOENT, "the service does not exist");
}

/* With @orphan it may have gone, but then its address must be one that an endpoint may have. */
static int find_endpoint(struct resumption *r, struct resumed *flow, bool orphan, const struct nlattr *nest)
{
	const struct kserv_choices *choices;

	choices = rcu_dereference_protected(flow->service->choices, lockdep_is_held(&r->kn->mutex));
	flow->endpoint = kserv_endpoint_lookup(choices, &flow->endpoint_addr, flow->endpoint_port);
	if (flow->endpoint)
		return 0;
	if (!orphan)
		return kserv_refuse(r->extack, nest, -ENOENT, "the service has no such endpoint");
	return kserv_endpoint_check_addr(flow->client.family, &flow->endpoint_addr, nest, r->extack);
}

/* A connection straight to the endpoint, whose port was taken by a flow: see kserv_start_beside(). */
static bool is_beside(const struct resumed *flow)
{
	return flow->flags & KSERV_FLOW_FLAGS_PORT_CHANGED && flow->client.dport == flow->endpoint_port &&
	       kserv_addr_equal(&flow->client.dst, &flow->endpoint_addr);
}

static int check_frontend(struct resumption *r, const struct resumed *flow, const struct nlattr *nest)
{
	struct kserv_frontend_key key = {
		.addr = flow->client.dst, .port = flow->client.dport,
		.protocol = flow->client.proto, .family = flow->client.family,
	};
	const struct kserv_frontend *frontend;
	bool found;

	rcu_read_lock();
	frontend = kserv_frontend_lookup(r->kn, &key);
	if (!frontend) {
		memset(&key.addr, 0, sizeof(key.addr));
		key.node_port = 1;
		frontend = kserv_frontend_lookup(r->kn, &key);
		if (frontend && !kserv_addr_is_local(r->kn->net, flow->client.family, &flow->client.dst))
			frontend = NULL;
	}
	found = frontend && frontend->service == flow->service;
	rcu_read_unlock();
	if (found || is_beside(flow))
		return 0;
	return kserv_refuse(r->extack, nest, -ENOENT, "the service has no such frontend");
}

static int parse_flow(struct resumption *r, const struct nlattr *nest, struct resumed *flow)
{
	struct nlattr *tb[KSERV_A_FLOW_MAX + 1];
	bool orphan;
	int ret;

	memset(flow, 0, sizeof(*flow));
	ret = nla_parse_nested(tb, KSERV_A_FLOW_MAX, nest, NULL, r->extack);
	if (ret)
		return ret;
	flow->client.family = tb[KSERV_A_FLOW_FAMILY] ? nla_get_u8(tb[KSERV_A_FLOW_FAMILY]) : 0;
	flow->client.proto = tb[KSERV_A_FLOW_PROTOCOL] ? nla_get_u8(tb[KSERV_A_FLOW_PROTOCOL]) : 0;
	if (flow->client.family != NFPROTO_IPV4 && flow->client.family != NFPROTO_IPV6)
		return kserv_refuse(r->extack, tb[KSERV_A_FLOW_FAMILY] ?: nest, -EINVAL,
				    "the family must be 2 (IPv4) or 10 (IPv6)");
	flow->flags = tb[KSERV_A_FLOW_FLAGS] ? nla_get_u32(tb[KSERV_A_FLOW_FLAGS]) : 0;
	orphan = flow->flags & KSERV_FLOW_FLAGS_ORPHAN;
	flow->flags &= ~KSERV_FLOW_FLAGS_ORPHAN;
	ret = parse_addrs(flow, tb, nest, r->extack) ?:
	      find_service(r, flow, tb[KSERV_A_FLOW_SERVICE], nest) ?:
	      parse_past(&flow->past, flow->client.proto, tb, nest, r->extack) ?:
	      parse_masquerade(r, flow, tb) ?: find_endpoint(r, flow, orphan, nest) ?: check_frontend(r, flow, nest);
	if (ret)
		return ret;
	if (flow->translated_port != flow->client.sport && !(flow->flags & KSERV_FLOW_FLAGS_PORT_CHANGED))
		return kserv_refuse(r->extack, tb[KSERV_A_FLOW_TRANSLATED_PORT], -EINVAL,
				    "the source port differs, but the flow is not flagged so");
	/* It was in force until the hooks went with the last frontend, and may not have come back. */
	if (!r->kn->hooks_registered)
		return kserv_refuse(r->extack, nest, -ENOENT, "there is no frontend in this network namespace");
	return 0;
}

/* The endpoint of an orphan: removed before anybody could choose it, it goes with its flow. */
static struct kserv_endpoint *removed_endpoint(struct kserv_net *kn, const struct resumed *flow)
{
	struct kserv_endpoint *endpoint;

	endpoint = kserv_endpoint_create(flow->service, &flow->endpoint_addr, flow->endpoint_port);
	if (!endpoint)
		return NULL;
	endpoint->removed = true;
	endpoint->since = (u32)jiffies;
	kserv_filter_add(kn->filter, flow->client.family, &endpoint->addr);
	return endpoint;
}

static int refuse_flow(struct resumption *r, const struct nlattr *nest, int error)
{
	switch (error) {
	case -EALREADY:
		return kserv_refuse(r->extack, nest, -EEXIST,
				    "there is a flow of this client to this frontend already");
	case -EEXIST:
		return kserv_refuse(r->extack, nest, -EEXIST,
				    "another flow has the same addresses and ports at the endpoint");
	case -ENOSPC:
		return kserv_refuse(r->extack, nest, -ENOSPC, "the flow table is full, see flow-max");
	default:
		return error;
	}
}

static int resume_one(struct kserv_net *kn, const struct resumed *flow, struct kserv_endpoint *endpoint)
{
	struct kserv_flow *new;

	/* Before its first packet comes. */
	kserv_filter_add(kn->filter, flow->client.family, &flow->client.dst);
	rcu_read_lock();
	local_bh_disable();
	new = kserv_flow_resume(kn, &flow->client, endpoint, flow->translated_port, flow->flags, &flow->past);
	local_bh_enable();
	rcu_read_unlock();
	return PTR_ERR_OR_ZERO(new);
}

static int add_flow(struct resumption *r, const struct nlattr *nest)
{
	struct kserv_endpoint *endpoint;
	struct resumed flow;
	int ret;

	ret = parse_flow(r, nest, &flow);
	if (ret)
		return ret;
	endpoint = flow.endpoint ?: removed_endpoint(r->kn, &flow);
	if (!endpoint)
		return -ENOMEM;
	ret = resume_one(r->kn, &flow, endpoint);
	if (!flow.endpoint)
		kserv_endpoint_put(endpoint);
	return ret ? refuse_flow(r, nest, ret) : 0;
}

/* What the message has put there before @end. */
static void take_back(struct resumption *r, const struct nlmsghdr *nlh, const struct nlattr *end)
{
	struct netlink_ext_ack unused = {};
	struct resumption again = { .kn = r->kn, .extack = &unused };
	struct kserv_flow *found;
	const struct nlattr *attr;
	struct resumed flow;
	int rem;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem) {
		if (attr == end)
			return;
		if (nla_type(attr) != KSERV_A_MESSAGE_FLOW_SET || parse_flow(&again, attr, &flow))
			continue;
		rcu_read_lock();
		found = kserv_flow_lookup_client(r->kn, &flow.client);
		if (found)
			kserv_flow_kill(r->kn, found);
		rcu_read_unlock();
		cond_resched();
	}
}

static int parse_session(struct resumption *r, const struct nlattr *nest, struct resumed *session)
{
	struct nlattr *tb[KSERV_A_SESSION_MAX + 1];
	const struct kserv_choices *choices;
	int ret;

	memset(session, 0, sizeof(*session));
	ret = nla_parse_nested(tb, KSERV_A_SESSION_MAX, nest, NULL, r->extack);
	if (ret)
		return ret;
	session->client.family = tb[KSERV_A_SESSION_CLIENT6] ? NFPROTO_IPV6 : NFPROTO_IPV4;
	session->client.proto = tb[KSERV_A_SESSION_PROTOCOL] ? nla_get_u8(tb[KSERV_A_SESSION_PROTOCOL]) : 0;
	session->past.left_ms = tb[KSERV_A_SESSION_EXPIRES_MS] ?
				min_t(u64, nla_get_u64(tb[KSERV_A_SESSION_EXPIRES_MS]), U32_MAX) : U32_MAX;
	ret = parse_addr(&session->client.src, session->client.family, tb[KSERV_A_SESSION_CLIENT4],
			 tb[KSERV_A_SESSION_CLIENT6], nest, r->extack) ?:
	      parse_addr(&session->endpoint_addr, session->client.family, tb[KSERV_A_SESSION_ENDPOINT4],
			 tb[KSERV_A_SESSION_ENDPOINT6], nest, r->extack) ?:
	      parse_port(&session->endpoint_port, tb[KSERV_A_SESSION_ENDPOINT_PORT], nest, r->extack) ?:
	      find_service(r, session, tb[KSERV_A_SESSION_SERVICE], nest) ?: find_endpoint(r, session, false, nest);
	if (ret)
		return ret;
	choices = rcu_dereference_protected(session->service->choices, lockdep_is_held(&r->kn->mutex));
	return choices->affinity_timeout ? 0 :
	       kserv_refuse(r->extack, nest, -EINVAL, "the service has no session affinity");
}

/* At its bound the table refuses or forgets, as ever, and counts it. */
static void add_session(struct resumption *r, const struct nlattr *nest)
{
	struct resumed session;

	if (parse_session(r, nest, &session))
		return;
	rcu_read_lock();
	local_bh_disable();
	kserv_session_resume(r->kn, session.service, rcu_dereference(session.service->choices), &session.client.src,
			     session.endpoint, session.past.left_ms);
	local_bh_enable();
	rcu_read_unlock();
}

static int check_one(struct resumption *r, const struct nlattr *attr)
{
	struct resumed unused;

	switch (nla_type(attr)) {
	case KSERV_A_MESSAGE_GENERATION:
		return 0;
	case KSERV_A_MESSAGE_FLOW_SET:
		return parse_flow(r, attr, &unused);
	case KSERV_A_MESSAGE_SESSION_SET:
		return parse_session(r, attr, &unused);
	default:
		return kserv_refuse(r->extack, attr, -EINVAL, "this command does not take this attribute");
	}
}

static int run(struct resumption *r, struct genl_info *info)
{
	const struct nlattr *attr;
	int rem, ret;

	lockdep_assert_held(&r->kn->mutex);
	ret = kserv_nl_check_generation(r->kn, info);
	if (ret)
		return ret;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		ret = check_one(r, attr);
		if (ret)
			return ret;
		cond_resched();
	}
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		ret = nla_type(attr) == KSERV_A_MESSAGE_FLOW_SET ? add_flow(r, attr) : 0;
		if (ret) {
			take_back(r, info->nlhdr, attr);
			return ret;
		}
		cond_resched();
	}
	/* Last, since none of them can fail. */
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		if (nla_type(attr) == KSERV_A_MESSAGE_SESSION_SET)
			add_session(r, attr);
	return 0;
}

int kserv_nl_flow_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct resumption r = { .kn = kserv_pernet(genl_info_net(info)), .extack = info->extack };
	int ret;

	mutex_lock(&r.kn->mutex);
	ret = run(&r, info);
	mutex_unlock(&r.kn->mutex);
	if (ret == -ENOMEM)
		NL_SET_ERR_MSG(info->extack, "not enough memory for these flows; none of them was put back");
	return ret;
}
