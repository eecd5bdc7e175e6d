/*
 * admit_identity.c
 *		Who asks, for which tenant, and whether they may: token or signed link,
 *		X-Stella-Tenant, scope, quota.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "auth.h"
#include "config.h"
#include "door.h"
#include "link.h"
#include "quota.h"
#include "request.h"

/* A request whose keys are always still on their way would turn in circles. */
#define MAX_WAITS 3

/* The route's scopes, any of which suffices, as RFC 6749 section 3.3 lists them. */
static void
list_scopes(uint32_t scopes, char *list, size_t size)
{
	list[0] = '\0';
	for (uint32_t bit = 1; bit != 0; bit <<= 1)
		if ((scopes & bit) != 0)
			snprintf(list + strlen(list), size - strlen(list), "%s%s", list[0] != '\0' ? " " : "",
					 scope_name((scope) bit));
}

/* RFC 6750 section 3: what to bring, or what was wrong with it.  Not with a 503, of which a token is not the cause. */
static admission
challenge(request *r, problem *p, const char *error)
{
	request_problem(r, p);
	if (p->kind->status != 401)
		return ADMIT_REFUSED;
	if (error == NULL)
		reply_header_set(&r->reply, "WWW-Authenticate", "Bearer realm=\"findings-ledger\"");
	else
		reply_header_setf(&r->reply, "WWW-Authenticate", "Bearer realm=\"findings-ledger\", error=\"%s\"", error);
	return ADMIT_REFUSED;
}

static admission
refuse_scope(request *r, problem *p)
{
	char		list[300];

	list_scopes(r->match.route->scope, list, sizeof(list));
	problem_set(p, "scope_missing", "The route wants one of these scopes: %s", list);
	request_problem(r, p);
	reply_header_setf(&r->reply, "WWW-Authenticate",
					  "Bearer realm=\"findings-ledger\", error=\"insufficient_scope\", scope=\"%s\"", list);
	return ADMIT_REFUSED;
}

static admission
judge_token(request *r, const char *authorization, problem *p)
{
	const char *token = authorization + 6;
	auth_result result;

	if (strncasecmp(authorization, "Bearer", 6) != 0 || *token != ' ')
	{
		problem_set(p, "token_missing", "Authorization is of another scheme than Bearer.");
		return challenge(r, p, NULL);
	}
	token += strspn(token, " ");
	result = auth_token(token, strlen(token), time(NULL), &r->who, p);
	if (result == AUTH_WAIT)
	{
		if (r->keys_waits++ < MAX_WAITS && auth_wait(r->loop, &r->keys))
			return ADMIT_WAIT;
		/* If the fetch has ended in this moment, the keys are there now. */
		result = auth_token(token, strlen(token), time(NULL), &r->who, p);
	}
	if (result == AUTH_GOOD)
		return ADMIT_GOOD;
	/* Waited for in vain: without any key that is our fault, and a 401 would make clients throw a good token away. */
	if (result == AUTH_WAIT && !auth_ready())
		problem_set(p, "keys_missing", "The authority's keys are not there yet.");
	else if (result == AUTH_WAIT)
		problem_set(p, "token_invalid", AUTH_NOT_GOOD);
	return challenge(r, p, "invalid_token");
}

/* A signed link is for its one path, and for its tenant. */
static admission
judge_link(request *r, problem *p)
{
	memset(&r->who, 0, sizeof(r->who));
	if (!link_check(&r->target, time(NULL), r->who.tenant))
	{
		problem_set(p, "link_invalid", "The link is not signed by this ledger, or its time is over.");
		return challenge(r, p, NULL);
	}
	r->who.link = true;
	strcpy(r->who.subject, "link");
	strcpy(r->who.actor_type, "system");
	r->who.scopes = r->match.route->scope;
	return ADMIT_GOOD;
}

static admission
judge_certificate(request *r, const gnutls_datum_t *der, problem *p)
{
	if (auth_certificate(der->data, der->size, &r->who, p) == AUTH_GOOD)
		return ADMIT_GOOD;
	return challenge(r, p, NULL);
}

/*
 * A token goes before a certificate: it says more.  But where certificates are
 * required, a token without a good one is not enough, nor is a signed link.
 */
static admission
judge_caller(request *r, problem *p)
{
	const char *authorization = request_header(r, "Authorization");
	gnutls_datum_t der;
	tls_peer	peer = door_certificate(r->peer, &der);

	if (peer != TLS_PEER_GOOD && config_now()->tls_require_client)
	{
		if (peer == TLS_PEER_BAD)
			problem_set(p, "token_invalid",
						"The client certificate is not signed by the clients' CA, or not valid now.");
		else
			problem_set(p, "token_missing", "A client certificate is required.");
		return challenge(r, p, NULL);
	}
	if (authorization != NULL)
		return judge_token(r, authorization, p);
	if (peer == TLS_PEER_GOOD)
		return judge_certificate(r, &der, p);
	if (peer == TLS_PEER_BAD)
	{
		problem_set(p, "token_invalid",
						"The client certificate is not signed by the clients' CA, or not valid now.");
		return challenge(r, p, NULL);
	}
	if ((r->match.route->flags & ROUTE_SIGNED_URL) != 0 && target_query(&r->target, "signature") != NULL)
		return judge_link(r, p);
	problem_set(p, "token_missing", NULL);
	return challenge(r, p, NULL);
}

static bool
judge_tenant(request *r, problem *p)
{
	const char *tenant = request_header(r, "X-Stella-Tenant");

	if (tenant == NULL || *tenant == '\0')
	{
		/* Whoever follows a link in a browser sends no such header. */
		if (r->who.link)
			return true;
		problem_set(p, "tenant_missing", NULL);
		return false;
	}
	if (strcmp(tenant, r->who.tenant) == 0)
		return true;
	problem_set(p, "tenant_mismatch", NULL);
	return false;
}

admission
admit_identity(request *r, problem *p)
{
	const route *row = r->match.route;
	admission	caller;

	if (row->scope == SCOPE_NONE)
		return ADMIT_GOOD;
	caller = judge_caller(r, p);
	if (caller != ADMIT_GOOD)
		return caller;
	if (!judge_tenant(r, p))
		return ADMIT_REFUSED;
	if ((r->who.scopes & row->scope) == 0)
		return refuse_scope(r, p);
	/* An attachment is an event too. */
	if ((row->class == ROUTE_APPEND || row->body == BODY_BYTES) && !quota_take(r->who.tenant, 1, p))
		return ADMIT_REFUSED;
	return ADMIT_GOOD;
}
