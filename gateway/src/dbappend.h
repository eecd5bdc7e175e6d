/*
 * dbappend.h
 *		Appends, collected: while a batch of a tenant is in flight, the next
 *		collects.  No timer, so a lone client waits for nobody.
 *
 * A batch is one call, ledger.ledger_http_append(tenant, items), in one
 * transaction of one tenant: items that are refused come back as data, the
 * others are stored, and all are answered after the commit.  A tenant has one
 * batch in flight at most; LEDGER__DB__APPENDCONNECTIONS batches of different
 * tenants run at once, so a tenant whose chain is locked by someone else holds
 * one connection and not the others.  A batch that fails as a whole (40001,
 * 40P01, a lost connection) is tried again, because an event id makes an append
 * idempotent; ids that callers left out are minted here, before the first try.
 */
#ifndef GATEWAY_DBAPPEND_H
#define GATEWAY_DBAPPEND_H

#include "job.h"

typedef struct dbappend dbappend;

extern dbappend *dbappend_new(loop *l);
extern void dbappend_submit(dbappend *a, job *j);
extern void dbappend_free(dbappend *a);

/* Events of a tenant that are accepted and not answered yet, in all loops.  Any thread. */
extern uint64_t dbappend_backlog(const char *tenant);

#endif
