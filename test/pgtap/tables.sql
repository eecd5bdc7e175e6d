-- Tables: every column with its type, NOT NULL, collation and default; every key and
-- check; every index; and the guards on them.
BEGIN;
SELECT plan(13);

CREATE TEMP VIEW columns AS
	SELECT c.relname::text AS relation, a.attname::text AS name, format_type(a.atttypid, a.atttypmod)
		|| CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
		|| CASE WHEN co.collname = 'C' THEN ' C' ELSE '' END
		|| coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') AS definition
	FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
	LEFT JOIN pg_collation AS co ON co.oid = a.attcollation
	LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
		AND a.attnum > 0 AND NOT a.attisdropped;

SELECT set_eq('SELECT relation, name, definition FROM columns', $$ VALUES
	('finding_history', 'tenant_id', 'text not null C'),
	('finding_history', 'finding_id', 'text not null C'),
	('finding_history', 'policy_version', 'text not null C'),
	('finding_history', 'chain_id', 'uuid not null'),
	('finding_history', 'sequence_no', 'bigint not null'),
	('finding_history', 'event_id', 'uuid not null'),
	('finding_history', 'event_type', 'text not null C'),
	('finding_history', 'previous_status', 'text C'),
	('finding_history', 'status', 'text not null C'),
	('finding_history', 'previous_severity', 'numeric(5,3)'),
	('finding_history', 'severity', 'numeric(5,3)'),
	('finding_history', 'actor_id', 'text not null C'),
	('finding_history', 'actor_type', 'text not null C'),
	('finding_history', 'justification', 'text C'),
	('finding_history', 'occurred_at', 'timestamp with time zone not null'),
	('finding_history', 'recorded_at', 'timestamp with time zone not null'),
	('finding_history', 'cycle_hash', 'bytea not null'),
	('findings_projection', 'tenant_id', 'text not null C'),
	('findings_projection', 'finding_id', 'text not null C'),
	('findings_projection', 'policy_version', 'text not null C'),
	('findings_projection', 'artifact_id', 'text not null C'),
	('findings_projection', 'vuln_id', 'text C'),
	('findings_projection', 'chain_id', 'uuid not null'),
	('findings_projection', 'status', 'text not null C'),
	('findings_projection', 'severity', 'numeric(5,3)'),
	('findings_projection', 'labels', 'jsonb'),
	('findings_projection', 'explain_ref', 'text C'),
	('findings_projection', 'rationale', 'jsonb'),
	('findings_projection', 'risk_score', 'numeric(5,2)'),
	('findings_projection', 'risk_severity', 'text C'),
	('findings_projection', 'risk_profile_version', 'text C'),
	('findings_projection', 'risk_explanation_id', 'text C'),
	('findings_projection', 'risk_event_sequence', 'bigint'),
	('findings_projection', 'risk_updated_at', 'timestamp with time zone'),
	('findings_projection', 'airgap_bundle_id', 'text C'),
	('findings_projection', 'airgap_staleness_seconds', 'bigint'),
	('findings_projection', 'current_event_id', 'uuid not null'),
	('findings_projection', 'current_sequence', 'bigint not null'),
	('findings_projection', 'projection_version', 'text not null C'),
	('findings_projection', 'observed_at', 'timestamp with time zone not null'),
	('findings_projection', 'updated_at', 'timestamp with time zone not null'),
	('findings_projection', 'cycle_hash', 'bytea not null'),
	('ledger_chains', 'tenant_id', 'text not null C'),
	('ledger_chains', 'chain_id', 'uuid not null'),
	('ledger_chains', 'policy_version', 'text not null C'),
	('ledger_chains', 'created_at', 'timestamp with time zone not null'),
	('ledger_chains', 'first_anchored_sequence', 'bigint'),
	('ledger_chains', 'last_anchored_sequence', 'bigint'),
	('ledger_event_types', 'event_type', 'text not null C'),
	('ledger_event_types', 'reserved', 'boolean not null default false'),
	('ledger_event_types', 'projected', 'boolean not null default true'),
	('ledger_event_types', 'default_status', 'text'),
	('ledger_event_types', 'action_kind', 'text'),
	('ledger_event_types', 'reads', 'text[] not null default ''{status,severity,labels,explainRef,rationale}''::text[]'),
	('ledger_event_types', 'labels_mode', 'text not null default ''replace''::text'),
	('ledger_event_types', 'description', 'text not null'),
	('ledger_events', 'tenant_id', 'text not null C'),
	('ledger_events', 'chain_id', 'uuid not null'),
	('ledger_events', 'sequence_no', 'bigint not null'),
	('ledger_events', 'event_id', 'uuid not null'),
	('ledger_events', 'event_type', 'text not null C'),
	('ledger_events', 'policy_version', 'text not null C'),
	('ledger_events', 'finding_id', 'text not null C'),
	('ledger_events', 'artifact_id', 'text not null C'),
	('ledger_events', 'vuln_id', 'text C'),
	('ledger_events', 'source_run_id', 'uuid'),
	('ledger_events', 'actor_id', 'text not null C'),
	('ledger_events', 'actor_type', 'text not null C'),
	('ledger_events', 'occurred_at', 'timestamp with time zone not null'),
	('ledger_events', 'recorded_at', 'timestamp with time zone not null'),
	('ledger_events', 'recorded_by', 'text not null C'),
	('ledger_events', 'evidence_bundle_ref', 'text C'),
	('ledger_events', 'schema_version', 'text not null C'),
	('ledger_events', 'event_body', 'jsonb'),
	('ledger_events', 'payload_salt', 'bytea'),
	('ledger_events', 'payload_hash', 'bytea not null'),
	('ledger_events', 'evaluation', 'jsonb'),
	('ledger_events', 'evaluation_hash', 'bytea'),
	('ledger_events', 'previous_hash', 'bytea not null'),
	('ledger_events', 'event_hash', 'bytea not null'),
	('ledger_events', 'merkle_leaf_hash', 'bytea not null'),
	('ledger_partition_intent', 'parent_table', 'text not null'),
	('ledger_partition_intent', 'control_column', 'text not null'),
	('ledger_partition_intent', 'step', 'text not null'),
	('ledger_partition_intent', 'premake', 'integer not null default 4'),
	('ledger_partition_intent', 'retention', 'interval'),
	('ledger_partition_intent', 'aged_out_before', 'timestamp with time zone'),
	('ledger_schema_migrations', 'version', 'integer not null'),
	('ledger_schema_migrations', 'file_name', 'text not null'),
	('ledger_schema_migrations', 'checksum', 'text not null'),
	('ledger_schema_migrations', 'applied_at', 'timestamp with time zone not null default now()'),
	('ledger_schema_migrations', 'applied_by', 'name not null C default SESSION_USER'),
	('ledger_schema_migrations', 'event_id', 'uuid'),
	('ledger_settings', 'singleton', 'boolean not null default true'),
	('ledger_settings', 'origin', 'text not null'),
	('ledger_settings', 'instance_id', 'uuid not null'),
	('ledger_settings', 'incarnation', 'integer not null default 1'),
	('ledger_settings', 'home', 'text not null'),
	('ledger_settings', 'created_at', 'timestamp with time zone not null default now()'),
	('ledger_settings', 'restored_at', 'timestamp with time zone'),
	('ledger_tenant_grants', 'tenant_id', 'text not null C'),
	('ledger_tenant_grants', 'role_name', 'name not null C'),
	('ledger_tenant_grants', 'granted_at', 'timestamp with time zone not null default now()'),
	('ledger_tenant_grants', 'granted_by', 'name not null C default SESSION_USER'),
	('ledger_tenants', 'tenant_id', 'text not null C'),
	('ledger_tenants', 'leaf', 'name not null C'),
	('ledger_tenants', 'settings', 'jsonb not null default ''{}''::jsonb'),
	('ledger_tenants', 'reserved', 'boolean not null default false'),
	('ledger_tenants', 'created_at', 'timestamp with time zone not null default now()'),
	('ledger_tenants', 'created_by', 'name not null C default SESSION_USER'),
	('triage_actions', 'tenant_id', 'text not null C'),
	('triage_actions', 'action_id', 'uuid not null'),
	('triage_actions', 'action_type', 'text not null C'),
	('triage_actions', 'finding_id', 'text not null C'),
	('triage_actions', 'policy_version', 'text not null C'),
	('triage_actions', 'chain_id', 'uuid not null'),
	('triage_actions', 'sequence_no', 'bigint not null'),
	('triage_actions', 'payload', 'jsonb not null'),
	('triage_actions', 'created_by', 'text not null C'),
	('triage_actions', 'occurred_at', 'timestamp with time zone not null'),
	('triage_actions', 'created_at', 'timestamp with time zone not null')
$$, 'columns');

SELECT set_eq($q$ SELECT c.relname::text, replace(pg_get_constraintdef(k.oid), 'REFERENCES ledger.', 'REFERENCES ')
	FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
	WHERE k.connamespace = 'ledger'::regnamespace AND NOT c.relispartition $q$, $q$ VALUES
	('finding_history', 'CHECK ((octet_length(cycle_hash) = 32))'),
	('finding_history', 'PRIMARY KEY (tenant_id, finding_id, policy_version, sequence_no, recorded_at)'),
	('findings_projection', 'CHECK ((octet_length(cycle_hash) = 32))'),
	('findings_projection', 'PRIMARY KEY (tenant_id, finding_id, policy_version)'),
	('ledger_chains', 'FOREIGN KEY (tenant_id) REFERENCES ledger_tenants(tenant_id)'),
	('ledger_chains', 'PRIMARY KEY (tenant_id, chain_id)'),
	('ledger_event_types', 'CHECK ((NOT (reserved AND projected)))'),
	('ledger_event_types', 'CHECK ((action_kind ~ ''^[a-z][a-z0-9_]*$''::text))'),
	('ledger_event_types', 'CHECK ((default_status = ANY (ARRAY[''affected''::text, ''triaged''::text, ''in_progress''::text, ''accepted_risk''::text, ''verified''::text, ''resolved''::text, ''unknown''::text])))'),
	('ledger_event_types', 'CHECK ((labels_mode = ANY (ARRAY[''replace''::text, ''merge''::text])))'),
	('ledger_event_types', 'CHECK ((reads <@ ''{status,severity,labels,explainRef,rationale,risk,airgap}''::text[]))'),
	('ledger_event_types', 'CHECK ((reserved = (event_type ~~ ''ledger.%''::text)))'),
	('ledger_event_types', 'PRIMARY KEY (event_type)'),
	('ledger_event_types', E'CHECK (((event_type ~ ''^[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*)+$''::text) AND (length(event_type) <= 63)))'),
	('ledger_events', 'CHECK (((octet_length(payload_salt) = 0) OR ((octet_length(payload_salt) >= 16) AND (octet_length(payload_salt) <= 64))))'),
	('ledger_events', 'CHECK ((actor_type = ANY (ARRAY[''system''::text, ''operator''::text, ''integration''::text])))'),
	('ledger_events', 'CHECK ((jsonb_typeof(event_body) = ''object''::text))'),
	('ledger_events', 'CHECK ((octet_length(evaluation_hash) = 32))'),
	('ledger_events', 'CHECK ((octet_length(event_hash) = 32))'),
	('ledger_events', 'CHECK ((octet_length(merkle_leaf_hash) = 32))'),
	('ledger_events', 'CHECK ((octet_length(payload_hash) = 32))'),
	('ledger_events', 'CHECK ((octet_length(previous_hash) = 32))'),
	('ledger_events', 'CHECK ((sequence_no > 0))'),
	('ledger_events', 'PRIMARY KEY (tenant_id, chain_id, sequence_no)'),
	('ledger_events', 'UNIQUE (tenant_id, event_id)'),
	('ledger_partition_intent', 'CHECK (((premake >= 1) AND (premake <= 60)))'),
	('ledger_partition_intent', 'CHECK ((retention > ''00:00:00''::interval))'),
	('ledger_partition_intent', 'CHECK ((step = ANY (ARRAY[''daily''::text, ''weekly''::text, ''monthly''::text])))'),
	('ledger_partition_intent', 'PRIMARY KEY (parent_table)'),
	('ledger_schema_migrations', 'CHECK ((checksum ~ ''^[0-9a-f]{64}$''::text))'),
	('ledger_schema_migrations', 'CHECK ((version > 0))'),
	('ledger_schema_migrations', 'PRIMARY KEY (version)'),
	('ledger_schema_migrations', 'UNIQUE (file_name)'),
	('ledger_settings', 'CHECK ((incarnation > 0))'),
	('ledger_settings', 'CHECK ((origin ~ ''^[a-z0-9][a-z0-9./-]{0,200}$''::text))'),
	('ledger_settings', 'CHECK (singleton)'),
	('ledger_settings', 'PRIMARY KEY (singleton)'),
	('ledger_tenant_grants', 'FOREIGN KEY (tenant_id) REFERENCES ledger_tenants(tenant_id)'),
	('ledger_tenant_grants', 'PRIMARY KEY (tenant_id, role_name)'),
	('ledger_tenants', 'CHECK ((jsonb_typeof(settings) = ''object''::text))'),
	('ledger_tenants', 'CHECK ((tenant_id ~ ''^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$''::text))'),
	('ledger_tenants', 'PRIMARY KEY (tenant_id)'),
	('ledger_tenants', 'UNIQUE (leaf)'),
	('triage_actions', 'PRIMARY KEY (tenant_id, finding_id, policy_version, sequence_no)')
$q$, 'keys and checks');

SELECT set_eq($q$ SELECT i.tablename::text, regexp_replace(i.indexdef, 'CREATE (UNIQUE )?INDEX (\S+) ON (ONLY )?ledger\.\S+ ', '\1')
	FROM pg_indexes AS i JOIN pg_class AS c ON c.relname = i.tablename AND c.relnamespace = 'ledger'::regnamespace
	WHERE i.schemaname = 'ledger' AND NOT c.relispartition $q$, $q$ VALUES
	('finding_history', 'UNIQUE USING btree (tenant_id, finding_id, policy_version, sequence_no, recorded_at)'),
	('findings_projection', 'UNIQUE USING btree (tenant_id, finding_id, policy_version)'),
	('ledger_chains', 'UNIQUE USING btree (tenant_id, chain_id)'),
	('ledger_event_types', 'UNIQUE USING btree (event_type)'),
	('ledger_events', 'UNIQUE USING btree (tenant_id, chain_id, sequence_no)'),
	('ledger_events', 'UNIQUE USING btree (tenant_id, event_id)'),
	('ledger_events', 'USING btree (tenant_id, finding_id, policy_version, sequence_no)'),
	('ledger_partition_intent', 'UNIQUE USING btree (parent_table)'),
	('ledger_schema_migrations', 'UNIQUE USING btree (file_name)'),
	('ledger_schema_migrations', 'UNIQUE USING btree (version)'),
	('ledger_settings', 'UNIQUE USING btree (singleton)'),
	('ledger_tenant_grants', 'UNIQUE USING btree (tenant_id, role_name)'),
	('ledger_tenants', 'UNIQUE USING btree (leaf)'),
	('ledger_tenants', 'UNIQUE USING btree (tenant_id)'),
	('triage_actions', 'UNIQUE USING btree (tenant_id, finding_id, policy_version, sequence_no)')
$q$, 'indexes');

-- Partitions: one leaf a tenant and no other, for exactly that tenant.
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
	WHERE i.inhparent = 'ledger.ledger_events'::regclass AND pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' $$, 'ledger_events has no default partition');
SELECT set_eq($$ SELECT c.relname::text, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'ledger.ledger_events'::regclass AND NOT i.inhdetachpending $$,
	$$ SELECT leaf::text, format('FOR VALUES IN (%L)', tenant_id) FROM ledger.ledger_tenants $$, 'every tenant has its leaf, and every leaf its tenant');
SELECT set_eq($$ SELECT c.relname::text, pg_get_partkeydef(c.oid) FROM pg_class AS c WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind = 'p' $$,
	$$ VALUES ('ledger_events', 'LIST (tenant_id)'), ('finding_history', 'RANGE (recorded_at)') $$, 'two tables are partitioned');
SELECT is_empty($$
	SELECT t.leaf, i.indexrelid::regclass FROM ledger.ledger_tenants AS t JOIN pg_class AS c ON c.relname = t.leaf AND c.relnamespace = 'ledger'::regnamespace
	JOIN pg_index AS i ON i.indrelid = c.oid WHERE NOT (i.indisvalid AND i.indisready AND i.indimmediate)
$$, 'every index of every leaf is valid');
SELECT is_empty($$
	SELECT t.leaf FROM ledger.ledger_tenants AS t JOIN pg_class AS c ON c.relname = t.leaf AND c.relnamespace = 'ledger'::regnamespace
	WHERE NOT '{autovacuum_vacuum_scale_factor=0,autovacuum_vacuum_threshold=1000}'::text[] <@ c.reloptions
$$, 'every leaf is vacuumed early');

-- Guards: these triggers and no other, ALWAYS enabled.
SELECT set_eq($$ SELECT c.relname::text, t.tgname::text, t.tgenabled::text, t.tgtype::integer, p.proname::text
		FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_proc AS p ON p.oid = t.tgfoid
		WHERE c.relnamespace = 'ledger'::regnamespace AND NOT t.tgisinternal AND NOT c.relispartition $$, $$ VALUES
	('ledger_events', 'zzzz_ledger_link', 'A', 7, 'ledger_link'),
	('ledger_events', 'ledger_refuse_row', 'A', 27, 'ledger_refuse_change'),
	('ledger_events', 'ledger_refuse_statement', 'A', 58, 'ledger_refuse_change'),
	('ledger_events', 'ledger_project', 'A', 4, 'ledger_project'),
	('ledger_event_types', 'ledger_refuse_statement', 'A', 58, 'ledger_refuse_change'),
	('ledger_schema_migrations', 'ledger_refuse_row', 'A', 19, 'ledger_refuse_change'),
	('ledger_schema_migrations', 'ledger_refuse_statement', 'A', 42, 'ledger_refuse_change') $$, 'triggers of the tables');
SELECT set_eq($$ SELECT c.relname::text, t.tgname::text, t.tgenabled::text, t.tgtype::integer, p.proname::text
		FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_proc AS p ON p.oid = t.tgfoid
		WHERE c.relnamespace = 'ledger'::regnamespace AND NOT t.tgisinternal AND c.relispartition $$, $$
	SELECT t.leaf::text, g.name, 'A', g.bits, g.function FROM ledger.ledger_tenants AS t, (VALUES
		('zzzz_ledger_link', 7, 'ledger_link'),
		('ledger_refuse_row', 27, 'ledger_refuse_change'),
		('ledger_refuse_direct', 30, 'ledger_refuse_direct'),
		('ledger_refuse_truncate', 34, 'ledger_refuse_change')) AS g (name, bits, function) $$, 'triggers of every leaf');
SELECT set_eq($$ SELECT e.evtname::text, e.evtevent::text, e.evtenabled::text, e.evttags IS NULL, p.proname::text, r.rolsuper
		FROM pg_event_trigger AS e JOIN pg_proc AS p ON p.oid = e.evtfoid JOIN pg_roles AS r ON r.oid = e.evtowner WHERE e.evtname ~ '^ledger' $$, $$ VALUES
	('ledger_guard_start', 'ddl_command_start', 'A', true, 'ledger_guard_start', true),
	('ledger_guard_ddl_end', 'ddl_command_end', 'A', true, 'ledger_guard_ddl_end', true),
	('ledger_guard_drop', 'sql_drop', 'A', true, 'ledger_guard_drop', true),
	('ledger_guard_rewrite', 'table_rewrite', 'A', true, 'ledger_guard_rewrite', true) $$, 'event triggers');
SELECT is_empty($$ SELECT r.rulename FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p') $$, 'no table has a rule');
SELECT is_empty($$ SELECT g.guard, g.object, g.state FROM ledger.ledger_guard_state() AS g WHERE NOT g.ok AND g.guard <> 'setting' $$, 'the guard state agrees');

SELECT * FROM finish();
ROLLBACK;
