// The end: readiness first, then no new connections, what is in flight is finished, and status 0.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { anEvent, newTenant, raw, request, sql, startGateway, waitFor } from './lib/gateway.mjs';
import { hold, holdChain } from './lib/hold.mjs';

const refusedConnection = (gateway) => raw(gateway.port).then((socket) => { socket.destroy(); return false; }, () => true);

test('SIGTERM: readiness is 503 while requests are still served, then nobody listens', async () => {
	const gateway = await startGateway({ env: { LEDGER__HTTP__DRAINDELAY: '1s' } });
	await waitFor(async () => (await gateway.admin('/health/ready')).status === 200, { what: 'readiness' });
	gateway.signal('SIGTERM');
	await waitFor(async () => (await gateway.admin('/health/ready')).status === 503, { what: 'no readiness' });
	assert.equal((await gateway.api('/health/live')).status, 200);
	assert.equal((await gateway.api('/v1/ledger/chains')).status, 200);
	await waitFor(() => refusedConnection(gateway), { what: 'nobody listens' });
	// A second signal would end it at once.
	await gateway.exited;
	await gateway.stop();
	assert.match(gateway.log.at(-1).message, /stopped/);
});

test('while draining, an open connection gets its answer and is closed', async () => {
	const gateway = await startGateway({ env: { LEDGER__HTTP__DRAINDELAY: '0s' } });
	const sockets = await Promise.all(Array.from({ length: 10 }, () => raw(gateway.port)));
	for (const socket of sockets) {
		await socket.send('GET /health/live HTTP/1.1\r\nHost: ledger\r\n\r\n');
		await socket.until(/"status"/);
	}
	gateway.signal('SIGTERM');
	await waitFor(() => refusedConnection(gateway), { what: 'nobody listens' });
	for (const socket of sockets) await socket.send('GET /health/live HTTP/1.1\r\nHost: ledger\r\n\r\n');
	for (const socket of sockets) {
		const { text } = await socket.closed();
		assert.equal([...text.matchAll(/HTTP\/1\.1 200 /g)].length, 2);
		assert.match(text, /\r\nConnection: close\r\n/i);
	}
	// A second signal would end it at once.
	await gateway.exited;
	await gateway.stop();
});

test('an append in flight is finished and acknowledged', async () => {
	const tenant = await newTenant('drain');
	const gateway = await startGateway();
	const lock = await holdChain(tenant, 'policy-1');
	const event = anEvent({ eventId: crypto.randomUUID() });
	const answer = gateway.api('/v1/ledger/events', { method: 'POST', tenant, body: event });
	// It has reached the database, where it waits for the lock.
	await waitFor(async () => Number(await sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'gateway_login'")) > 0,
		{ what: 'the append waits' });
	gateway.signal('SIGTERM');
	await waitFor(() => refusedConnection(gateway), { what: 'nobody listens' });
	await lock.release();
	assert.equal((await answer).status, 201);
	// A second signal would end it at once.
	await gateway.exited;
	await gateway.stop();
	assert.equal(await sql("SELECT count(*) FROM ledger.ledger_events WHERE tenant_id = :'t'", { vars: { t: tenant } }), '1');
});

test('what does not end in time is refused with 503, and the exit is clean', async () => {
	const tenant = await newTenant('stuck');
	const gateway = await startGateway({ env: { LEDGER__HTTP__DRAINTIMEOUT: '1s', LEDGER__DB__STATEMENTTIMEOUT: '20s' } });
	const lock = await hold('LOCK TABLE ledger.ledger_events IN ACCESS EXCLUSIVE MODE');
	const appends = Promise.all([1, 2, 3].map(() => gateway.api('/v1/ledger/events', { method: 'POST', tenant, body: anEvent() })));
	const reads = Promise.all([1, 2, 3].map(() => gateway.api('/v1/ledger/events?limit=1', { tenant })));
	await waitFor(async () => Number(await sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'gateway_login'")) > 1,
		{ what: 'they wait' });
	const started = Date.now();
	gateway.signal('SIGTERM');
	for (const answer of [...await appends, ...await reads]) {
		assert.equal(answer.status, 503, answer.text);
		assert.equal(answer.json.code, 'draining');
		assert.ok(Number(answer.headers['retry-after']) > 0);
		assert.match(answer.json.hint, /may have been stored nevertheless: send it again with the same id/);
	}
	await lock.release();
	// The server has all of the first one, and goes on with it.
	await waitFor(async () => await sql("SELECT count(*) FROM ledger.ledger_events WHERE tenant_id = :'t'", { vars: { t: tenant } }) === '1',
		{ what: 'what was refused to be stored' });
	// A second signal would end it at once.
	await gateway.exited;
	await gateway.stop();
	assert.ok(Date.now() - started < 15_000);
});

test('clients that come and go through a restart see no failure but a refused connection', async () => {
	const gateway = await startGateway({ env: { LEDGER__HTTP__DRAINDELAY: '300ms' } });
	const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
	const wrong = [];
	let good = 0;
	let stop = false;
	const client = async () => {
		while (!stop) {
			try {
				const answer = await request(`${gateway.url}/health/live`, { agent });
				if (answer.status === 200) good++;
				else wrong.push(answer.status);
			} catch (error) {
				// Nobody listens any more: another gateway would.
				if (error.code === 'ECONNREFUSED') return;
				wrong.push(error.code ?? error.message);
			}
		}
	};
	const clients = Promise.all(Array.from({ length: 16 }, client));
	await waitFor(() => good > 500, { what: 'traffic' });
	gateway.signal('SIGTERM');
	await gateway.exited;
	stop = true;
	await clients;
	agent.destroy();
	assert.deepEqual(wrong, []);
	assert.equal(gateway.end.code, 0);
});

test('connections that say nothing do not hold up the end', async () => {
	const gateway = await startGateway();
	const sockets = await Promise.all(Array.from({ length: 50 }, () => raw(gateway.port)));
	await sockets[0].send('GET /health/live HT');
	const started = Date.now();
	await gateway.stop();
	assert.ok(Date.now() - started < 5000, `${Date.now() - started} ms`);
	for (const socket of sockets) await socket.closed();
});
