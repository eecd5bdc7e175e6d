/*
 * test_jsonparse.c
 *		lc_jsonparse, lc_jsonstring: what the strict parser reports, what it
 *		refuses, and where it says the fault is.
 */
#include "harness.h"
#include "lc_jcs.h"
#include "lc_jsonparse.h"

/* ---- a handler that writes down what it is told ---- */

static lc_buf trace;

static lc_status
told(const char *what, const char *s, size_t n)
{
	lc_buf_puts(&trace, what);
	lc_buf_append(&trace, s, n);
	lc_buf_putc(&trace, ' ');
	return LC_OK;
}

static lc_status
on_begin_object(void *arg)
{
	(void) arg;
	return told("{", "", 0);
}

static lc_status
on_key(void *arg, const char *s, size_t n)
{
	(void) arg;
	return told("k:", s, n);
}

static lc_status
on_end_object(void *arg)
{
	(void) arg;
	return told("}", "", 0);
}

static lc_status
on_begin_array(void *arg)
{
	(void) arg;
	return told("[", "", 0);
}

static lc_status
on_end_array(void *arg)
{
	(void) arg;
	return told("]", "", 0);
}

static lc_status
on_string(void *arg, const char *s, size_t n)
{
	(void) arg;
	return told("s:", s, n);
}

static lc_status
on_number(void *arg, const char *text, size_t n)
{
	(void) arg;
	return told("n:", text, n);
}

static lc_status
on_boolean(void *arg, bool value)
{
	(void) arg;
	return told(value ? "true" : "false", "", 0);
}

static lc_status
on_null(void *arg)
{
	(void) arg;
	return told("null", "", 0);
}

static const lc_json_handler tracer = {
	on_begin_object, on_key, on_end_object, on_begin_array, on_end_array,
	on_string, on_number, on_boolean, on_null, NULL, NULL
};

/*
 * Parse an exact copy of the bytes, so that a look behind its end is seen.
 */
static lc_status
parse_copy(const char *text, size_t n, size_t max_depth, const lc_json_handler *handler,
		   lc_json_error *err)
{
	char	   *copy = malloc(n > 0 ? n : 1);
	lc_status	status;

	if (copy == NULL)
		abort();
	memcpy(copy, text, n);
	lc_buf_reset(&trace);
	status = lc_json_parse(copy, n, max_depth, handler, &lc_alloc_malloc, err);
	free(copy);
	return status;
}

static void
traces(const char *text, const char *want)
{
	lc_json_error err;

	if (parse_copy(text, strlen(text), 0, &tracer, &err) != LC_OK)
		printf("#   %s at %zu\n", lc_status_text(err.status), err.offset);
	is_text(&trace, want, text);
}

static void
refuses_n(const char *text, size_t n, lc_status want, size_t offset, const char *path,
		  const char *name)
{
	lc_json_error err;
	lc_status	status = parse_copy(text, n, 0, &tracer, &err);

	if (!ok(status == want && err.status == want && err.offset == offset &&
			strcmp(err.path, path) == 0, "%s: %s", name, lc_status_text(want)))
		printf("#   got \"%s\" at %zu, %s; expected at %zu, %s\n",
			   lc_status_text(status), err.offset, err.path, offset, path);
	is_status(parse_copy(text, n, 0, &tracer, NULL), want, "the same without a place to report");
}

#define REFUSES(literal, want, offset, path) \
	refuses_n(literal, sizeof(literal) - 1, want, offset, path, #literal)

static void
test_values(void)
{
	traces("null", "null ");
	traces(" \t\r\ntrue \n", "true ");
	traces("false", "false ");
	traces("0", "n:0 ");
	traces("-0.10e+05", "n:-0.10e+05 ");
	traces("1E400", "n:1E400 ");
	traces("\"\"", "s: ");
	traces("[]", "[ ] ");
	traces("{}", "{ } ");
	traces("[ [ ] , { } , 1 , \"a\" ]", "[ [ ] { } n:1 s:a ] ");
	traces("{\"a\":1,\"b\":{\"a\":[2]}}", "{ k:a n:1 k:b { k:a [ n:2 ] } } ");
	traces("{ \"b\" : 1 , \"a\" : 2 }", "{ k:b n:1 k:a n:2 } ");
	traces("{\"a\":1,\"\":2,\"\\u0061\\u0062\":3}", "{ k:a n:1 k: n:2 k:ab n:3 } ");
}

static void
test_strings(void)
{
	traces("\"plain / ~\x7f\"", "s:plain / ~\x7f ");
	traces("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "s:\"\\/\b\f\n\r\t ");
	traces("\"\\u0041\\u00e9\\u00E9\\u20AC\\ufffF\"", "s:A\xc3\xa9\xc3\xa9\xe2\x82\xac\xef\xbf\xbf ");
	traces("\"\\u0001\\u007f\\u0080\\u07ff\\u0800\"", "s:\x01\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80 ");
	traces("\"x\\uD83D\\uDE00y\"", "s:x\xf0\x9f\x98\x80y ");
	traces("\"\\ud800\\udc00\\uDBFF\\uDFFF\"", "s:\xf0\x90\x80\x80\xf4\x8f\xbf\xbf ");
	traces("\"\xc3\xa9\\n\xf0\x9f\x98\x80\"", "s:\xc3\xa9\n\xf0\x9f\x98\x80 ");
	traces("\"\xef\xbb\xbf\"", "s:\xef\xbb\xbf ");
}

static void
test_syntax(void)
{
	REFUSES("", LC_ERR_SYNTAX, 0, "$");
	REFUSES("  \n ", LC_ERR_SYNTAX, 4, "$");
	REFUSES("nul", LC_ERR_SYNTAX, 0, "$");
	REFUSES("nulL", LC_ERR_SYNTAX, 0, "$");
	REFUSES("True", LC_ERR_SYNTAX, 0, "$");
	REFUSES("'a'", LC_ERR_SYNTAX, 0, "$");
	REFUSES("[1,]", LC_ERR_SYNTAX, 3, "$[1]");
	REFUSES("[,1]", LC_ERR_SYNTAX, 1, "$[0]");
	REFUSES("[1 2]", LC_ERR_SYNTAX, 3, "$[0]");
	REFUSES("[1", LC_ERR_SYNTAX, 2, "$[0]");
	REFUSES("[", LC_ERR_SYNTAX, 1, "$[0]");
	REFUSES("]", LC_ERR_SYNTAX, 0, "$");
	REFUSES("[1}", LC_ERR_SYNTAX, 2, "$[0]");
	REFUSES("{", LC_ERR_SYNTAX, 1, "$");
	REFUSES("{]", LC_ERR_SYNTAX, 1, "$");
	REFUSES("{\"a\"}", LC_ERR_SYNTAX, 4, "$.a");
	REFUSES("{\"a\":}", LC_ERR_SYNTAX, 5, "$.a");
	REFUSES("{\"a\" 1}", LC_ERR_SYNTAX, 5, "$.a");
	REFUSES("{\"a\":1,}", LC_ERR_SYNTAX, 7, "$");
	REFUSES("{,}", LC_ERR_SYNTAX, 1, "$");
	REFUSES("{a:1}", LC_ERR_SYNTAX, 1, "$");
	REFUSES("{1:2}", LC_ERR_SYNTAX, 1, "$");
	REFUSES("{\"a\":1", LC_ERR_SYNTAX, 6, "$.a");
	REFUSES("{\"a\":1]", LC_ERR_SYNTAX, 6, "$.a");
	REFUSES("[1,/* no */2]", LC_ERR_SYNTAX, 3, "$[1]");
	REFUSES("[\xc2\xa0""1]", LC_ERR_SYNTAX, 1, "$[0]");
	REFUSES("[\f1]", LC_ERR_SYNTAX, 1, "$[0]");
	REFUSES("\xef\xbb\xbf{}", LC_ERR_SYNTAX, 0, "$");
	REFUSES("\xff\xfe{\0}\0", LC_ERR_SYNTAX, 0, "$");
	REFUSES("{}\0", LC_ERR_TRAILING, 2, "$");
	REFUSES("1 2", LC_ERR_TRAILING, 2, "$");
	REFUSES("[] x", LC_ERR_TRAILING, 3, "$");
	REFUSES("{}{}", LC_ERR_TRAILING, 2, "$");
	REFUSES("1]", LC_ERR_TRAILING, 1, "$");
}

static void
test_number_syntax(void)
{
	REFUSES("-", LC_ERR_SYNTAX, 1, "$");
	REFUSES("+1", LC_ERR_SYNTAX, 0, "$");
	REFUSES(".5", LC_ERR_SYNTAX, 0, "$");
	REFUSES("1.", LC_ERR_SYNTAX, 2, "$");
	REFUSES("1.e1", LC_ERR_SYNTAX, 2, "$");
	REFUSES("1e", LC_ERR_SYNTAX, 2, "$");
	REFUSES("1e+", LC_ERR_SYNTAX, 3, "$");
	REFUSES("[-a]", LC_ERR_SYNTAX, 2, "$[0]");
	REFUSES("[01]", LC_ERR_SYNTAX, 2, "$[0]");
	REFUSES("[-01]", LC_ERR_SYNTAX, 3, "$[0]");
	REFUSES("[0x1]", LC_ERR_SYNTAX, 2, "$[0]");
	REFUSES("[1_0]", LC_ERR_SYNTAX, 2, "$[0]");
	REFUSES("01", LC_ERR_TRAILING, 1, "$");
	REFUSES("[NaN]", LC_ERR_SYNTAX, 1, "$[0]");
	REFUSES("[-Infinity]", LC_ERR_SYNTAX, 2, "$[0]");
}

static void
test_string_faults(void)
{
	REFUSES("\"", LC_ERR_SYNTAX, 1, "$");
	REFUSES("\"abc", LC_ERR_SYNTAX, 4, "$");
	REFUSES("\"abc\\", LC_ERR_SYNTAX, 5, "$");
	REFUSES("\"abc\\\"", LC_ERR_SYNTAX, 6, "$");
	REFUSES("[\"a\nb\"]", LC_ERR_SYNTAX, 3, "$[0]");
	REFUSES("\"a\x1f\"", LC_ERR_SYNTAX, 2, "$");
	REFUSES("\"\\n\t\"", LC_ERR_SYNTAX, 3, "$");
	REFUSES("\"\\x41\"", LC_ERR_SYNTAX, 1, "$");
	REFUSES("\"\\'\"", LC_ERR_SYNTAX, 1, "$");
	REFUSES("\"\\\0\"", LC_ERR_SYNTAX, 1, "$");
	REFUSES("\"ab\\u\"", LC_ERR_SYNTAX, 3, "$");
	REFUSES("\"ab\\u12\"", LC_ERR_SYNTAX, 3, "$");
	REFUSES("\"ab\\u12", LC_ERR_SYNTAX, 3, "$");
	REFUSES("\"ab\\u12g4\"", LC_ERR_SYNTAX, 3, "$");
	REFUSES("\"\\U00e9\"", LC_ERR_SYNTAX, 1, "$");
	REFUSES("\"a\\u0000\"", LC_ERR_NUL, 2, "$");
	REFUSES("\"a\0\"", LC_ERR_NUL, 2, "$");
	REFUSES("{\"a\":{\"\\u0000\":1}}", LC_ERR_NUL, 7, "$.a");
	REFUSES("\"\\ud83d\"", LC_ERR_SURROGATE, 1, "$");
	REFUSES("\"\\ud83d", LC_ERR_SURROGATE, 1, "$");
	REFUSES("\"\\ud83dx\\ude00\"", LC_ERR_SURROGATE, 1, "$");
	REFUSES("\"\\ud83d\\n\"", LC_ERR_SURROGATE, 1, "$");
	REFUSES("\"x\\ude00\"", LC_ERR_SURROGATE, 2, "$");
	REFUSES("\"\\ud83d\\ud83d\"", LC_ERR_SURROGATE, 1, "$");
	REFUSES("\"\\ud83d\\u0041\"", LC_ERR_SURROGATE, 1, "$");
	REFUSES("\"\\ud83d\\udz00\"", LC_ERR_SYNTAX, 7, "$");
	REFUSES("\"\\ud83d\\u", LC_ERR_SYNTAX, 7, "$");
	REFUSES("{\"\\udfff\":1}", LC_ERR_SURROGATE, 2, "$");
}

static void
test_utf8_faults(void)
{
	REFUSES("\"ab\xff\"", LC_ERR_UTF8, 3, "$");
	REFUSES("\"\xc3\"", LC_ERR_UTF8, 1, "$");
	REFUSES("\"\xc3\\u00a9\"", LC_ERR_UTF8, 1, "$");
	REFUSES("\"\\n\xa9\"", LC_ERR_UTF8, 3, "$");
	REFUSES("\"\xc0\xaf\"", LC_ERR_UTF8, 1, "$");
	REFUSES("\"\xed\xa0\xbd\xed\xb8\x80\"", LC_ERR_UTF8, 1, "$");
	REFUSES("\"\xf4\x90\x80\x80\"", LC_ERR_UTF8, 1, "$");
	REFUSES("[1,{\"a\":[\"x\",\"\xe2\x82\"]}]", LC_ERR_UTF8, 14, "$[1].a[1]");
	REFUSES("{\"\x80\":1}", LC_ERR_UTF8, 2, "$");
}

static void
test_duplicates(void)
{
	REFUSES("{\"a\":1,\"a\":1}", LC_ERR_DUPLICATE, 7, "$.a");
	REFUSES("{\"a\":1,\"\\u0061\":2}", LC_ERR_DUPLICATE, 7, "$.a");
	REFUSES("{\"\":1,\"\":2}", LC_ERR_DUPLICATE, 6, "$[\"\"]");
	REFUSES("{\"b\":1,\"a\":2,\"c\":3,\"b\":4}", LC_ERR_DUPLICATE, 19, "$.b");
	REFUSES("[{\"b\":{\"x\":0,\"x\":1}}]", LC_ERR_DUPLICATE, 13, "$[0].b.x");
	/* More names than are compared pair by pair; the first repetition is named. */
	REFUSES("{\"z\":0,\"y\":1,\"x\":2,\"w\":3,\"v\":4,\"u\":5,\"t\":6,\"s\":7,\"y\":8,\"z\":9}",
			LC_ERR_DUPLICATE, 49, "$.y");
	traces("{\"a\":{\"a\":1},\"A\":2,\"b\":{\"a\":3}}", "{ k:a { k:a n:1 } k:A n:2 k:b { k:a n:3 } } ");
	/* é composed and decomposed are two names. */
	traces("{\"\xc3\xa9\":1,\"e\xcc\x81\":2}", "{ k:\xc3\xa9 n:1 k:e\xcc\x81 n:2 } ");
}

static void
test_places(void)
{
	static const char text[] = "{\n  \"risk\": {\n    \"scores\": [1, 2,\r\n\txyz]\n  }\n}";
	lc_json_error err;

	is_status(parse_copy(text, strlen(text), 0, &tracer, &err), LC_ERR_SYNTAX, "a fault in line 4");
	is_int((int64_t) err.line, 4, "its line");
	is_int((int64_t) err.column, 2, "its column");
	is_int((int64_t) err.offset, 37, "its offset");
	ok(strcmp(err.path, "$.risk.scores[2]") == 0, "its path");

	is_status(parse_copy("{}", 2, 0, &tracer, &err), LC_OK, "no fault");
	ok(err.status == LC_OK && err.line == 0 && err.path[0] == '\0', "reports none");
}

/* A path longer than the room for it is cut between characters. */
static void
test_long_path(void)
{
	lc_buf		text;
	lc_json_error err;
	int			shift;
	int			i;
	bool		right = true;

	lc_buf_init(&text, &lc_alloc_malloc);
	for (shift = 0; shift < 4; shift++)
	{
		lc_buf_reset(&text);
		lc_buf_puts(&text, "{\"");
		for (i = 0; i < shift; i++)
			lc_buf_putc(&text, 'a');
		for (i = 0; i < 100; i++)
			lc_buf_puts(&text, "\xf0\x9f\x98\x80");
		lc_buf_puts(&text, "\":{\"x\":?");
		parse_copy(text.data, text.len, 0, &tracer, &err);
		right = right && err.status == LC_ERR_SYNTAX && strlen(err.path) < sizeof(err.path) &&
			strlen(err.path) > sizeof(err.path) - 5 && strncmp(err.path, "$[\"", 3) == 0 &&
			(strlen(err.path) - 3 - (size_t) shift) % 4 == 0;
	}
	ok(right, "a long path is cut between characters");
	lc_buf_free(&text);
}

/* count times s. */
static void
repeat(lc_buf *to, const char *s, size_t count)
{
	while (count-- > 0)
		lc_buf_puts(to, s);
}

static void
test_depth(void)
{
	lc_buf		text;
	lc_json_error err;

	lc_buf_init(&text, &lc_alloc_malloc);
	repeat(&text, "[", LC_JCS_MAX_DEPTH);
	repeat(&text, "]", LC_JCS_MAX_DEPTH);
	is_status(parse_copy(text.data, text.len, 0, &tracer, &err), LC_OK, "a thousand levels");

	lc_buf_reset(&text);
	repeat(&text, "[", 1000000);
	is_status(parse_copy(text.data, text.len, 0, &tracer, &err), LC_ERR_DEPTH, "a million levels");
	is_int((int64_t) err.offset, LC_JCS_MAX_DEPTH, "end at the first too deep");

	lc_buf_reset(&text);
	repeat(&text, "{\"a\":", 1000000);
	is_status(parse_copy(text.data, text.len, 0, &tracer, &err), LC_ERR_DEPTH, "of objects too");
	is_int((int64_t) err.offset, 5 * LC_JCS_MAX_DEPTH, "end at the first too deep");

	is_status(parse_copy("[[]]", 4, 2, &tracer, &err), LC_OK, "a limit of two");
	is_status(parse_copy("[[[]]]", 6, 2, &tracer, &err), LC_ERR_DEPTH, "is kept");
	is_int((int64_t) err.offset, 2, "at its place");
	lc_buf_reset(&text);
	repeat(&text, "[", 5000);
	repeat(&text, "]", 5000);
	is_status(parse_copy(text.data, text.len, 5000, &tracer, &err), LC_OK, "a greater limit too");
	lc_buf_free(&text);
}

static lc_status
refuse_null(void *arg)
{
	(void) arg;
	return LC_ERR_RANGE;
}

static void
test_handlers(void)
{
	static const lc_json_handler none = {0};
	lc_json_handler stops = tracer;
	lc_json_error err;

	is_status(parse_copy("{\"a\":[1,\"\\n\",true,null]}", 24, 0, &none, &err), LC_OK,
			  "no callback at all");
	is_status(parse_copy("{\"a\":1,\"a\":1}", 13, 0, &none, &err), LC_ERR_DUPLICATE,
			  "which leaves the checks in place");

	stops.null = refuse_null;
	is_status(parse_copy("[1,{\"a\": null},2]", 17, 0, &stops, &err), LC_ERR_RANGE,
			  "a callback's status ends the parse");
	is_text(&trace, "[ n:1 { k:a ", "at once");
	is_int((int64_t) err.offset, 9, "at the value");
	ok(strcmp(err.path, "$[1].a") == 0, "with its path");
}

/* Keys and strings keep their bytes until the parse ends. */
typedef struct kept
{
	lc_str		seen[400];
	size_t		n;
	bool		intact;
} kept;

static lc_status
keep_string(void *arg, const char *s, size_t n)
{
	kept	   *k = arg;

	k->seen[k->n].s = s;
	k->seen[k->n++].n = n;
	return LC_OK;
}

static lc_status
look_back(void *arg)
{
	kept	   *k = arg;
	char		want[16];
	size_t		i;

	k->intact = k->n == 400;
	for (i = 0; i < k->n; i++)
	{
		snprintf(want, sizeof(want), "\n%04zu", i);
		k->intact = k->intact && k->seen[i].n >= 5 && memcmp(k->seen[i].s, want, 5) == 0;
	}
	return LC_OK;
}

static void
test_lifetime(void)
{
	kept		k = {.n = 0};
	lc_json_handler keeper = {.key = keep_string, .string = keep_string, .end_array = look_back};
	lc_buf		text;
	char		piece[32];
	int			i;

	lc_buf_init(&text, &lc_alloc_malloc);
	keeper.arg = &k;
	lc_buf_putc(&text, '[');
	for (i = 0; i < 400; i++)
	{
		snprintf(piece, sizeof(piece), "%s\"\\n%04d", i == 0 ? "" : ",", i);
		lc_buf_puts(&text, piece);
		/* Some longer than a chunk of the parser's memory. */
		repeat(&text, "x", i % 50 == 0 ? 5000 : (size_t) i);
		lc_buf_putc(&text, '"');
	}
	lc_buf_putc(&text, ']');
	ok(parse_copy(text.data, text.len, 0, &keeper, NULL) == LC_OK && k.intact,
	   "decoded strings stay where they are");
	lc_buf_free(&text);
}

/* Every beginning of a document is an error at its end, or earlier, never a crash. */
static void
test_prefixes(void)
{
	static const char text[] =
		"{\"a\\u00e9\\ud83d\\ude00\":[-1.5e+3,true,null,{\"\xf0\x9f\x98\x80\":\"\\\\\"}],\"b\":false}";
	size_t		n;
	lc_json_error err;
	bool		right = true;

	for (n = 0; n < strlen(text); n++)
		right = parse_copy(text, n, 0, &tracer, &err) != LC_OK && err.offset <= n && right;
	ok(right, "no beginning of a document passes for one");
	is_status(parse_copy(text, strlen(text), 0, &tracer, &err), LC_OK, "the whole does");
	is_status(lc_json_parse(NULL, 0, 0, &tracer, &lc_alloc_malloc, &err), LC_ERR_SYNTAX,
			  "no bytes may be NULL");
}

int
main(void)
{
	lc_buf_init(&trace, &lc_alloc_malloc);
	test_values();
	test_strings();
	test_syntax();
	test_number_syntax();
	test_string_faults();
	test_utf8_faults();
	test_duplicates();
	test_places();
	test_long_path();
	test_depth();
	test_handlers();
	test_lifetime();
	test_prefixes();
	lc_buf_free(&trace);
	return done();
}
