// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include "plan/prefixes.h"

int kserv_prefixes_add(struct kserv_prefixes *prefixes, const struct kserv_prefix *prefix)
{
	struct kserv_prefix *v = prefixes->v;

	/* Room is made in powers of two, so that the count alone tells when there is none left. */
	if (!(prefixes->n & (prefixes->n - 1))) {
		v = reallocarray(v, prefixes->n ? 2 * prefixes->n : 1, sizeof(*v));
		if (!v)
			return -ENOMEM;
		prefixes->v = v;
	}
	v[prefixes->n++] = *prefix;
	return 0;
}

void kserv_prefixes_sort(struct kserv_prefixes *prefixes)
{
	struct kserv_prefix *v = prefixes->v;
	size_t i, n = 0;

	if (!prefixes->n)
		return;
	qsort(v, prefixes->n, sizeof(*v), kserv_prefix_compare);
	for (i = 0; i < prefixes->n; i++)
		if (!n || kserv_prefix_compare(&v[n - 1], &v[i]))
			v[n++] = v[i];
	prefixes->n = n;
}
