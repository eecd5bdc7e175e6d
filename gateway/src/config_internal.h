/*
 * config_internal.h
 *		What the files of config_*.c share: the table of settings, and the
 *		texts that were given for them, with where each came from.
 */
#ifndef GATEWAY_CONFIG_INTERNAL_H
#define GATEWAY_CONFIG_INTERNAL_H

#include <stddef.h>

#include "config.h"
#include "lc_buf.h"

#define CONFIG_PREFIX "LEDGER__"

typedef enum config_type
{
	CONFIG_TEXT,				/* char * */
	CONFIG_FILE,				/* char *: a path; what it names must be readable */
	CONFIG_BOOL,				/* bool: true or false */
	CONFIG_NUMBER,				/* int64_t */
	CONFIG_MILLISECONDS,		/* int64_t, written as a span of time (span.h) */
	CONFIG_SECONDS,				/* likewise */
	CONFIG_LISTEN,				/* char *: addresses (listen.h), written anew in one form */
	CONFIG_CONNECTION,			/* char *: a connection string (connstring.h), written anew for libpq */
	CONFIG_LEVEL,				/* char *: debug, info, warn, error */
	CONFIG_CHILD,				/* no field: handed to ledgerctl as it is */
	CONFIG_CHILD_SPAN			/* the same, but a span of time */
} config_type;

/* One setting.  name has sections separated by "__", upper case. */
typedef struct config_key
{
	const char *name;
	config_type type;
	size_t		field;			/* offset in config */
	const char *initial;		/* what holds when nothing is given */
	int64_t		min, max;		/* of numbers and spans */
	bool		secret;
	bool		reload;			/* SIGHUP changes it */
	const char *help;			/* one sentence or two; the reference page shows it */
} config_key;

extern const config_key config_keys[];
extern const size_t config_keys_count;
#define CONFIG_MAX_KEYS 128

/* What was given for a key. */
typedef struct config_text
{
	char	   *text;			/* NULL: nothing */
	char	   *source;			/* the variable or member that gave it, for messages */
	int			rank;			/* CONFIG_RANK_…: the greater wins */
	bool		unread;			/* something is there that could not be read: nothing can be compared with it */
} config_text;

enum
{
	CONFIG_RANK_FILE = 1,
	CONFIG_RANK_ALIAS,			/* ASPNETCORE_URLS */
	CONFIG_RANK_ENVIRONMENT
};

typedef struct config_texts
{
	config_text of[CONFIG_MAX_KEYS];
	lc_buf		errors;			/* lines */
	size_t		errors_count;
	lc_buf		notes;			/* lines: what is allowed, and hardly meant */
	bool		file_has_secret;	/* in the settings file itself */
} config_texts;

extern void config_error(config_texts *t, const char *format, ...)
			__attribute__((format(printf, 2, 3)));
extern void config_note(config_texts *t, const char *format, ...)
			__attribute__((format(printf, 2, 3)));

/*
 * Takes a name without the prefix, of any case, possibly with _FILE behind it.
 * Errors, the unknown name among them, are noted in t.  source is copied.
 */
extern void config_take(config_texts *t, const char *name, const char *value, int rank, const char *source);
extern void config_texts_free(config_texts *t);

/* config_names.c: the row of that name, any case; NULL: none.  And the error that there is none. */
extern const config_key *config_find(const char *name, size_t n);
extern void config_unknown(config_texts *t, const char *name, const char *source);

/* config_env.c, config_file.c: everything that is given there. */
extern void config_read_environment(config_texts *t);
extern void config_read_file(config_texts *t, const char *path);

/* A whole small file, without the newlines at its end; NULL after an error. */
extern char *config_slurp(config_texts *t, const char *path, const char *source, size_t max, size_t *n);

/* Notes a file that holds a secret and that others than the gateway can read. */
extern void config_check_private(config_texts *t, const char *path, const char *source);

/* config_value.c: the text into the field of c.  False after an error. */
extern bool config_convert(config_texts *t, const config_key *k, const char *text, const char *source, config *c);

/* config_check.c: what does not go together, of the settings that could be read. */
extern void config_check(config_texts *t, const config *c);

#endif
