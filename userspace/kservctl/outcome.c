// SPDX-License-Identifier: GPL-2.0
/* How commands reach the kernel, and what they say and return when something goes wrong. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/kservctl.h"
#include "lib/json.h"

const struct command *current_command;
int dry_run;
bool in_batch;

enum exit_code usage_error(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	kserv_log_error("%s; see kservctl %s%s--help", text, current_command ? current_command->words : "",
			current_command ? " " : "");
	return USAGE;
}

void no_memory(void)
{
	kserv_log_error("there is no memory left");
	exit(REFUSED);
}

enum exit_code failed(int error)
{
	if (error == -ENOMEM)
		no_memory();
	kserv_log_error("%s (%s)", strerror(-error), strerrorname_np(-error));
	return REFUSED;
}

enum exit_code refused(int error, const struct kserv_nl_error *words)
{
	const char *name = strerrorname_np(-error);

	if (!words->text[0])
		return failed(error);
	if (words->place[0])
		kserv_log_error("%s (%s), at %s", words->text, name ? name : "unknown error", words->place);
	else
		kserv_log_error("%s (%s)", words->text, name ? name : "unknown error");
	return REFUSED;
}

enum exit_code open_kernel(struct kserv_nl **ret_nl)
{
	struct kserv_nl_error words = { };
	int error = kserv_nl_open(ret_nl, &words);

	if (!error)
		return DONE;
	if (error != -ENOENT)
		return refused(error, &words);
	kserv_log_error("%s", words.text);
	return NO_MODULE;
}

static void print_transaction(const struct kserv_transaction *transaction)
{
	const struct kserv_message *message = &transaction->message;
	cJSON *tree = kserv_json(&kserv_attributes_message, (const void *)(message->data + KSERV_MESSAGE_HEADER),
				 message->len - KSERV_MESSAGE_HEADER);

	if (!tree)
		no_memory();
	if (transaction->replace)
		cJSON_AddTrueToObject(tree, "replace");
	if (transaction->expect)
		cJSON_AddNumberToObject(tree, "generation", transaction->generation);
	print_tree(tree, OUTPUT_JSON);
}

/* The kernel did not take it. @parts of it are in force. */
static enum exit_code transaction_failed(int error, unsigned int parts, const struct kserv_nl_error *words)
{
	if (parts)
		kserv_log_warning("the change was too long for one transaction here, and its first %u are in force", parts);
	if (error != -EMSGSIZE || words->text[0])
		return refused(error, words);
	kserv_log_error("the change is longer than one message may be in the network namespace of an unprivileged user; "
			"raise net.core.wmem_max, or run this in the initial user namespace (EMSGSIZE)");
	return REFUSED;
}

static enum exit_code commit(struct kserv_transaction *transaction)
{
	struct kserv_nl_error words = { };
	unsigned int parts = 0;
	enum exit_code code;
	struct kserv_nl *nl;
	int error;

	code = open_kernel(&nl);
	if (code)
		return code;
	error = kserv_transaction_send(nl, transaction, NULL, &parts, &words);
	kserv_nl_close(nl);
	if (error)
		return transaction_failed(error, parts, &words);
	if (parts > 1)
		kserv_log_note("done in %u transactions, not at once: net.core.wmem_max is too small for one message, and "
			       "only the initial user namespace may exceed it", parts);
	return DONE;
}

enum exit_code send_transaction(struct kserv_transaction *transaction)
{
	enum exit_code code = DONE;

	if (dry_run)
		print_transaction(transaction);
	else
		code = commit(transaction);
	kserv_transaction_clear(transaction);
	return code;
}
