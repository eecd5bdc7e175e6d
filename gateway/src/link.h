/*
 * link.h
 *		Signed download links: a path, a tenant and an end of validity under an
 *		HMAC-SHA-256 of the deployment.  Whoever holds the link may read that
 *		one attachment until then, without a token.
 */
#ifndef GATEWAY_LINK_H
#define GATEWAY_LINK_H

#include <stdbool.h>
#include <time.h>

#include "lc_buf.h"
#include "target.h"

/*
 * Appends "<path>?tenant=…&expires=<unix seconds>&signature=<base64url>"; the path
 * as it stands in the request line.  False: there is no key.
 */
extern bool link_make(lc_buf *out, const char *path, const char *tenant, time_t expires);

/* Does the target carry a good signature that has not expired?  tenant: out, IDENTITY_TENANT_SIZE bytes. */
extern bool link_check(const target *t, time_t now, char *tenant);

#endif
