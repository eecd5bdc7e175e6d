// What a tenant may write: so many a second, and so many that wait to be anchored.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anEvent, newTenant, sql, startGateway, waitFor } from './lib/gateway.mjs';

const append = (gateway, tenant, body = anEvent()) => gateway.api('/v1/ledger/events', { method: 'POST', tenant, body });

async function fill(gateway, tenant, most) {
	for (let i = 0; i < most; i++) {
		const answer = await append(gateway, tenant);
		if (answer.status !== 201) return { stored: i, answer };
	}
	return { stored: most };
}

test('a backlog as long as the quota refuses more, of this tenant only, until it is anchored', async () => {
	const gateway = await startGateway({ env: { LEDGER__QUOTA__BACKLOG: '20' } });
	const [busy, other] = [await newTenant('busy'), await newTenant('other')];
	const { stored, answer } = await fill(gateway, busy, 40);
	assert.equal(stored, 20);
	assert.equal(answer.status, 429);
	assert.equal(answer.json.code, 'quota_backlog');
	assert.ok(Number(answer.headers['retry-after']) >= 1);
	assert.equal((await append(gateway, other)).status, 201);
	assert.equal((await gateway.api('/v1/ledger/events', { tenant: busy })).status, 200);
	const batch = await gateway.api('/v1/ledger/events:batch', { method: 'POST', tenant: busy, body: [anEvent(), anEvent()] });
	assert.equal(batch.status, 429);

	await sql(`SELECT count(*) FROM ledger.ledger_anchor_tick('${busy}', true)`);
	await waitFor(async () => (await append(gateway, busy)).status === 201, { what: 'room again' });
	await gateway.stop();
});

test('a quota holds over a restart of the gateway: the backlog is read from the database', async () => {
	const tenant = await newTenant('again');
	const first = await startGateway();
	assert.equal((await fill(first, tenant, 15)).stored, 15);
	await first.stop();
	const second = await startGateway({ env: { LEDGER__QUOTA__BACKLOG: '10' } });
	await waitFor(async () => (await append(second, tenant)).status === 429, { what: 'the probe to see the backlog' });
	await second.stop();
});

test('a rate with a burst, and Retry-After that is true', async () => {
	const gateway = await startGateway({ env: { LEDGER__QUOTA__RATE: '2', LEDGER__QUOTA__BURST: '6' } });
	const [fast, other] = [await newTenant('fast'), await newTenant('slow')];
	const { stored, answer } = await fill(gateway, fast, 40);
	assert.ok(stored >= 6 && stored < 40, `${stored} stored`);
	assert.equal(answer.status, 429);
	assert.equal(answer.json.code, 'quota_rate');
	const seconds = Number(answer.headers['retry-after']);
	assert.equal(seconds, 1);
	assert.equal((await append(gateway, other)).status, 201);
	const refused = Date.now();
	await waitFor(async () => (await append(gateway, fast)).status === 201, { what: 'the next one' });
	assert.ok(Date.now() - refused < seconds * 1000 + 1000);

	// A batch larger than the burst is not refused for ever: it makes a debt.
	const events = Array.from({ length: 10 }, () => anEvent());
	await waitFor(async () => (await gateway.api('/v1/ledger/events:batch', { method: 'POST', tenant: other, body: events })).status === 201,
		{ what: 'the batch' });
	const debt = await append(gateway, other);
	assert.equal(debt.status, 429);
	assert.ok(Number(debt.headers['retry-after']) >= 2, debt.headers['retry-after']);
	await gateway.stop();
});

test('a name as long as they may be: its quota holds, and it is one tenant in the metrics', async () => {
	const gateway = await startGateway({ env: { LEDGER__QUOTA__RATE: '2', LEDGER__QUOTA__BURST: '6', LEDGER__OBSERVABILITY__REFRESH: '200ms' } });
	const tenant = await newTenant('n'.repeat(117));
	assert.equal(tenant.length, 128);
	const { answer } = await fill(gateway, tenant, 40);
	assert.equal(answer?.status, 429);
	// Once the probe has seen the tenant.
	const series = await waitFor(async () => {
		const names = (await gateway.admin('/metrics')).text.split('\n').filter((line) => line.includes('tenant="nnn')).map((line) => line.replace(/ [^ ]+$/, ''));
		return names.includes(`ledger_quota_rejections_total{tenant="${tenant}",reason="rate"}`) && names;
	}, { what: 'the refusal in the metrics' });
	assert.deepEqual(series, [...new Set(series)], 'each once');
	await gateway.stop();
});
