# "A column that no hash covers is edited": each column of a stored row is flipped in
# turn, and both verifiers name that row and no other.  The columns come from the
# catalog, so one that a later migration adds and no hash covers fails here.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::RealBin/lib";
use LedgerCluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ledger_node('flip');
my %full = (policyVersion => 'policy-1', finding => 'F-1', artifactId => 'pkg:deb/x@1', vulnId => 'CVE-2026-1',
	sourceRunId => '01890000-0000-7000-8000-000000000001', evidenceBundleRef => 'bundle::1', payload => { severity => 7, note => 'Zürich 🙂' });
append($node, %full, type => $_) for qw(finding.created finding.comment_added finding.severity_changed finding.closed);
append($node, tenant => 'globex', finding => 'G-1');

my $row = q{tenant_id = 'acme' AND sequence_no = 3};

# Another value of the column's type; a NULL becomes something.
my %other = (
	text          => sub { "coalesce($_[0], '') || 'x'" },
	uuid          => sub { q{'00000000-0000-7000-8000-0000000000ff'} },
	bigint        => sub { "$_[0] + 900" },
	jsonb         => sub { qq{coalesce($_[0], '{}') || '{"x": 1}'} },
	bytea         => sub { "coalesce(set_byte($_[0], 0, get_byte($_[0], 0) # 1), sha256('x'))" },
	'timestamp with time zone' => sub { "$_[0] + interval '1 microsecond'" },
);
my %special = (
	tenant_id  => q{'globex'},
	actor_type => q{'system'},
);

my @columns = map { [ split /\|/ ] } split /\n/, $node->safe_psql($DB, <<~'SQL');
	SELECT attname, format_type(atttypid, NULL), attnotnull FROM pg_attribute
	WHERE attrelid = 'ledger.ledger_events'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
	SQL

# What both verifiers say of everything but the guards, which the test itself takes off.
my $ask = <<'SQL';
SELECT 'ledger', tenant_id, sequence_no, kind FROM ledger.ledger_verify_all(NULL, NULL, NULL, NULL, false) WHERE kind IS NOT NULL;
SELECT 'plain', tenant_id, sequence_no, kind FROM pg_temp.plain_verify();
SQL

sub findings_after
{
	my ($change) = @_;
	my $out = $node->safe_psql($DB, <<~SQL);
		\\set run off
		\\set guards off
		\\i $ROOT/sql/audit/verify_plain.sql
		BEGIN;
		DO \$\$
		DECLARE
			t record;
		BEGIN
			FOR t IN SELECT 'ledger_events' AS name UNION ALL SELECT leaf FROM ledger.ledger_tenants LOOP
				EXECUTE format('ALTER TABLE ledger.%I DISABLE TRIGGER ALL', t.name);
			END LOOP;
		END
		\$\$;
		UPDATE ledger.ledger_events SET $change WHERE $row;
		$ask
		ROLLBACK;
		SQL
	return sort split /\n/, $out;
}

is_deeply([ findings_after('actor_id = actor_id') ], [], 'an update that changes nothing is no finding');
cmp_ok(scalar @columns, '>=', 25, 'the table has its columns');
for my $column (@columns)
{
	my ($name, $type, $notnull) = @$column;
	my $value = $special{$name} // ($other{$type} // sub { die "no other value for type $type of $name" })->($name);
	my @found = findings_after("$name = $value");
	my $where = $name eq 'tenant_id' ? 'globex|3' : $name eq 'sequence_no' ? 'acme|903' : 'acme|3';
	is(join(' ', map { s/\|[^|]*$//r } @found), "ledger|$where plain|$where", "$name: both verifiers name the row, and only it")
	  or diag("found: @found");
	is($found[0] =~ s/^ledger//r, $found[1] =~ s/^plain//r, "$name: by the same kind");
	next if $notnull eq 't' || $node->safe_psql($DB, "SELECT $name IS NULL FROM ledger.ledger_events WHERE $row") eq 't';
	@found = findings_after("$name = NULL");
	is(join(' ', map { s/\|[^|]*$//r } @found), 'ledger|acme|3 plain|acme|3', "$name emptied: the row is named")
	  or diag("found: @found");
}
clean_by_both($node, 'nothing was left behind');
done_testing();
