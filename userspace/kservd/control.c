// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include "cluster/emit.h"
#include "control/answer.h"
#include "control/client.h"
#include "kservd/change.h"
#include "kservd/daemon.h"
#include "kservd/http.h"
#include "kservd/place.h"
#include "kservd/report.h"
#include "lib/log.h"

#define BACKLOG	64

struct control {
	struct daemon *daemon;
	struct http_server *server;
	char *path;			/* NULL if systemd made the socket */
};

/* An error as the Kubernetes API says it. */
static void fail(struct http_answer *answer, unsigned int status, const char *reason, const char *format, ...)
{
	struct kserv_tree tree = { 0 };
	struct kserv_value *root = tree.root = kserv_value_new(&tree, KSERV_VALUE_MAP);
	va_list args;
	char *text;

	va_start(args, format);
	text = kserv_must_vprintf(format, args);
	va_end(args);
	kserv_value_set(root, "kind", kserv_value_new_string(&tree, "Status"));
	kserv_value_set(root, "apiVersion", kserv_value_new_string(&tree, "v1"));
	kserv_value_set(root, "status", kserv_value_new_string(&tree, "Failure"));
	kserv_value_set(root, "message", kserv_value_new_string(&tree, text));
	kserv_value_set(root, "reason", kserv_value_new_string(&tree, reason));
	kserv_value_set(root, "code", kserv_value_new_int(&tree, status));
	answer->status = status;
	kserv_emit_json(&answer->body, root, 2);
	kserv_tree_clear(&tree);
	free(text);
}

static void fail_with(struct http_answer *answer, unsigned int status, const char *reason, struct kserv_errors *errors)
{
	struct kserv_text text = { 0 };
	char *line;
	size_t i;

	for (i = 0; i < errors->n; i++) {
		line = kserv_error_format(&errors->v[i]);
		kserv_text_printf(&text, "%s%s", i ? "\n" : "", line);
		free(line);
	}
	fail(answer, status, reason, "%s", text.s ? text.s : "");
	kserv_text_clear(&text);
	kserv_errors_clear(errors);
}

/* Only the embedded store can be changed and listed here: the objects of an API server are its own. */
static bool is_local(const struct daemon *daemon, struct http_answer *answer)
{
	if (!daemon->options.from_api)
		return true;
	fail(answer, 405, "MethodNotAllowed", "the objects are those of the API server; use kubectl for them");
	return false;
}

static void answer_change(struct daemon *daemon, const struct http_request *request,
			  void (*work)(struct daemon *, struct kserv_control_request *, struct kserv_control_answer *),
			  struct http_answer *answer)
{
	struct kserv_control_request wanted;
	struct kserv_control_answer done = { 0 };
	struct kserv_errors errors = { 0 };

	if (strcmp(request->method, "POST")) {
		fail(answer, 405, "MethodNotAllowed", "%s takes POST", request->path);
		return;
	}
	if (!is_local(daemon, answer))
		return;
	if (kserv_control_read_request(request->body, request->len, &wanted, &errors)) {
		fail_with(answer, 400, "BadRequest", &errors);
	} else {
		work(daemon, &wanted, &done);
		kserv_control_write_answer(&answer->body, &done);
	}
	kserv_control_request_clear(&wanted);
	kserv_control_answer_clear(&done);
	kserv_errors_clear(&errors);
}

static bool is_in(const struct place *place, const struct kserv_value *object)
{
	return (!*place->namespace || !strcmp(kserv_value_string(object, "metadata.namespace"), place->namespace)) &&
		(!*place->name || !strcmp(kserv_value_string(object, "metadata.name"), place->name));
}

static void write_list(const struct place *place, struct kserv_objects *objects, struct http_answer *answer)
{
	struct kserv_tree *tree = &objects->tree;
	struct kserv_value *object, *next, *list = kserv_value_new(tree, KSERV_VALUE_MAP);
	struct kserv_value *items = kserv_value_new(tree, KSERV_VALUE_LIST);
	char *kind = kserv_must_printf("%sList", place->kind->kind);

	kserv_value_set(list, "kind", kserv_value_new_string(tree, kind));
	kserv_value_set(list, "apiVersion", kserv_value_new_string(tree, place->kind->api_version));
	kserv_value_set(kserv_value_need_map(tree, list, "metadata"), "resourceVersion", kserv_value_new_string(tree, ""));
	for (object = kserv_value_first(tree->root); object; object = next) {
		next = object->next;
		if (is_in(place, object))
			kserv_value_append(items, object);
	}
	kserv_value_set(list, "items", items);
	kserv_emit_json(&answer->body, list, 0);
	free(kind);
}

static void answer_get(struct daemon *daemon, const struct place *place, struct http_answer *answer)
{
	struct kserv_errors errors = { 0 };
	struct kserv_objects objects = { 0 };
	struct kserv_value *object;

	if (kserv_embedded_list(&daemon->embedded, place->kind, &objects, &errors)) {
		fail_with(answer, 500, "InternalError", &errors);
		return;
	}
	if (!*place->name) {
		write_list(place, &objects, answer);
		kserv_objects_clear(&objects);
		return;
	}
	for (object = kserv_value_first(objects.tree.root); object && !is_in(place, object); object = object->next)
		;
	if (object)
		kserv_emit_json(&answer->body, object, 0);
	else
		fail(answer, 404, "NotFound", "%s \"%s\" not found", place->kind->plural, place->name);
	kserv_objects_clear(&objects);
}

/* DELETE of one object and PUT or POST of one, as changes that programs make. */
static void answer_write(struct daemon *daemon, const struct http_request *request, const struct place *place,
			 struct http_answer *answer)
{
	struct kserv_control_file file = { (char *)request->path, (char *)request->body, request->len };
	struct kserv_change change = {
		.kind = place->kind, .namespace = (char *)place->namespace, .name = (char *)place->name,
	};
	bool deletes = !strcmp(request->method, "DELETE");
	struct kserv_control_request wanted = {
		.namespace = (char *)(*place->namespace ? place->namespace : "default"),
		.files = &file, .n_files = !deletes,
	};
	struct kserv_control_answer done = { 0 };

	if (deletes)
		wanted.objects = (struct kserv_changes){ .v = &change, .n = 1 };
	(deletes ? change_delete : change_apply)(daemon, &wanted, &done);
	if (done.missing.n)
		fail(answer, 404, "NotFound", "%s", done.missing.v[0]);
	else if (done.errors.n)
		fail_with(answer, 422, "Invalid", &done.errors);
	else if (done.outcome == KSERV_OUTCOME_REFUSED)
		fail(answer, 422, "Invalid", "the kernel refused: %s", done.words ? done.words : "");
	else if (done.changes.n)
		kserv_text_add(&answer->body, deletes ? "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Success\"}" :
			       done.changes.v[done.changes.n - 1].after);
	if (answer->status == 200 && !deletes && done.changes.n &&
	    done.changes.v[done.changes.n - 1].verb == KSERV_CREATED)
		answer->status = 201;
	kserv_control_answer_clear(&done);
}

static void answer_object(struct daemon *daemon, const struct http_request *request, const struct place *place,
			  struct http_answer *answer)
{
	const char *method = request->method;

	if (!is_local(daemon, answer))
		return;
	if (!strcmp(method, "GET"))
		answer_get(daemon, place, answer);
	else if ((!strcmp(method, "DELETE") && *place->name) || (!strcmp(method, "PUT") && *place->name) ||
		 (!strcmp(method, "POST") && !*place->name))
		answer_write(daemon, request, place, answer);
	else
		fail(answer, 405, "MethodNotAllowed", "there is no %s for %s", method, request->path);
}

static void answer_sync(struct daemon *daemon, struct kserv_control_request *request, struct kserv_control_answer *answer)
{
	(void)request;
	change_sync(daemon, answer);
}

static void answer_diff(struct daemon *daemon, struct http_answer *answer)
{
	struct kserv_nl_error words = { 0 };
	int error = report_differences(daemon, &answer->body, &words);

	if (error)
		fail(answer, 503, "ServiceUnavailable", "the kernel cannot be compared: %s",
		     words.text[0] ? words.text : strerror(-error));
}

static void answer_request(void *context, const struct http_request *request, struct http_answer *answer)
{
	struct daemon *daemon = ((struct control *)context)->daemon;
	struct place place;

	answer->type = "application/json";
	if (!strcmp(request->path, KSERV_CONTROL_APPLY))
		answer_change(daemon, request, change_apply, answer);
	else if (!strcmp(request->path, KSERV_CONTROL_DELETE))
		answer_change(daemon, request, change_delete, answer);
	else if (!strcmp(request->path, KSERV_CONTROL_SYNC))
		answer_change(daemon, request, answer_sync, answer);
	else if (!strcmp(request->path, KSERV_CONTROL_STATUS))
		report_status(daemon, &answer->body);
	else if (!strcmp(request->path, KSERV_CONTROL_LB))
		balance_report(daemon, &answer->body);
	else if (!strcmp(request->path, KSERV_CONTROL_DIFF))
		answer_diff(daemon, answer);
	else if (place_read(request->path, &place))
		answer_object(daemon, request, &place, answer);
	else
		fail(answer, 404, "NotFound", "there is no %s", request->path);
}

static void make_folder(const char *path)
{
	char *folder = kserv_must_strdup(path), *slash = strrchr(folder, '/');

	if (slash && slash != folder) {
		*slash = '\0';
		mkdir(folder, 0755);
	}
	free(folder);
}

/* The group of those who may change Services without being root. */
static void give_to_group(const char *path)
{
	const struct group *group = getgrnam("kserv");

	if (group && chown(path, -1, group->gr_gid))
		kserv_log_warning("%s could not be given to the group kserv: %s", path, strerror(errno));
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	if (kserv_control_is_there(path))
		return -EADDRINUSE;
	make_folder(path);
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0117);
	error = bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, BACKLOG) ? -errno : 0;
	umask(mask);
	if (error) {
		close(fd);
		return error;
	}
	give_to_group(path);
	return fd;
}

int control_open(struct daemon *daemon, struct control **ret_control)
{
	struct control *control = kserv_must_alloc(sizeof(*control));
	const struct http_options options = {
		.body_max = KSERV_CONTROL_BODY_MAX, .connections = 64, .idle_s = 60, .handler = answer_request,
		.context = control,
	};
	int fd, error;

	control->daemon = daemon;
	*ret_control = control;
	if (sd_listen_fds(1) == 1) {
		fd = SD_LISTEN_FDS_START;
	} else {
		fd = listen_at(daemon->options.socket);
		if (fd >= 0)
			control->path = kserv_must_strdup(daemon->options.socket);
	}
	error = fd < 0 ? fd : http_serve(daemon->loop, fd, &options, &control->server);
	if (error == -EADDRINUSE)
		kserv_log_error("another kservd listens at %s; --socket names another place", daemon->options.socket);
	else if (error)
		kserv_log_error("cannot listen at %s: %s", daemon->options.socket, strerror(-error));
	return error;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	http_stop(control->server);
	if (control->path)
		unlink(control->path);
	free(control->path);
	free(control);
}
