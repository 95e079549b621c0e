// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/arguments.h"
#include "kservctl/kservctl.h"
#include "lib/addr.h"

bool parse_service(int *argc, const char ***argv, struct service_ref *ret_ref)
{
	const char *text = (*argv)[0], *slash, *first;
	size_t len;

	memset(ret_ref, 0, sizeof(*ret_ref));
	if (!text) {
		usage_error("which service? NAME/PROTOCOL is missing");
		return false;
	}
	len = strlen(text);
	slash = strrchr(text, '/');
	first = strchr(text, '/');
	/* "default/tcp" is a service called tcp; its protocol comes behind a second slash. */
	if (slash && slash != first)
		ret_ref->protocol = kserv_protocol_parse(slash + 1);
	if (ret_ref->protocol) {
		len = slash - text;
	} else if ((*argv)[1]) {
		ret_ref->protocol = kserv_protocol_parse((*argv)[1]);
		(*argv)++;
		(*argc)--;
	}
	if (!ret_ref->protocol) {
		usage_error("%s: its protocol is missing; it is written NAME/tcp, NAME/udp or NAME/sctp", text);
		return false;
	}
	if (!len || len > KSERV_NAME_LEN) {
		usage_error("a service name has 1 to %d characters, '%s' has %zu", KSERV_NAME_LEN, text, len);
		return false;
	}
	memcpy(ret_ref->name, text, len);
	(*argv)++;
	(*argc)--;
	return true;
}

bool parse_family(const char *text, uint8_t *ret_family)
{
	*ret_family = AF_UNSPEC;
	if (!text)
		return true;
	if (!strcasecmp(text, "ipv4") || !strcmp(text, "4"))
		*ret_family = AF_INET;
	else if (!strcasecmp(text, "ipv6") || !strcmp(text, "6"))
		*ret_family = AF_INET6;
	else
		usage_error("--family %s: it is ipv4 or ipv6", text);
	return *ret_family != AF_UNSPEC;
}

bool parse_number(const char *what, const char *text, uint32_t min, uint32_t max, uint32_t *ret_number)
{
	if (!kserv_number_parse(text, max, ret_number) && *ret_number >= min)
		return true;
	usage_error("%s %s: it is a number from %u to %u", what, text, min, max);
	return false;
}

bool parse_seconds(const char *what, const char *text, uint32_t *ret_seconds)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t len = strlen(text), i;
	uint32_t factor = 1;
	char digits[12];

	for (i = 0; len && i < sizeof(units) / sizeof(units[0]); i++) {
		if (text[len - 1] != units[i].unit)
			continue;
		factor = units[i].seconds;
		len--;
		break;
	}
	snprintf(digits, sizeof(digits), "%.*s", (int)len, text);
	if (len < sizeof(digits) && !kserv_number_parse(digits, UINT32_MAX / factor, ret_seconds)) {
		*ret_seconds *= factor;
		return true;
	}
	usage_error("%s %s: it is a time in seconds, or a number with s, m, h or d behind it", what, text);
	return false;
}

/* Copies @len characters, as many as fit; a line of restore has hundreds of these, which snprintf() would slow down. */
static void copy(char *to, size_t size, const char *from, size_t len)
{
	len = len < size ? len : size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

/* Writes "a, b or c" to @buffer. */
static const char *list_words(const struct kserv_words *words, char *buffer, size_t size)
{
	size_t used = 0;
	unsigned int i;

	buffer[0] = '\0';
	for (i = 0; i < words->n && used < size; i++)
		used += snprintf(buffer + used, size - used, "%s%s",
				 i == 0 ? "" : i + 1 == words->n ? " or " : ", ", words->v[i]);
	return buffer;
}

bool parse_word(const char *what, const struct kserv_words *words, const char *text, uint8_t *ret_value)
{
	int value = kserv_word_find(words, text);
	char list[256];

	if (value < 0) {
		usage_error("%s %s: it is %s", what, text, list_words(words, list, sizeof(list)));
		return false;
	}
	*ret_value = value;
	return true;
}

bool parse_flags(const char *what, const struct kserv_words *words, const char *text, uint32_t *ret_flags)
{
	char word[64], list[256];
	int bit;

	*ret_flags = 0;
	if (!*text || !strcmp(text, "none"))
		return true;
	for (;;) {
		size_t len = strcspn(text, "+");

		copy(word, sizeof(word), text, len);
		bit = kserv_word_find(words, word);
		if (bit < 0) {
			usage_error("%s: there is no flag '%s'; there are %s (several with + between them)", what, word,
				    list_words(words, list, sizeof(list)));
			return false;
		}
		*ret_flags |= 1U << bit;
		if (!text[len])
			return true;
		text += len + 1;
	}
}

bool parse_prefix(const char *what, const char *text, struct kserv_prefix *ret_prefix)
{
	if (!kserv_prefix_parse(text, ret_prefix))
		return true;
	usage_error("%s %s: it is no CIDR, as 10.244.0.0/16 or fd00::/64", what, text);
	return false;
}

/* A word behind "," in an endpoint or frontend argument, cut in two at "=". */
struct suffix {
	char key[24];
	char value[512];
};

/* Reads the next one at *@text, which begins with ",". */
static bool next_suffix(const char *whole, const char **text, struct suffix *ret_suffix)
{
	const char *start = *text + 1;
	size_t len = strcspn(start, ","), key = strcspn(start, "=");

	if (key >= len || key >= sizeof(ret_suffix->key) || len - key - 1 >= sizeof(ret_suffix->value)) {
		usage_error("%s: '%.*s' is not KEY=VALUE", whole, (int)len, start);
		return false;
	}
	copy(ret_suffix->key, sizeof(ret_suffix->key), start, key);
	copy(ret_suffix->value, sizeof(ret_suffix->value), start + key + 1, len - key - 1);
	*text = start + len;
	return true;
}

/* Writes what stands before the first "," and returns the rest. */
static const char *before_suffixes(const char *text, char *buffer, size_t size)
{
	size_t len = strcspn(text, ",");

	copy(buffer, size, text, len);
	return text + len;
}

static bool set_endpoint(struct kserv_endpoint *endpoint, const struct suffix *suffix, unsigned int *members)
{
	uint32_t number = 0;
	bool ok;

	if (!strcmp(suffix->key, "weight")) {
		ok = parse_number("weight", suffix->value, 0, 65535, &number);
		endpoint->weight = number;
		*members |= KSERV_SET_WEIGHT;
	} else if (!strcmp(suffix->key, "state")) {
		ok = parse_word("state", &kserv_words_endpoint_state, suffix->value, &endpoint->state);
		*members |= KSERV_SET_STATE;
	} else if (!strcmp(suffix->key, "flags")) {
		ok = parse_flags("flags", &kserv_words_endpoint_flags, suffix->value, &number);
		endpoint->flags = number;
		*members |= KSERV_SET_ENDPOINT_FLAGS;
	} else if (!strcmp(suffix->key, "cluster-reason")) {
		ok = parse_word("cluster-reason", &kserv_words_reason, suffix->value, &endpoint->cluster_reason);
		*members |= KSERV_SET_REASONS;
	} else if (!strcmp(suffix->key, "local-reason")) {
		ok = parse_word("local-reason", &kserv_words_reason, suffix->value, &endpoint->local_reason);
		*members |= KSERV_SET_REASONS;
	} else {
		usage_error("an endpoint has no '%s'; it has weight, state, flags, cluster-reason and local-reason",
			    suffix->key);
		return false;
	}
	return ok;
}

bool parse_endpoint(const char *text, struct kserv_endpoint *ret_endpoint, unsigned int *members)
{
	struct kserv_endpoint endpoint = {
		.weight = 100,
		.flags = KSERV_ENDPOINT_FLAGS_CLUSTER_SET | KSERV_ENDPOINT_FLAGS_SERVING,
	};
	char address[KSERV_ADDR_TEXT];
	struct suffix suffix;
	const char *why, *rest;

	rest = before_suffixes(text, address, sizeof(address));
	if (kserv_addr_port_parse(address, &endpoint.addr, &endpoint.port, &why)) {
		usage_error("endpoint '%s': %s", address, why);
		return false;
	}
	while (*rest)
		if (!next_suffix(text, &rest, &suffix) || !set_endpoint(&endpoint, &suffix, members))
			return false;
	*ret_endpoint = endpoint;
	return true;
}

/* CIDRs with "+" between them. */
static bool parse_sources(const char *text, struct kserv_prefixes *prefixes)
{
	char cidr[KSERV_ADDR_TEXT];
	struct kserv_prefix *v;

	for (;;) {
		size_t len = strcspn(text, "+");

		v = realloc(prefixes->v, (prefixes->n + 1) * sizeof(*v));
		if (!v)
			no_memory();
		prefixes->v = v;
		copy(cidr, sizeof(cidr), text, len);
		if (!parse_prefix("source", cidr, &v[prefixes->n]))
			return false;
		prefixes->n++;
		if (!text[len])
			return true;
		text += len + 1;
	}
}

static bool set_frontend(struct kserv_frontend *frontend, const struct suffix *suffix)
{
	uint32_t flags;

	if (!strcmp(suffix->key, "source"))
		return parse_sources(suffix->value, &frontend->sources);
	if (!strcmp(suffix->key, "flags")) {
		if (!parse_flags("flags", &kserv_words_frontend_flags, suffix->value, &flags))
			return false;
		frontend->flags = flags;
		return true;
	}
	usage_error("a frontend has no '%s'; it has flags and source", suffix->key);
	return false;
}

bool parse_frontend(uint8_t type, const char *text, struct kserv_frontend *ret_frontend)
{
	struct kserv_frontend frontend = { .type = type };
	char address[KSERV_ADDR_TEXT];
	struct suffix suffix;
	const char *why, *rest;
	uint32_t port = 0;

	rest = before_suffixes(text, address, sizeof(address));
	if (type == KSERV_FRONTEND_TYPE_NODE_PORT) {
		if (!parse_number("node port", address, 1, 65535, &port))
			return false;
		frontend.port = port;
	} else if (kserv_addr_port_parse(address, &frontend.addr, &frontend.port, &why)) {
		usage_error("%s '%s': %s", kserv_word(&kserv_words_frontend_type, type), address, why);
		return false;
	}
	while (*rest) {
		if (!next_suffix(text, &rest, &suffix) || !set_frontend(&frontend, &suffix)) {
			free(frontend.sources.v);
			return false;
		}
	}
	*ret_frontend = frontend;
	return true;
}

void forget_argv(char ***argv)
{
	size_t i;

	for (i = 0; *argv && (*argv)[i]; i++)
		free((*argv)[i]);
	free(*argv);
	*argv = NULL;
}

void forget_string(char **text)
{
	free(*text);
	*text = NULL;
}
