/*
 * stored_finding.c
 *		From a row of findings_projection to its cycle hash, by the core.
 */
#include <string.h>

#include "lc_hex.h"
#include "lc_jsonparse.h"
#include "stored_finding.h"

/* In the order of the query below. */
enum column
{
	FINDING_ID,
	POLICY_VERSION,
	ARTIFACT_ID,
	VULN_ID,
	CHAIN_ID,
	STATUS,
	SEVERITY,
	LABELS,
	EXPLAIN_REF,
	RATIONALE,
	RISK_SCORE,
	RISK_SEVERITY,
	RISK_PROFILE_VERSION,
	RISK_EXPLANATION_ID,
	RISK_EVENT_SEQUENCE,
	AIRGAP_BUNDLE_ID,
	AIRGAP_STALENESS,
	CURRENT_EVENT_ID,
	CURRENT_SEQUENCE,
	VERSION,
	CYCLE_HASH
};

static const char query[] =
	"SELECT p.finding_id, p.policy_version, p.artifact_id, p.vuln_id, p.chain_id, p.status,"
	" p.severity::text, p.labels, p.explain_ref, p.rationale, p.risk_score::text, p.risk_severity,"
	" p.risk_profile_version, p.risk_explanation_id, p.risk_event_sequence, p.airgap_bundle_id,"
	" p.airgap_staleness_seconds, p.current_event_id, p.current_sequence, p.projection_version,"
	" p.cycle_hash"
	" FROM ledger.findings_projection AS p WHERE p.tenant_id = $1"
	" ORDER BY p.finding_id, p.policy_version";

typedef struct reading
{
	const char *tenant;
	stored_finding finding;
	lc_buf		labels;			/* canonical, like rationale */
	lc_buf		rationale;
	lc_buf		canonical;		/* what is hashed */
	finding_visit visit;
	void	   *arg;
} reading;

static cli_exit
wrong(const reading *r, fault *f)
{
	const lc_projection *p = &r->finding.columns;

	fault_at(f, "%s finding \"%.*s\" of policy version \"%.*s\"", r->tenant, CLI_SHOW(p->finding_id),
			 CLI_SHOW(p->policy_version));
	return CLI_FAILED;
}

/* jsonb's text into RFC 8785's; what is null stays so. */
static bool
canonical_json(lc_str value, lc_buf *out, lc_str *into)
{
	lc_buf_reset(out);
	*into = (lc_str) {NULL, 0};
	if (value.s == NULL)
		return true;
	if (lc_json_canonicalize(value.s, value.n, out, &cli_alloc, NULL) != LC_OK)
		return false;
	*into = (lc_str) {out->data, out->len};
	return true;
}

static bool
read_columns(reading *r, const PGresult *row)
{
	lc_projection *p = &r->finding.columns;

	memset(p, 0, sizeof(*p));
	p->tenant = (lc_str) {r->tenant, strlen(r->tenant)};
	p->finding_id = row_bytes(row, FINDING_ID);
	p->policy_version = row_bytes(row, POLICY_VERSION);
	p->artifact_id = row_bytes(row, ARTIFACT_ID);
	p->vuln_id = row_bytes(row, VULN_ID);
	p->status = row_bytes(row, STATUS);
	p->severity = row_bytes(row, SEVERITY);
	p->explain_ref = row_bytes(row, EXPLAIN_REF);
	p->risk_score = row_bytes(row, RISK_SCORE);
	p->risk_severity = row_bytes(row, RISK_SEVERITY);
	p->risk_profile_version = row_bytes(row, RISK_PROFILE_VERSION);
	p->risk_explanation_id = row_bytes(row, RISK_EXPLANATION_ID);
	p->has_risk_event_sequence = row_int64(row, RISK_EVENT_SEQUENCE, &p->risk_event_sequence);
	p->airgap_bundle_id = row_bytes(row, AIRGAP_BUNDLE_ID);
	p->has_airgap_staleness_seconds = row_int64(row, AIRGAP_STALENESS, &p->airgap_staleness_seconds);
	return row_uuid(row, CHAIN_ID, p->chain_id) &&
		row_uuid(row, CURRENT_EVENT_ID, p->current_event_id) &&
		row_int64(row, CURRENT_SEQUENCE, &p->current_sequence) &&
		canonical_json(row_json(row, LABELS), &r->labels, &p->labels) &&
		canonical_json(row_json(row, RATIONALE), &r->rationale, &p->rationale);
}

static bool
is_known_version(lc_str version)
{
	return version.n == strlen(LC_PROJECTION_SCHEMA_V1) &&
		memcmp(version.s, LC_PROJECTION_SCHEMA_V1, version.n) == 0;
}

static cli_exit
take_row(void *arg, const PGresult *row, fault *f)
{
	reading    *r = arg;
	stored_finding *s = &r->finding;
	uint8_t		stored[LC_HASH_LEN] = {0};
	char		hex[2][2 * LC_HASH_LEN];

	lc_buf_reset(&r->canonical);
	if (!read_columns(r, row) || lc_projection_canonical(&r->canonical, &s->columns) != LC_OK)
	{
		fault_set(f, "its columns make no canonical projection");
		return wrong(r, f);
	}
	if (!is_known_version(row_bytes(row, VERSION)))
	{
		fault_set(f, "its projection version is not known to this release");
		return wrong(r, f);
	}
	if (lc_sha256(r->canonical.data, r->canonical.len, s->cycle_hash) != LC_OK)
	{
		fault_set(f, "OpenSSL cannot hash");
		return CLI_USAGE;
	}
	if (row_hash(row, CYCLE_HASH, stored) && memcmp(stored, s->cycle_hash, LC_HASH_LEN) == 0)
		return r->visit(r->arg, s, f);
	lc_hex_encode(s->cycle_hash, LC_HASH_LEN, hex[0]);
	lc_hex_encode(stored, LC_HASH_LEN, hex[1]);
	fault_set(f, "the cycle hash is %.64s, but the row says %.64s", hex[0], hex[1]);
	return wrong(r, f);
}

cli_exit
findings_visit(PGconn *conn, const char *tenant, finding_visit visit, void *arg, fault *f)
{
	const char *values[] = {tenant};
	reading		r = {.tenant = tenant, .visit = visit, .arg = arg};
	cli_exit	code;

	lc_buf_init(&r.labels, &cli_alloc);
	lc_buf_init(&r.rationale, &cli_alloc);
	lc_buf_init(&r.canonical, &cli_alloc);
	code = db_select_tenant(conn, tenant, f)
		? rows_visit(conn, query, 1, values, take_row, &r, f) : CLI_USAGE;
	lc_buf_free(&r.labels);
	lc_buf_free(&r.rationale);
	lc_buf_free(&r.canonical);
	return code;
}
