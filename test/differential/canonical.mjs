// Canonical JSON, number rules, salted hashes and chain ids: the core, the SQL
// functions and JavaScript on the same random input, good and damaged.
import { Dice } from './dice.mjs';
import { damage, randomDocument, randomPayload, randomString } from './documents.mjs';
import { canonicalize, chainId, saltedHash } from './formats.mjs';
import { canonicalNumber, doubleOf, randomBits, randomDecimal } from './numbers.mjs';
import { core, field, given, sql } from './sides.mjs';
import { done, ok, same } from './tap.mjs';

const seed = 8785;
const documents = process.env.LEDGER_LONG ? 100000 : 10000;

// In SQL: the canonical form of each document, or the SQLSTATE of the refusal.
const attempts = (type) => `
	CREATE FUNCTION pg_temp.attempt_${type}(doc bytea) RETURNS jsonb LANGUAGE plpgsql AS $$
	BEGIN
		RETURN jsonb_build_object('ok', ledger.ledger_canonical_json(convert_from(doc, 'UTF8')::${type}));
	EXCEPTION WHEN OTHERS THEN
		RETURN jsonb_build_object('error', SQLSTATE);
	END $$;\n`;

const attempt = (texts, type) =>
	sql(`SELECT pg_temp.attempt_${type}(doc) FROM docs ORDER BY i`, given('docs', texts) + attempts(type));

function goodDocuments(dice) {
	const texts = dice.several(documents, documents, () => randomDocument(dice));
	const want = texts.map((text) => canonicalize(JSON.parse(text)));
	const what = (i) => texts[i];
	ok(new Set(want).size > documents / 2, 'the documents are many different ones');
	ok(want.some((text) => /\p{Surrogate}|[\u{10000}-\u{10ffff}]/u.test(text)) && want.some((text) => /[\ue000-\uffff]/.test(text)),
		'some hold characters above U+FFFF, some from U+E000 on');
	same(core(texts.map((text) => ['json', field(text)])).map((a) => a.fields[0]), want, 'the core writes what canonicalize writes', what);
	for (const type of ['jsonb', 'json']) {
		same(attempt(texts, type).map((a) => a.ok ?? a.error), want, `ledger_canonical_json(${type}) does`, what);
	}
}

// ---- refusals: what is no JSON, and what the ledger refuses besides ----

// Every string of a document, names too, and how many members it has.
function walk(value, strings) {
	if (typeof value === 'string') strings.push(value);
	if (value === null || typeof value !== 'object') return 0;
	const names = Array.isArray(value) ? [] : Object.keys(value);
	strings.push(...names);
	return names.length + Object.values(value).reduce((sum, child) => sum + walk(child, strings), 0);
}

// Why a document is refused, judged from its text and from what JSON.parse made of it.
function faults(bytes) {
	let text, value;
	try {
		text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
		value = JSON.parse(text);
	} catch {
		return ['not JSON'];
	}
	const found = [];
	const strings = [];
	const members = walk(value, strings);
	const literal = /"(?:[^"\\]|\\.)*"[ \t\r\n]*:?/gs;
	if ((text.match(literal) ?? []).filter((token) => token.endsWith(':')).length !== members) found.push('duplicate');
	if ((text.replace(literal, ' ').match(/-?\d[-+.\deE]*/g) ?? []).some((n) => canonicalNumber(n) === null)) found.push('number');
	if (strings.some((s) => s.includes('\0'))) found.push('NUL');
	if (strings.some((s) => /\p{Surrogate}/u.test(s))) found.push('surrogate');
	return found;
}

function damagedDocuments(dice) {
	const texts = dice.several(6000, 6000, () => damage(dice, randomDocument(dice)));
	const found = texts.map(faults);
	const want = texts.map((bytes, i) => found[i].length === 0 ? canonicalize(JSON.parse(bytes.toString())) : 'refused');
	const what = (i) => `${found[i]}: ${texts[i]}`;
	for (const fault of ['not JSON', 'duplicate', 'number', 'NUL', 'surrogate']) {
		ok(found.flat().includes(fault), `some are refused as: ${fault}`);
	}
	same(core(texts.map((bytes) => ['json', field(bytes)])).map((a) => a.ok ? a.fields[0] : 'refused'), want,
		'of damaged documents the core takes those that JavaScript and the rules take', what);
	same(attempt(texts, 'json').map((a) => a.ok ?? 'refused'), want, 'so does ledger_canonical_json(json)', what);

	// jsonb keeps the last of two equal names, so such documents are left out.
	const single = texts.filter((_, i) => !found[i].includes('duplicate'));
	same(attempt(single, 'jsonb').map((a) => a.ok ?? 'refused'), want.filter((_, i) => !found[i].includes('duplicate')),
		'so does ledger_canonical_json(jsonb)', (i) => single[i].toString());
}

function numbers(dice) {
	const texts = dice.several(20000, 20000, () => randomDecimal(dice));
	const want = texts.map((text) => canonicalNumber(text) ?? 'refused');
	const what = (i) => texts[i];
	ok(want.includes('refused') && want.filter((w) => w !== 'refused').length > 5000, 'some decimals are exact, some are not');
	same(core(texts.map((text) => ['number', text])).map((a) => a.ok ? a.fields[0] : 'refused'), want,
		'the core takes the decimals that a double keeps, and writes them so', what);
	same(attempt(texts.slice(0, 5000), 'jsonb').map((a) => a.ok ?? 'refused'), want.slice(0, 5000), 'so does SQL', what);

	const bits = dice.several(100000, 100000, () => randomBits(dice) & 0xffffffffffffffffn);
	const doubles = bits.map((b) => Number.isFinite(doubleOf(b)) ? JSON.stringify(doubleOf(b)) : 'refused');
	same(core(bits.map((b) => ['double', b.toString(16)])).map((a) => a.ok ? a.fields[0] : 'refused'), doubles,
		'the core writes doubles as JavaScript does', (i) => bits[i].toString(16));
}

// ---- hashes ----

function salted(dice) {
	const payloads = dice.several(2000, 2000, () => randomPayload(dice));
	const salts = payloads.map(() => {
		const length = dice.once(4) ? 0 : 16 + dice.below(49);
		return Buffer.from(dice.several(length, length, () => dice.below(256)));
	});
	for (const domain of [2, 3]) {
		const want = payloads.map((text, i) => saltedHash(domain, salts[i].toString('hex'), JSON.parse(text)));
		same(core(payloads.map((text, i) => ['salted', domain, field(salts[i]), field(text)])).map((a) => a.fields[0]), want,
			`the core's salted hashes, domain ${domain}`, (i) => payloads[i]);
		if (domain === 2) {
			same(sql(`
				SELECT to_jsonb(encode(ledger.ledger_payload_hash(s.doc, convert_from(p.doc, 'UTF8')::jsonb), 'hex'))
				FROM payloads p JOIN salts s USING (i) ORDER BY i`, given('payloads', payloads) + given('salts', salts)), want, 'ledger_payload_hash()', (i) => payloads[i]);
		}
	}
}

function chains(dice) {
	const tenants = dice.several(500, 500, () => `t${dice.below(1e9).toString(36)}.x`);
	const policies = tenants.map(() => randomString(dice, 30) || 'p');
	const want = tenants.map((tenant, i) => chainId(tenant, policies[i]));
	same(core(tenants.map((tenant, i) => ['chain', field(tenant), field(policies[i])])).map((a) => a.fields[0]), want, "the core's chain ids");
	same(sql(`
		SELECT to_jsonb(ledger.ledger_chain_id(convert_from(t.doc, 'UTF8'), convert_from(p.doc, 'UTF8')))
		FROM tenants t JOIN policies p USING (i) ORDER BY i`, given('tenants', tenants) + given('policies', policies)), want, 'ledger_chain_id()');
}

goodDocuments(new Dice(seed));
damagedDocuments(new Dice(seed + 1));
numbers(new Dice(seed + 2));
salted(new Dice(seed + 3));
chains(new Dice(seed + 4));
done();
