// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "cluster/check.h"
#include "cluster/format.h"
#include "lib/addr.h"

/* All keys and values of a kind together, as the API server limits them. */
#define ANNOTATIONS_MAX		(256 * 1024)

static void check_weight(const struct kserv_value *annotation, struct kserv_errors *errors)
{
	uint32_t weight;

	if (kserv_value_is(annotation, KSERV_VALUE_STRING) && kserv_number_parse(annotation->text, UINT16_MAX, &weight))
		kserv_error_at(errors, annotation, "must be a number from 0 to 65535 (100 is ordinary), got \"%s\"",
			       annotation->text);
}

static void check_annotations(const struct kserv_value *annotations, struct kserv_errors *errors)
{
	const struct kserv_value *annotation;
	size_t size = 0;
	const char *why;

	if (!kserv_value_is(annotations, KSERV_VALUE_MAP))
		return;
	for (annotation = annotations->first; annotation; annotation = annotation->next) {
		why = kserv_refuse_qualified_name(annotation->key);
		if (why)
			kserv_error_at(errors, annotation, "the key \"%s\" %s", annotation->key, why);
		size += strlen(annotation->key);
		if (annotation->type == KSERV_VALUE_STRING)
			size += strlen(annotation->text);
	}
	check_weight(kserv_value_find(annotations, KSERV_ANNOTATION_WEIGHT), errors);
	if (size > ANNOTATIONS_MAX)
		kserv_error_at(errors, annotations, "must be at most %d bytes in all, got %zu", ANNOTATIONS_MAX, size);
}

void kserv_check_meta(const struct kserv_value *object, bool namespaced, const char *(*refuse_name)(const char *),
		      struct kserv_errors *errors)
{
	const struct kserv_value *meta = kserv_value_find(object, "metadata"), *name, *namespace;

	name = kserv_value_find(meta, "name");
	if (!name || (name->type == KSERV_VALUE_STRING && !*name->text)) {
		if (kserv_value_find(meta, "generateName"))
			kserv_error_missing(errors, meta, "name", "required: apply cannot work with generateName");
		else
			kserv_error_missing(errors, meta ? meta : object, meta ? "name" : "metadata.name", "required");
	}
	kserv_check_shape(name, refuse_name, errors);
	namespace = kserv_value_find(meta, "namespace");
	if (namespaced)
		kserv_check_shape(namespace, kserv_refuse_label, errors);
	else if (kserv_value_is(namespace, KSERV_VALUE_STRING) && *namespace->text)
		kserv_error_at(errors, namespace, "not allowed: a %s is in no namespace",
			       kserv_value_string(object, "kind"));
	kserv_check_labels(kserv_value_find(meta, "labels"), errors);
	check_annotations(kserv_value_find(meta, "annotations"), errors);
}

void kserv_check_namespace(const struct kserv_value *object, struct kserv_errors *errors)
{
	kserv_check_meta(object, false, kserv_refuse_label, errors);
}

void kserv_check_service_cidr(const struct kserv_value *object, struct kserv_errors *errors)
{
	const struct kserv_value *list = kserv_value_get(object, "spec.cidrs"), *cidr;
	struct kserv_prefix prefixes[2];
	size_t n = 0;

	kserv_check_meta(object, false, kserv_refuse_subdomain, errors);
	if (!kserv_value_first(list))
		kserv_error_missing(errors, kserv_value_find(object, "spec"), "cidrs", "required");
	for (cidr = kserv_value_first(list); cidr; cidr = cidr->next) {
		kserv_check_cidr(cidr, errors);
		if (n < 2 && kserv_value_is(cidr, KSERV_VALUE_STRING))
			n += !kserv_prefix_parse(cidr->text, &prefixes[n]);
	}
	if (kserv_value_is(list, KSERV_VALUE_LIST) &&
	    (list->n > 2 || (n == 2 && prefixes[0].addr.family == prefixes[1].addr.family)))
		kserv_error_at(errors, list, "must hold at most one CIDR of each family");
}

static void check_node_addresses(const struct kserv_value *addresses, struct kserv_errors *errors)
{
	const struct kserv_value *entry;
	struct kserv_addr addr;
	const char *type;

	for (entry = kserv_value_first(addresses); entry; entry = entry->next) {
		type = kserv_value_string(entry, "type");
		if (!strcmp(type, "InternalIP") || !strcmp(type, "ExternalIP"))
			kserv_check_address(kserv_value_find(entry, "address"), &addr, errors);
	}
}

void kserv_check_node(const struct kserv_value *object, struct kserv_errors *errors)
{
	const struct kserv_value *one = kserv_value_get(object, "spec.podCIDR"), *cidr;
	const struct kserv_value *many = kserv_value_get(object, "spec.podCIDRs"), *first = kserv_value_first(many);

	kserv_check_meta(object, false, kserv_refuse_subdomain, errors);
	for (cidr = first; cidr; cidr = cidr->next)
		kserv_check_cidr(cidr, errors);
	if (kserv_value_is(first, KSERV_VALUE_STRING) && kserv_value_is(one, KSERV_VALUE_STRING) &&
	    strcmp(first->text, one->text))
		kserv_error_at(errors, one, "must be the first of podCIDRs, %s, got \"%s\"", first->text, one->text);
	if (kserv_value_is(many, KSERV_VALUE_LIST) && many->n > 2)
		kserv_error_at(errors, many, "must be at most one CIDR of each family");
	check_node_addresses(kserv_value_get(object, "status.addresses"), errors);
}
