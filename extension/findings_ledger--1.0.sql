/* findings_ledger--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION findings_ledger" to load this file. \quit

-- Only C functions: a table that belongs to an extension is not dumped with its
-- triggers, policies and indexes.  Tables and everything else are ordinary
-- objects made by the migrations.

CREATE FUNCTION ledger_canonical_json(document jsonb) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'ledger_canonical_json';
COMMENT ON FUNCTION ledger_canonical_json(jsonb) IS
	'Canonical JSON (RFC 8785) of a document. LG422 names the path of a number that an IEEE 754 double would round.';

CREATE FUNCTION ledger_canonical_json(document json) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'ledger_canonical_json_text';
COMMENT ON FUNCTION ledger_canonical_json(json) IS
	'Canonical JSON (RFC 8785) of a JSON text. Unlike jsonb, json keeps duplicate members: they are an error (LG422) with line, column and member.';

CREATE FUNCTION ledger_payload_hash(salt bytea, payload jsonb) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'ledger_payload_hash';
COMMENT ON FUNCTION ledger_payload_hash(bytea, jsonb) IS
	'SHA-256(0x02 || uint8(length of salt) || salt || JCS(payload)), 32 bytes. The salt is empty or 16 to 64 bytes long (LG400), the payload an object (LG422).';

CREATE FUNCTION ledger_event_envelope(event record) RETURNS jsonb
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 20
	AS 'MODULE_PATHNAME', 'ledger_event_envelope';
COMMENT ON FUNCTION ledger_event_envelope(record) IS
	'The envelope ledger.event.v1 of a row shaped like ledger_events. Its canonical JSON is what event_hash and merkle_leaf_hash cover.';

CREATE FUNCTION ledger_event_hash(event record) RETURNS bytea
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 20
	AS 'MODULE_PATHNAME', 'ledger_event_hash';
COMMENT ON FUNCTION ledger_event_hash(record) IS
	'SHA-256(JCS(envelope)) of a row shaped like ledger_events, recomputed from its columns; the stored event_hash is not looked at.';

CREATE FUNCTION ledger_leaf_hash(event record) RETURNS bytea
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 20
	AS 'MODULE_PATHNAME', 'ledger_leaf_hash';
COMMENT ON FUNCTION ledger_leaf_hash(record) IS
	'SHA-256(0x00 || JCS(envelope)) of a row shaped like ledger_events: its RFC 6962 leaf hash, recomputed from its columns.';

CREATE FUNCTION ledger_event_json(event record) RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30
	AS 'MODULE_PATHNAME', 'ledger_event_json';
COMMENT ON FUNCTION ledger_event_json(record) IS
	'A row shaped like ledger_events as a line of an export (docs/formats.md section 10): {envelope, eventHash, merkleLeafHash, payload, salt[, evaluation]}, canonical JSON. What ledger_import() and ledgerctl verify-export read.';

CREATE FUNCTION ledger_event_line(tenant text, event_id uuid, OUT chain_id uuid, OUT sequence_no bigint, OUT line text)
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'ledger_event_line';
COMMENT ON FUNCTION ledger_event_line(text, uuid) IS
	'The event of that id, if the caller could read it from ledger_events with app.current_tenant as it is: its place, and ledger_event_json() of it; NULLs if not. By one probe of one leaf, without a plan.';

CREATE FUNCTION ledger_chain_id(tenant text, policy_version text) RETURNS uuid
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_chain_id';
COMMENT ON FUNCTION ledger_chain_id(text, text) IS
	'The chain of a tenant and policy version: the first 16 bytes of SHA-256(tenant || ''::'' || policy_version) as a UUID version 8 (RFC 9562).';

CREATE FUNCTION ledger_uuid(value text) RETURNS uuid
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_uuid';
COMMENT ON FUNCTION ledger_uuid(text) IS
	'A UUID spelt as 8-4-4-4-12 hexadecimal digits, in either case; NULL for any other text, where the cast to uuid would fail or take another spelling.';

CREATE FUNCTION ledger_uuid_v7() RETURNS uuid
	LANGUAGE c VOLATILE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_uuid_v7';
COMMENT ON FUNCTION ledger_uuid_v7() IS
	'A new UUID version 7 (RFC 9562): milliseconds, a 12-bit fraction, 62 random bits.';

CREATE FUNCTION ledger_tenant_allowed(tenant text) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 5
	AS 'MODULE_PATHNAME', 'ledger_tenant_allowed';
COMMENT ON FUNCTION ledger_tenant_allowed(text) IS
	'May the session''s role (the one SET ROLE chose, else the session user; never current_user) touch this tenant? True by a row of ledger_tenant_grants, for superusers and for roles with BYPASSRLS.';

CREATE FUNCTION ledger_tenant_selected(tenant text) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 5
	AS 'MODULE_PATHNAME', 'ledger_tenant_selected';
COMMENT ON FUNCTION ledger_tenant_selected(text) IS
	'Is this the tenant that app.current_tenant names, and may the session''s role touch it? What the reading policies ask.';

CREATE FUNCTION ledger_write(event anyelement, expected_sequence bigint,
	OUT created boolean, OUT stored anyelement) RETURNS record
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'ledger_write';
COMMENT ON FUNCTION ledger_write(anyelement, bigint) IS
	'Append one row shaped like ledger_events; the core of ledger_append(). expected_sequence NULL: whatever comes next.';

CREATE FUNCTION ledger_write_many(events anyarray, OUT created boolean, OUT stored anyelement)
	RETURNS SETOF record
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'ledger_write_many';
COMMENT ON FUNCTION ledger_write_many(anyarray) IS
	'Append many rows shaped like ledger_events, all or nothing, chains locked in sorted order; answers in the order asked. The core of ledger_append_many().';

CREATE FUNCTION ledger_import_lines(lines jsonb, OUT tenant_id text, OUT chain_id uuid,
	OUT first_sequence bigint, OUT last_sequence bigint, OUT imported bigint, OUT present bigint,
	OUT source_digest bytea) RETURNS SETOF record
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'ledger_import_lines';
COMMENT ON FUNCTION ledger_import_lines(jsonb) IS
	'The core of ledger_import(), which records the import; called from there only (LG403).';

CREATE FUNCTION ledger_link() RETURNS trigger
	LANGUAGE c VOLATILE
	AS 'MODULE_PATHNAME', 'ledger_link';
COMMENT ON FUNCTION ledger_link() IS
	'Trigger: validates, salts, hashes and links a row of ledger_events. BEFORE INSERT FOR EACH ROW, last by name, ENABLE ALWAYS.';

CREATE FUNCTION ledger_refuse_change() RETURNS trigger
	LANGUAGE c VOLATILE
	AS 'MODULE_PATHNAME', 'ledger_refuse_change';
COMMENT ON FUNCTION ledger_refuse_change() IS
	'Trigger: refuses UPDATE, DELETE and TRUNCATE of recorded data (LG423).';

CREATE FUNCTION ledger_refuse_direct() RETURNS trigger
	LANGUAGE c VOLATILE
	AS 'MODULE_PATHNAME', 'ledger_refuse_direct';
COMMENT ON FUNCTION ledger_refuse_direct() IS
	'Trigger: refuses statements aimed at a leaf of ledger_events (LG423).';

CREATE FUNCTION ledger_project() RETURNS trigger
	LANGUAGE c VOLATILE
	AS 'MODULE_PATHNAME', 'ledger_project';
COMMENT ON FUNCTION ledger_project() IS
	'Trigger: folds the inserted events into findings_projection, finding_history and triage_actions. AFTER INSERT FOR EACH STATEMENT with a transition table, ENABLE ALWAYS.';

CREATE FUNCTION ledger_refold(tenant text, horizon timestamptz) RETURNS bigint
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'ledger_refold';
COMMENT ON FUNCTION ledger_refold(text, timestamptz) IS
	'Folds all events of a tenant into emptied derived tables; history before the horizon is left out. The core of ledger_rebuild_projection().';

CREATE FUNCTION ledger_library_version() RETURNS text
	LANGUAGE c STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_library_version';
COMMENT ON FUNCTION ledger_library_version() IS
	'The version compiled into the loaded library; ledger_check_runtime() compares it with the extension''s.';

CREATE FUNCTION ledger_lock_chains()
	RETURNS TABLE (tenant_id text, chain_id uuid, policy_version text, sequence_no bigint,
		anchored_size bigint, anchored_root bytea)
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'ledger_lock_chains';
COMMENT ON FUNCTION ledger_lock_chains() IS
	'Locks every chain that has events until the transaction ends, and returns their heads and newest anchors. For the ledger''s own functions; LG403 elsewhere.';

CREATE FUNCTION ledger_guard_start() RETURNS event_trigger
	LANGUAGE c VOLATILE
	AS 'MODULE_PATHNAME', 'ledger_guard_start';
COMMENT ON FUNCTION ledger_guard_start() IS
	'Event trigger on ddl_command_start: refuses what commits before it could be judged (LG423).';

CREATE FUNCTION ledger_guard_ddl_end() RETURNS event_trigger
	LANGUAGE c VOLATILE
	AS 'MODULE_PATHNAME', 'ledger_guard_ddl_end';
COMMENT ON FUNCTION ledger_guard_ddl_end() IS
	'Event trigger on ddl_command_end: refuses changes of the ledger''s objects outside a recorded migration (LG423); records those of a superuser.';

CREATE FUNCTION ledger_guard_drop() RETURNS event_trigger
	LANGUAGE c VOLATILE
	AS 'MODULE_PATHNAME', 'ledger_guard_drop';
COMMENT ON FUNCTION ledger_guard_drop() IS
	'Event trigger on sql_drop: the same for dropped objects.';

CREATE FUNCTION ledger_guard_rewrite() RETURNS event_trigger
	LANGUAGE c VOLATILE
	AS 'MODULE_PATHNAME', 'ledger_guard_rewrite';
COMMENT ON FUNCTION ledger_guard_rewrite() IS
	'Event trigger on table_rewrite: the same for tables that are rewritten (ALTER COLUMN … USING).';

-- Nobody but the owner's own functions and triggers has a use for these, and each
-- would do something in the caller's name that its SQL function guards.
REVOKE EXECUTE ON FUNCTION
	ledger_write(anyelement, bigint), ledger_write_many(anyarray), ledger_refold(text, timestamptz),
	ledger_import_lines(jsonb), ledger_lock_chains(),
	ledger_link(), ledger_project(), ledger_refuse_change(), ledger_refuse_direct()
	FROM PUBLIC;

CREATE FUNCTION ledger_row_facts(event anyelement,
	OUT computed bytea, OUT sound boolean, OUT leaf_sound boolean, OUT payload_fault text,
	OUT payload_now bytea, OUT evaluation_now bytea, OUT stub anyelement) RETURNS record
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'ledger_row_facts';
COMMENT ON FUNCTION ledger_row_facts(anyelement) IS
	'What a row shaped like ledger_events says about itself: the hash of its envelope (NULL if its columns make none); is that event_hash, and its leaf hash merkle_leaf_hash; what is wrong with payload, salt or evaluation; the two salted hashes as stored content gives them; and, of an unsound row, the row without payload and evaluation. Raises no error about content. For the verifier.';

CREATE FUNCTION ledger_computed_hash(event record) RETURNS bytea
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 20
	AS 'MODULE_PATHNAME', 'ledger_computed_hash';
COMMENT ON FUNCTION ledger_computed_hash(record) IS
	'ledger_event_hash() of a row that may hold anything: NULL where its columns make no envelope. For the verifier.';

CREATE FUNCTION ledger_find_homes(strays anyarray, place_strays integer[], place_tenants text[],
	place_chains uuid[], place_sequences bigint[])
	RETURNS TABLE (stray integer, tenant_id text, chain_id uuid, sequence_no bigint)
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'ledger_find_homes';
COMMENT ON FUNCTION ledger_find_homes(anyarray, integer[], text[], uuid[], bigint[]) IS
	'Where rows belong that are wrong where they stand (docs/verification.md, "Home"): the strays, by number from 1, and for some of them places to try first. For the verifier.';

CREATE FUNCTION ledger_chain_check_add(internal, event record, key bytea, range_start bigint, range_end bigint)
	RETURNS internal LANGUAGE c IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_chain_check_add';
COMMENT ON FUNCTION ledger_chain_check_add(internal, record, bytea, bigint, bigint) IS
	'Part of the aggregate ledger_chain_check().';
CREATE FUNCTION ledger_chain_check_combine(internal, internal)
	RETURNS internal LANGUAGE c IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_chain_check_combine';
COMMENT ON FUNCTION ledger_chain_check_combine(internal, internal) IS
	'Part of the aggregate ledger_chain_check().';
CREATE FUNCTION ledger_chain_check_send(internal)
	RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_chain_check_send';
COMMENT ON FUNCTION ledger_chain_check_send(internal) IS
	'Part of the aggregate ledger_chain_check().';
CREATE FUNCTION ledger_chain_check_receive(bytea, internal)
	RETURNS internal LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_chain_check_receive';
COMMENT ON FUNCTION ledger_chain_check_receive(bytea, internal) IS
	'Part of the aggregate ledger_chain_check().';
CREATE FUNCTION ledger_chain_check_final(internal)
	RETURNS bigint[] LANGUAGE c IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_chain_check_final';
COMMENT ON FUNCTION ledger_chain_check_final(internal) IS
	'Part of the aggregate ledger_chain_check().';

CREATE AGGREGATE ledger_chain_check(event record, key bytea, range_start bigint, range_end bigint) (
	SFUNC = ledger_chain_check_add, STYPE = internal, SSPACE = 256,
	FINALFUNC = ledger_chain_check_final, COMBINEFUNC = ledger_chain_check_combine,
	SERIALFUNC = ledger_chain_check_send, DESERIALFUNC = ledger_chain_check_receive,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE ledger_chain_check(record, bytea, bigint, bigint) IS
	'Is this one intact chain, every row sound, in any order of the rows? GROUP BY tenant_id, chain_id. The key is 16 random bytes. Returns rows in the range, payloads among them, erased rows read, 1 if sound, and a bit for each parallel worker that took part.';

CREATE FUNCTION ledger_verify_projection(tenant text, horizon timestamptz)
	RETURNS TABLE (tenant_id text, finding_id text, policy_version text, chain_id uuid, sequence_no bigint,
		stored_chain uuid, detail text, folded bigint)
	LANGUAGE c STABLE PARALLEL UNSAFE COST 10000
	AS 'MODULE_PATHNAME', 'ledger_verify_projection';
COMMENT ON FUNCTION ledger_verify_projection(text, timestamptz) IS
	'Folds all events of a tenant (NULL: of all that the role sees) again and names each derived row that differs, is missing or is too many; one last row tells how many findings were folded. History before the horizon is not expected. For the verifier.';

CREATE FUNCTION ledger_tree_check(tenant text, chain uuid, sizes bigint[],
	start bigint DEFAULT 0, start_frontier bytea DEFAULT '')
	RETURNS TABLE (tree_size bigint, root bytea, frontier bytea, level smallint, tile_index bigint, hashes bytea)
	LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 10000
	AS 'MODULE_PATHNAME', 'ledger_tree_check';
COMMENT ON FUNCTION ledger_tree_check(text, uuid, bigint[], bigint, bytea) IS
	'The tree of a chain computed again from its leaf hashes, in one pass: root and frontier of each size that is there, each full tile, and the unfinished tiles of the largest size. Reads the leaves after start, given the frontier of those before; tiles that begin before start are left out. Ends at the first gap. LG403: tenant not granted. For the verifier.';

CREATE FUNCTION ledger_frontier_root(frontier bytea, tree_size bigint) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_frontier_root';
COMMENT ON FUNCTION ledger_frontier_root(bytea, bigint) IS
	'The root that a frontier gives; NULL if it has not one hash for each bit set in tree_size. For the verifier.';

CREATE FUNCTION ledger_merkle_add(internal, leaf bytea)
	RETURNS internal LANGUAGE c IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_merkle_add';
COMMENT ON FUNCTION ledger_merkle_add(internal, bytea) IS
	'Part of the aggregate ledger_merkle_root().';
CREATE FUNCTION ledger_merkle_final(internal)
	RETURNS bytea LANGUAGE c IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_merkle_final';
COMMENT ON FUNCTION ledger_merkle_final(internal) IS
	'Part of the aggregate ledger_merkle_root().';

CREATE AGGREGATE ledger_merkle_root(leaf bytea) (
	SFUNC = ledger_merkle_add, STYPE = internal, SSPACE = 2048,
	FINALFUNC = ledger_merkle_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE ledger_merkle_root(bytea) IS
	'RFC 6962 root over leaf hashes in the order given: ledger_merkle_root(merkle_leaf_hash ORDER BY sequence_no). SHA-256 of nothing if there are none. LG400: a leaf is null or has not 32 bytes.';

CREATE FUNCTION ledger_verify_inclusion(leaf_hash bytea, leaf_index bigint, tree_size bigint, proof bytea[], root bytea)
	RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'ledger_verify_inclusion';
COMMENT ON FUNCTION ledger_verify_inclusion(bytea, bigint, bigint, bytea[], bytea) IS
	'Does the proof (RFC 9162 section 2.1.3) show that the leaf of that index, sequence_no - 1, is in the tree of that size and root? False also for whatever is malformed.';

CREATE FUNCTION ledger_verify_consistency(size1 bigint, root1 bytea, size2 bigint, root2 bytea, proof bytea[])
	RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'ledger_verify_consistency';
COMMENT ON FUNCTION ledger_verify_consistency(bigint, bytea, bigint, bytea, bytea[]) IS
	'Does the proof (RFC 9162 section 2.1.4) show that the first tree, which is not empty, is the beginning of the second? False also for whatever is malformed.';

CREATE FUNCTION ledger_key_id(public_key text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_key_id';
COMMENT ON FUNCTION ledger_key_id(text) IS
	'<name>+<8 hex digits> of a verifier key (C2SP signed-note). LG400: malformed or weak key.';

CREATE FUNCTION ledger_verify_note(note text, public_key text) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'ledger_verify_note';
COMMENT ON FUNCTION ledger_verify_note(text, text) IS
	'Is the signed note (C2SP signed-note), such as a checkpoint, signed by this verifier key? Ed25519 signatures and witness cosignatures (C2SP tlog-cosignature). A malformed note is not signed; a note with one wrong line of the key is not either. LG400: malformed or weak key.';

CREATE FUNCTION ledger_note_keys(note text) RETURNS SETOF text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 2
	AS 'MODULE_PATHNAME', 'ledger_note_keys';
COMMENT ON FUNCTION ledger_note_keys(text) IS
	'Which keys the signature lines of a note name, in order, as ledger_key_id() writes them; nothing is verified. None for what is no signed note.';

CREATE FUNCTION ledger_note_text(note text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_note_text';
COMMENT ON FUNCTION ledger_note_text(text) IS
	'What is signed in a note, with its final newline; NULL for what is no signed note.';

CREATE FUNCTION ledger_checkpoint_text(origin text, tree_size bigint, root bytea) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_checkpoint_text';
COMMENT ON FUNCTION ledger_checkpoint_text(text, bigint, bytea) IS
	'The text of a checkpoint (C2SP tlog-checkpoint), unsigned: origin, size and root in base64, a line each. LG400: what makes no checkpoint.';

CREATE FUNCTION ledger_parse_checkpoint(checkpoint text,
	OUT origin text, OUT tree_size bigint, OUT root bytea, OUT signed boolean) RETURNS record
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_parse_checkpoint';
COMMENT ON FUNCTION ledger_parse_checkpoint(text) IS
	'The parts of a checkpoint, and whether it is a signed note or only its text; all NULL for what is neither. No signature is verified.';

CREATE FUNCTION ledger_verify_dsse(envelope jsonb, public_key text) RETURNS jsonb
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'ledger_verify_dsse';
COMMENT ON FUNCTION ledger_verify_dsse(jsonb, text) IS
	'The payload of a DSSE v1 envelope if it is signed by this verifier key and is JSON, else NULL. The payloadType is signed too, and is yours to compare. LG400: malformed or weak key.';

CREATE FUNCTION ledger_proof_text(leaf_index bigint, proof bytea[], checkpoint text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_proof_text';
COMMENT ON FUNCTION ledger_proof_text(bigint, bytea[], text) IS
	'A proof bundle (C2SP tlog-proof) of an index, an inclusion proof and a signed checkpoint. Part of ledger_proof_bundle().';

CREATE FUNCTION ledger_tree_head(tenant text, chain uuid) RETURNS bigint
	LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED COST 100
	AS 'MODULE_PATHNAME', 'ledger_tree_head';
COMMENT ON FUNCTION ledger_tree_head(text, uuid) IS
	'The chain''s newest sequence that another transaction committed and the statement sees, 0 if none; waits until it is durable, and on the synchronous standbys if any are configured. For the ledger''s own functions; LG403 elsewhere.';

CREATE FUNCTION ledger_own_head() RETURNS bigint
	LANGUAGE c VOLATILE PARALLEL RESTRICTED COST 100
	AS 'MODULE_PATHNAME', 'ledger_own_head';
COMMENT ON FUNCTION ledger_own_head() IS
	'ledger_tree_head() of the chain of the ledger''s own events, whoever the session is: what guard_sequence of an anchor says. For the ledger''s own functions; LG403 elsewhere.';

CREATE FUNCTION ledger_watch_chain(tenant text, chain uuid, anchored bigint,
	OUT head bigint, OUT waiting_since timestamptz, OUT sequence_no bigint, OUT recorded_at timestamptz,
	OUT finding_id text, OUT policy_version text) RETURNS record
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED COST 100
	AS 'MODULE_PATHNAME', 'ledger_watch_chain';
COMMENT ON FUNCTION ledger_watch_chain(text, uuid, bigint) IS
	'Of a chain its newest sequence, when the first event behind a sequence was recorded (NULL: none is), and which event is the newest that was to be projected, if one of the last 64 was. A few probes of an index, however long the chain is. For the ledger''s own functions; LG403 elsewhere.';

CREATE FUNCTION ledger_anchored_ends(before timestamptz)
	RETURNS TABLE (tenant_id text, chain_id uuid, last_sequence bigint)
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'ledger_anchored_ends';
COMMENT ON FUNCTION ledger_anchored_ends(timestamptz) IS
	'Of every chain of all tenants that has anchors the size of the newest, or of the newest made before that time (0 if none was). For the functions that register and end keys; LG403 elsewhere.';

CREATE FUNCTION ledger_tree_advance(tenant text, chain uuid, frontier bytea, from_size bigint, to_size bigint,
	OUT new_frontier bytea, OUT root bytea, OUT nodes bytea) RETURNS record
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
	AS 'MODULE_PATHNAME', 'ledger_tree_advance';
COMMENT ON FUNCTION ledger_tree_advance(text, uuid, bytea, bigint, bigint) IS
	'Takes a tree on from one size to another: its new frontier and root, and the roots of the subtrees of 256 leaves that were completed on the way, in order. Reads the new leaves only. LG500: an event is missing, or the frontier is not that of from_size. For the ledger''s own functions; LG403 elsewhere.';

CREATE FUNCTION ledger_tree_root(tenant text, chain uuid, tree_size bigint) RETURNS bytea
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'ledger_tree_root';
COMMENT ON FUNCTION ledger_tree_root(text, uuid, bigint) IS
	'The core of ledger_chain_root(). For the ledger''s own functions; LG403 elsewhere.';

CREATE FUNCTION ledger_tree_inclusion(tenant text, chain uuid, leaf_index bigint, tree_size bigint) RETURNS bytea[]
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'ledger_tree_inclusion';
COMMENT ON FUNCTION ledger_tree_inclusion(text, uuid, bigint, bigint) IS
	'The core of ledger_inclusion_proof(). For the ledger''s own functions; LG403 elsewhere.';

CREATE FUNCTION ledger_tree_consistency(tenant text, chain uuid, size1 bigint, size2 bigint) RETURNS bytea[]
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'ledger_tree_consistency';
COMMENT ON FUNCTION ledger_tree_consistency(text, uuid, bigint, bigint) IS
	'The core of ledger_consistency_proof(). For the ledger''s own functions; LG403 elsewhere.';

CREATE FUNCTION ledger_force_flush() RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'ledger_force_flush';
COMMENT ON FUNCTION ledger_force_flush() IS
	'The present transaction''s commit is flushed, whatever synchronous_commit says.';

REVOKE EXECUTE ON FUNCTION
	ledger_watch_chain(text, uuid, bigint), ledger_tree_head(text, uuid), ledger_own_head(), ledger_anchored_ends(timestamptz),
	ledger_tree_advance(text, uuid, bytea, bigint, bigint),
	ledger_tree_root(text, uuid, bigint), ledger_tree_inclusion(text, uuid, bigint, bigint),
	ledger_tree_consistency(text, uuid, bigint, bigint), ledger_force_flush()
	FROM PUBLIC;

CREATE FUNCTION ledger_fold_events_add(internal, event record, shape anyelement)
	RETURNS internal LANGUAGE c STABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'ledger_fold_events_add';
COMMENT ON FUNCTION ledger_fold_events_add(internal, record, anyelement) IS
	'Part of the aggregate ledger_fold_events().';
CREATE FUNCTION ledger_fold_events_final(internal, event record, shape anyelement)
	RETURNS anyelement LANGUAGE c STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'ledger_fold_events_final';
COMMENT ON FUNCTION ledger_fold_events_final(internal, record, anyelement) IS
	'Part of the aggregate ledger_fold_events().';

CREATE AGGREGATE ledger_fold_events(event record, shape anyelement) (
	SFUNC = ledger_fold_events_add, STYPE = internal, SSPACE = 2048,
	FINALFUNC = ledger_fold_events_final, FINALFUNC_EXTRA);
COMMENT ON AGGREGATE ledger_fold_events(record, anyelement) IS
	'A finding as it was after these events, folded as the projection is. Give events of one finding in the order of their sequence (LG400 otherwise), and NULL::ledger.findings_projection as the shape of the answer; NULL if none of the events is folded.';
