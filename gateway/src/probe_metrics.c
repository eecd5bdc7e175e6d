/*
 * probe_metrics.c
 *		The rows of ledger.ledger_metrics() as samples; see probe_metrics.h.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lc_jsontree.h"
#include "probe_metrics.h"

#define MAX_LABELS 8
#define BACKLOG "ledger_ingest_backlog_events"

void
probe_metrics_free(probe_metrics *m)
{
	prom_set_free(&m->samples);
	for (size_t i = 0; i < m->backlogs_count; i++)
		free(m->backlogs[i].tenant);
	free(m->backlogs);
	*m = (probe_metrics) {0};
}

/* A histogram's rows have a suffix behind its name. */
static const prom_metric *
find_part(const char *name, prom_part *part)
{
	static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
	size_t		n = strlen(name);
	const prom_metric *metric = prom_find(name, n);

	*part = PROM_VALUE;
	for (size_t i = 0; metric == NULL && i < 3; i++)
	{
		size_t		tail = strlen(suffixes[i]);

		if (n <= tail || strcmp(name + n - tail, suffixes[i]) != 0)
			continue;
		metric = prom_find(name, n - tail);
		*part = (prom_part) (PROM_BUCKET + i);
	}
	return metric != NULL && (metric->type == PROM_HISTOGRAM) == (*part != PROM_VALUE) ? metric : NULL;
}

static double
read_bound(lc_str text)
{
	char		copy[40];

	if (prom_name_is(text, "+Inf") || text.n >= sizeof(copy))
		return HUGE_VAL;
	memcpy(copy, text.s, text.n);
	copy[text.n] = '\0';
	return strtod(copy, NULL);
}

/* Is it one of those that the table names, separated by blanks? */
static bool
has_label(const prom_metric *metric, lc_str name)
{
	for (const char *at = metric->labels; *at != '\0'; at += strspn(at, " "))
	{
		size_t		n = strcspn(at, " ");

		if (name.n == n && memcmp(name.s, at, n) == 0)
			return true;
		at += n;
	}
	return false;
}

/* le apart from the others.  What SQL calls a label must be one that the page tells of. */
static bool
take_labels(const prom_metric *metric, const lc_json *object, prom_label *out, size_t *n, double *le)
{
	*n = 0;
	for (const lc_json *member = object->child; member != NULL; member = member->next)
	{
		if (member->type != LC_JSON_STRING)
			return false;
		if (prom_name_is(member->key, "le"))
			*le = read_bound(member->text);
		else if (*n < MAX_LABELS && has_label(metric, member->key))
			out[(*n)++] = (prom_label) {member->key, member->text};
		else
			return false;
	}
	return true;
}

static void
keep_backlog(probe_metrics *m, const prom_label *labels, size_t n, double value)
{
	probe_backlog *slot = &m->backlogs[m->backlogs_count];

	if (n != 1 || !prom_name_is(labels[0].name, "tenant"))
		return;
	slot->tenant = strndup(labels[0].value.s, labels[0].value.n);
	slot->events = value > 0 ? (uint64_t) value : 0;
	if (slot->tenant != NULL)
		m->backlogs_count++;
	else
		m->samples.failed = true;
}

static void
read_row(probe_metrics *m, const prom_metric *metric, prom_part part, const lc_json *object, double value)
{
	prom_label	labels[MAX_LABELS];
	double		le = 0;
	size_t		n;

	if (!take_labels(metric, object, labels, &n, &le))
		return;
	if (strcmp(metric->name, BACKLOG) == 0)
		keep_backlog(m, labels, n, value);
	else
		prom_add(&m->samples, metric, part, le, labels, n, value);
}

bool
probe_metrics_read(const PGresult *result, bool tenants, probe_metrics *out)
{
	const prom_metric *metric = NULL;
	const char *name = "";
	prom_part	part = PROM_VALUE;

	*out = (probe_metrics) {0};
	prom_set_init(&out->samples, tenants);
	out->backlogs = calloc((size_t) PQntuples(result) + 1, sizeof(*out->backlogs));
	if (out->backlogs == NULL)
		return false;
	for (int i = 0; i < PQntuples(result); i++)
	{
		const char *json = PQgetvalue(result, i, 1);
		lc_jsontree *tree = NULL;

		/* Rows of one metric stand together. */
		if (i == 0 || strcmp(name, PQgetvalue(result, i, 0)) != 0)
		{
			name = PQgetvalue(result, i, 0);
			metric = find_part(name, &part);
		}
		if (metric == NULL || PQgetisnull(result, i, 2))
			continue;
		if (lc_jsontree_parse(json, strlen(json), 4, &lc_alloc_malloc, &tree, NULL) == LC_OK)
			read_row(out, metric, part, lc_jsontree_root(tree), strtod(PQgetvalue(result, i, 2), NULL));
		lc_jsontree_free(tree);
	}
	return !out->samples.failed;
}
