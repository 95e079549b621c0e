/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which values Kubernetes refuses. Each function adds an error for all it finds in an object whose defaults are
 * filled in; what depends on other objects or on the former state of the object is checked where it is stored.
 */
#ifndef KSERV_CHECK_H
#define KSERV_CHECK_H

#include "cluster/errors.h"
#include "cluster/tree.h"
#include "lib/tables.h"

/* Annotation on a Pod: its share of new connections, 0 to 65535; 100 is ordinary. */
#define KSERV_ANNOTATION_WEIGHT		"kserv.io/weight"

void kserv_check_service(const struct kserv_value *object, struct kserv_errors *errors);
void kserv_check_slice(const struct kserv_value *object, struct kserv_errors *errors);
void kserv_check_endpoints(const struct kserv_value *object, struct kserv_errors *errors);
void kserv_check_node(const struct kserv_value *object, struct kserv_errors *errors);
void kserv_check_pod(const struct kserv_value *object, struct kserv_errors *errors);
void kserv_check_service_cidr(const struct kserv_value *object, struct kserv_errors *errors);
void kserv_check_namespace(const struct kserv_value *object, struct kserv_errors *errors);
void kserv_check_workload(const struct kserv_value *object, struct kserv_errors *errors);

/* metadata of any kind; @refuse_name is one of cluster/format.h. */
void kserv_check_meta(const struct kserv_value *object, bool namespaced, const char *(*refuse_name)(const char *),
		      struct kserv_errors *errors);

/*
 * Parts of the above that several kinds share. Absent values are right unless said; values of a wrong type are
 * skipped.
 */

/* The value as a string, or NULL if it is absent or none. */
const char *kserv_check_text(const struct kserv_value *map, const char *key);
/* A port number from 1 to 65535. */
void kserv_check_port(const struct kserv_value *value, struct kserv_errors *errors);
void kserv_check_protocol(const struct kserv_value *map, struct kserv_errors *errors);
/* @words: separated by blanks. */
void kserv_check_one_of(const struct kserv_value *value, const char *words, struct kserv_errors *errors);
/* A string of a shape of cluster/format.h; "" is right. */
void kserv_check_shape(const struct kserv_value *value, const char *(*refuse)(const char *),
		       struct kserv_errors *errors);
/* False, with an error added, if it is no address. */
bool kserv_check_address(const struct kserv_value *value, struct kserv_addr *ret_addr, struct kserv_errors *errors);
/* An address that packets can be sent to from elsewhere: not unspecified, loopback, link-local or multicast. */
bool kserv_check_endpoint_address(const struct kserv_value *value, struct kserv_addr *ret_addr,
				  struct kserv_errors *errors);
void kserv_check_cidr(const struct kserv_value *value, struct kserv_errors *errors);
/* Labels of Kubernetes' shape: keys and values. */
void kserv_check_labels(const struct kserv_value *labels, struct kserv_errors *errors);

#endif
