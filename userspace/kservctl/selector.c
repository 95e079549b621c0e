// SPDX-License-Identifier: GPL-2.0
/* Label selectors: a, !a, a=b, a==b, a!=b, a in (b,c), a notin (b,c), with commas in between. */
#include <stdlib.h>
#include <string.h>
#include "cluster/format.h"
#include "cluster/memory.h"
#include "kservctl/desired.h"

/* True if the label's presence and value agree: see is_met(). */
struct requirement {
	char *key;
	char **values;			/* none: only whether the label is there counts */
	size_t n_values;
	bool negated;
};

struct selector {
	struct requirement *v;
	size_t n;
};

void selector_free(struct selector *selector)
{
	size_t i, j;

	if (!selector)
		return;
	for (i = 0; i < selector->n; i++) {
		for (j = 0; j < selector->v[i].n_values; j++)
			free(selector->v[i].values[j]);
		free(selector->v[i].values);
		free(selector->v[i].key);
	}
	free(selector->v);
	free(selector);
}

/* The next word of the text: a name or value, maybe empty; blanks around it are skipped. */
static char *take_word(const char **s)
{
	const char *from;
	size_t len;
	char *word;

	*s += strspn(*s, " ");
	from = *s;
	len = strcspn(from, " ,=!()");
	word = kserv_must_alloc(len + 1);
	memcpy(word, from, len);
	*s = from + len;
	*s += strspn(*s, " ");
	return word;
}

static bool take(const char **s, const char *token)
{
	if (strncmp(*s, token, strlen(token)))
		return false;
	*s += strlen(token);
	return true;
}

static void add_value(struct requirement *requirement, char *value)
{
	requirement->values = kserv_must_grow(requirement->values, requirement->n_values, sizeof(char *));
	requirement->values[requirement->n_values++] = value;
}

static bool parse_set(const char **s, struct requirement *requirement)
{
	if (!take(s, "("))
		return false;
	do {
		add_value(requirement, take_word(s));
	} while (take(s, ","));
	if (!take(s, ")"))
		return false;
	*s += strspn(*s, " ");
	return true;
}

static bool parse_one(const char **s, struct requirement *requirement)
{
	*s += strspn(*s, " ");
	requirement->negated = take(s, "!");
	requirement->key = take_word(s);
	if (kserv_refuse_qualified_name(requirement->key))
		return false;
	if (!**s || **s == ',')
		return true;
	if (requirement->negated)
		return false;
	if (take(s, "==") || take(s, "=")) {
		add_value(requirement, take_word(s));
		return true;
	}
	requirement->negated = take(s, "!=");
	if (requirement->negated) {
		add_value(requirement, take_word(s));
		return true;
	}
	requirement->negated = take(s, "notin");
	if (!requirement->negated && !take(s, "in"))
		return false;
	*s += strspn(*s, " ");
	return parse_set(s, requirement);
}

struct selector *selector_parse(const char *text)
{
	struct selector *selector = kserv_must_alloc(sizeof(*selector));
	const char *s = text;
	bool right = true;

	while (right) {
		selector->v = kserv_must_grow(selector->v, selector->n, sizeof(*selector->v));
		right = parse_one(&s, &selector->v[selector->n++]);
		if (right && !*s)
			return selector;
		right = right && take(&s, ",");
	}
	usage_error("-l \"%s\": not a label selector such as app=web,tier!=db,env in (a,b),!old", text);
	selector_free(selector);
	return NULL;
}

static bool is_met(const struct requirement *requirement, const struct kserv_value *labels)
{
	const struct kserv_value *label = kserv_value_find(labels, requirement->key);
	bool found = label && !requirement->n_values;
	size_t i;

	for (i = 0; label && !found && i < requirement->n_values; i++)
		found = !strcmp(label->text, requirement->values[i]);
	/* != and notin are also met where there is no such label. */
	return found != requirement->negated;
}

bool selector_matches(const struct selector *selector, const struct kserv_value *object)
{
	const struct kserv_value *labels = kserv_value_get(object, "metadata.labels");
	size_t i;

	for (i = 0; selector && i < selector->n; i++)
		if (!is_met(&selector->v[i], labels))
			return false;
	return true;
}
