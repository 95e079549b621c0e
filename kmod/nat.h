/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_NAT_H
#define _KSERV_NAT_H

#include "packet.h"

/**
 * struct kserv_nat - a rewrite, worked out once
 * @to: addresses and ports that the packet is to have
 * @addr_delta: what the change of addresses adds to a one's complement sum
 * @port_delta: what the change of ports adds
 */
struct kserv_nat {
	struct kserv_tuple to;
	__wsum addr_delta;
	__wsum port_delta;
};

/* Work out the rewrite from @from to @to. */
void kserv_nat_prepare(struct kserv_nat *nat, const struct kserv_tuple *from, const struct kserv_tuple *to);

/**
 * kserv_nat_rewrite() - give a packet other addresses and ports
 * @packet: as parsed from @skb; not an error
 *
 * Checksums stay what they were: right ones right, wrong ones wrong, absent ones absent, with and without offload.
 * Context: any. Header pointers into @skb taken before are invalid afterwards.
 * Return: 0, or -ENOMEM when the headers cannot be made writable; the packet is unchanged then.
 */
int kserv_nat_rewrite(struct sk_buff *skb, const struct kserv_packet *packet, const struct kserv_nat *nat);

/* The same for a packet whose headers are writable already. */
void kserv_nat_apply(struct sk_buff *skb, const struct kserv_packet *packet, const struct kserv_nat *nat);

/**
 * kserv_nat_rewrite_error() - give an ICMP error the view that its receiver has of the connection
 * @packet: as parsed from @skb; an error
 * @from: the tuple of a packet that would go the same way as the error: the inverse of the packet inside it
 * @to: what such a packet is rewritten to
 *
 * The inner packet gets the inverse of @to; outer addresses that are those of @from get those of @to.
 * An error whose checksum is wrong is left as it is.
 * Return: 0 or -ENOMEM.
 */
int kserv_nat_rewrite_error(struct sk_buff *skb, const struct kserv_packet *packet, const struct kserv_tuple *from,
			    const struct kserv_tuple *to);

#endif /* _KSERV_NAT_H */
