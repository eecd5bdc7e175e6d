-- What the gateway calls, with one event.
\set chain random(1, :chains)
\set finding random(1, :findings)
\set severity random(0, 100)
SELECT item, status, headers, body FROM ledger.ledger_http_append('bench', ('[{"event":{"type":"finding.severity_changed","policyVersion":"policy-'
	|| :chain || '","findingId":"CVE-2024-' || :finding || '","artifactId":"npm/left-pad@1.3.0","payload":{"severity": ' || :severity / 10.0
	|| ',"status":"triaged","labels":{"team":"platform","env":"production"},"comment":"Reachable from the public gateway; the owner was told and has agreed to a date."}},"subject":"tester","actorType":"system","anyActor": true}]')::jsonb);
