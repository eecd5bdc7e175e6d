/*
 * disposition.h
 *		Media type and file name of an attachment: what is taken, and how it is
 *		given out so that no browser shows it as a page of this origin.
 */
#ifndef GATEWAY_DISPOSITION_H
#define GATEWAY_DISPOSITION_H

#include <stdbool.h>

#include "reply.h"

/* type/subtype and parameters by the syntax of RFC 9110 section 8.3.1, at most 255 bytes. */
extern bool media_type_good(const char *text);

/* Well-formed UTF-8 of at most 255 bytes without control characters and separators of folders; not "." or "..". */
extern bool file_name_good(const char *name);

/* Content-Type, Content-Disposition (RFC 6266), and what keeps browsers from guessing and running. */
extern void disposition_set(reply *r, const char *media_type, const char *file_name);

#endif
