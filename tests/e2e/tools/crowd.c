// SPDX-License-Identifier: GPL-2.0
/*
 * crowd: many TCP connections at once, for the end-to-end tests: how long they took to connect, who answered, and who
 * has how many while they stay open. See usage().
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>
#include "wire.h"

#define NAMES_MAX 16
#define EVENTS 64

enum state { CLOSED, CONNECTING, ASKING, OPEN };

struct link {
	int fd;
	enum state state;
	int64_t begun_us;
	unsigned int name;
	char line[LINE_MAX_BYTES];
	size_t line_len;
};

static union address target;
static unsigned int n_links, at_once, churn, timeout_ms = 10000;
static const char *slow;
static struct link *links;
static unsigned int pending, opened, failed;
static int64_t *took_us;
static struct {
	char text[32];
	unsigned int answered, open;
} names[NAMES_MAX];
static unsigned int n_names;
static int epoll;

static void usage(FILE *file)
{
	fputs("usage: crowd [--netns NS] ADDRESS:PORT N [WORDS]\n"
	      "Opens N connections and keeps them open until its standard input ends.\n"
	      "  at-once K     no more than K that are not connected yet; default N\n"
	      "  timeout MS    to connect and be answered; default 10000\n"
	      "  churn K       then K times ends one and opens another\n"
	      "  slow NAME     those of this server end a tenth as often\n"
	      "Prints 'connected C failed F p50 MS p99 MS max MS', then for each server 'NAME ANSWERED OPEN', then 'there'.\n", file);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void end(struct link *link)
{
	if (link->state == OPEN)
		names[link->name].open--;
	if (link->state == CONNECTING || link->state == ASKING)
		pending--;
	close(link->fd);
	link->state = CLOSED;
}

static void fail(struct link *link)
{
	failed++;
	end(link);
}

static void begin(struct link *link)
{
	struct epoll_event event = { .events = EPOLLOUT, .data.ptr = link };

	link->fd = socket(target.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (link->fd < 0)
		err(1, "no socket");
	link->state = CONNECTING;
	link->line_len = 0;
	link->begun_us = now_us();
	pending++;
	if (connect(link->fd, &target.any, address_len(&target)) && errno != EINPROGRESS) {
		fail(link);
		return;
	}
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, link->fd, &event))
		err(1, "epoll_ctl");
}

static void connected(struct link *link)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = link };
	socklen_t len = sizeof(int);
	int error = 0;

	getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error || write(link->fd, "hello crowd\n", 12) != 12) {
		fail(link);
		return;
	}
	took_us[opened++] = now_us() - link->begun_us;
	link->state = ASKING;
	epoll_ctl(epoll, EPOLL_CTL_MOD, link->fd, &event);
}

static unsigned int find_name(const char *text)
{
	unsigned int i;

	for (i = 0; i < n_names; i++)
		if (!strncmp(names[i].text, text, sizeof(names[i].text) - 1))
			return i;
	if (n_names == NAMES_MAX)
		errx(1, "more than %d servers answer", NAMES_MAX);
	snprintf(names[n_names].text, sizeof(names[0].text), "%.31s", text);
	return n_names++;
}

/* The server says its name first. */
static void answered(struct link *link)
{
	ssize_t n = read(link->fd, link->line + link->line_len, sizeof(link->line) - 1 - link->line_len);

	if (n <= 0) {
		fail(link);
		return;
	}
	link->line_len += n;
	link->line[link->line_len] = '\0';
	if (!strchr(link->line, '\n'))
		return;
	link->line[strcspn(link->line, " \n")] = '\0';
	link->name = find_name(link->line);
	link->state = OPEN;
	names[link->name].answered++;
	names[link->name].open++;
	pending--;
}

static void handle(struct link *link)
{
	if (link->state == CONNECTING)
		connected(link);
	else if (link->state == ASKING)
		answered(link);
	else if (link->state == OPEN)
		/* The other side ends or resets what should stay. */
		fail(link);
}

static void give_up_the_late(void)
{
	int64_t deadline = now_us() - timeout_ms * 1000LL;
	unsigned int i;

	for (i = 0; i < n_links; i++)
		if ((links[i].state == CONNECTING || links[i].state == ASKING) && links[i].begun_us < deadline)
			fail(&links[i]);
}

static void wait_for_some(void)
{
	struct epoll_event events[EVENTS];
	int i, n = epoll_wait(epoll, events, EVENTS, 100);

	for (i = 0; i < n; i++)
		handle(events[i].data.ptr);
	give_up_the_late();
}

/* One that is open; of the slow server every tenth time only. */
static struct link *choose_to_end(void)
{
	struct link *link;

	for (;;) {
		link = &links[random() % n_links];
		if (link->state == OPEN && !(slow && !strcmp(names[link->name].text, slow) && random() % 10))
			return link;
	}
}

static void run(void)
{
	struct link *link;
	unsigned int i;

	for (i = 0; i < n_links; i++) {
		begin(&links[i]);
		while (pending >= at_once)
			wait_for_some();
	}
	while (pending)
		wait_for_some();
	for (i = 0; i < churn && !failed; i++) {
		link = choose_to_end();
		end(link);
		begin(link);
		while (pending)
			wait_for_some();
	}
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static double percentile(unsigned int percent)
{
	return opened ? took_us[(opened - 1) * percent / 100] / 1000.0 : 0;
}

static void report(void)
{
	unsigned int i;

	qsort(took_us, opened, sizeof(*took_us), compare);
	printf("connected %u failed %u p50 %.1f p99 %.1f max %.1f\n", opened, failed, percentile(50), percentile(99),
	       percentile(100));
	for (i = 0; i < n_names; i++)
		printf("%s %u %u\n", names[i].text, names[i].answered, names[i].open);
	puts("there");
	fflush(stdout);
}

static unsigned int number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || end == text || !value || value > 1000000)
		errx(2, "%s is not a number from 1 to 1000000", text);
	return value;
}

static void parse(int argc, char **argv)
{
	if (argc < 2 || argc % 2 || !address_parse(argv[0], &target)) {
		usage(stderr);
		exit(2);
	}
	at_once = n_links = number(argv[1]);
	for (argv += 2; *argv; argv += 2) {
		if (!strcmp(argv[0], "at-once"))
			at_once = number(argv[1]);
		else if (!strcmp(argv[0], "timeout"))
			timeout_ms = number(argv[1]);
		else if (!strcmp(argv[0], "churn"))
			churn = number(argv[1]);
		else if (!strcmp(argv[0], "slow"))
			slow = argv[1];
		else
			errx(2, "%s: there is no such word", argv[0]);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "netns", required_argument, NULL, 'n' }, { "help", no_argument, NULL, 'h' }, { }
	};
	char rest[64];
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'n')
			enter_netns(optarg);
		else
			usage(option == 'h' ? stdout : stderr), exit(option == 'h' ? 0 : 2);
	}
	parse(argc - optind, argv + optind);
	signal(SIGPIPE, SIG_IGN);
	links = calloc(n_links, sizeof(*links));
	took_us = calloc(n_links + churn, sizeof(*took_us));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!links || !took_us || epoll < 0)
		err(1, "no memory");
	run();
	report();
	while (read(0, rest, sizeof(rest)) > 0)
		;
	return failed ? 1 : 0;
}
