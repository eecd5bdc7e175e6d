-- Facts about the schema that hold on every installation.
BEGIN;
SELECT plan(6);

SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc p
	WHERE p.pronamespace = 'ledger'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL
$$, 'every function has a comment');
SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_class c
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		AND obj_description(c.oid, 'pg_class') IS NULL
$$, 'every table has a comment');
SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_class c
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p')
		AND c.relowner <> 'ledger_owner'::regrole
$$, 'every table belongs to ledger_owner');
SELECT is((SELECT rolcanlogin FROM pg_roles WHERE rolname = 'ledger_owner'), false, 'nobody logs in as the owner');
SELECT is_empty($$
	SELECT t.leaf, g.name FROM ledger.ledger_tenants t,
		(VALUES ('zzzz_ledger_link'), ('ledger_refuse_row'), ('ledger_refuse_direct'), ('ledger_refuse_truncate')) g (name)
	WHERE NOT EXISTS (SELECT FROM pg_trigger x WHERE x.tgrelid = format('ledger.%I', t.leaf)::regclass
		AND x.tgname = g.name AND x.tgenabled = 'A')
$$, 'every leaf has its guards, enabled always');
SELECT is_empty($$
	SELECT c.relname FROM pg_class c, aclexplode(c.relacl) a
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relispartition AND c.relkind = 'r' AND a.grantee <> c.relowner
$$, 'no leaf is granted to anyone');

SELECT * FROM finish();
ROLLBACK;
