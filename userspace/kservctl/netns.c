// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cluster/memory.h"
#include "kservctl/netns.h"
#include "lib/dump.h"

static void netns_forget(struct netns *netns)
{
	kserv_tables_clear(&netns->tables);
	past_clear(&netns->past);
	memset(&netns->tables, 0, sizeof(netns->tables));
}

void netns_clear(struct netns_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		netns_forget(&list->v[i]);
		close(list->v[i].fd);
		free(list->v[i].path);
	}
	free(list->v);
	*list = (struct netns_list){ 0 };
}

bool netns_enter(const struct netns *netns)
{
	if (!setns(netns->fd, CLONE_NEWNET))
		return true;
	kserv_log_error("the network namespace of %s cannot be entered: %s", netns->path, strerror(errno));
	return false;
}

enum exit_code netns_read(struct netns *netns)
{
	struct kserv_nl_error words = { };
	enum exit_code code;
	struct kserv_nl *nl;
	int error;

	netns_forget(netns);
	if (!netns_enter(netns))
		return REFUSED;
	code = open_kernel(&nl);
	if (code)
		return code;
	error = kserv_dump(nl, KSERV_DUMP_ALL, NULL, &netns->tables, &words);
	if (error) {
		memset(&netns->tables, 0, sizeof(netns->tables));
		code = refused(error, &words);
	} else {
		code = past_collect(nl, &netns->past);
	}
	kserv_nl_close(nl);
	return code;
}

/* Has anybody ever changed anything there? */
static bool is_in_use(void)
{
	struct kserv_status status;
	struct kserv_nl *nl;
	bool in_use;

	if (kserv_nl_open(&nl, NULL))
		return false;
	in_use = !kserv_dump_status(nl, NULL, &status, NULL) && (status.generation || status.flows);
	kserv_nl_close(nl);
	return in_use;
}

/* Takes the path. */
static void consider(struct netns_list *list, char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct netns netns = { .fd = fd, .path = path };
	struct stat status;
	bool known = fd < 0 || fstat(fd, &status);
	size_t i;

	for (i = 0; !known && i < list->n; i++)
		known = list->v[i].inode == status.st_ino;
	/* The first is where this program runs. What is no namespace after all cannot be entered. */
	if (known || (list->n && (setns(fd, CLONE_NEWNET) || !is_in_use()))) {
		free(path);
		if (fd >= 0)
			close(fd);
		return;
	}
	netns.inode = status.st_ino;
	list->v = kserv_must_grow(list->v, list->n, sizeof(*list->v));
	list->v[list->n++] = netns;
}

/* All entries of @folder, or those that are numbers, with @rest behind their name. */
static void look_into(struct netns_list *list, const char *folder, bool numbers, const char *rest)
{
	DIR *entries = opendir(folder);
	struct dirent *entry;

	while (entries && (entry = readdir(entries)))
		if (entry->d_name[0] != '.' && (!numbers || !entry->d_name[strspn(entry->d_name, "0123456789")]))
			consider(list, kserv_must_printf("%s/%s%s", folder, entry->d_name, rest));
	if (entries)
		closedir(entries);
}

enum exit_code netns_find(struct netns_list *ret_list)
{
	*ret_list = (struct netns_list){ 0 };
	consider(ret_list, kserv_must_strdup("/proc/self/ns/net"));
	if (!ret_list->n) {
		kserv_log_error("/proc/self/ns/net cannot be opened: %s", strerror(errno));
		return REFUSED;
	}
	look_into(ret_list, "/run/netns", false, "");
	look_into(ret_list, "/run/docker/netns", false, "");
	look_into(ret_list, "/proc", true, "/ns/net");
	return netns_enter(&ret_list->v[0]) ? DONE : REFUSED;
}
