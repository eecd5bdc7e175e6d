# Settings of a session that change how values are read, written or planned change nothing
# of the ledger: neither hashes, nor what is stored, nor what verification finds.  The same
# script gives the same answers under each of them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use LedgerCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ledger_node('settings', tenants => ['acme']);

# A schema that somebody put before the others: its operators and functions are traps.
$node->safe_psql($DB, <<~'SQL');
	SELECT count(ledger.ledger_append('acme', 'finding.created', 'F-' || i, 'policy', 'image', '{"severity": "high"}'))
	FROM generate_series(1, 50) AS i;
	CREATE SCHEMA traps;
	CREATE FUNCTION traps.trap(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END';
	CREATE FUNCTION traps.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END';
	CREATE OPERATOR traps.= (LEFTARG = text, RIGHTARG = text, FUNCTION = traps.trap);
	CREATE OPERATOR traps.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = traps.trap);
	CREATE OPERATOR traps.~ (LEFTARG = text, RIGHTARG = text, FUNCTION = traps.trap);
	SQL

# Its own comparisons are of numbers, and its texts have no backslash, so that only the
# ledger's are put to the test.  Each part is rolled back.
my $script = <<'SQL';
SELECT ledger.ledger_canonical_json('{"n": [1e21, 0.1, 1e-7, 333333333.3333333, -0.0, 1.50], "é": true}'::jsonb);
SELECT encode(ledger.ledger_payload_hash(decode('000102030405060708090a0b0c0d0e0f', 'hex'), '{"a": 1.50}'), 'hex');
SELECT ledger.ledger_chain_id('acme', 'p1');
BEGIN;
SELECT sequence_no, extract(epoch FROM occurred_at), event_body FROM ledger.ledger_append(
	'{"tenant": "acme", "type": "finding.created", "policyVersion": "m", "findingId": "M-1", "artifactId": "a",
	  "occurredAt": "2026-11-01T10:00:00.123456+05:45", "payload": {"severity": 4.4445}}'::jsonb);
SELECT sequence_no FROM ledger.ledger_append_many(
	'[{"tenant": "acme", "type": "finding.risk_scored", "policyVersion": "m", "findingId": "M-1", "artifactId": "a",
	   "payload": {"risk": {"score": 55.555, "profileVersion": "1.2.0"}}},
	  {"tenant": "acme", "type": "finding.closed", "policyVersion": "m", "findingId": "M-1", "artifactId": "a"}]');
SELECT severity, risk_score, risk_severity, status FROM ledger.findings_projection WHERE risk_score > 0;
SELECT ledger.ledger_rebuild_projection('acme');
SELECT kind, detail FROM ledger.ledger_verify();
SELECT r - 'durationMs' - 'workers' - 'chains' FROM ledger.ledger_verify_report('acme') AS r;
SET LOCAL session_replication_role = replica;
DO 'DECLARE leaf record; BEGIN
	FOR leaf IN SELECT inhrelid::regclass AS name FROM pg_catalog.pg_inherits WHERE inhparent OPERATOR(pg_catalog.=) ''ledger.ledger_events''::regclass LOOP
		EXECUTE pg_catalog.format(''ALTER TABLE %s DISABLE TRIGGER ALL'', leaf.name);
	END LOOP;
	ALTER TABLE ledger.ledger_events DISABLE TRIGGER ALL;
END';
UPDATE ledger.ledger_events SET occurred_at = occurred_at + interval '1 microsecond' WHERE sequence_no = 7;
UPDATE ledger.ledger_events SET event_body = '{"severity": "low"}' WHERE sequence_no = 8;
UPDATE ledger.findings_projection SET severity = 1 WHERE risk_score > 0;
SELECT sequence_no, kind FROM ledger.ledger_verify('acme');
ROLLBACK;
BEGIN;
SELECT ledger.ledger_set_retention('ledger.finding_history', '3 months');
INSERT INTO ledger.finding_history SELECT (jsonb_populate_record(h, '{"recorded_at": "2026-01-15T00:00:00Z"}')).* FROM ledger.finding_history AS h WHERE sequence_no = 5;
SELECT ledger.ledger_maintenance_tick();
SELECT count(*) FROM ledger.ledger_partition_intent WHERE aged_out_before > now() - interval '5 months';
DELETE FROM partman.part_config;
SELECT ledger.ledger_maintenance_tick();
SELECT datetime_string, partition_interval, retention FROM partman.part_config;
SELECT problem FROM ledger.ledger_partition_problems();
-- The events of this transaction may still be taken back: they are left out.
SELECT tree_size BETWEEN 1 AND (SELECT count(*) FROM ledger.ledger_events WHERE tenant_id = 'ledger') - 1 FROM ledger.ledger_anchor_tick('ledger', true);
SELECT dsse ->> 'payloadType', checkpoint = ledger.ledger_checkpoint('ledger', chain_id), guard_fingerprint = ledger.ledger_guard_fingerprint('ledger')
FROM ledger.ledger_merkle_roots WHERE tenant_id = 'ledger';
SELECT count(*) FROM ledger.ledger_verify('ledger');
SELECT count(*) FROM ledger.ledger_verify_against(ARRAY(SELECT checkpoint FROM ledger.ledger_merkle_roots WHERE tenant_id = 'ledger'));
ROLLBACK;
SQL

sub answers
{
	local $ENV{PGOPTIONS} = join ' ', '-c client_min_messages=error', map { "-c $_" } @_;
	return $node->safe_psql($DB, $script);
}

# The first three computed with Python's hashlib and by hand.
my $plain = answers();
is($plain, <<~'END' =~ s/\n\z//r, 'what the script answers');
	{"n":[1e+21,0.1,1e-7,333333333.3333333,0,1.5],"é":true}
	cffe1c3d45c22404c1161926af9a572eda236e0da6aca2bad6ff1c22488d6a0c
	7f1fe680-c8d1-8d7c-bde5-1c06c8578b76
	1|1793506500.123456|{"severity": 4.4445}
	2
	3
	4.445|55.56|medium|resolved
	53
	{"rows": 53, "kinds": {}, "links": 53, "tiles": 0, "leaves": 53, "anchors": 0, "verdict": "clean", "findings": 0, "payloads": 53, "unsigned": 0, "signatures": 0, "projections": 51}
	7|envelope_edited
	8|payload_edited
	3|projection_diverged

	t
	1
	t
	YYYY_MM|1 mon|3 mons
	t
	application/vnd.stella-ledger-anchor+json|t|t
	0
	0
	END

my %settings = (
	'backslashes escape' => [ 'standard_conforming_strings=off', 'escape_string_warning=off', 'backslash_quote=off' ],
	'another way of writing' => [ 'DateStyle=German,DMY', 'TimeZone=Asia/Kathmandu', 'IntervalStyle=sql_standard',
		'bytea_output=escape', 'extra_float_digits=-15', 'quote_all_identifiers=on', 'transform_null_equals=on' ],
	'traps on the search_path' => ['search_path=traps,pg_catalog,ledger'],
	'parallel workers, little memory' => [ 'force_parallel_mode=regress', 'work_mem=64kB', 'parallel_setup_cost=0',
		'parallel_tuple_cost=0', 'min_parallel_table_scan_size=0' ],
	'compiled' => [ 'jit=on', 'jit_above_cost=0', 'jit_optimize_above_cost=0', 'jit_inline_above_cost=0' ],
	'generic plans, few ways to join' => [ 'plan_cache_mode=force_generic_plan', 'enable_hashjoin=off', 'enable_mergejoin=off',
		'enable_seqscan=off' ],
	'neither indexes nor sorts' => [ 'enable_indexscan=off', 'enable_indexonlyscan=off', 'enable_bitmapscan=off', 'enable_sort=off',
		'enable_hashagg=off', 'enable_material=off', 'enable_incremental_sort=off' ],
);
is(answers(@{ $settings{$_} }), $plain, $_) for sort keys %settings;

# The verifier in plain SQL, in a session of the same kind.
for my $name ('backslashes escape', 'another way of writing', 'traps on the search_path')
{
	local $ENV{PGOPTIONS} = join ' ', map { "-c $_" } @{ $settings{$name} };
	my ($out, $err) = run_command([ 'psql', '-XAtq', '-d', $node->connstr($DB), '-f', "$ROOT/sql/audit/verify_plain.sql" ]);
	like($out, qr/clean/, "verify_plain.sql: $name") or diag $err;
}
done_testing();
