/* SPDX-License-Identifier: GPL-2.0 */
/* What BIRD 2 is told: the text of its configuration, and a command now and then on its control socket. */
#ifndef KSERV_BGP_BIRD_H
#define KSERV_BGP_BIRD_H

#include <systemd/sd-event.h>
#include "bgp/config.h"

/**
 * kserv_bird_text() - the part of BIRD's configuration that is ours
 * @router_id: of this node, AF_UNSPEC to leave it to BIRD
 * @own: what is announced, sorted and each once
 *
 * Everything has names that begin with kserv. Routes that are announced or learned are in tables of our own, from which
 * those learned go to BIRD's tables master4 and master6, and with its kernel protocol into the kernel.
 * Return: the text, which the caller frees.
 */
char *kserv_bird_text(const struct kserv_bgp_config *config, const struct kserv_addr *router_id,
		      const struct kserv_prefixes *own);

struct kserv_bird_call;

/*
 * @error: 0 or -errno; -ETIMEDOUT if there was no answer
 * @text: the lines of the answer without their numbers; if @refused, what BIRD does not like
 */
typedef void (*kserv_bird_done)(void *context, int error, bool refused, const char *text);

/**
 * kserv_bird_ask() - give BIRD a command
 * @done: called once from the loop, after which the call is gone; unless this fails or the call is cancelled
 *
 * Return: 0, or -errno if the socket cannot be reached.
 */
int kserv_bird_ask(sd_event *loop, const char *socket, const char *command, kserv_bird_done done, void *context,
		   struct kserv_bird_call **ret);
void kserv_bird_cancel(struct kserv_bird_call *call);

#endif
