/* SPDX-License-Identifier: GPL-2.0 */
/* Runs a credential plugin: a command that prints an ExecCredential (client.authentication.k8s.io). */
#ifndef KSERV_PLUGIN_H
#define KSERV_PLUGIN_H

#include <systemd/sd-event.h>
#include "kube/access.h"

/* A plugin that takes longer is ended. */
#define KSERV_PLUGIN_TIMEOUT_US	60000000

struct kserv_plugin_run;

/**
 * struct kserv_plugin_credential - what a plugin printed
 * @expires: seconds since the epoch; 0: never
 */
struct kserv_plugin_credential {
	char *token;			/* "" */
	struct kserv_text cert, key;	/* PEM, or nothing */
	int64_t expires;
};

/**
 * kserv_plugin_start() - run it
 * @done: called once from the loop; @credential is NULL on error, and then @why says why; otherwise its parts may be
 *	taken over
 */
struct kserv_plugin_run *kserv_plugin_start(sd_event *loop, const struct kserv_access *access,
					    void (*done)(void *context, struct kserv_plugin_credential *credential,
							 const char *why), void *context);
/* End it without telling; only before @done was called. NULL is fine. */
void kserv_plugin_cancel(struct kserv_plugin_run *run);
/* What one printed. Return: 0, or -EINVAL with a sentence that the caller frees. */
int kserv_plugin_read(const char *api_version, const char *text, size_t len, struct kserv_plugin_credential *ret,
		      char **ret_why);
void kserv_plugin_credential_clear(struct kserv_plugin_credential *credential);

#endif
