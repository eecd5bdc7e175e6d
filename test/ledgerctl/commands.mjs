// What all commands share, keygen, inspect, and what the built program needs.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, openSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { jcs } from '../audit/hashes.mjs';
import { anchorType, bundle, dsse, exportLine, head, key, lines, log, note, put, root, sha256, statement } from './log.mjs';
import { done, expect, FAILED, GOOD, json, NOT_FOUND, OFFLINE, ok, program, run, USAGE } from './run.mjs';

const dir = process.argv[2];
const built = process.env.LEDGERCTL_BUILT;
const file = (name, content) => put(dir, name, content);
const logKey = key('ledger.example/test');
const made = log('acme', 5);

// ---- the program

const needed = spawnSync('readelf', ['-d', built], { encoding: 'utf8' }).stdout.match(/(?<=NEEDED.*\[)[^\]]*/g) ?? [];
ok(needed.includes('libcrypto.so.3') && needed.every((name) => /^(libcrypto\.so\.3|libc\.so\.6|libm\.so\.6|ld-linux-.*)$/.test(name)),
	'ledgerctl needs libcrypto and the C library, no libpq, no libcurl', needed.join(' '));
expect('--version', GOOD, /^ledgerctl \d+\.\d+\n$/, ['--version']);
const help = expect('--help lists the commands', GOOD, /keygen.*verify-proof.*verify-export.*verify-findings.*verify-checkpoints.*verify-tiles.*inspect.*anchor/s, ['--help']);
for (const command of ['keygen', 'verify-proof', 'verify-export', 'verify-findings', 'verify-checkpoints', 'verify-tiles', 'inspect'])
	expect(`${command} --help`, GOOD, new RegExp(`^usage: ledgerctl ${command}.*options:.*--json.*examples:\n  ledgerctl ${command}.*exit status: 0 good, 1 usage.*3 verification failed, 4 not found,\n5 `, 's'), [command, '--help']);
ok(help.stdout.split('\n').every((line) => line.length <= 100), 'no line of it is too long');
// What ledgerctl hands over, the other program has, and nothing else.
const listed = (text) => [...text.split('commands:\n')[1].split('\n\n')[0].matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name);
const offline = listed(help.stdout).filter((name) => /^(keygen|inspect|verify-.*)$/.test(name));
const online = listed(run(['--help'], { program: `${program}-online` }).stdout);
ok([...offline, ...online].join() === listed(help.stdout).join() && offline.length === 8 && online.length > 0,
	'ledgerctl lists its own commands and those of ledgerctl-online', listed(help.stdout).join(), online.join());
for (const command of online) expect(`${command} --help`, GOOD, new RegExp(`^usage: ledgerctl ${command}.*examples:\n  ledgerctl ${command}`, 's'), [command, '--help']);
expect('no command', USAGE, /which command\?/, []);
expect('an unknown command', USAGE, /there is no command "verify-everything"/, ['verify-everything']);

// Alone in a directory there is no ledgerctl-online to become.
const alone = join(dir, 'alone', 'ledgerctl');
mkdirSync(join(dir, 'alone'));
copyFileSync(program, alone);
chmodSync(alone, 0o755);
expect('an online command where only ledgerctl is', USAGE, /anchor is a command of ledgerctl-online, which is not installed/, ['anchor'], { program: alone });
expect('an online command under --offline', OFFLINE, /anchor needs a server/, ['anchor', '--offline'], { program: alone });
expect('an online command under LEDGER__OFFLINE', OFFLINE, /anchor needs a server/, ['anchor'], { program: alone, env: { ...process.env, LEDGER__OFFLINE: 'true' } });
expect('ledgerctl-online refuses by itself', OFFLINE, /anchor needs a server/, ['anchor', '--offline'], { program: `${program}-online` });
ok(json(['anchor', '--offline']).exitCode === OFFLINE, 'an offline violation as JSON');
// Beside it, and where make install puts it.
for (const [name, place] of [['beside it', 'alone'], ['in libexec', 'libexec/findings-ledger']]) {
	put(dir, `${name === 'beside it' ? 'near' : 'far'}/${place === 'alone' ? 'bin' : place}/ledgerctl-online`, '#!/bin/sh\necho "became online: $*"\n');
	const base = join(dir, name === 'beside it' ? 'near' : 'far');
	mkdirSync(join(base, 'bin'), { recursive: true });
	copyFileSync(program, join(base, 'bin', 'ledgerctl'));
	chmodSync(join(base, 'bin', 'ledgerctl'), 0o755);
	chmodSync(join(base, place === 'alone' ? 'bin' : place, 'ledgerctl-online'), 0o755);
	expect(`ledgerctl becomes ledgerctl-online ${name}`, GOOD, /^became online: anchor --loop 5\n$/, ['anchor', '--loop', '5'], { program: join(base, 'bin', 'ledgerctl') });
}
const full = spawnSync(program, ['inspect', file('log.pub', `${logKey.vkey}\n`)], { stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'], encoding: 'utf8' });
ok(full.status === USAGE && /cannot write to standard output/.test(full.stderr), 'an answer that cannot be written is no success', `status ${full.status}`, full.stderr);

// ---- keygen

const out = join(dir, 'new.key');
const made1 = spawnSync('sh', ['-c', 'umask 000; exec "$@"', 'sh', program, 'keygen', '--name', 'ledger.example/prod', '--out', out], { encoding: 'utf8' });
const secret = readFileSync(out, 'utf8');
ok(made1.status === GOOD && (statSync(out).mode & 0o777) === 0o600, 'keygen writes for the owner alone, whatever the umask', made1.stderr);
// node makes the public key of the seed once more.
const seed = Buffer.from(secret.trim().split('+').slice(4).join('+'), 'base64');
const again = key('ledger.example/prod', 1, seed.subarray(1));
ok(secret === `${again.skey}\n` && made1.stdout === `${again.vkey}\n`, 'the private key is that of the printed public one', made1.stdout);
ok(!made1.stdout.includes(seed.toString('base64').slice(2, 40)) && made1.stderr === '', 'which is all that is printed');
expect('keygen overwrites nothing', USAGE, /new\.key exists, and is not overwritten/, ['keygen', '--name', 'x', '--out', out]);
symlinkSync(join(dir, 'target'), join(dir, 'dangling'));
expect('nor follows a link', USAGE, /dangling exists/, ['keygen', '--name', 'x', '--out', join(dir, 'dangling')]);
ok(readFileSync(out, 'utf8') === secret, 'the key that was there is as it was');
const two = [1, 2].map((i) => run(['keygen', '--name', 'x', '--out', join(dir, `two-${i}`)]).stdout);
ok(two[0] !== two[1] && two[0].length > 40, 'two keys are two keys');
expect('keygen for a witness', GOOD, /^w\.example\+[0-9a-f]{8}\+B[A-Za-z0-9+/]{43}\n$/, ['keygen', '--name', 'w.example', '--out', join(dir, 'w.key'), '--witness']);
const asked = run(['keygen', '--name', 'x', '--out', '-']);
ok(asked.status === GOOD && /^PRIVATE\+KEY\+x\+[0-9a-f]{8}\+A[A-Za-z0-9+/]{43}\n$/.test(asked.stdout) && /the public key is x\+/.test(asked.stderr), 'on standard output only if asked', asked.stderr);
expect('but not together with JSON', USAGE, /standard output is not free/, ['keygen', '--name', 'x', '--out', '-', '--json']);
const answer = json(['keygen', '--name', 'x', '--out', join(dir, 'json.key')]);
ok(answer.status === GOOD && answer.publicKey.startsWith(`${answer.keyId}+`) && answer.file === join(dir, 'json.key'), 'keygen --json', JSON.stringify(answer));
for (const name of ['', 'two words', 'a+b', 'new\nline', 'x'.repeat(513)])
	expect(`keygen refuses the name ${JSON.stringify(name.slice(0, 20))}`, USAGE, /cannot name a key/, ['keygen', '--name', name, '--out', join(dir, 'never')]);
expect('keygen into a directory that is not there', USAGE, /No such file/, ['keygen', '--name', 'x', '--out', join(dir, 'gone/key')]);
expect('keygen without a place', USAGE, /needs the option --out FILE/, ['keygen', '--name', 'x']);
expect('keygen with an operand', USAGE, /keygen cannot use "x"/, ['keygen', 'x', '--name', 'x', '--out', join(dir, 'never')]);
// A key that was made signs what verify-checkpoints accepts.
put(dir, 'signed/1.checkpoint', note(head(made, 5), again));
put(dir, 'signed/1.dsse', dsse(statement(made, 1, 5), anchorType, again));
expect('what it signs is verified', GOOD, /1 anchors/, ['verify-checkpoints', join(dir, 'signed'), '--key', made1.stdout.trim()]);

// ---- inspect

const text = head(made, 5);
const shows = (name, pattern, content) => {
	const path = file(`inspect-${name.replaceAll(' ', '-')}`, content);
	expect(`inspect: ${name}`, GOOD, pattern, ['inspect', path]);
	return json(['inspect', path]);
};
const kinds = [
	['proof bundle', shows('a bundle', /^proof bundle \(C2SP tlog-proof\) of index 2, with 3 hashes\n.*tenant acme.*tree size 5\n.*not verified/s, bundle(made, 2, 5, note(text, logKey)))],
	['proof bundle', shows('a bundle with extra data', /and extra data that nothing vouches for/, bundle(made, 2, 5, note(text, logKey), 'AAAA'))],
	['checkpoint', shows('a checkpoint', new RegExp(`^signed checkpoint\n.*root hash ${root(made.leaves).toString('hex')}\n.*signature line of ledger\\.example/test\\+`, 's'), note(text, logKey))],
	['unsigned checkpoint', shows('an unsigned one', /^checkpoint without signatures\n/, text)],
	['signed note', shows('a note', /^signed note that is no checkpoint\n  signature line of/, note('hello\n', logKey))],
	['public key', shows('a public key', /^public key of a log, Ed25519 \(0x01\)\n/, `${logKey.vkey}\n`)],
	['public key', shows('a witness key', /^public key of a witness/, key('w', 4).vkey)],
	['DSSE envelope', shows('an anchor', /^DSSE envelope of type .*anchor\+json\n  anchor of tenant acme.*sequences 3 to 5.*root hash of the anchor before/s, dsse(statement(made, 3, 5), anchorType, logKey))],
	['DSSE envelope', shows('a mark', /verified up to sequence 5 of tenant acme/, dsse(jcs({ chainId: made.chain, mode: 'full', origin: made.origin, rootHash: root(made.leaves).toString('hex'),
		schemaVersion: 'ledger.verified.v1', tenant: 'acme', treeSize: 5, verifiedAt: '2026-11-24T08:00:00.000000Z' }), 'application/vnd.stella-ledger-verified+json', logKey))],
	['DSSE envelope', shows('another statement', /the payload is no statement of a ledger/, dsse('{}', 'text/plain', logKey))],
	['event envelope', shows('an event', new RegExp(`^event, its envelope alone\n.*event hash ${made.rows[1].event_hash}\n  leaf hash ${made.rows[1].merkle_leaf_hash}\n`, 's'), made.envelopes[1])],
	['export line', shows('a line', /^event with its payload/, exportLine(made.rows[1]) + '\n')],
	['export line', shows('several lines', /the first of 5 lines; ledgerctl verify-export checks them all/, lines(made))],
	['air-gap anchor', shows('an air-gap anchor', /^anchor of the air-gap bundle b-1\n  origin/, jcs({ schema: 'ledger.airgap.v1', bundleId: 'b-1', checkpoint: note(text, logKey) }))],
];
for (const [kind, shown] of kinds) ok(shown.status === GOOD && shown.kind === kind, `inspect --json: ${kind}`, JSON.stringify(shown));
const privately = shows('a private key', new RegExp(`^private key of a log.*public key ${logKey.vkey.replaceAll('+', '\\+')}\n`, 's'), `${logKey.skey}\n`);
ok(privately.kind === 'private key' && !JSON.stringify(privately).includes(logKey.skey.slice(-30)), 'inspect shows no private key');

const nothing = (name, pattern, content) => expect(`inspect: ${name}`, FAILED, pattern, ['inspect', file(`not-${name.replaceAll(' ', '-')}`, content)]);
nothing('something else', /is nothing that ledgerctl knows/, 'hello\n');
nothing('an empty file', /is nothing that ledgerctl knows/, '');
nothing('zeros', /is nothing that ledgerctl knows/, Buffer.alloc(100));
nothing('a broken bundle', /begins as a proof bundle, but is none/, 'c2sp.org/tlog-proof@v1\nindex x\n');
nothing('a broken envelope', /is no DSSE envelope/, '{"payloadType":"x"}');
nothing('broken JSON', /invalid syntax at byte 6/, '{"a": }');
nothing('a broken private key', /holds no private key as keygen writes it/, 'PRIVATE+KEY+x');
nothing('an event with a wrong hash', /the event hash is/, exportLine(made.rows[1]).replace('zoë-2', 'eve-2'));
nothing('JSON of another kind', /this is no event/, '{"hello": 1}');
expect('inspect: a file that is not there', NOT_FOUND, /gone: no such file/, ['inspect', join(dir, 'gone')]);
expect('inspect: a directory', USAGE, /Is a directory/, ['inspect', dir]);
expect('inspect without a file', USAGE, /inspect needs FILE/, ['inspect']);

// ---- time stamps, by a small authority of openssl's

const openssl = (...args) => {
	const { status, stderr } = spawnSync('openssl', args, { cwd: dir, encoding: 'utf8' });
	if (status !== 0) console.log(`# openssl ${args.join(' ')}: ${stderr}`);
};
file('tsa.cnf', `[req]\ndistinguished_name = dn\n[dn]\n[ext]\nextendedKeyUsage = critical,timeStamping\n[tsa]\ndefault_tsa = t\n[t]\nserial = serial\nsigner_digest = sha256
default_policy = 1.2.3.4\ndigests = sha256\ncrypto_device = builtin\n`);
file('serial', '2A\n');
openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'tsa.key', '-out', 'tsa.pem', '-subj', '/CN=tsa', '-config', 'tsa.cnf', '-extensions', 'ext');
openssl('ts', '-query', '-data', file('stamped', text), '-sha256', '-out', 'query.tsq');
openssl('ts', '-reply', '-config', 'tsa.cnf', '-queryfile', 'query.tsq', '-signer', 'tsa.pem', '-inkey', 'tsa.key', '-out', 'reply.tsr');
openssl('ts', '-reply', '-config', 'tsa.cnf', '-queryfile', 'query.tsq', '-signer', 'tsa.pem', '-inkey', 'tsa.key', '-token_out', '-out', 'token.der');
const imprint = sha256(text).toString('hex');
expect('inspect: a time stamp', GOOD, new RegExp(`^RFC 3161 time stamp, not verified here\n  serial 0x2B\n  time .* GMT\n  policy 1\\.2\\.3\\.4\n  hash algorithm sha256\n  imprint ${imprint}\n  nonce 0x`), ['inspect', join(dir, 'reply.tsr')]);
expect('inspect: its token alone', GOOD, new RegExp(`serial 0x2C\n.*imprint ${imprint}\n`, 's'), ['inspect', join(dir, 'token.der')]);
nothing('a time stamp that was cut off', /is nothing that ledgerctl knows/, readFileSync(join(dir, 'token.der')).subarray(0, -1));

done();
