/* SPDX-License-Identifier: GPL-2.0 */
/* Connections that connection tracking translates, as kube-proxy's rules told it when they began. */
#ifndef KSERVCTL_TRANSLATED_H
#define KSERVCTL_TRANSLATED_H

#include <stddef.h>

/**
 * translated_count() - how many connections are sent to another address than their client asked for
 * @ret_n: only those to frontends of kserv, if it has any: rules of others translate as well
 *
 * Return: 0 or -errno.
 */
int translated_count(size_t *ret_n);

#endif
