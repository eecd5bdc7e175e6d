-- pgbench takes any colon and name for a variable, within quotes too: no pkg:npm here.
\set chain random(1, :chains)
\set finding random(1, :findings)
\set severity random(0, 100)
SELECT sequence_no FROM ledger.ledger_append('bench', 'finding.severity_changed', 'CVE-2024-' || :finding,
	'policy-' || :chain, 'npm/left-pad@1.3.0', bench.payload(:severity::integer));
