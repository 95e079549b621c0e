// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include "lib/transaction.h"

/* A nest cannot be longer than 64 KiB; a service that would be goes on in the next one. */
#define NEST_FULL 60000

int kserv_transaction_init(struct kserv_transaction *transaction)
{
	memset(transaction, 0, sizeof(*transaction));
	kserv_message_init(&transaction->message, KSERV_CMD_TRANSACTION);
	return transaction->message.error;
}

void kserv_transaction_clear(struct kserv_transaction *transaction)
{
	kserv_message_clear(&transaction->message);
}

bool kserv_transaction_is_empty(const struct kserv_transaction *transaction)
{
	return transaction->message.len <= KSERV_MESSAGE_HEADER && !transaction->replace;
}

static size_t service_begin(struct kserv_message *message, int type, const struct kserv_service *service)
{
	size_t start = kserv_message_nest(message, type);

	kserv_message_put_string(message, KSERV_A_SERVICE_NAME, service->name);
	kserv_message_put_u8(message, KSERV_A_SERVICE_FAMILY, service->family);
	kserv_message_put_u8(message, KSERV_A_SERVICE_PROTOCOL, service->protocol);
	return start;
}

static void members_put(struct kserv_message *message, const struct kserv_service *service, unsigned int members)
{
	if (members & KSERV_SET_SCHEDULER)
		kserv_message_put_u8(message, KSERV_A_SERVICE_SCHEDULER, service->scheduler);
	if (members & KSERV_SET_AFFINITY_TIMEOUT)
		kserv_message_put_u32(message, KSERV_A_SERVICE_AFFINITY_TIMEOUT, service->affinity_timeout);
	if (members & KSERV_SET_FLAGS)
		kserv_message_put_u32(message, KSERV_A_SERVICE_FLAGS, service->flags);
	if (members & KSERV_SET_REMOVAL)
		kserv_message_put_u8(message, KSERV_A_SERVICE_REMOVAL, service->removal);
	if (members & KSERV_SET_REMOVAL_GRACE)
		kserv_message_put_u32(message, KSERV_A_SERVICE_REMOVAL_GRACE, service->removal_grace);
	if (members & KSERV_SET_SLOW_START)
		kserv_message_put_u32(message, KSERV_A_SERVICE_SLOW_START, service->slow_start);
}

static void prefix_put(struct kserv_message *message, int type, const struct kserv_prefix *prefix)
{
	size_t start = kserv_message_nest(message, type);

	kserv_message_put_addr(message, KSERV_A_PREFIX_ADDR4, KSERV_A_PREFIX_ADDR6, &prefix->addr);
	kserv_message_put_u8(message, KSERV_A_PREFIX_LEN, prefix->len);
	kserv_message_nest_end(message, start);
}

static void endpoint_put(struct kserv_message *message, int type, const struct kserv_endpoint *endpoint,
			 unsigned int members)
{
	size_t start = kserv_message_nest(message, type);

	kserv_message_put_addr(message, KSERV_A_ENDPOINT_ADDR4, KSERV_A_ENDPOINT_ADDR6, &endpoint->addr);
	kserv_message_put_be16(message, KSERV_A_ENDPOINT_PORT, endpoint->port);
	if (members & KSERV_SET_STATE)
		kserv_message_put_u8(message, KSERV_A_ENDPOINT_STATE, endpoint->state);
	if (members & KSERV_SET_ENDPOINT_FLAGS)
		kserv_message_put_u8(message, KSERV_A_ENDPOINT_FLAGS, endpoint->flags);
	if (members & KSERV_SET_WEIGHT)
		kserv_message_put_u16(message, KSERV_A_ENDPOINT_WEIGHT, endpoint->weight);
	if (members & KSERV_SET_REASONS) {
		kserv_message_put_u8(message, KSERV_A_ENDPOINT_CLUSTER_REASON, endpoint->cluster_reason);
		kserv_message_put_u8(message, KSERV_A_ENDPOINT_LOCAL_REASON, endpoint->local_reason);
	}
	kserv_message_nest_end(message, start);
}

static void frontend_put(struct kserv_message *message, int type, const struct kserv_frontend *frontend)
{
	size_t start = kserv_message_nest(message, type), i;

	kserv_message_put_u8(message, KSERV_A_FRONTEND_TYPE, frontend->type);
	kserv_message_put_addr(message, KSERV_A_FRONTEND_ADDR4, KSERV_A_FRONTEND_ADDR6, &frontend->addr);
	kserv_message_put_be16(message, KSERV_A_FRONTEND_PORT, frontend->port);
	if (type == KSERV_A_SERVICE_FRONTEND) {
		kserv_message_put_u8(message, KSERV_A_FRONTEND_FLAGS, frontend->flags);
		for (i = 0; i < frontend->sources.n; i++)
			prefix_put(message, KSERV_A_FRONTEND_SOURCE, &frontend->sources.v[i]);
	}
	kserv_message_nest_end(message, start);
}

/**
 * struct service_writer - a service being written over as many nests as it takes
 * @start: of the nest in progress
 */
struct service_writer {
	struct kserv_message *message;
	const struct kserv_service *service;
	size_t start;
};

/* Call after each member: goes on in a new nest when the one in progress is full. */
static void writer_continue(struct service_writer *writer, bool last)
{
	struct kserv_message *message = writer->message;

	if (last || message->len - writer->start < NEST_FULL)
		return;
	kserv_message_nest_end(message, writer->start);
	writer->start = service_begin(message, KSERV_A_MESSAGE_SERVICE_SET, writer->service);
	kserv_message_put_u8(message, KSERV_A_SERVICE_MODE, KSERV_SET_MODE_MERGE);
}

static void write_frontends(struct service_writer *writer, int type, const struct kserv_frontend *const *v, size_t n,
			    bool last)
{
	size_t i;

	for (i = 0; i < n; i++) {
		frontend_put(writer->message, type, v[i]);
		writer_continue(writer, last && i + 1 == n);
	}
}

static void write_endpoints(struct service_writer *writer, int type, unsigned int members,
			    const struct kserv_endpoint *const *v, size_t n, bool last)
{
	size_t i;

	for (i = 0; i < n; i++) {
		endpoint_put(writer->message, type, v[i], members);
		writer_continue(writer, last && i + 1 == n);
	}
}

int kserv_transaction_service_set(struct kserv_transaction *transaction, const struct kserv_service_change *change)
{
	struct kserv_message *message = &transaction->message;
	struct service_writer writer = {
		.message = message,
		.service = change->service,
		.start = service_begin(message, KSERV_A_MESSAGE_SERVICE_SET, change->service),
	};

	kserv_message_put_u8(message, KSERV_A_SERVICE_MODE, change->mode);
	members_put(message, change->service, change->members);
	write_frontends(&writer, KSERV_A_SERVICE_FRONTEND_DEL, change->frontends_del, change->n_frontends_del,
			!change->n_frontends && !change->n_endpoints_del && !change->n_endpoints);
	write_frontends(&writer, KSERV_A_SERVICE_FRONTEND, change->frontends, change->n_frontends,
			!change->n_endpoints_del && !change->n_endpoints);
	write_endpoints(&writer, KSERV_A_SERVICE_ENDPOINT_DEL, 0, change->endpoints_del, change->n_endpoints_del,
			!change->n_endpoints);
	write_endpoints(&writer, KSERV_A_SERVICE_ENDPOINT, change->endpoint_members, change->endpoints,
			change->n_endpoints, true);
	kserv_message_nest_end(message, writer.start);
	return message->error;
}

int kserv_transaction_service_del(struct kserv_transaction *transaction, const struct kserv_service *service)
{
	size_t start = service_begin(&transaction->message, KSERV_A_MESSAGE_SERVICE_DEL, service);

	kserv_message_nest_end(&transaction->message, start);
	return transaction->message.error;
}

int kserv_transaction_route_set(struct kserv_transaction *transaction, const struct kserv_route *route)
{
	struct kserv_message *message = &transaction->message;
	size_t start = kserv_message_nest(message, KSERV_A_MESSAGE_ROUTE_SET);

	prefix_put(message, KSERV_A_ROUTE_PREFIX, &route->prefix);
	kserv_message_put_u8(message, KSERV_A_ROUTE_TYPE, route->type);
	kserv_message_put_addr(message, KSERV_A_ROUTE_GATEWAY4, KSERV_A_ROUTE_GATEWAY6, &route->gateway);
	kserv_message_nest_end(message, start);
	return message->error;
}

int kserv_transaction_route_del(struct kserv_transaction *transaction, const struct kserv_route *route)
{
	struct kserv_message *message = &transaction->message;
	size_t start = kserv_message_nest(message, KSERV_A_MESSAGE_ROUTE_DEL);

	prefix_put(message, KSERV_A_ROUTE_PREFIX, &route->prefix);
	kserv_message_nest_end(message, start);
	return message->error;
}

static void prefixes_put(struct kserv_message *message, int type, const struct kserv_prefixes *prefixes)
{
	size_t i;

	for (i = 0; i < prefixes->n; i++)
		prefix_put(message, type, &prefixes->v[i]);
}

static void put_unless_0(struct kserv_message *message, int type, uint32_t value)
{
	if (value)
		kserv_message_put_u32(message, type, value);
}

int kserv_transaction_config_set(struct kserv_transaction *transaction, const struct kserv_config *config)
{
	struct kserv_message *message = &transaction->message;
	size_t start = kserv_message_nest(message, KSERV_A_MESSAGE_CONFIG_SET);

	kserv_message_put_u8(message, KSERV_A_CONFIG_CONNTRACK, config->conntrack);
	kserv_message_put_u8(message, KSERV_A_CONFIG_DETECT_LOCAL, config->detect_local);
	prefixes_put(message, KSERV_A_CONFIG_POD_CIDR, &config->pod_cidrs);
	if (config->pod_interface[0])
		kserv_message_put_string(message, KSERV_A_CONFIG_POD_INTERFACE, config->pod_interface);
	prefixes_put(message, KSERV_A_CONFIG_SERVICE_CIDR, &config->service_cidrs);
	prefixes_put(message, KSERV_A_CONFIG_NODE_PORT_ADDRESS, &config->node_port_addresses);
	if (config->masquerade_port_min)
		kserv_message_put_u16(message, KSERV_A_CONFIG_MASQUERADE_PORT_MIN, config->masquerade_port_min);
	if (config->masquerade_port_max)
		kserv_message_put_u16(message, KSERV_A_CONFIG_MASQUERADE_PORT_MAX, config->masquerade_port_max);
	put_unless_0(message, KSERV_A_CONFIG_FLOW_MAX, config->flow_max);
	put_unless_0(message, KSERV_A_CONFIG_SESSION_MAX, config->session_max);
	put_unless_0(message, KSERV_A_CONFIG_TCP_SYN_TIMEOUT, config->tcp_syn_timeout);
	put_unless_0(message, KSERV_A_CONFIG_TCP_ESTABLISHED_TIMEOUT, config->tcp_established_timeout);
	put_unless_0(message, KSERV_A_CONFIG_TCP_CLOSE_TIMEOUT, config->tcp_close_timeout);
	put_unless_0(message, KSERV_A_CONFIG_UDP_TIMEOUT, config->udp_timeout);
	put_unless_0(message, KSERV_A_CONFIG_UDP_STREAM_TIMEOUT, config->udp_stream_timeout);
	put_unless_0(message, KSERV_A_CONFIG_SCTP_TIMEOUT, config->sctp_timeout);
	if (config->fast_path_set)
		kserv_message_put_u8(message, KSERV_A_CONFIG_FAST_PATH, config->fast_path);
	kserv_message_nest_end(message, start);
	return message->error;
}

static int receive_generation(void *context, struct nlattr *const *attributes, const struct nlattr *first, size_t len)
{
	const struct nlattr *generation = attributes[KSERV_A_MESSAGE_GENERATION];

	(void)first;
	(void)len;
	if (generation && generation->nla_len >= NLA_HDRLEN + sizeof(uint32_t))
		memcpy(context, generation + 1, sizeof(uint32_t));
	return 0;
}

/* Send @len bytes of the transaction's members from @from on. */
static int send_part(struct kserv_nl *nl, struct kserv_transaction *transaction, size_t from, size_t len,
		     uint32_t *generation, struct kserv_nl_error *ret_error)
{
	struct kserv_message message;
	int error;

	kserv_message_init(&message, KSERV_CMD_TRANSACTION);
	if (transaction->expect)
		kserv_message_put_u32(&message, KSERV_A_MESSAGE_GENERATION, *generation);
	if (transaction->replace)
		kserv_message_put_flag(&message, KSERV_A_MESSAGE_REPLACE);
	if (len > message.size - message.len)
		kserv_message_grow(&message, len);
	if (!message.error) {
		memcpy(message.data + message.len, transaction->message.data + from, len);
		message.len += len;
	}
	error = message.error;
	if (!error)
		error = kserv_nl_request(nl, &message, receive_generation, generation, ret_error);
	kserv_message_clear(&message);
	return error;
}

/* As many whole members from @from on as fit into @limit bytes, but at least one. */
static size_t members_within(const struct kserv_message *message, size_t from, size_t limit)
{
	size_t len = 0;

	while (from + len < message->len) {
		const struct nlattr *member = (const void *)(message->data + from + len);
		size_t next = NLA_ALIGN(member->nla_len);

		if (len && len + next > limit)
			break;
		len += next;
	}
	return len;
}

int kserv_transaction_send(struct kserv_nl *nl, struct kserv_transaction *transaction, uint32_t *ret_generation,
			   unsigned int *ret_parts, struct kserv_nl_error *ret_error)
{
	const struct kserv_message *message = &transaction->message;
	/* Headers, the expected generation and the flag. */
	const size_t extra = KSERV_MESSAGE_HEADER + 16;
	size_t from = KSERV_MESSAGE_HEADER, len, limit;
	uint32_t generation = transaction->generation;
	unsigned int parts = 0;
	int error;

	if (message->error)
		return message->error;
	limit = kserv_nl_send_limit(nl, message->len + extra);
	if (limit < message->len + extra && transaction->replace)
		return -EMSGSIZE;
	do {
		len = members_within(message, from, limit - extra);
		error = send_part(nl, transaction, from, len, &generation, ret_error);
		if (error)
			break;
		from += len;
		parts++;
	} while (from < message->len);
	if (ret_parts)
		*ret_parts = parts;
	if (!error && ret_generation)
		*ret_generation = generation;
	return error;
}
