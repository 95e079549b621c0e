/* SPDX-License-Identifier: GPL-2.0 */
/* What a program says about itself on stderr: one sentence a line, with the program (and what it is doing) in front. */
#ifndef KSERV_LOG_H
#define KSERV_LOG_H

/**
 * kserv_log_prefix() - what every line begins with, as "kservctl: service set"
 * @prefix: kept by reference; the program's name until a command is known
 */
void kserv_log_prefix(const char *prefix);

__attribute__((format(printf, 1, 2))) void kserv_log_error(const char *format, ...);
/* As kserv_log_error() with "warning: " in front of the sentence. */
__attribute__((format(printf, 1, 2))) void kserv_log_warning(const char *format, ...);
/* As kserv_log_error() with "note: ": nothing is wrong, but it should be known. */
__attribute__((format(printf, 1, 2))) void kserv_log_note(const char *format, ...);

/**
 * kserv_log_trouble() - a warning when trouble begins or becomes another one, a note when it is over, nothing meanwhile
 * @part: whose trouble it is, as "BGP"
 * @said: what was said last; NULL at first, freed by the caller in the end
 * @text: allocated, becomes *@said; NULL for all well
 */
void kserv_log_trouble(const char *part, char **said, char *text);

#endif
