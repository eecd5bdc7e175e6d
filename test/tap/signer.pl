# A signer outside the database: what it signs, and what nobody gets a signature for.
#
# A "fork" is made by restoring an early dump and going on differently: every
# hash, link, tree and anchor of it is right, only the past is another one.  That
# is what a superuser gets who rewrites all of it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Fcntl qw(:flock);
use IPC::Run ();
use JSON::PP ();
use LedgerCluster;
use LedgerCrash;
use Ledgerctl;
use LedgerSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ledger_node('signer');
login_role($node, 'op', 'ledger_operator');
my $dir    = PostgreSQL::Test::Utils::tempdir();
my $signer = Ledgerctl->signer($node, 'log.example/one');
my $chain  = $node->safe_psql($DB, q{SELECT ledger.ledger_chain_id('acme', 'policy-1')});
my $other  = $node->safe_psql($DB, q{SELECT ledger.ledger_chain_id('globex', 'policy-1')});
my $origin = $node->safe_psql($DB, 'SELECT origin FROM ledger.ledger_settings');

# Which sizes of acme's chain bear a valid signature, in the checkpoint and in the statement.
sub signed_sizes
{
	my (%options) = @_;
	my $key = literal($options{key} || $signer->{vkey});
	return $node->safe_psql($options{db} || $DB, <<~SQL);
		SELECT string_agg(tree_size::text, ' ' ORDER BY tree_size) FROM ledger.ledger_merkle_roots
		WHERE tenant_id = '@{[ $options{tenant} || 'acme' ]}' AND ledger.ledger_verify_note(checkpoint, $key)
			AND ledger.ledger_verify_dsse(dsse, $key) ->> 'rootHash' = encode(root_hash, 'hex')
		SQL
}

sub failures
{
	my ($db, $reason) = @_;
	return $node->safe_psql($db, "SELECT failures -> '$reason' FROM ledger.ledger_anchor_stats WHERE tenant_id = 'acme'");
}

sub state_file
{
	my ($file) = @_;
	return JSON::PP->new->decode(slurp_file($file || $signer->state_of('acme', $chain)));
}

# What a superuser does: the guards off, the change, the guards on again.
sub tamper
{
	my ($db, $sql) = @_;
	return $node->safe_psql($db, <<~SQL);
		ALTER TABLE ledger.ledger_merkle_roots DISABLE TRIGGER USER;
		$sql;
		SELECT format('ALTER TABLE ledger.ledger_merkle_roots ENABLE ALWAYS TRIGGER %I', tgname)
		FROM pg_trigger WHERE tgrelid = 'ledger.ledger_merkle_roots'::regclass AND NOT tgisinternal \\gexec
		SQL
}

sub copy_of
{
	my ($name, $file) = @_;
	my ($status, $output) = restore_from($node, $name, $file);
	die $output if $status != 0;
	return $name;
}

# ---- the ordinary way ----

append_many($node, 'acme', 'F', 2);
dump_to($node, $DB, "$dir/two.dump");
append($node, finding => 'F-3');
append($node, tenant => 'globex', finding => 'G-1');
my $run = $signer->anchor('--force');
is($run->{code}, 0, 'a first run is good') or diag($run->{stderr});
is("$run->{json}{anchored} $run->{json}{signed}", '2 2', 'two chains are anchored and signed');
is(signed_sizes(), '3', 'checkpoint and statement bear valid signatures');
like($run->{stderr}, qr{acme/$chain: no state of this signer and no checkpoint that its key signed: size 3 is taken as the database shows it},
	'that there was nothing to compare with is said');
my $root = $node->safe_psql($DB, qq{SELECT encode(root_hash, 'hex') FROM ledger.ledger_merkle_roots WHERE chain_id = '$chain'});
is_deeply(state_file(), { schema => 'ledger.signer.v1', origin => "$origin/acme/$chain", treeSize => 3, rootHash => $root, incarnation => 1 },
	'the state is what was signed');
is($signer->anchor->{json}{signed}, 0, 'a second run finds nothing to sign');

append_many($node, 'acme', 'H', 2);
$run = $signer->anchor('--force', '--tenant', 'acme');
is($run->{code} . $run->{stderr}, '0', 'the next anchor extends the state, silently');
is(signed_sizes(), '3 5', 'and is signed');
is(state_file()->{treeSize}, 5, 'the state goes on');

{
	local $signer->{env} = { LEDGER__MERKLE__BATCHSIZE => 2, LEDGER__MERKLE__WINDOWDURATION => '00:15:00',
		LEDGER__MERKLE__ANCHORINTERVAL => '1.00:00:00' };
	append($node, finding => 'F-6');
	is($signer->anchor->{json}{anchored}, 0, 'one event is not due with a batch of two');
	append($node, finding => 'F-7');
	is($signer->anchor->{json}{anchored}, 1, 'two are: the environment reaches the tick');
	for my $bad ([ BATCHSIZE => '1k' ], [ BATCHSIZE => '0' ], [ WINDOWDURATION => '15' ], [ ANCHORINTERVAL => '00:61:00' ])
	{
		local $signer->{env}{"LEDGER__MERKLE__$bad->[0]"} = $bad->[1];
		is($signer->anchor->{code}, 1, "$bad->[0]=$bad->[1] is refused");
	}
}
{
	local $signer->{env} = { LEDGER__MERKLE__SIGNINGKEY => slurp_file($signer->{key}) };
	my @without = grep { $_ ne '--key-file' && $_ ne $signer->{key} } $signer->command('--force');
	append($node, finding => 'F-8');
	is(Ledgerctl::run($signer->{env}, @without)->{json}{signed}, 1, 'the key may come from the environment');
	like(Ledgerctl::run({}, @without)->{stderr}, qr/no signing key/, 'without any there is a message');
	is(Ledgerctl::run({ LEDGER__MERKLE__SIGNINGKEY_FILE => $signer->{key} }, @without)->{code}, 0, 'or from a file that it names');
}
is(signed_sizes(), '3 5 7 8', 'all of that is signed');

# ---- a rewritten database ----

my $fork = copy_of('forked', "$dir/two.dump");
append_many($node, 'acme', 'X', 8, db => $fork);
append($node, tenant => 'globex', finding => 'Y', db => $fork);
$node->safe_psql($fork, 'SELECT ledger.ledger_register_key(' . literal($signer->{vkey}) . ')');
is_deeply([ verify_kinds($node, db => $fork) ], [], 'a fork verifies clean by itself');
{
	local $signer->{db} = $fork;
	my $before = slurp_file($signer->state_of('acme', $chain));
	# globex's chain has another past there too, of the same length.
	$run = $signer->anchor('--force');
	is($run->{code}, 3, 'it gets no signature');
	like($run->{stderr}, qr{refused to sign acme/$chain: size 10 is not consistent with size 8, its state: size 8 does not grow into size 10},
		'the chain and both sizes are named');
	is_deeply([ map { "$_->{tenant} $_->{treeSize}" } @{ $run->{json}{refused} } ], [ 'acme 10', 'globex 1' ], 'in the JSON object too');
	is(signed_sizes(db => $fork), '', 'nothing is signed there');
	is(failures($fork, 'inconsistent_history'), '1', 'the alarm is raised');
	is(slurp_file($signer->state_of('acme', $chain)), $before, 'the state stays');
	is($signer->anchor('--after-restore')->{code}, 3, '--after-restore does not help: no restore is recorded');
	append($node, tenant => 'globex', finding => 'Z', policyVersion => 'policy-2', db => $fork);
	$run = $signer->anchor('--force');
	is("$run->{code} $run->{json}{signed}", '3 1', 'a chain that is refused does not keep others from their signature');
}

my $short = copy_of('short', "$dir/two.dump");
$node->safe_psql($short, 'SELECT ledger.ledger_register_key(' . literal($signer->{vkey}) . ')');
{
	local $signer->{db} = $short;
	$run = $signer->anchor('--force');
	is($run->{code}, 3, 'a shortened chain gets none');
	like($run->{stderr}, qr/size 2 is not consistent with size 8, its state: LG400: size2 must be between/, 'because the tree is gone');
}

# Names become files, and the database may say anything.
{
	my $lying = copy_of('lying', "$dir/two.dump");
	$node->safe_psql($lying, <<~SQL);
		SELECT ledger.ledger_register_key(@{[ literal($signer->{vkey}) ]});
		SELECT FROM ledger.ledger_anchor_tick('acme', true);
		CREATE OR REPLACE FUNCTION ledger.ledger_unsigned_anchors(key_id text) RETURNS SETOF ledger.ledger_merkle_roots LANGUAGE sql SECURITY DEFINER
		AS 'SELECT (jsonb_populate_record(r, ''{"tenant_id": "../outside"}'')).* FROM ledger.ledger_merkle_roots AS r';
		ALTER FUNCTION ledger.ledger_unsigned_anchors(text) OWNER TO CURRENT_USER;
		SQL
	local $signer->{db} = $lying;
	$run = $signer->anchor;
	is($run->{code}, 1, 'a name that no ledger has is refused');
	like($run->{stderr}, qr{the database names an anchor "[0-9a-f-]+" of "../outside" "$chain", which no ledger does}, 'and told');
	is_deeply([ glob "$signer->{state}/../outside*" ], [], 'no file is made outside the state directory');
}

# ---- without state ----

{
	local $signer->{state} = undef;
	append($node, finding => 'F-9');
	$run = $signer->anchor('--force');
	is($run->{code}, 0, 'a signer without state signs');
	like($run->{stderr}, qr{acme/$chain: no state of this signer; compared with the newest stored checkpoint that its key signed, size 8},
		'and says what it compared with');
	# The attacker leaves the old signed checkpoint in place, which does not fit any more.
	my $genuine = $node->safe_psql($DB, "SELECT quote_literal(checkpoint) FROM ledger.ledger_merkle_roots WHERE chain_id = '$chain' AND tree_size = 8");
	tamper($fork, <<~SQL);
		INSERT INTO ledger.ledger_merkle_roots
		SELECT (jsonb_populate_record(r, jsonb_build_object('tree_size', 8, 'sequence_end', 8, 'leaf_count', 8,
			'anchor_id', gen_random_uuid(), 'checkpoint', $genuine))).* FROM ledger.ledger_merkle_roots AS r WHERE chain_id = '$chain' AND tree_size = 10
		SQL
	local $signer->{db} = $fork;
	$run = $signer->anchor;
	is($run->{code}, 3, 'against a stored checkpoint a fork is refused as well');
	like($run->{stderr}, qr/size 10 is not consistent with size 8, the newest stored checkpoint that its key signed/, 'naming it');
	# A line that only bears the key's name does not count.
	tamper($fork, <<~SQL);
		UPDATE ledger.ledger_merkle_roots SET checkpoint = ledger.ledger_checkpoint_text('$origin/acme/$chain', 8, ledger.ledger_chain_root('acme', chain_id, 8))
			|| substr($genuine, position(E'\\n\\n' in $genuine) + 1)
		WHERE chain_id = '$chain' AND tree_size = 8
		SQL
	$run = $signer->anchor;
	is($run->{code}, 3, 'checkpoints that bear its name and are not signed by it are refused');
	like($run->{stderr}, qr/a stored checkpoint bears the name of \Q@{[ $signer->key_id ]}\E and is not signed by it/, 'and named');
}
{
	local $signer->{state} = PostgreSQL::Test::Utils::tempdir();
	append($node, finding => 'F-10');
	$run = $signer->anchor('--force', '--require-state');
	is($run->{code}, 3, '--require-state refuses a chain that the state directory does not know');
	is(failures($DB, 'signer_state'), '1', 'and raises the alarm');
	is($signer->anchor->{code}, 0, 'without it the directory is begun');
	local $signer->{state} = undef;
	is($signer->anchor('--require-state')->{code}, 1, '--require-state without a directory is a mistake');
}
append($node, finding => 'F-11');
is($signer->anchor('--force')->{code}, 0, 'a state that is behind is no obstacle: what others signed extends it');
is(signed_sizes(), '3 5 7 8 9 10 11', 'every size is signed');

# ---- the state file ----

{
	my $file  = $signer->state_of('acme', $chain);
	my $whole = slurp_file($file);
	append($node, finding => 'F-12');
	my %damage = (
		'an empty file'  => '',
		'half a file'    => substr($whole, 0, 40),
		'another member' => $whole =~ s/\{/{"x":1,/r,
		'no root'        => $whole =~ s/"rootHash":"../"rootHash":"/r,
		'size 0'         => $whole =~ s/"treeSize":\d+/"treeSize":0/r,
	);
	for my $what (sort keys %damage)
	{
		open my $fh, '>', $file or die $!;
		print {$fh} $damage{$what};
		close $fh;
		$run = $signer->anchor('--force');
		is($run->{code}, 3, "a state file that is damaged is not an absent one: $what");
		like($run->{stderr}, qr/the state file ".*" is damaged/, 'and the message says so');
	}
	open my $fh, '>', $file or die $!;
	print {$fh} $whole =~ s/$origin/another-log/r;
	close $fh;
	like($signer->anchor->{stderr}, qr/its state is of the log "another-log/, 'the state of another log is told');
	is(signed_sizes(), '3 5 7 8 9 10 11', 'nothing was signed meanwhile');
	open $fh, '>', $file or die $!;
	print {$fh} $whole;
	close $fh;
	is($signer->anchor->{code}, 0, 'with the file restored it goes on');
}

# ---- what the anchor says ----

{
	append($node, finding => 'F-13');
	$node->safe_psql($DB, q{SELECT FROM ledger.ledger_anchor_tick('acme', true)});
	my %lies = (
		'checkpoint' => [ q{checkpoint = replace(checkpoint, E'\n13\n', E'\n12\n')}, qr/the checkpoint's text is not that of its origin, size and root/ ],
		'statement'  => [ q{dsse = jsonb_set(dsse, '{payload}', to_jsonb(translate(encode(convert_to(replace(convert_from(decode(dsse ->> 'payload', 'base64'), 'UTF8'),
			'"treeSize":13', '"treeSize":13 '), 'UTF8'), 'base64'), E'\n', '')))}, qr/the statement is not canonical JSON/ ],
		'tenant' => [ q{dsse = jsonb_set(dsse, '{payload}', to_jsonb(translate(encode(convert_to(replace(convert_from(decode(dsse ->> 'payload', 'base64'), 'UTF8'),
			'"tenant":"acme"', '"tenant":"else"'), 'UTF8'), 'base64'), E'\n', '')))}, qr/the statement is about another anchor, chain, size or root than its row/ ],
		'root' => [ q{dsse = jsonb_set(dsse, '{payload}', to_jsonb(translate(encode(convert_to(regexp_replace(convert_from(decode(dsse ->> 'payload', 'base64'), 'UTF8'),
			'"rootHash":"[0-9a-f]{4}', '"rootHash":"0000'), 'UTF8'), 'base64'), E'\n', '')))}, qr/the statement is about another anchor, chain, size or root than its row/ ],
		'previous root' => [ q{dsse = jsonb_set(dsse, '{payload}', to_jsonb(translate(encode(convert_to(regexp_replace(convert_from(decode(dsse ->> 'payload', 'base64'), 'UTF8'),
			'"previousRootHash":"[0-9a-f]{4}', '"previousRootHash":"0000'), 'UTF8'), 'base64'), E'\n', '')))},
			qr/size 13 does not extend the root that its statement names before it/ ],
		'type' => [ q{dsse = jsonb_set(dsse, '{payloadType}', '"text/plain"')}, qr/payload type is not an anchor's/ ],
	);
	for my $what (sort keys %lies)
	{
		my ($set, $pattern) = @{ $lies{$what} };
		tamper($DB, <<~SQL);
			CREATE TABLE public.kept AS SELECT * FROM ledger.ledger_merkle_roots WHERE chain_id = '$chain' AND tree_size = 13;
			UPDATE ledger.ledger_merkle_roots SET $set WHERE chain_id = '$chain' AND tree_size = 13
			SQL
		$run = $signer->anchor;
		is($run->{code}, 3, "an anchor that contradicts itself is not signed: $what");
		like($run->{stderr}, $pattern, 'and told');
		tamper($DB, <<~SQL);
			UPDATE ledger.ledger_merkle_roots AS r SET checkpoint = k.checkpoint, dsse = k.dsse FROM public.kept AS k WHERE k.anchor_id = r.anchor_id;
			DROP TABLE public.kept
			SQL
	}
	is($signer->anchor->{code}, 0, 'as the tick wrote it, it is');
}

# ---- one at a time, and crashes ----

{
	my $session = LedgerSession->new($node);
	$session->ask_well('SELECT pg_advisory_lock(1279607879, 1);');
	$run = $signer->anchor;
	is($run->{code}, 1, 'while another signer works on the database, this one does not');
	like($run->{stderr}, qr/another signer works on this database/, 'and says why');
	$session->close;
	open my $held, '<', $signer->{state} or die $!;
	flock $held, LOCK_EX or die $!;
	like($signer->anchor->{stderr}, qr/another signer works with the state directory/, 'nor with the same state directory');
	close $held;
}
{
	append($node, finding => 'F-14');
	my $session = LedgerSession->new($node);
	$node->safe_psql($DB, q{SELECT FROM ledger.ledger_anchor_tick('acme', true)});
	$session->ask_well("BEGIN; SELECT FROM ledger.ledger_merkle_roots WHERE chain_id = '$chain' AND tree_size = 14 FOR UPDATE;");
	my $harness = $signer->start_anchor;
	my $waiting = q{SELECT pid FROM pg_stat_activity WHERE query ~ 'store_signature' AND wait_event_type = 'Lock'};
	my $pid     = wait_until('a signature that is to be stored', sub { $node->safe_psql('postgres', $waiting) });
	is(state_file()->{treeSize}, 14, 'the state is on disk before the signature is stored');
	$harness->kill_kill(grace => 0);
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	$session->ask_well('ROLLBACK;');
	$session->close;
	wait_until('the end of the session', sub { !$node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE pid = $pid") });
	unlike(signed_sizes(), qr/14/, 'the signature was lost on its way');
	is($signer->anchor->{code}, 0, 'the next run finds the state equal');
	like(signed_sizes(), qr/14$/, 'and signs');
}
{
	my $harness = $signer->start_anchor('--loop', '1', '--force');
	append($node, finding => 'F-15');
	wait_until('a signature from the loop', sub { $harness->pump_nb; signed_sizes() =~ /15$/ });
	$harness->signal('TERM');
	$harness->finish;
	is($harness->result(0), 0, 'the loop ends well when it is told to');
	my @rounds = split /\n/, $signer->{out};
	ok(@rounds >= 1 && !(grep { JSON::PP->new->decode($_)->{exitCode} != 0 } @rounds), 'each round is a JSON object');
}
{
	my $harness = $signer->start_anchor('--loop', '1', '--force');
	wait_until('a round', sub { $harness->pump_nb; $signer->{out} =~ /\n/ });
	$node->restart;
	append($node, finding => 'F-16');
	wait_until('a signature after the server came back', sub { $harness->pump_nb; signed_sizes() =~ /16$/ });
	$harness->signal('TERM');
	$harness->finish;
	is($harness->result(0), 0, 'a restart of the server is survived');
}

# ---- another key ----

{
	my $unknown = Ledgerctl->signer($node, 'log.example/unknown', registered => 0);
	$run = $unknown->anchor;
	is($run->{code}, 1, 'a key that is not registered signs nothing');
	like($run->{stderr}, qr/LG404: key ".*" is not registered/, 'and the database says so');
	my $next = Ledgerctl->signer($node, 'log.example/two', state => $signer->{state});
	$node->safe_psql($DB, 'SELECT ledger.ledger_retire_key(' . literal($signer->key_id) . q{, 'rotation')});
	append($node, finding => 'F-17');
	$run = $next->anchor('--force');
	is($run->{code}, 0, 'after a rotation the new key goes on from the same state') or diag($run->{stderr});
	unlike($run->{stderr}, qr{acme/$chain}, 'without having to trust anything');
	is(signed_sizes(key => $next->{vkey}), '17', 'it signs what is new');
	like(signed_sizes(), qr/^3 5 .* 16$/, 'what the old key signed stays signed');
	is($signer->anchor('--force')->{json}{signed}, 0, 'the old one signs nothing more');
	local $next->{db} = $fork;
	$node->safe_psql($fork, 'SELECT ledger.ledger_register_key(' . literal($next->{vkey}) . ', from_start => true)');
	is($next->anchor->{code}, 3, 'nor does a new key sign a fork');
	$signer = $next;
}

# ---- after a restore ----

{
	dump_to($node, $DB, "$dir/before.dump");
	append_many($node, 'acme', 'L', 3);
	is($signer->anchor('--force')->{code}, 0, 'three more events are signed, and then lost');
	my $restored = copy_of('restored', "$dir/before.dump");
	$node->safe_psql($restored, q{CALL ledger.ledger_after_restore('disk lost')}, connstr => $node->connstr($restored) . ' user=op');
	append_many($node, 'acme', 'M', 6, db => $restored);
	local $signer->{db} = $restored;
	$run = $signer->anchor('--force');
	is($run->{code}, 3, 'a rollback is refused unless the operator says that it is one');
	my $lost = state_file();
	is($signer->anchor('--after-restore', '--loop', '5')->{code}, 1, 'which is said once, not in a loop');
	$run = $signer->anchor('--after-restore');
	is($run->{code}, 0, 'with --after-restore it is accepted, because the chain records it') or diag($run->{stderr});
	like($run->{stderr}, qr{acme/$chain: rolled back from 20 to 17 by a restore recorded at .* \(disk lost\); accepted by --after-restore}, 'and told');
	like($run->{stderr}, qr{compared with the newest stored checkpoint that its key signed, size 17}, 'what survived is still compared');
	is(state_file()->{treeSize}, 24, 'the state goes on in the new incarnation');
	is(state_file()->{incarnation}, 2, 'which it remembers');
	is_deeply(state_file("$signer->{state}/acme.$chain.rolled-back-20-0.json"), $lost, 'the old state is kept beside it');
	append($node, finding => 'N-1', db => $restored);
	is($signer->anchor('--force')->{code}, 0, 'from then on all is ordinary');

	# What a chain records of an earlier restore, or of one that lost nothing that was signed, excuses no other past.
	dump_to($node, $restored, "$dir/again.dump");
	append($node, finding => 'N-2', db => $restored);
	is($signer->anchor('--force')->{code}, 0, 'the second incarnation goes on to size 26');
	my $again = copy_of('again', "$dir/again.dump");
	append_many($node, 'acme', 'P', 3, db => $again);
	{
		local $signer->{db} = $again;
		$run = $signer->anchor('--force', '--after-restore');
		is($run->{code}, 3, 'a restore that was before the signature does not excuse a fork');
		like($run->{stderr}, qr/size 28 is not consistent with size 26/, 'which is named');
	}
	dump_to($node, $again, "$dir/long.dump");
	my $long = copy_of('long', "$dir/long.dump");
	$node->safe_psql($long, q{CALL ledger.ledger_after_restore('moved')}, connstr => $node->connstr($long) . ' user=op');
	local $signer->{db} = $long;
	is($signer->anchor('--force', '--after-restore')->{code}, 3, 'nor does one that kept more than was signed');
	local $signer->{db} = $DB;
	append($node, finding => 'O-1');
	is($signer->anchor('--force')->{code}, 3, 'the abandoned copy gets no signature any more');
	is($signer->anchor('--after-restore')->{code}, 3, 'not with --after-restore either');
}

$node->stop;
done_testing();
