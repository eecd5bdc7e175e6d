// What the gateway tries again by itself, and what it makes of errors that come as late as
// they can: nothing is stored twice, nothing is acknowledged that is not stored, and who
// shares a transaction with somebody else's error gets his own answer.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import { anEvent, newTenant, rows, sql, startGateway, waitFor } from './lib/gateway.mjs';
import { failing, failingReads } from './lib/faults.mjs';
import { holdChain } from './lib/hold.mjs';
import { relay } from './lib/relay.mjs';

let door;
let gateway;
let tenant;
before(async () => {
	door = await relay();
	gateway = await startGateway({ env: { LEDGER__DB__CONNECTIONSTRING: door.url, LEDGER__DB__SLOWCONNECTIONS: '1' } });
	tenant = await newTenant('retry');
});
after(async () => {
	await gateway.stop();
	await door.close();
});

const append = (body, options) => gateway.api('/v1/ledger/events', { method: 'POST', tenant, body, ...options });
const batch = (body, options) => gateway.api('/v1/ledger/events:batch', { method: 'POST', tenant, body, ...options });
const attach = (finding, options) => gateway.api(`/v1/ledger/findings/${finding}/attachments?policyVersion=p&artifactId=a`,
	{ method: 'POST', tenant, body: 'what was found', headers: { 'Content-Type': 'text/plain' }, ...options });
const read = (finding) => gateway.api(`/v1/ledger/projections/findings?findingId=${finding}`, { tenant });
const stored = (finding) => rows(`SELECT event_id AS id FROM ledger.ledger_events WHERE tenant_id = '${tenant}' AND finding_id = '${finding}'`);
const oneStored = async (finding) => { const found = await stored(finding); assert.equal(found.length, 1, 'stored once'); return found[0].id; };

// What asks for a finding, where its fault is put, and how often it is tried at most.
const ways = {
	'an append': { table: 'findings_projection', ask: (finding) => append(anEvent({ findingId: finding })), most: 6 },
	'a batch': { table: 'findings_projection', ask: (finding) => batch([anEvent({ findingId: finding })]), most: 5 },
	'an attachment': { table: 'ledger_attachments', ask: attach, most: 5 },
};

for (const state of ['40001', '40P01'])
	for (const [name, { table, ask, most }] of Object.entries(ways))
		describe(`${state} of ${name}`, () => {
			test('is tried again until it is good', async () => {
				const finding = `good-${randomUUID()}`;
				const fault = await failing({ table, when: `new.finding_id = '${finding}'`, state, times: 3 });
				const answer = await ask(finding);
				assert.equal(answer.status, 201, answer.text);
				assert.equal(await fault.count(), 4);
				await oneStored(finding);
				await fault.remove();
			});
			test('ends in 503 with Retry-After, and nothing is stored', async () => {
				const finding = `never-${randomUUID()}`;
				const fault = await failing({ table, when: `new.finding_id = '${finding}'`, state, times: Infinity });
				const answer = await ask(finding);
				assert.equal(answer.status, 503, answer.text);
				assert.equal(answer.json.code, state);
				assert.equal(answer.headers['retry-after'], '1');
				assert.equal(await fault.count(), most);
				assert.deepEqual(await stored(finding), []);
				await fault.remove();
				assert.equal((await ask(finding)).status, 201);
			});
		});

test('a read that meets a serialization failure is tried again, and told in the end', async () => {
	const finding = `read-${randomUUID()}`;
	assert.equal((await append(anEvent({ findingId: finding }))).status, 201);
	for (const [times, status] of [[4, 200], [5, 503]]) {
		const fault = await failingReads({ table: 'findings_projection', when: `finding_id = '${finding}'`, state: '40001', times });
		const answer = await read(finding);
		assert.equal(answer.status, status, answer.text);
		assert.equal(await fault.count(), times);
		if (status === 503) assert.deepEqual([answer.json.code, answer.headers['retry-after']], ['40001', '1']);
		else assert.equal(answer.json.findings.length, 1);
		await fault.remove();
	}
});

// ---- errors of the commit ----

test('an error of the commit is the answer, and nothing is stored', async () => {
	for (const [name, { table, ask }] of Object.entries(ways)) {
		const finding = `commit-${randomUUID()}`;
		const fault = await failing({ table, when: `new.finding_id = '${finding}'`, state: 'P0001', times: Infinity, at: 'commit' });
		const answer = await ask(finding);
		assert.equal(answer.status, 500, `${name}: ${answer.text}`);
		assert.equal(answer.json.code, 'internal');
		assert.ok(await fault.count() > 0);
		assert.deepEqual(await stored(finding), [], name);
		await fault.remove();
	}
});

// Appends that are sent while the chain is locked: the first one waits in the database, the others collect behind it.
async function together(bodies) {
	const first = anEvent();
	const lock = await holdChain(tenant, first.policyVersion);
	const leading = append(first);
	await waitFor(async () => await sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE '% append'") === '1',
		{ what: 'the first one to wait' });
	const others = bodies.map((body) => append(body));
	await waitFor(async () => (await gateway.admin('/metrics')).text.includes(`\nledger_db_pool_waiting ${bodies.length}\n`), { what: 'the others to wait' });
	await lock.release();
	assert.equal((await leading).status, 201);
	return Promise.all(others);
}

test('an error of the commit of a batch: the others are stored, and told so', async () => {
	const finding = `bad-${randomUUID()}`;
	const fault = await failing({ table: 'findings_projection', when: `new.finding_id = '${finding}'`, state: 'P0001', times: Infinity, at: 'commit' });
	const bodies = Array.from({ length: 9 }, (_, i) => anEvent(i === 4 ? { findingId: finding } : {}));
	const answers = await together(bodies);
	assert.deepEqual(answers.map((answer) => answer.status), bodies.map((_, i) => (i === 4 ? 500 : 201)));
	assert.equal(await fault.count(), 2, 'with the others, and alone');
	for (const [i, body] of bodies.entries())
		if (i === 4) assert.deepEqual(await stored(body.findingId), []);
		else assert.equal(await oneStored(body.findingId), answers[i].json.envelope.id);
	await fault.remove();
});

test('what is nobody\'s fault is told to all at once, and not tried one by one', async () => {
	for (const [state, status] of [['LG500', 500], ['LG503', 503], ['25006', 503], ['53100', 503]]) {
		const finding = `all-${randomUUID()}`;
		const fault = await failing({ table: 'findings_projection', when: `new.finding_id = '${finding}'`, state, times: Infinity });
		const answers = await together(Array.from({ length: 5 }, () => anEvent({ findingId: finding })));
		assert.deepEqual(answers.map((answer) => [answer.status, answer.json.code]), answers.map(() => [status, state.startsWith('53') ? '53' : state]));
		assert.equal(await fault.count(), 1, state);
		assert.deepEqual(await stored(finding), []);
		await fault.remove();
	}
});

// ---- answers that are lost ----

describe('the connection ends between commit and answer', () => {
	const lost = async (finding, ask, at) => {
		const cut = door.cut(new RegExp(finding), at);
		const [answer] = await Promise.all([ask(), cut]);
		return answer;
	};
	const id = randomUUID();
	const kinds = {
		'with an id': [{ id }, {}, 200],
		'with an Idempotency-Key': [{}, { headers: { 'Idempotency-Key': `"lost-${id}"` } }, 200],
		'without an id': [{}, {}, 201],
		'with an id that is null': [{ id: null, eventId: null }, {}, 201],
	};
	for (const [name, [members, options, status]] of Object.entries(kinds))
		test(`an append ${name}: it is found, and answered`, async () => {
			const finding = `lost-${randomUUID()}`;
			const event = anEvent({ findingId: finding, ...members });
			const answer = await lost(finding, () => append(event, options));
			assert.equal(answer.status, status, answer.text);
			assert.equal(answer.headers['idempotency-hit'], status === 200 ? 'true' : undefined);
			const found = await oneStored(finding);
			assert.equal(answer.json.envelope.id, found);
			assert.equal(answer.headers.location, `/v1/ledger/events/${found}`);
			if (members.id) assert.equal(found, id);
		});

	test('an attachment: likewise', async () => {
		const finding = `lost-${randomUUID()}`;
		const answer = await lost(finding, () => attach(finding), 'COMMIT');
		assert.equal(answer.status, 201, answer.text);
		assert.equal(answer.json.attachmentId, await oneStored(finding));
		assert.equal((await gateway.api(answer.headers.location, { tenant })).text, 'what was found');
		const key = { headers: { 'Content-Type': 'text/plain', 'Idempotency-Key': `lost-${finding}` } };
		const keyed = await lost(finding, () => attach(`${finding}-2`, key), 'COMMIT');
		assert.deepEqual([keyed.status, keyed.headers['idempotency-hit']], [200, 'true'], keyed.text);
		assert.equal(keyed.json.attachmentId, await oneStored(`${finding}-2`));
	});

	test('a batch: 503, and once more with the same ids is once', async () => {
		const finding = `lost-${randomUUID()}`;
		const events = [anEvent({ findingId: finding, id: randomUUID() })];
		const answer = await lost(finding, () => batch(events), 'COMMIT');
		assert.deepEqual([answer.status, answer.json.code, answer.headers['retry-after']], [503, 'database_away', '1'], answer.text);
		assert.match(answer.json.hint, /can be sent again safely/);
		const again = await batch(events);
		assert.deepEqual([again.status, again.headers['idempotency-hit']], [200, 'true'], again.text);
		assert.equal(await oneStored(finding), events[0].id);
	});

	test('a read: it is asked again', async () => {
		const finding = `lost-${randomUUID()}`;
		assert.equal((await append(anEvent({ findingId: finding }))).status, 201);
		const answer = await lost(finding, () => read(finding));
		assert.equal(answer.status, 200, answer.text);
		assert.equal(answer.json.findings.length, 1);
	});
});
