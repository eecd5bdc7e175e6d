# A replay that is killed, a ledger that is tampered with while it is replayed, and one that
# is rebuilt after a restore: the row is named.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run ();
use LedgerCluster;
use LedgerCrash;
use Ledgerctl;
use LedgerSession;
use PostgreSQL::Test::Utils ();
use ReplayFixture;
use Test::More;

my $node = ledger_node('tampered');
my $dir  = PostgreSQL::Test::Utils::tempdir();
fill_ledger($node);
my $file   = export_fixture($node, "$dir/all.ndjson", '--tenant', 'all');
my @args   = ('--fixture', $file, '--tenant', 'all');
my $events = $node->safe_psql($DB, "SELECT count(*) FROM ledger.ledger_events WHERE tenant_id <> 'ledger'");

sub stored
{
	my ($db) = @_;
	return $node->safe_psql($db, "SELECT count(*) FROM ledger.ledger_events WHERE tenant_id <> 'ledger'");
}

# A replay that goes on while the test does something.
sub start_replay
{
	my ($db, @more) = @_;
	my %run = (out => '', err => '');
	$run{handle} = IPC::Run::start([ "$ROOT/gateway/bin/ledgerctl", 'replay', '--json', '--connection', $node->connstr($db), @args, @more ],
		'<', \'', '>', \$run{out}, '2>', \$run{err});
	return \%run;
}

# ---- killed

# globex's lines wait behind a lock, once acme's are stored.
create_ledger($node, 'killed', 'globex');
my $lock = LedgerSession->new($node, db => 'killed');
$lock->ask_well('BEGIN;');
$lock->ask_well(sprintf 'LOCK TABLE ledger.%s IN EXCLUSIVE MODE;', $node->safe_psql('killed', "SELECT leaf FROM ledger.ledger_tenants WHERE tenant_id = 'globex'"));
my $killed = start_replay('killed', '--max-parallel', 1, '--batch', 9);
my $waits = q{SELECT count(*) FROM pg_stat_activity WHERE datname = 'killed' AND query LIKE '%ledger.ledger_import(%' AND wait_event_type = 'Lock'};
wait_until('the replay to come to globex', sub { $node->safe_psql('postgres', $waits) == 1 });
$killed->{handle}->signal('KILL');
IPC::Run::finish($killed->{handle});
$lock->ask_well('ROLLBACK;');
$lock->close;
wait_until('its backend to end', sub { $node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE datname = 'killed'}) == 0 });
my $left = stored('killed');
cmp_ok($left, '>', 0, 'what was acknowledged is there');
cmp_ok($left, '<', $events, 'and not everything is');
my $run = replay($node, 'killed', @args);
is($run->{code}, 1, 'the ledger is not empty, and so it is refused');
like($run->{stderr}, qr/go on with --resume/, 'with the way out');
is(stored('killed'), $left, 'nothing was written');
$run = replay($node, 'killed', @args, '--resume', '--report', "$dir/resumed.json");
is($run->{code}, 0, 'it goes on where it was') or diag($run->{stderr});
my $timings = report_of("$dir/resumed.json")->{timings};
cmp_ok($timings->{present}, '>=', $left, 'and skips what is there');
is($timings->{present} + $timings->{imported}, $events, 'every line once');
empty_ledger($node, 'straight');
is(replay($node, 'straight', @args, '--report', "$dir/straight.json")->{code}, 0, 'another one that is not interrupted');
is(without_timings("$dir/resumed.json"), without_timings("$dir/straight.json"), 'has the same report');

# ---- tampered with between feeding and reading back

# What the replay asks before it reads anything back: it then waits for a lock of the test's.
sub answer_metrics
{
	my ($db, $lag) = @_;
	change_unguarded($node, $db, <<~SQL);
		CREATE OR REPLACE FUNCTION ledger.ledger_metrics() RETURNS TABLE (metric text, labels jsonb, value double precision)
		LANGUAGE plpgsql STABLE AS \$f\$
		BEGIN
			PERFORM pg_catalog.pg_advisory_xact_lock_shared(4711);
			RETURN QUERY SELECT 'ledger_projection_lag_seconds'::text, '{}'::jsonb, ${lag}::float8;
		END
		\$f\$
		SQL
	return;
}

sub tampered_meanwhile
{
	my ($db, $change) = @_;
	create_ledger($node, $db, qw(acme globex));
	answer_metrics($db, 0);
	my $held = LedgerSession->new($node, db => $db);
	$held->ask_well('SELECT pg_advisory_lock(4711);');
	my $replay = start_replay($db, '--report', "$dir/$db.json");
	my $asked = "SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database WHERE d.datname = '$db' AND l.locktype = 'advisory' AND NOT l.granted";
	wait_until('everything to be fed', sub { $replay->{handle}->pump_nb; $node->safe_psql('postgres', $asked) == 1 });
	is(stored($db), $events, "$db: everything is stored when it is tampered with");
	$change->($db);
	$held->close;
	IPC::Run::finish($replay->{handle});
	return { code => $? >> 8, stderr => $replay->{err} };
}

my $chain = $node->safe_psql($DB, "SELECT chain_id FROM ledger.ledger_chains WHERE tenant_id = 'acme' AND policy_version = 'policy-1'");
my $row = "tenant_id = 'acme' AND chain_id = '$chain' AND sequence_no";
sub rewrite
{
	my ($db) = @_;
	my ($output, $errors) = ('', '');
	IPC::Run::run([ 'psql', '-XAtq', '-d', $node->connstr($db), '-v', 'tenant=acme', '-v', "chain=$chain", '-v', 'victim=20', '-v', 'keep=999',
			'-f', "$FindBin::RealBin/lib/rewrite.sql" ], '>', \$output, '2>', \$errors) or die $errors;
	return;
}

my %change = (
	body     => [ qq{UPDATE ledger.ledger_events SET event_body = event_body || '{"severity": 1}' WHERE $row = 20}, qr{acme/$chain sequence 20: the payload hash is [0-9a-f]{64}, but the row says} ],
	column   => [ "UPDATE ledger.ledger_events SET occurred_at = occurred_at + interval '1 microsecond' WHERE $row = 20", qr{acme/$chain sequence 20: the event hash is [0-9a-f]{64}, but the row says} ],
	previous => [ "UPDATE ledger.ledger_events SET previous_hash = sha256('') WHERE $row = 20", qr{acme/$chain sequence 20: the event hash before it is [0-9a-f]{64}, but the row says} ],
	leaf     => [ "UPDATE ledger.ledger_events SET merkle_leaf_hash = sha256('') WHERE $row = 20", qr{acme/$chain sequence 20: the leaf hash is} ],
	erased   => [ "UPDATE ledger.ledger_events SET payload_salt = NULL WHERE $row = 20", qr{acme/$chain sequence 20: payload, salt and evaluation are there or erased together} ],
	gone     => [ "DELETE FROM ledger.ledger_events WHERE $row = 20", qr{acme/$chain sequence 21: it follows 19: events are missing between them} ],
	tail     => [ "DELETE FROM ledger.ledger_events WHERE $row = (SELECT max(sequence_no) FROM ledger.ledger_events WHERE tenant_id = 'acme' AND chain_id = '$chain')",
		qr{all\.ndjson:\d+: acme/$chain ends before it in the database, at sequence \d+} ],
	registry => [ "DELETE FROM ledger.ledger_chains WHERE tenant_id = 'acme' AND chain_id = '$chain'", qr{acme has \d+ events, but its registered chains have \d+} ],
);
for my $name (sort keys %change)
{
	my ($sql, $pattern) = @{ $change{$name} };
	$run = tampered_meanwhile("meanwhile_$name", sub { change_unguarded($node, $_[0], $sql) });
	is($run->{code}, 3, "$name: status 3");
	like($run->{stderr}, $pattern, "$name: the row is named");
	is(report_of("$dir/meanwhile_$name.json")->{result}, 'mismatch', "$name: and the report says so");
}
$run = tampered_meanwhile('meanwhile_rewritten', \&rewrite);
is($run->{code}, 3, 'a chain written anew, whose hashes all hold: status 3');
like($run->{stderr}, qr{all\.ndjson:\d+: the event hash is [0-9a-f]{64}, but acme/$chain sequence 20 in the database has}, 'the first line that differs is named');
$run = tampered_meanwhile('meanwhile_longer', sub { append($node, db => $_[0], finding => 'F-1', type => 'finding.closed') });
is($run->{code}, 3, 'an event more: status 3');
like($run->{stderr}, qr{acme/$chain sequence \d+ is in the database and in no fixture}, 'and it is named');

# A projection that never catches up.
create_ledger($node, 'behind', qw(acme globex));
answer_metrics('behind', 5.25);
$run = replay($node, 'behind', @args, '--wait', 0);
is($run->{code}, 3, 'events that are not folded: status 3');
like($run->{stderr}, qr/the projection is 5\.250 s behind after 0 s: events are stored and not folded/, 'and it says so');

# ---- after a restore

my ($status, $said) = dump_to($node, $DB, "$dir/ledger.dump");
is($status, 0, 'dumped') or diag($said);
restore_from($node, 'restored', "$dir/ledger.dump");
$run = replay($node, 'restored', '--tenant', 'all', '--report', "$dir/restored.json");
is($run->{code}, 0, 'a restored ledger is rebuilt and verified') or diag($run->{stderr});
my $report = report_of("$dir/restored.json");
is($report->{mode}, 'rebuild', 'the report says how');
is($report->{counts}{anchors}, $node->safe_psql($DB, "SELECT count(*) FROM ledger.ledger_merkle_roots WHERE tenant_id <> 'ledger'"), 'the stored roots were recomputed');
cmp_ok($report->{counts}{anchors}, '>', 0, 'and there were some');
is($report->{$_}, report_of("$dir/straight.json")->{$_}, "$_ is that of the fixture") for qw(eventStreamChecksum projectionChecksum rootsChecksum);
unlike($run->{stderr}, qr/was not what the events give/, 'the projection was right');

# What a fold does not give is put right, and told.
$node->safe_psql('postgres', "CREATE DATABASE off TEMPLATE restored");
change_unguarded($node, 'off', "UPDATE ledger.findings_projection SET status = 'verified' WHERE finding_id = 'F-9'");
$run = replay($node, 'off', '--tenant', 'acme', '--report', "$dir/off.json");
is($run->{code}, 0, 'a projection that somebody changed is rebuilt') or diag($run->{stderr});
like($run->{stderr}, qr/before the rebuild: acme finding "F-9" of policy version "policy-1": the cycle hash is [0-9a-f]{64}, but the row says/, 'the finding is named');
like($run->{stderr}, qr/the projection was not what the events give/, 'and that it was wrong is said');
isnt(report_of("$dir/off.json")->{projectionChecksumBefore}, report_of("$dir/off.json")->{projectionChecksum}, 'as in the report');
change_unguarded($node, 'off', "DELETE FROM ledger.findings_projection WHERE tenant_id = 'acme'");
$run = replay($node, 'off', '--tenant', 'acme');
is($run->{code}, 0, 'one that is empty as well');
like($run->{stderr}, qr/the projection was not what the events give/, 'and told likewise');

my %damage = (
	anchor => [ "UPDATE ledger.ledger_merkle_roots SET root_hash = sha256('') WHERE tenant_id = 'acme' AND chain_id = '$chain'", qr{acme/$chain: the root of its first \d+ events is [0-9a-f]{64}, but the anchor stored for it says} ],
	tail   => [ $change{tail}[0], qr{acme/$chain ends at sequence \d+, but is anchored up to \d+: events are missing at its end} ],
	empty  => [ "DELETE FROM ledger.ledger_events WHERE tenant_id = 'acme' AND chain_id = '$chain'; DELETE FROM ledger.ledger_merkle_roots WHERE chain_id = '$chain'", qr{acme/$chain is registered and has no events} ],
);
for my $name (sort keys %damage)
{
	my ($sql, $pattern) = @{ $damage{$name} };
	$node->safe_psql('postgres', "CREATE DATABASE damage_$name TEMPLATE restored");
	change_unguarded($node, "damage_$name", $sql);
	$run = replay($node, "damage_$name", '--tenant', 'all');
	is($run->{code}, 3, "after a restore, $name: status 3");
	like($run->{stderr}, $pattern, "after a restore, $name: named");
}
create_ledger($node, 'void');
$run = replay($node, 'void', '--tenant', 'all');
is($run->{code}, 4, 'a ledger without tenants is none that was restored');
$node->safe_psql('void', "SELECT ledger.ledger_create_tenant('acme')");
$run = replay($node, 'void', '--tenant', 'all');
is($run->{code}, 3, 'and one without events is not verified');
like($run->{stderr}, qr/there are no events: nothing is verified/, 'it says so');

$node->stop;
done_testing();
