/*
 * fold.c
 *		The reducer: one finding's state and one event make the next state
 *		(docs/projection.md is the specification).
 *
 * Pure: it reads its arguments and the event type, nothing else, so that the
 * trigger, the rebuild and the verifier come to the same rows.  Values are
 * allocated in the current context.
 */
#include "derived.h"

#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

static void
set_value(Finding *f, ProjectionColumn column, Datum value)
{
	f->values[column] = value;
	f->nulls[column] = false;
}

static void
set_text(Finding *f, ProjectionColumn column, const char *value)
{
	set_value(f, column, CStringGetTextDatum(value));
}

static void
set_or_null(Finding *f, ProjectionColumn column, void *pointer)
{
	f->values[column] = PointerGetDatum(pointer);
	f->nulls[column] = pointer == NULL;
}

static void
copy_column(Finding *f, ProjectionColumn column, const EventRow *event, EventColumn from)
{
	f->values[column] = event->values[from];
	f->nulls[column] = event->nulls[from];
}

static bool
same_numeric(Datum a, bool a_null, Datum b, bool b_null)
{
	if (a_null || b_null)
		return a_null == b_null;
	return DatumGetBool(DirectFunctionCall2(numeric_eq, a, b));
}

static bool
same_text(Datum a, bool a_null, Datum b, bool b_null)
{
	if (a_null || b_null)
		return a_null == b_null;
	return ledger_compare_text(a, b) == 0;
}

static void
fold_labels(Finding *f, const EventType *type, const PayloadFacts *facts)
{
	Jsonb	   *old;

	if (facts->labels == NULL)
		return;
	if (!type->labels_merge)
	{
		set_value(f, PC_LABELS, JsonbPGetDatum(facts->labels));
		return;
	}
	old = f->nulls[PC_LABELS] ? NULL : DatumGetJsonbP(f->values[PC_LABELS]);
	set_value(f, PC_LABELS, JsonbPGetDatum(ledger_merge_labels(old, facts->labels)));
}

/* <0, 0, >0: does the incoming (profile version, sequence) lie before or after the stored pair? */
static int
compare_risk(const Finding *f, const PayloadFacts *facts, int64 sequence)
{
	int			cmp;
	int64		stored;

	if (f->nulls[PC_RISK_PROFILE_VERSION])
		return 1;
	cmp = ledger_compare_semver(facts->risk_profile_version,
								DatumGetTextPP(f->values[PC_RISK_PROFILE_VERSION]));
	if (cmp != 0)
		return cmp;
	stored = DatumGetInt64(f->values[PC_RISK_EVENT_SEQUENCE]);
	return sequence < stored ? -1 : sequence > stored ? 1 : 0;
}

/* The pair only goes up: lower is ignored, equal must be equal, greater overwrites. */
static void
fold_risk(Finding *f, const EventRow *event, const PayloadFacts *facts)
{
	int64		sequence;
	int			cmp;

	if (!facts->has_risk)
		return;
	sequence = facts->has_risk_sequence ? facts->risk_sequence :
		DatumGetInt64(event->values[EC_SEQUENCE_NO]);
	cmp = compare_risk(f, facts, sequence);
	if (cmp < 0)
		return;
	if (cmp == 0)
	{
		Datum		severity = CStringGetTextDatum(facts->risk_severity);

		if (same_numeric(f->values[PC_RISK_SCORE], f->nulls[PC_RISK_SCORE],
						 NumericGetDatum(facts->risk_score), false) &&
			same_text(f->values[PC_RISK_SEVERITY], f->nulls[PC_RISK_SEVERITY], severity, false))
			return;
		if (facts->lenient)
			return;
		ledger_wait_durable_all();
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_CONFLICT),
				 errmsg("risk score of profile %s, sequence %lld is recorded with another value",
						text_to_cstring(facts->risk_profile_version), (long long) sequence),
				 errhint("Send a greater payload.risk.eventSequence.")));
	}
	set_value(f, PC_RISK_SCORE, NumericGetDatum(facts->risk_score));
	set_text(f, PC_RISK_SEVERITY, facts->risk_severity);
	set_value(f, PC_RISK_PROFILE_VERSION, PointerGetDatum(facts->risk_profile_version));
	set_or_null(f, PC_RISK_EXPLANATION_ID, facts->risk_explanation_id);
	set_value(f, PC_RISK_EVENT_SEQUENCE, Int64GetDatum(sequence));
	copy_column(f, PC_RISK_UPDATED_AT, event, EC_RECORDED_AT);
}

static lc_str
text_str(const Finding *f, ProjectionColumn column)
{
	lc_str		str = {NULL, 0};

	if (!f->nulls[column])
	{
		text	   *t = DatumGetTextPP(f->values[column]);

		str.s = VARDATA_ANY(t);
		str.n = VARSIZE_ANY_EXHDR(t);
	}
	return str;
}

static lc_str
numeric_str(const Finding *f, ProjectionColumn column)
{
	lc_str		str = {NULL, 0};

	if (!f->nulls[column])
	{
		str.s = DatumGetCString(DirectFunctionCall1(numeric_out, f->values[column]));
		str.n = strlen(str.s);
	}
	return str;
}

static lc_str
jsonb_str(const Finding *f, ProjectionColumn column)
{
	lc_str		str = {NULL, 0};

	if (!f->nulls[column])
	{
		lc_buf		buf;

		lc_buf_init(&buf, &ledger_palloc);
		ledger_canonicalize(&buf, DatumGetJsonbP(f->values[column]), "projection");
		str.s = buf.data;
		str.n = buf.len;
	}
	return str;
}

/* docs/formats.md section 8 */
static void
set_cycle_hash(Finding *f)
{
	lc_projection p;
	lc_buf		canonical;
	uint8		hash[LC_HASH_LEN];

	memset(&p, 0, sizeof(p));
	p.tenant = text_str(f, PC_TENANT_ID);
	p.finding_id = text_str(f, PC_FINDING_ID);
	p.policy_version = text_str(f, PC_POLICY_VERSION);
	p.artifact_id = text_str(f, PC_ARTIFACT_ID);
	p.vuln_id = text_str(f, PC_VULN_ID);
	p.status = text_str(f, PC_STATUS);
	p.severity = numeric_str(f, PC_SEVERITY);
	p.labels = jsonb_str(f, PC_LABELS);
	p.explain_ref = text_str(f, PC_EXPLAIN_REF);
	p.rationale = jsonb_str(f, PC_RATIONALE);
	p.risk_score = numeric_str(f, PC_RISK_SCORE);
	p.risk_severity = text_str(f, PC_RISK_SEVERITY);
	p.risk_profile_version = text_str(f, PC_RISK_PROFILE_VERSION);
	p.risk_explanation_id = text_str(f, PC_RISK_EXPLANATION_ID);
	p.has_risk_event_sequence = !f->nulls[PC_RISK_EVENT_SEQUENCE];
	if (p.has_risk_event_sequence)
		p.risk_event_sequence = DatumGetInt64(f->values[PC_RISK_EVENT_SEQUENCE]);
	p.airgap_bundle_id = text_str(f, PC_AIRGAP_BUNDLE_ID);
	p.has_airgap_staleness_seconds = !f->nulls[PC_AIRGAP_STALENESS_SECONDS];
	if (p.has_airgap_staleness_seconds)
		p.airgap_staleness_seconds = DatumGetInt64(f->values[PC_AIRGAP_STALENESS_SECONDS]);
	memcpy(p.chain_id, DatumGetUUIDP(f->values[PC_CHAIN_ID])->data, LC_UUID_LEN);
	memcpy(p.current_event_id, DatumGetUUIDP(f->values[PC_CURRENT_EVENT_ID])->data, LC_UUID_LEN);
	p.current_sequence = DatumGetInt64(f->values[PC_CURRENT_SEQUENCE]);

	lc_buf_init(&canonical, &ledger_palloc);
	ledger_check_status(lc_projection_canonical(&canonical, &p), "projection");
	ledger_check_status(lc_sha256(canonical.data, canonical.len, hash), "cycle hash");
	set_value(f, PC_CYCLE_HASH, ledger_bytea(hash, LC_HASH_LEN));
}

static void
add_history(const Finding *before, const Finding *f, const EventRow *event,
			const PayloadFacts *facts, DerivedRows *history)
{
	Datum		v[] = {
		event->values[EC_TENANT_ID], event->values[EC_FINDING_ID], event->values[EC_POLICY_VERSION],
		event->values[EC_SEQUENCE_NO], event->values[EC_CHAIN_ID], event->values[EC_EVENT_ID],
		event->values[EC_EVENT_TYPE], before->values[PC_STATUS], f->values[PC_STATUS],
		before->values[PC_SEVERITY], f->values[PC_SEVERITY], event->values[EC_ACTOR_ID],
		event->values[EC_ACTOR_TYPE], PointerGetDatum(facts->justification),
		event->values[EC_OCCURRED_AT], event->values[EC_RECORDED_AT], f->values[PC_CYCLE_HASH]
	};
	bool		n[lengthof(v)] = {false};

	Assert(lengthof(v) == ledger_history_table.ncolumns);
	/* What is stored may have been changed: nothing is taken to be there. */
	n[7] = !before->exists || before->nulls[PC_STATUS];
	n[8] = f->nulls[PC_STATUS];
	n[9] = !before->exists || before->nulls[PC_SEVERITY];
	n[10] = f->nulls[PC_SEVERITY];
	n[13] = facts->justification == NULL;
	ledger_rows_add(history, v, n);
}

static void
add_action(const EventRow *event, const EventType *type, Jsonb *payload, DerivedRows *actions)
{
	Datum		v[] = {
		event->values[EC_TENANT_ID], event->values[EC_FINDING_ID], event->values[EC_POLICY_VERSION],
		event->values[EC_SEQUENCE_NO], event->values[EC_CHAIN_ID], event->values[EC_EVENT_ID],
		CStringGetTextDatum(type->action_kind), JsonbPGetDatum(payload), event->values[EC_ACTOR_ID],
		event->values[EC_OCCURRED_AT], event->values[EC_RECORDED_AT]
	};
	bool		n[lengthof(v)] = {false};

	Assert(lengthof(v) == ledger_actions_table.ncolumns);
	ledger_rows_add(actions, v, n);
}

/* A finding's events all stand in one chain, so that they have one order. */
void
ledger_require_chain(const Finding *f, const EventRow *event)
{
	if (!f->exists || f->nulls[PC_CHAIN_ID] ||
		memcmp(DatumGetUUIDP(f->values[PC_CHAIN_ID])->data,
			   DatumGetUUIDP(event->values[EC_CHAIN_ID])->data, UUID_LEN) == 0)
		return;
	ledger_wait_durable_all();
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_CONFLICT),
			 errmsg("finding \"%s\" belongs to another chain",
					TextDatumGetCString(event->values[EC_FINDING_ID])),
			 errdetail("Its events stand in chain %s.",
					   DatumGetCString(DirectFunctionCall1(uuid_out, f->values[PC_CHAIN_ID]))),
			 errhint("Leave chainId out, or name that chain.")));
}

static void
start_finding(Finding *f, const EventRow *event)
{
	memset(f->nulls, true, sizeof(f->nulls));
	copy_column(f, PC_TENANT_ID, event, EC_TENANT_ID);
	copy_column(f, PC_FINDING_ID, event, EC_FINDING_ID);
	copy_column(f, PC_POLICY_VERSION, event, EC_POLICY_VERSION);
	set_text(f, PC_PROJECTION_VERSION, LC_PROJECTION_SCHEMA_V1);
	set_text(f, PC_STATUS, "unknown");
}

static void
fold_facts(Finding *f, const EventRow *event, const EventType *type, const PayloadFacts *facts)
{
	if (facts->status != NULL)
		set_text(f, PC_STATUS, facts->status);
	else if (type->default_status != NULL)
		set_text(f, PC_STATUS, type->default_status);
	if (facts->has_severity)
		set_value(f, PC_SEVERITY, NumericGetDatum(facts->severity));
	fold_labels(f, type, facts);
	if (facts->explain_ref != NULL)
		set_value(f, PC_EXPLAIN_REF, PointerGetDatum(facts->explain_ref));
	if (facts->rationale != NULL)
		set_value(f, PC_RATIONALE, JsonbPGetDatum(facts->rationale));
	fold_risk(f, event, facts);
	if (facts->airgap_bundle_id != NULL)
		set_value(f, PC_AIRGAP_BUNDLE_ID, PointerGetDatum(facts->airgap_bundle_id));
	if (facts->has_airgap_staleness)
		set_value(f, PC_AIRGAP_STALENESS_SECONDS, Int64GetDatum(facts->airgap_staleness));
}

/*
 * An event that lacks what every event has, or has a number that no envelope
 * holds, is not folded: it is reported as an event.
 */
static bool
is_whole(const EventRow *event)
{
	int64		sequence;

	if (!ledger_row_complete(event))
		return false;
	sequence = DatumGetInt64(event->values[EC_SEQUENCE_NO]);
	return sequence >= 1 && sequence <= LEDGER_MAX_SAFE_INTEGER;
}

bool
ledger_is_folded(const EventRow *event, const EventType **type)
{
	lc_str		name = ledger_row_text(event, EC_EVENT_TYPE);
	lc_str		finding = ledger_row_text(event, EC_FINDING_ID);

	if (!is_whole(event))
		return false;
	*type = ledger_find_event_type(name.s, name.n);
	return *type != NULL && (*type)->projected &&
		!(finding.n == strlen(LEDGER_OWN_FINDING) &&
		  memcmp(finding.s, LEDGER_OWN_FINDING, finding.n) == 0);
}

/* The finding's values, into the present memory. */
void
ledger_finding_copy(Finding *finding)
{
	for (int c = 0; c < PC_COUNT; c++)
	{
		int16		typlen;
		bool		typbyval;

		if (finding->nulls[c])
			continue;
		get_typlenbyval(ledger_projection_table.columns[c].type, &typlen, &typbyval);
		finding->values[c] = datumCopy(finding->values[c], typbyval, typlen);
	}
}

/*
 * One step: change finding, add to history and actions what the step makes.
 * Lenient (the verifier) takes what no append could have stored as it is; else
 * LG422 names a member of the wrong shape, LG409 a finding of another chain.
 */
void
ledger_fold(Finding *finding, const EventRow *event, const EventType *type, bool lenient,
			DerivedRows *history, DerivedRows *actions)
{
	Finding		before = *finding;
	PayloadFacts facts;
	Jsonb	   *payload;

	if (!lenient)
		ledger_require_chain(finding, event);
	payload = event->nulls[EC_EVENT_BODY] ? NULL : DatumGetJsonbP(event->values[EC_EVENT_BODY]);
	/* One that is no object folds as an empty one. */
	if (payload == NULL || (lenient && !JB_ROOT_IS_OBJECT(payload)))
		payload = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	ledger_read_payload(type, payload, lenient, &facts);
	if (!finding->exists)
		start_finding(finding, event);
	copy_column(finding, PC_CHAIN_ID, event, EC_CHAIN_ID);
	copy_column(finding, PC_ARTIFACT_ID, event, EC_ARTIFACT_ID);
	if (!event->nulls[EC_VULN_ID])
		copy_column(finding, PC_VULN_ID, event, EC_VULN_ID);
	fold_facts(finding, event, type, &facts);
	copy_column(finding, PC_CURRENT_EVENT_ID, event, EC_EVENT_ID);
	copy_column(finding, PC_CURRENT_SEQUENCE, event, EC_SEQUENCE_NO);
	copy_column(finding, PC_OBSERVED_AT, event, EC_OCCURRED_AT);
	copy_column(finding, PC_UPDATED_AT, event, EC_RECORDED_AT);
	finding->exists = true;
	set_cycle_hash(finding);

	if (!before.exists ||
		!same_text(before.values[PC_STATUS], before.nulls[PC_STATUS],
				   finding->values[PC_STATUS], finding->nulls[PC_STATUS]) ||
		!same_numeric(before.values[PC_SEVERITY], before.nulls[PC_SEVERITY],
					  finding->values[PC_SEVERITY], finding->nulls[PC_SEVERITY]))
		add_history(&before, finding, event, &facts, history);
	if (type->action_kind != NULL)
		add_action(event, type, payload, actions);
}
