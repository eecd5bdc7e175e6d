/*
 * link.c
 *		The link trigger: every way into ledger_events goes through here.
 *
 * BEFORE INSERT, for each row, ENABLE ALWAYS, last by name (a later trigger
 * could change what was hashed).  Validation and payload hashing come before
 * the chain's lock; the critical section is probe, link, insert.
 *
 * A row that brings a column the ledger sets itself is refused: consistency
 * with itself proves nothing, SHA-256 has no key.  Two callers may bring whole
 * rows, and each hash is then recomputed and compared: ledger_import(), and the
 * apply worker of logical replication.  The one thing that cannot be recomputed
 * is the payload hash of an erased event; the envelope vouches for it.
 */
#include "ledger.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "mb/pg_wchar.h"
#include "replication/logicalworker.h"
#include "utils/builtins.h"

AppendContext *ledger_append_context = NULL;

static void
bad_text(EventColumn column, const char *problem, lc_str s)
{
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_INVALID),
			 errmsg("%s %s", ledger_event_columns[column].member, problem),
			 errdetail("Column \"%s\" has %zu bytes: \"%s\".", ledger_event_columns[column].name,
					   s.n, pnstrdup(s.s, pg_mbcliplen(s.s, s.n, 80))),
			 errhint("Use 1 to %d bytes.", ledger_event_columns[column].max_bytes)));
}

static bool
tenant_name_valid(lc_str s)
{
	if (s.n == 0 || s.n > LEDGER_MAX_TENANT)
		return false;
	for (size_t i = 0; i < s.n; i++)
	{
		char		c = s.s[i];
		bool		alnum = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (!alnum && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return false;
	}
	return true;
}

static void
validate_tenant(const EventRow *row)
{
	lc_str		s = ledger_row_text(row, EC_TENANT_ID);

	if (s.s == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("tenant is required"),
				 errdetail("Column \"tenant_id\" is null."),
				 errhint("Name the tenant that the event belongs to.")));
	if (!tenant_name_valid(s))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("tenant name is not valid"),
				 errdetail("It is \"%s\".", pnstrdup(s.s, pg_mbcliplen(s.s, s.n, 140))),
				 errhint("A tenant name matches ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$.")));
}

static void
validate_actor_type(const EventRow *row)
{
	lc_str		s = ledger_row_text(row, EC_ACTOR_TYPE);

	if ((s.n == 6 && memcmp(s.s, "system", 6) == 0) ||
		(s.n == 8 && memcmp(s.s, "operator", 8) == 0) ||
		(s.n == 11 && memcmp(s.s, "integration", 11) == 0))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_INVALID),
			 errmsg("actor.type \"%s\" is not valid", pnstrdup(s.s, pg_mbcliplen(s.s, s.n, 80))),
			 errhint("Use system, operator or integration.")));
}

static void
validate_payload(const EventRow *row)
{
	if (row->nulls[EC_EVENT_BODY] || !JB_ROOT_IS_OBJECT(DatumGetJsonbP(row->values[EC_EVENT_BODY])))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("payload must be a JSON object"),
				 errdetail("Column \"event_body\" is %s.", row->nulls[EC_EVENT_BODY] ? "null" :
						   JB_ROOT_IS_SCALAR(DatumGetJsonbP(row->values[EC_EVENT_BODY])) ?
						   "a scalar" : "an array"),
				 errhint("Wrap it: {\"value\": …}.")));
}

/* A whole row whose payload was erased: salt and body are gone together. */
static bool
row_erased(const EventRow *row)
{
	return row->nulls[EC_EVENT_BODY] && row->nulls[EC_PAYLOAD_SALT];
}

/*
 * Everything about a row that needs neither lock nor look-up; needs the
 * defaults filled in.  Only a whole row may have lost its payload.
 */
void
ledger_validate_row(const EventRow *row, bool whole)
{
	ledger_require_utf8();
	validate_tenant(row);
	for (int c = 0; c < EC_COUNT; c++)
	{
		const EventColumnInfo *info = &ledger_event_columns[c];
		lc_str		s;

		if (info->max_bytes == 0 || c == EC_TENANT_ID)
			continue;
		s = ledger_row_text(row, c);
		if (s.s == NULL)
		{
			if (c == EC_VULN_ID || c == EC_EVIDENCE_BUNDLE_REF)
				continue;
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_INVALID),
					 errmsg("%s is required", info->member),
					 errdetail("Column \"%s\" is null.", info->name),
					 errhint("Use 1 to %d bytes.", info->max_bytes)));
		}
		if (s.n == 0)
			bad_text(c, "must not be empty", s);
		if (s.n > info->max_bytes)
			bad_text(c, "is too long", s);
	}
	validate_actor_type(row);
	if (!(whole && row_erased(row)))
		validate_payload(row);
	if (!row->nulls[EC_OCCURRED_AT])
	{
		lc_buf		scratch;

		lc_buf_init(&scratch, &ledger_palloc);
		if (lc_timestamp_format(&scratch,
								ledger_unix_us(DatumGetTimestampTz(row->values[EC_OCCURRED_AT]),
											   "occurredAt")) != LC_OK)
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_INVALID),
					 errmsg("occurredAt must lie in the years 1 to 9999"),
					 errdetail("It is %s.",
							   timestamptz_to_str(DatumGetTimestampTz(row->values[EC_OCCURRED_AT]))),
					 errhint("Leave it out to use the present time.")));
		lc_buf_free(&scratch);
	}
}

/* What a caller may leave out: actor, chain. */
void
ledger_default_row(EventRow *row)
{
	if (row->nulls[EC_ACTOR_ID])
		ledger_row_set_text(row, EC_ACTOR_ID, GetUserNameFromId(GetSessionUserId(), false));
	if (row->nulls[EC_ACTOR_TYPE])
		ledger_row_set_text(row, EC_ACTOR_TYPE, "operator");
	if (row->nulls[EC_CHAIN_ID] && !row->nulls[EC_TENANT_ID] && !row->nulls[EC_POLICY_VERSION])
	{
		pg_uuid_t  *chain = (pg_uuid_t *) palloc(sizeof(pg_uuid_t));

		ledger_check_status(lc_uuid_chain(chain->data, ledger_row_text(row, EC_TENANT_ID),
										  ledger_row_text(row, EC_POLICY_VERSION)), "chain id");
		row->values[EC_CHAIN_ID] = UUIDPGetDatum(chain);
		row->nulls[EC_CHAIN_ID] = false;
	}
}

static void
refuse_ledger_columns(const EventRow *row)
{
	for (int c = 0; c < EC_COUNT; c++)
		if (ledger_event_columns[c].ledger_owned && !row->nulls[c])
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_FORBIDDEN),
					 errmsg("column \"%s\" is set by the ledger", ledger_event_columns[c].name),
					 errdetail("A row that brings it proves nothing: anyone can compute a SHA-256."),
					 errhint("Leave it out, or import complete events with ledger_import().")));
}

/* The type, and whether this caller may write it. */
static const EventType *
check_type(Relation rel, const EventRow *row, bool whole)
{
	lc_str		name = ledger_row_text(row, EC_EVENT_TYPE);
	lc_str		tenant = ledger_row_text(row, EC_TENANT_ID);
	lc_str		finding = ledger_row_text(row, EC_FINDING_ID);
	const EventType *type = ledger_event_type(name.s, name.n);
	/* ledger_import() runs as the owner too, but its rows are the caller's. */
	bool		own_context = !whole && ledger_is_owner_context(RelationGetRelid(rel));

	if (type->reserved && !whole && !own_context)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_FORBIDDEN),
				 errmsg("event type \"%s\" is reserved to the ledger", NameStr(type->name)),
				 errhint("Use a finding.* type, or one of your own (ledger_add_event_type()).")));
	if (!type->reserved && tenant.n == strlen(LEDGER_RESERVED_TENANT) &&
		memcmp(tenant.s, LEDGER_RESERVED_TENANT, tenant.n) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_FORBIDDEN),
				 errmsg("tenant \"%s\" is reserved to the ledger", LEDGER_RESERVED_TENANT),
				 errhint("Name a tenant of your own.")));
	/* Events under that id are the ledger's own and are not projected: this one would vanish. */
	if (!type->reserved && !whole && finding.n == strlen(LEDGER_OWN_FINDING) &&
		memcmp(finding.s, LEDGER_OWN_FINDING, finding.n) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_FORBIDDEN),
				 errmsg("finding id \"%s\" is reserved to the ledger", LEDGER_OWN_FINDING),
				 errhint("Choose another finding id.")));
	/* The ledger's own events are written whoever the session is. */
	if (!(type->reserved && own_context))
		ledger_require_tenant(tenant.s, tenant.n);
	return type;
}

/* Salt and hash the payload; before the lock, because it is the long part. */
static void
hash_payload(EventRow *row, const EventType *type, bool whole, uint8 *hash)
{
	Jsonb	   *payload;
	PayloadFacts facts;
	lc_buf		canonical;

	if (whole && row_erased(row))
	{
		memcpy(hash, ledger_row_hash(row, EC_PAYLOAD_HASH), LC_HASH_LEN);
		return;
	}
	payload = DatumGetJsonbP(row->values[EC_EVENT_BODY]);
	if (type->projected)
		ledger_read_payload(type, payload, false, &facts);
	lc_buf_init(&canonical, &ledger_palloc);
	ledger_canonicalize(&canonical, payload, "payload");
	if (canonical.len > ledger_max_payload_bytes)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_TOO_LARGE),
				 errmsg("payload is too large"),
				 errdetail("Its canonical form has %zu bytes; ledger.max_payload_bytes is %d.",
						   canonical.len, ledger_max_payload_bytes),
				 errhint("Store large content elsewhere and put its digest into the payload.")));
	if (!whole)
	{
		uint8		salt[LC_SALT_MIN];

		ledger_random_bytes(salt, sizeof(salt));
		row->values[EC_PAYLOAD_SALT] = ledger_bytea(salt, sizeof(salt));
		row->nulls[EC_PAYLOAD_SALT] = false;
	}
	ledger_salted_hash(LC_DOMAIN_PAYLOAD, row->values[EC_PAYLOAD_SALT], row->nulls[EC_PAYLOAD_SALT],
					   &canonical, hash);
	lc_buf_free(&canonical);
}

static void
check_expected(const ChainHead *head, bool has_expected, int64 expected)
{
	int64		next = head->exists ? head->sequence_no + 1 : 1;

	if (!has_expected || expected == next)
		return;
	/* The answer names another transaction's event: it must be durable. */
	if (head->exists)
		ledger_wait_durable(&head->origin);
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_CONFLICT),
			 errmsg("expected sequence %lld, but the event would get %lld", (long long) expected,
					(long long) next),
			 head->exists ?
			 errdetail("The chain's head is at sequence %lld with event hash %s.",
					   (long long) head->sequence_no, ledger_hash_hex(head->event_hash)) :
			 errdetail("The chain is empty."),
			 errhint("Read the chain's head and decide anew.")));
}

static void
check_policy(const EventRow *row, const ChainHead *head)
{
	lc_str		policy = ledger_row_text(row, EC_POLICY_VERSION);

	if (!head->exists || (strlen(head->policy_version) == policy.n &&
						  memcmp(head->policy_version, policy.s, policy.n) == 0))
		return;
	ledger_wait_durable(&head->origin);
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_CONFLICT),
			 errmsg("chain belongs to policy version \"%s\"", head->policy_version),
			 errdetail("The event has policyVersion \"%s\".", pnstrdup(policy.s, policy.n)),
			 errhint("Leave chainId out: each policy version has its own chain.")));
}

static void
set_ledger_columns(EventRow *row, const ChainHead *head, const uint8 *previous)
{
	TimestampTz now = GetCurrentTimestamp();

	row->values[EC_SEQUENCE_NO] = Int64GetDatum(head->exists ? head->sequence_no + 1 : 1);
	row->nulls[EC_SEQUENCE_NO] = false;
	row->values[EC_RECORDED_AT] = TimestampTzGetDatum(now);
	row->nulls[EC_RECORDED_AT] = false;
	if (row->nulls[EC_OCCURRED_AT])
	{
		row->values[EC_OCCURRED_AT] = TimestampTzGetDatum(now);
		row->nulls[EC_OCCURRED_AT] = false;
	}
	if (DatumGetTimestampTz(row->values[EC_OCCURRED_AT]) > now + LEDGER_FUTURE_LIMIT_US)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("occurredAt lies more than 5 minutes in the future"),
				 errdetail("It is %s; the ledger's clock says %s.",
						   timestamptz_to_str(DatumGetTimestampTz(row->values[EC_OCCURRED_AT])),
						   pstrdup(timestamptz_to_str(now))),
				 errhint("Check the sender's clock.")));
	ledger_row_set_text(row, EC_RECORDED_BY, GetUserNameFromId(GetSessionUserId(), false));
	ledger_row_set_text(row, EC_SCHEMA_VERSION, LC_EVENT_SCHEMA_V1);
	ledger_row_set_hash(row, EC_PREVIOUS_HASH, previous);
}

/* Envelope, event hash and leaf hash: set them, or compare them with the row's. */
static void
seal(EventRow *row, const uint8 *payload_hash, bool whole)
{
	uint8		event_hash[LC_HASH_LEN];
	uint8		leaf_hash[LC_HASH_LEN];
	lc_buf		envelope;

	if (!whole)
		ledger_row_set_hash(row, EC_PAYLOAD_HASH, payload_hash);
	lc_buf_init(&envelope, &ledger_palloc);
	ledger_row_envelope(row, &envelope);
	ledger_check_status(lc_event_hash(envelope.data, envelope.len, event_hash), "event hash");
	ledger_check_status(lc_leaf_hash(envelope.data, envelope.len, leaf_hash), "leaf hash");
	if (whole)
		ledger_whole_seal(row, payload_hash, event_hash, leaf_hash);
	else
	{
		ledger_row_set_hash(row, EC_EVENT_HASH, event_hash);
		ledger_row_set_hash(row, EC_MERKLE_LEAF_HASH, leaf_hash);
	}
	lc_buf_free(&envelope);
}

/*
 * Under the lock: has a first attempt with the same, chosen event id arrived
 * meanwhile?  Then the row is skipped and append.c answers with the stored one.
 */
static bool
lost_race(Relation leaf, const EventRow *row, bool supplied)
{
	EventRow	stored;
	RowOrigin	origin;

	return supplied &&
		ledger_find_event(leaf, row->values[EC_TENANT_ID], row->values[EC_EVENT_ID], &stored, &origin);
}

/* Lock, probe, link.  False if the row is to be skipped. */
static bool
link_row(Relation leaf, EventRow *row, const EventType *type, bool whole, bool supplied)
{
	static const uint8 zeros[LC_HASH_LEN] = {0};
	AppendContext *ctx = ledger_append_context;
	const uint8 *previous;
	uint8		payload_hash[LC_HASH_LEN];
	ChainHead	head;

	hash_payload(row, type, whole, payload_hash);
	ledger_chain_lock(ledger_row_text(row, EC_TENANT_ID),
					  DatumGetUUIDP(row->values[EC_CHAIN_ID])->data);
	if (lost_race(leaf, row, supplied))
		return false;
	ledger_chain_head(leaf, row->values[EC_TENANT_ID], row->values[EC_CHAIN_ID], &head);
	if (ctx != NULL)
		check_expected(&head, ctx->has_expected, ctx->expected);
	check_policy(row, &head);
	previous = head.exists ? head.event_hash : zeros;
	if (whole)
		ledger_whole_place(row, &head, previous);
	else
		set_ledger_columns(row, &head, previous);
	seal(row, payload_hash, whole);
	/* Apply workers fire no statement triggers, which register chains elsewhere. */
	if (IsLogicalWorker())
		ledger_register_chain(row);
	ledger_commit_arm();
	return true;
}

/* Which row of the append this is; did its caller choose the event id? */
static bool
next_supplied(AppendContext *ctx)
{
	if (ctx == NULL || ctx->position >= ctx->nrows)
		return false;
	ctx->linking = true;
	return ctx->supplied[ctx->position++];
}

static HeapTuple
row_to_tuple(Relation rel, HeapTuple old, const EventColumnMap *map, EventRow *row)
{
	int			attnos[EC_COUNT];

	for (int c = 0; c < EC_COUNT; c++)
		attnos[c] = map->attno[c];
	return heap_modify_tuple_by_cols(old, RelationGetDescr(rel), EC_COUNT, attnos, row->values,
									 row->nulls);
}

PG_FUNCTION_INFO_V1(ledger_link);

/* ledger_link() → trigger */
Datum
ledger_link(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	EventColumnMap map;
	AppendContext *ctx = ledger_append_context;
	const EventType *type;
	bool		supplied;
	bool		whole;
	bool		linked;
	EventRow	row;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("ledger_link must be fired BEFORE INSERT FOR EACH ROW")));

	whole = IsLogicalWorker() || (ctx != NULL && ctx->import);
	supplied = next_supplied(ctx);
	map = ledger_leaf_info(trigdata->tg_relation)->columns;
	ledger_row_from_tuple(trigdata->tg_trigtuple, RelationGetDescr(trigdata->tg_relation), &map,
						  &row);
	if (!whole)
		refuse_ledger_columns(&row);
	ledger_default_row(&row);
	ledger_validate_row(&row, whole);
	if (whole)
		ledger_whole_fields(&row, !IsLogicalWorker());
	if (row.nulls[EC_EVENT_ID] && !whole)
	{
		row.values[EC_EVENT_ID] = UUIDPGetDatum(ledger_new_event_id());
		row.nulls[EC_EVENT_ID] = false;
	}
	type = check_type(trigdata->tg_relation, &row, whole);
	linked = link_row(trigdata->tg_relation, &row, type, whole, supplied);
	if (ctx != NULL)
		ctx->linking = false;
	if (!linked)
		return PointerGetDatum(NULL);
	return PointerGetDatum(row_to_tuple(trigdata->tg_relation, trigdata->tg_trigtuple, &map, &row));
}
