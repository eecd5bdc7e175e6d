// Names: a resolver that does not answer stops nothing but what needs the name, and what it answers next holds.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { anEvent, database, killBackends, newTenant, startGateway, waitFor } from './lib/gateway.mjs';
import { relay } from './lib/relay.mjs';
import { resolver } from './lib/resolver.mjs';

let names;
let gateway;
let tenant;
const connection = (hosts, ports) =>
	`host=${hosts} port=${ports} user=${database.user} dbname=${database.name} connect_timeout=60`;
const start = (options) => startGateway({ ...options, env: { LEDGER__DB__CONNECTTIMEOUT: '1s', ...names.env, ...options.env } });

before(async () => {
	names = await resolver();
	names.set('db.test', '127.0.0.1');
	tenant = await newTenant('resolve');
	gateway = await start({ env: { LEDGER__DB__CONNECTIONSTRING: connection('db.test', database.port), LEDGER__TICKS__ENABLED: 'true' } });
	await gateway.ready();
});
afterEach(() => { names.hang(false); });
after(async () => {
	await gateway.stop();
	await names.close();
});

const append = () => gateway.api('/v1/ledger/events', { method: 'POST', tenant, body: anEvent() });
const ready = async () => (await gateway.admin('/health/ready')).json;
async function timed(ask) {
	const began = performance.now();
	return [await ask(), performance.now() - began];
}

// Liveness on both ports, again and again: the best of them shows the gateway, the worst the machine too.
async function staysAlive(of) {
	let best = Infinity;
	for (let i = 0; i < 10; i++)
		for (const ask of [() => of.admin('/health/live'), () => of.api('/health/live', { tenant: null, token: null })]) {
			const [answer, took] = await timed(ask);
			assert.equal(answer.status, 200);
			assert.ok(took < 1000, `${took} ms`);
			best = Math.min(best, took);
		}
	assert.ok(best < 100, `${best} ms`);
}

test('while no name server answers it lives, says that it is not ready, refuses at once, and recovers', async () => {
	assert.equal((await append()).status, 201);
	names.hang();
	await killBackends();
	// At least the quick connection of a loop, an append's, a slow one, and the probe's.
	await waitFor(() => names.waiting('db.test') >= 4, { what: 'the questions' });
	await staysAlive(gateway);
	await waitFor(async () => (await ready()).checks.some(({ name, ok }) => name === 'database' && !ok), { what: 'the probe to see it' });
	assert.equal((await gateway.admin('/health/ready')).status, 503);
	await waitFor(async () => (await append()).status === 503, { what: 'the first refusal' });
	for (const path of ['/v1/ledger/events', '/v1/ledger/chains']) {
		const [answer, took] = await timed(() => gateway.api(path, { tenant }));
		assert.deepEqual([answer.status, answer.json.code], [503, 'database_away'], answer.text);
		assert.ok(Number(answer.headers['retry-after']) >= 1);
		assert.ok(took < 1000, `${path} waited ${took} ms`);
	}
	// However often they tried meanwhile: one question each.
	const waiting = names.waiting('db.test');
	await waitFor(async () => Number((await gateway.api('/v1/ledger/chains', { tenant })).headers['retry-after']) >= 2, { what: 'several attempts' });
	assert.equal(names.waiting('db.test'), waiting);
	await staysAlive(gateway);
	names.hang(false);
	await waitFor(async () => (await append()).status === 201, { what: 'appends again' });
	await gateway.ready();
});

test('a name is resolved anew for each attempt', async () => {
	const elsewhere = await relay({ host: '127.0.0.2', port: database.port });
	try {
		names.set('db.test', '127.0.0.2');
		await killBackends();
		await waitFor(async () => (await append()).status === 201, { what: 'appends over there' });
		elsewhere.silence();
		names.set('db.test', '127.0.0.1');
		await killBackends();
		await waitFor(async () => (await append()).status === 201, { what: 'appends back here' });
		assert.equal(elsewhere.unanswered(), 0);
	} finally {
		names.set('db.test', '127.0.0.1');
		await elsewhere.close();
	}
});

test('lists of hosts, names with several addresses, and what the environment adds', async () => {
	names.set('many.test', '127.0.0.9', '127.0.0.1');
	const good = database.port;
	for (const [string, env] of [
		[connection('none.test,127.0.0.9,db.test', `${good},${good},${good}`)],
		[`${connection('many.test', good)} target_session_attrs=read-write`],
		[`user=${database.user} dbname=${database.name}`, { PGHOST: 'many.test', PGPORT: String(good) }],
		[`${connection('none.test', good)} hostaddr=127.0.0.1`],
	]) {
		const other = await start({ env: { LEDGER__DB__CONNECTIONSTRING: string, ...env } });
		try {
			await other.ready();
			assert.equal((await other.api('/v1/ledger/events', { tenant })).status, 200, string);
		} finally {
			await other.stop();
		}
	}
});

test('it starts and ends while the names of the database and of the keys are not answered', async () => {
	names.hang();
	const asked = names.asked('db.test');
	const other = await start({ env: {
		LEDGER__DB__CONNECTIONSTRING: connection('db.test', database.port), LEDGER__AUTH__JWKS: 'https://keys.test/jwks.json',
		LEDGER__TICKS__ENABLED: 'true',
	} });
	await waitFor(() => names.asked('db.test') >= asked + 4 && names.waiting('keys.test') > 0, { what: 'the questions' });
	await staysAlive(other);
	assert.equal((await other.admin('/health/ready')).status, 503);
	const [, took] = await timed(() => other.stop());
	assert.ok(took < 5000, `it took ${took} ms to end`);
});
