/* SPDX-License-Identifier: GPL-2.0 */
/* Older kernels do not note on a packet that its route was one of several: nobody can tell then. */
#include_next <net/ip.h>

#ifndef IPSKB_MULTIPATH
#define IPSKB_MULTIPATH 0
#endif
