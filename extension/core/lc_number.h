/*
 * lc_number.h
 *		Decimal text to the ECMAScript form of RFC 8785 section 3.2.2.3, or
 *		a refusal: nothing is ever rounded silently.
 */
#ifndef LC_NUMBER_H
#define LC_NUMBER_H

#include "lc_buf.h"

/*
 * text is a decimal number: JSON's grammar, and besides it what PostgreSQL's
 * numeric output writes (the same without exponent).  Appends the shortest
 * ECMAScript form to out if the exact decimal value survives the trip to an
 * IEEE 754 double and back through that form; else LC_ERR_NUMBER and out is
 * as it was.  LC_ERR_SYNTAX if text is no such number ("NaN", "01", "+1").
 * -0 is written as 0.
 */
extern lc_status lc_number_canonical(lc_buf *out, const char *text, size_t n);

/* The same for a double that is already one; LC_ERR_NUMBER for NaN and infinities. */
extern lc_status lc_number_from_double(lc_buf *out, double value);

#endif
