INSERT INTO ledger.ledger_event_types
	(event_type, default_status, action_kind, reads, labels_mode, description)
VALUES
	('finding.created',                'affected',      NULL,               '{status,severity,labels,explainRef,rationale,airgap}', 'replace', 'A finding was observed for the first time.'),
	('finding.status_changed',         NULL,            'status_change',    DEFAULT, 'replace', 'The status was set; payload.status names it.'),
	('finding.severity_changed',       NULL,            NULL,               DEFAULT, 'replace', 'The severity was set; payload.severity gives it.'),
	('finding.tag_updated',            NULL,            NULL,               DEFAULT, 'merge',   'Labels were set (string) or removed (null); payload.labels lists them.'),
	('finding.comment_added',          NULL,            'comment',          DEFAULT, 'replace', 'Someone commented.'),
	('finding.assignment_changed',     NULL,            'assignment',       DEFAULT, 'replace', 'The finding was assigned to someone.'),
	('finding.accepted_risk',          'accepted_risk', 'accept_risk',      DEFAULT, 'replace', 'The risk was accepted, with a justification.'),
	('finding.remediation_plan_added', NULL,            'remediation_plan', DEFAULT, 'replace', 'A plan to mend the finding was added.'),
	('finding.attachment_added',       NULL,            'attachment',       DEFAULT, 'replace', 'A file was attached; the payload holds its reference and digest.'),
	('finding.risk_scored',            NULL,            NULL,               '{status,severity,labels,explainRef,rationale,risk}', 'replace', 'A risk engine scored the finding; payload.risk holds the score.'),
	('finding.closed',                 'resolved',      'close',            DEFAULT, 'replace', 'The finding was closed.'),
	('finding.reopened',               'affected',      'reopen',           DEFAULT, 'replace', 'A closed finding was opened again.'),
	('finding.verified',               'verified',      'verify_fix',       DEFAULT, 'replace', 'A fix was verified.'),
	('airgap.bundle_imported',          NULL,           NULL,               '{airgap}', 'replace', 'A bundle imported on an air-gapped site touched the finding.'),
	('airgap.evidence_snapshot_linked', NULL,           NULL,               '{airgap}', 'replace', 'A portable evidence snapshot was linked.'),
	('airgap.timeline_impact',          NULL,           NULL,               '{airgap}', 'replace', 'An import changed the finding''s timeline.');

INSERT INTO ledger.ledger_event_types
	(event_type, projected, reads, description)
VALUES
	('orchestrator.export_recorded', false, '{}', 'An orchestrator export run was recorded.'),
	('attestation.verified',         false, '{}', 'An attestation was verified.');

INSERT INTO ledger.ledger_event_types
	(event_type, reserved, projected, reads, description)
VALUES
	('ledger.payload_redacted',    true, false, '{}', 'A payload was erased; names the event, the reason and who asked.'),
	('ledger.incarnation_started', true, false, '{}', 'This chain goes on in a restored copy; names the last sequence present.'),
	('ledger.guard_changed',       true, false, '{}', 'A privileged role changed an object of the ledger.'),
	('ledger.import_recorded',     true, false, '{}', 'Events were imported; names who, the range and the source''s digest.'),
	('ledger.migrated',            true, false, '{}', 'A schema migration was applied.'),
	('ledger.tenant_closed',       true, false, '{}', 'A tenant was closed.'),
	('ledger.key_changed',         true, false, '{}', 'A key of a signer or witness was registered, retired or revoked.');
