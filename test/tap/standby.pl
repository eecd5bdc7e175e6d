# A hot standby: it verifies and is read like the primary, takes no appends, and
# goes on with the chains once it is promoted.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::RealBin/lib";
use JSON::PP ();
use LedgerCluster;
use LedgerCrash;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = ledger_node('primary', fsync => 1, init => { allows_streaming => 1 },
	conf => "log_statement = none\nmax_wal_senders = 4");
login_role($primary, 'acme_app', 'ledger_writer', 'acme');
login_role($primary, 'acme_reader', 'ledger_reader', 'acme');
login_role($primary, 'acme_auditor', 'ledger_auditor', 'acme');
append_many($primary, 'acme', 'A', 30);
append_many($primary, 'globex', 'G', 10);

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# What came after the base backup comes by streaming.
my $known = '01890000-0000-7000-8000-00000000000a';
my %comment = (tenant => 'acme', type => 'finding.comment_added', findingId => 'A-1', artifactId => 'a',
	policyVersion => 'policy-1', id => $known, payload => { comment => 'seen on both — 両方で' });
append($primary, %comment, user => 'acme_app');
$primary->wait_for_catchup($standby);

# The first attempt once more, in ASCII.
my $retry = 'SELECT created, (event).sequence_no FROM ledger.ledger_append_request('
  . literal(JSON::PP->new->ascii->canonical->encode(\%comment)) . ')';

subtest 'verification on the standby' => sub {
	my ($here, $there) = map { report($_) } $standby, $primary;
	is($here->{verdict}, 'clean', 'the verdict is clean');
	is($here->{rows}, $standby->safe_psql($DB, 'SELECT count(*) FROM ledger.ledger_events'),
		'every row was checked');
	is($here->{$_}, $there->{$_}, "as many $_ as on the primary") for qw(rows links leaves chains);
	is_deeply([ verify_kinds($standby) ], [], 'ledger_verify() finds nothing');
	is($standby->safe_psql($DB, "SELECT count(*) FROM ledger.ledger_verify()",
			connstr => $standby->connstr($DB) . ' user=acme_auditor'), 0, 'an auditor may ask there too');
	is(content_digest($standby, $DB), content_digest($primary, $DB), 'every table has the same content');
};

# What a server says of the tree of acme's chain: its checkpoint, and digests of every proof.
my $tree = <<~SQL;
	SELECT ledger.ledger_checkpoint('acme', c), md5(string_agg(ledger.ledger_inclusion_proof('acme', c, n)::text, '' ORDER BY n)),
		md5(string_agg(ledger.ledger_consistency_proof('acme', c, n, 31)::text, '' ORDER BY n))
	FROM ledger.ledger_chain_id('acme', 'policy-1') AS c, generate_series(1, 31) AS n GROUP BY c
	SQL
subtest 'proofs from the standby' => sub {
	my $here = $standby->safe_psql($DB, $tree, connstr => $standby->connstr($DB) . ' user=acme_reader');
	like($here, qr{/acme/[0-9a-f-]{36}\n31\n}, 'a checkpoint of all that has arrived');
	is($here, $primary->safe_psql($DB, $tree), 'the same, and the same proofs, as from the primary');
};

# Rows of ledger_events and findings_projection that a role sees with a tenant selected.
sub seen_by
{
	my ($user, $tenant) = @_;
	return $standby->safe_psql($DB, <<~SQL, connstr => $standby->connstr($DB) . " user=$user");
		SET app.current_tenant = '$tenant';
		SELECT (SELECT count(*) FROM ledger.ledger_events), (SELECT count(*) FROM ledger.findings_projection)
		SQL
}

subtest 'reading on the standby' => sub {
	is(seen_by('acme_reader', 'acme'), '31|30', 'a reader sees the tenant it was granted');
	is(seen_by('acme_reader', 'globex'), '0|0', 'and no other');
	is(($standby->psql($DB, 'SELECT count(*) FROM ledger.ledger_events',
				connstr => $standby->connstr($DB) . ' user=acme_reader'))[1], 0, 'nor any without selecting one');
	is((query_json($standby, <<~SQL))[0]{comment}, 'seen on both — 両方で', 'text arrives as it was written');
		SELECT event_body ->> 'comment' AS comment FROM ledger.ledger_events WHERE event_id = '$known'
		SQL
};

subtest 'the standby takes no appends' => sub {
	my $event = '{"tenant": "acme", "type": "finding.created", "findingId": "A-x",'
	  . ' "artifactId": "a", "policyVersion": "policy-1"}';
	my $plain = "SELECT ledger.ledger_append('acme', 'finding.created', 'A-x', 'policy-1', 'a')";
	my %calls = (
		'ledger_append' => $plain,
		'ledger_append of a request' => "SELECT ledger.ledger_append('$event'::jsonb)",
		'ledger_append_request' => "SELECT ledger.ledger_append_request('$event')",
		'ledger_append_many' => "SELECT ledger.ledger_append_many('[$event]')",
		'the retry of a stored event' => $retry);
	my $refusal = qr/cannot execute ledger_append\(\) in a read-only transaction/;
	fails_with($standby, $calls{$_}, '25006', $refusal, "$_ is refused", user => 'acme_app') for sort keys %calls;
	fails_with($primary, "START TRANSACTION READ ONLY; $_", '25006', $refusal,
		'and so it is in a read-only transaction of the primary', user => 'acme_app') for $plain, $retry;
	fails_with($standby, "SELECT ledger.ledger_create_tenant('initech')", '25006', qr/during recovery/,
		'nor new tenants');
	fails_with($standby, "INSERT INTO ledger.ledger_events (tenant_id) VALUES ('acme')", '25006',
		qr/read-only/, 'nor rows by INSERT');
	is(report($standby)->{rows}, report($primary)->{rows}, 'nothing changed');
};

subtest 'tampering on the primary is found on the standby' => sub {
	my $before = $primary->safe_psql($DB, "SELECT event_body FROM ledger.ledger_events WHERE event_id = '$known'");
	$primary->safe_psql($DB, slurp_file("$ROOT/deploy/dev/tamper.sql"));
	$primary->wait_for_catchup($standby);
	my @found = verify_kinds($standby);
	is(scalar(grep { /^payload_edited 31$/ } @found), 1, 'the touched row is named') or diag(explain(\@found));
	is_deeply(\@found, [ verify_kinds($primary) ], 'and what else the primary finds');
	is(report($standby)->{verdict}, 'tampered', 'the verdict says so');

	# What was there, put back the same way: all is clean again.
	my $undo = slurp_file("$ROOT/deploy/dev/tamper.sql");
	utf8::decode($before);
	$undo =~ s/\{"comment": "Nothing to see here\."\}/$before/ or die 'the tampering has other words now';
	$primary->safe_psql($DB, $undo);
	$primary->wait_for_catchup($standby);
	is_deeply([ grep { /payload/ } verify_kinds($standby) ], [], 'put back, it is clean again');
};

sub wait_for_synchronous
{
	wait_until('a synchronous standby', sub {
		$primary->safe_psql('postgres', 'SELECT sync_state FROM pg_stat_replication') eq 'sync'
	});
	return;
}

# From here on nothing counts as acknowledged that the standby does not have.
my $name = $standby->name;
$primary->append_conf('postgresql.conf', "synchronous_standby_names = '\"$name\"'");
$primary->reload;
wait_for_synchronous();

subtest 'nothing is testified that a synchronous standby does not have' => sub {
	my $size = "SELECT split_part(ledger.ledger_checkpoint('acme', ledger.ledger_chain_id('acme', 'policy-1')), E'\\n', 2)";
	is($primary->safe_psql($DB, $size), 31, 'a checkpoint, while it is there');
	$standby->stop;
	$primary->safe_psql($DB, "SET synchronous_commit = local; SELECT FROM ledger.ledger_append('acme', 'finding.created', 'A-l', 'policy-1', 'a')");
	fails_with($primary, "SET statement_timeout = '500ms'; $size", '57014', qr/statement timeout/, 'while it is away, nobody is answered');
	$standby->start;
	wait_for_synchronous();
	is($primary->safe_psql($DB, $size), 32, 'and once it has caught up, everybody');
};

subtest 'the primary dies under load, and the standby is promoted' => sub {
	my $load = start_load($primary, clients => 8, chains => 2, prefix => 'failover', user => 'acme_app');
	wait_for_acks($load, 160);
	kill_server($primary);
	my @acks = finish_load($load);
	$standby->promote;
	is_deeply([ lost_acks($standby, $DB, @acks) ], [],
		'each acknowledged event is there exactly once: ' . @acks);
	is(report($standby)->{verdict}, 'clean', 'the promoted ledger is clean');

	my $head = $standby->safe_psql($DB, "SELECT max(sequence_no) FROM ledger.ledger_events"
		. " WHERE tenant_id = 'acme' AND policy_version = 'failover-0'");
	my $event = append($standby, finding => 'after', policyVersion => 'failover-0', user => 'acme_app');
	is($event->{sequence_no}, $head + 1, 'the chain goes on where it stood');
	my ($again) = query_json($standby, $retry, user => 'acme_app');
	is_deeply($again, { created => JSON::PP::false, sequence_no => 31 },
		'what the old primary stored is answered to a retry');

	my $timeline = "SELECT ok, hint FROM ledger.ledger_check_runtime() WHERE check_name = 'timeline'";
	like($standby->safe_psql($DB, $timeline), qr/^f\|.*ledger_after_restore/, 'the fail-over shows until it is told');
	$standby->safe_psql($DB, "CALL ledger.ledger_after_restore('the primary died')");
	like($standby->safe_psql($DB, $timeline), qr/^t\|/, 'and then is in the chains');
	is_deeply([ verify_kinds($standby) ], [], 'ledger_verify() finds nothing');
	is(plain_verdict($standby, $DB), 'clean', 'and the plain verifier agrees');
};

$standby->stop;
done_testing();
