# The migration runner: order, frozen history, several runners at once, who may
# run what, and databases it must refuse.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use File::Copy qw(copy);
use IPC::Run ();
use LedgerCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ledger_node('migrations', migrated => 0);
my $work = PostgreSQL::Test::Utils::tempdir('migrations');

# A copy of the migrations that a test may spoil.
sub spoilable
{
	my ($name) = @_;
	my $dir = "$work/$name";
	mkdir $dir or die "cannot make $dir: $!";
	copy($_, $dir) or die "cannot copy $_: $!" for glob("$ROOT/migrations/[0-9C]*");
	return $dir;
}

sub list_checksums
{
	my ($dir) = @_;
	PostgreSQL::Test::Utils::system_or_bail('sh', '-c',
		"cd '$dir' && sha256sum [0-9][0-9][0-9][0-9]_*.sql > CHECKSUMS");
	return;
}

sub migrate_command
{
	my ($dir, @args) = @_;
	return [ "$ROOT/gateway/bin/ledgerctl", 'migrate', '--dir', $dir, @args ];
}

# Runs ledgerctl with a folder's migrations; gives exit status and everything it printed.
sub run_migrate
{
	my $output = '';
	IPC::Run::run(migrate_command(@_), '>&', \$output);
	return ($? >> 8, $output);
}

sub new_database
{
	my ($name, $options) = @_;
	$node->safe_psql('postgres',
		"CREATE DATABASE $name TEMPLATE template0 " . ($options || "ENCODING 'UTF8'"));
	return $node->connstr($name);
}

sub applied_files
{
	my ($dbname) = @_;
	return $node->safe_psql($dbname,
		'SELECT file_name FROM ledger.ledger_schema_migrations ORDER BY version');
}

sub exists_in
{
	my ($dbname, $relation) = @_;
	return $node->safe_psql($dbname, "SELECT to_regclass('$relation') IS NOT NULL");
}

my $own   = "$ROOT/migrations";
my @files = map { (split m{/})[-1] } sort glob("$own/[0-9][0-9][0-9][0-9]_*.sql");
my $next  = sprintf '%04d', @files + 1;
cmp_ok(scalar @files, '>', 1, 'there are migrations to run');

subtest 'an empty database is brought up to date, once' => sub {
	my $dsn = new_database('fresh');
	my ($status, $output) = run_migrate($own, '--dry-run', '--connection', $dsn);
	is($status, 0, 'a dry run succeeds');
	like($output, qr/^\Q$_\E: would be applied/m, "it names $_") for @files;
	is(exists_in('fresh', 'ledger.ledger_schema_migrations'), 'f', 'and changes nothing');

	($status, $output) = run_migrate($own, '--connection', $dsn);
	is($status, 0, 'the run succeeds') or diag($output);
	is(applied_files('fresh'), join("\n", @files), 'every migration is recorded, in order');

	my $before = content_digest($node, 'fresh');
	($status, $output) = run_migrate($own, '--connection', $dsn);
	is($status, 0, 'running again succeeds');
	like($output, qr/nothing to do/, 'says that there is nothing to do');
	is(content_digest($node, 'fresh'), $before, 'and changes no row');
};

subtest 'each migration is an event of the ledger itself' => sub {
	is($node->safe_psql('fresh', <<~'SQL'), scalar @files, 'one ledger.migrated a migration');
		SELECT count(*) FROM ledger.ledger_events e
		JOIN ledger.ledger_schema_migrations m USING (event_id)
		WHERE e.tenant_id = 'ledger' AND e.event_type = 'ledger.migrated'
		SQL
	is_deeply([ verify_kinds($node, db => 'fresh') ], [], 'and the ledger verifies');
};

subtest 'four runners at once apply each migration once' => sub {
	my $dsn = new_database('crowded');
	my @runs;
	for my $n (0 .. 3)
	{
		my %run = (output => '');
		$run{handle} = IPC::Run::start(migrate_command($own, '--connection', $dsn), '>&', \$run{output});
		push @runs, \%run;
	}
	$_->{handle}->finish for @runs;
	is(scalar(grep { $_->{handle}->result(0) == 0 } @runs), 4, 'all succeed')
	  or diag(map { $_->{output} } @runs);
	my $all = join '', map { $_->{output} } @runs;
	for my $file (@files)
	{
		my $times = () = $all =~ /^\Q$file\E: applied$/mg;
		is($times, 1, "$file was applied by one of them");
	}
	is(applied_files('crowded'), join("\n", @files), 'and is recorded once');
};

subtest 'edited history is refused by name' => sub {
	my $dsn = $node->connstr('fresh');
	my $dir = spoilable('edited');
	PostgreSQL::Test::Utils::append_to_file("$dir/$files[1]", "-- an afterthought\n");
	my ($status, $output) = run_migrate($dir, '--connection', $dsn);
	is($status, 3, 'a file that is not as CHECKSUMS says');
	like($output, qr/\Q$files[1]\E was edited/, 'is named');

	list_checksums($dir);
	($status, $output) = run_migrate($dir, '--connection', $dsn);
	is($status, 3, 'a file that is not as the database says');
	like($output, qr/\Q$files[1]\E is not what was applied/, 'is named');

	$dir = spoilable('missing');
	unlink "$dir/$files[-1]";
	($status, $output) = run_migrate($dir, '--connection', $dsn);
	is($status, 3, 'a file of CHECKSUMS that is missing');
	like($output, qr/\Q$files[-1]\E is listed in CHECKSUMS and missing/, 'is named');

	list_checksums($dir);
	($status, $output) = run_migrate($dir, '--connection', $dsn);
	is($status, 3, 'a recorded migration that is missing');
	like($output, qr/\Q$files[-1]\E was applied to database fresh and is missing/, 'is named');
};

subtest 'files that cannot be right are refused before anything runs' => sub {
	my $dsn = new_database('untouched');
	my $dir = spoilable('gap');
	rename "$dir/$files[-1]", "$dir/" . sprintf('%04d_late.sql', @files + 3);
	list_checksums($dir);
	my ($status, $output) = run_migrate($dir, '--connection', $dsn);
	is($status, 3, 'a gap in the numbers');
	like($output, qr/out of order/, 'is said');

	$dir = spoilable('unlisted');
	PostgreSQL::Test::Utils::append_to_file("$dir/${next}_more.sql", "-- runs as: owner\nSELECT 1;\n");
	($status, $output) = run_migrate($dir, '--connection', $dsn);
	is($status, 3, 'a file that CHECKSUMS does not list');
	like($output, qr/${next}_more\.sql is not listed/, 'is named');

	PostgreSQL::Test::Utils::append_to_file("$dir/" . sprintf('%04d_more.sql', @files + 2), "SELECT 1;\n");
	list_checksums($dir);
	($status, $output) = run_migrate($dir, '--connection', $dsn);
	is($status, 3, 'a file that does not say who runs it');
	like($output, qr/does not begin with/, 'is told how to');
	is(exists_in('untouched', 'ledger.ledger_schema_migrations'), 'f', 'nothing was applied');
};

subtest 'a migration that fails leaves nothing, and those before it stay' => sub {
	my $dsn = new_database('halfway');
	my $dir = spoilable('failing');
	my $file = "${next}_fails.sql";
	PostgreSQL::Test::Utils::append_to_file("$dir/$file",
		"-- runs as: owner\nCREATE TABLE ledger.half_made (a integer);\nSELECT 1 / 0;\n");
	list_checksums($dir);
	my ($status, $output) = run_migrate($dir, '--connection', $dsn);
	is($status, 1, 'the run fails');
	like($output, qr/division by zero/, 'the server is quoted');
	like($output, qr/\Q$file\E failed/, 'the file is named');
	is(exists_in('halfway', 'ledger.half_made'), 'f', 'nothing of it was kept');
	is(applied_files('halfway'), join("\n", @files), 'those before it are applied');
};

subtest 'superuser steps and owner steps' => sub {
	my $dsn   = new_database('modest');
	my $admin = $dsn;
	$node->safe_psql('postgres', 'CREATE ROLE plain LOGIN');
	my ($status, $output) = run_migrate($own, '--connection', "$dsn user=plain");
	is($status, 1, 'a plain login cannot run a superuser step');
	like($output, qr/\Q$files[0]\E must be run by a superuser/, 'the file is named');

	($status, $output) = run_migrate($own, '--superuser-connection', $admin, '--connection', "$dsn user=plain");
	is($status, 1, 'nor an owner step without membership');
	like($output, qr/GRANT ledger_owner TO "plain"/, 'and is told the cure');

	$node->safe_psql('postgres', 'GRANT ledger_owner TO plain');
	($status, $output) = run_migrate($own, '--superuser-connection', $admin, '--connection', "$dsn user=plain");
	is($status, 0, 'with both it can') or diag($output);
	is($node->safe_psql('modest', <<~'SQL'), '', 'every relation belongs to the owner role');
		SELECT oid::regclass FROM pg_class
		WHERE relnamespace = 'ledger'::regnamespace AND relowner <> 'ledger_owner'::regrole
		SQL
	is($node->safe_psql('modest', <<~'SQL'), 't', 'who applied what is recorded');
		SELECT bool_or(applied_by = 'plain') AND bool_or(applied_by <> 'plain')
		FROM ledger.ledger_schema_migrations
		SQL
};

subtest 'databases' => sub {
	my ($status, $output) =
	  run_migrate($own, '--connection', new_database('narrow', "ENCODING 'LATIN1' LOCALE 'C'"));
	is($status, 1, 'another encoding is refused');
	like($output, qr/LATIN1; it must be UTF8/, 'with the reason');

	my $dsn = new_database('guide');
	$node->safe_psql('guide', "CREATE EXTENSION $_") for ('citext', '"uuid-ossp"', 'pgcrypto');
	($status, $output) = run_migrate($own, '--connection', $dsn);
	is($status, 0, 'citext, uuid-ossp and pgcrypto in public do no harm') or diag($output);

	($status, $output) = run_migrate($own, '--connection', $node->connstr('absent'));
	is($status, 1, 'an unreachable database fails');
	($status, $output) = run_migrate($own, '--sideways');
	is($status, 1, 'and so does a wrong option');
};

subtest 'a released migration is not written again' => sub {
	my $tree = "$work/tree";
	PostgreSQL::Test::Utils::system_or_bail('sh', '-c',
		"mkdir '$tree' && cp -r '$ROOT/sql' '$ROOT/migrations' '$tree/'");
	my $dir = "$tree/migrations";
	copy("$dir/CHECKSUMS", "$dir/RELEASED") or die "cannot copy: $!";
	my ($first_source) = grep { -f } map { /^([^#\[\s]\S*)/ ? "$tree/sql/$1" : () }
	  split /\n/, slurp_file("$tree/sql/order.txt");
	append_to_file($first_source, "-- a later thought\n");
	PostgreSQL::Test::Utils::system_or_bail("$dir/freeze.sh");
	is(slurp_file("$dir/CHECKSUMS"), slurp_file("$dir/RELEASED"), 'freeze leaves it as it is');

	append_to_file("$dir/$files[0]", "-- an edit\n");
	my $output = '';
	my $frozen = IPC::Run::run([ "$dir/freeze.sh" ], '>&', \$output);
	ok(!$frozen, 'and refuses to go on over an edited one');
	like($output, qr/\Q$files[0]\E: FAILED/, 'naming it');
};

$node->stop;
done_testing();
