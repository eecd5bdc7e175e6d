package TimeStampAuthority;

=pod

=head1 NAME

TimeStampAuthority - an RFC 3161 authority for tests, made of C<openssl ts>

=head1 SYNOPSIS

  my $tsa = TimeStampAuthority->new($dir);
  ... $tsa->url, $tsa->ca_file, $tsa->policy ...
  $tsa->answer('wrong nonce');   # from now on
  is($tsa->requests, 1, 'one request since the last look');

A server of its own answers what C<openssl ts -reply> answers, or something that is wrong in one place
only.  What C<openssl ts> would not make, a token by a certificate that is not for time stamps for example, is
made of a good token's content with C<openssl cms>.

=head1 METHODS

=over

=item new($dir)

A running authority with its own CA in $dir.

=item url, ca_file, other_ca_file, policy

Where it is, which CA it belongs to, one that it does not belong to, and its policy's object identifier.

=item answer($kind)

C<good>, C<wrong nonce>, C<wrong imprint>, C<wrong policy>, C<rejection>, C<no usage>, C<usage not critical>,
C<two usages>, C<years ago>, C<tomorrow>, C<broken signature>, C<signed anew>, C<foreign>, C<garbage>, C<nothing>, C<more bytes>, C<status 500>, C<silence>.

=item requests

How many requests came since this was asked last.

=item verifies($token, $data)

Does C<openssl ts -verify> accept the token (a file) for the data (a file)?  True, or its output.

=item stop

=back

=cut

use strict;
use warnings;

use IO::Socket::INET;
use IPC::Run ();
use POSIX ();

my $POLICY       = '1.3.6.1.4.1.99999.1';
my $OTHER_POLICY = '1.3.6.1.4.1.99999.2';

sub new
{
	my ($class, $dir) = @_;
	mkdir $dir or die "$dir: $!";
	my $self = bless { dir => $dir }, $class;
	$self->make_certificates;
	$self->answer('good');
	$self->start;
	return $self;
}

sub url           { return $_[0]{url} }
sub ca_file       { return "$_[0]{dir}/ca.pem" }
sub other_ca_file { return "$_[0]{dir}/other.pem" }
sub policy        { return $POLICY }

sub slurp
{
	my ($file) = @_;
	open my $fh, '<:raw', $file or die "$file: $!";
	local $/ = undef;
	return scalar <$fh>;
}

sub spew
{
	my ($file, $bytes) = @_;
	open my $fh, '>:raw', $file or die "$file: $!";
	print {$fh} $bytes;
	close $fh or die "$file: $!";
	return $file;
}

sub openssl
{
	my (@args) = @_;
	my $output;
	IPC::Run::run([ 'openssl', @args ], '<', \'', '>&', \$output) or die "openssl @args: $output";
	return $output;
}

# ---- certificates ----

# A key and a certificate by an issuer (none: its own); the extensions are lines of a configuration.
sub certificate
{
	my ($self, $name, $issuer, @extensions) = @_;
	my $dir = $self->{dir};
	spew("$dir/$name.cnf", join "\n", '[req]', 'distinguished_name = dn', 'prompt = no', '[dn]',
		"CN = $name", '[ext]', @extensions, '');
	openssl(qw(req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes),
		-config => "$dir/$name.cnf", -keyout => "$dir/$name.key", -out => "$dir/$name.csr");
	openssl(qw(x509 -req -days 30), -in => "$dir/$name.csr", -out => "$dir/$name.pem",
		-extfile => "$dir/$name.cnf", -extensions => 'ext',
		$issuer ? (-CA => "$dir/$issuer.pem", -CAkey => "$dir/$issuer.key", '-CAcreateserial')
		: (-signkey => "$dir/$name.key"));
	return;
}

sub make_certificates
{
	my ($self) = @_;
	my $dir = $self->{dir};
	my @ca  = ('basicConstraints = critical, CA:TRUE', 'keyUsage = critical, keyCertSign');
	my $use = 'keyUsage = critical, digitalSignature';
	$self->certificate($_, undef, @ca) for qw(ca other);
	$self->certificate('tsa', 'ca', $use, 'extendedKeyUsage = critical, timeStamping');
	$self->certificate('foreign', 'other', $use, 'extendedKeyUsage = critical, timeStamping');
	$self->certificate('no_usage', 'ca', $use);
	$self->certificate('not_critical', 'ca', $use, 'extendedKeyUsage = timeStamping');
	$self->certificate('two_usages', 'ca', $use, 'extendedKeyUsage = critical, timeStamping, clientAuth');
	spew("$dir/serial", "01\n");
	for my $name (qw(tsa foreign))
	{
		spew("$dir/ts-$name.cnf", <<~CNF);
			[tsa]
			default_tsa = tsa1
			[tsa1]
			serial = $dir/serial
			signer_cert = $dir/$name.pem
			signer_key = $dir/$name.key
			certs = $dir/@{[ $name eq 'tsa' ? 'ca' : 'other' ]}.pem
			signer_digest = sha256
			default_policy = $POLICY
			other_policies = $OTHER_POLICY
			digests = sha256
			ess_cert_id_chain = no
			ess_cert_id_alg = sha256
			CNF
	}
	return;
}

# ---- answers ----

sub reply
{
	my ($self, $query, $name) = @_;
	my $dir = $self->{dir};
	spew("$dir/query", $query);
	openssl(qw(ts -reply), -config => "$dir/ts-$name.cnf", -queryfile => "$dir/query", -out => "$dir/reply");
	return slurp("$dir/reply");
}

sub der
{
	my ($tag, $content) = @_;
	my $n = length $content;
	my $length = $n < 128 ? chr $n : $n < 256 ? pack('CC', 0x81, $n) : pack('Cn', 0x82, $n);
	return chr($tag) . $length . $content;
}

# The content of a good token, changed, signed by a certificate of one's choice (RFC 5652 and 5035).
sub signed_anew
{
	my ($self, $query, $name, $change) = @_;
	my $dir = $self->{dir};
	$self->reply($query, 'tsa');
	openssl(qw(ts -reply -token_out), -in => "$dir/reply", -out => "$dir/token");
	openssl(qw(cms -verify -noverify -inform DER), -in => "$dir/token", -out => "$dir/content");
	my $content = slurp("$dir/content");
	$change->($content) if $change;
	spew("$dir/content", $content);
	openssl(qw(cms -sign -binary -nodetach -cades -md sha256 -econtent_type 1.2.840.113549.1.9.16.1.4 -outform DER),
		-in => "$dir/content", -signer => "$dir/$name.pem", -inkey => "$dir/$name.key", -out => "$dir/token");
	return der(0x30, der(0x30, "\x02\x01\x00") . slurp("$dir/token"));
}

sub signed_at
{
	my ($self, $query, $time) = @_;
	return $self->signed_anew($query, 'tsa', sub { $_[0] =~ s/(\x18\x0f)\d{14}Z/$1$time/ or die 'no time' });
}

# One bit of what a pattern's first group matched.
sub flipped
{
	my ($text, $pattern) = @_;
	$text =~ $pattern or die 'the request is not as expected';
	substr($text, $-[1], 1) ^= "\x01";
	return $text;
}

my %ANSWERS = (
	'good'          => sub { return $_[0]->reply($_[1], 'tsa') },
	'wrong nonce'   => sub { return $_[0]->reply(flipped($_[1], qr/\x02\x11\x00.(.)/s), 'tsa') },
	'wrong imprint' => sub { return $_[0]->reply(flipped($_[1], qr/\x04\x20(.)/s), 'tsa') },
	# The object identifiers differ in their last byte only.
	'wrong policy' => sub { return $_[0]->reply($_[1] =~ s/(\x86\x8d\x1f)\x01/$1\x02/r, 'tsa') },
	'rejection'    => sub { return der(0x30, der(0x30, "\x02\x01\x02")) },
	'no usage'     => sub { return $_[0]->signed_anew($_[1], 'no_usage') },
	'usage not critical' => sub { return $_[0]->signed_anew($_[1], 'not_critical') },
	'two usages'   => sub { return $_[0]->signed_anew($_[1], 'two_usages') },
	'years ago' => sub { return $_[0]->signed_at($_[1], '20200101000000Z') },
	'tomorrow'  => sub { return $_[0]->signed_at($_[1], POSIX::strftime('%Y%m%d%H%M%SZ', gmtime(time + 86400))) },
	'broken signature' => sub { return flipped($_[0]->reply($_[1], 'tsa'), qr/(.)\z/s) },
	'signed anew' => sub { return $_[0]->signed_anew($_[1], 'tsa') },
	'foreign'     => sub { return $_[0]->reply($_[1], 'foreign') },
	'garbage'     => sub { return '<html>It works!</html>' },
	'nothing'     => sub { return '' },
	'more bytes'  => sub { return $_[0]->reply($_[1], 'tsa') . "\x00" },
);

# ---- the server ----

sub read_request
{
	my ($client) = @_;
	my $length = 0;
	while (defined(my $line = <$client>))
	{
		$length = $1 if $line =~ /^Content-Length: (\d+)/i;
		last if $line eq "\r\n";
	}
	my $body = '';
	read $client, $body, $length;
	return $body;
}

sub serve
{
	my ($self, $server) = @_;
	my $dir = $self->{dir};
	my @silent;
	while (my $client = $server->accept)
	{
		binmode $client;
		my $query = read_request($client);
		open my $log, '>>', "$dir/requests" or die $!;
		print {$log} "request\n";
		close $log;
		my $kind = slurp("$dir/answer");
		if ($kind eq 'silence')
		{
			push @silent, $client;
			next;
		}
		my $status = $kind eq 'status 500' ? '500 No' : '200 OK';
		my $body = $kind eq 'status 500' ? '' : $ANSWERS{$kind}->($self, $query);
		print {$client} "HTTP/1.1 $status\r\nContent-Type: application/timestamp-reply\r\n",
		  'Content-Length: ', length $body, "\r\nConnection: close\r\n\r\n", $body;
		close $client;
	}
	return;
}

sub start
{
	my ($self) = @_;
	my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5) or die "listen: $!";
	$self->{url} = 'http://127.0.0.1:' . $server->sockport . '/tsa';
	$self->{pid} = fork // die "fork: $!";
	if ($self->{pid} == 0)
	{
		# The test's END blocks are not this process's.
		eval { $self->serve($server); 1 } or print STDERR "time stamp authority: $@";
		POSIX::_exit(1);
	}
	close $server;
	return;
}

sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid};
	return if !defined $pid;
	kill KILL => $pid;
	waitpid $pid, 0;
	return;
}

sub DESTROY
{
	my ($self) = @_;
	local $?;
	$self->stop;
	return;
}

# ---- what tests ask ----

sub answer
{
	my ($self, $kind) = @_;
	$ANSWERS{$kind} || $kind =~ /^(?:silence|status 500)$/ or die "no answer \"$kind\"";
	rename spew("$self->{dir}/answer.new", $kind), "$self->{dir}/answer" or die $!;
	return;
}

sub requests
{
	my ($self) = @_;
	my $log = "$self->{dir}/requests";
	my $count = -e $log ? () = slurp($log) =~ /request/g : 0;
	unlink $log;
	return $count;
}

sub verifies
{
	my ($self, $token, $data) = @_;
	my $output;
	my $good = IPC::Run::run([ qw(openssl ts -verify -token_in), -in => $token, -data => $data,
		-CAfile => $self->ca_file ], '<', \'', '>&', \$output);
	return $good && $output =~ /Verification: OK/ ? 1 : $output;
}

1;
