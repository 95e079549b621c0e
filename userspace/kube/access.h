/* SPDX-License-Identifier: GPL-2.0 */
/* Where the API server is and as whom to speak to it: what a kubeconfig or a Pod's service account says. */
#ifndef KSERV_ACCESS_H
#define KSERV_ACCESS_H

#include "cluster/cluster.h"
#include "cluster/errors.h"
#include "cluster/memory.h"

/* Something given as a file or by its content; the content wins. @content.s is NULL if there is none. */
struct kserv_access_file {
	char *path;			/* "" */
	struct kserv_text content;
};

/**
 * struct kserv_access_plugin - a command that makes credentials (client.authentication.k8s.io)
 * @command: "" if there is none; with a slash in it an absolute path
 * @env: set besides our own
 * @hint: how to install it, for the error when it is not there
 */
struct kserv_access_plugin {
	char *command, *api_version, *hint;
	struct kserv_strings args;
	struct kserv_labels env;
	bool provide_cluster;
};

/**
 * struct kserv_access - strings are "" if they are not given
 * @server: URL without a slash at its end
 * @tls_name: to verify the server's certificate by, instead of the host in the URL
 * @ca: the only certificates to trust; the system's if there are none
 * @token_file: wins over @token, and is read again as it changes
 * @namespace: "default" if none is given
 */
struct kserv_access {
	char *server, *tls_name, *proxy, *namespace;
	struct kserv_access_file ca, cert, key;
	bool insecure, no_compression;
	char *token, *token_file, *username, *password;
	char *as, *as_uid;
	struct kserv_strings as_groups;
	struct kserv_labels as_extra;	/* a label for each value */
	struct kserv_access_plugin plugin;
};

/**
 * kserv_access_find() - by options of struct kserv_kube_options, which says in which order
 * Return: 0, -ENOENT or -EINVAL, both with errors added; warnings may be added with all of them.
 */
int kserv_access_find(const char *kubeconfig, const char *context, const char *server, const char *service_account,
		      struct kserv_access *ret, struct kserv_errors *errors);
/* All strings "". */
void kserv_access_init(struct kserv_access *access);
void kserv_access_clear(struct kserv_access *access);

/* A file's text without blanks at its end. Return: 0 or -errno. */
int kserv_access_read_word(const char *path, char **ret);

/* Base64 with padding; blanks are passed over. Return: 0 or -EINVAL. */
int kserv_base64_read(const char *text, struct kserv_text *ret);

#endif
