/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_COMPAT_NET_INET_SOCK_H
#define _KSERV_COMPAT_NET_INET_SOCK_H

#include_next <net/inet_sock.h>

/* Does a socket want the fragments that it sends to stay ones (IP_NODEFRAG)? */
static inline bool kserv_sock_keeps_fragments(const struct sock *sk)
{
	if (!sk || !sk_fullsock(sk) || sk->sk_family != PF_INET)
		return false;
#ifdef inet_test_bit
	return inet_test_bit(NODEFRAG, sk);
#else
	return inet_sk(sk)->nodefrag;
#endif
}

#endif
