// SPDX-License-Identifier: GPL-2.0
/* Manifests from the paths given to -f. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cluster/file.h"
#include "cluster/memory.h"
#include "kservctl/desired.h"

static int refuse_path(const char *path, int error, struct kserv_errors *errors)
{
	errors->source = path;
	kserv_errors_add(errors, 0, 0, "", "cannot be read: %s", strerror(-error));
	return error;
}

static struct kserv_control_file *files;
static size_t n_files;

static void keep(const char *source, const struct kserv_text *text)
{
	struct kserv_control_file *file;

	files = kserv_must_grow(files, n_files, sizeof(*files));
	file = &files[n_files++];
	file->source = kserv_must_strdup(source);
	file->text = kserv_must_strdup(text->s ? text->s : "");
	file->len = text->len;
}

const struct kserv_control_file *files_read(size_t *ret_n)
{
	*ret_n = n_files;
	return files;
}

static int read_file(const char *path, struct kserv_manifests *manifests, struct kserv_errors *errors)
{
	const char *source = strcmp(path, "-") ? path : "stdin";
	struct kserv_text text = { 0 };
	int error = kserv_file_read(path, &text);

	if (error) {
		refuse_path(path, error, errors);
	} else {
		error = kserv_manifests_read(manifests, source, text.s ? text.s : "", text.len, errors);
		if (daemon_socket())
			keep(source, &text);
	}
	kserv_text_clear(&text);
	return error;
}

static bool is_manifest(const char *name)
{
	static const char *const endings[] = { ".yaml", ".yml", ".json" };
	size_t len = strlen(name), i;

	for (i = 0; i < sizeof(endings) / sizeof(*endings); i++)
		if (len > strlen(endings[i]) && !strcmp(name + len - strlen(endings[i]), endings[i]))
			return true;
	return false;
}

static int read_folder(const char *path, bool recursive, struct kserv_manifests *manifests, struct kserv_errors *errors)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort), i, error = 0, result;
	struct stat status;
	char *name;

	if (n < 0)
		return refuse_path(path, -errno, errors);
	for (i = 0; i < n; i++) {
		name = kserv_must_printf("%s/%s", path, entries[i]->d_name);
		result = 0;
		if (entries[i]->d_name[0] == '.' || stat(name, &status))
			result = 0;
		else if (S_ISDIR(status.st_mode) && recursive)
			result = read_folder(name, true, manifests, errors);
		else if (!S_ISDIR(status.st_mode) && is_manifest(name))
			result = read_file(name, manifests, errors);
		error = result ? result : error;
		free(name);
		free(entries[i]);
	}
	free(entries);
	return error;
}

int read_files(const char *const *paths, bool recursive, struct kserv_manifests *manifests, struct kserv_errors *errors)
{
	int error = 0, result;
	struct stat status;

	for (; *paths; paths++) {
		if (strcmp(*paths, "-") && !stat(*paths, &status) && S_ISDIR(status.st_mode))
			result = read_folder(*paths, recursive, manifests, errors);
		else
			result = read_file(*paths, manifests, errors);
		error = result ? result : error;
	}
	return error;
}
