#!/usr/bin/perl
# The system calls of a trace that a unit's SystemCallFilter= would refuse, one a line.
#
# usage: strace -f -o TRACE PROGRAM; denied_calls.pl UNIT TRACE
use strict;
use warnings;

my ($unit, $trace) = @ARGV;

# Groups hold calls and other groups.
my (%members, $group);
for (split /\n/, `systemd-analyze --no-pager syscall-filter`)
{
	if (/^(@\S+)/) { $group = $1 }
	elsif (/^\s+(@?\w[\w-]*)$/) { push @{ $members{$group} }, $1 }
}
die "systemd-analyze lists no groups\n" if !$members{'@system-service'};

sub calls
{
	my ($name) = @_;
	return $name =~ /^@/ ? map { calls($_) } @{ $members{$name} or die "no group $name\n" } : $name;
}

my %allowed;
open(my $lines, '<', $unit) or die "$unit: $!\n";
while (<$lines>)
{
	next if !/^SystemCallFilter=(~?)(.*)/;
	my ($not, $names) = ($1, $2);
	for my $call (map { calls($_) } split ' ', $names)
	{
		if ($not) { delete $allowed{$call} } else { $allowed{$call} = 1 }
	}
}
die "$unit has no SystemCallFilter=\n" if !%allowed;

# systemd itself starts the program.
my %seen = (execve => 1, exit_group => 1);
open(my $calls, '<', $trace) or die "$trace: $!\n";
while (<$calls>)
{
	print "$1\n" if /^\d+\s+(?:<\.\.\. )?(\w+)(?:\(| resumed>)/ && !$allowed{$1} && !$seen{$1}++;
}
