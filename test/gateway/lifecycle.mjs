// How the gateway starts, is told things by signals, and ends.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import {
	anEvent, Authority, bareEnvironment, file, noteComplaint, program, raw, request, runProgram, settings, startGateway, theAuthority, waitFor, work,
} from './lib/gateway.mjs';
import { relay } from './lib/relay.mjs';

const run = promisify(execFile);

// Nobody listens there.
async function freePort() {
	const server = createServer();
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	const { port } = server.address();
	await new Promise((done) => server.close(done));
	return port;
}

test('it starts, says so, and ends with status 0 at SIGTERM', async () => {
	const gateway = await startGateway();
	const line = gateway.log.find(({ event }) => event === 'start');
	assert.equal(line.message, 'Ledger started');
	assert.equal(line.pid, gateway.pid);
	assert.match(line.version, /^\d+\.\d+/);
	assert.match(line.listen, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
	assert.match(line.admin, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
	await gateway.stop();
	assert.equal(gateway.log.at(-1).message, 'Ledger stopped');
	assert.equal(gateway.stderr, '');
});

test('the line of the start is there at every level', async () => {
	const gateway = await startGateway({ env: { LEDGER__OBSERVABILITY__LOGLEVEL: 'error' } });
	await gateway.stop();
	assert.deepEqual(gateway.log.map(({ event }) => event), ['start']);
});

test('SIGINT ends it as well', async () => {
	const gateway = await startGateway();
	await gateway.stop({ signal: 'SIGINT' });
});

test('a lost reader of a connection is no reason to end', async () => {
	const gateway = await startGateway();
	gateway.signal('SIGPIPE');
	assert.equal((await gateway.api('/health/live', { token: null })).status, 200);
	await gateway.stop();
});

test('--version and --help', async () => {
	const version = await runProgram(['--version']);
	assert.match(version.stdout, /^ledger-gateway \d+\.\d+\n$/);
	assert.equal(version.code, 0);
	assert.match((await runProgram(['--help'])).stdout, /^usage: ledger-gateway /);
});

test('wrong settings: status 1, nothing started, nothing listened on', async () => {
	const gateway = await startGateway({ env: { LEDGER__HTTP__LOOPS: '0' }, started: false });
	assert.deepEqual(await gateway.exited, { code: 1, signal: null });
	assert.match(gateway.stderr, /LOOPS must be from 1 to/);
	assert.deepEqual(gateway.stdout, []);
});

test('a port that somebody has: status 1 and a message', async () => {
	const first = await startGateway();
	const second = await startGateway({ env: { LEDGER__HTTP__LISTEN: first.url }, started: false });
	assert.deepEqual(await second.exited, { code: 1, signal: null });
	assert.match(second.stderr + second.stdout.join('\n'), /in use/i);
	await first.stop();
});

test('without a database it starts, lives, says that it is not ready, and gets ready when one comes', async () => {
	const port = await freePort();
	const gateway = await startGateway({ env: { LEDGER__DB__CONNECTIONSTRING: `postgresql://gateway_login@127.0.0.1:${port}/ledger` } });
	assert.equal((await gateway.api('/health/live', { token: null })).status, 200);
	const ready = await gateway.api('/health/ready', { token: null });
	assert.equal(ready.status, 503);
	assert.ok(ready.json.checks.some(({ name, ok }) => name === 'database' && ok === false), ready.text);
	const answer = await gateway.api('/v1/ledger/chains');
	assert.equal(answer.status, 503);
	assert.ok(Number(answer.headers['retry-after']) >= 1);
	// A relay to the real one stands in for a database that starts late.
	const late = await relay({ port });
	await gateway.ready();
	assert.equal((await gateway.api('/v1/ledger/chains')).status, 200);
	await gateway.stop();
	await late.close();
});

test('SIGTERM: readiness goes first, then listening stops, and what is in flight is finished', async () => {
	const gateway = await startGateway({ env: { LEDGER__HTTP__DRAINDELAY: '3s' } });
	await gateway.ready();
	// A request that is half there when the signal comes.
	const body = JSON.stringify(anEvent());
	const slow = await raw(gateway.port);
	await slow.send(`POST /v1/ledger/events HTTP/1.1\r\nHost: x\r\nX-Stella-Tenant: acme\r\nAuthorization: Bearer ${theAuthority().token()}\r\n`
		+ `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body.slice(0, 10)}`);
	gateway.signal('SIGTERM');
	await waitFor(async () => (await gateway.api('/health/ready', { token: null })).status === 503, { what: 'readiness to go' });
	assert.equal((await gateway.api('/health/live', { token: null })).status, 200, 'it still serves');
	await waitFor(async () => request(`${gateway.url}/health/live`).then(() => false, ({ code }) => code === 'ECONNREFUSED'), { what: 'listening to stop' });
	assert.equal(gateway.end, undefined, 'it waits for the request');
	await slow.send(body.slice(10));
	await slow.until(/HTTP\/1\.1 201 /);
	assert.deepEqual(await gateway.exited, { code: 0, signal: null });
});

test('a request that never ends is not waited for longer than the time to drain', async () => {
	const gateway = await startGateway({ env: { LEDGER__HTTP__DRAINTIMEOUT: '300ms' } });
	await gateway.ready();
	const slow = await raw(gateway.port);
	await slow.send('POST /v1/ledger/events HTTP/1.1\r\nHost: x\r\nX-Stella-Tenant: acme\r\n'
		+ `Authorization: Bearer ${theAuthority().token()}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`);
	// The one that asks is one.
	await waitFor(async () => /^http_requests_in_flight\S* [2-9]/m.test((await gateway.admin('/metrics')).text), { what: 'the request' });
	const begun = Date.now();
	await gateway.stop();
	assert.ok(Date.now() - begun < 5000);
	slow.destroy();
});

test('a second SIGTERM ends it at once', async () => {
	const gateway = await startGateway({ env: { LEDGER__HTTP__DRAINDELAY: '60s' } });
	gateway.signal('SIGTERM');
	await gateway.line({ event: 'stop.begin' });
	gateway.signal('SIGTERM');
	assert.deepEqual(await gateway.exited, { code: 1, signal: null });
	assert.equal(gateway.log.at(-1).event, 'stop.forced');
});

test('SIGHUP: settings that may change do, others are told and stay', async () => {
	const path = file('reload.json', { Ledger: { Observability: { LogLevel: 'info', Enabled: true } } });
	const gateway = await startGateway({ args: ['--config', path] });
	assert.equal((await gateway.admin('/metrics')).status, 200);
	writeFileSync(path, JSON.stringify({ Ledger: { Observability: { LogLevel: 'debug', Enabled: false }, Http: { MaxConnections: 5 } } }));
	gateway.signal('SIGHUP');
	await gateway.line({ event: 'config.reloaded' });
	assert.match((await gateway.line({ event: 'config.kept' })).message, /LEDGER__HTTP__MAXCONNECTIONS was changed; that takes a restart/);
	assert.equal((await gateway.admin('/metrics')).status, 404);
	await gateway.line((line) => line.level === 'debug' && line.route === 'getMetrics');
	await gateway.stop();
});

test('SIGHUP with wrong settings changes nothing and is told', async () => {
	const path = file('reload2.json', { Ledger: { Observability: { Enabled: true } } });
	const gateway = await startGateway({ args: ['--config', path] });
	writeFileSync(path, '{"Ledger": {"Observability": {"Enabled": "perhaps"}}}');
	gateway.signal('SIGHUP');
	assert.match((await gateway.line({ event: 'config.wrong' })).message, /ENABLED|Enabled/);
	await gateway.line({ event: 'config.not_reloaded' });
	assert.equal((await gateway.admin('/metrics')).status, 200);
	writeFileSync(path, '{"Ledger": {"Observability": {"Enabled": "false"}}}');
	gateway.signal('SIGHUP');
	await gateway.line({ event: 'config.reloaded' });
	assert.equal((await gateway.admin('/metrics')).status, 404);
	await gateway.stop();
});

test('SIGHUP reads the keys of the authority anew', async () => {
	const other = new Authority({ algorithms: ['ES256'], prefix: 'new-' });
	const path = file('jwks-reload.json', theAuthority().jwks());
	const gateway = await startGateway({ env: { LEDGER__AUTH__JWKS: path, LEDGER__AUTH__MINREFRESH: '1h', LEDGER__AUTH__REFRESH: '1h' } });
	await gateway.ready();
	assert.equal((await gateway.api('/v1/ledger/chains', { token: other.token() })).status, 401);
	writeFileSync(path, JSON.stringify(other.jwks()));
	gateway.signal('SIGHUP');
	await gateway.line({ event: 'config.reloaded' });
	await waitFor(async () => (await gateway.api('/v1/ledger/chains', { token: other.token() })).status === 200, { what: 'the new key' });
	assert.equal((await gateway.api('/v1/ledger/chains')).status, 401, 'the old key is gone, and so are the signatures that it made');
	await gateway.stop();
});

test('--ready asks the gateway that runs with the same settings', async () => {
	const port = await freePort();
	const env = { ...settings(), LEDGER__HTTP__ADMINLISTEN: '', LEDGER__HTTP__LISTEN: `http://*:${port}` };
	const before = await runProgram(['--ready'], { env });
	assert.equal(before.code, 1);
	assert.match(before.stderr, /not ready: /);
	const gateway = await startGateway({ env });
	await waitFor(async () => (await runProgram(['--ready'], { env })).code === 0, { what: '--ready' });
	await gateway.stop();
	const away = { ...env, LEDGER__DB__CONNECTIONSTRING: `host=127.0.0.1 port=${await freePort()}` };
	const unready = await startGateway({ env: away });
	const answer = await runProgram(['--ready'], { env: away });
	assert.deepEqual([answer.code, answer.stderr], [1, 'ledger-gateway: not ready: status 503\n']);
	await unready.stop();
	const unknown = await runProgram(['--ready'], { env: settings() });
	assert.match(unknown.stderr, /do not say on which port/);
	assert.equal(unknown.code, 1);
});

// As a container's first process: there a signal without a handler is not even delivered.
test('it works as process 1', async (t) => {
	const env = { ...bareEnvironment(), ...settings() };
	const child = spawn('unshare', ['--fork', '--pid', '--kill-child', program], { env, stdio: ['ignore', 'pipe', 'pipe'] });
	t.after(() => child.kill('SIGKILL'));
	let text = '';
	child.stdout.on('data', (chunk) => { text += chunk; });
	child.stderr.on('data', (chunk) => { text += chunk; });
	const ended = new Promise((resolve) => child.on('close', (code) => { noteComplaint(child, text); resolve(code); }));
	await waitFor(() => /Ledger started/.test(text), { what: 'the start' });
	assert.equal(JSON.parse(text.split('\n').find((line) => /Ledger started/.test(line))).pid, 1);
	const { stdout } = await run('pgrep', ['-P', String(child.pid)]);
	process.kill(Number(stdout.trim()), 'SIGTERM');
	assert.equal(await ended, 0, text);
	assert.match(text, /Ledger stopped/);
});

// A datagram socket, by perl: node has none of the family that systemd uses.
async function notifySocket(t) {
	const path = `${work}/notify-${Math.random().toString(36).slice(2)}`;
	const child = spawn('perl', ['-MIO::Socket::UNIX', '-e', `
		$| = 1;
		my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die;
		print "listening\\n";
		while (defined $s->recv(my $m, 4096)) { $m =~ s/\\n/;/g; print "$m\\n" }`, path], { stdio: ['ignore', 'pipe', 'inherit'] });
	t.after(() => { child.kill('SIGKILL'); unlinkSync(path); });
	let text = '';
	child.stdout.on('data', (chunk) => { text += chunk; });
	await waitFor(() => text.includes('listening'), { what: 'the socket' });
	return { path, messages: () => text.trim().split('\n').slice(1) };
}

test('systemd is told: READY, WATCHDOG, RELOADING, STOPPING', async (t) => {
	const { path, messages } = await notifySocket(t);
	const gateway = await startGateway({ env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '300000' } });
	const told = (pattern) => waitFor(() => messages().some((message) => pattern.test(message)), { what: `${pattern} in ${messages()}` });
	await told(/^READY=1$/);
	await waitFor(() => messages().filter((message) => message === 'WATCHDOG=1').length >= 3, { what: 'three signs of life' });
	gateway.signal('SIGHUP');
	await told(/^RELOADING=1;MONOTONIC_USEC=\d+$/);
	await waitFor(() => messages().filter((message) => message === 'READY=1').length === 2, { what: 'the second READY' });
	await gateway.stop();
	await told(/^STOPPING=1$/);
});

test('the watchdog is for the process that it names', async (t) => {
	const { path, messages } = await notifySocket(t);
	const gateway = await startGateway({ env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '60000', WATCHDOG_PID: '1' } });
	await waitFor(() => messages().includes('READY=1'), { what: 'READY' });
	for (let i = 0; i < 20; i++) await gateway.admin('/health/live');
	await gateway.stop();
	assert.ok(!messages().includes('WATCHDOG=1'));
});
