/*
 * attachment.h
 *		What the routes of attachments share.  The routes themselves: work.h.
 */
#ifndef GATEWAY_ATTACHMENT_H
#define GATEWAY_ATTACHMENT_H

#include "dbslow.h"
#include "lc_jsontree.h"
#include "seal.h"

/* job->context, read. */
typedef struct attachment_ask
{
	lc_jsontree *tree;
	const lc_json *root;
	lc_str		finding;
} attachment_ask;

/* Functions that return false have put a problem into the reply. */
extern bool attachment_refuse(job *j, const char *code, const char *hint, const char *format, ...)
			__attribute__((format(printf, 4, 5)));
extern bool attachment_keys(job *j, keyring *out);	/* false too if no key is set; wiped by the caller */
extern bool attachment_read_ask(job *j, attachment_ask *out);
extern lc_str attachment_query(const attachment_ask *ask, const char *name);	/* s NULL: not given */

/* One attachment as the database has it; what points somewhere points into result. */
typedef struct attachment_row
{
	PGresult   *result;
	seal_subject subject;
	seal		sealed;
	lc_str		ciphertext;		/* s NULL: not asked for */
	lc_str		event_digest;
	char		id[64];
} attachment_row;

/* In a transaction of its own, which records the access.  purpose: read, link or push. */
extern bool attachment_load(job *j, dbslow_conn *c, const char *purpose, const char *destination, attachment_row *out);
/* plain: of wiping_alloc (wipe.h). */
extern bool attachment_open(job *j, const attachment_row *row, lc_buf *plain);
extern void attachment_row_free(attachment_row *row);

/* A message of attachment_open for what seal_open answered. */
extern const char *attachment_fault(seal_result result);

#endif
