/* SPDX-License-Identifier: GPL-2.0 */
/* The functions of this header were in <linux/skbuff.h> once. */
#if __has_include_next(<net/gso.h>)
#include_next <net/gso.h>
#else
#include <linux/skbuff.h>
#endif
