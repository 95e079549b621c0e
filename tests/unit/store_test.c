// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "cluster/memory.h"
#include "source/store.h"
#include "store_file.h"

static char folder[] = "/tmp/kserv-store-XXXXXX";
static char path[64];

static int new_file(void **state)
{
	static int n;

	(void)state;
	snprintf(path, sizeof(path), "%s/%d/store.db", folder, n++);
	return 0;
}

static void put(struct kserv_store *store, const char *kind, const char *namespace, const char *name, const char *json)
{
	struct kserv_stored stored = { .kind = kind, .namespace = namespace, .name = name, .json = json };

	assert_int_equal(kserv_store_next_version(store, &stored.version), 0);
	assert_int_equal(kserv_store_put(store, &stored), 0);
}

static bool join(void *context, const struct kserv_stored *stored)
{
	kserv_text_printf(context, "%s/%s/%s@%llu=%s ", stored->kind, stored->namespace, stored->name,
			  (unsigned long long)stored->version, stored->json);
	return true;
}

static void expect(struct kserv_store *store, const char *kind, const char *all)
{
	struct kserv_text text = { 0 };

	kserv_text_add(&text, "");
	assert_int_equal(kserv_store_each(store, kind, join, &text), 0);
	assert_string_equal(text.s, all);
	kserv_text_clear(&text);
}

static void objects_are_there_after_it_is_opened_again(void **state)
{
	struct kserv_store *store = open_store(path);
	char *json;

	(void)state;
	assert_int_equal(kserv_store_begin(store), 0);
	put(store, "Service", "b", "x", "1");
	put(store, "Service", "a", "z", "2");
	put(store, "Pod", "a", "p", "3");
	put(store, "Service", "b", "x", "4");
	assert_int_equal(kserv_store_delete(store, "Pod", "a", "p"), 0);
	assert_int_equal(kserv_store_delete(store, "Pod", "a", "nothing"), 0);
	assert_int_equal(kserv_store_commit(store), 0);
	kserv_store_close(store);

	store = open_store(path);
	expect(store, NULL, "Service/a/z@2=2 Service/b/x@4=4 ");
	expect(store, "Pod", "");
	assert_int_equal(kserv_store_find(store, "Service", "a", "z", &json), 0);
	assert_string_equal(json, "2");
	free(json);
	assert_int_equal(kserv_store_find(store, "Service", "a", "q", &json), -ENOENT);
	kserv_store_close(store);
}

static void what_is_rolled_back_never_was(void **state)
{
	struct kserv_store *store = open_store(path);

	(void)state;
	assert_int_equal(kserv_store_begin(store), 0);
	put(store, "Service", "a", "x", "1");
	kserv_store_rollback(store);
	expect(store, NULL, "");
	assert_int_equal(kserv_store_begin(store), 0);
	put(store, "Service", "a", "y", "1");
	assert_int_equal(kserv_store_commit(store), 0);
	expect(store, NULL, "Service/a/y@1=1 ");
	kserv_store_close(store);
}

/* A process that dies in the middle of a transaction leaves nothing of it. */
static void a_killed_writer_leaves_whole_transactions_only(void **state)
{
	struct kserv_store *store = open_store(path);
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(kserv_store_begin(store), 0);
	put(store, "Service", "a", "x", "1");
	assert_int_equal(kserv_store_commit(store), 0);
	kserv_store_close(store);
	pid = fork();
	if (!pid) {
		store = open_store(path);
		kserv_store_begin(store);
		put(store, "Service", "a", "x", "2");
		put(store, "Service", "a", "y", "2");
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	store = open_store(path);
	expect(store, NULL, "Service/a/x@1=1 ");
	kserv_store_close(store);
}

/* What the second process does: begin when the first one has begun, and say so just before. */
static void second_writer(int began, int beginning)
{
	struct kserv_store *store;
	char byte;

	if (read(began, &byte, 1) != 1)
		_exit(1);
	store = open_store(path);
	if (write(beginning, "x", 1) != 1 || kserv_store_begin(store))
		_exit(1);
	put(store, "Service", "a", "y", "2");
	_exit(kserv_store_commit(store) ? 1 : 0);
}

static void a_second_writer_waits_for_the_first(void **state)
{
	int began[2], beginning[2], status;
	struct kserv_store *store;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(began), 0);
	assert_int_equal(pipe(beginning), 0);
	/* SQLite's connections must not pass through a fork, so the store is opened after it. */
	pid = fork();
	if (!pid)
		second_writer(began[0], beginning[1]);
	store = open_store(path);
	assert_int_equal(kserv_store_begin(store), 0);
	put(store, "Service", "a", "x", "1");
	assert_int_equal(write(began[1], "x", 1), 1);
	assert_int_equal(read(beginning[0], &byte, 1), 1);
	assert_int_equal(kserv_store_commit(store), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	expect(store, NULL, "Service/a/x@1=1 Service/a/y@2=2 ");
	kserv_store_close(store);
	for (status = 0; status < 2; status++) {
		close(began[status]);
		close(beginning[status]);
	}
}

static void a_file_that_is_no_store_is_refused(void **state)
{
	struct kserv_store *store;
	char *why, *text;
	FILE *file;

	(void)state;
	assert_int_equal(kserv_store_open(path, false, &store, &why), -ENOENT);
	free(why);
	kserv_store_close(open_store(path));
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("this is not a database, but long enough to be looked at", file);
	fclose(file);
	assert_int_equal(kserv_store_open(path, true, &store, &why), -EIO);
	text = kserv_must_printf("cannot open the store %s: file is not a database", path);
	assert_string_equal(why, text);
	free(text);
	free(why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(objects_are_there_after_it_is_opened_again, new_file),
		cmocka_unit_test_setup(what_is_rolled_back_never_was, new_file),
		cmocka_unit_test_setup(a_killed_writer_leaves_whole_transactions_only, new_file),
		cmocka_unit_test_setup(a_second_writer_waits_for_the_first, new_file),
		cmocka_unit_test_setup(a_file_that_is_no_store_is_refused, new_file),
	};
	char *command;
	int failed;

	if (!mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	command = kserv_must_printf("rm -rf %s", folder);
	if (system(command))
		failed = 1;
	free(command);
	return failed;
}
