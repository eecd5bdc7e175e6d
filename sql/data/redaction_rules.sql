INSERT INTO ledger.ledger_redaction_rules (shape, path, action, reason) VALUES
	('canonical', '*', 'mask_addresses', 'An e-mail address is personal data wherever it was typed.'),
	('canonical', 'provenance.actor_id', 'truncate_realm', 'Who acted is personal data; from which realm is not.'),
	('canonical', 'provenance.comment', 'mask', 'A comment is free text of a person; that there is one is told.'),
	('compact', '*', 'mask_addresses', 'An e-mail address is personal data wherever it was typed.'),
	('compact', 'explain_ref', 'drop', 'Air-gapped readers cannot follow it.'),
	('compact', 'provenance.actor_id', 'drop', 'Who acted is personal data.'),
	('compact', 'provenance.comment', 'drop', 'A comment is free text of a person.'),
	('compact', 'provenance.recorded_at', 'drop', 'Verbose provenance; updated_at has it.'),
	('compact', 'provenance.source_run_id', 'drop', 'Verbose provenance.'),
	('compact', 'rationale', 'drop', 'Verbose, and free text.');
