-- What each role tries that it may not do.  Every refusal here was once tried
-- because it might have worked; some of them did.
\set SHOW_CONTEXT never
BEGIN;
CREATE SCHEMA evil;
GRANT ALL ON SCHEMA evil TO PUBLIC;
CREATE TABLE evil.caught (who name, what text);
GRANT ALL ON evil.caught TO PUBLIC;
CREATE ROLE migrator LOGIN IN ROLE ledger_owner;
SELECT leaf AS globex_leaf FROM ledger_tenants WHERE tenant_id = 'globex' \gset
SELECT (ledger_append('globex', 'finding.comment_added', 'SECRET-1', 'adversary-1', 'img-1', '{"comment": "secret", "severity": 9}')).sequence_no;
SELECT (ledger_append('acme', 'finding.created', 'FND-1', 'adversary-1', 'img-1')).sequence_no;
\set ON_ERROR_ROLLBACK on

-- Reading: the setting selects, the grant allows.
SET LOCAL SESSION AUTHORIZATION acme_reader;
SET LOCAL app.current_tenant = 'globex';
SELECT count(*) FROM ledger_events;
SELECT count(*) FROM findings_projection;
SELECT count(*) FROM finding_history;
SELECT count(*) FROM triage_actions;
COPY ledger_events TO STDOUT;
SELECT count(*) FROM ledger.:"globex_leaf";
SELECT count(*) FROM ledger_chains;
SELECT count(*) FROM ledger_tenants;
SELECT count(*) FROM ledger_tenant_grants;
SET LOCAL row_security = off;
SELECT count(*) FROM ledger_events;
SET LOCAL row_security = on;
SELECT count(*) FROM pg_stats WHERE schemaname = 'ledger' AND tablename ~ '^(ledger_events_|finding)';
SET LOCAL app.current_tenant = 'acme,globex';
SELECT count(*) FROM ledger_events;
SET LOCAL app.current_tenant = '';
SELECT count(*) FROM ledger_events;
SELECT count(*) FROM ledger_verify('globex');
SELECT r ->> 'verdict' AS verdict FROM ledger_verify_report('globex') AS r;
SELECT ledger_tenant_allowed('acme') AS acme, ledger_tenant_allowed('globex') AS globex, ledger_tenant_allowed('ledger') AS ledger;

-- Becoming someone else.
SET ROLE globex_reader;
SET ROLE ledger_owner;

-- A cheap function of the reader's own sees no row that the policy hides.
CREATE FUNCTION evil.peek(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
	INSERT INTO evil.caught VALUES (current_user, $1);
	RETURN true;
END
$$;
SET LOCAL app.current_tenant = 'acme';
SELECT finding_id FROM ledger_events WHERE evil.peek(finding_id) AND policy_version = 'adversary-1';
SELECT what FROM evil.caught WHERE what LIKE 'SECRET%';
-- A view of the reader's own gives another reader no more than his own right.
CREATE VIEW evil.window AS SELECT tenant_id, finding_id FROM ledger_events;
GRANT SELECT ON evil.window TO PUBLIC;
SET LOCAL SESSION AUTHORIZATION globex_reader;
SET LOCAL app.current_tenant = 'globex';
SELECT count(*) FROM evil.window WHERE tenant_id <> 'globex';

-- One prepared statement, its plan cached, run by one role after the other.
RESET SESSION AUTHORIZATION;
PREPARE seen AS SELECT tenant_id, count(*) FROM ledger_events WHERE policy_version = 'adversary-1' GROUP BY 1 ORDER BY 1;
SET LOCAL plan_cache_mode = force_generic_plan;
EXECUTE seen;
SET LOCAL ROLE acme_reader;
SET LOCAL app.current_tenant = 'acme';
EXECUTE seen;
SET LOCAL ROLE globex_reader;
EXECUTE seen;
SET LOCAL app.current_tenant = 'globex';
EXECUTE seen;
SET LOCAL ROLE acme_reader;
EXECUTE seen;
RESET ROLE;
PREPARE put (text) AS SELECT (ledger_append($1, 'finding.created', 'FND-2', 'adversary-2', 'img-1')).sequence_no;
SET LOCAL ROLE acme_writer;
EXECUTE put ('acme');
SET LOCAL ROLE globex_writer;
EXECUTE put ('acme');
EXECUTE put ('globex');

-- Writing into another tenant, by each of the ways in.
SET LOCAL SESSION AUTHORIZATION acme_writer;
SET LOCAL app.current_tenant = 'globex';
SELECT ledger_append('globex', 'finding.created', 'F', 'adversary-3', 'a');
SELECT ledger_append('{"tenant": "globex", "type": "finding.created", "policyVersion": "adversary-3", "findingId": "F", "artifactId": "a"}');
SELECT ledger_append_request('{"tenant": "globex", "type": "finding.created", "policyVersion": "adversary-3", "findingId": "F", "artifactId": "a"}');
SELECT count(*) FROM ledger_append_many(
	'[{"tenant": "acme", "type": "finding.created", "policyVersion": "adversary-3", "findingId": "F", "artifactId": "a"},
	  {"tenant": "globex", "type": "finding.created", "policyVersion": "adversary-3", "findingId": "F", "artifactId": "a"}]');
-- The chain of another tenant, named in one's own: it is another chain.
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'F', 'adversary-1', 'a', chain_id => ledger_chain_id('globex', 'adversary-1'));
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id) VALUES ('acme', 'finding.created', 'F', 'p', 'a');
UPDATE ledger_events SET vuln_id = 'x';
DELETE FROM ledger_events;
TRUNCATE ledger_events;
MERGE INTO ledger_events e USING (SELECT 1) x ON false WHEN MATCHED THEN DELETE;
\copy ledger_events (tenant_id) FROM PROGRAM 'true'
SELECT count(*) FROM ledger_events;
LOCK TABLE ledger.ledger_events;
SELECT ledger_rebuild_projection('acme');
SELECT ledger_create_tenant('mine');
SELECT ledger_grant_tenant('acme_writer', 'globex');
SELECT ledger_add_event_type('mine.type', 'x');
SELECT ledger_append_own('ledger.migrated', '{}');
SELECT ledger_record_guard_change('x', '{}');
SELECT ledger_record_migrations();
SELECT ledger_make_leaf('mine');
SELECT ledger_guard_leaf('findings_projection');
SET ledger.max_payload_bytes = '64MB';
SET ledger.max_chains_per_transaction = 100000;
SET ledger.allow_lossy_append = on;
SET session_replication_role = replica;
CREATE TABLE evil.child (tenant_id text, chain_id uuid, sequence_no bigint,
	FOREIGN KEY (tenant_id, chain_id, sequence_no) REFERENCES ledger.ledger_events);
CREATE TABLE evil.leaf PARTITION OF ledger.ledger_events FOR VALUES IN ('evil');

-- The C functions behind the append functions: not for direct use, and their
-- answer has one row type only.
SELECT ledger_write(NULL::ledger_events, NULL);
SELECT ledger_write_many(ARRAY[NULL::ledger_events]);
SELECT ledger_refold('acme', NULL);
RESET SESSION AUTHORIZATION;
CREATE TYPE evil.event AS (merkle_leaf_hash bytea, event_hash bytea, previous_hash bytea, evaluation_hash bytea, evaluation jsonb,
	payload_hash bytea, payload_salt bytea, event_body jsonb, schema_version text, evidence_bundle_ref text, recorded_by text,
	recorded_at timestamptz, occurred_at timestamptz, actor_type text, actor_id text, source_run_id uuid, vuln_id text,
	artifact_id text, finding_id text, policy_version text, event_type text, event_id uuid, sequence_no bigint, chain_id uuid, tenant_id text);
SELECT ledger_write(NULL::evil.event, NULL);
SELECT ledger_write_many(ARRAY[NULL::evil.event]);

-- The trigger functions on a table of one's own: with them a role could lock and
-- register another tenant's chains, and read its finding's chain from an error.
CREATE TABLE evil.events (LIKE ledger.ledger_events, PRIMARY KEY (tenant_id, chain_id, sequence_no), UNIQUE (tenant_id, event_id));
ALTER TABLE evil.events OWNER TO some_loader;
SET LOCAL SESSION AUTHORIZATION some_loader;
CREATE TRIGGER link BEFORE INSERT ON evil.events FOR EACH ROW EXECUTE FUNCTION ledger.ledger_link();
CREATE TRIGGER project AFTER INSERT ON evil.events REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_project();
-- Even if someone grants them.
RESET SESSION AUTHORIZATION;
GRANT EXECUTE ON FUNCTION ledger.ledger_link(), ledger.ledger_project() TO some_loader;
SET LOCAL SESSION AUTHORIZATION some_loader;
CREATE TRIGGER link BEFORE INSERT ON evil.events FOR EACH ROW EXECUTE FUNCTION ledger.ledger_link();
INSERT INTO evil.events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body)
VALUES ('globex', 'finding.created', 'SECRET-1', 'adversary-1', 'a', '{}');
DROP TRIGGER link ON evil.events;
CREATE TRIGGER project AFTER INSERT ON evil.events REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_project();
INSERT INTO evil.events SELECT r.* FROM jsonb_populate_record(NULL::evil.events, jsonb_build_object('tenant_id', 'globex',
	'chain_id', ledger_uuid_v7(), 'sequence_no', 1, 'event_id', ledger_uuid_v7(), 'event_type', 'finding.created',
	'policy_version', 'adversary-1', 'finding_id', 'SECRET-1', 'artifact_id', 'a', 'actor_id', 'x', 'actor_type', 'operator',
	'occurred_at', now(), 'recorded_at', now(), 'recorded_by', 'x', 'schema_version', 'x', 'payload_hash', '\x00',
	'previous_hash', '\x00', 'event_hash', '\x00', 'merkle_leaf_hash', '\x00')) AS r;

-- Operators and functions of the inserter's, in front of pg_catalog: the triggers run
-- as the owner, and would run them so.
RESET SESSION AUTHORIZATION;
CREATE FUNCTION evil.note(text) RETURNS void LANGUAGE sql AS $$ INSERT INTO evil.caught VALUES (current_user, $1) $$;
SET LOCAL SESSION AUTHORIZATION some_loader;
CREATE FUNCTION evil.eq(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN PERFORM evil.note('uuid ='); RETURN pg_catalog.uuid_eq($1, $2); END $$;
CREATE FUNCTION evil.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN PERFORM evil.note('text ='); RETURN pg_catalog.texteq($1, $2); END $$;
CREATE FUNCTION evil.get(jsonb, text) RETURNS text LANGUAGE plpgsql AS
	$$ BEGIN PERFORM evil.note('->>'); RETURN pg_catalog.jsonb_object_field_text($1, $2); END $$;
CREATE FUNCTION evil.matches(text, text) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN PERFORM evil.note('~~'); RETURN pg_catalog.textlike($1, $2); END $$;
CREATE FUNCTION evil.array_to_string(anyarray, text) RETURNS text LANGUAGE plpgsql AS
	$$ BEGIN PERFORM evil.note('array_to_string'); RETURN pg_catalog.array_to_string($1, $2); END $$;
CREATE FUNCTION evil.unnest(anyarray) RETURNS SETOF anyelement LANGUAGE plpgsql AS
	$$ BEGIN PERFORM evil.note('unnest'); RETURN QUERY SELECT pg_catalog.unnest($1); END $$;
CREATE OPERATOR evil.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = evil.eq);
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq);
CREATE OPERATOR evil.->> (LEFTARG = jsonb, RIGHTARG = text, FUNCTION = evil.get);
CREATE OPERATOR evil.~~ (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.matches);
-- Tables of our names in pg_temp, in front of everything.
CREATE TEMP TABLE ledger_events (tenant_id text);
CREATE TEMP TABLE ledger_tenants (tenant_id text, leaf name, settings jsonb);
CREATE TEMP TABLE ledger_tenant_grants AS SELECT 'globex'::text AS tenant_id, 'some_loader'::name AS role_name;
SET LOCAL search_path = pg_temp, evil, pg_catalog, ledger;
SET LOCAL ROLE ledger_loader;
INSERT INTO ledger.ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body)
VALUES ('acme', 'finding.created', 'FND-1', 'adversary-4', 'img-1', '{}');
INSERT INTO ledger.ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body)
VALUES ('acme', 'finding.comment_added', 'FND-1', 'adversary-4', 'img-1', '{}');
SELECT sequence_no FROM ledger.ledger_append('acme', 'finding.closed', 'FND-1', 'adversary-4', 'img-1');
SELECT sequence_no FROM ledger.ledger_append_many(
	'[{"tenant": "acme", "type": "finding.created", "policyVersion": "adversary-4", "findingId": "F", "artifactId": "a"},
	  {"tenant": "acme", "type": "finding.closed", "policyVersion": "adversary-4", "findingId": "F", "artifactId": "a"}]');
SET LOCAL ROLE some_loader;
SELECT ledger.ledger_append('globex', 'finding.created', 'F', 'adversary-4', 'a');
RESET SESSION AUTHORIZATION;
SET LOCAL search_path = pg_temp, evil, pg_catalog, ledger;
SELECT ledger.ledger_rebuild_projection('acme') OPERATOR(pg_catalog.>) 0 AS rebuilt;
SELECT count(*) FROM ledger.ledger_verify('acme');
SET LOCAL search_path = "$user", public, ledger;
SELECT * FROM evil.caught WHERE what NOT LIKE 'FND%' AND what <> 'F';
DROP TABLE pg_temp.ledger_events, pg_temp.ledger_tenants, pg_temp.ledger_tenant_grants;

-- Locks: ours cannot be taken from SQL, and a big batch cannot take them all.
SELECT DISTINCT objsubid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SET LOCAL SESSION AUTHORIZATION acme_writer;
SELECT count(*) FROM ledger_append_many((SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'type', 'finding.created',
	'policyVersion', 'adversary-5-' || i, 'findingId', 'F', 'artifactId', 'a')) FROM generate_series(1, 1001) AS i));
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ledger_events WHERE policy_version LIKE 'adversary-5%';
SELECT count(*) FROM ledger_verify('acme');
SELECT count(*) FROM ledger_verify('globex');
ROLLBACK;

-- A member of the owner, outside a recorded migration.
BEGIN;
CREATE ROLE migrator LOGIN IN ROLE ledger_owner;
CREATE ROLE side_door ROLE migrator;
GRANT ledger_owner TO side_door;
CREATE SCHEMA evil AUTHORIZATION migrator;
GRANT ALL ON SCHEMA evil TO PUBLIC;
SELECT leaf FROM ledger_tenants WHERE tenant_id = 'acme' \gset
\set ON_ERROR_ROLLBACK on
SET LOCAL SESSION AUTHORIZATION migrator;
-- The ledger's own event types, with the owner's INSERT.
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body)
VALUES ('ledger', 'ledger.migrated', 'ledger', 'ledger', 'ledger', '{}');
SET LOCAL ROLE ledger_owner;
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body)
VALUES ('ledger', 'ledger.migrated', 'ledger', 'ledger', 'ledger', '{}');
SELECT ledger_append_own('ledger.guard_changed', '{}');
RESET ROLE;
-- A function that would run as the owner and so count as the ledger's own.
CREATE FUNCTION evil.forge() RETURNS uuid LANGUAGE sql SECURITY DEFINER AS
	$$ SELECT ledger.ledger_append_own('ledger.guard_changed', '{}') $$;
ALTER FUNCTION evil.forge() OWNER TO ledger_owner;
SET LOCAL ROLE side_door;
CREATE FUNCTION evil.forge2() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
ALTER FUNCTION evil.forge2() OWNER TO ledger_owner;
SET LOCAL ROLE ledger_owner;
CREATE FUNCTION evil.forge3() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE PROCEDURE evil.forge4() LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
-- A table whose index expressions ANALYZE would run as the owner.
CREATE TEMP TABLE bait (n integer);
CREATE MATERIALIZED VIEW evil.bait AS SELECT 1 AS n;
-- The ledger's tables, moved out of sight or given partitions elsewhere.
ALTER TABLE ledger.findings_projection SET SCHEMA evil;
ALTER TABLE ledger.:"leaf" SET SCHEMA evil;
ALTER FUNCTION ledger.ledger_append(jsonb) SET SCHEMA evil;
CREATE TABLE evil.leaf PARTITION OF ledger.ledger_events FOR VALUES IN ('evil');
CREATE TABLE evil.history PARTITION OF ledger.finding_history FOR VALUES FROM ('1990-01-01') TO ('1990-02-01');
ALTER TABLE ledger.ledger_events DETACH PARTITION ledger.:"leaf" CONCURRENTLY;
CREATE INDEX CONCURRENTLY bait ON ledger.findings_projection (lower(status));
CREATE INDEX bait ON ledger.findings_projection (lower(status));
DROP INDEX CONCURRENTLY ledger.ledger_events_finding_idx;
ALTER TABLE ledger.ledger_events DETACH PARTITION ledger.:"leaf";
CREATE TRIGGER zzzzz_after_ours BEFORE INSERT ON ledger.ledger_events FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE POLICY open ON ledger.ledger_events USING (true);
ALTER TABLE ledger.ledger_events NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ledger.ledger_events OWNER TO migrator;
-- A guard's own function: the replacement would judge itself.
CREATE OR REPLACE FUNCTION ledger.ledger_record_guard_change(in_tag text, in_objects text[]) RETURNS void LANGUAGE sql AS 'SELECT';
ALTER FUNCTION ledger.ledger_append(jsonb) SECURITY INVOKER;
ALTER DEFAULT PRIVILEGES IN SCHEMA ledger GRANT SELECT ON TABLES TO PUBLIC;
GRANT SELECT ON ledger.:"leaf" TO PUBLIC;
REVOKE EXECUTE ON FUNCTION ledger.ledger_append(jsonb) FROM ledger_writer;
DROP FUNCTION ledger.ledger_append(jsonb);
DROP FUNCTION ledger.ledger_guard_ddl_end() CASCADE;
CREATE OR REPLACE FUNCTION ledger.ledger_guard_ddl_end() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
ALTER FUNCTION ledger.ledger_guard_ddl_end() RENAME TO retired;
DROP EVENT TRIGGER ledger_guard_ddl_end;
ALTER EVENT TRIGGER ledger_guard_ddl_end DISABLE;
DROP EXTENSION findings_ledger CASCADE;
DROP SCHEMA ledger CASCADE;
ALTER SCHEMA ledger RENAME TO hidden;
SET LOCAL client_min_messages = error;
DROP OWNED BY ledger_owner CASCADE;
RESET client_min_messages;
-- The record of migrations, which would let him: it stays once made.
DELETE FROM ledger_schema_migrations;
TRUNCATE ledger_schema_migrations;
UPDATE ledger_schema_migrations SET checksum = repeat('0', 64) WHERE version = 1;
UPDATE ledger_schema_migrations SET event_id = NULL WHERE version = 1;
INSERT INTO ledger_schema_migrations (version, file_name, checksum) VALUES (9999, '9999_evil.sql', repeat('0', 64));
CREATE TABLE ledger.allowed_now (n integer);
DELETE FROM ledger_schema_migrations WHERE version = 9999;
UPDATE ledger_schema_migrations SET event_id = '00000000-0000-0000-0000-000000000000' WHERE version = 9999;
DELETE FROM ledger_schema_migrations WHERE version = 9999;
-- Had a superuser left him such a table all the same: its index runs as the owner, but
-- is none of the ledger's own functions.
RESET SESSION AUTHORIZATION;
CREATE FUNCTION evil.forge5(n integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
	$$ BEGIN PERFORM ledger.ledger_append_own('ledger.guard_changed', '{}'); RETURN n; END $$;
CREATE TABLE evil.bait AS SELECT 1 AS n LIMIT 0;
CREATE INDEX ON evil.bait (evil.forge5(n));
CREATE OR REPLACE FUNCTION evil.forge5(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n';
INSERT INTO evil.bait VALUES (1);
CREATE OR REPLACE FUNCTION evil.forge5(n integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
	$$ BEGIN PERFORM ledger.ledger_append_own('ledger.guard_changed', '{}'); RETURN n; END $$;
ALTER TABLE evil.bait OWNER TO ledger_owner;
SET LOCAL SESSION AUTHORIZATION migrator;
ANALYZE evil.bait;
RESET SESSION AUTHORIZATION;
SET LOCAL SESSION AUTHORIZATION migrator;
-- The guards' own switches.
SET session_replication_role = replica;
RESET SESSION AUTHORIZATION;
ROLLBACK;

-- In a migration that he recorded he may change the ledger, but not what keeps the
-- record.
BEGIN;
SET LOCAL ROLE ledger_owner;
\set ON_ERROR_ROLLBACK off
INSERT INTO ledger_schema_migrations (version, file_name, checksum) VALUES (9999, '9999_evil.sql', repeat('0', 64));
\set ON_ERROR_ROLLBACK on
CREATE TABLE ledger.allowed_now (n integer);
ALTER TABLE ledger_schema_migrations DISABLE TRIGGER ledger_refuse_statement;
DROP TRIGGER ledger_refuse_row ON ledger_schema_migrations;
ALTER TABLE ledger_schema_migrations RENAME TO elsewhere;
DROP TABLE ledger_schema_migrations;
ROLLBACK;

-- The same operator once more, where an upsert must compare chains: a finding that
-- an earlier transaction left, folded under an old snapshot.
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'FND-6', 'adversary-6', 'img-1');
BEGIN ISOLATION LEVEL REPEATABLE READ;
CREATE SCHEMA evil AUTHORIZATION some_loader;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
SET LOCAL SESSION AUTHORIZATION some_loader;
CREATE TABLE evil.caught (who name);
GRANT INSERT ON evil.caught TO PUBLIC;
CREATE FUNCTION evil.eq(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO evil.caught VALUES (current_user); RETURN pg_catalog.uuid_eq($1, $2); END $$;
CREATE OPERATOR evil.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = evil.eq);
SET LOCAL ROLE ledger_loader;
SET LOCAL search_path = evil, pg_catalog;
INSERT INTO ledger.ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body)
VALUES ('acme', 'finding.closed', 'FND-6', 'adversary-6', 'img-1', '{}') RETURNING sequence_no;
RESET SESSION AUTHORIZATION;
SELECT * FROM evil.caught;
SELECT status FROM ledger.findings_projection WHERE policy_version = 'adversary-6';
ROLLBACK;

-- What stands in the place of the function that records a superuser's change, which the
-- owner's migrations may replace, runs as the owner, not as the superuser.
BEGIN;
CREATE OR REPLACE FUNCTION ledger.ledger_record_guard_change(in_tag text, in_objects text[]) RETURNS void LANGUAGE plpgsql
	AS 'BEGIN RAISE WARNING ''% as %'', in_tag, current_user; END';
COMMENT ON TABLE ledger_events IS 'changed';
SELECT current_user;
ROLLBACK;
