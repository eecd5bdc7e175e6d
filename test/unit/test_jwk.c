/*
 * test_jwk.c
 *		Which public keys are taken, and for what.
 */
#include "jose_examples.h"
#include "tokens.h"

#define EC "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X "\",\"y\":\"" RFC7515_A3_Y "\""
#define RSA_N "{\"kty\":\"RSA\",\"n\":\"" RFC7515_A2_N "\",\"e\":"
#define OKP "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"

static void
taken(const char *text, unsigned algs, const char *name)
{
	jwk			k;
	const char *why = read_jwk(text, &k);

	if (!ok(why == NULL && k.algs == algs, "%s is taken", name))
		printf("#   %s, algorithms %x\n", why != NULL ? why : "taken", k.algs);
	jwk_free(&k);
}

static void
refused(const char *text, const char *why, const char *name)
{
	jwk			k;
	const char *got = read_jwk(text, &k);

	if (!ok(got != NULL && strstr(got, why) != NULL && k.key == NULL, "%s is not taken", name))
		printf("#   %s\n", got != NULL ? got : "taken");
	jwk_free(&k);
}

static void
purposes(void)
{
	taken(RFC7515_A2_KEY, JWT_RS256 | JWT_PS256, "an RSA key that says nothing more, for both algorithms,");
	taken(RSA_N "\"AQAB\",\"alg\":\"RS256\"}", JWT_RS256, "an RSA key for RS256 alone");
	taken(RSA_N "\"AQAB\",\"alg\":\"PS256\",\"use\":\"sig\",\"key_ops\":[\"verify\"]}", JWT_PS256,
		  "one for PS256 alone");
	taken(RFC7515_A3_KEY, JWT_ES256, "a P-256 key");
	taken(RFC8037_KEY, JWT_EDDSA, "an Ed25519 key");
	taken(EC ",\"key_ops\":[\"sign\",\"verify\"],\"x5t\":\"ignored\",\"ext\":true}", JWT_ES256,
		  "a key with members that are not ours");
	refused(EC ",\"alg\":\"RS256\"}", "alg", "a P-256 key for RS256");
	refused(EC ",\"alg\":\"ES384\"}", "alg", "a P-256 key for ES384");
	refused(RSA_N "\"AQAB\",\"alg\":\"ES256\"}", "alg", "an RSA key for ES256");
	refused(RSA_N "\"AQAB\",\"alg\":\"RSA-OAEP\"}", "alg", "an RSA key for encryption by its alg");
	refused(RSA_N "\"AQAB\",\"alg\":\"HS256\"}", "alg", "an RSA key for HS256");
	refused(RSA_N "\"AQAB\",\"alg\":[\"RS256\"]}", "alg", "a key with a list of algs");
	refused(EC ",\"use\":\"enc\"}", "use", "a key for encryption by its use");
	refused(EC ",\"use\":[\"sig\"]}", "use", "a key with a list of uses");
	refused(EC ",\"key_ops\":[\"encrypt\"]}", "key_ops", "a key for encryption by its key_ops");
	refused(EC ",\"key_ops\":[]}", "key_ops", "a key for nothing");
	refused(EC ",\"key_ops\":[\"sign, verify\"]}", "key_ops", "a key with two operations in one string");
	refused(EC ",\"key_ops\":\"verify\"}", "key_ops", "a key with one operation outside a list");
	refused(EC ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}", "private", "a private key");
	refused(EC ",\"kid\":7}", "kid", "a key with a number for its kid");
	refused(EC ",\"kid\":\"\"}", "kid", "a key with an empty kid");
}

static void
types(void)
{
	refused("{\"kty\":\"oct\",\"k\":\"AAAA\"}", "kty", "a symmetric key");
	refused("{\"kty\":\"rsa\"}", "kty", "a type in lower case");
	refused("{}", "kty", "a key without type");
	refused("{\"kty\":[\"RSA\"]}", "kty", "a list of types");
	refused("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}", "crv", "P-384");
	refused("{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" RFC7515_A3_X "\",\"y\":\"" RFC7515_A3_Y "\"}", "crv",
			"secp256k1");
	refused("{\"kty\":\"EC\",\"x\":\"" RFC7515_A3_X "\",\"y\":\"" RFC7515_A3_Y "\"}", "crv", "a curve without name");
	refused("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X "\"}", "32 bytes", "half a point");
	refused("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_Y "\",\"y\":\"" RFC7515_A3_X "\"}", "no point",
			"a point that is not on the curve");
	refused("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
			"\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", "no point", "the point 0, 0");
	refused("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AH_NzidxdsXUGDy-5v20t7WAczNXvp7xO6z248e9FURQ\","
			"\"y\":\"" RFC7515_A3_Y "\"}",
			"32 bytes", "a number of 33 bytes");
	refused("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_A3_X "=\",\"y\":\"" RFC7515_A3_Y "\"}", "32 bytes",
			"a padded number");
	refused("{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" RFC8037_X "\"}", "crv", "Ed448");
	refused("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" RFC8037_X "\"}", "crv", "X25519");
	refused(OKP "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ\"}", "32 bytes", "an Ed25519 key of 31 bytes");
	refused(OKP "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", "weak", "an Ed25519 key of small order");
}

static void
rsa_with(const char *e, const char *why, const char *name)
{
	char		text[600];

	snprintf(text, sizeof(text), RSA_N "\"%s\"}", e);
	refused(text, why, name);
}

static void
rsa_modulus(int bits, const char *why, const char *name)
{
	EVP_PKEY   *key = EVP_RSA_gen((unsigned) bits);
	lc_buf		text;

	lc_buf_init(&text, &lc_alloc_malloc);
	put_jwk(&text, key, "");
	if (why != NULL)
		refused(text.data, why, name);
	else
		taken(text.data, JWT_RS256 | JWT_PS256, name);
	lc_buf_free(&text);
	EVP_PKEY_free(key);
}

static void
rsa_leading_zero(void)
{
	EVP_PKEY   *key = EVP_RSA_gen(2048);
	lc_buf		text;

	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_puts(&text, "{\"kty\":\"RSA\",\"n\":\"");
	put_number(&text, key, OSSL_PKEY_PARAM_RSA_N, 257);
	lc_buf_puts(&text, "\",\"e\":\"AQAB\"}");
	refused(text.data, "its n", "an n with a leading zero");
	lc_buf_free(&text);
	EVP_PKEY_free(key);
}

static void
rsa(void)
{
	taken(RSA_N "\"Aw\"}", JWT_RS256 | JWT_PS256, "the exponent 3");
	rsa_with("AQ", "its e", "the exponent 1");
	rsa_with("AQAC", "its e", "an even exponent");
	rsa_with("", "its e", "an empty exponent");
	rsa_with("AAEAAQ", "its e", "an exponent with a leading zero");
	rsa_with("AQAAAAE", "its e", "an exponent above 2^32");
	rsa_with("AQAAAAAAAAAAAQ", "its e", "an exponent of 10 bytes");
	rsa_modulus(2048, NULL, "an RSA key of 2,048 bits");
	rsa_modulus(2047, "2,048", "an RSA key of 2,047 bits");
	rsa_modulus(1024, "2,048", "an RSA key of 1,024 bits");
	refused("{\"kty\":\"RSA\",\"e\":\"AQAB\"}", "its n", "an RSA key without n");
	rsa_leading_zero();
}

/* ---- sets ---- */

static int	skips;
static char last_skip[200];

static void
note_skip(lc_str kid, const char *why, void *arg)
{
	(void) arg;
	skips++;
	snprintf(last_skip, sizeof(last_skip), "%.*s: %s", (int) kid.n, kid.s != NULL ? kid.s : "", why);
}

/* How many keys; -1: refused for that reason. */
static void
set_has(const char *text, int want, int want_skips, const char *why, const char *name)
{
	jwk_set    *set = malloc(sizeof(*set));
	fault		f = {""};
	int			got;

	skips = 0;
	got = jwk_set_parse(text, strlen(text), set, note_skip, NULL, &f) ? (int) set->count : -1;
	if (!ok(got == want && skips == want_skips && strstr(f.text, why) != NULL, "%s", name))
		printf("#   %d keys, %d passed over, \"%s\"\n", got, skips, f.text);
	jwk_set_clear(set);
	free(set);
}

static void
sets(void)
{
	lc_buf		many;

	set_has("{\"keys\":[" RFC7515_A2_KEY "," RFC7515_A3_KEY "," RFC8037_KEY "]}", 3, 0, "", "a set of three keys");
	set_has("{\"keys\":[]}", 0, 0, "", "an empty set is a set");
	set_has("{\"keys\":[" RFC8037_KEY ",{\"kty\":\"oct\",\"kid\":\"h\"},7]}", 1, 2, "",
			"what is no key of ours is passed over");
	set_has("{\"keys\":[{\"kty\":\"oct\",\"kid\":\"h\"}]}", 0, 1, "", "and told of");
	is_bytes(last_skip, strlen(last_skip), "h: its kty is not RSA, EC or OKP", 32, "by its kid");
	set_has("{\"keys\":[" EC ",\"kid\":\"a\"}," OKP "\"" RFC8037_X "\",\"kid\":\"a\"}]}", -1, 0,
			"two keys have the kid", "two keys of one kid are refused");
	set_has("{\"keys\":[" EC ",\"kid\":\"a\"}," OKP "\"" RFC8037_X "\",\"kid\":\"a\",\"use\":\"enc\"}]}", 1, 1, "",
			"unless one of them is not for signatures");
	set_has("{\"keys\":[" EC "}," EC "}]}", 2, 0, "", "keys without kid are as many as there are");
	set_has("{\"keys\":[],\"keys\":[" RFC8037_KEY "]}", -1, 0, "not JSON", "a member given twice is refused");
	set_has("{\"keys\":[" EC ",\"kid\":\"a\",\"kid\":\"b\"}]}", -1, 0, "not JSON", "within a key too");
	set_has("{\"keys\":{}}", -1, 0, "no array", "keys that are no array");
	set_has("[" RFC8037_KEY "]", -1, 0, "no array", "an array alone");
	set_has("{\"keys\":[" RFC8037_KEY "]", -1, 0, "not JSON", "half a set");
	set_has("", -1, 0, "not JSON", "nothing");
	lc_buf_init(&many, &lc_alloc_malloc);
	lc_buf_puts(&many, "{\"keys\":[");
	for (int i = 0; i <= JWK_MAX_KEYS; i++)
		lc_buf_puts(&many, i > 0 ? "," RFC8037_KEY : RFC8037_KEY);
	lc_buf_puts(&many, "]}");
	set_has(many.data, -1, 0, "more than", "more keys than any authority has");
	lc_buf_free(&many);
}

static bool
same_digest(const char *a, const char *b)
{
	jwk_set    *sets_of = malloc(2 * sizeof(*sets_of));
	fault		f;
	bool		same_one;

	NEVER_FAILS(jwk_set_parse(a, strlen(a), &sets_of[0], NULL, NULL, &f));
	NEVER_FAILS(jwk_set_parse(b, strlen(b), &sets_of[1], NULL, NULL, &f));
	same_one = memcmp(sets_of[0].digest, sets_of[1].digest, 32) == 0;
	jwk_set_clear(&sets_of[0]);
	jwk_set_clear(&sets_of[1]);
	free(sets_of);
	return same_one;
}

static void
digests(void)
{
	ok(same_digest("{\"keys\":[" RFC8037_KEY "]}", "{ \"keys\" : [" RFC8037_KEY ",{\"kty\":\"oct\"}], \"x\": 1 }"),
	   "the same keys have the same digest, however they are written");
	ok(!same_digest("{\"keys\":[" RFC8037_KEY "]}", "{\"keys\":[]}"), "no keys have another");
	ok(!same_digest("{\"keys\":[" EC "}]}", "{\"keys\":[" EC ",\"kid\":\"a\"}]}"), "a kid makes another");
	ok(!same_digest("{\"keys\":[" EC ",\"kid\":\"a\"}]}", "{\"keys\":[" EC ",\"kid\":\"b\"}]}"), "another kid too");
	ok(!same_digest("{\"keys\":[" RSA_N "\"AQAB\"}]}", "{\"keys\":[" RSA_N "\"AQAB\",\"alg\":\"RS256\"}]}"),
	   "another algorithm too");
	ok(!same_digest("{\"keys\":[" RSA_N "\"AQAB\"}]}", "{\"keys\":[" RSA_N "\"Aw\"}]}"), "and another number");
}

int
main(void)
{
	purposes();
	types();
	rsa();
	sets();
	digests();
	return done();
}
