/* SPDX-License-Identifier: GPL-2.0 */
/* The command line and the configuration file: flags go before what the file says. */
#ifndef KSERVD_OPTIONS_H
#define KSERVD_OPTIONS_H

#include "cluster/errors.h"
#include "control/answer.h"
#include "source/config.h"

/* Where a server listens. */
struct listen_address {
	struct kserv_addr addr;		/* AF_UNSPEC: all */
	uint16_t port;			/* 0: nowhere */
};

/**
 * struct options - what was asked for
 * @config: file and flags together; @config.tree is what --write-config-to writes
 * @config_path, @write_to: NULL if not given
 * @kubeconfig, @server: "" if not given; @store, @socket: never ""
 * @from_api: objects come from the Kubernetes API, not from the embedded store
 * @healthz, @metrics: 0.0.0.0:10256 and 127.0.0.1:10249 unless given
 * @hard_fail: an address that cannot be listened on is fatal
 * @sets: what flags say, as kserv_embedded_config_read() takes it
 * @oom_score: as /proc/self/oom_score_adj; INT32_MIN: left alone
 */
struct options {
	struct kserv_embedded_config config;
	char *config_path, *write_to;
	char *kubeconfig, *server, *store, *socket;
	bool from_api, cleanup, help, version;
	struct listen_address healthz, metrics;
	bool hard_fail;
	uint64_t sync_period_us, min_sync_period_us;
	int32_t oom_score;
	struct kserv_strings sets;
};

/**
 * options_parse() - the command line
 * @ret_why: on error a sentence, which the caller frees
 *
 * Return: 0 or -EINVAL.
 */
int options_parse(struct options *options, int argc, const char **argv, char **ret_why);

/* Read the file, lay the flags over it and check all. Return: 0, or -EINVAL with errors added. */
int options_read(struct options *options, struct kserv_errors *errors);

void options_print_help(void);
void options_clear(struct options *options);

#endif
