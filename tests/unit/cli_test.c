// SPDX-License-Identifier: GPL-2.0
/* Command lines as tables: what is typed, and the message that would be sent (--dry-run) or what is said instead. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* The program with its table of commands, but for the beginning. */
#define main kservctl_main
#include "../../userspace/kservctl/main.c"
#undef main

/* What a run of the program left behind. */
struct outcome {
	int code;
	char out[1 << 16], err[4096];
};

static void read_back(int fd, char *buffer, size_t size)
{
	ssize_t len;

	lseek(fd, 0, SEEK_SET);
	len = read(fd, buffer, size - 1);
	assert_true(len >= 0);
	buffer[len] = '\0';
}

static void run(const char *line, const char *input, struct outcome *outcome)
{
	int out = memfd_create("out", 0), err = memfd_create("err", 0), in = memfd_create("in", 0), status, argc;
	char whole[4096];
	const char **argv;
	pid_t pid;

	snprintf(whole, sizeof(whole), "kservctl %s", line);
	assert_int_equal(poptParseArgvString(whole, &argc, &argv), 0);
	assert_int_equal(write(in, input, strlen(input)), strlen(input));
	lseek(in, 0, SEEK_SET);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(in, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		status = kservctl_main(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	outcome->code = WEXITSTATUS(status);
	read_back(out, outcome->out, sizeof(outcome->out));
	read_back(err, outcome->err, sizeof(outcome->err));
	close(in);
	close(out);
	close(err);
	free(argv);
}

/* JSON without blanks, without quotation marks and without the outer braces: as the rows have it. */
static char *compact(const char *text)
{
	cJSON *tree = cJSON_Parse(text);
	char *json = tree ? cJSON_PrintUnformatted(tree) : strdup(text), *from, *to = json;

	for (from = json; *from; from++)
		if (*from != '"')
			*to++ = *from;
	*to = '\0';
	cJSON_Delete(tree);
	return json;
}

#define WEB4 "{service-set:[{name:default/web:http,family:ipv4,protocol:tcp,"
#define WEB6 "{name:default/web:http,family:ipv6,protocol:tcp,"
#define UPDATE "mode:update,"

/* @sent is the message, or NULL where the line is refused with @said. */
static const struct row {
	const char *line, *sent, *said;
} rows[] = {
	/* service set */
	{ "service set default/web:http tcp 10.96.0.10:80",
	  WEB4 "mode:merge,frontend:[{type:cluster-ip,address:10.96.0.10,port:80,flags:[]}]}]}", NULL },
	{ "service set default/web:http/tcp --family ipv4", WEB4 "mode:merge}]}", NULL },
	{ "service set default/web:http tcp 10.96.0.10:80 [fd00::10]:80 --node-port 31000",
	  WEB4 "mode:merge,frontend:[{type:cluster-ip,address:10.96.0.10,port:80,flags:[]},{type:node-port,port:31000,flags:[]}]},"
	  WEB6 "mode:merge,frontend:[{type:cluster-ip,address:fd00::10,port:80,flags:[]},{type:node-port,port:31000,flags:[]}]}]}",
	  NULL },
	{ "service set default/web:http tcp -e 10.0.0.1:8080 --endpoint 10.0.0.2:8080",
	  WEB4 "mode:merge,endpoint:[{address:10.0.0.1,port:8080},{address:10.0.0.2,port:8080}]}]}", NULL },
	{ "service set default/web:http tcp -e 10.0.0.1:8080,weight=50,state=terminating-serving,flags=local+serving",
	  WEB4 "mode:merge,endpoint:[{address:10.0.0.1,port:8080,state:terminating-serving,flags:[local,serving],weight:50}]}]}",
	  NULL },
	{ "service set default/web:http tcp -e 10.0.0.1:8080,flags=none,cluster-reason=topology",
	  WEB4 "mode:merge,endpoint:[{address:10.0.0.1,port:8080,flags:[],cluster-reason:topology,local-reason:none}]}]}", NULL },
	{ "service set default/web:http tcp --external-ip 1.2.3.4:80,flags=local-set+drop-empty,source=10.0.0.0/8+1.0.0.0/8",
	  WEB4 "mode:merge,frontend:[{type:external-ip,address:1.2.3.4,port:80,flags:[local-set,drop-empty],"
	  "source:[10.0.0.0/8,1.0.0.0/8]}]}]}", NULL },
	{ "service set default/web:http tcp --family ipv4 --scheduler maglev --affinity 3h --removal reset --removal-grace 5 "
	  "--slow-start 1m --flags no-eject --create",
	  WEB4 "mode:create,scheduler:maglev,affinity-timeout:10800,flags:[no-eject],removal:reset,removal-grace:5,"
	  "slow-start:60}]}", NULL },
	{ "service set default/web:http tcp --family ipv4 --flags none --replace", WEB4 "mode:replace,flags:[]}]}", NULL },
	{ "service set default/web:http tcp --family ipv4 --update", WEB4 "mode:update}]}", NULL },
	{ "service set", NULL, "which service? NAME/PROTOCOL is missing" },
	{ "service set default/web:http", NULL,
	  "default/web:http: its protocol is missing; it is written NAME/tcp, NAME/udp or NAME/sctp" },
	{ "service set default/tcp 10.0.0.1:80", NULL,
	  "default/tcp: its protocol is missing; it is written NAME/tcp, NAME/udp or NAME/sctp" },
	{ "service set default/tcp tcp --family ipv4",
	  "{service-set:[{name:default/tcp,family:ipv4,protocol:tcp,mode:merge}]}", NULL },
	{ "service set default/web:http tcp", NULL,
	  "no address tells whether this is for IPv4 or IPv6; say --family ipv4 or --family ipv6" },
	{ "service set default/web:http tcp --node-port 80", NULL,
	  "no address tells whether this is for IPv4 or IPv6; say --family ipv4 or --family ipv6" },
	{ "service set default/web:http tcp --family ipx", NULL, "--family ipx: it is ipv4 or ipv6" },
	{ "service set default/web:http tcp --family ipv4 [fd00::1]:80", NULL,
	  "--family ipv4 is given, but also an IPv6 address" },
	{ "service set default/web:http tcp 10.96.0.10", NULL, "cluster-ip '10.96.0.10': it has no port" },
	{ "service set default/web:http tcp 10.96.0.10:70000", NULL,
	  "cluster-ip '10.96.0.10:70000': its port is not a number from 1 to 65535" },
	{ "service set default/web:http tcp fd00::1:80", NULL,
	  "cluster-ip 'fd00::1:80': an IPv6 address with a port is written [ADDRESS]:PORT" },
	{ "service set default/web:http tcp -e 10.0.0.1", NULL, "endpoint '10.0.0.1': it has no port" },
	{ "service set default/web:http tcp -e 10.0.0.1:1,weight=x", NULL, "weight x: it is a number from 0 to 65535" },
	{ "service set default/web:http tcp -e 10.0.0.1:1,weight", NULL, "10.0.0.1:1,weight: 'weight' is not KEY=VALUE" },
	{ "service set default/web:http tcp -e 10.0.0.1:1,colour=red", NULL,
	  "an endpoint has no 'colour'; it has weight, state, flags, cluster-reason and local-reason" },
	{ "service set default/web:http tcp -e 10.0.0.1:1,flags=local+remote", NULL,
	  "flags: there is no flag 'remote'; there are local, cluster-set, local-set or serving (several with + between them)" },
	{ "service set default/web:http tcp --node-port 70000", NULL, "node port 70000: it is a number from 1 to 65535" },
	{ "service set default/web:http tcp --scheduler best", NULL,
	  "--scheduler best: it is random, round-robin, least-connections or maglev" },
	{ "service set default/web:http tcp --affinity soon", NULL,
	  "--affinity soon: it is a time in seconds, or a number with s, m, h or d behind it" },
	{ "service set default/web:http tcp --affinity 99999999h", NULL,
	  "--affinity 99999999h: it is a time in seconds, or a number with s, m, h or d behind it" },
	{ "service set default/web:http tcp 1.1.1.1:1,source=x", NULL, "source x: it is no CIDR, as 10.244.0.0/16 or fd00::/64" },
	{ "service set default/web:http tcp --colour red", NULL, "--colour: unknown option" },
	{ "service set default/web:http tcp --scheduler", NULL, "--scheduler: missing argument" },
	/* service del */
	{ "service del default/web:http tcp --family ipv6",
	  "{service-del:[{name:default/web:http,family:ipv6,protocol:tcp}]}", NULL },
	{ "service del default/web:http tcp udp --family ipv6", NULL, "'udp' is too much" },
	/* endpoint */
	{ "endpoint set default/web:http/tcp 10.244.1.6:8080 --weight 50",
	  WEB4 UPDATE "endpoint:[{address:10.244.1.6,port:8080,weight:50}]}]}", NULL },
	{ "endpoint set default/web:http tcp 10.244.1.6:8080 -w 0 --state not-ready --flags local",
	  WEB4 UPDATE "endpoint:[{address:10.244.1.6,port:8080,state:not-ready,flags:[local],weight:0}]}]}", NULL },
	{ "endpoint set default/web:http/tcp 10.0.0.1:1,weight=5 10.0.0.2:1 --weight 7",
	  WEB4 UPDATE "endpoint:[{address:10.0.0.1,port:1,weight:5},{address:10.0.0.2,port:1,weight:7}]}]}", NULL },
	{ "endpoint del default/web:http/tcp 10.0.0.1:1 [fd00::1]:2",
	  WEB4 UPDATE "endpoint-del:[{address:10.0.0.1,port:1}]}," WEB6 UPDATE "endpoint-del:[{address:fd00::1,port:2}]}]}",
	  NULL },
	{ "endpoint set default/web:http/tcp", NULL, "which endpoint? ADDRESS:PORT is missing" },
	{ "endpoint set default/web:http/tcp 10.0.0.1:1 --weight 65536", NULL, "weight 65536: it is a number from 0 to 65535" },
	/* frontend */
	{ "frontend set default/web:http/tcp 203.0.113.7:80 --type external-ip --source 10.0.0.0/8 --source 11.0.0.0/8",
	  WEB4 UPDATE "frontend:[{type:external-ip,address:203.0.113.7,port:80,flags:[],source:[10.0.0.0/8,11.0.0.0/8]}]}]}",
	  NULL },
	{ "frontend set default/web:http/tcp 31000 --type node-port --family ipv4 --flags masquerade-pod",
	  WEB4 UPDATE "frontend:[{type:node-port,port:31000,flags:[masquerade-pod]}]}]}", NULL },
	{ "frontend del default/web:http/tcp [fd00::7]:80",
	  "{service-set:[" WEB6 UPDATE "frontend-del:[{type:cluster-ip,address:fd00::7,port:80}]}]}", NULL },
	{ "frontend set default/web:http/tcp 1.1.1.1:80 --type magic", NULL,
	  "--type magic: it is cluster-ip, external-ip, load-balancer-ip or node-port" },
	/* route */
	{ "route set 10.244.1.0/24 local", "{route-set:[{prefix:10.244.1.0/24,type:local}]}", NULL },
	{ "route set fd00:2::/64 direct fd00::2", "{route-set:[{prefix:fd00:2::/64,type:direct,gateway:fd00::2}]}", NULL },
	{ "route del 10.244.1.0/24 10.244.2.0/24", "{route-del:[{prefix:10.244.1.0/24},{prefix:10.244.2.0/24}]}", NULL },
	{ "route set 10.244.1.0/24", NULL, "a CIDR and a type (local, direct or vxlan) are needed" },
	{ "route set 10.244.1.0/24 direct", NULL,
	  "a direct route needs the address of the node behind which 10.244.1.0/24 lies" },
	{ "route set 10.244.1.0/24 local 1.1.1.1", NULL, "a local route has no gateway" },
	{ "route set 10.244.1.0/24 tunnel 1.1.1.1", NULL, "type tunnel: it is local, direct or vxlan" },
	/* config */
	{ "config set --reset --flow-max 1000 --pod-cidr 10.0.0.0/8 --pod-cidr fd00::/8 --detect-local cidr --udp-timeout 1m",
	  "{config-set:{conntrack:auto,detect-local:cidr,pod-cidr:[10.0.0.0/8,fd00::/8],flow-max:1000,udp-timeout:60}}", NULL },
	{ "config set --reset --masquerade-ports 40000-50000 --fast-path on --conntrack bypass --pod-interface veth",
	  "{config-set:{conntrack:bypass,detect-local:none,pod-interface:veth,masquerade-port-min:40000,"
	  "masquerade-port-max:50000,fast-path:1}}", NULL },
	{ "config set --reset --masquerade-ports default --flow-max default --pod-cidr none",
	  "{config-set:{conntrack:auto,detect-local:none}}", NULL },
	{ "config set --reset --masquerade-ports 5-4", NULL, "--masquerade-ports 5-4: it is a range as 32768-65535" },
	{ "config set --reset --flow-max 0", NULL, "--flow-max 0: it is a number from 1 to 4294967295" },
	{ "config set --reset --udp-timeout 0", NULL, "--udp-timeout 0: it is at least 1" },
	{ "config set --reset --fast-path maybe", NULL, "--fast-path maybe: it is on, off or default" },
	{ "config set --reset --pod-interface abcdefghijklmnop", NULL,
	  "--pod-interface abcdefghijklmnop: a name of a device has at most 15 characters" },
	{ "config set flow-max", NULL, "'flow-max' is too much; settings are options, as --flow-max" },
	/* flush */
	{ "flush", "{replace:true}", NULL },
	{ "flush all", NULL, "'all' is too much; everything is removed, or see service del" },
	/* What is refused before the kernel is asked. */
	{ "explain 10.0.0.1", NULL, "a source and a destination are needed, as 10.244.1.5 10.96.0.10:80/tcp" },
	{ "explain 10.0.0.1 10.0.0.2", NULL, "destination 10.0.0.2: it has no port" },
	{ "explain 10.0.0.1 10.0.0.2:80/icmp", NULL, "destination 10.0.0.2:80/icmp: a ping has no port" },
	{ "explain 10.0.0.1 10.0.0.2:80/ip", NULL, "destination 10.0.0.2:80/ip: its protocol is tcp, udp, sctp or icmp" },
	{ "explain fd00::1 10.0.0.2:80", NULL, "fd00::1 and 10.0.0.2:80 are of different address families" },
	{ "explain 10.0.0.1:0 10.0.0.2:80", NULL, "source 10.0.0.1:0: its port is not a number from 1 to 65535" },
	{ "flows del", NULL, "which flows? give a filter, or --all" },
	{ "flows --client 10.0.0.300", NULL, "--client 10.0.0.300: it is no IPv4 or IPv6 address" },
	{ "flows --protocol ip", NULL, "--protocol ip: it is tcp, udp or sctp" },
	{ "service list a b", NULL, "'b' is too much; give the name of one service or none" },
	{ "service list -o xml", NULL, "-o xml: there is no such format here" },
	{ "monitor everything", NULL, "event everything: it is flow-new, flow-end, reject, drop or commit" },
	{ "monitor --count x", NULL, "--count x: it is a number from 1 to 4294967295" },
};

static void a_line_becomes_the_message_it_says_or_a_sentence(void **state)
{
	struct outcome outcome;
	char expected[1024], line[1024], *sent;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct command *command;
		const char **words;
		int n;

		print_message("kservctl %s\n", rows[i].line);
		snprintf(line, sizeof(line), "--dry-run %s", rows[i].line);
		run(line, "", &outcome);
		if (rows[i].sent) {
			assert_string_equal(outcome.err, "");
			sent = compact(outcome.out);
			assert_string_equal(sent, rows[i].sent);
			free(sent);
			assert_int_equal(outcome.code, DONE);
			continue;
		}
		assert_int_equal(poptParseArgvString(rows[i].line, &n, &words), 0);
		command = find_command(words, &n);
		snprintf(expected, sizeof(expected), "kservctl: %s: %s; see kservctl %s --help\n", command->words,
			 rows[i].said, command->words);
		free(words);
		assert_string_equal(outcome.err, expected);
		assert_string_equal(outcome.out, "");
		assert_int_equal(outcome.code, USAGE);
	}
}

static void an_unknown_word_names_the_nearest_command(void **state)
{
	static const struct {
		const char *line, *said;
	} lines[] = {
		{ "servixe list", "there is no command 'servixe list'; did you mean 'service list'?; see kservctl --help" },
		{ "service lst", "there is no command 'service lst'; did you mean 'service list'?; see kservctl --help" },
		{ "endpoints set a/b/tcp 1.1.1.1:1",
		  "there is no command 'endpoints set'; did you mean 'endpoint set'?; see kservctl --help" },
		{ "statusx", "there is no command 'statusx'; did you mean 'status'?; see kservctl --help" },
		{ "route", "'route' needs one more word; there are route list, route set, route del; see kservctl --help" },
		{ "frobnicate", "there is no command 'frobnicate'; see kservctl --help" },
		{ "help frobnicate", "there is no command 'frobnicate'; see kservctl --help" },
		{ "--frobnicate status", "--frobnicate: unknown option; see kservctl --help" },
	};
	struct outcome outcome;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		print_message("kservctl %s\n", lines[i].line);
		run(lines[i].line, "", &outcome);
		assert_int_equal(outcome.code, USAGE);
		assert_non_null(strstr(outcome.err, lines[i].said));
		assert_string_equal(outcome.out, "");
	}
}

static void every_command_has_help_and_stands_in_the_completion(void **state)
{
	const struct command *command;
	struct outcome outcome, script;
	char line[128];

	(void)state;
	run("completion bash", "", &script);
	assert_int_equal(script.code, DONE);
	for (command = commands; command->words; command++) {
		print_message("kservctl %s --help\n", command->words);
		assert_true(!command->run != !command->build);
		snprintf(line, sizeof(line), "%s --help", command->words);
		run(line, "", &outcome);
		assert_int_equal(outcome.code, DONE);
		assert_string_equal(outcome.err, "");
		snprintf(line, sizeof(line), "Usage: kservctl %s", command->words);
		assert_int_equal(strncmp(outcome.out, line, strlen(line)), 0);
		snprintf(line, sizeof(line), "'%s') next=", command->words);
		assert_non_null(strstr(script.out, line));
	}
	run("", "", &outcome);
	assert_int_equal(outcome.code, USAGE);
	run("--help", "", &outcome);
	assert_int_equal(outcome.code, DONE);
	assert_non_null(strstr(outcome.out, "3 the kserv module is not loaded"));
}

static void restore_makes_one_transaction_of_all_lines(void **state)
{
	struct outcome outcome;
	char *sent;

	(void)state;
	run("--dry-run restore",
	    "# tables\n"
	    "\n"
	    "config set --reset --flow-max 7\n"
	    "  route set 10.1.0.0/24 local\n"
	    "service set default/web:http tcp 10.96.0.10:80 --endpoint 10.0.0.1:1 --scheduler maglev\n"
	    "kservctl service set default/web:http tcp --endpoint 10.0.0.2:1\n", &outcome);
	assert_string_equal(outcome.err, "");
	assert_int_equal(outcome.code, DONE);
	sent = compact(outcome.out);
	assert_string_equal(sent, "{config-set:{conntrack:auto,detect-local:none,flow-max:7},"
			    "route-set:[{prefix:10.1.0.0/24,type:local}],service-set:["
			    "{name:default/web:http,family:ipv4,protocol:tcp,mode:replace,scheduler:maglev,"
			    "frontend:[{type:cluster-ip,address:10.96.0.10,port:80,flags:[]}],"
			    "endpoint:[{address:10.0.0.1,port:1}]},"
			    "{name:default/web:http,family:ipv4,protocol:tcp,mode:replace,"
			    "endpoint:[{address:10.0.0.2,port:1}]}],replace:true}");
	free(sent);
	run("--dry-run restore --merge -", "route del 10.1.0.0/24\nroute\tdel  '10.2.0.0'\"/24\" 10\\.3.0.0/24 ", &outcome);
	sent = compact(outcome.out);
	assert_string_equal(sent, "{route-del:[{prefix:10.1.0.0/24},{prefix:10.2.0.0/24},{prefix:10.3.0.0/24}]}");
	free(sent);
	run("--dry-run restore --merge", "service set 'a b\\' tcp --family ipv4\nservice set \"a'\\\"\" tcp --family ipv4\\",
	    &outcome);
	assert_int_equal(outcome.code, USAGE);
	assert_non_null(strstr(outcome.err, "--family ipv4\\: it is ipv4 or ipv6"));
	run("--dry-run restore --merge", "service set 'a b\\' tcp --family ipv4\nservice set \"a'\\\"\" tcp --family ipv4",
	    &outcome);
	sent = compact(outcome.out);
	assert_string_equal(sent, "{service-set:[{name:a b\\\\,family:ipv4,protocol:tcp,mode:merge},"
			    "{name:a'\\,family:ipv4,protocol:tcp,mode:merge}]}");
	free(sent);
}

static void restore_names_the_line_that_is_wrong_and_does_nothing(void **state)
{
	static const struct {
		const char *input, *said;
		int code;
	} inputs[] = {
		{ "route set 10.1.0.0/24 local\nroute set 10.2.0.0/24\n",
		  "standard input:2: a CIDR and a type (local, direct or vxlan) are needed; see kservctl route set --help",
		  USAGE },
		{ "status\n", "standard input:1: 'status' changes no tables, so it cannot stand here", USAGE },
		{ "rout set 1.1.1.1 local\n", "standard input:1: there is no command 'rout set'; did you mean 'route set'?",
		  USAGE },
		{ "\n\nservice set 'a\n", "standard input:3: a quotation mark is not closed", USAGE },
		{ "route set --colour\n", "standard input:1: --colour: unknown option", USAGE },
	};
	struct outcome outcome;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		run("--dry-run restore", inputs[i].input, &outcome);
		assert_int_equal(outcome.code, inputs[i].code);
		assert_non_null(strstr(outcome.err, inputs[i].said));
		assert_string_equal(outcome.out, "");
	}
	run("restore /nonexistent/tables", "", &outcome);
	assert_int_equal(outcome.code, REFUSED);
	assert_string_equal(outcome.err, "kservctl: restore: /nonexistent/tables: No such file or directory\n");
}

static void output_that_cannot_be_written_is_an_error(void **state)
{
	int full = open("/dev/full", O_WRONLY), status;
	const char *argv[] = { "kservctl", "--help", NULL };
	pid_t pid;

	(void)state;
	assert_true(full >= 0);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(full, STDOUT_FILENO);
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		_exit(kservctl_main(2, argv));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), REFUSED);
	close(full);
}

static void without_the_module_every_command_says_so(void **state)
{
	static const char *const lines[] = {
		"status", "service list", "service list -o json", "save", "flows", "stats", "route list", "sessions",
		"config show", "explain 10.0.0.1 10.0.0.2:80", "flush", "service set a/b tcp 10.0.0.1:80",
		"endpoint set a/b/tcp 10.0.0.1:80", "service del a/b tcp", "monitor", "save --flows", "upgrade",
	};
	struct outcome outcome;
	size_t i;

	(void)state;
	if (!access("/sys/module/kserv", F_OK))
		skip();
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		run(lines[i], "", &outcome);
		assert_int_equal(outcome.code, NO_MODULE);
		assert_non_null(strstr(outcome.err, "the kserv module is not loaded; try modprobe kserv\n"));
		assert_string_equal(outcome.out, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_becomes_the_message_it_says_or_a_sentence),
		cmocka_unit_test(an_unknown_word_names_the_nearest_command),
		cmocka_unit_test(every_command_has_help_and_stands_in_the_completion),
		cmocka_unit_test(restore_makes_one_transaction_of_all_lines),
		cmocka_unit_test(restore_names_the_line_that_is_wrong_and_does_nothing),
		cmocka_unit_test(output_that_cannot_be_written_is_an_error),
		cmocka_unit_test(without_the_module_every_command_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
