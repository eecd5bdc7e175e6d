// What the gateway does by the clock: anchoring with a real key, maintenance, several gateways.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { anEvent, dsn, file, newTenant, root, rows, sql, startGateway, waitFor, work } from './lib/gateway.mjs';

const run = promisify(execFile);
const ledgerctl = (...args) => run(`${root}/gateway/bin/ledgerctl`, args, { env: { PATH: process.env.PATH } });

let key;
let publicKey;
before(async () => {
	// One key for all: more signers than one is another matter.
	const origin = await sql('SELECT origin FROM ledger.ledger_settings');
	key = join(work, 'log.key');
	publicKey = (await ledgerctl('keygen', '--name', origin, '--out', key)).stdout.trim();
	await sql("SELECT ledger.ledger_register_key(:'k')", { vars: { k: publicKey } });
});

let states = 0;
function ticking(over = {}) {
	const state = join(work, `state-${++states}`);
	mkdirSync(state);
	return startGateway({
		env: {
			LEDGER__TICKS__ENABLED: 'true', LEDGER__TICKS__ANCHORINTERVAL: '200ms', LEDGER__TICKS__MAINTENANCEINTERVAL: '300ms',
			LEDGER__MERKLE__WINDOWDURATION: '1s', LEDGER__MERKLE__SIGNINGKEY_FILE: key, LEDGER__MERKLE__STATEDIR: state, ...over,
		},
	});
}
const append = (gateway, tenant) => gateway.api('/v1/ledger/events', { method: 'POST', tenant, body: anEvent() });
const anchors = (tenant) => rows(`SELECT chain_id, tree_size, sequence_start, anchor_reference, strpos(checkpoint, E'\\n\\n') > 0 AS signed
	FROM ledger.ledger_merkle_roots WHERE tenant_id = '${tenant}' ORDER BY chain_id, tree_size`);
const sample = async (gateway, name, labels) => {
	const text = (await gateway.admin('/metrics')).text;
	const line = text.split('\n').find((l) => l.startsWith(`${name}{`) && labels.every((label) => l.includes(label)));
	return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
};
const failures = (gateway, tick = 'anchor') => sample(gateway, 'ledger_tick_failures_total', [`tick="${tick}"`]);

test('events are anchored and signed, and ledgerctl verifies what was signed', async () => {
	const tenant = await newTenant('tick');
	const worm = join(work, 'worm');
	mkdirSync(worm);
	const gateway = await ticking({
		LEDGER__EXTERNALANCHORING__ENABLED: 'true', LEDGER__EXTERNALANCHORING__WORM: 'required', LEDGER__EXTERNALANCHORING__WORMDIR: worm,
	});
	try {
		await gateway.ready();
		for (let i = 0; i < 3; i++) assert.equal((await append(gateway, tenant)).status, 201);
		await waitFor(async () => {
			const found = await anchors(tenant);
			return found.at(-1)?.tree_size === 3 && found.at(-1).signed && found.at(-1).anchor_reference;
		}, { what: 'a signed and published anchor of three events' });
		// What left the database, by the program that needs no database.
		const one = join(work, 'worm-of-one');
		cpSync(join(worm, tenant), join(one, tenant), { recursive: true });
		const { stdout } = await ledgerctl('verify-checkpoints', one, '--key', file('log.pub', `${publicKey}\n`));
		assert.match(stdout, /anchor/);
		await ledgerctl('verify', '--connection', dsn, '--tenant', tenant);
		assert.equal(await failures(gateway), 0);
		assert.ok(await sample(gateway, 'ledger_tick_runs_total', ['tick="anchor"']) > 0);
		const last = await sample(gateway, 'ledger_tick_last_success_timestamp_seconds', ['tick="anchor"']);
		assert.ok(Math.abs(last - Date.now() / 1000) < 60);
		// The key itself is nowhere in the log.
		const secret = readFileSync(key, 'utf8').trim();
		assert.ok(!gateway.stdout.join('\n').includes(secret.split('+').at(-1)));
	} finally {
		await gateway.stop();
	}
});

test('maintenance is done, and counted', async () => {
	const gateway = await ticking();
	try {
		await waitFor(async () => await sample(gateway, 'ledger_tick_runs_total', ['tick="maintenance"']) > 1, { what: 'two runs of maintenance' });
		assert.equal(await failures(gateway, 'maintenance'), 0);
		assert.equal(await failures(gateway, 'rewrap'), 0);
	} finally {
		await gateway.stop();
	}
});

test('without a key the roots are made, unsigned', async () => {
	const tenant = await newTenant('keyless');
	const gateway = await ticking({ LEDGER__MERKLE__SIGNINGKEY_FILE: '' });
	try {
		await append(gateway, tenant);
		const found = await waitFor(async () => {
			const now = await anchors(tenant);
			return now.length > 0 && now;
		}, { what: 'an anchor' });
		assert.equal(found.length, 1);
		assert.equal(found[0].signed, false);
		assert.equal(await failures(gateway), 0);
	} finally {
		await gateway.stop();
	}
});

test('two gateways: each event is anchored once, nothing fails', async () => {
	const tenants = [await newTenant('two'), await newTenant('two')];
	const state = join(work, 'state-of-two');
	mkdirSync(state);
	const pair = await Promise.all([1, 2].map(() => ticking({ LEDGER__MERKLE__STATEDIR: state, LEDGER__TICKS__ANCHORINTERVAL: '100ms' })));
	try {
		const events = 40;
		for (let i = 0; i < events; i++) {
			assert.equal((await append(pair[i % 2], tenants[i % 2])).status, 201);
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
		for (const tenant of tenants) {
			const found = await waitFor(async () => {
				const now = await anchors(tenant);
				return now.at(-1)?.tree_size === events / 2 && now.every((a) => a.signed) && now;
			}, { what: 'all events anchored and signed' });
			assert.ok(found.length >= 2);
			found.forEach((anchor, i) => assert.equal(anchor.sequence_start, (found[i - 1]?.tree_size ?? 0) + 1));
		}
		for (const gateway of pair) {
			assert.deepEqual(gateway.log.filter((line) => line.event === 'tick.failed'), []);
			for (const tick of ['anchor', 'maintenance', 'rewrap']) assert.equal(await failures(gateway, tick), 0, tick);
		}
		const failed = await rows(`SELECT failures FROM ledger.ledger_anchor_stats WHERE tenant_id IN ('${tenants.join("','")}')`);
		for (const row of failed) assert.deepEqual(row.failures, {});
	} finally {
		await Promise.all(pair.map((gateway) => gateway.stop()));
	}
});

test('a required external anchor that fails: counted, told once, tried again', async () => {
	const tenant = await newTenant('required');
	const ca = join(work, 'tsa-ca.pem');
	await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=tsa', '-days', '2', '-keyout', join(work, 'tsa.key'), '-out', ca]);
	const gateway = await ticking({
		LEDGER__EXTERNALANCHORING__ENABLED: 'true', LEDGER__EXTERNALANCHORING__TSA: 'required', LEDGER__EXTERNALANCHORING__TSAURL: 'http://127.0.0.1:1/tsa',
		LEDGER__EXTERNALANCHORING__TSACAFILE: ca,
	});
	try {
		await append(gateway, tenant);
		await waitFor(async () => await failures(gateway) >= 2, { what: 'two ticks that failed' });
		assert.equal(gateway.log.filter((line) => line.event === 'tick.failed').length, 1);
		assert.ok(gateway.log.some((line) => line.event === 'anchor.signer'));
		// An authority that is down is asked once a round, so it is the first tenant's alarm.
		await waitFor(async () => await sample(gateway, 'ledger_merkle_anchor_failures_total', ['reason="required_tsa"']) > 0,
			{ what: 'the reason in the metrics' });
	} finally {
		await gateway.stop();
	}
});

test('a backlog over half of the quota is anchored at once, however long the interval', async () => {
	const tenant = await newTenant('soon');
	const gateway = await ticking({
		LEDGER__TICKS__ANCHORINTERVAL: '1h', LEDGER__MERKLE__WINDOWDURATION: '1h', LEDGER__QUOTA__BACKLOG: '10', LEDGER__MERKLE__SIGNINGKEY_FILE: '',
	});
	try {
		await gateway.ready();
		for (let i = 0; i < 7; i++) assert.equal((await append(gateway, tenant)).status, 201);
		await waitFor(async () => (await anchors(tenant)).length > 0, { what: 'an early anchor' });
	} finally {
		await gateway.stop();
	}
});

// A stand-in for ledgerctl, to see how it is run.
const script = (name, text) => file(name, `#!/bin/sh\n${text}\n`, 0o700);

test('the child gets what it needs and no more', async () => {
	const out = join(work, 'child.txt');
	const gateway = await ticking({
		LEDGER__TICKS__LEDGERCTL: script('look', `{ echo "$0 $*"; env; ls -l /proc/$$/fd; cat /proc/self/status; cat; echo; echo end; } > ${out}.part; mv ${out}.part ${out}`),
	});
	try {
		const seen = await waitFor(() => readFileSync(out, 'utf8'), { what: 'what the child saw' });
		assert.match(seen, /^LEDGER__MERKLE__SIGNINGKEY_FILE=/m);
		assert.match(seen, /^LEDGER__DB__CONNECTIONSTRING=/m);
		for (const secret of ['ATTACHMENTS__ENCRYPTIONKEY', 'HTTP__CURSORKEY', 'AUTH__JWKS']) assert.ok(!seen.includes(secret), secret);
		assert.match(seen, /0 -> \/dev\/null/);
		assert.ok(!/socket:|anon_inode/.test(seen), seen);
		assert.match(seen, /^SigBlk:\t0+$/m);
		// But for the two that libc keeps for itself.
		assert.equal(BigInt(`0x${/^SigIgn:\t(\w+)$/m.exec(seen)[1]}`) & ~0x180000000n, 0n);
	} finally {
		await gateway.stop();
	}
});

test('stopping waits for the child', async () => {
	const out = join(work, 'waited.txt');
	const gateway = await ticking({ LEDGER__TICKS__LEDGERCTL: script('slow', `echo begun > ${out}; sleep 1.5; echo ended >> ${out}`) });
	await waitFor(() => readFileSync(out, 'utf8'), { what: 'the child' });
	await gateway.stop();
	assert.match(readFileSync(out, 'utf8'), /ended/);
});

test('and not for ever: one that does not end is ended, with what it started', async () => {
	const out = join(work, 'pids.txt');
	const gateway = await ticking({
		LEDGER__HTTP__DRAINTIMEOUT: '1s', LEDGER__TICKS__LEDGERCTL: script('stuck', `trap '' TERM; sleep 300 & echo $$ $! > ${out}; wait; sleep 300`),
	});
	const pids = (await waitFor(() => readFileSync(out, 'utf8').trim(), { what: 'the child' })).split(' ').map(Number);
	const begun = Date.now();
	await gateway.stop();
	assert.ok(Date.now() - begun < 15_000);
	const alive = (pid) => { try { return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')); } catch { return false; } };
	await waitFor(() => !pids.some(alive), { what: 'the end of both' });
});

test('a program that is not there: told once, counted, and the gateway serves', async () => {
	const gateway = await ticking({ LEDGER__TICKS__LEDGERCTL: '/nowhere/ledgerctl' });
	try {
		await waitFor(async () => await failures(gateway) >= 3, { what: 'three failures' });
		const told = gateway.log.filter((line) => line.event === 'tick.failed');
		assert.equal(told.length, 1);
		assert.match(told[0].message, /\/nowhere\/ledgerctl/);
		await gateway.ready();
	} finally {
		await gateway.stop();
	}
});

test('a signer that refuses is a failure, with its words in the log', async () => {
	const gateway = await ticking({ LEDGER__TICKS__LEDGERCTL: script('refuses', 'echo "ledgerctl: refused to sign acme/1: \\"x\\"" >&2; exit 3') });
	try {
		const line = await gateway.line((l) => l.event === 'anchor.signer' && /refused to sign/.test(l.message));
		assert.equal(line.message, 'ledgerctl: refused to sign acme/1: "x"');
		assert.match((await gateway.line({ event: 'tick.failed' })).message, /refused to sign a chain/);
	} finally {
		await gateway.stop();
	}
});
