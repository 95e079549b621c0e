// SPDX-License-Identifier: GPL-2.0
/* The cluster as the daemon serves it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/json.h"
#include "cluster/memory.h"
#include "control/client.h"
#include "kservctl/desired.h"

static enum exit_code say_unreachable(int error)
{
	const char *hint = error == -EACCES || error == -EPERM ? "; root and the group kserv may ask it" :
		error == -ENOENT || error == -ECONNREFUSED ? "; is kservd running?" : "";

	kserv_log_error("kservd cannot be asked at %s: %s%s", daemon_socket(), strerror(-error), hint);
	return REFUSED;
}

/* The sentence of a Status object, or what there is. */
static void say_status(unsigned int status, const struct kserv_text *body)
{
	struct kserv_errors ignored = { 0 };
	struct kserv_tree tree = { 0 };
	const char *text = "";

	if (!kserv_json_read(&tree, body->s ? body->s : "", body->len, 1, NULL, &ignored))
		text = kserv_value_string(tree.root, "message");
	kserv_log_error("%s", *text ? text : body->s && body->len < 200 ? body->s : "kservd did not take that");
	if (!*text)
		kserv_log_error("it answered with HTTP status %u", status);
	kserv_errors_clear(&ignored);
	kserv_tree_clear(&tree);
}

enum exit_code ask_daemon(const char *path, const struct kserv_control_request *request,
			  struct kserv_control_answer *ret)
{
	struct kserv_text body = { 0 }, text = { 0 };
	struct kserv_errors errors = { 0 };
	enum exit_code code = DONE;
	unsigned int status;
	int error;

	*ret = (struct kserv_control_answer){ 0 };
	kserv_control_write_request(&body, request);
	error = kserv_control_call(daemon_socket(), "POST", path, &body, &status, &text);
	if (error) {
		code = say_unreachable(error);
	} else if (status != 200) {
		say_status(status, &text);
		code = REFUSED;
	} else if (kserv_control_read_answer(text.s ? text.s : "", text.len, ret, &errors)) {
		print_errors(&errors);
		code = REFUSED;
	}
	kserv_text_clear(&body);
	kserv_text_clear(&text);
	return code;
}

enum exit_code get_from_daemon(const char *path, struct kserv_text *ret)
{
	unsigned int status;
	int error = kserv_control_call(daemon_socket(), "GET", path, NULL, &status, ret);

	if (error)
		return say_unreachable(error);
	if (status == 200)
		return DONE;
	say_status(status, ret);
	return REFUSED;
}

/* The path of the Kubernetes API under which a kind's objects are listed. */
static char *list_path(const struct kserv_kind *kind)
{
	return kserv_must_printf("/%s/%s/%s", strchr(kind->api_version, '/') ? "apis" : "api", kind->api_version,
				 kind->plural);
}

static int read_list(const struct kserv_text *text, struct kserv_objects *ret, struct kserv_errors *errors)
{
	struct kserv_value *items;

	errors->source = "kservd";
	if (kserv_json_read(&ret->tree, text->s ? text->s : "", text->len, 1, NULL, errors))
		return -EINVAL;
	items = kserv_value_find(ret->tree.root, "items");
	ret->tree.root = items ? items : kserv_value_new(&ret->tree, KSERV_VALUE_LIST);
	return 0;
}

static int list_remote(const struct kserv_kind *kind, struct kserv_objects *ret, struct kserv_errors *errors)
{
	char *path = list_path(kind);
	struct kserv_text text = { 0 };
	int error = get_from_daemon(path, &text) ? -EIO : 0;

	*ret = (struct kserv_objects){ 0 };
	free(path);
	if (!error)
		error = read_list(&text, ret, errors);
	kserv_text_clear(&text);
	return error;
}

int list_objects(struct kserv_embedded *embedded, const struct kserv_kind *kind, struct kserv_objects *ret,
		 struct kserv_errors *errors)
{
	return daemon_socket() ? list_remote(kind, ret, errors) : kserv_embedded_list(embedded, kind, ret, errors);
}
