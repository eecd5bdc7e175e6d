/*
 * replay_report.c
 *		The report of a replay, canonical JSON, and its DSSE envelope.
 *
 * Whatever may differ between two runs of the same fixture is in one member,
 * "timings": without it two reports are the same bytes, on whatever machine.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "replay_format.h"
#include "json_put.h"
#include "lc_dsse.h"
#include "replay.h"
#include "scrape.h"

/* Longer lists are left out: a report is signed in one piece. */
#define LISTED_MAX 1000

/* ---- what is the same on every machine ---- */

static void
put_chains(lc_jcs *w, const replay *r)
{
	if (r->chain_count > LISTED_MAX)
		return;
	json_put_key(w, "chains");
	lc_jcs_begin_array(w);
	for (size_t i = 0; i < r->chain_count; i++)
	{
		const replay_chain *c = &r->chains[i];

		lc_jcs_begin_object(w);
		json_put_text(w, "chainId", c->id);
		json_put_text(w, "policyVersion", c->policy != NULL ? c->policy : "");
		json_put_hash(w, "rootHash", c->root);
		json_put_text(w, "tenant", c->tenant);
		json_put_uint(w, "treeSize", c->events);
		lc_jcs_end_object(w);
	}
	lc_jcs_end_array(w);
}

static void
put_counts(lc_jcs *w, const replay *r)
{
	uint64_t	tenants = 0;

	for (size_t i = 0; i < r->chain_count; i++)
		tenants += i == 0 || r->chains[i].tenant != r->chains[i - 1].tenant;
	json_put_key(w, "counts");
	lc_jcs_begin_object(w);
	json_put_uint(w, "actions", r->totals.actions);
	json_put_uint(w, "anchors", r->totals.anchors);
	json_put_uint(w, "chains", r->chain_count);
	json_put_uint(w, "erased", r->totals.erased);
	json_put_uint(w, "events", r->totals.events);
	json_put_uint(w, "findings", r->totals.findings);
	json_put_uint(w, "history", r->totals.history);
	json_put_uint(w, "tenants", tenants);
	lc_jcs_end_object(w);
}

static int
by_dataset(const void *a, const void *b)
{
	const fixture_file *const *x = a;
	const fixture_file *const *y = b;

	return memcmp((*x)->dataset, (*y)->dataset, LC_HASH_LEN);
}

/* By their content: neither names nor the order in which they were given are facts about them. */
static void
put_fixtures(lc_jcs *w, const replay *r)
{
	size_t		count = r->fixture != NULL ? r->fixture->count : 0;
	const fixture_file **files = cli_alloc.resize(NULL, NULL, (count + 1) * sizeof(*files));

	for (size_t i = 0; i < count; i++)
		files[i] = &r->fixture->files[i];
	qsort(files, count, sizeof(*files), by_dataset);
	json_put_key(w, "fixtures");
	lc_jcs_begin_array(w);
	for (size_t i = 0; i < count; i++)
	{
		lc_jcs_begin_object(w);
		json_put_uint(w, "bytes", files[i]->bytes);
		json_put_hash(w, "datasetSha256", files[i]->dataset);
		json_put_key(w, "expected");
		lc_jcs_boolean(w, files[i]->expected.present);
		json_put_uint(w, "lines", files[i]->lines);
		lc_jcs_end_object(w);
	}
	lc_jcs_end_array(w);
	cli_alloc.release(NULL, files);
}

static void
put_differences(lc_jcs *w, const replay *r)
{
	const char *at = r->differences.data;

	json_put_key(w, "differences");
	lc_jcs_begin_array(w);
	for (size_t i = 0; i < r->difference_count; i++, at += strlen(at) + 1)
		lc_jcs_string(w, at, strlen(at));
	lc_jcs_end_array(w);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/*
 * The policies that the events were judged under.  One hash binds the report to
 * them: the one that the deployment names, else the only version there is, else
 * the SHA-256 of the list.
 */
static void
put_policies(lc_jcs *w, const replay *r)
{
	const char *named = cli_value(r->args, "policy-hash");
	const char **all = cli_alloc.resize(NULL, NULL, (r->chain_count + 1) * sizeof(*all));
	size_t		count = 0;
	lc_buf		list;
	lc_jcs	   *l;
	uint8_t		hash[LC_HASH_LEN] = {0};

	for (size_t i = 0; i < r->chain_count; i++)
		if (r->chains[i].policy != NULL)
			all[count++] = r->chains[i].policy;
	qsort(all, count, sizeof(*all), by_text);
	lc_buf_init(&list, &cli_alloc);
	l = lc_jcs_new(&list, &cli_alloc);
	lc_jcs_begin_array(l);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(all[i], all[i - 1]) != 0)
			lc_jcs_string(l, all[i], strlen(all[i]));
	lc_jcs_end_array(l);
	(void) lc_jcs_finish(l);
	lc_jcs_free(l);
	if (named == NULL)
		named = getenv(POLICY_VARIABLE);
	if (named != NULL && *named != '\0')
		json_put_text(w, "policyHash", named);
	else if (count > 0 && strcmp(all[0], all[count - 1]) == 0)
		json_put_text(w, "policyHash", all[0]);
	else if (lc_sha256(list.data, list.len, hash) == LC_OK)
		json_put_hash(w, "policyHash", hash);
	lc_buf_free(&list);
	cli_alloc.release(NULL, all);
}

static bool
put_versions(lc_jcs *w, replay *r, fault *f)
{
	PGresult   *rows = db_query(r->conns[0], f,
								"SELECT ledger.ledger_library_version() AS extension,"
								" (SELECT max(m.version) FROM ledger.ledger_schema_migrations AS m)::text AS migration",
								0, NULL);

	if (rows == NULL)
		return false;
	json_put_key(w, "versions");
	lc_jcs_begin_object(w);
	json_put_text(w, "extension", db_text(rows, 0, "extension"));
	json_put_text(w, "ledgerctl", LEDGER_VERSION);
	json_put_text(w, "migration", db_text(rows, 0, "migration"));
	lc_jcs_end_object(w);
	PQclear(rows);
	return true;
}

/* ---- timings ---- */

static void
put_latency(lc_jcs *w, const latency *l)
{
	json_put_key(w, "calls");
	lc_jcs_begin_object(w);
	json_put_key(w, "buckets");
	lc_jcs_begin_array(w);
	for (size_t i = 0; i <= LATENCY_BOUNDS; i++)
	{
		lc_jcs_begin_object(w);
		json_put_uint(w, "count", l->shown[i]);
		if (i < LATENCY_BOUNDS)
			json_put_seconds(w, "upTo", latency_bounds[i]);
		lc_jcs_end_object(w);
	}
	lc_jcs_end_array(w);
	json_put_uint(w, "count", l->count);
	json_put_seconds(w, "max", l->max_us);
	json_put_seconds(w, "p50", latency_per_mille(l, 500));
	json_put_seconds(w, "p95", latency_per_mille(l, 950));
	json_put_seconds(w, "p99", latency_per_mille(l, 990));
	json_put_seconds(w, "sum", l->sum_us);
	lc_jcs_end_object(w);
}

static double
per_second(uint64_t count, uint64_t us)
{
	return us == 0 ? 0 : (double) (count * 1000000 / us);
}

static void
put_phases(lc_jcs *w, const replay *r)
{
	const replay_timings *t = &r->timings;

	json_put_seconds(w, "checkSeconds", t->checked_us);
	json_put_seconds(w, "importSeconds", t->fed_us);
	json_put_uint(w, "imported", t->imported);
	json_put_double(w, "importedPerSecond", per_second(t->imported, t->fed_us));
	json_put_uint(w, "present", t->present);
	json_put_double(w, "projectionLagSeconds", t->lag_seconds);
	json_put_seconds(w, "projectionWaitSeconds", t->waited_us);
	json_put_seconds(w, "rebuildSeconds", t->rebuilt_us);
	json_put_seconds(w, "verifySeconds", t->verified_us);
	json_put_double(w, "verifiedPerSecond", per_second(r->totals.events, t->verified_us));
	json_put_text(w, "finished", t->finished);
	json_put_text(w, "started", t->started);
	put_latency(w, &t->calls);
}

static uint64_t
microseconds(struct timeval t)
{
	return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_usec;
}

static void
put_process(lc_jcs *w)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return;
	json_put_key(w, "process");
	lc_jcs_begin_object(w);
	json_put_uint(w, "maxResidentKiB", (uint64_t) usage.ru_maxrss);
	json_put_seconds(w, "systemSeconds", microseconds(usage.ru_stime));
	json_put_seconds(w, "userSeconds", microseconds(usage.ru_utime));
	lc_jcs_end_object(w);
}

/* What the server's own part of the timings depends on. */
static const char settings_query[] =
	"SELECT s.name, concat(s.reset_val, ' ' || s.unit) AS value FROM pg_settings AS s"
	" WHERE s.name LIKE 'ledger.%' OR s.name IN ('server_version', 'server_encoding', 'lc_collate',"
	" 'TimeZone', 'work_mem', 'shared_buffers', 'maintenance_work_mem', 'max_worker_processes',"
	" 'max_parallel_workers_per_gather', 'fsync', 'synchronous_commit', 'wal_level', 'jit')";

static bool
put_settings(lc_jcs *w, replay *r, fault *f)
{
	PGresult   *rows = db_query(r->conns[0], f, settings_query, 0, NULL);

	if (rows == NULL)
		return false;
	json_put_key(w, "settings");
	lc_jcs_begin_object(w);
	for (int i = 0; i < PQntuples(rows); i++)
		json_put_text(w, db_text(rows, i, "name"), db_text(rows, i, "value"));
	lc_jcs_end_object(w);
	PQclear(rows);
	return true;
}

static bool
put_metrics(lc_jcs *w, const replay *r, fault *f)
{
	const char *url = cli_value(r->args, "metrics-endpoint");
	lc_buf		text;
	bool		good;

	if (url == NULL)
		return true;
	good = scrape(url, &text, f) || fault_at(f, "the metrics endpoint");
	if (good)
		scrape_put(w, "metrics", &text);
	lc_buf_free(&text);
	return good;
}

static bool
put_timings(lc_jcs *w, replay *r, fault *f)
{
	bool		good;

	json_put_key(w, "timings");
	lc_jcs_begin_object(w);
	json_put_uint(w, "connections", r->connections);
	if (r->fixture != NULL)
		json_put_uint(w, "linesPerCall", r->batch);
	put_phases(w, r);
	put_process(w);
	good = put_settings(w, r, f) && put_metrics(w, r, f);
	lc_jcs_end_object(w);
	return good;
}

/* ---- the files ---- */

static bool
make_report(replay *r, lc_buf *out, fault *f)
{
	lc_jcs	   *w = lc_jcs_new(out, &cli_alloc);
	bool		good;

	lc_jcs_begin_object(w);
	put_chains(w, r);
	put_counts(w, r);
	put_differences(w, r);
	json_put_hash(w, "eventStreamChecksum", r->totals.events_checksum);
	put_fixtures(w, r);
	json_put_text(w, "mode", r->fixture != NULL ? "fixture" : "rebuild");
	put_policies(w, r);
	json_put_hash(w, "projectionChecksum", r->totals.projection_checksum);
	if (r->fixture == NULL)
		json_put_hash(w, "projectionChecksumBefore", r->totals.before);
	json_put_text(w, "result", r->difference_count == 0 ? "match" : "mismatch");
	json_put_hash(w, "rootsChecksum", r->totals.roots_checksum);
	json_put_text(w, "schemaVersion", HARNESS_SCHEMA);
	good = put_versions(w, r, f) && put_timings(w, r, f);
	lc_jcs_end_object(w);
	if (good && lc_jcs_finish(w) != LC_OK)
		good = fault_set(f, "the report cannot be written: %s", lc_status_text(out->status));
	lc_jcs_free(w);
	return good;
}

static cli_exit
write_signature(const char *path, const lc_buf *report, const lc_signer *key)
{
	lc_str		type = {HARNESS_TYPE, strlen(HARNESS_TYPE)};
	lc_str		payload = {report->data, report->len};
	size_t		n = strlen(path) + sizeof(HARNESS_SIGNATURE_SUFFIX);
	char	   *beside = cli_alloc.resize(NULL, NULL, n);
	lc_buf		envelope;
	cli_exit	code;

	snprintf(beside, n, "%s" HARNESS_SIGNATURE_SUFFIX, path);
	lc_buf_init(&envelope, &cli_alloc);
	if (lc_dsse_sign(&envelope, type, payload, key, 1, &cli_alloc) != LC_OK)
		code = cli_error(CLI_USAGE, "OpenSSL cannot sign");
	else
	{
		lc_buf_putc(&envelope, '\n');
		code = cli_write_new(beside, 0644, envelope.data, envelope.len);
	}
	if (code == CLI_GOOD)
		cli_json_text("signature", beside);
	lc_buf_free(&envelope);
	free(beside);
	return code;
}

static cli_exit
write_report(const char *path, lc_buf *report, const lc_signer *key)
{
	cli_exit	code;
	size_t		n = report->len;

	/* The file ends with a newline, as text does; what is signed does not. */
	lc_buf_putc(report, '\n');
	code = cli_write_new(path, 0644, report->data, report->len);
	lc_buf_truncate(report, n);
	if (code == CLI_GOOD)
		cli_json_text("report", path);
	if (code == CLI_GOOD && key != NULL)
		code = write_signature(path, report, key);
	else if (code == CLI_GOOD)
		cli_note("%s is not signed: no key was given (--key-file, LEDGER__MERKLE__SIGNINGKEY_FILE)", path);
	return code;
}

cli_exit
replay_report(replay *r, const char *path, const lc_signer *key)
{
	lc_buf		report;
	fault		f;
	cli_exit	code;

	lc_buf_init(&report, &cli_alloc);
	if (!make_report(r, &report, &f))
		code = cli_error(CLI_USAGE, "%s", f.text);
	else
		code = write_report(path, &report, key);
	lc_buf_free(&report);
	return code;
}
