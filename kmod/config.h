/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_CONFIG_H
#define _KSERV_CONFIG_H

#include <linux/if.h>
#include <linux/netfilter.h>
#include <linux/rcupdate.h>
#include <net/netlink.h>

struct kserv_net;

/* A CIDR; bits beyond @len are zero. */
struct kserv_prefix {
	union nf_inet_addr addr;
	u8 family;
	u8 len;
};

/**
 * struct kserv_prefixes - a list of CIDRs of both families, immutable once published
 * @n: how many
 * @families: bit 0 set when there is an IPv4 CIDR, bit 1 for IPv6
 */
struct kserv_prefixes {
	unsigned int n;
	u8 families;
	struct kserv_prefix v[];
};

/**
 * struct kserv_cover - tells most addresses that are in no CIDR of a list by their first 32 bits
 * @mask: those that all CIDRs of the list have in common
 * @value: what they are; not within @mask if there is no CIDR
 */
struct kserv_cover {
	__be32 mask;
	__be32 value;
};

/**
 * struct kserv_config - the configuration, immutable once published
 * @service_cover: of @service_cidrs, IPv4 and IPv6
 * Timeouts are in jiffies. Lists are NULL when empty. Defaults are in config.c.
 */
struct kserv_config {
	u8 conntrack;
	u8 detect_local;
	u8 fast_path;
	u16 masquerade_port_min;
	u16 masquerade_port_max;
	u32 flow_max;
	u32 session_max;
	u32 tcp_syn_timeout;
	u32 tcp_established_timeout;
	u32 tcp_close_timeout;
	u32 udp_timeout;
	u32 udp_stream_timeout;
	u32 sctp_timeout;
	struct kserv_prefixes *pod_cidrs;
	struct kserv_prefixes *service_cidrs;
	struct kserv_prefixes *node_port_addresses;
	struct kserv_cover service_cover[2];
	char pod_interface[IFNAMSIZ];
	struct rcu_head rcu;
};

/* True if @addr lies in one of @prefixes; NULL holds nothing. */
bool kserv_prefixes_contain(const struct kserv_prefixes *prefixes, u8 family, const union nf_inet_addr *addr);

/* False if an address that begins with @first is in none of the CIDRs. */
static inline bool kserv_cover_passes(const struct kserv_cover *cover, __be32 first)
{
	return (first & cover->mask) == cover->value;
}

/**
 * kserv_prefixes_parse() - read all nests of one type from a message
 * @nest: attributes that may hold them (a message or a nest)
 * @type: attribute type of the nests, KSERV_A_CONFIG_POD_CIDR for example
 * @family: AF_INET or AF_INET6 to demand that family, AF_UNSPEC for either
 * @ret: the list, NULL when there is none; free with kfree()
 *
 * Return: 0, -EINVAL with a sentence in @extack, or -ENOMEM.
 */
int kserv_prefixes_parse(const struct nlattr *nest, int type, u8 family, struct kserv_prefixes **ret,
			 struct netlink_ext_ack *extack);
int kserv_prefix_parse(const struct nlattr *attr, struct kserv_prefix *prefix, struct netlink_ext_ack *extack);
int kserv_prefix_put(struct sk_buff *skb, int type, const struct kserv_prefix *prefix);

/* The defaults. Return: the configuration or NULL. */
struct kserv_config *kserv_config_alloc(void);
/* Frees the lists too; no reader may be left. */
void kserv_config_free(struct kserv_config *config);
struct kserv_config *kserv_config_parse(const struct nlattr *attr, struct netlink_ext_ack *extack);
int kserv_config_put(struct sk_buff *skb, struct kserv_net *kn, const struct kserv_config *config);

#endif /* _KSERV_CONFIG_H */
