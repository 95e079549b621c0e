// SPDX-License-Identifier: GPL-2.0
/* The configuration of a namespace and lists of CIDRs: defaults, reading, writing. */
#include <linux/capability.h>
#include <linux/inetdevice.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <net/ipv6.h>
#include <uapi/linux/kserv.h>

#include "kserv.h"
#include "config.h"
#include "transaction.h"

/*
 * Timeouts are compared as 32 bits of jiffies: half of that range is the limit, 24 days with 1000 jiffies a second.
 */
#define MAX_TIMEOUT (20 * 24 * 3600)
#define MAX_TABLE 16777216U
#define DEFAULT_FLOW_MAX 262144
#define DEFAULT_SESSION_MAX 65536
/* Three full lists of the configuration must fit into one attribute, 64 KiB, when they are shown. */
#define MAX_PREFIXES 640

static bool prefix_contains(const struct kserv_prefix *prefix, const union nf_inet_addr *addr)
{
	if (prefix->family == NFPROTO_IPV4)
		return !((addr->ip ^ prefix->addr.ip) & inet_make_mask(prefix->len));
	return ipv6_prefix_equal(&addr->in6, &prefix->addr.in6, prefix->len);
}

bool kserv_prefixes_contain(const struct kserv_prefixes *prefixes, u8 family, const union nf_inet_addr *addr)
{
	unsigned int i;

	if (!prefixes)
		return false;
	for (i = 0; i < prefixes->n; i++)
		if (prefixes->v[i].family == family && prefix_contains(&prefixes->v[i], addr))
			return true;
	return false;
}

/* True if no bit beyond the prefix length is set. */
static bool prefix_is_clean(const struct kserv_prefix *prefix)
{
	struct in6_addr masked;

	if (prefix->family == NFPROTO_IPV4)
		return !(prefix->addr.ip & ~inet_make_mask(prefix->len));
	ipv6_addr_prefix(&masked, &prefix->addr.in6, prefix->len);
	return ipv6_addr_equal(&masked, &prefix->addr.in6);
}

int kserv_prefix_parse(const struct nlattr *attr, struct kserv_prefix *prefix, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[KSERV_A_PREFIX_MAX + 1];
	int ret;

	/* Lengths and types were checked with the whole message. */
	ret = nla_parse_nested(tb, KSERV_A_PREFIX_MAX, attr, NULL, extack);
	if (ret)
		return ret;
	memset(prefix, 0, sizeof(*prefix));
	if (!tb[KSERV_A_PREFIX_ADDR4] == !tb[KSERV_A_PREFIX_ADDR6])
		return kserv_refuse(extack, attr, -EINVAL, "a CIDR needs one address, of IPv4 or of IPv6");
	if (!tb[KSERV_A_PREFIX_LEN])
		return kserv_refuse(extack, attr, -EINVAL, "a CIDR needs its length");
	prefix->len = nla_get_u8(tb[KSERV_A_PREFIX_LEN]);
	if (tb[KSERV_A_PREFIX_ADDR4]) {
		prefix->family = NFPROTO_IPV4;
		prefix->addr.ip = nla_get_in_addr(tb[KSERV_A_PREFIX_ADDR4]);
		if (prefix->len > 32)
			return kserv_refuse(extack, tb[KSERV_A_PREFIX_LEN], -EINVAL,
					    "an IPv4 CIDR has a length of at most 32");
	} else {
		prefix->family = NFPROTO_IPV6;
		prefix->addr.in6 = nla_get_in6_addr(tb[KSERV_A_PREFIX_ADDR6]);
	}
	if (!prefix_is_clean(prefix))
		return kserv_refuse(extack, attr, -EINVAL, "the CIDR's address has bits set beyond its length");
	return 0;
}

static unsigned int count_attrs(const struct nlattr *nest, int type)
{
	const struct nlattr *attr;
	unsigned int n = 0;
	int rem;

	nla_for_each_nested(attr, nest, rem)
		n += nla_type(attr) == type;
	return n;
}

int kserv_prefixes_parse(const struct nlattr *nest, int type, u8 family, struct kserv_prefixes **ret,
			 struct netlink_ext_ack *extack)
{
	unsigned int n = count_attrs(nest, type);
	struct kserv_prefixes *prefixes;
	const struct nlattr *attr;
	struct kserv_prefix *to;
	int rem, error;

	*ret = NULL;
	if (!n)
		return 0;
	if (n > MAX_PREFIXES)
		return kserv_refuse(extack, nest, -E2BIG, "a list has at most 640 CIDRs");
	prefixes = kzalloc(struct_size(prefixes, v, n), GFP_KERNEL_ACCOUNT);
	if (!prefixes)
		return -ENOMEM;
	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) != type)
			continue;
		to = &prefixes->v[prefixes->n++];
		error = kserv_prefix_parse(attr, to, extack);
		if (!error && family != AF_UNSPEC && to->family != family)
			error = kserv_refuse(extack, attr, -EINVAL, "the CIDR is not of the service's address family");
		if (error) {
			kfree(prefixes);
			return error;
		}
		prefixes->families |= to->family == NFPROTO_IPV4 ? 1 : 2;
	}
	*ret = prefixes;
	return 0;
}

int kserv_prefix_put(struct sk_buff *skb, int type, const struct kserv_prefix *prefix)
{
	struct nlattr *nest = nla_nest_start(skb, type);
	int ret;

	if (!nest)
		return -EMSGSIZE;
	if (prefix->family == NFPROTO_IPV4)
		ret = nla_put_in_addr(skb, KSERV_A_PREFIX_ADDR4, prefix->addr.ip);
	else
		ret = nla_put_in6_addr(skb, KSERV_A_PREFIX_ADDR6, &prefix->addr.in6);
	if (ret || nla_put_u8(skb, KSERV_A_PREFIX_LEN, prefix->len)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static void cover(struct kserv_cover *cover, const struct kserv_prefixes *prefixes, u8 family)
{
	const struct kserv_prefix *prefix;
	__be32 mask, first;

	cover->mask = 0;
	cover->value = htonl(1);
	if (!prefixes)
		return;
	for (prefix = prefixes->v; prefix < prefixes->v + prefixes->n; prefix++) {
		if (prefix->family != family)
			continue;
		mask = inet_make_mask(min_t(u8, prefix->len, 32));
		first = (__force __be32)prefix->addr.all[0];
		if (cover->value & ~cover->mask) {
			cover->mask = mask;
			cover->value = first & mask;
		}
		cover->mask &= mask & ~(cover->value ^ first);
		cover->value &= cover->mask;
	}
}

static void cover_services(struct kserv_config *config)
{
	cover(&config->service_cover[0], config->service_cidrs, NFPROTO_IPV4);
	cover(&config->service_cover[1], config->service_cidrs, NFPROTO_IPV6);
}

struct kserv_config *kserv_config_alloc(void)
{
	struct kserv_config *config = kzalloc(sizeof(*config), GFP_KERNEL_ACCOUNT);

	if (!config)
		return NULL;
	config->conntrack = KSERV_CONNTRACK_AUTO;
	config->detect_local = KSERV_DETECT_LOCAL_NONE;
	/*
	 * Below the usual node ports, 30000-32767, and below the ports that local sockets get, from 32768 on: an answer
	 * to a process that talks to an endpoint directly is never taken for one to a masqueraded client.
	 */
	config->masquerade_port_min = 1024;
	config->masquerade_port_max = 29999;
	config->fast_path = 1;
	config->flow_max = DEFAULT_FLOW_MAX;
	config->session_max = DEFAULT_SESSION_MAX;
	/* A client gives up a SYN after some 130 s, but a retransmission makes a new flow just as well. */
	config->tcp_syn_timeout = 60 * HZ;
	/* As kube-proxy sets nf_conntrack_tcp_timeout_established. */
	config->tcp_established_timeout = 24 * 3600 * HZ;
	/* Long enough for the last segments of both sides; a SYN starts anew at once. */
	config->tcp_close_timeout = 20 * HZ;
	/* As connection tracking has them by default. */
	config->udp_timeout = 30 * HZ;
	config->udp_stream_timeout = 120 * HZ;
	/* An idle association sends a heartbeat every 30 s. */
	config->sctp_timeout = 210 * HZ;
	cover_services(config);
	return config;
}

void kserv_config_free(struct kserv_config *config)
{
	if (!config)
		return;
	kfree(config->pod_cidrs);
	kfree(config->service_cidrs);
	kfree(config->node_port_addresses);
	kfree(config);
}

static int parse_timeout(const struct nlattr *attr, u32 *ret_jiffies, struct netlink_ext_ack *extack)
{
	u32 seconds;

	if (!attr)
		return 0;
	seconds = nla_get_u32(attr);
	if (!seconds || seconds > MAX_TIMEOUT)
		return kserv_refuse(extack, attr, -ERANGE, "a timeout lies between 1 second and 20 days");
	*ret_jiffies = seconds * HZ;
	return 0;
}

static int parse_timeouts(struct kserv_config *config, struct nlattr **tb, struct netlink_ext_ack *extack)
{
	return parse_timeout(tb[KSERV_A_CONFIG_TCP_SYN_TIMEOUT], &config->tcp_syn_timeout, extack) ?:
	       parse_timeout(tb[KSERV_A_CONFIG_TCP_ESTABLISHED_TIMEOUT], &config->tcp_established_timeout, extack) ?:
	       parse_timeout(tb[KSERV_A_CONFIG_TCP_CLOSE_TIMEOUT], &config->tcp_close_timeout, extack) ?:
	       parse_timeout(tb[KSERV_A_CONFIG_UDP_TIMEOUT], &config->udp_timeout, extack) ?:
	       parse_timeout(tb[KSERV_A_CONFIG_UDP_STREAM_TIMEOUT], &config->udp_stream_timeout, extack) ?:
	       parse_timeout(tb[KSERV_A_CONFIG_SCTP_TIMEOUT], &config->sctp_timeout, extack);
}

static int parse_ports(struct kserv_config *config, struct nlattr **tb, struct netlink_ext_ack *extack)
{
	const struct nlattr *min = tb[KSERV_A_CONFIG_MASQUERADE_PORT_MIN];
	const struct nlattr *max = tb[KSERV_A_CONFIG_MASQUERADE_PORT_MAX];

	if (min)
		config->masquerade_port_min = nla_get_u16(min);
	if (max)
		config->masquerade_port_max = nla_get_u16(max);
	if (!config->masquerade_port_min || config->masquerade_port_min > config->masquerade_port_max)
		return kserv_refuse(extack, max ? max : min, -ERANGE,
				    "the masquerade port range must begin above 0 and not end before it begins");
	return 0;
}

static int parse_tables(struct kserv_config *config, struct nlattr **tb, struct netlink_ext_ack *extack)
{
	const struct nlattr *flow_max = tb[KSERV_A_CONFIG_FLOW_MAX], *session_max = tb[KSERV_A_CONFIG_SESSION_MAX];

	if (flow_max)
		config->flow_max = nla_get_u32(flow_max);
	if (!config->flow_max || config->flow_max > MAX_TABLE)
		return kserv_refuse(extack, flow_max, -ERANGE, "flow-max lies between 1 and 16777216");
	if (session_max)
		config->session_max = nla_get_u32(session_max);
	if (!config->session_max || config->session_max > MAX_TABLE)
		return kserv_refuse(extack, session_max, -ERANGE, "session-max lies between 1 and 16777216");
	/* Packets make them, so that nobody's memory is charged for them. */
	if ((config->flow_max > DEFAULT_FLOW_MAX || config->session_max > DEFAULT_SESSION_MAX) &&
	    !capable(CAP_NET_ADMIN))
		return kserv_refuse(extack, flow_max ?: session_max, -EPERM,
				    "more than by default need CAP_NET_ADMIN in the initial user namespace");
	return 0;
}

static int parse_detect_local(struct kserv_config *config, struct nlattr **tb, struct netlink_ext_ack *extack)
{
	const struct nlattr *how = tb[KSERV_A_CONFIG_DETECT_LOCAL], *interface = tb[KSERV_A_CONFIG_POD_INTERFACE];

	if (how)
		config->detect_local = nla_get_u8(how);
	if (interface)
		nla_strscpy(config->pod_interface, interface, sizeof(config->pod_interface));
	if (!config->pod_interface[0] && (config->detect_local == KSERV_DETECT_LOCAL_INTERFACE ||
					  config->detect_local == KSERV_DETECT_LOCAL_INTERFACE_PREFIX))
		return kserv_refuse(extack, how, -EINVAL, "to detect pods by interface, pod-interface must be given");
	return 0;
}

static int parse_lists(struct kserv_config *config, const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	return kserv_prefixes_parse(attr, KSERV_A_CONFIG_POD_CIDR, AF_UNSPEC, &config->pod_cidrs, extack) ?:
	       kserv_prefixes_parse(attr, KSERV_A_CONFIG_SERVICE_CIDR, AF_UNSPEC, &config->service_cidrs, extack) ?:
	       kserv_prefixes_parse(attr, KSERV_A_CONFIG_NODE_PORT_ADDRESS, AF_UNSPEC,
				    &config->node_port_addresses, extack);
}

static int parse(struct kserv_config *config, const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[KSERV_A_CONFIG_MAX + 1];
	int ret, type;

	ret = nla_parse_nested(tb, KSERV_A_CONFIG_MAX, attr, NULL, extack);
	if (ret)
		return ret;
	for (type = KSERV_A_CONFIG_GENERATION; type <= KSERV_A_CONFIG_MAX; type++)
		if (tb[type])
			return kserv_refuse(extack, tb[type], -EINVAL, "this part of the configuration is read only");
	if (tb[KSERV_A_CONFIG_CONNTRACK])
		config->conntrack = nla_get_u8(tb[KSERV_A_CONFIG_CONNTRACK]);
	if (tb[KSERV_A_CONFIG_FAST_PATH])
		config->fast_path = nla_get_u8(tb[KSERV_A_CONFIG_FAST_PATH]);
	if (config->fast_path > 1)
		return kserv_refuse(extack, tb[KSERV_A_CONFIG_FAST_PATH], -ERANGE, "fast-path is 0 or 1");
	return parse_detect_local(config, tb, extack) ?: parse_ports(config, tb, extack) ?:
	       parse_tables(config, tb, extack) ?: parse_timeouts(config, tb, extack) ?:
	       parse_lists(config, attr, extack);
}

struct kserv_config *kserv_config_parse(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	struct kserv_config *config = kserv_config_alloc();
	int ret;

	if (!config)
		return ERR_PTR(-ENOMEM);
	ret = parse(config, attr, extack);
	if (ret) {
		kserv_config_free(config);
		return ERR_PTR(ret);
	}
	cover_services(config);
	return config;
}

static int put_prefixes(struct sk_buff *skb, int type, const struct kserv_prefixes *prefixes)
{
	unsigned int i;

	for (i = 0; prefixes && i < prefixes->n; i++)
		if (kserv_prefix_put(skb, type, &prefixes->v[i]))
			return -EMSGSIZE;
	return 0;
}

static int put_timeouts(struct sk_buff *skb, const struct kserv_config *config)
{
	return nla_put_u32(skb, KSERV_A_CONFIG_TCP_SYN_TIMEOUT, config->tcp_syn_timeout / HZ) ?:
	       nla_put_u32(skb, KSERV_A_CONFIG_TCP_ESTABLISHED_TIMEOUT, config->tcp_established_timeout / HZ) ?:
	       nla_put_u32(skb, KSERV_A_CONFIG_TCP_CLOSE_TIMEOUT, config->tcp_close_timeout / HZ) ?:
	       nla_put_u32(skb, KSERV_A_CONFIG_UDP_TIMEOUT, config->udp_timeout / HZ) ?:
	       nla_put_u32(skb, KSERV_A_CONFIG_UDP_STREAM_TIMEOUT, config->udp_stream_timeout / HZ) ?:
	       nla_put_u32(skb, KSERV_A_CONFIG_SCTP_TIMEOUT, config->sctp_timeout / HZ);
}

static int put_counts(struct sk_buff *skb, struct kserv_net *kn)
{
	return nla_put_u32(skb, KSERV_A_CONFIG_GENERATION, kn->generation) ?:
	       nla_put_string(skb, KSERV_A_CONFIG_VERSION, KSERV_VERSION) ?:
	       nla_put_u32(skb, KSERV_A_CONFIG_SERVICES, kn->n_services) ?:
	       nla_put_u32(skb, KSERV_A_CONFIG_FRONTENDS, kn->n_frontends) ?:
	       nla_put_u32(skb, KSERV_A_CONFIG_ENDPOINTS, kn->n_endpoints) ?:
	       nla_put_u32(skb, KSERV_A_CONFIG_ROUTES, kn->n_routes) ?:
	       nla_put_u32(skb, KSERV_A_CONFIG_FLOWS, percpu_counter_sum_positive(&kn->flows.n)) ?:
	       nla_put_u32(skb, KSERV_A_CONFIG_SESSIONS, atomic_read(&kn->sessions.n));
}

int kserv_config_put(struct sk_buff *skb, struct kserv_net *kn, const struct kserv_config *config)
{
	lockdep_assert_held(&kn->mutex);
	return nla_put_u8(skb, KSERV_A_CONFIG_CONNTRACK, config->conntrack) ?:
	       nla_put_u8(skb, KSERV_A_CONFIG_DETECT_LOCAL, config->detect_local) ?:
	       put_prefixes(skb, KSERV_A_CONFIG_POD_CIDR, config->pod_cidrs) ?:
	       (config->pod_interface[0] ?
		nla_put_string(skb, KSERV_A_CONFIG_POD_INTERFACE, config->pod_interface) : 0) ?:
	       put_prefixes(skb, KSERV_A_CONFIG_SERVICE_CIDR, config->service_cidrs) ?:
	       put_prefixes(skb, KSERV_A_CONFIG_NODE_PORT_ADDRESS, config->node_port_addresses) ?:
	       nla_put_u16(skb, KSERV_A_CONFIG_MASQUERADE_PORT_MIN, config->masquerade_port_min) ?:
	       nla_put_u16(skb, KSERV_A_CONFIG_MASQUERADE_PORT_MAX, config->masquerade_port_max) ?:
	       nla_put_u32(skb, KSERV_A_CONFIG_FLOW_MAX, config->flow_max) ?:
	       nla_put_u32(skb, KSERV_A_CONFIG_SESSION_MAX, config->session_max) ?:
	       put_timeouts(skb, config) ?:
	       nla_put_u8(skb, KSERV_A_CONFIG_FAST_PATH, config->fast_path) ?: put_counts(skb, kn);
}
