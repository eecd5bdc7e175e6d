// Rows that ledger_append_many() stored: their payload, event and leaf hashes,
// their links and the cycle hashes of what was folded from them, each computed
// again by JavaScript, by the core and by the SQL functions.
import { fold } from '../audit/fold.mjs';
import { Dice } from './dice.mjs';
import { randomPayload, randomString } from './documents.mjs';
import { canonicalize, chainId, cycleHash, envelope, eventHash, leafHash, projection, saltedHash } from './formats.mjs';
import { core, field, given, sql } from './sides.mjs';
import { done, ok, same } from './tap.mjs';

const events = process.env.LEDGER_LONG ? 50000 : 10000;
const batch = 500;
const dice = new Dice(2119);

const types = ['finding.created', 'finding.status_changed', 'finding.severity_changed', 'finding.tag_updated', 'finding.comment_added',
	'finding.assignment_changed', 'finding.accepted_risk', 'finding.risk_scored', 'finding.closed', 'finding.reopened',
	'finding.verified', 'airgap.bundle_imported', 'airgap.timeline_impact', 'attestation.verified'];
const statuses = ['new', 'Open', 'UNDER-INVESTIGATION', 'triaged', 'in progress', 'suppressed', 'fixed', 'not_affected', 'whatever'];

const text = (longest = 12) => randomString(dice, longest).slice(0, 60).replace(/[\ud800-\udbff]$/, '') || 'x';
const uuid = () => `${dice.bits().toString(16).padStart(16, '0')}${dice.bits().toString(16).padStart(16, '0')}`
	.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
const fraction = (whole, digits) => Number(`${dice.below(whole)}.${dice.below(10 ** digits).toString().padStart(digits, '0')}`);

// ---- requests ----

function labels(type) {
	const value = () => type === 'finding.tag_updated' && dice.once(4) ? null : text();
	return Object.fromEntries(dice.several(0, 5, () => [text(3), value()]));
}

// The members that a fold reads, of the shapes that it takes.
function readMembers(type, i) {
	const members = {};
	const maybe = (name, make) => {
		if (dice.once(3)) members[name] = make();
	};
	maybe('status', () => dice.pick(statuses));
	maybe('severity', () => dice.once(2) ? fraction(10, 1 + dice.below(5)) : dice.pick(['none', 'Low', 'MEDIUM', 'high', 'critical']));
	maybe('labels', () => labels(type));
	maybe('explainRef', () => text());
	maybe('rationale', () => dice.several(0, 3, () => text()));
	maybe('justification', () => text());
	maybe('airgap', () => ({ bundle: { bundleId: text() }, stalenessSeconds: dice.below(1e9) }));
	if (type === 'finding.risk_scored') {
		members.risk = { score: fraction(100, 1 + dice.below(4)), profileVersion: `1.${dice.below(3)}.0`,
			...(dice.once(2) && { eventSequence: 1000000 + i, explanationId: text() }), ...(dice.once(3) && { severity: 'High' }) };
	}
	return members;
}

function payload(type, i) {
	const known = JSON.stringify(readMembers(type, i)).slice(1, -1);
	const other = randomPayload(dice).slice(1, -1);
	return `{${[known, other].filter((part) => part.trim() !== '').join(',')}}`;
}

// Two tenants, five policies each; the last has a chain id of the caller's.
const policies = ['acme', 'globex'].flatMap((tenant) => [0, 1, 2, 3, 4].map((i) =>
	({ tenant, policyVersion: i + text(), ...(i === 4 && { chainId: uuid() }) })));
const findings = dice.several(200, 200, () => text());

function randomTime() {
	const first = Date.UTC(2000) - 1999 * 365.2425 * 86400000 + 366 * 86400000;
	const ms = first + Math.floor(Number(dice.bits() >> 11n) / 2 ** 53 * (Date.UTC(2026, 0) - first));
	return new Date(ms).toISOString().replace('Z', String(dice.below(1000)).padStart(3, '0') + 'Z');
}

function request(i) {
	const type = dice.pick(types);
	const head = {
		...dice.pick(policies), type,
		finding: { id: dice.pick(findings), artifactId: text(), ...(dice.once(2) && { vulnId: text() }) },
		actor: { id: text(), type: dice.pick(['system', 'operator', 'integration']) },
		...(dice.once(2) && { id: uuid() }), ...(dice.once(2) && { sourceRunId: uuid() }),
		...(dice.once(2) && { evidenceBundleRef: text() }), ...(!dice.once(4) && { occurredAt: randomTime() }),
	};
	return `${JSON.stringify(head).slice(0, -1)},"payload":${payload(type, i)}}`;
}

// ---- what was stored ----

const utc = (column) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
const bare = (row) => Object.fromEntries(Object.entries(row).map(([name, value]) =>
	[name, /_hash$|_salt$/.test(name) && typeof value === 'string' ? value.replace(/^\\x/, '') : value]));

function appendAll(requests) {
	const batches = requests.map((_, i) => i).filter((i) => i % batch === 0)
		.map((i) => `[${requests.slice(i, i + batch).join(',')}]`);
	return sql(`
		SELECT to_jsonb(count(*)) FROM answers AS a JOIN ledger.ledger_events AS e USING (tenant_id, event_id)
		WHERE e.*::text = a.*::text`, `${given('batches', batches)}
		CREATE TEMP TABLE answers AS
			SELECT a.* FROM (SELECT * FROM batches ORDER BY i) AS b, ledger.ledger_append_many(convert_from(b.doc, 'UTF8')::jsonb) AS a;`)[0];
}

const storedEvents = () => sql(`
	SELECT to_jsonb(e) || jsonb_build_object('occurred_at', ${utc('occurred_at')}, 'recorded_at', ${utc('recorded_at')},
		'sql', jsonb_build_object(
			'payload', encode(ledger.ledger_payload_hash(payload_salt, event_body), 'hex'),
			'event', encode(ledger.ledger_event_hash(e), 'hex'),
			'leaf', encode(ledger.ledger_leaf_hash(e), 'hex'),
			'envelope', ledger.ledger_canonical_json(ledger.ledger_event_envelope(e)),
			'chain', ledger.ledger_chain_id(tenant_id, policy_version)))
	FROM ledger.ledger_events AS e ORDER BY tenant_id, chain_id, sequence_no`).map(bare);

const micros = (time) => (BigInt(Date.parse(time.slice(0, 23) + 'Z')) * 1000n + BigInt(time.slice(23, 26))).toString();

function coreEvent(row) {
	return ['event', ...[row.tenant_id, row.event_type, row.policy_version, row.finding_id, row.artifact_id, row.vuln_id, row.actor_id,
		row.actor_type, row.recorded_by, row.evidence_bundle_ref].map(field),
	row.event_id, row.chain_id, row.source_run_id ?? '-', micros(row.occurred_at), micros(row.recorded_at), row.sequence_no,
	row.payload_hash, row.evaluation_hash ?? '-', row.previous_hash];
}

function checkEvents(rows) {
	const column = (name) => rows.map((row) => row[name]);
	const own = (name) => rows.map((row) => row.sql[name]);
	const what = (i) => `${rows[i].tenant_id} ${rows[i].chain_id} ${rows[i].sequence_no}`;
	const payloads = rows.map((row) => saltedHash(2, row.payload_salt, row.event_body));
	const envelopes = rows.map((row) => canonicalize(envelope(row)));
	const hashes = rows.map(eventHash);
	const leaves = rows.map(leafHash);
	const links = rows.map((row, i) => row.sequence_no === 1 ? '0'.repeat(64) : hashes[i - 1]);

	same(column('payload_hash'), payloads, 'stored payload hashes', what);
	same(column('event_hash'), hashes, 'stored event hashes', what);
	same(column('merkle_leaf_hash'), leaves, 'stored leaf hashes', what);
	same(column('previous_hash'), links, 'stored links', what);
	same(own('payload'), payloads, 'ledger_payload_hash() of the rows', what);
	same(own('envelope'), envelopes, 'ledger_event_envelope() of the rows', what);
	same(own('event'), hashes, 'ledger_event_hash() of the rows', what);
	same(own('leaf'), leaves, 'ledger_leaf_hash() of the rows', what);
	same(own('chain'), rows.map((row) => chainId(row.tenant_id, row.policy_version)), 'ledger_chain_id() of the rows', what);
	same(core(rows.map(coreEvent)).map((answer) => answer.fields.join(' ')),
		rows.map((_, i) => `${envelopes[i]} ${hashes[i]} ${leaves[i]}`), "the core's envelopes and hashes of the rows", what);
}

// ---- what was folded ----

function coreProjection(row) {
	return ['projection', ...[row.tenant_id, row.finding_id, row.policy_version, row.artifact_id, row.vuln_id, row.status,
		row.severity_text, row.labels && canonicalize(row.labels), row.explain_ref, row.rationale && canonicalize(row.rationale),
		row.risk_score_text, row.risk_severity, row.risk_profile_version, row.risk_explanation_id].map(field),
	row.risk_event_sequence ?? '-', field(row.airgap_bundle_id), row.airgap_staleness_seconds ?? '-',
	row.chain_id, row.current_event_id, row.current_sequence];
}

function checkProjection(rows) {
	const what = (i) => `${rows[i].tenant_id} ${rows[i].finding_id} ${rows[i].policy_version}`;
	const found = sql(`SELECT to_jsonb(f) || jsonb_build_object('severity_text', severity::text, 'risk_score_text', risk_score::text)
		FROM ledger.findings_projection AS f`).map(bare);
	const key = (row) => JSON.stringify([row.tenant_id, row.finding_id, row.policy_version]);
	const stored = new Map(found.map((row) => [key(row), row]));
	const eventTypes = Object.fromEntries(sql('SELECT to_jsonb(t) FROM ledger.ledger_event_types AS t').map((t) => [t.event_type, t]));
	const folded = fold(rows, eventTypes);

	same(found.map((row) => row.cycle_hash), found.map(cycleHash), 'stored cycle hashes, from the rows', (i) => key(found[i]));
	same(core(found.map(coreProjection)).map((answer) => answer.fields.join(' ')),
		found.map((row) => `${canonicalize(projection(row))} ${row.cycle_hash}`), "the core's projections of the rows", (i) => key(found[i]));
	same(folded.findings.map((row) => stored.get(key(row))?.cycle_hash), folded.findings.map(cycleHash),
		'stored cycle hashes, from the events folded anew', what);
	ok(stored.size === folded.findings.length, 'no finding more than that');

	const history = new Map(sql('SELECT to_jsonb(h) FROM ledger.finding_history AS h').map(bare).map((h) => [h.event_id, h.cycle_hash]));
	same(folded.history.map((h) => history.get(h.event_id)), folded.history.map((h) => h.cycle_hash), 'cycle hashes in the history');
	ok(history.size === folded.history.length, 'no row of it more than that');
}

const requests = Array.from({ length: events }, (_, i) => request(i));
ok(appendAll(requests) === events, `ledger_append_many() answers with the ${events} rows that are stored`);
const rows = storedEvents();
ok(rows.filter((row) => row.tenant_id !== 'ledger').length === events, 'and no others are');
checkEvents(rows);
checkProjection(rows);
done();
