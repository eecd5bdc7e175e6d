-- What cannot be verified is an error; what exists and is not there is not clean.
\set SHOW_CONTEXT never
SELECT count(*) FROM ledger_verify('no-such-tenant');
SELECT ledger_verify_report('no-such-tenant');
SELECT count(*) FROM ledger_verify('acme', '00000000-0000-8000-8000-000000000000');
SELECT count(*) FROM ledger_verify(NULL, '00000000-0000-8000-8000-000000000000');
SELECT count(*) FROM ledger_verify('acme', NULL, 3, 2);
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'V-1', 'verify-1', 'img-1');
SELECT count(*) FROM ledger_verify('globex', ledger_chain_id('acme', 'verify-1'));
SELECT ledger_verify_report('acme', ledger_chain_id('acme', 'verify-1'), 5, 9) ->> 'verdict';
SELECT r ->> 'verdict', r -> 'rows', r -> 'links', r -> 'payloads', r -> 'leaves', r -> 'chains', r -> 'findings', r -> 'kinds'
FROM ledger_verify_report('acme', ledger_chain_id('acme', 'verify-1')) AS r;

-- A role verifies what it is granted, whatever it selects.
SET ROLE acme_auditor;
SELECT count(*) FROM ledger_verify('globex');
SELECT (ledger_verify_report() -> 'rows') = (ledger_verify_report('acme') -> 'rows');
RESET ROLE;
