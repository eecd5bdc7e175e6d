/*
 * test_wycheproof_jws.c
 *		Signatures of Project Wycheproof ($LEDGER_VECTORS/wycheproof): every
 *		token that is not good is refused, and every good one of an algorithm of
 *		ours is taken.
 *
 * A token passes if its header is read, the published key is taken and the
 * signature holds under it: what auth.c asks for before it looks at claims.
 */
#include "harness.h"
#include "jwt.h"

/*
 * "Valid" in the file, yet not good under any algorithm: a character that is no
 * base64url stands in the text, which readers are to drop.  RFC 7515 section 2
 * does not have that; a verifier that drops it takes two texts for one token.
 * (They are of HS256 besides, which is refused here by its name.)
 */
static const char *const exempted[] = {"InvalidCharacterInsertedInHeader", "InvalidCharacterInsertedInPayload"};

static bool
is_exempted(lc_str comment)
{
	for (size_t i = 0; i < sizeof(exempted) / sizeof(exempted[0]); i++)
		if (same(comment, exempted[i]))
			return true;
	return false;
}

static bool
takes(const lc_json *key, lc_str token)
{
	char	   *copy = exact_copy(token.s, token.n);
	static jwt	t;
	jwk			k;
	bool		good = false;

	if (key != NULL && key->type == LC_JSON_OBJECT && jwk_read(key, &k) == NULL)
	{
		good = jwt_parse(copy, token.n, &t) == NULL && jwt_verify(&t, &k);
		jwk_free(&k);
	}
	free(copy);
	return good;
}

/* Is the token of an algorithm of ours?  As the file means it: by the beginning of the JSON text of its header. */
static bool
is_ours(lc_str token)
{
	static const char *const heads[] = {"{\"alg\":\"RS256\"", "{\"alg\":\"PS256\"", "{\"alg\":\"ES256\""};
	uint8_t		header[64];
	size_t		n;

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
	{
		/* 20 characters are 15 bytes, and no head is longer. */
		if (token.n >= 20 && base64url_decode(token.s, 20, header, sizeof(header), &n) &&
			memcmp(header, heads[i], strlen(heads[i])) == 0)
			return true;
	}
	return false;
}

typedef struct tally
{
	int			invalid,
				wrong_accepts;
	int			ours,
				wrong_refusals;
	int			others,
				exempt;
} tally;

static void
judge(const lc_json *key, const lc_json *test, tally *t)
{
	lc_str		comment = lc_json_string(test, "comment");
	lc_str		token = lc_json_string(test, "jws");
	bool		valid = same(lc_json_string(test, "result"), "valid");
	bool		taken = takes(key, token);
	uint64_t	id = 0;

	lc_json_uint(test, "tcId", &id);
	if (!valid)
	{
		t->invalid++;
		t->wrong_accepts += taken;
	}
	else if (is_exempted(comment))
		t->exempt += !taken;
	else if (is_ours(token))
	{
		t->ours++;
		t->wrong_refusals += !taken;
	}
	else
	{
		t->others++;
		t->wrong_accepts += taken;
	}
	if (valid ? is_ours(token) && !taken : taken)
		printf("#   case %" PRIu64 ", %.*s\n", id, (int) comment.n, comment.s);
}

static void
judge_all(const lc_json *root)
{
	tally		t = {0};

	for (const lc_json *group = lc_json_member(root, "testGroups")->child; group != NULL; group = group->next)
		for (const lc_json *test = lc_json_member(group, "tests")->child; test != NULL; test = test->next)
			judge(lc_json_member(group, "public"), test, &t);
	is_int(t.invalid, 355, "so many tokens are not good");
	is_int(t.wrong_accepts, 0, "none of them is taken, and none of an algorithm that is not ours");
	is_int(t.ours, 16, "so many are good and of RS256, PS256 or ES256");
	is_int(t.wrong_refusals, 0, "none of those is refused");
	is_int(t.exempt, 2, "the two exempted by name are refused");
	printf("# %d good ones are of other algorithms\n", t.others);
}

int
main(void)
{
	const char *folder = getenv("LEDGER_VECTORS");
	char		path[1024];
	lc_buf		text;
	lc_jsontree *tree = NULL;

	if (folder == NULL)
	{
		skip("signatures of Wycheproof", "LEDGER_VECTORS is not set");
		return done();
	}
	snprintf(path, sizeof(path), "%s/wycheproof/json_web_signature_test.json", folder);
	lc_buf_init(&text, &lc_alloc_malloc);
	if (ok(read_file(path, &text), "%s can be read", path) &&
		ok(lc_jsontree_parse(text.data, text.len, 0, &lc_alloc_malloc, &tree, NULL) == LC_OK, "and is JSON"))
		judge_all(lc_jsontree_root(tree));
	lc_jsontree_free(tree);
	lc_buf_free(&text);
	return done();
}
