/* SPDX-License-Identifier: GPL-2.0 */
/* Somebody changed devices, addresses or routes: told on an event loop. */
#ifndef KSERV_PODNET_WATCH_H
#define KSERV_PODNET_WATCH_H

#include <systemd/sd-event.h>

struct kserv_podnet_watch;

/**
 * kserv_podnet_watch_new() - begin to watch the network namespace
 * @changed: called some time after a change, once for all that came until then
 *
 * Return: 0, or -errno with a sentence.
 */
int kserv_podnet_watch_new(sd_event *loop, void (*changed)(void *context), void *context,
			   struct kserv_podnet_watch **ret, char **ret_why);
void kserv_podnet_watch_free(struct kserv_podnet_watch *watch);

/* As if something had changed. */
void kserv_podnet_watch_touch(struct kserv_podnet_watch *watch);

#endif
