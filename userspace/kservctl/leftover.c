// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/leftover.h"
#include "kservctl/spawn.h"
#include "kservctl/translated.h"
#include "lib/log.h"

/* kubelet makes these for itself, whatever the proxy is. */
static bool is_kubelets(const char *chain, size_t len)
{
	static const char *const names[] = { "KUBE-FIREWALL", "KUBE-KUBELET-CANARY", "KUBE-IPTABLES-HINT", "KUBE-MARK-DROP" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len && !strncmp(names[i], chain, len))
			return true;
	return false;
}

static bool is_kube_proxys(const char *chain, size_t len)
{
	return len > 5 && !strncmp(chain, "KUBE-", 5) && !is_kubelets(chain, len);
}

/* Behind a quoted word that begins at @at, as iptables-save writes those with blanks in them. */
static const char *skip_quoted(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		at += *at == '\\';
	return at;
}

/* The chain that a rule "-A CHAIN ... -j TARGET ..." leads to. */
static const char *target_of(const char *rule, size_t len, size_t *ret_len)
{
	const char *at, *end = rule + len;

	for (at = rule; at + 4 < end; at++) {
		if (*at == '"') {
			at = skip_quoted(at, end);
		} else if (!strncmp(at, " -j ", 4) || !strncmp(at, " -g ", 4)) {
			*ret_len = strcspn(at + 4, " \n");
			return at + 4;
		}
	}
	*ret_len = 0;
	return "";
}

struct script {
	struct kserv_text table, deletes;
	char *name;
	size_t chains, rules;
};

/* Ends a table: nothing of it is said if nothing in it is kube-proxy's, or if it has no name. */
static void end_table(struct script *script, struct kserv_text *text)
{
	if (script->name && (script->table.len || script->deletes.len))
		kserv_text_printf(text, "%s\n%s%sCOMMIT\n", script->name, script->table.s ? script->table.s : "",
				  script->deletes.s ? script->deletes.s : "");
	kserv_text_clear(&script->table);
	kserv_text_clear(&script->deletes);
	free(script->name);
	script->name = NULL;
}

static void take_chain(struct script *script, const char *line)
{
	size_t len = strcspn(line + 1, " ");

	if (!is_kube_proxys(line + 1, len))
		return;
	/* Named this way it is emptied, and can go once no rule leads to it. */
	kserv_text_printf(&script->table, ":%.*s - [0:0]\n", (int)len, line + 1);
	kserv_text_printf(&script->deletes, "-X %.*s\n", (int)len, line + 1);
	script->chains++;
}

static void take_rule(struct script *script, const char *line, size_t len)
{
	size_t chain_len = strcspn(line + 3, " \n"), target_len;
	const char *target = target_of(line, len, &target_len);

	if (is_kube_proxys(line + 3, chain_len) || !is_kube_proxys(target, target_len))
		return;
	kserv_text_printf(&script->table, "-D%.*s\n", (int)len - 2, line + 2);
	script->rules++;
}

char *leftover_script(const char *saved, size_t *ret_chains, size_t *ret_rules)
{
	struct script script = { 0 };
	struct kserv_text text = { 0 };
	const char *line;
	size_t len;

	for (line = saved; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		if (*line == '*') {
			end_table(&script, &text);
			script.name = kserv_must_printf("%.*s", (int)len, line);
		} else if (*line == ':') {
			take_chain(&script, line);
		} else if (!strncmp(line, "-A ", 3)) {
			take_rule(&script, line, len);
		} else if (!strncmp(line, "COMMIT", 6)) {
			end_table(&script, &text);
		}
	}
	end_table(&script, &text);
	*ret_chains = script.chains;
	*ret_rules = script.rules;
	if (text.len)
		return kserv_text_take(&text);
	kserv_text_clear(&text);
	return NULL;
}

/* Lines become one sentence. */
static const char *joined(struct kserv_text *text)
{
	size_t i;

	for (i = 0; i < text->len; i++)
		if (text->s[i] == '\n')
			text->s[i] = i + 1 < text->len ? ' ' : '\0';
	return text->s ? text->s : "";
}

static struct leftover *add(struct leftovers *leftovers, char *what)
{
	leftovers->v = kserv_must_grow(leftovers->v, leftovers->n, sizeof(*leftovers->v));
	leftovers->v[leftovers->n].what = what;
	return &leftovers->v[leftovers->n++];
}

static void set_command(struct leftover *leftover, const char *const *words)
{
	size_t i;

	for (i = 0; words[i]; i++)
		leftover->command[i] = kserv_must_strdup(words[i]);
}

/* A set of programs: both of iptables, both of ip6tables, are there side by side and know nothing of each other. */
static void find_rules(struct leftovers *ret, const char *program)
{
	char *save = kserv_must_printf("%s-save", program), *restore = kserv_must_printf("%s-restore", program);
	char *command[] = { save, NULL }, *script;
	const char *const words[] = { restore, "--noflush", NULL };
	struct kserv_text saved = { 0 };
	struct leftover *leftover;
	size_t chains, rules;

	if (!run_program(command, NULL, &saved) && saved.len) {
		script = leftover_script(saved.s, &chains, &rules);
		if (script) {
			leftover = add(ret, kserv_must_printf("%zu chains of %s and %zu rules that lead to them", chains, program,
							      rules));
			set_command(leftover, words);
			leftover->input = script;
		}
	}
	kserv_text_clear(&saved);
	free(save);
	free(restore);
}

const char leftovers_keep_script[] =
	"table inet kserv-takeover {\n"
	"	chain prerouting {\n"
	"		type nat hook prerouting priority dstnat;\n"
	"		ct status dnat accept\n"
	"	}\n"
	"}\n";

bool leftovers_keep(struct leftovers *leftovers)
{
	char *command[] = { (char *)"nft", (char *)"-f", (char *)"-", NULL };
	struct kserv_text output = { 0 };
	int code = run_program(command, leftovers_keep_script, &output);

	if (code)
		kserv_log_error("%zu connections that kube-proxy translated cannot be kept: %s", leftovers->translated,
				code < 0 ? "nft is not installed; install nftables, or wait until they have ended" : joined(&output));
	kserv_text_clear(&output);
	leftovers->kept = !code;
	return !code;
}

static void find_tables(struct leftovers *ret)
{
	const char *const remove_kept[] = { "nft", "delete", "table", "inet", "kserv-takeover", NULL };
	static const char *const families[] = { "ip", "ip6" };
	char *command[] = { (char *)"nft", (char *)"list", (char *)"tables", NULL };
	struct kserv_text text = { 0 };
	char line[64];
	size_t i;

	if (run_program(command, NULL, &text) || !text.s) {
		kserv_text_clear(&text);
		return;
	}
	for (i = 0; i < 2; i++) {
		const char *const words[] = { "nft", "delete", "table", families[i], "kube-proxy", NULL };

		snprintf(line, sizeof(line), "table %s kube-proxy\n", families[i]);
		if (strstr(text.s, line))
			set_command(add(ret, kserv_must_printf("the table %s kube-proxy of nftables", families[i])), words);
	}
	ret->kept = strstr(text.s, "table inet kserv-takeover\n");
	if (ret->kept && !ret->translated)
		set_command(add(ret, kserv_must_strdup("the table inet kserv-takeover of nftables, which nobody needs any more,")),
			    remove_kept);
	kserv_text_clear(&text);
}

/* Lines of /proc/net/ip_vs that are services. */
static size_t count_ipvs(void)
{
	FILE *file = fopen("/proc/net/ip_vs", "r");
	char line[256];
	size_t n = 0;

	while (file && fgets(line, sizeof(line), file))
		n += !strncmp(line, "TCP ", 4) || !strncmp(line, "UDP ", 4) || !strncmp(line, "SCTP ", 5);
	if (file)
		fclose(file);
	return n;
}

static void find_ipvs(struct leftovers *ret)
{
	const char *const clear[] = { "ipvsadm", "--clear", NULL };
	const char *const unlink_device[] = { "ip", "link", "delete", "kube-ipvs0", NULL };
	size_t services = count_ipvs();

	/* Without kube-proxy's device the services are somebody else's. */
	if (!if_nametoindex("kube-ipvs0"))
		return;
	if (services)
		set_command(add(ret, kserv_must_printf("%zu services of ipvs", services)), clear);
	set_command(add(ret, kserv_must_strdup("the device kube-ipvs0 with the addresses of Services")), unlink_device);
}

static void find_sets(struct leftovers *ret)
{
	char *command[] = { (char *)"ipset", (char *)"list", (char *)"-name", NULL };
	struct kserv_text text = { 0 };
	const char *line;
	size_t len;

	if (!run_program(command, NULL, &text) && text.s) {
		for (line = text.s; *line; line += len + (line[len] == '\n')) {
			char *name;

			len = strcspn(line, "\n");
			if (strncmp(line, "KUBE-", 5))
				continue;
			name = kserv_must_printf("%.*s", (int)len, line);
			set_command(add(ret, kserv_must_printf("the set %s of ipset", name)),
				    (const char *const[]){ "ipset", "destroy", name, NULL });
			free(name);
		}
	}
	kserv_text_clear(&text);
}

void leftovers_find(struct leftovers *ret)
{
	static const char *const programs[] = { "iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy" };
	size_t i;

	*ret = (struct leftovers){ 0 };
	/* Without connection tracking there are none. */
	translated_count(&ret->translated);
	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		find_rules(ret, programs[i]);
	find_tables(ret);
	find_ipvs(ret);
	/* After the rules that name them. */
	find_sets(ret);
}

bool leftover_remove(const struct leftover *leftover)
{
	struct kserv_text output = { 0 };
	int code = run_program(leftover->command, leftover->input, &output);

	if (code < 0)
		kserv_log_error("%s could not be removed: %s is not installed", leftover->what, leftover->command[0]);
	else if (code)
		kserv_log_error("%s could not be removed: %s", leftover->what, joined(&output));
	kserv_text_clear(&output);
	return !code;
}

void leftovers_clear(struct leftovers *leftovers)
{
	size_t i, j;

	for (i = 0; i < leftovers->n; i++) {
		free(leftovers->v[i].what);
		free(leftovers->v[i].input);
		for (j = 0; leftovers->v[i].command[j]; j++)
			free(leftovers->v[i].command[j]);
	}
	free(leftovers->v);
	*leftovers = (struct leftovers){ 0 };
}

bool read_line(const char *path, char *buffer, size_t size)
{
	FILE *file = fopen(path, "r");
	bool done = file && fgets(buffer, size, file);

	if (file)
		fclose(file);
	if (done)
		buffer[strcspn(buffer, "\n")] = '\0';
	return done;
}

bool process_runs(const char *name)
{
	DIR *folder = opendir("/proc");
	char path[300], comm[64];
	struct dirent *entry;
	bool found = false;

	while (folder && !found && (entry = readdir(folder))) {
		if (entry->d_name[strspn(entry->d_name, "0123456789")])
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		found = read_line(path, comm, sizeof(comm)) && !strcmp(comm, name);
	}
	if (folder)
		closedir(folder);
	return found;
}
