// verify-proof: what holds, and each thing that must not.
import { bundle, exportLine, head, key, log, note, put, root, sha256, signature } from './log.mjs';
import { done, expect, FAILED, GOOD, json, NOT_FOUND, ok, USAGE } from './run.mjs';

const dir = process.argv[2];
const file = (name, content) => put(dir, name, content);
const logKey = key('ledger.example/test');
const nextKey = key('ledger.example/test-2');
const witnesses = ['w1', 'w2', 'w3'].map((name) => key(`witness.example/${name}`, 4));
const [w1, w2, w3] = witnesses;
const made = log('acme', 13, {
	change: (n) => (n === 3 ? { evaluation: { score: 4.25 } } : {}) });
const other = log('globex', 13);
const text = head(made, 13);
const checkpoint = note(text, logKey);

const good = file('good', bundle(made, 6, 13, checkpoint));
const event = file('event.json', made.envelopes[6]);
const args = (bundleFile, eventFile, ...more) => ['verify-proof', bundleFile, '--event', eventFile, '--key', logKey.vkey, ...more];
let files = 0;
const refuse = (name, pattern, content, eventFile = event, ...more) =>
	expect(name, FAILED, pattern, args(file(`bad-${++files}`, content), eventFile, ...more));

// ---- what holds

expect('an envelope and its bundle', GOOD, /^event \S+ is event 7 of acme\/\S+ in the log ledger\.example\/test\n.*13 events.*payload not given\n$/s, args(good, event));
expect('an export line, payload checked', GOOD, /payload checked\n$/, args(good, file('line', exportLine(made.rows[6]) + '\n')));
expect('an erased event', GOOD, /payload erased\n$/, args(good, file('erased', exportLine(made.rows[6], true))));
expect('an event laid out for people', GOOD, /is event 7/, args(good, file('pretty', JSON.stringify(JSON.parse(made.envelopes[6]), null, 2))));
expect('an evaluation is checked too', GOOD, /payload checked/, args(file('third', bundle(made, 2, 13, checkpoint)), file('evaluated', exportLine(made.rows[2]))));
expect('a bundle as psql prints it, with a newline more', GOOD, /is event 7/, args(file('printed', `${bundle(made, 6, 13, checkpoint)}\n`), event));
refuse('a bundle with two newlines more', /no signed checkpoint/, `${bundle(made, 6, 13, checkpoint)}\n\n`);
expect('a key from a file', GOOD, /is event 7/, ['verify-proof', '--event', event, '--key', file('log.pub', `${logKey.vkey}\n`), good]);
for (let size = 1; size <= 13; size++) {
	const signed = note(head(made, size), logKey);
	const all = Array.from({ length: size }, (_, i) => json(args(file(`of-${size}-${i}`, bundle(made, i, size, signed)), file(`event-${i}`, made.envelopes[i]))).status);
	ok(all.every((status) => status === GOOD), `every event of a tree of ${size}`, all.join(' '));
}

const answer = json(args(good, event));
ok(JSON.stringify([answer.index, answer.sequence, answer.treeSize, answer.rootHash, answer.signedBy, answer.errors, answer.exitCode]) ===
	JSON.stringify([6, 7, 13, root(made.leaves).toString('hex'), [logKey.keyid], [], 0]), '--json says the same', JSON.stringify(answer));
const refused = json(args(good, file('first', made.envelopes[0])));
ok(refused.status === FAILED && refused.exitCode === FAILED && /index 6.*sequence 1/.test(refused.errors[0]),
	'--json brings the errors', JSON.stringify(refused));

// ---- signatures

const witnessed = file('witnessed', bundle(made, 6, 13, note(text, logKey, w1, w2)));
const named = witnesses.flatMap((w) => ['--witness', w.vkey]);
expect('two of three witnesses', GOOD, /2 witnesses/, args(witnessed, event, ...named, '--quorum', '2'));
expect('all witnesses are needed if nothing else is said', FAILED, /2 of the 3 witness signatures/, args(witnessed, event, ...named));
expect('no witness at all', FAILED, /no signature by a given witness key; it has those of ledger\.example\/test\+/, args(good, event, '--witness', w1.vkey));
expect('a wrong cosignature spoils the rest', FAILED, /the signature of witness\.example\/w3\+\S+ does not fit/,
	args(file('spoiled', bundle(made, 6, 13, note(text, logKey, w1, w2) + signature(head(made, 12), w3))), event, ...named, '--quorum', '2'));
expect('an old key and a new one', GOOD, /is event 7/, args(good, event, '--key', nextKey.vkey));
expect('signed by both keys', GOOD, /2 keys of the log/, args(file('both', bundle(made, 6, 13, note(text, logKey, nextKey))), event, '--key', nextKey.vkey));
expect('lines of unknown keys say nothing', GOOD, /1 key of the log/, args(file('more', bundle(made, 6, 13, note(text, nextKey, logKey, w1))), event));
refuse('signed by another key', /no signature by a given log key; it has those of ledger\.example\/test-2\+/, bundle(made, 6, 13, note(text, nextKey)));
refuse('a wrong signature of a given key spoils the rest', /the signature of ledger\.example\/test-2\+\S+ does not fit/,
	bundle(made, 6, 13, note(text, logKey) + signature(head(made, 12), nextKey)), event, '--key', nextKey.vkey);
refuse('a cosignature is no signature of the log', /no signature by a given log key/, bundle(made, 6, 13, note(text, w1)));
refuse('not signed at all', /no signed checkpoint/, bundle(made, 6, 13, text));
refuse('a signed text that is no checkpoint', /its text is no checkpoint/, bundle(made, 6, 13, note('hello\nworld\n', logKey)));

// ---- names and places

refuse('a checkpoint of another tenant', /the checkpoint is of tenant "globex", the event of "acme"/, bundle(made, 6, 13, note(head(other, 13), logKey)));
refuse('a checkpoint of another chain of the tenant', /the checkpoint is of chain \S+, the event of/,
	bundle(made, 6, 13, note(head(log('acme', 13, { policy: 'policy-2' }), 13), logKey)));
refuse('a chain that nothing names', /names no chain/, bundle(made, 6, 13, note(`ledger.example\n13\n${root(made.leaves).toString('base64')}\n`, logKey)));
refuse('the proof of another event', /the proof is of index 5, but the event's sequence 7 has index 6/, bundle(made, 5, 13, checkpoint));
expect('another origin', FAILED, /is of the log "ledger\.example\/test", not of "ledger\.example\/prod"/, args(good, event, '--origin', 'ledger.example/prod'));
expect('the origin asked for', GOOD, /is event 7/, args(good, event, '--origin', 'ledger.example/test'));

// ---- the proof

const hashLine = sha256('x').toString('base64');
const parts = bundle(made, 6, 13, checkpoint).split('\n');
// The bundle with count lines from the fourth on (the first hash is there) replaced.
const spliced = (count, ...lines) => [...parts.slice(0, 3), ...lines, ...parts.slice(3 + count)].join('\n');
refuse('a changed hash of the proof', new RegExp(`leads from the event's leaf ${made.rows[6].merkle_leaf_hash} to the root [0-9a-f]{64}, but the signed root is ${root(made.leaves).toString('hex')}`),
	spliced(1, hashLine));
refuse('a hash too few', /has 3 hashes; that of index 6 in a tree of size 13 has 4/, spliced(1));
refuse('a hash too many', /has 5 hashes/, spliced(0, hashLine));
refuse('an index beyond the tree', /index 6 is not in a tree of size 6/, bundle(made, 6, 13, note(head(made, 6), logKey)));
refuse('two hashes the other way round', /but the signed root is/, spliced(2, parts[4], parts[3]));
refuse('no bundle', /no proof bundle \(C2SP tlog-proof\)/, 'hello\n');
refuse('an empty bundle', /no proof bundle/, '');
refuse('a bundle of zeros', /no proof bundle/, Buffer.alloc(2000));

// ---- the event

const changed = (change) => file(`event-${++files}`, change(exportLine(made.rows[6])));
const bad = (name, pattern, change) => expect(name, FAILED, pattern, args(good, changed(change)));
bad('an edited payload', /the payload hash is [0-9a-f]{64}, but the envelope says/, (s) => s.replace('number 7', 'number 8'));
bad('an edited salt', /the payload hash is/, (s) => s.replace(/"salt":"./, (m) => m.slice(0, -1) + (m.endsWith('A') ? 'B' : 'A')));
bad('an edited member', /the event hash is .* but the line says .*\n.*the leaf hash is .*\n/, (s) => s.replace('zoë-7', 'zoë-8'));
bad('a line that states another hash', /the event hash is/, (s) => s.replace(/"eventHash":"."?/, '"eventHash":"' + (made.rows[6].event_hash[0] === '0' ? '1' : '0')));
bad('a payload without salt', /the salt is no base64/, (s) => s.replace(/"salt":"[^"]*"/, '"salt":null'));
bad('an erased payload with its salt', /erased together/, (s) => s.replace(/"payload":\{[^}]*\}/, '"payload":null'));
bad('a short salt', /the salt has 3 bytes/, (s) => s.replace(/"salt":"[^"]*"/, '"salt":"AAAA"'));
bad('an evaluation that nothing hashes', /evaluation and evaluationHash/, (s) => s.replace(/\}$/, ',"evaluation":{}}'));
bad('a member too many in the line', /"note" is no member/, (s) => s.replace(/\}$/, ',"note":1}'));
bad('a member too many in the envelope', /members that ledger\.event\.v1 does not have/, (s) => s.replace('"schema"', '"note":1,"schema"'));
bad('a member too few', /envelope: "tenant" is missing/, (s) => s.replace('"tenant":"acme",', ''));
bad('a mistyped member', /envelope: "sequence" is not a whole number/, (s) => s.replace('"sequence":7', '"sequence":"7"'));
bad('a time in another form', /envelope: "occurredAt" is not a time/, (s) => s.replace(/("occurredAt":"[^"]*)\.000001Z/, '$1Z'));
bad('a schema of the future', /schema "ledger\.event\.v2" is not known/, (s) => s.replace('ledger.event.v1', 'ledger.event.v2'));
bad('a member that stands twice', /duplicate member name/, (s) => s.replace('"tenant":"acme"', '"tenant":"acme","tenant":"acme"'));
bad('something after the event', /unexpected bytes/, (s) => `${s} {}`);
bad('no object', /no JSON object/, () => '[1]');
bad('deep nesting', /nested too deeply/, () => '['.repeat(100000));
bad('another event of the same place', /but the signed root is/, () => log('acme', 7, { change: () => ({ actor_id: 'eve' }) }).envelopes[6]);
const escape = expect('no escape sequence reaches the terminal', FAILED, /schema "\?\[2J\?\?"/, args(good, file('esc', made.envelopes[6].replace('ledger.event.v1', '\\u001b[2J\\u0085'))));
ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(escape.stderr), 'nor any other control character', JSON.stringify(escape.stderr));

// ---- keys, files, usage

const usage = (name, pattern, words, status = USAGE) => expect(name, status, pattern, words);
const withKey = (value) => ['verify-proof', good, '--event', event, '--key', value];
const secret = usage('a private key is refused', /a private key is given on the command line/, withKey(logKey.skey));
const secretFile = usage('a file with a private key, too', /holds a private key/, withKey(file('log.key', `${logKey.skey}\n`)));
ok(!(secret.stderr + secretFile.stderr).includes(logKey.seed.toString('base64').slice(2, 20)), 'and no message shows it');
usage('a key whose id is not its own', /key "ledger\S+": it is no/, withKey(logKey.vkey.replace(/\+.{8}\+/, '+00000000+')));
// The neutral element: with it one signature fits any text.
const neutral = Buffer.concat([Buffer.of(1, 1), Buffer.alloc(31)]);
usage('a weak key', /weak key/, withKey(`weak+${sha256('weak\n', neutral).toString('hex').slice(0, 8)}+${neutral.toString('base64')}`));
usage('a witness key as the log\'s', /is a key of a witness; --key takes those of logs/, withKey(w1.vkey));
usage('the log\'s key as a witness', /is a key of a log/, [...withKey(logKey.vkey), '--witness', nextKey.vkey]);
usage('an empty key file', /holds no public key/, withKey(file('empty.pub', '')));
usage('a key file with two lines', /holds no public key/, withKey(file('two.pub', `${logKey.vkey}\n${nextKey.vkey}\n`)));
usage('a key file that is not there', /gone\.pub: no such file/, withKey(`${dir}/gone.pub`), NOT_FOUND);
usage('a bundle that is not there', /gone: no such file/, args(`${dir}/gone`, event), NOT_FOUND);
usage('an event that is not there', /gone: no such file/, args(good, `${dir}/gone`), NOT_FOUND);
usage('a directory', /Is a directory/, args(dir, event));
usage('a file that is too long', /longer than 3000000 bytes/, args(file('long', Buffer.alloc(3000001, 'a')), event), FAILED);
usage('no event', /verify-proof needs the option --event FILE/, ['verify-proof', good, '--key', logKey.vkey]);
usage('no key', /verify-proof needs the option --key KEY/, ['verify-proof', good, '--event', event]);
usage('no bundle', /verify-proof needs BUNDLE/, ['verify-proof', '--event', event, '--key', logKey.vkey]);
usage('two bundles', /verify-proof cannot use/, [...args(good, event), good]);
usage('an option twice', /option --event is given twice/, [...args(good, event), '--event', event]);
usage('an unknown option', /verify-proof has no option --evnt/, [...args(good, event), '--evnt=x']);
usage('an option without its value', /option --origin needs a value: NAME/, [...args(good, event), '--origin']);
usage('a value that no option wants', /option --json takes no value/, [...args(good, event), '--json=yes']);
usage('a witness twice', /--witness witness\.example\/w1\+\S+ is the key that was given before/, args(witnessed, event, '--witness', w1.vkey, '--witness', w1.vkey));
usage('a witness under two names', /--witness other\.example\+\S+ is the key that was given before/, args(witnessed, event, '--witness', w1.vkey, '--witness', key('other.example', 4, w1.seed).vkey));
usage('a quorum of nobody', /--quorum counts the witnesses/, args(good, event, '--quorum', '1'));
usage('a quorum above the witnesses', /whole number from 1 to 3, not "4"/, args(good, event, ...named, '--quorum', '4'));
usage('a quorum that is no number', /whole number from 1 to 3, not "2x"/, args(good, event, ...named, '--quorum', '2x'));

done();
