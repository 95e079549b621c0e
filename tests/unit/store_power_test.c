// SPDX-License-Identifier: GPL-2.0
/*
 * The store on a disk that loses power at any moment, or is full: all that SQLite does to its files is recorded below it,
 * and played again up to each point. What was not synced by then may be there, in part or not at all.
 */
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "cluster/memory.h"
#include "source/store.h"
#include "store_file.h"

#define FILES_MAX	4
#define COMMITS		9

enum kind { WRITE, TRUNCATE, SYNC, DELETE, ACKNOWLEDGE };

/* What was done to a file, in order. */
struct step {
	enum kind kind;
	unsigned int file;
	sqlite3_int64 at;
	size_t len;
	unsigned char *data;
};

static struct {
	struct step *v;
	size_t n;
} record;

static char *names[FILES_MAX];	/* without the folder */
static unsigned int n_names;
static char folder[64], path[128];
static sqlite3_vfs *disk, recorder;
/* Writes and syncs from this one on fail, for want of space; 0 for none. */
static unsigned long full_from, n_writes;

static unsigned int file_number(const char *name)
{
	unsigned int i;

	name = strrchr(name, '/') + 1;
	for (i = 0; i < n_names; i++)
		if (!strcmp(names[i], name))
			return i;
	assert_true(n_names < FILES_MAX);
	names[n_names] = kserv_must_strdup(name);
	return n_names++;
}

static void note(enum kind kind, unsigned int file, sqlite3_int64 at, const void *data, size_t len)
{
	struct step *step;

	record.v = realloc(record.v, (record.n + 1) * sizeof(*record.v));
	assert_non_null(record.v);
	step = &record.v[record.n++];
	*step = (struct step){ .kind = kind, .file = file, .at = at, .len = len };
	if (data) {
		step->data = malloc(len);
		assert_non_null(step->data);
		memcpy(step->data, data, len);
	}
}

/* ---- SQLite's way to a file, with ours in between */

struct file {
	sqlite3_file base;
	unsigned int number;
	sqlite3_file real[];	/* as much as the real one wants */
};

#define REAL(f) (((struct file *)(f))->real)
#define PASS(f, method, ...) (REAL(f)->pMethods->method(REAL(f), ##__VA_ARGS__))

static bool is_full(void) { return ++n_writes >= full_from && full_from; }

static int file_close(sqlite3_file *f) { return PASS(f, xClose); }
static int file_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at) { return PASS(f, xRead, to, n, at); }

static int file_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	if (is_full())
		return SQLITE_FULL;
	note(WRITE, ((struct file *)f)->number, at, from, n);
	return PASS(f, xWrite, from, n, at);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	note(TRUNCATE, ((struct file *)f)->number, size, NULL, 0);
	return PASS(f, xTruncate, size);
}

static int file_sync(sqlite3_file *f, int flags)
{
	if (is_full())
		return SQLITE_IOERR_FSYNC;
	note(SYNC, ((struct file *)f)->number, 0, NULL, 0);
	return PASS(f, xSync, flags);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *ret) { return PASS(f, xFileSize, ret); }
static int file_lock(sqlite3_file *f, int level) { return PASS(f, xLock, level); }
static int file_unlock(sqlite3_file *f, int level) { return PASS(f, xUnlock, level); }
static int file_reserved(sqlite3_file *f, int *ret) { return PASS(f, xCheckReservedLock, ret); }
static int file_control(sqlite3_file *f, int what, void *data) { return PASS(f, xFileControl, what, data); }
static int file_sector(sqlite3_file *f) { return PASS(f, xSectorSize); }
static int file_traits(sqlite3_file *f) { return PASS(f, xDeviceCharacteristics); }
static int file_shm_lock(sqlite3_file *f, int at, int n, int flags) { return PASS(f, xShmLock, at, n, flags); }
static void file_shm_barrier(sqlite3_file *f) { PASS(f, xShmBarrier); }
static int file_shm_unmap(sqlite3_file *f, int delete) { return PASS(f, xShmUnmap, delete); }

static int file_shm_map(sqlite3_file *f, int i, int n, int extend, void volatile **ret)
{
	return PASS(f, xShmMap, i, n, extend, ret);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = file_close, .xRead = file_read, .xWrite = file_write, .xTruncate = file_truncate, .xSync = file_sync,
	.xFileSize = file_size, .xLock = file_lock, .xUnlock = file_unlock, .xCheckReservedLock = file_reserved,
	.xFileControl = file_control, .xSectorSize = file_sector, .xDeviceCharacteristics = file_traits,
	.xShmMap = file_shm_map, .xShmLock = file_shm_lock, .xShmBarrier = file_shm_barrier, .xShmUnmap = file_shm_unmap,
};

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	int code;

	(void)vfs;
	f->pMethods = NULL;
	/* Temporary files have no name, and nobody asks for them after a power cut. */
	if (!name)
		return disk->xOpen(disk, name, f, flags, ret_flags);
	code = disk->xOpen(disk, name, REAL(f), flags, ret_flags);
	if (code)
		return code;
	((struct file *)f)->number = file_number(name);
	f->pMethods = &methods;
	return 0;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	note(DELETE, file_number(name), 0, NULL, 0);
	return disk->xDelete(disk, name, sync);
}

static int start_recording(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "%s/kserv-power-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/store.db", folder);
	disk = sqlite3_vfs_find(NULL);
	recorder = *disk;
	recorder.zName = "recorder";
	recorder.szOsFile += (int)sizeof(struct file);
	recorder.xOpen = disk_open;
	recorder.xDelete = disk_delete;
	full_from = n_writes = 0;
	return sqlite3_vfs_register(&recorder, 1);
}

static int remove_entry(const char *name, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(name);
}

static int end_recording(void **state)
{
	(void)state;
	while (record.n)
		free(record.v[--record.n].data);
	free(record.v);
	record.v = NULL;
	while (n_names)
		free(names[--n_names]);
	sqlite3_vfs_unregister(&recorder);
	return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- what is stored */

/* Commit number @n replaces one object, and adds one of some pages. */
static int commit(struct kserv_store *store, unsigned int n)
{
	struct kserv_stored last = { .kind = "Service", .namespace = "default", .name = "last" };
	struct kserv_stored more = { .kind = "Pod", .namespace = "default" };
	char name[16], json[9001];
	int error;

	snprintf(name, sizeof(name), "pod-%03u", n);
	memset(json, 'a' + n, sizeof(json) - 1);
	json[sizeof(json) - 1] = '\0';
	more.name = name;
	more.json = json;
	last.json = name;
	error = kserv_store_begin(store);
	if (error)
		return error;
	if (kserv_store_next_version(store, &last.version) || kserv_store_put(store, &last) ||
	    kserv_store_next_version(store, &more.version) || kserv_store_put(store, &more)) {
		kserv_store_rollback(store);
		return -EIO;
	}
	return kserv_store_commit(store);
}

static bool count(void *context, const struct kserv_stored *stored)
{
	unsigned int *n = context;
	size_t i;

	++*n;
	assert_int_equal(atoi(stored->name + 4), *n);
	assert_int_equal(strlen(stored->json), 9000);
	for (i = 0; i < 9000; i++)
		assert_int_equal(stored->json[i], 'a' + *n);
	return true;
}

/* How many commits are there; each must be whole. */
static unsigned int commits_of(struct kserv_store *store)
{
	unsigned int n = 0;
	char *json = NULL;

	assert_int_equal(kserv_store_each(store, "Pod", count, &n), 0);
	assert_int_equal(kserv_store_find(store, "Service", "default", "last", &json), n ? 0 : -ENOENT);
	if (n)
		assert_int_equal(atoi(json + 4), n);
	free(json);
	return n;
}

/* 0 also if nothing was ever stored. */
static unsigned int commits_on_disk(const char *file, size_t cut)
{
	struct kserv_store *store;
	unsigned int n;
	char *why;
	int error = kserv_store_open(file, false, &store, &why);

	if (error == -ENOENT) {
		free(why);
		return 0;
	}
	if (error)
		fail_msg("cut at step %zu: %s", cut, why);
	n = commits_of(store);
	kserv_store_close(store);
	return n;
}

/* ---- after a power cut */

/* What becomes of a change that was not synced. */
enum fate { LOST, KEPT, BY_CHANCE };

struct image {
	unsigned char *data;
	size_t len;
	bool is_there;
};

static void apply(struct image *image, const struct step *step, size_t len)
{
	size_t end = step->kind == TRUNCATE ? (size_t)step->at : step->at + len;

	if (step->kind == TRUNCATE ? image->len != end : image->len < end) {
		image->data = realloc(image->data, end + 1);
		assert_non_null(image->data);
		if (end > image->len)
			memset(image->data + image->len, 0, end - image->len);
		image->len = end;
	}
	if (step->kind == WRITE)
		memcpy(image->data + step->at, step->data, len);
}

static bool is_synced(size_t i, size_t cut)
{
	const struct step *step = &record.v[i];

	while (++i < cut)
		if (record.v[i].file == step->file && record.v[i].kind == SYNC)
			return true;
	return false;
}

static void play(struct image *images, size_t cut, enum fate fate)
{
	size_t i;

	for (i = 0; i < cut; i++) {
		const struct step *step = &record.v[i];
		struct image *image = &images[step->file];
		size_t len = step->len;

		if (step->kind == ACKNOWLEDGE || step->kind == SYNC)
			continue;
		if (step->kind == DELETE) {
			free(image->data);
			*image = (struct image){ 0 };
			continue;
		}
		image->is_there = true;
		if (!is_synced(i, cut)) {
			if (fate == LOST || (fate == BY_CHANCE && rand() % 3 == 0))
				continue;
			/* In part: by sectors from its begin. */
			if (fate == BY_CHANCE && len > 512 && rand() % 3 == 0)
				len = rand() % (len / 512) * 512;
		}
		apply(image, step, len);
	}
}

static unsigned int commits_after_cut(size_t cut, enum fate fate)
{
	struct image images[FILES_MAX] = { 0 };
	char name[sizeof(folder) + 64];
	unsigned int i;

	play(images, cut, fate);
	for (i = 0; i < n_names; i++) {
		FILE *file;

		snprintf(name, sizeof(name), "%s/after", folder);
		mkdir(name, 0700);
		snprintf(name, sizeof(name), "%s/after/%s", folder, names[i]);
		unlink(name);
		if (images[i].is_there) {
			file = fopen(name, "w");
			assert_non_null(file);
			if (images[i].len)
				assert_int_equal(fwrite(images[i].data, images[i].len, 1, file), 1);
			fclose(file);
		}
		free(images[i].data);
	}
	snprintf(name, sizeof(name), "%s/after/store.db-shm", folder);
	unlink(name);
	snprintf(name, sizeof(name), "%s/after/store.db", folder);
	return commits_on_disk(name, cut);
}

static void record_commits(void)
{
	struct kserv_store *store = open_store(path);
	unsigned int n;

	for (n = 1; n <= COMMITS; n++) {
		assert_int_equal(commit(store, n), 0);
		note(ACKNOWLEDGE, 0, 0, NULL, 0);
		/* The last one who closes it writes the log back, which is cut as well. */
		if (n % 3 == 0) {
			kserv_store_close(store);
			store = open_store(path);
		}
	}
	kserv_store_close(store);
}

static void a_power_cut_at_any_moment_loses_nothing_acknowledged(void **state)
{
	unsigned int acknowledged = 0, n;
	size_t cut, syncs = 0;
	int variant;

	(void)state;
	record_commits();
	sqlite3_vfs_register(disk, 1);
	srand(1);
	for (cut = 0; cut <= record.n; cut++) {
		for (variant = 0; variant < 4; variant++) {
			n = commits_after_cut(cut, variant < BY_CHANCE ? (enum fate)variant : BY_CHANCE);
			if (n < acknowledged || n > acknowledged + 1)
				fail_msg("cut at step %zu of %zu: %u commits were acknowledged, %u are there", cut, record.n,
					 acknowledged, n);
		}
		if (cut == record.n)
			break;
		acknowledged += record.v[cut].kind == ACKNOWLEDGE;
		syncs += record.v[cut].kind == SYNC;
	}
	print_message("cut at %zu steps, %zu of them syncs, in four ways each\n", cut, syncs);
	assert_int_equal(acknowledged, COMMITS);
	assert_true(syncs >= COMMITS);
}

/* ---- when it is full */

/* Commits until one fails; then there is space again. Return: how many were acknowledged. */
static unsigned int commit_until_full(struct kserv_store *store, unsigned int n, unsigned int *ret_refused)
{
	while (n < COMMITS) {
		if (!commit(store, n + 1)) {
			n++;
			continue;
		}
		assert_non_null(strstr(kserv_store_error(store), "the store "));
		++*ret_refused;
		/* What is there is read all the same. */
		assert_int_equal(commits_of(store), n);
		full_from = 0;
	}
	return n;
}

static void a_full_disk_refuses_and_keeps_what_it_has(void **state)
{
	unsigned long first, last;
	unsigned int refused = 0;
	struct kserv_store *store;
	char *why;

	(void)state;
	for (first = 1, last = 1; first <= last; first++) {
		unlink(path);
		n_writes = 0;
		full_from = first;
		if (kserv_store_open(path, true, &store, &why)) {
			assert_non_null(strstr(why, path));
			free(why);
			refused++;
			full_from = 0;
			store = open_store(path);
		}
		assert_int_equal(commit_until_full(store, 0, &refused), COMMITS);
		/* What the last one to close it cannot write back is in the log. */
		n_writes = 0;
		full_from = first % 2 ? 1 + first % 5 : 0;
		kserv_store_close(store);
		full_from = 0;
		assert_int_equal(commits_on_disk(path, 0), COMMITS);
		if (first == 1)
			last = 120;
	}
	print_message("full at %lu moments, refused %u times\n", last, refused);
	assert_true(refused >= last / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_power_cut_at_any_moment_loses_nothing_acknowledged, start_recording,
						end_recording),
		cmocka_unit_test_setup_teardown(a_full_disk_refuses_and_keeps_what_it_has, start_recording, end_recording),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
