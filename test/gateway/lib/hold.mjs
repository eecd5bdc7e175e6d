// A transaction of somebody else that stays open: what it locked stays locked.
//
//     const lock = await hold("SELECT …");
//     …
//     await lock.release();            // ROLLBACK, and the session ends
import { spawn } from 'node:child_process';
import { superuser } from './cluster.mjs';

export async function hold(statements) {
	const psql = spawn('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', superuser], { stdio: ['pipe', 'pipe', 'pipe'] });
	const ended = new Promise((resolve) => psql.on('close', resolve));
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
