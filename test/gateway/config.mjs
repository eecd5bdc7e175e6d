// Settings: where they come from, what is refused, what is shown, what reaches ledgerctl.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { bareEnvironment, database, dsn, file, key32, program, runProgram, settings, startGateway, waitFor, work } from './lib/gateway.mjs';

const check = (env, args = []) => runProgram(['--check-config', ...args], { env });

// The settings that hold, by name without the prefix, and where each came from.
async function print(env, args = []) {
	const { code, stdout, stderr } = await runProgram(['--print-config', ...args], { env });
	assert.equal(code, 0, stderr);
	return Object.fromEntries(stdout.trim().split('\n').map((line) => {
		const [, name, value, source] = /^LEDGER__(\w+)=(.*) {2}# (.*)$/.exec(line);
		return [name, { value, source }];
	}));
}

const good = async (env, args) => { const r = await check(env, args); assert.equal(r.code, 0, r.stderr); return r; };

// Refused, with status 1 and a message that matches.
async function bad(env, pattern, args) {
	const result = await check(env, args);
	assert.equal(result.code, 1, 'the exit status');
	assert.match(result.stderr, pattern);
	return result.stderr;
}

test('without any setting everything has a default', async () => {
	assert.match((await good({})).stdout, /the settings are good/);
	const all = await print({});
	assert.equal(all.HTTP__MAXCONNECTIONS.value, '1024');
	assert.ok(Object.values(all).every(({ source }) => source === 'default'));
});

test('the environment gives a setting, in any case', async () => {
	const all = await print({ LEDGER__HTTP__LOOPS: '3', Ledger__Db__Queue: '7' });
	assert.deepEqual(all.HTTP__LOOPS, { value: '3', source: 'LEDGER__HTTP__LOOPS' });
	assert.deepEqual(all.DB__QUEUE, { value: '7', source: 'Ledger__Db__Queue' });
});

test('an empty variable counts as none', async () => {
	assert.equal((await print({ LEDGER__HTTP__LOOPS: '' })).HTTP__LOOPS.value, '1');
	await good({ LEDGER__HTTP__LOOPS_FILE: '' });
});

test('…_FILE is the contents of a file, without the newline at its end', async () => {
	assert.equal((await print({ LEDGER__AUTH__ISSUER_FILE: file('issuer', 'https://a.test\n') })).AUTH__ISSUER.value, 'https://a.test');
	assert.equal((await print({ LEDGER__AUTH__ISSUER_FILE: file('issuer2', 'https://b.test\r\n\n') })).AUTH__ISSUER.value, 'https://b.test');
	await bad({ LEDGER__AUTH__ISSUER_FILE: `${work}/gone` }, /LEDGER__AUTH__ISSUER_FILE: the file .*gone: No such file/);
	await bad({ LEDGER__AUTH__ISSUER_FILE: file('nul', Buffer.from('a\0b')) }, /contains a NUL byte/);
	await bad({ LEDGER__AUTH__ISSUER_FILE: file('long', 'x'.repeat(65537)) }, /longer than 65536 bytes/);
});

test('a setting and its _FILE together are an error', async () => {
	await bad({ LEDGER__AUTH__ISSUER: 'x', LEDGER__AUTH__ISSUER_FILE: file('both', 'y') }, /ISSUER(_FILE)? and LEDGER__AUTH__ISSUER(_FILE)? are both set/);
});

test('a settings file is JSON, nested, in any case; the environment goes before it', async () => {
	const path = file('appsettings.json', {
		Logging: { LogLevel: { Default: 'Information' } },
		Ledger: { Db: { ConnectionString: 'Host=h' }, HTTP: { loops: 2, MaxBody: 4096 }, observability: { Enabled: false }, Auth: { Issuer: null } },
		'Ledger:Db:Queue': '9',
	});
	const all = await print({ LEDGER__HTTP__MAXBODY: '8192' }, ['--config', path]);
	assert.equal(all.DB__CONNECTIONSTRING.value, '********');
	assert.deepEqual(all.HTTP__LOOPS, { value: '2', source: `${path}: Ledger:HTTP:loops` });
	assert.deepEqual(all.HTTP__MAXBODY, { value: '8192', source: 'LEDGER__HTTP__MAXBODY' });
	assert.equal(all.OBSERVABILITY__ENABLED.value, 'false');
	assert.equal(all.DB__QUEUE.value, '9');
	assert.equal(all.AUTH__ISSUER.source, 'default');
});

test('a list in the settings file may be an array', async () => {
	const path = file('list.json', { Ledger: { Attachments: { EgressAllowList: ['a.test', 'b.test'] } } });
	assert.equal((await print({}, ['--config', path])).ATTACHMENTS__EGRESSALLOWLIST.value, 'a.test;b.test');
	await bad({}, /must be strings/, ['--config', file('list2.json', { Ledger: { Attachments: { EgressAllowList: ['a', 1] } } })]);
});

test('a settings file that is wrong is refused with the place', async () => {
	await bad({}, /line 2, column \d+: /, ['--config', file('syntax.json', '{"Ledger":\n{"Db": }}')]);
	await bad({}, /name|twice|stands twice/, ['--config', file('dup.json', '{"Ledger": {"Http": {"Loops": 1, "Loops": 2}}}')]);
	await bad({}, /are both set/, ['--config', file('dup2.json', '{"Ledger": {"Http": {"Loops": 1, "LOOPS": 2}}}')]);
	await bad({}, /Ledger must be an object/, ['--config', file('flat.json', '{"Ledger": 1}')]);
	await bad({}, /not an object/, ['--config', file('array.json', '[]')]);
	await bad({}, /No such file/, ['--config', `${work}/gone.json`]);
	await bad({}, /Ledger:Db:ConnectionStrng: there is no such setting; the nearest is LEDGER__DB__CONNECTIONSTRING/,
		['--config', file('unknown.json', { Ledger: { Db: { ConnectionStrng: 'x' } } })]);
});

test('an unknown name is an error that suggests the nearest', async () => {
	await bad({ LEDGER__DB__CONECTIONSTRING: 'x' }, /LEDGER__DB__CONECTIONSTRING: there is no such setting; the nearest is LEDGER__DB__CONNECTIONSTRING/);
	await bad({ LEDGER__HTTP__LISTENER: 'x' }, /nearest is LEDGER__HTTP__LISTEN\b/);
	await bad({ LEDGER__MERKLE__SIGNINGKEY_FLE: 'x' }, /nearest is LEDGER__MERKLE__SIGNINGKEY_FILE/);
	await bad({ LEDGER__: 'x' }, /no such setting/);
	await bad({ LEDGER__FOO__BAR: 'x' }, /FOO__BAR: there is no such setting, and no such section; there are HTTP, TLS, DB, .*OFFLINE$/m);
	await bad({ LEDGER__TLS__CA: 'x' }, /TLS__CA: there is no such setting; in that section there are TLS__CERTIFICATE, TLS__KEY, .*TLS__REQUIRECLIENT$/m);
	await bad({ [`LEDGER__${'X'.repeat(400)}`]: 'x' }, /no setting with so long a name/);
	await good({ LEDGER_POLICY_HASH: 'not ours' });
});

test('every error is told at once', async () => {
	const errors = (await bad({
		LEDGER__HTTP__LOOPS: 'many', LEDGER__HTTP__MAXBODY: '1', LEDGER__OBSERVABILITY__ENABLED: 'yes', LEDGER__HTTP__IDLETIMEOUT: '60',
		LEDGER__AUTH__SKEW: '500ms', LEDGER__OBSERVABILITY__LOGLEVEL: 'loud', LEDGER__HTTP__LISTEN: 'ftp://x', LEDGER__NOPE: '1',
		LEDGER__MERKLE__WINDOWDURATION: '15',
	}, /./)).trim().split('\n');
	assert.equal(errors.length, 9, errors.join('\n'));
	for (const name of ['LOOPS must be a whole number, not "many"', 'MAXBODY must be from 1024 to', 'ENABLED must be true or false',
		'IDLETIMEOUT must be a time like 00:05:00', 'SKEW must be a time in whole seconds', 'LOGLEVEL must be debug', 'is no address to listen on',
		'NOPE: there is no such setting', 'WINDOWDURATION must be a time like'])
		assert.ok(errors.some((line) => line.includes(name)), `${name} in ${errors.join('\n')}`);
});

test('also what is wrong with keys and places, beside what cannot be read; but nothing that only follows', async () => {
	const errors = (await bad({
		LEDGER__HTTP__LOOPS: 'many', LEDGER__HTTP__MAXBODY: 'much', LEDGER__HTTP__LISTEN: 'ftp://x', LEDGER__AUTH__JWKS: 'http://example.test/jwks',
		LEDGER__AUTH__ISSUER: 'i', LEDGER__AUTH__AUDIENCE: 'a', LEDGER__ATTACHMENTS__ENCRYPTIONKEY: 'short', LEDGER__EXPORT__SIGNINGKEY: 'none',
		LEDGER__ATTACHMENTS__PREVIOUSKEYS_FILE: '/does/not/exist', LEDGER__TLS__CERTIFICATE: file('some-certificate.pem', 'x'),
	}, /./)).trim().split('\n');
	for (const name of ['LOOPS', 'MAXBODY', 'ftp://x', 'AUTH__JWKS', 'ENCRYPTIONKEY must be 32 bytes', 'SIGNINGKEY', 'PREVIOUSKEYS_FILE'])
		assert.ok(errors.some((line) => line.includes(name)), `${name} in ${errors.join('\n')}`);
	assert.equal(errors.length, 7, errors.join('\n'));
});

test('times are hh:mm:ss or have a unit', async () => {
	for (const time of ['00:01:00', '60s', '1m', '60000ms', '0.00:01:00']) await good({ LEDGER__HTTP__IDLETIMEOUT: time });
	for (const time of ['60', '1min', '00:60:00', '-1s', '1.5s']) await bad({ LEDGER__HTTP__IDLETIMEOUT: time }, /must be a time like/);
	await bad({ LEDGER__HTTP__IDLETIMEOUT: '2d' }, /must be from 1000 to 86400000 milliseconds/);
});

test('addresses: ASPNETCORE_URLS is another name, * and + are every address', async () => {
	assert.equal((await print({ ASPNETCORE_URLS: 'http://+:8080;http://localhost:8081/' })).HTTP__LISTEN.value, 'http://+:8080;http://localhost:8081/');
	const both = { ASPNETCORE_URLS: 'http://+:8080', LEDGER__HTTP__LISTEN: 'http://*:9090' };
	assert.equal((await print(both)).HTTP__LISTEN.value, 'http://*:9090');
	assert.match((await good(both)).stdout, /ASPNETCORE_URLS has no effect here: LEDGER__HTTP__LISTEN says otherwise/);
	assert.ok(!(await good({ ...both, LEDGER__HTTP__LISTEN: 'http://+:8080' })).stdout.includes('ASPNETCORE_URLS'));
	for (const urls of ['http://*:8080', 'http://0.0.0.0:8080', 'http://[::1]:8080', 'HTTP://127.0.0.1', 'http://+:8080; http://[::]:8081'])
		await good({ ASPNETCORE_URLS: urls });
	for (const urls of ['http://', 'http://example.test:80', 'http://127.0.0.1:65536', 'http://127.0.0.1:80/path', '127.0.0.1:80', 'http://::1:80', 'http://1.2.3:80'])
		await bad({ ASPNETCORE_URLS: urls }, /ASPNETCORE_URLS: .* is no address to listen on/);
});

test('what does not go together is refused', async () => {
	const some = file('some.pem', 'x');
	await bad({ LEDGER__TLS__KEY: some }, /LEDGER__TLS__KEY is set, but not LEDGER__TLS__CERTIFICATE/);
	await bad({ LEDGER__TLS__CERTIFICATE: some }, /LEDGER__TLS__CERTIFICATE is set, but not LEDGER__TLS__KEY/);
	await bad({ LEDGER__HTTP__LISTEN: 'https://127.0.0.1:8443' }, /https:\/\/ needs LEDGER__TLS__CERTIFICATE/);
	await bad({ LEDGER__TLS__KEY: some, LEDGER__TLS__CERTIFICATE: some }, /no address has https/);
	await bad({ LEDGER__TLS__REQUIRECLIENT: 'true' }, /REQUIRECLIENT needs LEDGER__TLS__CLIENTCA/);
	await bad({ LEDGER__TLS__CLIENTCA: `${work}/gone` }, /CLIENTCA: the file .*: No such file/);
	await bad({ LEDGER__AUTH__JWKS: 'x' }, /not LEDGER__AUTH__ISSUER[^]*not LEDGER__AUTH__AUDIENCE/);
	await bad({ LEDGER__AUTH__JWKS: `${work}/gone` }, /AUTH__JWKS: No such file/);
	await bad({ LEDGER__AUTH__JWKS: 'http://authority.example/jwks' }, /AUTH__JWKS: the URL is not https/);
	await bad({ LEDGER__TLS__CLIENTS: file('clients.json', '{"clients":[{}]}') }, /TLS__CLIENTS: .*clients\.json: entry 1: no "match"/);
	await bad({ LEDGER__ATTACHMENTS__ALLOWEGRESS: 'true' }, /EGRESSALLOWLIST names no host/);
	await bad({ LEDGER__ATTACHMENTS__PREVIOUSKEYS: key32(1) }, /PREVIOUSKEYS needs LEDGER__ATTACHMENTS__ENCRYPTIONKEY/);
	await bad({ LEDGER__HTTP__MAXBATCH: '2048' }, /MAXBATCH must not be less than LEDGER__HTTP__MAXBODY/);
});

test('keys are 32 bytes in base64, and are not repeated', async () => {
	await good({ LEDGER__ATTACHMENTS__ENCRYPTIONKEY: key32(7), LEDGER__ATTACHMENTS__PREVIOUSKEYS: `${key32(8)};${key32(9)}` });
	for (const key of [Buffer.alloc(31).toString('base64'), Buffer.alloc(33).toString('base64'), 'c2VjcmV0', key32(1).replace('=', ''), `${key32(1)} `])
		for (const name of ['ATTACHMENTS__ENCRYPTIONKEY', 'HTTP__CURSORKEY']) {
			const message = await bad({ [`LEDGER__${name}`]: key }, new RegExp(`${name} must be 32 bytes in base64`));
			assert.ok(!message.includes(key), 'the key is not in the message');
		}
	const message = await bad({ LEDGER__EXPORT__SIGNINGKEY: 'PRIVATE+KEY+x+y+z' }, /must be a private key as ledgerctl keygen/);
	assert.ok(!message.includes('PRIVATE'));
});

test('it is told when nobody can be let in', async () => {
	const nobody = /neither LEDGER__AUTH__JWKS nor LEDGER__TLS__CLIENTCA is set/;
	assert.match((await good({})).stdout, nobody);
	const keys = { LEDGER__AUTH__JWKS: file('some-keys.json', { keys: [] }), LEDGER__AUTH__ISSUER: 'i', LEDGER__AUTH__AUDIENCE: 'a' };
	assert.doesNotMatch((await good(keys)).stdout, /neither/);
	const certificates = { LEDGER__HTTP__LISTEN: 'https://127.0.0.1:0' };
	for (const name of ['CERTIFICATE', 'KEY', 'CLIENTCA']) certificates[`LEDGER__TLS__${name}`] = file(`some-${name}.pem`, 'x');
	assert.match((await good(certificates)).stdout, /neither LEDGER__AUTH__JWKS nor LEDGER__TLS__CLIENTS is set/);
	assert.doesNotMatch((await good({ ...certificates, LEDGER__TLS__CLIENTS: file('nobody.json', { clients: [] }) })).stdout, /neither/);
});

test('a file with a secret that others can read is told', async () => {
	const told = (env, args) => good(env, args).then(({ stdout }) => /^(.*): others can read (.*), which holds a secret \(mode (\d+)\)/m.exec(stdout)?.slice(1));
	for (const [mode, open] of [[0o600, false], [0o400, false], [0o644, true], [0o604, true]]) {
		const path = file(`secret-${mode}`, key32(1), mode);
		chmodSync(path, mode);
		const expected = open ? [path, `0${mode.toString(8)}`] : undefined;
		assert.deepEqual((await told({ LEDGER__HTTP__CURSORKEY_FILE: path }))?.slice(1), expected, `mode ${mode.toString(8)}`);
		assert.deepEqual((await told({ LEDGER__MERKLE__SIGNINGKEY_FILE: path }))?.slice(1), expected, 'a key of ledgerctl');
	}
	// What is no secret may be open.
	assert.equal(await told({ LEDGER__AUTH__ISSUER_FILE: file('open', 'x', 0o644) }), undefined);
	const config = (members, mode) => ['--config', file(`open-${JSON.stringify(members).length}.json`, { Ledger: members }, mode)];
	assert.equal(await told({}, config({ Http: { Loops: 1 } }, 0o644)), undefined);
	assert.equal((await told({}, config({ Db: { ConnectionString: 'host=h' } }, 0o644)))[0], 'the settings file');
});

test('secrets are masked where settings are printed', async () => {
	const secrets = {
		LEDGER__DB__CONNECTIONSTRING: 'postgresql://u:hunter2@h/d', LEDGER__ATTACHMENTS__ENCRYPTIONKEY: key32(3),
		LEDGER__ATTACHMENTS__PREVIOUSKEYS: key32(4), LEDGER__HTTP__CURSORKEY: key32(5), LEDGER__MERKLE__SIGNINGKEY: 'PRIVATE+KEY+seeded',
	};
	const { stdout } = await runProgram(['--print-config'], { env: secrets });
	for (const [name, value] of Object.entries(secrets)) {
		assert.ok(!stdout.includes(value), name);
		assert.match(stdout, new RegExp(`${name}=\\*{8} {2}# ${name}`));
	}
	assert.ok(!stdout.includes('hunter2'));
});

test('connection strings: three forms, errors without values', async () => {
	const at = (text) => ({ LEDGER__DB__CONNECTIONSTRING: text });
	await good(at('postgresql://u:p@h:5432/d'));
	await good(at('host=h port=5432 dbname=d password=hunter2'));
	await good(at('Host=h;Port=5432;Database=d;Username=u;Password="a;b";SSL Mode=VerifyFull;Root Certificate=/ca.pem'));
	assert.match((await good(at('Server=h;User Id=u;Pwd=p;Pooling=true;Maximum Pool Size=20'))).stdout, /has no effect here: Pooling, Maximum Pool Size/);
	for (const [text, pattern] of [
		['Host=h;Pasword=hunter2', /there is no keyword "Pasword"/], ['Host=h;Password="hunter2', /no closing quote/],
		['Host=h;SSL Mode=Maybe;Password=hunter2', /SSL Mode must be/], ['hst=h password=hunter2', /there is no keyword "hst"/],
		['hunter2', /is no connection string/], ['postgresql://u:hunter2@[h', /is no connection string/],
	]) assert.ok(!(await bad(at(text), pattern)).includes('hunter2'), text);
});

test('the options of the program are read strictly', async () => {
	for (const args of [['--nope'], ['operand'], ['--check-config', '--print-config'], ['--config']]) {
		const { code, stderr } = await runProgram(args);
		assert.equal(code, 1, args.join(' '));
		assert.ok(stderr.length > 0);
	}
});

test('the reference page has every setting', async () => {
	const { stdout } = await runProgram(['--print-settings-reference']);
	for (const name of Object.keys(await print({}))) assert.ok(stdout.includes(`| \`LEDGER__${name}\` |`), name);
	assert.equal(stdout, readFileSync(new URL('../../docs/reference/gateway-settings.md', import.meta.url), 'utf8'), 'make docs');
});

// ---- with a gateway that runs ----

test('each form of a connection string connects', async () => {
	const { host, port, name, user } = database;
	for (const text of [dsn, `host=${host} port=${port} dbname=${name} user=${user}`, `Host=${host};Port=${port};Database=${name};Username=${user};Pooling=true`]) {
		const gateway = await startGateway({ env: { LEDGER__DB__CONNECTIONSTRING: text } });
		await gateway.ready();
		assert.equal((await gateway.api('/v1/ledger/chains')).status, 200, text.split('=')[0]);
		await gateway.stop();
	}
});

test('the database may come from a secret file, everything else from the settings file', async () => {
	const all = settings();
	const nested = { Ledger: {} };
	for (const [name, value] of Object.entries(all)) {
		const [, section, key] = name.split('__');
		if (name !== 'LEDGER__DB__CONNECTIONSTRING') (nested.Ledger[section] ??= {})[key] = value;
	}
	const gateway = await startGateway({
		unset: Object.keys(all), args: ['--config', file('whole.json', nested)],
		env: { LEDGER__DB__CONNECTIONSTRING_FILE: file('dsn', `${dsn}\n`) },
	});
	await gateway.ready();
	await gateway.stop();
});

test('a gateway leaves no core file, and its user cannot look into its memory', async () => {
	// Root may look into everything, so for this one it runs as somebody else.
	const other = process.getuid() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
	const [command, ...args] = [...other, program];
	const child = spawn(command, args, { env: { ...bareEnvironment(), LEDGER__HTTP__LISTEN: 'http://127.0.0.1:0' }, stdio: ['ignore', 'pipe', 'ignore'] });
	const ended = new Promise((resolve) => child.on('close', resolve));
	let said = '';
	child.stdout.on('data', (chunk) => { said += chunk; });
	await waitFor(() => said.includes('Ledger started'), { what: 'the start' });
	assert.match(readFileSync(`/proc/${child.pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m);
	// The kernel gives what belongs to a process that must not be dumped to root.
	assert.equal(statSync(`/proc/${child.pid}/status`).uid, 0);
	child.kill('SIGTERM');
	assert.equal(await ended, 0);
});

test('several addresses are listened on', async () => {
	const gateway = await startGateway({ env: { ASPNETCORE_URLS: 'http://127.0.0.1:0;http://[::1]:0' }, unset: ['LEDGER__HTTP__LISTEN'] });
	const urls = gateway.log.find((line) => line.event === 'start').listen.split(';');
	assert.equal(urls.length, 2);
	for (const url of urls) assert.equal((await fetch(`${url}/health/live`)).status, 200, url);
	await gateway.stop();
});

test('LEDGER__OBSERVABILITY__ENABLED=false makes /metrics answer 404', async () => {
	const gateway = await startGateway({ env: { LEDGER__OBSERVABILITY__ENABLED: 'false' } });
	assert.equal((await gateway.api('/metrics', { token: null, tenant: null })).status, 404);
	assert.equal((await gateway.admin('/metrics')).status, 404);
	await gateway.stop();
});

test('what ledgerctl needs reaches it, from the environment and from the file, and nothing else', async () => {
	const out = `${work}/child.env`;
	const child = file('ledgerctl', `#!/bin/sh\nenv >'${out}.new' && mv '${out}.new' '${out}'\n`);
	chmodSync(child, 0o755);
	const config = file('child.json', { Ledger: { Merkle: { BatchSize: 5 }, ExternalAnchoring: { Enabled: true, Worm: 'off' } } });
	const gateway = await startGateway({
		args: ['--config', config],
		env: {
			LEDGER__TICKS__ENABLED: 'true', LEDGER__TICKS__ANCHORINTERVAL: '100ms', LEDGER__TICKS__LEDGERCTL: child,
			LEDGER__MERKLE__SIGNINGKEY_FILE: '/run/secrets/key', LEDGER__MERKLE__ANCHORINTERVAL: '00:05:00', SOMETHING_ELSE: 'stays here',
		},
	});
	const text = await waitFor(() => { try { return readFileSync(out, 'utf8'); } catch { return ''; } }, { what: 'the child' });
	const environment = Object.fromEntries(text.trim().split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
	assert.equal(environment.LEDGER__MERKLE__BATCHSIZE, '5');
	assert.equal(environment.LEDGER__EXTERNALANCHORING__ENABLED, 'true');
	assert.equal(environment.LEDGER__MERKLE__SIGNINGKEY_FILE, '/run/secrets/key');
	assert.equal(environment.LEDGER__MERKLE__ANCHORINTERVAL, '00:05:00');
	assert.equal(environment.LEDGER__DB__CONNECTIONSTRING, dsn);
	for (const name of ['LEDGER__ATTACHMENTS__ENCRYPTIONKEY', 'LEDGER__HTTP__CURSORKEY', 'LEDGER__AUTH__JWKS', 'SOMETHING_ELSE'])
		assert.equal(environment[name], undefined, name);
	await gateway.stop();
});

// The bytes of a process that it may have written, a region at a time; not those that a
// sanitizer only reserves.
function* memory(pid) {
	const fd = openSync(`/proc/${pid}/mem`, 'r');
	try {
		for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').trim().split('\n')) {
			const [, from, to] = /^(\w+)-(\w+) rw/.exec(line) ?? [];
			const size = Number(BigInt(`0x${to ?? 0}`) - BigInt(`0x${from ?? 0}`));
			if (size === 0 || size > 128 * 1024 * 1024) continue;
			const bytes = Buffer.alloc(size);
			let n = 0;
			try { n = readSync(fd, bytes, 0, size, BigInt(`0x${from}`)); } catch { /* a guard page */ }
			yield bytes.subarray(0, n);
		}
	} finally {
		closeSync(fd);
	}
}

test('a secret of the settings file that does not hold is nowhere in memory', async (t) => {
	const kept = Buffer.alloc(32, 'kept').toString('base64');
	// Of a size that malloc keeps apart, and looked for in pieces: it writes over the beginning of what was freed.
	const passedOver = randomBytes(735).toString('base64');
	const pieces = Array.from({ length: 15 }, (_, i) => passedOver.slice(i * 60 + 40, i * 60 + 80));
	const path = file('secrets.json', { Ledger: { Http: { CursorKey: passedOver }, Attachments: { EncryptionKey: kept } } });
	const gateway = await startGateway({ args: ['--config', path], unset: ['LEDGER__ATTACHMENTS__ENCRYPTIONKEY'] });
	t.after(() => gateway.stop());
	const found = (texts) => {
		const regions = [...memory(gateway.pid)];
		return texts.filter((text) => regions.some((bytes) => bytes.includes(text))).length;
	};
	assert.equal(found([kept]), 1, 'what holds is found');
	assert.equal(found(pieces), 0);
});
