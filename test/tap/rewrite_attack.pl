# A superuser who rewrites everything, and what shows it.
#
# He can write all that the database holds, so inside it nothing can show what he
# did, except signatures, for which he has no key.  An auditor's own copies of
# checkpoints show it.  Neither may they raise an alarm where a restore explains
# the difference, nor be silent about it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use LedgerCluster;
use Ledgerctl;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ledger_node('rewrite_attack');
my $dir  = PostgreSQL::Test::Utils::tempdir();
my $tick = q{SELECT count(*) FROM ledger.ledger_anchor_tick(NULL, true)};

# Copies of the database are attacked, so that each attack begins with the same one.
sub copy_of
{
	my ($name, $from) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE $from");
	return $name;
}

# The checkpoints that the auditor carries away: of all chains, or one tenant's.
sub carried
{
	my ($db, $where) = @_;
	return [ query_json($node, 'SELECT tree_size, checkpoint FROM ledger.ledger_merkle_roots WHERE ' . ($where || 'true') . ' ORDER BY tenant_id, tree_size', db => $db) ];
}

sub against
{
	my ($db, $checkpoints, %options) = @_;
	my $array = join ', ', map { literal($_->{checkpoint}) } @$checkpoints;
	return [ map { join ' ', grep { defined } @{$_}{qw(kind sequence_no)} } query_json($node,
		"SELECT kind, sequence_no, detail FROM ledger.ledger_verify_against(ARRAY[$array]) ORDER BY kind, sequence_no", db => $db, %options) ];
}

sub detail
{
	my ($db, $checkpoints) = @_;
	my $array = join ', ', map { literal($_->{checkpoint}) } @$checkpoints;
	return $node->safe_psql($db, "SELECT string_agg(detail, '; ' ORDER BY detail) FROM ledger.ledger_verify_against(ARRAY[$array])");
}

sub rewrite
{
	my ($db, %variables) = @_;
	my ($output, $errors) = ('', '');
	my $ok = IPC::Run::run([ 'psql', '-XAtq', '-d', $node->connstr($db),
			(map { ('-v', "$_=$variables{$_}") } sort keys %variables), '-f', "$FindBin::RealBin/lib/rewrite.sql" ],
		'>', \$output, '2>', \$errors);
	ok($ok, "$db: everything was rewritten") or diag($errors);
	return;
}

# What derives from a change is made to fit it.
sub unguarded
{
	my ($db, $sql) = @_;
	change_unguarded($node, $db, $sql, q{DO $$ BEGIN PERFORM ledger.ledger_rebuild_projection('acme'); END $$});
	return;
}

append_many($node, 'acme', 'F', 300);
append_many($node, 'globex', 'G', 3);
$node->safe_psql($DB, $tick);
append_many($node, 'acme', 'H', 50);
$node->safe_psql($DB, $tick);
append_many($node, 'acme', 'I', 10);
my $chain = $node->safe_psql($DB, q{SELECT ledger.ledger_chain_id('acme', 'policy-1')});
my $acme  = carried($DB, q{tenant_id = 'acme'});
is_deeply([ map { $_->{tree_size} } @$acme ], [ 300, 350 ], 'an auditor carries two checkpoints away');
clean_by_both($node, 'the anchored ledger is clean');
is(report($node)->{anchors}, 4, 'and its anchors were looked at');
is_deeply(against($DB, carried($DB)), [], 'it agrees with the checkpoints');

# ---- everything rewritten, anchors unsigned ----

my $db = copy_of('unsigned', $DB);
rewrite($db, tenant => 'acme', chain => $chain, victim => 20, keep => 1);
clean_by_both($node, 'inside the database nothing shows it: unsigned anchors can be made again', db => $db);
is_deeply(against($db, $acme), ['rewritten 1'], 'the auditor\'s checkpoints do');
is(detail($db, $acme), 'an event between 1 and 300 is not the one that the checkpoint of size 300 covers', 'and say where');
is_deeply(against($db, [ $acme->[1] ]), ['rewritten 1'], 'the newer one alone does, too');
is_deeply(against($db, carried($db)), [], 'checkpoints made after the attack do not');

$db = copy_of('later', $DB);
rewrite($db, tenant => 'acme', chain => $chain, victim => 320, keep => 301);
clean_by_both($node, 'an event between the two anchors rewritten', db => $db);
is_deeply(against($db, $acme), ['rewritten 301'], 'is named after the checkpoint that still agrees');
is_deeply(against($db, [ $acme->[0] ]), [], 'of which alone nothing is to be learned');

$db = copy_of('kept', $DB);
rewrite($db, tenant => 'acme', chain => $chain, victim => 20, keep => 999);
found_by_both($node, ['rewritten 1'], 'anchors that are left as they were show it in both verifiers', db => $db);
is_deeply(against($db, $acme), ['rewritten 1'], 'once, with checkpoints as well');

# ---- cut, or gone ----

$db = copy_of('cut', $DB);
unguarded($db, <<~SQL);
	DELETE FROM ledger.ledger_events WHERE tenant_id = 'acme' AND sequence_no > 340;
	DELETE FROM ledger.ledger_merkle_roots WHERE tenant_id = 'acme' AND tree_size > 300;
	UPDATE ledger.ledger_chains SET last_anchored_sequence = 300 WHERE tenant_id = 'acme'
	SQL
clean_by_both($node, 'newest events cut off with their anchor', db => $db);
is_deeply(against($db, $acme), ['truncated 341'], 'the checkpoint beyond the end says so');

$db = copy_of('gone', $DB);
unguarded($db, <<~SQL);
	DELETE FROM ledger.ledger_events WHERE tenant_id = 'acme';
	DELETE FROM ledger.ledger_merkle_roots WHERE tenant_id = 'acme';
	DELETE FROM ledger.ledger_merkle_edge WHERE tenant_id = 'acme';
	DELETE FROM ledger.ledger_chains WHERE tenant_id = 'acme'
	SQL
clean_by_both($node, 'a chain gone with all that knew of it', db => $db);
is_deeply(against($db, $acme), ['missing_chain'], 'but the auditor\'s checkpoint');

# ---- signed anchors ----

my $signer = Ledgerctl->signer($node, 'log.example/one');
is($signer->anchor('--force')->{code}, 0, 'the anchors are signed');
my $signed = carried($DB, q{tenant_id = 'acme'});
is_deeply([ verify_kinds($node) ], [], 'and their signatures verify');
is(report($node)->{unsigned}, 1, 'only the ledger\'s own chain, of which the signer has no grant, is unsigned');
is(report($node)->{signatures}, 8, 'two signatures each');
$db = copy_of('signed', $DB);
rewrite($db, tenant => 'acme', chain => $chain, victim => 20, keep => 1);
is_deeply([ verify_kinds($node, db => $db) ], [ map { "signature_invalid $_" } 300, 350, 360 ], 'he has no key: every signature shows it');
is_deeply(against($db, $acme), [ 'rewritten 1', map { "signature_invalid $_" } 300, 350, 360 ], 'and the checkpoints say what was done');
unguarded($db, q{UPDATE ledger.ledger_merkle_roots SET checkpoint = split_part(checkpoint, E'\n\n', 1) || E'\n', dsse = jsonb_set(dsse, '{signatures}', '[]') WHERE tenant_id = 'acme'});
clean_by_both($node, 'without the signatures it is clean again', db => $db);
is(report($node, db => $db)->{unsigned}, 4, 'but for the count of unsigned anchors');

# ---- restores ----

dump_to($node, $DB, "$dir/early.dump");
append_many($node, 'acme', 'J', 20);
$node->safe_psql($DB, $tick);
my $beyond = carried($DB, q{tenant_id = 'acme' AND tree_size > 360});
my ($status, $output) = restore_from($node, 'restored', "$dir/early.dump");
is($status, 0, 'an early dump is restored') or diag($output);
is_deeply(against('restored', $beyond), ['truncated 361'], 'as long as nobody says that it is one, the rest is missing');
$node->safe_psql('restored', q{CALL ledger.ledger_after_restore('disk lost')});
is($node->safe_psql('restored', q{SELECT event_body -> 'checkpoint' ->> 'treeSize' FROM ledger.ledger_events WHERE tenant_id = 'acme' AND event_type = 'ledger.incarnation_started'}),
	360, 'the event of the restore names the checkpoint that is known');
is_deeply(against('restored', $beyond), ['rolled_back 361'], 'then a checkpoint beyond it is rolled back');
like(detail('restored', $beyond), qr/^rolled back to 360 by restore at \d{4}-\d\d-\d\dT[0-9:.]+Z; a checkpoint of size 380 is known$/, 'to where and when');
is_deeply(against('restored', [ @$signed, @$beyond ]), ['rolled_back 361'], 'older ones are fine');
append_many($node, 'acme', 'K', 40, db => 'restored');
$node->safe_psql('restored', $tick);
is_deeply(against('restored', $beyond), ['rolled_back 361'], 'also when the chain has grown past it');
is_deeply(against('restored', carried('restored')), [], 'the copy\'s own checkpoints are fine');
is_deeply([ verify_kinds($node, db => 'restored') ], [], 'and so is the copy');
# Two histories of one size, told apart by the restore; and without one.
append_many($node, 'acme', 'L', 21);
$node->safe_psql($DB, $tick);
my $twin = carried($DB, q{tenant_id = 'acme' AND tree_size = 401});
is_deeply(against('restored', [ @{ carried('restored', q{tenant_id = 'acme' AND tree_size = 401}) }, @$twin ]), ['rolled_back 361'],
	'two roots of one size, from both sides of the restore');
is_deeply(against($DB, [ @{ carried('restored', q{tenant_id = 'acme' AND tree_size = 401}) }, @$twin ]), ['inconsistent_history 401'],
	'the same two, where no restore explains them');
rewrite('restored', tenant => 'acme', chain => $chain, victim => 20, keep => 1);
is_deeply(against('restored', [ $acme->[0], @$beyond ]), [ 'rewritten 1', 'rolled_back 361', map { "signature_invalid $_" } 300, 350, 360 ],
	'a restore is no excuse for what was before it');

# ---- guards that were away between two anchors ----

$db = copy_of('guards', $DB);
is_deeply([ verify_kinds($node, db => $db) ], [], 'guards as they were');
unguarded($db, q{DROP FUNCTION ledger.ledger_schema_version() CASCADE;
	CREATE FUNCTION ledger.ledger_schema_version() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$ SELECT '1.1' $$});
is_deeply([ verify_kinds($node, db => $db) ], [ ('guard_changed') x 3 ], 'a function changed with the event triggers off: each anchored tenant says so');
$node->safe_psql($db, q{SELECT ledger.ledger_accept_guards('a hot fix')});
is_deeply([ verify_kinds($node, db => $db) ], [], 'accepted, with a reason, it is explained');
append($node, finding => 'F-later', db => $db);
$node->safe_psql($db, $tick);
is_deeply([ verify_kinds($node, db => $db) ], [], 'also between two anchors');
unguarded($db, q{UPDATE ledger.ledger_events SET event_type = 'ledger.import_recorded' WHERE tenant_id = 'ledger' AND event_body ->> 'reason' = 'a hot fix'});
ok((grep { $_ eq 'guard_changed' } verify_kinds($node, db => $db)), 'without that event it is not');

# ---- who may ask ----

login_role($node, 'acme_auditor', 'ledger_auditor', 'acme');
is_deeply(against($DB, $acme, user => 'acme_auditor'), [], 'an auditor of the tenant may ask');
my $globex = carried($DB, q{tenant_id = 'globex'})->[0]{checkpoint};
fails_with($node, 'SELECT * FROM ledger.ledger_verify_against(ARRAY[' . literal($globex) . '])', 'LG403', qr/globex/, 'and not of another', user => 'acme_auditor');
fails_with($node, q{SELECT * FROM ledger.ledger_verify_against(NULL)}, 'LG400', qr/checkpoints are required/, 'no checkpoint is no answer');
fails_with($node, 'SELECT * FROM ledger.ledger_verify_against(ARRAY[' . literal($globex) . q{, 'no checkpoint'])}, 'LG400', qr/checkpoints\[2\]/, 'the one that is none is named');
(my $foreign = $globex) =~ s/^ledger-/other-/;
fails_with($node, 'SELECT * FROM ledger.ledger_verify_against(ARRAY[' . literal($foreign) . '])', 'LG404', qr/another log/, 'another log\'s checkpoint is refused');

done_testing();
