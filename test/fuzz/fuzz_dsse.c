/*
 * fuzz_dsse.c
 *		Envelopes on any bytes: type and payload survive being written again, a
 *		signature that holds is the one that the key makes, and a tree of JSON
 *		knows where its values stand.  The payload is read as a statement.
 */
#include "fuzz.h"
#include "lc_dsse.h"
#include "lc_statement.h"

/* The key that signed the corpus. */
static const char log_key[] = "PRIVATE+KEY+example.com/log+cc714670+AZ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";

/* Each value's source lies within that of the value around it, behind the one before. */
static void
check_sources(const lc_json *v)
{
	const char *from = v->source.s;
	const char *end = v->source.s + v->source.n;
	size_t		count = 0;

	HOLDS(v->source.n > 0);
	for (const lc_json *c = v->child; c != NULL; c = c->next)
	{
		HOLDS(c->source.s > from && c->source.s + c->source.n < end);
		HOLDS((c->key.s != NULL) == (v->type == LC_JSON_OBJECT));
		check_sources(c);
		from = c->source.s + c->source.n;
		count++;
	}
	HOLDS(count == v->count);
	if (v->type == LC_JSON_OBJECT)
		HOLDS(*v->source.s == '{' && end[-1] == '}');
	if (v->type == LC_JSON_ARRAY)
		HOLDS(*v->source.s == '[' && end[-1] == ']');
	if (v->type == LC_JSON_NUMBER)
		HOLDS(v->text.s == v->source.s && v->text.n == v->source.n);
	if (v->type == LC_JSON_STRING)
		HOLDS(*v->source.s == '"' && end[-1] == '"' && v->text.n + 2 <= v->source.n);
}

static void
check_mark(const lc_mark *mark, const char *text, size_t n)
{
	lc_buf		out;
	lc_buf		canonical;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_init(&canonical, &lc_alloc_malloc);
	lc_mark_format(&out, mark);
	HOLDS(lc_json_canonicalize(text, n, &canonical, &lc_alloc_malloc, NULL) == LC_OK);
	HOLDS(out.status == LC_OK && same_text(&out, &canonical));
	lc_buf_free(&out);
	lc_buf_free(&canonical);
}

static void
check_statement(const char *text, size_t n)
{
	lc_jsontree *tree;
	lc_anchor	anchor;
	lc_mark		mark;
	lc_status	status = lc_jsontree_parse(text, n, 64, &lc_alloc_malloc, &tree, NULL);

	HOLDS((status == LC_OK) == (tree != NULL));
	if (status != LC_OK)
		return;
	check_sources(lc_jsontree_root(tree));
	if (lc_anchor_read(lc_jsontree_root(tree), &anchor) == LC_OK)
		HOLDS(anchor.leaf_count >= 1 && anchor.tree_size >= anchor.leaf_count);
	if (lc_mark_read(lc_jsontree_root(tree), &mark) == LC_OK)
		check_mark(&mark, text, n);
	lc_jsontree_free(tree);
}

/* Written without signatures and read again. */
static void
check_again(const lc_dsse *d)
{
	lc_str		type = {d->payload_type.data, d->payload_type.len};
	lc_str		payload = {d->payload.data, d->payload.len};
	lc_dsse		again;
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	HOLDS(lc_dsse_sign(&out, type, payload, NULL, 0, &lc_alloc_malloc) == LC_OK);
	HOLDS(lc_dsse_parse(out.data, out.len, &lc_alloc_malloc, &again) == LC_OK);
	HOLDS(same_text(&d->payload_type, &again.payload_type) && same_text(&d->payload, &again.payload));
	HOLDS(again.count == 0);
	lc_dsse_free(&again);
	lc_buf_free(&out);
}

static void
check_key(const lc_dsse *d)
{
	lc_str		type = {d->payload_type.data, d->payload_type.len};
	lc_str		payload = {d->payload.data, d->payload.len};
	lc_signer	signer;
	lc_buf		pae;
	uint8_t		signature[LC_ED25519_SIGNATURE_LEN];
	bool		found = false;

	HOLDS(lc_signer_parse(log_key, sizeof(log_key) - 1, &signer) == LC_OK);
	if (lc_dsse_verify(d, &signer.verifier, &lc_alloc_malloc) != LC_OK)
		return;
	lc_buf_init(&pae, &lc_alloc_malloc);
	lc_dsse_pae(&pae, type, payload);
	HOLDS(lc_ed25519_sign(signer.seed, pae.data, pae.len, signature) == LC_OK);
	for (size_t i = 0; i < d->count; i++)
		found = found || (d->signatures[i].ed25519 &&
						  memcmp(d->signatures[i].signature, signature, sizeof(signature)) == 0);
	HOLDS(found);
	lc_buf_free(&pae);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	lc_dsse		d;

	check_statement((const char *) data, size);
	if (lc_dsse_parse((const char *) data, size, &lc_alloc_malloc, &d) == LC_OK)
	{
		check_again(&d);
		check_key(&d);
		check_statement(d.payload.data != NULL ? d.payload.data : "", d.payload.len);
	}
	else
		HOLDS(d.count == 0 && d.payload.data == NULL);
	lc_dsse_free(&d);
	return 0;
}
