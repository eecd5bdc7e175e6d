/*
 * test_cost.c
 *		Nothing in the core is quadratic in its input, whoever wrote it.
 *
 * Each document is one that a naive parser, sort or duplicate check takes
 * minutes for; here it takes less than a second.  The limit is on processor
 * time and generous, so that a busy machine fails no test.
 */
#include <sys/resource.h>
#include <time.h>

#include "harness.h"
#include "lc_jcs.h"
#include "lc_jsonparse.h"
#include "lc_number.h"
#include "lc_utf8.h"

#define SECONDS 15

static lc_buf text;
static lc_buf out;

static void
repeat(const char *s, size_t count)
{
	while (count-- > 0)
		lc_buf_puts(&text, s);
}

static void
begin(const char *s)
{
	lc_buf_reset(&text);
	lc_buf_puts(&text, s);
}

/* Canonicalise what was built. */
static void
takes_little(lc_status want, const char *name)
{
	clock_t		start = clock();
	double		seconds;
	lc_json_error err;
	lc_status	status;

	lc_buf_reset(&out);
	status = lc_json_canonicalize(text.data, text.len, &out, &lc_alloc_malloc, &err);
	seconds = (double) (clock() - start) / CLOCKS_PER_SEC;
	printf("# %zu bytes in %.2f s\n", text.len, seconds);
	if (!ok(status == want && seconds < SECONDS, "%s", name))
		printf("#   %s at %zu\n", lc_status_text(status), err.offset);
}

static void
test_names(void)
{
	char		piece[64];
	int			i;

	begin("{");
	for (i = 300000; i > 0; i--)
	{
		snprintf(piece, sizeof(piece), "\"k%d\":0,", i);
		lc_buf_puts(&text, piece);
	}
	lc_buf_puts(&text, "\"\":0}");
	takes_little(LC_OK, "300,000 names in descending order");
	text.data[text.len - 1] = ',';
	lc_buf_puts(&text, "\"k7\":0}");
	takes_little(LC_ERR_DUPLICATE, "and one of them twice");

	begin("{");
	for (i = 3000; i > 0; i--)
	{
		lc_buf_putc(&text, '"');
		repeat("long and common ", 100);
		snprintf(piece, sizeof(piece), "%d\":0,", i);
		lc_buf_puts(&text, piece);
	}
	lc_buf_puts(&text, "\"\":0}");
	takes_little(LC_OK, "long names with a long beginning in common");
}

static void
test_disorder(void)
{
	int			i;

	/* Sorting each level in place would move the innermost text a thousand times. */
	begin("");
	for (i = 0; i < LC_JCS_MAX_DEPTH; i++)
		lc_buf_puts(&text, "{\"b\":0,\"a\":");
	lc_buf_putc(&text, '"');
	repeat("0123456789abcdef", 2000000);
	lc_buf_putc(&text, '"');
	repeat("}", LC_JCS_MAX_DEPTH);
	takes_little(LC_OK, "disorder around a long string, a thousand levels deep");

	begin("[0");
	repeat(",{\"b\":0,\"a\":1}", 300000);
	lc_buf_puts(&text, "]");
	takes_little(LC_OK, "300,000 objects in disorder");
}

static void
test_strings(void)
{
	begin("\"");
	repeat("\\n\\u00e9", 1000000);
	lc_buf_puts(&text, "\"");
	takes_little(LC_OK, "one string, two million escapes");

	begin("[\"\"");
	repeat(",\"\\n\"", 1000000);
	lc_buf_puts(&text, "]");
	takes_little(LC_OK, "a million strings with an escape each");

	begin("[\"\"");
	repeat(",\"\\n\"", 1000000);
	lc_buf_puts(&text, ",\"\\n");
	takes_little(LC_ERR_SYNTAX, "and an unclosed one behind them");

	begin("\"");
	repeat("\xf0\x9f\x98\x80", 5000000);
	lc_buf_puts(&text, "\"");
	takes_little(LC_OK, "twenty million bytes beyond ASCII");
}

static void
test_numbers(void)
{
	begin("[1");
	repeat("0", 10000000);
	lc_buf_puts(&text, "]");
	takes_little(LC_ERR_NUMBER, "a number of ten million digits");

	begin("[0.");
	repeat("0", 10000000);
	lc_buf_puts(&text, "1e10000001]");
	takes_little(LC_OK, "one that its exponent makes short");

	begin("[0");
	repeat(",2.2250738585072014e-308", 100000);
	lc_buf_puts(&text, "]");
	takes_little(LC_OK, "100,000 numbers that need all their digits");
}

static void
test_faults(void)
{
	int			i;

	/* The path of the fault has a thousand long names, of which 255 bytes are wanted. */
	begin("");
	for (i = 0; i < LC_JCS_MAX_DEPTH; i++)
	{
		lc_buf_puts(&text, "{\"");
		repeat("long name ", 1000);
		lc_buf_puts(&text, "\":");
	}
	lc_buf_puts(&text, "?");
	takes_little(LC_ERR_SYNTAX, "a fault below a thousand long names");

	begin("");
	repeat("\n", 10000000);
	takes_little(LC_ERR_SYNTAX, "ten million empty lines");
	begin("");
	repeat("[", 10000000);
	takes_little(LC_ERR_DEPTH, "ten million levels");
}

int
main(void)
{
	/* A quadratic core would run for hours: let the system end it. */
	struct rlimit limit = {20 * SECONDS, 20 * SECONDS};

	setrlimit(RLIMIT_CPU, &limit);
	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_init(&out, &lc_alloc_malloc);
	test_names();
	test_disorder();
	test_strings();
	test_numbers();
	test_faults();
	lc_buf_free(&text);
	lc_buf_free(&out);
	return done();
}
