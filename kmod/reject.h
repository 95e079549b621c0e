/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_REJECT_H
#define _KSERV_REJECT_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>

/*
 * Answers to packets that are refused, by the kernel's own functions for the REJECT target.
 * Context: in a netfilter hook, BH off. The packet stays the caller's, who drops it afterwards.
 */

/* ICMP port unreachable for every protocol, as kube-proxy's reject (rule 3.7). */
void kserv_reject(struct sk_buff *skb, u8 family, const struct nf_hook_state *state);
/* A TCP reset. */
void kserv_reject_reset(struct sk_buff *skb, u8 family, const struct nf_hook_state *state);

#endif /* _KSERV_REJECT_H */
