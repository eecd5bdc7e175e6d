# Anchors under load and kill -9: 16 appenders, two drivers of the tick, and the whole
# server killed in between.  Anchors are consistent, none is skipped, none is made
# twice, and what is anchored is there.  3 rounds, 20 with LEDGER_LONG.
#
# Then what a driver may be told: its anchors are flushed whatever it set, and cover
# nothing that synchronous standbys do not have.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use CommitWatch;
use LedgerCluster;
use LedgerCrash;
use LedgerMutant;
use LedgerSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds  = $ENV{LEDGER_LONG} ? 20 : 3;
my $clients = 16;
my $drivers = 2;

my $node = ledger_node('anchors', fsync => 1, init => { allows_streaming => 1 }, conf => "max_connections = 60\nlog_statement = none");
login_role($node, 'acme_app', 'ledger_writer', 'acme');
login_role($node, "driver$_", 'ledger_anchorer', 'acme') for 1 .. $drivers;

# Ticks without a pause until the server is gone; each anchor that it was told of is a line.
sub start_driver
{
	my ($number) = @_;
	my %driver = (output => '', errors => '');
	# Small batches, so that something is always due.
	my $script = <<~'SQL';
		SET ledger.anchor_batch_size = 20;
		SELECT chain_id, tree_size, encode(root_hash, 'hex') FROM ledger.ledger_anchor_tick('acme') \watch 0.01
		SQL
	$driver{handle} = IPC::Run::start([ 'psql', '-XAtq', '-F', ' ', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($DB) . " user=driver$number" ],
		'<', \$script, '>', \$driver{output}, '2>', \$driver{errors});
	return \%driver;
}

# What it was told, and what it complained of besides the lost server.
sub finish_driver
{
	my ($driver) = @_;
	$driver->{handle}->finish;
	my @told = grep { /^[0-9a-f-]{36} \d+ [0-9a-f]{64}$/ } split /\n/, $driver->{output};
	my @faults = grep { /WARNING|ERROR/ && !/terminating connection/ } split /\n/, $driver->{errors};
	return (\@told, \@faults);
}

sub anchored
{
	return $node->safe_psql($DB, "SELECT count(*) FROM ledger.ledger_merkle_roots WHERE tenant_id = 'acme'");
}

# Appenders and drivers at work, and the server's death.
sub crash_under_load
{
	my ($prefix, $chains) = @_;
	my $before = anchored();
	my $load = start_load($node, clients => $clients, user => 'acme_app', chains => $chains, prefix => $prefix);
	my @drivers = map { start_driver($_) } 1 .. $drivers;
	wait_for_acks($load, $clients * 30);
	wait_until('anchors of this round', sub { $_->{handle}->pump_nb for @drivers; anchored() >= $before + 6 + 3 * $chains });
	kill_server($node);
	my @acks = finish_load($load);
	my @told = map { [ finish_driver($_) ] } @drivers;
	$node->start;
	return (\@acks, \@told);
}

# Each is the name of what must hold, and a query for what does not.
my $events = 'FROM ledger.ledger_events AS e WHERE e.tenant_id = r.tenant_id AND e.chain_id = r.chain_id';
my @must = (
	[ 'none is skipped and none doubled', <<~SQL ],
		SELECT chain_id, sequence_start, sequence_end FROM (
			SELECT r.*, lag(sequence_end, 1, 0::bigint) OVER w AS last_end, lag(root_hash) OVER w AS last_root FROM ledger.ledger_merkle_roots AS r
			WHERE tenant_id = 'acme' WINDOW w AS (PARTITION BY chain_id ORDER BY tree_size)) AS s
		WHERE sequence_start <> last_end + 1 OR previous_root_hash IS DISTINCT FROM last_root
		SQL
	[ 'every anchored event is there', <<~SQL ],
		SELECT chain_id, tree_size FROM ledger.ledger_merkle_roots AS r
		WHERE tenant_id = 'acme' AND (SELECT count(*) $events AND e.sequence_no <= r.tree_size) <> tree_size
		SQL
	[ 'every root is that of the events', <<~SQL ],
		SELECT chain_id, tree_size FROM ledger.ledger_merkle_roots AS r
		WHERE tenant_id = 'acme' AND (SELECT ledger.ledger_merkle_root(e.merkle_leaf_hash ORDER BY e.sequence_no) $events AND e.sequence_no <= r.tree_size)
			IS DISTINCT FROM root_hash
		SQL
	[ 'each tree is the beginning of the next', <<~SQL ],
		SELECT chain_id, tree_size FROM (
			SELECT r.*, lag(tree_size) OVER w AS size, lag(root_hash) OVER w AS root FROM ledger.ledger_merkle_roots AS r
			WHERE tenant_id = 'acme' WINDOW w AS (PARTITION BY chain_id ORDER BY tree_size)) AS s
		WHERE size IS NOT NULL AND NOT ledger.ledger_verify_consistency(size, root, tree_size, root_hash,
			ledger.ledger_consistency_proof(tenant_id, chain_id, size, tree_size))
		SQL
	[ 'the registry knows the newest', <<~SQL ],
		SELECT c.chain_id FROM ledger.ledger_chains AS c WHERE tenant_id = 'acme' AND last_anchored_sequence IS DISTINCT FROM
			(SELECT max(tree_size) FROM ledger.ledger_merkle_roots AS r WHERE r.tenant_id = c.tenant_id AND r.chain_id = c.chain_id)
		SQL
	[ 'the edge holds what the newest completed', <<~SQL ],
		SELECT c.chain_id FROM ledger.ledger_chains AS c WHERE tenant_id = 'acme' AND last_anchored_sequence / 256 <>
			coalesce((SELECT tile_index * 256 + length(hashes) / 32 FROM ledger.ledger_merkle_edge AS e
				WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id AND level = 1), 0)
		SQL
);

my $unanchored = q{SELECT chain_id FROM ledger.ledger_chains AS c WHERE tenant_id = 'acme' AND last_anchored_sequence IS DISTINCT FROM
	(SELECT max(sequence_no) FROM ledger.ledger_events AS e WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id)};
my @made = (0) x $drivers;
for my $round (1 .. $rounds)
{
	my $chains = $round % 2 ? 1 : 6;
	subtest "round $round, $clients appenders on $chains chain(s)" => sub {
		my ($acks, $told) = crash_under_load("round$round", $chains);
		is_deeply([ lost_acks($node, $DB, @$acks) ], [], 'every acknowledged event is there: ' . @$acks);
		my %stored = map { $_ => 1 } split /\n/, $node->safe_psql($DB,
			"SELECT concat_ws(' ', chain_id, tree_size, encode(root_hash, 'hex')) FROM ledger.ledger_merkle_roots WHERE tenant_id = 'acme'");
		for my $n (0 .. $drivers - 1)
		{
			my ($lines, $faults) = @{ $told->[$n] };
			is_deeply($faults, [], 'driver ' . ($n + 1) . ' had nothing to complain of');
			is_deeply([ grep { !$stored{$_} } @$lines ], [], 'every anchor that it was told of is there: ' . @$lines);
			$made[$n] += @$lines;
		}
		is($node->safe_psql($DB, $_->[1]), '', $_->[0]) for @must;
		is(report($node)->{verdict}, 'clean', 'ledger_verify_report() says clean');
		$node->safe_psql($DB, "SELECT ledger.ledger_anchor_tick('acme', true)", connstr => $node->connstr($DB) . ' user=driver1');
		is($node->safe_psql($DB, $unanchored), '', 'the next tick anchors what was left');
		is($node->safe_psql($DB, $_->[1]), '', "then too, $_->[0]") for @must;
	};
}
cmp_ok($made[$_], '>', 0, 'driver ' . ($_ + 1) . " made anchors: $made[$_]") for 0 .. $drivers - 1;

# The checks above, each with one thing changed that they are about.
subtest 'the checks find what they are for' => sub {
	my %change = (
		'none is skipped and none doubled' => 'UPDATE ledger.ledger_merkle_roots SET sequence_start = sequence_start + 1, leaf_count = leaf_count - 1 WHERE sequence_start > 1 AND leaf_count > 1',
		'every anchored event is there' => 'DELETE FROM ledger.ledger_events WHERE sequence_no = 2',
		'every root is that of the events' => q{UPDATE ledger.ledger_merkle_roots SET root_hash = sha256('')},
		'each tree is the beginning of the next' => q{UPDATE ledger.ledger_merkle_roots SET root_hash = sha256('') WHERE sequence_start = 1},
		'the registry knows the newest' => 'UPDATE ledger.ledger_chains SET last_anchored_sequence = last_anchored_sequence - 1',
		'the edge holds what the newest completed' => q{UPDATE ledger.ledger_merkle_edge SET hashes = '' WHERE level = 1},
	);
	for my $check (@must)
	{
		my $found = $node->safe_psql($DB, <<~SQL);
			BEGIN;
			SET LOCAL client_min_messages = error;
			ALTER TABLE ledger.ledger_merkle_roots DISABLE TRIGGER USER;
			ALTER TABLE ledger.ledger_events DISABLE TRIGGER USER;
			DO \$\$ BEGIN EXECUTE (SELECT format('ALTER TABLE ledger.%I DISABLE TRIGGER USER', leaf) FROM ledger.ledger_tenants WHERE tenant_id = 'acme'); END \$\$;
			$change{ $check->[0] };
			$check->[1];
			ROLLBACK;
			SQL
		isnt($found, '', "broken on purpose: $check->[0]");
	}
};

# A driver that asked for less: what it cancels while it waits is not anchored.
my $gone = "ALTER SYSTEM SET synchronous_standby_names = 'nobody'";
my $waiting = sub {
	my ($session) = @_;
	return $node->safe_psql('postgres', 'SELECT wait_event FROM pg_stat_activity WHERE pid = ' . $session->pid . " AND state = 'active' AND wait_event IS NOT NULL");
};
sub cancelled_tick
{
	my ($dbname, $policy) = @_;
	$node->safe_psql('postgres', $gone);
	$node->reload;
	$node->poll_query_until('postgres', q{SELECT current_setting('synchronous_standby_names') = 'nobody'});
	# Committed here, and on no standby.
	$node->safe_psql($dbname, "SET synchronous_commit = local; SELECT ledger.ledger_append('acme', 'finding.created', 'F', '$policy', 'a')");
	my $driver = LedgerSession->new($node, db => $dbname);
	$driver->ask('SET synchronous_commit = off;');
	$driver->send("SELECT count(*) FROM ledger.ledger_anchor_tick('acme', true);");
	my $event = wait_until('a driver that waits', sub { $waiting->($driver) });
	$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $driver->pid . ')');
	$driver->answer;
	$driver->close;
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET synchronous_standby_names');
	$node->reload;
	$node->poll_query_until('postgres', q{SELECT current_setting('synchronous_standby_names') = ''});
	return $node->safe_psql($dbname, "SELECT count(*) FROM ledger.ledger_merkle_roots WHERE chain_id = ledger.ledger_chain_id('acme', '$policy')");
}
subtest 'what no standby has is not anchored' => sub {
	my $dbname = mutant_database($node);
	is(cancelled_tick($DB, 'unreplicated'), 0, 'a tick waits for the standbys before it anchors');
	is($node->safe_psql($DB, "SELECT count(*) FROM ledger.ledger_anchor_tick('acme', true)"), 1, 'and anchors when there are none to wait for');
	wear($node, $dbname, mutant('no_wait', "tree.c: \t\tledger_wait_replicated();" => ''));
	is(cancelled_tick($dbname, 'unreplicated'), 1, 'broken on purpose: it would anchor first');
};
$node->stop;

# The tick's own commit.
my $watch = CommitWatch->new('anchors_flush');
sub lazy_tick
{
	my ($w) = @_;
	my ($session, $finding) = ($w->session, $w->new_name);
	$session->ask_well($w->append_sql($finding));
	$session->ask('SET synchronous_commit = off;');
	my $seen = $w->commit($session, "SELECT count(*) FROM ledger.ledger_anchor_tick('acme', true);", $finding);
	$session->close;
	return $seen;
}
$watch->line('a tick flushes its anchors, whatever the driver set', \&lazy_tick => $RELEASED_FIRST);
$watch->broken('no forced flush', [ "tree.c: \tForceSyncCommit();" => '' ], \&lazy_tick => $NOT_FLUSHED);
$watch->stop;
done_testing();
