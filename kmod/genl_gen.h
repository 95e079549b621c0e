/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/kserv.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_KSERV_GEN_H
#define _LINUX_KSERV_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/kserv.h>

/* Common nested types */
extern const struct nla_policy kserv_choice_nl_policy[KSERV_A_CHOICE_STICKY + 1];
extern const struct nla_policy kserv_config_nl_policy[KSERV_A_CONFIG_SESSIONS + 1];
extern const struct nla_policy kserv_endpoint_nl_policy[KSERV_A_ENDPOINT_CONNECT_LATENCY + 1];
extern const struct nla_policy kserv_explain_nl_policy[KSERV_A_EXPLAIN_EXISTING_FLOW + 1];
extern const struct nla_policy kserv_flow_nl_policy[KSERV_A_FLOW_FIN + 1];
extern const struct nla_policy kserv_frontend_nl_policy[KSERV_A_FRONTEND_PAD + 1];
extern const struct nla_policy kserv_prefix_nl_policy[KSERV_A_PREFIX_LEN + 1];
extern const struct nla_policy kserv_route_nl_policy[KSERV_A_ROUTE_GATEWAY6 + 1];
extern const struct nla_policy kserv_service_nl_policy[KSERV_A_SERVICE_PAD + 1];
extern const struct nla_policy kserv_session_nl_policy[KSERV_A_SESSION_PAD + 1];

/* Global operation policy for kserv */
extern const struct nla_policy kserv_message_nl_policy[KSERV_A_MESSAGE_SESSION_SET + 1];

/* Ops table for kserv */
extern const struct genl_small_ops kserv_nl_ops[10];

int kserv_nl_transaction_doit(struct sk_buff *skb, struct genl_info *info);
int kserv_nl_service_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int kserv_nl_route_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int kserv_nl_config_get_doit(struct sk_buff *skb, struct genl_info *info);
int kserv_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int kserv_nl_flow_del_doit(struct sk_buff *skb, struct genl_info *info);
int kserv_nl_session_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int kserv_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int kserv_nl_explain_doit(struct sk_buff *skb, struct genl_info *info);
int kserv_nl_flow_set_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	KSERV_NLGRP_MONITOR,
};

#endif /* _LINUX_KSERV_GEN_H */
