// SPDX-License-Identifier: GPL-2.0
/* Leaving out endpoints that answer nobody. */
#include "kserv.h"
#include "eject.h"

#define FAILURES 3
#define EJECT_TIME (10 * HZ)
#define EJECT_DOUBLINGS 5

/* Ejecting one more must leave at least half of the set, and at least one endpoint. */
static bool enough_left(const struct kserv_choices *choices, u32 now)
{
	unsigned int i, n, left = 0;
	struct kserv_endpoint *const *set = kserv_choices_set(choices, false, &n);

	for (i = 0; i < n; i++)
		left += !kserv_endpoint_is_ejected(set[i], now);
	return left > 1 && (left - 1) * 2 >= n;
}

void kserv_eject_failure(struct kserv_net *kn, struct kserv_endpoint *endpoint)
{
	const struct kserv_choices *choices = rcu_dereference(endpoint->service->choices);
	u8 failures = min_t(unsigned int, READ_ONCE(endpoint->failures) + 1, FAILURES);
	u32 now = (u32)jiffies;
	u8 ejections;

	if (!choices || choices->flags & KSERV_SERVICE_FLAGS_NO_EJECT || kserv_endpoint_is_ejected(endpoint, now))
		return;
	/* Two CPUs may count as one; that only delays. */
	WRITE_ONCE(endpoint->failures, failures);
	if (failures < FAILURES || !enough_left(choices, now))
		return;
	ejections = READ_ONCE(endpoint->ejections);
	WRITE_ONCE(endpoint->ejected_until, (now + (EJECT_TIME << min_t(u8, ejections, EJECT_DOUBLINGS))) | 1);
	if (ejections < EJECT_DOUBLINGS)
		WRITE_ONCE(endpoint->ejections, ejections + 1);
	WRITE_ONCE(endpoint->failures, 0);
	local_bh_disable();
	kserv_count(kn, EJECTIONS);
	local_bh_enable();
}
