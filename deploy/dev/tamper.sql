-- What nothing can prevent and everything should notice: a superuser switches
-- the guards off, changes one stored comment, and switches them on again.
-- For the throw-away cluster; try ledger_verify() before and after.
BEGIN;

-- Which guards there are, and how each was set.
CREATE TEMPORARY TABLE guards ON COMMIT DROP AS
SELECT t.tgrelid::regclass AS relation, t.tgname AS name
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.oid = (SELECT format('ledger.%I', leaf)::regclass
               FROM ledger.ledger_tenants WHERE tenant_id = 'acme')
  AND NOT t.tgisinternal AND t.tgenabled = 'A';
CREATE TEMPORARY TABLE event_guards ON COMMIT DROP AS
SELECT evtname AS name FROM pg_event_trigger WHERE evtenabled = 'A';

SELECT format('ALTER EVENT TRIGGER %I DISABLE', name) FROM event_guards \gexec
SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', relation, name) FROM guards \gexec

-- Named with its leaf, because the parent's own guards stay on.
SELECT format(
	$$UPDATE ledger.%I SET event_body = '{"comment": "Nothing to see here."}'
	WHERE (chain_id, sequence_no) = (
		SELECT chain_id, sequence_no FROM ledger.ledger_events
		WHERE tenant_id = 'acme' AND event_type = 'finding.comment_added'
		ORDER BY chain_id, sequence_no LIMIT 1)$$, leaf)
FROM ledger.ledger_tenants WHERE tenant_id = 'acme' \gexec

SELECT format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', relation, name) FROM guards \gexec
SELECT format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', name) FROM event_guards \gexec
COMMIT;
