# The commands of ledgerctl that operators use every day: tenant, status, rebuild.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use LedgerCluster;
use Ledgerctl;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = ledger_node('operators', fsync => 1, tenants => []);
$node->safe_psql($DB, 'CREATE ROLE olga LOGIN IN ROLE ledger_operator');
$node->safe_psql($DB, 'CREATE ROLE ann LOGIN IN ROLE ledger_auditor');
$node->safe_psql($DB, 'CREATE ROLE shop LOGIN');

# ledgerctl as a login, with --json.
sub as
{
	my ($login, @arguments) = @_;
	return Ledgerctl::run({}, @arguments, '--json', '--connection', $node->connstr($DB) . ($login ? " user=$login" : ''));
}

sub check_named
{
	my ($run, $name) = @_;
	my ($check) = grep { $_->{name} eq $name } @{ $run->{json}{checks} };
	return $check || { verdict => 'absent' };
}

subtest 'tenants' => sub {
	my $made = as('olga', 'tenant', 'create', 'acme', '--settings', '{"note": "first"}');
	is($made->{code}, 0, 'an operator makes one') or diag($made->{stderr});
	is_deeply([ @{ $made->{json} }{qw(tenant created)} ], [ 'acme', JSON::PP::true ], 'and is told');
	is(as('olga', 'tenant', 'create', 'acme')->{json}{created}, JSON::PP::false, 'one that is there is left');
	my $other = as('olga', 'tenant', 'create', 'acme', '--settings', '{"note": "second"}');
	is($other->{code}, 1, 'other settings');
	like($other->{stderr}, qr/LG409: tenant "acme" exists with other settings/, 'are refused');
	like(as('olga', 'tenant', 'create', 'no slash/')->{stderr}, qr/LG400: tenant name is not valid/, 'a bad name is');
	my $denied = as('ann', 'tenant', 'create', 'globex');
	is($denied->{code}, 1, 'an auditor makes none');
	like($denied->{stderr}, qr/permission denied for function ledger_create_tenant/, 'and is told why');

	is(as('olga', 'tenant', 'grant', 'acme', $_)->{code}, 0, "$_ may touch it") for qw(ann shop);
	is(as('', 'tenant', 'grant', 'acme', 'shop', '--role', 'writer')->{json}{role}, 'ledger_writer', 'and write, if a superuser says so');
	is($node->safe_psql($DB, q{SELECT pg_has_role('shop', 'ledger_writer', 'MEMBER')}), 't', 'which is so');
	like(as('olga', 'tenant', 'grant', 'acme', 'shop', '--role', 'owner')->{stderr}, qr/must be one of reader, writer/, 'nobody becomes the owner');
	is(as('olga', 'tenant', 'grant', 'acme', 'ghost')->{code}, 4, 'a login that is not there');
	is(as('olga', 'tenant', 'grant', 'ghost', 'shop')->{code}, 4, 'and a tenant');
	like(as('olga', 'tenant', $_->[0], @{ $_->[1] })->{stderr}, $_->[2], "tenant @{ [ $_->[0], @{ $_->[1] } ] } is wrong use")
	  for [ 'create', [], qr/create needs a NAME/ ], [ 'list', ['x'], qr/list needs no more/ ], [ 'drop', ['acme'], qr/can create, list and grant/ ],
		[ 'list', [ '--role', 'writer' ], qr/--role goes with tenant grant/ ];

	append_many($node, 'acme', 'F', 5);
	my ($acme) = grep { $_->{tenant} eq 'acme' } @{ as('ann', 'tenant', 'list')->{json}{tenants} };
	is_deeply([ @{$acme}{qw(chains events grants)} ], [ 1, 5, [qw(ann shop)] ], 'the list has chains, events and grants');
	my ($hidden) = grep { $_->{tenant} eq 'acme' } @{ as('olga', 'tenant', 'list')->{json}{tenants} };
	ok(!exists $hidden->{events}, 'who may not see the events is not told that there are none');
};

subtest 'status' => sub {
	my $run = as('ann', 'status');
	is($run->{code}, 0, 'a healthy ledger') or diag($run->{stderr});
	is_deeply([ map { $_->{tenant} } @{ $run->{json}{tenants} } ], ['acme'], 'shows the tenants that are granted');
	is_deeply([ @{ $run->{json}{tenants}[0] }{qw(chains events unanchoredEvents)} ], [ 1, 5, 5 ], 'with numbers');
	is($run->{json}{server}{migrations}, scalar(() = glob("$ROOT/migrations/[0-9]*.sql")), 'and the migrations');
	is(check_named($run, $_)->{verdict}, 'ok', "check $_") for 'guards', 'migrations', 'partitions', 'anchoring', 'projection', 'connections', 'copy';
	is(check_named($run, 'verification')->{verdict}, 'not applicable', 'nothing was verified yet');
	is(as('ann', 'status', '--max-verification-age', '7d')->{code}, 3, 'which is wrong where it is asked for');

	$node->safe_psql($DB, 'SELECT ledger.ledger_create_tenant(' . literal('globex') . ')');
	like(as('ann', 'status')->{stderr}, qr/1 of 2 tenants are not granted to this role and are not shown/, 'what it does not see is said');
	like(Ledgerctl::run({}, 'status', '--connection', $node->connstr($DB))->{stdout},
		qr/^tenant +chains +events.*^acme +1 +5 +5 +- +- +0\.000 +0\.0 +-\n.*^ok +guards +as they must be$/ms, 'and a table for people');
	my $plain = as('shop', 'status');
	is($plain->{code}, 1, 'a writer');
	like($plain->{stderr}, qr/permission denied/, 'is refused');
	is(Ledgerctl::run({}, 'status', '--connection', $node->connstr('postgres'))->{code}, 1, 'a database without a ledger');
};

subtest 'status of a signed and verified ledger' => sub {
	my $signer = Ledgerctl->signer($node, 'log.example/operators');
	$node->safe_psql($DB, q{SELECT ledger.ledger_grant_tenant('signer', 'acme')});
	is($signer->anchor('--force')->{code}, 0, 'anchored and signed');
	my $verified = Ledgerctl::run({}, 'verify', '--connection', $node->connstr($DB), '--key-file', $signer->{key});
	is($verified->{code}, 0, 'verified') or diag($verified->{stderr});
	my $run = as('ann', 'status', '--max-verification-age', '7d');
	is($run->{code}, 0, 'is well') or diag($run->{stderr});
	my ($acme) = @{ $run->{json}{tenants} };
	is_deeply([ $acme->{unanchoredEvents}, $acme->{verifiedPercent} ], [ 0, 100 ], 'all is anchored and verified');
	ok(exists $acme->{$_}, $_) for qw(lastAnchorAgeSeconds lastSignedAgeSeconds verificationAgeSeconds);
	like(check_named($run, 'verification')->{evidence}, qr/^\d+ s ago, covers 100\.0 % of the events$/, 'the check says so');
	# The age is told in whole seconds: for the first of them it is none.
	my $code = 0;
	for (my $tries = 0; $code == 0 && $tries < 100; $tries++)
	{
		usleep(100_000) if $tries > 0;
		$code = as('ann', 'status', '--max-verification-age', '1ms')->{code};
	}
	is($code, 3, 'too long ago is wrong');
};

subtest 'status when something is wrong' => sub {
	$node->safe_psql($DB, 'ALTER EVENT TRIGGER ledger_guard_drop DISABLE');
	my $run = as('ann', 'status');
	is($run->{code}, 3, 'a guard that is off');
	like(check_named($run, 'guards')->{evidence}, qr/ledger_guard_drop/, 'is named');
	like(check_named($run, 'guards')->{hint}, qr/ledger_after_restore/, 'with what to do');
	like($run->{stderr}, qr/not as it must be: guards/, 'and said');
	$node->safe_psql($DB, 'ALTER EVENT TRIGGER ledger_guard_drop ENABLE ALWAYS');

	$node->safe_psql($DB, q{ALTER TABLE ledger.ledger_events DISABLE TRIGGER ledger_project});
	append_many($node, 'acme', 'G', 1);
	$node->safe_psql($DB, q{ALTER TABLE ledger.ledger_events ENABLE ALWAYS TRIGGER ledger_project});
	$node->safe_psql($DB, q{SELECT ledger.ledger_accept_guards('projection switched off in a test')});
	is(as('ann', 'status')->{json}{tenants}[0]{projectionLagSeconds} > 0, 1, 'an event that was not folded is lag');
};

subtest 'rebuild' => sub {
	$node->safe_psql($DB, q{SELECT ledger.ledger_grant_tenant('olga', 'acme')});
	is_deeply([ verify_kinds($node) ], [ ('projection_diverged 6') x 2 ], 'the projection misses a finding and its history');
	my $run = as('olga', 'rebuild', '--tenant', 'acme');
	is($run->{code}, 0, 'and is made again') or diag($run->{stderr});
	is_deeply($run->{json}{tenants}, [ { tenant => 'acme', events => 6 } ], 'from all events');
	is_deeply([ verify_kinds($node) ], [], 'to what it ought to be');
	is(as('ann', 'status')->{json}{tenants}[0]{projectionLagSeconds}, 0, 'without lag');

	my $all = Ledgerctl::run({}, 'rebuild', '--connection', $node->connstr($DB));
	is($all->{code}, 0, 'all tenants');
	like($all->{stdout}, qr/^acme: 6 events folded\nglobex: 0 events folded\nledger: \d+ events folded\n\z/, 'one after the other');
	is($all->{stderr}, '', 'so quickly that a log need not be told of progress');
	is(as('olga', 'rebuild', '--tenant', 'ghost')->{code}, 4, 'a tenant that is not there');
	like(as('olga', 'rebuild', '--tenant', 'globex')->{stderr}, qr/LG403: role may not touch tenant/, 'or not granted');
	is(as('shop', 'rebuild', '--tenant', 'acme')->{code}, 1, 'is not for a writer');
};

$node->stop;
done_testing();
