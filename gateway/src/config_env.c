/*
 * config_env.c
 *		Settings from the environment, and which names there are.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "config_internal.h"

extern char **environ;

#define MAX_NAME 96
#define MAX_SECRET_FILE (64 * 1024)

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

const config_key *
config_nearest(const char *name)
{
	const config_key *nearest = &config_keys[0];
	size_t		least = SIZE_MAX;

	for (size_t i = 0; i < config_keys_count; i++)
	{
		size_t		d = distance(name, config_keys[i].name);

		if (d < least)
		{
			least = d;
			nearest = &config_keys[i];
		}
	}
	return nearest;
}

char *
config_slurp(config_texts *t, const char *path, const char *source, size_t max, size_t *n)
{
	int			fd = open(path, O_RDONLY | O_CLOEXEC);
	char	   *text = malloc(max + 1);
	ssize_t		got = 0;

	*n = 0;
	while (fd >= 0 && text != NULL && *n <= max && (got = read(fd, text + *n, max + 1 - *n)) > 0)
		*n += (size_t) got;
	if (fd < 0 || got < 0)
		config_error(t, "%s: the file %s: %s", source, path, strerror(errno));
	else if (text == NULL)
		config_error(t, "%s: out of memory", source);
	else if (*n > max)
		config_error(t, "%s: the file %s is longer than %zu bytes", source, path, max);
	if (fd >= 0)
		close(fd);
	if (fd < 0 || got < 0 || text == NULL || *n > max)
	{
		free(text);
		return NULL;
	}
	while (*n > 0 && (text[*n - 1] == '\n' || text[*n - 1] == '\r'))
		(*n)--;
	text[*n] = '\0';
	return text;
}

static void
keep(config_texts *t, const config_key *k, char *text, int rank, const char *source)
{
	config_text *to = &t->of[k - config_keys];

	if (to->text != NULL && to->rank == rank)
		config_error(t, "%s and %s are both set", to->source, source);
	if (to->text != NULL && to->rank >= rank)
	{
		free(text);
		return;
	}
	free(to->text);
	free(to->source);
	*to = (config_text) {text, strdup(source), rank, to->unread};
	if (to->source == NULL || text == NULL)
		config_error(t, "%s: out of memory", source);
}

void
config_take(config_texts *t, const char *name, const char *value, int rank, const char *source)
{
	size_t		n = strlen(name),
				length;
	const config_key *k = config_find(name, n);
	char	   *text;

	/* Like Compose, which sets what it was told nothing about to the empty string. */
	if (value[0] == '\0' && k != NULL)
		return;
	if (k != NULL)
		keep(t, k, strdup(value), rank, source);
	else if (n > 5 && strcasecmp(name + n - 5, "_FILE") == 0 && (k = config_find(name, n - 5)) != NULL)
	{
		if (value[0] == '\0')
			return;
		text = config_slurp(t, value, source, MAX_SECRET_FILE, &length);
		if (text != NULL && strlen(text) == length)
		{
			keep(t, k, text, rank, source);
			return;
		}
		t->of[k - config_keys].unread = true;
		if (text != NULL)
		{
			config_error(t, "%s: the file %s contains a NUL byte", source, value);
			free(text);
		}
	}
	else
		config_error(t, "%s: there is no such setting; the nearest is " CONFIG_PREFIX "%s", source,
					 config_nearest(name)->name);
}

void
config_read_environment(config_texts *t)
{
	const char *urls = getenv("ASPNETCORE_URLS");
	const size_t prefix = sizeof(CONFIG_PREFIX) - 1;

	if (urls != NULL && urls[0] != '\0')
		config_take(t, "HTTP__LISTEN", urls, CONFIG_RANK_ALIAS, "ASPNETCORE_URLS");
	for (char **e = environ; *e != NULL; e++)
	{
		char		source[sizeof(CONFIG_PREFIX) + MAX_NAME * 2];
		size_t		n = strcspn(*e, "=");

		if (strncasecmp(*e, CONFIG_PREFIX, prefix) != 0 || (*e)[n] == '\0')
			continue;
		if (n >= sizeof(source))
		{
			config_error(t, "%.60s…: there is no setting with so long a name", *e);
			continue;
		}
		memcpy(source, *e, n);
		source[n] = '\0';
		config_take(t, source + prefix, *e + n + 1, CONFIG_RANK_ENVIRONMENT, source);
	}
}
