// Every route: what it gives to those who may, and what to those who may not.  What comes
// from HTTP as evidence is judged by ledgerctl, which knows nothing of the gateway.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { anEvent, file, newTenant, program, request, root, scopes, sql, startGateway, superuser, tamper, waitFor, work } from './lib/gateway.mjs';

const run = promisify(execFile);
const ledgerctl = (...args) => run(`${root}/gateway/bin/ledgerctl`, args, { maxBuffer: 1 << 26 });
const routes = JSON.parse(execFileSync(program, ['--print-routes'], { encoding: 'utf8', env: {} }));
const guarded = routes.filter((route) => route.scope !== '');

let gateway;
let tenant;
let publicKey;
let key;
before(async () => {
	tenant = await newTenant('api');
	const origin = await sql('SELECT origin FROM ledger.ledger_settings');
	key = join(work, 'log.key');
	publicKey = (await ledgerctl('keygen', '--name', origin, '--out', key)).stdout.trim();
	await sql("SELECT ledger.ledger_register_key(:'k', 'log')", { vars: { k: publicKey } });
	mkdirSync(join(work, 'state'));
	gateway = await startGateway();
	// It listens before it has looked at the database.
	await waitFor(async () => (await gateway.admin('/health/ready')).status === 200, { what: 'readiness' });
});
after(() => gateway.stop());

const sign = () => ledgerctl('anchor', '--connection', superuser, '--key-file', key, '--state-dir', join(work, 'state'), '--tenant', tenant, '--force');
const get = (path, options) => gateway.api(path, { tenant, ...options });
const post = (path, body, options) => gateway.api(path, { method: 'POST', tenant, body, ...options });
const events = '/v1/ledger/events';

// A chain of its own for each policy version, signed.
async function aChain(count, over = {}) {
	const policyVersion = `policy-${Math.random().toString(36).slice(2)}`;
	const batch = Array.from({ length: count }, () => anEvent({ policyVersion, ...over }));
	const answer = await post(`${events}:batch`, batch);
	assert.equal(answer.status, 201, answer.text.slice(0, 500));
	await sign();
	return { policyVersion, events: answer.json.events, chainId: answer.json.events[0].envelope.chainId };
}

// ---- those who may ----

test('the index, the document, problems, health, metrics', async () => {
	const index = await request(`${gateway.url}/`);
	assert.equal(index.json.routes.length, routes.length);
	for (const path of Object.values(index.json.links)) assert.equal((await gateway.api(path, { token: null, tenant: null })).status, 200, path);
	const problem = (await get('/v1/ledger/events/0198c0de-0000-7000-8000-000000000000')).json;
	const page = await gateway.api(problem.type, { token: null, tenant: null });
	assert.equal(page.json.code, 'LG404');
	assert.equal((await gateway.api('/problems/nothing', { token: null, tenant: null })).status, 404);
});

test('the tag of the document is of its content', async () => {
	const open = { token: null, tenant: null };
	const { headers, bytes } = await gateway.api('/openapi.yaml', open);
	assert.equal(headers.etag, `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`);
	assert.equal((await gateway.api('/openapi.yaml', { ...open, headers: { 'If-None-Match': headers.etag } })).status, 304);
});

test('every problem has a page, and an SQLSTATE at least that of its class', async () => {
	const listed = [...readFileSync(`${root}/docs/reference/problems.md`, 'utf8').matchAll(/^\| `(\w+)` \| (\d{3}) \| ([^|]+) \|/gm)];
	assert.ok(listed.length > 50, `${listed.length} problems`);
	for (const [, code, status, title] of listed) {
		const page = await gateway.api(`/problems/${code}`, { token: null, tenant: null });
		assert.deepEqual([page.status, page.json.code, page.json.status, page.json.title], [200, code, Number(status), title], code);
	}
	for (const [code, is] of [['57P03', '57'], ['57014', '57014'], ['53300', '53'], ['08006', '08']]) {
		const page = await gateway.api(`/problems/${code}`, { token: null, tenant: null });
		assert.deepEqual([page.status, page.json.code], [200, is], code);
	}
	for (const code of ['LG999', '99999', '57P0', 'internals']) assert.equal((await gateway.api(`/problems/${code}`, { token: null, tenant: null })).status, 404, code);
});

test('what is wrong with the sizes of a proof of consistency names the parameters', async () => {
	const chain = await aChain(3);
	const ask = async (query) => (await get(`/v1/ledger/chains/${chain.chainId}/consistency?${query}`)).json;
	for (const [query, detail, parameter] of [
		['from=3&to=1', /^from is malformed: It is "3"\.$/, 'from'], ['to=1', /^from is required/, 'from'], ['from=1', /^to is required/, 'to'],
	]) {
		const { status, detail: said, errors } = await ask(query);
		assert.equal(status, 400, query);
		assert.match(said, detail);
		assert.equal(errors[0].parameter, parameter);
	}
	const beyond = await ask('from=1&to=9');
	assert.deepEqual([beyond.status, beyond.detail, beyond.errors[0].parameter], [400, 'to must be between 1 and 3: It is 9.', 'to']);
	assert.equal((await ask('from=3&to=1')).hint, 'It must be no more than to, which is 1.');
});

test('an event: appended, asked for again, read', async () => {
	const event = anEvent({ id: '0198c0de-1111-7000-8000-000000000001' });
	const first = await post(events, event);
	assert.equal(first.status, 201);
	assert.equal(first.headers.location, `${events}/${event.id}`);
	const again = await post(events, event);
	assert.deepEqual([again.status, again.headers['idempotency-hit'], again.text], [200, 'true', first.text]);
	assert.equal((await post(events, { ...event, payload: { other: true } })).status, 409);
	const read = await get(first.headers.location);
	assert.equal(read.text, first.text);
	assert.equal(read.headers.etag, first.headers.etag);
	assert.equal((await get(first.headers.location, { headers: { 'If-None-Match': read.headers.etag } })).status, 304);
	assert.equal((await get(first.headers.location, { method: 'HEAD' })).status, 200);
	assert.deepEqual(read.json.envelope.actor, { id: 'tester', type: 'operator' });
});

test('events are listed by chain, sequence, finding and type, page by page', async () => {
	const chain = await aChain(7);
	const ids = chain.events.map((event) => event.envelope.id);
	const seen = [];
	for (let path = `${events}?chainId=${chain.chainId}&limit=3`; path;) {
		const page = await get(path);
		seen.push(...page.json.events.map((event) => event.envelope.id));
		path = /^<([^>]+)>; rel="next"$/.exec(page.headers.link ?? '')?.[1];
		assert.equal(page.headers['req-cursor'] === undefined, path === undefined);
	}
	assert.deepEqual(seen, ids);
	const listed = async (query) => (await get(`${events}?chainId=${chain.chainId}&${query}`)).json.events.map((event) => event.envelope.id);
	assert.deepEqual(await listed('sinceSequence=5'), ids.slice(5));
	assert.deepEqual(await listed(`findingId=${chain.events[2].envelope.finding.id}`), [ids[2]]);
	assert.deepEqual(await listed('type=finding.created'), []);
	assert.deepEqual(await listed('type=finding.comment_added'), ids);
	for (const query of ['limit=0', 'limit=1001', 'limit=x', 'limit=1&limit=2', 'sinceSequence=-1', 'chainId=x', 'cursor=abc', 'unknown=1']) {
		assert.equal((await get(`${events}?${query}`)).status, 400, query);
	}
});

test('a batch is all or nothing, in JSON and in lines', async () => {
	const good = [anEvent(), anEvent()];
	const lines = await post(`${events}:batch`, `${good.map((event) => JSON.stringify(event)).join('\n')}\n`, { headers: { 'Content-Type': 'application/x-ndjson', 'Idempotency-Key': 'batch-1' } });
	assert.equal(lines.status, 201, lines.text);
	const again = await post(`${events}:batch`, good, { headers: { 'Idempotency-Key': 'batch-1' } });
	assert.deepEqual([again.status, again.text], [200, lines.text]);
	const mark = anEvent();
	const bad = await post(`${events}:batch`, [mark, anEvent({ type: 'finding.unheard_of' }), anEvent({ sequence: 1 })]);
	assert.equal(bad.status, 404);
	assert.equal(bad.json.title, (await get(bad.json.type)).json.title);
	assert.deepEqual(bad.json.errors.map((error) => error.index), [1, 2]);
	assert.deepEqual((await get(`${events}?findingId=${mark.findingId}`)).json.events, []);
	assert.equal((await post(`${events}:batch`, [])).status, 400);
});

test('a proof from HTTP is good for ledgerctl, and for its event only', async () => {
	const chain = await aChain(5);
	const proof = await get(`${events}/${chain.events[3].envelope.id}/proof`);
	assert.equal(proof.status, 200);
	const bundle = file('event.tlog-proof', proof.text);
	const verify = (event) => ledgerctl('verify-proof', bundle, '--event', file('event.json', (event.envelope && JSON.stringify(event))), '--key', publicKey, '--offline');
	const event = await get(`${events}/${chain.events[3].envelope.id}`);
	await verify(event.json);
	await assert.rejects(verify(chain.events[2]), { code: 3 });
	const fresh = await post(events, anEvent({ policyVersion: 'policy-unsigned' }));
	assert.equal((await get(`${fresh.headers.location}/proof`)).status, 404, 'before a checkpoint covers it');
	assert.ok(Number(await sql("SELECT count(*) FROM ledger.ledger_access_log WHERE tenant_id = :'t' AND action = 'proof'", { vars: { t: tenant } })) >= 1);
});

test('events from HTTP are an export for ledgerctl, with the checkpoint from HTTP', async () => {
	const chain = await aChain(4);
	const lines = [];
	for (const event of chain.events) lines.push((await get(`${events}/${event.envelope.id}`)).text.trim());
	const checkpoint = await get(`/v1/ledger/chains/${chain.chainId}/checkpoint`);
	assert.match(checkpoint.text, new RegExp(`/${tenant}/${chain.chainId}\n4\n`));
	const verify = (text) => ledgerctl('verify-export', file('chain.ndjson', text), '--checkpoint', file('chain.checkpoint', checkpoint.text), '--key', publicKey, '--offline');
	await verify(`${lines.join('\n')}\n`);
	await assert.rejects(verify(`${lines.slice(0, 3).join('\n')}\n`), { code: 3 });
	assert.equal((await get(`/v1/ledger/chains/${chain.chainId}/checkpoint`, { headers: { 'If-None-Match': checkpoint.headers.etag } })).status, 304);
	assert.equal((await get(`/v1/ledger/chains/${chain.chainId}/checkpoint?size=4`)).text, checkpoint.text);
	assert.equal((await get(`/v1/ledger/chains/${chain.chainId}/checkpoint?size=3`)).status, 404);
});

test('tiles from HTTP are a tree for ledgerctl', async () => {
	const chain = await aChain(300);
	const directory = join(work, 'tiles');
	const take = async (name, path) => {
		const answer = await get(`/v1/ledger/chains/${chain.chainId}/${path}`);
		assert.equal(answer.status, 200, `${path}: ${answer.text.slice(0, 200)}`);
		mkdirSync(dirname(join(directory, name)), { recursive: true });
		writeFileSync(join(directory, name), answer.bytes);
		return answer;
	};
	await take('checkpoint', 'checkpoint');
	for (const tile of ['0/000', '0/001.p/44', '1/000.p/1', 'entries/000', 'entries/001.p/44']) await take(`tile/${tile}`, `tile/${tile}`);
	const verify = () => ledgerctl('verify-tiles', directory, '--key', publicKey, '--offline');
	await verify();
	const full = await get(`/v1/ledger/chains/${chain.chainId}/tile/0/000`);
	assert.match(full.headers['cache-control'], /immutable/);
	const broken = Buffer.from(full.bytes);
	broken[100] ^= 1;
	writeFileSync(join(directory, 'tile/0/000'), broken);
	await assert.rejects(verify(), { code: 3 });
	for (const tile of ['0/002', '0/001', '0/001.p/45', '0/x000/001', '9/000', 'x', '0/000.p/256', '0/0']) {
		assert.equal((await get(`/v1/ledger/chains/${chain.chainId}/tile/${tile}`)).status, 404, tile);
	}
});

test('consistency, chains and anchors', async () => {
	const chain = await aChain(3);
	const policyVersion = chain.policyVersion;
	await post(`${events}:batch`, [anEvent({ policyVersion }), anEvent({ policyVersion })]);
	await sign();
	const base = `/v1/ledger/chains/${chain.chainId}`;
	const proof = (await get(`${base}/consistency?from=3&to=5`)).json;
	const hex = (list) => `ARRAY[${list.map((hash) => `'\\x${hash}'::bytea`).join(',')}]::bytea[]`;
	assert.equal(await sql(`SELECT ledger.ledger_verify_consistency(3, '\\x${proof.fromRoot}', 5, '\\x${proof.toRoot}', ${hex(proof.hashes)})`), 't');
	for (const query of ['', 'from=3', 'from=5&to=3', 'from=1&to=99', 'from=x&to=3']) assert.equal((await get(`${base}/consistency?${query}`)).status, 400, query);
	const [listed] = (await get(`/v1/ledger/chains?policyVersion=${policyVersion}`)).json.chains;
	assert.deepEqual([listed.chainId, listed.size, listed.head.sequence], [chain.chainId, 5, 5]);
	const { anchors } = (await get(`/v1/ledger/anchors?chainId=${chain.chainId}`)).json;
	assert.deepEqual(anchors.map((anchor) => anchor.treeSize), [3, 5]);
	assert.equal(anchors[1].rootHash, proof.toRoot);
	assert.equal(anchors[0].signedBy.length, 1);
	assert.equal((await get(`/v1/ledger/anchors?chainId=${chain.chainId}&sinceSize=3`)).json.anchors.length, 1);
	for (const path of ['checkpoint', 'consistency?from=1&to=1', 'tile/0/000']) {
		assert.equal((await get(`/v1/ledger/chains/0198c0de-0000-8000-8000-000000000000/${path}`)).status, 404, path);
		assert.equal((await get(`/v1/ledger/chains/x/${path}`)).status, 400, path);
	}
});

test('findings as they are, as they were, and how they came to be so', async () => {
	const event = anEvent({ type: 'finding.created', payload: { severity: 5.5, status: 'affected' }, findingId: `pkg:npm/lodash-${process.pid}` });
	const { findingId, policyVersion } = event;
	await post(events, event);
	const first = (await get(`/v1/ledger/projections/findings?findingId=${encodeURIComponent(findingId)}`));
	assert.deepEqual([first.json.findings.length, first.json.findings[0].status, first.json.findings[0].severity], [1, 'affected', 5.5]);
	const { currentSequence, chainId } = first.json.findings[0];
	await post(events, anEvent({ findingId, policyVersion, type: 'finding.closed' }));
	const of = async (query) => (await get(`/v1/ledger/projections/findings?findingId=${encodeURIComponent(findingId)}&${query}`)).json.findings.map((finding) => finding.status);
	assert.deepEqual(await of(''), ['resolved']);
	assert.deepEqual(await of(`asOfSequence=${currentSequence}&chainId=${chainId}`), ['affected']);
	assert.deepEqual(await of('status=affected'), []);
	assert.deepEqual(await of('severityMin=5.5&severityMax=6'), ['resolved']);
	const unchanged = { headers: { 'If-None-Match': first.headers.etag } };
	assert.equal((await get(`/v1/ledger/projections/findings?findingId=${encodeURIComponent(findingId)}`, unchanged)).status, 200, 'it changed');
	const steps = (await get(`/v1/ledger/findings/${encodeURIComponent(findingId)}/history`)).json.history;
	assert.deepEqual(steps.map((step) => step.status), ['affected', 'resolved']);
	assert.equal((await get('/v1/ledger/findings/none/history')).status, 404);
	for (const query of ['status=open', 'severityMin=11', 'asOf=yesterday', 'asOfSequence=1']) assert.equal((await get(`/v1/ledger/projections/findings?${query}`)).status, 400, query);
});

test('an export, and the rules it was made by', async () => {
	await post(events, anEvent({ type: 'finding.created', payload: { severity: 5 } }));
	const answer = await get('/ledger/export/findings?shape=canonical');
	assert.equal(answer.status, 200);
	const lines = answer.text.trim().split('\n').map((line) => JSON.parse(line));
	assert.ok(lines.length >= 2 && lines.at(-1).manifest, 'the manifest is the last');
	assert.ok((await get('/ledger/export/redaction-manifest')).json.rules.length > 0);
	for (const query of ['', 'shape=x', 'shape=canonical&page_size=0', 'shape=canonical&page_token=x']) assert.equal((await get(`/ledger/export/findings?${query}`)).status, 400, query);
});

test('a verification says clean, and says tampered', async () => {
	const chain = await aChain(3);
	const report = await post('/v1/ledger/verify', { chainId: chain.chainId });
	assert.deepEqual([report.status, report.json.verdict, report.json.rows], [200, 'clean', 3]);
	const missing = () => sql('SELECT count(*) FROM ledger.ledger_guard_state() WHERE NOT ok');
	const before = await missing();
	await tamper('ledger_events', `UPDATE ledger.ledger_events SET event_body = '{"comment": "forged"}'
		WHERE tenant_id = '${tenant}' AND chain_id = '${chain.chainId}' AND sequence_no = 2`);
	assert.equal((await post('/v1/ledger/verify', { chainId: chain.chainId })).json.verdict, 'tampered');
	for (const body of [{ more: 1 }, { chainId: 'x' }, { from: 0 }, []]) assert.equal((await post('/v1/ledger/verify', body)).status, 400, JSON.stringify(body));
	assert.equal((await post('/v1/ledger/verify', { tenant: 'globex' })).status, 403);
	assert.equal(await missing(), before, 'the guards are on again');
});

// ---- those who may not, route by route ----

const place = { eventId: '0198c0de-0000-7000-8000-000000000000', chainId: '0198c0de-0000-8000-8000-000000000000', findingId: 'F-1', attachmentId: '0198c0de-0000-7000-8000-000000000000', tile: '0/000' };
const pathOf = (route) => route.pattern.replace(/\{([a-zA-Z]+)[*.]*\}/g, (_, name) => place[name]);
const bodyOf = { none: undefined, json: '{}', events: '[]', bytes: 'x' };
const ask = (route, options = {}) => gateway.api(pathOf(route) + (options.query ?? ''), {
	method: route.method, tenant, body: bodyOf[route.body], ...options,
	headers: { ...(route.body === 'none' ? {} : { 'Content-Type': route.body === 'bytes' ? 'text/plain' : 'application/json' }), ...options.headers },
});

for (const route of guarded) {
	test(`${route.name}: not without a token, a tenant, the scope, or with anything strange`, async () => {
		const is = async (status, code, options) => {
			const answer = await ask(route, options);
			assert.equal(answer.status, status, `${code}: ${answer.text}`);
			if (code) assert.equal(answer.json.code, code);
			return answer;
		};
		const bare = await is(401, 'token_missing', { token: null });
		assert.match(bare.headers['www-authenticate'], /^Bearer/);
		await is(401, 'token_invalid', { token: 'x.y.z' });
		await is(401, 'token_expired', { token: { lifetime: -3600, claims: { nbf: 1, iat: 1 } } });
		await is(403, 'scope_missing', { token: { scopes: scopes.filter((scope) => scope !== route.scope) } });
		await is(400, 'tenant_missing', { headers: { 'X-Stella-Tenant': undefined } });
		await is(403, 'tenant_mismatch', { headers: { 'X-Stella-Tenant': 'globex' } });
		await is(400, 'query_invalid', { query: '?strange=1' });
		if (route.method === 'GET') {
			await is(400, null, { body: 'x', headers: { 'Content-Type': 'text/plain' } });
			await is(406, 'not_acceptable', { headers: { Accept: 'image/png' } }).catch((error) => { if (route.name !== 'getAttachment') throw error; });
		}
		if (route.body === 'json' || route.body === 'events') {
			await is(415, 'media_type', { body: '{}', headers: { 'Content-Type': 'text/plain' } });
			const malformed = await is(400, 'json_malformed', { body: '{"a":1,"a":2}' });
			assert.ok(malformed.json.errors[0].line === 1, malformed.text);
		}
	});
}

test('a method that a path does not know', async () => {
	for (const path of new Set(guarded.map(pathOf))) {
		const answer = await gateway.api(path, { method: 'DELETE', tenant });
		assert.equal(answer.status, 405, path);
		const allowed = answer.headers.allow.split(', ');
		for (const route of guarded.filter((r) => pathOf(r) === path)) assert.ok(allowed.includes(route.method), `${path}: ${answer.headers.allow}`);
	}
	assert.equal((await gateway.api('/v1/ledger/nothing', { tenant })).status, 404);
});
