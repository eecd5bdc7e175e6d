/*
 * prom_set.h
 *		Samples of metrics, collected in any order and written in Prometheus'
 *		text format or OpenMetrics'.
 *
 * Where the label tenant is switched off (LEDGER__OBSERVABILITY__TENANTLABEL)
 * it is dropped here, and what then has the same labels becomes one sample.
 */
#ifndef GATEWAY_PROM_SET_H
#define GATEWAY_PROM_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "lc_buf.h"
#include "prom_table.h"

/* More samples than this are an error: nobody's Prometheus would want them. */
#define PROM_MAX_SAMPLES 500000

typedef enum prom_part
{
	PROM_VALUE,					/* of a counter or gauge */
	PROM_BUCKET,				/* of a histogram: cumulative, with le */
	PROM_TOTAL,					/* … its _sum */
	PROM_COUNT					/* … and _count */
} prom_part;

typedef struct prom_label
{
	lc_str		name;
	lc_str		value;
} prom_label;

extern bool prom_name_is(lc_str name, const char *text);

typedef struct prom_sample
{
	const prom_metric *metric;
	prom_part	part;
	double		le;				/* of buckets; HUGE_VAL is +Inf */
	double		value;
	size_t		labels;			/* where they begin in text, NUL-terminated: a="b",c="d" */
} prom_sample;

typedef struct prom_set
{
	bool		tenants;		/* keep the label tenant */
	bool		failed;			/* memory, or too many */
	prom_sample *samples;
	size_t		count,
				cap;
	lc_buf		text;
} prom_set;

extern void prom_set_init(prom_set *s, bool tenants);
extern void prom_set_free(prom_set *s);

/* Values are escaped; bytes that are not UTF-8 or are controls become "?". */
extern void prom_add(prom_set *s, const prom_metric *metric, prom_part part, double le,
					 const prom_label *labels, size_t n, double value);

/* Adds all of from. */
extern void prom_add_all(prom_set *s, const prom_set *from);

/* Shorthands, by name.  labels: name, value, name, value …, NULL. */
extern void prom_add_value(prom_set *s, const char *metric, double value, const char *labels[]);

/* counts: one a bound, not cumulative, and one more for what is above the last. */
extern void prom_add_histogram(prom_set *s, const char *metric, const double *bounds, size_t n,
							   const uint64_t *counts, double sum, const char *labels[]);

/* Sorts, merges and writes them.  False: the set failed, or there is no memory. */
extern bool prom_write_set(prom_set *s, bool openmetrics, lc_buf *out);

#endif
