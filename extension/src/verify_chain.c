/*
 * verify_chain.c
 *		The aggregate that checks a chain in any order, in parallel, in constant
 *		memory: the fast path of verification.
 *
 * Links need no order.  A chain of n rows is intact if every row gives its own
 * hashes and the multiset of (sequence, event_hash), less the last one, is the
 * multiset of (sequence - 1, previous_hash), less the first one, with n rows
 * from first to last.  Two multisets are compared by the sums of a keyed hash
 * of their members (MSet-Add-Hash: Clarke, Devadas, van Dijk, Gassend and Suh,
 * ASIACRYPT 2003).  The key is drawn for each verification, so nobody can have
 * prepared rows whose sums meet; by chance two unequal multisets have equal
 * sums once in 2^128.
 *
 * The answer is only "sound" or not.  What exactly is wrong, and with which
 * row, is the judge's business (sql/functions/ledger_judge.sql).
 */
#include "ledger.h"

#include "access/parallel.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define KEY_LEN 16

/* Plain bytes: workers send it to the leader as it is. */
typedef struct ChainState
{
	int64		read;			/* rows seen, neighbours of a range included */
	int64		rows;			/* rows asked for */
	int64		payloads;
	int64		erased;
	int64		first;			/* smallest and greatest sequence seen */
	int64		last;
	uint64		sum[2];			/* of heads, less that of links */
	uint8		first_previous[LC_HASH_LEN];
	uint8		last_hash[LC_HASH_LEN];
	uint8		key[KEY_LEN];
	int64		range_start;	/* first sequence asked for */
	uint32		workers;		/* bit n: worker n took part */
	bool		unsound;
} ChainState;

/* Add (or take away) one member of a multiset; arithmetic is modulo 2^64. */
static void
add_member(const ChainState *state, uint64 *sum, int64 sequence, const uint8 *hash, bool add)
{
	lc_bytes	parts[3] = {{state->key, KEY_LEN}, {&sequence, sizeof(sequence)},
	{hash, LC_HASH_LEN}};
	uint64		image[LC_HASH_LEN / sizeof(uint64)];

	ledger_check_status(lc_sha256_parts(parts, 3, (uint8 *) image), "multiset hash");
	for (int i = 0; i < 2; i++)
		sum[i] += add ? image[i] : -image[i];
}

static void
add_row(ChainState *state, const EventRow *row, int64 to)
{
	int64		sequence = DatumGetInt64(row->values[EC_SEQUENCE_NO]);
	const uint8 *hash = ledger_row_hash(row, EC_EVENT_HASH);
	const uint8 *previous = ledger_row_hash(row, EC_PREVIOUS_HASH);
	RowFacts	facts;

	ledger_judge_row(row, &facts);
	if (sequence >= state->range_start && sequence <= to)
	{
		state->rows++;
		state->payloads += facts.has_payload;
	}
	state->read++;
	state->erased += !facts.has_payload;
	if (!facts.sound || !facts.leaf_sound || facts.payload_fault != NULL)
	{
		state->unsound = true;
		return;
	}
	add_member(state, state->sum, sequence, hash, true);
	add_member(state, state->sum, sequence - 1, previous, false);
	if (sequence < state->first)
	{
		state->first = sequence;
		memcpy(state->first_previous, previous, LC_HASH_LEN);
	}
	if (sequence > state->last)
	{
		state->last = sequence;
		memcpy(state->last_hash, hash, LC_HASH_LEN);
	}
}

static ChainState *
new_state(MemoryContext context, const bytea *key, int64 range_start)
{
	ChainState *state = (ChainState *) MemoryContextAllocZero(context, sizeof(ChainState));

	if (VARSIZE_ANY_EXHDR(key) != KEY_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("verification key must have %d bytes", KEY_LEN)));
	memcpy(state->key, VARDATA_ANY(key), KEY_LEN);
	state->first = PG_INT64_MAX;
	state->last = PG_INT64_MIN;
	state->range_start = range_start;
	if (IsParallelWorker())
		state->workers = (uint32) 1 << Min(ParallelWorkerNumber, 31);
	return state;
}

PG_FUNCTION_INFO_V1(ledger_chain_check_add);
PG_FUNCTION_INFO_V1(ledger_chain_check_combine);
PG_FUNCTION_INFO_V1(ledger_chain_check_send);
PG_FUNCTION_INFO_V1(ledger_chain_check_receive);
PG_FUNCTION_INFO_V1(ledger_chain_check_final);

/*
 * ledger_chain_check_add(internal, event record, key bytea, range_start bigint,
 * range_end bigint) → internal; the range is 1 to the greatest bigint if all is asked for
 */
Datum
ledger_chain_check_add(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	ChainState *state;
	EventRow	row;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "ledger_chain_check_add called outside an aggregate");
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID), errmsg("arguments must not be null")));
	state = PG_ARGISNULL(0) ? new_state(context, PG_GETARG_BYTEA_PP(2), PG_GETARG_INT64(3)) :
		(ChainState *) PG_GETARG_POINTER(0);
	ledger_row_from_datum(fcinfo, PG_GETARG_DATUM(1), &row);
	add_row(state, &row, PG_GETARG_INT64(4));
	PG_RETURN_POINTER(state);
}

static void
merge_states(ChainState *into, const ChainState *from)
{
	into->read += from->read;
	into->rows += from->rows;
	into->payloads += from->payloads;
	into->erased += from->erased;
	into->sum[0] += from->sum[0];
	into->sum[1] += from->sum[1];
	into->unsound |= from->unsound;
	into->workers |= from->workers;
	if (from->first < into->first)
	{
		into->first = from->first;
		memcpy(into->first_previous, from->first_previous, LC_HASH_LEN);
	}
	if (from->last > into->last)
	{
		into->last = from->last;
		memcpy(into->last_hash, from->last_hash, LC_HASH_LEN);
	}
}

/* ledger_chain_check_combine(internal, internal) → internal */
Datum
ledger_chain_check_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	ChainState *state;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "ledger_chain_check_combine called outside an aggregate");
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	if (PG_ARGISNULL(0))
	{
		state = (ChainState *) MemoryContextAlloc(context, sizeof(ChainState));
		memcpy(state, PG_GETARG_POINTER(1), sizeof(ChainState));
	}
	else
	{
		state = (ChainState *) PG_GETARG_POINTER(0);
		merge_states(state, (const ChainState *) PG_GETARG_POINTER(1));
	}
	PG_RETURN_POINTER(state);
}

/* ledger_chain_check_send(internal) → bytea */
Datum
ledger_chain_check_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(ledger_bytea(PG_GETARG_POINTER(0), sizeof(ChainState)));
}

/* ledger_chain_check_receive(bytea, internal) → internal; between processes of one server only */
Datum
ledger_chain_check_receive(PG_FUNCTION_ARGS)
{
	bytea	   *sent = PG_GETARG_BYTEA_PP(0);
	ChainState *state = (ChainState *) palloc(sizeof(ChainState));

	if (VARSIZE_ANY_EXHDR(sent) != sizeof(ChainState))
		elog(ERROR, "chain state has %zu bytes", (size_t) VARSIZE_ANY_EXHDR(sent));
	memcpy(state, VARDATA_ANY(sent), sizeof(ChainState));
	PG_RETURN_POINTER(state);
}

/* Is what was seen one intact chain, from its start or from the row before the range? */
static bool
chain_is_sound(const ChainState *state)
{
	static const uint8 zeros[LC_HASH_LEN] = {0};
	uint64		ends[2] = {0, 0};

	if (state->unsound || state->read == 0 || state->last - state->first + 1 != state->read)
		return false;
	if (state->first != (state->range_start > 1 ? state->range_start - 1 : 1) ||
		(state->first == 1 && memcmp(state->first_previous, zeros, LC_HASH_LEN) != 0))
		return false;
	add_member(state, ends, state->last, state->last_hash, true);
	add_member(state, ends, state->first - 1, state->first_previous, false);
	return ends[0] == state->sum[0] && ends[1] == state->sum[1];
}

/* ledger_chain_check_final(internal) → bigint[]: rows, payloads, erased, sound (0 or 1), workers */
Datum
ledger_chain_check_final(PG_FUNCTION_ARGS)
{
	const ChainState *state;
	Datum		result[5];

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (const ChainState *) PG_GETARG_POINTER(0);
	result[0] = Int64GetDatum(state->rows);
	result[1] = Int64GetDatum(state->payloads);
	result[2] = Int64GetDatum(state->erased);
	result[3] = Int64GetDatum(chain_is_sound(state));
	result[4] = Int64GetDatum(state->workers);
	PG_RETURN_ARRAYTYPE_P(construct_array(result, 5, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}
