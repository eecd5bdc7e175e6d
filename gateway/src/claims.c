/*
 * claims.c
 *		From JSON to an identity, and the clock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "lc_jsontree.h"

/* Authorities put whole trees of roles into a token. */
#define PAYLOAD_DEPTH 32

/* 9999-12-31T23:59:59Z: later is a mistake, or milliseconds taken for seconds. */
#define LAST_SECOND 253402300799.0

/* ---- single claims ---- */

static bool
is(lc_str s, const char *text)
{
	return s.s != NULL && s.n == strlen(text) && memcmp(s.s, text, s.n) == 0;
}

/* Control characters would break lines of logs and terminals. */
static bool
printable(lc_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char) s.s[i] < 0x20 || s.s[i] == 0x7f)
			return false;
	return true;
}

bool
tenant_name_valid(const char *s, size_t n)
{
	if (n == 0 || n >= IDENTITY_TENANT_SIZE)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		char		c = s[i];
		bool		alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!alnum && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return false;
	}
	return true;
}

/*
 * NumericDate (RFC 7519 section 2): seconds since 1970, perhaps with a
 * fraction, which is dropped: a token is never good for longer by that.
 * A missing one leaves out as it is.
 */
static bool
read_date(const lc_json *payload, const char *name, int64_t *out)
{
	const lc_json *v = lc_json_member(payload, name);
	char		text[32];
	double		seconds;

	if (v == NULL)
		return true;
	if (v->type != LC_JSON_NUMBER || v->text.n >= sizeof(text))
		return false;
	memcpy(text, v->text.s, v->text.n);
	text[v->text.n] = '\0';
	seconds = strtod(text, NULL);
	if (!(seconds >= 0 && seconds <= LAST_SECOND))
		return false;
	*out = (int64_t) seconds;
	return true;
}

static const char *
read_dates(const lc_json *payload, claims *out)
{
	out->expires = out->not_before = out->issued = INT64_MIN;
	if (!read_date(payload, "exp", &out->expires) || out->expires == INT64_MIN)
		return "exp is missing, or no date";
	if (!read_date(payload, "nbf", &out->not_before))
		return "nbf is no date";
	if (!read_date(payload, "iat", &out->issued))
		return "iat is no date";
	return NULL;
}

/* ---- whom it is for ---- */

static void
put_text(lc_buf *out, lc_str text)
{
	lc_buf_append(out, text.s, text.n);
	lc_buf_putc(out, '\0');		/* none within: the parser refuses U+0000 */
}

/* aud is a string or an array of strings (RFC 7519 section 4.1.3). */
static bool
put_audience(lc_buf *out, const lc_json *aud)
{
	if (aud == NULL)
		return false;
	if (aud->type == LC_JSON_STRING)
	{
		put_text(out, aud->text);
		return true;
	}
	if (aud->type != LC_JSON_ARRAY || aud->count == 0)
		return false;
	for (const lc_json *one = aud->child; one != NULL; one = one->next)
	{
		if (one->type != LC_JSON_STRING)
			return false;
		put_text(out, one->text);
	}
	return true;
}

static const char *
read_parties(const lc_json *payload, claims *out)
{
	lc_str		issuer = lc_json_string(payload, "iss");
	lc_buf		texts;
	const char *why = NULL;

	lc_buf_init(&texts, &lc_alloc_malloc);
	if (issuer.s == NULL || issuer.n == 0)
		why = "iss is missing, or no string";
	else
	{
		put_text(&texts, issuer);
		if (!put_audience(&texts, lc_json_member(payload, "aud")))
			why = "aud is missing, or no string or array of strings";
		else if (texts.status != LC_OK)
			why = "out of memory";
	}
	if (why != NULL)
	{
		lc_buf_free(&texts);
		return why;
	}
	out->texts = texts.data;
	out->texts_len = texts.len;
	return NULL;
}

/* ---- who it is ---- */

/* "scope" is a list in a string (RFC 8693 section 4.2); "scp" is that too, or an array, as the authority likes. */
static const char *
read_scopes(const lc_json *payload, uint32_t *out)
{
	const lc_json *scope_claim = lc_json_member(payload, "scope");
	const lc_json *scp = lc_json_member(payload, "scp");

	*out = 0;
	if (scope_claim != NULL && scope_claim->type != LC_JSON_STRING)
		return "scope is no string";
	if (scope_claim != NULL)
		*out |= scopes_parse(scope_claim->text.s, scope_claim->text.n);
	if (scp == NULL)
		return NULL;
	if (scp->type == LC_JSON_STRING)
	{
		*out |= scopes_parse(scp->text.s, scp->text.n);
		return NULL;
	}
	if (scp->type != LC_JSON_ARRAY)
		return "scp is no string and no array";
	for (const lc_json *one = scp->child; one != NULL; one = one->next)
	{
		if (one->type != LC_JSON_STRING)
			return "scp has an element that is no string";
		*out |= (uint32_t) scope_find(one->text.s, one->text.n);
	}
	return NULL;
}

static void
read_actor_type(const lc_json *payload, identity *out)
{
	static const char *const types[] = {"system", "operator", "integration"};
	lc_str		claimed = lc_json_string(payload, "actor_type");
	lc_str		azp = lc_json_string(payload, "azp");
	lc_str		client = lc_json_string(payload, "client_id");
	const char *type = "operator";

	if (is(azp, out->subject) || is(client, out->subject))
		type = "integration";
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (is(claimed, types[i]))
			type = types[i];
	snprintf(out->actor_type, sizeof(out->actor_type), "%s", type);
}

static const char *
read_identity(const lc_json *payload, const char *tenant_claim, identity *out)
{
	lc_str		subject = lc_json_string(payload, "sub");
	lc_str		tenant = lc_json_string(payload, tenant_claim);
	const char *why;

	if (subject.s == NULL || subject.n == 0 || subject.n >= sizeof(out->subject) || !printable(subject))
		return "sub is not a string of 1 to 255 bytes without control characters";
	if (tenant.s == NULL || !tenant_name_valid(tenant.s, tenant.n))
		return "the claim with the tenant is missing, or no tenant's name";
	memcpy(out->subject, subject.s, subject.n);
	memcpy(out->tenant, tenant.s, tenant.n);
	why = read_scopes(payload, &out->scopes);
	if (why == NULL)
		read_actor_type(payload, out);
	return why;
}

const char *
claims_read(const char *payload, size_t n, const char *tenant_claim, claims *out)
{
	lc_jsontree *tree = NULL;
	const lc_json *root;
	const char *why;

	memset(out, 0, sizeof(*out));
	if (lc_jsontree_parse(payload, n, PAYLOAD_DEPTH, &lc_alloc_malloc, &tree, NULL) != LC_OK)
		return "the payload is not JSON";
	root = lc_jsontree_root(tree);
	why = root->type != LC_JSON_OBJECT ? "the payload is no object" : read_dates(root, out);
	if (why == NULL)
		why = read_identity(root, tenant_claim, &out->who);
	if (why == NULL)
		why = read_parties(root, out);
	lc_jsontree_free(tree);
	return why;
}

void
claims_free(claims *c)
{
	free(c->texts);
	c->texts = NULL;
}

/* ---- is it for us, and for now? ---- */

static bool
has_audience(const claims *c, const char *audience)
{
	const char *end = c->texts + c->texts_len;

	for (const char *one = c->texts + strlen(c->texts) + 1; one < end; one += strlen(one) + 1)
		if (strcmp(one, audience) == 0)
			return true;
	return false;
}

claims_verdict
claims_check(const claims *c, const claims_want *want, time_t now)
{
	int64_t		at = (int64_t) now;

	if (strcmp(c->texts, want->issuer) != 0)
		return CLAIMS_ISSUER;
	if (!has_audience(c, want->audience))
		return CLAIMS_AUDIENCE;
	/* exp is the first second at which it is not good any more (RFC 7519 section 4.1.4). */
	if (at >= c->expires + want->skew)
		return CLAIMS_EXPIRED;
	if (c->not_before > at + want->skew || c->issued > at + want->skew)
		return CLAIMS_EARLY;
	return CLAIMS_GOOD;
}
