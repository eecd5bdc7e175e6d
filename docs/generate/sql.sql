-- docs/reference/sql.md from the catalog: what COMMENTs and signatures say.  Run by
-- docs/generate.sh, with a search_path that leaves the schema ledger out of names.

-- A cell of a table holds no line break and no bar.
CREATE FUNCTION pg_temp.cell(t text) RETURNS text LANGUAGE sql
	RETURN replace(replace(coalesce(t, ''), E'\n', ' '), '|', '\|');

-- Who may do something, by an ACL; NULL is the default that PostgreSQL has.
CREATE FUNCTION pg_temp.grantees(acl aclitem[], kind "char", owner oid, privilege text) RETURNS text LANGUAGE sql
	RETURN (SELECT string_agg(CASE WHEN a.grantee = 0 THEN 'everyone' ELSE format('`%s`', pg_get_userbyid(a.grantee)) END, ', '
			ORDER BY a.grantee <> 0, pg_get_userbyid(a.grantee) COLLATE "C")
		FROM aclexplode(coalesce(acl, acldefault(kind, owner))) AS a
		WHERE a.privilege_type = privilege AND a.grantee <> owner);

CREATE VIEW pg_temp.functions AS
SELECT p.oid, p.proname, p.prokind, p.provolatile, p.proparallel, p.proisstrict, p.prosecdef,
	p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype) AS is_trigger,
	l.lanname, pg_get_function_identity_arguments(p.oid) AS identity,
	-- NULL::timestamp with time zone says no more than NULL.
	regexp_replace(pg_get_function_arguments(p.oid), '::[a-z ]+(\[\])?', '', 'g') AS arguments,
	count(*) OVER (PARTITION BY p.proname) > 1 AS overloaded,
	pg_get_function_result(p.oid) AS result,
	obj_description(p.oid, 'pg_proc') AS comment,
	EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') AS of_extension,
	-- What of the extension is of use outside of it; a new one stands with the others.
	p.proname IN ('ledger_canonical_json', 'ledger_chain_id', 'ledger_event_envelope', 'ledger_event_hash', 'ledger_leaf_hash',
		'ledger_library_version', 'ledger_payload_hash', 'ledger_tenant_allowed', 'ledger_tenant_selected', 'ledger_uuid_v7') AS for_readers,
	pg_temp.grantees(p.proacl, 'f', p.proowner, 'EXECUTE') AS callers
FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
WHERE p.pronamespace = 'ledger'::regnamespace AND p.prokind IN ('f', 'p', 'a');

CREATE FUNCTION pg_temp.facts(f pg_temp.functions) RETURNS text LANGUAGE sql
	RETURN concat_ws(', ',
		CASE f.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate'
			ELSE CASE f.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END END,
		CASE WHEN f.proisstrict THEN 'strict' END,
		CASE f.proparallel WHEN 's' THEN 'parallel safe' WHEN 'r' THEN 'parallel restricted' END,
		CASE WHEN f.prosecdef THEN 'security definer' END,
		CASE f.lanname WHEN 'c' THEN 'C' WHEN 'sql' THEN 'SQL' WHEN 'plpgsql' THEN 'PL/pgSQL' END);

-- One function as a section of its own.
CREATE FUNCTION pg_temp.section(f pg_temp.functions) RETURNS text LANGUAGE sql
	RETURN format(E'### %s%s\n\n```\n%s(%s)%s\n```\n\n%s\n\n*%s. May be called by %s.*\n',
		f.proname, CASE WHEN f.overloaded THEN format(' (%s)', regexp_replace(f.identity, ', .*', ', …')) END, f.proname,
		CASE WHEN strpos(f.arguments, ', ') = 0 THEN f.arguments
			ELSE E'\n    ' || regexp_replace(f.arguments, ', (?=(OUT )?[a-z_]+ [a-z])', E',\n    ', 'g') END,
		CASE WHEN f.prokind = 'p' THEN '' ELSE ' → ' || f.result END,
		f.comment, pg_temp.facts(f), coalesce(f.callers, 'the owner only'));

CREATE FUNCTION pg_temp.row_of(f pg_temp.functions) RETURNS text LANGUAGE sql
	RETURN format('| `%s(%s)` | %s | %s |', f.proname, f.identity, pg_temp.cell(f.comment), pg_temp.facts(f));

CREATE VIEW pg_temp.tables AS
SELECT c.oid, c.relname, c.relkind, obj_description(c.oid, 'pg_class') AS comment,
	pg_get_partkeydef(c.oid) AS partitioned,
	pg_temp.grantees(c.relacl, 'r', c.relowner, 'SELECT') AS readers,
	pg_temp.grantees(c.relacl, 'r', c.relowner, 'INSERT') AS inserters
FROM pg_class AS c
WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition;

CREATE FUNCTION pg_temp.table_section(t pg_temp.tables) RETURNS text LANGUAGE sql
	RETURN format(E'### %s\n\n%s\n\n%s| column | type | null | default | what it is |\n| --- | --- | --- | --- | --- |\n%s\n',
		t.relname, t.comment,
		concat_ws('', CASE WHEN t.partitioned IS NOT NULL THEN format('Partitioned by %s. ', t.partitioned) END,
			(SELECT format('Primary key (%s). ', string_agg(a.attname, ', ' ORDER BY k.n))
			 FROM pg_index AS i, unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, n), pg_attribute AS a
			 WHERE i.indrelid = t.oid AND i.indisprimary AND a.attrelid = t.oid AND a.attnum = k.attnum),
			(SELECT string_agg(pg_get_constraintdef(u.oid) || '. ', '' ORDER BY u.conname)
			 FROM pg_constraint AS u WHERE u.conrelid = t.oid AND u.contype IN ('u', 'f')),
			format('Read by %s', coalesce(t.readers, 'the owner only')),
			CASE WHEN t.inserters IS NOT NULL THEN format('; inserted into by %s', t.inserters) END, E'.\n\n'),
		(SELECT string_agg(format('| `%s` | %s | %s | %s | %s |', a.attname, format_type(a.atttypid, a.atttypmod),
				CASE WHEN a.attnotnull THEN '' ELSE 'yes' END,
				CASE WHEN d.adbin IS NULL THEN '' ELSE format('`%s`', pg_get_expr(d.adbin, d.adrelid)) END,
				pg_temp.cell(col_description(t.oid, a.attnum))), E'\n' ORDER BY a.attnum)
		 FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		 WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped));

\echo '<!-- Generated by docs/generate.sh from the catalog of a migrated database. Do not edit. -->'
\echo '# SQL reference'
\echo
\echo 'Everything lies in the schema `ledger`, which the migrations put on the database''s search_path. Roles are'
\echo 'explained in [tenants and roles](../how-to/tenants-and-roles.md), errors in [errors.md](errors.md),'
\echo 'settings in [settings.md](settings.md).'
\echo
\echo '## Functions'
\echo
SELECT pg_temp.section(f) FROM pg_temp.functions AS f
WHERE NOT f.is_trigger AND NOT f.of_extension AND f.callers IS NOT NULL AND f.callers <> 'everyone'
ORDER BY f.proname COLLATE "C", f.identity COLLATE "C";
\echo '## Functions of the extension'
\echo
\echo 'Arithmetic and questions that anyone may ask; what `CREATE EXTENSION` makes besides is listed below them.'
\echo
SELECT pg_temp.section(f) FROM pg_temp.functions AS f
WHERE f.for_readers
ORDER BY f.proname COLLATE "C", f.identity COLLATE "C";
\echo '## Functions behind the others'
\echo
\echo 'Called by the ledger itself: triggers, event triggers and what the functions above share.'
\echo
\echo '| function | what it does | |'
\echo '| --- | --- | --- |'
SELECT pg_temp.row_of(f) FROM pg_temp.functions AS f
WHERE NOT f.for_readers AND (f.is_trigger OR f.of_extension OR f.callers IS NULL OR f.callers = 'everyone')
ORDER BY f.proname COLLATE "C", f.identity COLLATE "C";
\echo
\echo '## Tables'
\echo
SELECT pg_temp.table_section(t) FROM pg_temp.tables AS t
WHERE t.relkind IN ('r', 'p') ORDER BY t.relname COLLATE "C";
SELECT E'## Views\n\n' || string_agg(pg_temp.table_section(t), E'\n' ORDER BY t.relname COLLATE "C")
FROM pg_temp.tables AS t WHERE t.relkind IN ('v', 'm') HAVING count(*) > 0;
\echo '## Event types'
\echo
\echo 'The rows of `ledger_event_types` that the migrations make; `ledger_add_event_type()` adds more.'
\echo 'How each is folded is told in [projection.md](../projection.md).'
\echo
\echo '| type | default status | action | payload members read | labels | what it says |'
\echo '| --- | --- | --- | --- | --- | --- |'
SELECT format('| `%s`%s | %s | %s | %s | %s | %s |', event_type, CASE WHEN reserved THEN ' (reserved)' ELSE '' END,
	coalesce(default_status, ''), coalesce(action_kind, ''), array_to_string(reads, ', '),
	CASE WHEN 'labels' = ANY (reads) THEN labels_mode ELSE '' END, pg_temp.cell(description))
FROM ledger.ledger_event_types ORDER BY reserved, event_type COLLATE "C";
\echo
\echo '## Triggers'
\echo
\echo '| trigger | fires | on |'
\echo '| --- | --- | --- |'
SELECT format('| `%s` | %s | %s |', t.tgname,
	concat_ws(' ', CASE WHEN t.tgtype & 2 = 2 THEN 'before' ELSE 'after' END,
		concat_ws(' or ', CASE WHEN t.tgtype & 4 = 4 THEN 'insert' END, CASE WHEN t.tgtype & 16 = 16 THEN 'update' END,
			CASE WHEN t.tgtype & 8 = 8 THEN 'delete' END, CASE WHEN t.tgtype & 32 = 32 THEN 'truncate' END),
		CASE WHEN t.tgtype & 1 = 1 THEN 'for each row' ELSE 'for each statement' END,
		CASE t.tgenabled WHEN 'A' THEN 'always' WHEN 'O' THEN '' ELSE 'enabled ' || t.tgenabled::text END),
	CASE WHEN c.relispartition THEN 'each leaf of `ledger_events`' ELSE format('`%s`', c.relname) END)
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'ledger'::regnamespace AND NOT t.tgisinternal
	AND (NOT c.relispartition OR c.relname = (SELECT leaf FROM ledger.ledger_tenants WHERE tenant_id = 'ledger'))
ORDER BY c.relispartition, c.relname COLLATE "C", t.tgname COLLATE "C";
SELECT format('| `%s` | %s %s | the database |', e.evtname, e.evtevent, CASE e.evtenabled WHEN 'A' THEN 'always' ELSE e.evtenabled::text END)
FROM pg_event_trigger AS e JOIN pg_proc AS p ON p.oid = e.evtfoid
WHERE p.pronamespace = 'ledger'::regnamespace ORDER BY e.evtname COLLATE "C";
\echo
\echo '## Roles'
\echo
\echo '| role | what it is for | privileges of its own |'
\echo '| --- | --- | --- |'
SELECT format('| `%s` | %s | %s |', r.rolname,
	pg_temp.cell(regexp_replace(shobj_description(r.oid, 'pg_authid'), '^Findings Ledger: ', '')),
	concat_ws(', ', CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
		CASE WHEN r.rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END))
FROM pg_roles AS r WHERE r.rolname LIKE 'ledger\_%' ORDER BY r.rolname COLLATE "C";
