// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "lib/attributes.h"
#include "lib/message.h"
#include "lib/place.h"

/* What is known at the end of the walk. */
struct walk {
	const unsigned char *data;
	size_t offset;
	char *place;
	size_t size, used;
	const struct kserv_attribute_set *set;
	char name[KSERV_NAME_LEN + 1];
};

static const struct kserv_attribute *attribute_find(const struct kserv_attribute_set *set, unsigned int type)
{
	return set && type <= set->max && set->v[type].name ? &set->v[type] : NULL;
}

__attribute__((format(printf, 2, 3))) static void add(struct walk *walk, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(walk->place + walk->used, walk->size - walk->used, format, args);
	va_end(args);
	if (len > 0)
		walk->used += (size_t)len < walk->size - walk->used ? (size_t)len : walk->size - walk->used - 1;
}

/* The service a nest is about, for people who cannot count to service-set[3412]. */
static void remember_name(struct walk *walk, const struct nlattr *nest)
{
	const struct nlattr *attribute;

	kserv_for_each_attribute(attribute, nest + 1, nest->nla_len - NLA_HDRLEN)
		if ((attribute->nla_type & NLA_TYPE_MASK) == KSERV_A_SERVICE_NAME)
			snprintf(walk->name, sizeof(walk->name), "%.*s", attribute->nla_len - NLA_HDRLEN,
				 (const char *)(attribute + 1));
}

/* Goes down one level to the attribute that holds the offset; NULL where there is none. */
static const struct nlattr *descend(struct walk *walk, const struct nlattr *first, size_t len)
{
	unsigned int counts[32] = { 0 };
	const struct nlattr *attribute;

	kserv_for_each_attribute(attribute, first, len) {
		unsigned int type = attribute->nla_type & NLA_TYPE_MASK;
		size_t at = (const unsigned char *)attribute - walk->data;
		const struct kserv_attribute *known = attribute_find(walk->set, type);

		if (walk->offset >= at + NLA_ALIGN(attribute->nla_len)) {
			counts[type % 32]++;
			continue;
		}
		add(walk, "%s", walk->used ? "." : "");
		if (known)
			add(walk, "%s", known->name);
		else
			add(walk, "attribute %u", type);
		if (known && known->multi)
			add(walk, "[%u]", counts[type % 32]);
		if (walk->set == &kserv_attributes_message && known && known->nested == &kserv_attributes_service)
			remember_name(walk, attribute);
		walk->set = known ? known->nested : NULL;
		return attribute;
	}
	return NULL;
}

static void find(struct walk *walk, size_t len)
{
	const struct nlattr *attribute = (const void *)(walk->data + KSERV_MESSAGE_HEADER);

	walk->place[0] = '\0';
	walk->set = &kserv_attributes_message;
	if (len < KSERV_MESSAGE_HEADER || walk->offset < KSERV_MESSAGE_HEADER || walk->offset >= len)
		return;
	attribute = descend(walk, attribute, len - KSERV_MESSAGE_HEADER);
	while (attribute && walk->set && walk->offset > (size_t)((const unsigned char *)attribute - walk->data))
		attribute = descend(walk, attribute + 1, attribute->nla_len - NLA_HDRLEN);
}

void kserv_place_find(const unsigned char *data, size_t len, size_t offset, char *place, size_t size)
{
	struct walk walk = { .data = data, .offset = offset, .place = place, .size = size };

	find(&walk, len);
	if (walk.name[0] && walk.used)
		add(&walk, " of %s", walk.name);
}

void kserv_place_missing(const unsigned char *data, size_t len, size_t nest, unsigned int type, char *place,
			 size_t size)
{
	struct walk walk = { .data = data, .offset = nest, .place = place, .size = size };
	const struct kserv_attribute *missing;

	find(&walk, len);
	missing = attribute_find(walk.set, type);
	add(&walk, "%s%s", walk.used ? "." : "", missing ? missing->name : "an attribute");
	if (walk.name[0])
		add(&walk, " of %s", walk.name);
}
