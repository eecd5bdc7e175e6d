/*
 * test_client_map.c
 *		Who the holders of client certificates are.
 */
#include <openssl/x509v3.h>

#include "client_map.h"
#include "lc_sha256.h"
#include "tokens.h"

typedef struct certificate
{
	uint8_t    *der;
	size_t		n;
	char		sha256[65];
} certificate;

/* alternative: as OpenSSL's settings write it, or NULL. */
static certificate
make_certificate(const char *organisation, const char *name, const char *alternative)
{
	certificate out = {NULL, 0, ""};
	EVP_PKEY   *key = make_key(JWT_ES256);
	X509	   *cert = X509_new();
	X509_NAME  *subject = X509_get_subject_name(cert);
	uint8_t		hash[32];
	int			n;

	if (organisation != NULL)
		X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, (const unsigned char *) organisation, -1, -1, 0);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *) name, -1, -1, 0);
	X509_set_issuer_name(cert, subject);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	if (alternative != NULL)
	{
		X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternative);

		NEVER_FAILS(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
		X509_EXTENSION_free(extension);
	}
	NEVER_FAILS(X509_sign(cert, key, EVP_sha256()) > 0);
	n = i2d_X509(cert, &out.der);
	NEVER_FAILS(n > 0);
	out.n = (size_t) n;
	NEVER_FAILS(lc_sha256(out.der, out.n, hash) == LC_OK);
	for (int i = 0; i < 32; i++)
		snprintf(out.sha256 + 2 * i, 3, "%02X", hash[i]);
	X509_free(cert);
	EVP_PKEY_free(key);
	return out;
}

#define GIVES ",\"tenant\":\"acme\",\"subject\":\"scanner\",\"scopes\":[\"ledger.events.write\"]}"

/* Whose is the certificate by a map of these entries?  "": nobody's. */
static void
found(const char *entries, const certificate *cert, const char *subject, const char *name)
{
	lc_buf		text;
	client_map *map;
	fault		f = {""};
	identity	who = {.subject = ""};
	uint8_t    *copy = (uint8_t *) exact_copy((const char *) cert->der, cert->n);

	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_puts(&text, "{\"clients\":[");
	lc_buf_puts(&text, entries);
	lc_buf_puts(&text, "]}");
	map = client_map_parse(text.data, text.len, &f);
	if (map == NULL)
		ok(false, "%s: %s", name, f.text);
	else
	{
		bool		is_there = client_map_find(map, copy, cert->n, &who);

		if (!ok(is_there == (*subject != '\0') && strcmp(who.subject, subject) == 0, "%s", name))
			printf("#   \"%s\"\n", who.subject);
	}
	client_map_free(map);
	lc_buf_free(&text);
	free(copy);
}

static void
matching(void)
{
	certificate cert = make_certificate("Acme, Inc.", "sc\xc3\xa4nner",
										"URI:spiffe://example.org/scanner,DNS:scanner.example.org,"
										"email:spiffe://example.org/mail");
	certificate plain = make_certificate(NULL, "scanner", NULL);
	char		entry[400];

	snprintf(entry, sizeof(entry), "{\"match\":{\"sha256\":\"%s\"}" GIVES, cert.sha256);
	found(entry, &cert, "scanner", "by its fingerprint");
	found(entry, &plain, "", "which another does not have");
	snprintf(entry, sizeof(entry), "{\"match\":{\"sha256\":\"%.2s:%.62s\"}" GIVES, cert.sha256, cert.sha256 + 2);
	found(entry, &cert, "scanner", "with colons too");
	found("{\"match\":{\"uri\":\"spiffe://example.org/scanner\"}" GIVES, &cert, "scanner", "by a URI");
	found("{\"match\":{\"uri\":\"spiffe://example.org/scanne\"}" GIVES, &cert, "", "not by its beginning");
	found("{\"match\":{\"uri\":\"spiffe://example.org/Scanner\"}" GIVES, &cert, "", "nor in another case");
	found("{\"match\":{\"uri\":\"spiffe://example.org/mail\"}" GIVES, &cert, "", "nor by a name of another kind");
	found("{\"match\":{\"uri\":\"spiffe://example.org/scanner\"}" GIVES, &plain, "", "nor one that has none");
	found("{\"match\":{\"dns\":\"SCANNER.example.org\"}" GIVES, &cert, "scanner", "by a DNS name, in any case");
	found("{\"match\":{\"dns\":\"*.example.org\"}" GIVES, &cert, "", "but not by a wildcard");
	found("{\"match\":{\"dns\":\"example.org\"}" GIVES, &cert, "", "nor by its end");
	found("{\"match\":{\"subject\":\"CN=sc\\\\C3\\\\A4nner,O=Acme\\\\, Inc.\"}" GIVES, &cert, "scanner",
		  "by its subject as RFC 2253 has it");
	found("{\"match\":{\"subject\":\"CN=scanner\"}" GIVES, &plain, "scanner", "by a plain subject");
	found("{\"match\":{\"subject\":\"CN=scanne\"}" GIVES, &plain, "", "not by its beginning");
	found("{\"match\":{\"subject\":\"O=Acme\\\\, Inc.,CN=sc\\\\C3\\\\A4nner\"}" GIVES, &cert, "",
		  "not in another order");
	found("", &cert, "", "an empty map knows nobody");
	found("{\"match\":{\"dns\":\"scanner.example.org\"},"
		  "\"tenant\":\"acme\",\"subject\":\"first\",\"scopes\":[\"ledger.audit\"]},"
		  "{\"match\":{\"uri\":\"spiffe://example.org/scanner\"}" GIVES, &cert, "first",
		  "the first that matches counts");
	cert.der[cert.n - 1] ^= 1;
	snprintf(entry, sizeof(entry), "{\"match\":{\"sha256\":\"%s\"}" GIVES, cert.sha256);
	found(entry, &cert, "", "a certificate with another signature has another fingerprint");
	cert.n -= 5;
	found("{\"match\":{\"dns\":\"scanner.example.org\"}" GIVES, &cert, "", "half a certificate is none");
	OPENSSL_free(cert.der);
	OPENSSL_free(plain.der);
}

/* A NUL within a name must not cut it: CVE-2009-2408 and its many children. */
static void
nul_in_name(void)
{
	certificate cert = make_certificate(NULL, "x", "URI:spiffe://example.org/scanner#evil");
	uint8_t    *at = cert.der;

	while (memcmp(at, "#evil", 5) != 0)
		at++;
	*at = '\0';
	found("{\"match\":{\"uri\":\"spiffe://example.org/scanner\"}" GIVES, &cert, "",
		  "a name with a NUL is not cut there");
	OPENSSL_free(cert.der);
}

static void
gives(void)
{
	static const char text[] = "{\"clients\":[{\"match\":{\"subject\":\"CN=scanner\"},\"tenant\":\"globex\","
		"\"subject\":\"the scanner\",\"actorType\":\"system\",\"scopes\":[\"ledger.events.read\",\"vuln:audit\"]}]}";
	certificate cert = make_certificate(NULL, "scanner", NULL);
	fault		f;
	identity	who;
	client_map *map = client_map_parse(text, strlen(text), &f);

	if (ok(map != NULL && client_map_find(map, cert.der, cert.n, &who), "an entry"))
	{
		ok(strcmp(who.tenant, "globex") == 0 && strcmp(who.subject, "the scanner") == 0, "gives tenant and subject");
		ok(strcmp(who.actor_type, "system") == 0 && who.certificate, "type of actor, and that it came by certificate");
		is_int(who.scopes, SCOPE_EVENTS_READ | SCOPE_AUDIT, "and scopes");
	}
	client_map_free(map);
	OPENSSL_free(cert.der);
}

static void
refused(const char *text, const char *why, const char *name)
{
	fault		f = {""};
	client_map *map = client_map_parse(text, strlen(text), &f);

	if (!ok(map == NULL && strstr(f.text, why) != NULL, "%s is refused", name))
		printf("#   %s\n", map != NULL ? "taken" : f.text);
	client_map_free(map);
}

#define ENTRY(match, rest) "{\"clients\":[{\"match\":{" match "}" rest "}]}"
#define REST ",\"tenant\":\"acme\",\"subject\":\"s\",\"scopes\":[\"ledger.audit\"]"

static void
refusals(void)
{
	char		longest[700];

	refused("", "line 1", "nothing");
	refused("{}", "clients", "a file without clients");
	refused("{\"clients\":{}}", "clients", "clients that are no list");
	refused("{\"clients\":[],\"client\":[]}", "unknown member \"client\"", "an unknown member");
	refused("{\"clients\":[7]}", "entry 1", "an entry that is no object");
	refused("{\"clients\":[{\"tenant\":\"acme\",\"subject\":\"s\",\"scopes\":[\"ledger.audit\"]}]}", "match",
			"an entry without match");
	refused(ENTRY("", REST), "one member", "an empty match");
	refused(ENTRY("\"uri\":\"a\",\"dns\":\"b\"", REST), "one member", "a match by two things");
	refused(ENTRY("\"cn\":\"a\"", REST), "unknown member \"cn\"", "a match by something else");
	refused(ENTRY("\"uri\":\"\"", REST), "one member", "a match by nothing");
	refused(ENTRY("\"sha256\":\"abcd\"", REST), "64 hex", "a short fingerprint");
	refused(ENTRY("\"sha256\":\"zz345678901234567890123456789012345678901234567890123456789012\"", REST), "64 hex",
			"a fingerprint that is no hex");
	refused(ENTRY("\"uri\":\"a\"", ",\"subject\":\"s\",\"scopes\":[\"ledger.audit\"]"), "tenant",
			"an entry without tenant");
	refused(ENTRY("\"uri\":\"a\"", ",\"tenant\":\"a b\",\"subject\":\"s\",\"scopes\":[\"ledger.audit\"]"), "tenant",
			"a tenant that is none");
	refused(ENTRY("\"uri\":\"a\"", ",\"tenant\":\"acme\",\"scopes\":[\"ledger.audit\"]"), "subject",
			"an entry without subject");
	refused(ENTRY("\"uri\":\"a\"", ",\"tenant\":\"acme\",\"subject\":\"a\\nb\",\"scopes\":[\"ledger.audit\"]"),
			"control", "a subject of two lines");
	refused(ENTRY("\"uri\":\"a\"", ",\"tenant\":\"acme\",\"subject\":\"s\""), "scopes", "an entry without scopes");
	refused(ENTRY("\"uri\":\"a\"", ",\"tenant\":\"acme\",\"subject\":\"s\",\"scopes\":[]"), "scopes",
			"an empty list of scopes");
	refused(ENTRY("\"uri\":\"a\"", ",\"tenant\":\"acme\",\"subject\":\"s\",\"scopes\":[\"ledger.all\"]"),
			"unknown scope \"ledger.all\"", "an unknown scope");
	refused(ENTRY("\"uri\":\"a\"", REST ",\"actorType\":\"root\""), "actorType", "an unknown type of actor");
	refused(ENTRY("\"uri\":\"a\"", REST ",\"admin\":true"), "unknown member \"admin\"",
			"an unknown member of an entry");
	refused(ENTRY("\"uri\":\"a\"", REST ",\"tenant\":\"globex\""), "line 1", "a member given twice");
	memset(longest, 's', sizeof(longest));
	memcpy(longest,
		   "{\"clients\":[{\"match\":{\"uri\":\"a\"},\"tenant\":\"acme\",\"scopes\":[\"ledger.audit\"],"
		   "\"subject\":\"", 86);
	snprintf(longest + 86 + 256, sizeof(longest) - 86 - 256, "\"}]}");
	refused(longest, "subject", "a subject of 256 bytes");
}

static void
conflicts(void)
{
	fault		f = {""};
	client_map *map;
	static const char twice[] =
		"{\"clients\":[{\"match\":{\"dns\":\"a.example\"}" REST "},{\"match\":{\"dns\":\"A.example\"}" REST "}]}";

	refused("{\"clients\":[{\"match\":{\"dns\":\"a.example\"}" REST "},{\"match\":{\"uri\":\"x\"}" REST "},"
			"{\"match\":{\"dns\":\"A.example\"},"
			"\"tenant\":\"globex\",\"subject\":\"s\",\"scopes\":[\"ledger.audit\"]}]}",
			"entries 1 and 3", "one certificate for two tenants");
	refused("{\"clients\":[{\"match\":{\"subject\":\"CN=a\"}" REST "},"
			"{\"match\":{\"subject\":\"CN=a\"},"
			"\"tenant\":\"acme\",\"subject\":\"s\",\"scopes\":[\"ledger.events.read\"]}]}",
			"entries 1 and 2", "one certificate with two sets of scopes");
	map = client_map_parse(twice, strlen(twice), &f);
	ok(map != NULL, "the same said twice is no conflict");
	client_map_free(map);
	map = client_map_load("/nonexistent/clients.json", &f);
	ok(map == NULL && strstr(f.text, "No such file") != NULL, "a file that is not there");
}

int
main(void)
{
	matching();
	nul_in_name();
	gives();
	refusals();
	conflicts();
	return done();
}
