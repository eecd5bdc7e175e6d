-- The vocabulary, and what the reducer does with each word of it.  Rows are
-- added, never changed or removed: a projection rebuilt years later must fold
-- each event as it was folded at first.
CREATE TABLE ledger.ledger_event_types (
	event_type     text COLLATE "C" PRIMARY KEY
	               CHECK (event_type ~ '^[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*)+$' AND length(event_type) <= 63),
	reserved       boolean NOT NULL DEFAULT false,
	projected      boolean NOT NULL DEFAULT true,
	default_status text    CHECK (default_status IN ('affected', 'triaged', 'in_progress', 'accepted_risk',
	                                                 'verified', 'resolved', 'unknown')),
	action_kind    text    CHECK (action_kind ~ '^[a-z][a-z0-9_]*$'),
	reads          text[]  NOT NULL DEFAULT '{status,severity,labels,explainRef,rationale}'
	               CHECK (reads <@ '{status,severity,labels,explainRef,rationale,risk,airgap}'::text[]),
	labels_mode    text    NOT NULL DEFAULT 'replace' CHECK (labels_mode IN ('replace', 'merge')),
	description    text    NOT NULL,
	CHECK (NOT (reserved AND projected)),
	CHECK (reserved = (event_type LIKE 'ledger.%'))
);
COMMENT ON TABLE ledger.ledger_event_types IS
	'Event types and how the reducer folds each: default status, action kind, payload members read. Append-only: add with ledger_add_event_type().';
COMMENT ON COLUMN ledger.ledger_event_types.event_type IS 'The wire name.';
COMMENT ON COLUMN ledger.ledger_event_types.reserved IS 'True for ledger.*: written by the ledger''s own functions only.';
COMMENT ON COLUMN ledger.ledger_event_types.projected IS 'Does the reducer fold it?';
COMMENT ON COLUMN ledger.ledger_event_types.default_status IS 'Status it gives if the payload names none; NULL leaves the status.';
COMMENT ON COLUMN ledger.ledger_event_types.action_kind IS 'action_type of the triage_actions row that it makes; NULL makes none.';
COMMENT ON COLUMN ledger.ledger_event_types.reads IS 'The payload members that the reducer looks at.';
COMMENT ON COLUMN ledger.ledger_event_types.labels_mode IS 'replace: payload.labels is the whole of them. merge: it sets some and removes those that are null.';
COMMENT ON COLUMN ledger.ledger_event_types.description IS 'What it says, for people.';
