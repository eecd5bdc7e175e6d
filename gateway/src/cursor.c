/*
 * cursor.c
 *		Page tokens: what they are made of stands in cursor.h.
 *
 * Every part that the MAC covers is preceded by its length: otherwise a route
 * "a" of tenant "bc" and a route "ab" of tenant "c" would share their tokens.
 * Truncation to 128 bits is RFC 2104 section 5; a forger has no oracle but a
 * refusal, and what he could gain is another page of rows that he may read.
 */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base64url.h"
#include "config.h"
#include "cursor.h"
#include "lc_base64.h"
#include "lc_hex.h"
#include "lc_sha256.h"
#include "log.h"

#define VERSION 1
#define TAG_LEN 16
#define HEAD_LEN (1 + TAG_LEN)
#define KEY_LEN 32

/* The setting may serve for more one day; cursors have a key of their own. */
static const char purpose[] = "findings-ledger gateway cursor v1";

/* Written once, before the threads that read it. */
static uint8_t cursor_key[KEY_LEN];

static bool
derive(const uint8_t secret[KEY_LEN])
{
	unsigned	n = 0;

	return HMAC(EVP_sha256(), secret, KEY_LEN, (const unsigned char *) purpose, sizeof(purpose) - 1,
				cursor_key, &n) != NULL && n == KEY_LEN;
}

/* What the setting says: 32 bytes in base64, of either alphabet. */
static bool
read_secret(const char *setting, uint8_t secret[KEY_LEN])
{
	lc_buf		bytes;
	bool		good;

	lc_buf_init(&bytes, &lc_alloc_malloc);
	good = lc_buf_put_base64_decoded(&bytes, setting, strlen(setting)) == LC_OK && bytes.status == LC_OK &&
		bytes.len == KEY_LEN;
	if (good)
		memcpy(secret, bytes.data, KEY_LEN);
	if (bytes.data != NULL)
		OPENSSL_cleanse(bytes.data, bytes.len);
	lc_buf_free(&bytes);
	return good;
}

bool
cursor_start(void)
{
	const char *setting = config_now()->cursor_key;
	uint8_t		secret[KEY_LEN];
	bool		good;

	if (setting != NULL && *setting != '\0')
	{
		if (!read_secret(setting, secret))
		{
			log_line(LOG_ERROR, "cursor.key", "LEDGER__HTTP__CURSORKEY is not 32 bytes in base64");
			return false;
		}
	}
	else if (RAND_bytes(secret, sizeof(secret)) == 1)
		log_line(LOG_INFO, "cursor.key", "LEDGER__HTTP__CURSORKEY is not set: page tokens are good for this process "
				 "only, not for other gateways or after a restart");
	else
	{
		log_line(LOG_ERROR, "cursor.key", "OpenSSL has no random bytes for the key of page tokens");
		return false;
	}
	good = derive(secret);
	OPENSSL_cleanse(secret, sizeof(secret));
	return good;
}

static void
put_part(lc_buf *out, const void *bytes, size_t n)
{
	uint8_t		length[8];

	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t) ((uint64_t) n >> (56 - 8 * i));
	lc_buf_append(out, length, sizeof(length));
	if (n > 0)
		lc_buf_append(out, bytes, n);
}

/* False: no memory, or OpenSSL failed; then there is no token, and none is right. */
static bool
compute_tag(const char *name, const char *tenant, lc_str filters, lc_str position, uint8_t tag[TAG_LEN])
{
	uint8_t		mac[EVP_MAX_MD_SIZE];
	unsigned	n = 0;
	lc_buf		text;
	bool		good;

	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_putc(&text, (char) VERSION);
	put_part(&text, name, strlen(name));
	put_part(&text, tenant, strlen(tenant));
	put_part(&text, filters.s, filters.n);
	put_part(&text, position.s, position.n);
	good = text.status == LC_OK &&
		HMAC(EVP_sha256(), cursor_key, KEY_LEN, (const unsigned char *) text.data, text.len, mac, &n) != NULL &&
		n >= TAG_LEN;
	if (good)
		memcpy(tag, mac, TAG_LEN);
	lc_buf_free(&text);
	return good;
}

void
cursor_make(lc_buf *out, const char *name, const char *tenant, lc_str filters, lc_str position)
{
	uint8_t		head[HEAD_LEN] = {VERSION};
	lc_buf		bytes;

	lc_buf_init(&bytes, &lc_alloc_malloc);
	if (compute_tag(name, tenant, filters, position, head + 1))
	{
		lc_buf_append(&bytes, head, sizeof(head));
		lc_buf_append(&bytes, position.s, position.n);
		if (bytes.status == LC_OK)
			base64url_append(out, bytes.data, bytes.len);
	}
	/* Half a token must not look like one: the writer of the answer sees the failure. */
	if (bytes.len == 0 || bytes.status != LC_OK)
		out->status = LC_ERR_MEMORY;
	lc_buf_free(&bytes);
}

bool
cursor_read(const char *token, const char *name, const char *tenant, lc_str filters, lc_buf *position)
{
	size_t		n = strnlen(token, CURSOR_MAX + 1);
	uint8_t		bytes[BASE64URL_BYTES(CURSOR_MAX)];
	uint8_t		tag[TAG_LEN];
	size_t		len = 0;
	lc_str		rest;

	if (n > CURSOR_MAX || !base64url_decode(token, n, bytes, sizeof(bytes), &len) || len < HEAD_LEN ||
		bytes[0] != VERSION)
		return false;
	rest = (lc_str) {(const char *) bytes + HEAD_LEN, len - HEAD_LEN};
	if (!compute_tag(name, tenant, filters, rest, tag) || CRYPTO_memcmp(tag, bytes + 1, TAG_LEN) != 0)
		return false;
	lc_buf_append(position, rest.s, rest.n);
	return position->status == LC_OK;
}

void
cursor_filters_hash(lc_str filters, char out[65])
{
	uint8_t		hash[LC_HASH_LEN];

	/* A hash that could not be computed is an empty text, and no other's. */
	out[0] = '\0';
	if (lc_sha256(filters.n > 0 ? filters.s : "", filters.n, hash) != LC_OK)
		return;
	lc_hex_encode(hash, LC_HASH_LEN, out);
	out[2 * LC_HASH_LEN] = '\0';
}
