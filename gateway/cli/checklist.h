/*
 * checklist.h
 *		The points of the post-deploy checklist, by what they look at.  Each tells
 *		its line with check_tell(); what is not given is not applicable, and never
 *		passes for good.
 */
#ifndef LEDGERCTL_CHECKLIST_H
#define LEDGERCTL_CHECKLIST_H

#include "checks.h"
#include "db.h"

/* What space is compared with; 0: not measured. */
typedef struct growth
{
	double		bytes_per_event;
	double		events_per_second;
} growth;

/* checklist_http.c: url is NULL if the option is not there. */
extern void check_gateway(const char *url);
extern void check_grafana(const char *where);

/* checklist_files.c; ages are milliseconds. */
extern void check_grafana_dir(const char *dir);
extern void check_backups(const char *dir, uint64_t max_age);
extern void check_restore(const char *report, uint64_t max_age);
extern void check_kit(const char *dir);
extern void check_space(const char *dir, const growth *measured, uint64_t horizon);

#define FOLDER "Findings Ledger"

#endif
