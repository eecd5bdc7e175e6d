# Marks: a verification that begins where a signed one ended, and that no one who can
# write the database can make it skip what was not verified.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Digest::SHA qw(sha256);
use JSON::PP ();
use LedgerCluster;
use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node  = ledger_node('marks');
my $dir   = PostgreSQL::Test::Utils::tempdir();
my $json  = JSON::PP->new->canonical;
my $tick  = q{SELECT count(*) FROM ledger.ledger_anchor_tick(NULL, true)};
my $TYPE  = 'application/vnd.stella-ledger-verified+json';

# A key by OpenSSL, not by our core: C2SP signed-note, "<name>+<id>+<base64 of 01 and key>".
sub new_key
{
	my ($name) = @_;
	system_or_bail('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', "$dir/$name.pem");
	my $public = substr(`openssl pkey -in $dir/$name.pem -pubout -outform DER`, -32);
	my $id = unpack 'H8', sha256("$name\n\x01$public");
	return { file => "$dir/$name.pem", id => "$name+$id", vkey => "$name+$id+" . encode_base64("\x01$public", '') };
}

# A DSSE v1 envelope over that payload.
sub envelope
{
	my ($key, $payload, $type) = @_;
	$type ||= $TYPE;
	my $text = $json->encode($payload);
	open my $file, '>:raw', "$dir/message" or die $!;
	print $file 'DSSEv1 ' . length($type) . " $type " . length($text) . " $text";
	close $file;
	system_or_bail('openssl', 'pkeyutl', '-sign', '-inkey', $key->{file}, '-rawin', '-in', "$dir/message", '-out', "$dir/signature");
	return $json->encode({ payload => encode_base64($text, ''), payloadType => $type,
			signatures => [ { keyid => $key->{id}, sig => encode_base64(slurp_file("$dir/signature"), '') } ] });
}

sub payload
{
	my ($tenant, $size, %change) = @_;
	my ($row) = query_json($node, <<~SQL);
		SELECT s.origin, c.chain_id AS "chainId", encode(ledger.ledger_chain_root(c.tenant_id, c.chain_id, $size), 'hex') AS "rootHash"
		FROM ledger.ledger_settings AS s, ledger.ledger_chains AS c WHERE c.tenant_id = '$tenant'
		SQL
	return { %$row, mode => 'full', schemaVersion => 'ledger.verified.v1', tenant => $tenant, treeSize => $size,
		verifiedAt => '2026-11-24T18:00:00.000000Z', %change };
}

sub store
{
	my ($envelope, %options) = @_;
	return $node->safe_psql($options{db} || $DB, 'SELECT ledger.ledger_store_mark(' . literal($envelope) . ')');
}

sub refused
{
	my ($envelope, $pattern, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return fails_with($node, 'SELECT ledger.ledger_store_mark(' . literal($envelope) . ')', 'LG422', $pattern, $name);
}

sub new_kinds
{
	my ($db) = @_;
	return join ', ', split /\n/, $node->safe_psql($db || $DB,
		q{SELECT concat_ws(' ', tenant_id, kind, sequence_no) FROM ledger.ledger_verify_new() ORDER BY tenant_id, kind, sequence_no});
}

# A change with the guards off, in a copy of its own.
my $copies = 0;
sub tampered
{
	my ($sql) = @_;
	my $db = 'copy' . ++$copies;
	$node->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE $DB");
	change_unguarded($node, $db, $sql);
	return $db;
}

my ($key, $stranger) = map { new_key($_) } qw(log stranger);
$node->safe_psql($DB, 'SELECT ledger.ledger_register_key(' . literal($key->{vkey}) . ')');
append_many($node, 'acme', 'F', 300);
append_many($node, 'globex', 'G', 5);
$node->safe_psql($DB, $tick);
append_many($node, 'acme', 'H', 20);
is(new_kinds(), '', 'without marks everything is looked at, and clean');

# ---- what is a mark ----

my $mark = envelope($key, payload('acme', 310));
is(store($mark), 't', 'a mark between two anchors is kept');
is(store($mark), 'f', 'once');
refused(envelope($stranger, payload('acme', 310)), qr/no registered log key/, 'a key that is not registered');
refused(envelope($key, payload('acme', 310), 'text/plain'), qr/no mark/, 'another type');
refused(envelope($key, payload('acme', 310, rootHash => '00' x 32)), qr/root that the mark names/, 'another root');
refused(envelope($key, payload('acme', 310, treeSize => 321)), qr/root that the mark names/, 'a size beyond the end');
refused(envelope($key, payload('acme', 310, origin => 'other.log')), qr/another log/, 'another log');
refused(envelope($key, payload('acme', 310, $_->[0] => $_->[1])), qr/no mark/, "member $_->[0] is $_->[1]")
	for [ treeSize => 0 ], [ treeSize => 'many' ], [ mode => 'half' ], [ rootHash => 'x' ], [ rootHash => '00' ], [ schemaVersion => 'ledger.verified.v2' ],
	[ verifiedAt => 'yesterdays' ], [ verifiedAt => 'infinity' ], [ chainId => '7' ];
(my $bent = $mark) =~ s/"sig":"(.)/'"sig":"' . ($1 eq 'A' ? 'B' : 'A')/e;
refused($bent, qr/no registered log key/, 'a signature that does not hold');
refused('{}', qr/no mark/, 'an empty object');
login_role($node, 'globex_auditor', 'ledger_auditor', 'globex');
fails_with($node, 'SELECT ledger.ledger_store_mark(' . literal($mark) . ')', 'LG403', qr/acme/, 'a tenant that is not granted', user => 'globex_auditor');

# ---- from the mark on ----

is(new_kinds(), '', 'with the mark it is clean');
my $payload = q{event_body = event_body || '{"x": 1}'};
my $edit = sub { return "UPDATE ledger.ledger_events SET $_[1] WHERE tenant_id = 'acme' AND sequence_no = $_[0]" };
is(new_kinds(tampered($edit->(315, $payload))), 'acme payload_edited 315', 'an event after it is looked at');
is(new_kinds(tampered($edit->(305, $payload))), '', 'one before it is not');
is(new_kinds(tampered($edit->(305, q{merkle_leaf_hash = sha256('x')}))), 'acme hash_edited 305, acme rewritten 1', 'unless the tree shows it');
is(new_kinds(tampered(q{UPDATE ledger.ledger_events SET event_body = '{}' WHERE tenant_id = 'globex' AND sequence_no = 2})), 'globex payload_edited 2', 'a chain without a mark is looked at from its start');
is(new_kinds(tampered(q{DELETE FROM ledger.ledger_events WHERE tenant_id = 'acme' AND sequence_no > 308})), 'acme truncated 309', 'the tree must reach the mark');
is(new_kinds(tampered(q{DELETE FROM ledger.ledger_events WHERE tenant_id = 'acme'; DELETE FROM ledger.ledger_merkle_roots WHERE tenant_id = 'acme';
	DELETE FROM ledger.ledger_merkle_edge WHERE tenant_id = 'acme'; DELETE FROM ledger.ledger_chains WHERE tenant_id = 'acme'})), 'acme missing_chain', 'a chain that only the mark knows');
is(new_kinds(tampered(q{UPDATE ledger.ledger_merkle_roots SET frontier = set_byte(frontier, 3, get_byte(frontier, 3) # 1) WHERE tenant_id = 'acme'})),
	'acme anchor_mismatch 300', 'a frontier that does not lead to the mark is not believed');

# A mark that nobody signed, or that says something else beside its signature, is none.
is(new_kinds(tampered($edit->(305, $payload) . q{; UPDATE ledger.ledger_verification_marks SET dsse = jsonb_set(dsse, '{signatures}', '[]')})),
	'acme payload_edited 305', 'a mark without a signature is none');
is(new_kinds(tampered($edit->(305, $payload) . q{; UPDATE ledger.ledger_verification_marks SET tree_size = 309})), 'acme payload_edited 305', 'one moved to another size neither');
is(new_kinds(tampered($edit->(315, $payload) . q{; INSERT INTO ledger.ledger_verification_marks SELECT tenant_id, chain_id, 320, mode, sha256('x'), verified_at, dsse
	FROM ledger.ledger_verification_marks})), 'acme payload_edited 315', 'a forged newer one does not hide the older');
my $db = tampered($edit->(305, $payload));
$node->safe_psql($db, "SELECT ledger.ledger_revoke_key('$key->{id}', 'stolen')");
is(new_kinds($db), 'acme payload_edited 305', 'nor does one of a revoked key count');

# ---- anchors after the mark ----

append_many($node, 'acme', 'I', 300);
$node->safe_psql($DB, $tick);
is(new_kinds(), '', 'a later anchor, across the end of the edge');
is(new_kinds(tampered(q{UPDATE ledger.ledger_merkle_roots SET root_hash = sha256('x') WHERE tenant_id = 'acme' AND tree_size = 620})), 'acme anchor_mismatch 620', 'is looked at');
is(new_kinds(tampered(q{UPDATE ledger.ledger_merkle_roots SET anchored_at = anchored_at, origin = origin || 'x' WHERE tenant_id = 'acme' AND tree_size = 300})), '', 'one before the mark is not');
is(store(envelope($key, payload('acme', 620, mode => 'incremental'))), 't', 'a mark at an anchor');
is(new_kinds(), '', 'leaves nothing to do');
fails_with($node, q{SELECT * FROM ledger.ledger_verify_new('acme')}, 'LG403', qr/acme/, 'and is not for others to ask', user => 'globex_auditor');

done_testing();
