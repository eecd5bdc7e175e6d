// Slow routes have few connections: who finds none free is told within a second or so,
// and who gave up does not keep one.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { anEvent, database, newTenant, sql, startGateway, waitFor } from './lib/gateway.mjs';
import { hold } from './lib/hold.mjs';
import { relay } from './lib/relay.mjs';

const running = () => sql("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND application_name = 'findings-ledger-gateway slow'");
const lockProjection = () => hold('LOCK TABLE ledger.findings_projection IN ACCESS EXCLUSIVE MODE');

test('an exhausted pool answers 503 with Retry-After within a second, and quick routes go on', async () => {
	const gateway = await startGateway({ env: { LEDGER__DB__SLOWCONNECTIONS: '2' } });
	const tenant = await newTenant('pool');
	const findings = () => gateway.api('/v1/ledger/projections/findings', { tenant });
	const lock = await lockProjection();
	const held = [findings(), findings()];
	await waitFor(async () => await running() === '2', { what: 'both connections at work' });
	const began = performance.now();
	const answers = await Promise.all(Array.from({ length: 6 }, findings));
	const took = performance.now() - began;
	for (const answer of answers) {
		assert.equal(answer.status, 503);
		assert.equal(answer.json.code, 'pool_exhausted');
		assert.equal(answer.headers['retry-after'], '1');
	}
	assert.ok(took > 500 && took < 3000, `${took} ms`);
	assert.equal((await gateway.api('/v1/ledger/chains', { tenant })).status, 200);
	await lock.release();
	for (const answer of await Promise.all(held)) assert.equal(answer.status, 200);
	assert.equal((await findings()).status, 200);
	await gateway.stop();
});

test('a tenant that holds all it can get leaves a connection to others', async () => {
	const gateway = await startGateway({ env: { LEDGER__DB__SLOWCONNECTIONS: '4' } });
	const greedy = await newTenant('greedy');
	const other = await newTenant('other');
	const event = (await gateway.api('/v1/ledger/events', { method: 'POST', tenant: other, body: anEvent() })).json.envelope;
	const lock = await lockProjection();
	const findings = () => gateway.api('/v1/ledger/projections/findings', { tenant: greedy });
	const held = Array.from({ length: 8 }, findings);
	await waitFor(async () => await running() === '3', { what: 'three connections at work' });
	const others = await gateway.api(`/v1/ledger/findings/${event.finding.id}/attachments`, { tenant: other });
	assert.equal(others.status, 200, others.text);
	assert.equal(await running(), '3');
	await lock.release();
	for (const answer of await Promise.all(held)) assert.ok([200, 503].includes(answer.status), answer.text);
	await gateway.stop();
});

test('a slow statement is cut off, and its connection serves the next request', async () => {
	const gateway = await startGateway({ env: { LEDGER__DB__SLOWCONNECTIONS: '1', LEDGER__DB__SLOWTIMEOUT: '1s' } });
	const tenant = await newTenant('cut-off');
	const lock = await lockProjection();
	const answer = await gateway.api('/v1/ledger/projections/findings', { tenant });
	assert.equal(answer.status, 503, answer.text);
	assert.equal(answer.json.code, '55P03');
	await lock.release();
	assert.equal((await gateway.api('/v1/ledger/projections/findings', { tenant })).status, 200);
	await gateway.stop();
});

test('a statement that nobody waits for any more is cancelled: the end does not wait for it', async () => {
	const gateway = await startGateway({ env: { LEDGER__DB__SLOWCONNECTIONS: '1', LEDGER__HTTP__DRAINTIMEOUT: '1s' } });
	const tenant = await newTenant('given-up');
	const lock = await lockProjection();
	const answer = gateway.api('/v1/ledger/projections/findings', { tenant }).catch(() => null);
	await waitFor(async () => await running() === '1', { what: 'the statement to run' });
	const began = performance.now();
	await gateway.stop();
	assert.ok(performance.now() - began < 6000, 'it would wait for the lock twice as long');
	await answer;
	await waitFor(async () => await running() === '0', { what: 'the statement to be cancelled', deadline: 2000 });
	await lock.release();
});

test('a cancellation that gets no answer stops no loop', async () => {
	const door = await relay();
	after(() => door.close());
	const gateway = await startGateway({ env: {
		LEDGER__DB__CONNECTIONSTRING: `postgresql://${database.user}@127.0.0.1:${door.port}/${database.name}`,
		LEDGER__DB__SLOWCONNECTIONS: '1', LEDGER__HTTP__DRAINTIMEOUT: '1s', LEDGER__HTTP__REQUESTTIMEOUT: '2s', LEDGER__DB__SLOWTIMEOUT: '500ms',
	} });
	const tenant = await newTenant('silent');
	const findings = () => gateway.api('/v1/ledger/projections/findings', { tenant }).catch(() => null);
	await waitFor(async () => (await findings())?.status === 200, { what: 'a connection' });
	// Its backend cannot even say that the statement took too long.
	const backend = Number(await sql(`SELECT pid FROM pg_stat_activity WHERE application_name = 'findings-ledger-gateway slow'
		AND client_port IS NOT NULL`));
	process.kill(backend, 'SIGSTOP');
	after(() => { try { process.kill(backend, 'SIGCONT'); } catch { /* it has ended */ } });
	door.silence();
	const given = findings();
	await waitFor(() => door.unanswered() > 0, { what: 'the request to be given up' });
	const next = findings();
	// Several, one after the other: the loop has come to the request that waits by then.
	let lived = 0;
	const live = (async () => {
		for (; lived < 20; lived++) assert.equal((await gateway.api('/health/live', { tenant: null, token: null })).status, 200);
	})();
	await Promise.race([live, new Promise((resolve) => setTimeout(resolve, 3000))]);
	assert.equal(lived, 20, 'the loop stands still');
	await door.close();
	process.kill(backend, 'SIGCONT');
	await Promise.all([given, next]);
	await gateway.stop();
});

// A backend of the pool that answers nothing, not even that it was cancelled, behind a network
// that takes connections and answers nothing.
async function hung(env) {
	const door = await relay();
	const gateway = await startGateway({ env: { LEDGER__DB__CONNECTIONSTRING: door.url, LEDGER__DB__SLOWCONNECTIONS: '1', ...env } });
	const tenant = await newTenant('hung');
	const findings = () => gateway.api('/v1/ledger/projections/findings', { tenant }).catch(() => null);
	await waitFor(async () => (await findings())?.status === 200, { what: 'a connection' });
	const backend = Number(await sql(`SELECT pid FROM pg_stat_activity WHERE application_name = 'findings-ledger-gateway slow'
		ORDER BY backend_start DESC LIMIT 1`));
	const go = () => { try { process.kill(backend, 'SIGCONT'); } catch { /* it has ended */ } };
	process.kill(backend, 'SIGSTOP');
	after(async () => { go(); await door.close(); });
	door.silence();
	return { door, gateway, findings, go };
}

test('a cancellation that gets no answer is given up, and its connection with it', async () => {
	const { door, gateway, findings, go } = await hung({ LEDGER__HTTP__REQUESTTIMEOUT: '2s', LEDGER__DB__SLOWTIMEOUT: '500ms' });
	assert.equal((await findings())?.status, 504);
	await waitFor(() => door.unanswered() > 0, { what: 'the cancellation' });
	await gateway.line((line) => line.event === 'db.lost' && /could not be cancelled in time/.test(line.message));
	// The signal comes now, and finds nobody's statement.
	door.silence(false);
	await waitFor(async () => (await findings())?.status === 200, { what: 'another connection' });
	go();
	await gateway.stop();
});

test('nor does the end wait for it', async () => {
	const { door, gateway, findings } = await hung({ LEDGER__HTTP__DRAINTIMEOUT: '1s' });
	const given = findings();
	await waitFor(async () => (await gateway.admin('/metrics')).text.includes('\nledger_db_pool_connections{state="busy"} 1\n'), { what: 'the statement to run' });
	const began = performance.now();
	await gateway.stop();
	const took = performance.now() - began;
	assert.ok(took < 6000, `${took} ms`);
	assert.ok(door.unanswered() > 0, 'a cancellation was tried');
	await given;
});
