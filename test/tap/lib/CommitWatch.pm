package CommitWatch;

=pod

=head1 NAME

CommitWatch - look at a commit while its flush is held

=head1 SYNOPSIS

  my $watch = CommitWatch->new('commit_paths');
  $watch->line('a savepoint rolled back', [ \&scenario => $RELEASED_FIRST ]);
  $watch->broken('no flush', [ 'XLogFlush(XactLastCommitEnd);' => '' ], \&scenario => $NOT_FLUSHED);

A scenario gets an object of this class, does something with a session, and returns what it saw
of its commit.  The same scenario can so be run against the extension as it is and against a build in
which one thing is missing (LedgerMutant), and must tell them apart.

While a commit's sync is held (WalShim), its process holds WALWriteLock and can go nowhere.  Then
others look: is the row visible, is the chain's lock taken?  Nothing but the commit itself flushes: the
walwriter is stopped, the other background processes are kept quiet.

=head1 METHODS

=over

=item new($name, %conf)

A node with two databases, the ledger and a copy of it for mutants, running under the shim.

=item session(%options)

A new session (LedgerSession) in the database that the scenario is for.

=item append_sql($finding, %named)

A SELECT that appends; further named arguments of ledger_append() as SQL.  It prints C<created>
if C<request> is given, which is then a hash reference merged into the jsonb request.

=item commit($session, $sql, $finding)

Sends the SQL, waits until its sync of WAL is held, and tells what is seen then: one of
$RELEASED_FIRST, $FLUSHED_FIRST, $NOT_FLUSHED, or a text that says what else.  $finding names the event
or, with a leading C<other:>, the row of table C<other> whose visibility is looked at.

=item held($finding)

What is seen of that row now, while a sync is held.

=item new_name()

A name nobody used yet.

=item on_disk_in_time()

Of all events whose commit() was answered: those whose commit record was not on disk by then,
as texts, and how many there were.  Stops the server.

=back

=cut

use strict;
use warnings;

use Exporter 'import';
use LedgerCluster;
use LedgerCrash;
use LedgerMutant;
use LedgerSession;
use Test::More;
use Time::HiRes ();
use WalShim;

our @EXPORT = qw($RELEASED_FIRST $FLUSHED_FIRST $NOT_FLUSHED);

our $RELEASED_FIRST = 'visible and unlocked, then flushed';
our $FLUSHED_FIRST  = 'flushed, then visible and unlocked';
our $NOT_FLUSHED    = 'answered without a flush';

sub new
{
	my ($class, $name, %options) = @_;
	my $self = bless { name => 0, answered => [] }, $class;
	my $node = $self->{node} = ledger_node($name, fsync => 1,
		init => { extra => ['--wal-segsize=1'], allows_streaming => 1 },
		conf => <<~CONF);
		$QUIET
		log_statement = none
		wal_sync_method = fdatasync
		wal_keep_size = 1GB
		max_prepared_transactions = 5
		CONF
	login_role($node, 'acme_app', 'ledger_writer', 'acme');
	$node->safe_psql($DB, 'CREATE TABLE public.other (name text)');
	mutant_database($node);
	$node->stop;
	$self->{shim} = WalShim->new($node);
	$self->start($DB);
	return $self;
}

sub node { return $_[0]{node} }
sub shim { return $_[0]{shim} }

# Start or restart the server, in view of one of the databases.
sub start
{
	my ($self, $dbname) = @_;
	$self->{db} = $dbname;
	$self->{shim}->start;
	$self->{walwriter} = stop_walwriter($self->{node});
	$self->look_from($dbname);
	return;
}

sub look_from
{
	my ($self, $dbname) = @_;
	$self->{observer}->close if $self->{observer};
	$self->{db} = $dbname;
	$self->{observer} = LedgerSession->new($self->{node}, db => $dbname);
	return;
}

sub stop
{
	my ($self) = @_;
	$self->{observer}->close;
	continue_walwriter($self->{walwriter});
	$self->{node}->stop;
	return;
}

sub session
{
	my ($self, %options) = @_;
	return LedgerSession->new($self->{node}, db => $self->{db}, %options);
}

sub new_name
{
	my ($self) = @_;
	return 'F-' . ++$self->{name};
}

sub append_sql
{
	my ($self, $finding, %named) = @_;
	my $more = join '', map { ", $_ => $named{$_}" } sort keys %named;
	return "SELECT FROM ledger.ledger_append('acme', 'finding.created', '$finding',"
	  . ($more =~ /policy_version/ ? '' : " policy_version => 'p',")
	  . " artifact_id => 'pkg:npm/left-pad\@1.3.0'$more);";
}

sub observe
{
	my ($self, $sql) = @_;
	return $self->{observer}->ask_well($sql);
}

sub held
{
	my ($self, $finding) = @_;
	my $visible = $finding =~ /^other:/
	  ? "EXISTS (SELECT FROM public.other WHERE name = '$finding')"
	  : "EXISTS (SELECT FROM ledger.ledger_events WHERE tenant_id = 'acme' AND finding_id = '$finding')";
	# The held process's lock, a prepared transaction's, or else anybody's.
	my $holder = $self->{shim}->control('held_pid');
	my $seen = $self->observe(<<~SQL);
		SELECT $visible, EXISTS (
			SELECT FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
			WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.objsubid = 3
				AND (l.pid = $holder OR l.pid IS NULL OR $holder = 0));
		SQL
	# A row that is no event has no chain; a prepared transaction may hold one's lock.
	$seen = { t => 't|f', f => 'f|t' }->{ substr $seen, 0, 1 } if $finding =~ /^other:/;
	return $RELEASED_FIRST if $seen eq 't|f';
	return $FLUSHED_FIRST  if $seen eq 'f|t';
	return "flushed while visible, locked: $seen";
}

sub commit
{
	my ($self, $session, $sql, $finding) = @_;
	my $shim = $self->{shim};
	$shim->hold;
	$session->send($sql);
	wait_until('a held flush or an answer', sub { $shim->is_held || $session->answered });
	if (!$shim->is_held)
	{
		$shim->release;
		$session->answer;
		return $session->error =~ /ERROR/ ? $session->error : $NOT_FLUSHED;
	}
	my $seen = $shim->is_held == $session->pid ? $self->held($finding) : 'another process flushed';
	$seen = "answered before the flush, $seen" if $session->answered;
	$shim->release;
	$session->answer;
	return $session->error if $session->error =~ /ERROR/;
	$self->remember($finding);
	return $seen;
}

# The answer is in hand: the event must be on disk from now on.
sub remember
{
	my ($self, $finding) = @_;
	return if $self->{db} ne $DB;
	my $ns = Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) * 1e9;
	my $xid = $self->observe(
		"SELECT xmin FROM ledger.ledger_events WHERE tenant_id = 'acme' AND finding_id = '$finding';");
	push @{ $self->{answered} }, { finding => $finding, xid => $xid, ns => $ns } if $xid ne '';
	return;
}

sub on_disk_in_time
{
	my ($self) = @_;
	my @answered = @{ $self->{answered} };
	$self->{answered} = [];
	kill_server($self->{node});
	my $commits = $self->{shim}->commits;
	my @known = grep { exists $commits->{ $_->{xid} } } @answered;
	my @moments = $self->{shim}->covered_at(map { $commits->{ $_->{xid} } } @known);
	my @late = grep { !defined $moments[$_] || $moments[$_] > $known[$_]{ns} } 0 .. $#known;
	die 'an answered commit is not in the WAL' if @known != @answered;
	return (scalar @known, map { "$known[$_]{finding} xid $known[$_]{xid}" } @late);
}

# One line of the decision: the scenario, and what it must see.
sub line
{
	my ($self, $name, $scenario, $expected) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is_deeply([ $scenario->($self) ], [ ref $expected ? @$expected : $expected ], $name)
	  || diag(explain([ $scenario->($self) ]));
}

# The same scenario with something broken on purpose.
sub broken
{
	my ($self, $name, $changes, $scenario, $expected) = @_;
	my $library = mutant($name =~ s/\W+/_/gr, @$changes);
	wear($self->{node}, 'mutant', $library);
	$self->look_from('mutant');
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $ok = is_deeply([ $scenario->($self) ], [ ref $expected ? @$expected : $expected ],
		"broken on purpose: $name");
	# The observer has the mutant loaded.
	$self->look_from($DB);
	return $ok;
}

1;
