/*
 * connstring.h
 *		Connection strings in three forms: a URI (postgresql://…), keywords of
 *		libpq (host=… dbname=…), and what .NET programs write
 *		(Host=…;Username=…;Password=…).
 *
 * Nothing here puts a value into a message: any of them may be the password.
 */
#ifndef GATEWAY_CONNSTRING_H
#define GATEWAY_CONNSTRING_H

#include "fault.h"
#include "lc_buf.h"

/*
 * Appends what PQconninfoParse takes: the first two forms as they are (and not
 * checked), the third as keywords.  ignored, if not NULL, gets the names of
 * what has no meaning here (pooling …), separated by ", ".
 */
extern bool connstring_libpq(const char *text, lc_buf *out, lc_buf *ignored, fault *f);

#endif
