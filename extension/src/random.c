/*
 * random.c
 *		Random bytes, and ids of events: new ones, and their text read.
 *
 * pg_strong_random costs about as much as a small append's hashing; drawing
 * 4 kB at once makes it vanish.  The pool lives in the backend only and bytes
 * are wiped as they are handed out.
 */
#include "ledger.h"

#include "lc_uuid.h"

static uint8 pool[4096];
static size_t pool_left = 0;

void
ledger_random_bytes(void *out, size_t n)
{
	Assert(n <= sizeof(pool));
	if (pool_left < n)
	{
		pool_left = 0;
		if (!pg_strong_random(pool, sizeof(pool)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not draw random bytes")));
		pool_left = sizeof(pool);
	}
	pool_left -= n;
	memcpy(out, pool + pool_left, n);
	memset(pool + pool_left, 0, n);
}

/* A fresh UUID version 7 for an event that brings no id. */
pg_uuid_t *
ledger_new_event_id(void)
{
	pg_uuid_t  *uuid = (pg_uuid_t *) palloc(sizeof(pg_uuid_t));
	uint8		random[10];

	ledger_random_bytes(random, sizeof(random));
	lc_uuid_v7(uuid->data, ledger_unix_us(GetCurrentTimestamp(), "clock"), random);
	return uuid;
}

PG_FUNCTION_INFO_V1(ledger_uuid_v7);

/* ledger_uuid_v7() → uuid */
Datum
ledger_uuid_v7(PG_FUNCTION_ARGS)
{
	PG_RETURN_UUID_P(ledger_new_event_id());
}

PG_FUNCTION_INFO_V1(ledger_uuid);

/*
 * ledger_uuid(value text) → uuid, or NULL.  uuid_in() takes braces and misplaced
 * dashes as well, and a regular expression before it costs half as much as the
 * event that the id is of.
 */
Datum
ledger_uuid(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	pg_uuid_t  *uuid = (pg_uuid_t *) palloc(sizeof(pg_uuid_t));
	char		lower[LC_UUID_TEXT];

	if (VARSIZE_ANY_EXHDR(value) != sizeof(lower))
		PG_RETURN_NULL();
	for (size_t i = 0; i < sizeof(lower); i++)
		lower[i] = pg_ascii_tolower((unsigned char) VARDATA_ANY(value)[i]);
	if (lc_uuid_parse(lower, sizeof(lower), uuid->data) != LC_OK)
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(uuid);
}
