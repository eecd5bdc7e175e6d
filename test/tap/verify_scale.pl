# Verification of a million events: in parallel, in bounded memory, every row
# counted; and what was tampered with is still named alone.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::RealBin/lib";
use LedgerCluster;
use PostgreSQL::Test::Utils;
use IPC::Run;
use JSON::PP;
use Test::More;
use Time::HiRes qw(usleep);

my $events         = 1_000_000;
my $shared_buffers = 32;          # MiB; what a process touches of it is not its own
my $limit          = 64;          # MiB above shared buffers

my $node = ledger_node('scale', conf => <<~CONF);
	shared_buffers = ${shared_buffers}MB
	max_wal_size = 4GB
	checkpoint_timeout = 1h
	log_statement = none
	CONF

# Ten chains of two tenants; ten events a finding, so that there is much to fold.
$node->safe_psql($DB, <<~SQL);
	INSERT INTO ledger.ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, vuln_id, event_body)
	SELECT CASE i % 2 WHEN 0 THEN 'acme' ELSE 'globex' END,
		CASE (i / 10) % 5 WHEN 0 THEN 'finding.status_changed' WHEN 1 THEN 'finding.comment_added' ELSE 'finding.severity_changed' END,
		'F-' || i % 100000, 'policy-' || i % 10, 'pkg:deb/debian/openssl\@3.0.' || i % 20, 'CVE-2026-' || i % 5000,
		jsonb_build_object('status', (ARRAY['open', 'triaged', 'closed'])[1 + i % 3], 'severity', (i % 101) / 10.0,
			'comment', repeat('seen again, nothing new; ', 1 + i % 8))
	FROM generate_series(1, $events) AS i
	SQL
$node->safe_psql($DB, 'ANALYZE');

# The high-water mark of a process's memory, in MiB; it vanishes with the process.
sub high_water
{
	my ($pid) = @_;
	open my $status, '<', "/proc/$pid/status" or return 0;
	my ($kib) = map { /^VmHWM:\s+(\d+)/ ? $1 : () } <$status>;
	return ($kib // 0) / 1024;
}

# Runs SQL in one session; returns its output and the peak of its backend and of its workers.
sub run_watched
{
	my ($sql) = @_;
	my ($out, $err, %peak) = ('', '');
	my $run = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($DB), '-c', 'SELECT pg_backend_pid()', '-c', $sql ],
		'<', \undef, '>', \$out, '2>', \$err);
	my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
	while ($run->pumpable)
	{
		my @children = split ' ', slurp_file("/proc/$postmaster/task/$postmaster/children");
		for my $pid (@children)
		{
			my $mib = high_water($pid);
			$peak{$pid} = $mib if $mib > ($peak{$pid} // 0);
		}
		$run->pump_nb;
		usleep(20_000);
	}
	$run->finish or die $err;
	my ($pid, @lines) = split /\n/, $out;
	my %before = map { $_ => 1 } split ' ', slurp_file("/proc/$postmaster/task/$postmaster/children");
	my ($worker) = sort { $b <=> $a } map { $peak{$_} } grep { $_ != $pid && !$before{$_} } keys %peak;
	return (\@lines, $peak{$pid}, $worker // 0);
}

subtest 'a million events' => sub {
	my ($lines, $backend, $worker) = run_watched('SELECT ledger.ledger_verify_report()');
	my $report = JSON::PP->new->utf8->decode($lines->[0]);
	my ($rows, $chains, $findings) = split /\|/, $node->safe_psql($DB,
		'SELECT (SELECT count(*) FROM ledger.ledger_events), (SELECT count(*) FROM ledger.ledger_chains),
			(SELECT count(*) FROM ledger.findings_projection)');
	note "verified in $report->{durationMs} ms; backend $backend MiB, worker $worker MiB";
	is($report->{verdict}, 'clean', 'the verdict is clean');
	cmp_ok($rows, '>', $events, 'there are that many');
	is($report->{$_}, $rows, "every row is among the $_") for qw(rows links leaves payloads);
	is($report->{chains}, $chains, 'every chain was checked');
	is($report->{projections}, $findings, 'every finding was folded again');
	cmp_ok($report->{workers}, '>=', 1, 'a parallel worker took part');
	cmp_ok($backend - $shared_buffers, '<', $limit, "the backend stays below $limit MiB above shared buffers");
	cmp_ok($worker - $shared_buffers, '<', $limit, 'so does a worker');
};

# Row security is no obstacle to workers: they ask the same grants.
subtest 'an auditor of one tenant' => sub {
	login_role($node, 'acme_auditor', 'ledger_auditor', 'acme');
	my $report = JSON::PP->new->utf8->decode($node->safe_psql($DB, 'SELECT ledger.ledger_verify_report()',
		connstr => $node->connstr($DB) . ' user=acme_auditor'));
	is($report->{verdict}, 'clean', 'the verdict is clean');
	is($report->{rows}, $node->safe_psql($DB, q{SELECT count(*) FROM ledger.ledger_events WHERE tenant_id = 'acme'}), 'of his tenant alone');
	cmp_ok($report->{workers}, '>=', 1, 'with a parallel worker');
};

subtest 'three rows of a million' => sub {
	my $tamper = <<~'SQL';
		SET session_replication_role = replica;
		ALTER TABLE ledger.ledger_events DISABLE TRIGGER ledger_refuse_row, DISABLE TRIGGER ledger_refuse_statement;
		SELECT set_config('test.leaf', leaf, false) FROM ledger.ledger_tenants WHERE tenant_id = 'acme';
		DO $$ BEGIN EXECUTE format('ALTER TABLE ledger.%I DISABLE TRIGGER ledger_refuse_row, DISABLE TRIGGER ledger_refuse_direct', current_setting('test.leaf')); END $$;
		UPDATE ledger.ledger_events SET event_body = event_body || '{"severity": 0}' WHERE tenant_id = 'acme' AND policy_version = 'policy-2' AND sequence_no = 77777;
		UPDATE ledger.ledger_events SET actor_id = 'nobody' WHERE tenant_id = 'acme' AND policy_version = 'policy-4' AND sequence_no = 50000;
		DELETE FROM ledger.ledger_events WHERE tenant_id = 'acme' AND policy_version = 'policy-6' AND sequence_no = 12345;
		SQL
	$node->safe_psql($DB, $tamper);
	my ($lines, $backend, $worker) = run_watched(
		q{SELECT kind, sequence_no FROM ledger.ledger_verify('acme') ORDER BY 1});
	note "judged; backend $backend MiB, worker $worker MiB";
	is_deeply($lines, [ 'envelope_edited|50000', 'missing|12345', 'payload_edited|77777' ], 'each is named, and nothing else');
	cmp_ok($backend - $shared_buffers, '<', $limit, "the judge stays below $limit MiB above shared buffers");
};
done_testing();
