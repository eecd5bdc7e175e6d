/*
 * ledger.h
 *		What the files of the extension share: rows of ledger_events as
 *		values, and one or two entry points of each file.
 *
 * Symbols that cross files start with ledger_; everything else is static.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include "compat.h"

#include "access/tupdesc.h"
#include "access/xlogdefs.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "errcodes.h"
#include "lc_buf.h"
#include "lc_envelope.h"

#define LEDGER_SCHEMA "ledger"
#define LEDGER_RESERVED_TENANT "ledger"
#define LEDGER_OWN_FINDING "ledger"
/* What a timestamptz counts from, in Unix microseconds. */
#define LEDGER_PG_EPOCH_UNIX_US \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)
#define LEDGER_FUTURE_LIMIT_US (INT64CONST(5) * 60 * USECS_PER_SEC)

/* The greatest whole number below which JSON has them all (RFC 7493 section 2.2). */
#define LEDGER_MAX_SAFE_INTEGER INT64CONST(9007199254740991)

/* Longest texts in bytes: they keep an envelope below LC_ENVELOPE_MAX even if every byte is escaped. */
#define LEDGER_MAX_TENANT 128
#define LEDGER_MAX_POLICY 256
#define LEDGER_MAX_FINDING 1024
#define LEDGER_MAX_ARTIFACT 1024
#define LEDGER_MAX_VULN 256
#define LEDGER_MAX_ACTOR 256
#define LEDGER_MAX_EVIDENCE 2048

/* Columns of ledger_events, in the table's order. */
typedef enum EventColumn
{
	EC_TENANT_ID,
	EC_CHAIN_ID,
	EC_SEQUENCE_NO,
	EC_EVENT_ID,
	EC_EVENT_TYPE,
	EC_POLICY_VERSION,
	EC_FINDING_ID,
	EC_ARTIFACT_ID,
	EC_VULN_ID,
	EC_SOURCE_RUN_ID,
	EC_ACTOR_ID,
	EC_ACTOR_TYPE,
	EC_OCCURRED_AT,
	EC_RECORDED_AT,
	EC_RECORDED_BY,
	EC_EVIDENCE_BUNDLE_REF,
	EC_SCHEMA_VERSION,
	EC_EVENT_BODY,
	EC_PAYLOAD_SALT,
	EC_PAYLOAD_HASH,
	EC_EVALUATION,
	EC_EVALUATION_HASH,
	EC_PREVIOUS_HASH,
	EC_EVENT_HASH,
	EC_MERKLE_LEAF_HASH,
	EC_COUNT
} EventColumn;

typedef struct EventColumnInfo
{
	const char *name;
	Oid			type;
	/* The member's name in requests and messages. */
	const char *member;
	/* Set by the ledger alone: a row that brings it is refused (LG403). */
	bool		ledger_owned;
	/* Longest text in bytes, 0 where the column is no text from callers. */
	int			max_bytes;
} EventColumnInfo;

extern const EventColumnInfo ledger_event_columns[EC_COUNT];

/* One row of ledger_events as values; by-reference values are borrowed. */
typedef struct EventRow
{
	Datum		values[EC_COUNT];
	bool		nulls[EC_COUNT];
} EventRow;

/* Where a relation or row type keeps each column: found by name, never by number. */
typedef struct EventColumnMap
{
	AttrNumber	attno[EC_COUNT];
} EventColumnMap;

/* row.c */
extern void ledger_map_columns(TupleDesc desc, EventColumnMap *map);
extern void ledger_row_from_tuple(HeapTuple tuple, TupleDesc desc, const EventColumnMap *map,
								  EventRow *row);
extern void ledger_row_from_slot(TupleTableSlot *slot, const EventColumnMap *map, EventRow *row);
extern void ledger_require_rowtype(Oid type);
extern void ledger_row_from_datum(FunctionCallInfo fcinfo, Datum record, EventRow *row);
extern lc_str ledger_row_text(const EventRow *row, EventColumn column);
extern const uint8 *ledger_row_hash(const EventRow *row, EventColumn column);
extern void ledger_row_set_text(EventRow *row, EventColumn column, const char *text);
extern void ledger_row_set_hash(EventRow *row, EventColumn column, const uint8 *hash);
extern Datum ledger_row_to_composite(const EventRow *row, Oid rowtype);
extern Datum ledger_bytea(const void *bytes, size_t n);
extern int	ledger_compare_text(Datum a, Datum b);
extern char *ledger_hash_hex(const uint8 *hash);

/* canonical.c */
extern const lc_alloc ledger_palloc;
extern void ledger_canonicalize(lc_buf *out, Jsonb *jb, const char *what);
extern lc_status ledger_try_canonicalize(lc_buf *out, Jsonb *jb);
extern void ledger_check_status(lc_status status, const char *what);
extern void ledger_require_utf8(void);

/* hash.c */
extern void ledger_salted_hash(uint8 domain, Datum salt, bool salt_null, const lc_buf *canonical,
							   uint8 *out);
extern void ledger_row_envelope(const EventRow *row, lc_buf *out);
extern TupleDesc ledger_result_row(FunctionCallInfo fcinfo);
extern bool ledger_row_complete(const EventRow *row);
extern bool ledger_try_row_envelope(const EventRow *row, lc_buf *out);
extern int64 ledger_unix_us(TimestampTz t, const char *member);

/* random.c */
extern void ledger_random_bytes(void *out, size_t n);
extern pg_uuid_t *ledger_new_event_id(void);

/* register.c */
extern void ledger_register_chain(const EventRow *event);

/* access.c */
extern void ledger_access_init(void);
extern Datum ledger_tenant_selected(PG_FUNCTION_ARGS);
extern Oid	ledger_subject(void);
extern void ledger_require_tenant(const char *tenant, size_t n);
extern Oid	ledger_owner_enter(Oid relid, int *save_sec_context);
extern void ledger_owner_leave(Oid save_userid, int save_sec_context);
extern bool ledger_is_owner_context(Oid relid);

/* types.c */
typedef struct EventType
{
	NameData	name;			/* at most 63 bytes; key of the cache */
	bool		reserved;
	bool		projected;
	bool		labels_merge;
	const char *default_status; /* a constant of status.c, or NULL */
	char	   *action_kind;	/* or NULL */
	int			reads;			/* bits READS_… */
} EventType;

#define READS_STATUS 0x01
#define READS_SEVERITY 0x02
#define READS_LABELS 0x04
#define READS_EXPLAIN_REF 0x08
#define READS_RATIONALE 0x10
#define READS_RISK 0x20
#define READS_AIRGAP 0x40

extern const EventType *ledger_event_type(const char *name, size_t n);
extern const EventType *ledger_find_event_type(const char *name, size_t n);
extern void ledger_types_init(void);

/* chain.c */
typedef struct LeafInfo
{
	Oid			relid;			/* key */
	EventColumnMap columns;
	Oid			chain_index;	/* primary key (tenant, chain, sequence) */
	Oid			id_index;		/* unique (tenant, event id) */
} LeafInfo;

/* Which transaction wrote a row; if that is frozen, the position after which it is durable. */
typedef struct RowOrigin
{
	TransactionId xmin;
	XLogRecPtr	frozen_lsn;
} RowOrigin;

typedef struct ChainHead
{
	bool		exists;
	int64		sequence_no;
	uint8		event_hash[LC_HASH_LEN];
	char	   *policy_version; /* palloc'd */
	RowOrigin	origin;
} ChainHead;

extern void ledger_chain_init(void);
extern Oid	ledger_events_relid(void);
extern Relation ledger_open_leaf(const char *tenant, size_t n, LOCKMODE lockmode);
extern const LeafInfo *ledger_leaf_info(Relation leaf);
extern int64 ledger_chain_lock_key(lc_str tenant, const uint8 *chain_id);
extern void ledger_chain_lock(lc_str tenant, const uint8 *chain_id);
extern void ledger_chain_lock_any(int64 key);
extern void ledger_chain_head(Relation leaf, Datum tenant, Datum chain_id, ChainHead *head);
extern bool ledger_find_event(Relation leaf, Datum tenant, Datum event_id, EventRow *row,
							  RowOrigin *origin);
extern RowOrigin ledger_slot_origin(TupleTableSlot *slot);

/* commit.c */
extern void ledger_commit_init(void);
extern void ledger_commit_arm(void);
extern void ledger_wait_durable(const RowOrigin *origin);
extern void ledger_wait_durable_all(void);
extern void ledger_wait_replicated(void);

/* link.c */
typedef struct AppendContext
{
	/* Rows bring the ledger's columns: recompute and compare (ledger_import). */
	bool		import;
	/* For each row in insertion order: did the caller choose its event id? */
	const bool *supplied;
	int			nrows;
	int			position;		/* rows the link trigger has begun with */
	bool		linking;		/* it is at work on row position - 1 */
	bool		has_expected;
	int64		expected;
} AppendContext;

extern AppendContext *ledger_append_context;
extern void ledger_default_row(EventRow *row);
extern void ledger_validate_row(const EventRow *row, bool whole);

/* whole.c */
extern void ledger_whole_fields(const EventRow *row, bool against_clock);
extern void ledger_whole_place(const EventRow *row, const ChainHead *head, const uint8 *previous);
extern void ledger_whole_verify(const EventRow *row);
extern void ledger_whole_seal(const EventRow *row, const uint8 *payload_hash,
							  const uint8 *event_hash, const uint8 *leaf_hash);

/* payload.c */
typedef struct PayloadFacts
{
	bool		lenient;		/* wrong shapes count as absent */
	const char *status;			/* canonical word or NULL */
	bool		has_severity;
	Numeric		severity;
	Jsonb	   *labels;			/* as given: object of strings (and nulls if merging), or NULL */
	text	   *explain_ref;
	Jsonb	   *rationale;
	bool		has_risk;
	Numeric		risk_score;
	const char *risk_severity;
	text	   *risk_profile_version;
	text	   *risk_explanation_id;
	bool		has_risk_sequence;
	int64		risk_sequence;
	text	   *airgap_bundle_id;
	bool		has_airgap_staleness;
	int64		airgap_staleness;
	text	   *justification;
} PayloadFacts;

extern void ledger_read_payload(const EventType *type, Jsonb *payload, bool lenient,
								PayloadFacts *facts);
extern bool ledger_whole_number(const JsonbValue *v, int64 least, int64 *out);
extern Jsonb *ledger_merge_labels(Jsonb *old, Jsonb *new);
extern int	ledger_compare_semver(const text *a, const text *b);

/* words.c */
extern const char *ledger_status_word(const char *s, size_t n);
extern const char *ledger_severity_word(const char *s, size_t n);
extern const char *ledger_risk_word(const char *s, size_t n);
extern const char *ledger_risk_band(double score);

/* verify_row.c */
typedef struct RowFacts
{
	bool		computable;		/* the columns make an envelope */
	bool		sound;			/* its hash is event_hash */
	bool		leaf_sound;		/* its leaf hash is merkle_leaf_hash */
	bool		has_payload;
	const char *payload_fault;	/* what is wrong with payload, salt or evaluation, or NULL */
	uint8		computed[LC_HASH_LEN];
	/* The two salted hashes as what is stored gives them. */
	bool		has_payload_now;
	uint8		payload_now[LC_HASH_LEN];
	bool		has_evaluation_now;
	uint8		evaluation_now[LC_HASH_LEN];
} RowFacts;

extern void ledger_judge_row(const EventRow *row, RowFacts *facts);

/* module.c, guc.c */
extern int	ledger_max_payload_bytes;
extern int	ledger_max_chains_per_transaction;
extern bool ledger_pipelined_commit;
extern bool ledger_allow_lossy_append;
extern void ledger_guc_init(void);

#endif
