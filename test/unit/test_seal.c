/*
 * test_seal.c
 *		The deployment's keys, and envelope encryption under them.  The derived
 *		bytes were computed apart, by Python's hmac and hashlib.
 */
#include "harness.h"
#include "seal.h"

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="	/* 00 01 … 1f */
#define KEY_B "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="	/* 20 21 … 3f */

static const char plain[] = "what was found";

static seal_subject
subject(const char *digest)
{
	return (seal_subject)
	{
		.tenant = str("acme"), .finding = str("pkg:npm/lodash"),
		.attachment = str("0198c0de-0000-7000-8000-000000000001"),
		.digest = str(digest), .media_type = str("text/plain"), .file_name = str("a.txt")
	};
}

static void
test_keys(void)
{
	keyring		ring;
	fault		f;

	ok(keyring_read("", "", &ring, &f) && ring.count == 0, "no key is no key");
	ok(keyring_read("", KEY_A, &ring, &f) && ring.count == 0, "nor are earlier ones alone");
	ok(keyring_read(KEY_A, "", &ring, &f) && ring.count == 1, "one key");
	is_bytes(ring.keys[0].id, strlen(ring.keys[0].id), "671aee14e9f92107", 16, "has this id");
	is_hex(ring.keys[0].wrap, 32, "e1313a5741590a92ecc205de4e4e42c03670842495d1edfd4c6d98ba66579c0c",
		   "wraps with this one");
	is_hex(ring.keys[0].sign, 32, "091c8233714c322458f3d440c00981370206b0e3041c83b9e9de48ecea8a2e7a",
		   "signs with this one");
	ok(keyring_read(KEY_B, KEY_A ";", &ring, &f) && ring.count == 2 &&
	   keyring_find(&ring, "671aee14e9f92107") == &ring.keys[1], "an earlier one is found by its id");
	ok(keyring_find(&ring, "0000000000000000") == NULL, "another is not");
	ok(!keyring_read("AAECAw==", "", &ring, &f) && strstr(f.text, "32 bytes in base64") && !strstr(f.text, "AAEC"),
	   "a short key is refused without being told");
	ok(!keyring_read(KEY_A, "x", &ring, &f) && ring.count == 0, "so is an earlier one that is none");
	ok(!keyring_read(KEY_A, KEY_A ";" KEY_A ";" KEY_A ";" KEY_A ";" KEY_A ";" KEY_A ";" KEY_A ";" KEY_A ";" KEY_A,
					 &ring, &f), "nine earlier ones are too many");
}

static void
opens(const keyring *ring, const seal_subject *s, const seal *with, const char *text, seal_result want,
	  const char *name)
{
	char		out[sizeof(plain)] = "";

	is_int(seal_open(ring, s, with, text, sizeof(plain), out), want, name);
	ok(memcmp(out, plain, sizeof(plain)) == 0 || want != SEAL_OK, "and is what it was");
	if (want != SEAL_OK)
		ok(memchr(out, 'f', sizeof(plain)) == NULL, "and nothing of it is seen");
}

/* Every part of the subject, and every bit of the rest. */
static void
test_changes(const keyring *ring, const seal_subject *good, const seal *with, const char *text)
{
	size_t		i,
				bit;
	int			opened = 0;
	char		out[sizeof(plain)];
	seal		changed = *with;

	for (i = 0; i < sizeof(*good) / sizeof(lc_str); i++)
	{
		seal_subject other = *good;

		((lc_str *) &other)[i].n--;
		opens(ring, &other, with, text, SEAL_BROKEN, "of another subject it does not open");
	}
	for (bit = 0; bit < (SEAL_WRAPPED + AEAD_NONCE + AEAD_TAG) * 8; bit++)
	{
		uint8_t    *byte = bit / 8 < SEAL_WRAPPED ? &changed.wrapped_key[bit / 8] :
			bit / 8 < SEAL_WRAPPED + AEAD_NONCE ? &changed.nonce[bit / 8 - SEAL_WRAPPED] :
			&changed.tag[bit / 8 - SEAL_WRAPPED - AEAD_NONCE];

		*byte ^= (uint8_t) (1u << bit % 8);
		opened += seal_open(ring, good, &changed, text, sizeof(plain), out) != SEAL_BROKEN;
		*byte ^= (uint8_t) (1u << bit % 8);
	}
	is_int(opened, 0, "nor with a bit of key, nonce or tag changed");
}

/* A digest that was bound, but is another text's: the ledger's event would tell of another file. */
static void
test_digest(const keyring *ring)
{
	char		digest[SEAL_DIGEST + 1],
				sealed[sizeof(plain)];
	seal_subject s;
	seal		made;

	seal_digest("another", 7, digest);
	s = subject(digest);
	is_int(seal_make(ring, &s, plain, sizeof(plain), &made, sealed), SEAL_OK, "sealed with a wrong digest");
	opens(ring, &s, &made, sealed, SEAL_BROKEN, "it does not open");
}

static void
test_seal(void)
{
	char		digest[SEAL_DIGEST + 1],
				sealed[sizeof(plain)];
	keyring		a,
				b,
				both,
				none = {0};
	fault		f;
	seal		made;
	seal		old;
	seal_subject s;

	keyring_read(KEY_A, "", &a, &f);
	keyring_read(KEY_B, "", &b, &f);
	keyring_read(KEY_B, KEY_A, &both, &f);
	ok(seal_digest(plain, sizeof(plain), digest), "a digest");
	s = subject(digest);
	is_int(seal_make(&none, &s, plain, sizeof(plain), &made, sealed), SEAL_NO_KEY, "without a key nothing is sealed");
	is_int(seal_make(&a, &s, plain, sizeof(plain), &made, sealed), SEAL_OK, "with one it is");
	ok(memcmp(sealed, plain, sizeof(plain)) != 0, "and not to be read");
	opens(&a, &s, &made, sealed, SEAL_OK, "it opens");
	opens(&b, &s, &made, sealed, SEAL_NO_KEY, "with another key it does not");
	opens(&both, &s, &made, sealed, SEAL_OK, "where the key is an earlier one it does");
	test_changes(&a, &s, &made, sealed);
	test_digest(&a);

	old = made;
	is_int(seal_rewrap(&both, &s, &made), SEAL_OK, "it is wrapped anew");
	opens(&b, &s, &made, sealed, SEAL_OK, "and opens with the new key alone");
	opens(&a, &s, &made, sealed, SEAL_NO_KEY, "and not with the old one");
	ok(memcmp(old.nonce, made.nonce, AEAD_NONCE) == 0 && memcmp(old.tag, made.tag, AEAD_TAG) == 0,
	   "the payload stays as it was");
	is_int(seal_rewrap(&a, &s, &made), SEAL_NO_KEY, "what is not known is not wrapped");
	old.wrapped_key[20] ^= 1;
	is_int(seal_rewrap(&both, &s, &old), SEAL_BROKEN, "what is broken neither");
}

int
main(void)
{
	test_keys();
	test_seal();
	return done();
}
