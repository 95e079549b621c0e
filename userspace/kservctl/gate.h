/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Drops the packets of services for a moment in which the kernel cannot translate them: a client or an endpoint that
 * got one untranslated, or a reset for it, would give its connection up, while what is lost is sent again.
 */
#ifndef KSERVCTL_GATE_H
#define KSERVCTL_GATE_H

#include <stdbool.h>
#include "kservctl/past.h"
#include "lib/tables.h"

/**
 * gate_close() - drop what is for frontends, comes from endpoints, or belongs to a flow, in this network namespace
 * @tables, @past: which frontends, endpoints and flows there are
 * By a table of nftables, inet kserv-upgrade. Return: false after saying why not.
 */
bool gate_close(const struct kserv_tables *tables, const struct past *past);
/* Complains when that fails. */
void gate_open(void);
/* How the gate is opened by hand. */
#define GATE_BY_HAND "nft delete table inet kserv-upgrade"

#endif
