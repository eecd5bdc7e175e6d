/*
 * attachment.c
 *		From a request to keys, to the stored row, to its content.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "attachment.h"
#include "config.h"
#include "log.h"
#include "problem.h"
#include "wipe.h"

bool
attachment_refuse(job *j, const char *code, const char *hint, const char *format, ...)
{
	char		detail[sizeof(((problem *) NULL)->detail)];
	problem		p;
	va_list		args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	problem_set(&p, code, "%s", detail);
	if (hint != NULL)
		snprintf(p.hint, sizeof(p.hint), "%s", hint);
	problem_reply(&j->reply, &p, j->path, j->trace_id);
	return false;
}

bool
attachment_keys(job *j, keyring *out)
{
	const config *c = config_now();
	fault		f;

	if (!keyring_read(c->att_key, c->att_previous_keys, out, &f))
	{
		log_line(LOG_ERROR, "attachments.key", "%s", f.text);
		return attachment_refuse(j, "internal", NULL, "the keys of attachments cannot be used");
	}
	return out->count > 0 ||
		attachment_refuse(j, "attachments_off", "An operator sets LEDGER__ATTACHMENTS__ENCRYPTIONKEY.",
						  "this gateway has no key for attachments");
}

bool
attachment_read_ask(job *j, attachment_ask *out)
{
	out->tree = NULL;
	if (lc_jsontree_parse(j->context.data, j->context.len, 20, &lc_alloc_malloc, &out->tree, NULL) != LC_OK)
		return attachment_refuse(j, "internal", NULL, "the request cannot be read");
	out->root = lc_jsontree_root(out->tree);
	out->finding = lc_json_string(lc_json_member(out->root, "path"), "findingId");
	return true;
}

lc_str
attachment_query(const attachment_ask *ask, const char *name)
{
	const lc_json *values = lc_json_member(lc_json_member(ask->root, "query"), name);

	return values != NULL && values->child != NULL ? values->child->text : (lc_str) {NULL, 0};
}

/* ---- the stored row ---- */

static lc_str
column(const PGresult *result, int number)
{
	if (PQgetisnull(result, 0, number))
		return (lc_str) {NULL, 0};
	return (lc_str) {PQgetvalue(result, 0, number), (size_t) PQgetlength(result, 0, number)};
}

static bool
take(const PGresult *result, int number, void *to, size_t n)
{
	lc_str		value = column(result, number);

	if (value.n != n || value.s == NULL)
		return false;
	memcpy(to, value.s, n);
	return true;
}

static bool
take_row(job *j, attachment_row *out)
{
	const PGresult *r = out->result;

	if (PQntuples(r) != 1 || PQnfields(r) != 11)
		return attachment_refuse(j, "internal", NULL, "the attachment cannot be read");
	out->subject = (seal_subject)
	{
		.tenant = {j->who.tenant, strlen(j->who.tenant)}, .finding = column(r, 0), .attachment = column(r, 1),
		.digest = column(r, 4), .media_type = column(r, 2), .file_name = column(r, 3)
	};
	out->event_digest = column(r, 5);
	out->ciphertext = column(r, 10);
	snprintf(out->id, sizeof(out->id), "%.*s", (int) out->subject.attachment.n, out->subject.attachment.s);
	out->sealed.key_id[KEYRING_ID] = '\0';
	/* The table's constraints say as much; whoever went round them is not to run us over. */
	if (!take(r, 6, out->sealed.key_id, KEYRING_ID) || !take(r, 7, out->sealed.wrapped_key, SEAL_WRAPPED) ||
		!take(r, 8, out->sealed.nonce, AEAD_NONCE) || !take(r, 9, out->sealed.tag, AEAD_TAG))
		return attachment_refuse(j, "attachment_broken", NULL, "attachment %s is not as it was stored", out->id);
	return true;
}

static bool
load(job *j, dbslow_conn *c, const char *purpose, const char *destination, attachment_row *out)
{
	static const char sql[] =
		"SELECT a.finding_id, a.attachment_id, a.media_type, a.file_name, a.digest, a.event_digest, a.key_id, "
		"a.wrapped_key, a.nonce, a.tag, a.ciphertext "
		"FROM ledger.ledger_http_attachment($1, $2, $3, $4) AS a";
	db_value	values[] = {
		{j->who.tenant, strlen(j->who.tenant), false},
		{j->context.data, j->context.len, false},
		{purpose, strlen(purpose), false},
		{destination, destination != NULL ? strlen(destination) : 0, false}
	};

	out->result = NULL;
	if (!dbslow_begin(c, j, false))
		return false;
	out->result = dbslow_query(c, j, sql, 4, values);
	/* First the record that somebody asked, then the content. */
	return out->result != NULL && dbslow_commit(c, j);
}

bool
attachment_load(job *j, dbslow_conn *c, const char *purpose, const char *destination, attachment_row *out)
{
	while (!load(j, c, purpose, destination, out))
	{
		attachment_row_free(out);
		if (!dbslow_again(c, j, false))
			return false;
	}
	return take_row(j, out);
}

void
attachment_row_free(attachment_row *row)
{
	PQclear(row->result);
	row->result = NULL;
}

/* ---- its content ---- */

const char *
attachment_fault(seal_result result)
{
	return result == SEAL_NO_KEY ? "was wrapped by a key that this gateway does not have" :
		result == SEAL_BROKEN ? "is not as it was stored" : "could not be decrypted";
}

static bool
same(lc_str a, lc_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

bool
attachment_open(job *j, const attachment_row *row, lc_buf *plain)
{
	keyring		ring;
	seal_result result;
	size_t		n = row->ciphertext.n;

	if (!attachment_keys(j, &ring))
		return false;
	lc_buf_init(plain, &wiping_alloc);
	plain->data = wiping_alloc.resize(NULL, NULL, n + 1);
	plain->cap = n + 1;
	if (plain->data == NULL)
		result = SEAL_FAILED;
	/* The chain decides what the attachment is: its event, not the row beside it. */
	else if (!same(row->subject.digest, row->event_digest))
		result = SEAL_BROKEN;
	else
		result = seal_open(&ring, &row->subject, &row->sealed, row->ciphertext.s, n, plain->data);
	keyring_wipe(&ring);
	if (result == SEAL_OK)
	{
		plain->len = n;
		plain->data[n] = '\0';
		return true;
	}
	lc_buf_free(plain);
	log_line(LOG_ERROR, "attachments.broken", "attachment %s of tenant %s %s", row->id, j->who.tenant,
			 attachment_fault(result));
	if (result == SEAL_NO_KEY)
		return attachment_refuse(j, "attachment_key", "An operator sets the key in LEDGER__ATTACHMENTS__PREVIOUSKEYS.",
								 "attachment %s %s", row->id, attachment_fault(result));
	return attachment_refuse(j, result == SEAL_BROKEN ? "attachment_broken" : "internal", NULL,
							 "attachment %s %s", row->id, attachment_fault(result));
}
