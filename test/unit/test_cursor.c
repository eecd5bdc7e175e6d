/*
 * test_cursor.c
 *		Page tokens: what was made is read, and nothing else is.
 */
#include "config.h"
#include "cursor.h"
#include "harness.h"
#include "log.h"

#define STR(s) ((lc_str) {(s), sizeof(s) - 1})

static char key_setting[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
static config settings = {.cursor_key = key_setting};

/* What cursor.c asks of the program around it. */
const config *
config_now(void)
{
	return &settings;
}

void
log_line(log_level level, const char *event, const char *format, ...)
{
	(void) level;
	printf("# %s: %s\n", event, format);
}

static const lc_str filters = {"{\"shape\":\"compact\"}", 19};
static const lc_str position = {"{\"sequence\":7}", 14};

static char *
make(const char *name, const char *tenant, lc_str with, lc_str at)
{
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	cursor_make(&out, name, tenant, with, at);
	if (out.status != LC_OK || out.data == NULL)
		abort();
	return out.data;
}

static bool
reads(const char *token, const char *name, const char *tenant, lc_str with)
{
	lc_buf		out;
	bool		good;

	lc_buf_init(&out, &lc_alloc_malloc);
	good = cursor_read(token, name, tenant, with, &out);
	/* Nothing of a refused token may be used. */
	if (!good && out.len > 0)
		abort();
	if (good)
		good = out.len == position.n && memcmp(out.data, position.s, out.len) == 0;
	lc_buf_free(&out);
	return good;
}

static void
test_binding(const char *token)
{
	ok(reads(token, "list", "acme", filters), "a token is read back");
	ok(!reads(token, "other", "acme", filters), "refused: another route");
	ok(!reads(token, "list", "globex", filters), "refused: another tenant");
	ok(!reads(token, "list", "acme", STR("{\"shape\":\"canonical\"}")), "refused: other filters");
	ok(!reads(token, "lis", "tacme", filters), "refused: name and tenant cut elsewhere");
	ok(!reads(token, "list", "acm", STR("e{\"shape\":\"compact\"}")), "refused: tenant and filters cut elsewhere");
}

/* Every single character, replaced by each other one of the alphabet. */
static void
test_changes(char *token)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t		taken = 0;

	for (size_t i = 0; token[i] != '\0'; i++)
	{
		char		was = token[i];

		for (const char *c = alphabet; *c != '\0'; c++)
		{
			token[i] = *c;
			taken += *c != was && reads(token, "list", "acme", filters);
		}
		token[i] = was;
	}
	ok(taken == 0, "refused: every change of one character");
}

static void
test_lengths(const char *token)
{
	size_t		n = strlen(token);
	char	   *text = malloc(CURSOR_MAX + 10);
	size_t		taken = 0;

	if (text == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
	{
		memcpy(text, token, i);
		text[i] = '\0';
		taken += reads(text, "list", "acme", filters);
	}
	ok(taken == 0, "refused: every beginning of a token");
	snprintf(text, CURSOR_MAX, "%s=", token);
	ok(!reads(text, "list", "acme", filters), "refused: padding");
	snprintf(text, CURSOR_MAX, "%s\n", token);
	ok(!reads(text, "list", "acme", filters), "refused: a newline behind it");
	memset(text, 'A', CURSOR_MAX + 9);
	text[CURSOR_MAX + 9] = '\0';
	ok(!reads(text, "list", "acme", filters), "refused: longer than a token is");
	free(text);
}

static void
test_keys(const char *token)
{
	static char short_key[] = "AAEC";
	static char other[] = "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
	static char none[] = "";
	char	   *random;

	settings.cursor_key = short_key;
	ok(!cursor_start(), "refused: a key that is too short");
	settings.cursor_key = other;
	ok(cursor_start() && !reads(token, "list", "acme", filters), "refused: a token of another key");
	settings.cursor_key = none;
	ok(cursor_start(), "without a key a random one is made");
	random = make("list", "acme", filters, position);
	ok(reads(random, "list", "acme", filters) && cursor_start() && !reads(random, "list", "acme", filters),
	   "and another at the next start");
	free(random);
}

int
main(void)
{
	char		hash[65];
	char	   *token;

	ok(cursor_start(), "a key of 32 bytes is taken");
	token = make("list", "acme", filters, position);
	test_binding(token);
	test_changes(token);
	test_lengths(token);
	test_keys(token);
	free(token);
	cursor_filters_hash(STR("{}"), hash);
	ok(strcmp(hash, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a") == 0, "SHA-256 of the filters");
	return done();
}
