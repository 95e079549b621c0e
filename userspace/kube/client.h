/* SPDX-License-Identifier: GPL-2.0 */
/* HTTP requests with who we are in them: waits for a credential, and after 401 gets another and asks once more. */
#ifndef KSERV_CLIENT_H
#define KSERV_CLIENT_H

#include "kube/http.h"

struct kserv_client;
struct kserv_client_call;

/* @access must live as long. NULL if curl cannot be set up. */
struct kserv_client *kserv_client_open(sd_event *loop, const struct kserv_access *access, const char *user_agent,
				       bool gzip, uint64_t token_us);
/* Ends all calls without telling anybody. */
void kserv_client_close(struct kserv_client *client);

/* As kserv_http_start(); token, cert and key of the request are set here. */
struct kserv_client_call *kserv_client_start(struct kserv_client *client, const struct kserv_http_request *request);
/* As kserv_http_set_silence(). */
void kserv_client_set_silence(struct kserv_client_call *call, unsigned int silence_ms);
/* As kserv_http_cancel(). NULL is fine. */
void kserv_client_cancel(struct kserv_client_call *call);

#endif
