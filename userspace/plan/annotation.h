/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the annotations of a Service say to kserv. A value that is not understood gets a warning and counts as absent.
 *
 *   annotation               values                                              default
 *   kserv.io/scheduler       random, round-robin, least-connections, maglev      random
 *   kserv.io/removal         keep, reset: what becomes of the TCP flows          keep
 *                            of an endpoint that has been removed
 *   kserv.io/removal-grace   how long before they are reset                      0
 *   kserv.io/slow-start      over which time the share of a new endpoint rises   0
 *   kserv.io/syn-retry       false: a retransmitted SYN stays with its endpoint  true
 *   kserv.io/eject           false: an endpoint that answers nobody stays        true
 *
 * Times are whole seconds, or a number with s, m or h: "90", "90s", "5m", "1h"; at most a day.
 * The share of one endpoint is the annotation kserv.io/weight of its Pod or of its EndpointSlice's source; the readers
 * of objects put it into kserv_slice_endpoint.weight.
 */
#ifndef KSERV_ANNOTATION_H
#define KSERV_ANNOTATION_H

#include "plan/plan.h"

/* Fill in scheduler, removal, removal_grace, slow_start and flags of @ret. */
void kserv_annotations_read(const struct kserv_k8s_service *service, struct kserv_service *ret,
			    struct kserv_warnings *warnings);

#endif
