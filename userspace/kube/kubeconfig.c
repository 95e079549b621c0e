// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/read.h"
#include "cluster/yaml.h"
#include "kube/kubeconfig.h"

/* The entry of a context, and the file it stands in. */
struct found {
	const struct kserv_kubeconfig_file *file;
	const struct kserv_value *entry, *value;
};

int kserv_kubeconfig_add(struct kserv_kubeconfig *config, const char *path, const char *text, size_t len,
			 struct kserv_errors *errors)
{
	struct kserv_kubeconfig_file *file;
	int error;

	config->files = kserv_must_grow(config->files, config->n, sizeof(*config->files));
	file = &config->files[config->n++];
	file->path = kserv_must_strdup(path);
	errors->source = path;
	error = kserv_yaml_read(&file->tree, text, len, 1, errors);
	if (!error && file->tree.root->type != KSERV_VALUE_MAP && file->tree.root->type != KSERV_VALUE_NULL) {
		kserv_error_at(errors, file->tree.root, "a kubeconfig is a map with clusters, users and contexts");
		error = -EINVAL;
	}
	errors->source = NULL;
	return error;
}

void kserv_kubeconfig_clear(struct kserv_kubeconfig *config)
{
	size_t i;

	for (i = 0; i < config->n; i++) {
		free(config->files[i].path);
		kserv_tree_clear(&config->files[i].tree);
	}
	free(config->files);
	*config = (struct kserv_kubeconfig){ 0 };
}

/* The first entry called @name of the list @list ("users") in any of the files; its part @part ("user"). */
static bool find(const struct kserv_kubeconfig *config, const char *list, const char *part, const char *name,
		 struct found *ret)
{
	const struct kserv_value *entry;
	size_t i;

	for (i = 0; i < config->n; i++) {
		entry = kserv_value_first(kserv_value_find(config->files[i].tree.root, list));
		for (; entry; entry = entry->next) {
			if (strcmp(kserv_value_string(entry, "name"), name))
				continue;
			*ret = (struct found){ &config->files[i], entry, kserv_value_find(entry, part) };
			return true;
		}
	}
	return false;
}

static const char *current_context(const struct kserv_kubeconfig *config)
{
	const char *name;
	size_t i;

	for (i = 0; i < config->n; i++) {
		name = kserv_value_string(config->files[i].tree.root, "current-context");
		if (*name)
			return name;
	}
	return "";
}

/* A value that should be a string: absent is "", and so is one of another type, with an error added. */
static const char *text_of(const struct found *at, const char *key, struct kserv_errors *errors)
{
	const struct kserv_value *value = kserv_value_find(at->value, key);

	if (!value)
		return "";
	if (value->type == KSERV_VALUE_STRING)
		return value->text;
	errors->source = at->file->path;
	kserv_error_at(errors, value, "should be a string: write it in quotes");
	return "";
}

static bool flag_of(const struct found *at, const char *key, struct kserv_errors *errors)
{
	const struct kserv_value *value = kserv_value_find(at->value, key);

	if (!value)
		return false;
	if (value->type == KSERV_VALUE_BOOL)
		return value->boolean;
	errors->source = at->file->path;
	kserv_error_at(errors, value, "should be true or false");
	return false;
}

static void set_strings(struct kserv_strings *to, const struct found *at, const char *key, struct kserv_errors *errors)
{
	const struct kserv_value *list = kserv_value_find(at->value, key), *member;

	for (member = kserv_value_first(list); member; member = member->next)
		if (member->type != KSERV_VALUE_STRING) {
			errors->source = at->file->path;
			kserv_error_at(errors, member, "should be a string: write it in quotes");
		}
	kserv_read_strings(list, to);
}

static void set(char **to, const char *s)
{
	free(*to);
	*to = kserv_must_strdup(s);
}

/* Paths are relative to the file that names them. */
static void set_path(char **to, const struct found *at, const char *path)
{
	const char *slash = strrchr(at->file->path, '/');

	free(*to);
	if (!*path || *path == '/' || !slash)
		*to = kserv_must_strdup(path);
	else
		*to = kserv_must_printf("%.*s/%s", (int)(slash - at->file->path), at->file->path, path);
}

static void set_file(struct kserv_access_file *file, const struct found *at, const char *key,
		     struct kserv_errors *errors)
{
	char *data_key = kserv_must_printf("%s-data", key);
	const char *data = text_of(at, data_key, errors);

	set_path(&file->path, at, text_of(at, key, errors));
	if (*data && kserv_base64_read(data, &file->content)) {
		errors->source = at->file->path;
		kserv_error_at(errors, kserv_value_find(at->value, data_key), "is not valid base64");
	}
	free(data_key);
}

static void set_server(struct kserv_access *access, const struct found *at, struct kserv_errors *errors)
{
	const char *server = text_of(at, "server", errors);
	size_t len = strlen(server);

	errors->source = at->file->path;
	if (!*server)
		kserv_error_missing(errors, at->value ? at->value : at->entry, "server",
				    "is missing: the URL of the API server");
	else if (strncmp(server, "https://", 8) && strncmp(server, "http://", 7))
		kserv_error_at(errors, kserv_value_find(at->value, "server"),
			       "should be a URL that begins with https:// or http://, not \"%s\"", server);
	set(&access->server, server);
	while (len && access->server[len - 1] == '/')
		access->server[--len] = '\0';
}

static void read_cluster(struct kserv_access *access, const struct found *at, struct kserv_errors *errors)
{
	set_server(access, at, errors);
	set(&access->tls_name, text_of(at, "tls-server-name", errors));
	set(&access->proxy, text_of(at, "proxy-url", errors));
	set_file(&access->ca, at, "certificate-authority", errors);
	access->insecure = flag_of(at, "insecure-skip-tls-verify", errors);
	access->no_compression = flag_of(at, "disable-compression", errors);
	errors->source = at->file->path;
	if (access->insecure && (*access->ca.path || access->ca.content.len))
		kserv_error_at(errors, kserv_value_find(at->value, "insecure-skip-tls-verify"),
			       "cannot be true where a certificate-authority is given");
	else if (access->insecure)
		kserv_error_at(errors, kserv_value_find(at->value, "insecure-skip-tls-verify"),
			       "warning: anybody on the way can pose as the API server; give certificate-authority "
			       "instead");
}

static void read_plugin(struct kserv_access *access, const struct found *user, struct kserv_errors *errors)
{
	struct found at = { user->file, user->entry, kserv_value_find(user->value, "exec") };
	struct kserv_access_plugin *plugin = &access->plugin;
	struct found variable = at;
	const char *command;

	if (!at.value)
		return;
	command = text_of(&at, "command", errors);
	/* A bare name is looked up in PATH. */
	if (strchr(command, '/'))
		set_path(&plugin->command, &at, command);
	else
		set(&plugin->command, command);
	set(&plugin->api_version, text_of(&at, "apiVersion", errors));
	set(&plugin->hint, text_of(&at, "installHint", errors));
	plugin->provide_cluster = flag_of(&at, "provideClusterInfo", errors);
	set_strings(&plugin->args, &at, "args", errors);
	variable.value = kserv_value_first(kserv_value_find(at.value, "env"));
	for (; variable.value; variable.value = variable.value->next)
		kserv_labels_add(&plugin->env, text_of(&variable, "name", errors), text_of(&variable, "value", errors));
	errors->source = at.file->path;
	if (!*command)
		kserv_error_missing(errors, at.value, "command", "is missing: the plugin to run");
	if (strcmp(plugin->api_version, "client.authentication.k8s.io/v1") &&
	    strcmp(plugin->api_version, "client.authentication.k8s.io/v1beta1"))
		kserv_error_at(errors, at.value, "apiVersion should be client.authentication.k8s.io/v1 or "
			       "client.authentication.k8s.io/v1beta1, not \"%s\"", plugin->api_version);
	if (!strcmp(text_of(&at, "interactiveMode", errors), "Always"))
		kserv_error_at(errors, kserv_value_find(at.value, "interactiveMode"),
			       "is Always, but there is nobody here to answer the plugin");
}

/* Extra has a list of values to each key. */
static void read_impersonation(struct kserv_access *access, const struct found *at, struct kserv_errors *errors)
{
	const struct kserv_value *extra = kserv_value_find(at->value, "as-user-extra"), *key, *value;

	set(&access->as, text_of(at, "as", errors));
	set(&access->as_uid, text_of(at, "as-uid", errors));
	set_strings(&access->as_groups, at, "as-groups", errors);
	key = kserv_value_is(extra, KSERV_VALUE_MAP) ? extra->first : NULL;
	for (; key; key = key->next)
		for (value = kserv_value_first(key); value; value = value->next)
			kserv_labels_add(&access->as_extra, key->key, value->text);
	errors->source = at->file->path;
	if (!*access->as && (*access->as_uid || access->as_groups.n || access->as_extra.n))
		kserv_error_at(errors, at->entry, "as-uid, as-groups and as-user-extra need a user in \"as\"");
}

static void read_user(struct kserv_access *access, const struct found *at, struct kserv_errors *errors)
{
	set_file(&access->cert, at, "client-certificate", errors);
	set_file(&access->key, at, "client-key", errors);
	set(&access->token, text_of(at, "token", errors));
	set_path(&access->token_file, at, text_of(at, "tokenFile", errors));
	set(&access->username, text_of(at, "username", errors));
	set(&access->password, text_of(at, "password", errors));
	read_plugin(access, at, errors);
	read_impersonation(access, at, errors);
	errors->source = at->file->path;
	if ((*access->cert.path || access->cert.content.len) != (*access->key.path || access->key.content.len))
		kserv_error_at(errors, at->entry, "client-certificate and client-key need each other");
	if (kserv_value_find(at->value, "auth-provider"))
		kserv_error_at(errors, kserv_value_find(at->value, "auth-provider"),
			       "is no longer supported by Kubernetes: use exec");
}

static size_t real_errors(const struct kserv_errors *errors)
{
	size_t i, n = errors->more;

	for (i = 0; i < errors->n; i++)
		n += strncmp(errors->v[i].text, "warning: ", 9) != 0;
	return n;
}

/* The entry that a context names by @key, or an error. An empty name is fine for a user: requests are anonymous. */
static bool follow(const struct kserv_kubeconfig *config, const struct found *context, const char *list,
		   const char *key, struct found *ret, struct kserv_errors *errors)
{
	const char *name = text_of(context, key, errors);

	if (*name && find(config, list, key, name, ret))
		return true;
	errors->source = context->file->path;
	if (*name)
		kserv_error_at(errors, kserv_value_find(context->value, key),
			       "there is no entry called \"%s\" among the %s", name, list);
	else if (!strcmp(key, "cluster"))
		kserv_error_at(errors, context->entry, "the context names no cluster");
	return false;
}

int kserv_kubeconfig_access(const struct kserv_kubeconfig *config, const char *context, struct kserv_access *ret,
			    struct kserv_errors *errors)
{
	const char *name = *context ? context : current_context(config);
	const char *path = config->n ? config->files[0].path : "";
	size_t before = real_errors(errors);
	struct found at, part;

	errors->source = path;
	if (!*name) {
		kserv_errors_add(errors, 0, 0, "", "no current-context is set: set it or name a context");
	} else if (!find(config, "contexts", "context", name, &at)) {
		kserv_errors_add(errors, 0, 0, "", "there is no context called \"%s\"", name);
	} else {
		if (follow(config, &at, "clusters", "cluster", &part, errors))
			read_cluster(ret, &part, errors);
		if (follow(config, &at, "users", "user", &part, errors))
			read_user(ret, &part, errors);
		set(&ret->namespace, text_of(&at, "namespace", errors));
	}
	errors->source = NULL;
	return real_errors(errors) > before ? -EINVAL : 0;
}
