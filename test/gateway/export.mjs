// Exports of findings: lines, pages, redaction, the signed manifest, and what a client
// that stops reading costs.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Dice } from '../differential/dice.mjs';
import { file, newTenant, raw, root, rows, sanitizer, sql, startGateway, waitFor, work } from './lib/gateway.mjs';

const ledgerctl = `${root}/gateway/bin/ledgerctl`;
const MANY = 20_000;
// Beyond rest; a sanitizer keeps what was freed for a while.
const allowed = (sanitizer ? 400 : 6) * 1024 * 1024;
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const vkey = execFileSync(ledgerctl, ['keygen', '--name', 'export.example/test', '--out', join(work, 'export.key')], { encoding: 'utf8' }).trim();
const otherKey = execFileSync(ledgerctl, ['keygen', '--name', 'export.example/test', '--out', join(work, 'other.key')], { encoding: 'utf8' }).trim();

// Addresses and remarks wherever a caller may have put them.
const load = (tenant, count, policies = 3) => sql(`SELECT count(*) FROM generate_series(0, (:count - 1) / 1000) AS g, LATERAL (SELECT ledger.ledger_append_many((
	SELECT jsonb_agg(jsonb_build_object('tenant', :'tenant', 'type', 'finding.created', 'findingId', 'F-' || n, 'artifactId', 'pkg:npm/lib' || n % 50 || '@1.' || n % 7 || '.0',
		'vulnId', 'CVE-2026-' || n % 100, 'policyVersion', 'policy-' || n % :policies, 'occurredAt', '2026-01-01T00:00:00Z',
		'actor', jsonb_build_object('id', 'jane.roe@people.example', 'type', 'operator'),
		'payload', jsonb_build_object('severity', n % 11, 'comment', 'SECRETREMARK of jane.roe@people.example', 'rationale', jsonb_build_array('asked bob@people.example'),
			'labels', jsonb_build_object('owner', 'eve@people.example', 'carol@people.example', 'x'), 'explainRef', 'mailto:dave%40people.example')) ORDER BY n)
	FROM generate_series(g * 1000 + 1, least(g * 1000 + 1000, :count)) AS n))) AS a`, { vars: { tenant, count, policies } });

let gateway, small, big;
before(async () => {
	gateway = await startGateway({ env: { LEDGER__EXPORT__SIGNINGKEY_FILE: join(work, 'export.key'), LEDGER__DB__SLOWCONNECTIONS: '2' } });
	small = await newTenant('small');
	await load(small, 40);
	big = await newTenant('big');
	await load(big, MANY);
});
after(() => gateway.stop());

const ask = (query, { tenant = small, ...options } = {}) => gateway.api(`/ledger/export/findings?${query}`, { tenant, ...options });
const parse = (text) => {
	const lines = text.split('\n');
	assert.equal(lines.pop(), '', 'the last line ends');
	const last = JSON.parse(lines.at(-1));
	return { lines: lines.slice(0, -1), items: lines.slice(0, -1).map((line) => JSON.parse(line)), last,
		payload: JSON.parse(Buffer.from(last.manifest.payload, 'base64')) };
};
const exported = async (query, options) => {
	const answer = await ask(query, options);
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.headers['content-type'], 'application/x-ndjson');
	return { ...parse(answer.text), text: answer.text, answer };
};
const verify = (args, status, pattern) => {
	const got = spawnSync(ledgerctl, ['verify-findings', ...args], { encoding: 'utf8' });
	assert.equal(got.status, status, `${got.stdout}${got.stderr}`);
	if (pattern) assert.match(got.stdout + got.stderr, pattern);
};
const keep = (name, text) => file(name, text);

test('lines in their order, with digests, and a manifest that tells of them', async () => {
	const { items, lines, payload, last, answer } = await exported('shape=canonical');
	assert.equal(items.length, 40);
	const digests = createHash('sha256');
	let before = '';
	for (const [i, item] of items.entries()) {
		const { lineDigest, ...rest } = item;
		// Canonical: members sorted, nothing between them.  JSON.stringify keeps the order of the line.
		assert.equal(lines[i], JSON.stringify(item));
		assert.equal(lineDigest, sha256(JSON.stringify(rest)));
		digests.update(Buffer.from(lineDigest, 'hex'));
		const place = [String(item.event_sequence).padStart(16, '0'), item.projection_version, item.cycle_hash].join(' ');
		assert.ok(place > before);
		before = place;
		assert.equal(item.tenant, small);
		assert.equal(item.component.version, item.component.purl.split('@')[1]);
	}
	assert.equal(payload.count, 40);
	assert.equal(payload.datasetSha256, digests.digest('hex'));
	assert.equal(payload.schemaVersion, 'export.v1.canonical');
	assert.equal(payload.filtersHash, sha256('{"shape":"canonical"}'));
	assert.equal(answer.headers['ledger-filters-hash'], payload.filtersHash);
	assert.deepEqual(payload.policyHashes, ['policy-0', 'policy-1', 'policy-2']);
	assert.equal(payload.nextPageToken, undefined);
	assert.equal(last.manifest.payloadType, 'application/vnd.stella-ledger-export+json');
	assert.equal(last.manifest.signatures.length, 1);
	for (const { chainId, treeSize, rootHash } of payload.chains)
		assert.equal(await sql("SELECT encode(ledger.ledger_chain_root(:'t', :'c', :n), 'hex')", { vars: { t: small, c: chainId, n: treeSize } }), rootHash);
});

test('equal ledgers give equal bytes, compressed or not', async () => {
	const once = await exported('shape=canonical');
	assert.equal((await exported('shape=canonical')).text, once.text);
	const zipped = await ask('shape=canonical', { headers: { 'Accept-Encoding': 'gzip' } });
	assert.equal(zipped.headers['content-encoding'], 'gzip');
	assert.ok(zipped.bytes.length < once.text.length / 2);
	assert.equal(gunzipSync(zipped.bytes).toString(), once.text);
});

test('HEAD tells the header, and nothing is given, nor recorded', async () => {
	const given = () => sql("SELECT count(*) FROM ledger.ledger_access_log WHERE tenant_id = :'t' AND action LIKE 'export%'", { vars: { t: small } });
	const before = await given();
	const answer = await ask('shape=compact', { method: 'HEAD' });
	assert.equal(answer.status, 200);
	assert.equal(answer.headers['content-type'], 'application/x-ndjson');
	assert.equal(answer.bytes.length, 0);
	assert.equal(answer.headers['ledger-filters-hash'], sha256('{"shape":"compact"}'));
	assert.equal((await ask('shape=full', { method: 'HEAD' })).status, 400);
	assert.equal((await ask('shape=compact', { method: 'HEAD', headers: { 'Accept-Encoding': 'gzip' } })).headers['content-encoding'], 'gzip');
	assert.equal(await given(), before);
});

test('one JSON array for who asks for it', async () => {
	const { items, last } = await exported('shape=compact');
	const answer = await ask('shape=compact', { headers: { Accept: 'application/json' } });
	assert.equal(answer.headers['content-type'], 'application/json');
	assert.deepEqual(answer.json, [...items, last]);
	const none = await ask('shape=compact&severity=unknown', { headers: { Accept: 'application/json' } });
	assert.equal(none.json.length, 1);
});

test('nothing personal leaves, in no shape', async () => {
	for (const shape of ['canonical', 'compact']) {
		const { text, items } = await exported(`shape=${shape}`);
		for (const secret of ['jane', 'roe', 'bob@', 'eve@', 'carol', 'dave', 'SECRETREMARK', '%40people']) assert.ok(!text.includes(secret), `${shape} shows ${secret}`);
		for (const item of items) {
			assert.equal(item.provenance.actor_id, shape === 'canonical' ? 'user:people.example' : undefined);
			assert.equal(item.provenance.comment, shape === 'canonical' ? '[masked]' : undefined);
			assert.equal(item.rationale?.[0], shape === 'canonical' ? 'asked [masked]' : undefined);
		}
	}
});

test('the rules are served, and every manifest names them', async () => {
	const rules = await gateway.api('/ledger/export/redaction-manifest', { tenant: small });
	assert.equal(rules.status, 200);
	const { payload, text } = await exported('shape=compact');
	assert.equal(payload.redactionSha256, sha256(rules.text));
	assert.equal((await gateway.api('/ledger/export/redaction-manifest', { tenant: small, headers: { 'If-None-Match': rules.headers.etag } })).status, 304);
	verify([keep('compact.ndjson', text), '--key', vkey, '--redaction', keep('rules.json', rules.text)], 0, /40 findings/);
	verify([keep('compact.ndjson', text), '--key', vkey, '--redaction', keep('more.json', rules.text.replace('rationale', 'status'))], 3, /status is there, and is to be left out/);
});

test('filters', async () => {
	const all = (await exported('shape=compact')).items;
	const same = async (query, wanted) => assert.deepEqual((await exported(`shape=compact&${query}`)).items.map((item) => item.finding_id).sort(),
		all.filter(wanted).map((item) => item.finding_id).sort(), query);
	await same('advisory_id=CVE-2026-3&advisory_id=CVE-2026-4', (item) => ['CVE-2026-3', 'CVE-2026-4'].includes(item.advisory_id));
	await same('component_purl=pkg:npm/lib3', (item) => item.component.purl.startsWith('pkg:npm/lib3@'));
	await same('severity=critical', (item) => item.severity >= 9);
	await same('severity=low', (item) => item.severity < 4);
	await same('finding_status=open', () => true);
	await same('finding_status=fixed', () => false);
	await same('since_sequence=5&until_sequence=9', (item) => item.event_sequence > 5 && item.event_sequence <= 9);
	await same('since_observed_at=2026-01-01T00:00:00Z', () => true);
	await same('until_observed_at=2025-12-31T23:59:59Z', () => false);
	const empty = await exported('shape=compact&until_sequence=0');
	assert.equal(empty.payload.count, 0);
	verify([keep('empty.ndjson', empty.text), '--key', vkey], 0, /0 findings/);
});

test('what is refused', async () => {
	const refused = async (query, code, options) => {
		const answer = await ask(query, options);
		assert.equal(answer.json.code, code, answer.text);
		return answer;
	};
	assert.equal((await refused('', 'LG400')).json.errors[0].parameter, 'shape');
	await refused('shape=all', 'LG400');
	await refused('shape=compact&severity=none', 'LG400');
	await refused('shape=compact&page_size=0', 'LG400');
	await refused('shape=compact&colour=red', 'query_invalid');
	assert.equal((await refused('shape=compact', 'scope_missing', { token: { tenant: small, scopes: ['ledger.events.read'] } })).status, 403);
	await refused('shape=compact&page_token=AAAA', 'cursor_invalid');
});

// Follows the tokens; between is called between pages.
async function pages(query, size, { tenant, between = () => {} } = {}) {
	const got = [];
	let token;
	do {
		const page = await exported(`${query}&page_size=${size}${token ? `&page_token=${token}` : ''}`, { tenant });
		assert.equal(page.last.nextPageToken, page.payload.nextPageToken);
		got.push(page);
		token = page.payload.nextPageToken;
		await between(got.length);
	} while (token);
	return got;
}

test('pages belong together while the ledger grows', async () => {
	const tenant = await newTenant('pages');
	await load(tenant, 60);
	const whole = await exported('shape=canonical', { tenant });
	// Each page meets findings that moved on, new findings, and a new chain.
	const append = (n) => sql(`SELECT count(*) FROM ledger.ledger_append_many((SELECT jsonb_agg(jsonb_build_object('tenant', :'t', 'type', v.type, 'findingId', v.finding,
		'artifactId', 'pkg:npm/later', 'policyVersion', v.policy, 'payload', '{}'::jsonb)) FROM (
			SELECT 'finding.closed' AS type, 'F-' || i AS finding, 'policy-' || i % 3 AS policy FROM generate_series(:n, 60, 7) AS i
			UNION ALL SELECT 'finding.created', 'N-' || :n || '-' || i, 'policy-' || i % 4 FROM generate_series(1, 4) AS i) AS v))`, { vars: { t: tenant, n } });
	const got = await pages('shape=canonical', 7, { tenant, between: append });
	assert.equal(got.length, 9);
	assert.deepEqual(got.flatMap((page) => page.lines), whole.lines);
	const files = got.map((page, i) => keep(`page-${i}.ndjson`, page.text));
	verify([...files, '--key', vkey], 0);
	verify([files[0], ...files.slice(2), '--key', vkey], 3, /does not begin where the page before it ended/);
	verify([files[0], '--key', vkey], 0, /there is another page behind it/);
	// What was pinned by a sequence is the same later.
	const pinned = `shape=canonical&until_sequence=${Math.min(...whole.payload.chains.map((chain) => chain.treeSize))}`;
	const then = await exported(pinned, { tenant });
	await append(61);
	const later = await exported(pinned, { tenant });
	assert.deepEqual(later.lines.filter((line) => !line.includes('policy-3')), then.lines.filter((line) => !line.includes('policy-3')));
	assert.ok(then.lines.length > 50);
	assert.notEqual((await exported('shape=canonical', { tenant })).lines.length, whole.lines.length);
});

test('a token is good for its filters, its tenant, and unchanged', async () => {
	const { payload: { nextPageToken: token } } = await exported('shape=compact&severity=low&page_size=2');
	const next = await exported(`shape=compact&severity=low&page_size=5&page_token=${token}`);
	assert.equal(next.items.length, 5, 'the size may change on the way');
	const other = await newTenant('other');
	for (const [query, options] of [['shape=canonical&severity=low', {}], ['shape=compact&severity=high', {}], ['shape=compact', {}], ['shape=compact&severity=low', { tenant: other }]]) {
		const answer = await ask(`${query}&page_size=2&page_token=${token}`, options);
		assert.equal(answer.status, 400);
		assert.equal(answer.json.code, 'cursor_invalid');
	}
	const changed = token.slice(0, 40) + (token[40] === 'A' ? 'B' : 'A') + token.slice(41);
	assert.equal((await ask(`shape=compact&severity=low&page_size=2&page_token=${changed}`)).json.code, 'cursor_invalid');
});

test('another tenant sees nothing of it', async () => {
	const other = await newTenant('other');
	await load(other, 5);
	const { items, payload, text } = await exported('shape=canonical', { tenant: other });
	assert.equal(items.length, 5);
	assert.ok(!text.includes(small) && !JSON.stringify(payload).includes(small));
	const stranger = await gateway.api('/ledger/export/findings?shape=compact', { tenant: small, token: { tenant: other } });
	assert.equal(stranger.status, 403);
});

test('a changed file is found out', async () => {
	const { text, lines } = await exported('shape=canonical');
	const good = keep('good.ndjson', text);
	verify([good, '--key', vkey], 0, /40 findings of small-/);
	verify([good], 0, /no --key was given/);
	verify([good, '--key', vkey, '--policy', 'policy-0', '--policy', 'policy-1', '--policy', 'policy-2'], 0);
	verify([good, '--key', vkey, '--policy', 'policy-0'], 3, /policy version "policy-1", which --policy does not name/);
	verify([good, '--key', otherKey], 3, /no signature|does not fit/);
	const all = text.split('\n');
	const changed = (name, change, pattern) => verify([keep(`${name}.ndjson`, change([...all]).join('\n')), '--key', vkey], 3, pattern);
	changed('value', (l) => { l[6] = l[6].replace('"status":"affected"', '"status":"resolved"'); return l; }, /:7: the line's digest is .*[^]*data set/);
	changed('gone', (l) => { l.splice(3, 1); return l; }, /does not count as many/);
	changed('twice', (l) => { l.splice(3, 0, l[3]); return l; }, /:5: out of order, or there twice/);
	changed('swapped', (l) => { [l[3], l[4]] = [l[4], l[3]]; return l; }, /:5: out of order/);
	changed('blank', (l) => { l[2] = l[2].replace('{', '{ '); return l; }, /:3: not canonical/);
	changed('cut', (l) => l.slice(0, 20).concat(''), /no manifest at its end/);
	changed('behind', (l) => { l.splice(-1, 0, l[0]); return l; }, /a line behind the manifest/);
	// Whoever changes a line and all that is computed from it still has no signature.
	const { lineDigest, ...item } = JSON.parse(lines[0]);
	item.status = 'resolved';
	const digest = sha256(JSON.stringify(item));
	changed('forged', (l) => {
		l[0] = JSON.stringify(Object.fromEntries(Object.entries({ ...item, lineDigest: digest }).sort(([a], [b]) => (a < b ? -1 : 1))));
		const manifest = JSON.parse(l.at(-2));
		const payload = JSON.parse(Buffer.from(manifest.manifest.payload, 'base64'));
		payload.datasetSha256 = sha256(Buffer.concat(l.slice(0, -2).map((line) => Buffer.from(JSON.parse(line).lineDigest, 'hex'))));
		manifest.manifest.payload = Buffer.from(JSON.stringify(payload)).toString('base64');
		l[l.length - 2] = JSON.stringify(manifest);
		return l;
	}, /signature/);
	// Redaction is looked at even where every digest is right.
	const leak = (name, change, pattern) => changed(name, (l) => {
		const { lineDigest: old, ...rest } = JSON.parse(l[0]);
		change(rest);
		l[0] = JSON.stringify(Object.fromEntries(Object.entries({ ...rest, lineDigest: sha256(JSON.stringify(rest)) }).sort(([a], [b]) => (a < b ? -1 : 1))));
		return l;
	}, pattern);
	leak('address', (r) => { r.artifact_id = 'x jane@people.example'; }, /:1: an e-mail address in "artifact_id"/);
	leak('member', (r) => { r.labels = { 'jane@people.example': 'x' }; }, /:1: a member is named like an e-mail address/);
	leak('comment', (r) => { r.provenance.comment = 'hello'; }, /:1: provenance.comment is not masked/);
	leak('actor', (r) => { r.provenance.actor_id = 'user:Jane Roe'; }, /:1: provenance.actor_id is more than a realm/);
});

test('the program and the database agree on what an address is', async () => {
	const parts = ['a', 'b', '.', '@', '@', '%40', '\uff20', '-', '1', '2.', ' ', 'é', '/', '[', ']', 'x.example', 'y.example', '"', '\\', '%', '&', 'com', '\u0001'];
	const dice = new Dice(7);
	const texts = Array.from({ length: 6000 }, () => Array.from({ length: 3 + dice.below(8) }, () => dice.pick(parts)).join(''));
	const covered = JSON.parse(await sql(`SELECT jsonb_agg(ledger.ledger_http_redact_addresses(to_jsonb(t)) ORDER BY n) FROM jsonb_array_elements_text(:'texts'::jsonb) WITH ORDINALITY AS a (t, n)`,
		{ vars: { texts: JSON.stringify(texts) } }));
	const line = (member, i) => {
		const item = { cycle_hash: '00', event_sequence: i + 1, projection_version: 'v', schema: 'export.v1.canonical', tenant: 't', text: member };
		return JSON.stringify({ cycle_hash: '00', event_sequence: i + 1, lineDigest: sha256(JSON.stringify(item)), projection_version: 'v', schema: 'export.v1.canonical', tenant: 't', text: member });
	};
	// Each text alone, because the program stops at many faults: those that the database left as they are, and those it covered.
	const clean = texts.filter((text, i) => covered[i] === text);
	const found = texts.filter((text, i) => covered[i] !== text);
	assert.ok(clean.length > 500 && found.length > 200, `${clean.length} ${found.length}`);
	const faults = (list) => spawnSync(ledgerctl, ['verify-findings', '--json', keep('addresses.ndjson', list.map((text, i) => `${line(text, i)}\n`).join(''))], { encoding: 'utf8' });
	for (const list of [clean, covered]) assert.doesNotMatch(faults(list).stdout, /e-mail/);
	for (const text of found.slice(0, 300)) assert.match(faults([text]).stdout, /e-mail address/, JSON.stringify(text));
});

test('without a key the manifest is there, and not signed', async () => {
	const plain = await startGateway();
	try {
		const answer = await plain.api('/ledger/export/findings?shape=compact', { tenant: small });
		const { last } = parse(answer.text);
		assert.deepEqual(last.manifest.signatures, []);
		const path = keep('unsigned.ndjson', answer.text);
		verify([path], 0);
		verify([path, '--key', vkey], 3, /no signature/);
	} finally {
		await plain.stop();
	}
});

test('who asked is recorded, and what was given', async () => {
	const token = gateway.authority.token({ tenant: small, subject: 'auditor-7' });
	await exported('shape=compact&severity=high', { token });
	const log = await waitFor(async () => {
		const found = await rows(`SELECT action, object FROM ledger.ledger_access_log WHERE tenant_id = '${small}' AND subject = 'auditor-7' ORDER BY access_id`);
		return found.length === 2 && found;
	}, { what: 'two rows of ledger_access_log' });
	const hash = sha256('{"severity":"high","shape":"compact"}');
	assert.deepEqual(log.map((row) => row.action), ['export', 'export.sent']);
	assert.equal(log[0].object, `findings ${hash} {"severity":"high","shape":"compact"}`);
	assert.match(log[1].object, new RegExp(`^findings ${hash} count [0-9]+$`));
});

// Counts lines as they come; nothing of the answer is kept.
const stream = (query, tenant, onResponse) => new Promise((resolve, reject) => {
	const asked = http.request(`${gateway.url}/ledger/export/findings?${query}`, { agent: false,
		headers: { Authorization: `Bearer ${gateway.authority.token({ tenant })}`, 'X-Stella-Tenant': tenant } }, (response) => {
		let lines = 0, bytes = 0, last = '';
		response.on('data', (chunk) => {
			bytes += chunk.length;
			for (const byte of chunk) if (byte === 10) lines++;
			last = (last + chunk.toString('latin1')).slice(-100_000);
			onResponse();
		});
		response.on('end', () => resolve({ status: response.statusCode, lines, bytes, last: last.trimEnd().split('\n').at(-1) }));
		response.on('error', reject);
	});
	asked.on('error', reject);
	asked.end();
});

test('twenty thousand findings in bounded memory', async () => {
	await exported('shape=compact');
	const rest = gateway.rss();
	let most = 0;
	const { lines, bytes, last } = await stream('shape=canonical', big, () => { most = Math.max(most, gateway.rss()); });
	assert.equal(lines, MANY + 1);
	assert.ok(bytes > 15_000_000);
	assert.equal(JSON.parse(Buffer.from(JSON.parse(last).manifest.payload, 'base64')).count, MANY);
	assert.ok(most - rest < allowed, `grew from ${rest} to ${most}`);
});

const fetching = () => sql("SELECT coalesce(string_agg(wait_event, ','), '') FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'FETCH FORWARD ALL FROM ledger_http_export_rows%'");

test('a client that stops reading holds the database back, and no memory; when it goes, the statement ends', async () => {
	const token = gateway.authority.token({ tenant: big, subject: 'sleeper' });
	const socket = await raw(gateway.port);
	const rest = gateway.rss();
	await socket.send(`GET /ledger/export/findings?shape=canonical HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nX-Stella-Tenant: ${big}\r\n\r\n`);
	await socket.until(/^HTTP\/1\.1 200/);
	socket.socket.pause();
	await waitFor(async () => (await fetching()).includes('ClientWrite'), { what: 'a backend that waits for its client', deadline: 60_000 });
	assert.ok(gateway.rss() - rest < allowed);
	socket.destroy();
	await waitFor(async () => (await fetching()) === '', { what: 'the end of the statement' });
	// The connection is good for the next one, and nobody claims that the first was given whole.
	assert.equal((await exported('shape=compact&page_size=1')).items.length, 1);
	assert.deepEqual((await rows(`SELECT action FROM ledger.ledger_access_log WHERE tenant_id = '${big}' AND subject = 'sleeper'`)).map((row) => row.action), ['export']);
});

// An export whose client reads nothing: {socket, errors}, once the database waits for it.
async function stuckExport(on, { stuck = true } = {}) {
	const socket = await raw(on.port, { timeout: 120_000 });
	await socket.send(`GET /ledger/export/findings?shape=canonical HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.authority.token({ tenant: big })}\r\nX-Stella-Tenant: ${big}\r\n\r\n`);
	await socket.until(/^HTTP\/1\.1 200/);
	assert.match(socket.text, /\r\nTransfer-Encoding: chunked\r\n/i);
	socket.socket.pause();
	if (stuck) await waitFor(async () => (await fetching()).includes('ClientWrite'), { what: 'a backend that waits for its client', deadline: 60_000 });
	return socket;
}

// What the client can still read, which may be cut by a reset, ends in the middle: neither the last chunk
// nor the manifest is there.
async function isBrokenOff(socket) {
	socket.socket.resume();
	const { text } = await socket.closed();
	assert.doesNotMatch(text.slice(-100), /\r\n0\r\n(\r\n)?$/);
	assert.doesNotMatch(text.slice(-3000), /"manifest"/);
}

test('an export that fails on its way is broken off, not ended', async () => {
	const socket = await stuckExport(gateway);
	await sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'FETCH FORWARD ALL FROM ledger_http_export_rows%' AND pid <> pg_backend_pid()");
	await isBrokenOff(socket);
});

// With a client that reads nothing.
test('an export past LEDGER__EXPORT__TIMEOUT is given up, and its client sees that it is not whole', async () => {
	const hasty = await startGateway({ env: { LEDGER__EXPORT__TIMEOUT: '2s' } });
	try {
		const socket = await stuckExport(hasty, { stuck: false });
		await waitFor(async () => (await fetching()) === '', { what: 'the end of the statement' });
		await isBrokenOff(socket);
	} finally {
		await hasty.stop();
	}
});

test('an export at the end of the gateway is broken off when the time to drain is over', async () => {
	const ending = await startGateway({ env: { LEDGER__HTTP__DRAINTIMEOUT: '1s' } });
	const socket = await stuckExport(ending);
	const began = Date.now();
	ending.signal('SIGTERM');
	await ending.line({ event: 'stop.unanswered' });
	assert.ok(Date.now() - began >= 1000, 'it was waited for');
	// A second signal would end it at once.
	assert.deepEqual(await ending.exited, { code: 0, signal: null });
	await isBrokenOff(socket);
	assert.equal(await fetching(), '');
	await ending.stop();
});

// One whose database says no more, and whose client has read all that came: nothing is in the way of a last chunk.
async function stalledExport(on) {
	const socket = await stuckExport(on, { stuck: false });
	const backend = Number(await sql("SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'FETCH FORWARD ALL FROM ledger_http_export_rows%'"));
	process.kill(backend, 'SIGSTOP');
	const go = () => { try { process.kill(backend, 'SIGCONT'); } catch { /* it has ended */ } };
	after(go);
	socket.socket.resume();
	let length = 0;
	await waitFor(() => length === (length = socket.text.length), { every: 500, what: 'silence' });
	return { socket, go };
}

test('an export whose database stalls is broken off when its time is over', async () => {
	const hasty = await startGateway({ env: { LEDGER__EXPORT__TIMEOUT: '10s' } });
	const { socket, go } = await stalledExport(hasty);
	await isBrokenOff(socket);
	go();
	await hasty.stop();
});

test('and when the gateway ends', async () => {
	const ending = await startGateway({ env: { LEDGER__HTTP__DRAINTIMEOUT: '1s' } });
	const { socket, go } = await stalledExport(ending);
	ending.signal('SIGTERM');
	await isBrokenOff(socket);
	go();
	assert.deepEqual(await ending.exited, { code: 0, signal: null });
	await ending.stop();
});
