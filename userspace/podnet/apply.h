/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's side of the pod network, by rtnetlink. Sentences about errors are the caller's to free. */
#ifndef KSERV_PODNET_APPLY_H
#define KSERV_PODNET_APPLY_H

#include "podnet/podnet.h"

struct nl_sock;

/* Return: 0, or -errno with a sentence. Close it with nl_socket_free(). */
int kserv_podnet_open(struct nl_sock **ret_socket, char **ret_why);

/**
 * kserv_podnet_view() - what the kernel holds, as far as plan wants to know
 * @primary: this node's addresses, whose devices' MTU counts
 * @ret: to be cleared with kserv_podnet_view_clear(), whatever is returned
 *
 * Return: 0, or -errno with a sentence.
 */
int kserv_podnet_view(struct nl_sock *socket, const struct kserv_addr primary[2], struct kserv_podnet_view *ret,
		      char **ret_why);
void kserv_podnet_view_clear(struct kserv_podnet_view *view);

/* How many entries were made or changed and how many were removed: routes, neighbours, FDB entries; and the device. */
struct kserv_podnet_changes {
	unsigned int set, removed;
	bool made_device;
};

/**
 * kserv_podnet_apply() - make the kernel hold what @plan says
 * @ret_changes: what was done until then
 *
 * What one entry is refused does not keep the others from being made; the sentence is about the first that was.
 * Return: 0, or -errno with a sentence.
 */
int kserv_podnet_apply(struct nl_sock *socket, const struct kserv_podnet_config *config,
		       const struct kserv_podnet_plan *plan, struct kserv_podnet_changes *ret_changes, char **ret_why);

/**
 * struct kserv_podnet_held - one of our routes, as the kernel has it
 * @device: name
 */
struct kserv_podnet_held {
	struct kserv_prefix prefix;
	struct kserv_addr gateway;
	int ifindex;
	uint32_t metric;
	char device[IFNAMSIZ];
};

/* Our routes, sorted; the caller frees the array. Return: 0, or -errno with a sentence. */
int kserv_podnet_routes(struct nl_sock *socket, struct kserv_podnet_held **ret, size_t *ret_n, char **ret_why);

#endif
