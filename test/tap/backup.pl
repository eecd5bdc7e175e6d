# ledgerctl backup: what it makes can be restored to what its manifest says, nothing half-made
# keeps a final name, who would see a part is refused, and no password is shown to the machine.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";
use Digest::SHA;
use Encode qw(encode_utf8);
use IPC::Run ();
use JSON::PP ();
use LedgerCluster;
use Ledgerctl;
use POSIX ();
use PostgreSQL::Test::Utils qw(slurp_file append_to_file);
use Test::More;

my $PASSWORD = 'pass word=secret';
my $node     = ledger_node('backup');
my $work     = PostgreSQL::Test::Utils::tempdir();
my $dir      = "$work/backups";

append_many($node, $_, 'F', 20) for qw(acme globex);
append($node, finding => 'F-p2', policyVersion => 'policy-2');
my $signer = Ledgerctl->signer($node, 'log.example/backup');
is($signer->anchor('--force')->{code}, 0, 'the chains are anchored and signed');
$node->safe_psql($DB, "CREATE ROLE bk LOGIN IN ROLE ledger_backup PASSWORD '$PASSWORD'");
login_role($node, 'auditor', 'ledger_auditor', 'acme');

sub backup
{
	my ($env, $user, @arguments) = @_;
	my $as = $node->connstr($DB) . (defined $user ? " user=$user" : '');
	return Ledgerctl::run($env, 'backup', '--json', '--connection', $as, '--dir', $dir, @arguments);
}

sub names
{
	opendir my $handle, $dir or return '';
	return join ' ', sort grep { !/^\.\.?$/ } readdir $handle;
}

sub manifest_of { return JSON::PP->new->utf8->decode(slurp_file("$_[0]/manifest.json")) }

# A program of that name, first on PATH.
sub program_path
{
	my ($place, $name, $text) = @_;
	mkdir "$work/$place";
	append_to_file("$work/$place/$name", "#!/bin/sh\n$text");
	chmod 0755, "$work/$place/$name";
	return { PATH => "$work/$place:$ENV{PATH}" };
}

my ($real) = grep { -x } map { "$_/pg_dump" } split /:/, $ENV{PATH};

my $heads = q{SELECT DISTINCT ON (tenant_id, chain_id) tenant_id || ' ' || chain_id || ' ' || sequence_no || ' ' || encode(event_hash, 'hex')
	FROM ledger.ledger_events ORDER BY tenant_id, chain_id, sequence_no DESC};

subtest 'while events are appended' => sub {
	# They are appended when the snapshot is taken and nothing is dumped yet.
	my $insert = "psql -Xq -d '" . $node->connstr($DB) . q{' -c "SELECT ledger.ledger_append('acme', 'finding.created', 'F-late', 'policy-1', 'pkg:deb/x@1')" >/dev/null};
	my $env = program_path('late', 'pg_dump', "$insert || exit 1\nexec $real \"\$\@\"\n");
	my $before = $node->safe_psql($DB, $heads);
	my $counts = { split /[|\n]/, $node->safe_psql($DB, 'SELECT tenant_id, count(*) FROM ledger.ledger_events GROUP BY 1') };
	my $run = backup($env, undef);
	is($run->{code}, 0, 'it is made') or diag($run->{stderr});
	isnt($node->safe_psql($DB, $heads), $before, 'an event came meanwhile');
	my $made = $run->{json}{backup};
	like($made, qr{^\Q$dir\E/ledger-\d{8}T\d{6}Z$}, 'under its final name');
	is(join(' ', sort map { s{.*/}{}r } glob("$made/* $made/.[!.]*")), 'globals.sql ledger.dump manifest.json', 'three files');
	is_deeply([ map { sprintf '%o', (stat $_)[2] & 0077 } $made, glob("$made/*") ], [ (0) x 4 ], 'for its owner only');

	my $manifest = manifest_of($made);
	is(join("\n", map { "$_->{tenant} $_->{chain} $_->{sequence} $_->{eventHash}" } @{ $manifest->{chains} }), $before, 'heads are those of the snapshot');
	is_deeply({ map { $_->{tenant} => $_->{events} } @{ $manifest->{tenants} } }, $counts, 'and so are the counts');
	my ($checkpoint) = map { $_->{checkpoint} } grep { $_->{tenant} eq 'globex' } @{ $manifest->{chains} };
	is(unpack('H*', encode_utf8($checkpoint)), $node->safe_psql($DB,
		q{SELECT encode(convert_to(checkpoint, 'UTF8'), 'hex') FROM ledger.ledger_merkle_roots WHERE tenant_id = 'globex'}), 'with the signed checkpoint');
	for my $file (@{ $manifest->{files} })
	{
		is(Digest::SHA->new(256)->addfile("$made/$file->{name}")->hexdigest, $file->{sha256}, "$file->{name} has its digest");
		is(-s "$made/$file->{name}", $file->{bytes}, 'and its size');
	}
	like(slurp_file("$made/globals.sql"), qr/^CREATE ROLE ledger_owner;/m, 'the roles are there');
	unlike(slurp_file("$made/globals.sql"), qr/PASSWORD/, 'without passwords');

	is_deeply([ restore_from($node, 'restored', "$made/ledger.dump") ], [ 0, '' ], 'it is restored into an empty database');
	is($node->safe_psql('restored', $heads), $before, 'which has the heads of the manifest');
	clean_by_both($node, 'and is clean', db => 'restored');
	rename $made, "$dir/ledger-20250101T000000Z" or die $!;
};

subtest 'as a member of ledger_backup, and what others can see' => sub {
	my $record = "printf '%s\\n' \"\$\@\" >>$work/seen\nenv >>$work/seen\ncat \"\$PGSERVICEFILE\" >>$work/service\nstat -c %a \"\$PGSERVICEFILE\" >>$work/mode\n";
	my $env = program_path('recorded', 'pg_dump', "${record}exec $real \"\$\@\"\n");
	program_path('recorded', 'pg_dumpall', "${record}exec ${real}all \"\$\@\"\n");
	my $run = Ledgerctl::run({ %$env, PGPASSWORD => $PASSWORD, LEDGER__DB__CONNECTIONSTRING =>
		$node->connstr($DB) . " user=bk password='$PASSWORD'" }, 'backup', '--json', '--dir', $dir);
	is($run->{code}, 0, 'it is made') or diag($run->{stderr});
	my $seen = slurp_file("$work/seen");
	like($seen, qr/^--snapshot=/m, 'pg_dump was seen');
	like($seen, qr/^--globals-only$/m, 'and pg_dumpall');
	is(() = $seen =~ /^--role=ledger_backup$/mg, 2, 'both become ledger_backup');
	unlike($seen, qr/\Q$PASSWORD\E/, 'no password in arguments or environment');
	like(slurp_file("$work/service"), qr/^password=\Q$PASSWORD\E$/m, 'it is in a file');
	is(slurp_file("$work/mode"), "600\n600\n", 'for its owner only');
	ok(!-e "$run->{json}{backup}/connection", 'which is gone');
	unlike($run->{stdout} . $run->{stderr}, qr/\Q$PASSWORD\E/, 'and it says nothing of it');
	is_deeply([ restore_from($node, 'by_member', "$run->{json}{backup}/ledger.dump") ], [ 0, '' ], 'it restores');
	is($node->safe_psql('by_member', $heads), $node->safe_psql($DB, $heads), 'to every head');
	rename $run->{json}{backup}, "$dir/ledger-20250102T000000Z" or die $!;
};

subtest 'what fails leaves nothing' => sub {
	my $before = names();
	my $run = backup({}, 'auditor');
	is($run->{code}, 1, 'a login of one tenant is refused');
	like($run->{stderr}, qr/row security shows "auditor" a part of the ledger.*GRANT ledger_backup/, 'and is told why');
	is(names(), $before, 'with no file');
	mkdir "$work/empty";
	$run = backup({ PATH => "$work/empty" }, undef);
	is($run->{code}, 1, 'without pg_dump it is refused');
	like($run->{stderr}, qr/client programs are needed, in PATH: .*pg_dump/, 'and is told');
	is(names(), $before, 'with nothing left');
	$run = backup(program_path('old', 'pg_dump', "echo 'pg_dump: error: aborting because of server version mismatch' >&2\necho 'pg_dump: detail: server version: 15.3; pg_dump version: 14.1' >&2\nexit 1\n"), undef);
	is($run->{code}, 1, 'an old pg_dump too');
	like($run->{stderr}, qr/pg_dump in PATH is older than the server: install .*pg_dump version: 14\.1/, 'and is told');
	$run = backup(program_path('broken', 'pg_dumpall', "exit 7\n"), undef);
	is($run->{code}, 1, 'a pg_dumpall that fails after pg_dump');
	like($run->{stderr}, qr/pg_dumpall ended with status 7/, 'is told');
	$run = backup(program_path('cut', 'pg_dump', "for a; do case \$a in --file=*) : >\"\${a#--file=}\";; esac; done\n"), undef);
	like($run->{stderr}, qr/"ledger\.dump" is empty/, 'and one that writes nothing');
	is(names(), $before, 'with nothing left');
};

subtest 'a run that is ended' => sub {
	my $before = names();
	POSIX::mkfifo("$work/fifo", 0600) or die $!;
	my $env = program_path('slow', 'pg_dump', "echo \$\$ >$work/fifo\nexec sleep 600\n");
	for my $signal (qw(TERM KILL))
	{
		my $handle = do { local %ENV = (%ENV, %$env);
			IPC::Run::start([ "$ROOT/gateway/bin/ledgerctl", 'backup', '--connection', $node->connstr($DB), '--dir', $dir ], '<', \'', '>&', \my $said) };
		chomp(my $dumping = slurp_file("$work/fifo"));
		my $second = backup({}, undef);
		like($second->{stderr}, qr/another backup is being made in/, 'meanwhile no other begins') if $signal eq 'TERM';
		$handle->signal($signal);
		$handle->finish;
		if ($signal eq 'TERM')
		{
			is($handle->result(0), 1, 'SIGTERM ends it');
			is(kill(0 => $dumping), 0, 'and its pg_dump');
			is(names(), $before, 'with nothing left');
			next;
		}
		# Nobody is left who could end it.
		kill KILL => $dumping;
		like(names(), qr/ledger-\S+\.partial$/, 'SIGKILL leaves a directory that is named so');
	}
	my $run = backup({}, undef);
	is($run->{code}, 0, 'the next one is made');
	like($run->{stderr}, qr/\.partial was left by a backup that did not end, and is removed/, 'and removes it');
	unlike(names(), qr/partial/, 'indeed');
	rename $run->{json}{backup}, "$dir/ledger-20250103T000000Z" or die $!;
};

subtest '--keep' => sub {
	# They look like old backups, and are somebody else's.
	mkdir "$dir/ledger-20240101T000000Z";
	append_to_file("$dir/ledger-20240101T000000Z/ledger.dump", 'x');
	mkdir "$dir/ledger-20240102T000000Z";
	append_to_file("$dir/ledger-20240102T000000Z/manifest.json", '{"kind":"other"}');
	mkdir "$dir/other";
	my $run = backup({}, undef, '--keep', 2);
	is($run->{code}, 0, 'it is made');
	is($run->{json}{removed}, 2, 'two are removed');
	is(names(), join(' ', qw(ledger-20240101T000000Z ledger-20240102T000000Z ledger-20250103T000000Z), $run->{json}{backup} =~ s{.*/}{}r, 'other'),
		'the oldest, and nothing without a manifest of ours');
	is(backup({}, undef, '--keep', 0)->{code}, 1, '--keep 0 is refused');
};

$node->stop;
done_testing();
