/*
 * config_names.c
 *		Which names of settings there are, and what is said of another one.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "config_internal.h"

#define MAX_NAME 96

/* A slip or two of the fingers; what is further away was not meant. */
#define MAX_SLIPS(length) ((length) < 9 ? (length) / 3 : 3)

const config_key *
config_find(const char *name, size_t n)
{
	for (size_t i = 0; i < config_keys_count; i++)
		if (strlen(config_keys[i].name) == n && strncasecmp(config_keys[i].name, name, n) == 0)
			return &config_keys[i];
	return NULL;
}

/* Levenshtein's distance, row by row; longer names are cut. */
static size_t
distance(const char *a, const char *b)
{
	size_t		row[MAX_NAME + 1],
				n = strnlen(b, MAX_NAME);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0' && i < MAX_NAME; i++)
	{
		size_t		diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 1; j <= n; j++)
		{
			size_t		best = diagonal + (toupper((unsigned char) a[i]) != toupper((unsigned char) b[j - 1]));

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

static const config_key *
nearest(const char *name)
{
	const config_key *found = NULL;
	size_t		least = MAX_SLIPS(strlen(name)) + 1;

	for (size_t i = 0; i < config_keys_count; i++)
	{
		size_t		d = distance(name, config_keys[i].name);

		if (d < least)
		{
			least = d;
			found = &config_keys[i];
		}
	}
	return found;
}

static bool
in_section(const config_key *k, const char *section, size_t n)
{
	return n > 0 && strncasecmp(k->name, section, n) == 0 && strncmp(k->name + n, "__", 2) == 0;
}

/* The names that begin so and go on with "__", or all sections; the table has a section's rows together. */
static void
list_names(lc_buf *out, const char *section, size_t section_length)
{
	for (size_t i = 0; i < config_keys_count; i++)
	{
		const config_key *k = &config_keys[i];
		size_t		n = strcspn(k->name, "_");

		if (section_length > 0 ? !in_section(k, section, section_length) :
			i > 0 && in_section(&config_keys[i - 1], k->name, n))
			continue;
		lc_buf_puts(out, out->len > 0 ? ", " : "");
		lc_buf_append(out, k->name, section_length > 0 ? strlen(k->name) : n);
	}
	lc_buf_putc(out, '\0');
}

void
config_unknown(config_texts *t, const char *name, const char *source)
{
	const config_key *k = nearest(name);
	const char *end = strstr(name, "__");
	size_t		section = end != NULL ? (size_t) (end - name) : strlen(name);
	lc_buf		names;

	if (k != NULL)
	{
		config_error(t, "%s: there is no such setting; the nearest is " CONFIG_PREFIX "%s", source, k->name);
		return;
	}
	lc_buf_init(&names, &lc_alloc_malloc);
	list_names(&names, name, section);
	if (names.len > 1)
		config_error(t, "%s: there is no such setting; in that section there are %s", source, names.data);
	else
	{
		lc_buf_reset(&names);
		list_names(&names, "", 0);
		config_error(t, "%s: there is no such setting, and no such section; there are %s", source,
					 names.data != NULL ? names.data : "");
	}
	lc_buf_free(&names);
}
