// SPDX-License-Identifier: GPL-2.0
/*
 * What upstream servers said, for as long as its records allow. A name has its place in one of a fixed number of rows;
 * a full row gives up what would expire first. So it is bounded, and nobody can make a look-up slow.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "cluster/memory.h"
#include "dns/server.h"

#define ROW		4
#define TTL_MAX		3600
/* "No such name" is believed for a short time only: most of them are names that somebody is about to make. */
#define NEGATIVE_MAX	30

struct entry {
	struct dns_wanted wanted;
	uint64_t stored, expires;
	uint16_t len;
	uint8_t message[];
};

struct dns_cache {
	size_t rows, used;
	uint64_t key;
	struct entry *v[][ROW];
};

struct dns_cache *kserv_dns_cache_new(size_t max)
{
	size_t rows = (max ? max : 8192) / ROW;
	struct dns_cache *cache;

	rows = rows ? rows : 1;
	cache = kserv_must_alloc(sizeof(*cache) + rows * sizeof(cache->v[0]));
	cache->rows = rows;
	if (getrandom(&cache->key, sizeof(cache->key), 0) < 0)
		cache->key = (uintptr_t)cache;
	return cache;
}

static void drop(struct dns_cache *cache, struct entry **entry)
{
	if (!*entry)
		return;
	free(*entry);
	*entry = NULL;
	cache->used--;
}

void kserv_dns_cache_free(struct dns_cache *cache)
{
	size_t i, j;

	if (!cache)
		return;
	for (i = 0; i < cache->rows; i++)
		for (j = 0; j < ROW; j++)
			drop(cache, &cache->v[i][j]);
	free(cache);
}

size_t kserv_dns_cache_count(const struct dns_cache *cache)
{
	return cache->used;
}

static struct entry **find_row(struct dns_cache *cache, const struct dns_wanted *wanted)
{
	const uint8_t *byte = (const uint8_t *)wanted;
	uint64_t hash = cache->key;
	size_t i;

	for (i = 0; i < sizeof(*wanted); i++)
		hash = (hash ^ byte[i]) * 0x100000001b3;
	return cache->v[(hash ^ hash >> 29) % cache->rows];
}

static size_t skip_questions(const uint8_t *message, size_t len)
{
	unsigned int i, n = dns_get16(message + 4);
	uint8_t name[KSERV_DNS_NAME_MAX], name_len;
	size_t offset = DNS_HEADER;

	for (i = 0; i < n; i++) {
		int taken = kserv_dns_name_read(message, len, offset, name, &name_len);

		if (taken < 0 || offset + taken + 4 > len)
			return 0;
		offset += taken + 4;
	}
	return offset;
}

/* What is said about how long to keep the records of a message. */
struct lifetime {
	uint32_t ttl;
	bool has_soa;
};

/* @age: what is taken off the TTL of each record, in @message itself. Return: false if it is no whole message. */
static bool walk(uint8_t *message, size_t len, uint32_t age, struct lifetime *ret)
{
	unsigned int answers = dns_get16(message + 6), i;
	unsigned int n = answers + dns_get16(message + 8) + dns_get16(message + 10);
	size_t offset = skip_questions(message, len), data;
	uint16_t type, data_len;
	uint32_t ttl;
	int at;

	*ret = (struct lifetime){ .ttl = UINT32_MAX };
	for (i = 0; offset && i < n; i++) {
		at = kserv_dns_record_read(message, len, &offset, &type, &data, &data_len);
		if (at < 0)
			return false;
		if (type == ns_t_opt)
			continue;
		ttl = dns_get32(message + at + 4);
		/* The highest bit means none at all (RFC 2181, 8). */
		ttl = ttl > INT32_MAX ? 0 : ttl;
		ret->ttl = ttl < ret->ttl ? ttl : ret->ttl;
		dns_put32(message + at + 4, ttl > age ? ttl - age : 0);
		if (type != ns_t_soa || i < answers || data_len < 4)
			continue;
		ret->has_soa = true;
		ttl = dns_get32(message + data + data_len - 4);
		ret->ttl = ttl < ret->ttl ? ttl : ret->ttl;
	}
	return offset;
}

/* Seconds; 0 for what is not to be kept. */
static uint32_t lifetime_of(uint8_t *message, size_t len)
{
	unsigned int code = message[3] & 0xf;
	bool negative = code == DNS_NXDOMAIN || !dns_get16(message + 6);
	struct lifetime lifetime;

	if ((code != DNS_NOERROR && code != DNS_NXDOMAIN) || dns_get16(message + 2) & DNS_TC)
		return 0;
	if (!walk(message, len, 0, &lifetime) || lifetime.ttl == UINT32_MAX)
		return 0;
	/* Without a SOA nobody says for how long there is nothing (RFC 2308, 5). */
	if (negative && !lifetime.has_soa)
		return 0;
	if (negative)
		return lifetime.ttl < NEGATIVE_MAX ? lifetime.ttl : NEGATIVE_MAX;
	return lifetime.ttl < TTL_MAX ? lifetime.ttl : TTL_MAX;
}

size_t kserv_dns_cache_find(struct dns_cache *cache, const struct dns_wanted *wanted, uint64_t now, uint8_t *message)
{
	struct entry **row = find_row(cache, wanted), *entry;
	struct lifetime unused;
	size_t i;

	for (i = 0; i < ROW; i++) {
		entry = row[i];
		if (!entry || memcmp(&entry->wanted, wanted, sizeof(*wanted)))
			continue;
		if (entry->expires <= now) {
			drop(cache, &row[i]);
			return 0;
		}
		memcpy(message, entry->message, entry->len);
		walk(message, entry->len, (now - entry->stored) / DNS_SECOND, &unused);
		return entry->len;
	}
	return 0;
}

/* The entry to be replaced: of the same name, a free one, or the one that expires first. */
static struct entry **find_place(struct dns_cache *cache, const struct dns_wanted *wanted)
{
	struct entry **row = find_row(cache, wanted), **best = &row[0];
	size_t i;

	for (i = 0; i < ROW; i++)
		if (row[i] && !memcmp(&row[i]->wanted, wanted, sizeof(*wanted)))
			return &row[i];
	for (i = 0; i < ROW; i++) {
		if (!row[i])
			return &row[i];
		if (row[i]->expires < (*best)->expires)
			best = &row[i];
	}
	return best;
}

void kserv_dns_cache_add(struct dns_cache *cache, const struct dns_wanted *wanted, uint64_t now,
			 const uint8_t *message, size_t len)
{
	struct entry *entry, **place;
	uint32_t ttl;

	if (len < DNS_HEADER || len > DNS_CACHED_MAX)
		return;
	entry = kserv_must_alloc(sizeof(*entry) + len);
	memcpy(entry->message, message, len);
	ttl = lifetime_of(entry->message, len);
	if (!ttl) {
		free(entry);
		return;
	}
	entry->wanted = *wanted;
	entry->len = len;
	entry->stored = now;
	entry->expires = now + ttl * DNS_SECOND;
	place = find_place(cache, wanted);
	drop(cache, place);
	*place = entry;
	cache->used++;
}
