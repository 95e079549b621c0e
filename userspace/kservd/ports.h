/* SPDX-License-Identifier: GPL-2.0 */
/* The daemon's own two ports: health (10256) and metrics (10249). */
#ifndef KSERVD_PORTS_H
#define KSERVD_PORTS_H

struct daemon;
struct ports;

/**
 * ports_open() - begin to listen; what cannot be listened on is tried again every 5 s (rule 10.7)
 * Return: 0, or -errno after saying why if the options make that fatal.
 */
int ports_open(struct daemon *daemon, struct ports **ret_ports);
void ports_close(struct ports *ports);

#endif
