// The formats of docs/formats.md once more, in JavaScript: what the plain SQL
// verifier is tested against.
import { createHash } from 'node:crypto';

export const sha256 = (...parts) => {
	const hash = createHash('sha256');
	for (const part of parts) hash.update(part);
	return hash.digest('hex');
};

// RFC 8785: JavaScript's own numbers and strings are the definition, and the
// default sort compares UTF-16 code units.
export function jcs(value) {
	if (Array.isArray(value)) return '[' + value.map(jcs).join(',') + ']';
	if (value !== null && typeof value === 'object') {
		return '{' + Object.keys(value).sort()
			.map((key) => JSON.stringify(key) + ':' + jcs(value[key])).join(',') + '}';
	}
	return JSON.stringify(value);
}

export const bytes = (hex) => Buffer.from(hex, 'hex');

export function saltedHash(domain, salt, value) {
	const raw = bytes(salt);
	return sha256(Uint8Array.of(domain, raw.length), raw, jcs(value));
}

const present = (object) =>
	Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined));

export function envelope(row) {
	return jcs(present({
		actor: { id: row.actor_id, type: row.actor_type },
		chainId: row.chain_id,
		evaluationHash: row.evaluation_hash,
		evidenceBundleRef: row.evidence_bundle_ref,
		finding: present({ artifactId: row.artifact_id, id: row.finding_id, vulnId: row.vuln_id }),
		id: row.event_id,
		occurredAt: row.occurred_at,
		payloadHash: row.payload_hash,
		policyVersion: row.policy_version,
		previousHash: row.previous_hash,
		recordedAt: row.recorded_at,
		recordedBy: row.recorded_by,
		schema: row.schema_version,
		sequence: row.sequence_no,
		sourceRunId: row.source_run_id,
		tenant: row.tenant_id,
		type: row.event_type,
	}));
}

// Fills in (or renews) the hashes that follow from a row's other columns.
export function seal(row) {
	const sealed = { ...row };
	if (row.event_body !== null) {
		sealed.payload_hash = saltedHash(2, row.payload_salt, row.event_body);
		sealed.evaluation_hash = row.evaluation === null ? null : saltedHash(3, row.payload_salt, row.evaluation);
	}
	const text = envelope(sealed);
	sealed.event_hash = sha256(text);
	sealed.merkle_leaf_hash = sha256(Uint8Array.of(0), text);
	return sealed;
}

export const zeros = '0'.repeat(64);
