// What orchestrators ask: GET /health/live and GET /health/ready.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { anEvent, cluster, dsn, newTenant, sql, startGateway, superuser, waitFor } from './lib/gateway.mjs';
import { relay } from './lib/relay.mjs';

let gateway;
before(async () => {
	gateway = await startGateway();
	await gateway.ready();
});
after(() => gateway.stop());

const ready = async (g = gateway) => {
	const answer = await g.admin('/health/ready');
	return { ...answer.json, http: answer.status, check: (name) => answer.json.checks.find((c) => c.name === name) };
};
const becomes = (what, condition, g) => waitFor(async () => {
	const now = await ready(g);
	return condition(now) && now;
}, { what });

test('live and ready, on both ports, without a token', async () => {
	for (const ask of [(path) => gateway.admin(path), (path) => gateway.api(path, { token: null, tenant: null })]) {
		const live = await ask('/health/live');
		assert.equal(live.status, 200);
		assert.equal(live.headers['content-type'], 'application/json');
		assert.equal(live.headers['cache-control'], 'no-store');
		const answer = await ask('/health/ready');
		assert.equal(answer.status, 200);
		assert.equal(answer.headers['cache-control'], 'no-store');
		assert.deepEqual(answer.json.checks.map((c) => c.name),
			['database', 'migrations', 'guards', 'anchoring', 'durability', 'writes', 'connections', 'keys']);
		for (const check of answer.json.checks) assert.equal(check.ok, true, check.name);
	}
});

test('a guard that is off: 503, and 200 again when it is on', async () => {
	const guard = (what) => sql(`ALTER EVENT TRIGGER ledger_guard_drop ${what}`);
	await guard('DISABLE');
	try {
		const off = await becomes('unready', (now) => now.http === 503);
		assert.equal(off.status, 'unready');
		assert.equal(off.check('guards').ok, false);
		assert.match(off.check('guards').detail, /^not as the ledger left them: 1;/);
		assert.equal(off.check('database').ok, true);
	} finally {
		await guard('ENABLE ALWAYS');
	}
	await becomes('ready', (now) => now.http === 200);
});

test('a trigger of a tenant\'s leaf that is off: 503, and its tenant is not named', async () => {
	const tenant = await newTenant('leaf');
	const leaf = await sql(`SELECT leaf FROM ledger.ledger_tenants WHERE tenant_id = '${tenant}'`);
	// As somebody would who may: with the guards against it out of the way.
	const trigger = (what) => sql(`SET session_replication_role = replica;
		UPDATE pg_trigger SET tgenabled = '${what}' WHERE tgrelid = 'ledger.${leaf}'::regclass AND tgname = 'ledger_refuse_row'`);
	await trigger('D');
	try {
		const off = await becomes('unready', (now) => now.http === 503);
		assert.equal(off.check('guards').ok, false);
		assert.ok(!JSON.stringify(off.checks).includes(tenant));
	} finally {
		await trigger('A');
	}
	await becomes('ready', (now) => now.http === 200);
});

test('a migration that is not recorded: 503', async () => {
	const event = await sql('SELECT event_id FROM ledger.ledger_schema_migrations WHERE version = 1');
	const record = (id) => sql(`BEGIN; SET LOCAL session_replication_role = replica;
		ALTER TABLE ledger.ledger_schema_migrations DISABLE TRIGGER USER;
		UPDATE ledger.ledger_schema_migrations SET event_id = ${id} WHERE version = 1;
		ALTER TABLE ledger.ledger_schema_migrations ENABLE ALWAYS TRIGGER ledger_refuse_row;
		ALTER TABLE ledger.ledger_schema_migrations ENABLE ALWAYS TRIGGER ledger_refuse_statement; COMMIT`);
	await record('NULL');
	try {
		const off = await becomes('unready', (now) => now.http === 503);
		assert.equal(off.check('migrations').ok, false);
	} finally {
		await record(`'${event}'`);
	}
	await becomes('ready', (now) => now.http === 200);
});

test('late anchoring is degraded, and served; an empty and an idle ledger are not late', async () => {
	// A login that is granted one tenant sees that one only: what other files left is none of this test's.
	const tenant = await newTenant('late');
	const login = tenant.replaceAll('-', '_');
	await sql(`CREATE ROLE ${login} LOGIN IN ROLE ledger_gateway; SELECT ledger.ledger_grant_tenant('${login}', '${tenant}')`);
	const late = await startGateway({
		env: {
			LEDGER__MERKLE__ANCHORINTERVAL: '1s', LEDGER__MERKLE__WINDOWDURATION: '1s',
			LEDGER__DB__CONNECTIONSTRING: dsn.replace('gateway_login', login),
		},
	});
	const unanchored = /wait for an anchor/;
	try {
		const empty = await becomes('the database seen', (now) => now.check('anchoring'), late);
		assert.equal(empty.check('anchoring').detail, 'in time');
		assert.equal(empty.check('anchoring').degraded, false);
		assert.equal((await late.api('/v1/ledger/events', { method: 'POST', tenant, body: anEvent() })).status, 201);
		const degraded = await becomes('late', (now) => now.check('anchoring').degraded, late);
		assert.equal(degraded.http, 200);
		assert.equal(degraded.status, 'degraded');
		assert.equal(degraded.check('anchoring').ok, true);
		assert.match(degraded.check('anchoring').detail, /^chains that wait for an anchor: 1, the longest for [3-9] s$/);
		const metrics = (await late.admin('/metrics')).text;
		assert.match(metrics, /^ledger_degraded\{check="anchoring"\} 1$/m);
		assert.match(metrics, /^ledger_ready 1$/m);
		await sql(`SELECT count(*) FROM ledger.ledger_anchor_tick('${tenant}', true)`);
		// Three intervals later it is idle, not late.  Where another file registered a key, its signature is awaited.
		const anchored = Date.now();
		await becomes('anchored and idle for longer than three intervals',
			(now) => Date.now() - anchored > 3500 && !unanchored.test(now.check('anchoring').detail), late);
		assert.match((await ready(late)).check('anchoring').detail, /^(in time|chains that wait for a signature: 1)$/);
	} finally {
		await late.stop();
		await sql(`SELECT ledger.ledger_revoke_tenant('${login}', '${tenant}'); DROP ROLE ${login}`);
	}
});

test('the database is away: live stays, ready is 503, a probe waits for nothing; and it comes back', async () => {
	await cluster('stop');
	try {
		const away = await becomes('the database seen to be away', (now) => !now.check('database').ok);
		assert.equal(away.http, 503);
		const begun = Date.now();
		for (let i = 0; i < 20; i++) await ready();
		assert.ok(Date.now() - begun < 1000, `20 probes took ${Date.now() - begun} ms`);
		assert.equal((await gateway.admin('/health/live')).status, 200);
		assert.match((await gateway.admin('/metrics')).text, /^ledger_scrape_error 1$/m);
	} finally {
		await cluster('start');
	}
	await gateway.ready();
	await waitFor(async () => /^ledger_scrape_error 0$/m.test((await gateway.admin('/metrics')).text),
		{ what: 'metrics of the database' });
});

test('a database that is there and does not answer: ready is 503 within five seconds or so, live stays', async () => {
	// The probe's backend and the postmaster are stopped: nothing is closed, nothing answers.
	const pids = (await sql(`SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'findings-ledger-gateway probe%'
		UNION ALL SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::integer`)).split('\n').map(Number);
	assert.ok(pids.length >= 2);
	for (const pid of pids) process.kill(pid, 'SIGSTOP');
	try {
		const begun = Date.now();
		const hung = await becomes('the database seen to hang', (now) => !now.check('database').ok);
		assert.ok(Date.now() - begun < 8000);
		assert.equal(hung.http, 503);
		assert.equal((await gateway.admin('/health/live')).status, 200);
	} finally {
		for (const pid of pids) process.kill(pid, 'SIGCONT');
	}
	await gateway.ready();
});

test('no key to verify tokens with: 503', async () => {
	const keyless = await startGateway({ env: { LEDGER__AUTH__JWKS: 'http://127.0.0.1:1/jwks' } });
	try {
		const now = await becomes('the database seen', (n) => n.check('database').ok, keyless);
		assert.equal(now.http, 503);
		assert.equal(now.check('keys').ok, false);
	} finally {
		await keyless.stop();
	}
});

test('nothing that keys could come from: 200, degraded', async () => {
	const keyless = await startGateway({ unset: ['LEDGER__AUTH__JWKS'] });
	try {
		const now = await becomes('ready', (n) => n.http === 200, keyless);
		assert.equal(now.status, 'degraded');
		assert.deepEqual(now.check('keys'), { name: 'keys', ok: true, degraded: true, detail: 'no token is accepted: LEDGER__AUTH__JWKS is not set' });
		assert.equal((await keyless.api('/v1/ledger/events')).status, 401);
	} finally {
		await keyless.stop();
	}
});

test('SIGTERM: ready is 503 and draining before listening ends', async () => {
	const ending = await startGateway({ env: { LEDGER__HTTP__DRAINDELAY: '2s' } });
	await ending.ready();
	ending.signal('SIGTERM');
	const draining = await becomes('draining', (now) => now.http === 503, ending);
	assert.equal(draining.status, 'draining');
	assert.equal((await ending.admin('/health/live')).status, 200);
	assert.deepEqual(await ending.exited, { code: 0, signal: null });
});

test('nothing of the database is told to strangers but what it says of itself', async () => {
	const text = JSON.stringify((await gateway.api('/health/ready', { token: null, tenant: null })).json);
	assert.ok(!text.includes(new URL(superuser).port));
	assert.ok(!/acme|globex|gateway_login/.test(text));
});

test('a server that does not tell its version: nothing is missing but that', async (t) => {
	// As poolers do that hand on few parameters.
	const hidden = (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('server_version\0', 'server_versioN\0'), 'latin1');
	const door = await relay({ edit: hidden });
	t.after(() => door.close());
	const behind = await startGateway({ env: { LEDGER__DB__CONNECTIONSTRING: door.url } });
	await behind.ready();
	assert.match((await behind.admin('/metrics')).text, /^ledger_build_info\{.*pg_version=""/m);
	assert.match((await gateway.admin('/metrics')).text, /^ledger_build_info\{.*pg_version="15/m);
	await behind.stop();
});
