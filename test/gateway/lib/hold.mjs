// A transaction of somebody else that stays open: what it locked stays locked.
//
//     const lock = await hold("SELECT …");
//     …
//     await lock.release();            // ROLLBACK, and the session ends
import { spawn } from 'node:child_process';
import { after } from 'node:test';
import { superuser } from './cluster.mjs';

// A test that failed has not released its own.
const sessions = new Set();
after(() => { for (const psql of sessions) psql.kill(); });

export async function hold(statements) {
	const psql = spawn('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', superuser], { stdio: ['pipe', 'pipe', 'pipe'] });
	sessions.add(psql);
	const ended = new Promise((resolve) => psql.on('close', () => { sessions.delete(psql); resolve(); }));
	let said = '';
	let error = '';
	psql.stdin.on('error', () => {});
	psql.stderr.on('data', (chunk) => { error += chunk; });
	await new Promise((resolve, reject) => {
		psql.stdout.on('data', (chunk) => {
			said += chunk;
			if (/^held$/m.test(said)) resolve();
		});
		psql.on('close', () => reject(new Error(`psql ended: ${error}`)));
		psql.stdin.write(`BEGIN;\n${statements};\n\\echo held\n`);
	});
	return {
		release: async () => {
			psql.stdin.end('ROLLBACK;\n');
			await ended;
		},
	};
}

// The lock of a chain, as an append that does not end takes it.
export const holdChain = (tenant, policy) =>
	hold(`SELECT ledger.ledger_append('${tenant}', 'finding.created', 'lock', '${policy}', 'lock')`);
