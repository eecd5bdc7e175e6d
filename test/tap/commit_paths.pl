# Pipelined commit, line by line: which way a commit goes, on each of the ways
# that lead to one.
#
# Each scenario holds the flush of a commit and looks at it (CommitWatch): are the
# row visible and the chain unlocked before the flush, after it, or is there no
# flush at all.  Beside each line stands a build of the extension that lacks it,
# and what the same scenario sees then.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use CommitWatch;
use LedgerCluster;
use LedgerCrash;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $watch = CommitWatch->new('commit_paths');
my $node  = $watch->node;

# A scenario of one commit: the statements, with FINDING for the event's name.
sub statements
{
	my ($sql, %options) = @_;
	return sub {
		my ($watch) = @_;
		my $finding = $watch->new_name;
		my $session = $watch->session(%options);
		my $append  = $watch->append_sql($finding);
		my $another = $watch->append_sql($watch->new_name);
		my $other   = "INSERT INTO public.other VALUES ('other:$finding');";
		my $text = $sql =~ s/\bAPPEND\b/$append/gr =~ s/\bANOTHER\b/$another/gr =~ s/\bOTHER\b/$other/gr;
		my $seen = $watch->commit($session, $text, $text =~ /\Q$append\E/ ? $finding : "other:$finding");
		my $level = $session->ask_well('SHOW synchronous_commit;');
		$session->close;
		return ($seen, $level);
	};
}

# What a rolled back subtransaction undoes.
my @setting_in_trigger = (
	"\tappended = true;" => "\tif (!appended)\n\t\tSetConfigOption(\"synchronous_commit\", \"off\","
	  . " PGC_USERSET, PGC_S_SESSION);\n\tappended = true;",
	"\tset_level(SYNCHRONOUS_COMMIT_OFF);\n" => '');
# The flag that is still set in the next transaction: after a commit, and after an abort.
my @flag_outlives_commit =
  ("restore_level();\n\t\t\tappended = false;\n\t\t\tbreak;" => "restore_level();\n\t\t\tbreak;");
my @flag_outlives_abort = ("case XACT_EVENT_PREPARE:\n\t\t\trestore_level();\n\t\t\tappended = false;" =>
	  "case XACT_EVENT_PREPARE:\n\t\t\trestore_level();\n\t\t\tappended = appended && event == XACT_EVENT_ABORT;");

sub performed { return $_[0] =~ s/SELECT FROM/PERFORM/r }

subtest 'the ordinary ways' => sub {
	my $implicit = statements('APPEND');
	$watch->line('a statement of its own', $implicit, [ $RELEASED_FIRST, 'on' ]);
	$watch->line('a transaction block', statements('BEGIN; APPEND COMMIT;'), [ $RELEASED_FIRST, 'on' ]);
	$watch->line('a writer who is no superuser', statements('APPEND', user => 'acme_app'),
		[ $RELEASED_FIRST, 'on' ]);
	$watch->line('a commit without an append is left alone', statements('OTHER'),
		[ $FLUSHED_FIRST, 'on' ]);
	$watch->broken('no flush', [ 'XLogFlush(XactLastCommitEnd);' => '' ], $implicit,
		[ $NOT_FLUSHED, 'on' ]);
	$watch->broken('the level stays after a commit',
		[ "case XACT_EVENT_COMMIT:\n\t\t\trestore_level();" => 'case XACT_EVENT_COMMIT:' ], $implicit,
		[ $RELEASED_FIRST, 'off' ]);
	$watch->broken('flush under the locks',
		[ 'phase != RESOURCE_RELEASE_AFTER_LOCKS' => 'phase != RESOURCE_RELEASE_BEFORE_LOCKS' ],
		$implicit, [ 'flushed while visible, locked: t|t', 'on' ]);
};

subtest 'savepoints' => sub {
	my $before = statements('BEGIN; SAVEPOINT s; ANOTHER ROLLBACK TO s; APPEND COMMIT;');
	$watch->line('rolled back before the append', $before, [ $RELEASED_FIRST, 'on' ]);
	$watch->line('rolled back after it',
		statements('BEGIN; APPEND SAVEPOINT s; ANOTHER ROLLBACK TO s; COMMIT;'), [ $RELEASED_FIRST, 'on' ]);
	$watch->line('released', statements('BEGIN; SAVEPOINT s; APPEND RELEASE s; COMMIT;'),
		[ $RELEASED_FIRST, 'on' ]);
	$watch->line('a setting of the session survives',
		statements('SET synchronous_commit = local; BEGIN; SAVEPOINT s; ANOTHER ROLLBACK TO s; APPEND COMMIT;'),
		[ $RELEASED_FIRST, 'local' ]);
	$watch->line('and so does one of the transaction, as long as that lasts',
		statements('BEGIN; SET LOCAL synchronous_commit = off; APPEND COMMIT;'), [ $RELEASED_FIRST, 'on' ]);
	$watch->broken('setting in the trigger', \@setting_in_trigger, $before, [ $FLUSHED_FIRST, 'on' ]);
};

subtest 'EXCEPTION blocks' => sub {
	my $inside = sub {
		my ($sql) = @_;
		return sub {
			my ($watch) = @_;
			my $finding = $watch->new_name;
			my $append  = performed($watch->append_sql($finding));
			my $another = performed($watch->append_sql($watch->new_name));
			my $session = $watch->session;
			my $body = $sql =~ s/APPEND/$append/r =~ s/ANOTHER/$another/r;
			my $seen = $watch->commit($session, "DO \$\$ BEGIN $body END \$\$;", $finding);
			my $level = $session->ask_well('SHOW synchronous_commit;');
			$session->close;
			return ($seen, $level);
		};
	};
	my $failed = 'PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN';
	my $handler = $inside->("BEGIN ANOTHER $failed APPEND END;");
	$watch->line('an append in the handler', $handler, [ $RELEASED_FIRST, 'on' ]);
	$watch->broken('setting in the trigger', \@setting_in_trigger, $handler, [ $FLUSHED_FIRST, 'on' ]);
	$watch->line('an append before the block', $inside->("APPEND BEGIN ANOTHER $failed NULL; END;"),
		[ $RELEASED_FIRST, 'on' ]);
	$watch->line('an append that succeeds inside',
		$inside->('BEGIN APPEND EXCEPTION WHEN OTHERS THEN NULL; END;'), [ $RELEASED_FIRST, 'on' ]);
};

subtest 'COMMIT inside a procedure or DO' => sub {
	my $three_commits = sub {
		my ($wrap) = @_;
		return sub {
			my ($watch) = @_;
			my ($first, $second, $third) = map { $watch->new_name } 1 .. 3;
			my $session = $watch->session;
			my $body = performed($watch->append_sql($first)) . ' COMMIT; '
			  . "INSERT INTO public.other VALUES ('other:$second'); COMMIT; "
			  . performed($watch->append_sql($third)) . ' COMMIT;';
			my @seen;
			$session->ask_well(sprintf $wrap->[0], $body) if @$wrap > 1;
			$watch->shim->hold;
			$session->send(sprintf $wrap->[-1], $body);
			for my $row ($first, "other:$second", $third)
			{
				$watch->shim->wait_held;
				push @seen, $watch->held($row);
				$watch->shim->step unless $row eq $third;
			}
			$watch->shim->release;
			$session->answer;
			push @seen, $session->error;
			$watch->remember($_) for $third;
			$session->close;
			return @seen;
		};
	};
	my $expected = [ $RELEASED_FIRST, $FLUSHED_FIRST, $RELEASED_FIRST, '' ];
	my $do = $three_commits->([ 'DO $$ BEGIN %s END $$;' ]);
	$watch->line('three commits of one DO', $do, $expected);
	$watch->broken('the flag outlives its transaction', \@flag_outlives_commit, $do,
		[ $RELEASED_FIRST, $RELEASED_FIRST, $RELEASED_FIRST, '' ]);
	$watch->line('three commits of a procedure', $three_commits->([
			'CREATE OR REPLACE PROCEDURE public.commits() LANGUAGE plpgsql AS $$ BEGIN %s END $$;',
			'CALL public.commits();' ]), $expected);
};

my $chain = sub {
	my ($watch) = @_;
	my ($first, $second, $third) = map { $watch->new_name } 1 .. 3;
	my $session = $watch->session;
	my @seen;
	push @seen, $watch->commit($session, 'BEGIN; ' . $watch->append_sql($first) . ' COMMIT AND CHAIN;', $first);
	push @seen, $watch->commit($session,
		"INSERT INTO public.other VALUES ('other:$second'); COMMIT AND CHAIN;", "other:$second");
	push @seen, $watch->commit($session, $watch->append_sql($third) . ' COMMIT;', $third);
	$session->close;
	return @seen;
};
subtest 'COMMIT AND CHAIN' => sub {
	$watch->line('each transaction of a chain goes its own way', $chain,
		[ $RELEASED_FIRST, $FLUSHED_FIRST, $RELEASED_FIRST ]);
	$watch->broken('the flag outlives its transaction', \@flag_outlives_commit, $chain,
		[ $RELEASED_FIRST, $RELEASED_FIRST, $RELEASED_FIRST ]);
};

# After a commit that failed: its SQLSTATE, how the next two commits go, and the level.
sub after_failure
{
	my ($watch, $session, $sqlstate) = @_;
	my ($plain, $finding) = ('other:' . $watch->new_name, $watch->new_name);
	my @seen = $sqlstate;
	push @seen, $watch->commit($session, "INSERT INTO public.other VALUES ('$plain');", $plain);
	push @seen, $watch->commit($session, $watch->append_sql($finding), $finding);
	push @seen, $session->ask_well('SHOW synchronous_commit;');
	$session->close;
	return @seen;
}

sub sqlstate { return $_[0]->error =~ /ERROR:  (\w{5}):/ ? $1 : $_[0]->error }

subtest 'a commit that fails' => sub {
	my $serialization = sub {
		my ($watch) = @_;
		my ($session, $rival) = ($watch->session, $watch->session);
		my $skew = 'SELECT count(*) FROM public.skew; INSERT INTO public.skew VALUES (1);';
		$watch->observe('CREATE TABLE IF NOT EXISTS public.skew (n integer);');
		$session->ask_well('BEGIN ISOLATION LEVEL SERIALIZABLE;' . $watch->append_sql($watch->new_name) . $skew);
		$rival->ask_well("BEGIN ISOLATION LEVEL SERIALIZABLE; $skew COMMIT;");
		$session->ask('COMMIT;');
		$rival->close;
		return after_failure($watch, $session, sqlstate($session));
	};
	$watch->line('after pre-commit, by a serialization failure', $serialization,
		[ '40001', $FLUSHED_FIRST, $RELEASED_FIRST, 'on' ]);
	$watch->broken('the level is not restored',
		[ "case XACT_EVENT_PREPARE:\n\t\t\trestore_level();" => "case XACT_EVENT_PREPARE:" ],
		$serialization, [ '40001', $NOT_FLUSHED, $RELEASED_FIRST, 'on' ]);

	my $deferred = sub {
		my ($watch) = @_;
		my $session = $watch->session;
		$session->ask_well(<<~'SQL');
			CREATE TABLE IF NOT EXISTS public.refusing (n integer);
			CREATE OR REPLACE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql
				AS $$ BEGIN RAISE 'refused' USING ERRCODE = 'P0042'; END $$;
			CREATE OR REPLACE TRIGGER dummy BEFORE DELETE ON public.refusing
				FOR EACH ROW EXECUTE FUNCTION public.refuse();
			DROP TRIGGER IF EXISTS refuse ON public.refusing;
			CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON public.refusing
				DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.refuse();
			SQL
		$session->ask_well('BEGIN;' . $watch->append_sql($watch->new_name)
			. 'INSERT INTO public.refusing VALUES (1);');
		$session->ask('COMMIT;');
		return after_failure($watch, $session, sqlstate($session));
	};
	$watch->line('by a deferred trigger', $deferred, [ 'P0042', $FLUSHED_FIRST, $RELEASED_FIRST, 'on' ]);
	$watch->broken('the flag outlives an abort', \@flag_outlives_abort, $deferred,
		[ 'P0042', $RELEASED_FIRST, $RELEASED_FIRST, 'on' ]);
};

subtest 'PREPARE TRANSACTION' => sub {
	my $prepared = sub {
		my ($watch) = @_;
		my ($finding, $next, $plain) = ($watch->new_name, $watch->new_name, 'other:' . $watch->new_name);
		my $session = $watch->session;
		my @seen = $watch->commit($session,
			'BEGIN;' . $watch->append_sql($finding) . "PREPARE TRANSACTION '$finding';", $finding);
		push @seen, $watch->commit($session, "INSERT INTO public.other VALUES ('$plain');", $plain);
		push @seen, $session->ask_well('SHOW synchronous_commit;');
		push @seen, $watch->commit($session, "COMMIT PREPARED '$finding';", $finding);
		push @seen, $watch->commit($session, $watch->append_sql($next), $next);
		$session->close;
		return @seen;
	};
	$watch->line('is flushed as ever, and so is its commit', $prepared,
		[ $FLUSHED_FIRST, $FLUSHED_FIRST, 'on', $FLUSHED_FIRST, $RELEASED_FIRST ]);
	$watch->broken('PREPARE leaves the flag',
		[ "case XACT_EVENT_PREPARE:\n\t\t\trestore_level();\n\t\t\tappended = false;" =>
			  "case XACT_EVENT_PREPARE:\n\t\t\trestore_level();\n\t\t\tappended = appended && event == XACT_EVENT_PREPARE;" ],
		$prepared, [ $FLUSHED_FIRST, $RELEASED_FIRST, 'on', $FLUSHED_FIRST, $RELEASED_FIRST ]);
};

subtest 'synchronous_commit = off' => sub {
	my $off = statements('SET synchronous_commit = off; APPEND');
	$watch->line('the append is flushed all the same', $off, [ $RELEASED_FIRST, 'off' ]);
	$watch->line('other commits are not', statements('SET synchronous_commit = off; OTHER'),
		[ $NOT_FLUSHED, 'off' ]);
	$watch->broken('off is taken at its word',
		[ 'if (wants_async && ledger_allow_lossy_append)' => 'if (wants_async)' ], $off,
		[ $NOT_FLUSHED, 'off' ]);
};

subtest 'ledger.allow_lossy_append' => sub {
	my $lossy = statements('SET synchronous_commit = off; SET ledger.allow_lossy_append = on; APPEND');
	$watch->line('lets such a session append without a flush', $lossy, [ $NOT_FLUSHED, 'off' ]);
	$watch->line('and no other',
		statements('SET ledger.allow_lossy_append = on; APPEND'), [ $RELEASED_FIRST, 'on' ]);
	$watch->broken('it is ignored',
		[ "if (wants_async && ledger_allow_lossy_append)\n\t\treturn;" => '' ], $lossy,
		[ $RELEASED_FIRST, 'off' ]);
	fails_with($node, "SELECT ledger.ledger_uuid_v7(); SET ledger.allow_lossy_append = on", '42501',
		qr/permission denied/, 'only a superuser may set it', user => 'acme_app');
	$watch->line('not even before the extension is loaded, when any name may be set',
		statements('SET synchronous_commit = off; SET ledger.allow_lossy_append = on; APPEND', user => 'acme_app'),
		[ $RELEASED_FIRST, 'off' ]);
	is($node->safe_psql($DB, <<~'SQL'), 'f', 'and it shows in the guard state');
		SET ledger.allow_lossy_append = on;
		SELECT ok FROM ledger.ledger_guard_state() WHERE object = 'ledger.allow_lossy_append'
		SQL
	is($node->safe_psql($DB, <<~'SQL'), 't', 'as it does when it is off');
		SELECT ok FROM ledger.ledger_guard_state() WHERE object = 'ledger.allow_lossy_append'
		SQL
};

subtest 'ledger.pipelined_commit = off' => sub {
	my $plain = statements('SET ledger.pipelined_commit = off; APPEND', user => 'acme_app');
	my $both  = statements('SET ledger.pipelined_commit = off; SET synchronous_commit = off; APPEND');
	$watch->line('the server commits in its own way', $plain, [ $FLUSHED_FIRST, 'on' ]);
	$watch->line('and flushes for a session with synchronous_commit = off', $both, [ $FLUSHED_FIRST, 'off' ]);
	$watch->broken('it is ignored', [ ' || !ledger_pipelined_commit' => '' ], $plain, [ $RELEASED_FIRST, 'on' ]);
	$watch->broken('off is taken at its word there', [ "set_level(SYNCHRONOUS_COMMIT_LOCAL_FLUSH);" => '(void) 0;' ],
		$both, [ $NOT_FLUSHED, 'off' ]);
};

my ($known, @late) = $watch->on_disk_in_time;
cmp_ok($known, '>=', 20, "$known commits were followed");
is_deeply(\@late, [], 'the commit record of each was on disk before its answer');

$node->start;
is(report($node)->{verdict}, 'clean', 'the chain is clean after all of it');
$node->stop;
done_testing();
