// PostgreSQL goes and comes back: the gateway says so at once, loses nothing that it
// acknowledged, stores nothing twice, and recovers by itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Agent } from 'node:http';
import { anEvent, cluster, killBackends, newTenant, rows, startGateway, waitFor } from './lib/gateway.mjs';

let gateway;
before(async () => { gateway = await startGateway({ env: { LEDGER__DB__CONNECTTIMEOUT: '2s' } }); });
after(async () => {
	await cluster('start');
	await gateway.stop();
});

const append = (tenant, options) => gateway.api('/v1/ledger/events', { method: 'POST', tenant, body: anEvent(), ...options });

// Appends from n clients until told to stop; what was answered.
function load(tenant, n) {
	const answers = [];
	let going = true;
	const done = Promise.all(Array.from({ length: n }, async () => {
		const agent = new Agent({ keepAlive: true, maxSockets: 1 });
		while (going) answers.push(await append(tenant, { agent }));
		agent.destroy();
	}));
	return { answers, stop: async () => { going = false; await done; return answers; } };
}

async function check(tenant, answers) {
	const acknowledged = answers.filter((answer) => answer.status === 201 || answer.status === 200).map((answer) => answer.json.envelope);
	const found = await rows(`SELECT event_id, finding_id, sequence_no FROM ledger.ledger_events WHERE tenant_id = '${tenant}' ORDER BY sequence_no`);
	const ids = new Set(found.map((event) => event.event_id));
	const lost = acknowledged.filter((envelope) => !ids.has(envelope.id));
	assert.deepEqual(lost, [], 'acknowledged and not stored');
	// Every request is of another finding, so a finding that stands twice was stored twice.
	assert.equal(new Set(found.map((event) => event.finding_id)).size, found.length, 'stored twice');
	assert.deepEqual(found.map((event) => Number(event.sequence_no)), found.map((_, i) => i + 1));
	for (const answer of answers)
		if (answer.status >= 300) {
			assert.equal(answer.status, 503, answer.text);
			assert.ok(Number(answer.headers['retry-after']) >= 1, answer.text);
			assert.equal(answer.headers['content-type'], 'application/problem+json');
		}
	return acknowledged.length;
}

test('while it is away everyone is told at once, and when it is back all goes on', async () => {
	const tenant = await newTenant('away');
	assert.equal((await append(tenant)).status, 201);
	await cluster('stop');
	// The first one may be what finds it out.
	await waitFor(async () => (await append(tenant)).status === 503, { what: 'the first refusal' });
	for (const path of ['/v1/ledger/events', '/v1/ledger/chains', '/v1/ledger/projections/findings']) {
		const began = performance.now();
		const answer = await gateway.api(path, { tenant });
		assert.equal(answer.status, 503, `${path}: ${answer.text}`);
		assert.equal(answer.json.code, 'database_away');
		const after = Number(answer.headers['retry-after']);
		assert.ok(after >= 1 && after <= 6, `Retry-After ${after}`);
		assert.ok(performance.now() - began < 1000, `${path} waited ${performance.now() - began} ms`);
	}
	assert.equal((await gateway.api('/health/live', { tenant: null, token: null })).status, 200);
	await cluster('start');
	await waitFor(async () => (await append(tenant)).status === 201, { what: 'appends again' });
	for (const path of ['/v1/ledger/events', '/v1/ledger/projections/findings'])
		await waitFor(async () => (await gateway.api(path, { tenant })).status === 200, { what: path });
});

test('the log tells that it is away, not of every attempt, and that it is back', async () => {
	const of = (event) => gateway.log.filter((line) => line.event === event);
	const before = { away: of('db.unreachable').length, back: of('db.reachable').length };
	await cluster('stop');
	try {
		await waitFor(() => of('db.unreachable').length > before.away, { what: 'the first line' });
		// Each of the three connections tries more than once in this time; what tells of it is the wait that they announce.
		await waitFor(async () => Number((await gateway.api('/v1/ledger/chains')).headers['retry-after']) >= 2, { what: 'several attempts' });
	} finally {
		await cluster('start');
	}
	await gateway.ready();
	await waitFor(() => of('db.reachable').length > before.back, { what: 'the line of the end' });
	assert.equal(of('db.unreachable').length, before.away + 1);
	const [, attempts] = /^again, after \d+ s and (\d+) attempts$/.exec(of('db.reachable').at(-1).message);
	assert.ok(Number(attempts) >= 3, attempts);
});

test('restarted under load: nothing acknowledged is lost, nothing is there twice', async () => {
	const tenant = await newTenant('restart');
	const { answers, stop } = load(tenant, 8);
	await waitFor(() => answers.length > 100, { what: 'a hundred answers' });
	await cluster('stop');
	await cluster('start');
	const before = answers.length;
	await waitFor(() => answers.slice(before).filter((answer) => answer.status === 201).length > 100, { what: 'a hundred more' });
	await stop();
	assert.ok(await check(tenant, answers) > 200);
});

test('backends killed under load: the same, and hardly anyone notices', async () => {
	const tenant = await newTenant('killed');
	const { answers, stop } = load(tenant, 8);
	for (let i = 0; i < 5; i++) {
		const before = answers.length;
		await waitFor(() => answers.length > before + 30, { what: 'thirty answers' });
		await killBackends();
	}
	await stop();
	const good = await check(tenant, answers);
	assert.ok(good > answers.length / 2, `${good} of ${answers.length}`);
});

test('reads whose answers are lost are asked once more', async () => {
	const tenant = await newTenant('reads');
	assert.equal((await append(tenant)).status, 201);
	let going = true;
	const answers = [];
	const readers = Promise.all(Array.from({ length: 8 }, async () => {
		while (going) answers.push((await gateway.api('/v1/ledger/events', { tenant })).status);
	}));
	for (let i = 0; i < 5; i++) {
		const before = answers.length;
		await waitFor(() => answers.length > before + 30, { what: 'thirty answers' });
		await killBackends();
	}
	going = false;
	await readers;
	const refused = answers.filter((status) => status !== 200).length;
	assert.ok(answers.every((status) => status === 200 || status === 503), `${[...new Set(answers)]}`);
	assert.ok(refused < answers.length / 4, `${refused} of ${answers.length} refused`);
});
