package LedgerMutant;

=pod

=head1 NAME

LedgerMutant - the extension with one thing broken on purpose

=head1 SYNOPSIS

  my $library = mutant('no_flush', 'XLogFlush(XactLastCommitEnd);' => '');
  my $dbname  = mutant_database($node);
  wear($node, $dbname, $library);

A test that cannot fail proves nothing.  So the tests of pipelined commit are run against builds
of the extension in which the line that they are about is missing, and must then fail.

A database is pointed at such a build by pg_proc.probin, which names the library of each C
function: the installed extension, and the other databases of the same server, stay as they are.
Only new sessions see it, and one session can never load two builds.

=head1 FUNCTIONS

=over

=item mutant($name, $from, $to, ...)

Compiles the extension with each $from of src/commit.c (or of the file that a leading
"file.c: " names) replaced; dies unless it stands there exactly once.  Returns the library's path.

=item mutant_database($node)

Makes a copy of the ledger for mutants; nobody may be connected to the original.

=item wear($node, $dbname, $library)

New sessions of that database run the library's code.

=back

=cut

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Exporter 'import';
use File::Copy ();
use IPC::Run ();
use LedgerCluster;
use PostgreSQL::Test::Utils ();

our @EXPORT = qw(mutant mutant_database wear);

# One build for all tests of a run: a mutant compiles one file and links.
my $tree = "$ENV{TESTDIR}/mutants";

sub run_or_die
{
	my (@command) = @_;
	my $output = '';
	IPC::Run::run(\@command, '>&', \$output) or die "@command failed:\n$output";
	return;
}

# No optimisation: these builds are to be made fast, not to be fast.
sub build
{
	run_or_die('make', '-s', '-j2', '-C', $tree, 'COPT=-O0', 'findings_ledger.so');
	return;
}

sub original_tree
{
	return if -d $tree;
	run_or_die('cp', '-r', "$ROOT/extension", $tree);
	build();
	return;
}

sub replace_once
{
	my ($file, $from, $to) = @_;
	my $text = PostgreSQL::Test::Utils::slurp_file($file);
	my $times = () = $text =~ /\Q$from\E/g;
	die "$file holds $times times: $from" if $times != 1;
	$text =~ s/\Q$from\E/$to/;
	open my $out, '>', $file or die "cannot write $file: $!";
	print $out $text;
	close $out or die "cannot write $file: $!";
	return;
}

sub mutant
{
	my ($name, @changes) = @_;
	my %touched;
	original_tree();
	# Never written twice: somebody may still run it.
	my $library = "$tree/$name-" . substr(md5_hex("@changes"), 0, 8) . '.so';
	return $library if -e $library;
	while (my ($from, $to) = splice @changes, 0, 2)
	{
		my $file = $from =~ s/^(\w+\.c): // ? $1 : 'commit.c';
		$touched{$file} = 1;
		replace_once("$tree/src/$file", $from, $to);
	}
	build();
	File::Copy::copy("$tree/findings_ledger.so", $library) or die "cannot copy: $!";
	# Back to the original: removed objects are compiled again with the next mutant.
	for my $file (keys %touched)
	{
		File::Copy::copy("$ROOT/extension/src/$file", "$tree/src/$file") or die "cannot copy: $!";
		unlink "$tree/src/" . ($file =~ s/\.c$/.o/r);
	}
	return $library;
}

sub mutant_database
{
	my ($node) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE mutant TEMPLATE $DB");
	return 'mutant';
}

sub wear
{
	my ($node, $dbname, $library) = @_;
	my $functions = $node->safe_psql($dbname, <<~SQL);
		WITH worn AS (
			UPDATE pg_proc SET probin = @{[ literal($library) ]}
			WHERE pronamespace = 'ledger'::regnamespace AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')
			RETURNING 1)
		SELECT count(*) FROM worn
		SQL
	die 'no C function to be replaced' unless $functions > 0;
	return;
}

1;
