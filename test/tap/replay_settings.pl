# Two machines' worth of settings give the same report, byte for byte, but for its
# timings: other collation, time zone, memory, parallel plans, and another order in which
# the rows come to lie on the pages.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";
use LedgerCluster;
use Ledgerctl;
use PostgreSQL::Test::Utils ();
use ReplayFixture;
use Test::More;

my $dir  = PostgreSQL::Test::Utils::tempdir();
my $here = ledger_node('here', conf => "timezone = 'UTC'");
my $there = ledger_node('there', migrated => 0,
	init => { extra => [ '--locale=POSIX', '--locale-provider=icu', '--icu-locale=de-u-kn-true-ks-level1', '--data-checksums' ] },
	conf => <<~'CONF');
	timezone = 'Pacific/Chatham'
	datestyle = 'SQL, DMY'
	intervalstyle = 'iso_8601'
	extra_float_digits = -15
	bytea_output = 'escape'
	work_mem = 64kB
	hash_mem_multiplier = 1
	max_parallel_workers_per_gather = 4
	min_parallel_table_scan_size = 0
	parallel_setup_cost = 0
	parallel_tuple_cost = 0
	jit = on
	enable_indexscan = off
	enable_hashagg = off
	default_transaction_isolation = 'repeatable read'
	standard_conforming_strings = off
	xmloption = document
	CONF
fill_ledger($here);
export_fixture($here, "$dir/$_.ndjson", '--tenant', $_) for qw(acme globex);

# The same collation would be no test of it.
my $sorted = "SELECT string_agg(x, ' ' ORDER BY x) FROM unnest('{a-b,ab,A-b,F10,F 2,f2,B}'::text[]) AS x";
isnt($here->safe_psql('postgres', $sorted), $there->safe_psql('postgres', $sorted), 'the two clusters sort differently');

my @runs = (
	[ $here,  'one',   [qw(acme globex)], [], {} ],
	[ $here,  'again', [qw(acme globex)], [], {} ],
	[ $here,  'other', [qw(globex acme)], [qw(--max-parallel 1 --batch 1)], { PGOPTIONS => '-c work_mem=64kB -c timezone=Asia/Kathmandu', TZ => 'America/St_Johns' } ],
	[ $there, 'one',   [qw(globex acme)], [qw(--max-parallel 7 --batch 3)], { TZ => 'Pacific/Chatham', LC_ALL => 'C', PGCLIENTENCODING => 'LATIN1' } ],
	[ $there, 'again', [qw(acme globex)], [qw(--max-parallel 2)], { PGDATESTYLE => 'German', LC_ALL => 'C.UTF-8' } ],
);
my @reports;
for my $run (@runs)
{
	my ($node, $db, $tenants, $options, $env) = @$run;
	my $name = $node->name . " $db";
	empty_ledger($node, $db);
	my $result = replay_env($env, $node, $db, (map { ('--fixture', "$dir/$_.ndjson") } @$tenants), '--tenant', 'all',
		'--report', "$dir/" . $node->name . "-$db.json", @$options);
	is($result->{code}, 0, "$name: replayed") or diag($result->{stderr});
	push @reports, without_timings("$dir/" . $node->name . "-$db.json");
	is($reports[-1], $reports[0], "$name: the same report");
}
my %settings = map { $_ => report_of("$dir/$_-one.json")->{timings}{settings} } qw(here there);
isnt($settings{here}{$_}, $settings{there}{$_}, "$_ was another one") for qw(TimeZone work_mem max_parallel_workers_per_gather);
isnt($here->safe_psql('one', 'SELECT ctid, event_id FROM ledger.ledger_events ORDER BY 2'),
	$there->safe_psql('one', 'SELECT ctid, event_id FROM ledger.ledger_events ORDER BY 2'), 'rows lie on other pages');

# A rebuild of either gives that projection again.
for my $node ($here, $there)
{
	my $file = "$dir/" . $node->name . '-rebuilt.json';
	my $result = replay($node, 'one', '--tenant', 'all', '--report', $file);
	is($result->{code}, 0, $node->name . ': rebuilt') or diag($result->{stderr});
	my $report = report_of($file);
	is($report->{$_}, report_of("$dir/here-one.json")->{$_}, $node->name . ": the same $_") for qw(eventStreamChecksum projectionChecksum rootsChecksum);
	is($report->{projectionChecksumBefore}, $report->{projectionChecksum}, $node->name . ': it was right before');
}
is(without_timings("$dir/here-rebuilt.json"), without_timings("$dir/there-rebuilt.json"), 'reports of rebuilds are the same too');

$_->stop for $here, $there;
done_testing();
