/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cluster DNS: its zone follows the objects, and the cluster DNS address leads to this node. Nothing of it unless it is
 * configured.
 */
#ifndef KSERVD_NAMES_H
#define KSERVD_NAMES_H

#include "cluster/errors.h"
#include "dns/dns.h"
#include "kube/kube.h"

struct daemon;
struct names;

/**
 * struct names_config - section dns of the configuration
 * @config, @zone: as userspace/dns takes them; their strings belong to the configuration's tree
 * @cluster_ips: at most one of each family
 */
struct names_config {
	bool enabled;
	struct kserv_zone_config zone;
	struct kserv_dns_config server;
	struct kserv_addr cluster_ips[2];
	size_t n_cluster_ips;
	uint16_t port;
};

/* Adds an error for each value that is wrong. @ret is to be cleared also then. */
void names_config_read(const struct kserv_value *root, const struct kserv_prefixes *service_cidrs,
		       struct names_config *ret, struct kserv_errors *errors);
void names_config_clear(struct names_config *config);

/* Begins to listen. Return: 0, also where DNS is off, or -errno with errors added. */
int names_start(struct daemon *daemon, struct kserv_errors *errors);
void names_stop(struct daemon *daemon);

/* The embedded store: all objects are those of @cluster. Slices that this node's replace are taken out of it. */
void names_load(struct daemon *daemon, struct kserv_cluster *cluster);

/* The API: an object changed. Return: true if it is a slice that this node's replaces, so not one for the model. */
bool names_changed(struct daemon *daemon, enum kserv_kube_kind kind, union kserv_kube_object old,
		   union kserv_kube_object new);
/* The same change is in the model; what it means for our own objects is done. */
void names_follow(struct daemon *daemon, enum kserv_kube_kind kind, const struct kserv_meta *meta);
void names_synced(struct daemon *daemon);

/* After a change of the whole model or of its settings: our own objects are in it. */
void names_settle(struct daemon *daemon);

/* False where DNS is off. */
bool names_stats(const struct daemon *daemon, struct kserv_dns_stats *ret);
/* Bits of KSERV_KUBE_KIND() that have to be watched for DNS. */
unsigned int names_kinds(const struct daemon *daemon);

#endif
