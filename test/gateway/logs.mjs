// The log: one JSON object a line, everything that a request is, and nothing that is secret.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
	anEvent, bareEnvironment, file, key32, killBackends, noteComplaint, program, raw, request, settings, startGateway, theAuthority, waitFor, work,
} from './lib/gateway.mjs';

let gateway;
before(async () => {
	gateway = await startGateway();
	await gateway.ready();
});
after(() => gateway.stop());

const requestLine = (id) => gateway.line({ event: 'request', request_id: id });

test('a request is one line, with everything that it is', async () => {
	const trace = randomBytes(16).toString('hex');
	const begun = Date.now();
	const answer = await gateway.api('/v1/ledger/events?limit=1', {
		headers: { 'X-Request-Id': 'logs-1', traceparent: `00-${trace}-00f067aa0ba902b7-01` },
	});
	const line = await requestLine('logs-1');
	assert.equal(answer.status, 200);
	assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
	assert.ok(Math.abs(Date.parse(line.time) - begun) < 5000, line.time);
	assert.equal(line.level, 'info');
	assert.equal(line.method, 'GET');
	assert.equal(line.route, 'listEvents');
	assert.equal(line.path, '/v1/ledger/events');
	assert.equal(line.status, 200);
	assert.ok(line.duration_ms > 0 && line.duration_ms < 10_000, String(line.duration_ms));
	assert.equal(line.tenant, 'acme');
	assert.equal(line.trace_id, trace);
	assert.match(line.span_id, /^[0-9a-f]{16}$/);
	assert.notEqual(line.span_id, '00f067aa0ba902b7');
	assert.equal(line.bytes, answer.bytes.length);
	assert.equal(gateway.log.filter(({ request_id: id }) => id === 'logs-1').length, 1);
});

test('without an id and a traceparent there are new ones, also in the answer', async () => {
	const { headers } = await gateway.api('/v1/ledger/chains');
	const line = await requestLine(headers['x-request-id']);
	assert.match(line.trace_id, /^[0-9a-f]{32}$/);
	assert.doesNotMatch(line.trace_id, /^0+$/);
});

test('what is refused is logged as well: no route, no token, another method', async () => {
	for (const [id, path, options, status] of [
		['logs-404', '/nowhere', {}, 404], ['logs-401', '/v1/ledger/chains', { token: null }, 401], ['logs-405', '/v1/ledger/chains', { method: 'DELETE' }, 405],
	]) {
		await gateway.api(path, { ...options, headers: { 'X-Request-Id': id } });
		const line = await requestLine(id);
		assert.equal(line.status, status);
		assert.equal(line.path, path);
	}
});

test('probes that went well are not logged, unless the level is debug', async () => {
	await gateway.api('/health/live', { token: null, headers: { 'X-Request-Id': 'logs-probe' } });
	await gateway.api('/v1/ledger/chains', { headers: { 'X-Request-Id': 'logs-behind' } });
	await requestLine('logs-behind');
	assert.ok(!gateway.log.some(({ request_id: id }) => id === 'logs-probe'));
});

test('whatever comes, each line is JSON', async () => {
	for (const path of ['/%22%5C', '/"quoted"', '/\\back', '/a\u007f', '/%e2%82', `/${'x'.repeat(900)}`, '/\xff\xfe']) {
		const socket = await raw(gateway.port);
		await socket.send(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: a"b\\c\r\nX-Stella-Tenant: "\\\xff\r\ntraceparent: "\\\r\n\r\n`);
		await socket.closed();
	}
	await gateway.api('/v1/ledger/chains', { headers: { 'X-Request-Id': 'logs-json' } });
	await requestLine('logs-json');
	assert.deepEqual(gateway.log.filter(({ unparsed }) => unparsed !== undefined), []);
	for (const line of gateway.log) assert.deepEqual(Object.keys(line).slice(0, 3), ['time', 'level', 'event']);
});

// Everything that is secret, or somebody's business, is seeded and must come out nowhere: neither on
// standard output nor on standard error, at the most talkative level, whatever goes wrong.
test('no token, payload, key or connection string is ever logged', async () => {
	const seed = () => randomBytes(9).toString('hex');
	const [password, payload, finding, query, secretFile] = [seed(), seed(), seed(), seed(), seed()];
	const keys = [key32(61), key32(62), key32(63)];
	const authority = theAuthority();
	const env = settings();
	const talkative = await startGateway({
		env: {
			LEDGER__OBSERVABILITY__LOGLEVEL: 'debug',
			LEDGER__DB__CONNECTIONSTRING: env.LEDGER__DB__CONNECTIONSTRING.replace('gateway_login@', `gateway_login:${password}@`),
			LEDGER__ATTACHMENTS__ENCRYPTIONKEY: keys[0], LEDGER__ATTACHMENTS__PREVIOUSKEYS: keys[1], LEDGER__HTTP__CURSORKEY: keys[2],
			LEDGER__AUTH__ISSUER_FILE: file(`secret-${secretFile}`, env.LEDGER__AUTH__ISSUER), LEDGER__MERKLE__SIGNINGKEY: `PRIVATE+KEY+${secretFile}`,
		},
		unset: ['LEDGER__AUTH__ISSUER'],
	});
	await talkative.ready();
	const tokens = [authority.token(), authority.token({ lifetime: -1000 }), authority.token({ tenant: 'globex' }), authority.token({ alg: 'RS256' }),
		`${authority.token().slice(0, -8)}AAAAAAAA`, `not.a.${seed()}`];
	const body = anEvent({ findingId: `f-${finding}`, payload: { comment: payload } });
	for (const token of tokens) {
		await talkative.api('/v1/ledger/events', { method: 'POST', body, token });
		await talkative.api(`/v1/ledger/events?type=${query}`, { token });
		await talkative.api(`/v1/ledger/events?cursor=${query}`, { token });
	}
	// Refused by the parser, by the database, as a conflict; and with a token where none belongs.
	await talkative.api('/v1/ledger/events', { method: 'POST', body: `{"payload": "${payload}", "payload": 1}`, headers: { 'Content-Type': 'application/json' } });
	await talkative.api('/v1/ledger/events', { method: 'POST', body: { ...body, type: 'no.such.type', payload: { [payload]: payload } } });
	await talkative.api('/v1/ledger/events', { method: 'POST', body: { ...body, id: `not-a-uuid-${payload}` } });
	await request(`${talkative.url}/v1/ledger/events?access_token=${tokens[0]}`);
	await killBackends();
	await talkative.ready();
	talkative.signal('SIGHUP');
	await talkative.line({ event: 'config.reloaded' });
	await talkative.stop();

	const everything = talkative.stdout.join('\n') + talkative.stderr;
	assert.ok(everything.length > 2000, 'there is a log to look at');
	for (const [what, secret] of Object.entries({ password, payload, finding, query, secretFile, ...keys }))
		assert.ok(!everything.includes(secret), `${what} in the log: ${everything.split('\n').find((line) => line.includes(secret))}`);
	for (const token of tokens)
		for (const part of token.split('.').filter((text) => text.length > 20 && !token.startsWith('not')))
			assert.ok(!everything.includes(part.slice(0, 20)), `a piece of a token in the log: ${part}`);
	assert.ok(!everything.includes('postgresql://'), 'no connection string');
});

// The program's output goes to a pipe that nobody reads: requests are answered all the same, and the
// lines that found no room are counted.
test('a reader that does not read stops no request', async (t) => {
	const env = { ...bareEnvironment(), ...settings(), LEDGER__HTTP__LISTEN: 'http://127.0.0.1:0' };
	// A shell keeps the read end open and reads up to the line of the start.
	const script = `mkfifo "$1"; exec 3<>"$1"; "$2" >&3 & pid=$!
		while read -r line <&3; do case $line in *'Ledger started'*) echo "$line"; break;; esac; done
		wait $pid; echo "status $?"`;
	const child = spawn('bash', ['-c', script, '-', `${work}/stuck`, program], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
	t.after(() => { try { process.kill(-child.pid, 'SIGKILL'); } catch { /* all of it has ended */ } });
	let text = '';
	let errors = '';
	child.stdout.on('data', (chunk) => { text += chunk; });
	child.stderr.on('data', (chunk) => { errors += chunk; });
	const ended = new Promise((resolve) => child.on('close', () => { noteComplaint(child, errors); resolve(); }));
	await waitFor(() => text.includes('\n'), { what: 'the line of the start' });
	const start = JSON.parse(text.split('\n')[0]);
	const url = start.listen;
	// Far more than a pipe (64 KiB) and the program's own buffer (1 MiB) hold.
	const path = `/${'x'.repeat(900)}`;
	for (let round = 0; round < 40; round++)
		await Promise.all(Array.from({ length: 50 }, async () => assert.equal((await request(url + path)).status, 404)));
	const { text: metrics } = await request(`${start.admin}/metrics`);
	const [, dropped] = /^ledger_\w*log\w*dropped\w* (\d+)/m.exec(metrics) ?? [];
	assert.ok(Number(dropped) > 100, `dropped lines in the metrics: ${dropped}`);
	process.kill(start.pid, 'SIGTERM');
	await ended;
	assert.match(text, /status 0/);
});
