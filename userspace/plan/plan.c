// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "plan/claim.h"
#include "plan/plan.h"
#include "plan/warning.h"

/* The objects in the order of their names, so that a Service and its slices are found side by side. */
struct sorted {
	struct kserv_k8s_service **services;
	size_t n_services;
	struct kserv_slice **slices;
	size_t n_slices;
};

/* What one kserv_plan() gathers. */
struct gathering {
	struct kserv_service *services;
	size_t n, room;
	struct kserv_claims *claims;
};

static int name_compare(const char *namespace, const char *name, const char *other_namespace, const char *other_name)
{
	int order = strcmp(namespace, other_namespace);

	return order ? order : strcmp(name, other_name);
}

static int service_compare(const void *a, const void *b)
{
	const struct kserv_k8s_service *x = *(void *const *)a, *y = *(void *const *)b;

	return name_compare(x->meta.namespace, x->meta.name, y->meta.namespace, y->meta.name);
}

static int slice_compare(const void *a, const void *b)
{
	const struct kserv_slice *x = *(void *const *)a, *y = *(void *const *)b;

	return name_compare(x->meta.namespace, x->service, y->meta.namespace, y->service);
}

static void *copy_sorted(void *from, size_t n, int (*compare)(const void *, const void *))
{
	void **v = calloc(n + 1, sizeof(*v));

	if (!v)
		return NULL;
	if (n)
		memcpy(v, from, n * sizeof(*v));
	qsort(v, n, sizeof(*v), compare);
	return v;
}

static int sort_objects(const struct kserv_cluster *cluster, struct sorted *ret)
{
	ret->n_services = cluster->n_services;
	ret->n_slices = cluster->n_slices;
	ret->services = copy_sorted(cluster->services, cluster->n_services, service_compare);
	ret->slices = copy_sorted(cluster->slices, cluster->n_slices, slice_compare);
	return ret->services && ret->slices ? 0 : -ENOMEM;
}

/* The slices of @service, from *@start on; both go through their arrays in one order, so each is passed once. */
static size_t find_slices(const struct sorted *sorted, const struct kserv_k8s_service *service, size_t *start)
{
	size_t n = 0;
	int order;

	for (; *start + n < sorted->n_slices; ) {
		const struct kserv_slice *slice = sorted->slices[*start + n];

		order = name_compare(slice->meta.namespace, slice->service, service->meta.namespace, service->meta.name);
		if (order > 0)
			break;
		if (order < 0)
			(*start)++;
		else
			n++;
	}
	return n;
}

/* Moves the @n services into the gathering. */
static int append(struct gathering *gathering, struct kserv_service *services, size_t n)
{
	struct kserv_service *v;
	size_t room = gathering->room;

	if (gathering->n + n > room) {
		room = 2 * room > gathering->n + n ? 2 * room : gathering->n + n;
		v = reallocarray(gathering->services, room, sizeof(*v));
		if (!v)
			return -ENOMEM;
		gathering->services = v;
		gathering->room = room;
	}
	if (n)
		memcpy(gathering->services + gathering->n, services, n * sizeof(*services));
	gathering->n += n;
	free(services);
	return 0;
}

static int claim(struct gathering *gathering, const struct kserv_meta *meta, const struct kserv_service *services,
		 size_t n)
{
	char *object;
	int error;

	if (asprintf(&object, "%s/%s", meta->namespace, meta->name) < 0)
		return -ENOMEM;
	error = kserv_claims_set(gathering->claims, object, services, n, NULL);
	free(object);
	return error;
}

static int plan_one(const struct kserv_here *here, const struct kserv_k8s_service *service,
		    struct kserv_slice *const *slices, size_t n_slices, struct gathering *gathering,
		    struct kserv_warnings *warnings)
{
	struct kserv_service *services;
	size_t n;
	int error;

	error = kserv_plan_service(here, service, slices, n_slices, &services, &n, warnings);
	if (error)
		return error;
	error = claim(gathering, &service->meta, services, n);
	if (!error)
		error = append(gathering, services, n);
	if (error)
		kserv_services_free(services, n);
	return error;
}

static int gather(const struct kserv_here *here, const struct sorted *sorted, struct gathering *gathering,
		  struct kserv_warnings *warnings)
{
	size_t i, n, start = 0;
	int error;

	for (i = 0; i < sorted->n_services; i++) {
		if (i && !service_compare(&sorted->services[i - 1], &sorted->services[i])) {
			kserv_warn(warnings, "Service", &sorted->services[i]->meta,
				   "there are two of this name; one of them was skipped");
			continue;
		}
		n = find_slices(sorted, sorted->services[i], &start);
		error = plan_one(here, sorted->services[i], sorted->slices + start, n, gathering, warnings);
		if (error)
			return error;
	}
	kserv_claims_settle(gathering->claims, gathering->services, gathering->n, warnings);
	return 0;
}

static int plan_services(const struct kserv_here *here, const struct kserv_cluster *cluster,
			 struct kserv_tables *tables, struct kserv_warnings *warnings)
{
	struct gathering gathering = { .claims = kserv_claims_new() };
	struct sorted sorted = { 0 };
	int error = -ENOMEM;

	if (gathering.claims)
		error = sort_objects(cluster, &sorted);
	if (!error)
		error = gather(here, &sorted, &gathering, warnings);
	kserv_claims_free(gathering.claims);
	free(sorted.services);
	free(sorted.slices);
	tables->services = gathering.services;
	tables->n_services = gathering.n;
	return error;
}

int kserv_plan(const struct kserv_cluster *cluster, struct kserv_tables *ret_tables, struct kserv_warnings *warnings)
{
	struct kserv_tables tables = { 0 };
	struct kserv_here here;
	int error;

	kserv_here_init(&here, cluster);
	error = kserv_plan_config(&here, &tables.config, warnings);
	if (!error)
		error = kserv_plan_routes(&here, cluster->nodes, cluster->n_nodes, &tables.routes, &tables.n_routes, warnings);
	if (!error)
		error = plan_services(&here, cluster, &tables, warnings);
	if (error) {
		kserv_tables_clear(&tables);
		return error;
	}
	kserv_tables_sort(&tables);
	*ret_tables = tables;
	return 0;
}
