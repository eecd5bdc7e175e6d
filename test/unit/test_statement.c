/*
 * test_statement.c
 *		lc_statement: the examples of docs/formats.md, and statements that say
 *		too little, too much, or contradict themselves.
 */
#include "harness.h"
#include "lc_jsonparse.h"
#include "lc_statement.h"

/* docs/formats.md section 7. */
#define ANCHOR \
	"{\"anchorId\":\"0198c0de-0000-7000-8000-0000000000f1\",\"chainId\":\"2a404bbc-b702-8fe2-b08c-96c047b4200f\"," \
	"\"leafCount\":2,\"policyHash\":\"policy-2026.1\"," \
	"\"rootHash\":\"3800548041c0503fd8bf9f907ccb7792a72c1377d1bc942da69eee35bb8adf31\"," \
	"\"schemaVersion\":\"ledger.event.v1\",\"sequenceEnd\":2,\"sequenceStart\":1,\"tenant\":\"acme\",\"treeSize\":2," \
	"\"windowEnd\":\"2026-11-24T08:00:00.250000Z\",\"windowStart\":\"2026-11-23T19:30:00.000001Z\"}"
#define PREVIOUS "\"previousRootHash\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","
#define MARK \
	"{\"chainId\":\"2a404bbc-b702-8fe2-b08c-96c047b4200f\",\"mode\":\"full\",\"origin\":\"ledger.example/prod\"," \
	"\"rootHash\":\"3800548041c0503fd8bf9f907ccb7792a72c1377d1bc942da69eee35bb8adf31\"," \
	"\"schemaVersion\":\"ledger.verified.v1\",\"tenant\":\"acme\",\"treeSize\":2," \
	"\"verifiedAt\":\"2026-11-24T08:00:00.250000Z\"}"

#define ROOT "3800548041c0503fd8bf9f907ccb7792a72c1377d1bc942da69eee35bb8adf31"

/* The text with one piece of it, which must be there, in another form. */
static void
replace(lc_buf *out, const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	if (at == NULL)
		abort();
	lc_buf_reset(out);
	lc_buf_append(out, text, (size_t) (at - text));
	lc_buf_puts(out, to);
	lc_buf_puts(out, at + strlen(from));
}

static lc_jsontree *
parse(const char *text)
{
	lc_jsontree *tree;

	if (lc_jsontree_parse(text, strlen(text), 0, &lc_alloc_malloc, &tree, NULL) != LC_OK)
		abort();
	return tree;
}

static lc_status
read_anchor(const char *text)
{
	lc_jsontree *tree = parse(text);
	lc_anchor	a;
	lc_status	status = lc_anchor_read(lc_jsontree_root(tree), &a);

	lc_jsontree_free(tree);
	return status;
}

static lc_status
read_mark(const char *text)
{
	lc_jsontree *tree = parse(text);
	lc_mark		m;
	lc_status	status = lc_mark_read(lc_jsontree_root(tree), &m);

	lc_jsontree_free(tree);
	return status;
}

static void
test_anchor(void)
{
	lc_jsontree *tree = parse(ANCHOR);
	lc_anchor	a;

	is_status(lc_anchor_read(lc_jsontree_root(tree), &a), LC_OK, "the example of docs/formats.md");
	is_hex(a.anchor_id, LC_UUID_LEN, "0198c0de00007000800000000000" "00f1", "its id");
	is_hex(a.chain_id, LC_UUID_LEN, "2a404bbcb7028fe2b08c96c047b4200f", "its chain");
	is_hex(a.root, LC_HASH_LEN, ROOT, "its root");
	ok(same(a.tenant, "acme") && same(a.policy_hash, "policy-2026.1") &&
	   same(a.schema_version, "ledger.event.v1"), "its texts");
	ok(same(a.window_start, "2026-11-23T19:30:00.000001Z") &&
	   same(a.window_end, "2026-11-24T08:00:00.250000Z"), "its times");
	ok(a.tree_size == 2 && a.leaf_count == 2 && a.sequence_start == 1 && a.sequence_end == 2, "its numbers");
	ok(!a.has_previous_root, "a first anchor has none before");
	lc_jsontree_free(tree);
}

static void
test_second_anchor(void)
{
	lc_buf		text;
	lc_buf		step;
	lc_jsontree *tree;
	lc_anchor	a;

	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_init(&step, &lc_alloc_malloc);
	replace(&step, ANCHOR, "\"sequenceStart\":1", "\"sequenceStart\":2");
	replace(&text, step.data, "\"leafCount\":2", "\"leafCount\":1");
	is_status(read_anchor(text.data), LC_ERR_SYNTAX, "a later one must name the root before");
	replace(&step, text.data, "\"rootHash\"", PREVIOUS "\"rootHash\"");
	tree = parse(step.data);
	is_status(lc_anchor_read(lc_jsontree_root(tree), &a), LC_OK, "and does");
	ok(a.has_previous_root, "it has one");
	is_hex(a.previous_root, LC_HASH_LEN, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		   "this");
	lc_jsontree_free(tree);
	lc_buf_free(&text);
	lc_buf_free(&step);
}

typedef struct change
{
	const char *from;
	const char *to;
} change;

static void
refuses(lc_status (*reads) (const char *text), const char *text, const change *changes, size_t count)
{
	lc_buf		changed;

	lc_buf_init(&changed, &lc_alloc_malloc);
	for (size_t i = 0; i < count; i++)
	{
		replace(&changed, text, changes[i].from, changes[i].to);
		ok(reads(changed.data) == LC_ERR_SYNTAX, "refused: %.60s", changes[i].to);
	}
	lc_buf_free(&changed);
}

static void
test_anchor_refusals(void)
{
	static const change changes[] = {
		{"\"anchorId\":\"0198c0de-0000-7000-8000-0000000000f1\",", ""},
		{"\"anchorId\"", "\"AnchorId\""},
		{"0198c0de", "0198C0DE"},
		{"2a404bbc-", "2a404bbc"},
		{"{", "{\"more\":1,"},
		{"\"rootHash\"", PREVIOUS "\"rootHash\""},
		{"\"rootHash\"", "\"previousRootHash\":null,\"rootHash\""},
		{"\"3800", "\"800"},
		{"8adf31", "8ADF31"},
		{"\"leafCount\":2", "\"leafCount\":1"},
		{"\"leafCount\":2", "\"leafCount\":\"2\""},
		{"\"leafCount\":2", "\"leafCount\":2.0"},
		{"\"sequenceEnd\":2", "\"sequenceEnd\":3"},
		{"\"sequenceStart\":1", "\"sequenceStart\":0"},
		{"\"sequenceStart\":1", "\"sequenceStart\":-1"},
		{"\"treeSize\":2", "\"treeSize\":3"},
		{"\"treeSize\":2", "\"treeSize\":18446744073709551618"},
		{"\"policy-2026.1\"", "\"\""},
		{"\"policy-2026.1\"", "null"},
		{"ledger.event.v1", "ledger.event.v2"},
		{"\"acme\"", "\"\""},
		{"\"acme\"", "\"-acme\""},
		{"\"acme\"", "\"ac/me\""},
		{"\"acme\"", "{}"},
		{"08:00:00.250000Z", "08:00:00Z"},
		{"2026-11-23", "2026-11-31"},
	};

	refuses(read_anchor, ANCHOR, changes, sizeof(changes) / sizeof(changes[0]));
	is_status(read_anchor("[]"), LC_ERR_SYNTAX, "an array is none");
	is_status(read_anchor("{}"), LC_ERR_SYNTAX, "nor an empty object");
	is_status(lc_anchor_read(NULL, NULL), LC_ERR_SYNTAX, "nor nothing");
}

/* start > end, with a count that fits the difference as unsigned numbers do. */
static void
test_wrap(void)
{
	lc_buf		text;
	lc_buf		step;

	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_init(&step, &lc_alloc_malloc);
	replace(&text, ANCHOR, "\"sequenceStart\":1", "\"sequenceStart\":3");
	replace(&step, text.data, "\"leafCount\":2", "\"leafCount\":0");
	replace(&text, step.data, "\"rootHash\"", PREVIOUS "\"rootHash\"");
	is_status(read_anchor(text.data), LC_ERR_SYNTAX, "an anchor of no events is none");
	lc_buf_free(&text);
	lc_buf_free(&step);
}

static void
test_mark(void)
{
	lc_jsontree *tree = parse(MARK);
	lc_mark		m;
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	is_status(lc_mark_read(lc_jsontree_root(tree), &m), LC_OK, "a mark");
	is_hex(m.chain_id, LC_UUID_LEN, "2a404bbcb7028fe2b08c96c047b4200f", "its chain");
	is_hex(m.root, LC_HASH_LEN, ROOT, "its root");
	ok(m.tree_size == 2 && same(m.mode, "full") && same(m.origin, "ledger.example/prod") &&
	   same(m.tenant, "acme") && same(m.verified_at, "2026-11-24T08:00:00.250000Z"), "the rest");
	lc_mark_format(&out, &m);
	is_text(&out, MARK, "written it is the same text");
	lc_buf_reset(&out);
	is_status(lc_json_canonicalize(MARK, strlen(MARK), &out, &lc_alloc_malloc, NULL), LC_OK, "and that is");
	is_text(&out, MARK, "canonical JSON");

	lc_buf_reset(&out);
	m.mode = str("incremental");
	lc_mark_format(&out, &m);
	is_int((int64_t) out.len, (int64_t) strlen(MARK) + 7, "an incremental one");
	lc_buf_reset(&out);
	m.mode = str("other");
	lc_mark_format(&out, &m);
	ok(out.status == LC_ERR_MISUSE && out.len == 0, "what would not be read is not written");
	lc_buf_reset(&out);
	m.mode = str("full");
	m.tree_size = UINT64_C(9007199254740992);
	lc_mark_format(&out, &m);
	ok(out.status == LC_ERR_MISUSE && out.len == 0, "nor a number that JSON may round");
	lc_buf_free(&out);
	lc_jsontree_free(tree);
}

static void
test_mark_refusals(void)
{
	static const change changes[] = {
		{"\"mode\":\"full\",", ""},
		{"{", "{\"more\":1,"},
		{"\"full\"", "\"Full\""},
		{"ledger.verified.v1", "ledger.event.v1"},
		{"\"ledger.example/prod\"", "\"Ledger\""},
		{"\"ledger.example/prod\"", "\"/ledger\""},
		{"\"ledger.example/prod\"", "\"\""},
		{"\"acme\"", "\"\""},
		{"\"treeSize\":2", "\"treeSize\":0"},
		{"\"treeSize\":2", "\"treeSize\":\"2\""},
		{"\"3800", "\"00"},
		{"2a404bbc", "2A404bbc"},
		{"08:00:00.250000Z", "08:00:00.250000+00:00"},
	};

	refuses(read_mark, MARK, changes, sizeof(changes) / sizeof(changes[0]));
	is_status(read_mark(ANCHOR), LC_ERR_SYNTAX, "an anchor is no mark");
	is_status(read_anchor(MARK), LC_ERR_SYNTAX, "nor the other way round");
	is_status(lc_mark_read(NULL, NULL), LC_ERR_SYNTAX, "nor is nothing");
}

/* Names as long as they may be. */
static void
test_lengths(void)
{
	lc_buf		text;
	char		name[204];

	lc_buf_init(&text, &lc_alloc_malloc);
	memset(name, 'n', sizeof(name));
	name[0] = name[129] = '"';
	name[130] = '\0';
	replace(&text, MARK, "\"acme\"", name);
	is_status(read_mark(text.data), LC_OK, "a tenant of 128 bytes");
	name[129] = 'n';
	name[130] = '"';
	name[131] = '\0';
	replace(&text, MARK, "\"acme\"", name);
	is_status(read_mark(text.data), LC_ERR_SYNTAX, "one more");

	memset(name, 'n', sizeof(name));
	name[0] = name[202] = '"';
	name[203] = '\0';
	replace(&text, MARK, "\"ledger.example/prod\"", name);
	is_status(read_mark(text.data), LC_OK, "an origin of 201 bytes");
	lc_buf_reset(&text);
	replace(&text, MARK, "ledger.example/prod\"", "");
	lc_buf_truncate(&text, (size_t) (strstr(text.data, "\"origin\":\"") - text.data) + 10);
	for (int i = 0; i < 202; i++)
		lc_buf_putc(&text, 'n');
	lc_buf_puts(&text, strstr(MARK, "\",\"rootHash"));
	is_status(read_mark(text.data), LC_ERR_SYNTAX, "one more");
	lc_buf_free(&text);
}

int
main(void)
{
	test_anchor();
	test_second_anchor();
	test_anchor_refusals();
	test_wrap();
	test_mark();
	test_mark_refusals();
	test_lengths();
	return done();
}
