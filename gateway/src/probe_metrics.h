/*
 * probe_metrics.h
 *		The rows of ledger.ledger_metrics() as samples.
 */
#ifndef GATEWAY_PROBE_METRICS_H
#define GATEWAY_PROBE_METRICS_H

#include <libpq-fe.h>

#include "prom_set.h"

/* An event count of a tenant, as the quota wants it. */
typedef struct probe_backlog
{
	char	   *tenant;
	uint64_t	events;
} probe_backlog;

typedef struct probe_metrics
{
	prom_set	samples;		/* without ledger_ingest_backlog_events, which grows between two readings */
	probe_backlog *backlogs;
	size_t		backlogs_count;
} probe_metrics;

/* result: columns metric, labels (JSON), value.  False: no memory.  Rows of unknown metrics are left out. */
extern bool probe_metrics_read(const PGresult *result, bool tenants, probe_metrics *out);
extern void probe_metrics_free(probe_metrics *m);

#endif
