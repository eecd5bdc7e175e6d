/*
 * jwks_source.h
 *		One reading of the authority's keys, from a file or a URL.
 */
#ifndef GATEWAY_JWKS_SOURCE_H
#define GATEWAY_JWKS_SOURCE_H

#include "fault.h"
#include "lc_buf.h"

/* Real sets have 1 to 10 KiB. */
#define JWKS_MAX_BYTES (256 * 1024)

typedef struct jwks_source
{
	const char *place;			/* a path, file:///path, or a URL */
	const char *ca_file;		/* "": the system's */
	long		timeout;		/* seconds */
	bool		(*cancelled) (void *arg);
	void	   *arg;
} jwks_source;

extern bool jwks_is_file(const char *place);

/* Can it be read at all?  Of a URL only whether it is one that may be asked. */
extern bool jwks_source_check(const char *place, fault *f);

typedef enum jwks_read
{
	JWKS_FAILED,
	JWKS_SAME,					/* 304 */
	JWKS_READ					/* out has the text */
} jwks_read;

/*
 * etag: what the last answer had ("": ask unconditionally), replaced by what
 * this one has.  max_age in seconds, -1 if it was not said.
 */
extern jwks_read jwks_source_read(const jwks_source *source, char etag[256], long *max_age, lc_buf *out, fault *f);

#endif
