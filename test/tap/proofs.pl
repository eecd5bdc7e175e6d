# Proofs of a chain that crosses the borders of tiles: the same with tiles, with a part of
# them, and without any; none costs more than a few tiles; and a bundle convinces
# someone who has nothing but it, the event and the log's key.
#
# What must come out is computed from the leaf hashes by plain SQL, and the bundle is
# judged by Perl and openssl: nothing here trusts the code under test.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Digest::SHA qw(sha256);
use LedgerCluster;
use MIME::Base64 qw(encode_base64 decode_base64);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ledger_node('proofs', conf => "log_statement = none\nmax_wal_size = 4GB\ntrack_counts = on");
my $chain = $node->safe_psql($DB, "SELECT ledger.ledger_chain_id('acme', 'long')");
my $leaf  = $node->safe_psql($DB, "SELECT leaf FROM ledger.ledger_tenants WHERE tenant_id = 'acme'");

sub sql
{
	my ($text) = @_;
	return $node->safe_psql($DB, $text);
}

sub grow_to
{
	my ($size) = @_;
	sql(<<~SQL);
		INSERT INTO ledger.ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body)
		SELECT 'acme', 'finding.created', 'F-' || n, 'long', 'a', '{}'
		FROM generate_series((SELECT coalesce(max(sequence_no), 0) + 1 FROM ledger.ledger_events WHERE chain_id = '$chain'), $size) AS n
		SQL
	return;
}

# Every complete subtree, level by level, by PostgreSQL's own SHA-256; and the RFC's definitions over them.
sub build_expected
{
	sql('CREATE TABLE public.node (height integer, index bigint, hash bytea, PRIMARY KEY (height, index))');
	sql("INSERT INTO public.node SELECT 0, sequence_no - 1, merkle_leaf_hash FROM ledger.ledger_events WHERE tenant_id = 'acme' AND chain_id = '$chain'");
	sql(<<~SQL) for 0 .. 15;
		INSERT INTO public.node SELECT l.height + 1, l.index / 2, sha256('\\x01'::bytea || l.hash || r.hash)
		FROM public.node AS l JOIN public.node AS r ON r.height = l.height AND r.index = l.index + 1
		WHERE l.height = $_ AND l.index % 2 = 0
		SQL
	sql(<<~'SQL');
		CREATE FUNCTION public.below(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
			'SELECT max(1::bigint << i) FROM generate_series(0, 40) AS i WHERE 1::bigint << i < n';
		-- MTH(D[first:behind])
		CREATE FUNCTION public.mth(first bigint, behind bigint) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
		DECLARE n bigint := behind - first; h integer; k bigint := public.below(n);
		BEGIN
			SELECT i INTO h FROM generate_series(0, 40) AS i WHERE 1::bigint << i = n AND first % n = 0;
			IF FOUND THEN
				RETURN (SELECT hash FROM public.node WHERE height = h AND index = first / n);
			END IF;
			RETURN sha256('\x01'::bytea || public.mth(first, first + k) || public.mth(first + k, behind));
		END $$;
		CREATE FUNCTION public.path(m bigint, first bigint, behind bigint) RETURNS bytea[] LANGUAGE plpgsql STABLE AS $$
		DECLARE k bigint := public.below(behind - first);
		BEGIN
			RETURN CASE WHEN behind - first = 1 THEN '{}'
				WHEN m < k THEN public.path(m, first, first + k) || public.mth(first + k, behind)
				ELSE public.path(m - k, first + k, behind) || public.mth(first, first + k) END;
		END $$;
		CREATE FUNCTION public.subproof(m bigint, first bigint, behind bigint, whole boolean) RETURNS bytea[] LANGUAGE plpgsql STABLE AS $$
		DECLARE n bigint := behind - first; k bigint := public.below(n);
		BEGIN
			RETURN CASE WHEN m = n THEN CASE WHEN whole THEN '{}' ELSE ARRAY[public.mth(first, behind)] END
				WHEN m <= k THEN public.subproof(m, first, first + k, whole) || public.mth(first + k, behind)
				ELSE public.subproof(m - k, first + k, behind, false) || public.mth(first, first + k) END;
		END $$;
		SQL
	return;
}

# Borders of leaves, tiles and tiles of tiles, and what lies around them.
my $near = '1, 2, 255, 256, 257, 511, 512, 513, 4095, 32768, 65279, 65280, 65281, 65535, 65536, 65537, 65791, 65792, 65793, 69888, 69889, 69999, 70000';

# All pairs of those: how many, and how many differ.
sub differing
{
	my ($sizes) = @_;
	return sql(<<~SQL);
		WITH n AS (SELECT unnest(ARRAY[$sizes]) AS n), pair AS (SELECT a.n AS m, b.n FROM n AS a JOIN n AS b ON a.n <= b.n)
		SELECT count(*) > 1,
			count(*) FILTER (WHERE ledger.ledger_inclusion_proof('acme', '$chain', m, n) IS DISTINCT FROM public.path(m - 1, 0, n)),
			count(*) FILTER (WHERE ledger.ledger_consistency_proof('acme', '$chain', m, n) IS DISTINCT FROM public.subproof(m, 0, n, true)),
			count(*) FILTER (WHERE m = n AND ledger.ledger_chain_root('acme', '$chain', n) IS DISTINCT FROM public.mth(0, n))
		FROM pair
		SQL
}

# Leaf hashes that a statement fetches.
sub leaves_read
{
	my ($question) = @_;
	return (split /\n/, sql("BEGIN; SELECT FROM $question; SELECT idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = '$leaf'"))[-1];
}

sub tick
{
	return sql("SELECT tree_size FROM ledger.ledger_anchor_tick('acme', true) WHERE chain_id = '$chain'");
}

sub tiles
{
	return sql(<<~SQL);
		SELECT string_agg(what, ' ' ORDER BY what) FROM (
			SELECT 'full ' || level || '/' || tile_index AS what FROM ledger.ledger_merkle_tiles WHERE chain_id = '$chain'
			UNION ALL SELECT 'edge ' || level || '/' || tile_index || ' ' || length(hashes) / 32 FROM ledger.ledger_merkle_edge WHERE chain_id = '$chain') AS t
		SQL
}

grow_to(300);
tick();
grow_to(70000);
build_expected();

# The edge that is stored then is not the one that the tree ends with.
subtest 'with hardly a tile' => sub {
	is(tiles(), 'edge 1/0 1', 'one node is stored');
	is(differing('1, 256, 257, 65535, 65536, 70000'), 't|0|0|0', 'every root and proof is the one that the RFC defines');
	cmp_ok(leaves_read("ledger.ledger_inclusion_proof('acme', '$chain', 300)"), '>=', 69_000, 'at the price of reading nearly all leaves');
};

subtest 'with tiles' => sub {
	is(tick(), 70000, 'the chain is anchored');
	is(tiles(), 'edge 1/1 17 edge 2/0 1 full 1/0', 'its tiles are stored');
	is(differing($near), 't|0|0|0', 'every root and proof is the same');
	for my $sequence (1, 300, 65536, 65537, 69999, 70000)
	{
		my $read = leaves_read("ledger.ledger_inclusion_proof('acme', '$chain', $sequence)");
		cmp_ok($read, '<=', 520, "the proof of $sequence reads two tiles of leaves at most: $read");
	}
	cmp_ok(leaves_read("ledger.ledger_consistency_proof('acme', '$chain', 257, 69999)"), '<=', 520, 'and so does one of consistency');
	cmp_ok(leaves_read("ledger.ledger_chain_root('acme', '$chain', 65536)"), '<=', 1, 'a root over whole tiles reads none, but for the head');
};

subtest 'with tiles of a part' => sub {
	grow_to(70600);
	sql('DROP TABLE public.node');
	sql("DROP FUNCTION public.$_") for 'below(bigint)', 'mth(bigint, bigint)', 'path(bigint, bigint, bigint)', 'subproof(bigint, bigint, bigint, boolean)';
	build_expected();
	is(differing("257, 65537, 70000, 70001, 70143, 70144, 70145, 70400, 70600"), 't|0|0|0', 'proofs of what is not anchored yet are right too');
	is(tick(), 70600, 'it is anchored');
	is(tiles(), 'edge 1/1 19 edge 2/0 1 full 1/0', 'the edge has grown');
	is(differing("257, 65537, 70000, 70001, 70143, 70144, 70145, 70400, 70600"), 't|0|0|0', 'and they stay the same');
};

# A signer of its own: the key as openssl makes it, the note as C2SP describes it.
my $key = PostgreSQL::Test::Utils::tempdir() . '/key.pem';
system('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', $key) == 0 or die 'no key';
my $public = substr(`openssl pkey -in $key -pubout -outform DER`, -32);
my $id = substr(sha256("example.com/log\n\x01$public"), 0, 4);
my $vkey = 'example.com/log+' . unpack('H*', $id) . '+' . encode_base64("\x01$public", '');

sub signature
{
	my ($message) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/message';
	append_to_file($file, $message);
	my $signature = `openssl pkeyutl -sign -rawin -inkey $key -in $file`;
	unlink $file;
	length $signature == 64 or die 'not signed';
	return $signature;
}

sub sign_anchor
{
	my ($anchor, $text, $type, $payload) = split /\|/, sql(<<~SQL);
		SELECT anchor_id, encode(convert_to(checkpoint, 'UTF8'), 'base64'), dsse ->> 'payloadType', dsse ->> 'payload'
		FROM ledger.ledger_merkle_roots WHERE chain_id = '$chain' ORDER BY tree_size DESC LIMIT 1
		SQL
	($text, $payload) = map { decode_base64($_) } $text, $payload;
	my $line = "\xe2\x80\x94 example.com/log " . encode_base64($id . signature($text), '');
	my $sig = encode_base64(signature("DSSEv1 " . length($type) . " $type " . length($payload) . " $payload"), '');
	return sql("SELECT ledger.ledger_store_signature('acme', '$anchor', convert_from(decode('" . encode_base64($line, '')
		. "', 'base64'), 'UTF8'), jsonb_build_object('keyid', ledger.ledger_key_id('$vkey'), 'sig', '$sig'))");
}

# RFC 9162 section 2.1.3.2
sub root_from
{
	my ($hash, $index, $size, @proof) = @_;
	my ($fn, $sn) = ($index, $size - 1);
	for my $p (@proof)
	{
		return 'a proof too long' if $sn == 0;
		if ($fn % 2 || $fn == $sn)
		{
			$hash = sha256("\x01$p$hash");
			while ($fn % 2 == 0 && $fn != 0) { $fn >>= 1; $sn >>= 1; }
		}
		else { $hash = sha256("\x01$hash$p"); }
		$fn >>= 1;
		$sn >>= 1;
	}
	return $sn == 0 ? $hash : 'a proof too short';
}

subtest 'a bundle' => sub {
	my ($event, $envelope) = split /\|/, sql(<<~SQL);
		SELECT event_id, encode(convert_to(ledger.ledger_canonical_json(ledger.ledger_event_envelope(e)), 'UTF8'), 'base64')
		FROM ledger.ledger_events AS e WHERE tenant_id = 'acme' AND chain_id = '$chain' AND sequence_no = 65537
		SQL
	my $ask = "SELECT ledger.ledger_proof_bundle('acme', '$event')";
	fails_with($node, $ask, 'LG404', qr/no signed checkpoint covers event/, 'there is none before the checkpoint is signed');
	sql("SELECT ledger.ledger_register_key('$vkey', 'log', true)");
	is(sign_anchor(), 't', 'the anchor is signed');
	my $bundle = sql($ask) . "\n";
	my ($head, $index, $hashes, $note, $line) = $bundle =~ m{\A(\S+)\nindex (\d+)\n((?:\S+\n)*)\n(.*?\n)\n(.*)\z}s
	  or die "no bundle: $bundle";
	is($head, 'c2sp.org/tlog-proof@v1', 'says what it is');
	is($index, 65536, 'has the index of the leaf');
	my (undef, $size, $root) = split /\n/, $note;
	is($size, 70600, 'and the newest signed checkpoint');
	is(root_from(sha256("\0" . decode_base64($envelope)), $index, $size, map { decode_base64($_) } split /\n/, $hashes), decode_base64($root),
		'whose root its proof leads to, from the envelope alone');
	my ($signed) = $line =~ /example\.com\/log (\S+)$/m;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	append_to_file("$dir/note", $note);
	append_to_file("$dir/signature", substr(decode_base64($signed), 4));
	is(system("openssl pkeyutl -verify -rawin -inkey $key -in $dir/note -sigfile $dir/signature >/dev/null"), 0, 'and which is signed');
	is(sql("SELECT ledger.ledger_checkpoint('acme', '$chain')"), "$note\n$line" =~ s/\n\z//r, 'it is the checkpoint that everybody gets');

	my $flip = "ALTER TABLE ledger.ledger_merkle_edge DISABLE TRIGGER USER;"
	  . " UPDATE ledger.ledger_merkle_edge SET hashes = set_byte(hashes, 7, get_byte(hashes, 7) # 1) WHERE chain_id = '$chain' AND level = 2;";
	fails_with($node, "BEGIN; $flip $ask", 'LG500', qr/no longer leads to the root that was anchored at size 70600/,
		'a bundle that would convince nobody is not given out');

	# Later events do not change it; those of a later anchor need its signature.
	grow_to(70610);
	is(tick(), 70610, 'a later anchor');
	is(sql($ask) . "\n", $bundle, 'the bundle is still that of the newest one signed');
	my $late = sql("SELECT event_id FROM ledger.ledger_events WHERE tenant_id = 'acme' AND chain_id = '$chain' AND sequence_no = 70610");
	fails_with($node, $ask =~ s/\Q$event\E/$late/r, 'LG404', qr/no signed checkpoint covers event/, 'what is newer has to wait');
	sql("SELECT ledger.ledger_revoke_key(ledger.ledger_key_id('$vkey'), 'lost')");
	fails_with($node, $ask, 'LG404', qr/no signed checkpoint covers event/, 'a signature of a revoked key does not count');
};

subtest 'a tile that was tampered with' => sub {
	my $flip = "ALTER TABLE ledger.ledger_merkle_tiles DISABLE TRIGGER USER;"
	  . " UPDATE ledger.ledger_merkle_tiles SET hashes = set_byte(hashes, 7, get_byte(hashes, 7) # 1) WHERE chain_id = '$chain';";
	my $good = "ledger.ledger_verify_inclusion(merkle_leaf_hash, sequence_no - 1, 70000, ledger.ledger_inclusion_proof('acme', '$chain', sequence_no, 70000),"
	  . " (SELECT root_hash FROM ledger.ledger_merkle_roots WHERE chain_id = '$chain' AND tree_size = 70000))"
	  . " FROM ledger.ledger_events WHERE tenant_id = 'acme' AND chain_id = '$chain' AND sequence_no = 300";
	is(sql("SELECT $good"), 't', 'before, a proof leads to the anchored root');
	is((split /\n/, sql("BEGIN; $flip SELECT $good"))[-1], 'f', 'then it leads nowhere: tiles are what proofs are made from');
};

$node->stop;
done_testing();
