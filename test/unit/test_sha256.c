/*
 * test_sha256.c
 *		lc_sha256.
 */
#include <pthread.h>

#include <openssl/evp.h>

#include "harness.h"
#include "lc_envelope.h"
#include "lc_sha256.h"

static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void *
hash_in_thread(void *arg)
{
	lc_status  *status = arg;
	uint8_t		digest[LC_HASH_LEN];
	int			i;

	*status = LC_OK;
	for (i = 0; i < 1000 && *status == LC_OK; i++)
		*status = lc_sha256("abc", 3, digest);
	if (digest[0] != 0xba || digest[31] != 0xad)
		*status = LC_ERR_CRYPTO;
	lc_sha256_thread_end();
	return NULL;
}

static void
test_threads(void)
{
	pthread_t	threads[4];
	lc_status	status[4];
	int			i;
	bool		good = true;

	for (i = 0; i < 4; i++)
		good = pthread_create(&threads[i], NULL, hash_in_thread, &status[i]) == 0 && good;
	for (i = 0; i < 4; i++)
		good = pthread_join(threads[i], NULL) == 0 && status[i] == LC_OK && good;
	ok(good, "four threads hash at once");
}

/* OpenSSL without SHA-256: every hash says so, and touches no output. */
static void
test_refusal(void)
{
	static const uint8_t untouched[LC_HASH_LEN] = {0};
	uint8_t		out[LC_HASH_LEN] = {0};
	lc_str		text = {"text", 4};

	lc_sha256_thread_end();
	EVP_set_default_properties(NULL, "provider=none");
	is_status(lc_sha256("abc", 3, out), LC_ERR_CRYPTO, "no SHA-256 to be had");
	is_status(lc_sha256_selftest(), LC_ERR_CRYPTO, "the self-test notices");
	is_status(lc_salted_hash(LC_DOMAIN_PAYLOAD, NULL, 0, "{}", 2, out), LC_ERR_CRYPTO, "no salted hash");
	is_status(lc_event_hash("{}", 2, out), LC_ERR_CRYPTO, "no event hash");
	is_status(lc_leaf_hash("{}", 2, out), LC_ERR_CRYPTO, "no leaf hash");
	is_status(lc_uuid_chain(out, text, text), LC_ERR_CRYPTO, "no chain id");
	ok(memcmp(out, untouched, sizeof(out)) == 0, "and nothing was written");
	EVP_set_default_properties(NULL, "");
	is_status(lc_sha256_selftest(), LC_OK, "it is found again when it is back");
}

int
main(void)
{
	uint8_t		digest[LC_HASH_LEN];
	lc_bytes	parts[4] = {{"a", 1}, {NULL, 0}, {"b", 1}, {"c", 1}};

	is_status(lc_sha256_selftest(), LC_OK, "self-test");
	is_status(lc_sha256("", 0, digest), LC_OK, "the empty message");
	is_hex(digest, LC_HASH_LEN,
		   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "its hash");
	is_status(lc_sha256(NULL, 0, digest), LC_OK, "empty may be NULL");
	is_status(lc_sha256("abc", 3, digest), LC_OK, "abc");
	is_hex(digest, LC_HASH_LEN, abc, "its hash");
	is_status(lc_sha256_parts(parts, 4, digest), LC_OK, "abc in parts, one of them empty");
	is_hex(digest, LC_HASH_LEN, abc, "hashes as their concatenation");
	is_status(lc_sha256_parts(NULL, 0, digest), LC_OK, "no parts at all");
	is_hex(digest, LC_HASH_LEN,
		   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "are empty");
	is_status(lc_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, digest),
			  LC_OK, "FIPS 180-4, two blocks");
	is_hex(digest, LC_HASH_LEN,
		   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "its hash");
	lc_sha256_thread_end();
	is_status(lc_sha256("abc", 3, digest), LC_OK, "works again after the thread's end");
	is_hex(digest, LC_HASH_LEN, abc, "with the same result");
	test_threads();
	test_refusal();
	lc_sha256_thread_end();
	return done();
}
