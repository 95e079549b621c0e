// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include "cluster/memory.h"
#include "podnet/rtnl.h"
#include "podnet/watch.h"

/* Changes come in bursts: a device that goes takes its routes and addresses with it. */
#define QUIET_US	50000ULL

struct kserv_podnet_watch {
	struct nl_sock *socket;
	sd_event_source *io, *timer;
	void (*changed)(void *context);
	void *context;
};

void kserv_podnet_watch_touch(struct kserv_podnet_watch *watch)
{
	struct timespec now;
	int enabled;

	/* What comes in a stream must not put it off for ever. */
	if (sd_event_source_get_enabled(watch->timer, &enabled) < 0 || enabled != SD_EVENT_OFF)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_event_source_set_time(watch->timer, now.tv_sec * 1000000ULL + now.tv_nsec / 1000 + QUIET_US);
	sd_event_source_set_enabled(watch->timer, SD_EVENT_ONESHOT);
}

static int on_message(struct nl_msg *msg, void *context)
{
	const struct nlmsghdr *header = nlmsg_hdr(msg);
	bool is_neighbour = header->nlmsg_type == RTM_NEWNEIGH || header->nlmsg_type == RTM_DELNEIGH;
	const struct ndmsg *neighbour = nlmsg_data(header);

	/* Others come and go all the time; the permanent ones among them are those that may be ours. */
	if (!is_neighbour || (nlmsg_datalen(header) >= (int)sizeof(*neighbour) && neighbour->ndm_state & NUD_PERMANENT))
		kserv_podnet_watch_touch(context);
	return NL_OK;
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct kserv_podnet_watch *watch = context;

	(void)source, (void)fd, (void)events;
	/* Messages that were lost because there were too many (-NLE_NOMEM) are changes as well. */
	if (nl_recvmsgs_default(watch->socket) < 0)
		kserv_podnet_watch_touch(watch);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t time, void *context)
{
	struct kserv_podnet_watch *watch = context;

	(void)source, (void)time;
	watch->changed(watch->context);
	return 0;
}

static int listen_to(struct kserv_podnet_watch *watch, char **ret_why)
{
	int error = kserv_podnet_open(&watch->socket, ret_why);

	if (error)
		return error;
	nl_socket_disable_seq_check(watch->socket);
	nl_socket_modify_cb(watch->socket, NL_CB_VALID, NL_CB_CUSTOM, on_message, watch);
	error = nl_socket_set_nonblocking(watch->socket);
	if (error >= 0)
		error = nl_socket_add_memberships(watch->socket, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
						  RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_NEIGH, 0);
	return error < 0 ? podnet_fail(ret_why, error, "routes and devices cannot be watched") : 0;
}

int kserv_podnet_watch_new(sd_event *loop, void (*changed)(void *context), void *context,
			   struct kserv_podnet_watch **ret, char **ret_why)
{
	struct kserv_podnet_watch *watch = kserv_must_alloc(sizeof(*watch));
	int error;

	*ret_why = NULL;
	watch->changed = changed;
	watch->context = context;
	error = listen_to(watch, ret_why);
	if (!error) {
		error = sd_event_add_io(loop, &watch->io, nl_socket_get_fd(watch->socket), EPOLLIN, on_readable, watch);
		if (error >= 0)
			error = sd_event_add_time(loop, &watch->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, watch);
		if (error >= 0)
			error = sd_event_source_set_enabled(watch->timer, SD_EVENT_OFF);
		if (error < 0)
			*ret_why = kserv_must_printf("the event loop cannot watch routes");
	}
	if (error < 0) {
		kserv_podnet_watch_free(watch);
		return error;
	}
	*ret = watch;
	return 0;
}

void kserv_podnet_watch_free(struct kserv_podnet_watch *watch)
{
	if (!watch)
		return;
	sd_event_source_disable_unref(watch->io);
	sd_event_source_disable_unref(watch->timer);
	if (watch->socket)
		nl_socket_free(watch->socket);
	free(watch);
}
