/*
 * anchor_witness.c
 *		C2SP tlog-witness: hands a checkpoint to a witness, with a proof that
 *		it extends what the witness saw last, and takes its cosignature.
 *
 * What the witness saw last is guessed from the receipts; a wrong guess is
 * answered with 409 and the right size, and asked again once.  The witness
 * judges; all that is checked here is that its signature is its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "anchor.h"
#include "http.h"
#include "lc_base64.h"
#include "lc_note.h"

/* How far the witness's clock may be ahead of ours, in seconds. */
#define WITNESS_CLOCK_SKEW 300

typedef struct witness
{
	char		url[1024];		/* submission prefix and add-checkpoint */
	lc_verifier key;
} witness;

/* "old <size>", the proof's hashes, an empty line, the checkpoint. */
static bool
write_request(const anchor_item *item, uint64_t old, lc_buf *out, fault *f)
{
	lc_proof	proof;

	proof.count = 0;
	/* From nothing and from the same size there is nothing to prove. */
	if (old > 0 && old < item->size && !item->consistency(item, old, &proof, f))
		return false;
	lc_buf_puts(out, "old ");
	lc_buf_put_int64(out, (int64_t) old);
	lc_buf_putc(out, '\n');
	for (size_t i = 0; i < proof.count; i++)
	{
		lc_buf_put_base64(out, proof.hashes[i], LC_HASH_LEN);
		lc_buf_putc(out, '\n');
	}
	lc_buf_putc(out, '\n');
	lc_buf_append(out, item->checkpoint.s, item->checkpoint.n);
	return out->status == LC_OK || fault_set(f, "out of memory");
}

/* Is the line a cosignature of the witness over our text, of a time that can be? */
static bool
check_line(const witness *w, const anchor_item *item, lc_str line, fault *f)
{
	lc_buf		text;
	lc_note		note;
	uint64_t	when = 0;
	lc_status	status;

	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_append(&text, item->text.s, item->text.n);
	lc_buf_putc(&text, '\n');
	lc_buf_append(&text, line.s, line.n);
	status = text.status == LC_OK ? lc_note_parse(text.data, text.len, &note) : text.status;
	if (status == LC_OK)
		status = lc_note_verify(&note, &w->key, &when, &lc_alloc_malloc);
	lc_buf_free(&text);
	if (status != LC_OK)
		return fault_set(f, "the witness's cosignature: %s", lc_status_text(status));
	if (when == 0 || when > (uint64_t) time(NULL) + WITNESS_CLOCK_SKEW)
		return fault_set(f, "the witness's cosignature has no time, or one that is not yet");
	return true;
}

static bool
line_of_key(const lc_note_signature *signature, const lc_verifier *key)
{
	return signature->name.n == strlen(key->name) &&
		memcmp(signature->name.s, key->name, signature->name.n) == 0 &&
		memcmp(signature->id, key->id, LC_KEY_ID_LEN) == 0;
}

/* The witness's own line among those it answered; lines of other keys are nothing to us. */
static bool
take_cosignature(const witness *w, const anchor_item *item, const lc_buf *body, anchor_receipt *out,
				 fault *f)
{
	const char *p = body->data;
	const char *end = p == NULL ? NULL : p + body->len;

	while (p != end)
	{
		const char *newline = memchr(p, '\n', (size_t) (end - p));
		lc_note_signature signature;

		if (newline == NULL ||
			lc_note_parse_line(p, (size_t) (newline + 1 - p), &signature) != LC_OK)
			return fault_set(f, "the witness's answer is not made of signature lines");
		if (line_of_key(&signature, &w->key))
		{
			if (!check_line(w, item, signature.line, f))
				return false;
			lc_buf_append(&out->receipt, signature.line.s, signature.line.n);
			lc_buf_puts(&out->reference, "witness::");
			lc_buf_puts(&out->reference, w->key.name);
			return true;
		}
		p = newline + 1;
	}
	return fault_set(f, "the witness answered without a cosignature of %s", w->key.name);
}

/* The body of a 409: a size in decimal and a newline. */
static bool
read_size(const lc_buf *body, uint64_t *out)
{
	uint64_t	size = 0;

	if (body->len < 2 || body->len > 20 || body->data[body->len - 1] != '\n' ||
		(body->data[0] == '0' && body->len != 2))
		return false;
	for (size_t i = 0; i + 1 < body->len; i++)
	{
		if (body->data[i] < '0' || body->data[i] > '9' || size > LC_MERKLE_MAX_SIZE / 10)
			return false;
		size = size * 10 + (uint64_t) (body->data[i] - '0');
	}
	*out = size;
	return size <= LC_MERKLE_MAX_SIZE;
}

static bool
refused(const http_answer *answer, fault *f)
{
	const char *meaning =
		answer->status == 403 ? " (it does not trust the log's key)" :
		answer->status == 404 ? " (it does not know the log)" :
		answer->status == 422 ? " (it holds an earlier checkpoint that this one does not extend)" : "";

	return fault_set(f, "the witness refused the checkpoint with HTTP status %ld%s",
					 answer->status, meaning);
}

/* One exchange.  *conflict and *old are set if the answer is 409 with a size. */
static anchor_outcome
submit(const witness *w, const anchor_item *item, uint64_t *old, bool *conflict,
	   anchor_receipt *out, fault *f)
{
	http_answer answer;
	lc_buf		body;
	anchor_outcome outcome = ANCHOR_FAILED;

	*conflict = false;
	lc_buf_init(&answer.body, &lc_alloc_malloc);
	lc_buf_init(&body, &lc_alloc_malloc);
	if (!write_request(item, *old, &body, f))
		outcome = ANCHOR_FAILED;
	else if (!http_post(w->url, "text/plain; charset=utf-8", &body, &answer, f))
		outcome = ANCHOR_DOWN;
	else if (answer.status == 200)
		outcome = take_cosignature(w, item, &answer.body, out, f) ? ANCHOR_DONE : ANCHOR_FAILED;
	else if (answer.status == 409 && read_size(&answer.body, old))
		*conflict = true;
	else
		refused(&answer, f);
	lc_buf_free(&body);
	lc_buf_free(&answer.body);
	return outcome;
}

static anchor_outcome
witness_publish(external_anchor *self, const anchor_item *item, anchor_receipt *out, fault *f)
{
	const witness *w = self->data;
	uint64_t	old = item->witnessed < item->size ? item->witnessed : 0;
	bool		conflict;
	anchor_outcome outcome;

	outcome = submit(w, item, &old, &conflict, out, f);
	if (conflict && old > item->size)
	{
		fault_set(f, "the witness has cosigned size %llu already", (unsigned long long) old);
		return ANCHOR_SUPERSEDED;
	}
	if (conflict)
	{
		outcome = submit(w, item, &old, &conflict, out, f);
		if (conflict)
			fault_set(f, "the witness answers another size each time it is asked");
	}
	return outcome;
}

static void
witness_close(external_anchor *self)
{
	free(self->data);
}

bool
anchor_witness_open(external_anchor *self, const char *url, const lc_verifier *key, fault *f)
{
	witness    *w;
	size_t		n = strlen(url);

	if (key->type != LC_KEY_COSIGNATURE)
		return fault_set(f, "the key of witness %s is not of type 0x04 (timestamped cosignatures)", key->name);
	w = malloc(sizeof(*w));
	if (w == NULL)
		return fault_set(f, "out of memory");
	while (n > 0 && url[n - 1] == '/')
		n--;
	snprintf(w->url, sizeof(w->url), "%.*s/add-checkpoint", (int) n, url);
	w->key = *key;
	self->kind = "witness";
	snprintf(self->name, sizeof(self->name), "%s", key->name);
	self->publish = witness_publish;
	self->close = witness_close;
	self->data = w;
	return true;
}
