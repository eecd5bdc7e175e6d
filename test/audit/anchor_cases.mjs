// Anchors, tiles, edge and registry tampered with, column by column as the
// catalog lists them, and chains rewritten or cut with and without their anchors.
import { anchorsOf } from './anchors.mjs';
import { chainA, chainB, chainC, chainD, chainE, chainX, events, longChain, recordset } from './fixture.mjs';
import { seal, sha256 } from './hashes.mjs';

const sizes = { [chainA]: [4, 9, 16], [chainB]: [4], [chainC]: [3, 6] };
const roots = 'ledger.ledger_merkle_roots';
const tables = { anchors: roots, edges: 'ledger.ledger_merkle_edge' };

const insert = ({ anchors, edges }) => recordset(tables.anchors, anchors) + recordset(tables.edges, edges);
const register = (anchored) => Object.entries(anchored).map(([chain, list]) =>
	`UPDATE ledger.ledger_chains SET first_anchored_sequence = 1, last_anchored_sequence = ${list.at(-1)} WHERE chain_id = '${chain}';\n`).join('');

export const loadAnchors = () => insert(anchorsOf(events, sizes)) + register(sizes);

// What the anchors add to the findings of tampered events: nothing, but where an
// event at the end of a chain was rewritten or removed, of which no other event knows.
const added = {
	'the last row rewritten and hashed again shows in what was folded': ['globex c 4 rewritten'],
	'the last row deleted shows in what was folded': ['globex c 6 truncated'],
};
export const withAnchors = (one) => ({ ...one, name: `anchored: ${one.name}`, expect: [...one.expect, ...added[one.name] ?? []] });

const at = (chain, size) => `chain_id = '${chain}' AND tree_size = ${size}`;
const set = (chain, size, change) => `UPDATE ${roots} SET ${change} WHERE ${at(chain, size)};\n`;
const drop = (chain, size) => `DELETE FROM ${roots} WHERE ${at(chain, size)};\n`;
const registry = (chain, change) => `UPDATE ledger.ledger_chains SET ${change} WHERE chain_id = '${chain}';\n`;
const unchecked = (table) => `DO $$ DECLARE c record; BEGIN FOR c IN SELECT conname FROM pg_constraint
	WHERE conrelid = '${table}'::regclass AND contype IN ('c', 'f') LOOP EXECUTE format('ALTER TABLE ${table} DROP CONSTRAINT %I', c.conname); END LOOP; END $$;\n`;
const other = `'\\x${sha256('other')}'`;

// An anchor of each place in its chain: what follows it, and what misses it if it goes.
const places = [
	{ size: 4, gone: 'acme a 9 inconsistent_history' },
	{ size: 9, gone: 'acme a 16 inconsistent_history' },
	{ size: 16, gone: 'acme a 16 anchor_mismatch' },
];

function columnCases(columns) {
	return places.flatMap(({ size, gone }) => {
		const here = [`acme a ${size} anchor_mismatch`];
		const flips = {
			tenant_id: [`'globex'`, [`globex a ${size} anchor_mismatch`, gone]],
			anchor_id: [`'00000000-0000-7000-8000-000000000009'`, here],
			chain_id: [`'${chainX}'`, [`acme f ${size} anchor_mismatch`, gone]],
			window_start: [`window_start + interval '1 microsecond'`, here],
			window_end: [`window_end - interval '1 microsecond'`, here],
			sequence_start: ['sequence_start + 1', here],
			sequence_end: ['sequence_end + 1', here],
			root_hash: [other, here],
			leaf_count: ['leaf_count + 1', here],
			anchored_at: [`anchored_at + interval '1 hour'`, []],
			anchor_reference: [`'tsa::1'`, here],
			tree_size: ['tree_size + 1', [`acme a ${size + 1} anchor_mismatch`]],
			previous_root_hash: [other, here],
			frontier: [`set_byte(frontier, 7, get_byte(frontier, 7) # 1)`, here],
			origin: [`origin || 'x'`, here],
			checkpoint: [`replace(checkpoint, 'acme', 'acmf')`, here],
			dsse: [`jsonb_set(dsse, '{payload}', '"e30="')`, here],
			guard_fingerprint: [other, []],
			guard_sequence: ['guard_sequence + 1', []],
		};
		return columns.ledger_merkle_roots.map((column) => {
			if (!(column in flips)) throw new Error(`no case for column ${column} of ledger_merkle_roots`);
			return { name: `anchor ${size}: flip ${column}`, sql: unchecked(roots) + set(chainA, size, `${column} = ${flips[column][0]}`), expect: flips[column][1] };
		});
	});
}

const withLong = (sql, expect, name) => ({ name, expect, call: `NULL, '${chainE}'`, sql: recordset('ledger.ledger_events', longChain) +
	`INSERT INTO ledger.ledger_chains VALUES ('acme', '${chainE}', 'policy-v3', now(), 1, 300);\n` +
	insert(anchorsOf(longChain, { [chainE]: [256, 300] })) + sql });
const edge = (change) => `UPDATE ledger.ledger_merkle_edge SET ${change} WHERE chain_id = '${chainE}';\n`;

function edgeCases(columns) {
	const flips = {
		tenant_id: [`'globex'`, ['acme e 1 tile_mismatch', 'globex e 1 tile_mismatch']],
		chain_id: [`'${chainX}'`, ['acme e 1 tile_mismatch', 'acme f 1 tile_mismatch']],
		level: ['2', ['acme e 1 tile_mismatch', 'acme e 1 tile_mismatch']],
		tile_index: ['1', ['acme e 1 tile_mismatch', 'acme e 65537 tile_mismatch']],
		hashes: [`set_byte(hashes, 0, get_byte(hashes, 0) # 1)`, ['acme e 1 tile_mismatch']],
	};
	return columns.ledger_merkle_edge.map((column) => {
		const { name, sql, expect } = withLong(edge(`${column} = ${flips[column][0]}`), flips[column][1], `edge: flip ${column}`);
		// A tile brought elsewhere is not of this chain.
		return { name, sql, expect, call: column.endsWith('_id') ? '' : `NULL, '${chainE}'` };
	});
}

// The chain from that row on, with another actor and every hash made again.
function rehashed(rows, from) {
	const fresh = rows.map((r) => ({ ...r }));
	for (let i = from - 1; i < fresh.length; i += 1) {
		if (i === from - 1) fresh[i].actor_id = 'mallory';
		else fresh[i].previous_hash = fresh[i - 1].event_hash;
		fresh[i] = seal(fresh[i]);
	}
	const sql = fresh.slice(from - 1).map((r) => `UPDATE ledger.ledger_events SET actor_id = '${r.actor_id}', previous_hash = '\\x${r.previous_hash}',
		event_hash = '\\x${r.event_hash}', merkle_leaf_hash = '\\x${r.merkle_leaf_hash}' WHERE chain_id = '${r.chain_id}' AND sequence_no = ${r.sequence_no};\n`).join('');
	return { fresh, sql };
}
const only = (chain) => `NULL, '${chain}'`;
const again = (anchors, keep) => anchors.filter(keep).map((a) => drop(a.chain_id, a.tree_size)).join('') + recordset(roots, anchors.filter(keep));

function attacks() {
	const { fresh, sql } = rehashed(events.filter((e) => e.chain_id === chainA), 6);
	const now = anchorsOf(fresh, { [chainA]: [4, 9, 16] }).anchors;
	const then = anchorsOf(events, { [chainA]: [4, 9, 16] }).anchors;
	const newest = (previous) => remake(now[2], previous);
	const cut = `DELETE FROM ledger.ledger_events WHERE chain_id = '${chainA}' AND sequence_no > 13;\n`;
	const extra = (level, index) => `INSERT INTO ledger.ledger_merkle_tiles VALUES ('acme', '${chainA}', ${level}, ${index}, decode(repeat('ab', 8192), 'hex'));\n`;
	const empty = (index) => `INSERT INTO ledger.ledger_merkle_edge VALUES ('acme', '${chainA}', 1, ${index}, '');\n`;
	return [
		{ name: 'a chain rewritten from an event to its end', sql, call: only(chainA), expect: ['acme a 5 rewritten'] },
		{ name: 'the same with all anchors after it made again', sql: sql + again(now, (a) => a.tree_size > 4), call: only(chainA), expect: [] },
		{ name: 'only the newest anchor made again, remembering the one before as it was', call: only(chainA), expect: ['acme a 5 rewritten'],
			sql: sql + drop(chainA, 16) + recordset(roots, [newest(then[1].root_hash)]) },
		{ name: 'only the newest anchor made again, as if the one before had been', call: only(chainA), expect: ['acme a 9 anchor_mismatch'],
			sql: sql + drop(chainA, 16) + recordset(roots, [newest(now[1].root_hash)]) },
		{ name: 'an anchor of another tree', sql: again(now, (a) => a.tree_size === 9), expect: ['acme a 9 anchor_mismatch'] },
		{ name: 'an anchor that follows another tree', sql: drop(chainA, 16) + recordset(roots, [remake(then[2], sha256('x'))]), expect: ['acme a 16 inconsistent_history'] },
		{ name: 'the end of a chain cut off', sql: cut, call: only(chainA), expect: ['acme a 14 truncated'] },
		{ name: 'the end cut off, and the anchor of it', sql: cut + drop(chainA, 16), call: only(chainA), expect: ['acme a 14 truncated'] },
		{ name: 'the end cut off, the anchor of it, and the registry mended', sql: cut + drop(chainA, 16) + registry(chainA, 'last_anchored_sequence = 9'),
			call: only(chainA), expect: [] },
		{ name: 'the end cut off and an event edited', sql: cut + `UPDATE ledger.ledger_events SET actor_id = 'm' WHERE chain_id = '${chainA}' AND sequence_no = 3;`,
			call: only(chainA), expect: ['acme a 3 envelope_edited', 'acme a 14 truncated'] },
		{ name: 'a chain and its registration gone, its anchor not', call: `'acme'`, expect: ['acme b - missing_chain'],
			sql: `DELETE FROM ledger.ledger_events WHERE chain_id = '${chainB}'; DELETE FROM ledger.ledger_chains WHERE chain_id = '${chainB}';
				DELETE FROM ledger.findings_projection WHERE chain_id = '${chainB}'; DELETE FROM ledger.finding_history WHERE chain_id = '${chainB}';
				DELETE FROM ledger.triage_actions WHERE chain_id = '${chainB}';` },
		...[0, -1].map((size) => ({ name: `an anchor of size ${size}`, sql: unchecked(roots) + set(chainA, 9, `tree_size = ${size}`),
			expect: [`acme a ${size} anchor_mismatch`, 'acme a 16 inconsistent_history'] })),
		{ name: 'a tile behind which no index is left', sql: extra(1, '9223372036854775807'), call: only(chainA), expect: ['acme a - tile_mismatch'] },
		...places.map(({ size, gone }) => ({ name: `anchor ${size} deleted`, sql: drop(chainA, size), expect: [gone] })),
		{ name: 'all anchors of a chain deleted', sql: `DELETE FROM ${roots} WHERE chain_id = '${chainA}';`, expect: ['acme a 16 anchor_mismatch'] },
		{ name: 'something after the checkpoint', sql: set(chainA, 9, `checkpoint = checkpoint || E'\\nno signature\\n'`), expect: ['acme a 9 anchor_mismatch'] },
		{ name: 'no list of signatures', sql: set(chainA, 9, `dsse = dsse - 'signatures'`), expect: ['acme a 9 anchor_mismatch'] },
		{ name: 'a reference to a receipt that is there', expect: [],
			sql: `INSERT INTO ledger.ledger_anchor_receipts SELECT tenant_id, anchor_id, 'tsa', 'http://tsa', 'tsa::7', '\\x00' FROM ${roots} WHERE ${at(chainA, 9)};` +
				set(chainA, 9, `anchor_reference = 'tsa::7'`) },
		...['last_anchored_sequence = 9', 'last_anchored_sequence = NULL', 'first_anchored_sequence = 2', 'first_anchored_sequence = NULL', `policy_version = 'policy-v9'`]
			.map((change) => ({ name: `the registry says ${change}`, sql: registry(chainA, change), expect: ['acme a 16 anchor_mismatch'] })),
		{ name: 'the registry knows more than is there', sql: registry(chainA, 'last_anchored_sequence = 99'), expect: ['acme a 17 truncated'] },
		{ name: 'the registry names an anchor that never was', sql: registry(chainD, 'last_anchored_sequence = 1'), expect: ['globex d 1 anchor_mismatch'] },
		{ name: 'the registration of an anchored chain deleted', sql: `DELETE FROM ledger.ledger_chains WHERE chain_id = '${chainA}';`, expect: ['acme a 16 anchor_mismatch'] },
		{ name: 'a tile too many', sql: extra(1, 0), expect: ['acme a 1 tile_mismatch'] },
		{ name: 'a tile beyond all leaves', sql: extra(7, 1152921504606846976n), expect: ['acme a - tile_mismatch'] },
		{ name: 'a tile of a chain without anchors', sql: extra(1, 0).replace(chainA, chainD).replace('acme', 'globex'), expect: ['globex d 1 tile_mismatch'] },
		{ name: 'an edge without hashes', sql: empty(0), expect: [] },
		{ name: 'an edge without hashes, elsewhere', sql: empty(3), expect: ['acme a 196609 tile_mismatch'] },
		{ name: 'anchors are left out with a range', sql: set(chainA, 9, `root_hash = ${other}`), call: `'acme', '${chainA}', 1, 16`, expect: [] },
		{ name: 'anchors of another chain are left out', sql: set(chainA, 9, `root_hash = ${other}`), call: only(chainB), expect: [] },
		withLong('', [], 'a chain with an edge'),
		withLong(`DELETE FROM ledger.ledger_merkle_edge WHERE chain_id = '${chainE}';`, ['acme e 1 tile_mismatch'], 'the edge deleted'),
		withLong(rehashed(longChain, 290).sql, ['acme e 257 rewritten'], 'an event after the edge rewritten'),
		withLong(rehashed(longChain, 200).sql, ['acme e 1 rewritten'], 'an event below the edge rewritten'),
	];
}

// The anchor with another memory of the one before, and the statement told so.
function remake(anchor, previous) {
	const statement = JSON.parse(Buffer.from(anchor.dsse.payload, 'base64').toString());
	const text = JSON.stringify({ ...statement, previousRootHash: previous });
	return { ...anchor, previous_root_hash: previous, dsse: { ...anchor.dsse, payload: Buffer.from(text).toString('base64') } };
}

export const anchorCases = (columns) => [
	{ name: 'the anchored fixture is clean', sql: '', expect: [] },
	...columnCases(columns), ...edgeCases(columns), ...attacks()];
