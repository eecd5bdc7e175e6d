# Everything that SQL hands to outsiders, judged by ledgerctl without a server: the proof
# of every event in every signed tree, and the export of docs/how-to/import.md beside
# every signed checkpoint.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use JSON::PP ();
use LedgerCluster;
use Ledgerctl;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node   = ledger_node('from_outside');
my $dir    = PostgreSQL::Test::Utils::tempdir();
my $signer = Ledgerctl->signer($node, 'log.example/outside');
my $chain  = $node->safe_psql($DB, q{SELECT ledger.ledger_chain_id('acme', 'policy-1')});
my @sizes  = (1, 2, 3, 4, 7, 8, 15, 33);

# Trees of all shapes, each with its signed checkpoint; events with all that an event may have.
my $head = 0;
for my $size (@sizes)
{
	append($node, finding => 'F-' . ++$head, payload => { note => "Zürich \x{2603} $head", score => $head / 8 },
		($head % 2 ? (vulnId => 'CVE-2026-0001', evidenceBundleRef => "bundle \"$head\"\n") : ())) while $head < $size;
	is($signer->anchor('--force')->{code}, 0, "a signed tree of $size");
}

# ---- proofs ----

# The proof of each event in each tree, put together as C2SP tlog-proof says.
my $joined = $node->safe_psql($DB, <<~SQL);
	SELECT string_agg(concat_ws(E'\\x01', e.sequence_no, s.size, ledger.ledger_canonical_json(ledger.ledger_event_envelope(e)),
		'c2sp.org/tlog-proof\@v1' || E'\\n' || 'index ' || e.sequence_no - 1 || E'\\n' || (
			SELECT coalesce(string_agg(encode(hash, 'base64') || E'\\n', '' ORDER BY n), '')
			FROM unnest(ledger.ledger_inclusion_proof('acme', '$chain', e.sequence_no, s.size)) WITH ORDINALITY AS h (hash, n))
		|| E'\\n' || ledger.ledger_checkpoint('acme', '$chain', s.size)), E'\\x02' ORDER BY s.size, e.sequence_no)
	FROM ledger.ledger_events AS e
	JOIN (SELECT tree_size FROM ledger.ledger_merkle_roots WHERE chain_id = '$chain') AS s (size) ON e.sequence_no <= s.size
	WHERE e.chain_id = '$chain'
	SQL
my @proofs = map { [ split /\x01/ ] } split /\x02/, $joined;
my $wanted = 0;
$wanted += $_ for @sizes;
is(scalar @proofs, $wanted, 'every event of every tree has a proof');

sub put
{
	my ($name, $content) = @_;
	open my $file, '>:raw', "$dir/$name" or die $!;
	print $file $content;
	close $file or die $!;
	return "$dir/$name";
}

sub refused
{
	my ($sequence, $size, $envelope, $bundle) = @_;
	my $run = Ledgerctl::run({}, 'verify-proof', put('bundle', $bundle), '--event', put('event', $envelope), '--key', $signer->{vkey});
	return $run->{code} eq '0' ? () : "event $sequence of $size: $run->{stderr}";
}
is_deeply([ map { refused(@$_) } @proofs ], [], 'ledgerctl accepts each');
ok(refused(@{ $proofs[3] }[ 0, 1 ], $proofs[4][2], $proofs[3][3]), 'and none for another event');

my @bundles = split /\x02/, $node->safe_psql($DB, <<~SQL);
	SELECT string_agg(e.sequence_no || E'\\x01' || ledger.ledger_canonical_json(ledger.ledger_event_envelope(e)) || E'\\x01'
		|| ledger.ledger_proof_bundle('acme', e.event_id), E'\\x02' ORDER BY e.sequence_no)
	FROM ledger.ledger_events AS e WHERE e.chain_id = '$chain'
	SQL
is(scalar @bundles, $head, 'every event has a bundle');
is_deeply([ map { my ($n, $envelope, $bundle) = split /\x01/; refused($n, $head, $envelope, $bundle) } @bundles ], [], 'which ledgerctl accepts');

# ---- export ----

# The query that the page tells people to use.
my ($query) = slurp_file("$ROOT/docs/how-to/import.md") =~ /\\copy \((.*)\) TO 'acme\.lines'/ or die 'the page has no export';
my $lines = put('acme.ndjson', $node->safe_psql($DB, $query) . "\n");
my @checkpoints = map {
	('--checkpoint', put("checkpoint-$_", $node->safe_psql($DB, "SELECT ledger.ledger_checkpoint('acme', '$chain', $_)")))
} @sizes;
my $run = Ledgerctl::run({}, 'verify-export', $lines, @checkpoints, '--key', $signer->{vkey}, '--json');
is($run->{code}, 0, 'an export agrees with every checkpoint that was signed') or diag($run->{stderr});
is_deeply([ map { $_->{agrees} ? $_->{treeSize} : () } @{ $run->{json}{checkpoints} } ], \@sizes, 'each was compared');
is("$run->{json}{lines} $run->{json}{chains}[0]{lastSequence}", "$head $head", 'and nothing is missing');
is_deeply($run->{json}{notes}, [], 'nothing is left unsaid');

# A chain written anew, hashes and all, is whole in itself; the old checkpoint shows it.
my $again = ledger_node('written_anew');
append($again, finding => "F-$_", payload => { note => 'nothing happened' }) for 1 .. $head;
my $forged = put('forged.ndjson', $again->safe_psql($DB, $query) . "\n");
is(Ledgerctl::run({}, 'verify-export', $forged)->{code}, 0, 'another history of the chain is whole in itself');
$run = Ledgerctl::run({}, 'verify-export', $forged, @checkpoints[ 14, 15 ], '--key', $signer->{vkey});
is($run->{code}, 3, 'but not beside a checkpoint that somebody kept');
like($run->{stderr}, qr/:33: the root of the 33 events up to here is [0-9a-f]{64}, but \S+ says [0-9a-f]{64}/, 'and the message says where');

$node->stop;
$again->stop;
done_testing();
