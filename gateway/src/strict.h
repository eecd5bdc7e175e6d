/*
 * strict.h
 *		What libmicrohttpd 0.9.75 lets through and RFC 9112 does not: request
 *		smuggling by two framings, obs-fold, control bytes, doubled headers …
 */
#ifndef GATEWAY_STRICT_H
#define GATEWAY_STRICT_H

#include <microhttpd.h>

#include "problem.h"

/*
 * At the first call of the handler, when all headers are there; target is the
 * length of the target that MHD_OPTION_URI_LOG_CALLBACK saw.  False: p says
 * what to answer, and the connection is to be closed behind it.
 */
extern bool strict_check(struct MHD_Connection *connection, const char *method, size_t target, const char *version,
						 problem *p);

#endif
