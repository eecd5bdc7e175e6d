/*
 * verify_home.c
 *		Where does a row belong that is wrong where it stands?  (docs/verification.md,
 *		"Home".)
 *
 * A row whose tenant, chain or sequence was changed still holds, as its
 * previous_hash, the hash of the row before its true place.  The places behind
 * rows that hold such hashes are candidates; that the envelope with the
 * candidate's tenant, chain and sequence gives event_hash is proof.  From each
 * row that found its home the search goes on to the rows that hold its hash, so
 * a whole shifted chain is walked once, by a hash table: time and memory are
 * proportional to the rows that are out of place.
 */
#include "ledger.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"

typedef struct Stray
{
	EventRow	row;
	bool		settled;
	int			next_same;		/* next stray with the same previous hash, or -1 */
} Stray;

typedef struct FirstStray
{
	uint8		previous[LC_HASH_LEN];	/* key */
	int			index;
	bool		expanded;		/* were they queued? once is enough */
} FirstStray;

typedef struct Place
{
	int			stray;
	Datum		tenant;
	Datum		chain;
	int64		sequence;
} Place;

typedef struct Walk
{
	Stray	   *strays;
	int			nstrays;
	HTAB	   *by_previous;
	Place	   *queue;			/* places still to try */
	int			nqueue;
	int			capacity;
} Walk;

static Datum *
elements(ArrayType *array, Oid type, int *n)
{
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Datum	   *values;
	bool	   *nulls;

	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	deconstruct_array(array, type, typlen, typbyval, typalign, &values, &nulls, n);
	for (int i = 0; i < *n; i++)
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_INVALID), errmsg("arrays must hold no nulls")));
	return values;
}

static void
load_strays(Walk *walk, FunctionCallInfo fcinfo, ArrayType *rows)
{
	Datum	   *values;
	HASHCTL		ctl;

	ledger_require_rowtype(ARR_ELEMTYPE(rows));
	values = elements(rows, ARR_ELEMTYPE(rows), &walk->nstrays);
	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = LC_HASH_LEN;
	ctl.entrysize = sizeof(FirstStray);
	ctl.hcxt = CurrentMemoryContext;
	walk->by_previous = hash_create("ledger strays", 1024, &ctl,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	walk->strays = (Stray *) palloc0(Max(walk->nstrays, 1) * sizeof(Stray));
	for (int i = 0; i < walk->nstrays; i++)
	{
		Stray	   *stray = &walk->strays[i];
		const uint8 *previous;
		FirstStray *first;
		bool		found;

		ledger_row_from_datum(fcinfo, values[i], &stray->row);
		stray->next_same = -1;
		previous = ledger_row_hash(&stray->row, EC_PREVIOUS_HASH);
		if (previous == NULL)
			continue;
		first = (FirstStray *) hash_search(walk->by_previous, previous, HASH_ENTER, &found);
		if (found)
			stray->next_same = first->index;
		first->index = i;
		first->expanded = false;
	}
}

static void
push_place(Walk *walk, int stray, Datum tenant, Datum chain, int64 sequence)
{
	if (walk->nqueue == walk->capacity)
	{
		walk->capacity = Max(walk->capacity * 2, 256);
		walk->queue = walk->queue == NULL ?
			(Place *) palloc(walk->capacity * sizeof(Place)) :
			(Place *) repalloc(walk->queue, walk->capacity * sizeof(Place));
	}
	walk->queue[walk->nqueue++] = (Place) {stray, tenant, chain, sequence};
}

/* Does the stray's envelope, put into this place, give its event_hash? */
static bool
belongs(const Stray *stray, const Place *place)
{
	const uint8 *stored = ledger_row_hash(&stray->row, EC_EVENT_HASH);
	EventRow	row = stray->row;
	uint8		hash[LC_HASH_LEN];
	lc_buf		envelope;
	bool		computable;

	row.values[EC_TENANT_ID] = place->tenant;
	row.values[EC_CHAIN_ID] = place->chain;
	row.values[EC_SEQUENCE_NO] = Int64GetDatum(place->sequence);
	row.nulls[EC_TENANT_ID] = row.nulls[EC_CHAIN_ID] = row.nulls[EC_SEQUENCE_NO] = false;
	lc_buf_init(&envelope, &ledger_palloc);
	computable = ledger_try_row_envelope(&row, &envelope);
	if (computable)
		ledger_check_status(lc_event_hash(envelope.data, envelope.len, hash), "event hash");
	lc_buf_free(&envelope);
	return computable && stored != NULL && memcmp(stored, hash, LC_HASH_LEN) == 0;
}

/* The rows that hold this stray's hash belong behind it. */
static void
push_successors(Walk *walk, const Place *place)
{
	const uint8 *hash = ledger_row_hash(&walk->strays[place->stray].row, EC_EVENT_HASH);
	FirstStray *first = (FirstStray *) hash_search(walk->by_previous, hash, HASH_FIND, NULL);

	if (first == NULL || first->expanded)
		return;
	first->expanded = true;
	for (int i = first->index; i >= 0; i = walk->strays[i].next_same)
		if (!walk->strays[i].settled)
			push_place(walk, i, place->tenant, place->chain, place->sequence + 1);
}

PG_FUNCTION_INFO_V1(ledger_find_homes);

/*
 * ledger_find_homes(strays anyarray, place_strays int[], place_tenants text[],
 * place_chains uuid[], place_sequences bigint[]) → SETOF (stray int, tenant_id text,
 * chain_id uuid, sequence_no bigint): the strays' first candidate places, by number from 1;
 * answers those that found their home.
 */
Datum
ledger_find_homes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum	   *numbers;
	Datum	   *tenants;
	Datum	   *chains;
	Datum	   *sequences;
	int			n[4];
	Walk		walk;

	ledger_init_materialized_srf(fcinfo);
	memset(&walk, 0, sizeof(walk));
	load_strays(&walk, fcinfo, PG_GETARG_ARRAYTYPE_P(0));
	numbers = elements(PG_GETARG_ARRAYTYPE_P(1), INT4OID, &n[0]);
	tenants = elements(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, &n[1]);
	chains = elements(PG_GETARG_ARRAYTYPE_P(3), UUIDOID, &n[2]);
	sequences = elements(PG_GETARG_ARRAYTYPE_P(4), INT8OID, &n[3]);
	for (int i = 0; i < Min(Min(n[0], n[1]), Min(n[2], n[3])); i++)
	{
		int			stray = DatumGetInt32(numbers[i]) - 1;

		if (stray >= 0 && stray < walk.nstrays)
			push_place(&walk, stray, tenants[i], chains[i], DatumGetInt64(sequences[i]));
	}
	while (walk.nqueue > 0)
	{
		Place		place = walk.queue[--walk.nqueue];
		Stray	   *stray = &walk.strays[place.stray];
		Datum		values[4] = {Int32GetDatum(place.stray + 1), place.tenant, place.chain,
		Int64GetDatum(place.sequence)};
		bool		nulls[4] = {false};

		CHECK_FOR_INTERRUPTS();
		/* One place at most gives a stray's hash. */
		if (stray->settled || !belongs(stray, &place))
			continue;
		stray->settled = true;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		push_successors(&walk, &place);
	}
	return (Datum) 0;
}
