/* SPDX-License-Identifier: GPL-2.0 */
/* ARP and neighbour discovery as bytes, from the network header on, and the kernel's filters for them. Pure. */
#ifndef KSERV_LB_WIRE_H
#define KSERV_LB_WIRE_H

#include <linux/filter.h>
#include "source/allocate.h"

#define KSERV_LB_MAC		6
#define KSERV_LB_WIRE_MAX	72	/* a neighbour advertisement with its IPv6 header */
#define KSERV_LB_FILTER_MAX	4096	/* instructions that the kernel takes (BPF_MAXINSNS) */

/**
 * struct kserv_lb_question - who has @target?
 * @source: who asks; of family AF_UNSPEC for a probe by somebody who has no address yet
 * @mac: of who asks; in neighbour discovery that of the frame counts, which is not here
 */
struct kserv_lb_question {
	struct kserv_addr target, source;
	uint8_t mac[KSERV_LB_MAC];
};

/* Any bytes may be passed. Return: false if it is no question, or one that is no use to answer. */
bool kserv_lb_read_arp(const uint8_t *bytes, size_t len, struct kserv_lb_question *ret);
bool kserv_lb_read_solicitation(const uint8_t *bytes, size_t len, struct kserv_lb_question *ret);

/* "@addr is at @mac" to who asked; without @question (NULL) to all, as a request (@reply false) or as a reply. */
size_t kserv_lb_write_arp(uint8_t bytes[KSERV_LB_WIRE_MAX], const struct kserv_addr *addr, const uint8_t *mac,
			  const struct kserv_lb_question *question, bool reply);
/* The same by a neighbour advertisement; to ff02::1 without @question or for a probe. */
size_t kserv_lb_write_advertisement(uint8_t bytes[KSERV_LB_WIRE_MAX], const struct kserv_addr *addr, const uint8_t *mac,
				    const struct kserv_lb_question *question);

/* ff02::1:ffXX:XXXX, where questions about @addr are sent to. */
struct in6_addr kserv_lb_solicited_node(const struct kserv_addr *addr);

/**
 * kserv_lb_filter() - a filter that lets nothing but questions about addresses of pools pass
 * With more spans than fit it lets questions about any address pass. An IPv6 span counts as the smallest CIDR around it.
 * Return: the number of instructions.
 */
size_t kserv_lb_filter(uint8_t family, const struct kserv_pool *pools, size_t n_pools,
		       struct sock_filter ret[KSERV_LB_FILTER_MAX]);

#endif
