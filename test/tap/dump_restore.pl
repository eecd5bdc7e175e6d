# A dump of the whole ledger, restored bare into an empty cluster under another name:
# nothing is lost, nothing is loosened, and the copy says what it needs until it has
# it.  The database has citext, uuid-ossp and pgcrypto in public, as users have.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::RealBin/lib";
use File::Copy qw(copy);
use IPC::Run ();
use LedgerCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $work   = PostgreSQL::Test::Utils::tempdir('dump_restore');
my $source = ledger_node('source', migrated => 0);
my $target = ledger_node('target', migrated => 0, fsync => 1, conf => 'ledger.max_chains_per_transaction = 3');
my $copy   = 'ledger_copy';

sub run_ok
{
	my ($name, @command) = @_;
	my $output = '';
	IPC::Run::run(\@command, '>&', \$output);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($? == 0 && $output eq '', $name) || diag($output);
}

sub in_source { return $source->safe_psql($DB,   $_[0]); }
sub in_copy   { return $target->safe_psql($copy, $_[0]); }

# A query's rows in both databases must be the same, and there must be some.  Names
# are printed in full: the search_path is one of the things that differ.
sub same_in_both
{
	my ($sql, $name) = @_;
	my ($wanted, $got) = map { $_->("SET search_path = pg_catalog; $sql") } \&in_source, \&in_copy;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($wanted ne '' && $got eq $wanted, $name) if $wanted eq '' || $got eq $wanted;
	my %here = map { $_ => 1 } split /\n/, $wanted;
	my ($other) = grep { !$here{$_} } split /\n/, $got;
	return ok(0, $name) || diag('only in the copy: ' . (defined $other ? $other : 'nothing'));
}

sub failed_checks
{
	my ($dbname) = @_;
	return join ' ', split /\n/, $target->safe_psql($dbname || $copy,
		'SELECT check_name FROM ledger.ledger_check_runtime() WHERE NOT ok ORDER BY 1');
}

# CALL as someone; gives what was said.
sub take_over
{
	my ($dbname, $user) = @_;
	my ($status, $stdout, $stderr) = $target->psql($dbname, q{CALL ledger.ledger_after_restore('the old machine burnt down')},
		connstr => $target->connstr($dbname) . " user=$user");
	die "CALL failed: $stderr" if $status != 0;
	return $stderr;
}

my $extensions = q{SELECT extname, nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace ORDER BY 1};
my $superuser  = $source->safe_psql('postgres', 'SELECT current_user');

subtest 'a ledger with everything in it' => sub {
	$source->safe_psql('postgres', "CREATE DATABASE $DB TEMPLATE template0 ENCODING 'UTF8'");
	in_source("CREATE EXTENSION $_ SCHEMA public") for ('citext', '"uuid-ossp"', 'pgcrypto');
	migrate($source, $DB);
	in_source("SELECT ledger.ledger_create_tenant('$_')") for qw(acme globex);
	login_role($source, 'writer',  'ledger_writer',  'acme');
	login_role($source, 'auditor', 'ledger_auditor', 'acme', 'globex');
	login_role($source, 'loader',  'ledger_loader',  'acme');
	login_role($source, 'op',      'ledger_operator');
	append_many($source, $_, 'F', 30) for qw(acme globex);
	append($source, finding => 'F-1', type => 'finding.comment_added', payload => { comment => 'Größe ist λ, 🔓' });
	append($source, finding => 'F-2', type => 'finding.accepted_risk', payload => { justification => "it's \\ \"fine\"" });
	append($source, finding => 'F-9', type => 'finding.created', policyVersion => "policy-$_") for 2 .. 4;
	import_at($source, 'F-old', [ '2019-12-31 23:59:59+00', '2020-01-01 00:00:00+00', '2026-01-02 00:00:00+00' ]);
	in_source(q{SELECT ledger.ledger_set_retention('ledger.finding_history', '2 years')});
	in_source('SELECT ledger.ledger_maintenance_tick()');
	is(in_source('SELECT count(*) FROM ledger.finding_history_p2019_12'), '1', 'an aged-out month is kept');
	clean_by_both($source, 'it is clean');
};

# As a migration does it: written by hand, run by the runner.
subtest 'a patched function' => sub {
	my $dir = "$work/migrations";
	mkdir $dir or die "cannot make $dir: $!";
	copy($_, $dir) or die "cannot copy $_: $!" for glob("$ROOT/migrations/[0-9C]*");
	my $number = sprintf '%04d', 1 + (() = glob("$dir/[0-9]*.sql"));
	append_to_file("$dir/${number}_patch.sql", <<~'SQL');
		-- runs as: owner
		CREATE OR REPLACE FUNCTION ledger.ledger_request_expected(event jsonb) RETURNS bigint
			LANGUAGE sql IMMUTABLE PARALLEL SAFE
			SET search_path = pg_catalog, pg_temp
			AS $$ SELECT coalesce(event ->> 'expectedSequence', event ->> 'wanted')::bigint $$;
		SQL
	system_or_bail('sh', '-c', "cd '$dir' && sha256sum [0-9]*.sql > CHECKSUMS");
	my $output = '';
	IPC::Run::run([ "$ROOT/gateway/bin/ledgerctl", 'migrate', '--dir', $dir, '--connection', $source->connstr($DB) ], '>&', \$output);
	like($output, qr/${number}_patch\.sql: applied/, 'is made by a migration');
	is(in_source(q{SELECT ledger.ledger_request_expected('{"wanted": 7}')}), '7', 'and works');
};

subtest 'dump and bare restore' => sub {
	run_ok('the globals are dumped', 'pg_dumpall', '--globals-only', '-f', "$work/globals.sql", '-d', $source->connstr('postgres'));
	# The bootstrap superuser is there in any cluster.
	system_or_bail('sed', '-i', "/^CREATE ROLE $superuser;/d", "$work/globals.sql");
	run_ok('and restored without a word', 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $target->connstr('postgres'), '-f', "$work/globals.sql");
	my $roles = q{SELECT rolname, rolsuper, rolcanlogin, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname LIKE 'ledger%' ORDER BY 1};
	my $before = $target->safe_psql('postgres', $roles);
	run_ok('roles.sql adds nothing to them', 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $target->connstr('postgres'), '-f', "$ROOT/sql/bootstrap/roles.sql");
	is($target->safe_psql('postgres', $roles), $before, 'and changes nothing');

	is_deeply([ dump_to($source, $DB, "$work/ledger.dump") ], [ 0, '' ], 'pg_dump says nothing');
	is_deeply([ restore_from($target, $copy, "$work/ledger.dump") ], [ 0, '' ], 'pg_restore says nothing');
};

subtest 'nothing is lost' => sub {
	is(content_digest($target, $copy), content_digest($source, $DB), 'every table has the same content');
	same_in_both(q{SELECT * FROM partman.part_config}, 'the registration of partitions');
	same_in_both(q{SELECT c.oid::regclass, c.relispartition, pg_get_expr(c.relpartbound, c.oid) FROM pg_class c
		WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname}, 'tables, leaves, months and aged-out months');
	same_in_both($extensions, 'extensions, those of public too');
	is(in_copy(q{SELECT ledger.ledger_request_expected('{"wanted": 7}')}), '7', 'the patched function is the patched one');
	same_in_both(q{SELECT p.oid::regprocedure, md5(pg_get_functiondef(p.oid)), obj_description(p.oid), p.proacl::text
		FROM pg_proc p WHERE p.pronamespace = 'ledger'::regnamespace AND p.prokind IN ('f', 'p') ORDER BY p.oid::regprocedure::text},
		'every function, its comment and its privileges');
	same_in_both(q{SELECT c.oid::regclass, coalesce(c.relacl, acldefault('r', c.relowner)), pg_get_userbyid(c.relowner) FROM pg_class c
		WHERE c.relnamespace = 'ledger'::regnamespace ORDER BY c.relname}, 'owners and privileges of relations');
};

subtest 'nothing is loosened' => sub {
	is(in_copy(q{SELECT guard || ' ' || object || ': ' || state FROM ledger.ledger_guard_state() WHERE NOT ok}), '', 'every guard is as it must be');
	same_in_both(q{SELECT guard, object, state FROM ledger.ledger_guard_state() WHERE guard <> 'setting' ORDER BY 1, 2, 3}, 'and as it was');
	clean_by_both($target, 'both verifiers find the copy clean', db => $copy);
	fails_with($target, 'UPDATE ledger.ledger_events SET actor_id = $$me$$', 'LG423', qr/append-only/, 'an update is refused', db => $copy);
	fails_with($target, 'TRUNCATE ' . in_copy(q{SELECT 'ledger.' || leaf FROM ledger.ledger_tenants WHERE tenant_id = 'acme'}), 'LG423', qr/append-only/, 'and the truncation of a leaf', db => $copy);
};

subtest 'what a dump cannot carry is named' => sub {
	is(failed_checks(), 'copy search_path', 'search_path, and that it is a copy');
	like(in_copy(q{SELECT hint FROM ledger.ledger_check_runtime() WHERE check_name = 'copy'}), qr/CALL ledger\.ledger_after_restore\(reason\)/, 'the hint says what to call');
	like(in_copy(q{SELECT hint FROM ledger.ledger_check_runtime() WHERE check_name = 'search_path'}), qr/ALTER DATABASE ledger_copy SET search_path = "\$user", public, ledger/, 'or which command');
	fails_with($target, q{SELECT ledger_append('acme', 'finding.created', 'F-77', 'policy-1', 'pkg:deb/x@1')}, '42883', qr/does not exist/, 'unqualified calls find nothing yet', db => $copy, user => 'writer');
	fails_with($target, q{CALL ledger.ledger_after_restore('  ')}, 'LG400', qr/a reason is required/, 'a reason must be given', db => $copy);
	fails_with($target, q{CALL ledger.ledger_after_restore('x')}, '42501', qr/permission denied/, 'by an operator', db => $copy, user => 'writer');
	is(failed_checks(), 'copy search_path', 'nothing was done by those');
};

my $heads = q{SELECT tenant_id, chain_id, max(sequence_no) FROM ledger.ledger_events GROUP BY 1, 2 ORDER BY 1, 2};
my $before_heads = in_copy($heads);
my $settings     = in_copy('SELECT instance_id FROM ledger.ledger_settings');

subtest 'one call takes the copy over' => sub {
	cmp_ok(scalar(split /\n/, $before_heads), '>', 3, 'there are more chains than a transaction may append to');
	like(take_over($copy, $superuser), qr/\A[^\n]*NOTICE:  incarnation 2 started\z/, 'the call says so, and has nothing left to warn of');
	is(failed_checks(), '', 'every check is passed');
	is(in_copy(q{SELECT incarnation, instance_id <> '} . $settings . q{', restored_at IS NOT NULL FROM ledger.ledger_settings}), '2|t|t', 'a new instance');
	same_in_both('SELECT origin, created_at FROM ledger.ledger_settings', 'of the same log');
	is(in_copy(q{SELECT tenant_id, chain_id, (event_body -> 'lastSequence')::bigint FROM ledger.ledger_events
		WHERE event_type = 'ledger.incarnation_started' ORDER BY 1, 2}), $before_heads, 'each chain says where it was rolled back to');
	is(in_copy(q{SELECT count(*) FROM ledger.ledger_events WHERE event_type = 'ledger.incarnation_started'
		AND sequence_no = (event_body -> 'lastSequence')::bigint + 1 AND finding_id = 'ledger' AND artifact_id = 'ledger'
		AND event_body @> jsonb_build_object('incarnation', 2, 'oldInstance', '} . $settings . q{', 'newInstance', (SELECT instance_id FROM ledger.ledger_settings),
			'reason', 'the old machine burnt down', 'verification', '{"verdict": "clean"}'::jsonb)}),
		scalar(split /\n/, $before_heads), 'right behind it, with both instances, the reason and what verification said');
	like(take_over($copy, $superuser), qr/this is the recorded copy: no incarnation was started/, 'a second call starts nothing');
	like(take_over($copy, 'op'), qr/this is the recorded copy: no incarnation was started/, 'whoever calls');
	is(in_copy('SELECT incarnation FROM ledger.ledger_settings'), '2', 'still the second incarnation');
	is(in_copy(q{SELECT count(*) FROM ledger.ledger_events WHERE event_type = 'ledger.incarnation_started'}), scalar(split /\n/, $before_heads), 'and one event a chain');
};

subtest 'and goes on' => sub {
	my $writer  = $target->connstr($copy) . ' user=writer';
	my $auditor = $target->connstr($copy) . ' user=auditor';
	my $loader  = $target->connstr($copy) . ' user=loader';
	my ($next) = $before_heads =~ /^acme\|\Q@{[ in_copy(q{SELECT ledger.ledger_chain_id('acme', 'policy-1')}) ]}\E\|(\d+)$/m;
	is($target->safe_psql($copy, q{SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'F-77', 'policy-1', 'pkg:deb/x@1')}, connstr => $writer),
		$next + 2, 'an unqualified append goes on behind the event of the incarnation');
	$target->safe_psql($copy, qq{SET app.current_tenant = 'acme';\n\\copy ledger_settings TO '$work/settings.tsv'\n\\copy (SELECT * FROM ledger_events) TO '$work/events.tsv'}, connstr => $auditor);
	is(scalar(split /\n/, slurp_file("$work/settings.tsv")), 1, 'an unqualified \copy reads a table');
	is(scalar(split /\n/, slurp_file("$work/events.tsv")), in_copy(q{SELECT count(*) FROM ledger.ledger_events WHERE tenant_id = 'acme'}), 'and the events of a tenant');
	append_to_file("$work/new.csv", "acme,finding.created,F-88,policy-1,pkg:deb/x\@1,\"{\"\"severity\"\": 3}\"\n");
	$target->safe_psql($copy, "SET ROLE ledger_loader;\n\\copy ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body) FROM '$work/new.csv' CSV", connstr => $loader);
	is(in_copy(q{SELECT severity FROM ledger.findings_projection WHERE finding_id = 'F-88'}), '3.000', 'and writes one, chained and projected');
	is($target->safe_psql($copy, 'SELECT ledger_maintenance_tick()', connstr => $target->connstr($copy) . ' user=op'), 't', 'maintenance goes on');
	is($target->safe_psql($copy, q{SELECT tenant_id FROM ledger_create_tenant('initech')}, connstr => $target->connstr($copy) . ' user=op'), 'initech', 'a tenant is made');
	is(in_copy(q{SELECT string_agg(object, ' ') FROM ledger.ledger_guard_state() WHERE NOT ok}), '', 'guards on');
	clean_by_both($target, 'both verifiers find it clean', db => $copy);
	is(in_copy(q{SELECT ledger.ledger_rebuild_projection('acme') > 0}), 't', 'a rebuild works');
	clean_by_both($target, 'and it is clean again', db => $copy);
	clean_by_both($source, 'so is the source');
	is(in_source('SELECT incarnation FROM ledger.ledger_settings'), '1', 'which is what it was');
};

# Each step is done by who may do it, in any order, and one incarnation comes of it.
subtest 'an operator, the owner of the database, a superuser' => sub {
	my $third = 'third';
	$target->safe_psql('postgres', 'CREATE ROLE dba LOGIN IN ROLE ledger_operator');
	restore_from($target, $third, "$work/ledger.dump");
	$target->safe_psql('postgres', "ALTER DATABASE $third OWNER TO dba");
	$target->safe_psql($third, 'DROP EVENT TRIGGER ledger_guard_drop; ALTER EVENT TRIGGER ledger_guard_rewrite DISABLE');
	is(failed_checks($third), 'copy guards search_path', 'a copy that lacks more');

	my $said = take_over($third, 'op');
	like($said, qr/incarnation 2 started/, 'an operator starts the incarnation');
	like($said, qr/WARNING:  search_path: .*\n.*HINT:  As owner of the database or superuser/, 'and is told who sets the search_path');
	like($said, qr/WARNING:  guards: event trigger ledger_guard_drop: missing; event trigger ledger_guard_rewrite: not enabled always/, 'and what is missing');
	like($said, qr/WARNING:  verification says: tampered/, 'and that verification misses them');
	is(failed_checks($third), 'guards search_path', 'those are left');
	take_over($third, 'dba');
	is(failed_checks($third), 'guards', 'the owner of the database sets its search_path');
	$target->safe_psql($third, 'ALTER DATABASE third SET search_path = public');
	is(failed_checks($third), 'guards search_path', 'another path without ledger is noticed');
	take_over($third, $superuser);
	is(failed_checks($third), '', 'a superuser makes the event triggers again');
	is($target->safe_psql($third, 'SELECT setconfig FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database()'),
		'{"search_path=public, ledger"}', 'and adds to the path that was set');
	is($target->safe_psql($third, 'SELECT incarnation FROM ledger.ledger_settings'), '2', 'one incarnation');
	clean_by_both($target, 'both verifiers find it clean', db => $third);
};

subtest 'a database of another encoding' => sub {
	$target->safe_psql('postgres', q{CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'});
	run_ok('PostgreSQL restores into it without a word', 'pg_restore', '-d', $target->connstr('ascii'), "$work/ledger.dump");
	is(failed_checks('ascii'), 'copy encoding search_path', 'the runtime check objects');
	is($target->safe_psql('ascii', q{SELECT detail || ': ' || hint FROM ledger.ledger_check_runtime() WHERE check_name = 'encoding'}),
		q{SQL_ASCII: Restore into a database made with ENCODING 'UTF8' TEMPLATE template0.}, 'and says what is needed');
	fails_with($target, q{SELECT ledger.ledger_append('acme', 'finding.created', 'F-1', 'policy-1', 'x')}, 'LG503', qr/encoding UTF8/, 'nothing is appended there', db => 'ascii');
};

$source->stop;
$target->stop;
done_testing();
