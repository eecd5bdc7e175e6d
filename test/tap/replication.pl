# Logical replication: what docs/how-to/replicate.md says.  The apply worker fires row
# triggers only, so a subscriber checks and links each row but does not project it; what a
# superuser forged on the publisher does not get in.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run ();
use LedgerCluster;
use PostgreSQL::Test::Utils qw(slurp_file);
use Test::More;

my $conf = "wal_level = logical\nmax_logical_replication_workers = 4\nwal_retrieve_retry_interval = 100ms";
my $publisher = ledger_node('publisher', init => { allows_streaming => 'logical' }, conf => $conf);
my $subscriber = ledger_node('subscriber', conf => $conf);

my ($create_publication) = map { /^ {4}(CREATE PUBLICATION .*;)/ ? $1 : () }
  split /\n/, slurp_file("$ROOT/docs/how-to/replicate.md");
ok($create_publication, 'the page has a command that publishes the events');

# The rows of all tenants but the ledger's own.
my $events = q{SELECT e FROM ledger.ledger_events AS e WHERE tenant_id <> 'ledger'
	ORDER BY tenant_id, chain_id, sequence_no};

sub catch_up
{
	$publisher->wait_for_catchup('ledger_copy');
	return;
}

# Waits until the apply worker has given up, and returns what it said of the matter.
sub refusal
{
	$subscriber->poll_query_until($DB, 'SELECT NOT subenabled FROM pg_subscription') or die 'still applying';
	my @log = split /\n/, slurp_file($subscriber->logfile);
	my ($last) = grep { $log[$_] =~ /ERROR:  / } reverse 0 .. $#log;
	return $log[$last] =~ s/.*ERROR:  //r;
}

# Goes on behind the transaction that was refused.
sub skip_refused
{
	my ($lsn) = reverse slurp_file($subscriber->logfile) =~ m{finished at ([0-9A-F]+/[0-9A-F]+)}g;
	$subscriber->safe_psql($DB, "ALTER SUBSCRIPTION ledger_copy SKIP (lsn = '$lsn')");
	$subscriber->safe_psql($DB, 'ALTER SUBSCRIPTION ledger_copy ENABLE');
	return;
}

# What a superuser can do to the publisher: no trigger sees this statement.
sub forge
{
	my ($sql) = @_;
	my $all = sub {
		return $publisher->safe_psql($DB, qq{SELECT string_agg(format('ALTER TABLE %s $_[0] TRIGGER %I;', tgrelid::regclass, tgname), ' ')
			FROM pg_trigger WHERE tgrelid = 'ledger.ledger_events'::regclass OR tgrelid = 'ledger.ledger_events_acme_822b33ad'::regclass});
	};
	$publisher->safe_psql($DB, 'BEGIN;' . $all->('DISABLE') . "$sql;\n" . $all->('ENABLE ALWAYS') . 'COMMIT;');
	return;
}

# A copy of the newest event of acme's chain as the next one, with some columns changed
# before its hashes are computed anew, as a forger would, and some after.
sub forged_row
{
	my ($before, $after) = map { defined $_ ? $_ : q{'{}'::jsonb} } @_[0, 1];
	return qq{WITH head AS (
			SELECT e FROM ledger.ledger_events AS e WHERE tenant_id = 'acme' AND policy_version = 'policy-1'
			ORDER BY sequence_no DESC LIMIT 1
		), forged AS (
			SELECT jsonb_populate_record(e, jsonb_build_object('sequence_no', (e).sequence_no + 1,
				'event_id', '01890000-0000-7000-8000-0000000000ff', 'previous_hash', (e).event_hash) || $before) AS r FROM head
		)
		INSERT INTO ledger.ledger_events
		SELECT (jsonb_populate_record(r, jsonb_build_object('event_hash', ledger.ledger_event_hash(r),
			'merkle_leaf_hash', ledger.ledger_leaf_hash(r)) || $after)).* FROM forged};
}

sub plain_verdict
{
	my $output;
	my $clean = IPC::Run::run([ 'psql', '-Xq', '-d', $subscriber->connstr($DB), '-f', "$ROOT/sql/audit/verify_plain.sql" ],
		'>&', \$output);
	return $clean ? 'clean' : $output;
}

# What the publisher had before is imported in order; the subscription copies nothing.
append_many($publisher, 'acme', 'F', 20);
my $old = $publisher->safe_psql($DB, q{SELECT jsonb_agg(jsonb_build_object('envelope', ledger.ledger_event_envelope(e),
	'eventHash', encode(event_hash, 'hex'), 'merkleLeafHash', encode(merkle_leaf_hash, 'hex'), 'payload', event_body,
	'salt', encode(payload_salt, 'base64')) ORDER BY sequence_no) FROM ledger.ledger_events AS e WHERE tenant_id = 'acme'});
$publisher->safe_psql($DB, $create_publication);
$subscriber->safe_psql($DB, 'SELECT ledger.ledger_import(' . literal($old) . ')');
my $connection = $publisher->connstr($DB) =~ s/'/''/gr;
$subscriber->safe_psql($DB, "CREATE SUBSCRIPTION ledger_copy CONNECTION '$connection'
	PUBLICATION ledger_events WITH (copy_data = false, disable_on_error = true)");

append_many($publisher, 'acme', 'G', 30);
append_many($publisher, 'globex', 'H', 10, policyVersion => 'policy-2');
append($publisher, finding => 'F-1', type => 'finding.closed', payload => { reason => "erledigt \x{2603}" });
catch_up();
is($subscriber->safe_psql($DB, $events), $publisher->safe_psql($DB, $events), 'the same rows arrive, behind the imported ones');
is($subscriber->safe_psql($DB, "SELECT count(*) FROM ledger.ledger_events WHERE event_type = 'ledger.guard_changed'"), 0,
	'and nothing of the publisher\'s own tenant');
is($subscriber->safe_psql($DB, q{SELECT count(*) FROM ledger.ledger_chains WHERE tenant_id <> 'ledger'}), 2, 'chains are registered');

# Row triggers only: no projection, until it is rebuilt.
my $projection = q{SELECT p FROM ledger.findings_projection AS p ORDER BY tenant_id, finding_id};
is($subscriber->safe_psql($DB, 'SELECT count(*) FROM ledger.findings_projection'), 20, 'replicated rows are not projected');
like(plain_verdict(), qr/projection_diverged/, 'which the plain verifier sees');
$subscriber->safe_psql($DB, "SELECT ledger.ledger_rebuild_projection('$_')") for qw(acme globex);
is($subscriber->safe_psql($DB, $projection), $publisher->safe_psql($DB, $projection), 'a rebuild makes the publisher\'s rows');
is(plain_verdict(), 'clean', 'then the plain verifier finds nothing');
is_deeply([ verify_kinds($subscriber) ], [], 'nor does ledger_verify()');

# A crash of the subscriber loses and repeats nothing.
append($publisher, finding => 'F-2', type => 'finding.closed');
$subscriber->stop('immediate');
append($publisher, finding => 'F-3', type => 'finding.closed');
$subscriber->start;
catch_up();
is($subscriber->safe_psql($DB, $events), $publisher->safe_psql($DB, $events), 'it goes on after a crash');

# Forgeries on the publisher.  Each is refused by the subscriber, which then stands still.
my @forgeries = (
	[ 'an envelope edited', [ undef, q{'{"actor_id": "eve"}'} ], qr/^event does not verify: envelope differs/ ],
	[ 'a payload edited', [ q{'{"event_body": {"severity": 1}}'} ], qr/^event does not verify: payloadHash differs/ ],
	[ 'an evaluation without hash', [ q{'{"evaluation": {"status": "resolved"}}'} ], qr/^event does not verify: evaluationHash is missing/ ],
	[ 'an evaluation with a false hash', [ q{jsonb_build_object('evaluation', '{}'::jsonb, 'evaluation_hash', sha256('x'))} ],
		qr/^event does not verify: evaluationHash differs/ ],
	[ 'a salt without payload', [ q{'{"event_body": null}'} ], qr/^payload must be a JSON object/ ],
	[ 'a false event hash', [ undef, q{jsonb_build_object('event_hash', sha256('x'))} ], qr/^event does not verify: eventHash differs/ ],
	[ 'a false leaf hash', [ undef, q{jsonb_build_object('merkle_leaf_hash', sha256('x'))} ], qr/^event does not verify: merkleLeafHash differs/ ],
	[ 'a gap', [ q{jsonb_build_object('sequence_no', (e).sequence_no + 2)} ], qr/^event has sequence 55, but the chain goes on with 54/ ],
	[ 'another predecessor', [ q{jsonb_build_object('previous_hash', sha256('x'))} ], qr/^event does not follow the chain's head: previousHash differs/ ],
	[ 'another policy version', [ q{'{"policy_version": "policy-9"}'} ], qr/^chain belongs to policy version "policy-1"/ ],
	[ 'a type nobody knows', [ q{'{"event_type": "finding.unheard_of"}'} ], qr/^unknown event type/ ],
);
for my $forgery (@forgeries)
{
	my ($name, $changes, $pattern) = @$forgery;
	forge(forged_row(@$changes));
	like(refusal(), $pattern, "refused: $name");
	# The forger covers his tracks, and the subscriber is told to go on.
	forge("DELETE FROM ledger.ledger_events WHERE event_id = '01890000-0000-7000-8000-0000000000ff'");
	skip_refused();
}
append($publisher, finding => 'F-4', type => 'finding.closed');
catch_up();
is($subscriber->safe_psql($DB, $events), $publisher->safe_psql($DB, $events), 'only what verifies got in');

# Being a replica is a matter of the worker, not of a setting.
fails_with($subscriber, 'SET session_replication_role = replica; ' . forged_row(), 'LG403',
	qr/is set by the ledger/, 'a session cannot pose as the apply worker');

# Whoever appends on the subscriber parts the chains.
append($subscriber, finding => 'F-5');
append($publisher, finding => 'F-6');
like(refusal(), qr/^event has sequence 55, but the chain goes on with 56/, 'a chain with two writers stops');

$_->stop for $subscriber, $publisher;
done_testing();
