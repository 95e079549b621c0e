// SPDX-License-Identifier: GPL-2.0
/* Aligned tables on stdout, and the options about output. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/kservctl.h"

bool no_headers;

static char *format_text;
static int no_headers_option;

struct poptOption output_options[] = {
	{ "output", 'o', POPT_ARG_STRING, &format_text, 0, "how to print: json, yaml or wide", "FORMAT" },
	{ "no-headers", '\0', POPT_ARG_NONE, &no_headers_option, 0, "leave out the line of headings", NULL },
	POPT_TABLEEND
};

bool output_format(unsigned int allowed, enum output_format *ret_format)
{
	static const char *const names[] = { "table", "wide", "json", "yaml", "name" };
	unsigned int i;

	no_headers = no_headers_option;
	*ret_format = OUTPUT_TABLE;
	if (!format_text)
		return true;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (allowed & 1U << i && !strcmp(format_text, names[i])) {
			*ret_format = i;
			return true;
		}
	}
	/* Where there is no more to be seen, the table is all of it. */
	if (!strcmp(format_text, "wide"))
		return true;
	usage_error("-o %s: there is no such format here", format_text);
	return false;
}

struct column {
	char heading[24];
	int width;
	bool is_text;		/* some cell is neither a number nor "-" */
	bool is_number;		/* some cell is a number */
};

struct table {
	struct column columns[16];
	unsigned int n_columns;
	char **rows;
	size_t n, room;
};

struct table *table_new(const char *headings)
{
	struct table *table = calloc(1, sizeof(*table));
	unsigned int n = 0;

	if (!table)
		no_memory();
	while (n < sizeof(table->columns) / sizeof(table->columns[0])) {
		size_t len = strcspn(headings, "\t");

		snprintf(table->columns[n].heading, sizeof(table->columns[n].heading), "%.*s", (int)len, headings);
		table->columns[n].width = no_headers ? 0 : len;
		n++;
		if (!headings[len])
			break;
		headings += len + 1;
	}
	table->n_columns = n;
	return table;
}

static void measure(struct table *table, const char *row)
{
	unsigned int i;

	for (i = 0; i < table->n_columns; i++) {
		size_t len = strcspn(row, "\t");
		struct column *column = &table->columns[i];

		if ((int)len > column->width)
			column->width = len;
		if (!column->width)
			column->width = 1;
		if (strspn(row, "0123456789") == len && len)
			column->is_number = true;
		else if (len > 1 || (len && *row != '-'))
			column->is_text = true;
		row += len + (row[len] == '\t');
	}
}

void table_row(struct table *table, const char *format, ...)
{
	va_list args;
	char *row;
	int len;

	va_start(args, format);
	len = vasprintf(&row, format, args);
	va_end(args);
	if (table->n == table->room) {
		table->room = table->room ? table->room * 2 : 64;
		table->rows = realloc(table->rows, table->room * sizeof(*table->rows));
	}
	if (len < 0 || !table->rows)
		no_memory();
	table->rows[table->n++] = row;
	measure(table, row);
}

static void print_cell(const struct table *table, unsigned int i, const char *text, int len)
{
	const struct column *column = &table->columns[i];

	if (column->is_number && !column->is_text)
		printf("%*s%.*s", column->width - len, "", len, text);
	else if (i + 1 < table->n_columns)
		printf("%.*s%*s", len, text, column->width - len, "");
	else
		printf("%.*s", len, text);
	fputs(i + 1 < table->n_columns ? "  " : "\n", stdout);
}

void table_print(struct table *table)
{
	unsigned int i;
	size_t n;

	for (i = 0; i < table->n_columns && !no_headers; i++)
		print_cell(table, i, table->columns[i].heading, strlen(table->columns[i].heading));
	for (n = 0; n < table->n; n++) {
		const char *row = table->rows[n];

		for (i = 0; i < table->n_columns; i++) {
			int len = strcspn(row, "\t");

			print_cell(table, i, len ? row : "-", len ? len : 1);
			row += len + (row[len] == '\t');
		}
		free(table->rows[n]);
	}
	free(table->rows);
	free(table);
}
