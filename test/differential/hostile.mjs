// Hostile documents: random mutations of valid requests and import lines, given to every
// function that takes a document.  Each is taken, or refused with an error of the ledger's
// own (SQLSTATE LG…); anything else is a hole.  A text that PostgreSQL itself does not take
// for jsonb never reaches the ledger, and is not counted.
import { spawnSync } from 'node:child_process';
import { Dice } from './dice.mjs';
import { done, ok } from './tap.mjs';

const mutations = process.env.LEDGER_LONG ? 100000 : 10000;
const batch = 1000;
const dice = new Dice(7310);

function run(input) {
	const result = spawnSync(process.env.PSQL ?? 'psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', process.env.DSN], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
	if (result.status !== 0) throw new Error(result.stderr);
	return result.stdout;
}

// The first thing that went wrong is the answer; what was stored is rolled back.
const helpers = `
	CREATE FUNCTION pg_temp.give(call text, document text) RETURNS text LANGUAGE plpgsql AS $f$
	DECLARE
		v_document jsonb;
	BEGIN
		BEGIN
			v_document := document;
		EXCEPTION WHEN OTHERS THEN
			RETURN 'no jsonb';
		END;
		BEGIN
			EXECUTE format('SELECT %s', call) USING v_document;
			RAISE EXCEPTION USING ERRCODE = 'ZZ000';
		EXCEPTION WHEN OTHERS THEN
			RETURN CASE WHEN SQLSTATE = 'ZZ000' THEN 'taken' WHEN SQLSTATE LIKE 'LG%' THEN SQLSTATE ELSE SQLSTATE || ' ' || SQLERRM END;
		END;
	END $f$;
	SELECT FROM ledger.ledger_append('acme', 'finding.created', 'F-seed', 'hostile', 'a', '{"severity": 3}');\n`;

const calls = {
	ledger_append: 'ledger.ledger_append($1)', ledger_append_request: 'ledger.ledger_append_request($1)',
	ledger_append_many: 'ledger.ledger_append_many($1)', ledger_import: 'ledger.ledger_import($1)',
	ledger_canonical_json: 'ledger.ledger_canonical_json($1)', ledger_payload_hash: "ledger.ledger_payload_hash(''::bytea, $1)",
	payload: "ledger.ledger_append('acme', 'finding.risk_scored', 'F-1', 'hostile', 'a', $1)",
	settings: "ledger.ledger_create_tenant('hostile', $1)",
};

const request = { tenant: 'acme', type: 'finding.risk_scored', id: '01939999-0000-7000-8000-000000000001', policyVersion: 'hostile', chainId: 'a0000000-0000-8000-8000-000000000001',
	finding: { id: 'F-1', artifactId: 'a', vulnId: 'CVE-1' }, actor: { id: 'me', type: 'operator' }, occurredAt: '2026-11-23T19:30:00Z',
	sourceRunId: '01939999-0000-7000-8000-000000000002', evidenceBundleRef: 'b', expectedSequence: 1,
	payload: { status: 'new', severity: 7.5, labels: { a: 'b', c: null }, explainRef: 'x', rationale: ['a', 'b'], justification: 'j', comment: 'c',
		risk: { score: 50.5, profileVersion: '1.2.3', severity: 'high', eventSequence: 5, explanationId: 'e' },
		airgap: { bundle: { bundleId: 'b' }, bundleId: 'c', stalenessSeconds: 5 } } };
const zeros = '0'.repeat(64);
const line = { envelope: { actor: { id: 'a', type: 'system' }, chainId: 'a0000000-0000-8000-8000-000000000009', evidenceBundleRef: 'x', finding: { artifactId: 'a', id: 'F', vulnId: 'v' },
	id: '01939999-0000-7000-8000-000000000003', occurredAt: '2026-11-23T19:30:00.000000Z', payloadHash: zeros, policyVersion: 'p', previousHash: zeros,
	recordedAt: '2026-11-23T19:30:00.000000Z', recordedBy: 'r', schema: 'ledger.event.v1', sequence: 1, sourceRunId: '01939999-0000-7000-8000-000000000004', tenant: 'acme',
	type: 'finding.created', evaluationHash: zeros }, eventHash: zeros, merkleLeafHash: zeros, payload: { a: 1 }, salt: '', evaluation: { status: 'x' } };

// Raw JSON texts, because JavaScript could not hold them all.
const deep = (n, open, close) => open.repeat(n) + '1' + close.repeat(n);
const odd = ['null', 'true', '0', '-0', '-1', '1', '1.5', '1e400', '-1e-400', '1e131071', '9007199254740993', '9223372036854775808', '1e-16383', '0.1000000000000000055', '""', '" "', '"\\u0000"', '"\\ud800"',
	'"\\udc00\\ud800"', '"\\uffff"', '"\\u0001"', '"😀"', '"ledger"', '"ledger.migrated"', '"globex"', '"infinity"', '"-infinity"', '"now"', '"epoch"', '"2026-13-45T99:99:99Z"',
	'"294277-01-01T00:00:00Z"', '"9999-12-31T23:59:59.999999999Z"', '"0000-01-01T00:00:00Z"', '"0001-01-01T00:00:00+23:59"', '"9999-12-31T23:59:59-15:59"', '"2026-02-30T00:00:00Z"', '"2026-11-23T24:00:00+99:99"',
	'"2026-11-23T19:30:60Z"', '"{00000000-0000-0000-0000-000000000000}"', '"ffffffffffffffffffffffffffffffff"', '"A=="', '"AAAA="', '"////"', '[]', '{}', '[[]]', '[null]', '[{}]', '{"":null}', '{"a":{"a":1},"a":2}',
	'{"id":null}', '{"id":{"id":[]}}', '{"score":null}', '"1.2.3"', '"999999999.999999999.999999999"', '"1.2.3\\n"', '"٣"', '1E+2', '100.004999', '-0.0', '0e999999', `"${'x'.repeat(300)}"`, `"${'ü'.repeat(70000)}"`,
	deep(500, '[', ']'), deep(5000, '[', ']'), deep(3000, '{"a":', '}'), deep(6000, '{"a":', '}'), `[${'0,'.repeat(30000)}0]`, `"${'9'.repeat(400)}"`, '9'.repeat(400), `0.${'1'.repeat(400)}`,
	'{"__proto__":{}}', '"\'; DROP TABLE x; --"', '"%s%n%"', '"$1"', '"\\\\x00"', '"%"'];

const render = (value) => {
	if (value === null || typeof value !== 'object') return JSON.stringify(value);
	if (value.raw !== undefined) return value.raw;
	if (Array.isArray(value)) return `[${value.map(render).join(',')}]`;
	return `{${Object.entries(value).map(([k, v]) => `${JSON.stringify(k.replace(/~\d$/, ''))}:${render(v)}`).join(',')}}`;
};

// A place somewhere in the document: its holder and its key.
function spot(value) {
	let holder = { root: value };
	let key = 'root';
	while (holder[key] !== null && typeof holder[key] === 'object' && holder[key].raw === undefined && Object.keys(holder[key]).length > 0 && (key === 'root' || !dice.once(3))) {
		holder = holder[key];
		key = dice.pick(Object.keys(holder));
	}
	return [holder, key];
}

function mutate(value) {
	const copy = structuredClone(value);
	for (let i = 1 + dice.below(3); i > 0; i -= 1) {
		const [holder, key] = spot(copy);
		if (holder.root !== undefined) return { raw: dice.pick(odd) };
		const kind = dice.below(8);
		if (kind < 4) holder[key] = { raw: dice.pick(odd) };
		else if (kind === 4) delete holder[key];
		else if (kind === 5 && !Array.isArray(holder)) holder[dice.pick(['sequence', 'salt', 'x', '', 'finding', 'actor', 'payload', 'tenantId', 'findingId', 'eventId', `${key}~1`, 'expectedSequence', 'finding.id', 'evaluation'])] = { raw: dice.pick(odd) };
		else if (kind === 6) holder[key] = structuredClone(copy);
		else if (typeof holder[key] === 'string') {
			const at = dice.below(holder[key].length + 1);
			holder[key] = holder[key].slice(0, at) + dice.pick(['', ' ', '\n', 'Z', '0', '-', '"', 'é', '\u{1F600}', '0000000000']) + holder[key].slice(at + dice.below(3));
		}
	}
	return copy;
}

function document(name) {
	switch (name) {
	case 'ledger_append_many': return dice.once(10) ? mutate([request, request]) : dice.several(0, 4, () => (dice.once(2) ? request : mutate(request)));
	case 'ledger_import': return dice.once(10) ? mutate([line, line]) : dice.several(0, 3, () => (dice.once(3) ? line : mutate(line)));
	case 'ledger_canonical_json': case 'ledger_payload_hash': case 'payload': return mutate(request.payload);
	case 'settings': return mutate({ a: { b: 1 } });
	default: return mutate(request);
	}
}

const seen = {};
for (const [name, call] of Object.entries(calls)) {
	const share = Math.ceil(mutations / Object.keys(calls).length);
	const wrong = new Map();
	let given = 0;
	for (let start = 0; start < share; start += batch) {
		const texts = Array.from({ length: Math.min(batch, share - start) }, () => render(document(name)));
		const output = run(helpers + texts.map((t) => `SELECT '=' || replace(pg_temp.give($call$${call}$call$, $document$${t}$document$), E'\\n', ' ');\n`).join(''));
		const answers = output.split('\n').filter((l) => l.startsWith('=')).map((l) => l.slice(1));
		if (answers.length !== texts.length) throw new Error(`${answers.length} answers to ${texts.length} documents`);
		answers.forEach((answer, i) => {
			given += answer !== 'no jsonb';
			seen[answer.slice(0, 5)] = (seen[answer.slice(0, 5)] ?? 0) + 1;
			if (!/^(taken|no jsonb|LG\d\d\d)$/.test(answer)) wrong.set(answer.slice(0, 100), texts[i]);
		});
	}
	ok(wrong.size === 0 && given > share / 2, `${name} takes or refuses ${share} hostile documents in its own words`,
		`${given} were jsonb`, ...[...wrong].slice(0, 8).map(([answer, text]) => `${answer}\n ${text.slice(0, 400)}`));
}
ok(seen.taken > mutations / 10 && seen.LG400 > mutations / 10 && seen.LG422 > mutations / 100, 'there were enough of each kind', JSON.stringify(seen));
done();
