// SPDX-License-Identifier: GPL-2.0
/* Reading what a transaction says of services: service-set and service-del. */
#include <linux/ctype.h>
#include <linux/in.h>
#include <linux/slab.h>
#include <net/netlink.h>

#include "kserv.h"
#include "service.h"
#include "tables.h"
#include "transaction.h"

/* Seconds in a day: as long as the Kubernetes API allows for session affinity. */
#define MAX_SECONDS 86400

static int check_name(const char *name, const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *c;

	if (!*name)
		return kserv_refuse(extack, attr, -EINVAL, "the service's name is empty");
	for (c = name; *c; c++)
		if (!isascii(*c) || !isgraph(*c))
			return kserv_refuse(extack, attr, -EINVAL,
					    "a service's name holds neither spaces nor control characters");
	return 0;
}

static int parse_key(struct kserv_service_key *key, struct nlattr **tb, const struct nlattr *attr,
		     struct netlink_ext_ack *extack)
{
	if (!tb[KSERV_A_SERVICE_NAME])
		return kserv_refuse(extack, attr, -EINVAL, "a service needs its name");
	if (!tb[KSERV_A_SERVICE_FAMILY])
		return kserv_refuse(extack, attr, -EINVAL, "a service needs its address family");
	if (!tb[KSERV_A_SERVICE_PROTOCOL])
		return kserv_refuse(extack, attr, -EINVAL, "a service needs its protocol");
	key->name = nla_data(tb[KSERV_A_SERVICE_NAME]);
	key->family = nla_get_u8(tb[KSERV_A_SERVICE_FAMILY]);
	key->protocol = nla_get_u8(tb[KSERV_A_SERVICE_PROTOCOL]);
	if (key->family != NFPROTO_IPV4 && key->family != NFPROTO_IPV6)
		return kserv_refuse(extack, tb[KSERV_A_SERVICE_FAMILY], -EAFNOSUPPORT,
				    "a service's address family is 2 (IPv4) or 10 (IPv6)");
	if (key->protocol != IPPROTO_TCP && key->protocol != IPPROTO_UDP && key->protocol != IPPROTO_SCTP)
		return kserv_refuse(extack, tb[KSERV_A_SERVICE_PROTOCOL], -EPROTONOSUPPORT,
				    "a service's protocol is 6 (TCP), 17 (UDP) or 132 (SCTP)");
	return check_name(key->name, tb[KSERV_A_SERVICE_NAME], extack);
}

static void set_defaults(struct kserv_service_change *change)
{
	change->scheduler = KSERV_SCHEDULER_RANDOM;
	change->removal = KSERV_REMOVAL_KEEP;
	change->flags = 0;
	change->affinity_timeout = 0;
	change->removal_grace = 0;
	change->slow_start = 0;
}

static void inherit(struct kserv_service_change *change, const struct kserv_choices *choices)
{
	change->scheduler = choices->scheduler;
	change->removal = choices->removal;
	change->flags = choices->flags;
	change->affinity_timeout = choices->affinity_timeout;
	change->removal_grace = choices->removal_grace;
	change->slow_start = choices->slow_start;
}

/* A page of changes: they come and go together, and apart from what stays, in which they would leave holes. */
struct kserv_change_block {
	struct kserv_change_block *next;
	unsigned long n;
	struct kserv_service_change change[(PAGE_SIZE - 2 * sizeof(long)) / sizeof(struct kserv_service_change)];
};

static struct kserv_service_change *change_alloc(struct kserv_transaction *tx)
{
	struct kserv_change_block *block = tx->changes;

	if (!block || block->n == ARRAY_SIZE(block->change)) {
		block = kmalloc(sizeof(*block), GFP_KERNEL_ACCOUNT);
		if (!block)
			return NULL;
		block->next = tx->changes;
		block->n = 0;
		tx->changes = block;
	}
	return memset(&block->change[block->n++], 0, sizeof(*block->change));
}

void kserv_service_stage_free(struct kserv_transaction *tx)
{
	struct kserv_change_block *block;

	while ((block = tx->changes)) {
		tx->changes = block->next;
		kfree(block);
	}
}

/* Begin to change a service that is in the tables. */
static struct kserv_service_change *change_begin(struct kserv_transaction *tx, struct kserv_service *service,
						 const struct nlattr *attr)
{
	struct kserv_service_change *change = change_alloc(tx);

	if (!change)
		return NULL;
	change->service = service;
	change->attr = attr;
	service->staged = change;
	list_add_tail(&change->list, &tx->services);
	inherit(change, rcu_dereference_protected(service->choices, lockdep_is_held(&tx->kn->mutex)));
	return change;
}

static struct kserv_service_change *change_create(struct kserv_transaction *tx, const struct kserv_service_key *key,
						  const struct nlattr *attr)
{
	struct kserv_service_change *change;
	struct kserv_service *service;

	if (tx->kn->n_services + tx->n_created >= KSERV_MAX_SERVICES)
		return ERR_PTR(kserv_refuse(tx->extack, attr, -ENOSPC, "there are 262144 services already"));
	service = kserv_service_create(tx->kn, key);
	if (IS_ERR(service))
		return ERR_CAST(service);
	change = change_begin(tx, service, attr);
	if (!change) {
		kserv_service_unlink(tx->kn, service);
		return ERR_PTR(-ENOMEM);
	}
	change->created = true;
	tx->n_created++;
	return change;
}

/* Deleted by the same message before: begin anew, but what is set again keeps its objects. */
static void change_revive(struct kserv_service_change *change)
{
	change->deleted = false;
	change->cleared = true;
	change->replace = true;
	set_defaults(change);
}

/* The change to go on with for a service-set. */
static struct kserv_service_change *change_get(struct kserv_transaction *tx, const struct kserv_service_key *key,
					       enum kserv_set_mode mode, const struct nlattr *attr)
{
	struct kserv_service *service = kserv_service_lookup(tx->kn, key);
	struct kserv_service_change *change = service ? service->staged : NULL;
	bool exists = service && !(change && change->deleted);

	if (mode == KSERV_SET_MODE_UPDATE && !exists)
		return ERR_PTR(kserv_refuse(tx->extack, attr, -ENOENT, "the service does not exist"));
	/* A service that the message itself created goes on in further service-sets. */
	if (mode == KSERV_SET_MODE_CREATE && exists && !(change && (change->created || change->cleared)))
		return ERR_PTR(kserv_refuse(tx->extack, attr, -EEXIST, "the service exists already"));
	if (!service)
		return change_create(tx, key, attr);
	if (!change)
		change = change_begin(tx, service, attr);
	if (!change)
		return ERR_PTR(-ENOMEM);
	if (change->deleted)
		change_revive(change);
	return change;
}

static int parse_seconds(const struct nlattr *attr, u32 *ret_seconds, struct netlink_ext_ack *extack)
{
	if (!attr)
		return 0;
	if (nla_get_u32(attr) > MAX_SECONDS)
		return kserv_refuse(extack, attr, -ERANGE, "this time is at most 86400 seconds, a day");
	*ret_seconds = nla_get_u32(attr);
	return 0;
}

static int parse_members(struct kserv_service_change *change, struct nlattr **tb, struct netlink_ext_ack *extack)
{
	if (tb[KSERV_A_SERVICE_SCHEDULER])
		change->scheduler = nla_get_u8(tb[KSERV_A_SERVICE_SCHEDULER]);
	if (tb[KSERV_A_SERVICE_REMOVAL])
		change->removal = nla_get_u8(tb[KSERV_A_SERVICE_REMOVAL]);
	if (tb[KSERV_A_SERVICE_FLAGS])
		change->flags = nla_get_u32(tb[KSERV_A_SERVICE_FLAGS]);
	return parse_seconds(tb[KSERV_A_SERVICE_AFFINITY_TIMEOUT], &change->affinity_timeout, extack) ?:
	       parse_seconds(tb[KSERV_A_SERVICE_REMOVAL_GRACE], &change->removal_grace, extack) ?:
	       parse_seconds(tb[KSERV_A_SERVICE_SLOW_START], &change->slow_start, extack);
}

/* Frontends and endpoints, in the order of the message. */
static int stage_lists(struct kserv_transaction *tx, struct kserv_service_change *change, const struct nlattr *attr)
{
	const struct nlattr *member;
	int rem, ret = 0;

	nla_for_each_nested(member, attr, rem) {
		switch (nla_type(member)) {
		case KSERV_A_SERVICE_ENDPOINT:
			ret = kserv_endpoint_stage(tx, change, member, false);
			break;
		case KSERV_A_SERVICE_ENDPOINT_DEL:
			ret = kserv_endpoint_stage(tx, change, member, true);
			break;
		case KSERV_A_SERVICE_FRONTEND:
			ret = kserv_frontend_stage_set(tx, change, member);
			break;
		case KSERV_A_SERVICE_FRONTEND_DEL:
			ret = kserv_frontend_stage_del(tx, change, member);
			break;
		case KSERV_A_SERVICE_REJECTS:
		case KSERV_A_SERVICE_DROPS:
		case KSERV_A_SERVICE_CONNECTIONS:
		case KSERV_A_SERVICE_MORE:
			ret = kserv_refuse(tx->extack, member, -EINVAL, "this attribute of a service is read only");
			break;
		}
		if (ret)
			return ret;
	}
	return 0;
}

int kserv_service_stage_set(struct kserv_transaction *tx, const struct nlattr *attr)
{
	struct nlattr *tb[KSERV_A_SERVICE_MAX + 1];
	enum kserv_set_mode mode = KSERV_SET_MODE_MERGE;
	struct kserv_service_change *change;
	struct kserv_service_key key;
	int ret;

	/* Lengths and types were checked with the whole message. */
	ret = nla_parse_nested(tb, KSERV_A_SERVICE_MAX, attr, NULL, tx->extack) ?:
	      parse_key(&key, tb, attr, tx->extack);
	if (ret)
		return ret;
	if (tb[KSERV_A_SERVICE_MODE])
		mode = nla_get_u8(tb[KSERV_A_SERVICE_MODE]);
	change = change_get(tx, &key, mode, attr);
	if (IS_ERR(change))
		return PTR_ERR(change);
	if (mode == KSERV_SET_MODE_REPLACE || tx->replace) {
		/* What is absent gets its default, but not what an earlier part gave. */
		if (!change->set)
			set_defaults(change);
		change->replace = true;
	}
	change->set = true;
	tx->nest++;
	return parse_members(change, tb, tx->extack) ?: stage_lists(tx, change, attr);
}

static int stage_delete(struct kserv_transaction *tx, struct kserv_service_change *change)
{
	int ret;

	kserv_endpoint_unstage(change);
	ret = kserv_frontend_stage_rest(tx, change->service, true);
	change->deleted = true;
	change->set = false;
	return ret;
}

int kserv_service_stage_del(struct kserv_transaction *tx, const struct nlattr *attr)
{
	struct nlattr *tb[KSERV_A_SERVICE_MAX + 1];
	struct kserv_service_change *change;
	struct kserv_service_key key;
	struct kserv_service *service;
	int ret, type;

	ret = nla_parse_nested(tb, KSERV_A_SERVICE_MAX, attr, NULL, tx->extack) ?:
	      parse_key(&key, tb, attr, tx->extack);
	if (ret)
		return ret;
	for (type = KSERV_A_SERVICE_MODE; type <= KSERV_A_SERVICE_MAX; type++)
		if (tb[type])
			return kserv_refuse(tx->extack, tb[type], -EINVAL,
					    "a service-del takes a name, a family and a protocol, nothing else");
	service = kserv_service_lookup(tx->kn, &key);
	if (!service || (service->staged && service->staged->deleted))
		return kserv_refuse(tx->extack, attr, -ENOENT, "the service does not exist");
	change = service->staged ? service->staged : change_begin(tx, service, attr);
	return change ? stage_delete(tx, change) : -ENOMEM;
}

int kserv_service_stage_rest(struct kserv_transaction *tx)
{
	struct kserv_service_change *change;
	struct kserv_service *service;
	int ret;
	u32 id;

	if (!tx->replace)
		return 0;
	idr_for_each_entry(&tx->kn->service_ids, service, id) {
		if (service->staged)
			continue;
		change = change_begin(tx, service, NULL);
		ret = change ? stage_delete(tx, change) : -ENOMEM;
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}
