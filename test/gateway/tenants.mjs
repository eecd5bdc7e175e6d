// A tenant is bound for one transaction: whatever happens to one request, the next one
// over the same connection sees its own tenant and no other.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { anEvent, newTenant, sql, startGateway } from './lib/gateway.mjs';
import { hold } from './lib/hold.mjs';

let gateway;
const tenants = [];
before(async () => {
	// One connection each, so that everybody shares it.
	gateway = await startGateway({ env: {
		LEDGER__HTTP__LOOPS: '1', LEDGER__DB__APPENDCONNECTIONS: '1', LEDGER__DB__SLOWCONNECTIONS: '1', LEDGER__DB__STATEMENTTIMEOUT: '1s',
	} });
	for (const name of ['one', 'two']) {
		const tenant = await newTenant(name);
		tenants.push(tenant);
		for (let i = 0; i < 5; i++)
			assert.equal((await gateway.api('/v1/ledger/events', { method: 'POST', tenant, body: anEvent({ findingId: `${tenant}-${i}` }) })).status, 201);
	}
});
after(() => gateway.stop());

const list = (tenant) => gateway.api('/v1/ledger/events', { tenant });
const slow = (tenant) => gateway.api('/v1/ledger/projections/findings', { tenant });
const write = (tenant) => gateway.api('/v1/ledger/events', { method: 'POST', tenant, body: anEvent({ findingId: `${tenant}-more` }) });

// Nothing of the other tenant in it; with five events or more if it is an answer.
function own(tenant, answer) {
	const other = tenants.find((name) => name !== tenant);
	assert.ok(!answer.text.includes(other), `an answer for ${tenant} names ${other}: ${answer.text.slice(0, 300)}`);
	if (answer.status === 200 && answer.json.events) {
		assert.ok(answer.json.events.length >= 5);
		for (const event of answer.json.events) assert.equal(event.envelope.tenant, tenant);
	}
	return answer;
}

const backends = (purpose) => `FROM pg_stat_activity WHERE application_name = 'findings-ledger-gateway ${purpose}'`;

// What may come in between, each told by how it must be answered.
const troubles = {
	'an error': async (tenant) => assert.equal((await gateway.api('/v1/ledger/events/no-uuid', { tenant })).status, 400),
	'something that is not there': async (tenant) =>
		assert.equal((await gateway.api('/v1/ledger/events/00000000-0000-4000-8000-000000000000', { tenant })).status, 404),
	'a write that is refused': async (tenant) =>
		assert.equal((await gateway.api('/v1/ledger/events', { method: 'POST', tenant, body: { nonsense: true } })).status, 400),
	'a foreign cursor': async (tenant) => assert.equal((await gateway.api('/v1/ledger/events?cursor=AAAA', { tenant })).status, 400),
	'the end of the connections': async () => { await sql('SELECT count(pg_terminate_backend(pid)) ' + backends('%').replace('=', 'LIKE')); },
	'the end of the pipeline': async () => { await sql('SELECT count(pg_terminate_backend(pid)) ' + backends('quick')); },
	'a cancel': async () => { await sql('SELECT count(pg_cancel_backend(pid)) ' + backends('quick')); },
};

for (const [name, trouble] of Object.entries(troubles))
	test(`tenants in turn, and ${name} between them`, async () => {
		for (let round = 0; round < 6; round++) {
			const [a, b] = round % 2 === 0 ? tenants : [...tenants].reverse();
			const answers = await Promise.all([list(a), list(b), write(a), trouble(b), slow(b), list(a), list(b), write(b), slow(a)]);
			[a, b, a, null, b, a, b, b, a].forEach((tenant, i) => {
				if (tenant === null) return;
				own(tenant, answers[i]);
				// Reads survive anything; a write may be told that the connection was lost.
				assert.ok(answers[i].status < 300 || [503, 504].includes(answers[i].status), answers[i].text);
			});
			assert.equal(own(a, await list(a)).status, 200);
			assert.equal(own(b, await list(b)).status, 200);
		}
	});

test('a statement that is cut off leaves no tenant behind', async () => {
	const [a, b] = tenants;
	const lock = await hold(`LOCK TABLE ledger.ledger_events IN ACCESS EXCLUSIVE MODE`);
	const stuck = await Promise.all([list(a), list(b), write(a)]);
	for (const answer of stuck) {
		assert.ok([503, 504].includes(answer.status), answer.text);
		assert.ok(['55P03', '57014'].includes(answer.json.code), answer.text);
	}
	await lock.release();
	for (let i = 0; i < 4; i++) {
		assert.equal(own(a, await list(a)).status, 200);
		assert.equal(own(b, await list(b)).status, 200);
	}
});

test('between requests nobody is bound', async () => {
	const stranger = await newTenant('empty');
	for (let i = 0; i < 3; i++) {
		own(tenants[i % 2], await list(tenants[i % 2]));
		const answer = await list(stranger);
		assert.equal(answer.status, 200);
		assert.deepEqual(answer.json.events, []);
	}
});
