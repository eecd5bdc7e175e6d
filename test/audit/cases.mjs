// Loads the fixture, tampers with it in every way that docs/verification.md
// names, and compares the verifier's findings with exactly those expected.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chainA, chainB, chainC, chainD, chainX, events, load, row } from './fixture.mjs';
import { jcs, seal, sha256 } from './hashes.mjs';
import { anchorCases, loadAnchors, withAnchors } from './anchor_cases.mjs';
import { cases as guardCases } from './guard_cases.mjs';
import { cases as projectionCases } from './projection_cases.mjs';

const verifier = 'sql/audit/verify_plain.sql';
let number = 0;
let failed = 0;

function report(ok, name, lines = []) {
	number += 1;
	if (!ok) failed += 1;
	console.log(`${ok ? 'ok' : 'not ok'} ${number} - ${name}`);
	if (!ok) for (const line of lines) console.log(`#   ${line}`);
}

function psql(args, input) {
	return spawnSync(process.env.PSQL, ['-X', ...args], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
}

function run(sql) {
	const result = psql(['-Atq', '-v', 'ON_ERROR_STOP=1'], sql);
	if (result.status !== 0) throw new Error(result.stderr);
	return result.stdout;
}

// Runs each case in a transaction of its own, rolled back, in one session; asks both
// verifiers, and the scan of the second one whether it has a doubt: it must have one
// where the judge finds something about events, and nowhere else; but a neighbour of a
// range may raise one that the judge settles.
function runCases(cases, guards) {
	const findings = (call) => `SELECT '=' || coalesce(json_agg(concat_ws(' ', tenant_id, left(chain_id::text, 1), coalesce(sequence_no::text, '-'), kind)
		ORDER BY tenant_id, chain_id, sequence_no, kind), '[]'), coalesce(json_agg(detail), '[]')
	FROM ${call};`;
	const script = cases.map(({ sql, call = '' }) => {
		const args = [...call.split(',').filter((a) => a !== ''), 'NULL', 'NULL', 'NULL', 'NULL'].slice(0, 4).join(', ');
		return `BEGIN;\n${sql}\n${findings(`pg_temp.plain_verify(${call})`)}
			${findings(`(SELECT * FROM ledger.ledger_verify_all(${args}, ${guards === 'on'}) WHERE kind IS NOT NULL) AS v`)}
			SELECT '=' || (s.sound = NOT EXISTS (SELECT FROM ledger.ledger_judge(${args}) AS j WHERE j.kind <> 'missing_chain'))::text, s.sound
				FROM ledger.ledger_verify_scan(${args}) AS s;\nROLLBACK;\n`;
	});
	const output = run(`\\set run off\n\\set guards ${guards}\n\\i ${verifier}\n\\set ON_ERROR_STOP off\n${script.join('')}`);
	const lines = output.split('\n').filter((line) => line.startsWith('='));
	if (lines.length !== 3 * cases.length) {
		throw new Error(`${lines.length} answers to ${cases.length} cases\n` +
			psql(['-Atq'], `\\set run off\n\\i ${verifier}\n\\set ON_ERROR_STOP off\n${script.join('')}`).stderr);
	}
	const answer = (line) => line.slice(1).split('|').map((text, i) => i === 0 ? JSON.parse(text) : text);
	cases.forEach(({ name, expect }, index) => {
		const wanted = [...expect].sort();
		for (const [n, who] of [[0, 'plain'], [1, 'ledger']]) {
			const [got, details] = answer(lines[3 * index + n]);
			report(JSON.stringify([...got].sort()) === JSON.stringify(wanted), `${who}: ${name}`,
				[`wanted ${wanted.join(', ') || 'nothing'}`, `got    ${got.join(', ') || 'nothing'}`, `detail ${details}`]);
		}
		const [asTheJudge, sound] = lines[3 * index + 2].slice(1).split('|');
		report(asTheJudge === 'true' || (sound === 'f' && cases[index].call?.split(',').length > 2), `scan: ${name}`, [lines[3 * index + 2]]);
	});
}

const at = (chain, sequence) => `chain_id = '${chain}' AND sequence_no = ${sequence}`;
const set = (chain, sequence, change) => `UPDATE ledger.ledger_events SET ${change} WHERE ${at(chain, sequence)};\n`;
const tenantOf = (chain) => row(chain, 1).tenant_id;
const name = (chain, sequence, kind) => `${tenantOf(chain)} ${chain[0]} ${sequence} ${kind}`;

// ---- every column of a row in turn --------------------------------------------------------

const other = `'\\x${sha256('other')}'`;
const flips = {
	event_id: ["'00000000-0000-7000-8000-000000000000'", 'envelope_edited'],
	event_type: ["'finding.reopened'", 'envelope_edited'],
	policy_version: ["'policy-v9'", 'envelope_edited'],
	finding_id: ["'F-77'", 'envelope_edited'],
	artifact_id: ["artifact_id || ' '", 'envelope_edited'],
	vuln_id: ["coalesce(vuln_id, '') || 'X'", 'envelope_edited'],
	source_run_id: ["'00000000-0000-7000-8000-000000000001'", 'envelope_edited'],
	actor_id: ["'mallory'", 'envelope_edited'],
	actor_type: ["CASE actor_type WHEN 'system' THEN 'operator' ELSE 'system' END", 'envelope_edited'],
	occurred_at: ["occurred_at + interval '1 microsecond'", 'envelope_edited'],
	recorded_at: ["recorded_at - interval '1 microsecond'", 'envelope_edited'],
	recorded_by: ["recorded_by || 'x'", 'envelope_edited'],
	evidence_bundle_ref: ["coalesce(evidence_bundle_ref, '') || 'x'", 'envelope_edited'],
	schema_version: ["'ledger.event.v2'", 'envelope_edited'],
	event_body: ["coalesce(event_body, '{}') || '{\"x\": 1}'", 'payload_edited'],
	payload_salt: ["'\\x00112233445566778899aabbccddeeff'", 'payload_edited'],
	payload_hash: [other, 'hash_edited'],
	evaluation: ["'{\"status\": \"resolved\"}'", 'payload_edited'],
	evaluation_hash: [other, 'hash_edited'],
	previous_hash: [other, 'link_broken'],
	event_hash: [other, 'hash_edited'],
	merkle_leaf_hash: [other, 'hash_edited'],
};
const nullable = { vuln_id: 1, source_run_id: 1, evidence_bundle_ref: 1, payload_salt: 1, evaluation: 1, evaluation_hash: 1 };

const flipCases = [];
for (const [chain, sequence] of [[chainA, 1], [chainA, 5], [chainA, 8], [chainA, 9], [chainA, 16], [chainB, 2], [chainC, 6], [chainD, 1]]) {
	const original = row(chain, sequence);
	const erased = original.event_body === null;
	// Without the event that explains it, an erased payload is missing too.
	const explained = original.event_type === 'ledger.payload_redacted' ? [name(chain, 8, 'payload_missing')] : [];
	const lost = events.filter((e) => e.chain_id === chain).length === 1 ? [`${tenantOf(chain)} ${chain[0]} - missing_chain`] : [];
	const label = `${tenantOf(chain)} ${chain[0]} ${sequence}`;
	for (const [column, [value, kind]] of Object.entries(flips)) {
		const seen = erased && kind === 'hash_edited' && column.match(/^(payload|evaluation)_hash$/) ? 'envelope_edited' : kind;
		flipCases.push({ name: `flip ${column} of ${label}`, sql: set(chain, sequence, `${column} = ${value}`),
			expect: [name(chain, sequence, seen), ...(column === 'event_type' ? explained : [])] });
		if (nullable[column] && original[column] !== null) {
			flipCases.push({ name: `empty ${column} of ${label}`, sql: set(chain, sequence, `${column} = NULL`),
				expect: [name(chain, sequence, kind)] });
		}
	}
	const stranger = tenantOf(chain) === 'acme' ? 'globex' : 'acme';
	flipCases.push(
		{ name: `flip tenant_id of ${label}`, sql: set(chain, sequence, `tenant_id = '${stranger}'`),
			expect: [`${stranger} ${chain[0]} ${sequence} envelope_edited`, ...explained, ...lost] },
		{ name: `flip chain_id of ${label}`, sql: set(chain, sequence, `chain_id = '${chainX}'`),
			expect: [`${tenantOf(chain)} f ${sequence} envelope_edited`, ...explained, ...lost] },
		{ name: `flip sequence_no of ${label}`, sql: set(chain, sequence, 'sequence_no = 900'),
			expect: [name(chain, 900, 'reordered')] });
}

// ---- more than a column -------------------------------------------------------------------

function resealed(chain, sequence, change) {
	const fresh = seal({ ...row(chain, sequence), ...change });
	const columns = Object.keys(change).map((c) => `${c} = '${c.endsWith('hash') ? '\\x' : ''}${fresh[c]}'`);
	for (const c of ['event_hash', 'merkle_leaf_hash']) columns.push(`${c} = '\\x${fresh[c]}'`);
	return { fresh, sql: set(chain, sequence, columns.join(', ')) };
}
const rewritten = resealed(chainA, 5, { artifact_id: 'pkg:deb/other' });
const noKeys = `ALTER TABLE ledger.ledger_events DROP CONSTRAINT ledger_events_pkey;
	ALTER TABLE ledger.ledger_events DROP CONSTRAINT ledger_events_tenant_id_event_id_key;\n`;
const copied = (chain, sequence, change) => `INSERT INTO ledger.ledger_events SELECT (jsonb_populate_record(e, '${JSON.stringify(change)}')).*
	FROM ledger.ledger_events e WHERE ${at(chain, sequence)};\n`;
const renumber = (chain, map) => Object.keys(map).map((s) => set(chain, s, `sequence_no = sequence_no + 1000`)).join('') +
	Object.entries(map).map(([s, to]) => set(chain, Number(s) + 1000, `sequence_no = ${to}`)).join('');
const greatest = '9223372036854775807';
const smallest = '-9223372036854775808';
const erase = 'event_body = NULL, payload_salt = NULL, evaluation = NULL';

const tamperCases = [
	{ name: 'the untouched fixture is clean', sql: '', expect: [] },
	{ name: 'another spelling of a number is the same number', expect: [],
		sql: set(chainA, 3, `event_body = jsonb_set(event_body, '{tenth}', '0.1000')`) },
	{ name: 'a number that no double holds', expect: [name(chainA, 3, 'payload_edited')],
		sql: set(chainA, 3, `event_body = jsonb_set(event_body, '{tenth}', '0.1000000000000000055')`) },
	{ name: 'a number beyond every double', expect: [name(chainA, 3, 'payload_edited')],
		sql: set(chainA, 3, `event_body = jsonb_set(event_body, '{tenth}', '1e400')`) },
	{ name: 'payload with a wrong shape', expect: [name(chainA, 6, 'payload_edited')],
		sql: set(chainA, 6, `event_body = '{"risk": {"score": "x", "profileVersion": 7}, "status": [], "severity": {}, "labels": {"a": 1}}'`) },
	{ name: 'payloads of two rows swapped', expect: [name(chainA, 1, 'payload_edited'), name(chainA, 3, 'payload_edited')],
		sql: `UPDATE ledger.ledger_events e SET event_body = o.event_body, payload_salt = o.payload_salt FROM ledger.ledger_events o
			WHERE e.chain_id = '${chainA}' AND o.chain_id = e.chain_id AND (e.sequence_no, o.sequence_no) IN ((1, 3), (3, 1));` },
	{ name: 'payload gone without a redaction', expect: [name(chainA, 4, 'payload_missing')], sql: set(chainA, 4, erase) },
	{ name: 'payload and evaluation gone without a redaction', expect: [name(chainB, 1, 'payload_missing')], sql: set(chainB, 1, erase) },
	{ name: 'payload gone, salt left', expect: [name(chainA, 4, 'payload_missing')], sql: set(chainA, 4, 'event_body = NULL') },
	{ name: 'a redaction that names another hash', expect: [name(chainA, 8, 'payload_missing'), name(chainA, 9, 'payload_edited')],
		sql: set(chainA, 9, `event_body = jsonb_set(event_body, '{payloadHash}', '"${sha256('x')}"')`) },
	{ name: 'infinite time', expect: [name(chainA, 5, 'envelope_edited')], sql: set(chainA, 5, `occurred_at = 'infinity'`) },
	{ name: 'a time before year 1', expect: [name(chainA, 5, 'envelope_edited')], sql: set(chainA, 5, `occurred_at = '2026-11-22 08:00:05+00 BC'`) },
	...['event_type', 'policy_version', 'finding_id', 'artifact_id', 'actor_id', 'actor_type', 'occurred_at', 'recorded_at', 'recorded_by']
		.map((column) => ({ name: `${column} taken away`, expect: [name(chainA, 5, 'envelope_edited')],
			sql: `ALTER TABLE ledger.ledger_events ALTER ${column} DROP NOT NULL;` + set(chainA, 5, `${column} = NULL`) })),
	{ name: 'the greatest number there is', expect: [name(chainA, greatest, 'reordered')],
		sql: set(chainA, 5, `sequence_no = ${greatest}`) },
	{ name: 'the greatest number there is, and no place to go back to', sql: set(chainA, 5, `sequence_no = ${greatest}, vuln_id = 'x'`),
		expect: [name(chainA, 5, 'missing'), name(chainA, 17, 'missing'), name(chainA, greatest, 'envelope_edited')] },
	{ name: 'a row remembers the hash of the greatest number', sql: set(chainA, 16, `sequence_no = ${greatest}`) +
		set(chainA, 3, `previous_hash = '\\x${row(chainA, 16).event_hash}'`),
		expect: [name(chainA, 3, 'link_broken'), name(chainA, greatest, 'reordered')] },
	{ name: 'the smallest number there is', expect: [name(chainA, 5, 'missing'), name(chainA, smallest, 'envelope_edited')],
		sql: `ALTER TABLE ledger.ledger_events DROP CONSTRAINT ledger_events_sequence_no_check;` +
			set(chainA, 5, `sequence_no = ${smallest}, vuln_id = 'x'`) },
	{ name: 'event hash and leaf hash', expect: [name(chainA, 5, 'hash_edited')],
		sql: set(chainA, 5, `event_hash = ${other}, merkle_leaf_hash = ${other}`) },
	{ name: 'event hash and leaf hash of the last row', expect: [name(chainA, 16, 'envelope_edited')],
		sql: set(chainA, 16, `event_hash = ${other}, merkle_leaf_hash = ${other}`) },
	{ name: 'event hash, and the next row\'s memory of it', expect: [name(chainA, 5, 'hash_edited'), name(chainA, 6, 'link_broken')],
		sql: set(chainA, 5, `event_hash = ${other}`) + set(chainA, 6, `previous_hash = '\\x${sha256('third')}'`) },
	{ name: 'event hashes of neighbours swapped', expect: [name(chainA, 5, 'hash_edited'), name(chainA, 6, 'hash_edited')],
		sql: set(chainA, 5, `event_hash = '\\x${row(chainA, 6).event_hash}'`) + set(chainA, 6, `event_hash = '\\x${row(chainA, 5).event_hash}'`) },
	{ name: 'all rows edited', sql: `UPDATE ledger.ledger_events SET recorded_by = 'nobody';`,
		expect: events.map((e) => name(e.chain_id, e.sequence_no, 'envelope_edited')) },
	{ name: 'a row rewritten and hashed again', sql: rewritten.sql, expect: [name(chainA, 5, 'link_broken')] },
	{ name: 'the first row rewritten and hashed again', expect: [name(chainA, 1, 'link_broken')],
		sql: resealed(chainA, 1, { actor_id: 'mallory' }).sql },
	{ name: 'the last but one rewritten and hashed again', expect: [name(chainA, 15, 'link_broken')],
		sql: resealed(chainA, 15, { actor_id: 'mallory' }).sql },
	{ name: 'a row rewritten, and the next one told so', sql: rewritten.sql + set(chainA, 6, `previous_hash = '\\x${rewritten.fresh.event_hash}'`),
		expect: [name(chainA, 6, 'envelope_edited')] },
	{ name: 'a row linked elsewhere and hashed again', sql: resealed(chainA, 5, { previous_hash: sha256('x') }).sql,
		expect: [name(chainA, 5, 'link_broken')] },
	{ name: 'the first row linked elsewhere and hashed again', expect: [name(chainA, 1, 'link_broken')],
		sql: resealed(chainA, 1, { previous_hash: sha256('x') }).sql },
	{ name: 'the last row rewritten and hashed again shows in what was folded', sql: resealed(chainC, 6, { actor_id: 'mallory' }).sql,
		expect: [name(chainC, 6, 'projection_diverged'), name(chainC, 6, 'projection_diverged')] },
	{ name: 'the first row deleted', sql: `DELETE FROM ledger.ledger_events WHERE ${at(chainA, 1)};`, expect: [name(chainA, 1, 'missing')] },
	{ name: 'a row deleted', sql: `DELETE FROM ledger.ledger_events WHERE ${at(chainA, 7)};`, expect: [name(chainA, 7, 'missing')] },
	{ name: 'two gaps', sql: `DELETE FROM ledger.ledger_events WHERE chain_id = '${chainA}' AND sequence_no IN (2, 3, 7);`,
		expect: [name(chainA, 2, 'missing'), name(chainA, 7, 'missing')] },
	{ name: 'the last row deleted shows in what was folded', sql: `DELETE FROM ledger.ledger_events WHERE ${at(chainC, 6)};`,
		expect: [name(chainC, 5, 'projection_diverged'), name(chainC, 6, 'projection_diverged'), name(chainC, 6, 'projection_diverged')] },
	{ name: 'a chain deleted', sql: `DELETE FROM ledger.ledger_events WHERE chain_id = '${chainB}';`, expect: [name(chainB, '-', 'missing_chain')] },
	{ name: 'everything deleted', sql: 'DELETE FROM ledger.ledger_events;',
		expect: [chainA, chainB, chainC, chainD].map((c) => name(c, '-', 'missing_chain')) },
	{ name: 'neighbours swapped', sql: renumber(chainA, { 5: 6, 6: 5 }), expect: [name(chainA, 5, 'reordered'), name(chainA, 6, 'reordered')] },
	{ name: 'distant rows swapped', sql: renumber(chainA, { 1: 16, 16: 1 }), expect: [name(chainA, 1, 'reordered'), name(chainA, 16, 'reordered')] },
	{ name: 'a whole chain reversed', sql: renumber(chainC, { 1: 6, 2: 5, 3: 4, 4: 3, 5: 2, 6: 1 }),
		expect: [1, 2, 3, 4, 5, 6].map((s) => name(chainC, s, 'reordered')) },
	{ name: 'a row moved beyond the end, and one deleted', expect: [name(chainA, 99, 'reordered'), name(chainA, 7, 'missing')],
		sql: set(chainA, 5, 'sequence_no = 99') + `DELETE FROM ledger.ledger_events WHERE ${at(chainA, 7)};` },
	{ name: 'a row twice', sql: noKeys + copied(chainA, 5, {}), expect: [name(chainA, 5, 'duplicate')] },
	{ name: 'the first row twice', sql: noKeys + copied(chainA, 1, {}), expect: [name(chainA, 1, 'duplicate')] },
	{ name: 'a row copied to the end', sql: noKeys + copied(chainA, 5, { sequence_no: 17 }), expect: [name(chainA, 17, 'duplicate')] },
	{ name: 'a row copied far beyond the end', sql: noKeys + copied(chainA, 5, { sequence_no: 99 }), expect: [name(chainA, 99, 'duplicate')] },
	{ name: 'a row copied into another chain', sql: noKeys + copied(chainA, 5, { chain_id: chainX }), expect: ['acme f 5 duplicate'] },
	{ name: 'a row copied to another tenant', sql: copied(chainA, 5, { tenant_id: 'globex', chain_id: chainX }), expect: ['globex f 5 duplicate'] },
	{ name: 'a second row with the same number', sql: noKeys + copied(chainA, 5, { event_id: '00000000-0000-7000-8000-000000000002' }),
		expect: [name(chainA, 5, 'duplicate')] },
	{ name: 'a number moved onto another', sql: noKeys + set(chainA, 5, 'sequence_no = 6'), expect: [name(chainA, 6, 'reordered')] },
	{ name: 'an event id set to that of another row', sql: noKeys + set(chainA, 5, `event_id = '${row(chainA, 12).event_id}'`),
		expect: [name(chainA, 5, 'duplicate')] },
];

// ---- parts of the ledger ------------------------------------------------------------------

const edits = set(chainA, 5, `actor_id = 'm'`) + set(chainC, 2, `actor_id = 'm'`);
const ranges = [
	{ name: 'one tenant', sql: edits, call: `'globex'`, expect: [name(chainC, 2, 'envelope_edited')] },
	{ name: 'one chain', sql: edits, call: `NULL, '${chainA}'`, expect: [name(chainA, 5, 'envelope_edited')] },
	{ name: 'a range without the edited row', sql: edits, call: `'acme', '${chainA}', 6, 9`, expect: [] },
	{ name: 'a range that ends at the edited row', sql: edits, call: `'acme', '${chainA}', 2, 5`, expect: [name(chainA, 5, 'envelope_edited')] },
	{ name: 'a range asks the next row', sql: set(chainA, 5, `event_hash = ${other}, merkle_leaf_hash = ${other}`), call: `'acme', '${chainA}', 2, 5`,
		expect: [name(chainA, 5, 'hash_edited')] },
	{ name: 'a range checks the link to the row before it', sql: rewritten.sql, call: `'acme', '${chainA}', 6, 9`, expect: [name(chainA, 5, 'link_broken')] },
	{ name: 'a range starts in a gap', sql: `DELETE FROM ledger.ledger_events WHERE chain_id = '${chainA}' AND sequence_no BETWEEN 4 AND 6;`,
		call: `'acme', '${chainA}', 5, 9`, expect: [name(chainA, 5, 'missing')] },
	{ name: 'a range lies in a gap', sql: `DELETE FROM ledger.ledger_events WHERE chain_id = '${chainA}' AND sequence_no BETWEEN 4 AND 9;`,
		call: `'acme', '${chainA}', 5, 7`, expect: [name(chainA, 5, 'missing')] },
	{ name: 'a swap within a range', sql: renumber(chainA, { 5: 6, 6: 5 }), call: `'acme', '${chainA}', 5, 6`,
		expect: [name(chainA, 5, 'reordered'), name(chainA, 6, 'reordered')] },
	{ name: 'a range of all numbers', sql: set(chainA, 5, `vuln_id = 'x'`), call: `'acme', '${chainA}', ${smallest}, ${greatest}`,
		expect: [name(chainA, 5, 'envelope_edited')] },
	{ name: 'a range beyond the end has no findings', sql: '', call: `'acme', '${chainA}', 50, 60`, expect: [] },
];

// ---- canonical JSON against the other implementation ---------------------------------------

function randomSource(seed) {
	let state = seed;
	return (n) => {
		state = (Math.imul(state, 1103515245) + 12345) >>> 0;
		return Math.floor((state / 2 ** 32) * n);
	};
}
const random = randomSource(20261124);
const letters = ['a', 'b', 'B', '"', '\\', '\n', '\u0001', '\u001f', '\u007f', 'é', '\u2028', '\uD7FF', '\uE000', '\uFB33', '\uFFFD', '\u{10000}', '\u{1F600}', '\u{10FFFF}'];
const randomText = () => Array.from({ length: random(5) }, () => letters[random(letters.length)]).join('');
function randomNumber() {
	const bits = new DataView(new ArrayBuffer(8));
	switch (random(4)) {
	case 0: return random(1000000) - 500000;
	case 1: return (random(2 ** 31) * 2 ** 22 + random(2 ** 22)) * 2 ** random(12);
	case 2: return Number(`${random(1000)}.${random(1e6)}e${random(60) - 30}`);
	default:
		bits.setUint32(0, random(2 ** 32));
		bits.setUint32(4, random(2 ** 32));
		return Number.isFinite(bits.getFloat64(0)) ? bits.getFloat64(0) + 0 : 0;
	}
}
function randomValue(depth) {
	switch (random(depth > 3 ? 4 : 7)) {
	case 0: return randomText();
	case 1: case 2: return randomNumber();
	case 3: return [null, true, false][random(3)];
	case 4: return Array.from({ length: random(5) }, () => randomValue(depth + 1));
	default: return Object.fromEntries(Array.from({ length: random(7) }, () => [randomText(), randomValue(depth + 1)]));
	}
}

function compareCanonical() {
	const documents = Array.from({ length: 2000 }, () => randomValue(0));
	let deep = [{ '\uFB33': 1, '\u{1F600}': 2, x: 'y' }, 0.5];
	for (let i = 0; i < 900; i++) deep = i % 2 ? [1.5, deep] : { b: 'ü', a: deep };
	documents.push(deep);
	const output = run(`\\set run off\n\\i ${verifier}\n
		SELECT d.number, encode(sha256(convert_to(pg_temp.plain_jcs(d.value), 'UTF8')), 'hex')
		  FROM jsonb_array_elements($json$${JSON.stringify(documents)}$json$) WITH ORDINALITY AS d (value, number) ORDER BY 2;\n`);
	const hashes = new Map(output.trim().split('\n').map((line) => line.split('|')).map(([n, hash]) => [Number(n) - 1, hash]));
	const wrong = documents.filter((d, i) => hashes.get(i) !== sha256(jcs(d)));
	report(wrong.length === 0, '2000 random documents, and a deep one, have the canonical form of the other implementation',
		wrong.slice(0, 5).map((d) => jcs(d)));
}

function compareNumbers() {
	const refused = ['12345678901234567890', '0.1000000000000000055', '1e400', '-1e-400', '9007199254740993', '4e-324', '18014398509481992.5'];
	const output = run(`\\set run off\n\\i ${verifier}\n
		SELECT string_agg(n, ' ') FROM unnest('{${refused}}'::text[]) AS n WHERE pg_temp.plain_jcs(n::jsonb) IS NOT NULL;
		SELECT pg_temp.plain_jcs('{"a": 1, "b": [1e400]}') IS NULL;\n`);
	report(output === '\nt\n', 'numbers that no double holds have no canonical form', [output]);
}

// Every word of docs/projection.md, in some spelling, and words that are none.
function compareWords() {
	const status = { affected: 'affected NEW open Reopened under_investigation', triaged: 'triaged acknowledged',
		in_progress: 'in_progress Target-Fix', accepted_risk: 'accepted_risk accept-risk suppressed', verified: 'verified verify_FIX',
		resolved: 'resolved closed fixed remediated dismissed false-positive not_affected', unknown: 'unknown none affected- accept_ris\u212A' };
	const severity = { 0: 'none Informational', 0.1: 'LOW', 4: 'medium moderate', 7: 'High', 9: 'critical' };
	const bands = { critical: [90, 100], high: [70, 89.99], medium: [40, 69.99], low: [10, 39.99], informational: [0, 9.99] };
	const rows = [
		...Object.entries(status).flatMap(([wanted, words]) => words.split(' ').map((w) => `(pg_temp.plain_status('${w}'), '${wanted}', '${w}')`)),
		"(pg_temp.plain_status('Under Investigation'), 'affected', 'blank')",
		...Object.entries(severity).flatMap(([wanted, words]) => words.split(' ').map((w) => `(pg_temp.plain_severity('"${w}"')::text, '${wanted}', '${w}')`)),
		"(pg_temp.plain_severity('\"severe\"')::text, NULL, 'severe')", "(pg_temp.plain_severity('10.001')::text, NULL, '10.001')",
		...Object.entries(bands).flatMap(([wanted, edges]) => edges.map((score) => `(pg_temp.plain_risk('{}', '{"score": ${score}, "profileVersion": "1.0.0"}', 1, now()) ->> 'risk_severity', '${wanted}', 'score ${score}')`)),
	];
	const output = run(`\\set run off\n\\i ${verifier}\n
		SELECT w FROM (VALUES ${rows.join(',\n')}) AS v (got, wanted, w) WHERE got IS DISTINCT FROM wanted;\n`);
	report(output === '', 'every word of the reducer stands for what the page says', output.split('\n'));
}

// ---- the script as an auditor runs it -----------------------------------------------------

function script(label, status, pattern, args, prepare = '', database = 'audit') {
	const text = prepare === '' ? [] : ['-c', prepare];
	const result = psql(['-q', '-d', database, ...text, ...args, '-f', verifier]);
	report(result.status === status && pattern.test(result.stdout + result.stderr), label,
		[`status ${result.status}, wanted ${status}`, ...(result.stdout + result.stderr).split('\n')]);
}

function scripts() {
	const off = ['-v', 'guards=off'];
	script('the script ends with 0 where all is clean', 0, /clean +\| +0 \| +27 \| +27 \| +26 \| +27 \| +7 \| +4 \| +6 \| +0\n/, off);
	script('one tenant', 0, /clean +\| +0 \| +7 \|/, ['-v', 'tenant=globex']);
	script('one chain and a range', 0, /clean +\| +0 \| +3 \| +3 \|/, ['-v', `chain=${chainA}`, '-v', 'from_sequence=4', '-v', 'to_sequence=6']);
	script('nothing checked is not clean', 3, /nothing_checked/, ['-v', 'tenant=nobody']);
	script('an absent table is an error', 3, /nothere/, ['-v', 'events_table=nothere.at_all']);
	run(`CREATE TABLE public.copy AS SELECT * FROM ledger.ledger_events;
		CREATE TABLE public.copied AS SELECT * FROM public.copy;
		UPDATE public.copied SET actor_id = 'm' WHERE ${at(chainA, 5)};`);
	script('a tampered copy ends with 3', 3, /envelope_edited/, ['-v', 'events_table=public.copied']);
	const dump = psql(['-q', '-c', '\\copy (SELECT * FROM ledger.ledger_events) TO STDOUT']);
	const columns = Object.keys(JSON.parse(run(`SELECT row_to_json(e) FROM (SELECT * FROM ledger.ledger_events LIMIT 1) e;`)));
	const loaded = psql(['-q', '-d', 'bare', '-v', 'ON_ERROR_STOP=1'],
		`CREATE TABLE copy (${columns.map((c) => c + ' text').join(', ')});\n\\copy copy FROM STDIN\n${dump.stdout}\\.\n`);
	report(loaded.status === 0, 'a table of plain text takes the copied rows', [loaded.stderr]);
	script('a copy as plain text in an empty database', 0, /clean +\| +0 \| +27 \|/, ['-v', 'events_table=copy'], '', 'bare');
	run('DROP TABLE public.copy, public.copied;');
	// What an intruder put into public must not stand in for a function.
	run(`CREATE FUNCTION public.sha256(text) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea';
		CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE sql AS 'SELECT ''x''::text';
		CREATE FUNCTION public.encode(bytea, text) RETURNS text LANGUAGE sql AS 'SELECT ''x''::text';
		ALTER DATABASE audit SET search_path = public, pg_catalog;`);
	script('functions of the same name elsewhere are not used', 0, /clean +\| +0 \| +27 \|/, off);
	run(`ALTER DATABASE audit RESET search_path;
		DROP FUNCTION public.sha256(text), public.lower(text), public.encode(bytea, text);`);
}

const types = JSON.parse(run('SELECT json_object_agg(event_type, t) FROM ledger.ledger_event_types t;'));
run(load(types));
compareCanonical();
compareNumbers();
compareWords();
runCases([...tamperCases, ...flipCases, ...ranges, ...projectionCases()], 'off');
run(loadAnchors());
const columns = JSON.parse(run(`SELECT json_object_agg(t.relname, t.columns) FROM (SELECT c.relname, json_agg(a.attname ORDER BY a.attnum) AS columns
	FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
	WHERE c.relnamespace = 'ledger'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r' GROUP BY c.relname) AS t;`));
runCases([...anchorCases(columns), ...[...tamperCases, ...flipCases, ...ranges].map(withAnchors)], 'off');
scripts();
// The fixture's anchors know nothing of these guards.
run(`DELETE FROM ledger.ledger_merkle_roots; DELETE FROM ledger.ledger_merkle_edge;
	UPDATE ledger.ledger_chains SET first_anchored_sequence = NULL, last_anchored_sequence = NULL;`);
run(readFileSync('test/audit/guards.sql', 'utf8'));
runCases(guardCases, 'on');
script('row security that hides rows is an error', 3, /row security hides rows/, ['-v', 'guards=off'], 'GRANT USAGE ON SCHEMA ledger TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO PUBLIC; CREATE ROLE someone; SET ROLE someone');
console.log(`1..${number}`);
process.exit(failed === 0 ? 0 : 1);
