// SPDX-License-Identifier: GPL-2.0
/* Two texts as a unified diff. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "kservctl/desired.h"

#define CONTEXT		3
/* Texts whose lines multiply to more are shown as all removed and all added. */
#define CELLS_MAX	(16UL << 20)

struct lines {
	const char **v;
	size_t *len;
	size_t n;
};

/* One line of the answer: ' ', '-' or '+'. */
struct edit {
	char sign;
	const char *line;
	size_t len;
};

static void cut(const char *text, struct lines *ret)
{
	const char *s;

	*ret = (struct lines){ 0 };
	for (s = text; *s; s += ret->len[ret->n - 1], s += *s == '\n') {
		ret->v = kserv_must_grow(ret->v, ret->n, sizeof(*ret->v));
		ret->len = kserv_must_grow(ret->len, ret->n, sizeof(*ret->len));
		ret->v[ret->n] = s;
		ret->len[ret->n++] = strcspn(s, "\n");
	}
}

static bool same(const struct lines *a, size_t i, const struct lines *b, size_t j)
{
	return a->len[i] == b->len[j] && !memcmp(a->v[i], b->v[j], a->len[i]);
}

/* Cell [i][j]: how many lines the rests from i and j on have in common. */
static unsigned int *common_lengths(const struct lines *a, const struct lines *b)
{
	size_t width = b->n + 1, i, j;
	unsigned int *cells = kserv_must_alloc((a->n + 1) * width * sizeof(*cells));

	for (i = a->n; i-- > 0;)
		for (j = b->n; j-- > 0;)
			cells[i * width + j] = same(a, i, b, j) ? cells[(i + 1) * width + j + 1] + 1 :
				cells[(i + 1) * width + j] > cells[i * width + j + 1] ? cells[(i + 1) * width + j] :
				cells[i * width + j + 1];
	return cells;
}

static size_t make_edits(const struct lines *a, const struct lines *b, struct edit *edits)
{
	unsigned int *cells = (a->n + 1) * (b->n + 1) <= CELLS_MAX ? common_lengths(a, b) : NULL;
	size_t width = b->n + 1, i = 0, j = 0, n = 0;

	while (i < a->n || j < b->n) {
		if (cells && i < a->n && j < b->n && same(a, i, b, j)) {
			edits[n++] = (struct edit){ ' ', a->v[i], a->len[i] };
			i++;
			j++;
		} else if (j == b->n ||
			   (i < a->n && (!cells || cells[(i + 1) * width + j] >= cells[i * width + j + 1]))) {
			edits[n++] = (struct edit){ '-', a->v[i], a->len[i] };
			i++;
		} else {
			edits[n++] = (struct edit){ '+', b->v[j], b->len[j] };
			j++;
		}
	}
	free(cells);
	return n;
}

static size_t count(const struct edit *edits, size_t from, size_t to, char other)
{
	size_t n = 0;

	for (; from < to; from++)
		n += edits[from].sign != other;
	return n;
}

/* The end of the hunk that begins at the change @from: no further change within twice the context. */
static size_t hunk_end(const struct edit *edits, size_t n, size_t from)
{
	size_t last = from, i;

	for (i = from; i < n && i <= last + 2 * CONTEXT; i++)
		if (edits[i].sign != ' ')
			last = i;
	return last + 1 + CONTEXT < n ? last + 1 + CONTEXT : n;
}

static void print_hunk(const struct edit *edits, size_t from, size_t to)
{
	size_t old_n = count(edits, from, to, '+'), new_n = count(edits, from, to, '-'), i;

	printf("@@ -%zu,%zu +%zu,%zu @@\n", count(edits, 0, from, '+') + (old_n > 0), old_n,
	       count(edits, 0, from, '-') + (new_n > 0), new_n);
	for (i = from; i < to; i++)
		printf("%c%.*s\n", edits[i].sign, (int)edits[i].len, edits[i].line);
}

bool print_diff(const char *name, const char *before, const char *after)
{
	struct lines a, b;
	struct edit *edits;
	size_t n, i, end;

	if (!strcmp(before, after))
		return false;
	cut(before, &a);
	cut(after, &b);
	edits = kserv_must_alloc((a.n + b.n) * sizeof(*edits));
	n = make_edits(&a, &b, edits);
	printf("--- %s (stored)\n+++ %s (given)\n", name, name);
	for (i = 0; i < n; i++) {
		if (edits[i].sign == ' ')
			continue;
		end = hunk_end(edits, n, i);
		print_hunk(edits, i > CONTEXT ? i - CONTEXT : 0, end);
		i = end - 1;
	}
	free(edits);
	free(a.v);
	free(a.len);
	free(b.v);
	free(b.len);
	return true;
}
