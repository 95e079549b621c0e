// SPDX-License-Identifier: GPL-2.0
/*
 * netlink_fuzz SEED MESSAGES NETNS...: random requests from many at once: root in each NETNS, one who is killed in the
 * middle of what he does, an ordinary user, the root of a user namespace in the first NETNS, and one with a network of
 * his own. Each has sockets that he uses in turn, some of which he does not read, or closes while they are answered.
 *
 * The kernel must survive it. Beyond that: who may not change anything is refused what takes a privilege; what makes
 * sense is refused with words only; in the end all tables can be emptied. Exit code 0, or 1 with what was otherwise.
 */
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include "netns.h"
#include "netlink_fuzz.h"

#define CHANNELS 16
#define WORKERS_MAX 16
#define ERRNO_MAX 134

struct channel {
	int fd;
	bool is_listener;
};

/* Shared with the workers, who each write their own. */
static struct figures {
	unsigned long messages, unsent, accepted, resumed, refused, data, events, overruns, reopened;
	unsigned long by_errno[ERRNO_MAX], forbidden, wordless;
	unsigned long killed;
	char complaint[200];
} *figures;

static struct channel channels[CHANNELS];
static struct figures *mine;
static bool may_change;

__attribute__((format(printf, 1, 2)))
static void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!mine->complaint[0])
		vsnprintf(mine->complaint, sizeof(mine->complaint), format, args);
	va_end(args);
}

static bool takes_privilege(uint8_t command)
{
	return command == KSERV_CMD_TRANSACTION || command == KSERV_CMD_FLOW_GET || command == KSERV_CMD_FLOW_DEL ||
	       command == KSERV_CMD_SESSION_GET || command == KSERV_CMD_EXPLAIN || command == KSERV_CMD_FLOW_SET;
}

/* ---- answers */

static void check_allowed(uint8_t command, const char *what)
{
	if (may_change || !takes_privilege(command))
		return;
	mine->forbidden++;
	complain("command %u takes a privilege that this user has not, and %s", command, what);
}

/* Refusals of netlink itself, before or around the family's own checks, have no words. */
static bool needs_words(int error)
{
	return error != EPERM && error != EOPNOTSUPP && error != EBUSY && error != ENOMEM && error != ENOBUFS &&
	       error != EINTR;
}

static void take_result(const struct nlmsghdr *nlh, int error)
{
	uint8_t command = nlh->nlmsg_seq >> 1 & 127;

	if (nlh->nlmsg_seq >> 8 < FIRST_SEQUENCE || nlh->nlmsg_seq >> 8 > sequence)
		return;
	if (!error) {
		mine->accepted++;
		mine->resumed += command == KSERV_CMD_FLOW_SET;
		check_allowed(command, "was done");
		return;
	}
	mine->refused++;
	error = -error;
	if (error < 0 || error >= ERRNO_MAX)
		error = 0;
	mine->by_errno[error]++;
	if (nlh->nlmsg_type != NLMSG_ERROR)
		return;
	read_words(nlh);
	if (!words[0] && !(nlh->nlmsg_seq & 1) && needs_words(error)) {
		mine->wordless++;
		complain("command %u was refused with '%s' and no words", command, strerror(error));
	}
}

static void take(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = NLMSG_DATA(nlh);

	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		take_result(nlh, ((const struct nlmsgerr *)NLMSG_DATA(nlh))->error);
		return;
	case NLMSG_DONE:
		take_result(nlh, *(const int *)NLMSG_DATA(nlh));
		return;
	}
	if (nlh->nlmsg_type != family_id)
		return;
	if (genl->cmd == KSERV_CMD_EVENT) {
		mine->events++;
		return;
	}
	mine->data++;
	check_allowed(genl->cmd, "was answered");
}

static void drain(struct channel *channel, int most)
{
	const struct nlmsghdr *nlh;
	ssize_t got;

	for (; most; most--) {
		got = recv(channel->fd, in, sizeof(in), MSG_DONTWAIT);
		if (got < 0 && errno == ENOBUFS) {
			mine->overruns++;
			continue;
		}
		if (got <= 0)
			return;
		for (nlh = (void *)in; NLMSG_OK(nlh, got); nlh = NLMSG_NEXT(nlh, got))
			take(nlh);
	}
}

/* ---- requests */

static void channel_open(struct channel *channel)
{
	static const int rooms[] = { 256, 4096, 1 << 16, 1 << 20 };
	int one = 1, room = one_of(rooms), send_room = 4 << 20;

	channel->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (channel->fd < 0)
		err(1, "socket");
	if (chance(8)) {
		setsockopt(channel->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
		setsockopt(channel->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	}
	if (chance(2))
		setsockopt(channel->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	setsockopt(channel->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	setsockopt(channel->fd, SOL_SOCKET, SO_SNDBUFFORCE, &send_room, sizeof(send_room));
	channel->is_listener = !chance(6);
	if (channel->is_listener)
		setsockopt(channel->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &monitor_group, sizeof(monitor_group));
}

static void channel_reopen(struct channel *channel)
{
	close(channel->fd);
	channel_open(channel);
	mine->reopened++;
}

/* A socket whose sentences are not asked for cannot complain of none. */
static void speak(struct channel *channel)
{
	socklen_t len = sizeof(int);
	int asks = 0;

	make_request();
	getsockopt(channel->fd, SOL_NETLINK, NETLINK_EXT_ACK, &asks, &len);
	if (!asks)
		out.header.nlmsg_seq |= 1;
	mine->messages++;
	if (send(channel->fd, out.data, out.len, MSG_DONTWAIT) < 0)
		mine->unsent++;
}

static void work(unsigned long n)
{
	struct channel *channel;
	unsigned int i;

	sequence = FIRST_SEQUENCE;
	for (i = 0; i < CHANNELS; i++)
		channel_open(&channels[i]);
	while (n--) {
		channel = &channels[chance(CHANNELS)];
		if (!chance(100))
			channel_reopen(channel);
		speak(channel);
		if (chance(4))
			drain(channel, chance(2) ? 64 : 1);
	}
	for (i = 0; i < CHANNELS; i++) {
		drain(&channels[i], 1000);
		close(channels[i].fd);
	}
}

/* ---- who asks */

static void become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		err(1, "cannot become an ordinary user");
	may_change = false;
}

static void be_root(unsigned long n) { work(n); }

static void be_nobody(unsigned long n)
{
	become_nobody();
	work(n);
}

static void be_root_of_users(unsigned long n)
{
	become_nobody();
	if (unshare(CLONE_NEWUSER))
		err(1, "cannot make a user namespace");
	work(n);
}

static void be_root_of_own_network(unsigned long n)
{
	become_nobody();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		err(1, "cannot make a user namespace with a network");
	may_change = true;
	work(n);
}

/* The figures are in shared memory: what he counted outlives him. */
static void be_mortal(unsigned long n)
{
	unsigned long end = mine->messages + n, last;
	pid_t pid;
	int i;

	while (mine->messages < end) {
		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			work(n);
			_exit(0);
		}
		/* He dies after some messages, or when he hangs; a slow machine gives him as many as a fast one. */
		last = mine->messages + chance(100);
		for (i = 0; i < 2000 && mine->messages < last; i++)
			usleep(1000);
		usleep(chance(3000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		chance_state += pid;
		mine->killed++;
	}
}

static pid_t start_worker(int number, const char *netns, void (*be)(unsigned long), unsigned long n)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	mine = &figures[number];
	may_change = true;
	chance_state += number * 7919;
	chance(2);
	enter_netns(netns);
	be(n);
	_exit(0);
}

/* ---- the end */

static void request_or_die(const char *what)
{
	int ret = request(NULL, NULL);

	if (ret)
		errx(1, "%s: %s: %s", what, strerror(-ret), words);
}

struct counts {
	uint32_t n[6];
};

static void read_counts(const struct nlattr *attrs, size_t len, void *arg)
{
	struct counts *counts = arg;
	const struct nlattr *attr, *member;
	uint16_t type;

	for_each_attr(attr, attrs, len)
		if (type_of(attr) == KSERV_A_MESSAGE_CONFIG)
			for_each_attr(member, data_of(attr), len_of(attr)) {
				type = type_of(member);
				if (type >= KSERV_A_CONFIG_SERVICES && type <= KSERV_A_CONFIG_SESSIONS)
					counts->n[type - KSERV_A_CONFIG_SERVICES] = get32(member);
			}
}

static bool is_empty(struct counts *counts)
{
	unsigned int i;

	begin(family_id, KSERV_CMD_FLOW_DEL, NLM_F_ACK);
	request_or_die("the flows could not be deleted");
	begin(family_id, KSERV_CMD_CONFIG_GET, NLM_F_ACK);
	memset(counts, 0xff, sizeof(*counts));
	if (request(read_counts, counts))
		errx(1, "the configuration could not be read: %s", words);
	for (i = 0; i < 6; i++)
		if (counts->n[i])
			return false;
	return true;
}

/* Flows of removed endpoints and forgotten clients go within a moment. */
static int empty_tables(const char *netns)
{
	struct counts counts;
	int i;

	enter_netns(netns);
	close(fd);
	connect_family();
	begin(family_id, KSERV_CMD_TRANSACTION, NLM_F_ACK);
	put(KSERV_A_MESSAGE_REPLACE, NULL, 0);
	nest_end(nest(KSERV_A_MESSAGE_CONFIG_SET));
	request_or_die("the tables could not be emptied");
	for (i = 0; i < 200; i++) {
		if (is_empty(&counts))
			return 0;
		usleep(100000);
	}
	fprintf(stderr, "%s was emptied and has %u services, %u frontends, %u endpoints, %u routes, %u flows, %u sessions\n",
		netns, counts.n[0], counts.n[1], counts.n[2], counts.n[3], counts.n[4], counts.n[5]);
	return 1;
}

static int print_figures(int workers)
{
	struct figures all = {};
	int i, e, bad = 0;

	for (i = 0; i < workers; i++) {
		const struct figures *f = &figures[i];

		all.messages += f->messages, all.unsent += f->unsent, all.accepted += f->accepted;
		all.resumed += f->resumed, all.refused += f->refused, all.data += f->data, all.events += f->events;
		all.overruns += f->overruns, all.reopened += f->reopened, all.killed += f->killed;
		for (e = 0; e < ERRNO_MAX; e++)
			all.by_errno[e] += f->by_errno[e];
		if (f->complaint[0])
			bad = fprintf(stderr, "worker %d (%lu forbidden, %lu without words): %s\n", i, f->forbidden,
				      f->wordless, f->complaint);
	}
	printf("%lu messages: %lu accepted, of which %lu with flows put back, %lu refused, %lu not sent; %lu answers and %lu events read, %lu overruns, "
	       "%lu sockets closed in between, %lu processes killed\n", all.messages, all.accepted, all.resumed, all.refused,
	       all.unsent, all.data, all.events, all.overruns, all.reopened, all.killed);
	printf("refused with:");
	for (e = 0; e < ERRNO_MAX; e++)
		if (all.by_errno[e])
			printf(" %lu %s;", all.by_errno[e], strerror(e));
	printf("\n");
	if (!all.accepted || !all.refused)
		bad = fprintf(stderr, "nothing was %s: these are not the messages that were meant\n",
			      all.accepted ? "refused" : "accepted");
	return bad ? 1 : 0;
}

static int wait_for_workers(const pid_t *pids, int workers)
{
	int i, status, bad = 0;

	for (i = 0; i < workers; i++) {
		waitpid(pids[i], &status, 0);
		if (status)
			bad = fprintf(stderr, "worker %d ended with status %x\n", i, status);
	}
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	int i, workers = 0, bad;
	pid_t pids[WORKERS_MAX];
	unsigned long n;

	if (argc < 4 || argc > WORKERS_MAX - 2)
		errx(2, "usage: netlink_fuzz SEED MESSAGES NETNS...");
	chance_state = strtoull(argv[1], NULL, 0);
	n = strtoul(argv[2], NULL, 0) / (argc + 1) + 1;
	figures = mmap(NULL, WORKERS_MAX * sizeof(*figures), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (figures == MAP_FAILED)
		err(1, "mmap");
	connect_family();
	for (i = 3; i < argc; i++, workers++)
		pids[workers] = start_worker(workers, argv[i], be_root, n);
	pids[workers] = start_worker(workers, argv[3], be_mortal, n), workers++;
	pids[workers] = start_worker(workers, argv[3], be_nobody, n), workers++;
	pids[workers] = start_worker(workers, argv[3], be_root_of_users, n), workers++;
	pids[workers] = start_worker(workers, argv[3], be_root_of_own_network, n), workers++;
	bad = wait_for_workers(pids, workers);
	bad |= print_figures(workers);
	for (i = 3; i < argc; i++)
		bad |= empty_tables(argv[i]);
	return bad;
}
