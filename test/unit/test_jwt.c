/*
 * test_jwt.c
 *		Tokens in compact form: the examples of the RFCs, and what must not pass.
 */
#include "jose_examples.h"
#include "jwt.h"
#include "tokens.h"

static const jwt_alg algs[] = {JWT_RS256, JWT_PS256, JWT_ES256, JWT_EDDSA};
static const char *const alg_names[] = {"RS256", "PS256", "ES256", "EdDSA"};

#define ALGS 4

static EVP_PKEY *keys[ALGS];
static jwk	jwks[ALGS];
static jwt	parsed;

static void
publish(EVP_PKEY *key, const char *more, jwk *out)
{
	lc_buf		text;

	lc_buf_init(&text, &lc_alloc_malloc);
	put_jwk(&text, key, more);
	NEVER_FAILS(read_jwk(text.data, out) == NULL);
	lc_buf_free(&text);
}

/* Parsed from memory of its own, and verified. */
static bool
holds(const lc_buf *token, const jwk *k)
{
	char	   *copy = exact_copy(token->data, token->len);
	bool		good = jwt_parse(copy, token->len, &parsed) == NULL && jwt_verify(&parsed, k);

	free(copy);
	return good;
}

static const char *
reason(const char *token, size_t n)
{
	char	   *copy = exact_copy(token, n);
	const char *why = jwt_parse(copy, n, &parsed);

	free(copy);
	return why;
}

/* ---- examples ---- */

static void
example(const char *token, const char *key, const char *payload, const char *name)
{
	jwk			k;
	lc_buf		other;

	NEVER_FAILS(read_jwk(key, &k) == NULL);
	ok(jwt_parse(token, strlen(token), &parsed) == NULL && jwt_verify(&parsed, &k), "%s holds", name);
	is_bytes(parsed.payload, parsed.payload_len, payload, strlen(payload), "and says what it should");
	/* One bit of the payload, as base64url of other bytes. */
	lc_buf_init(&other, &lc_alloc_malloc);
	lc_buf_puts(&other, token);
	*strchr(other.data, '.') = '.';
	strchr(other.data, '.')[1] ^= 1;
	ok(!holds(&other, &k), "with another payload it does not");
	lc_buf_free(&other);
	jwk_free(&k);
}

/* ---- each algorithm ---- */

static void
own_tokens(void)
{
	lc_buf		token;
	char		header[64];

	lc_buf_init(&token, &lc_alloc_malloc);
	for (int i = 0; i < ALGS; i++)
	{
		bool		each_byte = true;

		snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":\"JWT\"}", alg_names[i]);
		put_token(&token, algs[i], keys[i], header, "{\"a\":1}");
		ok(holds(&token, &jwks[i]), "%s: a signature holds", alg_names[i]);
		for (int other = 0; other < ALGS; other++)
			if (other != i)
				ok(!holds(&token, &jwks[other]), "%s: not under a key for %s", alg_names[i], alg_names[other]);
		for (size_t at = (size_t) (strrchr(token.data, '.') - token.data) + 1; at + 1 < token.len; at += 7)
		{
			char		was = token.data[at];

			token.data[at] = was == 'A' ? 'B' : 'A';
			each_byte = each_byte && !holds(&token, &jwks[i]);
			token.data[at] = was;
		}
		ok(each_byte, "%s: not with another signature", alg_names[i]);
	}
	lc_buf_free(&token);
}

/* The algorithm of a key decides, not what its numbers could do. */
static void
narrowed_keys(void)
{
	lc_buf		token;
	jwk			ps_only;

	publish(keys[0], ",\"alg\":\"PS256\"", &ps_only);
	lc_buf_init(&token, &lc_alloc_malloc);
	put_token(&token, JWT_RS256, keys[0], "{\"alg\":\"RS256\"}", "{}");
	ok(!holds(&token, &ps_only), "RS256 under a key for PS256 does not hold");
	put_token(&token, JWT_PS256, keys[0], "{\"alg\":\"PS256\"}", "{}");
	ok(holds(&token, &ps_only), "PS256 does");
	put_token(&token, JWT_PS256, keys[0], "{\"alg\":\"RS256\"}", "{}");
	ok(!holds(&token, &jwks[0]), "a PS256 signature under the name RS256 does not");
	lc_buf_free(&token);
	jwk_free(&ps_only);
}

static void
kids(void)
{
	lc_buf		token;
	jwk			named;

	publish(keys[3], ",\"kid\":\"one\"", &named);
	lc_buf_init(&token, &lc_alloc_malloc);
	put_token(&token, JWT_EDDSA, keys[3], "{\"alg\":\"EdDSA\",\"kid\":\"one\"}", "{}");
	ok(holds(&token, &named), "a token that names the key holds");
	ok(!holds(&token, &jwks[3]), "but not under the same key without that name");
	put_token(&token, JWT_EDDSA, keys[3], "{\"alg\":\"EdDSA\",\"kid\":\"on\"}", "{}");
	ok(!holds(&token, &named), "a token that names another key does not");
	put_token(&token, JWT_EDDSA, keys[3], "{\"alg\":\"EdDSA\"}", "{}");
	ok(holds(&token, &named), "one that names none does");
	lc_buf_free(&token);
	jwk_free(&named);
}

/* A signature of other bytes in the place of the token's. */
static void
with_signature(lc_buf *token, const uint8_t *signature, size_t n)
{
	lc_buf_truncate(token, (size_t) (strrchr(token->data, '.') - token->data) + 1);
	base64url_append(token, signature, n);
}

static void
pairs(void)
{
	lc_buf		token;
	uint8_t		signature[512] = {0};
	size_t		n;

	lc_buf_init(&token, &lc_alloc_malloc);
	put_token(&token, JWT_ES256, keys[2], "{\"alg\":\"ES256\"}", "{}");
	jwt_parse(token.data, token.len, &parsed);
	n = parsed.signature_len;
	memcpy(signature, parsed.signature, n);
	is_int((int64_t) n, 64, "ES256: r and s are 64 bytes");
	with_signature(&token, signature, 65);
	ok(!holds(&token, &jwks[2]), "ES256: a zero behind them");
	with_signature(&token, signature, 63);
	ok(!holds(&token, &jwks[2]), "ES256: a byte less");
	with_signature(&token, signature, 0);
	ok(!holds(&token, &jwks[2]), "ES256: no signature");
	/* 33 bytes each, the same numbers. */
	memset(signature, 0, sizeof(signature));
	memcpy(signature + 1, parsed.signature, 32);
	memcpy(signature + 34, parsed.signature + 32, 32);
	with_signature(&token, signature, 66);
	ok(!holds(&token, &jwks[2]), "ES256: the same numbers in 33 bytes each");
	with_signature(&token, signature, 512);
	ok(!holds(&token, &jwks[2]), "ES256: 512 bytes");
	memset(signature, 0, sizeof(signature));
	with_signature(&token, signature, 64);
	ok(!holds(&token, &jwks[2]), "ES256: r = s = 0 (CVE-2022-21449)");
	with_signature(&token, (const uint8_t *) "\x30\x06\x02\x01\x01\x02\x01\x01", 8);
	ok(!holds(&token, &jwks[2]), "ES256: DER");
	put_token(&token, JWT_EDDSA, keys[3], "{\"alg\":\"EdDSA\"}", "{}");
	jwt_parse(token.data, token.len, &parsed);
	memcpy(signature, parsed.signature, 64);
	with_signature(&token, signature, 65);
	ok(!holds(&token, &jwks[3]), "EdDSA: a zero behind the signature");
	with_signature(&token, signature, 63);
	ok(!holds(&token, &jwks[3]), "EdDSA: a byte less");
	lc_buf_free(&token);
}

static void
paddings(void)
{
	lc_buf		token;
	uint8_t		signature[1024];
	size_t		n;
	const int	salts[] = {0, 20, 31, 33, RSA_PSS_SALTLEN_MAX};

	lc_buf_init(&token, &lc_alloc_malloc);
	put_token(&token, JWT_PS256, keys[1], "{\"alg\":\"PS256\"}", "{}");
	for (size_t i = 0; i < sizeof(salts) / sizeof(salts[0]); i++)
	{
		lc_buf		text;

		lc_buf_init(&text, &lc_alloc_malloc);
		lc_buf_append(&text, token.data, (size_t) (strrchr(token.data, '.') - token.data));
		n = sign_text(JWT_PS256, keys[1], "SHA256", salts[i], &text, signature);
		with_signature(&token, signature, n);
		ok(!holds(&token, &jwks[1]), "PS256: a salt that is not 32 bytes long (%d)", salts[i]);
		if (i == 0)
		{
			n = sign_text(JWT_PS256, keys[1], "SHA384", RSA_PSS_SALTLEN_DIGEST, &text, signature);
			with_signature(&token, signature, n);
			ok(!holds(&token, &jwks[1]), "PS256: SHA-384 inside");
			n = sign_text(JWT_RS256, keys[0], "SHA1", 0, &text, signature);
			with_signature(&token, signature, n);
			ok(!holds(&token, &jwks[0]), "RS256: SHA-1 inside");
		}
		lc_buf_free(&text);
	}
	put_token(&token, JWT_RS256, keys[0], "{\"alg\":\"RS256\"}", "{}");
	jwt_parse(token.data, token.len, &parsed);
	memset(signature, 0, sizeof(signature));
	memcpy(signature + 1, parsed.signature, 256);
	with_signature(&token, signature, 257);
	ok(!holds(&token, &jwks[0]), "RS256: a zero before the signature");
	with_signature(&token, signature + 1, 255);
	ok(!holds(&token, &jwks[0]), "RS256: a byte less");
	with_signature(&token, signature, 0);
	ok(!holds(&token, &jwks[0]), "RS256: no signature");
	lc_buf_free(&token);
}

/* ---- headers ---- */

static void
header(const char *json, const char *why, const char *name)
{
	lc_buf		token;
	const char *got;

	lc_buf_init(&token, &lc_alloc_malloc);
	base64url_append(&token, json, strlen(json));
	lc_buf_puts(&token, ".e30.AAAA");
	got = reason(token.data, token.len);
	if (!ok(why == NULL ? got == NULL : got != NULL && strstr(got, why) != NULL, "%s", name))
		printf("#   %s\n", got != NULL ? got : "taken");
	lc_buf_free(&token);
}

static void
headers(void)
{
	char		kid[400];

	header("{\"alg\":\"ES256\"}", NULL, "a header with alg alone");
	header("{\"alg\":\"ES256\",\"typ\":\"at+JWT\"}", NULL, "typ at+jwt, in any case");
	header("{\"alg\":\"ES256\",\"typ\":\"application/at+jwt\"}", NULL, "typ in full");
	header("{\"alg\":\"ES256\",\"typ\":\"JWT\",\"x5u\":\"https://evil.example\",\"jku\":\"https://evil.example\"}",
		   NULL, "places of keys are not looked at");
	header("{\"alg\":\"none\"}", "alg", "alg none is refused");
	header("{\"alg\":\"None\"}", "alg", "alg None is refused");
	header("{\"alg\":\"HS256\"}", "alg", "HMAC is refused");
	header("{\"alg\":\"RS512\"}", "alg", "RS512 is refused");
	header("{\"alg\":\"es256\"}", "alg", "an algorithm in lower case is refused");
	header("{\"alg\":\"ES256 \"}", "alg", "an algorithm with a blank is refused");
	header("{\"alg\":[\"ES256\"]}", "alg", "a list of algorithms is refused");
	header("{}", "alg", "a header without alg is refused");
	header("{\"alg\":\"ES256\",\"crit\":[\"exp\"],\"exp\":1}", "crit", "crit is refused");
	header("{\"alg\":\"ES256\",\"crit\":[]}", "crit", "an empty crit is refused");
	header("{\"alg\":\"ES256\",\"b64\":false}", "b64", "b64 is refused");
	header("{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\"}", "typ", "another type is refused");
	header("{\"alg\":\"ES256\",\"typ\":\"\"}", "typ", "an empty type is refused");
	header("{\"alg\":\"ES256\",\"typ\":null}", "typ", "a type that is null is refused");
	header("{\"alg\":\"ES256\",\"kid\":1}", "kid", "a kid that is no string is refused");
	header("{\"alg\":\"ES256\",\"kid\":\"\"}", "kid", "an empty kid is refused");
	header("{\"alg\":\"HS256\",\"alg\":\"ES256\"}", "JSON", "a member given twice is refused");
	header("{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"}", "JSON", "also where one of them is escaped");
	header("{\"alg\":\"ES256\"}{}", "JSON", "text behind the header is refused");
	header("[\"ES256\"]", "no object", "a header that is no object is refused");
	header("\xef\xbb\xbf{\"alg\":\"ES256\"}", "JSON", "a byte order mark is refused");
	for (size_t n = 256; n <= 257; n++)
	{
		memset(kid, 'k', n);
		snprintf(kid + n, sizeof(kid) - n, "%s", "");
		char		json[500];

		snprintf(json, sizeof(json), "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid);
		header(json, n == 256 ? NULL : "kid", n == 256 ? "a kid of 256 bytes" : "a kid of 257 bytes is refused");
	}
}

static void
shape(const char *token, const char *why, const char *name)
{
	const char *got = reason(token, strlen(token));

	if (!ok(got != NULL && strstr(got, why) != NULL, "%s", name))
		printf("#   %s\n", got != NULL ? got : "taken");
}

#define HEADER "eyJhbGciOiJFUzI1NiJ9"	/* {"alg":"ES256"} */

static void
shapes(void)
{
	char	   *longest = malloc(JWT_MAX + 1);

	shape("", "three", "no text at all");
	shape(".", "three", "one point");
	shape("..", "header", "two points");
	shape(HEADER, "three", "one segment");
	shape(HEADER ".e30", "three", "two segments");
	shape(HEADER ".e30.AAAA.AAAA", "signature", "four segments");
	shape(HEADER ".e30.AAAA.AAAA.AAAA", "signature", "five segments");
	shape(HEADER ".e30.AAAA.", "signature", "a point at the end");
	shape(HEADER ".e30=.AAAA", "payload", "a padded payload");
	shape(HEADER ".e31.AAAA", "payload", "a payload with stray bits");
	shape(HEADER "\n.e30.AAAA", "header", "a line break");
	shape(" " HEADER ".e30.AAAA", "header", "a blank before");
	shape(HEADER ".e30.AAAA ", "signature", "a blank behind");
	shape("{\"payload\":\"e30\",\"protected\":\"" HEADER "\",\"signature\":\"AAAA\"}", "three", "the JSON form");
	ok(reason(HEADER "..AAAA", strlen(HEADER "..AAAA")) == NULL, "an empty payload is a payload");
	memset(longest, 'A', JWT_MAX + 1);
	memcpy(longest, HEADER ".", strlen(HEADER) + 1);
	longest[JWT_MAX - 4] = '.';
	ok(reason(longest, JWT_MAX) == NULL, "a token of 8,192 bytes");
	ok(reason(longest, JWT_MAX + 1) != NULL, "one more is too long");
	/* The longest signature that fits, and one byte more. */
	memset(longest, 'A', JWT_MAX);
	memcpy(longest, HEADER ".e30.", strlen(HEADER) + 5);
	ok(reason(longest, strlen(HEADER) + 5 + 1366) == NULL, "a signature of 1,024 bytes");
	ok(reason(longest, strlen(HEADER) + 5 + 1367) != NULL, "one of 1,025 is too long");
	free(longest);
}

int
main(void)
{
	for (int i = 0; i < ALGS; i++)
	{
		keys[i] = make_key(algs[i]);
		publish(keys[i], i == 0 ? ",\"alg\":\"RS256\"" : i == 1 ? ",\"alg\":\"PS256\"" : "", &jwks[i]);
	}
	example(RFC7515_A2_TOKEN, RFC7515_A2_KEY, RFC7515_TEXT, "RFC 7515 appendix A.2");
	example(RFC7515_A3_TOKEN, RFC7515_A3_KEY, RFC7515_TEXT, "RFC 7515 appendix A.3");
	example(RFC8037_TOKEN, RFC8037_KEY, RFC8037_TEXT, "RFC 8037 appendix A.4");
	own_tokens();
	narrowed_keys();
	kids();
	pairs();
	paddings();
	headers();
	shapes();
	for (int i = 0; i < ALGS; i++)
	{
		jwk_free(&jwks[i]);
		EVP_PKEY_free(keys[i]);
	}
	return done();
}
