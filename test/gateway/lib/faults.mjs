// Errors that the database raises because a test says so, at a place and as often as it says.
//
//     const fault = await failing({ table: 'findings_projection', when: "new.finding_id = 'f-1'", state: '40001', times: 2 });
//     …
//     await fault.count()        how often a row came by there, failures and all
//     await fault.remove()
//
// table      of the ledger; the error comes with a row that is inserted
// times      then it passes (Infinity: never)
// at         'row', or 'commit': a deferred constraint
//
// failingReads({ table, … }) does it to slow routes that read a row of it, that often in each session.
import { after } from 'node:test';
import { randomBytes } from 'node:crypto';
import { sql } from './cluster.mjs';

// A test that failed has not removed its own.
const standing = new Set();
after(() => Promise.all([...standing].map((fault) => fault.remove())));

function standingFault(fault, removal) {
	standing.add(fault);
	fault.remove = async () => {
		if (standing.delete(fault)) await sql(removal);
	};
	return fault;
}

export async function failing({ table, when = 'true', state, times = 1, at = 'row' }) {
	const name = `fault_${randomBytes(4).toString('hex')}`;
	const kind = at === 'commit' ? ['CONSTRAINT TRIGGER', 'AFTER', 'DEFERRABLE INITIALLY DEFERRED'] : ['TRIGGER', 'BEFORE', ''];
	// A sequence counts what is rolled back, too.
	await sql(`CREATE SEQUENCE public.${name};
		CREATE FUNCTION public.${name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
		BEGIN
			IF nextval('public.${name}') <= ${times === Infinity ? 'bigint \'9223372036854775807\'' : times} THEN
				RAISE EXCEPTION 'as the test said' USING ERRCODE = '${state}';
			END IF;
			RETURN new;
		END $$;
		CREATE ${kind[0]} ${name} ${kind[1]} INSERT ON ledger.${table} ${kind[2]} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION public.${name}()`);
	return standingFault({
		count: async () => Number(await sql(`SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM public.${name}`)),
	}, `DROP TRIGGER ${name} ON ledger.${table}; DROP FUNCTION public.${name}(); DROP SEQUENCE public.${name}`);
}

// Reads are in read-only transactions, where a session may still take locks, which outlive an error.
export async function failingReads({ table, when = 'true', state, times = 1 }) {
	const number = randomBytes(3).readUIntBE(0, 3);
	const name = `fault_${number}`;
	await sql(`CREATE FUNCTION public.${name}() RETURNS boolean LANGUAGE plpgsql AS $$
		DECLARE
			v_before bigint := (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = ${number} AND pid = pg_backend_pid());
		BEGIN
			IF v_before < ${times} AND current_setting('application_name') LIKE '% slow' THEN
				PERFORM pg_advisory_lock(${number}, v_before::integer + 1);
				RAISE EXCEPTION 'as the test said' USING ERRCODE = '${state}';
			END IF;
			RETURN true;
		END $$;
		CREATE POLICY ${name} ON ledger.${table} AS RESTRICTIVE FOR SELECT USING (NOT (${when}) OR public.${name}())`);
	return standingFault({
		count: async () => Number(await sql(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = ${number}`)),
	}, `DROP POLICY ${name} ON ledger.${table}; DROP FUNCTION public.${name}()`);
}
