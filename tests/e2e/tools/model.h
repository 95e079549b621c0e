/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What transactions do to tables, told as plainly as it can be: arrays that are copied and compared. A service, an
 * endpoint or a frontend is its index; messages are those that tables.c makes.
 */
#ifndef MODEL_H
#define MODEL_H

#include <linux/kserv.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define N_SERVICES 6
#define N_ENDPOINTS 12
#define N_FRONTENDS 10
#define N_ROUTES 4

struct endpoint {
	bool there;
	uint8_t state, flags, cluster_reason, local_reason, zero;
	uint16_t weight;
};

struct frontend {
	bool there;
	uint8_t type, flags, sources;
};

struct service {
	bool there;
	uint8_t scheduler, removal, zero;
	uint32_t flags, affinity, grace, slow;
	struct endpoint endpoint[N_ENDPOINTS];
	struct frontend frontend[N_FRONTENDS];
};

struct route {
	bool there;
	uint8_t type, gateway;
};

struct tables {
	struct service service[N_SERVICES];
	struct route route[N_ROUTES];
	uint32_t udp_timeout;
	uint32_t generation;
};

/* Services 0 1 2 compete for frontends, as do 3 and 4; 5 is UDP. */
static inline uint8_t family_of(int service) { return service < 3 || service == 5 ? AF_INET : AF_INET6; }
static inline uint8_t protocol_of(int service) { return service == 5 ? IPPROTO_UDP : IPPROTO_TCP; }

static inline bool compete(int a, int b)
{
	return family_of(a) == family_of(b) && protocol_of(a) == protocol_of(b);
}

/* Frontends 0-3 are at one address, 4-7 at another (of these some cannot be told from a cluster IP), 8 9 node ports. */
static inline uint16_t frontend_port(int frontend) { return 80 + frontend % 4; }
static inline bool is_node_port(int frontend) { return frontend >= 8; }

/* What the message says, for whoever reads that it went wrong. */
static char story[8192];

#define tell(...) snprintf(story + strlen(story), sizeof(story) - strlen(story), __VA_ARGS__)

/* ---- the model: what one message does, from nothing */

/*
 * A service while the message is read. @named: the service-set that named the endpoint last. @bad_endpoint: to be
 * refused, unless the service is deleted after all.
 */
struct staged {
	bool touched, set, deleted, cleared, created, replace, bad_endpoint;
	int named[N_ENDPOINTS];
	bool said[N_ENDPOINTS];
};

/* What becomes of one key of a frontend, for one of the services that may have it. */
struct key {
	int in_force;		/* service, -1 for none */
	int staged;		/* service that sets it, -1 for none */
	int nest;		/* service-set that set it */
	bool given_up, kept;
};

static struct tables now, next;
static struct staged staged[N_SERVICES];
static struct key keys[N_SERVICES][N_FRONTENDS];	/* by the first of the services that compete */
static bool replace_all, refused, route_said[N_ROUTES];
static int nests;

static inline struct key *key_of(int service, int frontend)
{
	int first = 0;

	while (!compete(first, service))
		first++;
	return &keys[first][frontend];
}

static inline int holder(const struct key *key)
{
	if (key->staged >= 0)
		return key->staged;
	return key->given_up ? -1 : key->in_force;
}

static inline void refuse(bool when)
{
	if (when)
		tell(" (refused)");
	refused |= when;
}

static inline void model_begin(void)
{
	int s, f;

	next = now;
	memset(staged, 0, sizeof(staged));
	memset(keys, 0, sizeof(keys));
	memset(route_said, 0, sizeof(route_said));
	for (s = 0; s < N_SERVICES; s++)
		for (f = 0; f < N_FRONTENDS; f++)
			*key_of(s, f) = (struct key) { .in_force = -1, .staged = -1 };
	for (s = 0; s < N_SERVICES; s++)
		for (f = 0; f < N_FRONTENDS; f++)
			if (now.service[s].there && now.service[s].frontend[f].there)
				key_of(s, f)->in_force = s;
	refused = false;
	nests = 0;
	story[0] = '\0';
}

static inline void members_default(struct service *service)
{
	service->scheduler = 0;
	service->removal = 0;
	service->flags = service->affinity = service->grace = service->slow = 0;
}

static inline void model_set(int s, uint8_t mode)
{
	struct service *service = &next.service[s];
	struct staged *stage = &staged[s];
	bool exists = now.service[s].there ? !stage->deleted : stage->created && !stage->deleted;

	refuse(mode == KSERV_SET_MODE_UPDATE && !exists);
	refuse(mode == KSERV_SET_MODE_CREATE && exists && !stage->created && !stage->cleared);
	nests++;
	if (!now.service[s].there)
		stage->created = true;
	if (stage->deleted) {
		stage->deleted = false;
		stage->cleared = stage->replace = true;
		members_default(service);
	} else if (!exists) {
		memset(service, 0, sizeof(*service));
	}
	if (mode == KSERV_SET_MODE_REPLACE || replace_all) {
		if (!stage->set)
			members_default(service);
		stage->replace = true;
	}
	service->there = true;
	stage->set = stage->touched = true;
}

static inline void model_endpoint(int s, int e, const struct endpoint *to)
{
	struct endpoint *endpoint = &next.service[s].endpoint[e];
	struct staged *stage = &staged[s];
	bool exists = stage->said[e] || !stage->cleared ? endpoint->there : false;

	stage->bad_endpoint |= stage->named[e] == nests || (!to->there && !exists);
	stage->named[e] = nests;
	stage->said[e] = true;
	*endpoint = *to;
}

static inline void model_frontend(int s, int f, const struct frontend *to)
{
	struct key *key = key_of(s, f);
	const struct frontend *old = key->in_force == s ? &now.service[s].frontend[f] : NULL;
	int has = holder(key);

	if (has == s && (key->staged == s || key->kept))
		refuse(key->nest == nests);
	refuse(has >= 0 && has != s && key->staged >= 0);
	key->nest = nests;
	key->kept = old && !memcmp(old, to, sizeof(*old));
	if (key->kept) {
		key->given_up = false;
		key->staged = -1;
	} else {
		key->staged = s;
	}
	next.service[s].frontend[f] = *to;
}

static inline void model_leave(int s, int f)
{
	struct key *key = key_of(s, f);

	if (key->staged == s)
		key->staged = -1;
	if (key->in_force == s) {
		key->given_up = true;
		key->kept = false;
	}
	next.service[s].frontend[f].there = false;
}

static inline void model_frontend_del(int s, int f, uint8_t type)
{
	refuse(holder(key_of(s, f)) != s || next.service[s].frontend[f].type != type);
	model_leave(s, f);
}

static inline void model_del(int s)
{
	struct staged *stage = &staged[s];
	int f;

	refuse(!(now.service[s].there ? !stage->deleted : stage->created && !stage->deleted));
	for (f = 0; f < N_FRONTENDS; f++)
		if (next.service[s].frontend[f].there || key_of(s, f)->in_force == s)
			model_leave(s, f);
	stage->bad_endpoint = false;
	memset(stage->said, 0, sizeof(stage->said));
	memset(stage->named, 0, sizeof(stage->named));
	memset(next.service[s].endpoint, 0, sizeof(next.service[s].endpoint));
	next.service[s].there = false;
	stage->touched = stage->deleted = true;
	stage->set = false;
}

static inline void model_rest_of(int s)
{
	int e, f;

	for (e = 0; e < N_ENDPOINTS; e++)
		if (!staged[s].said[e])
			memset(&next.service[s].endpoint[e], 0, sizeof(struct endpoint));
	for (f = 0; f < N_FRONTENDS; f++)
		if (key_of(s, f)->in_force == s && key_of(s, f)->staged != s && !key_of(s, f)->kept)
			model_leave(s, f);
}

static inline void model_end(void)
{
	struct key *key;
	int s, f;

	for (s = 0; s < N_SERVICES; s++) {
		if (replace_all && now.service[s].there && !staged[s].touched)
			model_del(s);
		if (next.service[s].there && staged[s].replace)
			model_rest_of(s);
		refuse(staged[s].bad_endpoint);
	}
	for (s = 0; s < N_SERVICES; s++) {
		for (f = 0; f < N_FRONTENDS; f++) {
			key = key_of(s, f);
			refuse(key->staged >= 0 && key->in_force >= 0 && key->staged != key->in_force &&
			       !key->given_up);
		}
		if (!next.service[s].there)
			memset(&next.service[s], 0, sizeof(next.service[s]));
		for (f = 0; f < N_FRONTENDS; f++)
			if (!next.service[s].frontend[f].there)
				memset(&next.service[s].frontend[f], 0, sizeof(struct frontend));
	}
}

#endif
