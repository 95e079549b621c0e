// SPDX-License-Identifier: GPL-2.0
/* Records of the zone, written into an answer. */
#include "dns/answer.h"
#include "lib/addr.h"

/* Distinct ports that one endpoint's name tells; more are left out. */
#define NAME_PORTS_MAX	128

static bool end(struct dns_answering *a, enum dns_section section)
{
	if (kserv_dns_end(&a->w, section))
		return true;
	/* What is only additional may be missing without a word (RFC 2181, 9). */
	if (section == DNS_AN)
		a->truncated = true;
	return false;
}

static uint16_t family_type(uint8_t family)
{
	return family == AF_INET ? ns_t_a : ns_t_aaaa;
}

static void write_addr(struct dns_writer *w, const struct kserv_addr *addr)
{
	kserv_dns_write(w, &addr->v6, addr->family == AF_INET ? 4 : 16);
}

static bool add_addr(struct dns_answering *a, const struct kserv_addr *addr)
{
	kserv_dns_begin(&a->w, a->name_at, family_type(addr->family), a->zone->ttl);
	write_addr(&a->w, addr);
	return end(a, DNS_AN);
}

/* Labels in front of the zone's name, which is a pointer where it is in the message already. */
static void write_below_domain(struct dns_answering *a, const void *labels, size_t len)
{
	struct dns_writer *w = &a->w;

	kserv_dns_write(w, labels, len);
	if (w->domain_at) {
		kserv_dns_write16(w, DNS_POINTER | w->domain_at);
		return;
	}
	w->domain_at = w->len;
	kserv_dns_write(w, a->zone->name, a->zone->name_len);
}

/* A random order, made as far as the message has room: what comes first is what most clients take. */
static void add_shuffled(struct dns_answering *a, struct dns_addresses *addrs)
{
	struct kserv_addr addr;
	size_t i, j;

	for (i = 0; i < addrs->n; i++) {
		j = i + kserv_zone_random(a->zone, addrs->n - i);
		addr = addrs->v[j];
		addrs->v[j] = addrs->v[i];
		addrs->v[i] = addr;
		if (!add_addr(a, &addr))
			return;
	}
}

static bool slice_has_port(const struct dns_found *found, const struct dns_slice *slice)
{
	size_t i;

	if (found->kind != DNS_PORT)
		return true;
	for (i = 0; i < slice->ports.n; i++)
		if (kserv_dns_port_matches(found, &slice->ports.v[i]))
			return true;
	return false;
}

static bool same_addr(const struct dns_member *x, const struct dns_member *y)
{
	return kserv_addr_is_equal(&x->endpoint->addr, &y->endpoint->addr);
}

/* Members in the order of their addresses, from a random one on; each address once. */
static void add_members(struct dns_answering *a, const struct dns_member *v, size_t n)
{
	uint8_t family = a->parsed->question->type == ns_t_a ? AF_INET : AF_INET6;
	size_t start = kserv_zone_random(a->zone, n), i;
	const struct dns_member *last = NULL;

	while (start && same_addr(&v[start], &v[start - 1]))
		start--;
	for (i = 0; i < n; i++) {
		const struct dns_member *member = &v[(start + i) % n];

		if (member->endpoint->addr.family != family || (last && same_addr(last, member)) ||
		    !slice_has_port(&a->found, member->slice))
			continue;
		last = member;
		if (!add_addr(a, &member->endpoint->addr))
			return;
	}
}

void kserv_dns_add_addresses(struct dns_answering *a)
{
	struct dns_service *service = a->found.service;

	if (a->found.kind == DNS_ENDPOINT)
		add_members(a, service->by_name + a->found.first, a->found.n);
	else if (a->found.kind == DNS_PORT && service->headless)
		add_members(a, service->members, service->n_members);
	else
		add_shuffled(a, a->parsed->question->type == ns_t_a ? &service->v4 : &service->v6);
}

/* Ports of the members that share one name, each once. Return: how many. */
static size_t name_ports(const struct dns_found *found, const struct dns_member *v, size_t n, uint16_t *ports)
{
	size_t used = 0, i, j, k;

	for (i = 0; i < n; i++) {
		for (j = 0; j < v[i].slice->ports.n && used < NAME_PORTS_MAX; j++) {
			const struct dns_port *port = &v[i].slice->ports.v[j];

			if (!kserv_dns_port_matches(found, port))
				continue;
			for (k = 0; k < used && ports[k] != port->port; k++)
				;
			if (k == used)
				ports[used++] = port->port;
		}
	}
	return used;
}

/* How many of @n members have the name of the first. */
static size_t same_name(const struct dns_member *v, size_t n)
{
	const uint8_t *label = v->endpoint->label;
	size_t i = 1;

	while (i < n && !memcmp(v[i].endpoint->label, label, label[0] + 1))
		i++;
	return i;
}

static bool add_one_srv(struct dns_answering *a, const uint8_t *label, uint16_t weight, uint16_t port)
{
	const struct dns_service *service = a->found.service;
	struct dns_writer *w = &a->w;

	kserv_dns_begin(w, a->name_at, ns_t_srv, a->zone->ttl);
	kserv_dns_write16(w, 0);
	kserv_dns_write16(w, weight);
	kserv_dns_write16(w, port);
	/* In full: pointers are for the types of RFC 1035 only (RFC 2782, RFC 3597). */
	if (label)
		kserv_dns_write(w, label, label[0] + 1);
	kserv_dns_write(w, service->key, service->key_len);
	kserv_dns_write(w, "\3svc", 4);
	kserv_dns_write(w, a->zone->name, a->zone->name_len);
	return end(a, DNS_AN);
}

static uint16_t srv_weight(size_t n)
{
	return n > 100 ? 1 : 100 / n;
}

static void add_name_glue(struct dns_answering *a, const struct dns_member *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct dns_endpoint *endpoint = v[i].endpoint;

		if (i && same_addr(&v[i], &v[i - 1]))
			continue;
		kserv_dns_begin_below(&a->w, endpoint->label, a->name_at + a->found.service_at,
				      family_type(endpoint->addr.family), a->zone->ttl);
		write_addr(&a->w, &endpoint->addr);
		if (!end(a, DNS_AR))
			return;
	}
}

/* Names of endpoints, with the endpoints' own ports. */
static void add_member_srv(struct dns_answering *a, const struct dns_member *v, size_t n)
{
	uint16_t ports[NAME_PORTS_MAX], weight;
	size_t total = 0, i, step, j, used;

	for (i = 0; i < n; i += same_name(v + i, n - i))
		total += name_ports(&a->found, v + i, same_name(v + i, n - i), ports);
	if (!total)
		return;
	weight = srv_weight(total);
	for (i = 0; i < n; i += step) {
		step = same_name(v + i, n - i);
		used = name_ports(&a->found, v + i, step, ports);
		for (j = 0; j < used; j++)
			if (!add_one_srv(a, v[i].endpoint->label, weight, ports[j]))
				return;
	}
	for (i = 0; i < n; i += step) {
		step = same_name(v + i, n - i);
		if (name_ports(&a->found, v + i, step, ports))
			add_name_glue(a, v + i, step);
	}
}

/* The Service's ports asked for, each number once: they are in the order of their numbers. */
static const struct dns_port *next_port(const struct dns_found *found, const struct dns_port *before)
{
	const struct dns_ports *ports = &found->service->ports;
	const struct dns_port *port = before ? before + 1 : ports->v;

	while (port < ports->v + ports->n && (!kserv_dns_port_matches(found, port) || (before && port->port == before->port)))
		port++;
	return port < ports->v + ports->n ? port : NULL;
}

static void add_glue(struct dns_answering *a, const struct dns_addresses *addrs)
{
	size_t i;

	for (i = 0; i < addrs->n; i++) {
		kserv_dns_begin(&a->w, a->name_at + a->found.service_at, family_type(addrs->v[i].family), a->zone->ttl);
		write_addr(&a->w, &addrs->v[i]);
		if (!end(a, DNS_AR))
			return;
	}
}

void kserv_dns_add_srv(struct dns_answering *a)
{
	struct dns_service *service = a->found.service;
	const struct dns_port *port;
	size_t n = 0;

	if (a->found.no_srv)
		return;
	if (a->found.kind == DNS_ENDPOINT) {
		add_member_srv(a, service->by_name + a->found.first, a->found.n);
		return;
	}
	if (service->headless) {
		add_member_srv(a, service->by_name, service->n_members);
		return;
	}
	for (port = next_port(&a->found, NULL); port; port = next_port(&a->found, port))
		n++;
	for (port = next_port(&a->found, NULL); port; port = next_port(&a->found, port))
		if (!add_one_srv(a, NULL, srv_weight(n), port->port))
			return;
	if (n) {
		add_glue(a, &service->v4);
		add_glue(a, &service->v6);
	}
}

static bool add_pointer(struct dns_answering *a, const struct dns_pointer *pointer)
{
	kserv_dns_begin(&a->w, a->name_at, ns_t_ptr, a->zone->ttl);
	if (pointer->label)
		kserv_dns_write(&a->w, pointer->label, pointer->label[0] + 1);
	kserv_dns_write(&a->w, pointer->service->key, pointer->service->key_len);
	write_below_domain(a, "\3svc", 4);
	return end(a, DNS_AN);
}

void kserv_dns_add_pointers(struct dns_answering *a)
{
	const struct dns_address *address = a->found.address;
	size_t i;

	for (i = 0; i < address->n; i++) {
		if (!address->v[i].label && kserv_pointer_counts(address, i)) {
			add_pointer(a, &address->v[i]);
			return;
		}
	}
	for (i = 0; i < address->n; i++)
		if (kserv_pointer_counts(address, i) && !add_pointer(a, &address->v[i]))
			return;
}

void kserv_dns_add_pod(struct dns_answering *a)
{
	if (a->parsed->question->type == family_type(a->found.addr.family))
		add_addr(a, &a->found.addr);
}

void kserv_dns_add_version(struct dns_answering *a)
{
	static const char version[] = "\0051.1.0";

	kserv_dns_begin(&a->w, a->name_at, ns_t_txt, 28800);
	kserv_dns_write(&a->w, version, sizeof(version) - 1);
	end(a, DNS_AN);
}

static void add_ns_glue(struct dns_answering *a, size_t ns_at, const struct dns_addresses *addrs)
{
	size_t i;

	for (i = 0; i < addrs->n; i++) {
		kserv_dns_begin(&a->w, ns_at, family_type(addrs->v[i].family), a->zone->ttl);
		write_addr(&a->w, &addrs->v[i]);
		if (!end(a, DNS_AR))
			return;
	}
}

void kserv_dns_add_ns(struct dns_answering *a)
{
	size_t ns_at;

	kserv_dns_begin(&a->w, a->name_at, ns_t_ns, a->zone->ttl);
	ns_at = a->w.len;
	write_below_domain(a, "\2ns\3dns", 7);
	if (!end(a, DNS_AN))
		return;
	add_ns_glue(a, ns_at, &a->zone->own->v4);
	add_ns_glue(a, ns_at, &a->zone->own->v6);
}

void kserv_dns_add_soa(struct dns_answering *a, enum dns_section section)
{
	struct dns_writer *w = &a->w;

	kserv_dns_begin(w, a->name_at + a->found.domain_at, ns_t_soa, a->zone->ttl);
	write_below_domain(a, "\2ns\3dns", 7);
	write_below_domain(a, "\12hostmaster", 11);
	kserv_dns_write32(w, a->zone->serial);
	kserv_dns_write32(w, 7200);
	kserv_dns_write32(w, 1800);
	kserv_dns_write32(w, 86400);
	/* How long a resolver remembers that there is nothing (RFC 2308). */
	kserv_dns_write32(w, a->zone->ttl);
	end(a, section);
}
