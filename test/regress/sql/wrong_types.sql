-- Functions in C that take rows of any kind, called by anyone with what is no row, or
-- another one: an error, where a look at the wrong bytes would end the server.
\set VERBOSITY terse
SET ROLE nobody_special;
SELECT ledger_row_facts(1);
SELECT ledger_row_facts('text'::text);
SELECT ledger_row_facts('{1}'::int[]);
SELECT ledger_row_facts(ROW(1, 2));
SELECT ledger_find_homes('{1,2}'::int[], '{1}', '{a}', '{01890000-0000-7000-8000-00000000000a}', '{1}');
SELECT ledger_find_homes('{a,b}'::text[], '{1}', '{a}', '{01890000-0000-7000-8000-00000000000a}', '{1}');
SELECT ledger_find_homes(ARRAY[ROW(1)], '{1}', '{a}', '{01890000-0000-7000-8000-00000000000a}', '{1}');
SELECT ledger_event_hash(ROW(1));
SELECT ledger_event_envelope(ROW('a'::text, 'b'::text));
SELECT ledger_computed_hash(ROW(NULL));
SELECT ledger_chain_check(ROW(1), '0123456789abcdef', 1, 1);
SELECT ledger_chain_check(NULL::record, '0123456789abcdef', 1, 1);
SELECT ledger_write(1, NULL);
SELECT ledger_write_many('{1}'::int[]);
-- A row of the right names and other types.
CREATE TEMP TABLE alike AS SELECT 1 AS tenant_id, 2 AS chain_id;
SELECT ledger_event_hash(a) FROM alike AS a;
SELECT ledger_row_facts(a) FROM alike AS a;
DROP TABLE alike;
-- Rows with nothing in them, or nonsense.
SELECT ledger_row_facts(jsonb_populate_record(NULL::ledger_events, '{"event_body": [1], "payload_salt": "\\x00", "event_hash": "\\x00"}'));
SELECT ledger_computed_hash(jsonb_populate_record(NULL::ledger_events, '{"recorded_at": "infinity"}'));
SELECT ledger_chain_check(jsonb_populate_record(NULL::ledger_events, '{}'), '0123456789abcdef', 1, 1);
SELECT ledger_chain_check(jsonb_populate_record(NULL::ledger_events, '{}'), 'short', 1, 1);
SELECT ledger_find_homes(ARRAY[jsonb_populate_record(NULL::ledger_events, '{}')], '{1,0,-7,9}', '{a,a,a,a}', array_fill('01890000-0000-7000-8000-00000000000a'::uuid, '{4}'), '{1,2,3,4}');
RESET ROLE;

-- A copy restored without the ledger's roles: other objects can be made and dropped, and
-- the ledger's are still guarded.
BEGIN;
ALTER ROLE ledger_owner RENAME TO somebody_else;
CREATE TABLE public.harmless (n int);
ALTER TABLE public.harmless ADD COLUMN m text, ALTER COLUMN n TYPE text;
DROP TABLE public.harmless;
SET LOCAL ROLE somebody_else;
DROP TABLE ledger.triage_actions;
ROLLBACK;
