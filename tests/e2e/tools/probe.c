// SPDX-License-Identifier: GPL-2.0
/*
 * probe: the clients of the end-to-end tests. See usage().
 *
 * Every check ends in one of the outcomes below, told apart by exit code and by words. Deadlines are exact.
 */
#include <errno.h>
#include <getopt.h>
#include <time.h>
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include "wire.h"

#define CHUNK 16384
#define DATAGRAM_MAX 65536
#define WORDS_MAX 48
#define NAMES_MAX 64

enum outcome {
	OK, ERROR, USAGE, REFUSED, TIMEOUT, RESET, MISMATCH, UNREACHABLE, CLOSED, TOO_BIG, WRONG, EXPIRED, OUTCOMES
};

static const char *const outcome_words[OUTCOMES] = {
	"ok", "error", "usage", "refused", "timeout", "reset", "mismatch", "unreachable", "closed", "too-big", "wrong",
	"expired"
};

/* A connection that stays open, or a socket for the length of one check. */
struct link {
	char name[32];
	int fd;
	int protocol;
	unsigned int asked;
	struct link *next;
};

/* What one command asks for. */
struct check {
	int protocol;
	union address to, from;
	bool has_from, has_bytes, df, errors, forever;
	size_t bytes;
	unsigned int count;
	int timeout_ms, within_ms, ttl;
	uint64_t seed;
	const char *expect, *seen_as, *at;
	char said[512];		/* what there is to say about the outcome */
	int64_t deadline;
};

static struct link *links;
static volatile sig_atomic_t stopped;

static void usage(FILE *file)
{
	fputs("usage: probe [--netns NS] [COMMAND]      without COMMAND, commands are read from stdin, one a line\n"
	      "  PROTOCOL ADDRESS:PORT [WORDS]           one connection, or several, that ask the server who it is\n"
	      "  open NAME PROTOCOL ADDRESS:PORT [WORDS] a connection that stays open\n"
	      "  ask NAME [WORDS]  close NAME            use it and end it\n"
	      "words:\n"
	      "  bytes N          send N bytes, check that the same N come back (UDP: one datagram)\n"
	      "  seed S           of those bytes\n"
	      "  count K          K connections one after the other, and who answered how many\n"
	      "  forever          until SIGTERM; only wrong bytes are a failure\n"
	      "  from ADDRESS:PORT  our end\n"
	      "  timeout MS       for each connection, default 5000; within MS: take no longer\n"
	      "  expect WORD[,WORD]  names of servers, or an outcome (refused, timeout, reset, unreachable ...)\n"
	      "  seen-as ADDRESS  who the server must think we are; at ADDRESS[:PORT]: where it must be reached\n"
	      "  df  ttl N  errors   set DF; set the TTL; report ICMP errors (who says what about which packet)\n"
	      "exit code: 0 ok, 1 error, 2 usage, 3 refused, 4 timeout, 5 reset, 6 mismatch, 7 unreachable, 8 closed,\n"
	      "  9 too big, 10 wrong (not as expected), 11 expired on the way\n", file);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

__attribute__((format(printf, 3, 4)))
static enum outcome say(struct check *check, enum outcome outcome, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->said, sizeof(check->said), format, args);
	va_end(args);
	return outcome;
}

static enum outcome outcome_of_errno(struct check *check, int error)
{
	static const struct { int error; enum outcome outcome; } map[] = {
		{ ECONNREFUSED, REFUSED }, { ETIMEDOUT, TIMEOUT }, { ECONNRESET, RESET }, { EPIPE, RESET },
		{ ECONNABORTED, RESET }, { EHOSTUNREACH, UNREACHABLE }, { ENETUNREACH, UNREACHABLE },
		{ ENOPROTOOPT, UNREACHABLE }, { EACCES, UNREACHABLE }, { EMSGSIZE, TOO_BIG },
	};
	unsigned int i;

	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (map[i].error == error)
			return say(check, map[i].outcome, "%s", strerror(error));
	return say(check, ERROR, "%s", strerror(error));
}

static bool is_v6(const struct check *check)
{
	return check->to.any.sa_family == AF_INET6;
}

/* Which ICMP error is it; sets the outcome that belongs to it. */
static const char *error_words(const struct sock_extended_err *e, enum outcome *outcome)
{
	bool v6 = e->ee_origin == SO_EE_ORIGIN_ICMP6;

	*outcome = UNREACHABLE;
	if (e->ee_errno == EMSGSIZE) {
		*outcome = TOO_BIG;
		return "too big";
	}
	if (e->ee_type == (v6 ? ICMPV6_TIME_EXCEED : ICMP_TIME_EXCEEDED)) {
		*outcome = EXPIRED;
		return "time exceeded";
	}
	if (e->ee_errno == ECONNREFUSED) {
		*outcome = REFUSED;
		return "port unreachable";
	}
	return "unreachable";
}

/* An ICMP error from the socket's queue: who sent it, and about a packet to where. False if there is none. */
static bool read_error(int fd, struct check *check, enum outcome *outcome)
{
	char control[512], about[ADDRESS_MAX], by[ADDRESS_MAX] = "this host", byte;
	union address to = {};
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &data, .msg_iovlen = 1,
			      .msg_control = control, .msg_controllen = sizeof(control) };
	struct sock_extended_err *e = NULL;
	const union address *offender;
	struct cmsghdr *cmsg;
	const char *words;

	if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		if ((cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_RECVERR) ||
		    (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_RECVERR))
			e = (struct sock_extended_err *)CMSG_DATA(cmsg);
	if (!e)
		return false;
	offender = (const union address *)SO_EE_OFFENDER(e);
	if (offender->any.sa_family != AF_UNSPEC)
		address_host(offender, by);
	words = error_words(e, outcome);
	say(check, *outcome, "%s, mtu %u, said by %s about %s", words, e->ee_errno == EMSGSIZE ? e->ee_info : 0, by,
	    msg.msg_namelen ? address_text(&to, about) : "unknown");
	return true;
}

static enum outcome outcome_of_socket(int fd, struct check *check, int error)
{
	socklen_t len = sizeof(error);
	enum outcome outcome;

	if (!error)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (check->errors && read_error(fd, check, &outcome))
		return outcome;
	return error ? outcome_of_errno(check, error) : OK;
}

/* Wait for @events until the deadline. */
static enum outcome wait_for(int fd, short events, struct check *check)
{
	struct pollfd p = { .fd = fd, .events = events };
	enum outcome outcome;
	int64_t left;
	int n;

	for (;;) {
		left = check->deadline - now_ms();
		n = poll(&p, 1, left > 0 ? left : 0);
		if (n < 0 && errno == EINTR && !stopped)
			continue;
		if (n <= 0)
			return say(check, TIMEOUT, "no answer in %d ms", check->timeout_ms);
		if (p.revents & POLLERR) {
			outcome = outcome_of_socket(fd, check, 0);
			if (outcome != OK)
				return outcome;
		}
		if (p.revents & (events | POLLHUP))
			return OK;
	}
}

/* The address that routing gives us: an SCTP socket that is bound to it does not tell the peer of our others. */
static bool own_address(const union address *to, union address *ret)
{
	socklen_t len = sizeof(*ret);
	int fd = socket(to->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool done = fd >= 0 && !connect(fd, &to->any, address_len(to)) && !getsockname(fd, &ret->any, &len);

	if (fd >= 0)
		close(fd);
	if (to->any.sa_family == AF_INET6)
		ret->v6.sin6_port = 0;
	else
		ret->v4.sin_port = 0;
	return done;
}

static void set_options(int fd, const struct check *check)
{
	static const int yes = 1, big = 4 << 20;
	int discover = check->df ? IP_PMTUDISC_DO : IP_PMTUDISC_WANT;
	bool v6 = is_v6(check);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (check->protocol == IPPROTO_TCP)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (check->protocol == IPPROTO_UDP) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes));
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	}
	if (v6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (check->df)
		setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &discover,
			   sizeof(discover));
	if (check->ttl)
		setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_UNICAST_HOPS : IP_TTL, &check->ttl,
			   sizeof(check->ttl));
	/* An SCTP socket hears of ICMP errors only if it asks for them. */
	if (check->errors || check->protocol == IPPROTO_SCTP)
		setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &yes, sizeof(yes));
}

static enum outcome link_open(struct link *link, struct check *check)
{
	union address from = check->from;
	char text[ADDRESS_MAX];
	enum outcome outcome;
	int fd;

	link->protocol = check->protocol;
	link->fd = fd = socket(check->to.any.sa_family, socket_type(check->protocol) | SOCK_CLOEXEC | SOCK_NONBLOCK,
			       check->protocol);
	if (fd < 0)
		return outcome_of_errno(check, errno);
	set_options(fd, check);
	if (check->has_from || (check->protocol == IPPROTO_SCTP && own_address(&check->to, &from)))
		if (bind(fd, &from.any, address_len(&from)))
			return say(check, ERROR, "cannot bind to %s: %s", address_text(&from, text), strerror(errno));
	if (!connect(fd, &check->to.any, address_len(&check->to)))
		return OK;
	if (errno != EINPROGRESS)
		return outcome_of_socket(fd, check, errno);
	outcome = wait_for(fd, POLLOUT, check);
	return outcome == OK ? outcome_of_socket(fd, check, 0) : outcome;
}

static enum outcome send_all(struct link *link, const void *bytes, size_t n, struct check *check)
{
	enum outcome outcome;
	size_t sent = 0;
	ssize_t did;

	while (sent < n) {
		did = send(link->fd, (const char *)bytes + sent, n - sent, MSG_NOSIGNAL);
		if (did >= 0) {
			sent += did;
			continue;
		}
		if (errno != EAGAIN)
			return outcome_of_socket(link->fd, check, errno);
		outcome = wait_for(link->fd, POLLOUT, check);
		if (outcome != OK)
			return outcome;
	}
	return OK;
}

/* One datagram or some bytes; 0 bytes of a stream are its end. */
static enum outcome receive(struct link *link, void *bytes, size_t size, size_t *ret_n, struct check *check)
{
	enum outcome outcome;
	ssize_t n;

	for (;;) {
		n = recv(link->fd, bytes, size, 0);
		if (n < 0 && errno != EAGAIN)
			return outcome_of_socket(link->fd, check, errno);
		if (!n && link->protocol != IPPROTO_UDP)
			return say(check, CLOSED, "the server closed the connection");
		if (n >= 0) {
			*ret_n = n;
			return OK;
		}
		outcome = wait_for(link->fd, POLLIN, check);
		if (outcome != OK)
			return outcome;
	}
}

/* Who is there? @line gets the answer, without the word that proves that it is ours. */
static enum outcome ask(struct link *link, char *line, struct check *check)
{
	static unsigned int number;
	char question[64], word[48], *end;
	enum outcome outcome;
	size_t n, len = 0;

	if (!link->asked)
		link->asked = ++number;
	snprintf(word, sizeof(word), "%d-%u-%u", getpid(), link->asked, ++number);
	snprintf(question, sizeof(question), "hello %s\n", word);
	outcome = send_all(link, question, strlen(question), check);
	while (outcome == OK) {
		outcome = receive(link, line + len, LINE_MAX_BYTES - 1 - len, &n, check);
		if (outcome != OK)
			break;
		len += n;
		line[len] = '\0';
		end = strchr(line, '\n');
		if (!end && len < LINE_MAX_BYTES - 1)
			continue;
		if (!end || len < strlen(word) + 2 || strncmp(end - strlen(word), word, strlen(word)))
			return say(check, MISMATCH, "asked with the word %s, but the answer was: %s", word, line);
		end[-1 - (ssize_t)strlen(word)] = '\0';
		return OK;
	}
	return outcome;
}

static enum outcome compare(const uint8_t *bytes, size_t n, size_t position, struct check *check)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (bytes[i] != payload_byte(check->seed, position + i))
			return say(check, MISMATCH, "byte %zu came back as 0x%02x and was 0x%02x", position + i, bytes[i],
				   payload_byte(check->seed, position + i));
	return OK;
}

static void fill(uint8_t *bytes, size_t n, size_t position, const struct check *check)
{
	size_t i;

	for (i = 0; i < n; i++)
		bytes[i] = payload_byte(check->seed, position + i);
}

static enum outcome echo_datagram(struct link *link, struct check *check)
{
	static uint8_t bytes[DATAGRAM_MAX];
	enum outcome outcome;
	size_t n = 0;

	fill(bytes, check->bytes, 0, check);
	if (send(link->fd, bytes, check->bytes, 0) < 0)
		return outcome_of_socket(link->fd, check, errno);
	outcome = receive(link, bytes, sizeof(bytes), &n, check);
	if (outcome != OK)
		return outcome;
	if (n != check->bytes)
		return say(check, MISMATCH, "a datagram of %zu bytes came back with %zu", check->bytes, n);
	return compare(bytes, n, 0, check);
}

/* Send and receive at the same time: what is under way fits no buffer. */
static enum outcome echo_stream(struct link *link, struct check *check)
{
	static uint8_t out[CHUNK], in[CHUNK];
	size_t sent = 0, got = 0, filled = 0, n;
	enum outcome outcome;
	char question[48];
	ssize_t did;

	snprintf(question, sizeof(question), "echo %zu\n", check->bytes);
	outcome = send_all(link, question, strlen(question), check);
	while (outcome == OK && got < check->bytes) {
		if (sent < check->bytes) {
			n = check->bytes - sent < CHUNK ? check->bytes - sent : CHUNK;
			if (filled != sent + 1)
				fill(out, n, sent, check);
			filled = sent + 1;
			did = send(link->fd, out, n, MSG_NOSIGNAL);
			if (did < 0 && errno != EAGAIN)
				return outcome_of_socket(link->fd, check, errno);
			sent += did > 0 ? did : 0;
		}
		outcome = wait_for(link->fd, sent < check->bytes ? POLLIN | POLLOUT : POLLIN, check);
		if (outcome != OK)
			break;
		did = recv(link->fd, in, sizeof(in), 0);
		if (did < 0 && errno != EAGAIN)
			return outcome_of_socket(link->fd, check, errno);
		if (!did)
			return say(check, CLOSED, "closed after %zu of %zu bytes", got, check->bytes);
		if (did > 0) {
			outcome = compare(in, did, got, check);
			got += did;
		}
	}
	if (outcome == TIMEOUT)
		return say(check, TIMEOUT, "%zu bytes sent and %zu received in %d ms", sent, got, check->timeout_ms);
	if (outcome == OK && got > check->bytes)
		return say(check, MISMATCH, "%zu bytes came back of %zu", got, check->bytes);
	return outcome;
}

/* Is @word one of the comma separated @list? */
static bool listed(const char *list, const char *word, size_t len)
{
	size_t n;

	for (;; list += n + 1) {
		n = strcspn(list, ",");
		if (n == len && !strncmp(list, word, len))
			return true;
		if (!list[n])
			return false;
	}
}

static bool expects_outcome(const struct check *check, enum outcome outcome)
{
	return check->expect && listed(check->expect, outcome_words[outcome], strlen(outcome_words[outcome]));
}

/* Does @check name servers, other than outcomes? */
static bool expects_server(const struct check *check)
{
	const char *word = check->expect;
	unsigned int i;
	size_t n;

	for (; word; word = word[n] ? word + n + 1 : NULL) {
		n = strcspn(word, ",");
		for (i = 0; i < OUTCOMES; i++)
			if (strlen(outcome_words[i]) == n && !strncmp(outcome_words[i], word, n))
				break;
		if (i == OUTCOMES)
			return true;
	}
	return false;
}

/* The word after @key in "NAME peer A:P local A:P" must be @host or @host:port. */
static bool line_has(const char *line, const char *key, const char *wanted)
{
	const char *word = strstr(line, key);
	union address a, b;
	char text[ADDRESS_MAX], x[ADDRESS_MAX], y[ADDRESS_MAX];

	if (!word || sscanf(word + strlen(key), "%63s", text) != 1 || !address_parse(text, &a) ||
	    !address_parse(wanted, &b))
		return false;
	if (strcmp(address_host(&a, x), address_host(&b, y)))
		return false;
	return !address_port(&b) || address_port(&a) == address_port(&b);
}

static enum outcome judge_line(const char *line, struct check *check)
{
	if (expects_server(check) && !listed(check->expect, line, strcspn(line, " ")))
		return say(check, WRONG, "answered by %s", line);
	if (check->seen_as && !line_has(line, " peer ", check->seen_as))
		return say(check, WRONG, "the server saw another source: %s", line);
	if (check->at && !line_has(line, " local ", check->at))
		return say(check, WRONG, "reached at another address: %s", line);
	return say(check, OK, "%s", line);
}

/* Ask and echo over an open link, as the check says; @line gets the answer to the asking. */
static enum outcome talk(struct link *link, struct check *check, char *line)
{
	enum outcome outcome = OK;
	int64_t start = now_ms();

	line[0] = '\0';
	if (!check->has_bytes || check->seen_as || check->at || expects_server(check)) {
		outcome = ask(link, line, check);
		if (outcome != OK)
			return outcome;
		outcome = judge_line(line, check);
	}
	if (outcome == OK && check->has_bytes) {
		outcome = link->protocol == IPPROTO_UDP ? echo_datagram(link, check) : echo_stream(link, check);
		if (outcome == OK)
			say(check, OK, "%zu bytes came back right in %lld ms%s%s", check->bytes,
			    (long long)(now_ms() - start), *line ? " from " : "", line);
	}
	return outcome;
}

static void link_close(struct link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
}

/* Those that were answered as they should be, for the sum that the cases end with. */
static unsigned long connections_checked;

/* One connection from opening to closing. */
static enum outcome one_connection(struct check *check, char *line)
{
	struct link link = { .fd = -1 };
	enum outcome outcome;
	int64_t start = now_ms();

	check->deadline = start + check->timeout_ms;
	line[0] = '\0';
	outcome = link_open(&link, check);
	if (outcome == OK)
		outcome = talk(&link, check, line);
	link_close(&link);
	if (check->within_ms && now_ms() - start > check->within_ms)
		return say(check, WRONG, "%s took %lld ms, more than %d", outcome_words[outcome],
			   (long long)(now_ms() - start), check->within_ms);
	connections_checked += outcome == OK;
	return outcome;
}

/* Who answered how many. */
struct tally {
	char name[NAMES_MAX][32];
	unsigned int n[NAMES_MAX];
	unsigned int used, by_outcome[OUTCOMES];
};

static void tally_add(struct tally *tally, const char *line)
{
	unsigned int i;
	char word[32];

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(line, " "), line);
	for (i = 0; i < tally->used && strcmp(tally->name[i], word); i++)
		;
	if (i == NAMES_MAX)
		return;
	if (i == tally->used)
		strcpy(tally->name[tally->used++], word);
	tally->n[i]++;
}

static void tally_print(const struct tally *tally)
{
	unsigned int i;

	for (i = 0; i < tally->used; i++)
		if (*tally->name[i])
			printf("%s %u\n", tally->name[i], tally->n[i]);
	for (i = 0; i < OUTCOMES; i++)
		if (tally->by_outcome[i] && i != OK)
			printf("%s %u\n", outcome_words[i], tally->by_outcome[i]);
}

static enum outcome many_connections(struct check *check)
{
	struct tally tally = {};
	enum outcome outcome, worst = OK;
	char line[LINE_MAX_BYTES], reason[sizeof(check->said)] = "";
	unsigned int i;

	for (i = 0; (check->forever || i < check->count) && !stopped; i++) {
		outcome = one_connection(check, line);
		if (stopped && outcome == TIMEOUT)
			break;
		check->seed++;
		tally.by_outcome[outcome]++;
		tally_add(&tally, line);
		if (outcome != OK && (!check->forever || outcome == MISMATCH) && worst == OK) {
			worst = outcome;
			snprintf(reason, sizeof(reason), "connection %u: %.480s", i + 1, check->said);
		}
		/* Nobody there is answered at once; leave the machine to the others for a moment. */
		if (check->forever && outcome != OK)
			poll(NULL, 0, 1);
	}
	tally_print(&tally);
	if (check->forever)
		printf("ok %u\n", tally.by_outcome[OK]);
	return say(check, worst, worst == OK ? "%s%u connections" : "%s", worst == OK ? "" : reason, i);
}

static bool number(const char *word, unsigned long long max, unsigned long long *ret)
{
	char *end;

	*ret = word ? strtoull(word, &end, 10) : 0;
	return word && *word && !*end && *ret <= max;
}

/* A kernel that is slow on purpose gets more time for everything but silence. */
static void be_patient(struct check *check)
{
	const char *factor = getenv("PATIENCE");
	int n = factor ? atoi(factor) : 1;

	if (n < 1 || expects_outcome(check, TIMEOUT))
		return;
	check->timeout_ms *= n;
	check->within_ms *= n;
}

/* Reads the words after the address; returns false and says why if they make no sense. */
static bool parse_words(char **words, struct check *check)
{
	unsigned long long n;

	for (; *words; words++) {
		char *word = *words;

		if (!strcmp(word, "df") || !strcmp(word, "errors") || !strcmp(word, "forever")) {
			check->df |= *word == 'd';
			check->errors |= *word == 'e';
			check->forever |= *word == 'f';
			continue;
		}
		if (!*++words)
			return say(check, USAGE, "nothing after '%s'", word) == OK;
		if (!strcmp(word, "expect"))
			check->expect = *words;
		else if (!strcmp(word, "seen-as"))
			check->seen_as = *words;
		else if (!strcmp(word, "at"))
			check->at = *words;
		else if (!strcmp(word, "from") && address_parse(*words, &check->from))
			check->has_from = true;
		else if (!strcmp(word, "bytes") && number(*words, 1 << 30, &n))
			check->bytes = n, check->has_bytes = true;
		else if (!strcmp(word, "seed") && number(*words, UINT64_MAX, &n))
			check->seed = n;
		else if (!strcmp(word, "count") && number(*words, UINT32_MAX, &n))
			check->count = n;
		else if (!strcmp(word, "timeout") && number(*words, 3600000, &n))
			check->timeout_ms = n;
		else if (!strcmp(word, "within") && number(*words, 3600000, &n))
			check->within_ms = n;
		else if (!strcmp(word, "ttl") && number(*words, 255, &n))
			check->ttl = n;
		else
			return say(check, USAGE, "'%s %s' makes no sense", word, *words) == OK;
	}
	be_patient(check);
	return true;
}

/* PROTOCOL ADDRESS:PORT [WORDS] */
static bool parse_check(char **words, struct check *check)
{
	check->protocol = words[0] ? protocol_parse(words[0]) : -1;
	if (check->protocol < 0)
		return say(check, USAGE, "'%s' is not tcp, udp or sctp", words[0] ? words[0] : "") == OK;
	if (!words[1] || !address_parse(words[1], &check->to) || !address_port(&check->to))
		return say(check, USAGE, "'%s' is not an address and port", words[1] ? words[1] : "") == OK;
	return parse_words(words + 2, check);
}

static struct link *link_find(const char *name)
{
	struct link *link;

	for (link = links; link; link = link->next)
		if (name && !strcmp(link->name, name))
			return link;
	return NULL;
}

/* open, ask and close; the check is filled in as far as the words say. */
static enum outcome use_link(char **words, struct check *check)
{
	struct link *link = link_find(words[1]);
	char line[LINE_MAX_BYTES];
	enum outcome outcome;

	if (!strcmp(words[0], "open")) {
		if (!words[1] || link || !(link = calloc(1, sizeof(*link))))
			return say(check, USAGE, "no name, or one that is in use");
		snprintf(link->name, sizeof(link->name), "%s", words[1]);
		link->next = links;
		links = link;
		if (!parse_check(words + 2, check))
			return USAGE;
		check->deadline = now_ms() + check->timeout_ms;
		outcome = link_open(link, check);
		return outcome == OK ? say(check, OK, "open") : outcome;
	}
	if (!link || link->fd < 0)
		return say(check, USAGE, "no connection '%s' is open", words[1] ? words[1] : "");
	if (!strcmp(words[0], "close")) {
		link_close(link);
		link->name[0] = '\0';
		return say(check, OK, "closed");
	}
	if (!parse_words(words + 2, check))
		return USAGE;
	check->protocol = link->protocol;
	check->deadline = now_ms() + check->timeout_ms;
	return talk(link, check, line);
}

static enum outcome run_words(char **words, struct check *check)
{
	char line[LINE_MAX_BYTES];

	if (!strcmp(words[0], "open") || !strcmp(words[0], "ask") || !strcmp(words[0], "close"))
		return use_link(words, check);
	if (!parse_check(words, check))
		return USAGE;
	return check->count || check->forever ? many_connections(check) : one_connection(check, line);
}

/* Run one command and print one line about it (several for a count). Returns the exit code. */
static enum outcome run(char **words)
{
	struct check check = { .timeout_ms = 5000, .seed = now_ms() };
	enum outcome outcome = run_words(words, &check);
	unsigned int i;

	if (outcome != OK && outcome != USAGE && expects_outcome(&check, outcome)) {
		printf("ok %s: %s\n", outcome_words[outcome], check.said);
		outcome = OK;
	} else if (outcome == OK && check.expect && !expects_server(&check) && !expects_outcome(&check, OK)) {
		printf("FAIL wrong: expected %s, but it went well: %s\n", check.expect, check.said);
		outcome = WRONG;
	} else if (outcome == OK) {
		printf("ok %s\n", check.said);
	} else {
		printf("FAIL %s: %s:", outcome_words[outcome], check.said);
		for (i = 0; words[i]; i++)
			printf(" %s", words[i]);
		printf("\n");
	}
	fflush(stdout);
	return outcome;
}

static void write_counts(void)
{
	const char *path = getenv("COUNTS");
	FILE *file = path ? fopen(path, "ae") : NULL;

	if (!file)
		return;
	fprintf(file, "connections %lu\n", connections_checked);
	fclose(file);
}

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "netns", required_argument, NULL, 'n' }, { "help", no_argument, NULL, 'h' }, { }
	};
	struct sigaction action = { .sa_handler = stop };
	char line[1024], *words[WORDS_MAX], *rest;
	enum outcome outcome, first = OK;
	int c, n;

	while ((c = getopt_long(argc, argv, "+n:h", options, NULL)) != -1) {
		if (c == 'n') {
			enter_netns(optarg);
		} else {
			usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? OK : USAGE;
		}
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	atexit(write_counts);
	if (argv[optind])
		return run(argv + optind);
	while (!stopped && fgets(line, sizeof(line), stdin)) {
		rest = line;
		for (n = 0; n < WORDS_MAX - 1 && (words[n] = strsep(&rest, " \t\n")); n += !!*words[n])
			;
		words[n] = NULL;
		if (!n || *words[0] == '#')
			continue;
		outcome = run(words);
		if (first == OK)
			first = outcome;
	}
	return first;
}
