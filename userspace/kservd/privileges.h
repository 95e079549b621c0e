/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KSERVD_PRIVILEGES_H
#define KSERVD_PRIVILEGES_H

#include <stdbool.h>

/**
 * privileges_lay_down() - keep only the capabilities that work after the start needs, for this process and what it executes
 *
 * @others_files: also CAP_DAC_OVERRIDE, to use sockets and folders of other users
 *
 * Of CAP_NET_ADMIN (netlink, sysctls of the network), CAP_NET_RAW (announcements) and CAP_NET_BIND_SERVICE (ports below
 * 1024) those that it has. There is no way back: a program that it executes does not get more, set-user-ID or not. Comes
 * before there are threads that stay, for the kernel keeps capabilities for each of them.
 *
 * Return: 0 or -errno.
 */
int privileges_lay_down(bool others_files);

#endif
