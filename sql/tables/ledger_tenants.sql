CREATE TABLE ledger.ledger_tenants (
	tenant_id   text COLLATE "C" PRIMARY KEY
	            CHECK (tenant_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'),
	-- Name of the tenant's leaf of ledger_events, without schema.  Text, not
	-- regclass: reg* columns block pg_upgrade and OIDs change at restore.
	leaf        name        NOT NULL UNIQUE,
	settings    jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
	reserved    boolean     NOT NULL DEFAULT false,
	created_at  timestamptz NOT NULL DEFAULT now(),
	created_by  name        NOT NULL DEFAULT session_user,
	anchor_batch_size integer  CHECK (anchor_batch_size > 0),
	anchor_window     interval CHECK (anchor_window > '0'),
	anchor_interval   interval CHECK (anchor_interval >= '0')
);
COMMENT ON TABLE ledger.ledger_tenants IS
	'The tenants and the leaf partition of ledger_events that holds each. Rows are made by ledger_create_tenant().';
COMMENT ON COLUMN ledger.ledger_tenants.tenant_id IS 'Name of the tenant; "ledger" is the ledger''s own.';
COMMENT ON COLUMN ledger.ledger_tenants.leaf IS 'Partition of ledger_events that holds its events, without schema.';
COMMENT ON COLUMN ledger.ledger_tenants.settings IS 'Whatever the operator keeps about the tenant; the ledger reads nothing of it.';
COMMENT ON COLUMN ledger.ledger_tenants.reserved IS 'True for the ledger''s own tenant.';
COMMENT ON COLUMN ledger.ledger_tenants.created_at IS 'When it was created.';
COMMENT ON COLUMN ledger.ledger_tenants.created_by IS 'Which role created it.';
COMMENT ON COLUMN ledger.ledger_tenants.anchor_batch_size IS 'A chain is anchored at the latest with so many new events; NULL: ledger.anchor_batch_size. Set by ledger_set_anchoring(), like the next two.';
COMMENT ON COLUMN ledger.ledger_tenants.anchor_window IS 'Or when its first new event is so old; NULL: ledger.anchor_window.';
COMMENT ON COLUMN ledger.ledger_tenants.anchor_interval IS 'Or so old, if that is shorter; 0: never for this reason; NULL: ledger.anchor_interval.';
