// verify-export: chains as they are, and each way in which they may not be.
import { spawn } from 'node:child_process';
import { seal } from '../audit/hashes.mjs';
import { datasetSha256, exportLine, head, key, lines, log, note, put, root } from './log.mjs';
import { done, expect, FAILED, GOOD, json, NOT_FOUND, ok, USAGE } from './run.mjs';

const dir = process.argv[2];
const logKey = key('ledger.example/test');
let files = 0;
const file = (content, name = `file-${++files}`) => put(dir, name, content);

// Event 9 says that the payload of event 5 was erased.
const redaction = (n, rows) => (n !== 9 ? {} : { event_type: 'ledger.payload_redacted', finding_id: 'ledger', artifact_id: 'ledger',
	event_body: { eventId: rows[4].event_id, sequence: 5, payloadHash: rows[4].payload_hash, reason: 'asked for' } });
const acme = log('acme', 12, { change: redaction });
const globex = log('globex', 5, { change: (n) => (n === 2 ? { evaluation: { score: 1 } } : {}) });
const whole = lines(acme) + lines(globex);
const checkpoint = (made, size, ...keys) => file(note(head(made, size), ...(keys.length ? keys : [logKey])));
const signed = (made, size) => ['--checkpoint', checkpoint(made, size), '--key', logKey.vkey];

const refuse = (name, pattern, content, ...more) => expect(name, FAILED, pattern, ['verify-export', '--quiet', file(content), ...more]);

// ---- what holds

const all = file(whole, 'all.ndjson');
const good = expect('two chains, a checkpoint each', GOOD, /acme\/\S+: 12 events, sequences 1 to 12.*globex\/\S+: 5 events.*first 12 events of acme.*first 5 events of globex/s,
	['verify-export', all, '--checkpoint', checkpoint(acme, 12), '--checkpoint', checkpoint(globex, 5), '--key', logKey.vkey]);
ok(!/no checkpoint was given/.test(good.stderr), 'nothing is left unsaid then', good.stderr);
for (let size = 1; size <= 12; size++)
	expect(`the checkpoint of ${size} events`, GOOD, new RegExp(`first ${size} events of acme`), ['verify-export', all, ...signed(acme, size)]);
const none = expect('without a checkpoint', GOOD, /12 events/, ['verify-export', all]);
ok(/no checkpoint was given for the chain/.test(none.stderr), 'it says what is not shown', none.stderr);
expect('several files are one export', GOOD, /12 events/, ['verify-export', file(lines(acme).split('\n').slice(0, 4).join('\n') + '\n'),
	file(lines(acme).split('\n').slice(4).join('\n')), ...signed(acme, 12)]);
expect('a part of a chain', GOOD, /3 events, sequences 4 to 6/, ['verify-export', file(acme.rows.slice(3, 6).map((r) => exportLine(r) + '\n').join(''))]);
const erased = lines(acme, (n) => n === 5);
const explained = json(['verify-export', file(erased), ...signed(acme, 12)]);
ok(explained.status === GOOD && explained.chains[0].erased === 1 && explained.chains[0].erasedUnexplained === 0 &&
	explained.chains[0].rootHash === root(acme.leaves).toString('hex') && explained.notes.length === 0, 'an erased payload that a later event names', JSON.stringify(explained));
const unexplained = json(['verify-export', file(lines(acme, (n) => n === 5 || n === 6))]);
ok(unexplained.status === GOOD && unexplained.chains[0].erasedUnexplained === 1 && /1 erased payload/.test(unexplained.notes.join()), 'one that nothing names is noted', JSON.stringify(unexplained));

// ---- the data set

const digest = datasetSha256(whole);
expect('the SHA-256 of the data set', GOOD, new RegExp(`datasetSha256 ${digest}`), ['verify-export', all, '--expect-dataset', digest]);
expect('another than expected', FAILED, new RegExp(`has the SHA-256 ${digest}, not 0{64}`), ['verify-export', all, '--expect-dataset', '0'.repeat(64)]);
expect('one that is none', USAGE, /64 lower-case hex digits/, ['verify-export', all, '--expect-dataset', digest.toUpperCase()]);

// ---- lines

const acmeLines = lines(acme).split('\n').slice(0, -1);
const joined = (list) => list.map((line) => line + '\n').join('');
const edited = (n, change) => joined(acmeLines.map((line, i) => (i === n - 1 ? change(line) : line)));
refuse('an edited payload, named by its line', /^ledgerctl: \S+:7: the payload hash is [0-9a-f]{64}, but the envelope says [0-9a-f]{64}\n(?!ledgerctl: (?!note))/, edited(7, (s) => s.replace('number 7', 'number 8')));
refuse('an edited column, named once', /^ledgerctl: \S+:3: the event hash is .*\nledgerctl: \S+:3: the leaf hash is .*\n(?!ledgerctl: (?!note))/, edited(3, (s) => s.replace('zoë-3', 'eve-3')));
refuse('a line that is not canonical', /:4: not canonical JSON/, edited(4, (s) => s.replace('{', '{ ')));
refuse('an envelope alone', /:2: an envelope alone/, edited(2, () => acme.envelopes[1]));
refuse('a line that is no JSON', /:5: invalid syntax at byte 0/, edited(5, () => 'hello'));
refuse('an empty line', /:5: invalid syntax/, edited(5, () => ''));
refuse('a line that is cut off', /:12: the file ends within a line/, lines(acme).slice(0, -20));
refuse('no newline at the end', /:12: the file ends within a line/, lines(acme).slice(0, -1));
refuse('nothing at all', /no line was given: nothing is verified/, '');
refuse('too many faults end the reading', /:20: the 20th faulty line: the rest is not read/, 'hello\n'.repeat(100));

// ---- order and links

const moved = [...acmeLines.slice(0, 3), acmeLines[4], acmeLines[3], ...acmeLines.slice(5)];
refuse('two lines the other way round', /:4: sequence 4 is missing before 5\n.*:5: sequence 4 after 5: out of order/, joined(moved));
refuse('a line that is missing', /:6: sequence 6 is missing before 7/, joined(acmeLines.filter((_, i) => i !== 5)));
refuse('several that are missing', /:3: sequences 3 to 6 are missing before 7/, joined(acmeLines.filter((_, i) => i < 2 || i > 5)));
refuse('a line that is there twice', /:7: sequence 6 after 6: out of order or there twice/, joined([...acmeLines.slice(0, 6), ...acmeLines.slice(5)]));
// Event 6 made anew, with all its own hashes right: event 7 remembers the old one.
const forged = log('acme', 6, { change: (n) => (n === 6 ? { actor_id: 'eve' } : {}) });
refuse('an event that was hashed again', /:7: previousHash is [0-9a-f]{64}, but the event hash of sequence 6 is [0-9a-f]{64}/, edited(6, () => exportLine(forged.rows[5])));
const sealed = (row, changes) => exportLine(seal({ ...row, ...changes }));
refuse('a start that continues something', /:1: previousHash is [0-9a-f]{64}; that of sequence 1 is 64 zeros/, joined([sealed(acme.rows[1], { sequence_no: 1 })]));
refuse('two policy versions in one chain', /:2: policy version "policy-2" in a chain of "policy-1"/, joined([acmeLines[0], sealed(acme.rows[1], { policy_version: 'policy-2' })]));

// ---- checkpoints

const rewritten = log('acme', 12, { change: (n, rows) => (n === 4 ? { actor_id: 'eve' } : redaction(n, rows)) });
expect('a chain rewritten and hashed again to its end looks whole', GOOD, /12 events/, ['verify-export', file(lines(rewritten))]);
refuse('but not beside a checkpoint kept elsewhere', new RegExp(`:12: the root of the 12 events up to here is ${root(rewritten.leaves).toString('hex')}, but \\S+ says ${root(acme.leaves).toString('hex')}`),
	lines(rewritten), ...signed(acme, 12));
expect('a checkpoint from before the forgery does not show it', GOOD, /first 3 events/, ['verify-export', file(lines(rewritten)), ...signed(acme, 3)]);
refuse('a chain whose end was cut off', /signed for 12 events of acme\/\S+, but the export ends at sequence 11/, joined(acmeLines.slice(0, 11)), ...signed(acme, 12));
refuse('a chain whose beginning is missing', /its root needs all events/, joined(acmeLines.slice(1)), ...signed(acme, 12));
refuse('a chain that is not there', /of which the export has none/, lines(globex), ...signed(acme, 12));
const stranger = key('ledger.example/other');
expect('a checkpoint that another signed', FAILED, /no signature by a given log key/, ['verify-export', all, '--checkpoint', checkpoint(acme, 12, stranger), '--key', logKey.vkey]);
expect('a checkpoint without a key', USAGE, /--checkpoint needs the --key/, ['verify-export', all, '--checkpoint', checkpoint(acme, 12)]);
expect('a key without a checkpoint', USAGE, /and none is given/, ['verify-export', all, '--key', logKey.vkey]);
expect('a checkpoint that is not there', NOT_FOUND, /gone: no such file/i, ['verify-export', all, '--checkpoint', `${dir}/gone`, '--key', logKey.vkey]);
expect('an export that is not there', NOT_FOUND, /gone: no such file/i, ['verify-export', `${dir}/gone`]);
expect('a directory', USAGE, /directory/, ['verify-export', dir]);
expect('no file', USAGE, /verify-export needs FILE/, ['verify-export']);

// ---- how far it has come, for a log

// A line every 50 ms until a line of progress is seen, then all that is left.
const slowly = (...more) => new Promise((resolve) => {
	const left = lines(log('slow', 80)).split(/(?<=\n)/);
	// What node gives as standard input is no pipe, and cannot be opened by name.
	const child = spawn('bash', ['-c', 'cat | "$@"', 'bash', process.env.LEDGERCTL, 'verify-export', '/dev/stdin', ...more],
		{ stdio: ['pipe', 'ignore', 'pipe'] });
	let stderr = '';
	child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
	const timer = setInterval(() => {
		if (/bytes \d/.test(stderr) || left.length === 1) {
			clearInterval(timer);
			child.stdin.end(left.join(''));
		} else child.stdin.write(left.shift());
	}, 50);
	child.on('close', (status) => resolve({ status, told: stderr.split('\n').filter((line) => /bytes/.test(line)), stderr }));
});
ok(!/bytes \d/.test(good.stderr), 'what is done at once tells a log nothing', good.stderr);
const slow = await slowly();
ok(slow.status === GOOD && slow.told.length === 2 && /^ledgerctl: bytes \d+/.test(slow.told[0]) && /^ledgerctl: bytes \d+.* in 0:0[2-9]/.test(slow.told[1]),
	'what takes longer has a line after two seconds, and one at the end', slow.stderr);
for (const option of ['--quiet', '--json']) ok((await slowly(option)).told.length === 0, `and none with ${option}`);

done();
