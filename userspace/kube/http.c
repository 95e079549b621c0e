// SPDX-License-Identifier: GPL-2.0
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <uthash.h>
#include <utlist.h>
#include "kube/http.h"

/* Of an answer that is no success. */
#define BODY_MAX	(64u << 10)
/* Bytes that were sent and are not acknowledged after so long end the connection (TCP_USER_TIMEOUT). */
#define UNANSWERED_MS	30000

/* sd-event's own is 250 ms. */
#define TIMER_ACCURACY_US	1000

enum call_place { WAITING, RUNNING, ENDING };

/* A socket of curl's, by its number. */
struct socket {
	UT_hash_handle hh;
	curl_socket_t fd;
	sd_event_source *source;
};

struct kserv_http {
	sd_event *loop;
	const struct kserv_access *access;
	char *user_agent;
	bool gzip;
	CURLM *multi;
	sd_event_source *timer, *work;
	struct socket *sockets;
	struct kserv_http_call *calls;
};

/**
 * struct kserv_http_call - one request
 * @place: curl may not be given or lose handles while it calls us, so that is done later (@work)
 * @request: what its pointers point to is ours, or already told to curl
 * @limit_us: the call ends if nothing comes for so long after @active_us
 */
struct kserv_http_call {
	struct kserv_http_call *prev, *next;
	struct kserv_http *http;
	/* sd-event's own is 250 ms. */
#define TIMER_ACCURACY_US	1000

enum call_place place;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	char *body;
	sd_event_source *timer;
	uint64_t active_us, limit_us, silence_us;
	bool cancelled, timed_out;
	int refused;			/* what @data answered */
	struct kserv_text answer;
	char why[CURL_ERROR_SIZE];
	void (*head)(void *context);
	int (*data)(void *context, const char *bytes, size_t len);
	void (*done)(void *context, const struct kserv_http_end *end);
	void *context;
};

static uint64_t now_us(struct kserv_http *http)
{
	uint64_t now = 0;

	sd_event_now(http->loop, CLOCK_MONOTONIC, &now);
	return now;
}

static void free_call(struct kserv_http_call *call)
{
	DL_DELETE(call->http->calls, call);
	sd_event_source_disable_unref(call->timer);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->connect_to);
	kserv_text_clear(&call->answer);
	free(call->body);
	free(call);
}

static unsigned int status_of(CURL *easy)
{
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t on_bytes(char *bytes, size_t size, size_t n, void *context)
{
	struct kserv_http_call *call = context;
	size_t room = BODY_MAX - call->answer.len;
	unsigned int status;

	n *= size;
	if (call->cancelled)
		return CURL_WRITEFUNC_ERROR;
	call->active_us = now_us(call->http);
	status = status_of(call->easy);
	if (status >= 200 && status < 300 && call->data) {
		call->refused = call->data(call->context, bytes, n);
		return call->refused || call->cancelled ? CURL_WRITEFUNC_ERROR : n;
	}
	kserv_text_add_bytes(&call->answer, bytes, n < room ? n : room);
	return n;
}

/* The limit is another: look when it may be over. */
static void set_limit(struct kserv_http_call *call, uint64_t limit_us)
{
	call->limit_us = limit_us;
	if (!call->timer)
		return;
	sd_event_source_set_time(call->timer, call->active_us + limit_us);
	sd_event_source_set_enabled(call->timer, limit_us ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/* A line of the head. Once it is there the limit is that of silence. */
static size_t on_header(char *bytes, size_t size, size_t n, void *context)
{
	struct kserv_http_call *call = context;
	unsigned int status = status_of(call->easy);

	n *= size;
	call->active_us = now_us(call->http);
	if (call->limit_us != call->silence_us)
		set_limit(call, call->silence_us);
	/* An empty line ends it. */
	if (n <= 2 && *bytes == '\r' && status >= 200 && status < 300 && call->head && !call->cancelled)
		call->head(call->context);
	return n;
}

static int error_of(struct kserv_http_call *call, CURLcode code)
{
	long number = 0;

	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return -EHOSTUNREACH;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
		return -EKEYREJECTED;
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number);
		return number ? -(int)number : -ECONNREFUSED;
	default:
		return -EIO;
	}
}

static void tell_done(struct kserv_http_call *call, CURLcode code)
{
	struct kserv_http_end end = { .status = status_of(call->easy), .why = call->why };
	char *why = NULL;
	curl_off_t retry = 0;

	end.error = call->timed_out ? -ETIMEDOUT : call->refused ? call->refused : error_of(call, code);
	if (call->timed_out)
		strcpy(call->why, end.status ? "nothing more came" : "no answer came in time");
	else if (code == CURLE_COULDNT_CONNECT && end.error)
		snprintf(call->why, sizeof(call->why), "%s", strerror(-end.error));
	else if (end.error && !*call->why)
		snprintf(call->why, sizeof(call->why), "%s", curl_easy_strerror(code));
	if (end.error)
		end.why = why = kserv_must_printf("%s: %s", call->http->access->server, call->why);
	curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry);
	end.retry_after = retry > 0 && retry < 86400 ? retry : 0;
	end.body = call->answer.s ? call->answer.s : "";
	end.body_len = call->answer.len;
	call->done(call->context, &end);
	free(why);
}

static void end_call(struct kserv_http_call *call, CURLcode code)
{
	if (call->place == RUNNING)
		curl_multi_remove_handle(call->http->multi, call->easy);
	call->place = ENDING;
	if (!call->cancelled)
		tell_done(call, code);
	free_call(call);
}

/* What curl has finished. Called where curl is not on the stack. */
static void collect(struct kserv_http *http)
{
	struct kserv_http_call *call;
	const CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
		end_call(call, code);
	}
}

/* Give curl the calls that are new and take those away that were cancelled. */
static int on_work(sd_event_source *source, void *context)
{
	struct kserv_http *http = context;
	struct kserv_http_call *call, *next;

	(void)source;
	DL_FOREACH_SAFE(http->calls, call, next) {
		if (call->cancelled || call->timed_out)
			end_call(call, CURLE_OK);
		/* done() may have cancelled the next one, but only this function frees it. */
	}
	DL_FOREACH_SAFE(http->calls, call, next) {
		if (call->place != WAITING || call->cancelled)
			continue;
		call->place = RUNNING;
		call->active_us = now_us(http);
		if (curl_multi_add_handle(http->multi, call->easy)) {
			call->place = ENDING;
			end_call(call, CURLE_FAILED_INIT);
		}
	}
	collect(http);
	return 0;
}

static void work_later(struct kserv_http *http)
{
	sd_event_source_set_enabled(http->work, SD_EVENT_ONESHOT);
}

static int on_socket(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct kserv_http *http = context;
	int flags = (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		    (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0), running;

	(void)source;
	curl_multi_socket_action(http->multi, fd, flags, &running);
	collect(http);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *context)
{
	struct kserv_http *http = context;
	int running;

	(void)source;
	(void)usec;
	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(http);
	return 0;
}

/* curl says what it waits for on a socket. */
static int want_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	struct kserv_http *http = context;
	struct socket *found;

	(void)easy;
	(void)unused;
	HASH_FIND_INT(http->sockets, &fd, found);
	if (what == CURL_POLL_REMOVE) {
		if (found) {
			HASH_DEL(http->sockets, found);
			sd_event_source_disable_unref(found->source);
			free(found);
		}
		return 0;
	}
	if (found)
		return sd_event_source_set_io_events(found->source, events) < 0 ? -1 : 0;
	found = kserv_must_alloc(sizeof(*found));
	found->fd = fd;
	if (sd_event_add_io(http->loop, &found->source, fd, events, on_socket, http) < 0) {
		free(found);
		return -1;
	}
	HASH_ADD_INT(http->sockets, fd, found);
	return 0;
}

static int want_timer(CURLM *multi, long ms, void *context)
{
	struct kserv_http *http = context;

	(void)multi;
	if (ms < 0)
		return sd_event_source_set_enabled(http->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
	if (sd_event_source_set_time_relative(http->timer, ms * 1000ULL) < 0)
		return -1;
	return sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT) < 0 ? -1 : 0;
}

/* Half-open connections: keepalive finds them while nothing is sent, the user timeout while something is. */
static int prepare_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
	unsigned int unanswered = UNANSWERED_MS;
	int probes = 3;

	(void)context;
	(void)purpose;
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered, sizeof(unanswered));
	return CURL_SOCKOPT_OK;
}

static int on_limit(sd_event_source *source, uint64_t usec, void *context)
{
	struct kserv_http_call *call = context;
	uint64_t until = call->active_us + call->limit_us;

	if (!call->limit_us)
		return 0;
	if (call->place == WAITING || usec < until) {
		sd_event_source_set_time(source, call->place == WAITING ? usec + call->limit_us : until);
		sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
		return 0;
	}
	call->timed_out = true;
	work_later(call->http);
	return 0;
}

struct kserv_http *kserv_http_open(sd_event *loop, const struct kserv_access *access, const char *user_agent,
				   bool gzip)
{
	struct kserv_http *http;

	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return NULL;
	http = kserv_must_alloc(sizeof(*http));
	http->loop = sd_event_ref(loop);
	http->access = access;
	http->user_agent = kserv_must_strdup(user_agent);
	http->gzip = gzip && !access->no_compression;
	http->multi = curl_multi_init();
	if (!http->multi || sd_event_add_time(loop, &http->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY_US, on_timer, http) < 0 ||
	    sd_event_add_defer(loop, &http->work, on_work, http) < 0) {
		kserv_http_close(http);
		return NULL;
	}
	sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(http->work, SD_EVENT_OFF);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	return http;
}

void kserv_http_close(struct kserv_http *http)
{
	struct kserv_http_call *call, *next;
	struct socket *found, *after;

	if (!http)
		return;
	DL_FOREACH_SAFE(http->calls, call, next) {
		if (call->place == RUNNING)
			curl_multi_remove_handle(http->multi, call->easy);
		free_call(call);
	}
	curl_multi_cleanup(http->multi);
	HASH_ITER(hh, http->sockets, found, after) {
		HASH_DEL(http->sockets, found);
		sd_event_source_disable_unref(found->source);
		free(found);
	}
	sd_event_source_disable_unref(http->timer);
	sd_event_source_disable_unref(http->work);
	sd_event_unref(http->loop);
	free(http->user_agent);
	free(http);
	curl_global_cleanup();
}

static void set_blob(CURL *easy, CURLoption option, const struct kserv_text *text)
{
	struct curl_blob blob = { .data = text->s, .len = text->len, .flags = CURL_BLOB_COPY };

	curl_easy_setopt(easy, option, &blob);
}

static void set_file(CURL *easy, CURLoption path, CURLoption blob, const struct kserv_access_file *file)
{
	if (file->content.s)
		set_blob(easy, blob, &file->content);
	else if (*file->path)
		curl_easy_setopt(easy, path, file->path);
}

static void set_tls(CURL *easy, const struct kserv_access *access, const struct kserv_http_request *request)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, access->insecure ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, access->insecure ? 0L : 2L);
	if (access->ca.content.s || *access->ca.path) {
		/* Not those of the system besides. */
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
		curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		set_file(easy, CURLOPT_CAINFO, CURLOPT_CAINFO_BLOB, &access->ca);
	}
	/* A file of certificates may be replaced while we run. */
	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 60L);
	if (request->cert && request->key) {
		set_blob(easy, CURLOPT_SSLCERT_BLOB, request->cert);
		set_blob(easy, CURLOPT_SSLKEY_BLOB, request->key);
	} else {
		set_file(easy, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB, &access->cert);
		set_file(easy, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB, &access->key);
	}
}

static void add_header(struct kserv_http_call *call, const char *name, const char *value)
{
	/* curl takes a header without a value only so. */
	char *line = kserv_must_printf(*value ? "%s: %s" : "%s;", name, value);

	call->headers = curl_slist_append(call->headers, line);
	free(line);
}

/*
 * By which name the certificate is verified is the host in the URL to curl, so another one goes there, and where to
 * connect is said apart.
 */
static void set_url(struct kserv_http_call *call, const struct kserv_access *access, const char *path)
{
	const char *host = strstr(access->server, "://") + 3;
	size_t host_len = strcspn(host, "/"), name_len;
	const char *colon = memrchr(host, ':', host_len), *bracket = memrchr(host, ']', host_len);
	char *url, *to, *shown;

	if (!*access->tls_name || strncmp(access->server, "https:", 6)) {
		url = kserv_must_printf("%s%s", access->server, path);
		curl_easy_setopt(call->easy, CURLOPT_URL, url);
		free(url);
		return;
	}
	if (colon && bracket && colon < bracket)
		colon = NULL;
	name_len = colon ? (size_t)(colon - host) : host_len;
	url = kserv_must_printf("https://%s%.*s%s%s", access->tls_name, (int)(host_len - name_len), host + name_len,
				host + host_len, path);
	to = kserv_must_printf("::%.*s:", (int)name_len, host);
	shown = kserv_must_printf("%.*s", (int)host_len, host);
	call->connect_to = curl_slist_append(NULL, to);
	curl_easy_setopt(call->easy, CURLOPT_CONNECT_TO, call->connect_to);
	curl_easy_setopt(call->easy, CURLOPT_URL, url);
	add_header(call, "Host", shown);
	free(url);
	free(to);
	free(shown);
}

static void set_identity(struct kserv_http_call *call, const struct kserv_access *access, const char *token)
{
	char *name, *bearer;
	size_t i;

	if (token && *token) {
		bearer = kserv_must_printf("Bearer %s", token);
		add_header(call, "Authorization", bearer);
		free(bearer);
	} else if (*access->username) {
		curl_easy_setopt(call->easy, CURLOPT_USERNAME, access->username);
		curl_easy_setopt(call->easy, CURLOPT_PASSWORD, access->password);
	}
	if (*access->as)
		add_header(call, "Impersonate-User", access->as);
	if (*access->as_uid)
		add_header(call, "Impersonate-Uid", access->as_uid);
	for (i = 0; i < access->as_groups.n; i++)
		add_header(call, "Impersonate-Group", access->as_groups.v[i]);
	for (i = 0; i < access->as_extra.n; i++) {
		name = kserv_must_printf("Impersonate-Extra-%s", access->as_extra.v[i].key);
		add_header(call, name, access->as_extra.v[i].value);
		free(name);
	}
}

static void set_transport(struct kserv_http_call *call, const struct kserv_http_request *request)
{
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	/*
	 * Watches share one connection where the server speaks HTTP/2; so they wait to learn that. Without TLS curl would
	 * learn it only from the end of an answer, and that of a watch is far.
	 */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, strncmp(call->http->access->server, "https:", 6) ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_ms);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->total_ms);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, prepare_socket);
	if (*call->http->access->proxy)
		curl_easy_setopt(easy, CURLOPT_PROXY, call->http->access->proxy);
	if (call->http->gzip)
		curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
}

static void set_request(struct kserv_http_call *call, const struct kserv_http_request *request)
{
	CURL *easy = call->easy;

	add_header(call, "Accept", "application/json");
	if (request->body) {
		call->body = kserv_must_alloc(request->body_len);
		memcpy(call->body, request->body, request->body_len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body);
		add_header(call, "Content-Type", request->content_type);
	}
	if (request->body || strcmp(request->method, "GET"))
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, call->http->user_agent);
}

struct kserv_http_call *kserv_http_start(struct kserv_http *http, const struct kserv_http_request *request)
{
	struct kserv_http_call *call = kserv_must_alloc(sizeof(*call));

	call->http = http;
	call->head = request->head;
	call->data = request->data;
	call->done = request->done;
	call->context = request->context;
	call->limit_us = request->head_ms * 1000ULL;
	call->silence_us = request->silence_ms * 1000ULL;
	call->easy = curl_easy_init();
	if (!call->easy)
		abort();
	DL_APPEND(http->calls, call);
	curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(call->easy, CURLOPT_ERRORBUFFER, call->why);
	curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call);
	set_transport(call, request);
	set_tls(call->easy, http->access, request);
	set_url(call, http->access, request->path);
	set_identity(call, http->access, request->token);
	set_request(call, request);
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
	if (call->limit_us || call->silence_us)
		sd_event_add_time_relative(http->loop, &call->timer, CLOCK_MONOTONIC,
					   call->limit_us ? call->limit_us : call->silence_us, 0, on_limit, call);
	work_later(http);
	return call;
}

void kserv_http_set_silence(struct kserv_http_call *call, unsigned int silence_ms)
{
	call->silence_us = silence_ms * 1000ULL;
	set_limit(call, call->silence_us);
}

void kserv_http_cancel(struct kserv_http_call *call)
{
	if (!call || call->place == ENDING)
		return;
	call->cancelled = true;
	work_later(call->http);
}
