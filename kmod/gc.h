/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_GC_H
#define _KSERV_GC_H

struct kserv_net;

/* Ends expired flows of one namespace from time to time. Context: process. */
void kserv_gc_start(struct kserv_net *kn);
void kserv_gc_stop(struct kserv_net *kn);
/* End every flow there is, expired or not. Context: process; no packets come any more. */
void kserv_gc_expire_all(struct kserv_net *kn);

int kserv_gc_module_init(void);
void kserv_gc_module_exit(void);
/* For periodic work of all parts; not on the system's queues, so that exit waits for ours alone. */
extern struct workqueue_struct *kserv_queue;

#endif /* _KSERV_GC_H */
