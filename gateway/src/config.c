/*
 * config.c
 *		Settings: read, merged, checked, replaced by SIGHUP.
 *
 * What is read is a new object; once it is whole and good, config_now() gives
 * it.  The old one stays reachable behind it, for who still reads it.
 */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_internal.h"
#include "log.h"
#include "span.h"
#include "wipe.h"

#define DEFAULT_FILE "/app/appsettings.json"
#define DEFAULT_INTERVAL_MS (15 * 60 * 1000)	/* ledger.anchor_window */
#define MASK "********"

/* One reading of the settings. */
typedef struct reading
{
	config		values;			/* first: config_now() gives its address */
	config_texts texts;
	char	   *environment[CONFIG_MAX_KEYS + 32];
	struct reading *previous;
} reading;

static _Atomic(reading *) current;
static const char *settings_file;

/* What every program needs, and libpq, where the connection string leaves something out. */
static const char *const handed_on[] = {
	"PATH", "HOME", "TZ", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE",
	"PGSERVICEFILE", "PGSSLMODE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGCONNECT_TIMEOUT"
};

const config *
config_now(void)
{
	return &atomic_load_explicit(&current, memory_order_acquire)->values;
}

char *const *
config_child_environment(void)
{
	return atomic_load_explicit(&current, memory_order_acquire)->environment;
}

static void
put_line(lc_buf *lines, const char *format, va_list args)
{
	char		line[1024];

	vsnprintf(line, sizeof(line), format, args);
	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char) *p < 0x20 || *p == 0x7f)
			*p = ' ';
	lc_buf_puts(lines, line);
	lc_buf_putc(lines, '\n');
}

void
config_error(config_texts *t, const char *format, ...)
{
	va_list		args;

	va_start(args, format);
	put_line(&t->errors, format, args);
	va_end(args);
	t->errors_count++;
}

void
config_note(config_texts *t, const char *format, ...)
{
	va_list		args;

	va_start(args, format);
	put_line(&t->notes, format, args);
	va_end(args);
}

static bool
is_child(const config_key *k)
{
	return k->type == CONFIG_CHILD || k->type == CONFIG_CHILD_SPAN;
}

/* What holds: given, or else the default. */
static const char *
effective(const reading *r, const config_key *k)
{
	const char *given = r->texts.of[k - config_keys].text;

	return given != NULL ? given : k->initial;
}

/* At a reload, a setting that only a start can change stays as it was. */
static void
hold_fixed(reading *new, const reading *old)
{
	for (size_t i = 0; i < config_keys_count; i++)
	{
		const config_key *k = &config_keys[i];
		const config_text *before = &old->texts.of[i];
		config_text *now = &new->texts.of[i];

		if (k->reload || strcmp(effective(new, k), effective(old, k)) == 0)
			continue;
		log_line(LOG_WARN, "config.kept", CONFIG_PREFIX "%s was changed; that takes a restart", k->name);
		wipe_free(now->text);
		free(now->source);
		now->text = before->text != NULL ? strdup(before->text) : NULL;
		now->source = before->source != NULL ? strdup(before->source) : NULL;
		if (before->text != NULL && (now->text == NULL || now->source == NULL))
			config_error(&new->texts, "%s: out of memory", k->name);
	}
}

static void
convert_all(reading *r)
{
	for (size_t i = 0; i < config_keys_count; i++)
	{
		const config_key *k = &config_keys[i];
		config_text *given = &r->texts.of[i];
		const char *source = given->source != NULL ? given->source : k->name;

		if (!config_convert(&r->texts, k, effective(r, k), source, &r->values))
			given->unread = true;
	}
}

/* For "late": how old an event may become before it is anchored. */
static void
find_interval(reading *r)
{
	static const char *const names[] = {"MERKLE__ANCHORINTERVAL", "MERKLE__WINDOWDURATION"};
	uint64_t	milliseconds;

	r->values.merkle_interval_ms = DEFAULT_INTERVAL_MS;
	for (size_t i = 0; i < 2; i++)
	{
		const char *text = effective(r, config_find(names[i], strlen(names[i])));

		/* An interval of 0 is "never": then the window counts. */
		if (span_parse(text, &milliseconds) && milliseconds > 0)
		{
			r->values.merkle_interval_ms = (int64_t) milliseconds;
			return;
		}
	}
}

static void
put_variable(reading *r, size_t *n, const char *prefix, const char *name, const char *value)
{
	size_t		size = strlen(prefix) + strlen(name) + strlen(value) + 2;
	char	   *variable = malloc(size);

	if (variable == NULL)
	{
		config_error(&r->texts, "out of memory");
		return;
	}
	snprintf(variable, size, "%s%s=%s", prefix, name, value);
	r->environment[(*n)++] = variable;
}

static void
make_environment(reading *r)
{
	size_t		n = 0;

	for (size_t i = 0; i < sizeof(handed_on) / sizeof(handed_on[0]); i++)
		if (getenv(handed_on[i]) != NULL)
			put_variable(r, &n, "", handed_on[i], getenv(handed_on[i]));
	for (size_t i = 0; i < config_keys_count; i++)
	{
		const config_key *k = &config_keys[i];

		if ((is_child(k) || strcmp(k->name, "DB__CONNECTIONSTRING") == 0) && effective(r, k)[0] != '\0')
			put_variable(r, &n, CONFIG_PREFIX, k->name, effective(r, k));
	}
	r->environment[n] = NULL;
}

/* Of a reading that nobody ever saw. */
static void
reading_free(reading *r)
{
	for (size_t i = 0; i < config_keys_count; i++)
	{
		const config_key *k = &config_keys[i];

		wipe_free(r->texts.of[i].text);
		free(r->texts.of[i].source);
		if (k->type == CONFIG_TEXT || k->type == CONFIG_FILE || k->type == CONFIG_LISTEN ||
			k->type == CONFIG_CONNECTION || k->type == CONFIG_LEVEL)
			wipe_free(*(char **) ((char *) &r->values + k->field));
	}
	for (size_t i = 0; r->environment[i] != NULL; i++)
		wipe_free(r->environment[i]);
	lc_buf_free(&r->texts.errors);
	lc_buf_free(&r->texts.notes);
	free(r);
}

static reading *
read_all(const reading *old)
{
	reading    *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	lc_buf_init(&r->texts.errors, &lc_alloc_malloc);
	lc_buf_init(&r->texts.notes, &lc_alloc_malloc);
	if (settings_file != NULL || access(DEFAULT_FILE, F_OK) == 0)
		config_read_file(&r->texts, settings_file != NULL ? settings_file : DEFAULT_FILE);
	config_read_environment(&r->texts);
	if (old != NULL)
		hold_fixed(r, old);
	convert_all(r);
	config_check(&r->texts, &r->values);
	find_interval(r);
	make_environment(r);
	return r;
}

/* Each error on a line of its own, to standard error, and at a reload to the log. */
static void
tell_errors(reading *r, bool logged)
{
	char	   *line = r->texts.errors.data;

	while (line != NULL && *line != '\0')
	{
		size_t		n = strcspn(line, "\n");

		fprintf(stderr, "ledger-gateway: %.*s\n", (int) n, line);
		if (logged)
			log_line(LOG_ERROR, "config.wrong", "%.*s", (int) n, line);
		line += n + (line[n] == '\n' ? 1 : 0);
	}
}

static bool
replace(const reading *old)
{
	reading    *r = read_all(old);

	if (r == NULL)
	{
		fprintf(stderr, "ledger-gateway: out of memory\n");
		return false;
	}
	if (r->texts.errors_count > 0)
	{
		tell_errors(r, old != NULL);
		reading_free(r);
		return false;
	}
	r->previous = atomic_load(&current);
	atomic_store_explicit(&current, r, memory_order_release);
	return true;
}

bool
config_load(const char *file)
{
	settings_file = file;
	return replace(NULL);
}

bool
config_reload(void)
{
	return replace(atomic_load(&current));
}

const char *
config_notes(void)
{
	const lc_buf *notes = &atomic_load(&current)->texts.notes;

	return notes->data != NULL ? notes->data : "";
}

void
config_print(void)
{
	const reading *r = atomic_load(&current);

	for (size_t i = 0; i < config_keys_count; i++)
	{
		const config_key *k = &config_keys[i];
		const config_text *given = &r->texts.of[i];
		const char *text = effective(r, k);

		printf(CONFIG_PREFIX "%s=%s", k->name, k->secret && text[0] != '\0' ? MASK : text);
		printf("  # %s\n", given->source != NULL ? given->source : "default");
	}
}
