// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "cluster/json.h"
#include "cluster/memory.h"
#include "kube/refusal.h"

/* Of a message that is no Status: proxies answer with whole pages. */
#define PLAIN_MAX	200

static const char *phrase(unsigned int code)
{
	static const struct { unsigned int code; const char *phrase; } phrases[] = {
		{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 406, "Not Acceptable" }, { 409, "Conflict" }, { 410, "Gone" },
		{ 422, "Unprocessable Entity" }, { 429, "Too Many Requests" }, { 500, "Internal Server Error" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
	};
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(*phrases); i++)
		if (phrases[i].code == code)
			return phrases[i].phrase;
	return "refused";
}

static char *make_sentence(unsigned int code, const char *message, size_t len)
{
	while (len && strchr(" \r\n", message[len - 1]))
		len--;
	if (!len)
		return kserv_must_printf("the server answered %u %s", code, phrase(code));
	return kserv_must_printf("the server answered %u %s: %.*s", code, phrase(code), (int)len, message);
}

static bool is_ahead(const struct kserv_value *status)
{
	const struct kserv_value *cause = kserv_value_first(kserv_value_get(status, "details.causes"));

	for (; cause; cause = cause->next)
		if (!strcmp(kserv_value_string(cause, "reason"), "ResourceVersionTooLarge"))
			return true;
	return false;
}

void kserv_refusal_read(const struct kserv_value *status, unsigned int code, struct kserv_refusal *ret)
{
	const char *message = kserv_value_string(status, "message");
	int64_t said = kserv_value_int(status, "code", 500);
	int64_t after = kserv_value_int(status, "details.retryAfterSeconds", 0);

	*ret = (struct kserv_refusal){
		.code = code ? code : said >= 100 && said < 1000 ? said : 500,
		.retry_after = after > 0 && after < 86400 ? after : 0,
		.reason = kserv_must_strdup(kserv_value_string(status, "reason")),
		.ahead = is_ahead(status),
	};
	ret->sentence = make_sentence(ret->code, message, strlen(message));
}

void kserv_refusal_read_body(unsigned int code, const char *body, size_t len, struct kserv_refusal *ret)
{
	struct kserv_errors errors = { 0 };
	struct kserv_tree tree = { 0 };
	size_t line;

	/* Not all have a kind; all of them have a message. */
	if (len && *body == '{' && !kserv_json_read(&tree, body, len, 1, NULL, &errors) &&
	    *kserv_value_string(tree.root, "message")) {
		kserv_refusal_read(tree.root, code, ret);
	} else {
		line = strcspn(body, "\r\n");
		if (*body == '<')
			line = 0;
		*ret = (struct kserv_refusal){ .code = code, .reason = kserv_must_strdup("") };
		ret->sentence = make_sentence(code, body, line < PLAIN_MAX ? line : PLAIN_MAX);
	}
	kserv_errors_clear(&errors);
	kserv_tree_clear(&tree);
}

void kserv_refusal_clear(struct kserv_refusal *refusal)
{
	free(refusal->reason);
	free(refusal->sentence);
	*refusal = (struct kserv_refusal){ 0 };
}
