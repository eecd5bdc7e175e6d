// Synchronous standbys that do not answer, and servers that take no writes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import { anEvent, killBackends, newTenant, rows, sql, startGateway, waitFor } from './lib/gateway.mjs';
import { relay } from './lib/relay.mjs';
import { replica } from './lib/replica.mjs';

let gateway;
let tenant;
before(async () => {
	gateway = await startGateway({ env: { LEDGER__DB__STATEMENTTIMEOUT: '2s', LEDGER__DB__SLOWTIMEOUT: '2s' } });
	tenant = await newTenant('standby');
});
const standbys = async (names) => {
	await sql(`SET synchronous_commit = local; ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
	await sql('SELECT pg_reload_conf()');
	await waitFor(async () => await sql('SHOW synchronous_standby_names') === names);
};
after(async () => {
	await sql('ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()').catch(() => {});
	await gateway.stop();
});

const append = (body) => gateway.api('/v1/ledger/events', { method: 'POST', tenant, body });
const attach = (finding) => gateway.api(`/v1/ledger/findings/${finding}/attachments?policyVersion=p&artifactId=a`,
	{ method: 'POST', tenant, body: 'x', headers: { 'Content-Type': 'text/plain', 'Idempotency-Key': `key-${finding}` } });
const stored = async (finding) => (await rows(`SELECT event_id AS id FROM ledger.ledger_events WHERE tenant_id = '${tenant}' AND finding_id = '${finding}'`)).map((row) => row.id);

const toOneThatWaits = (call) => waitFor(async () => await sql(`SELECT count(${call}) FROM pg_stat_activity
	WHERE wait_event = 'SyncRep' AND application_name LIKE 'findings-ledger-gateway %'`) === '1', { what: 'the wait for the standby' });
const cancelWait = () => toOneThatWaits('pg_cancel_backend(pid)');

async function withoutStandby(work) {
	await standbys('nobody');
	try {
		return await work();
	} finally {
		await standbys('');
	}
}

// The commit of what is asked waits for a standby that is not there, until an administrator ends the wait.
const cancelled = (ask, meanwhile = (answer) => answer) => withoutStandby(async () => {
	const asked = ask();
	await cancelWait();
	return meanwhile(await asked);
});
const unreplicated = (answer) =>
	assert.deepEqual([answer.status, answer.json.code, answer.headers['retry-after']], [503, 'not_replicated', '1'], answer.text);

test('an append whose wait for the standbys was cancelled is not acknowledged, and its id is told', async () => {
	const event = anEvent();
	const id = await cancelled(() => append(event), async (answer) => {
		unreplicated(answer);
		const [known, ...more] = await stored(event.findingId);
		assert.deepEqual(more, []);
		assert.match(answer.json.hint, new RegExp(`"eventId": "${known}"`));
		// While nobody stands by, a second try is not acknowledged either.
		const waiting = await append({ ...event, eventId: known });
		assert.equal(waiting.status, 504, waiting.text);
		return known;
	});
	const again = await append({ ...event, eventId: id });
	assert.deepEqual([again.status, again.headers['idempotency-hit']], [200, 'true'], again.text);
	assert.deepEqual(await stored(event.findingId), [id]);
});

test('nor are a batch and an attachment', async () => {
	const events = [anEvent({ id: randomUUID() })];
	const batch = () => gateway.api('/v1/ledger/events:batch', { method: 'POST', tenant, body: events });
	const finding = `standby-${randomUUID()}`;
	for (const ask of [batch, () => attach(finding)]) {
		const answer = await cancelled(ask);
		unreplicated(answer);
		const again = await ask();
		assert.deepEqual([again.status, again.headers['idempotency-hit']], [200, 'true'], again.text);
	}
	assert.equal((await stored(finding)).length, 1);
});

test('nor is the same event from two who share the transaction: one wrote it, the other found it there', async () => {
	const event = anEvent({ id: randomUUID() });
	const answers = await withoutStandby(async () => {
		const leading = append(anEvent());
		await toOneThatWaits('*');
		const both = [append(event), append(event)];
		await waitFor(async () => (await gateway.admin('/metrics')).text.includes('\nledger_db_pool_waiting 2\n'), { what: 'the two to wait' });
		await cancelWait();
		unreplicated(await leading);
		await cancelWait();
		return Promise.all(both);
	});
	answers.forEach(unreplicated);
	assert.deepEqual(await stored(event.findingId), [event.id]);
	assert.equal((await append(event)).status, 200);
});

test('the next one is told nothing of it', async () => {
	assert.equal((await append(anEvent())).status, 201);
});

test('a database that takes no writes: 503 and not ready, reads go on, and when it takes them all goes on', async () => {
	const event = anEvent();
	assert.equal((await append(event)).status, 201);
	await gateway.ready();
	const readOnly = async (set) => { await sql(`ALTER ROLE gateway_login ${set}`); await killBackends(); };
	const check = async () => (await gateway.admin('/health/ready')).json.checks.find(({ name }) => name === 'writes');
	await readOnly('SET default_transaction_read_only = on');
	try {
		const refused = await waitFor(async () => { const answer = await append(anEvent()); return answer.json.code === '25006' && answer; }, { what: 'the refusal' });
		assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '5']);
		await waitFor(async () => (await check())?.ok === false, { what: 'the probe to see it' });
		assert.equal((await gateway.admin('/health/ready')).status, 503);
		assert.equal((await gateway.api(`/v1/ledger/events?findingId=${event.findingId}`, { tenant })).status, 200);
	} finally {
		await readOnly('RESET default_transaction_read_only');
	}
	await waitFor(async () => (await append(anEvent())).status === 201, { what: 'appends again' });
	await gateway.ready();
});

test('a hot standby in the place of the primary: reads and no writes; promoted, it has what was there and takes more', async () => {
	const standby = await replica();
	const door = await relay();
	const other = await startGateway({ env: { LEDGER__DB__CONNECTIONSTRING: door.url } });
	const post = (body) => other.api('/v1/ledger/events', { method: 'POST', tenant, body });
	const read = (path, status = 200) => waitFor(async () => {
		const answer = await other.api(path, { tenant });
		return answer.status === status && answer.json;
	}, { what: `${status} of ${path}` });
	const checks = async () => (await other.admin('/health/ready')).json.checks;
	try {
		await other.ready();
		const before = [anEvent({ id: randomUUID() }), anEvent({ id: randomUUID() })];
		for (const event of before) assert.equal((await post(event)).status, 201);
		await standby.caughtUp();
		door.lead(standby);
		const refused = await waitFor(async () => { const answer = await post(anEvent()); return answer.json.code === '25006' && answer; }, { what: 'the refusal' });
		assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '5'], refused.text);
		await waitFor(async () => (await checks()).some(({ name, ok }) => name === 'writes' && !ok), { what: 'the probe to see it' });
		assert.equal((await other.admin('/health/ready')).status, 503);
		for (const { id } of before) assert.equal((await read(`/v1/ledger/events/${id}`)).envelope.id, id);
		await read('/v1/ledger/projections/findings');

		await standby.promote();
		const next = await waitFor(async () => { const answer = await post(anEvent()); return answer.status === 201 && answer; }, { what: 'appends after the promotion' });
		await other.ready();
		for (const { id } of before) assert.equal((await read(`/v1/ledger/events/${id}`)).envelope.id, id);
		assert.equal((await post(before[0])).status, 200, 'known there, too');
		assert.equal((await other.api(`/v1/ledger/events/${next.json.envelope.id}`, { tenant })).status, 200);
		// And not to the old one.
		assert.equal(await sql(`SELECT count(*) FROM ledger.ledger_events WHERE event_id = '${next.json.envelope.id}'`), '0');
	} finally {
		await other.stop();
		await door.close();
		await standby.destroy();
	}
});
