/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keeps the picture of one kind in step with the server.
 *
 *	              +---------------- 410, or the server is behind us ---------------+
 *	              v                                                                |
 *	start -> streaming list -> complete: swap in the picture -> WATCH --ends--> WATCH again from where we were
 *	              |  422                     ^                    |                ^
 *	              +-> LIST, page by page ----+                    +- broken, silent: ask where the server is
 *
 * What fails is tried again after a growing pause. The picture stays as it is meanwhile.
 */
#ifndef KSERV_REFLECTOR_H
#define KSERV_REFLECTOR_H

#include "kube/client.h"
#include "kube/picture.h"

struct kserv_reflector;

/**
 * struct kserv_reflector_options - @picture and @times must live as long; the rest is copied
 * @times: with every value set
 * @synced: the first complete picture is there
 * @state: the phase or the error is another
 */
struct kserv_reflector_options {
	struct kserv_client *client;
	struct kserv_picture *picture;
	const struct kserv_kube_times *times;
	const char *label_selector, *field_selector;
	unsigned int page;
	bool no_stream;
	void (*synced)(void *context, enum kserv_kube_kind kind);
	void (*state)(void *context);
	void *context;
};

struct kserv_reflector *kserv_reflector_start(sd_event *loop, const struct kserv_reflector_options *options);
/* NULL is fine. */
void kserv_reflector_stop(struct kserv_reflector *reflector);
void kserv_reflector_state(const struct kserv_reflector *reflector, struct kserv_kube_kind_state *ret);

#endif
