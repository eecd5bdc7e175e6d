// The database of the suite, and what tests ask it by psql.
//
// test/suites/46-gateway.sh starts one throw-away cluster a run, also for a single file:
//
//     test/run gateway            all files of test/gateway
//     test/run gateway append     one
//
// For quick rounds against a cluster that stays: GATEWAY_TEST_DSN="$(deploy/dev/cluster.sh dsn)"
// node --test test/gateway/append.mjs (a superuser's DSN of a migrated database).
//
// There are tenants acme and globex; a test that counts or fills makes one of its own by
// newTenant().  The gateway logs in as gateway_login.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

export const superuser = process.env.GATEWAY_TEST_DSN;
if (!superuser) throw new Error('no GATEWAY_TEST_DSN: run this file as test/run gateway NAME');

const { hostname, port, pathname } = new URL(superuser);
export const database = { host: hostname, port: Number(port), name: pathname.slice(1), user: 'gateway_login' };
export const dsn = `postgresql://${database.user}@${database.host}:${database.port}/${database.name}`;

// Runs statements and gives what psql prints, rows as lines, columns separated by |.
// vars are psql variables: sql("SELECT :'name'", { vars: { name: "it's" } }).
export async function sql(text, { as = superuser, vars = {} } = {}) {
	const args = ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-d', as];
	for (const [name, value] of Object.entries(vars)) args.push('-v', `${name}=${value}`);
	const child = run('psql', args, {
		maxBuffer: 256 * 1024 * 1024, env: { ...process.env, PGCLIENTENCODING: 'UTF8', PGOPTIONS: '-c client_min_messages=warning' },
	});
	child.child.stdin.on('error', () => {});
	child.child.stdin.end(text);
	return (await child).stdout.replace(/\n$/, '');
}

// The rows of one query as objects.
export async function rows(query, options) {
	return JSON.parse(await sql(`SELECT coalesce(json_agg(t), '[]') FROM (${query}) AS t`, options));
}

// cluster('stop'), cluster('start'): PostgreSQL goes and comes back, with the same port.
export async function cluster(command) {
	await run(`${root}/deploy/dev/cluster.sh`, [command]);
}

// A tenant that nobody else uses, granted to the gateway's login.
export async function newTenant(prefix = 't') {
	const tenant = `${prefix}-${randomBytes(5).toString('hex')}`;
	await sql("SELECT ledger.ledger_create_tenant(:'t'); SELECT ledger.ledger_grant_tenant('gateway_login', :'t')", { vars: { t: tenant } });
	return tenant;
}

// Changes a guarded table behind the ledger's back, as a superuser can: guards off, the
// statement, guards on again (every one of ours is ENABLE ALWAYS).
export async function tamper(table, statement, options) {
	return sql(`BEGIN;
		SET LOCAL session_replication_role = replica;
		SET LOCAL client_min_messages = error;
		ALTER TABLE ledger.${table} DISABLE TRIGGER USER;
		${statement};
		DO $$
		DECLARE
			v_off record;
		BEGIN
			FOR v_off IN SELECT t.tgrelid::regclass AS relation, t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
				WHERE c.relnamespace = 'ledger'::regnamespace AND t.tgenabled = 'D' AND NOT t.tgisinternal
			LOOP
				EXECUTE format('ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER %I', v_off.relation, v_off.tgname);
			END LOOP;
		END
		$$;
		COMMIT`, options);
}

// Ends every backend of the gateway's login, as an administrator might; how many there were.
export async function killBackends() {
	return Number(await sql(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '${database.user}'`));
}

// The suite has done this; by hand it is done here.
if (!process.env.GATEWAY_TEST_DIR) await run('psql', ['-Xq', '-v', 'ON_ERROR_STOP=1', '-d', superuser, '-f', `${root}/test/gateway/lib/prepare.sql`]);
