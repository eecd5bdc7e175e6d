// TLS 1.2 and 1.3, and client certificates: who is let in, as whom, and who is not.
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { execFileSync } from 'node:child_process';
import { anEvent, file, request, startGateway, waitFor, work } from './lib/gateway.mjs';
import { issue, makeCa } from './lib/certificates.mjs';

const pem = (path) => readFileSync(path);
const serverCa = makeCa('server');
const clientsCa = makeCa('clients');
const foreignCa = makeCa('foreign');
const server = issue(serverCa, 'ledger', { san: 'DNS:localhost,IP:127.0.0.1', usage: 'serverAuth' });
const scanner = 'URI:spiffe://example.org/scanner';
const clients = {
	good: issue(clientsCa, 'scanner', { san: scanner }),
	reader: issue(clientsCa, 'reader', { san: 'URI:spiffe://example.org/reader' }),
	unknown: issue(clientsCa, 'unknown', { san: 'URI:spiffe://example.org/unknown' }),
	expired: issue(clientsCa, 'scanner', { san: scanner, from: -10, days: 5 }),
	early: issue(clientsCa, 'scanner', { san: scanner, from: 5, days: 5 }),
	foreign: issue(foreignCa, 'scanner', { san: scanner }),
	server: issue(clientsCa, 'scanner', { san: scanner, usage: 'serverAuth' }),
};
const map = file('clients.json', { clients: [
	{ match: { uri: 'spiffe://example.org/scanner' }, tenant: 'acme', subject: 'scanner-1', scopes: ['ledger.events.write', 'ledger.events.read'] },
	{ match: { uri: 'spiffe://example.org/reader' }, tenant: 'acme', subject: 'reader-1', scopes: ['ledger.events.read'] },
] });

const env = {
	LEDGER__HTTP__LISTEN: 'https://127.0.0.1:0;http://127.0.0.1:0',
	LEDGER__TLS__CERTIFICATE: server.cert, LEDGER__TLS__KEY: server.key,
	LEDGER__TLS__CLIENTCA: clientsCa.cert, LEDGER__TLS__CLIENTS: map,
};
let gateway;
before(async () => { gateway = await startGateway({ env }); });
after(() => gateway.stop());

const trust = () => ({ ca: pem(serverCa.cert), servername: 'localhost' });
const as = (client) => (client ? { cert: pem(clients[client].cert), key: pem(clients[client].key) } : {});
const ask = (path, client, { headers = { 'X-Stella-Tenant': 'acme' }, ...options } = {}) =>
	request(gateway.url + path, { ...trust(), ...as(client), headers, ...options });

function handshake(options) {
	return new Promise((resolve, reject) => {
		const socket = connect({ host: '127.0.0.1', port: gateway.port, ...trust(), ...options }, () => {
			const seen = { protocol: socket.getProtocol(), alpn: socket.alpnProtocol, peer: socket.getPeerCertificate() };
			socket.destroy();
			resolve(seen);
		});
		socket.on('error', reject);
	});
}

describe('the server', () => {
	test('speaks TLS 1.3 and 1.2', async () => {
		assert.equal((await handshake({})).protocol, 'TLSv1.3');
		assert.equal((await handshake({ maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2');
	});
	test('speaks nothing older', async () => {
		for (const version of ['TLSv1.1', 'TLSv1'])
			await assert.rejects(handshake({ minVersion: version, maxVersion: version, ciphers: 'ALL@SECLEVEL=0' }), version);
	});
	test('shows its certificate, which a client that trusts another CA refuses', async () => {
		assert.equal((await handshake({})).peer.subject.CN, 'ledger');
		await assert.rejects(handshake({ ca: pem(foreignCa.cert) }), /self.signed|unable to/i);
	});
	test('answers over TLS, and says that it will', async () => {
		const answer = await ask('/health/live');
		assert.equal(answer.status, 200);
		assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000');
	});
	test('listens on several addresses, also without TLS', async () => {
		const { listen } = gateway.log.find((line) => /Ledger started/.test(line.message));
		const [secure, plain] = listen.split(';');
		assert.match(secure, /^https:/);
		assert.match(plain, /^http:/);
		const answer = await request(`${plain}/health/live`);
		assert.equal(answer.status, 200);
		assert.equal(answer.headers['strict-transport-security'], undefined);
	});
	test('keep-alive and a long answer work over TLS', async () => {
		const get = () => ask('/openapi.yaml');
		const [one, two] = [await get(), await get()];
		assert.equal(one.bytes.length, Number(one.headers['content-length']));
		assert.ok(one.bytes.equals(two.bytes));
	});
	test('a client that speaks HTTP to it gets no answer, and a stalled handshake ends', async () => {
		await assert.rejects(request(gateway.url.replace('https', 'http') + '/health/live'));
	});
});

describe('client certificates', () => {
	test('a good one is an identity', async () => {
		const stored = await ask('/v1/ledger/events', 'good', { method: 'POST', body: anEvent() });
		assert.equal(stored.status, 201, stored.text);
		assert.match(stored.text, /scanner-1/);
		assert.equal((await ask('/v1/ledger/events?limit=1', 'good')).status, 200);
	});
	test('its scopes and its tenant hold', async () => {
		const write = await ask('/v1/ledger/events', 'reader', { method: 'POST', body: anEvent() });
		assert.equal(write.status, 403);
		assert.equal(write.json.code, 'scope_missing');
		const other = await ask('/v1/ledger/events', 'reader', { headers: { 'X-Stella-Tenant': 'globex' } });
		assert.equal(other.json.code, 'tenant_mismatch');
		assert.equal((await ask('/v1/ledger/events', 'reader', { headers: {} })).json.code, 'tenant_missing');
	});
	test('none, and no token: 401', async () => {
		const answer = await ask('/v1/ledger/events');
		assert.equal(answer.status, 401);
		assert.equal(answer.json.code, 'token_missing');
	});
	for (const client of ['expired', 'early', 'foreign', 'server', 'unknown'])
		test(`one that is no good (${client}): 401`, async () => {
			const answer = await ask('/v1/ledger/events', client);
			assert.equal(answer.status, 401, answer.text);
			assert.equal(answer.json.code, 'token_invalid');
			assert.match(answer.headers['www-authenticate'], /^Bearer /);
			const write = await ask('/v1/ledger/events', client, { method: 'POST', body: anEvent() });
			assert.equal(write.status, 401);
		});
	test('a token goes before a certificate', async () => {
		const token = gateway.authority.token({ tenant: 'globex', subject: 'by-token' });
		const answer = await ask('/v1/ledger/events', 'good', { headers: { 'X-Stella-Tenant': 'globex', Authorization: `Bearer ${token}` } });
		assert.equal(answer.status, 200, answer.text);
	});
	test('public routes need none, and do not mind a bad one', async () => {
		assert.equal((await ask('/', 'foreign')).status, 200);
	});
});

test('where certificates are required, a token alone is not enough', async () => {
	const strict = await startGateway({ env: { ...env, LEDGER__TLS__REQUIRECLIENT: 'true' } });
	const headers = { 'X-Stella-Tenant': 'acme', Authorization: `Bearer ${strict.authority.token()}` };
	const status = async (client) => (await request(`${strict.url}/v1/ledger/events?limit=1`, { ...trust(), ...as(client), headers })).status;
	assert.equal(await status(undefined), 401);
	for (const client of ['foreign', 'expired', 'server']) assert.equal(await status(client), 401, client);
	assert.equal(await status('good'), 200);
	assert.equal((await request(`${strict.url}/health/live`, trust())).status, 200);
	await strict.stop();
});

test('SIGHUP takes a new certificate and a new CA, and keeps the old ones if the new are wrong', async () => {
	const place = (name, from) => { const to = join(work, name); copyFileSync(from, to); return to; };
	const cert = place('live.pem', server.cert);
	const key = place('live.key', server.key);
	const ca = place('live-ca.pem', clientsCa.cert);
	const turning = await startGateway({ env: { ...env, LEDGER__TLS__CERTIFICATE: cert, LEDGER__TLS__KEY: key, LEDGER__TLS__CLIENTCA: ca } });
	const shown = () => new Promise((resolve, reject) => {
		const socket = connect({ host: '127.0.0.1', port: turning.port, ...trust() }, () => { resolve(socket.getPeerCertificate().subject.CN); socket.destroy(); });
		socket.on('error', reject);
	});
	const status = async (client) => (await request(`${turning.url}/v1/ledger/events?limit=1`, { ...trust(), ...as(client), headers: { 'X-Stella-Tenant': 'acme' } })).status;
	assert.equal(await shown(), 'ledger');
	assert.equal(await status('good'), 200);
	assert.equal(await status('foreign'), 401);

	const next = issue(serverCa, 'next', { san: 'DNS:localhost', usage: 'serverAuth' });
	copyFileSync(next.cert, cert);
	turning.signal('SIGHUP');
	await turning.line({ event: 'tls.not_reloaded' });
	assert.equal(await shown(), 'ledger');

	copyFileSync(next.key, key);
	copyFileSync(foreignCa.cert, ca);
	turning.signal('SIGHUP');
	await turning.line({ event: 'tls.reloaded' });
	await waitFor(async () => (await shown()) === 'next', { what: 'the new certificate' });
	assert.equal(await status('foreign'), 200);
	assert.equal(await status('good'), 401);
	await turning.stop();
});

test('a certificate whose key is another one is refused at the start', async () => {
	const broken = await startGateway({ env: { ...env, LEDGER__TLS__KEY: clients.good.key }, started: false });
	assert.equal((await broken.exited).code, 1);
	assert.match(broken.stdout.join('\n'), /tls\.files/);
});

test('curl and openssl agree', () => {
	const url = `${gateway.url.replace('127.0.0.1', 'localhost')}/v1/ledger/events?limit=1`;
	const curl = (...args) => execFileSync('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code} %{http_version} %{ssl_verify_result}', '--resolve',
		`localhost:${gateway.port}:127.0.0.1`, '--cacert', serverCa.cert, '-H', 'X-Stella-Tenant: acme', ...args, url], { encoding: 'utf8' });
	assert.equal(curl('--cert', clients.good.cert, '--key', clients.good.key), '200 1.1 0');
	assert.equal(curl('--http2', '--cert', clients.foreign.cert, '--key', clients.foreign.key), '401 1.1 0');
	assert.throws(() => curl('--tls-max', '1.1'));
});
