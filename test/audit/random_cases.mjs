// Tampers with the fixture at random, one to four things at a time, and compares what
// the two verifiers say: the same findings and counts, never an error, never clean where
// a row is not as it was written, and (unless rows were hashed again) a name for every
// row that is not, and for no other.  The scan must doubt where the judge finds something.
//
// usage: random_cases.mjs CASES [SEED [ONLY]]    ONLY: the number of one case, shown in full
import { spawnSync } from 'node:child_process';
import { chainA, chainB, chainC, chainD, chainX, events, load } from './fixture.mjs';

const [cases, seed, only] = [Number(process.argv[2]), Number(process.argv[3] ?? 20261124), process.argv[4]];
const batch = 100;

function psql(input) {
	const result = spawnSync(process.env.PSQL, ['-XAtq', '-v', 'ON_ERROR_STOP=1'], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
	if (result.status !== 0) throw new Error(result.stderr + result.stdout.slice(-2000));
	return result.stdout;
}

// Each case has a source of its own, so that one can be run alone.
function source(number) {
	let state = (seed * 7919 + number * 104729) >>> 0;
	const next = () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
	const below = (n) => Math.floor(next() * n);
	return { below, pick: (list) => list[below(list.length)], chance: (p) => next() < p };
}

// ---- what can be done to the tables --------------------------------------------------------

const table = 'ledger.ledger_events';
const chains = [chainA, chainB, chainC, chainD];
const tenants = { [chainA]: 'acme', [chainB]: 'acme', [chainC]: 'globex', [chainD]: 'globex', [chainX]: 'acme' };
const lengthOf = (chain) => events.filter((e) => e.chain_id === chain).length;
const texts = ['event_type', 'policy_version', 'finding_id', 'artifact_id', 'vuln_id', 'actor_id', 'actor_type', 'recorded_by',
	'evidence_bundle_ref', 'schema_version'];
const hashes = ['payload_hash', 'evaluation_hash', 'previous_hash', 'event_hash', 'merkle_leaf_hash'];
const oddBytes = ["''", "'\\x00'", "decode(repeat('00', 32), 'hex')", "decode(repeat('5a', 31), 'hex')", "decode(repeat('5a', 33), 'hex')",
	"decode(repeat('5a', 65), 'hex')", "sha256('odd')"];
const oddTimes = ["'infinity'", "'-infinity'", "'0001-01-01 00:00:00+00 BC'", "'10000-01-01 00:00:00+00'", "'2026-11-23 00:00:00+00'"];
const oddBodies = ["'[]'", "'1'", "'null'", "'{}'", "'\"text\"'", "'{\"severity\": 1e400}'", "'[{\"status\": \"new\"}]'",
	"'{\"status\": 5, \"labels\": {\"a\": 1}, \"severity\": [], \"risk\": 7, \"airgap\": \"x\", \"rationale\": {}}'",
	"'{\"risk\": {\"score\": 50, \"profileVersion\": \"1.2\", \"eventSequence\": 1.5}}'", "'{\"severity\": -0.0004}'",
	"'{\"risk\": {\"score\": 89.999, \"profileVersion\": \"999999999.0.0\", \"severity\": \"x\", \"eventSequence\": 9007199254740992}}'",
	"'{\"airgap\": {\"bundle\": {}, \"bundleId\": \"b\", \"stalenessSeconds\": -1}, \"labels\": []}'"];
const oddSequences = ['9223372036854775807', '9223372036854775806', '-9223372036854775808', '-1', '0', '1', '2', '17', '99', '4611686018427387904'];
const oddTexts = ["''", "'ledger'", "'ledger.payload_redacted'", "'finding.reopened'", "'no.such.type'", "'F-1'", "E'\\u0001\"\\\\'", "repeat('x', 70000)",
	"'ledger.event.v2'", "'policy-v2'"];

function moves(dice) {
	const { below, pick, chance } = dice;
	const spot = () => {
		const chain = pick(chance(0.6) ? [chainA] : chains);
		return { chain, sequence: 1 + below(lengthOf(chain)) };
	};
	const at = ({ chain, sequence }) => `chain_id = '${chain}' AND sequence_no = ${sequence}`;
	const set = (where, change) => `UPDATE ${table} SET ${change} WHERE ${at(where)};`;
	const from = (column, where) => `(SELECT ${column} FROM ${table} WHERE ${at(where)} LIMIT 1)`;
	const seal = (where) => `UPDATE ${table} e SET event_hash = ledger.ledger_computed_hash(e), merkle_leaf_hash = ledger.ledger_leaf_hash(e) WHERE ${where};`;
	const swap = (columns, a, b) => `WITH s AS MATERIALIZED (SELECT tableoid AS t, ctid AS c, ${columns.join(', ')} FROM ${table} WHERE (${at(a)}) OR (${at(b)}))
		UPDATE ${table} e SET ${columns.map((c) => `${c} = s.${c}`).join(', ')} FROM s, s AS o
		WHERE e.tableoid = o.t AND e.ctid = o.c AND (s.t, s.c) <> (o.t, o.c);`;
	const oddColumn = () => {
		const column = pick([...texts, ...hashes, 'event_body', 'evaluation', 'payload_salt', 'occurred_at', 'recorded_at', 'event_id', 'source_run_id']);
		const value = chance(0.2) ? 'NULL' : chance(0.3) ? from(column, spot())
			: texts.includes(column) ? pick(oddTexts) : hashes.includes(column) || column === 'payload_salt' ? pick(oddBytes)
			: column.endsWith('_at') ? pick(oddTimes) : column.endsWith('_id') ? "'00000000-0000-7000-8000-00000000000a'" : pick(oddBodies);
		return `${column} = ${value}`;
	};
	const elsewhere = () => {
		const change = {};
		if (chance(0.5)) change.chain_id = pick([...chains, chainX]);
		if (chance(0.4)) change.tenant_id = pick(['acme', 'globex']);
		if (chance(0.5) || Object.keys(change).length === 0) change.sequence_no = pick([...oddSequences, String(1 + below(18))]);
		return change;
	};
	const assign = (change) => Object.entries(change).map(([c, v]) => `${c} = '${v}'`).join(', ');
	const derived = () => {
		const name = pick(['findings_projection', 'finding_history', 'triage_actions']);
		const sequence = name === 'findings_projection' ? 'current_sequence' : 'sequence_no';
		const one = `ctid = (SELECT ctid FROM ledger.${name} ORDER BY tenant_id, finding_id, policy_version, ${sequence} OFFSET ${below(6)} LIMIT 1)
			AND tableoid = (SELECT tableoid FROM ledger.${name} ORDER BY tenant_id, finding_id, policy_version, ${sequence} OFFSET ${below(6)} LIMIT 1)`;
		const column = pick(name === 'triage_actions' ? ['action_type', 'created_by', 'finding_id', 'policy_version', 'chain_id', 'sequence_no', 'payload', 'created_at']
			: name === 'finding_history' ? ['status', 'previous_status', 'severity', 'cycle_hash', 'finding_id', 'chain_id', 'sequence_no', 'justification', 'event_id']
			: ['status', 'severity', 'labels', 'rationale', 'cycle_hash', 'finding_id', 'policy_version', 'tenant_id', 'chain_id', 'current_sequence', 'risk_score', 'updated_at']);
		const value = chance(0.25) ? 'NULL' : { severity: '3.125', cycle_hash: pick(oddBytes), chain_id: `'${pick([...chains, chainX])}'`, labels: "'{\"a\": \"b\"}'",
			sequence_no: pick(oddSequences), current_sequence: pick(oddSequences), rationale: "'[]'", payload: "'{}'", tenant_id: "'globex'", risk_score: '1.25',
			updated_at: pick(oddTimes), created_at: pick(oddTimes), event_id: "'00000000-0000-7000-8000-00000000000b'" }[column] ?? pick(["'F-1'", "'other'", "''", "'policy-v1'"]);
		return pick([`DELETE FROM ledger.${name} WHERE ${one};`, `UPDATE ledger.${name} SET ${column} = ${value} WHERE ${one};`,
			`UPDATE ledger.${name} SET ${column} = ${value} WHERE ${one};`,
			`INSERT INTO ledger.${name} SELECT (jsonb_populate_record(d, '{"finding_id": "F-copy"}')).* FROM ledger.${name} d WHERE ${one};`,
			`INSERT INTO ledger.${name} SELECT * FROM ledger.${name} d WHERE ${one};`]);
	};
	return {
		edit: () => set(spot(), oddColumn()),
		editTwo: () => set(spot(), `${oddColumn()}`) + set(spot(), oddColumn()),
		remove: () => `DELETE FROM ${table} WHERE ${at(spot())};`,
		removeRun: () => { const { chain, sequence } = spot(); return `DELETE FROM ${table} WHERE chain_id = '${chain}' AND sequence_no ${pick(['<', '>=', '='])} ${sequence};`; },
		removeChain: () => `DELETE FROM ${table} WHERE chain_id = '${pick(chains)}';`,
		move: () => set(spot(), assign(elsewhere())),
		swapPlaces: () => swap(['tenant_id', 'chain_id', 'sequence_no'], spot(), spot()),
		swapNumbers: () => { const a = spot(); return swap(['sequence_no'], a, { chain: a.chain, sequence: 1 + below(lengthOf(a.chain)) }); },
		swapHashes: () => swap([pick(hashes)], spot(), spot()),
		swapContent: () => swap(pick([['event_id'], ['event_body', 'payload_salt'], ['event_body', 'payload_salt', 'payload_hash'], ['event_hash', 'merkle_leaf_hash']]), spot(), spot()),
		copy: () => `INSERT INTO ${table} SELECT (jsonb_populate_record(e, '${JSON.stringify({ ...(chance(0.8) ? elsewhere() : {}),
			...(chance(0.4) ? { event_id: '00000000-0000-7000-8000-00000000000c' } : {}) })}')).* FROM ${table} e WHERE ${at(spot())};`,
		hashAndLeaf: () => { const where = spot(); return set(where, `event_hash = ${pick(oddBytes)}, merkle_leaf_hash = ${pick(oddBytes)}`); },
		erase: () => set(spot(), pick(['event_body = NULL, payload_salt = NULL, evaluation = NULL', 'event_body = NULL'])),
		shift: () => { const chain = pick(chains); const by = pick(['1', '-1', '5', '-3', '1000', '9223372036854775790', '-9223372036854775000']);
			return `UPDATE ${table} SET sequence_no = -sequence_no WHERE chain_id = '${chain}'; UPDATE ${table} SET sequence_no = ${by} - sequence_no WHERE chain_id = '${chain}';`; },
		renameChain: () => `UPDATE ${table} SET ${assign({ chain_id: pick([...chains, chainX]), ...(chance(0.3) ? { tenant_id: pick(['acme', 'globex']) } : {}) })} WHERE chain_id = '${pick(chains)}';`,
		registry: () => pick([`DELETE FROM ledger.ledger_chains WHERE chain_id = '${pick(chains)}';`,
			`INSERT INTO ledger.ledger_chains (tenant_id, chain_id, policy_version, created_at) VALUES ('acme', '${chainX}', 'policy-v3', now());`]),
		derived, derivedAgain: derived,
		// Hashed again: what the ledger alone can no longer tell apart in every case.
		reseal: () => { const where = spot(); return '/*sealed*/' + set(where, oddColumn()) + seal(at(where)); },
		resealMoved: () => { const where = spot(); return '/*sealed*/' + set(where, `previous_hash = ${from('event_hash', spot())}`) + seal(at(where)); },
		resealNew: () => { const { chain, sequence } = spot(); return `/*sealed*/INSERT INTO ${table} SELECT (jsonb_populate_record(e,
			'${JSON.stringify({ event_id: '00000000-0000-7000-8000-00000000000d', ...elsewhere() })}')).* FROM ${table} e WHERE ${at({ chain, sequence })};`
			+ seal("event_id = '00000000-0000-7000-8000-00000000000d'"); },
	};
}

function makeCase(number) {
	const dice = source(number);
	const kinds = moves(dice);
	const names = Object.keys(kinds).filter((k) => !k.startsWith('reseal') || dice.chance(0.4));
	const chosen = Array.from({ length: 1 + dice.below(4) }, () => dice.pick(names));
	const sql = chosen.map((k) => kinds[k]());
	const arg = (value) => (value === null ? 'NULL' : `'${value}'`);
	let call = [null, null, null, null];
	if (dice.chance(0.3)) {
		const from = dice.pick([null, 1, 1 + dice.below(16), '9223372036854775807', '-9223372036854775808']);
		const to = dice.pick([null, 1 + dice.below(18), from, '9223372036854775807', '0']);
		call = [dice.pick([null, 'acme', 'globex']), dice.pick([null, null, ...chains]), from, to];
	}
	return { number, loose: dice.chance(0.6), sql, call: call.map(arg), sealed: chosen.some((k) => k.startsWith('reseal')), part: call.some((v) => v !== null) };
}

// ---- what they say -------------------------------------------------------------------------

const helpers = `
	CREATE TABLE public.written AS SELECT * FROM ledger.ledger_events;
	CREATE TABLE public.derived AS SELECT 'p' AS t, to_jsonb(d) AS r FROM ledger.findings_projection d
		UNION ALL SELECT 'h', to_jsonb(d) FROM ledger.finding_history d UNION ALL SELECT 'a', to_jsonb(d) FROM ledger.triage_actions d;
	-- Nothing a superuser could not do first.
	CREATE FUNCTION public.loosen() RETURNS void LANGUAGE plpgsql AS $f$
	DECLARE v record;
	BEGIN
		FOR v IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
			WHERE conrelid IN ('ledger.ledger_events'::regclass, 'ledger.findings_projection'::regclass, 'ledger.finding_history'::regclass, 'ledger.triage_actions'::regclass)
				AND contype IN ('p', 'u', 'c') LOOP
			EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', v.t, v.conname);
		END LOOP;
		FOR v IN SELECT attrelid::regclass AS t, attname FROM pg_attribute
			WHERE attrelid IN ('ledger.ledger_events'::regclass, 'ledger.findings_projection'::regclass, 'ledger.finding_history'::regclass, 'ledger.triage_actions'::regclass)
				AND attnum > 0 AND attnotnull LOOP
			EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', v.t, v.attname);
		END LOOP;
	END $f$;
	-- A change that a constraint refuses is not made.
	CREATE FUNCTION public.try(change text) RETURNS text LANGUAGE plpgsql AS $f$
	BEGIN EXECUTE change; RETURN NULL; EXCEPTION WHEN OTHERS THEN RETURN SQLERRM; END $f$;
	CREATE FUNCTION public.ask(query text) RETURNS jsonb LANGUAGE plpgsql AS $f$
	DECLARE v jsonb;
	BEGIN EXECUTE query INTO v; RETURN v; EXCEPTION WHEN OTHERS THEN RETURN jsonb_build_object('error', SQLSTATE || ' ' || SQLERRM); END $f$;
	-- What is not as it was written.
	CREATE VIEW public.touched AS SELECT e.tenant_id, e.chain_id, e.sequence_no FROM (TABLE ledger.ledger_events EXCEPT ALL TABLE public.written) AS e;
	CREATE VIEW public.touched_derived AS (SELECT 'p' AS t, to_jsonb(d) AS r FROM ledger.findings_projection d
		UNION ALL SELECT 'h', to_jsonb(d) FROM ledger.finding_history d UNION ALL SELECT 'a', to_jsonb(d) FROM ledger.triage_actions d)
		EXCEPT ALL TABLE public.derived;
`;

function question({ sql, call, loose }) {
	const args = call.join(', ');
	const name = `concat_ws(' ', coalesce(v.tenant_id, '-'), coalesce(left(v.chain_id::text, 1), '-'), coalesce(v.sequence_no::text, '-'), v.kind)`;
	const list = `coalesce(jsonb_agg(${name} ORDER BY ${name} COLLATE "C") FILTER (WHERE v.kind IS NOT NULL), '[]')`;
	const quote = (text) => `$question$${text}$question$`;
	return `BEGIN;
		${loose ? 'SELECT public.loosen();' : ''}
		${sql.map((s) => `SELECT 'refused: ' || public.try($change$${s}$change$);`).join('\n')}
		SELECT '=' || jsonb_build_object(
			'plain', public.ask(${quote(`SELECT jsonb_build_object('counts', pg_temp.plain_report(${args}))`)})
				|| public.ask(${quote(`SELECT jsonb_build_object('list', ${list}) FROM pg_temp.plain_finding AS v`)}),
			'ledger', public.ask(${quote(`SELECT jsonb_build_object('list', ${list}, 'counts', (SELECT jsonb_object_agg(c.key, c.value)
				FROM jsonb_array_elements(coalesce(jsonb_agg(v.counts) FILTER (WHERE v.counts IS NOT NULL), '[]')) AS a, jsonb_each(a.value) AS c),
				'details', jsonb_agg(${name} || ': ' || left(v.detail, 200)))
				FROM ledger.ledger_verify_all(${args}, false) AS v`)}),
			'scan', public.ask(${quote(`SELECT jsonb_build_object('sound', s.sound, 'guilty', EXISTS (
				SELECT FROM ledger.ledger_judge(${args}) AS j WHERE j.kind <> 'missing_chain')) FROM ledger.ledger_verify_scan(${args}) AS s`)}),
			'touched', (SELECT coalesce(jsonb_agg(DISTINCT concat_ws(' ', coalesce(tenant_id, '-'), coalesce(left(chain_id::text, 1), '-'), coalesce(sequence_no::text, '-'))), '[]') FROM public.touched),
			'derived', EXISTS (SELECT FROM public.touched_derived),
			'gone', (SELECT count(*) FROM public.written) - (SELECT count(*) FROM ledger.ledger_events))::text;
		ROLLBACK;\n`;
}

// ---- what is wrong with it -------------------------------------------------------------------

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const counted = (counts) => Object.fromEntries(['rows', 'links', 'payloads', 'chains', 'projections'].map((k) => [k, counts?.[k] ?? 0]));

function complaints(c, a) {
	const said = [];
	for (const who of ['plain', 'ledger', 'scan']) if (a[who]?.error) said.push(`${who} raised ${a[who].error}`);
	if (said.length > 0) return said;
	if (!same(a.plain.list, a.ledger.list)) said.push('they name different rows');
	if (!same(counted(a.plain.counts), counted(a.ledger.counts))) said.push('they count differently');
	if (a.scan.sound && a.scan.guilty) said.push('the scan has no doubt where the judge finds something');
	if (c.part) return said;
	if (!a.scan.sound && !a.scan.guilty) said.push('the scan doubts where the judge finds nothing');
	if (a.touched.length > 0 && a.ledger.list.length === 0 && !c.sealed) said.push('clean, but a row is not as it was written');
	if (a.derived && a.ledger.list.length === 0 && !c.sealed) said.push('clean, but a derived row is not as it was written');
	if (!c.sealed) {
		const named = a.ledger.list.map((f) => f.split(' ')).filter((f) => !['missing', 'missing_chain', 'projection_diverged', 'payload_missing'].includes(f[3]));
		const touched = new Set(a.touched);
		for (const f of named) if (!touched.has(f.slice(0, 3).join(' '))) said.push(`innocent: ${f.join(' ')}`);
		const all = new Set(a.ledger.list.map((f) => f.split(' ').slice(0, 3).join(' ')));
		for (const t of touched) if (!all.has(t)) said.push(`unnamed: ${t}`);
	}
	return said;
}

const types = JSON.parse(psql('SELECT json_object_agg(event_type, t) FROM ledger.ledger_event_types t;'));
if (psql('SELECT count(*) FROM ledger.ledger_events;').trim() === '0') psql(load(types) + helpers);
let failed = 0;
let tampered = 0;
for (let start = 0; start < cases; start += batch) {
	let list = Array.from({ length: Math.min(batch, cases - start) }, (_, i) => makeCase(start + i));
	if (only !== undefined) list = list.filter((c) => c.number === Number(only));
	if (list.length === 0) continue;
	const output = psql(`\\set run off\n\\set guards off\n\\i sql/audit/verify_plain.sql\n\\set ON_ERROR_STOP on\n${list.map(question).join('')}`);
	const answers = output.split('\n').filter((l) => l.startsWith('=')).map((l) => JSON.parse(l.slice(1)));
	list.forEach((c, i) => {
		const said = complaints(c, answers[i]);
		tampered += answers[i].ledger?.list?.length > 0;
		if (said.length > 0 || only !== undefined) {
			failed += said.length > 0;
			console.log(`not ok - case ${c.number} of seed ${seed}: ${said.join('; ')}`);
			for (const line of [`call ${c.call}${c.loose ? ' (loosened)' : ''}`, ...c.sql, `plain  ${JSON.stringify(answers[i].plain)}`, `ledger ${JSON.stringify(answers[i].ledger)}`,
				`touched ${JSON.stringify(answers[i].touched)}`]) console.log(`#   ${line}`);
		}
	});
}
if (failed === 0 && tampered > cases / 2) console.log(`ok - ${cases} random tamperings of seed ${seed}: both verifiers say the same, and name what was touched`);
else if (failed === 0) { console.log(`not ok - only ${tampered} of ${cases} random cases tampered with anything`); failed = 1; }
process.exit(failed === 0 ? 0 : 1);
