# One test for each way in which dumps and restores of PostgreSQL betray: each shows
# that the trap is there, and what the ledger does about it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run ();
use LedgerCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $work = PostgreSQL::Test::Utils::tempdir('dump_traps');
my $node = ledger_node('traps');
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
login_role($node, 'op', 'ledger_operator');
login_role($node, 'bk', 'ledger_backup');
append_many($node, $_, 'F', 12) for qw(acme globex);
append($node, finding => 'F-3', type => 'finding.comment_added', payload => { comment => 'left alone' });

sub sql { my ($dbname, $text) = @_; return $node->safe_psql($dbname, $text); }
sub command { my ($dbname, $text) = @_; return $node->psql($dbname, $text, on_error_die => 1); }

# The checks that fail, as "name: detail"; not that the test's server has fsync off.
sub failed
{
	my ($dbname) = @_;
	return sql($dbname, q{SELECT check_name || ': ' || detail FROM ledger.ledger_check_runtime() WHERE NOT ok AND check_name <> 'settings' ORDER BY 1});
}

sub hint
{
	my ($dbname, $check) = @_;
	return sql($dbname, "SELECT hint FROM ledger.ledger_check_runtime() WHERE check_name = '$check'");
}

# CALL as superuser; gives what was said.
sub take_over
{
	my ($dbname) = @_;
	my (undef, undef, $said) = $node->psql($dbname, q{CALL ledger.ledger_after_restore('a test')}, on_error_die => 1);
	return $said;
}

# What is wrong with a copy, apart from its being one.
sub strange { return join "\n", grep { !/^(copy|search_path): / } split /\n/, failed($_[0]); }

# A copy of the ledger, by dump and restore.
sub new_copy
{
	my ($dbname) = @_;
	dump_to($node, $DB, "$work/$dbname.dump");
	my ($status, $said) = restore_from($node, $dbname, "$work/$dbname.dump");
	die "the restore of $dbname failed: $said" if $status != 0;
	return;
}

# The grants that the hint about privileges names, as a superuser gives them.
sub restore_grants
{
	my ($server, $dbname) = @_;
	my $grants = join "\n", slurp_file("$ROOT/sql/bootstrap/schema.sql") =~ /^GRANT .*?;/msg;
	return $server->psql($dbname, "$grants\n\\i $ROOT/sql/privileges/grants.sql", on_error_die => 1);
}

# A query about the catalog that finds nothing, and finds what a bad migration makes.
sub catalog_rule
{
	my ($name, $query, $bad, $wanted) = @_;
	is(sql($DB, $query), '', $name);
	is(sql($DB, "BEGIN; SET client_min_messages = error; $bad; $query; ROLLBACK"), $wanted, "$name: a breach would be found");
	return;
}

subtest '1: CREATE EXTENSION carries no version' => sub {
	new_copy('versions');
	my $script = '';
	IPC::Run::run([ 'pg_restore', '-f', '-', "$work/versions.dump" ], '>', \$script);
	like($script, qr/^CREATE EXTENSION IF NOT EXISTS findings_ledger WITH SCHEMA ledger;$/m, 'a restore takes whatever is installed');
	is(strange('versions'), '', 'which is the right one here');
	is(sql('versions', q{SELECT count(fmgr_c_validator(oid)) > 20 FROM pg_proc WHERE probin LIKE '%findings_ledger'}), 't', 'every C function of the catalog is in the library');
	my $broken = q{CREATE FUNCTION public.gone() RETURNS text LANGUAGE c AS '$libdir/findings_ledger', 'ledger_gone'};
	fails_with($node, $broken, '42883', qr/could not find function "ledger_gone"/, 'and one that is not would be missed', db => 'versions');

	command('versions', q{UPDATE pg_extension SET extversion = '0.9' WHERE extname = 'findings_ledger'});
	is(strange('versions'), 'extension version: extension 0.9, library 1.0, schema 1.0', 'a script older than the library is named');
	like(hint('versions', 'extension version'), qr/ALTER EXTENSION findings_ledger UPDATE TO '1\.0'/, 'with the cure');
	command('versions', q{UPDATE pg_extension SET extversion = '1.0' WHERE extname = 'findings_ledger'});

	command('versions', q{CREATE OR REPLACE FUNCTION ledger.ledger_schema_version() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$ SELECT '1.2' $$});
	dump_to($node, 'versions', "$work/newer.dump");
	is((restore_from($node, 'newer', "$work/newer.dump"))[0], 0, 'a dump of a newer ledger restores onto an older extension');
	is(strange('newer'), 'extension version: extension 1.0, library 1.0, schema 1.2', 'and is named');
	like(hint('newer', 'extension version'), qr/Install findings_ledger 1\.2 or newer/, 'with the cure');
};

subtest '2: the configuration of another pg_partman' => sub {
	new_copy('partman5');
	my $columns = 'parent_table, control, partition_interval::interval, premake, datetime_string, automatic_maintenance, infinite_time_partitions';
	my $wanted = sql('partman5', "SELECT $columns FROM partman.part_config");
	# A column that the target's version does not have, as 4.x and 5.x have of each other.
	command('partman5', 'ALTER TABLE partman.part_config ADD COLUMN of_another_version text');
	dump_to($node, 'partman5', "$work/partman5.dump");
	my ($status, $said) = restore_from($node, 'partman4', "$work/partman5.dump");
	is($status, 1, 'the restore reports an error');
	like($said, qr/column "of_another_version" of relation "part_config" does not exist/, 'about part_config');
	like($said, qr/errors ignored on restore: 1\b/, 'and about nothing else');
	is(content_digest($node, 'partman4'), content_digest($node, 'partman5'), 'the ledger is whole');
	is(strange('partman4'), 'partitions: ledger.finding_history is not registered with pg_partman', 'maintenance would silently stop: it is named');
	take_over('partman4');
	is(failed('partman4'), '', 'taking over registers the table again');
	is(sql('partman4', "SELECT $columns FROM partman.part_config"), $wanted, 'as it was');
	command('partman4', 'UPDATE ledger.ledger_partition_intent SET premake = 9; SELECT ledger.ledger_maintenance_tick()');
	# How many that are depends on the day of the month.
	my $month = q{SELECT to_regclass('ledger.finding_history_p' || to_char(now() + interval '9 months', 'YYYY_MM')) IS NOT NULL};
	is_deeply([ map { sql($_, $month) } qw(partman5 partman4) ], [ 'f', 't' ], 'and maintenance makes months');
	clean_by_both($node, 'both verifiers find it clean', db => 'partman4');
};

subtest '3: a dump of the schema alone' => sub {
	dump_to($node, $DB, "$work/schema.dump", '-n', 'ledger');
	my ($status, $said) = restore_from($node, 'alone', "$work/schema.dump");
	is($status, 1, 'it cannot be restored into an empty database');
	like($said, qr/function ledger\.ledger_link\(\) does not exist/, 'the extension is not in it');

	# Someone helps it along: then it looks like a ledger.
	command('postgres', 'CREATE DATABASE helped TEMPLATE template0');
	command('helped', 'CREATE SCHEMA ledger; CREATE EXTENSION findings_ledger SCHEMA ledger; CREATE SCHEMA partman; CREATE EXTENSION pg_partman SCHEMA partman');
	IPC::Run::run([ 'pg_restore', '-d', $node->connstr('helped'), "$work/schema.dump" ], '>&', \my $output);
	is(content_digest($node, 'helped'), content_digest($node, $DB), 'with all its rows');
	like(strange('helped'), qr/^guards: .*event trigger ledger_guard_drop: missing/m, 'without event triggers');
	like(strange('helped'), qr/^partitions: ledger_owner may not work in schemas ledger and partman/m, 'without grants on schemas');
	like(strange('helped'), qr/^privileges: .*ledger_owner may not execute ledger_write\(\)/m, 'and on the functions that write');
	like(hint('helped', 'privileges'), qr/GRANTs of sql\/bootstrap\/schema\.sql/, 'the cure is named');
	restore_grants($node, 'helped');
	is(strange('helped') =~ s/^guards: .*\n//mr, 'partitions: ledger.finding_history is not registered with pg_partman', 'with the grants, the registration is still missing');
	like(hint('helped', 'partitions'), qr/CALL ledger\.ledger_after_restore\(reason\), or SELECT ledger\.ledger_maintenance_tick\(\)/, 'with the cure');
	take_over('helped');
	is(failed('helped'), '', 'which mends it');
	clean_by_both($node, 'both verifiers find it clean', db => 'helped');
};

subtest '4: --data-only --disable-triggers loosens ALWAYS' => sub {
	dump_to($node, $DB, "$work/whole.dump");
	is((restore_from($node, 'loose', "$work/whole.dump", '--schema-only'))[0], 0, 'the schema is restored first');
	my ($status, $output) = (0, '');
	IPC::Run::run([ 'pg_restore', '--data-only', '--disable-triggers', '-d', $node->connstr('loose'), "$work/whole.dump" ], '>&', \$output);
	isnt($?, 0, 'the event triggers write what happens into the chain that is to be loaded: it fails');

	command('postgres', 'DROP DATABASE loose');
	restore_from($node, 'loose', "$work/whole.dump", '--schema-only');
	command('loose', "ALTER EVENT TRIGGER $_ DISABLE") for qw(ledger_guard_start ledger_guard_ddl_end ledger_guard_drop ledger_guard_rewrite);
	$output = '';
	IPC::Run::run([ 'pg_restore', '--data-only', '--disable-triggers', '-d', $node->connstr('loose'), "$work/whole.dump" ], '>&', \$output);
	command('loose', "ALTER EVENT TRIGGER $_ ENABLE ALWAYS") for qw(ledger_guard_start ledger_guard_ddl_end ledger_guard_drop ledger_guard_rewrite);
	is(content_digest($node, 'loose'), content_digest($node, $DB), 'with them off every row arrives');
	my @loose = split /\n/, sql('loose', q{SELECT object || ' ' || state FROM ledger.ledger_guard_state() WHERE NOT ok AND guard <> 'setting' ORDER BY object});
	my @leaves = split /\n/, sql('loose', 'SELECT leaf FROM ledger.ledger_tenants');
	is(scalar @leaves, 3, 'three leaves');
	for my $leaf (@leaves)
	{
		for my $trigger (qw(zzzz_ledger_link ledger_refuse_row ledger_refuse_direct ledger_refuse_truncate))
		{
			ok((grep { $_ eq "$trigger on $leaf not enabled always (O)" } @loose), "$trigger on $leaf is named");
		}
	}
	like(strange('loose'), qr/^guards: .*not enabled always/m, 'the runtime check fails');
	like(hint('loose', 'guards'), qr/restore the whole dump/, 'with what to do');
	found_by_both($node, [ ('guard_missing') x @loose ], 'and so do both verifiers, for each', db => 'loose');
};

subtest '5: a generated hash would be computed anew' => sub {
	my $generated = q{SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE c.relnamespace = 'ledger'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> '' AND NOT c.relispartition};
	catalog_rule('no column is generated', $generated,
		q{ALTER TABLE ledger.triage_actions ADD COLUMN length integer GENERATED ALWAYS AS (length(action_type)) STORED}, 'length');
	my $hashes = q{SELECT count(*) FROM pg_attribute WHERE attrelid = 'ledger.ledger_events'::regclass AND attname LIKE '%\_hash' AND attnum > 0 AND atttypid = 'bytea'::regtype};
	is(sql($DB, $hashes), '5', 'the five hashes of an event are stored columns');
};

subtest '6: a function that resolves names through search_path' => sub {
	catalog_rule('every SQL and PL/pgSQL function pins its search_path',
		q{SELECT p.proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
			WHERE p.pronamespace = 'ledger'::regnamespace AND l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL
			AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS c WHERE c LIKE 'search_path=%')},
		q{CREATE FUNCTION ledger.loose() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM pg_class'}, 'loose');
	# A restore runs with an empty path; here is one that is worse.
	command($DB, q{CREATE SCHEMA evil; CREATE FUNCTION evil.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea';
		CREATE TABLE evil.ledger_events (tenant_id text); CREATE TABLE evil.ledger_tenant_grants (tenant_id text)});
	for my $path (q{''}, 'evil, pg_catalog')
	{
		is(sql($DB, qq{SET search_path = $path; SELECT (ledger.ledger_append('acme', 'finding.created', 'P-' || md5(current_setting('search_path')), 'policy-1', 'pkg:deb/x\@1')).sequence_no > 0}), 't', "appends work with search_path = $path");
		is(sql($DB, qq{SET search_path = $path; SELECT ledger.ledger_verify_report() ->> 'verdict'}), 'clean', 'and so does verification');
	}
	command($DB, 'DROP SCHEMA evil CASCADE');
};

subtest '7: row-level security and who dumps' => sub {
	my ($status, $said) = dump_to($node, $DB, "$work/owner.dump", '--role=ledger_owner');
	is($status, 1, 'the owner cannot dump');
	like($said, qr/query would be affected by row-level security policy/, 'because row security is forced');

	($status, $said) = dump_to($node, $DB, "$work/subset.dump", '--role=ledger_owner', '--enable-row-security', '--exclude-table=partman.custom_time_partitions');
	is($status, 0, 'with --enable-row-security the dump succeeds');
	is((restore_from($node, 'subset', "$work/subset.dump"))[0], 0, 'and restores');
	is(sql('subset', 'SELECT count(*) FROM ledger.ledger_events'), '0', 'with no event in it');
	isnt(report($node, db => 'subset')->{verdict}, 'clean', 'which is never called clean');

	my $as = $node->connstr($DB) . ' user=bk';
	my $output = '';
	IPC::Run::run([ 'pg_dump', '-Fc', '--role=ledger_backup', '-f', "$work/backup.dump", '-d', $as ], '>&', \$output);
	is($output, '', 'the backup role dumps');
	is_deeply([ restore_from($node, 'backup', "$work/backup.dump") ], [ 0, '' ], 'what restores');
	is(content_digest($node, 'backup'), content_digest($node, $DB), 'to every row');
	clean_by_both($node, 'both verifiers find it clean', db => 'backup');
	fails_with($node, q{INSERT INTO ledger.ledger_events (tenant_id) VALUES ('acme')}, '42501', qr/permission denied/, 'the backup role cannot write', user => 'bk');
};

subtest '8: roles and grants are the cluster\'s' => sub {
	my $empty = ledger_node('empty', migrated => 0);
	my ($status, $said) = restore_from($empty, 'roleless', "$work/backup.dump");
	is($status, 1, 'without the roles a restore reports errors');
	like($said, qr/role "ledger_owner" does not exist/, 'that name them');
	my $failed = $empty->safe_psql('roleless', q{SELECT check_name || ': ' || detail FROM ledger.ledger_check_runtime() WHERE NOT ok});
	like($failed, qr/^roles: .*ledger_owner is missing/m, 'and leaves a ledger that says so');
	like($failed, qr/^privileges: .*PUBLIC may execute ledger_add_event_type/m, 'and that anyone may run it');
	like($failed, qr/^guards: .*belongs to \Q$superuser\E/m, 'and that it belongs to someone else');

	$empty->safe_psql('postgres', "DROP DATABASE roleless");
	my $output = '';
	IPC::Run::run([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $empty->connstr('postgres'), '-f', "$ROOT/sql/bootstrap/roles.sql" ], '>&', \$output);
	is($output, '', 'roles.sql makes them');
	is_deeply([ restore_from($empty, 'roled', "$work/backup.dump") ], [ 0, '' ], 'then a restore has nothing to say');
	my $check = q{SELECT check_name || ': ' || detail FROM ledger.ledger_check_runtime() WHERE NOT ok AND check_name NOT IN ('copy', 'search_path', 'settings')};
	is($empty->safe_psql('roled', $check), '', 'and the copy nothing to name');
	$empty->safe_psql('roled', q{INSERT INTO ledger.ledger_tenant_grants (tenant_id, role_name) VALUES ('acme', 'left_behind')});
	is($empty->safe_psql('roled', $check), 'tenant grants: role left_behind of ledger_tenant_grants does not exist', 'a login that stayed behind is named');
	$empty->safe_psql('postgres', 'ALTER ROLE ledger_writer BYPASSRLS');
	like($empty->safe_psql('roled', $check), qr/^roles: ledger_writer has other attributes$/m, 'and a role that can more than it should');

	restore_from($empty, 'no_acl', "$work/backup.dump", '--no-acl');
	for my $problem ('PUBLIC may execute ledger_create_tenant()', 'ledger_reader lacks SELECT on ledger_events', 'ledger_owner may not use schema ledger')
	{
		like($empty->safe_psql('no_acl', $check), qr/^privileges: .*\Q$problem\E/m, "a restore without privileges: $problem");
	}
	restore_grants($empty, 'no_acl');
	is($empty->safe_psql('no_acl', $check) =~ s/^roles: .*\n?//mr, '', 'the grants can be given again');
	$empty->stop;
};

subtest '9 and 10: nothing is kept that a restore or an upgrade renumbers' => sub {
	catalog_rule('no column holds an OID, a transaction id or a reg* name',
		q{SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
			WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
			AND (t.typname LIKE 'reg%' OR t.typname IN ('oid', 'xid', 'xid8', 'cid', 'tid', 'pg_lsn', 'txid_snapshot', 'pg_snapshot')) ORDER BY 1},
		q{CREATE TABLE ledger.bad (a regclass, b oid, c xid8, d text)}, "a\nb\nc");
	my $hash = q{SELECT md5(string_agg(event_hash::text || merkle_leaf_hash::text, '' ORDER BY tenant_id, chain_id, sequence_no)) FROM ledger.ledger_events};
	my $recomputed = q{SELECT md5(string_agg(ledger.ledger_event_hash(e)::text || ledger.ledger_leaf_hash(e)::text, '' ORDER BY tenant_id, chain_id, sequence_no)) FROM ledger.ledger_events e};
	isnt(sql('backup', q{SELECT 'ledger.ledger_events'::regclass::oid}), sql($DB, q{SELECT 'ledger.ledger_events'::regclass::oid}), 'a copy has other OIDs');
	is(sql('backup', $recomputed), sql($DB, $hash), 'and the same hashes, computed there');
};

subtest '11: event triggers and pg_partman\'s maintenance' => sub {
	take_over('backup');
	is(sql('backup', q{SELECT bool_and(ok) FROM ledger.ledger_guard_state() WHERE guard = 'event trigger'}), 't', 'a restored copy has its event triggers');
	command('backup', 'UPDATE ledger.ledger_partition_intent SET premake = 8');
	my $months = q{SELECT count(*) FROM pg_inherits WHERE inhparent = 'ledger.finding_history'::regclass};
	my $before = sql('backup', $months);
	is($node->safe_psql('backup', 'SELECT ledger.ledger_maintenance_tick()', connstr => $node->connstr('backup') . ' user=op'), 't', 'they let an operator\'s tick through');
	cmp_ok(sql('backup', $months), '>', $before, 'which made months');
	is(sql('backup', q{SELECT count(*) FROM ledger.ledger_events WHERE event_type = 'ledger.guard_changed'}), '0', 'and no event about it');
	command('backup', 'SET row_security = off; CREATE INDEX ON ledger.finding_history (recorded_at)');
	is(sql('backup', q{SELECT count(*) FROM ledger.ledger_events WHERE event_type = 'ledger.guard_changed'}), '1', 'while a superuser\'s change is recorded');
};

subtest '12: nothing is checked on the way in' => sub {
	my $wanted = sql($DB, q{SELECT sequence_no FROM ledger.ledger_events WHERE event_body ->> 'comment' = 'left alone'});
	dump_to($node, $DB, "$work/plain.sql", '-Fp');
	my $dump = slurp_file("$work/plain.sql");
	is($dump =~ s/\{"comment": "left alone"\}/{"comment": "tampered"}/g, 2, 'someone edits the dump: the event and the action folded from it');
	append_to_file("$work/edited.sql", $dump);
	command('postgres', 'CREATE DATABASE edited TEMPLATE template0');
	# The session of a plain dump has an empty search_path and row_security off.
	my ($found, $said) = ('', '');
	IPC::Run::run([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('edited'), '-o', '/dev/null', '-f', "$work/edited.sql",
		'-c', "\\o $work/found.txt", '-c', q{SELECT kind || ' ' || sequence_no FROM ledger.ledger_verify()}, '-c', '\o',
		'-c', q{CALL ledger.ledger_after_restore('a test')} ], '2>', \$said);
	is($?, 0, 'it restores');
	unlike($said, qr/ERROR/, 'without an error');
	is(slurp_file("$work/found.txt"), "payload_edited $wanted\n", 'verification in the same session names the row');
	like($said, qr/\AWARNING:  verification says: tampered\n/, 'and so does taking over, which verifies before it says anything');
	found_by_both($node, ["payload_edited $wanted"], 'both verifiers agree', db => 'edited');
	is(sql('edited', q{SELECT DISTINCT event_body #>> '{verification,verdict}' FROM ledger.ledger_events WHERE event_type = 'ledger.incarnation_started'}), 'tampered', 'and writes it into every chain');
	found_by_both($node, ["payload_edited $wanted"], 'the evidence stays', db => 'edited');
};

$node->stop;
done_testing();
