// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "kservd/program.h"
#include "lib/dump.h"
#include "lib/log.h"

struct planned {
	struct entry *entry;
	struct kserv_warnings warnings;
};

/* Entries whose services are in a transaction. */
struct batch {
	struct planned *v;
	size_t n;
};

void program_init(struct program *program, struct model *model)
{
	*program = (struct program){ .model = model };
}

void program_clear(struct program *program)
{
	kserv_nl_close(program->nl);
	kserv_claims_free(program->claims);
	free(program->routes);
	program_init(program, program->model);
}

static void set_error(struct program *program, int error, const struct kserv_nl_error *words)
{
	const char *text = words->text[0] ? words->text : strerror(-error);

	snprintf(program->error, sizeof(program->error), "%s%s%s", text, words->place[0] ? ": " : "", words->place);
}

struct kserv_nl *program_nl(struct program *program)
{
	struct kserv_nl_error words = { 0 };
	int error;

	if (program->nl)
		return program->nl;
	error = kserv_nl_open(&program->nl, &words);
	if (!error)
		return program->nl;
	program->nl = NULL;
	set_error(program, error, &words);
	errno = -error;
	return NULL;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	return hash;
}

/* Warnings are said when they are new or different, not each time that the service is planned. */
static void say_warnings(struct program *program, struct entry *entry, struct kserv_warnings *warnings)
{
	uint64_t hash = 0;
	size_t i;

	for (i = 0; i < warnings->n; i++)
		hash = hash_text(hash ? hash : 0xcbf29ce484222325ULL, warnings->v[i].text);
	for (i = 0; i < warnings->n && hash != entry->warned; i++)
		program->report(program->context, entry, "KservWarning", warnings->v[i].text);
	entry->warned = hash;
	kserv_warnings_clear(warnings);
}

static void drop_planned(struct entry *entry)
{
	kserv_services_free(entry->planned, entry->n_planned);
	entry->planned = NULL;
	entry->n_planned = 0;
}

__attribute__((noreturn)) static void no_memory(void)
{
	kserv_log_error("there is no memory left; the kernel goes on with what it holds");
	abort();
}

/* Plans an entry and claims its frontends; names of others that this concerns are appended to @others. */
static void plan_entry(struct program *program, const struct kserv_here *here, struct planned *planned,
		       struct kserv_strings *others)
{
	struct entry *entry = planned->entry;

	drop_planned(entry);
	if (entry->service &&
	    kserv_plan_service(here, entry->service, entry->slices, entry->n_slices, &entry->planned, &entry->n_planned,
			       &planned->warnings))
		no_memory();
	if (kserv_claims_set(program->claims, entry->name, entry->planned, entry->n_planned, others))
		no_memory();
}

static void settle_entry(struct program *program, struct planned *planned)
{
	struct entry *entry = planned->entry;

	kserv_claims_settle(program->claims, entry->planned, entry->n_planned, &planned->warnings);
	if (entry->n_planned > 1)
		qsort(entry->planned, entry->n_planned, sizeof(*entry->planned), kserv_service_compare);
	say_warnings(program, entry, &planned->warnings);
}

static void touch_others(struct program *program, struct kserv_strings *others)
{
	struct entry *entry;
	size_t i;

	for (i = 0; i < others->n; i++) {
		entry = kserv_model_find(program->model, others->v[i]);
		if (entry)
			kserv_model_touch(program->model, entry);
		free(others->v[i]);
	}
	free(others->v);
	*others = (struct kserv_strings){ 0 };
}

/* Plans what is dirty; the list grows while others are found that claim the same frontends. */
static void plan_dirty(struct program *program, const struct kserv_here *here, struct batch *batch)
{
	struct kserv_strings others = { 0 };
	struct planned *planned;
	struct entry *entry;
	size_t i;

	for (entry = program->model->dirty; entry; entry = entry->next_dirty) {
		batch->v = kserv_must_grow(batch->v, batch->n, sizeof(*batch->v));
		planned = &batch->v[batch->n++];
		planned->entry = entry;
		plan_entry(program, here, planned, &others);
		touch_others(program, &others);
	}
	for (i = 0; i < batch->n; i++)
		settle_entry(program, &batch->v[i]);
}

/* The services of @batch side by side, sorted; the array alone is the caller's. What was refused stays as it is. */
static struct kserv_service *join(const struct batch *batch, bool planned, size_t *ret_n)
{
	struct kserv_service *services;
	size_t i, n = 0;

	for (i = 0; i < batch->n; i++)
		n += planned && !batch->v[i].entry->refused ? batch->v[i].entry->n_planned : batch->v[i].entry->n_held;
	services = kserv_must_alloc((n + 1) * sizeof(*services));
	for (i = 0, n = 0; i < batch->n; i++) {
		const struct entry *entry = batch->v[i].entry;
		bool take = planned && !entry->refused;
		const struct kserv_service *from = take ? entry->planned : entry->held;
		size_t n_from = take ? entry->n_planned : entry->n_held;

		if (n_from)
			memcpy(services + n, from, n_from * sizeof(*from));
		n += n_from;
	}
	qsort(services, n, sizeof(*services), kserv_service_compare);
	*ret_n = n;
	return services;
}

/* What was planned is what the kernel holds. */
static void keep_planned(struct program *program, struct batch *batch)
{
	struct entry *entry;
	size_t i;

	for (i = 0; i < batch->n; i++) {
		entry = batch->v[i].entry;
		if (!entry->refused) {
			kserv_services_free(entry->held, entry->n_held);
			entry->held = entry->planned;
			entry->n_held = entry->n_planned;
			entry->planned = NULL;
			entry->n_planned = 0;
		}
		drop_planned(entry);
		program->kept(program->context, entry);
	}
}

/* The entry of the service that the kernel named in its refusal: the place ends in "of default/web:http". */
static struct entry *find_refused(struct program *program, const struct kserv_nl_error *words)
{
	const char *of = strstr(words->place, " of ");
	struct entry *entry;
	char *name;

	if (!of)
		return NULL;
	name = kserv_must_strdup(of + 4);
	name[strcspn(name, ":")] = '\0';
	entry = kserv_model_find(program->model, name);
	free(name);
	return entry;
}

static bool is_of(const struct kserv_service *service, const struct entry *entry)
{
	size_t len = strlen(entry->name);

	return !strncmp(service->name, entry->name, len) && (!service->name[len] || service->name[len] == ':');
}

/* What is left out stays in the kernel as it is there, also if a daemon before us made it. */
static void adopt(struct program *program, struct entry *entry)
{
	struct kserv_tables tables;
	size_t i;

	if (kserv_dump(program->nl, KSERV_DUMP_SERVICES, NULL, &tables, NULL))
		return;
	kserv_services_free(entry->held, entry->n_held);
	entry->held = NULL;
	entry->n_held = 0;
	for (i = 0; i < tables.n_services; i++) {
		if (!is_of(&tables.services[i], entry))
			continue;
		entry->held = kserv_must_grow(entry->held, entry->n_held, sizeof(*entry->held));
		entry->held[entry->n_held++] = tables.services[i];
		tables.services[i] = (struct kserv_service){ 0 };
	}
	kserv_tables_clear(&tables);
}

/* One bad service must not keep all others from the kernel: true if it is left out now and the rest can be tried. */
static bool leave_out(struct program *program, int error, const struct kserv_nl_error *words)
{
	struct entry *entry;

	if (program->is_strict)
		return false;
	if (error != -EINVAL && error != -ERANGE && error != -E2BIG && error != -EEXIST && error != -ENOSPC)
		return false;
	entry = find_refused(program, words);
	if (!entry || entry->refused)
		return false;
	entry->refused = kserv_must_strdup(words->text);
	if (!program->is_known)
		adopt(program, entry);
	program->report(program->context, entry, "KservRefused", words->text);
	return true;
}

static int plan_routes(const struct program *program, const struct kserv_here *here, struct kserv_tables *tables)
{
	const struct kserv_cluster *cluster = &program->model->cluster;

	return kserv_plan_routes(here, cluster->nodes, cluster->n_nodes, &tables->routes, &tables->n_routes, NULL);
}

static void keep_routes(struct program *program, struct kserv_tables *tables)
{
	free(program->routes);
	program->routes = tables->routes;
	program->n_routes = tables->n_routes;
	tables->routes = NULL;
	tables->n_routes = 0;
}

static int send_change(struct program *program, const struct batch *batch, const struct kserv_tables *routes,
		       struct kserv_nl_error *words)
{
	struct kserv_tables before = { .generation = program->generation }, after = { 0 };
	int error;

	before.services = join(batch, false, &before.n_services);
	after.services = join(batch, true, &after.n_services);
	if (program->model->nodes_changed) {
		before.routes = program->routes;
		before.n_routes = program->n_routes;
		after.routes = routes->routes;
		after.n_routes = routes->n_routes;
	}
	error = kserv_sync_change(program->nl, &before, &after, &program->last, words);
	free(before.services);
	free(after.services);
	return error;
}

static int run_change(struct program *program, const struct kserv_here *here, struct kserv_nl_error *words)
{
	struct kserv_tables routes = { 0 };
	struct batch batch = { 0 };
	int error = 0;

	if (program->model->nodes_changed)
		error = plan_routes(program, here, &routes);
	plan_dirty(program, here, &batch);
	do {
		error = error ? error : send_change(program, &batch, &routes, words);
	} while (error && leave_out(program, error, words) && !(error = 0));
	if (!error) {
		keep_planned(program, &batch);
		if (program->model->nodes_changed)
			keep_routes(program, &routes);
	}
	free(routes.routes);
	free(batch.v);
	return error;
}

static int send_all(struct program *program, const struct batch *batch, struct kserv_tables *tables,
		    struct kserv_nl_error *words)
{
	int error;

	tables->services = join(batch, true, &tables->n_services);
	error = kserv_sync(program->nl, tables, &program->last, words);
	free(tables->services);
	tables->services = NULL;
	tables->n_services = 0;
	return error;
}

static int run_all(struct program *program, const struct kserv_here *here, struct kserv_nl_error *words)
{
	struct kserv_warnings warnings = { 0 };
	struct kserv_tables tables = { 0 };
	struct batch batch = { 0 };
	struct entry *entry;
	int error;

	kserv_claims_free(program->claims);
	program->claims = kserv_claims_new();
	error = program->claims ? kserv_plan_config(here, &tables.config, &warnings) : -ENOMEM;
	kserv_warnings_clear(&warnings);
	if (!error)
		error = plan_routes(program, here, &tables);
	if (error) {
		kserv_tables_clear(&tables);
		return error;
	}
	for (entry = program->model->entries; entry; entry = entry->hh.next)
		kserv_model_touch(program->model, entry);
	plan_dirty(program, here, &batch);
	do {
		error = send_all(program, &batch, &tables, words);
	} while (error && leave_out(program, error, words));
	if (!error) {
		keep_planned(program, &batch);
		keep_routes(program, &tables);
	}
	kserv_tables_clear(&tables);
	free(batch.v);
	return error;
}

static void count_refused(struct program *program)
{
	struct entry *entry;

	program->n_refused = 0;
	for (entry = program->model->entries; entry; entry = entry->hh.next)
		program->n_refused += entry->refused != NULL;
}

static void close_nl(struct program *program)
{
	kserv_nl_close(program->nl);
	program->nl = NULL;
}

static int run_once(struct program *program, struct kserv_nl_error *words)
{
	struct model *model = program->model;
	struct kserv_here here;
	int error = 0;

	if (!program_nl(program))
		return -errno;
	kserv_here_init(&here, &model->cluster);
	program->last_was_full = !program->is_known || model->all_changed;
	if (!program->last_was_full) {
		error = run_change(program, &here, words);
		/* Somebody else committed, or our picture was wrong: look at the kernel's. */
		program->last_was_full = error != 0;
	}
	if (program->last_was_full)
		error = run_all(program, &here, words);
	if (!error)
		return 0;
	program->is_known = false;
	set_error(program, error, words);
	close_nl(program);
	return error;
}

int program_run(struct program *program)
{
	struct kserv_nl_error words = { 0 };
	bool was_open = program->nl != NULL;
	int error;

	program->last = (struct kserv_sync_result){ 0 };
	error = run_once(program, &words);
	/* The module may have been loaded anew: to a socket of before it is not there. */
	if (error == -ENOENT && was_open)
		error = run_once(program, &words);
	if (error)
		return error;
	program->is_known = true;
	program->generation = program->last.generation;
	program->error[0] = '\0';
	if (program->last_was_full || program->n_refused)
		count_refused(program);
	kserv_model_settled(program->model);
	return 0;
}

bool program_check(struct program *program)
{
	struct kserv_nl_error words = { 0 };
	struct kserv_status status;
	int error;

	if (!program->is_known || !program_nl(program))
		return false;
	error = kserv_dump_status(program->nl, NULL, &status, &words);
	if (!error && status.generation == program->generation)
		return true;
	program->is_known = false;
	if (error)
		close_nl(program);
	return false;
}
