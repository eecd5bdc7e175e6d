/*
 * scrape.h
 *		The samples of a metrics endpoint at one moment.
 */
#ifndef LEDGERCTL_SCRAPE_H
#define LEDGERCTL_SCRAPE_H

#include "cli.h"
#include "fault.h"

/* Asks the endpoint; the text of its samples into out, which is initialised here. */
extern bool scrape(const char *url, lc_buf *out, fault *f);

/* The ledger's samples but for the buckets of histograms, as a member that is an array of {series, value}. */
extern void scrape_put(lc_jcs *w, const char *name, const lc_buf *text);

/* The next sample of Prometheus' text format; false at the end.  Comments and what is no sample are left out. */
extern bool scrape_next(const char **at, const char *end, lc_str *series, double *value);

#endif
