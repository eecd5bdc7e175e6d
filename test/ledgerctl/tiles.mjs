// verify-tiles: trees of all shapes, each tile broken in turn, and the same directories
// judged by Go's tlog (test/go/tiles).
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chainId, head, key, log, note, put, sha256, tilePath, writeTiles } from './log.mjs';
import { done, expect, FAILED, GOOD, json, NOT_FOUND, ok, run, USAGE } from './run.mjs';

const base = process.argv[2];
const logKey = key('ledger.example/test');
const made = log('acme', 600);
// Leaves alone, for a tree with tiles of three levels.
const big = { origin: 'ledger.example/test', tenant: 'big', policy: 'p', chain: chainId('big', 'p'), envelopes: [],
	leaves: Array.from({ length: 66000 }, (_, i) => sha256(`leaf ${i}`)) };

const check = (dir, ...more) => ['verify-tiles', dir, '--key', logKey.vkey, ...more];
const go = (dir) => spawnSync(process.env.GO_TILES, [dir, logKey.vkey], { encoding: 'utf8' });
function goAgrees(dir, name) {
	const { status, stdout, stderr } = go(dir);
	ok(status === 0, `Go's note and tlog accept ${name}`, `status ${status}`, stdout, stderr);
}

function tree(log_, size, entries = true) {
	const dir = join(base, `${log_.tenant}-${size}`);
	return { dir, size, tiles: writeTiles(dir, log_, size, note(head(log_, size), logKey), entries) };
}

// ---- what holds

for (const size of [0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 600]) {
	const { dir, tiles } = tree(made, size);
	mkdirSync(dir, { recursive: true });
	expect(`a tree of ${size}`, GOOD, new RegExp(`: ${size} leaves, ${tiles.filter((t) => !/entries/.test(t)).length} tiles and ${size} entries give the signed root`), check(dir));
	goAgrees(dir, `a tree of ${size}`);
}
const large = tree(big, 66000, false);
ok(/66000 of the 66000 entries are not in the directory/.test(expect('a tree of 66,000 leaves alone', GOOD, /66000 leaves, 261 tiles and 0 entries/, check(large.dir)).stderr), 'says that it saw no entries');
goAgrees(large.dir, 'a tree of 66,000');
const answer = json(check(large.dir));
ok(answer.status === GOOD && answer.treeSize === 66000 && answer.tenant === 'big' && answer.signedBy.join() === logKey.keyid, '--json says the same', JSON.stringify(answer));
// The log has grown since: full tiles took the place of partial ones.
const grown = tree(made, 600);
writeTiles(grown.dir, made, 300, note(head(made, 300), logKey));
for (const path of ['tile/0/001.p/44', 'tile/entries/001.p/44']) unlinkSync(join(grown.dir, path));
expect('an older checkpoint over the tiles of now', GOOD, /300 leaves/, check(grown.dir));

// ---- every tile, broken in turn

function broken(t, path, change, judge) {
	const file = join(t.dir, path);
	const before = readFileSync(file);
	const after = change(Buffer.from(before));
	if (after === null) unlinkSync(file);
	else writeFileSync(file, after);
	const got = judge();
	writeFileSync(file, before);
	return got;
}
const flip = (at) => (bytes) => { bytes[Math.min(at, bytes.length - 1)] ^= 1; return bytes; };

const t600 = tree(made, 600);
for (const path of t600.tiles) {
	const runs = [['a bit', flip(70)], ['the last bit', flip(1e9)], ['the file', () => null], ['the length', (b) => b.subarray(0, -1)], ['a hash more', (b) => Buffer.concat([b, b.subarray(0, 32)])]];
	// Entries may be left out; then nothing is said about them.
	for (const [what, change] of runs.filter(([w]) => w !== 'the file' || !/entries/.test(path))) {
		const got = broken(t600, path, change, () => run(check(t600.dir)));
		ok(got.status === FAILED && (/the signed root is/.test(got.stderr) || got.stderr.includes(path)), `${what} of ${path}`, `status ${got.status}`, got.stderr);
	}
}
const named = broken(large, 'tile/1/000', flip(32 * 7), () => run(check(large.dir)));
ok(named.status === FAILED && /hash 7 of tile\/1\/000 is [0-9a-f]{64}, but tile\/0\/007 gives [0-9a-f]{64}/.test(named.stderr), 'a hash of level 1 is named', named.stderr);
const leaf = broken(large, 'tile/0/007', flip(32), () => run(check(large.dir)));
ok(leaf.status === FAILED && /hash 7 of tile\/1\/000 .* tile\/0\/007 gives/.test(leaf.stderr) && /give the root .* but the signed root/.test(leaf.stderr), 'a leaf hash is found from above', leaf.stderr);
for (const path of large.tiles.filter((p) => !/tile\/0\/...$/.test(p) || /00[07]$/.test(p))) {
	const mine = broken(large, path, flip(40), () => run(check(large.dir)).status);
	const gos = broken(large, path, flip(40), () => go(large.dir).status);
	ok(mine === FAILED && gos === 1, `${path} with a bit changed: Go refuses it too`, `mine ${mine}, Go's ${gos}`);
}

// ---- the checkpoint

const refuse = (name, pattern, checkpoint) => {
	put(t600.dir, 'checkpoint', checkpoint);
	expect(name, FAILED, pattern, check(t600.dir));
};
refuse('a checkpoint that another signed', /no signature by a given log key/, note(head(made, 600), key('ledger.example/other')));
refuse('a checkpoint of more leaves than there are', /tile\/0\/002\.p\/89 is missing/, note(head(log('acme', 601), 601), logKey));
refuse('a checkpoint of another tree', /the leaf hashes give the root/, note(head(log('acme', 600, { change: () => ({ actor_id: 'eve' }) }), 600), logKey));
refuse('a size that nobody has', /tile\/0\/002 is missing/, note(head(made, 600).replace('\n600\n', '\n9223372036854775807\n'), logKey));
rmSync(join(t600.dir, 'checkpoint'));
expect('no checkpoint', NOT_FOUND, /checkpoint: no such file/, check(t600.dir));
expect('no directory', NOT_FOUND, /checkpoint: no such file/, check(join(base, 'gone')));
expect('no key', USAGE, /needs the option --key/, ['verify-tiles', t600.dir]);

// ---- how far it is

// 2^20 leaves, all alike: so many that it takes a while, and quickly made.
function uniform(levels) {
	const dir = join(base, 'uniform');
	let hash = sha256('leaf');
	for (let level = 0; level <= levels; level++) {
		const count = 2 ** (8 * (levels - level) + 4);
		const tile = Buffer.alloc(32 * Math.min(count, 256), hash);
		for (let n = 0; n * 256 < count; n++) put(dir, tilePath(level, n, tile.length / 32), tile);
		for (let i = 0; i < (level < levels ? 8 : 4); i++) hash = sha256(Uint8Array.of(1), hash, hash);
	}
	put(dir, 'checkpoint', note(`ledger.example/test/same/${big.chain}\n${2 ** (8 * levels + 4)}\n${hash.toString('base64')}\n`, logKey));
	return dir;
}

const million = uniform(2);
expect('a tree of 2^20', GOOD, /1048576 leaves, 4113 tiles/, check(million));
// A terminal of its own, by util-linux's script.
const watched = (...more) => spawnSync('script', ['-qec', [process.env.LEDGERCTL, ...check(million), ...more].map((word) => `'${word}'`).join(' '), '/dev/null'],
	{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const terminal = watched();
ok(terminal.status === 0 && /\r\u001b\[Kleaves \[=*>? *\] \d+ % \d+\/1048576/.test(terminal.stdout) && /give the signed root/.test(terminal.stdout), 'a terminal is shown how far it is', JSON.stringify(terminal.stdout.slice(0, 300)));
ok(/\nledgerctl: leaves 1048576 of 1048576 \(100 %\) in \d+:\d\d, [\d.]+[kM]?\/s\r\n/.test(terminal.stdout), 'and at the end how long it took', JSON.stringify(terminal.stdout.slice(-300)));
for (const option of ['--quiet', '--json'])
	ok(!/\u001b|leaves \[/.test(watched(option).stdout), `with ${option} it is not`);
ok(!/\r|\u001b|leaves \[/.test(run(check(million)).stderr), 'and in a log there is no bar');

done();
