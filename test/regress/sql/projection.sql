-- Folding: one life of one finding, and a rebuild that makes identical rows.
\set SHOW_CONTEXT never
BEGIN;
SELECT count(*) FROM ledger_append_many((
	SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'policyVersion', 'fold-1', 'findingId', 'FND-1', 'artifactId', 'img-1',
		'type', e.type, 'payload', e.payload) ORDER BY e.no)
	FROM (VALUES
		(1, 'finding.created', '{"severity": 7.5, "labels": {"env": "prod"}}'::jsonb),
		(2, 'finding.status_changed', '{"status": "Acknowledged", "reason": "seen"}'),
		(3, 'finding.tag_updated', '{"labels": {"team": "blue", "env": null}}'),
		(4, 'finding.comment_added', '{"comment": "looking"}'),
		(5, 'finding.risk_scored', '{"risk": {"score": 71.005, "profileVersion": "1.2.0"}}'),
		(6, 'finding.risk_scored', '{"risk": {"score": 5, "profileVersion": "1.1.9"}}'),
		(7, 'finding.accepted_risk', '{"justification": "internal only", "severity": "low"}'),
		(8, 'finding.closed', '{}'),
		(9, 'finding.reopened', '{"status": "never heard of"}')) AS e (no, type, payload)));
SELECT status, severity, labels, risk_score, risk_severity, risk_profile_version, risk_event_sequence, current_sequence
FROM findings_projection WHERE policy_version = 'fold-1';
SELECT sequence_no, previous_status, status, previous_severity, severity, justification
FROM finding_history WHERE policy_version = 'fold-1' ORDER BY sequence_no;
SELECT sequence_no, action_type, payload FROM triage_actions WHERE policy_version = 'fold-1' ORDER BY sequence_no;
CREATE TEMP TABLE before AS
	SELECT 'p' AS what, to_jsonb(p) AS r FROM findings_projection p UNION ALL
	SELECT 'h', to_jsonb(h) FROM finding_history h UNION ALL SELECT 'a', to_jsonb(a) FROM triage_actions a;
SELECT ledger_rebuild_projection('acme') >= 9 AS rebuilt;
SELECT count(*) AS differing FROM (
	SELECT 'p' AS what, to_jsonb(p) AS r FROM findings_projection p UNION ALL
	SELECT 'h', to_jsonb(h) FROM finding_history h UNION ALL SELECT 'a', to_jsonb(a) FROM triage_actions a) x
	FULL JOIN before b USING (what, r) WHERE x.what IS NULL OR b.what IS NULL;
\set ON_ERROR_ROLLBACK on
-- A finding belongs to the chain of its first event.
SELECT ledger_append('acme', 'finding.closed', 'FND-1', 'fold-1', 'img-1',
	chain_id => '00000000-0000-8000-8000-000000000001');
SELECT ledger_append('acme', 'finding.risk_scored', 'FND-1', 'fold-1', 'img-1',
	'{"risk": {"score": 6, "profileVersion": "1.2.0", "eventSequence": 5}}');
ROLLBACK;
