/*
 * lc_envelope.h
 *		The frozen recipes: timestamps, event envelope, payload, event, leaf
 *		and cycle hashes (docs/formats.md sections 1, 2 and 8).
 *
 * A recipe, once shipped, never changes: a new one is a new function and a
 * new schema string.
 */
#ifndef LC_ENVELOPE_H
#define LC_ENVELOPE_H

#include "lc_buf.h"
#include "lc_sha256.h"
#include "lc_uuid.h"

#define LC_EVENT_SCHEMA_V1 "ledger.event.v1"
#define LC_PROJECTION_SCHEMA_V1 "ledger.projection.v1"
#define LC_ENVELOPE_MAX 65535	/* C2SP tlog-tiles entry limit */
#define LC_SALT_MIN 16			/* shorter (but 0) does not hide a payload */
#define LC_SALT_MAX 64

#define LC_DOMAIN_PAYLOAD 0x02
#define LC_DOMAIN_EVALUATION 0x03

/*
 * Append an RFC 3339 time in UTC with six fraction digits and Z, quotes not
 * included.  LC_ERR_RANGE outside the years 0001 to 9999.  unix_us counts
 * microseconds since 1970-01-01T00:00:00Z, negative before.
 */
extern lc_status lc_timestamp_format(lc_buf *out, int64_t unix_us);

/* Exactly that form back; LC_ERR_SYNTAX or LC_ERR_RANGE otherwise. */
extern lc_status lc_timestamp_parse(const char *text, size_t n, int64_t *unix_us);

/* One event as its envelope needs it.  Absent members: s == NULL, or has_… false. */
typedef struct lc_event
{
	lc_str		tenant;
	lc_str		type;
	lc_str		policy_version;
	lc_str		finding_id;
	lc_str		artifact_id;
	lc_str		vuln_id;		/* optional */
	lc_str		actor_id;
	lc_str		actor_type;
	lc_str		recorded_by;
	lc_str		evidence_bundle_ref;	/* optional */
	uint8_t		id[LC_UUID_LEN];
	uint8_t		chain_id[LC_UUID_LEN];
	bool		has_source_run_id;
	uint8_t		source_run_id[LC_UUID_LEN];
	int64_t		occurred_us;
	int64_t		recorded_us;
	int64_t		sequence;
	uint8_t		payload_hash[LC_HASH_LEN];
	bool		has_evaluation_hash;
	uint8_t		evaluation_hash[LC_HASH_LEN];
	uint8_t		previous_hash[LC_HASH_LEN];
} lc_event;

/* Append JCS(envelope ledger.event.v1).  LC_ERR_TOO_LONG over LC_ENVELOPE_MAX. */
extern lc_status lc_event_envelope(lc_buf *out, const lc_event *event);

/*
 * SHA-256(domain || uint8(salt length) || salt || canonical), domain
 * LC_DOMAIN_…; LC_ERR_RANGE unless the salt has 0 or 16 to 64 bytes.
 */
extern lc_status lc_salted_hash(uint8_t domain, const uint8_t *salt, size_t salt_len,
								const char *canonical, size_t n,
								uint8_t out[LC_HASH_LEN]);

/* SHA-256(envelope) and the RFC 6962 leaf hash SHA-256(0x00 || envelope). */
extern lc_status lc_event_hash(const char *envelope, size_t n, uint8_t out[LC_HASH_LEN]);
extern lc_status lc_leaf_hash(const char *entry, size_t n, uint8_t out[LC_HASH_LEN]);

/* A finding's projection as its cycle hash needs it; s == NULL means absent. */
typedef struct lc_projection
{
	lc_str		tenant;
	lc_str		finding_id;
	lc_str		policy_version;
	lc_str		artifact_id;
	lc_str		vuln_id;
	lc_str		status;
	lc_str		severity;		/* decimal text, canonicalised here */
	lc_str		labels;			/* JCS text of the object */
	lc_str		explain_ref;
	lc_str		rationale;		/* JCS text of the array */
	lc_str		risk_score;		/* decimal text */
	lc_str		risk_severity;
	lc_str		risk_profile_version;
	lc_str		risk_explanation_id;
	bool		has_risk_event_sequence;
	int64_t		risk_event_sequence;
	lc_str		airgap_bundle_id;
	bool		has_airgap_staleness_seconds;
	int64_t		airgap_staleness_seconds;
	uint8_t		chain_id[LC_UUID_LEN];
	uint8_t		current_event_id[LC_UUID_LEN];
	int64_t		current_sequence;
} lc_projection;

/* Append JCS(ledger.projection.v1); the airgap member is absent when both its parts are. */
extern lc_status lc_projection_canonical(lc_buf *out, const lc_projection *projection);

#endif
