/*
 * output.c
 *		Messages, lines and the JSON object of a command.
 *
 * One command runs in a process, so there is one output and it is static here.
 * Whatever is printed was perhaps written by who wants to deceive the reader's
 * terminal: control characters and ill-formed UTF-8 become '?'.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "lc_utf8.h"

#define EXACT_MAX ((uint64_t) 1 << 53)

static struct
{
	bool		json;
	bool		begun;
	lc_buf		text;			/* of the JSON object */
	lc_jcs	   *jcs;
	lc_buf		errors;			/* each ended by a NUL */
	lc_buf		notes;
} output;

/* Length of the sequence at p if a terminal may see it, else 0. */
static size_t
harmless(const char *p, size_t left)
{
	unsigned char c = (unsigned char) *p;
	size_t		n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (c < 0x20 || c == 0x7f || n > left || !lc_utf8_valid(p, n, NULL))
		return 0;
	/* U+0080 … U+009F are control characters too. */
	if (c == 0xc2 && (unsigned char) p[1] < 0xa0)
		return 0;
	return n;
}

static void
put_clean(lc_buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n;)
	{
		size_t		len = harmless(s + i, n - i);

		lc_buf_append(out, len > 0 ? s + i : "?", len > 0 ? len : 1);
		i += len > 0 ? len : 1;
	}
}

static void
put_format(lc_buf *out, const char *format, va_list args)
{
	char		line[4096];
	int			n = vsnprintf(line, sizeof(line), format, args);

	if (n > 0)
		put_clean(out, line, (size_t) n < sizeof(line) ? (size_t) n : sizeof(line) - 1);
}

/* Says it on standard error and keeps it for the JSON object.  Any thread. */
static void
say(lc_buf *list, const char *prefix, const char *format, va_list args)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	size_t		start;

	pthread_mutex_lock(&one_at_a_time);
	start = list->len;
	if (list->alloc == NULL)
		lc_buf_init(list, &cli_alloc);
	put_format(list, format, args);
	lc_buf_putc(list, '\0');
	cli_progress_clear();
	fprintf(stderr, "ledgerctl: %s%s\n", prefix, list->data + start);
	pthread_mutex_unlock(&one_at_a_time);
}

cli_exit
cli_error(cli_exit code, const char *format, ...)
{
	va_list		args;

	va_start(args, format);
	say(&output.errors, "", format, args);
	va_end(args);
	return code;
}

void
cli_note(const char *format, ...)
{
	va_list		args;

	va_start(args, format);
	say(&output.notes, "note: ", format, args);
	va_end(args);
}

void
cli_print(const char *format, ...)
{
	va_list		args;
	lc_buf		line;

	if (output.json)
		return;
	lc_buf_init(&line, &cli_alloc);
	va_start(args, format);
	put_format(&line, format, args);
	va_end(args);
	cli_progress_clear();
	printf("%s\n", line.data != NULL ? line.data : "");
	lc_buf_free(&line);
}

bool
cli_wants_json(void)
{
	return output.json;
}

void
cli_output_begin(const char *command, bool json)
{
	output.json = json;
	output.begun = true;
	lc_buf_init(&output.text, &cli_alloc);
	output.jcs = lc_jcs_new(&output.text, &cli_alloc);
	lc_jcs_begin_object(output.jcs);
	cli_json_text("command", command);
}

static void
put_list(const char *name, const lc_buf *list)
{
	cli_json_list(name);
	for (size_t i = 0; i < list->len; i += strlen(list->data + i) + 1)
		lc_jcs_string(output.jcs, list->data + i, strlen(list->data + i));
	lc_jcs_end_array(output.jcs);
}

void
cli_output_end(cli_exit code)
{
	cli_progress_end();
	put_list("errors", &output.errors);
	put_list("notes", &output.notes);
	cli_json_uint("exitCode", (uint64_t) code);
	lc_jcs_end_object(output.jcs);
	/* Only a mistake in a command can make the writer fail: say so, do not hide it. */
	if (lc_jcs_finish(output.jcs) != LC_OK)
		fprintf(stderr, "ledgerctl: internal error: the answer is no JSON\n");
	else if (output.json)
		printf("%s\n", output.text.data);
	lc_jcs_free(output.jcs);
	lc_buf_free(&output.text);
	lc_buf_free(&output.errors);
	lc_buf_free(&output.notes);
	memset(&output, 0, sizeof(output));
}

lc_jcs *
cli_json(void)
{
	return output.jcs;
}

static void
key(const char *name)
{
	if (name != NULL)
		lc_jcs_key(output.jcs, name, strlen(name));
}

void
cli_json_item(lc_str value)
{
	lc_buf		clean;

	lc_buf_init(&clean, &cli_alloc);
	put_clean(&clean, value.s, value.n);
	lc_jcs_string(output.jcs, clean.data != NULL ? clean.data : "", clean.len);
	lc_buf_free(&clean);
}

void
cli_json_string(const char *name, lc_str value)
{
	key(name);
	cli_json_item(value);
}

void
cli_json_text(const char *name, const char *value)
{
	cli_json_string(name, (lc_str) {value, strlen(value)});
}

void
cli_json_uint(const char *name, uint64_t value)
{
	char		text[24];
	int			n = snprintf(text, sizeof(text), "%llu", (unsigned long long) value);

	key(name);
	if (value < EXACT_MAX)
		lc_jcs_number(output.jcs, text, (size_t) n);
	else
		lc_jcs_string(output.jcs, text, (size_t) n);
}

void
cli_json_bool(const char *name, bool value)
{
	key(name);
	lc_jcs_boolean(output.jcs, value);
}

void
cli_json_hex(const char *name, const uint8_t *bytes, size_t n)
{
	lc_buf		hex;

	lc_buf_init(&hex, &cli_alloc);
	lc_buf_put_hex(&hex, bytes, n);
	cli_json_string(name, (lc_str) {hex.data, hex.len});
	lc_buf_free(&hex);
}

void
cli_json_list(const char *name)
{
	key(name);
	lc_jcs_begin_array(output.jcs);
}

void
cli_json_object(const char *name)
{
	key(name);
	lc_jcs_begin_object(output.jcs);
}
