// SPDX-License-Identifier: GPL-2.0
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
