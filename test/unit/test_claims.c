/*
 * test_claims.c
 *		What a payload says, and whether it is for us and for now.
 */
#include "claims.h"
#include "harness.h"

#define NOW 1800000000
#define GOOD_HEAD "{\"iss\":\"https://authority\",\"aud\":\"ledger\",\"sub\":\"mira\",\"tenant\":\"acme\""
#define EXP ",\"exp\":1800000300"

static const claims_want want = {"https://authority", "ledger", 60};

static const char *
read_one(const char *json, claims *out)
{
	char	   *copy = exact_copy(json, strlen(json));
	const char *why = claims_read(copy, strlen(json), "tenant", out);

	free(copy);
	return why;
}

static void
refused(const char *json, const char *why, const char *name)
{
	claims		c;
	const char *got = read_one(json, &c);

	if (!ok(got != NULL && strstr(got, why) != NULL, "%s", name))
		printf("#   %s\n", got != NULL ? got : "taken");
	if (got == NULL)
		claims_free(&c);
}

/* The verdict over a payload with these members behind the usual ones. */
static void
verdict_at(const char *members, time_t now, claims_verdict wanted, const char *name)
{
	char		json[2000];
	claims		c;
	const char *why;

	snprintf(json, sizeof(json), GOOD_HEAD "%s}", members);
	why = read_one(json, &c);
	if (why != NULL)
	{
		ok(false, "%s: %s", name, why);
		return;
	}
	is_int(claims_check(&c, &want, now), wanted, name);
	claims_free(&c);
}

static void
times(void)
{
	verdict_at(EXP, NOW, CLAIMS_GOOD, "before its end");
	verdict_at(EXP, NOW + 300 + 59, CLAIMS_GOOD, "59 seconds after it: clocks differ");
	verdict_at(EXP, NOW + 300 + 60, CLAIMS_EXPIRED, "60 seconds after it");
	verdict_at(",\"exp\":1800000300.9", NOW + 300 + 60, CLAIMS_EXPIRED, "a fraction gives no second more");
	verdict_at(",\"exp\":1.8000003E9", NOW + 300 + 59, CLAIMS_GOOD, "an exponent is a way to write a number");
	verdict_at(",\"exp\":0", NOW, CLAIMS_EXPIRED, "expired in 1970");
	verdict_at(EXP ",\"nbf\":1800000060", NOW, CLAIMS_GOOD, "not before a minute from now");
	verdict_at(EXP ",\"nbf\":1800000061", NOW, CLAIMS_EARLY, "not before 61 seconds from now");
	verdict_at(EXP ",\"iat\":1800000060", NOW, CLAIMS_GOOD, "issued within the skew");
	verdict_at(EXP ",\"iat\":1800000061", NOW, CLAIMS_EARLY, "issued in the future");
	refused(GOOD_HEAD "}", "exp", "without exp it is refused");
	refused(GOOD_HEAD ",\"exp\":\"1800000300\"}", "exp", "exp as a string is refused");
	refused(GOOD_HEAD ",\"exp\":-1}", "exp", "a negative exp is refused");
	refused(GOOD_HEAD ",\"exp\":1e300}", "exp", "an exp beyond all calendars is refused");
	refused(GOOD_HEAD ",\"exp\":1800000300000}", "exp", "an exp in milliseconds is refused");
	refused(GOOD_HEAD ",\"exp\":1800000300.00000000000000000000000000000000000}", "exp", "an endless exp is refused");
	refused(GOOD_HEAD ",\"exp\":null}", "exp", "an exp that is null is refused");
	refused(GOOD_HEAD EXP ",\"nbf\":\"now\"}", "nbf", "nbf as a string is refused");
	refused(GOOD_HEAD EXP ",\"iat\":true}", "iat", "iat that is no number is refused");
	refused(GOOD_HEAD EXP ",\"exp\":1900000000}", "JSON", "exp given twice is refused");
}

static void
parties_are(const char *iss_and_aud, claims_verdict wanted, const char *name)
{
	char		json[2000];
	claims		c;

	snprintf(json, sizeof(json), "{\"sub\":\"mira\",\"tenant\":\"acme\"" EXP ",%s}", iss_and_aud);
	if (read_one(json, &c) != NULL)
	{
		ok(false, "%s: is read", name);
		return;
	}
	is_int(claims_check(&c, &want, NOW), wanted, name);
	claims_free(&c);
}

static void
parties(void)
{
#define ISS "\"iss\":\"https://authority\","
#define REST "\"sub\":\"mira\",\"tenant\":\"acme\"" EXP "}"
	parties_are(ISS "\"aud\":\"ledger\"", CLAIMS_GOOD, "the audience as a string");
	parties_are(ISS "\"aud\":[\"other\",\"ledger\"]", CLAIMS_GOOD, "the audience as one of several");
	parties_are(ISS "\"aud\":[\"other\",\"ledge\"]", CLAIMS_AUDIENCE, "none of several");
	parties_are(ISS "\"aud\":\"ledger2\"", CLAIMS_AUDIENCE, "a longer name");
	parties_are(ISS "\"aud\":\"https://authority\"", CLAIMS_AUDIENCE, "the issuer is no audience");
	parties_are(ISS "\"aud\":[\"\"]", CLAIMS_AUDIENCE, "an empty name");
	parties_are("\"iss\":\"https://authority/\",\"aud\":\"ledger\"", CLAIMS_ISSUER, "an issuer with a slash more");
	parties_are("\"iss\":\"HTTPS://authority\",\"aud\":\"ledger\"", CLAIMS_ISSUER, "an issuer in another case");
	parties_are("\"iss\":\"ledger\",\"aud\":\"ledger\"", CLAIMS_ISSUER, "the audience is no issuer");
	refused("{" ISS REST, "aud", "without aud it is refused");
	refused("{" ISS "\"aud\":[]," REST, "aud", "an empty list of audiences is refused");
	refused("{" ISS "\"aud\":[\"ledger\",1]," REST, "aud", "a number among the audiences is refused");
	refused("{" ISS "\"aud\":{\"ledger\":true}," REST, "aud", "audiences as an object are refused");
	refused("{\"aud\":\"ledger\"," REST, "iss", "without iss it is refused");
	refused("{\"iss\":[\"https://authority\"],\"aud\":\"ledger\"," REST, "iss", "a list of issuers is refused");
	refused("{\"iss\":\"https://authority\\u0000x\",\"aud\":\"ledger\"," REST, "JSON", "a NUL in it is refused");
}

/* Of an authority whose name is also the audience's. */
static void
issuer_is_no_audience(void)
{
	static const char json[] = "{\"iss\":\"same\",\"aud\":\"other\",\"sub\":\"s\",\"tenant\":\"acme\"" EXP "}";
	claims		c;

	ok(claims_read(json, strlen(json), "tenant", &c) == NULL &&
	   claims_check(&c, &(claims_want) {"same", "same", 60}, NOW) == CLAIMS_AUDIENCE, "even where both have one name");
	claims_free(&c);
}

static void
subject_is(const char *subject, size_t n, bool good, const char *name)
{
	char		json[2000];
	claims		c;
	const char *why;

	snprintf(json, sizeof(json), "{" ISS "\"aud\":\"ledger\",\"tenant\":\"acme\"" EXP ",\"sub\":\"%.*s\"}",
			 (int) n, subject);
	why = read_one(json, &c);
	if (ok((why == NULL) == good, "%s", name) && good)
		is_bytes(c.who.subject, strlen(c.who.subject), subject, n, "as it stands");
	if (why == NULL)
		claims_free(&c);
}

static void
subjects(void)
{
	char		longest[256];

	memset(longest, 's', sizeof(longest));
	subject_is("auth0|5f\xc3\xa9", 10, true, "a subject");
	subject_is(longest, 255, true, "a subject of 255 bytes");
	subject_is(longest, 256, false, "one of 256 is refused");
	subject_is("", 0, false, "an empty one is refused");
	subject_is("a\\nb", 4, false, "a line break in it is refused");
	subject_is("a\\u007fb", 8, false, "and DEL");
	refused("{" ISS "\"aud\":\"ledger\",\"tenant\":\"acme\"" EXP "}", "sub", "none at all is refused");
	refused("{" ISS "\"aud\":\"ledger\",\"tenant\":\"acme\",\"sub\":7" EXP "}", "sub", "a number is refused");
}

static void
tenants(void)
{
	char		name[140];

	memset(name, 'a', sizeof(name));
	ok(tenant_name_valid("acme", 4) && tenant_name_valid("9.A-b_c", 7), "names of tenants");
	ok(tenant_name_valid(name, 128) && !tenant_name_valid(name, 129), "of at most 128 bytes");
	ok(!tenant_name_valid("", 0) && !tenant_name_valid("-a", 2) && !tenant_name_valid(".", 1) &&
	   !tenant_name_valid("a b", 3) && !tenant_name_valid("a/b", 3) && !tenant_name_valid("a'b", 3) &&
	   !tenant_name_valid("a\0b", 3) && !tenant_name_valid("\xc3\xa4", 2) && !tenant_name_valid("*", 1),
	   "and what is none");
	refused("{" ISS "\"aud\":\"ledger\",\"sub\":\"s\"" EXP "}", "tenant", "without the tenant it is refused");
	refused("{" ISS "\"aud\":\"ledger\",\"sub\":\"s\",\"tenant\":[\"acme\"]" EXP "}",
			"tenant", "a list of tenants is refused");
	refused("{" ISS "\"aud\":\"ledger\",\"sub\":\"s\",\"tenant\":\"*\"" EXP "}", "tenant", "all tenants are none");
	refused("{" ISS "\"aud\":\"ledger\",\"sub\":\"s\",\"Tenant\":\"acme\"" EXP "}",
			"tenant", "another claim is not looked at");
}

static void
other_tenant_claim(void)
{
	static const char json[] = GOOD_HEAD EXP ",\"https://x.example/org\":\"globex\"}";
	claims		c;

	ok(claims_read(json, strlen(json), "https://x.example/org", &c) == NULL && strcmp(c.who.tenant, "globex") == 0,
	   "the tenant is taken from the claim that the settings name");
	claims_free(&c);
}

static void
scopes_are(const char *members, uint32_t scopes, const char *name)
{
	char		json[2000];
	claims		c;
	const char *why;

	snprintf(json, sizeof(json), GOOD_HEAD EXP ",%s}", members);
	why = read_one(json, &c);
	if (ok(why == NULL, "%s: read", name))
	{
		is_int(c.who.scopes, scopes, name);
		claims_free(&c);
	}
}

static void
scopes(void)
{
	scopes_are("\"x\":1", 0, "no scopes");
	scopes_are("\"scope\":\"ledger.events.read openid  ledger.audit \"", SCOPE_EVENTS_READ | SCOPE_AUDIT,
			   "a list in a string, with names that are not ours");
	scopes_are("\"scp\":[\"ledger.events.write\",\"profile\"]", SCOPE_EVENTS_WRITE, "a list in an array");
	scopes_are("\"scp\":\"ledger.export.read vuln:audit\"", SCOPE_EXPORT_READ | SCOPE_AUDIT, "scp as a string");
	scopes_are("\"scp\":[\"ledger.events.read ledger.audit\"]", 0, "two names in one element are no name");
	scopes_are("\"scope\":\"vuln:view vuln:investigate vuln:operate\"", SCOPE_EVENTS_READ | SCOPE_EVENTS_WRITE,
			   "older names");
	scopes_are("\"scope\":\"LEDGER.AUDIT ledger.audi ledger.audits ledger.audit\\tx\"", 0,
			   "names are compared exactly");
	refused(GOOD_HEAD EXP ",\"scope\":[\"ledger.audit\"]}", "scope", "scope as an array is refused");
	refused(GOOD_HEAD EXP ",\"scp\":[1]}", "scp", "a number in scp is refused");
	refused(GOOD_HEAD EXP ",\"scp\":{}}", "scp", "an object is refused");
	for (scope one = SCOPE_EVENTS_READ; one <= SCOPE_ATTACHMENTS_EGRESS; one = (scope) (one << 1))
		ok(scope_find(scope_name(one), strlen(scope_name(one))) == one, "%s is a scope", scope_name(one));
}

static void
actor_is(const char *members, const char *type, const char *name)
{
	char		json[2000];
	claims		c;

	snprintf(json, sizeof(json), GOOD_HEAD EXP "%s}", members);
	if (!ok(read_one(json, &c) == NULL, "%s: read", name))
		return;
	is_bytes(c.who.actor_type, strlen(c.who.actor_type), type, strlen(type), name);
	ok(!c.who.certificate, "and it came by a token");
	claims_free(&c);
}

static void
actors(void)
{
	actor_is("", "operator", "a person");
	actor_is(",\"azp\":\"console\"", "operator", "a person at a client");
	actor_is(",\"azp\":\"mira\"", "integration", "a client for itself, by azp");
	actor_is(",\"client_id\":\"mira\"", "integration", "a client for itself, by client_id");
	actor_is(",\"actor_type\":\"system\"", "system", "the authority says system");
	actor_is(",\"azp\":\"mira\",\"actor_type\":\"operator\"", "operator", "what the authority says goes before");
	actor_is(",\"actor_type\":\"root\"", "operator", "a word that the ledger does not have");
}

static void
documents(void)
{
	refused("", "JSON", "no payload");
	refused("[]", "no object", "an array");
	refused("\"x\"", "no object", "a string");
	refused(GOOD_HEAD EXP, "JSON", "half a payload");
}

int
main(void)
{
	times();
	parties();
	issuer_is_no_audience();
	subjects();
	tenants();
	other_tenant_claim();
	scopes();
	actors();
	documents();
	return done();
}
