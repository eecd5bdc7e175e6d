-- The schema, the extensions and the search_path: what needs a superuser.
-- The schema stays the superuser's: its owner could drop what others own in it, the
-- extension and with it the guards.
CREATE SCHEMA ledger;
COMMENT ON SCHEMA ledger IS 'Findings Ledger: events, projections and the functions that write and verify them.';
GRANT USAGE ON SCHEMA ledger TO PUBLIC;
GRANT CREATE ON SCHEMA ledger TO ledger_owner;

CREATE EXTENSION findings_ledger SCHEMA ledger;
GRANT EXECUTE ON FUNCTION
	ledger.ledger_write(anyelement, bigint), ledger.ledger_write_many(anyarray),
	ledger.ledger_refold(text, timestamptz), ledger.ledger_import_lines(jsonb),
	ledger.ledger_lock_chains(), ledger.ledger_tree_head(text, uuid), ledger.ledger_own_head(), ledger.ledger_anchored_ends(timestamptz),
	ledger.ledger_watch_chain(text, uuid, bigint),
	ledger.ledger_tree_advance(text, uuid, bytea, bigint, bigint), ledger.ledger_tree_root(text, uuid, bigint),
	ledger.ledger_tree_inclusion(text, uuid, bigint, bigint),
	ledger.ledger_tree_consistency(text, uuid, bigint, bigint), ledger.ledger_force_flush(), ledger.ledger_link(), ledger.ledger_project(),
	ledger.ledger_refuse_change(), ledger.ledger_refuse_direct()
	TO ledger_owner;

CREATE SCHEMA IF NOT EXISTS partman;
CREATE EXTENSION IF NOT EXISTS pg_partman SCHEMA partman;
-- pg_partman works with the rights of its caller, which is a function of the owner.
-- Only what 4.x and 5.x both have is named: a dump carries each grant, and one for an
-- object that the other version lacks would be an error at restore.
GRANT USAGE, CREATE ON SCHEMA partman TO ledger_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON partman.part_config, partman.part_config_sub TO ledger_owner;

-- So that SELECT ledger_append(…) works as users wrote it.  A dump does not carry
-- this setting; ledger_after_restore() sets it again.
DO $$
BEGIN
	EXECUTE pg_catalog.format('ALTER DATABASE %I SET search_path = "$user", public, ledger',
		pg_catalog.current_database());
END
$$;
