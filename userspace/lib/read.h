/* SPDX-License-Identifier: GPL-2.0 */
/* From received attributes to the structs of tables.h. What is longer or shorter than it should be is left out. */
#ifndef KSERV_READ_H
#define KSERV_READ_H

#include <linux/netlink.h>
#include "lib/tables.h"

static inline const void *kserv_attribute_data(const struct nlattr *attribute)
{
	return attribute + 1;
}

static inline size_t kserv_attribute_len(const struct nlattr *attribute)
{
	return attribute->nla_len - NLA_HDRLEN;
}

static inline uint8_t kserv_attribute_u8(const struct nlattr *attribute)
{
	return kserv_attribute_len(attribute) >= 1 ? *(const uint8_t *)(attribute + 1) : 0;
}

static inline uint16_t kserv_attribute_u16(const struct nlattr *attribute)
{
	return kserv_attribute_len(attribute) >= 2 ? *(const uint16_t *)(attribute + 1) : 0;
}

static inline uint32_t kserv_attribute_u32(const struct nlattr *attribute)
{
	return kserv_attribute_len(attribute) >= 4 ? *(const uint32_t *)(attribute + 1) : 0;
}

/* Aligned to 4 only. */
static inline uint64_t kserv_attribute_u64(const struct nlattr *attribute)
{
	uint64_t value = 0;

	if (kserv_attribute_len(attribute) >= sizeof(value))
		__builtin_memcpy(&value, attribute + 1, sizeof(value));
	return value;
}

/* A number of any length. */
static inline uint64_t kserv_attribute_number(const struct nlattr *attribute)
{
	switch (kserv_attribute_len(attribute)) {
	case 1:
		return kserv_attribute_u8(attribute);
	case 2:
		return kserv_attribute_u16(attribute);
	case 4:
		return kserv_attribute_u32(attribute);
	default:
		return kserv_attribute_u64(attribute);
	}
}

/* An address of 4 or 16 bytes; of no family if it has another length. */
void kserv_attribute_addr(const struct nlattr *attribute, struct kserv_addr *ret_addr);
void kserv_attribute_prefix(const struct nlattr *nest, struct kserv_prefix *ret_prefix);
void kserv_attribute_endpoint(const struct nlattr *nest, struct kserv_endpoint *ret_endpoint);
/* Return: 0 or -ENOMEM. Allocates the sources. */
int kserv_attribute_frontend(const struct nlattr *nest, struct kserv_frontend *ret_frontend);

/**
 * kserv_attribute_service() - read a service, or more of one
 * @service: zero, or what the messages before gave
 * @ret_more: the next message goes on with it
 *
 * Return: 0 or -ENOMEM; clear it with kserv_service_clear() either way.
 */
int kserv_attribute_service(const struct nlattr *nest, struct kserv_service *service, bool *ret_more);
void kserv_attribute_route(const struct nlattr *nest, struct kserv_route *ret_route);
/* Return: 0 or -ENOMEM. */
int kserv_attribute_config(const struct nlattr *nest, struct kserv_config *ret_config);

#endif
