/*
 * config_check.c
 *		What is wrong with the settings together, and with keys.
 */
#include <string.h>
#include <strings.h>

#include "client_map.h"
#include "config_internal.h"
#include "jwks_source.h"
#include "lc_base64.h"
#include "lc_notekey.h"

#define KEY_BYTES 32

/* How the one who set it knows it: the variable, or the file's member. */
static const char *
named(const config_texts *t, const char *name)
{
	const config_key *k = config_find(name, strlen(name));
	const config_text *given = &t->of[k - config_keys];

	return given->source != NULL ? given->source : k->name;
}

/* Could all of these, separated by blanks, be read?  If not, that is told already, and the field may be NULL. */
static bool
are_read(const config_texts *t, const char *names)
{
	while (*names != '\0')
	{
		size_t		n = strcspn(names, " ");

		if (t->of[config_find(names, n) - config_keys].unread)
			return false;
		names += n + strspn(names + n, " ");
	}
	return true;
}

static bool
is_key(const char *text, size_t n)
{
	uint8_t		key[KEY_BYTES];
	size_t		length;

	return lc_base64_decode(text, n, key, sizeof(key), &length) == LC_OK && length == KEY_BYTES;
}

/* Of several, separated by ";", each. */
static void
check_keys(config_texts *t, const char *name, const char *list)
{
	while (*list != '\0')
	{
		size_t		n = strcspn(list, ";");

		if (!is_key(list, n))
		{
			config_error(t, "%s must be 32 bytes in base64, as of: openssl rand -base64 32", named(t, name));
			return;
		}
		list += n + (list[n] == ';' ? 1 : 0);
	}
}

static void
check_tls(config_texts *t, const config *c)
{
	bool		https;

	if (!are_read(t, "HTTP__LISTEN HTTP__ADMINLISTEN TLS__CERTIFICATE TLS__KEY TLS__CLIENTCA TLS__CLIENTS "
				  "TLS__REQUIRECLIENT"))
		return;
	https = strstr(c->listen, "https://") != NULL || strstr(c->admin_listen, "https://") != NULL;

	if (c->tls_key[0] != '\0')
		config_check_private(t, c->tls_key, named(t, "TLS__KEY"));
	if (c->tls_certificate[0] != '\0' && c->tls_key[0] == '\0')
		config_error(t, "%s is set, but not " CONFIG_PREFIX "TLS__KEY", named(t, "TLS__CERTIFICATE"));
	if (c->tls_key[0] != '\0' && c->tls_certificate[0] == '\0')
		config_error(t, "%s is set, but not " CONFIG_PREFIX "TLS__CERTIFICATE", named(t, "TLS__KEY"));
	if (https && c->tls_certificate[0] == '\0')
		config_error(t, "an address with https:// needs " CONFIG_PREFIX "TLS__CERTIFICATE and "
					 CONFIG_PREFIX "TLS__KEY");
	if (!https && c->tls_certificate[0] != '\0')
		config_error(t, "%s is set, but no address has https://", named(t, "TLS__CERTIFICATE"));
	if (c->tls_require_client && c->tls_client_ca[0] == '\0')
		config_error(t, "%s needs " CONFIG_PREFIX "TLS__CLIENTCA", named(t, "TLS__REQUIRECLIENT"));
	if (c->tls_clients[0] != '\0' && c->tls_client_ca[0] == '\0')
		config_error(t, "%s needs " CONFIG_PREFIX "TLS__CLIENTCA", named(t, "TLS__CLIENTS"));
	if (c->tls_client_ca[0] != '\0' && !https)
		config_error(t, "%s is set, but no address has https://", named(t, "TLS__CLIENTCA"));
}

/* The map is read whole, so that a mistake in it is told with all others. */
static void
check_clients(config_texts *t, const config *c)
{
	fault		f = {""};
	client_map *map;

	if (!are_read(t, "TLS__CLIENTS") || c->tls_clients[0] == '\0')
		return;
	map = client_map_load(c->tls_clients, &f);
	if (map == NULL)
		config_error(t, "%s: %s: %s", named(t, "TLS__CLIENTS"), c->tls_clients, f.text);
	client_map_free(map);
}

/*
 * A gateway that nobody may ask starts all the same: it has health and metrics,
 * and SIGHUP reads the keys as soon as they are set.
 */
static void
check_somebody(config_texts *t, const config *c)
{
	if (!are_read(t, "AUTH__JWKS TLS__CLIENTCA TLS__CLIENTS") || c->auth_jwks[0] != '\0')
		return;
	if (c->tls_client_ca[0] == '\0')
		config_note(t, "neither " CONFIG_PREFIX "AUTH__JWKS nor " CONFIG_PREFIX "TLS__CLIENTCA is set: nobody's token "
					"or certificate is accepted, and every request for the ledger is refused");
	else if (c->tls_clients[0] == '\0')
		config_note(t, "neither " CONFIG_PREFIX "AUTH__JWKS nor " CONFIG_PREFIX "TLS__CLIENTS is set: no token is "
					"accepted, and no certificate is anybody's, so every request for the ledger is refused");
}

static void
check_auth(config_texts *t, const config *c)
{
	fault		f = {""};

	check_clients(t, c);
	check_somebody(t, c);
	if (!are_read(t, "AUTH__JWKS AUTH__ISSUER AUTH__AUDIENCE AUTH__TENANTCLAIM") || c->auth_jwks[0] == '\0')
		return;
	if (!jwks_source_check(c->auth_jwks, &f))
		config_error(t, "%s: %s", named(t, "AUTH__JWKS"), f.text);
	if (c->auth_issuer[0] == '\0')
		config_error(t, "%s is set, but not " CONFIG_PREFIX "AUTH__ISSUER", named(t, "AUTH__JWKS"));
	if (c->auth_audience[0] == '\0')
		config_error(t, "%s is set, but not " CONFIG_PREFIX "AUTH__AUDIENCE", named(t, "AUTH__JWKS"));
	if (c->auth_tenant_claim[0] == '\0')
		config_error(t, "%s must not be empty", named(t, "AUTH__TENANTCLAIM"));
}

static void
check_export_key(config_texts *t, const config *c)
{
	lc_signer	key;

	if (c->export_key[0] == '\0')
		return;
	if (lc_signer_parse(c->export_key, strlen(c->export_key), &key) != LC_OK ||
		key.verifier.type != LC_KEY_ED25519)
		config_error(t, "%s must be a private key as ledgerctl keygen writes it", named(t, "EXPORT__SIGNINGKEY"));
	lc_signer_wipe(&key);
}

static void
check_attachments(config_texts *t, const config *c)
{
	check_keys(t, "ATTACHMENTS__ENCRYPTIONKEY", c->att_key);
	check_keys(t, "ATTACHMENTS__PREVIOUSKEYS", c->att_previous_keys);
	if (strchr(c->att_key, ';') != NULL)
		config_error(t, "%s must be one key", named(t, "ATTACHMENTS__ENCRYPTIONKEY"));
	if (!are_read(t, "ATTACHMENTS__ENCRYPTIONKEY ATTACHMENTS__PREVIOUSKEYS ATTACHMENTS__ALLOWEGRESS "
				  "ATTACHMENTS__EGRESSALLOWLIST"))
		return;
	if (c->att_previous_keys[0] != '\0' && c->att_key[0] == '\0')
		config_error(t, "%s needs " CONFIG_PREFIX "ATTACHMENTS__ENCRYPTIONKEY", named(t, "ATTACHMENTS__PREVIOUSKEYS"));
	if (c->att_allow_egress && c->att_egress_allowlist[0] == '\0')
		config_error(t, "%s is true, but " CONFIG_PREFIX "ATTACHMENTS__EGRESSALLOWLIST names no host",
					 named(t, "ATTACHMENTS__ALLOWEGRESS"));
}

/* The gateway hands its name on and does not read it, but is who is asked whether the settings are good. */
static void
check_signing_key(config_texts *t)
{
	static const char name[] = "MERKLE__SIGNINGKEY_FILE";
	const config_text *given = &t->of[config_find(name, strlen(name)) - config_keys];

	if (given->text != NULL)
		config_check_private(t, given->text, named(t, name));
}

void
config_check(config_texts *t, const config *c)
{
	if (are_read(t, "HTTP__LISTEN") && c->listen[0] == '\0')
		config_error(t, CONFIG_PREFIX "HTTP__LISTEN names no address");
	if (are_read(t, "HTTP__MAXBATCH HTTP__MAXBODY") && c->max_batch < c->max_body)
		config_error(t, "%s must not be less than " CONFIG_PREFIX "HTTP__MAXBODY", named(t, "HTTP__MAXBATCH"));
	if (are_read(t, "HTTP__MAXBATCH HTTP__BODYMEMORY") && c->body_memory < c->max_batch)
		config_error(t, "%s must not be less than " CONFIG_PREFIX "HTTP__MAXBATCH", named(t, "HTTP__BODYMEMORY"));
	check_keys(t, "HTTP__CURSORKEY", c->cursor_key);
	check_tls(t, c);
	check_auth(t, c);
	check_attachments(t, c);
	check_export_key(t, c);
	check_signing_key(t);
}
