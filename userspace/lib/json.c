// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include "lib/addr.h"
#include "lib/json.h"
#include "lib/place.h"
#include "lib/read.h"

cJSON *kserv_json_number(uint64_t number)
{
	char text[24];

	if (number <= 1ULL << 53)
		return cJSON_CreateNumber(number);
	snprintf(text, sizeof(text), "%" PRIu64, number);
	return cJSON_CreateRaw(text);
}

static cJSON *flags_value(const struct kserv_words *words, uint64_t flags)
{
	cJSON *array = cJSON_CreateArray();
	unsigned int i;

	for (i = 0; i < words->n; i++)
		if (flags & 1ULL << i)
			cJSON_AddItemToArray(array, cJSON_CreateStringReference(words->v[i]));
	return array;
}

static cJSON *text_value(const struct nlattr *attribute)
{
	char text[KSERV_NAME_LEN + 1];

	snprintf(text, sizeof(text), "%.*s", (int)kserv_attribute_len(attribute),
		 (const char *)kserv_attribute_data(attribute));
	return cJSON_CreateString(text);
}

static cJSON *address_value(const struct nlattr *attribute)
{
	char text[KSERV_ADDR_TEXT];
	struct kserv_addr addr;

	kserv_attribute_addr(attribute, &addr);
	return cJSON_CreateString(kserv_addr_format(&addr, text));
}

static cJSON *prefix_value(const struct nlattr *nest)
{
	struct kserv_prefix prefix;
	char text[KSERV_ADDR_TEXT];

	kserv_attribute_prefix(nest, &prefix);
	return cJSON_CreateString(kserv_prefix_format(&prefix, text));
}

static cJSON *value(const struct kserv_attribute *known, const struct nlattr *attribute)
{
	switch (known->kind) {
	case KSERV_KIND_PORT:
		return cJSON_CreateNumber(ntohs(kserv_attribute_u16(attribute)));
	case KSERV_KIND_ADDR4:
	case KSERV_KIND_ADDR6:
		return address_value(attribute);
	case KSERV_KIND_STRING:
		return text_value(attribute);
	case KSERV_KIND_FLAG:
		return cJSON_CreateTrue();
	case KSERV_KIND_ENUM:
		return cJSON_CreateStringReference(kserv_word(known->words, kserv_attribute_number(attribute)));
	case KSERV_KIND_FLAGS:
		return flags_value(known->words, kserv_attribute_number(attribute));
	case KSERV_KIND_FAMILY:
		return cJSON_CreateStringReference(kserv_attribute_u8(attribute) == AF_INET6 ? "ipv6" : "ipv4");
	case KSERV_KIND_PROTOCOL:
		return cJSON_CreateString(kserv_protocol_name(kserv_attribute_u8(attribute)));
	case KSERV_KIND_PREFIX:
		return prefix_value(attribute);
	case KSERV_KIND_NEST:
		return kserv_json_nest(known->nested, attribute);
	default:
		return kserv_json_number(kserv_attribute_number(attribute));
	}
}

static void add(cJSON *object, const struct kserv_attribute *known, const struct nlattr *attribute)
{
	cJSON *array;

	if (!known->multi) {
		cJSON_AddItemToObjectCS(object, known->key, value(known, attribute));
		return;
	}
	array = cJSON_GetObjectItemCaseSensitive(object, known->key);
	if (!array) {
		array = cJSON_CreateArray();
		cJSON_AddItemToObjectCS(object, known->key, array);
	}
	cJSON_AddItemToArray(array, value(known, attribute));
}

cJSON *kserv_json(const struct kserv_attribute_set *set, const struct nlattr *first, size_t len)
{
	cJSON *object = cJSON_CreateObject();
	const struct nlattr *attribute;

	if (!object)
		return NULL;
	kserv_for_each_attribute(attribute, first, len) {
		unsigned int type = attribute->nla_type & NLA_TYPE_MASK;

		if (type <= set->max && set->v[type].name && set->v[type].kind != KSERV_KIND_PAD)
			add(object, &set->v[type], attribute);
	}
	return object;
}

cJSON *kserv_json_nest(const struct kserv_attribute_set *set, const struct nlattr *nest)
{
	return kserv_json(set, kserv_attribute_data(nest), kserv_attribute_len(nest));
}
