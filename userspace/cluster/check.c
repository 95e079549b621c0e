// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "cluster/check.h"
#include "cluster/format.h"
#include "cluster/memory.h"
#include "lib/addr.h"

const char *kserv_check_text(const struct kserv_value *map, const char *key)
{
	const struct kserv_value *value = kserv_value_find(map, key);

	return kserv_value_is(value, KSERV_VALUE_STRING) ? value->text : NULL;
}

void kserv_check_port(const struct kserv_value *value, struct kserv_errors *errors)
{
	if (kserv_value_is(value, KSERV_VALUE_INT) && (value->integer < 1 || value->integer > 65535))
		kserv_error_at(errors, value, "must be between 1 and 65535, got %s", value->text);
}

static bool is_word(const char *word, const char *words)
{
	size_t len = strlen(word);
	const char *at;

	for (at = words; len && (at = strstr(at, word)); at += len)
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

void kserv_check_one_of(const struct kserv_value *value, const char *words, struct kserv_errors *errors)
{
	struct kserv_text list = { 0 };
	const char *s;

	if (!kserv_value_is(value, KSERV_VALUE_STRING) || is_word(value->text, words))
		return;
	for (s = words; *s; s++)
		kserv_text_add_bytes(&list, *s == ' ' ? ", " : s, *s == ' ' ? 2 : 1);
	kserv_error_at(errors, value, "must be one of %s, got \"%s\"", list.s, value->text);
	kserv_text_clear(&list);
}

void kserv_check_protocol(const struct kserv_value *map, struct kserv_errors *errors)
{
	kserv_check_one_of(kserv_value_find(map, "protocol"), "TCP UDP SCTP", errors);
}

void kserv_check_shape(const struct kserv_value *value, const char *(*refuse)(const char *),
		       struct kserv_errors *errors)
{
	const char *why;

	if (!kserv_value_is(value, KSERV_VALUE_STRING) || !*value->text)
		return;
	why = refuse(value->text);
	if (why)
		kserv_error_at(errors, value, "\"%s\" %s", value->text, why);
}

bool kserv_check_address(const struct kserv_value *value, struct kserv_addr *ret_addr, struct kserv_errors *errors)
{
	if (!kserv_value_is(value, KSERV_VALUE_STRING))
		return false;
	if (!kserv_addr_parse(value->text, ret_addr))
		return true;
	kserv_error_at(errors, value, "\"%s\" is not an IPv4 or IPv6 address", value->text);
	return false;
}

/* Why packets cannot be sent to @addr from another machine, or NULL. */
static const char *why_special(const struct kserv_addr *addr)
{
	const uint8_t *b = addr->v6.s6_addr;

	if (addr->family == AF_INET) {
		return !memcmp(b, "\0\0\0\0", 4) ? "unspecified" : b[0] == 127 ? "a loopback address" :
			b[0] == 169 && b[1] == 254 ? "link-local" :
			b[0] == 224 && !b[1] && !b[2] ? "link-local multicast" : NULL;
	}
	return IN6_IS_ADDR_UNSPECIFIED(&addr->v6) ? "unspecified" :
		IN6_IS_ADDR_LOOPBACK(&addr->v6) ? "a loopback address" :
		IN6_IS_ADDR_LINKLOCAL(&addr->v6) ? "link-local" :
		IN6_IS_ADDR_MC_LINKLOCAL(&addr->v6) ? "link-local multicast" : NULL;
}

bool kserv_check_endpoint_address(const struct kserv_value *value, struct kserv_addr *ret_addr,
				  struct kserv_errors *errors)
{
	const char *why;

	if (!kserv_check_address(value, ret_addr, errors))
		return false;
	why = why_special(ret_addr);
	if (why)
		kserv_error_at(errors, value, "must not be %s, got \"%s\"", why, value->text);
	return !why;
}

void kserv_check_cidr(const struct kserv_value *value, struct kserv_errors *errors)
{
	struct kserv_prefix prefix;
	char *text;

	if (!kserv_value_is(value, KSERV_VALUE_STRING))
		return;
	/* Blanks around it are allowed, as in loadBalancerSourceRanges (rule 1.18). */
	text = kserv_must_strdup(value->text + strspn(value->text, " "));
	text[strcspn(text, " ")] = '\0';
	if (!strchr(text, '/') || kserv_prefix_parse(text, &prefix))
		kserv_error_at(errors, value, "\"%s\" is not a CIDR such as 10.0.0.0/8 or fd00::/64", value->text);
	free(text);
}

void kserv_check_labels(const struct kserv_value *labels, struct kserv_errors *errors)
{
	const struct kserv_value *label;
	const char *why;

	if (!kserv_value_is(labels, KSERV_VALUE_MAP))
		return;
	for (label = labels->first; label; label = label->next) {
		why = kserv_refuse_qualified_name(label->key);
		if (why)
			kserv_error_at(errors, label, "the key \"%s\" %s", label->key, why);
		kserv_check_shape(label, kserv_refuse_label_value, errors);
	}
}
