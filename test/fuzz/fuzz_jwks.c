/*
 * fuzz_jwks.c
 *		Sets of keys on any bytes: what is taken is usable, and is the same when
 *		it is read again.  The same bytes as a map of client certificates.
 */
#include "client_map.h"
#include "fuzz.h"
#include "jwk.h"

static size_t skips;

static void
count_skip(lc_str kid, const char *why, void *arg)
{
	(void) kid, (void) arg;
	HOLDS(why != NULL && *why != '\0');
	skips++;
}

static void
check_key(const jwk *k)
{
	HOLDS(k->key != NULL && k->algs != 0 && k->kid_len <= JWK_MAX_KID);
	if ((k->algs & (JWT_RS256 | JWT_PS256)) != 0)
		HOLDS(EVP_PKEY_is_a(k->key, "RSA") && EVP_PKEY_get_bits(k->key) >= 2048 && EVP_PKEY_get_bits(k->key) <= 8192);
	else if ((k->algs & JWT_ES256) != 0)
		HOLDS(EVP_PKEY_is_a(k->key, "EC") && k->algs == JWT_ES256);
	else
		HOLDS(EVP_PKEY_is_a(k->key, "ED25519") && k->algs == JWT_EDDSA);
}

static void
check_set(const char *text, size_t n)
{
	static jwk_set set,
				again;
	fault		f = {""};

	skips = 0;
	if (!jwk_set_parse(text, n, &set, count_skip, NULL, &f))
	{
		HOLDS(set.count == 0 && f.text[0] != '\0');
		return;
	}
	HOLDS(set.count <= JWK_MAX_KEYS);
	for (size_t i = 0; i < set.count; i++)
	{
		check_key(&set.keys[i]);
		for (size_t j = 0; j < i; j++)
			HOLDS(set.keys[i].kid_len == 0 || strcmp(set.keys[i].kid, set.keys[j].kid) != 0);
	}
	HOLDS(jwk_set_parse(text, n, &again, NULL, NULL, &f));
	HOLDS(again.count == set.count && memcmp(again.digest, set.digest, sizeof(set.digest)) == 0);
	jwk_set_clear(&set);
	jwk_set_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fault		f = {""};
	client_map *map;

	check_set((const char *) data, size);
	map = client_map_parse((const char *) data, size, &f);
	HOLDS(map != NULL || f.text[0] != '\0');
	client_map_free(map);
	return 0;
}
