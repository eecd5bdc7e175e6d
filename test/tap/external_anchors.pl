# Signed checkpoints outside the database: a WORM directory, an air-gap bundle, an RFC
# 3161 authority (openssl ts) and a C2SP witness (Go's tlog).  What is wrong in one
# place only is not taken; what is required and fails is an alarm, is tried again,
# and keeps nobody from appending.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Digest::SHA qw(sha256_hex);
use GoWitness;
use JSON::PP ();
use LedgerCluster;
use Ledgerctl;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TimeStampAuthority;

my $node    = ledger_node('external');
my $dir     = PostgreSQL::Test::Utils::tempdir();
my $signer  = Ledgerctl->signer($node, 'log.example/one');
my $tsa     = TimeStampAuthority->new("$dir/tsa");
my $witness = GoWitness->new($dir, 'witness.example/w1', $signer->{vkey});
my $chain   = $node->safe_psql($DB, q{SELECT ledger.ledger_chain_id('acme', 'policy-1')});
mkdir "$dir/$_" for qw(worm gap);

my %ALL = (
	ENABLED    => 'true',
	TIMEOUT    => 20,
	WORMDIR    => "$dir/worm",
	AIRGAPDIR  => "$dir/gap",
	AIRGAPBUNDLE => 'bundle-1',
	TSAURL     => $tsa->url,
	TSACAFILE  => $tsa->ca_file,
	TSAPOLICY  => $tsa->policy,
	WITNESSURL => $witness->url,
	WITNESSKEY => $witness->vkey,
);

# A run with these settings besides; each new event is anchored.
sub anchor
{
	my (%settings) = @_;
	my %all = (%ALL, %settings);
	local $signer->{env} = { map { ("LEDGER__EXTERNALANCHORING__$_" => $all{$_}) } keys %all };
	return $signer->anchor('--force');
}

my $events = 0;

sub event
{
	append($node, finding => 'F-' . ++$events);
	return;
}

sub receipts
{
	my ($kind, %options) = @_;
	return $node->safe_psql($options{db} || $DB, <<~SQL);
		SELECT string_agg(r.tree_size::text, ' ' ORDER BY r.tree_size)
		FROM ledger.ledger_anchor_receipts AS a JOIN ledger.ledger_merkle_roots AS r USING (tenant_id, anchor_id)
		WHERE a.kind = '$kind' AND a.tenant_id = 'acme'
		SQL
}

sub alarms
{
	my ($kind) = @_;
	return $node->safe_psql($DB, "SELECT coalesce((failures ->> 'required_$kind')::int, 0) FROM ledger.ledger_anchor_stats WHERE tenant_id = 'acme'");
}

sub anchor_ids
{
	my ($size) = @_;
	return $node->safe_psql($DB, "SELECT anchor_id FROM ledger.ledger_merkle_roots WHERE chain_id = '$chain' AND tree_size = $size");
}

# ---- off ----

event();
my $run = anchor(ENABLED => 'false', map { $_ => 'required' } qw(WORM AIRGAP TSA WITNESS));
is($run->{code}, 0, 'what is not enabled is not done');
is($tsa->requests, 0, 'nobody is asked for a time stamp');
is($witness->seen, '0 []', 'nor for a cosignature');
is_deeply([ glob "$dir/worm/* $dir/gap/*" ], [], 'no file is written');
is(anchor(ENABLED => 'false', WORM => 'required', WORMDIR => '/nowhere')->{code}, 0, 'no directory is looked at');
is_deeply(anchor()->{json}{published}, {}, 'enabled without a kind is nothing either');

for my $bad (
	[ { ENABLED => 'maybe' }, qr/ENABLED must be true or false/ ],
	[ { WORM => 'yes' }, qr/WORM must be off, best-effort or required/ ],
	[ { WORM => 'required', WORMDIR => '/nowhere' }, qr/cannot open directory "\/nowhere"/ ],
	[ { WORM => 'required', WORMDIR => '' }, qr/needs LEDGER__EXTERNALANCHORING__WORMDIR/ ],
	[ { TSA => 'required', TSACAFILE => '' }, qr/needs LEDGER__EXTERNALANCHORING__TSACAFILE/ ],
	[ { TSA => 'required', TSACAFILE => $signer->{key} }, qr/the CA file .* cannot be read/ ],
	[ { TSA => 'required', TSAPOLICY => 'mine' }, qr/"mine" is no object identifier/ ],
	[ { WITNESS => 'required', WITNESSKEY => $signer->{vkey} }, qr/is not of type 0x04/ ],
	[ { AIRGAP => 'required', AIRGAPBUNDLE => '../x' }, qr/is no bundle id/ ],
	[ { TIMEOUT => '0' }, qr/TIMEOUT must be a number of seconds/ ])
{
	my ($settings, $pattern) = @$bad;
	$run = anchor(%$settings);
	is($run->{code}, 1, 'wrong settings: ' . join ' ', %$settings);
	like($run->{stderr}, $pattern, 'are told');
}

# ---- the WORM directory ----

$run = anchor(WORM => 'required');
is($run->{code}, 0, 'a directory takes the anchor') or diag($run->{stderr});
is($run->{json}{published}{worm}, 1, 'which was made and signed before it was there');
my $stem = sprintf "$dir/worm/acme/$chain/%020d-%s", 1, anchor_ids(1);
is_deeply([ sort glob "$dir/worm/acme/$chain/*" ], [ "$stem.checkpoint", "$stem.dsse" ], 'as two files');
my $note = slurp_file("$stem.checkpoint");
is($note, $node->safe_psql($DB, q{SELECT checkpoint FROM ledger.ledger_merkle_roots WHERE tenant_id = 'acme'}),
	'one is the signed checkpoint');
is($node->safe_psql($DB, 'SELECT ledger.ledger_verify_dsse(' . literal(slurp_file("$stem.dsse")) . ', ' . literal($signer->{vkey}) . q{) ->> 'treeSize'}),
	'1', 'the other the statement');
is($node->safe_psql($DB, q{SELECT encode(receipt, 'hex') || ' ' || reference FROM ledger.ledger_anchor_receipts WHERE kind = 'worm'}),
	sha256_hex($note) . " worm::acme/$chain/" . ($stem =~ s{.*/}{}r) . '.checkpoint', 'the receipt is the hash of the first');
is((stat "$stem.checkpoint")[2] & 0222, 0, 'nobody may write to them');
is($node->safe_psql($DB, q{SELECT anchor_reference ~ '^worm::acme/' FROM ledger.ledger_merkle_roots WHERE tenant_id = 'acme'}), 't', 'the anchor refers to it');
event(), anchor(WORM => 'required') for 1 .. 3;
my $check = Ledgerctl::run({}, 'verify-checkpoints', "$dir/worm", '--key', $signer->{vkey});
is($check->{code}, 0, 'ledgerctl verify-checkpoints agrees') or diag($check->{stderr});

# A copy of the database without receipts publishes again: what is there is not touched.
sub forget_receipts
{
	$node->safe_psql($DB, <<~'SQL');
		ALTER TABLE ledger.ledger_anchor_receipts DISABLE TRIGGER USER;
		DELETE FROM ledger.ledger_anchor_receipts;
		SELECT format('ALTER TABLE ledger.ledger_anchor_receipts ENABLE ALWAYS TRIGGER %I', tgname)
		FROM pg_trigger WHERE tgrelid = 'ledger.ledger_anchor_receipts'::regclass AND NOT tgisinternal \gexec
		SQL
	return;
}
forget_receipts();
my @before = map { [ (stat)[1, 9] ] } sort glob "$dir/worm/acme/$chain/*";
is(anchor(WORM => 'required')->{json}{published}{worm}, 4, 'files that are there already with the same content are success');
is_deeply([ map { [ (stat)[1, 9] ] } sort glob "$dir/worm/acme/$chain/*" ], \@before, 'and are not written again');
forget_receipts();
my $third = sprintf "$dir/worm/acme/$chain/%020d-%s.checkpoint", 3, anchor_ids(3);
chmod 0644, $third;
append_to_file($third, "more\n");
$run = anchor(WORM => 'required');
is($run->{code}, 1, 'one with other content is a failure');
like($run->{stderr}, qr{required worm ".*" failed for acme/$chain at size 3: "\d+3-.*\.checkpoint" is there with other content, and is never overwritten}, 'which names it');
like(slurp_file($third), qr/more\n\z/, 'and stays as it is, being evidence');
is(receipts('worm'), '1 2 4', 'the others are published all the same');
is(alarms('worm'), 1, 'the alarm is raised');
is(anchor(WORM => 'best-effort')->{code}, 0, 'at best effort it is a note');
is(alarms('worm'), 1, 'and no alarm');
truncate $third, length(slurp_file($third)) - 5;
# What a run that was killed left behind is no obstacle.
append_to_file(($third =~ s{([^/]+)\z}{.$1.new}r), 'half');
is(anchor(WORM => 'required')->{code}, 0, 'with the file as it was the next run succeeds');
is(receipts('worm'), '1 2 3 4', 'nothing is lost');
is_deeply([ glob "$dir/worm/acme/$chain/.*.new" ], [], 'nothing is left over');

# ---- the air gap ----

$run = anchor(AIRGAP => 'required');
is($run->{code}, 0, 'a bundle takes all anchors');
my $file = "$dir/gap/bundle-1/acme/" . anchor_ids(2) . '.json';
my $item = JSON::PP->new->utf8->decode(slurp_file($file));
is("$item->{schema} $item->{tenant} $item->{treeSize} $item->{bundleId}", 'ledger.airgap.v1 acme 2 bundle-1', 'a file of it says what it is');
is($node->safe_psql($DB, 'SELECT ledger.ledger_verify_note(' . literal($item->{checkpoint}) . ', ' . literal($signer->{vkey}) . ')'), 't', 'and bears the signature');
is($node->safe_psql($DB, q{SELECT string_agg(DISTINCT reference, ' ') FROM ledger.ledger_anchor_receipts WHERE kind = 'airgap'}), 'airgap::bundle-1', 'the reference names the bundle');
$check = Ledgerctl::run({}, 'verify-checkpoints', "$dir/gap/bundle-1", '--key', $signer->{vkey});
is($check->{code}, 0, 'ledgerctl verify-checkpoints reads it too') or diag($check->{stderr});

# ---- time stamps ----

$run = anchor(TSA => 'required');
is($run->{code}, 0, 'an authority stamps all anchors') or diag($run->{stderr});
is($tsa->requests, 4, 'one request each');
for my $size (1, 4)
{
	my ($hex, $reference) = split / /, $node->safe_psql($DB, <<~SQL);
		SELECT encode(receipt, 'hex') || ' ' || reference FROM ledger.ledger_anchor_receipts
		WHERE kind = 'tsa' AND anchor_id = '@{[ anchor_ids($size) ]}'
		SQL
	TimeStampAuthority::spew("$dir/token", pack 'H*', $hex);
	is($tsa->verifies("$dir/token", glob sprintf "$dir/worm/acme/$chain/%020d-*.checkpoint", $size), 1, "openssl ts -verify accepts the token of size $size for the file");
	isnt($tsa->verifies("$dir/token", glob sprintf "$dir/worm/acme/$chain/%020d-*.checkpoint", 2), 1, 'and for no other');
	my ($serial) = TimeStampAuthority::openssl(qw(ts -reply -token_in -text), -in => "$dir/token") =~ /Serial number: 0x([0-9A-F]+)/;
	is($reference, 'tsa::' . lc $serial, 'the reference is its serial number');
}

event();
my $failed = 0;
for my $wrong ('wrong nonce', 'wrong imprint', 'wrong policy', 'rejection', 'no usage', 'usage not critical', 'two usages',
	'years ago', 'tomorrow', 'broken signature', 'foreign', 'garbage', 'nothing', 'more bytes', 'status 500')
{
	$tsa->answer($wrong);
	$run = anchor(TSA => 'required');
	is($run->{code}, 1, "not taken: $wrong");
	is(alarms('tsa'), ++$failed, 'an alarm');
	is(receipts('tsa'), '1 2 3 4', 'no receipt');
}
like($run->{stderr}, qr{required tsa "http://127.0.0.1:\d+/tsa" failed for acme/$chain at size 5: the time stamp authority answered with HTTP status 500}, 'it is said what failed');
$tsa->requests;
event();
$tsa->answer('silence');
$run = anchor(TSA => 'required', TIMEOUT => 1);
is($run->{code}, 1, 'nor is silence');
like($run->{stderr}, qr/no answer from .*: .*timed out/, 'told after a second');
is($tsa->requests, 1, 'and one that is silent is not asked again in that run');
is(anchor(TSA => 'best-effort', TIMEOUT => 1)->{code}, 0, 'at best effort that is a note');
is(receipts('tsa'), '1 2 3 4', 'all the time events were appended, anchored and signed');
$tsa->answer('signed anew');
is(anchor(TSA => 'required')->{code}, 0, 'when it answers again, all is made up for');
is(receipts('tsa'), '1 2 3 4 5 6', 'nothing is lost');
event();
is(anchor(TSA => 'required', TSACAFILE => $tsa->other_ca_file)->{code}, 1, 'an authority of another CA is not believed');
is(anchor(TSA => 'required', TSAURL => $tsa->url =~ s{//}{//me:secret\@}r)->{code}, 0, 'a password in the address is used');
is($node->safe_psql($DB, q{SELECT count(*) FROM ledger.ledger_anchor_receipts WHERE name ~ 'secret'}), '0', 'and not stored');

# ---- the witness ----

like(anchor(WITNESS => 'required')->{stderr}, qr/LG422: signature line is not valid; Key "witness.example\/w1\+[0-9a-f]{8}" is not registered as witness/, 'a witness that is not registered does not count');
$node->safe_psql($DB, 'SELECT ledger.ledger_register_key(' . literal($witness->vkey) . q{, 'witness')});
$witness->forget;
$witness->seen;
$run = anchor(WITNESS => 'required');
is($run->{code}, 0, 'a registered one cosigns') or diag($run->{stderr});
is($witness->seen, '7 [0 1 2 3 4 5 6]', 'each anchor is proved to extend the one before');
is(receipts('witness'), '1 2 3 4 5 6 7', 'and each has its cosignature');
is($node->safe_psql($DB, 'SELECT bool_and(ledger.ledger_verify_note(checkpoint, ' . literal($witness->vkey) . ') AND ledger.ledger_verify_note(checkpoint, '
	. literal($signer->{vkey}) . q{)) FROM ledger.ledger_merkle_roots WHERE tenant_id = 'acme'}), 't', 'which the checkpoint bears beside the log\'s signature');
event(), event();
is(anchor(WITNESS => 'required')->{code}, 0, 'the next anchor, two events on,');
is($witness->seen, '1 [7]', 'is proved from the size known');

$witness->forget;
event();
is(anchor(WITNESS => 'required')->{code}, 0, 'a witness that knows another size is asked once more');
is($witness->seen, '2 [9 0]', 'with the size that it named');
event();
$failed = alarms('witness');
my %lies = (
	'other text' => qr/the witness's cosignature: signature is not valid/,
	'other time' => qr/the witness's cosignature: signature is not valid/,
	'other name' => qr/the witness answered without a cosignature of witness.example\/w1/,
	'nothing'    => qr/the witness answered without a cosignature of witness.example\/w1/,
	'garbage'    => qr/the witness's answer is not made of signature lines/,
	'future'     => qr/the witness's cosignature has no time, or one that is not yet/,
	'no time'    => qr/the witness's cosignature has no time, or one that is not yet/,
	'status 500' => qr/the witness refused the checkpoint with HTTP status 500/,
);
for my $lie (sort keys %lies)
{
	$witness->lie($lie);
	$run = anchor(WITNESS => 'required');
	is($run->{code}, 1, "not taken: $lie");
	like($run->{stderr}, $lies{$lie}, 'and told');
	is(alarms('witness'), ++$failed, 'an alarm');
	is(receipts('witness'), '1 2 3 4 5 6 7 9 10', 'no receipt');
}
$witness->lie('stale size');
like(anchor(WITNESS => 'required')->{stderr}, qr/the witness answers another size each time/, 'one that names another size again and again is given up');
$witness->lie('among others');
is(anchor(WITNESS => 'required')->{code}, 0, 'its line among those of others is found');
is(receipts('witness'), '1 2 3 4 5 6 7 9 10 11', 'and what was missed is made up for');
$witness->lie('');

# A fork that has the log's signature, as if the key were stolen: the witness is the wall.
{
	dump_to($node, $DB, "$dir/eleven.dump");
	event();
	is(anchor(WITNESS => 'required')->{code}, 0, 'the log goes on to size 12');
	restore_from($node, 'forked', "$dir/eleven.dump");
	append($node, finding => 'X', db => 'forked') for 1 .. 3;
	local $signer->{db}    = 'forked';
	local $signer->{state} = undef;
	$witness->seen;
	$run = anchor(WITNESS => 'required');
	is($run->{json}{signed}, 1, 'a signer without state signs a fork');
	is($run->{code}, 1, 'the witness does not');
	like($run->{stderr}, qr/HTTP status 422 \(it holds an earlier checkpoint that this one does not extend\)/, 'because it does not extend what it saw');
	is($witness->seen, '2 [11 12]', 'though it was proved from the size that the witness named');
	is(receipts('witness', db => 'forked'), '1 2 3 4 5 6 7 9 10 11', 'there is no cosignature of it');
}
# A rolled-back log offers less than the witness has seen.
{
	restore_from($node, 'rolled', "$dir/eleven.dump");
	append($node, finding => 'Y', db => 'rolled');
	$node->safe_psql('rolled', q{SELECT FROM ledger.ledger_anchor_tick('acme', true)});
	event();
	is(anchor(WITNESS => 'required')->{code}, 0, 'the log goes on to size 13');
	local $signer->{db}    = 'rolled';
	local $signer->{state} = undef;
	$run = anchor(WITNESS => 'required');
	is($run->{code}, 1, 'the newest checkpoint of a log that was rolled back is no checkpoint to cosign');
	like($run->{stderr}, qr/the witness has cosigned size 13 already/, 'and that is told');
}
{
	my $foreign = GoWitness->new("$dir/gap", 'witness.example/w2', Ledgerctl->signer($node, 'log.example/else', registered => 0)->{vkey});
	$run = anchor(WITNESS => 'best-effort', WITNESSURL => $foreign->url, WITNESSKEY => $foreign->vkey);
	like($run->{stderr}, qr/HTTP status 403 \(it does not trust the log's key\)/, 'a witness that does not know the log says so');
	$foreign->stop;
	event();
	is(anchor(WITNESS => 'required', WITNESSURL => $foreign->url)->{code}, 1, 'one that is gone is a failure');
}

# ---- all at once, and the metrics ----

event();
$run = anchor(map { $_ => 'required' } qw(WORM AIRGAP TSA WITNESS));
is($run->{code}, 0, 'all four at once') or diag($run->{stderr});
is(receipts($_) =~ s/.* //r, receipts('worm') =~ s/.* //r, "$_ has the newest") for qw(airgap tsa witness);
like($node->safe_psql($DB, q{SELECT string_agg(labels ->> 'reason', ' ' ORDER BY labels ->> 'reason') FROM ledger.ledger_anchor_metrics()
	WHERE metric = 'ledger_merkle_anchor_failures_total'}), qr/required_tsa required_witness required_worm/, 'the metrics show the alarms');
is_deeply([ verify_kinds($node) ], [], 'the ledger verifies clean');
$witness->stop;
$tsa->stop;
$node->stop;
done_testing();
