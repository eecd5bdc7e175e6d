// Who asks: which tokens are taken, what is told of the others, where keys come from and
// when they come anew, and that X-Stella-Tenant and the token must agree.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { anEvent, Authority, encode, file, startGateway, theAuthority, waitFor, work } from './lib/gateway.mjs';

const authority = theAuthority();
const other = new Authority();					// the same kids, other keys
const route = '/v1/ledger/chains';
const now = () => Math.floor(Date.now() / 1000);

let gateway;
before(async () => { gateway = await startGateway({ env: { LEDGER__OBSERVABILITY__LOGLEVEL: 'debug' } }); });
after(() => gateway?.stop());

// Every token that a test sent, to look for in the logs at the end.
const sent = new Set();
function ask(token, options = {}, { on = gateway, path = route } = {}) {
	if (typeof token === 'string') sent.add(token);
	return on.api(path, { token, ...options });
}

const unlike = ({ traceId, ...rest }) => rest;

async function refused(token, code = 'token_invalid', on = gateway) {
	const answer = await ask(token, {}, { on });
	assert.equal(answer.status, 401, answer.text);
	assert.match(answer.headers['content-type'], /^application\/problem\+json/);
	assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer\b/);
	assert.equal(answer.json.code, code, answer.text);
	return answer;
}

// ---- tokens ----

for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA'])
	test(`${alg} is taken`, async () => {
		for (let i = 0; i < 2; i++) assert.equal((await ask(authority.token({ alg }))).status, 200);
		// At the second use of one token its signature is known.
		const token = authority.token({ alg, subject: 'twice' });
		for (let i = 0; i < 2; i++) assert.equal((await ask(token)).status, 200);
	});

test('without kid the keys that fit are tried', async () => {
	for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA'])
		assert.equal((await ask(signed(authority, authority.kid(alg), { alg, typ: 'JWT' }))).status, 200, alg);
});

const good = authority.token();
const [head, body, signature] = good.split('.');
// Signed by a key that the header need not name.
const signed = (by, kid, header, claims = authority.claims()) => {
	const input = `${encode(header)}.${encode(claims)}`;
	return `${input}.${by.signature(kid, input)}`;
};
const withHeader = (header) => signed(authority, authority.kid('ES256'), header);
const es256 = { alg: 'ES256', kid: authority.kid('ES256') };
const publicKey = authority.keys.get(authority.kid('RS256')).publicKey;
const flip = (text, at = 3) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);

const forgeries = {
	'no token but a word': 'nonsense',
	'two segments': `${head}.${body}`,
	'four segments': `${good}.${signature}`,
	'five segments': `${good}..`,
	'no signature': `${head}.${body}.`,
	'another payload': `${head}.${encode(authority.claims({ tenant: 'acme', subject: 'root' }))}.${signature}`,
	'another signature': `${head}.${body}.${flip(signature)}`,
	'a padded signature': `${good}==`,
	'a blank in the payload': `${head}.${body.slice(0, 4)} ${body.slice(4)}.${signature}`,
	'a signature in DER': `${head}.${body}.${encode(Buffer.concat([Buffer.from([0x30, 0x44, 2, 32]), Buffer.alloc(32, 1), Buffer.from([2, 32]), Buffer.alloc(32, 1)]))}`,
	'a signature of zeros': `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`,
	'a signature that is too long': `${head}.${body}.${Buffer.concat([Buffer.from(signature, 'base64url'), Buffer.alloc(2)]).toString('base64url')}`,
	'alg none': `${encode({ alg: 'none' })}.${body}.`,
	'alg none with a signature': `${encode({ alg: 'none', kid: es256.kid })}.${body}.${signature}`,
	'HMAC with the public key as its secret': Authority.hmac({ alg: 'HS256', kid: authority.kid('RS256') }, authority.claims(), publicKey.export({ type: 'spki', format: 'pem' })),
	'HMAC with the modulus as its secret': Authority.hmac({ alg: 'HS256', kid: authority.kid('RS256') }, authority.claims(), publicKey.export({ format: 'jwk' }).n),
	'a key of another algorithm': withHeader({ alg: 'RS256', kid: es256.kid }),
	'the algorithm of a key that is not named': withHeader({ alg: 'ES256', kid: authority.kid('RS256') }),
	'crit': withHeader({ ...es256, crit: ['exp'] }),
	'b64': withHeader({ ...es256, b64: true }),
	'a key of its own': other.sign({ alg: 'ES256', kid: es256.kid, jwk: other.jwk(es256.kid) }, authority.claims()),
	'another typ': authority.token({ header: { typ: 'dpop+jwt' } }),
	'an empty kid': withHeader({ alg: 'ES256', kid: '' }),
	'a kid of 300 bytes': withHeader({ alg: 'ES256', kid: 'k'.repeat(300) }),
	'a kid that nobody has': withHeader({ alg: 'ES256', kid: 'nobody' }),
	'a header with a member twice': signed(authority, es256.kid, `{"alg":"ES256","kid":"${es256.kid}","kid":"${es256.kid}"}`),
	'another authority with the same kid': other.token(),
	'expired, and of another authority': other.token({ claims: { exp: 1 } }),
	'no exp': authority.token({ claims: { exp: undefined } }),
	'exp as text': authority.token({ claims: { exp: String(now() + 300) } }),
	'another issuer': authority.token({ claims: { iss: 'https://authority.test/' } }),
	'no issuer': authority.token({ claims: { iss: undefined } }),
	'another audience': authority.token({ claims: { aud: ['ledger2', 'other'] } }),
	'no audience': authority.token({ claims: { aud: undefined } }),
	'no subject': authority.token({ claims: { sub: undefined } }),
	'a subject of 256 bytes': authority.token({ claims: { sub: 's'.repeat(256) } }),
	'no tenant': authority.token({ claims: { tenant: undefined } }),
	'a tenant that is no name': authority.token({ claims: { tenant: '*' } }),
	'several tenants': authority.token({ claims: { tenant: ['acme', 'globex'] } }),
	'scopes that are no text': authority.token({ claims: { scope: { 'ledger.audit': true } } }),
	'more than 8,192 bytes': authority.token({ claims: { more: 'x'.repeat(8192) } }),
};

for (const [name, token] of Object.entries(forgeries))
	test(`refused: ${name}`, () => refused(token));

test('what is told of a bad token is the same for all of them', async () => {
	const answers = [];
	for (const token of Object.values(forgeries)) answers.push(unlike((await refused(token)).json));
	for (const answer of answers) assert.deepEqual(answer, answers[0]);
	assert.doesNotMatch(JSON.stringify(answers[0]), /signature|kid|issuer|audience|alg\b/i);
});

test('refused: no token', async () => {
	assert.equal((await refused(null, 'token_missing')).json.status, 401);
	for (const header of ['', 'Bearer', 'Bearer ', 'Basic dXNlcjpwYXNz', good]) {
		const answer = await gateway.api(route, { token: null, headers: { Authorization: header } });
		assert.equal(answer.status, 401, JSON.stringify(header));
	}
});

test('the scheme is taken in any case', async () => {
	for (const scheme of ['bearer', 'BEARER'])
		assert.equal((await gateway.api(route, { token: null, headers: { Authorization: `${scheme} ${good}` } })).status, 200);
});

test('a token in the query is not looked at', async () => {
	const answer = await gateway.api(`${route}?access_token=${good}`, { token: null });
	assert.ok([400, 401].includes(answer.status), String(answer.status));
});

test('times: what has ended, what has not begun', async () => {
	await refused(authority.token({ claims: { exp: now() - 61 } }), 'token_expired');
	await refused(authority.token({ claims: { nbf: now() + 120 } }), 'token_expired');
	await refused(authority.token({ claims: { iat: now() + 120 } }), 'token_expired');
	// Clocks may differ by a minute.
	assert.equal((await ask(authority.token({ claims: { exp: now() - 30 } }))).status, 200);
	assert.equal((await ask(authority.token({ claims: { nbf: now() + 30, iat: now() + 30 } }))).status, 200);
	assert.equal((await ask(authority.token({ claims: { aud: ['other', 'ledger'] } }))).status, 200);
});

test('a token that is in the cache is refused when it has expired', async (t) => {
	const strict = await startGateway({ env: { LEDGER__AUTH__SKEW: '0s' } });
	t.after(() => strict.stop());
	const exp = now() + 2;
	const token = authority.token({ claims: { exp, nbf: undefined, iat: undefined } });
	let taken = 0;
	await waitFor(async () => {
		const began = Date.now();
		const answer = await ask(token, {}, { on: strict });
		if (answer.status === 200) {
			assert.ok(began < exp * 1000, 'taken after its end');
			taken++;
			return false;
		}
		assert.equal(answer.json.code, 'token_expired');
		assert.ok(Date.now() >= exp * 1000, 'refused before its end');
		return true;
	}, { every: 100 });
	assert.ok(taken >= 2, `taken ${taken} times before`);
});

// ---- what it may do ----

test('scopes: scope, scp, older names, and what is missing', async () => {
	const may = async (claims) => (await ask(authority.token({ claims: { scope: undefined, ...claims } }))).status;
	assert.equal(await may({ scope: 'openid ledger.events.read' }), 200);
	assert.equal(await may({ scp: 'ledger.events.read profile' }), 200);
	assert.equal(await may({ scp: ['profile', 'ledger.events.read'] }), 200);
	assert.equal(await may({ scope: 'vuln:view' }), 200);
	assert.equal(await may({ scope: 'vuln:investigate' }), 200);
	assert.equal(await may({ scope: 'Ledger.Events.Read' }), 403);
	assert.equal(await may({ scp: ['ledger.events.read openid'] }), 403);
	assert.equal(await may({}), 403);
	const answer = await ask(authority.token({ scopes: ['ledger.events.write'] }));
	assert.equal(answer.status, 403);
	assert.equal(answer.json.code, 'scope_missing');
	assert.match(answer.text, /ledger\.events\.read/);
});

test('X-Stella-Tenant must be there and name the tenant of the token', async () => {
	const token = authority.token({ tenant: 'acme' });
	const tell = async (headers, tenant = null) => {
		const answer = await ask(token, { tenant, headers });
		return [answer.status, answer.status === 200 ? undefined : answer.json.code];
	};
	assert.deepEqual(await tell({}, 'acme'), [200, undefined]);
	assert.deepEqual(await tell({}), [400, 'tenant_missing']);
	assert.deepEqual(await tell({ 'X-Stella-Tenant': '' }), [400, 'tenant_missing']);
	assert.deepEqual(await tell({}, 'globex'), [403, 'tenant_mismatch']);
	assert.deepEqual(await tell({}, 'ACME'), [403, 'tenant_mismatch']);
	assert.deepEqual(await tell({}, 'acme2'), [403, 'tenant_mismatch']);
	// Without a good token nothing is told of tenants.
	assert.equal((await gateway.api(route, { token: null, tenant: null })).status, 401);
});

test('the claim with the tenant can have another name', async (t) => {
	const named = await startGateway({ env: { LEDGER__AUTH__TENANTCLAIM: 'https://authority.test/org' } });
	t.after(() => named.stop());
	assert.equal((await ask(authority.token({ claims: { tenant: undefined, 'https://authority.test/org': 'acme' } }), {}, { on: named })).status, 200);
	await refused(authority.token(), 'token_invalid', named);
});

test('subject and type of actor are those of the token', async () => {
	for (const [claims, type] of [[{}, 'operator'], [{ azp: 'mira' }, 'integration'], [{ actor_type: 'system' }, 'system']]) {
		const token = authority.token({ subject: 'mira', claims });
		const stored = await ask(token, { method: 'POST', body: anEvent() }, { path: '/v1/ledger/events' });
		assert.equal(stored.status, 201, stored.text);
		const read = (await ask(token, {}, { path: new URL(stored.headers.location, gateway.url).pathname })).json;
		const envelope = read.envelope ?? read;
		assert.deepEqual([envelope.actorId ?? envelope.actor?.id, envelope.actorType ?? envelope.actor?.type], ['mira', type]);
	}
});

// ---- keys from a URL ----

// An authority that serves its keys, counts how often it is asked, and can be made to fail.
async function serveKeys(first = authority) {
	const served = {
		authority: first, fetches: 0, etags: [], headers: {}, status: 200, body: undefined, hold: undefined,
		get text() { return this.body ?? JSON.stringify(this.authority.jwks()); },
	};
	const sockets = new Set();
	const server = createServer(async (request, response) => {
		served.fetches++;
		served.etags.push(request.headers['if-none-match']);
		await served.hold;
		const status = served.headers.ETag && request.headers['if-none-match'] === served.headers.ETag ? 304 : served.status;
		response.writeHead(status, { 'Content-Type': 'application/jwk-set+json', Connection: 'close', ...served.headers });
		response.end(status === 200 ? served.text : undefined);
	});
	server.on('connection', (socket) => { sockets.add(socket); socket.on('close', () => sockets.delete(socket)); });
	const listen = (port = 0) => new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
	await listen();
	const { port } = server.address();
	served.url = `http://127.0.0.1:${port}/jwks.json`;
	served.goAway = () => new Promise((resolve) => { for (const socket of sockets) socket.destroy(); server.close(resolve); });
	served.comeBack = () => listen(port);
	return served;
}

const byUrl = (served, env = {}) => startGateway({
	env: { LEDGER__AUTH__JWKS: served.url, LEDGER__AUTH__REFRESH: '1h', LEDGER__AUTH__MINREFRESH: '1h', ...env },
});
const ready = (on) => waitFor(async () => (await ask(authority.token(), {}, { on })).status === 200, { what: 'keys' });

test('keys from a URL: a burst with an unknown kid fetches them once, and all are answered', async (t) => {
	const served = await serveKeys();
	t.after(() => served.goAway());
	const on = await byUrl(served);
	t.after(() => on.stop());
	await ready(on);
	const before = served.fetches;
	const old = authority.token({ subject: 'old' });
	assert.equal((await ask(old, {}, { on })).status, 200);
	// The authority has new keys, and answers only when all are waiting.
	served.authority = new Authority({ prefix: 'new-' });
	let release;
	served.hold = new Promise((resolve) => { release = resolve; });
	const burst = Array.from({ length: 40 }, (_, i) => ask(served.authority.token({ alg: 'EdDSA', subject: `s${i}` }), {}, { on }));
	await waitFor(() => served.fetches > before);
	// Who does not need new keys does not wait.
	assert.equal((await ask(old, {}, { on })).status, 200);
	release();
	for (const answer of await Promise.all(burst)) assert.equal(answer.status, 200, answer.text);
	assert.equal(served.fetches, before + 1);
	// The old key is gone, and with it what was in the cache.
	await refused(old, 'token_invalid', on);
	await refused(authority.token(), 'token_invalid', on);
	// Kids that nobody has: no further fetch before MINREFRESH has passed.
	for (let i = 0; i < 20; i++) await refused(withHeader({ alg: 'ES256', kid: `k${i}` }), 'token_invalid', on);
	assert.equal(served.fetches, before + 1);
});

test('keys from a URL: MINREFRESH later an unknown kid fetches again', async (t) => {
	const served = await serveKeys();
	t.after(() => served.goAway());
	const on = await byUrl(served, { LEDGER__AUTH__MINREFRESH: '300ms' });
	t.after(() => on.stop());
	await ready(on);
	const unknown = withHeader({ alg: 'ES256', kid: 'nobody' });
	const began = Date.now();
	const before = served.fetches;
	let asked = 0;
	while (Date.now() - began < 1500) { await refused(unknown, 'token_invalid', on); asked++; }
	const fetched = served.fetches - before;
	assert.ok(fetched >= 2 && fetched <= 1 + (Date.now() - began) / 300, `${fetched} fetches for ${asked} tokens`);
});

test('keys from a URL: while the authority is away the last good ones stay', async (t) => {
	const served = await serveKeys();
	const on = await byUrl(served, { LEDGER__AUTH__MINREFRESH: '100ms' });
	t.after(() => on.stop());
	await ready(on);
	const failures = () => on.log.filter((line) => line.event === 'auth.keys_failed').length;
	const fails = async (change) => {
		const before = failures();
		change();
		on.signal('SIGHUP');
		await waitFor(() => failures() > before, { what: 'a failed fetch' });
		assert.equal((await ask(authority.token(), {}, { on })).status, 200);
	};
	await fails(() => { served.status = 500; });
	await fails(() => { served.status = 200; served.body = '{"keys":[]'; });
	await fails(() => { served.body = JSON.stringify(authority.jwks()).replace('{', '{"keys":[],'); });
	await fails(() => { served.body = JSON.stringify({ keys: [authority.jwk('ec-1'), { ...other.jwk('ec-1') }] }); });
	await fails(() => { served.body = JSON.stringify({ ...other.jwks(), x: 'y'.repeat(300 * 1024) }); });
	await fails(() => { served.body = undefined; served.status = 302; served.headers = { Location: '/elsewhere' }; });
	served.headers = {};
	served.status = 200;
	await fails(() => { served.goAway(); });
	await served.comeBack();
	t.after(() => served.goAway());
	// It comes back by itself.
	served.authority = other;
	await waitFor(async () => (await ask(other.token(), {}, { on })).status === 200, { what: 'the new keys' });
	await refused(authority.token(), 'token_invalid', on);
});

test('keys from a URL: the authority is away at the start', async (t) => {
	const served = await serveKeys();
	await served.goAway();
	const on = await byUrl(served, { LEDGER__AUTH__MINREFRESH: '1s' });
	t.after(() => on.stop());
	const answer = await ask(authority.token(), {}, { on });
	assert.equal(answer.status, 503, answer.text);
	assert.equal(answer.json.code, 'keys_missing');
	assert.match(answer.headers['retry-after'], /^\d+$/);
	// What is no token at all is refused all the same.
	await refused('nonsense', 'token_invalid', on);
	await served.comeBack();
	t.after(() => served.goAway());
	await ready(on);
});

test('keys from a URL: asked again as Cache-Control says, with the ETag', async (t) => {
	const served = await serveKeys();
	t.after(() => served.goAway());
	served.headers = { ETag: '"v1"', 'Cache-Control': 'public, max-age=1' };
	const on = await byUrl(served, { LEDGER__AUTH__MINREFRESH: '100ms' });
	t.after(() => on.stop());
	await ready(on);
	await waitFor(() => served.etags.filter((etag) => etag === '"v1"').length >= 2, { what: 'a conditional request' });
	assert.equal((await ask(authority.token(), {}, { on })).status, 200);
	// Asked by the second, not faster, though MINREFRESH would allow it.
	assert.ok(served.fetches <= 8, `${served.fetches} fetches`);
	served.authority = other;
	served.headers = { ETag: '"v2"', 'Cache-Control': 'public, max-age=1' };
	await waitFor(async () => (await ask(other.token(), {}, { on })).status === 200, { what: 'the new keys' });
});

test('keys from a URL: plain http only from this machine, no user, no other scheme', async () => {
	for (const url of ['http://192.0.2.1/jwks', 'http://127.0.0.1.example.org/jwks', 'ftp://127.0.0.1/jwks', 'https://user:pass@127.0.0.1/jwks']) {
		const bad = await startGateway({ env: { LEDGER__AUTH__JWKS: url }, started: false });
		const end = await bad.exited;
		assert.equal(end.code, 1, url);
		assert.doesNotMatch(bad.stderr + bad.stdout.join('\n'), /user:pass/);
	}
});

// ---- keys from a file ----

test('keys from a file: read anew at SIGHUP', async (t) => {
	const path = file('rotating.json', authority.jwks());
	const on = await startGateway({ env: { LEDGER__AUTH__JWKS: path, LEDGER__AUTH__MINREFRESH: '1h' } });
	t.after(() => on.stop());
	const token = authority.token();
	assert.equal((await ask(token, {}, { on })).status, 200);
	writeFileSync(path, '{"keys":');
	on.signal('SIGHUP');
	await on.line({ event: 'auth.keys_failed' });
	assert.equal((await ask(token, {}, { on })).status, 200);
	writeFileSync(path, JSON.stringify(other.jwks()));
	on.signal('SIGHUP');
	await waitFor(async () => (await ask(token, {}, { on })).status === 401, { what: 'the refusal of the old key' });
	assert.equal((await ask(other.token(), {}, { on })).status, 200);
});

test('keys that are not for us are passed over, with a line of the log that says why', async (t) => {
	const jwks = authority.jwks();
	jwks.keys.push({ kty: 'oct', kid: 'secret', k: 'AAAA' }, { ...other.jwk('rsa-1'), kid: 'enc', use: 'enc' });
	const on = await startGateway({ env: { LEDGER__AUTH__JWKS: file('mixed.json', jwks) } });
	t.after(() => on.stop());
	assert.equal((await ask(authority.token(), {}, { on })).status, 200);
	await on.line((line) => line.event === 'auth.key_skipped' && /secret/.test(line.message));
	await on.line((line) => line.event === 'auth.key_skipped' && /enc/.test(line.message));
	await refused(signed(other, 'rsa-1', { alg: 'RS256', kid: 'enc' }), 'token_invalid', on);
});

test('a file that is not there, or is no set: it does not start', async () => {
	for (const path of [`${work}/missing.json`, file('no-set.json', '[]'), work]) {
		const bad = await startGateway({ env: { LEDGER__AUTH__JWKS: path }, started: false });
		assert.equal((await bad.exited).code, 1, path);
	}
});

// ---- and at the end ----

test('no token stands in the log, nor a part of one', async () => {
	await gateway.line((line) => line.event === 'auth.refused');
	const text = gateway.stdout.join('\n') + gateway.stderr;
	for (const token of sent)
		for (const part of token.split('.'))
			if (part.length >= 16) assert.ok(!text.includes(part), `a part of a token is in the log: ${part.slice(0, 40)}`);
});
