# What ledgerctl takes out of the database for others: proofs of events, tiles of a
# chain, and marks of what was verified.  Others judge it: ledgerctl without a server,
# and Go's tlog.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run ();
use JSON::PP ();
use LedgerCluster;
use LedgerCrash;
use Ledgerctl;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node   = ledger_node('handing_out');
my $dir    = PostgreSQL::Test::Utils::tempdir();
my $signer = Ledgerctl->signer($node, 'log.example/one');
my $chain  = $node->safe_psql($DB, q{SELECT ledger.ledger_chain_id('acme', 'policy-1')});
login_role($node, 'aud', 'ledger_auditor', 'acme');

# As the auditor, whom nothing but acme is granted.
sub as_auditor
{
	my ($command, @arguments) = @_;
	my $env = { LEDGER__DB__CONNECTIONSTRING => $node->connstr($DB) . ' user=aud' };
	return Ledgerctl::run($env, $command, '--json', @arguments);
}

sub offline { return Ledgerctl::run({}, @_) }

sub event_id
{
	my ($sequence) = @_;
	return $node->safe_psql($DB, "SELECT event_id FROM ledger.ledger_events WHERE tenant_id = 'acme' AND chain_id = '$chain' AND sequence_no = $sequence");
}

# What a superuser does to one row of a table that has guards.
sub tamper
{
	my ($table, $sql) = @_;
	return $node->safe_psql($DB, <<~SQL);
		ALTER TABLE $table DISABLE TRIGGER USER;
		$sql;
		SELECT format('ALTER TABLE $table ENABLE ALWAYS TRIGGER %I', tgname)
		FROM pg_trigger WHERE tgrelid = '$table'::regclass AND NOT tgisinternal \\gexec
		SQL
}

# ---- proofs ----

append($node, finding => 'F-1', payload => { note => 'a secret' });
my $first = event_id(1);
my $run   = as_auditor('proof', $first, '--tenant', 'acme', '--out', "$dir/evidence");
is($run->{code}, 4, 'before a checkpoint is signed there is no proof');
like($run->{stderr}, qr/LG404/, 'and the database says so');
append_many($node, 'acme', 'G', 600);
is($signer->anchor('--force')->{code}, 0, 'the chain is anchored and signed');
$run = as_auditor('proof', $first, '--tenant', 'acme', '--out', "$dir/evidence");
is($run->{code}, 0, 'then there is one') or diag($run->{stderr});
my ($event, $bundle) = map { "$dir/evidence/$first.$_" } qw(event.json tlog-proof);
is("$run->{json}{event} $run->{json}{bundle} $run->{json}{treeSize}", "$event $bundle 601", 'in two files');
unlike(slurp_file($event), qr/secret/, 'without the payload');
is(offline('verify-proof', $bundle, '--event', $event, '--key', $signer->{vkey})->{code}, 0, 'an outsider verifies it');
is(as_auditor('proof', $first, '--tenant', 'acme', '--out', "$dir/evidence")->{code}, 0, 'made again it is the same');
$run = as_auditor('proof', $first, '--tenant', 'acme', '--out', "$dir/open", '--with-payload');
is($run->{code}, 0, 'with the payload for who may see it');
like(slurp_file("$dir/open/$first.event.json"), qr/a secret/, 'it is there');
$run = offline('verify-proof', "$dir/open/$first.tlog-proof", '--event', "$dir/open/$first.event.json", '--key', $signer->{vkey});
is($run->{code}, 0, 'and is checked against its salted hash') or diag($run->{stderr});
is(as_auditor('proof', '00000000-0000-7000-8000-000000000000', '--tenant', 'acme', '--out', $dir)->{code}, 4, 'an event that is not there is not found');
is(as_auditor('proof', '../x', '--tenant', 'acme', '--out', $dir)->{code}, 1, 'what is no event id is a mistake');
append($node, tenant => 'globex', finding => 'S');
is(as_auditor('proof', $first, '--tenant', 'globex', '--out', $dir)->{code}, 1, "another tenant's is refused");
my $fifth = event_id(5);
tamper('ledger.ledger_events', "UPDATE ledger.ledger_events SET finding_id = 'changed' WHERE event_id = '$fifth'");
$run = as_auditor('proof', $fifth, '--tenant', 'acme', '--out', "$dir/evidence");
is($run->{code}, 3, 'of an event that was changed there is no proof');
like($run->{stderr}, qr/does not prove event $fifth: verify the ledger/, 'and that is an alarm');
is_deeply([ glob "$dir/evidence/$fifth*" ], [], 'no file is written');

# ---- tiles ----

my @tiles = ('export-tiles', "$dir/log", '--tenant', 'acme', '--chain', $chain);
is(as_auditor(@tiles, '--entries')->{code}, 3, 'nor can its entry be exported');
tamper('ledger.ledger_events', "UPDATE ledger.ledger_events SET finding_id = 'G-4' WHERE event_id = '$fifth'");
is_deeply([ verify_kinds($node) ], [], 'the change is taken back');
$run = as_auditor(@tiles, '--entries');
is($run->{code}, 0, 'the chain is exported as a tiled log') or diag($run->{stderr});
my @files = sort split /\n/, `cd $dir/log && find . -type f`;
is_deeply(\@files, [ map { "./$_" } qw(checkpoint tile/0/000 tile/0/001 tile/0/002.p/89 tile/1/000.p/2
	tile/entries/000 tile/entries/001 tile/entries/002.p/89) ], 'in the files that C2SP tlog-tiles names');
is(-s "$dir/log/tile/0/001", 8192, 'a full tile has 256 hashes');
is(offline('verify-tiles', "$dir/log", '--key', $signer->{vkey})->{code}, 0, 'ledgerctl verify-tiles agrees with all of them');
my $said;
ok(IPC::Run::run([ $ENV{LEDGER_GO_TILES}, "$dir/log", $signer->{vkey} ], '>&', \$said), 'and so does Go') or diag($said);
my $entries = slurp_file("$dir/log/tile/entries/002.p/89");
is(unpack('n', $entries), length(slurp_entry($entries)), 'entries have their length before them');
is(slurp_entry($entries), $node->safe_psql($DB, "SELECT ledger.ledger_canonical_json(ledger.ledger_event_envelope(e)) FROM ledger.ledger_events AS e WHERE chain_id = '$chain' AND sequence_no = 513"),
	'and are the envelopes');

sub slurp_entry { return unpack 'n/a', $_[0] }

is($run->{json}{treeSize}, 601, 'its size is told');
append_many($node, 'acme', 'H', 300);
is($signer->anchor('--force')->{code}, 0, 'the chain goes on');
is(as_auditor(@tiles, '--size', 601)->{code}, 0, 'an older checkpoint can be asked for');
is(as_auditor(@tiles, '--size', 600)->{code}, 4, 'one that is not signed cannot');
is(as_auditor(@tiles, '--entries')->{code}, 0, 'a later export adds to the directory');
is(offline('verify-tiles', "$dir/log", '--key', $signer->{vkey})->{code}, 0, 'which verifies again');
ok(IPC::Run::run([ $ENV{LEDGER_GO_TILES}, "$dir/log", $signer->{vkey} ], '>&', \$said), 'with Go as well') or diag($said);
chmod 0644, "$dir/log/tile/0/001";
append_to_file("$dir/log/tile/0/001", 'x');
$run = as_auditor(@tiles);
is($run->{code}, 3, 'a directory that holds something else is left alone');
like($run->{stderr}, qr/"001" is there with other content/, 'and the file is named');
my $last = event_id(901);
tamper('ledger.ledger_events', "UPDATE ledger.ledger_events SET merkle_leaf_hash = sha256('x') WHERE event_id = '$last'");
$run = as_auditor('export-tiles', "$dir/other", @tiles[2 .. $#tiles]);
is($run->{code}, 3, 'leaves that do not lead to the signed root are no log');
like($run->{stderr}, qr/do not lead to the root of its checkpoint of size 901: verify the ledger/, 'and that is told');
ok(!-e "$dir/other/checkpoint", 'no checkpoint stands beside them');
tamper('ledger.ledger_events', "UPDATE ledger.ledger_events AS e SET merkle_leaf_hash = ledger.ledger_leaf_hash(e) WHERE event_id = '$last'");

# More than a thousand tiles: their names have more than one part then.
my $many = compile('many_tiles', '-D_GNU_SOURCE', "-I$ROOT/extension/core", "-I$ROOT/gateway/cli", "-I$ROOT/gateway/shared", "$ROOT/test/tap/client/many_tiles.c",
	(map { "$ROOT/gateway/cli/$_.c" } qw(tile_writer durable files output pace progress)), "$ROOT/gateway/shared/fault.c", glob("$ROOT/extension/core/*.c"), '-lcrypto', '-lm');
ok(IPC::Run::run([ $many, "$dir/many", 256_300 ], '>', \my $many_key), 'a log of 256,300 leaves is written');
chomp $many_key;
ok(-e "$dir/many/tile/0/x001/000" && -e "$dir/many/tile/0/x001/001.p/44" && -e "$dir/many/tile/2/000.p/3", 'with long indexes and a third level');
ok(IPC::Run::run([ $ENV{LEDGER_GO_TILES}, "$dir/many", $many_key ], '>&', \$said), 'Go reads it') or diag($said);
is(offline('verify-tiles', "$dir/many", '--key', $many_key)->{code}, 0, 'so does ledgerctl');

# ---- verification and marks ----

sub marks
{
	return $node->safe_psql($DB, q{SELECT string_agg(tree_size || ' ' || mode, ', ' ORDER BY tree_size, mode) FROM ledger.ledger_verification_marks WHERE tenant_id = 'acme'});
}

$run = as_auditor('verify');
is($run->{code}, 0, 'the ledger verifies clean') or diag($run->{stderr});
is("$run->{json}{verdict} $run->{json}{rows}", 'clean 901', 'and it is told how much was looked at');
is(marks(), '', 'without a key there are no marks');
$run = as_auditor('verify', '--key-file', $signer->{key});
is($run->{code}, 0, 'with a key of the log') or diag($run->{stderr});
is(marks(), '901 full', 'there are');
is($node->safe_psql($DB, 'SELECT ledger.ledger_verify_dsse(dsse, ' . literal($signer->{vkey}) . q{) ->> 'rootHash' = encode(root_hash, 'hex') FROM ledger.ledger_verification_marks}), 't', 'which are signed');
append($node, finding => 'I');
is($signer->anchor('--force')->{code}, 0, 'one event more');
$run = as_auditor('verify', '--incremental', '--key-file', $signer->{key});
is($run->{code}, 0, 'only that is verified') or diag($run->{stderr});
is(marks(), '901 full, 902 incremental', 'and marked');
my $newest = event_id(902);
append($node, finding => 'J');
my $tail = event_id(903);
tamper('ledger.ledger_events', "UPDATE ledger.ledger_events SET event_body = '{}' WHERE event_id = '$tail'; UPDATE ledger.ledger_events SET event_body = '{\"x\": 1}' WHERE event_id = '$tail'");
for my $how ([], ['--incremental'])
{
	$run = as_auditor('verify', @$how, '--key-file', $signer->{key});
	is($run->{code}, 3, "an event that was changed is found: @$how");
	is_deeply([ map { "$_->{kind} $_->{sequence}" } grep { $_->{kind} eq 'payload_edited' } @{ $run->{json}{findings} } ], ['payload_edited 903'], 'and named');
}
is(marks(), '901 full, 902 incremental', 'there is no mark of that');
tamper('ledger.ledger_events', "UPDATE ledger.ledger_events SET event_body = '{}' WHERE event_id = '$tail'");

my $stranger = Ledgerctl->signer($node, 'log.example/else', registered => 0);
$run = as_auditor('verify', '--key-file', $stranger->{key});
is($run->{code}, 1, 'a key that is not registered marks nothing');
like($run->{stderr}, qr/LG422/, 'says the database');

# ---- against what an auditor kept ----

$run = as_auditor('verify', '--against', "$dir/log/checkpoint");
is($run->{code}, 0, 'a checkpoint that was kept is still extended') or diag($run->{stderr});
PostgreSQL::Test::Utils::append_to_file("$dir/forged", slurp_file("$dir/log/checkpoint") =~ s/\n901\n/\n902\n/r);
$run = as_auditor('verify', '--against', "$dir/log/checkpoint", '--against', "$dir/forged");
is($run->{code}, 3, 'one with another root at its size is not');
is_deeply([ map { $_->{kind} } @{ $run->{json}{findings} } ], ['rewritten'], 'which is what a rewritten ledger looks like');
is(as_auditor('verify', '--against', "$dir/nowhere")->{code}, 4, 'a file that is not there is not found');
is(as_auditor('verify', '--against', $bundle)->{code}, 1, 'what is no checkpoint is a mistake');
is(as_auditor('verify', '--against', $bundle, '--incremental')->{code}, 1, 'as is another option with it');
login_role($node, 'blind', 'ledger_auditor');
$run = Ledgerctl::run({ LEDGER__DB__CONNECTIONSTRING => $node->connstr($DB) . ' user=blind' }, 'verify', '--json');
is($run->{code}, 3, 'who sees nothing has not verified anything');
is(Ledgerctl::run({ LEDGER__DB__CONNECTIONSTRING => 'host=/nowhere' }, 'verify')->{code}, 1, 'no database is a matter of the environment');
# The connection in a file, as a mounted secret or a credential of systemd is.
my $connection = "$dir/connection";
append_to_file($connection, $node->connstr($DB) . " user=aud\n");
is(Ledgerctl::run({ LEDGER__DB__CONNECTIONSTRING_FILE => $connection }, 'verify')->{code}, 0, 'a file can hold the connection string');
is(Ledgerctl::run({ LEDGER__DB__CONNECTIONSTRING_FILE => $connection, LEDGER__DB__CONNECTIONSTRING => 'host=/nowhere' }, 'verify')->{code}, 1,
	'the variable itself comes before the file');
$run = Ledgerctl::run({ LEDGER__DB__CONNECTIONSTRING_FILE => "$dir/nowhere" }, 'verify');
is($run->{code}, 1, 'a file that is not there is a matter of the environment');
like($run->{stderr}, qr{/nowhere}, 'and named');
is(Ledgerctl::run({ LEDGER__OFFLINE => 'true' }, 'verify')->{code}, 5, 'and none is asked when all is to be offline');

$node->stop;
done_testing();
