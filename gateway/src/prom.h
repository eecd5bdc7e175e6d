/*
 * prom.h
 *		Counters and histograms of this process, and GET /metrics.
 *
 * The one list of metrics is prom_table.c: name, type, labels, help; the page
 * docs/reference/metrics.md is generated from it.
 */
#ifndef GATEWAY_PROM_H
#define GATEWAY_PROM_H

#include <stdint.h>

#include "lc_buf.h"

struct request;

/* When an answer was sent: http_requests_total, http_request_duration_seconds. */
extern void prom_request(const struct request *r, double seconds);
extern void prom_in_flight(int change);

/*
 * After the commit of an append: ledger_write_…_seconds and ledger_events_total.
 * source: policy, workflow, orchestrator.
 */
extern void prom_write(const char *tenant, const char *event_type, const char *source, double seconds, uint64_t events);

/* The whole text, from counters and from what the probe read last. */
extern void prom_text(lc_buf *out);

/* GET /metrics */
extern void prom_local(struct request *r);

#endif
