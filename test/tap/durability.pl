# Pipelined commit keeps its word: an acknowledged append was on disk before
# the client heard of it.
#
# kill -9 leaves the page cache alive and so proves little.  Here a preloaded
# library (shim/fdatasync.c) writes down every write and every completed sync of
# WAL; for each acknowledged event the moment from which its commit record was on
# disk is compared with the moment of the acknowledgement.  Then the power is
# lost: only what was synced is left to recover from.  The same, with the flush
# taken out of the extension, must fail.
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
use WalShim;

my $clients = 16;
my $events  = $ENV{LEDGER_LONG} ? 500 : 40;

# Small segments, so that commit records cross from one into the next.
my $node = ledger_node('durability', fsync => 1,
	init => { extra => ['--wal-segsize=1'] },
	conf => "$QUIET\nlog_statement = none\nwal_sync_method = fdatasync\nwal_keep_size = 1GB");
my $mutant = mutant_database($node);
wear($node, $mutant, mutant('no_flush', 'XLogFlush(XactLastCommitEnd);' => ''));
$node->stop;
my $shim = WalShim->new($node);

# Each acknowledgement with the moment from which its commit was on disk.
sub with_moments
{
	my (@acks) = @_;
	my $commits = $shim->commits;
	my @known   = grep { exists $commits->{ $_->{xid} } } @acks;
	my @moments = $shim->covered_at(map { $commits->{ $_->{xid} } } @known);
	$known[$_]{on_disk} = $moments[$_] for 0 .. $#known;
	return @acks;
}

# Those whose commit was not on disk when they were acknowledged.
sub too_early
{
	return grep { !defined $_->{on_disk} || $_->{on_disk} > $_->{ns} } @_;
}

# A load from start to end, and then the server's WAL as it stands.
sub observed_load
{
	my (%options) = @_;
	$shim->start;
	stop_walwriter($node);
	my @acks = finish_load(start_load($node, clients => $clients, events => $events, %options));
	# An orderly stop would write and sync what nobody had flushed.
	kill_server($node);
	return with_moments(@acks);
}

sub power_loss_under_load
{
	my (%options) = @_;
	$shim->start;
	stop_walwriter($node);
	my $load = start_load($node, clients => $clients, %options);
	wait_for_acks($load, $clients * 15);
	$shim->lose_power;
	my @acks = finish_load($load);
	$node->start;
	return @acks;
}

for my $chains (1, 4)
{
	subtest "$clients clients on $chains chain(s)" => sub {
		my @acks = observed_load(chains => $chains, prefix => "watched-$chains");
		is(scalar @acks, $clients * $events, 'every event was acknowledged');
		is(scalar(grep { defined $_->{on_disk} } @acks), scalar @acks,
			'the commit record of each was found, and in a completed sync');
		my @early = too_early(@acks);
		is(scalar @early, 0, 'each was on disk before it was acknowledged')
		  or diag(explain([ @early[ 0 .. ($#early > 4 ? 4 : $#early) ] ]));
		my ($least) = sort { $a <=> $b } map { $_->{ns} - $_->{on_disk} } @acks;
		note("the closest acknowledgement followed $least ns after its sync");
		$node->start;
		$node->stop;
	};
}

subtest 'a loss of power loses no acknowledged event' => sub {
	my @acks = power_loss_under_load(chains => 2, prefix => 'powerless');
	cmp_ok(scalar @acks, '>=', $clients * 15, 'events were acknowledged: ' . @acks);
	is_deeply([ lost_acks($node, $DB, @acks) ], [], 'each is there exactly once, at its place');
	is(report($node)->{verdict}, 'clean', 'the chains are clean');
	my $event = append($node, finding => 'afterwards', policyVersion => 'powerless-0');
	cmp_ok($event->{sequence_no}, '>', 1, 'and go on');
	is_deeply([ verify_kinds($node) ], [], 'clean');
	$node->stop;
};

subtest 'without the flush the same tests fail' => sub {
	my @acks = observed_load(chains => 1, prefix => 'unflushed', db => $mutant);
	my @early = too_early(@acks);
	cmp_ok(scalar @early, '>', 0,
		'acknowledged before they were on disk: ' . @early . ' of ' . @acks);
	$node->start;
	$node->stop;

	@acks = power_loss_under_load(chains => 2, prefix => 'powerless', db => $mutant);
	my @lost = lost_acks($node, $mutant, @acks);
	cmp_ok(scalar @lost, '>', 0, 'lost with the power: ' . @lost . ' of ' . @acks);
};

$node->stop;
done_testing();
