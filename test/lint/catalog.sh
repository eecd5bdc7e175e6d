#!/usr/bin/env bash
# What a migrated database must satisfy.  LINT_DSN is a freshly migrated ledger.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tap.sh"

ask() {
	psql -X -A -t -q -v ON_ERROR_STOP=1 -d "${LINT_DSN:?}" -c "$1"
}

# A function whose body is parsed when it is made (prosqlbody) is pinned by that.
ask "SELECT p.oid::regprocedure
	FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
	WHERE p.pronamespace = 'ledger'::regnamespace AND l.lanname IN ('sql', 'plpgsql')
	  AND p.prosqlbody IS NULL
	  AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS c WHERE c LIKE 'search_path=%')" |
	none 'every SQL and PL/pgSQL function pins its search_path'

ask "SELECT p.oid::regprocedure
	FROM pg_proc p
	WHERE p.pronamespace = 'ledger'::regnamespace AND p.prosecdef
	  AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS c WHERE c LIKE 'search_path=%pg_temp')" |
	none 'every SECURITY DEFINER function has pg_temp last in its search_path'

ask "SELECT p.oid::regprocedure
	FROM pg_proc p
	WHERE p.pronamespace = 'ledger'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL" |
	none 'every function has a comment'

ask "SELECT c.oid::regclass
	FROM pg_class c
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p', 'v')
	  AND NOT c.relispartition AND obj_description(c.oid, 'pg_class') IS NULL" |
	none 'every table and view has a comment'

ask "SELECT format('%s.%s', c.oid::regclass, a.attname)
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p', 'v')
	  AND NOT c.relispartition AND col_description(c.oid, a.attnum) IS NULL" |
	none 'every column has a comment'

ask "SELECT c.oid::regclass
	FROM pg_class c
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relowner <> 'ledger_owner'::regrole" |
	none 'every relation belongs to ledger_owner'

ask "SELECT p.oid::regprocedure
	FROM pg_proc p
	WHERE p.pronamespace = 'ledger'::regnamespace AND p.proowner <> 'ledger_owner'::regrole
	  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')" |
	none 'every function outside the extension belongs to ledger_owner'

# Any role can hold one, and so keep the ledger from its work.
ask "SELECT p.oid::regprocedure
	FROM pg_proc p
	WHERE p.pronamespace = 'ledger'::regnamespace AND p.prosrc ~ 'advisory_(xact_)?lock'" |
	none 'no function takes an advisory lock of SQL'

# An EXCEPTION clause starts a subtransaction, which fails in any parallel operation,
# in the leader too.
ask "SELECT p.oid::regprocedure
	FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
	WHERE p.pronamespace = 'ledger'::regnamespace AND l.lanname = 'plpgsql'
	  AND p.proparallel <> 'u' AND p.prosrc ~ '\\mEXCEPTION\\s+(--[^\n]*\s+)?WHEN\\M'" |
	none 'no function with an EXCEPTION clause is marked fit for parallel plans'
