package LedgerSession;

=pod

=head1 NAME

LedgerSession - a psql that stays open, and can be left waiting

=head1 SYNOPSIS

  my $session = LedgerSession->new($node, db => $DB, user => 'acme_app');
  my $rows = $session->ask('SELECT ...');      # waits; error text in $session->error
  $session->send('COMMIT;');                   # does not wait
  ... if $session->answered;
  my $rows = $session->answer;                 # waits for what was sent
  $session->close;

=head1 METHODS

ask and answer return what the statements printed, without the last newline.  Errors are
kept as text with SQLSTATE (C<error>), and die nowhere but in ask_well, which dies of them.  C<pid> is
the backend's.  C<lost> is true once the server hung up.

=cut

use strict;
use warnings;

use IPC::Run ();
use LedgerCluster;
use LedgerCrash;

sub new
{
	my ($class, $node, %options) = @_;
	my $self = bless { in => '', out => '', err => '', count => 0 }, $class;
	my $connstr = $node->connstr($options{db} || $DB);
	$connstr .= " user=$options{user}" if defined $options{user};
	$self->{handle} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $connstr, '-f', '-' ],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err});
	$self->{pid} = $self->ask('SELECT pg_backend_pid();');
	die "no session: $self->{err}" if $self->{pid} !~ /^\d+$/;
	return $self;
}

sub send
{
	my ($self, $sql) = @_;
	$self->{mark} = 'answer-' . ++$self->{count};
	@{$self}{qw(out err)} = ('', '');
	# On a line of its own after each, so that neither can be mistaken for data.
	$self->{in} .= "$sql\n\\echo $self->{mark}\n\\warn $self->{mark}\n";
	$self->pump;
	return;
}

# psql ends when its server is gone; what it said before stands.
sub pump
{
	my ($self) = @_;
	return 0 if $self->{ended};
	local $SIG{PIPE} = 'IGNORE';
	$self->{ended} = 1 unless eval { $self->{handle}->pump_nb } && $self->{handle}->pumpable;
	return !$self->{ended};
}

sub answered
{
	my ($self) = @_;
	my $alive = $self->pump;
	return 1 if $self->{out} =~ /^\Q$self->{mark}\E$/m && $self->{err} =~ /^\Q$self->{mark}\E$/m;
	return !$alive;
}

sub answer
{
	my ($self) = @_;
	wait_until("the answer of a session", sub { $self->answered });
	s/^\Q$self->{mark}\E\n//m for @{$self}{qw(out err)};
	my $answer = $self->{out};
	chomp $answer;
	return $answer;
}

sub ask
{
	my ($self, $sql) = @_;
	$self->send($sql);
	return $self->answer;
}

sub ask_well
{
	my ($self, $sql) = @_;
	my $answer = $self->ask($sql);
	die "$sql failed: $self->{err}" if $self->{err} =~ /ERROR|FATAL/;
	return $answer;
}

sub error { return $_[0]{err} }
sub pid   { return $_[0]{pid} }
sub lost  { return $_[0]{ended} || $_[0]{err} =~ /connection to server was lost/ }

sub close
{
	my ($self) = @_;
	return if $self->{closed}++;
	$self->{in} .= "\\q\n";
	eval { $self->{handle}->finish };
	return;
}

1;
