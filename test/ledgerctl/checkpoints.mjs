// verify-checkpoints: directories of anchors, as the WORM anchor and air-gap bundles are.
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { jcs } from '../audit/hashes.mjs';
import { anchorType, dsse, head, key, log, note, put, statement } from './log.mjs';
import { done, expect, FAILED, GOOD, json, NOT_FOUND, ok, USAGE } from './run.mjs';

const base = process.argv[2];
const logKey = key('ledger.example/test');
const nextKey = key('ledger.example/test-2');
const acme = log('acme', 30);
const globex = log('globex', 8);
const spans = [[1, 5], [6, 6], [7, 20], [21, 30]];
let folders = 0;

const stem = (made, end) => `${made.tenant}/${made.chain}/${String(end).padStart(20, '0')}-x`;

// An anchor's two files; what is given overrides how they are made.
function anchor(dir, made, [start, end], { sign = logKey, vouch = sign, text = head(made, end), said = statement(made, start, end), type = anchorType, at = stem(made, end) } = {}) {
	put(dir, `${at}.dsse`, dsse(said, type, vouch));
	return put(dir, `${at}.checkpoint`, note(text, sign));
}

// A directory with all anchors but those that other makes otherwise (null: not at all).
function folder(other = {}) {
	const dir = join(base, `worm-${++folders}`);
	mkdirSync(dir);
	spans.forEach((span, i) => other[i] === null || anchor(dir, acme, span, other[i]));
	return dir;
}
const check = (dir, ...more) => ['verify-checkpoints', dir, '--key', logKey.vkey, ...more];
const refuse = (name, pattern, dir, ...more) => expect(name, FAILED, pattern, check(dir, ...more));

// ---- what holds

const good = folder();
anchor(good, globex, [1, 8]);
const said = expect('two chains', GOOD, /^acme\/\S+: 4 anchors, of 5 to 30 events\nglobex\/\S+: 1 anchors, of 8 to 8 events\n$/, check(good, '--quiet'));
ok(said.stderr === '', 'without a word more', said.stderr);
const answer = json(check(good));
ok(answer.anchors === 5 && answer.chains.map((c) => c.lastTreeSize).join() === '30,8', '--json says the same', JSON.stringify(answer));
expect('the origin asked for', GOOD, /4 anchors/, check(good, '--origin', 'ledger.example/test'));
const rotated = folder({ 2: { sign: nextKey }, 3: { sign: nextKey } });
expect('a rotated key, both given', GOOD, /4 anchors/, check(rotated, '--key', nextKey.vkey));
const late = folder({ 0: null });
ok(/begin after sequence 5/.test(expect('a directory that was begun late', GOOD, /3 anchors/, check(late)).stderr), 'says where it begins');

const airgap = join(base, 'airgap');
for (const [start, end] of spans)
	put(airgap, `b-1/acme/${end}.json`, jcs({ anchorId: 'x', bundleId: 'b-1', chainId: acme.chain, checkpoint: note(head(acme, end), logKey),
		dsse: JSON.parse(dsse(statement(acme, start, end), anchorType, logKey)), schema: 'ledger.airgap.v1', tenant: 'acme', treeSize: end }) + '\n');
expect('an air-gap bundle', GOOD, /4 anchors, of 5 to 30/, check(airgap));

// ---- what does not

refuse('a rotated key, the old one given alone', /no signature by a given log key; it has those of ledger\.example\/test-2\+/, rotated);
refuse('another origin', /is of the log "ledger\.example\/test", not of "x"/, good, '--origin', 'x');
refuse('an anchor that is missing', /0{18}20-x\.checkpoint: it continues an anchor of 6 events, and the one before it here \(\S+\) is of 5/, folder({ 1: null }));
refuse('one that remembers another root', /the root before it, of 6 events is [0-9a-f]{64}, but \S+ says [0-9a-f]{64}/,
	folder({ 2: { said: statement(acme, 7, 20, { previousRootHash: 'ab'.repeat(32) }) } }));
refuse('one that remembers none', /is not that of an anchor/,
	folder({ 2: { said: statement(acme, 7, 20, { previousRootHash: undefined }) } }));
const rewritten = log('acme', 30, { change: (n) => (n === 4 ? { actor_id: 'eve' } : {}) });
const forked = folder();
anchor(forked, rewritten, [21, 30], { at: `${stem(acme, 30)}-2` });
refuse('two roots for one size', /the root of 30 events is [0-9a-f]{64}, but \S+ says [0-9a-f]{64}/, forked);
const again = folder();
anchor(again, acme, [21, 30], { at: `${stem(acme, 30)}-2` });
expect('one root twice', GOOD, /5 anchors/, check(again));
refuse('a statement of another root', /another root hash than the checkpoint/, folder({ 1: { said: statement(rewritten, 6, 6) } }));
refuse('a statement of another size', /another tree size than the checkpoint/, folder({ 1: { said: statement(acme, 6, 7) } }));
refuse('a statement of another tenant', /another tenant than the checkpoint/, folder({ 1: { said: statement(acme, 6, 6, { tenant: 'acne' }) } }));
refuse('a statement of another chain', /another chain than the checkpoint/, folder({ 1: { said: statement(acme, 6, 6, { chainId: globex.chain }) } }));
refuse('a statement that contradicts itself', /is not that of an anchor/, folder({ 1: { said: statement(acme, 6, 6, { leafCount: 2 }) } }));
refuse('a statement with a member more', /is not that of an anchor/, folder({ 1: { said: statement(acme, 6, 6, { note: 'x' }) } }));
refuse('a statement that another signed', /the statement has no signature by a given log key/, folder({ 1: { vouch: nextKey } }));
refuse('another kind of statement', /signed is a "text\/plain"/, folder({ 1: { type: 'text/plain' } }));
refuse('a checkpoint of another log', /of the log other, but \S+ is of ledger\.example\/test/, folder({ 3: { text: head({ ...acme, origin: 'other' }, 30) } }));
refuse('an edited checkpoint', /the signature of ledger\.example\/test\+\S+ does not fit the text/, edit(folder(), '.checkpoint', (s) => s.replace('\n20\n', '\n21\n')));
refuse('an edited statement', /the signature of ledger\.example\/test\+\S+ does not fit the statement/, edit(folder(), '.dsse', (s) => s.replace(/"payload":"../, '"payload":"eg')));
refuse('a statement that is no JSON', /\.dsse: no DSSE envelope/, edit(folder(), '.dsse', () => 'hello'));
refuse('an empty checkpoint', /\.checkpoint: no signed checkpoint/, edit(folder(), '.checkpoint', () => ''));
refuse('a checkpoint without its statement', /20-x\.dsse: no such file/, gone(folder(), '.dsse'));
refuse('JSON that is no bundle', /no part of an air-gap bundle/, edit(folder(), '.json', () => '{}'));

function edit(dir, suffix, change) {
	const [start, end] = spans[2];
	const before = suffix === '.dsse' ? dsse(statement(acme, start, end), anchorType, logKey) : note(head(acme, end), logKey);
	put(dir, `${stem(acme, end)}${suffix}`, change(before));
	return dir;
}
function gone(dir, suffix) {
	rmSync(join(dir, `${stem(acme, 20)}${suffix}`));
	return dir;
}

// ---- what lies there besides

const halves = gone(folder(), '.checkpoint');
ok(/20-x\.dsse: no checkpoint lies beside it/.test(expect('a statement alone counts', GOOD, /4 anchors/, check(halves)).stderr), 'and is noted');
put(halves, 'README', 'hello');
symlinkSync('/etc/passwd', join(halves, 'link.checkpoint'));
const besides = expect('other files are left out', GOOD, /4 anchors/, check(halves));
ok(/README is neither/.test(besides.stderr) && /link\.checkpoint is no regular file/.test(besides.stderr), 'and are noted', besides.stderr);
mkdirSync(join(base, 'empty'));
expect('an empty directory', NOT_FOUND, /empty holds no checkpoint/, check(join(base, 'empty')));
expect('a directory that is not there', NOT_FOUND, /gone: no such file or directory/, check(join(base, 'gone')));
expect('a file', NOT_FOUND, /no such file or directory/, check(put(base, 'file', 'x')));
expect('no key', USAGE, /needs the option --key/, ['verify-checkpoints', good]);
expect('no directory', USAGE, /needs DIR/, ['verify-checkpoints', '--key', logKey.vkey]);

done();
