/* SPDX-License-Identifier: GPL-2.0 */
/* Why the API server did not do what it was asked for: a Status object, or what there is in its place. */
#ifndef KSERV_REFUSAL_H
#define KSERV_REFUSAL_H

#include "cluster/tree.h"

/**
 * struct kserv_refusal - strings are never NULL once read
 * @code: as of HTTP
 * @reason: one word, "" if there is none
 * @sentence: for people
 * @retry_after: seconds, 0 if none are named
 * @ahead: the resourceVersion asked for is one that the server has not reached
 */
struct kserv_refusal {
	unsigned int code, retry_after;
	char *reason, *sentence;
	bool ahead;
};

/* @status: a Status object; @code: of HTTP, 0 if only the object says it. */
void kserv_refusal_read(const struct kserv_value *status, unsigned int code, struct kserv_refusal *ret);
/* @body: of an answer with the code @code; plain text as well. */
void kserv_refusal_read_body(unsigned int code, const char *body, size_t len, struct kserv_refusal *ret);
void kserv_refusal_clear(struct kserv_refusal *refusal);

#endif
