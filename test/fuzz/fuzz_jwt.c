/*
 * fuzz_jwt.c
 *		Tokens on any bytes, under the keys of three RFCs: whatever is changed,
 *		nothing holds but what the RFCs' authors signed.  Payloads, signed or
 *		not, are read as claims.
 */
#include "../unit/jose_examples.h"
#include "claims.h"
#include "fuzz.h"
#include "jwt.h"

static const char *const keys[] = {RFC7515_A2_KEY, RFC7515_A3_KEY, RFC8037_KEY};
static const char *const signed_tokens[] = {RFC7515_A2_TOKEN, RFC7515_A3_TOKEN, RFC8037_TOKEN};

#define KEYS 3
static jwk	jwks[KEYS];

static void
read_keys(void)
{
	for (int i = 0; i < KEYS; i++)
	{
		lc_jsontree *tree;

		HOLDS(lc_jsontree_parse(keys[i], strlen(keys[i]), 8, &lc_alloc_malloc, &tree, NULL) == LC_OK);
		HOLDS(jwk_read(lc_jsontree_root(tree), &jwks[i]) == NULL);
		lc_jsontree_free(tree);
	}
}

/* The signature may be another one of the same text (of ECDSA there are two), the text may not. */
static void
check_signature(const jwt *t)
{
	for (int i = 0; i < KEYS; i++)
		if (jwt_verify(t, &jwks[i]))
		{
			size_t		n = (size_t) (strrchr(signed_tokens[i], '.') - signed_tokens[i]);

			HOLDS(t->text_len == n && memcmp(t->text, signed_tokens[i], n) == 0);
		}
}

static void
check_claims(const char *payload, size_t n)
{
	const claims_want want = {"joe", "ledger", 60};
	claims		c;

	if (claims_read(payload, n, "tenant", &c) != NULL)
		return;
	HOLDS(tenant_name_valid(c.who.tenant, strlen(c.who.tenant)));
	HOLDS(c.who.subject[0] != '\0' && strlen(c.who.subject) < sizeof(c.who.subject));
	HOLDS(c.who.actor_type[0] != '\0' && !c.who.certificate);
	HOLDS(c.texts_len > 1 && c.texts[c.texts_len - 1] == '\0');
	HOLDS(c.expires >= 0);
	if (claims_check(&c, &want, 1300000000) == CLAIMS_GOOD)
	{
		HOLDS(strcmp(c.texts, "joe") == 0 && c.expires + 60 > 1300000000);
		/* Once it has expired it stays so. */
		HOLDS(claims_check(&c, &want, (time_t) c.expires + 60) == CLAIMS_EXPIRED);
	}
	claims_free(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static jwt	t;

	if (jwks[0].key == NULL)
		read_keys();
	check_claims((const char *) data, size);
	if (jwt_parse((const char *) data, size, &t) != NULL)
		return 0;
	HOLDS(t.alg != JWT_NONE && t.kid_len <= JWK_MAX_KID);
	HOLDS(t.text == (const char *) data && t.text_len < size);
	check_signature(&t);
	check_claims(t.payload, t.payload_len);
	return 0;
}
