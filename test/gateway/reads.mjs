// Reads that come while others are on their way share a statement: each gets its own
// answer all the same, nobody's mistake is another's, and nobody waits for company.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Agent } from 'node:http';
import { randomUUID } from 'node:crypto';
import { anEvent, newTenant, sql, startGateway, waitFor } from './lib/gateway.mjs';
import { hold } from './lib/hold.mjs';

let gateway;
before(async () => { gateway = await startGateway(); });
after(() => gateway.stop());

const read = (tenant, id, options) => gateway.api(`/v1/ledger/events/${id}`, { tenant, agent: false, ...options });
const backends = (state) => sql(`SELECT string_agg(pid::text, ',') FROM pg_stat_activity
	WHERE application_name = 'findings-ledger-gateway quick' AND ${state}`);

async function metric(name) {
	const { text } = await gateway.admin('/metrics');
	return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)[1]);
}
const shared = () => metric('ledger_db_shared_statements_total');
const sharing = () => metric('ledger_db_shared_requests_total');

async function events(tenant, n) {
	const answers = await Promise.all(Array.from({ length: n }, () =>
		gateway.api('/v1/ledger/events', { method: 'POST', tenant, body: anEvent() })));
	return answers.map((answer) => { assert.equal(answer.status, 201, answer.text); return answer.json.envelope.id; });
}

// Sends the requests while the events (or another table) are locked, so that all but the first two of a tenant
// wait together; gives what became of them, and what was done before the lock was released.
async function together(requests, { alone = 2, meanwhile, table = 'ledger_events' } = {}) {
	const lock = await hold(`LOCK TABLE ledger.${table} IN ACCESS EXCLUSIVE MODE`);
	const answers = [];
	for (let i = 0; i < requests.length; i++) {
		answers.push(requests[i]());
		if (i < alone) await waitFor(async () => await metric('ledger_db_pool_connections{state="busy"}'.replace(/[{}]/g, '\\$&')) === i + 1,
			{ what: `${i + 1} statements on their way` });
	}
	await waitFor(async () => await metric('ledger_db_pool_waiting') === requests.length - alone, { what: 'the others to wait' });
	await meanwhile?.();
	await lock.release();
	return Promise.all(answers);
}

const good = (answer, id) => {
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.json.envelope.id, id);
};
const missing = (answer, id) => {
	assert.equal(answer.status, 404, answer.text);
	assert.equal(answer.json.code, 'LG404');
	assert.match(answer.json.detail, new RegExp(`event ${id} does not exist`));
};
const malformed = (answer, id) => {
	assert.equal(answer.status, 400, answer.text);
	assert.equal(answer.json.code, 'LG400');
	assert.equal(answer.json.errors[0].parameter, 'eventId');
	assert.ok(answer.json.detail.includes(id), answer.text);
};

test('reads that wait share a statement, and one of no event spoils nothing', async () => {
	const tenant = await newTenant('shared');
	const ids = await events(tenant, 12);
	const unknown = Array.from({ length: 6 }, () => randomUUID());
	const before = [await shared(), await sharing(), await metric('ledger_db_retries_total')];
	const wanted = ids.flatMap((id, i) => i % 2 === 0 ? [[good, id], [missing, unknown[i / 2]]] : [[good, id]]);
	const answers = await together(wanted.map(([, id]) => () => read(tenant, id)));
	answers.forEach((answer, i) => wanted[i][0](answer, wanted[i][1]));
	assert.equal(await shared(), before[0] + 1);
	assert.equal(await sharing(), before[1] + wanted.length - 2);
	assert.equal(await metric('ledger_db_retries_total'), before[2], 'nobody was asked twice');
});

test('no more than 32 share, and tiles not at all: other tenants wait behind each statement', async () => {
	const tenant = await newTenant('many');
	const [id] = await events(tenant, 1);
	const before = [await shared(), await sharing()];
	(await together(Array.from({ length: 35 }, () => () => read(tenant, id)))).forEach((answer) => good(answer, id));
	assert.deepEqual([await shared(), await sharing()], [before[0] + 1, before[1] + 32]);

	const [{ chainId }] = (await gateway.api('/v1/ledger/chains', { tenant })).json.chains;
	const tile = () => gateway.api(`/v1/ledger/chains/${chainId}/tile/entries/000`, { tenant, agent: false });
	const tiles = await together(Array.from({ length: 6 }, () => tile), { alone: 6, table: 'ledger_merkle_roots' });
	assert.deepEqual(tiles.map((answer) => answer.json.code), Array(6).fill('LG404'));
	assert.equal(await shared(), before[0] + 1);
});

test('HEAD, If-None-Match and request ids are each request\'s own in a shared statement', async () => {
	const tenant = await newTenant('own');
	const [first, second, third] = await events(tenant, 3);
	const { etag } = (await read(tenant, second)).headers;
	const before = await shared();
	const answers = await together([
		() => read(tenant, first), () => read(tenant, first), () => read(tenant, first, { method: 'HEAD', headers: { 'X-Request-Id': 'mine' } }),
		() => read(tenant, second, { headers: { 'If-None-Match': etag } }), () => read(tenant, third, { headers: { 'If-None-Match': etag } }),
	]);
	assert.equal(await shared(), before + 1);
	assert.equal(answers[2].text, '');
	assert.equal(answers[2].headers['x-request-id'], 'mine');
	assert.equal(answers[3].status, 304);
	assert.equal(answers[3].headers.etag, etag);
	good(answers[4], third);
	assert.notEqual(answers[4].headers.etag, etag);
});

test('an ill-formed id spoils a statement once: the tenant\'s reads go alone then, and others still share', async () => {
	const tenant = await newTenant('spoilt');
	const other = await newTenant('unspoilt');
	const ids = await events(tenant, 8);
	const others = await events(other, 6);
	const wanted = ids.flatMap((id, i) => i % 3 === 2 ? [[good, id], [malformed, `no-uuid-${i}`]] : [[good, id]]);
	const answers = await together(wanted.map(([, id]) => () => read(tenant, id)));
	answers.forEach((answer, i) => wanted[i][0](answer, wanted[i][1]));

	const before = await shared();
	(await together(ids.map((id) => () => read(tenant, id)), { alone: ids.length })).forEach((answer, i) => good(answer, ids[i]));
	assert.equal(await shared(), before, 'it shares none');
	(await together(others.map((id) => () => read(other, id)))).forEach((answer, i) => good(answer, others[i]));
	assert.equal(await shared(), before + 1, 'the other tenant does');

	// After so many good ones it may try again.
	for (let i = 0; i < 64; i++) good(await read(tenant, ids[0]), ids[0]);
	(await together(ids.map((id) => () => read(tenant, id)))).forEach((answer, i) => good(answer, ids[i]));
	assert.equal(await shared(), before + 2, 'it shares again');
});

test('what tenants ask in turn is answered to each from its own events', async () => {
	const tenants = [await newTenant('left'), await newTenant('right')];
	const ids = [await events(tenants[0], 10), await events(tenants[1], 10)];
	const before = await shared();
	const wanted = [];
	for (let i = 0; i < 10; i++)
		for (const side of [0, 1])
			wanted.push([tenants[side], i % 2 === 0 ? good : missing, ids[i % 2 === 0 ? side : 1 - side][i]]);
	// Two statements of each tenant: the first four requests.
	const answers = await together(wanted.map(([tenant, , id]) => () => read(tenant, id)), { alone: 4 });
	answers.forEach((answer, i) => wanted[i][1](answer, wanted[i][2]));
	assert.equal(await shared(), before + 2);
});

test('who reads alone waits for nobody', async () => {
	const tenant = await newTenant('lone');
	const [id] = await events(tenant, 1);
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	const median = async (path) => {
		const took = [];
		for (let i = 0; i < 41; i++) {
			const began = performance.now();
			assert.equal((await gateway.api(path, { tenant, agent })).status, 200);
			took.push(performance.now() - began);
		}
		return took.sort((a, b) => a - b)[20];
	};
	const before = await shared();
	// Lists never share; the lone read has one row to get where this has a page.
	const list = await median('/v1/ledger/events');
	const one = await median(`/v1/ledger/events/${id}`);
	assert.ok(one < 2 * list + 5, `${one} ms for one event, ${list} ms for a list`);
	assert.equal(await shared(), before);
	agent.destroy();
});

test('a client that leaves takes nobody with it', async () => {
	const tenant = await newTenant('leaver');
	const ids = await events(tenant, 8);
	const leaver = new Agent({ keepAlive: false });
	const sockets = new Set();
	const create = leaver.createConnection.bind(leaver);
	leaver.createConnection = (...args) => { const socket = create(...args); sockets.add(socket); return socket; };
	const answers = await together(ids.map((id, i) => () => i === 5
		? read(tenant, id, { agent: leaver }).then(() => assert.fail('it had left'), () => null) : read(tenant, id)),
	{ meanwhile: () => { for (const socket of sockets) socket.destroy(); } });
	assert.equal(sockets.size, 1);
	answers.forEach((answer, i) => i === 5 ? assert.equal(answer, null) : good(answer, ids[i]));
});

test('when the backend of a shared statement is killed its reads are asked again, once', async () => {
	const tenant = await newTenant('killed');
	const ids = await events(tenant, 8);
	let lostTwice;
	const kill = async (state) => {
		const pid = await waitFor(() => backends(state), { what: `a backend with ${state}` });
		await sql(`SELECT pg_terminate_backend(${pid})`);
		await waitFor(async () => !(await sql(`SELECT pid FROM pg_stat_activity WHERE pid = ${pid}`)), { what: 'its end' });
		return pid;
	};
	const answers = await together(ids.map((id) => () => read(tenant, id)), { meanwhile: async () => {
		await kill("wait_event_type = 'Lock'");
		// The new one has the first two again, and the others with them, in one statement.
		lostTwice = await kill("wait_event_type = 'Lock' AND query LIKE '%jsonb_array_elements%'");
	} });
	assert.ok(lostTwice);
	// Those that were on their way both times are given up, the others asked a second time.
	answers.forEach((answer, i) => {
		if (answer.status !== 503) return good(answer, ids[i]);
		assert.equal(answer.json.code, 'database_away');
		assert.ok(Number(answer.headers['retry-after']) >= 1);
	});
	assert.deepEqual(answers.map((answer) => answer.status), [503, 503, ...Array(6).fill(200)]);
	for (const id of ids) good(await read(tenant, id), id);
});
