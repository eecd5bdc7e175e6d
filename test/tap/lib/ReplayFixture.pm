package ReplayFixture;

=pod

=head1 NAME

ReplayFixture - a ledger with something of everything, its export, and replays of it

=head1 SYNOPSIS

  fill_ledger($node);
  my $file = export_fixture($node, "$dir/all.ndjson", '--tenant', 'all');
  empty_ledger($node, 'copy');
  my $run = replay($node, 'copy', '--fixture', $file, '--tenant', 'all', '--report', "$dir/out.json");
  is($run->{code}, 0, 'replayed');
  is(without_timings("$dir/out.json"), ..., 'the same report');

=head1 FUNCTIONS

=over

=item fill_ledger($node, %options)

Events of acme and globex in several chains: findings, changes, comments, text that is no ASCII, an
erased payload that an event accounts for, and anchors.  C<db>.

=item export_fixture($node, $file, @arguments)

C<ledgerctl export --fixture>; dies if it fails.  Returns the file.

=item empty_ledger($node, $dbname)

A migrated database without tenants.

=item replay($node, $dbname, @arguments), replay_env(\%env, $node, ...)

Runs C<ledgerctl replay --json>; what L<Ledgerctl/run> returns.

=item without_timings($file)

The report as canonical text, but for its timings.

=item report_of($file)

The report as a hash reference.

=back

=cut

use strict;
use warnings;
use utf8;

use Exporter 'import';
use JSON::PP ();
use LedgerCluster;
use Ledgerctl;
use PostgreSQL::Test::Utils qw(slurp_file);

our @EXPORT = qw(fill_ledger export_fixture empty_ledger replay replay_env without_timings report_of);

my $json = JSON::PP->new->canonical;

sub fill_ledger
{
	my ($node, %options) = @_;
	my %db = (db => $options{db} || $DB);
	append_many($node, 'acme', 'F', 40, %db);
	append_many($node, 'acme', 'Q', 25, policyVersion => 'policy-2', %db);
	append_many($node, 'globex', 'G', 17, policyVersion => 'policy-2', %db);
	append($node, finding => 'F-1', type => 'finding.status_changed', payload => { status => 'in-progress' }, %db);
	append($node, finding => 'F-2', type => 'finding.comment_added',
		payload => { comment => "Zürich \x{2603} \x{1F600} \"quoted\" \\ \t tab \x{fb33}", justification => "it's" }, %db);
	# Ids whose order is another one in every collation but "C".
	append($node, finding => $_, payload => { severity => 7.125, labels => { team => 'shop', Ähre => 'ß' } },
		artifactId => 'pkg:npm/x@1', vulnId => 'CVE-2026-1', evidenceBundleRef => 'bundle::1', %db)
	  for ('a-b', 'ab', 'A-b', 'äb', "\x{1F600}", "\x{fb33}", 'a b', 'F 2', 'f2', 'F10');
	my $erased = append($node, finding => 'F-3', type => 'finding.comment_added', payload => { comment => 'a name' }, %db);
	change_unguarded($node, $db{db}, <<~SQL);
		UPDATE ledger.ledger_events SET event_body = NULL, payload_salt = NULL WHERE event_id = '$erased->{event_id}'
		SQL
	# Only the owner's own functions write the event that accounts for it.
	$node->safe_psql($db{db}, <<~SQL);
		CREATE FUNCTION public.account() RETURNS uuid LANGUAGE sql SECURITY DEFINER AS \$\$
			SELECT ledger.ledger_append_own('ledger.payload_redacted', jsonb_build_object('eventId', event_id, 'sequence', sequence_no,
				'payloadHash', encode(payload_hash, 'hex')), tenant_id, policy_version, chain_id)
			FROM ledger.ledger_events WHERE tenant_id = 'acme' AND event_id = '$erased->{event_id}' \$\$;
		ALTER FUNCTION public.account() OWNER TO ledger_owner;
		SELECT public.account();
		DROP FUNCTION public.account();
		SQL
	$node->safe_psql($db{db}, "SELECT ledger.ledger_rebuild_projection('acme'); SELECT ledger.ledger_anchor_tick(NULL, true)");
	return;
}

sub export_fixture
{
	my ($node, $file, @arguments) = @_;
	my $run = Ledgerctl::run({}, 'export', '--fixture', '--json', '--connection', $node->connstr($DB), '--out', $file, @arguments);
	die "export: $run->{stderr}" if $run->{code} ne '0';
	return $file;
}

sub empty_ledger
{
	my ($node, $dbname) = @_;
	create_ledger($node, $dbname);
	return $dbname;
}

sub replay_env
{
	my ($env, $node, $dbname, @arguments) = @_;
	return Ledgerctl::run($env, 'replay', '--json', '--connection', $node->connstr($dbname), @arguments);
}

sub replay
{
	return replay_env({}, @_);
}

sub report_of
{
	my ($file) = @_;
	return $json->decode(do { my $text = slurp_file($file); utf8::decode($text); $text });
}

sub without_timings
{
	my ($file) = @_;
	my $report = report_of($file);
	delete $report->{timings} or die "$file has no timings";
	return $json->encode($report);
}

1;
