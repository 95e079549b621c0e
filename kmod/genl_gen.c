// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/kserv.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "genl_gen.h"

#include <uapi/linux/kserv.h>

/* Common nested types */
const struct nla_policy kserv_choice_nl_policy[KSERV_A_CHOICE_STICKY + 1] = {
	[KSERV_A_CHOICE_ADDR4] = { .type = NLA_U32, },
	[KSERV_A_CHOICE_ADDR6] = NLA_POLICY_EXACT_LEN(16),
	[KSERV_A_CHOICE_PORT] = { .type = NLA_U16, },
	[KSERV_A_CHOICE_WEIGHT] = { .type = NLA_U16, },
	[KSERV_A_CHOICE_MASQUERADE] = { .type = NLA_U8, },
	[KSERV_A_CHOICE_REASON] = NLA_POLICY_MAX(NLA_U8, 23),
	[KSERV_A_CHOICE_STICKY] = { .type = NLA_FLAG, },
};

const struct nla_policy kserv_config_nl_policy[KSERV_A_CONFIG_SESSIONS + 1] = {
	[KSERV_A_CONFIG_CONNTRACK] = NLA_POLICY_MAX(NLA_U8, 2),
	[KSERV_A_CONFIG_DETECT_LOCAL] = NLA_POLICY_MAX(NLA_U8, 3),
	[KSERV_A_CONFIG_POD_CIDR] = NLA_POLICY_NESTED(kserv_prefix_nl_policy),
	[KSERV_A_CONFIG_POD_INTERFACE] = { .type = NLA_NUL_STRING, .len = 15, },
	[KSERV_A_CONFIG_SERVICE_CIDR] = NLA_POLICY_NESTED(kserv_prefix_nl_policy),
	[KSERV_A_CONFIG_NODE_PORT_ADDRESS] = NLA_POLICY_NESTED(kserv_prefix_nl_policy),
	[KSERV_A_CONFIG_MASQUERADE_PORT_MIN] = { .type = NLA_U16, },
	[KSERV_A_CONFIG_MASQUERADE_PORT_MAX] = { .type = NLA_U16, },
	[KSERV_A_CONFIG_FLOW_MAX] = { .type = NLA_U32, },
	[KSERV_A_CONFIG_SESSION_MAX] = { .type = NLA_U32, },
	[KSERV_A_CONFIG_TCP_SYN_TIMEOUT] = { .type = NLA_U32, },
	[KSERV_A_CONFIG_TCP_ESTABLISHED_TIMEOUT] = { .type = NLA_U32, },
	[KSERV_A_CONFIG_TCP_CLOSE_TIMEOUT] = { .type = NLA_U32, },
	[KSERV_A_CONFIG_UDP_TIMEOUT] = { .type = NLA_U32, },
	[KSERV_A_CONFIG_UDP_STREAM_TIMEOUT] = { .type = NLA_U32, },
	[KSERV_A_CONFIG_SCTP_TIMEOUT] = { .type = NLA_U32, },
	[KSERV_A_CONFIG_FAST_PATH] = { .type = NLA_U8, },
	[KSERV_A_CONFIG_GENERATION] = { .type = NLA_U32, },
	[KSERV_A_CONFIG_VERSION] = { .type = NLA_NUL_STRING, },
	[KSERV_A_CONFIG_SERVICES] = { .type = NLA_U32, },
	[KSERV_A_CONFIG_FRONTENDS] = { .type = NLA_U32, },
	[KSERV_A_CONFIG_ENDPOINTS] = { .type = NLA_U32, },
	[KSERV_A_CONFIG_ROUTES] = { .type = NLA_U32, },
	[KSERV_A_CONFIG_FLOWS] = { .type = NLA_U32, },
	[KSERV_A_CONFIG_SESSIONS] = { .type = NLA_U32, },
};

const struct nla_policy kserv_endpoint_nl_policy[KSERV_A_ENDPOINT_CONNECT_LATENCY + 1] = {
	[KSERV_A_ENDPOINT_ADDR4] = { .type = NLA_U32, },
	[KSERV_A_ENDPOINT_ADDR6] = NLA_POLICY_EXACT_LEN(16),
	[KSERV_A_ENDPOINT_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[KSERV_A_ENDPOINT_STATE] = NLA_POLICY_MAX(NLA_U8, 3),
	[KSERV_A_ENDPOINT_FLAGS] = NLA_POLICY_MASK(NLA_U8, 0xf),
	[KSERV_A_ENDPOINT_WEIGHT] = { .type = NLA_U16, },
	[KSERV_A_ENDPOINT_CLUSTER_REASON] = NLA_POLICY_MAX(NLA_U8, 23),
	[KSERV_A_ENDPOINT_LOCAL_REASON] = NLA_POLICY_MAX(NLA_U8, 23),
	[KSERV_A_ENDPOINT_ACTIVE] = { .type = NLA_U32, },
	[KSERV_A_ENDPOINT_CONNECTIONS] = { .type = NLA_U64, },
	[KSERV_A_ENDPOINT_PACKETS_IN] = { .type = NLA_U64, },
	[KSERV_A_ENDPOINT_BYTES_IN] = { .type = NLA_U64, },
	[KSERV_A_ENDPOINT_PACKETS_OUT] = { .type = NLA_U64, },
	[KSERV_A_ENDPOINT_BYTES_OUT] = { .type = NLA_U64, },
	[KSERV_A_ENDPOINT_EJECTED] = { .type = NLA_FLAG, },
	[KSERV_A_ENDPOINT_CONNECT_LATENCY] = { .type = NLA_U32, },
};

const struct nla_policy kserv_explain_nl_policy[KSERV_A_EXPLAIN_EXISTING_FLOW + 1] = {
	[KSERV_A_EXPLAIN_FLOW] = NLA_POLICY_NESTED(kserv_flow_nl_policy),
	[KSERV_A_EXPLAIN_FROM_PROCESS] = { .type = NLA_FLAG, },
	[KSERV_A_EXPLAIN_INTERFACE] = { .type = NLA_NUL_STRING, .len = 15, },
	[KSERV_A_EXPLAIN_VERDICT] = NLA_POLICY_MAX(NLA_U8, 4),
	[KSERV_A_EXPLAIN_REASON] = NLA_POLICY_MAX(NLA_U8, 23),
	[KSERV_A_EXPLAIN_SERVICE] = { .type = NLA_NUL_STRING, },
	[KSERV_A_EXPLAIN_FRONTEND] = NLA_POLICY_NESTED(kserv_frontend_nl_policy),
	[KSERV_A_EXPLAIN_SOURCE] = NLA_POLICY_MAX(NLA_U8, 2),
	[KSERV_A_EXPLAIN_LOCAL_SET] = { .type = NLA_U8, },
	[KSERV_A_EXPLAIN_CHOICE] = NLA_POLICY_NESTED(kserv_choice_nl_policy),
	[KSERV_A_EXPLAIN_EXISTING_FLOW] = { .type = NLA_FLAG, },
};

const struct nla_policy kserv_flow_nl_policy[KSERV_A_FLOW_FIN + 1] = {
	[KSERV_A_FLOW_FAMILY] = { .type = NLA_U8, },
	[KSERV_A_FLOW_PROTOCOL] = { .type = NLA_U8, },
	[KSERV_A_FLOW_CLIENT4] = { .type = NLA_U32, },
	[KSERV_A_FLOW_CLIENT6] = NLA_POLICY_EXACT_LEN(16),
	[KSERV_A_FLOW_CLIENT_PORT] = { .type = NLA_U16, },
	[KSERV_A_FLOW_FRONTEND4] = { .type = NLA_U32, },
	[KSERV_A_FLOW_FRONTEND6] = NLA_POLICY_EXACT_LEN(16),
	[KSERV_A_FLOW_FRONTEND_PORT] = { .type = NLA_U16, },
	[KSERV_A_FLOW_ENDPOINT4] = { .type = NLA_U32, },
	[KSERV_A_FLOW_ENDPOINT6] = NLA_POLICY_EXACT_LEN(16),
	[KSERV_A_FLOW_ENDPOINT_PORT] = { .type = NLA_U16, },
	[KSERV_A_FLOW_TRANSLATED_PORT] = { .type = NLA_U16, },
	[KSERV_A_FLOW_SERVICE] = { .type = NLA_NUL_STRING, .len = KSERV_NAME_LEN, },
	[KSERV_A_FLOW_STATE] = NLA_POLICY_MAX(NLA_U8, 4),
	[KSERV_A_FLOW_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x1f),
	[KSERV_A_FLOW_EXPIRES_MS] = { .type = NLA_U64, },
	[KSERV_A_FLOW_PACKETS_IN] = { .type = NLA_U64, },
	[KSERV_A_FLOW_BYTES_IN] = { .type = NLA_U64, },
	[KSERV_A_FLOW_PACKETS_OUT] = { .type = NLA_U64, },
	[KSERV_A_FLOW_BYTES_OUT] = { .type = NLA_U64, },
	[KSERV_A_FLOW_MASQUERADE4] = { .type = NLA_U32, },
	[KSERV_A_FLOW_MASQUERADE6] = NLA_POLICY_EXACT_LEN(16),
	[KSERV_A_FLOW_MASQUERADE_PORT] = { .type = NLA_U16, },
	[KSERV_A_FLOW_ISN] = { .type = NLA_U32, },
	[KSERV_A_FLOW_FIN] = NLA_POLICY_MASK(NLA_U8, 0x3),
};

const struct nla_policy kserv_frontend_nl_policy[KSERV_A_FRONTEND_PAD + 1] = {
	[KSERV_A_FRONTEND_TYPE] = NLA_POLICY_MAX(NLA_U8, 3),
	[KSERV_A_FRONTEND_ADDR4] = { .type = NLA_U32, },
	[KSERV_A_FRONTEND_ADDR6] = NLA_POLICY_EXACT_LEN(16),
	[KSERV_A_FRONTEND_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[KSERV_A_FRONTEND_FLAGS] = NLA_POLICY_MASK(NLA_U8, 0x3f),
	[KSERV_A_FRONTEND_SOURCE] = NLA_POLICY_NESTED(kserv_prefix_nl_policy),
	[KSERV_A_FRONTEND_CONNECTIONS] = { .type = NLA_U64, },
};

const struct nla_policy kserv_prefix_nl_policy[KSERV_A_PREFIX_LEN + 1] = {
	[KSERV_A_PREFIX_ADDR4] = { .type = NLA_U32, },
	[KSERV_A_PREFIX_ADDR6] = NLA_POLICY_EXACT_LEN(16),
	[KSERV_A_PREFIX_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
};

const struct nla_policy kserv_route_nl_policy[KSERV_A_ROUTE_GATEWAY6 + 1] = {
	[KSERV_A_ROUTE_PREFIX] = NLA_POLICY_NESTED(kserv_prefix_nl_policy),
	[KSERV_A_ROUTE_TYPE] = NLA_POLICY_MAX(NLA_U8, 2),
	[KSERV_A_ROUTE_GATEWAY4] = { .type = NLA_U32, },
	[KSERV_A_ROUTE_GATEWAY6] = NLA_POLICY_EXACT_LEN(16),
};

const struct nla_policy kserv_service_nl_policy[KSERV_A_SERVICE_PAD + 1] = {
	[KSERV_A_SERVICE_NAME] = { .type = NLA_NUL_STRING, .len = KSERV_NAME_LEN, },
	[KSERV_A_SERVICE_FAMILY] = { .type = NLA_U8, },
	[KSERV_A_SERVICE_PROTOCOL] = { .type = NLA_U8, },
	[KSERV_A_SERVICE_MODE] = NLA_POLICY_MAX(NLA_U8, 3),
	[KSERV_A_SERVICE_SCHEDULER] = NLA_POLICY_MAX(NLA_U8, 3),
	[KSERV_A_SERVICE_AFFINITY_TIMEOUT] = { .type = NLA_U32, },
	[KSERV_A_SERVICE_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x3),
	[KSERV_A_SERVICE_REMOVAL] = NLA_POLICY_MAX(NLA_U8, 1),
	[KSERV_A_SERVICE_REMOVAL_GRACE] = { .type = NLA_U32, },
	[KSERV_A_SERVICE_SLOW_START] = { .type = NLA_U32, },
	[KSERV_A_SERVICE_ENDPOINT] = NLA_POLICY_NESTED(kserv_endpoint_nl_policy),
	[KSERV_A_SERVICE_ENDPOINT_DEL] = NLA_POLICY_NESTED(kserv_endpoint_nl_policy),
	[KSERV_A_SERVICE_FRONTEND] = NLA_POLICY_NESTED(kserv_frontend_nl_policy),
	[KSERV_A_SERVICE_FRONTEND_DEL] = NLA_POLICY_NESTED(kserv_frontend_nl_policy),
	[KSERV_A_SERVICE_REJECTS] = { .type = NLA_U64, },
	[KSERV_A_SERVICE_DROPS] = { .type = NLA_U64, },
	[KSERV_A_SERVICE_CONNECTIONS] = { .type = NLA_U64, },
	[KSERV_A_SERVICE_MORE] = { .type = NLA_FLAG, },
};

const struct nla_policy kserv_session_nl_policy[KSERV_A_SESSION_PAD + 1] = {
	[KSERV_A_SESSION_SERVICE] = { .type = NLA_NUL_STRING, .len = KSERV_NAME_LEN, },
	[KSERV_A_SESSION_PROTOCOL] = { .type = NLA_U8, },
	[KSERV_A_SESSION_CLIENT4] = { .type = NLA_U32, },
	[KSERV_A_SESSION_CLIENT6] = NLA_POLICY_EXACT_LEN(16),
	[KSERV_A_SESSION_ENDPOINT4] = { .type = NLA_U32, },
	[KSERV_A_SESSION_ENDPOINT6] = NLA_POLICY_EXACT_LEN(16),
	[KSERV_A_SESSION_ENDPOINT_PORT] = { .type = NLA_U16, },
	[KSERV_A_SESSION_EXPIRES_MS] = { .type = NLA_U64, },
};

/* Global operation policy for kserv */
const struct nla_policy kserv_message_nl_policy[KSERV_A_MESSAGE_SESSION_SET + 1] = {
	[KSERV_A_MESSAGE_GENERATION] = { .type = NLA_U32, },
	[KSERV_A_MESSAGE_REPLACE] = { .type = NLA_FLAG, },
	[KSERV_A_MESSAGE_SERVICE_SET] = NLA_POLICY_NESTED(kserv_service_nl_policy),
	[KSERV_A_MESSAGE_SERVICE_DEL] = NLA_POLICY_NESTED(kserv_service_nl_policy),
	[KSERV_A_MESSAGE_ROUTE_SET] = NLA_POLICY_NESTED(kserv_route_nl_policy),
	[KSERV_A_MESSAGE_ROUTE_DEL] = NLA_POLICY_NESTED(kserv_route_nl_policy),
	[KSERV_A_MESSAGE_CONFIG_SET] = NLA_POLICY_NESTED(kserv_config_nl_policy),
	[KSERV_A_MESSAGE_SERVICE] = NLA_POLICY_NESTED(kserv_service_nl_policy),
	[KSERV_A_MESSAGE_FLOW] = NLA_POLICY_NESTED(kserv_flow_nl_policy),
	[KSERV_A_MESSAGE_EXPLAIN] = NLA_POLICY_NESTED(kserv_explain_nl_policy),
	[KSERV_A_MESSAGE_FLOW_SET] = NLA_POLICY_NESTED(kserv_flow_nl_policy),
	[KSERV_A_MESSAGE_SESSION_SET] = NLA_POLICY_NESTED(kserv_session_nl_policy),
};

/* Ops table for kserv */
const struct genl_small_ops kserv_nl_ops[10] = {
	{
		.cmd	= KSERV_CMD_TRANSACTION,
		.doit	= kserv_nl_transaction_doit,
		.flags	= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd	= KSERV_CMD_SERVICE_GET,
		.dumpit	= kserv_nl_service_get_dumpit,
	},
	{
		.cmd	= KSERV_CMD_ROUTE_GET,
		.dumpit	= kserv_nl_route_get_dumpit,
	},
	{
		.cmd	= KSERV_CMD_CONFIG_GET,
		.doit	= kserv_nl_config_get_doit,
	},
	{
		.cmd	= KSERV_CMD_FLOW_GET,
		.dumpit	= kserv_nl_flow_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd	= KSERV_CMD_FLOW_DEL,
		.doit	= kserv_nl_flow_del_doit,
		.flags	= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd	= KSERV_CMD_SESSION_GET,
		.dumpit	= kserv_nl_session_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd	= KSERV_CMD_STATS_GET,
		.doit	= kserv_nl_stats_get_doit,
	},
	{
		.cmd	= KSERV_CMD_EXPLAIN,
		.doit	= kserv_nl_explain_doit,
		.flags	= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd	= KSERV_CMD_FLOW_SET,
		.doit	= kserv_nl_flow_set_doit,
		.flags	= GENL_UNS_ADMIN_PERM,
	},
};
