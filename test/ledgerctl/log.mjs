// A transparency log in JavaScript: events, trees, signed notes, bundles, tiles,
// statements and exports, by docs/formats.md and the C2SP pages it names.  It shares
// no code with the core; node's crypto brings SHA-256 and Ed25519.
import { createHash, createPrivateKey, createPublicKey, sign as ed25519 } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { jcs, seal, zeros } from '../audit/hashes.mjs';
import { envelope } from '../audit/hashes.mjs';

export const sha256 = (...parts) => {
	const hash = createHash('sha256');
	for (const part of parts) hash.update(part);
	return hash.digest();
};
const base64 = (bytes) => Buffer.from(bytes).toString('base64');

// ---- trees (RFC 6962 section 2.1, as it is written there)

const node = (left, right) => sha256(Uint8Array.of(1), left, right);
const split = (n) => 2 ** Math.floor(Math.log2(n - 1));

export function root(leaves, start = 0, end = leaves.length) {
	if (start === end) return sha256('');
	if (end - start === 1) return leaves[start];
	const k = start + split(end - start);
	return node(root(leaves, start, k), root(leaves, k, end));
}

export function inclusion(leaves, index, start = 0, end = leaves.length) {
	if (end - start === 1) return [];
	const k = start + split(end - start);
	return index < k
		? [...inclusion(leaves, index, start, k), root(leaves, k, end)]
		: [...inclusion(leaves, index, k, end), root(leaves, start, k)];
}

// ---- keys and notes

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

// type 1: log, 4: witness.  The seed is SHA-256 of the name, so that runs are alike.
export function key(name, type = 1, seed = sha256(`seed of ${name}`)) {
	const secret = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
	const raw = createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32);
	const typed = Buffer.concat([Buffer.of(type), raw]);
	const id = sha256(`${name}\n`, typed).subarray(0, 4);
	return { name, type, seed, secret, id, keyid: `${name}+${id.toString('hex')}`,
		vkey: `${name}+${id.toString('hex')}+${base64(typed)}`,
		skey: `PRIVATE+KEY+${name}+${id.toString('hex')}+${base64(Buffer.concat([Buffer.of(type), seed]))}` };
}

const line = (k, signature) => `\u2014 ${k.name} ${base64(Buffer.concat([k.id, signature]))}\n`;

export function signature(text, k, time = 1764000000) {
	if (k.type === 1) return line(k, ed25519(null, Buffer.from(text), k.secret));
	const stamp = Buffer.alloc(8);
	stamp.writeBigUInt64BE(BigInt(time));
	return line(k, Buffer.concat([stamp, ed25519(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), k.secret)]));
}

export const note = (text, ...keys) => `${text}\n${keys.map((k) => signature(text, k)).join('')}`;

export const head = (log, size) =>
	`${log.origin}/${log.tenant}/${log.chain}\n${size}\n${base64(root(log.leaves, 0, size))}\n`;

export function bundle(log, index, size, checkpoint, extra) {
	return `c2sp.org/tlog-proof@v1\n${extra === undefined ? '' : `extra ${extra}\n`}index ${index}\n` +
		inclusion(log.leaves, index, 0, size).map((hash) => `${base64(hash)}\n`).join('') + `\n${checkpoint}`;
}

// ---- statements (DSSE v1)

export function dsse(payload, type, ...keys) {
	const pae = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${Buffer.byteLength(payload)} ${payload}`;
	return jcs({ payload: base64(payload), payloadType: type,
		signatures: keys.map((k) => ({ keyid: k.keyid, sig: base64(ed25519(null, Buffer.from(pae), k.secret)) })) });
}

export const anchorType = 'application/vnd.stella-ledger-anchor+json';

// The anchor of start … end; changes override members of the statement.
export function statement(log, start, end, changes = {}) {
	const members = {
		anchorId: uuid(`anchor ${log.tenant} ${end}`), chainId: log.chain, leafCount: end - start + 1,
		policyHash: log.policy, rootHash: root(log.leaves, 0, end).toString('hex'), schemaVersion: 'ledger.event.v1',
		sequenceEnd: end, sequenceStart: start, tenant: log.tenant, treeSize: end,
		windowEnd: log.rows[end - 1].recorded_at, windowStart: log.rows[start - 1].recorded_at,
		...(start > 1 ? { previousRootHash: root(log.leaves, 0, start - 1).toString('hex') } : {}), ...changes };
	return jcs(Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)));
}

// ---- events

export const uuid = (text) =>
	sha256(text).toString('hex').replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-7$3-8$4-$5');

export const chainId = (tenant, policy) =>
	sha256(`${tenant}::${policy}`).toString('hex').replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-8$3-8$4-$5');

const two = (n) => String(n).padStart(2, '0');
export const time = (n) => `2026-11-23T${two(Math.floor(n / 3600) % 24)}:${two(Math.floor(n / 60) % 60)}:${two(n % 60)}.000001Z`;

function row(log, n, changes) {
	return { tenant_id: log.tenant, chain_id: log.chain, policy_version: log.policy, sequence_no: n,
		event_id: uuid(`event ${log.tenant} ${n}`), event_type: n === 1 ? 'finding.created' : 'finding.comment_added',
		finding_id: 'FND-1', artifact_id: 'img-1', vuln_id: n % 2 ? null : 'CVE-2026-0001', actor_id: `zoë-${n}`,
		actor_type: 'operator', recorded_by: 'writer', evidence_bundle_ref: null, source_run_id: n % 3 ? null : uuid('run'),
		occurred_at: time(n), recorded_at: time(n + 1), schema_version: 'ledger.event.v1', evaluation: null,
		evaluation_hash: null, event_body: { comment: `number ${n} ☃`, score: n / 2 },
		payload_salt: sha256(`salt ${n}`).subarray(0, 16).toString('hex'), ...changes };
}

// A chain of count events; change(n) gives columns that event n has otherwise.
export function log(tenant, count, { origin = 'ledger.example/test', policy = 'policy-1', change = () => ({}) } = {}) {
	const made = { origin, tenant, policy, chain: chainId(tenant, policy), rows: [], leaves: [], envelopes: [] };
	for (let n = 1; n <= count; n++) {
		const sealed = seal({ ...row(made, n, change(n, made.rows)), previous_hash: made.rows.at(-1)?.event_hash ?? zeros });
		made.rows.push(sealed);
		made.envelopes.push(envelope(sealed));
		made.leaves.push(Buffer.from(sealed.merkle_leaf_hash, 'hex'));
	}
	return made;
}

// A line of section 10; erased: payload and salt are gone.
export function exportLine(r, erased = false) {
	return jcs({ envelope: JSON.parse(envelope(r)), eventHash: r.event_hash, merkleLeafHash: r.merkle_leaf_hash,
		payload: erased ? null : r.event_body, salt: erased ? null : base64(Buffer.from(r.payload_salt, 'hex')),
		...(r.evaluation !== null && !erased ? { evaluation: r.evaluation } : {}) });
}

export const lines = (made, erased = () => false) => made.rows.map((r) => exportLine(r, erased(r.sequence_no)) + '\n').join('');

export const datasetSha256 = (text) =>
	sha256(...text.split('\n').slice(0, -1).map((each) => sha256(each))).toString('hex');

// ---- tiles (C2SP tlog-tiles)

export function tilePath(level, n, width = 256) {
	let path = String(n % 1000).padStart(3, '0');
	for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000))
		path = `x${String(rest % 1000).padStart(3, '0')}/${path}`;
	return `tile/${level}/${path}${width < 256 ? `.p/${width}` : ''}`;
}

export function put(dir, path, content) {
	mkdirSync(dirname(join(dir, path)), { recursive: true });
	writeFileSync(join(dir, path), content);
	return join(dir, path);
}

// Writes the tree of the first size leaves; returns the paths of the tiles.
export function writeTiles(dir, made, size, checkpoint, entries = true) {
	const written = [];
	let hashes = made.leaves.slice(0, size);
	for (let level = 0; hashes.length > 0; level++) {
		const above = [];
		for (let n = 0; n * 256 < hashes.length; n++) {
			const tile = hashes.slice(n * 256, n * 256 + 256);
			written.push(tilePath(level, n, tile.length));
			put(dir, written.at(-1), Buffer.concat(tile));
			if (tile.length === 256) above.push(root(tile));
		}
		hashes = above;
	}
	for (let n = 0; entries && n * 256 < size; n++) {
		const texts = made.envelopes.slice(n * 256, Math.min(size, n * 256 + 256)).map((text) => Buffer.from(text));
		const bytes = texts.flatMap((text) => [Buffer.of(text.length >> 8, text.length & 255), text]);
		written.push(tilePath('entries', n, texts.length));
		put(dir, written.at(-1), Buffer.concat(bytes));
	}
	put(dir, 'checkpoint', checkpoint);
	return written;
}
