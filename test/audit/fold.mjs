// docs/projection.md in JavaScript: the three derived tables from the events.
import { jcs, sha256 } from './hashes.mjs';

const words = {
	affected: ['affected', 'new', 'open', 'reopened', 'under_investigation'],
	triaged: ['triaged', 'acknowledged'],
	in_progress: ['in_progress', 'target_fix'],
	accepted_risk: ['accepted_risk', 'accept_risk', 'suppressed'],
	verified: ['verified', 'verify_fix'],
	resolved: ['resolved', 'closed', 'fixed', 'remediated', 'dismissed', 'false_positive', 'not_affected'],
};
const scores = { none: 0, informational: 0, low: 0.1, medium: 4, moderate: 4, high: 7, critical: 9 };

function statusOf(word) {
	const plain = word.toLowerCase().replace(/[- ]/g, '_');
	return Object.keys(words).find((status) => words[status].includes(plain)) ?? 'unknown';
}

// Half up, on the decimal digits that were sent.
export function round(number, scale) {
	if (number < 1e-6) return 0;
	const [whole, fraction = ''] = String(number).split('.');
	const digits = fraction.padEnd(scale + 1, '0');
	const up = digits[scale] >= '5' ? 1n : 0n;
	return Number(BigInt(whole + digits.slice(0, scale)) + up) / 10 ** scale;
}

function band(score) {
	return score >= 90 ? 'critical' : score >= 70 ? 'high' : score >= 40 ? 'medium' : score >= 10 ? 'low' : 'informational';
}

function notGreater(version, sequence, oldVersion, oldSequence) {
	const a = [...version.split('.').map(Number), sequence];
	const b = [...oldVersion.split('.').map(Number), oldSequence];
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] < b[i];
	return true;
}

function applyRisk(f, risk, event) {
	const sequence = risk.eventSequence ?? event.sequence_no;
	if (f.risk_profile_version !== null &&
		notGreater(risk.profileVersion, sequence, f.risk_profile_version, f.risk_event_sequence)) return;
	f.risk_score = round(risk.score, 2);
	f.risk_severity = risk.severity?.toLowerCase() ?? band(f.risk_score);
	f.risk_profile_version = risk.profileVersion;
	f.risk_explanation_id = risk.explanationId ?? null;
	f.risk_event_sequence = sequence;
	f.risk_updated_at = event.recorded_at;
}

function applyLabels(f, labels, mode) {
	if (mode === 'replace') {
		f.labels = labels;
		return;
	}
	f.labels = { ...f.labels, ...labels };
	for (const key of Object.keys(f.labels)) if (f.labels[key] === null) delete f.labels[key];
}

export function cycleHash(f) {
	const names = {
		artifactId: 'artifact_id', chainId: 'chain_id', currentEventId: 'current_event_id',
		currentSequence: 'current_sequence', explainRef: 'explain_ref', findingId: 'finding_id', labels: 'labels',
		policyVersion: 'policy_version', rationale: 'rationale', riskEventSequence: 'risk_event_sequence',
		riskExplanationId: 'risk_explanation_id', riskProfileVersion: 'risk_profile_version', riskScore: 'risk_score',
		riskSeverity: 'risk_severity', severity: 'severity', status: 'status', tenant: 'tenant_id', vulnId: 'vuln_id',
	};
	const object = { schema: 'ledger.projection.v1' };
	for (const [name, column] of Object.entries(names)) if (f[column] !== null) object[name] = f[column];
	const airgap = {};
	if (f.airgap_bundle_id !== null) airgap.bundleId = f.airgap_bundle_id;
	if (f.airgap_staleness_seconds !== null) airgap.stalenessSeconds = f.airgap_staleness_seconds;
	if (Object.keys(airgap).length > 0) object.airgap = airgap;
	return sha256(jcs(object));
}

const empty = Object.fromEntries(['vuln_id', 'severity', 'labels', 'explain_ref', 'rationale', 'risk_score', 'risk_severity',
	'risk_profile_version', 'risk_explanation_id', 'risk_event_sequence', 'risk_updated_at', 'airgap_bundle_id',
	'airgap_staleness_seconds'].map((column) => [column, null]));

function step(old, event, type) {
	const body = event.event_body ?? {};
	const said = Object.fromEntries(type.reads.filter((m) => (body[m] ?? null) !== null).map((m) => [m, body[m]]));
	const f = { ...empty, ...old };
	for (const column of ['tenant_id', 'finding_id', 'policy_version', 'artifact_id', 'chain_id']) f[column] = event[column];
	f.vuln_id = event.vuln_id ?? f.vuln_id;
	f.status = said.status !== undefined ? statusOf(said.status) : type.default_status ?? old?.status ?? 'unknown';
	if (said.severity !== undefined) {
		f.severity = typeof said.severity === 'number' ? round(said.severity, 3) : scores[said.severity.toLowerCase()];
	}
	if (said.labels !== undefined) applyLabels(f, said.labels, type.labels_mode);
	f.explain_ref = said.explainRef ?? f.explain_ref;
	f.rationale = said.rationale ?? f.rationale;
	if (said.risk !== undefined) applyRisk(f, said.risk, event);
	f.airgap_bundle_id = said.airgap?.bundle?.bundleId ?? said.airgap?.bundleId ?? f.airgap_bundle_id;
	f.airgap_staleness_seconds = said.airgap?.stalenessSeconds ?? f.airgap_staleness_seconds;
	Object.assign(f, {
		current_event_id: event.event_id, current_sequence: event.sequence_no, projection_version: 'ledger.projection.v1',
		observed_at: event.occurred_at, updated_at: event.recorded_at,
	});
	f.cycle_hash = cycleHash(f);
	return f;
}

function historyRow(old, f, event) {
	const body = event.event_body ?? {};
	const justification = ['justification', 'comment', 'reason'].map((m) => body[m]).find((v) => typeof v === 'string');
	const row = { previous_status: old?.status ?? null, status: f.status, previous_severity: old?.severity ?? null,
		severity: f.severity, justification: justification ?? null, cycle_hash: f.cycle_hash };
	for (const column of ['tenant_id', 'finding_id', 'policy_version', 'chain_id', 'sequence_no', 'event_id', 'event_type',
		'actor_id', 'actor_type', 'occurred_at', 'recorded_at']) row[column] = event[column];
	return row;
}

function actionRow(event, type) {
	const row = { action_id: event.event_id, action_type: type.action_kind, payload: event.event_body ?? {},
		created_by: event.actor_id, created_at: event.recorded_at };
	for (const column of ['tenant_id', 'finding_id', 'policy_version', 'chain_id', 'sequence_no', 'occurred_at']) {
		row[column] = event[column];
	}
	return row;
}

// types: rows of ledger_event_types by name.
export function fold(events, types) {
	const findings = new Map();
	const history = [];
	const actions = [];
	for (const event of events) {
		const type = types[event.event_type];
		if (!type.projected || event.finding_id === 'ledger') continue;
		const key = JSON.stringify([event.tenant_id, event.finding_id, event.policy_version]);
		const old = findings.get(key);
		const f = step(old, event, type);
		findings.set(key, f);
		if (!old || old.status !== f.status || old.severity !== f.severity) history.push(historyRow(old, f, event));
		if (type.action_kind !== null) actions.push(actionRow(event, type));
	}
	return { findings: [...findings.values()], history, actions };
}
