/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What Prometheus is told: kube-proxy's names for what people graph already, and kserv's own, read from the kernel when
 * somebody asks. Text format 0.0.4.
 */
#ifndef KSERVD_METRICS_H
#define KSERVD_METRICS_H

#include "cluster/memory.h"
#include "dns/dns.h"
#include "kservd/model.h"
#include "lib/nl.h"

/* Bounds of histograms, in seconds: 1 ms doubled each time, as kube-proxy has them. */
#define METRICS_BUCKETS		15
/* With more endpoints than this there is one series for each service, but none for each endpoint. */
#define METRICS_ENDPOINTS_MAX	5000

/* @bucket: not cumulative; the last one has no bound */
struct histogram {
	uint64_t bucket[METRICS_BUCKETS + 1], count;
	double sum;
};

void histogram_add(struct histogram *histogram, double seconds);

/**
 * struct metrics - what is counted while the daemon runs
 * @queued, @synced: when the last change came and the last sync ended well, seconds since 1970
 * @healthz, @livez: answers by 200 and by 503
 * @started: seconds since 1970; changes that are older are not timed
 */
struct metrics {
	struct histogram full, partial, programming;
	double queued, synced, started;
	uint64_t syncs_failed;
	uint64_t healthz[2], livez[2];
};

/* Of the model, when it is asked for. */
struct metrics_state {
	const struct metrics *metrics;
	const struct model *model;
	uint32_t generation;
	size_t refused, checks;
	int api_connected;		/* -1: there is no API */
	const struct kserv_dns_stats *dns;	/* NULL: it is off */
};

/* What the daemon counts. */
void metrics_write(struct kserv_text *text, const struct metrics_state *state);
/* What the kernel counts; @tables: with statistics, from kserv_dump(). */
void metrics_write_tables(struct kserv_text *text, const struct kserv_tables *tables);
/* The namespace's counters; nothing if they cannot be read. */
void metrics_write_counters(struct kserv_text *text, struct kserv_nl *nl);

#endif
