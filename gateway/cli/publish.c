/*
 * publish.c
 *		Handing signed anchors to external anchors, and storing what they answer.
 *
 * What is published is made here of the stored anchor: its text, and the one
 * signature line and DSSE signature of a log key.  So it is the same at every
 * try, whoever has cosigned the stored checkpoint in between.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lc_dsse.h"
#include "lc_base64.h"
#include "lc_note.h"
#include "publish.h"

typedef struct job
{
	PGconn	   *conn;
	const lc_verifier *keys;	/* the signer's own first, then the log keys of the database */
	size_t		nkeys;
	lc_buf		text;
	lc_buf		checkpoint;
	lc_buf		dsse;
} job;

/* ---- what is published ---- */

static bool
is_line_of(const lc_note_signature *signature, const lc_verifier *key)
{
	return signature->name.n == strlen(key->name) &&
		memcmp(signature->name.s, key->name, signature->name.n) == 0 &&
		memcmp(signature->id, key->id, LC_KEY_ID_LEN) == 0;
}

/* The note with the first line of the key alone. */
static void
put_checkpoint(job *j, const lc_note *note, const lc_verifier *key)
{
	lc_buf_append(&j->text, note->text.s, note->text.n);
	lc_buf_append(&j->checkpoint, note->text.s, note->text.n);
	lc_buf_putc(&j->checkpoint, '\n');
	for (size_t i = 0; i < note->count; i++)
		if (is_line_of(&note->signatures[i], key))
		{
			lc_buf_append(&j->checkpoint, note->signatures[i].line.s, note->signatures[i].line.n);
			return;
		}
}

/* The envelope with the signature of the key alone, as lc_dsse_sign would write it. */
static bool
put_dsse(job *j, const lc_dsse *dsse, const lc_verifier *key)
{
	const char *id = cli_key_name(key);

	for (size_t i = 0; i < dsse->count; i++)
	{
		const lc_dsse_signature *s = &dsse->signatures[i];

		if (s->keyid.n != strlen(id) || memcmp(s->keyid.s, id, s->keyid.n) != 0)
			continue;
		lc_buf_puts(&j->dsse, "{\"payload\":\"");
		lc_buf_put_base64(&j->dsse, dsse->payload.data, dsse->payload.len);
		lc_buf_puts(&j->dsse, "\",\"payloadType\":");
		lc_jcs_put_string(&j->dsse, dsse->payload_type.data, dsse->payload_type.len);
		lc_buf_puts(&j->dsse, ",\"signatures\":[{\"keyid\":");
		lc_jcs_put_string(&j->dsse, id, strlen(id));
		lc_buf_puts(&j->dsse, ",\"sig\":\"");
		lc_buf_append(&j->dsse, s->base64.s, s->base64.n);
		lc_buf_puts(&j->dsse, "\"}]}");
		return true;
	}
	return false;
}

/* Of the first key that signed both, which it must have done: nothing unsigned goes out. */
static bool
take_signed(job *j, const char *checkpoint, const char *envelope, fault *f)
{
	lc_note		note;
	lc_dsse		dsse;
	bool		good = false;

	lc_buf_reset(&j->text);
	lc_buf_reset(&j->checkpoint);
	lc_buf_reset(&j->dsse);
	if (lc_note_parse(checkpoint, strlen(checkpoint), &note) != LC_OK)
		return fault_set(f, "its checkpoint is no signed note");
	if (lc_dsse_parse(envelope, strlen(envelope), &cli_alloc, &dsse) != LC_OK)
		return fault_set(f, "its statement is no DSSE envelope");
	for (size_t i = 0; i < j->nkeys && !good; i++)
	{
		if (lc_note_verify(&note, &j->keys[i], NULL, &cli_alloc) != LC_OK ||
			lc_dsse_verify(&dsse, &j->keys[i], &cli_alloc) != LC_OK)
			continue;
		good = put_dsse(j, &dsse, &j->keys[i]);
		if (good)
			put_checkpoint(j, &note, &j->keys[i]);
	}
	lc_dsse_free(&dsse);
	return good || fault_set(f, "no log key has validly signed its checkpoint and its statement");
}

/* ---- what comes back ---- */

static bool
store_receipt(job *j, const external_anchor *a, const anchor_item *item, const anchor_receipt *r,
			  fault *f)
{
	lc_buf		hex;
	PGresult   *result;
	const char *values[] = {item->tenant, item->anchor_id, a->kind, a->name, r->reference.data, NULL};

	lc_buf_init(&hex, &cli_alloc);
	lc_buf_put_hex(&hex, (const uint8_t *) r->receipt.data, r->receipt.len);
	values[5] = hex.data;
	result = db_query(j->conn, f,
					  "SELECT ledger.ledger_store_receipt($1, $2, $3, $4, $5, decode($6, 'hex'))", 6, values);
	lc_buf_free(&hex);
	PQclear(result);
	return result != NULL;
}

static bool
item_consistency(const anchor_item *item, uint64_t from, lc_proof *out, fault *f)
{
	const job  *j = item->arg;

	return db_consistency(j->conn, item->tenant, item->chain, from, item->size, out, f);
}

/* One anchor to one place; the receipt is stored before this counts as done. */
static anchor_outcome
publish_one(job *j, external_anchor *a, anchor_item *item, fault *f)
{
	anchor_receipt receipt;
	anchor_outcome outcome;

	item->text = (lc_str) {j->text.data, j->text.len};
	item->checkpoint = (lc_str) {j->checkpoint.data, j->checkpoint.len};
	item->dsse = (lc_str) {j->dsse.data, j->dsse.len};
	item->consistency = item_consistency;
	item->arg = j;
	lc_buf_init(&receipt.reference, &cli_alloc);
	lc_buf_init(&receipt.receipt, &cli_alloc);
	outcome = a->publish(a, item, &receipt, f);
	if (outcome == ANCHOR_DONE && !store_receipt(j, a, item, &receipt, f))
		outcome = ANCHOR_FAILED;
	lc_buf_free(&receipt.reference);
	lc_buf_free(&receipt.receipt);
	return outcome;
}

/* ---- failures ---- */

/* The alarm: a counter of the tenant's, which the metrics show. */
static void
raise_alarm(job *j, const external_anchor *a, const char *tenant)
{
	char		reason[64];
	const char *values[] = {tenant, reason};
	fault		f;
	PGresult   *result;

	snprintf(reason, sizeof(reason), "required_%s", a->kind);
	result = db_query(j->conn, &f, "SELECT ledger.ledger_record_anchor_failure($1, $2)", 2, values);
	if (result == NULL)
		cli_error(CLI_USAGE, "the failure of %s cannot be recorded: %s", a->kind, f.text);
	PQclear(result);
}

static void
tell_failure(job *j, const external_anchor *a, const anchor_item *item, publish_counts *counts,
			 const fault *f)
{
	counts->failed++;
	if (a->policy == ANCHOR_REQUIRED)
	{
		counts->required_failed++;
		cli_error(CLI_USAGE, "required %s \"%s\" failed for %s/%s at size %" PRIu64 ": %s", a->kind,
				  a->name, item->tenant, item->chain, item->size, f->text);
		raise_alarm(j, a, item->tenant);
	}
	else
		cli_note("%s \"%s\" failed for %s/%s at size %" PRIu64 ": %s", a->kind, a->name,
				 item->tenant, item->chain, item->size, f->text);
}

/* ---- all of them ---- */

static bool
same_chain(const PGresult *pending, int a, int b)
{
	return strcmp(db_text(pending, a, "tenant_id"), db_text(pending, b, "tenant_id")) == 0 &&
		strcmp(db_text(pending, a, "chain_id"), db_text(pending, b, "chain_id")) == 0;
}

static bool
read_item(const PGresult *pending, int row, anchor_item *out, fault *f)
{
	out->tenant = db_text(pending, row, "tenant_id");
	out->chain = db_text(pending, row, "chain_id");
	out->anchor_id = db_text(pending, row, "anchor_id");
	if (!db_names_valid(out->tenant, out->chain, out->anchor_id, f))
		return false;
	return (db_uint(pending, row, "tree_size", &out->size) &&
			db_uint(pending, row, "published_size", &out->witnessed)) ||
		fault_set(f, "the database answered with an anchor without size");
}

/*
 * A witness takes no checkpoint below what it has cosigned: an older one is
 * covered by the newer, and is left.  But the newest must not be below that.
 */
static bool
is_newest(const PGresult *pending, int row)
{
	return row + 1 == PQntuples(pending) || !same_chain(pending, row, row + 1);
}

static bool
publish_pending(job *j, external_anchor *a, const PGresult *pending, uint64_t *published,
				publish_counts *counts, fault *f)
{
	uint64_t	last = 0;		/* published for the chain in this run */

	for (int i = 0; i < PQntuples(pending); i++)
	{
		anchor_item item = {0};
		anchor_outcome outcome = ANCHOR_FAILED;

		if (!read_item(pending, i, &item, f))
			return false;
		if (i > 0 && same_chain(pending, i - 1, i) && last > item.witnessed)
			item.witnessed = last;
		if (take_signed(j, db_text(pending, i, "checkpoint"), db_text(pending, i, "dsse"), f))
			outcome = publish_one(j, a, &item, f);
		if (i == 0 || !same_chain(pending, i - 1, i))
			last = 0;
		if (outcome == ANCHOR_DONE)
		{
			last = item.size;
			(*published)++;
		}
		else if (!db_alive(j->conn))
			return false;
		else if (outcome != ANCHOR_SUPERSEDED || is_newest(pending, i))
			tell_failure(j, a, &item, counts, f);
		if (outcome == ANCHOR_DOWN)
			break;
	}
	return true;
}

static bool
publish_to(job *j, external_anchor *a, const char *tenant, uint64_t *published,
		   publish_counts *counts, fault *f)
{
	const char *values[] = {a->kind, a->name, tenant};
	PGresult   *pending = db_query(j->conn, f,
								   "SELECT * FROM ledger.ledger_unpublished_anchors($1, $2, $3)"
								   " ORDER BY tenant_id, chain_id, tree_size", 3, values);
	bool		good = pending != NULL &&
		publish_pending(j, a, pending, published, counts, f);

	PQclear(pending);
	return good;
}

/* After a rotation there are anchors that the old key signed. */
static bool
find_keys(job *j, const lc_verifier *own, lc_verifier **out, fault *f)
{
	PGresult   *result = db_query(j->conn, f,
								  "SELECT public_key FROM ledger.ledger_keys"
								  " WHERE purpose = 'log' AND revoked_at IS NULL", 0, NULL);
	lc_verifier *keys;

	if (result == NULL)
		return false;
	keys = cli_alloc.resize(NULL, NULL, ((size_t) PQntuples(result) + 1) * sizeof(*keys));
	keys[0] = *own;
	j->nkeys = 1;
	for (int i = 0; i < PQntuples(result); i++)
	{
		const char *text = db_text(result, i, "public_key");

		if (lc_verifier_parse(text, strlen(text), &keys[j->nkeys]) == LC_OK)
			j->nkeys++;
	}
	PQclear(result);
	j->keys = *out = keys;
	return true;
}

bool
publish_all(PGconn *conn, publishers *p, const lc_verifier *own, const char *tenant,
			publish_counts *counts, fault *f)
{
	job			j = {.conn = conn};
	lc_verifier *keys = NULL;
	bool		good;

	if (p->count == 0)
		return true;
	lc_buf_init(&j.text, &cli_alloc);
	lc_buf_init(&j.checkpoint, &cli_alloc);
	lc_buf_init(&j.dsse, &cli_alloc);
	good = find_keys(&j, own, &keys, f);
	for (size_t i = 0; i < p->count && good; i++)
		good = publish_to(&j, &p->anchors[i], tenant, &counts->published[i], counts, f);
	cli_alloc.release(NULL, keys);
	lc_buf_free(&j.text);
	lc_buf_free(&j.checkpoint);
	lc_buf_free(&j.dsse);
	return good;
}
