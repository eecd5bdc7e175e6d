-- Row-level security, forced: it holds for the owner too.  A reader sees the
-- tenant that app.current_tenant selects, if a grant allows it.  Inside the
-- owner's SECURITY DEFINER functions the tenant comes as a parameter, so there the
-- grant alone decides; the asked subject stays the session's role.
DO $$
DECLARE
	v_table text;
BEGIN
	FOREACH v_table IN ARRAY ARRAY['ledger_events', 'findings_projection', 'finding_history', 'triage_actions', 'ledger_chains',
		'ledger_merkle_roots', 'ledger_merkle_tiles', 'ledger_merkle_edge', 'ledger_key_ranges', 'ledger_anchor_receipts',
		'ledger_anchor_stats', 'ledger_verification_marks', 'ledger_access_log', 'ledger_attachments',
		'ledger_projection_stats']
	LOOP
		EXECUTE format('ALTER TABLE ledger.%I ENABLE ROW LEVEL SECURITY', v_table);
		EXECUTE format('ALTER TABLE ledger.%I FORCE ROW LEVEL SECURITY', v_table);
		EXECUTE format('CREATE POLICY tenant_selected ON ledger.%I
			USING (ledger.ledger_tenant_selected(tenant_id))', v_table);
		EXECUTE format('CREATE POLICY tenant_granted ON ledger.%I TO ledger_owner
			USING (ledger.ledger_tenant_allowed(tenant_id))', v_table);
	END LOOP;
END
$$;

-- The ledger writes its own events whoever the session is.  The link trigger lets
-- only the owner's SECURITY DEFINER functions do that, and only with ledger.* types.
CREATE POLICY own_events ON ledger.ledger_events FOR INSERT TO ledger_owner
	WITH CHECK (event_type LIKE 'ledger.%');

-- A key is registered and ended for all tenants at once, by an operator who may touch
-- none of them.  A range is two numbers, and only the key functions hand it on.
CREATE POLICY own_ranges ON ledger.ledger_key_ranges TO ledger_owner
	USING (true);
