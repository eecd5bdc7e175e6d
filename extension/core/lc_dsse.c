/*
 * lc_dsse.c
 *		DSSE v1 envelopes with Ed25519.
 *
 * A reader of envelopes takes what others write: members it does not know,
 * either alphabet of base64, signatures of other algorithms.  What is written
 * here is canonical JSON and has one spelling.
 *
 * One key signs notes and envelopes without one being taken for the other: a
 * note's text ends with a newline, the PAE of a JSON object with a brace.  A
 * cosignature key signs cosignatures only.
 */
#include <string.h>

#include "lc_base64.h"
#include "lc_dsse.h"
#include "lc_jcs.h"
#include "lc_jsontree.h"

/* ---- reading ---- */

static void
init_dsse(lc_dsse *d, const lc_alloc *alloc)
{
	d->count = 0;
	lc_buf_init(&d->payload_type, alloc);
	lc_buf_init(&d->payload, alloc);
	lc_buf_init(&d->strings, alloc);
}

void
lc_dsse_free(lc_dsse *d)
{
	d->count = 0;
	lc_buf_free(&d->payload_type);
	lc_buf_free(&d->payload);
	lc_buf_free(&d->strings);
}

/* Decode a signature to raw; ed25519 says whether it is as long as one of ours. */
static lc_status
read_signature(lc_str base64, lc_dsse_signature *s, lc_buf *raw)
{
	lc_status	status;

	lc_buf_reset(raw);
	status = lc_buf_put_base64_decoded(raw, base64.s, base64.n);
	if (status != LC_OK)
		return status;
	memset(s->signature, 0, sizeof(s->signature));
	s->ed25519 = raw->len == LC_ED25519_SIGNATURE_LEN;
	if (s->ed25519)
		memcpy(s->signature, raw->data, LC_ED25519_SIGNATURE_LEN);
	return LC_OK;
}

/* keyid and sig of one element; both still borrow from the tree. */
static lc_status
read_element(const lc_json *element, lc_dsse_signature *s, lc_buf *raw)
{
	const lc_json *keyid = lc_json_member(element, "keyid");

	s->keyid = lc_json_string(element, "keyid");
	s->base64 = lc_json_string(element, "sig");
	if (s->base64.s == NULL || (keyid != NULL && s->keyid.s == NULL))
		return LC_ERR_SYNTAX;
	return read_signature(s->base64, s, raw);
}

static lc_status
read_signatures(const lc_json *list, lc_dsse *d, const lc_alloc *alloc)
{
	lc_buf		raw;
	lc_status	status = LC_OK;

	if (list == NULL || list->type != LC_JSON_ARRAY)
		return LC_ERR_SYNTAX;
	if (list->count > LC_DSSE_MAX_SIGNATURES)
		return LC_ERR_TOO_LONG;
	lc_buf_init(&raw, alloc);
	for (const lc_json *e = list->child; e != NULL && status == LC_OK; e = e->next)
		status = read_element(e, &d->signatures[d->count++], &raw);
	lc_buf_free(&raw);
	return status;
}

/* Move what the signatures borrow from the tree into the envelope's own memory. */
static lc_status
keep_strings(lc_dsse *d)
{
	const char *at;

	for (size_t i = 0; i < d->count; i++)
	{
		const lc_dsse_signature *s = &d->signatures[i];

		lc_buf_append(&d->strings, s->keyid.s, s->keyid.n);
		lc_buf_append(&d->strings, s->base64.s, s->base64.n);
	}
	if (d->strings.status != LC_OK)
		return d->strings.status;
	at = d->strings.data;
	for (size_t i = 0; i < d->count; i++)
	{
		lc_dsse_signature *s = &d->signatures[i];

		if (s->keyid.s != NULL)
			s->keyid.s = at;
		at += s->keyid.n;
		s->base64.s = at;
		at += s->base64.n;
	}
	return LC_OK;
}

static lc_status
read_envelope(const lc_json *root, lc_dsse *d, const lc_alloc *alloc)
{
	lc_str		type = lc_json_string(root, "payloadType");
	lc_str		payload = lc_json_string(root, "payload");
	lc_status	status;

	if (type.s == NULL || payload.s == NULL)
		return LC_ERR_SYNTAX;
	if (payload.n > (LC_DSSE_MAX_PAYLOAD + 2) / 3 * 4)
		return LC_ERR_TOO_LONG;
	/* Nothing too is a text: data of either is never NULL. */
	lc_buf_append(&d->payload_type, type.s, type.n);
	lc_buf_append(&d->payload, "", 0);
	status = d->payload_type.status;
	if (status == LC_OK)
		status = lc_buf_put_base64_decoded(&d->payload, payload.s, payload.n);
	if (status == LC_OK && d->payload.len > LC_DSSE_MAX_PAYLOAD)
		status = LC_ERR_TOO_LONG;
	if (status == LC_OK)
		status = read_signatures(lc_json_member(root, "signatures"), d, alloc);
	if (status == LC_OK)
		status = keep_strings(d);
	return status;
}

lc_status
lc_dsse_parse(const char *json, size_t n, const lc_alloc *alloc, lc_dsse *out)
{
	lc_jsontree *tree;
	lc_status	status;

	init_dsse(out, alloc);
	status = lc_jsontree_parse(json, n, 0, alloc, &tree, NULL);
	if (status != LC_OK)
		return status;
	status = read_envelope(lc_jsontree_root(tree), out, alloc);
	lc_jsontree_free(tree);
	if (status != LC_OK)
		lc_dsse_free(out);
	return status;
}

/* ---- what is signed ---- */

static void
put_sized(lc_buf *out, lc_str text)
{
	lc_buf_putc(out, ' ');
	lc_buf_put_int64(out, (int64_t) text.n);
	lc_buf_putc(out, ' ');
	lc_buf_append(out, text.s, text.n);
}

void
lc_dsse_pae(lc_buf *out, lc_str payload_type, lc_str payload)
{
	lc_buf_puts(out, "DSSEv1");
	put_sized(out, payload_type);
	put_sized(out, payload);
}

/* May the key have made it?  keyid is a hint; without one every key may. */
static bool
may_be_of(const lc_dsse_signature *s, lc_str keyid)
{
	if (s->keyid.n == 0)
		return true;
	return s->keyid.n == keyid.n && memcmp(s->keyid.s, keyid.s, keyid.n) == 0;
}

/* Both texts are ready: nothing here allocates while OpenSSL works. */
static lc_status
verify_signatures(const lc_dsse *d, const lc_verifier *key, const lc_buf *keyid, const lc_buf *pae)
{
	lc_str		id = {keyid->data, keyid->len};
	lc_status	status = LC_ERR_ABSENT;

	for (size_t i = 0; i < d->count; i++)
	{
		const lc_dsse_signature *s = &d->signatures[i];

		if (!may_be_of(s, id))
			continue;
		status = LC_ERR_SIGNATURE;
		if (s->ed25519)
			status = lc_ed25519_verify(key->public_key, pae->data, pae->len, s->signature,
									   sizeof(s->signature));
		if (status != LC_ERR_SIGNATURE)
			return status;
	}
	return status;
}

lc_status
lc_dsse_verify(const lc_dsse *d, const lc_verifier *key, const lc_alloc *alloc)
{
	lc_str		type = {d->payload_type.data, d->payload_type.len};
	lc_str		payload = {d->payload.data, d->payload.len};
	lc_buf		keyid;
	lc_buf		pae;
	lc_status	status;

	if (key->type != LC_KEY_ED25519)
		return LC_ERR_ABSENT;
	lc_buf_init(&keyid, alloc);
	lc_buf_init(&pae, alloc);
	lc_verifier_key_id(&keyid, key);
	lc_dsse_pae(&pae, type, payload);
	status = keyid.status != LC_OK ? keyid.status : pae.status;
	if (status == LC_OK)
		status = verify_signatures(d, key, &keyid, &pae);
	lc_buf_free(&keyid);
	lc_buf_free(&pae);
	return status;
}

/* ---- writing ---- */

/* One signature object over a PAE, members in the order of RFC 8785. */
static lc_status
put_signature(lc_buf *out, const lc_buf *pae, const lc_signer *key, const lc_alloc *alloc)
{
	uint8_t		signature[LC_ED25519_SIGNATURE_LEN];
	lc_buf		keyid;
	lc_status	status;

	if (key->verifier.type != LC_KEY_ED25519)
		return LC_ERR_MISUSE;
	lc_buf_init(&keyid, alloc);
	lc_verifier_key_id(&keyid, &key->verifier);
	status = keyid.status;
	if (status == LC_OK)
		status = lc_ed25519_sign(key->seed, pae->data, pae->len, signature);
	if (status == LC_OK)
	{
		lc_buf_puts(out, "{\"keyid\":");
		lc_jcs_put_string(out, keyid.data, keyid.len);
		lc_buf_puts(out, ",\"sig\":\"");
		lc_buf_put_base64(out, signature, sizeof(signature));
		lc_buf_puts(out, "\"}");
		status = out->status;
	}
	lc_buf_free(&keyid);
	return status;
}

/* The signature objects of these keys, with commas between. */
static lc_status
put_signatures(lc_buf *out, lc_str payload_type, lc_str payload, const lc_signer *keys, size_t count,
			   const lc_alloc *alloc)
{
	lc_buf		pae;
	lc_status	status;

	lc_buf_init(&pae, alloc);
	lc_dsse_pae(&pae, payload_type, payload);
	status = pae.status;
	for (size_t i = 0; i < count && status == LC_OK; i++)
	{
		if (i > 0)
			lc_buf_putc(out, ',');
		status = put_signature(out, &pae, &keys[i], alloc);
	}
	lc_buf_free(&pae);
	return status;
}

/* What was half written is taken back. */
static lc_status
finish(lc_buf *out, size_t mark, lc_status status)
{
	if (status == LC_OK)
		status = out->status;
	if (status != LC_OK && out->len > mark)
		lc_buf_truncate(out, mark);
	return status;
}

lc_status
lc_dsse_sign(lc_buf *out, lc_str payload_type, lc_str payload, const lc_signer *keys, size_t count,
			 const lc_alloc *alloc)
{
	size_t		mark = out->len;
	lc_status	status;

	if (count > LC_DSSE_MAX_SIGNATURES || payload.n > LC_DSSE_MAX_PAYLOAD)
		return LC_ERR_TOO_LONG;
	lc_buf_puts(out, "{\"payload\":\"");
	lc_buf_put_base64(out, payload.s, payload.n);
	lc_buf_puts(out, "\",\"payloadType\":");
	lc_jcs_put_string(out, payload_type.s, payload_type.n);
	lc_buf_puts(out, ",\"signatures\":[");
	status = put_signatures(out, payload_type, payload, keys, count, alloc);
	lc_buf_puts(out, "]}");
	return finish(out, mark, status);
}

lc_status
lc_dsse_sign_one(lc_buf *out, lc_str payload_type, lc_str payload, const lc_signer *key,
				 const lc_alloc *alloc)
{
	size_t		mark = out->len;

	if (payload.n > LC_DSSE_MAX_PAYLOAD)
		return LC_ERR_TOO_LONG;
	return finish(out, mark, put_signatures(out, payload_type, payload, key, 1, alloc));
}
