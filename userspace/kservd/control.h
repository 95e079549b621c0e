/* SPDX-License-Identifier: GPL-2.0 */
/* The unix socket on which kservctl, and whoever speaks HTTP, asks and changes the daemon. */
#ifndef KSERVD_CONTROL_H
#define KSERVD_CONTROL_H

struct daemon;
struct control;

/**
 * control_open() - begin to listen at the path of the options, or on the socket that systemd passed
 *
 * Mode 0660, of the group kserv where there is one. A socket that a dead daemon left behind is taken over.
 * Return: 0, or -errno after saying why.
 */
int control_open(struct daemon *daemon, struct control **ret_control);
void control_close(struct control *control);

#endif
