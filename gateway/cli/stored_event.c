/*
 * stored_event.c
 *		From a row of ledger_events to its hashes, by the core.
 */
#include <inttypes.h>
#include <string.h>

#include "lc_hex.h"
#include "lc_jsonparse.h"
#include "stored_event.h"

/* In the order of the query below. */
enum column
{
	SEQUENCE,
	EVENT_ID,
	EVENT_TYPE,
	POLICY_VERSION,
	FINDING_ID,
	ARTIFACT_ID,
	VULN_ID,
	SOURCE_RUN_ID,
	ACTOR_ID,
	ACTOR_TYPE,
	OCCURRED_AT,
	RECORDED_AT,
	RECORDED_BY,
	EVIDENCE,
	SCHEMA,
	BODY,
	SALT,
	PAYLOAD_HASH,
	EVALUATION,
	EVALUATION_HASH,
	PREVIOUS_HASH,
	EVENT_HASH,
	LEAF_HASH
};

static const char query[] =
	"SELECT e.sequence_no, e.event_id, e.event_type, e.policy_version, e.finding_id, e.artifact_id,"
	" e.vuln_id, e.source_run_id, e.actor_id, e.actor_type, e.occurred_at, e.recorded_at,"
	" e.recorded_by, e.evidence_bundle_ref, e.schema_version, e.event_body, e.payload_salt,"
	" e.payload_hash, e.evaluation, e.evaluation_hash, e.previous_hash, e.event_hash,"
	" e.merkle_leaf_hash"
	" FROM ledger.ledger_events AS e WHERE e.tenant_id = $1 AND e.chain_id = $2"
	" ORDER BY e.sequence_no";

typedef struct reading
{
	const char *tenant;
	const char *chain;
	uint8_t		chain_id[LC_UUID_LEN];
	uint64_t	last;
	uint8_t		last_hash[LC_HASH_LEN];
	stored_event event;
	event_visit visit;
	void	   *arg;
} reading;

/* Names the row before what is wrong with it. */
static cli_exit
wrong(const reading *r, int64_t sequence, fault *f)
{
	fault_at(f, "%s/%s sequence %" PRId64, r->tenant, r->chain, sequence);
	return CLI_FAILED;
}

static cli_exit
wrong_hash(const reading *r, const char *name, const uint8_t computed[LC_HASH_LEN],
		   const uint8_t stored[LC_HASH_LEN], fault *f)
{
	char		hex[2][2 * LC_HASH_LEN];

	lc_hex_encode(computed, LC_HASH_LEN, hex[0]);
	lc_hex_encode(stored, LC_HASH_LEN, hex[1]);
	fault_set(f, "the %s is %.64s, but the row says %.64s", name, hex[0], hex[1]);
	return wrong(r, r->event.event.sequence, f);
}

static bool
is(lc_str text, const char *want)
{
	return text.s != NULL && text.n == strlen(want) && memcmp(text.s, want, text.n) == 0;
}

/* The columns as the envelope needs them; only what has a fixed length can be malformed. */
static bool
read_columns(const reading *r, const PGresult *row, lc_event *e)
{
	memset(e, 0, sizeof(*e));
	e->tenant = (lc_str) {r->tenant, strlen(r->tenant)};
	memcpy(e->chain_id, r->chain_id, LC_UUID_LEN);
	e->type = row_bytes(row, EVENT_TYPE);
	e->policy_version = row_bytes(row, POLICY_VERSION);
	e->finding_id = row_bytes(row, FINDING_ID);
	e->artifact_id = row_bytes(row, ARTIFACT_ID);
	e->vuln_id = row_bytes(row, VULN_ID);
	e->actor_id = row_bytes(row, ACTOR_ID);
	e->actor_type = row_bytes(row, ACTOR_TYPE);
	e->recorded_by = row_bytes(row, RECORDED_BY);
	e->evidence_bundle_ref = row_bytes(row, EVIDENCE);
	e->has_source_run_id = row_uuid(row, SOURCE_RUN_ID, e->source_run_id);
	e->has_evaluation_hash = row_hash(row, EVALUATION_HASH, e->evaluation_hash);
	return row_int64(row, SEQUENCE, &e->sequence) && row_uuid(row, EVENT_ID, e->id) &&
		row_time(row, OCCURRED_AT, &e->occurred_us) && row_time(row, RECORDED_AT, &e->recorded_us) &&
		row_hash(row, PAYLOAD_HASH, e->payload_hash) &&
		row_hash(row, PREVIOUS_HASH, e->previous_hash);
}

static cli_exit
check_salted(reading *r, const char *name, uint8_t domain, lc_str value, lc_buf *canonical,
			 const uint8_t stored[LC_HASH_LEN], fault *f)
{
	const stored_event *s = &r->event;
	uint8_t		hash[LC_HASH_LEN];
	lc_json_error err;

	lc_buf_reset(canonical);
	if (lc_json_canonicalize(value.s, value.n, canonical, &cli_alloc, &err) != LC_OK)
	{
		fault_set(f, "the %s cannot be recomputed: %s%s%s", name, lc_status_text(err.status),
				  *err.path != '\0' ? ", " : "", err.path);
		return wrong(r, s->event.sequence, f);
	}
	if (lc_salted_hash(domain, (const uint8_t *) s->salt.s, s->salt.n, canonical->data,
					   canonical->len, hash) != LC_OK)
	{
		fault_set(f, "the salt has %zu bytes", s->salt.n);
		return wrong(r, s->event.sequence, f);
	}
	return memcmp(hash, stored, LC_HASH_LEN) == 0 ? CLI_GOOD : wrong_hash(r, name, hash, stored, f);
}

static cli_exit
check_payload(reading *r, const PGresult *row, fault *f)
{
	stored_event *s = &r->event;
	lc_str		body = row_json(row, BODY);
	lc_str		evaluation = row_json(row, EVALUATION);
	cli_exit	code;

	s->salt = row_bytes(row, SALT);
	s->erased = body.s == NULL;
	s->has_evaluation = evaluation.s != NULL;
	if (s->erased != (s->salt.s == NULL) ||
		(s->erased ? s->has_evaluation : s->has_evaluation != s->event.has_evaluation_hash))
	{
		fault_set(f, "payload, salt and evaluation are there or erased together, and only a part is");
		return wrong(r, s->event.sequence, f);
	}
	if (s->erased)
		return CLI_GOOD;
	code = check_salted(r, "payload hash", LC_DOMAIN_PAYLOAD, body, &s->payload,
						s->event.payload_hash, f);
	if (code == CLI_GOOD && s->has_evaluation)
		code = check_salted(r, "evaluation hash", LC_DOMAIN_EVALUATION, evaluation, &s->evaluation,
							s->event.evaluation_hash, f);
	return code;
}

static cli_exit
check_hashes(reading *r, const PGresult *row, fault *f)
{
	stored_event *s = &r->event;
	uint8_t		stored[LC_HASH_LEN] = {0};

	lc_buf_reset(&s->envelope);
	if (lc_event_envelope(&s->envelope, &s->event) != LC_OK)
	{
		fault_set(f, "its columns make no envelope");
		return wrong(r, s->event.sequence, f);
	}
	if (lc_event_hash(s->envelope.data, s->envelope.len, s->event_hash) != LC_OK ||
		lc_leaf_hash(s->envelope.data, s->envelope.len, s->leaf_hash) != LC_OK)
	{
		fault_set(f, "OpenSSL cannot hash");
		return CLI_USAGE;
	}
	if (!row_hash(row, EVENT_HASH, stored) || memcmp(stored, s->event_hash, LC_HASH_LEN) != 0)
		return wrong_hash(r, "event hash", s->event_hash, stored, f);
	if (!row_hash(row, LEAF_HASH, stored) || memcmp(stored, s->leaf_hash, LC_HASH_LEN) != 0)
		return wrong_hash(r, "leaf hash", s->leaf_hash, stored, f);
	return CLI_GOOD;
}

static cli_exit
check_place(const reading *r, fault *f)
{
	const lc_event *e = &r->event.event;

	if (e->sequence != (int64_t) r->last + 1)
	{
		fault_set(f, "it follows %" PRIu64 ": events are missing between them", r->last);
		return wrong(r, e->sequence, f);
	}
	if (memcmp(e->previous_hash, r->last_hash, LC_HASH_LEN) != 0)
		return wrong_hash(r, "event hash before it", r->last_hash, e->previous_hash, f);
	return CLI_GOOD;
}

static cli_exit
take_row(void *arg, const PGresult *row, fault *f)
{
	reading    *r = arg;
	stored_event *s = &r->event;
	cli_exit	code;

	if (!read_columns(r, row, &s->event))
	{
		fault_set(f, "a column has no value that an event can have");
		return wrong(r, s->event.sequence, f);
	}
	/* The version is read from the event, never assumed (docs/formats.md section 11). */
	if (!is(row_bytes(row, SCHEMA), LC_EVENT_SCHEMA_V1))
	{
		fault_set(f, "its schema is not known to this release");
		return wrong(r, s->event.sequence, f);
	}
	code = check_place(r, f);
	if (code == CLI_GOOD)
		code = check_payload(r, row, f);
	if (code == CLI_GOOD)
		code = check_hashes(r, row, f);
	if (code != CLI_GOOD)
		return code;
	r->last = (uint64_t) s->event.sequence;
	memcpy(r->last_hash, s->event_hash, LC_HASH_LEN);
	return r->visit(r->arg, s, f);
}

cli_exit
chain_visit(PGconn *conn, const char *tenant, const char *chain, event_visit visit, void *arg,
			fault *f)
{
	const char *values[] = {tenant, chain};
	reading		r = {.tenant = tenant, .chain = chain, .visit = visit, .arg = arg};
	cli_exit	code;

	if (lc_uuid_parse(chain, strlen(chain), r.chain_id) != LC_OK)
	{
		fault_set(f, "the database names a chain \"%s\", which no ledger does", chain);
		return CLI_FAILED;
	}
	lc_buf_init(&r.event.payload, &cli_alloc);
	lc_buf_init(&r.event.evaluation, &cli_alloc);
	lc_buf_init(&r.event.envelope, &cli_alloc);
	code = db_select_tenant(conn, tenant, f)
		? rows_visit(conn, query, 2, values, take_row, &r, f) : CLI_USAGE;
	lc_buf_free(&r.event.payload);
	lc_buf_free(&r.event.evaluation);
	lc_buf_free(&r.event.envelope);
	return code;
}
