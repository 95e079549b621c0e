/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_COMPAT_LINUX_NETDEVICE_H
#define _KSERV_COMPAT_LINUX_NETDEVICE_H

#include_next <linux/netdevice.h>

/* Is there anything that packets meet as they leave by @dev? */
static inline bool kserv_dev_has_egress(const struct net_device *dev)
{
#ifdef CONFIG_NETFILTER_EGRESS
	if (rcu_access_pointer(dev->nf_hooks_egress))
		return true;
#endif
#ifdef HAVE_TCX_EGRESS
#ifdef CONFIG_NET_XGRESS
	return rcu_access_pointer(dev->tcx_egress);
#endif
#elif defined(CONFIG_NET_CLS_ACT)
	return rcu_access_pointer(dev->miniq_egress);
#endif
	return false;
}

/* Count a packet that a veth device has sent; what the other end received is counted from that. */
static inline void kserv_dev_count_tx(struct net_device *dev, unsigned int len)
{
#ifdef HAVE_PCPU_STAT_TYPE
	if (dev->pcpu_stat_type == NETDEV_PCPU_STAT_TSTATS)
		dev_sw_netstats_tx_add(dev, 1, len);
#else
	dev_lstats_add(dev, len);
#endif
}

#endif
