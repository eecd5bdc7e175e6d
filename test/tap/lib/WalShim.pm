package WalShim;

=pod

=head1 NAME

WalShim - a server whose writes and syncs of WAL are watched, held, and lost

=head1 SYNOPSIS

  my $shim = WalShim->new($node);         # $node: wal_sync_method fdatasync, fsync on
  $shim->start;                           # the node was stopped
  ...
  my @when = $shim->covered_at(@ranges);  # after the node was stopped

  $shim->hold;                            # who syncs WAL next waits, and so does everybody after
  my $pid = $shim->wait_held;
  $shim->release;

  $shim->lose_power;                      # kill, and leave only what was synced

The library is shim/fdatasync.c.  WAL that exists when the node is started counts as on disk.

=head1 METHODS

=over

=item new($node), start()

=item hold(), wait_held(), step(), release()

wait_held returns the held process.  step lets it go on and holds the next sync.

=item commits()

Start and end of each commit record since the start, by xid (those of subtransactions too):
{ xid => [from, to] }, read by
pg_waldump from a stopped node's WAL.

=item covered_at(@ranges)

For each range the moment (CLOCK_MONOTONIC, ns) from which it was on disk: the first completed sync
after which every byte of the range, and all WAL before it, had been written and synced.
undef if that never happened.  For a stopped node whose WAL is still there.

=item lose_power()

Kills the server and rebuilds pg_wal from what completed syncs covered: what a machine would find
after a loss of power.  Data files may keep what reached the page cache, because no page of
theirs is written before the WAL that it depends on was synced.

=back

=cut

use strict;
use warnings;

use LedgerCluster;
use LedgerCrash;
use PostgreSQL::Test::Utils ();

my $RECORD       = 56;
my $MAGIC        = 0x4c534a31;
my $KIND_WRITE   = 1;
my $KIND_SYNC    = 2;
# Of the server's WAL: page, and the headers of a segment's first page and of others.
my ($PAGE, $LONG_HEADER, $SHORT_HEADER) = (8192, 40, 24);
my $SEGMENT_NAME = qr/^[0-9A-F]{24}$/;

sub new
{
	my ($class, $node) = @_;
	my $self = bless { node => $node }, $class;
	$self->{library} = compile('fdatasync.so', '-shared', '-fPIC',
		"$ROOT/test/tap/shim/fdatasync.c", '-ldl');
	return $self;
}

sub start
{
	my ($self) = @_;
	my $node = $self->{node};
	my $dir  = $self->{dir} = PostgreSQL::Test::Utils::tempdir('shim');
	mkdir "$dir/base" or die "cannot make $dir/base: $!";
	$self->{base} = { map { $_ => read_file($self->wal_path($_)) } $self->segments };
	write_file("$dir/journal", '');
	write_file("$dir/control", pack 'L4', 0, 0, 0, 0);
	{
		local $ENV{LD_PRELOAD}      = $self->{library};
		local $ENV{LEDGER_SHIM_DIR} = $dir;
		$node->start;
	}
	my ($method, $fsync, $size, $start) = split /\|/, $node->safe_psql('postgres', <<~'SQL');
		SELECT current_setting('wal_sync_method'), current_setting('fsync'),
			pg_size_bytes(current_setting('wal_segment_size')), pg_current_wal_insert_lsn()
		SQL
	die "wal_sync_method is $method, fsync is $fsync" if $method ne 'fdatasync' || $fsync ne 'on';
	@{$self}{qw(segment_size start_lsn)} = ($size, $start);
	return;
}

sub wal_path
{
	my ($self, $segment) = @_;
	return $self->{node}->data_dir . "/pg_wal/$segment";
}

sub segments
{
	my ($self) = @_;
	return sort grep { $_ =~ $SEGMENT_NAME }
	  map { (split m{/})[-1] } glob($self->wal_path('*'));
}

sub read_file
{
	my ($path) = @_;
	open my $file, '<:raw', $path or die "cannot read $path: $!";
	local $/;
	my $bytes = <$file>;
	return defined $bytes ? $bytes : '';
}

sub write_file
{
	my ($path, $bytes) = @_;
	open my $file, '>:raw', $path or die "cannot write $path: $!";
	print $file $bytes;
	close $file or die "cannot write $path: $!";
	return;
}

# One of the four numbers of the control file; the server sees it at once.
my %slot = (hold => 0, pass => 1, held_pid => 2, held_count => 3);

sub control
{
	my ($self, $name, $value) = @_;
	my $mode = defined $value ? '+<:raw' : '<:raw';
	open my $file, $mode, "$self->{dir}/control" or die "cannot open the shim's control: $!";
	sysseek $file, 4 * $slot{$name}, 0;
	return syswrite $file, pack('L', $value) if defined $value;
	sysread $file, my $bytes, 4;
	return unpack 'L', $bytes;
}

sub hold
{
	my ($self) = @_;
	$self->{seen} = $self->control('held_count');
	$self->control(hold => 1);
	return;
}

# True if a sync was held since hold() or step().
sub is_held
{
	my ($self) = @_;
	return $self->control('held_count') > $self->{seen} ? $self->control('held_pid') : 0;
}

sub wait_held
{
	my ($self) = @_;
	return wait_until('a held sync of WAL', sub { $self->is_held });
}

sub step
{
	my ($self) = @_;
	$self->{seen} = $self->control('held_count');
	$self->control(pass => 1);
	return;
}

sub release
{
	my ($self) = @_;
	$self->control(hold => 0);
	return;
}

# Where a record ends: those that cross into another page have its header inside.
sub record_end
{
	my ($self, $from, $length) = @_;
	for (;;)
	{
		my $room = $PAGE - $from % $PAGE;
		return $from + $length if $length <= $room;
		$length -= $room;
		$from += $room;
		$from += $from % $self->{segment_size} == 0 ? $LONG_HEADER : $SHORT_HEADER;
	}
}

sub commits
{
	my ($self) = @_;
	my %commits;
	my $pg_wal = $self->{node}->data_dir . '/pg_wal';
	# It ends with an error where the WAL ends; that says nothing.
	open my $dump, '-|', "pg_waldump -s $self->{start_lsn} -r Transaction -p '$pg_wal' 2>/dev/null"
	  or die "cannot run pg_waldump: $!";
	while (my $line = <$dump>)
	{
		$line =~ m{tot\):\s*\d+/\s*(\d+), tx:\s*(\d+), lsn: ([0-9A-F]+)/([0-9A-F]+), .*?desc: COMMIT(?:_PREPARED (\d+))?}
		  or next;
		my ($length, $xid, $from) = ($1, $5 // $2, hex($3) * 2**32 + hex($4));
		my ($children) = $line =~ /subxacts: ([\d ]+)/;
		$commits{$_} = [ $from, $self->record_end($from, $length) ] for $xid, split ' ', $children // '';
	}
	close $dump;
	return \%commits;
}

# Calls back for each record of the journal: kind, segment, offset, done, bytes.
sub each_record
{
	my ($self, $callback) = @_;
	open my $journal, '<:raw', "$self->{dir}/journal" or die "cannot read the journal: $!";
	while (read($journal, my $header, $RECORD) == $RECORD)
	{
		my ($magic, $kind, $pid, $length, $offset, $done, $segment) = unpack 'L4 Q2 a24', $header;
		die 'the journal is damaged' unless $magic == $MAGIC && $segment =~ $SEGMENT_NAME;
		my $bytes = '';
		die 'the journal is cut off' unless read($journal, $bytes, $length) == $length;
		$callback->($kind, $segment, $offset, $done, $bytes);
	}
	return;
}

# Position to segment number, and a segment's name to its number.
sub segment_of
{
	my ($self, $lsn) = @_;
	return int($lsn / $self->{segment_size});
}

sub segment_number
{
	my ($self, $name) = @_;
	return hex(substr $name, 8, 8) * (2**32 / $self->{segment_size}) + hex(substr $name, 16, 8);
}

# The bytes of a range, from a hash of segments by number.
sub range_bytes
{
	my ($self, $segments, $range) = @_;
	my ($from, $to) = @$range;
	my $bytes = '';
	while ($from < $to)
	{
		my $number = $self->segment_of($from);
		my $offset = $from - $number * $self->{segment_size};
		my $length = $to - $from;
		$length = $self->{segment_size} - $offset if $length > $self->{segment_size} - $offset;
		return undef unless exists $segments->{$number};
		$bytes .= substr $segments->{$number}, $offset, $length;
		$from += $length;
	}
	return $bytes;
}

sub covered_at
{
	my ($self, @ranges) = @_;
	my %final = map { $self->segment_number($_) => read_file($self->wal_path($_)) } $self->segments;
	my @order = sort { $ranges[$a][1] <=> $ranges[$b][1] } 0 .. $#ranges;
	my @wanted = map { $self->range_bytes(\%final, $_) } @ranges;
	my %written = map { $self->segment_number($_) => $self->{base}{$_} } keys %{ $self->{base} };
	my (%dirty, @unsynced, @when);

	$self->each_record(sub {
		my ($kind, $name, $offset, $done, $bytes) = @_;
		my $number = $self->segment_number($name);
		if ($kind == $KIND_WRITE)
		{
			$written{$number} = "\0" x $self->{segment_size} unless exists $written{$number};
			substr $written{$number}, $offset, length $bytes, $bytes;
			$dirty{$number} = 1;
			# WAL is written in order: a range is not whole before those below it are.
			while (@order)
			{
				my $now = $self->range_bytes(\%written, $ranges[ $order[0] ]);
				last unless defined $now && $now eq $wanted[ $order[0] ];
				push @unsynced, shift @order;
			}
			return;
		}
		delete $dirty{$number};
		@unsynced = grep {
			my $last = $self->segment_of($ranges[$_][1] - 1);
			my $safe = !grep { $_ <= $last } keys %dirty;
			$when[$_] = $done if $safe;
			!$safe;
		} @unsynced;
	});
	$#when = $#ranges;
	return @when;
}

sub lose_power
{
	my ($self) = @_;
	kill_server($self->{node});
	my %durable = %{ $self->{base} };
	my %pending;
	$self->each_record(sub {
		my ($kind, $name, $offset, $done, $bytes) = @_;
		return push @{ $pending{$name} }, [ $offset, $bytes ] if $kind == $KIND_WRITE;
		$durable{$name} = "\0" x $self->{segment_size} unless exists $durable{$name};
		substr $durable{$name}, $_->[0], length $_->[1], $_->[1] for @{ delete $pending{$name} || [] };
	});
	for my $name ($self->segments)
	{
		write_file($self->wal_path($name),
			exists $durable{$name} ? $durable{$name} : "\0" x $self->{segment_size});
	}
	return;
}

1;
