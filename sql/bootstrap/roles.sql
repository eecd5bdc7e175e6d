-- Roles of the ledger.  Roles belong to the cluster, not to the database, so
-- pg_dump does not carry them: a restore into a new cluster runs this file
-- first (or pg_dumpall --globals-only).  Needs a superuser, because of
-- BYPASSRLS.  All are NOLOGIN: a login role is made a member of what it needs.
DO $$
DECLARE
	v_role record;
BEGIN
	FOR v_role IN
		SELECT *
		FROM (VALUES
			('ledger_owner',    false, 'owns every ledger object; nobody logs in as it'),
			('ledger_reader',   false, 'reads events and projections of the tenants granted to it'),
			('ledger_writer',   false, 'appends through the ledger_append functions; has no INSERT'),
			('ledger_auditor',  false, 'reads everything of its tenants, guards and settings, and verifies'),
			('ledger_operator', false, 'creates and grants tenants, adds event types, runs maintenance'),
			('ledger_anchorer', false, 'ticks, and stores signatures and receipts of the tenants granted to it'),
			('ledger_gateway',  false, 'what the HTTP gateway logs in with: reads, appends, audits and anchors for the tenants granted to it'),
			('ledger_loader',   true,  'privileged: plain INSERT and COPY into ledger_events, ledger_import'),
			('ledger_backup',   true,  'privileged: reads all rows for pg_dump')
		) AS r (name, bypass_rls, purpose)
	LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = v_role.name) THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', v_role.name);
		END IF;
		EXECUTE pg_catalog.format('ALTER ROLE %I NOLOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB %s',
			v_role.name, CASE WHEN v_role.bypass_rls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END);
		EXECUTE pg_catalog.format('COMMENT ON ROLE %I IS %L', v_role.name,
			'Findings Ledger: ' || v_role.purpose);
	END LOOP;
	-- The gateway judges who asks; the tenants it may serve at all are granted to it like to any other.
	FOR v_role IN
		SELECT m.name FROM pg_catalog.unnest('{ledger_reader,ledger_writer,ledger_auditor,ledger_anchorer}'::name[]) AS m (name)
		WHERE NOT pg_catalog.pg_has_role('ledger_gateway', m.name, 'MEMBER')
	LOOP
		EXECUTE pg_catalog.format('GRANT %I TO ledger_gateway', v_role.name);
	END LOOP;
	-- A dump of the whole database reads every leaf, pg_partman's tables, and what
	-- others keep beside the ledger; a grant on each would miss the next one.
	IF NOT pg_catalog.pg_has_role('ledger_backup', 'pg_read_all_data', 'MEMBER') THEN
		GRANT pg_read_all_data TO ledger_backup;
	END IF;
END
$$;
