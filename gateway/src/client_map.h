/*
 * client_map.h
 *		Who the holders of client certificates are: a file that maps a
 *		certificate to a tenant, scopes and an actor.
 *
 *		{"clients": [
 *			{"match": {"uri": "spiffe://example.org/scanner"},
 *			 "tenant": "acme", "subject": "scanner", "actorType": "integration",
 *			 "scopes": ["ledger.events.write"]}
 *		]}
 *
 * match has one member: "sha256" (of the certificate's DER, 64 hex digits,
 * perhaps with colons), "subject" (the DN as RFC 2253 writes it: openssl x509
 * -nameopt RFC2253), "uri" or "dns" (a subject alternative name, as it stands;
 * a wildcard means nothing).  actorType is optional: integration.
 *
 * The first entry that matches counts.  Two entries that match by the same
 * thing and differ in what they give are a mistake that nobody should have to
 * find by trial: such a file is refused, as is one with unknown members,
 * scopes or types.
 */
#ifndef GATEWAY_CLIENT_MAP_H
#define GATEWAY_CLIENT_MAP_H

#include "fault.h"
#include "identity.h"
#include "lc_buf.h"

#define CLIENT_MAP_MAX_BYTES (1024 * 1024)

typedef struct client_map client_map;

/* NULL: f says why. */
extern client_map *client_map_parse(const char *text, size_t n, fault *f);
extern client_map *client_map_load(const char *path, fault *f);
extern void client_map_free(client_map *map);	/* NULL is allowed */

/* The certificate was verified already.  False: it is in no entry. */
extern bool client_map_find(const client_map *map, const uint8_t *der, size_t n, identity *out);

#endif
