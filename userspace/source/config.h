/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The configuration file of the embedded cluster, /etc/kserv/kserv.yaml: the fields of kube-proxy's configuration under
 * their names there, and ours. docs/config.md lists them with their defaults.
 */
#ifndef KSERV_CONFIG_H
#define KSERV_CONFIG_H

#include "cluster/cluster.h"
#include "cluster/errors.h"
#include "source/allocate.h"

#define KSERV_CONFIG_PATH	"/etc/kserv/kserv.yaml"

/**
 * struct kserv_embedded_config - what the file says, defaults filled in
 * @tree: the file's values, checked; kserv_embedded_config_settings() reads them
 * @limits: for allocators; points into @service_cidrs and @pools
 */
struct kserv_embedded_config {
	struct kserv_tree tree;
	struct kserv_prefixes service_cidrs;
	struct kserv_pool *pools;
	size_t n_pools;
	struct kserv_allocator_limits limits;
};

/**
 * kserv_embedded_config_parse() - read the text of a configuration file
 * @source: its name, for errors
 * @text: "" for a configuration of defaults
 *
 * Return: 0, or -EINVAL with errors added.
 */
int kserv_embedded_config_parse(struct kserv_embedded_config *config, const char *source, const char *text, size_t len,
		       struct kserv_errors *errors);

/**
 * kserv_embedded_config_read() - the same from a file
 * @path: NULL for the usual one, which need not exist
 * @sets: "FIELD=VALUE" each, a path of fields and a value in YAML, which go before what the file says; ended by NULL;
 *	may be NULL
 */
int kserv_embedded_config_read(struct kserv_embedded_config *config, const char *path, const char *const *sets,
			       struct kserv_errors *errors);

/* What plan goes by; cleared by kserv_settings_clear(). */
void kserv_embedded_config_settings(const struct kserv_embedded_config *config, struct kserv_settings *ret);
void kserv_embedded_config_clear(struct kserv_embedded_config *config);

#endif
