/*
 * import.h
 *		What importline.c and import.c share.
 */
#ifndef LEDGER_IMPORT_H
#define LEDGER_IMPORT_H

#include "ledger.h"

extern void ledger_read_line(JsonbValue *line, EventRow *row, lc_buf *canonical);

#endif
