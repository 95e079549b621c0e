// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cluster/file.h"
#include "kube/access.h"
#include "kube/kubeconfig.h"

#define WORDS_MAX	20
#define SERVICE_ACCOUNT	"/var/run/secrets/kubernetes.io/serviceaccount"

int kserv_base64_read(const char *text, struct kserv_text *ret)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0, padding = 0;
	uint32_t bits = 0;
	const char *found;
	char bytes[3];

	for (; *text; text++) {
		if (strchr(" \t\r\n", *text))
			continue;
		found = strchr(digits, *text);
		if (*text == '=')
			padding++;
		else if (!found || padding)
			return -EINVAL;
		bits = bits << 6 | (found ? (uint32_t)(found - digits) : 0);
		if (++n % 4)
			continue;
		bytes[0] = bits >> 16;
		bytes[1] = bits >> 8;
		bytes[2] = bits;
		if (padding > 2)
			return -EINVAL;
		kserv_text_add_bytes(ret, bytes, 3 - padding);
	}
	return n % 4 ? -EINVAL : 0;
}

int kserv_access_read_word(const char *path, char **ret)
{
	struct kserv_text text = { 0 };
	int error = kserv_file_read(path, &text);

	if (error) {
		kserv_text_clear(&text);
		return error;
	}
	while (text.len && strchr(" \t\r\n", text.s[text.len - 1]))
		text.s[--text.len] = '\0';
	*ret = kserv_text_take(&text);
	return 0;
}

/* All members that are single strings. */
static size_t list_words(struct kserv_access *access, char ***ret)
{
	char **const v[WORDS_MAX] = {
		&access->server, &access->tls_name, &access->proxy, &access->namespace, &access->token,
		&access->token_file, &access->username, &access->password, &access->as, &access->as_uid,
		&access->plugin.command, &access->plugin.api_version, &access->plugin.hint, &access->ca.path,
		&access->cert.path, &access->key.path,
	};
	size_t n = 0;

	for (; n < WORDS_MAX && v[n]; n++)
		ret[n] = v[n];
	return n;
}

void kserv_access_init(struct kserv_access *access)
{
	char **v[WORDS_MAX];
	size_t i, n = list_words(access, v);

	*access = (struct kserv_access){ 0 };
	for (i = 0; i < n; i++)
		*v[i] = kserv_must_strdup("");
}

void kserv_access_clear(struct kserv_access *access)
{
	char **v[WORDS_MAX];
	size_t i, n = list_words(access, v);

	for (i = 0; i < n; i++)
		free(*v[i]);
	kserv_text_clear(&access->ca.content);
	kserv_text_clear(&access->cert.content);
	kserv_text_clear(&access->key.content);
	kserv_strings_clear(&access->as_groups);
	kserv_labels_clear(&access->as_extra);
	kserv_strings_clear(&access->plugin.args);
	kserv_labels_clear(&access->plugin.env);
	*access = (struct kserv_access){ 0 };
}

static void set(char **to, char *made)
{
	free(*to);
	*to = made;
}

/* Return: 0, -ENOENT (nothing said about it), or -EINVAL with an error added. */
static int add_file(struct kserv_kubeconfig *config, const char *path, struct kserv_errors *errors)
{
	struct kserv_text text = { 0 };
	int error = kserv_file_read(path, &text);

	if (!error) {
		error = kserv_kubeconfig_add(config, path, text.s ? text.s : "", text.len, errors);
	} else if (error != -ENOENT) {
		kserv_errors_add(errors, 0, 0, "", "the kubeconfig %s cannot be read: %s", path, strerror(-error));
		error = -EINVAL;
	}
	kserv_text_clear(&text);
	return error;
}

/* Files separated by colons; those that are not there do not count. */
static int add_files(struct kserv_kubeconfig *config, const char *paths, struct kserv_errors *errors)
{
	char *copy = kserv_must_strdup(paths), *path, *rest = copy;
	int error = 0;

	while (!error && (path = strsep(&rest, ":"))) {
		if (!*path)
			continue;
		error = add_file(config, path, errors);
		if (error == -ENOENT)
			error = 0;
	}
	free(copy);
	if (error || config->n)
		return error;
	kserv_errors_add(errors, 0, 0, "", "none of the kubeconfig files in $KUBECONFIG (%s) is there", paths);
	return -ENOENT;
}

static int add_home(struct kserv_kubeconfig *config, struct kserv_errors *errors)
{
	const char *home = getenv("HOME");
	char *path = kserv_must_printf("%s/.kube/config", home ? home : "");
	int error = add_file(config, path, errors);

	free(path);
	return error;
}

/* The address that every container has in its environment, and the account that is mounted into it. */
static int in_pod(const char *folder, struct kserv_access *ret, struct kserv_errors *errors)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
	char *path, *namespace;

	set(&ret->token_file, kserv_must_printf("%s/token", folder));
	if (!host || !port || !*host || access(ret->token_file, F_OK))
		return -ENOENT;
	set(&ret->server, kserv_must_printf(strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port));
	set(&ret->ca.path, kserv_must_printf("%s/ca.crt", folder));
	path = kserv_must_printf("%s/namespace", folder);
	if (!kserv_access_read_word(path, &namespace))
		set(&ret->namespace, namespace);
	free(path);
	if (access(ret->ca.path, R_OK)) {
		kserv_errors_add(errors, 0, 0, "",
				 "the service account in %s has no ca.crt to verify the API server by", folder);
		return -EINVAL;
	}
	return 0;
}

/* Without a kubeconfig that was asked for. */
static int find_usual(struct kserv_kubeconfig *config, const char *server, const char *folder,
		      struct kserv_access *ret, struct kserv_errors *errors)
{
	int error = in_pod(folder ? folder : SERVICE_ACCOUNT, ret, errors);

	if (!error && !*server)
		kserv_errors_add(errors, 0, 0, "", "warning: the API server is reached at %s, which is a Service that "
				 "kserv makes itself; name the server's own address to be independent of it",
				 ret->server);
	if (error != -ENOENT)
		return error;
	kserv_access_clear(ret);
	kserv_access_init(ret);
	error = folder ? -ENOENT : add_home(config, errors);
	if (error != -ENOENT || *server)
		return error == -ENOENT ? 0 : error;
	kserv_errors_add(errors, 0, 0, "", "there is neither a kubeconfig ($KUBECONFIG, ~/.kube/config) nor a Pod's "
			 "service account in %s, so the API server is not known", folder ? folder : SERVICE_ACCOUNT);
	return -ENOENT;
}

static int take_server(struct kserv_access *ret, const char *server, struct kserv_errors *errors)
{
	size_t len = strlen(server);

	if (strncmp(server, "https://", 8) && strncmp(server, "http://", 7)) {
		kserv_errors_add(errors, 0, 0, "", "the API server should be a URL that begins with https:// or "
				 "http://, not \"%s\"", server);
		return -EINVAL;
	}
	while (len && server[len - 1] == '/')
		len--;
	set(&ret->server, kserv_must_printf("%.*s", (int)len, server));
	return 0;
}

/* It may still be made; until then requests say nothing of who we are. */
static void warn_of_token(const struct kserv_access *found, struct kserv_errors *errors)
{
	if (*found->token_file && access(found->token_file, R_OK))
		kserv_errors_add(errors, 0, 0, "", "warning: the token file %s cannot be read: %s", found->token_file,
				 strerror(errno));
}

int kserv_access_find(const char *kubeconfig, const char *context, const char *server, const char *service_account,
		      struct kserv_access *ret, struct kserv_errors *errors)
{
	const char *listed = getenv("KUBECONFIG"), *asked = kubeconfig ? kubeconfig : "";
	struct kserv_kubeconfig config = { 0 };
	int error;

	kserv_access_init(ret);
	server = server ? server : "";
	if (*asked) {
		error = add_file(&config, asked, errors);
		if (error == -ENOENT)
			kserv_errors_add(errors, 0, 0, "", "the kubeconfig %s is not there", asked);
	} else if (listed && *listed) {
		error = add_files(&config, listed, errors);
	} else {
		error = find_usual(&config, server, service_account, ret, errors);
	}
	if (!error && config.n)
		error = kserv_kubeconfig_access(&config, context ? context : "", ret, errors);
	kserv_kubeconfig_clear(&config);
	if (!error && *server)
		error = take_server(ret, server, errors);
	if (!error && !*ret->namespace)
		set(&ret->namespace, kserv_must_strdup("default"));
	if (error)
		kserv_access_clear(ret);
	else
		warn_of_token(ret, errors);
	return error;
}
