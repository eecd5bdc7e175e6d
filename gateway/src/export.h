/*
 * export.h
 *		One export on its way (export.c), and its manifest (export_manifest.c).
 */
#ifndef GATEWAY_EXPORT_H
#define GATEWAY_EXPORT_H

#include <openssl/evp.h>

#include "dbslow.h"
#include "lc_sha256.h"

struct stream;

typedef struct export
{
	job		   *job;
	dbslow_conn *conn;
	lc_buf		filters;		/* canonical JSON */
	lc_buf		filters_hash;
	lc_buf		page_size;		/* decimal; empty: all in one */
	lc_buf		after;			/* where the page before ended, JSON; empty: there is none */
	lc_buf		pins;			/* up to where each chain is read, JSON */
	bool		as_array;
	uint64_t	limit;			/* page_size; 0: none */
	EVP_MD_CTX *dataset;		/* over the digests of all lines */
	uint64_t	count;
	uint64_t	lines;			/* put already, for the commas of an array */
	bool		more;			/* there is another page */
	lc_buf		first, last;	/* places, JSON */
	lc_buf		token;			/* of the next page */
	struct stream *stream;
	lc_buf		piece;			/* what has not gone to the stream yet */
} export;

/*
 * Appends {"manifest":{DSSE envelope}[,"nextPageToken":…]}, signed by
 * LEDGER__EXPORT__SIGNINGKEY if that is set.
 */
extern bool export_manifest_line(lc_buf *out, const lc_buf *payload, const lc_buf *token);

#endif
