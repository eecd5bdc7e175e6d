/*
 * attachment_rewrap.c
 *		After a rotation: data keys that an earlier key wrapped are wrapped by
 *		the one that is used.  The content is not touched.
 *
 * Several gateways may do it at once: whoever comes second finds another key id
 * and leaves the row alone.
 */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "log.h"
#include "rewrap.h"
#include "seal.h"

#define PAGE "200"

/* Where a page ended. */
typedef struct position
{
	char		tenant[256];
	char		id[40];
} position;

static lc_str
column(const PGresult *result, int row, int number)
{
	return (lc_str) {PQgetvalue(result, row, number), (size_t) PQgetlength(result, row, number)};
}

static bool
copy(void *to, size_t n, lc_str from)
{
	if (from.n != n)
		return false;
	memcpy(to, from.s, n);
	return true;
}

/* 1: put in its place; 0: another was first, or it cannot be read; -1: the database failed. */
static int
replace(PGconn *conn, const seal_subject *subject, const char *old_id, const seal *with)
{
	const char *values[] = {
		subject->tenant.s, subject->attachment.s, old_id, with->key_id, (const char *) with->wrapped_key
	};
	const int	lengths[] = {0, 0, 0, 0, SEAL_WRAPPED};
	const int	formats[] = {0, 0, 0, 0, 1};
	PGresult   *result = PQexecParams(conn, "SELECT ledger.ledger_rewrap_attachment($1, $2, $3, $4, $5)", 5, NULL,
									  values, lengths, formats, 0);
	int			replaced = -1;

	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
		replaced = strcmp(PQgetvalue(result, 0, 0), "t") == 0;
	PQclear(result);
	return replaced;
}

static int
rewrap_row(PGconn *conn, const keyring *ring, const char *old_id, const PGresult *page, int row)
{
	seal_subject subject = {
		.tenant = column(page, row, 0), .attachment = column(page, row, 1), .finding = column(page, row, 2),
		.media_type = column(page, row, 3), .file_name = column(page, row, 4), .digest = column(page, row, 5)
	};
	seal		s = {{0}, {0}, {0}, {0}};
	seal_result result = SEAL_BROKEN;

	snprintf(s.key_id, sizeof(s.key_id), "%s", old_id);
	if (copy(s.wrapped_key, SEAL_WRAPPED, column(page, row, 6)))
		result = seal_rewrap(ring, &subject, &s);
	if (result == SEAL_OK)
		return replace(conn, &subject, old_id, &s);
	log_line(LOG_ERROR, "attachments.rewrap", "attachment %s of tenant %s is not as it was stored",
			 subject.attachment.s, subject.tenant.s);
	return 0;
}

/* Binary, because wrapped keys are; ids as text. */
static PGresult *
read_page(PGconn *conn, const char *key_id, const position *from)
{
	static const char sql[] =
		"SELECT a.tenant_id, a.attachment_id::text, a.finding_id, a.media_type, a.file_name, "
		"'sha256:' || pg_catalog.encode(a.digest, 'hex'), a.wrapped_key "
		"FROM ledger.ledger_attachments_to_rewrap($1, $2, $3, " PAGE ") AS a";
	const char *values[] = {key_id, from->tenant, from->id[0] != '\0' ? from->id : NULL};

	return PQexecParams(conn, sql, 3, NULL, values, NULL, NULL, 1);
}

/* All of one earlier key.  False: the database failed. */
static bool
rewrap_key(PGconn *conn, const keyring *ring, const char *old_id, int *count, fault *f)
{
	position	at = {"", ""};
	int			rows,
				done = 0;

	do
	{
		PGresult   *page = read_page(conn, old_id, &at);

		if (PQresultStatus(page) != PGRES_TUPLES_OK)
		{
			PQclear(page);
			return fault_set(f, "attachments to wrap anew cannot be read (%s)", PQerrorMessage(conn));
		}
		rows = PQntuples(page);
		for (int row = 0; row < rows && done >= 0; row++)
		{
			done = rewrap_row(conn, ring, old_id, page, row);
			*count += done > 0;
		}
		if (rows > 0)
		{
			snprintf(at.tenant, sizeof(at.tenant), "%s", PQgetvalue(page, rows - 1, 0));
			snprintf(at.id, sizeof(at.id), "%s", PQgetvalue(page, rows - 1, 1));
		}
		PQclear(page);
	} while (rows > 0 && done >= 0);
	return done >= 0 || fault_set(f, "an attachment's key could not be replaced (%s)", PQerrorMessage(conn));
}

int
attachments_rewrap(PGconn *conn, fault *f)
{
	const config *c = config_now();
	keyring		ring;
	int			count = 0;
	bool		good;

	good = keyring_read(c->att_key, c->att_previous_keys, &ring, f);
	for (size_t i = 1; good && i < ring.count; i++)
		/* The key that is used may stand among the earlier ones. */
		if (strcmp(ring.keys[i].id, ring.keys[0].id) != 0)
			good = rewrap_key(conn, &ring, ring.keys[i].id, &count, f);
	keyring_wipe(&ring);
	if (count > 0)
		log_line(LOG_INFO, "attachments.rewrapped", "keys of %d attachments were wrapped anew", count);
	return good ? count : -1;
}
