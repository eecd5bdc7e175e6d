/*
 * test_jcs.c
 *		lc_jcs: order of members, escapes, depth, misuse and failure of the
 *		canonical writer.
 */
#include "harness.h"
#include "lc_jcs.h"

static lc_buf out;

static lc_jcs *
begin(void)
{
	lc_buf_reset(&out);
	return lc_jcs_new(&out, &lc_alloc_malloc);
}

static void
key(lc_jcs *w, const char *name)
{
	lc_jcs_key(w, name, strlen(name));
}

static void
number(lc_jcs *w, const char *text)
{
	lc_jcs_number(w, text, strlen(text));
}

static void
string(lc_jcs *w, const char *s)
{
	lc_jcs_string(w, s, strlen(s));
}

/* A member that is a number. */
static void
member(lc_jcs *w, const char *name, const char *value)
{
	key(w, name);
	number(w, value);
}

static void
finished(lc_jcs *w, const char *want, const char *name)
{
	lc_status	status = lc_jcs_finish(w);

	if (status != LC_OK)
		printf("#   %s\n", lc_status_text(status));
	is_text(&out, want, name);
	lc_jcs_free(w);
}

/* The writer failed with this, stays failed, took its text back and says where. */
static void
failed(lc_jcs *w, lc_status want, const char *path, const char *name)
{
	lc_buf		where;
	bool		sticky;

	lc_buf_init(&where, &lc_alloc_malloc);
	lc_jcs_path(w, &where);
	sticky = lc_jcs_finish(w) == want && lc_jcs_null(w) == want &&
		lc_jcs_begin_array(w) == want && lc_jcs_key(w, "k", 1) == want &&
		lc_jcs_end_object(w) == want;
	if (!ok(sticky && out.len == 0 && out.status == LC_OK && strcmp(where.data, path) == 0,
			"%s: %s", name, lc_status_text(want)))
		printf("#   got \"%s\" at %s, text \"%s\"\n", lc_status_text(lc_jcs_finish(w)),
			   where.data, out.data != NULL ? out.data : "");
	lc_buf_free(&where);
	lc_jcs_free(w);
}

static void
test_values(void)
{
	lc_jcs	   *w = begin();

	lc_jcs_null(w);
	finished(w, "null", "null alone");
	w = begin();
	lc_jcs_boolean(w, true);
	finished(w, "true", "true alone");
	w = begin();
	lc_jcs_boolean(w, false);
	finished(w, "false", "false alone");
	w = begin();
	string(w, "");
	finished(w, "\"\"", "the empty string alone");
	w = begin();
	number(w, "1E2");
	finished(w, "100", "a number alone");
	w = begin();
	lc_jcs_begin_object(w);
	lc_jcs_end_object(w);
	finished(w, "{}", "the empty object");
	w = begin();
	lc_jcs_begin_array(w);
	lc_jcs_end_array(w);
	finished(w, "[]", "the empty array");

	w = begin();
	lc_jcs_begin_array(w);
	lc_jcs_null(w);
	lc_jcs_boolean(w, true);
	number(w, "-0");
	string(w, "x");
	lc_jcs_begin_array(w);
	lc_jcs_end_array(w);
	lc_jcs_begin_object(w);
	key(w, "");
	lc_jcs_begin_array(w);
	number(w, "1");
	lc_jcs_end_array(w);
	lc_jcs_end_object(w);
	lc_jcs_end_array(w);
	finished(w, "[null,true,0,\"x\",[],{\"\":[1]}]", "an array of everything, in its order");
}

static void
test_order(void)
{
	lc_jcs	   *w = begin();

	lc_jcs_begin_object(w);
	member(w, "b", "1");
	member(w, "a", "2");
	member(w, "", "3");
	member(w, "aa", "4");
	member(w, "B", "5");
	lc_jcs_end_object(w);
	finished(w, "{\"\":3,\"B\":5,\"a\":2,\"aa\":4,\"b\":1}", "names in order, shorter first");

	/* UTF-16: D83D DE00 sorts before E000 and FB33; as bytes it would come last. */
	w = begin();
	lc_jcs_begin_object(w);
	member(w, "\xef\xac\xb3", "1");
	member(w, "\xee\x80\x80", "2");
	member(w, "\xf0\x9f\x98\x80", "3");
	member(w, "\xed\x9f\xbf", "4");
	lc_jcs_end_object(w);
	finished(w, "{\"\xed\x9f\xbf\":4,\"\xf0\x9f\x98\x80\":3,\"\xee\x80\x80\":2,\"\xef\xac\xb3\":1}",
			 "names in the order of UTF-16");

	/* The escaped form of a name would sort elsewhere: "\n" before "\"" before "\\". */
	w = begin();
	lc_jcs_begin_object(w);
	member(w, "\\", "1");
	member(w, "A", "2");
	member(w, "\"", "3");
	member(w, "\n", "4");
	lc_jcs_end_object(w);
	finished(w, "{\"\\n\":4,\"\\\"\":3,\"A\":2,\"\\\\\":1}", "names are compared unescaped");
}

/* Disorder inside disorder, with text before, between and behind it. */
static void
test_nested_order(void)
{
	lc_jcs	   *w = begin();

	lc_jcs_begin_array(w);
	string(w, "before");
	lc_jcs_begin_object(w);
	key(w, "z");
	lc_jcs_begin_object(w);
	member(w, "d", "1");
	key(w, "c");
	lc_jcs_begin_array(w);
	lc_jcs_begin_object(w);
	member(w, "y", "2");
	member(w, "x", "3");
	lc_jcs_end_object(w);
	number(w, "4");
	lc_jcs_begin_object(w);
	member(w, "sorted", "5");
	member(w, "too", "6");
	lc_jcs_end_object(w);
	lc_jcs_end_array(w);
	lc_jcs_end_object(w);
	key(w, "a");
	lc_jcs_begin_object(w);
	member(w, "q", "7");
	member(w, "p", "8");
	lc_jcs_end_object(w);
	lc_jcs_end_object(w);
	string(w, "behind");
	lc_jcs_end_array(w);
	finished(w, "[\"before\",{\"a\":{\"p\":8,\"q\":7},\"z\":{\"c\":[{\"x\":3,\"y\":2},4,"
			 "{\"sorted\":5,\"too\":6}],\"d\":1}},\"behind\"]", "disorder on every level");
}

/* n names "k00000" on, in an order that no sort likes, with disorder inside each value. */
static void
test_many_members(size_t n)
{
	char	   *names = malloc(n * 8);
	lc_jcs	   *w = begin();
	lc_buf		want;
	char		text[64];
	size_t		i;

	if (names == NULL)
		abort();
	lc_jcs_begin_object(w);
	for (i = 0; i < n; i++)
	{
		/* 7919 has no divisor in common with any n used here. */
		size_t		k = i * 7919 % n;

		snprintf(names + 8 * i, 8, "k%05zu", k);
		key(w, names + 8 * i);
		lc_jcs_begin_object(w);
		member(w, "b", "1");
		member(w, "a", "2");
		lc_jcs_end_object(w);
	}
	lc_jcs_end_object(w);

	lc_buf_init(&want, &lc_alloc_malloc);
	for (i = 0; i < n; i++)
	{
		snprintf(text, sizeof(text), "%s\"k%05zu\":{\"a\":2,\"b\":1}", i == 0 ? "{" : ",", i);
		lc_buf_puts(&want, text);
	}
	lc_buf_putc(&want, '}');
	snprintf(text, sizeof(text), "%zu shuffled members", n);
	finished(w, want.data, text);
	lc_buf_free(&want);
	free(names);
}

static void
test_escapes(void)
{
	static const char *const want[0x20] = {
		"\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007",
		"\\b", "\\t", "\\n", "\\u000b", "\\f", "\\r", "\\u000e", "\\u000f",
		"\\u0010", "\\u0011", "\\u0012", "\\u0013", "\\u0014", "\\u0015", "\\u0016", "\\u0017",
		"\\u0018", "\\u0019", "\\u001a", "\\u001b", "\\u001c", "\\u001d", "\\u001e", "\\u001f",
	};
	lc_jcs	   *w;
	int			c;
	bool		right = true;

	for (c = 0; c < 0x20; c++)
	{
		char		byte = (char) c;
		char		text[16];

		lc_buf_reset(&out);
		lc_jcs_put_string(&out, &byte, 1);
		snprintf(text, sizeof(text), "\"%s\"", want[c]);
		if (strcmp(out.data, text) != 0)
		{
			printf("#   U+%04X is %s\n", (unsigned int) c, out.data);
			right = false;
		}
	}
	ok(right, "the escapes of all control characters");

	w = begin();
	string(w, "say \"hi\" \\ /\x7f");
	finished(w, "\"say \\\"hi\\\" \\\\ /\x7f\"", "quote and backslash; slash and DEL stand");
	w = begin();
	string(w, "\xc2\x80\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\xf0\x9f\x98\x80\xef\xbf\xbf");
	finished(w, "\"\xc2\x80\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\xf0\x9f\x98\x80\xef\xbf\xbf\"",
			 "nothing above ASCII is escaped");
	w = begin();
	string(w, "e\xcc\x81 \xc3\xa9");
	finished(w, "\"e\xcc\x81 \xc3\xa9\"", "nothing is normalised");
}

static void
test_bad_utf8(void)
{
	lc_jcs	   *w = begin();

	lc_jcs_begin_array(w);
	string(w, "good");
	is_status(lc_jcs_string(w, "\xed\xa0\x80", 3), LC_ERR_UTF8, "a surrogate in a string");
	failed(w, LC_ERR_UTF8, "$[1]", "and then");
	w = begin();
	lc_jcs_begin_object(w);
	is_status(lc_jcs_key(w, "a\xff", 2), LC_ERR_UTF8, "bad UTF-8 in a name");
	failed(w, LC_ERR_UTF8, "$", "and then");
}

static void
test_duplicates(void)
{
	lc_jcs	   *w = begin();

	lc_jcs_begin_object(w);
	member(w, "a", "1");
	member(w, "a", "1");
	is_status(lc_jcs_end_object(w), LC_ERR_DUPLICATE, "two equal names in a row");
	failed(w, LC_ERR_DUPLICATE, "$.a", "and then");

	w = begin();
	lc_jcs_begin_object(w);
	key(w, "a b");
	lc_jcs_begin_array(w);
	lc_jcs_null(w);
	lc_jcs_begin_object(w);
	member(w, "c", "1");
	member(w, "b", "2");
	member(w, "d", "3");
	member(w, "c", "4");
	lc_jcs_end_object(w);
	failed(w, LC_ERR_DUPLICATE, "$[\"a b\"][1].c", "two equal names apart");

	w = begin();
	lc_jcs_begin_object(w);
	member(w, "", "1");
	member(w, "", "2");
	lc_jcs_end_object(w);
	failed(w, LC_ERR_DUPLICATE, "$[\"\"]", "the empty name twice");

	w = begin();
	lc_jcs_begin_object(w);
	key(w, "a");
	lc_jcs_begin_object(w);
	member(w, "a", "1");
	lc_jcs_end_object(w);
	member(w, "b", "2");
	lc_jcs_end_object(w);
	finished(w, "{\"a\":{\"a\":1},\"b\":2}", "the same name in another object is none");
}

static void
test_depth(void)
{
	lc_jcs	   *w = begin();
	int			i;
	bool		right = true;

	for (i = 0; i < LC_JCS_MAX_DEPTH; i++)
		right = right && lc_jcs_begin_array(w) == LC_OK;
	for (i = 0; i < LC_JCS_MAX_DEPTH; i++)
		right = right && lc_jcs_end_array(w) == LC_OK;
	ok(right && lc_jcs_finish(w) == LC_OK && out.len == 2 * LC_JCS_MAX_DEPTH,
	   "a thousand levels are taken");
	lc_jcs_free(w);

	w = begin();
	for (i = 0; i < LC_JCS_MAX_DEPTH; i++)
		lc_jcs_begin_array(w);
	is_status(lc_jcs_begin_object(w), LC_ERR_DEPTH, "one more is refused");
	ok(out.len == 0, "and what was written is taken back");
	lc_jcs_free(w);

	/* Each level in disorder: its notes nest as deep as they can. */
	w = begin();
	for (i = 0; i < LC_JCS_MAX_DEPTH; i++)
	{
		lc_jcs_begin_object(w);
		member(w, "z", "1");
		key(w, "a");
	}
	lc_jcs_null(w);
	for (i = 0; i < LC_JCS_MAX_DEPTH; i++)
		lc_jcs_end_object(w);
	right = lc_jcs_finish(w) == LC_OK;
	for (i = 0; right && i < LC_JCS_MAX_DEPTH; i++)
		right = memcmp(out.data + 5 * i, "{\"a\":", 5) == 0;
	right = right && memcmp(out.data + 5 * LC_JCS_MAX_DEPTH, "null", 4) == 0;
	for (i = 0; right && i < LC_JCS_MAX_DEPTH; i++)
		right = memcmp(out.data + 5 * LC_JCS_MAX_DEPTH + 4 + 7 * i, ",\"z\":1}", 7) == 0;
	ok(right, "a thousand levels, each in disorder");
	lc_jcs_free(w);
}

static void
test_numbers(void)
{
	lc_jcs	   *w = begin();

	lc_jcs_begin_object(w);
	key(w, "risk");
	lc_jcs_begin_object(w);
	key(w, "scores");
	lc_jcs_begin_array(w);
	number(w, "1");
	number(w, "2");
	is_status(lc_jcs_number(w, "9007199254740993", 16), LC_ERR_NUMBER, "a number that rounds");
	failed(w, LC_ERR_NUMBER, "$.risk.scores[2]", "and then");
	w = begin();
	is_status(lc_jcs_number(w, "01", 2), LC_ERR_SYNTAX, "a number that is none");
	failed(w, LC_ERR_SYNTAX, "$", "and then");
}

static void
test_misuse(void)
{
	lc_jcs	   *w = begin();

	is_status(lc_jcs_key(w, "a", 1), LC_ERR_MISUSE, "a name outside an object");
	failed(w, LC_ERR_MISUSE, "$", "and then");
	w = begin();
	lc_jcs_begin_array(w);
	is_status(lc_jcs_key(w, "a", 1), LC_ERR_MISUSE, "a name in an array");
	lc_jcs_free(w);
	w = begin();
	lc_jcs_begin_object(w);
	is_status(lc_jcs_null(w), LC_ERR_MISUSE, "a value without a name");
	lc_jcs_free(w);
	w = begin();
	lc_jcs_begin_object(w);
	is_status(lc_jcs_begin_object(w), LC_ERR_MISUSE, "an object without a name");
	lc_jcs_free(w);
	w = begin();
	lc_jcs_begin_object(w);
	key(w, "a");
	is_status(lc_jcs_key(w, "b", 1), LC_ERR_MISUSE, "two names in a row");
	lc_jcs_free(w);
	w = begin();
	lc_jcs_begin_object(w);
	key(w, "a");
	is_status(lc_jcs_end_object(w), LC_ERR_MISUSE, "an end behind a name");
	lc_jcs_free(w);
	w = begin();
	lc_jcs_begin_object(w);
	is_status(lc_jcs_end_array(w), LC_ERR_MISUSE, "an array's end for an object");
	lc_jcs_free(w);
	w = begin();
	lc_jcs_begin_array(w);
	is_status(lc_jcs_end_object(w), LC_ERR_MISUSE, "an object's end for an array");
	lc_jcs_free(w);
	w = begin();
	is_status(lc_jcs_end_array(w), LC_ERR_MISUSE, "an end of nothing");
	lc_jcs_free(w);
	w = begin();
	lc_jcs_null(w);
	is_status(lc_jcs_null(w), LC_ERR_MISUSE, "a second value");
	failed(w, LC_ERR_MISUSE, "$", "and then");
	w = begin();
	is_status(lc_jcs_finish(w), LC_ERR_MISUSE, "finished without a value");
	lc_jcs_free(w);
	w = begin();
	lc_jcs_begin_array(w);
	is_status(lc_jcs_finish(w), LC_ERR_MISUSE, "finished in the middle");
	ok(out.len == 0, "leaves nothing behind");
	lc_jcs_free(w);
	lc_jcs_free(NULL);
}

/* A writer adds to what its buffer holds, and takes back only its own. */
static void
test_append(void)
{
	lc_jcs	   *w;

	lc_buf_reset(&out);
	lc_buf_puts(&out, "{kept:");
	w = lc_jcs_new(&out, &lc_alloc_malloc);
	lc_jcs_begin_object(w);
	member(w, "b", "1");
	member(w, "a", "2");
	lc_jcs_end_object(w);
	finished(w, "{kept:{\"a\":2,\"b\":1}", "ordering leaves what stood before alone");

	w = lc_jcs_new(&out, &lc_alloc_malloc);
	lc_jcs_begin_array(w);
	number(w, "1e999");
	lc_jcs_free(w);
	is_text(&out, "{kept:{\"a\":2,\"b\":1}", "a failure too");

	out.status = LC_ERR_UTF8;
	w = lc_jcs_new(&out, &lc_alloc_malloc);
	is_status(lc_jcs_null(w), LC_ERR_UTF8, "a buffer that failed before fails the writer");
	is_status(lc_jcs_finish(w), LC_ERR_UTF8, "to the end");
	is_status(out.status, LC_ERR_UTF8, "and stays failed");
	lc_jcs_free(w);
	lc_buf_reset(&out);
}

static void
test_paths(void)
{
	lc_buf_reset(&out);
	lc_jcs_put_path_key(&out, "name_1$", 7);
	lc_jcs_put_path_key(&out, "1st", 3);
	lc_jcs_put_path_key(&out, "", 0);
	lc_jcs_put_path_key(&out, "a\"b", 3);
	lc_jcs_put_path_key(&out, "\xc3\xb6", 2);
	lc_jcs_put_path_index(&out, 12);
	is_text(&out, ".name_1$[\"1st\"][\"\"][\"a\\\"b\"][\"\xc3\xb6\"][12]", "steps of a path");
}

int
main(void)
{
	lc_buf_init(&out, &lc_alloc_malloc);
	test_values();
	test_order();
	test_nested_order();
	test_many_members(2);
	test_many_members(12);
	test_many_members(13);
	test_many_members(33);
	test_many_members(1000);
	test_escapes();
	test_bad_utf8();
	test_duplicates();
	test_depth();
	test_numbers();
	test_misuse();
	test_append();
	test_paths();
	lc_buf_free(&out);
	return done();
}
