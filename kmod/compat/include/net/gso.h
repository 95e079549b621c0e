/* SPDX-License-Identifier: GPL-2.0 */
/* The functions of this header were in <linux/skbuff.h> once. */
#ifdef HAVE_NET_GSO_H
#include_next <net/gso.h>
#else
#include <linux/skbuff.h>
#endif
