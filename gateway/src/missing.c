/*
 * missing.c
 *		While the parts are being put together: weak definitions, so that the
 *		program links.  Whoever brings a part takes its lines out.
 */
#include "dbappend.h"
#include "dbpipe.h"
#include "http_local.h"
#include "link.h"
#include "log.h"
#include "loop.h"
#include "quota.h"
#include "request.h"
#include "stream.h"
#include "strict.h"
#include "work.h"

#define WEAK __attribute__((weak))

/* database */
/* work */
