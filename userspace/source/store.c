// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cluster/memory.h"
#include "source/store.h"

#define BUSY_TIMEOUT_MS	10000
/* "ksrv": what file(1) and PRAGMA application_id show. */
#define APPLICATION_ID	0x6b737276
#define FORMAT		1

enum statement { EACH, EACH_OF_KIND, FIND, PUT, DELETE, COUNT_UP, STATEMENTS };

static const char *const texts[STATEMENTS] = {
	[EACH] = "SELECT kind, namespace, name, rv, json FROM objects ORDER BY kind, namespace, name",
	[EACH_OF_KIND] = "SELECT kind, namespace, name, rv, json FROM objects WHERE kind = ?1 ORDER BY namespace, name",
	[FIND] = "SELECT json FROM objects WHERE kind = ?1 AND namespace = ?2 AND name = ?3",
	[PUT] = "INSERT OR REPLACE INTO objects(kind, namespace, name, rv, json) VALUES(?1, ?2, ?3, ?4, ?5)",
	[DELETE] = "DELETE FROM objects WHERE kind = ?1 AND namespace = ?2 AND name = ?3",
	[COUNT_UP] = "UPDATE counter SET rv = rv + 1 RETURNING rv",
};

struct kserv_store {
	int seen;			/* SQLite's data_version when it was last asked for */
	sqlite3 *db;
	char *path, *error;
	sqlite3_stmt *statements[STATEMENTS];
};

static int fail(struct kserv_store *store, const char *doing)
{
	free(store->error);
	store->error = kserv_must_printf("cannot %s the store %s: %s", doing, store->path, sqlite3_errmsg(store->db));
	return -EIO;
}

const char *kserv_store_error(struct kserv_store *store)
{
	return store->error ? store->error : "nothing went wrong in the store";
}

void kserv_store_close(struct kserv_store *store)
{
	size_t i;

	if (!store)
		return;
	for (i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(store->statements[i]);
	sqlite3_close(store->db);
	free(store->path);
	free(store->error);
	free(store);
}

/*
 * The folders above the file; what is wrong with them shows when it is opened. The last one is for the owner only, as
 * manifests may hold secrets.
 */
static void make_folders(const char *path)
{
	char *folder = kserv_must_strdup(path), *slash;

	for (slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(folder, strchr(slash + 1, '/') ? 0755 : 0700);
		*slash = '/';
	}
	free(folder);
}

static int pragma_number(struct kserv_store *store, const char *text, int *ret)
{
	sqlite3_stmt *statement;
	int code;

	if (sqlite3_prepare_v2(store->db, text, -1, &statement, NULL))
		return fail(store, "read");
	code = sqlite3_step(statement);
	*ret = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return code == SQLITE_ROW ? 0 : fail(store, "read");
}

static int make_tables(struct kserv_store *store)
{
	char *text = kserv_must_printf("BEGIN IMMEDIATE;"
		"CREATE TABLE IF NOT EXISTS objects(kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,"
		" rv INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY(kind, namespace, name)) WITHOUT ROWID;"
		"CREATE TABLE IF NOT EXISTS counter(rv INTEGER NOT NULL);"
		"INSERT INTO counter SELECT 0 WHERE NOT EXISTS(SELECT 1 FROM counter);"
		"PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", APPLICATION_ID, FORMAT);
	int code = sqlite3_exec(store->db, text, NULL, NULL, NULL);

	free(text);
	return code ? fail(store, "set up") : 0;
}

static int check_format(struct kserv_store *store, bool create)
{
	int application, format;

	if (pragma_number(store, "PRAGMA application_id", &application) ||
	    pragma_number(store, "PRAGMA user_version", &format))
		return -EIO;
	if (!application && !format)
		return create ? make_tables(store) : -ENOENT;
	if (application == APPLICATION_ID && format == FORMAT)
		return 0;
	free(store->error);
	store->error = application != APPLICATION_ID ?
		kserv_must_printf("%s is a database of another program", store->path) :
		kserv_must_printf("the store %s has format %d; this kserv reads format %d", store->path, format,
				  FORMAT);
	return -EIO;
}

static int prepare(struct kserv_store *store)
{
	size_t i;

	for (i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v2(store->db, texts[i], -1, &store->statements[i], NULL))
			return fail(store, "read");
	return 0;
}

static int open_database(struct kserv_store *store, bool create)
{
	int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0), error;

	if (!create && access(store->path, F_OK) && errno == ENOENT)
		return -ENOENT;
	if (create)
		make_folders(store->path);
	if (sqlite3_open_v2(store->path, &store->db, flags, NULL))
		return fail(store, "open");
	sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	/* FULL: a transaction is on disk when COMMIT returns, which WAL alone does not promise. */
	if (sqlite3_exec(store->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", NULL, NULL, NULL))
		return fail(store, "open");
	error = check_format(store, create);
	return error ? error : prepare(store);
}

int kserv_store_open(const char *path, bool create, struct kserv_store **ret_store, char **ret_why)
{
	struct kserv_store *store = kserv_must_alloc(sizeof(*store));
	int error;

	store->path = kserv_must_strdup(path);
	error = open_database(store, create);
	if (!error) {
		*ret_store = store;
		return 0;
	}
	*ret_why = kserv_must_strdup(error == -ENOENT ? "nothing was stored yet" : kserv_store_error(store));
	kserv_store_close(store);
	return error;
}

static int run(struct kserv_store *store, const char *text, const char *doing)
{
	return sqlite3_exec(store->db, text, NULL, NULL, NULL) ? fail(store, doing) : 0;
}

int kserv_store_begin(struct kserv_store *store)
{
	return run(store, "BEGIN IMMEDIATE", "lock");
}

int kserv_store_commit(struct kserv_store *store)
{
	int error = run(store, "COMMIT", "write");

	if (error)
		kserv_store_rollback(store);
	return error;
}

void kserv_store_rollback(struct kserv_store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

static sqlite3_stmt *bind(struct kserv_store *store, enum statement which, const char *kind, const char *namespace,
			  const char *name)
{
	sqlite3_stmt *statement = store->statements[which];

	sqlite3_reset(statement);
	if (kind)
		sqlite3_bind_text(statement, 1, kind, -1, SQLITE_TRANSIENT);
	if (namespace)
		sqlite3_bind_text(statement, 2, namespace, -1, SQLITE_TRANSIENT);
	if (name)
		sqlite3_bind_text(statement, 3, name, -1, SQLITE_TRANSIENT);
	return statement;
}

static const char *column(sqlite3_stmt *statement, int i)
{
	const char *text = (const char *)sqlite3_column_text(statement, i);

	return text ? text : "";
}

int kserv_store_each(struct kserv_store *store, const char *kind,
		     bool (*visit)(void *context, const struct kserv_stored *stored), void *context)
{
	sqlite3_stmt *statement = bind(store, kind ? EACH_OF_KIND : EACH, kind, NULL, NULL);
	int code;

	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		struct kserv_stored stored = {
			.kind = column(statement, 0),
			.namespace = column(statement, 1),
			.name = column(statement, 2),
			.version = sqlite3_column_int64(statement, 3),
			.json = column(statement, 4),
		};

		if (!visit(context, &stored)) {
			code = SQLITE_DONE;
			break;
		}
	}
	if (code != SQLITE_DONE)
		fail(store, "read");
	sqlite3_reset(statement);
	return code == SQLITE_DONE ? 0 : -EIO;
}

int kserv_store_find(struct kserv_store *store, const char *kind, const char *namespace, const char *name,
		     char **ret_json)
{
	sqlite3_stmt *statement = bind(store, FIND, kind, namespace, name);
	int code = sqlite3_step(statement), result = 0;

	if (code == SQLITE_ROW)
		*ret_json = kserv_must_strdup(column(statement, 0));
	else
		result = code == SQLITE_DONE ? -ENOENT : fail(store, "read");
	sqlite3_reset(statement);
	return result;
}

static int finish(struct kserv_store *store, sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement) == SQLITE_DONE ? 0 : fail(store, "write");

	sqlite3_reset(statement);
	return result;
}

int kserv_store_put(struct kserv_store *store, const struct kserv_stored *stored)
{
	sqlite3_stmt *statement = bind(store, PUT, stored->kind, stored->namespace, stored->name);

	sqlite3_bind_int64(statement, 4, (sqlite3_int64)stored->version);
	sqlite3_bind_text(statement, 5, stored->json, -1, SQLITE_TRANSIENT);
	return finish(store, statement);
}

int kserv_store_delete(struct kserv_store *store, const char *kind, const char *namespace, const char *name)
{
	return finish(store, bind(store, DELETE, kind, namespace, name));
}

bool kserv_store_was_changed(struct kserv_store *store)
{
	int version, before = store->seen;

	if (pragma_number(store, "PRAGMA data_version", &version))
		return false;
	store->seen = version;
	return version != before;
}

int kserv_store_next_version(struct kserv_store *store, uint64_t *ret_version)
{
	sqlite3_stmt *statement = bind(store, COUNT_UP, NULL, NULL, NULL);
	int result = 0;

	if (sqlite3_step(statement) == SQLITE_ROW)
		*ret_version = sqlite3_column_int64(statement, 0);
	else
		result = fail(store, "write");
	sqlite3_reset(statement);
	return result;
}
