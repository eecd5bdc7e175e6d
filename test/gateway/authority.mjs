// Keys of an authority that is asked over https: who certifies it, and what holds when that is
// not as it should be.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { test } from 'node:test';
import { Authority, file, startGateway, theAuthority, waitFor } from './lib/gateway.mjs';
import { issue, makeCa } from './lib/certificates.mjs';

const ours = makeCa('ours');
const foreign = makeCa('foreign');
const server = { san: 'DNS:localhost', usage: 'serverAuth' };
const good = issue(ours, 'authority', server);
const bad = {
	'of a foreign CA': issue(foreign, 'authority', server),
	'of another host': issue(ours, 'authority', { ...server, san: 'DNS:authority.example' }),
	'that has expired': issue(ours, 'authority', { ...server, from: -10, days: 5 }),
	'for clients': issue(ours, 'authority', { ...server, usage: 'clientAuth' }),
};
const pair = ({ cert, key }) => ({ cert: readFileSync(cert), key: readFileSync(key) });

// Serves the keys of served.authority; show() changes the certificate.
async function serveKeys(t, certificate) {
	const served = { authority: theAuthority(), fetches: 0, gone: 'gone' };
	const https = createServer(pair(certificate), (request, response) => {
		served.fetches++;
		if (request.url.endsWith(served.gone)) {
			response.writeHead(404, { Connection: 'close' }).end();
			return;
		}
		response.writeHead(200, { 'Content-Type': 'application/jwk-set+json', Connection: 'close' });
		response.end(JSON.stringify(served.authority.jwks()));
	});
	https.on('tlsClientError', () => {});
	await new Promise((resolve) => { https.listen(0, 'localhost', resolve); });
	t.after(() => { https.closeAllConnections(); https.close(); });
	served.url = `https://localhost:${https.address().port}/jwks.json`;
	served.show = (next) => https.setSecureContext(pair(next));
	return served;
}

const status = async (on, authority) => (await on.api('/v1/ledger/chains', { token: authority.token() })).status;
const failures = (on) => on.log.filter((line) => line.event === 'auth.keys_failed').length;

async function gatewayOf(t, served, env) {
	const on = await startGateway({ env: { LEDGER__AUTH__JWKS: served.url, LEDGER__AUTH__REFRESH: '1h', LEDGER__AUTH__MINREFRESH: '100ms', ...env } });
	t.after(() => on.stop());
	return on;
}

// SIGHUP, and the fetch that it wants has failed.
async function fetchFails(on) {
	const before = failures(on);
	on.signal('SIGHUP');
	await waitFor(() => failures(on) > before, { what: 'a failed fetch' });
}

test('keys come over https from whom LEDGER__AUTH__CAFILE certifies', async (t) => {
	const served = await serveKeys(t, good);
	const on = await gatewayOf(t, served, { LEDGER__AUTH__CAFILE: ours.cert });
	await waitFor(async () => (await status(on, theAuthority())) === 200, { what: 'keys' });
	assert.ok(served.fetches >= 1);
});

for (const [what, certificate] of Object.entries(bad))
	test(`a certificate ${what}: no key is taken, and the last good ones stay`, async (t) => {
		const served = await serveKeys(t, good);
		const on = await gatewayOf(t, served, { LEDGER__AUTH__CAFILE: ours.cert });
		await waitFor(async () => (await status(on, theAuthority())) === 200, { what: 'keys' });
		// Whoever answers in its place has keys of its own, and is never asked for them.
		const impostor = new Authority({ algorithms: ['ES256'] });
		const asked = served.fetches;
		served.show(certificate);
		served.authority = impostor;
		await fetchFails(on);
		assert.equal(await status(on, theAuthority()), 200);
		assert.equal(await status(on, impostor), 401);
		assert.equal(served.fetches, asked, 'it was not even asked');
		served.show(good);
		await waitFor(async () => (await status(on, impostor)) === 200, { what: 'the keys that it has under its right name' });
	});

test('without LEDGER__AUTH__CAFILE the system says whom to trust, which knows no such CA', async (t) => {
	const on = await gatewayOf(t, await serveKeys(t, good), {});
	const line = await on.line({ event: 'auth.keys_failed' });
	assert.match(line.message, /certificate/);
	assert.equal(await status(on, theAuthority()), 503);
});

test('a foreign CA at the start: no keys, 503; SIGHUP takes another file', async (t) => {
	const served = await serveKeys(t, good);
	const settings = (ca) => JSON.stringify({ Ledger: { Auth: { CaFile: ca } } });
	const path = file('authority.json', settings(foreign.cert));
	const on = await startGateway({ args: ['--config', path],
		env: { LEDGER__AUTH__JWKS: served.url, LEDGER__AUTH__REFRESH: '1h', LEDGER__AUTH__MINREFRESH: '100ms' } });
	t.after(() => on.stop());
	await on.line({ event: 'auth.keys_failed' });
	assert.equal(await status(on, theAuthority()), 503);
	assert.equal(served.fetches, 0);
	writeFileSync(path, settings(ours.cert));
	on.signal('SIGHUP');
	await waitFor(async () => (await status(on, theAuthority())) === 200, { what: 'keys' });
	// And back again: what was read stays.
	writeFileSync(path, settings(foreign.cert));
	await fetchFails(on);
	assert.equal(await status(on, theAuthority()), 200);
});

test('SIGHUP: how often the authority is asked', async (t) => {
	const served = await serveKeys(t, good);
	const settings = (refresh, least) => JSON.stringify({ Ledger: { Auth: { Refresh: refresh, MinRefresh: least } } });
	const path = file('refresh.json', settings('1h', '1h'));
	const on = await startGateway({ args: ['--config', path], env: { LEDGER__AUTH__JWKS: served.url, LEDGER__AUTH__CAFILE: ours.cert } });
	t.after(() => on.stop());
	await waitFor(async () => (await status(on, theAuthority())) === 200, { what: 'keys' });
	const asked = served.fetches;
	writeFileSync(path, settings('1s', '100ms'));
	on.signal('SIGHUP');
	// SIGHUP itself asks once; the others come by the clock.
	await waitFor(() => served.fetches >= asked + 3, { what: 'fetches by the clock' });
});

test('SIGHUP: another URL is another authority, however far behind it differs', async (t) => {
	const served = await serveKeys(t, good);
	const settings = (name) => JSON.stringify({ Ledger: { Auth: { Jwks: `${served.url}?${'x'.repeat(600)}${name}` } } });
	const path = file('place.json', settings('here'));
	const on = await startGateway({ args: ['--config', path], unset: ['LEDGER__AUTH__JWKS'],
		env: { LEDGER__AUTH__CAFILE: ours.cert, LEDGER__AUTH__REFRESH: '1h', LEDGER__AUTH__MINREFRESH: '100ms' } });
	t.after(() => on.stop());
	await waitFor(async () => (await status(on, theAuthority())) === 200, { what: 'keys' });
	// Of the same one the last good keys would stay.
	writeFileSync(path, settings('gone'));
	await fetchFails(on);
	assert.equal(await status(on, theAuthority()), 503);
	writeFileSync(path, settings('here'));
	on.signal('SIGHUP');
	await waitFor(async () => (await status(on, theAuthority())) === 200, { what: 'keys again' });
});
