/* SPDX-License-Identifier: GPL-2.0 */
/* Section podNetwork of the configuration; docs/podnet.md. */
#ifndef KSERV_PODNET_CONFIG_H
#define KSERV_PODNET_CONFIG_H

#include "cluster/errors.h"
#include "podnet/cni.h"
#include "podnet/podnet.h"

/**
 * kserv_podnet_config_read() - section podNetwork
 * @root: of the configuration
 * @ret: to be cleared with kserv_podnet_config_clear(), @ret_cni with kserv_cni_config_clear(), whatever is returned
 * @errors: one is added for each value that is wrong
 *
 * Return: false if there is no mode: the pod network is somebody else's.
 */
bool kserv_podnet_config_read(const struct kserv_value *root, struct kserv_podnet_config *ret,
			      struct kserv_cni_config *ret_cni, struct kserv_errors *errors);
void kserv_podnet_config_clear(struct kserv_podnet_config *config);

#endif
