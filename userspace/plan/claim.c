// SPDX-License-Identifier: GPL-2.0
#define HASH_NONFATAL_OOM 1
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include "lib/addr.h"
#include "plan/claim.h"
#include "plan/warning.h"

/* How a packet finds a frontend; node ports have a zero address, no two types share one. */
struct key {
	struct in6_addr addr;
	uint16_t port;
	uint8_t protocol;
	uint8_t family;
};

_Static_assert(sizeof(struct key) == 20, "keys are hashed as bytes and so must have no padding");

struct object {
	char *name;
	struct claim **claims;
	size_t n;
	UT_hash_handle hh;
};

struct claimant {
	struct object *object;
	char *service;
	uint8_t type;
};

/**
 * struct claim - a frontend that somebody wants
 * @v: the claimants, the one that has it first; never empty
 */
struct claim {
	struct key key;
	struct claimant *v;
	size_t n;
	UT_hash_handle hh;
};

struct kserv_claims {
	struct claim *claims;
	struct object *objects;
};

struct kserv_claims *kserv_claims_new(void)
{
	return calloc(1, sizeof(struct kserv_claims));
}

static struct key key_of(const struct kserv_service *service, const struct kserv_frontend *frontend)
{
	return (struct key){
		.addr = frontend->addr.v6,
		.port = frontend->port,
		.protocol = service->protocol,
		.family = service->family,
	};
}

static bool goes_before(const struct claimant *a, const struct claimant *b)
{
	bool a_is_cluster_ip = a->type == KSERV_FRONTEND_TYPE_CLUSTER_IP;
	bool b_is_cluster_ip = b->type == KSERV_FRONTEND_TYPE_CLUSTER_IP;
	int order;

	if (a_is_cluster_ip != b_is_cluster_ip)
		return a_is_cluster_ip;
	order = strcmp(a->service, b->service);
	return order ? order < 0 : a->type < b->type;
}

static int note(struct kserv_strings *others, const struct object *object)
{
	char *name, **v;

	if (!others)
		return 0;
	name = strdup(object->name);
	v = reallocarray(others->v, others->n + 1, sizeof(*v));
	if (v)
		others->v = v;
	if (!name || !v) {
		free(name);
		return -ENOMEM;
	}
	v[others->n++] = name;
	return 0;
}

static struct claim *find_claim(const struct kserv_claims *claims, const struct key *key)
{
	struct claim *claim;

	HASH_FIND(hh, claims->claims, key, sizeof(*key), claim);
	return claim;
}

static struct claim *need_claim(struct kserv_claims *claims, const struct key *key)
{
	struct claim *claim = find_claim(claims, key);

	if (claim)
		return claim;
	claim = calloc(1, sizeof(*claim));
	if (!claim)
		return NULL;
	claim->key = *key;
	HASH_ADD(hh, claims->claims, key, sizeof(claim->key), claim);
	if (!claim->hh.tbl) {
		free(claim);
		return NULL;
	}
	return claim;
}

static void free_if_unclaimed(struct kserv_claims *claims, struct claim *claim)
{
	if (claim->n)
		return;
	HASH_DEL(claims->claims, claim);
	free(claim->v);
	free(claim);
}

/* Put @claimant in its place; the string it holds then belongs to the claim. */
static int insert(struct claim *claim, const struct claimant *claimant)
{
	struct claimant *v = reallocarray(claim->v, claim->n + 1, sizeof(*v));
	size_t i;

	if (!v)
		return -ENOMEM;
	claim->v = v;
	for (i = claim->n++; i && goes_before(claimant, &v[i - 1]); i--)
		v[i] = v[i - 1];
	v[i] = *claimant;
	return 0;
}

static int remember(struct object *object, struct claim *claim)
{
	struct claim **v = reallocarray(object->claims, object->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	object->claims = v;
	v[object->n++] = claim;
	return 0;
}

/* Remove the last of @object's claimants of @claim. */
static void erase(struct claim *claim, const struct object *object)
{
	size_t i = claim->n;

	while (claim->v[--i].object != object)
		;
	free(claim->v[i].service);
	memmove(&claim->v[i], &claim->v[i + 1], (--claim->n - i) * sizeof(*claim->v));
}

static int add(struct kserv_claims *claims, struct object *object, const struct kserv_service *service,
	       const struct kserv_frontend *frontend)
{
	struct claimant claimant = { object, strdup(service->name), frontend->type };
	struct key key = key_of(service, frontend);
	struct claim *claim = need_claim(claims, &key);

	if (!claim || !claimant.service || remember(object, claim))
		goto err_free;
	if (!insert(claim, &claimant))
		return 0;
	object->n--;
err_free:
	free(claimant.service);
	if (claim)
		free_if_unclaimed(claims, claim);
	return -ENOMEM;
}

static struct object *need_object(struct kserv_claims *claims, const char *name)
{
	struct object *object;

	HASH_FIND_STR(claims->objects, name, object);
	if (object)
		return object;
	object = calloc(1, sizeof(*object));
	if (!object)
		return NULL;
	object->name = strdup(name);
	if (!object->name)
		goto err_free;
	HASH_ADD_KEYPTR(hh, claims->objects, object->name, strlen(object->name), object);
	if (object->hh.tbl)
		return object;
err_free:
	free(object->name);
	free(object);
	return NULL;
}

/* A frontend that an object wanted before, and who had it. */
struct former {
	struct key key;
	const struct object *holder;
};

/* Take back all that @object claims; @ret_former says what that was. */
static void withdraw(struct kserv_claims *claims, struct object *object, struct former *ret_former)
{
	size_t i;

	for (i = 0; i < object->n; i++)
		ret_former[i] = (struct former){ object->claims[i]->key, object->claims[i]->v[0].object };
	for (i = 0; i < object->n; i++) {
		erase(object->claims[i], object);
		free_if_unclaimed(claims, object->claims[i]);
	}
	object->n = 0;
}

static int claim_all(struct kserv_claims *claims, struct object *object, const struct kserv_service *services, size_t n)
{
	size_t i, j;
	int error;

	for (i = 0; i < n; i++) {
		for (j = 0; j < services[i].n_frontends; j++) {
			error = add(claims, object, &services[i], &services[i].frontends[j]);
			if (error)
				return error;
		}
	}
	return 0;
}

/* Others that the object's former claims kept out, and who are in now. */
static int note_heirs(const struct kserv_claims *claims, const struct object *object, const struct former *former,
		      size_t n, struct kserv_strings *others)
{
	struct claim *claim;
	size_t i;
	int error;

	for (i = 0; i < n; i++) {
		claim = find_claim(claims, &former[i].key);
		if (!claim || former[i].holder != object || claim->v[0].object == object)
			continue;
		error = note(others, claim->v[0].object);
		if (error)
			return error;
	}
	return 0;
}

static bool held_before(const struct object *object, const struct key *key, const struct former *former, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (former[i].holder == object && !memcmp(&former[i].key, key, sizeof(*key)))
			return true;
	return false;
}

/* Others that had what is the object's now. */
static int note_losers(const struct object *object, const struct former *former, size_t n, struct kserv_strings *others)
{
	const struct claim *claim;
	size_t i, j;
	int error;

	for (i = 0; i < object->n; i++) {
		claim = object->claims[i];
		if (claim->n == 1 || claim->v[0].object != object || held_before(object, &claim->key, former, n))
			continue;
		for (j = 1; j < claim->n && claim->v[j].object == object; j++)
			;
		error = j < claim->n ? note(others, claim->v[j].object) : 0;
		if (error)
			return error;
	}
	return 0;
}

static void forget_if_idle(struct kserv_claims *claims, struct object *object)
{
	if (object->n)
		return;
	HASH_DEL(claims->objects, object);
	free(object->claims);
	free(object->name);
	free(object);
}

int kserv_claims_set(struct kserv_claims *claims, const char *object, const struct kserv_service *services, size_t n,
		     struct kserv_strings *ret_others)
{
	struct object *owner = need_object(claims, object);
	struct former *former;
	size_t n_former;
	int error;

	if (!owner)
		return -ENOMEM;
	n_former = owner->n;
	former = calloc(n_former + 1, sizeof(*former));
	if (!former)
		return -ENOMEM;
	withdraw(claims, owner, former);
	error = claim_all(claims, owner, services, n);
	if (!error)
		error = note_heirs(claims, owner, former, n_former, ret_others);
	if (!error)
		error = note_losers(owner, former, n_former, ret_others);
	free(former);
	forget_if_idle(claims, owner);
	return error;
}

static bool has_won(const struct claim *claim, const struct kserv_service *service, const struct kserv_frontend *frontend)
{
	return claim->v[0].type == frontend->type && !strcmp(claim->v[0].service, service->name);
}

static void warn_of_loss(const struct claim *claim, const struct kserv_service *service,
			 const struct kserv_frontend *frontend, struct kserv_warnings *warnings)
{
	const struct claimant *winner = &claim->v[0], *loser = winner;
	char address[KSERV_ADDR_TEXT], object[sizeof("Service ") + KSERV_NAME_LEN];

	while (loser->type != frontend->type || strcmp(loser->service, service->name))
		loser++;
	snprintf(object, sizeof(object), "Service %s", loser->object->name);
	kserv_warn_of(warnings, object, "%s%s/%s does not lead to %s: %s of %s has it already",
		      frontend->type == KSERV_FRONTEND_TYPE_NODE_PORT ? "node port " : "",
		      kserv_addr_port_format(&frontend->addr, frontend->port, address),
		      kserv_protocol_name(service->protocol), service->name,
		      winner->type == KSERV_FRONTEND_TYPE_CLUSTER_IP ? "the cluster IP" : "it is also an address", winner->service);
}

static void settle_service(const struct kserv_claims *claims, struct kserv_service *service,
			   struct kserv_warnings *warnings)
{
	struct kserv_frontend *frontends = service->frontends;
	const struct claim *claim;
	size_t i, n = 0;
	struct key key;

	for (i = 0; i < service->n_frontends; i++) {
		key = key_of(service, &frontends[i]);
		claim = find_claim(claims, &key);
		if (!claim || has_won(claim, service, &frontends[i])) {
			frontends[n++] = frontends[i];
			continue;
		}
		warn_of_loss(claim, service, &frontends[i], warnings);
		free(frontends[i].sources.v);
	}
	service->n_frontends = n;
}

void kserv_claims_settle(const struct kserv_claims *claims, struct kserv_service *services, size_t n,
			 struct kserv_warnings *warnings)
{
	size_t i;

	for (i = 0; i < n; i++)
		settle_service(claims, &services[i], warnings);
}

void kserv_claims_free(struct kserv_claims *claims)
{
	struct object *object, *next_object;
	struct claim *claim, *next_claim;
	size_t i;

	if (!claims)
		return;
	HASH_ITER(hh, claims->claims, claim, next_claim) {
		HASH_DEL(claims->claims, claim);
		for (i = 0; i < claim->n; i++)
			free(claim->v[i].service);
		free(claim->v);
		free(claim);
	}
	HASH_ITER(hh, claims->objects, object, next_object) {
		HASH_DEL(claims->objects, object);
		free(object->claims);
		free(object->name);
		free(object);
	}
	free(claims);
}
