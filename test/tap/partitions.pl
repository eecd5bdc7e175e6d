# pg_partman at work on finding_history: partitions made ahead, late ticks, time
# zones, retention, two drivers, event triggers, and both major versions of it.
# Time is moved by data: events that were recorded in other months.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use LedgerCluster;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ledger_node('partitions', tenants => ['acme']);
login_role($node, 'op',     'ledger_operator');
login_role($node, 'loader', 'ledger_loader');
$node->safe_psql($DB, 'CREATE ROLE steward LOGIN IN ROLE ledger_owner');

sub sql { return $node->safe_psql($DB, $_[0]); }
sub command { return $node->psql($DB, $_[0], on_error_die => 1); }
sub as_operator { return $node->safe_psql($DB, $_[0], connstr => $node->connstr($DB) . ' user=op'); }
sub tick { return as_operator('SELECT ledger.ledger_maintenance_tick()'); }

# Partitions of finding_history in order of time, each as "name from to".
sub partitions
{
	return sql(<<~'SQL');
		SELECT format('%s %s', c.relname, coalesce(
			to_char(substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \(''([^'']+)''\)')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI ') ||
			to_char(substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']+)''\)')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), 'default'))
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'ledger.finding_history'::regclass ORDER BY c.relname
		SQL
}

# Where the history of a finding lies: "partition sequence", in order.
sub places
{
	return sql("SELECT tableoid::regclass || ' ' || sequence_no FROM ledger.finding_history
		WHERE finding_id = '$_[0]' ORDER BY sequence_no");
}

# Everything that is folded, in its order, without where it lies.
sub derived
{
	return sql(<<~'SQL');
		SELECT md5(string_agg(t, E'\n' ORDER BY t COLLATE "C")) FROM (
			SELECT p::text FROM ledger.findings_projection p UNION ALL
			SELECT h::text FROM ledger.finding_history h UNION ALL
			SELECT a::text FROM ledger.triage_actions a) AS d (t)
		SQL
}

sub check
{
	my ($name) = @_;
	return sql("SELECT ok || ' ' || detail FROM ledger.ledger_check_runtime() WHERE check_name = '$name'");
}

# Events of the past come by import, as in life.
sub import_past
{
	my ($finding, @times) = @_;
	return import_at($node, $finding, \@times);
}

# Events of the future come from nobody: a superuser takes the link trigger away.
sub plant_future
{
	my ($finding, @times) = @_;
	my $times = literal('{' . join(',', @times) . '}');
	$node->psql($DB, <<~SQL, on_error_die => 1);
		\\i $ROOT/test/tap/lib/events_at.sql
		ALTER TABLE ledger.ledger_events DISABLE TRIGGER zzzz_ledger_link;
		INSERT INTO ledger.ledger_events SELECT * FROM pg_temp.events_at('$finding', $times);
		INSERT INTO ledger.ledger_chains (tenant_id, chain_id, policy_version, created_at)
			SELECT 'acme', ledger.ledger_chain_id('acme', '$finding'), '$finding', now() ON CONFLICT DO NOTHING;
		ALTER TABLE ledger.ledger_events ENABLE ALWAYS TRIGGER zzzz_ledger_link;
		SQL
	return;
}

my $ahead = sql(q{SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '5 months', 'YYYY-MM-DD HH24:MI')});

# A month within any retention used here, for which no partition is made at first.
my ($recent, $recent_end, $recent_part) = map { sql("SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') - interval $_)") }
  (q{'15 months', 'YYYY-MM-DD"+00"'}, q{'14 months', 'YYYY-MM-DD"+00"'}, q{'15 months', '"finding_history_p"YYYY_MM'});

subtest 'partitions are made ahead, and retention is off' => sub {
	like(partitions(), qr/ \Q$ahead\E$/m, 'four months beyond this one are ready');
	is(sql('SELECT coalesce(retention::text, $$off$$) FROM ledger.ledger_partition_intent'), 'off', 'nothing is aged out');
	is(sql(q{SELECT count(*) FROM partman.part_config WHERE parent_table = 'ledger.finding_history'
		AND retention IS NULL AND automatic_maintenance = 'off'}), '1', 'and only the ledger maintains the table');
	is(check('partitions'), 'true registered and made ahead', 'the runtime check agrees');
};

subtest 'months that nobody made' => sub {
	tick();
	my $before = partitions();
	my $coming = sql(<<~'SQL');
		SELECT string_agg(c.oid::regclass::text, ', ')
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'ledger.finding_history'::regclass
			AND substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \(''([^'']+)''\)')::timestamptz > now()
		SQL
	$node->psql($DB, "DROP TABLE $coming", on_error_die => 1);
	isnt(partitions(), $before, 'coming months are missing');
	like(check('partitions'), qr/^false ledger\.finding_history has no partitions beyond/, 'the runtime check says so');
	is(as_operator(q{SET timezone = 'America/New_York'; SELECT ledger.ledger_maintenance_tick()}), 't', 'an operator in New York runs a tick');
	is(partitions(), $before, 'and they are there again, with months of UTC');
	sql('UPDATE ledger.ledger_partition_intent SET premake = 6');
	tick();
	is(scalar(split /\n/, partitions()), 2 + scalar(split /\n/, $before), 'a greater premake makes two more');
};

subtest 'a tick that comes too late' => sub {
	my @times = split /\n/, sql(q{SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + m, 'YYYY-MM-DD HH24:MI:SS') || '+00'
		FROM unnest('{9 months,10 months -1 second,11 months}'::interval[]) AS m});
	plant_future('F-late', @times);
	is(places('F-late'), join("\n", map { "finding_history_default $_" } 1 .. 3), 'rows of months without partition lie in the default one');
	like(check('partitions'), qr/^false ledger\.finding_history_default holds rows/, 'the runtime check says so');
	my ($status, undef, $errors) = $node->psql($DB, q{SELECT partman.run_maintenance('ledger.finding_history')});
	like($errors, qr/would be violated by some row/, 'pg_partman alone is stuck');
	is(tick(), 't', 'a tick of the ledger is not');
	my @months = split /\n/, sql(q{SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + m, 'YYYY_MM')
		FROM unnest('{9 months,11 months}'::interval[]) AS m});
	is(places('F-late'), join("\n", "finding_history_p$months[0] 1", "finding_history_p$months[0] 2",
			"finding_history_p$months[1] 3"), 'each row lies in its month');
	is(check('partitions'), 'true registered and made ahead', 'all is well again');
	clean_by_both($node, 'both verifiers agree');
};

subtest 'the past, without retention' => sub {
	is(import_past('F-past', '2019-12-31 23:59:59+00', '2020-01-01 00:00:00+00', '2020-03-05 12:00:00+00'), '3', 'events of 2019 and 2020 come by import');
	my $before = derived();
	tick();
	is(places('F-past'), join("\n", map { "finding_history_p$_" } '2019_12 1', '2020_01 2', '2020_03 3'), 'a tick gives them their months');
	tick();
	is(derived(), $before, 'and further ticks take nothing away');
	sql(q{SELECT ledger.ledger_rebuild_projection('acme')});
	is(derived(), $before, 'a rebuild gives identical rows and cycle hashes');
	clean_by_both($node, 'both verifiers agree');
};

subtest 'retention' => sub {
	append($node, finding => 'F-now', payload => { severity => 5 });
	fails_with($node, q{SELECT ledger.ledger_set_retention('ledger.finding_history', '-1 day')}, 'LG400', qr/positive interval/, 'a negative one is refused', user => 'op');
	fails_with($node, q{SELECT ledger.ledger_set_retention('ledger.ledger_events', '1 day')}, 'LG404', qr/not aged by time/, 'events are never aged', user => 'op');
	fails_with($node, q{SELECT ledger.ledger_set_retention('ledger.finding_history', '1 day')}, '42501', qr/permission denied/, 'only an operator may set it', user => 'loader');
	as_operator(q{SELECT ledger.ledger_set_retention('ledger.finding_history', '2 years')});
	is(sql(q{SELECT event_body ->> 'retention' FROM ledger.ledger_events WHERE tenant_id = 'ledger'
		AND event_type = 'ledger.guard_changed' ORDER BY sequence_no DESC LIMIT 1}), '2 years', 'setting it is an event');
	tick();
	is(places('F-past'), '', 'old history is aged out');
	is(sql('SELECT count(*) FROM ledger.finding_history_p2019_12'), '1', 'and kept as a table of its own');
	is(sql(q{SELECT aged_out_before AT TIME ZONE 'UTC' FROM ledger.ledger_partition_intent}), '2020-04-01 00:00:00', 'up to when is remembered');
	is(sql(q{SELECT count(*) FROM ledger.finding_history WHERE finding_id IN ('F-late', 'F-now')}), '4', 'newer history is there');
	clean_by_both($node, 'both verifiers agree');

	my $before = derived();
	sql(q{SELECT ledger.ledger_rebuild_projection('acme')});
	is(derived(), $before, 'a rebuild leaves that window out, and gives identical rows and cycle hashes');

	import_past('F-older', '2018-05-05 00:00:00+00', $recent);
	is(places('F-older'), 'finding_history_default 2', 'history past retention is not made by an import either');
	clean_by_both($node, 'both verifiers agree at once');
	tick();
	is(places('F-older'), "$recent_part 2", 'the rest gets its month');
	clean_by_both($node, 'and after a tick');
};

subtest 'history that went another way is missing' => sub {
	$node->psql($DB, "ALTER TABLE ledger.finding_history DETACH PARTITION ledger.$recent_part", on_error_die => 1);
	found_by_both($node, ['projection_diverged 2'], 'a partition detached by hand is not aged out');
	tick();
	found_by_both($node, ['projection_diverged 2'], 'nor does a tick excuse it');
	$node->psql($DB, "ALTER TABLE ledger.finding_history ATTACH PARTITION ledger.$recent_part
		FOR VALUES FROM ('$recent') TO ('$recent_end')", on_error_die => 1);
	clean_by_both($node, 'attached again, it is clean');
	$node->psql($DB, q{UPDATE ledger.ledger_partition_intent SET aged_out_before = NULL}, on_error_die => 1);
	found_by_both($node, [ map { "projection_diverged $_" } 1, 1, 2, 3 ], 'without the horizon all history would be expected');
	$node->psql($DB, q{UPDATE ledger.ledger_partition_intent SET aged_out_before = '2020-04-01 00:00:00+00'}, on_error_die => 1);
	as_operator(q{SELECT ledger.ledger_set_retention('ledger.finding_history', NULL)});
	tick();
	clean_by_both($node, 'retention switched off: what was aged out stays out');
};

subtest 'event triggers let maintenance through, and nothing else' => sub {
	is(sql(q{SELECT bool_and(ok) FROM ledger.ledger_guard_state() WHERE guard = 'event trigger'}), 't', 'they are on');
	my $events = sql(q{SELECT count(*) FROM ledger.ledger_events WHERE event_type = 'ledger.guard_changed'});
	my $before = partitions();
	sql('UPDATE ledger.ledger_partition_intent SET premake = 14');
	tick();
	isnt(partitions(), $before, 'a tick makes partitions');
	is(sql(q{SELECT count(*) FROM ledger.ledger_events WHERE event_type = 'ledger.guard_changed'}), $events, 'which is no change of a guard');
	for my $user (qw(op steward))
	{
		my $error = error_of($node, 'SET ROLE ledger_owner; DROP TABLE ledger.finding_history_p2019_12', user => $user);
		is($error->{sqlstate}, $user eq 'op' ? '42501' : 'LG423', "$user cannot drop a partition");
	}
	is_deeply([ query_json($node, 'SELECT guard, object, state FROM ledger.ledger_guard_state() WHERE NOT ok AND guard <> $$setting$$') ], [], 'the guards are as they must be');
};

# pg_partman would ask the view for columns, and so run its function as the owner.
subtest 'a caller cannot borrow the owner\'s rights' => sub {
	fails_with($node, "CREATE TEMP VIEW $_ AS SELECT 1 AS attname; SELECT ledger.ledger_maintenance_tick()", 'LG403',
		qr/temporary relation "$_" .*another session/, "a temporary view $_ is refused", user => 'op')
	  for qw(pg_attribute partman_temp_data_storage);
	is(as_operator('CREATE TEMP TABLE mine (a int); SELECT ledger.ledger_maintenance_tick()'), 't', 'other temporary tables are not');
};

subtest 'a table that is not registered any more' => sub {
	my $columns = 'parent_table, control, partition_type, partition_interval::interval, premake, datetime_string, template_table, automatic_maintenance, infinite_time_partitions, retention';
	my ($config, $before) = (sql("SELECT $columns FROM partman.part_config"), partitions());
	sql('DELETE FROM partman.part_config');
	is(check('partitions'), 'false ledger.finding_history is not registered with pg_partman', 'the runtime check says so');
	tick();
	is(sql("SELECT $columns FROM partman.part_config"), $config, 'a tick registers it as it was');
	is(partitions(), $before, 'and makes no other partitions');
	sql(q{UPDATE partman.part_config SET partition_interval = '1 day'});
	like(check('partitions'), qr/registered with another column or interval/, 'another interval is noticed');
	sql(q{UPDATE partman.part_config SET partition_interval = '1 mon'});
	is(check('partitions'), 'true registered and made ahead', 'all is well again');
};

subtest 'days and weeks' => sub {
	for my $table (qw(daily weekly))
	{
		command("CREATE TABLE ledger.by_$table (at timestamptz NOT NULL, n integer) PARTITION BY RANGE (at);
			ALTER TABLE ledger.by_$table OWNER TO ledger_owner;
			INSERT INTO ledger.ledger_partition_intent (parent_table, control_column, step) VALUES ('ledger.by_$table', 'at', '$table')");
		tick();
		# Three rows a unit, from 60 units ago to 3 beyond what is made ahead.
		command("INSERT INTO ledger.by_$table SELECT now() + n * interval '8 hours' * CASE '$table' WHEN 'daily' THEN 1 ELSE 7 END, n
			FROM generate_series(-180, 21) AS n");
		tick();
		is(sql("SELECT count(*) FROM ledger.by_${table}_default"), '0', "$table: every row has its partition");
		is(sql("SELECT count(*) FROM ledger.by_$table"), '202', 'and none is lost');
		my $partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'ledger.by_$table'::regclass";
		my $before = sql($partitions);
		sql("DELETE FROM partman.part_config WHERE parent_table = 'ledger.by_$table'");
		tick();
		is(sql($partitions), $before, 'registered again as it stands');
		as_operator("SELECT ledger.ledger_set_retention('ledger.by_$table', '20 days')");
		tick();
		is(sql("SELECT min(at) >= aged_out_before AND min(at) < now() - interval '17 days'
			FROM ledger.by_$table, ledger.ledger_partition_intent WHERE parent_table = 'ledger.by_$table' GROUP BY aged_out_before"), 't', 'aged out up to the partition that is still wanted');
	}
};

# pg_partman 5 does not run here: its functions, with the signatures of 5.1, are put
# in the place of those of 4.x, and say how they were called.
subtest 'the signatures of pg_partman 5' => sub {
	create_ledger($node, 'five');
	$node->psql('five', <<~'SQL', on_error_die => 1);
		DO $$
		DECLARE
			v_function regprocedure;
		BEGIN
			FOR v_function IN SELECT oid FROM pg_proc WHERE pronamespace = 'partman'::regnamespace
				AND proname IN ('create_parent', 'create_partition_time', 'run_maintenance')
			LOOP
				EXECUTE format('ALTER EXTENSION pg_partman DROP FUNCTION %s', v_function);
				EXECUTE format('DROP FUNCTION %s', v_function);
			END LOOP;
		END $$;
		UPDATE pg_extension SET extversion = '5.1.0' WHERE extname = 'pg_partman';
		ALTER TABLE partman.part_config DROP CONSTRAINT part_config_type_check, DROP COLUMN optimize_trigger,
			DROP COLUMN inherit_fk, DROP COLUMN trigger_exception_handling, DROP COLUMN upsert, DROP COLUMN trigger_return_null,
			DROP COLUMN publications, DROP COLUMN drop_cascade_fk, DROP COLUMN subscription_refresh;
		DELETE FROM partman.part_config;
		CREATE TABLE partman.calls (n serial, call text);
		GRANT ALL ON partman.calls, partman.calls_n_seq TO ledger_owner;
		CREATE FUNCTION partman.create_parent(p_parent_table text, p_control text, p_interval text, p_type text DEFAULT 'range',
			p_epoch text DEFAULT 'none', p_premake int DEFAULT 4, p_start_partition text DEFAULT NULL, p_default_table boolean DEFAULT true,
			p_automatic_maintenance text DEFAULT 'on', p_constraint_cols text[] DEFAULT NULL, p_template_table text DEFAULT NULL,
			p_jobmon boolean DEFAULT true, p_date_trunc_interval text DEFAULT NULL) RETURNS boolean LANGUAGE sql AS $$
			INSERT INTO partman.calls (call) VALUES (format('create_parent %s %s %s %s %s', p_parent_table, p_control, p_interval, p_type, p_premake));
			INSERT INTO partman.part_config (parent_table, control, partition_interval, partition_type, premake)
				VALUES (p_parent_table, p_control, p_interval, p_type, p_premake);
			SELECT true $$;
		CREATE FUNCTION partman.create_partition_time(p_parent_table text, p_partition_times timestamptz[], p_start_partition text DEFAULT NULL)
			RETURNS boolean LANGUAGE plpgsql AS $$
		BEGIN
			INSERT INTO partman.calls (call) VALUES (format('create_partition_time %s %s', p_parent_table, p_partition_times));
			EXECUTE format('CREATE TABLE ledger.finding_history_p2020_01 PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
				p_parent_table, p_partition_times[1], p_partition_times[1] + interval '1 month');
			RETURN true;
		END $$;
		CREATE FUNCTION partman.run_maintenance(p_parent_table text DEFAULT NULL, p_analyze boolean DEFAULT false, p_jobmon boolean DEFAULT true)
			RETURNS void LANGUAGE sql AS $$
			INSERT INTO partman.calls (call) VALUES (format('run_maintenance %s %s', p_parent_table, p_jobmon)) $$;
		SQL
	my $calls = sub {
		return $node->safe_psql('five', 'WITH gone AS (DELETE FROM partman.calls RETURNING *) SELECT call FROM gone ORDER BY n');
	};
	my $tick5 = sub { return $node->safe_psql('five', 'SELECT ledger.ledger_maintenance_tick()'); };
	$tick5->();
	is($calls->(), 'run_maintenance ledger.finding_history f', 'a table with partitions is registered without create_parent');
	is($node->safe_psql('five', 'SELECT partition_type, datetime_string, automatic_maintenance FROM partman.part_config'),
		'range|YYYY_MM|off', 'as 5.x wants it, and with the names that 4.x gave');

	$node->safe_psql('five', q{INSERT INTO ledger.finding_history SELECT 'acme', 'F', 'p', gen_random_uuid(), 1, gen_random_uuid(), 'finding.created',
		NULL, 'affected', NULL, NULL, 'a', 'operator', NULL, now(), '2020-01-31 22:00:00+00', sha256('')});
	$tick5->();
	is($calls->(), "create_partition_time ledger.finding_history {\"2020-01-01 00:00:00+00\"}\nrun_maintenance ledger.finding_history f", 'the default partition is emptied through 5.x');

	$node->psql('five', <<~'SQL', on_error_die => 1);
		DELETE FROM partman.part_config;
		DO $$ DECLARE v_name text; BEGIN
			FOR v_name IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'ledger.finding_history'::regclass LOOP
				EXECUTE 'DROP TABLE ' || v_name;
			END LOOP;
		END $$;
		SQL
	$tick5->();
	is($calls->(), "create_parent ledger.finding_history recorded_at 1 month range 4\nrun_maintenance ledger.finding_history f", 'a table without any is made by create_parent');

	$node->psql('five', 'DROP EXTENSION pg_partman CASCADE', on_error_die => 1);
	fails_with($node, 'SELECT ledger.ledger_maintenance_tick()', 'LG503', qr/pg_partman is not installed.*CREATE EXTENSION/, 'without pg_partman the error says what to do', db => 'five');
	is($node->safe_psql('five', q{SELECT detail || ': ' || hint FROM ledger.ledger_check_runtime() WHERE check_name = 'partitions'}),
		'extension pg_partman is not installed: As superuser: CREATE EXTENSION pg_partman SCHEMA partman.', 'and so does the runtime check');
};

$node->stop;
done_testing();
