// SPDX-License-Identifier: GPL-2.0
/* kservctl upgrade: another module in place of the one that is loaded, while connections go on. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "kservctl/commands.h"
#include "kservctl/gate.h"
#include "kservctl/leftover.h"
#include "kservctl/netns.h"
#include "kservctl/save.h"
#include "kservctl/spawn.h"
#include "sync/sync.h"

/* Commits of others between the looks at the tables that are put up with. */
#define ATTEMPTS 5
/* What was there, for a human, until it is there again. */
#define SAVED "/run/kserv-upgrade"

static char *new_file, *previous_file;
static int forced;

struct poptOption upgrade_options[] = {
	{ "module", '\0', POPT_ARG_STRING, &new_file, 0, "the new module (default: the one that modprobe finds)", "FILE" },
	{ "previous", '\0', POPT_ARG_STRING, &previous_file, 0, "the module that is loaded now, to go back to", "FILE" },
	{ "force", '\0', POPT_ARG_NONE, &forced, 0, "go on although there is no way back", NULL },
	POPT_TABLEEND
};

const char upgrade_more[] =
	"What kserv has in every network namespace that can be found (by processes and by /run/netns) is kept: tables,\n"
	"connections, remembered clients. From then on until it is put back into the new module, packets of services are\n"
	"dropped by a table of nftables, so that none goes to a wrong place; TCP sends them again. How long that was is\n"
	"printed. If the new module does not load or does not take the tables, the former one is loaded back. It is known\n"
	"from its file: --previous, else the one that modprobe finds, if it is the one that is loaded.\n"
	"If neither loads, what was kept stays in " SAVED ".*, for kservctl restore --flows, and packets are dropped\n"
	"until " GATE_BY_HAND " is done in each of the namespaces.\n"
	"kservd may run meanwhile; it sees to its objects again afterwards.\n"
	"\n"
	"  kservctl upgrade --module ./kserv.ko\n";

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* ---- modules and their files */

/* The one line that a program prints, or NULL. */
static char *ask(const char *program, const char *option, const char *value, const char *last)
{
	char *command[] = { (char *)program, (char *)option, (char *)value, (char *)last, NULL };
	struct kserv_text output = { 0 };
	int code = run_program(command, NULL, &output);

	if (code || !output.s) {
		kserv_text_clear(&output);
		return NULL;
	}
	output.s[strcspn(output.s, "\n")] = '\0';
	return kserv_text_take(&output);
}

/* What tells one build of the module from others. */
static char *source_of(const char *file)
{
	return ask("modinfo", "-F", "srcversion", file);
}

static bool is_loaded_one(const char *file, const char *loaded)
{
	char *source = file ? source_of(file) : NULL;
	bool same = source && *source && !strcmp(source, loaded);

	free(source);
	return same;
}

/* Runs a program that is silent when all is well; else what it says first tells why @what does not @verb. */
static bool does(char *const *command, const char *what, const char *verb)
{
	struct kserv_text output = { 0 };
	int code = run_program(command, NULL, &output);

	if (code)
		kserv_log_error("%s does not %s: %.*s", what, verb, (int)strcspn(output.s ? output.s : "", "\n"),
				output.s ? output.s : "");
	kserv_text_clear(&output);
	return !code;
}

/* Loads the module @file, or if that is NULL, complains of nothing and fails. */
static bool load(const char *file)
{
	char *command[] = { (char *)"insmod", (char *)file, NULL };

	return file && does(command, file, "load");
}

static bool unload(void)
{
	char *command[] = { (char *)"rmmod", (char *)"kserv", NULL };

	return does(command, "the module", "unload");
}

struct modules {
	char *next, *previous;
};

/* Which files they are; without a way back only by --force. */
static enum exit_code find_modules(struct modules *ret)
{
	char *installed = ask("modinfo", "-n", "kserv", NULL);
	char loaded[64] = "";

	*ret = (struct modules){ 0 };
	read_line("/sys/module/kserv/srcversion", loaded, sizeof(loaded));
	if (previous_file)
		ret->previous = kserv_must_strdup(previous_file);
	else if (is_loaded_one(installed, loaded))
		ret->previous = kserv_must_strdup(installed);
	else if (is_loaded_one(new_file, loaded))
		ret->previous = kserv_must_strdup(new_file);
	ret->next = new_file ? kserv_must_strdup(new_file) : installed;
	if (ret->next != installed)
		free(installed);
	if (!ret->next) {
		kserv_log_error("modprobe finds no module kserv for this kernel; name its file with --module");
		return REFUSED;
	}
	if (access(ret->next, R_OK) || (ret->previous && access(ret->previous, R_OK))) {
		kserv_log_error("%s: %s", access(ret->next, R_OK) ? ret->next : ret->previous, strerror(errno));
		return REFUSED;
	}
	if (ret->previous || forced)
		return DONE;
	kserv_log_error("no file is known to be the module that is loaded, to go back to if the new one does not load; "
			"name it with --previous, or give --force");
	return REFUSED;
}

/* ---- what is kept, and put back */

/* In case this program cannot put it back itself. */
static bool write_down(const struct netns *netns)
{
	char *path = kserv_must_printf(SAVED ".%lu", netns->inode);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	bool done = false;

	if (file) {
		fprintf(file, "# network namespace %s\n", netns->path);
		write_tables(file, &netns->tables);
		past_write(file, &netns->past);
		done = !ferror(file);
		done = !fclose(file) && done;
	}
	if (!done)
		kserv_log_error("%s cannot be written: %s", path, strerror(errno));
	free(path);
	return done;
}

static void forget_saved(const struct netns_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		char *path = kserv_must_printf(SAVED ".%lu", list->v[i].inode);

		unlink(path);
		free(path);
	}
}

static void open_gates(struct netns_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (list->v[i].closed && netns_enter(&list->v[i]))
			gate_open();
		list->v[i].closed = false;
	}
}

/* Nothing goes wrong where there is nothing. */
static bool has_services(const struct netns *netns)
{
	return netns->tables.n_services || netns->tables.config.service_cidrs.n || netns->past.flows.n;
}

/*
 * The gate is made from a first look; what is kept is from a second one, behind the gate. Return: -EAGAIN if the tables
 * changed between them.
 */
static int keep_one(struct netns *netns)
{
	uint32_t generation = netns->tables.generation;

	if (netns_read(netns))
		return -EIO;
	return netns->tables.generation == generation ? 0 : -EAGAIN;
}

static int close_and_keep(struct netns_list *list, double *ret_since)
{
	int error = 0;
	size_t i;

	for (i = 0; i < list->n; i++)
		if (netns_read(&list->v[i]))
			return -EIO;
	*ret_since = now_ms();
	for (i = 0; i < list->n && !error; i++) {
		if (!has_services(&list->v[i]))
			continue;
		if (!netns_enter(&list->v[i]))
			return -EIO;
		list->v[i].closed = gate_close(&list->v[i].tables, &list->v[i].past);
		error = list->v[i].closed ? 0 : -EIO;
	}
	for (i = 0; i < list->n && !error; i++)
		error = keep_one(&list->v[i]);
	for (i = 0; i < list->n && !error; i++)
		error = write_down(&list->v[i]) ? 0 : -EIO;
	return error;
}

static enum exit_code keep(struct netns_list *list, double *ret_since)
{
	int error, attempts = 0;

	do {
		open_gates(list);
		error = close_and_keep(list, ret_since);
	} while (error == -EAGAIN && ++attempts < ATTEMPTS);
	if (!error)
		return DONE;
	open_gates(list);
	if (error == -EAGAIN)
		kserv_log_error("somebody changes the tables all the time; stop kservd for a moment, or try again");
	return REFUSED;
}

static enum exit_code put_back(struct netns *netns, size_t *refusals)
{
	struct kserv_nl_error words = { };
	struct kserv_sync_result result;
	enum exit_code code;
	struct kserv_nl *nl;
	size_t n = 0;
	int error;

	/* It was as the module makes it. */
	if (!netns->tables.generation)
		return DONE;
	if (!netns_enter(netns))
		return REFUSED;
	code = open_kernel(&nl);
	if (code)
		return code;
	error = kserv_sync(nl, &netns->tables, &result, &words);
	code = error ? refused(error, &words) : past_restore(nl, &netns->past, true, &n);
	*refusals += n;
	kserv_nl_close(nl);
	return code;
}

static enum exit_code put_all_back(struct netns_list *list, size_t *ret_refusals)
{
	enum exit_code code = DONE;
	size_t i;

	*ret_refusals = 0;
	for (i = 0; i < list->n && !code; i++)
		code = put_back(&list->v[i], ret_refusals);
	return code;
}

/* ---- one in place of the other */

/* Return: the file that is loaded now and has everything, or NULL. */
static const char *swap(struct netns_list *list, const struct modules *modules, size_t *ret_refusals)
{
	if (load(modules->next) && !put_all_back(list, ret_refusals))
		return modules->next;
	if (!access("/sys/module/kserv", F_OK))
		unload();
	if (load(modules->previous) && !put_all_back(list, ret_refusals))
		return modules->previous;
	return NULL;
}

static void tell(const struct netns_list *list, size_t refusals, double gap)
{
	size_t i, n = 0, flows = 0, sessions = 0;

	for (i = 0; i < list->n; i++) {
		n += list->v[i].tables.generation > 0;
		flows += list->v[i].past.flows.n;
		sessions += list->v[i].past.sessions.n;
	}
	printf("%zu connections and %zu remembered clients of %zu network namespaces kept, %zu left out\n", flows, sessions,
	       n, refusals);
	printf("packets of services were dropped for %.0f ms\n", gap);
}

static enum exit_code upgrade(struct netns_list *list, const struct modules *modules)
{
	const char *now;
	size_t refusals;
	double since;

	if (keep(list, &since))
		return REFUSED;
	if (!unload()) {
		open_gates(list);
		forget_saved(list);
		return REFUSED;
	}
	now = swap(list, modules, &refusals);
	if (!now) {
		kserv_log_error("no module is in place: what it had is in " SAVED ".*, and packets of services are dropped until "
				"it is put back (kservctl restore --flows) and the gate is open (" GATE_BY_HAND ")");
		return REFUSED;
	}
	open_gates(list);
	forget_saved(list);
	tell(list, refusals, now_ms() - since);
	if (now == modules->next)
		return DONE;
	kserv_log_error("the former module, %s, is in place again", now);
	return REFUSED;
}

enum exit_code cmd_upgrade(int argc, const char **argv)
{
	struct modules modules;
	struct netns_list list = { };
	enum exit_code code;
	struct kserv_nl *nl;
	sigset_t all;

	if (argc)
		return usage_error("'%s' is too much; the file of the module is an option, --module", argv[0]);
	code = open_kernel(&nl);
	if (code)
		return code;
	/* It would keep the module from being unloaded no more than others do. */
	kserv_nl_close(nl);
	code = find_modules(&modules);
	if (!code)
		code = netns_find(&list);
	/* Nobody stops this half way; programs that it runs are not to be stopped either. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (!code)
		code = upgrade(&list, &modules);
	netns_clear(&list);
	free(modules.next);
	free(modules.previous);
	return code;
}
