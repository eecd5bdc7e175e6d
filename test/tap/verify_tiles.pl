# A chain long enough for a full tile: 65,536 leaves and more.  Each column of the
# tile changed, the tile gone, and the same chain verified on a hot standby.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use LedgerCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ledger_node('verify_tiles', init => { allows_streaming => 1 });
my $tick = q{SELECT count(*) FROM ledger.ledger_anchor_tick('acme', true)};
append_many($node, 'acme', 'F', 65_000);
$node->safe_psql($DB, $tick);
append_many($node, 'acme', 'G', 1_000);
$node->safe_psql($DB, $tick);
is($node->safe_psql($DB, 'SELECT level, tile_index, octet_length(hashes) FROM ledger.ledger_merkle_tiles'), '1|0|8192', 'one full tile');
is($node->safe_psql($DB, q{SELECT level, tile_index, octet_length(hashes) FROM ledger.ledger_merkle_edge WHERE octet_length(hashes) > 0 ORDER BY 1}),
	"1|1|32\n2|0|32", 'and the edge behind it and above it');
my $report = report($node);
is("$report->{verdict} $report->{anchors} $report->{tiles}", 'clean 2 1', 'both anchors and the tile are looked at');

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
$report = report($standby);
is("$report->{verdict} $report->{anchors} $report->{tiles}", 'clean 2 1', 'on a hot standby, too');
my $checkpoints = q{(SELECT array_agg(checkpoint) FROM ledger.ledger_merkle_roots)};
is($standby->safe_psql($DB, "SELECT count(*) FROM ledger.ledger_verify_against($checkpoints)"), 0, 'which answers about checkpoints');
is($standby->safe_psql($DB, 'SELECT count(*) FROM ledger.ledger_verify_new()'), 0, 'and about what is new');
$standby->stop;

# Each in a transaction that is rolled back: what a superuser did, and what is said.
sub said_of
{
	my ($sql) = @_;
	return $node->safe_psql($DB, <<~SQL);
		BEGIN;
		SET client_min_messages = warning;
		ALTER EVENT TRIGGER ledger_guard_start DISABLE;
		ALTER EVENT TRIGGER ledger_guard_ddl_end DISABLE;
		ALTER EVENT TRIGGER ledger_guard_drop DISABLE;
		ALTER TABLE ledger.ledger_merkle_tiles DISABLE TRIGGER USER;
		$sql;
		SELECT string_agg(concat_ws(' ', tenant_id, kind, sequence_no), ', ' ORDER BY tenant_id, sequence_no)
		FROM ledger.ledger_verify_anchors(NULL, NULL, '[]') WHERE kind IS NOT NULL;
		ROLLBACK;
		SQL
}
my %flips = (
	tenant_id  => [ q{'globex'}, 'acme tile_mismatch 1, globex tile_mismatch 1' ],
	chain_id   => [ q{'00000000-0000-8000-8000-000000000000'}, 'acme tile_mismatch 1, acme tile_mismatch 1' ],
	level      => [ '2', 'acme tile_mismatch 1, acme tile_mismatch 1' ],
	tile_index => [ '1', 'acme tile_mismatch 1, acme tile_mismatch 65537' ],
	hashes     => [ 'set_byte(hashes, 8191, get_byte(hashes, 8191) # 1)', 'acme tile_mismatch 1' ],
);
my @columns = split /\n/, $node->safe_psql($DB, q{SELECT attname FROM pg_attribute WHERE attrelid = 'ledger.ledger_merkle_tiles'::regclass AND attnum > 0 AND NOT attisdropped});
is_deeply([ sort @columns ], [ sort keys %flips ], 'every column of the catalog has a case');
is(said_of("UPDATE ledger.ledger_merkle_tiles SET $_ = $flips{$_}[0]"), $flips{$_}[1], "$_ of the tile changed") for @columns;
is(said_of('DELETE FROM ledger.ledger_merkle_tiles'), 'acme tile_mismatch 1', 'the tile gone');
is(said_of('INSERT INTO ledger.ledger_merkle_tiles SELECT tenant_id, chain_id, level, 1, hashes FROM ledger.ledger_merkle_tiles'),
	'acme tile_mismatch 65537', 'a tile too many');

# The other verifier makes 66,000 envelopes in SQL, which takes a minute.
if ($ENV{LEDGER_LONG})
{
	clean_by_both($node, 'the plain verifier agrees about the tile');
	$node->safe_psql($DB, q{ALTER TABLE ledger.ledger_merkle_tiles DISABLE TRIGGER USER;
		UPDATE ledger.ledger_merkle_tiles SET hashes = set_byte(hashes, 8191, get_byte(hashes, 8191) # 1)});
	ok((grep { $_ eq 'tile_mismatch 1' } plain_kinds($node)), 'and names it when it was changed');
}

done_testing();
