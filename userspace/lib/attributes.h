/* SPDX-License-Identifier: GPL-2.0 */
/* Names and types of the protocol's attributes and words of its enums, made from include/kserv.yaml. */
#ifndef KSERV_ATTRIBUTES_H
#define KSERV_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/kserv.h>

/**
 * struct kserv_words - the words of an enum, by value; of flags, by bit number
 */
struct kserv_words {
	const char *const *v;
	unsigned int n;
};

enum kserv_attribute_kind {
	KSERV_KIND_U8, KSERV_KIND_U16, KSERV_KIND_U32, KSERV_KIND_U64,
	KSERV_KIND_PORT,		/* u16 in network order */
	KSERV_KIND_ADDR4, KSERV_KIND_ADDR6,
	KSERV_KIND_STRING, KSERV_KIND_FLAG,
	KSERV_KIND_ENUM, KSERV_KIND_FLAGS,	/* u8 or u32, see words */
	KSERV_KIND_FAMILY, KSERV_KIND_PROTOCOL,	/* u8 */
	KSERV_KIND_PREFIX,		/* nest of the set "prefix" */
	KSERV_KIND_NEST, KSERV_KIND_PAD,
};

/**
 * struct kserv_attribute - one attribute
 * @name: in the spec
 * @key: in JSON; the same but for addresses, which have one key for both families
 * @kind: enum kserv_attribute_kind
 * @multi: may be there several times; an array in JSON
 * @words: for KSERV_KIND_ENUM and KSERV_KIND_FLAGS
 * @nested: for nests
 */
struct kserv_attribute {
	const char *name, *key;
	enum kserv_attribute_kind kind;
	bool multi;
	const struct kserv_words *words;
	const struct kserv_attribute_set *nested;
};

/* @v is indexed by attribute type, 1 to @max; a hole has no name. */
struct kserv_attribute_set {
	const char *name;
	const struct kserv_attribute *v;
	unsigned int max;
};

extern const struct kserv_attribute_set kserv_attributes_message, kserv_attributes_service, kserv_attributes_endpoint,
	kserv_attributes_frontend, kserv_attributes_prefix, kserv_attributes_route, kserv_attributes_config,
	kserv_attributes_flow, kserv_attributes_session, kserv_attributes_counter, kserv_attributes_choice,
	kserv_attributes_explain, kserv_attributes_event;

extern const struct kserv_words kserv_words_frontend_type, kserv_words_scheduler, kserv_words_removal,
	kserv_words_endpoint_state, kserv_words_endpoint_flags, kserv_words_frontend_flags, kserv_words_service_flags,
	kserv_words_set_mode, kserv_words_detect_local, kserv_words_conntrack, kserv_words_route_type,
	kserv_words_flow_state, kserv_words_flow_flags, kserv_words_verdict, kserv_words_source_type,
	kserv_words_reason, kserv_words_event_type;

/* The word for @value, or "unknown". */
static inline const char *kserv_word(const struct kserv_words *words, unsigned int value)
{
	return value < words->n ? words->v[value] : "unknown";
}

/* The value of @word; -1 if there is none. */
int kserv_word_find(const struct kserv_words *words, const char *word);
/* The words of all @flags with + between them, or "none". */
void kserv_words_write(FILE *file, const struct kserv_words *words, uint64_t flags);

#endif
