// SPDX-License-Identifier: GPL-2.0
/* A transaction from message to tables: read, prepare, commit, or leave everything as it was. */
#include <linux/slab.h>
#include <net/genetlink.h>

#include "kserv.h"
#include "fast.h"
#include "event.h"
#include "genl.h"
#include "genl_gen.h"
#include "route.h"
#include "tables.h"
#include "transaction.h"

static int read_config(struct kserv_transaction *tx, const struct nlattr *attr)
{
	struct kserv_config *config;

	if (tx->config)
		return kserv_refuse(tx->extack, attr, -EEXIST, "a transaction has at most one config-set");
	config = kserv_config_parse(attr, tx->extack);
	if (IS_ERR(config))
		return PTR_ERR(config);
	tx->config = config;
	return 0;
}

static int read_one(struct kserv_transaction *tx, const struct nlattr *attr)
{
	switch (nla_type(attr)) {
	case KSERV_A_MESSAGE_GENERATION:
	case KSERV_A_MESSAGE_REPLACE:
		return 0;
	case KSERV_A_MESSAGE_SERVICE_SET:
		return kserv_service_stage_set(tx, attr);
	case KSERV_A_MESSAGE_SERVICE_DEL:
		return kserv_service_stage_del(tx, attr);
	case KSERV_A_MESSAGE_ROUTE_SET:
		return kserv_route_stage(tx, attr, false);
	case KSERV_A_MESSAGE_ROUTE_DEL:
		return kserv_route_stage(tx, attr, true);
	case KSERV_A_MESSAGE_CONFIG_SET:
		return read_config(tx, attr);
	default:
		return kserv_refuse(tx->extack, attr, -EINVAL, "this attribute is not part of a transaction");
	}
}

static int read_message(struct kserv_transaction *tx, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;
	int rem, ret;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem) {
		ret = read_one(tx, attr);
		if (ret)
			return ret;
		cond_resched();
	}
	return kserv_service_stage_rest(tx);
}

static int prepare_frontends(struct kserv_transaction *tx)
{
	struct kserv_service_change *change;
	int ret;

	list_for_each_entry(change, &tx->services, list) {
		if (change->deleted || !change->replace)
			continue;
		ret = kserv_frontend_stage_rest(tx, change->service, false);
		if (ret)
			return ret;
	}
	return kserv_frontend_prepare(tx);
}

static int prepare_endpoints(struct kserv_transaction *tx)
{
	struct kserv_service_change *change;
	int ret;

	list_for_each_entry(change, &tx->services, list) {
		if (change->deleted)
			continue;
		ret = kserv_endpoint_prepare(tx, change);
		if (ret)
			return ret;
		tx->needs_sessions |= change->affinity_timeout;
		cond_resched();
	}
	return 0;
}

/* Rule 1.7 holds from the first service CIDR on, whether there is a service or not. */
static bool guards_addresses(const struct kserv_config *config)
{
	return config && config->service_cidrs;
}

static int prepare_filter(struct kserv_transaction *tx)
{
	if (tx->kn->filter || (list_empty(&tx->services) && !guards_addresses(tx->config)))
		return 0;
	tx->kn->filter = kvzalloc(sizeof(*tx->kn->filter), KSERV_GFP_TABLE);
	return tx->kn->filter ? 0 : -ENOMEM;
}

/* What costs a namespace something is there only when it is needed. The hooks come last: they need no undoing. */
static int prepare_net(struct kserv_transaction *tx)
{
	const struct kserv_config *config = tx->config;
	struct kserv_net *kn = tx->kn;
	int ret;

	if (tx->needs_sessions) {
		ret = kserv_session_net_start(kn);
		if (ret)
			return ret;
	}
	if ((!tx->needs_hooks && !guards_addresses(tx->config)) || kn->hooks_registered)
		return 0;
	if (!config)
		config = rcu_dereference_protected(kn->config, lockdep_is_held(&kn->mutex));
	ret = kserv_flow_net_start(kn, config->flow_max);
	if (ret)
		return ret;
	ret = kserv_hooks_register(kn);
	if (ret && ret != -ENOMEM)
		NL_SET_ERR_MSG(tx->extack, "the packet hooks could not be registered in this network namespace");
	return ret;
}

static int prepare(struct kserv_transaction *tx, const struct nlmsghdr *nlh)
{
	return read_message(tx, nlh) ?: prepare_filter(tx) ?: prepare_frontends(tx) ?: prepare_endpoints(tx) ?:
	       prepare_net(tx);
}

static void give_up(struct kserv_transaction *tx)
{
	struct kserv_service_change *change;
	struct kserv_service *service;

	kserv_route_abort(tx);
	kserv_frontend_abort(tx);
	list_for_each_entry(change, &tx->services, list) {
		service = change->service;
		kserv_endpoint_abort(change);
		service->staged = NULL;
		if (change->created)
			kserv_service_unlink(tx->kn, service);
	}
	kserv_service_stage_free(tx);
	kserv_config_free(tx->config);
}

static void config_free_rcu(struct rcu_head *rcu)
{
	kserv_config_free(container_of(rcu, struct kserv_config, rcu));
}

static void commit_config(struct kserv_transaction *tx)
{
	struct kserv_net *kn = tx->kn;
	struct kserv_config *old;

	if (!tx->config)
		return;
	old = rcu_replace_pointer(kn->config, tx->config, lockdep_is_held(&kn->mutex));
	call_rcu(&old->rcu, config_free_rcu);
	kserv_fast_update(kn);
}

/* Deleted services go when no frontend leads to them any more. */
static void commit_services(struct kserv_transaction *tx)
{
	struct kserv_service_change *change;
	struct kserv_net *kn = tx->kn;

	list_for_each_entry(change, &tx->services, list) {
		change->service->staged = NULL;
		kn->n_services += change->created;
		if (change->deleted) {
			kn->n_services--;
			kserv_service_unlink(kn, change->service);
			tx->stale = true;
		}
	}
	kserv_service_stage_free(tx);
}

static void commit(struct kserv_transaction *tx)
{
	struct kserv_service_change *change;
	struct kserv_net *kn = tx->kn;

	list_for_each_entry(change, &tx->services, list)
		kserv_endpoint_commit(tx, change);
	kserv_frontend_commit(tx);
	commit_services(tx);
	kserv_route_commit(tx);
	commit_config(tx);
	if (tx->stale)
		/* Pairs with the load before a flow looks at its endpoint: what was removed is marked so by now. */
		smp_store_release(&kn->stale, kn->stale + 1);
	kn->generation++;
	/* Those of removed endpoints and deleted services are as good as forgotten, until the table's own sweep. */
	if (tx->forget && atomic_read(&kn->sessions.n))
		kserv_session_sweep(kn);
	/* With flows, the hooks stay until a later transaction or the end of the namespace. */
	if (kn->hooks_registered && !kn->n_frontends && !percpu_counter_sum(&kn->flows.n) &&
	    !guards_addresses(rcu_dereference_protected(kn->config, lockdep_is_held(&kn->mutex))))
		kserv_hooks_unregister(kn);
	if (kserv_event_wanted(kn))
		kserv_event_commit(kn);
}

/* The answer is made before the commit, after which nothing may fail. */
static struct sk_buff *make_reply(struct genl_info *info, u32 generation)
{
	struct sk_buff *skb = genlmsg_new(nla_total_size(sizeof(u32)), GFP_KERNEL);
	void *header;

	if (!skb)
		return NULL;
	header = genlmsg_put_reply(skb, info, &kserv_nl_family, 0, KSERV_CMD_TRANSACTION);
	if (!header || nla_put_u32(skb, KSERV_A_MESSAGE_GENERATION, generation)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, header);
	return skb;
}

int kserv_nl_check_generation(const struct kserv_net *kn, struct genl_info *info)
{
	const struct nlattr *expected = info->attrs[KSERV_A_MESSAGE_GENERATION];

	if (!expected || nla_get_u32(expected) == kn->generation)
		return 0;
	return kserv_refuse(info->extack, expected, -ESTALE,
			    "the tables have changed since that generation; read them again");
}

static int run(struct kserv_net *kn, struct genl_info *info)
{
	struct kserv_transaction tx = {
		.kn = kn,
		.extack = info->extack,
		.services = LIST_HEAD_INIT(tx.services),
		.routes = RB_ROOT,
		.replace = info->attrs[KSERV_A_MESSAGE_REPLACE],
	};
	struct sk_buff *reply;
	int ret;

	lockdep_assert_held(&kn->mutex);
	ret = kserv_nl_check_generation(kn, info);
	if (ret)
		return ret;
	reply = make_reply(info, kn->generation + 1);
	if (!reply)
		return -ENOMEM;
	ret = prepare(&tx, info->nlhdr);
	if (ret) {
		give_up(&tx);
		nlmsg_free(reply);
		return ret;
	}
	commit(&tx);
	/* If it cannot be delivered, the caller still learns that it was done. */
	genlmsg_reply(reply, info);
	return 0;
}

int kserv_nl_transaction_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kserv_net *kn = kserv_pernet(genl_info_net(info));
	int ret;

	mutex_lock(&kn->mutex);
	ret = run(kn, info);
	mutex_unlock(&kn->mutex);
	if (ret == -ENOMEM && !info->extack->_msg)
		NL_SET_ERR_MSG(info->extack, "not enough memory for this transaction; nothing was changed");
	return ret;
}
