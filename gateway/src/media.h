/*
 * media.h
 *		Media types: what a body may be (Content-Type), and what the client
 *		takes (Accept).
 */
#ifndef GATEWAY_MEDIA_H
#define GATEWAY_MEDIA_H

#include "route.h"

/* content_type NULL: none was sent, which is good only for an empty body. */
extern bool media_check_body(route_body body, const char *content_type, bool has_body);
extern const char *media_of_body(route_body body);

/* Is it application/x-ndjson, or one of its other names? */
extern bool media_is_lines(const char *content_type);

/* Does Accept (NULL: there is none) allow one of produces, which are separated by blanks; NULL: JSON? */
extern bool media_accepts(const char *accept, const char *produces);

/* Does Accept-Encoding allow gzip? */
extern bool media_accepts_gzip(const char *accept_encoding);

#endif
