/*
 * link.c
 *		Makes and checks signed links.
 *
 * The path is signed as it was sent, before decoding: another spelling of the
 * same path is another link, and is refused.  A link that an earlier key signed
 * is good until it expires, so that a rotation breaks none.
 */
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "config.h"
#include "identity.h"
#include "keyring.h"
#include "lc_jcs.h"
#include "link.h"

#define MAC 32

/* Canonical JSON, in which no member can run into another. */
static bool
sign(const keyring_key *key, const char *path, const char *tenant, int64_t expires, uint8_t mac[MAC])
{
	lc_buf		text;
	unsigned	n = MAC;
	bool		good;

	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_puts(&text, "{\"expires\":");
	lc_buf_put_int64(&text, expires);
	lc_buf_puts(&text, ",\"path\":");
	lc_jcs_put_string(&text, path, strlen(path));
	lc_buf_puts(&text, ",\"tenant\":");
	lc_jcs_put_string(&text, tenant, strlen(tenant));
	lc_buf_putc(&text, '}');
	good = text.status == LC_OK &&
		HMAC(EVP_sha256(), key->sign, sizeof(key->sign), (const uint8_t *) text.data, text.len, mac, &n) != NULL;
	lc_buf_free(&text);
	return good;
}

static bool
read_keys(keyring *ring)
{
	const config *c = config_now();
	fault		ignored;

	return keyring_read(c->att_key, c->att_previous_keys, ring, &ignored) && ring->count > 0;
}

/* A tenant's name needs no escapes in a query ([A-Za-z0-9._-]), nor does the rest. */
bool
link_make(lc_buf *out, const char *path, const char *tenant, time_t expires)
{
	keyring		ring;
	uint8_t		mac[MAC];
	bool		good;

	if (!read_keys(&ring))
		return false;
	good = sign(&ring.keys[0], path, tenant, expires, mac);
	keyring_wipe(&ring);
	if (!good)
		return false;
	lc_buf_puts(out, path);
	lc_buf_puts(out, "?tenant=");
	lc_buf_puts(out, tenant);
	lc_buf_puts(out, "&expires=");
	lc_buf_put_int64(out, expires);
	lc_buf_puts(out, "&signature=");
	base64url_append(out, mac, sizeof(mac));
	return out->status == LC_OK;
}

/* One spelling: digits, no zero before them. */
static bool
read_time(const char *text, int64_t *out)
{
	size_t		n = strspn(text, "0123456789");

	if (n == 0 || n > 12 || text[n] != '\0' || (text[0] == '0' && n > 1))
		return false;
	*out = strtoll(text, NULL, 10);
	return true;
}

bool
link_check(const target *t, time_t now, char *tenant)
{
	const char *who = target_query(t, "tenant"),
			   *until = target_query(t, "expires"),
			   *signature = target_query(t, "signature");
	uint8_t		given[MAC],
				mac[MAC];
	size_t		n = 0,
				i;
	int64_t		expires;
	keyring		ring;
	bool		good = false;

	/* Three parameters and these three: none is doubled, and nothing unsigned stands beside them. */
	if (t->query_count != 3 || who == NULL || until == NULL || signature == NULL ||
		strlen(who) >= IDENTITY_TENANT_SIZE || who[0] == '\0' || !read_time(until, &expires) ||
		!base64url_decode(signature, strlen(signature), given, sizeof(given), &n) || n != MAC || !read_keys(&ring))
		return false;
	for (i = 0; i < ring.count; i++)
		good |= sign(&ring.keys[i], t->path, who, expires, mac) && CRYPTO_memcmp(mac, given, MAC) == 0;
	keyring_wipe(&ring);
	if (!good || expires <= (int64_t) now)
		return false;
	memcpy(tenant, who, strlen(who) + 1);
	return true;
}
