/*
 * prom_set.c
 *		Samples of metrics as text; see prom_set.h.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lc_utf8.h"
#include "prom_set.h"

#define MAX_LABELS 8

void
prom_set_init(prom_set *s, bool tenants)
{
	*s = (prom_set) {.tenants = tenants};
	lc_buf_init(&s->text, &lc_alloc_malloc);
}

void
prom_set_free(prom_set *s)
{
	free(s->samples);
	lc_buf_free(&s->text);
	*s = (prom_set) {0};
}

bool
prom_name_is(lc_str name, const char *text)
{
	return name.n == strlen(text) && memcmp(name.s, text, name.n) == 0;
}

/* A value may be anything that a tenant or an event type is called. */
static void
put_escaped(lc_buf *out, lc_str value)
{
	bool		good = lc_utf8_valid(value.s, value.n, NULL);

	for (size_t i = 0; i < value.n; i++)
	{
		unsigned char c = (unsigned char) value.s[i];

		if (c == '\\' || c == '"')
		{
			lc_buf_putc(out, '\\');
			lc_buf_putc(out, (char) c);
		}
		else if (c == '\n')
			lc_buf_puts(out, "\\n");
		else
			lc_buf_putc(out, c < 0x20 || c == 0x7f || (c >= 0x80 && !good) ? '?' : (char) c);
	}
}

static void
put_labels(prom_set *s, const prom_label *labels, size_t n)
{
	bool		first = true;

	for (size_t i = 0; i < n; i++)
	{
		if (!s->tenants && prom_name_is(labels[i].name, "tenant"))
			continue;
		if (!first)
			lc_buf_putc(&s->text, ',');
		first = false;
		lc_buf_append(&s->text, labels[i].name.s, labels[i].name.n);
		lc_buf_puts(&s->text, "=\"");
		put_escaped(&s->text, labels[i].value);
		lc_buf_putc(&s->text, '"');
	}
	lc_buf_putc(&s->text, '\0');
}

static prom_sample *
new_sample(prom_set *s)
{
	if (s->count == s->cap)
	{
		size_t		cap = s->cap == 0 ? 256 : s->cap * 2;
		prom_sample *more = s->count < PROM_MAX_SAMPLES ? realloc(s->samples, cap * sizeof(*more)) : NULL;

		if (more == NULL)
		{
			s->failed = true;
			return NULL;
		}
		s->samples = more;
		s->cap = cap;
	}
	return &s->samples[s->count++];
}

void
prom_add(prom_set *s, const prom_metric *metric, prom_part part, double le,
		 const prom_label *labels, size_t n, double value)
{
	prom_sample *sample = new_sample(s);

	if (sample == NULL)
		return;
	*sample = (prom_sample) {.metric = metric, .part = part, .le = le, .value = value,
		.labels = s->text.len};
	put_labels(s, labels, n);
	if (s->text.status != LC_OK)
		s->failed = true;
}

void
prom_add_all(prom_set *s, const prom_set *from)
{
	size_t		base = s->text.len;

	lc_buf_append(&s->text, from->text.data, from->text.len);
	if (s->text.status != LC_OK || from->failed)
		s->failed = true;
	for (size_t i = 0; i < from->count && !s->failed; i++)
	{
		prom_sample *sample = new_sample(s);

		if (sample != NULL)
		{
			*sample = from->samples[i];
			sample->labels += base;
		}
	}
}

static size_t
take_pairs(prom_label *out, const char *pairs[])
{
	size_t		n = 0;

	for (; pairs != NULL && n < MAX_LABELS && pairs[2 * n] != NULL; n++)
		out[n] = (prom_label) {{pairs[2 * n], strlen(pairs[2 * n])}, {pairs[2 * n + 1], strlen(pairs[2 * n + 1])}};
	return n;
}

void
prom_add_value(prom_set *s, const char *metric, double value, const char *labels[])
{
	prom_label	pairs[MAX_LABELS];
	size_t		n = take_pairs(pairs, labels);

	prom_add(s, prom_find(metric, strlen(metric)), PROM_VALUE, 0, pairs, n, value);
}

void
prom_add_histogram(prom_set *s, const char *metric, const double *bounds, size_t n,
				   const uint64_t *counts, double sum, const char *labels[])
{
	const prom_metric *m = prom_find(metric, strlen(metric));
	prom_label	pairs[MAX_LABELS];
	size_t		pairs_n = take_pairs(pairs, labels);
	uint64_t	sofar = 0;

	for (size_t i = 0; i <= n; i++)
	{
		sofar += counts[i];
		prom_add(s, m, PROM_BUCKET, i < n ? bounds[i] : HUGE_VAL, pairs, pairs_n, (double) sofar);
	}
	prom_add(s, m, PROM_TOTAL, 0, pairs, pairs_n, sum);
	prom_add(s, m, PROM_COUNT, 0, pairs, pairs_n, (double) sofar);
}

/* ---- writing ---- */

typedef struct sort_key
{
	const prom_sample *sample;
	const char *labels;
	uint64_t	hash;			/* of the labels */
} sort_key;

static int
compare_series(const sort_key *x, const sort_key *y)
{
	if (x->sample->metric != y->sample->metric)
		return x->sample->metric < y->sample->metric ? -1 : 1;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return strcmp(x->labels, y->labels);
}

/*
 * In the table's order; then a series' parts together, buckets from the lowest:
 * OpenMetrics wants them so.  Series are told apart by a hash first, because
 * tens of thousands of labels with long common beginnings are slow to compare.
 */
static int
compare(const void *a, const void *b)
{
	const sort_key *x = a,
			   *y = b;
	int			order = compare_series(x, y);

	if (order != 0)
		return order;
	if (x->sample->part != y->sample->part)
		return x->sample->part < y->sample->part ? -1 : 1;
	return (x->sample->le > y->sample->le) - (x->sample->le < y->sample->le);
}

static double
merge(const prom_metric *metric, double a, double b)
{
	if (metric->merge == PROM_SUM)
		return a + b;
	return (metric->merge == PROM_MAX) == (a > b) ? a : b;
}

/* The shortest of two forms that reads back as the same number; most are whole. */
static void
put_number(lc_buf *out, double value)
{
	char		text[40];

	if (isinf(value) || isnan(value))
		lc_buf_puts(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
	else if (fabs(value) < 1e15 && value == trunc(value))
		lc_buf_put_int64(out, (int64_t) value);
	else
	{
		snprintf(text, sizeof(text), "%.15g", value);
		if (strtod(text, NULL) != value)
			snprintf(text, sizeof(text), "%.17g", value);
		lc_buf_puts(out, text);
	}
}

/* OpenMetrics writes a bound as a float. */
static void
put_bound(lc_buf *out, double le, bool openmetrics)
{
	put_number(out, le);
	if (openmetrics && !isinf(le) && le == trunc(le))
		lc_buf_puts(out, ".0");
}

static const char *const type_names[] = {"counter", "gauge", "histogram"};

/* OpenMetrics names a counter without its _total. */
static void
put_head(lc_buf *out, const prom_metric *metric, bool openmetrics)
{
	size_t		n = strlen(metric->name);
	const char *const words[] = {"# HELP ", "# TYPE "};

	if (openmetrics && metric->type == PROM_COUNTER)
		n -= strlen("_total");
	for (size_t i = 0; i < 2; i++)
	{
		lc_buf_puts(out, words[i]);
		lc_buf_append(out, metric->name, n);
		lc_buf_putc(out, ' ');
		lc_buf_puts(out, i == 0 ? metric->help : type_names[metric->type]);
		lc_buf_putc(out, '\n');
	}
}

static void
put_sample(lc_buf *out, const prom_sample *sample, const char *labels, bool openmetrics)
{
	static const char *const suffixes[] = {"", "_bucket", "_sum", "_count"};
	bool		bucket = sample->part == PROM_BUCKET;

	lc_buf_puts(out, sample->metric->name);
	lc_buf_puts(out, suffixes[sample->part]);
	if (labels[0] != '\0' || bucket)
		lc_buf_putc(out, '{');
	lc_buf_puts(out, labels);
	if (bucket)
	{
		lc_buf_puts(out, labels[0] != '\0' ? ",le=\"" : "le=\"");
		put_bound(out, sample->le, openmetrics);
		lc_buf_putc(out, '"');
	}
	if (labels[0] != '\0' || bucket)
		lc_buf_putc(out, '}');
	lc_buf_putc(out, ' ');
	put_number(out, sample->value);
	lc_buf_putc(out, '\n');
}

static uint64_t
hash_of(const char *text)
{
	uint64_t	h = UINT64_C(14695981039346656037);

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char) *text) * UINT64_C(1099511628211);
	return h;
}

static sort_key *
sorted(const prom_set *s)
{
	sort_key   *keys = malloc((s->count + 1) * sizeof(*keys));

	for (size_t i = 0; keys != NULL && i < s->count; i++)
	{
		const char *labels = s->text.data + s->samples[i].labels;

		keys[i] = (sort_key) {&s->samples[i], labels, hash_of(labels)};
	}
	if (keys != NULL)
		qsort(keys, s->count, sizeof(*keys), compare);
	return keys;
}

/* The sample at keys[i], with all that has the same labels; returns how many those were. */
static size_t
put_merged(lc_buf *out, const sort_key *keys, size_t left, bool openmetrics)
{
	prom_sample one = *keys->sample;
	size_t		n = 1;

	for (; n < left && compare(&keys[0], &keys[n]) == 0; n++)
		one.value = merge(one.metric, one.value, keys[n].sample->value);
	put_sample(out, &one, keys->labels, openmetrics);
	return n;
}

bool
prom_write_set(prom_set *s, bool openmetrics, lc_buf *out)
{
	sort_key   *keys = s->failed ? NULL : sorted(s);
	size_t		i = 0;

	if (keys == NULL)
		return false;
	for (size_t m = 0; m < prom_metrics_count; m++)
	{
		put_head(out, &prom_metrics[m], openmetrics);
		while (i < s->count && keys[i].sample->metric == &prom_metrics[m])
			i += put_merged(out, &keys[i], s->count - i, openmetrics);
	}
	if (openmetrics)
		lc_buf_puts(out, "# EOF\n");
	free(keys);
	return out->status == LC_OK;
}
