// SPDX-License-Identifier: GPL-2.0
/* kservctl doctor: what of this machine keeps Services from working, and what to do about it. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "kservctl/commands.h"
#include "kservctl/desired.h"
#include "kservctl/leftover.h"
#include "lib/dump.h"

struct poptOption doctor_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, socket_options, 0, NULL, NULL },
	POPT_TABLEEND
};

const char doctor_more[] =
	"Each line begins with ok, note (worth knowing) or BAD (something does not work). Exit code 1 if anything is bad.\n";

static unsigned int bad;

static void say(const char *level, const char *format, va_list args)
{
	printf("%-5s", level);
	vprintf(format, args);
	putchar('\n');
}

#define SAYS __attribute__((format(printf, 1, 2)))

SAYS static void ok(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("ok", format, args);
	va_end(args);
}

SAYS static void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("note", format, args);
	va_end(args);
}

SAYS static void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("BAD", format, args);
	va_end(args);
	bad++;
}

/* Secure Boot, as the firmware's variable says: four bytes of attributes, then 1 where it is on. */
static bool secure_boot(void)
{
	FILE *file = fopen("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", "r");
	unsigned char bytes[5] = { 0 };
	size_t n = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

	if (file)
		fclose(file);
	return n == sizeof(bytes) && bytes[4] == 1;
}

static bool is_locked_down(void)
{
	char line[128];

	return read_line("/sys/kernel/security/lockdown", line, sizeof(line)) && !strstr(line, "[none]");
}

static void explain_absent_module(void)
{
	struct utsname name;

	uname(&name);
	complain("the kserv module is not loaded in kernel %s: modprobe kserv", name.release);
	if (secure_boot() || is_locked_down())
		complain("%s: a module must be signed by an enrolled key; mokutil --import /var/lib/dkms/mok.pub, then reboot",
			 secure_boot() ? "Secure Boot is on" : "the kernel is locked down");
}

static void check_module(void)
{
	struct kserv_nl_error words = { };
	struct kserv_status status;
	struct kserv_nl *nl;

	if (kserv_nl_open(&nl, &words)) {
		explain_absent_module();
		return;
	}
	if (kserv_dump_status(nl, NULL, &status, &words))
		complain("the module does not answer: %s", words.text);
	else if (strcmp(status.version, KSERV_VERSION))
		complain("the module is of version %s, kservctl of %s: load the module that belongs to it", status.version,
			 KSERV_VERSION);
	else
		ok("the module is loaded, version %s", status.version);
	kserv_nl_close(nl);
}

static void check_daemon(void)
{
	struct kserv_text text = { 0 };
	const cJSON *sentence;
	cJSON *tree;

	if (!daemon_socket()) {
		note("kservd does not run: the kernel holds what kservctl told it last");
		return;
	}
	if (get_from_daemon(KSERV_CONTROL_STATUS, &text)) {
		complain("kservd does not answer");
		kserv_text_clear(&text);
		return;
	}
	tree = cJSON_Parse(text.s);
	if (!cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(tree, "degraded")))
		ok("kservd is well");
	cJSON_ArrayForEach(sentence, cJSON_GetObjectItemCaseSensitive(tree, "degraded"))
		complain("kservd: %s", cJSON_GetStringValue(sentence));
	cJSON_Delete(tree);
	kserv_text_clear(&text);
}

static void check_switch(const char *path, const char *key, const char *why)
{
	char line[32];

	if (!read_line(path, line, sizeof(line)))
		note("%s is not there", key);
	else if (strcmp(line, "0"))
		ok("%s is on", key);
	else
		complain("%s is off: %s; sysctl -w %s=1", key, why, key);
}

/* Names in a folder, one after the other; the last call returns NULL. */
static const char *next_name(DIR *folder)
{
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			return entry->d_name;
	return NULL;
}

/* Asks the kernel about a device, not /sys, which shows those of another network namespace to who was put into this. */
static bool ask_device(const char *name, unsigned long request, struct ifreq *ifreq)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool done;

	snprintf(ifreq->ifr_name, sizeof(ifreq->ifr_name), "%s", name);
	done = fd >= 0 && !ioctl(fd, request, ifreq);
	if (fd >= 0)
		close(fd);
	return done;
}

static bool is_bridge(const char *name)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifreq = { .ifr_data = (char *)&info };

	return ask_device(name, SIOCETHTOOL, &ifreq) && !strcmp(info.driver, "bridge");
}

static long mtu_of(const char *name)
{
	struct ifreq ifreq = { 0 };

	return ask_device(name, SIOCGIFMTU, &ifreq) ? ifreq.ifr_mtu : 0;
}

static bool there_are_bridges(void)
{
	struct if_nameindex *devices = if_nameindex(), *device;
	bool found = false;

	for (device = devices; device && device->if_name && !found; device++)
		found = is_bridge(device->if_name);
	if (devices)
		if_freenameindex(devices);
	return found;
}

static void check_bridges(void)
{
	static const char *const why = "replies between pods of one bridge pass by, and their connections hang";

	if (!there_are_bridges()) {
		ok("there is no bridge, so br_netfilter is not needed");
	} else if (access("/proc/sys/net/bridge", F_OK)) {
		complain("there is a bridge, but br_netfilter is not loaded: %s; modprobe br_netfilter", why);
	} else {
		check_switch("/proc/sys/net/bridge/bridge-nf-call-iptables", "net.bridge.bridge-nf-call-iptables", why);
		check_switch("/proc/sys/net/bridge/bridge-nf-call-ip6tables", "net.bridge.bridge-nf-call-ip6tables", why);
	}
}

static void check_rp_filter(void)
{
	DIR *folder = opendir("/proc/sys/net/ipv4/conf");
	struct kserv_text strict = { 0 };
	char path[300], line[16];
	const char *name;

	while ((name = next_name(folder))) {
		snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter", name);
		if (read_line(path, line, sizeof(line)) && !strcmp(line, "1"))
			kserv_text_printf(&strict, " %s", name);
	}
	if (folder)
		closedir(folder);
	if (strict.len)
		note("rp_filter is strict (1) on%s: a packet that comes in by another way than its answer would go is dropped; "
		     "2 is enough against forged sources", strict.s);
	else
		ok("rp_filter is strict nowhere");
	kserv_text_clear(&strict);
}

/* The interface of the default route. */
static bool find_uplink(char *name, size_t size)
{
	FILE *file = fopen("/proc/net/route", "r");
	char line[256], device[32], destination[16], mask[16];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		found = sscanf(line, "%31s %15s %*s %*s %*s %*s %*s %15s", device, destination, mask) == 3 &&
			!strcmp(destination, "00000000") && !strcmp(mask, "00000000");
		if (found)
			snprintf(name, size, "%s", device);
	}
	if (file)
		fclose(file);
	return found;
}

static bool is_pods(const char *name)
{
	static const char *const prefixes[] = { "cni", "veth", "lxc", "cali", "cbr", "flannel", "docker", "pod" };
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static void compare_mtus(const char *uplink)
{
	struct if_nameindex *devices = if_nameindex(), *device;
	long most = mtu_of(uplink);
	unsigned int before = bad;

	for (device = devices; device && device->if_name; device++)
		if (is_pods(device->if_name) && mtu_of(device->if_name) > most)
			complain("%s has MTU %ld, but %s, by which packets leave, only %ld: large packets depend on path-MTU "
				 "discovery", device->if_name, mtu_of(device->if_name), uplink, most);
	if (bad == before)
		ok("no interface of pods has an MTU above %s's %ld", uplink, most);
	if (devices)
		if_freenameindex(devices);
}

static void check_mtu(void)
{
	char uplink[32];

	if (find_uplink(uplink, sizeof(uplink)))
		compare_mtus(uplink);
	else
		note("there is no default route, so there is no telling which MTU pods may have");
}

static void check_others(void)
{
	struct leftovers leftovers;
	size_t i;

	if (process_runs("kube-proxy"))
		complain("kube-proxy runs on this node: both translate what goes to Services; stop it, then kservctl takeover");
	leftovers_find(&leftovers);
	for (i = 0; i < leftovers.n; i++)
		complain("kube-proxy left %s: kservctl takeover removes that", leftovers.v[i].what);
	if (!leftovers.n)
		ok("kube-proxy left no rules behind");
	leftovers_clear(&leftovers);
}

enum exit_code cmd_doctor(int argc, const char **argv)
{
	if (argc)
		return usage_error("'%s' is too much", argv[0]);
	if (geteuid())
		note("not everything can be seen without root");
	check_module();
	check_daemon();
	check_switch("/proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward", "pods are not reached from other nodes");
	check_switch("/proc/sys/net/ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding", "pods are not reached over IPv6");
	check_bridges();
	check_rp_filter();
	check_mtu();
	check_others();
	return bad ? REFUSED : DONE;
}
