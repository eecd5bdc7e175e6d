# Copies that are made by replication and not by a dump: a standby is the recorded
# copy as long as it follows, and is not any more when it is promoted; it may have
# lost the tail of every chain.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use LedgerCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = ledger_node('primary', fsync => 1, init => { allows_streaming => 1 });
login_role($primary, 'op', 'ledger_operator');
login_role($primary, 'auditor', 'ledger_auditor', 'acme');
append_many($primary, $_, 'F', 5) for qw(acme globex);
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

sub failed
{
	my ($node, $user) = @_;
	return $node->safe_psql($DB, q{SELECT check_name || ': ' || detail FROM ledger.ledger_check_runtime() WHERE NOT ok ORDER BY 1},
		defined $user ? (connstr => $node->connstr($DB) . " user=$user") : ());
}

sub settings
{
	my ($node) = @_;
	return $node->safe_psql($DB, 'SELECT incarnation, instance_id, restored_at IS NOT NULL FROM ledger.ledger_settings');
}

is(failed($_), '', $_->name . ' is the recorded copy, and all is well') for $primary, $standby;
is(failed($standby, $_), '', "$_ may ask there") for qw(op auditor);
fails_with($standby, q{CALL ledger.ledger_after_restore('too early')}, '25006', qr/during recovery/, 'a standby cannot be taken over');

# What the primary wrote after the connection broke is lost.
$primary->wait_for_catchup($standby);
my $before = settings($primary);
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
append($primary, finding => 'F-lost');
$standby->promote;

like(failed($standby), qr/^timeline: timeline 2, recorded is 1: promoted or recovered to a point in time, which may have lost events$/, 'a promoted standby says so');
like($standby->safe_psql($DB, q{SELECT hint FROM ledger.ledger_check_runtime() WHERE check_name = 'timeline'}), qr/CALL ledger\.ledger_after_restore\(reason\)/, 'with what to do');
is(failed($primary), '', 'the old primary does not know of it');
append($standby, finding => 'F-new');
clean_by_both($standby, 'appends go on all the same');

my $heads = $standby->safe_psql($DB, q{SELECT tenant_id, chain_id, max(sequence_no) FROM ledger.ledger_events GROUP BY 1, 2 ORDER BY 1, 2});
$standby->safe_psql($DB, q{CALL ledger.ledger_after_restore('primary lost')}, connstr => $standby->connstr($DB) . ' user=op');
is(failed($standby), '', 'an operator takes it over');
isnt(settings($standby), $before, 'it is another instance');
like(settings($standby), qr/^2\|.*\|t$/, 'the second incarnation');
is($standby->safe_psql($DB, q{SELECT tenant_id, chain_id, (event_body -> 'lastSequence')::bigint FROM ledger.ledger_events
	WHERE event_type = 'ledger.incarnation_started' ORDER BY 1, 2}), $heads, 'and each chain says where it went on');
$standby->safe_psql($DB, q{CALL ledger.ledger_after_restore('again')});
like(settings($standby), qr/^2\|/, 'a second call changes nothing');
clean_by_both($standby, 'both verifiers find it clean');

$_->stop for $standby, $primary;
done_testing();
