// SPDX-License-Identifier: GPL-2.0
/* Which objects are meant: TYPE, TYPE NAME..., TYPE/NAME..., TYPE,TYPE. */
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "kservctl/desired.h"

static bool add(struct targets *targets, const char *type, const char *name, char *copy)
{
	const struct kserv_kind *kind = kserv_kind_by_name(type);

	if (!kind) {
		usage_error("there is no type \"%s\" here; types are ns, no, svc, endpointslices, ep, po, "
			    "deploy, rs, sts, ds",
			    type);
		free(copy);
		return false;
	}
	targets->v = kserv_must_grow(targets->v, targets->n, sizeof(*targets->v));
	targets->v[targets->n++] = (struct target){ .kind = kind, .name = name, .copy = copy };
	return true;
}

static bool add_pair(struct targets *targets, const char *word)
{
	char *copy = kserv_must_strdup(word), *slash = strchr(copy, '/');

	if (!slash) {
		usage_error("\"%s\" is not TYPE/NAME as the first argument is", word);
		free(copy);
		return false;
	}
	*slash = '\0';
	return add(targets, copy, slash + 1, copy);
}

static bool add_types(struct targets *targets, const char *list)
{
	/* What kubectl means by it, as far as the kinds are known here. */
	static const char all[] = "po,svc,ds,deploy,rs,sts";
	char *copy = kserv_must_strdup(strcmp(list, "all") ? list : all), *rest = copy, *type;
	bool right = true;

	while (right && (type = strsep(&rest, ",")))
		right = add(targets, type, NULL, NULL);
	free(copy);
	return right;
}

bool parse_targets(int argc, const char **argv, struct targets *ret)
{
	int i;

	*ret = (struct targets){ 0 };
	if (argc < 1)
		return usage_error("say which: TYPE, TYPE NAME... or TYPE/NAME..."), false;
	if (strchr(argv[0], '/')) {
		for (i = 0; i < argc; i++)
			if (!add_pair(ret, argv[i]))
				return false;
		return true;
	}
	if (argc == 1)
		return add_types(ret, argv[0]);
	if (strchr(argv[0], ','))
		return usage_error("names can follow one type only, or write TYPE/NAME"), false;
	for (i = 1; i < argc; i++)
		if (!add(ret, argv[0], argv[i], NULL))
			return false;
	return true;
}

void targets_clear(struct targets *targets)
{
	size_t i;

	for (i = 0; i < targets->n; i++)
		free(targets->v[i].copy);
	free(targets->v);
	*targets = (struct targets){ 0 };
}
