/* SPDX-License-Identifier: GPL-2.0 */
/* The cluster that tests of DNS ask about, from manifests. */
#ifndef DNS_CLUSTER_H
#define DNS_CLUSTER_H

#include "cluster/cluster.h"
#include "dns/zone.h"

/* Adds the objects of a file, or of the files of a folder. Prints what is wrong and exits if something is. */
void dns_cluster_read(const char *path, struct kserv_cluster *cluster);
/* Sets each object of a file in the zone, as a watch would. */
void dns_cluster_set(const char *path, struct kserv_zone *zone);

#endif
