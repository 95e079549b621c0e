// SPDX-License-Identifier: GPL-2.0
/*
 * The ingress fast path: from its second packet on, a flow crosses this node from the device where a packet comes in
 * straight to the one where it goes out, past routing and the IP hooks. What is unusual about a packet, or has
 * changed about its way, sends it the ordinary way, which is always there.
 */
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/netdevice.h>
#include <linux/netfilter_netdev.h>
#include <linux/rtnetlink.h>
#include <net/gso.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/neighbour.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/pkt_sched.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "kserv.h"
#include "cache.h"
#include "fast.h"
#include "nat.h"
#include "start.h"
#include "track.h"
#include "way.h"

/* Node in node in node: beyond this many, packets wait in the queue of their CPU instead of on its stack. */
#define MAX_DEPTH 2

static DEFINE_PER_CPU(unsigned int, depth);

/* One device's hook. kserv_net.fast_devices; RTNL. */
struct fast_device {
	struct list_head list;
	struct nf_hook_ops ops;
	struct rcu_head rcu;
};

/* Length of the packet by its own header, checked as on the way through the IP stack; 0 for what must go that way. */
static unsigned int length4(struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	unsigned int len = ntohs(iph->tot_len);

	/* Options, fragments, and what is at the end of its time to live. */
	if (iph->ihl != 5 || ip_is_fragment(iph) || iph->ttl <= 1)
		return 0;
	return len > skb->len || ip_fast_csum(iph, 5) ? 0 : len;
}

static unsigned int length6(struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	unsigned int len = ntohs(ip6h->payload_len) + sizeof(*ip6h);

	/* Extension headers show in that the transport header is not the next one: the parser has told. */
	if (ip6h->hop_limit <= 1 || !ip6h->payload_len || len > skb->len)
		return 0;
	return len;
}

static bool fits(const struct sk_buff *skb, unsigned int mtu)
{
	if (skb->len <= mtu)
		return true;
	return skb_is_gso(skb) && skb_gso_validate_network_len(skb, mtu);
}

static bool route_holds(const struct kserv_fast_entry *entry)
{
	struct dst_entry *dst = entry->dst;

	return dst_check(dst, entry->cookie) && netif_running(dst->dev) && netif_carrier_ok(dst->dev);
}

static void age_packet(struct sk_buff *skb, u8 family)
{
	if (family == NFPROTO_IPV4)
		ip_decrease_ttl(ip_hdr(skb));
	else
		ipv6_hdr(skb)->hop_limit--;
}

/* Give the packet to the other end of the veth pair, as the pair itself would, but without a stop in a queue. */
static void xmit_to_peer(struct sk_buff *skb, struct net_device *dev, struct net_device *peer)
{
	struct ethhdr *eth = eth_hdr(skb);

	ether_addr_copy(eth->h_dest, peer->dev_addr);
	ether_addr_copy(eth->h_source, dev->dev_addr);
	skb_scrub_packet(skb, !net_eq(dev_net(dev), dev_net(peer)));
	skb->priority = 0;
	skb->dev = peer;
	kserv_dev_count_tx(dev, skb->len + ETH_HLEN);
	if (this_cpu_read(depth) < MAX_DEPTH) {
		this_cpu_inc(depth);
		netif_receive_skb(skb);
		this_cpu_dec(depth);
	} else {
		netif_rx(skb);
	}
}

static void xmit_to_neighbour(struct sk_buff *skb, struct dst_entry *dst, const struct kserv_tuple *to)
{
	skb->dev = dst->dev;
	skb_clear_tstamp(skb);
	if (to->family == NFPROTO_IPV4) {
		__be32 nexthop = rt_nexthop((struct rtable *)dst, to->dst.ip);

		skb_dst_set_noref(skb, dst);
		neigh_xmit(NEIGH_ARP_TABLE, dst->dev, &nexthop, skb);
	} else {
		const struct in6_addr *nexthop = rt6_nexthop((struct rt6_info *)dst, &to->dst.in6);

		skb_dst_set_noref(skb, dst);
		neigh_xmit(NEIGH_ND_TABLE, dst->dev, nexthop, skb);
	}
}

static struct net_device *peer_of(struct net_device *dev)
{
	return dev->netdev_ops->ndo_get_peer_dev ? dev->netdev_ops->ndo_get_peer_dev(dev) : NULL;
}

static void xmit(struct sk_buff *skb, const struct kserv_fast_entry *entry, const struct kserv_tuple *to)
{
	struct net_device *dev = entry->dst->dev;
	struct net_device *peer = entry->peer ? peer_of(dev) : NULL;

	if (peer && netif_running(peer))
		xmit_to_peer(skb, dev, peer);
	else
		xmit_to_neighbour(skb, entry->dst, to);
}

/*
 * Note the packet in its flow where it can make a difference. @fresh: it is the first one.
 * Return: false if the packet is not simply one of the flow, or the flow has not been seen in both directions.
 */
static bool track(struct kserv_net *kn, struct sk_buff *skb, const struct kserv_packet *packet,
		  struct kserv_cache_entry *entry, bool fresh)
{
	struct kserv_flow *flow = entry->flow;
	bool settled;

	if (!entry->watch && !(packet->tcp_flags & KSERV_TCP_CONTROL)) {
		entry->packets++;
		entry->bytes += skb->len;
		return true;
	}
	if ((!fresh && READ_ONCE(flow->state) == KSERV_FLOW_STATE_NEW && entry->dir == KSERV_DIR_IN) ||
	    kserv_track_packet(kn, flow, entry->dir, skb, packet, &settled) != KSERV_TRACK_GO)
		return false;
	entry->watch = !settled;
	return true;
}

static unsigned int forward(struct kserv_net *kn, struct sk_buff *skb, const struct kserv_packet *packet,
			    struct kserv_fast_entry *entry, bool fresh)
{
	unsigned int len = packet->tuple.family == NFPROTO_IPV4 ? length4(skb) : length6(skb);
	const struct kserv_tuple *to = &entry->cache.nat.to;

	/* What can send it the ordinary way comes before what leaves traces. */
	if (!len || !route_holds(entry) || pskb_trim_rcsum(skb, len) || !fits(skb, entry->mtu) ||
	    skb_cow_head(skb, LL_RESERVED_SPACE(entry->dst->dev)) ||
	    skb_ensure_writable(skb, packet->thoff + packet->l4_len) || !track(kn, skb, packet, &entry->cache, fresh))
		return NF_ACCEPT;
	kserv_nat_apply(skb, packet, &entry->cache.nat);
	age_packet(skb, packet->tuple.family);
	skb_forward_csum(skb);
	kserv_count(kn, FAST);
	xmit(skb, entry, to);
	return NF_STOLEN;
}

/* May packets skip what this device does to them as they leave? */
static bool peer_is_fit(struct net_device *dev, struct net_device *peer)
{
	const struct netdev_queue *queue = netdev_get_tx_queue(dev, 0);

	if (dev->num_tx_queues < 1 || kserv_dev_has_egress(dev) || dev_xdp_prog_count(peer))
		return false;
	return !rcu_dereference_bh(queue->qdisc)->enqueue;
}

bool kserv_fast_leads_to_peer(const union nf_inet_addr *addr, struct dst_entry *dst)
{
	struct net_device *peer = peer_of(dst->dev);
	struct neighbour *neigh;
	bool right = false;

	if (!peer || !peer_is_fit(dst->dev, peer))
		return false;
	/* Behind the other end there may be a bridge: the packet is for the end itself if it has its address. */
	neigh = dst_neigh_lookup(dst, addr);
	if (neigh) {
		right = READ_ONCE(neigh->nud_state) & NUD_VALID && ether_addr_equal(neigh->ha, peer->dev_addr);
		neigh_release(neigh);
	}
	return right;
}

static bool was_forwarded(const struct sk_buff *skb, u8 family)
{
	return family == NFPROTO_IPV4 ? IPCB(skb)->flags & IPSKB_FORWARDED : IP6CB(skb)->flags & IP6SKB_FORWARDED;
}

/* Connection tracking that is in use by somebody must see every packet. */
static bool is_tracked(const struct sk_buff *skb)
{
	enum ip_conntrack_info info;

	return nf_ct_get(skb, &info);
}

/* IPsec has a say in what is forwarded. */
static bool has_policies(const struct net *net)
{
#ifdef CONFIG_XFRM
	return net->xfrm.policy_count[XFRM_POLICY_FWD] || net->xfrm.policy_count[XFRM_POLICY_OUT] ||
	       net->xfrm.policy_default[XFRM_POLICY_FWD] == XFRM_USERPOLICY_BLOCK;
#else
	return false;
#endif
}

bool kserv_fast_fits(const struct sk_buff *skb, u8 family)
{
	const struct dst_entry *dst = skb_dst(skb);

	/* An IPv4 route by way of an IPv6 neighbour. */
	if (dst && family == NFPROTO_IPV4 && skb_rtable(skb)->rt_gw_family == AF_INET6)
		return false;
	return dst && !dst->error && !dst_xfrm(dst) && !dst->lwtstate && dst->dev->type == ARPHRD_ETHER &&
	       !has_policies(dev_net(dst->dev)) &&
	       dst->output == (family == NFPROTO_IPV4 ? ip_output : ip6_output);
}

void kserv_fast_remember(struct kserv_net *kn, struct kserv_flow *flow, enum kserv_flow_dir dir, struct sk_buff *skb,
			 const struct nf_hook_state *state)
{
	const struct kserv_tuple *endpoint = kserv_flow_tuple(flow, KSERV_KEY_ENDPOINT);
	struct kserv_masquerade *masquerade = rcu_dereference(flow->masquerade);
	const struct kserv_tuple *from;
	struct kserv_tuple to;

	if (!kn->fast_started || !state->in || !was_forwarded(skb, state->pf) || is_tracked(skb) ||
	    !kserv_fast_fits(skb, state->pf) || endpoint->proto == IPPROTO_SCTP)
		return;
	if (dir == KSERV_DIR_IN)
		from = kserv_flow_tuple(flow, KSERV_KEY_CLIENT);
	else
		from = masquerade ? &masquerade->node.tuple : endpoint;
	if (!kserv_flow_target(flow, KSERV_STAGE_LATE, dir, &to))
		kserv_flow_target(flow, KSERV_STAGE_EARLY, dir, &to);
	WRITE_ONCE(flow->fast, true);
	kserv_cache_fill_fast(kn, flow, dir, from, &to, state->in->ifindex, skb_dst(skb),
			      kserv_fast_leads_to_peer(&to.dst, skb_dst(skb)));
}

/*
 * The way through this node of a packet that has none of its own yet, if others went there just now. The first packet
 * of a connection has one only where no rules could be meant for it.
 */
static noinline struct kserv_fast_entry *enter(struct kserv_net *kn, const struct sk_buff *skb,
					       const struct kserv_packet *packet, const struct nf_hook_state *state,
					       bool *ret_fresh)
{
	bool untracked = rcu_dereference(kn->config)->conntrack == KSERV_CONNTRACK_BYPASS;
	const struct kserv_way *way;
	struct kserv_match match;
	struct kserv_tuple to;

	*ret_fresh = false;
	if (!kserv_hooks_alone(kn->net, packet->tuple.family, untracked))
		return NULL;
	kserv_flow_find(kn, &packet->tuple, KSERV_STAGE_EARLY, &match);
	if (match.kind == KSERV_MATCH_NONE && kserv_hooks_unwatched(kn->net, packet->tuple.family)) {
		match.flow = kserv_start_plainly(kn, packet, state->in);
		if (!match.flow)
			return NULL;
		match.kind = KSERV_MATCH_REWRITE;
		match.dir = KSERV_DIR_IN;
		*ret_fresh = true;
	} else if ((match.kind != KSERV_MATCH_REWRITE && match.kind != KSERV_MATCH_PASS) ||
		   kserv_packet_is_syn(packet)) {
		return NULL;
	}
	/* The configuration may have been another one when it started. */
	if (untracked && !(match.flow->flags & KSERV_FLOW_FLAGS_UNTRACKED))
		return NULL;
	to = packet->tuple;
	if (match.kind == KSERV_MATCH_REWRITE)
		kserv_flow_target(match.flow, KSERV_STAGE_EARLY, match.dir, &to);
	way = kserv_way_find(kn, skb, state->in->ifindex, &to);
	if (!way || !way->fast)
		return NULL;
	/* To be masqueraded, but its address and port are not chosen yet. */
	if (!kserv_flow_target(match.flow, KSERV_STAGE_LATE, match.dir, &to) &&
	    match.flow->flags & KSERV_FLOW_FLAGS_MASQUERADE)
		return NULL;
	WRITE_ONCE(match.flow->fast, true);
	return kserv_cache_fill_fast(kn, match.flow, match.dir, &packet->tuple, &to, state->in->ifindex, way->dst,
				     way->peer);
}

static noinline unsigned int cross(struct kserv_net *kn, struct sk_buff *skb, u8 family,
				   const struct nf_hook_state *state)
{
	struct kserv_fast_entry *entry;
	struct kserv_packet packet;
	bool fresh = false;

	if (!kserv_packet_parse_plain(skb, family, &packet))
		return NF_ACCEPT;
	entry = kserv_cache_lookup_fast(&kn->flows, &packet.tuple, READ_ONCE(kn->stale));
	if (!entry)
		entry = enter(kn, skb, &packet, state, &fresh);
	/* A SYN for a flow that is there is out of the ordinary. */
	else if (kserv_packet_is_syn(&packet))
		return NF_ACCEPT;
	/* From another device it may be somebody else's: the IP stack knows where sources belong. */
	return entry && entry->iif == state->in->ifindex ? forward(kn, skb, &packet, entry, fresh) : NF_ACCEPT;
}

static unsigned int hook_ingress(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct kserv_net *kn = priv;
	u8 family;

	if (skb->protocol == htons(ETH_P_IP)) {
		if (!pskb_may_pull(skb, sizeof(struct iphdr)))
			return NF_ACCEPT;
		family = NFPROTO_IPV4;
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		if (!pskb_may_pull(skb, sizeof(struct ipv6hdr)))
			return NF_ACCEPT;
		family = NFPROTO_IPV6;
	} else {
		return NF_ACCEPT;
	}
	if (skb->pkt_type != PACKET_HOST || !kserv_filter_passes(kn->filter, skb, family) ||
	    skb_vlan_tag_present(skb) || skb_shared(skb))
		return NF_ACCEPT;
	return cross(kn, skb, family, state);
}

static struct fast_device *find_device(struct kserv_net *kn, const struct net_device *dev)
{
	struct fast_device *device;

	list_for_each_entry(device, &kn->fast_devices, list)
		if (device->ops.dev == dev)
			return device;
	return NULL;
}

/* A device that cannot be hooked is served the ordinary way. */
static void add_device(struct kserv_net *kn, struct net_device *dev)
{
	struct fast_device *device;

	ASSERT_RTNL();
	if (dev->type != ARPHRD_ETHER || dev->flags & IFF_LOOPBACK || find_device(kn, dev))
		return;
	device = kzalloc(sizeof(*device), GFP_KERNEL);
	if (!device)
		return;
	device->ops.hook = hook_ingress;
	device->ops.priv = kn;
	device->ops.pf = NFPROTO_NETDEV;
	device->ops.hooknum = NF_NETDEV_INGRESS;
	/* Last: rules that somebody has there are met by every packet. */
	device->ops.priority = INT_MAX;
	device->ops.dev = dev;
	if (nf_register_net_hook(kn->net, &device->ops)) {
		kfree(device);
		return;
	}
	list_add(&device->list, &kn->fast_devices);
}

static void del_device(struct kserv_net *kn, struct net_device *dev)
{
	struct fast_device *device = find_device(kn, dev);

	ASSERT_RTNL();
	if (!device)
		return;
	nf_unregister_net_hook(kn->net, &device->ops);
	list_del(&device->list);
	kfree_rcu(device, rcu);
}

static int device_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct kserv_net *kn = container_of(nb, struct kserv_net, fast_notifier);
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);

	if (event == NETDEV_REGISTER)
		add_device(kn, dev);
	else if (event == NETDEV_UNREGISTER)
		del_device(kn, dev);
	return NOTIFY_DONE;
}

int kserv_fast_start(struct kserv_net *kn)
{
	int ret;

	lockdep_assert_held(&kn->mutex);
	if (kn->fast_started)
		return 0;
	INIT_LIST_HEAD(&kn->fast_devices);
	kn->fast_notifier.notifier_call = device_event;
	/* Tells of the devices there are, too. */
	ret = register_netdevice_notifier_net(kn->net, &kn->fast_notifier);
	if (!ret)
		WRITE_ONCE(kn->fast_started, true);
	return ret;
}

void kserv_fast_stop(struct kserv_net *kn)
{
	if (!kn->fast_started)
		return;
	WRITE_ONCE(kn->fast_started, false);
	/* Tells that all devices go, too. */
	unregister_netdevice_notifier_net(kn->net, &kn->fast_notifier);
	synchronize_net();
}

void kserv_fast_update(struct kserv_net *kn)
{
	lockdep_assert_held(&kn->mutex);
	if (!kn->hooks_registered)
		return;
	if (rcu_dereference_protected(kn->config, lockdep_is_held(&kn->mutex))->fast_path)
		kserv_fast_start(kn);
	else
		kserv_fast_stop(kn);
}
