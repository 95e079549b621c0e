/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands about the desired plane share: the embedded cluster, its files, selectors, and what was typed. */
#ifndef KSERVCTL_DESIRED_H
#define KSERVCTL_DESIRED_H

#include "cluster/manifest.h"
#include "control/answer.h"
#include "kservctl/kservctl.h"
#include "source/embedded.h"

/* Options that all of them have: -n, --store, --config, --socket; and the last alone. */
extern struct poptOption cluster_options[];
extern struct poptOption socket_options[];

/* The namespace meant: -n, or "default". */
const char *chosen_namespace(void);
/* True if -n was given. */
bool namespace_given(void);

/* Opens the embedded cluster, or says why not. @create: make the store if it is not there. Returns DONE or REFUSED. */
enum exit_code open_cluster(bool create, struct kserv_embedded *ret);

/*
 * The socket of the daemon that serves the cluster, or NULL if there is none: then the store is worked on directly, as
 * it is where --store or KSERV_STORE names one.
 */
const char *daemon_socket(void);
/* Objects of a kind, from the daemon at @socket or, without one, from @embedded. Return: 0, or -errno with errors added. */
int list_objects(struct kserv_embedded *embedded, const struct kserv_kind *kind, struct kserv_objects *ret,
		 struct kserv_errors *errors);

/* One request without a body; says why if it was not answered with 200. */
enum exit_code get_from_daemon(const char *path, struct kserv_text *ret);

/**
 * ask_daemon() - have the daemon make a change
 * @path: KSERV_CONTROL_*
 * @ret: to be cleared, whatever comes back
 *
 * Return: DONE if it answered, whatever that is; REFUSED after saying why not.
 */
enum exit_code ask_daemon(const char *path, const struct kserv_control_request *request,
			  struct kserv_control_answer *ret);

/* One line for each, ordered by place. Frees them. */
void print_errors(struct kserv_errors *errors);

/**
 * read_files() - read manifests from files, folders ("*.yaml", "*.yml", "*.json" in them) and "-"
 * @recursive: also folders in folders
 *
 * Return: 0, or -errno with errors added.
 */
int read_files(const char *const *paths, bool recursive, struct kserv_manifests *manifests,
	       struct kserv_errors *errors);
/* The texts that read_files() has read, until the program ends. */
const struct kserv_control_file *files_read(size_t *ret_n);

/* Objects named as kubectl takes them: "svc", "svc web db", "svc/web po/x", "svc,po". */
struct target {
	const struct kserv_kind *kind;
	const char *name;		/* NULL: all of the kind */
	char *copy;			/* memory behind @name, or NULL */
};

struct targets {
	struct target *v;
	size_t n;
};

/* Says what is wrong and returns false if it is no such list. */
bool parse_targets(int argc, const char **argv, struct targets *ret);
void targets_clear(struct targets *targets);

/* A label selector as -l takes it: "app=web,tier!=db,env in (a,b),!old". */
struct selector;
/* NULL, after it said why, if @text is none. */
struct selector *selector_parse(const char *text);
bool selector_matches(const struct selector *selector, const struct kserv_value *object);
void selector_free(struct selector *selector);

/* How a transaction of the store reaches the kernel. */
struct programmed {
	bool done;			/* false: --no-kernel, or no module */
	uint32_t generation;
	uint64_t duration_us;
};

/**
 * make_tables() - what the kernel should hold for the cluster as it is stored
 * @warn: say what plan found odd
 * @ret: cleared by the caller on success
 *
 * Return: 0, or -errno after it said why not.
 */
int make_tables(struct kserv_embedded *embedded, bool warn, struct kserv_tables *ret);

/**
 * program_kernel() - bring the kernel in step with the cluster as the open transaction leaves it
 *
 * Return: DONE; NO_MODULE, after it said so, if there is no module; REFUSED, after the kernel's words were printed:
 * it holds what it held before.
 */
enum exit_code program_kernel(struct kserv_embedded *embedded, struct programmed *ret);

/* End the transaction: commit, or undo it in the kernel as well where it cannot be committed. */
enum exit_code commit_cluster(struct kserv_embedded *embedded, const struct programmed *programmed);

/* What plan found odd; frees it. */
void print_warnings(struct kserv_warnings *warnings);

/* "2 objects, 1 changed; kernel generation 118 in 1.9 ms" */
void print_summary(const struct kserv_changes *changes, const struct programmed *programmed);

/* "service/web"; the caller frees it. */
char *object_word(const struct kserv_kind *kind, const char *name);
/* "45s", "3d4h" as kubectl writes ages; "<unknown>" if there is no such time. The caller frees it. */
char *age_of(const struct kserv_value *object);

/* Rows of get, one function for all kinds. */
const char *get_headings(const struct kserv_kind *kind, bool wide);
/* Cells with tabs; the caller frees it. */
char *get_row(const struct kserv_kind *kind, const struct kserv_value *object, bool wide);
/* "80:30417/TCP,443/TCP" and the like; the caller frees them. */
char *service_ports(const struct kserv_value *service);
char *service_external_ips(const struct kserv_value *service);
/* "10.0.0.1:80,10.0.0.2:80 + 3 more..." of an Endpoints object. */
char *endpoints_text(const struct kserv_value *endpoints);

/* Both texts as a unified diff on stdout; nothing if they are the same. Returns true if they differ. */
bool print_diff(const char *name, const char *before, const char *after);

#endif
