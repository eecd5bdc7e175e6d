// A hot standby of the suite's cluster, and what becomes of it when it is promoted:
//
//     const standby = await replica();         a copy that follows; {host, port} as relay's lead() takes them
//     await standby.caughtUp()                 it has replayed what the primary had written when this was called
//     await standby.promote()                  takes writes from now on
//     await standby.destroy()
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { database, root, sql, superuser } from './cluster.mjs';
import { waitFor } from './wait.mjs';

// As the server's user, whom a directory of root's would keep out: so it has one of its own.
const asServer = async (script, ...args) => (await promisify(execFile)('bash', ['-euc',
	`. "${root}/deploy/dev/common.sh"; ${script}`, 'replica', ...args])).stdout.trim();

async function freePort() {
	const server = createServer();
	await new Promise((done) => { server.listen(0, database.host, done); });
	const { port } = server.address();
	await new Promise((done) => { server.close(done); });
	return port;
}

export async function replica() {
	const port = await freePort();
	const directory = await asServer('as_server mktemp -d /var/tmp/ledger-replica-XXXXXXXX');
	const destroy = () => asServer('as_server pg_ctl stop -D "$1/data" -m immediate >/dev/null || true; rm -rf "$1"', directory);
	const url = new URL(superuser);
	url.port = port;
	const there = (text) => sql(text, { as: url.href });
	try {
		await asServer('as_server pg_basebackup -d "$2" -D "$1/data" -R -c fast -X stream', directory, superuser);
		await asServer(`as_server pg_ctl start -w -D "$1/data" -l "$1/log" -o "-p $2 -c unix_socket_directories=$1" >/dev/null`,
			directory, String(port));
	} catch (error) {
		await destroy();
		throw error;
	}
	return {
		host: database.host, port, destroy,
		caughtUp: async () => {
			const written = await sql('SELECT pg_current_wal_lsn()');
			await waitFor(async () => await there(`SELECT pg_last_wal_replay_lsn() >= '${written}'`) === 't', { what: 'the standby to catch up' });
		},
		promote: () => there('SELECT pg_promote()'),
	};
}
