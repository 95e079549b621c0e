// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "cluster/memory.h"
#include "lb/link.h"

/* Many changes that come together, as when pods start, are looked at once. */
#define SETTLE_US	20000

struct subnet {
	struct kserv_addr addr, mask;
	unsigned int len;
	int index;
};

struct kserv_lb_links {
	sd_event_source *source, *timer;
	void (*changed)(void *context);
	void *context;
	struct kserv_lb_link *v;
	size_t n;
	struct subnet *subnets;
	size_t n_subnets;
	int fd;
};

static struct kserv_addr read_sockaddr(const struct sockaddr *sockaddr)
{
	struct kserv_addr addr = { .family = sockaddr->sa_family };

	if (addr.family == AF_INET)
		addr.v4 = ((const struct sockaddr_in *)sockaddr)->sin_addr;
	else
		addr.v6 = ((const struct sockaddr_in6 *)sockaddr)->sin6_addr;
	return addr;
}

static void add_link(struct kserv_lb_links *links, const struct ifaddrs *entry)
{
	const struct sockaddr_ll *address = (const void *)entry->ifa_addr;
	struct kserv_lb_link *link;

	if (address->sll_hatype != ARPHRD_ETHER || address->sll_halen != KSERV_LB_MAC ||
	    !(entry->ifa_flags & IFF_UP) || !(entry->ifa_flags & IFF_RUNNING) || entry->ifa_flags & IFF_NOARP)
		return;
	links->v = kserv_must_grow(links->v, links->n, sizeof(*links->v));
	link = &links->v[links->n++];
	link->index = address->sll_ifindex;
	strncpy(link->name, entry->ifa_name, sizeof(link->name) - 1);
	memcpy(link->mac, address->sll_addr, KSERV_LB_MAC);
}

static void add_subnet(struct kserv_lb_links *links, const struct ifaddrs *entry)
{
	struct subnet *subnet;
	size_t i;

	if (!entry->ifa_netmask)
		return;
	links->subnets = kserv_must_grow(links->subnets, links->n_subnets, sizeof(*links->subnets));
	subnet = &links->subnets[links->n_subnets++];
	subnet->index = if_nametoindex(entry->ifa_name);
	subnet->addr = read_sockaddr(entry->ifa_addr);
	subnet->mask = read_sockaddr(entry->ifa_netmask);
	subnet->mask.family = subnet->addr.family;
	for (i = 0; i < 16; i++)
		subnet->len += __builtin_popcount(subnet->mask.v6.s6_addr[i]);
}

static void read_all(struct kserv_lb_links *links)
{
	struct ifaddrs *list, *entry;

	/* Without memory or descriptors what was known before goes on. */
	if (getifaddrs(&list))
		return;
	free(links->v);
	free(links->subnets);
	links->v = NULL;
	links->subnets = NULL;
	links->n = links->n_subnets = 0;
	for (entry = list; entry; entry = entry->ifa_next) {
		int family = entry->ifa_addr ? entry->ifa_addr->sa_family : AF_UNSPEC;

		if (family == AF_PACKET)
			add_link(links, entry);
		else if (family == AF_INET || family == AF_INET6)
			add_subnet(links, entry);
	}
	freeifaddrs(list);
}

static const struct kserv_lb_link *find_index(const struct kserv_lb_links *links, int index)
{
	size_t i;

	for (i = 0; i < links->n; i++)
		if (links->v[i].index == index)
			return &links->v[i];
	return NULL;
}

static bool contains(const struct subnet *subnet, const struct kserv_addr *addr)
{
	size_t i, n = addr->family == AF_INET ? 4 : 16;

	if (subnet->addr.family != addr->family)
		return false;
	for (i = 0; i < n; i++)
		if ((subnet->addr.v6.s6_addr[i] ^ addr->v6.s6_addr[i]) & subnet->mask.v6.s6_addr[i])
			return false;
	return true;
}

const struct kserv_lb_link *kserv_lb_links_find(const struct kserv_lb_links *links, const struct kserv_addr *addr)
{
	const struct kserv_lb_link *link, *best = NULL;
	unsigned int longest = 0;
	size_t i;

	for (i = 0; i < links->n_subnets; i++) {
		if (links->subnets[i].len <= longest || !contains(&links->subnets[i], addr))
			continue;
		link = find_index(links, links->subnets[i].index);
		if (!link)
			continue;
		best = link;
		longest = links->subnets[i].len;
	}
	return best;
}

static int on_timer(sd_event_source *source, uint64_t time, void *context)
{
	struct kserv_lb_links *links = context;

	(void)source, (void)time;
	read_all(links);
	links->changed(links->context);
	return 0;
}

/* What the messages say is not looked at, so it does no harm if some are lost. */
static int on_message(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct kserv_lb_links *links = context;
	char bytes[8192];
	uint64_t now;
	int i;

	(void)source, (void)events;
	for (i = 0; i < 64 && (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0 || errno == ENOBUFS); i++)
		;
	sd_event_now(sd_event_source_get_event(links->timer), CLOCK_MONOTONIC, &now);
	sd_event_source_set_time(links->timer, now + SETTLE_US);
	return sd_event_source_set_enabled(links->timer, SD_EVENT_ONESHOT);
}

int kserv_lb_links_new(sd_event *loop, void (*changed)(void *context), void *context, struct kserv_lb_links **ret)
{
	const struct sockaddr_nl address = {
		.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	struct kserv_lb_links *links = kserv_must_alloc(sizeof(*links));
	int error;

	links->changed = changed;
	links->context = context;
	links->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	error = links->fd < 0 || bind(links->fd, (const void *)&address, sizeof(address)) ? -errno : 0;
	if (!error)
		error = sd_event_add_io(loop, &links->source, links->fd, EPOLLIN, on_message, links);
	if (error >= 0)
		error = sd_event_add_time(loop, &links->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, links);
	if (error >= 0)
		error = sd_event_source_set_enabled(links->timer, SD_EVENT_OFF);
	if (error < 0) {
		kserv_lb_links_free(links);
		return error;
	}
	read_all(links);
	*ret = links;
	return 0;
}

void kserv_lb_links_free(struct kserv_lb_links *links)
{
	if (!links)
		return;
	sd_event_source_disable_unref(links->source);
	sd_event_source_disable_unref(links->timer);
	if (links->fd >= 0)
		close(links->fd);
	free(links->v);
	free(links->subnets);
	free(links);
}
