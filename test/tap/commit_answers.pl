# What pipelined commit may answer, and when: nothing about another
# transaction's event before that is durable, nothing before the standbys that it
# must wait for.
#
# A first attempt is held between the release of its locks and its flush.  Others
# already see its event; whoever would answer with it has to wait.  Then the
# power is lost: what was never on disk is gone, and nobody was told of it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use CommitWatch;
use JSON::PP ();
use LedgerCluster;
use LedgerCrash;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $watch = CommitWatch->new('commit_answers');
my ($node, $shim) = ($watch->node, $watch->shim);
# Each chain's first event registers it; these questions are about later ones.
for my $dbname ($DB, 'mutant')
{
	append($node, db => $dbname, finding => 'first', policyVersion => 'p');
}

sub request
{
	my ($finding, $id, %more) = @_;
	my %members = (tenant => 'acme', type => 'finding.created', findingId => $finding,
		policyVersion => 'p', artifactId => 'a', id => $id, %more);
	my $json = JSON::PP->new->ascii->canonical->encode(\%members);
	return "SELECT created, (event).sequence_no FROM ledger.ledger_append_request('$json');";
}

my $ids = 0;
sub new_id { return sprintf '01890000-0000-7000-8000-%012x', ++$ids }

sub wait_event
{
	my ($session) = @_;
	return $watch->observe('SELECT wait_event FROM pg_stat_activity WHERE pid = ' . $session->pid . ';');
}

# Sends what asks about the held event (if it was not sent yet): 'waits' for the flush or 'answers' before it.
sub reaction
{
	my ($session, $sql) = @_;
	$session->send($sql) if defined $sql;
	wait_until('an answer, or a wait for WAL',
		sub { $session->answered || wait_event($session) eq 'WALWrite' });
	return $session->answered ? 'answers' : 'waits';
}

# Of one profile and sequence there is one score.
sub scored
{
	my ($score) = @_;
	return (type => 'finding.risk_scored',
		payload => { risk => { score => $score, profileVersion => '1.0.0', eventSequence => 7 } });
}

# A first attempt with its event visible, unlocked and not flushed.
sub held_attempt
{
	my ($finding, $id, %more) = @_;
	my $session = $watch->session;
	$shim->hold;
	$session->send(request($finding, $id, %more));
	$shim->wait_held;
	my $seen = $watch->held($finding);
	die "the first attempt is not where it should be: $seen" if $seen ne $RELEASED_FIRST;
	return $session;
}

# A question to the ledger that can only be answered with the held event.  What else is named is the
# event's own.
sub question
{
	my ($make_sql, %options) = @_;
	my $meanwhile = delete $options{meanwhile};
	return sub {
		my ($watch) = @_;
		my ($finding, $id) = ($watch->new_name, new_id());
		my $asker = $watch->session;
		my $first = held_attempt($finding, $id, %options);
		$meanwhile->($finding) if $meanwhile;
		my $reaction = reaction($asker, $make_sql->($finding, $id));
		$shim->release;
		my $created = $first->answer =~ s/\|.*//r;
		my $answer = $asker->answer =~ s/\|.*//r;
		my ($sqlstate) = $asker->error =~ /ERROR:  (\w+):/;
		$_->close for $first, $asker;
		return ($created, $reaction, $sqlstate // $answer);
	};
}

sub head_of_p
{
	return $watch->observe("SELECT max(sequence_no) FROM ledger.ledger_events"
		. " WHERE tenant_id = 'acme' AND policy_version = 'p';");
}

my %broken = (
	'no wait at all' => [ "if (!XLogRecPtrIsInvalid(lsn))\n\t\tXLogFlush(lsn);" => '(void) lsn;' ],
	'no wait at the head' => [ "link.c: if (head->exists)\n\t\tledger_wait_durable(&head->origin);" => '' ],
	'no wait at the policy' => [ "link.c: return;\n\tledger_wait_durable(&head->origin);" => 'return;' ],
	'no wait at the finding' => [ "fold.c: return;\n\tledger_wait_durable_all();" => 'return;' ],
	'no wait at the risk' => [ "fold.c: return;\n\t\tledger_wait_durable_all();" => 'return;' ],
	'no wait after a violated key' => [ 'append.c: ledger_wait_durable_all();' => '' ],
	'frozen is durable' => [ 'lsn = origin->frozen_lsn;' => 'lsn = InvalidXLogRecPtr;' ],
	'no wait at the head of a tree' => [ 'tree.c: ledger_wait_durable(&origin);' => '' ],
);

sub asks
{
	my ($name, $scenario, $expected, $mutant) = @_;
	$watch->line($name, $scenario, [ 't', 'waits', $expected ]);
	$watch->broken($mutant, $broken{$mutant}, $scenario, [ 't', 'answers', $expected ]);
	return;
}

subtest 'an answer about an event waits until that is durable' => sub {
	asks('an idempotent retry', question(sub { request(@_) }), 'f', 'no wait at all');
	asks('the same event id with other content (LG409)',
		question(sub { request($_[0], $_[1], vulnId => 'CVE-2026-1') }), 'LG409', 'no wait at all');
	asks('the head that an expected sequence missed (LG409)',
		question(sub { request("$_[0]-b", new_id(), expectedSequence => 0 + head_of_p()) }), 'LG409',
		'no wait at the head');
	my $chain = $node->safe_psql($DB, "SELECT ledger.ledger_chain_id('acme', 'p')");
	asks('the policy version of a chain (LG409)',
		question(sub { request("$_[0]-b", new_id(), chainId => $chain, policyVersion => 'other') }),
		'LG409', 'no wait at the policy');
	asks('the chain of a finding (LG409)',
		question(sub { request($_[0], new_id(), chainId => '00000000-0000-8000-8000-000000000001') }),
		'LG409', 'no wait at the finding');
	asks('the recorded risk of a finding (LG409)',
		question(sub { request($_[0], new_id(), scored(2)) }, scored(1)), 'LG409', 'no wait at the risk');
};

# A checkpoint and a proof of all that is visible: do they cover the newest event?
my $covers = <<~SQL;
	SELECT split_part(ledger.ledger_checkpoint('acme', ledger.ledger_chain_id('acme', 'p')), E'\n', 2) = max(sequence_no)::text
	FROM ledger.ledger_events WHERE tenant_id = 'acme' AND policy_version = 'p';
	SQL
my $proves = <<~SQL;
	SELECT ledger.ledger_verify_inclusion(e.merkle_leaf_hash, e.sequence_no - 1, e.sequence_no,
		ledger.ledger_inclusion_proof('acme', e.chain_id, e.sequence_no), ledger.ledger_chain_root('acme', e.chain_id))
	FROM ledger.ledger_events AS e WHERE e.tenant_id = 'acme' AND e.policy_version = 'p' ORDER BY e.sequence_no DESC LIMIT 1;
	SQL
subtest 'what testifies to an event waits until that is durable' => sub {
	asks('a checkpoint', question(sub { $covers }), 't', 'no wait at the head of a tree');
	asks('a proof', question(sub { $proves }), 't', 'no wait at the head of a tree');
};

# The id is free when the second attempt looks, and taken when it stores its row.  In between
# stands, here only, a trigger.
sub build_gate
{
	my ($dbname) = @_;
	my $leaf = $node->safe_psql($dbname, "SELECT leaf FROM ledger.ledger_tenants WHERE tenant_id = 'acme'");
	$node->safe_psql($dbname, <<~SQL);
		CREATE FUNCTION public.gate() RETURNS trigger LANGUAGE plpgsql
			AS \$\$ BEGIN PERFORM pg_advisory_xact_lock_shared(43); RETURN NEW; END \$\$;
		CREATE TRIGGER zzzzz_gate BEFORE INSERT ON ledger.$leaf
			FOR EACH ROW WHEN (NEW.finding_id LIKE 'gate-%') EXECUTE FUNCTION public.gate();
		SQL
	return;
}

sub taken_meanwhile
{
	my ($watch) = @_;
	my ($finding, $id) = ($watch->new_name, new_id());
	my ($gate, $asker) = ($watch->session, $watch->session);
	$gate->ask_well('SELECT pg_advisory_lock(43);');
	$asker->send(request("gate-$finding", $id, policyVersion => "policy-$finding"));
	wait_until('the second attempt at the gate', sub { wait_event($asker) eq 'advisory' });
	my $first = held_attempt($finding, $id);
	$gate->ask_well('SELECT pg_advisory_unlock(43);');
	my $reaction = reaction($asker);
	$shim->release;
	my $created = $first->answer =~ s/\|.*//r;
	$asker->answer;
	my ($sqlstate) = $asker->error =~ /ERROR:  (\w+):/;
	$_->close for $first, $asker, $gate;
	return ($created, $reaction, $sqlstate // 'answered');
}
subtest 'an id that another chain takes at the last moment' => sub {
	build_gate($_) for $DB, 'mutant';
	asks('is told (LG409)', \&taken_meanwhile, 'LG409', 'no wait after a violated key');
	# Which verification would name.
	$node->safe_psql($_, 'DROP FUNCTION public.gate() CASCADE') for $DB, 'mutant';
};

# VACUUM may freeze a row whose transaction is visible and not yet flushed.
sub freeze
{
	my ($finding) = @_;
	my $session = $watch->session;
	my $leaf = $watch->observe("SELECT 'ledger.' || leaf FROM ledger.ledger_tenants WHERE tenant_id = 'acme';");
	$session->ask_well("SET synchronous_commit = off; VACUUM (FREEZE) $leaf;");
	$session->close;
	my $frozen = $watch->observe(<<~SQL);
		SELECT c.relfrozenxid::text::bigint > e.xmin::text::bigint
		FROM ledger.ledger_events AS e JOIN pg_class AS c ON c.oid = e.tableoid
		WHERE e.tenant_id = 'acme' AND e.finding_id = '$finding';
		SQL
	die 'the row was not frozen' if $frozen ne 't';
	return;
}
subtest 'a frozen row may not be durable yet' => sub {
	asks('an idempotent retry', question(sub { request(@_) }, meanwhile => \&freeze), 'f',
		'frozen is durable');
	asks('a checkpoint', question(sub { $covers }, meanwhile => \&freeze), 't', 'frozen is durable');
};

# What is left of a held first attempt and its retry when the power goes.
sub power_loss
{
	my ($dbname, $reaction) = @_;
	$watch->look_from($dbname);
	my ($finding, $id) = ($watch->new_name, new_id());
	my $asker = $watch->session;
	my $first = held_attempt($finding, $id);
	is(reaction($asker, request($finding, $id)), $reaction, "the retry $reaction");
	$shim->lose_power;
	wait_until('both to notice', sub { $first->answered && $asker->answered });
	ok($first->lost, 'the first attempt was never acknowledged');
	$_->close for $first, $asker;
	$watch->start($dbname);
	return $watch->observe("SELECT count(*) FROM ledger.ledger_events WHERE event_id = '$id';");
}
subtest 'a retry that waits while the power is lost' => sub {
	is(power_loss($DB, 'waits'), 0, 'the event is gone, and nobody was told that it existed');
	is(report($node)->{verdict}, 'clean', 'the chain is clean');
	my ($finding, $id) = ($watch->new_name, new_id());
	my $session = $watch->session;
	like($session->ask_well(request($finding, $id)), qr/^t\|/, 'and goes on');
	like($session->ask_well(request($finding, $id)), qr/^f\|/, 'a retry of what was acknowledged is answered');
	$session->close;
	$shim->lose_power;
	$watch->start($DB);
	is($watch->observe("SELECT count(*) FROM ledger.ledger_events WHERE event_id = '$id';"), 1,
		'and that survives the next loss of power');
};
subtest 'broken on purpose: a retry that does not wait' => sub {
	$watch->broken('no wait at all', $broken{'no wait at all'}, sub { 'worn' }, 'worn');
	is(power_loss('mutant', 'answers'), 0, 'an event that a retry was answered with is gone');
	$watch->look_from($DB);
};

# The chain is free while a flush is under way: what the lock is given back early for.
subtest 'the next append of the chain' => sub {
	my ($finding, $next) = ($watch->new_name, $watch->new_name);
	my $asker = $watch->session;
	my $first = held_attempt($finding, new_id());
	is(reaction($asker, request($next, new_id())), 'waits', 'it waits for its own flush');
	is($watch->observe(<<~SQL), 't', 'and stands behind the one that is not flushed yet');
		SELECT b.previous_hash = a.event_hash
		FROM ledger.ledger_events AS a JOIN ledger.ledger_events AS b USING (tenant_id, chain_id)
		WHERE a.tenant_id = 'acme' AND a.finding_id = '$finding' AND b.finding_id = '$next';
		SQL
	$shim->lose_power;
	wait_until('both to notice', sub { $first->answered && $asker->answered });
	ok($first->lost && $asker->lost, 'neither was acknowledged');
	$_->close for $first, $asker;
	$watch->start($DB);
	is($watch->observe("SELECT count(*) FROM ledger.ledger_events WHERE finding_id IN ('$finding', '$next');"),
		0, 'and both are gone');
	is(report($node)->{verdict}, 'clean', 'the chain that remains is whole');
};

sub set_standbys
{
	my ($names) = @_;
	my $session = $watch->session;
	$session->ask_well("SET synchronous_commit = local; ALTER SYSTEM SET synchronous_standby_names = '$names';"
		. ' SELECT pg_reload_conf();');
	$session->close;
	return if $names eq '';
	# The checkpointer tells everybody: from now on commits wait.
	my $probe = $watch->session;
	$probe->send("INSERT INTO public.other VALUES ('probe');");
	wait_until('a commit that waits for a standby', sub { wait_event($probe) eq 'SyncRep' });
	$probe->{in} = '';
	return $probe;
}

# Does the session wait for the standby after its flush, and for how long?
sub after_flush
{
	my ($session) = @_;
	wait_until('an answer, or a wait for the standby',
		sub { $session->answered || wait_event($session) eq 'SyncRep' });
	return $session->answered ? 'answered' : 'waits for the standby';
}

# The standbys' name is known when the transaction commits.
sub known_standby
{
	my ($setting) = @_;
	return sub {
		my ($watch) = @_;
		my $finding = $watch->new_name;
		my $probe = set_standbys('nobody');
		my $session = $watch->session;
		$shim->hold;
		$session->send("$setting " . $watch->append_sql($finding));
		$shim->wait_held;
		my @seen = $watch->held($finding);
		$shim->release;
		push @seen, after_flush($session);
		push @seen, $watch->held($finding) if $seen[-1] ne 'answered';
		set_standbys('');
		$_->answer, $_->close for $session, $probe;
		return @seen;
	};
}

# They are named while the appending statement runs, which cannot know of it.
sub late_standby
{
	my ($watch) = @_;
	my ($finding, $session, $gate) = ($watch->new_name, $watch->session, $watch->session);
	$gate->ask_well('SELECT pg_advisory_lock(42);');
	$session->send($watch->append_sql($finding) =~ s/SELECT FROM/SELECT pg_advisory_lock(42) FROM/r);
	wait_until('the statement at the gate', sub { wait_event($session) eq 'advisory' });
	my $probe = set_standbys('nobody');
	$gate->ask_well('SELECT pg_advisory_unlock(42);');
	my @seen = after_flush($session);
	set_standbys('');
	$_->answer, $_->close for $session, $probe;
	$gate->close;
	return @seen;
}

# A session that does not wait for standbys has committed: everybody sees what they do not have.
sub testified
{
	my ($question, $cancel) = @_;
	return sub {
		my ($watch) = @_;
		my ($finding, $session) = ($watch->new_name, $watch->session);
		my $probe = set_standbys('nobody');
		$session->ask_well('SET synchronous_commit = local; ' . $watch->append_sql($finding));
		$session->send($question);
		my @seen = after_flush($session);
		if ($cancel)
		{
			$watch->observe('SELECT pg_cancel_backend(' . $session->pid . ');');
			wait_until('the cancelled question', sub { $session->answered });
		}
		set_standbys('');
		push @seen, $session->answer, $session->error =~ /ERROR:  (\w+)/;
		$probe->answer;
		$_->close for $session, $probe;
		return @seen;
	};
}

subtest 'synchronous standbys' => sub {
	my $known = known_standby('');
	$watch->line('the mode steps aside: nothing shows before the standby has it', $known,
		[ $FLUSHED_FIRST, 'waits for the standby', $FLUSHED_FIRST ]);
	$watch->line('a session with synchronous_commit = off is flushed, and does not wait',
		known_standby('SET synchronous_commit = off;'), [ $FLUSHED_FIRST, 'answered' ]);
	$watch->broken('standbys are not asked for', [ 'standbys_configured() || ' => '(false && standbys_configured()) || ' ],
		$known, [ $RELEASED_FIRST, 'waits for the standby', $RELEASED_FIRST ]);

	$watch->line('named while a statement runs, they are waited for', \&late_standby,
		'waits for the standby');
	$watch->broken('no wait after the flush', [ 'SyncRepWaitForLSN(XactLastCommitEnd, true);' => '' ],
		\&late_standby, 'answered');
	$watch->line('a checkpoint waits for the standby, whatever the session waits for', testified($covers),
		[ 'waits for the standby', 't' ]);
	$watch->line('and so does a proof', testified($proves), [ 'waits for the standby', 't' ]);
	$watch->line('until it is cancelled', testified($covers, 1), [ 'waits for the standby', '', '57014' ]);
	$watch->broken('testified before the standby has it', [ 'tree.c: ledger_wait_replicated();' => '' ],
		testified($covers), [ 'answered', 't' ]);

	$watch->line('and once nobody is named, the mode is back',
		sub {
			my ($watch) = @_;
			my ($finding, $session) = ($watch->new_name, $watch->session);
			my $seen = $watch->commit($session, $watch->append_sql($finding), $finding);
			$session->close;
			return $seen;
		}, $RELEASED_FIRST);
};

$watch->stop;
done_testing();
