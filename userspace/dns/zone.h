/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cluster's DNS zone, made from the model, and the answer to a query as bytes. No I/O, no clock, no sockets: a
 * query goes in, an answer comes out. docs/dns.md lists the rules that answers follow.
 *
 * Changes are seen by the next answer. What a change costs goes by the size of the Service that it is about, not by
 * that of the cluster. Not for several threads at once.
 */
#ifndef KSERV_ZONE_H
#define KSERV_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cluster/cluster.h"

/* The largest UDP answer, and what our OPT says; larger ones would be sent in pieces on some ways. */
#define KSERV_DNS_UDP_MAX	1232
/* The largest message over TCP. */
#define KSERV_DNS_TCP_MAX	65535
/* Without EDNS a client takes no more over UDP (RFC 1035). */
#define KSERV_DNS_PLAIN_MAX	512
/* A name as it is sent, with its end. */
#define KSERV_DNS_NAME_MAX	255

/* Names like 10-244-1-5.default.pod.cluster.local. */
enum kserv_dns_pods {
	KSERV_DNS_PODS_DISABLED,	/* do not exist */
	KSERV_DNS_PODS_INSECURE,	/* exist for every address, if the namespace does */
	KSERV_DNS_PODS_VERIFIED,	/* exist for addresses that a Pod of the namespace has */
};

/**
 * struct kserv_zone_config - what a zone is made with; all strings are copied
 * @domain: NULL for "cluster.local"
 * @ttl: seconds, of all records but dns-version; at most 3600
 * @pods: which names pods have
 * @service_namespace: of the Service whose cluster IPs ns.dns.<domain> has; NULL for "kube-system"
 * @service_name: the Service's name; NULL for "kube-dns"
 * @recursive: names outside of the zone are for somebody else to answer; otherwise they are refused
 * @seed: of the order in which addresses are given; any number
 */
struct kserv_zone_config {
	const char *domain;
	uint32_t ttl;
	enum kserv_dns_pods pods;
	const char *service_namespace, *service_name;
	bool recursive;
	uint64_t seed;
};

/* CoreDNS' own default; kubeadm sets 30. */
#define KSERV_DNS_TTL		5

struct kserv_zone;

/**
 * kserv_zone_new() - an empty zone, which answers SERVFAIL until kserv_zone_set_synced()
 * @ret_why: on error a sentence, which the caller frees; may be NULL
 *
 * Return: 0 or -EINVAL.
 */
int kserv_zone_new(const struct kserv_zone_config *config, struct kserv_zone **ret_zone, char **ret_why);
void kserv_zone_free(struct kserv_zone *zone);

/*
 * One object came, changed or went. What is needed of it is copied. All of them may come in any order: a slice before
 * its Service, a Service before its Namespace. To set what is there already, or to delete what is not, is right.
 * A Pod only counts with KSERV_DNS_PODS_VERIFIED; with the others nobody has to watch Pods for DNS.
 */
void kserv_zone_set_service(struct kserv_zone *zone, const struct kserv_k8s_service *service);
void kserv_zone_delete_service(struct kserv_zone *zone, const char *namespace, const char *name);
void kserv_zone_set_slice(struct kserv_zone *zone, const struct kserv_slice *slice);
void kserv_zone_delete_slice(struct kserv_zone *zone, const char *namespace, const char *name);
void kserv_zone_set_pod(struct kserv_zone *zone, const struct kserv_pod *pod);
void kserv_zone_delete_pod(struct kserv_zone *zone, const char *namespace, const char *name);
void kserv_zone_set_namespace(struct kserv_zone *zone, const char *name);
void kserv_zone_delete_namespace(struct kserv_zone *zone, const char *name);

/*
 * Everything anew, as after a relist or from the embedded store: the zone is afterwards what @cluster says, and counts
 * as synced.
 */
void kserv_zone_load(struct kserv_zone *zone, const struct kserv_cluster *cluster);

/* True once all objects there are have been set; never becomes false when the API goes away. */
void kserv_zone_set_synced(struct kserv_zone *zone, bool synced);
bool kserv_zone_is_synced(const struct kserv_zone *zone);
/* The SOA's serial number; counts up with every change. Unix time is a good beginning. */
void kserv_zone_set_serial(struct kserv_zone *zone, uint32_t serial);
/* Whether there is somebody else to ask (recursive above). */
void kserv_zone_set_recursive(struct kserv_zone *zone, bool recursive);

enum kserv_dns_verdict {
	KSERV_DNS_ANSWER,	/* the answer is there */
	KSERV_DNS_FORWARD,	/* not ours: somebody else has to be asked for the question as it is */
	KSERV_DNS_CHASE,	/* an ExternalName leads outside: @target is to be asked for, see kserv_dns_finish() */
	KSERV_DNS_SILENCE,	/* no query at all, or an answer: nothing is sent */
};

/**
 * struct kserv_dns_question - a query taken apart
 * @id: as sent, network order
 * @name: in lower case, as labels
 * @name_len: with the empty label at the end
 * @type, @class: host order
 * @limit: the largest answer that the client takes over the transport it came by
 * @edns: it had an OPT; @dnssec_ok: with its DO bit
 * @recursion_desired, @checking_disabled: the RD and CD bits
 */
struct kserv_dns_question {
	uint16_t id;
	uint8_t name[KSERV_DNS_NAME_MAX];
	uint8_t name_len;
	uint16_t type, class;
	uint16_t limit;
	bool edns, dnssec_ok, recursion_desired, checking_disabled;
};

/**
 * struct kserv_dns_reply - what becomes of a query
 * @len: of the answer
 * @question: filled in for all but KSERV_DNS_SILENCE and answers that say FORMERR or NOTIMP
 * @target: for KSERV_DNS_CHASE, as labels in lower case
 */
struct kserv_dns_reply {
	enum kserv_dns_verdict verdict;
	size_t len;
	struct kserv_dns_question question;
	uint8_t target[KSERV_DNS_NAME_MAX];
	uint8_t target_len;
};

/**
 * kserv_dns_answer() - answer one query
 * @query: any bytes
 * @tcp: it came over TCP, so the answer may be long
 * @answer: KSERV_DNS_UDP_MAX bytes, or KSERV_DNS_TCP_MAX for @tcp
 */
void kserv_dns_answer(struct kserv_zone *zone, const uint8_t *query, size_t query_len, bool tcp, uint8_t *answer,
		      struct kserv_dns_reply *ret);

/**
 * kserv_dns_finish() - the same once the target of KSERV_DNS_CHASE is known
 * @upstream: the message that has the target's records; NULL: nobody could be asked, so the answer is SERVFAIL
 *
 * The verdict is KSERV_DNS_CHASE again only if the Service was changed meanwhile; then the caller answers SERVFAIL by
 * calling this with @upstream NULL.
 */
void kserv_dns_finish(struct kserv_zone *zone, const uint8_t *query, size_t query_len, bool tcp,
		      const uint8_t *upstream, size_t upstream_len, uint8_t *answer, struct kserv_dns_reply *ret);

/* An answer without records, as SERVFAIL or REFUSED. @code: RFC 1035's number. Return: its length. */
size_t kserv_dns_error(const uint8_t *query, size_t query_len, unsigned int code, uint8_t *answer);

#endif
