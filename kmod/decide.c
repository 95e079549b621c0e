// SPDX-License-Identifier: GPL-2.0
/*
 * The verdict on a packet that belongs to no flow. Rule numbers are those of tests/rules/rules.txt: what kube-proxy
 * does in nftables mode.
 */
#include <linux/inetdevice.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "kserv.h"
#include "decide.h"

static bool addr_is_loopback(u8 family, const union nf_inet_addr *addr)
{
	return family == NFPROTO_IPV4 ? ipv4_is_loopback(addr->ip) : ipv6_addr_loopback(&addr->in6);
}

bool kserv_addr_is_local(struct net *net, u8 family, const union nf_inet_addr *addr)
{
	if (family == NFPROTO_IPV4)
		return inet_addr_type(net, addr->ip) == RTN_LOCAL;
	return ipv6_chk_addr(net, &addr->in6, NULL, 0);
}

static u8 family_bit(u8 family)
{
	return family == NFPROTO_IPV4 ? BIT(0) : BIT(1);
}

/* Rules 1.12 and 1.13: the addresses given, or all of a family that has none given; never loopback. */
static bool accepts_node_ports(struct kserv_net *kn, const struct kserv_config *config, u8 family,
			       const union nf_inet_addr *addr)
{
	const struct kserv_prefixes *accepted = config->node_port_addresses;

	if (addr_is_loopback(family, addr) || !kserv_addr_is_local(kn->net, family, addr))
		return false;
	if (!accepted || !(accepted->families & family_bit(family)))
		return true;
	return kserv_prefixes_contain(accepted, family, addr);
}

static bool interface_matches(const struct kserv_config *config, const struct net_device *in)
{
	if (!in || !config->pod_interface[0])
		return false;
	if (config->detect_local == KSERV_DETECT_LOCAL_INTERFACE)
		return !strcmp(in->name, config->pod_interface);
	return !strncmp(in->name, config->pod_interface, strlen(config->pod_interface));
}

/* Rule 5.12. A pod's address may also be one of this node's (a bridge with a pod address): it counts as a pod. */
static enum kserv_source_type source_type(struct kserv_net *kn, const struct kserv_config *config,
					  const struct kserv_question *question)
{
	const struct kserv_tuple *tuple = &question->tuple;

	switch (config->detect_local) {
	case KSERV_DETECT_LOCAL_CIDR:
		if (kserv_prefixes_contain(config->pod_cidrs, tuple->family, &tuple->src))
			return KSERV_SOURCE_TYPE_POD;
		break;
	case KSERV_DETECT_LOCAL_INTERFACE:
	case KSERV_DETECT_LOCAL_INTERFACE_PREFIX:
		if (interface_matches(config, question->in))
			return KSERV_SOURCE_TYPE_POD;
		break;
	}
	if (kserv_addr_is_local(kn->net, tuple->family, &tuple->src))
		return KSERV_SOURCE_TYPE_NODE;
	return KSERV_SOURCE_TYPE_OTHER;
}

/* Rule 1.11: addresses first, node ports after them. */
static struct kserv_frontend *find_frontend(struct kserv_net *kn, const struct kserv_config *config,
					    const struct kserv_tuple *tuple, u8 *reason)
{
	struct kserv_frontend_key key = {
		.addr = tuple->dst, .port = tuple->dport, .protocol = tuple->proto, .family = tuple->family,
	};
	struct kserv_frontend *frontend;

	*reason = KSERV_REASON_NO_FRONTEND;
	frontend = kserv_frontend_lookup(kn, &key);
	if (frontend)
		return frontend;

	memset(&key.addr, 0, sizeof(key.addr));
	key.node_port = 1;
	frontend = kserv_frontend_lookup(kn, &key);
	if (frontend && !accepts_node_ports(kn, config, tuple->family, &tuple->dst)) {
		*reason = KSERV_REASON_NOT_A_NODE_PORT_ADDRESS;
		return NULL;
	}
	return frontend;
}

static void refuse(struct kserv_decision *decision, enum kserv_verdict verdict, enum kserv_reason reason)
{
	decision->verdict = verdict;
	decision->reason = reason;
}

/*
 * Rules 1.6 and 1.7: what is sent to a cluster IP, or into a service CIDR, and reaches no service. They hold for what
 * is forwarded or sent from here; an address that this node has itself, as that of a DNS cache, is its own affair.
 */
static void guard_address(struct kserv_net *kn, const struct kserv_config *config,
			  const struct kserv_question *question, struct kserv_decision *decision)
{
	const struct kserv_tuple *tuple = &question->tuple;
	struct kserv_frontend_key key = { .addr = tuple->dst, .family = tuple->family };
	bool owned = kserv_frontend_lookup(kn, &key);

	if (!owned && !kserv_prefixes_contain(config->service_cidrs, tuple->family, &tuple->dst))
		return;
	if (question->in && kserv_addr_is_local(kn->net, tuple->family, &tuple->dst))
		return;
	if (owned)
		refuse(decision, KSERV_VERDICT_REJECT, KSERV_REASON_UNDEFINED_PORT);
	else
		refuse(decision, KSERV_VERDICT_DROP, KSERV_REASON_UNALLOCATED_ADDRESS);
}

/*
 * A packet that no service is there for. A load-balancer address is on no interface, so nobody but kserv would answer
 * pings of it; where it is on one, the IP stack does.
 */
static void decide_without_service(struct kserv_net *kn, const struct kserv_config *config,
				   const struct kserv_frontend *guard, const struct kserv_question *question,
				   struct kserv_decision *decision)
{
	const struct kserv_tuple *tuple = &question->tuple;

	if (!guard || !question->is_echo) {
		guard_address(kn, config, question, decision);
	} else if (!kserv_addr_is_local(kn->net, tuple->family, &tuple->dst)) {
		decision->verdict = KSERV_VERDICT_ANSWER;
		decision->reason = KSERV_REASON_NONE;
	}
}

static bool masquerades(const struct kserv_frontend *frontend, enum kserv_source_type source)
{
	switch (source) {
	case KSERV_SOURCE_TYPE_POD:
		return frontend->flags & KSERV_FRONTEND_FLAGS_MASQUERADE_POD;
	case KSERV_SOURCE_TYPE_NODE:
		return frontend->flags & KSERV_FRONTEND_FLAGS_MASQUERADE_NODE;
	default:
		return frontend->flags & KSERV_FRONTEND_FLAGS_MASQUERADE_OTHER;
	}
}

/* Rules 2.9 and 2.18: held to the local set, unless a pod or this node asks and the frontend lets them through. */
static bool held_to_local_set(const struct kserv_frontend *frontend, enum kserv_source_type source)
{
	if (!(frontend->flags & KSERV_FRONTEND_FLAGS_LOCAL_SET))
		return false;
	return !(frontend->flags & KSERV_FRONTEND_FLAGS_SHORT_CIRCUIT) || source == KSERV_SOURCE_TYPE_OTHER;
}

/* Endpoints of weight 0 are there, but not to be chosen. */
static bool is_empty(const struct kserv_choices *choices, bool local)
{
	unsigned int i, n;
	struct kserv_endpoint *const *set = kserv_choices_set(choices, local, &n);

	for (i = 0; choices->weighted && i < n; i++)
		if (READ_ONCE(set[i]->weight))
			return false;
	return choices->weighted || !n;
}

/* Section 3: nothing to choose. */
static void refuse_empty(struct kserv_decision *decision)
{
	if (decision->local && decision->frontend->flags & KSERV_FRONTEND_FLAGS_DROP_EMPTY)
		refuse(decision, KSERV_VERDICT_DROP, KSERV_REASON_NO_LOCAL_ENDPOINTS);
	else
		refuse(decision, KSERV_VERDICT_REJECT, KSERV_REASON_NO_ENDPOINTS);
}

void kserv_decide(struct kserv_net *kn, const struct kserv_question *question, struct kserv_decision *decision)
{
	const struct kserv_config *config = rcu_dereference(kn->config);
	const struct kserv_tuple *tuple = &question->tuple;
	struct kserv_frontend *frontend;

	memset(decision, 0, sizeof(*decision));
	frontend = find_frontend(kn, config, tuple, &decision->reason);
	/* Guards have no service; a packet of protocol 0 or a ping meets one. */
	if (!frontend || !frontend->service) {
		decide_without_service(kn, config, frontend, question, decision);
		return;
	}
	decision->frontend = frontend;
	decision->service = frontend->service;
	decision->choices = rcu_dereference(frontend->service->choices);
	decision->source = source_type(kn, config, question);
	decision->local = held_to_local_set(frontend, decision->source);
	decision->masquerade = masquerades(frontend, decision->source);

	/* Rule 1.34: outside the allowed sources is dropped even without endpoints. */
	if (frontend->sources && !kserv_prefixes_contain(frontend->sources, tuple->family, &tuple->src)) {
		refuse(decision, KSERV_VERDICT_DROP, KSERV_REASON_SOURCE_NOT_ALLOWED);
		return;
	}
	if (is_empty(decision->choices, decision->local)) {
		refuse_empty(decision);
		return;
	}
	decision->verdict = KSERV_VERDICT_TRANSLATE;
	decision->reason = KSERV_REASON_NONE;
}
