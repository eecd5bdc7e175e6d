// How the gateway starts, is told things, and ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProgram, startGateway } from './lib/gateway.mjs';

test('it starts, says so, and ends with status 0 at SIGTERM', async () => {
	const gateway = await startGateway();
	const [line] = gateway.log;
	assert.match(line.message, /Ledger started/);
	assert.equal(line.pid, gateway.pid);
	assert.match(line.version, /^\d+\.\d+/);
	assert.match(line.listen, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
	assert.match(line.admin, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
	await gateway.stop();
	assert.match(gateway.log.at(-1).message, /stopped/);
});

test('--version and --help', async () => {
	const version = await runProgram(['--version']);
	assert.match(version.stdout, /^ledger-gateway \d+\.\d+\n$/);
	assert.equal(version.code, 0);
	assert.match((await runProgram(['--help'])).stdout, /^usage: ledger-gateway /);
});
