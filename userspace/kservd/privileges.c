// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "kservd/privileges.h"

/* All of them are among the first 32, the first of the kernel's two words. */
#define KEPT (1U << CAP_NET_ADMIN | 1U << CAP_NET_RAW | 1U << CAP_NET_BIND_SERVICE)

int privileges_lay_down(bool others_files)
{
	uint32_t kept = KEPT | (others_files ? 1U << CAP_DAC_OVERRIDE : 0);
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	if (syscall(SYS_capget, &header, sets))
		return -errno;
	sets[0].permitted &= kept;
	sets[0].effective &= kept;
	sets[0].inheritable &= kept;
	sets[1] = (struct __user_cap_data_struct){ 0 };
	return syscall(SYS_capset, &header, sets) ? -errno : 0;
}
