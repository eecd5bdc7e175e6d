-- What an export leaves out or covers, as data: it is published as a manifest, and
-- every export names the SHA-256 of the rules that it was made under.
CREATE TABLE ledger.ledger_redaction_rules (
	shape  text COLLATE "C" NOT NULL CHECK (shape IN ('canonical', 'compact')),
	path   text COLLATE "C" NOT NULL CHECK (path = '*' OR path ~ '^[a-z_]+([.][a-z_]+)*$'),
	action text COLLATE "C" NOT NULL CHECK (action IN ('mask', 'drop', 'truncate_realm', 'mask_addresses')),
	reason text COLLATE "C" NOT NULL CHECK (reason <> ''),
	PRIMARY KEY (shape, path),
	CHECK ((path = '*') = (action = 'mask_addresses'))
);
COMMENT ON TABLE ledger.ledger_redaction_rules IS
	'What exports of findings leave out or cover (docs/formats.md section 9); ledger_http_redaction() applies it.';
COMMENT ON COLUMN ledger.ledger_redaction_rules.shape IS 'Of which shape of export: canonical or compact.';
COMMENT ON COLUMN ledger.ledger_redaction_rules.path IS 'Members from the outside in, joined by dots; * is every text in the line, names of members included.';
COMMENT ON COLUMN ledger.ledger_redaction_rules.action IS
	'mask: the value becomes "[masked]"; drop: the member is left out; truncate_realm: of an actor''s id only user:<realm> stays; mask_addresses: e-mail addresses in the text become "[masked]".';
COMMENT ON COLUMN ledger.ledger_redaction_rules.reason IS 'Why.';
