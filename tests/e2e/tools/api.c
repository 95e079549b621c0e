// SPDX-License-Identifier: GPL-2.0
/*
 * api PORT [SERVICES ENDPOINTS]: as much of a Kubernetes API server as kservd needs, over plain HTTP on all addresses of
 * its network namespace, with SERVICES Services of ENDPOINTS endpoints each to begin with. LIST and WATCH of services,
 * endpointslices and nodes; leases are listed, created, patched and deleted; other paths are answered with 404, and POST
 * with what was sent. Commands on standard input, each answered by a line:
 *   put RESOURCE NAMESPACE/NAME JSON   create or change; JSON begins with {"metadata":{
 *   del RESOURCE NAMESPACE/NAME
 *   expire                             forget the history: who asks for what came before gets 410
 *   away | back                        stop to listen, and cut all connections; listen again
 *   posted                             what the last POST said
 *   measure N                          change N slices, one after the other: how long until the kernel has committed
 */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS	64
#define REQUEST_MAX	16384

enum { SERVICES, SLICES, NODES, LEASES, RESOURCES };

static const char *const names[] = { "services", "endpointslices", "nodes", "leases" };
static const char *const kinds[] = { "Service", "EndpointSlice", "Node", "Lease" };
static const char *const versions[] = { "v1", "discovery.k8s.io/v1", "v1", "coordination.k8s.io/v1" };

struct object {
	char *name, *json;
};

struct event {
	unsigned int version, resource;
	char *line;
};

static struct { struct object *v; size_t n; } objects[RESOURCES];
static struct event *history;
static size_t n_history;
static unsigned int version = 1000, oldest = 1000;
static int listener = -1, connections[CONNECTIONS], port;
static char posted[REQUEST_MAX];
/* Guards all of the above. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static char *format(const char *text, ...) __attribute__((format(printf, 1, 2)));

static char *format(const char *text, ...)
{
	va_list args;
	char *s;

	va_start(args, text);
	if (vasprintf(&s, text, args) < 0)
		err(1, "memory");
	va_end(args);
	return s;
}

static struct object *find(unsigned int resource, const char *name)
{
	size_t i;

	for (i = 0; i < objects[resource].n; i++)
		if (!strcmp(objects[resource].v[i].name, name))
			return &objects[resource].v[i];
	return NULL;
}

static void note(unsigned int resource, const char *type, const char *json)
{
	if (!(n_history & (n_history + 1)))
		history = realloc(history, 2 * (n_history + 1) * sizeof(*history));
	history[n_history++] = (struct event){
		version, resource, format("{\"type\":\"%s\",\"object\":%s}\n", type, json),
	};
	pthread_cond_broadcast(&changed);
}

/* @json: as the command has it; type, names and version are put in here. @is_new: nobody looks it up. */
/* Takes @name and @json. */
static struct object *add(unsigned int resource, char *name, char *json)
{
	struct object **v = &objects[resource].v;
	size_t n = objects[resource].n++;

	/* Room is made in powers of two, less one. */
	if (!(n & (n + 1)))
		*v = realloc(*v, 2 * (n + 1) * sizeof(**v));
	(*v)[n] = (struct object){ name, json };
	return &(*v)[n];
}

static void put(unsigned int resource, const char *name, const char *json, bool is_new)
{
	const char *slash = strchr(name, '/'), *rest = json + strlen("{\"metadata\":{");
	struct object *object = is_new ? NULL : find(resource, name);
	bool known = object;
	char *namespace = slash == name ? strdup("") : format("\"namespace\":\"%.*s\",", (int)(slash - name), name);

	if (!object)
		object = add(resource, strdup(name), NULL);
	free(object->json);
	object->json = format("{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{\"name\":\"%s\",%s\"uid\":\"u-%s\","
			      "\"resourceVersion\":\"%u\"%s%s", kinds[resource], versions[resource], slash + 1, namespace,
			      slash + 1, ++version, *rest == '}' ? "" : ",", rest);
	free(namespace);
	if (!is_new)
		note(resource, known ? "MODIFIED" : "ADDED", object->json);
}

static void make_slice(unsigned int i, unsigned int endpoints, unsigned int variant, bool is_new)
{
	char *json, *name = format("default/svc-%u-1", i), *list = NULL;
	size_t len;
	FILE *file = open_memstream(&list, &len);
	unsigned int j;

	for (j = 0; j < endpoints; j++)
		fprintf(file, "%s{\"addresses\":[\"10.%u.%u.%u\"],\"conditions\":{\"ready\":%s,\"serving\":true,\"terminating\":false},"
			"\"nodeName\":\"node-%u\",\"zone\":\"z%u\",\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"default\",\"name\":"
			"\"svc-%u-5d4f8c7b9-%05u\",\"uid\":\"3f6c1f0e-0000-4000-8000-%012u\"}}", j ? "," : "",
			128 + (i * endpoints + j) / 65536 % 64, (i * endpoints + j) / 256 % 256, (i * endpoints + j) % 256,
			j == variant % (endpoints + 1) ? "false" : "true", j % 100, j % 3, i, j, i * endpoints + j);
	fclose(file);
	json = format("{\"metadata\":{\"labels\":{\"kubernetes.io/service-name\":\"svc-%u\","
		      "\"endpointslice.kubernetes.io/managed-by\":\"endpointslice-controller.k8s.io\"},"
		      "\"generateName\":\"svc-%u-\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\","
		      "\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"name\":\"svc-%u\",\"uid\":\"u-%u\"}],"
		      "\"managedFields\":[{\"manager\":\"kube-controller-manager\",\"operation\":\"Update\",\"apiVersion\":"
		      "\"discovery.k8s.io/v1\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:addressType\":{},\"f:endpoints\":{},"
		      "\"f:metadata\":{\"f:labels\":{\".\":{}}},\"f:ports\":{}}}]},"
		      "\"addressType\":\"IPv4\",\"ports\":[{\"name\":\"http\",\"protocol\":\"TCP\",\"port\":8080}],"
		      "\"endpoints\":[%s]}", i, i, i, i, list);
	put(SLICES, name, json, is_new);
	free(list);
	free(json);
	free(name);
}

static void make_service(unsigned int i)
{
	unsigned int address = (10u << 24) + (96u << 16) + 256 + i;
	char *name = format("default/svc-%u", i), *json;

	json = format("{\"metadata\":{\"creationTimestamp\":\"2026-01-01T00:00:00Z\"},\"spec\":{\"type\":\"ClusterIP\","
		      "\"clusterIP\":\"10.%u.%u.%u\",\"clusterIPs\":[\"10.%u.%u.%u\"],\"ipFamilies\":[\"IPv4\"],"
		      "\"ipFamilyPolicy\":\"SingleStack\",\"selector\":{\"app\":\"svc-%u\"},\"sessionAffinity\":\"None\","
		      "\"internalTrafficPolicy\":\"Cluster\",\"ports\":[{\"name\":\"http\",\"port\":80,\"targetPort\":8080,"
		      "\"protocol\":\"TCP\"}]},\"status\":{\"loadBalancer\":{}}}", address >> 16 & 255, address >> 8 & 255,
		      address & 255, address >> 16 & 255, address >> 8 & 255, address & 255, i);
	put(SERVICES, name, json, true);
	free(json);
	free(name);
}

static int resource_of(const char *path)
{
	size_t len = strcspn(path, "? "), i;

	for (i = 0; i < RESOURCES; i++)
		if (len > strlen(names[i]) && !strncmp(path + len - strlen(names[i]), names[i], strlen(names[i])))
			return i;
	return -1;
}

/* A number behind "KEY=" in the query; 0 if it is not there. */
static unsigned int argument(const char *path, const char *key)
{
	const char *at = strstr(path, key);

	return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

static void answer(FILE *file, unsigned int status, const char *body)
{
	fprintf(file, "HTTP/1.1 %u X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(body),
		body);
	fflush(file);
}

/* A piece of a body whose length is not known before. */
static void chunk(FILE *file, const char *text)
{
	fprintf(file, "%zx\r\n%s\r\n", strlen(text), text);
}

static void begin_chunks(FILE *file)
{
	fputs("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", file);
}

static void list(FILE *file, int resource)
{
	char *head;
	size_t i;

	begin_chunks(file);
	pthread_mutex_lock(&lock);
	head = format("{\"kind\":\"%sList\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"%u\"},\"items\":[",
		      kinds[resource], versions[resource], version);
	chunk(file, head);
	for (i = 0; i < objects[resource].n; i++) {
		if (i)
			chunk(file, ",");
		chunk(file, objects[resource].v[i].json);
	}
	pthread_mutex_unlock(&lock);
	chunk(file, "]}");
	fputs("0\r\n\r\n", file);
	fflush(file);
	free(head);
}

static void watch(FILE *file, int fd, int resource, unsigned int since)
{
	size_t i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < n_history && history[i].version <= since; i++)
		;
	if (since < oldest) {
		pthread_mutex_unlock(&lock);
		answer(file, 410, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"too old resource "
		       "version\",\"reason\":\"Expired\",\"code\":410}");
		return;
	}
	begin_chunks(file);
	fflush(file);
	/* Ends when the connection is cut. */
	while (send(fd, "", 0, MSG_NOSIGNAL) >= 0 && !ferror(file)) {
		if (i > n_history)
			break;
		for (; i < n_history; i++)
			if (history[i].resource == (unsigned int)resource)
				chunk(file, history[i].line);
		fflush(file);
		pthread_cond_wait(&changed, &lock);
	}
	pthread_mutex_unlock(&lock);
}

/* A Lease is kept as it was sent; its spec, which comes last, is what a patch has another one of. */
static bool change_lease(const char *method, const char *name, const char *body)
{
	struct object *lease = find(LEASES, name);
	const char *spec = strstr(body, "\"spec\"");
	char *json;

	if (!lease)
		return false;
	if (!strcmp(method, "DELETE")) {
		free(lease->name);
		free(lease->json);
		*lease = objects[LEASES].v[--objects[LEASES].n];
	} else if (spec) {
		json = format("%.*s%s", (int)(strstr(lease->json, "\"spec\"") - lease->json), lease->json, spec);
		free(lease->json);
		lease->json = json;
	}
	return true;
}

static bool create_lease(const char *body)
{
	const char *name = strstr(body, "\"name\":\"");

	if (!name || !strstr(body, "\"spec\""))
		return false;
	name += strlen("\"name\":\"");
	add(LEASES, strndup(name, strcspn(name, "\"")), strdup(body));
	return true;
}

/* What is asked of Leases but to list them. */
static void serve_lease(FILE *file, const char *method, const char *path, const char *body)
{
	bool is_done;

	pthread_mutex_lock(&lock);
	if (!strcmp(method, "POST"))
		is_done = create_lease(body);
	else
		is_done = change_lease(method, strrchr(path, '/') + 1, body);
	pthread_mutex_unlock(&lock);
	if (is_done)
		answer(file, 200, "{\"kind\":\"Lease\"}");
	else
		answer(file, 404, "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"NotFound\",\"code\":404}");
}

/* One request; false when the connection is at its end. */
static bool serve(FILE *file, int fd)
{
	char line[REQUEST_MAX], path[REQUEST_MAX] = "", method[16] = "";
	size_t len = 0, got;
	int resource;

	if (!fgets(line, sizeof(line), file) || sscanf(line, "%15s %16383s", method, path) != 2)
		return false;
	while (fgets(line, sizeof(line), file) && strcmp(line, "\r\n"))
		if (!strncasecmp(line, "content-length:", 15))
			len = strtoul(line + 15, NULL, 10);
	got = fread(line, 1, len < sizeof(line) ? len : sizeof(line) - 1, file);
	line[got] = '\0';
	/* From reading to writing. */
	fseek(file, 0, SEEK_CUR);
	resource = resource_of(path);
	if (strstr(path, "/leases") && strcmp(method, "GET")) {
		serve_lease(file, method, path, line);
	} else if (!strcmp(method, "POST")) {
		pthread_mutex_lock(&lock);
		strcpy(posted, line);
		pthread_mutex_unlock(&lock);
		answer(file, 201, line);
	} else if (strstr(path, "sendInitialEvents=true")) {
		answer(file, 422, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"sendInitialEvents is "
		       "forbidden for watch unless the WatchList feature gate is enabled\",\"reason\":\"Invalid\",\"code\":422}");
	} else if (resource < 0) {
		answer(file, 404, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"NotFound\",\"code\":404}");
	} else if (strstr(path, "watch=")) {
		watch(file, fd, resource, argument(path, "resourceVersion="));
		return false;
	} else {
		list(file, resource);
	}
	return true;
}

static void *serve_connection(void *arg)
{
	int slot = (int)(long)arg, fd;
	FILE *file;

	pthread_mutex_lock(&lock);
	fd = connections[slot];
	pthread_mutex_unlock(&lock);
	file = fdopen(dup(fd), "r+");
	while (file && serve(file, fd))
		;
	if (file)
		fclose(file);
	pthread_mutex_lock(&lock);
	close(fd);
	connections[slot] = -1;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void accept_one(int fd)
{
	pthread_t thread;
	int one = 1;
	long slot;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	pthread_mutex_lock(&lock);
	for (slot = 0; slot < CONNECTIONS && connections[slot] >= 0; slot++)
		;
	if (slot < CONNECTIONS)
		connections[slot] = fd;
	pthread_mutex_unlock(&lock);
	if (slot == CONNECTIONS || pthread_create(&thread, NULL, serve_connection, (void *)slot))
		errx(1, "too many connections");
	pthread_detach(thread);
}

static void *accept_all(void *arg)
{
	int from, fd;

	(void)arg;
	for (;;) {
		pthread_mutex_lock(&lock);
		while (listener < 0)
			pthread_cond_wait(&changed, &lock);
		from = listener;
		pthread_mutex_unlock(&lock);
		fd = accept4(from, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			accept_one(fd);
	}
	return NULL;
}

static void start_listening(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY),
	};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 64))
		err(1, "cannot listen on port %d", port);
	pthread_mutex_lock(&lock);
	listener = fd;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void stop_listening(void)
{
	size_t i;

	pthread_mutex_lock(&lock);
	shutdown(listener, SHUT_RDWR);
	close(listener);
	listener = -1;
	for (i = 0; i < CONNECTIONS; i++)
		if (connections[i] >= 0)
			shutdown(connections[i], SHUT_RDWR);
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* Events that are in nobody's history any more; who is watching is cut off, as a new API server would. */
static void expire(void)
{
	size_t i;

	pthread_mutex_lock(&lock);
	version += 10;
	oldest = version;
	for (i = 0; i < CONNECTIONS; i++)
		if (connections[i] >= 0)
			shutdown(connections[i], SHUT_RDWR);
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static struct nl_sock *subscribe(void)
{
	struct nl_sock *socket = nl_socket_alloc();
	int group;

	if (!socket || genl_connect(socket))
		errx(1, "no netlink socket");
	group = genl_ctrl_resolve_grp(socket, "kserv", "monitor");
	if (group < 0 || nl_socket_add_membership(socket, group))
		errx(1, "the kserv module tells nothing");
	return socket;
}

static void drain(int fd)
{
	char buffer[65536];

	while (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
		;
}

static void measure(unsigned int n, unsigned int services, unsigned int endpoints)
{
	struct nl_sock *socket = subscribe();
	struct pollfd fd = { .fd = nl_socket_get_fd(socket), .events = POLLIN };
	double *took = calloc(n, sizeof(*took)), start;
	unsigned int i;

	for (i = 0; i < n; i++) {
		drain(fd.fd);
		pthread_mutex_lock(&lock);
		make_slice(i * 7919 % services, endpoints, i / services, false);
		/* Whoever sends it waits for the lock: making it is not what is measured. */
		start = now_us();
		pthread_mutex_unlock(&lock);
		if (poll(&fd, 1, 30000) != 1)
			errx(1, "no commit followed within 30 s");
		took[i] = now_us() - start;
		usleep(3000);
	}
	qsort(took, n, sizeof(*took), compare);
	printf("ok %u events: p50 %.0f us, p90 %.0f us, p99 %.0f us, most %.0f us\n", n, took[n / 2], took[n * 9 / 10],
	       took[n * 99 / 100], took[n - 1]);
	nl_socket_free(socket);
	free(took);
}

static const char *do_put(char *rest)
{
	char *resource = strsep(&rest, " "), *name = strsep(&rest, " ");
	int i;

	for (i = 0; i < RESOURCES && strcmp(names[i], resource ? resource : ""); i++)
		;
	if (i == RESOURCES || !name || !strchr(name, '/') || !rest || strncmp(rest, "{\"metadata\":{", 13))
		return "error put RESOURCE NAMESPACE/NAME {\"metadata\":{...}...}";
	pthread_mutex_lock(&lock);
	put(i, name, rest, false);
	pthread_mutex_unlock(&lock);
	return "ok";
}

static const char *do_del(char *rest)
{
	char *resource = strsep(&rest, " ");
	struct object *object;
	int i;

	for (i = 0; i < RESOURCES && strcmp(names[i], resource ? resource : ""); i++)
		;
	if (i == RESOURCES || !rest)
		return "error del RESOURCE NAMESPACE/NAME";
	pthread_mutex_lock(&lock);
	object = find(i, rest);
	if (object) {
		version++;
		note(i, "DELETED", object->json);
		*object = objects[i].v[--objects[i].n];
	}
	pthread_mutex_unlock(&lock);
	return object ? "ok" : "error there is no such object";
}

static void command(char *line, unsigned int services, unsigned int endpoints)
{
	char *rest = line, *word = strsep(&rest, " ");

	if (!strcmp(word, "put")) {
		puts(do_put(rest));
	} else if (!strcmp(word, "del")) {
		puts(do_del(rest));
	} else if (!strcmp(word, "measure") && rest && services) {
		measure(strtoul(rest, NULL, 10), services, endpoints);
	} else if (!strcmp(word, "posted")) {
		pthread_mutex_lock(&lock);
		printf("ok %s\n", posted);
		pthread_mutex_unlock(&lock);
	} else if (!strcmp(word, "expire") || !strcmp(word, "away") || !strcmp(word, "back")) {
		if (*word == 'e')
			expire();
		else if (*word == 'a')
			stop_listening();
		else
			start_listening();
		puts("ok");
	} else {
		puts("error no such command");
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned int services = argc > 3 ? strtoul(argv[2], NULL, 10) : 0, i;
	unsigned int endpoints = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	pthread_t thread;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	if (argc != 2 && argc != 4)
		errx(2, "usage: api PORT [SERVICES ENDPOINTS]");
	port = atoi(argv[1]);
	for (i = 0; i < CONNECTIONS; i++)
		connections[i] = -1;
	for (i = 0; i < services; i++) {
		make_service(i);
		make_slice(i, endpoints, endpoints, true);
	}
	start_listening();
	if (pthread_create(&thread, NULL, accept_all, NULL))
		errx(1, "no thread");
	puts("ok listening");
	fflush(stdout);
	while ((len = getline(&line, &room, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		command(line, services, endpoints);
	}
	return 0;
}
