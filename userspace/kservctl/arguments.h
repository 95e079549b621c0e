/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading the words of a command line. Each function that returns bool has complained with usage_error() when it
 * returns false.
 */
#ifndef KSERVCTL_ARGUMENTS_H
#define KSERVCTL_ARGUMENTS_H

#include "lib/attributes.h"
#include "lib/transaction.h"

/* What an argument that stands for a service says. */
struct service_ref {
	char name[KSERV_NAME_LEN + 1];
	uint8_t protocol;
};

/**
 * struct service_parts - what a command line says about one service; may belong to both families
 * @family: AF_INET or AF_INET6 if the command line names one, else AF_UNSPEC
 * @service: name, protocol and the values of @members; its arrays are not used
 * @endpoint_given: for each of @endpoints, what the command line says about it
 */
struct service_parts {
	uint8_t family, mode;
	unsigned int members, endpoint_members;
	struct kserv_service service;
	struct kserv_frontend *frontends, *frontends_del;
	struct kserv_endpoint *endpoints, *endpoints_del;
	unsigned int *endpoint_given;
	size_t n_frontends, n_frontends_del, n_endpoints, n_endpoints_del;
};

/* "NAME/PROTOCOL", or NAME and PROTOCOL as two arguments; *@argc and *@argv are moved behind it. */
bool parse_service(int *argc, const char ***argv, struct service_ref *ret_ref);
/* "ipv4" or "ipv6", NULL for none. */
bool parse_family(const char *text, uint8_t *ret_family);
bool parse_number(const char *what, const char *text, uint32_t min, uint32_t max, uint32_t *ret_number);
/* Seconds: "90", "90s", "3m", "2h", "1d". */
bool parse_seconds(const char *what, const char *text, uint32_t *ret_seconds);
bool parse_word(const char *what, const struct kserv_words *words, const char *text, uint8_t *ret_value);
/* Words with "+" between them; "none" or "" for no flag. */
bool parse_flags(const char *what, const struct kserv_words *words, const char *text, uint32_t *ret_flags);
/* ADDRESS:PORT[,weight=N][,state=WORD][,flags=WORD+WORD]...; members given are added to *@members. */
bool parse_endpoint(const char *text, struct kserv_endpoint *ret_endpoint, unsigned int *members);
/* ADDRESS:PORT (PORT alone for a node port)[,flags=WORD+WORD][,source=CIDR+CIDR]; allocates the sources. */
bool parse_frontend(uint8_t type, const char *text, struct kserv_frontend *ret_frontend);
bool parse_prefix(const char *what, const char *text, struct kserv_prefix *ret_prefix);

/* Begin: the reference and the family. */
bool parts_init(struct service_parts *parts, int *argc, const char ***argv, const char *family);
bool parts_add_frontend(struct service_parts *parts, uint8_t type, const char *text, bool del);
bool parts_add_endpoint(struct service_parts *parts, const char *text, bool del);
/* Append the service of each family that the parts speak of. */
enum exit_code parts_build(const struct service_parts *parts, struct kserv_transaction *transaction);
void parts_clear(struct service_parts *parts);

/* Frees what an option of type POPT_ARG_ARGV or POPT_ARG_STRING got, and makes it NULL. */
void forget_argv(char ***argv);
void forget_string(char **text);

#endif
