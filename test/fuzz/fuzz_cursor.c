/*
 * fuzz_cursor.c
 *		Page tokens on any bytes: what is taken is exactly what was made for
 *		these filters.  And any position, under any names, comes back, but not
 *		under others.
 */
#include "config.h"
#include "cursor.h"
#include "fuzz.h"
#include "log.h"

/* A key that everybody knows, so that tokens of the corpus can be good. */
static const config settings = {.cursor_key = (char *) "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};

const config *
config_now(void)
{
	return &settings;
}

void
log_line(log_level level, const char *event, const char *format, ...)
{
	(void) level, (void) event, (void) format;
}

static const lc_str filters = {"{\"limit\":[\"2\"]}", 15};

static void
check_read(const char *token)
{
	lc_buf		position,
				again;

	lc_buf_init(&position, &lc_alloc_malloc);
	lc_buf_init(&again, &lc_alloc_malloc);
	if (cursor_read(token, "listEvents", "acme", filters, &position))
	{
		cursor_make(&again, "listEvents", "acme", filters, (lc_str) {position.data, position.len});
		HOLDS(again.len == strlen(token) && memcmp(again.data, token, again.len) == 0);
		HOLDS(!cursor_read(token, "listEvents", "globex", filters, &position));
	}
	else
		HOLDS(position.len == 0);
	lc_buf_free(&position);
	lc_buf_free(&again);
}

static void
check_made(lc_str other_filters, lc_str position)
{
	lc_buf		token,
				back;

	lc_buf_init(&token, &lc_alloc_malloc);
	lc_buf_init(&back, &lc_alloc_malloc);
	cursor_make(&token, "listChains", "acme", other_filters, position);
	HOLDS(token.status == LC_OK);
	HOLDS(cursor_read(token.data, "listChains", "acme", other_filters, &back) == (token.len <= CURSOR_MAX));
	if (token.len <= CURSOR_MAX)
		HOLDS(back.len == position.n && memcmp(back.data != NULL ? back.data : "", position.s, position.n) == 0);
	HOLDS(!cursor_read(token.data, "listChain", "sacme", other_filters, &back));
	HOLDS(!cursor_read(token.data, "listChains", "acme", (lc_str) {"{}x", 3}, &back) ||
		  (other_filters.n == 3 && memcmp(other_filters.s, "{}x", 3) == 0));
	lc_buf_free(&token);
	lc_buf_free(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started = false;
	input		in = {data, size};
	lc_str		some_filters;
	char	   *text = malloc(size + 1);

	HOLDS(started || cursor_start());
	started = true;
	memcpy(text, data, size);
	text[size] = '\0';
	check_read(text);
	free(text);
	some_filters = take_text(&in);
	check_made(some_filters, (lc_str) {(const char *) in.p, in.n});
	return 0;
}
