/*
 * compat.h
 *		Every test of PG_VERSION_NUM in the extension stands here.
 *
 * The names on the left are those of the newest server; older ones are
 * brought to them.  PostgreSQL 14 to 18.
 */
#ifndef LEDGER_COMPAT_H
#define LEDGER_COMPAT_H

#include "postgres.h"

#include "access/genam.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#if PG_VERSION_NUM < 140000
#error "Findings Ledger needs PostgreSQL 14 or newer"
#endif

/* 9c700291: PG_MODULE_MAGIC_EXT came with 18. */
#if PG_VERSION_NUM >= 180000
#define LEDGER_MODULE_MAGIC \
	PG_MODULE_MAGIC_EXT(.name = "findings_ledger", .version = LEDGER_VERSION)
#else
#define LEDGER_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/* 88103567: MarkGUCPrefixReserved replaced EmitWarningsOnPlaceholders in 15. */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* 9e98583898: InitMaterializedSRF is SetSingleFuncCall in early 15 betas, absent in 14. */
#if PG_VERSION_NUM < 150000
extern void ledger_init_materialized_srf(FunctionCallInfo fcinfo);
#else
#define ledger_init_materialized_srf(fcinfo) InitMaterializedSRF((fcinfo), 0)
#endif

/* 0fbceae8: index_beginscan learned to count searches in 18. */
#if PG_VERSION_NUM >= 180000
#define ledger_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan((heap), (index), (snapshot), NULL, (nkeys), 0)
#else
#define ledger_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan((heap), (index), (snapshot), (nkeys), 0)
#endif

/* a0ffa885 and b5c9a18: deferrable keys are asked for explicitly since 18. */
#if PG_VERSION_NUM >= 180000
#define ledger_primary_key_index(rel) RelationGetPrimaryKeyIndex((rel), false)
#else
#define ledger_primary_key_index(rel) RelationGetPrimaryKeyIndex(rel)
#endif

/* 70b42f27: EvalPlanQualInit learned of result relations in 16. */
#if PG_VERSION_NUM >= 160000
#define ledger_eval_plan_qual_init(epq, estate) EvalPlanQualInit((epq), (estate), NULL, NIL, -1, NIL)
#else
#define ledger_eval_plan_qual_init(epq, estate) EvalPlanQualInit((epq), (estate), NULL, NIL, -1)
#endif

/* 173b56f1ef59: LogLogicalMessage learnt to flush in 17. */
#if PG_VERSION_NUM >= 170000
#define ledger_log_message(prefix, message, n) \
	LogLogicalMessage((prefix), (message), (n), false, false)
#else
#define ledger_log_message(prefix, message, n) \
	LogLogicalMessage((prefix), (message), (n), false)
#endif

/* GetFlushRecPtr can tell the timeline since 15. */
#if PG_VERSION_NUM >= 150000
#define ledger_flush_position() GetFlushRecPtr(NULL)
#else
#define ledger_flush_position() GetFlushRecPtr()
#endif

#endif
