// Tampering with what was folded: each column of each derived table, rows taken
// away and put in, history aged out.
import { chainA, chainC } from './fixture.mjs';

const hash = `'\\x${'ab'.repeat(32)}'`;
const id = `'00000000-0000-7000-8000-000000000003'`;

const columns = {
	findings_projection: {
		artifact_id: `'x'`, vuln_id: `'x'`, chain_id: id, status: `'resolved'`, severity: '1.001', labels: `'{"a": "b"}'`,
		explain_ref: `'x'`, rationale: `'["x"]'`, risk_score: '1.01', risk_severity: `'low'`, risk_profile_version: `'9.9.9'`,
		risk_explanation_id: `'x'`, risk_event_sequence: '77', risk_updated_at: `'2026-01-01 00:00:00+00'`, airgap_bundle_id: `'x'`,
		airgap_staleness_seconds: '77', current_event_id: id, current_sequence: '77', projection_version: `'x'`,
		observed_at: `observed_at + interval '1 microsecond'`, updated_at: `updated_at + interval '1 microsecond'`, cycle_hash: hash,
	},
	finding_history: {
		chain_id: id, event_id: id, event_type: `'finding.closed'`, previous_status: `'unknown'`, status: `'unknown'`,
		previous_severity: '3', severity: '3', actor_id: `'x'`, actor_type: `'integration'`, justification: `'x'`,
		occurred_at: `occurred_at + interval '1 microsecond'`, recorded_at: `recorded_at + interval '1 month'`, cycle_hash: hash,
	},
	triage_actions: {
		action_id: id, action_type: `'close'`, chain_id: id, payload: `payload || '{"x": 1}'`, created_by: `'x'`,
		occurred_at: `occurred_at + interval '1 microsecond'`, created_at: `created_at + interval '1 microsecond'`,
	},
};

// The row of finding F-2 in chain A that each table's cases touch: its sequence.
const touched = { findings_projection: 8, finding_history: 7, triage_actions: 8 };
const number = { findings_projection: 'current_sequence', finding_history: 'sequence_no', triage_actions: 'sequence_no' };
const diverged = (sequence, tenant = 'acme', chain = 'a') => `${tenant} ${chain} ${sequence} projection_diverged`;
const where = (table) => `tenant_id = 'acme' AND finding_id = 'F-2' AND policy_version = 'policy-v1' AND ${number[table]} = ${touched[table]}`;

function flips() {
	const cases = [];
	for (const [table, changes] of Object.entries(columns)) {
		for (const [column, value] of Object.entries(changes)) {
			cases.push({ name: `flip ${column} of ${table}`, expect: [diverged(touched[table])],
				sql: `UPDATE ledger.${table} SET ${column} = ${value} WHERE ${where(table)};` });
		}
		// A changed key is a row too many and a row too few.
		for (const [column, value] of [['tenant_id', 'globex'], ['finding_id', 'F-88'], ['policy_version', 'policy-v8']]) {
			cases.push({ name: `flip ${column} of ${table}`, sql: `UPDATE ledger.${table} SET ${column} = '${value}' WHERE ${where(table)};`,
				expect: [diverged(touched[table]), diverged(touched[table], column === 'tenant_id' ? 'globex' : 'acme')] });
		}
		cases.push({ name: `a row of ${table} deleted`, sql: `DELETE FROM ledger.${table} WHERE ${where(table)};`, expect: [diverged(touched[table])] });
	}
	return cases;
}

const extra = (table, change) => `INSERT INTO ledger.${table} SELECT (jsonb_populate_record(t, '${JSON.stringify(change)}')).*
	FROM ledger.${table} t WHERE ${where(table)};`;
const aged = `DELETE FROM ledger.finding_history WHERE recorded_at < '2026-12-01'; DROP TABLE ledger.finding_history_2026_11;`;

export function cases() {
	const history = (sequences, tenant, chain) => sequences.map((s) => diverged(s, tenant, chain));
	return [
		...flips(),
		{ name: 'sequence of a history row', sql: `UPDATE ledger.finding_history SET sequence_no = 70 WHERE ${where('finding_history')};`,
			expect: [diverged(7), diverged(70)] },
		{ name: 'chain taken away', expect: [diverged(8)], sql: `ALTER TABLE ledger.findings_projection ALTER chain_id DROP NOT NULL;
			UPDATE ledger.findings_projection SET chain_id = NULL WHERE ${where('findings_projection')};` },
		...Object.keys(columns).map((table) => ({ name: `finding taken away from ${table}`,
			sql: `ALTER TABLE ledger.${table} DROP CONSTRAINT ${table}_pkey; ALTER TABLE ledger.${table} ALTER finding_id DROP NOT NULL;
			UPDATE ledger.${table} SET finding_id = NULL WHERE ${where(table)};`,
			expect: [diverged(touched[table]), diverged(touched[table])] })),
		{ name: 'a finding that no event made', sql: extra('findings_projection', { finding_id: 'F-66' }), expect: [diverged(8)] },
		{ name: 'history that no event made', sql: extra('finding_history', { sequence_no: 12 }), expect: [diverged(12)] },
		{ name: 'history twice', sql: extra('finding_history', { recorded_at: '2026-12-05T00:00:00Z' }), expect: [diverged(7)] },
		{ name: 'an action that no event made', sql: extra('triage_actions', { sequence_no: 3 }), expect: [diverged(3)] },
		{ name: 'an erased payload still in an action', expect: [diverged(8)],
			sql: `UPDATE ledger.triage_actions SET payload = '{"comment": "contains a name"}' WHERE ${where('triage_actions')};` },
		{ name: 'one tenant only', call: `'globex'`, expect: [],
			sql: `UPDATE ledger.findings_projection SET status = 'resolved' WHERE ${where('findings_projection')};` },
		{ name: 'a chain alone leaves out projections', call: `'acme', '${chainA}'`, expect: [],
			sql: `UPDATE ledger.findings_projection SET status = 'resolved' WHERE ${where('findings_projection')};` },
		{ name: 'a tampered event hides only what was folded from it', expect: ['acme a 3 payload_edited', diverged(8)],
			sql: `UPDATE ledger.ledger_events SET event_body = '{}' WHERE chain_id = '${chainA}' AND sequence_no = 3;
				UPDATE ledger.findings_projection SET status = 'resolved' WHERE ${where('findings_projection')};` },
		{ name: 'a tampered chain does not hide another', expect: ['acme a 3 envelope_edited', diverged(6, 'globex', 'c')],
			sql: `UPDATE ledger.ledger_events SET finding_id = 'F-2' WHERE chain_id = '${chainA}' AND sequence_no = 3;
				UPDATE ledger.findings_projection SET status = 'resolved' WHERE chain_id = '${chainC}';` },
		{ name: 'history aged out under retention', expect: [],
			sql: `UPDATE ledger.ledger_partition_intent SET retention = '1 month', aged_out_before = '2026-12-01 00:00:00+00'; ${aged}` },
		{ name: 'history that should be aged out and is not', expect: history([1, 2, 7, 12, 13, 15, 16]).concat(
			history([1, 2, 3], 'acme', 'b'), history([1, 6], 'globex', 'c'), diverged(1, 'globex', 'd')),
			sql: `UPDATE ledger.ledger_partition_intent SET aged_out_before = '2026-12-01 00:00:00+00';` },
		{ name: 'history lost without retention', sql: aged,
			expect: [...history([1, 2, 7, 12, 13, 15, 16]), ...history([1, 2, 3], 'acme', 'b'), ...history([1, 6], 'globex', 'c'), diverged(1, 'globex', 'd')] },
		{ name: 'a changed reducer table shows', expect: [...history([2, 5, 15, 16]), ...history([1, 2, 3, 4], 'acme', 'b'),
			diverged(1, 'globex', 'd'), diverged(1, 'globex', 'd')],
			sql: `UPDATE ledger.ledger_event_types SET default_status = 'triaged' WHERE event_type = 'finding.created';` },
	];
}
