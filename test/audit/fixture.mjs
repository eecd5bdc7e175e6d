// A small ledger of two tenants and four chains, hashed and folded by
// hashes.mjs and fold.mjs.  load() makes the SQL that fills the tables with it.
import { fold } from './fold.mjs';
import { saltedHash, seal, sha256, zeros } from './hashes.mjs';

export const chainA = 'a0000000-0000-8000-8000-00000000000a';
export const chainB = 'b0000000-0000-8000-8000-00000000000b';
export const chainC = 'c0000000-0000-8000-8000-00000000000c';
export const chainD = 'd0000000-0000-8000-8000-00000000000d';
export const chainX = 'f0000000-0000-8000-8000-00000000000f';

const uuid = (seed) => {
	const hex = sha256(seed);
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

const oddNumbers = { big: 1e21, small: 1e-7, tenth: 0.1, half: 1.5, ugly: 1e23, long: 123456789012345680000,
	edge: 18014398509481992, least: 5e-324, most: 1.7976931348623157e308, minus: -0.000001, list: [0, -1, 1e20, 2 ** 53] };
const oddStrings = { '\u{1F600}': 'emoji sorts before', '\uFB33': 'presentation forms', 'ö': 'Zürich ☃',
	'\u007f': '\u0001\b\t\n\f\r"\\/\u001f\u007f\u2028', '': [], a: {}, A: null, aa: [true, false, { z: [] }] };

// [type, finding, payload, further columns]
const story = {
	[chainA]: ['acme', 'policy-v1', [
		['finding.created', 'F-1', { status: 'New', severity: 'Critical', labels: { team: 'späti', tier: '1' }, note: oddStrings },
			{ vuln_id: 'CVE-2026-0001', source_run_id: uuid('run'), evidence_bundle_ref: 'bundle::1' }],
		['finding.created', 'F-2', { severity: 7.55555, rationale: ['seen in the wild', 'öffentlich'], explainRef: 'x://1' }],
		['finding.comment_added', 'F-1', { comment: 'Wir prüfen das. 🙂', ...oddNumbers }],
		['finding.tag_updated', 'F-1', { labels: { tier: null, owner: 'ops' } }],
		['finding.status_changed', 'F-2', { status: 'Under-Investigation', reason: 'triage' }, { vuln_id: 'CVE-2026-0002' }],
		['finding.risk_scored', 'F-1', { risk: { score: 71.005, profileVersion: '1.10.0', explanationId: 'E-1' } }],
		['finding.accepted_risk', 'F-2', { justification: 'isolated network', severity: 6.5 }],
		['finding.comment_added', 'F-2', { comment: 'contains a name' }, { erased: true }],
		['ledger.payload_redacted', 'ledger', null, { actor_type: 'system' }],
		['airgap.bundle_imported', 'F-1', { airgap: { bundle: { bundleId: 'B-7' }, stalenessSeconds: 3600 } }],
		['finding.risk_scored', 'F-1', { risk: { score: 10, profileVersion: '1.9.0' } }],
		['finding.severity_changed', 'F-1', { severity: 8.1255, explainRef: null }],
		['finding.closed', 'F-1', { comment: 'done' }],
		['attestation.verified', 'F-2', { predicate: 'slsa' }],
		['finding.created', 'F-3', { labels: {} }],
		['finding.verified', 'F-3', {}],
	]],
	[chainB]: ['acme', 'policy-v2', [
		['finding.created', 'F-1', {}, { evaluation: { status: 'affected', score: 4.25, 'ü': [1e21] } }],
		['finding.status_changed', 'F-1', { status: 'sonstiges' }, { evaluation: { error: '57014', fallback: true } }],
		['finding.created', 'F-9', { severity: 0.0005 }],
		['airgap.timeline_impact', 'F-9', { airgap: { bundleId: 'B-8' } }],
	]],
	[chainC]: ['globex', 'policy-v1', [
		['finding.created', 'F-1', { status: 'open', severity: 'low' }],
		['finding.risk_scored', 'F-1', { risk: { score: 99.999, profileVersion: '2.0.0', severity: 'LOW', eventSequence: 5 } }],
		['finding.risk_scored', 'F-1', { risk: { score: 1, profileVersion: '2.0.0', eventSequence: 4 } }],
		['finding.reopened', 'F-1', { severity: null }],
		['finding.remediation_plan_added', 'F-1', { plan: ['patch', 'reboot'] }, { actor_type: 'integration' }],
		['finding.status_changed', 'F-1', { status: 'TARGET FIX' }],
	]],
	[chainD]: ['globex', 'policy-v2', [
		['finding.created', 'F-1', { severity: 9.9995 }],
	]],
};

function baseRow(chain, tenant, policy, sequence, [type, finding, payload, more = {}]) {
	const { erased, ...columns } = more;
	const second = String(sequence % 7).padStart(2, '0');   // ties and inversions on purpose
	return {
		tenant_id: tenant, chain_id: chain, sequence_no: sequence, event_id: uuid(chain + sequence), event_type: type,
		policy_version: policy, finding_id: finding, artifact_id: finding === 'ledger' ? 'ledger' : 'pkg:deb/' + finding,
		vuln_id: null, source_run_id: null, actor_id: 'zoë', actor_type: 'operator',
		occurred_at: `2026-11-2${sequence % 3}T08:00:${second}.000000Z`, recorded_at: `2026-11-23T19:30:${second}.00000${sequence % 10}Z`,
		recorded_by: 'ledger_app', evidence_bundle_ref: null, schema_version: 'ledger.event.v1',
		event_body: payload, payload_salt: sequence === 3 ? '' : sha256('salt' + chain + sequence).slice(0, 32),
		evaluation: null, evaluation_hash: null, ...columns,
	};
}

function makeChain(chain, [tenant, policy, events]) {
	const rows = [];
	for (const [index, event] of events.entries()) {
		const row = baseRow(chain, tenant, policy, index + 1, event);
		const target = rows.at(-1);
		if (row.event_type === 'ledger.payload_redacted') {
			row.event_body = { eventId: target.event_id, sequence: target.sequence_no, payloadHash: target.payload_hash,
				reason: 'personal data', requestedBy: 'dpo' };
		}
		row.previous_hash = target?.event_hash ?? zeros;
		if (event[3]?.erased) {
			row.payload_hash = saltedHash(2, row.payload_salt, row.event_body);
			row.event_body = null;
			row.payload_salt = null;
		}
		rows.push(seal(row));
	}
	return rows;
}

// A chain that is long enough for a tile's first hash; it is not part of load().
export const chainE = 'e0000000-0000-8000-8000-00000000000e';
export const longChain = makeChain(chainE, ['acme', 'policy-v3', Array.from({ length: 300 }, (_, i) => ['orchestrator.export_recorded', `E-${i}`, { i }])]);

export const events = Object.entries(story).flatMap(([chain, told]) => makeChain(chain, told));
export const row = (chain, sequence) => events.find((e) => e.chain_id === chain && e.sequence_no === sequence);

const binary = ['payload_salt', 'payload_hash', 'evaluation_hash', 'previous_hash', 'event_hash', 'merkle_leaf_hash', 'cycle_hash',
	'root_hash', 'previous_root_hash', 'frontier', 'guard_fingerprint', 'hashes'];

// 1.5 as 1.50: another spelling of the same number, which jsonb keeps.
export function recordset(table, rows) {
	const text = JSON.stringify(rows.map((r) => Object.fromEntries(Object.entries(r)
		.map(([column, value]) => [column, binary.includes(column) && value !== null ? '\\x' + value : value]))))
		.replaceAll('"half":1.5,', '"half":1.50,');
	return `INSERT INTO ${table} SELECT * FROM jsonb_populate_recordset(NULL::${table}, $json$${text}$json$);\n`;
}

export function load(types) {
	const { findings, history, actions } = fold(events, types);
	return recordset('ledger.ledger_events', events) +
		recordset('ledger.findings_projection', findings) +
		recordset('ledger.finding_history', history) +
		recordset('ledger.triage_actions', actions);
}
