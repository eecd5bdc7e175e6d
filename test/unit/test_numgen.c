/*
 * test_numgen.c
 *		lc_number against the published number sequence.
 *
 * Appendix B of RFC 8785 points to a hundred million doubles with their text,
 * and to the SHA-256 of the first 10^3 to 10^8 lines "bits,text".  The doubles
 * follow from a rule, so the lines can be made here: a list of edge cases, 2000
 * bit patterns from the least normal double on, and then the finite doubles
 * other than zero in SHA-256 of 32 zero bytes, its SHA-256, and so on.
 *
 * LEDGER_LONG is set: ten million lines instead of a hundred thousand.
 */
#include <math.h>

#include <openssl/evp.h>

#include "harness.h"
#include "lc_number.h"
#include "lc_sha256.h"

/* 10/3 times powers of ten; they stand in the sequence twice, negative ones first. */
static const uint64_t thirds[] = {
	0x446696695dbd1cc3, 0x443211ede4974a35, 0x43fce97ca0f21056, 0x43c7213080c1a6ac,
	0x439280f39a348556, 0x435d9b1f5d20d557, 0x4327af4c4a80aaac, 0x42f2f2a36ecd5556,
	0x42be51057e155558, 0x428840d131aaaaac, 0x4253670dc1555557, 0x421f0b4935555557,
	0x41e8d5d42aaaaaac, 0x41b3de4355555556, 0x417fca0555555556, 0x41496e6aaaaaaaab,
	0x4114585555555555, 0x40e046aaaaaaaaab, 0x40aa0aaaaaaaaaaa, 0x4074d55555555555,
	0x4040aaaaaaaaaaab, 0x400aaaaaaaaaaaab, 0x3fd5555555555555, 0x3fa1111111111111,
	0x3f6b4e81b4e81b4f, 0x3f35d867c3ece2a5, 0x3f0179ec9cbd821e, 0x3ecbf647612f3696,
	0x3e965e9f80f29212, 0x3e61e54c672874db, 0x3e2ca213d840baf8, 0x3df6e80fe033c8c6,
	0x3dc2533fe68fd3d2, 0x3d8d51ffd74c861c, 0x3d5774ccac3d3817, 0x3d22c3d6f030f9ac,
	0x3cee0624b3818f79, 0x3cb804ea293472c7, 0x3c833721ba905bd3, 0x3c4ebe9c5db3c61e,
	0x3c18987d17c304e5, 0x3be3ad30dfcf371d, 0x3baf7b816618582f, 0x3b792f9ab81379bf,
	0x3b442615600f9499, 0x3b101e77800c76e1, 0x3ad9ca58cce0be35, 0x3aa4a1e0a3e6fe90,
	0x3a708180831f320d, 0x3a3a68cd9e985016,
};

/* Tens and fives, sums with a small part, and the borders of the forms. */
static const uint64_t edges[] = {
	0x4024000000000000, 0x4014000000000000, 0x3fe0000000000000, 0x3fa999999999999a,
	0x3f747ae147ae147b, 0x3f40624dd2f1a9fc, 0x3f0a36e2eb1c432d, 0x3ed4f8b588e368f1,
	0x3ea0c6f7a0b5ed8d, 0x3e6ad7f29abcaf48, 0x3e35798ee2308c3a, 0x3ed539223589fa95,
	0x3ed4ff26cd5a7781, 0x3ed4f95a762283ff, 0x3ed4f8c60703520c, 0x3ed4f8b72f19cd0d,
	0x3ed4f8b5b31c0c8d, 0x3ed4f8b58d1c461a, 0x3ed4f8b5894f7f0e, 0x3ed4f8b588ee37f3,
	0x3ed4f8b588e47da4, 0x3ed4f8b588e3849c, 0x3ed4f8b588e36bb5, 0x3ed4f8b588e36937,
	0x3ed4f8b588e368f8, 0x3ed4f8b588e368f1, 0x3ff0000000000000, 0xbff0000000000000,
	0xbfeffffffffffffa, 0xbfeffffffffffffb, 0x3feffffffffffffa, 0x3feffffffffffffb,
	0x3feffffffffffffc, 0x3feffffffffffffe, 0xbfefffffffffffff, 0xbfefffffffffffff,
	0x3fefffffffffffff, 0x3fefffffffffffff, 0x3fd3333333333332, 0x3fd3333333333333,
	0x3fd3333333333334, 0x0010000000000000, 0x000ffffffffffffd, 0x000fffffffffffff,
	0x7fefffffffffffff, 0xffefffffffffffff, 0x4340000000000000, 0xc340000000000000,
	0x4430000000000000, 0x44b52d02c7e14af5, 0x44b52d02c7e14af6, 0x44b52d02c7e14af7,
	0x444b1ae4d6e2ef4e, 0x444b1ae4d6e2ef4f, 0x444b1ae4d6e2ef50, 0x3eb0c6f7a0b5ed8c,
	0x3eb0c6f7a0b5ed8d, 0x41b3de4355555553, 0x41b3de4355555554, 0x41b3de4355555555,
	0x41b3de4355555556, 0x41b3de4355555557, 0xbecbf647612f3696, 0x43143ff3c1cb0959,
};

#define SIGN (UINT64_C(1) << 63)
#define THIRDS (sizeof(thirds) / sizeof(thirds[0]))
#define EDGES (sizeof(edges) / sizeof(edges[0]))
#define LISTED (4 + 2 * THIRDS + EDGES)
#define SERIES 2000

typedef struct published
{
	size_t		lines;
	const char *sha256;
} published;

static const published hashes[] = {
	{1000, "be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687"},
	{10000, "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892"},
	{100000, "22776e6d4b49fa294a0d0f349268e5c28808fe7e0cb2bcbe28f63894e494d4c7"},
	{1000000, "49415fee2c56c77864931bd3624faad425c3c577d6d74e89a83bc725506dad16"},
	{10000000, "b9f8a44a91d46813b21b9602e72f112613c91408db0b8341fb94603d9db135e0"},
};

static double
double_of(uint64_t bits)
{
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The next of the chain's doubles, little-endian, four to a hash. */
static uint64_t
next_of_chain(void)
{
	static uint8_t block[LC_HASH_LEN];
	static size_t used = LC_HASH_LEN;

	for (;;)
	{
		uint64_t	bits = 0;
		int			i;

		if (used == LC_HASH_LEN)
		{
			if (lc_sha256(block, sizeof(block), block) != LC_OK)
				abort();
			used = 0;
		}
		for (i = 7; i >= 0; i--)
			bits = bits << 8 | block[used + (size_t) i];
		used += 8;
		if (double_of(bits) != 0.0 && isfinite(double_of(bits)))
			return bits;
	}
}

static uint64_t
number_at(size_t i)
{
	static const uint64_t first[4] = {0, SIGN, 1, SIGN | 1};

	if (i < 4)
		return first[i];
	if (i < 4 + THIRDS)
		return SIGN | thirds[i - 4];
	if (i < 4 + 2 * THIRDS)
		return thirds[i - 4 - THIRDS];
	if (i < LISTED)
		return edges[i - 4 - 2 * THIRDS];
	if (i < LISTED + SERIES)
		return UINT64_C(0x0010000000000000) + (i - LISTED);
	return next_of_chain();
}

/* The hash of the lines so far. */
static void
check_hash(const EVP_MD_CTX *running, const published *want)
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	uint8_t		digest[EVP_MAX_MD_SIZE];
	char		name[64];

	if (copy == NULL || EVP_MD_CTX_copy_ex(copy, running) != 1 ||
		EVP_DigestFinal_ex(copy, digest, NULL) != 1)
		abort();
	EVP_MD_CTX_free(copy);
	snprintf(name, sizeof(name), "SHA-256 of the first %zu lines", want->lines);
	is_hex(digest, LC_HASH_LEN, want->sha256, name);
}

int
main(void)
{
	size_t		limit = getenv("LEDGER_LONG") != NULL ? 10000000 : 100000;
	const published *next = hashes;
	EVP_MD_CTX *running = EVP_MD_CTX_new();
	lc_buf		line;
	size_t		i;
	bool		good = true;

	if (running == NULL || EVP_DigestInit_ex(running, EVP_sha256(), NULL) != 1)
		abort();
	lc_buf_init(&line, &lc_alloc_malloc);
	for (i = 0; i < limit && good; i++)
	{
		uint64_t	bits = number_at(i);
		char		hex[32];

		snprintf(hex, sizeof(hex), "%" PRIx64 ",", bits);
		lc_buf_reset(&line);
		lc_buf_puts(&line, hex);
		good = lc_number_from_double(&line, double_of(bits)) == LC_OK;
		lc_buf_putc(&line, '\n');
		if (EVP_DigestUpdate(running, line.data, line.len) != 1)
			abort();
		if (i + 1 == next->lines)
			check_hash(running, next++);
	}
	ok(good, "every number of the sequence has a form");
	lc_buf_free(&line);
	EVP_MD_CTX_free(running);
	lc_sha256_thread_end();
	return done();
}
