// SPDX-License-Identifier: GPL-2.0
/* kubeconfig files, what credential plugins print and what servers say when they refuse, of any bytes. */
#include <stdint.h>
#include <stdlib.h>
#include "kube/kubeconfig.h"
#include "kube/plugin.h"
#include "kube/refusal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_kubeconfig(const char *text, size_t size)
{
	struct kserv_kubeconfig config = { 0 };
	struct kserv_errors errors = { 0 };
	struct kserv_access access;
	size_t i;

	kserv_access_init(&access);
	if (!kserv_kubeconfig_add(&config, "/etc/config", text, size, &errors))
		kserv_kubeconfig_access(&config, "", &access, &errors);
	for (i = 0; i < errors.n; i++)
		free(kserv_error_format(&errors.v[i]));
	kserv_access_clear(&access);
	kserv_kubeconfig_clear(&config);
	kserv_errors_clear(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kserv_plugin_credential credential;
	struct kserv_text text = { 0 };
	struct kserv_refusal refusal;
	char *why;

	/* As all of them come: ended by NUL. */
	kserv_text_add_bytes(&text, (const char *)data, size);
	read_kubeconfig(text.s, text.len);
	if (kserv_plugin_read("client.authentication.k8s.io/v1", text.s, text.len, &credential, &why))
		free(why);
	kserv_plugin_credential_clear(&credential);
	kserv_refusal_read_body(500, text.s, text.len, &refusal);
	kserv_refusal_clear(&refusal);
	kserv_text_clear(&text);
	return 0;
}
