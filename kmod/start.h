/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_START_H
#define _KSERV_START_H

#include "flow.h"
#include "packet.h"

struct kserv_endpoint;
struct net_device;
struct nf_hook_state;

/**
 * kserv_start() - what becomes of a packet that belongs to no flow
 * @packet: parsed from @skb
 * @old: the flow it had, now dead, whose endpoint is not to be chosen again if there is another; or NULL
 * @ret_flow: the flow that was made, valid inside the RCU section; NULL if none was
 *
 * Decides, chooses an endpoint and makes the flow; answers the sender when the packet is refused.
 * Context: a PRE_ROUTING or LOCAL_OUT hook, BH off.
 * Return: NF_ACCEPT or NF_DROP.
 */
unsigned int kserv_start(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
			 const struct kserv_packet *packet, const struct kserv_flow *old, struct kserv_flow **ret_flow);

/**
 * kserv_start_plainly() - a flow for the first packet of a connection, if it gets one and nothing is unusual about that
 * @in: the device it came in by
 * Otherwise nothing has happened, and kserv_start() is to be asked.
 * Context: BH off, RCU read section. Return: the flow, which has not been told of the packet yet, or NULL.
 */
struct kserv_flow *kserv_start_plainly(struct kserv_net *kn, const struct kserv_packet *packet,
				       const struct net_device *in);

/**
 * kserv_start_beside() - a connection straight to an endpoint that would be mistaken for @other, a flow to it
 * The newcomer gets a flow of its own with another source port.
 * Context, return: as kserv_start().
 */
unsigned int kserv_start_beside(struct kserv_net *kn, const struct kserv_packet *packet, struct kserv_flow *other,
				struct kserv_flow **ret_flow);

/* A random port of the range for changed source ports. Context: RCU read section. */
__be16 kserv_start_port(struct kserv_net *kn);

/* How many ports are tried before giving up. */
#define KSERV_PORT_TRIES 128

#endif /* _KSERV_START_H */
