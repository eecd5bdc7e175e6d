package Ledgerctl;

=pod

=head1 NAME

Ledgerctl - run ledgerctl in tests, as a signer with a key and a state directory

=head1 SYNOPSIS

  my $signer = Ledgerctl->signer($node, 'log.example/one');     # registered, with state
  my $run = $signer->anchor('--force');
  is($run->{code}, 0, 'signed');
  is($run->{json}{signed}, 1, 'one anchor');
  like($run->{stderr}, qr/.../, 'and said so');

=head1 METHODS

=over

=item signer($node, $name, %options)

A new key of that name, registered in the ledger, and an empty state directory.  The database role is
C<signer>, an anchorer of acme and globex, which is made if need be.  Options: C<registered> (0 leaves the key
unknown), C<db>, C<state> (another signer's state directory).

=item anchor(@arguments), start_anchor(@arguments)

Runs C<ledgerctl anchor> to its end, or starts it and returns an IPC::Run harness with members of its own in
C<< $signer->{out} >> and C<< $signer->{err} >>.  C<db>, C<state> and C<env> (a hash reference) of the signer may be
changed in between; state undef: without a state directory.

=item run($env, @arguments)

Runs ledgerctl with more environment: code, json (if --json was given), stdout, stderr.

=item key_id

<name>+<8 hex digits>.

=item state_of($tenant, $chain)

Name of the chain's state file.

=back

=cut

use strict;
use warnings;

use IPC::Run ();
use JSON::PP ();
use LedgerCluster;
use PostgreSQL::Test::Utils ();

my $PROGRAM = "$ROOT/gateway/bin/ledgerctl";
my $made    = 0;

sub run
{
	my ($env, @arguments) = @_;
	my ($stdout, $stderr) = ('', '');
	local %ENV = (%ENV, %$env);
	IPC::Run::run([ $PROGRAM, @arguments ], '<', \'', '>', \$stdout, '2>', \$stderr);
	my $code = $? & 127 ? "signal $?" : $? >> 8;
	my $json = $stdout =~ /^\{.*\}\n\z/ ? JSON::PP->new->utf8->decode($stdout) : undef;
	return { code => $code, stdout => $stdout, stderr => $stderr, json => $json };
}

sub signer
{
	my ($class, $node, $name, %options) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my $made_key = run({}, 'keygen', '--name', $name, '--out', "$dir/log.key");
	die $made_key->{stderr} if $made_key->{code} ne '0';
	my $self = bless {
		node  => $node,
		key   => "$dir/log.key",
		vkey  => $made_key->{stdout} =~ /^(\S+\+[0-9a-f]{8}\+\S+)$/m ? $1 : die($made_key->{stdout}),
		state => $options{state} || "$dir/state",
		db    => $options{db} || $DB,
		env   => {},
	}, $class;
	mkdir $self->{state};
	login_role($node, 'signer', 'ledger_anchorer', qw(acme globex))
	  if !$node->safe_psql('postgres', q{SELECT FROM pg_roles WHERE rolname = 'signer'}) && !$made++;
	$node->safe_psql($self->{db}, 'SELECT ledger.ledger_register_key(' . literal($self->{vkey}) . ')')
	  if $options{registered} // 1;
	return $self;
}

sub key_id { return $_[0]{vkey} =~ /^([^+]+\+[0-9a-f]{8})\+/ ? $1 : die }

sub command
{
	my ($self, @arguments) = @_;
	return ('anchor', '--json', '--connection', $self->{node}->connstr($self->{db}) . ' user=signer', '--key-file', $self->{key},
		defined $self->{state} ? ('--state-dir', $self->{state}) : (), @arguments);
}

sub anchor
{
	my ($self, @arguments) = @_;
	return run($self->{env}, $self->command(@arguments));
}

sub start_anchor
{
	my ($self, @arguments) = @_;
	local %ENV = (%ENV, %{ $self->{env} });
	@{$self}{qw(out err)} = ('', '');
	return IPC::Run::start([ $PROGRAM, $self->command(@arguments) ],
		'<', \'', '>', \$self->{out}, '2>', \$self->{err});
}

sub state_of
{
	my ($self, $tenant, $chain) = @_;
	return "$self->{state}/$tenant.$chain.json";
}

1;
