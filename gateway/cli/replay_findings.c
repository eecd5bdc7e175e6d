/*
 * replay_findings.c
 *		Every finding read back, beside what the fixture expects of it.
 *
 * Both come in the same order, so that they are compared as they come.  Several
 * fixtures have a file each; the least of their next findings is the one to be
 * looked for.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lc_hex.h"
#include "replay.h"
#include "stored_finding.h"

typedef struct comparing
{
	replay	   *replay;
	const char *tenant;
	bool		expected;		/* every fixture says what is expected */
	checksum	cycles;
	uint64_t	about;
} comparing;

static int
compare_keys(const expected_finding *a, const expected_finding *b)
{
	int			order = expected_compare(a->tenant, b->tenant);

	if (order == 0)
		order = expected_compare(a->finding_id, b->finding_id);
	return order != 0 ? order : expected_compare(a->policy_version, b->policy_version);
}

/* The file whose finding comes first, NULL if none has a further one. */
static expected_file *
least(const comparing *c)
{
	const fixture *x = c->replay->fixture;
	expected_file *first = NULL;

	for (size_t i = 0; x != NULL && i < x->count; i++)
	{
		expected_file *file = &x->files[i].expected;

		if (file->kind == EXPECTED_FINDING &&
			(first == NULL || compare_keys(&file->finding, &first->finding) < 0))
			first = file;
	}
	return first;
}

static cli_exit
missing(const expected_file *file, fault *f)
{
	const expected_finding *x = &file->finding;

	fault_set(f, "%s:%llu: finding \"%.*s\" of policy version \"%.*s\" of %.*s is not in the database", file->path,
			  (unsigned long long) file->lines.number, CLI_SHOW(x->finding_id), CLI_SHOW(x->policy_version),
			  CLI_SHOW(x->tenant));
	return CLI_FAILED;
}

static cli_exit
compare_state(const expected_file *file, const stored_finding *have, fault *f)
{
	const expected_finding *want = &file->finding;
	char		hex[2][2 * LC_HASH_LEN];

	if (memcmp(want->cycle_hash, have->cycle_hash, LC_HASH_LEN) == 0 &&
		(int64_t) want->sequence == have->columns.current_sequence)
		return CLI_GOOD;
	lc_hex_encode(want->cycle_hash, LC_HASH_LEN, hex[0]);
	lc_hex_encode(have->cycle_hash, LC_HASH_LEN, hex[1]);
	fault_set(f, "%s:%llu: finding \"%.*s\" of policy version \"%.*s\" of %.*s must have the cycle hash %.64s after "
			  "sequence %" PRIu64 ", but the database has %.64s after %" PRId64, file->path,
			  (unsigned long long) file->lines.number, CLI_SHOW(want->finding_id), CLI_SHOW(want->policy_version),
			  CLI_SHOW(want->tenant), hex[0], want->sequence, hex[1], have->columns.current_sequence);
	return CLI_FAILED;
}

/* What expected_next() says of a file that is none was said by it already. */
static cli_exit
advance(expected_file *file, fault *f)
{
	cli_exit	code = expected_next(file);

	if (code != CLI_GOOD)
		fault_set(f, "%s cannot be read to its end", file->path);
	return code;
}

static cli_exit
take_finding(void *arg, const stored_finding *have, fault *f)
{
	comparing  *c = arg;
	const lc_projection *p = &have->columns;
	expected_finding key = {.tenant = p->tenant, .finding_id = p->finding_id,
	.policy_version = p->policy_version};
	expected_file *file = least(c);
	int			order = file == NULL ? 1 : compare_keys(&file->finding, &key);
	cli_exit	code = CLI_GOOD;

	checksum_add(&c->cycles, have->cycle_hash);
	cli_progress("verifying findings", ++c->replay->totals.findings, 0);
	/* Where one fixture says nothing, what is in no other may be its. */
	if (order < 0)
		return missing(file, f);
	if (order == 0)
	{
		code = compare_state(file, have, f);
		return code == CLI_GOOD ? advance(file, f) : code;
	}
	if (!c->expected)
		return CLI_GOOD;
	fault_set(f, "finding \"%.*s\" of policy version \"%.*s\" of %s is in the database, and no fixture expects it",
			  CLI_SHOW(p->finding_id), CLI_SHOW(p->policy_version), c->tenant);
	return CLI_FAILED;
}

static cli_exit
count_rows(replay *r, const char *tenant, fault *f)
{
	const char *values[] = {tenant};
	PGresult   *rows = db_query(r->conns[0], f,
								"SELECT (SELECT count(*) FROM ledger.finding_history AS h WHERE h.tenant_id = $1)"
								" AS history, (SELECT count(*) FROM ledger.triage_actions AS a"
								" WHERE a.tenant_id = $1) AS actions", 1, values);
	uint64_t	history = 0;
	uint64_t	actions = 0;

	if (rows == NULL)
		return CLI_USAGE;
	(void) db_uint(rows, 0, "history", &history);
	(void) db_uint(rows, 0, "actions", &actions);
	PQclear(rows);
	r->totals.history += history;
	r->totals.actions += actions;
	return CLI_GOOD;
}

/* With one fixture its own totals must come out too. */
static cli_exit
compare_totals(const replay *r, fault *f)
{
	const expected_file *file;
	char		hex[2][2 * LC_HASH_LEN];

	if (r->fixture == NULL || r->fixture->count != 1 || !r->fixture->files[0].expected.present)
		return CLI_GOOD;
	file = &r->fixture->files[0].expected;
	if (memcmp(file->totals.projection_checksum, r->totals.projection_checksum, LC_HASH_LEN) == 0 &&
		memcmp(file->totals.events_checksum, r->totals.events_checksum, LC_HASH_LEN) == 0)
		return CLI_GOOD;
	lc_hex_encode(r->totals.events_checksum, LC_HASH_LEN, hex[0]);
	lc_hex_encode(r->totals.projection_checksum, LC_HASH_LEN, hex[1]);
	fault_set(f, "%s says other checksums in its last line: eventStreamChecksum is %.64s, projectionChecksum %.64s",
			  file->path, hex[0], hex[1]);
	return CLI_FAILED;
}

static cli_exit
compare_all(comparing *c, fault *f)
{
	replay	   *r = c->replay;
	expected_file *left;
	cli_exit	code = rows_in_order(r->conns[0], f) ? CLI_GOOD : CLI_USAGE;

	for (size_t t = 0; t < r->tenants.count && code == CLI_GOOD; t++)
	{
		c->tenant = r->tenants.names[t];
		code = findings_visit(r->conns[0], c->tenant, take_finding, c, f);
		if (code == CLI_GOOD)
			code = count_rows(r, c->tenant, f);
	}
	if (code == CLI_GOOD && (left = least(c)) != NULL)
		code = missing(left, f);
	return code;
}

static cli_exit
add_cycle(void *arg, const stored_finding *have, fault *f)
{
	(void) f;
	checksum_add(arg, have->cycle_hash);
	return CLI_GOOD;
}

cli_exit
replay_findings_before(replay *r)
{
	checksum	cycles;
	fault		f;
	cli_exit	code = CLI_GOOD;

	checksum_begin(&cycles);
	for (size_t t = 0; t < r->tenants.count && code != CLI_USAGE; t++)
	{
		code = findings_visit(r->conns[0], r->tenants.names[t], add_cycle, &cycles, &f);
		if (code == CLI_FAILED)
			cli_note("before the rebuild: %s", f.text);
	}
	if (!checksum_end(&cycles, r->totals.before) && code != CLI_USAGE)
	{
		fault_set(&f, "OpenSSL cannot hash");
		code = CLI_USAGE;
	}
	return code != CLI_USAGE ? CLI_GOOD : cli_error(code, "%s", f.text);
}

static void
tell_rebuilt(const replay *r)
{
	char		hex[2][2 * LC_HASH_LEN];

	if (memcmp(r->totals.before, r->totals.projection_checksum, LC_HASH_LEN) == 0)
		return;
	lc_hex_encode(r->totals.before, LC_HASH_LEN, hex[0]);
	lc_hex_encode(r->totals.projection_checksum, LC_HASH_LEN, hex[1]);
	cli_note("the projection was not what the events give: its checksum was %.64s and is %.64s; ledgerctl verify, "
			 "on a copy that is not rebuilt, names the findings", hex[0], hex[1]);
}

cli_exit
replay_findings(replay *r)
{
	comparing	c = {.replay = r, .expected = r->fixture != NULL && fixture_all_expected(r->fixture)};
	fault		f;
	cli_exit	code;

	checksum_begin(&c.cycles);
	code = compare_all(&c, &f);
	cli_progress_clear();
	if (!checksum_end(&c.cycles, r->totals.projection_checksum) && code == CLI_GOOD)
	{
		fault_set(&f, "OpenSSL cannot hash");
		code = CLI_USAGE;
	}
	if (code == CLI_GOOD && r->difference_count == 0)
		code = compare_totals(r, &f);
	if (code == CLI_FAILED)
		replay_differs(r, &f);
	else if (code != CLI_GOOD)
		return cli_error(code, "%s", f.text);
	else if (r->fixture == NULL)
		tell_rebuilt(r);
	return CLI_GOOD;
}
