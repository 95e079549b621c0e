// SPDX-License-Identifier: GPL-2.0
/* Lists: services, routes, flows and remembered clients, over as many messages as they take. */
#include <linux/jiffies.h>
#include <linux/socket.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "kserv.h"
#include "affinity.h"
#include "event.h"
#include "flow.h"
#include "genl.h"
#include "latency.h"
#include "route.h"
#include "service.h"
#include "tables.h"
#include "transaction.h"

/* Where a dump of services goes on: kept in the callback's args. */
struct service_position {
	long id;	/* of the next service */
	long member;	/* of that service: frontends are counted first, then endpoints */
	long begun;
	long found;	/* the service that was asked for */
};

static_assert(sizeof(struct service_position) <= sizeof(((struct netlink_callback *)NULL)->args));

/* A service's nest stays well below the 64 KiB of an attribute; the longest member is a frontend with 640 sources. */
#define NEST_FULL 32768

static struct kserv_net *dump_net(const struct sk_buff *skb)
{
	return kserv_pernet(sock_net(skb->sk));
}

/* A message of the dump, in which a change of the tables since the last one is marked. */
static void *message_begin(struct sk_buff *skb, struct netlink_callback *cb, u8 command)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &kserv_nl_family, NLM_F_MULTI,
				   command);

	if (header)
		genl_dump_check_consistent(cb, header);
	return header;
}

/* 0 stands for "not known" there. */
static void set_sequence(struct netlink_callback *cb, const struct kserv_net *kn)
{
	cb->seq = kn->generation + 1 ?: 1;
}

/* What a dump's callback returns: an error only if nothing was put. */
static int dump_result(const struct sk_buff *skb, int error)
{
	return error == -EMSGSIZE && skb->len ? skb->len : error ?: skb->len;
}

static int put_endpoint_addr(struct sk_buff *skb, const struct kserv_endpoint *endpoint)
{
	if (endpoint->service->family == NFPROTO_IPV4)
		return nla_put_in_addr(skb, KSERV_A_ENDPOINT_ADDR4, endpoint->addr.ip);
	return nla_put_in6_addr(skb, KSERV_A_ENDPOINT_ADDR6, &endpoint->addr.in6);
}

static int put_u64(struct sk_buff *skb, int type, const atomic64_t *value)
{
	return nla_put_u64_64bit(skb, type, atomic64_read(value), KSERV_A_ENDPOINT_PAD);
}

static int put_endpoint_counts(struct sk_buff *skb, const struct kserv_endpoint *endpoint)
{
	u32 until = READ_ONCE(endpoint->ejected_until), latency = READ_ONCE(endpoint->latency);

	if (until && time_before32((u32)jiffies, until) && nla_put_flag(skb, KSERV_A_ENDPOINT_EJECTED))
		return -EMSGSIZE;
	if (latency && nla_put_u32(skb, KSERV_A_ENDPOINT_CONNECT_LATENCY, kserv_latency_us(latency)))
		return -EMSGSIZE;
	return nla_put_u32(skb, KSERV_A_ENDPOINT_ACTIVE, atomic_read(&endpoint->active)) ?:
	       put_u64(skb, KSERV_A_ENDPOINT_CONNECTIONS, &endpoint->connections) ?:
	       put_u64(skb, KSERV_A_ENDPOINT_PACKETS_IN, &endpoint->packets[KSERV_DIR_IN]) ?:
	       put_u64(skb, KSERV_A_ENDPOINT_BYTES_IN, &endpoint->bytes[KSERV_DIR_IN]) ?:
	       put_u64(skb, KSERV_A_ENDPOINT_PACKETS_OUT, &endpoint->packets[KSERV_DIR_OUT]) ?:
	       put_u64(skb, KSERV_A_ENDPOINT_BYTES_OUT, &endpoint->bytes[KSERV_DIR_OUT]);
}

static int put_endpoint(struct sk_buff *skb, const struct kserv_endpoint *endpoint)
{
	struct nlattr *nest = nla_nest_start(skb, KSERV_A_SERVICE_ENDPOINT);

	if (!nest)
		return -EMSGSIZE;
	if (put_endpoint_addr(skb, endpoint) || nla_put_be16(skb, KSERV_A_ENDPOINT_PORT, endpoint->port) ||
	    nla_put_u8(skb, KSERV_A_ENDPOINT_STATE, endpoint->state) ||
	    nla_put_u8(skb, KSERV_A_ENDPOINT_FLAGS, endpoint->flags) ||
	    nla_put_u16(skb, KSERV_A_ENDPOINT_WEIGHT, endpoint->weight) ||
	    nla_put_u8(skb, KSERV_A_ENDPOINT_CLUSTER_REASON, endpoint->cluster_reason) ||
	    nla_put_u8(skb, KSERV_A_ENDPOINT_LOCAL_REASON, endpoint->local_reason) ||
	    put_endpoint_counts(skb, endpoint)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_members(struct sk_buff *skb, const struct kserv_service *service, const struct kserv_choices *choices)
{
	return nla_put_string(skb, KSERV_A_SERVICE_NAME, service->name) ?:
	       nla_put_u8(skb, KSERV_A_SERVICE_FAMILY, service->family) ?:
	       nla_put_u8(skb, KSERV_A_SERVICE_PROTOCOL, service->protocol) ?:
	       nla_put_u8(skb, KSERV_A_SERVICE_SCHEDULER, choices->scheduler) ?:
	       nla_put_u32(skb, KSERV_A_SERVICE_AFFINITY_TIMEOUT, choices->affinity_timeout) ?:
	       nla_put_u32(skb, KSERV_A_SERVICE_FLAGS, choices->flags) ?:
	       nla_put_u8(skb, KSERV_A_SERVICE_REMOVAL, choices->removal) ?:
	       nla_put_u32(skb, KSERV_A_SERVICE_REMOVAL_GRACE, choices->removal_grace) ?:
	       nla_put_u32(skb, KSERV_A_SERVICE_SLOW_START, choices->slow_start) ?:
	       nla_put_u64_64bit(skb, KSERV_A_SERVICE_REJECTS, atomic64_read(&service->rejects),
				 KSERV_A_SERVICE_PAD) ?:
	       nla_put_u64_64bit(skb, KSERV_A_SERVICE_DROPS, atomic64_read(&service->drops), KSERV_A_SERVICE_PAD) ?:
	       nla_put_u64_64bit(skb, KSERV_A_SERVICE_CONNECTIONS, atomic64_read(&service->connections),
				 KSERV_A_SERVICE_PAD);
}

/* Room must be left to say that more follows. */
static bool is_full(const struct sk_buff *skb, const struct nlattr *nest)
{
	return skb_tailroom(skb) < nla_total_size(0) ||
	       skb_tail_pointer(skb) - (const unsigned char *)nest > NEST_FULL;
}

/* Frontends and endpoints from @member on, as many as there is room for. Return: 0 when all are in, or -EMSGSIZE. */
static int put_lists(struct sk_buff *skb, const struct kserv_service *service, const struct kserv_choices *choices,
		     const struct nlattr *nest, long *member)
{
	const struct kserv_frontend *frontend;
	unsigned char *mark;
	long i = 0;

	hlist_for_each_entry(frontend, &service->frontends, list) {
		if (i++ < *member)
			continue;
		mark = skb_tail_pointer(skb);
		if (kserv_frontend_put(skb, KSERV_A_SERVICE_FRONTEND, frontend) || is_full(skb, nest))
			goto err_trim;
		++*member;
	}
	for (; *member - i < choices->n; ++*member) {
		mark = skb_tail_pointer(skb);
		if (put_endpoint(skb, choices->endpoint[*member - i]) || is_full(skb, nest))
			goto err_trim;
	}
	return 0;

err_trim:
	nlmsg_trim(skb, mark);
	return -EMSGSIZE;
}

/* Return: 0 when the service is complete, -EMSGSIZE when what did not fit is to follow. */
static int put_service(struct sk_buff *skb, struct netlink_callback *cb, const struct kserv_net *kn,
		       const struct kserv_service *service, long *member)
{
	const struct kserv_choices *choices;
	struct nlattr *nest;
	void *header;
	int ret;

	choices = rcu_dereference_protected(service->choices, lockdep_is_held(&kn->mutex));
	header = message_begin(skb, cb, KSERV_CMD_SERVICE_GET);
	if (!header)
		return -EMSGSIZE;
	nest = nla_nest_start(skb, KSERV_A_MESSAGE_SERVICE);
	if (!nest || put_members(skb, service, choices) || is_full(skb, nest)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	ret = put_lists(skb, service, choices, nest, member);
	if (ret) {
		nla_put_flag(skb, KSERV_A_SERVICE_MORE);
		/* One member may be longer than an ordinary buffer. */
		cb->min_dump_alloc = NEST_FULL + PAGE_SIZE;
	}
	nla_nest_end(skb, nest);
	genlmsg_end(skb, header);
	return ret;
}

/* What of a service's key the request gives. */
struct service_filter {
	const struct nlattr *name, *family, *protocol;
};

static int parse_service_filter(struct netlink_callback *cb, struct service_filter *filter)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;
	struct nlattr *tb[KSERV_A_SERVICE_MAX + 1];
	int type, ret;

	memset(filter, 0, sizeof(*filter));
	ret = kserv_nl_check_attrs(attrs, KSERV_A_MESSAGE_SERVICE, cb->extack);
	if (ret || !attrs[KSERV_A_MESSAGE_SERVICE])
		return ret;
	ret = nla_parse_nested(tb, KSERV_A_SERVICE_MAX, attrs[KSERV_A_MESSAGE_SERVICE], NULL, cb->extack);
	if (ret)
		return ret;
	for (type = KSERV_A_SERVICE_MODE; type <= KSERV_A_SERVICE_MAX; type++)
		if (tb[type])
			return kserv_refuse(cb->extack, tb[type], -EINVAL,
					    "services are asked for by name, family and protocol only");
	filter->name = tb[KSERV_A_SERVICE_NAME];
	filter->family = tb[KSERV_A_SERVICE_FAMILY];
	filter->protocol = tb[KSERV_A_SERVICE_PROTOCOL];
	return 0;
}

static bool service_matches(const struct kserv_service *service, const struct service_filter *filter)
{
	return !((filter->name && nla_strcmp(filter->name, service->name)) ||
		 (filter->family && nla_get_u8(filter->family) != service->family) ||
		 (filter->protocol && nla_get_u8(filter->protocol) != service->protocol));
}

static int put_services(struct sk_buff *skb, struct netlink_callback *cb, struct kserv_net *kn,
			const struct service_filter *filter)
{
	struct service_position *position = (void *)cb->args;
	struct kserv_service *service;
	int ret, id = position->id;

	for (; (service = idr_get_next(&kn->service_ids, &id)); id++, position->member = 0) {
		/* What it goes on with may have gone meanwhile. */
		if (id != position->id)
			position->member = 0;
		position->id = id;
		if (!service_matches(service, filter))
			continue;
		position->found = true;
		ret = put_service(skb, cb, kn, service, &position->member);
		if (ret)
			return ret;
	}
	position->id = INT_MAX;
	if (filter->name && !position->found)
		return kserv_refuse(cb->extack, filter->name, -ENOENT, "the service does not exist");
	return 0;
}

int kserv_nl_service_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct service_position *position = (void *)cb->args;
	struct kserv_net *kn = dump_net(skb);
	struct service_filter filter;
	int ret;

	ret = parse_service_filter(cb, &filter);
	if (ret)
		return ret;
	if (!position->begun) {
		/* A look into all buckets, for nothing while there are no flows. */
		if (percpu_counter_sum(&kn->flows.n) > 0)
			kserv_flow_fold(kn);
		position->begun = true;
	}
	if (position->id == INT_MAX)
		return 0;
	mutex_lock(&kn->mutex);
	set_sequence(cb, kn);
	ret = put_services(skb, cb, kn, &filter);
	mutex_unlock(&kn->mutex);
	return dump_result(skb, ret);
}

static int put_route(struct sk_buff *skb, struct netlink_callback *cb, const struct kserv_route *route)
{
	void *header = message_begin(skb, cb, KSERV_CMD_ROUTE_GET);

	if (!header)
		return -EMSGSIZE;
	if (kserv_route_put(skb, route)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

int kserv_nl_route_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kserv_net *kn = dump_net(skb);
	struct rb_node *node;
	long i = 0;
	int ret;

	ret = kserv_nl_check_attrs(genl_info_dump(cb)->attrs, 0, cb->extack);
	if (ret)
		return ret;
	mutex_lock(&kn->mutex);
	set_sequence(cb, kn);
	for (node = rb_first(&kn->routes); node; node = rb_next(node)) {
		if (i++ < cb->args[0])
			continue;
		ret = put_route(skb, cb, rb_entry(node, struct kserv_route, node));
		if (ret)
			break;
		cb->args[0]++;
	}
	mutex_unlock(&kn->mutex);
	return dump_result(skb, ret);
}

/* What the walk over flows or sessions needs for each of them. */
struct walk {
	struct sk_buff *skb;
	struct netlink_callback *cb;
	struct kserv_flow_filter filter;
};

static int put_one_flow(struct kserv_flow *flow, void *arg)
{
	struct walk *walk = arg;
	void *header;

	if (!kserv_flow_matches(flow, &walk->filter))
		return 0;
	header = message_begin(walk->skb, walk->cb, KSERV_CMD_FLOW_GET);
	if (!header)
		return -EMSGSIZE;
	if (kserv_flow_put(walk->skb, KSERV_A_MESSAGE_FLOW, flow)) {
		genlmsg_cancel(walk->skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(walk->skb, header);
	return 0;
}

int kserv_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;
	struct walk walk = { .skb = skb, .cb = cb };
	int ret;

	ret = kserv_nl_check_attrs(attrs, KSERV_A_MESSAGE_FLOW, cb->extack) ?:
	      kserv_nl_parse_filter(attrs[KSERV_A_MESSAGE_FLOW], &walk.filter, cb->extack);
	if (ret)
		return ret;
	ret = kserv_flow_walk(dump_net(skb), (unsigned long *)&cb->args[0], (unsigned long *)&cb->args[1],
			      put_one_flow, &walk);
	return dump_result(skb, ret);
}

static int put_session_addrs(struct sk_buff *skb, const struct kserv_session *session)
{
	const struct kserv_endpoint *endpoint = session->endpoint;

	if (endpoint->service->family == NFPROTO_IPV4)
		return nla_put_in_addr(skb, KSERV_A_SESSION_CLIENT4, session->client.ip) ?:
		       nla_put_in_addr(skb, KSERV_A_SESSION_ENDPOINT4, endpoint->addr.ip);
	return nla_put_in6_addr(skb, KSERV_A_SESSION_CLIENT6, &session->client.in6) ?:
	       nla_put_in6_addr(skb, KSERV_A_SESSION_ENDPOINT6, &endpoint->addr.in6);
}

static int put_session(struct sk_buff *skb, const struct kserv_session *session)
{
	struct nlattr *nest = nla_nest_start(skb, KSERV_A_MESSAGE_SESSION);
	s32 left = READ_ONCE(session->expires) - (u32)jiffies;

	if (!nest || nla_put_string(skb, KSERV_A_SESSION_SERVICE, session->endpoint->service->name) ||
	    nla_put_u8(skb, KSERV_A_SESSION_PROTOCOL, session->endpoint->service->protocol) ||
	    put_session_addrs(skb, session) ||
	    nla_put_be16(skb, KSERV_A_SESSION_ENDPOINT_PORT, session->endpoint->port) ||
	    nla_put_u64_64bit(skb, KSERV_A_SESSION_EXPIRES_MS, left > 0 ? jiffies_to_msecs(left) : 0,
			      KSERV_A_SESSION_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_one_session(const struct kserv_session *session, void *arg)
{
	struct walk *walk = arg;
	void *header;

	/* Not swept out yet, but of no effect. */
	if (READ_ONCE(session->endpoint->removed) || READ_ONCE(session->endpoint->service->dead))
		return 0;
	header = message_begin(walk->skb, walk->cb, KSERV_CMD_SESSION_GET);
	if (!header)
		return -EMSGSIZE;
	if (put_session(walk->skb, session)) {
		genlmsg_cancel(walk->skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(walk->skb, header);
	return 0;
}

int kserv_nl_session_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct walk walk = { .skb = skb, .cb = cb };
	int ret;

	ret = kserv_nl_check_attrs(genl_info_dump(cb)->attrs, 0, cb->extack);
	if (ret)
		return ret;
	/* At the end of the table its walk says so once. */
	if (cb->args[1])
		return 0;
	ret = kserv_session_walk(dump_net(skb), (unsigned long *)&cb->args[0], put_one_session, &walk);
	cb->args[1] = !ret;
	return dump_result(skb, ret);
}
