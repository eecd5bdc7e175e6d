# A ledger moves to another database by the commands of docs/how-to/import.md, in two
# parts: the copy has the same rows, the same projection, and both verifiers find it
# clean.  The lines printed in docs/formats.md can be imported as they stand.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";
use Digest::SHA qw(sha256_hex);
use IPC::Run ();
use LedgerCluster;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $node   = ledger_node('move');
my $target = 'moved';
my $dir    = $node->basedir;
create_ledger($node, $target, 'acme', 'globex');

# The indented commands of a page, one a line.
sub commands
{
	my ($page) = @_;
	return grep { /\S/ } map { /^ {4}(.*)/ ? $1 : () } split /\n/, slurp_file("$ROOT/docs/$page");
}

my ($export) = grep { /^\\copy/ } commands('how-to/import.md');
ok($export, 'the page has a command that writes the lines');

# Runs it for a tenant; the lines as a list.
sub lines_of
{
	my ($db, $tenant) = @_;
	my $file = "$dir/$db-$tenant.lines";
	(my $command = $export) =~ s/'acme\.lines'/'$file'/;
	$command =~ s/tenant_id = 'acme'/tenant_id = '$tenant'/;
	$node->safe_psql($db, $command);
	return split /\n/, slurp_file($file);
}

sub import_lines
{
	my ($db, @lines) = @_;
	my $array = '[' . join(',', @lines) . ']';
	utf8::decode($array);
	return query_json($node, 'SELECT * FROM ledger.ledger_import(' . literal($array) . '::jsonb)',
		db => $db);
}

# Everything of a tenant that an import must reproduce, as text.
sub content
{
	my ($db, $tenant) = @_;
	return join "\n", map {
		$node->safe_psql($db,
			"SELECT t FROM ledger.$_ AS t WHERE tenant_id = '$tenant' ORDER BY t::text COLLATE \"C\"")
	} qw(ledger_events findings_projection finding_history triage_actions ledger_chains);
}

sub plain_verdict
{
	my ($db) = @_;
	my $output;
	my $clean = IPC::Run::run(
		[ 'psql', '-Xq', '-d', $node->connstr($db), '-f', "$ROOT/sql/audit/verify_plain.sql" ],
		'>&', \$output);
	diag($output) unless $clean;
	return $clean;
}

append_many($node, 'acme', 'F', 40);
append_many($node, 'globex', 'G', 7, policyVersion => 'policy-2');
append($node, finding => 'F-1', type => 'finding.status_changed', payload => { status => 'in-progress' });
append($node, finding => 'F-2', type => 'finding.comment_added',
	payload => { comment => "Zürich \x{2603} \x{1F600} \"quoted\" \\ \t tab", justification => "it's" });
my @first = lines_of($DB, 'acme');
is(scalar @first, 42, 'a line an event');

# What is found in one database is imported into the other by the loader.
my ($range) = import_lines($target, @first);
is("$range->{first_sequence}-$range->{last_sequence} $range->{imported} $range->{present}", '1-42 42 0',
	'all were imported');
is($range->{source_digest}, '\x' . sha256_hex(join "\n", @first),
	'the digest is that of the file without its last newline');

# The source goes on, and so does the copy: no event of the import's own is in the way.
append($node, finding => 'F-3', type => 'finding.closed', policyVersion => 'policy-1');
append($node, finding => 'F-9', policyVersion => 'policy-3', payload => { severity => 'critical' });
my @second = lines_of($DB, 'acme');
my @ranges = import_lines($target, @second, lines_of($DB, 'globex'));
is_deeply([ map { "$_->{tenant_id} $_->{imported} $_->{present}" } sort { $a->{last_sequence} <=> $b->{last_sequence} } @ranges ],
	[ 'acme 1 0', 'globex 7 0', 'acme 1 42' ], 'a longer export continues the chains');

is(content($target, $_), content($DB, $_), "$_: the same rows in every table") for qw(acme globex);
is_deeply([ verify_kinds($node, db => $target) ], [], 'ledger_verify() finds nothing');
is(report($node, db => $target)->{verdict}, 'clean', 'and it did check');
ok(plain_verdict($target), 'the plain verifier finds nothing either');

is($node->safe_psql($target, <<~'SQL'), 'acme 1-42 42,acme 1-1 51,acme 43-43 51,globex 1-7 51',
	SELECT string_agg(format('%s %s-%s %s', event_body ->> 'tenant', event_body ->> 'firstSequence',
		event_body ->> 'lastSequence', event_body ->> 'sourceLines'), ',' ORDER BY event_body ->> 'sourceLines',
		event_body ->> 'tenant', (event_body ->> 'firstSequence')::int, sequence_no)
	FROM ledger.ledger_events WHERE event_type = 'ledger.import_recorded'
	SQL
	'each import of each chain is recorded');

# The copy can be written to; then the two have parted, and the source's next event is refused.
append($node, db => $target, finding => 'F-4', policyVersion => 'policy-3');
append($node, finding => 'F-5', policyVersion => 'policy-3');
my @parted = grep { /"policyVersion":"policy-3"/ } lines_of($DB, 'acme');
fails_with($node, 'SELECT ledger.ledger_import(' . literal('[' . join(',', @parted) . ']') . ')', 'LG409',
	qr/line 2: event has sequence 2, but the chain goes on with 3/, 'a chain that has parted is not continued', db => $target);

# The lines printed in docs/formats.md are imported and folded as it says.
my $page = slurp_file("$ROOT/docs/formats.md");
my %block = map { /^(\S+)\n(.*)\n\z/s ? ($1 => $2) : () } $page =~ /^```text (.*?\n.*?\n)```$/msg;
import_lines($target, @block{qw(line-1 line-2)});
is($node->safe_psql($target, "SELECT encode(cycle_hash, 'hex') FROM ledger.findings_projection
	WHERE policy_version = 'policy-2026.1'"), $block{'cycle-hash'}, 'the lines of docs/formats.md give its cycle hash');

$node->stop;
done_testing();
