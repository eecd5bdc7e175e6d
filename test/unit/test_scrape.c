/*
 * test_scrape.c
 *		Samples of Prometheus' text format.
 */
#include "harness.h"
#include "scrape.h"

static void
is_sample(const char *text, const char *want_series, double want_value, const char *name)
{
	const char *at = text;
	lc_str		series = {"", 0};
	double		value = -1;
	bool		found = scrape_next(&at, text + strlen(text), &series, &value);

	if (ok(found && value == want_value, "%s: its value", name))
		is_bytes(series.s, series.n, want_series, strlen(want_series), name);
}

static void
is_none(const char *text, const char *name)
{
	const char *at = text;
	lc_str		series;
	double		value;

	ok(!scrape_next(&at, text + strlen(text), &series, &value), "%s", name);
}

/* The member's array, canonical. */
static void
is_member(const char *text, const char *want, const char *name)
{
	lc_buf		samples;
	lc_buf		out;
	lc_jcs	   *w;

	lc_buf_init(&samples, &cli_alloc);
	lc_buf_puts(&samples, text);
	lc_buf_init(&out, &cli_alloc);
	w = lc_jcs_new(&out, &cli_alloc);
	lc_jcs_begin_object(w);
	scrape_put(w, "m", &samples);
	lc_jcs_end_object(w);
	ok(lc_jcs_finish(w) == LC_OK, "%s: is JSON", name);
	lc_jcs_free(w);
	is_bytes(out.data, out.len, want, strlen(want), name);
	lc_buf_free(&samples);
	lc_buf_free(&out);
}

int
main(void)
{
	is_sample("a 1\n", "a", 1, "no labels");
	is_sample("# HELP a b\n# TYPE a counter\na{x=\"y\"} 2.5\n", "a{x=\"y\"}", 2.5, "comments before it");
	is_sample("a{x=\"} \\\"{\"} 3\n", "a{x=\"} \\\"{\"}", 3, "braces, blanks and quotes in a label");
	is_sample("a 4 1700000000000\n", "a", 4, "a time stamp behind it");
	is_sample("a\t 5", "a", 5, "no newline at the end");
	is_sample("nonsense\n\n a 1\na 6\n", "a", 6, "what is no sample is left out");
	is_none("", "nothing");
	is_none("a\n", "no value");
	is_none("a{x=\"y\" 1\n", "labels that do not end");
	is_none("a 1x\n", "a value that is no number");
	is_member("ledger_a 1\nledger_b_bucket{le=\"1\"} 2\ngo_c 3\nledger_d NaN\nledger_e 0.1000000000000000055\n",
			  "{\"m\":[{\"series\":\"ledger_a\",\"value\":1},{\"series\":\"ledger_d\",\"value\":\"nan\"},"
			  "{\"series\":\"ledger_e\",\"value\":0.1}]}", "the ledger's, without buckets");
	is_member("ledger_\xff 1\nledger_a +Inf\n", "{\"m\":[{\"series\":\"ledger_a\",\"value\":\"inf\"}]}",
			  "what is no UTF-8 is left out, infinity is a text");
	is_member("", "{\"m\":[]}", "none");
	return done();
}
