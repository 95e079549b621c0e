/* SPDX-License-Identifier: GPL-2.0 */
/* Where in a message an attribute is, in words: "service-set[3].endpoint[2].port of default/web:http". */
#ifndef KSERV_PLACE_H
#define KSERV_PLACE_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

/* The attribute at *@len bytes from *@attribute on is whole. */
static inline int kserv_attribute_ok(const struct nlattr *attribute, size_t len)
{
	return len >= NLA_HDRLEN && attribute->nla_len >= NLA_HDRLEN && attribute->nla_len <= len;
}

static inline const struct nlattr *kserv_attribute_next(const struct nlattr *attribute, size_t *len)
{
	size_t step = NLA_ALIGN(attribute->nla_len);

	*len -= step < *len ? step : *len;
	return (const void *)((const char *)attribute + step);
}

/* Over the whole attributes in @bytes bytes from @first on; stops at the first that is not whole. */
#define kserv_for_each_attribute(attribute, first, bytes)					\
	for (size_t rest_ = (attribute = (first), (bytes)); kserv_attribute_ok(attribute, rest_);	\
	     attribute = kserv_attribute_next(attribute, &rest_))

/**
 * kserv_place_find() - the place of the attribute at @offset
 * @data: a whole message of the family kserv, as sent
 * @offset: from the beginning of the message, as the kernel tells it
 * @place: "" if there is no attribute
 */
void kserv_place_find(const unsigned char *data, size_t len, size_t offset, char *place, size_t size);

/**
 * kserv_place_missing() - the place where an attribute is missing
 * @nest: offset of the nest it is missing from; 0 for the top level
 * @type: of the missing attribute
 */
void kserv_place_missing(const unsigned char *data, size_t len, size_t nest, unsigned int type, char *place,
			 size_t size);

#endif
