/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a tree to an object of the model. Lenient: unknown fields are passed over and a field of a wrong type counts as
 * absent, since what comes from the API server or the store was checked there. Manifests are checked first
 * (manifest.h).
 */
#ifndef KSERV_READ_H
#define KSERV_READ_H

#include "cluster/cluster.h"
#include "cluster/tree.h"

/* Never NULL. Freed by the function of the same name in cluster.h. */
struct kserv_k8s_service *kserv_read_service(const struct kserv_value *object);
struct kserv_slice *kserv_read_slice(const struct kserv_value *object);
struct kserv_node *kserv_read_node(const struct kserv_value *object);
struct kserv_pod *kserv_read_pod(const struct kserv_value *object);
struct kserv_namespace *kserv_read_namespace(const struct kserv_value *object);

/* The CIDRs of a ServiceCIDR object, appended to @ret. */
void kserv_read_service_cidr(const struct kserv_value *object, struct kserv_prefixes *ret);

/* Parts that several objects have. */
void kserv_read_meta(const struct kserv_value *object, struct kserv_meta *ret);
void kserv_read_labels(const struct kserv_value *map, struct kserv_labels *ret);
void kserv_read_strings(const struct kserv_value *list, struct kserv_strings *ret);
char *kserv_read_string(const struct kserv_value *map, const char *path);
/* IPPROTO_*; absent is TCP, unknown is 0. */
uint8_t kserv_read_protocol(const struct kserv_value *map);
/* A port number; 0 if it is absent or none. */
uint16_t kserv_read_port(const struct kserv_value *map, const char *key);

/* The annotation kserv.io/weight; 100 without it. */
uint16_t kserv_read_weight(const struct kserv_meta *meta);

/* For those who make objects otherwise. */
void kserv_strings_add(struct kserv_strings *strings, const char *s);
void kserv_labels_add(struct kserv_labels *labels, const char *key, const char *value);

#endif
