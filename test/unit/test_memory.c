/*
 * test_memory.c
 *		Every function that allocates, with the allocator failing at the
 *		first, the second, the third … request: it says so, leaves nothing
 *		half-written and leaks nothing.
 *
 * Twice: an allocator that returns NULL, and one that jumps out as
 * PostgreSQL's does.
 */
#include "examples.h"
#include "harness.h"
#include "lc_dsse.h"
#include "lc_envelope.h"
#include "lc_jcs.h"
#include "lc_jsonparse.h"
#include "lc_jsontree.h"
#include "lc_note.h"
#include "lc_number.h"
#include "lc_statement.h"
#include "lc_tlogproof.h"

/* More requests than any case makes. */
#define ENOUGH 500

/* A case: work with this allocator, write into out, which it made. */
typedef lc_status (*work) (lc_buf *out, const lc_alloc *alloc);

static char wide_text[40000];

/* An object that outgrows all room inside writer and parser, in disorder, escapes in it. */
static void
make_wide_text(void)
{
	size_t		n = 0;
	int			i;

	n += (size_t) sprintf(wide_text + n, "{");
	for (i = 99; i >= 0; i--)
		n += (size_t) sprintf(wide_text + n, "\"\\u006b%02d\":{\"b\":[[[[[[[[[[%d]]]]]]]]]],\"a\":\"%s\"},",
							  i, i, "text with \\n an escape, long enough for the arena to grow");
	sprintf(wide_text + n, "\"a\":null}");
}

static lc_status
canonicalize(lc_buf *out, const lc_alloc *alloc)
{
	lc_json_error err;

	return lc_json_canonicalize(wide_text, strlen(wide_text), out, alloc, &err);
}

/* An error in depth: its path is written with memory of its own. */
static lc_status
refuse(lc_buf *out, const lc_alloc *alloc)
{
	static const char text[] = "{\"a\\n\":[[[{\"b\":1,\"b\":2}]]]}";
	lc_json_error err;
	lc_status	status = lc_json_canonicalize(text, strlen(text), out, alloc, &err);

	return status == LC_ERR_DUPLICATE ? LC_OK : status;
}

static lc_status
write_events(lc_buf *out, const lc_alloc *alloc)
{
	static const char names[] = "zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJIHGFEDCBA";
	lc_jcs	   *w = lc_jcs_new(out, alloc);
	lc_status	status;
	size_t		i;

	if (w == NULL)
		return LC_ERR_MEMORY;
	lc_jcs_begin_object(w);
	for (i = 0; i < strlen(names); i++)
	{
		lc_jcs_key(w, names + i, 1);
		lc_jcs_begin_object(w);
		lc_jcs_key(w, "2", 1);
		lc_jcs_number(w, "1.50", 4);
		lc_jcs_key(w, "1", 1);
		lc_jcs_string(w, names, strlen(names));
		lc_jcs_end_object(w);
	}
	lc_jcs_end_object(w);
	status = lc_jcs_finish(w);
	lc_jcs_free(w);
	return status;
}

static lc_status
write_envelope(lc_buf *out, const lc_alloc *alloc)
{
	lc_event	e;

	(void) alloc;
	memset(&e, 0, sizeof(e));
	e.tenant = e.type = e.policy_version = e.finding_id = e.artifact_id = str("text");
	e.actor_id = e.actor_type = e.recorded_by = e.vuln_id = str("text");
	e.evidence_bundle_ref.s = wide_text;
	e.evidence_bundle_ref.n = 5000;
	e.sequence = 1;
	return lc_event_envelope(out, &e);
}

static lc_status
write_projection(lc_buf *out, const lc_alloc *alloc)
{
	lc_projection p;

	(void) alloc;
	memset(&p, 0, sizeof(p));
	p.tenant = p.finding_id = p.status = str("text");
	p.severity = p.risk_score = str("7.5");
	p.labels = str("{}");
	p.explain_ref.s = wide_text;
	p.explain_ref.n = 5000;
	return lc_projection_canonical(out, &p);
}

static lc_status
write_numbers(lc_buf *out, const lc_alloc *alloc)
{
	lc_status	status = LC_OK;
	int			i;

	(void) alloc;
	for (i = 0; i < 50 && status == LC_OK; i++)
		status = lc_number_canonical(out, "-1.7976931348623157e308", 23);
	if (status == LC_OK)
		status = lc_number_from_double(out, 1e-300);
	return status;
}

static lc_status
write_time(lc_buf *out, const lc_alloc *alloc)
{
	(void) alloc;
	return lc_timestamp_format(out, 0);
}

static lc_signer
signer(const char *text)
{
	lc_signer	s;

	if (lc_signer_parse(text, strlen(text), &s) != LC_OK)
		abort();
	return s;
}

/* Twenty lines, so that the buffer grows. */
static lc_status
sign_notes(lc_buf *out, const lc_alloc *alloc)
{
	lc_signer	witness = signer(WITNESS_SKEY);
	lc_status	status = LC_OK;

	for (int i = 0; i < 20 && status == LC_OK; i++)
		status = lc_note_sign(out, CHECKPOINT, strlen(CHECKPOINT), &witness, 1679315147, alloc);
	return status;
}

static lc_status
verify_notes(lc_buf *out, const lc_alloc *alloc)
{
	static const char text[] = CHECKPOINT "\n" LOG_LINE WITNESS_LINE LATER_LINE;
	lc_signer	witness = signer(WITNESS_SKEY);
	lc_note		note;

	(void) out;
	if (lc_note_parse(text, strlen(text), &note) != LC_OK)
		abort();
	return lc_note_verify(&note, &witness.verifier, NULL, alloc);
}

static lc_status
write_texts(lc_buf *out, const lc_alloc *alloc)
{
	lc_tlogproof p;
	lc_mark		m;
	lc_signer	log = signer(LOG_SKEY);

	(void) alloc;
	memset(&p, 0, sizeof(p));
	p.proof.count = 63;
	p.checkpoint = str(CHECKPOINT);
	lc_tlogproof_format(out, &p);
	memset(&m, 0, sizeof(m));
	m.mode = str("full");
	m.origin = m.tenant = str("o");
	m.tree_size = 1;
	m.verified_at = str("2026-11-24T08:00:00.250000Z");
	lc_mark_format(out, &m);
	lc_signer_format(out, &log);
	lc_verifier_format(out, &log.verifier);
	return out->status;
}

/* A signed envelope, read again and verified. */
static lc_status
sign_dsse(lc_buf *out, const lc_alloc *alloc)
{
	lc_signer	keys[2] = {signer(LOG_SKEY), signer(OTHER_SKEY)};
	size_t		mark = out->len;
	lc_dsse		d;
	lc_status	status = lc_dsse_sign(out, str("type"), str("{}"), keys, 2, alloc);

	if (status != LC_OK)
		return status;
	status = lc_dsse_parse(out->data + mark, out->len - mark, alloc, &d);
	if (status == LC_OK)
	{
		status = lc_dsse_verify(&d, &keys[1].verifier, alloc);
		lc_dsse_free(&d);
	}
	if (status != LC_OK)
		lc_buf_truncate(out, mark);
	return status;
}

static lc_status
read_tree(lc_buf *out, const lc_alloc *alloc)
{
	lc_jsontree *tree;
	lc_json_error err;
	lc_status	status = lc_jsontree_parse(wide_text, strlen(wide_text), 0, alloc, &tree, &err);

	(void) out;
	if (status == LC_OK)
		lc_jsontree_free(tree);
	else if (tree != NULL || err.status != status)
		abort();
	return status;
}

/* With an allocator that returns NULL. */
static void
test_null(work run, const char *name)
{
	static broken b;
	lc_alloc	alloc = {broken_resize, broken_release, &b};
	lc_buf		out;
	lc_status	status = LC_ERR_MEMORY;
	int			served;
	bool		right = true;

	for (served = 0; served < ENOUGH && status != LC_OK; served++)
	{
		size_t		kept;

		memset(&b, 0, sizeof(b));
		b.left = served + 1;	/* one for what stands in the buffer before */
		lc_buf_init(&out, &alloc);
		lc_buf_puts(&out, "kept");
		kept = out.len;
		status = run(&out, &alloc);
		right = right && (status == LC_OK || status == LC_ERR_MEMORY) && out.len >= kept &&
			memcmp(out.data, "kept", 4) == 0 && out.data[out.len] == '\0';

		/* A failed writer leaves nothing behind, unless it only adds pieces. */
		if (status != LC_OK && run != write_numbers && run != sign_notes && run != write_texts)
			right = right && out.len == kept;
		lc_buf_free(&out);
		right = right && b.nblocks == 0;
		broken_free_all(&b);
	}
	ok(right && status == LC_OK, "%s: each of %d failed requests is reported", name, served - 1);
}

/* With an allocator that jumps out. */
static void
test_jump(work run, const char *name)
{
	static broken b;
	static lc_alloc alloc;
	static lc_buf out;
	static volatile int served;
	static volatile bool finished;

	alloc.resize = broken_resize;
	alloc.release = broken_release;
	alloc.ctx = &b;
	finished = false;
	for (served = 0; served < ENOUGH && !finished; served++)
	{
		memset(&b, 0, sizeof(b));
		b.left = served;
		b.jumps = true;
		if (setjmp(b.escape) == 0)
		{
			lc_buf_init(&out, &alloc);
			finished = run(&out, &alloc) == LC_OK;
			lc_buf_free(&out);
			finished = finished && b.nblocks == 0;
		}
		broken_free_all(&b);
	}
	ok(finished, "%s: after each of %d jumps it works again", name, served - 1);
}

static void
test(work run, const char *name)
{
	test_null(run, name);
	test_jump(run, name);
}

int
main(void)
{
	make_wide_text();
	test(canonicalize, "canonicalize");
	test(refuse, "refuse with a path");
	test(write_events, "write events");
	test(write_envelope, "envelope");
	test(write_projection, "projection");
	test(write_numbers, "numbers");
	test(write_time, "timestamp");
	test(sign_notes, "sign notes");
	test(verify_notes, "verify notes");
	test(write_texts, "bundle, mark and keys");
	test(sign_dsse, "sign, read and verify an envelope");
	test(read_tree, "read a tree");
	lc_sha256_thread_end();
	return done();
}
