/*
 * probe.h
 *		A thread with a connection of its own that looks at the database every
 *		second, and every LEDGER__OBSERVABILITY__REFRESH at the metrics that
 *		SQL has.  Probes and scrapes read what it saw last and wait for nothing.
 */
#ifndef GATEWAY_PROBE_H
#define GATEWAY_PROBE_H

#include "reply.h"

struct request;

extern bool probe_start(void);
extern void probe_stop(void);
extern void probe_draining(void);	/* SIGTERM: readiness is 503 from now on */

/* GET /health/live, GET /health/ready */
extern void probe_live(struct request *r);
extern void probe_ready(struct request *r);

/* Adds what SQL has of the metrics, as it was read last, and how that went (prom.c). */
struct prom_set;
extern void probe_samples(struct prom_set *out);

/* Is it a tenant that has events and is granted to this gateway?  As it was read last. */
extern bool probe_tenant_known(const char *tenant);

/* Is an event of that type projected?  As the table of event types was when it was read last. */
extern bool probe_type_projected(const char *event_type);

#endif
