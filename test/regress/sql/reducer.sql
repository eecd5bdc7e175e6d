-- The reducer, word by word (docs/projection.md): status, severity, labels, rationale,
-- risk, air gap, history and actions; and each refusal of a wrong shape.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
BEGIN;
\set ON_ERROR_ROLLBACK on
CREATE FUNCTION pg_temp.put(finding text, type text, payload jsonb) RETURNS bigint LANGUAGE sql AS
	$$ SELECT sequence_no FROM ledger.ledger_append('acme', type, finding, 'reducer', 'a', payload) $$;

-- Every status word, in three spellings.
SELECT word, count(pg_temp.put('S-' || word || n, 'finding.status_changed', jsonb_build_object('status', spelling))) AS put
FROM unnest('{affected,new,open,reopened,under_investigation,triaged,acknowledged,in_progress,target_fix,accepted_risk,accept_risk,suppressed,verified,verify_fix,resolved,closed,fixed,remediated,dismissed,false_positive,not_affected,unknown,banana}'::text[]) AS word,
	LATERAL (VALUES (1, word), (2, upper(replace(word, '_', '-'))), (3, initcap(replace(word, '_', ' ')))) AS s (n, spelling)
GROUP BY word HAVING count(*) <> 3;
SELECT status, string_agg(DISTINCT regexp_replace(finding_id, '^S-(.*)\d$', '\1'), ' ' ORDER BY regexp_replace(finding_id, '^S-(.*)\d$', '\1')) AS words, count(*) AS spellings
FROM findings_projection WHERE policy_version = 'reducer' AND finding_id LIKE 'S-%' GROUP BY status ORDER BY 1;
-- Every type's own status, on a finding that was triaged.
DO $$
DECLARE
	v_type text;
BEGIN
	FOR v_type IN SELECT event_type FROM ledger.ledger_event_types WHERE NOT reserved AND event_type NOT LIKE 'scan.%' ORDER BY 1
	LOOP
		PERFORM pg_temp.put('T-' || v_type, 'finding.status_changed', '{"status": "triaged"}');
		PERFORM pg_temp.put('T-' || v_type, v_type, '{"comment": "c"}');
	END LOOP;
END
$$;
SELECT substr(p.finding_id, 3) AS type, p.status, (SELECT string_agg(a.action_type, ' ' ORDER BY a.sequence_no) FROM triage_actions AS a WHERE a.finding_id = p.finding_id AND a.policy_version = 'reducer') AS actions,
	(SELECT count(*) FROM finding_history AS h WHERE h.finding_id = p.finding_id AND h.policy_version = 'reducer') AS history
FROM findings_projection AS p WHERE p.policy_version = 'reducer' AND p.finding_id LIKE 'T-%' ORDER BY 1;

-- Severity: numbers and words; half up at three decimals.
SELECT v, pg_temp.put('V', 'finding.severity_changed', jsonb_build_object('severity', v)) > 0 AS put
FROM jsonb_array_elements('[0, 10, 7.5, 7.0004, 7.0005, 9.9995, 1e-3, "none", "INFORMATIONAL", "Low", "medium", "moderate", "high", "critical", null]') AS v;
SELECT severity FROM findings_projection WHERE finding_id = 'V' AND policy_version = 'reducer';
SELECT sequence_no - min(sequence_no) OVER () AS step, previous_severity, severity FROM finding_history WHERE finding_id = 'V' AND policy_version = 'reducer' ORDER BY 1;
SELECT pg_temp.put('V', 'finding.severity_changed', '{"severity": 10.0001}');
:code
SELECT pg_temp.put('V', 'finding.severity_changed', '{"severity": -0.1}');
SELECT pg_temp.put('V', 'finding.severity_changed', '{"severity": "huge"}');
SELECT pg_temp.put('V', 'finding.severity_changed', '{"severity": true}');
SELECT pg_temp.put('V', 'finding.severity_changed', '{"severity": [7]}');
SELECT pg_temp.put('V', 'finding.status_changed', '{"status": 1}');
:code
SELECT pg_temp.put('V', 'finding.status_changed', '{"status": ["open"]}');

-- Labels: replaced whole, or merged by finding.tag_updated.
SELECT pg_temp.put('L', 'finding.created', '{"labels": {"a": "1", "b": "2"}}');
SELECT labels FROM findings_projection WHERE finding_id = 'L' AND policy_version = 'reducer';
SELECT pg_temp.put('L', 'finding.tag_updated', '{"labels": {"b": null, "c": "3", "zz": null}}');
SELECT labels FROM findings_projection WHERE finding_id = 'L' AND policy_version = 'reducer';
SELECT pg_temp.put('L', 'finding.comment_added', '{"labels": {"only": "é😀"}}');
SELECT labels FROM findings_projection WHERE finding_id = 'L' AND policy_version = 'reducer';
SELECT pg_temp.put('L', 'finding.tag_updated', '{"labels": {"only": null}}');
SELECT labels FROM findings_projection WHERE finding_id = 'L' AND policy_version = 'reducer';
SELECT pg_temp.put('L2', 'finding.tag_updated', '{"labels": {"x": null}}');
SELECT labels FROM findings_projection WHERE finding_id = 'L2' AND policy_version = 'reducer';
SELECT pg_temp.put('L', 'finding.created', '{"labels": ["a"]}');
SELECT pg_temp.put('L', 'finding.created', '{"labels": {"a": null}}');
SELECT pg_temp.put('L', 'finding.tag_updated', '{"labels": {"a": 1}}');
SELECT pg_temp.put('L', 'finding.tag_updated', '{"labels": {"a": {"b": "c"}}}');

-- An evaluated result wins over the type's own status; null says nothing.
SELECT pg_temp.put('E', 'finding.closed', '{"status": "in_progress", "severity": "low", "labels": {"k": "v"}, "explainRef": "policy://1", "rationale": ["r1", "r2"]}');
SELECT pg_temp.put('E', 'finding.comment_added', '{"status": null, "severity": null, "labels": null, "explainRef": null, "rationale": null}');
SELECT status, severity, labels, explain_ref, rationale FROM findings_projection WHERE finding_id = 'E' AND policy_version = 'reducer';
SELECT pg_temp.put('E', 'finding.comment_added', '{"explainRef": 1}');
SELECT pg_temp.put('E', 'finding.comment_added', '{"rationale": "r"}');
SELECT pg_temp.put('E', 'finding.comment_added', '{"rationale": ["r", 1]}');
SELECT pg_temp.put('E', 'finding.comment_added', '{"rationale": {"0": "r"}}');
-- Only what the type reads is looked at.
SELECT pg_temp.put('E', 'airgap.timeline_impact', '{"severity": "nonsense", "status": 1}');
SELECT status, severity FROM findings_projection WHERE finding_id = 'E' AND policy_version = 'reducer';

-- Risk: the pair (profile version, sequence) only goes up.
SELECT n, pg_temp.put('R', 'finding.risk_scored', jsonb_build_object('risk', risk)) > 0 AS put FROM (VALUES (1,
	'{"score": 50.005, "profileVersion": "1.2.0", "eventSequence": 5, "explanationId": "x1"}'::jsonb)) AS v (n, risk);
SELECT risk_score, risk_severity, risk_profile_version, risk_explanation_id, risk_event_sequence, risk_updated_at IS NOT NULL AS updated FROM findings_projection WHERE finding_id = 'R' AND policy_version = 'reducer';
-- Lower profile, lower sequence, equal with equal values: nothing changes.
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 99, "profileVersion": "1.1.9", "eventSequence": 9}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 99, "profileVersion": "1.2.0", "eventSequence": 4}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 50.01, "profileVersion": "1.2.0", "eventSequence": 5, "explanationId": "other"}}');
SELECT risk_score, risk_severity, risk_profile_version, risk_explanation_id, risk_event_sequence FROM findings_projection WHERE finding_id = 'R' AND policy_version = 'reducer';
-- Equal with another value: refused.
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 50.02, "profileVersion": "1.2.0", "eventSequence": 5}}');
:code
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 50.01, "profileVersion": "1.2.0", "eventSequence": 5, "severity": "low"}}');
-- Greater sequence; greater profile with a lower sequence (1.10 is after 1.9); what is absent becomes NULL.
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 89.995, "profileVersion": "1.9.0", "eventSequence": 6}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 5, "profileVersion": "1.10.0", "eventSequence": 0, "severity": "High"}}');
SELECT risk_score, risk_severity, risk_profile_version, risk_explanation_id, risk_event_sequence FROM findings_projection WHERE finding_id = 'R' AND policy_version = 'reducer';
-- Bands, by the rounded score.
DO $$
DECLARE
	v_score numeric;
BEGIN
	FOREACH v_score IN ARRAY '{0,9.994,9.995,39.99,40,69.994,69.995,89.994,89.995,100}'::numeric[]
	LOOP
		PERFORM pg_temp.put('B-' || v_score, 'finding.risk_scored', jsonb_build_object('risk', jsonb_build_object('score', v_score, 'profileVersion', '1.0.0')));
	END LOOP;
END
$$;
SELECT substr(finding_id, 3) AS given, risk_score, risk_severity FROM findings_projection WHERE policy_version = 'reducer' AND finding_id LIKE 'B-%' ORDER BY risk_score, 1;
SELECT pg_temp.put('R', 'finding.risk_scored', jsonb_build_object('risk', risk))
FROM jsonb_array_elements('[{"score": 100.01, "profileVersion": "2.0.0"}]') AS risk;
:code
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": 5}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"profileVersion": "2.0.0"}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": "5", "profileVersion": "2.0.0"}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 5}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 5, "profileVersion": 2}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 5, "profileVersion": "2.0"}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 5, "profileVersion": "2.0.0-rc1"}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 5, "profileVersion": "02.0.0"}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 5, "profileVersion": "1000000000.0.0"}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 5, "profileVersion": "2.0.0", "severity": "none"}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 5, "profileVersion": "2.0.0", "explanationId": 1}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 5, "profileVersion": "2.0.0", "eventSequence": 1.5}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 5, "profileVersion": "2.0.0", "eventSequence": -1}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 5, "profileVersion": "2.0.0", "eventSequence": "1"}}');
SELECT pg_temp.put('R', 'finding.risk_scored', '{"risk": {"score": 5, "profileVersion": "2.0.0", "eventSequence": 9007199254740992}}');

-- Air gap: the bundle's own id before the plain one.
SELECT pg_temp.put('A', 'airgap.bundle_imported', '{"airgap": {"bundle": {"bundleId": "b-1"}, "bundleId": "b-2", "stalenessSeconds": 60}}');
SELECT airgap_bundle_id, airgap_staleness_seconds, status FROM findings_projection WHERE finding_id = 'A' AND policy_version = 'reducer';
SELECT pg_temp.put('A', 'airgap.bundle_imported', '{"airgap": {"bundleId": "b-2"}}');
SELECT pg_temp.put('A', 'finding.created', '{"airgap": {"stalenessSeconds": 0}}');
SELECT airgap_bundle_id, airgap_staleness_seconds, status FROM findings_projection WHERE finding_id = 'A' AND policy_version = 'reducer';
SELECT pg_temp.put('A', 'airgap.bundle_imported', '{"airgap": "b"}');
:code
SELECT pg_temp.put('A', 'airgap.bundle_imported', '{"airgap": {"bundle": 1}}');
SELECT pg_temp.put('A', 'airgap.bundle_imported', '{"airgap": {"bundle": {"bundleId": 1}}}');
SELECT pg_temp.put('A', 'airgap.bundle_imported', '{"airgap": {"bundleId": 1}}');
SELECT pg_temp.put('A', 'airgap.bundle_imported', '{"airgap": {"stalenessSeconds": 0.5}}');

-- History: the first string of justification, comment, reason; one row a transition.
SELECT pg_temp.put('H', 'finding.created', '{"reason": "r0"}');
SELECT pg_temp.put('H', 'finding.comment_added', '{"comment": "no transition"}');
SELECT pg_temp.put('H', 'finding.accepted_risk', '{"justification": 5, "comment": "c2", "reason": "r2"}');
SELECT pg_temp.put('H', 'finding.accepted_risk', '{"justification": "again, and nothing changes"}');
SELECT pg_temp.put('H', 'finding.accepted_risk', '{"justification": "j4", "severity": 5}');
SELECT event_type, previous_status, status, previous_severity, severity, justification, actor_type FROM finding_history WHERE finding_id = 'H' AND policy_version = 'reducer' ORDER BY sequence_no;
SELECT action_type, payload, created_by, action_id = (SELECT e.event_id FROM ledger_events AS e WHERE e.chain_id = a.chain_id AND e.sequence_no = a.sequence_no AND e.tenant_id = a.tenant_id) AS event
FROM triage_actions AS a WHERE finding_id = 'H' AND policy_version = 'reducer' ORDER BY sequence_no;
-- Artifact and vulnerability follow the newest event; a missing vulnerability stays.
SELECT (ledger_append('acme', 'finding.created', 'N', 'reducer', 'a1', vuln_id => 'V1')).sequence_no > 0 AS put;
SELECT (ledger_append('acme', 'finding.closed', 'N', 'reducer', 'a2')).sequence_no > 0 AS put;
SELECT artifact_id, vuln_id, projection_version, current_event_id = (SELECT event_id FROM ledger_events WHERE finding_id = 'N' AND policy_version = 'reducer' ORDER BY sequence_no DESC LIMIT 1) AS current
FROM findings_projection WHERE finding_id = 'N' AND policy_version = 'reducer';
-- Not projected: no row.
SELECT (ledger_append('acme', 'attestation.verified', 'Q', 'reducer', 'a', '{"severity": "ignored"}')).sequence_no > 0 AS put;
SELECT count(*) FROM findings_projection WHERE finding_id = 'Q';

-- One recomputed by hand: the cycle hash covers exactly these members.
SELECT cycle_hash = sha256(convert_to(ledger_canonical_json(jsonb_strip_nulls(jsonb_build_object('schema', 'ledger.projection.v1', 'tenant', tenant_id,
	'findingId', finding_id, 'policyVersion', policy_version, 'artifactId', artifact_id, 'vulnId', vuln_id, 'chainId', chain_id, 'status', status,
	'severity', severity, 'labels', labels, 'explainRef', explain_ref, 'rationale', rationale, 'riskScore', risk_score, 'riskSeverity', risk_severity,
	'riskProfileVersion', risk_profile_version, 'riskExplanationId', risk_explanation_id, 'riskEventSequence', risk_event_sequence,
	'airgap', CASE WHEN airgap_bundle_id IS NOT NULL OR airgap_staleness_seconds IS NOT NULL THEN jsonb_build_object('bundleId', airgap_bundle_id, 'stalenessSeconds', airgap_staleness_seconds) END,
	'currentEventId', current_event_id, 'currentSequence', current_sequence))), 'UTF8')) AS same, count(*)
FROM findings_projection WHERE policy_version = 'reducer' GROUP BY 1;

-- And a rebuild makes the same rows again.
CREATE TEMP TABLE before AS
	SELECT 'p' AS what, to_jsonb(p) AS r FROM findings_projection AS p WHERE tenant_id = 'acme' UNION ALL
	SELECT 'h', to_jsonb(h) FROM finding_history AS h WHERE tenant_id = 'acme' UNION ALL SELECT 'a', to_jsonb(a) FROM triage_actions AS a WHERE tenant_id = 'acme';
SELECT ledger_rebuild_projection('acme') = count(*) AS all_events FROM ledger_events WHERE tenant_id = 'acme';
SELECT count(*) AS differing FROM (
	SELECT 'p' AS what, to_jsonb(p) AS r FROM findings_projection AS p WHERE tenant_id = 'acme' UNION ALL
	SELECT 'h', to_jsonb(h) FROM finding_history AS h WHERE tenant_id = 'acme' UNION ALL SELECT 'a', to_jsonb(a) FROM triage_actions AS a WHERE tenant_id = 'acme') AS x
	FULL JOIN before AS b USING (what, r) WHERE x.what IS NULL OR b.what IS NULL;
SELECT count(*) FROM ledger_verify('acme');
-- A derived row that someone changed comes back.
UPDATE findings_projection SET status = 'verified' WHERE finding_id = 'N';
DELETE FROM finding_history WHERE finding_id = 'N';
INSERT INTO triage_actions SELECT (a).* FROM (SELECT jsonb_populate_record(a, '{"finding_id": "forged"}') AS a FROM triage_actions AS a WHERE finding_id = 'H' LIMIT 1) AS f;
SELECT ledger_rebuild_projection('acme') > 0 AS rebuilt;
SELECT count(*) AS differing FROM (
	SELECT 'p' AS what, to_jsonb(p) AS r FROM findings_projection AS p WHERE tenant_id = 'acme' UNION ALL
	SELECT 'h', to_jsonb(h) FROM finding_history AS h WHERE tenant_id = 'acme' UNION ALL SELECT 'a', to_jsonb(a) FROM triage_actions AS a WHERE tenant_id = 'acme') AS x
	FULL JOIN before AS b USING (what, r) WHERE x.what IS NULL OR b.what IS NULL;
SELECT ledger_rebuild_projection('nobody');
:code
SELECT ledger_rebuild_projection(NULL);
SET LOCAL SESSION AUTHORIZATION some_operator;
SELECT ledger_rebuild_projection('acme');
:code
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT ledger_rebuild_projection('acme');
:code
ROLLBACK;
