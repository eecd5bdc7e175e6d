// Anchors of the fixture's chains, made from docs/formats.md sections 5 to 7
// alone: trees by the definition of RFC 6962, tiles and edge from it.
import { bytes, jcs, sha256 } from './hashes.mjs';

const origin = 'ledger-00112233445566778899aabbccddeeff';
const node = (left, right) => sha256(Uint8Array.of(1), bytes(left), bytes(right));

// MTH of RFC 6962 section 2.1, over leaf hashes.
export function root(leaves) {
	if (leaves.length === 0) return sha256('');
	if (leaves.length === 1) return leaves[0];
	let half = 1;
	while (half * 2 < leaves.length) half *= 2;
	return node(root(leaves.slice(0, half)), root(leaves.slice(half)));
}

export function frontier(leaves) {
	const roots = [];
	for (let from = 0, rest = leaves.length; rest > 0;) {
		const span = 2 ** Math.floor(Math.log2(rest));
		roots.push(root(leaves.slice(from, from + span)));
		from += span;
		rest -= span;
	}
	return roots.join('');
}

const base64 = (hex) => bytes(hex).toString('base64');

function anchor(rows, size, before) {
	const [first, last] = [rows[before?.tree_size ?? 0], rows[size - 1]];
	const leaves = rows.slice(0, size).map((r) => r.merkle_leaf_hash);
	const rootHash = root(leaves);
	const id = sha256('anchor' + last.chain_id + size);
	const made = {
		tenant_id: last.tenant_id, anchor_id: `${id.slice(0, 8)}-${id.slice(8, 12)}-7${id.slice(13, 16)}-8${id.slice(17, 20)}-${id.slice(20, 32)}`,
		chain_id: last.chain_id, window_start: first.recorded_at, window_end: last.recorded_at,
		sequence_start: first.sequence_no, sequence_end: size, root_hash: rootHash, leaf_count: size - first.sequence_no + 1,
		anchored_at: '2026-11-23T20:00:00.000000Z', anchor_reference: null, tree_size: size,
		previous_root_hash: before?.root_hash ?? null, frontier: frontier(leaves), origin,
		checkpoint: `${origin}/${last.tenant_id}/${last.chain_id}\n${size}\n${base64(rootHash)}\n`,
		guard_fingerprint: sha256('guards'), guard_sequence: 3,
	};
	const statement = jcs({
		anchorId: made.anchor_id, chainId: made.chain_id, leafCount: made.leaf_count, policyHash: last.policy_version,
		...(before ? { previousRootHash: before.root_hash } : {}), rootHash, schemaVersion: 'ledger.event.v1', sequenceEnd: size,
		sequenceStart: made.sequence_start, tenant: made.tenant_id, treeSize: size, windowEnd: made.window_end, windowStart: made.window_start,
	});
	made.dsse = { payload: Buffer.from(statement).toString('base64'), payloadType: 'application/vnd.stella-ledger-anchor+json', signatures: [] };
	return made;
}

// Of the largest size: the hashes of each level that are in no full tile.  No chain here
// is long enough for a full one.
function edge(rows, size) {
	const made = [];
	for (let level = 1, span = 256; span <= size; level += 1, span *= 256) {
		const hashes = Array.from({ length: Math.floor(size / span) }, (_, i) =>
			root(rows.slice(i * span, (i + 1) * span).map((r) => r.merkle_leaf_hash)));
		made.push({ tenant_id: rows[0].tenant_id, chain_id: rows[0].chain_id, level, tile_index: 0, hashes: hashes.join('') });
	}
	return made;
}

// sizes: of each chain the tree sizes that were anchored, ascending.
export function anchorsOf(events, sizes) {
	const anchors = [];
	const edges = [];
	for (const [chain, wanted] of Object.entries(sizes)) {
		const rows = events.filter((e) => e.chain_id === chain);
		let before;
		for (const size of wanted) anchors.push(before = anchor(rows, size, before));
		edges.push(...edge(rows, wanted.at(-1)));
	}
	return { anchors, edges };
}
