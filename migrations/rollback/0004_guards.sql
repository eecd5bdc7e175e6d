-- runs as: superuser
-- Undoes 0004_guards.sql: triggers, partitions, tenants, the first rows, policies and
-- grants.  By the catalogs, not by lists: it holds for whatever the file makes.

-- Partitions of time with their registration, and the leaves of all tenants.
DO $$
DECLARE
	v_table regclass;
BEGIN
	FOR v_table IN
		SELECT i.inhrelid FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhparent
		WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind = 'p'
	LOOP
		EXECUTE format('DROP TABLE %s', v_table);
	END LOOP;
	FOR v_table IN
		SELECT to_regclass(c.template_table) FROM partman.part_config AS c
		WHERE c.parent_table LIKE 'ledger.%' AND to_regclass(c.template_table) IS NOT NULL
	LOOP
		EXECUTE format('DROP TABLE %s', v_table);
	END LOOP;
	DELETE FROM partman.part_config WHERE parent_table LIKE 'ledger.%';
END
$$;

DO $$
DECLARE
	v_object record;
BEGIN
	FOR v_object IN
		SELECT t.tgname, t.tgrelid::regclass AS relation
		FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
		WHERE c.relnamespace = 'ledger'::regnamespace AND NOT t.tgisinternal
	LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', v_object.tgname, v_object.relation);
	END LOOP;
	FOR v_object IN
		SELECT p.polname, p.polrelid::regclass AS relation
		FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid
		WHERE c.relnamespace = 'ledger'::regnamespace
	LOOP
		EXECUTE format('DROP POLICY %I ON %s', v_object.polname, v_object.relation);
	END LOOP;
	FOR v_object IN
		SELECT c.oid::regclass AS relation FROM pg_class AS c
		WHERE c.relnamespace = 'ledger'::regnamespace AND (c.relrowsecurity OR c.relforcerowsecurity)
	LOOP
		EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', v_object.relation);
	END LOOP;
END
$$;

-- Every row but those of the record and of 0002's own.
DO $$
BEGIN
	EXECUTE (
		SELECT 'TRUNCATE ' || string_agg(c.oid::regclass::text, ', ')
		FROM pg_class AS c
		WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname NOT IN
			('ledger_schema_migrations', 'ledger_event_types', 'ledger_partition_intent', 'ledger_redaction_rules'));
END
$$;

-- Privileges as PostgreSQL gives them to whoever makes an object.
DO $$
DECLARE
	v_grant record;
BEGIN
	FOR v_grant IN
		SELECT DISTINCT c.oid::regclass AS relation, a.grantee::regrole AS grantee
		FROM pg_class AS c, aclexplode(c.relacl) AS a
		WHERE c.relnamespace = 'ledger'::regnamespace AND a.grantee NOT IN (0, c.relowner)
	LOOP
		EXECUTE format('REVOKE ALL ON %s FROM %s', v_grant.relation, v_grant.grantee);
	END LOOP;
	FOR v_grant IN
		SELECT DISTINCT p.oid::regprocedure AS routine, a.grantee::regrole AS grantee
		FROM pg_proc AS p, aclexplode(p.proacl) AS a
		WHERE p.pronamespace = 'ledger'::regnamespace AND p.proowner = 'ledger_owner'::regrole
			AND a.grantee NOT IN (0, p.proowner)
	LOOP
		EXECUTE format('REVOKE ALL ON ROUTINE %s FROM %s', v_grant.routine, v_grant.grantee);
	END LOOP;
	FOR v_grant IN
		SELECT p.oid::regprocedure AS routine FROM pg_proc AS p
		WHERE p.pronamespace = 'ledger'::regnamespace AND p.proowner = 'ledger_owner'::regrole
	LOOP
		EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC', v_grant.routine);
	END LOOP;
END
$$;
