-- verify_plain.sql: an independent check of a Findings Ledger in plain SQL.
--
--     psql -d restored -f sql/audit/verify_plain.sql
--     psql -d copy -v events_table=public.copied -f sql/audit/verify_plain.sql
--
-- Needs core PostgreSQL 14 to 18 and nothing else: no extension, no other file.
-- It implements docs/formats.md, docs/projection.md and docs/verification.md a
-- second time and calls no function of the ledger, so that one reader can check
-- all of it.  It prints one row for each finding, then one row of counts with the
-- verdict (clean, tampered or nothing_checked), and psql ends with status 3
-- unless the verdict is clean.  Of anchors it checks roots, frontiers, tiles,
-- succession, and the text that was signed.  It does not check signatures, for
-- which SQL has no function, nor whether guards changed between anchors.
--
-- Variables (psql -v name=value), all optional:
--     schema         schema of the ledger, default ledger
--     tenant, chain  only this tenant, only this chain
--     from_sequence, to_sequence   only these numbers of each chain
--     events_table   a table with the columns of ledger_events (a \copy of it);
--                    then only events are checked
--     guards=off     leave out the guards, for a copy restored without its roles
--     run=off        only create the functions, to be used as
--                    SELECT * FROM pg_temp.plain_verify(tenant, chain, from, to)
--                    or pg_temp.plain_report(...), which adds the counts
--
-- It reads as whoever runs it: SELECT on the tables, and TEMPORARY on the
-- database because its helpers live in pg_temp and vanish with the session.  So
-- it cannot run on a hot standby: use the primary or a restored copy, and start
-- it outside a transaction.  A role that row security filters must name a tenant.

\set ON_ERROR_STOP on
\set QUIET on
\if :{?schema} \else \set schema ledger \endif
\if :{?tenant} \else \set tenant '' \endif
\if :{?chain} \else \set chain '' \endif
\if :{?from_sequence} \else \set from_sequence '' \endif
\if :{?to_sequence} \else \set to_sequence '' \endif
\if :{?guards} \else \set guards on \endif
\if :{?run} \else \set run on \endif
\if :{?events_table} \set plain_whole false \else \set plain_whole true \endif
\if :{?events_table} \else \set events_table :"schema" '.ledger_events' \endif

-- ---------------------------------------------------------------------------
-- 1. What is read.  Views give the tables fixed names, so that the rest is
--    ordinary SQL.  The search_path is narrowed first: nothing that someone put
--    into another schema of a tampered database may stand in for a function.
-- ---------------------------------------------------------------------------
SELECT pg_catalog.current_setting('search_path') AS plain_path,
       pg_catalog.current_setting('client_min_messages') AS plain_messages,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS plain_events
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.oid OPERATOR(pg_catalog.=) :'events_table'::pg_catalog.regclass \gset
SET search_path = pg_catalog;
SET client_min_messages = warning;

SELECT :plain_whole AND to_regclass(format('%I.ledger_chains', :'schema')) IS NOT NULL AS plain_chains,
       :plain_whole AND to_regclass(format('%I.findings_projection', :'schema')) IS NOT NULL
                    AND to_regclass(format('%I.finding_history', :'schema')) IS NOT NULL
                    AND to_regclass(format('%I.triage_actions', :'schema')) IS NOT NULL
                    AND to_regclass(format('%I.ledger_event_types', :'schema')) IS NOT NULL AS plain_projections,
       :plain_whole AND to_regclass(format('%I.ledger_partition_intent', :'schema')) IS NOT NULL AS plain_intent,
       :plain_whole AND to_regclass(format('%I.ledger_chains', :'schema')) IS NOT NULL
                    AND to_regclass(format('%I.ledger_merkle_roots', :'schema')) IS NOT NULL
                    AND to_regclass(format('%I.ledger_merkle_tiles', :'schema')) IS NOT NULL
                    AND to_regclass(format('%I.ledger_merkle_edge', :'schema')) IS NOT NULL
                    AND to_regclass(format('%I.ledger_anchor_receipts', :'schema')) IS NOT NULL AS plain_anchors,
       :plain_whole AND to_regclass(format('%I.ledger_tenants', :'schema')) IS NOT NULL
                    AND lower(:'guards') NOT IN ('off', 'false', 'no', '0') AS plain_guards \gset

-- The casts make a copied table of plain text columns as good as the original.
CREATE OR REPLACE TEMP VIEW plain_event AS
	SELECT tenant_id::text COLLATE "C" AS tenant_id, chain_id::uuid AS chain_id, sequence_no::bigint AS sequence_no,
	       event_id::uuid AS event_id, event_type::text COLLATE "C" AS event_type,
	       policy_version::text COLLATE "C" AS policy_version, finding_id::text COLLATE "C" AS finding_id,
	       artifact_id::text COLLATE "C" AS artifact_id, vuln_id::text COLLATE "C" AS vuln_id,
	       source_run_id::uuid AS source_run_id, actor_id::text COLLATE "C" AS actor_id,
	       actor_type::text COLLATE "C" AS actor_type, occurred_at::timestamptz AS occurred_at,
	       recorded_at::timestamptz AS recorded_at, recorded_by::text COLLATE "C" AS recorded_by,
	       evidence_bundle_ref::text COLLATE "C" AS evidence_bundle_ref, schema_version::text COLLATE "C" AS schema_version,
	       event_body::jsonb AS event_body, payload_salt::bytea AS payload_salt, payload_hash::bytea AS payload_hash,
	       evaluation::jsonb AS evaluation, evaluation_hash::bytea AS evaluation_hash,
	       previous_hash::bytea AS previous_hash, event_hash::bytea AS event_hash,
	       merkle_leaf_hash::bytea AS merkle_leaf_hash
	  FROM :plain_events;
CREATE OR REPLACE TEMP VIEW plain_source AS
	SELECT :'schema'::text AS schema_name, :'plain_events'::text AS events_table,
	       :'plain_chains'::boolean AS chains, :'plain_projections'::boolean AS projections,
	       :'plain_anchors'::boolean AS anchors, :'plain_guards'::boolean AS guards;
\if :plain_chains
CREATE OR REPLACE TEMP VIEW plain_chain AS
	SELECT tenant_id::text COLLATE "C" AS tenant_id, chain_id::uuid AS chain_id FROM :"schema".ledger_chains;
\else
CREATE OR REPLACE TEMP VIEW plain_chain AS SELECT tenant_id, chain_id FROM plain_event WHERE false;
\endif
\if :plain_anchors
CREATE OR REPLACE TEMP VIEW plain_registered AS
	SELECT tenant_id::text COLLATE "C" AS tenant_id, chain_id, policy_version::text COLLATE "C" AS policy_version,
	       first_anchored_sequence AS first_no, last_anchored_sequence AS last_no FROM :"schema".ledger_chains;
CREATE OR REPLACE TEMP VIEW plain_anchor AS
	SELECT tenant_id::text COLLATE "C" AS tenant_id, chain_id, tree_size, anchor_id, window_start, window_end, sequence_start, sequence_end,
	       leaf_count, root_hash, previous_root_hash, frontier, origin, checkpoint, dsse, anchor_reference FROM :"schema".ledger_merkle_roots;
-- Full tiles and the edge, told apart by their table and not by their length.
CREATE OR REPLACE TEMP VIEW plain_tile AS
	SELECT tenant_id::text COLLATE "C" AS tenant_id, chain_id, true AS is_full, level::integer AS level, tile_index, hashes FROM :"schema".ledger_merkle_tiles
	UNION ALL
	SELECT tenant_id, chain_id, false, level, tile_index, hashes FROM :"schema".ledger_merkle_edge;
CREATE OR REPLACE TEMP VIEW plain_receipt AS
	SELECT tenant_id::text COLLATE "C" AS tenant_id, anchor_id, reference::text COLLATE "C" AS reference FROM :"schema".ledger_anchor_receipts;
\else
CREATE OR REPLACE TEMP VIEW plain_registered AS
	SELECT NULL::text COLLATE "C" AS tenant_id, NULL::uuid AS chain_id, NULL::text COLLATE "C" AS policy_version,
	       NULL::bigint AS first_no, NULL::bigint AS last_no WHERE false;
CREATE OR REPLACE TEMP VIEW plain_anchor AS
	SELECT NULL::text COLLATE "C" AS tenant_id, NULL::uuid AS chain_id, NULL::bigint AS tree_size, NULL::uuid AS anchor_id,
	       NULL::timestamptz AS window_start, NULL::timestamptz AS window_end, NULL::bigint AS sequence_start, NULL::bigint AS sequence_end,
	       NULL::bigint AS leaf_count, NULL::bytea AS root_hash, NULL::bytea AS previous_root_hash, NULL::bytea AS frontier,
	       NULL::text AS origin, NULL::text AS checkpoint, NULL::jsonb AS dsse, NULL::text AS anchor_reference WHERE false;
CREATE OR REPLACE TEMP VIEW plain_tile AS
	SELECT NULL::text COLLATE "C" AS tenant_id, NULL::uuid AS chain_id, true AS is_full, NULL::integer AS level, NULL::bigint AS tile_index,
	       NULL::bytea AS hashes WHERE false;
CREATE OR REPLACE TEMP VIEW plain_receipt AS
	SELECT NULL::text COLLATE "C" AS tenant_id, NULL::uuid AS anchor_id, NULL::text COLLATE "C" AS reference WHERE false;
\endif
\if :plain_intent
CREATE OR REPLACE TEMP VIEW plain_intent AS
	SELECT parent_table::text AS parent_table, aged_out_before::timestamptz AS aged_out_before FROM :"schema".ledger_partition_intent;
\else
CREATE OR REPLACE TEMP VIEW plain_intent AS SELECT NULL::text AS parent_table, NULL::timestamptz AS aged_out_before WHERE false;
\endif
\if :plain_guards
CREATE OR REPLACE TEMP VIEW plain_tenant AS SELECT tenant_id::text AS tenant_id, leaf::text AS leaf FROM :"schema".ledger_tenants;
\else
CREATE OR REPLACE TEMP VIEW plain_tenant AS SELECT NULL::text AS tenant_id, NULL::text AS leaf WHERE false;
\endif
-- Expected and stored rows of the three derived tables, as JSON, by their keys.
CREATE TEMP TABLE IF NOT EXISTS plain_expected (
	source text, tenant_id text COLLATE "C", finding_id text COLLATE "C", policy_version text COLLATE "C",
	sequence_key bigint, chain_id uuid, sequence_no bigint, content jsonb);
\if :plain_projections
CREATE OR REPLACE TEMP VIEW plain_type AS
	SELECT event_type::text COLLATE "C" AS event_type, projected, default_status, action_kind, reads, labels_mode
	  FROM :"schema".ledger_event_types;
CREATE OR REPLACE TEMP VIEW plain_stored AS
	SELECT 'findings_projection'::text AS source, tenant_id::text COLLATE "C" AS tenant_id, finding_id::text COLLATE "C" AS finding_id,
	       policy_version::text COLLATE "C" AS policy_version, 0::bigint AS sequence_key,
	       chain_id, current_sequence AS sequence_no, to_jsonb(f) AS content FROM :"schema".findings_projection f
	UNION ALL
	SELECT 'finding_history', tenant_id, finding_id, policy_version, sequence_no, chain_id, sequence_no, to_jsonb(h)
	  FROM :"schema".finding_history h
	UNION ALL
	SELECT 'triage_actions', tenant_id, finding_id, policy_version, sequence_no, chain_id, sequence_no, to_jsonb(a)
	  FROM :"schema".triage_actions a;
\else
CREATE OR REPLACE TEMP VIEW plain_type AS
	SELECT NULL::text COLLATE "C" AS event_type, true AS projected, NULL::text AS default_status, NULL::text AS action_kind,
	       NULL::text[] AS reads, NULL::text AS labels_mode WHERE false;
CREATE OR REPLACE TEMP VIEW plain_stored AS SELECT * FROM plain_expected WHERE false;
\endif

-- One row for each event that is read, and what was found out about it.
CREATE TEMP TABLE IF NOT EXISTS plain_row (
	row_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	tenant_id text COLLATE "C", chain_id uuid, sequence_no bigint, event_id uuid,
	finding_id text COLLATE "C", policy_version text COLLATE "C",
	in_range boolean,       -- asked for; the others are the neighbours of the range
	envelope jsonb,         -- kept only where it does not give event_hash
	computed bytea,         -- SHA-256 of the envelope
	previous_hash bytea, event_hash bytea,
	envelope_ok boolean, leaf_ok boolean,
	has_payload boolean, payload_fault text,
	payload_hash bytea,
	payload_now bytea, evaluation_now bytea,  -- the two hashes, computed from what is stored
	-- Where the row belongs: where it stands, unless it proves to come from elsewhere.
	home_tenant text COLLATE "C", home_chain uuid, home_sequence bigint,
	moved boolean DEFAULT false,
	holds boolean DEFAULT true,  -- it, and not another row, takes its place in the chain
	next_says bytea,        -- previous_hash of the row after it
	true_hash bytea,        -- what its successor ought to remember
	previous_true bytea, previous_row bigint,
	kind text, detail text, blamed boolean DEFAULT false);
CREATE INDEX IF NOT EXISTS plain_row_stray ON plain_row (previous_hash) WHERE NOT envelope_ok AND NOT leaf_ok;
CREATE TEMP TABLE IF NOT EXISTS plain_finding (
	tenant_id text COLLATE "C", chain_id uuid, sequence_no bigint, kind text, detail text);

-- Nodes of the anchored chains' trees (formats.md section 5): of height 0 the leaves.
CREATE TEMP TABLE IF NOT EXISTS plain_node (
	tenant_id text COLLATE "C", chain_id uuid, height integer, node_index bigint, hash bytea,
	PRIMARY KEY (tenant_id, chain_id, height, node_index));
-- One row for each anchored chain, and one for each anchor.
CREATE TEMP TABLE IF NOT EXISTS plain_anchored (
	tenant_id text COLLATE "C", chain_id uuid, registered boolean, first_no bigint, last_no bigint, registered_policy text COLLATE "C",
	head bigint, policy text COLLATE "C", doubtful boolean, moved boolean);
CREATE TEMP TABLE IF NOT EXISTS plain_judged (
	tenant_id text COLLATE "C", chain_id uuid, tree_size bigint, place bigint,  -- 1, 2, 3 ... in the chain
	sequence_start bigint, root_hash bytea, previous_root_hash bytea,
	fault text,             -- what disagrees within the row
	root bytea,             -- as the leaves give it
	kind text, detail text);

-- ---------------------------------------------------------------------------
-- 2. Canonical JSON (formats.md section 1, RFC 8785).
-- ---------------------------------------------------------------------------

-- "members sorted by the UTF-16 code units of their names": the units of a name.
CREATE OR REPLACE FUNCTION pg_temp.plain_utf16(name text) RETURNS integer[] LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(array_agg(u.unit ORDER BY c.place, u.half), '{}')
	  FROM string_to_table(name, NULL) WITH ORDINALITY AS c (letter, place),
	       LATERAL (VALUES
	           (1, CASE WHEN ascii(letter) < 65536 THEN ascii(letter) ELSE 55296 + (ascii(letter) - 65536) / 1024 END),
	           (2, CASE WHEN ascii(letter) < 65536 THEN NULL ELSE 56320 + (ascii(letter) - 65536) % 1024 END)) AS u (half, unit)
	 WHERE u.unit IS NOT NULL
$$;

-- "accepted only if its exact decimal value survives the trip to a double and
-- back".  PostgreSQL prints the shortest digits strictly inside a double's
-- interval; ECMAScript also takes its ends, which makes fewer digits.
CREATE OR REPLACE FUNCTION pg_temp.plain_is_double(number numeric, digits text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	v_shortest numeric;
BEGIN
	v_shortest := number::float8::text::numeric;
	RETURN number = v_shortest
	    OR length(digits) < length(trim('0' FROM translate(v_shortest::text, '-.', '')));
EXCEPTION WHEN numeric_value_out_of_range THEN
	RETURN false;
END
$$;

-- "ECMAScript number form" (ECMA-262 Number::toString; v_point is its n).  NULL
-- for a number that the ledger cannot have accepted.
CREATE OR REPLACE FUNCTION pg_temp.plain_number(number text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	v_sign text := CASE WHEN number LIKE '-%' THEN '-' ELSE '' END;
	v_whole text;
	v_fraction text;
	v_digits text;
	v_point integer;
BEGIN
	IF number ~ '^-?[1-9][0-9]{0,14}$' THEN
		RETURN number;
	END IF;
	v_whole := ltrim(split_part(ltrim(number, '-'), '.', 1), '0');
	v_fraction := split_part(ltrim(number, '-'), '.', 2);
	v_digits := trim('0' FROM v_whole || v_fraction);
	IF v_digits = '' THEN
		RETURN '0';
	END IF;
	v_point := CASE WHEN v_whole <> '' THEN length(v_whole)
	                ELSE length(ltrim(v_fraction, '0')) - length(v_fraction) END;
	IF (length(v_digits) > 15 OR v_point NOT BETWEEN -289 AND 290)
	   AND NOT pg_temp.plain_is_double(number::numeric, v_digits) THEN
		RETURN NULL;
	END IF;
	RETURN v_sign || CASE
		WHEN v_point BETWEEN length(v_digits) AND 21 THEN rpad(v_digits, v_point, '0')
		WHEN v_point BETWEEN 1 AND 21 THEN left(v_digits, v_point) || '.' || substr(v_digits, v_point + 1)
		WHEN v_point BETWEEN -5 AND 0 THEN '0.' || repeat('0', -v_point) || v_digits
		ELSE left(v_digits, 1) || CASE WHEN length(v_digits) > 1 THEN '.' || substr(v_digits, 2) ELSE '' END
		     || 'e' || CASE WHEN v_point > 0 THEN '+' ELSE '-' END || abs(v_point - 1)
	END;
END
$$;

-- A value's canonical text; NULL if a number in it has none.  PostgreSQL's own
-- quoting of strings is JCS's: \b \t \n \f \r \" \\, other control characters as
-- \u00xx, everything else as it is.  Byte order is the order of UTF-16 code units
-- unless a character from U+E000 on occurs (wide; NULL: find out).  The server's
-- stack bounds the recursion, so what lies 50 levels down is first left as it is,
-- between two control characters, and put into its form afterwards.
CREATE OR REPLACE FUNCTION pg_temp.plain_jcs(value jsonb, wide boolean DEFAULT NULL, depth integer DEFAULT 0)
RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	v_wide boolean := coalesce(wide, octet_length(value::text) > length(value::text)
		AND value::text ~ E'[\\uE000-\\U0010FFFF]');
	v_text text;
BEGIN
	IF depth = 50 THEN
		RETURN E'\x01' || value::text || E'\x02';
	END IF;
	CASE jsonb_typeof(value)
	WHEN 'object' THEN
		SELECT CASE WHEN count(*) = count(m.text) THEN '{' || coalesce(string_agg(to_json(m.key)::text || ':' || m.text, ','
		            ORDER BY CASE WHEN v_wide THEN pg_temp.plain_utf16(m.key) END, m.key COLLATE "C"), '') || '}' END
		  INTO v_text
		  FROM (SELECT e.key, CASE jsonb_typeof(e.value) WHEN 'object' THEN pg_temp.plain_jcs(e.value, v_wide, depth + 1)
		                           WHEN 'array' THEN pg_temp.plain_jcs(e.value, v_wide, depth + 1)
		                           WHEN 'number' THEN pg_temp.plain_number(e.value::text) ELSE e.value::text END AS text
		          FROM jsonb_each(value) AS e OFFSET 0) AS m;
	WHEN 'array' THEN
		SELECT CASE WHEN count(*) = count(m.text) THEN '[' || coalesce(string_agg(m.text, ',' ORDER BY m.place), '') || ']' END
		  INTO v_text
		  FROM (SELECT a.place, CASE jsonb_typeof(a.value) WHEN 'object' THEN pg_temp.plain_jcs(a.value, v_wide, depth + 1)
		                             WHEN 'array' THEN pg_temp.plain_jcs(a.value, v_wide, depth + 1)
		                             WHEN 'number' THEN pg_temp.plain_number(a.value::text) ELSE a.value::text END AS text
		          FROM jsonb_array_elements(value) WITH ORDINALITY AS a (value, place) OFFSET 0) AS m;
	WHEN 'number' THEN
		v_text := pg_temp.plain_number(value::text);
	ELSE
		v_text := value::text;
	END CASE;
	WHILE depth = 0 AND strpos(v_text, E'\x01') > 0 LOOP
		v_text := split_part(v_text, E'\x01', 1)
			|| pg_temp.plain_jcs(split_part(substr(v_text, strpos(v_text, E'\x01') + 1), E'\x02', 1)::jsonb, v_wide)
			|| substr(v_text, strpos(v_text, E'\x02') + 1);
	END LOOP;
	RETURN v_text;
END
$$;

-- "RFC 3339, UTC, exactly six fraction digits and Z"; NULL outside years 1 to 9999.
CREATE OR REPLACE FUNCTION pg_temp.plain_time(moment timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN moment >= '0001-01-01 00:00:00+00' AND moment < '10000-01-01 00:00:00+00'
	            THEN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END
$$;

-- ---------------------------------------------------------------------------
-- 3. Hashes of an event (formats.md section 2).
-- ---------------------------------------------------------------------------

-- "SHA-256(0x02 || uint8(length of salt) || salt || JCS(payload))", 0x03 for an
-- evaluation; a salt has 0 or 16 to 64 bytes.  NULL where it cannot be computed.
CREATE OR REPLACE FUNCTION pg_temp.plain_salted(domain bytea, salt bytea, value jsonb) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN octet_length(salt) = 0 OR octet_length(salt) BETWEEN 16 AND 64
	            THEN sha256(domain || set_byte(E'\\x00', 0, octet_length(salt)) || salt
	                        || convert_to(pg_temp.plain_jcs(value), 'UTF8')) END
$$;

-- JCS of the envelope ledger.event.v1, written out in its sorted order; optional
-- members that are NULL are left out.  NULL for a schema that this file does not
-- know, a time without form, or more than 65,535 bytes.
CREATE OR REPLACE FUNCTION pg_temp.plain_envelope(e pg_temp.plain_event) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN e.schema_version = 'ledger.event.v1' AND octet_length(text) <= 65535 THEN text END
	  FROM (SELECT
		'{"actor":{"id":' || to_json(e.actor_id) || ',"type":' || to_json(e.actor_type)
		|| '},"chainId":"' || e.chain_id
		|| coalesce('","evaluationHash":"' || encode(e.evaluation_hash, 'hex'), '') || '"'
		|| coalesce(',"evidenceBundleRef":' || to_json(e.evidence_bundle_ref), '')
		|| ',"finding":{"artifactId":' || to_json(e.artifact_id) || ',"id":' || to_json(e.finding_id)
		|| coalesce(',"vulnId":' || to_json(e.vuln_id), '')
		|| '},"id":"' || e.event_id
		|| '","occurredAt":"' || pg_temp.plain_time(e.occurred_at)
		|| '","payloadHash":"' || coalesce(encode(e.payload_hash, 'hex'), '')
		|| '","policyVersion":' || to_json(e.policy_version)
		|| ',"previousHash":"' || coalesce(encode(e.previous_hash, 'hex'), '')
		|| '","recordedAt":"' || pg_temp.plain_time(e.recorded_at)
		|| '","recordedBy":' || to_json(e.recorded_by)
		|| ',"schema":' || to_json(e.schema_version)
		|| ',"sequence":' || e.sequence_no
		|| coalesce(',"sourceRunId":"' || e.source_run_id || '"', '')
		|| ',"tenant":' || to_json(e.tenant_id)
		|| ',"type":' || to_json(e.event_type) || '}' AS text OFFSET 0) AS v
$$;

-- No event has an envelope with another number, or with a hash that is none.
CREATE OR REPLACE FUNCTION pg_temp.plain_is_envelope(sequence_no bigint, payload integer, previous integer, evaluation integer)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(sequence_no BETWEEN 1 AND 9007199254740991 AND payload = 32 AND previous = 32 AND coalesce(evaluation, 32) = 32, false)
$$;

-- The event hash that an envelope would have with some members replaced.
CREATE OR REPLACE FUNCTION pg_temp.plain_hash_with(envelope jsonb, members jsonb) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT sha256(convert_to(pg_temp.plain_jcs(e), 'UTF8'))
	  FROM (SELECT jsonb_strip_nulls(envelope || members) AS e OFFSET 0) AS v
	 WHERE pg_temp.plain_is_envelope((e ->> 'sequence')::bigint, length(e ->> 'payloadHash') / 2, length(e ->> 'previousHash') / 2,
	                                 length(e ->> 'evaluationHash') / 2)
$$;

-- ---------------------------------------------------------------------------
-- 4. Read the rows and compute their hashes.  With a range, the row before it
--    and the row after it are read too, as witnesses.
-- ---------------------------------------------------------------------------
CREATE OR REPLACE FUNCTION pg_temp.plain_read(in_tenant text, in_chain uuid, in_from bigint, in_to bigint)
RETURNS void LANGUAGE sql AS $$
	DELETE FROM pg_temp.plain_row;
	WITH bounds AS MATERIALIZED (
		SELECT tenant_id, chain_id, max(sequence_no) FILTER (WHERE sequence_no < in_from) AS before,
		       min(sequence_no) FILTER (WHERE sequence_no > in_to) AS after
		  FROM pg_temp.plain_event
		 WHERE (in_tenant IS NULL OR tenant_id = in_tenant) AND (in_chain IS NULL OR chain_id = in_chain)
		 GROUP BY tenant_id, chain_id)
	INSERT INTO pg_temp.plain_row
		(tenant_id, chain_id, sequence_no, event_id, finding_id, policy_version, in_range, envelope, computed, previous_hash,
		 event_hash, envelope_ok, leaf_ok, has_payload, payload_fault, payload_hash, payload_now, evaluation_now,
		 home_tenant, home_chain, home_sequence)
	SELECT e.tenant_id, e.chain_id, e.sequence_no, e.event_id, e.finding_id, e.policy_version, e.in_range,
	       CASE WHEN h.event = e.event_hash THEN NULL ELSE e.envelope::jsonb END, h.event, e.previous_hash,
	       e.event_hash, coalesce(h.event = e.event_hash, false), coalesce(h.leaf = e.merkle_leaf_hash, false),
	       e.event_body IS NOT NULL,
	       CASE WHEN e.event_body IS NULL THEN
	                 CASE WHEN e.payload_salt IS NOT NULL OR e.evaluation IS NOT NULL
	                      THEN 'the payload is erased but its salt or evaluation is there' END
	            WHEN jsonb_typeof(e.event_body) <> 'object' OR h.payload IS DISTINCT FROM e.payload_hash
	                 THEN 'payload does not give payload_hash'
	            WHEN h.evaluation IS DISTINCT FROM e.evaluation_hash OR (e.evaluation IS NULL) <> (e.evaluation_hash IS NULL)
	                 THEN 'evaluation does not give evaluation_hash' END,
	       e.payload_hash, h.payload, h.evaluation, e.tenant_id, e.chain_id, e.sequence_no
	  FROM (SELECT v.*, pg_temp.plain_envelope(v) AS envelope,
	               (in_from IS NULL OR v.sequence_no >= in_from) AND (in_to IS NULL OR v.sequence_no <= in_to) AS in_range
	          -- Without a range every row is read, even one with no chain or number at all.
	          FROM pg_temp.plain_event AS v LEFT JOIN bounds AS b USING (tenant_id, chain_id)
	         WHERE (in_tenant IS NULL OR v.tenant_id = in_tenant) AND (in_chain IS NULL OR v.chain_id = in_chain)
	           AND (in_from IS NULL AND in_to IS NULL
	                OR v.sequence_no >= coalesce(b.before, v.sequence_no) AND v.sequence_no <= coalesce(b.after, v.sequence_no))
	        OFFSET 0) AS e,
	       LATERAL (SELECT sha256(convert_to(t.text, 'UTF8')) AS event,
	                       sha256(E'\\x00'::bytea || convert_to(t.text, 'UTF8')) AS leaf,
	                       pg_temp.plain_salted(E'\\x02', e.payload_salt, e.event_body) AS payload,
	                       pg_temp.plain_salted(E'\\x03', e.payload_salt, e.evaluation) AS evaluation
	                  -- What is no envelope may still become one, in another place or with another hash.
	                  FROM (SELECT CASE WHEN pg_temp.plain_is_envelope(e.sequence_no, octet_length(e.payload_hash),
	                                         octet_length(e.previous_hash), octet_length(e.evaluation_hash))
	                               THEN e.envelope END) AS t (text) OFFSET 0) AS h
$$;

-- ---------------------------------------------------------------------------
-- 5. Rows out of place.  A row whose envelope is wrong where it stands may be
--    right elsewhere: behind the row whose hash it remembers as its previous one
--    (place 1 of a chain for 64 zeros).  That its event_hash then fits is proof.
--    The walk goes on from each row that found its home.
-- ---------------------------------------------------------------------------
CREATE OR REPLACE FUNCTION pg_temp.plain_find_homes() RETURNS void LANGUAGE sql AS $$
	WITH RECURSIVE stray AS MATERIALIZED (
		SELECT * FROM pg_temp.plain_row WHERE NOT envelope_ok AND NOT leaf_ok AND envelope IS NOT NULL),
	place (row_no, tenant_id, chain_id, sequence_no) AS MATERIALIZED (
		SELECT s.row_no, p.tenant_id, p.chain_id, p.sequence_no + 1
		  FROM stray AS s JOIN pg_temp.plain_row AS p
		    ON s.previous_hash = CASE WHEN p.leaf_ok THEN p.computed ELSE p.event_hash END
		 WHERE p.tenant_id IS NOT NULL AND p.chain_id IS NOT NULL AND p.sequence_no < 9007199254740991
		UNION
		SELECT row_no, tenant_id, chain_id, 1 FROM stray WHERE previous_hash = decode(repeat('00', 32), 'hex')
		UNION
		SELECT s.row_no, p.tenant_id, p.chain_id, 1
		  FROM stray AS s JOIN pg_temp.plain_row AS p ON p.previous_hash = s.event_hash AND p.sequence_no = 2
		 WHERE s.previous_hash = decode(repeat('00', 32), 'hex')),
	walk (row_no, tenant_id, chain_id, sequence_no, event_hash) AS (
		SELECT s.row_no, p.tenant_id, p.chain_id, p.sequence_no, s.event_hash
		  FROM place AS p JOIN stray AS s USING (row_no)
		 WHERE pg_temp.plain_hash_with(s.envelope, jsonb_build_object(
		           'tenant', p.tenant_id, 'chainId', p.chain_id, 'sequence', p.sequence_no)) = s.event_hash
		UNION
		SELECT s.row_no, w.tenant_id, w.chain_id, w.sequence_no + 1, s.event_hash
		  FROM walk AS w, LATERAL (SELECT * FROM pg_temp.plain_row AS x  -- by its index, once for each step
		                            WHERE x.previous_hash = w.event_hash AND NOT x.envelope_ok AND NOT x.leaf_ok OFFSET 0) AS s
		 WHERE pg_temp.plain_hash_with(s.envelope, jsonb_build_object(
		           'tenant', w.tenant_id, 'chainId', w.chain_id, 'sequence', w.sequence_no + 1)) = s.event_hash)
	UPDATE pg_temp.plain_row AS r
	   SET moved = true, computed = r.event_hash,
	       home_tenant = w.tenant_id, home_chain = w.chain_id, home_sequence = w.sequence_no
	  FROM walk AS w
	 WHERE w.row_no = r.row_no
	   -- A row that stands there rightly makes this one a copy, not a stray.
	   AND NOT EXISTS (SELECT FROM pg_temp.plain_row AS o
	                    WHERE (o.tenant_id, o.chain_id, o.sequence_no) = (w.tenant_id, w.chain_id, w.sequence_no)
	                      AND (o.envelope_ok OR o.leaf_ok))
$$;

-- ---------------------------------------------------------------------------
-- 6. Duplicates.  Of the rows that share an event id in a tenant, or a place in
--    a chain, the first in the order below is the genuine one.
-- ---------------------------------------------------------------------------
CREATE OR REPLACE FUNCTION pg_temp.plain_find_duplicates() RETURNS void LANGUAGE sql AS $$
	UPDATE pg_temp.plain_row AS r
	   SET kind = 'duplicate', detail = format('event id %s stands in another row of the tenant too', r.event_id)
	  FROM (SELECT row_no, row_number() OVER (PARTITION BY tenant_id, event_id
	                                          ORDER BY envelope_ok DESC, chain_id, sequence_no, row_no) AS place
	          FROM pg_temp.plain_row) AS d
	 WHERE d.row_no = r.row_no AND d.place > 1;
	-- A copy of a row that stands rightly elsewhere takes no place of its own.
	UPDATE pg_temp.plain_row AS r
	   SET kind = 'duplicate', holds = false,
	       detail = format('copy of chain %s sequence %s', o.chain_id, o.sequence_no)
	  FROM pg_temp.plain_row AS o
	 WHERE NOT r.envelope_ok AND NOT r.leaf_ok AND o.envelope_ok
	   AND o.event_id = r.event_id AND o.event_hash = r.event_hash;
	WITH shared AS (
		SELECT home_tenant, home_chain, home_sequence FROM pg_temp.plain_row
		 WHERE holds GROUP BY 1, 2, 3 HAVING count(*) > 1),
	ranked AS (
		SELECT r.row_no, row_number() OVER (PARTITION BY home_tenant, home_chain, home_sequence
		           ORDER BY r.kind IS NOT NULL, r.envelope_ok DESC, r.leaf_ok DESC,
		                    EXISTS (SELECT FROM pg_temp.plain_row AS n
		                             WHERE (n.tenant_id, n.chain_id, n.sequence_no) = (r.tenant_id, r.chain_id, nullif(r.sequence_no, 9223372036854775807) + 1)
		                               AND n.previous_hash = r.event_hash) DESC, r.event_id, r.row_no) AS place
		  FROM shared JOIN pg_temp.plain_row AS r USING (home_tenant, home_chain, home_sequence) WHERE r.holds)
	UPDATE pg_temp.plain_row AS r
	   SET kind = 'duplicate', holds = false,
	       detail = coalesce(r.detail, format('another row has the same sequence; this one has event id %s', r.event_id))
	  FROM ranked WHERE ranked.row_no = r.row_no AND ranked.place > 1
$$;

-- ---------------------------------------------------------------------------
-- 7. Judge each row by itself; the first rule that fits names it.  Two witnesses
--    outside the envelope tell which column of a wrong row was touched: its leaf
--    hash and the next row's previous_hash.
-- ---------------------------------------------------------------------------
CREATE OR REPLACE FUNCTION pg_temp.plain_judge_rows() RETURNS void LANGUAGE sql AS $$
	UPDATE pg_temp.plain_row AS r
	   SET next_says = n.next_says,
	       true_hash = CASE WHEN NOT r.envelope_ok AND (r.leaf_ok OR n.next_says = r.computed)
	                        THEN r.computed ELSE r.event_hash END
	  FROM (SELECT row_no, CASE WHEN lead(home_sequence) OVER chain = nullif(home_sequence, 9223372036854775807) + 1
	                            THEN lead(previous_hash) OVER chain END AS next_says
	          FROM pg_temp.plain_row WHERE holds
	        WINDOW chain AS (PARTITION BY home_tenant, home_chain ORDER BY home_sequence)) AS n
	 WHERE n.row_no = r.row_no;
	UPDATE pg_temp.plain_row AS r
	   SET previous_row = p.previous_row, previous_true = p.previous_true
	  FROM (SELECT row_no,
	               CASE WHEN lag(home_sequence) OVER chain = nullif(home_sequence, -9223372036854775808) - 1 THEN lag(row_no) OVER chain END AS previous_row,
	               CASE WHEN home_sequence = 1 THEN decode(repeat('00', 32), 'hex')
	                    WHEN lag(home_sequence) OVER chain = nullif(home_sequence, -9223372036854775808) - 1 THEN lag(true_hash) OVER chain END AS previous_true
	          FROM pg_temp.plain_row WHERE holds
	        WINDOW chain AS (PARTITION BY home_tenant, home_chain ORDER BY home_sequence)) AS p
	 WHERE p.row_no = r.row_no;

	-- Out of place in its own chain, or brought from another one.
	UPDATE pg_temp.plain_row SET kind = 'reordered', detail = format('was sequence %s', home_sequence)
	 WHERE kind IS NULL AND moved AND (home_tenant, home_chain) = (tenant_id, chain_id);
	UPDATE pg_temp.plain_row SET kind = 'envelope_edited',
	       detail = format('was sequence %s of tenant %s, chain %s', home_sequence, home_tenant, home_chain)
	 WHERE kind IS NULL AND moved;
	-- The envelope is what the next row or the leaf remembers: event_hash alone is wrong.
	UPDATE pg_temp.plain_row SET kind = 'hash_edited', detail = 'event_hash'
	 WHERE kind IS NULL AND NOT envelope_ok
	   AND (next_says = computed OR (leaf_ok AND next_says IS DISTINCT FROM event_hash));
	-- A column of the envelope is wrong.  Those that can be derived are tried first.
	UPDATE pg_temp.plain_row SET kind = 'link_broken', detail = 'previous_hash is not the hash of the row before'
	 WHERE kind IS NULL AND NOT envelope_ok
	   AND pg_temp.plain_hash_with(envelope, jsonb_build_object('previousHash', encode(previous_true, 'hex'))) = event_hash;
	UPDATE pg_temp.plain_row SET kind = 'hash_edited',
	       detail = CASE WHEN envelope ->> 'payloadHash' = encode(payload_now, 'hex') THEN 'evaluation_hash' ELSE 'payload_hash' END
	 WHERE kind IS NULL AND NOT envelope_ok
	   AND pg_temp.plain_hash_with(envelope, jsonb_build_object('payloadHash', encode(payload_now, 'hex'),
	                                         'evaluationHash', encode(evaluation_now, 'hex'))) = event_hash;
	UPDATE pg_temp.plain_row SET kind = 'envelope_edited', detail = 'the columns do not give event_hash'
	 WHERE kind IS NULL AND NOT envelope_ok;
	-- "An event whose payload is gone without such an event is payload_missing."
	UPDATE pg_temp.plain_row AS r SET kind = 'payload_missing', detail = 'no payload, and no later event says that it was erased'
	 WHERE kind IS NULL AND NOT has_payload
	   AND NOT EXISTS (SELECT FROM pg_temp.plain_event AS x
	                    WHERE x.tenant_id = r.tenant_id AND x.chain_id = r.chain_id AND x.sequence_no > r.sequence_no
	                      AND x.event_type = 'ledger.payload_redacted'
	                      AND x.event_body ->> 'eventId' = r.event_id::text
	                      AND x.event_body -> 'sequence' = to_jsonb(r.sequence_no)
	                      AND x.event_body ->> 'payloadHash' = encode(r.payload_hash, 'hex'));
	UPDATE pg_temp.plain_row SET kind = 'payload_edited', detail = payload_fault
	 WHERE kind IS NULL AND payload_fault IS NOT NULL;
	UPDATE pg_temp.plain_row SET kind = 'hash_edited', detail = 'merkle_leaf_hash'
	 WHERE kind IS NULL AND NOT leaf_ok
$$;

-- ---------------------------------------------------------------------------
-- 8. Links and gaps.  "previousHash of sequence n is the event_hash of n-1."
--    Where two right rows do not fit, one of them was rewritten and hashed
--    again.  If the successor still vouches for the later one (or there is none),
--    it was the earlier one.
-- ---------------------------------------------------------------------------
CREATE OR REPLACE FUNCTION pg_temp.plain_judge_links() RETURNS void LANGUAGE sql AS $$
	UPDATE pg_temp.plain_row AS r
	   SET kind = 'link_broken', blamed = true,
	       detail = CASE WHEN r.row_no = b.row_no THEN 'previous_hash is not the hash of the row before, and the row was hashed again'
	                     ELSE 'rewritten: its hash is not the one that the next row recorded' END
	  FROM (SELECT t.row_no, CASE WHEN t.home_sequence > 1 AND (t.next_says IS NULL OR t.next_says = t.true_hash)
	                              THEN t.previous_row ELSE t.row_no END AS blamed_row
	          FROM pg_temp.plain_row AS t LEFT JOIN pg_temp.plain_row AS p ON p.row_no = t.previous_row
	         WHERE t.in_range AND t.holds AND t.computed = t.true_hash AND t.previous_hash <> t.previous_true
	           -- A predecessor that is wrong in itself explains the difference.
	           AND (p.row_no IS NULL OR p.computed = p.true_hash)) AS b
	 WHERE r.row_no = b.blamed_row AND r.kind IS NULL
$$;

-- "sequence: 1, 2, 3 ... per chain, gapless".
CREATE OR REPLACE FUNCTION pg_temp.plain_gaps(in_from bigint, in_to bigint)
RETURNS TABLE (tenant_id text, chain_id uuid, first_no bigint, last_no bigint) LANGUAGE sql AS $$
	SELECT g.home_tenant, g.home_chain, g.first_no, g.last_no
	  FROM (SELECT home_tenant, home_chain,
	               greatest(nullif(lag(home_sequence) OVER chain, 9223372036854775807) + 1, in_from, 1) AS first_no,
	               least(greatest(home_sequence, 1) - 1, in_to) AS last_no
	          FROM pg_temp.plain_row WHERE holds
	        WINDOW chain AS (PARTITION BY home_tenant, home_chain ORDER BY home_sequence)) AS g
	 WHERE g.first_no <= g.last_no
$$;

-- ---------------------------------------------------------------------------
-- 9. The reducer (docs/projection.md), one event after the other.
-- ---------------------------------------------------------------------------
CREATE OR REPLACE FUNCTION pg_temp.plain_status(word text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN w IS NULL THEN NULL
		WHEN w IN ('affected', 'new', 'open', 'reopened', 'under_investigation') THEN 'affected'
		WHEN w IN ('triaged', 'acknowledged') THEN 'triaged'
		WHEN w IN ('in_progress', 'target_fix') THEN 'in_progress'
		WHEN w IN ('accepted_risk', 'accept_risk', 'suppressed') THEN 'accepted_risk'
		WHEN w IN ('verified', 'verify_fix') THEN 'verified'
		WHEN w IN ('resolved', 'closed', 'fixed', 'remediated', 'dismissed', 'false_positive', 'not_affected') THEN 'resolved'
		ELSE 'unknown' END
	  FROM (SELECT translate(lower(word COLLATE "C"), '- ', '__') AS w) AS v
$$;

CREATE OR REPLACE FUNCTION pg_temp.plain_severity(value jsonb) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE jsonb_typeof(value)
		WHEN 'number' THEN CASE WHEN value::numeric BETWEEN 0 AND 10 THEN round(value::numeric, 3) END
		WHEN 'string' THEN CASE lower((value #>> '{}') COLLATE "C")
			WHEN 'none' THEN 0 WHEN 'informational' THEN 0 WHEN 'low' THEN 0.1 WHEN 'medium' THEN 4
			WHEN 'moderate' THEN 4 WHEN 'high' THEN 7 WHEN 'critical' THEN 9 END END
$$;

-- The string, or the whole number from 0 to 2^53 - 1, that a member holds.
CREATE OR REPLACE FUNCTION pg_temp.plain_string(value jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN jsonb_typeof(value) = 'string' THEN value #>> '{}' END
$$;
CREATE OR REPLACE FUNCTION pg_temp.plain_count(value jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN jsonb_typeof(value) = 'number' THEN CASE
		WHEN value::numeric BETWEEN 0 AND 9007199254740991 AND value::numeric = trunc(value::numeric) THEN value::numeric::bigint END END
$$;

-- The next labels; given what the event says, its mode, and the labels so far.
CREATE OR REPLACE FUNCTION pg_temp.plain_labels(labels jsonb, said jsonb, mode text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN jsonb_typeof(said) IS DISTINCT FROM 'object'
		  OR EXISTS (SELECT FROM jsonb_each(said) AS m WHERE jsonb_typeof(m.value) <> 'string'
		                AND NOT (mode = 'merge' AND jsonb_typeof(m.value) = 'null')) THEN labels
		WHEN mode = 'merge' THEN jsonb_strip_nulls(CASE WHEN jsonb_typeof(labels) = 'object' THEN labels ELSE '{}' END || said)
		ELSE said END
$$;

-- The risk columns after payload.risk; "the pair (profile version, event
-- sequence) only goes up".
CREATE OR REPLACE FUNCTION pg_temp.plain_risk(f jsonb, risk jsonb, sequence_no bigint, recorded_at timestamptz)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_version text := pg_temp.plain_string(risk -> 'profileVersion');
	v_sequence bigint := coalesce(pg_temp.plain_count(risk -> 'eventSequence'), sequence_no);
	v_score numeric;
BEGIN
	IF jsonb_typeof(risk -> 'score') = 'number' AND (risk -> 'score')::numeric BETWEEN 0 AND 100 THEN
		v_score := round((risk -> 'score')::numeric, 2);
	END IF;
	IF v_score IS NULL OR v_version IS NULL
	   OR v_version !~ '^(0|[1-9][0-9]{0,8})[.](0|[1-9][0-9]{0,8})[.](0|[1-9][0-9]{0,8})$'
	   OR (string_to_array(v_version, '.')::bigint[], v_sequence)
	      <= (string_to_array(f ->> 'risk_profile_version', '.')::bigint[], (f ->> 'risk_event_sequence')::bigint) THEN
		RETURN f;
	END IF;
	RETURN f || jsonb_build_object(
		'risk_score', v_score,
		'risk_severity', coalesce(
			substring(lower(pg_temp.plain_string(risk -> 'severity') COLLATE "C") FROM '^(?:critical|high|medium|low|informational)$'),
			CASE WHEN v_score >= 90 THEN 'critical' WHEN v_score >= 70 THEN 'high' WHEN v_score >= 40 THEN 'medium'
			     WHEN v_score >= 10 THEN 'low' ELSE 'informational' END),
		'risk_profile_version', v_version,
		'risk_explanation_id', pg_temp.plain_string(risk -> 'explanationId'),
		'risk_event_sequence', v_sequence,
		'risk_updated_at', recorded_at);
END
$$;

-- "cycle_hash = SHA-256(JCS(ledger.projection.v1))" (formats.md section 8).
CREATE OR REPLACE FUNCTION pg_temp.plain_cycle_hash(f jsonb) RETURNS bytea LANGUAGE sql STABLE AS $$
	SELECT sha256(convert_to(pg_temp.plain_jcs(jsonb_strip_nulls(jsonb_build_object(
		'airgap', nullif(jsonb_strip_nulls(jsonb_build_object(
			'bundleId', f -> 'airgap_bundle_id', 'stalenessSeconds', f -> 'airgap_staleness_seconds')), '{}'),
		'artifactId', f -> 'artifact_id', 'chainId', f -> 'chain_id', 'currentEventId', f -> 'current_event_id',
		'currentSequence', f -> 'current_sequence', 'explainRef', f -> 'explain_ref', 'findingId', f -> 'finding_id',
		'labels', f -> 'labels', 'policyVersion', f -> 'policy_version', 'rationale', f -> 'rationale',
		'riskEventSequence', f -> 'risk_event_sequence', 'riskExplanationId', f -> 'risk_explanation_id',
		'riskProfileVersion', f -> 'risk_profile_version', 'riskScore', f -> 'risk_score', 'riskSeverity', f -> 'risk_severity',
		'schema', 'ledger.projection.v1', 'severity', f -> 'severity', 'status', f -> 'status', 'tenant', f -> 'tenant_id',
		'vulnId', f -> 'vuln_id'))), 'UTF8'))
$$;

-- One step: a finding's row (NULL before its first event) and an event make the
-- next row.  Of the payload only what the type reads counts, and JSON null is absent.
CREATE OR REPLACE FUNCTION pg_temp.plain_step(f jsonb, e pg_temp.plain_event, t pg_temp.plain_type, body jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_said jsonb;
	v_next jsonb;
BEGIN
	SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}') INTO v_said
	  FROM jsonb_each(body) AS m WHERE m.key = ANY (t.reads) AND m.value <> 'null';
	v_next := coalesce(f, '{"severity": null, "labels": null, "explain_ref": null, "rationale": null, "risk_score": null,
		"risk_severity": null, "risk_profile_version": null, "risk_explanation_id": null, "risk_event_sequence": null,
		"risk_updated_at": null, "airgap_bundle_id": null, "airgap_staleness_seconds": null}')
		|| jsonb_build_object(
			'tenant_id', e.tenant_id, 'finding_id', e.finding_id, 'policy_version', e.policy_version,
			'artifact_id', e.artifact_id, 'vuln_id', coalesce(e.vuln_id, f ->> 'vuln_id'), 'chain_id', e.chain_id,
			'status', coalesce(pg_temp.plain_status(pg_temp.plain_string(v_said -> 'status')), t.default_status, f ->> 'status', 'unknown'),
			'current_event_id', e.event_id, 'current_sequence', e.sequence_no, 'projection_version', 'ledger.projection.v1',
			'observed_at', e.occurred_at, 'updated_at', e.recorded_at);
	v_next := v_next || jsonb_strip_nulls(jsonb_build_object(
		'severity', pg_temp.plain_severity(v_said -> 'severity'),
		'explain_ref', pg_temp.plain_string(v_said -> 'explainRef'),
		'airgap_bundle_id', coalesce(pg_temp.plain_string(v_said #> '{airgap,bundle,bundleId}'),
		                             pg_temp.plain_string(v_said #> '{airgap,bundleId}')),
		'airgap_staleness_seconds', pg_temp.plain_count(v_said #> '{airgap,stalenessSeconds}')));
	IF v_said ? 'labels' THEN
		v_next := v_next || jsonb_build_object('labels', pg_temp.plain_labels(v_next -> 'labels', v_said -> 'labels', t.labels_mode));
	END IF;
	IF jsonb_typeof(v_said -> 'rationale') = 'array'
	   AND NOT jsonb_path_exists(v_said -> 'rationale', '$[*] ? (@.type() != "string")') THEN
		v_next := v_next || jsonb_build_object('rationale', v_said -> 'rationale');
	END IF;
	IF v_said ? 'risk' THEN
		v_next := pg_temp.plain_risk(v_next, v_said -> 'risk', e.sequence_no, e.recorded_at);
	END IF;
	RETURN v_next;
END
$$;

-- All events into plain_expected.  An erased event folds as if its payload were {}.
CREATE OR REPLACE FUNCTION pg_temp.plain_fold(in_tenant text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v record;
	e pg_temp.plain_event;
	t pg_temp.plain_type;
	v_old jsonb;
	v_new jsonb;
	v_body jsonb;
BEGIN
	DELETE FROM pg_temp.plain_expected;
	FOR v IN
		SELECT x AS event, y AS type, lag(x.tenant_id) OVER finding IS NULL AS is_first, lead(x.tenant_id) OVER finding IS NULL AS is_last
		  FROM pg_temp.plain_event AS x JOIN pg_temp.plain_type AS y ON y.event_type = x.event_type
		 WHERE y.projected AND x.finding_id <> 'ledger' AND (in_tenant IS NULL OR x.tenant_id = in_tenant)
		   AND x.sequence_no BETWEEN 1 AND 9007199254740991
		   AND num_nulls(x.tenant_id, x.chain_id, x.event_id, x.policy_version, x.artifact_id, x.actor_id, x.actor_type,
		                 x.occurred_at, x.recorded_at, x.recorded_by) = 0
		WINDOW finding AS (PARTITION BY x.tenant_id, x.finding_id, x.policy_version ORDER BY x.sequence_no, x.chain_id, x.event_id)
	LOOP
		e := v.event;
		t := v.type;
		v_old := CASE WHEN NOT v.is_first THEN v_new END;
		v_body := CASE WHEN jsonb_typeof(e.event_body) = 'object' THEN e.event_body ELSE '{}' END;
		v_new := pg_temp.plain_step(v_old, e, t, v_body);
		-- "A step that makes a new finding, or changes status or severity".
		IF v_old IS NULL OR v_old -> 'status' <> v_new -> 'status' OR v_old -> 'severity' <> v_new -> 'severity' THEN
			INSERT INTO pg_temp.plain_expected VALUES ('finding_history', e.tenant_id, e.finding_id, e.policy_version,
				e.sequence_no, e.chain_id, e.sequence_no, jsonb_build_object(
				'tenant_id', e.tenant_id, 'finding_id', e.finding_id, 'policy_version', e.policy_version,
				'chain_id', e.chain_id, 'sequence_no', e.sequence_no, 'event_id', e.event_id, 'event_type', e.event_type,
				'previous_status', v_old -> 'status', 'status', v_new -> 'status',
				'previous_severity', v_old -> 'severity', 'severity', v_new -> 'severity',
				'actor_id', e.actor_id, 'actor_type', e.actor_type,
				'justification', coalesce(pg_temp.plain_string(v_body -> 'justification'),
				                          pg_temp.plain_string(v_body -> 'comment'), pg_temp.plain_string(v_body -> 'reason')),
				'occurred_at', e.occurred_at, 'recorded_at', e.recorded_at, 'cycle_hash', pg_temp.plain_cycle_hash(v_new)));
		END IF;
		IF t.action_kind IS NOT NULL THEN
			INSERT INTO pg_temp.plain_expected VALUES ('triage_actions', e.tenant_id, e.finding_id, e.policy_version,
				e.sequence_no, e.chain_id, e.sequence_no, jsonb_build_object(
				'tenant_id', e.tenant_id, 'action_id', e.event_id, 'action_type', t.action_kind, 'finding_id', e.finding_id,
				'policy_version', e.policy_version, 'chain_id', e.chain_id, 'sequence_no', e.sequence_no, 'payload', v_body,
				'created_by', e.actor_id, 'occurred_at', e.occurred_at, 'created_at', e.recorded_at));
		END IF;
		IF v.is_last THEN
			INSERT INTO pg_temp.plain_expected VALUES ('findings_projection', e.tenant_id, e.finding_id, e.policy_version,
				0, e.chain_id, e.sequence_no, v_new || jsonb_build_object('cycle_hash', pg_temp.plain_cycle_hash(v_new)));
		END IF;
	END LOOP;
END
$$;

-- ---------------------------------------------------------------------------
-- 10. Compare the derived tables, row by row and column by column.
-- ---------------------------------------------------------------------------

-- History before this moment was aged out by retention; NULL if none was.
CREATE OR REPLACE FUNCTION pg_temp.plain_history_start() RETURNS timestamptz LANGUAGE sql AS $$
	SELECT max(p.aged_out_before)
	  FROM pg_temp.plain_intent AS p, pg_temp.plain_source AS s
	 WHERE p.parent_table = s.schema_name || '.finding_history'
$$;

-- A row is judged only where its events are sound: a tampered event is reported
-- once, at the event, and not again at what was folded from it.
CREATE OR REPLACE FUNCTION pg_temp.plain_judge_projections(in_tenant text) RETURNS void LANGUAGE sql AS $$
	WITH start AS MATERIALIZED (SELECT coalesce(pg_temp.plain_history_start(), '-infinity') AS moment),
	unsound_finding AS MATERIALIZED (
		SELECT tenant_id, finding_id, policy_version FROM pg_temp.plain_row WHERE kind IS NOT NULL
		UNION SELECT home_tenant, finding_id, policy_version FROM pg_temp.plain_row WHERE kind IS NOT NULL),
	unsound_chain AS MATERIALIZED (
		SELECT tenant_id, chain_id FROM pg_temp.plain_finding WHERE kind IN ('missing', 'missing_chain')
		UNION SELECT tenant_id, chain_id FROM pg_temp.plain_row WHERE kind IN ('envelope_edited', 'link_broken')
		UNION SELECT home_tenant, home_chain FROM pg_temp.plain_row WHERE kind IN ('envelope_edited', 'link_broken')),
	expected AS MATERIALIZED (
		SELECT e.* FROM pg_temp.plain_expected AS e, start
		 WHERE source <> 'finding_history' OR (content ->> 'recorded_at')::timestamptz >= start.moment),
	stored AS MATERIALIZED (SELECT * FROM pg_temp.plain_stored WHERE in_tenant IS NULL OR tenant_id = in_tenant),
	pair AS (
		SELECT source, tenant_id, finding_id, policy_version, sequence_key,
		       coalesce(x.chain_id, s.chain_id) AS chain_id, coalesce(x.sequence_no, s.sequence_no) AS sequence_no,
		       s.chain_id AS stored_chain, x.content AS expected, s.content AS stored, false AS again
		  FROM expected AS x FULL JOIN stored AS s
		       USING (source, tenant_id, finding_id, policy_version, sequence_key)
		 WHERE x.content IS DISTINCT FROM s.content
		UNION ALL  -- rows that are as they must be, but there more than once
		SELECT source, tenant_id, finding_id, policy_version, sequence_key, x.chain_id, x.sequence_no, NULL, NULL, NULL, true
		  FROM expected AS x
		  JOIN (SELECT source, tenant_id, finding_id, policy_version, sequence_key,
		               content, row_number() OVER (PARTITION BY source, tenant_id, finding_id, policy_version, sequence_key, content) AS n
		          FROM stored) AS s
		       USING (source, tenant_id, finding_id, policy_version, sequence_key)
		 WHERE s.n > 1 AND s.content = x.content)
	INSERT INTO pg_temp.plain_finding
	SELECT p.tenant_id, p.chain_id, p.sequence_no, 'projection_diverged',
	       format('%s (%s, %s, %s%s): %s', p.source, p.tenant_id, p.finding_id, p.policy_version,
	              CASE WHEN p.sequence_key > 0 THEN ', ' || p.sequence_key ELSE '' END,
	              CASE WHEN p.again THEN 'the row is there a second time'
	                   WHEN p.stored IS NULL THEN 'the row is missing'
	                   WHEN p.expected IS NULL THEN 'no event makes this row'
	                   ELSE (SELECT string_agg(format('%s is %s, should be %s', c.key, coalesce(p.stored ->> c.key, 'NULL'),
	                                                  coalesce(c.value #>> '{}', 'NULL')), '; ' ORDER BY c.key COLLATE "C")
	                           FROM jsonb_each(p.expected) AS c WHERE p.stored -> c.key IS DISTINCT FROM c.value) END)
	  FROM pair AS p
	 -- EXISTS, because one NULL in a list makes NOT IN hide everything.
	 WHERE NOT EXISTS (SELECT FROM unsound_finding AS u
	                    WHERE (u.tenant_id, u.finding_id, u.policy_version) = (p.tenant_id, p.finding_id, p.policy_version))
	   AND NOT EXISTS (SELECT FROM unsound_chain AS u WHERE u.tenant_id = p.tenant_id AND u.chain_id IN (p.chain_id, p.stored_chain))
$$;

-- ---------------------------------------------------------------------------
-- 11. Anchors (docs/verification.md, "Anchors"; formats.md sections 5 to 7).
-- ---------------------------------------------------------------------------

-- A root from the roots of complete subtrees, the largest first.
CREATE OR REPLACE FUNCTION pg_temp.plain_root(frontier bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	v_at integer := octet_length(frontier) - 31;
	v_root bytea := substr(frontier, v_at, 32);
BEGIN
	IF octet_length(frontier) = 0 OR octet_length(frontier) % 32 <> 0 THEN
		RETURN NULL;
	END IF;
	WHILE v_at > 1 LOOP
		v_at := v_at - 32;
		v_root := sha256(E'\\x01' || substr(frontier, v_at, 32) || v_root);
	END LOOP;
	RETURN v_root;
END
$$;

-- The heights of the complete subtrees that a size decomposes into.
CREATE OR REPLACE FUNCTION pg_temp.plain_heights(size bigint) RETURNS TABLE (height integer) LANGUAGE sql IMMUTABLE AS $$
	SELECT b FROM generate_series(0, 62) AS b WHERE (size >> b) & 1 = 1
$$;

CREATE OR REPLACE FUNCTION pg_temp.plain_find_anchored(in_tenant text, in_chain uuid) RETURNS void LANGUAGE sql AS $$
	DELETE FROM pg_temp.plain_anchored;
	WITH doubt AS (
		SELECT p.tenant_id, p.chain_id, bool_or(r.kind = 'reordered' OR (r.tenant_id, r.chain_id) IS DISTINCT FROM (r.home_tenant, r.home_chain)) AS moved
		  FROM pg_temp.plain_row AS r, LATERAL (VALUES (r.tenant_id, r.chain_id), (r.home_tenant, r.home_chain)) AS p (tenant_id, chain_id)
		 WHERE r.kind IN ('duplicate', 'envelope_edited', 'hash_edited', 'link_broken', 'reordered') GROUP BY 1, 2
		UNION ALL
		SELECT g.tenant_id, g.chain_id, false FROM pg_temp.plain_gaps(NULL, NULL) AS g),
	named AS (
		SELECT tenant_id, chain_id FROM pg_temp.plain_anchor UNION SELECT tenant_id, chain_id FROM pg_temp.plain_tile
		UNION SELECT tenant_id, chain_id FROM pg_temp.plain_registered WHERE first_no IS NOT NULL OR last_no IS NOT NULL)
	INSERT INTO pg_temp.plain_anchored
	SELECT n.tenant_id, n.chain_id, c.tenant_id IS NOT NULL, c.first_no, c.last_no, c.policy_version,
	       (SELECT max(e.sequence_no) FROM pg_temp.plain_row AS e WHERE (e.tenant_id, e.chain_id) = (n.tenant_id, n.chain_id)),
	       (SELECT e.policy_version FROM pg_temp.plain_row AS e WHERE (e.tenant_id, e.chain_id) = (n.tenant_id, n.chain_id)
	         ORDER BY e.sequence_no LIMIT 1),
	       EXISTS (SELECT FROM doubt AS d WHERE (d.tenant_id, d.chain_id) = (n.tenant_id, n.chain_id)),
	       EXISTS (SELECT FROM doubt AS d WHERE (d.tenant_id, d.chain_id) = (n.tenant_id, n.chain_id) AND d.moved)
	  FROM named AS n LEFT JOIN pg_temp.plain_registered AS c USING (tenant_id, chain_id)
	 WHERE (in_tenant IS NULL OR n.tenant_id = in_tenant) AND (in_chain IS NULL OR n.chain_id = in_chain)
$$;

-- All complete nodes below the anchored sizes, height by height.
CREATE OR REPLACE FUNCTION pg_temp.plain_grow() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_height integer := 0;
BEGIN
	DELETE FROM pg_temp.plain_node;
	INSERT INTO pg_temp.plain_node
	SELECT e.tenant_id, e.chain_id, 0, e.sequence_no - 1, e.merkle_leaf_hash
	  FROM pg_temp.plain_event AS e JOIN pg_temp.plain_anchored AS c USING (tenant_id, chain_id)
	 WHERE NOT c.doubtful AND e.sequence_no <= (
	       SELECT max(a.tree_size) FROM pg_temp.plain_anchor AS a WHERE (a.tenant_id, a.chain_id) = (c.tenant_id, c.chain_id) AND a.tree_size <= c.head);
	LOOP
		ANALYZE pg_temp.plain_node;
		INSERT INTO pg_temp.plain_node
		SELECT l.tenant_id, l.chain_id, v_height + 1, l.node_index / 2, sha256(E'\\x01' || l.hash || r.hash)
		  FROM pg_temp.plain_node AS l
		  JOIN pg_temp.plain_node AS r ON (r.tenant_id, r.chain_id, r.height, r.node_index) = (l.tenant_id, l.chain_id, v_height, l.node_index + 1)
		 WHERE l.height = v_height AND l.node_index % 2 = 0;
		EXIT WHEN NOT FOUND;
		v_height := v_height + 1;
	END LOOP;
END
$$;

-- Rule 3: what the text that was signed, and the row, say of each other.
CREATE OR REPLACE FUNCTION pg_temp.plain_fault(a pg_temp.plain_anchor, policies text[]) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	v_text text := a.origin || '/' || a.tenant_id || '/' || a.chain_id || E'\n' || a.tree_size || E'\n' || encode(a.root_hash, 'base64') || E'\n';
	v_policy text;
	v_said boolean := false;
BEGIN
	IF a.checkpoint IS DISTINCT FROM v_text
	   AND (left(a.checkpoint, length(v_text)) = v_text
	        AND substr(a.checkpoint, length(v_text) + 1) ~ E'^\n(\u2014 [^ +\n]+ [A-Za-z0-9+/]+={0,2}\n)+$') IS NOT TRUE THEN
		RETURN 'checkpoint';
	END IF;
	-- Of a chain that is gone only the statement says it.
	IF coalesce(policies[1], policies[2]) IS NULL THEN
		BEGIN
			policies := ARRAY[convert_from(decode(a.dsse ->> 'payload', 'base64'), 'UTF8')::jsonb ->> 'policyHash'];
		EXCEPTION WHEN data_exception THEN
			RETURN 'dsse';
		END;
	END IF;
	FOREACH v_policy IN ARRAY policies LOOP
		v_said := v_said OR coalesce(a.dsse ->> 'payload' = translate(encode(convert_to(pg_temp.plain_jcs(jsonb_strip_nulls(jsonb_build_object(
			'anchorId', a.anchor_id, 'chainId', a.chain_id, 'leafCount', a.leaf_count, 'policyHash', v_policy,
			'previousRootHash', encode(a.previous_root_hash, 'hex'), 'rootHash', encode(a.root_hash, 'hex'), 'schemaVersion', 'ledger.event.v1',
			'sequenceEnd', a.sequence_end, 'sequenceStart', a.sequence_start, 'tenant', a.tenant_id, 'treeSize', a.tree_size,
			'windowEnd', pg_temp.plain_time(a.window_end), 'windowStart', pg_temp.plain_time(a.window_start)))), 'UTF8'), 'base64'), E'\n', ''), false);
	END LOOP;
	IF NOT v_said OR a.dsse ->> 'payloadType' IS DISTINCT FROM 'application/vnd.stella-ledger-anchor+json'
	   OR jsonb_typeof(a.dsse -> 'signatures') IS DISTINCT FROM 'array' THEN
		RETURN 'dsse';
	END IF;
	IF octet_length(a.frontier) IS DISTINCT FROM 32 * (SELECT count(*) FROM pg_temp.plain_heights(a.tree_size))
	   OR pg_temp.plain_root(a.frontier) IS DISTINCT FROM a.root_hash THEN
		RETURN 'frontier';
	END IF;
	IF a.anchor_reference IS NOT NULL AND NOT EXISTS (SELECT FROM pg_temp.plain_receipt AS t
		WHERE (t.tenant_id, t.anchor_id, t.reference) = (a.tenant_id, a.anchor_id, a.anchor_reference)) THEN
		RETURN 'anchor_reference';
	END IF;
	RETURN NULL;
END
$$;

-- Rules 3 to 5.
CREATE OR REPLACE FUNCTION pg_temp.plain_judge_anchors() RETURNS void LANGUAGE sql AS $$
	DELETE FROM pg_temp.plain_judged;
	INSERT INTO pg_temp.plain_judged (tenant_id, chain_id, tree_size, place, sequence_start, root_hash, previous_root_hash, fault, root)
	SELECT a.tenant_id, a.chain_id, a.tree_size, row_number() OVER (PARTITION BY a.tenant_id, a.chain_id ORDER BY a.tree_size),
	       a.sequence_start, a.root_hash, a.previous_root_hash, pg_temp.plain_fault(a, ARRAY[c.policy, c.registered_policy]),
	       CASE WHEN NOT c.doubtful AND a.tree_size <= c.head THEN pg_temp.plain_root((
	           SELECT string_agg(n.hash, '' ORDER BY n.height DESC)
	             FROM pg_temp.plain_heights(a.tree_size) AS h
	             JOIN pg_temp.plain_node AS n ON (n.tenant_id, n.chain_id, n.height, n.node_index) = (a.tenant_id, a.chain_id, h.height, (a.tree_size >> h.height) - 1))) END
	  FROM pg_temp.plain_anchor AS a JOIN pg_temp.plain_anchored AS c USING (tenant_id, chain_id);
	UPDATE pg_temp.plain_judged AS j
	   SET kind = 'anchor_mismatch', detail = coalesce(j.fault, 'root_hash')
	 WHERE j.fault IS NOT NULL
	    OR (j.root <> j.root_hash AND EXISTS (
	        SELECT FROM pg_temp.plain_judged AS n
	         WHERE (n.tenant_id, n.chain_id, n.place) = (j.tenant_id, j.chain_id, j.place + 1) AND n.previous_root_hash IS DISTINCT FROM j.root_hash));
	UPDATE pg_temp.plain_judged AS j
	   SET kind = 'inconsistent_history', detail = 'it does not follow the anchor before it'
	  FROM pg_temp.plain_judged AS x
	  LEFT JOIN pg_temp.plain_judged AS b ON (b.tenant_id, b.chain_id, b.place) = (x.tenant_id, x.chain_id, x.place - 1)
	 WHERE (x.tenant_id, x.chain_id, x.place) = (j.tenant_id, j.chain_id, j.place) AND j.kind IS NULL
	   AND b.kind IS DISTINCT FROM 'anchor_mismatch'
	   AND (j.sequence_start <> coalesce(b.tree_size, 0) + 1 OR (b.place IS NOT NULL AND j.previous_root_hash IS DISTINCT FROM b.root_hash))
$$;

-- Rules 1 to 6, of the chains as wholes.
CREATE OR REPLACE FUNCTION pg_temp.plain_judge_registry() RETURNS void LANGUAGE sql AS $$
	WITH whole AS MATERIALIZED (
		SELECT c.*, j.first_start, j.first_wrong, coalesce(j.newest, 0) AS newest, coalesce(j.newest_wrong, false) AS newest_wrong,
		       coalesce(j.believed, 0) AS believed, greatest(j.believed, c.last_no) AS known
		  FROM pg_temp.plain_anchored AS c
		  LEFT JOIN LATERAL (
		       SELECT max(a.tree_size) AS newest, max(a.tree_size) FILTER (WHERE a.fault IS NULL) AS believed,
		              (array_agg(a.kind IS NOT DISTINCT FROM 'anchor_mismatch' ORDER BY a.place DESC))[1] AS newest_wrong,
		              (array_agg(a.sequence_start ORDER BY a.place))[1] AS first_start, (array_agg(a.kind IS NOT NULL ORDER BY a.place))[1] AS first_wrong
		         FROM pg_temp.plain_judged AS a WHERE (a.tenant_id, a.chain_id) = (c.tenant_id, c.chain_id)) AS j ON true)
	INSERT INTO pg_temp.plain_finding
	SELECT w.tenant_id, w.chain_id, NULL, 'missing_chain', 'an anchored chain has no events'
	  FROM whole AS w WHERE w.head IS NULL AND NOT w.registered AND w.believed > 0 AND NOT w.moved
	UNION ALL
	SELECT w.tenant_id, w.chain_id, w.head + 1, 'truncated', format('anchored up to %s, and it ends at %s', w.known, w.head)
	  FROM whole AS w WHERE w.known > w.head AND NOT w.moved
	UNION ALL
	SELECT w.tenant_id, w.chain_id, CASE WHEN w.last_no > w.newest THEN w.last_no ELSE nullif(w.newest, 0) END, 'anchor_mismatch', 'the registry says otherwise'
	  FROM whole AS w
	 WHERE w.head IS NOT NULL AND NOT w.newest_wrong AND (w.last_no <= w.head OR w.last_no IS NULL)
	   AND (w.newest > 0 OR w.first_no IS NOT NULL OR w.last_no IS NOT NULL)
	   AND (NOT w.registered OR w.last_no IS DISTINCT FROM nullif(w.newest, 0)
	        OR (w.first_wrong IS NOT TRUE AND w.first_no IS DISTINCT FROM w.first_start) OR (NOT w.doubtful AND w.policy <> w.registered_policy))
	UNION ALL
	(SELECT DISTINCT ON (j.tenant_id, j.chain_id) j.tenant_id, j.chain_id,
	        1 + coalesce((SELECT max(s.tree_size) FROM pg_temp.plain_judged AS s
	                       WHERE (s.tenant_id, s.chain_id) = (j.tenant_id, j.chain_id) AND s.tree_size < j.tree_size AND s.root = s.root_hash), 0),
	        'rewritten', format('by the anchor of size %s', j.tree_size)
	   FROM pg_temp.plain_judged AS j WHERE j.root <> j.root_hash AND j.kind IS DISTINCT FROM 'anchor_mismatch'
	  ORDER BY j.tenant_id, j.chain_id, j.tree_size)
$$;

-- Rule 7.
CREATE OR REPLACE FUNCTION pg_temp.plain_judge_tiles() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	v_tiles bigint;
BEGIN
	CREATE TEMP TABLE IF NOT EXISTS plain_wanted (
		tenant_id text COLLATE "C", chain_id uuid, is_full boolean, level integer, tile_index bigint, hashes bytea);
	DELETE FROM pg_temp.plain_wanted;
	INSERT INTO pg_temp.plain_wanted
	SELECT n.tenant_id, n.chain_id, count(*) = 256, n.height / 8, n.node_index / 256, string_agg(n.hash, '' ORDER BY n.node_index)
	  FROM pg_temp.plain_node AS n
	  JOIN (SELECT tenant_id, chain_id, max(tree_size) FILTER (WHERE root = root_hash) AS agreed FROM pg_temp.plain_judged GROUP BY 1, 2) AS a
	       USING (tenant_id, chain_id)
	 WHERE n.height BETWEEN 8 AND 56 AND n.height % 8 = 0 AND (n.node_index + 1) * (1::bigint << n.height) <= a.agreed
	 GROUP BY n.tenant_id, n.chain_id, n.height, n.node_index / 256;
	SELECT count(*) INTO v_tiles FROM pg_temp.plain_wanted WHERE is_full;
	INSERT INTO pg_temp.plain_finding
	SELECT t.tenant_id, t.chain_id, CASE WHEN t.first_leaf <= 9223372036854775807 THEN t.first_leaf::bigint END, 'tile_mismatch',
	       format('level %s, index %s', t.level, t.tile_index)
	  FROM (SELECT tenant_id, chain_id, level, tile_index, is_full, trunc(tile_index * power(256::numeric, level + 1)) + 1 AS first_leaf,
	               w.hashes AS wanted, p.hashes AS stored, a.agreed, a.to_the_end
	          FROM pg_temp.plain_wanted AS w FULL JOIN pg_temp.plain_tile AS p USING (tenant_id, chain_id, is_full, level, tile_index)
	          JOIN (SELECT c.tenant_id, c.chain_id, coalesce(j.agreed, 0) AS agreed,
	                       NOT c.doubtful AND coalesce(j.agreed, 0) = coalesce(j.newest, 0) AND coalesce(j.agreed, 0) = coalesce(c.last_no, 0) AS to_the_end
	                  FROM pg_temp.plain_anchored AS c
	                  LEFT JOIN (SELECT tenant_id, chain_id, max(tree_size) AS newest, max(tree_size) FILTER (WHERE root = root_hash) AS agreed
	                               FROM pg_temp.plain_judged GROUP BY 1, 2) AS j USING (tenant_id, chain_id)) AS a USING (tenant_id, chain_id)) AS t
	 WHERE CASE WHEN t.wanted IS NOT NULL THEN t.wanted IS DISTINCT FROM t.stored AND (t.is_full OR t.to_the_end)
	            WHEN t.is_full THEN t.to_the_end AND (t.tile_index + 1::numeric) * power(256::numeric, t.level + 1) > t.agreed
	            ELSE t.to_the_end AND (octet_length(t.stored) > 0 OR t.tile_index <> div(t.agreed, power(256::numeric, t.level + 1))) END;
	RETURN v_tiles;
END
$$;

-- ---------------------------------------------------------------------------
-- 12. The guards that keep the tables append-only, as the catalog shows them.
-- ---------------------------------------------------------------------------
CREATE OR REPLACE FUNCTION pg_temp.plain_guards() RETURNS TABLE (tenant_id text, detail text) LANGUAGE sql AS $$
	-- Type bits of pg_trigger: 1 row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate.
	WITH wanted (name, function, type_bits, on_parent, on_leaf) AS (VALUES
		('zzzz_ledger_link', 'ledger_link', 1 + 2 + 4, true, true),
		('ledger_refuse_row', 'ledger_refuse_change', 1 + 2 + 8 + 16, true, true),
		('ledger_refuse_statement', 'ledger_refuse_change', 2 + 8 + 16 + 32, true, false),
		('ledger_project', 'ledger_project', 4, true, false),
		('ledger_refuse_direct', 'ledger_refuse_direct', 2 + 4 + 8 + 16, false, true),
		('ledger_refuse_truncate', 'ledger_refuse_change', 2 + 32, false, true)),
	-- Tables beside the events, with triggers that refuse every change or some.
	refusing (relation, name, type_bits, condition) AS (
		VALUES ('ledger_event_types', 'ledger_refuse_statement', 2 + 8 + 16 + 32, NULL),
		       ('ledger_schema_migrations', 'ledger_refuse_statement', 2 + 8 + 32, NULL),
		       ('ledger_schema_migrations', 'ledger_refuse_row', 1 + 2 + 16, 'any')
		UNION ALL
		SELECT t.relation, w.name, w.type_bits, NULL
		  FROM (VALUES ('ledger_merkle_tiles'), ('ledger_anchor_receipts'), ('ledger_verification_marks'), ('ledger_access_log')) AS t (relation),
		       (VALUES ('ledger_refuse_row', 1 + 2 + 8 + 16), ('ledger_refuse_statement', 2 + 8 + 16 + 32)) AS w (name, type_bits)
		UNION ALL
		SELECT t.relation, w.name, w.type_bits, CASE WHEN w.conditional THEN t.condition END
		  FROM (VALUES ('ledger_merkle_roots', 'ledger_anchor_only_adds'), ('ledger_keys', 'ledger_key_only_ends'),
		               ('ledger_key_ranges', 'ledger_range_only_narrows'), ('ledger_settings', 'ledger_origin_stays'),
		               ('ledger_attachments', 'ledger_attachment_only_rewraps')) AS t (relation, condition),
		       (VALUES ('ledger_refuse_row', 1 + 2 + 16, true), ('ledger_refuse_delete', 1 + 2 + 8, false),
		               ('ledger_refuse_statement', 2 + 8 + 32, false)) AS w (name, type_bits, conditional)),
	space AS MATERIALIZED (SELECT to_regnamespace(quote_ident(schema_name))::oid AS id FROM pg_temp.plain_source),
	guarded AS MATERIALIZED (
		SELECT NULL::text AS tenant_id, 'ledger_events' AS name, true AS is_parent
		UNION ALL SELECT t.tenant_id, t.leaf, false FROM pg_temp.plain_tenant AS t),
	relation AS MATERIALIZED (
		SELECT g.*, c.oid AS id FROM guarded AS g
		  LEFT JOIN pg_class AS c ON c.relname = g.name AND c.relnamespace = (SELECT id FROM space)),
	other AS MATERIALIZED (
		SELECT c.* FROM pg_class AS c WHERE c.relnamespace = (SELECT id FROM space) AND c.relname IN (SELECT w.relation FROM refusing AS w)),
	present AS MATERIALIZED (
		SELECT t.*, p.proname, p.pronamespace FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal)
	SELECT r.tenant_id, format('table %s: not there', r.name) FROM relation AS r WHERE r.id IS NULL
	UNION ALL
	SELECT r.tenant_id, format('table %s: not a partition of ledger_events', r.name) FROM relation AS r
	 WHERE r.id IS NOT NULL AND NOT r.is_parent
	   AND NOT EXISTS (SELECT FROM pg_inherits AS i JOIN relation AS q ON q.id = i.inhparent AND q.is_parent WHERE i.inhrelid = r.id)
	UNION ALL
	-- A partition that no tenant names has guards that nobody looks at.
	SELECT NULL, format('table %s: a partition of no tenant', p.relid)
	  FROM relation AS q, pg_partition_tree(q.id) AS p
	 WHERE q.is_parent AND p.level > 0 AND NOT EXISTS (SELECT FROM relation AS r WHERE r.id = p.relid AND NOT r.is_parent)
	UNION ALL
	SELECT r.tenant_id, format('trigger %s on %s: %s', w.name, r.name, CASE
	           WHEN t.oid IS NULL THEN 'not there'
	           WHEN t.proname <> w.function OR t.pronamespace <> (SELECT id FROM space) THEN format('calls %s', t.tgfoid::regprocedure)
	           WHEN t.tgenabled <> 'A' THEN 'not enabled always'
	           ELSE 'does not fire for every row or statement that it must' END)
	  FROM relation AS r JOIN wanted AS w ON CASE WHEN r.is_parent THEN w.on_parent ELSE w.on_leaf END
	  LEFT JOIN present AS t ON t.tgrelid = r.id AND t.tgname = w.name
	 WHERE r.id IS NOT NULL
	   AND (t.oid IS NULL OR t.proname <> w.function OR t.pronamespace <> (SELECT id FROM space) OR t.tgenabled <> 'A'
	        OR (t.tgtype & w.type_bits) <> w.type_bits OR (t.tgtype & 67) <> (w.type_bits & 67)
	        OR t.tgqual IS NOT NULL OR cardinality(t.tgattr::int2[]) > 0)
	UNION ALL
	SELECT r.tenant_id, format('trigger %s on %s: not of the ledger', t.tgname, r.name)
	  FROM relation AS r JOIN present AS t ON t.tgrelid = r.id
	 WHERE NOT EXISTS (SELECT FROM wanted AS w WHERE w.name = t.tgname AND CASE WHEN r.is_parent THEN w.on_parent ELSE w.on_leaf END)
	UNION ALL
	SELECT r.tenant_id, format('rule %s on %s: not of the ledger', w.rulename, r.name)
	  FROM relation AS r JOIN pg_rewrite AS w ON w.ev_class = r.id
	UNION ALL
	SELECT r.tenant_id, format('primary key of %s: not (tenant_id, chain_id, sequence_no) and valid', r.name)
	  FROM relation AS r
	 WHERE r.id IS NOT NULL AND NOT r.is_parent AND NOT EXISTS (
	       SELECT FROM pg_index AS x WHERE x.indrelid = r.id AND x.indisprimary AND x.indisvalid AND x.indisunique
	          AND (SELECT array_agg(a.attname::text ORDER BY k.place)
	                 FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (number, place)
	                 JOIN pg_attribute AS a ON a.attrelid = r.id AND a.attnum = k.number) = '{tenant_id,chain_id,sequence_no}')
	UNION ALL
	SELECT NULL, format('row security of %s: not enabled and forced', n.name)
	  FROM unnest('{ledger_events,findings_projection,finding_history,triage_actions,ledger_chains,ledger_merkle_roots,ledger_merkle_tiles,
	               ledger_merkle_edge,ledger_key_ranges,ledger_anchor_receipts,ledger_anchor_stats,ledger_verification_marks,ledger_access_log,ledger_attachments,
	               ledger_projection_stats}'::text[]) AS n (name)
	 WHERE NOT EXISTS (SELECT FROM pg_class AS c WHERE c.relname = n.name AND c.relnamespace = (SELECT id FROM space)
	                      AND c.relrowsecurity AND c.relforcerowsecurity)
	UNION ALL
	SELECT t.tenant_id, format('owner of %s: %s, not ledger_owner', c.relname, pg_get_userbyid(c.relowner))
	  FROM pg_class AS c LEFT JOIN pg_temp.plain_tenant AS t ON t.leaf = c.relname
	 WHERE c.relnamespace = (SELECT id FROM space) AND c.relkind IN ('r', 'p') AND pg_get_userbyid(c.relowner) <> 'ledger_owner'
	UNION ALL
	SELECT NULL, 'role ledger_owner: not there, or too strong' WHERE NOT EXISTS (
	       SELECT FROM pg_roles WHERE rolname = 'ledger_owner' AND NOT (rolcanlogin OR rolsuper OR rolbypassrls))
	UNION ALL
	SELECT NULL, format('trigger %s on %s: not there, not enabled always, or not of the ledger', w.name, c.relname)
	  FROM refusing AS w JOIN other AS c ON c.relname = w.relation
	 WHERE NOT EXISTS (
	       SELECT FROM present AS t
	        WHERE t.tgrelid = c.oid AND t.tgname = w.name AND t.proname = 'ledger_refuse_change' AND t.pronamespace = c.relnamespace
	          AND t.tgenabled = 'A' AND (t.tgtype & w.type_bits) = w.type_bits AND (t.tgtype & 67) = (w.type_bits & 67)
	          AND cardinality(t.tgattr::int2[]) = 0
	          AND CASE WHEN w.condition IS NULL THEN t.tgqual IS NULL
	                   -- Exactly one call: NOT FUNCTION(old, new).
	                   WHEN w.condition <> 'any' THEN position(format(' WHEN ((NOT %s.%s(old.*, new.*))) EXECUTE ',
	                        replace(quote_ident((SELECT schema_name FROM pg_temp.plain_source)), '"', ''), w.condition) IN replace(pg_get_triggerdef(t.oid), '"', '')) > 0
	                   ELSE true END)
	UNION ALL
	SELECT NULL, format('trigger %s on %s: not of the ledger', t.tgname, c.relname)
	  FROM other AS c JOIN present AS t ON t.tgrelid = c.oid
	 WHERE NOT EXISTS (SELECT FROM refusing AS w WHERE w.relation = c.relname AND w.name = t.tgname)
	UNION ALL
	SELECT NULL, format('rule %s on %s: not of the ledger', r.rulename, c.relname)
	  FROM other AS c JOIN pg_rewrite AS r ON r.ev_class = c.oid
	UNION ALL
	SELECT NULL, format('event trigger %s: %s', w.name, CASE WHEN e.oid IS NULL THEN 'not there'
	           ELSE 'not enabled always on ' || w.event || ', or with another function' END)
	  FROM (VALUES ('ledger_guard_start', 'ddl_command_start'), ('ledger_guard_ddl_end', 'ddl_command_end'), ('ledger_guard_drop', 'sql_drop'),
	               ('ledger_guard_rewrite', 'table_rewrite')) AS w (name, event)
	  LEFT JOIN pg_event_trigger AS e ON e.evtname = w.name
	  LEFT JOIN pg_proc AS p ON p.oid = e.evtfoid AND p.proname = w.name AND p.pronamespace = (SELECT id FROM space)
	 WHERE p.oid IS NULL OR e.evtevent <> w.event OR e.evtenabled <> 'A' OR e.evttags IS NOT NULL
$$;

-- ---------------------------------------------------------------------------
-- 13. All of it.  The settings make the text forms that are compared fixed.
-- ---------------------------------------------------------------------------
CREATE OR REPLACE FUNCTION pg_temp.plain_report(
	in_tenant text DEFAULT NULL, in_chain uuid DEFAULT NULL, in_from bigint DEFAULT NULL, in_to bigint DEFAULT NULL)
RETURNS jsonb LANGUAGE plpgsql
SET search_path = pg_catalog SET timezone = 'UTC' SET bytea_output = 'hex' SET extra_float_digits = 1
SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	v_source pg_temp.plain_source;
	v_projections bigint := 0;
	v_tiles bigint := 0;
	v_report jsonb;
BEGIN
	SELECT * INTO v_source FROM pg_temp.plain_source;
	IF current_setting('server_encoding') <> 'UTF8' THEN
		RAISE EXCEPTION 'the database must have encoding UTF8';
	END IF;
	IF in_tenant IS NULL AND row_security_active(v_source.events_table::regclass::oid) THEN
		RAISE EXCEPTION 'row security hides rows from %', current_user
			USING HINT = 'Run as a role that bypasses row security, or name one tenant and select it.';
	END IF;
	-- A broken instrument must not judge (numbers of RFC 8785 section 3.2.3; SHA-256 of "abc").
	IF pg_temp.plain_jcs('{"numbers": [333333333.3333333, 1E30, 4.50, 2e-3, 0.000000000000000000000000001], "literals": [null, true, false]}')
	   IS DISTINCT FROM '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}'
	   OR encode(sha256('abc'), 'hex') <> 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' THEN
		RAISE EXCEPTION 'this server does not compute canonical JSON or SHA-256 as it must';
	END IF;
	PERFORM pg_temp.plain_read(in_tenant, in_chain, in_from, in_to);
	ANALYZE pg_temp.plain_row;
	PERFORM pg_temp.plain_find_homes();
	PERFORM pg_temp.plain_find_duplicates();
	PERFORM pg_temp.plain_judge_rows();
	PERFORM pg_temp.plain_judge_links();
	DELETE FROM pg_temp.plain_finding;
	INSERT INTO pg_temp.plain_finding
	SELECT tenant_id, chain_id, sequence_no, kind, detail FROM pg_temp.plain_row
	 WHERE kind IS NOT NULL AND (in_range OR blamed)
	UNION ALL
	SELECT g.tenant_id, g.chain_id, g.first_no, 'missing', format('no event with sequence %s', CASE
	           WHEN g.first_no = g.last_no THEN g.first_no::text ELSE format('%s to %s', g.first_no, g.last_no) END)
	  FROM pg_temp.plain_gaps(in_from, in_to) AS g;
	IF v_source.chains AND in_from IS NULL AND in_to IS NULL THEN
		INSERT INTO pg_temp.plain_finding
		SELECT c.tenant_id, c.chain_id, NULL, 'missing_chain', 'a registered chain has no events'
		  FROM pg_temp.plain_chain AS c
		 WHERE (in_tenant IS NULL OR c.tenant_id = in_tenant) AND (in_chain IS NULL OR c.chain_id = in_chain)
		   AND NOT EXISTS (SELECT FROM pg_temp.plain_row AS r WHERE (r.home_tenant, r.home_chain) = (c.tenant_id, c.chain_id));
	END IF;
	IF v_source.projections AND in_chain IS NULL AND in_from IS NULL AND in_to IS NULL THEN
		PERFORM pg_temp.plain_fold(in_tenant);
		ANALYZE pg_temp.plain_expected;
		PERFORM pg_temp.plain_judge_projections(in_tenant);
		v_projections := (SELECT count(*) FROM pg_temp.plain_expected WHERE source = 'findings_projection');
	END IF;
	DELETE FROM pg_temp.plain_judged;
	IF v_source.anchors AND in_from IS NULL AND in_to IS NULL THEN
		PERFORM pg_temp.plain_find_anchored(in_tenant, in_chain);
		PERFORM pg_temp.plain_grow();
		PERFORM pg_temp.plain_judge_anchors();
		PERFORM pg_temp.plain_judge_registry();
		v_tiles := pg_temp.plain_judge_tiles();
		INSERT INTO pg_temp.plain_finding
		SELECT tenant_id, chain_id, tree_size, kind, detail FROM pg_temp.plain_judged WHERE kind IS NOT NULL;
	END IF;
	IF v_source.guards AND in_tenant IS NULL AND in_chain IS NULL AND in_from IS NULL AND in_to IS NULL THEN
		INSERT INTO pg_temp.plain_finding
		SELECT g.tenant_id, NULL, NULL, 'guard_missing', g.detail FROM pg_temp.plain_guards() AS g;
	END IF;
	SELECT jsonb_build_object(
	           'rows', count(*), 'links', count(*) FILTER (WHERE holds AND previous_true IS NOT NULL),
	           'payloads', count(*) FILTER (WHERE has_payload), 'leaves', count(*), 'projections', v_projections,
	           'chains', count(DISTINCT (tenant_id, chain_id)), 'anchors', (SELECT count(*) FROM pg_temp.plain_judged), 'tiles', v_tiles,
	           'findings', (SELECT count(*) FROM pg_temp.plain_finding),
	           'verdict', CASE WHEN EXISTS (SELECT FROM pg_temp.plain_finding) THEN 'tampered'
	                           WHEN count(*) = 0 THEN 'nothing_checked' ELSE 'clean' END)
	  INTO v_report FROM pg_temp.plain_row WHERE in_range;
	RETURN v_report;
END
$$;

CREATE OR REPLACE FUNCTION pg_temp.plain_verify(
	in_tenant text DEFAULT NULL, in_chain uuid DEFAULT NULL, in_from bigint DEFAULT NULL, in_to bigint DEFAULT NULL)
RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_temp.plain_report(in_tenant, in_chain, in_from, in_to);
	RETURN QUERY SELECT f.* FROM pg_temp.plain_finding AS f
	              ORDER BY f.tenant_id, f.chain_id, f.sequence_no, f.kind, f.detail;
END
$$;

-- ---------------------------------------------------------------------------
-- 14. Run, in one snapshot.  The session gets its search_path back afterwards: a
--    tampered database may have put one in place whose operators are not ours.
-- ---------------------------------------------------------------------------
SELECT set_config('client_min_messages', :'plain_messages', false) AS plain_done,
       lower(:'run') IN ('off', 'false', 'no', '0') AS plain_skip \gset
\set plain_failed false
\if :plain_skip
\else
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.plain_report(NULLIF(:'tenant', ''), NULLIF(:'chain', '')::uuid,
                            NULLIF(:'from_sequence', '')::bigint, NULLIF(:'to_sequence', '')::bigint) AS plain_result \gset
SELECT * FROM pg_temp.plain_finding ORDER BY tenant_id, chain_id, sequence_no, kind, detail;
SELECT * FROM pg_catalog.jsonb_to_record(:'plain_result'::jsonb) AS summary (
	verdict text, findings bigint, rows bigint, links bigint, payloads bigint, leaves bigint, projections bigint, chains bigint, anchors bigint, tiles bigint);
COMMIT;
SELECT :'plain_result'::jsonb ->> 'verdict' <> 'clean' AS plain_failed \gset
\endif
SELECT set_config('search_path', :'plain_path', false) AS plain_done \gset
\if :plain_failed
DO $$ BEGIN RAISE EXCEPTION 'the ledger is not verified clean'; END $$;
\endif
