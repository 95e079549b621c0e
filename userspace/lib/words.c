// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include "lib/attributes.h"

int kserv_word_find(const struct kserv_words *words, const char *word)
{
	unsigned int i;

	for (i = 0; i < words->n; i++)
		if (!strcmp(words->v[i], word))
			return i;
	return -1;
}

void kserv_words_write(FILE *file, const struct kserv_words *words, uint64_t flags)
{
	const char *plus = "";
	unsigned int i;

	if (!flags)
		fputs("none", file);
	for (i = 0; i < words->n; i++) {
		if (!(flags & 1ULL << i))
			continue;
		fprintf(file, "%s%s", plus, words->v[i]);
		plus = "+";
	}
}
