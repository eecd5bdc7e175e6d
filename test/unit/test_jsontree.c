/*
 * test_jsontree.c
 *		lc_jsontree: what a tree holds, where its values stand in the text, and
 *		what the ways to ask for a member answer.
 */
#include "harness.h"
#include "lc_jsontree.h"

static lc_jsontree *
parse(const char *text, size_t n)
{
	lc_jsontree *tree;

	if (!ok(lc_jsontree_parse(text, n, 0, &lc_alloc_malloc, &tree, NULL) == LC_OK,
			"%.*s", (int) (n < 60 ? n : 60), text))
		abort();
	return tree;
}

/* Everything that the tree knows, in its order: key=type:text[source]. */
static void
write_tree(lc_buf *out, const lc_json *v)
{
	static const char *const types[] = {"null", "bool", "num", "str", "arr", "obj"};

	if (v->key.s != NULL)
	{
		lc_buf_append(out, v->key.s, v->key.n);
		lc_buf_putc(out, '=');
	}
	lc_buf_puts(out, types[v->type]);
	if (v->type == LC_JSON_BOOLEAN)
		lc_buf_puts(out, v->boolean ? ":true" : ":false");
	if (v->text.s != NULL)
	{
		lc_buf_putc(out, ':');
		lc_buf_append(out, v->text.s, v->text.n);
	}
	if (v->type == LC_JSON_ARRAY || v->type == LC_JSON_OBJECT)
		lc_buf_put_int64(out, (int64_t) v->count);
	lc_buf_putc(out, '[');
	lc_buf_append(out, v->source.s, v->source.n);
	lc_buf_puts(out, "] ");
	for (const lc_json *c = v->child; c != NULL; c = c->next)
		write_tree(out, c);
}

static void
holds(const char *text, const char *want)
{
	size_t		n = strlen(text);
	char	   *copy = exact_copy(text, n);
	lc_jsontree *tree = parse(copy, n);
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	write_tree(&out, lc_jsontree_root(tree));
	is_text(&out, want, "its values and where they stand");
	lc_buf_free(&out);
	lc_jsontree_free(tree);
	free(copy);
}

static void
test_values(void)
{
	holds(" null ", "null[null] ");
	holds("true", "bool:true[true] ");
	holds("false", "bool:false[false] ");
	holds(" -1.50e+3", "num:-1.50e+3[-1.50e+3] ");
	holds("\"\"", "str:[\"\"] ");
	holds("\"a\\u0062\\n\"", "str:ab\n[\"a\\u0062\\n\"] ");
	holds(" [ ] ", "arr0[[ ]] ");
	holds("{}", "obj0[{}] ");
	holds("[1,[ 2 ],{\"x\" : [3]}]",
		  "arr3[[1,[ 2 ],{\"x\" : [3]}]] num:1[1] arr1[[ 2 ]] num:2[2] obj1[{\"x\" : [3]}] x=arr1[[3]] num:3[3] ");
	holds("{\"b\":1 , \"\\u0061\\\\\": {\"c\":null} ,\"d\":\"\\\"\"}",
		  "obj3[{\"b\":1 , \"\\u0061\\\\\": {\"c\":null} ,\"d\":\"\\\"\"}] b=num:1[1] "
		  "a\\=obj1[{\"c\":null}] c=null[null] d=str:\"[\"\\\"\"] ");
}

static void
test_members(void)
{
	static const char text[] =
		"{\"text\":\"t\",\"none\":\"\",\"one\":1,\"zero\":0,\"max\":9007199254740991,"
		"\"more\":9007199254740992,\"minus\":-1,\"point\":1.0,\"exp\":1e2,\"quoted\":\"1\",\"deep\":{\"one\":2}}";
	static const char *const no_uints[] = {"more", "minus", "point", "exp", "quoted", "deep", "absent", "on", "ones"};
	lc_jsontree *tree = parse(text, strlen(text));
	const lc_json *root = lc_jsontree_root(tree);
	uint64_t	value = 42;

	ok(same(lc_json_string(root, "text"), "t"), "a string");
	ok(lc_json_string(root, "none").s != NULL && lc_json_string(root, "none").n == 0, "an empty one is there");
	ok(lc_json_string(root, "one").s == NULL, "a number is none");
	ok(lc_json_string(root, "tex").s == NULL && lc_json_string(root, "texts").s == NULL, "nor is another name");
	ok(lc_json_uint(root, "one", &value) && value == 1, "a whole number");
	ok(lc_json_uint(root, "zero", &value) && value == 0, "zero");
	ok(lc_json_uint(root, "max", &value) && value == UINT64_C(9007199254740991), "2^53 - 1");
	value = 42;
	for (size_t i = 0; i < sizeof(no_uints) / sizeof(no_uints[0]); i++)
		ok(!lc_json_uint(root, no_uints[i], &value) && value == 42, "\"%s\" is none", no_uints[i]);
	ok(lc_json_uint(lc_json_member(root, "deep"), "one", &value) && value == 2, "of an object inside");
	ok(lc_json_member(lc_json_member(root, "text"), "one") == NULL, "a string has no members");
	ok(lc_json_member(NULL, "one") == NULL && lc_json_string(NULL, "one").s == NULL, "nor has nothing");
	lc_jsontree_free(tree);
	lc_jsontree_free(NULL);
}

static void
refuses(const char *text, size_t max_depth, lc_status want, size_t offset)
{
	lc_jsontree *tree = (lc_jsontree *) &tree;
	lc_json_error err;

	ok(lc_jsontree_parse(text, strlen(text), max_depth, &lc_alloc_malloc, &tree, &err) == want &&
	   tree == NULL && err.status == want && err.offset == offset, "refused: %.40s", text);
}

static void
test_refusals(void)
{
	refuses("", 0, LC_ERR_SYNTAX, 0);
	refuses("[1,]", 0, LC_ERR_SYNTAX, 3);
	refuses("{\"a\":1,\"b\":2,\"\\u0061\":3}", 0, LC_ERR_DUPLICATE, 13);
	refuses("{} {}", 0, LC_ERR_TRAILING, 3);
	refuses("\"\xff\"", 0, LC_ERR_UTF8, 1);
	refuses("\"\\u0000\"", 0, LC_ERR_NUL, 1);
	refuses("[[[]]]", 2, LC_ERR_DEPTH, 2);
}

/* More values than one chunk holds, and a string larger than one. */
static void
test_large(void)
{
	lc_buf		text;
	lc_jsontree *tree;
	const lc_json *v;
	size_t		count = 0;
	uint64_t	sum = 0;

	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_puts(&text, "[\"\\n");
	for (int i = 0; i < 10000; i++)
		lc_buf_putc(&text, 'x');
	lc_buf_puts(&text, "\"");
	for (int i = 0; i < 1000; i++)
	{
		lc_buf_puts(&text, ",{\"n\":");
		lc_buf_put_int64(&text, i);
		lc_buf_puts(&text, "}");
	}
	lc_buf_puts(&text, "]");
	tree = parse(text.data, text.len);
	v = lc_jsontree_root(tree)->child;
	ok(v->text.n == 10001 && v->text.s[0] == '\n' && v->text.s[10000] == 'x', "a large string with an escape");
	for (v = v->next; v != NULL; v = v->next)
	{
		uint64_t	n = 0;

		count += lc_json_uint(v, "n", &n) ? 1 : 0;
		sum += n;
	}
	ok(count == 1000 && sum == 499500, "a thousand objects");
	lc_jsontree_free(tree);
	lc_buf_free(&text);
}

int
main(void)
{
	test_values();
	test_members();
	test_refusals();
	test_large();
	return done();
}
