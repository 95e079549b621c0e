// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cluster/memory.h"
#include "lb/announce.h"
#include "lib/addr.h"
#include "lib/log.h"

#define REPEATS		5
#define REPEAT_US	1000000ULL
/* A switch forgets where a MAC address is sooner than a router forgets who has an IP address. */
#define REFRESH_US	60000000ULL
/* In one turn of the loop, which others wait for; the rest comes PAUSE_US later. */
#define BATCH		64
#define PAUSE_US	5000ULL

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING	23
#endif

/**
 * struct announced - an address that is here
 * @link: on which interface; index 0 if none has the subnet
 * @sent: announcements so far, up to REPEATS; @due: of the next one
 */
struct announced {
	struct kserv_addr addr;
	struct kserv_lb_link link;
	unsigned int sent;
	uint64_t due;
};

struct kserv_announcer {
	struct kserv_lb_links *links;
	sd_event *loop;
	sd_event_source *arp_source, *neighbour_source, *timer;
	int arp, neighbour, groups;
	struct announced *v;
	size_t n;
	struct kserv_lb_stats stats;
	bool groups_failed;
};

static uint64_t now_of(const struct kserv_announcer *announcer)
{
	uint64_t now;

	sd_event_now(announcer->loop, CLOCK_MONOTONIC, &now);
	return now;
}

static void send_bytes(struct kserv_announcer *announcer, uint8_t family, int index, const uint8_t *mac,
		       const void *bytes, size_t len)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(family == AF_INET ? ETH_P_ARP : ETH_P_IPV6),
		.sll_ifindex = index, .sll_halen = KSERV_LB_MAC,
	};

	memcpy(to.sll_addr, mac, KSERV_LB_MAC);
	if (sendto(family == AF_INET ? announcer->arp : announcer->neighbour, bytes, len, MSG_DONTWAIT, (const void *)&to,
		   sizeof(to)) < 0)
		announcer->stats.failures++;
}

static void announce(struct kserv_announcer *announcer, const struct announced *item)
{
	static const uint8_t broadcast[] = { 255, 255, 255, 255, 255, 255 }, all_nodes[] = { 0x33, 0x33, 0, 0, 0, 1 };
	const struct kserv_lb_link *link = &item->link;
	uint8_t bytes[KSERV_LB_WIRE_MAX];
	size_t len;

	announcer->stats.announcements++;
	if (item->addr.family == AF_INET6) {
		len = kserv_lb_write_advertisement(bytes, &item->addr, link->mac, NULL);
		send_bytes(announcer, AF_INET6, link->index, all_nodes, bytes, len);
		return;
	}
	/* Some learn from requests alone, others from replies. */
	len = kserv_lb_write_arp(bytes, &item->addr, link->mac, NULL, false);
	send_bytes(announcer, AF_INET, link->index, broadcast, bytes, len);
	len = kserv_lb_write_arp(bytes, &item->addr, link->mac, NULL, true);
	send_bytes(announcer, AF_INET, link->index, broadcast, bytes, len);
}

static void arm(struct kserv_announcer *announcer, uint64_t not_before)
{
	uint64_t first = UINT64_MAX;
	size_t i;

	for (i = 0; i < announcer->n; i++)
		if (announcer->v[i].link.index && announcer->v[i].due < first)
			first = announcer->v[i].due;
	if (first == UINT64_MAX) {
		sd_event_source_set_enabled(announcer->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(announcer->timer, first > not_before ? first : not_before);
	sd_event_source_set_enabled(announcer->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t time, void *context)
{
	struct kserv_announcer *announcer = context;
	uint64_t now = now_of(announcer);
	unsigned int done = 0;
	size_t i;

	(void)source, (void)time;
	for (i = 0; i < announcer->n && done < BATCH; i++) {
		struct announced *item = &announcer->v[i];

		if (!item->link.index || item->due > now)
			continue;
		announce(announcer, item);
		item->sent += item->sent < REPEATS;
		item->due = now + (item->sent < REPEATS ? REPEAT_US : REFRESH_US);
		done++;
	}
	arm(announcer, now + (done == BATCH ? PAUSE_US : 0));
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct kserv_addr *left = a, *right = b;

	return left->family != right->family ? (left->family < right->family ? -1 : 1) :
		memcmp(&left->v6, &right->v6, sizeof(left->v6));
}

/* @addr is the first member of struct announced. */
static struct announced *find(const struct kserv_announcer *announcer, const struct kserv_addr *addr)
{
	return announcer->n ? bsearch(addr, announcer->v, announcer->n, sizeof(*announcer->v), compare) : NULL;
}

static void answer(struct kserv_announcer *announcer, const struct kserv_lb_question *question,
		   const struct sockaddr_ll *from)
{
	static const uint8_t all_nodes[] = { 0x33, 0x33, 0, 0, 0, 1 };
	const struct announced *item = find(announcer, &question->target);
	uint8_t bytes[KSERV_LB_WIRE_MAX], family = question->target.family;
	const uint8_t *to = from->sll_addr;
	size_t len;

	/* On other interfaces, as the port of a bridge, it is seen once more. */
	if (!item || item->link.index != from->sll_ifindex)
		return;
	if (family == AF_INET) {
		len = kserv_lb_write_arp(bytes, &item->addr, item->link.mac, question, true);
		to = question->mac;
	} else {
		len = kserv_lb_write_advertisement(bytes, &item->addr, item->link.mac, question);
		if (question->source.family == AF_UNSPEC)
			to = all_nodes;
	}
	announcer->stats.answers++;
	send_bytes(announcer, family, item->link.index, to, bytes, len);
}

static int on_packet(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct kserv_announcer *announcer = context;
	struct kserv_lb_question question;
	struct sockaddr_ll from;
	uint8_t bytes[256];
	socklen_t size;
	ssize_t len;
	int i;

	(void)source, (void)events;
	for (i = 0; i < BATCH; i++) {
		size = sizeof(from);
		len = recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT, (void *)&from, &size);
		/* An interface that went down is told as an error of the socket; the others go on. */
		if (len < 0 && errno == ENETDOWN)
			continue;
		if (len < 0)
			break;
		if (from.sll_pkttype == PACKET_OTHERHOST)
			continue;
		if (fd == announcer->arp ? kserv_lb_read_arp(bytes, len, &question) :
					   kserv_lb_read_solicitation(bytes, len, &question))
			answer(announcer, &question, &from);
	}
	return 0;
}

/* Addresses with the same last three bytes have one group together. */
static bool group_is_used(const struct kserv_announcer *announcer, const struct ipv6_mreq *group)
{
	struct in6_addr other;
	size_t i;

	for (i = 0; i < announcer->n; i++) {
		if (announcer->v[i].addr.family != AF_INET6 ||
		    announcer->v[i].link.index != (int)group->ipv6mr_interface)
			continue;
		other = kserv_lb_solicited_node(&announcer->v[i].addr);
		if (IN6_ARE_ADDR_EQUAL(&other, &group->ipv6mr_multiaddr))
			return true;
	}
	return false;
}

/* @item is not among the announced while this runs, or on another interface there. */
static void set_group(struct kserv_announcer *announcer, const struct announced *item, bool join)
{
	struct ipv6_mreq group = { .ipv6mr_interface = item->link.index };

	if (item->addr.family != AF_INET6 || !item->link.index)
		return;
	group.ipv6mr_multiaddr = kserv_lb_solicited_node(&item->addr);
	if (!join && group_is_used(announcer, &group))
		return;
	if (!setsockopt(announcer->groups, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &group, sizeof(group)) ||
	    !join || errno == EADDRINUSE || announcer->groups_failed)
		return;
	announcer->groups_failed = true;
	kserv_log_warning("questions about some IPv6 addresses may not reach %s: its multicast groups cannot be joined: %s"
			  " (net.core.optmem_max bounds their number)", item->link.name, strerror(errno));
}

/* Where the address is now; as new if that is elsewhere than before. */
static void place(struct kserv_announcer *announcer, struct announced *item, uint64_t now)
{
	const struct kserv_lb_link *link = kserv_lb_links_find(announcer->links, &item->addr);
	const struct kserv_lb_link none = { 0 }, *here = link ? link : &none;
	struct announced before = *item;

	if (here->index == item->link.index && !memcmp(here->mac, item->link.mac, KSERV_LB_MAC))
		return;
	item->link = *here;
	item->sent = 0;
	item->due = now;
	set_group(announcer, &before, false);
	set_group(announcer, item, true);
}

static void links_changed(void *context)
{
	struct kserv_announcer *announcer = context;
	uint64_t now = now_of(announcer);
	size_t i;

	for (i = 0; i < announcer->n; i++)
		place(announcer, &announcer->v[i], now);
	arm(announcer, 0);
}

void kserv_announcer_set(struct kserv_announcer *announcer, const struct kserv_addr *addrs, size_t n)
{
	struct announced *before = announcer->v, *v = kserv_must_alloc((n + 1) * sizeof(*v)), *same;
	size_t n_before = announcer->n, i;
	uint64_t now = now_of(announcer);

	for (i = 0; i < n; i++) {
		same = find(announcer, &addrs[i]);
		if (same)
			v[i] = *same;
		else
			v[i].addr = addrs[i];
	}
	announcer->v = v;
	announcer->n = n;
	for (i = 0; i < n; i++)
		place(announcer, &v[i], now);
	for (i = 0; i < n_before; i++)
		if (!find(announcer, &before[i].addr))
			set_group(announcer, &before[i], false);
	free(before);
	arm(announcer, 0);
}

const char *kserv_announcer_interface(const struct kserv_announcer *announcer, const struct kserv_addr *addr)
{
	const struct kserv_lb_link *link = kserv_lb_links_find(announcer->links, addr);

	return link ? link->name : NULL;
}

void kserv_announcer_stats(const struct kserv_announcer *announcer, struct kserv_lb_stats *ret)
{
	*ret = announcer->stats;
}

/* Nothing comes in before the filter is in place: only binding to a protocol lets it. */
static int open_packets(uint8_t family, const struct kserv_pool *pools, size_t n_pools)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET, .sll_protocol = htons(family == AF_INET ? ETH_P_ARP : ETH_P_IPV6),
	};
	struct sock_filter rows[KSERV_LB_FILTER_MAX];
	struct sock_fprog program = { .len = kserv_lb_filter(family, pools, n_pools, rows), .filter = rows };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1, error;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	if (!setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) &&
	    !bind(fd, (const void *)&address, sizeof(address)))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

static int open_all(struct kserv_announcer *announcer, const struct kserv_pool *pools, size_t n_pools)
{
	int error;

	announcer->arp = open_packets(AF_INET, pools, n_pools);
	if (announcer->arp < 0)
		return announcer->arp;
	announcer->neighbour = open_packets(AF_INET6, pools, n_pools);
	if (announcer->neighbour < 0)
		return announcer->neighbour;
	/* A kernel without IPv6 has no such socket, and no need of one. */
	announcer->groups = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	error = kserv_lb_links_new(announcer->loop, links_changed, announcer, &announcer->links);
	if (error >= 0)
		error = sd_event_add_io(announcer->loop, &announcer->arp_source, announcer->arp, EPOLLIN, on_packet, announcer);
	if (error >= 0)
		error = sd_event_add_io(announcer->loop, &announcer->neighbour_source, announcer->neighbour, EPOLLIN,
					on_packet, announcer);
	if (error >= 0)
		error = sd_event_add_time(announcer->loop, &announcer->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, announcer);
	return error >= 0 ? sd_event_source_set_enabled(announcer->timer, SD_EVENT_OFF) : error;
}

int kserv_announcer_new(sd_event *loop, const struct kserv_pool *pools, size_t n_pools, struct kserv_announcer **ret)
{
	struct kserv_announcer *announcer = kserv_must_alloc(sizeof(*announcer));
	int error;

	announcer->loop = loop;
	announcer->arp = announcer->neighbour = announcer->groups = -1;
	error = open_all(announcer, pools, n_pools);
	if (error < 0) {
		kserv_announcer_free(announcer);
		return error;
	}
	*ret = announcer;
	return 0;
}

void kserv_announcer_free(struct kserv_announcer *announcer)
{
	const int fds[] = { announcer ? announcer->arp : -1, announcer ? announcer->neighbour : -1,
			    announcer ? announcer->groups : -1 };
	size_t i;

	if (!announcer)
		return;
	kserv_lb_links_free(announcer->links);
	sd_event_source_disable_unref(announcer->arp_source);
	sd_event_source_disable_unref(announcer->neighbour_source);
	sd_event_source_disable_unref(announcer->timer);
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(announcer->v);
	free(announcer);
}
