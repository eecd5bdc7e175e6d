# kill -9 of the whole server under 32 appending clients: no acknowledged event
# is missing or doubled, every chain is whole, and appends go on.
#
# 3 rounds, 20 with LEDGER_LONG; each kills the server twice, once while all
# clients crowd on one chain and once while they use eight.  What the machine's
# own death would leave is the matter of durability.pl.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use LedgerCluster;
use LedgerCrash;
use LedgerMutant;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds  = $ENV{LEDGER_LONG} ? 20 : 3;
my $clients = 32;

my $node = ledger_node('crash', fsync => 1, conf => "max_connections = 60\nlog_statement = none");
login_role($node, 'acme_app', 'ledger_writer', 'acme');

# Kills the server in the middle of the load; returns what was acknowledged.
sub crash_under_load
{
	my (%options) = @_;
	my $load = start_load($node, clients => $clients, user => 'acme_app', %options);
	wait_for_acks($load, $clients * 15);
	kill_server($node);
	my @acks = finish_load($load);
	$node->start;
	return @acks;
}

sub stored_events
{
	return $node->safe_psql($DB, "SELECT count(*) FROM ledger.ledger_events WHERE tenant_id = 'acme'");
}

sub head
{
	my ($policy) = @_;
	return $node->safe_psql($DB, <<~SQL);
		SELECT max(sequence_no) FROM ledger.ledger_events
		WHERE tenant_id = 'acme' AND policy_version = '$policy'
		SQL
}

my $acknowledged = 0;
for my $round (1 .. $rounds)
{
	for my $chains (1, 8)
	{
		my $prefix = "round$round-of$chains";
		subtest "round $round, $clients clients on $chains chain(s)" => sub {
			my @acks = crash_under_load(chains => $chains, prefix => $prefix);
			$acknowledged += @acks;
			cmp_ok(scalar @acks, '>=', $clients * 15, 'events were acknowledged: ' . @acks);
			is_deeply([ lost_acks($node, $DB, @acks) ], [], 'each is there exactly once, at its place');

			my $report = report($node);
			is($report->{verdict}, 'clean', 'ledger_verify_report() says clean');
			cmp_ok($report->{rows}, '>=', $acknowledged, 'of all of them');
			is_deeply([ verify_kinds($node) ], [], 'ledger_verify() finds nothing');
			is(plain_verdict($node, $DB), 'clean', 'the plain verifier agrees');

			my $next = 1 + head("$prefix-0");
			my $event = append($node, finding => "after-$prefix", policyVersion => "$prefix-0");
			is($event->{sequence_no}, $next, 'the chain goes on where it stood');
		};
	}
}

cmp_ok(stored_events(), '>=', $acknowledged, "$acknowledged events were acknowledged in all");

subtest 'without the flush the same crash loses acknowledged events' => sub {
	$node->append_conf('postgresql.conf', $QUIET);
	$node->restart;
	my $dbname = mutant_database($node);
	wear($node, $dbname, mutant('no_flush', 'XLogFlush(XactLastCommitEnd);' => ''));
	# Else the copied database itself might not survive.
	$node->safe_psql('postgres', 'CHECKPOINT');
	stop_walwriter($node);
	my @acks = crash_under_load(chains => 1, prefix => 'unflushed', db => $dbname);
	my @lost = lost_acks($node, $dbname, @acks);
	cmp_ok(scalar @lost, '>', 0, 'the check finds them: ' . @lost . ' of ' . @acks);
	is_deeply([ verify_kinds($node, db => $dbname) ], [],
		'and no verifier could: the shortened chain is whole');
};

$node->stop;
done_testing();
