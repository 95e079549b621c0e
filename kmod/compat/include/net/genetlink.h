/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_COMPAT_NET_GENETLINK_H
#define _KSERV_COMPAT_NET_GENETLINK_H

#include_next <net/genetlink.h>

#ifndef HAVE_GENL_INFO_DUMP
/* Newer kernels give a dump a struct genl_info; of that, only the member attrs may be used, which is here too. */
static inline const struct genl_dumpit_info *genl_info_dump(struct netlink_callback *cb)
{
	return genl_dumpit_info(cb);
}
#endif

#endif /* _KSERV_COMPAT_NET_GENETLINK_H */
