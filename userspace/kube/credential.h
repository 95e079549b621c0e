/* SPDX-License-Identifier: GPL-2.0 */
/* By what we say who we are: a token, a token file that is read again as it changes, or what a plugin makes. */
#ifndef KSERV_CREDENTIAL_H
#define KSERV_CREDENTIAL_H

#include <systemd/sd-event.h>
#include "kube/access.h"

struct kserv_credential;

/**
 * kserv_credential_open() - nothing is read or run yet
 * @token_us: a token file is read again after so long
 * @ready: a plugin that kserv_credential_is_ready() ran has ended; @why is NULL if there is a credential now
 */
struct kserv_credential *kserv_credential_open(sd_event *loop, const struct kserv_access *access, uint64_t token_us,
					       void (*ready)(void *context, const char *why), void *context);
void kserv_credential_close(struct kserv_credential *credential);

/* True if a request can be sent; otherwise a plugin runs and @ready is called later. */
bool kserv_credential_is_ready(struct kserv_credential *credential);
/* What we have was refused: get it anew for the next request. */
void kserv_credential_renew(struct kserv_credential *credential);

/* Valid until the loop runs. "" without a token. */
const char *kserv_credential_token(struct kserv_credential *credential);
/* PEM of a plugin; false if it made none. */
bool kserv_credential_cert(const struct kserv_credential *credential, const struct kserv_text **ret_cert,
			   const struct kserv_text **ret_key);
/* Who we are is said once for a connection, so that another credential takes another connection. */
bool kserv_credential_is_cert(const struct kserv_credential *credential);

#endif
