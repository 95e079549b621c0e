// SPDX-License-Identifier: GPL-2.0
/* Transactions as userspace sends them, checked by the family's policy as the kernel does. */
#include "../../kmod/transaction.c"
#include "message.h"
#include "world.h"

#define MESSAGE_SIZE 30000
/* Nobody has this port: the answer is not delivered. */
#define NOBODY 0x7fffffff

void message_begin(struct kunit *test, struct message *message)
{
	*message = (struct message){ .test = test, .skb = nlmsg_new(MESSAGE_SIZE, GFP_KERNEL) };
	KUNIT_ASSERT_NOT_NULL(test, message->skb);
	KUNIT_ASSERT_NOT_NULL(test, genlmsg_put(message->skb, NOBODY, 1, &kserv_nl_family, 0,
						KSERV_CMD_TRANSACTION));
}

static void put_key(struct message *message, const char *name, u8 family, u8 protocol)
{
	KUNIT_ASSERT_EQ(message->test, 0, nla_put_string(message->skb, KSERV_A_SERVICE_NAME, name));
	KUNIT_ASSERT_EQ(message->test, 0, nla_put_u8(message->skb, KSERV_A_SERVICE_FAMILY, family));
	KUNIT_ASSERT_EQ(message->test, 0, nla_put_u8(message->skb, KSERV_A_SERVICE_PROTOCOL, protocol));
	message->family = family;
}

void message_set(struct message *message, const char *name, u8 family, u8 protocol, u8 mode)
{
	message->service = nla_nest_start(message->skb, KSERV_A_MESSAGE_SERVICE_SET);
	KUNIT_ASSERT_NOT_NULL(message->test, message->service);
	put_key(message, name, family, protocol);
	KUNIT_ASSERT_EQ(message->test, 0, nla_put_u8(message->skb, KSERV_A_SERVICE_MODE, mode));
}

void message_set_end(struct message *message)
{
	nla_nest_end(message->skb, message->service);
}

static void put_addr(struct message *message, int v4, int v6, const union nf_inet_addr *addr)
{
	if (message->family == NFPROTO_IPV4)
		KUNIT_ASSERT_EQ(message->test, 0, nla_put_in_addr(message->skb, v4, addr->ip));
	else
		KUNIT_ASSERT_EQ(message->test, 0, nla_put_in6_addr(message->skb, v6, &addr->in6));
}

static struct nlattr *begin_endpoint(struct message *message, int type, const union nf_inet_addr *addr, u16 port)
{
	struct nlattr *nest = nla_nest_start(message->skb, type);

	KUNIT_ASSERT_NOT_NULL(message->test, nest);
	put_addr(message, KSERV_A_ENDPOINT_ADDR4, KSERV_A_ENDPOINT_ADDR6, addr);
	KUNIT_ASSERT_EQ(message->test, 0, nla_put_be16(message->skb, KSERV_A_ENDPOINT_PORT, htons(port)));
	return nest;
}

void message_endpoint(struct message *message, const union nf_inet_addr *addr, u16 port, u8 flags, u16 weight)
{
	struct nlattr *nest = begin_endpoint(message, KSERV_A_SERVICE_ENDPOINT, addr, port);

	KUNIT_ASSERT_EQ(message->test, 0, nla_put_u8(message->skb, KSERV_A_ENDPOINT_FLAGS, flags));
	KUNIT_ASSERT_EQ(message->test, 0, nla_put_u16(message->skb, KSERV_A_ENDPOINT_WEIGHT, weight));
	nla_nest_end(message->skb, nest);
}

void message_endpoint_del(struct message *message, const union nf_inet_addr *addr, u16 port)
{
	nla_nest_end(message->skb, begin_endpoint(message, KSERV_A_SERVICE_ENDPOINT_DEL, addr, port));
}

static struct nlattr *begin_frontend(struct message *message, int attr, u8 type, const union nf_inet_addr *addr,
				     u16 port)
{
	struct nlattr *nest = nla_nest_start(message->skb, attr);

	KUNIT_ASSERT_NOT_NULL(message->test, nest);
	KUNIT_ASSERT_EQ(message->test, 0, nla_put_u8(message->skb, KSERV_A_FRONTEND_TYPE, type));
	if (type != KSERV_FRONTEND_TYPE_NODE_PORT)
		put_addr(message, KSERV_A_FRONTEND_ADDR4, KSERV_A_FRONTEND_ADDR6, addr);
	KUNIT_ASSERT_EQ(message->test, 0, nla_put_be16(message->skb, KSERV_A_FRONTEND_PORT, htons(port)));
	return nest;
}

void message_frontend(struct message *message, u8 type, const union nf_inet_addr *addr, u16 port, u8 flags)
{
	struct nlattr *nest = begin_frontend(message, KSERV_A_SERVICE_FRONTEND, type, addr, port);

	KUNIT_ASSERT_EQ(message->test, 0, nla_put_u8(message->skb, KSERV_A_FRONTEND_FLAGS, flags));
	nla_nest_end(message->skb, nest);
}

void message_frontend_del(struct message *message, u8 type, const union nf_inet_addr *addr, u16 port)
{
	nla_nest_end(message->skb, begin_frontend(message, KSERV_A_SERVICE_FRONTEND_DEL, type, addr, port));
}

void message_del(struct message *message, const char *name, u8 family, u8 protocol)
{
	struct nlattr *nest = nla_nest_start(message->skb, KSERV_A_MESSAGE_SERVICE_DEL);

	KUNIT_ASSERT_NOT_NULL(message->test, nest);
	put_key(message, name, family, protocol);
	nla_nest_end(message->skb, nest);
}

static int commit_message(struct message *message, struct kserv_net *kn, unsigned int nth, bool *ret_injected)
{
	struct nlattr *attrs[KSERV_A_MESSAGE_MAX + 1];
	struct netlink_ext_ack extack = {};
	struct genl_info info = {
		.nlhdr = nlmsg_hdr(message->skb),
		.snd_portid = NOBODY,
		.attrs = attrs,
		.extack = &extack,
	};
	int ret;

	nlmsg_hdr(message->skb)->nlmsg_len = message->skb->len;
	genl_info_net_set(&info, &init_net);
	ret = __nlmsg_parse(info.nlhdr, GENL_HDRLEN, attrs, KSERV_A_MESSAGE_MAX, kserv_message_nl_policy,
			    NL_VALIDATE_STRICT, &extack);
	KUNIT_ASSERT_EQ_MSG(message->test, ret, 0, "%s", extack._msg ?: "the policy refuses it");
	mutex_lock(&kn->mutex);
	/* One frontend more than there is, or the last one to go would take the hooks along. */
	kn->hooks_registered = true;
	kn->n_frontends++;
	world_fail_alloc(nth);
	ret = run(kn, &info);
	*ret_injected = world_alloc_failed(nth);
	kn->n_frontends--;
	kn->hooks_registered = false;
	mutex_unlock(&kn->mutex);
	nlmsg_free(message->skb);
	return ret;
}

int message_commit(struct message *message, struct kserv_net *kn)
{
	bool none;

	return commit_message(message, kn, 0, &none);
}

int message_commit_failing(struct message *message, struct kserv_net *kn, unsigned int nth, bool *ret_injected)
{
	return commit_message(message, kn, nth, ret_injected);
}
