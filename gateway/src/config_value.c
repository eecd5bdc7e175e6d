/*
 * config_value.c
 *		The text of a setting into its field.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "config_internal.h"
#include "connstring.h"
#include "listen.h"
#include "span.h"
#include "wipe.h"

/* A secret is not repeated, not even a wrong one. */
static bool
wrong(config_texts *t, const config_key *k, const char *text, const char *source, const char *wanted)
{
	if (k->secret)
		config_error(t, "%s must be %s", source, wanted);
	else
		config_error(t, "%s must be %s, not \"%.200s\"", source, wanted, text);
	return false;
}

static bool
convert_bool(config_texts *t, const config_key *k, const char *text, const char *source, bool *out)
{
	*out = strcasecmp(text, "true") == 0;
	return *out || strcasecmp(text, "false") == 0 || wrong(t, k, text, source, "true or false");
}

static bool
convert_number(config_texts *t, const config_key *k, const char *text, const char *source, int64_t *out)
{
	size_t		n = strspn(text, "0123456789");

	if (n == 0 || n > 15 || text[n] != '\0')
		return wrong(t, k, text, source, "a whole number");
	*out = strtoll(text, NULL, 10);
	if (*out >= k->min && *out <= k->max)
		return true;
	config_error(t, "%s must be from %" PRId64 " to %" PRId64 ", not %s", source, k->min, k->max, text);
	return false;
}

static bool
convert_span(config_texts *t, const config_key *k, const char *text, const char *source, int64_t *out)
{
	uint64_t	milliseconds;
	int64_t		unit = k->type == CONFIG_MILLISECONDS ? 1 : 1000;

	if (!span_parse(text, &milliseconds))
		return wrong(t, k, text, source, SPAN_FORMS);
	if (milliseconds % (uint64_t) unit != 0)
		return wrong(t, k, text, source, "a time in whole seconds");
	*out = (int64_t) milliseconds / unit;
	if (k->type == CONFIG_SECONDS ? *out >= k->min && *out <= k->max :
		(int64_t) milliseconds >= k->min && (int64_t) milliseconds <= k->max)
		return true;
	config_error(t, "%s must be from %" PRId64 " to %" PRId64 " %s, not \"%s\"", source, k->min, k->max,
				 k->type == CONFIG_SECONDS ? "seconds" : "milliseconds", text);
	return false;
}

static bool
copy(config_texts *t, const char *text, const char *source, char **out)
{
	*out = strdup(text);
	if (*out == NULL)
		config_error(t, "%s: out of memory", source);
	return *out != NULL;
}

static bool
convert_listen(config_texts *t, const char *text, const char *source, char **out)
{
	listen_address a;
	lc_buf		list;
	fault		f;
	bool		good = true;

	lc_buf_init(&list, &lc_alloc_malloc);
	while (listen_next(&text, &a, &f))
	{
		lc_buf_puts(&list, list.len > 0 ? ";" : "");
		listen_format(&list, &a);
	}
	if (f.text[0] != '\0')
	{
		config_error(t, "%s: %s", source, f.text);
		good = false;
	}
	good = good && copy(t, list.data != NULL ? list.data : "", source, out);
	lc_buf_free(&list);
	return good;
}

/* libpq's own messages quote what they do not understand, which may be the password. */
static bool
check_libpq(config_texts *t, const char *text, const char *source)
{
	static const char unknown[] = "invalid connection option ";
	char	   *message = NULL;
	PQconninfoOption *options = PQconninfoParse(text, &message);
	bool		good = options != NULL;

	if (!good && message != NULL && strncmp(message, unknown, sizeof(unknown) - 1) == 0)
		config_error(t, "%s: there is no keyword %s", source, message + sizeof(unknown) - 1);
	else if (!good)
		config_error(t, "%s is no connection string: neither a URI, nor keywords of libpq, nor Host=…;Username=…",
					 source);
	PQconninfoFree(options);
	PQfreemem(message);
	return good;
}

static bool
convert_connection(config_texts *t, const char *text, const char *source, char **out)
{
	lc_buf		libpq,
				ignored;
	fault		f;
	bool		good;

	lc_buf_init(&libpq, &wiping_alloc);
	lc_buf_init(&ignored, &lc_alloc_malloc);
	good = connstring_libpq(text, &libpq, &ignored, &f);
	if (!good)
		config_error(t, "%s: %s", source, f.text);
	good = good && check_libpq(t, libpq.data != NULL ? libpq.data : "", source) &&
		copy(t, libpq.data != NULL ? libpq.data : "", source, out);
	if (good && ignored.len > 0 && ignored.status == LC_OK)
		config_note(t, "%s: has no effect here: %s", source, ignored.data);
	lc_buf_free(&libpq);
	lc_buf_free(&ignored);
	return good;
}

static bool
convert_level(config_texts *t, const config_key *k, const char *text, const char *source, char **out)
{
	static const char *const levels[] = {"debug", "info", "warn", "error"};

	for (size_t i = 0; i < 4; i++)
		if (strcasecmp(text, levels[i]) == 0)
			return copy(t, levels[i], source, out);
	return wrong(t, k, text, source, "debug, info, warn or error");
}

bool
config_convert(config_texts *t, const config_key *k, const char *text, const char *source, config *c)
{
	void	   *field = (char *) c + k->field;
	int64_t		milliseconds;

	switch (k->type)
	{
		case CONFIG_TEXT:
			return copy(t, text, source, field);
		case CONFIG_FILE:
			if (text[0] != '\0' && access(text, R_OK) != 0)
			{
				config_error(t, "%s: the file %s: %s", source, text, strerror(errno));
				return false;
			}
			return copy(t, text, source, field);
		case CONFIG_BOOL:
			return convert_bool(t, k, text, source, field);
		case CONFIG_NUMBER:
			return convert_number(t, k, text, source, field);
		case CONFIG_MILLISECONDS:
		case CONFIG_SECONDS:
			return convert_span(t, k, text, source, field);
		case CONFIG_LISTEN:
			return convert_listen(t, text, source, field);
		case CONFIG_CONNECTION:
			return convert_connection(t, text, source, field);
		case CONFIG_LEVEL:
			return convert_level(t, k, text, source, field);
		case CONFIG_CHILD:
			return true;
		case CONFIG_CHILD_SPAN:
			return text[0] == '\0' || convert_span(t, k, text, source, &milliseconds);
	}
	return false;
}
