package GoWitness;

=pod

=head1 NAME

GoWitness - the witness of test/go/witness as a server of a test

=head1 SYNOPSIS

  my $witness = GoWitness->new($dir, 'witness.example/w1', $log_vkey);
  ... $witness->url, $witness->vkey ...
  $witness->lie('other text');     # '' for the truth
  is($witness->seen, '2 [0 3]', 'two requests, with these old sizes');

C<forget> lets it lose its state; C<stop> ends it.

=cut

use strict;
use warnings;

use IO::Socket::INET;
use IPC::Run ();
use LedgerCrash;

sub new
{
	my ($class, $dir, $name, $log) = @_;
	my $self = bless { out => '', err => '' }, $class;
	$self->{handle} = IPC::Run::start(
		[ $ENV{LEDGER_WITNESS}, '-name', $name, '-log', $log, '-state', "$dir/witness.json" ],
		'<', \'', '>', \$self->{out}, '2>', \$self->{err});
	wait_until('the witness', sub { $self->{handle}->pump_nb; $self->{out} =~ /\n.*\n/ });
	@{$self}{qw(url vkey)} = split /\n/, $self->{out};
	return $self;
}

sub url  { return $_[0]{url} }
sub vkey { return $_[0]{vkey} }

sub post
{
	my ($self, $path, $body) = @_;
	my ($address) = $self->{url} =~ m{^http://(.*)};
	my $socket = IO::Socket::INET->new(PeerAddr => $address) or die "$address: $!";
	print {$socket} "POST $path HTTP/1.1\r\nHost: $address\r\nConnection: close\r\nContent-Length: ", length $body, "\r\n\r\n", $body;
	local $/ = undef;
	my $answer = <$socket>;
	$answer =~ m{^HTTP/1.1 200 .*?\r\n\r\n(.*)}s or die "$path: $answer";
	return $1;
}

sub lie    { my ($self, $lie) = @_; return $self->post('/lie', $lie) }
sub forget { my ($self) = @_; return $self->post('/forget', '') }
sub seen   { my ($self) = @_; return $self->post('/seen', '') }

sub stop
{
	my ($self) = @_;
	my $handle = delete $self->{handle};
	$handle->kill_kill(grace => 0) if $handle;
	return;
}

sub DESTROY
{
	my ($self) = @_;
	local $?;
	$self->stop;
	return;
}

1;
