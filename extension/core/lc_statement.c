/*
 * lc_statement.c
 *		Reading what the ledger's DSSE envelopes say.
 *
 * A signature says who wrote a statement, not that it makes sense: a member
 * more, a member less, or numbers that contradict each other are refused, so
 * that nothing that was signed is passed over in silence.
 */
#include <string.h>

#include "lc_hex.h"
#include "lc_jcs.h"
#include "lc_statement.h"

/* Members of an anchor's statement but previousRootHash, and of a mark. */
#define ANCHOR_MEMBERS 12
#define MARK_MEMBERS 8

#define TENANT_MAX 128
#define ORIGIN_MAX 201

static bool
equals(lc_str text, const char *want)
{
	return text.s != NULL && text.n == strlen(want) && memcmp(text.s, want, text.n) == 0;
}

static bool
read_uuid(const lc_json *o, const char *name, uint8_t out[LC_UUID_LEN])
{
	lc_str		text = lc_json_string(o, name);

	return text.s != NULL && lc_uuid_parse(text.s, text.n, out) == LC_OK;
}

static bool
read_hash(const lc_json *o, const char *name, uint8_t out[LC_HASH_LEN])
{
	lc_str		text = lc_json_string(o, name);

	return text.s != NULL && lc_hex_decode(text.s, text.n, out, LC_HASH_LEN) == LC_OK;
}

/* At least one byte. */
static bool
read_text(const lc_json *o, const char *name, lc_str *out)
{
	*out = lc_json_string(o, name);
	return out->n > 0;
}

static bool
is_time(lc_str text)
{
	int64_t		us;

	return text.s != NULL && lc_timestamp_parse(text.s, text.n, &us) == LC_OK;
}

static bool
read_time(const lc_json *o, const char *name, lc_str *out)
{
	*out = lc_json_string(o, name);
	return is_time(*out);
}

static bool
is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$ */
static bool
is_tenant(lc_str text)
{
	for (size_t i = 0; i < text.n; i++)
	{
		char		c = text.s[i];

		if (is_lower_or_digit(c) || (c >= 'A' && c <= 'Z'))
			continue;
		if (i == 0 || (c != '.' && c != '_' && c != '-'))
			return false;
	}
	return text.n > 0 && text.n <= TENANT_MAX;
}

/* ^[a-z0-9][a-z0-9./-]{0,200}$ */
static bool
is_origin(lc_str text)
{
	for (size_t i = 0; i < text.n; i++)
	{
		char		c = text.s[i];

		if (!is_lower_or_digit(c) && (i == 0 || (c != '.' && c != '/' && c != '-')))
			return false;
	}
	return text.n > 0 && text.n <= ORIGIN_MAX;
}

static bool
read_tenant(const lc_json *o, lc_str *out)
{
	*out = lc_json_string(o, "tenant");
	return is_tenant(*out);
}

/* Do the numbers fit each other, and the previous root's absence them? */
static bool
anchor_fits(const lc_anchor *a)
{
	return a->sequence_start >= 1 && a->sequence_start <= a->sequence_end &&
		a->sequence_end == a->tree_size &&
		a->leaf_count == a->sequence_end - a->sequence_start + 1 &&
		a->has_previous_root == (a->sequence_start > 1);
}

lc_status
lc_anchor_read(const lc_json *statement, lc_anchor *out)
{
	lc_anchor	a;

	memset(&a, 0, sizeof(a));
	a.has_previous_root = lc_json_member(statement, "previousRootHash") != NULL;
	if (statement == NULL || statement->type != LC_JSON_OBJECT ||
		statement->count != ANCHOR_MEMBERS + (a.has_previous_root ? 1 : 0))
		return LC_ERR_SYNTAX;
	if (a.has_previous_root && !read_hash(statement, "previousRootHash", a.previous_root))
		return LC_ERR_SYNTAX;
	a.schema_version = lc_json_string(statement, "schemaVersion");
	if (!equals(a.schema_version, LC_EVENT_SCHEMA_V1) ||
		!read_uuid(statement, "anchorId", a.anchor_id) ||
		!read_uuid(statement, "chainId", a.chain_id) ||
		!read_tenant(statement, &a.tenant) ||
		!read_text(statement, "policyHash", &a.policy_hash) ||
		!read_hash(statement, "rootHash", a.root) ||
		!read_time(statement, "windowStart", &a.window_start) ||
		!read_time(statement, "windowEnd", &a.window_end))
		return LC_ERR_SYNTAX;
	if (!lc_json_uint(statement, "treeSize", &a.tree_size) ||
		!lc_json_uint(statement, "leafCount", &a.leaf_count) ||
		!lc_json_uint(statement, "sequenceStart", &a.sequence_start) ||
		!lc_json_uint(statement, "sequenceEnd", &a.sequence_end) ||
		!anchor_fits(&a))
		return LC_ERR_SYNTAX;
	*out = a;
	return LC_OK;
}

/* ---- marks ---- */

static bool
mark_fits(const lc_mark *m)
{
	return (equals(m->mode, "full") || equals(m->mode, "incremental")) &&
		is_origin(m->origin) && is_tenant(m->tenant) && is_time(m->verified_at) &&
		m->tree_size >= 1;
}

lc_status
lc_mark_read(const lc_json *statement, lc_mark *out)
{
	lc_mark		m;

	memset(&m, 0, sizeof(m));
	if (statement == NULL || statement->type != LC_JSON_OBJECT || statement->count != MARK_MEMBERS)
		return LC_ERR_SYNTAX;
	m.mode = lc_json_string(statement, "mode");
	m.origin = lc_json_string(statement, "origin");
	m.tenant = lc_json_string(statement, "tenant");
	m.verified_at = lc_json_string(statement, "verifiedAt");
	if (!equals(lc_json_string(statement, "schemaVersion"), LC_MARK_SCHEMA_V1) ||
		!read_uuid(statement, "chainId", m.chain_id) ||
		!read_hash(statement, "rootHash", m.root) ||
		!lc_json_uint(statement, "treeSize", &m.tree_size) ||
		!mark_fits(&m))
		return LC_ERR_SYNTAX;
	*out = m;
	return LC_OK;
}

static void
put_string(lc_buf *out, const char *name, lc_str text)
{
	lc_buf_puts(out, name);
	lc_jcs_put_string(out, text.s, text.n);
}

void
lc_mark_format(lc_buf *out, const lc_mark *m)
{
	char		chain[LC_UUID_TEXT];
	lc_str		chain_text = {chain, sizeof(chain)};

	if (!mark_fits(m) || m->tree_size > LC_JSON_MAX_INTEGER)
	{
		if (out->status == LC_OK)
			out->status = LC_ERR_MISUSE;
		return;
	}
	lc_uuid_format(m->chain_id, chain);
	put_string(out, "{\"chainId\":", chain_text);
	put_string(out, ",\"mode\":", m->mode);
	put_string(out, ",\"origin\":", m->origin);
	lc_buf_puts(out, ",\"rootHash\":\"");
	lc_buf_put_hex(out, m->root, LC_HASH_LEN);
	lc_buf_puts(out, "\",\"schemaVersion\":\"" LC_MARK_SCHEMA_V1 "\"");
	put_string(out, ",\"tenant\":", m->tenant);
	lc_buf_puts(out, ",\"treeSize\":");
	lc_buf_put_int64(out, (int64_t) m->tree_size);
	put_string(out, ",\"verifiedAt\":", m->verified_at);
	lc_buf_putc(out, '}');
}
