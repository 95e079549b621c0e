// SPDX-License-Identifier: GPL-2.0
#include <linux/netfilter.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "kserv.h"
#include "conntrack.h"
#include "packet.h"

void kserv_conntrack_start(struct kserv_net *kn)
{
	lockdep_assert_held(&kn->mutex);
	/* Named like this, it is not loaded by us; it stays loaded as long as we use it. */
	if (rcu_access_pointer(nf_ct_hook))
		WRITE_ONCE(kn->conntrack_find, symbol_get(nf_conntrack_find_get));
}

void kserv_conntrack_stop(struct kserv_net *kn)
{
	if (!kn->conntrack_find)
		return;
	WRITE_ONCE(kn->conntrack_find, NULL);
	synchronize_net();
	symbol_put(nf_conntrack_find_get);
}

/* The endpoint that connection tracking sends packets with these addresses to. */
static bool find_endpoint(struct kserv_net *kn, const struct kserv_tuple *tuple, union nf_inet_addr *ret_addr)
{
	static const struct nf_conntrack_zone zone = { .id = NF_CT_DEFAULT_ZONE_ID, .dir = NF_CT_DEFAULT_ZONE_DIR };
	typeof(nf_conntrack_find_get) *find = READ_ONCE(kn->conntrack_find);
	struct nf_conntrack_tuple original = {};
	struct nf_conntrack_tuple_hash *hash;
	struct nf_conn *ct;
	bool translated;

	if (!find)
		return false;
	original.src.u3 = tuple->src;
	original.src.u.all = tuple->sport;
	original.src.l3num = tuple->family;
	original.dst.u3 = tuple->dst;
	original.dst.u.all = tuple->dport;
	original.dst.protonum = tuple->proto;
	hash = find(kn->net, &zone, &original);
	if (!hash)
		return false;
	ct = nf_ct_tuplehash_to_ctrack(hash);
	translated = NF_CT_DIRECTION(hash) == IP_CT_DIR_ORIGINAL && test_bit(IPS_DST_NAT_BIT, &ct->status) &&
		     (tuple->proto == IPPROTO_TCP || test_bit(IPS_ASSURED_BIT, &ct->status));
	*ret_addr = ct->tuplehash[IP_CT_DIR_REPLY].tuple.src.u3;
	/* As nf_ct_put(), but by a function that is there without connection tracking. */
	nf_conntrack_put(&ct->ct_general);
	return translated;
}

bool kserv_conntrack_translates(struct kserv_net *kn, const struct nf_hook_state *state,
				const struct kserv_packet *packet, const struct kserv_decision *decision)
{
	union nf_inet_addr addr;

	/* Without the hooks of its rules nothing is translated any more. */
	if (!READ_ONCE(kn->conntrack_find) || packet->is_echo || !kserv_hooks_translate(kn->net, state->pf) ||
	    !find_endpoint(kn, &packet->tuple, &addr))
		return false;
	return packet->tuple.proto == IPPROTO_TCP ||
	       (decision->choices && kserv_choices_serve(decision->choices, &addr));
}
