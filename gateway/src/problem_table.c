/*
 * problem_table.c
 *		The one table of what can be wrong: code, HTTP status, words.
 *
 * Codes of class LG come from the extension's own list (errcodes.h), so that
 * one which is added there cannot be forgotten here.  docs/reference/problems.md
 * is generated from this table; GET /problems/{code} shows a row of it.
 *
 * tell: message, detail and hint of the database may be shown.  They are kept
 * back where they are about the inside (an object, a role, a file) and not
 * about what the caller sent.
 */
#include <string.h>

#include "errcodes.h"
#include "problem.h"

#define TELL true
#define QUIET false
#define AGAIN true
#define ONCE false

/* Titles of the ledger's own errors: one that is missing does not compile. */
#define TITLE_ERRCODE_LEDGER_INVALID "Invalid argument", TELL, ONCE, 0
#define TITLE_ERRCODE_LEDGER_FORBIDDEN "Forbidden by the ledger", TELL, ONCE, 0
#define TITLE_ERRCODE_LEDGER_UNKNOWN "Unknown to the ledger", TELL, ONCE, 0
#define TITLE_ERRCODE_LEDGER_CONFLICT "Conflict with what is recorded", TELL, ONCE, 0
#define TITLE_ERRCODE_LEDGER_TOO_LARGE "Payload too large", TELL, ONCE, 0
#define TITLE_ERRCODE_LEDGER_UNPROCESSABLE "Unprocessable payload", TELL, ONCE, 0
#define TITLE_ERRCODE_LEDGER_APPEND_ONLY "Recorded data cannot be changed", QUIET, ONCE, 0
#define TITLE_ERRCODE_LEDGER_CORRUPTED "The ledger found itself damaged", QUIET, ONCE, 0
#define TITLE_ERRCODE_LEDGER_NOT_READY "The ledger is not ready", QUIET, ONCE, 10
#define TITLE_ERRCODE_LEDGER_TOO_MANY_CHAINS "Too many chains at once", TELL, ONCE, 0

#define LEDGER_ERROR(symbol, state, name, http, meaning, remedy) \
	{state, http, LEDGER_ROW(meaning " " remedy, TITLE_##symbol)},
#define LEDGER_ROW(help, ...) LEDGER_ORDER(help, __VA_ARGS__)
#define LEDGER_ORDER(help, title, tell, retry, after) title, help, tell, retry, after

static const problem_kind kinds[] = {
	LEDGER_ERRORS

	/* Who asks. */
	{"token_missing", 401, "No token", "The request brings no credentials. Send Authorization: Bearer with a token of "
	"the authority, or connect with a client certificate.", QUIET, ONCE, 0},
	{"token_invalid", 401, "Invalid token", "The token is malformed, is signed by no key of the authority, or is meant "
	"for another issuer or audience. Ask the authority for a new one.", QUIET, ONCE, 0},
	{"token_expired", 401, "Expired token", "The token's time is over, or has not begun. Ask the authority for a new "
	"one; compare clocks if it is new.", QUIET, ONCE, 0},
	{"scope_missing", 403, "Scope missing", "The token carries none of the scopes that the route wants; the detail "
	"names them. Ask the authority for one of them.", QUIET, ONCE, 0},
	{"tenant_missing", 400, "No tenant", "The header X-Stella-Tenant is missing or empty. Name the tenant that the "
	"request is for.", QUIET, ONCE, 0},
	{"tenant_mismatch", 403, "Another tenant", "X-Stella-Tenant names another tenant than the token. Name the token's "
	"tenant, or use a token of the other.", QUIET, ONCE, 0},

	/* What is asked. */
	{"http_malformed", 400, "Malformed HTTP", "The request is not what RFC 9112 allows: two framings, a doubled or "
	"folded header, control bytes. The connection is closed behind the answer. Mend the client or the proxy in front.",
	QUIET, ONCE, 0},
	{"json_malformed", 400, "Malformed JSON", "The body is not strict JSON (RFC 8259): the error names line, column "
	"and member. Duplicate members, ill-formed UTF-8, lone surrogates, U+0000, trailing bytes and a byte order mark "
	"are refused, and so are numbers that a double would round: send those as strings.", QUIET, ONCE, 0},
	{"query_invalid", 400, "Invalid query", "A query parameter is unknown to the route, malformed or given twice. The "
	"detail names it.", QUIET, ONCE, 0},
	{"cursor_invalid", 400, "Invalid cursor", "The page token is not one that this gateway made for these filters. "
	"Begin again without it.", QUIET, ONCE, 0},
	{"not_found", 404, "Not found", "There is nothing of that name for this tenant. Look at GET /openapi.yaml for "
	"paths and at the lists for ids.", TELL, ONCE, 0},
	{"method_not_allowed", 405, "Method not allowed", "The path exists, with the methods that the header Allow names.",
	QUIET, ONCE, 0},
	{"not_acceptable", 406, "Not acceptable", "The header Accept allows none of the forms that the route answers in.",
	QUIET, ONCE, 0},
	{"request_timeout", 408, "Request took too long", "The request did not arrive in full within the time allowed. "
	"Send it again, faster.", QUIET, ONCE, 0},
	{"body_too_large", 413, "Body too large", "The body is longer than the route takes. Split it; large content goes "
	"elsewhere, with its digest in the payload.", QUIET, ONCE, 0},
	{"target_too_long", 414, "Target too long", "The request target is longer than the gateway takes.", QUIET, ONCE, 0},
	{"media_type", 415, "Unsupported media type", "The route takes the media types that the header Accept-Post names, "
	"without Content-Encoding.", QUIET, ONCE, 0},
	{"expectation", 417, "Expectation failed", "The header Expect may be 100-continue and nothing else.",
	QUIET, ONCE, 0},
	{"quota_backlog", 429, "Backlog quota reached", "The tenant has as many events waiting to be anchored as it may. "
	"Wait as Retry-After says; an operator can raise LEDGER__QUOTA__BACKLOG or anchor more often.", QUIET, ONCE, 5},
	{"quota_rate", 429, "Rate quota reached", "The tenant appends faster than it may. Wait as Retry-After says; an "
	"operator can raise LEDGER__QUOTA__RATE.", QUIET, ONCE, 1},
	{"header_too_large", 431, "Header too large", "The request's header is longer than the gateway takes.",
	QUIET, ONCE, 0},
	{"egress_refused", 403, "Egress refused", "Attachments may be pushed only where the operator allowed it: "
	"LEDGER__ATTACHMENTS__ALLOWEGRESS, and the host in LEDGER__ATTACHMENTS__EGRESSALLOWLIST.", QUIET, ONCE, 0},
	{"egress_failed", 502, "Not taken by the other side", "The service that an attachment was pushed to did not "
	"answer, or did not take it. A redirect is not followed. Send the request again, or name the URL that takes it.",
	QUIET, ONCE, 0},
	{"attachments_off", 501, "No attachments here", "The gateway has no key to encrypt attachments with. An operator "
	"sets LEDGER__ATTACHMENTS__ENCRYPTIONKEY.", QUIET, ONCE, 0},
	{"attachment_key", 503, "Key missing", "The attachment was encrypted under a key that this gateway does not have. "
	"An operator adds it to LEDGER__ATTACHMENTS__PREVIOUSKEYS.", QUIET, ONCE, 0},
	{"attachment_broken", 500, "Attachment damaged", "What is stored of the attachment is not what was stored: its "
	"authentication failed, or its digest is not the one that its event tells. Nothing of it is given out. Keep the "
	"evidence and restore it from a backup.", QUIET, ONCE, 0},
	{"link_invalid", 403, "Invalid link", "The signed link has expired, was changed, or is for something else. Ask for "
	"a new one: POST …/attachments/{attachmentId}/link.", QUIET, ONCE, 0},
	{"unsupported", 501, "Not supported", "The gateway does not speak this method or transfer coding.",
	QUIET, ONCE, 0},

	/* What stands in the way here. */
	{"pool_exhausted", 503, "No connection free", "All connections to the database are busy. Nothing was done: send "
	"the request again as Retry-After says.", QUIET, ONCE, 1},
	{"database_away", 503, "Database away", "The database cannot be reached or went away during the request. An append "
	"with an id or an Idempotency-Key can be sent again safely; Retry-After tells when the next attempt to "
	"connect is made.", QUIET, ONCE, 1},
	{"not_replicated", 503, "Stored, perhaps not replicated", "What the request wrote is committed, but the wait for "
	"the synchronous standbys was cancelled: a fail-over may lose it. Send it again with the same eventId or "
	"Idempotency-Key; the answer is 200 once the standbys have it.", QUIET, ONCE, 1},
	{"keys_missing", 503, "No keys", "The gateway has not got the authority's keys yet, so it can judge no token. The "
	"token may be good: send the request again as Retry-After says.", QUIET, ONCE, 1},
	{"draining", 503, "Shutting down", "This gateway is about to stop; another one answers. An append may have been "
	"stored nevertheless: send it again with the same id or Idempotency-Key.", QUIET, ONCE, 1},
	{"deadline", 504, "Deadline passed", "The answer was not there in time, and the request was given up. An append "
	"may have been stored nevertheless: send it again with the same id or Idempotency-Key.", QUIET, ONCE, 0},
	{"internal", 500, "Internal error", "Something failed that the gateway does not expect. The log has a line with "
	"the same traceId.", QUIET, ONCE, 0},

	/* SQLSTATEs of PostgreSQL, by code and by class. */
	{"08", 503, "Database away", "The connection to the database failed. An append with an id or an "
	"Idempotency-Key can be sent again safely.", QUIET, ONCE, 1},
	{"22", 400, "Invalid value", "A value has no form that the database takes, such as text where a number is meant.",
	QUIET, ONCE, 0},
	{"22021", 400, "Invalid character", "A text holds a byte sequence or a character that the database cannot store.",
	QUIET, ONCE, 0},
	{"22P05", 422, "Untranslatable character", "A text holds a character that the database cannot store, such as "
	"U+0000.", QUIET, ONCE, 0},
	{"23503", 409, "Reference to something unknown", "The request refers to something that is not recorded.",
	QUIET, ONCE, 0},
	{"23505", 409, "Already there", "Something of that name is recorded already, with other content.", QUIET, ONCE, 0},
	{"25006", 503, "Database takes no writes", "The database that the gateway is connected to is a standby, or was "
	"made read-only. Nothing was stored: send the request again as Retry-After says. An operator promotes it, or leads "
	"the gateway to the primary.", QUIET, ONCE, 5},
	{"40001", 503, "Serialization failure", "Others changed the same data at the same time, again and again. Nothing "
	"was stored: send the request again.", QUIET, AGAIN, 1},
	{"40P01", 503, "Deadlock", "Others held locks in another order, again and again. Nothing was stored: send the "
	"request again.", QUIET, AGAIN, 1},
	{"42501", 403, "Not permitted", "The gateway's database role lacks a privilege. An operator can grant it "
	"(docs/how-to/tenants-and-roles.md).", QUIET, ONCE, 0},
	{"53", 503, "Database out of resources", "The database lacks connections, memory or space. Nothing was stored: "
	"send the request again as Retry-After says.", QUIET, ONCE, 5},
	{"54", 413, "Too complex", "What was sent is larger than the database takes.", QUIET, ONCE, 0},
	{"55P03", 503, "Locked", "Something that the request needs was locked by others for too long. Nothing was stored: "
	"send it again as Retry-After says.", QUIET, ONCE, 1},
	{"57", 503, "Database shutting down", "The database is being stopped or started. An append with an id or an "
	"Idempotency-Key can be sent again safely.", QUIET, ONCE, 1},
	{"57014", 504, "Took too long", "The database was told to stop the statement after the time allowed. Nothing was "
	"stored. Ask for less: a shorter range, a smaller page.", QUIET, ONCE, 0},
};

const problem_kind *
problem_table(size_t *count)
{
	*count = sizeof(kinds) / sizeof(kinds[0]);
	return kinds;
}

static const problem_kind *
find(const char *code, size_t n)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].code) == n && memcmp(kinds[i].code, code, n) == 0)
			return &kinds[i];
	return NULL;
}

const problem_kind *
problem_find(const char *code)
{
	const problem_kind *kind = find(code, strlen(code));

	/* A class stands for its SQLSTATEs, which have five characters. */
	if (kind == NULL && strlen(code) == 5)
		kind = find(code, 2);
	return kind != NULL ? kind : find("internal", strlen("internal"));
}
