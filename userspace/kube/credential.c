// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kube/credential.h"
#include "kube/plugin.h"

/* A credential that expires so soon is not worth sending. */
#define EXPIRY_MARGIN	5

/**
 * struct kserv_credential - by one of the ways of struct kserv_access
 * @token: what was read from the file
 * @read_us: when, CLOCK_MONOTONIC; 0: it has to be read
 */
struct kserv_credential {
	sd_event *loop;
	const struct kserv_access *access;
	char *token;
	uint64_t read_us, token_us;
	struct kserv_plugin_run *run;
	struct kserv_plugin_credential made;
	bool has_made;
	void (*ready)(void *context, const char *why);
	void *context;
};

struct kserv_credential *kserv_credential_open(sd_event *loop, const struct kserv_access *access, uint64_t token_us,
					       void (*ready)(void *context, const char *why), void *context)
{
	struct kserv_credential *credential = kserv_must_alloc(sizeof(*credential));

	credential->loop = sd_event_ref(loop);
	credential->access = access;
	credential->token_us = token_us;
	credential->ready = ready;
	credential->context = context;
	return credential;
}

void kserv_credential_close(struct kserv_credential *credential)
{
	if (!credential)
		return;
	kserv_plugin_cancel(credential->run);
	kserv_plugin_credential_clear(&credential->made);
	sd_event_unref(credential->loop);
	free(credential->token);
	free(credential);
}

static void on_made(void *context, struct kserv_plugin_credential *made, const char *why)
{
	struct kserv_credential *credential = context;

	credential->run = NULL;
	if (made) {
		kserv_plugin_credential_clear(&credential->made);
		credential->made = *made;
		*made = (struct kserv_plugin_credential){ 0 };
		credential->has_made = true;
	}
	credential->ready(credential->context, made ? NULL : why);
}

static bool is_fresh(const struct kserv_credential *credential)
{
	return credential->has_made &&
	       (!credential->made.expires || time(NULL) < credential->made.expires - EXPIRY_MARGIN);
}

bool kserv_credential_is_ready(struct kserv_credential *credential)
{
	if (!*credential->access->plugin.command)
		return true;
	/* While it runs for one request, the others wait for it too. */
	if (!credential->run && is_fresh(credential))
		return true;
	if (!credential->run)
		credential->run = kserv_plugin_start(credential->loop, credential->access, on_made, credential);
	return false;
}

void kserv_credential_renew(struct kserv_credential *credential)
{
	credential->has_made = false;
	credential->read_us = 0;
}

/* A token that cannot be read is kept: it may be in the middle of being replaced. */
static void read_token(struct kserv_credential *credential)
{
	uint64_t now = 0;
	char *token;

	sd_event_now(credential->loop, CLOCK_MONOTONIC, &now);
	if (credential->read_us && now - credential->read_us < credential->token_us)
		return;
	if (kserv_access_read_word(credential->access->token_file, &token))
		return;
	free(credential->token);
	credential->token = token;
	credential->read_us = now;
}

const char *kserv_credential_token(struct kserv_credential *credential)
{
	if (*credential->access->plugin.command)
		return credential->made.token ? credential->made.token : "";
	if (!*credential->access->token_file)
		return credential->access->token;
	read_token(credential);
	return credential->token ? credential->token : credential->access->token;
}

bool kserv_credential_cert(const struct kserv_credential *credential, const struct kserv_text **ret_cert,
			   const struct kserv_text **ret_key)
{
	if (!credential->made.cert.len)
		return false;
	*ret_cert = &credential->made.cert;
	*ret_key = &credential->made.key;
	return true;
}

bool kserv_credential_is_cert(const struct kserv_credential *credential)
{
	return credential->made.cert.len || *credential->access->cert.path || credential->access->cert.content.len;
}
