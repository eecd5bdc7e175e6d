/*
 * lc_notekey.c
 *		Keys of signed notes as text.
 *
 * Read strictly: one key has one spelling, so that keys may be compared as
 * text.  Go's reader also takes capital hex digits, stray bits in base64, and
 * names with control characters, which no note can hold; what its writer and
 * this one write is the same.
 *
 * Copies of a seed on the stack are wiped before they are left behind.
 */
#include <string.h>

#include <openssl/crypto.h>

#include "lc_base64.h"
#include "lc_hex.h"
#include "lc_notekey.h"
#include "lc_sha256.h"
#include "lc_text.h"
#include "lc_utf8.h"

#define PRIVATE_PREFIX "PRIVATE+KEY+"
#define ID_TEXT (2 * LC_KEY_ID_LEN)

/* type || key, and its base64: 33 bytes are eleven groups without padding. */
#define MATERIAL_LEN (1 + LC_ED25519_KEY_LEN)
#define MATERIAL_TEXT (MATERIAL_LEN / 3 * 4)

/*
 * Does a character of Unicode's White_Space property above U+0020 begin here?
 * The text is well-formed and NUL-terminated or longer than the character.
 */
static bool
space_at(const uint8_t *s, size_t n)
{
	if (n >= 2 && s[0] == 0xC2)
		return s[1] == 0x85 || s[1] == 0xA0;	/* U+0085, U+00A0 */
	if (n < 3)
		return false;
	if (s[0] == 0xE1)
		return s[1] == 0x9A && s[2] == 0x80;	/* U+1680 */
	if (s[0] == 0xE2 && s[1] == 0x80)
		return s[2] <= 0x8A || s[2] == 0xA8 || s[2] == 0xA9 || s[2] == 0xAF;	/* U+2000 … */
	if (s[0] == 0xE2)
		return s[1] == 0x81 && s[2] == 0x9F;	/* U+205F */
	return s[0] == 0xE3 && s[1] == 0x80 && s[2] == 0x80;	/* U+3000 */
}

bool
lc_note_name_valid(const char *name, size_t n)
{
	const uint8_t *s = (const uint8_t *) name;

	if (n == 0 || !lc_utf8_valid(name, n, NULL))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		if (s[i] <= 0x20 || s[i] == '+' || space_at(s + i, n - i))
			return false;
	}
	return true;
}

bool
lc_key_name_valid(const char *name, size_t n)
{
	return n <= LC_KEY_NAME_MAX && lc_note_name_valid(name, n);
}

static lc_status
compute_id(lc_verifier *v)
{
	lc_bytes	parts[4] = {
		{v->name, strlen(v->name)}, {"\n", 1}, {&v->type, 1}, {v->public_key, LC_ED25519_KEY_LEN}
	};
	uint8_t		hash[LC_HASH_LEN];
	lc_status	status = lc_sha256_parts(parts, 4, hash);

	if (status == LC_OK)
		memcpy(v->id, hash, LC_KEY_ID_LEN);
	return status;
}

static lc_status
make_verifier(lc_str name, uint8_t type, const uint8_t public_key[LC_ED25519_KEY_LEN],
			  lc_verifier *out)
{
	lc_verifier v;
	lc_status	status;

	if (!lc_key_name_valid(name.s, name.n))
		return LC_ERR_SYNTAX;
	if (type != LC_KEY_ED25519 && type != LC_KEY_COSIGNATURE)
		return LC_ERR_SYNTAX;
	status = lc_ed25519_check_public(public_key);
	if (status != LC_OK)
		return status;
	memset(&v, 0, sizeof(v));
	memcpy(v.name, name.s, name.n);
	v.type = type;
	memcpy(v.public_key, public_key, LC_ED25519_KEY_LEN);
	status = compute_id(&v);
	if (status == LC_OK)
		*out = v;
	return status;
}

lc_status
lc_verifier_make(const char *name, uint8_t type, const uint8_t public_key[LC_ED25519_KEY_LEN],
				 lc_verifier *out)
{
	lc_str		text = {name, strlen(name)};

	return make_verifier(text, type, public_key, out);
}

/* <name>+<id>+base64(material): what both forms of a key have in common. */
static lc_status
split_key(const char *text, size_t n, lc_str *name, uint8_t id[LC_KEY_ID_LEN],
		  uint8_t material[MATERIAL_LEN])
{
	const char *plus = n > 0 ? memchr(text, '+', n) : NULL;
	size_t		got;

	/* A name has no plus, so the first one ends it. */
	if (plus == NULL)
		return LC_ERR_SYNTAX;
	name->s = text;
	name->n = (size_t) (plus - text);
	if (n - name->n != 1 + ID_TEXT + 1 + MATERIAL_TEXT || plus[1 + ID_TEXT] != '+')
		return LC_ERR_SYNTAX;
	if (lc_hex_decode(plus + 1, ID_TEXT, id, LC_KEY_ID_LEN) != LC_OK)
		return LC_ERR_SYNTAX;
	if (lc_base64_decode(plus + 1 + ID_TEXT + 1, MATERIAL_TEXT, material, MATERIAL_LEN, &got) != LC_OK ||
		got != MATERIAL_LEN)
		return LC_ERR_SYNTAX;
	return LC_OK;
}

lc_status
lc_verifier_parse(const char *text, size_t n, lc_verifier *out)
{
	uint8_t		id[LC_KEY_ID_LEN];
	uint8_t		material[MATERIAL_LEN];
	lc_verifier v;
	lc_str		name;
	lc_status	status = split_key(text, n, &name, id, material);

	if (status == LC_OK)
		status = make_verifier(name, material[0], material + 1, &v);
	if (status == LC_OK && memcmp(v.id, id, LC_KEY_ID_LEN) != 0)
		status = LC_ERR_SYNTAX;
	if (status == LC_OK)
		*out = v;
	return status;
}

void
lc_verifier_key_id(lc_buf *out, const lc_verifier *v)
{
	lc_buf_puts(out, v->name);
	lc_buf_putc(out, '+');
	lc_buf_put_hex(out, v->id, LC_KEY_ID_LEN);
}

void
lc_verifier_format(lc_buf *out, const lc_verifier *v)
{
	uint8_t		material[MATERIAL_LEN];

	material[0] = v->type;
	memcpy(material + 1, v->public_key, LC_ED25519_KEY_LEN);
	lc_verifier_key_id(out, v);
	lc_buf_putc(out, '+');
	lc_buf_put_base64(out, material, sizeof(material));
}

static lc_status
make_signer(lc_str name, uint8_t type, const uint8_t seed[LC_ED25519_KEY_LEN], lc_signer *out)
{
	uint8_t		public_key[LC_ED25519_KEY_LEN];
	lc_verifier v;
	lc_status	status = lc_ed25519_public(seed, public_key);

	if (status == LC_OK)
		status = make_verifier(name, type, public_key, &v);
	if (status != LC_OK)
		return status;
	out->verifier = v;
	memcpy(out->seed, seed, LC_ED25519_KEY_LEN);
	return LC_OK;
}

lc_status
lc_signer_make(const char *name, uint8_t type, const uint8_t seed[LC_ED25519_KEY_LEN],
			   lc_signer *out)
{
	lc_str		text = {name, strlen(name)};

	return make_signer(text, type, seed, out);
}

lc_status
lc_signer_parse(const char *text, size_t n, lc_signer *out)
{
	lc_str		rest = {text, n};
	uint8_t		id[LC_KEY_ID_LEN];
	uint8_t		material[MATERIAL_LEN];
	lc_signer	signer;
	lc_str		name;
	lc_status	status = LC_ERR_SYNTAX;

	if (lc_text_skip(&rest, PRIVATE_PREFIX))
		status = split_key(rest.s, rest.n, &name, id, material);
	if (status == LC_OK)
		status = make_signer(name, material[0], material + 1, &signer);
	if (status == LC_OK && memcmp(signer.verifier.id, id, LC_KEY_ID_LEN) != 0)
		status = LC_ERR_SYNTAX;
	if (status == LC_OK)
		*out = signer;
	OPENSSL_cleanse(material, sizeof(material));
	lc_signer_wipe(&signer);
	return status;
}

/* A place that does not move, so that a text that grows leaves no copy behind. */
typedef struct fixed_place
{
	char		bytes[2 * (LC_KEY_NAME_MAX + 1)];
} fixed_place;

static void *
fixed_resize(void *ctx, void *ptr, size_t size)
{
	fixed_place *place = ctx;

	(void) ptr;
	return size <= sizeof(place->bytes) ? place->bytes : NULL;
}

static void
fixed_release(void *ctx, void *ptr)
{
	(void) ctx;
	(void) ptr;
}

void
lc_signer_format(lc_buf *out, const lc_signer *s)
{
	fixed_place place;
	lc_alloc	fixed = {fixed_resize, fixed_release, &place};
	uint8_t		material[MATERIAL_LEN];
	size_t		mark = out->len;
	lc_buf		text;

	/* Make room first: an allocator that jumps out would leave the seed on the stack. */
	memset(&place, 0, sizeof(place));
	lc_buf_append(out, place.bytes, sizeof(place.bytes));
	if (out->status != LC_OK)
		return;
	lc_buf_truncate(out, mark);

	material[0] = s->verifier.type;
	memcpy(material + 1, s->seed, LC_ED25519_KEY_LEN);
	lc_buf_init(&text, &fixed);
	lc_buf_puts(&text, PRIVATE_PREFIX);
	lc_verifier_key_id(&text, &s->verifier);
	lc_buf_putc(&text, '+');
	lc_buf_put_base64(&text, material, sizeof(material));
	lc_buf_append(out, text.data, text.len);
	OPENSSL_cleanse(material, sizeof(material));
	OPENSSL_cleanse(&place, sizeof(place));
}

void
lc_signer_wipe(lc_signer *s)
{
	OPENSSL_cleanse(s, sizeof(*s));
}
