-- What no check inside one database can notice: a superuser changes one event, and
-- then every hash behind it, the anchors, the tiles and the findings, so that
-- all of it fits together again.  For the throw-away cluster:
--   \set tenant globex
--   \i deploy/dev/rewrite.sql
SELECT format('ledger.%I', leaf) AS leaf FROM ledger.ledger_tenants WHERE tenant_id = :'tenant' \gset
SELECT chain_id AS chain, count(*) AS events FROM ledger.ledger_events
WHERE tenant_id = :'tenant' GROUP BY 1 ORDER BY 2 DESC LIMIT 1 \gset

BEGIN;
CREATE TEMPORARY TABLE guards ON COMMIT DROP AS
SELECT t.tgrelid::regclass AS relation, t.tgname AS name
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'ledger'::regnamespace AND NOT t.tgisinternal AND t.tgenabled = 'A';
CREATE TEMPORARY TABLE event_guards ON COMMIT DROP AS
SELECT evtname AS name FROM pg_event_trigger WHERE evtenabled = 'A';
SELECT format('ALTER EVENT TRIGGER %I DISABLE', name) FROM event_guards \gexec
SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', relation, name) FROM guards \gexec

-- The third event tells another story, and everything after it is hashed again.
UPDATE :leaf SET event_body = event_body || '{"comment": "Nothing to see here."}'
WHERE chain_id = :'chain' AND sequence_no = 3;
CREATE FUNCTION pg_temp.hash_again(chain uuid, leaf text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v_event    ledger.ledger_events;
	v_previous bytea := decode(repeat('00', 32), 'hex');
BEGIN
	FOR v_event IN EXECUTE format('SELECT * FROM %s WHERE chain_id = $1 ORDER BY sequence_no', leaf) USING chain
	LOOP
		v_event.previous_hash := v_previous;
		v_event.payload_hash := ledger.ledger_payload_hash(v_event.payload_salt, v_event.event_body);
		v_event.event_hash := ledger.ledger_event_hash(v_event);
		EXECUTE format('UPDATE %s SET previous_hash = $1, payload_hash = $2, event_hash = $3, merkle_leaf_hash = $4
			WHERE chain_id = $5 AND sequence_no = $6', leaf)
		USING v_event.previous_hash, v_event.payload_hash, v_event.event_hash, ledger.ledger_leaf_hash(v_event),
			chain, v_event.sequence_no;
		v_previous := v_event.event_hash;
	END LOOP;
END
$$;
SELECT pg_temp.hash_again(:'chain', :'leaf') \g (format=unaligned tuples_only=on) /dev/null

-- The old anchors say too much.  New ones are soon made.
DELETE FROM ledger.ledger_anchor_receipts WHERE (tenant_id, anchor_id) IN (
	SELECT tenant_id, anchor_id FROM ledger.ledger_merkle_roots WHERE tenant_id = :'tenant' AND chain_id = :'chain');
DELETE FROM ledger.ledger_merkle_roots WHERE tenant_id = :'tenant' AND chain_id = :'chain';
DELETE FROM ledger.ledger_merkle_tiles WHERE tenant_id = :'tenant' AND chain_id = :'chain';
DELETE FROM ledger.ledger_merkle_edge WHERE tenant_id = :'tenant' AND chain_id = :'chain';
UPDATE ledger.ledger_chains SET first_anchored_sequence = NULL, last_anchored_sequence = NULL
WHERE tenant_id = :'tenant' AND chain_id = :'chain';

SELECT format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', relation, name) FROM guards \gexec
SELECT format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', name) FROM event_guards \gexec
COMMIT;

-- Findings as the new events make them, and anchors over the new tree.
SELECT ledger.ledger_rebuild_projection(:'tenant') \g (format=unaligned tuples_only=on) /dev/null
SELECT ledger.ledger_anchor_tick(:'tenant', true) \g (format=unaligned tuples_only=on) /dev/null
