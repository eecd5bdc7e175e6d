/*
 * merkle.c
 *		RFC 6962 trees of hashes that the caller has: the aggregate
 *		ledger_merkle_root() and the verification of proofs.  Pure arithmetic,
 *		for anyone; nothing stored is read.
 *
 * A verification says true or false.  What is malformed proves nothing, so it
 * is false like any other proof that does not lead to the root.
 */
#include "tree.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(ledger_merkle_add);
PG_FUNCTION_INFO_V1(ledger_merkle_final);
PG_FUNCTION_INFO_V1(ledger_verify_inclusion);
PG_FUNCTION_INFO_V1(ledger_verify_consistency);

static const uint8 *
leaf_argument(FunctionCallInfo fcinfo, int n)
{
	bytea	   *leaf = PG_ARGISNULL(n) ? NULL : PG_GETARG_BYTEA_PP(n);

	if (leaf == NULL || VARSIZE_ANY_EXHDR(leaf) != LC_HASH_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("leaf must be a hash of %d bytes", LC_HASH_LEN),
				 leaf == NULL ? errdetail("It is null.") :
				 errdetail("It has %zu bytes.", (size_t) VARSIZE_ANY_EXHDR(leaf)),
				 errhint("Give leaf hashes, such as merkle_leaf_hash or ledger_leaf_hash().")));
	return (const uint8 *) VARDATA_ANY(leaf);
}

/* ledger_merkle_add(internal, leaf bytea) → internal */
Datum
ledger_merkle_add(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	lc_frontier *frontier;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "ledger_merkle_add called outside an aggregate");
	if (PG_ARGISNULL(0))
	{
		frontier = (lc_frontier *) MemoryContextAlloc(context, sizeof(lc_frontier));
		lc_frontier_init(frontier);
	}
	else
		frontier = (lc_frontier *) PG_GETARG_POINTER(0);
	ledger_check_status(lc_frontier_append(frontier, leaf_argument(fcinfo, 1), NULL), "tree");
	PG_RETURN_POINTER(frontier);
}

/* ledger_merkle_final(internal) → bytea; no leaf came: the root of the empty tree */
Datum
ledger_merkle_final(PG_FUNCTION_ARGS)
{
	uint8		root[LC_HASH_LEN];

	if (PG_ARGISNULL(0))
		ledger_check_status(lc_merkle_empty_root(root), "root");
	else
		ledger_check_status(lc_frontier_root((lc_frontier *) PG_GETARG_POINTER(0), root), "root");
	PG_RETURN_DATUM(ledger_bytea(root, LC_HASH_LEN));
}

/* The argument's bytes if it is a hash, else NULL. */
static const uint8 *
hash_argument(FunctionCallInfo fcinfo, int n)
{
	bytea	   *hash = PG_GETARG_BYTEA_PP(n);

	return VARSIZE_ANY_EXHDR(hash) == LC_HASH_LEN ? (const uint8 *) VARDATA_ANY(hash) : NULL;
}

/* Is it a list of hashes, not longer than a proof can be? */
bool
ledger_proof_argument(FunctionCallInfo fcinfo, int n, lc_proof *proof)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(n);
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	proof->count = 0;
	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array) ||
		ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) > LC_PROOF_MAX)
		return false;
	deconstruct_array(array, BYTEAOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		bytea	   *hash = DatumGetByteaPP(elements[i]);

		if (VARSIZE_ANY_EXHDR(hash) != LC_HASH_LEN)
			return false;
		memcpy(proof->hashes[proof->count++], VARDATA_ANY(hash), LC_HASH_LEN);
	}
	return true;
}

/* LC_ERR_PROOF is the answer no; anything else is no answer. */
static bool
verified(lc_status status)
{
	if (status != LC_ERR_PROOF)
		ledger_check_status(status, "proof");
	return status == LC_OK;
}

/*
 * ledger_verify_inclusion(leaf_hash bytea, leaf_index bigint, tree_size bigint,
 * proof bytea[], root bytea) → boolean
 */
Datum
ledger_verify_inclusion(PG_FUNCTION_ARGS)
{
	const uint8 *leaf = hash_argument(fcinfo, 0);
	int64		index = PG_GETARG_INT64(1);
	int64		size = PG_GETARG_INT64(2);
	const uint8 *root = hash_argument(fcinfo, 4);
	lc_proof	proof;

	if (leaf == NULL || root == NULL || index < 0 || size < 0 || !ledger_proof_argument(fcinfo, 3, &proof))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(verified(lc_merkle_verify_inclusion(leaf, index, size,
													   (const uint8_t (*)[LC_HASH_LEN]) proof.hashes,
													   proof.count, root)));
}

/*
 * ledger_verify_consistency(size1 bigint, root1 bytea, size2 bigint, root2 bytea,
 * proof bytea[]) → boolean
 */
Datum
ledger_verify_consistency(PG_FUNCTION_ARGS)
{
	int64		size1 = PG_GETARG_INT64(0);
	const uint8 *root1 = hash_argument(fcinfo, 1);
	int64		size2 = PG_GETARG_INT64(2);
	const uint8 *root2 = hash_argument(fcinfo, 3);
	lc_proof	proof;

	if (root1 == NULL || root2 == NULL || size1 < 0 || size2 < 0 || !ledger_proof_argument(fcinfo, 4, &proof))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(verified(lc_merkle_verify_consistency(size1, root1, size2, root2,
														 (const uint8_t (*)[LC_HASH_LEN]) proof.hashes,
														 proof.count)));
}
