// GET /metrics: every name of the contract, well-formed, bounded, and true.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { readFileSync } from 'node:fs';
import { anEvent, dsn, newTenant, request, root, sql, startGateway, waitFor } from './lib/gateway.mjs';

let gateway;
let tenant;
before(async () => {
	tenant = await newTenant('metrics');
	gateway = await startGateway();
	await gateway.ready();
	for (let i = 0; i < 3; i++) {
		const answer = await gateway.api('/v1/ledger/events', { method: 'POST', tenant, body: anEvent({ type: 'finding.created' }) });
		assert.equal(answer.status, 201);
	}
	// What SQL knows of them comes with the next reading.
	await waitFor(async () => value(parse((await gateway.admin('/metrics')).text), 'ledger_chain_events', { tenant }) === 3,
		{ what: 'the metrics of three events' });
});
after(() => gateway.stop());

// The text format as Prometheus documents it: [{name, labels, value}].
function parse(text) {
	const samples = [];
	for (const line of text.split('\n')) {
		if (line === '' || line.startsWith('#')) continue;
		const match = /^([a-z_:][a-z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/i.exec(line);
		assert.ok(match, `no sample: ${line}`);
		const labels = {};
		for (const [, name, quoted] of (match[2] ?? '').matchAll(/([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"/gi)) {
			assert.ok(!(name in labels), line);
			labels[name] = quoted.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
		}
		samples.push({ name: match[1], labels, value: Number(match[3].replace('Inf', 'Infinity')) });
	}
	return samples;
}
const find = (samples, name, labels = {}) => samples.filter((s) => s.name === name && Object.entries(labels).every(([k, v]) => s.labels[k] === v));
const value = (samples, name, labels) => find(samples, name, labels)[0]?.value;
const scrape = async (g = gateway) => parse((await g.admin('/metrics')).text);

function promtool(text) {
	return new Promise((resolve, reject) => {
		const child = execFile('promtool', ['check', 'metrics'], (error, stdout, stderr) => resolve({ code: error?.code ?? 0, said: stdout + stderr }));
		child.on('error', reject);
		child.stdin.end(text);
	});
}

test('promtool has nothing to say against it', async () => {
	const answer = await gateway.admin('/metrics');
	assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
	assert.deepEqual(await promtool(answer.text), { code: 0, said: '' });
	// And it does look.
	assert.notEqual((await promtool('aCounter 1\n')).code, 0);
});

test('OpenMetrics by Accept, as its own parser reads it', async () => {
	const answer = await gateway.admin('/metrics', { headers: { Accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' } });
	assert.equal(answer.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8');
	assert.match(answer.text, /\n# EOF\n$/);
	const child = spawn('/usr/bin/python3', ['-c', 'import sys; from prometheus_client.openmetrics.parser import text_string_to_metric_families as f; print(len(list(f(sys.stdin.read()))))']);
	let said = '';
	child.stdout.on('data', (c) => { said += c; });
	child.stderr.on('data', (c) => { said += c; });
	child.stdin.end(answer.text);
	await new Promise((resolve) => child.on('close', resolve));
	assert.match(said, /^[5-9]\d\n$/);
});

// Contract section 9, with the labels that it gives.
const contract = {
	ledger_write_latency_seconds: ['histogram', 'tenant', 'event_type'],
	ledger_write_duration_seconds: ['histogram', 'tenant', 'event_type', 'source'],
	ledger_events_total: ['counter', 'tenant', 'event_type', 'source'],
	ledger_ingest_backlog_events: ['gauge', 'tenant'],
	ledger_quota_remaining: ['gauge', 'tenant'],
	ledger_backpressure_applied_total: ['counter', 'tenant', 'reason', 'limit'],
	ledger_quota_rejections_total: ['counter', 'tenant', 'reason'],
	ledger_projection_lag_seconds: ['gauge', 'tenant'],
	ledger_projection_rebuild_seconds: ['histogram', 'tenant'],
	ledger_projection_apply_seconds: ['histogram', 'tenant', 'event_type'],
	ledger_projection_events_total: ['counter', 'tenant', 'event_type'],
	ledger_merkle_anchor_duration_seconds: ['histogram', 'tenant'],
	ledger_merkle_anchor_failures_total: ['counter', 'tenant', 'reason'],
	ledger_attestations_queries_total: ['counter'],
	ledger_attestations_failures_total: ['counter'],
};

test('every name of the contract is there, of its type', async () => {
	const { text } = await gateway.admin('/metrics');
	for (const [name, [type]] of Object.entries(contract)) {
		assert.ok(text.includes(`# TYPE ${name} ${type}\n`), name);
		assert.match(text, new RegExp(`^# HELP ${name} .`, 'm'));
	}
});

test('and those that have something to say have samples with those labels', async () => {
	const limited = await startGateway({ env: { LEDGER__QUOTA__BACKLOG: '5000' } });
	try {
		await limited.ready();
		await limited.api('/v1/ledger/events', { method: 'POST', tenant, body: anEvent() });
		await sql(`SELECT ledger.ledger_rebuild_projection('${tenant}')`.replace(/^/, "SELECT ledger.ledger_grant_tenant('postgres', '" + tenant + "'); "));
		await sql(`SELECT count(*) FROM ledger.ledger_anchor_tick('${tenant}', true)`);
		await sql(`SELECT ledger.ledger_record_anchor_failure('${tenant}', 'some_reason')`);
		const samples = await waitFor(async () => {
			const now = await scrape(limited);
			return value(now, 'ledger_projection_rebuild_seconds_count', { tenant }) && value(now, 'ledger_merkle_anchor_failures_total', { tenant }) &&
				value(now, 'ledger_merkle_anchor_duration_seconds_count', { tenant }) && now;
		}, { what: 'a rebuild, an anchor and a failure' });
		for (const [name, [type, ...labels]] of Object.entries(contract)) {
			if (name.startsWith('ledger_attestations')) continue;
			const [sample] = find(samples, type === 'histogram' ? `${name}_count` : name, { tenant });
			assert.ok(sample, `${name} has no sample of ${tenant}`);
			assert.deepEqual(Object.keys(sample.labels).sort(), [...labels].sort(), name);
		}
		assert.equal(value(samples, 'ledger_quota_remaining', { tenant }) <= 5000, true);
	} finally {
		await limited.stop();
	}
});

test('of a batch what is new is counted, and nothing that was there', async () => {
	const mine = await newTenant('partly');
	const batch = ['finding.created', 'finding.comment_added', 'finding.comment_added'].map((type, i) =>
		anEvent({ id: `0198c0de-2222-7000-8000-${String(Date.now()).slice(-9)}00${i}`, type, payload: type === 'finding.created' ? { severity: 'low' } : { comment: `${i}` } }));
	const send = (events) => gateway.api('/v1/ledger/events:batch', { method: 'POST', body: events, tenant: mine });
	const counted = async () => Object.fromEntries(find(await scrape(), 'ledger_events_total', { tenant: mine }).map((sample) => [sample.labels.event_type, sample.value]));
	assert.equal((await send([batch[1]])).status, 201);
	assert.deepEqual(await counted(), { 'finding.comment_added': 1 });
	const mixed = await send(batch);
	assert.equal(mixed.status, 201);
	assert.equal(mixed.headers['ledger-new'], undefined);
	assert.deepEqual(await counted(), { 'finding.created': 1, 'finding.comment_added': 2 });
	assert.equal((await send(batch)).status, 200);
	assert.deepEqual(await counted(), { 'finding.created': 1, 'finding.comment_added': 2 });
});

test('the numbers are those of what happened', async () => {
	const samples = await scrape();
	const of = { tenant, event_type: 'finding.created' };
	assert.equal(value(samples, 'ledger_events_total', of), 3);
	assert.equal(value(samples, 'ledger_write_duration_seconds_count', of), 3);
	assert.equal(value(samples, 'ledger_write_duration_seconds_bucket', { ...of, le: '+Inf' }), 3);
	assert.equal(value(samples, 'ledger_write_latency_seconds_count', of), 3);
	assert.equal(value(samples, 'ledger_projection_events_total', of), 3);
	assert.equal(value(samples, 'ledger_projection_lag_seconds', { tenant }), 0);
	assert.equal(value(samples, 'ledger_chains', { tenant }), 1);
	const sum = value(samples, 'ledger_write_duration_seconds_sum', of);
	assert.ok(sum > 0 && sum < 30, `${sum} s`);
	assert.ok(value(samples, 'http_requests_total', { route: 'appendEvent', method: 'POST', code: '201' }) >= 3);
	assert.ok(value(samples, 'http_request_duration_seconds_count', { route: 'appendEvent' }) >= 3);
	assert.ok(value(samples, 'process_resident_memory_bytes') > 1e6);
	assert.ok(value(samples, 'process_open_fds') > 5);
	assert.ok(Math.abs(value(samples, 'process_start_time_seconds') - Date.now() / 1000) < 600);
	assert.ok(value(samples, 'ledger_database_size_bytes') > 1e6);
	assert.equal(find(samples, 'ledger_build_info').length, 1);
	assert.match(find(samples, 'ledger_build_info')[0].labels.pg_version, /^\d+/);
});

test('a histogram\'s buckets grow to its count, in the order of their bounds', async () => {
	const samples = await scrape();
	const series = new Map();
	for (const { name, labels: { le, ...labels }, value: v } of samples) {
		if (le === undefined) continue;
		const key = `${name} ${JSON.stringify(labels)}`;
		const bound = Number(le.replace('Inf', 'Infinity'));
		const [last = -Infinity, count = 0] = series.get(key) ?? [];
		assert.ok(bound > last && v >= count, `${key} ${le}`);
		series.set(key, [bound, v]);
	}
	assert.ok(series.size > 5);
	for (const [key, [bound, count]] of series) {
		assert.equal(bound, Infinity);
		const [name, labels] = [key.slice(0, key.indexOf(' ')), JSON.parse(key.slice(key.indexOf(' ')))];
		assert.equal(value(samples, name.replace(/_bucket$/, '_count'), labels), count);
	}
});

test('no series is there twice', async () => {
	const seen = new Set();
	for (const { name, labels } of await scrape()) {
		const key = `${name}${JSON.stringify(Object.entries(labels).sort())}`;
		assert.ok(!seen.has(key), key);
		seen.add(key);
	}
});

test('the guide\'s two lines, verbatim, against this gateway', async () => {
	const guide = readFileSync(`${root}/docs/how-to/monitor.md`, 'utf8');
	const lines = ['curl -sf http://localhost:8188/health/ready', 'curl -sf http://localhost:8188/metrics | grep ledger_write_latency_seconds'];
	for (const line of lines) {
		assert.ok(guide.includes(line), line);
		const said = await new Promise((resolve, reject) => {
			execFile('bash', ['-o', 'pipefail', '-c', line.replace('localhost:8188', `localhost:${gateway.port}`)],
				(error, stdout) => (error ? reject(error) : resolve(stdout)));
		});
		assert.ok(said.length > 10);
	}
});

test('without the label tenant everything is summed', async () => {
	const other = await newTenant('metrics-b');
	const quiet = await startGateway({ env: { LEDGER__OBSERVABILITY__TENANTLABEL: 'false' } });
	try {
		await quiet.ready();
		for (const t of [tenant, other]) await quiet.api('/v1/ledger/events', { method: 'POST', tenant: t, body: anEvent() });
		const all = Number(await sql("SELECT sum(value) FROM ledger.ledger_metrics() WHERE metric = 'ledger_chains'", { as: dsn }));
		const answer = await waitFor(async () => {
			const now = await quiet.admin('/metrics');
			return value(parse(now.text), 'ledger_chains') === all && now;
		}, { what: 'the sum over all tenants' });
		assert.deepEqual(await promtool(answer.text), { code: 0, said: '' });
		assert.ok(!/tenant=/.test(answer.text));
		const samples = parse(answer.text);
		assert.equal(value(samples, 'ledger_events_total', { event_type: 'finding.comment_added' }), 2);
		assert.equal(find(samples, 'ledger_chains').length, 1);
	} finally {
		await quiet.stop();
	}
});

test('LEDGER__OBSERVABILITY__ENABLED=false: 404', async () => {
	const dark = await startGateway({ env: { LEDGER__OBSERVABILITY__ENABLED: 'false' } });
	try {
		const answer = await dark.admin('/metrics');
		assert.equal(answer.status, 404);
		assert.equal(answer.headers['content-type'], 'application/problem+json');
		assert.equal((await dark.admin('/health/live')).status, 200);
	} finally {
		await dark.stop();
	}
});

test('what clients send makes no series: paths, methods, tenants, event types', async () => {
	const count = (samples) => samples.length;
	await gateway.api('/nothing', { token: null, tenant: null }).catch(() => {});
	await request(`${gateway.url}/nothing/%22%5C`).catch(() => {});
	await request(`${gateway.url}/x`, { method: 'PROPFIND' }).catch(() => {});
	await gateway.api('/v1/ledger/events', { method: 'POST', tenant, body: anEvent({ type: 'no.such_type' }) }).catch(() => {});
	await gateway.api('/v1/ledger/events', { method: 'POST', tenant: 'nobody-0', body: anEvent() }).catch(() => {});
	const before = await scrape();
	for (let i = 0; i < 50; i++) {
		await request(`${gateway.url}/nothing/${i}"\\{}`.replace(/["\\{}]/g, encodeURIComponent)).catch(() => {});
		await request(`${gateway.url}/x`, { method: ['PROPFIND', 'MKCOL', 'LOCK', 'SEARCH'][i % 4] }).catch(() => {});
		await gateway.api('/v1/ledger/events', { method: 'POST', tenant, body: anEvent({ type: `no.such_type_${i}` }) }).catch(() => {});
		await gateway.api('/v1/ledger/events', { method: 'POST', tenant: `nobody-${i}`, body: anEvent() }).catch(() => {});
	}
	const now = await scrape();
	const names = (samples) => samples.map((s) => `${s.name}${JSON.stringify(s.labels)}`);
	const old = new Set(names(before));
	assert.deepEqual(names(now).filter((name) => !old.has(name)), []);
	assert.equal(count(now), count(before));
});

test('hostile names come out escaped: a type of an event may be called what the table allows', async () => {
	// Tenants have plain names; a reason of a failure is any text.
	const reason = 'a"b\\c\nd{e="f"} 1 é';
	await sql("SELECT ledger.ledger_grant_tenant('postgres', :'t'); SELECT ledger.ledger_record_anchor_failure(:'t', :'r')", { vars: { t: tenant, r: reason } }).catch(async () => {
		// Where the function refuses such a reason: as the row of an older release might have it.
		await sql("UPDATE ledger.ledger_anchor_stats SET failures = failures || jsonb_build_object(:'r', 1) WHERE tenant_id = :'t'", { vars: { t: tenant, r: reason } });
	});
	const answer = await waitFor(async () => {
		const now = await gateway.admin('/metrics');
		return find(parse(now.text), 'ledger_merkle_anchor_failures_total', { tenant }).some((s) => s.labels.reason === reason) && now;
	}, { what: 'the reason, as it was' });
	assert.deepEqual(await promtool(answer.text), { code: 0, said: '' });
});

test('the page of metrics has each, and each is on the page', async () => {
	const page = readFileSync(`${root}/docs/reference/metrics.md`, 'utf8');
	const { text } = await gateway.admin('/metrics');
	const served = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
	const told = [...page.matchAll(/^\| `(\w+)` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`);
	assert.deepEqual(told.sort(), served.sort());
	assert.ok(served.length > 50);
});

test('a scrape is answered from memory, while the database hangs', async () => {
	// The postmaster too: else the probe would simply connect again.
	const pids = (await sql(`SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'findings-ledger-gateway probe%'
		UNION ALL SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::integer`)).split('\n').map(Number);
	assert.ok(pids.length >= 2);
	for (const pid of pids) process.kill(pid, 'SIGSTOP');
	try {
		for (let i = 0; i < 10; i++) {
			const begun = Date.now();
			assert.equal((await gateway.admin('/metrics')).status, 200);
			assert.ok(Date.now() - begun < 500);
		}
		await waitFor(async () => value(await scrape(), 'ledger_scrape_error') === 1, { what: 'the failure to be told' });
		assert.equal(value(await scrape(), 'ledger_chain_events', { tenant }), undefined);
	} finally {
		for (const pid of pids) process.kill(pid, 'SIGCONT');
	}
	await waitFor(async () => value(await scrape(), 'ledger_scrape_error') === 0, { what: 'the metrics of the database' });
});
