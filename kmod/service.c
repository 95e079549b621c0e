// SPDX-License-Identifier: GPL-2.0
/* Services and endpoints: their memory, their references and the table of services. */
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "kserv.h"
#include "pick.h"
#include "service.h"
#include "tables.h"
#include "transaction.h"

static struct kmem_cache *endpoint_cache;

/* What a dead service has to choose from, so that readers need not ask whether there is any. */
static struct kserv_choices no_choices;

bool kserv_choices_serve(const struct kserv_choices *choices, const union nf_inet_addr *addr)
{
	unsigned int i;

	for (i = 0; i < choices->n; i++)
		if (READ_ONCE(choices->endpoint[i]->flags) & KSERV_ENDPOINT_FLAGS_SERVING &&
		    kserv_addr_equal(&choices->endpoint[i]->addr, addr))
			return true;
	return false;
}

static u32 service_key_hash(const void *data, u32 len, u32 seed)
{
	const struct kserv_service_key *key = data;

	return jhash(key->name, strlen(key->name), seed ^ key->family << 8 ^ key->protocol);
}

static u32 service_hash(const void *data, u32 len, u32 seed)
{
	const struct kserv_service *service = data;

	return jhash(service->name, strlen(service->name), seed ^ service->family << 8 ^ service->protocol);
}

static int service_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct kserv_service_key *key = arg->key;
	const struct kserv_service *service = obj;

	return key->family != service->family || key->protocol != service->protocol ||
	       strcmp(key->name, service->name);
}

static const struct rhashtable_params service_params = {
	.head_offset = offsetof(struct kserv_service, node),
	.hashfn = service_key_hash,
	.obj_hashfn = service_hash,
	.obj_cmpfn = service_cmp,
	/* A namespace without services has the smallest table. */
	.nelem_hint = 3,
	.automatic_shrinking = true,
};

struct kserv_service *kserv_service_lookup(struct kserv_net *kn, const struct kserv_service_key *key)
{
	lockdep_assert_held(&kn->mutex);
	return rhashtable_lookup_fast(&kn->services, key, service_params);
}

static struct kserv_service *service_alloc(const struct kserv_service_key *key)
{
	size_t len = strlen(key->name) + 1;
	struct kserv_service *service;

	service = kzalloc(struct_size(service, name, len), GFP_KERNEL_ACCOUNT);
	if (!service)
		return NULL;
	memcpy(service->name, key->name, len);
	service->family = key->family;
	service->protocol = key->protocol;
	refcount_set(&service->refs, 1);
	INIT_HLIST_HEAD(&service->frontends);
	RCU_INIT_POINTER(service->choices, &no_choices);
	return service;
}

struct kserv_service *kserv_service_create(struct kserv_net *kn, const struct kserv_service_key *key)
{
	struct kserv_service *service;
	int ret;

	lockdep_assert_held(&kn->mutex);
	service = service_alloc(key);
	if (!service)
		return ERR_PTR(-ENOMEM);
	ret = idr_alloc_cyclic(&kn->service_ids, service, 1, INT_MAX, GFP_KERNEL_ACCOUNT);
	if (ret < 0)
		goto err_free;
	service->id = ret;
	ret = rhashtable_lookup_insert_key(&kn->services, key, &service->node, service_params);
	if (ret)
		goto err_remove_id;
	return service;

err_remove_id:
	idr_remove(&kn->service_ids, service->id);
err_free:
	kfree(service);
	return ERR_PTR(ret);
}

/* Whoever found the service under RCU may still be looking at it. */
static void service_put(struct kserv_service *service)
{
	if (refcount_dec_and_test(&service->refs))
		kfree_rcu(service, rcu);
}

struct kserv_choices *kserv_choices_alloc(unsigned int n)
{
	struct kserv_choices *choices;

	choices = kvzalloc(struct_size(choices, endpoint, n), KSERV_GFP_TABLE);
	if (choices)
		choices->n = n;
	return choices;
}

void kserv_choices_free(struct kserv_choices *choices)
{
	if (!choices || choices == &no_choices)
		return;
	kserv_pick_release(choices);
	kvfree(choices);
}

static void choices_free_rcu(struct rcu_head *rcu)
{
	kserv_choices_free(container_of(rcu, struct kserv_choices, rcu));
}

static void choices_retire(struct kserv_choices *choices)
{
	if (choices != &no_choices)
		call_rcu(&choices->rcu, choices_free_rcu);
}

void kserv_choices_publish(struct kserv_net *kn, struct kserv_service *service, struct kserv_choices *choices)
{
	choices_retire(rcu_replace_pointer(service->choices, choices, lockdep_is_held(&kn->mutex)));
}

struct kserv_endpoint *kserv_endpoint_create(struct kserv_service *service, const union nf_inet_addr *addr, __be16 port)
{
	struct kserv_endpoint *endpoint;

	endpoint = kmem_cache_zalloc(endpoint_cache, GFP_KERNEL_ACCOUNT);
	if (!endpoint)
		return NULL;
	endpoint->addr = *addr;
	endpoint->port = port;
	refcount_set(&endpoint->refs, 1);
	refcount_inc(&service->refs);
	endpoint->service = service;
	return endpoint;
}

static void endpoint_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(endpoint_cache, container_of(rcu, struct kserv_endpoint, rcu));
}

void kserv_endpoint_put(struct kserv_endpoint *endpoint)
{
	struct kserv_service *service = endpoint->service;

	if (!refcount_dec_and_test(&endpoint->refs))
		return;
	/* Readers that came by the endpoint may look at its service: both are freed after the same grace period. */
	call_rcu(&endpoint->rcu, endpoint_free_rcu);
	service_put(service);
}

void kserv_service_unlink(struct kserv_net *kn, struct kserv_service *service)
{
	struct kserv_choices *choices;
	unsigned int i;

	lockdep_assert_held(&kn->mutex);
	idr_remove(&kn->service_ids, service->id);
	rhashtable_remove_fast(&kn->services, &service->node, service_params);
	WRITE_ONCE(service->dead, true);
	choices = rcu_replace_pointer(service->choices, &no_choices, lockdep_is_held(&kn->mutex));
	/* Only now that no packet can come by them any more. */
	for (i = 0; i < choices->n; i++)
		kserv_endpoint_put(choices->endpoint[i]);
	kn->n_endpoints -= choices->n;
	choices_retire(choices);
	service_put(service);
}

int kserv_service_net_init(struct kserv_net *kn)
{
	int ret;

	idr_init(&kn->service_ids);
	ret = rhashtable_init(&kn->services, &service_params);
	if (ret)
		return ret;
	ret = kserv_frontend_net_init(kn);
	if (ret)
		rhashtable_destroy(&kn->services);
	return ret;
}

void kserv_service_net_exit(struct kserv_net *kn)
{
	struct kserv_service *service;
	u32 id;

	mutex_lock(&kn->mutex);
	kserv_frontend_net_exit(kn);
	idr_for_each_entry(&kn->service_ids, service, id)
		kserv_service_unlink(kn, service);
	mutex_unlock(&kn->mutex);
	rhashtable_destroy(&kn->services);
	idr_destroy(&kn->service_ids);
}

int kserv_service_module_init(void)
{
	int ret;

	endpoint_cache = KMEM_CACHE(kserv_endpoint, 0);
	if (!endpoint_cache)
		return -ENOMEM;
	ret = kserv_frontend_module_init();
	if (ret)
		kmem_cache_destroy(endpoint_cache);
	return ret;
}

void kserv_service_module_exit(void)
{
	kserv_frontend_module_exit();
	kmem_cache_destroy(endpoint_cache);
}
