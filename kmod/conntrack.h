/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_CONNTRACK_H
#define _KSERV_CONNTRACK_H

#include "decide.h"

struct nf_hook_state;

/**
 * DOC: Connections of an earlier proxy
 *
 * Where kserv follows kube-proxy, connection tracking goes on translating what kube-proxy's rules have begun, as long
 * as packets come to it with the frontend's address. So kserv leaves them alone until the connection ends. Connection
 * tracking is asked only about packets that kserv would refuse or would make a new flow for without a SYN, and neither
 * loaded for that nor needed.
 */

/* Use connection tracking if it is loaded. Context: process, kserv_net.mutex. */
void kserv_conntrack_start(struct kserv_net *kn);
/* Packets may still be under way. Context: process; waits for a grace period. */
void kserv_conntrack_stop(struct kserv_net *kn);

/**
 * kserv_conntrack_translates() - is it a packet of a connection that connection tracking sends to another address?
 * @decision: what kserv would do about it, not to let it pass
 * TCP goes on to whatever endpoint it has; all else only to one that still serves, as with flows of kserv's own.
 * Context: an early hook, BH off.
 */
bool kserv_conntrack_translates(struct kserv_net *kn, const struct nf_hook_state *state,
				const struct kserv_packet *packet, const struct kserv_decision *decision);

#endif /* _KSERV_CONNTRACK_H */
