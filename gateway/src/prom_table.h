/*
 * prom_table.h
 *		The one list of metrics: what GET /metrics has and what
 *		docs/reference/metrics.md says.
 */
#ifndef GATEWAY_PROM_TABLE_H
#define GATEWAY_PROM_TABLE_H

#include <stddef.h>

typedef enum prom_type
{
	PROM_COUNTER,
	PROM_GAUGE,
	PROM_HISTOGRAM
} prom_type;

/* What one number for all tenants is, where the label tenant is switched off. */
typedef enum prom_merge
{
	PROM_SUM,
	PROM_MAX,
	PROM_MIN
} prom_merge;

/* Whose numbers they are: this process's own, or the database's, the same from every gateway. */
typedef enum prom_origin
{
	PROM_GATEWAY,
	PROM_DATABASE
} prom_origin;

typedef struct prom_metric
{
	const char *name;
	prom_type	type;
	prom_merge	merge;
	prom_origin origin;
	const char *labels;			/* separated by blanks; a histogram's le is not named */
	const char *help;
} prom_metric;

extern const prom_metric prom_metrics[];
extern const size_t prom_metrics_count;

/* NULL: no such metric. */
extern const prom_metric *prom_find(const char *name, size_t n);

#endif
