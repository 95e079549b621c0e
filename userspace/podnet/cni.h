/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file that makes container runtimes call the reference CNI plugins for a pod. kubelet reports a node as Ready once
 * it is there, so it is written last.
 */
#ifndef KSERV_PODNET_CNI_H
#define KSERV_PODNET_CNI_H

#include "podnet/podnet.h"

#define KSERV_CNI_PATH		"/etc/cni/net.d/10-kserv.conflist"
/* Lost with a reboot, as the pods are. */
#define KSERV_CNI_STATE		"/run/kserv/cni"
#define KSERV_CNI_BRIDGE	"cbr0"

/**
 * struct kserv_cni_config - what the file says
 * @path: "" for no file
 * @bridge: pods at a bridge of this name; "": each routed by itself (ptp), so that every packet passes the hooks
 * @state: folder in which host-local keeps who has which address
 */
struct kserv_cni_config {
	char *path, *bridge, *state;
};

void kserv_cni_config_clear(struct kserv_cni_config *config);

/* The conflist for pods in @cidrs, which the caller frees. @mtu: 0 for the plugin's own choice. */
char *kserv_cni_text(const struct kserv_cni_config *config, const struct kserv_prefixes *cidrs, uint32_t mtu);

/**
 * kserv_cni_write() - write @text whole or not at all
 * @ret_changed: false if the file said so already
 *
 * Return: 0, or -errno with a sentence.
 */
int kserv_cni_write(const char *path, const char *text, bool *ret_changed, char **ret_why);

/* Return: 0; with a sentence -ENOENT if there is no file, -ESTALE if it says something else, or another -errno. */
int kserv_cni_check(const char *path, const char *text, char **ret_why);

/* Return: 0, also if there was none, or -errno with a sentence. */
int kserv_cni_remove(const char *path, bool *ret_changed, char **ret_why);

#endif
