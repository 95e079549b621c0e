// SPDX-License-Identifier: GPL-2.0
/* Connections and remembered clients as lines of a file: what is written is read as it was, what is wrong is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kservctl/past.h"

static const char good[] =
	"format 1\n"
	"flow family=ipv4 protocol=tcp client=10.0.0.1 client-port=4242 frontend=10.96.0.1 frontend-port=80 "
	"endpoint=10.244.1.5 endpoint-port=8080 translated-port=4243 service=default/web:http state=closing "
	"flags=masquerade+port-changed expires-ms=86399000 masquerade=192.168.1.1 masquerade-port=1024 fin=from-client "
	"packets-in=3 bytes-in=180 packets-out=2 bytes-out=5000000000\n"
	"flow family=ipv6 protocol=udp client=fd00::1 client-port=53 frontend=fd00:96::1 frontend-port=53 "
	"endpoint=fd00:244::5 endpoint-port=53 translated-port=53 service=kube-system/dns state=new flags=none "
	"expires-ms=30000 isn=4294967295\n"
	"session service=default/web protocol=tcp client=10.0.0.1 endpoint=10.244.1.5 endpoint-port=8080 expires-ms=600\n"
	"session service=default/web protocol=tcp client=fd00::1 endpoint=fd00:244::5 endpoint-port=8080 expires-ms=1\n";

static enum exit_code read_line_of(struct past *past, const char *text)
{
	char *copy = strdup(text), *rest = copy, *word;
	const char *words[64];
	enum exit_code code;
	int n = 0;

	while ((word = strsep(&rest, " ")))
		words[n++] = word;
	words[n] = NULL;
	assert_true(past_is_line(words[0]));
	code = past_read(past, n, words);
	free(copy);
	return code;
}

static void what_is_written_is_read_as_it_was(void **state)
{
	char *copy = strdup(good), *rest = copy, *line, *written = NULL;
	struct past past = { };
	size_t size;
	FILE *file;

	(void)state;
	while ((line = strsep(&rest, "\n")) && *line)
		assert_int_equal(read_line_of(&past, line), DONE);
	assert_int_equal(past.flows.n, 2);
	assert_int_equal(past.sessions.n, 2);
	file = open_memstream(&written, &size);
	past_write(file, &past);
	fclose(file);
	assert_string_equal(written, good);
	free(written);
	free(copy);
	past_clear(&past);
}

static void what_is_wrong_is_refused_and_adds_nothing(void **state)
{
	static const char *const wrong[] = {
		"format 2", "format", "format 1 2", "flow family=ipv5", "flow protocol=icmp", "flow client=10.0.0.300",
		"flow client-port=65536", "flow client-port=-1", "flow client-port=", "flow client-port", "flow state=open",
		"flow flags=masquerade+", "flow flags=1", "flow expires-ms=18446744073709551616", "flow expires-ms=1s",
		"flow isn=4294967296", "flow fin=both", "flow colour=red", "flow =", "flow pad=1", "session state=new",
		"session client=", "session service=0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345678901234567890123456789",
	};
	struct past past = { };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (read_line_of(&past, wrong[i]) == DONE)
			fail_msg("this was read: %s", wrong[i]);
	assert_int_equal(past.flows.n + past.sessions.n, 0);
	past_clear(&past);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_as_it_was),
		cmocka_unit_test(what_is_wrong_is_refused_and_adds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
