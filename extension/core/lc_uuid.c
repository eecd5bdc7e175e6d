/*
 * lc_uuid.c
 *		UUIDs: text form, version 7 from a given time, version 8 for chains.
 *
 * Time and randomness are arguments, never drawn here: a test can pin both,
 * and the host decides which generator it trusts.
 */
#include <string.h>

#include "lc_hex.h"
#include "lc_sha256.h"
#include "lc_uuid.h"

/* RFC 9562 section 4: version in the high half of byte 6, variant 10 in byte 8. */
static void
set_version(uint8_t uuid[LC_UUID_LEN], uint8_t version)
{
	uuid[6] = (uint8_t) ((uuid[6] & 0x0F) | (version << 4));
	uuid[8] = (uint8_t) ((uuid[8] & 0x3F) | 0x80);
}

void
lc_uuid_v7(uint8_t out[LC_UUID_LEN], int64_t unix_us, const uint8_t random[10])
{
	uint64_t	us = (unix_us < 0) ? 0 : (uint64_t) unix_us;
	uint64_t	ms = us / 1000;
	unsigned int fraction = (unsigned int) (us % 1000 * 4096 / 1000);
	int			i;

	for (i = 0; i < 6; i++)
		out[i] = (uint8_t) (ms >> (40 - 8 * i));
	memcpy(out + 6, random, 10);

	/* The fraction takes the place of the first two random bytes. */
	out[6] = (uint8_t) (fraction >> 8);
	out[7] = (uint8_t) fraction;
	set_version(out, 7);
}

lc_status
lc_uuid_chain(uint8_t out[LC_UUID_LEN], lc_str tenant, lc_str policy_version)
{
	lc_bytes	parts[3];
	uint8_t		digest[LC_HASH_LEN];
	lc_status	status;

	parts[0].p = tenant.s;
	parts[0].n = tenant.n;
	parts[1].p = "::";
	parts[1].n = 2;
	parts[2].p = policy_version.s;
	parts[2].n = policy_version.n;
	status = lc_sha256_parts(parts, 3, digest);
	if (status != LC_OK)
		return status;
	set_version(digest, 8);
	memcpy(out, digest, LC_UUID_LEN);
	return LC_OK;
}

/* Offsets, in the text, of the dashes. */
static bool
dash_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

void
lc_uuid_format(const uint8_t uuid[LC_UUID_LEN], char out[LC_UUID_TEXT])
{
	char		hex[2 * LC_UUID_LEN];
	size_t		i;
	size_t		from = 0;

	lc_hex_encode(uuid, LC_UUID_LEN, hex);
	for (i = 0; i < LC_UUID_TEXT; i++)
		out[i] = dash_at(i) ? '-' : hex[from++];
}

lc_status
lc_uuid_parse(const char *text, size_t n, uint8_t out[LC_UUID_LEN])
{
	char		hex[2 * LC_UUID_LEN];
	size_t		i;
	size_t		to = 0;

	if (n != LC_UUID_TEXT)
		return LC_ERR_SYNTAX;
	for (i = 0; i < LC_UUID_TEXT; i++)
	{
		if (dash_at(i))
		{
			if (text[i] != '-')
				return LC_ERR_SYNTAX;
		}
		else
			hex[to++] = text[i];
	}
	return lc_hex_decode(hex, sizeof(hex), out, LC_UUID_LEN);
}
