// Attachments: encrypted where they lie, bound to their events, given out as downloads, by
// links that expire, and to other services only where that was allowed.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import {
	anEvent, database, key32, newTenant, program, raw, request, rows, sql, startGateway, superuser, tamper, waitFor, work,
} from './lib/gateway.mjs';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const FIRST = key32(2);
const SECOND = key32(3);

let gateway;
let tenant;
before(async () => {
	tenant = await newTenant('att');
	gateway = await startGateway();
});
after(() => gateway.stop());

const at = (finding, rest = '') => `/v1/ledger/findings/${encodeURIComponent(finding)}/attachments${rest}`;

// A finding that is known to the ledger.
async function aFinding(over = {}) {
	const event = anEvent({ type: 'finding.created', ...over });
	assert.equal((await gateway.api('/v1/ledger/events', { method: 'POST', body: event, tenant })).status, 201);
	return event.findingId;
}

async function attach(finding, content, { query = '', headers = {}, on = gateway, ...options } = {}) {
	return on.api(at(finding) + query, { method: 'POST', tenant, body: content, headers: { 'Content-Type': 'text/plain', ...headers }, ...options });
}

// A stored attachment: its answer with the finding's id beside it.
async function attached(content = Buffer.from('what was found'), options = {}) {
	const finding = await aFinding();
	const answer = await attach(finding, content, options);
	assert.equal(answer.status, 201, answer.text);
	return { finding, content, ...answer.json };
}

const read = (a, { on = gateway, ...options } = {}) => on.api(at(a.finding, `/${a.attachmentId}`), { tenant, ...options });

test('what is attached can be read, as a download that no browser shows', async () => {
	const a = await attached(Buffer.from('Zürich ☃'), { query: '?filename=%E2%98%83%20%22a%22.txt', headers: { 'Content-Type': 'text/html; charset=utf-8' } });
	assert.equal(a.digest, `sha256:${sha256(a.content)}`);
	assert.equal(a.size, a.content.length);
	const answer = await read(a);
	assert.equal(answer.status, 200);
	assert.ok(answer.bytes.equals(a.content));
	assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
	assert.equal(answer.headers['content-disposition'], 'attachment; filename="_ _a_.txt"; filename*=UTF-8\'\'%E2%98%83%20%22a%22.txt');
	assert.equal(answer.headers['x-content-type-options'], 'nosniff');
	assert.match(answer.headers['content-security-policy'], /default-src 'none'/);
	assert.equal(answer.headers['content-digest'], `sha-256=:${createHash('sha256').update(a.content).digest('base64')}:`);
	assert.equal((await read(a, { headers: { 'If-None-Match': answer.headers.etag } })).status, 304);
	assert.equal((await read(a, { method: 'HEAD' })).bytes.length, 0);
});

test('every byte and no byte: 16 MiB, and nothing', async () => {
	for (const size of [0, 1, 16 * 1024 * 1024]) {
		const a = await attached(randomBytes(size));
		assert.equal(a.size, size);
		assert.ok((await read(a)).bytes.equals(a.content), `${size} bytes`);
	}
	// One byte more is refused by its announcement; whoever goes on sending may find the connection closed.
	const socket = await raw(gateway.port);
	await socket.send([`POST ${at(await aFinding())} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${gateway.authority.token({ tenant })}`, `X-Stella-Tenant: ${tenant}`,
		'Content-Type: text/plain', `Content-Length: ${16 * 1024 * 1024 + 1}`, '', ''].join('\r\n'));
	assert.match(await socket.until(/\r\n\r\n/), /^HTTP\/1.1 413 /);
	socket.destroy();
});

test('the event tells digest and metadata, and is in the chain', async () => {
	const a = await attached(Buffer.from('abc'), { query: '?filename=abc.txt' });
	const event = (await gateway.api(`/v1/ledger/events/${a.attachmentId}`, { tenant })).json;
	assert.equal(event.envelope.type, 'finding.attachment_added');
	assert.deepEqual(event.envelope.actor, { id: 'tester', type: 'operator' });
	assert.equal(event.eventHash, a.event.eventHash);
	assert.deepEqual(event.payload, { attachmentId: a.attachmentId, digest: a.digest, size: 3, mediaType: 'text/plain', fileName: 'abc.txt' });
});

test('the same Idempotency-Key is the same attachment', async () => {
	const finding = await aFinding();
	const headers = { 'Idempotency-Key': 'upload-1' };
	const first = await attach(finding, Buffer.from('one'), { headers });
	const again = await attach(finding, Buffer.from('one'), { headers });
	assert.deepEqual([first.status, again.status, again.headers['idempotency-hit']], [201, 200, 'true']);
	assert.equal(again.json.attachmentId, first.json.attachmentId);
	assert.equal((await attach(finding, Buffer.from('two'), { headers })).status, 409);
	assert.equal((await attach(await aFinding(), Buffer.from('two'), { headers })).status, 201, 'of another finding it is another');
	assert.ok((await read({ finding, ...first.json })).bytes.equals(Buffer.from('one')));
	const [{ n }] = await rows(`SELECT count(*) AS n FROM ledger.ledger_attachments WHERE tenant_id = '${tenant}' AND finding_id = '${finding}'`);
	assert.equal(n, 1);
});

test('attachments are listed, page by page, oldest first', async () => {
	const finding = await aFinding();
	const ids = [];
	for (const text of ['a', 'b', 'c']) ids.push((await attach(finding, Buffer.from(text))).json.attachmentId);
	const first = await gateway.api(at(finding, '?limit=2'), { tenant });
	const rest = await gateway.api(at(finding, `?limit=2&cursor=${first.headers['req-cursor']}`), { tenant });
	assert.deepEqual([...first.json.attachments, ...rest.json.attachments].map((a) => a.attachmentId), ids);
	assert.equal(rest.headers['req-cursor'], undefined);
	assert.equal((await gateway.api(at(await aFinding(), `?cursor=${first.headers['req-cursor']}`), { tenant })).status, 400, 'a cursor of another list');
});

test('a finding with slashes, and one that the ledger does not know', async () => {
	const finding = await aFinding({ findingId: `pkg:npm/lodash/${process.pid}` });
	const a = await attach(finding, Buffer.from('x'));
	assert.equal(a.status, 201);
	assert.equal((await gateway.api(a.headers.location, { tenant })).text, 'x');
	assert.equal((await attach('unknown-1', Buffer.from('x'))).status, 404);
	assert.equal((await attach('unknown-1', Buffer.from('x'), { query: '?policyVersion=p&artifactId=a' })).status, 201);
	await aFinding({ findingId: finding, policyVersion: 'policy-2' });
	assert.equal((await attach(finding, Buffer.from('x'))).status, 400, 'two policy versions');
	assert.equal((await attach(finding, Buffer.from('x'), { query: '?policyVersion=policy-2' })).json.policyVersion, 'policy-2');
});

test('names and types that are none are refused', async () => {
	const finding = await aFinding();
	for (const name of ['', '.', '..', 'a%2Fb', 'a%5Cb', 'a%0Ab', '%C2%85', 'a'.repeat(256)]) {
		assert.equal((await attach(finding, 'x', { query: `?filename=${name}` })).status, 400, name);
	}
	for (const type of ['text', 'text/', '/html', 'text/html;', 'text/html; a', 'text/html; a="b', 'text/html, text/plain', 'te xt/html']) {
		assert.equal((await attach(finding, 'x', { headers: { 'Content-Type': type } })).status, 415, type);
	}
});

test('an attachment counts as an event: for metrics and for quotas', async () => {
	const mine = await newTenant('att');
	const counted = await startGateway({ env: { LEDGER__QUOTA__RATE: '1', LEDGER__QUOTA__BURST: '2' } });
	try {
		const query = '?policyVersion=p&artifactId=a';
		const statuses = [];
		for (let n = 0; n < 3; n++) statuses.push((await attach('F-1', `x${n}`, { query, on: counted, tenant: mine })).status);
		assert.deepEqual(statuses, [201, 201, 429]);
		const metrics = (await request(`${counted.url}/metrics`)).text.split('\n');
		const [line] = metrics.filter((text) => text.startsWith('ledger_events_total{') && text.includes(`tenant="${mine}"`));
		assert.match(line, /event_type="finding.attachment_added".*} 2$/);
	} finally {
		await counted.stop();
	}
});

test('another tenant, another finding, an unknown id: 404', async () => {
	const a = await attached();
	const other = await newTenant('other');
	assert.equal((await read(a, { tenant: other })).status, 404);
	assert.equal((await read({ ...a, finding: await aFinding() })).status, 404);
	for (const id of ['0198c0de-0000-7000-8000-000000000001', 'x', a.attachmentId.toUpperCase()]) assert.equal((await read({ ...a, attachmentId: id })).status, 404, id);
});

test('scopes', async () => {
	const a = await attached();
	const only = (...scopes) => ({ token: { scopes } });
	assert.equal((await read(a, only('ledger.attachments.write'))).status, 403);
	assert.equal((await read(a, only('ledger.attachments.read'))).status, 200);
	assert.equal((await attach(a.finding, 'x', only('ledger.attachments.read', 'ledger.events.write'))).status, 403);
	assert.equal((await gateway.api(at(a.finding, `/${a.attachmentId}/push`), { method: 'POST', tenant, body: { url: 'https://x.example/' }, ...only('ledger.attachments.read') })).status, 403);
	assert.equal((await read(a, { token: null })).status, 401);
});

test('whatever is changed of what is stored, nothing is given out', async () => {
	const changes = {
		ciphertext: 'ciphertext = set_byte(ciphertext, 3, get_byte(ciphertext, 3) # 1)',
		tag: 'tag = set_byte(tag, 15, get_byte(tag, 15) # 128)',
		nonce: 'nonce = set_byte(nonce, 0, get_byte(nonce, 0) # 1)',
		'wrapped key': 'wrapped_key = set_byte(wrapped_key, 20, get_byte(wrapped_key, 20) # 1)',
		'media type': "media_type = 'text/html'",
		'file name': "file_name = 'other.exe'",
		digest: "digest = sha256('other')",
	};
	for (const [name, change] of Object.entries(changes)) {
		const a = await attached();
		await tamper('ledger_attachments', `UPDATE ledger.ledger_attachments SET ${change} WHERE attachment_id = :'id'`, { vars: { id: a.attachmentId } });
		const answer = await read(a);
		assert.equal(answer.status, 500, name);
		assert.equal(answer.json.code, 'attachment_broken', name);
		assert.match(answer.json.detail, new RegExp(a.attachmentId));
		assert.doesNotMatch(answer.text, /what was|found/);
	}
});

test('an attachment that its event does not tell of is not given out', async () => {
	const a = await attached();
	await tamper('ledger_events', `UPDATE ledger.ledger_events SET event_body = event_body || jsonb_build_object('digest', 'sha256:' || repeat('0', 64))
		WHERE tenant_id = '${tenant}' AND event_id = :'id'`, { vars: { id: a.attachmentId } });
	const answer = await read(a);
	assert.deepEqual([answer.status, answer.json.code], [500, 'attachment_broken']);
});

test('one attachment in the place of another is noticed', async () => {
	const a = await attached(Buffer.from('first'));
	const b = await attached(Buffer.from('other'));
	await tamper('ledger_attachments', `UPDATE ledger.ledger_attachments AS t SET ciphertext = o.ciphertext, nonce = o.nonce, tag = o.tag, wrapped_key = o.wrapped_key, digest = o.digest
		FROM ledger.ledger_attachments AS o WHERE t.attachment_id = :'a' AND o.attachment_id = :'b'`, { vars: { a: a.attachmentId, b: b.attachmentId } });
	assert.equal((await read(a)).status, 500);
	assert.equal((await read(b)).status, 200);
});

test('the row cannot be changed or removed by those who may', async () => {
	const a = await attached();
	for (const statement of ["UPDATE ledger.ledger_attachments SET media_type = 'x'", 'DELETE FROM ledger.ledger_attachments', 'TRUNCATE ledger.ledger_attachments']) {
		await assert.rejects(sql(statement), /append-only/);
	}
	assert.equal((await read(a)).status, 200);
});

// Which of these texts a dump of the database holds.  It can be longer than a string.
async function foundInDump(texts) {
	const dump = spawn('pg_dump', ['-d', superuser], { stdio: ['ignore', 'pipe', 'inherit'] });
	const ended = new Promise((resolve) => { dump.on('close', resolve); });
	const longest = Math.max(...texts.map((text) => text.length));
	const found = new Set();
	let before = '';
	for await (const chunk of dump.stdout.setEncoding('latin1')) {
		const seen = before + chunk;
		for (const text of texts) if (seen.includes(text)) found.add(text);
		before = seen.slice(-longest);
	}
	assert.equal(await ended, 0);
	return texts.filter((text) => found.has(text));
}

test('a dump of the database has neither content nor keys', async () => {
	const secret = randomBytes(24).toString('hex');
	const a = await attached(Buffer.from(secret));
	const hidden = [secret, Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64').slice(0, -2),
		Buffer.from(FIRST, 'base64').toString('hex'), FIRST.slice(0, -2)];
	assert.deepEqual(await foundInDump([a.attachmentId, ...hidden]), [a.attachmentId], 'the attachment is in it, and nothing of it');
	assert.ok(!gateway.stdout.join('\n').includes(secret) && !gateway.stdout.join('\n').includes(FIRST), 'nor are they in the log');
});

test('who read, linked and pushed is recorded', async () => {
	const a = await attached();
	await read(a);
	await gateway.api(at(a.finding, `/${a.attachmentId}/link`), { method: 'POST', tenant });
	await gateway.api(at(a.finding), { tenant });
	await read(a, { token: { subject: 'link' } });
	assert.equal((await gateway.api((await link(a)).url, { token: null, tenant: null })).status, 200);
	const log = await rows(`SELECT subject, action, via FROM ledger.ledger_access_log WHERE tenant_id = '${tenant}' AND object IN ('${a.attachmentId}', '${a.finding}') ORDER BY action, access_id`);
	assert.deepEqual(log.map((line) => `${line.subject} ${line.action} ${line.via}`), ['tester attachment.link token', 'tester attachment.link token',
		'tester attachment.list token', 'tester attachment.read token', 'link attachment.read token', 'link attachment.read link']);
});

// ---- links ----

const link = async (a, on = gateway) => (await on.api(at(a.finding, `/${a.attachmentId}/link`), { method: 'POST', tenant })).json;

test('a link needs no token, and is for this one thing', async () => {
	const a = await attached();
	const b = await attached(Buffer.from('other'));
	const { url, expiresAt } = await link(a);
	const left = Date.parse(expiresAt) - Date.now();
	assert.ok(left > 280_000 && left <= 301_000, `${left} ms`);
	const bare = (path, options) => gateway.api(path, { token: null, tenant: null, ...options });
	assert.ok((await bare(url)).bytes.equals(a.content));
	const query = url.split('?')[1];
	const given = new URLSearchParams(query);
	const otherwise = (changes) => { const q = new URLSearchParams(given); for (const [k, v] of Object.entries(changes)) q.set(k, v); return `${url.split('?')[0]}?${q}`; };
	const flip = (text, i) => text.slice(0, i) + (text[i] === 'A' ? 'B' : 'A') + text.slice(i + 1);
	const wrong = {
		'another attachment': `${at(b.finding, `/${b.attachmentId}`)}?${query}`,
		'another tenant': otherwise({ tenant: 'globex' }),
		'a later end': otherwise({ expires: String(Number(given.get('expires')) + 1) }),
		'a leading zero': otherwise({ expires: `0${given.get('expires')}` }),
		'a changed signature': otherwise({ signature: flip(given.get('signature'), 7) }),
		'no signature': otherwise({ signature: '' }),
		'a parameter more': `${url}&tenant=globex`,
		'another spelling': url.replace('/attachments/', '/attachment%73/'),
	};
	for (const [name, path] of Object.entries(wrong)) assert.ok([401, 403].includes((await bare(path)).status), name);
	assert.ok([401, 403, 405].includes((await bare(url, { method: 'POST' })).status));
	assert.ok([401, 403].includes((await bare(`${at(a.finding)}?${query}`)).status) || (await bare(`${at(a.finding)}?${query}`)).status === 400, 'the list');
});

test('a link expires', async () => {
	const a = await attached();
	const short = await startGateway({ env: { LEDGER__ATTACHMENTS__URLLIFETIME: '1s' } });
	try {
		const { url } = await link(a, short);
		assert.equal((await short.api(url, { token: null, tenant: null })).status, 200);
		await waitFor(async () => (await short.api(url, { token: null, tenant: null })).status !== 200, { what: 'the end of the link' });
		const late = await short.api(url, { token: null, tenant: null });
		assert.deepEqual([late.status, late.json.code], [403, 'link_invalid']);
	} finally {
		await short.stop();
	}
});

// ---- keys ----

test('without a key there are no attachments, and the answer says what to do', async () => {
	const a = await attached();
	const off = await startGateway({ unset: ['LEDGER__ATTACHMENTS__ENCRYPTIONKEY'] });
	try {
		for (const answer of [await attach(a.finding, 'x', { on: off }), await read(a, { on: off }),
			await off.api(at(a.finding, `/${a.attachmentId}/link`), { method: 'POST', tenant })]) {
			assert.equal(answer.status, 501);
			assert.equal(answer.json.code, 'attachments_off');
			assert.match(answer.json.hint, /LEDGER__ATTACHMENTS__ENCRYPTIONKEY/);
		}
	} finally {
		await off.stop();
	}
});

test('the key is rotated: what it wrapped is wrapped anew, and the old one can go', async () => {
	const a = await attached();
	const old = (await link(a)).url;
	const keyOf = async () => (await rows(`SELECT key_id, encode(ciphertext, 'hex') AS c, encode(wrapped_key, 'hex') AS w FROM ledger.ledger_attachments WHERE attachment_id = '${a.attachmentId}'`))[0];
	const before = await keyOf();
	const both = await startGateway({ env: { LEDGER__ATTACHMENTS__ENCRYPTIONKEY: SECOND, LEDGER__ATTACHMENTS__PREVIOUSKEYS: FIRST,
		LEDGER__TICKS__ENABLED: 'true', LEDGER__TICKS__MAINTENANCEINTERVAL: '200ms' } });
	try {
		assert.ok((await read(a, { on: both })).bytes.equals(a.content), 'before it is wrapped anew');
		assert.equal((await both.api(old, { token: null, tenant: null })).status, 200, 'an old link holds');
		const changed = await waitFor(async () => { const now = await keyOf(); return now.key_id !== before.key_id && now; }, { what: 'the rotation' });
		assert.equal(changed.c, before.c, 'the content is as it was');
		assert.notEqual(changed.w, before.w);
		const [{ n }] = await waitFor(async () => { const left = await rows(`SELECT count(*) AS n FROM ledger.ledger_attachments WHERE tenant_id = '${tenant}' AND key_id = '${before.key_id}'`); return left[0].n < 8 && left; });
		assert.ok(n < 8, 'those that were tampered with stay with the old key');
		await both.line({ event: 'attachments.rewrapped' });
	} finally {
		await both.stop();
	}
	const fresh = await startGateway({ env: { LEDGER__ATTACHMENTS__ENCRYPTIONKEY: SECOND } });
	try {
		assert.ok((await read(a, { on: fresh })).bytes.equals(a.content), 'the new key alone is enough');
	} finally {
		await fresh.stop();
	}
	const answer = await read(a);
	assert.equal(answer.status, 503, 'the old one alone is not');
	assert.equal(answer.json.code, 'attachment_key');
});

test('an attachment that has expired is not given out', async () => {
	const brief = await startGateway({ env: { LEDGER__ATTACHMENTS__LIFETIME: '1s' } });
	try {
		const finding = await aFinding();
		const a = { finding, ...(await attach(finding, 'x', { on: brief })).json };
		assert.ok(a.expiresAt > a.createdAt);
		await waitFor(async () => (await read(a, { on: brief })).status === 404, { what: 'its end' });
	} finally {
		await brief.stop();
	}
});

test('what is not given out any more is not offered', async () => {
	const brief = await startGateway({ env: { LEDGER__ATTACHMENTS__LIFETIME: '1s' } });
	try {
		const finding = await aFinding();
		const listed = async () => (await gateway.api(at(finding), { tenant })).json.attachments.map((a) => a.attachmentId);
		const expiring = (await attach(finding, 'x', { on: brief })).json.attachmentId;
		const [erased, kept] = [(await attach(finding, 'y')).json.attachmentId, (await attach(finding, 'z')).json.attachmentId];
		assert.ok((await listed()).includes(erased));
		await tamper('ledger_events', 'UPDATE ledger.ledger_events SET event_body = NULL, payload_salt = NULL WHERE event_id = :\'id\'', { vars: { id: erased } });
		await waitFor(async () => (await read({ finding, attachmentId: expiring })).status === 404, { what: 'its end' });
		assert.deepEqual(await listed(), [kept]);
		for (const attachmentId of [erased, expiring]) assert.equal((await read({ finding, attachmentId })).status, 404);
		// That there was one is not forgotten.
		const events = (await gateway.api(`/v1/ledger/events?findingId=${finding}&type=finding.attachment_added`, { tenant })).json.events;
		assert.equal(events.length, 3);
	} finally {
		await brief.stop();
	}
});

test('who reads one tenant\'s attachments locks no other tenant\'s events', async () => {
	const a = await attached();
	await newTenant('other');
	const context = JSON.stringify({ subject: 'tester', path: { findingId: a.finding, attachmentId: a.attachmentId }, query: {} });
	// Eight times in one session: from the sixth on a plan is kept, unless it must not be.
	const locked = async (before, call) => Number((await sql(`BEGIN; SET LOCAL session_replication_role = replica; ${before};
		SET LOCAL SESSION AUTHORIZATION gateway_login; SET LOCAL app.current_tenant = '${tenant}';
		SELECT count(*) FROM generate_series(1, 8) AS n, LATERAL ledger.${call.replace('$1', `'${tenant}'`).replace('$2', ":'context'::jsonb || jsonb_build_object('n', n)")};
		RESET SESSION AUTHORIZATION;
		SELECT count(DISTINCT l.relation) FROM pg_locks AS l JOIN pg_inherits AS i ON i.inhrelid = l.relation
		WHERE i.inhparent = 'ledger.ledger_events'::regclass AND l.pid = pg_backend_pid(); ROLLBACK`, { vars: { context } })).split('\n').pop());
	for (const [name, call] of [['ledger_http_attachment(text, jsonb, text, text)', "ledger_http_attachment($1, $2, 'read')"],
		['ledger_http_attachments(text, jsonb)', 'ledger_http_attachments($1, $2)']]) {
		assert.equal(await locked('', call), 1, name);
		assert.ok(await locked(`ALTER FUNCTION ledger.${name} RESET plan_cache_mode`, call) > 1, `${name}: a kept plan is noticed`);
	}
});

// ---- egress ----

// A locker: what it was sent, and how often anyone connected.
async function locker(answer = (req, res) => { res.writeHead(201, { 'Content-Type': 'text/plain' }); res.end('kept'); }) {
	const seen = [];
	const server = createServer((req, res) => {
		const chunks = [];
		req.on('data', (chunk) => chunks.push(chunk));
		req.on('end', () => { seen.push({ method: req.method, url: req.url, headers: req.headers, body: Buffer.concat(chunks) }); answer(req, res); });
	});
	let connections = 0;
	server.on('connection', () => { connections++; });
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address();
	return { seen, port, url: `http://127.0.0.1:${port}`, get connections() { return connections; },
		close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) };
}

const push = (a, url, on) => on.api(at(a.finding, `/${a.attachmentId}/push`), { method: 'POST', tenant, body: { url } });

test('pushed to a service that is allowed', async () => {
	const a = await attached(randomBytes(100_000));
	const target = await locker();
	const open = await startGateway({ env: { LEDGER__ATTACHMENTS__ALLOWEGRESS: 'true', LEDGER__ATTACHMENTS__EGRESSALLOWLIST: `locker.example;127.0.0.1:${target.port}` } });
	try {
		const answer = await push(a, `${target.url}/evidence/1?sig=secret`, open);
		assert.equal(answer.status, 200, answer.text);
		assert.equal(answer.json.status, 201);
		const { pushedAt, ...receipt } = answer.json.receipt;
		assert.ok(Math.abs(Date.parse(pushedAt) - Date.now()) < 60_000);
		assert.deepEqual(receipt, { attachmentId: a.attachmentId, digest: a.digest, size: a.size, url: `${target.url}/evidence/1`, answerDigest: `sha256:${sha256('kept')}` });
		assert.equal(target.seen.length, 1);
		assert.equal(target.seen[0].method, 'PUT');
		assert.equal(target.seen[0].headers['content-type'], 'text/plain');
		assert.equal(target.seen[0].headers.authorization, undefined, 'the token stays here');
		assert.ok(target.seen[0].body.equals(a.content));
		const [{ n }] = await rows(`SELECT count(*) AS n FROM ledger.ledger_access_log WHERE object = '${a.attachmentId} ${target.url}/evidence/1' AND action = 'attachment.push'`);
		assert.equal(n, 1);
		assert.ok(!open.stdout.join('\n').includes('sig=secret'));
	} finally {
		await open.stop();
		await target.close();
	}
});

test('by no proxy that the environment names, nor are keys fetched by one from the machine itself', async () => {
	const a = await attached();
	const target = await locker();
	const proxy = await locker();
	const keys = await locker((req, res) => { res.writeHead(200, { 'Content-Type': 'application/json' }); res.end(JSON.stringify(gateway.authority.jwks())); });
	const proxies = Object.fromEntries(['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'ALL_PROXY', 'all_proxy'].map((name) => [name, proxy.url]));
	const open = await startGateway({ env: { ...proxies, LEDGER__AUTH__JWKS: keys.url, LEDGER__ATTACHMENTS__ALLOWEGRESS: 'true', LEDGER__ATTACHMENTS__EGRESSALLOWLIST: `127.0.0.1:${target.port};127.0.0.1` } });
	try {
		const answer = await push(a, target.url, open);
		assert.equal(answer.status, 200, answer.text);
		assert.equal(target.seen.length, 1);
		assert.equal(keys.seen.length, 1);
		// Nobody is there, and nobody else is asked.
		assert.equal((await push(a, 'https://127.0.0.1/', open)).json.code, 'egress_failed');
		assert.equal(proxy.connections, 0);
		// They are in force: keys from another host by https come through it.
		const through = await startGateway({ env: { ...proxies, LEDGER__AUTH__JWKS: 'https://authority.invalid/jwks' } });
		await waitFor(() => proxy.connections > 0, { what: 'the proxy' });
		await through.stop();
	} finally {
		await open.stop();
		for (const service of [target, proxy, keys]) await service.close();
	}
});

test('not to one that is not allowed, however it is spelt, and nobody is connected to', async () => {
	const a = await attached();
	const target = await locker();
	const listed = await locker();
	const open = await startGateway({ env: { LEDGER__ATTACHMENTS__ALLOWEGRESS: 'true', LEDGER__ATTACHMENTS__EGRESSALLOWLIST: `127.0.0.1:${listed.port};locker.example` } });
	try {
		for (const url of [target.url, `http://localhost:${target.port}/`, `http://[::1]:${target.port}/`, `http://0x7f.1:${target.port}/`,
			`http://127.0.0.1:${listed.port}@127.0.0.1:${target.port}/`, `http://u:p@127.0.0.1:${listed.port}/`, `http://127.0.0.1:${listed.port}#@127.0.0.1:${target.port}/`,
			`http://127.0.0.1:${target.port}\\@127.0.0.1:${listed.port}/`, 'http://locker.example/', 'https://locker.example.evil.example/', 'https://evil.example/?locker.example',
			'https://locker.example:8443/', `http://localhost:${listed.port}/`, 'file:///etc/passwd', 'gopher://127.0.0.1/', 'locker.example', '/x', '', ' https://locker.example/', 'https://locker.example/\n']) {
			const answer = await push(a, url, open);
			assert.equal(answer.status, 403, url);
			assert.equal(answer.json.code, 'egress_refused');
		}
		for (const body of [{}, { url: 1 }, { url: 'https://locker.example/', more: 1 }, [], 'x']) {
			assert.equal((await open.api(at(a.finding, `/${a.attachmentId}/push`), { method: 'POST', tenant, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } })).status, 400);
		}
		assert.deepEqual([target.connections, listed.connections], [0, 0]);
	} finally {
		await open.stop();
		await target.close();
		await listed.close();
	}
});

test('a redirect is not followed, a refusal is told, a dead service too', async () => {
	const a = await attached();
	const target = await locker();
	const redirecting = await locker((req, res) => { res.writeHead(req.url === '/no' ? 507 : 307, { Location: `${target.url}/` }); res.end(); });
	const open = await startGateway({ env: { LEDGER__ATTACHMENTS__ALLOWEGRESS: 'true', LEDGER__ATTACHMENTS__EGRESSALLOWLIST: `127.0.0.1:${redirecting.port}; 127.0.0.1:1` } });
	try {
		for (const [url, what] of [[`${redirecting.url}/`, /answered 307/], [`${redirecting.url}/no`, /answered 507/], ['http://127.0.0.1:1/', /did not answer/]]) {
			const answer = await push(a, url, open);
			assert.equal(answer.status, 502);
			assert.match(answer.json.detail, what);
		}
		assert.equal(target.connections, 0);
	} finally {
		await open.stop();
		await target.close();
		await redirecting.close();
	}
});

// Every connect() of the program, as strace sees them: lines with the address.
const traced = (path) => readFileSync(path, 'utf8').split('\n').filter((line) => /connect\(.*sin6?_port/.test(line));

test('sealed: 403, and no connect()', async () => {
	const a = await attached();
	const target = await locker();
	const trace = join(work, 'connects');
	// -D: the program is our child, strace looks on.  LeakSanitizer cannot work beside it.
	const start = (allow) => startGateway({
		program: 'strace', args: ['-f', '-D', '-qq', '-e', 'trace=connect', '-o', trace, program],
		env: { ASAN_OPTIONS: 'detect_leaks=0', LEDGER__ATTACHMENTS__ALLOWEGRESS: String(allow), LEDGER__ATTACHMENTS__EGRESSALLOWLIST: `127.0.0.1:${target.port}` },
	});
	const toTarget = () => traced(trace).filter((line) => line.includes(`htons(${target.port})`));
	const sealed = await start(false);
	try {
		// Its connections to the database are there: no other one is to come.
		await waitFor(() => traced(trace).length > 0, { what: 'the connections to the database' });
		const answer = await push(a, `${target.url}/`, sealed);
		assert.equal(answer.status, 403);
		assert.match(answer.json.detail, /sealed/);
	} finally {
		await sealed.stop();
	}
	assert.deepEqual(traced(trace).filter((line) => !line.includes(`htons(${database.port})`)), []);
	assert.equal(target.connections, 0);
	// The same, allowed: the trace would have shown it.
	const open = await start(true);
	try {
		assert.equal((await push(a, `${target.url}/`, open)).status, 200);
	} finally {
		await open.stop();
		await target.close();
	}
	assert.equal(toTarget().length, 1);
	assert.equal(target.connections, 1);
});
