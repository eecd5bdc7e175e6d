// SIGHUP: every setting of docs/reference/gateway-settings.md that is marked "reload" holds at
// once for what comes after.  Those of the keys of the authority are in authority.mjs and
// lifecycle.mjs, certificates in tls.mjs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
	anEvent, audience, file, issuer, key32, newTenant, raw, request, root, settings, sql, startGateway, theAuthority, waitFor, work,
} from './lib/gateway.mjs';
import { issue, makeCa } from './lib/certificates.mjs';
import { hold } from './lib/hold.mjs';

const variable = (name) => `LEDGER__${name}`;
let files = 0;

// A gateway whose settings of these names come from a file; set() changes some and has it reread.
async function reloading(first, env = {}) {
	const values = {};
	const path = file(`reload-${++files}.json`, '{}');
	const write = (more) => {
		Object.assign(values, more);
		writeFileSync(path, JSON.stringify(Object.fromEntries(Object.entries(values).map(([name, value]) => [`Ledger:${name.replaceAll('__', ':')}`, value]))));
	};
	write(first);
	const on = await startGateway({ args: ['--config', path], env, unset: Object.keys(first).map(variable) });
	on.set = async (more) => {
		for (const name of Object.keys(more)) assert.ok(name in first, `${name} is not one of this gateway's`);
		const seen = on.log.length;
		write(more);
		on.signal('SIGHUP');
		const end = await waitFor(() => on.log.slice(seen).find((line) => ['config.reloaded', 'config.not_reloaded'].includes(line.event)),
			{ what: `a reload with ${JSON.stringify(more)}` });
		assert.equal(end.event, 'config.reloaded', on.log.slice(seen).find((line) => line.event === 'config.wrong')?.message);
	};
	return on;
}

let gateway, tenant, finding;
before(async () => {
	tenant = await newTenant('reload');
	gateway = await reloading({
		HTTP__MAXBODY: '1048576', HTTP__MAXBATCH: '1048576', HTTP__MAXDEPTH: '64', HTTP__BODYMEMORY: '67108864', HTTP__REQUESTTIMEOUT: '1h',
		AUTH__ISSUER: issuer, AUTH__AUDIENCE: audience, AUTH__TENANTCLAIM: 'tenant', AUTH__SKEW: '60s',
		QUOTA__BACKLOG: '0', QUOTA__RATE: '0', QUOTA__BURST: '0',
		ATTACHMENTS__ENCRYPTIONKEY: key32(2), ATTACHMENTS__PREVIOUSKEYS: '', ATTACHMENTS__MAXSIZE: '1000', ATTACHMENTS__LIFETIME: '0s',
		ATTACHMENTS__URLLIFETIME: '5m', ATTACHMENTS__ALLOWEGRESS: 'false', ATTACHMENTS__EGRESSALLOWLIST: '', ATTACHMENTS__EGRESSCAFILE: '',
		EXPORT__SIGNINGKEY: '', EXPORT__TIMEOUT: '10m', OBSERVABILITY__TENANTLABEL: 'true', OBSERVABILITY__REFRESH: '200ms',
	});
	await gateway.ready();
	const event = anEvent({ type: 'finding.created' });
	finding = event.findingId;
	assert.equal((await append(event)).status, 201);
});
after(() => gateway.stop());

const append = (body = anEvent(), options = {}) => gateway.api('/v1/ledger/events', { method: 'POST', tenant, body, headers: { 'Content-Type': 'application/json' }, ...options });
const batch = (body) => gateway.api('/v1/ledger/events:batch', { method: 'POST', tenant, body });
const chains = async (token) => (await gateway.api('/v1/ledger/chains', { tenant, token: { tenant, ...token } })).status;
const at = (rest = '') => `/v1/ledger/findings/${encodeURIComponent(finding)}/attachments${rest}`;
const attach = (content) => gateway.api(at(), { method: 'POST', tenant, body: Buffer.from(content), headers: { 'Content-Type': 'text/plain' } });
const read = (id) => gateway.api(at(`/${id}`), { tenant });

// ask() gives before, and after once the setting has changed; then as it was.
async function changes(more, back, ask, first, then) {
	assert.equal(await ask(), first);
	await gateway.set(more);
	assert.equal(await ask(), then);
	await gateway.set(back);
	assert.equal(await ask(), first);
}

// ---- HTTP ----

const long = () => ({ ...anEvent(), payload: { comment: 'x'.repeat(3000) } });

test('HTTP__MAXBODY', () => changes({ HTTP__MAXBODY: '2048' }, { HTTP__MAXBODY: '1048576' }, async () => (await append(long())).status, 201, 413));
test('HTTP__MAXBATCH', () => changes({ HTTP__MAXBATCH: '2048', HTTP__MAXBODY: '2048' }, { HTTP__MAXBATCH: '1048576', HTTP__MAXBODY: '1048576' }, async () => (await batch([long()])).status, 201, 413));
test('HTTP__MAXDEPTH', () => changes({ HTTP__MAXDEPTH: '4' }, { HTTP__MAXDEPTH: '64' },
	async () => (await append({ ...anEvent(), payload: { comment: 'x', a: { b: { c: [1] } } } })).status, 201, 400));
test('HTTP__BODYMEMORY', () => changes({ HTTP__BODYMEMORY: '1048576' }, { HTTP__BODYMEMORY: '67108864' },
	async () => (await append(JSON.stringify({ ...anEvent(), payload: { comment: 'x', n: 'N' } }).replace('"N"', `[${Array(60_000).fill('1e20').join()}]`))).json.detail?.includes('this gateway holds') ?? false,
	false, true));

test('HTTP__REQUESTTIMEOUT', async () => {
	await gateway.set({ HTTP__REQUESTTIMEOUT: '1s' });
	const slow = await raw(gateway.port);
	await slow.send('POST /v1/ledger/events HTTP/1.1\r\nHost: x\r\n');
	const { text } = await slow.closed();
	assert.match(text, /^(HTTP\/1\.1 408 |$)/);
	await gateway.set({ HTTP__REQUESTTIMEOUT: '1h' });
});

test('HTTP__DRAINDELAY and HTTP__DRAINTIMEOUT', async () => {
	const on = await reloading({ HTTP__DRAINDELAY: '1h', HTTP__DRAINTIMEOUT: '1h' });
	await on.ready();
	await on.set({ HTTP__DRAINDELAY: '0s', HTTP__DRAINTIMEOUT: '300ms' });
	const slow = await raw(on.port);
	await slow.send(`POST /v1/ledger/events HTTP/1.1\r\nHost: x\r\nX-Stella-Tenant: acme\r\nAuthorization: Bearer ${theAuthority().token()}\r\n`
		+ 'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{');
	await waitFor(async () => /^http_requests_in_flight\S* [2-9]/m.test((await on.admin('/metrics')).text), { what: 'the request' });
	on.signal('SIGTERM');
	await on.line({ event: 'stop.unanswered' });
	await on.stop();
	slow.destroy();
});

// ---- TLS ----

test('TLS__CLIENTS and TLS__REQUIRECLIENT', async (t) => {
	const [serverCa, clientsCa] = [makeCa('server'), makeCa('clients')];
	const server = issue(serverCa, 'ledger', { san: 'IP:127.0.0.1', usage: 'serverAuth' });
	const client = issue(clientsCa, 'scanner', { san: 'URI:spiffe://example.org/scanner' });
	const entry = (over) => ({ match: { uri: 'spiffe://example.org/scanner' }, tenant: 'acme', subject: 'scanner-1', scopes: ['ledger.events.read'], ...over });
	const [one, two] = [file('one.json', { clients: [entry()] }), file('two.json', { clients: [entry({ tenant: 'globex' })] })];
	const on = await reloading({ TLS__CLIENTS: one, TLS__REQUIRECLIENT: 'false' }, {
		LEDGER__HTTP__LISTEN: 'https://127.0.0.1:0', LEDGER__TLS__CERTIFICATE: server.cert, LEDGER__TLS__KEY: server.key, LEDGER__TLS__CLIENTCA: clientsCa.cert });
	t.after(() => on.stop());
	await on.ready();
	const ask = async (headers, pair = client) => (await request(`${on.url}/v1/ledger/events?limit=1`, {
		ca: readFileSync(serverCa.cert), ...(pair && { cert: readFileSync(pair.cert), key: readFileSync(pair.key) }), headers })).status;
	const as = (name) => ask({ 'X-Stella-Tenant': name });
	const byToken = () => ask({ 'X-Stella-Tenant': 'acme', Authorization: `Bearer ${theAuthority().token()}` }, null);
	const rewritten = async (clients) => {
		writeFileSync(one, typeof clients === 'string' ? clients : JSON.stringify({ clients }));
		await on.set({});
	};
	assert.deepEqual([await as('acme'), await as('globex')], [200, 403]);
	// The same file, with another content; then one that nobody is in.
	await rewritten([entry({ tenant: 'globex' })]);
	assert.deepEqual([await as('acme'), await as('globex')], [403, 200]);
	await rewritten([entry({ match: { uri: 'spiffe://example.org/other' } })]);
	assert.deepEqual([await as('acme'), await as('globex')], [401, 401]);
	await rewritten([entry({ scopes: ['ledger.events.write'] })]);
	assert.equal(await as('acme'), 403, 'a scope that was taken away');
	// Broken: what held before holds, and is told.
	await rewritten([entry()]);
	writeFileSync(one, '{"clients": [');
	on.signal('SIGHUP');
	await on.line({ event: 'config.not_reloaded' });
	assert.equal(await as('acme'), 200);
	writeFileSync(one, JSON.stringify({ clients: [entry()] }));
	await on.set({ TLS__CLIENTS: two });
	assert.deepEqual([await as('acme'), await as('globex')], [403, 200]);
	await on.set({ TLS__CLIENTS: '' });
	assert.equal(await as('globex'), 401, 'nobody is known any more');
	assert.equal(await byToken(), 200);
	await on.set({ TLS__CLIENTS: one, TLS__REQUIRECLIENT: 'true' });
	assert.equal(await byToken(), 401);
	assert.equal(await as('acme'), 200);
	await on.set({ TLS__REQUIRECLIENT: 'false' });
	assert.equal(await byToken(), 200);
});

// ---- tokens ----

test('AUTH__ISSUER', async () => {
	await changes({ AUTH__ISSUER: 'https://other.test' }, { AUTH__ISSUER: issuer }, () => chains({}), 200, 401);
	await changes({ AUTH__ISSUER: 'https://other.test' }, { AUTH__ISSUER: issuer }, () => chains({ claims: { iss: 'https://other.test' } }), 401, 200);
});
test('AUTH__AUDIENCE', async () => {
	await changes({ AUTH__AUDIENCE: 'other' }, { AUTH__AUDIENCE: audience }, () => chains({}), 200, 401);
	await changes({ AUTH__AUDIENCE: 'other' }, { AUTH__AUDIENCE: audience }, () => chains({ claims: { aud: 'other' } }), 401, 200);
});
test('AUTH__TENANTCLAIM', () => changes({ AUTH__TENANTCLAIM: 'org' }, { AUTH__TENANTCLAIM: 'tenant' },
	() => chains({ claims: { tenant: 'acme', org: tenant } }), 403, 200));
test('AUTH__SKEW, also for a token that was let in before', async () => {
	const token = theAuthority().token({ tenant, lifetime: -120 });
	await changes({ AUTH__SKEW: '10m' }, { AUTH__SKEW: '60s' }, async () => (await gateway.api('/v1/ledger/chains', { tenant, token })).status, 401, 200);
});

// ---- quotas ----

// How many of so many appends by a tenant of its own are stored.
async function stored(count, other) {
	let n = 0;
	for (let i = 0; i < count; i++) n += (await append(anEvent(), { tenant: other })).status === 201 ? 1 : 0;
	return n;
}

test('QUOTA__BACKLOG', async () => {
	const busy = await newTenant('backlog');
	assert.equal(await stored(6, busy), 6);
	await gateway.set({ QUOTA__BACKLOG: '8' });
	assert.equal(await stored(6, busy), 2);
	await gateway.set({ QUOTA__BACKLOG: '0' });
	assert.equal(await stored(3, busy), 3);
});
test('QUOTA__RATE and QUOTA__BURST', async () => {
	const fast = await newTenant('rate');
	const one = (n = 1) => gateway.api('/v1/ledger/events:batch', { method: 'POST', tenant: fast, body: Array.from({ length: n }, () => anEvent()) });
	await gateway.set({ QUOTA__RATE: '1', QUOTA__BURST: '1000' });
	assert.equal(await stored(5, fast), 5);
	// A debt of minutes.
	await gateway.set({ QUOTA__BURST: '1' });
	assert.equal((await one(500)).status, 201);
	assert.equal((await one()).status, 429);
	await gateway.set({ QUOTA__RATE: '0', QUOTA__BURST: '0' });
	assert.equal((await one()).status, 201);
});

// ---- attachments ----

test('ATTACHMENTS__MAXSIZE', () => changes({ ATTACHMENTS__MAXSIZE: '5' }, { ATTACHMENTS__MAXSIZE: '1000' }, async () => (await attach('longer')).status, 201, 413));

test('ATTACHMENTS__ENCRYPTIONKEY and ATTACHMENTS__PREVIOUSKEYS', async () => {
	const { attachmentId } = (await attach('by the first key')).json;
	await gateway.set({ ATTACHMENTS__ENCRYPTIONKEY: key32(3) });
	assert.equal((await read(attachmentId)).status, 503);
	await gateway.set({ ATTACHMENTS__PREVIOUSKEYS: key32(2) });
	assert.equal((await read(attachmentId)).text, 'by the first key');
	await gateway.set({ ATTACHMENTS__ENCRYPTIONKEY: '', ATTACHMENTS__PREVIOUSKEYS: '' });
	assert.equal((await read(attachmentId)).status, 501);
	await gateway.set({ ATTACHMENTS__ENCRYPTIONKEY: key32(2) });
	assert.equal((await read(attachmentId)).status, 200);
});

test('ATTACHMENTS__LIFETIME and ATTACHMENTS__URLLIFETIME', async () => {
	const { attachmentId } = (await attach('for long')).json;
	const link = async () => (await gateway.api(at(`/${attachmentId}/link`), { method: 'POST', tenant })).json.url;
	const get = async (url) => (await gateway.api(url, { token: null, tenant: null })).status;
	const lasting = await link();
	await gateway.set({ ATTACHMENTS__LIFETIME: '1s', ATTACHMENTS__URLLIFETIME: '1s' });
	const short = await link();
	const brief = (await attach('not for long')).json.attachmentId;
	await waitFor(async () => await get(short) === 403, { what: 'the end of the link' });
	await waitFor(async () => (await read(brief)).status === 404, { what: 'the end of the attachment' });
	assert.equal(await get(lasting), 200);
	await gateway.set({ ATTACHMENTS__LIFETIME: '0s', ATTACHMENTS__URLLIFETIME: '5m' });
});

test('ATTACHMENTS__ALLOWEGRESS, ATTACHMENTS__EGRESSALLOWLIST and ATTACHMENTS__EGRESSCAFILE', async (t) => {
	const ca = makeCa('locker');
	const { cert, key } = issue(ca, 'locker', { san: 'DNS:localhost', usage: 'serverAuth' });
	const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (req, res) => { req.resume().on('end', () => res.writeHead(201, { Connection: 'close' }).end('kept')); });
	await new Promise((resolve) => { server.listen(0, 'localhost', resolve); });
	t.after(() => { server.closeAllConnections(); server.close(); });
	const { attachmentId } = (await attach('to be pushed')).json;
	const push = async () => (await gateway.api(at(`/${attachmentId}/push`), { method: 'POST', tenant, body: { url: `https://localhost:${server.address().port}/x` } })).status;
	assert.equal(await push(), 403, 'sealed');
	await gateway.set({ ATTACHMENTS__ALLOWEGRESS: 'true', ATTACHMENTS__EGRESSALLOWLIST: 'locker.example' });
	assert.equal(await push(), 403, 'not on the list');
	await gateway.set({ ATTACHMENTS__EGRESSALLOWLIST: `localhost:${server.address().port}` });
	assert.equal(await push(), 502, 'certified by nobody known');
	await gateway.set({ ATTACHMENTS__EGRESSCAFILE: ca.cert });
	assert.equal(await push(), 200);
	await gateway.set({ ATTACHMENTS__ALLOWEGRESS: 'false' });
	assert.equal(await push(), 403);
});

// ---- exports, metrics ----

test('EXPORT__SIGNINGKEY', async () => {
	const path = join(work, 'export.key');
	execFileSync(`${root}/gateway/bin/ledgerctl`, ['keygen', '--name', 'export.example/reload', '--out', path]);
	const signatures = async () => JSON.parse((await gateway.api('/ledger/export/findings?shape=compact', { tenant })).text.trim().split('\n').at(-1)).manifest.signatures.length;
	await changes({ EXPORT__SIGNINGKEY: readFileSync(path, 'utf8').trim() }, { EXPORT__SIGNINGKEY: '' }, signatures, 0, 1);
});

test('EXPORT__TIMEOUT', async () => {
	await gateway.set({ EXPORT__TIMEOUT: '1s' });
	const lock = await hold('LOCK TABLE ledger.findings_projection IN ACCESS EXCLUSIVE MODE');
	try {
		const answer = await gateway.api('/ledger/export/findings?shape=compact', { tenant }).catch(() => ({ status: 0 }));
		assert.ok(answer.status === 0 || answer.status >= 500, answer.text);
	} finally {
		await lock.release();
		await gateway.set({ EXPORT__TIMEOUT: '10m' });
	}
});

test('OBSERVABILITY__TENANTLABEL', async () => {
	const named = async () => (await gateway.admin('/metrics')).text.includes(`tenant="${tenant}"`);
	await waitFor(named, { what: 'the tenant in the metrics' });
	await gateway.set({ OBSERVABILITY__TENANTLABEL: 'false' });
	await waitFor(async () => !await named(), { what: 'metrics without the tenant' });
	await gateway.set({ OBSERVABILITY__TENANTLABEL: 'true' });
	await waitFor(named, { what: 'the tenant in the metrics again' });
});

test('OBSERVABILITY__REFRESH', async () => {
	const on = await reloading({ OBSERVABILITY__REFRESH: '1h' });
	try {
		await on.ready();
		const fresh = await newTenant('fresh');
		await sql(`SELECT ledger.ledger_append('{"tenant":"${fresh}","type":"finding.comment_added","findingId":"F","artifactId":"pkg:generic/x","policyVersion":"p",
			"actor":{"id":"a","type":"operator"},"payload":{"comment":"x"}}')`);
		const known = async () => (await on.admin('/metrics')).text.includes(`tenant="${fresh}"`);
		await waitFor(async () => /^ledger_scrape_error 0$/m.test((await on.admin('/metrics')).text), { what: 'the first reading' });
		if (!await known()) {
			await on.set({ OBSERVABILITY__REFRESH: '100ms' });
			await waitFor(known, { what: 'metrics that were read anew' });
		}
	} finally {
		await on.stop();
	}
});

// ---- ticks ----

test('TICKS__ANCHORINTERVAL, TICKS__MAINTENANCEINTERVAL, TICKS__LEDGERCTL, and what is handed on to it', async (t) => {
	const said = join(work, 'said.txt');
	const ledgerctl = (name) => file(name, `#!/bin/sh\necho "${name} $LEDGER__MERKLE__BATCHSIZE" >> ${said}\n`, 0o700);
	const lines = () => { try { return readFileSync(said, 'utf8').trim().split('\n'); } catch { return []; } };
	const on = await reloading({ TICKS__ANCHORINTERVAL: '1d', TICKS__MAINTENANCEINTERVAL: '1d', TICKS__LEDGERCTL: ledgerctl('first'), MERKLE__BATCHSIZE: '7' },
		{ LEDGER__TICKS__ENABLED: 'true', LEDGER__MERKLE__SIGNINGKEY_FILE: file('some.key', 'x') });
	t.after(() => on.stop());
	const runs = async () => Number(/^ledger_tick_runs_total\{.*tick="maintenance".*\} (\d+)$/m.exec((await on.admin('/metrics')).text)?.[1] ?? 0);
	await waitFor(() => lines().includes('first 7'), { what: 'the first run' });
	await waitFor(async () => await runs() === 1, { what: 'the first maintenance' });
	await on.set({ TICKS__ANCHORINTERVAL: '100ms', TICKS__LEDGERCTL: ledgerctl('second'), MERKLE__BATCHSIZE: '8' });
	await waitFor(() => lines().includes('second 8'), { what: 'a run of the other program' });
	assert.equal(await runs(), 1, 'maintenance has its own time');
	await on.set({ TICKS__MAINTENANCEINTERVAL: '100ms' });
	await waitFor(async () => await runs() >= 3, { what: 'more maintenance' });
});

// ---- the others ----

test('what the page does not mark takes a restart, and that is told', async (t) => {
	const marked = readFileSync(`${root}/docs/reference/gateway-settings.md`, 'utf8').split('\n')
		.map((line) => /^\| `LEDGER__(\w+)` \| (?:`([^`]*)`)? *\| ([^|]*) \| ([^|]*) \|/.exec(line)).filter(Boolean);
	const fixed = marked.filter(([, , , , marks]) => !marks.includes('reload')).map(([, name]) => name);
	assert.ok(fixed.length >= 10 && marked.length > fixed.length + 20, `${fixed.length} of ${marked.length}`);
	// Of those with a number any other one will do.
	const others = { HTTP__LISTEN: 'http://127.0.0.1:1', HTTP__ADMINLISTEN: 'http://127.0.0.1:1', HTTP__IDLETIMEOUT: '59s', HTTP__CURSORKEY: key32(9),
		DB__CONNECTIONSTRING: 'host=127.0.0.1', DB__CONNECTTIMEOUT: '4s', DB__STATEMENTTIMEOUT: '4s', DB__SLOWTIMEOUT: '24s', TICKS__ENABLED: 'true', HTTP__MAXHEADER: '17000' };
	const set = settings();
	const first = Object.fromEntries(fixed.map((name) => [name, set[variable(name)] ?? '']));
	const on = await reloading(first);
	t.after(() => on.stop());
	await on.set(Object.fromEntries(fixed.map((name) => [name, others[name] ?? '3'])));
	const told = on.log.filter((line) => line.event === 'config.kept').map((line) => /LEDGER__(\w+) was changed/.exec(line.message)[1]);
	assert.deepEqual(told.sort(), fixed.sort());
	await on.ready();
});
