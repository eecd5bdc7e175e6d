/*
 * span.h
 *		Lengths of time as settings write them.
 *
 *		00:05:00, 1.00:00:00	[d.]hh:mm:ss, as .NET writes a TimeSpan
 *		500ms, 30s, 5m, 12h, 7d	a whole number and its unit
 *
 * A bare number would be days to one reader and seconds to another: refused.
 */
#ifndef GATEWAY_SPAN_H
#define GATEWAY_SPAN_H

#include <stdbool.h>
#include <stdint.h>

/* False for anything else, and for more than ten years. */
extern bool span_parse(const char *text, uint64_t *milliseconds);

/* What span_parse takes, for messages. */
#define SPAN_FORMS "a time like 00:05:00 (hh:mm:ss, or d.hh:mm:ss) or 30s, 5m, 12h"

#endif
