// SPDX-License-Identifier: GPL-2.0
/* diff without manifests: is the kernel what the objects lead to? */
#include <stdio.h>
#include <string.h>
#include <cjson/cJSON.h>
#include "cluster/memory.h"
#include "kservctl/edit.h"
#include "lib/dump.h"
#include "sync/compare.h"

static void print_difference(void *context, const char *sentence)
{
	enum exit_code *code = context;

	puts(sentence);
	*code = REFUSED;
}

static enum exit_code compare_remote(void)
{
	struct kserv_text text = { 0 };
	enum exit_code code = get_from_daemon(KSERV_CONTROL_DIFF, &text);
	cJSON *tree = code ? NULL : cJSON_Parse(text.s);
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(tree, "differences"), *item;

	kserv_text_clear(&text);
	if (!code && !cJSON_IsArray(list)) {
		kserv_log_error("what kservd answers is no list of differences; is it of another version?");
		code = REFUSED;
	}
	cJSON_ArrayForEach(item, list)
		print_difference(&code, cJSON_GetStringValue(item));
	cJSON_Delete(tree);
	return code;
}

static enum exit_code compare_tables(const struct kserv_tables *desired)
{
	enum exit_code code = DONE, opened;
	struct kserv_nl_error words = { 0 };
	struct kserv_tables actual;
	struct kserv_nl *nl;
	int error;

	opened = open_kernel(&nl);
	if (opened)
		return opened;
	error = kserv_dump(nl, KSERV_DUMP_ALL, NULL, &actual, &words);
	kserv_nl_close(nl);
	if (error)
		return refused(error, &words);
	error = kserv_sync_compare(desired, &actual, print_difference, &code);
	kserv_tables_clear(&actual);
	return error ? failed(error) : code;
}

static enum exit_code compare_local(void)
{
	struct kserv_tables desired = { 0 };
	struct kserv_embedded embedded;
	struct kserv_errors errors = { 0 };
	enum exit_code code = open_cluster(true, &embedded);

	if (code)
		return code;
	/* The lock is held so that no apply comes between reading the store and reading the kernel. */
	if (kserv_embedded_begin(&embedded, &errors)) {
		print_errors(&errors);
		code = REFUSED;
	} else {
		code = make_tables(&embedded, false, &desired) ? REFUSED : compare_tables(&desired);
		kserv_embedded_rollback(&embedded);
	}
	kserv_tables_clear(&desired);
	kserv_embedded_close(&embedded);
	return code;
}

enum exit_code diff_kernel(void)
{
	return daemon_socket() ? compare_remote() : compare_local();
}
