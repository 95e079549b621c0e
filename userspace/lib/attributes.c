// SPDX-License-Identifier: GPL-2.0
/* Do not edit: made from include/kserv.yaml by include/regen. */
#include "lib/attributes.h"

static const char *const words_frontend_type[] = {
	"cluster-ip",
	"external-ip",
	"load-balancer-ip",
	"node-port",
};
const struct kserv_words kserv_words_frontend_type = { words_frontend_type, 4 };

static const char *const words_scheduler[] = {
	"random",
	"round-robin",
	"least-connections",
	"maglev",
};
const struct kserv_words kserv_words_scheduler = { words_scheduler, 4 };

static const char *const words_removal[] = {
	"keep",
	"reset",
};
const struct kserv_words kserv_words_removal = { words_removal, 2 };

static const char *const words_endpoint_state[] = {
	"ready",
	"not-ready",
	"terminating-serving",
	"terminating",
};
const struct kserv_words kserv_words_endpoint_state = { words_endpoint_state, 4 };

static const char *const words_endpoint_flags[] = {
	"local",
	"cluster-set",
	"local-set",
	"serving",
};
const struct kserv_words kserv_words_endpoint_flags = { words_endpoint_flags, 4 };

static const char *const words_frontend_flags[] = {
	"local-set",
	"short-circuit",
	"masquerade-pod",
	"masquerade-node",
	"masquerade-other",
	"drop-empty",
};
const struct kserv_words kserv_words_frontend_flags = { words_frontend_flags, 6 };

static const char *const words_service_flags[] = {
	"no-syn-retry",
	"no-eject",
};
const struct kserv_words kserv_words_service_flags = { words_service_flags, 2 };

static const char *const words_set_mode[] = {
	"merge",
	"replace",
	"create",
	"update",
};
const struct kserv_words kserv_words_set_mode = { words_set_mode, 4 };

static const char *const words_detect_local[] = {
	"none",
	"cidr",
	"interface",
	"interface-prefix",
};
const struct kserv_words kserv_words_detect_local = { words_detect_local, 4 };

static const char *const words_conntrack[] = {
	"auto",
	"track",
	"bypass",
};
const struct kserv_words kserv_words_conntrack = { words_conntrack, 3 };

static const char *const words_route_type[] = {
	"local",
	"direct",
	"vxlan",
};
const struct kserv_words kserv_words_route_type = { words_route_type, 3 };

static const char *const words_flow_state[] = {
	"new",
	"replied",
	"established",
	"closing",
	"closed",
};
const struct kserv_words kserv_words_flow_state = { words_flow_state, 5 };

static const char *const words_flow_flags[] = {
	"masquerade",
	"untracked",
	"from-process",
	"port-changed",
	"orphan",
};
const struct kserv_words kserv_words_flow_flags = { words_flow_flags, 5 };

static const char *const words_flow_direction[] = {
	"from-client",
	"from-endpoint",
};
const struct kserv_words kserv_words_flow_direction = { words_flow_direction, 2 };

static const char *const words_verdict[] = {
	"pass",
	"translate",
	"reject",
	"drop",
	"answer",
};
const struct kserv_words kserv_words_verdict = { words_verdict, 5 };

static const char *const words_source_type[] = {
	"other",
	"pod",
	"node",
};
const struct kserv_words kserv_words_source_type = { words_source_type, 3 };

static const char *const words_reason[] = {
	"none",
	"no-frontend",
	"not-a-node-port-address",
	"undefined-port",
	"unallocated-address",
	"no-endpoints",
	"no-local-endpoints",
	"source-not-allowed",
	"flow-table-full",
	"no-memory",
	"malformed",
	"no-flow",
	"collision",
	"endpoint-removed",
	"no-route",
	"not-ready",
	"terminating",
	"not-local",
	"topology",
	"ejected",
	"weight-zero",
	"fragment",
	"source-is-service",
	"too-many-pings",
};
const struct kserv_words kserv_words_reason = { words_reason, 24 };

static const char *const words_event_type[] = {
	"flow-new",
	"flow-end",
	"reject",
	"drop",
	"commit",
};
const struct kserv_words kserv_words_event_type = { words_event_type, 5 };

static const struct kserv_attribute attributes_endpoint[] = {
	[KSERV_A_ENDPOINT_ADDR4] = { "addr4", "address", KSERV_KIND_ADDR4, 0, NULL, NULL },
	[KSERV_A_ENDPOINT_ADDR6] = { "addr6", "address", KSERV_KIND_ADDR6, 0, NULL, NULL },
	[KSERV_A_ENDPOINT_PORT] = { "port", "port", KSERV_KIND_PORT, 0, NULL, NULL },
	[KSERV_A_ENDPOINT_STATE] = { "state", "state", KSERV_KIND_ENUM, 0, &kserv_words_endpoint_state, NULL },
	[KSERV_A_ENDPOINT_FLAGS] = { "flags", "flags", KSERV_KIND_FLAGS, 0, &kserv_words_endpoint_flags, NULL },
	[KSERV_A_ENDPOINT_WEIGHT] = { "weight", "weight", KSERV_KIND_U16, 0, NULL, NULL },
	[KSERV_A_ENDPOINT_CLUSTER_REASON] = { "cluster-reason", "cluster-reason", KSERV_KIND_ENUM, 0, &kserv_words_reason, NULL },
	[KSERV_A_ENDPOINT_LOCAL_REASON] = { "local-reason", "local-reason", KSERV_KIND_ENUM, 0, &kserv_words_reason, NULL },
	[KSERV_A_ENDPOINT_ACTIVE] = { "active", "active", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_ENDPOINT_CONNECTIONS] = { "connections", "connections", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_ENDPOINT_PACKETS_IN] = { "packets-in", "packets-in", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_ENDPOINT_BYTES_IN] = { "bytes-in", "bytes-in", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_ENDPOINT_PACKETS_OUT] = { "packets-out", "packets-out", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_ENDPOINT_BYTES_OUT] = { "bytes-out", "bytes-out", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_ENDPOINT_EJECTED] = { "ejected", "ejected", KSERV_KIND_FLAG, 0, NULL, NULL },
	[KSERV_A_ENDPOINT_PAD] = { "pad", "pad", KSERV_KIND_PAD, 0, NULL, NULL },
	[KSERV_A_ENDPOINT_CONNECT_LATENCY] = { "connect-latency", "connect-latency", KSERV_KIND_U32, 0, NULL, NULL },
};
const struct kserv_attribute_set kserv_attributes_endpoint = { "endpoint", attributes_endpoint, 17 };

static const struct kserv_attribute attributes_prefix[] = {
	[KSERV_A_PREFIX_ADDR4] = { "addr4", "address", KSERV_KIND_ADDR4, 0, NULL, NULL },
	[KSERV_A_PREFIX_ADDR6] = { "addr6", "address", KSERV_KIND_ADDR6, 0, NULL, NULL },
	[KSERV_A_PREFIX_LEN] = { "len", "len", KSERV_KIND_U8, 0, NULL, NULL },
};
const struct kserv_attribute_set kserv_attributes_prefix = { "prefix", attributes_prefix, 3 };

static const struct kserv_attribute attributes_frontend[] = {
	[KSERV_A_FRONTEND_TYPE] = { "type", "type", KSERV_KIND_ENUM, 0, &kserv_words_frontend_type, NULL },
	[KSERV_A_FRONTEND_ADDR4] = { "addr4", "address", KSERV_KIND_ADDR4, 0, NULL, NULL },
	[KSERV_A_FRONTEND_ADDR6] = { "addr6", "address", KSERV_KIND_ADDR6, 0, NULL, NULL },
	[KSERV_A_FRONTEND_PORT] = { "port", "port", KSERV_KIND_PORT, 0, NULL, NULL },
	[KSERV_A_FRONTEND_FLAGS] = { "flags", "flags", KSERV_KIND_FLAGS, 0, &kserv_words_frontend_flags, NULL },
	[KSERV_A_FRONTEND_SOURCE] = { "source", "source", KSERV_KIND_PREFIX, 1, NULL, &kserv_attributes_prefix },
	[KSERV_A_FRONTEND_CONNECTIONS] = { "connections", "connections", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_FRONTEND_PAD] = { "pad", "pad", KSERV_KIND_PAD, 0, NULL, NULL },
};
const struct kserv_attribute_set kserv_attributes_frontend = { "frontend", attributes_frontend, 8 };

static const struct kserv_attribute attributes_service[] = {
	[KSERV_A_SERVICE_NAME] = { "name", "name", KSERV_KIND_STRING, 0, NULL, NULL },
	[KSERV_A_SERVICE_FAMILY] = { "family", "family", KSERV_KIND_FAMILY, 0, NULL, NULL },
	[KSERV_A_SERVICE_PROTOCOL] = { "protocol", "protocol", KSERV_KIND_PROTOCOL, 0, NULL, NULL },
	[KSERV_A_SERVICE_MODE] = { "mode", "mode", KSERV_KIND_ENUM, 0, &kserv_words_set_mode, NULL },
	[KSERV_A_SERVICE_SCHEDULER] = { "scheduler", "scheduler", KSERV_KIND_ENUM, 0, &kserv_words_scheduler, NULL },
	[KSERV_A_SERVICE_AFFINITY_TIMEOUT] = { "affinity-timeout", "affinity-timeout", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_SERVICE_FLAGS] = { "flags", "flags", KSERV_KIND_FLAGS, 0, &kserv_words_service_flags, NULL },
	[KSERV_A_SERVICE_REMOVAL] = { "removal", "removal", KSERV_KIND_ENUM, 0, &kserv_words_removal, NULL },
	[KSERV_A_SERVICE_REMOVAL_GRACE] = { "removal-grace", "removal-grace", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_SERVICE_SLOW_START] = { "slow-start", "slow-start", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_SERVICE_ENDPOINT] = { "endpoint", "endpoint", KSERV_KIND_NEST, 1, NULL, &kserv_attributes_endpoint },
	[KSERV_A_SERVICE_ENDPOINT_DEL] = { "endpoint-del", "endpoint-del", KSERV_KIND_NEST, 1, NULL, &kserv_attributes_endpoint },
	[KSERV_A_SERVICE_FRONTEND] = { "frontend", "frontend", KSERV_KIND_NEST, 1, NULL, &kserv_attributes_frontend },
	[KSERV_A_SERVICE_FRONTEND_DEL] = { "frontend-del", "frontend-del", KSERV_KIND_NEST, 1, NULL, &kserv_attributes_frontend },
	[KSERV_A_SERVICE_REJECTS] = { "rejects", "rejects", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_SERVICE_DROPS] = { "drops", "drops", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_SERVICE_CONNECTIONS] = { "connections", "connections", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_SERVICE_MORE] = { "more", "more", KSERV_KIND_FLAG, 0, NULL, NULL },
	[KSERV_A_SERVICE_PAD] = { "pad", "pad", KSERV_KIND_PAD, 0, NULL, NULL },
};
const struct kserv_attribute_set kserv_attributes_service = { "service", attributes_service, 19 };

static const struct kserv_attribute attributes_route[] = {
	[KSERV_A_ROUTE_PREFIX] = { "prefix", "prefix", KSERV_KIND_PREFIX, 0, NULL, &kserv_attributes_prefix },
	[KSERV_A_ROUTE_TYPE] = { "type", "type", KSERV_KIND_ENUM, 0, &kserv_words_route_type, NULL },
	[KSERV_A_ROUTE_GATEWAY4] = { "gateway4", "gateway", KSERV_KIND_ADDR4, 0, NULL, NULL },
	[KSERV_A_ROUTE_GATEWAY6] = { "gateway6", "gateway", KSERV_KIND_ADDR6, 0, NULL, NULL },
};
const struct kserv_attribute_set kserv_attributes_route = { "route", attributes_route, 4 };

static const struct kserv_attribute attributes_config[] = {
	[KSERV_A_CONFIG_CONNTRACK] = { "conntrack", "conntrack", KSERV_KIND_ENUM, 0, &kserv_words_conntrack, NULL },
	[KSERV_A_CONFIG_DETECT_LOCAL] = { "detect-local", "detect-local", KSERV_KIND_ENUM, 0, &kserv_words_detect_local, NULL },
	[KSERV_A_CONFIG_POD_CIDR] = { "pod-cidr", "pod-cidr", KSERV_KIND_PREFIX, 1, NULL, &kserv_attributes_prefix },
	[KSERV_A_CONFIG_POD_INTERFACE] = { "pod-interface", "pod-interface", KSERV_KIND_STRING, 0, NULL, NULL },
	[KSERV_A_CONFIG_SERVICE_CIDR] = { "service-cidr", "service-cidr", KSERV_KIND_PREFIX, 1, NULL, &kserv_attributes_prefix },
	[KSERV_A_CONFIG_NODE_PORT_ADDRESS] = { "node-port-address", "node-port-address", KSERV_KIND_PREFIX, 1, NULL, &kserv_attributes_prefix },
	[KSERV_A_CONFIG_MASQUERADE_PORT_MIN] = { "masquerade-port-min", "masquerade-port-min", KSERV_KIND_U16, 0, NULL, NULL },
	[KSERV_A_CONFIG_MASQUERADE_PORT_MAX] = { "masquerade-port-max", "masquerade-port-max", KSERV_KIND_U16, 0, NULL, NULL },
	[KSERV_A_CONFIG_FLOW_MAX] = { "flow-max", "flow-max", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_CONFIG_SESSION_MAX] = { "session-max", "session-max", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_CONFIG_TCP_SYN_TIMEOUT] = { "tcp-syn-timeout", "tcp-syn-timeout", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_CONFIG_TCP_ESTABLISHED_TIMEOUT] = { "tcp-established-timeout", "tcp-established-timeout", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_CONFIG_TCP_CLOSE_TIMEOUT] = { "tcp-close-timeout", "tcp-close-timeout", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_CONFIG_UDP_TIMEOUT] = { "udp-timeout", "udp-timeout", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_CONFIG_UDP_STREAM_TIMEOUT] = { "udp-stream-timeout", "udp-stream-timeout", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_CONFIG_SCTP_TIMEOUT] = { "sctp-timeout", "sctp-timeout", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_CONFIG_FAST_PATH] = { "fast-path", "fast-path", KSERV_KIND_U8, 0, NULL, NULL },
	[KSERV_A_CONFIG_GENERATION] = { "generation", "generation", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_CONFIG_VERSION] = { "version", "version", KSERV_KIND_STRING, 0, NULL, NULL },
	[KSERV_A_CONFIG_SERVICES] = { "services", "services", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_CONFIG_FRONTENDS] = { "frontends", "frontends", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_CONFIG_ENDPOINTS] = { "endpoints", "endpoints", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_CONFIG_ROUTES] = { "routes", "routes", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_CONFIG_FLOWS] = { "flows", "flows", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_CONFIG_SESSIONS] = { "sessions", "sessions", KSERV_KIND_U32, 0, NULL, NULL },
};
const struct kserv_attribute_set kserv_attributes_config = { "config", attributes_config, 25 };

static const struct kserv_attribute attributes_flow[] = {
	[KSERV_A_FLOW_FAMILY] = { "family", "family", KSERV_KIND_FAMILY, 0, NULL, NULL },
	[KSERV_A_FLOW_PROTOCOL] = { "protocol", "protocol", KSERV_KIND_PROTOCOL, 0, NULL, NULL },
	[KSERV_A_FLOW_CLIENT4] = { "client4", "client", KSERV_KIND_ADDR4, 0, NULL, NULL },
	[KSERV_A_FLOW_CLIENT6] = { "client6", "client", KSERV_KIND_ADDR6, 0, NULL, NULL },
	[KSERV_A_FLOW_CLIENT_PORT] = { "client-port", "client-port", KSERV_KIND_PORT, 0, NULL, NULL },
	[KSERV_A_FLOW_FRONTEND4] = { "frontend4", "frontend", KSERV_KIND_ADDR4, 0, NULL, NULL },
	[KSERV_A_FLOW_FRONTEND6] = { "frontend6", "frontend", KSERV_KIND_ADDR6, 0, NULL, NULL },
	[KSERV_A_FLOW_FRONTEND_PORT] = { "frontend-port", "frontend-port", KSERV_KIND_PORT, 0, NULL, NULL },
	[KSERV_A_FLOW_ENDPOINT4] = { "endpoint4", "endpoint", KSERV_KIND_ADDR4, 0, NULL, NULL },
	[KSERV_A_FLOW_ENDPOINT6] = { "endpoint6", "endpoint", KSERV_KIND_ADDR6, 0, NULL, NULL },
	[KSERV_A_FLOW_ENDPOINT_PORT] = { "endpoint-port", "endpoint-port", KSERV_KIND_PORT, 0, NULL, NULL },
	[KSERV_A_FLOW_TRANSLATED_PORT] = { "translated-port", "translated-port", KSERV_KIND_PORT, 0, NULL, NULL },
	[KSERV_A_FLOW_SERVICE] = { "service", "service", KSERV_KIND_STRING, 0, NULL, NULL },
	[KSERV_A_FLOW_STATE] = { "state", "state", KSERV_KIND_ENUM, 0, &kserv_words_flow_state, NULL },
	[KSERV_A_FLOW_FLAGS] = { "flags", "flags", KSERV_KIND_FLAGS, 0, &kserv_words_flow_flags, NULL },
	[KSERV_A_FLOW_EXPIRES_MS] = { "expires-ms", "expires-ms", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_FLOW_PACKETS_IN] = { "packets-in", "packets-in", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_FLOW_BYTES_IN] = { "bytes-in", "bytes-in", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_FLOW_PACKETS_OUT] = { "packets-out", "packets-out", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_FLOW_BYTES_OUT] = { "bytes-out", "bytes-out", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_FLOW_PAD] = { "pad", "pad", KSERV_KIND_PAD, 0, NULL, NULL },
	[KSERV_A_FLOW_MASQUERADE4] = { "masquerade4", "masquerade", KSERV_KIND_ADDR4, 0, NULL, NULL },
	[KSERV_A_FLOW_MASQUERADE6] = { "masquerade6", "masquerade", KSERV_KIND_ADDR6, 0, NULL, NULL },
	[KSERV_A_FLOW_MASQUERADE_PORT] = { "masquerade-port", "masquerade-port", KSERV_KIND_PORT, 0, NULL, NULL },
	[KSERV_A_FLOW_ISN] = { "isn", "isn", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_FLOW_FIN] = { "fin", "fin", KSERV_KIND_FLAGS, 0, &kserv_words_flow_direction, NULL },
};
const struct kserv_attribute_set kserv_attributes_flow = { "flow", attributes_flow, 26 };

static const struct kserv_attribute attributes_session[] = {
	[KSERV_A_SESSION_SERVICE] = { "service", "service", KSERV_KIND_STRING, 0, NULL, NULL },
	[KSERV_A_SESSION_PROTOCOL] = { "protocol", "protocol", KSERV_KIND_PROTOCOL, 0, NULL, NULL },
	[KSERV_A_SESSION_CLIENT4] = { "client4", "client", KSERV_KIND_ADDR4, 0, NULL, NULL },
	[KSERV_A_SESSION_CLIENT6] = { "client6", "client", KSERV_KIND_ADDR6, 0, NULL, NULL },
	[KSERV_A_SESSION_ENDPOINT4] = { "endpoint4", "endpoint", KSERV_KIND_ADDR4, 0, NULL, NULL },
	[KSERV_A_SESSION_ENDPOINT6] = { "endpoint6", "endpoint", KSERV_KIND_ADDR6, 0, NULL, NULL },
	[KSERV_A_SESSION_ENDPOINT_PORT] = { "endpoint-port", "endpoint-port", KSERV_KIND_PORT, 0, NULL, NULL },
	[KSERV_A_SESSION_EXPIRES_MS] = { "expires-ms", "expires-ms", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_SESSION_PAD] = { "pad", "pad", KSERV_KIND_PAD, 0, NULL, NULL },
};
const struct kserv_attribute_set kserv_attributes_session = { "session", attributes_session, 9 };

static const struct kserv_attribute attributes_counter[] = {
	[KSERV_A_COUNTER_NAME] = { "name", "name", KSERV_KIND_STRING, 0, NULL, NULL },
	[KSERV_A_COUNTER_VALUE] = { "value", "value", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_COUNTER_PAD] = { "pad", "pad", KSERV_KIND_PAD, 0, NULL, NULL },
};
const struct kserv_attribute_set kserv_attributes_counter = { "counter", attributes_counter, 3 };

static const struct kserv_attribute attributes_choice[] = {
	[KSERV_A_CHOICE_ADDR4] = { "addr4", "address", KSERV_KIND_ADDR4, 0, NULL, NULL },
	[KSERV_A_CHOICE_ADDR6] = { "addr6", "address", KSERV_KIND_ADDR6, 0, NULL, NULL },
	[KSERV_A_CHOICE_PORT] = { "port", "port", KSERV_KIND_PORT, 0, NULL, NULL },
	[KSERV_A_CHOICE_WEIGHT] = { "weight", "weight", KSERV_KIND_U16, 0, NULL, NULL },
	[KSERV_A_CHOICE_MASQUERADE] = { "masquerade", "masquerade", KSERV_KIND_U8, 0, NULL, NULL },
	[KSERV_A_CHOICE_REASON] = { "reason", "reason", KSERV_KIND_ENUM, 0, &kserv_words_reason, NULL },
	[KSERV_A_CHOICE_STICKY] = { "sticky", "sticky", KSERV_KIND_FLAG, 0, NULL, NULL },
};
const struct kserv_attribute_set kserv_attributes_choice = { "choice", attributes_choice, 7 };

static const struct kserv_attribute attributes_explain[] = {
	[KSERV_A_EXPLAIN_FLOW] = { "flow", "flow", KSERV_KIND_NEST, 0, NULL, &kserv_attributes_flow },
	[KSERV_A_EXPLAIN_FROM_PROCESS] = { "from-process", "from-process", KSERV_KIND_FLAG, 0, NULL, NULL },
	[KSERV_A_EXPLAIN_INTERFACE] = { "interface", "interface", KSERV_KIND_STRING, 0, NULL, NULL },
	[KSERV_A_EXPLAIN_VERDICT] = { "verdict", "verdict", KSERV_KIND_ENUM, 0, &kserv_words_verdict, NULL },
	[KSERV_A_EXPLAIN_REASON] = { "reason", "reason", KSERV_KIND_ENUM, 0, &kserv_words_reason, NULL },
	[KSERV_A_EXPLAIN_SERVICE] = { "service", "service", KSERV_KIND_STRING, 0, NULL, NULL },
	[KSERV_A_EXPLAIN_FRONTEND] = { "frontend", "frontend", KSERV_KIND_NEST, 0, NULL, &kserv_attributes_frontend },
	[KSERV_A_EXPLAIN_SOURCE] = { "source", "source", KSERV_KIND_ENUM, 0, &kserv_words_source_type, NULL },
	[KSERV_A_EXPLAIN_LOCAL_SET] = { "local-set", "local-set", KSERV_KIND_U8, 0, NULL, NULL },
	[KSERV_A_EXPLAIN_CHOICE] = { "choice", "choice", KSERV_KIND_NEST, 1, NULL, &kserv_attributes_choice },
	[KSERV_A_EXPLAIN_EXISTING_FLOW] = { "existing-flow", "existing-flow", KSERV_KIND_FLAG, 0, NULL, NULL },
};
const struct kserv_attribute_set kserv_attributes_explain = { "explain", attributes_explain, 11 };

static const struct kserv_attribute attributes_event[] = {
	[KSERV_A_EVENT_TYPE] = { "type", "type", KSERV_KIND_ENUM, 0, &kserv_words_event_type, NULL },
	[KSERV_A_EVENT_FLOW] = { "flow", "flow", KSERV_KIND_NEST, 0, NULL, &kserv_attributes_flow },
	[KSERV_A_EVENT_REASON] = { "reason", "reason", KSERV_KIND_ENUM, 0, &kserv_words_reason, NULL },
	[KSERV_A_EVENT_GENERATION] = { "generation", "generation", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_EVENT_LOST] = { "lost", "lost", KSERV_KIND_U64, 0, NULL, NULL },
	[KSERV_A_EVENT_PAD] = { "pad", "pad", KSERV_KIND_PAD, 0, NULL, NULL },
};
const struct kserv_attribute_set kserv_attributes_event = { "event", attributes_event, 6 };

static const struct kserv_attribute attributes_message[] = {
	[KSERV_A_MESSAGE_GENERATION] = { "generation", "generation", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_MESSAGE_REPLACE] = { "replace", "replace", KSERV_KIND_FLAG, 0, NULL, NULL },
	[KSERV_A_MESSAGE_SERVICE_SET] = { "service-set", "service-set", KSERV_KIND_NEST, 1, NULL, &kserv_attributes_service },
	[KSERV_A_MESSAGE_SERVICE_DEL] = { "service-del", "service-del", KSERV_KIND_NEST, 1, NULL, &kserv_attributes_service },
	[KSERV_A_MESSAGE_ROUTE_SET] = { "route-set", "route-set", KSERV_KIND_NEST, 1, NULL, &kserv_attributes_route },
	[KSERV_A_MESSAGE_ROUTE_DEL] = { "route-del", "route-del", KSERV_KIND_NEST, 1, NULL, &kserv_attributes_route },
	[KSERV_A_MESSAGE_CONFIG_SET] = { "config-set", "config-set", KSERV_KIND_NEST, 0, NULL, &kserv_attributes_config },
	[KSERV_A_MESSAGE_SERVICE] = { "service", "service", KSERV_KIND_NEST, 0, NULL, &kserv_attributes_service },
	[KSERV_A_MESSAGE_ROUTE] = { "route", "route", KSERV_KIND_NEST, 0, NULL, &kserv_attributes_route },
	[KSERV_A_MESSAGE_CONFIG] = { "config", "config", KSERV_KIND_NEST, 0, NULL, &kserv_attributes_config },
	[KSERV_A_MESSAGE_FLOW] = { "flow", "flow", KSERV_KIND_NEST, 0, NULL, &kserv_attributes_flow },
	[KSERV_A_MESSAGE_DELETED] = { "deleted", "deleted", KSERV_KIND_U32, 0, NULL, NULL },
	[KSERV_A_MESSAGE_SESSION] = { "session", "session", KSERV_KIND_NEST, 0, NULL, &kserv_attributes_session },
	[KSERV_A_MESSAGE_COUNTER] = { "counter", "counter", KSERV_KIND_NEST, 1, NULL, &kserv_attributes_counter },
	[KSERV_A_MESSAGE_EXPLAIN] = { "explain", "explain", KSERV_KIND_NEST, 0, NULL, &kserv_attributes_explain },
	[KSERV_A_MESSAGE_EVENT] = { "event", "event", KSERV_KIND_NEST, 0, NULL, &kserv_attributes_event },
	[KSERV_A_MESSAGE_FLOW_SET] = { "flow-set", "flow-set", KSERV_KIND_NEST, 1, NULL, &kserv_attributes_flow },
	[KSERV_A_MESSAGE_SESSION_SET] = { "session-set", "session-set", KSERV_KIND_NEST, 1, NULL, &kserv_attributes_session },
};
const struct kserv_attribute_set kserv_attributes_message = { "message", attributes_message, 18 };
