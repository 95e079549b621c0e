/* SPDX-License-Identifier: GPL-2.0 */
/* Ports that the kernel must not give to sockets by itself. */
#ifndef KSERV_RESERVE_H
#define KSERV_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

/* What /proc/sys/net/ipv4/ip_local_reserved_ports may say at most. */
#define KSERV_RESERVED_TEXT	65536

/**
 * kserv_reserved_covers() - does a list of ports hold all from @min to @max?
 * @text: as the kernel writes it, "8080,9148-9200": in order, ranges that touch each other not joined
 */
bool kserv_reserved_covers(const char *text, uint16_t min, uint16_t max);

/**
 * kserv_reserve_ports() - keep the sockets of this network namespace off ports @min to @max
 * What was reserved stays so: others may have asked for it. Sockets that ask for a port by its number get it all the same.
 *
 * Return: 0 or -errno.
 */
int kserv_reserve_ports(uint16_t min, uint16_t max);

#endif
