// Sessions that are not what the gateway set up any more: reset by a pooler in between, or
// with statements that were planned for functions which a migration has replaced.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import { anEvent, newTenant, rows, sql, startGateway } from './lib/gateway.mjs';
import { relay } from './lib/relay.mjs';

let door;
let gateway;
let tenant;
before(async () => {
	door = await relay();
	gateway = await startGateway({ env: { LEDGER__DB__CONNECTIONSTRING: door.url, LEDGER__DB__APPENDCONNECTIONS: '3' } });
	tenant = await newTenant('session');
});
after(async () => {
	await gateway.stop();
	await door.close();
});

const append = (body = anEvent()) => gateway.api('/v1/ledger/events', { method: 'POST', tenant, body });
const chains = () => gateway.api('/v1/ledger/chains', { tenant });
const one = async (answer, status = 200) => { const got = await answer; assert.equal(got.status, status, got.text); return got; };
const connected = () => gateway.log.filter((line) => line.event === 'db.connected').length;

for (const reset of ['DEALLOCATE ALL', 'DISCARD ALL'])
	test(`${reset} behind the gateway's back is noticed, and nobody else notices`, async () => {
		await one(append(), 201);
		await one(chains());
		await door.inject(reset);
		const event = anEvent({ id: randomUUID() });
		await one(append(event), 201);
		await one(chains());
		// Also those who ask all at once, while the session is found out.
		await door.inject(reset);
		const many = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? append() : chains())));
		assert.deepEqual([...new Set(many.map((answer) => answer.status))].sort(), [200, 201]);
		const [{ n }] = await rows(`SELECT count(*)::integer AS n FROM ledger.ledger_events WHERE tenant_id = '${tenant}' AND event_id = '${event.id}'`);
		assert.equal(n, 1);
		// The session's settings are gone with its statements, so that it is made anew.
		await gateway.line((line) => line.event === 'db.lost' && /quick connection: its session was reset/.test(line.message));
	});

// The function of a route replaced by another of that name, as a migration may do; back when done.
async function replaced(name, args, edit, work) {
	const it = `ledger.${name}(${args})`;
	const [{ text, owner }] = await rows(`SELECT pg_get_functiondef(oid) AS text, proowner::regrole AS owner FROM pg_proc WHERE oid = '${it}'::regprocedure`);
	const quietly = (change) => sql(`BEGIN; SET LOCAL session_replication_role = replica; ${change}; COMMIT`);
	await quietly(`ALTER FUNCTION ${it} RENAME TO away; ${edit(text)}; ALTER FUNCTION ${it} OWNER TO ${owner}`);
	try {
		await work();
	} finally {
		await quietly(`DROP FUNCTION ${it}; ALTER FUNCTION ledger.away(${args}) RENAME TO ${name}`);
	}
}
const otherType = (text) => text.replace(/body text\)/, 'body character varying)');

test('a function whose result has another type: once more on a new connection, and then no more', async () => {
	await one(append(), 201);
	await one(chains());
	await replaced('ledger_http_chains', 'text, jsonb', otherType, async () => {
		const before = connected();
		for (let i = 0; i < 3; i++) assert.ok((await one(chains())).json.chains.length > 0);
		assert.equal(connected(), before + 1);
	});
	await one(chains());
	await replaced('ledger_http_append', 'text, jsonb', otherType, () => one(append(), 201));
	await one(append(), 201);
});

test('0A000 of a function itself makes no connection anew', async () => {
	await one(chains());
	const before = connected();
	const raises = (text) => text.replace(/\bBEGIN\b/, "BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '0A000';");
	await replaced('ledger_http_chains', 'text, jsonb', raises, async () => {
		for (let i = 0; i < 5; i++) await one(chains(), 500);
	});
	assert.equal(connected(), before);
	await one(chains());
});
