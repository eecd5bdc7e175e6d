/*
 * config_env.c
 *		Settings from the environment, and from the files that it names.
 *
 * What is not kept of them is wiped: it may be a secret.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_internal.h"
#include "wipe.h"

extern char **environ;

#define MAX_NAME 96
#define MAX_SECRET_FILE (64 * 1024)

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
		wipe_free(text);
		return NULL;
	}
	while (*n > 0 && (text[*n - 1] == '\n' || text[*n - 1] == '\r'))
		(*n)--;
	text[*n] = '\0';
	return text;
}

/*
 * As libpq judges its key files: the owner alone, or root's with the group of
 * who needs it.  Secrets that an orchestrator mounts are often open to all;
 * so it is told, and nothing is refused.
 */
void
config_check_private(config_texts *t, const char *path, const char *source)
{
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	if ((st.st_mode & (st.st_uid == 0 ? S_IRWXO : S_IRWXG | S_IRWXO)) != 0)
		config_note(t, "%s: others can read %s, which holds a secret (mode %04o): chmod 600 it", source, path,
					(unsigned) (st.st_mode & 07777));
}

static void
keep(config_texts *t, const config_key *k, char *text, int rank, const char *source)
{
	config_text *to = &t->of[k - config_keys];

	if (to->text != NULL && to->rank == rank)
		config_error(t, "%s and %s are both set", to->source, source);
	/* Images of .NET set the alias by themselves, so it is no mistake; but somebody may wonder. */
	if (to->text != NULL && to->rank == CONFIG_RANK_ALIAS && rank > to->rank && strcmp(to->text, text) != 0)
		config_note(t, "%s has no effect here: %s says otherwise, and goes before it", to->source, source);
	if (to->text != NULL && to->rank >= rank)
	{
		wipe_free(text);
		return;
	}
	wipe_free(to->text);
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
	{
		t->file_has_secret |= k->secret && rank == CONFIG_RANK_FILE;
		keep(t, k, strdup(value), rank, source);
	}
	else if (n > 5 && strcasecmp(name + n - 5, "_FILE") == 0 && (k = config_find(name, n - 5)) != NULL)
	{
		if (value[0] == '\0')
			return;
		text = config_slurp(t, value, source, MAX_SECRET_FILE, &length);
		if (text != NULL && strlen(text) == length)
		{
			if (k->secret)
				config_check_private(t, value, source);
			keep(t, k, text, rank, source);
			return;
		}
		t->of[k - config_keys].unread = true;
		if (text != NULL)
		{
			config_error(t, "%s: the file %s contains a NUL byte", source, value);
			wipe_free(text);
		}
	}
	else
		config_unknown(t, name, source);
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
