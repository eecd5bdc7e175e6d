// docs/formats.md with the npm package canonicalize and node:crypto: the
// canonical form and every hash, from a row's columns.
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

export { canonicalize };

export const sha256 = (...parts) => {
	const hash = createHash('sha256');
	for (const part of parts) hash.update(part);
	return hash.digest('hex');
};

export function saltedHash(domain, salt, value) {
	const bytes = Buffer.from(salt, 'hex');
	return sha256(Uint8Array.of(domain, bytes.length), bytes, canonicalize(value));
}

export function chainId(tenant, policy) {
	const bytes = createHash('sha256').update(`${tenant}::${policy}`).digest().subarray(0, 16);
	bytes[6] = (bytes[6] & 0x0f) | 0x80;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const present = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));

export function envelope(row) {
	return present({
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
	});
}

export const eventHash = (row) => sha256(canonicalize(envelope(row)));
export const leafHash = (row) => sha256(Uint8Array.of(0), canonicalize(envelope(row)));

export function projection(row) {
	const airgap = present({ bundleId: row.airgap_bundle_id, stalenessSeconds: row.airgap_staleness_seconds });
	return present({
		airgap: Object.keys(airgap).length > 0 ? airgap : null,
		artifactId: row.artifact_id,
		chainId: row.chain_id,
		currentEventId: row.current_event_id,
		currentSequence: row.current_sequence,
		explainRef: row.explain_ref,
		findingId: row.finding_id,
		labels: row.labels,
		policyVersion: row.policy_version,
		rationale: row.rationale,
		riskEventSequence: row.risk_event_sequence,
		riskExplanationId: row.risk_explanation_id,
		riskProfileVersion: row.risk_profile_version,
		riskScore: row.risk_score,
		riskSeverity: row.risk_severity,
		schema: row.projection_version,
		severity: row.severity,
		status: row.status,
		tenant: row.tenant_id,
		vulnId: row.vuln_id,
	});
}

export const cycleHash = (row) => sha256(canonicalize(projection(row)));
