/*
 * test_aead.c
 *		AES-256-GCM: every case of Wycheproof's file of the sizes that the
 *		gateway takes, decided as published, and sealed to the same bytes.
 */
#include "aead.h"
#include "harness.h"
#include "lc_hex.h"
#include "lc_jsontree.h"

typedef struct aead_case
{
	uint8_t		key[AEAD_KEY],
				nonce[AEAD_NONCE],
				tag[AEAD_TAG];
	lc_buf		aad,
				plain,
				sealed;
	bool		valid;
} aead_case;

static void
put_member(lc_buf *to, const lc_json *test, const char *name)
{
	lc_str		hex = lc_json_string(test, name);
	size_t		i;
	uint8_t		byte;

	lc_buf_init(to, &lc_alloc_malloc);
	for (i = 0; hex.s != NULL && i + 1 < hex.n; i += 2)
		if (lc_hex_decode(hex.s + i, 2, &byte, 1) == LC_OK)
			lc_buf_append(to, &byte, 1);
}

static bool
read_case(const lc_json *test, aead_case *out)
{
	lc_str		key = lc_json_string(test, "key"),
				nonce = lc_json_string(test, "iv"),
				tag = lc_json_string(test, "tag"),
				result = lc_json_string(test, "result");

	put_member(&out->aad, test, "aad");
	put_member(&out->plain, test, "msg");
	put_member(&out->sealed, test, "ct");
	out->valid = same(result, "valid");
	return (out->valid || same(result, "invalid")) &&
		lc_hex_decode(key.s, key.n, out->key, AEAD_KEY) == LC_OK &&
		lc_hex_decode(nonce.s, nonce.n, out->nonce, AEAD_NONCE) == LC_OK &&
		lc_hex_decode(tag.s, tag.n, out->tag, AEAD_TAG) == LC_OK;
}

static void
run_case(const lc_json *test)
{
	lc_str		id = lc_json_member(test, "tcId")->text;
	aead_case	c;
	uint8_t		tag[AEAD_TAG];
	uint8_t    *out;
	bool		opened;

	if (!ok(read_case(test, &c), "case %.*s can be read", (int) id.n, id.s))
		return;
	/* One byte more, so that an empty text has a place too. */
	out = calloc(1, c.sealed.len + c.plain.len + 1);
	opened = aead_open(c.key, c.nonce, (lc_str) {c.aad.data, c.aad.len}, c.sealed.data, c.sealed.len, c.tag, out);
	ok(opened == c.valid, "case %.*s is %s", (int) id.n, id.s, c.valid ? "opened" : "refused");
	if (c.valid)
	{
		is_bytes((char *) out, c.sealed.len, c.plain.data, c.plain.len, "as it was");
		ok(aead_seal(c.key, c.nonce, (lc_str) {c.aad.data, c.aad.len}, c.plain.data, c.plain.len, out, tag) &&
		   memcmp(tag, c.tag, AEAD_TAG) == 0 && (c.sealed.len == 0 || memcmp(out, c.sealed.data, c.sealed.len) == 0),
		   "and sealed to the same bytes");
	}
	else
	{
		size_t		i = 0;

		while (i < c.sealed.len && out[i] == 0)
			i++;
		ok(i == c.sealed.len, "with nothing of it left to see");
	}
	free(out);
	lc_buf_free(&c.aad);
	lc_buf_free(&c.plain);
	lc_buf_free(&c.sealed);
}

static bool
supported(const lc_json *group)
{
	uint64_t	key = 0,
				nonce = 0,
				tag = 0;

	return lc_json_uint(group, "keySize", &key) && lc_json_uint(group, "ivSize", &nonce) &&
		lc_json_uint(group, "tagSize", &tag) && key == AEAD_KEY * 8 && nonce == AEAD_NONCE * 8 && tag == AEAD_TAG * 8;
}

static void
test_wycheproof(const char *folder)
{
	char		path[512];
	lc_buf		text;
	lc_jsontree *tree = NULL;
	const lc_json *group,
			   *test;
	int			cases = 0;

	snprintf(path, sizeof(path), "%s/wycheproof/aes_gcm_test.json", folder);
	lc_buf_init(&text, &lc_alloc_malloc);
	if (ok(read_file(path, &text) &&
		   lc_jsontree_parse(text.data, text.len, 100, &lc_alloc_malloc, &tree, NULL) == LC_OK, "the file can be read"))
	{
		for (group = lc_json_member(lc_jsontree_root(tree), "testGroups")->child; group != NULL; group = group->next)
		{
			test = supported(group) ? lc_json_member(group, "tests")->child : NULL;
			for (; test != NULL; test = test->next)
			{
				run_case(test);
				cases++;
			}
		}
		is_int(cases, 66, "it has 66 cases of these sizes");
	}
	lc_jsontree_free(tree);
	lc_buf_free(&text);
}

/* Each single bit of what is sealed, of its tag, of the nonce and of what it is bound to. */
static void
test_bits(void)
{
	uint8_t		key[AEAD_KEY] = {7},
				nonce[AEAD_NONCE] = {3},
				tag[AEAD_TAG],
				sealed[9],
				out[9];
	char		aad[] = "bound";
	lc_str		bound = {aad, 5};
	struct { uint8_t *bytes; size_t n; } parts[] = {
		{sealed, sizeof(sealed)}, {tag, sizeof(tag)}, {nonce, sizeof(nonce)}, {(uint8_t *) aad, 5}, {key, sizeof(key)}
	};
	size_t		i,
				bit;
	int			opened = 0;

	ok(aead_seal(key, nonce, bound, "plaintext", 9, sealed, tag), "nine bytes are sealed");
	ok(aead_open(key, nonce, bound, sealed, 9, tag, out) && memcmp(out, "plaintext", 9) == 0, "and opened");
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (bit = 0; bit < parts[i].n * 8; bit++)
		{
			parts[i].bytes[bit / 8] ^= (uint8_t) (1u << bit % 8);
			opened += aead_open(key, nonce, bound, sealed, 9, tag, out);
			parts[i].bytes[bit / 8] ^= (uint8_t) (1u << bit % 8);
		}
	is_int(opened, 0, "and with no bit changed");
	ok(aead_open(key, nonce, bound, sealed, 9, tag, out), "as it was it still opens");
}

int
main(void)
{
	const char *vectors = getenv("LEDGER_VECTORS");

	test_bits();
	if (vectors == NULL)
		skip("Wycheproof", "LEDGER_VECTORS is not set");
	else
		test_wycheproof(vectors);
	return done();
}
