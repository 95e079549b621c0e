/* SPDX-License-Identifier: GPL-2.0 */
/* The interfaces of this machine that addresses can be announced on, and their subnets; they are followed. */
#ifndef KSERV_LB_LINK_H
#define KSERV_LB_LINK_H

#include <net/if.h>
#include <systemd/sd-event.h>
#include "lb/wire.h"

/* An Ethernet interface that is up and has a carrier. */
struct kserv_lb_link {
	int index;
	char name[IF_NAMESIZE];
	uint8_t mac[KSERV_LB_MAC];
};

struct kserv_lb_links;

/* @changed: something about interfaces or addresses is other than before. Return: 0 or -errno. */
int kserv_lb_links_new(sd_event *loop, void (*changed)(void *context), void *context, struct kserv_lb_links **ret);
void kserv_lb_links_free(struct kserv_lb_links *links);

/* The one whose subnet has the address, the longest one counts; NULL if none has. Valid until the loop runs. */
const struct kserv_lb_link *kserv_lb_links_find(const struct kserv_lb_links *links, const struct kserv_addr *addr);

#endif
