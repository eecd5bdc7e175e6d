/*
 * test_ed25519.c
 *		lc_ed25519: the examples of RFC 8032 section 7.1, weak public keys, and
 *		Wycheproof's vectors where LEDGER_VECTORS is set.
 */
#include <openssl/err.h>

#include "harness.h"
#include "lc_ed25519.h"
#include "lc_hex.h"
#include "lc_jsontree.h"

static void
unhex(const char *hex, uint8_t *out, size_t n)
{
	if (lc_hex_decode(hex, strlen(hex), out, n) != LC_OK)
		abort();
}

/* ---- RFC 8032 ---- */

static void
signs(const char *name, const char *seed_hex, const char *public_hex, const char *message_hex,
	  const char *signature_hex)
{
	uint8_t		seed[LC_ED25519_KEY_LEN];
	uint8_t		public_key[LC_ED25519_KEY_LEN];
	uint8_t		signature[LC_ED25519_SIGNATURE_LEN];
	uint8_t		message[2];
	size_t		n = strlen(message_hex) / 2;

	unhex(seed_hex, seed, sizeof(seed));
	unhex(message_hex, message, n);
	is_status(lc_ed25519_public(seed, public_key), LC_OK, name);
	is_hex(public_key, sizeof(public_key), public_hex, "its public key");
	is_status(lc_ed25519_check_public(public_key), LC_OK, "is a good one");
	is_status(lc_ed25519_sign(seed, message, n, signature), LC_OK, "it signs");
	is_hex(signature, sizeof(signature), signature_hex, "as published");
	is_status(lc_ed25519_verify(public_key, message, n, signature, sizeof(signature)), LC_OK,
			  "and the signature holds");
}

static void
test_rfc(void)
{
	signs("TEST 1", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
		  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
		  "d25bf5f0595bbe24655141438e7a100b");
	signs("TEST 2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
		  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
		  "387b2eaeb4302aeeb00d291612bb0c00");
	signs("TEST 3", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
		  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
		  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
		  "4a7c15e9716ed28dc027beceea1ec40a");
}

/* ---- what does not hold ---- */

static void
test_refusals(void)
{
	uint8_t		seed[LC_ED25519_KEY_LEN];
	uint8_t		public_key[LC_ED25519_KEY_LEN];
	uint8_t		signature[LC_ED25519_SIGNATURE_LEN];
	size_t		held = 0;

	is_status(lc_ed25519_generate(seed), LC_OK, "a new seed");
	is_status(lc_ed25519_public(seed, public_key), LC_OK, "has a public key");
	is_status(lc_ed25519_sign(seed, "text", 4, signature), LC_OK, "and signs");
	is_status(lc_ed25519_verify(public_key, "text", 4, signature, sizeof(signature)), LC_OK,
			  "which holds");

	ERR_clear_error();
	for (size_t bit = 0; bit < 8 * sizeof(signature); bit++)
	{
		signature[bit / 8] ^= (uint8_t) (1 << bit % 8);
		held += lc_ed25519_verify(public_key, "text", 4, signature, sizeof(signature)) !=
			LC_ERR_SIGNATURE;
		signature[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	ok(held == 0, "with any of 512 bits changed it does not");
	is_status(lc_ed25519_verify(public_key, "texts", 5, signature, 64), LC_ERR_SIGNATURE,
			  "nor for a longer text");
	is_status(lc_ed25519_verify(public_key, "text", 4, signature, 63), LC_ERR_SIGNATURE,
			  "nor a byte short");
	is_status(lc_ed25519_verify(public_key, "text", 4, signature, 0), LC_ERR_SIGNATURE, "nor empty");
	ok(ERR_peek_error() == 0, "and none of these is left in OpenSSL's queue of errors");

	ERR_raise(ERR_LIB_USER, 1);
	signature[0] ^= 1;
	is_status(lc_ed25519_verify(public_key, "text", 4, signature, 64), LC_ERR_SIGNATURE, "once more");
	ok(ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_USER, "the host's own error stays there");
	ERR_clear_error();
}

static void
test_generate(void)
{
	uint8_t		a[LC_ED25519_KEY_LEN] = {0};
	uint8_t		b[LC_ED25519_KEY_LEN] = {0};

	ok(lc_ed25519_generate(a) == LC_OK && lc_ed25519_generate(b) == LC_OK &&
	   memcmp(a, b, sizeof(a)) != 0, "two seeds differ");
}

/* ---- weak keys ---- */

static void
weak(const char *hex, lc_status want, const char *name)
{
	uint8_t		key[LC_ED25519_KEY_LEN];

	unhex(hex, key, sizeof(key));
	is_status(lc_ed25519_check_public(key), want, name);
}

/*
 * The eight points of small order as computed from the curve's equation: L
 * times a point, L the prime order of RFC 8032 section 5.1.
 */
static void
test_weak_keys(void)
{
	weak("0100000000000000000000000000000000000000000000000000000000000000", LC_ERR_RANGE, "order 1");
	weak("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", LC_ERR_RANGE, "order 2");
	weak("0000000000000000000000000000000000000000000000000000000000000000", LC_ERR_RANGE, "order 4");
	weak("0000000000000000000000000000000000000000000000000000000000000080", LC_ERR_RANGE, "order 4, -x");
	weak("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", LC_ERR_RANGE, "order 8");
	weak("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", LC_ERR_RANGE, "order 8, -x");
	weak("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", LC_ERR_RANGE, "order 8, -y");
	weak("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", LC_ERR_RANGE,
		 "order 8, -x and -y");

	weak("0100000000000000000000000000000000000000000000000000000000000080", LC_ERR_RANGE,
		 "order 1, x = -0");
	weak("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", LC_ERR_RANGE,
		 "order 2, x = -0");
	weak("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", LC_ERR_RANGE, "y = p");
	weak("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", LC_ERR_RANGE, "y = p, -x");
	weak("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", LC_ERR_RANGE, "y = p + 1");
	weak("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", LC_ERR_RANGE, "y = p + 3");
	weak("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", LC_ERR_RANGE,
		 "y = 2^255 - 1");

	weak("ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", LC_OK, "y = p - 2 is no such");
	weak("fffeffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", LC_OK, "nor is p less 238");
	weak("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7e", LC_OK, "nor 2^255 - 1 less 2^248");
	weak("0100000000000000000000000000000000000000000000000000000000000001", LC_OK, "nor 1 plus 2^248");
	weak("0200000000000000000000000000000000000000000000000000000000000000", LC_OK, "nor 2");
}

/* ---- Wycheproof ---- */

static bool
hex_member(const lc_json *o, const char *name, uint8_t *out, size_t cap, size_t *n)
{
	lc_str		text = lc_json_string(o, name);

	*n = text.n / 2;
	return text.s != NULL && *n <= cap && lc_hex_decode(text.s, text.n, out, *n) == LC_OK;
}

static void
decide(const lc_json *test, const uint8_t public_key[LC_ED25519_KEY_LEN])
{
	uint8_t		message[4096];
	uint8_t		signature[256];
	size_t		message_len = 0;
	size_t		signature_len = 0;
	uint64_t	id = 0;
	bool		valid = same(lc_json_string(test, "result"), "valid");
	bool		read = lc_json_uint(test, "tcId", &id) &&
		hex_member(test, "msg", message, sizeof(message), &message_len) &&
		hex_member(test, "sig", signature, sizeof(signature), &signature_len);

	ok(read && lc_ed25519_verify(public_key, message, message_len, signature, signature_len) ==
	   (valid ? LC_OK : LC_ERR_SIGNATURE), "Wycheproof %d is %s", (int) id, valid ? "valid" : "invalid");
}

static void
decide_all(const lc_json *root)
{
	const lc_json *groups = lc_json_member(root, "testGroups");
	size_t		count = 0;

	for (const lc_json *g = groups != NULL ? groups->child : NULL; g != NULL; g = g->next)
	{
		const lc_json *tests = lc_json_member(g, "tests");
		uint8_t		public_key[LC_ED25519_KEY_LEN];
		size_t		n;

		if (!hex_member(lc_json_member(g, "publicKey"), "pk", public_key, sizeof(public_key), &n) ||
			n != sizeof(public_key))
			continue;
		for (const lc_json *t = tests != NULL ? tests->child : NULL; t != NULL; t = t->next)
		{
			decide(t, public_key);
			count++;
		}
	}
	is_int((int64_t) count, 151, "all of Wycheproof's tests were decided");
}

static void
test_wycheproof(void)
{
	const char *vectors = getenv("LEDGER_VECTORS");
	char		path[1024];
	lc_buf		file;
	lc_jsontree *tree = NULL;

	if (vectors == NULL)
	{
		skip("Wycheproof", "LEDGER_VECTORS is not set");
		return;
	}
	snprintf(path, sizeof(path), "%s/wycheproof/ed25519_test.json", vectors);
	lc_buf_init(&file, &lc_alloc_malloc);
	if (ok(read_file(path, &file), "%s can be read", path) &&
		ok(lc_jsontree_parse(file.data, file.len, 0, &lc_alloc_malloc, &tree, NULL) == LC_OK,
		   "and is JSON"))
		decide_all(lc_jsontree_root(tree));
	lc_jsontree_free(tree);
	lc_buf_free(&file);
}

int
main(void)
{
	test_rfc();
	test_refusals();
	test_generate();
	test_weak_keys();
	test_wycheproof();
	return done();
}
