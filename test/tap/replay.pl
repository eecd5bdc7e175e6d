# ledgerctl export --fixture and replay: an empty ledger becomes the same one, the report
# is signed and can be checked, and whatever is wrong with a fixture is named before
# anything is written.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";
use JSON::PP ();
use Digest::SHA qw(sha256_hex);
use IO::Socket::INET;
use LedgerCluster;
use Ledgerctl;
use PostgreSQL::Test::Utils qw(slurp_file);
use ReplayFixture;
use Test::More;

my $node = ledger_node('replay');
my $dir  = PostgreSQL::Test::Utils::tempdir();
fill_ledger($node);

my $made = Ledgerctl::run({}, 'keygen', '--name', 'log.example/replay', '--out', "$dir/log.key");
my ($vkey) = $made->{stdout} =~ /^(\S+\+[0-9a-f]{8}\+\S+)$/m;
my $stranger = Ledgerctl::run({}, 'keygen', '--name', 'log.example/other', '--out', "$dir/other.key");
my ($other) = $stranger->{stdout} =~ /^(\S+\+[0-9a-f]{8}\+\S+)$/m;
my @signed = ('--key-file', "$dir/log.key");

# Everything that a replay must reproduce, as text.
sub content
{
	my ($db) = @_;
	return join "\n", map {
		$node->safe_psql($db, "SELECT t FROM ledger.$_ AS t WHERE tenant_id <> 'ledger' ORDER BY t::text COLLATE \"C\"")
	} qw(ledger_events findings_projection finding_history triage_actions);
}

sub write_lines
{
	my ($file, @lines) = @_;
	open my $handle, '>:raw', $file or die "cannot write $file: $!";
	print $handle map { "$_\n" } @lines;
	close $handle or die "cannot write $file: $!";
	return $file;
}

# ---- the fixture

my $file  = export_fixture($node, "$dir/all.ndjson", '--tenant', 'all');
my @lines = split /\n/, slurp_file($file);
my @want  = split /\n/, slurp_file("$file.expected");
is(scalar @lines, $node->safe_psql($DB, "SELECT count(*) FROM ledger.ledger_events WHERE tenant_id <> 'ledger'"), 'a line an event');
is(Ledgerctl::run({}, 'verify-export', $file)->{code}, 0, 'verify-export finds the lines good');
is((stat $file)[2] & 0777, 0600, 'payloads and salts are for their owner only');
is((stat "$file.expected")[2] & 0777, 0600, 'and so is what is expected');
my ($totals) = map { JSON::PP::decode_json($_) } $want[-1];
is($totals->{projectionChecksum}, sha256_hex(map { pack 'H*', $_ } split /\n/, $node->safe_psql($DB, <<~'SQL')), 'projectionChecksum is that of the page');
	SELECT encode(cycle_hash, 'hex') FROM ledger.findings_projection WHERE tenant_id <> 'ledger'
	ORDER BY tenant_id, finding_id COLLATE "C", policy_version COLLATE "C"
	SQL
is($totals->{eventStreamChecksum}, sha256_hex(map { pack 'H*', $_ } split /\n/, $node->safe_psql($DB, <<~'SQL')), 'eventStreamChecksum too');
	SELECT encode(sha256(string_agg(event_hash, '' ORDER BY sequence_no)), 'hex') FROM ledger.ledger_events WHERE tenant_id <> 'ledger'
	GROUP BY tenant_id, chain_id ORDER BY tenant_id, chain_id
	SQL
my $again = Ledgerctl::run({}, 'export', '--fixture', '--connection', $node->connstr($DB), '--tenant', 'all', '--out', $file);
is($again->{code}, 1, 'a fixture is not overwritten');
like($again->{stderr}, qr/all\.ndjson exists, and is not overwritten/, 'and it says so');
like(Ledgerctl::run({}, 'export', '--connection', $node->connstr($DB), '--tenant', 'all', '--out', "$dir/x")->{stderr},
	qr/export of what\?  --fixture/, 'export of nothing in particular is refused');
is(Ledgerctl::run({}, 'export', '--fixture', '--connection', $node->connstr($DB), '--tenant', 'nobody', '--out', "$dir/x")->{code}, 4,
	'there is no such tenant');
my $none = Ledgerctl::run({}, 'export', '--fixture', '--connection', $node->connstr($DB), '--tenant', 'globex',
	'--chain', '00000000-0000-0000-0000-000000000000', '--out', "$dir/x");
is($none->{code}, 4, 'nor such a chain');
ok(!-e "$dir/x" && !-e "$dir/x.expected", 'and no file is left of an export that failed');
my $chain = $node->safe_psql($DB, "SELECT chain_id FROM ledger.ledger_chains WHERE tenant_id = 'acme' AND policy_version = 'policy-2'");
export_fixture($node, "$dir/chain.ndjson", '--tenant', 'acme', '--chain', $chain);
is_deeply([ grep { !/"chainId":"$chain"/ } split /\n/, slurp_file("$dir/chain.ndjson") ], [], 'one chain alone can be exported');

# ---- into an empty ledger

empty_ledger($node, 'copy');
my @args = ('--fixture', $file, '--tenant', 'all');
my $run = replay_env({ LEDGER_POLICY_HASH => 'bundle-1' }, $node, 'copy', @args, @signed, '--report', "$dir/out.json", '--max-parallel', 3, '--batch', 7);
is($run->{code}, 0, 'replayed') or diag($run->{stderr});
is($run->{json}{result}, 'match', 'and everything matches');
is(content('copy'), content($DB), 'the same rows in every table');
clean_by_both($node, 'both verifiers find the copy clean', db => 'copy');
my $report = report_of("$dir/out.json");
is($report->{counts}{events}, scalar @lines, 'the report counts the events');
is($report->{counts}{erased}, 1, 'and the erased payload');
is($report->{eventStreamChecksum}, $totals->{eventStreamChecksum}, 'eventStreamChecksum is the one expected');
is($report->{projectionChecksum}, $totals->{projectionChecksum}, 'projectionChecksum likewise');
is($report->{policyHash}, 'bundle-1', 'bound to the policy that the environment names');
is($report->{timings}{imported}, scalar @lines, 'all were imported');
cmp_ok($report->{timings}{calls}{count}, '>=', @lines / 7, 'each call was timed');
my $counted = 0;
$counted += $_->{count} for @{ $report->{timings}{calls}{buckets} };
is($counted, $report->{timings}{calls}{count}, 'and is in a bucket of the histogram');

# ---- the signature

sub verify_report
{
	return Ledgerctl::run({}, 'verify-report', @_);
}

my $good = verify_report("$dir/out.json", '--key', $vkey, '--policy-hash', 'bundle-1', '--json');
is($good->{code}, 0, 'the signed report holds') or diag($good->{stderr});
like($good->{json}{signer}, qr{^log\.example/replay\+}, 'and says by whom');
my $wrong = verify_report("$dir/out.json", '--key', $other);
is($wrong->{code}, 3, 'not with another key');
like($wrong->{stderr}, qr/out\.json\.sig: none of the given keys signed it/, 'and says so');
$wrong = verify_report("$dir/out.json", '--key', $vkey, '--policy-hash', 'bundle-2');
is($wrong->{code}, 3, 'not for another policy');
like($wrong->{stderr}, qr/bound to the policy "bundle-1", not "bundle-2"/, 'and says for which');
(my $altered = slurp_file("$dir/out.json")) =~ s/"erased":1/"erased":0/;
write_lines("$dir/altered.json", $altered =~ s/\n\z//r);
$wrong = verify_report("$dir/altered.json", '--signature', "$dir/out.json.sig", '--key', $vkey);
is($wrong->{code}, 3, 'nor a report that was altered');
like($wrong->{stderr}, qr/what is signed in it is not the report/, 'and says so');
my $anchor = $node->safe_psql($DB, 'SELECT dsse FROM ledger.ledger_merkle_roots LIMIT 1');
$wrong = verify_report("$dir/out.json", '--signature', write_lines("$dir/anchor.sig", $anchor), '--key', $vkey);
like($wrong->{stderr}, qr/payload type is "application\/vnd\.stella-ledger-anchor\+json", not/, 'an anchor is no report');

# ---- not empty, again, and without what is expected

$run = replay($node, 'copy', @args);
is($run->{code}, 1, 'a ledger with events is refused');
like($run->{stderr}, qr/tenant "acme" has events: a fixture is fed into an empty ledger only\.  Migrate a new database for it; if a replay of this very fixture was interrupted here, go on with --resume/,
	'with what to do');
$run = replay($node, 'copy', @args, '--report', "$dir/out.json");
like($run->{stderr}, qr/out\.json exists, and is not overwritten/, 'a report is not overwritten');
$run = replay_env({ LEDGER_POLICY_HASH => 'bundle-1' }, $node, 'copy', @args, '--resume', '--report', "$dir/resumed.json");
is($run->{code}, 0, 'with --resume what is there already is skipped') or diag($run->{stderr});
is(report_of("$dir/resumed.json")->{timings}{present}, scalar @lines, 'all of it');
is(without_timings("$dir/resumed.json"), without_timings("$dir/out.json"), 'and the report is the same but for its timings');
like($run->{stderr}, qr/resumed\.json is not signed: no key was given/, 'that there was no key is said');
is(verify_report("$dir/out.json", '--key', $vkey, '--same-as', "$dir/resumed.json")->{code}, 0, 'and verify-report says so too');

empty_ledger($node, 'bare');
write_lines("$dir/bare.ndjson", @lines);
$run = replay($node, 'bare', '--fixture', "$dir/bare.ndjson", '--tenant', 'all', '--report', "$dir/bare.json");
is($run->{code}, 0, 'a fixture alone is replayed too');
like($run->{stderr}, qr/bare\.ndjson\.expected is not there: what the findings must be is not known/, 'and what is not known is said');
my $differs = verify_report("$dir/out.json", '--key', $vkey, '--same-as', "$dir/bare.json");
is($differs->{code}, 3, 'its report is another one');
like($differs->{stderr}, qr/bare\.json: its "fixtures" is another/, 'and in what');
$node->safe_psql('bare', "SELECT ledger.ledger_create_tenant('third')");
append($node, db => 'bare', tenant => 'third', finding => 'T-1');
$run = replay($node, 'bare', '--fixture', "$dir/bare.ndjson", '--tenant', 'all', '--resume');
is($run->{code}, 1, '--resume does not take a ledger with a tenant of its own');
like($run->{stderr}, qr/tenant "third" has events, and the fixture has none of it/, 'and names it');

# ---- fixtures that are wrong: nothing is written

empty_ledger($node, 'target');

# One line is about what is wrong; the ledger stays empty.
sub refused
{
	my ($name, $pattern, $lines, %options) = @_;
	my $path = write_lines("$dir/wrong.ndjson", @$lines);
	write_lines("$path.expected", @{ $options{expected} || \@want });
	my $result = replay($node, 'target', '--fixture', $path, '--tenant', $options{tenant} || 'all');
	is($result->{code}, 3, "$name: status 3");
	like($result->{stderr}, $pattern, "$name: named");
	is($node->safe_psql('target', "SELECT count(*) FROM ledger.ledger_events WHERE tenant_id <> 'ledger'"), 0, "$name: nothing is written");
	return;
}

# The first chain is acme's; line 5 has sequence 5 of it.
like($lines[4], qr/"sequence":5,"tenant":"acme"/, 'the line that is tampered with');
my $edit = sub { my ($from, $to) = @_; my @copy = @lines; $copy[4] =~ s/$from/$to/ or die "no $from"; return \@copy };
refused('a payload', qr/wrong\.ndjson:5: the payload hash is [0-9a-f]{64}, but the envelope says/, $edit->(qr/"payload":\{/, '"payload":{"x":1,'));
refused('an event hash', qr/wrong\.ndjson:5: the event hash is [0-9a-f]{64}, but the line says 0{64}/, $edit->(qr/"eventHash":"[0-9a-f]{64}/, '"eventHash":"' . '0' x 64));
refused('a leaf hash', qr/wrong\.ndjson:5: the leaf hash is/, $edit->(qr/"merkleLeafHash":"[0-9a-f]{64}/, '"merkleLeafHash":"' . '0' x 64));
refused('an envelope', qr/wrong\.ndjson:5: the event hash is/, $edit->(qr/"type":"finding\.created"/, '"type":"finding.closed"'));
refused('another spelling', qr/wrong\.ndjson:5: not canonical JSON/, $edit->(qr/"payload":\{/, '"payload": {'));
refused('two lines the wrong way round', qr/wrong\.ndjson:5: sequence 5 is missing before 6\n.*wrong\.ndjson:6: sequence 5 after 6: out of order or there twice/s, [ @lines[ 0 .. 3, 5, 4, 6 .. $#lines ] ]);
refused('a missing line', qr/wrong\.ndjson:5: sequence 5 is missing before 6/, [ @lines[ 0 .. 3, 5 .. $#lines ] ]);
refused('a doubled line', qr/wrong\.ndjson:6: sequence 5 after 5: out of order or there twice/, [ @lines[ 0 .. 4, 4 .. $#lines ] ]);
refused('a chain without its beginning', qr{acme/[0-9a-f-]{36} begins with sequence 2: an empty ledger takes whole chains}, [ @lines[ 1 .. $#lines ] ]);
refused('a chain without its end', qr{wrong\.ndjson\.expected: \d+ events of globex/[0-9a-f-]{36}, but .*wrong\.ndjson has \d+: lines are missing or too many}, [ @lines[ 0 .. $#lines - 1 ] ]);
refused('no lines', qr/no line was given/, []);
refused('an event of the ledger itself', qr/wrong\.ndjson:5: an event of the tenant "ledger"/, $edit->(qr/"tenant":"acme"/, '"tenant":"ledger"'));
refused('another tenant', qr/wrong\.ndjson:1: an event of tenant "acme", and --tenant names "globex"; the tenant is in every hash, so it cannot be replayed for another/, \@lines, tenant => 'globex');
refused('an expectation cut off', qr/wrong\.ndjson\.expected: cut off: its last line, with the totals, is missing/, \@lines, expected => [ grep { /rootHash/ } @want ]);
refused('another root', qr{wrong\.ndjson\.expected: the events of acme/\S+ in \S+ give another root}, \@lines,
	expected => [ map { $_ eq $want[0] ? s/"rootHash":"[0-9a-f]{64}/'"rootHash":"' . '1' x 64/er : $_ } @want ]);

# Only the database can tell what the findings must be: here something else is expected of one.
my ($n) = grep { $want[$_] =~ /"findingId":"F-7"/ } 0 .. $#want;
my @other = @want;
$other[$n] =~ s/"cycleHash":"[0-9a-f]{64}/'"cycleHash":"' . '2' x 64/e;
write_lines("$dir/other.ndjson", @lines);
write_lines("$dir/other.ndjson.expected", @other);
$run = replay($node, 'target', '--fixture', "$dir/other.ndjson", '--tenant', 'all', @signed, '--report', "$dir/mismatch.json");
is($run->{code}, 3, 'another cycle hash than expected: status 3');
like($run->{stderr}, qr/other\.ndjson\.expected:@{[ $n + 1 ]}: finding "F-7" of policy version "policy-1" of acme must have the cycle hash 2{64} after sequence \d+, but the database has [0-9a-f]{64}/, 'and the finding is named');
$report = report_of("$dir/mismatch.json");
is($report->{result}, 'mismatch', 'the report says so');
like($report->{differences}[0], qr/finding "F-7"/, 'and names it');
$wrong = verify_report("$dir/mismatch.json", '--key', $vkey);
is($wrong->{code}, 3, 'and verify-report does not take it for a good one');
like($wrong->{stderr}, qr/difference: .*finding "F-7"/, 'but says what it found');
$run = replay($node, 'target', '--fixture', "$dir/other.ndjson", '--tenant', 'all', '--resume', '--max-parallel', 1);
is($run->{code}, 3, 'also the next time');
for ([ 'not in the database', [ @want[ 0 .. $n ], $want[$n] =~ s/"F-7"/"F-7a"/r, @want[ $n + 1 .. $#want ] ], qr/finding "F-7a" of policy version "policy-1" of acme is not in the database/ ],
	[ 'not expected', [ @want[ 0 .. $n - 1, $n + 1 .. $#want ] ], qr/finding "F-7" of policy version "policy-1" of acme is in the database, and no fixture expects it/ ],
	[ 'totals', [ @want[ 0 .. $#want - 1 ], $want[-1] =~ s/"projectionChecksum":"[0-9a-f]{64}/'"projectionChecksum":"' . '3' x 64/er ], qr/says other checksums in its last line/ ])
{
	my ($name, $expected, $pattern) = @$_;
	write_lines("$dir/other.ndjson.expected", @$expected);
	$run = replay($node, 'target', '--fixture', "$dir/other.ndjson", '--tenant', 'all', '--resume');
	is($run->{code}, 3, "$name: status 3");
	like($run->{stderr}, $pattern, "$name: named");
}

# ---- several fixtures, interleaved chains, metrics

# Round robin over the chains: in any order between chains, in its order within one.
my %of;
push @{ $of{ /"chainId":"([^"]+)"/ && $1 } }, $_ for @lines;
my @interleaved;
while (my @left = grep { @{ $of{$_} } } sort keys %of) { push @interleaved, map { shift @{ $of{$_} } } @left }
isnt("@interleaved[0 .. 9]", "@lines[0 .. 9]", 'chains can be interleaved');
write_lines("$dir/mixed.ndjson", @interleaved);
write_lines("$dir/mixed.ndjson.expected", @want);
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 5) or die "no socket: $!";
my $pid = fork // die "cannot fork: $!";
if ($pid == 0)
{
	my $client = $server->accept;
	while (defined(my $line = <$client>)) { last if $line =~ /^\r?\n/ }
	my $body = join "\n", '# HELP ledger_x text', 'ledger_events_total{tenant="a}b\\"c"} 12', 'ledger_lag_seconds 0.25 1700000000000',
		'ledger_w_bucket{le="1"} 3', 'process_x 7', 'no sample', '';
	print $client "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body";
	close $client;
	require POSIX;
	POSIX::_exit(0);
}
empty_ledger($node, 'mixed');
$run = replay($node, 'mixed', '--fixture', "$dir/mixed.ndjson", '--tenant', 'all', '--batch', 5, '--report', "$dir/mixed.json",
	'--metrics-endpoint', 'http://127.0.0.1:' . $server->sockport . '/metrics');
is($run->{code}, 0, 'chains that are interleaved are replayed') or diag($run->{stderr});
waitpid $pid, 0;
is(content('mixed'), content($DB), 'to the same rows');
is_deeply(report_of("$dir/mixed.json")->{timings}{metrics}, [ { series => 'ledger_events_total{tenant="a}b\\"c"}', value => 12 }, { series => 'ledger_lag_seconds', value => 0.25 } ],
	'the samples of the ledger are in the report, without buckets');
$server->close;

export_fixture($node, "$dir/$_.ndjson", '--tenant', $_) for qw(acme globex);
empty_ledger($node, 'parts');
$run = replay($node, 'parts', (map { ('--fixture', "$dir/$_.ndjson") } qw(globex acme)), '--tenant', 'all');
is($run->{code}, 0, 'several fixtures are replayed as one') or diag($run->{stderr});
is(content('parts'), content($DB), 'to the same rows');

# ---- options that do not fit

for ([ '--resume', qr/--resume and --batch are about a --fixture/ ], [ '--max-parallel=65', qr/--max-parallel must be a whole number from 1 to 64/ ],
	[ '--metrics-endpoint=http://127.0.0.1:9', qr/--metrics-endpoint goes into a --report/ ], [ '--max-parallel=0', qr/from 1 to 64/ ])
{
	$run = replay($node, 'parts', '--tenant', 'all', $_->[0]);
	is($run->{code}, 1, "$_->[0]: refused");
	like($run->{stderr}, $_->[1], "$_->[0]: says why");
}

# A role that may not touch every tenant does not take what it cannot see for empty.
$node->safe_psql('parts', 'CREATE ROLE half LOGIN IN ROLE ledger_loader, ledger_operator, ledger_auditor; SELECT ledger.ledger_grant_tenant(\'half\', \'acme\')');
$run = Ledgerctl::run({}, 'replay', '--connection', $node->connstr('parts') . ' user=half', '--tenant', 'all');
is($run->{code}, 1, 'a role that may touch one tenant cannot replay all');
like($run->{stderr}, qr/this role may not touch tenant "globex"; an operator can allow it with ledger_grant_tenant\(\)/, 'and is told what it needs');
empty_ledger($node, 'roles');
$run = Ledgerctl::run({}, 'replay', '--connection', $node->connstr('roles') . ' user=half', @args);
is($run->{code}, 0, 'a loader, operator and auditor can replay: no superuser is needed') or diag($run->{stderr});

$node->stop;
done_testing();
