/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KSERVCTL_FLOW_H
#define KSERVCTL_FLOW_H

#include "lib/addr.h"
#include "lib/attributes.h"
#include "lib/read.h"

/* A flow as the kernel shows it; ports in host order. */
struct flow {
	uint8_t protocol, state;
	uint32_t flags;
	struct kserv_addr client, frontend, endpoint;
	uint16_t client_port, frontend_port, endpoint_port;
	char service[KSERV_NAME_LEN + 1];
	uint64_t expires_ms, packets_in, bytes_in, packets_out, bytes_out;
};

/* Reads the attributes of a flow nest. */
void read_flow(const struct nlattr *first, size_t len, struct flow *ret_flow);

#endif
