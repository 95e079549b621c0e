/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_FRAGMENT_H
#define _KSERV_FRAGMENT_H

struct nf_hook_state;
struct sk_buff;

/**
 * kserv_fragment_gather() - put fragments together
 * @skb: anything; what is no fragment stays as it is
 * Context: a PRE_ROUTING or LOCAL_OUT hook, BH off.
 * Return: NF_ACCEPT: @skb is whole, its headers may be elsewhere; NF_STOLEN: it waits for the others; NF_DROP.
 */
unsigned int kserv_fragment_gather(struct sk_buff *skb, const struct nf_hook_state *state);

#endif /* _KSERV_FRAGMENT_H */
