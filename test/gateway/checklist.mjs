// ledgerctl checklist: every point passes where all is well, and each fails for its own reason.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { newTenant, root, sql, startGateway, superuser, waitFor } from './lib/gateway.mjs';

const dir = mkdtempSync(join(tmpdir(), 'ledger-checklist-'));
let gateway, grafana, url;
// What Grafana answers next, and the token that it was asked with.
let answer = { status: 200, body: '[]' };
let token;

const append = (tenant) => sql(`SELECT ledger.ledger_append('${tenant}', 'finding.created', 'F-1', 'p', 'pkg:npm/x@1', '{}')`);

before(async () => {
	gateway = await startGateway();
	await gateway.ready();
	grafana = createServer((request, response) => {
		token = request.headers.authorization;
		response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(answer.body);
	});
	await new Promise((done) => grafana.listen(0, '127.0.0.1', done));
	url = `http://127.0.0.1:${grafana.address().port}`;
	const tenant = await newTenant('checklist');
	await append(tenant);
	await sql('SELECT ledger.ledger_anchor_tick(NULL, true)');
});
after(async () => {
	grafana.close();
	rmSync(dir, { recursive: true });
	await gateway.stop();
});

// The answer, with the checks by name.
const run = (args, env = {}) => new Promise((done) => {
	execFile(`${root}/gateway/bin/ledgerctl`, ['checklist', '--json', '--connection', superuser, ...args],
		{ env: { PATH: process.env.PATH, ...env } }, (error, stdout, stderr) => {
			const said = stdout ? JSON.parse(stdout) : {};
			done({ code: error?.code ?? 0, stderr, ...said, check: (name) => said.checks?.find((c) => c.name === name) });
		});
});
const file = (name, text = 'x', age = 0) => {
	const path = join(dir, name);
	mkdirSync(join(path, '..'), { recursive: true });
	writeFileSync(path, text);
	utimesSync(path, Date.now() / 1000 - age, Date.now() / 1000 - age);
	return path;
};
const HOUR = 3600;

test('nothing is given but the database: two points are ok, the others are not applicable', async () => {
	const got = await run([]);
	assert.equal(got.code, 0, got.stderr);
	assert.deepEqual(got.checks.map((c) => [c.name, c.verdict]), [
		['health', 'not applicable'], ['metrics', 'not applicable'], ['anchors', 'ok'], ['projection lag', 'ok'],
		['dashboards', 'not applicable'], ['backups', 'not applicable'], ['restore tested', 'not applicable'],
		['offline snapshot', 'not applicable'], ['space', 'not applicable']]);
	assert.match(got.check('space').evidence, /unknown: SQL cannot see .* Wanted: 200 GB/);
	assert.match(got.check('anchors').evidence, /^\d+ chains in ledger_merkle_roots, the newest \d+ s old, signed none; in time$/);
});

test('all is well: every point is ok, with what was seen', async () => {
	answer = { status: 200, body: JSON.stringify([{ title: 'Writer', folderTitle: 'Findings Ledger' }, { title: 'x', folderTitle: 'Other' }]) };
	file('backups/ledger-20261201.dump', 'dump', HOUR);
	file('kit/offline/ledger/metrics.tar.gz');
	const got = await run(['--gateway', `http://127.0.0.1:${gateway.port}`, '--grafana', url, '--backup-dir', join(dir, 'backups'),
		'--restore-report', file('out.json', '{}', 24 * HOUR), '--offline-kit', join(dir, 'kit'), '--data-dir', dir, '--horizon', '1s'],
	{ LEDGER__GRAFANA__TOKEN: 'glsa_secret' });
	assert.equal(got.code, 0, got.stderr);
	assert.deepEqual(got.checks.filter((c) => c.verdict !== 'ok'), []);
	assert.match(got.check('health').evidence, /^\/health\/ready answers 200: \{/);
	assert.match(got.check('metrics').evidence, /with \d+ lines, among them ledger_write_latency_seconds/);
	assert.match(got.check('dashboards').evidence, /^1 in folder "Findings Ledger"$/);
	assert.match(got.check('backups').evidence, /ledger-20261201\.dump, 1\.0 h old, at most 26\.0 h are wanted; 4 bytes/);
	assert.match(got.check('restore tested').evidence, /1\.0 days old/);
	assert.match(got.check('space').evidence, /GB are free, wanted: [\d.]+ GB for 0 days \(\d+ bytes an event, [\d.]+ events\/s since the first\)/);
	assert.equal(token, 'Bearer glsa_secret');
	assert.doesNotMatch(JSON.stringify(got), /glsa_secret/);
});

test('the address of health and metrics alone', async () => {
	const got = await run(['--gateway', 'http://127.0.0.1:1', '--admin', `http://127.0.0.1:${gateway.adminPort}/`]);
	assert.equal(got.code, 0, got.stderr);
	assert.equal(got.check('metrics').verdict, 'ok');
});

const fails = (name, check, pattern, args, env) => test(name, async () => {
	const got = await run(typeof args === 'function' ? args() : args, env);
	assert.equal(got.code, 3, got.stderr);
	assert.equal(got.check(check).verdict, 'fail');
	assert.match(got.check(check).evidence, pattern);
	assert.ok(got.check(check).hint.length > 10);
	assert.match(got.stderr, new RegExp(`not as it must be: .*${check}`));
});

fails('no gateway', 'health', /^no answer from http:\/\/127\.0\.0\.1:1\/health\/ready/, ['--gateway', 'http://user:s3cret@127.0.0.1:1']);
fails('something else answers', 'metrics', /answers 200 with 0 lines, but not with ledger_write_latency_seconds/, () => ['--gateway', url]);
fails('Grafana without the folder', 'dashboards', /^0 in folder/, () => { answer = { status: 200, body: '[{"folderTitle":"Ledger"},7]' }; return ['--grafana', url]; });
fails('Grafana that answers no JSON', 'dashboards', /^0 in folder/, () => { answer = { status: 200, body: '<html>' }; return ['--grafana', url]; });
fails('Grafana that wants a token', 'dashboards', /^Grafana answers 401$/, () => { answer = { status: 401, body: '{}' }; return ['--grafana', url]; });
fails('provisioning without a provider', 'dashboards', /^1 dashboards of the ledger, no provider/,
	() => { file('grafana/writer.json', '{"panels":[{"expr":"ledger_chains"}]}'); return ['--grafana', join(dir, 'grafana')]; });
fails('a backup that is too old', 'backups', /manifest\.json, 30\.0 h old/,
	() => { file('late/1/manifest.json', '{}', 30 * HOUR); file('late/2/manifest.json', '{}', 40 * HOUR); return ['--backup-dir', join(dir, 'late')]; });
fails('an empty backup', 'backups', /; 0 bytes$/, () => { file('empty/x.dump', ''); return ['--backup-dir', join(dir, 'empty')]; });
fails('no backup', 'backups', /^no backup in /, () => { file('none/README'); return ['--backup-dir', join(dir, 'none')]; });
fails('no directory of backups', 'backups', /No such file/, ['--backup-dir', '/nowhere']);
fails('a restore that was rehearsed long ago', 'restore tested', /100\.0 days old, at most 92\.0/, () => ['--restore-report', file('old.json', '{}', 2400 * HOUR)]);
fails('no snapshot', 'offline snapshot', /^no metrics\.tar\.gz in /, () => ['--offline-kit', join(dir, 'none')]);
fails('no directory of data', 'space', /^\/nowhere: No such file/, ['--data-dir', '/nowhere']);
fails('not enough space', 'space', /GB are free, wanted: [\d.]+ GB for 3650 days/, ['--data-dir', '/dev/shm', '--horizon', '3650d']);

test('provisioning with a provider', async () => {
	file('grafana2/writer.json', '{"panels":[{"expr":"ledger_chains"}]}');
	file('grafana2/providers/ledger.yaml', 'providers:\n  - folder: Findings Ledger\n');
	assert.equal((await run(['--grafana', join(dir, 'grafana2')])).check('dashboards').verdict, 'ok');
});

test('a chain that waits too long for its anchor', async () => {
	const tenant = await newTenant('late');
	await sql(`SELECT ledger.ledger_set_anchoring('${tenant}', NULL, '0.1 seconds', '0.1 seconds')`);
	await append(tenant);
	const got = await waitFor(async () => {
		const now = await run([]);
		return now.code !== 0 && now;
	}, { what: 'a late anchor' });
	assert.equal(got.code, 3);
	assert.match(got.check('anchors').evidence, /chains that wait for an anchor: 1, the longest for \d+ s$/);
	await sql('SELECT ledger.ledger_anchor_tick(NULL, true)');
});

test('wrong use', async () => {
	for (const args of [['--max-age', '26'], ['--horizon', 'x'], ['--max-restore-age', '']]) {
		const got = await run(args);
		assert.equal(got.code, 1);
		assert.match(got.stderr, new RegExp(`${args[0]} must be a time like`));
	}
});
