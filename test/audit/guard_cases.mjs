// Each guard taken away or weakened in turn (guards.sql makes them).
const missing = (tenant) => [`${tenant === undefined ? '' : tenant + ' '}- guard_missing`];
const acme = 'ledger.ledger_events_acme';
// Tables beside the events: the triggers of each, and what a trigger on updates lets through.
const appendOnly = ['ledger_refuse_row', 'ledger_refuse_statement'];
const additive = ['ledger_refuse_row', 'ledger_refuse_delete', 'ledger_refuse_statement'];
const others = [
	...['ledger_merkle_tiles', 'ledger_anchor_receipts', 'ledger_verification_marks', 'ledger_access_log'].map((table) => ({ table, triggers: appendOnly })),
	{ table: 'ledger_merkle_roots', triggers: additive, lets: 'ledger_anchor_only_adds' },
	{ table: 'ledger_keys', triggers: additive, lets: 'ledger_key_only_ends' },
	{ table: 'ledger_key_ranges', triggers: additive, lets: 'ledger_range_only_narrows' },
	{ table: 'ledger_settings', triggers: additive, lets: 'ledger_origin_stays' },
	{ table: 'ledger_attachments', triggers: additive, lets: 'ledger_attachment_only_rewraps' },
];

export const cases = [
	{ name: 'all guards are there', sql: '', expect: [] },
	...['zzzz_ledger_link', 'ledger_refuse_row', 'ledger_refuse_statement', 'ledger_project'].map((trigger) => ({
		name: `${trigger} not always on the parent`, expect: missing(),
		sql: `ALTER TABLE ONLY ledger.ledger_events ENABLE TRIGGER ${trigger};` })),
	...['zzzz_ledger_link', 'ledger_refuse_row', 'ledger_refuse_direct', 'ledger_refuse_truncate'].flatMap((trigger) => [
		{ name: `${trigger} off on a leaf`, sql: `ALTER TABLE ${acme} DISABLE TRIGGER ${trigger};`, expect: missing('acme') },
		{ name: `${trigger} not always on a leaf`, sql: `ALTER TABLE ${acme} ENABLE TRIGGER ${trigger};`, expect: missing('acme') }]),
	{ name: 'a partition that no tenant names', expect: missing(),
		sql: `CREATE TABLE ledger.extra PARTITION OF ledger.ledger_events FOR VALUES IN ('extra'); ALTER TABLE ledger.extra OWNER TO ledger_owner;` },
	{ name: 'a default partition', expect: missing(),
		sql: `CREATE TABLE ledger.extra PARTITION OF ledger.ledger_events DEFAULT; ALTER TABLE ledger.extra OWNER TO ledger_owner;` },
	{ name: 'a tenant forgotten, and its leaf unguarded', expect: missing(),
		sql: `SET LOCAL session_replication_role = replica; DELETE FROM ledger.ledger_tenants WHERE tenant_id = 'acme'; ALTER TABLE ${acme} DISABLE TRIGGER USER;` },
	{ name: 'a trigger dropped from a leaf', sql: `DROP TRIGGER ledger_refuse_truncate ON ${acme};`, expect: missing('acme') },
	{ name: 'a trigger dropped from the parent', sql: 'DROP TRIGGER ledger_project ON ledger.ledger_events;', expect: missing() },
	{ name: 'a trigger that calls something else', expect: missing(),
		sql: `CREATE FUNCTION public.ledger_project() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
			DROP TRIGGER ledger_project ON ledger.ledger_events;
			CREATE TRIGGER ledger_project AFTER INSERT ON ledger.ledger_events FOR EACH STATEMENT EXECUTE FUNCTION public.ledger_project();
			ALTER TABLE ledger.ledger_events ENABLE ALWAYS TRIGGER ledger_project;` },
	{ name: 'a trigger with a condition', expect: missing('acme'),
		sql: `DROP TRIGGER ledger_refuse_truncate ON ${acme};
			CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ${acme} FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION ledger.ledger_refuse_change();
			ALTER TABLE ${acme} ENABLE ALWAYS TRIGGER ledger_refuse_truncate;` },
	{ name: 'a trigger for fewer statements', expect: missing('acme'),
		sql: `DROP TRIGGER ledger_refuse_direct ON ${acme};
			CREATE TRIGGER ledger_refuse_direct BEFORE INSERT ON ${acme} FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_direct();
			ALTER TABLE ${acme} ENABLE ALWAYS TRIGGER ledger_refuse_direct;` },
	{ name: 'the vocabulary unguarded', sql: 'ALTER TABLE ledger.ledger_event_types DISABLE TRIGGER ledger_refuse_statement;', expect: missing() },
	...['ledger_refuse_row', 'ledger_refuse_statement'].map((trigger) => ({ name: `the record of migrations without ${trigger}`,
		sql: `DROP TRIGGER ${trigger} ON ledger.ledger_schema_migrations;`, expect: missing() })),
	...others.flatMap(({ table, triggers, lets }) => [
		...triggers.flatMap((trigger) => [
			{ name: `${table} without ${trigger}`, sql: `DROP TRIGGER ${trigger} ON ledger.${table};`, expect: missing() },
			{ name: `${trigger} of ${table} not always`, sql: `ALTER TABLE ledger.${table} ENABLE TRIGGER ${trigger};`, expect: missing() }]),
		{ name: `${table} with a foreign trigger`, expect: missing(),
			sql: `CREATE TRIGGER later BEFORE INSERT ON ledger.${table} FOR EACH ROW EXECUTE FUNCTION ledger.ledger_link();` },
		...(lets ? [`false`, `NOT ledger.${lets}(new.*, old.*)`, `NOT ledger.${lets}(old.*, new.*) AND false`] : []).map((condition) => (
			{ name: `${table} refuses updates only when ${condition}`, expect: missing(),
				sql: `DROP TRIGGER ledger_refuse_row ON ledger.${table};
					CREATE TRIGGER ledger_refuse_row BEFORE UPDATE ON ledger.${table} FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION ledger.ledger_refuse_change();
					ALTER TABLE ledger.${table} ENABLE ALWAYS TRIGGER ledger_refuse_row;` }))]),
	{ name: 'a foreign trigger', expect: missing('acme'),
		sql: `CREATE TRIGGER later BEFORE INSERT ON ${acme} FOR EACH ROW EXECUTE FUNCTION ledger.ledger_link();` },
	{ name: 'a foreign rule', expect: missing('acme'), sql: `CREATE RULE quiet AS ON DELETE TO ${acme} DO INSTEAD NOTHING;` },
	{ name: 'a leaf detached', expect: [...missing('acme'), ...missing('acme'), ...missing('acme'),
		'acme a - missing_chain', 'acme b - missing_chain'],
		sql: `ALTER TABLE ledger.ledger_events DETACH PARTITION ${acme};` },
	...['ledger_events', 'findings_projection', 'finding_history', 'triage_actions', 'ledger_chains', 'ledger_merkle_roots', 'ledger_merkle_tiles',
		'ledger_merkle_edge', 'ledger_key_ranges', 'ledger_anchor_receipts', 'ledger_anchor_stats', 'ledger_verification_marks',
		'ledger_access_log', 'ledger_attachments', 'ledger_projection_stats'].flatMap((table) => [
		{ name: `row security of ${table} off`, sql: `ALTER TABLE ledger.${table} DISABLE ROW LEVEL SECURITY;`, expect: missing() },
		{ name: `row security of ${table} not forced`, sql: `ALTER TABLE ledger.${table} NO FORCE ROW LEVEL SECURITY;`, expect: missing() }]),
	{ name: 'primary key dropped', sql: 'ALTER TABLE ledger.ledger_events DROP CONSTRAINT ledger_events_pkey;',
		expect: [...missing('acme'), ...missing('globex')] },
	{ name: 'another owner of a leaf', sql: `ALTER TABLE ${acme} OWNER TO postgres;`, expect: missing('acme') },
	{ name: 'another owner of a table', sql: 'ALTER TABLE ledger.ledger_event_types OWNER TO postgres;', expect: missing() },
	{ name: 'the owner may log in', sql: 'ALTER ROLE ledger_owner LOGIN;', expect: missing() },
	...['ledger_guard_start', 'ledger_guard_ddl_end', 'ledger_guard_drop', 'ledger_guard_rewrite'].flatMap((trigger) => [
		{ name: `${trigger} off`, sql: `ALTER EVENT TRIGGER ${trigger} DISABLE;`, expect: missing() },
		{ name: `${trigger} dropped`, sql: `DROP EVENT TRIGGER ${trigger};`, expect: missing() }]),
	{ name: 'an event trigger that runs something else', expect: missing(),
		sql: `CREATE FUNCTION public.ledger_guard_drop() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
			DROP EVENT TRIGGER ledger_guard_drop; CREATE EVENT TRIGGER ledger_guard_drop ON sql_drop EXECUTE FUNCTION public.ledger_guard_drop();
			ALTER EVENT TRIGGER ledger_guard_drop ENABLE ALWAYS;` },
	{ name: 'the owner bypasses row security', sql: 'ALTER ROLE ledger_owner BYPASSRLS;', expect: missing() },
	{ name: 'the leaf of a tenant dropped', sql: `DROP TABLE ${acme};`, expect: [...missing('acme'), 'acme a - missing_chain', 'acme b - missing_chain'] },
	{ name: 'a default partition', sql: 'CREATE TABLE ledger.other PARTITION OF ledger.ledger_events DEFAULT; ALTER TABLE ledger.other OWNER TO ledger_owner;', expect: missing() },
	{ name: 'a partition of no tenant', expect: missing(),
		sql: `CREATE TABLE public.elsewhere PARTITION OF ledger.ledger_events FOR VALUES IN ('initech');` },
	{ name: 'guards are left out for one tenant', sql: `ALTER TABLE ${acme} DISABLE TRIGGER ledger_refuse_direct;`, call: `'acme'`, expect: [] },
];
