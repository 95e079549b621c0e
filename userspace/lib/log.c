// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/log.h"

static const char *log_prefix = "kserv";

void kserv_log_prefix(const char *prefix)
{
	log_prefix = prefix;
}

static void say(const char *kind, const char *format, va_list args)
{
	/* Output before the complaint, also when both go to one file. */
	fflush(stdout);
	flockfile(stderr);
	fprintf(stderr, "%s: %s", log_prefix, kind);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	funlockfile(stderr);
}

void kserv_log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", format, args);
	va_end(args);
}

void kserv_log_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("warning: ", format, args);
	va_end(args);
}

void kserv_log_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("note: ", format, args);
	va_end(args);
}

void kserv_log_trouble(const char *part, char **said, char *text)
{
	if (text && (!*said || strcmp(*said, text)))
		kserv_log_warning("%s: %s", part, text);
	else if (!text && *said)
		kserv_log_note("%s: all is well again", part);
	free(*said);
	*said = text;
}
