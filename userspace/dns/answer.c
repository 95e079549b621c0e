// SPDX-License-Identifier: GPL-2.0
/* From a query to its answer. */
#include "dns/answer.h"

/* Header and question; the flags follow when all is known. */
static void begin(struct dns_answering *a, const struct dns_parsed *parsed, const uint8_t *query, uint8_t *answer)
{
	const struct kserv_dns_question *question = parsed->question;

	a->parsed = parsed;
	a->w = (struct dns_writer){
		.message = answer,
		.len = parsed->question_end,
		.limit = question->limit - (question->edns ? DNS_OPT_SIZE : 0),
	};
	/* As it was sent: its letters may be in any case, and some clients check that they come back the same. */
	memcpy(answer, query, parsed->question_end);
	a->w.flags = DNS_QR | (dns_get16(query + 2) & (DNS_OPCODE | DNS_RD | DNS_CD));
}

static size_t finish(struct dns_answering *a)
{
	const struct kserv_dns_question *question = a->parsed->question;
	struct dns_writer *w = &a->w;
	uint8_t *opt;
	int i;

	if (a->truncated)
		w->flags |= DNS_TC;
	if (question->edns && a->code != DNS_FORMERR) {
		opt = w->message + w->len;
		opt[0] = 0;
		dns_put16(opt + 1, ns_t_opt);
		dns_put16(opt + 3, KSERV_DNS_UDP_MAX);
		dns_put32(opt + 5, (uint32_t)(a->code >> 4) << 24 | (question->dnssec_ok ? 0x8000 : 0));
		dns_put16(opt + 9, 0);
		w->len += DNS_OPT_SIZE;
		w->counts[DNS_AR]++;
	}
	dns_put16(w->message + 2, w->flags | (a->code & 0xf));
	dns_put16(w->message + 4, a->parsed->question_end > DNS_HEADER);
	for (i = DNS_AN; i <= DNS_AR; i++)
		dns_put16(w->message + 4 + 2 * i, w->counts[i]);
	return w->len;
}

static void add_records(struct dns_answering *a)
{
	uint16_t type = a->parsed->question->type;
	bool is_address = type == ns_t_a || type == ns_t_aaaa;

	switch (a->found.kind) {
	case DNS_SERVICE:
	case DNS_PORT:
	case DNS_ENDPOINT:
		if (is_address)
			kserv_dns_add_addresses(a);
		else if (type == ns_t_srv)
			kserv_dns_add_srv(a);
		break;
	case DNS_POD:
		kserv_dns_add_pod(a);
		break;
	case DNS_REVERSE:
		if (type == ns_t_ptr)
			kserv_dns_add_pointers(a);
		break;
	case DNS_VERSION:
		if (type == ns_t_txt)
			kserv_dns_add_version(a);
		break;
	case DNS_APEX:
		if (type == ns_t_soa)
			kserv_dns_add_soa(a, DNS_AN);
		else if (type == ns_t_ns)
			kserv_dns_add_ns(a);
		break;
	case DNS_OUTSIDE:
	case DNS_NOTHING:
	case DNS_EMPTY:
	case DNS_EXTERNAL:
		break;
	}
}

/* The name leads somewhere: its records, or the right word for none. */
static void answer_found(struct dns_answering *a)
{
	unsigned int before = a->w.counts[DNS_AN];

	a->w.flags |= DNS_AA;
	if (a->found.kind == DNS_NOTHING)
		a->code = DNS_NXDOMAIN;
	else
		add_records(a);
	if (a->w.counts[DNS_AN] == before && !a->truncated)
		kserv_dns_add_soa(a, DNS_NS);
}

static bool add_cname(struct dns_answering *a, const uint8_t *target, uint8_t target_len, size_t *ret_at)
{
	kserv_dns_begin(&a->w, a->name_at, ns_t_cname, a->zone->ttl);
	*ret_at = a->w.len;
	kserv_dns_write(&a->w, target, target_len);
	a->truncated = !kserv_dns_end(&a->w, DNS_AN);
	return !a->truncated;
}

static uint8_t name_length(const uint8_t *name)
{
	struct kserv_dns_labels labels;

	kserv_dns_labels_find(name, &labels);
	return labels.at[labels.n] + 1;
}

/* The target is not ours: with nobody to ask, the client goes on by the CNAME alone. */
static void leave_zone(struct dns_answering *a, const uint8_t *target, uint8_t target_len, struct kserv_dns_reply *ret)
{
	if (a->upstream) {
		kserv_dns_add_upstream(a, target, target_len);
	} else if (a->zone->recursive) {
		ret->verdict = KSERV_DNS_CHASE;
		memcpy(ret->target, target, target_len);
		ret->target_len = target_len;
	}
}

/* An ExternalName: CNAME after CNAME, as far as they are ours. */
static void answer_external(struct dns_answering *a, struct kserv_dns_reply *ret)
{
	const struct dns_service *been[DNS_CHAIN_MAX];
	uint16_t type = a->parsed->question->type;
	struct kserv_dns_labels labels;
	unsigned int n, i;

	for (n = 0; a->found.kind == DNS_EXTERNAL && n < DNS_CHAIN_MAX; n++) {
		const uint8_t *target = a->found.service->target;
		uint8_t target_len = name_length(target);

		for (i = 0; i < n; i++)
			if (been[i] == a->found.service)
				return;
		been[n] = a->found.service;
		a->w.flags |= DNS_AA;
		if (!add_cname(a, target, target_len, &a->name_at) || type == ns_t_cname)
			return;
		kserv_dns_labels_find(target, &labels);
		kserv_zone_lookup(a->zone, target, target_len, &labels, &a->found);
		if (a->found.kind == DNS_OUTSIDE) {
			leave_zone(a, target, target_len, ret);
			return;
		}
	}
	if (a->found.kind != DNS_EXTERNAL)
		answer_found(a);
}

/* Types that are about whole zones or about the message itself, and no record's. */
static bool is_refused_type(uint16_t type)
{
	return type == ns_t_opt || (type >= ns_t_tkey && type <= ns_t_maila);
}

static void answer_question(struct dns_answering *a, struct kserv_dns_reply *ret)
{
	const struct kserv_dns_question *question = a->parsed->question;
	uint16_t type = question->type;

	if (question->class != ns_c_in || is_refused_type(type)) {
		a->code = DNS_REFUSED;
		return;
	}
	kserv_zone_lookup(a->zone, question->name, question->name_len, &a->parsed->labels, &a->found);
	if (a->zone->recursive)
		a->w.flags |= DNS_RA;
	if (a->found.kind == DNS_OUTSIDE) {
		a->code = DNS_REFUSED;
		if (a->zone->recursive)
			ret->verdict = KSERV_DNS_FORWARD;
		return;
	}
	if (!a->zone->synced) {
		a->code = DNS_SERVFAIL;
		return;
	}
	a->name_at = DNS_HEADER;
	if (a->found.kind != DNS_REVERSE)
		a->w.domain_at = DNS_HEADER + a->found.domain_at;
	if (a->found.kind == DNS_EXTERNAL && (type == ns_t_a || type == ns_t_aaaa || type == ns_t_cname))
		answer_external(a, ret);
	else
		answer_found(a);
}

/* Nothing is kept of an answer that turned out to be a failure. */
static void start_over(struct dns_answering *a)
{
	a->w.len = a->parsed->question_end;
	memset(a->w.counts, 0, sizeof(a->w.counts));
	a->w.flags &= ~DNS_AA;
	a->truncated = false;
}

void kserv_dns_finish(struct kserv_zone *zone, const uint8_t *query, size_t query_len, bool tcp,
		      const uint8_t *upstream, size_t upstream_len, uint8_t *answer, struct kserv_dns_reply *ret)
{
	struct dns_answering a;
	struct dns_parsed parsed;

	a.zone = zone;
	a.upstream = upstream;
	a.upstream_len = upstream_len;
	a.truncated = false;
	ret->verdict = KSERV_DNS_SILENCE;
	ret->len = 0;
	ret->target_len = 0;
	parsed.question = &ret->question;
	if (!kserv_dns_query_parse(query, query_len, tcp, &parsed))
		return;
	if (zone->dirty)
		kserv_records_settle(zone);
	begin(&a, &parsed, query, answer);
	ret->verdict = KSERV_DNS_ANSWER;
	a.code = parsed.code;
	if (!parsed.code)
		answer_question(&a, ret);
	if (a.code == DNS_SERVFAIL)
		start_over(&a);
	ret->len = finish(&a);
}

void kserv_dns_answer(struct kserv_zone *zone, const uint8_t *query, size_t query_len, bool tcp, uint8_t *answer,
		      struct kserv_dns_reply *ret)
{
	kserv_dns_finish(zone, query, query_len, tcp, NULL, 0, answer, ret);
}

size_t kserv_dns_error(const uint8_t *query, size_t query_len, unsigned int code, uint8_t *answer)
{
	struct kserv_dns_question question;
	struct dns_parsed parsed = { .question = &question };
	struct dns_answering a = { .code = code };

	if (!kserv_dns_query_parse(query, query_len, false, &parsed))
		return 0;
	begin(&a, &parsed, query, answer);
	a.code = parsed.code ? parsed.code : code;
	return finish(&a);
}
