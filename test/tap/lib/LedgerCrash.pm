package LedgerCrash;

=pod

=head1 NAME

LedgerCrash - kill a whole server, and know what it had acknowledged

=head1 SYNOPSIS

  my $load = start_load($node, clients => 32, chains => 1, prefix => 'hot');
  wait_for_acks($load, 640);
  kill_server($node);
  my @acks = finish_load($load);
  $node->start;
  is_deeply([ lost_acks($node, $DB, @acks) ], [], 'every acknowledged event is there, once');

=head1 FUNCTIONS

=over

=item wait_until($what, $condition)

Polls until $condition returns true, and returns that; dies naming $what after a minute and a half.

=item compile($target, @arguments)

Compiles one C program of the tests into the test's temporary folder; returns its path.

=item kill_server($node)

Ends postmaster and all children at once: all are frozen before the first is killed, so that nothing
reacts to the death of another.  What they held in memory is lost; what they wrote
stays in the page cache.

=item start_load($node, clients, chains, prefix, [events], [db], [user]), finish_load($load)

Runs client/append_load.c.  finish_load waits for its end, dies if it saw an error other than a lost
connection, and returns the acknowledged events: hash references with event_id,
policy_version, sequence_no, xid, ns (CLOCK_MONOTONIC of the acknowledgement).

=item wait_for_acks($load, $count)

=item lost_acks($node, $dbname, @acks)

The acknowledged events that are not stored exactly once at their place, as texts.

=item plain_verdict($node, $dbname)

C<clean>, or all that sql/audit/verify_plain.sql printed.

=item stop_walwriter($node), continue_walwriter($pid)

Stops the walwriter while it sleeps, so that it holds no lock, and nothing is flushed but by those
whose duty it is.  It must be continued before an orderly stop.

=item $QUIET

Lines for postgresql.conf with which no background process flushes WAL by chance.

=back

=cut

use strict;
use warnings;

use Exporter 'import';
use IPC::Run ();
use LedgerCluster;
use PostgreSQL::Test::Utils ();
use Test::More;
use Time::HiRes ();

our @EXPORT = qw(
  $QUIET wait_until compile kill_server start_load finish_load wait_for_acks lost_acks
  plain_verdict stop_walwriter continue_walwriter
);

our $QUIET = <<~'CONF';
	autovacuum = off
	bgwriter_lru_maxpages = 0
	checkpoint_timeout = 1h
	wal_writer_delay = 10s
	wal_writer_flush_after = 1GB
	CONF

my $limit_seconds = 90;

sub wait_until
{
	my ($what, $condition) = @_;
	for (1 .. $limit_seconds * 100)
	{
		my $result = $condition->();
		return $result if $result;
		Time::HiRes::usleep(10_000);
	}
	die "waited in vain for $what";
}

sub compile
{
	my ($target, @arguments) = @_;
	my $program = PostgreSQL::Test::Utils::tempdir('compiled') . "/$target";
	chomp(my $include = `"$ENV{PG_CONFIG}" --includedir`);
	my $output = '';
	IPC::Run::run([ 'cc', '-std=gnu11', '-Wall', '-Wextra', '-Werror', '-O1', "-I$include",
			'-I/usr/include/postgresql', '-o', $program, @arguments ], '>&', \$output)
	  or die "cc failed:\n$output";
	return $program;
}

sub children_of
{
	my ($parent) = @_;
	my @children;
	for my $file (glob '/proc/[0-9]*/stat')
	{
		open my $stat, '<', $file or next;    # gone meanwhile
		my $line = <$stat>;
		next unless defined $line && $line =~ /^(\d+) \(.*\) \S (\d+) /s;
		push @children, $1 if $2 == $parent;
	}
	return @children;
}

# A zombie nobody has collected yet has no memory, no files and no locks left.
sub is_gone
{
	my ($pid) = @_;
	open my $stat, '<', "/proc/$pid/stat" or return 1;
	my $line = <$stat>;
	return !defined $line || $line =~ /\) [ZX] /;
}

sub kill_server
{
	my ($node) = @_;
	my $postmaster = $node->{_pid} or die 'the server is not running';
	kill 'STOP', $postmaster;
	# A backend that was just being forked shows up at the next look.
	my %frozen;
	while (my @new = grep { !$frozen{$_} } children_of($postmaster))
	{
		kill 'STOP', @new;
		@frozen{@new} = (1) x @new;
	}
	kill 'KILL', keys %frozen, $postmaster;
	wait_until('the killed server', sub { !grep { !is_gone($_) } $postmaster, keys %frozen });
	# As long as nobody has collected the dead postmaster, its number looks alive to the next one.
	unlink $node->data_dir . '/postmaster.pid', $node->host . '/.s.PGSQL.' . $node->port . '.lock';
	$node->{_pid} = undef;
	return;
}

sub start_load
{
	my ($node, %options) = @_;
	our $client ||= compile('append_load', "$ROOT/test/tap/client/append_load.c", '-lpq', '-lpthread');
	my %load = (output => '');
	$load{file} = PostgreSQL::Test::Utils::tempdir('acks') . '/acks';
	my $conninfo = $node->connstr($options{db} || $DB);
	$conninfo .= " user=$options{user}" if defined $options{user};
	$load{handle} = IPC::Run::start([ $client, $conninfo, $load{file}, $options{clients},
			$options{chains}, $options{prefix}, $options{events} || 0 ], '>&', \$load{output});
	return \%load;
}

sub count_acks
{
	my ($load) = @_;
	open my $file, '<', $load->{file} or return 0;
	my $count = 0;
	$count++ while <$file>;
	return $count;
}

sub wait_for_acks
{
	my ($load, $count) = @_;
	wait_until("$count acknowledged events", sub {
		$load->{handle}->pumpable && $load->{handle}->pump_nb;
		die "the load failed: $load->{output}" if $load->{output} ne '';
		count_acks($load) >= $count;
	});
	return;
}

sub finish_load
{
	my ($load) = @_;
	$load->{handle}->finish;
	die "the load failed: $load->{output}" if $load->{handle}->result(0) != 0;
	open my $file, '<', $load->{file} or die "no acknowledgements: $!";
	my @acks;
	while (<$file>)
	{
		my %ack;
		@ack{qw(event_id policy_version sequence_no xid ns)} = split;
		push @acks, \%ack;
	}
	return @acks;
}

sub lost_acks
{
	my ($node, $dbname, @acks) = @_;
	my $values = join ",\n", map {
		"('$_->{event_id}'::uuid, '$_->{policy_version}', $_->{sequence_no}::bigint)" } @acks;
	my $lost = $node->safe_psql($dbname, <<~SQL);
		SELECT concat_ws(' ', a.event_id, a.policy_version, a.sequence_no, 'stored', count(e.event_id))
		FROM (VALUES $values) AS a (event_id, policy_version, sequence_no)
		LEFT JOIN ledger.ledger_events AS e ON e.tenant_id = 'acme' AND e.event_id = a.event_id
			AND e.policy_version = a.policy_version AND e.sequence_no = a.sequence_no
		GROUP BY a.event_id, a.policy_version, a.sequence_no
		HAVING count(e.event_id) <> 1
		SQL
	return split /\n/, $lost;
}

sub plain_verdict
{
	my ($node, $dbname) = @_;
	my $output = '';
	IPC::Run::run([ 'psql', '-Xq', '-d', $node->connstr($dbname), '-f', "$ROOT/sql/audit/verify_plain.sql" ],
		'>&', \$output);
	return $? == 0 ? 'clean' : $output;
}

sub stop_walwriter
{
	my ($node) = @_;
	my ($pid) = split /\n/, $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'");
	wait_until('a sleeping walwriter', sub {
		kill 'STOP', $pid;
		my $state = $node->safe_psql('postgres',
			"SELECT wait_event FROM pg_stat_activity WHERE pid = $pid");
		return 1 if $state eq 'WalWriterMain';
		kill 'CONT', $pid;
		return 0;
	});
	return $pid;
}

sub continue_walwriter
{
	my ($pid) = @_;
	kill 'CONT', $pid;
	return;
}

1;
