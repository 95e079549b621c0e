// SPDX-License-Identifier: GPL-2.0
/* docs/explain.md must know every word that explain and monitor may print; what they print as a whole is tests/e2e's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/file.h"
#include "cluster/memory.h"
#include "lib/attributes.h"

static char *page;

static int read_page(void **state)
{
	struct kserv_text text = { 0 };

	(void)state;
	if (kserv_file_read("docs/explain.md", &text))
		return -1;
	page = kserv_text_take(&text);
	return 0;
}

static int free_page(void **state)
{
	(void)state;
	free(page);
	return 0;
}

static void expect_words(const struct kserv_words *words)
{
	char *quoted;
	size_t i;

	for (i = 0; i < words->n; i++) {
		quoted = kserv_must_printf("`%s`", words->v[i]);
		if (!strstr(page, quoted))
			fail_msg("docs/explain.md does not have the word %s", quoted);
		free(quoted);
	}
}

static void the_page_has_every_word(void **state)
{
	(void)state;
	expect_words(&kserv_words_verdict);
	expect_words(&kserv_words_reason);
	expect_words(&kserv_words_source_type);
	expect_words(&kserv_words_frontend_type);
	expect_words(&kserv_words_event_type);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_has_every_word),
	};

	return cmocka_run_group_tests(tests, read_page, free_page);
}
