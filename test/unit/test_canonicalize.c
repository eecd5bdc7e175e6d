/*
 * test_canonicalize.c
 *		lc_canonicalize: parser and writer joined.
 */
#include "harness.h"
#include "lc_jcs.h"
#include "lc_jsonparse.h"

static void
becomes(const char *text, const char *want)
{
	lc_buf		out;
	lc_buf		again;
	lc_json_error err;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_init(&again, &lc_alloc_malloc);
	if (lc_json_canonicalize(text, strlen(text), &out, &lc_alloc_malloc, &err) != LC_OK)
		printf("#   %s at %zu, %s\n", lc_status_text(err.status), err.offset, err.path);
	is_text(&out, want, text);
	lc_json_canonicalize(want, strlen(want), &again, &lc_alloc_malloc, NULL);
	is_text(&again, want, "and that stays as it is");
	lc_buf_free(&out);
	lc_buf_free(&again);
}

static void
refuses_n(const char *text, size_t n, lc_status want, size_t offset, const char *path)
{
	lc_buf		out;
	lc_json_error err;
	lc_status	status;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_puts(&out, "kept");
	status = lc_json_canonicalize(text, n, &out, &lc_alloc_malloc, &err);
	if (!ok(status == want && err.status == want && err.offset == offset &&
			strcmp(err.path, path) == 0, "%s: %s", text, lc_status_text(want)))
		printf("#   got \"%s\" at %zu, %s\n", lc_status_text(status), err.offset, err.path);
	is_text(&out, "kept", "with nothing written");
	is_status(out.status, LC_OK, "and a buffer to go on with");
	lc_buf_free(&out);
}

#define REFUSES(literal, want, offset, path) \
	refuses_n(literal, sizeof(literal) - 1, want, offset, path)

static void
test_results(void)
{
	becomes(" null ", "null");
	becomes("\"\\u0061\\/\\u001F\"", "\"a/\\u001f\"");
	becomes("[ 1.0 , -0 , 1E+2 , 1e21 , 1e-7 ]", "[1,0,100,1e+21,1e-7]");
	becomes("{ \"b\" : { \"d\" : 1 , \"c\" : [ ] } , \"a\" : { } }", "{\"a\":{},\"b\":{\"c\":[],\"d\":1}}");
	becomes("{\"\\ufb33\":1,\"\\ud83d\\ude00\":2,\"\\u20ac\":3,\"1\":4}",
			"{\"1\":4,\"\xe2\x82\xac\":3,\"\xf0\x9f\x98\x80\":2,\"\xef\xac\xb3\":1}");
	/* Escapes in names: the writer borrows what the parser decoded. */
	becomes("{\"\\u0062\":{\"\\u0064\":0,\"\\u0063\":0},\"\\u0061\":0}", "{\"a\":0,\"b\":{\"c\":0,\"d\":0}}");
}

static void
test_refusals(void)
{
	REFUSES("{\"a\":[1,12345678901234567890]}", LC_ERR_NUMBER, 8, "$.a[1]");
	REFUSES("{\"a\":{\"x y\":1e400}}", LC_ERR_NUMBER, 12, "$.a[\"x y\"]");
	REFUSES("{\"b\":1,\"a\":2,\"b\":3}", LC_ERR_DUPLICATE, 13, "$.b");
	REFUSES("[\"\\ud800\"]", LC_ERR_SURROGATE, 2, "$[0]");
	REFUSES("[\"\\u0000\"]", LC_ERR_NUL, 2, "$[0]");
	REFUSES("[\"a\xff\"]", LC_ERR_UTF8, 3, "$[0]");
	REFUSES("[1] x", LC_ERR_TRAILING, 4, "$");
	REFUSES("{\"a\":1", LC_ERR_SYNTAX, 6, "$.a");
	REFUSES("", LC_ERR_SYNTAX, 0, "$");
}

static void
test_depth(void)
{
	lc_buf		text;
	lc_buf		out;
	lc_json_error err;
	int			i;

	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_init(&out, &lc_alloc_malloc);
	for (i = 0; i < LC_JCS_MAX_DEPTH; i++)
		lc_buf_putc(&text, '[');
	for (i = 0; i < LC_JCS_MAX_DEPTH; i++)
		lc_buf_putc(&text, ']');
	is_status(lc_json_canonicalize(text.data, text.len, &out, &lc_alloc_malloc, &err),
			  LC_OK, "a thousand levels");
	is_text(&out, text.data, "come out as they went in");

	lc_buf_reset(&out);
	lc_buf_reset(&text);
	for (i = 0; i <= LC_JCS_MAX_DEPTH; i++)
		lc_buf_putc(&text, '[');
	is_status(lc_json_canonicalize(text.data, text.len, &out, &lc_alloc_malloc, &err),
			  LC_ERR_DEPTH, "one more is refused");
	is_int((int64_t) err.offset, LC_JCS_MAX_DEPTH, "at its place");
	lc_buf_free(&text);
	lc_buf_free(&out);
}

/* A buffer that failed before is not made good by a failure here. */
static void
test_failed_buffer(void)
{
	lc_buf		out;
	lc_json_error err;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_jcs_put_string(&out, "\xff", 1);
	is_status(lc_json_canonicalize("[1]", 3, &out, &lc_alloc_malloc, &err), LC_ERR_UTF8,
			  "a buffer that failed before");
	is_status(out.status, LC_ERR_UTF8, "stays failed");
	is_status(lc_json_canonicalize("?", 1, &out, &lc_alloc_malloc, &err), LC_ERR_SYNTAX,
			  "bad text into a buffer that failed before");
	is_status(out.status, LC_ERR_UTF8, "leaves it failed too");
	lc_buf_free(&out);
}

int
main(void)
{
	test_results();
	test_refusals();
	test_depth();
	test_failed_buffer();
	return done();
}
