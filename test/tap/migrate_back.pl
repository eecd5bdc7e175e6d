# ledgerctl migrate as operators use it: what it says of a database, stopping on the
# way, waiting for a server, every form of connection string, and the way back, which
# is open only while the ledger holds no events.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use File::Copy qw(copy);
use IPC::Run ();
use LedgerCluster;
use Ledgerctl;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ledger_node('migrate_back', migrated => 0);
my $work = PostgreSQL::Test::Utils::tempdir('migrate_back');
my @files = map { (split m{/})[-1] } sort glob("$ROOT/migrations/[0-9][0-9][0-9][0-9]_*.sql");

sub migrate_db
{
	my ($dbname, @arguments) = @_;
	return Ledgerctl::run({}, 'migrate', '--connection', $node->connstr($dbname), @arguments);
}

sub new_database
{
	my ($name) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0 ENCODING 'UTF8'");
	return $name;
}

# The schema as text, and the rows that migrations make.
sub schema_of
{
	my ($dbname) = @_;
	my $dump = '';
	IPC::Run::run([ 'pg_dump', '--schema-only', '-d', $node->connstr($dbname) ], '>', \$dump) or die 'pg_dump failed';
	$dump =~ s/^\\(un)?restrict .*\n//mg;
	$dump .= $node->safe_psql($dbname, "TABLE ledger.$_ ORDER BY 1")
	  for grep { $node->safe_psql($dbname, "SELECT to_regclass('ledger.$_') IS NOT NULL") eq 't' } qw(ledger_event_types ledger_partition_intent);
	return $dump;
}

# The database's own settings, as psql -l would not tell.
sub settings_of
{
	my ($dbname) = @_;
	return $node->safe_psql($dbname, q{SELECT setconfig FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase WHERE d.datname = current_database()});
}

subtest 'status and stops' => sub {
	new_database('steps');
	my $run = migrate_db('steps', '--status', '--json');
	is($run->{code}, 3, 'an empty database is not up to date');
	is_deeply([ @{ $run->{json} }{qw(applied pending changed exitCode)} ], [ 0, scalar @files, 0, 3 ], 'and says by how much');
	is_deeply([ map { $_->{outcome} } @{ $run->{json}{migrations} } ], [ map { /0001|0005/ ? 'pending, as superuser' : 'pending, as owner' } @files ], 'file by file');

	$run = migrate_db('steps', '--to', '2');
	is($run->{code}, 0, '--to stops there') or diag($run->{stderr});
	like($run->{stdout}, qr/^\Q$files[1]\E: applied\n.*where it was wanted: 2 applied\n\z/ms, 'and says so');
	like(migrate_db('steps', '--dry-run', '--to', '3')->{stdout}, qr/^\Q$files[2]\E: would be applied, as owner\n\z/, 'a dry run goes on from there');
	$run = migrate_db('steps', '--json');
	is_deeply([ @{ $run->{json} }{qw(applied pending changed exitCode)} ], [ scalar @files, 0, @files - 2, 0 ], 'the rest') or diag($run->{stderr});
	is(migrate_db('steps', '--status')->{code}, 0, 'and the database is up to date');
	is($node->safe_psql('steps', 'SELECT count(*) FROM ledger.ledger_schema_migrations WHERE event_id IS NULL'), '0', 'each has its event');
	like(migrate_db('steps', '--to', '2')->{stdout}, qr/up to date: nothing to do/, '--to goes not back');
};

subtest 'wrong use' => sub {
	for my $case ([ [ '--to', '99' ], qr/whole number from 1 to/ ], [ [ '--status', '--dry-run' ], qr/exclude each other/ ],
		[ [ '--rollback-to', '1', '--to', '2' ], qr/exclude each other/ ], [ [ '--wait', '60' ], qr/30s, 5m, 12h, not "60"/ ],
		[ [ 'operand' ], qr/cannot use "operand"/ ])
	{
		my $run = migrate_db('steps', @{ $case->[0] });
		is($run->{code}, 1, "@{ $case->[0] }");
		like($run->{stderr}, $case->[1], 'is told why');
	}
	my $run = migrate_db('steps', '--dir', "$work/nowhere");
	is($run->{code}, 4, 'a directory that is not there');
	like($run->{stderr}, qr/nowhere: No such file/, 'is named');
};

subtest 'every form of connection string, also from the environment' => sub {
	my ($host, $port) = ($node->host, $node->port);
	my $user = $node->safe_psql('steps', 'SELECT current_user');
	my $encoded = $host =~ s{/}{%2F}gr;
	my %forms = (
		URI      => "postgresql://$user\@/steps?host=$encoded&port=$port",
		keywords => "host=$host port=$port user=$user dbname=steps",
		dotnet   => "Host=$host;Port=$port;Username=$user;Database=steps");
	for my $form (sort keys %forms)
	{
		is(Ledgerctl::run({}, 'migrate', '--status', '--connection', $forms{$form})->{code}, 0, "$form by --connection");
		is(Ledgerctl::run({ LEDGER__DB__CONNECTIONSTRING => $forms{$form} }, 'migrate', '--status')->{code}, 0, "$form by the environment");
	}
	my $run = Ledgerctl::run({}, 'migrate', '--connection', "Host=$host;Port=$port;Username=$user;Database=absent;Password=s3cret");
	is($run->{code}, 1, 'a database that is not there');
	like($run->{stderr}, qr/database "absent" does not exist/, 'is named');
	unlike($run->{stderr} . $run->{stdout}, qr/s3cret/, 'and no password');
};

subtest 'the plain login with a superuser from the environment' => sub {
	new_database('modest');
	$node->safe_psql('postgres', 'CREATE ROLE plain LOGIN IN ROLE ledger_owner');
	my $plain = $node->connstr('modest') . ' user=plain';
	my $run = Ledgerctl::run({ LEDGER__DB__SUPERUSERCONNECTIONSTRING => $node->connstr('steps') }, 'migrate', '--connection', $plain);
	is($run->{code}, 1, 'a superuser of another database');
	like($run->{stderr}, qr/no superuser's, or leads to another database than modest/, 'is refused');
	$run = Ledgerctl::run({ LEDGER__DB__SUPERUSERCONNECTIONSTRING => $node->connstr('modest') }, 'migrate', '--connection', $plain);
	is($run->{code}, 0, 'that of this one does') or diag($run->{stderr});
};

subtest 'a server that is not there yet' => sub {
	$node->stop;
	my $run = migrate_db('steps', '--status', '--wait', '1s');
	is($run->{code}, 1, 'waiting has an end');
	like($run->{stderr}, qr/no server answers, after waiting for 1 s/, 'that it names');
	my ($out, $err) = ('', '');
	my $waiting = IPC::Run::start([ "$ROOT/gateway/bin/ledgerctl", 'migrate', '--status', '--wait', '3m', '--connection', $node->connstr('steps') ],
		'<', \'', '>', \$out, '2>', \$err);
	$node->start;
	$waiting->finish;
	is($waiting->result(0), 0, 'one that comes up is waited for') or diag($err);
};

subtest 'where a statement failed' => sub {
	mkdir "$work/failing";
	copy($_, "$work/failing") or die "cannot copy $_: $!" for glob("$ROOT/migrations/[0-9C]*");
	my $file = sprintf '%04d_fails.sql', @files + 1;
	for my $case ([ "SELECT 'ä' AS a;\n\nSELECT nothing;\n", qr/line 4: column "nothing" does not exist/ ],
		[ "SELECT 1;\nDO \$\$ BEGIN PERFORM 1 / 0; END \$\$;\n", qr/statement 2: division by zero; SQL statement "SELECT 1 \/ 0" PL\/pgSQL/ ])
	{
		open my $out, '>:utf8', "$work/failing/$file" or die $!;
		print $out "-- runs as: owner\n" . (utf8::decode($case->[0]) ? $case->[0] : die);
		close $out;
		system_or_bail('sh', '-c', "cd '$work/failing' && sha256sum [0-9]*.sql > CHECKSUMS");
		my $run = migrate_db('steps', '--dir', "$work/failing");
		is($run->{code}, 1, 'a migration that fails');
		like($run->{stderr}, $case->[1], 'names the place');
	}
};

subtest 'back to any migration, and forward again' => sub {
	new_database('there');
	is(migrate_db('there')->{code}, 0, 'a ledger without events');
	my $whole = schema_of('there');
	for my $n (reverse 1 .. $#files)
	{
		new_database("only_$n");
		migrate_db("only_$n", '--to', $n);
		my $run = migrate_db('there', '--rollback-to', $n);
		is($run->{code}, 0, "back to $n") or diag($run->{stderr});
		like($run->{stdout}, qr/^\Q$files[$n]\E: undone$/m, 'is told');
		my ($got, $want) = (schema_of('there'), schema_of("only_$n"));
		ok($got eq $want, 'is the database that was never further');
		is($node->safe_psql('there', 'SELECT max(version) FROM ledger.ledger_schema_migrations'), $n, 'and recorded so');
	}
	is(migrate_db('there', '--rollback-to', '0')->{code}, 0, 'back to nothing');
	is($node->safe_psql('there', q{SELECT to_regnamespace('ledger') IS NULL AND NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'findings_ledger')}), 't', 'leaves none of it');
	is(settings_of('there'), '', 'nor its search_path');
	is(migrate_db('there')->{code}, 0, 'forward again');
	ok(schema_of('there') eq $whole, 'is the same as before');
	is_deeply([ verify_kinds($node, db => 'there') ], [], 'and verifies');
};

subtest 'one step back is recorded' => sub {
	is(migrate_db('there', '--rollback-to', $#files)->{code}, 0, 'the event triggers alone');
	is(migrate_db('there')->{code}, 0, 'and again');
	is($node->safe_psql('there', q{SELECT string_agg(event_type || ' ' || coalesce(event_body ->> 'command', event_body ->> 'version'), ', ' ORDER BY sequence_no)
		FROM ledger.ledger_events WHERE tenant_id = 'ledger' AND sequence_no > 5}),
		'ledger.guard_changed ledgerctl migrate --rollback-to, ledger.migrated 5', 'is in the chain');
	is_deeply([ verify_kinds($node, db => 'there') ], [], 'which verifies');
};

subtest 'not while there is something to lose' => sub {
	my $refused = sub {
		my ($dbname, $what, $name) = @_;
		my $before = content_digest($node, $dbname);
		my $run = migrate_db($dbname, '--rollback-to', '0');
		is($run->{code}, 3, $name);
		like($run->{stderr}, qr/\Q$files[-1]\E was not undone: the ledger holds $what: it goes forward only/, 'is refused');
		is(content_digest($node, $dbname), $before, 'and nothing is changed');
	};
	$node->safe_psql('there', q{SELECT ledger.ledger_create_tenant('acme')});
	append($node, db => 'there', finding => 'F-1');
	$refused->('there', 'events', 'a ledger with an event');
	new_database('anchored');
	migrate_db('anchored');
	$node->safe_psql('anchored', q{SELECT ledger.ledger_anchor_tick(NULL, true)});
	$refused->('anchored', 'anchors of its own chain', 'a ledger whose own chain is anchored');

	mkdir "$work/other";
	copy($_, "$work/other") or die "cannot copy $_: $!" for glob("$ROOT/migrations/[0-9C]*");
	my $run = migrate_db('modest', '--dir', "$work/other", '--rollback-to', '4');
	is($run->{code}, 3, 'a migration without a way back');
	like($run->{stderr}, qr/cannot be undone: there is no rollback\//, 'is named');
	mkdir "$work/other/rollback";
	copy($_, "$work/other/rollback") or die "cannot copy $_: $!" for glob("$ROOT/migrations/rollback/*");
	append_to_file("$work/other/rollback/$files[4]", "-- edited\n");
	$run = migrate_db('modest', '--dir', "$work/other", '--rollback-to', '4');
	is($run->{code}, 3, 'an edited way back');
	like($run->{stderr}, qr/\Q$files[4]\E was edited/, 'is refused');
	like(Ledgerctl::run({}, 'migrate', '--connection', $node->connstr('modest') . ' user=plain', '--rollback-to', '4')->{stderr},
		qr/must be run by a superuser/, 'and nobody but a superuser goes it');
};

$node->stop;
done_testing();
