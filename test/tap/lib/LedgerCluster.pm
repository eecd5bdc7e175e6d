package LedgerCluster;

=pod

=head1 NAME

LedgerCluster - a PostgreSQL::Test::Cluster node with a migrated ledger on it

=head1 SYNOPSIS

  use strict;
  use warnings;
  use utf8;
  use FindBin;
  use lib "$FindBin::RealBin/lib";
  use LedgerCluster;
  use Test::More;

  my $node = ledger_node('primary');    # started, migrated, tenants acme and globex

  my $event = append($node, finding => 'F-1', payload => { severity => 'high' });
  is($event->{sequence_no}, 1, 'the first event of its chain');

  is_deeply([ verify_kinds($node) ], [], 'clean');
  $node->safe_psql($DB, 'ALTER TABLE ...');
  is_deeply([ verify_kinds($node) ], ['payload_edited 1'], 'the edit is named');

  fails_with($node, "SELECT ledger_append('acme', ...)", 'LG404', qr/unknown tenant/,
      'an unknown tenant is refused');
  done_testing();

Run with C<test/run tap> or C<test/run tap NAME.pl>, also as root.  Standard output
is TAP; what the servers and commands print goes to the log under build/logs.

=head1 FUNCTIONS

All are exported, with C<$DB> (the database's name) and C<$ROOT> (the folder that
holds F<migrations> and F<sql>; a copy that the test may write to).

=over

=item ledger_node($name, %options)

A started node.  Options: C<conf> (lines for postgresql.conf), C<init> (hash reference for
C<< $node->init >>, for example C<< { allows_streaming => 1 } >>), C<tenants> (array
reference; C<acme> and C<globex> if absent), C<migrated> (0 leaves the cluster
without database and roles), C<fsync> (1 turns it on: the node's default is off).

=item migrate($node, $dbname)

Runs migrations/migrate.sh; dies with its output if it fails.

=item create_ledger($node, $dbname, @tenants)

Another database with a migrated ledger on the same node.

=item login_role($node, $name, $group, @tenants)

A login role that is a member of $group (C<ledger_writer>, ...), with grants for the tenants.

=item append($node, %event)

Calls ledger_append(jsonb) and returns the stored row as a hash reference (bytea as hex
text).  Members are the request's own (C<tenant>, C<type>, C<payload>, C<policyVersion>, C<eventId>,
...); C<finding> stands for C<findingId>.  What is absent is C<acme>, C<finding.created>,
C<policy-1>, artifact C<pkg:npm/left-pad@1.3.0>, payload C<{}>.  C<db> and C<user> choose the connection.

=item append_many($node, $tenant, $finding_prefix, $count, %options)

$count finding.created events for findings $finding_prefix-1 ... in one statement.

=item import_at($node, $finding, \@times, %options)

Imports a chain of acme with one event of $finding for each time, recorded then; its policy version is
named like the finding.  Returns how many were imported.  C<db>.

=item dump_to($node, $dbname, $file, @options)

=item restore_from($node, $dbname, $file, @options)

pg_dump into $file (C<-Fc> unless an option says otherwise), and pg_restore of it into a new, empty database.
Both return exit status and what was printed.

=item change_unguarded($node, $dbname, $sql, $after)

Runs $sql as a superuser with the guards off and event triggers blind, all in one transaction; $after, if it
is given, once the triggers of the tables are on again.

=item verify_kinds($node, %options)

What ledger_verify() finds, as sorted texts "kind sequence" (only "kind" for a finding without a
sequence).  C<args>: SQL arguments; C<db>.

=item report($node, %options)

ledger_verify_report() as a hash reference.

=item plain_kinds($node, %options)

The same by the plain verifier (sql/audit/verify_plain.sql).  C<db>; C<vars>: psql variables as an array
reference of C<name=value>.  Dies if it gives no verdict.

=item clean_by_both($node, $name, %options)

One test: both verifiers looked at the same number of events, at least one, and found nothing.  C<db>.

=item found_by_both($node, \@kinds, $name, %options)

One test: both verifiers found exactly that, as C<verify_kinds> tells it, in any order.  C<db>.

=item query_json($node, $sql, %options)

The rows of a query as a list of hash references.

=item error_of($node, $sql, %options)

Runs SQL that is meant to fail and returns { sqlstate, message, detail, hint }; sqlstate is
empty if it did not fail.  C<db>, C<user>.

=item fails_with($node, $sql, $sqlstate, $pattern, $name, %options)

One test: the SQL fails with that SQLSTATE and a message, detail or hint that matches.

=item content_digest($node, $dbname)

A text with row count and digest of every table in schema ledger: equal for equal content.

=item literal($text)

A quoted SQL literal.

=back

=cut

use strict;
use warnings;

use Exporter 'import';
use File::Basename qw(dirname);
use Cwd qw(abs_path);
use JSON::PP ();
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils ();
use Test::More;

our @EXPORT = qw(
  $DB $ROOT
  ledger_node migrate create_ledger login_role
  append append_many import_at dump_to restore_from
  change_unguarded verify_kinds report plain_kinds clean_by_both found_by_both query_json
  error_of fails_with content_digest literal
);

our $DB   = 'ledger';
our $ROOT = abs_path(dirname(__FILE__) . '/../../..');

# Tests say `use utf8` and hand over characters; on the way they are ASCII.
my $json = JSON::PP->new->canonical->ascii;

sub ledger_node
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	my $init = $options{init} || {};

	$node->init(%$init,
		extra => [ '--encoding=UTF8', '--locale=C.UTF-8', @{ $init->{extra} || [] } ]);
	# PostgreSQL's own settings for its tests are too small for partitions and
	# parallel workers, once streaming is asked for.
	$node->append_conf('postgresql.conf', "shared_buffers = 32MB\nmax_connections = 40");
	$node->append_conf('postgresql.conf', 'fsync = on') if $options{fsync};
	$node->append_conf('postgresql.conf', $options{conf}) if defined $options{conf};
	$node->start;
	create_ledger($node, $DB, @{ $options{tenants} || [qw(acme globex)] })
	  unless defined $options{migrated} && !$options{migrated};
	return $node;
}

sub create_ledger
{
	my ($node, $dbname, @tenants) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE \"$dbname\" TEMPLATE template0 ENCODING 'UTF8'");
	migrate($node, $dbname);
	$node->safe_psql($dbname, 'SELECT ledger.ledger_create_tenant(' . literal($_) . ')')
	  for @tenants;
	return;
}

sub migrate
{
	my ($node, $dbname) = @_;
	my $output;
	IPC::Run::run([ "$ROOT/migrations/migrate.sh", $node->connstr($dbname) ], '>&', \$output)
	  or die "migrate.sh failed:\n$output";
	return $output;
}

sub login_role
{
	my ($node, $name, $group, @tenants) = @_;
	$node->safe_psql($DB, "CREATE ROLE $name LOGIN IN ROLE $group");
	$node->safe_psql($DB,
		'SELECT ledger.ledger_grant_tenant(' . literal($name) . ', ' . literal($_) . ')')
	  for @tenants;
	return $name;
}

sub append
{
	my ($node, %event) = @_;
	my %connection = map { $_ => delete $event{$_} } grep { exists $event{$_} } qw(db user);
	$event{findingId} = delete $event{finding} if exists $event{finding} && !ref $event{finding};
	%event = (
		tenant        => 'acme',
		type          => 'finding.created',
		policyVersion => 'policy-1',
		artifactId    => 'pkg:npm/left-pad@1.3.0',
		payload       => {},
		%event);
	my @rows = query_json($node,
		'SELECT * FROM ledger.ledger_append(' . literal($json->encode(\%event)) . '::jsonb)',
		%connection);
	return $rows[0];
}

sub append_many
{
	my ($node, $tenant, $finding_prefix, $count, %options) = @_;
	my $policy = $options{policyVersion} || 'policy-1';
	return $node->safe_psql($options{db} || $DB, <<~SQL);
		SELECT count(*)
		FROM ledger.ledger_append_many((
			SELECT jsonb_agg(jsonb_build_object(
				'tenant', @{[ literal($tenant) ]},
				'type', 'finding.created',
				'findingId', @{[ literal($finding_prefix) ]} || '-' || n,
				'artifactId', 'pkg:npm/left-pad\@1.3.0',
				'policyVersion', @{[ literal($policy) ]},
				'payload', jsonb_build_object('severity', n % 11)) ORDER BY n)
			FROM generate_series(1, $count) AS n))
		SQL
}

sub import_at
{
	my ($node, $finding, $times, %options) = @_;
	my $array = literal('{' . join(',', @$times) . '}');
	return $node->safe_psql($options{db} || $DB, <<~SQL);
		\\i $ROOT/test/tap/lib/events_at.sql
		SELECT imported FROM ledger.ledger_import(pg_temp.lines_at(@{[ literal($finding) ]}, $array))
		SQL
}

sub dump_to
{
	my ($node, $dbname, $file, @options) = @_;
	my $output = '';
	@options = ('-Fc', @options) unless grep { /^-F/ } @options;
	IPC::Run::run([ 'pg_dump', @options, '-f', $file, '-d', $node->connstr($dbname) ], '>&', \$output);
	return ($? >> 8, $output);
}

sub restore_from
{
	my ($node, $dbname, $file, @options) = @_;
	my $output = '';
	$node->safe_psql('postgres', "CREATE DATABASE \"$dbname\" TEMPLATE template0 ENCODING 'UTF8'");
	IPC::Run::run([ 'pg_restore', @options, '-d', $node->connstr($dbname), $file ], '>&', \$output);
	return ($? >> 8, $output);
}

sub change_unguarded
{
	my ($node, $dbname, $sql, $after) = @_;
	$after //= 'SELECT';
	$node->safe_psql($dbname, <<~SQL);
		BEGIN;
		SELECT format('ALTER EVENT TRIGGER %I DISABLE', evtname) FROM pg_event_trigger WHERE evtname LIKE 'ledger%' \\gexec
		CREATE TEMP TABLE guarded ON COMMIT DROP AS
			SELECT tgrelid::regclass::text AS relation, tgname FROM pg_trigger
			WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'ledger'::regnamespace) AND NOT tgisinternal AND tgenabled = 'A';
		SELECT format('ALTER TABLE ONLY %s DISABLE TRIGGER %I', relation, tgname) FROM guarded \\gexec
		$sql;
		SELECT format('ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER %I', relation, tgname) FROM guarded \\gexec
		$after;
		SELECT format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', evtname) FROM pg_event_trigger WHERE evtname LIKE 'ledger%' \\gexec
		COMMIT;
		SQL
	return;
}

sub verify_kinds
{
	my ($node, %options) = @_;
	my $args = defined $options{args} ? $options{args} : '';
	my $rows = $node->safe_psql($options{db} || $DB, <<~SQL);
		SELECT concat_ws(' ', kind, sequence_no)
		FROM ledger.ledger_verify($args)
		ORDER BY kind COLLATE "C", sequence_no
		SQL
	return split /\n/, $rows;
}

sub report
{
	my ($node, %options) = @_;
	my $args = defined $options{args} ? $options{args} : '';
	return JSON::PP->new->utf8->decode(
		$node->safe_psql($options{db} || $DB, "SELECT ledger.ledger_verify_report($args)"));
}

# What the plain verifier prints: its findings, then a row of counts.
sub plain_run
{
	my ($node, %options) = @_;
	my ($output, $errors) = ('', '');
	IPC::Run::run([ 'psql', '-XAtq', '-d', $node->connstr($options{db} || $DB),
			(map { ('-v', $_) } @{ $options{vars} || [] }), '-f', "$ROOT/sql/audit/verify_plain.sql" ],
		'>', \$output, '2>', \$errors);
	my @lines  = split /\n/, $output;
	my $counts = pop @lines || '';
	$counts =~ /^(clean|tampered|nothing_checked)\|\d+\|(\d+)\|/
	  or die "the plain verifier gave no verdict:\n$output$errors";
	return ($1, $2, @lines);
}

sub plain_kinds
{
	my ($node, %options) = @_;
	my (undef, undef, @lines) = plain_run($node, %options);
	return sort map { my @f = split /\|/; $f[2] eq '' ? $f[3] : "$f[3] $f[2]" } @lines;
}

sub clean_by_both
{
	my ($node, $name, %options) = @_;
	my ($verdict, $rows, @lines) = plain_run($node, %options);
	my $report = report($node, %options);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($verdict eq 'clean' && $report->{verdict} eq 'clean' && $rows > 0 && $rows == $report->{rows}, $name)
	  || diag(join "\n", "plain: $verdict, $rows rows", @lines,
		'C: ' . JSON::PP->new->canonical->encode($report));
}

sub found_by_both
{
	my ($node, $wanted, $name, %options) = @_;
	my $text = sub { return join "\n", sort @_; };
	my ($c, $plain) = ($text->(verify_kinds($node, %options)), $text->(plain_kinds($node, %options)));
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($c eq $text->(@$wanted) && $plain eq $c, $name)
	  || diag("wanted:\n" . $text->(@$wanted) . "\nin C:\n$c\nplain:\n$plain");
}

sub query_json
{
	my ($node, $sql, %options) = @_;
	my @params = defined $options{user} ? (connstr => connstr_as($node, %options)) : ();
	my $rows = $node->safe_psql($options{db} || $DB,
		"WITH q AS ($sql) SELECT to_jsonb(q) FROM q", @params);
	return map { JSON::PP->new->utf8->decode($_) } split /\n/, $rows;
}

sub connstr_as
{
	my ($node, %options) = @_;
	my $connstr = $node->connstr($options{db} || $DB);
	$connstr .= " user=$options{user}" if defined $options{user};
	return $connstr;
}

sub error_of
{
	my ($node, $sql, %options) = @_;
	my ($status, $stdout, $stderr) = $node->psql($options{db} || $DB, $sql,
		connstr      => connstr_as($node, %options),
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	my %error = (sqlstate => '', message => '', detail => '', hint => '');
	return \%error if $status == 0;
	$error{message} = $stderr;
	if ($stderr =~ /(?:ERROR|FATAL):  ([0-9A-Z]{5}): (.*)/)
	{
		@error{qw(sqlstate message)} = ($1, $2);
	}
	$error{detail} = $1 if $stderr =~ /^DETAIL:  (.*)/m;
	$error{hint}   = $1 if $stderr =~ /^HINT:  (.*)/m;
	return \%error;
}

sub fails_with
{
	my ($node, $sql, $sqlstate, $pattern, $name, %options) = @_;
	my $error = error_of($node, $sql, %options);
	my $text  = join ' | ', @{$error}{qw(message detail hint)};
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($error->{sqlstate} eq $sqlstate && $text =~ $pattern, $name)
	  || diag("got $error->{sqlstate}: $text\nwanted $sqlstate: $pattern");
}

sub content_digest
{
	my ($node, $dbname) = @_;
	my @tables = split /\n/, $node->safe_psql($dbname, <<~'SQL');
		SELECT format('%I.%I', n.nspname, c.relname)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'ledger' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		ORDER BY 1
		SQL
	return join "\n", map {
		$_ . ' ' . $node->safe_psql($dbname, <<~SQL)
			SELECT count(*) || ' ' ||
				md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE "C"), ''))
			FROM $_ AS t
			SQL
	} @tables;
}

sub literal
{
	my ($text) = @_;
	my $backslash = $text =~ /\\/ ? 'E' : '';
	$text =~ s/\\/\\\\/g;
	$text =~ s/'/''/g;
	return "$backslash'$text'";
}

1;
